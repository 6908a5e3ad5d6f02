/*
 * Times what the kernel alone takes for one container's place on a network: its namespace, a veth pair whose end is a port of a bridge,
 * address and route inside, elements of the packet filter, and the end of all, without a record, a check or a plan.
 * usage: bench_network COUNT      as root, with ip(8) and nft(8); in a network namespace of its own. All figures in microseconds.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 10000, BYTES = 2048, INDEX = 1 << 24, INTERFACE = 16, NAMES = 64 };

static const uint8_t gateway[4] = {10, 99, 0, 1};

static struct message {
	uint32_t length, last;
	union {
		struct nlmsghdr header;
		uint8_t bytes[BYTES];
	};
} message;

static double micros(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void need(bool good, const char *what)
{
	if (!good) {
		perror(what);
		_exit(1);
	}
}

/* ---- messages ---- */

static void put_raw(const void *bytes, uint32_t length)
{
	need(message.length + NLMSG_ALIGN(length) <= BYTES, "message");
	memcpy(message.bytes + message.length, bytes, length);
	message.length += NLMSG_ALIGN(length);
}

static uint32_t put(uint16_t type, const void *value, uint16_t length)
{
	uint32_t start = message.length;
	struct rtattr header = {.rta_len = (uint16_t)RTA_LENGTH(length), .rta_type = type};
	put_raw(&header, sizeof header);
	if (length > 0)
		put_raw(value, length);
	return start;
}

static void put_u32(uint16_t type, uint32_t value) { put(type, &value, sizeof value); }
static void put_u8(uint16_t type, uint8_t value) { put(type, &value, sizeof value); }
static void put_text(uint16_t type, const char *text) { put(type, text, (uint16_t)(strlen(text) + 1)); }
static uint32_t nest(uint16_t type) { return put(type | NLA_F_NESTED, NULL, 0); }

static void end_nest(uint32_t start)
{
	uint16_t length = (uint16_t)(message.length - start);
	memcpy(message.bytes + start, &length, sizeof length);
}

static void begin(uint16_t type, uint16_t flags, const void *body, uint32_t length)
{
	struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)};
	message.last = message.length;
	put_raw(&header, sizeof header);
	put_raw(body, length);
}

static void end_one(void)
{
	uint32_t length = message.length - message.last;
	memcpy(message.bytes + message.last, &length, sizeof length);
}

static void clear(void) { message.length = 0, memset(message.bytes, 0, sizeof message.bytes); }

static int send_all(int socket)
{
	union {
		struct nlmsghdr header;
		uint8_t bytes[BYTES];
	} answer;
	need(send(socket, message.bytes, message.length, 0) == (ssize_t)message.length, "send");
	ssize_t length = recv(socket, &answer, sizeof answer, 0);
	need(length >= (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) && answer.header.nlmsg_type == NLMSG_ERROR, "answer");
	return ((struct nlmsgerr *)NLMSG_DATA(&answer.header))->error;
}

static void ask(int socket, const char *what)
{
	end_one();
	int error = send_all(socket);
	if (error < 0)
		fprintf(stderr, "%s: %s\n", what, strerror(-error)), _exit(1);
}

static int open_netlink(int protocol)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	need(fd >= 0, "netlink");
	return fd;
}

/* ---- links ---- */

static void make_pair(int route, const char *name, int index, int bridge, int pid)
{
	struct ifinfomsg host = {.ifi_index = index}, guest = {.ifi_index = 100};
	clear();
	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &host, sizeof host);
	put_text(IFLA_IFNAME, name);
	put_u32(IFLA_NUM_TX_QUEUES, 1), put_u32(IFLA_NUM_RX_QUEUES, 1);
	put_u32(IFLA_MASTER, (uint32_t)bridge);
	uint32_t info = nest(IFLA_LINKINFO);
	put_text(IFLA_INFO_KIND, "veth");
	uint32_t data = nest(IFLA_INFO_DATA), peer = nest(VETH_INFO_PEER);
	put_raw(&guest, sizeof guest);
	put_text(IFLA_IFNAME, "eth0");
	put_u32(IFLA_NUM_TX_QUEUES, 1), put_u32(IFLA_NUM_RX_QUEUES, 1);
	put_u32(IFLA_NET_NS_PID, (uint32_t)pid);
	end_nest(peer), end_nest(data), end_nest(info);
	ask(route, "pair");
}

static void set_up(int route, int index)
{
	struct ifinfomsg link = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	clear();
	begin(RTM_SETLINK, NLM_F_ACK, &link, sizeof link);
	ask(route, "up");
}

static void shut(int route, int index)
{
	struct ifinfomsg link = {.ifi_family = AF_BRIDGE, .ifi_index = index};
	clear();
	begin(RTM_SETLINK, NLM_F_ACK, &link, sizeof link);
	uint32_t port = nest(IFLA_PROTINFO);
	put_u8(IFLA_BRPORT_STATE, BR_STATE_DISABLED);
	end_nest(port);
	ask(route, "port");
}

static void delete_link(int route, int index)
{
	struct ifinfomsg link = {.ifi_index = index};
	clear();
	begin(RTM_DELLINK, NLM_F_ACK, &link, sizeof link);
	ask(route, "removal");
}

static void set_up_inside(int route, int nth)
{
	const uint8_t own[4] = {10, 99, (uint8_t)(1 + nth / 250), (uint8_t)(1 + nth % 250)};
	struct ifaddrmsg address = {.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = 100};
	struct rtmsg out = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT, .rtm_type = RTN_UNICAST};
	clear();
	begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_ACK, &address, sizeof address);
	put(IFA_LOCAL, own, 4), put(IFA_ADDRESS, own, 4);
	ask(route, "address");
	set_up(route, 1);
	set_up(route, 100);
	clear();
	begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_ACK, &out, sizeof out);
	put(RTA_GATEWAY, gateway, 4), put_u32(RTA_OIF, 100);
	ask(route, "route");
}

/* ---- elements ---- */

static void put_element(uint16_t type, const char *set, const uint8_t *key, uint16_t length, bool last)
{
	struct nfgenmsg inet = {.nfgen_family = NFPROTO_INET};
	begin((NFNL_SUBSYS_NFTABLES << 8) | type, (uint16_t)((type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0) | (last ? NLM_F_ACK : 0)), &inet,
	      sizeof inet);
	put_text(NFTA_SET_ELEM_LIST_TABLE, "bench"), put_text(NFTA_SET_ELEM_LIST_SET, set);
	uint32_t list = nest(NFTA_SET_ELEM_LIST_ELEMENTS), element = nest(NFTA_LIST_ELEM), name = nest(NFTA_SET_ELEM_KEY);
	put(NFTA_DATA_VALUE, key, length);
	end_nest(name), end_nest(element), end_nest(list);
	end_one();
}

static void change_elements(int filter, uint16_t type, const char *link)
{
	uint8_t member[INTERFACE + 8 + 4] = {0};
	struct nfgenmsg tables = {.res_id = htons(NFNL_SUBSYS_NFTABLES)};
	memcpy(member, link, strlen(link));
	clear();
	begin(NFNL_MSG_BATCH_BEGIN, 0, &tables, sizeof tables), end_one();
	put_element(type, "ports", member, INTERFACE, false);
	put_element(type, "members", member, sizeof member, true);
	begin(NFNL_MSG_BATCH_END, 0, &tables, sizeof tables), end_one();
	int error = send_all(filter);
	if (error < 0)
		fprintf(stderr, "elements: %s\n", strerror(-error)), _exit(1);
}

/* ---- one container ---- */

static _Noreturn void child(int word, int told, int nth)
{
	char byte;
	double begun = micros();
	need(unshare(CLONE_NEWNET) == 0, "unshare");
	double took = micros() - begun;
	need(write(told, &took, sizeof took) == sizeof took && read(word, &byte, 1) == 1, "word");
	begun = micros();
	int route = open_netlink(NETLINK_ROUTE);
	set_up_inside(route, nth);
	took = micros() - begun;
	need(write(told, &took, sizeof took) == sizeof took, "told");
	_exit(read(word, &byte, 1) == 0 ? 0 : 1);
}

enum figure { NAMESPACE, PAIR, UP, INSIDE, ADDED, REMOVED, SHUT, ALL, DELETED, FIGURES };

static const char *const names[FIGURES] = {"a network namespace", "veth pair and bridge port", "its host end up", "address, links up, route",
					   "elements added", "elements removed", "port shut", "all but the namespace", "a link deleted"};
static double figures[FIGURES][MOST];

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static double since(double *at)
{
	double before = *at;
	*at = micros();
	return *at - before;
}

static void measure(int route, int filter, int bridge, int i)
{
	int word[2], told[2];
	char name[NAMES];
	need(pipe2(word, O_CLOEXEC) == 0 && pipe2(told, O_CLOEXEC) == 0, "pipe");
	int pid = fork();
	if (pid == 0) {
		close(word[1]);
		child(word[0], told[1], i % 10000);
	}
	need(pid > 0 && read(told[0], &figures[NAMESPACE][i], sizeof(double)) == sizeof(double), "namespace");
	snprintf(name, sizeof name, "cv%d", i);
	double at = micros();
	change_elements(filter, NFT_MSG_NEWSETELEM, name);
	figures[ADDED][i] = since(&at);
	make_pair(route, name, INDEX + i, bridge, pid);
	figures[PAIR][i] = since(&at);
	set_up(route, INDEX + i);
	figures[UP][i] = since(&at);
	need(write(word[1], "", 1) == 1 && read(told[0], &figures[INSIDE][i], sizeof(double)) == sizeof(double), "container");
	at = micros();
	shut(route, INDEX + i);
	figures[SHUT][i] = since(&at);
	change_elements(filter, NFT_MSG_DELSETELEM, name);
	figures[REMOVED][i] = since(&at);
	for (int k = PAIR; k <= SHUT; k++)
		figures[ALL][i] += figures[k][i];
	at = micros();
	delete_link(route, INDEX + i);
	figures[DELETED][i] = since(&at);
	close(word[0]), close(word[1]), close(told[0]), close(told[1]);
	need(waitpid(pid, NULL, 0) == pid, "wait");
}

int main(int argc, char **argv)
{
	int count = argc == 2 ? atoi(argv[1]) : 0;
	if (count < 1 || count > MOST)
		return fprintf(stderr, "usage: bench_network COUNT\n"), 125;
	need(unshare(CLONE_NEWNET) == 0, "unshare");
	need(system("PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && ip link add cnbench type bridge && ip addr add 10.99.0.1/16 dev cnbench &&"
		    " ip link set cnbench up && nft 'add table inet bench; add set inet bench ports { type ifname; };"
		    " add set inet bench members { type ifname . ether_addr . ipv4_addr; }'") == 0,
	     "ip and nft");
	int route = open_netlink(NETLINK_ROUTE), filter = open_netlink(NETLINK_NETFILTER), bridge = (int)if_nametoindex("cnbench");
	for (int i = 0; i < count; i++)
		measure(route, filter, bridge, i);
	for (int k = 0; k < FIGURES; k++) {
		qsort(figures[k], (size_t)count, sizeof(double), compare);
		printf("%-28s p50 %8.0f  p90 %8.0f\n", names[k], figures[k][count / 2], figures[k][count * 9 / 10]);
	}
	return 0;
}
