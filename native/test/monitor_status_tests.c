/* The file of the status: what it says, when it says so, and that its lock tells whether the monitor lives. */
#include "monitor_tests.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* As a reader does: whether it is whole, and what it says. */
static bool read_status(struct monitor_status *status)
{
	const uint8_t *bytes = (const uint8_t *)status;
	uint64_t hash = 0xcbf29ce484222325u;
	int fd = openat(watched.state, MONITOR_STATUS, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : pread(fd, status, sizeof *status, 0);
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < offsetof(struct monitor_status, sum); i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return length == sizeof *status && status->magic == PLAN_MAGIC && status->version == MONITOR_VERSION &&
	       status->length == sizeof *status && status->sum == hash;
}

/* The phase that it says; 0 if it is not whole. */
static uint32_t shown(void)
{
	struct monitor_status status;
	return read_status(&status) ? status.state.phase : 0;
}

static bool is_locked(int fd) { return flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK; }

static uint32_t await_shown(uint32_t phase)
{
	for (int tries = 0; tries < 2000 && shown() != phase; tries++)
		usleep(5000);
	return shown();
}

static void a_change_stands_in_the_status_before_a_client_is_told(void)
{
	struct monitor_start started;
	CHECK(begin("trap 'exit 7' TERM; echo r; " UNTIL_KILLED, NULL));
	CHECK_EQUAL(MONITOR_CREATED, shown());
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_START, MONITOR_HOLD, NULL, 0, &started, sizeof started));
	CHECK_EQUAL(MONITOR_HELD, shown());
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_GO, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(MONITOR_RUNNING, shown());
	while (state_of(watched.socket).log_bytes == 0)
		usleep(5000);
	struct monitor_status status;
	CHECK(read_status(&status));
	CHECK_EQUAL(started.state.pid, status.state.pid);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, NULL, 0, NULL, 0));
	CHECK(read_status(&status));
	CHECK_EQUAL(MONITOR_EXITED, status.state.phase);
	CHECK_EQUAL(7, status.state.status);
	CHECK_EQUAL(0, status.state.pid);
	CHECK(status.state.flags & STATE_STOPPED);
	watched_end(&watched);
}

/* Nobody asks: the monitor writes it by itself. */
static void the_status_has_an_end_and_a_restart_that_nobody_asked_for(void)
{
	CHECK(begin("sleep 0.2; exit 5", NULL));
	struct monitor_policy policy = {.restart = RESTART_ON_FAILURE, .most_restarts = 1, .stop_signal = SIGTERM, .stop_millis = 1000};
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_SET, 0, &policy, sizeof policy, NULL, 0));
	CHECK_EQUAL(0, start());
	CHECK_EQUAL(MONITOR_RUNNING, shown());
	CHECK_EQUAL(MONITOR_EXITED, await_shown(MONITOR_EXITED));
	struct monitor_status status;
	CHECK(read_status(&status));
	CHECK_EQUAL(5, status.state.status);
	CHECK_EQUAL(1, status.state.restarts);
	CHECK_EQUAL(2, status.state.generation);
	CHECK(status.state.run_millis >= 100 && status.state.finished_millis >= status.state.started_millis);
	watched_end(&watched);
}

static void the_status_is_not_written_for_what_time_alone_changes(void)
{
	struct stat before, after;
	CHECK(begin("while :; do echo line; sleep 0.01; done", NULL));
	struct monitor_policy policy = {.lease_millis = 60000, .stop_signal = SIGTERM, .stop_millis = 1000};
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_SET, 0, &policy, sizeof policy, NULL, 0));
	CHECK_EQUAL(0, start());
	CHECK_EQUAL(0, fstatat(watched.state, MONITOR_STATUS, &before, 0));
	usleep(200000);
	CHECK(state_of(watched.socket).log_bytes > 0);
	CHECK_EQUAL(0, fstatat(watched.state, MONITOR_STATUS, &after, 0));
	CHECK(before.st_mtim.tv_sec == after.st_mtim.tv_sec && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
	CHECK_EQUAL(before.st_ino, after.st_ino);
	watched_end(&watched);
}

static void the_lock_of_the_status_is_held_for_the_life_of_the_monitor(void)
{
	CHECK(begin(UNTIL_KILLED, NULL));
	CHECK_EQUAL(0, start());
	int fd = openat(watched.state, MONITOR_STATUS, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	CHECK(fd >= 0 && fstat(fd, &stat) == 0);
	CHECK_EQUAL(0600, stat.st_mode & 07777);
	CHECK(is_locked(fd));
	kill(watched.created.monitor_pid, SIGKILL);
	for (int tries = 0; tries < 1000 && is_locked(fd); tries++)
		usleep(5000);
	CHECK(!is_locked(fd));
	CHECK_EQUAL(MONITOR_RUNNING, shown()); /* which is why the lock is looked at */
	close(fd);
	watched_end(&watched);
}

/* The place of a killed monitor is taken again. */
static void the_status_of_a_killed_monitor_is_replaced_by_the_next(void)
{
	struct spec spec = shell(UNTIL_KILLED);
	CHECK(begin("true", NULL));
	kill(watched.created.monitor_pid, SIGKILL);
	int old = openat(watched.state, MONITOR_STATUS, O_RDONLY | O_CLOEXEC);
	while (is_locked(old))
		usleep(5000);
	CHECK_EQUAL(0, flock(old, LOCK_SH)); /* a reader of the old one holds up nobody */
	struct stat before, after;
	CHECK_EQUAL(0, fstat(old, &before));
	CHECK_EQUAL(0, unlinkat(watched.state, MONITOR_SOCKET, 0));
	struct watched first = watched;
	CHECK(watched_again(&watched, &engine, binary, &spec));
	CHECK_EQUAL(0, fstatat(watched.state, MONITOR_STATUS, &after, 0));
	CHECK(before.st_ino != after.st_ino);
	CHECK_EQUAL(MONITOR_CREATED, shown());
	close(old), close(first.socket);
	watched_end(&watched);
}

static void the_status_goes_with_the_container(void)
{
	CHECK(begin("true", NULL));
	CHECK_EQUAL(MONITOR_EXITED, run().phase);
	CHECK_EQUAL(0, faccessat(watched.state, MONITOR_STATUS, F_OK, 0));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_REMOVE, 0, NULL, 0, NULL, 0));
	CHECK(faccessat(watched.state, MONITOR_STATUS, F_OK, 0) < 0 && errno == ENOENT);
	watched.error = -1;
	watched_end(&watched);
}

const struct test monitor_status_tests[] = {
	{"a change stands in the status before a client is told", a_change_stands_in_the_status_before_a_client_is_told},
	{"the status has an end and a restart that nobody asked for", the_status_has_an_end_and_a_restart_that_nobody_asked_for},
	{"the status is not written for what time alone changes", the_status_is_not_written_for_what_time_alone_changes},
	{"the lock of the status is held for the life of the monitor", the_lock_of_the_status_is_held_for_the_life_of_the_monitor},
	{"the status of a killed monitor is replaced by the next", the_status_of_a_killed_monitor_is_replaced_by_the_next},
	{"the status goes with the container", the_status_goes_with_the_container},
};
const unsigned monitor_status_test_count = sizeof monitor_status_tests / sizeof *monitor_status_tests;
