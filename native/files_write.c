/* Files that are written: made under a name that nobody knows, written from the shared buffer, renamed at the end. */
#include "files_parts.h"
#include "kernel.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

struct handle *files_free_handle(struct files *files, struct told *told)
{
	for (uint32_t i = 0; i < FILES_MAX_HANDLES; i++)
		if (files->handle[i].fd < 0) {
			told->head.handle = i;
			return &files->handle[i];
		}
	return NULL;
}

struct handle *files_handle(struct files *files, uint32_t number, bool directory)
{
	if (number >= FILES_MAX_HANDLES)
		return NULL;
	struct handle *handle = &files->handle[number];
	return handle->fd >= 0 && handle->directory == directory ? handle : NULL;
}

static void release(struct handle *handle)
{
	close_fd(&handle->fd);
	close_fd(&handle->parent);
}

/* 0 if `name` may be taken, by a new file or in place of one that is not a directory. */
static int may_take(const struct asked *asked, int parent, const char *name, struct stat *old)
{
	old->st_mode = 0;
	if (fstatat(parent, name, old, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (asked->head.flags & FILES_NEW)
		return -EEXIST;
	if (S_ISDIR(old->st_mode))
		return -EISDIR;
	if (asked->head.flags & FILES_REPLACE || S_ISREG(old->st_mode))
		return 0;
	return S_ISLNK(old->st_mode) ? -ELOOP : -ENXIO;
}

static int make(struct handle *handle)
{
	uint64_t random;
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return -EIO;
	snprintf(handle->made, sizeof handle->made, ".caisson-%016llx", (unsigned long long)random);
	return result(openat(handle->parent, handle->made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
}

/* A file that takes another's place keeps its owner and its permissions, unless FILES_MODE asks for others. */
static int dress(const struct asked *asked, const struct handle *handle, const struct stat *old)
{
	uint32_t flags = asked->head.flags;
	bool keeps = S_ISREG(old->st_mode) && !(flags & FILES_MODE);
	if (keeps && fchown(handle->fd, old->st_uid, old->st_gid) < 0)
		return -errno;
	if (!keeps && flags & FILES_OWNER && fchown(handle->fd, asked->head.uid, asked->head.gid) < 0)
		return -errno;
	return result(fchmod(handle->fd, keeps ? old->st_mode & FILES_PERMISSIONS : asked->head.mode & FILES_PERMISSIONS));
}

int files_create(struct files *files, const struct asked *asked, struct told *told)
{
	struct stat old;
	const char *name;
	struct handle *handle = files_free_handle(files, told);
	if (!handle)
		return -EMFILE;
	handle->parent = files_parent(files, asked->path, asked->head.flags, &name);
	if (handle->parent < 0)
		return handle->parent;
	handle->directory = false;
	handle->fresh = asked->head.flags & FILES_NEW;
	handle->size = 0;
	strcpy(handle->name, name); /* a component of at most NAME_MAX bytes */
	int error = may_take(asked, handle->parent, name, &old);
	handle->fd = error < 0 ? -1 : make(handle);
	if (error == 0)
		error = handle->fd < 0 ? handle->fd : dress(asked, handle, &old);
	if (error < 0) {
		if (handle->fd >= 0)
			unlinkat(handle->parent, handle->made, 0);
		release(handle);
	}
	return error;
}

int files_write(struct files *files, const struct asked *asked, struct told *told)
{
	struct handle *handle = files_handle(files, asked->head.handle, false);
	uint64_t offset = asked->head.offset, length = asked->head.length;
	if (!handle || !files->buffer)
		return -EBADF;
	if (offset > files->buffer_size || length > files->buffer_size - offset)
		return -EINVAL;
	ssize_t written = write(handle->fd, files->buffer + offset, length);
	if (written < 0)
		return -errno;
	handle->size += (uint64_t)written;
	told->head.value = (uint64_t)written;
	return 0;
}

int files_commit(struct files *files, const struct asked *asked, struct told *told)
{
	struct handle *handle = files_handle(files, asked->head.handle, false);
	struct stat now;
	int error = handle ? 0 : -EBADF;
	if (error < 0)
		return error;
	if (asked->head.flags & FILES_TIME) {
		struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {asked->head.seconds, asked->head.nanos}};
		error = result(futimens(handle->fd, times));
	}
	if (error == 0)
		error = result(syscall(SYS_renameat2, handle->parent, handle->made, handle->parent, handle->name,
				       handle->fresh ? 1 /* RENAME_NOREPLACE */ : 0));
	if (error == 0 && fstat(handle->fd, &now) < 0)
		error = -errno;
	if (error < 0)
		return error; /* the asker closes it */
	struct files_stat stat = files_stat_of(&now);
	memcpy(told->payload, &stat, sizeof stat);
	told->length = sizeof stat;
	release(handle);
	return 0;
}

/* What has no name yet would be nobody's. */
void files_discard_all(struct files *files)
{
	for (unsigned i = 0; i < FILES_MAX_HANDLES; i++) {
		struct handle *handle = &files->handle[i];
		if (handle->fd >= 0 && !handle->directory)
			unlinkat(handle->parent, handle->made, 0);
	}
}

int files_close(struct files *files, const struct asked *asked, struct told *told)
{
	(void)told;
	struct handle *directory = files_handle(files, asked->head.handle, true);
	struct handle *handle = directory ? directory : files_handle(files, asked->head.handle, false);
	if (!handle)
		return -EBADF;
	if (!handle->directory)
		unlinkat(handle->parent, handle->made, 0);
	release(handle);
	return 0;
}

int files_buffer(struct files *files, const struct asked *asked, struct told *told)
{
	(void)told;
	struct stat stat;
	uint64_t length = asked->head.length;
	if (asked->fd < 0 || files->buffer || length == 0 || length > FILES_MAX_BUFFER)
		return -EINVAL;
	if (fstat(asked->fd, &stat) < 0 || (uint64_t)stat.st_size != length)
		return -EINVAL;
	void *mapped = mmap(NULL, length, PROT_READ, MAP_SHARED, asked->fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	files->buffer = mapped;
	files->buffer_size = length;
	return 0;
}
