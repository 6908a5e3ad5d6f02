/* The log, with disks that fill up and values that are taken out; and the notes of denied calls, which are written beside it. */
#include "played_tests.h"
#include "redaction_table.h"
#include "../kernel.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const char *text_of(const char *name)
{
	static char text[1 << 18];
	int file = openat(played.directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
	text[length < 0 ? 0 : length] = 0;
	close_fd(&file);
	return text;
}

/* What stands between the quotes of each line, a line each. */
static const char *lines_of(const char *name)
{
	static char lines[1 << 18];
	size_t length = 0;
	for (const char *at = text_of(name); (at = strstr(at, "{\"log\":\"")) != NULL;) {
		const char *end = strstr(at += 8, "\",\"stream\":\"");
		if (!end)
			break;
		memcpy(lines + length, at, (size_t)(end - at));
		length += (size_t)(end - at);
		lines[length++] = '|';
	}
	lines[length] = 0;
	return lines;
}

static void put_log(unsigned stream, const char *text) { log_output(&m.log, stream, (const uint8_t *)text, strlen(text), played.clock); }

static void begin_log(void)
{
	begin();
	CHECK_EQUAL(0, m.log.size);
}

static void end_log(void)
{
	most_written = room = SIZE_MAX;
	interruptions = 0;
	finish();
}

/* ---- writing ---- */

static void a_line_is_written_whole_in_many_pieces(void)
{
	begin_log();
	most_written = 7, interruptions = 3;
	put_log(STREAM_OUT, "a line that takes some writing\n");
	CHECK_TEXT("a line that takes some writing\\n|", lines_of("log"));
	struct stat stat;
	CHECK(fstat(m.log.file, &stat) == 0);
	CHECK_EQUAL(stat.st_size, m.log.size);
	CHECK_EQUAL(stat.st_size, m.log.total);
	CHECK(m.log.grew && m.log.lost == 0 && m.log.error == 0);
	put_log(STREAM_ERR, "and one more\n");
	CHECK(fstat(m.log.file, &stat) == 0 && (uint64_t)stat.st_size == m.log.size && m.log.total == m.log.size);
	end_log();
}

static void what_does_not_fit_is_taken_back_and_tried_again_after_five_seconds(void)
{
	begin_log();
	put_log(STREAM_OUT, "one\n");
	uint64_t size = m.log.size;
	room = 30;
	put_log(STREAM_OUT, "two\nthree\n");
	CHECK_TEXT("one\\n|", lines_of("log"));
	CHECK_EQUAL(size, m.log.size);
	CHECK_EQUAL(size, m.log.total);
	CHECK_EQUAL(10, m.log.lost);
	CHECK_EQUAL(ENOSPC, m.log.error);
	CHECK_EQUAL(played.clock + 5 * SECONDS, m.log.retry_at);
	room = SIZE_MAX;
	played.clock += 5 * SECONDS - 1;
	put_log(STREAM_OUT, "four\n");
	CHECK_EQUAL(15, m.log.lost);
	played.clock++;
	put_log(STREAM_OUT, "five\n");
	CHECK_EQUAL(15, m.log.lost);
	CHECK_EQUAL(0, m.log.retry_at);
	CHECK_TEXT("one\\n|five\\n|", lines_of("log"));
	end_log();
}

static void half_a_line_is_lost_with_what_follows(void)
{
	begin_log();
	put_log(STREAM_OUT, "half");
	room = 0;
	put_log(STREAM_ERR, "x\n");
	CHECK_EQUAL(2, m.log.lost);
	put_log(STREAM_OUT, " a line\n");
	CHECK_EQUAL(2 + 8 + 4, m.log.lost);
	room = SIZE_MAX;
	played.clock += 5 * SECONDS;
	put_log(STREAM_OUT, "whole\n");
	CHECK_TEXT("whole\\n|", lines_of("log"));
	end_log();
}

static void what_cannot_be_taken_back_ends_the_file(void)
{
	begin_log();
	put_log(STREAM_OUT, "one\n");
	room = 30;
	int file = m.log.file;
	CHECK(ftruncate(file, 0) == 0); /* by somebody else, and then a file that lets nothing be taken back */
	int pipe[2];
	CHECK(pipe2(pipe, O_CLOEXEC) == 0);
	m.log.file = pipe[1];
	put_log(STREAM_OUT, "two\n");
	CHECK_EQUAL(-1, m.log.file);
	close(file), close(pipe[0]);
	room = SIZE_MAX;
	played.clock += 5 * SECONDS;
	put_log(STREAM_OUT, "three\n");
	CHECK(m.log.file >= 0);
	CHECK_TEXT("three\\n|", lines_of("log"));
	end_log();
}

static void a_log_that_is_off_is_not_written(void)
{
	begin_log();
	m.log.off = true;
	put_log(STREAM_OUT, "one\n");
	end_log_lines(&m.log, played.clock);
	CHECK_TEXT("", text_of("log"));
	CHECK_EQUAL(0, m.log.total);
	end_log();
}

/* ---- files ---- */

static unsigned length_of_line(void) { return (unsigned)strlen(text_of("log")); }

static void a_file_is_full_to_the_byte(void)
{
	begin_log();
	put_log(STREAM_OUT, "12345\n");
	uint64_t line = length_of_line();
	m.log.most = 3 * line;
	put_log(STREAM_OUT, "12345\n12345\n");
	CHECK_EQUAL(3 * line, m.log.size);
	put_log(STREAM_OUT, "12345\n");
	CHECK_EQUAL(line, m.log.size);
	CHECK_EQUAL(3 * line, strlen(text_of("log.1")));
	m.log.most = 2 * line - 1;
	put_log(STREAM_OUT, "12345\n");
	CHECK_EQUAL(line, m.log.size);
	CHECK_EQUAL(line, strlen(text_of("log.1")));
	CHECK_EQUAL(5 * line, m.log.total);
	m.log.most = line - 1; /* a line of its own, as it is nowhere shorter */
	put_log(STREAM_OUT, "12345\n");
	CHECK_EQUAL(line, m.log.size);
	end_log();
}

static void files_are_as_many_as_was_asked_for(void)
{
	begin_log();
	m.log.files = 3, m.log.most = 1;
	put_log(STREAM_OUT, "1\n"), put_log(STREAM_OUT, "2\n"), put_log(STREAM_OUT, "3\n"), put_log(STREAM_OUT, "4\n");
	CHECK_TEXT("4\\n|", lines_of("log"));
	CHECK_TEXT("3\\n|", lines_of("log.1"));
	CHECK_TEXT("2\\n|", lines_of("log.2"));
	CHECK_TEXT("", lines_of("log.3"));
	unlinkat(played.directory, "log.2", 0);
	m.log.files = 1;
	put_log(STREAM_OUT, "5\n");
	CHECK_TEXT("5\\n|", lines_of("log"));
	CHECK_TEXT("3\\n|", lines_of("log.1"));
	end_log();
}

static void a_directory_of_its_own_has_all_files_of_the_log(void)
{
	char path[] = "/tmp/output-XXXXXX";
	begin_log();
	close_fd(&m.log.file);
	CHECK(unlinkat(played.directory, "log", 0) == 0);
	CHECK(mkdtemp(path) && (m.log.output = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0);
	m.log.most = 100;
	CHECK_EQUAL(0, open_log(&m.log));
	put_log(STREAM_OUT, "a line of which two are too many\n");
	int slow = openat(m.log.output, "log", O_RDONLY | O_CLOEXEC);
	struct stat stat;
	for (unsigned i = 0; i < 2; i++) {
		CHECK(fstat(slow, &stat) == 0 && stat.st_size > 0);
		put_log(STREAM_OUT, "a line of which two are too many\n");
	}
	CHECK(fstat(slow, &stat) == 0 && stat.st_size == 0); /* a reader keeps no space */
	close(slow);
	CHECK(faccessat(m.log.output, "log", F_OK, 0) == 0 && faccessat(m.log.output, "log.1", F_OK, 0) == 0);
	CHECK(faccessat(m.log.output, "log.2", F_OK, 0) < 0);
	CHECK(faccessat(played.directory, "log", F_OK, 0) < 0 && faccessat(played.directory, "log.1", F_OK, 0) < 0);
	unlinkat(m.log.output, "log", 0), unlinkat(m.log.output, "log.1", 0);
	close_fd(&m.log.output);
	CHECK(rmdir(path) == 0);
	end_log();
}

static void a_new_file_that_cannot_be_made_is_an_error(void)
{
	begin_log();
	put_log(STREAM_OUT, "1\n");
	CHECK(mkdirat(played.directory, "log.1", 0700) == 0);
	m.log.most = 1;
	put_log(STREAM_OUT, "2\n");
	CHECK_EQUAL(EISDIR, m.log.error);
	CHECK_EQUAL(played.clock + 5 * SECONDS, m.log.retry_at);
	CHECK(unlinkat(played.directory, "log.1", AT_REMOVEDIR) == 0);
	end_log();
}

static void a_log_that_is_there_is_gone_on_with_behind_a_whole_line(void)
{
	begin_log();
	put_log(STREAM_OUT, "1\n");
	uint64_t size = m.log.size;
	for (unsigned i = 0; i < 4; i++) {
		close_fd(&m.log.file);
		int file = openat(played.directory, "log", O_WRONLY | O_CLOEXEC);
		CHECK(i != 1 || pwrite(file, "x", 1, (off_t)size) == 1);
		CHECK(i != 2 || ftruncate(file, 0) == 0);
		close(file);
		if (i == 3)
			CHECK(unlinkat(played.directory, "log", 0) == 0 && mkdirat(played.directory, "log", 0700) == 0);
		CHECK_EQUAL(i == 3 ? -EISDIR : 0, open_log(&m.log));
		CHECK_EQUAL(i == 0 ? size : 0, i == 3 ? 0 : m.log.size);
		if (i == 1)
			CHECK_EQUAL(size + 1, strlen(text_of("log.1")));
	}
	CHECK(unlinkat(played.directory, "log", AT_REMOVEDIR) == 0);
	end_log();
}

/* ---- text ---- */

static void expect_text(const char *output, const char *expected)
{
	begin_log();
	put_log(STREAM_OUT, output);
	end_log_lines(&m.log, played.clock);
	CHECK_TEXT(expected, lines_of("log"));
	end_log();
}

#define BAD "\xef\xbf\xbd"

static void bytes_that_are_no_text_are_replaced(void)
{
	expect_text("\x7f\x1f ~\"\\\r\t\b", "\\u007f\\u001f ~\\\"\\\\\\r\\t\\u0008|");
	expect_text("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf",
		    "\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf|");
	expect_text("\x80 \xbf \xc0\x80 \xc1\xbf \xf5\x80", BAD " " BAD " " BAD BAD " " BAD BAD " " BAD BAD "|");
	expect_text("\xe0\x9f\xbf", BAD BAD BAD "|");  /* overlong */
	expect_text("\xed\xa0\x80", BAD BAD BAD "|");  /* half of a pair */
	expect_text("\xf0\x8f\xbf\xbf", BAD BAD BAD BAD "|");
	expect_text("\xf4\x90\x80\x80", BAD BAD BAD BAD "|"); /* behind the last */
	expect_text("\xe1\x80", BAD "|");
	expect_text("\xf1\x80\x80", BAD "|");
	expect_text("\xf1\x80\x80x\xc3", BAD "x" BAD "|");
	expect_text("\xe1\xc0\x80", BAD BAD BAD "|");
	expect_text("\xe1\x7fz", BAD "\\u007fz|");
}

/* A character that would be split stands in the next part. */
static void a_long_line_is_split_between_characters(void)
{
	static const char *const ends[] = {"aaaa", "aaa\xc3\xa9", "aaa\xe2\x82\xac", "aa\xe2\x82\xac", "aaa\xf0\x9f\x98\x80", "aa\xf0\x9f\x98\x80", "a\xf0\x9f\x98\x80", "aa\xc3\xa9"};
	static const unsigned whole[] = {4, 3, 3, 2, 3, 2, 1, 4};
	static char text[LOG_PART + 16], expected[LOG_PART + 32];
	for (unsigned i = 0; i < sizeof whole / sizeof *whole; i++) {
		memset(text, 'a', LOG_PART - 4);
		strcpy(text + LOG_PART - 4, ends[i]);
		begin_log();
		put_log(STREAM_OUT, text);
		put_log(STREAM_OUT, "\n");
		size_t first_length = LOG_PART - 4 + whole[i];
		snprintf(expected, sizeof expected, "%.*s|%s\\n|", (int)first_length, text, text + first_length);
		CHECK_TEXT(expected, lines_of("log"));
		end_log();
	}
}

static void the_ends_of_both_streams_are_logged_at_the_exit(void)
{
	begin_log();
	put_log(STREAM_OUT, "out"), put_log(STREAM_ERR, "err");
	CHECK_TEXT("", lines_of("log"));
	end_log_lines(&m.log, played.clock);
	CHECK_TEXT("out|err|", lines_of("log"));
	CHECK(strstr(text_of("log"), "\"err\",\"stream\":\"stderr\",\"time\":\"2"));
	end_log_lines(&m.log, played.clock);
	CHECK_TEXT("out|err|", lines_of("log"));
	end_log();
}

static void output_is_read_to_its_end_after_the_exit(void)
{
	begin_log();
	run_it();
	CHECK(write(played.program[1], "last words\n", 11) == 11 && write(played.program[2], "and errors", 10) == 10);
	ends_with(0);
	CHECK_TEXT("last words\\n|and errors|", lines_of("log"));
	CHECK(m.log.total > 0 && m.output[0] < 0 && m.output[1] < 0);
	end_log();
}

/* ---- values that are taken out; last, as they stay ---- */

static void take_table(void)
{
	static const char *const values[] = {"a secret value"}, *const words[] = {"[hidden]"};
	static uint8_t bytes[1 << 14];
	uint32_t size = build_redaction_table(bytes, 1, values, words);
	int file = some_file();
	CHECK(pwrite(file, bytes, size, 0) == (ssize_t)size);
	CHECK_EQUAL(0, take_redaction(file));
	close(file);
}

static void the_beginning_of_a_value_waits_for_its_end(void)
{
	begin_log();
	CHECK_EQUAL(EBADMSG, ask(MONITOR_REDACT, 0));
	take_table();
	put_log(STREAM_OUT, "of a secret ");
	CHECK_TEXT("", lines_of("log"));
	put_log(STREAM_OUT, "value here\nand a secret");
	CHECK_TEXT("of [hidden] here\\n|", lines_of("log"));
	end_log_lines(&m.log, played.clock);
	CHECK_TEXT("of [hidden] here\\n|and a secret|", lines_of("log"));
	put_log(STREAM_ERR, "a secret");
	room = 0;
	put_log(STREAM_OUT, "x\n"); /* fails */
	uint64_t lost = m.log.lost;
	put_log(STREAM_ERR, "y");
	CHECK_EQUAL(lost + 1 + 8, m.log.lost);
	end_log();
}

static void a_probe_s_output_is_searched_too(void)
{
	begin_log();
	m.health.want = (struct monitor_health){.interval_millis = 50, .timeout_millis = 20, .start_interval_millis = 10, .retries = 2, .slots = SLOT_FIRST_FREE};
	m.health.kill = some_file();
	m.health.reported = PLAN_NAMESPACES;
	run_it();
	pass_until(m.health.next_at);
	int pipe[2];
	CHECK(pipe2(pipe, O_CLOEXEC | O_NONBLOCK) == 0);
	close_fd(&m.health.output);
	m.health.output = pipe[0];
	CHECK(write(pipe[1], "of a secret value, a sec", 24) == 24);
	read_probe(&m);
	CHECK(m.health.length == 13 && memcmp(m.health.text, "of [hidden], ", 13) == 0);
	take_probe_exit(&m);
	CHECK(strstr((char *)m.health.text, "of [hidden], a sec"));
	close(pipe[1]);
	end_log();
}

/* ---- denied calls ---- */

static void notes_of_denied_calls_are_written_when_they_are_due(void)
{
	begin_log();
	m.denials.log.count = 1;
	m.denials.write_at = played.clock + SECONDS;
	pass(SECONDS - 1);
	CHECK_TEXT("", text_of(MONITOR_DENIAL_FILE));
	pass(1);
	CHECK_EQUAL(0, m.denials.write_at);
	CHECK(memcmp(text_of(MONITOR_DENIAL_FILE), &(uint32_t){PLAN_MAGIC}, 4) == 0);
	m.denials.write_at = played.clock + SECONDS, room = 3;
	pass(SECONDS);
	CHECK(m.denials.write_at > played.clock);
	CHECK(faccessat(played.directory, ".denials", F_OK, 0) < 0); /* nothing half is left */
	room = SIZE_MAX;
	m.denials.wait_until = played.clock + SECONDS;
	pass(SECONDS - 1);
	CHECK(m.denials.wait_until != 0);
	pass(1);
	CHECK_EQUAL(0, m.denials.wait_until);
	run_it();
	m.denials.write_at = played.clock + 100 * SECONDS, m.denials.log.count = 2;
	ends_with(0);
	CHECK_EQUAL(0, m.denials.write_at); /* at the latest with the exit */
	m.denials.log.count = 0;
	end_log();
}

const struct test played_log_tests[] = {
	{"log: directory of its own", a_directory_of_its_own_has_all_files_of_the_log},
	{"log: pieces", a_line_is_written_whole_in_many_pieces},
	{"log: taken back", what_does_not_fit_is_taken_back_and_tried_again_after_five_seconds},
	{"log: half a line", half_a_line_is_lost_with_what_follows},
	{"log: not taken back", what_cannot_be_taken_back_ends_the_file},
	{"log: off", a_log_that_is_off_is_not_written},
	{"log: full", a_file_is_full_to_the_byte},
	{"log: files", files_are_as_many_as_was_asked_for},
	{"log: no file", a_new_file_that_cannot_be_made_is_an_error},
	{"log: gone on with", a_log_that_is_there_is_gone_on_with_behind_a_whole_line},
	{"log: no text", bytes_that_are_no_text_are_replaced},
	{"log: split", a_long_line_is_split_between_characters},
	{"log: exit", the_ends_of_both_streams_are_logged_at_the_exit},
	{"log: rest", output_is_read_to_its_end_after_the_exit},
	{"denials: due", notes_of_denied_calls_are_written_when_they_are_due},
	{"redaction: log", the_beginning_of_a_value_waits_for_its_end},
	{"redaction: probe", a_probe_s_output_is_searched_too},
};
const unsigned played_log_test_count = sizeof played_log_tests / sizeof *played_log_tests;
