/* Each system call of a launch fails once: the program does not run then, and whoever asked for it is told. */
#include "faults.h"
#include "init_tests.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef SYS_poll
#define SYS_poll_ SYS_poll
#else
#define SYS_poll_ SYS_ppoll
#endif

static struct container container; /* large */

/* ---- init, and the program before it is one ---- */

/* A step of each kind that the plan of all tests has not. */
static void every_step(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_MOUNTS) {
		builder_step(plan, phase, OP_MKDIR), put_u32(plan, 0755), put_text(plan, "run/a");
		builder_step(plan, phase, OP_FILE), put_u32(plan, 0644), put_text(plan, "bin/id"), put_text(plan, "instead");
	}
	if (phase == PHASE_PROTECT) {
		builder_step(plan, phase, OP_MASK), put_text(plan, "home");
		builder_step(plan, phase, OP_MASK), put_text(plan, "tmp");
		builder_step(plan, phase, OP_READ_ONLY), put_text(plan, "usr");
	}
	if (phase == PHASE_LIMITS)
		builder_step(plan, phase, OP_DOMAINNAME), put_text(plan, "boxes");
	if (phase == PHASE_LANDLOCK && syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* its version */) >= 6)
		builder_step(plan, phase, OP_LANDLOCK), put_u32(plan, 3);
}

static struct spec everything(enum whose whose)
{
	static const struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct spec spec = shell("echo ran");
	spec.no_init = whose == OF_INIT, spec.terminal = whose != OF_FIRST_PROCESS;
	spec.filter = allow, spec.filter_bytes = sizeof allow;
	if (whose == OF_INIT) { /* the others are behind all steps */
		spec.read_only = true, spec.more = every_step;
		spec.volume = (int)syscall(SYS_open_tree, AT_FDCWD, test_directory(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		spec.device = make_device(&engine, "/dev/zero");
		spec.device_path = "dev/given", spec.device_kind = DEVICE_CHARACTER, spec.device_major = 1, spec.device_minor = 5;
	}
	return spec;
}

/* The error is that of the call, but for calls whose result is a judgement of its own. */
static bool is_told(const struct report *error, long number)
{
	static const struct {
		long number; /* 0: any */
		uint32_t phase;
		int error;
	} judged[] = {
		{SYS_fcntl, PHASE_SEAL, EPERM},	    /* not sealed */
		{SYS_sendmsg, PHASE_DEVICES, EPIPE}, {SYS_sendmsg, PHASE_READY, EPIPE}, {SYS_poll_, PHASE_SEAL, EPIPE}, /* the engine is gone */
		{0, PHASE_CAPS, EPERM},		    /* ids and capabilities are not those that were planned */
		{SYS_newfstatat, PHASE_READY, ENOENT}, {SYS_faccessat2, PHASE_READY, ENOENT}, /* no program in any directory of PATH */
		{SYS_recvfrom, PHASE_READY, ECANCELED}, {SYS_read, PHASE_FILTER, ECANCELED}, /* no word to start, no open gate */
	};
	for (unsigned i = 0; i < sizeof judged / sizeof *judged; i++)
		if ((judged[i].number == 0 || judged[i].number == number) && judged[i].phase == error->phase &&
		    judged[i].error == error->status)
			return true;
	return error->status == EIO;
}

static unsigned refused_launches(enum whose whose)
{
	for (unsigned at = 1;; at++) {
		struct fault fault = {.whose = whose, .at = at, .error = EIO};
		struct spec spec = everything(whose);
		fault_start(&fault, engine.pid);
		container_run(&engine, &spec, &container);
		struct seen seen = fault_end(&fault);
		if (!seen.came) {
			CHECK(strstr(container.text, "ran"));
			CHECK_EQUAL(1, container.start.called);
			return at - 1;
		}
		bool refused = container.status == 125 && !strstr(container.text, "ran");
		if (!refused)
			fprintf(stderr, "call %ld, which is number %u, failed\n", seen.number, at);
		CHECK(refused);
		if (container.last.kind == REPORT_ERROR && !is_told(&container.last, seen.number)) {
			fprintf(stderr, "call %ld, which is number %u, is told as error %d\n", seen.number, at, container.last.status);
			CHECK_EQUAL(EIO, container.last.status);
		}
		CHECK_EQUAL(seen.number == SYS_execveat, container.start.called);
	}
}

static void no_program_runs_once_a_call_of_init_has_failed(void) { CHECK(refused_launches(OF_INIT) > 200); }

static void no_program_runs_once_a_call_of_its_own_start_has_failed(void)
{
	CHECK(refused_launches(OF_PROGRAM) > 5);
	CHECK(refused_launches(OF_FIRST_PROCESS) > 6);
}

/* Killed in front of each call: whoever reads the file of the start knows whether the program may have run. */
static void a_killed_init_leaves_word_whether_the_program_was_called(void)
{
	for (enum whose whose = OF_PROGRAM; whose <= OF_FIRST_PROCESS; whose++)
		for (unsigned at = 1;; at++) {
			struct fault fault = {.whose = whose, .at = at};
			struct spec spec = everything(whose);
			fault_start(&fault, engine.pid);
			container_run(&engine, &spec, &container);
			struct seen seen = fault_end(&fault);
			CHECK_EQUAL(!seen.came || seen.number == SYS_execveat, container.start.called);
			CHECK_EQUAL(seen.came ? 256 + SIGKILL : 0, container.status);
			CHECK_EQUAL(!seen.came, strstr(container.text, "ran") != NULL);
			if (!seen.came)
				break;
		}
}

static void expect_run_after(enum whose whose, long number, int error)
{
	for (unsigned at = 1; at <= 3; at++) {
		struct fault fault = {.whose = whose, .at = at, .only = number, .error = error};
		struct spec spec = shell("echo ran");
		spec.no_init = true;
		fault_start(&fault, engine.pid);
		container_run(&engine, &spec, &container);
		struct seen seen = fault_end(&fault);
		CHECK(at > 1 || seen.came);
		CHECK_TEXT("ran\n", container.text);
		CHECK_EQUAL(0, container.status);
	}
}

static void a_call_that_was_interrupted_is_made_again(void)
{
	expect_run_after(OF_INIT, SYS_recvmsg, EINTR);
	expect_run_after(OF_INIT, SYS_sendmsg, EINTR);
	expect_run_after(OF_INIT, SYS_recvfrom, EINTR); /* the word to start */
	expect_run_after(OF_INIT, SYS_openat2, EAGAIN); /* a rename beside it */
	expect_run_after(OF_ZYGOTE, SYS_recvmsg, EINTR);
	expect_run_after(OF_ZYGOTE, SYS_sendmsg, EINTR);
	struct fault fault = {.whose = OF_INIT, .at = 1, .only = SYS_write, .error = EINTR}; /* of etc/hostname */
	struct spec spec = shell("cat /etc/hostname");
	fault_start(&fault, engine.pid);
	container_run(&engine, &spec, &container);
	CHECK(fault_end(&fault).came);
	CHECK_TEXT("boxed\n", container.text);
}

/* ---- filters ---- */

#define ASKS                                                                                                                     \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 1, 0),                               \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_MKDIR, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),                 \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#ifdef SYS_mkdir
#define SYS_MKDIR SYS_mkdir
#else
#define SYS_MKDIR SYS_mkdirat
#endif

/* With nobody who listens the call is unknown; a filter without a listener would not have been taken at all. */
static void a_filter_that_asks_is_loaded_with_a_listener_by_every_kernel(void)
{
	static const struct sock_filter asks[] = {ASKS};
	static const int errors[] = {0, EINVAL}; /* before Linux 5.19 */
	static const uint64_t plain = SECCOMP_FILTER_FLAG_NEW_LISTENER, killable = plain | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	for (unsigned i = 0; i < 2; i++) {
		struct fault fault = {.whose = OF_INIT, .at = errors[i] ? 1 : 2, .only = SYS_seccomp, .error = errors[i]};
		struct spec spec = shell("mkdir /tmp/x; grep Seccomp_filters /proc/self/status");
		spec.filter = asks, spec.filter_bytes = sizeof asks, spec.no_init = true;
		fault_start(&fault, engine.pid);
		container_run(&engine, &spec, &container);
		struct seen seen = fault_end(&fault);
		CHECK_EQUAL(errors[i] != 0, seen.came); /* not tried again where it is taken */
		CHECK(!seen.came || seen.arguments[1] == killable);
		CHECK_TEXT("mkdir: can't create directory '/tmp/x': Function not implemented\nSeccomp_filters:\t1\n", container.text);
	}
	struct fault fault = {.whose = OF_INIT, .at = 1, .only = SYS_seccomp, .error = EPERM};
	struct spec spec = shell("echo ran");
	spec.filter = asks, spec.filter_bytes = sizeof asks, spec.no_init = true;
	fault_start(&fault, engine.pid);
	container_run(&engine, &spec, &container);
	fault_end(&fault);
	expect_error(&container, PHASE_FILTER, OP_EXEC, EPERM);
}

/* net.core.bpf_jit_limit reached: the kernel asks for a capability over the host, which nobody in a container has. */
static void a_filter_for_which_the_kernel_has_no_memory_is_told_by_its_error(void)
{
	static const struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	enum { ENOTSUPP = 524 };
	for (enum whose whose = OF_INIT; whose <= OF_FIRST_PROCESS; whose++)
		for (int early = 0; early < 2; early++) {
			struct fault fault = {.whose = whose, .at = 1, .only = SYS_seccomp, .error = ENOTSUPP};
			struct spec spec = shell("echo ran");
			spec.no_init = whose == OF_INIT, spec.keep_privileges_open = early;
			spec.filter = allow, spec.filter_bytes = sizeof allow;
			fault_start(&fault, engine.pid);
			container_run(&engine, &spec, &container);
			struct seen seen = fault_end(&fault);
			if (early && whose == OF_PROGRAM) {
				CHECK(!seen.came); /* it has its filter from init */
				continue;
			}
			bool in_caps = early && whose == OF_INIT;
			expect_error(&container, in_caps ? PHASE_CAPS : PHASE_FILTER, in_caps ? OP_FILTER : OP_EXEC, ENOTSUPP);
			CHECK_EQUAL(0, container.start.called);
		}
}

/* ---- the zygote ---- */

static int directory(const char *path)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* What it answers; -EPROTO if it has ended. */
static int ask(struct engine *of, uint16_t kind, uint16_t root_kind)
{
	int fds[2] = {-1, -1}, fd = -1;
	struct reply reply = {0};
	struct request request = {.magic = PLAN_MAGIC, .kind = kind, .id_base = ID_BASE, .id_count = ID_COUNT, .root_kind = root_kind};
	if (kind == REQUEST_CHILD) {
		int pair[2];
		CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
		close(pair[0]);
		fds[request.fds++] = pair[1];
		request.clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET;
	}
	if (kind == REQUEST_DEVICE)
		fds[request.fds++] = open("/dev/zero", O_PATH | O_CLOEXEC);
	if (kind == REQUEST_ROOT)
		fds[request.fds++] = directory(base_root), request.lowers = 1;
	if (root_kind == ROOT_TMPFS)
		request.tmpfs_bytes = request.tmpfs_inodes = 1 << 20;
	if (root_kind == ROOT_OVERLAY)
		fds[request.fds++] = directory(test_directory());
	int status = engine_ask(of, &request, fds, request.fds, &reply, &fd);
	if (reply.pid > 0) {
		siginfo_t info;
		CHECK(waitid(P_PIDFD, (id_t)fd, &info, WEXITED) == 0);
	}
	CHECK(status < 0 || fd >= 0);
	for (unsigned i = 0; i < request.fds; i++)
		close(fds[i]);
	if (fd >= 0)
		close(fd);
	return status;
}

/* A zygote that could not take its id back does not go on. */
static bool is_root(int pid)
{
	char path[64], line[256];
	bool root = false;
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *status = fopen(path, "re");
	while (status && fgets(line, sizeof line, status))
		root |= strcmp(line, "Uid:\t0\t0\t0\t0\n") == 0;
	if (status)
		fclose(status);
	return root;
}

static void a_request_whose_calls_fail_is_refused(void)
{
	static const uint16_t requests[][2] = {{REQUEST_USERNS, 0},	       {REQUEST_CHILD, 0},	      {REQUEST_DEVICE, 0},
					       {REQUEST_ROOT, ROOT_TMPFS},  {REQUEST_ROOT, ROOT_OVERLAY}, {REQUEST_ROOT, ROOT_MOUNT},
					       {REQUEST_ROOT, ROOT_COVER}};
	struct engine own;
	CHECK(engine_start(&own, binary));
	for (unsigned i = 0; i < sizeof requests / sizeof *requests; i++) {
		bool failed = true;
		CHECK_EQUAL(0, ask(&own, requests[i][0], requests[i][1]));
		for (unsigned at = 1; failed; at++) {
			struct fault fault = {.whose = OF_ZYGOTE, .at = at, .error = EIO};
			fault_start(&fault, own.pid);
			int status = ask(&own, requests[i][0], requests[i][1]);
			struct seen seen = fault_end(&fault);
			failed = seen.came;
			if (failed == (status == 0))
				fprintf(stderr, "request %u of kind %u: call %ld, which is number %u\n", requests[i][0], requests[i][1],
					seen.number, at);
			CHECK_EQUAL(failed, status < 0);
			CHECK(status == 0 || status == -EIO || status == -EPROTO || status == -EPIPE); /* the last two: it has ended */
			if (status == -EPROTO || status == -EPIPE) { /* with less than all it had it would not go on */
				engine_stop(&own);
				CHECK(engine_start(&own, binary));
				CHECK_EQUAL(0, ask(&own, REQUEST_ROOT, ROOT_TMPFS)); /* it finds out how to take layers */
			} else {
				CHECK(is_root(own.pid));
			}
		}
	}
	engine_stop(&own);
}

static struct fault start;
static void fail_at_start(int pid) { fault_start(&start, pid); }

static void a_zygote_whose_calls_fail_does_not_start(void)
{
	bool failed = true;
	unsigned at = 1;
	for (; failed; at++) {
		struct engine own;
		start = (struct fault){.whose = OF_NEW_ZYGOTE, .at = at, .error = EIO};
		bool started = engine_start_with(&own, binary, fail_at_start);
		struct seen seen = fault_end(&start);
		failed = seen.came;
		if (failed == started)
			fprintf(stderr, "call %ld, which is number %u, failed\n", seen.number, at);
		CHECK_EQUAL(failed, !started);
		engine_stop(&own);
	}
	CHECK(at > 50);
}

const struct test fault_tests[] = {
	{"faults of init", no_program_runs_once_a_call_of_init_has_failed},
	{"faults of a start", no_program_runs_once_a_call_of_its_own_start_has_failed},
	{"killed before the program", a_killed_init_leaves_word_whether_the_program_was_called},
	{"interrupted calls", a_call_that_was_interrupted_is_made_again},
	{"filter that asks", a_filter_that_asks_is_loaded_with_a_listener_by_every_kernel},
	{"filter without memory", a_filter_for_which_the_kernel_has_no_memory_is_told_by_its_error},
	{"faults of a request", a_request_whose_calls_fail_is_refused},
	{"faults of a zygote", a_zygote_whose_calls_fail_does_not_start},
};
const unsigned fault_test_count = sizeof fault_tests / sizeof *fault_tests;
