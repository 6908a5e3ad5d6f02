/*
 * Phases PROTECT and LIMITS, with a network: waits for its links, and asks for the gateway until it answers. The bridge takes no frame from a link before the kernel has told it
 * that the link is up, which happens some time after the link was set up, and the kernel asks for a neighbor once a second: what the
 * program sent first would wait for that long. The question itself tells the host and, over IPv4, all who wait for the container's address.
 */
#include "init.h"
#include "kernel.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

enum { TRIES = 9, FIRST_PAUSE_NANOS = 250000, ANSWER_BYTES = 1024 }; /* 128 milliseconds at most */
enum { LOOK_NANOS = 50000, MOST_LOOKS = 100000 }; /* each takes twice as long */
enum { KNOWN = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT };

/*
 * A link is found by its index before it has its settings, and goes again if its other end cannot be made. Who sets something waits until
 * the kernel is done with both ends, so the flags are set to what they are.
 */
static int look_for_link(int socket, int index)
{
	struct ifreq link = {.ifr_ifindex = index};
	int error = result(ioctl(socket, SIOCGIFNAME, &link));
	if (error == 0)
		error = result(ioctl(socket, SIOCGIFFLAGS, &link));
	return error < 0 ? error : result(ioctl(socket, SIOCSIFFLAGS, &link));
}

/* The zygote makes it meanwhile; where it fails, the engine ends this process. */
int await_link(struct init *init, struct reader *payload)
{
	(void)init;
	int index = (int)read_u32(payload), error;
	struct timespec pause = {.tv_nsec = LOOK_NANOS};
	int fd = result(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (fd < 0)
		return fd;
	for (unsigned looks = 0; (error = look_for_link(fd, index)) == -ENODEV && looks < MOST_LOOKS; looks++)
		nanosleep(&pause, NULL);
	close(fd);
	return error;
}

struct question {
	struct nlmsghdr header;
	struct ndmsg neighbor;
	struct rtattr attribute;
	uint8_t address[16];
};

/* 0 or the kernel's error; `state` of the neighbor where it was asked for. */
static int ask(int socket, struct question *question, uint16_t type, uint16_t flags, uint16_t *state)
{
	static uint8_t answer[ANSWER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
	question->header.nlmsg_type = type;
	question->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	question->neighbor.ndm_flags = type == RTM_NEWNEIGH ? NTF_USE : 0;
	if (send(socket, question, question->header.nlmsg_len, 0) < 0)
		return -errno;
	ssize_t length = recv(socket, answer, sizeof answer, MSG_DONTWAIT);
	if (length < 0)
		return -errno;
	if (!NLMSG_OK(header, (size_t)length))
		return -EPROTO;
	if (header->nlmsg_type == NLMSG_ERROR)
		return header->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)) ? -EPROTO : ((const struct nlmsgerr *)NLMSG_DATA(header))->error;
	if (header->nlmsg_type != RTM_NEWNEIGH || header->nlmsg_len < NLMSG_LENGTH(sizeof(struct ndmsg)))
		return -EPROTO;
	*state = ((const struct ndmsg *)NLMSG_DATA(header))->ndm_state;
	return 0;
}

/*
 * Over IPv6 the kernel asks in the name of the address that a packet waits with, which is then known to the gateway; without a packet it
 * would ask in that of the link. A router that announces nothing does not answer this one, and no table of connections has it.
 */
static int send_solicitation(const struct question *question)
{
	static const uint8_t solicitation[8] = {ND_ROUTER_SOLICIT}; /* the kernel fills in the checksum */
	struct sockaddr_in6 gateway = {.sin6_family = AF_INET6, .sin6_scope_id = (uint32_t)question->neighbor.ndm_ifindex};
	memcpy(&gateway.sin6_addr, question->address, sizeof gateway.sin6_addr);
	int fd = result(socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6));
	if (fd < 0)
		return fd;
	int error = sendto(fd, solicitation, sizeof solicitation, 0, (const struct sockaddr *)&gateway, sizeof gateway) < 0 ? -errno : 0;
	close(fd);
	return error;
}

/* Whoever asks finds an entry that waits, and asks no more: a new one asks at once. */
static bool is_known(int socket, struct question *question)
{
	uint16_t state = 0;
	int error = question->neighbor.ndm_family == AF_INET6 ? send_solicitation(question)
							      : ask(socket, question, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, &state);
	if (error == 0)
		error = ask(socket, question, RTM_GETNEIGH, 0, &state);
	return error < 0 || state & KNOWN;
}

/* A gateway that does not answer, or a kernel that does not tell, is no reason not to start: then the kernel asks as it always does. */
int ask_gateway(struct init *init, struct reader *payload)
{
	(void)init;
	struct question question = {.neighbor.ndm_ifindex = (int)read_u32(payload)};
	question.neighbor.ndm_family = read_u8(payload);
	uint16_t length = question.neighbor.ndm_family == AF_INET ? 4 : sizeof question.address;
	question.header.nlmsg_len = NLMSG_LENGTH(sizeof question.neighbor) + (uint32_t)RTA_LENGTH(length);
	question.attribute = (struct rtattr){.rta_len = (uint16_t)RTA_LENGTH(length), .rta_type = NDA_DST};
	for (unsigned i = 0; i < sizeof question.address; i++)
		question.address[i] = read_u8(payload);
	int fd = result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
	if (fd < 0)
		return fd;
	struct timespec pause = {.tv_nsec = FIRST_PAUSE_NANOS};
	for (unsigned tries = 0; !is_known(fd, &question) && tries < TRIES; tries++) {
		uint16_t state;
		nanosleep(&pause, NULL);
		if (ask(fd, &question, RTM_GETNEIGH, 0, &state) < 0 || state & KNOWN) /* it came late */
			break;
		ask(fd, &question, RTM_DELNEIGH, NLM_F_ACK, &state);
		pause.tv_nsec *= 2;
	}
	close(fd);
	return 0;
}
