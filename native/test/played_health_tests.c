/* Health checks, to the nanosecond: when a probe begins and ends, and what its result leads to. */
#include "played_health.h"
#include "../kernel.h"

#include <sys/stat.h>

const struct monitor_health usual_want = {.interval_millis = 50, .timeout_millis = 20, .start_millis = 100, .start_interval_millis = 10,
						 .retries = 2, .slots = SLOT_FIRST_FREE};
struct monitor_health_log results;

void begin_checked(const struct monitor_health *want)
{
	begin();
	m.health.want = *want;
	m.health.kill = some_file();
	m.health.reported = PLAN_NAMESPACES; /* as if they had come */
	run_it();
	m.health.reported = PLAN_NAMESPACES;
}

void let_probe_exit(int status)
{
	report_from(played.probe_end, REPORT_EXIT, status, 0, NO_FD);
	take_probe_report(&m);
	take_probe_exit(&m);
}

/* One result after another, each as soon as it is due. */
static void probe(int status)
{
	pass_until(m.health.next_at);
	CHECK(m.health.pidfd >= 0);
	let_probe_exit(status);
}

bool read_results(void)
{
	int file = openat(m.log.directory, MONITOR_HEALTH_FILE, O_RDONLY | O_CLOEXEC);
	bool whole = file >= 0 && read(file, &results, sizeof results) == sizeof results;
	close_fd(&file);
	return whole && results.magic == PLAN_MAGIC && results.version == MONITOR_VERSION;
}

const struct monitor_probe *newest(void)
{
	CHECK(read_results() && results.count > 0);
	return &results.probe[results.count > 0 ? results.count - 1 : 0];
}

void check_output(const char *expected)
{
	char text[HEALTH_OUTPUT + 1] = "";
	memcpy(text, newest()->output, newest()->length);
	CHECK_TEXT(expected, text);
}

static uint32_t health_state(void) { return m.last.state.flags & (STATE_HEALTH_STARTING | STATE_HEALTHY | STATE_UNHEALTHY); }

/* ---- time ---- */

static void probes_begin_at_their_intervals(void)
{
	begin_checked(&usual_want);
	uint64_t began = m.started_at;
	CHECK_EQUAL(STATE_HEALTH_STARTING, health_state());
	CHECK_EQUAL(began + 10 * MILLIS, m.health.next_at);
	pass(10 * MILLIS - 1);
	CHECK_EQUAL(-1, m.health.pidfd);
	pass(1);
	CHECK(m.health.pidfd >= 0);
	CHECK_EQUAL(played.clock + 20 * MILLIS, m.health.until);
	CHECK_EQUAL(0, m.health.next_at); /* none beside it */
	let_probe_exit(1);
	CHECK_EQUAL(0, m.health.until);
	CHECK_EQUAL(played.clock + 10 * MILLIS, m.health.next_at);
	pass_until(began + 100 * MILLIS - 1);
	let_probe_exit(1);
	CHECK_EQUAL(played.clock + 10 * MILLIS, m.health.next_at);
	pass_until(m.health.next_at);
	let_probe_exit(1); /* the start period is over */
	CHECK_EQUAL(played.clock + 50 * MILLIS, m.health.next_at);
	CHECK_EQUAL(1, m.health.streak);
	finish();
}

static void the_start_period_ends_to_the_nanosecond(void)
{
	for (unsigned i = 0; i < 2; i++) {
		begin_checked(&usual_want);
		pass_until(m.started_at + 100 * MILLIS - 1);
		pass(i);
		let_probe_exit(1);
		CHECK_EQUAL(i, m.health.streak);
		finish();
	}
}

static void the_start_period_ends_with_the_first_success(void)
{
	begin_checked(&usual_want);
	probe(1);
	CHECK_EQUAL(STATE_HEALTH_STARTING, health_state());
	CHECK(read_results() && results.changes == 0);
	probe(0);
	CHECK_EQUAL(STATE_HEALTHY, health_state());
	CHECK_EQUAL(played.clock + 50 * MILLIS, m.health.next_at);
	probe(1);
	CHECK_EQUAL(1, m.health.streak);
	CHECK(read_results() && results.changes == 1 && results.streak == 1);
	CHECK_EQUAL(STATE_HEALTHY, results.change[0].state);
	finish();
}

static void a_probe_is_killed_at_its_timeout(void)
{
	begin_checked(&usual_want);
	pass_until(m.health.next_at);
	pass(20 * MILLIS - 1);
	CHECK(lives(m.health.pidfd));
	struct stat stat;
	CHECK(fstat(m.health.kill, &stat) == 0 && stat.st_size == 0);
	pass(1);
	CHECK(is_killed(m.health.pidfd));
	CHECK(fstat(m.health.kill, &stat) == 0 && stat.st_size == 1);
	take_probe_exit(&m);
	CHECK_EQUAL(-1, newest()->code);
	check_output("Health check exceeded timeout (20ms)");
	CHECK(m.health.control < 0 && m.health.output < 0 && m.health.pidfd < 0);
	finish();
}

static void a_timeout_of_whole_seconds_is_said_in_seconds(void)
{
	struct monitor_health want = usual_want;
	want.timeout_millis = 3000;
	begin_checked(&want);
	pass_until(m.health.next_at);
	pass(3 * SECONDS);
	take_probe_exit(&m);
	check_output("Health check exceeded timeout (3s)");
	finish();
}

/* ---- what a result leads to ---- */

static void check_failure(uint32_t on_failure, int expected_signal, bool again)
{
	struct monitor_health want = usual_want;
	want.start_millis = 0, want.on_failure = on_failure;
	begin_checked(&want);
	m.policy.stop_millis = 10000;
	probe(1);
	CHECK_EQUAL(STATE_HEALTH_STARTING, health_state());
	CHECK(hears_nothing());
	probe(2);
	CHECK_EQUAL(STATE_UNHEALTHY, health_state());
	CHECK(read_results() && results.changes == 1 && results.change[0].state == STATE_UNHEALTHY && results.streak == 2);
	if (expected_signal == SIGKILL)
		CHECK(is_killed(m.init_pidfd));
	else
		CHECK(expected_signal == 0 ? hears_nothing() : heard_signal() == expected_signal);
	CHECK_EQUAL(again, m.again);
	CHECK_EQUAL(0, m.last.state.flags & STATE_STOPPED);
	if (expected_signal == 0) {
		probe(1); /* it is answered once */
		CHECK(read_results() && results.changes == 1 && results.streak == 3);
	}
	dies(SIGKILL);
	CHECK_EQUAL(again ? MONITOR_RESTARTING : MONITOR_EXITED, m.phase);
	CHECK_EQUAL(STATE_UNHEALTHY, health_state());
	finish();
}

static void an_unhealthy_container_is_treated_as_was_asked_for(void)
{
	check_failure(ON_FAILURE_NONE, 0, false);
	check_failure(ON_FAILURE_KILL, SIGKILL, false);
	check_failure(ON_FAILURE_STOP, SIGTERM, false);
	check_failure(ON_FAILURE_RESTART, SIGTERM, true);
}

static void a_success_forgets_the_failures_before_it(void)
{
	struct monitor_health want = usual_want;
	want.start_millis = 0;
	begin_checked(&want);
	probe(1), probe(0), probe(1);
	CHECK_EQUAL(STATE_HEALTHY, health_state());
	CHECK_EQUAL(1, m.health.streak);
	probe(1);
	CHECK_EQUAL(STATE_UNHEALTHY, health_state());
	probe(0);
	CHECK_EQUAL(STATE_HEALTHY, health_state());
	CHECK(read_results() && results.changes == 3 && results.streak == 0);
	finish();
}

/* ---- the file ---- */

static void the_last_results_and_changes_are_kept(void)
{
	struct monitor_health want = usual_want;
	want.start_millis = 0, want.retries = 1;
	begin_checked(&want);
	for (int i = 0; i < 2 * HEALTH_CHANGES; i++)
		probe(i % 2 ? 0 : i + 1);
	CHECK(read_results());
	CHECK_EQUAL(HEALTH_PROBES, results.count);
	CHECK_EQUAL(HEALTH_CHANGES, results.changes);
	for (unsigned i = 0; i < HEALTH_PROBES; i++) {
		int number = 2 * HEALTH_CHANGES - HEALTH_PROBES + (int)i;
		CHECK_EQUAL(number % 2 ? 0 : number + 1, results.probe[i].code);
	}
	for (unsigned i = 0; i < HEALTH_CHANGES; i++) {
		CHECK_EQUAL(i % 2 ? STATE_HEALTHY : STATE_UNHEALTHY, results.change[i].state);
		CHECK_EQUAL(0, results.change[i].reserved);
		CHECK(i == 0 || results.change[i].millis == results.change[i - 1].millis + 50);
	}
	CHECK_EQUAL(played.clock / MILLIS, newest()->finished_millis);
	CHECK_EQUAL(played.clock + SECONDS, m.trim_at);
	finish();
}

static void put_results(void)
{
	int file = openat(m.log.directory, MONITOR_HEALTH_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(file >= 0 && pwrite(file, &results, sizeof results, 0) == sizeof results);
	close(file);
}

static void a_file_that_is_not_whole_is_not_gone_on_with(void)
{
	for (unsigned i = 0; i < 5; i++) {
		begin_checked(&usual_want);
		probe(0), probe(0);
		CHECK(read_results() && results.count == 2);
		if (i == 1)
			results.magic++;
		else if (i == 2)
			results.count = HEALTH_PROBES + 1;
		else if (i == 3)
			results.changes = HEALTH_CHANGES + 1;
		put_results();
		int file = openat(m.log.directory, MONITOR_HEALTH_FILE, O_WRONLY | O_CLOEXEC);
		CHECK(i != 4 || ftruncate(file, sizeof results - 1) == 0);
		close(file);
		probe(0);
		CHECK(read_results());
		CHECK_EQUAL(i == 0 ? 3 : 1, results.count);
		CHECK_EQUAL(i == 0 ? 1 : 0, results.changes);
		finish();
	}
}

static void a_file_of_full_tables_is_gone_on_with(void)
{
	begin_checked(&usual_want);
	probe(0);
	CHECK(read_results());
	results.count = HEALTH_PROBES, results.changes = HEALTH_CHANGES;
	put_results();
	probe(0);
	CHECK(read_results() && results.count == HEALTH_PROBES && results.changes == HEALTH_CHANGES);
	finish();
}

static void without_a_place_for_it_there_is_no_file(void)
{
	begin_checked(&usual_want);
	probe(0);
	CHECK(read_results());
	CHECK(mkdirat(m.log.directory, ".health", 0700) == 0);
	pass_until(m.health.next_at);
	let_probe_exit(0);
	CHECK(!read_results());
	CHECK(unlinkat(m.log.directory, ".health", AT_REMOVEDIR) == 0);
	finish();
}

static void a_new_run_begins_with_no_failures(void)
{
	struct monitor_health want = usual_want;
	want.start_millis = 0;
	begin_checked(&want);
	probe(1), probe(1);
	CHECK(read_results() && results.streak == 2);
	dies(SIGKILL);
	m.health.reported = PLAN_NAMESPACES;
	run_it();
	CHECK_EQUAL(STATE_HEALTH_STARTING, health_state());
	CHECK(read_results() && results.streak == 0 && results.count == 2);
	finish();
}

/* ---- pauses and ends ---- */

static void no_probe_runs_in_a_pause(void)
{
	begin_checked(&usual_want);
	m.freezer = some_file();
	pass_until(m.health.next_at);
	int probing = dup(m.health.pidfd);
	CHECK_EQUAL(0, ask(MONITOR_PAUSE, 0));
	CHECK(is_killed(probing));
	close(probing);
	CHECK(m.health.pidfd < 0 && m.health.control < 0 && m.health.next_at == 0);
	pass(SECONDS);
	CHECK_EQUAL(-1, m.health.pidfd);
	CHECK_EQUAL(0, ask(MONITOR_UNPAUSE, 0));
	CHECK_EQUAL(played.clock + 50 * MILLIS, m.health.next_at);
	finish();
}

static void the_end_of_a_run_is_that_of_its_probe(void)
{
	begin_checked(&usual_want);
	m.health.name_space[0] = some_file();
	probe(0);
	pass_until(m.health.next_at);
	int probing = dup(m.health.pidfd);
	dies(SIGKILL);
	CHECK(is_killed(probing));
	close(probing);
	CHECK_EQUAL(0, m.health.next_at);
	CHECK_EQUAL(-1, m.health.name_space[0]);
	CHECK_EQUAL(0, m.health.reported);
	CHECK_EQUAL(STATE_UNHEALTHY, health_state());
	finish();
}

static void without_health_checks_there_are_no_states(void)
{
	begin();
	run_it();
	CHECK_EQUAL(0, m.health.next_at);
	CHECK_EQUAL(0, health_state());
	dies(SIGKILL);
	CHECK_EQUAL(0, health_state());
	finish();
}

/* ---- what may be asked for ---- */

static void each_value_is_checked(void)
{
	const struct monitor_health good = {.interval_millis = 1, .timeout_millis = 1, .start_interval_millis = 1, .retries = 1, .on_failure = ON_FAILURE_STOP,
					    .namespaces = plan_namespaces[0] | plan_namespaces[6], .slots = SLOT_FIRST_FREE + 2, .oom_score = 1000};
	struct monitor_health bad;
	CHECK(valid_health(&good));
	bad = good, bad.timeout_millis = 0, CHECK(!valid_health(&bad));
	bad = good, bad.start_interval_millis = 0, CHECK(!valid_health(&bad));
	bad = good, bad.retries = 0, CHECK(!valid_health(&bad));
	bad = good, bad.on_failure = ON_FAILURE_STOP + 1, CHECK(!valid_health(&bad));
	bad = good, bad.reserved = 1, CHECK(!valid_health(&bad));
	bad = good, bad.namespaces |= 1, CHECK(!valid_health(&bad));
	bad = good, bad.slots = PLAN_MAX_SLOTS, CHECK(valid_health(&bad));
	bad = good, bad.slots = PLAN_MAX_SLOTS + 1, CHECK(!valid_health(&bad));
	bad = good, bad.slots--, CHECK(!valid_health(&bad));
	bad = good, bad.oom_score = 1001, CHECK(!valid_health(&bad));
	bad = good, bad.oom_score = -1000, CHECK(valid_health(&bad));
	bad = good, bad.oom_score = -1001, CHECK(!valid_health(&bad));
	bad = (struct monitor_health){0}, CHECK(valid_health(&bad));
	bad.retries = 1, CHECK(!valid_health(&bad)); /* none, but with a value */
}

const struct test played_health_tests[] = {
	{"health: intervals", probes_begin_at_their_intervals},
	{"health: start period", the_start_period_ends_to_the_nanosecond},
	{"health: first success", the_start_period_ends_with_the_first_success},
	{"health: timeout", a_probe_is_killed_at_its_timeout},
	{"health: timeout in seconds", a_timeout_of_whole_seconds_is_said_in_seconds},
	{"health: failure", an_unhealthy_container_is_treated_as_was_asked_for},
	{"health: success", a_success_forgets_the_failures_before_it},
	{"health: tables", the_last_results_and_changes_are_kept},
	{"health: damaged file", a_file_that_is_not_whole_is_not_gone_on_with},
	{"health: full tables", a_file_of_full_tables_is_gone_on_with},
	{"health: no file", without_a_place_for_it_there_is_no_file},
	{"health: new run", a_new_run_begins_with_no_failures},
	{"health: pause", no_probe_runs_in_a_pause},
	{"health: end", the_end_of_a_run_is_that_of_its_probe},
	{"health: none", without_health_checks_there_are_no_states},
	{"health: values", each_value_is_checked},
};
const unsigned played_health_test_count = sizeof played_health_tests / sizeof *played_health_tests;
