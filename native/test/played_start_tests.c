/* Starts: what init reports until its program runs, and what becomes of one that reports something else. */
#include "played_tests.h"
#include "../kernel.h"

#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>

static const struct monitor_policy always = {.restart = RESTART_ALWAYS, .stop_signal = SIGTERM, .stop_millis = 10000};

/* ---- patience ---- */

static void a_start_has_sixty_seconds(void)
{
	begin();
	CHECK_EQUAL(-1, ask(MONITOR_START, 0));
	CHECK_EQUAL(played.clock + 60 * SECONDS, m.start_until);
	pass(60 * SECONDS - 1);
	CHECK(lives(m.init_pidfd));
	pass(1);
	CHECK(is_killed(m.init_pidfd));
	CHECK_EQUAL(0, m.start_until);
	finish();
}

static void a_program_that_runs_has_all_the_time(void)
{
	begin();
	run_it();
	CHECK_EQUAL(0, m.start_until);
	pass(1000000 * SECONDS);
	CHECK(lives(m.init_pidfd));
	finish();
}

static void a_held_start_has_no_limit_but_its_client(void)
{
	begin();
	int other = connected();
	CHECK_EQUAL(-1, ask(MONITOR_START, MONITOR_HOLD));
	say(REPORT_READY, 0, 0);
	CHECK_EQUAL(MONITOR_HELD, m.phase);
	CHECK(hear(usual) && answered.header.argument == 0 && answered.fd >= 0);
	CHECK_EQUAL(EINVAL, ask_as(other, MONITOR_GO, 0, NULL, 0));
	CHECK_EQUAL(0, m.start_until);
	CHECK_EQUAL(0, ask(MONITOR_GO, 0));
	CHECK_EQUAL(MONITOR_RUNNING, told().phase);
	CHECK_EQUAL(-1, m.holder);
	CHECK_EQUAL(EINVAL, ask(MONITOR_GO, 0));
	finish();
}

static void a_held_start_ends_with_its_client_and_no_restart_follows(void)
{
	begin_with(&always);
	CHECK_EQUAL(-1, ask(MONITOR_START, MONITOR_HOLD));
	say(REPORT_READY, 0, 0);
	drop_client(&m, &m.client[0]);
	CHECK(is_killed(m.init_pidfd));
	CHECK_EQUAL(-1, m.holder);
	dies(SIGKILL);
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	finish();
}

static void any_other_client_may_go_while_a_start_is_held(void)
{
	begin();
	connected();
	CHECK_EQUAL(-1, ask(MONITOR_START, MONITOR_HOLD));
	say(REPORT_READY, 0, 0);
	drop_client(&m, &m.client[1]);
	CHECK(lives(m.init_pidfd));
	CHECK_EQUAL(0, m.holder);
	finish();
}

/* ---- reports ---- */

static void a_second_ready_kills_it(void)
{
	begin();
	run_it();
	say(REPORT_READY, 0, 0);
	CHECK(is_killed(m.init_pidfd));
	finish();
}

static void a_terminal_that_was_not_asked_for_is_not_taken(void)
{
	for (unsigned terminal = 0; terminal < 2; terminal++) {
		begin();
		m.flags = terminal ? MONITOR_TERMINAL : MONITOR_STDIN_OPEN;
		ask(MONITOR_START, 0);
		int before = m.output[STREAM_OUT], input = m.input;
		say_with(REPORT_CONSOLE, 0, some_file());
		CHECK_EQUAL(terminal, m.output[STREAM_OUT] != before);
		CHECK_EQUAL(terminal, m.input != input);
		CHECK(!terminal || m.input == m.output[STREAM_OUT]);
		before = m.output[STREAM_OUT];
		CHECK(!terminal || fcntl(before, F_GETFL) & O_NONBLOCK);
		say_with(REPORT_CONSOLE, 0, some_file()); /* a second one */
		CHECK_EQUAL(before, m.output[STREAM_OUT]);
		finish();
	}
}

static void an_unknown_report_kills_it(void)
{
	begin();
	ask(MONITOR_START, 0);
	say(REPORT_PAUSED, 0, 0);
	CHECK(is_killed(m.init_pidfd));
	finish();
}

static void bytes_that_are_no_report_end_the_conversation(void)
{
	for (unsigned kind = 0; kind < 3; kind++) {
		struct report report = {.magic = kind == 0 ? PLAN_MAGIC + 1 : PLAN_MAGIC, .kind = REPORT_READY};
		begin();
		ask(MONITOR_START, 0);
		CHECK(send(played.init_end, &report, sizeof report - (kind == 1), 0) > 0);
		take_reports(&m);
		CHECK_EQUAL(kind == 2 ? MONITOR_RUNNING : MONITOR_STARTING, m.phase);
		CHECK_EQUAL(kind == 2, m.control >= 0);
		finish();
	}
}

static void at_most_sixteen_reports_are_taken_at_once(void)
{
	begin();
	ask(MONITOR_START, 0);
	for (unsigned i = 0; i < 17; i++)
		report_from(played.init_end, REPORT_ERROR, (int)i, 0, NO_FD);
	take_reports(&m);
	CHECK_EQUAL(15, m.last.report.status);
	take_reports(&m);
	CHECK_EQUAL(16, m.last.report.status);
	finish();
}

static void the_progress_file_is_the_first_that_comes(void)
{
	begin();
	ask(MONITOR_START, MONITOR_HOLD);
	int file = some_file(), other = some_file();
	struct start called = {.called = 1};
	CHECK(pwrite(file, &called, sizeof called, 0) == sizeof called);
	say_with(REPORT_READY, 0, file);
	CHECK_EQUAL(MONITOR_HELD, m.phase);
	int progress = m.progress;
	say_with(REPORT_READY, 0, other); /* kills it */
	CHECK_EQUAL(progress, m.progress);
	finish();
}

/* ---- the namespaces of a run with health checks ---- */

static const uint32_t *const order = plan_namespaces;

static void begin_probed(void)
{
	begin();
	m.health.want = (struct monitor_health){.interval_millis = 50, .timeout_millis = 20, .start_interval_millis = 10, .retries = 2,
						.namespaces = order[1] | order[3], .slots = SLOT_FIRST_FREE + 2};
	m.health.kill = some_file();
	ask(MONITOR_START, 0);
	say(REPORT_READY, 0, 0);
	uint8_t word = 0;
	CHECK(recv(played.init_end, &word, 1, MSG_DONTWAIT) == 1);
	CHECK_EQUAL(CONTROL_NAMESPACES, word);
	CHECK_EQUAL(MONITOR_STARTING, m.phase);
}

static void the_namespaces_of_a_run_come_in_their_order(void)
{
	begin_probed();
	for (unsigned i = 0; i < PLAN_NAMESPACES; i++) {
		CHECK_EQUAL(MONITOR_STARTING, m.phase);
		say_with(REPORT_NAMESPACE, order[i], some_file());
		CHECK_EQUAL(i == 1 || i == 3, m.health.name_space[i] >= 0); /* no probe enters the others */
	}
	CHECK_EQUAL(MONITOR_RUNNING, m.phase);
	finish();
}

static void a_namespace_that_no_probe_enters_may_be_missing(void)
{
	begin_probed();
	static const unsigned there[] = {1, 3, 6, PLAN_NAMESPACES - 1};
	for (unsigned i = 0; i < sizeof there / sizeof *there; i++) {
		CHECK_EQUAL(MONITOR_STARTING, m.phase);
		say_with(REPORT_NAMESPACE, order[there[i]], some_file());
	}
	CHECK(m.health.name_space[1] >= 0 && m.health.name_space[3] >= 0);
	CHECK_EQUAL(MONITOR_RUNNING, m.phase);
	finish();
}

static void a_namespace_that_comes_before_its_turn_kills_init(void)
{
	begin_probed();
	say_with(REPORT_NAMESPACE, order[0], some_file());
	CHECK(lives(m.init_pidfd));
	say_with(REPORT_NAMESPACE, order[3], some_file());
	CHECK(is_killed(m.init_pidfd));
	CHECK_EQUAL(1, m.health.reported);
	CHECK(m.health.name_space[1] < 0 && m.health.name_space[3] < 0);
	finish();
}

static void one_namespace_more_ends_the_conversation(void)
{
	begin_probed();
	for (unsigned i = 0; i + 1 < PLAN_NAMESPACES; i++)
		say_with(REPORT_NAMESPACE, order[i], some_file());
	report_from(played.init_end, REPORT_NAMESPACE, 0, order[PLAN_NAMESPACES - 1], some_file());
	report_from(played.init_end, REPORT_NAMESPACE, 0, order[PLAN_NAMESPACES - 1], some_file());
	take_reports(&m);
	CHECK_EQUAL(MONITOR_RUNNING, m.phase);
	CHECK_EQUAL(-1, m.control); /* no descriptor is taken while a program runs: init sees end-of-file */
	finish();
}

static void a_namespace_before_ready_kills_init(void)
{
	begin();
	ask(MONITOR_START, 0);
	say_with(REPORT_NAMESPACE, order[0], some_file());
	CHECK(is_killed(m.init_pidfd));
	finish();
}

static void a_namespace_that_nobody_asked_for_kills_init(void)
{
	begin();
	ask(MONITOR_START, MONITOR_HOLD);
	say(REPORT_READY, 0, 0);
	take_namespace(&m, order[0], some_file());
	CHECK(is_killed(m.init_pidfd));
	finish();
}

/* ---- the sockets of its resolver ---- */

static void the_sockets_of_a_resolver_are_one_of_each_kind(void)
{
	begin();
	CHECK_EQUAL(ESRCH, ask(MONITOR_LEND, IPPROTO_UDP));
	ask(MONITOR_START, 0);
	say_with(REPORT_RESOLVER, IPPROTO_UDP, some_file());
	CHECK(m.resolver[0] >= 0 && m.resolver[1] < 0);
	CHECK_EQUAL(ESRCH, ask(MONITOR_LEND, IPPROTO_TCP));
	CHECK_EQUAL(0, ask(MONITOR_LEND, IPPROTO_UDP));
	CHECK(answered.fd >= 0);
	say_with(REPORT_RESOLVER, IPPROTO_TCP, some_file());
	CHECK_EQUAL(0, ask(MONITOR_LEND, IPPROTO_TCP));
	CHECK_EQUAL(EINVAL, ask(MONITOR_LEND, IPPROTO_ICMP));
	CHECK(lives(m.init_pidfd));
	say(REPORT_READY, 0, 0);
	CHECK_EQUAL(MONITOR_RUNNING, m.phase);
	dies(SIGKILL);
	CHECK(m.resolver[0] < 0 && m.resolver[1] < 0);
	finish();
}

static void a_second_or_an_unknown_or_a_late_resolver_kills_init(void)
{
	for (unsigned i = 0; i < 3; i++) {
		begin();
		ask(MONITOR_START, 0);
		if (i == 0)
			say_with(REPORT_RESOLVER, IPPROTO_UDP, some_file());
		if (i == 2)
			say(REPORT_ERROR, ENOENT, 0);
		CHECK(lives(m.init_pidfd));
		say_with(REPORT_RESOLVER, i == 1 ? IPPROTO_ICMP : IPPROTO_UDP, some_file());
		CHECK(is_killed(m.init_pidfd));
		finish();
	}
}

/* ---- starts that fail ---- */

static void a_start_that_its_zygote_refuses_leaves_nothing(void)
{
	begin();
	played.init_error = -EAGAIN;
	CHECK_EQUAL(EAGAIN, ask(MONITOR_START, 0));
	CHECK(told().flags & STATE_START_FAILED);
	CHECK_EQUAL(0, told().flags & STATE_ZYGOTE_GONE);
	CHECK_EQUAL(1, told().generation);
	CHECK_EQUAL(MONITOR_CREATED, m.phase);
	CHECK(m.control < 0 && m.input < 0 && m.output[0] < 0 && m.output[1] < 0 && m.init_pidfd < 0);
	finish();
}

static void a_start_whose_zygote_is_gone_says_so(void)
{
	begin();
	m.zygote = NO_FD, played.init_error = -EPIPE;
	CHECK_EQUAL(EPIPE, ask(MONITOR_START, 0));
	CHECK(told().flags & STATE_ZYGOTE_GONE);
	finish();
}

static void an_init_whose_links_fail_is_killed_and_reaped(void)
{
	begin();
	m.network = some_file();
	played.links_error = -ENODEV;
	CHECK_EQUAL(ENODEV, ask(MONITOR_START, 0));
	CHECK_EQUAL(-1, m.init_pidfd);
	CHECK_EQUAL(0, m.last.state.pid);
	CHECK_EQUAL(-1, m.network); /* a client that wants it gives it again */
	finish();
}

static void a_network_lasts_from_restart_to_restart_as_long_as_its_owner_lives(void)
{
	begin_with(&always);
	int owner = played.process();
	m.network = some_file(), m.owner = owner;
	run_it();
	dies(SIGKILL);
	CHECK_EQUAL(MONITOR_RESTARTING, m.phase);
	pass_until(m.restart_at);
	CHECK_EQUAL(MONITOR_STARTING, m.phase);
	syscall(SYS_pidfd_send_signal, owner, SIGKILL, NULL, 0);
	CHECK(is_killed(owner));
	say(REPORT_READY, 0, 0);
	dies(SIGKILL);
	pass_until(m.restart_at);
	CHECK(m.last.state.flags & STATE_NETWORK_ENDED && m.last.state.flags & STATE_START_FAILED);
	CHECK_EQUAL(125, m.last.state.status);
	CHECK_EQUAL(played.clock / MILLIS, m.last.state.finished_millis);
	CHECK_EQUAL(-1, m.network);
	CHECK_EQUAL(MONITOR_RESTARTING, m.phase); /* it may be given another meanwhile */
	finish();
}

static int sealed(void)
{
	int file = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK(fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
	return file;
}

static int relink(const struct links *links, int plan)
{
	int given = plan;
	int error = take_links(&m, links, &given);
	CHECK_EQUAL(error == 0, given < 0);
	close_fd(&given);
	return error;
}

static void links_and_a_network_change_between_starts_alone(void)
{
	static const struct links none;
	struct links some = {.count = 1};
	some.link[0] = (struct plan_link){"cv0", "cn0", "eth0", 100, 1500, {2}, 0, 0};
	begin();
	CHECK_EQUAL(-ENOENT, relink(&none, sealed()));
	m.given[0].fd = sealed(), m.given[0].slot = SLOT_PLAN, m.given_count = 1;
	CHECK_EQUAL(0, relink(&none, sealed()));
	CHECK_EQUAL(-EPERM, relink(&none, some_file()));
	CHECK_EQUAL(-EINVAL, relink(&some, sealed())); /* in no network of its own */
	m.clone_flags = CLONE_NEWNET;
	CHECK_EQUAL(-EPERM, relink(&some, sealed())); /* its zygote makes none */
	m.makes_links = true;
	CHECK_EQUAL(0, relink(&some, sealed()));
	CHECK_EQUAL(1, m.links.count);
	some.link[0].host[0] = 0;
	CHECK_EQUAL(-EINVAL, relink(&some, sealed()));
	int network = some_file();
	CHECK_EQUAL(-EINVAL, take_network(&m, &network)); /* it has its own */
	m.clone_flags = 0, m.flags = MONITOR_HOST_NETWORK;
	CHECK_EQUAL(-EINVAL, take_network(&m, &network));
	m.flags = 0;
	for (unsigned held = 0; held < 2; held++) {
		m.phase = held ? MONITOR_HELD : MONITOR_STARTING;
		CHECK_EQUAL(-EBUSY, take_network(&m, &network));
		CHECK_EQUAL(-EBUSY, relink(&none, sealed()));
	}
	m.phase = MONITOR_CREATED;
	int owner = played.process(), other = some_file();
	CHECK_EQUAL(-EINVAL, take_owner(&m, &owner)); /* of what? */
	CHECK_EQUAL(0, take_network(&m, &network));
	CHECK_EQUAL(-1, network);
	CHECK(!is_network_kept(&m));
	CHECK_EQUAL(-EINVAL, take_owner(&m, &other));
	CHECK_EQUAL(0, take_owner(&m, &owner));
	CHECK(owner < 0 && is_network_kept(&m));
	syscall(SYS_pidfd_send_signal, m.owner, SIGKILL, NULL, 0);
	CHECK(is_killed(m.owner));
	CHECK(!is_network_kept(&m));
	int again = dup(other);
	CHECK_EQUAL(0, take_network(&m, &again));
	CHECK_EQUAL(-1, m.owner); /* it was that of the other one */
	forget_network(&m);
	CHECK(is_network_kept(&m));
	close(other), close_fd(&m.given[0].fd);
	m.given_count = 0;
	finish();
}

const struct test played_start_tests[] = {
	{"start: sixty seconds", a_start_has_sixty_seconds},
	{"start: no limit", a_program_that_runs_has_all_the_time},
	{"start: held", a_held_start_has_no_limit_but_its_client},
	{"start: its client goes", a_held_start_ends_with_its_client_and_no_restart_follows},
	{"start: another client goes", any_other_client_may_go_while_a_start_is_held},
	{"start: ready twice", a_second_ready_kills_it},
	{"start: terminals", a_terminal_that_was_not_asked_for_is_not_taken},
	{"start: unknown report", an_unknown_report_kills_it},
	{"start: no report", bytes_that_are_no_report_end_the_conversation},
	{"start: sixteen reports", at_most_sixteen_reports_are_taken_at_once},
	{"start: progress", the_progress_file_is_the_first_that_comes},
	{"start: namespaces", the_namespaces_of_a_run_come_in_their_order},
	{"start: a missing namespace", a_namespace_that_no_probe_enters_may_be_missing},
	{"start: another namespace", a_namespace_that_comes_before_its_turn_kills_init},
	{"start: one namespace more", one_namespace_more_ends_the_conversation},
	{"start: namespace before ready", a_namespace_before_ready_kills_init},
	{"start: namespace unasked", a_namespace_that_nobody_asked_for_kills_init},
	{"start: resolver", the_sockets_of_a_resolver_are_one_of_each_kind},
	{"start: other resolvers", a_second_or_an_unknown_or_a_late_resolver_kills_init},
	{"start: refused", a_start_that_its_zygote_refuses_leaves_nothing},
	{"start: no zygote", a_start_whose_zygote_is_gone_says_so},
	{"start: no links", an_init_whose_links_fail_is_killed_and_reaped},
	{"start: relink", links_and_a_network_change_between_starts_alone},
	{"start: network", a_network_lasts_from_restart_to_restart_as_long_as_its_owner_lives},
};
const unsigned played_start_test_count = sizeof played_start_tests / sizeof *played_start_tests;
