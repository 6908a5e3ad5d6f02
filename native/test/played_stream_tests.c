/* Input, the programs that were adopted, and the pace at which output is read. */
#include "played_tests.h"
#include "../kernel.h"

/* ---- input ---- */

static uint32_t written(void)
{
	uint32_t count = 0;
	CHECK_EQUAL(sizeof count, answered.header.length);
	memcpy(&count, answered.payload, sizeof count);
	return count;
}

static void input_is_written_and_closed(void)
{
	char text[8] = "";
	begin();
	CHECK_EQUAL(EPIPE, ask_with(MONITOR_STDIN, "a", 1));
	run_it();
	CHECK_EQUAL(0, m.last.state.flags & STATE_STDIN_CLOSED);
	CHECK_EQUAL(0, ask_with(MONITOR_STDIN, "abc", 3));
	CHECK_EQUAL(3, written());
	CHECK(read(played.program[0], text, sizeof text) == 3 && strcmp(text, "abc") == 0);
	CHECK_EQUAL(0, ask(MONITOR_STDIN, 0));
	CHECK_EQUAL(0, written());
	CHECK(m.input >= 0);
	CHECK_EQUAL(0, ask(MONITOR_STDIN, MONITOR_EOF));
	CHECK_EQUAL(-1, m.input);
	CHECK(m.last.state.flags & STATE_STDIN_CLOSED);
	CHECK_EQUAL(EPIPE, ask_with(MONITOR_STDIN, "a", 1));
	finish();
}

static void input_that_does_not_fit_is_announced_when_there_is_room(void)
{
	static const char bytes[4000];
	static char trash[1 << 16];
	begin();
	run_it();
	uint32_t taken = 0;
	for (unsigned i = 0; i < 100 && !m.client[0].wants_stdin; i++) {
		CHECK_EQUAL(0, ask_as(usual, MONITOR_STDIN, 0, bytes, sizeof bytes));
		taken = written();
	}
	CHECK(taken < sizeof bytes && m.client[0].wants_stdin && m.input >= 0);
	CHECK_EQUAL(0, ask_as(usual, MONITOR_STDIN, MONITOR_EOF, bytes, sizeof bytes));
	CHECK(m.input >= 0); /* not all was written */
	CHECK(read(played.program[0], trash, sizeof trash) > 0);
	note(&m, NOTE_STDIN);
	send_notices(&m);
	CHECK(hear(usual));
	CHECK_EQUAL(NOTICE_STDIN, answered.header.op);
	CHECK(!m.client[0].wants_stdin);
	note(&m, NOTE_STDIN);
	send_notices(&m);
	CHECK(!hear(usual));
	finish();
}

static void input_that_nobody_reads_any_more_is_closed(void)
{
	begin();
	run_it();
	close_fd(&played.program[0]);
	CHECK_EQUAL(EPIPE, ask_with(MONITOR_STDIN, "a", 1));
	CHECK_EQUAL(-1, m.input);
	CHECK(m.last.state.flags & STATE_STDIN_CLOSED);
	finish();
}

static void a_client_that_waits_for_room_is_told_when_input_is_closed(void)
{
	begin();
	run_it();
	m.client[0].wants_stdin = true;
	close_input(&m);
	CHECK(m.last.state.flags & STATE_STDIN_CLOSED);
	send_notices(&m);
	CHECK(hear(usual));
	CHECK_EQUAL(NOTICE_STDIN, answered.header.op);
	close_input(&m); /* which is closed already */
	send_notices(&m);
	CHECK(!hear(usual));
	m.input = dup(0), m.flags |= MONITOR_TERMINAL;
	close_input(&m); /* a terminal's is its output, too */
	CHECK(m.input >= 0);
	close_fd(&m.input);
	m.flags &= ~(uint32_t)MONITOR_TERMINAL;
	send_notices(&m);
	CHECK(!hear(usual));
	finish();
}

static void input_may_close_with_the_first_client_that_wrote(void)
{
	for (unsigned once = 0; once < 2; once++) {
		begin();
		m.flags |= once ? MONITOR_STDIN_ONCE : 0;
		run_it();
		int writer = connected();
		drop_client(&m, &m.client[0]); /* it wrote nothing */
		CHECK(m.input >= 0);
		CHECK_EQUAL(0, ask_as(writer, MONITOR_STDIN, 0, "a", 1));
		drop_client(&m, &m.client[1]);
		CHECK_EQUAL(once, m.input < 0);
		finish();
	}
}

/* ---- adopted programs ---- */

static struct monitor_exec_log execs;

static bool read_execs(void)
{
	int file = openat(m.log.directory, MONITOR_EXEC_FILE, O_RDONLY | O_CLOEXEC);
	bool whole = file >= 0 && read(file, &execs, sizeof execs) == sizeof execs;
	close_fd(&file);
	return whole && execs.magic == PLAN_MAGIC && execs.version == MONITOR_VERSION;
}

static int adopt(uint8_t id, int *error)
{
	int pair[2];
	uint8_t bytes[MONITOR_EXEC_ID] = {id, 1, 2, 3};
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	*error = adopt_exec(&m, bytes, pair[1]);
	return pair[0];
}

static void adopted_programs_end_with_their_codes(void)
{
	const struct {
		uint32_t kind;
		int status, code;
	} ends[] = {{REPORT_EXIT, 5, 5}, {REPORT_EXIT, 255, 255}, {REPORT_EXIT, 256 + SIGTERM, 128 + SIGTERM}, {REPORT_EXIT, 256, 128}, {REPORT_ERROR, ENOENT, 126}, {0, 0, 128 + SIGKILL}};
	int error;
	begin();
	int early = adopt(1, &error);
	CHECK_EQUAL(ESRCH, error);
	close(early);
	run_it();
	for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
		int end = adopt((uint8_t)(7 + i), &error);
		CHECK_EQUAL(0, error);
		take_exec_report(&m, &m.exec[0]); /* nothing yet */
		CHECK(m.exec[0].control >= 0);
		played.clock += 5 * MILLIS;
		if (ends[i].kind != 0)
			report_from(end, ends[i].kind, ends[i].status, 0, NO_FD);
		close(end);
		take_exec_report(&m, &m.exec[0]);
		CHECK_EQUAL(-1, m.exec[0].control);
		CHECK(read_execs());
		CHECK_EQUAL(i + 1, execs.count);
		CHECK_EQUAL(ends[i].code, execs.end[i].code);
		CHECK_EQUAL(7 + i, execs.end[i].id[0]);
		CHECK_EQUAL(3, execs.end[i].id[3]);
		CHECK_EQUAL(played.clock / MILLIS, execs.end[i].finished_millis);
		CHECK_EQUAL(execs.end[i].finished_millis - 5, execs.end[i].started_millis);
	}
	finish();
}

static void the_end_of_an_adopted_program_is_told_to_who_watches(void)
{
	int error;
	begin();
	run_it();
	int watcher = connected();
	CHECK_EQUAL(0, ask_as(watcher, MONITOR_WATCH, WATCH_STATE, NULL, 0));
	int end = adopt(1, &error);
	send_notices(&m);
	CHECK(!hear(watcher));
	close(end);
	take_exec_report(&m, &m.exec[0]);
	send_notices(&m);
	CHECK(hear(watcher));
	CHECK_EQUAL(NOTICE_STATE, answered.header.op);
	finish();
}

static void the_last_ends_of_adopted_programs_are_kept(void)
{
	int error;
	begin();
	run_it();
	for (unsigned i = 0; i < EXEC_ENDS + 3; i++) {
		close(adopt((uint8_t)i, &error));
		take_exec_report(&m, &m.exec[0]);
	}
	CHECK(read_execs());
	CHECK_EQUAL(EXEC_ENDS, execs.count);
	for (unsigned i = 0; i < EXEC_ENDS; i++)
		CHECK_EQUAL(i + 3, execs.end[i].id[0]);
	finish();
}

static void there_is_room_for_sixty_four_adopted_programs(void)
{
	int error, ends[MONITOR_MAX_EXECS + 1];
	begin();
	run_it();
	for (unsigned i = 0; i <= MONITOR_MAX_EXECS; i++) {
		ends[i] = adopt((uint8_t)i, &error);
		CHECK_EQUAL(i == MONITOR_MAX_EXECS ? EBUSY : 0, error);
	}
	for (unsigned i = 0; i <= MONITOR_MAX_EXECS; i++)
		close(ends[i]);
	finish();
}

static void only_a_socket_is_adopted(void)
{
	uint8_t id[MONITOR_EXEC_ID] = {0};
	int pair[2];
	begin();
	run_it();
	CHECK_EQUAL(EBADMSG, ask_with(MONITOR_ADOPT, id, sizeof id));
	CHECK_EQUAL(ENOTSOCK, adopt_exec(&m, id, some_file()));
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK_EQUAL(ENOTSOCK, adopt_exec(&m, id, pair[1]));
	close(pair[0]);
	finish();
}

static void the_output_of_an_adopted_program_is_dropped(void)
{
	int error, pipe[2], more[2];
	uint8_t id[MONITOR_EXEC_ID] = {4, 1, 2, 3}, another[MONITOR_EXEC_ID] = {5};
	begin();
	run_it();
	int end = adopt(4, &error);
	CHECK(pipe2(pipe, O_CLOEXEC) == 0 && pipe2(more, O_CLOEXEC) == 0);
	CHECK_EQUAL(EBADMSG, ask_with(MONITOR_READ, id, sizeof id));
	CHECK_EQUAL(ESRCH, adopt_terminal(&m, another, dup(pipe[0])));
	CHECK_EQUAL(0, adopt_terminal(&m, id, pipe[0]));
	CHECK_EQUAL(EBUSY, adopt_terminal(&m, id, more[0]));
	CHECK(write(pipe[1], "abc", 3) == 3);
	m.pace.has_read = false;
	drop_exec_output(&m, &m.exec[0]);
	drop_exec_output(&m, &m.exec[0]); /* empty */
	CHECK(m.exec[0].terminal >= 0 && m.pace.has_read);
	CHECK_EQUAL(played.clock + SECONDS, m.trim_at);
	close(pipe[1]);
	drop_exec_output(&m, &m.exec[0]);
	CHECK_EQUAL(-1, m.exec[0].terminal);
	close(end), close(more[1]);
	finish();
}

/* ---- the pace of output ---- */

static void output_waits_when_its_share_is_used_up(void)
{
	begin();
	run_it();
	for (unsigned i = 0; i < 2; i++) {
		m.policy.cpu_millis = i == 0 ? 0 : 1; /* the usual half, and the least share */
		m.pace.has_read = true;
		m.pace.credit = -50000000;
		m.pace.last = played.clock;
		m.pace.wait_until = 0;
		pace_output(&m);
		uint64_t wait = m.pace.wait_until - played.clock, share = i == 0 ? 500 : 10;
		CHECK(wait >= 50000000 / share * 1000 && wait < 150000000 / share * 1000);
		CHECK(!output_may_be_read(&m) && !m.pace.has_read);
	}
	m.policy.cpu_millis = 1000;
	m.pace.has_read = true, m.pace.credit = -100000000, m.pace.wait_until = 0;
	played.clock += 300 * MILLIS; /* earns as much as was used, and more */
	pace_output(&m);
	CHECK(output_may_be_read(&m) && m.pace.credit > 0);
	m.pace.has_read = true;
	played.clock += 1000 * SECONDS;
	pace_output(&m);
	CHECK(m.pace.credit <= 250000000 && m.pace.credit > 100000000);
	m.pace.credit = -1, m.pace.last = played.clock; /* was not read since: it is not looked at */
	pace_output(&m);
	CHECK_EQUAL(-1, m.pace.credit);
	finish();
}

static int64_t cpu_used(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void output_costs_the_processor_s_time_that_it_took(void)
{
	begin();
	run_it();
	m.policy.cpu_millis = 1000;
	pace_output(&m); /* counts from here */
	int64_t before = cpu_used(), used;
	while (cpu_used() - before < 20000000)
		;
	m.pace.has_read = true, m.pace.last = played.clock, m.pace.credit = 200000000;
	pace_output(&m);
	used = 200000000 - m.pace.credit;
	CHECK(used >= 20000000 && used <= cpu_used() - before + 20000000);
	finish();
}

static void what_is_read_behind_the_exit_is_bounded(void)
{
	begin();
	run_it();
	close_fd(&m.output[STREAM_OUT]);
	m.output[STREAM_OUT] = open("/dev/zero", O_RDONLY | O_CLOEXEC); /* somebody writes without end */
	m.log.off = true;
	read_rest(&m);
	CHECK(m.output[STREAM_OUT] >= 0);
	m.log.off = false;
	finish();
}

const struct test played_stream_tests[] = {
	{"requests: input", input_is_written_and_closed},
	{"requests: much input", input_that_does_not_fit_is_announced_when_there_is_room},
	{"requests: unread input", input_that_nobody_reads_any_more_is_closed},
	{"input closed while one waits", a_client_that_waits_for_room_is_told_when_input_is_closed},
	{"requests: input once", input_may_close_with_the_first_client_that_wrote},
	{"execs: codes", adopted_programs_end_with_their_codes},
	{"execs: notice", the_end_of_an_adopted_program_is_told_to_who_watches},
	{"execs: table", the_last_ends_of_adopted_programs_are_kept},
	{"execs: room", there_is_room_for_sixty_four_adopted_programs},
	{"execs: sockets", only_a_socket_is_adopted},
	{"execs: terminal", the_output_of_an_adopted_program_is_dropped},
	{"pace: share", output_waits_when_its_share_is_used_up},
	{"pace: time", output_costs_the_processor_s_time_that_it_took},
	{"streams: rest", what_is_read_behind_the_exit_is_bounded},
};
const unsigned played_stream_test_count = sizeof played_stream_tests / sizeof *played_stream_tests;
