/*
 * Names in the container's root. A name is resolved once, by the kernel, as if the root were `/` (openat2(2)); what is
 * made is made below a directory that is held open, and what is mounted is mounted on the descriptor. Whatever an image
 * or a racing neighbour does with symbolic links, nothing outside of the root is reached.
 */
#include "init.h"
#include "kernel.h"

#include <sys/stat.h>

int open_path(int root, const char *path, uint64_t flags, uint64_t resolve)
{
	return open_in(root, path, flags | O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);
}

/* One component below a directory that is held. A link there, dangling or just put there, is ELOOP. */
static int make_component(int parent, const char *name, uint32_t mode)
{
	if (mkdirat(parent, name, mode) < 0)
		return errno == EEXIST ? -ELOOP : -errno;
	return result(openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* The longest part that exists is resolved from the root, the rest is new: mostly that is the last component. */
static int make_directories(int root, char *path, uint32_t mode, uint64_t resolve)
{
	const char *end = path + strlen(path);
	char *slash;
	int parent;
	do {
		slash = strrchr(path, '/');
		if (slash)
			*slash = 0;
		parent = open_path(root, slash ? path : ".", O_DIRECTORY, slash ? resolve : 0);
	} while (slash && parent == -ENOENT);
	for (const char *name = slash ? slash + 1 : path; parent >= 0 && name < end; name += strlen(name) + 1) {
		int next = make_component(parent, name, name + strlen(name) == end ? mode : 0755);
		close(parent);
		parent = next;
	}
	return parent;
}

int open_directory(int root, const char *path, uint32_t mode, uint64_t resolve)
{
	char copy[PATH_SIZE];
	int fd = open_path(root, path, O_DIRECTORY, resolve);
	if (fd != -ENOENT)
		return fd;
	strncpy(copy, path, sizeof copy - 1);
	copy[sizeof copy - 1] = 0;
	return make_directories(root, copy, mode, resolve);
}

int open_parent(int root, const char *path, uint64_t resolve, const char **name)
{
	char copy[PATH_SIZE];
	const char *slash = strrchr(path, '/');
	*name = slash ? slash + 1 : path;
	if (!slash)
		return open_path(root, ".", O_DIRECTORY, 0);
	memcpy(copy, path, (size_t)(slash - path));
	copy[slash - path] = 0;
	return open_directory(root, copy, 0755, resolve);
}

static int make_file(int root, const char *path, uint32_t mode, uint64_t resolve)
{
	const char *name;
	int parent = open_parent(root, path, resolve, &name);
	if (parent < 0)
		return parent;
	int made = result(mknodat(parent, name, S_IFREG | mode, 0));
	if (made >= 0)
		made = result(openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
	close(parent);
	return made;
}

int new_file(int root, const char *path, uint32_t mode) { return make_file(root, path, mode, RESOLVE_NO_SYMLINKS); }

int open_file(int root, const char *path, uint32_t mode, uint64_t resolve)
{
	struct stat stat;
	int fd = open_path(root, path, 0, resolve);
	if (fd == -ENOENT) {
		fd = make_file(root, path, mode, resolve);
		return fd == -EEXIST ? -ELOOP : fd;
	}
	if (fd >= 0 && (fstat(fd, &stat) < 0 || S_ISDIR(stat.st_mode))) {
		close(fd);
		return -EISDIR;
	}
	return fd;
}
