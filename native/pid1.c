/*
 * PID 1 of the container while the program runs: passes signals on, reaps what is orphaned, tells how the program ended
 * and ends with it, whereupon the kernel ends the rest. It holds no file but its sockets, no capability but perhaps KILL,
 * and a filter of its own with the dozen calls below.
 */
#include "init.h"
#include "kernel.h"
#include "own_filter.h"

#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/statfs.h>
#include <sys/wait.h>

static const struct sock_filter own_filter[] = {
	LOAD_NATIVE_NUMBER,
	ALLOW(__NR_ppoll),
	ALLOW(__NR_read),
	ALLOW(__NR_wait4),
	ALLOW(__NR_kill),
	ALLOW(__NR_sendmsg),
	ALLOW(__NR_write),
	ALLOW(__NR_close),
	ALLOW(__NR_exit_group),
	ALLOW(__NR_statfs),
	ALLOW(__NR_restart_syscall),
	ALLOW(__NR_rt_sigreturn),
	KILL,
};

/* CAP_KILL is of use only where the program may take on another id; what init does not have it cannot keep. */
static int shed_capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	int error = result(syscall(SYS_capget, &header, data));
	if (error < 0)
		return error;
	uint32_t keep = data[0].permitted & (1u << CAP_SETUID) ? data[0].permitted & (1u << CAP_KILL) : 0;
	data[0] = (struct __user_cap_data_struct){keep, keep, 0};
	data[1] = (struct __user_cap_data_struct){0};
	return result(syscall(SYS_capset, &header, data));
}

/* The descriptor of its signals. Of OP_READY's few files stdio goes too, and from memory the plan with its secrets. */
static int harden(struct init *init)
{
	sigset_t all;
	sigfillset(&all);
	int error = close_from(0, 2);
	int signals = error < 0 ? error : result(signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
	if (signals < 0)
		return signals;
	if (munmap(init->bytes, init->length) < 0)
		error = -errno;
	if (error == 0 && (prctl(PR_SET_NAME, "caisson-init") < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0))
		error = -errno;
	if (error == 0)
		error = shed_capabilities();
	if (error == 0)
		error = load_filter((const uint8_t *)own_filter, sizeof own_filter);
	return error < 0 ? error : signals;
}

/* ---- the end ---- */

static uint64_t micros(const struct timeval *time) { return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec; }

static bool is_full(const char *path)
{
	struct statfs space;
	return statfs(path, &space) == 0 && space.f_blocks != 0 &&
	       (space.f_bavail == 0 || (space.f_files != 0 && space.f_ffree == 0));
}

static uint32_t obstacles(const struct init *init, int status)
{
	if (status == 0)
		return 0;
	return (is_full("/") ? OBSTACLE_ROOT_FULL : 0u) | (is_full("/dev/shm") ? OBSTACLE_SHM_FULL : 0u) |
	       (init->void_set_id ? OBSTACLE_SET_ID : 0u);
}

static _Noreturn void finish(const struct init *init, int status, const struct rusage *usage)
{
	struct report message = {.magic = PLAN_MAGIC, .kind = REPORT_EXIT, .phase = PHASE_FILTER, .step = init->step};
	message.status = WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
	message.detail = obstacles(init, status);
	message.user_micros = micros(&usage->ru_utime);
	message.system_micros = micros(&usage->ru_stime);
	message.peak_bytes = (uint64_t)usage->ru_maxrss * 1024;
	report(init, &message, -1);
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static void reap_children(const struct init *init, int program)
{
	int status, pid;
	struct rusage usage;
	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		if (pid != program)
			continue;
		if (init->start->error != 0)
			fail(init, PHASE_FILTER, init->step, init->start->error, 0);
		finish(init, status, &usage);
	}
}

/* ---- while it runs ---- */

static void take_signals(const struct init *init, int signals, int program)
{
	struct signalfd_siginfo signal;
	while (read(signals, &signal, sizeof signal) == sizeof signal) {
		if (signal.ssi_signo == SIGCHLD)
			reap_children(init, program);
		else
			kill(program, (int)signal.ssi_signo); /* a program that has just ended is reaped next */
	}
}

/*
 * A process that has entered from outside is no PID 1: its program would outlive it, as a child of the host's PID 1, and the kernel
 * ends no pid namespace before that one is reaped, which it may never be. So the program ends first; the socket tells of the engine.
 */
_Noreturn void reap(struct init *init, int program, int gate)
{
	bool entered = getpid() != 1;
	int signals = entered && prctl(PR_SET_PDEATHSIG, 0) < 0 ? -errno : harden(init);
	if (signals < 0)
		fail(init, PHASE_FILTER, init->step, -signals, 0);
	if (write(gate, "", 1) != 1) /* a program whose start has failed leaves word, and then nobody reads */
		fail(init, PHASE_FILTER, init->step, init->start->error != 0 ? init->start->error : errno, 0);
	close(gate);
	struct pollfd watched[2] = {{.fd = signals, .events = POLLIN}, {.fd = init->slot[SLOT_CONTROL], .events = POLLRDHUP}};
	for (;;) {
		if (ppoll(watched, 2, NULL, NULL) < 0)
			continue;
		take_signals(init, signals, program);
		if (watched[1].revents == 0)
			continue;
		if (!entered)
			_exit(EXIT_REFUSED); /* the engine is gone: so is the container */
		kill(program, SIGKILL);
		watched[1].fd = -1;
	}
}
