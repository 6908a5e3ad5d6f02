/* The last step: the program takes its filter and starts, here or as the child of an init that stays. */
#include "init.h"
#include "kernel.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <termios.h>

struct program {
	bool child, idle, terminal;
	char *argv[PLAN_MAX_LIST + 1];
	char *environment[PLAN_MAX_LIST + 1];
};

/* Strings end with a NUL where they lie: each moves to the front over its own length, which nobody reads again. */
static void take_list(struct reader *payload, char **list)
{
	uint32_t count = read_u32(payload), length, i;
	for (i = 0; i < count; i++) {
		uint8_t *at = (uint8_t *)(uintptr_t)read_bytes(payload, &length) - sizeof length;
		memmove(at, at + sizeof length, length);
		at[length] = 0;
		list[i] = (char *)at;
	}
	list[i] = NULL;
}

static void take_program(struct reader *payload, struct program *program)
{
	uint32_t length;
	uint8_t kind = read_u8(payload);
	program->child = kind != 0;
	program->idle = kind == 2;
	program->terminal = read_u8(payload) == 1;
	read_bytes(payload, &length); /* PATH: OP_READY has used it */
	take_list(payload, program->argv);
	take_list(payload, program->environment);
}

static int default_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL); /* refused for those that have no other */
	umask(022);
	return result(sigprocmask(SIG_SETMASK, &none, NULL));
}

/* What is left before the filter. Behind it there is execveat, and where that fails only memory and the end. */
static int last_preparations(const struct program *program)
{
	if (program->terminal && ioctl(0, TIOCSCTTY, 0) < 0)
		return -errno;
	return default_signals();
}

/* In place of a program: a container that only holds what others do in it. Its signals end it as they end a program. */
static _Noreturn void sleep_for_ever(void)
{
	while (ppoll(NULL, 0, NULL, NULL) < 0 && errno == EINTR)
		;
	syscall(SYS_exit_group, EXIT_REFUSED); /* the filter refuses to let it wait */
	for (;;)
		__builtin_trap();
}

/* The filter must allow sendmsg(2). Both descriptors close with execveat(2). */
static int send_listener(const struct init *init, int listener)
{
	struct report message = {.magic = PLAN_MAGIC, .kind = REPORT_LISTENER, .phase = PHASE_FILTER, .step = init->step};
	return listener < 0 ? -EINVAL : report(init, &message, listener);
}

static int start(const struct init *init, struct program *program)
{
	int listener = -1;
	int error = init->filter ? load_filter_with(init->filter, init->filter_length, &listener) : 0;
	if (error == 0 && init->sends_listener)
		error = send_listener(init, listener);
	if (error < 0)
		return error;
	init->start->called = 1;
	if (program->idle)
		sleep_for_ever();
	return result(syscall(SYS_execveat, AT_FDCWD, init->program, program->argv, program->environment, 0));
}

/* The filter may refuse every other call: the error is left in memory that PID 1 shares. */
static _Noreturn void run_child(const struct init *init, struct program *program, int gate)
{
	char byte;
	int failed = prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || setsid() < 0 ? -errno : last_preparations(program);
	if (failed == 0 && read(gate, &byte, 1) != 1)
		failed = -ECANCELED; /* PID 1 could not do its part */
	unsigned control = (unsigned)init->slot[SLOT_CONTROL];
	if (failed == 0)
		failed = init->sends_listener ? close_from(3, control - 1) : close_from(3, ~0U);
	if (failed == 0 && init->sends_listener)
		failed = close_from(control + 1, ~0U);
	if (failed == 0)
		failed = start(init, program);
	init->start->error = -failed;
	syscall(SYS_exit_group, EXIT_REFUSED);
	for (;;)
		__builtin_trap();
}

int execute(struct init *init, struct reader *payload)
{
	static struct program program;
	take_program(payload, &program);
	if (!program.child) {
		int error = last_preparations(&program);
		return error < 0 ? error : start(init, &program);
	}
	int gate[2];
	if (pipe2(gate, O_CLOEXEC) < 0)
		return -errno;
	int pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		close(gate[1]);
		run_child(init, &program, gate[0]);
	}
	close(gate[0]);
	reap(init, pid, gate[1]);
}
