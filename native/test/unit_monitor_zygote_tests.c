/* What the monitor asks its zygote, which is played here: its answers are there before it is asked. */
#include "../monitor_zygote.c"
#include "unit_tests.h"

#include <sys/mman.h>
#include <sys/stat.h>

static struct monitor m;
static int others; /* the other end of the zygote's socket */

static void begin(void)
{
	int pair[2];
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	m = (struct monitor){.zygote = pair[0], .zygote_pidfd = NO_FD, .cgroup = NO_FD, .network = NO_FD, .id_base = 7000, .id_count = 77, .clone_flags = 1 << 20,
			     .set_id = {.queue = NO_FD}};
	m.last.reply.stage = STAGE_MAPS;
	others = pair[1];
}

static void end(void)
{
	char byte;
	CHECK(m.zygote < 0 || recv(m.zygote, &byte, 1, MSG_DONTWAIT) < 0); /* every answer was taken */
	CHECK(recv(others, &byte, 1, MSG_DONTWAIT) <= 0);
	close_fd(&m.zygote);
	close_fd(&others);
}

static void say(int status, int pid, int fd)
{
	struct reply reply = {.magic = PLAN_MAGIC, .status = status, .pid = pid, .stage = STAGE_CLONE};
	CHECK(send_message(others, &reply, sizeof reply, fd) == 0);
}

static struct links_request asked;
static int given[8];
static unsigned given_count;

/* Takes the next request, and closes its descriptors. */
static void take(uint16_t kind, uint16_t fds, size_t size)
{
	struct fds numbers = {.fd = given, .most = 8};
	asked = (struct links_request){.request = {.kind = 0}};
	CHECK_EQUAL(size, receive_message(others, &asked, sizeof asked, &numbers));
	CHECK_EQUAL(PLAN_MAGIC, asked.request.magic);
	CHECK_EQUAL(kind, asked.request.kind);
	CHECK_EQUAL(7000, asked.request.id_base);
	CHECK_EQUAL(77, asked.request.id_count);
	CHECK_EQUAL(fds, asked.request.fds);
	CHECK_EQUAL(fds, numbers.count);
	given_count = numbers.count;
}

static bool is_same(int one, int other)
{
	struct stat first, second;
	return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

static void close_given(void)
{
	while (given_count > 0)
		close(given[--given_count]);
}

static int file(void) { return memfd_create("file", MFD_CLOEXEC); }
static int lowest(void)
{
	int fd = dup(0);
	close(fd);
	return fd;
}

static int child(void)
{
	int pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* ---- answers ---- */

static int copied(void)
{
	int mount = 0;
	m.kept[0] = 9, m.kept_count = 1;
	return copy_mount(&m, 9, &mount);
}

static void an_answer_that_is_none_ends_the_zygote(void)
{
	struct reply reply = {.magic = PLAN_MAGIC + 1};
	for (unsigned i = 0; i < 3; i++) {
		begin();
		if (i == 0)
			CHECK(send_message(others, &reply, sizeof reply, -1) == 0);
		if (i == 1)
			CHECK(send_message(others, &reply, sizeof reply - 1, -1) == 0);
		if (i == 2)
			say(-EDOM, 0, -1);
		CHECK_EQUAL(i < 2 ? -EPROTO : -EDOM, copied());
		CHECK_EQUAL(i == 2, m.zygote >= 0); /* its own word ends nothing */
		take(REQUEST_COPY, 0, sizeof asked.request);
		end();
	}
	begin();
	close_fd(&others);
	CHECK_EQUAL(-EPIPE, copied());
	close_fd(&m.zygote);
	CHECK_EQUAL(-EPIPE, copied()); /* nor without one */
	int pidfd = 0;
	CHECK_EQUAL(-EPIPE, ask_for_init(&m, 0, &pidfd));
	CHECK_EQUAL(-EPIPE, m.last.reply.status);
	CHECK_EQUAL(STAGE_START, m.last.reply.stage);
	CHECK_EQUAL(NO_FD, pidfd);
}

/* ---- inits and probes ---- */

static void check_init(bool has_group, bool has_network, bool host)
{
	int control = file(), pidfd = 0, brought = file();
	begin();
	m.cgroup = has_group ? file() : NO_FD, m.network = has_network ? file() : NO_FD;
	m.flags = host ? MONITOR_HOST_NETWORK : 0;
	say(0, 4242, brought);
	CHECK_EQUAL(0, ask_for_init(&m, control, &pidfd));
	CHECK(is_same(brought, pidfd));
	CHECK_EQUAL(4242, m.last.reply.pid);
	take(host ? REQUEST_HOST_CHILD : REQUEST_CHILD, (uint16_t)(1 + has_group + has_network), sizeof asked.request);
	CHECK_EQUAL(1 << 20, asked.request.clone_flags);
	CHECK(is_same(control, given[0]) && (!has_group || is_same(m.cgroup, given[1])) && (!has_network || is_same(m.network, given[given_count - 1])));
	close_given();
	close(control), close(brought), close(pidfd), close_fd(&m.cgroup), close_fd(&m.network);
	end();
}

static void an_init_is_asked_for_with_its_group_and_its_network(void)
{
	for (unsigned i = 0; i < 8; i++)
		check_init(i & 1, i & 2, i & 4);
}

/* The zygote killed it. */
static void a_child_that_came_to_nothing_is_reaped(void)
{
	for (unsigned probe = 0; probe < 2; probe++) {
		int pidfd = 0, killed = child();
		siginfo_t info = {0};
		begin();
		syscall(SYS_pidfd_send_signal, killed, SIGKILL, NULL, 0);
		say(-EIO, 4242, killed);
		CHECK_EQUAL(-EIO, probe ? ask_for_probe(&m, 0, &pidfd) : ask_for_init(&m, 0, &pidfd));
		CHECK_EQUAL(NO_FD, pidfd);
		CHECK(waitid(P_PIDFD, (id_t)killed, &info, WEXITED | WNOHANG) < 0 && errno == ECHILD);
		take(probe ? REQUEST_EXEC : REQUEST_CHILD, 1, sizeof asked.request);
		close_given();
		close(killed);
		end();
	}
}

static void a_probe_s_answer_is_not_that_of_the_start(void)
{
	int pidfd = 0, brought = file();
	begin();
	m.health.want.oom_score = 321;
	say(0, 4242, brought);
	CHECK_EQUAL(0, ask_for_probe(&m, 0, &pidfd));
	CHECK(is_same(brought, pidfd));
	CHECK(m.last.reply.stage == STAGE_MAPS && m.last.reply.pid == 0);
	take(REQUEST_EXEC, 1, sizeof asked.request);
	CHECK_EQUAL(321, asked.request.oom_score);
	CHECK_EQUAL(0, asked.request.clone_flags);
	close_given();
	close(brought), close(pidfd);
	say(0, 4242, -1);
	CHECK_EQUAL(-EPROTO, ask_for_probe(&m, 0, &pidfd)); /* with no process */
	take(REQUEST_EXEC, 1, sizeof asked.request);
	close_given();
	end();
}

static void links_are_asked_for_if_there_are_any(void)
{
	begin();
	CHECK_EQUAL(0, ask_for_links(&m));
	m.links.count = 2;
	m.links.link[1].mtu = 1400;
	m.init_pidfd = file();
	say(-ENODEV, 0, -1);
	CHECK_EQUAL(-ENODEV, ask_for_links(&m));
	take(REQUEST_LINKS, 1, sizeof asked);
	CHECK(asked.links.count == 2 && asked.links.link[1].mtu == 1400 && is_same(m.init_pidfd, given[0]));
	close_given();
	close_fd(&m.init_pidfd);
	end();
}

/* How a start went is still told after its end. */
static void links_that_are_left_are_ended(void)
{
	begin();
	m.last.reply.status = -EXDEV;
	ask_for_no_links(&m);
	m.links.count = 1;
	memcpy(m.links.link[0].host, "cv0", 4);
	say(-EPERM, 0, -1);
	ask_for_no_links(&m);
	take(REQUEST_UNLINK, 0, sizeof asked);
	CHECK(asked.links.count == 1 && asked.links.link[0].host[2] == '0');
	CHECK_EQUAL(-EXDEV, m.last.reply.status);
	end();
}

/* ---- mounts ---- */

static void mounts_are_kept_place_by_place(void)
{
	begin();
	int mount = file();
	for (uint16_t i = 0; i < 3; i++) {
		say(i == 1 ? -EIO : 0, 0, -1);
		CHECK_EQUAL(i == 1 ? -EIO : 0, keep_slot(&m, (uint16_t)(20 + i), mount));
		take(REQUEST_KEEP, 1, sizeof asked.request);
		CHECK_EQUAL(i == 2 ? 1 : i, asked.request.place);
		CHECK(is_same(mount, given[0]));
		close_given();
	}
	CHECK(m.kept_count == 2 && m.kept[0] == 20 && m.kept[1] == 22);
	close(mount);
	end();
}

static void a_client_gets_a_copy_of_the_mount_for_a_slot(void)
{
	int mount = 0, brought = file();
	begin();
	m.kept[0] = 20, m.kept[1] = 22, m.kept_count = 2;
	say(0, 0, brought);
	CHECK_EQUAL(0, copy_mount(&m, 22, &mount));
	CHECK(is_same(brought, mount));
	CHECK_EQUAL(STAGE_MAPS, m.last.reply.stage);
	take(REQUEST_COPY, 0, sizeof asked.request);
	CHECK_EQUAL(1, asked.request.place);
	close(mount), close(brought);
	mount = 0;
	CHECK_EQUAL(-EINVAL, copy_mount(&m, 21, &mount));
	CHECK_EQUAL(NO_FD, mount);
	say(0, 0, -1);
	CHECK_EQUAL(-EPROTO, copy_mount(&m, 20, &mount)); /* with no mount */
	take(REQUEST_COPY, 0, sizeof asked.request);
	end();
}

/* ---- the plan ---- */

static void begin_plan(int control[2])
{
	begin();
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) == 0);
	m.control = control[0];
	m.slots = 30;
	m.given[0].fd = file(), m.given[0].slot = SLOT_PLAN, m.given_count = 1;
	m.kept[0] = 20, m.kept[1] = 22, m.kept_count = 2;
}

static void end_plan(int control[2])
{
	close(m.given[0].fd);
	close(control[0]), close(control[1]);
	end();
}

static void the_plan_is_handed_over_with_streams_and_copies(void)
{
	static const uint16_t expected[] = {SLOT_STDIN, SLOT_STDOUT, SLOT_STDERR, SLOT_PLAN, 20, 22};
	int control[2], streams[3] = {file(), file(), file()}, copies[2] = {file(), file()}, before;
	struct handover handover;
	struct fds numbers = {.fd = given, .most = 8};
	begin_plan(control);
	say(0, 0, copies[0]), say(0, 0, copies[1]);
	before = lowest();
	CHECK_EQUAL(0, hand_over_plan(&m, streams));
	CHECK_EQUAL(before, lowest()); /* its copies are closed */
	for (uint16_t i = 0; i < 2; i++) {
		take(REQUEST_COPY, 0, sizeof asked.request);
		CHECK_EQUAL(i, asked.request.place);
	}
	CHECK(m.last.reply.magic == PLAN_MAGIC && m.last.reply.stage == 0);
	CHECK_EQUAL(sizeof handover, receive_message(control[1], &handover, sizeof handover, &numbers));
	CHECK(handover.magic == PLAN_MAGIC && handover.slots == 30 && handover.count == 6 && numbers.count == 6);
	const int all[] = {streams[0], streams[1], streams[2], m.given[0].fd, copies[0], copies[1]};
	for (unsigned i = 0; i < 6; i++)
		CHECK(handover.slot[i] == expected[i] && is_same(all[i], given[i]));
	given_count = numbers.count;
	close_given();
	for (unsigned i = 0; i < 3; i++)
		close(streams[i]);
	close(copies[0]), close(copies[1]);
	end_plan(control);
}

static void nothing_is_handed_over_if_a_copy_fails(void)
{
	const int streams[3] = {0, 0, 0};
	for (unsigned i = 0; i < 2; i++) {
		int control[2], copy = file();
		char byte;
		begin_plan(control);
		say(0, 0, copy), say(i == 0 ? -EIO : 0, 0, -1);
		int before = lowest();
		CHECK_EQUAL(i == 0 ? -EIO : -EPROTO, hand_over_plan(&m, streams));
		CHECK_EQUAL(before, lowest());
		take(REQUEST_COPY, 0, sizeof asked.request), take(REQUEST_COPY, 0, sizeof asked.request);
		CHECK(recv(control[1], &byte, 1, MSG_DONTWAIT) < 0);
		CHECK_EQUAL(STAGE_CLONE, m.last.reply.stage); /* the last answer says why */
		close(copy);
		end_plan(control);
	}
}

/* Each copy is asked for with the queue that executions on it go to. */
static void copies_are_watched_if_there_is_a_queue(void)
{
	int control[2], streams[3] = {file(), file(), file()}, copies[2] = {file(), file()};
	begin_plan(control);
	say(0, 0, file());
	CHECK_EQUAL(0, ask_for_queue(&m, &m.set_id.queue));
	CHECK_EQUAL(STAGE_MAPS, m.last.reply.stage);
	take(REQUEST_WATCH, 0, sizeof asked.request);
	say(0, 0, copies[0]), say(0, 0, copies[1]);
	CHECK_EQUAL(0, hand_over_plan(&m, streams));
	for (uint16_t i = 0; i < 2; i++) {
		take(REQUEST_COPY, 1, sizeof asked.request);
		CHECK(is_same(m.set_id.queue, given[0]));
		close_given();
	}
	for (unsigned i = 0; i < 3; i++)
		close(streams[i]);
	close(copies[0]), close(copies[1]);
	close_fd(&m.set_id.queue);
	end_plan(control);
}

static void a_queue_that_did_not_come_is_none(void)
{
	int queue = 0;
	begin();
	say(-EMFILE, 0, -1);
	CHECK_EQUAL(-EMFILE, ask_for_queue(&m, &queue));
	CHECK_EQUAL(NO_FD, queue);
	CHECK(m.zygote >= 0);
	say(0, 0, -1);
	CHECK_EQUAL(-EPROTO, ask_for_queue(&m, &queue));
	take(REQUEST_WATCH, 0, sizeof asked.request), take(REQUEST_WATCH, 0, sizeof asked.request);
	end();
}

static void say_what_was_looked_at(const struct look_reply *found, size_t size)
{
	CHECK(send_message(others, found, size, -1) == 0);
}

static void a_look_says_whether_somebody_can_be_root(void)
{
	for (unsigned is_root = 0; is_root < 2; is_root++) {
		struct look_reply found = {.reply = {.magic = PLAN_MAGIC}, .looked = 9, .flags = LOOK_LOST}, taken;
		begin();
		m.set_id.queue = file();
		m.stream_uid = is_root ? m.id_base : m.id_base + 1;
		memset(found.name, 'x', sizeof found.name); /* its end is missing */
		say_what_was_looked_at(&found, sizeof found);
		CHECK_EQUAL(0, ask_for_look(&m, &taken));
		CHECK(taken.looked == 9 && taken.flags == LOOK_LOST && strlen(taken.name) == LOOK_NAME - 1);
		CHECK_EQUAL(STAGE_MAPS, m.last.reply.stage);
		take(REQUEST_LOOK, 1, sizeof asked.request);
		CHECK_EQUAL(!is_root, asked.request.place);
		CHECK(is_same(m.set_id.queue, given[0]));
		close_given();
		close_fd(&m.set_id.queue);
		end();
	}
}

static void a_look_that_is_none_ends_the_zygote(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct look_reply found = {.reply = {.magic = i == 0 ? 0 : PLAN_MAGIC, .status = i == 1 ? -EINVAL : 0}}, taken;
		begin();
		m.set_id.queue = file();
		say_what_was_looked_at(&found, i == 2 ? sizeof found - 1 : sizeof found);
		CHECK_EQUAL(-EPROTO, ask_for_look(&m, &taken));
		CHECK_EQUAL(NO_FD, m.zygote);
		CHECK_EQUAL(-EPIPE, ask_for_look(&m, &taken));
		take(REQUEST_LOOK, 1, sizeof asked.request);
		close_given();
		close_fd(&m.set_id.queue);
		end();
	}
}

static void a_zygote_that_does_not_exit_is_killed(void)
{
	siginfo_t info = {0};
	begin();
	m.zygote_pidfd = child();
	int kept = dup(m.zygote_pidfd);
	end_zygote(&m);
	CHECK(m.zygote == NO_FD && m.zygote_pidfd == NO_FD);
	CHECK(waitid(P_PIDFD, (id_t)kept, &info, WEXITED | WNOHANG) < 0 && errno == ECHILD); /* it was reaped */
	end_zygote(&m); /* there is none */
	close(kept);
	close_fd(&others);
}

const struct test unit_monitor_zygote_tests[] = {
	{"zygote's answers", an_answer_that_is_none_ends_the_zygote},
	{"zygote's inits", an_init_is_asked_for_with_its_group_and_its_network},
	{"zygote's dead", a_child_that_came_to_nothing_is_reaped},
	{"zygote's probes", a_probe_s_answer_is_not_that_of_the_start},
	{"zygote's links", links_are_asked_for_if_there_are_any},
	{"links that are left", links_that_are_left_are_ended},
	{"zygote's mounts", mounts_are_kept_place_by_place},
	{"zygote's copies", a_client_gets_a_copy_of_the_mount_for_a_slot},
	{"zygote's plan", the_plan_is_handed_over_with_streams_and_copies},
	{"zygote's failed copies", nothing_is_handed_over_if_a_copy_fails},
	{"zygote's watched copies", copies_are_watched_if_there_is_a_queue},
	{"zygote's missing queue", a_queue_that_did_not_come_is_none},
	{"zygote's looks", a_look_says_whether_somebody_can_be_root},
	{"zygote's bad looks", a_look_that_is_none_ends_the_zygote},
	{"zygote's end", a_zygote_that_does_not_exit_is_killed},
};
const unsigned unit_monitor_zygote_test_count = sizeof unit_monitor_zygote_tests / sizeof *unit_monitor_zygote_tests;
