/* Connections: malformed requests, access, slow clients; streams; the monitor's privileges and memory. */
#include "monitor_tests.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int error_of(int socket, const void *bytes, size_t length)
{
	static struct message message;
	if (!send_raw(socket, bytes, length))
		return -1;
	do {
		if (!next_message(socket, &message))
			return -1;
	} while (!(message.header.op & MONITOR_REPLY));
	return (int)message.header.argument;
}

/* ---- requests ---- */

static void a_malformed_request_gets_an_error_and_keeps_its_connection(void)
{
	static uint8_t large[MONITOR_MAX_MESSAGE + 1];
	struct monitor_header good = {MONITOR_STATE, MONITOR_VERSION, 7, 0, 0}, bad;
	CHECK(begin("true", NULL));
	for (size_t length = 1; length < sizeof good; length++)
		CHECK_EQUAL(EBADMSG, error_of(watched.socket, &good, length));
	CHECK_EQUAL(EBADMSG, error_of(watched.socket, "", 0));
	bad = good, bad.length = 1;
	CHECK_EQUAL(EBADMSG, error_of(watched.socket, &bad, sizeof bad));
	bad = good, bad.length = UINT32_MAX;
	CHECK_EQUAL(EBADMSG, error_of(watched.socket, &bad, sizeof bad));
	bad = good, bad.version = 2;
	CHECK_EQUAL(EPROTO, error_of(watched.socket, &bad, sizeof bad));
	bad.op = MONITOR_HELLO;
	CHECK_EQUAL(0, error_of(watched.socket, &bad, sizeof bad));
	bad = good, bad.length = sizeof large - sizeof bad;
	memcpy(large, &bad, sizeof bad);
	CHECK_EQUAL(EBADMSG, error_of(watched.socket, large, sizeof large));
	bad.op = MONITOR_STDIN, bad.length = MONITOR_MAX_MESSAGE - sizeof bad;
	memcpy(large, &bad, sizeof bad);
	CHECK_EQUAL(EBADMSG, error_of(watched.socket, large, sizeof large)); /* what fits is not taken for the whole */
	CHECK_EQUAL(EPIPE, error_of(watched.socket, large, MONITOR_MAX_MESSAGE));
	static const uint16_t unknown[] = {0, 21, 31, 33, 99, 0x4001, 0x8004, UINT16_MAX, MONITOR_SETUP};
	for (unsigned i = 0; i < sizeof unknown / sizeof *unknown; i++)
		CHECK_EQUAL(EOPNOTSUPP, ask_op(watched.socket, unknown[i], 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(EBADMSG, ask_op(watched.socket, MONITOR_ANSWER, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(MONITOR_CREATED, state_of(watched.socket).phase);
	watched_end(&watched);
}

static void every_op_refuses_invalid_arguments(void)
{
	struct monitor_policy policy = {.stop_signal = 99};
	struct monitor_stop stop = {0, 0};
	CHECK(begin("true", NULL));
	for (uint16_t op = MONITOR_HELLO; op <= MONITOR_REMOVE; op++)
		CHECK_EQUAL(op == MONITOR_STDIN ? EPIPE : EBADMSG, ask_op(watched.socket, op, 0, "xxx", 3, NULL, 0));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_START, 2, NULL, 0, NULL, 0));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_GO, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_STOP, 0, &stop, sizeof stop, NULL, 0));
	CHECK_EQUAL(ESRCH, ask_op(watched.socket, MONITOR_SIGNAL, SIGKILL, NULL, 0, NULL, 0));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_PAUSE, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_UNPAUSE, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_STDIN, 2, NULL, 0, NULL, 0));
	CHECK_EQUAL(ENOTTY, ask_op(watched.socket, MONITOR_RESIZE, 1, NULL, 0, NULL, 0));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_WATCH, 4, NULL, 0, NULL, 0));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_SET, 0, &policy, sizeof policy, NULL, 0));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_RENEW, 5, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, run().status);
	watched_end(&watched);
	CHECK(begin(UNTIL_KILLED, NULL));
	CHECK_EQUAL(0, start());
	CHECK_EQUAL(EOPNOTSUPP, ask_op(watched.socket, MONITOR_PAUSE, 0, NULL, 0, NULL, 0)); /* it has no freezer */
	CHECK_EQUAL(MONITOR_RUNNING, state_of(watched.socket).phase);
	CHECK_EQUAL(EALREADY, ask_op(watched.socket, MONITOR_START, 0, NULL, 0, NULL, 0));
	watched_end(&watched);
}

/* ---- clients ---- */

static void one_client_too_many_is_disconnected(void)
{
	int clients[MONITOR_MAX_CLIENTS];
	static struct message message;
	CHECK(begin("true", NULL));
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++)
		clients[i] = connect_to(&watched);
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS - 1; i++)
		CHECK_EQUAL(MONITOR_CREATED, state_of(clients[i]).phase);
	CHECK(!next_message(clients[MONITOR_MAX_CLIENTS - 1], &message));
	close(clients[0]);
	CHECK_EQUAL(MONITOR_CREATED, state_of(clients[1]).phase); /* served after the closed one */
	int late = connect_to(&watched);
	CHECK_EQUAL(MONITOR_CREATED, state_of(late).phase);
	for (unsigned i = 1; i < MONITOR_MAX_CLIENTS; i++)
		close(clients[i]);
	close(late);
	watched_end(&watched);
}

static void only_root_is_served(void)
{
	struct stat stat;
	int status;
	CHECK(begin("true", NULL));
	CHECK(fstatat(watched.state, MONITOR_SOCKET, &stat, 0) == 0 && (stat.st_mode & 07777) == 0600);
	CHECK(fchmodat(watched.state, MONITOR_SOCKET, 0666, 0) == 0 && fchmod(watched.state, 0755) == 0);
	int pid = fork();
	if (pid == 0) {
		static struct message message;
		if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
			_exit(1);
		int other = connect_to(&watched);
		_exit(other < 0 ? 2 : send_op(other, MONITOR_STATE, 0, NULL, 0) && next_message(other, &message) ? 3 : 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQUAL(0, status);
	CHECK_EQUAL(MONITOR_CREATED, state_of(watched.socket).phase);
	watched_end(&watched);
}

static void a_client_that_reads_no_replies_is_disconnected(void)
{
	struct monitor_header header = {MONITOR_STATE, MONITOR_VERSION, 1, 0, 0};
	CHECK(begin("true", NULL));
	int deaf = connect_to(&watched);
	bool dropped = false;
	for (int tries = 0; tries < 2000 && !dropped; tries++, usleep(1000))
		for (int times = 0; times < 200 && !dropped; times++) {
			ssize_t sent = send(deaf, &header, sizeof header, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (sent < 0 && errno == EAGAIN)
				break;
			dropped = sent < 0 && errno == EPIPE;
		}
	CHECK(dropped);
	CHECK_EQUAL(MONITOR_CREATED, state_of(watched.socket).phase);
	close(deaf);
	watched_end(&watched);
}

static void runs_and_clients_leave_no_open_descriptor(void)
{
	CHECK(begin("true", NULL));
	int pid = watched.created.monitor_pid, fds[3] = {0, 1, 2};
	unsigned before = open_files(pid);
	struct monitor_header header = {MONITOR_STATE, MONITOR_VERSION, 1, 0, 0};
	for (int times = 0; times < 5; times++) {
		int client = connect_to(&watched);
		CHECK(engine_send(client, &header, sizeof header, fds, 3) == sizeof header);
		CHECK_EQUAL(0, run().status);
		close(client);
	}
	CHECK_EQUAL(before, files_settled(pid, before));
	watched_end(&watched);
}

/* ---- notices ---- */

static void notices_report_each_phase_and_the_log(void)
{
	static struct message message;
	uint32_t seen = 0;
	uint64_t grew = 0;
	CHECK(begin("echo x", NULL));
	int other = connect_to(&watched);
	CHECK_EQUAL(0, ask_op(other, MONITOR_WATCH, WATCH_LOG | WATCH_STATE, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, start());
	while (!(seen & 1u << MONITOR_EXITED) && next_message(other, &message)) {
		struct monitor_state state;
		CHECK_EQUAL(0, message.header.sequence);
		if (message.header.op == NOTICE_STATE) {
			memcpy(&state, message.payload, sizeof state);
			seen |= 1u << state.phase;
		} else if (message.header.op == NOTICE_GREW) {
			memcpy(&grew, message.payload, sizeof grew);
		}
	}
	CHECK(seen & 1u << MONITOR_STARTING && seen & 1u << MONITOR_RUNNING && seen & 1u << MONITOR_EXITED);
	CHECK(grew > 0 && grew == state_of(watched.socket).log_bytes);
	close(other);
	watched_end(&watched);
}

/* Nor is the log looked at for nothing by whoever waits for it. */
static void a_silent_program_makes_no_log_grow(void)
{
	static struct message message;
	unsigned exits = 0;
	CHECK(begin("exit 0", NULL));
	int other = connect_to(&watched);
	CHECK_EQUAL(0, ask_op(other, MONITOR_WATCH, WATCH_LOG | WATCH_STATE, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, start());
	while (exits == 0 && next_message(other, &message)) {
		struct monitor_state state;
		CHECK_EQUAL(NOTICE_STATE, message.header.op);
		memcpy(&state, message.payload, sizeof state);
		exits += state.phase == MONITOR_EXITED;
	}
	CHECK_EQUAL(1, exits);
	close(other);
	watched_end(&watched);
}

static void a_client_that_never_reads_does_not_block_others(void)
{
	static struct message message;
	uint64_t grew = 0;
	CHECK(begin("i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; sleep 0.2; echo last", NULL));
	int deaf = connect_to(&watched);
	CHECK_EQUAL(0, ask_op(deaf, MONITOR_WATCH, WATCH_LOG, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, run().status);
	struct monitor_state state = state_of(watched.socket);
	CHECK(strstr(log_of(&watched, "x-json.log"), "\"last\\n\""));
	while (grew != state.log_bytes && next_message(deaf, &message) && message.header.op == NOTICE_GREW) /* the latest arrives */
		memcpy(&grew, message.payload, sizeof grew);
	CHECK_EQUAL(state.log_bytes, grew);
	close(deaf);
	watched_end(&watched);
}

/* ---- streams ---- */

static void stdin_open(struct monitor_setup *setup) { setup->flags |= MONITOR_STDIN_OPEN; }
static void stdin_once(struct monitor_setup *setup) { setup->flags |= MONITOR_STDIN_OPEN | MONITOR_STDIN_ONCE; }

static void input_reaches_the_program(void)
{
	uint32_t taken = 0;
	CHECK(begin("while read line; do echo \"got $line\"; done; echo end", stdin_open));
	CHECK_EQUAL(0, start());
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STDIN, 0, "one\n", 4, &taken, sizeof taken));
	CHECK_EQUAL(4, taken);
	CHECK(!(state_of(watched.socket).flags & STATE_STDIN_CLOSED));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STDIN, MONITOR_EOF, "two\n", 4, &taken, sizeof taken));
	CHECK_EQUAL(0, await_phase(watched.socket, MONITOR_EXITED).status);
	const char *log = log_of(&watched, "x-json.log");
	CHECK(state_of(watched.socket).flags & STATE_STDIN_CLOSED);
	CHECK(strstr(log, "got one") && strstr(log, "got two") && strstr(log, "\"end\\n\""));
	CHECK_EQUAL(EPIPE, ask_op(watched.socket, MONITOR_STDIN, 0, "x", 1, NULL, 0));
	watched_end(&watched);
	CHECK(begin("cat; echo end", stdin_once));
	CHECK_EQUAL(0, start());
	CHECK(!(state_of(watched.socket).flags & STATE_STDIN_CLOSED));
	int other = connect_to(&watched);
	CHECK_EQUAL(0, ask_op(other, MONITOR_STDIN, 0, "one\n", 4, NULL, 0));
	close(other);
	CHECK_EQUAL(0, await_phase(watched.socket, MONITOR_EXITED).status);
	watched_end(&watched);
	CHECK(begin("exit 0", stdin_open));
	CHECK_EQUAL(STATE_STDIN_CLOSED, run().flags); /* with the run, as nobody has closed it */
	watched_end(&watched);
}

static void unread_input_does_not_block_the_monitor(void)
{
	static uint8_t zeros[60000];
	static struct message message;
	uint32_t taken = sizeof zeros;
	CHECK(begin("sleep 0.3; cat >/dev/null; echo read", stdin_open));
	CHECK_EQUAL(0, start());
	for (int times = 0; times < 10 && taken == sizeof zeros; times++)
		CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STDIN, 0, zeros, sizeof zeros, &taken, sizeof taken));
	CHECK(taken < sizeof zeros);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STDIN, 0, zeros, sizeof zeros, &taken, sizeof taken)); /* full, and not closed */
	CHECK_EQUAL(MONITOR_RUNNING, state_of(watched.socket).phase);
	while (next_message(watched.socket, &message) && message.header.op != NOTICE_STDIN)
		;
	CHECK_EQUAL(NOTICE_STDIN, message.header.op);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STDIN, MONITOR_EOF, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, await_phase(watched.socket, MONITOR_EXITED).status);
	watched_end(&watched);
}

static uint64_t wall(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void a_terminal_has_both_streams_and_a_size(void)
{
	struct spec spec = shell("tty; stty size; echo err >&2; read x; stty size; echo $x");
	spec.terminal = true;
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	for (int again = 0; again < 2; again++) {
		CHECK_EQUAL(0, start());
		CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_RESIZE, 40 << 16 | 120, NULL, 0, NULL, 0));
		CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STDIN, 0, "typed\n", 6, NULL, 0));
		struct monitor_state state = await_phase(watched.socket, MONITOR_EXITED);
		CHECK_EQUAL(0, state.status);
		CHECK(wall() < state.finished_millis + 1900); /* nobody waits for more of a terminal without a program */
	}
	const char *log = log_of(&watched, "x-json.log");
	CHECK(strstr(log, "/dev/pts/0\\r\\n\",\"stream\":\"stdout\"") && strstr(log, "err\\r\\n\",\"stream\":\"stdout\""));
	CHECK(strstr(log, "40 120") && strstr(log, "typed"));
	watched_end(&watched);
}

/* ---- privileges and memory ---- */

/* The next engine can start its monitors from the same memory. */
static void the_monitor_shares_its_program(void)
{
	static struct message reply;
	struct stat own, given;
	CHECK(begin("true", NULL));
	CHECK(send_op(watched.socket, MONITOR_PROGRAM, 0, NULL, 0));
	CHECK_EQUAL(0, await_reply(watched.socket, MONITOR_PROGRAM, &reply));
	CHECK(reply.fd >= 0 && stat(binary, &own) == 0 && fstat(reply.fd, &given) == 0 && own.st_ino == given.st_ino);
	CHECK_EQUAL(O_RDONLY, fcntl(reply.fd, F_GETFL) & O_ACCMODE);
	close(reply.fd);
	watched_end(&watched);
}

static const char *status_line(int pid, const char *name, char line[256])
{
	char path[64], text[256];
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *file = fopen(path, "re");
	line[0] = 0;
	while (file && fgets(text, sizeof text, file))
		if (strncmp(text, name, strlen(name)) == 0)
			snprintf(line, 256, "%s", text + strlen(name) + 1 + strspn(text + strlen(name) + 1, " \t"));
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = 0;
	return line;
}

static int oom_score(int pid)
{
	char path[64], text[16] = "";
	snprintf(path, sizeof path, "/proc/%d/oom_score_adj", pid);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
	if (file >= 0)
		close(file);
	return length > 0 ? atoi(text) : -1;
}

static unsigned long flags_of(int pid, int fd)
{
	char path[64], text[256] = "";
	snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", pid, fd);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
	if (file >= 0)
		close(file);
	const char *flags = length > 0 ? strstr(text, "flags:") : NULL;
	return flags ? strtoul(flags + 6, NULL, 8) : ~0UL;
}

static void the_monitor_keeps_few_privileges(void)
{
	char line[256], path[64], target[PATH_MAX];
	CHECK(begin("sleep 1000", NULL));
	int pid = watched.created.monitor_pid;
	CHECK_TEXT("0000000000000021", status_line(pid, "CapEff:", line)); /* CHOWN, KILL */
	CHECK_TEXT("0000000000000021", status_line(pid, "CapPrm:", line));
	CHECK_TEXT("0000000000000000", status_line(pid, "CapAmb:", line));
	CHECK_TEXT("1", status_line(pid, "NoNewPrivs:", line));
	CHECK_TEXT("2", status_line(pid, "Seccomp:", line));
	CHECK_TEXT("1", status_line(pid, "Threads:", line));
	CHECK_TEXT("caisson-monitor", status_line(pid, "Name:", line));
	CHECK(getsid(pid) == pid);
	bool may_spare = strtoull(status_line(getpid(), "CapEff:", line), NULL, 16) >> 24 & 1; /* SYS_RESOURCE */
	CHECK_EQUAL(may_spare ? -999 : oom_score(getpid()), oom_score(pid)); /* the monitor's alone */
	CHECK_EQUAL(0, start());
	CHECK(oom_score(state_of(watched.socket).pid) >= 0);
	snprintf(path, sizeof path, "/proc/%d/root/etc", pid);
	CHECK(access(path, F_OK) < 0); /* the host's file tree is out of reach */
	snprintf(path, sizeof path, "/proc/%d/fd/1", pid);
	ssize_t length = readlink(path, target, sizeof target - 1);
	target[length > 0 ? length : 0] = 0;
	CHECK_TEXT("/dev/null", target);
	for (int fd = 0; fd <= 2; fd++)
		CHECK_EQUAL(fd == 0 ? O_RDONLY : O_WRONLY, flags_of(pid, fd) & O_ACCMODE);
	watched_end(&watched);
}

static long memory(int pid, const char *name)
{
	char path[64], text[256];
	long kib = -1;
	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(text, sizeof text, file))
		if (strncmp(text, name, strlen(name)) == 0)
			kib = atol(text + strlen(name));
	if (file)
		fclose(file);
	return kib;
}

/* Measures after output has filled the buffers. Does not count the program's pages, which containers share. */
static void an_idle_container_costs_little_memory(void)
{
	enum { MOST_KIB = 250 };
	char path[64], text[64] = "";
	CHECK(begin("head -c 300000 /dev/zero; echo; exec sleep 1000", NULL));
	CHECK_EQUAL(0, start());
	usleep(1200000); /* buffers are freed after a second without output */
	struct monitor_state state = state_of(watched.socket);
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", state.monitor_pid, state.monitor_pid);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(read(file, text, sizeof text - 1) > 0);
	close(file);
	const int pids[] = {state.monitor_pid, atoi(text), state.pid};
	long sum = MOST_KIB + 1;
	for (int tries = 0; tries < 200 && sum > MOST_KIB; tries++, usleep(50000)) {
		sum = 0;
		for (unsigned i = 0; i < 3; i++) {
			long kib = memory(pids[i], "Pss_Anon:");
			CHECK(kib > 0);
			sum += kib;
		}
	}
	printf("memory of an idle container: %ld KiB of monitor, zygote and init, and the program\n", sum);
	CHECK(sum <= MOST_KIB);
	watched_end(&watched);
}

const struct test monitor_client_tests[] = {
	{"a malformed request gets an error and keeps its connection", a_malformed_request_gets_an_error_and_keeps_its_connection},
	{"every op refuses invalid arguments", every_op_refuses_invalid_arguments},
	{"one client too many is disconnected", one_client_too_many_is_disconnected},
	{"only root is served", only_root_is_served},
	{"a client that reads no replies is disconnected", a_client_that_reads_no_replies_is_disconnected},
	{"runs and clients leave no open descriptor", runs_and_clients_leave_no_open_descriptor},
	{"notices report each phase and the log", notices_report_each_phase_and_the_log},
	{"a silent program makes no log grow", a_silent_program_makes_no_log_grow},
	{"a client that never reads does not block others", a_client_that_never_reads_does_not_block_others},
	{"input reaches the program", input_reaches_the_program},
	{"unread input does not block the monitor", unread_input_does_not_block_the_monitor},
	{"a terminal has both streams and a size", a_terminal_has_both_streams_and_a_size},
	{"the monitor keeps few privileges", the_monitor_keeps_few_privileges},
	{"the monitor shares its program", the_monitor_shares_its_program},
	{"an idle container costs little memory", an_idle_container_costs_little_memory},
};
const unsigned monitor_client_test_count = sizeof monitor_client_tests / sizeof *monitor_client_tests;
