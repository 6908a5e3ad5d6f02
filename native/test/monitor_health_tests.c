/* Health checks: probes, what they lead to, and the file of their results. */
#include "monitor_tests.h"
#include "../kernel.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct monitor_health_log results; /* large */
static struct monitor_health want;
static int kill_file, freezer_file;

/* What a probe of a test runs. */
struct probe {
	const char *path, *script; /* sh -c script, if there is no path */
};

/* ---- a container with health checks ---- */

static const struct monitor_health usual = {.interval_millis = 40, .timeout_millis = 10000, .start_interval_millis = 20, .retries = 2,
	.namespaces = CLONE_NEWUSER | CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS,
	.slots = SLOT_FIRST_FREE + 7, .oom_score = 321};

static int probe_plan(const struct probe *probe)
{
	static const char *const environment[] = {"PATH=/bin", NULL};
	const char *argv[] = {probe->path ? probe->path : "sh", "-c", probe->script, NULL};
	struct builder plan;
	builder_start(&plan, want.slots);
	plan.kind = PLAN_EXEC;
	builder_step(&plan, PHASE_SEAL, OP_SEAL);
	builder_step(&plan, PHASE_MAPPED, OP_ENTER), put_u32(&plan, want.namespaces);
	for (uint16_t i = 0, slot = SLOT_FIRST_FREE; i < PLAN_NAMESPACES; i++)
		if (want.namespaces & plan_namespaces[i])
			put_u16(&plan, slot++);
	builder_step(&plan, PHASE_MAPPED, OP_MAPPED);
	builder_step(&plan, PHASE_MAPPED, OP_NO_NEW_PRIVS);
	builder_step(&plan, PHASE_LIMITS, OP_KEYRING);
	builder_step(&plan, PHASE_CAPS, OP_CAPS), put_u64(&plan, 0x5fb), put_u64(&plan, 0x5fb);
	put_u32(&plan, 0), put_u32(&plan, 0), put_u32(&plan, 0);
	builder_step(&plan, PHASE_READY, OP_READY), put_text(&plan, "/tmp");
	builder_step(&plan, PHASE_FILTER, OP_EXEC), put_u8(&plan, 1), put_u8(&plan, 0), put_text(&plan, "/bin");
	put_list(&plan, argv), put_list(&plan, environment);
	builder_finish(&plan);
	int file = sealed_plan(&plan, 0);
	builder_free(&plan);
	return file;
}

static struct monitor_policy policy = {.stop_signal = SIGTERM, .stop_millis = 10000};

static void with_health(struct monitor_setup *setup)
{
	setup->health = want;
	setup->policy = policy;
}

static bool begin_with(const char *script, const struct probe *probe, struct monitor_health health)
{
	struct spec spec = shell(script);
	want = health;
	spec.probe = probe_plan(probe);
	spec.probe_kill = kill_file = memfd_create("kill", MFD_CLOEXEC);
	spec.freezer_v1 = freezer_file = memfd_create("freezer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bool stands = watched_begin(&watched, &engine, binary, &spec, with_health);
	close(spec.probe);
	return stands;
}

static void end(void)
{
	watched_end(&watched);
	close(kill_file), close(freezer_file);
}

static bool read_results(void)
{
	int file = openat(watched.log, MONITOR_HEALTH_FILE, O_RDONLY | O_CLOEXEC);
	bool whole = file >= 0 && read(file, &results, sizeof results) == sizeof results;
	if (file >= 0)
		close(file);
	return whole && results.magic == PLAN_MAGIC && results.version == MONITOR_VERSION;
}

static const struct monitor_probe *newest(void) { return &results.probe[results.count > 0 ? results.count - 1 : 0]; }

/* Waits until a probe that began after `millis` has ended, and reads the results. */
static bool await_probe_after(uint64_t millis)
{
	for (int tries = 0; tries < 2000; tries++) {
		if (read_results() && results.count > 0 && newest()->started_millis > millis)
			return true;
		usleep(5000);
	}
	return false;
}

static bool await_flag(uint32_t flag)
{
	for (int tries = 0; tries < 2000; tries++) {
		if (state_of(watched.socket).flags & flag)
			return true;
		usleep(5000);
	}
	return false;
}

static void check_output(const char *expected)
{
	char text[HEALTH_OUTPUT + 1] = "";
	memcpy(text, newest()->output, newest()->length);
	CHECK_TEXT(expected, text);
}

/* Of the only probe of a container. */
static void check_one(const struct probe *probe, uint32_t timeout_millis, int code, const char *output)
{
	struct monitor_health health = usual;
	health.interval_millis = health.start_interval_millis = 20, health.timeout_millis = timeout_millis;
	CHECK(begin_with(UNTIL_KILLED, probe, health));
	CHECK_EQUAL(0, start());
	CHECK(await_probe_after(0));
	CHECK_EQUAL(code, newest()->code);
	if (output)
		check_output(output);
	end();
}

/* ---- states ---- */

/* Its program decides by a file what probes exit with. */
static const char tells[] = "cd /tmp; trap 'echo 0 >new; mv new code' USR1; trap 'echo 3 >new; mv new code' USR2; " UNTIL_KILLED;
static const struct probe asks = {.script = "echo out; echo err >&2; exit $(cat code 2>/dev/null || echo 3)"};

static void tell(int number, uint32_t flag)
{
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_SIGNAL, (uint32_t)number, NULL, 0, NULL, 0));
	CHECK(await_flag(flag));
	CHECK(read_results());
}

static void a_container_is_starting_then_healthy_or_not(void)
{
	struct monitor_health health = usual;
	health.start_millis = 1000000;
	CHECK(begin_with(tells, &asks, health));
	CHECK_EQUAL(0, state_of(watched.socket).flags & (STATE_HEALTH_STARTING | STATE_HEALTHY | STATE_UNHEALTHY));
	CHECK_EQUAL(0, start());
	CHECK_EQUAL(STATE_HEALTH_STARTING, state_of(watched.socket).flags & STATE_HEALTH_STARTING);
	CHECK(await_probe_after(0) && await_probe_after(newest()->started_millis) && await_probe_after(newest()->started_millis));
	CHECK_EQUAL(0, results.streak); /* failures at the start do not count */
	CHECK_EQUAL(0, results.changes);
	CHECK_EQUAL(STATE_HEALTH_STARTING, state_of(watched.socket).flags & (STATE_HEALTH_STARTING | STATE_HEALTHY | STATE_UNHEALTHY));
	CHECK_EQUAL(3, newest()->code);
	check_output("out\nerr\n");
	CHECK(newest()->finished_millis >= newest()->started_millis && newest()->finished_millis < newest()->started_millis + 20000);
	tell(SIGUSR1, STATE_HEALTHY);
	CHECK_EQUAL(STATE_HEALTHY, state_of(watched.socket).flags & (STATE_HEALTH_STARTING | STATE_HEALTHY | STATE_UNHEALTHY));
	tell(SIGUSR2, STATE_UNHEALTHY); /* the start is over with the first success */
	CHECK(results.streak >= 2 && newest()->code == 3);
	CHECK_EQUAL(STATE_UNHEALTHY, state_of(watched.socket).flags & (STATE_HEALTH_STARTING | STATE_HEALTHY | STATE_UNHEALTHY));
	tell(SIGUSR1, STATE_HEALTHY);
	CHECK(await_probe_after(newest()->started_millis) && results.streak == 0);
	CHECK(await_probe_after(newest()->started_millis) && await_probe_after(newest()->started_millis));
	CHECK_EQUAL(HEALTH_PROBES, results.count);
	for (unsigned i = 1; i < results.count; i++)
		CHECK(results.probe[i].started_millis >= results.probe[i - 1].finished_millis + 30); /* the interval, but for rounding */
	CHECK_EQUAL(3, results.changes);
	for (unsigned i = 0; i < results.changes; i++)
		CHECK_EQUAL(i == 1 ? STATE_UNHEALTHY : STATE_HEALTHY, results.change[i].state);
	end();
}

/* Each result is written with the change that it makes. */
static void as_many_failures_as_were_asked_for_make_it_unhealthy(void)
{
	struct monitor_health health = usual;
	health.retries = 3, health.interval_millis = 150;
	CHECK(begin_with(UNTIL_KILLED, &(struct probe){.script = "exit 1"}, health));
	CHECK_EQUAL(0, start());
	CHECK(await_flag(STATE_UNHEALTHY));
	for (int tries = 0; tries < 2000 && (!read_results() || results.changes == 0); tries++)
		usleep(1000);
	CHECK(results.count >= 3 && results.changes == 1);
	CHECK(results.change[0].millis > results.probe[1].finished_millis && results.change[0].millis <= results.probe[2].finished_millis);
	end();
}

static void no_probe_runs_while_the_container_is_paused(void)
{
	static const struct probe probe = {.script = "true"};
	struct monitor_probe last;
	CHECK(begin_with(UNTIL_KILLED, &probe, usual));
	CHECK_EQUAL(0, start());
	CHECK(await_flag(STATE_HEALTHY));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_PAUSE, 0, NULL, 0, NULL, 0));
	CHECK(read_results());
	last = *newest();
	usleep(200000);
	CHECK(read_results());
	CHECK_EQUAL(last.started_millis, newest()->started_millis);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_UNPAUSE, 0, NULL, 0, NULL, 0));
	CHECK(await_probe_after(last.started_millis));
	end();
}

/* The container goes on, and so do its probes. */
static void a_pause_that_fails_does_not_end_health_checks(void)
{
	static const struct probe probe = {.script = "true"};
	CHECK(begin_with(UNTIL_KILLED, &probe, usual));
	CHECK_EQUAL(0, start());
	CHECK(await_flag(STATE_HEALTHY) && read_results());
	CHECK_EQUAL(0, fcntl(freezer_file, F_ADD_SEALS, F_SEAL_WRITE));
	CHECK_EQUAL(EPERM, ask_op(watched.socket, MONITOR_PAUSE, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(MONITOR_RUNNING, state_of(watched.socket).phase);
	uint64_t last = newest()->started_millis;
	CHECK(await_probe_after(last) && await_probe_after(newest()->started_millis));
	end();
}

static void a_container_that_has_ended_is_not_healthy(void)
{
	static const struct probe probe = {.script = "true"};
	struct monitor_state state;
	char word = 0;
	CHECK(begin_with("trap 'exit 6' TERM; " UNTIL_KILLED, &probe, usual));
	CHECK_EQUAL(0, start());
	CHECK(await_flag(STATE_HEALTHY));
	CHECK(pread(kill_file, &word, 1, 0) == 1 && word == '1');
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, NULL, 0, &state, sizeof state));
	CHECK_EQUAL(6, state.status);
	CHECK_EQUAL(STATE_UNHEALTHY, state.flags & (STATE_HEALTH_STARTING | STATE_HEALTHY | STATE_UNHEALTHY));
	CHECK(read_results());
	uint64_t last = newest()->started_millis;
	usleep(100000);
	CHECK(read_results() && newest()->started_millis == last);
	end();
}

/* Descriptors and children of the monitor. */
static unsigned held(void)
{
	char path[64], text[256] = "";
	unsigned count = 0;
	int pid = watched.created.monitor_pid;
	for (int fd = 0; fd < 200; fd++) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
		count += faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	}
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(read(file, text, sizeof text - 1) >= 0);
	close(file);
	for (const char *at = text; *at; at++)
		count += *at == ' ';
	return count;
}

/* The monitor has it killed at once, and waits for it: else it would be a child that has ended. */
static void a_probe_that_runs_ends_with_a_pause(void)
{
	struct monitor_health health = usual;
	char word = 0;
	health.interval_millis = 1000;
	CHECK(begin_with(UNTIL_KILLED, &(struct probe){.script = "exec sleep 1000"}, health));
	CHECK_EQUAL(0, start());
	unsigned without = held(), with = without;
	for (int tries = 0; tries < 2000 && (with = held()) != without + 4; tries++)
		usleep(5000); /* a file that it writes may be open for a moment */
	CHECK_EQUAL(without + 4, with); /* the process, its pidfd, its socket and its output */
	CHECK_EQUAL(0, pread(kill_file, &word, 1, 0));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_PAUSE, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(without, held());
	CHECK(pread(kill_file, &word, 1, 0) == 1 && word == '1');
	CHECK(!read_results() || results.count == 0); /* it has no result */
	end();
}

static void probes_leave_nothing_behind(void)
{
	static const struct probe probe = {.script = "true"};
	static struct message message;
	CHECK(begin_with(UNTIL_KILLED, &probe, usual));
	unsigned before = held();
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_WATCH, WATCH_STATE, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, start());
	struct monitor_state state = {0};
	while (!(state.flags & STATE_HEALTHY) && next_message(watched.socket, &message)) /* it is told, not asked for */
		if (message.header.op == NOTICE_STATE)
			memcpy(&state, message.payload, sizeof state);
	CHECK(state.flags & STATE_HEALTHY);
	for (int i = 0; i < 5; i++)
		CHECK(await_probe_after(i == 0 ? 0 : newest()->started_millis));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, &(struct monitor_stop){SIGKILL, 0}, sizeof(struct monitor_stop), NULL, 0));
	CHECK_EQUAL(before, held());
	end();
}

/* ---- what follows ---- */

static struct monitor_state unhealthy(uint32_t on_failure, const char *script)
{
	static const struct probe probe = {.script = "exit 1"};
	struct monitor_health health = usual;
	health.on_failure = on_failure;
	CHECK(begin_with(script, &probe, health));
	CHECK_EQUAL(0, start());
	struct monitor_state state = on_failure == ON_FAILURE_RESTART ? state_of(watched.socket) : await_phase(watched.socket, MONITOR_EXITED);
	for (int tries = 0; tries < 2000 && on_failure == ON_FAILURE_RESTART && state.generation < 2; tries++) {
		usleep(5000);
		state = state_of(watched.socket);
	}
	return state;
}

static void an_unhealthy_container_is_killed_stopped_or_restarted(void)
{
	static const char ends[] = "trap 'exit 5' TERM; " UNTIL_KILLED;
	struct monitor_state state = unhealthy(ON_FAILURE_KILL, ends);
	CHECK_EQUAL(256 + SIGKILL, state.status);
	CHECK_EQUAL(STATE_UNHEALTHY, state.flags & (STATE_UNHEALTHY | STATE_STOPPED));
	CHECK(read_results() && results.streak >= 2 && results.count >= 2);
	end();
	policy.restart = RESTART_ALWAYS;
	state = unhealthy(ON_FAILURE_STOP, ends);
	CHECK_EQUAL(5, state.status);
	CHECK_EQUAL(1, state.generation); /* whatever the policy */
	end();
	state = unhealthy(ON_FAILURE_RESTART, ends);
	CHECK_EQUAL(5, state.status);
	CHECK_EQUAL(2, state.generation);
	CHECK(read_results());
	end();
	policy.restart = RESTART_NO;
	unhealthy(ON_FAILURE_NONE, "sleep 0.5");
	CHECK_EQUAL(0, state_of(watched.socket).status);
	end();
}

/* ---- a probe ---- */

static void a_probe_that_takes_too_long_is_killed(void)
{
	/* long enough for its first word on a loaded machine */
	check_one(&(struct probe){.script = "echo first; exec sleep 1000"}, 1500, -1, "Health check exceeded timeout (1500ms): first\n");
	check_one(&(struct probe){.script = "exec sleep 1000"}, 60, -1, "Health check exceeded timeout (60ms)");
	struct monitor_health health = usual;
	health.timeout_millis = 1000;
	CHECK(begin_with(UNTIL_KILLED, &(struct probe){.script = "exec sleep 1000"}, health));
	CHECK_EQUAL(0, start());
	CHECK(await_probe_after(0));
	CHECK(newest()->finished_millis >= newest()->started_millis + 990);
	check_output("Health check exceeded timeout (1s)");
	end();
}

static void a_probe_that_cannot_run_says_why(void)
{
	check_one(&(struct probe){.path = "/none"}, usual.timeout_millis, 127, "the health check's command cannot be run: error 2");
	check_one(&(struct probe){.path = "/etc/hostname"}, usual.timeout_millis, 126, "the health check's command cannot be run: error 13");
	check_one(&(struct probe){.script = "kill -9 $$"}, usual.timeout_millis, 128 + SIGKILL, "");
}

static void the_output_of_a_probe_is_bounded(void)
{
	/* more than a pipe holds, which somebody has to read */
	static const char script[] = "i=0; while [ $i -lt 1000 ]; do echo 0123456; i=$((i+1)); done; head -c 100000 /dev/zero; exit 7";
	CHECK(begin_with(UNTIL_KILLED, &(struct probe){.script = script}, usual));
	CHECK_EQUAL(0, start());
	CHECK(await_probe_after(0));
	CHECK_EQUAL(7, newest()->code);
	CHECK_EQUAL(HEALTH_OUTPUT, newest()->length);
	CHECK(memcmp(newest()->output + HEALTH_OUTPUT - 16, "0123456\n0123456\n", 16) == 0);
	end();
}

static void a_probe_is_in_the_container_with_its_own_oom_score(void)
{
	check_one(&(struct probe){.script = "hostname; pwd; cat /proc/self/oom_score_adj; read -r _ || echo end"}, usual.timeout_millis, 0,
		  "boxed\n/tmp\n321\nend\n");
}

/* ---- values that are taken out ---- */

/* A table of one value, with a filter and buckets that let everything through. */
static int table_of(const char *value, const char *word)
{
	struct {
		struct redaction_table head;
		uint64_t filter[1];
		uint32_t bucket[16];
		struct redaction_pattern pattern;
		struct redaction_word word;
		char bytes[64];
	} __attribute__((packed)) table = {.filter = {~0ull}};
	uint32_t at = (uint32_t)((char *)table.bytes - (char *)&table), length = (uint32_t)strlen(value), put = (uint32_t)strlen(word);
	table.head = (struct redaction_table){.magic = PLAN_MAGIC, .size = at + length + put, .key = 1, .filter_bits = 6, .bucket_bits = 4,
		.patterns = 1, .words = 1};
	table.pattern = (struct redaction_pattern){.next = UINT32_MAX, .at = at, .length = (uint16_t)length, .word = 0};
	table.word = (struct redaction_word){.at = at + length, .length = put};
	memcpy(table.bytes, value, length);
	memcpy(table.bytes + length, word, put);
	int file = memfd_create("table", MFD_CLOEXEC);
	CHECK(write(file, &table, table.head.size) == (ssize_t)table.head.size);
	return file;
}

/* In whatever pieces it comes; what only begins like it is kept. */
static void a_value_is_taken_out_of_the_output_of_a_probe(void)
{
	static const char script[] = "printf 'a value-of-the-test b value-of'; sleep 0.1; printf -- '-the-test c value-of-'";
	static struct message reply;
	struct monitor_header header = {.op = MONITOR_REDACT, .version = MONITOR_VERSION};
	int table = table_of("value-of-the-test", "[db]");
	CHECK(begin_with(UNTIL_KILLED, &(struct probe){.script = script}, usual));
	CHECK(engine_send(watched.socket, &header, sizeof header, &table, 1) > 0);
	CHECK_EQUAL(0, await_reply(watched.socket, MONITOR_REDACT, &reply));
	close(table);
	CHECK_EQUAL(0, start());
	CHECK(await_probe_after(0));
	check_output("a [db] b [db] c value-of-");
	end();
}

/* ---- the file ---- */

/* The oldest results and changes go. */
static void a_full_file_goes_on(void)
{
	static struct monitor_health_log full;
	struct monitor_health health = usual;
	health.interval_millis = 1500;
	full.magic = PLAN_MAGIC, full.count = HEALTH_PROBES, full.changes = HEALTH_CHANGES;
	for (unsigned i = 0; i < HEALTH_PROBES; i++)
		full.probe[i].started_millis = i + 1;
	for (unsigned i = 0; i < HEALTH_CHANGES; i++)
		full.change[i].millis = i + 1, full.change[i].state = STATE_UNHEALTHY;
	CHECK(begin_with(UNTIL_KILLED, &(struct probe){.script = "true"}, health));
	int file = openat(watched.log, MONITOR_HEALTH_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(write(file, &full, sizeof full) == sizeof full);
	close(file);
	CHECK_EQUAL(0, start());
	CHECK(await_probe_after(HEALTH_PROBES));
	CHECK_EQUAL(HEALTH_PROBES, results.count);
	for (unsigned i = 0; i + 1 < HEALTH_PROBES; i++)
		CHECK_EQUAL(i + 2, results.probe[i].started_millis);
	CHECK_EQUAL(HEALTH_CHANGES, results.changes);
	for (unsigned i = 0; i + 1 < HEALTH_CHANGES; i++)
		CHECK(results.change[i].millis == i + 2 && results.change[i].state == STATE_UNHEALTHY);
	CHECK_EQUAL(STATE_HEALTHY, results.change[HEALTH_CHANGES - 1].state);
	end();
}

static void results_that_cannot_be_written_are_not_left_old(void)
{
	static const struct probe probe = {.script = "true"};
	CHECK(begin_with(UNTIL_KILLED, &probe, usual));
	CHECK_EQUAL(0, start());
	CHECK(await_probe_after(0));
	CHECK_EQUAL(0, mkdirat(watched.log, ".health", 0700));
	for (int tries = 0; tries < 1000 && faccessat(watched.log, MONITOR_HEALTH_FILE, F_OK, 0) == 0; tries++)
		usleep(5000);
	CHECK(faccessat(watched.log, MONITOR_HEALTH_FILE, F_OK, 0) < 0);
	CHECK_EQUAL(0, unlinkat(watched.log, ".health", AT_REMOVEDIR));
	CHECK(await_probe_after(0));
	CHECK(faccessat(watched.log, ".health", F_OK, 0) < 0);
	end();
}

static void a_file_that_is_not_its_own_is_begun_anew(void)
{
	static const struct probe probe = {.script = "true"};
	static struct monitor_health_log bad[3];
	bad[0].magic = PLAN_MAGIC, bad[0].count = HEALTH_PROBES + 1;
	bad[1].magic = 1, bad[1].count = 2;
	bad[2].magic = PLAN_MAGIC, bad[2].count = 2;
	for (unsigned i = 0; i < 3; i++) {
		CHECK(begin_with(UNTIL_KILLED, &probe, usual));
		int file = openat(watched.log, MONITOR_HEALTH_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		size_t length = sizeof *bad - (i == 2);
		CHECK(write(file, &bad[i], length) == (ssize_t)length);
		close(file);
		CHECK_EQUAL(0, start());
		CHECK(await_probe_after(0));
		CHECK(results.count < 3 && results.probe[0].started_millis > 0);
		end();
	}
}

static void the_next_run_counts_anew_and_keeps_results(void)
{
	static const struct probe probe = {.script = "exit 1"};
	struct monitor_health health = usual;
	CHECK(begin_with("trap 'exit 5' TERM; " UNTIL_KILLED, &probe, health));
	CHECK_EQUAL(0, start());
	CHECK(await_flag(STATE_UNHEALTHY));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, NULL, 0, NULL, 0));
	CHECK(read_results() && results.streak >= 2);
	unsigned count = results.count;
	CHECK_EQUAL(0, start());
	CHECK(read_results());
	CHECK(results.streak < 2 && results.count >= count);
	CHECK(await_flag(STATE_UNHEALTHY));
	end();
}

/* ---- what SETUP refuses ---- */

static void refused(struct monitor_health health, int error)
{
	static const struct probe probe = {.script = "true"};
	struct monitor_health before = health;
	health.slots = usual.slots, health.namespaces = usual.namespaces;
	struct spec spec = shell("true");
	want = health;
	spec.probe = probe_plan(&probe);
	spec.probe_kill = memfd_create("kill", MFD_CLOEXEC);
	want = before;
	CHECK(!watched_begin(&watched, &engine, binary, &spec, with_health));
	CHECK_EQUAL(error, watched.error);
	CHECK_EQUAL(SETUP_MESSAGE, watched.stage);
	close(spec.probe), close(spec.probe_kill);
	watched_end(&watched);
}

static void health_that_makes_no_sense_is_refused(void)
{
	struct monitor_health health[] = {usual, usual, usual, usual, usual, usual, usual, usual, usual, usual, usual, {0}};
	health[0].timeout_millis = 0, health[1].start_interval_millis = 0, health[2].retries = 0;
	health[3].on_failure = ON_FAILURE_STOP + 1, health[4].reserved = 1, health[5].namespaces |= 1, health[6].slots--;
	health[7].slots = PLAN_MAX_SLOTS + 1, health[8].oom_score = -1001, health[9].oom_score = 1001, health[10].interval_millis = 0;
	for (unsigned i = 0; i < 11; i++)
		refused(health[i], EINVAL);
	refused(health[11], EBADMSG); /* descriptors for probes, and none */
	for (int score = -1000; score <= 1000; score += 2000) {
		struct monitor_health most = usual;
		most.oom_score = score;
		CHECK(begin_with("true", &(struct probe){.script = "true"}, most));
		end();
	}
}

const struct test monitor_health_tests[] = {
	{"health: starting, healthy, unhealthy", a_container_is_starting_then_healthy_or_not},
	{"health: how many failures", as_many_failures_as_were_asked_for_make_it_unhealthy},
	{"health: paused meanwhile", a_probe_that_runs_ends_with_a_pause},
	{"health: paused", no_probe_runs_while_the_container_is_paused},
	{"health: a pause that fails", a_pause_that_fails_does_not_end_health_checks},
	{"health: ended", a_container_that_has_ended_is_not_healthy},
	{"health: what is left", probes_leave_nothing_behind},
	{"health: what follows", an_unhealthy_container_is_killed_stopped_or_restarted},
	{"health: timeout", a_probe_that_takes_too_long_is_killed},
	{"health: cannot run", a_probe_that_cannot_run_says_why},
	{"health: output", the_output_of_a_probe_is_bounded},
	{"health: in the container", a_probe_is_in_the_container_with_its_own_oom_score},
	{"health: values", a_value_is_taken_out_of_the_output_of_a_probe},
	{"health: a full file", a_full_file_goes_on},
	{"health: no place for results", results_that_cannot_be_written_are_not_left_old},
	{"health: another's file", a_file_that_is_not_its_own_is_begun_anew},
	{"health: the next run", the_next_run_counts_anew_and_keeps_results},
	{"health: refused", health_that_makes_no_sense_is_refused},
};
const unsigned monitor_health_test_count = sizeof monitor_health_tests / sizeof *monitor_health_tests;
