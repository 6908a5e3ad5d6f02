/* SETUP: what is refused, with which error, and the last values that pass. */
#include "monitor_tests.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* The descriptors of a plain SETUP. */
enum { PLAN, STATE, LOG, ROOT };

static void no_id_count(struct monitor_setup *setup) { setup->id_count = 0; }
static void ids_beyond(struct monitor_setup *setup) { setup->id_count = UINT32_MAX - setup->id_base + 1; }
static void many_slots(struct monitor_setup *setup) { setup->slots = PLAN_MAX_SLOTS + 1; }
static void few_slots(struct monitor_setup *setup) { setup->slots = SLOT_FIRST_FREE; }
static void no_log_files(struct monitor_setup *setup) { setup->log_files = 0; }
static void many_log_files(struct monitor_setup *setup) { setup->log_files = 101; }
static void log_too_small(struct monitor_setup *setup) { setup->log_bytes = 65535; }
static void log_too_large(struct monitor_setup *setup) { setup->log_bytes = INT64_MAX / 2 + 1ull; }
static void no_log_name(struct monitor_setup *setup) { setup->log_name[0] = 0; }
static void hidden_log(struct monitor_setup *setup) { memcpy(setup->log_name, ".x", 3); }
static void log_below(struct monitor_setup *setup) { memcpy(setup->log_name, "a/b", 4); }
static void log_as_health(struct monitor_setup *setup) { memcpy(setup->log_name, "health", 7); }
static void log_as_execs(struct monitor_setup *setup) { memcpy(setup->log_name, "execs", 6); }
static void no_stop_signal(struct monitor_setup *setup) { setup->policy.stop_signal = 0; }
static void reserved_policy(struct monitor_setup *setup) { setup->policy.reserved = 1; }
static void next_flag(struct monitor_setup *setup) { setup->flags = MONITOR_WATCH_SET_ID << 1; }

static void good_link(struct monitor_setup *setup)
{
	setup->links.count = 1;
	setup->links.link[0] = (struct plan_link){"cv0", "cn0", "eth0", 100, 1500, {2}, 0, 0};
}

static void link_of_a_bad_name(struct monitor_setup *setup) { good_link(setup), setup->links.link[0].host[0] = 'x'; }
static void link_without_count(struct monitor_setup *setup) { good_link(setup), setup->links.count = 0; }
static void host_with_a_network(struct monitor_setup *setup) { setup->flags |= MONITOR_HOST_NETWORK; }
static void host_with_links(struct monitor_setup *setup)
{
	setup->flags |= MONITOR_HOST_NETWORK | MONITOR_LINKABLE, setup->clone_flags &= ~(uint64_t)CLONE_NEWNET;
}
static void link_into_the_host(struct monitor_setup *setup) { good_link(setup), setup->clone_flags &= ~(uint64_t)CLONE_NEWNET; }

static void control_slot(struct monitor_setup *setup) { setup->role[ROOT].slot = SLOT_CONTROL; }
static void error_slot(struct monitor_setup *setup) { setup->role[ROOT].slot = SLOT_STDERR; }
static void slot_twice(struct monitor_setup *setup) { setup->role[ROOT].slot = SLOT_PLAN; }
static void slot_of_none(struct monitor_setup *setup) { setup->role[ROOT].slot = setup->slots; }
static void slot_of_directory(struct monitor_setup *setup) { setup->role[STATE].slot = SLOT_FIRST_FREE; }
static void no_state(struct monitor_setup *setup) { setup->role[STATE].kind = FD_HOLD; }
static void no_log(struct monitor_setup *setup) { setup->role[LOG].kind = FD_HOLD; }
static void two_states(struct monitor_setup *setup) { setup->role[LOG].kind = FD_STATE_DIRECTORY; }
static void role_of_none(struct monitor_setup *setup) { setup->role[setup->fds].kind = FD_HOLD; }
static void slot_behind_roles(struct monitor_setup *setup) { setup->role[MONITOR_MAX_FDS - 1].slot = 1; }
static void probe_without_health(struct monitor_setup *setup) { setup->role[ROOT].kind = FD_PROBE_KILL, setup->role[ROOT].slot = 0; }
static void unknown_kind(struct monitor_setup *setup) { setup->role[ROOT].kind = FD_PROBE_KILL + 1, setup->role[ROOT].slot = 0; }

static void swap(struct monitor_setup *setup, int one, int other)
{
	struct monitor_role role = setup->role[one];
	setup->role[one] = setup->role[other], setup->role[other] = role;
}

static void state_is_a_file(struct monitor_setup *setup) { swap(setup, PLAN, STATE); }
static void log_is_a_file(struct monitor_setup *setup) { swap(setup, PLAN, LOG); }

static void each_bad_value_is_refused(void)
{
	static const struct {
		alteration *alter;
		int error;
	} bad[] = {
		{no_id_count, EINVAL},	 {ids_beyond, EINVAL},	  {many_slots, EINVAL},	       {no_log_files, EINVAL},
		{many_log_files, EINVAL}, {log_too_small, EINVAL}, {log_too_large, EINVAL},    {no_log_name, EINVAL},
		{hidden_log, EINVAL},	 {log_below, EINVAL},	  {log_as_health, EINVAL},     {no_stop_signal, EINVAL}, {log_as_execs, EINVAL}, {few_slots, EINVAL},
		{reserved_policy, EINVAL}, {next_flag, EINVAL},	  {control_slot, EBADMSG},     {error_slot, EBADMSG},
		{slot_twice, EBADMSG},	 {slot_of_none, EBADMSG}, {slot_of_directory, EBADMSG}, {no_state, EBADMSG},
		{no_log, EBADMSG},	 {two_states, EBADMSG},	  {role_of_none, EBADMSG},     {slot_behind_roles, EBADMSG},
		{link_of_a_bad_name, EINVAL}, {link_without_count, EINVAL}, {link_into_the_host, EINVAL},
		{host_with_a_network, EINVAL}, {host_with_links, EINVAL},
		{probe_without_health, EBADMSG}, {unknown_kind, EBADMSG}, {state_is_a_file, ENOTDIR}, {log_is_a_file, ENOTDIR},
	};
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK(!begin("true", bad[i].alter));
		if (watched.error != bad[i].error)
			fprintf(stderr, "number %u\n", i);
		CHECK_EQUAL(bad[i].error, watched.error);
		CHECK_EQUAL(SETUP_MESSAGE, watched.stage);
		watched_end(&watched);
	}
}

static void two_freezers_are_refused(void)
{
	struct spec spec = shell("true");
	spec.freezer = memfd_create("one", MFD_CLOEXEC), spec.freezer_v1 = memfd_create("other", MFD_CLOEXEC);
	CHECK(!watched_begin(&watched, &engine, binary, &spec, NULL));
	CHECK_EQUAL(EBADMSG, watched.error);
	close(spec.freezer), close(spec.freezer_v1);
	watched_end(&watched);
}

static void last_values(struct monitor_setup *setup)
{
	setup->log_files = 100, setup->log_bytes = 65536;
	setup->flags |= MONITOR_STDIN_OPEN | MONITOR_STDIN_ONCE | MONITOR_NO_LOG;
	memset(setup->log_name, 'x', sizeof setup->log_name - 1);
	setup->policy.stop_signal = 64, setup->policy.restart = RESTART_ALWAYS;
}

static void one_log_file(struct monitor_setup *setup)
{
	setup->log_files = 1, setup->log_bytes = INT64_MAX / 2;
	setup->id_count = UINT32_MAX - setup->id_base;
	good_link(setup);
}

static void the_last_good_values_pass(void)
{
	CHECK(begin("true", last_values));
	watched_end(&watched);
	CHECK(begin("true", one_log_file));
	watched_end(&watched);
}

/* ---- the message itself ---- */

static void refused_header(struct monitor_header header, size_t length, int error)
{
	static uint8_t bytes[sizeof header + sizeof(struct monitor_setup)];
	static struct message reply;
	uint32_t stage = 0;
	memcpy(bytes, &header, sizeof header);
	watched = (struct watched){.state = -1, .log = -1, .error = -1};
	CHECK(spawn_monitor(&watched, binary));
	CHECK(send_raw(watched.socket, bytes, length));
	CHECK_EQUAL(error, await_reply(watched.socket, MONITOR_SETUP, &reply));
	memcpy(&stage, reply.payload, sizeof stage);
	CHECK(reply.header.length == sizeof stage && stage == SETUP_MESSAGE);
	CHECK(reply.fd < 0);
	close(watched.socket);
}

static void another_message_is_refused(void)
{
	const uint32_t size = sizeof(struct monitor_setup);
	const struct monitor_header good = {MONITOR_SETUP, MONITOR_VERSION, 1, 0, size};
	struct monitor_header bad = good;
	refused_header(good, sizeof good, EBADMSG);
	refused_header(good, sizeof good + size - 1, EBADMSG);
	bad.op = MONITOR_STATE;
	refused_header(bad, sizeof good + size, EBADMSG);
	bad = good, bad.length--;
	refused_header(bad, sizeof good + size, EBADMSG);
	bad = good, bad.version++;
	refused_header(bad, sizeof good + size, EPROTO);
}

static void what_its_starter_left_open_is_closed(void)
{
	char path[64], target[64];
	CHECK(begin("true", NULL));
	for (int fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", watched.created.monitor_pid, fd);
		ssize_t length = readlink(path, target, sizeof target - 1);
		CHECK(length != 4 || memcmp(target, "/etc", 4) != 0);
	}
	watched_end(&watched);
}

/* ---- PREPARE ---- */

static bool ends(int socket)
{
	struct pollfd end = {.fd = socket, .events = POLLRDHUP};
	return poll(&end, 1, 10000) == 1;
}

/* The monitor's only child, or 0. */
static int zygote_of(int monitor)
{
	char path[64], text[32] = "";
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", monitor, monitor);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(file >= 0 && read(file, text, sizeof text - 1) >= 0);
	close(file);
	return atoi(text);
}

static bool may_make_links(int zygote)
{
	char path[64], text[4096] = "";
	unsigned long long permitted = 0;
	snprintf(path, sizeof path, "/proc/%d/status", zygote);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(file >= 0 && read(file, text, sizeof text - 1) > 0);
	close(file);
	const char *at = strstr(text, "CapPrm:");
	CHECK(at && sscanf(at, "CapPrm: %llx", &permitted) == 1);
	return permitted >> CAP_NET_ADMIN & 1;
}

static void a_prepared_monitor_has_a_zygote_for_its_container(void)
{
	struct spec spec = shell("true");
	spec.prepared = true;
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	CHECK(!may_make_links(zygote_of(watched.created.monitor_pid)));
	CHECK_EQUAL(0, start());
	watched_end(&watched);
	CHECK(watched_begin(&watched, &engine, binary, &spec, good_link));
	CHECK(may_make_links(zygote_of(watched.created.monitor_pid)));
	watched_end(&watched);
}

/* It polls more descriptors than such a starter may have. */
static void a_starter_of_few_descriptors_has_a_monitor_that_answers(void)
{
	struct spec spec = shell("true");
	spec.prepared = true;
	struct rlimit before, few;
	CHECK_EQUAL(0, getrlimit(RLIMIT_NOFILE, &before));
	few = (struct rlimit){100, before.rlim_max};
	CHECK_EQUAL(0, setrlimit(RLIMIT_NOFILE, &few));
	bool begun = watched_begin(&watched, &engine, binary, &spec, NULL);
	CHECK_EQUAL(0, setrlimit(RLIMIT_NOFILE, &before));
	CHECK(begun);
	CHECK_EQUAL(0, start());
	watched_end(&watched);
}

static void a_group_that_cannot_be_joined_is_told_by_setup(void)
{
	struct spec spec = shell("true");
	spec.prepared = true;
	spec.join = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(!watched_begin(&watched, &engine, binary, &spec, NULL));
	CHECK_EQUAL(SETUP_JOIN, watched.stage);
	close(spec.join);
	watched_end(&watched);
}

static void a_monitor_is_prepared_once(void)
{
	static struct message reply;
	watched = (struct watched){.state = -1, .log = -1, .error = -1};
	CHECK(spawn_monitor(&watched, binary));
	CHECK(prepare_monitor(&watched, 0) && prepare_monitor(&watched, 0));
	CHECK_EQUAL(EBADMSG, await_reply(watched.socket, MONITOR_SETUP, &reply));
	CHECK(ends(watched.socket));
	close(watched.socket);
}

const struct test monitor_setup_tests[] = {
	{"setup: bad values", each_bad_value_is_refused},
	{"setup: two freezers", two_freezers_are_refused},
	{"setup: last values", the_last_good_values_pass},
	{"setup: another message", another_message_is_refused},
	{"setup: left open", what_its_starter_left_open_is_closed},
	{"setup: prepared", a_prepared_monitor_has_a_zygote_for_its_container},
	{"setup: few descriptors", a_starter_of_few_descriptors_has_a_monitor_that_answers},
	{"setup: prepared, no group", a_group_that_cannot_be_joined_is_told_by_setup},
	{"setup: prepared twice", a_monitor_is_prepared_once},
};
const unsigned monitor_setup_test_count = sizeof monitor_setup_tests / sizeof *monitor_setup_tests;
