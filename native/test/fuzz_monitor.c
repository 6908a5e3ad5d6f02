/*
 * Feeds any bytes to the monitor's protocol, its streams, reports and log, with the zygote and init played here: with
 * AddressSanitizer a length that is trusted too much ends the run. The input is a list of acts, {u8 act, u8 which, u16 length,
 * bytes}. Built for libFuzzer, or with REPLAY for made-up input: fuzz_monitor SECONDS SEED.
 */
#include "../monitor_setup.c" /* for what is static in there */
#include "played.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { CLIENTS = 3 };

static int ours[CLIENTS];
static unsigned resolvers;

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "not so: %s\n", what);
		abort();
	}
}

/* ---- in the place of monitor.c ---- */

static unsigned reached[16]; /* by phase */

uint64_t boot_nanos(void) { return played.clock; }
uint64_t wall_millis(void) { return 1; }

void change_phase(struct monitor *monitor, enum monitor_phase phase)
{
	reached[phase]++;
	monitor->phase = phase;
	note(monitor, WATCH_STATE);
}

void quit(struct monitor *monitor, int code)
{
	(void)monitor, (void)code;
	longjmp(played.gone, 1);
}

/* ---- in libc's place ---- */

static int process(void) { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

/* The init played here has ended whenever somebody looks. */
int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	(void)type, (void)id, (void)options;
	info->si_pid = 1, info->si_code = CLD_EXITED, info->si_status = 3;
	return 0;
}

/* The file of the status is whole, and has what a client is or would be told. */
static void check_status(const struct monitor_state *told)
{
	struct monitor_status status;
	const uint8_t *bytes = (const uint8_t *)&status;
	uint64_t hash = 0xcbf29ce484222325u;
	int fd = openat(played.directory, MONITOR_STATUS, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && read(fd, &status, sizeof status) == sizeof status && lseek(fd, 0, SEEK_END) == sizeof status, "a status");
	close_fd(&fd);
	for (size_t i = 0; i < offsetof(struct monitor_status, sum); i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	must(status.magic == PLAN_MAGIC && status.version == MONITOR_VERSION && status.sum == hash, "a whole status");
	must(status.state.phase == told->phase && status.state.pid == told->pid && status.state.flags == told->flags &&
		     status.state.status == told->status && status.state.restarts == told->restarts, "the state that is told");
}

/* Nobody is told what the file does not say yet. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	const struct iovec *payload = &message->msg_iov[message->msg_iovlen - 1];
	if (m.status >= 0 && message->msg_iovlen == 2 &&
	    (payload->iov_len == sizeof(struct monitor_state) || payload->iov_len == sizeof(struct monitor_start)))
		check_status(payload->iov_base);
	return syscall(SYS_sendmsg, fd, message, flags);
}

/* ---- one input ---- */

static void connect_client(unsigned which)
{
	int pair[2];
	if (ours[which] >= 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return;
	ours[which] = pair[0];
	add_client(&m, pair[1]);
}

static void serve_all(void)
{
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++) {
		struct pollfd readable = {m.client[i].fd, POLLIN, 0};
		if (m.client[i].fd >= 0 && poll(&readable, 1, 0) > 0)
			read_client(&m, &m.client[i]);
		m.client[i].full = false;
	}
	send_notices(&m);
}

static void try_setup(const uint8_t *bytes, size_t length)
{
	static struct monitor other;
	struct monitor_setup setup = {0};
	int fds[MONITOR_MAX_FDS];
	memcpy(&setup, bytes, length < sizeof setup ? length : sizeof setup);
	for (unsigned i = 0; i < MONITOR_MAX_FDS; i++)
		fds[i] = played.directory;
	other = (struct monitor){.cgroup = NO_FD, .state_directory = NO_FD, .oom = NO_FD, .freezer = NO_FD, .network = NO_FD, .owner = NO_FD, .log.directory = NO_FD, .log.output = NO_FD};
	clear_health(&other.health);
	if (!valid(&setup))
		return;
	take_values(&other, &setup);
	if (take_fds(&other, &setup, fds) < 0)
		return;
	must(other.given_count >= 1 && other.given_count < PLAN_MAX_SLOTS && strlen(other.log.name) < sizeof other.log.name, "setup");
	for (unsigned i = 0; i < other.given_count; i++)
		must(other.given[i].slot < other.slots, "a slot of the plan");
	must(other.links.count <= PLAN_MAX_LINKS, "links");
	for (unsigned i = 0; i < other.links.count; i++)
		must(strlen(other.links.link[i].host) < 16 && !strchr(other.links.link[i].host, '/'), "the name of a link");
}

/* One that is adopted, if the container runs, and what is said for it. */
static void try_exec(uint8_t which, const uint8_t *bytes, size_t length)
{
	struct report report = {.magic = which % 5 ? PLAN_MAGIC : 0};
	uint8_t id[MONITOR_EXEC_ID] = {which};
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return;
	memcpy((uint8_t *)&report + 4, bytes, length < sizeof report - 4 ? length : sizeof report - 4);
	if (which % 3)
		send(pair[0], &report, which == 255 ? length % (sizeof report + 9) : sizeof report, MSG_NOSIGNAL | MSG_DONTWAIT);
	adopt_exec(&m, id, pair[1]);
	if (which % 2)
		close_fd(&pair[0]);
	for (unsigned i = 0; i < MONITOR_MAX_EXECS; i++)
		if (m.exec[i].control >= 0)
			take_exec_report(&m, &m.exec[i]);
	close_fd(&pair[0]);
}

static void act(uint8_t what, uint8_t which, const uint8_t *bytes, size_t length)
{
	struct report report = {.magic = PLAN_MAGIC};
	uint8_t trash[4096];
	int client = which % CLIENTS;
	played.init_error = played.clock % 7 == 0 ? -ENOMEM : 0;
	played.links_error = played.clock % 11 == 0 ? -ENODEV : 0;
	played.probe_error = played.clock % 5 == 0 ? -ENOMEM : 0;
	switch (what % 12) {
	case 0:
	case 1:
	case 2:
		connect_client((unsigned)client);
		send(ours[client], bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		serve_all();
		break;
	case 3:
		memcpy((uint8_t *)&report + 4, bytes, length < sizeof report - 4 ? length : sizeof report - 4);
		if (report.kind == REPORT_RESOLVER && which % 8)
			send_message(played.init_end, &report, sizeof report, played.directory);
		else
			send(played.init_end, &report, which == 255 ? length % (sizeof report + 9) : sizeof report, MSG_NOSIGNAL | MSG_DONTWAIT);
		take_reports(&m);
		if (m.resolver[0] >= 0 && m.resolver[1] >= 0)
			resolvers++;
		break;
	case 4:
		if (played.program[1 + which % 2] >= 0 && write(played.program[1 + which % 2], bytes, length) >= 0)
			read_output(&m, which % 2), pace_output(&m);
		break;
	case 5:
		played.clock += (uint64_t)(which + 1) * (uint64_t)(length + 1) * MILLIS;
		m.pace.wait_until = 0;
		run_deadlines(&m);
		break;
	case 6:
		while (ours[client] >= 0 && recv(ours[client], trash, sizeof trash, MSG_DONTWAIT) > 0)
			;
		if (played.program[0] >= 0 && poll(&(struct pollfd){played.program[0], POLLIN, 0}, 1, 0) > 0 && read(played.program[0], trash, sizeof trash) < 0)
			close_fd(&played.program[0]);
		break;
	case 7:
		close_fd(&ours[client]);
		serve_all();
		break;
	case 8:
		if (has_init(&m))
			take_exit(&m);
		break;
	case 10:
		memcpy((uint8_t *)&report + 4, bytes, length < sizeof report - 4 ? length : sizeof report - 4);
		if (which % 2)
			send(played.probe_end, &report, sizeof report, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (m.health.control >= 0)
			take_probe_report(&m);
		if (m.health.output >= 0)
			read_probe(&m);
		if (m.health.pidfd >= 0 && which % 3 == 0)
			take_probe_exit(&m);
		must(m.health.length <= HEALTH_OUTPUT, "the output of a probe");
		break;
	case 11:
		try_exec(which, bytes, length);
		break;
	default:
		try_setup(bytes, length);
	}
}

/* Whole lines, each an object, and nothing below a space in them. */
static void check_log(void)
{
	static char text[1 << 20];
	int fd = openat(played.directory, "log", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	close_fd(&fd);
	must(length >= 0 && (length == 0 || text[length - 1] == '\n' || length == sizeof text - 1), "whole lines");
	for (ssize_t at = 0; at < length; at++) {
		bool starts = at == 0 || text[at - 1] == '\n';
		must(!starts || strncmp(text + at, "{\"log\":\"", (size_t)(length - at < 8 ? length - at : 8)) == 0, "an object a line");
		must((uint8_t)text[at] >= 0x20 || text[at] == '\n', "no control character");
	}
}

static void begin_input(void)
{
	play_fresh();
	if (played.clock % 2) {
		m.health.want = (struct monitor_health){.interval_millis = 50, .timeout_millis = 20, .start_interval_millis = 10, .retries = 2,
							.on_failure = (uint32_t)(played.clock / 2 % 4), .slots = SLOT_FIRST_FREE};
		m.health.reported = played.clock % 3 ? PLAN_NAMESPACES : 0;
		m.health.kill = open("/dev/null", O_WRONLY | O_CLOEXEC);
	}
}

static void end_input(void)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		close_fd(&ours[i]);
	play_over();
	check_log();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static int lowest = NO_FD;
	if (played.directory < 0) {
		for (unsigned i = 0; i < CLIENTS; i++)
			ours[i] = NO_FD;
		played.process = process;
		play_begin("/dev/shm/caisson-fuzz-XXXXXX");
		must(close((lowest = dup(0))) == 0, "a descriptor");
	}
	begin_input();
	if (setjmp(played.gone) == 0)
		for (size_t at = 0; at + 4 <= length;) {
			size_t size = (size_t)(bytes[at + 2] | bytes[at + 3] << 8), left = length - at - 4;
			act(bytes[at], bytes[at + 1], bytes + at + 4, size < left ? size : left);
			end_if_drained(&m); /* as the loop does after each event */
			at += 4 + size;
			write_status(&m);
			check_status(&m.last.state);
		}
	end_input();
	int next = dup(0);
	must(next == lowest, "no descriptor stays open");
	close(next);
	return 0;
}

#ifdef REPLAY
static uint64_t state;

static uint32_t pick(uint32_t below)
{
	state ^= state << 13, state ^= state >> 7, state ^= state << 17;
	return (uint32_t)(state >> 16) % below;
}

static struct monitor_setup good_setup(void)
{
	struct monitor_setup setup = {.id_base = 1000000, .id_count = 65536, .slots = 7, .fds = 7, .log_files = 3, .log_bytes = 1 << 20,
				      .policy.stop_signal = SIGTERM, .log_name = "a-json.log"};
	const struct monitor_role roles[] = {{FD_SLOT, 0}, {FD_MOUNT, 5}, {FD_MOUNT, 6}, {FD_STATE_DIRECTORY, 0}, {FD_LOG_DIRECTORY, 0},
					     {FD_HOLD, 0}, {FD_LAYER, 0}};
	memcpy(setup.role, roles, sizeof roles);
	if (pick(2)) {
		setup.clone_flags = 0x40000000;
		setup.links.count = 1;
		setup.links.link[0] = (struct plan_link){"cv0", "cn0", "eth0", 100, 1500, {2}, 0, 0};
	}
	return setup;
}

/* A message that is nearly right, more often than not. */
static size_t make_act(uint8_t *at)
{
	static const uint16_t sizes[] = {0, 0, 0, sizeof(struct monitor_stop), sizeof(struct monitor_policy), 5, 300, 5000};
	uint16_t size = sizes[pick(8)];
	at[0] = (uint8_t)pick(11), at[1] = (uint8_t)pick(256);
	struct monitor_setup setup = good_setup();
	if (at[0] == 9)
		size = sizeof setup;
	if (at[0] == 3 || at[0] == 10)
		size = sizeof(struct report) - 4;
	for (unsigned i = 0; i < size; i++)
		at[20 + i] = (uint8_t)(pick(3) ? pick(3) : pick(256));
	if ((at[0] == 3 || at[0] == 10) && pick(20)) /* a report's kind */
		memcpy(at + 20, (uint8_t[]){(uint8_t)(1 + pick(7)), 0, 0, 0}, 4);
	if (at[0] == 3 && at[20] == REPORT_RESOLVER && pick(8))
		memcpy(at + 36, (uint8_t[]){pick(2) ? 17 : 6, 0, 0, 0}, 4);
	if (at[0] == 9) {
		for (unsigned changes = pick(4); changes > 0; changes--)
			((uint8_t *)&setup)[pick(pick(2) ? 220 : sizeof setup)] = (uint8_t)pick(256);
		memcpy(at + 20, &setup, sizeof setup);
	}
	uint16_t length = (uint16_t)(at[0] <= 2 ? size + 16 : size);
	if (at[0] <= 2) {
		struct monitor_header header = {(uint16_t)(pick(20) ? 2 + pick(14) : pick(65536)), pick(30) ? 1 : 2, pick(9), pick(3), size};
		if (header.op == MONITOR_SIGNAL)
			header.argument = pick(66) | (pick(2) ? MONITOR_FINAL : 0);
		if (pick(8) == 0)
			header.op = MONITOR_STDIN;
		if (pick(12) == 0)
			header.op = (uint16_t)(MONITOR_MOUNT + pick(5));
		if (header.op == MONITOR_LEND)
			header.argument = pick(2) ? 17 : pick(2) ? 6 : pick(9);
		if (pick(8) == 0)
			header.length = pick(1 << 20);
		memcpy(at + 4, &header, sizeof header);
	} else {
		memmove(at + 4, at + 20, size);
	}
	at[2] = (uint8_t)length, at[3] = (uint8_t)(length >> 8);
	return 4u + length;
}

static size_t put_request(uint8_t *at, uint16_t op, uint32_t argument)
{
	struct monitor_header header = {op, MONITOR_VERSION, 1, argument, 0};
	memcpy(at, (uint8_t[]){0, 0, sizeof header, 0}, 4);
	memcpy(at + 4, &header, sizeof header);
	return 4 + sizeof header;
}

static size_t put_report(uint8_t *at, uint32_t kind, uint32_t detail)
{
	struct report report = {.kind = kind, .detail = detail};
	memcpy(at, (uint8_t[]){3, 1, sizeof report - 4, 0}, 4);
	memcpy(at + 4, (const uint8_t *)&report + 4, sizeof report - 4);
	return sizeof report;
}

/* A start that goes well so far, from where the rest of the input goes on. */
static size_t make_start(uint8_t *at)
{
	size_t length = put_request(at, MONITOR_START, pick(2) ? MONITOR_HOLD : 0);
	if (pick(2)) {
		length += put_report(at + length, REPORT_RESOLVER, 17);
		length += put_report(at + length, REPORT_RESOLVER, 6);
	}
	return length + put_report(at + length, REPORT_READY, 0);
}

int main(int argc, char **argv)
{
	static uint8_t input[1 << 18];
	if (argc != 3)
		return 2;
	state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
	time_t end = time(NULL) + atoi(argv[1]);
	unsigned inputs = 0;
	for (; time(NULL) < end; inputs++) {
		size_t length = pick(3) ? 0 : make_start(input);
		for (unsigned acts = 1 + pick(30); acts > 0; acts--)
			length += make_act(input + length);
		uint8_t *exact = malloc(length);
		memcpy(exact, input, length);
		LLVMFuzzerTestOneInput(exact, length);
		free(exact);
	}
	play_end();
	printf("monitor: %u inputs of seed %s; held %u, ran %u, exited %u, with a resolver %u\n", inputs, argv[2], reached[MONITOR_HELD],
	       reached[MONITOR_RUNNING], reached[MONITOR_EXITED], resolvers);
	return inputs > 100 && reached[MONITOR_HELD] > 0 && reached[MONITOR_RUNNING] > 0 && reached[MONITOR_EXITED] > 0 && resolvers > 0 ? 0 : 1;
}
#endif
