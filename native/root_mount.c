/* The container's root as a detached mount: an overlay of the layers that came as descriptors. */
#include "kernel.h"
#include "zygote.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/*
 * Overlay takes detached mounts as layers by descriptor from Linux 6.15 on (by descriptor at all from 6.13). Before, they
 * have to be attached somewhere, here below the scratch directory of the zygote's own root, and named by path.
 */
static enum { UNKNOWN, BY_FD, BY_PATH } layers = UNKNOWN;

static int new_tmpfs(uint64_t bytes, uint64_t inodes)
{
	char text[24];
	int fs = fs_open("tmpfs");
	if (fs < 0)
		return fs;
	int error = fs_string(fs, "mode", "0755");
	snprintf(text, sizeof text, "%llu", (unsigned long long)bytes);
	if (error == 0)
		error = fs_string(fs, "size", text);
	snprintf(text, sizeof text, "%llu", (unsigned long long)inodes);
	if (error == 0)
		error = fs_string(fs, "nr_inodes", text);
	int mount = error < 0 ? error : fs_mount(fs, MOUNT_ATTR_NODEV);
	close(fs);
	return mount;
}

/* The upper is never id-mapped (the kernel then mounts read-only, after EOVERFLOW): it belongs to the container's root. */
static int make_owned(int tree, const char *name, uint32_t id)
{
	if (mkdirat(tree, name, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	return fchownat(tree, name, id, id, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* The kernel wants two lowers if there is no upper: this one has no file, and nothing is ever attached to it. */
static int fs_empty_lower(int fs)
{
	int empty = open_in(AT_FDCWD, ZYGOTE_EMPTY, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
	int error = empty < 0 ? empty : fs_fd(fs, "lowerdir+", empty);
	close_fd(&empty);
	return error;
}

static int by_fd(int fs, const struct request *request, const int *fds, int upper, int work)
{
	int error = 0;
	for (unsigned i = 0; error == 0 && i < request->lowers; i++)
		error = fs_fd(fs, "lowerdir+", fds[i]);
	if (request->root_kind == ROOT_COVER)
		return error < 0 ? error : fs_empty_lower(fs);
	if (error == 0)
		error = fs_fd(fs, "upperdir", upper);
	return error < 0 ? error : fs_fd(fs, "workdir", work);
}

/* `lowerdir+` is newer than `lowerdir`, which takes at most 255 bytes: the names are as short as can be. */
static int lowers_by_name(int fs, unsigned lowers)
{
	char names[4 * (REQUEST_MAX_LOWERS + 1)] = "";
	int used = 0;
	bool one_by_one = true;
	for (unsigned i = 0; i < lowers; i++) {
		char name[4];
		snprintf(name, sizeof name, "%u", i % 100);
		used += snprintf(names + used, sizeof names - used, "%s%s", i ? ":" : "", name);
		int error = one_by_one ? fs_string(fs, "lowerdir+", name) : 0;
		if (error < 0 && i > 0)
			return error;
		one_by_one &= error == 0;
	}
	return one_by_one ? 0 : fs_string(fs, "lowerdir", names);
}

/* Makes the places 1 to `last` in the scratch directory, which is the working directory; 0 is always there. They stay. */
static int make_scratch(unsigned last)
{
	char name[16];
	for (unsigned i = 1; i <= last; i++) {
		snprintf(name, sizeof name, "%u", i);
		if (mkdirat(AT_FDCWD, name, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int by_path(int fs, const struct request *request, const int *fds, int tree)
{
	char name[16], upper[24], work[24];
	unsigned mounts = request->root_kind == ROOT_COVER ? request->lowers : request->lowers + 1;
	int error = chdir(ZYGOTE_SCRATCH) < 0 ? -errno : make_scratch(request->lowers);
	for (unsigned i = 0; error == 0 && i < mounts; i++) {
		snprintf(name, sizeof name, "%u", i);
		error = attach_at(i < request->lowers ? fds[i] : tree, name);
	}
	if (request->root_kind == ROOT_COVER) /* the place for the next lower is empty */
		return error < 0 ? error : lowers_by_name(fs, request->lowers + 1u);
	snprintf(upper, sizeof upper, "%s/upper", name);
	snprintf(work, sizeof work, "%s/work", name);
	if (error == 0)
		error = lowers_by_name(fs, request->lowers);
	if (error == 0)
		error = fs_string(fs, "upperdir", upper);
	return error < 0 ? error : fs_string(fs, "workdir", work);
}

static int leave_scratch(unsigned mounts)
{
	char name[16];
	for (unsigned i = 0; i < mounts; i++) {
		snprintf(name, sizeof name, "%u", i);
		if (umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
			return -errno;
	}
	return chdir("/") < 0 ? -errno : 0;
}

/* Layers stay open until the file system is created: the kernel clones their mounts only then. */
static int overlay(const struct request *request, const int *fds, int tree, int upper, int work, bool paths)
{
	const unsigned cover = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	int fs = fs_open("overlay");
	if (fs < 0)
		return fs;
	int error = fs_string(fs, "source", "caisson");
	if (error == 0 && request->root_flags & ROOT_VOLATILE)
		error = fs_flag(fs, "volatile");
	if (error == 0)
		error = paths ? by_path(fs, request, fds, tree) : by_fd(fs, request, fds, upper, work);
	int mount = error < 0 ? error : fs_mount(fs, request->root_kind == ROOT_COVER ? cover : MOUNT_ATTR_NODEV);
	if (paths && (error = leave_scratch(request->lowers + 1)) < 0 && mount >= 0) {
		close(mount);
		mount = error;
	}
	close(fs);
	return mount;
}

/* An overlay whose upper cannot be used is mounted read-only by the kernel, without an error. */
static int check_writable(int mount)
{
	struct statvfs stat;
	if (fstatvfs(mount, &stat) < 0)
		return -errno;
	return stat.f_flag & ST_RDONLY ? -EROFS : 0;
}

/* The kernel's way to take layers is found out once. */
static int any_overlay(const struct request *request, const int *fds, int tree, int upper, int work)
{
	int mount = -EINVAL;
	if (layers != BY_PATH) {
		mount = overlay(request, fds, tree, upper, work, false);
		if (mount >= 0)
			layers = BY_FD;
	}
	if (layers != BY_FD) {
		mount = overlay(request, fds, tree, upper, work, true);
		if (mount >= 0)
			layers = BY_PATH;
	}
	return mount;
}

static int layered_root(const struct request *request, const int *fds)
{
	int tree = request->root_kind == ROOT_OVERLAY ? fds[request->lowers]
						      : new_tmpfs(request->tmpfs_bytes, request->tmpfs_inodes);
	if (tree < 0)
		return tree;
	int error = make_owned(tree, "upper", request->id_base);
	if (error == 0)
		error = make_owned(tree, "work", request->id_base);
	int upper = open_in(tree, "upper", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_BENEATH);
	int work = open_in(tree, "work", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_BENEATH);
	error = error < 0 ? error : upper < 0 ? upper : work < 0 ? work : 0;
	int mount = error < 0 ? error : any_overlay(request, fds, tree, upper, work);
	if (mount >= 0 && (error = check_writable(mount)) < 0) {
		close(mount);
		mount = error;
	}
	return mount; /* `tree`, `upper` and `work` go with the round's other descriptors */
}

int build_root(const struct request *request, const int *fds)
{
	if (request->root_kind == ROOT_COVER)
		return any_overlay(request, fds, -1, -1, -1);
	if (request->root_kind != ROOT_MOUNT)
		return layered_root(request, fds);
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NODEV, .propagation = MS_PRIVATE};
	int mount = fds[0];
	int error = set_mount(mount, 0, &attr);
	return error < 0 ? error : mount;
}
