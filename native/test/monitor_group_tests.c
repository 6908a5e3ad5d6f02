/* A monitor and control groups: its own, the container's, pause, and kills for memory. */
#include "monitor_tests.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Retries while the last process is still exiting. */
static void remove_group(const char *path)
{
	for (int tries = 0; tries < 500 && rmdir(path) < 0; tries++)
		usleep(10000);
}

/* Makes a group of version 2; false where there is none. */
static bool make_group(char *path, size_t size, const char *name)
{
	const char *own = strrchr(test_directory(), '-');
	snprintf(path, size, "/sys/fs/cgroup/unified/caisson-%s-test%s", name, own);
	if (mkdir(path, 0755) < 0)
		snprintf(path, size, "/sys/fs/cgroup/caisson-%s-test%s", name, own);
	bool made = access(path, F_OK) == 0 || mkdir(path, 0755) == 0;
	if (!made)
		fprintf(stderr, "%s: no cgroup v2 here, not run\n", name);
	return made;
}

static void write_in(int group, const char *name, const char *text)
{
	int file = openat(group, name, O_WRONLY | O_CLOEXEC);
	CHECK(file < 0 || write(file, text, strlen(text)) > 0); /* cgroup.kill is younger than the rest */
	close(file);
}

/* The second time the starter is in a group on which cgroup.kill was used: some kernels kill what is cloned out of it. */
static void born_into_the_group(bool prepared)
{
	char own_path[128], other_path[128], name[64];
	if (!make_group(own_path, sizeof own_path, "starter") || !make_group(other_path, sizeof other_path, "monitor"))
		return;
	int own = open(own_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct spec spec = shell("true");
	spec.join = open(other_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	spec.prepared = prepared;
	for (int killed = 0; killed < 2; killed++) {
		char text[512] = "";
		if (killed)
			write_in(own, "cgroup.kill", "1");
		write_in(own, "cgroup.procs", "0");
		CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
		snprintf(name, sizeof name, "/proc/%d/cgroup", watched.created.monitor_pid);
		int file = open(name, O_RDONLY | O_CLOEXEC);
		CHECK(read(file, text, sizeof text - 1) > 0 && strstr(text, strrchr(other_path, '/')));
		close(file);
		CHECK_EQUAL(0, start());
		watched_end(&watched);
		write_in(own, "../cgroup.procs", "0");
	}
	close(own), close(spec.join);
	remove_group(own_path), remove_group(other_path);
}

static void a_monitor_is_born_into_the_group_that_it_is_given(void) { born_into_the_group(false); }
static void a_prepared_monitor_is_born_into_the_group(void) { born_into_the_group(true); }

static void a_paused_container_can_be_stopped(void)
{
	struct monitor_state state;
	char group_path[128];
	if (!make_group(group_path, sizeof group_path, "pause"))
		return;
	struct spec spec = shell("trap 'exit 4' TERM; while :; do echo x; sleep 0.01; done");
	int group = spec.cgroup = open(group_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	spec.freezer = openat(group, "cgroup.freeze", O_RDWR | O_CLOEXEC);
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_PAUSE, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, start());
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_PAUSE, 0, NULL, 0, &state, sizeof state));
	CHECK_EQUAL(MONITOR_PAUSED, state.phase);
	usleep(50000);
	uint64_t bytes = state_of(watched.socket).log_bytes;
	usleep(100000);
	CHECK_EQUAL(bytes, state_of(watched.socket).log_bytes);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_UNPAUSE, 0, NULL, 0, NULL, 0));
	for (int tries = 0; tries < 500 && state_of(watched.socket).log_bytes == bytes; tries++)
		usleep(10000);
	CHECK(state_of(watched.socket).log_bytes > bytes);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_PAUSE, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, NULL, 0, &state, sizeof state));
	CHECK_EQUAL(4, state.status);
	CHECK_EQUAL(0, start());
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_PAUSE, 0, NULL, 0, NULL, 0));
	watched_end(&watched);
	close(group), close(spec.freezer);
	remove_group(group_path);
	CHECK(access(group_path, F_OK) < 0);
}

static void a_held_pause_ends_with_its_connection(void)
{
	char group_path[128];
	if (!make_group(group_path, sizeof group_path, "held"))
		return;
	struct spec spec = shell("while :; do echo x; sleep 0.01; done");
	int group = spec.cgroup = open(group_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	spec.freezer = openat(group, "cgroup.freeze", O_RDWR | O_CLOEXEC);
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	CHECK_EQUAL(0, start());
	int client = connect_to(&watched);
	CHECK_EQUAL(EINVAL, ask_op(client, MONITOR_PAUSE, 2, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, ask_op(client, MONITOR_PAUSE, MONITOR_HOLD, NULL, 0, NULL, 0));
	CHECK_EQUAL(MONITOR_PAUSED, state_of(watched.socket).phase);
	close(client);
	for (int tries = 0; tries < 500 && state_of(watched.socket).phase == MONITOR_PAUSED; tries++)
		usleep(10000);
	CHECK_EQUAL(MONITOR_RUNNING, state_of(watched.socket).phase);
	uint64_t bytes = state_of(watched.socket).log_bytes;
	for (int tries = 0; tries < 500 && state_of(watched.socket).log_bytes == bytes; tries++)
		usleep(10000);
	CHECK(state_of(watched.socket).log_bytes > bytes);

	client = connect_to(&watched); /* what somebody else pauses afterwards stays */
	CHECK_EQUAL(0, ask_op(client, MONITOR_PAUSE, MONITOR_HOLD, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_UNPAUSE, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_PAUSE, 0, NULL, 0, NULL, 0));
	close(client);
	usleep(50000);
	CHECK_EQUAL(MONITOR_PAUSED, state_of(watched.socket).phase);
	watched_end(&watched);
	close(group), close(spec.freezer);
	remove_group(group_path);
}

/* Returns a file that takes the place of a v1 freezer or the group's events. */
static int file_with(const char *text)
{
	int fd = memfd_create("group", MFD_CLOEXEC);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static void a_v1_freezer_and_oom_kills_are_handled(void)
{
	struct monitor_state state;
	char text[16] = "";
	struct spec spec = shell(UNTIL_KILLED);
	spec.freezer_v1 = file_with(""), spec.oom = file_with("low 0\noom 9\noom_kill 41\n");
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	CHECK_EQUAL(0, start());
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_PAUSE, 0, NULL, 0, NULL, 0));
	CHECK(pread(spec.freezer_v1, text, 6, 0) == 6 && strcmp(text, "FROZEN") == 0);
	CHECK(pwrite(spec.oom, "low 0\noom 9\noom_kill 52\n", 24, 0) == 24);
	struct monitor_stop now = {SIGTERM, 0};
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, &now, sizeof now, &state, sizeof state));
	CHECK(pread(spec.freezer_v1, text, 6, 0) == 6 && strcmp(text, "THAWED") == 0);
	CHECK(state.flags & STATE_OOM && state.oom_kills == 11);
	CHECK_EQUAL(0, start());
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, &now, sizeof now, &state, sizeof state));
	CHECK(!(state.flags & STATE_OOM) && state.oom_kills == 0);
	close(spec.freezer_v1), close(spec.oom);
	watched_end(&watched);
}

/* What is asked to end is no longer paused, and runs until it does. */
static void one_that_is_ending_is_shown_as_running(void)
{
	char text[16] = "";
	struct spec spec = shell("trap '' USR1; echo r; " UNTIL_KILLED);
	spec.freezer_v1 = file_with("");
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	CHECK_EQUAL(0, start());
	while (state_of(watched.socket).log_bytes == 0)
		usleep(5000);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_PAUSE, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_SIGNAL, SIGUSR1, NULL, 0, NULL, 0));
	CHECK_EQUAL(MONITOR_PAUSED, state_of(watched.socket).phase); /* it comes when it runs again */
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_SIGNAL, SIGUSR1 | MONITOR_FINAL, NULL, 0, NULL, 0));
	CHECK_EQUAL(MONITOR_RUNNING, state_of(watched.socket).phase);
	CHECK(pread(spec.freezer_v1, text, 6, 0) == 6 && strcmp(text, "THAWED") == 0);
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_UNPAUSE, 0, NULL, 0, NULL, 0));
	close(spec.freezer_v1);
	watched_end(&watched);
}

/* It had ended before it was frozen, or was killed from outside. */
static void the_group_of_one_that_ends_while_it_is_paused_is_thawed(void)
{
	char text[16] = "";
	struct spec spec = shell(UNTIL_KILLED);
	spec.freezer_v1 = file_with("");
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	CHECK_EQUAL(0, start());
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_PAUSE, 0, NULL, 0, NULL, 0));
	kill(state_of(watched.socket).pid, SIGKILL);
	CHECK_EQUAL(SIGKILL, await_phase(watched.socket, MONITOR_EXITED).status - 256);
	CHECK(pread(spec.freezer_v1, text, 6, 0) == 6 && strcmp(text, "THAWED") == 0);
	close(spec.freezer_v1);
	watched_end(&watched);
}

const struct test monitor_group_tests[] = {
	{"a monitor is born into the group that it is given", a_monitor_is_born_into_the_group_that_it_is_given},
	{"group: joins before SETUP", a_prepared_monitor_is_born_into_the_group},
	{"a paused container can be stopped", a_paused_container_can_be_stopped},
	{"a held pause ends with its connection", a_held_pause_ends_with_its_connection},
	{"the group of one that ends while it is paused is thawed", the_group_of_one_that_ends_while_it_is_paused_is_thawed},
	{"one that is ending is shown as running", one_that_is_ending_is_shown_as_running},
	{"a v1 freezer and oom kills are handled", a_v1_freezer_and_oom_kills_are_handled},
};
const unsigned monitor_group_test_count = sizeof monitor_group_tests / sizeof *monitor_group_tests;
