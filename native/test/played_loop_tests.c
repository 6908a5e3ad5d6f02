/* The monitor's loop: what it watches, what each event leads to, and when it looks at the time. Its file is included. */
#include <stdlib.h>
#include <time.h>

static int played_clock(clockid_t which, struct timespec *now);
static _Noreturn void played_exit(int code);

#define clock_gettime played_clock
#define _exit played_exit
#include "../monitor.c"
#undef clock_gettime
#undef _exit
#include "played_tests.h"

#include <sys/un.h>

static int played_clock(clockid_t which, struct timespec *now)
{
	(void)which;
	*now = (struct timespec){.tv_sec = (time_t)(played.clock / SECONDS), .tv_nsec = (long)(played.clock % SECONDS)};
	return 0;
}

static void played_exit(int code)
{
	played.code = code;
	longjmp(played.gone, 1);
}

/* ---- time ---- */

static void the_timer_is_set_to_the_earliest_deadline(void)
{
	struct itimerspec when;
	struct timespec now;
	begin();
	uint64_t *all[] = {&m.start_until, &m.stop_at, &m.deadline_at, &m.lease_at, &m.restart_at, &m.record_at, &m.sync_at, &m.trim_at, &m.drain_until,
			   &m.pace.wait_until, &m.health.next_at, &m.health.until, &m.denials.wait_until, &m.denials.write_at,
			   &m.set_id.wait_until, &m.set_id.write_at};
	m.timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		*all[i] = 100 + i, *all[(i + 1) % 16] = 90 + i, *all[(i + 2) % 16] = 95 + i;
		set_timer(&m);
		CHECK_EQUAL(90 + i, m.timer_at);
		*all[i] = *all[(i + 1) % 16] = *all[(i + 2) % 16] = 0;
	}
	clock_gettime(CLOCK_BOOTTIME, &now);
	m.stop_at = (uint64_t)now.tv_sec * SECONDS + 1000 * SECONDS + 5;
	set_timer(&m);
	CHECK(timerfd_gettime(m.timer, &when) == 0 && when.it_value.tv_sec >= 900 && when.it_value.tv_sec <= 1000);
	CHECK(when.it_interval.tv_sec == 0 && when.it_interval.tv_nsec == 0);
	m.stop_at = 0;
	set_timer(&m);
	CHECK(timerfd_gettime(m.timer, &when) == 0 && when.it_value.tv_sec == 0 && when.it_value.tv_nsec == 0);
	m.stop_at = 1; /* long ago: it fires at once */
	set_timer(&m);
	struct pollfd fired = {m.timer, POLLIN, 0};
	CHECK(poll(&fired, 1, 1000) == 1);
	take_time(&m);
	CHECK_EQUAL(0, m.timer_at); /* to be set again */
	close_fd(&m.timer);
	finish();
}

static unsigned freed_by(void (*trim)(void))
{
	freed = 0;
	trim();
	return freed;
}

static void buffers_are_freed_and_output_is_read_when_it_is_time(void)
{
	begin();
	unsigned each = freed_by(trim_log), all = each;
	CHECK_EQUAL(redacts() ? 3 : 2, each);
	all += each = freed_by(trim_streams);
	CHECK_EQUAL(1, each);
	all += each = freed_by(trim_clients);
	CHECK_EQUAL(1, each);
	all += each = freed_by(trim_health);
	CHECK_EQUAL(1, each);
	for (unsigned i = 0; i < 2; i++) {
		m.timer = NO_FD;
		m.pace.wait_until = m.trim_at = played.clock + 1 - i, freed = 0;
		take_time(&m);
		CHECK_EQUAL(i * all, freed);
		CHECK_EQUAL(1 - i, m.pace.wait_until != 0);
		CHECK_EQUAL(1 - i, m.trim_at != 0);
	}
	m.pace.wait_until = m.trim_at = 0, freed = 0;
	take_time(&m);
	CHECK_EQUAL(0, freed);
	m.lease_at = played.clock; /* and all deadlines are looked at */
	if (setjmp(played.gone) == 0) {
		take_time(&m);
		CHECK(false);
	}
	finish();
}

static void the_clock_counts_in_nanoseconds_and_milliseconds(void)
{
	uint64_t before = played.clock;
	played.clock = 5 * SECONDS + 7 * MILLIS + 9;
	CHECK_EQUAL(5 * SECONDS + 7 * MILLIS + 9, boot_nanos());
	CHECK_EQUAL(5007, wall_millis());
	played.clock = before;
}

/* ---- what is watched ---- */

static void each_descriptor_has_its_place(void)
{
	struct pollfd watched[ON_COUNT];
	static struct monitor w;
	clear(&w);
	watch_all(&w, watched);
	for (unsigned i = 0; i < ON_COUNT; i++)
		CHECK(watched[i].fd == NO_FD && watched[i].revents == 0 && watched[i].events == (i == ON_INPUT ? POLLOUT : POLLIN));
	int *single[] = {[ON_TIMER] = &w.timer, [ON_SIGNAL] = &w.signals, [ON_LISTENER] = &w.listener, [ON_ZYGOTE] = &w.zygote_pidfd, [ON_INIT] = &w.init_pidfd,
			 [ON_CONTROL] = &w.control, [ON_OUTPUT] = &w.output[0], [ON_ERRORS] = &w.output[1], [ON_INPUT] = &w.input, [ON_PROBE] = &w.health.pidfd,
			 [ON_PROBE_CONTROL] = &w.health.control, [ON_PROBE_OUTPUT] = &w.health.output, [ON_PROGRAM] = &w.set_id.queue};
	for (int i = 0; i < ON_QUESTION; i++)
		*single[i] = 1000 + i;
	for (int i = 0; i < LISTENERS; i++)
		w.denials.listener[i] = 2000 + i;
	for (int i = 0; i < (int)MONITOR_MAX_CLIENTS; i++)
		w.client[i].fd = 3000 + i;
	for (int i = 0; i < (int)MONITOR_MAX_EXECS; i++)
		w.exec[i].control = 4000 + i, w.exec[i].terminal = 5000 + i;
	w.client[5].full = true;
	watch_all(&w, watched);
	for (int i = 0; i < ON_QUESTION; i++)
		CHECK_EQUAL(i == ON_INPUT ? NO_FD : 1000 + i, watched[i].fd); /* nobody waits for room there */
	for (int i = 0; i < LISTENERS; i++)
		CHECK_EQUAL(2000 + i, watched[ON_QUESTION + i].fd);
	for (int i = 0; i < (int)MONITOR_MAX_CLIENTS; i++) {
		CHECK_EQUAL(3000 + i, watched[ON_CLIENT + i].fd);
		CHECK_EQUAL(i == 5 ? POLLIN | POLLOUT : POLLIN, watched[ON_CLIENT + i].events);
	}
	for (int i = 0; i < (int)MONITOR_MAX_EXECS; i++)
		CHECK(watched[ON_EXEC + i].fd == 4000 + i && watched[ON_TERMINAL + i].fd == 5000 + i);
	w.client[31].wants_stdin = true;
	w.last.state.flags = STATE_ZYGOTE_GONE;
	w.pace.wait_until = 1;
	w.denials.wait_until = 1;
	w.set_id.wait_until = 1;
	watch_all(&w, watched);
	CHECK_EQUAL(1000 + ON_INPUT, watched[ON_INPUT].fd);
	CHECK_EQUAL(NO_FD, watched[ON_ZYGOTE].fd);
	static const int paced[] = {ON_OUTPUT, ON_ERRORS, ON_PROBE_OUTPUT, ON_TERMINAL, ON_COUNT - 1, ON_PROGRAM, ON_QUESTION, ON_QUESTION + LISTENERS - 1};
	for (unsigned i = 0; i < sizeof paced / sizeof *paced; i++)
		CHECK_EQUAL(NO_FD, watched[paced[i]].fd);
	CHECK_EQUAL(4000, watched[ON_EXEC].fd);
	w.client[31].fd = NO_FD; /* who wanted it is gone */
	watch_all(&w, watched);
	CHECK_EQUAL(NO_FD, watched[ON_INPUT].fd);
}

/* ---- events ---- */

static void happens(unsigned at, int fd, short what)
{
	struct pollfd watched[ON_COUNT];
	for (unsigned i = 0; i < ON_COUNT; i++)
		watched[i] = (struct pollfd){NO_FD, POLLIN, 0};
	watched[at] = (struct pollfd){fd, POLLIN, what};
	take_events(&m, watched);
}

/* First of a descriptor that was closed meanwhile, whose number is another's by now: it is not touched. */
#define EACH_TIME(at, of, what, untouched, touched)   \
	do {                                          \
		happens(at, (of) + 1000, what);       \
		CHECK(untouched);                     \
		happens(at, of, what);                \
		CHECK(touched);                       \
	} while (0)

static void reports_and_output_are_read(void)
{
	begin();
	ask(MONITOR_START, 0);
	report_from(played.init_end, REPORT_READY, 0, 0, NO_FD);
	EACH_TIME(ON_CONTROL, m.control, POLLIN, m.phase == MONITOR_STARTING, m.phase == MONITOR_RUNNING);
	CHECK(write(played.program[1], "out\n", 4) == 4);
	EACH_TIME(ON_OUTPUT, m.output[STREAM_OUT], POLLIN, m.log.total == 0, m.log.total > 0);
	uint64_t total = m.log.total;
	CHECK(write(played.program[2], "err\n", 4) == 4);
	EACH_TIME(ON_ERRORS, m.output[STREAM_ERR], POLLIN, m.log.total == total, m.log.total > total);
	close_fd(&played.program[2]);
	EACH_TIME(ON_ERRORS, m.output[STREAM_ERR], POLLHUP, m.output[STREAM_ERR] >= 0, m.output[STREAM_ERR] == NO_FD);
	CHECK_EQUAL(0, ask(MONITOR_WATCH, WATCH_STATE));
	m.zygote = some_file();
	happens(ON_ZYGOTE, 5, POLLIN);
	CHECK(m.last.state.flags & STATE_ZYGOTE_GONE && m.zygote == NO_FD && m.client[0].unsent & WATCH_STATE);
	finish();
}

static void questions_and_probes_are_answered(void)
{
	int pipes[2];
	begin();
	CHECK(pipe2(pipes, O_CLOEXEC) == 0);
	m.denials.listener[3] = pipes[0];
	EACH_TIME(ON_QUESTION + 3, m.denials.listener[3], POLLHUP, m.denials.listener[3] >= 0, m.denials.listener[3] == NO_FD);
	close(pipes[1]);
	m.health.want = (struct monitor_health){.interval_millis = 50, .timeout_millis = 20, .start_interval_millis = 10, .retries = 2, .slots = SLOT_FIRST_FREE};
	m.health.kill = some_file(), m.health.reported = PLAN_NAMESPACES;
	run_it();
	pass_until(m.health.next_at);
	report_from(played.probe_end, REPORT_EXIT, 3, 0, NO_FD);
	EACH_TIME(ON_PROBE_CONTROL, m.health.control, POLLIN, !m.health.ended, m.health.ended);
	CHECK(pipe2(pipes, O_CLOEXEC | O_NONBLOCK) == 0);
	close_fd(&m.health.output);
	m.health.output = pipes[0];
	CHECK(write(pipes[1], "x", 1) == 1);
	EACH_TIME(ON_PROBE_OUTPUT, m.health.output, POLLIN, m.health.length == 0, m.health.length == 1);
	EACH_TIME(ON_PROBE, m.health.pidfd, POLLIN, m.health.pidfd >= 0, m.health.pidfd == NO_FD);
	CHECK_EQUAL(3, m.health.code);
	close(pipes[1]);
	finish();
}

static void adopted_programs_are_heard(void)
{
	int pair[2], pipes[2];
	uint8_t id[MONITOR_EXEC_ID] = {1};
	begin();
	run_it();
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0 && pipe2(pipes, O_CLOEXEC) == 0);
	CHECK_EQUAL(0, adopt_exec(&m, id, pair[1]));
	CHECK_EQUAL(0, adopt_terminal(&m, id, pipes[0]));
	close(pipes[1]);
	EACH_TIME(ON_TERMINAL, m.exec[0].terminal, POLLHUP, m.exec[0].terminal >= 0, m.exec[0].terminal == NO_FD);
	close(pair[0]);
	EACH_TIME(ON_EXEC, m.exec[0].control, POLLIN, m.exec[0].control >= 0, m.exec[0].control == NO_FD);
	finish();
}

static void an_exit_is_taken_and_its_output_drained(void)
{
	begin();
	run_it();
	say(REPORT_EXIT, 4, 0);
	send_to_init(&m, SIGKILL);
	CHECK(is_killed(m.init_pidfd));
	int held = dup(played.program[1]);
	for (unsigned i = 0; i < 3; i++)
		close_fd(&played.program[i]);
	happens(ON_INIT, m.init_pidfd, POLLIN);
	CHECK_EQUAL(MONITOR_STOPPING, m.phase);
	close(held);
	happens(ON_OUTPUT, m.output[STREAM_OUT], POLLHUP);
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	CHECK_EQUAL(4, m.last.state.status);
	happens(ON_INIT, 5, POLLIN); /* there is none any more */
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	finish();
}

static void clients_are_read_and_told(void)
{
	struct monitor_header state = {MONITOR_STATE, MONITOR_VERSION, 1, 0, 0};
	begin();
	CHECK(send(usual, &state, sizeof state, 0) > 0);
	m.client[0].full = true;
	happens(ON_CLIENT, m.client[0].fd, POLLOUT);
	CHECK(!m.client[0].full && !hear(usual)); /* only room */
	EACH_TIME(ON_CLIENT, m.client[0].fd, POLLIN, !hear(usual), hear(usual));
	m.client[0].wants_stdin = true;
	happens(ON_INPUT, 5, POLLOUT);
	CHECK(!m.client[0].wants_stdin && m.client[0].unsent == NOTE_STDIN);
	happens(ON_CLIENT + 1, NO_FD, POLLIN);
	CHECK_EQUAL(NO_FD, m.client[1].fd);
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0caisson-played"};
	socklen_t length = sizeof(sa_family_t);
	m.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(bind(m.listener, (struct sockaddr *)&address, length) == 0 && listen(m.listener, 4) == 0); /* a name that the kernel chooses */
	length = sizeof address;
	CHECK(getsockname(m.listener, (struct sockaddr *)&address, &length) == 0);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	CHECK(connect(fd, (struct sockaddr *)&address, length) == 0);
	happens(ON_LISTENER, m.listener, POLLIN);
	CHECK_EQUAL(geteuid() == 0, m.client[1].fd >= 0); /* root alone is served */
	close(fd), close_fd(&m.listener);
	finish();
}

/* ---- its end ---- */

static void send_signal_to_it(void)
{
	struct signalfd_siginfo signal = {.ssi_signo = SIGTERM};
	int pipes[2];
	CHECK(pipe2(pipes, O_CLOEXEC) == 0 && write(pipes[1], &signal, sizeof signal) == sizeof signal);
	m.signals = pipes[0];
	close(pipes[1]);
	happens(ON_SIGNAL, m.signals, POLLIN);
	close_fd(&m.signals);
}

static void check_signal_at_rest(enum monitor_phase phase)
{
	begin();
	m.phase = phase;
	if (setjmp(played.gone) == 0) {
		send_signal_to_it();
		CHECK(false);
	}
	CHECK_EQUAL(0, played.code);
	close_fd(&m.signals);
	finish();
}

static void a_signal_ends_what_rests_at_once_and_what_runs_in_order(void)
{
	check_signal_at_rest(MONITOR_CREATED);
	check_signal_at_rest(MONITOR_EXITED);
	begin();
	run_it();
	send_signal_to_it();
	CHECK(m.quits && m.stop_at == played.clock + 10 * SECONDS);
	CHECK_EQUAL(SIGTERM, heard_signal());
	CHECK_EQUAL(0, m.last.state.flags & STATE_STOPPED);
	finish();
	begin();
	run_it();
	int pipes[2];
	CHECK(pipe2(pipes, O_CLOEXEC) == 0);
	close(pipes[1]);
	happens(ON_SIGNAL, m.signals = pipes[0], POLLIN); /* nothing was there */
	CHECK(!m.quits);
	close_fd(&m.signals);
	finish();
}

static void who_removes_it_is_answered_when_nothing_is_left(void)
{
	begin();
	int file = openat(played.directory, MONITOR_SOCKET, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(file);
	CHECK(faccessat(played.directory, MONITOR_STATUS, F_OK, 0) == 0);
	int watcher = connected();
	CHECK_EQUAL(0, ask_as(watcher, MONITOR_WATCH, WATCH_STATE, NULL, 0));
	note(&m, WATCH_STATE);
	if (setjmp(played.gone) == 0) {
		ask(MONITOR_REMOVE, 0);
		CHECK(false);
	}
	CHECK(hear(usual));
	CHECK_EQUAL(MONITOR_REMOVE | MONITOR_REPLY, answered.header.op);
	CHECK_EQUAL(0, answered.header.argument);
	CHECK(hear(watcher));
	CHECK_EQUAL(NOTICE_STATE, answered.header.op);
	CHECK(faccessat(played.directory, MONITOR_SOCKET, F_OK, 0) < 0 && faccessat(played.directory, MONITOR_STATUS, F_OK, 0) < 0);
	CHECK_EQUAL(NO_FD, m.status);
	finish();
}

const struct test played_loop_tests[] = {
	{"loop: timer", the_timer_is_set_to_the_earliest_deadline},
	{"loop: time", buffers_are_freed_and_output_is_read_when_it_is_time},
	{"loop: clock", the_clock_counts_in_nanoseconds_and_milliseconds},
	{"loop: watched", each_descriptor_has_its_place},
	{"loop: output", reports_and_output_are_read},
	{"loop: probes", questions_and_probes_are_answered},
	{"loop: adopted", adopted_programs_are_heard},
	{"loop: exit", an_exit_is_taken_and_its_output_drained},
	{"loop: clients", clients_are_read_and_told},
	{"loop: signal", a_signal_ends_what_rests_at_once_and_what_runs_in_order},
	{"loop: removal", who_removes_it_is_answered_when_nothing_is_left},
};
const unsigned played_loop_test_count = sizeof played_loop_tests / sizeof *played_loop_tests;
