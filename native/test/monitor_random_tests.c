/* Random requests of several clients at once, with killed inits and clients that leave: whatever the order, each request gets
 * its reply, and the states make sense. A failure prints its seed; CAISSON_TEST_SEED repeats it. */
#include "monitor_tests.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 3, REQUESTS = 250 };

struct peer {
	int socket;
	uint16_t pending; /* op without a reply */
	bool holds;
	uint32_t generation; /* in its last reply */
};

static struct peer peers[CLIENTS];
static uint64_t state_of_chance;

static uint32_t pick(uint32_t below)
{
	state_of_chance ^= state_of_chance << 13, state_of_chance ^= state_of_chance >> 7, state_of_chance ^= state_of_chance << 17;
	return (uint32_t)(state_of_chance >> 20) % below;
}

/* Other clients may have seen later states already. */
static void check_state(struct peer *peer, const struct monitor_state *state)
{
	bool alive = state->phase >= MONITOR_STARTING && state->phase <= MONITOR_PAUSED;
	CHECK(state->phase >= MONITOR_CREATED && state->phase <= MONITOR_EXITED);
	CHECK_EQUAL(alive, state->pid > 0);
	CHECK(state->generation >= peer->generation && state->restarts <= state->generation);
	CHECK(!(state->phase == MONITOR_CREATED && state->status != -1));
	peer->generation = state->generation;
}

static void take_reply(struct peer *peer)
{
	static struct message message; /* large */
	struct monitor_start started;
	do {
		CHECK(next_message(peer->socket, &message));
	} while (checks_failed == 0 && !(message.header.op & MONITOR_REPLY)); /* notices */
	if (checks_failed)
		return;
	CHECK_EQUAL(peer->pending | MONITOR_REPLY, message.header.op);
	memcpy(&started, message.payload, sizeof started);
	if (message.fd >= 0)
		close(message.fd);
	if (message.header.length >= sizeof started.state)
		check_state(peer, &started.state);
	if (peer->pending == MONITOR_START)
		peer->holds = message.header.argument == 0 && started.state.phase == MONITOR_HELD;
	if (peer->pending == MONITOR_STOP)
		CHECK_EQUAL(0, message.header.argument);
	peer->pending = 0;
}

static void request(struct peer *peer)
{
	static const uint16_t ops[] = {MONITOR_STATE, MONITOR_START, MONITOR_START, MONITOR_STOP,  MONITOR_SIGNAL,
				       MONITOR_SET,   MONITOR_WATCH, MONITOR_PAUSE, MONITOR_RENEW, MONITOR_STDIN};
	struct monitor_policy policy = {.restart = pick(2) ? RESTART_ALWAYS : RESTART_NO, .stop_signal = SIGTERM, .stop_millis = 500};
	uint16_t op = peer->holds && pick(3) ? MONITOR_GO : ops[pick(sizeof ops / sizeof *ops)];
	uint32_t argument = op == MONITOR_START ? pick(2) : op == MONITOR_WATCH ? pick(4) : 0;
	if (op == MONITOR_SIGNAL)
		argument = (pick(2) ? SIGKILL : SIGTERM) | (pick(3) ? 0 : MONITOR_FINAL);
	peer->holds = false;
	peer->pending = op;
	CHECK(send_op(peer->socket, op, argument, &policy, op == MONITOR_SET ? sizeof policy : 0));
}

static void reconnect(struct peer *peer)
{
	close(peer->socket);
	*peer = (struct peer){.socket = connect_to(&watched)};
	CHECK(peer->socket >= 0);
}

/* A reply that is not there yet may have to wait for what others do. */
static void act(struct peer *peer)
{
	struct pollfd readable = {peer->socket, POLLIN, 0};
	if (pick(40) == 0)
		reconnect(peer);
	else if (peer->pending == 0)
		request(peer);
	else if (poll(&readable, 1, (int)pick(5)) > 0)
		take_reply(peer);
}

static void kill_init(void)
{
	static struct peer own;
	struct monitor_state state = state_of(watched.socket);
	own.generation = 0;
	check_state(&own, &state);
	if (state.pid > 0)
		kill(state.pid, SIGKILL);
}

static void random_requests_keep_the_states_consistent(void)
{
	const char *given = getenv("CAISSON_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	struct monitor_state state;
	struct monitor_record record;
	state_of_chance = seed * 2654435761u + 1;
	CHECK(begin("trap 'exit 0' TERM; while :; do sleep 0.01; done", NULL));
	unsigned before = open_files(watched.created.monitor_pid);
	for (unsigned i = 0; i < CLIENTS; i++)
		peers[i] = (struct peer){.socket = connect_to(&watched)};
	for (unsigned i = 0; i < REQUESTS && checks_failed == 0; i++) {
		act(&peers[pick(CLIENTS)]);
		if (pick(20) == 0)
			kill_init();
	}
	for (unsigned i = 0; i < CLIENTS && checks_failed == 0; i++) {
		if (peers[i].pending != 0)
			take_reply(&peers[i]);
		close(peers[i].socket);
	}
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, NULL, 0, &state, sizeof state));
	CHECK(state.phase == MONITOR_EXITED || state.phase == MONITOR_CREATED);
	state = state_of(watched.socket);
	CHECK(state.phase == MONITOR_CREATED || (record_of(&watched, &record) && record.end.state.status == state.status));
	for (int tries = 0; tries < 200 && open_files(state.monitor_pid) != before; tries++)
		usleep(5000); /* the last closes may not have arrived yet */
	CHECK_EQUAL(before, open_files(state.monitor_pid));
	if (checks_failed)
		fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	watched_end(&watched);
}

/* The group shows what is left of the container. */
static void a_monitor_killed_during_a_start_leaves_no_process(void)
{
	char path[128], text[64];
	snprintf(path, sizeof path, "/sys/fs/cgroup/unified/caisson-monitor-kill%s", strrchr(test_directory(), '-'));
	if (mkdir(path, 0755) < 0)
		snprintf(path, sizeof path, "/sys/fs/cgroup/caisson-monitor-kill%s", strrchr(test_directory(), '-'));
	if (access(path, F_OK) < 0 && mkdir(path, 0755) < 0) {
		fprintf(stderr, "killed monitor: no cgroup v2 here, not run\n");
		return;
	}
	for (unsigned delay = 0; delay < 12; delay++) {
		struct spec spec = shell("sleep 1000");
		spec.cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
		CHECK(send_op(watched.socket, MONITOR_START, 0, NULL, 0));
		usleep(delay * 700);
		kill(watched.created.monitor_pid, SIGKILL);
		int file = openat(spec.cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC);
		ssize_t length = -1;
		usleep(5000); /* the zygote may be about to clone */
		for (int tries = 0; tries < 1000 && (length = pread(file, text, sizeof text, 0)) != 0; tries++)
			usleep(5000);
		CHECK_EQUAL(0, length);
		close(file), close(spec.cgroup);
		watched_end(&watched);
	}
	for (int tries = 0; tries < 500 && rmdir(path) < 0; tries++)
		usleep(10000);
	CHECK(access(path, F_OK) < 0);
}

const struct test monitor_random_tests[] = {
	{"a monitor killed during a start leaves no process", a_monitor_killed_during_a_start_leaves_no_process},
	{"random requests keep the states consistent", random_requests_keep_the_states_consistent},
};
const unsigned monitor_random_test_count = sizeof monitor_random_tests / sizeof *monitor_random_tests;
