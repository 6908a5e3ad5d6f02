/* The end of a run, and what follows: exits, restarts and stops. */
#include "played_tests.h"
#include "../kernel.h"

#include <sys/syscall.h>

static const struct monitor_policy always = {.restart = RESTART_ALWAYS, .stop_signal = SIGTERM, .stop_millis = 10000};

/* ---- exits ---- */

static void the_exit_that_init_reports_counts(void)
{
	begin();
	run_it();
	pass(1234 * MILLIS);
	say(REPORT_EXIT, 3, OBSTACLE_ROOT_FULL);
	dies(SIGUSR2); /* it exits with 7 */
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	struct monitor_state state = m.last.state;
	CHECK_EQUAL(played.clock + SECONDS, m.trim_at);
	CHECK_EQUAL(3, state.status);
	CHECK_EQUAL(OBSTACLE_ROOT_FULL, state.obstacles);
	CHECK_EQUAL(11, state.user_micros);
	CHECK_EQUAL(22, state.system_micros);
	CHECK_EQUAL(1234, state.run_millis);
	CHECK_EQUAL(played.clock / MILLIS, state.finished_millis);
	CHECK_EQUAL(0, state.flags & (STATE_START_FAILED | STATE_OOM));
	CHECK_EQUAL(0, state.pid);
	finish();
}

static void without_a_report_the_end_of_init_itself_counts(void)
{
	begin();
	run_it();
	say(REPORT_EXIT, 3, OBSTACLE_ROOT_FULL);
	dies(SIGKILL);
	run_it();
	dies(SIGUSR2);
	CHECK_EQUAL(7, m.last.state.status);
	CHECK_EQUAL(0, m.last.state.obstacles);
	CHECK_EQUAL(0, m.last.state.user_micros + m.last.state.system_micros);
	run_it();
	dies(SIGKILL);
	CHECK_EQUAL(256 + SIGKILL, m.last.state.status);
	finish();
}

static void an_init_that_has_not_exited_is_not_taken_for_one(void)
{
	begin();
	run_it();
	take_exit(&m);
	CHECK_EQUAL(MONITOR_RUNNING, m.phase);
	CHECK(m.init_pidfd >= 0);
	finish();
}

static bool ends_as_a_failed_start(bool has_file, int called, uint32_t kind)
{
	begin();
	ask(MONITOR_START, 0);
	struct start start = {.called = called};
	int file = has_file ? some_file() : NO_FD;
	if (has_file)
		CHECK(pwrite(file, &start, sizeof start, 0) == sizeof start);
	say_with(REPORT_READY, 0, file);
	if (kind != 0)
		say(kind, EACCES, 0);
	dies(SIGKILL);
	bool failed = m.last.state.flags & STATE_START_FAILED;
	finish();
	return failed;
}

static void an_end_before_the_program_is_a_failed_start(void)
{
	CHECK(!ends_as_a_failed_start(false, 0, 0)); /* nobody knows */
	CHECK(!ends_as_a_failed_start(true, 1, 0));
	CHECK(ends_as_a_failed_start(true, 0, 0));
	CHECK(!ends_as_a_failed_start(true, 0, REPORT_EXIT));
	CHECK(ends_as_a_failed_start(true, 1, REPORT_ERROR));
	begin();
	ask(MONITOR_START, 0);
	dies(SIGKILL);
	CHECK(m.last.state.flags & STATE_START_FAILED);
	CHECK(hear(usual));
	CHECK_EQUAL(ECANCELED, answered.header.argument);
	ask(MONITOR_START, MONITOR_HOLD);
	say(REPORT_READY, 0, 0);
	dies(SIGKILL);
	CHECK(m.last.state.flags & STATE_START_FAILED);
	CHECK_EQUAL(0, m.last.state.run_millis);
	CHECK_EQUAL(-1, m.holder);
	finish();
}

static void an_error_of_init_answers_its_start(void)
{
	begin();
	ask(MONITOR_START, 0);
	say(REPORT_ERROR, ENOENT, 0);
	dies(SIGKILL);
	CHECK(hear(usual));
	CHECK_EQUAL(ENOENT, answered.header.argument);
	finish();
}

static void kills_for_memory_are_those_of_this_run(void)
{
	begin();
	m.oom = some_file();
	CHECK(pwrite(m.oom, "oom_kill_disable 9\nunder_oom 8\noom_kill 2\n", 42, 0) == 42);
	run_it();
	dies(SIGKILL);
	CHECK_EQUAL(0, m.last.state.oom_kills);
	CHECK_EQUAL(0, m.last.state.flags & STATE_OOM);
	run_it();
	CHECK(pwrite(m.oom, "oom_kill 5\n", 11, 31) == 11);
	dies(SIGKILL);
	CHECK_EQUAL(3, m.last.state.oom_kills);
	CHECK(m.last.state.flags & STATE_OOM);
	run_it();
	CHECK_EQUAL(0, m.last.state.flags & STATE_OOM);
	close_fd(&m.oom);
	CHECK_EQUAL(0, read_oom_kills(&m));
	finish();
}

static void output_that_is_held_from_outside_is_waited_for_two_seconds(void)
{
	begin();
	run_it();
	int held = dup(played.program[2]);
	ends_with(0);
	CHECK_EQUAL(MONITOR_STOPPING, m.phase);
	CHECK_EQUAL(played.clock + 2 * SECONDS, m.drain_until);
	played.clock += 2 * SECONDS - 1;
	end_if_drained(&m);
	CHECK_EQUAL(MONITOR_STOPPING, m.phase);
	played.clock++;
	end_if_drained(&m);
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	CHECK_EQUAL(0, m.drain_until);
	close(held);
	finish();
}

static void output_that_is_closed_is_not_waited_for(void)
{
	begin();
	run_it();
	int held = dup(played.program[1]);
	ends_with(0);
	close(held);
	read_output(&m, STREAM_OUT);
	CHECK_EQUAL(-1, m.output[STREAM_OUT]);
	end_if_drained(&m);
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	finish();
}

/* ---- restarts ---- */

static void a_wait_is_twice_as_long_each_time_up_to_a_minute(void)
{
	uint64_t wait = 100 * MILLIS;
	begin_with(&always);
	run_it();
	for (unsigned i = 0; i < 12; i++) {
		dies(SIGKILL);
		CHECK_EQUAL(MONITOR_RESTARTING, m.phase);
		CHECK_EQUAL(wait, m.restart_at - played.clock);
		pass(wait - 1);
		CHECK_EQUAL(MONITOR_RESTARTING, m.phase);
		pass(1);
		CHECK_EQUAL(MONITOR_STARTING, m.phase);
		CHECK_EQUAL(i + 1, m.last.state.restarts);
		CHECK_EQUAL(i + 2, m.last.state.generation);
		say(REPORT_READY, 0, 0);
		wait = 2 * wait < 60 * SECONDS ? 2 * wait : 60 * SECONDS;
	}
	finish();
}

static void a_run_of_ten_seconds_shortens_the_wait_again(void)
{
	begin_with(&always);
	run_it();
	dies(SIGKILL);
	pass_until(m.restart_at);
	say(REPORT_READY, 0, 0);
	pass(10 * SECONDS - MILLIS);
	dies(SIGKILL);
	CHECK_EQUAL(200 * MILLIS, m.restart_at - played.clock);
	pass_until(m.restart_at);
	say(REPORT_READY, 0, 0);
	pass(10 * SECONDS);
	dies(SIGKILL);
	CHECK_EQUAL(100 * MILLIS, m.restart_at - played.clock);
	finish();
}

static void a_start_of_a_client_begins_from_the_shortest_wait(void)
{
	begin_with(&always);
	run_it();
	dies(SIGKILL);
	pass_until(m.restart_at);
	say(REPORT_READY, 0, 0);
	CHECK_EQUAL(-1, ask(MONITOR_STOP, 0));
	dies(SIGKILL);
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	CHECK(hear(usual) && told().phase == MONITOR_EXITED);
	run_it();
	CHECK_EQUAL(0, m.last.state.restarts);
	dies(SIGKILL);
	CHECK_EQUAL(100 * MILLIS, m.restart_at - played.clock);
	finish();
}

static void failures_are_answered_as_often_as_the_policy_says(void)
{
	begin_with(&(struct monitor_policy){.restart = RESTART_ON_FAILURE, .most_restarts = 2, .stop_signal = SIGTERM});
	run_it();
	for (unsigned i = 0; i < 2; i++) {
		ends_with(1);
		CHECK_EQUAL(MONITOR_RESTARTING, m.phase);
		pass_until(m.restart_at);
		say(REPORT_READY, 0, 0);
	}
	ends_with(1);
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	m.policy.most_restarts = 0;
	run_it();
	ends_with(1);
	CHECK_EQUAL(MONITOR_RESTARTING, m.phase);
	pass_until(m.restart_at);
	say(REPORT_READY, 0, 0);
	ends_with(0);
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	finish();
}

static void a_start_that_fails_is_repeated_only_after_one_that_did_not(void)
{
	begin_with(&always);
	ask(MONITOR_START, 0);
	say(REPORT_ERROR, ENOENT, 0);
	dies(SIGKILL);
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	run_it();
	dies(SIGKILL);
	pass_until(m.restart_at);
	say(REPORT_ERROR, ENOENT, 0);
	dies(SIGKILL);
	CHECK_EQUAL(MONITOR_RESTARTING, m.phase);
	played.init_error = -EAGAIN;
	pass_until(m.restart_at);
	CHECK_EQUAL(MONITOR_RESTARTING, m.phase);
	CHECK_EQUAL(125, m.last.state.status);
	CHECK_EQUAL(400 * MILLIS, m.restart_at - played.clock);
	finish();
}

static void nothing_is_restarted_without_a_zygote(void)
{
	begin_with(&always);
	run_it();
	m.zygote = NO_FD;
	dies(SIGKILL);
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	finish();
}

/* ---- stops ---- */

static void a_stop_is_followed_by_a_kill(void)
{
	struct monitor_stop how = {SIGHUP, 1500};
	begin_with(&always);
	run_it();
	CHECK_EQUAL(-1, ask_with(MONITOR_STOP, &how, sizeof how));
	CHECK_EQUAL(SIGHUP, heard_signal());
	CHECK(m.last.state.flags & STATE_STOPPED);
	pass(1500 * MILLIS - 1);
	CHECK(lives(m.init_pidfd));
	pass(1);
	CHECK(is_killed(m.init_pidfd));
	dies(SIGKILL);
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	CHECK(hear(usual) && told().phase == MONITOR_EXITED && answered.header.argument == 0);
	run_it();
	CHECK_EQUAL(0, m.last.state.flags & STATE_STOPPED);
	finish();
}

static void a_stop_without_words_is_that_of_the_policy(void)
{
	begin();
	run_it();
	CHECK_EQUAL(-1, ask(MONITOR_STOP, 0));
	CHECK_EQUAL(SIGTERM, heard_signal());
	CHECK_EQUAL(played.clock + 10 * SECONDS, m.stop_at);
	finish();
}

static void a_stop_may_wait_for_ever_or_not_at_all(void)
{
	struct monitor_stop for_ever = {SIGTERM, MONITOR_FOREVER}, at_once = {SIGTERM, 0};
	begin();
	run_it();
	CHECK_EQUAL(-1, ask_with(MONITOR_STOP, &for_ever, sizeof for_ever));
	CHECK_EQUAL(0, m.stop_at);
	CHECK_EQUAL(SIGTERM, heard_signal());
	CHECK_EQUAL(EBUSY, ask_with(MONITOR_STOP, &at_once, sizeof at_once));
	CHECK_EQUAL(-1, ask_as(connected(), MONITOR_STOP, 0, &at_once, sizeof at_once));
	CHECK(is_killed(m.init_pidfd));
	finish();
}

static void a_start_is_stopped_at_once(void)
{
	for (unsigned held = 0; held < 2; held++) {
		char byte;
		begin();
		m.freezer = some_file();
		ask(MONITOR_START, held ? MONITOR_HOLD : 0);
		if (held)
			say(REPORT_READY, 0, 0);
		CHECK_EQUAL(-1, ask_as(connected(), MONITOR_STOP, 0, NULL, 0));
		CHECK(is_killed(m.init_pidfd));
		CHECK_EQUAL(held ? MONITOR_HELD : MONITOR_STARTING, m.phase); /* what was not frozen is not thawed */
		CHECK_EQUAL(0, pread(m.freezer, &byte, 1, 0));
		close_fd(&m.freezer);
		finish();
	}
}

static void a_stop_ends_a_wait_for_the_next_start(void)
{
	begin_with(&always);
	run_it();
	ends_with(9);
	CHECK_EQUAL(0, ask(MONITOR_STOP, 0));
	CHECK_EQUAL(MONITOR_EXITED, told().phase);
	CHECK_EQUAL(0, m.restart_at);
	CHECK_EQUAL(9, told().status);
	finish();
}

const struct test played_run_tests[] = {
	{"run: exit", the_exit_that_init_reports_counts},
	{"run: no report", without_a_report_the_end_of_init_itself_counts},
	{"run: no exit", an_init_that_has_not_exited_is_not_taken_for_one},
	{"run: failed start", an_end_before_the_program_is_a_failed_start},
	{"run: error", an_error_of_init_answers_its_start},
	{"run: memory", kills_for_memory_are_those_of_this_run},
	{"run: output is held", output_that_is_held_from_outside_is_waited_for_two_seconds},
	{"run: output is closed", output_that_is_closed_is_not_waited_for},
	{"run: back-off", a_wait_is_twice_as_long_each_time_up_to_a_minute},
	{"run: steady", a_run_of_ten_seconds_shortens_the_wait_again},
	{"run: a client's start", a_start_of_a_client_begins_from_the_shortest_wait},
	{"run: failures", failures_are_answered_as_often_as_the_policy_says},
	{"run: failed restart", a_start_that_fails_is_repeated_only_after_one_that_did_not},
	{"run: no zygote", nothing_is_restarted_without_a_zygote},
	{"run: stop", a_stop_is_followed_by_a_kill},
	{"run: the policy's stop", a_stop_without_words_is_that_of_the_policy},
	{"run: patience", a_stop_may_wait_for_ever_or_not_at_all},
	{"run: stop of a start", a_start_is_stopped_at_once},
	{"run: stop of a wait", a_stop_ends_a_wait_for_the_next_start},
};
const unsigned played_run_test_count = sizeof played_run_tests / sizeof *played_run_tests;
