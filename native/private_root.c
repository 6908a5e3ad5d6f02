/*
 * The zygote's own root: a tmpfs with /proc, /sys and six device nodes. Nothing of the host can be named from here, a
 * mount namespace cloned from here is a handful of mounts, and the fresh /proc and /sys are the fully visible ones that
 * the kernel wants to see before a user namespace may mount its own.
 */
#include "zygote.h"
#include "devices.h"
#include "kernel.h"

#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

int new_root(void)
{
	int fs = fs_open("tmpfs");
	if (fs < 0)
		return fs;
	int error = fs_string(fs, "mode", "0755");
	if (error == 0)
		error = fs_string(fs, "size", "64k");
	int mount = error < 0 ? error : fs_mount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	close(fs);
	return mount;
}

/* A fresh instance, or the host's own where a fresh one is refused (a zygote inside a container). */
static int kernel_filesystem(const char *type, const char *host_path)
{
	int fs = fs_open(type);
	if (fs < 0)
		return fs;
	int mount = fs_mount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	close(fs);
	return mount == -EPERM || mount == -EBUSY ? open_tree_at(AT_FDCWD, host_path, OPEN_TREE_CLONE | AT_RECURSIVE) : mount;
}

/* The host's device node as a mount of its own, after a look at what it is. */
int device_mount(const struct device_node *node)
{
	int mount = open_tree_at(AT_FDCWD, node->path, OPEN_TREE_CLONE);
	if (mount < 0)
		return mount;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC};
	int error = check_device(mount, node);
	if (error == 0)
		error = set_mount(mount, 0, &attr);
	if (error < 0)
		close_fd(&mount);
	return error < 0 ? error : mount;
}

static int make_places(int root)
{
	static const char *const directories[] = {"proc", "sys", "dev", "r", "s", "s/0", "e"};
	for (unsigned i = 0; i < sizeof directories / sizeof *directories; i++)
		if (mkdirat(root, directories[i], 0755) < 0)
			return -errno;
	for (unsigned i = DEVICE_NULL; i <= DEVICE_TTY; i++) {
		int fd = openat(root, device_nodes[i].path + 1, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444);
		if (fd < 0)
			return -errno;
		close(fd);
	}
	return 0;
}

/* pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one and is taken off at once. */
int enter_root(int root)
{
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

int private_root(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	int devices[DEVICE_TTY + 1];
	for (unsigned i = DEVICE_NULL; i <= DEVICE_TTY; i++)
		if ((devices[i] = device_mount(&device_nodes[i])) < 0)
			return devices[i];
	int root = new_root(), proc = kernel_filesystem("proc", "/proc"), sys = kernel_filesystem("sysfs", "/sys");
	int error = root < 0 ? root : proc < 0 ? proc : sys < 0 ? sys : make_places(root);
	if (error == 0)
		error = attach_at(root, "/");
	if (error == 0)
		error = enter_root(root);
	if (error == 0)
		error = attach_at(proc, "/proc");
	if (error == 0)
		error = attach_at(sys, "/sys");
	for (unsigned i = DEVICE_NULL; error == 0 && i <= DEVICE_TTY; i++)
		error = attach_at(devices[i], device_nodes[i].path);
	return error < 0 ? error : close_from(ZYGOTE_FIRST_FREE, ~0U);
}
