/* Each system call of a launch fails once: the program does not run then, and whoever asked for it is told. */
#include "faults.h"
#include "init_tests.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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

static unsigned refused_launches(enum whose whose)
{
	for (unsigned at = 1;; at++) {
		struct fault fault;
		long number;
		struct spec spec = everything(whose);
		fault_start(&fault, engine.pid, whose, at);
		container_run(&engine, &spec, &container);
		if (!fault_end(&fault, &number)) {
			CHECK(strstr(container.text, "ran"));
			return at - 1;
		}
		bool refused = container.status == 125 && !strstr(container.text, "ran");
		if (!refused)
			fprintf(stderr, "call %ld, which is number %u, failed\n", number, at);
		CHECK(refused);
	}
}

static void no_program_runs_once_a_call_of_init_has_failed(void) { CHECK(refused_launches(OF_INIT) > 200); }

static void no_program_runs_once_a_call_of_its_own_start_has_failed(void)
{
	CHECK(refused_launches(OF_PROGRAM) > 5);
	CHECK(refused_launches(OF_FIRST_PROCESS) > 6);
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
		request.clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID;
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
			struct fault fault;
			long number;
			fault_start(&fault, own.pid, OF_ZYGOTE, at);
			int status = ask(&own, requests[i][0], requests[i][1]);
			failed = fault_end(&fault, &number);
			if (failed == (status == 0))
				fprintf(stderr, "request %u of kind %u: call %ld, which is number %u\n", requests[i][0], requests[i][1], number, at);
			CHECK_EQUAL(failed, status < 0);
			if (status == -EPROTO || status == -EPIPE) { /* with less than all it had it would not go on */
				engine_stop(&own);
				CHECK(engine_start(&own, binary));
				CHECK_EQUAL(0, ask(&own, REQUEST_ROOT, ROOT_TMPFS)); /* it finds out how to take layers */
			}
		}
	}
	engine_stop(&own);
}

static struct fault start;
static unsigned start_at;
static void fail_at_start(int pid) { fault_start(&start, pid, OF_NEW_ZYGOTE, start_at); }

static void a_zygote_whose_calls_fail_does_not_start(void)
{
	bool failed = true;
	for (start_at = 1; failed; start_at++) {
		struct engine own;
		long number;
		bool started = engine_start_with(&own, binary, fail_at_start);
		failed = fault_end(&start, &number);
		if (failed == started)
			fprintf(stderr, "call %ld, which is number %u, failed\n", number, start_at);
		CHECK_EQUAL(failed, !started);
		engine_stop(&own);
	}
	CHECK(start_at > 50);
}

const struct test fault_tests[] = {
	{"faults of init", no_program_runs_once_a_call_of_init_has_failed},
	{"faults of a start", no_program_runs_once_a_call_of_its_own_start_has_failed},
	{"faults of a request", a_request_whose_calls_fail_is_refused},
	{"faults of a zygote", a_zygote_whose_calls_fail_does_not_start},
};
const unsigned fault_test_count = sizeof fault_tests / sizeof *fault_tests;
