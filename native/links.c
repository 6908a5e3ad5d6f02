/*
 * Links of a container: veth pairs between a bridge of the host and the network namespace of a child. This is the one thing that
 * the zygote asks of the host's network, from a fixed struct, by a few requests of rtnetlink(7).
 */
#include "kernel.h"
#include "zygote.h"

#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

enum { LOOK_NANOS = 5000000, MOST_LOOKS = 10 };
enum { REQUEST_BYTES = 1024, ANSWER_BYTES = 8192, TRIES = 8, FIRST_HOST_INDEX = 1 << 24 };

/* A request that is written, and then the answer to it. */
struct exchange {
	int socket;
	uint32_t length;
	union {
		struct nlmsghdr header;
		uint8_t bytes[REQUEST_BYTES];
	} request;
	union {
		struct nlmsghdr header;
		uint8_t bytes[ANSWER_BYTES];
	} answer;
};

static struct exchange exchange; /* large, and there is one */

/* ---- writing ---- */

/* All that this file writes fits by far. */
static void put_raw(const void *bytes, uint32_t length)
{
	if (length > 0)
		memcpy(exchange.request.bytes + exchange.length, bytes, length);
	exchange.length += NLMSG_ALIGN(length);
}

static void put(uint16_t type, const void *value, uint16_t length)
{
	struct rtattr header = {.rta_len = (uint16_t)RTA_LENGTH(length), .rta_type = type};
	put_raw(&header, sizeof header);
	put_raw(value, length);
}

static void put_u32(uint16_t type, uint32_t value) { put(type, &value, sizeof value); }
static void put_u8(uint16_t type, uint8_t value) { put(type, &value, sizeof value); }
static void put_name(uint16_t type, const char *name) { put(type, name, (uint16_t)(strlen(name) + 1)); }

static uint32_t begin_nest(uint16_t type)
{
	uint32_t start = exchange.length;
	put(type | NLA_F_NESTED, NULL, 0);
	return start;
}

static void end_nest(uint32_t start)
{
	struct rtattr *header = (struct rtattr *)(exchange.request.bytes + start);
	header->rta_len = (uint16_t)(exchange.length - start);
}

static void begin_request(uint16_t type, uint16_t flags, const struct ifinfomsg *link)
{
	memset(&exchange.request, 0, sizeof exchange.request);
	exchange.length = NLMSG_HDRLEN;
	exchange.request.header = (struct nlmsghdr){.nlmsg_type = type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)};
	put_raw(link, sizeof *link);
}

/* ---- asking ---- */

static int ask(void)
{
	exchange.request.header.nlmsg_len = exchange.length;
	if (send(exchange.socket, exchange.request.bytes, exchange.length, 0) != (ssize_t)exchange.length)
		return -errno;
	ssize_t length = recv(exchange.socket, exchange.answer.bytes, sizeof exchange.answer, MSG_TRUNC);
	if (length < 0)
		return -errno;
	const struct nlmsghdr *header = &exchange.answer.header;
	if ((size_t)length > sizeof exchange.answer || !NLMSG_OK(header, (size_t)length))
		return -EPROTO;
	const struct nlmsgerr *error = NLMSG_DATA(header);
	if (header->nlmsg_type == NLMSG_ERROR)
		return header->nlmsg_len < NLMSG_LENGTH(sizeof *error) ? -EPROTO : error->error;
	return header->nlmsg_type == RTM_NEWLINK && header->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifinfomsg)) ? 0 : -EPROTO;
}

static const struct rtattr *find(const struct rtattr *at, int length, uint16_t type)
{
	for (; RTA_OK(at, length); at = RTA_NEXT(at, length))
		if ((at->rta_type & NLA_TYPE_MASK) == type)
			return at;
	return NULL;
}

static const struct rtattr *find_in_answer(uint16_t type)
{
	const struct nlmsghdr *header = &exchange.answer.header;
	return find(IFLA_RTA((struct ifinfomsg *)NLMSG_DATA(header)), (int)IFLA_PAYLOAD(header), type);
}

/* Has the link of this name, or else of this index, in `exchange.answer`. Returns its index. */
static int look_up(const char *name, int index)
{
	struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	begin_request(RTM_GETLINK, 0, &link);
	put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (name)
		put_name(IFLA_IFNAME, name);
	int error = ask();
	return error < 0 ? error : ((const struct ifinfomsg *)NLMSG_DATA(&exchange.answer.header))->ifi_index;
}

static bool is_kind(const char *kind)
{
	const struct rtattr *info = find_in_answer(IFLA_LINKINFO);
	const struct rtattr *name = info ? find(RTA_DATA(info), (int)RTA_PAYLOAD(info), IFLA_INFO_KIND) : NULL;
	return name && RTA_PAYLOAD(name) == strlen(kind) + 1 && memcmp(RTA_DATA(name), kind, strlen(kind) + 1) == 0;
}

static int delete_link(int index)
{
	struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	begin_request(RTM_DELLINK, NLM_F_ACK, &link);
	return ask();
}

/* What an earlier run has left: its namespace goes away later than its processes. */
static int delete_left(const char *host)
{
	int index = look_up(host, 0);
	if (index < 0)
		return index == -ENODEV ? 0 : index;
	int error = is_kind("veth") ? delete_link(index) : -EEXIST;
	return error == -ENODEV ? 0 : error;
}

/* ---- one link ---- */

/* The kernel gives each end a queue for each processor otherwise, and each queue a directory below /sys and an event. */
static void put_one_queue(void)
{
	put_u32(IFLA_NUM_TX_QUEUES, 1);
	put_u32(IFLA_NUM_RX_QUEUES, 1);
}

/*
 * The pair comes into being as it is to be, but for being up. The kernel obeys the index of the peer only where the link itself has
 * one, so it gets one that nobody else has.
 */
static int create_pair(const struct plan_link *link, int pid, int bridge, int index)
{
	struct ifinfomsg host = {.ifi_family = AF_UNSPEC, .ifi_index = index}, guest = {.ifi_index = (int)link->guest_index};
	uint8_t mac[sizeof link->mac];
	memcpy(mac, link->mac, sizeof mac);
	mac[0] = mac[0] == 0xfe ? 0xfa : 0xfe; /* nobody's make, other than the guest's, and higher than a bridge's own */
	begin_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &host);
	put_name(IFLA_IFNAME, link->host);
	put_u32(IFLA_MTU, link->mtu);
	put(IFLA_ADDRESS, mac, sizeof mac);
	put_one_queue();
	put_u32(IFLA_MASTER, (uint32_t)bridge);
	uint32_t info = begin_nest(IFLA_LINKINFO);
	put_name(IFLA_INFO_KIND, "veth");
	uint32_t data = begin_nest(IFLA_INFO_DATA), peer = begin_nest(VETH_INFO_PEER);
	put_raw(&guest, sizeof guest);
	put_name(IFLA_IFNAME, link->guest);
	put_u32(IFLA_MTU, link->mtu);
	put(IFLA_ADDRESS, link->mac, sizeof link->mac);
	put_one_queue();
	put_u32(IFLA_NET_NS_PID, (uint32_t)pid);
	end_nest(peer);
	end_nest(data);
	end_nest(info);
	return ask();
}

/* Returns the index of the host's end. EEXIST is said of a name and of an index. */
static int create(const struct plan_link *link, int pid, int bridge)
{
	int error = -EEXIST;
	for (unsigned tries = 0; error == -EEXIST && tries < TRIES; tries++) {
		uint32_t random;
		if (tries > 0 && (error = delete_left(link->host)) < 0)
			return error;
		if (getrandom(&random, sizeof random, 0) != sizeof random)
			return -EIO;
		int index = (int)(FIRST_HOST_INDEX | (random & INT32_MAX));
		error = create_pair(link, pid, bridge, index);
		if (error == 0)
			return index;
	}
	return error;
}

/* A child without a network namespace of its own has the host's: then the guest's end has not left it. */
static int check_pair(const char *host, int index, int bridge)
{
	int found = look_up(NULL, index);
	if (found < 0)
		return found;
	const struct rtattr *name = find_in_answer(IFLA_IFNAME), *master = find_in_answer(IFLA_MASTER);
	if (!find_in_answer(IFLA_LINK_NETNSID))
		return -EXDEV;
	bool as_asked = is_kind("veth") && name && RTA_PAYLOAD(name) == strlen(host) + 1 &&
			memcmp(RTA_DATA(name), host, strlen(host) + 1) == 0 && master && RTA_PAYLOAD(master) == sizeof bridge &&
			memcmp(RTA_DATA(master), &bridge, sizeof bridge) == 0;
	return as_asked ? 0 : -EPROTO;
}

static int set_port(int index, bool isolated)
{
	struct ifinfomsg link = {.ifi_family = AF_BRIDGE, .ifi_index = index};
	begin_request(RTM_SETLINK, NLM_F_ACK, &link);
	uint32_t port = begin_nest(IFLA_PROTINFO);
	put_u8(IFLA_BRPORT_MODE, BRIDGE_MODE_UNSPEC); /* no hairpin */
	put_u8(IFLA_BRPORT_ISOLATED, isolated);
	end_nest(port);
	return ask();
}

/* So that the port has no address of its own that a container could reach; the bridge has those. */
static int disable_ipv6(const char *host, int index)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%.15s/disable_ipv6", host);
	int fd = result(open(path, O_WRONLY | O_CLOEXEC));
	if (fd == -ENOENT) /* a host without IPv6 */
		return 0;
	ssize_t written = fd < 0 ? -1 : write(fd, "1", 1);
	if (fd >= 0)
		close(fd);
	if (written == 1)
		return 0;
	struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	begin_request(RTM_SETLINK, NLM_F_ACK, &link);
	uint32_t families = begin_nest(IFLA_AF_SPEC), inet6 = begin_nest(AF_INET6);
	put_u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	end_nest(inet6);
	end_nest(families);
	return ask();
}

static int raise(int index)
{
	struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	begin_request(RTM_SETLINK, NLM_F_ACK, &link);
	return ask();
}

/* Returns the index of the host's end, or an error and leaves nothing. */
static int make_link(const struct plan_link *link, int pid)
{
	int bridge = look_up(link->bridge, 0);
	if (bridge < 0)
		return bridge;
	if (!is_kind("bridge"))
		return -ENOTSUP;
	int index = create(link, pid, bridge);
	if (index < 0)
		return index;
	int error = check_pair(link->host, index, bridge);
	if (error == 0)
		error = set_port(index, link->isolated);
	if (error == 0)
		error = disable_ipv6(link->host, index);
	if (error == 0)
		error = raise(index);
	if (error < 0)
		delete_link(index);
	return error < 0 ? error : index;
}

/* ---- whose they are ---- */

static int read_file(const char *path, char *text, size_t size)
{
	int fd = result(open(path, O_RDONLY | O_CLOEXEC));
	if (fd < 0)
		return fd;
	ssize_t length = read(fd, text, size - 1);
	int error = length < 0 ? -errno : 0;
	close(fd);
	text[length < 0 ? 0 : length] = 0;
	return error;
}

/* The numbers of a line of /proc/PID/status or fdinfo; how many there are. */
static unsigned numbers(const char *text, const char *name, long number[2])
{
	char start[16];
	snprintf(start, sizeof start, "\n%s:", name);
	const char *line = strstr(text, start);
	int used = 0;
	unsigned count = 0;
	for (line = line ? line + strlen(start) : ""; *line && *line != '\n'; line += used) {
		long value;
		if (sscanf(line, "%*[ \t]%ld%n", &value, &used) != 1)
			break;
		if (count < 2)
			number[count] = value;
		count++;
	}
	return count;
}

/*
 * The pid of a child that the zygote made: process 1 of a pid namespace right below this one, whose parent is the zygote's own, with
 * the container's ids. Its number stays its own, because only that parent can reap it.
 */
static int pid_of_child(const struct request *request, int pidfd)
{
	char path[48], text[4096];
	long pid[2] = {0}, parent[2] = {0}, uid[2] = {0};
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
	int error = read_file(path, text, sizeof text);
	if (error < 0)
		return error;
	if (numbers(text, "NSpid", pid) != 2 || pid[0] <= 0 || pid[1] != 1)
		return -ESRCH;
	snprintf(path, sizeof path, "/proc/%ld/status", pid[0]);
	error = read_file(path, text, sizeof text);
	if (error < 0)
		return error == -ENOENT ? -ESRCH : error;
	if (numbers(text, "PPid", parent) != 1 || parent[0] != getppid() || numbers(text, "Uid", uid) != 4)
		return -ESRCH;
	if (uid[1] < request->id_base || uid[1] - request->id_base >= request->id_count)
		return -ESRCH;
	error = result(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0)); /* it was that process all the time */
	return error < 0 ? error : (int)pid[0];
}

/* ---- all of them ---- */

/* CAP_NET_ADMIN has effect only in here, and is there only in a zygote that is started for it. */
static int set_effective(bool effective)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	int error = result(syscall(SYS_capget, &header, data));
	if (error < 0)
		return error;
	const uint32_t bit = 1u << CAP_NET_ADMIN;
	data[0].effective = effective ? data[0].effective | bit : data[0].effective & ~bit;
	return result(syscall(SYS_capset, &header, data));
}

static int make_all(const struct links *links, int pid)
{
	int made[PLAN_MAX_LINKS], error = 0;
	unsigned count = 0;
	exchange.socket = result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
	if (exchange.socket < 0)
		return exchange.socket;
	while (error == 0 && count < links->count) {
		made[count] = make_link(&links->link[count], pid);
		if (made[count] < 0)
			error = made[count];
		else
			count++;
	}
	while (error < 0 && count > 0)
		delete_link(made[--count]);
	close_fd(&exchange.socket);
	return error;
}

/* A look costs the kernel far less than a removal, and it removes the links of many namespaces together. */
static int end_link(const char *host, unsigned *looks)
{
	const struct timespec pause = {.tv_nsec = LOOK_NANOS};
	int index = look_up(host, 0);
	for (; index >= 0 && *looks > 0; (*looks)--, index = look_up(host, 0))
		nanosleep(&pause, NULL);
	return index < 0 ? (index == -ENODEV ? 0 : index) : delete_left(host);
}

static int end_all(const struct links *links)
{
	unsigned looks = MOST_LOOKS;
	int error = 0;
	exchange.socket = result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
	if (exchange.socket < 0)
		return exchange.socket;
	for (uint32_t i = 0; i < links->count; i++) {
		int failed = end_link(links->link[i].host, &looks);
		error = error < 0 ? error : failed;
	}
	close_fd(&exchange.socket);
	return error;
}

/* With CAP_NET_ADMIN. EPERM: it is not there. */
static int make_or_end(const struct links *links, int pid)
{
	int error = set_effective(true);
	if (error < 0)
		return error;
	error = pid > 0 ? make_all(links, pid) : end_all(links);
	if (set_effective(false) < 0)
		_exit(1);
	return error;
}

int make_links(const struct request *request, const struct links *links, int pidfd)
{
	int pid = pid_of_child(request, pidfd);
	return pid < 0 ? pid : make_or_end(links, pid);
}

/*
 * The kernel removes links with their network namespace, soon after its last process; whoever shares that, or has a socket of it,
 * keeps it. A stopped container has no links in any case.
 */
int end_links(const struct links *links) { return make_or_end(links, 0); }
