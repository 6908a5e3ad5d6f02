/* The end of phase PROTECT: asks the kernel whether what was done is there, before anything of the image runs. */
#include "devices.h"
#include "init.h"
#include "kernel.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

/* getcwd(2) says "(unreachable)" for a directory outside of the root. */
static int verify_root(const struct init *init)
{
	char path[PATH_SIZE];
	struct stat root, held;
	if (syscall(SYS_getcwd, path, sizeof path) < 0 || stat("/", &root) < 0 || fstat(init->root, &held) < 0)
		return -errno;
	return strcmp(path, "/") == 0 && root.st_dev == held.st_dev && root.st_ino == held.st_ino ? 0 : -EXDEV;
}

/* CVE-2019-16884, CVE-2019-19921, CVE-2023-27561: a /proc that is not procfs, or not this one. */
static int verify_proc(const struct init *init)
{
	struct statfs fs;
	struct stat seen, held;
	if (init->proc < 0)
		return 0;
	int fd = open_path(init->root, "proc", O_DIRECTORY, RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return fd;
	int error = fstatfs(fd, &fs) < 0 || fstat(fd, &seen) < 0 || fstat(init->proc, &held) < 0 ? -errno : 0;
	if (error == 0 && (fs.f_type != PROC_SUPER_MAGIC || seen.st_dev != held.st_dev || seen.st_ino != held.st_ino))
		error = -EXDEV;
	close(fd);
	return error;
}

static int verify_masked(int fd)
{
	struct stat stat;
	struct statfs fs;
	if (fstat(fd, &stat) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if (!S_ISDIR(stat.st_mode))
		return check_device(fd, &device_nodes[DEVICE_NULL]);
	return fs.f_type == TMPFS_MAGIC && fs.f_flags & ST_RDONLY && stat.st_nlink == 2 ? 0 : -EXDEV;
}

static int verify_read_only(int fd)
{
	struct statvfs stat;
	if (fstatvfs(fd, &stat) < 0)
		return -errno;
	return stat.f_flag & ST_RDONLY ? 0 : -EROFS;
}

static int verify_host_device(const struct init *init, struct reader *payload)
{
	char path[PATH_SIZE];
	struct host_device device = read_host_device(payload);
	read_text(payload, path);
	int fd = open_path(init->root, path, 0, RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return fd;
	int error = check_host_device(fd, &device);
	close(fd);
	return error;
}

static int verify_step(const struct init *init, const struct step *step)
{
	struct reader payload = {step->payload, step->length, false};
	char path[PATH_SIZE];
	if (step->opcode == OP_ROOT_READ_ONLY)
		return verify_read_only(init->root);
	if (step->opcode == OP_HOST_DEVICE)
		return verify_host_device(init, &payload);
	if (step->opcode != OP_MASK && step->opcode != OP_READ_ONLY)
		return 0;
	read_text(&payload, path);
	int fd = open_path(init->root, path, 0, 0);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	int error = step->opcode == OP_MASK ? verify_masked(fd) : verify_read_only(fd);
	close(fd);
	return error;
}

/* ---- descriptors ---- */

static bool known(const struct init *init, int fd)
{
	if (fd <= 2 || fd == init->root || fd == init->proc || fd == init->devpts || fd == init->null || fd == init->empty ||
	    fd == init->self)
		return true;
	for (unsigned i = 0; i < init->slots; i++)
		if (init->slot[i] == fd)
			return true;
	return false;
}

struct entry { /* getdents64(2) */
	uint64_t inode;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

/* CVE-2024-21626: nothing that the zygote or the engine had open came along. */
static int verify_descriptors(const struct init *init)
{
	_Alignas(struct entry) char buffer[2048];
	if (init->proc < 0)
		return 0;
	int fd = open_in(init->proc, "1/fd", O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (fd < 0)
		return fd;
	long length;
	int error = 0;
	while (error == 0 && (length = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0)
		for (long at = 0; at < length;) {
			const struct entry *entry = (const struct entry *)(buffer + at);
			int number = atoi(entry->name);
			if (entry->name[0] != '.' && number != fd && !known(init, number))
				error = -EBADFD;
			at += entry->length;
		}
	if (error == 0 && length < 0)
		error = -errno;
	close(fd);
	return error;
}

int verify(struct init *init, struct reader *payload)
{
	(void)payload;
	int error = verify_root(init);
	if (error == 0)
		error = verify_proc(init);
	for (uint32_t i = 0; error == 0 && i < init->step; i++)
		error = verify_step(init, &init->plan.steps[i]);
	return error < 0 ? error : verify_descriptors(init);
}
