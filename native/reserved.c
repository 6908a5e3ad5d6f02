/*
 * The engine's own mounts in the container: procfs, sysfs, /dev and what is below them. A target of somebody else's is judged
 * by where it was found to be, since a link of the image or of a volume gives them other names.
 */
#include "init.h"
#include "kernel.h"

#include <sys/stat.h>

static int identify(int fd, struct statx *found)
{
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID | STATX_INO, found) < 0)
		return -errno;
	return (found->stx_mask & STATX_MNT_ID) && (found->stx_mask & STATX_INO) ? 0 : -ENOSYS;
}

int remember_root(struct init *init)
{
	struct statx root;
	int error = identify(init->root, &root);
	init->root_mount = root.stx_mnt_id;
	init->root_inode = root.stx_ino;
	return error;
}

static bool is_within(const char *path, const char *directory)
{
	size_t length = strlen(directory);
	return strncmp(path, directory, length) == 0 && (path[length] == 0 || path[length] == '/');
}

bool is_reserved(const char *path)
{
	return is_within(path, "proc") || is_within(path, "sys") || is_within(path, "dev");
}

int remember_mount(struct init *init, int mount, const char *path)
{
	struct statx found;
	int error = identify(mount, &found);
	if (error < 0)
		return error;
	if (init->made_count == MAX_MADE)
		return -E2BIG;
	init->made[init->made_count].id = found.stx_mnt_id;
	init->made[init->made_count++].reserved = is_reserved(path);
	return 0;
}

int check_target(const struct init *init, int target)
{
	struct statx found;
	int error = identify(target, &found);
	if (error < 0)
		return error;
	if (found.stx_mnt_id == init->root_mount && found.stx_ino == init->root_inode)
		return -EBUSY;
	for (unsigned i = 0; i < init->made_count; i++)
		if (init->made[i].reserved && found.stx_mnt_id == init->made[i].id)
			return -EBUSY;
	return 0;
}

int is_of_a_volume(const struct init *init, int fd)
{
	struct statx found;
	int error = identify(fd, &found);
	if (error < 0)
		return error;
	bool own = found.stx_mnt_id == init->root_mount;
	for (unsigned i = 0; i < init->made_count; i++)
		own |= found.stx_mnt_id == init->made[i].id;
	return !own;
}
