/* Runs the monitor's own functions in this process, with the zygote, inits and time played. No root. */
#include "played_tests.h"
#include "../kernel.h"
#include "../messages.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum { PATIENCE_MILLIS = 10000 };

struct answer answered = {.fd = NO_FD};
int usual = NO_FD;
static int signals[2];
static int clients[64];
static unsigned client_count;

/* ---- clients ---- */

int connected(void)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		_exit(2);
	add_client(&m, pair[1]);
	return clients[client_count++] = pair[0];
}

bool hear(int client)
{
	uint8_t bytes[sizeof answered.header + sizeof answered.payload];
	close_fd(&answered.fd);
	answered = (struct answer){.fd = NO_FD};
	ssize_t length = receive_now(client, bytes, sizeof bytes, &answered.fd);
	if (length < (ssize_t)sizeof answered.header)
		return false;
	memcpy(&answered.header, bytes, sizeof answered.header);
	memcpy(answered.payload, bytes + sizeof answered.header, (size_t)length - sizeof answered.header);
	return answered.header.length == (size_t)length - sizeof answered.header;
}

static struct client *served_at(int client)
{
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++) {
		struct pollfd readable = {m.client[i].fd, POLLIN, 0};
		if (m.client[i].fd >= 0 && poll(&readable, 1, 0) > 0)
			return &m.client[i];
	}
	fprintf(stderr, "client %d is not served\n", client);
	return NULL;
}

int ask_as(int client, uint16_t op, uint32_t argument, const void *payload, uint32_t length)
{
	static uint32_t sequence;
	uint8_t bytes[4096];
	struct monitor_header header = {op, MONITOR_VERSION, ++sequence, argument, length};
	memcpy(bytes, &header, sizeof header);
	if (length > 0)
		memcpy(bytes + sizeof header, payload, length);
	while (hear(client)) /* what came before */
		;
	CHECK(send(client, bytes, sizeof header + length, MSG_NOSIGNAL) >= 0);
	struct client *served = served_at(client);
	if (!served)
		return -1;
	read_client(&m, served);
	if (!hear(client))
		return -1;
	CHECK_EQUAL(op | MONITOR_REPLY, answered.header.op);
	CHECK_EQUAL(sequence, answered.header.sequence);
	return (int)answered.header.argument;
}

struct monitor_state told(void)
{
	struct monitor_state state = {0};
	CHECK(answered.header.length == sizeof state || answered.header.length == sizeof(struct monitor_start));
	memcpy(&state, answered.payload, sizeof state);
	return state;
}

int ask(uint16_t op, uint32_t argument) { return ask_as(usual, op, argument, NULL, 0); }
int ask_with(uint16_t op, const void *payload, uint32_t length) { return ask_as(usual, op, 0, payload, length); }

/* ---- in libc's place ---- */

size_t most_written = SIZE_MAX, room = SIZE_MAX;
unsigned interruptions;

ssize_t write(int fd, const void *bytes, size_t length)
{
	if (interruptions > 0) {
		interruptions--;
		errno = EINTR;
		return -1;
	}
	if (length > 0 && room == 0) {
		errno = ENOSPC;
		return -1;
	}
	length = length < most_written ? length : most_written;
	length = length < room ? length : room;
	ssize_t written = syscall(SYS_write, fd, bytes, length);
	if (written > 0 && room != SIZE_MAX)
		room -= (size_t)written;
	return written;
}

unsigned freed;

int madvise(void *at, size_t length, int advice)
{
	freed += advice == MADV_DONTNEED && length > 0;
	return (int)syscall(SYS_madvise, at, length, advice);
}

/* ---- processes ---- */

static void hear_signal(int number)
{
	uint8_t byte = (uint8_t)number;
	if (number == SIGUSR2)
		_exit(7);
	if (write(signals[1], &byte, 1) != 1)
		_exit(2);
}

/* A process that lives until it is killed, and holds nothing of this one: that is awaited by the end of a pipe. */
static int process(void)
{
	int closed[2];
	uint8_t byte;
	if (pipe2(closed, O_CLOEXEC) < 0)
		_exit(2);
	int pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int number = 1; number < 32; number++)
			signal(number, hear_signal);
		close_from(3, (unsigned)signals[1] - 1);
		close_from((unsigned)signals[1] + 1, ~0U);
		for (;;)
			pause();
	}
	close(closed[1]);
	if (pid < 0 || read(closed[0], &byte, 1) != 0)
		_exit(2);
	close(closed[0]);
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int heard_within(int millis)
{
	uint8_t byte = 0;
	struct pollfd readable = {signals[0], POLLIN, 0};
	return poll(&readable, 1, millis) > 0 && read(signals[0], &byte, 1) == 1 ? byte : 0;
}

int heard_signal(void) { return heard_within(PATIENCE_MILLIS); }
bool hears_nothing(void) { return heard_within(50) == 0; }

static bool exits(int pidfd, int millis)
{
	struct pollfd exited = {pidfd, POLLIN, 0};
	return poll(&exited, 1, millis) > 0;
}

bool is_killed(int pidfd) { return pidfd >= 0 && exits(pidfd, PATIENCE_MILLIS); }
bool lives(int pidfd) { return pidfd >= 0 && !exits(pidfd, 20); }

void dies(int number)
{
	syscall(SYS_pidfd_send_signal, m.init_pidfd, number, NULL, 0);
	CHECK(exits(m.init_pidfd, PATIENCE_MILLIS));
	for (unsigned i = 0; i < 3; i++)
		close_fd(&played.program[i]);
	take_exit(&m);
	end_if_drained(&m);
}

void ends_with(int status)
{
	say(REPORT_EXIT, status, 0);
	dies(SIGKILL);
}

/* ---- reports ---- */

void report_from(int end, uint32_t kind, int status, uint32_t detail, int fd)
{
	struct report report = {.magic = PLAN_MAGIC, .kind = kind, .status = status, .detail = detail, .user_micros = 11, .system_micros = 22};
	CHECK(send_message(end, &report, sizeof report, fd) == 0);
	close_fd(&fd);
}

void say(uint32_t kind, int status, uint32_t detail)
{
	report_from(played.init_end, kind, status, detail, NO_FD);
	take_reports(&m);
}

void say_with(uint32_t kind, uint32_t detail, int fd)
{
	report_from(played.init_end, kind, 0, detail, fd);
	take_reports(&m);
}

/* ---- a container ---- */

void begin_with(const struct monitor_policy *policy)
{
	uint8_t byte;
	while (read(signals[0], &byte, 1) == 1)
		;
	played.init_error = played.links_error = played.probe_error = 0;
	play_fresh();
	m.policy = *policy;
	usual = connected();
}

void begin(void) { begin_with(&(struct monitor_policy){.stop_signal = SIGTERM, .stop_millis = 10000}); }

void finish(void)
{
	if (has_init(&m))
		send_to_init(&m, SIGKILL);
	play_over();
	while (client_count > 0)
		close(clients[--client_count]);
	close_fd(&answered.fd);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

void run_it(void)
{
	CHECK_EQUAL(-1, ask(MONITOR_START, 0));
	CHECK_EQUAL(MONITOR_STARTING, m.phase);
	say(REPORT_READY, 0, 0);
	CHECK_EQUAL(MONITOR_RUNNING, m.phase);
	CHECK(hear(usual) && answered.header.argument == 0);
}

void pass(uint64_t nanos)
{
	played.clock += nanos;
	run_deadlines(&m);
}

void pass_until(uint64_t deadline) { pass(deadline - played.clock); }

int some_file(void) { return memfd_create("file", MFD_CLOEXEC); }

int main(void)
{
	unsigned passed = 0, failed = 0;
	if (pipe2(signals, O_CLOEXEC | O_NONBLOCK) < 0)
		return 2;
	played.process = process;
	play_begin("/dev/shm/caisson-played-XXXXXX");
	run_tests(played_start_tests, played_start_test_count, NULL, &passed, &failed);
	run_tests(played_run_tests, played_run_test_count, NULL, &passed, &failed);
	run_tests(played_deadline_tests, played_deadline_test_count, NULL, &passed, &failed);
	run_tests(played_health_tests, played_health_test_count, NULL, &passed, &failed);
	run_tests(played_probe_tests, played_probe_test_count, NULL, &passed, &failed);
	run_tests(played_request_tests, played_request_test_count, NULL, &passed, &failed);
	run_tests(played_stream_tests, played_stream_test_count, NULL, &passed, &failed);
	run_tests(played_setup_tests, played_setup_test_count, NULL, &passed, &failed);
	run_tests(played_loop_tests, played_loop_test_count, NULL, &passed, &failed);
	run_tests(played_set_id_tests, played_set_id_test_count, NULL, &passed, &failed);
	run_tests(played_log_tests, played_log_test_count, NULL, &passed, &failed);
	play_end();
	printf("played: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
