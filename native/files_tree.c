/* Directories, links, and what is set on files. */
#include "files_parts.h"
#include "kernel.h"

#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

enum { CHUNK = 2048 };

struct entry { /* getdents64(2) */
	uint64_t inode;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

static bool is_dot(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

/* ---- lists ---- */

int files_list(struct files *files, const struct asked *asked, struct told *told)
{
	struct stat stat;
	struct handle *handle = files_free_handle(files, told);
	if (!handle)
		return -EMFILE;
	int fd = files_look(files, asked->path, asked->head.flags, &stat);
	if (fd < 0)
		return fd;
	int error = S_ISLNK(stat.st_mode) ? -ELOOP : S_ISDIR(stat.st_mode) ? 0 : -ENOTDIR;
	if (error == 0 && asked->head.flags & FILES_DATA && files_is_made_up(fd))
		error = -ENXIO;
	int opened = error < 0 ? error : result(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	close(fd);
	if (opened < 0)
		return opened;
	*handle = (struct handle){.fd = opened, .directory = true, .parent = -1};
	return 0;
}

static bool add_entry(int directory, const char *name, struct told *told)
{
	struct stat now;
	uint16_t length = (uint16_t)strlen(name);
	if (fstatat(directory, name, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return false; /* gone meanwhile */
	struct files_stat stat = files_stat_of(&now);
	uint8_t *at = told->payload + told->length;
	memcpy(at, &length, sizeof length);
	memcpy(at + sizeof length, &stat, sizeof stat);
	memcpy(at + sizeof length + sizeof stat, name, length);
	told->length += (uint32_t)(sizeof length + sizeof stat + length);
	return true;
}

/* An entry of getdents64 has at least 24 bytes, and one of ours at most 31 more: a chunk of 2 KiB always fits. */
int files_next(struct files *files, const struct asked *asked, struct told *told)
{
	_Alignas(struct entry) char buffer[CHUNK];
	struct handle *handle = files_handle(files, asked->head.handle, true);
	if (!handle)
		return -EBADF;
	while (told->head.value == 0) {
		long length = syscall(SYS_getdents64, handle->fd, buffer, sizeof buffer);
		if (length <= 0)
			return length < 0 ? -errno : 0;
		for (long at = 0; at < length;) {
			const struct entry *entry = (const struct entry *)(buffer + at);
			if (!is_dot(entry->name) && add_entry(handle->fd, entry->name, told))
				told->head.value++;
			at += entry->length;
		}
	}
	return 0;
}

/* ---- what is made ---- */

/* O_PATH: chown of what is there, never of what a link leads to. */
int files_own(const struct asked *asked, int at, const char *name)
{
	if (!(asked->head.flags & FILES_OWNER))
		return 0;
	return result(fchownat(at, name, asked->head.uid, asked->head.gid, AT_SYMLINK_NOFOLLOW));
}

static int make_directory_at(const struct asked *asked, int parent, const char *name)
{
	if (mkdirat(parent, name, asked->head.mode & FILES_PERMISSIONS) < 0)
		return -errno;
	return files_own(asked, parent, name);
}

/* Each component below a descriptor of the one before: what is there must be a directory, and is left as it is. */
static int make_all(const struct files *files, const struct asked *asked)
{
	char path[FILES_MAX_PATH + 1], *next = path;
	strcpy(path, asked->path);
	uint64_t resolve = asked->head.flags & FILES_FOLLOW_ABOVE ? 0 : RESOLVE_NO_SYMLINKS;
	int error = 0;
	while (error == 0 && next) {
		next = strchr(next, '/');
		if (next)
			*next = 0;
		int there = open_in(files->root, path, O_PATH | O_DIRECTORY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);
		if (there == -ENOENT) {
			const char *name;
			int parent = files_parent(files, path, asked->head.flags, &name);
			error = parent < 0 ? parent : make_directory_at(asked, parent, name);
			close_fd(&parent);
		} else {
			error = there < 0 ? there : 0;
		}
		close_fd(&there);
		if (next)
			*next++ = '/';
	}
	return error;
}

int files_mkdir(struct files *files, const struct asked *asked, struct told *told)
{
	(void)told;
	const char *name;
	if (asked->head.flags & FILES_PARENTS)
		return *asked->path ? make_all(files, asked) : 0;
	int parent = files_parent(files, asked->path, asked->head.flags, &name);
	if (parent < 0)
		return parent == -EISDIR ? -EEXIST : parent;
	int error = make_directory_at(asked, parent, name);
	close(parent);
	return error;
}

/* With FILES_REPLACE what is there goes, unless it is a directory. */
static int make_room(const struct asked *asked, int parent, const char *name)
{
	if (!(asked->head.flags & FILES_REPLACE) || unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	return -errno;
}

int files_symlink(struct files *files, const struct asked *asked, struct told *told)
{
	(void)told;
	const char *name;
	int parent = files_parent(files, asked->path, asked->head.flags, &name);
	if (parent < 0)
		return parent;
	int error = make_room(asked, parent, name);
	if (error == 0)
		error = result(symlinkat(asked->other, parent, name));
	if (error == 0)
		error = files_own(asked, parent, name);
	close(parent);
	return error;
}

static int both_parents(struct files *files, const struct asked *asked, int parents[2], const char *names[2])
{
	parents[0] = files_parent(files, asked->path, asked->head.flags, &names[0]);
	if (parents[0] < 0)
		return parents[0];
	parents[1] = files_parent(files, asked->other, asked->head.flags, &names[1]);
	if (parents[1] >= 0)
		return 0;
	close(parents[0]);
	return parents[1];
}

int files_link(struct files *files, const struct asked *asked, struct told *told)
{
	(void)told;
	int parents[2];
	const char *names[2];
	int error = both_parents(files, asked, parents, names);
	if (error < 0)
		return error;
	error = make_room(asked, parents[0], names[0]);
	if (error == 0)
		error = result(linkat(parents[1], names[1], parents[0], names[0], 0));
	close(parents[0]), close(parents[1]);
	return error;
}

int files_rename(struct files *files, const struct asked *asked, struct told *told)
{
	(void)told;
	int parents[2];
	const char *names[2];
	int error = both_parents(files, asked, parents, names);
	if (error < 0)
		return error;
	unsigned flags = asked->head.flags & FILES_NEW ? 1 /* RENAME_NOREPLACE */ : 0;
	error = result(syscall(SYS_renameat2, parents[0], names[0], parents[1], names[1], flags));
	close(parents[0]), close(parents[1]);
	return error;
}

/* ---- what is removed ---- */

struct removal {
	uint64_t left, removed;
};

static int remove_entry(int parent, const char *name, struct removal *removal, unsigned depth);

static int remove_below(int directory, struct removal *removal, unsigned depth)
{
	_Alignas(struct entry) char buffer[CHUNK];
	long length;
	while ((length = syscall(SYS_getdents64, directory, buffer, sizeof buffer)) > 0)
		for (long at = 0; at < length;) {
			const struct entry *entry = (const struct entry *)(buffer + at);
			int error = is_dot(entry->name) ? 0 : remove_entry(directory, entry->name, removal, depth);
			if (error < 0)
				return error;
			at += entry->length;
		}
	return length < 0 ? -errno : 0;
}

/* Never into another mount: what a volume holds stays. */
static int remove_entry(int parent, const char *name, struct removal *removal, unsigned depth)
{
	if (removal->left-- == 0)
		return -E2BIG;
	int error = result(unlinkat(parent, name, 0));
	if (error == -EISDIR || error == -EPERM) {
		if (depth >= FILES_MAX_DEPTH)
			return -E2BIG;
		int directory = open_in(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
					RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
		if (directory < 0)
			return directory == -ENOTDIR ? error : directory == -EXDEV ? -EBUSY : directory;
		error = remove_below(directory, removal, depth + 1);
		close(directory);
		if (error == 0)
			error = result(unlinkat(parent, name, AT_REMOVEDIR));
	}
	if (error == -ENOENT)
		error = 0; /* the container was faster */
	removal->removed += error == 0;
	return error;
}

int files_remove(struct files *files, const struct asked *asked, struct told *told)
{
	const char *name;
	struct removal removal = {.left = asked->head.length};
	int parent = files_parent(files, asked->path, asked->head.flags, &name);
	if (parent < 0)
		return parent == -EISDIR ? -EBUSY : parent;
	struct stat stat;
	int error = result(fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW));
	if (error == 0 && asked->head.flags & FILES_RECURSIVE)
		error = remove_entry(parent, name, &removal, 0);
	else if (error == 0)
		error = result(unlinkat(parent, name, S_ISDIR(stat.st_mode) ? AT_REMOVEDIR : 0));
	told->head.value = removal.removed;
	close(parent);
	return error;
}

/* ---- what is set ---- */

/* By the descriptor of what was looked at; a link has no permissions of its own. */
int files_set(struct files *files, const struct asked *asked, struct told *told)
{
	(void)told;
	struct stat stat;
	char number[16];
	uint32_t flags = asked->head.flags;
	int fd = files_look(files, asked->path, flags, &stat), error = 0;
	if (fd < 0)
		return fd;
	snprintf(number, sizeof number, "%d", fd);
	if (flags & FILES_OWNER)
		error = result(fchownat(fd, "", asked->head.uid, asked->head.gid, AT_EMPTY_PATH));
	if (error == 0 && flags & FILES_MODE)
		error = S_ISLNK(stat.st_mode) ? -ELOOP : result(fchmodat(files->self, number, asked->head.mode & FILES_PERMISSIONS, 0));
	if (error == 0 && flags & FILES_TIME) {
		struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {asked->head.seconds, asked->head.nanos}};
		error = result(utimensat(fd, "", times, AT_EMPTY_PATH));
	}
	close(fd);
	return error;
}

/* ---- what is watched ---- */

/* inotify_add_watch(2) takes a path alone: that of the descriptor of what was looked at. */
int files_watch(struct files *files, const struct asked *asked, struct told *told)
{
	const uint32_t events = IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO |
				IN_DELETE_SELF | IN_MOVE_SELF;
	struct stat stat;
	char number[16];
	int fd = files_look(files, asked->path, asked->head.flags, &stat);
	if (fd < 0)
		return fd;
	int error = S_ISLNK(stat.st_mode) ? -ELOOP : S_ISDIR(stat.st_mode) || S_ISREG(stat.st_mode) ? 0 : -ENXIO;
	int watch = error < 0 ? error : result(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
	snprintf(number, sizeof number, "%d", fd);
	if (watch >= 0) {
		error = result(fchdir(files->self));
		if (error == 0)
			error = result(inotify_add_watch(watch, number, events));
		if (fchdir(files->root) < 0 && error >= 0)
			error = -errno;
	}
	close(fd);
	if (watch < 0)
		return watch;
	if (error < 0)
		close(watch);
	else
		told->fd = watch;
	return error < 0 ? error : 0;
}
