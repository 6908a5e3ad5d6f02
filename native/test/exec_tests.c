/* One more program in a container that runs. */
#include "init_tests.h"
#include "../kernel.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct container container, guest, other; /* large */

/* What differs from the plan that every test shares. */
struct program {
	const char *script;
	uint32_t uid, gid;
	uint64_t caps;
	bool terminal, filtered;
	uint16_t kind;	   /* of the plan, if it is not PLAN_EXEC */
	uint32_t left_out; /* CLONE_NEW*: not entered */
	const char *setting; /* below /proc/sys, set to 77 */
	uint32_t not_sent; /* CLONE_NEW*: planned, but its descriptor does not come */
	bool done;	     /* no program */
};

static const char *const names[PLAN_NAMESPACES] = {"net", "user", "cgroup", "ipc", "uts", "time", "pid", "mnt"};

/* sleeps until it is told to go on */
static const char waiting[] = "echo up; read -r _; echo down";

static void read_line(struct container *of)
{
	char byte = 0;
	while (byte != '\n' && read(of->output, &byte, 1) == 1)
		;
}

static void start_waiting(const char *script)
{
	struct spec spec = shell(script);
	spec.extra_clone_flags = CLONE_NEWTIME_;
	CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
	container_start(&container);
	read_line(&container);
}

static void end_waiting(void)
{
	CHECK_EQUAL(1, write(container.input, "\n", 1));
	close(container.input), container.input = -1;
	container_finish(&container);
}

static void exec_steps(const struct program *program, struct builder *plan, uint32_t entered)
{
	static const char *const environment[] = {"PATH=/bin", "A=b", NULL};
	static const struct sock_filter no_uname[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const char *argv[] = {"sh", "-c", program->script, NULL};
	builder_step(plan, PHASE_SEAL, OP_SEAL);
	builder_step(plan, PHASE_MAPPED, OP_ENTER), put_u32(plan, entered);
	for (uint16_t i = 0, slot = SLOT_FIRST_FREE; i < PLAN_NAMESPACES; i++)
		if (entered & plan_namespaces[i])
			put_u16(plan, slot++);
	builder_step(plan, PHASE_MAPPED, OP_MAPPED);
	builder_step(plan, PHASE_MAPPED, OP_NO_NEW_PRIVS);
	if (program->terminal) {
		builder_step(plan, PHASE_DEVICES, OP_CONSOLE), put_u16(plan, 33), put_u16(plan, 101);
		put_u32(plan, program->uid), put_u32(plan, program->gid);
	}
	if (program->setting)
		builder_step(plan, PHASE_PROTECT, OP_SYSCTL), put_text(plan, program->setting), put_text(plan, "77");
	builder_step(plan, PHASE_LIMITS, OP_RLIMIT), put_u32(plan, 7), put_u64(plan, 99), put_u64(plan, 100);
	builder_step(plan, PHASE_LIMITS, OP_KEYRING);
	builder_step(plan, PHASE_CAPS, OP_CAPS), put_u64(plan, program->caps), put_u64(plan, program->uid ? 0 : program->caps);
	put_u32(plan, program->uid), put_u32(plan, program->gid), put_u32(plan, 0);
	if (program->done) {
		builder_step(plan, PHASE_FILTER, OP_DONE);
		return;
	}
	builder_step(plan, PHASE_READY, OP_READY), put_text(plan, "/tmp");
	if (program->filtered)
		builder_step(plan, PHASE_FILTER, OP_FILTER), put_bytes(plan, no_uname, sizeof no_uname);
	builder_step(plan, PHASE_FILTER, OP_EXEC), put_u8(plan, 1), put_u8(plan, program->terminal), put_text(plan, "/bin");
	put_list(plan, argv), put_list(plan, environment);
}

static void ask(int control, struct container *out)
{
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_EXEC, .fds = 1, .id_base = ID_BASE, .id_count = ID_COUNT};
	CHECK_EQUAL(0, engine_ask(&engine, &request, &control, 1, &out->reply, &out->pidfd));
	out->pid = out->reply.pid > 0 ? out->reply.pid : -1;
}

/* Up to READY or an error, in the container whose first process is `target`. */
static void exec_launch(const struct program *program, int target, struct container *out)
{
	struct handover handover = {.magic = PLAN_MAGIC, .count = 4, .slot = {SLOT_PLAN, SLOT_STDIN, SLOT_STDOUT, SLOT_STDERR}};
	struct builder plan;
	int pipes[2][2], control[2], fds[16];
	uint32_t entered = 0;
	*out = (struct container){.pid = -1, .pidfd = -1, .terminal = -1, .status = -1};
	CHECK(pipe2(pipes[0], O_CLOEXEC) == 0 && pipe2(pipes[1], O_CLOEXEC) == 0 &&
	      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) == 0);
	out->control = control[0], out->input = pipes[0][1], out->output = pipes[1][0];
	ask(control[1], out);
	close(control[1]);
	fds[1] = pipes[0][0], fds[2] = fds[3] = pipes[1][1];
	handover.slots = SLOT_FIRST_FREE;
	for (unsigned i = 0; i < PLAN_NAMESPACES; i++) {
		char path[64];
		if (program->left_out & plan_namespaces[i])
			continue;
		entered |= plan_namespaces[i];
		snprintf(path, sizeof path, "/proc/%d/ns/%s", target, names[i]);
		if (program->not_sent & plan_namespaces[i]) {
			handover.slots++;
			continue;
		}
		fds[handover.count] = open(path, O_RDONLY | O_CLOEXEC);
		CHECK(fds[handover.count] >= 0);
		handover.slot[handover.count++] = handover.slots++;
	}
	builder_start(&plan, handover.slots);
	plan.kind = program->kind ? (uint16_t)(program->kind - 1) : PLAN_EXEC;
	exec_steps(program, &plan, entered);
	builder_finish(&plan);
	fds[0] = sealed_plan(&plan, 0);
	builder_free(&plan);
	CHECK_EQUAL(sizeof handover, engine_send(control[0], &handover, sizeof handover, fds, handover.count));
	for (unsigned i = 0; i < handover.count; i++)
		close(fds[i]);
	container_until_ready(out);
}

static void exec_run(const struct program *program, const char *expected, int code)
{
	exec_launch(program, container.pid, &guest);
	container_start(&guest);
	if (!program->terminal)
		close(guest.input), guest.input = -1;
	container_finish(&guest);
	if (expected)
		CHECK_TEXT(expected, guest.text);
	expect_exit(&guest, code);
}

static void it_is_in_the_container(void)
{
	start_waiting("echo made >/tmp/file; echo up; read -r _");
	struct program program = {.script = "cat file; hostname; echo $A; pwd; ls /proc | grep -c '^[0-9]'; ulimit -n; exit 7"};
	exec_run(&program, NULL, 7);
	CHECK(strncmp(guest.text, "made\n", 5) == 0);
	CHECK(strstr(guest.text, "\nb\n/tmp\n") != NULL);
	CHECK(strstr(guest.text, "\n99\n") != NULL);
	end_waiting();
}

static void it_is_in_every_namespace_of_it(void)
{
	start_waiting(waiting);
	struct program program = {.script = "read -r _"};
	exec_launch(&program, container.pid, &guest);
	container_start(&guest);
	for (unsigned i = 0; i < PLAN_NAMESPACES; i++) {
		struct stat theirs = {0}, its = {0};
		char path[64];
		snprintf(path, sizeof path, "/proc/%d/ns/%s", container.pid, names[i]);
		CHECK_EQUAL(0, stat(path, &theirs));
		/* the process itself stays outside of the pid namespace, its child does not */
		snprintf(path, sizeof path, "/proc/%d/ns/%s", guest.pid, i == 6 ? "pid_for_children" : names[i]);
		CHECK_EQUAL(0, stat(path, &its));
		CHECK_EQUAL(theirs.st_ino, its.st_ino);
	}
	close(guest.input), guest.input = -1;
	container_finish(&guest);
	end_waiting();
}

static void it_has_the_rights_of_its_plan(void)
{
	start_waiting(waiting);
	struct program root = {.script = "grep -E '^(Uid|Cap...|NoNewPrivs|Seccomp):' /proc/self/status", .caps = 0x5fb};
	exec_run(&root, "Uid:\t0\t0\t0\t0\nCapInh:\t0000000000000000\nCapPrm:\t00000000000005fb\nCapEff:\t00000000000005fb\n"
			"CapBnd:\t00000000000005fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t0\n", 0);
	struct program user = {.script = "grep -E '^(Uid|Gid|Groups|CapEff|Seccomp):' /proc/self/status; uname", .filtered = true};
	user.uid = 1000, user.gid = 100;
	exec_run(&user, "Uid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100\nGroups:\t \nCapEff:\t0000000000000000\nSeccomp:\t2\n"
			"\n", 0); /* uname has nothing to tell */
	end_waiting();
}

static int host_ttl(void)
{
	int ttl = 0;
	FILE *file = fopen("/proc/sys/net/ipv4/ip_default_ttl", "re");
	CHECK(file && fscanf(file, "%d", &ttl) == 1);
	if (file)
		fclose(file);
	return ttl;
}

/* The setting is the container's, written by way of no file of it, and nothing else runs. */
static void it_changes_the_network_and_is_done(void)
{
	start_waiting("echo up; read -r _; cat /proc/sys/net/ipv4/ip_default_ttl");
	int before = host_ttl();
	struct program program = {.done = true, .setting = "net/ipv4/ip_default_ttl"};
	exec_launch(&program, container.pid, &guest);
	CHECK_EQUAL(REPORT_READY, guest.ready.kind);
	container_finish(&guest);
	CHECK_EQUAL(before, host_ttl());
	CHECK(before != 77);
	program.setting = "kernel/hostname";
	exec_launch(&program, container.pid, &guest);
	CHECK_EQUAL(REPORT_ERROR, guest.last.kind);
	CHECK_EQUAL(PLAN_BAD_VALUE, guest.last.detail);
	container_finish(&guest);
	program = (struct program){.script = "true", .setting = "net/ipv4/ip_default_ttl"};
	exec_launch(&program, container.pid, &guest);
	CHECK_EQUAL(REPORT_ERROR, guest.last.kind);
	CHECK_EQUAL(PLAN_BAD_KIND, guest.last.detail);
	container_finish(&guest);
	end_waiting();
	CHECK_TEXT("77\n", container.text);
}

/* CVE-2016-9962, CVE-2024-21626: from inside only the program is seen, with three descriptors and nothing of the host. */
static void what_enters_is_not_seen_from_inside(void)
{
	start_waiting(waiting);
	struct program program = {.script = "for p in /proc/[0-9]*; do cat $p/comm; done; ls /proc/$$/fd; true"};
	exec_run(&program, NULL, 0);
	CHECK_TEXT("caisson-init\nsh\nsh\n0\n1\n2\n", guest.text[0] ? guest.text : "");
	end_waiting();
}

static void its_terminal_is_of_the_container(void)
{
	start_waiting(waiting);
	struct program program = {.script = "tty; stty size; exit 3", .terminal = true};
	exec_launch(&program, container.pid, &guest);
	CHECK(guest.terminal >= 0);
	CHECK_EQUAL(PHASE_DEVICES, guest.console.phase);
	container_start(&guest);
	container_finish(&guest);
	CHECK_TEXT("/dev/pts/0\r\n33 101\r\n", guest.text);
	expect_exit(&guest, 3);
	end_waiting();
}

static void signals_reach_the_program(void)
{
	start_waiting(waiting);
	struct program program = {.script = "trap 'echo got; exit 4' TERM; echo on; while :; do read -r _ || :; done"};
	exec_launch(&program, container.pid, &guest);
	container_start(&guest);
	read_line(&guest);
	CHECK_EQUAL(0, syscall(SYS_pidfd_send_signal, guest.pidfd, SIGTERM, NULL, 0));
	container_finish(&guest);
	CHECK_TEXT("got\n", guest.text);
	expect_exit(&guest, 4);
	end_waiting();
}

static void it_ends_with_the_container(void)
{
	start_waiting(waiting);
	struct program program = {.script = "echo on; read -r _"};
	exec_launch(&program, container.pid, &guest);
	container_start(&guest);
	read_line(&guest);
	CHECK_EQUAL(0, syscall(SYS_pidfd_send_signal, container.pidfd, SIGKILL, NULL, 0));
	container_finish(&guest);
	CHECK_EQUAL(REPORT_EXIT, guest.last.kind);
	CHECK_EQUAL(256 + SIGKILL, guest.last.status);
	container_finish(&container);
}

static void it_ends_with_whoever_asked_for_it(void)
{
	start_waiting(waiting);
	struct program program = {.script = "echo on; exec sleep 1000"};
	exec_launch(&program, container.pid, &guest);
	container_start(&guest);
	read_line(&guest);
	close(guest.control), guest.control = -1;
	container_finish(&guest);
	CHECK_EQUAL(128 + SIGKILL, guest.status); /* its program is reaped before */
	struct program look = {.script = "sleep 0.2; ps | grep -c 'sleep 1000$'"};
	exec_run(&look, "0\n", 1);
	end_waiting();
}

/* In a process that has made no namespaces a launch plan would mount over what is the zygote's. */
static void another_kind_of_plan_is_refused(void)
{
	start_waiting(waiting);
	struct program program = {.script = "echo no", .kind = PLAN_LAUNCH + 1};
	exec_launch(&program, container.pid, &guest);
	container_finish(&guest);
	CHECK_EQUAL(REPORT_ERROR, guest.last.kind);
	CHECK_EQUAL(EBADMSG, guest.last.status);
	CHECK_EQUAL(PLAN_BAD_KIND, guest.last.detail);
	end_waiting();
}

static void a_namespace_that_did_not_come_is_refused(void)
{
	start_waiting(waiting);
	for (unsigned i = 0; i < PLAN_NAMESPACES; i++) {
		struct program program = {.script = "echo no", .not_sent = plan_namespaces[i]};
		exec_launch(&program, container.pid, &guest);
		container_finish(&guest);
		CHECK_EQUAL(REPORT_ERROR, guest.last.kind);
		CHECK_EQUAL(EBADMSG, guest.last.status);
		CHECK_EQUAL(PLAN_BAD_SLOT, guest.last.detail);
	}
	end_waiting();
}

static uint16_t kind_of_launch;

static void of_another_kind(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_LANDLOCK)
		plan->kind = kind_of_launch;
}

static void a_launch_with_a_plan_to_enter_is_refused(void)
{
	struct spec spec = shell("echo no");
	spec.more = of_another_kind;
	kind_of_launch = PLAN_EXEC;
	container_run(&engine, &spec, &other);
	CHECK_EQUAL(REPORT_ERROR, other.last.kind);
	CHECK_EQUAL(EBADMSG, other.last.status);
	CHECK_EQUAL(PLAN_BAD_KIND, other.last.detail);
}

static void a_container_that_is_gone_cannot_be_entered(void)
{
	start_waiting(waiting);
	struct program program = {.script = "echo no"};
	exec_launch(&program, container.pid, &guest);
	CHECK_EQUAL(REPORT_READY, guest.ready.kind);
	end_waiting();
	container_start(&guest); /* it has entered; nobody can be born where process 1 is gone */
	container_finish(&guest);
	CHECK_EQUAL(REPORT_ERROR, guest.last.kind);
	CHECK_EQUAL(ENOMEM, guest.last.status);
	CHECK_TEXT("", guest.text);
}

static void a_request_takes_no_more_than_its_own(void)
{
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_EXEC, .id_base = ID_BASE, .id_count = ID_COUNT};
	struct reply reply;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fds[3] = {null, null, null}, fd;
	for (uint16_t count = 0; count <= 3; count += 3) {
		request.fds = count;
		CHECK_EQUAL(-EINVAL, engine_ask(&engine, &request, fds, count, &reply, &fd));
	}
	request.fds = 1;
	request.clone_flags = CLONE_NEWNET;
	CHECK_EQUAL(-EINVAL, engine_ask(&engine, &request, fds, 1, &reply, &fd));
	request.clone_flags = 0, request.lowers = 1;
	CHECK_EQUAL(-EINVAL, engine_ask(&engine, &request, fds, 1, &reply, &fd));
	close(null);
}

const struct test exec_tests[] = {
	{"exec: in the container", it_is_in_the_container},
	{"exec: namespaces", it_is_in_every_namespace_of_it},
	{"exec: rights", it_has_the_rights_of_its_plan},
	{"exec: the network", it_changes_the_network_and_is_done},
	{"exec: seen from inside", what_enters_is_not_seen_from_inside},
	{"exec: terminal", its_terminal_is_of_the_container},
	{"exec: signals", signals_reach_the_program},
	{"exec: the container's end", it_ends_with_the_container},
	{"exec: the asker's end", it_ends_with_whoever_asked_for_it},
	{"exec: a launch plan", another_kind_of_plan_is_refused},
	{"exec: a namespace that did not come", a_namespace_that_did_not_come_is_refused},
	{"exec: launched", a_launch_with_a_plan_to_enter_is_refused},
	{"exec: too late", a_container_that_is_gone_cannot_be_entered},
	{"exec: request", a_request_takes_no_more_than_its_own},
};
const unsigned exec_test_count = sizeof exec_tests / sizeof *exec_tests;
