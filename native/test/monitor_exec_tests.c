/* Programs that were started in a container, and that its monitor keeps for who started them. */
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

/* ---- programs that outlive who started them ---- */

static int ask_to_keep(uint16_t op, int socket, const uint8_t *id, uint32_t length, const int *passed, unsigned count)
{
	struct {
		struct monitor_header header;
		uint8_t id[2 * MONITOR_EXEC_ID];
	} message = {{op, MONITOR_VERSION, 9, 0, length}, {0}};
	static struct message answer;
	memcpy(message.id, id, length);
	if (engine_send(socket, &message, sizeof message.header + length, passed, count) < 0)
		return -1;
	do {
		if (!next_message(socket, &answer))
			return -1;
	} while (!(answer.header.op & MONITOR_REPLY));
	return (int)answer.header.argument;
}

static int ask_to_adopt(int socket, const uint8_t *id, uint32_t length, const int *passed, unsigned count)
{
	return ask_to_keep(MONITOR_ADOPT, socket, id, length, passed, count);
}

static int ask_to_read(int socket, const uint8_t *id, uint32_t length, const int *passed, unsigned count)
{
	return ask_to_keep(MONITOR_READ, socket, id, length, passed, count);
}

static bool read_execs(struct monitor_exec_log *log, unsigned count)
{
	for (unsigned tries = 0; tries < 500; tries++) {
		int file = openat(watched.log, MONITOR_EXEC_FILE, O_RDONLY | O_CLOEXEC);
		ssize_t length = file < 0 ? -1 : read(file, log, sizeof *log);
		if (file >= 0)
			close(file);
		if (length == sizeof *log && log->count >= count)
			return true;
		usleep(10000);
	}
	return false;
}

static void a_program_that_was_adopted_is_kept_and_its_exit_is_in_a_file(void)
{
	uint8_t id[MONITOR_EXEC_ID] = {7};
	int one[2], other[2], file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	static struct monitor_exec_log log;
	CHECK(begin("sleep 100", NULL));
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, one) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, other) == 0);
	CHECK_EQUAL(ESRCH, ask_to_adopt(watched.socket, id, sizeof id, &one[1], 1));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_START, 0, NULL, 0, NULL, 0));
	unsigned before = open_files(watched.created.monitor_pid);
	CHECK_EQUAL(EBADMSG, ask_to_adopt(watched.socket, id, sizeof id, NULL, 0));
	CHECK_EQUAL(EBADMSG, ask_to_adopt(watched.socket, id, sizeof id - 1, &one[1], 1));
	CHECK_EQUAL(ENOTSOCK, ask_to_adopt(watched.socket, id, sizeof id, &file, 1));
	CHECK_EQUAL(0, ask_to_adopt(watched.socket, id, sizeof id, &one[1], 1));
	id[0] = 8;
	CHECK_EQUAL(0, ask_to_adopt(watched.socket, id, sizeof id, &other[1], 1));
	close(one[1]), close(other[1]);
	struct report report = {.magic = PLAN_MAGIC, .kind = REPORT_EXIT, .status = 5};
	CHECK(send(one[0], &report, sizeof report, MSG_NOSIGNAL) == sizeof report);
	close(one[0]);
	CHECK(read_execs(&log, 1));
	close(other[0]);
	CHECK(read_execs(&log, 2));
	CHECK_EQUAL(7, log.end[0].id[0]);
	CHECK_EQUAL(5, log.end[0].code);
	CHECK_EQUAL(8, log.end[1].id[0]);
	CHECK_EQUAL(137, log.end[1].code);
	CHECK_EQUAL(before, files_settled(watched.created.monitor_pid, before));
	CHECK(log.end[0].started_millis != 0 && log.end[0].finished_millis >= log.end[0].started_millis);
	close(file);
	watched_end(&watched);
}

/* It waits at its execveat(2), and would do so for ever: it holds the listener itself. */
static void a_program_that_nobody_would_answer_is_ended(void)
{
	uint8_t id[MONITOR_EXEC_ID] = {7}, byte;
	int pair[2], listener = open("/dev/null", O_RDONLY | O_CLOEXEC);
	static struct monitor_exec_log log;
	CHECK(begin("sleep 100", NULL)); /* its filter asks about nothing */
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_START, 0, NULL, 0, NULL, 0));
	unsigned before = open_files(watched.created.monitor_pid);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK_EQUAL(0, ask_to_adopt(watched.socket, id, sizeof id, &pair[1], 1));
	close(pair[1]);
	struct report report = {.magic = PLAN_MAGIC, .kind = REPORT_LISTENER};
	CHECK(engine_send(pair[0], &report, sizeof report, &listener, 1) == sizeof report);
	CHECK(read_execs(&log, 1));
	CHECK_EQUAL(126, log.end[0].code);
	CHECK_EQUAL(0, recv(pair[0], &byte, 1, MSG_DONTWAIT)); /* end-of-file */
	CHECK_EQUAL(before, files_settled(watched.created.monitor_pid, before));
	close(pair[0]), close(listener);
	watched_end(&watched);
}

/* Output that would fill a terminal's buffer many times over is read, whoever wrote it. */
static void the_terminal_of_a_program_that_was_left_is_read_until_its_exit(void)
{
	uint8_t id[MONITOR_EXEC_ID] = {7};
	int pair[2], number;
	char path[32];
	static char line[4096];
	static struct monitor_exec_log log;
	CHECK(begin("sleep 100", NULL));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_START, 0, NULL, 0, NULL, 0));
	unsigned before = open_files(watched.created.monitor_pid);
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), other = dup(master);
	CHECK(master >= 0 && unlockpt(master) == 0 && ptsname_r(master, path, sizeof path) == 0);
	int program = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(program >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK_EQUAL(ESRCH, ask_to_read(watched.socket, id, sizeof id, &master, 1));
	CHECK_EQUAL(0, ask_to_adopt(watched.socket, id, sizeof id, &pair[1], 1));
	CHECK_EQUAL(EBADMSG, ask_to_read(watched.socket, id, sizeof id, NULL, 0));
	CHECK_EQUAL(EBADMSG, ask_to_read(watched.socket, id, sizeof id - 1, &master, 1));
	CHECK_EQUAL(0, ask_to_read(watched.socket, id, sizeof id, &master, 1));
	CHECK_EQUAL(EBUSY, ask_to_read(watched.socket, id, sizeof id, &other, 1));
	close(pair[1]), close(master), close(other);
	CHECK_EQUAL(before + 2, files_settled(watched.created.monitor_pid, before + 2));
	memset(line, 'x', sizeof line - 1), line[sizeof line - 1] = '\n';
	alarm(60); /* a terminal that nobody reads would hold this up for ever */
	for (number = 0; number < 64; number++)
		CHECK(write(program, line, sizeof line) > 0);
	alarm(0);
	struct report report = {.magic = PLAN_MAGIC, .kind = REPORT_EXIT, .status = 5};
	CHECK(send(pair[0], &report, sizeof report, MSG_NOSIGNAL) == sizeof report);
	CHECK(read_execs(&log, 1));
	CHECK_EQUAL(5, log.end[0].code);
	CHECK_EQUAL(before, files_settled(watched.created.monitor_pid, before));
	close(program), close(pair[0]);
	watched_end(&watched);
}

/* Neither is of a kind that somebody has written who keeps to the rules. */
static void a_file_of_exits_that_is_not_its_own_is_begun_anew(void)
{
	static struct monitor_exec_log bad[3], log;
	uint8_t id[MONITOR_EXEC_ID] = {9};
	bad[0].magic = PLAN_MAGIC, bad[0].count = EXEC_ENDS + 1;
	bad[1].magic = 1, bad[1].count = 2;
	bad[2].magic = PLAN_MAGIC, bad[2].count = 2;
	for (unsigned i = 0; i < 3; i++) {
		int pair[2];
		CHECK(begin("sleep 100", NULL));
		int file = openat(watched.log, MONITOR_EXEC_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		size_t length = sizeof *bad - (i == 2);
		CHECK(write(file, &bad[i], length) == (ssize_t)length);
		close(file);
		CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_START, 0, NULL, 0, NULL, 0));
		CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
		CHECK_EQUAL(0, ask_to_adopt(watched.socket, id, sizeof id, &pair[1], 1));
		close(pair[1]);
		struct report report = {.magic = PLAN_MAGIC, .kind = REPORT_READY, .status = 5};
		CHECK(send(pair[0], &report, sizeof report, MSG_NOSIGNAL) == sizeof report); /* it is no exit */
		report.kind = i == 0 ? REPORT_ERROR : REPORT_EXIT, report.status = i == 0 ? ENOENT : 256 + SIGTERM;
		CHECK(send(pair[0], &report, sizeof report, MSG_NOSIGNAL) == sizeof report);
		for (unsigned tries = 0; tries < 500 && !(read_execs(&log, 1) && log.end[0].id[0] == 9); tries++)
			usleep(10000);
		CHECK_EQUAL(1, log.count);
		CHECK_EQUAL(i == 0 ? 126 : 128 + SIGTERM, log.end[0].code);
		CHECK(log.magic == PLAN_MAGIC && log.version == MONITOR_VERSION && faccessat(watched.log, ".execs", F_OK, 0) < 0);
		close(pair[0]);
		watched_end(&watched);
	}
}

static void one_program_too_many_is_refused_and_the_file_keeps_the_last(void)
{
	uint8_t id[MONITOR_EXEC_ID] = {0};
	int pair[MONITOR_MAX_EXECS + 1][2];
	static struct monitor_exec_log log;
	CHECK(begin("sleep 100", NULL));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_START, 0, NULL, 0, NULL, 0));
	for (unsigned i = 0; i <= MONITOR_MAX_EXECS; i++) {
		id[0] = (uint8_t)i;
		CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair[i]) == 0);
		CHECK_EQUAL(i < MONITOR_MAX_EXECS ? 0 : EBUSY, ask_to_adopt(watched.socket, id, sizeof id, &pair[i][1], 1));
		close(pair[i][1]);
	}
	for (unsigned i = 1; i <= MONITOR_MAX_EXECS; i++) {
		close(pair[i][0]);
		usleep(1000);
	}
	for (unsigned tries = 0; tries < 500 && read_execs(&log, EXEC_ENDS) && log.end[EXEC_ENDS - 1].id[0] != MONITOR_MAX_EXECS - 1; tries++)
		usleep(10000);
	CHECK_EQUAL(EXEC_ENDS, log.count);
	for (unsigned i = 0; i < EXEC_ENDS; i++)
		CHECK_EQUAL(MONITOR_MAX_EXECS - EXEC_ENDS + i, log.end[i].id[0]);
	close(pair[0][0]);
	watched_end(&watched);
}

const struct test monitor_exec_tests[] = {
	{"a program that was adopted is kept and its exit is in a file", a_program_that_was_adopted_is_kept_and_its_exit_is_in_a_file},
	{"a program that nobody would answer is ended", a_program_that_nobody_would_answer_is_ended},
	{"the terminal of a program that was left is read until its exit", the_terminal_of_a_program_that_was_left_is_read_until_its_exit},
	{"a file of exits that is not its own is begun anew", a_file_of_exits_that_is_not_its_own_is_begun_anew},
	{"one program too many is refused and the file keeps the last", one_program_too_many_is_refused_and_the_file_keeps_the_last},
};
const unsigned monitor_exec_test_count = sizeof monitor_exec_tests / sizeof *monitor_exec_tests;
