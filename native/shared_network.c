/* A container in the network namespace of another one: the zygote enters it for the moment in which it clones the child. */
#include "kernel.h"
#include "zygote.h"

#include <linux/nsfs.h>
#include <sched.h>
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
