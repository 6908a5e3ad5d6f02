/* The sockets at which a container finds its resolver: init opens them, and they stay when who answers there is replaced. */
#include "kernel.h"
#include "monitor_parts.h"

#include <netinet/in.h>

/* The kernel keeps a network namespace, and its links, for as long as a socket of it is open. */
void close_resolver(struct monitor *m)
{
	close_fd(&m->resolver[0]);
	close_fd(&m->resolver[1]);
}

void take_resolver(struct monitor *m, uint32_t protocol, int fd)
{
	bool known = protocol == IPPROTO_UDP || protocol == IPPROTO_TCP;
	int *place = &m->resolver[protocol == IPPROTO_TCP];
	if (known && *place < 0) {
		*place = fd;
	} else {
		close(fd);
		kill_init(m);
	}
}

int lend_socket(const struct monitor *m, uint32_t protocol)
{
	if (protocol != IPPROTO_UDP && protocol != IPPROTO_TCP)
		return -EINVAL;
	int fd = m->resolver[protocol == IPPROTO_TCP];
	return fd < 0 ? -ESRCH : fd;
}
