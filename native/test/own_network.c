#include "own_network.h"
#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SAFE_FD = 300 };

static int host_network;

/* ---- a host of its own ---- */

bool runs(const char *command)
{
	char quiet[512];
	snprintf(quiet, sizeof quiet, "{ %s; } </dev/null >/dev/null 2>&1", command);
	return system(quiet) == 0;
}

const char *output_of(const char *command)
{
	static char text[16384];
	char line[512];
	snprintf(line, sizeof line, "{ %s; } </dev/null 2>&1", command);
	FILE *pipe = popen(line, "re");
	size_t length = pipe ? fread(text, 1, sizeof text - 1, pipe) : 0;
	if (pipe)
		pclose(pipe);
	text[length] = 0;
	return text;
}

void expect_link(const char *name, const char *part)
{
	char command[128];
	snprintf(command, sizeof command, "ip -j -d link show dev %s", name);
	const char *shown = output_of(command);
	if (!strstr(shown, part))
		fprintf(stderr, "%s lacks %s: %s\n", name, part, shown);
	CHECK(strstr(shown, part) != NULL);
}

bool link_is_there(const char *name) { return if_nametoindex(name) != 0; }

bool link_goes_away(const char *name)
{
	for (int tries = 0; tries < 500 && link_is_there(name); tries++)
		usleep(10000);
	return !link_is_there(name);
}

/* An earlier test may have closed descriptor 0: what is kept must not become one of those three. */
void enter_own_network(void)
{
	int current = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	host_network = fcntl(current, F_DUPFD_CLOEXEC, SAFE_FD);
	close(current);
	CHECK(host_network >= SAFE_FD && unshare(CLONE_NEWNET) == 0);
	CHECK(runs("ip link set lo up && ip link add cnbridge type bridge && ip addr add " GATEWAY "/24 dev cnbridge && "
		  "ip link set cnbridge up"));
}

void leave_own_network(void)
{
	CHECK(setns(host_network, CLONE_NEWNET) == 0);
	close(host_network);
}

struct links one_link(void)
{
	struct links links = {.count = 1};
	links.link[0] = (struct plan_link){"cvtest", "cnbridge", "eth0", GUEST_INDEX, 1400, {2, 0, 0, 0, 0, 9}, 0, 0};
	return links;
}

/* ---- netlink requests as the engine makes them ---- */

static uint8_t requests[4096];
static uint32_t requests_length, last_message;

void begin_message(uint16_t type, uint16_t flags, const void *body, uint32_t length)
{
	struct nlmsghdr header = {.nlmsg_len = NLMSG_HDRLEN + NLMSG_ALIGN(length), .nlmsg_type = type};
	header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	memset(requests + requests_length, 0, header.nlmsg_len);
	memcpy(requests + requests_length, &header, sizeof header);
	memcpy(requests + requests_length + NLMSG_HDRLEN, body, length);
	last_message = requests_length;
	requests_length += header.nlmsg_len;
}

void add_attribute(const void *value, uint16_t type, uint16_t length)
{
	struct rtattr header = {.rta_len = (uint16_t)RTA_LENGTH(length), .rta_type = type};
	uint32_t size = RTA_SPACE(length);
	memset(requests + requests_length, 0, size);
	memcpy(requests + requests_length, &header, sizeof header);
	memcpy(requests + requests_length + RTA_LENGTH(0), value, length);
	requests_length += size;
	((struct nlmsghdr *)(requests + last_message))->nlmsg_len += size;
}

void request_address(const char *address, uint16_t flags)
{
	struct ifaddrmsg body = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = GUEST_INDEX};
	struct in_addr binary_form;
	inet_pton(AF_INET, address, &binary_form);
	begin_message(RTM_NEWADDR, (uint16_t)(NLM_F_CREATE | NLM_F_EXCL | flags), &body, sizeof body);
	add_attribute(&binary_form, IFA_LOCAL, sizeof binary_form);
	add_attribute(&binary_form, IFA_ADDRESS, sizeof binary_form);
}

void request_up(int index)
{
	struct ifinfomsg body = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	begin_message(RTM_NEWLINK, NLM_F_ACK, &body, sizeof body);
}

void put_requests(struct builder *plan, uint8_t protocol)
{
	builder_step(plan, PHASE_LIMITS, OP_NETLINK);
	put_u8(plan, protocol), put_bytes(plan, requests, requests_length);
	requests_length = 0;
}

void with_address(struct builder *plan, uint8_t phase)
{
	if (phase != PHASE_LIMITS)
		return;
	request_address(GUEST, NLM_F_ACK);
	request_up(GUEST_INDEX);
	put_requests(plan, NETLINK_ROUTE);
}

void status_word(int pid, const char *name, char word[32])
{
	char path[64], line[256], form[32];
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	snprintf(form, sizeof form, "%s: %%31s", name);
	FILE *status = fopen(path, "re");
	word[0] = 0;
	while (status && fgets(line, sizeof line, status))
		sscanf(line, form, word);
	if (status)
		fclose(status);
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t size = sizeof value;
	getsockopt(fd, SOL_SOCKET, name, &value, &size);
	return value;
}

void expect_resolver_socket(int fd, int protocol, uint16_t port)
{
	struct sockaddr_in address = {0};
	socklen_t size = sizeof address;
	CHECK_EQUAL(protocol, option(fd, SO_PROTOCOL));
	CHECK_EQUAL(protocol == IPPROTO_TCP, option(fd, SO_ACCEPTCONN));
	CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
	CHECK_EQUAL(port, ntohs(address.sin_port));
	CHECK_EQUAL(0x7f00000b, (long)ntohl(address.sin_addr.s_addr));
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

void with_resolver(struct builder *plan, uint8_t phase)
{
	if (phase != PHASE_LIMITS)
		return;
	builder_step(plan, PHASE_LIMITS, OP_RESOLVER);
	put_u16(plan, UDP_PORT), put_u16(plan, TCP_PORT);
}

void with_address_and_resolver(struct builder *plan, uint8_t phase)
{
	with_address(plan, phase);
	with_resolver(plan, phase);
}

void enter_linked(struct engine *linked, const char *binary)
{
	enter_own_network();
	CHECK(engine_start_with_links(linked, binary));
}

void leave_linked(struct engine *linked)
{
	engine_stop(linked);
	leave_own_network();
}
