/*
 * Mounts of which every start of a container gets a copy. They stay attached in the zygote's own mount namespace, because
 * detached mounts can be copied only since Linux 6.15. They last as long as the zygote, as does a writable layer in memory.
 */
#include "kernel.h"
#include "zygote.h"

#include <stdio.h>
#include <stdbool.h>
#include <sys/stat.h>

enum { PLACE_SIZE = 16 };

static void name_place(char name[PLACE_SIZE], unsigned place) { snprintf(name, PLACE_SIZE, ZYGOTE_KEPT "/%u", place); }

static int make_place(const char *name, bool directory)
{
	if (mkdir(ZYGOTE_KEPT, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (directory)
		return result(mkdir(name, 0700));
	int fd = result(open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0400));
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* Private, so that mounts made below the source later do not appear in running containers. */
int keep_mount(unsigned place, int mount)
{
	char name[PLACE_SIZE];
	struct stat stat;
	struct mount_attr attr = {.propagation = MS_PRIVATE};
	if (fstat(mount, &stat) < 0)
		return -errno;
	name_place(name, place);
	int error = set_mount(mount, AT_RECURSIVE, &attr);
	if (error == 0)
		error = make_place(name, S_ISDIR(stat.st_mode));
	return error < 0 ? error : attach_at(mount, name);
}

int copy_kept(unsigned place)
{
	char name[PLACE_SIZE];
	name_place(name, place);
	int mount = open_in(AT_FDCWD, name, O_PATH, 0, RESOLVE_NO_SYMLINKS);
	int copy = mount < 0 ? mount : clone_tree(mount, AT_RECURSIVE);
	close_fd(&mount);
	return copy;
}
