/* Links of a container: what is asked of rtnetlink(7), and whose child it is, with the answers and the files of /proc played. */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>

/* Files that the tests make, in place of those of /proc. */
static int played_open(const char *path, int flags, ...);
#define open played_open
#include "../links.c"
#undef open
#include "unit_tests.h"

static int others; /* the other end of the socket: answers are there before they are asked for */
static char paths[2][96];
static int files[2], open_errors[2];
static unsigned opened;

static int played_open(const char *path, int flags, ...)
{
	unsigned which = opened++ % 2;
	CHECK(flags & O_CLOEXEC);
	snprintf(paths[which], sizeof paths[which], "%s", path);
	errno = open_errors[which];
	return open_errors[which] != 0 ? -1 : files[which];
}

static int file_with(const char *text)
{
	int file = memfd_create("file", MFD_CLOEXEC);
	CHECK(pwrite(file, text, strlen(text), 0) == (ssize_t)strlen(text));
	return file;
}

static void begin(void)
{
	int pair[2];
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0);
	others = pair[0], exchange.socket = pair[1];
	opened = 0;
	open_errors[0] = open_errors[1] = 0;
}

static void end(void)
{
	char byte;
	CHECK(recv(exchange.socket, &byte, 1, MSG_DONTWAIT) < 0); /* every answer was asked for */
	close(others), close(exchange.socket);
}

/* ---- answers ---- */

static void answer_error(int error)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} message = {{.nlmsg_len = sizeof message, .nlmsg_type = NLMSG_ERROR}, {.error = error}};
	CHECK(send(others, &message, sizeof message, 0) == sizeof message);
}

/* A link as the kernel shows it; what is NULL or 0 is left out. */
struct shown {
	const char *name, *kind;
	int index, master;
	bool elsewhere;
};

static void answer_link(struct shown link)
{
	struct exchange mine = exchange;
	struct ifinfomsg info = {.ifi_index = link.index};
	begin_request(RTM_NEWLINK, 0, &info);
	if (link.name)
		put_name(IFLA_IFNAME, link.name);
	if (link.master != 0)
		put_u32(IFLA_MASTER, (uint32_t)link.master);
	if (link.elsewhere)
		put_u32(IFLA_LINK_NETNSID, 0);
	if (link.kind) {
		uint32_t nest = begin_nest(IFLA_LINKINFO);
		put_name(IFLA_INFO_KIND, link.kind);
		end_nest(nest);
	}
	exchange.request.header.nlmsg_len = exchange.length;
	CHECK(send(others, exchange.request.bytes, exchange.length, 0) > 0);
	exchange = mine;
}

/* ---- requests ---- */

static struct {
	struct nlmsghdr header;
	struct ifinfomsg link;
	uint8_t attributes[1024];
} asked;

/* Takes the next request, and says how long its attributes are. */
static int take(uint16_t type, uint16_t flags)
{
	ssize_t length = recv(others, &asked, sizeof asked, MSG_DONTWAIT);
	CHECK(length >= (ssize_t)(sizeof asked.header + sizeof asked.link));
	CHECK_EQUAL(length, asked.header.nlmsg_len);
	CHECK_EQUAL(type, asked.header.nlmsg_type);
	CHECK_EQUAL(NLM_F_REQUEST | flags, asked.header.nlmsg_flags);
	return (int)length - (int)(sizeof asked.header + sizeof asked.link);
}

/* The attribute of this type in a list, which must be one after another to its end. */
static const struct rtattr *attribute(const void *list, int length, uint16_t type)
{
	const struct rtattr *found = NULL, *at = list;
	for (; RTA_OK(at, length); at = RTA_NEXT(at, length))
		if (at->rta_type == type)
			found = at;
	CHECK_EQUAL(0, length);
	CHECK(found);
	return found;
}

static void check_value(const void *list, int length, uint16_t type, const void *value, size_t size)
{
	const struct rtattr *found = attribute(list, length, type);
	CHECK(found && RTA_PAYLOAD(found) == size && memcmp(RTA_DATA(found), value, size) == 0);
}

static void check_number(const void *list, int length, uint16_t type, uint32_t value) { check_value(list, length, type, &value, sizeof value); }

static const struct plan_link wanted = {"cvhost", "cnbridge", "eth0", 7, 1400, {2, 3, 4, 5, 6, 7}, 1, 0};

/* ---- tests ---- */

static void an_answer_is_an_error_or_a_link(void)
{
	struct ifinfomsg link = {.ifi_index = 1};
	struct {
		struct nlmsghdr header;
		uint8_t bytes[ANSWER_BYTES];
	} message = {{0}, {0}};
	const struct {
		uint32_t says, sent;
		uint16_t type;
		int expected;
	} all[] = {{sizeof message.header, sizeof message.header, NLMSG_ERROR, -EPROTO},
		   {NLMSG_LENGTH(sizeof(struct nlmsgerr)), NLMSG_LENGTH(sizeof(struct nlmsgerr)), NLMSG_ERROR, 0},
		   {NLMSG_LENGTH(sizeof(struct nlmsgerr)) - 1, 100, NLMSG_ERROR, -EPROTO},
		   {NLMSG_LENGTH(sizeof(struct nlmsgerr)), NLMSG_LENGTH(sizeof(struct nlmsgerr)) - 1, NLMSG_ERROR, -EPROTO},
		   {NLMSG_LENGTH(sizeof link), NLMSG_LENGTH(sizeof link), RTM_NEWLINK, 0},
		   {NLMSG_LENGTH(sizeof link) - 1, NLMSG_LENGTH(sizeof link), RTM_NEWLINK, -EPROTO},
		   {NLMSG_LENGTH(sizeof link), NLMSG_LENGTH(sizeof link), RTM_DELLINK, -EPROTO},
		   {NLMSG_LENGTH(sizeof link), sizeof message.header - 1, RTM_NEWLINK, -EPROTO},
		   {ANSWER_BYTES, ANSWER_BYTES, RTM_NEWLINK, 0},
		   {ANSWER_BYTES, ANSWER_BYTES + 1, RTM_NEWLINK, -EPROTO}};
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		begin();
		message.header.nlmsg_len = all[i].says, message.header.nlmsg_type = all[i].type;
		CHECK(send(others, &message, all[i].sent, 0) == (ssize_t)all[i].sent);
		begin_request(RTM_GETLINK, 0, &link);
		int error = ask();
		check_at(error == all[i].expected, "the answer", __FILE__, (int)i);
		end();
	}
	begin();
	CHECK_EQUAL(0, fcntl(exchange.socket, F_SETFL, O_NONBLOCK));
	begin_request(RTM_GETLINK, 0, &link);
	CHECK_EQUAL(-EAGAIN, ask()); /* there is none */
	close(others), close(exchange.socket);
	begin();
	answer_error(-ENODEV);
	begin_request(RTM_GETLINK, 0, &link);
	CHECK_EQUAL(-ENODEV, ask());
	close(others);
	others = -1;
	CHECK_EQUAL(-ECONNREFUSED, ask());
	close(exchange.socket);
}

static void a_link_is_looked_up_by_name_or_by_index(void)
{
	begin();
	answer_link((struct shown){.name = "cvhost", .index = 55});
	CHECK_EQUAL(55, look_up("cvhost", 0));
	int length = take(RTM_GETLINK, 0);
	check_value(asked.attributes, length, IFLA_IFNAME, "cvhost", 7);
	check_number(asked.attributes, length, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	answer_link((struct shown){.index = 56});
	CHECK_EQUAL(56, look_up(NULL, 56));
	take(RTM_GETLINK, 0);
	CHECK_EQUAL(56, asked.link.ifi_index);
	end();
}

static bool kind_of_answer(const char *kind)
{
	begin();
	answer_link((struct shown){.kind = kind, .index = 1});
	look_up("x", 0);
	bool is = is_kind("veth");
	end();
	return is;
}

static void a_kind_is_the_whole_word(void)
{
	CHECK(kind_of_answer("veth"));
	CHECK(!kind_of_answer("vet"));
	CHECK(!kind_of_answer("veths"));
	CHECK(!kind_of_answer("vetx"));
	CHECK(!kind_of_answer(NULL));
}

static void a_pair_is_asked_for_whole(void)
{
	begin();
	answer_error(0);
	int index = create(&wanted, 321, 9);
	CHECK(index >= FIRST_HOST_INDEX);
	int length = take(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
	CHECK_EQUAL(index, asked.link.ifi_index);
	check_value(asked.attributes, length, IFLA_IFNAME, "cvhost", 7);
	check_number(asked.attributes, length, IFLA_MTU, 1400);
	check_number(asked.attributes, length, IFLA_MASTER, 9);
	check_value(asked.attributes, length, IFLA_ADDRESS, (uint8_t[]){0xfe, 3, 4, 5, 6, 7}, 6);
	const struct rtattr *info = attribute(asked.attributes, length, IFLA_LINKINFO | NLA_F_NESTED);
	check_value(RTA_DATA(info), (int)RTA_PAYLOAD(info), IFLA_INFO_KIND, "veth", 5);
	const struct rtattr *data = attribute(RTA_DATA(info), (int)RTA_PAYLOAD(info), IFLA_INFO_DATA | NLA_F_NESTED);
	const struct rtattr *peer = attribute(RTA_DATA(data), (int)RTA_PAYLOAD(data), VETH_INFO_PEER | NLA_F_NESTED);
	const struct ifinfomsg *guest = RTA_DATA(peer);
	CHECK_EQUAL(7, guest->ifi_index);
	int left = (int)(RTA_PAYLOAD(peer) - sizeof *guest);
	check_value(guest + 1, left, IFLA_IFNAME, "eth0", 5);
	check_number(guest + 1, left, IFLA_MTU, 1400);
	check_value(guest + 1, left, IFLA_ADDRESS, wanted.mac, 6);
	check_number(guest + 1, left, IFLA_NET_NS_PID, 321);
	end();
}

static void the_host_s_address_is_never_the_guest_s(void)
{
	struct plan_link link = wanted;
	link.mac[0] = 0xfe;
	begin();
	answer_error(0);
	CHECK(create(&link, 321, 9) > 0);
	int length = take(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
	check_value(asked.attributes, length, IFLA_ADDRESS, (uint8_t[]){0xfa, 3, 4, 5, 6, 7}, 6);
	end();
}

static void what_an_earlier_run_has_left_is_deleted_if_it_is_a_pair(void)
{
	begin();
	answer_error(-EEXIST), answer_link((struct shown){.kind = "veth", .index = 33}), answer_error(0), answer_error(0);
	CHECK(create(&wanted, 321, 9) > 0);
	take(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
	check_value(asked.attributes, take(RTM_GETLINK, 0), IFLA_IFNAME, "cvhost", 7);
	take(RTM_DELLINK, NLM_F_ACK);
	CHECK_EQUAL(33, asked.link.ifi_index);
	end();
	begin();
	answer_error(-EEXIST), answer_link((struct shown){.kind = "dummy", .index = 33});
	CHECK_EQUAL(-EEXIST, create(&wanted, 321, 9));
	end();
	begin();
	answer_error(-EEXIST), answer_error(-EPERM);
	CHECK_EQUAL(-EPERM, create(&wanted, 321, 9));
	end();
	begin(); /* it goes away meanwhile */
	answer_error(-EEXIST), answer_error(-ENODEV), answer_error(-EEXIST), answer_link((struct shown){.kind = "veth", .index = 33}),
		answer_error(-ENODEV), answer_error(0);
	CHECK(create(&wanted, 321, 9) > 0);
	end();
	begin();
	answer_error(-EPERM);
	CHECK_EQUAL(-EPERM, create(&wanted, 321, 9));
	end();
}

static void a_name_that_stays_taken_is_tried_eight_times(void)
{
	begin();
	answer_error(-EEXIST);
	for (unsigned i = 1; i < 8; i++)
		answer_error(-ENODEV), answer_error(-EEXIST);
	CHECK_EQUAL(-EEXIST, create(&wanted, 321, 9));
	end();
}

static int check_of(struct shown link)
{
	begin();
	answer_link(link);
	int error = check_pair("cvhost", 44, 9);
	end();
	return error;
}

static void a_pair_that_is_not_as_asked_is_refused(void)
{
	const struct shown good = {.name = "cvhost", .kind = "veth", .index = 44, .master = 9, .elsewhere = true};
	struct shown bad;
	CHECK_EQUAL(0, check_of(good));
	bad = good, bad.elsewhere = false, CHECK_EQUAL(-EXDEV, check_of(bad));
	bad = good, bad.name = "cvhosts", CHECK_EQUAL(-EPROTO, check_of(bad));
	bad = good, bad.name = "cvhos", CHECK_EQUAL(-EPROTO, check_of(bad));
	bad = good, bad.name = "cvhosx", CHECK_EQUAL(-EPROTO, check_of(bad));
	bad = good, bad.name = NULL, CHECK_EQUAL(-EPROTO, check_of(bad));
	bad = good, bad.kind = "dummy", CHECK_EQUAL(-EPROTO, check_of(bad));
	bad = good, bad.master = 8, CHECK_EQUAL(-EPROTO, check_of(bad));
	bad = good, bad.master = 0, CHECK_EQUAL(-EPROTO, check_of(bad));
	begin();
	answer_error(-ENODEV);
	CHECK_EQUAL(-ENODEV, check_pair("cvhost", 44, 9));
	end();
}

static void a_port_has_no_hairpin_and_may_be_isolated(void)
{
	for (uint8_t isolated = 0; isolated < 2; isolated++) {
		begin();
		answer_error(0);
		CHECK_EQUAL(0, set_port(44, isolated));
		int length = take(RTM_SETLINK, NLM_F_ACK);
		CHECK_EQUAL(AF_BRIDGE, asked.link.ifi_family);
		CHECK_EQUAL(44, asked.link.ifi_index);
		const struct rtattr *port = attribute(asked.attributes, length, IFLA_PROTINFO | NLA_F_NESTED);
		check_value(RTA_DATA(port), (int)RTA_PAYLOAD(port), IFLA_BRPORT_MODE, (uint8_t[]){BRIDGE_MODE_UNSPEC}, 1);
		check_value(RTA_DATA(port), (int)RTA_PAYLOAD(port), IFLA_BRPORT_ISOLATED, &isolated, 1);
		end();
	}
}

static void ipv6_is_turned_off_by_its_setting_or_by_a_request(void)
{
	char text[4] = "";
	begin();
	files[0] = file_with("0");
	int file = dup(files[0]);
	CHECK_EQUAL(0, disable_ipv6("cvhost", 44));
	CHECK_TEXT("/proc/sys/net/ipv6/conf/cvhost/disable_ipv6", paths[0]);
	CHECK(pread(file, text, sizeof text - 1, 0) == 1 && text[0] == '1');
	CHECK(fcntl(files[0], F_GETFD) < 0); /* the helper lives on */
	close(file);
	open_errors[1] = ENOENT;
	CHECK_EQUAL(0, disable_ipv6("cvhost", 44)); /* a host without it */
	end();
	begin();
	open_errors[0] = EROFS;
	answer_error(0);
	CHECK_EQUAL(0, disable_ipv6("cvhost", 44));
	int length = take(RTM_SETLINK, NLM_F_ACK);
	CHECK_EQUAL(44, asked.link.ifi_index);
	const struct rtattr *families = attribute(asked.attributes, length, IFLA_AF_SPEC | NLA_F_NESTED);
	const struct rtattr *inet6 = attribute(RTA_DATA(families), (int)RTA_PAYLOAD(families), AF_INET6 | NLA_F_NESTED);
	check_value(RTA_DATA(inet6), (int)RTA_PAYLOAD(inet6), IFLA_INET6_ADDR_GEN_MODE, (uint8_t[]){IN6_ADDR_GEN_MODE_NONE}, 1);
	end();
}

/* The answers to a link that is made without a fault, up to `step`; then an error. */
static int make_with_fault(unsigned step)
{
	begin();
	files[0] = file_with("0");
	for (unsigned i = 0; i < 5; i++) {
		if (i == step)
			answer_error(-EIO);
		else if (i == 0)
			answer_link((struct shown){.kind = "bridge", .index = 9});
		else if (i == 2) /* its index is made up: any is asked for */
			answer_link((struct shown){.name = "cvhost", .kind = "veth", .index = 44, .master = 9, .elsewhere = true});
		else
			answer_error(0);
		if (i == step)
			break;
	}
	if (step >= 2 && step < 5)
		answer_error(0); /* to its removal */
	int made = make_link(&wanted, 321);
	int requests = 0, last = 0;
	while (recv(others, &asked, sizeof asked, MSG_DONTWAIT) > 0)
		requests++, last = asked.header.nlmsg_type;
	CHECK_EQUAL(step < 2 ? step + 1 : step < 5 ? step + 2 : 5, requests);
	CHECK_EQUAL(step >= 2 && step < 5, last == RTM_DELLINK);
	if (step == 5)
		CHECK(asked.link.ifi_flags == IFF_UP && asked.link.ifi_change == IFF_UP && asked.link.ifi_index == made);
	if (step < 4)
		close(files[0]);
	end();
	return made;
}

static void a_link_is_made_whole_or_not_at_all(void)
{
	for (unsigned step = 0; step < 5; step++)
		CHECK_EQUAL(-EIO, make_with_fault(step));
	CHECK(make_with_fault(5) >= FIRST_HOST_INDEX);
	begin();
	answer_link((struct shown){.kind = "dummy", .index = 9});
	CHECK_EQUAL(-ENOTSUP, make_link(&wanted, 321));
	end();
}

/* ---- whose child it is ---- */

static void numbers_stand_in_a_line_of_their_name(void)
{
	long number[2] = {-1, -1};
	static const char text[] = "Name:\tx\nNSpid:\t12\t1\nPPid:\t7\nUid:\t1\t2\t3\t4\nNone:\nLast:\t9";
	CHECK_EQUAL(2, numbers(text, "NSpid", number));
	CHECK(number[0] == 12 && number[1] == 1);
	CHECK_EQUAL(1, numbers(text, "PPid", number));
	CHECK_EQUAL(7, number[0]);
	CHECK_EQUAL(4, numbers(text, "Uid", number));
	CHECK(number[0] == 1 && number[1] == 2);
	CHECK_EQUAL(0, numbers(text, "None", number));
	CHECK_EQUAL(0, numbers(text, "pid", number));
	CHECK_EQUAL(0, numbers(text, "Name", number));
	CHECK_EQUAL(1, numbers(text, "Last", number));
	CHECK_EQUAL(0, numbers(text, "Missing", number));
}

static int pid_of(const char *info, const char *format, int pidfd)
{
	char status[256];
	struct request request = {.id_base = 5000, .id_count = 10};
	snprintf(status, sizeof status, format, getppid());
	begin();
	files[0] = file_with(info), files[1] = file_with(status);
	int pid = pid_of_child(&request, pidfd);
	if (opened < 2)
		close(files[1]);
	close(others), close(exchange.socket);
	return pid;
}

static void a_child_is_the_zygote_s_own_with_the_container_s_ids(void)
{
	static const char info[] = "pos:\t0\nNSpid:\t77\t1\n", good[] = "Name:\tx\nPPid:\t%d\nUid:\t0\t5000\t0\t0\n";
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	CHECK_EQUAL(77, pid_of(info, good, self));
	char path[96];
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", self);
	CHECK_TEXT(path, paths[0]);
	CHECK_TEXT("/proc/77/status", paths[1]);
	CHECK_EQUAL(77, pid_of(info, "Name:\tx\nPPid:\t%d\nUid:\t0\t5009\t0\t0\n", self));
	CHECK_EQUAL(-ESRCH, pid_of(info, "Name:\tx\nPPid:\t%d\nUid:\t0\t5010\t0\t0\n", self));
	CHECK_EQUAL(-ESRCH, pid_of(info, "Name:\tx\nPPid:\t%d\nUid:\t0\t4999\t0\t0\n", self));
	CHECK_EQUAL(-ESRCH, pid_of(info, "Name:\tx\nPPid:\t%d\nUid:\t0\t5000\t0\n", self));
	CHECK_EQUAL(-ESRCH, pid_of(info, "Name:\tx\nPPid:\t%d1\nUid:\t0\t5000\t0\t0\n", self));
	CHECK_EQUAL(-ESRCH, pid_of(info, "Name:\tx\nPPid:\t%d 1\nUid:\t0\t5000\t0\t0\n", self));
	CHECK_EQUAL(-ESRCH, pid_of("pos:\t0\nNSpid:\t77\n", good, self));
	CHECK_EQUAL(-ESRCH, pid_of("pos:\t0\nNSpid:\t77\t2\n", good, self));
	CHECK_EQUAL(-ESRCH, pid_of("pos:\t0\nNSpid:\t77\t1\t1\n", good, self));
	CHECK_EQUAL(-ESRCH, pid_of("pos:\t0\nNSpid:\t0\t1\n", good, self));
	CHECK_EQUAL(-ESRCH, pid_of("pos:\t0\nNSpid:\t-1\t1\n", good, self));
	CHECK_EQUAL(-EBADF, pid_of(info, good, -1)); /* what it was has gone */
	close(self);
}

static void a_child_that_is_gone_is_none(void)
{
	struct request request = {.id_base = 5000, .id_count = 10};
	begin();
	open_errors[0] = EMFILE;
	CHECK_EQUAL(-EMFILE, pid_of_child(&request, 0));
	opened = 0, open_errors[0] = 0, open_errors[1] = ENOENT, files[0] = file_with("\nNSpid:\t77\t1\n");
	CHECK_EQUAL(-ESRCH, pid_of_child(&request, 0));
	opened = 0, open_errors[1] = EACCES, files[0] = file_with("\nNSpid:\t77\t1\n");
	CHECK_EQUAL(-EACCES, pid_of_child(&request, 0));
	end();
}

const struct test unit_links_tests[] = {
	{"links: answers", an_answer_is_an_error_or_a_link},
	{"links: look up", a_link_is_looked_up_by_name_or_by_index},
	{"links: kind", a_kind_is_the_whole_word},
	{"links: pair", a_pair_is_asked_for_whole},
	{"links: address", the_host_s_address_is_never_the_guest_s},
	{"links: left", what_an_earlier_run_has_left_is_deleted_if_it_is_a_pair},
	{"links: tries", a_name_that_stays_taken_is_tried_eight_times},
	{"links: check", a_pair_that_is_not_as_asked_is_refused},
	{"links: port", a_port_has_no_hairpin_and_may_be_isolated},
	{"links: IPv6", ipv6_is_turned_off_by_its_setting_or_by_a_request},
	{"links: whole", a_link_is_made_whole_or_not_at_all},
	{"links: numbers", numbers_stand_in_a_line_of_their_name},
	{"links: child", a_child_is_the_zygote_s_own_with_the_container_s_ids},
	{"links: no child", a_child_that_is_gone_is_none},
};
const unsigned unit_links_test_count = sizeof unit_links_tests / sizeof *unit_links_tests;
