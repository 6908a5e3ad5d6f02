/* Phases PIVOT and PROTECT: leave the zygote's root behind, then take away what the container need not write or see. */
#include "devices.h"
#include "init.h"
#include "kernel.h"

#include <stdio.h>
#include <sys/stat.h>

/* pivot_root(2): with `.` for both, the old root lies on top of the new one and goes with one umount. */
int pivot(struct init *init, struct reader *payload)
{
	(void)payload;
	if (fchdir(init->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	return umount2(".", MNT_DETACH) < 0 || chdir("/") < 0 ? -errno : 0;
}

/* From the procfs that init made, without crossing a mount or a link that could redirect the write (CVE-2025-52881). */
int write_sysctl(struct init *init, struct reader *payload)
{
	char name[PATH_SIZE], path[PATH_SIZE + 4];
	uint32_t length;
	read_text(payload, name);
	const uint8_t *value = read_bytes(payload, &length);
	if (init->proc < 0)
		return -ENODEV;
	snprintf(path, sizeof path, "sys/%s", name);
	int fd = open_in(init->proc, path, O_WRONLY | O_NOFOLLOW, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return fd;
	ssize_t written = write(fd, value, length);
	int error = written == (ssize_t)length ? 0 : written < 0 ? -errno : -EIO;
	close(fd);
	return error;
}

/* The one empty directory; further masks are copies of its mount. */
static int new_empty(void)
{
	int fs = fs_open("tmpfs");
	if (fs < 0)
		return fs;
	int error = fs_string(fs, "mode", "0555");
	if (error == 0)
		error = fs_string(fs, "nr_inodes", "1");
	int mount = error < 0 ? error
			      : fs_mount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	close(fs);
	return mount;
}

static int mask_directory(struct init *init, int target)
{
	int mount = init->empty < 0 ? new_empty() : clone_tree(init->empty, 0);
	int error = mount < 0 ? mount : attach(mount, target);
	if (error == 0 && init->empty < 0)
		init->empty = mount;
	else
		close_fd(&mount);
	return error;
}

/* With our own /dev/null, looked at again: one of the image's making could be anything (CVE-2025-31133). */
static int mask_file(const struct init *init, int target)
{
	int error = init->null < 0 ? -ENODEV : check_device(init->null, &device_nodes[DEVICE_NULL]);
	int mount = error < 0 ? error : clone_tree(init->null, 0);
	error = mount < 0 ? mount : attach(mount, target);
	close_fd(&mount);
	return error;
}

int mask(struct init *init, struct reader *payload)
{
	char path[PATH_SIZE];
	struct stat stat;
	read_text(payload, path);
	int target = open_path(init->root, path, 0, 0);
	if (target == -ENOENT)
		return 0;
	if (target < 0)
		return target;
	int error = fstat(target, &stat) < 0 ? -errno : 0;
	if (error == 0)
		error = S_ISDIR(stat.st_mode) ? mask_directory(init, target) : mask_file(init, target);
	close(target);
	return error;
}

/* 0 or 1, or a negated error number. */
static int is_mount_root(int fd)
{
	struct statx found;
	return statx(fd, "", AT_EMPTY_PATH, 0, &found) < 0 ? -errno : (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* A mount that init made is changed where it is; a directory inside one gets a read-only copy on top of it. */
int read_only(struct init *init, struct reader *payload)
{
	char path[PATH_SIZE];
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
	read_text(payload, path);
	int target = open_path(init->root, path, 0, 0);
	if (target == -ENOENT)
		return 0;
	if (target < 0)
		return target;
	int mounted = is_mount_root(target);
	if (mounted != 0) {
		int changed = mounted < 0 ? mounted : set_mount(target, AT_RECURSIVE, &attr);
		close(target);
		return changed;
	}
	int mount = clone_tree(target, AT_RECURSIVE);
	int error = mount < 0 ? mount : set_mount(mount, AT_RECURSIVE, &attr);
	if (error == 0)
		error = attach(mount, target);
	close_fd(&mount);
	close(target);
	return error;
}

int root_read_only(struct init *init, struct reader *payload)
{
	(void)payload;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	return set_mount(init->root, 0, &attr);
}
