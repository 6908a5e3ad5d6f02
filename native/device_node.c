/*
 * A device of the host for one container: a node of its own. The host's node belongs to ids that are not in the container's
 * map, and devtmpfs takes no id map; a tmpfs of the container's user namespace holds nodes that nobody can open. In a
 * tmpfs of the zygote's a node can be opened, and belong to whom the map makes of its owner on the host.
 */
#include "kernel.h"
#include "zygote.h"

#include <sys/stat.h>

#define NODE "device"
#define PLACE ZYGOTE_SCRATCH "/0"

static int new_tmpfs(void)
{
	int fs = fs_open("tmpfs");
	if (fs < 0)
		return fs;
	int error = fs_string(fs, "mode", "0700");
	if (error == 0)
		error = fs_string(fs, "size", "4k");
	if (error == 0)
		error = fs_string(fs, "nr_inodes", "2");
	int mount = error < 0 ? error : fs_mount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	close(fs);
	return mount;
}

static uint32_t inside(const struct request *request, uint32_t id)
{
	return request->id_base + (id < request->id_count ? id : 0);
}

static int make_node(int tree, const struct request *request, const struct stat *host)
{
	if (mknodat(tree, NODE, host->st_mode & (S_IFMT | 0777), host->st_rdev) < 0)
		return -errno;
	uint32_t uid = inside(request, host->st_uid), gid = inside(request, host->st_gid);
	return fchownat(tree, NODE, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* Before Linux 6.15 a part of a mount can be cloned only where that is attached. */
static int clone_node(int tree)
{
	int error = attach_at(tree, PLACE);
	if (error < 0)
		return error;
	int mount = open_tree_at(AT_FDCWD, PLACE "/" NODE, OPEN_TREE_CLONE);
	if (umount2(PLACE, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || mount < 0)
		return mount;
	error = -errno;
	close(mount);
	return error;
}

int make_device_node(const struct request *request, int host_node)
{
	struct stat host;
	if (fstat(host_node, &host) < 0)
		return -errno;
	if (!S_ISCHR(host.st_mode) && !S_ISBLK(host.st_mode))
		return -ENODEV;
	int tree = new_tmpfs();
	if (tree < 0)
		return tree;
	int error = make_node(tree, request, &host);
	int mount = error < 0 ? error : clone_node(tree);
	close(tree);
	return mount;
}
