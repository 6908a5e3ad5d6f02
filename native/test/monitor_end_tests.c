/* Exits: by the program itself, by clients, by time; restarts; the end of the monitor. */
#include "monitor_tests.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int set(struct monitor_policy policy)
{
	policy.stop_signal = policy.stop_signal ? policy.stop_signal : SIGTERM;
	policy.stop_millis = policy.stop_millis ? policy.stop_millis : 10000;
	return ask_op(watched.socket, MONITOR_SET, 0, &policy, sizeof policy, NULL, 0);
}

/* Also true for a zombie that the host's init has not reaped yet. */
static bool has_ended(int pid)
{
	char path[64], text[256] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	return length <= 0 || strstr(text, ") Z ");
}

static bool gone(int pid)
{
	for (int tries = 0; tries < 500; tries++, usleep(10000))
		if (has_ended(pid))
			return true;
	return false;
}

/* The monitor's child that is not init. */
static int zygote_of(int monitor)
{
	char path[64], text[256] = "";
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", monitor, monitor);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	close(fd);
	return length > 0 ? atoi(text) : -1;
}

/* ---- stop and signals ---- */

static void a_stop_gives_time_and_then_kills(void)
{
	struct monitor_state state;
	CHECK(begin("trap 'exit 3' TERM; echo r; " UNTIL_KILLED, NULL));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, NULL, 0, &state, sizeof state));
	CHECK_EQUAL(MONITOR_CREATED, state.phase);
	CHECK_EQUAL(0, start());
	while (state_of(watched.socket).log_bytes == 0)
		usleep(5000);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, NULL, 0, &state, sizeof state));
	CHECK_EQUAL(MONITOR_EXITED, state.phase);
	CHECK_EQUAL(3, state.status);
	CHECK(state.flags & STATE_STOPPED);
	watched_end(&watched);
	CHECK(begin("trap '' TERM; echo r; " UNTIL_KILLED, NULL));
	CHECK_EQUAL(0, start());
	while (state_of(watched.socket).log_bytes == 0)
		usleep(5000);
	struct monitor_stop soon = {SIGTERM, 150};
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, &soon, sizeof soon, &state, sizeof state));
	CHECK_EQUAL(256 + SIGKILL, state.status);
	CHECK(state.run_millis >= 150);
	watched_end(&watched);
}

static void signals_reach_the_program(void)
{
	CHECK(begin("trap 'exit 9' USR1; echo r; " UNTIL_KILLED, NULL));
	CHECK_EQUAL(ESRCH, ask_op(watched.socket, MONITOR_SIGNAL, SIGUSR1, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, start());
	while (state_of(watched.socket).log_bytes == 0)
		usleep(5000);
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_SIGNAL, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_SIGNAL, 65, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_SIGNAL, SIGUSR1, NULL, 0, NULL, 0));
	CHECK_EQUAL(9, await_phase(watched.socket, MONITOR_EXITED).status);
	watched_end(&watched);
}

/* ---- restarts ---- */

static void a_failing_program_is_restarted_a_limited_number_of_times(void)
{
	CHECK(begin("exit 1", NULL));
	CHECK_EQUAL(0, set((struct monitor_policy){.restart = RESTART_ON_FAILURE, .most_restarts = 2}));
	struct monitor_state state = run();
	CHECK_EQUAL(3, state.generation);
	CHECK_EQUAL(2, state.restarts);
	CHECK_EQUAL(1, state.status);
	CHECK(state.finished_millis >= watched.created.created_millis + 300); /* 100 and 200 */
	CHECK_EQUAL(0, set((struct monitor_policy){0}));
	CHECK_EQUAL(4, run().generation);
	watched_end(&watched);
	CHECK(begin("exit 0", NULL));
	CHECK_EQUAL(0, set((struct monitor_policy){.restart = RESTART_ON_FAILURE}));
	CHECK_EQUAL(1, run().generation);
	watched_end(&watched);
}

static void a_stop_ends_restarts(void)
{
	CHECK(begin("exit 0", NULL));
	CHECK_EQUAL(0, set((struct monitor_policy){.restart = RESTART_ALWAYS}));
	CHECK_EQUAL(0, start());
	struct monitor_state state = state_of(watched.socket);
	for (int tries = 0; tries < 2000 && state.generation < 4; tries++, usleep(5000))
		state = state_of(watched.socket);
	CHECK_EQUAL(4, state.generation);
	await_phase(watched.socket, MONITOR_RESTARTING);
	CHECK(state_of(watched.socket).restart_millis <= 1600);
	CHECK_EQUAL(ESRCH, ask_op(watched.socket, MONITOR_SIGNAL, SIGTERM, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_SIGNAL, SIGKILL | MONITOR_FINAL, NULL, 0, NULL, 0));
	CHECK_EQUAL(MONITOR_EXITED, state_of(watched.socket).phase);
	CHECK_EQUAL(0, start());
	await_phase(watched.socket, MONITOR_RESTARTING);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, NULL, 0, &state, sizeof state));
	CHECK_EQUAL(MONITOR_EXITED, state.phase);
	CHECK(state.flags & STATE_STOPPED);
	usleep(400000); /* longer than it would have waited */
	CHECK_EQUAL(MONITOR_EXITED, state_of(watched.socket).phase);
	CHECK_EQUAL(state.generation, state_of(watched.socket).generation);
	watched_end(&watched);
}

static void a_killed_init_is_recorded_and_restarted(void)
{
	CHECK(begin(UNTIL_KILLED, NULL));
	CHECK_EQUAL(0, set((struct monitor_policy){.restart = RESTART_UNLESS_STOPPED}));
	CHECK_EQUAL(0, start());
	struct monitor_state first = state_of(watched.socket), state;
	struct monitor_record record;
	CHECK_EQUAL(MONITOR_RUNNING, first.phase);
	kill(first.pid, SIGKILL);
	do
		state = await_phase(watched.socket, MONITOR_RUNNING);
	while (state.generation == 1);
	CHECK_EQUAL(2, state.generation);
	CHECK_EQUAL(256 + SIGKILL, state.status);
	CHECK(!(state.flags & STATE_START_FAILED)); /* its program had been called */
	CHECK(state.pid != first.pid && state.pid > 0);
	CHECK(!record_of(&watched, &record)); /* a monitor that is killed now leaves no record of the first run */
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_SIGNAL, SIGKILL | MONITOR_FINAL, NULL, 0, NULL, 0));
	state = await_phase(watched.socket, MONITOR_EXITED);
	CHECK(state.flags & STATE_STOPPED);
	watched_end(&watched);
}

/* ---- the monitor's own end ---- */

static void nothing_outlives_a_killed_monitor(void)
{
	CHECK(begin(UNTIL_KILLED, NULL));
	CHECK_EQUAL(0, start());
	struct monitor_state state = state_of(watched.socket);
	int zygote = zygote_of(state.monitor_pid);
	CHECK(zygote > 0 && zygote != state.pid);
	kill(state.monitor_pid, SIGKILL);
	CHECK(gone(state.pid) && gone(zygote));
	CHECK_EQUAL(-ECONNREFUSED, connect_to(&watched));
	watched_end(&watched);
}

static void a_shutdown_of_the_host_stops_the_container_in_order(void)
{
	struct monitor_record record;
	CHECK(begin("trap 'exit 5' TERM; echo r; " UNTIL_KILLED, NULL));
	CHECK_EQUAL(0, set((struct monitor_policy){.restart = RESTART_ALWAYS}));
	CHECK_EQUAL(0, start());
	while (state_of(watched.socket).log_bytes == 0)
		usleep(5000);
	struct monitor_state state = state_of(watched.socket);
	kill(state.monitor_pid, SIGTERM);
	CHECK(gone(state.monitor_pid));
	CHECK(record_of(&watched, &record) && record.end.state.status == 5 && !(record.end.state.flags & STATE_STOPPED));
	CHECK_EQUAL(-ENOENT, connect_to(&watched));
	watched_end(&watched);
	CHECK(begin("exit 2", NULL));
	CHECK_EQUAL(0, set((struct monitor_policy){.restart = RESTART_ALWAYS}));
	CHECK_EQUAL(0, start());
	do
		state = await_phase(watched.socket, MONITOR_RESTARTING);
	while (state.restarts < 2); /* a wait that is long enough */
	kill(state.monitor_pid, SIGTERM);
	CHECK(gone(state.monitor_pid));
	CHECK(record_of(&watched, &record) && record.end.state.status == 2 && !(record.end.state.flags & STATE_STOPPED));
	watched_end(&watched);
}

/* Before its first run and behind one. */
static void a_shutdown_of_the_host_ends_a_monitor_at_rest(void)
{
	for (int ran = 0; ran < 2; ran++) {
		CHECK(begin("exit 4", NULL));
		int pid = watched.created.monitor_pid, zygote = zygote_of(pid);
		if (ran)
			CHECK_EQUAL(4, run().status);
		kill(pid, SIGTERM);
		CHECK(gone(pid) && gone(zygote));
		CHECK_EQUAL(-ENOENT, connect_to(&watched));
		watched_end(&watched);
	}
}

static void a_removed_container_leaves_only_its_records(void)
{
	struct monitor_record record;
	CHECK(begin(UNTIL_KILLED, NULL));
	CHECK_EQUAL(0, start());
	struct monitor_state state = state_of(watched.socket);
	int zygote = zygote_of(state.monitor_pid), other = connect_to(&watched);
	CHECK_EQUAL(EBUSY, ask_op(other, MONITOR_REMOVE, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, ask_op(other, MONITOR_REMOVE, MONITOR_FORCE, NULL, 0, NULL, 0));
	CHECK(has_ended(zygote) && has_ended(state.pid)); /* before the reply, so that mounted files can be removed */
	CHECK(gone(state.monitor_pid));
	CHECK(record_of(&watched, &record) && record.end.state.status == 256 + SIGKILL);
	close(other);
	watched_end(&watched);
}

static void a_created_container_leaves_nothing(void)
{
	CHECK(begin("true", NULL));
	int pid = watched.created.monitor_pid, zygote = zygote_of(pid);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_REMOVE, 0, NULL, 0, NULL, 0));
	CHECK(gone(pid) && gone(zygote));
	watched_end(&watched);
}

/* The monitor's exit shows as end-of-file, because nobody else has the other end of the socket. */
static void a_monitor_without_setup_leaves_nothing(void)
{
	struct watched other = {.socket = -1};
	char byte;
	CHECK(spawn_monitor(&other, binary));
	shutdown(other.socket, SHUT_WR);
	while (recv(other.socket, &byte, 1, 0) > 0) /* an error reply, then end-of-file */
		;
	close(other.socket);
}

static void a_run_survives_its_zygote(void)
{
	struct monitor_start started;
	CHECK(begin("trap 'exit 3' TERM; echo r; " UNTIL_KILLED, NULL));
	CHECK_EQUAL(0, set((struct monitor_policy){.restart = RESTART_ALWAYS}));
	CHECK_EQUAL(0, start());
	kill(zygote_of(watched.created.monitor_pid), SIGKILL);
	while (!(state_of(watched.socket).flags & STATE_ZYGOTE_GONE))
		usleep(5000);
	CHECK_EQUAL(MONITOR_RUNNING, state_of(watched.socket).phase);
	CHECK_EQUAL(EPIPE, ask_op(watched.socket, MONITOR_MOUNT, SLOT_FIRST_FREE, NULL, 0, NULL, 0)); /* nor is there a mount of it */
	while (state_of(watched.socket).log_bytes == 0)
		usleep(5000);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_SIGNAL, SIGTERM, NULL, 0, NULL, 0));
	CHECK_EQUAL(3, await_phase(watched.socket, MONITOR_EXITED).status);
	CHECK_EQUAL(EPIPE, ask_op(watched.socket, MONITOR_START, 0, NULL, 0, &started, sizeof started));
	CHECK_EQUAL(STAGE_START, started.reply.stage);
	CHECK_EQUAL(3, state_of(watched.socket).status);
	watched_end(&watched);
}

/* ---- time ---- */

static void a_lease_that_runs_out_kills_the_container(void)
{
	struct monitor_record record;
	CHECK(begin(UNTIL_KILLED, NULL));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_RENEW, 1000, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, set((struct monitor_policy){.lease_millis = 1500, .restart = RESTART_ALWAYS}));
	CHECK_EQUAL(0, start());
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_RENEW, 60000, NULL, 0, NULL, 0));
	usleep(1600000); /* the first lease would be over */
	struct monitor_state state = state_of(watched.socket);
	CHECK(state.lease_millis > 1500 && state.lease_millis <= 60000 && state.phase == MONITOR_RUNNING);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_RENEW, 1, NULL, 0, NULL, 0));
	CHECK(gone(state.monitor_pid) && gone(state.pid));
	CHECK(record_of(&watched, &record) && record.end.state.flags & STATE_LEASE_OVER);
	CHECK(!(record.end.state.flags & STATE_STOPPED));
	watched_end(&watched);
}

static void a_deadline_kills_the_container_for_good(void)
{
	CHECK(begin(UNTIL_KILLED, NULL));
	CHECK_EQUAL(0, set((struct monitor_policy){.deadline_millis = 100, .restart = RESTART_ALWAYS}));
	struct monitor_state state = run();
	CHECK_EQUAL(256 + SIGKILL, state.status);
	CHECK_EQUAL(1, state.generation);
	CHECK(state.flags & STATE_DEADLINE && state.run_millis >= 100);
	watched_end(&watched);
}

static void a_deadline_may_be_set_and_lifted_during_a_run(void)
{
	CHECK(begin(UNTIL_KILLED, NULL));
	CHECK_EQUAL(0, start());
	CHECK_EQUAL(0, set((struct monitor_policy){.deadline_millis = 600000}));
	CHECK_EQUAL(0, set((struct monitor_policy){.deadline_millis = 0}));
	CHECK_EQUAL(0, set((struct monitor_policy){.deadline_millis = 200}));
	struct monitor_state state = await_phase(watched.socket, MONITOR_EXITED);
	CHECK_EQUAL(256 + SIGKILL, state.status);
	CHECK(state.flags & STATE_DEADLINE);
	watched_end(&watched);
}

/* Reads the clock of the timerfd from fdinfo: one that cannot be set. */
static void the_wall_clock_does_not_move_deadlines(void)
{
	char path[64], text[512];
	unsigned timers = 0;
	CHECK(begin("true", NULL));
	for (int fd = 0; fd < 64; fd++) {
		snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", watched.created.monitor_pid, fd);
		int file = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
		text[length > 0 ? length : 0] = 0;
		if (strstr(text, "clockid:")) {
			timers++;
			CHECK(strstr(text, "clockid: 7\n")); /* CLOCK_BOOTTIME */
		}
		if (file >= 0)
			close(file);
	}
	CHECK_EQUAL(1, timers);
	watched_end(&watched);
}

static void a_program_runs_without_an_init(void)
{
	struct spec spec = shell("echo r; exit 5");
	spec.no_init = true;
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	CHECK_EQUAL(5, run().status);
	CHECK(strstr(log_of(&watched, "x-json.log"), "\"r\\n\""));
	watched_end(&watched);
}

const struct test monitor_end_tests[] = {
	{"a monitor without setup leaves nothing", a_monitor_without_setup_leaves_nothing},
	{"a run survives its zygote", a_run_survives_its_zygote},
	{"a program runs without an init", a_program_runs_without_an_init},
	{"a stop gives time and then kills", a_stop_gives_time_and_then_kills},
	{"signals reach the program", signals_reach_the_program},
	{"a failing program is restarted a limited number of times", a_failing_program_is_restarted_a_limited_number_of_times},
	{"a stop ends restarts", a_stop_ends_restarts},
	{"a killed init is recorded and restarted", a_killed_init_is_recorded_and_restarted},
	{"nothing outlives a killed monitor", nothing_outlives_a_killed_monitor},
	{"a shutdown of the host stops the container in order", a_shutdown_of_the_host_stops_the_container_in_order},
	{"a shutdown of the host ends a monitor at rest", a_shutdown_of_the_host_ends_a_monitor_at_rest},
	{"a removed container leaves only its records", a_removed_container_leaves_only_its_records},
	{"a created container leaves nothing", a_created_container_leaves_nothing},
	{"a lease that runs out kills the container", a_lease_that_runs_out_kills_the_container},
	{"a deadline kills the container for good", a_deadline_kills_the_container_for_good},
	{"a deadline may be set and lifted during a run", a_deadline_may_be_set_and_lifted_during_a_run},
	{"the wall clock does not move deadlines", the_wall_clock_does_not_move_deadlines},
};
const unsigned monitor_end_test_count = sizeof monitor_end_tests / sizeof *monitor_end_tests;
