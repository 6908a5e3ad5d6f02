/*
 * Mounts that a container gets again at every start. They are attached here, in the zygote's own mount namespace: a detached
 * mount can be copied only from Linux 6.15 on. What is kept lasts as long as the zygote, and with it a layer in memory.
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

/* Private: what is mounted below the source later on does not appear in a container that was started before. */
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
