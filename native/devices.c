/* Phase DEVICES: six nodes of the host, checked, the terminal, and the devices that were asked for. */
#include "devices.h"
#include "init.h"
#include "kernel.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

const struct device_node device_nodes[DEVICE_TTY + 1] = {
	[DEVICE_NULL] = {"/dev/null", 1, 3},	 [DEVICE_ZERO] = {"/dev/zero", 1, 5},	    [DEVICE_FULL] = {"/dev/full", 1, 7},
	[DEVICE_RANDOM] = {"/dev/random", 1, 8}, [DEVICE_URANDOM] = {"/dev/urandom", 1, 9}, [DEVICE_TTY] = {"/dev/tty", 5, 0},
};

int check_device(int fd, const struct device_node *node)
{
	struct stat stat;
	if (fstat(fd, &stat) < 0)
		return -errno;
	return S_ISCHR(stat.st_mode) && stat.st_rdev == makedev(node->major, node->minor) ? 0 : -ENXIO;
}

/* Over a new empty file: nothing of the image is followed, and nothing that was there is covered. */
static int attach_device(struct init *init, int mount, const char *path)
{
	int target = new_file(init->root, path, 0666);
	if (target < 0)
		return target;
	int error = attach(mount, target);
	close(target);
	return error;
}

int make_device(struct init *init, struct reader *payload)
{
	uint8_t number = read_u8(payload);
	const struct device_node *node = &device_nodes[number];
	int mount = open_tree_at(AT_FDCWD, node->path, OPEN_TREE_CLONE);
	if (mount < 0)
		return mount;
	int error = check_device(mount, node);
	if (error == 0)
		error = attach_device(init, mount, node->path + 1);
	if (error == 0 && number == DEVICE_NULL && init->null < 0)
		init->null = mount;
	else
		close(mount);
	return error;
}

/* ---- devices that were asked for ---- */

struct host_device read_host_device(struct reader *payload)
{
	struct host_device device = {.slot = read_u16(payload)};
	device.kind = read_u8(payload);
	device.major = read_u32(payload);
	device.minor = read_u32(payload);
	return device;
}

int check_host_device(int fd, const struct host_device *device)
{
	struct stat stat;
	if (fstat(fd, &stat) < 0)
		return -errno;
	mode_t kind = device->kind == DEVICE_BLOCK ? S_IFBLK : S_IFCHR;
	return (stat.st_mode & S_IFMT) == kind && stat.st_rdev == makedev(device->major, device->minor) ? 0 : -ENXIO;
}

/* The zygote made the node, so that its owner is inside; where something is already it does not go. */
int place_device(struct init *init, struct reader *payload)
{
	char path[PATH_SIZE];
	struct host_device device = read_host_device(payload);
	int *mount = &init->slot[device.slot];
	read_text(payload, path);
	int error = check_host_device(*mount, &device);
	if (error == 0)
		error = attach_device(init, *mount, path);
	close_fd(mount);
	return error;
}

/* ---- the terminal ---- */

/* The peer comes from the master's descriptor: /dev/pts/N could be a link by now (CVE-2025-52565). */
static int open_pair(const struct init *init, const struct winsize *size, int *peer)
{
	int unlock = 0;
	int master = open_in(init->devpts, "ptmx", O_RDWR | O_NOCTTY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (master < 0)
		return master;
	*peer = -1;
	if (ioctl(master, TIOCSPTLCK, &unlock) == 0)
		*peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*peer < 0 || (size->ws_row != 0 && ioctl(master, TIOCSWINSZ, size) < 0)) {
		int error = -errno;
		close(master);
		return error;
	}
	return master;
}

static int become_stdio(struct init *init, int peer)
{
	for (unsigned slot = SLOT_STDIN; slot <= SLOT_STDERR; slot++)
		if (dup3(peer, init->slot[slot], O_CLOEXEC) < 0)
			return -errno;
	return 0;
}

static int become_console(struct init *init, int peer)
{
	int mount = clone_tree(peer, 0);
	int error = mount < 0 ? mount : attach_device(init, mount, "dev/console");
	close_fd(&mount);
	return error;
}

int make_console(struct init *init, struct reader *payload)
{
	struct winsize size = {0};
	size.ws_row = read_u16(payload);
	size.ws_col = read_u16(payload);
	uint32_t uid = read_u32(payload), gid = read_u32(payload);
	int peer, master = init->devpts < 0 ? -ENODEV : open_pair(init, &size, &peer);
	if (master < 0)
		return master;
	struct report console = {.magic = PLAN_MAGIC, .kind = REPORT_CONSOLE, .phase = PHASE_DEVICES, .step = init->step};
	int error = fchown(peer, uid, gid) < 0 ? -errno : 0;
	if (error == 0 && init->plan.kind == PLAN_LAUNCH) /* the container's console is that of its first program */
		error = become_console(init, peer);
	if (error == 0)
		error = become_stdio(init, peer);
	if (error == 0)
		error = report(init, &console, master);
	close(peer);
	close(master);
	return error;
}
