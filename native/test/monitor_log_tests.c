/* The log: format of lines, rotation, full disks, and floods of output. */
#include "monitor_tests.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Returns the escaped texts of the log's objects, each followed by `|`. */
static const char *texts(const char *log)
{
	static char all[1 << 20];
	size_t used = 0;
	for (const char *line = log; *line; line = strchr(line, '\n') + 1) {
		const char *end = strstr(line, "\",\"stream\":\"");
		if (strncmp(line, "{\"log\":\"", 8) != 0 || !end || !strchr(line, '\n'))
			return "a line is not whole";
		used += (size_t)snprintf(all + used, sizeof all - used, "%.*s|", (int)(end - line - 8), line + 8);
	}
	all[used] = 0;
	return all;
}

static void expect_log(const char *script, const char *expected)
{
	CHECK(begin(script, NULL));
	CHECK_EQUAL(0, run().status);
	CHECK_TEXT(expected, texts(log_of(&watched, "x-json.log")));
	watched_end(&watched);
}

#define BAD "\xef\xbf\xbd"

static void lines_are_escaped(void)
{
	expect_log("echo '\"q\" \\ /'; printf 'a\\tb\\r\\n\\001\\033[0m\\177\\n'", "\\\"q\\\" \\\\ /\\n|a\\tb\\r\\n|\\u0001\\u001b[0m\\u007f\\n|");
	expect_log("printf '\\364\\217\\277\\277 \\364\\220 \\340\\237 \\360\\217 \\301\\200 \\200\\n'",
		   "\xf4\x8f\xbf\xbf " BAD BAD " " BAD BAD " " BAD BAD " " BAD BAD " " BAD "\\n|");
	expect_log("printf 'caf\\303\\251 \\342\\202\\254 \\360\\237\\230\\200\\n'", "café € 😀\\n|");
	expect_log("printf 'a\\000b\\377c\\303(\\355\\240\\200\\360\\237\\230\\n'",
		   "a\\u0000b\xef\xbf\xbd" "c\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\n|");
}

static void lines_have_the_time(void)
{
	struct tm time_ = {0};
	CHECK(begin("echo x", NULL));
	CHECK_EQUAL(0, run().status);
	const char *text = strstr(log_of(&watched, "x-json.log"), "\"time\":\"");
	const char *rest = text ? strptime(text + 8, "%Y-%m-%dT%H:%M:%S", &time_) : NULL;
	CHECK(rest && *rest == '.' && strlen(rest) == strlen(".123456789Z\"}\n") && strcmp(rest + 10, "Z\"}\n") == 0);
	uint64_t finished = state_of(watched.socket).finished_millis / 1000, logged = (uint64_t)timegm(&time_);
	CHECK(logged <= finished && logged + 5 >= finished);
	watched_end(&watched);
}

static void an_unfinished_line_is_logged_at_the_exit(void)
{
	expect_log("printf one; sleep 0.05; printf two; sleep 0.05; printf '\\nthree'", "onetwo\\n|three|");
}

/* Longer than memory is kept for an idle container. */
static void an_unfinished_line_outlasts_a_pause(void)
{
	expect_log("printf one; sleep 1.6; echo two", "onetwo\\n|");
	expect_log("printf one >&2; sleep 1.6; echo two >&2", "onetwo\\n|");
}

static void long_lines_are_split_between_characters(void)
{
	CHECK(begin("head -c 16383 /dev/zero; printf '\\303\\251x\\n'", NULL));
	CHECK_EQUAL(0, run().status);
	const char *all = texts(log_of(&watched, "x-json.log"));
	const char *cut = strchr(all, '|');
	CHECK(cut && cut - all == 16383 * 6);
	CHECK_TEXT("éx\\n|", cut ? cut + 1 : "");
	watched_end(&watched);
	/* the first and the last of each length, cut behind each of its bytes */
	static const char *const characters[] = {"\302\200", "\337\277", "\340\240\200", "\357\277\277", "\360\220\200\200", "\364\217\277\277"};
	for (unsigned i = 0; i < sizeof characters / sizeof *characters; i++)
		for (size_t within = 0; within <= strlen(characters[i]); within++) {
			char script[128], octal[32] = "", expected[16];
			for (const char *at = characters[i]; *at; at++)
				snprintf(octal + strlen(octal), 8, "\\%03o", (unsigned char)*at);
			snprintf(script, sizeof script, "head -c %zu /dev/zero | tr '\\0' z; printf '%sx\\n'", 16384 - within, octal);
			bool whole = within == strlen(characters[i]);
			snprintf(expected, sizeof expected, "%sx\\n|", whole ? "" : characters[i]);
			CHECK(begin(script, NULL));
			CHECK_EQUAL(0, run().status);
			cut = strchr(texts(log_of(&watched, "x-json.log")), '|');
			CHECK_TEXT(expected, cut ? cut + 1 : "");
			watched_end(&watched);
		}
}

static void small_files(struct monitor_setup *setup) { setup->log_bytes = 65536; }
static void one_file(struct monitor_setup *setup) { setup->log_bytes = 65536, setup->log_files = 1; }
static void no_log(struct monitor_setup *setup) { setup->flags |= MONITOR_NO_LOG; }

/* Like logrotate's copytruncate. */
static void a_truncated_log_continues_at_its_end(void)
{
	CHECK(begin("echo one", NULL));
	CHECK_EQUAL(0, run().status);
	int file = openat(watched.log, "x-json.log", O_WRONLY | O_CLOEXEC);
	CHECK(ftruncate(file, 0) == 0);
	close(file);
	CHECK_EQUAL(0, run().status);
	CHECK_TEXT("one\\n|", texts(log_of(&watched, "x-json.log")));
	watched_end(&watched);
}

static void full_files_are_rotated(void)
{
	static const char *const names[] = {"x-json.log", "x-json.log.1", "x-json.log.2", "x-json.log.3"};
	CHECK(begin("i=0; while [ $i -lt 4000 ]; do echo line $i; i=$((i+1)); done", small_files));
	unsigned before = open_files(watched.created.monitor_pid);
	CHECK_EQUAL(0, run().status);
	CHECK_EQUAL(before, files_settled(watched.created.monitor_pid, before));
	CHECK(state_of(watched.socket).log_bytes > 3 * 65536);
	CHECK(strstr(log_of(&watched, names[0]), "line 3999\\n"));
	for (unsigned i = 0; i < 4; i++) {
		const char *log = log_of(&watched, names[i]);
		CHECK(strlen(log) <= 65536 && (strlen(log) > 0) == (i < 3));
		CHECK(strlen(log) > 65536 - 100 || i == 0 || i == 3);
		CHECK(strcmp(texts(log), "a line is not whole") != 0);
	}
	watched_end(&watched);
	CHECK(begin("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done", one_file));
	CHECK_EQUAL(0, run().status);
	CHECK(strstr(log_of(&watched, names[0]), "line 1999\\n") && faccessat(watched.log, names[1], F_OK, 0) < 0);
	watched_end(&watched);
	CHECK(begin("echo x", no_log));
	CHECK_EQUAL(0, run().status);
	CHECK(faccessat(watched.log, names[0], F_OK, 0) < 0);
	watched_end(&watched);
}

/* 64 lines of 1024 bytes each, of which 71 are what stands around the text. */
static void a_file_is_filled_to_its_last_byte(void)
{
	CHECK(begin("i=0; while [ $i -lt 64 ]; do printf '%0953d\\n' 7; i=$((i+1)); done", small_files));
	CHECK_EQUAL(0, run().status);
	CHECK_EQUAL(65536, state_of(watched.socket).log_bytes);
	CHECK_EQUAL(65536, strlen(log_of(&watched, "x-json.log")));
	CHECK(faccessat(watched.log, "x-json.log.1", F_OK, 0) < 0);
	watched_end(&watched);
	CHECK(begin("i=0; while [ $i -lt 64 ]; do printf '%0953d\\n' 7; i=$((i+1)); done; echo", small_files));
	CHECK_EQUAL(0, run().status);
	CHECK_EQUAL(65536, strlen(log_of(&watched, "x-json.log.1")));
	CHECK_TEXT("\\n|", texts(log_of(&watched, "x-json.log")));
	watched_end(&watched);
}

/* The log directory of the next monitor, made before it. */
static const char *next_log(void)
{
	static char path[160];
	CHECK(begin("true", NULL));
	watched_end(&watched);
	unsigned number = (unsigned)atoi(strrchr(watched.path, 'r') + 1) + 1;
	snprintf(path, sizeof path, "%s/monitor%u", test_directory(), number);
	CHECK(mkdir(path, 0700) == 0);
	snprintf(path, sizeof path, "%s/monitor%u/log", test_directory(), number);
	CHECK(mkdir(path, 0700) == 0);
	return path;
}

/* As a monitor leaves it that is killed, or with a host that loses its power. */
static void a_log_that_is_there_is_gone_on_with(void)
{
	static const char whole[] = "{\"log\":\"old\\n\",\"stream\":\"stdout\",\"time\":\"t\"}\n";
	static char old[65536 - 60];
	for (int half = 0; half < 2; half++) {
		char path[200];
		snprintf(path, sizeof path, "%s/x-json.log", next_log());
		int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		CHECK(write(file, whole, strlen(whole) - (size_t)half) == (ssize_t)(strlen(whole) - (size_t)half));
		close(file);
		CHECK(begin("echo new", small_files));
		CHECK_EQUAL(0, run().status);
		CHECK_TEXT(half ? "new\\n|" : "old\\n|new\\n|", texts(log_of(&watched, "x-json.log")));
		CHECK((faccessat(watched.log, "x-json.log.1", F_OK, 0) == 0) == half);
		watched_end(&watched);
	}
	char path[200];
	snprintf(path, sizeof path, "%s/x-json.log", next_log());
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	memset(old, '\n', sizeof old);
	CHECK(write(file, old, sizeof old) == (ssize_t)sizeof old);
	close(file);
	CHECK(begin("echo new", small_files));
	CHECK_EQUAL(0, run().status);
	CHECK_TEXT("new\\n|", texts(log_of(&watched, "x-json.log")));
	CHECK_EQUAL(sizeof old, strlen(log_of(&watched, "x-json.log.1")));
	watched_end(&watched);
}

/* ---- no room ---- */

/* Of lines in which nothing but the newline is escaped. */
static uint64_t length_of_texts(const char *log)
{
	uint64_t length = 0;
	for (const char *text = texts(log); *text; text++)
		length += *text != '|' && *text != '\\';
	return length;
}

/* What was written of a line that does not fit is taken back, and the file is gone on with. */
static void a_line_that_does_not_fit_is_taken_back(void)
{
	char path[160];
	snprintf(path, sizeof path, "%s", next_log());
	CHECK(mount("tmpfs", path, "tmpfs", 0, "size=48k,mode=0700") == 0);
	CHECK(begin("head -c 10000 /dev/zero; echo; echo end", NULL));
	CHECK_EQUAL(0, run().status);
	struct monitor_state state = state_of(watched.socket);
	CHECK_EQUAL(ENOSPC, state.log_error);
	CHECK_EQUAL(10001 + 4, state.log_lost);
	CHECK_EQUAL(0, state.log_bytes);
	struct stat stat;
	CHECK(fstatat(watched.log, "x-json.log", &stat, 0) == 0 && stat.st_size == 0);
	CHECK(faccessat(watched.log, "x-json.log.1", F_OK, 0) < 0);
	watched_end(&watched);
	umount2(path, MNT_DETACH);
	rmdir(path), *strrchr(path, '/') = 0, rmdir(path);
}

static void a_full_disk_does_not_stop_the_program(void)
{
	struct monitor_record record;
	struct spec spec = shell("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; exit 6");
	char path[160];
	snprintf(path, sizeof path, "%s", next_log());
	CHECK(mount("tmpfs", path, "tmpfs", 0, "size=48k,mode=0700") == 0);
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	int ballast = openat(watched.log, "ballast", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(posix_fallocate(ballast, 0, 16384) == 0);
	struct monitor_state state = run();
	CHECK_EQUAL(6, state.status);
	CHECK_EQUAL(ENOSPC, state.log_error);
	CHECK(state.log_lost > 0 && state.log_bytes <= 48 << 10);
	const char *log = log_of(&watched, "x-json.log");
	CHECK_EQUAL(strlen(log), state.log_bytes);
	CHECK(strcmp(texts(log), "a line is not whole") != 0);
	uint64_t said = 2000 * strlen("line \n") + 10 + 90 * 2 + 900 * 3 + 1000 * 4;
	CHECK_EQUAL(said, state.log_lost + length_of_texts(log));
	/* the record may have had no room either; then it is written once there is room */
	bool there = record_of(&watched, &record);
	CHECK(there || (state.flags & STATE_RECORD_FAILED && state.record_error == ENOSPC));
	CHECK(ftruncate(ballast, 0) == 0);
	close(ballast);
	CHECK_EQUAL(6, run().status);
	CHECK(record_of(&watched, &record) && record.end.state.status == 6 && !(record.end.state.flags & STATE_RECORD_FAILED));
	watched_end(&watched);
	umount2(path, MNT_DETACH);
	rmdir(path), *strrchr(path, '/') = 0, rmdir(path);
}

static double now_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The record is written five seconds later, as if nothing had been. */
static void a_record_that_could_not_be_written_is_written_later(void)
{
	struct monitor_record record;
	CHECK(begin("exit 6", NULL));
	CHECK_EQUAL(0, mkdirat(watched.log, ".exit", 0700));
	struct monitor_state state = run();
	CHECK_EQUAL(6, state.status);
	CHECK(state.flags & STATE_RECORD_FAILED && state.record_error == EISDIR);
	CHECK(!record_of(&watched, &record));
	double failed = now_seconds();
	CHECK_EQUAL(0, unlinkat(watched.log, ".exit", AT_REMOVEDIR));
	for (int tries = 0; tries < 1500 && !record_of(&watched, &record); tries++)
		usleep(10000);
	CHECK(record_of(&watched, &record) && record.end.state.status == 6);
	CHECK(now_seconds() - failed > 3); /* not at each turn of its loop */
	CHECK(!(record.end.state.flags & STATE_RECORD_FAILED) && record.end.state.record_error == 0);
	CHECK(faccessat(watched.log, ".exit", F_OK, 0) < 0);
	for (int tries = 0; tries < 500 && state_of(watched.socket).flags & STATE_RECORD_FAILED; tries++)
		usleep(10000);
	state = state_of(watched.socket);
	CHECK(!(state.flags & STATE_RECORD_FAILED) && state.record_error == 0);
	watched_end(&watched);
}

/* A second behind the exit it is brought to the disk; whatever stands in its place then is no record. */
static void a_record_that_cannot_be_synchronized_is_written_again(void)
{
	struct monitor_state state;
	CHECK(begin("exit 6", NULL));
	CHECK_EQUAL(6, run().status);
	usleep(1300000);
	CHECK_EQUAL(0, state_of(watched.socket).record_error);
	CHECK_EQUAL(6, run().status);
	CHECK(unlinkat(watched.log, MONITOR_RECORD, 0) == 0 && symlinkat(".", watched.log, MONITOR_RECORD) == 0);
	for (int tries = 0; tries < 500 && state_of(watched.socket).record_error == 0; tries++)
		usleep(10000);
	state = state_of(watched.socket);
	CHECK(state.record_error == ELOOP && state.flags & STATE_RECORD_FAILED);
	CHECK_EQUAL(6, run().status);
	CHECK(unlinkat(watched.log, MONITOR_RECORD, 0) == 0);
	usleep(1300000); /* a record that is no more, as when a run has begun, is nothing to complain of */
	CHECK_EQUAL(0, state_of(watched.socket).record_error);
	watched_end(&watched);
}

/* Somebody outside has the program's output open: its holder gets two seconds, and then what it writes is nobody's. */
static void output_that_is_held_from_outside_ends_a_run_later(void)
{
	char path[64];
	CHECK(begin("echo r; read x", NULL));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_START, MONITOR_HOLD, NULL, 0, NULL, 0));
	snprintf(path, sizeof path, "/proc/%d/fd/1", state_of(watched.socket).pid);
	int held = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	CHECK(held >= 0);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_GO, 0, NULL, 0, NULL, 0));
	struct monitor_state state = await_phase(watched.socket, MONITOR_STOPPING);
	CHECK_EQUAL(MONITOR_STOPPING, state.phase);
	CHECK(write(held, "outside\n", 8) == 8);
	double stopped = now_seconds();
	struct monitor_record record; /* without a word to the monitor, which would look again at each */
	for (int tries = 0; tries < 1500 && !record_of(&watched, &record); tries++)
		usleep(10000);
	CHECK(now_seconds() - stopped > 1 && now_seconds() - stopped < 14);
	state = state_of(watched.socket);
	CHECK_EQUAL(MONITOR_EXITED, state.phase);
	CHECK_EQUAL(1, state.status); /* read(1) at its end */
	CHECK_TEXT("r\\n|outside\\n|", texts(log_of(&watched, "x-json.log")));
	signal(SIGPIPE, SIG_IGN);
	CHECK(write(held, "late", 4) < 0 && errno == EPIPE);
	signal(SIGPIPE, SIG_DFL);
	close(held);
	watched_end(&watched);
}

/* ---- too much ---- */

/* Reads the scheduler's count, because stat counts in ticks. */
static double cpu_seconds(int pid)
{
	char path[64], text[128] = "";
	snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
	if (file >= 0)
		close(file);
	return length > 0 ? strtod(text, NULL) / 1e9 : 0;
}

static void little_time(struct monitor_setup *setup) { setup->policy.cpu_millis = 50, setup->log_bytes = 65536; }

/* The limit: a twentieth of a processor, and the initial credit. */
static void a_flood_of_output_is_limited_to_the_containers_share(void)
{
	CHECK(begin("while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done & cat /dev/zero", little_time));
	CHECK_EQUAL(0, start());
	int pid = watched.created.monitor_pid;
	double begun = now_seconds(), slowest = 0, passed = 0, spent = 0;
	/* longer on slow machines, on which a single round takes much of the credit */
	while (passed < 2 || (passed < 20 && spent > 0.25 + 0.1 * passed + 0.1)) {
		double asked = now_seconds();
		state_of(watched.socket);
		double took = now_seconds() - asked;
		slowest = took > slowest ? took : slowest;
		usleep(200000); /* each answer costs processor time too */
		passed = now_seconds() - begun, spent = cpu_seconds(pid);
	}
	if (getenv("CAISSON_TEST_PRINTS"))
		printf("flood: %.2f s of processor time in %.2f s, slowest answer %.3f s\n", spent, passed, slowest);
	CHECK(spent <= 0.25 + 0.1 * passed + 0.1);
	CHECK(slowest < 1); /* on a loaded machine */
	uint64_t before = state_of(watched.socket).log_bytes;
	CHECK(before > 3 * 65536);
	for (unsigned tries = 0; tries < 1000 && state_of(watched.socket).log_bytes == before; tries++)
		usleep(20000);
	CHECK(state_of(watched.socket).log_bytes > before); /* it goes on */
	CHECK(strlen(log_of(&watched, "x-json.log")) <= 65536 + 6 * 16384 + 128);
	watched_end(&watched);
}

const struct test monitor_log_tests[] = {
	{"a log that is there is gone on with", a_log_that_is_there_is_gone_on_with},
	{"a record that could not be written is written later", a_record_that_could_not_be_written_is_written_later},
	{"output that is held from outside ends a run later", output_that_is_held_from_outside_ends_a_run_later},
	{"a file is filled to its last byte", a_file_is_filled_to_its_last_byte},
	{"lines are escaped", lines_are_escaped},
	{"lines have the time", lines_have_the_time},
	{"an unfinished line is logged at the exit", an_unfinished_line_is_logged_at_the_exit},
	{"an unfinished line outlasts a pause", an_unfinished_line_outlasts_a_pause},
	{"long lines are split between characters", long_lines_are_split_between_characters},
	{"a truncated log continues at its end", a_truncated_log_continues_at_its_end},
	{"full files are rotated", full_files_are_rotated},
	{"a line that does not fit is taken back", a_line_that_does_not_fit_is_taken_back},
	{"a record that cannot be synchronized is written again", a_record_that_cannot_be_synchronized_is_written_again},
	{"a full disk does not stop the program", a_full_disk_does_not_stop_the_program},
	{"a flood of output is limited to the container's share", a_flood_of_output_is_limited_to_the_containers_share},
};
const unsigned monitor_log_test_count = sizeof monitor_log_tests / sizeof *monitor_log_tests;
