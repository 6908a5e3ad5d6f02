/* A container in the network namespace of another one: the zygote enters it for the moment in which it clones the child. */
#include "kernel.h"
#include "zygote.h"

#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* A network namespace, and not the host's. */
static int check(int name_space, int own)
{
	struct stat given, mine;
	int type = ioctl(name_space, NS_GET_NSTYPE);
	if (type != CLONE_NEWNET)
		return -EINVAL;
	if (fstat(name_space, &given) < 0 || fstat(own, &mine) < 0)
		return -errno;
	return given.st_dev == mine.st_dev && given.st_ino == mine.st_ino ? -EPERM : 0;
}

/*
 * A sysfs shows the links of the namespace that it was mounted from. The child may not mount one, as the namespace is not its own, and
 * would else show the zygote's, with the links of the host.
 */
static int show_links(void)
{
	int fs = fs_open("sysfs");
	if (fs < 0)
		return fs;
	int mount = fs_mount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	close(fs);
	return mount < 0 ? mount : attach_at(mount, "/sys");
}

enum { WHOLE_RANGE = 1 << 16 };

/*
 * The namespace lets all groups of its own container ping, net.ipv4.ping_group_range in icmp(7); those of who shares it are others.
 * From now on it lets all groups: nobody else has sockets there. A range that somebody chose stays. Where the settings cannot be
 * written, as in a pod, who shares it cannot ping.
 */
static int let_ping(void)
{
	static const char all[] = "0 2147483647";
	char text[32] = "";
	unsigned long from, to;
	int fd = result(open("/proc/sys/net/ipv4/ping_group_range", O_RDWR | O_CLOEXEC));
	if (fd < 0)
		return fd == -EROFS || fd == -EACCES || fd == -ENOENT ? 0 : fd;
	ssize_t length = read(fd, text, sizeof text - 1);
	int error = length < 0 ? -errno : sscanf(text, "%lu %lu", &from, &to) == 2 ? 0 : -EPROTO;
	if (error == 0 && to >= from && to - from >= WHOLE_RANGE - 1 && pwrite(fd, all, sizeof all - 1, 0) != (ssize_t)sizeof all - 1)
		error = -errno;
	close(fd);
	return error;
}

int enter_network(int name_space)
{
	int own = result(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	if (own < 0)
		return own;
	int error = check(name_space, own);
	if (error == 0)
		error = result(setns(name_space, CLONE_NEWNET));
	if (error < 0) {
		close(own);
		return error;
	}
	error = let_ping();
	if (error == 0)
		error = show_links();
	if (error == 0)
		return own;
	if (setns(own, CLONE_NEWNET) < 0)
		_exit(1);
	close(own);
	return error;
}

/* In the wrong namespace nothing that follows would be right. */
void leave_network(int own)
{
	if (umount2("/sys", MNT_DETACH) < 0 || setns(own, CLONE_NEWNET) < 0)
		_exit(1);
	close(own);
}
