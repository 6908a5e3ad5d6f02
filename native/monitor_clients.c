/*
 * Client connections, from root only. A client costs one entry of a table and its queue in the kernel. A client that does not
 * read its replies is disconnected; a notice that does not fit is sent later, in its latest form.
 */
#include "kernel.h"
#include "messages.h"
#include "monitor_parts.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

static uint8_t message[MONITOR_MAX_MESSAGE] WHOLE_PAGES;

void trim_clients(void) { madvise(message, sizeof message, MADV_DONTNEED); }

/* ---- coming and going ---- */

void add_client(struct monitor *m, int fd)
{
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++)
		if (m->client[i].fd < 0) {
			m->client[i] = (struct client){.fd = fd};
			return;
		}
	close(fd);
}

static bool is_root(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof peer && peer.uid == 0;
}

void accept_clients(struct monitor *m)
{
	int fd = result(accept4(m->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
	if (fd < 0)
		return; /* the client has gone, or there is no descriptor left: poll reports it again */
	if (is_root(fd))
		add_client(m, fd);
	else
		close(fd);
}

void drop_client(struct monitor *m, struct client *client)
{
	bool held = m->holder == client - m->client, froze = m->freezes == client - m->client, once = client->wrote_stdin && m->flags & MONITOR_STDIN_ONCE;
	close(client->fd);
	*client = (struct client){.fd = NO_FD};
	if (once)
		close_input(m);
	if (froze)
		run_on(m);
	if (held) {
		m->holder = -1;
		m->ends = true;
		m->again = false;
		kill_init(m);
	}
}

/* ---- replies and notices ---- */

static int send_now(int fd, const struct monitor_header *header, const void *payload, int passed)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec parts[2] = {{(void *)(uintptr_t)header, sizeof *header}, {(void *)(uintptr_t)payload, header->length}};
	struct msghdr out = {.msg_iov = parts, .msg_iovlen = 2};
	if (passed >= 0) {
		memcpy(CMSG_DATA(&control.header), &passed, sizeof passed);
		out.msg_control = &control;
		out.msg_controllen = sizeof control;
	}
	return result(sendmsg(fd, &out, MSG_NOSIGNAL | MSG_DONTWAIT));
}

bool reply(struct monitor *m, struct client *client, const struct monitor_header *to, int error, const void *payload,
	   uint32_t length, int fd)
{
	struct monitor_header header = {.op = (uint16_t)(to->op | MONITOR_REPLY), .version = MONITOR_VERSION,
					.sequence = to->sequence, .argument = (uint32_t)error, .length = length};
	write_status(m);
	if (send_now(client->fd, &header, payload, fd) >= 0)
		return true;
	drop_client(m, client);
	return false;
}

/* Answers the clients with a pending `op`. */
void answer_waiting(struct monitor *m, uint16_t op, int error)
{
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++) {
		struct client *client = &m->client[i];
		if (client->fd < 0 || client->waits_for != op)
			continue;
		struct monitor_header to = {.op = op, .sequence = client->sequence};
		client->waits_for = 0;
		update_state(m);
		if (op == MONITOR_START)
			reply(m, client, &to, error, &m->last, sizeof m->last, error == 0 ? m->init_pidfd : NO_FD);
		else if (op == MONITOR_STOP)
			reply(m, client, &to, error, &m->last.state, sizeof m->last.state, NO_FD);
		else
			reply(m, client, &to, error, NULL, 0, NO_FD);
	}
}

void note(struct monitor *m, uint32_t what)
{
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++) {
		struct client *client = &m->client[i];
		if (client->fd < 0)
			continue;
		if (what == NOTE_STDIN && client->wants_stdin) {
			client->wants_stdin = false;
			client->unsent |= NOTE_STDIN;
		}
		client->unsent |= client->watch & what;
	}
}

static int send_notice(struct monitor *m, const struct client *client, uint32_t what)
{
	struct monitor_header header = {.version = MONITOR_VERSION};
	const void *payload = NULL;
	if (what == WATCH_LOG) {
		header.op = NOTICE_GREW;
		header.length = sizeof m->log.total;
		payload = &m->log.total;
	} else if (what == WATCH_STATE) {
		update_state(m);
		header.op = NOTICE_STATE;
		header.length = sizeof m->last.state;
		payload = &m->last.state;
	} else {
		header.op = NOTICE_STDIN;
	}
	return send_now(client->fd, &header, payload, NO_FD);
}

static void send_unsent(struct monitor *m, struct client *client)
{
	for (uint32_t what = 1; what <= NOTE_STDIN; what <<= 1) {
		if (!(client->unsent & what))
			continue;
		int error = send_notice(m, client, what);
		client->full = error == -EAGAIN;
		if (client->full)
			return;
		if (error < 0) {
			drop_client(m, client);
			return;
		}
		client->unsent &= ~what;
	}
}

void send_notices(struct monitor *m)
{
	if (m->log.grew)
		note(m, WATCH_LOG);
	m->log.grew = false;
	write_status(m);
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++)
		if (m->client[i].fd >= 0 && m->client[i].unsent != 0 && !m->client[i].full)
			send_unsent(m, &m->client[i]);
}

/* ---- requests ---- */

static bool hung_up(int fd)
{
	struct pollfd closed = {.fd = fd, .events = POLLRDHUP};
	return poll(&closed, 1, 0) != 0 && closed.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

static int check_header(const struct monitor_header *header, ssize_t length)
{
	if (length < (ssize_t)sizeof *header || length > (ssize_t)MONITOR_MAX_MESSAGE ||
	    header->length != (size_t)length - sizeof *header)
		return EBADMSG;
	return header->version != MONITOR_VERSION && header->op != MONITOR_HELLO ? EPROTO : 0;
}

/* The buffer has room for one descriptor: the kernel closes those that come beyond it. */
void read_client(struct monitor *m, struct client *client)
{
	struct iovec data = {message, sizeof message};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control;
	struct msghdr in = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_LEN(sizeof(int))};
	int passed = NO_FD;
	ssize_t length = recvmsg(client->fd, &in, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	const struct cmsghdr *with = length < 0 ? NULL : CMSG_FIRSTHDR(&in);
	if (with && with->cmsg_level == SOL_SOCKET && with->cmsg_type == SCM_RIGHTS && with->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&passed, CMSG_DATA(with), sizeof passed);
	if (length < 0 || (length == 0 && hung_up(client->fd))) {
		close_fd(&passed);
		drop_client(m, client);
		return;
	}
	struct monitor_header header = {0};
	memcpy(&header, message, (size_t)length < sizeof header ? (size_t)length : sizeof header);
	int error = check_header(&header, length);
	if (error != 0)
		reply(m, client, &header, error, NULL, 0, NO_FD);
	else
		serve_request(m, client, &header, message + sizeof header, &passed);
	close_fd(&passed);
}
