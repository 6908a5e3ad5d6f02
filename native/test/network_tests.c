/* The netlink requests of a plan, and the sockets of its resolver, in a network namespace that each test makes for itself. */
#include "init_tests.h"
#include "own_network.h"
#include "../kernel.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct container container; /* large */
static struct engine linked;	   /* its zygote makes links */

static void enter(void) { enter_linked(&linked, binary); }
static void leave(void) { leave_linked(&linked); }

/* ---- netlink requests of a plan ---- */

static void expect_netlink_error(void (*more)(struct builder *, uint8_t), int error)
{
	struct spec spec = shell("echo never");
	spec.more = more;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_LIMITS, OP_NETLINK, error);
}

static void on_no_link(struct builder *plan, uint8_t phase)
{
	if (phase != PHASE_LIMITS)
		return;
	request_up(1);
	request_address(GUEST, NLM_F_ACK);
	put_requests(plan, NETLINK_ROUTE);
}

/* The first that is refused is not the last, and does not ask for an answer. */
static void refused_silently(struct builder *plan, uint8_t phase)
{
	if (phase != PHASE_LIMITS)
		return;
	request_address(GUEST, 0);
	request_up(1);
	put_requests(plan, NETLINK_ROUTE);
}

static void nft_message(uint16_t type, uint16_t flags, uint8_t family, const char *table)
{
	bool is_batch = type == NFNL_MSG_BATCH_BEGIN || type == NFNL_MSG_BATCH_END;
	struct nfgenmsg body = {.nfgen_family = family, .version = NFNETLINK_V0};
	body.res_id = htons(is_batch ? NFNL_SUBSYS_NFTABLES : 0);
	begin_message(is_batch ? type : (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, &body, sizeof body);
	if (table)
		add_attribute(table, NFTA_TABLE_NAME, (uint16_t)(strlen(table) + 1));
}

static void put_table(struct builder *plan, const char *table)
{
	nft_message(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NULL);
	nft_message(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, NFPROTO_IPV4, table);
	nft_message(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NULL);
	put_requests(plan, NETLINK_NETFILTER);
}

static void one_table(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_LIMITS)
		put_table(plan, "caisson");
}

static void one_table_twice(struct builder *plan, uint8_t phase)
{
	if (phase != PHASE_LIMITS)
		return;
	put_table(plan, "caisson");
	put_table(plan, "caisson");
}

/* Taken by the kernel, and not answered: a batch without its end. */
static void unanswered(struct builder *plan, uint8_t phase)
{
	if (phase != PHASE_LIMITS)
		return;
	nft_message(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NULL);
	nft_message(NFT_MSG_NEWTABLE, NLM_F_CREATE, NFPROTO_IPV4, "caisson");
	nft_message(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NULL);
	begin_message(NLMSG_NOOP, NLM_F_ACK, "", 0); /* behind the end of the batch the kernel reads no further */
	put_requests(plan, NETLINK_NETFILTER);
}

static void a_request_that_the_kernel_refuses_ends_the_start(void)
{
	expect_netlink_error(on_no_link, ENODEV);
	expect_netlink_error(refused_silently, ENODEV);
	expect_netlink_error(one_table_twice, EEXIST);
	expect_netlink_error(unanswered, EPROTO);
}

static void requests_stay_in_the_container_s_network(void)
{
	enter();
	struct spec spec = shell("echo on");
	spec.more = one_table;
	container_run(&linked, &spec, &container);
	expect_exit(&container, 0);
	CHECK_TEXT("on\n", container.text);
	CHECK_TEXT("", output_of("nft list ruleset"));
	leave();
}

/* ---- the resolver's sockets ---- */

static void with_busy_resolver(struct builder *plan, uint8_t phase)
{
	if (phase != PHASE_LIMITS)
		return;
	builder_step(plan, PHASE_LIMITS, OP_RESOLVER);
	put_u16(plan, 65535), put_u16(plan, 65535);
}

static bool readable(int fd)
{
	char byte;
	for (int tries = 0; tries < 500; tries++) {
		if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN)
			return true;
		usleep(10000);
	}
	return false;
}

/* What the program sends to 127.0.0.11 is read outside, and the answer reaches it. */
static void a_program_talks_to_a_resolver_outside(void)
{
	char text[64] = "";
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	struct spec spec = shell("echo tcp | busybox nc 127.0.0.11 20054; busybox nslookup -type=a x 127.0.0.11:20053 | grep -c NXDOMAIN");
	spec.more = with_resolver;
	CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
	CHECK_EQUAL(REPORT_READY, container.ready.kind);
	CHECK_EQUAL(2, container.resolvers);
	if (container.resolvers == 2) {
		int udp = container.resolver[0], tcp = container.resolver[1], client = -1;
		expect_resolver_socket(udp, IPPROTO_UDP, UDP_PORT);
		expect_resolver_socket(tcp, IPPROTO_TCP, TCP_PORT);
		container_start(&container);
		for (int tries = 0; tries < 500 && (client = accept4(tcp, NULL, NULL, SOCK_CLOEXEC)) < 0; tries++)
			usleep(10000);
		CHECK(client >= 0 && recv(client, text, sizeof text - 1, 0) == 4);
		CHECK_TEXT("tcp\n", text);
		CHECK(send(client, "yes\n", 4, MSG_NOSIGNAL) == 4);
		close(client);
		ssize_t asked = readable(udp) ? recvfrom(udp, text, sizeof text, 0, (struct sockaddr *)&from, &size) : -1;
		CHECK_EQUAL(12 + 3 + 4, asked); /* one question for a name of one letter, which becomes its own answer: there is no such */
		text[2] |= (char)0x80, text[3] = (char)0x83;
		CHECK(asked > 0 && sendto(udp, text, (size_t)asked, 0, (const struct sockaddr *)&from, size) == asked);
	}
	close(container.input), container.input = -1;
	container_finish(&container);
	CHECK_TEXT("yes\n1\n", container.text);
}

/* Nothing of the host's: the same ports of two containers, and of the host, are three. */
static void the_ports_are_the_container_s_own(void)
{
	static struct container other; /* large */
	struct spec spec = shell("exit 3");
	spec.more = with_busy_resolver;
	enter();
	struct sockaddr_in taken = {.sin_family = AF_INET, .sin_port = htons(65535), .sin_addr.s_addr = htonl(0x7f00000b)};
	int host = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(bind(host, (const struct sockaddr *)&taken, sizeof taken) == 0);
	CHECK_EQUAL(0, container_launch(&linked, &spec, &other));
	container_run(&linked, &spec, &container);
	expect_exit(&container, 3);
	container_start(&other);
	close(other.input), other.input = -1;
	container_finish(&other);
	expect_exit(&other, 3);
	close(host);
	leave();
}

/* ---- who may ping ---- */

/* In that network namespace: writes the range, if there is one, and reads it. */
static const char *range_in(int network, const char *range)
{
	static char found[64];
	int pipes[2];
	CHECK(pipe2(pipes, O_CLOEXEC) == 0);
	if (fork() == 0) {
		if (setns(network, CLONE_NEWNET) < 0)
			_exit(1);
		int file = open("/proc/sys/net/ipv4/ping_group_range", O_RDWR | O_CLOEXEC);
		if (range && write(file, range, strlen(range)) < 0)
			_exit(1);
		ssize_t length = pread(file, found, sizeof found - 1, 0);
		_exit(length > 0 && write(pipes[1], found, (size_t)length) == length ? 0 : 1);
	}
	close(pipes[1]);
	ssize_t length = read(pipes[0], found, sizeof found - 1);
	found[length < 0 ? 0 : length] = 0;
	close(pipes[0]);
	wait(NULL);
	return found;
}

/* What the range is once another container is in the network. */
static const char *range_shared(const char *range)
{
	static struct container other;
	char path[64];
	struct spec spec = shell("read x"), joining = shell("true");
	CHECK_EQUAL(0, container_launch(&linked, &spec, &container));
	container_start(&container);
	snprintf(path, sizeof path, "/proc/%d/ns/net", container.pid);
	int network = open(path, O_RDONLY | O_CLOEXEC);
	range_in(network, range);
	joining.dropped_clone_flags = CLONE_NEWNET, joining.network = network;
	container_run(&linked, &joining, &other);
	CHECK(other.last.kind == REPORT_EXIT && other.last.status == 0);
	close(container.input), container.input = -1;
	container_finish(&container);
	const char *found = range_in(network, NULL);
	close(network);
	return found;
}

/* A range of one container's groups is widened for those of the next; one that somebody chose stays. */
static void all_who_share_a_network_may_ping(void)
{
	enter();
	CHECK_TEXT("0\t65534\n", range_shared("0 65534"));
	CHECK_TEXT("0\t2147483647\n", range_shared("0 65535"));
	leave();
}

const struct test network_tests[] = {
	{"netlink refusals", a_request_that_the_kernel_refuses_ends_the_start},
	{"netlink inside", requests_stay_in_the_container_s_network},
	{"resolver", a_program_talks_to_a_resolver_outside},
	{"resolver's ports", the_ports_are_the_container_s_own},
	{"ping in a shared network", all_who_share_a_network_may_ping},
};
const unsigned network_test_count = sizeof network_tests / sizeof *network_tests;
