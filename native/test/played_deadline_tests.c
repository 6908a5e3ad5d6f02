/* Deadlines and leases, and when the record is written again. */
#include "played_tests.h"
#include "../kernel.h"

static const struct monitor_policy always = {.restart = RESTART_ALWAYS, .stop_signal = SIGTERM, .stop_millis = 10000};

/* ---- deadlines ---- */

static void a_run_ends_at_its_deadline_and_is_not_restarted(void)
{
	struct monitor_policy policy = always;
	policy.deadline_millis = 5000;
	begin_with(&policy);
	pass(SECONDS);
	run_it();
	pass(5 * SECONDS - 1);
	CHECK(lives(m.init_pidfd));
	CHECK_EQUAL(0, m.last.state.flags & STATE_DEADLINE);
	pass(1);
	CHECK(is_killed(m.init_pidfd));
	CHECK(m.last.state.flags & STATE_DEADLINE);
	dies(SIGKILL);
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	CHECK_EQUAL(0, m.deadline_at);
	finish();
}

static void a_new_policy_counts_for_the_run(void)
{
	struct monitor_policy policy = always;
	begin_with(&policy);
	policy.deadline_millis = 2000;
	CHECK_EQUAL(0, ask_with(MONITOR_SET, &policy, sizeof policy));
	CHECK_EQUAL(0, m.deadline_at); /* it does not run */
	run_it();
	uint64_t began = m.started_at;
	CHECK_EQUAL(began + 2 * SECONDS, m.deadline_at);
	pass(SECONDS);
	policy.deadline_millis = 3000;
	CHECK_EQUAL(0, ask_with(MONITOR_SET, &policy, sizeof policy));
	CHECK_EQUAL(began + 3 * SECONDS, m.deadline_at);
	policy.deadline_millis = 0;
	CHECK_EQUAL(0, ask_with(MONITOR_SET, &policy, sizeof policy));
	CHECK_EQUAL(0, m.deadline_at);
	m.freezer = some_file();
	CHECK_EQUAL(0, ask(MONITOR_PAUSE, 0));
	policy.deadline_millis = 4000;
	CHECK_EQUAL(0, ask_with(MONITOR_SET, &policy, sizeof policy));
	CHECK_EQUAL(began + 4 * SECONDS, m.deadline_at);
	finish();
}

static void begin_leased(void)
{
	struct monitor_policy policy = always;
	policy.lease_millis = 1000;
	begin();
	CHECK_EQUAL(EINVAL, ask(MONITOR_RENEW, 500));
	CHECK_EQUAL(0, ask_with(MONITOR_SET, &policy, sizeof policy));
	CHECK_EQUAL(played.clock + SECONDS, m.lease_at);
	CHECK_EQUAL(1000, told().lease_millis);
}

static bool has_quit(uint64_t nanos)
{
	played.code = -1;
	if (setjmp(played.gone) != 0)
		return true;
	pass(nanos);
	return false;
}

static void a_lease_that_runs_out_ends_the_monitor(void)
{
	begin_leased();
	pass(900 * MILLIS);
	CHECK_EQUAL(EINVAL, ask(MONITOR_RENEW, 0));
	CHECK_EQUAL(0, ask(MONITOR_RENEW, 2000));
	CHECK(!has_quit(2 * SECONDS - 1));
	CHECK_EQUAL(0, m.last.state.flags & STATE_LEASE_OVER);
	CHECK(has_quit(1));
	CHECK_EQUAL(0, played.code);
	CHECK(m.last.state.flags & STATE_LEASE_OVER);
	finish();
}

static void a_lease_that_runs_out_kills_the_container_first(void)
{
	begin_leased();
	run_it();
	CHECK(!has_quit(SECONDS));
	CHECK(is_killed(m.init_pidfd));
	CHECK_EQUAL(EALREADY, ask(MONITOR_START, 0));
	if (setjmp(played.gone) == 0) {
		dies(SIGKILL);
		CHECK(false);
	}
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	finish();
}

static void a_lease_ends_a_wait_for_the_next_start(void)
{
	begin_leased();
	run_it();
	pass(990 * MILLIS);
	dies(SIGKILL);
	CHECK_EQUAL(MONITOR_RESTARTING, m.phase);
	CHECK(has_quit(10 * MILLIS));
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	finish();
}

static void a_lease_that_runs_out_leaves_output_its_time(void)
{
	begin_leased();
	run_it();
	int held = dup(played.program[1]);
	ends_with(0);
	CHECK_EQUAL(MONITOR_STOPPING, m.phase);
	CHECK(!has_quit(SECONDS));
	played.clock += SECONDS;
	if (setjmp(played.gone) == 0) {
		end_if_drained(&m);
		CHECK(false);
	}
	close(held);
	finish();
}

/* ---- the record ---- */

static void a_record_that_fails_is_written_again_after_five_seconds(void)
{
	begin();
	run_it();
	int directory = m.log.directory;
	m.log.directory = NO_FD;
	ends_with(4);
	CHECK(m.last.state.flags & STATE_RECORD_FAILED);
	CHECK_EQUAL(EBADF, m.last.state.record_error);
	CHECK_EQUAL(played.clock + 5 * SECONDS, m.record_at);
	m.log.directory = directory;
	m.sync_at = 0; /* its own test */
	pass(5 * SECONDS - 1);
	CHECK(m.last.state.flags & STATE_RECORD_FAILED);
	pass(1);
	CHECK_EQUAL(0, m.last.state.flags & STATE_RECORD_FAILED);
	CHECK_EQUAL(0, m.last.state.record_error);
	struct monitor_record record;
	int file = openat(directory, MONITOR_RECORD, O_RDONLY | O_CLOEXEC);
	CHECK(read(file, &record, sizeof record) == sizeof record);
	close(file);
	CHECK_EQUAL(PLAN_MAGIC, record.magic);
	CHECK_EQUAL(MONITOR_VERSION, record.version);
	CHECK_EQUAL(sizeof record, record.length);
	CHECK_EQUAL(4, record.end.state.status);
	CHECK_EQUAL(0, record.end.state.flags & STATE_RECORD_FAILED);
	CHECK_EQUAL(0, record.end.state.record_error);
	CHECK_EQUAL(played.clock + SECONDS, m.sync_at);
	pass(SECONDS);
	CHECK_EQUAL(0, m.sync_at);
	run_it();
	CHECK(faccessat(directory, MONITOR_RECORD, F_OK, 0) < 0);
	finish();
}

const struct test played_deadline_tests[] = {
	{"run: deadline", a_run_ends_at_its_deadline_and_is_not_restarted},
	{"run: policy", a_new_policy_counts_for_the_run},
	{"run: lease", a_lease_that_runs_out_ends_the_monitor},
	{"run: lease of a run", a_lease_that_runs_out_kills_the_container_first},
	{"run: lease of a wait", a_lease_ends_a_wait_for_the_next_start},
	{"run: lease and output", a_lease_that_runs_out_leaves_output_its_time},
	{"run: record", a_record_that_fails_is_written_again_after_five_seconds},
};
const unsigned played_deadline_test_count = sizeof played_deadline_tests / sizeof *played_deadline_tests;
