#include "faults.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYSCALL_STOP = SIGTRAP | 0x80 };

/* ---- registers ---- */

#if defined(__x86_64__)
static void skip_call(int pid) { ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), -1L); }
static void set_result(int pid, long result) { ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax), result); }
#elif defined(__aarch64__)
static void skip_call(int pid)
{
	int none = -1;
	struct iovec number = {&none, sizeof none};
	ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &number);
}
static void set_result(int pid, long result)
{
	struct user_regs_struct registers;
	struct iovec all = {&registers, sizeof registers};
	ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &all);
	registers.regs[0] = (unsigned long)result;
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &all);
}
#else
#error "no registers for this machine"
#endif

/* ---- the tracer ---- */

/* What nobody could do anything about, what has no error, and what libc's fork and signal do for themselves. */
static bool may_fail(long number)
{
	static const long harmless[] = {SYS_close, SYS_umask, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_set_robust_list, SYS_rseq,
					SYS_gettid, SYS_getpid, SYS_setsid, SYS_exit_group, SYS_wait4};
	for (unsigned i = 0; i < sizeof harmless / sizeof *harmless; i++)
		if (harmless[i] == number)
			return true;
	return false;
}

struct tracer {
	const struct fault *fault;
	int target; /* whose calls are counted; -1: not there yet */
	int init;
	int announced; /* a child that its parent has told of, or that stands before that */
	unsigned calls, in_a_row;
	long last;
	bool counts, skipped, answered;
};

static bool of_zygote(enum whose whose) { return whose == OF_ZYGOTE || whose == OF_NEW_ZYGOTE; }

static void go_on(const struct tracer *tracer, int pid, int signal)
{
	ptrace(pid == tracer->target ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, (long)signal);
}

/* A new process of a traced one. It waits in its first stop until both that and its parent's word have come. */
static void take_child(struct tracer *tracer, int parent, int event)
{
	unsigned long child = 0;
	ptrace(PTRACE_GETEVENTMSG, parent, 0, &child);
	if (event == PTRACE_EVENT_CLONE && tracer->init < 0) {
		tracer->init = (int)child;
		if (tracer->fault->whose == OF_INIT)
			tracer->target = tracer->init;
	} else if (event == PTRACE_EVENT_FORK && parent == tracer->init) {
		if (tracer->fault->whose == OF_INIT)
			_exit(0); /* it has come to its end */
		tracer->target = tracer->fault->whose == OF_PROGRAM ? (int)child : parent;
	}
	if (tracer->announced == (int)child)
		go_on(tracer, (int)child, 0);
	tracer->announced = (int)child;
}

static bool is_first_stop(struct tracer *tracer, int pid, int zygote)
{
	if (pid == zygote || pid == tracer->announced)
		return false;
	tracer->announced = pid;
	return true;
}

static bool is_counted(struct tracer *tracer, long number)
{
	const struct fault *fault = tracer->fault;
	if (fault->only)
		return number == fault->only;
	tracer->in_a_row = number == tracer->last ? tracer->in_a_row + 1 : 0;
	tracer->last = number;
	if (tracer->in_a_row > 2)
		return false; /* the same again and again: a loop */
	tracer->counts |= fault->whose != OF_NEW_ZYGOTE || number == SYS_getsockopt;
	return tracer->counts && !may_fail(number);
}

/* What it started stands still until it is dead too. */
static _Noreturn void kill_init(const struct tracer *tracer)
{
	int status = 0, pid;
	kill(tracer->init, SIGKILL);
	do
		pid = waitpid(-1, &status, __WALL);
	while (pid > 0 && (pid != tracer->init || WIFSTOPPED(status)));
	_exit(0);
}

static void take_call(struct tracer *tracer, int pid)
{
	struct __ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0)
		_exit(1);
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracer->skipped) {
		set_result(pid, -tracer->fault->error);
		_exit(0);
	}
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	long number = (long)info.entry.nr;
	if (tracer->fault->whose == OF_FIRST_PROCESS && number == SYS_write)
		_exit(0); /* from here on its filter takes no call that is none */
	if (of_zygote(tracer->fault->whose) && tracer->fault->only == 0 && tracer->answered)
		_exit(0); /* what comes now is not about what was asked */
	tracer->answered = number == SYS_sendmsg;
	if (!is_counted(tracer, number) || ++tracer->calls != tracer->fault->at)
		return;
	tracer->skipped = true;
	tracer->fault->seen->number = number;
	for (unsigned i = 0; i < 6; i++)
		tracer->fault->seen->arguments[i] = info.entry.args[i];
	tracer->fault->seen->came = true;
	if (tracer->fault->error == 0)
		kill_init(tracer);
	skip_call(pid);
}

static _Noreturn void trace(struct tracer *tracer, int zygote)
{
	int status, pid;
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int event = status >> 16, signal = 0;
		if (!WIFSTOPPED(status)) {
			if (pid == tracer->target)
				break;
			continue;
		}
		if (WSTOPSIG(status) == SYSCALL_STOP)
			take_call(tracer, pid);
		else if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK)
			take_child(tracer, pid, event);
		else if (event == PTRACE_EVENT_EXEC && pid == tracer->target && !of_zygote(tracer->fault->whose))
			break;
		else if (event == PTRACE_EVENT_STOP && is_first_stop(tracer, pid, zygote))
			continue;
		else if (event == 0)
			signal = WSTOPSIG(status);
		go_on(tracer, pid, signal);
	}
	_exit(0); /* what it traced goes on */
}

void fault_start(struct fault *fault, int zygote)
{
	int ready[2];
	char byte;
	bool of_it = of_zygote(fault->whose);
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC;
	fault->seen = mmap(NULL, sizeof *fault->seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fault->seen == MAP_FAILED || pipe(ready) < 0 || (fault->tracer = fork()) < 0)
		abort();
	if (fault->tracer == 0) {
		struct tracer tracer = {.fault = fault, .target = of_it ? zygote : -1, .init = -1};
		if (ptrace(PTRACE_SEIZE, zygote, 0, options) < 0 || (of_it && ptrace(PTRACE_INTERRUPT, zygote, 0, 0) < 0))
			_exit(1);
		if (write(ready[1], "", 1) == 1)
			close(ready[0]), close(ready[1]), trace(&tracer, zygote);
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		abort();
	close(ready[0]);
}

struct seen fault_end(struct fault *fault)
{
	kill(fault->tracer, SIGKILL);
	waitpid(fault->tracer, NULL, 0);
	struct seen seen = *fault->seen;
	munmap((void *)(uintptr_t)fault->seen, sizeof *fault->seen);
	return seen;
}
