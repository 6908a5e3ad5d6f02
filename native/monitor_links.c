/* The networks of the next start: the links that its zygote makes, and the plan that sets them up from within. */
#include "kernel.h"
#include "monitor_parts.h"

#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>

bool are_none(const struct links *links)
{
	static const struct links none;
	return memcmp(links, &none, sizeof none) == 0;
}

/* What it is the zygote checks, at each start. */
int take_network(struct monitor *m, int *name_space)
{
	if (m->clone_flags & CLONE_NEWNET || m->flags & MONITOR_HOST_NETWORK)
		return -EINVAL;
	if (m->phase == MONITOR_STARTING || m->phase == MONITOR_HELD)
		return -EBUSY;
	forget_network(m);
	m->network = *name_space;
	*name_space = NO_FD;
	return 0;
}

int take_owner(struct monitor *m, int *pidfd)
{
	if (m->network < 0 || (syscall(SYS_pidfd_send_signal, *pidfd, 0, NULL, 0) < 0 && errno != ESRCH))
		return -EINVAL;
	close_fd(&m->owner);
	m->owner = *pidfd;
	*pidfd = NO_FD;
	return 0;
}

void forget_network(struct monitor *m)
{
	close_fd(&m->network);
	close_fd(&m->owner);
}

/* When the owner's first process is gone, so are its links and who answers for names there: only loopback is left. */
bool is_network_kept(const struct monitor *m)
{
	struct pollfd owner = {.fd = m->owner, .events = POLLIN}; /* readable once it has ended, reaped or not */
	return (m->network < 0 && m->owner < 0) || (m->owner >= 0 && poll(&owner, 1, 0) == 0);
}

int *plan_of(struct monitor *m)
{
	for (unsigned i = 0; i < m->given_count; i++)
		if (m->given[i].slot == SLOT_PLAN)
			return &m->given[i].fd;
	return NULL; /* SETUP refuses who brings none */
}

/* What the plan says is for init to check, at each start. */
int take_links(struct monitor *m, const struct links *links, int *plan)
{
	bool none = are_none(links);
	if (!none && !(valid_links(links) && m->clone_flags & CLONE_NEWNET))
		return -EINVAL;
	if (m->phase == MONITOR_STARTING || m->phase == MONITOR_HELD)
		return -EBUSY;
	if (!is_sealed(*plan) || (!none && !m->makes_links))
		return -EPERM;
	int *place = plan_of(m);
	if (!place)
		return -ENOENT;
	close(*place);
	*place = *plan;
	*plan = NO_FD;
	m->links = *links;
	return 0;
}
