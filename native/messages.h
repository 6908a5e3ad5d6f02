/* Messages with descriptors over SOCK_SEQPACKET sockets. */
#ifndef CAISSON_MESSAGES_H
#define CAISSON_MESSAGES_H

#include <stddef.h>
#include <sys/types.h>

enum { MESSAGE_MAX_FDS = 253 }; /* the kernel's SCM_MAX_FD */

struct fds {
	int *fd; /* close-on-exec, and the receiver's to close */
	unsigned most, count;
};

/* With descriptors. 0, or -EPIPE where nobody takes it. */
int send_with(int socket, const void *bytes, size_t length, const int *fds, unsigned count);

/* With a descriptor, unless it is -1. 0, or -EPIPE where nobody takes it. */
int send_message(int socket, const void *bytes, size_t length, int fd);

/* Its length, 0 where the other end is closed, or -EINVAL for one that does not fit; what came with it is in `fds`. */
ssize_t receive_message(int socket, void *bytes, size_t size, struct fds *fds);

/*
 * Does not wait: may return -EAGAIN. Takes at most one descriptor, into `fd` (-1 if none came), or none if `fd` is NULL. The kernel
 * drops further ones, and the result is -EINVAL.
 */
ssize_t receive_now(int socket, void *bytes, size_t size, int *fd);

#endif
