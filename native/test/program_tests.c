/* A launched program: signals that reach it, processes that it leaves, and the filters that it runs under. */
#include "init_tests.h"
#include "own_network.h"
#include "probe.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct container container; /* large */

/* ---- signals ---- */

static void signals_are_passed_on(void)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGALRM};
	static const char *const names[] = {"TERM", "INT", "HUP", "USR1", "USR2", "QUIT", "ALRM"};
	for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
		char script[128], byte;
		snprintf(script, sizeof script, "trap 'exit 42' %s; echo r; while :; do sleep 0.05; done", names[i]);
		struct spec spec = shell(script);
		CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
		container_start(&container);
		CHECK(read(container.output, &byte, 1) == 1 && byte == 'r');
		syscall(SYS_pidfd_send_signal, container.pidfd, signals[i], NULL, 0);
		container_finish(&container);
		expect_exit(&container, 42);
	}
}

/* As when a container is stopped at once: the kernel drops a signal that process 1 neither blocks nor handles. */
static void a_signal_before_the_start_is_not_lost(void)
{
	struct spec spec = shell("sleep 20; exit 3");
	container_launch(&engine, &spec, &container);
	syscall(SYS_pidfd_send_signal, container.pidfd, SIGTERM, NULL, 0);
	container_start(&container);
	container_finish(&container);
	CHECK_EQUAL(REPORT_EXIT, container.last.kind);
	CHECK_EQUAL(256 + SIGTERM, container.last.status);
}

static void an_untrapped_signal_ends_the_program(void)
{
	struct spec spec = shell("echo r; exec sleep 30");
	char byte;
	CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
	container_start(&container);
	CHECK(read(container.output, &byte, 1) == 1);
	usleep(100000);
	syscall(SYS_pidfd_send_signal, container.pidfd, SIGTERM, NULL, 0);
	container_finish(&container);
	CHECK_EQUAL(256 + SIGTERM, container.last.status);
	CHECK_EQUAL(128 + SIGTERM, container.status);
}

static void orphans_are_reaped(void)
{
	run_shell("(sh -c 'sleep 0.1; exit 3' &) ; (sleep 0.1 &); sleep 0.5; ls -d /proc/[0-9]*; grep -l 'State:.Z' /proc/[0-9]*/status", "/proc/1\n/proc/2\n", 1);
}

static void background_processes_die_with_the_program(void)
{
	run_shell("sleep 1000 & sleep 1000 & exit 5", "", 5);
}

/* ---- filters ---- */

#define NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)
#define IF_NOT(nr, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, skip)

static void a_filter_is_on(void)
{
	static const struct sock_filter no_mkdir[] = {
		NUMBER, IF_NOT(__NR_mkdirat, 1), ANSWER(SECCOMP_RET_ERRNO | 1),
#ifdef __NR_mkdir
		IF_NOT(__NR_mkdir, 1), ANSWER(SECCOMP_RET_ERRNO | 1),
#endif
		ANSWER(SECCOMP_RET_ALLOW)};
	struct spec spec = shell("mkdir /tmp/x; grep -E '^Seccomp' /proc/self/status");
	spec.filter = no_mkdir, spec.filter_bytes = sizeof no_mkdir;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("mkdir: can't create directory '/tmp/x': Operation not permitted\nSeccomp:\t2\nSeccomp_filters:\t1\n", container.text);
	expect_exit(&container, 0);
	spec.no_init = true;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("mkdir: can't create directory '/tmp/x': Operation not permitted\nSeccomp:\t2\nSeccomp_filters:\t1\n", container.text);
}

/* Nothing of ours needs to be allowed: only execveat comes behind the filter. */
static void a_filter_that_allows_execveat_alone(void)
{
	static const struct sock_filter only_exec[] = {NUMBER, IF_NOT(__NR_execveat, 1), ANSWER(SECCOMP_RET_ALLOW), ANSWER(SECCOMP_RET_KILL_PROCESS)};
	struct spec spec = shell("exit 0");
	spec.filter = only_exec, spec.filter_bytes = sizeof only_exec;
	container_run(&engine, &spec, &container);
	CHECK_EQUAL(REPORT_EXIT, container.last.kind);
	CHECK_EQUAL(256 + SIGSYS, container.last.status);
}

static void a_filter_that_refuses_all(void)
{
	static const struct sock_filter nothing[] = {ANSWER(SECCOMP_RET_ERRNO | 77)};
	struct spec spec = shell("exit 0");
	spec.filter = nothing, spec.filter_bytes = sizeof nothing;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_FILTER, OP_EXEC, 77);
	spec.no_init = true; /* nobody is left to tell, but it did not run */
	container_run(&engine, &spec, &container);
	CHECK_TEXT("", container.text);
	CHECK(container.status != 0);
}

static void a_filter_the_kernel_does_not_take(void)
{
	static const struct sock_filter broken[] = {NUMBER};
	struct spec spec = shell("exit 0");
	spec.filter = broken, spec.filter_bytes = sizeof broken;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_FILTER, OP_EXEC, EINVAL);
}

static void without_no_new_privs_the_filter_comes_before_the_capabilities(void)
{
	static const struct sock_filter allow[] = {ANSWER(SECCOMP_RET_ALLOW)};
	struct spec spec = shell("grep -E '^(NoNewPrivs|Seccomp|CapEff)' /proc/self/status");
	spec.filter = allow, spec.filter_bytes = sizeof allow;
	spec.keep_privileges_open = true;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("CapEff:\t00000000000005fb\nNoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n", container.text);
	expect_exit(&container, 0);
}

static uint32_t scopes;

static void landlock(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_LANDLOCK)
		builder_step(plan, phase, OP_LANDLOCK), put_u32(plan, scopes);
}

/* An abstract socket from outside of the scope, in a network that the program shares. */
static void landlock_scopes(void)
{
	static const char *const argv[] = {"/bin/probe", "abstract", NULL};
	static const char *const answers[] = {"connected\n", "refused\n", "connected\n", "refused\n"};
	bool known = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 6;
	enter_own_network();
	int listener = listen_at_probe(), network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	leave_own_network();
	for (scopes = 0; scopes < 4; scopes++) {
		struct spec spec = shell("");
		spec.root = probe_root(), spec.argv = argv, spec.dropped_clone_flags = CLONE_NEWNET, spec.network = network;
		spec.more = scopes ? landlock : NULL;
		container_run(&engine, &spec, &container);
		if (known || scopes == 0)
			CHECK_TEXT(answers[scopes], container.text);
		else
			CHECK_EQUAL(REPORT_ERROR, container.last.kind);
	}
	close(listener), close(network);
}

const struct test program_tests[] = {
	{"signals", signals_are_passed_on},
	{"signal before the start", a_signal_before_the_start_is_not_lost},
	{"untrapped signal", an_untrapped_signal_ends_the_program},
	{"orphans", orphans_are_reaped},
	{"background processes", background_processes_die_with_the_program},
	{"filter", a_filter_is_on},
	{"filter of execveat", a_filter_that_allows_execveat_alone},
	{"filter of nothing", a_filter_that_refuses_all},
	{"broken filter", a_filter_the_kernel_does_not_take},
	{"filter before caps", without_no_new_privs_the_filter_comes_before_the_capabilities},
	{"landlock", landlock_scopes},
};
const unsigned program_test_count = sizeof program_tests / sizeof *program_tests;
