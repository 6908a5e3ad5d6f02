/* Names of the container, each resolved by the kernel beneath its root. */
#include "files_parts.h"
#include "kernel.h"

#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

/* Components of 1..255 bytes, none of them `.` or `..`; the empty path is the root. */
bool files_valid_path(const char *path, uint32_t length)
{
	if (memchr(path, 0, length) || length > FILES_MAX_PATH)
		return false;
	for (const char *at = path, *end = path + length; length != 0;) {
		const char *slash = memchr(at, '/', (size_t)(end - at));
		size_t size = (size_t)((slash ? slash : end) - at);
		if (size == 0 || size > NAME_MAX || (at[0] == '.' && (size == 1 || (size == 2 && at[1] == '.'))))
			return false;
		if (!slash)
			return true;
		at = slash + 1;
	}
	return true;
}

static uint64_t resolution(bool follow)
{
	return RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (follow ? 0 : RESOLVE_NO_SYMLINKS);
}

/* The directory that holds the last component, which `name` points to. The root has none: EISDIR. */
int files_parent(const struct files *files, const char *path, uint32_t flags, const char **name)
{
	char above[FILES_MAX_PATH + 1];
	const char *slash = strrchr(path, '/');
	*name = slash ? slash + 1 : path;
	if (**name == 0)
		return -EISDIR;
	size_t length = slash ? (size_t)(slash - path) : 0;
	memcpy(above, path, length);
	above[length] = 0;
	return open_in(files->root, length ? above : ".", O_PATH | O_DIRECTORY, 0, resolution(flags & FILES_FOLLOW_ABOVE));
}

/* An O_PATH descriptor, which has no effect on what it names: a pipe or device that the container put there does nothing. */
int files_look(const struct files *files, const char *path, uint32_t flags, struct stat *stat)
{
	const char *name;
	int fd;
	if (*path == 0) {
		fd = open_in(files->root, ".", O_PATH, 0, RESOLVE_IN_ROOT);
	} else if (flags & FILES_FOLLOW) {
		fd = open_in(files->root, path, O_PATH, 0, resolution(true));
	} else {
		int parent = files_parent(files, path, flags, &name);
		if (parent < 0)
			return parent;
		fd = result(openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
		close(parent);
	}
	if (fd >= 0 && fstat(fd, stat) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* What the kernel makes up on the fly is no data, and reading it may act or block. */
bool files_is_made_up(int fd)
{
	struct statfs on;
	if (fstatfs(fd, &on) < 0)
		return true;
	switch ((unsigned long)on.f_type) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case DEVPTS_SUPER_MAGIC:
	case RAMFS_MAGIC: /* secrets, which are in no copy of a container */
	case 0x19800202: /* mqueue */
		return true;
	default:
		return false;
	}
}

/* Opens for data the very file that was looked at. */
int files_reopen(const struct files *files, int path_fd, int flags)
{
	char number[16];
	if (files_is_made_up(path_fd))
		return -ENXIO;
	snprintf(number, sizeof number, "%d", path_fd);
	return result(openat(files->self, number, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

struct files_stat files_stat_of(const struct stat *stat)
{
	return (struct files_stat){
		.mode = stat->st_mode,
		.uid = stat->st_uid,
		.gid = stat->st_gid,
		.links = (uint32_t)stat->st_nlink,
		.size = (uint64_t)stat->st_size,
		.inode = stat->st_ino,
		.seconds = stat->st_mtim.tv_sec,
		.nanos = (uint32_t)stat->st_mtim.tv_nsec,
		.device = (uint32_t)stat->st_dev,
	};
}
