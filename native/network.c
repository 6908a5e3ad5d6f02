/* Phase LIMITS, with a network: what is asked of the kernel within the container's own network namespace. */
#include "init.h"
#include "kernel.h"
#include "messages.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

enum { ANSWER_BYTES = 8192, WAITING_CONNECTIONS = 128 };

/* The kernel has answered when sendto(2) returns. Each answer is an error number of 0 or not; anything else is no answer. */
static int read_answers(int fd)
{
	static uint8_t answer[ANSWER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	unsigned acknowledged = 0;
	ssize_t length;
	while ((length = recv(fd, answer, sizeof answer, MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
		for (size_t left = (size_t)length; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
			const struct nlmsgerr *error = NLMSG_DATA(header);
			if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_len < NLMSG_LENGTH(sizeof *error))
				continue;
			if (error->error != 0)
				return error->error;
			acknowledged++;
		}
	}
	if (length < 0 && errno != EAGAIN) /* ENOBUFS: an answer was dropped */
		return -errno;
	return acknowledged > 0 ? 0 : -EPROTO;
}

int send_netlink(struct init *init, struct reader *payload)
{
	(void)init;
	uint32_t length;
	uint8_t protocol = read_u8(payload);
	const uint8_t *requests = read_bytes(payload, &length);
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int on = 1, fd = result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
	if (fd < 0)
		return fd;
	/* an answer does not carry the request again; fails before Linux 4.3 */
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
	ssize_t sent = sendto(fd, requests, length, 0, (const struct sockaddr *)&kernel, sizeof kernel);
	int error = sent < 0 ? -errno : sent != (ssize_t)length ? -EMSGSIZE : read_answers(fd);
	close(fd);
	return error;
}

static int report_socket(const struct init *init, int protocol, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f00000b)};
	struct report message = {.magic = PLAN_MAGIC, .kind = REPORT_RESOLVER, .phase = PHASE_LIMITS, .step = init->step};
	message.detail = (uint32_t)protocol;
	int type = protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd = result(socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
	if (fd < 0)
		return fd;
	int error = result(bind(fd, (const struct sockaddr *)&address, sizeof address));
	if (error == 0 && type == SOCK_STREAM)
		error = result(listen(fd, WAITING_CONNECTIONS));
	if (error == 0)
		error = report(init, &message, fd);
	close(fd);
	return error;
}

/* For a resolver outside: what the program asks at 127.0.0.11 comes to these, and they stay when who answers is replaced. */
int open_resolver(struct init *init, struct reader *payload)
{
	uint16_t udp = read_u16(payload), tcp = read_u16(payload);
	int error = report_socket(init, IPPROTO_UDP, udp);
	return error < 0 ? error : report_socket(init, IPPROTO_TCP, tcp);
}

static int lend(const struct init *init, int fd)
{
	struct report message = {.magic = PLAN_MAGIC, .kind = REPORT_OPENED, .phase = PHASE_LIMITS, .step = init->step};
	if (fd < 0)
		return fd;
	int error = report(init, &message, fd);
	close(fd);
	return error;
}

/* The kernel asks for the rights of who made the socket, too: made here, it has those over the container's network and no other. */
int lend_netlink(struct init *init, struct reader *payload)
{
	return lend(init, result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, read_u8(payload))));
}

/* The file is that of the network namespace in which it is looked up, whoever reads it. */
int lend_sysctl(struct init *init, struct reader *payload)
{
	char name[PATH_SIZE], path[PATH_SIZE + 4];
	read_text(payload, name);
	if (init->proc < 0)
		return -ENODEV;
	snprintf(path, sizeof path, "sys/%s", name);
	return lend(init, open_in(init->proc, path, O_RDONLY | O_NOFOLLOW, 0,
				  RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS));
}
