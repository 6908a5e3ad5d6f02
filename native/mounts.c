/* Phases ROOT and MOUNTS: the tree as the container will see it. */
#include "init.h"
#include "devices.h"
#include "kernel.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { TTY_GROUP = 5 };

/* Of all pseudo-terminals that the host leaves to containers, kernel.pty.max less kernel.pty.reserve: 3072 by default. */
#define MOST_TERMINALS "256"

/* The root goes into the place that the zygote's root has for it; from here on every path starts at its descriptor. */
int attach_root(struct init *init, struct reader *payload)
{
	init->root = init->slot[read_u16(payload)];
	int error = attach_at(init->root, ZYGOTE_CONTAINER);
	return error < 0 ? error : remember_root(init);
}

/* ---- kernel file systems ---- */

static const struct {
	uint8_t kind;
	const char *type, *options[2]; /* flags of fsconfig(2) */
} filesystems[] = {
	{FS_PROC, "proc", {0}},
	{FS_SYSFS, "sysfs", {0}},
	{FS_TMPFS, "tmpfs", {0}},
	{FS_DEVPTS, "devpts", {"newinstance"}},
	{FS_MQUEUE, "mqueue", {0}},
	{FS_CGROUP2, "cgroup2", {0}},
	{FS_CGROUP1_CPU, "cgroup", {"cpu"}},
	{FS_CGROUP1_CPUACCT, "cgroup", {"cpuacct"}},
	{FS_CGROUP1_CPU_CPUACCT, "cgroup", {"cpu", "cpuacct"}},
	{FS_CGROUP1_CPUSET, "cgroup", {"cpuset"}},
	{FS_CGROUP1_MEMORY, "cgroup", {"memory"}},
	{FS_CGROUP1_PIDS, "cgroup", {"pids"}},
	{FS_CGROUP1_BLKIO, "cgroup", {"blkio"}},
};

struct fs_request {
	uint8_t kind;
	unsigned attributes;
	uint32_t mode;
	uint64_t bytes, inodes;
};

static int set_number(int fs, const char *key, const char *format, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof text, format, (unsigned long long)value);
	return fs_string(fs, key, text);
}

static int configure(int fs, const struct fs_request *request, const struct init *init)
{
	int error = 0;
	if (request->kind == FS_TMPFS) {
		error = set_number(fs, "mode", "%llo", request->mode);
		if (error == 0 && request->bytes != 0)
			error = set_number(fs, "size", "%llu", request->bytes);
		if (error == 0 && request->inodes != 0)
			error = set_number(fs, "nr_inodes", "%llu", request->inodes);
	}
	if (request->kind == FS_DEVPTS) {
		error = fs_string(fs, "ptmxmode", "0666");
		if (error == 0)
			error = fs_string(fs, "mode", "0620");
		if (error == 0)
			error = fs_string(fs, "max", MOST_TERMINALS);
		if (error == 0 && init->id_count > TTY_GROUP)
			error = set_number(fs, "gid", "%llu", TTY_GROUP);
	}
	return error;
}

static int new_filesystem(const struct fs_request *request, const struct init *init)
{
	unsigned index = 0;
	while (filesystems[index].kind != request->kind)
		index++; /* plan_decode lets only these through */
	int fs = fs_open(filesystems[index].type);
	if (fs < 0)
		return fs;
	int error = 0;
	for (unsigned i = 0; error == 0 && i < 2 && filesystems[index].options[i]; i++)
		error = fs_flag(fs, filesystems[index].options[i]);
	if (error == 0)
		error = configure(fs, request, init);
	int mount = error < 0 ? error : fs_mount(fs, request->attributes);
	close(fs);
	return mount;
}

/* sysfs belongs to a network namespace: in one that is not the container's own only the zygote's can be shown. */
static int shared_sysfs(unsigned attributes)
{
	struct mount_attr attr = {.attr_set = attributes};
	int mount = open_tree_at(AT_FDCWD, "/sys", OPEN_TREE_CLONE);
	int error = mount < 0 ? mount : set_mount(mount, 0, &attr);
	if (error < 0)
		close_fd(&mount);
	return error < 0 ? error : mount;
}

/* Later steps reach procfs and devpts by the descriptor of the mount that was made here, never by name. */
static void keep(struct init *init, uint8_t kind, int mount)
{
	if (kind == FS_DEVPTS && init->devpts < 0)
		init->devpts = mount;
	else if (kind == FS_PROC && init->proc < 0)
		init->proc = mount;
	else
		close(mount);
}

static unsigned attributes(uint8_t flags)
{
	return (flags & MOUNT_RDONLY ? MOUNT_ATTR_RDONLY : 0) | (flags & MOUNT_NOSUID ? MOUNT_ATTR_NOSUID : 0) |
	       (flags & MOUNT_NODEV ? MOUNT_ATTR_NODEV : 0) | (flags & MOUNT_NOEXEC ? MOUNT_ATTR_NOEXEC : 0);
}

int mount_fs(struct init *init, struct reader *payload)
{
	char path[PATH_SIZE];
	struct fs_request request = {.kind = read_u8(payload)};
	request.attributes = attributes(read_u8(payload));
	request.mode = read_u32(payload);
	request.bytes = read_u64(payload);
	request.inodes = read_u64(payload);
	read_text(payload, path);
	int target = open_directory(init->root, path, 0755, is_reserved(path) ? RESOLVE_NO_SYMLINKS : 0);
	if (target < 0)
		return target;
	int mount = new_filesystem(&request, init);
	if (mount == -EPERM && request.kind == FS_SYSFS)
		mount = shared_sysfs(request.attributes);
	int error = mount < 0 ? mount : remember_mount(init, mount, path);
	if (error == 0 && !init->made[init->made_count - 1].reserved)
		error = check_target(init, target);
	if (error == 0)
		error = attach(mount, target);
	close(target);
	if (error < 0)
		close_fd(&mount);
	else
		keep(init, request.kind, mount);
	return error;
}

/* ---- volumes, files, links ---- */

int mount_fd(struct init *init, struct reader *payload)
{
	char path[PATH_SIZE];
	struct stat stat;
	int *mount = &init->slot[read_u16(payload)];
	bool file = read_u8(payload) == 1;
	read_text(payload, path);
	if (fstat(*mount, &stat) < 0)
		return -errno;
	if (S_ISDIR(stat.st_mode) == file)
		return file ? -EISDIR : -ENOTDIR;
	/* a copy of a shared mount is its peer: what is mounted below it would appear on the host */
	struct mount_attr attr = {.propagation = MS_PRIVATE};
	int error = set_mount(*mount, AT_RECURSIVE, &attr);
	if (error < 0)
		return error;
	int target = file ? open_file(init->root, path, 0644, 0) : open_directory(init->root, path, 0755, 0);
	if (target < 0)
		return target;
	error = check_target(init, target);
	if (error == 0)
		error = attach(*mount, target);
	close(target);
	close_fd(mount);
	return error;
}

int make_directory(struct init *init, struct reader *payload)
{
	char path[PATH_SIZE];
	uint32_t mode = read_u32(payload);
	read_text(payload, path);
	int fd = open_directory(init->root, path, mode, 0);
	if (fd < 0)
		return fd;
	int error = check_target(init, fd);
	close(fd);
	return error;
}

static int write_all(int fd, const uint8_t *bytes, uint32_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0 && errno != EINTR)
			return -errno;
		bytes += written > 0 ? written : 0;
		length -= written > 0 ? (uint32_t)written : 0;
	}
	return 0;
}

/* 1 if a volume covers the place: what is in it is not the container's root to write to. */
static int is_covered(const struct init *init, int parent, const char *name)
{
	int covered = is_of_a_volume(init, parent);
	if (covered != 0)
		return covered;
	int there = open_in(parent, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH);
	if (there < 0)
		return there == -ENOENT ? 0 : there;
	covered = is_of_a_volume(init, there);
	close(there);
	return covered;
}

/* Replaces what is there, link or file, and never writes through it. */
int write_file(struct init *init, struct reader *payload)
{
	char path[PATH_SIZE];
	const char *name;
	uint32_t length, mode = read_u32(payload);
	read_text(payload, path);
	const uint8_t *bytes = read_bytes(payload, &length);
	int parent = open_parent(init->root, path, RESOLVE_NO_SYMLINKS, &name);
	if (parent < 0)
		return parent;
	int covered = is_covered(init, parent, name);
	if (covered != 0) {
		close(parent);
		return covered < 0 ? covered : 0;
	}
	const int only_new = O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC;
	int fd = result(openat(parent, name, only_new, mode));
	if (fd == -EEXIST)
		fd = unlinkat(parent, name, 0) < 0 ? -errno : result(openat(parent, name, only_new, mode));
	close(parent);
	if (fd < 0)
		return fd;
	int error = write_all(fd, bytes, length);
	close(fd);
	return error;
}

/* True if the link exists already, from an earlier run of the container. */
static bool is_link_to(int parent, const char *name, const char *target)
{
	char found[PATH_SIZE];
	ssize_t length = readlinkat(parent, name, found, sizeof found);
	return length >= 0 && (size_t)length == strlen(target) && memcmp(found, target, (size_t)length) == 0;
}

int make_symlink(struct init *init, struct reader *payload)
{
	char target[PATH_SIZE], path[PATH_SIZE];
	const char *name;
	read_text(payload, target);
	read_text(payload, path);
	int parent = open_parent(init->root, path, RESOLVE_NO_SYMLINKS, &name);
	if (parent < 0)
		return parent;
	int error = result(symlinkat(target, parent, name));
	if (error == -EEXIST && is_link_to(parent, name, target))
		error = 0;
	close(parent);
	return error;
}
