/*
 * Drops what a running monitor does not need: the host's file tree (it enters its zygote's mount namespace), all capabilities
 * except KILL and CHOWN, all files except those in its directories (if the kernel has Landlock), and all system calls
 * except those below.
 */
#include "init.h"
#include "kernel.h"
#include "own_filter.h"
#include "monitor_parts.h"

#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static const struct sock_filter filter[] = {
	LOAD_NATIVE_NUMBER,
	ALLOW(__NR_ppoll), /* the most frequent calls come first */
#ifdef __NR_poll
	ALLOW(__NR_poll),
#endif
	ALLOW(__NR_read),
	ALLOW(__NR_write),
	ALLOW(__NR_clock_gettime),
	ALLOW(__NR_timerfd_settime),
	ALLOW(__NR_sendmsg),
	ALLOW(__NR_recvmsg),
	ALLOW(__NR_accept4),
	ALLOW(__NR_getsockopt),
	ALLOW(__NR_close),
	ALLOW(__NR_socketpair),
	ALLOW(__NR_pipe2),
	ALLOW(__NR_fcntl),
	ALLOW(__NR_fchmod),
	ALLOW(__NR_fchown),
	ALLOW(__NR_waitid),
	ALLOW(__NR_pidfd_send_signal),
	ALLOW(__NR_pread64),
	ALLOW(__NR_pwrite64),
	ALLOW(__NR_openat),
	ALLOW(__NR_renameat2),
	ALLOW(__NR_unlinkat),
	ALLOW(__NR_ftruncate),
	ALLOW(__NR_fstat),
	ALLOW(__NR_newfstatat), /* fstat(2) in newer versions of libc */
	ALLOW(__NR_fsync),
	ALLOW(__NR_fdatasync),
	ALLOW(__NR_madvise),
	ALLOW(__NR_fstatfs), /* from here on to mmap for a new table of what is taken out of output */
	ALLOW(__NR_mlock),
	ALLOW(__NR_munmap),
	ALLOW(__NR_getpid),
	ALLOW(__NR_exit_group),
	ALLOW(__NR_restart_syscall),
	ALLOW(__NR_rt_sigreturn),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_ioctl, 0, 5),
	LOAD(args[1]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_IOCTL_NOTIF_RECV, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_IOCTL_NOTIF_SEND, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSWINSZ, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mmap, 0, 3),
	LOAD(args[2]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROT_READ, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	KILL,
};

/* KILL, because init has ids of the container; CHOWN, because the pipes of a run belong to the program's user. */
static int shed_capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	int error = result(syscall(SYS_capget, &header, data));
	if (error < 0)
		return error;
	uint32_t keep = data[0].permitted & (1u << CAP_KILL | 1u << CAP_CHOWN);
	data[0] = (struct __user_cap_data_struct){keep, keep, 0};
	data[1] = (struct __user_cap_data_struct){0};
	return result(syscall(SYS_capset, &header, data));
}

static int allow_beneath(int ruleset, int directory, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = directory};
	return result(syscall(445 /* landlock_add_rule */, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
}

/* landlock(7), ABI 1: allows access to log and record, and removal of the socket; denies every other access to files. */
static int restrict_files(const struct monitor *m)
{
	const uint64_t files = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
			       LANDLOCK_ACCESS_FS_REMOVE_FILE;
	struct {
		uint64_t files;
	} all = {.files = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
	int ruleset = result(syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0));
	if (ruleset == -ENOSYS || ruleset == -EOPNOTSUPP)
		return 0; /* not in this kernel */
	if (ruleset < 0)
		return ruleset;
	int error = allow_beneath(ruleset, m->log.directory, files);
	if (error == 0 && m->log.output >= 0)
		error = allow_beneath(ruleset, m->log.output, files);
	if (error == 0)
		error = allow_beneath(ruleset, m->state_directory, LANDLOCK_ACCESS_FS_REMOVE_FILE);
	if (error == 0)
		error = result(syscall(SYS_landlock_restrict_self, ruleset, 0));
	close(ruleset);
	return error;
}

int confine(const struct monitor *m)
{
	int error = result(setns(m->zygote_pidfd, CLONE_NEWNS));
	if (error == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		error = -errno;
	if (error == 0)
		error = shed_capabilities();
	if (error == 0 && (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NAME, "caisson-monitor") < 0))
		error = -errno;
	if (error == 0)
		error = restrict_files(m);
	return error < 0 ? error : load_filter((const uint8_t *)filter, sizeof filter);
}
