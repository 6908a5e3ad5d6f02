/* The filter of a monitor. */
#include "../monitor_confine.c"
#include "filter_judge.h"
#include "unit_tests.h"

enum { FILTER = sizeof filter / sizeof *filter };

static void allows_what_a_monitor_needs(void)
{
	static const int allowed[] = {
		SYS_ppoll,  SYS_read,	 SYS_write,	SYS_clock_gettime, SYS_timerfd_settime, SYS_sendmsg,	SYS_recvmsg,	   SYS_accept4,
		SYS_getsockopt, SYS_close, SYS_socketpair, SYS_pipe2,	   SYS_fcntl,		SYS_fchmod,	SYS_fchown,	   SYS_waitid,
		SYS_pidfd_send_signal, SYS_pread64, SYS_pwrite64, SYS_openat, SYS_renameat2,	SYS_unlinkat,	SYS_ftruncate,	   SYS_fstat,
		SYS_newfstatat, SYS_fsync, SYS_fdatasync, SYS_madvise,	   SYS_fstatfs,		SYS_mlock,	SYS_munmap,	   SYS_getpid,
		SYS_exit_group, SYS_restart_syscall, SYS_rt_sigreturn,
#ifdef SYS_poll
		SYS_poll,
#endif
	};
	/* without the two whose arguments count */
	struct sock_filter others[FILTER];
	memcpy(others, filter, sizeof others);
	for (unsigned i = 0; i < FILTER; i++)
		if (others[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && (others[i].k == SYS_ioctl || others[i].k == SYS_mmap) && others[i].jt == 0)
			others[i].k = CALLS;
	expect_calls(others, FILTER, NATIVE_ARCH, allowed, sizeof allowed / sizeof *allowed);
}

static uint32_t verdict(int number, unsigned place, uint64_t value)
{
	struct seccomp_data call = {.nr = number, .arch = NATIVE_ARCH};
	call.args[place] = value;
	return judge(filter, FILTER, &call);
}

static void allows_three_requests_to_devices(void)
{
	static const uint32_t requests[] = {SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND, TIOCSWINSZ};
	for (unsigned i = 0; i < sizeof requests / sizeof *requests; i++) {
		CHECK_EQUAL(SECCOMP_RET_ALLOW, verdict(SYS_ioctl, 1, requests[i]));
		CHECK_EQUAL(SECCOMP_RET_KILL_PROCESS, verdict(SYS_ioctl, 1, requests[i] + 1));
		CHECK_EQUAL(SECCOMP_RET_KILL_PROCESS, verdict(SYS_ioctl, 2, requests[i]));
	}
	CHECK_EQUAL(SECCOMP_RET_KILL_PROCESS, verdict(SYS_ioctl, 1, SECCOMP_IOCTL_NOTIF_ADDFD));
	CHECK_EQUAL(SECCOMP_RET_KILL_PROCESS, verdict(SYS_ioctl, 1, TIOCSTI));
	CHECK_EQUAL(SECCOMP_RET_KILL_PROCESS, verdict(SYS_ioctl, 2, PROT_READ));
}

static void maps_memory_to_be_read_alone(void)
{
	CHECK_EQUAL(SECCOMP_RET_ALLOW, verdict(SYS_mmap, 2, PROT_READ));
	CHECK_EQUAL(SECCOMP_RET_KILL_PROCESS, verdict(SYS_mmap, 2, PROT_NONE));
	CHECK_EQUAL(SECCOMP_RET_KILL_PROCESS, verdict(SYS_mmap, 2, PROT_READ | PROT_WRITE));
	CHECK_EQUAL(SECCOMP_RET_KILL_PROCESS, verdict(SYS_mmap, 2, PROT_READ | PROT_EXEC));
	CHECK_EQUAL(SECCOMP_RET_KILL_PROCESS, verdict(SYS_mmap, 1, PROT_READ));
	CHECK_EQUAL(SECCOMP_RET_KILL_PROCESS, verdict(SYS_mprotect, 2, PROT_READ));
	CHECK_EQUAL(SECCOMP_RET_KILL_PROCESS, verdict(SYS_execve, 2, PROT_READ));
}

const struct test unit_monitor_filter_tests[] = {
	{"calls of a monitor", allows_what_a_monitor_needs},
	{"requests of a monitor", allows_three_requests_to_devices},
	{"memory of a monitor", maps_memory_to_be_read_alone},
};
const unsigned unit_monitor_filter_test_count = sizeof unit_monitor_filter_tests / sizeof *unit_monitor_filter_tests;
