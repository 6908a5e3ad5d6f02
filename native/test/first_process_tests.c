/* Init: what it is while it walks the plan, and as PID 1 beside the program. */
#include "init_tests.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct container container; /* large */

static void end(void)
{
	syscall(SYS_pidfd_send_signal, container.pidfd, SIGKILL, NULL, 0);
	container_finish(&container);
}

/* The values of a line of /proc/PID/status, or "". */
static const char *status_of(int pid, const char *name)
{
	static char line[512];
	char path[64];
	size_t length = strlen(name);
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, name, length) == 0 && line[length] == ':') {
			fclose(file);
			line[strcspn(line, "\n")] = 0;
			return line + length + 1;
		}
	if (file)
		fclose(file);
	return "";
}

/* A field of /proc/PID/stat behind the name, from 0 on: the state. */
static long stat_of(int pid, unsigned field)
{
	char path[64], text[1024] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(read(fd, text, sizeof text - 1) > 0);
	close(fd);
	char *at = strrchr(text, ')') + 2;
	for (unsigned i = 0; i < field; i++)
		at = strchr(at, ' ') + 1;
	return strtol(at, NULL, 10);
}

/* ---- while it walks the plan ---- */

enum { STAT_SESSION = 3, STAT_POLICY = 38 };

/* Index of the first step of this opcode in the plan of all tests. */
static uint16_t index_of(uint8_t opcode)
{
	struct spec spec = shell("exit 0");
	container_run(&engine, &spec, &container);
	uint16_t index = 0;
	while (index < container.steps && container.opcodes[index] != opcode)
		index++;
	return index;
}

static void launch_up_to(struct engine *of, uint8_t opcode)
{
	struct spec spec = shell("exit 0");
	spec.pause_before = index_of(opcode);
	CHECK_EQUAL(0, container_launch(of, &spec, &container));
	CHECK_EQUAL(REPORT_PAUSED, container.last.kind);
}

static void is_root_inside_and_nothing_else_before_it_reaches_the_tree(void)
{
	static const gid_t groups[] = {4, 24};
	struct engine own; /* which has groups, as it has from a login */
	CHECK(setgroups(2, groups) == 0);
	CHECK(engine_start(&own, binary));
	CHECK(setgroups(0, NULL) == 0);
	launch_up_to(&own, OP_ROOT);
	CHECK_TEXT("\t1000000\t1000000\t1000000\t1000000", status_of(container.pid, "Uid"));
	CHECK_TEXT("\t1000000\t1000000\t1000000\t1000000", status_of(container.pid, "Gid"));
	CHECK_TEXT("\t ", status_of(container.pid, "Groups"));
	CHECK_TEXT("\t1", status_of(container.pid, "NoNewPrivs"));
	CHECK_EQUAL(container.pid, stat_of(container.pid, STAT_SESSION));
	end();
	engine_stop(&own);
}

static void is_not_real_time_even_if_its_engine_is(void)
{
	static const int policies[] = {SCHED_FIFO, SCHED_RR};
	struct sched_param one = {1}, none = {0};
	for (unsigned i = 0; i < 2; i++) {
		struct engine own;
		CHECK(sched_setscheduler(0, policies[i], &one) == 0);
		CHECK(engine_start(&own, binary));
		CHECK(sched_setscheduler(0, SCHED_OTHER, &none) == 0);
		CHECK_EQUAL(policies[i], stat_of(own.pid, STAT_POLICY));
		launch_up_to(&own, OP_PRIVATE);
		CHECK_EQUAL(SCHED_OTHER, stat_of(container.pid, STAT_POLICY));
		end();
		engine_stop(&own);
	}
}

/* /proc/PID/personality, proc(5). */
static unsigned personality_of(int pid)
{
	char path[64];
	unsigned flags = ~0U;
	snprintf(path, sizeof path, "/proc/%d/personality", pid);
	FILE *file = fopen(path, "re");
	CHECK(file && fscanf(file, "%x", &flags) == 1);
	if (file)
		fclose(file);
	return flags;
}

static void has_its_addresses_at_random_even_if_its_engine_has_not(void)
{
	struct engine own;
	CHECK(personality(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC) >= 0);
	CHECK(engine_start(&own, binary));
	CHECK(personality(PER_LINUX) >= 0);
	CHECK_EQUAL((unsigned)ADDR_NO_RANDOMIZE, personality_of(own.pid) & ADDR_NO_RANDOMIZE);
	launch_up_to(&own, OP_PRIVATE);
	CHECK_EQUAL((unsigned)PER_LINUX, personality_of(container.pid));
	end();
	engine_stop(&own);
}

/* The engine has ended when the plan comes: not a step behind SEAL is done, and no tree of it is built. */
static void takes_no_plan_of_another_size(void)
{
	static const struct {
		uint32_t bytes;
		int error;
	} plans[] = {{sizeof(struct plan_header) - 1, EFBIG}, {sizeof(struct plan_header), EBADMSG}, {PLAN_MAX_BYTES, EBADMSG}, {PLAN_MAX_BYTES + 1, EFBIG}};
	for (unsigned i = 0; i < sizeof plans / sizeof *plans; i++) {
		struct spec spec = shell("echo ran");
		spec.plan_bytes = plans[i].bytes;
		container_run(&engine, &spec, &container);
		expect_error(&container, PHASE_SEAL, OP_SEAL, plans[i].error);
		CHECK_EQUAL(plans[i].error == EBADMSG ? PLAN_BAD_LENGTH : PLAN_OK, container.last.detail);
	}
}

/* Something in the root's place, and nothing in that of the group. */
static void no_group(struct handover *handover)
{
	handover->count--;
	handover->slot[handover->count - 1] = handover->slot[handover->count];
}

static void no_root(struct handover *handover) { handover->count--; }

static void takes_no_plan_without_its_descriptors(void)
{
	static void (*const spoiled[])(struct handover *) = {no_group, no_root};
	for (unsigned i = 0; i < 2; i++) {
		struct spec spec = shell("echo ran");
		spec.tasks[0] = i == 0 ? open("/dev/null", O_WRONLY | O_CLOEXEC) : 0, spec.spoil = spoiled[i];
		container_run(&engine, &spec, &container);
		CHECK_EQUAL(REPORT_ERROR, container.last.kind);
		CHECK_EQUAL(EBADMSG, container.last.status);
		CHECK_EQUAL(PLAN_BAD_SLOT, container.last.detail);
		if (spec.tasks[0])
			close(spec.tasks[0]);
	}
}

static void starts_at_the_word_alone(void)
{
	static const uint8_t start_and_more[] = {CONTROL_START, 0}, other[] = {CONTROL_START_ALONE + 1};
	for (int i = 0; i < 3; i++) {
		struct spec spec = shell("echo ran");
		CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
		CHECK(send(container.control, i == 0 ? start_and_more : other, i == 0 ? 2 : i == 1 ? 1 : 0, MSG_NOSIGNAL) >= 0);
		container_finish(&container);
		CHECK_EQUAL(125, container.status);
		CHECK_TEXT("", container.text);
	}
}

static void does_nothing_for_an_engine_that_is_gone(void)
{
	char upper[256], path[300];
	snprintf(upper, sizeof upper, "%s/gone", test_directory());
	CHECK(mkdir(upper, 0700) == 0);
	for (int leaves = 1; leaves >= 0; leaves--) {
		struct spec spec = shell("exit 0");
		spec.root_kind = ROOT_OVERLAY, spec.upper = upper, spec.leaves_at_handover = leaves;
		container_run(&engine, &spec, &container);
		CHECK_EQUAL(leaves ? 125 : 0, container.status);
		snprintf(path, sizeof path, "%s/upper/etc/hostname", upper);
		CHECK_EQUAL(leaves ? -1 : 0, access(path, F_OK));
	}
}

/* ---- as PID 1 ---- */

static void run_until_ready(const struct spec *spec)
{
	char byte = 0;
	CHECK_EQUAL(0, container_launch(&engine, spec, &container));
	container_start(&container);
	CHECK(read(container.output, &byte, 1) == 1 && byte == 'r');
}

/* What may be in memory: everything that is mapped and can be read. */
static bool has_in_memory(int pid, const char *text)
{
	static char page[1 << 16];
	char path[64], line[512];
	bool found = false;
	unsigned long from, to;
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	int memory = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	FILE *maps = fopen(path, "re");
	CHECK(memory >= 0 && maps);
	while (maps && fgets(line, sizeof line, maps)) {
		CHECK(sscanf(line, "%lx-%lx", &from, &to) == 2);
		for (ssize_t length; from < to && (length = pread(memory, page, sizeof page, (off_t)from)) > 0; from += (unsigned long)length)
			found |= memmem(page, (size_t)length, text, strlen(text)) != NULL;
	}
	if (maps)
		fclose(maps);
	close(memory);
	return found;
}

static void has_forgotten_the_secrets_of_the_program(void)
{
	static const char *const environment[] = {"PATH=/bin", "SECRET=only-the-program-knows", NULL};
	struct spec spec = shell("echo r; exec sleep 30");
	spec.environment = environment;
	run_until_ready(&spec);
	CHECK(!has_in_memory(container.pid, "only-the-program-knows"));
	CHECK(has_in_memory(container.pid, "/bin/sh")); /* the program's name: it was looked at */
	end();
}

static void keeps_the_right_to_signal_where_the_program_can_change_its_user_alone(void)
{
	static const struct {
		uint64_t has;
		const char *keeps;
	} caps[] = {{0x5fb, "\t0000000000000020"}, {0x20, "\t0000000000000000"}, {0x80, "\t0000000000000000"}, {0xa0, "\t0000000000000020"}};
	for (unsigned i = 0; i < sizeof caps / sizeof *caps; i++) {
		struct spec spec = shell("echo r; exec sleep 30");
		spec.caps = caps[i].has, spec.keep_privileges_open = true;
		run_until_ready(&spec);
		CHECK_TEXT(caps[i].keeps, status_of(container.pid, "CapPrm"));
		CHECK_TEXT(caps[i].keeps, status_of(container.pid, "CapEff"));
		CHECK_TEXT("\t0000000000000000", status_of(container.pid, "CapInh"));
		CHECK_TEXT("\t1", status_of(container.pid, "NoNewPrivs")); /* also where its program may gain some */
		CHECK_TEXT("\t2", status_of(container.pid, "Seccomp"));
		end();
	}
}

/* Both last for many ticks of the clock: the kernel tells them apart by what a tick finds. */
static void tells_both_kinds_of_processor_time(void)
{
	struct spec spec = shell("head -c 600000000 /dev/zero > /dev/null; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done");
	container_run(&engine, &spec, &container);
	expect_exit(&container, 0);
	CHECK(container.last.user_micros > 1000 && container.last.user_micros < 20000000);
	CHECK(container.last.system_micros > 1000 && container.last.system_micros < 20000000);
}

/* ---- what stood in the way of a program ---- */

static void expect_obstacles(struct spec *spec, uint32_t obstacles)
{
	container_run(&engine, spec, &container);
	CHECK_EQUAL(REPORT_EXIT, container.last.kind);
	CHECK_EQUAL(obstacles, container.last.detail);
}

static void tells_which_file_system_was_full(void)
{
	static const struct {
		const char *script;
		uint32_t obstacles;
	} cases[] = {
		{"exit 1", 0},
		{"head -c 20000000 /dev/zero > /x; exit 1", OBSTACLE_ROOT_FULL},
		{"head -c 20000000 /dev/zero > /x; exit 0", 0}, /* it has come through */
		{"head -c 20000000 /dev/zero > /dev/shm/x; exit 1", OBSTACLE_SHM_FULL},
		{"i=0; while : > /dev/shm/$i; do i=$((i+1)); done; exit 1", OBSTACLE_SHM_FULL}, /* no file is left */
		{"head -c 20000000 /dev/zero > /x; head -c 20000000 /dev/zero > /dev/shm/x; exit 1", OBSTACLE_ROOT_FULL | OBSTACLE_SHM_FULL},
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		char script[256]; /* a `:` that cannot write ends its shell */
		snprintf(script, sizeof script, "(%s) 2>/dev/null; exit %d", cases[i].script, i == 2 ? 0 : 1);
		struct spec spec = shell(script);
		expect_obstacles(&spec, cases[i].obstacles);
	}
}

static void set_id(const char *root, uint32_t uid, uint32_t gid, mode_t mode)
{
	char path[256];
	snprintf(path, sizeof path, "%s/bin/ps", root);
	unlink(path);
	int in = open("/bin/busybox", O_RDONLY | O_CLOEXEC), out = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	ssize_t copied, size = 0; /* by sendfile, because the root may be on another file system */
	while ((copied = sendfile(out, in, NULL, 4 << 20)) > 0)
		size += copied;
	CHECK(copied == 0 && size > 0);
	CHECK(fchown(out, uid, gid) == 0 && fchmod(out, mode) == 0);
	close(in), close(out);
}

static void tells_of_a_set_id_program_without_effect(void)
{
	static const struct {
		uint32_t uid, gid;
		mode_t mode;
		bool open;
		uint32_t obstacles;
	} cases[] = {
		{0, 0, 04755, false, OBSTACLE_SET_ID}, {0, 0, 0755, false, 0}, {1000, 0, 04755, false, 0},
		{0, 0, 02755, false, OBSTACLE_SET_ID}, {0, 1000, 02755, false, 0}, {0, 0, 02745, false, 0}, /* not executable by its group */
		{0, 0, 04755, true, 0}, /* it has its effect */
	};
	static const char *const argv[] = {"/bin/ps", "--no-such-option", NULL};
	const char *root = test_root("set-id");
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		set_id(root, cases[i].uid, cases[i].gid, cases[i].mode);
		struct spec spec = shell("");
		spec.root = root, spec.argv = argv, spec.uid = spec.gid = 1000, spec.keep_privileges_open = cases[i].open;
		expect_obstacles(&spec, cases[i].obstacles);
	}
}

/* ---- the program's words ---- */

static void arguments_and_variables_come_as_they_are(void)
{
	static const char *const argv[] = {"sh", "-c", "echo $#; for a; do echo \"<$a>\"; done; env | grep -v -e PWD -e SHLVL", "x", "", "two words", "=", NULL};
	static const char *const environment[] = {"PATH=/bin", "EMPTY=", "A=b=c", NULL};
	static const char *const none[] = {NULL}, *const alone[] = {"/bin/env", NULL};
	struct spec spec = shell("");
	spec.argv = argv, spec.environment = environment;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("3\n<>\n<two words>\n<=>\nA=b=c\nPATH=/bin\nEMPTY=\n", container.text);
	spec.argv = alone, spec.environment = none, spec.no_init = true;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("", container.text);
	CHECK_EQUAL(0, container.status);
}

const struct test first_process_tests[] = {
	{"ids before the tree", is_root_inside_and_nothing_else_before_it_reaches_the_tree},
	{"real time", is_not_real_time_even_if_its_engine_is},
	{"personality", has_its_addresses_at_random_even_if_its_engine_has_not},
	{"size of a plan", takes_no_plan_of_another_size},
	{"descriptors of a plan", takes_no_plan_without_its_descriptors},
	{"word to start", starts_at_the_word_alone},
	{"engine gone", does_nothing_for_an_engine_that_is_gone},
	{"secrets", has_forgotten_the_secrets_of_the_program},
	{"right to signal", keeps_the_right_to_signal_where_the_program_can_change_its_user_alone},
	{"both times", tells_both_kinds_of_processor_time},
	{"full file systems", tells_which_file_system_was_full},
	{"set-id program", tells_of_a_set_id_program_without_effect},
	{"words", arguments_and_variables_come_as_they_are},
};
const unsigned first_process_test_count = sizeof first_process_tests / sizeof *first_process_tests;
