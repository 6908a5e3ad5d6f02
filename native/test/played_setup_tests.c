/* SETUP: each value and each descriptor of its message. Its file is included, for what is static there. */
#include "../monitor_setup.c"
#include "played_tests.h"

static struct monitor_setup good(void)
{
	struct monitor_setup setup = {.id_base = 1000000, .id_count = 65536, .slots = SLOT_FIRST_FREE + 2, .log_files = 3, .log_bytes = 1 << 20,
				      .policy.stop_signal = SIGTERM, .log_name = "a-json.log"};
	return setup;
}

static struct monitor_setup with_links(void)
{
	struct monitor_setup setup = good();
	setup.clone_flags = CLONE_NEWNET;
	setup.links.count = 1;
	setup.links.link[0] = (struct plan_link){"cv0", "cn0", "eth0", 100, 1500, {2}, 0, 0};
	return setup;
}

/* ---- values ---- */

#define REFUSED_IF(change)                                            \
	do {                                                          \
		struct monitor_setup setup = good();                  \
		change;                                               \
		check_at(!valid(&setup), #change, __FILE__, __LINE__); \
	} while (0)
#define TAKEN_IF(change)                                              \
	do {                                                          \
		struct monitor_setup setup = good();                  \
		change;                                               \
		check_at(valid(&setup), #change, __FILE__, __LINE__); \
	} while (0)

static void ids_are_those_of_a_range(void)
{
	TAKEN_IF((void)setup);
	REFUSED_IF(setup.id_base = 0);
	REFUSED_IF(setup.id_count = 0);
	TAKEN_IF(setup.id_count = UINT32_MAX - setup.id_base);
	REFUSED_IF(setup.id_count = UINT32_MAX - setup.id_base + 1);
}

static void slots_and_descriptors_are_bounded(void)
{
	REFUSED_IF(setup.slots = SLOT_FIRST_FREE);
	TAKEN_IF(setup.slots = SLOT_FIRST_FREE + 1);
	TAKEN_IF(setup.slots = PLAN_MAX_SLOTS);
	REFUSED_IF(setup.slots = PLAN_MAX_SLOTS + 1);
	TAKEN_IF(setup.fds = MONITOR_MAX_FDS);
	REFUSED_IF(setup.fds = MONITOR_MAX_FDS + 1);
}

static void flags_that_nobody_knows_are_refused(void)
{
	for (uint32_t flag = 1; flag <= MONITOR_WATCH_SET_ID; flag <<= 1)
		TAKEN_IF(setup.flags = flag);
	REFUSED_IF(setup.flags = 2 * MONITOR_WATCH_SET_ID);
}

static void the_host_s_network_excludes_another(void)
{
	TAKEN_IF(setup.flags = MONITOR_HOST_NETWORK);
	REFUSED_IF((setup.flags = MONITOR_HOST_NETWORK, setup.clone_flags = CLONE_NEWNET));
	REFUSED_IF(setup.flags = MONITOR_HOST_NETWORK | MONITOR_LINKABLE);
	TAKEN_IF((setup.flags = MONITOR_LINKABLE, setup.clone_flags = CLONE_NEWNET));
	TAKEN_IF(setup = with_links());
	REFUSED_IF((setup = with_links(), setup.clone_flags = 0));
	REFUSED_IF((setup = with_links(), setup.links.link[0].host[0] = 0));
}

static void a_log_has_a_plain_name_and_bounds(void)
{
	REFUSED_IF(setup.log_name[0] = 0);
	REFUSED_IF(setup.log_name[0] = '.');
	REFUSED_IF(setup.log_name[3] = '/');
	REFUSED_IF(memset(setup.log_name, 'a', sizeof setup.log_name));
	TAKEN_IF(memset(setup.log_name, 'a', sizeof setup.log_name - 1));
	REFUSED_IF(strcpy(setup.log_name, MONITOR_RECORD));
	REFUSED_IF(strcpy(setup.log_name, MONITOR_HEALTH_FILE));
	REFUSED_IF(strcpy(setup.log_name, MONITOR_EXEC_FILE));
	REFUSED_IF(strcpy(setup.log_name, MONITOR_DENIAL_FILE));
	REFUSED_IF(setup.log_files = 0);
	TAKEN_IF(setup.log_files = 1);
	TAKEN_IF(setup.log_files = 100);
	REFUSED_IF(setup.log_files = 101);
	TAKEN_IF(setup.log_bytes = 65536);
	REFUSED_IF(setup.log_bytes = 65535);
	TAKEN_IF(setup.log_bytes = INT64_MAX / 2);
	REFUSED_IF(setup.log_bytes = INT64_MAX / 2 + 1ull);
}

static void a_policy_is_one_of_those_that_there_are(void)
{
	TAKEN_IF(setup.policy.restart = RESTART_ALWAYS);
	REFUSED_IF(setup.policy.restart = RESTART_ALWAYS + 1);
	REFUSED_IF(setup.policy.stop_signal = 0);
	TAKEN_IF(setup.policy.stop_signal = 1);
	TAKEN_IF(setup.policy.stop_signal = NSIG - 1);
	REFUSED_IF(setup.policy.stop_signal = NSIG);
	REFUSED_IF(setup.policy.reserved = 1);
	REFUSED_IF(setup.policy.most_restarts = 1);
	TAKEN_IF((setup.policy.restart = RESTART_ON_FAILURE, setup.policy.most_restarts = 1));
	TAKEN_IF(setup.policy.cpu_millis = 1000000);
	REFUSED_IF(setup.policy.cpu_millis = 1000001);
	REFUSED_IF(setup.health.retries = 1);
}

static void values_are_taken_over(void)
{
	struct monitor_setup setup = with_links();
	setup.stream_uid = 1234, setup.flags = MONITOR_NO_LOG, setup.policy.lease_millis = 500, setup.policy.deadline_millis = 900;
	setup.health.interval_millis = 77;
	play_fresh();
	take_values(&m, &setup);
	CHECK_EQUAL(1000000, m.id_base);
	CHECK_EQUAL(65536, m.id_count);
	CHECK_EQUAL(CLONE_NEWNET, m.clone_flags);
	CHECK_EQUAL(MONITOR_NO_LOG, m.flags);
	CHECK_EQUAL(1234, m.stream_uid);
	CHECK_EQUAL(SLOT_FIRST_FREE + 2, m.slots);
	CHECK_EQUAL(3, m.log.files);
	CHECK_EQUAL(1 << 20, m.log.most);
	CHECK(m.log.off);
	CHECK_TEXT("a-json.log", m.log.name);
	CHECK_EQUAL(77, m.health.want.interval_millis);
	CHECK_EQUAL(1, m.links.count);
	CHECK(m.makes_links);
	CHECK_EQUAL(played.clock + 500 * MILLIS, m.lease_at);
	CHECK_EQUAL(0, m.deadline_at);
	CHECK_EQUAL(-1, m.last.state.status);
	CHECK_EQUAL(STATE_STDIN_CLOSED, m.last.state.flags);
	CHECK_EQUAL(played.clock / MILLIS, m.last.state.created_millis);
	m.health.want = (struct monitor_health){0};
	play_over();
	setup = good();
	play_fresh();
	take_values(&m, &setup);
	CHECK(!m.makes_links && !m.log.off && m.lease_at == 0);
	setup.flags = MONITOR_LINKABLE;
	take_values(&m, &setup);
	CHECK(m.makes_links);
	play_over();
}

/* ---- descriptors ---- */

static int fds[MONITOR_MAX_FDS], directory_fd, file_fd;

static int take(const struct monitor_role *roles, unsigned count)
{
	struct monitor_setup setup = good();
	setup.fds = (uint16_t)count;
	memcpy(setup.role, roles, count * sizeof *roles);
	for (unsigned i = 0; i < count; i++)
		fds[i] = roles[i].kind == FD_STATE_DIRECTORY || roles[i].kind == FD_LOG_DIRECTORY || roles[i].kind == FD_OUTPUT ? directory_fd : file_fd;
	m.state_directory = m.log.directory = m.log.output = m.redaction = NO_FD;
	m.given_count = m.layer_count = m.health.given_count = 0;
	m.health.kill = m.cgroup = m.oom = m.freezer = m.answers = NO_FD;
	m.freezer_v1 = false;
	m.slots = setup.slots;
	return take_fds(&m, &setup, fds);
}

static int with(struct monitor_role role)
{
	const struct monitor_role roles[] = {{FD_SLOT, SLOT_PLAN}, {FD_STATE_DIRECTORY, 0}, {FD_LOG_DIRECTORY, 0}, role};
	return take(roles, 4);
}

static int twice(struct monitor_role role)
{
	const struct monitor_role roles[] = {{FD_SLOT, SLOT_PLAN}, {FD_STATE_DIRECTORY, 0}, {FD_LOG_DIRECTORY, 0}, role, role};
	return take(roles, 5);
}

static void begin_taking(void)
{
	play_fresh();
	directory_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), file_fd = some_file();
}

static void end_taking(void)
{
	m.state_directory = m.log.directory = m.log.output = m.redaction = m.health.kill = m.cgroup = m.oom = m.freezer = m.answers = NO_FD;
	m.health.want = (struct monitor_health){0};
	close(directory_fd), close(file_fd);
	play_over();
}

static void what_is_needed_comes_once(void)
{
	const struct monitor_role all[] = {{FD_SLOT, SLOT_PLAN}, {FD_STATE_DIRECTORY, 0}, {FD_LOG_DIRECTORY, 0}};
	begin_taking();
	CHECK_EQUAL(0, take(all, 3));
	CHECK_EQUAL(1, m.given_count);
	CHECK(m.given[0].slot == SLOT_PLAN && m.given[0].fd == file_fd && m.state_directory == directory_fd && m.log.directory == directory_fd);
	for (unsigned left = 0; left < 3; left++) {
		struct monitor_role some[2];
		for (unsigned i = 0, count = 0; i < 3; i++)
			if (i != left)
				some[count++] = all[i];
		CHECK_EQUAL(-EBADMSG, take(some, 2));
		CHECK_EQUAL(-EBADMSG, with(all[left]));
	}
	end_taking();
}

static void some_come_once_at_most(void)
{
	static const uint16_t kinds[] = {FD_CGROUP, FD_OOM, FD_FREEZE_V1, FD_FREEZE_V2, FD_REDACTION, FD_ANSWERS, FD_OUTPUT};
	begin_taking();
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		CHECK_EQUAL(0, with((struct monitor_role){kinds[i], 0}));
		CHECK_EQUAL(-EBADMSG, with((struct monitor_role){kinds[i], 1}));
		CHECK_EQUAL(-EBADMSG, twice((struct monitor_role){kinds[i], 0}));
	}
	CHECK_EQUAL(0, with((struct monitor_role){FD_FREEZE_V1, 0}));
	CHECK(m.freezer == file_fd && m.freezer_v1);
	CHECK_EQUAL(0, with((struct monitor_role){FD_FREEZE_V2, 0}));
	CHECK(m.freezer == file_fd && !m.freezer_v1);
	CHECK_EQUAL(0, with((struct monitor_role){FD_OOM, 0}));
	CHECK(m.oom == file_fd);
	CHECK_EQUAL(0, with((struct monitor_role){FD_CGROUP, 0}));
	CHECK(m.cgroup == file_fd);
	CHECK_EQUAL(0, with((struct monitor_role){FD_REDACTION, 0}));
	CHECK(m.redaction == file_fd);
	CHECK_EQUAL(0, with((struct monitor_role){FD_ANSWERS, 0}));
	CHECK(m.answers == file_fd);
	CHECK_EQUAL(0, with((struct monitor_role){FD_OUTPUT, 0}));
	CHECK(m.log.output == directory_fd);
	CHECK_EQUAL(0, twice((struct monitor_role){FD_HOLD, 0}));
	CHECK_EQUAL(0, twice((struct monitor_role){FD_JOIN, 0}));
	CHECK_EQUAL(-EBADMSG, with((struct monitor_role){FD_HOLD, 1}));
	CHECK_EQUAL(-EBADMSG, with((struct monitor_role){FD_OUTPUT + 1, 0}));
	CHECK_EQUAL(-EBADMSG, with((struct monitor_role){0, 0}));
	end_taking();
}

static void a_slot_takes_one_descriptor(void)
{
	begin_taking();
	for (unsigned kind = FD_SLOT; kind <= FD_MOUNT; kind++) {
		for (uint16_t slot = SLOT_CONTROL; slot <= SLOT_STDERR; slot++)
			CHECK_EQUAL(-EBADMSG, with((struct monitor_role){(uint16_t)kind, slot}));
		CHECK_EQUAL(0, with((struct monitor_role){(uint16_t)kind, SLOT_FIRST_FREE}));
		CHECK_EQUAL(0, with((struct monitor_role){(uint16_t)kind, SLOT_FIRST_FREE + 1}));
		CHECK_EQUAL(-EBADMSG, with((struct monitor_role){(uint16_t)kind, SLOT_FIRST_FREE + 2}));
		CHECK_EQUAL(-EBADMSG, with((struct monitor_role){(uint16_t)kind, SLOT_PLAN}));
		CHECK_EQUAL(-EBADMSG, twice((struct monitor_role){(uint16_t)kind, SLOT_FIRST_FREE}));
	}
	const struct monitor_role mounted[] = {{FD_MOUNT, SLOT_PLAN}, {FD_STATE_DIRECTORY, 0}, {FD_LOG_DIRECTORY, 0}};
	CHECK_EQUAL(-EBADMSG, take(mounted, 3)); /* the plan is no mount */
	end_taking();
}

static void layers_come_in_their_order(void)
{
	struct monitor_role roles[3 + REQUEST_MAX_FDS + 1] = {{FD_SLOT, SLOT_PLAN}, {FD_STATE_DIRECTORY, 0}, {FD_LOG_DIRECTORY, 0}};
	begin_taking();
	CHECK_EQUAL(0, with((struct monitor_role){FD_LAYER, 0}));
	CHECK_EQUAL(-EBADMSG, with((struct monitor_role){FD_LAYER, 1}));
	CHECK_EQUAL(-EBADMSG, twice((struct monitor_role){FD_LAYER, 0}));
	for (unsigned i = 0; i <= REQUEST_MAX_FDS; i++)
		roles[3 + i] = (struct monitor_role){FD_LAYER, (uint16_t)i};
	CHECK_EQUAL(0, take(roles, 3 + REQUEST_MAX_FDS));
	CHECK_EQUAL(REQUEST_MAX_FDS, m.layer_count);
	if (3 + REQUEST_MAX_FDS + 1 <= MONITOR_MAX_FDS)
		CHECK_EQUAL(-EBADMSG, take(roles, 3 + REQUEST_MAX_FDS + 1));
	end_taking();
}

static void probes_come_with_their_kill_or_not_at_all(void)
{
	struct monitor_role roles[] = {{FD_SLOT, SLOT_PLAN}, {FD_STATE_DIRECTORY, 0}, {FD_LOG_DIRECTORY, 0}, {FD_PROBE_SLOT, SLOT_PLAN}, {FD_PROBE_KILL, 0}};
	begin_taking();
	m.health.want.slots = SLOT_FIRST_FREE + 1;
	CHECK_EQUAL(-EBADMSG, take(roles, 5)); /* there are none */
	CHECK_EQUAL(-EBADMSG, take(roles, 4));
	m.health.want.interval_millis = 1;
	CHECK_EQUAL(0, take(roles, 5));
	CHECK_EQUAL(1, m.health.given_count);
	CHECK(m.health.given[0].fd == file_fd && m.health.given[0].slot == SLOT_PLAN && m.health.kill == file_fd);
	CHECK_EQUAL(-EBADMSG, take(roles, 4));
	CHECK_EQUAL(-EBADMSG, take(roles, 3));
	roles[3].slot = SLOT_FIRST_FREE;
	CHECK_EQUAL(0, take(roles, 5));
	for (uint16_t slot = SLOT_CONTROL; slot <= SLOT_FIRST_FREE + 1; slot++) {
		roles[3].slot = slot;
		CHECK_EQUAL(slot == SLOT_FIRST_FREE ? 0 : -EBADMSG, take(roles, 5));
	}
	end_taking();
}

static void roles_without_a_descriptor_are_refused(void)
{
	struct monitor_setup setup = good();
	const struct monitor_role roles[] = {{FD_SLOT, SLOT_PLAN}, {FD_STATE_DIRECTORY, 0}, {FD_LOG_DIRECTORY, 0}};
	begin_taking();
	CHECK_EQUAL(0, take(roles, 3));
	setup.fds = 3;
	memcpy(setup.role, roles, sizeof roles);
	for (unsigned i = 0; i < 2; i++) {
		setup.role[MONITOR_MAX_FDS - 1] = i == 0 ? (struct monitor_role){FD_HOLD, 0} : (struct monitor_role){0, 1};
		m.state_directory = m.log.directory = NO_FD, m.given_count = 0;
		CHECK_EQUAL(-EBADMSG, take_fds(&m, &setup, fds));
	}
	end_taking();
}

static void directories_are_directories(void)
{
	const struct monitor_role roles[] = {{FD_SLOT, SLOT_PLAN}, {FD_STATE_DIRECTORY, 0}, {FD_LOG_DIRECTORY, 0}, {FD_OUTPUT, 0}};
	struct monitor_setup setup = good();
	begin_taking();
	setup.fds = 4;
	memcpy(setup.role, roles, sizeof roles);
	for (unsigned i = 1; i < 4; i++) {
		int some[4] = {file_fd, directory_fd, directory_fd, directory_fd};
		some[i] = file_fd;
		m.state_directory = m.log.directory = m.log.output = NO_FD, m.given_count = 0, m.slots = setup.slots;
		CHECK_EQUAL(-ENOTDIR, take_fds(&m, &setup, some));
	}
	end_taking();
}

const struct test played_setup_tests[] = {
	{"setup: ids", ids_are_those_of_a_range},
	{"setup: slots", slots_and_descriptors_are_bounded},
	{"setup: flags", flags_that_nobody_knows_are_refused},
	{"setup: networks", the_host_s_network_excludes_another},
	{"setup: log", a_log_has_a_plain_name_and_bounds},
	{"setup: policy", a_policy_is_one_of_those_that_there_are},
	{"setup: values", values_are_taken_over},
	{"setup: needed", what_is_needed_comes_once},
	{"setup: once", some_come_once_at_most},
	{"setup: one for a slot", a_slot_takes_one_descriptor},
	{"setup: layers", layers_come_in_their_order},
	{"setup: probes", probes_come_with_their_kill_or_not_at_all},
	{"setup: no descriptor", roles_without_a_descriptor_are_refused},
	{"setup: directories", directories_are_directories},
};
const unsigned played_setup_test_count = sizeof played_setup_tests / sizeof *played_setup_tests;
