#include "messages.h"
#include "plan.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

int send_with(int socket, const void *bytes, size_t length, const int *fds, unsigned count)
{
	union {
		char bytes[CMSG_SPACE(MESSAGE_MAX_FDS * sizeof(int))];
		struct cmsghdr header;
	} control;
	struct iovec data = {(void *)(uintptr_t)bytes, length};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	if (count > MESSAGE_MAX_FDS)
		return -EPIPE;
	if (count > 0) {
		control.header = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	ssize_t sent;
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)length ? 0 : -EPIPE;
}

int send_message(int socket, const void *bytes, size_t length, int fd)
{
	return send_with(socket, bytes, length, &fd, fd >= 0);
}

/* An empty message reads like end-of-file. */
static int hung_up(int socket)
{
	struct pollfd closed = {.fd = socket};
	return poll(&closed, 1, 0) != 0;
}

ssize_t receive_message(int socket, void *bytes, size_t size, struct fds *fds)
{
	union {
		char bytes[CMSG_SPACE(MESSAGE_MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec data = {bytes, size};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	ssize_t length;
	do
		length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length < 0 || (length == 0 && hung_up(socket)))
		return 0;
	fds->count = 0;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS || fds->count != 0)
			return -EINVAL;
		unsigned count = (unsigned)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		if (count > fds->most)
			return -EINVAL;
		memcpy(fds->fd, CMSG_DATA(header), count * sizeof(int));
		fds->count = count;
	}
	return length == 0 || message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EINVAL : length;
}

ssize_t receive_now(int socket, void *bytes, size_t size, int *fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control;
	struct iovec data = {bytes, size};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	if (fd) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_LEN(sizeof(int)); /* CMSG_SPACE would have room for two */
		*fd = -1;
	}
	ssize_t length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? -EAGAIN : 0;
	struct cmsghdr *header = fd ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(header), sizeof *fd);
	if (length == 0 && hung_up(socket))
		return 0;
	return length == 0 || message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EINVAL : length;
}
