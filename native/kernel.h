/*
 * System calls that libc has no wrapper for, and one convention for all: a result, or a negated error number.
 * Numbers from <sys/syscall.h>; the literal ones are the same on every architecture (they came after the tables were merged).
 */
#ifndef CAISSON_KERNEL_H
#define CAISSON_KERNEL_H

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#define SYS_openat2 437
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

static inline int result(long value) { return value < 0 ? -errno : (int)value; }

static inline int open_tree_at(int dir, const char *path, unsigned flags)
{
	return result(syscall(SYS_open_tree, dir, path, flags | OPEN_TREE_CLOEXEC));
}

/* A detached copy of the mount that `fd` is on, starting at `fd`. */
static inline int clone_tree(int fd, unsigned recursive)
{
	return open_tree_at(fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | recursive);
}

/* Onto the descriptor `onto`, never onto a path that could have changed since it was opened (CVE-2021-30465). */
static inline int attach(int mount, int onto)
{
	return result(syscall(SYS_move_mount, mount, "", onto, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

static inline int attach_at(int mount, const char *path)
{
	return result(syscall(SYS_move_mount, mount, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH));
}

static inline int set_mount(int fd, unsigned flags, struct mount_attr *attr)
{
	return result(syscall(SYS_mount_setattr, fd, "", flags | AT_EMPTY_PATH, attr, sizeof *attr));
}

static inline int fs_open(const char *type) { return result(syscall(SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */)); }

static inline int fs_string(int fs, const char *key, const char *value)
{
	return result(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0));
}

static inline int fs_flag(int fs, const char *key)
{
	return result(syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, key, NULL, 0));
}

static inline int fs_fd(int fs, const char *key, int fd)
{
	return result(syscall(SYS_fsconfig, fs, FSCONFIG_SET_FD, key, NULL, fd));
}

/* Creates the file system and gives a detached mount of it. */
static inline int fs_mount(int fs, unsigned attributes)
{
	int error = result(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	return error < 0 ? error : result(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes));
}

/* EAGAIN: the kernel could not rule out that a rename raced with a `..` on the way (openat2(2)). */
static inline int open_in(int root, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
	int fd = -EAGAIN;
	for (int tries = 0; fd == -EAGAIN && tries < 100; tries++)
		fd = result(syscall(SYS_openat2, root, path, &how, sizeof how));
	return fd;
}

static inline int close_from(unsigned first, unsigned last)
{
	return first > last ? 0 : result(syscall(SYS_close_range, first, last, 0));
}

/* False too for a file that has no seals, for which fcntl(2) returns -1: every bit of that is set. */
static inline bool is_sealed(int file)
{
	const int needed = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
	int seals = fcntl(file, F_GET_SEALS);
	return seals >= 0 && (seals & needed) == needed;
}

static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

#endif
