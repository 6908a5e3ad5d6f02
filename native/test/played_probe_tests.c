/* One probe: what it is handed, how it starts and ends, and what is kept of its output. */
#include "played_health.h"
#include "../kernel.h"
#include "../messages.h"

#include <sys/stat.h>

/* ---- a probe ---- */

static void what_is_handed_over_has_the_namespaces_in_the_last_slots(void)
{
	struct monitor_health want = usual_want;
	want.slots = SLOT_FIRST_FREE + 4;
	struct handover handover;
	int numbers[16];
	struct fds fds = {.fd = numbers, .most = 16};
	begin_checked(&want);
	m.health.given[0].fd = some_file(), m.health.given[0].slot = SLOT_PLAN;
	m.health.given[1].fd = some_file(), m.health.given[1].slot = SLOT_FIRST_FREE;
	m.health.given_count = 2;
	m.health.name_space[2] = some_file(), m.health.name_space[5] = some_file();
	pass_until(m.health.next_at);
	CHECK_EQUAL(sizeof handover, receive_message(played.probe_end, &handover, sizeof handover, &fds));
	CHECK_EQUAL(PLAN_MAGIC, handover.magic);
	CHECK_EQUAL(want.slots, handover.slots);
	CHECK_EQUAL(7, handover.count);
	CHECK_EQUAL(7, fds.count);
	const uint16_t expected[] = {SLOT_STDIN, SLOT_STDOUT, SLOT_STDERR, SLOT_PLAN, SLOT_FIRST_FREE, SLOT_FIRST_FREE + 2, SLOT_FIRST_FREE + 3};
	struct stat out, err;
	for (unsigned i = 0; i < 7; i++)
		CHECK_EQUAL(expected[i], handover.slot[i]);
	CHECK(fstat(numbers[1], &out) == 0 && S_ISFIFO(out.st_mode) && fstat(numbers[2], &err) == 0 && err.st_ino == out.st_ino);
	for (unsigned i = 0; i < fds.count; i++)
		close(numbers[i]);
	close(m.health.given[0].fd), close(m.health.given[1].fd);
	finish();
}

static void a_probe_starts_its_program_once_it_is_ready(void)
{
	uint8_t word = 0;
	static const struct sock_filter none;
	for (unsigned i = 0; i < 3; i++) {
		struct handover handover;
		int numbers[16];
		struct fds fds = {.fd = numbers, .most = 16};
		begin_checked(&usual_want);
		m.denials.filter = i > 0 ? &none : NULL;
		m.flags |= i == 1 ? MONITOR_PROBES_ASK : 0;
		pass_until(m.health.next_at);
		receive_message(played.probe_end, &handover, sizeof handover, &fds);
		for (unsigned fd = 0; fd < fds.count; fd++)
			close(numbers[fd]);
		CHECK(recv(played.probe_end, &word, 1, MSG_DONTWAIT) < 0);
		report_from(played.probe_end, REPORT_READY, 0, 0, some_file());
		take_probe_report(&m);
		CHECK(recv(played.probe_end, &word, 1, MSG_DONTWAIT) == 1);
		CHECK_EQUAL(i == 1 ? CONTROL_START_ASKING : CONTROL_START, word);
		m.denials.filter = NULL;
		finish();
	}
}

static void check_code(uint32_t kind, int status, int code, const char *output)
{
	begin_checked(&usual_want);
	pass_until(m.health.next_at);
	report_from(played.probe_end, kind, status, 0, NO_FD);
	take_probe_report(&m);
	take_probe_exit(&m);
	CHECK_EQUAL(code, newest()->code);
	check_output(output);
	finish();
}

static void each_end_of_a_probe_has_its_code(void)
{
	check_code(REPORT_EXIT, 0, 0, "");
	check_code(REPORT_EXIT, 255, 255, "");
	check_code(REPORT_EXIT, 256, 128, "");
	check_code(REPORT_EXIT, 256 + SIGKILL, 128 + SIGKILL, "");
	check_code(REPORT_ERROR, ENOENT, 127, "the health check's command cannot be run: error 2");
	check_code(REPORT_ERROR, EACCES, 126, "the health check's command cannot be run: error 13");
	check_code(REPORT_ERROR, ENOMEM, 125, "the health check's command cannot be run: error 12");
	check_code(REPORT_PAUSED, 0, -1, "the health check was killed before its command had ended, code -1 ");
}

/* Its end may be seen before what it has said. */
static void the_last_word_of_a_probe_is_heard_behind_its_end(void)
{
	begin_checked(&usual_want);
	pass_until(m.health.next_at);
	report_from(played.probe_end, REPORT_READY, 0, 0, NO_FD);
	report_from(played.probe_end, REPORT_EXIT, 6, 0, NO_FD);
	take_probe_exit(&m);
	CHECK_EQUAL(6, newest()->code);
	finish();
}

static void a_probe_whose_words_are_no_reports_is_not_heard_any_more(void)
{
	struct report report = {.magic = PLAN_MAGIC + 1, .kind = REPORT_EXIT};
	for (unsigned i = 0; i < 2; i++) {
		begin_checked(&usual_want);
		pass_until(m.health.next_at);
		take_probe_report(&m); /* nothing has come */
		CHECK(m.health.control >= 0);
		report.magic = PLAN_MAGIC + (i == 0);
		CHECK(send(played.probe_end, &report, sizeof report - i, 0) > 0);
		take_probe_report(&m);
		CHECK_EQUAL(-1, m.health.control);
		CHECK(!m.health.ended);
		finish();
	}
}

static void a_probe_that_cannot_be_started_is_a_failure(void)
{
	begin_checked(&usual_want);
	played.probe_error = -EAGAIN;
	pass_until(m.health.next_at);
	CHECK_EQUAL(-1, newest()->code);
	check_output("the health check could not be started: error 11");
	CHECK_EQUAL(played.clock + 10 * MILLIS, m.health.next_at);
	CHECK(m.health.control < 0 && m.health.output < 0 && m.health.until == 0);
	finish();
}

/* Its output is a pipe that this process fills. */
static void write_output(char byte, unsigned length)
{
	struct handover handover;
	int numbers[16];
	struct fds fds = {.fd = numbers, .most = 16};
	static char bytes[2 * HEALTH_OUTPUT];
	memset(bytes, byte, sizeof bytes);
	CHECK(receive_message(played.probe_end, &handover, sizeof handover, &fds) == sizeof handover);
	CHECK(write(numbers[1], bytes, length) == (ssize_t)length);
	for (unsigned i = 0; i < fds.count; i++)
		close(numbers[i]);
}

static void the_beginning_of_its_output_is_kept(void)
{
	begin_checked(&usual_want);
	pass_until(m.health.next_at);
	write_output('a', HEALTH_OUTPUT + 9);
	read_probe(&m);
	CHECK_EQUAL(HEALTH_OUTPUT, m.health.length);
	CHECK(m.pace.has_read);
	CHECK_EQUAL(played.clock + SECONDS, m.trim_at);
	read_probe(&m);
	CHECK_EQUAL(-1, m.health.output);
	let_probe_exit(0);
	CHECK_EQUAL(HEALTH_OUTPUT, newest()->length);
	CHECK_EQUAL('a', newest()->output[HEALTH_OUTPUT - 1]);
	finish();
}

static void what_is_said_of_a_probe_comes_before_its_output(void)
{
	begin_checked(&usual_want);
	pass_until(m.health.next_at);
	write_output('b', HEALTH_OUTPUT);
	pass(20 * MILLIS);
	take_probe_exit(&m);
	static const char words[] = "Health check exceeded timeout (20ms): bbb";
	CHECK_EQUAL(HEALTH_OUTPUT, newest()->length);
	CHECK(memcmp(newest()->output, words, strlen(words)) == 0);
	CHECK_EQUAL('b', newest()->output[HEALTH_OUTPUT - 1]);
	finish();
}

static void short_output_stays_whole_behind_what_is_said(void)
{
	begin_checked(&usual_want);
	pass_until(m.health.next_at);
	write_output('c', 3);
	take_probe_exit(&m);
	check_output("the health check was killed before its command had ended, code -1 ccc");
	finish();
}

const struct test played_probe_tests[] = {
	{"health: handover", what_is_handed_over_has_the_namespaces_in_the_last_slots},
	{"health: ready", a_probe_starts_its_program_once_it_is_ready},
	{"health: codes", each_end_of_a_probe_has_its_code},
	{"health: last word", the_last_word_of_a_probe_is_heard_behind_its_end},
	{"health: no reports", a_probe_whose_words_are_no_reports_is_not_heard_any_more},
	{"health: no start", a_probe_that_cannot_be_started_is_a_failure},
	{"health: much output", the_beginning_of_its_output_is_kept},
	{"health: words before much output", what_is_said_of_a_probe_comes_before_its_output},
	{"health: words before output", short_output_stays_whole_behind_what_is_said},
};
const unsigned played_probe_test_count = sizeof played_probe_tests / sizeof *played_probe_tests;
