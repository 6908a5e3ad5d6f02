/* The way of one more program into a container that runs. Each namespace comes as a descriptor: no name leads there. */
#include "init.h"
#include "kernel.h"

#include <linux/magic.h>
#include <sched.h>
#include <sys/vfs.h>

/* The engine's own, until somebody in the container who may mount puts another there: then there is no terminal. */
static int open_devpts(void)
{
	int fd = open_in(AT_FDCWD, "/dev/pts", O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	struct statfs on;
	if (fd >= 0 && (fstatfs(fd, &on) < 0 || on.f_type != DEVPTS_SUPER_MAGIC))
		close_fd(&fd);
	return fd;
}

/*
 * The network namespace comes first, as it may be another container's, over which only the host's root has a right. Then the
 * user namespace, and with it every capability over what the others belong to; nothing of this process can be
 * seen from inside, as its pid is of the host's. Its children are born into the pid namespace. The kernel forgets the
 * parent-death signal where credentials change.
 */
int enter(struct init *init, struct reader *payload)
{
	uint32_t entered = read_u32(payload);
	for (uint32_t i = 0; i < init->plan.count; i++) /* what is below sys/net is of the namespace of whoever looks it up */
		if ((init->plan.steps[i].opcode == OP_SYSCTL || init->plan.steps[i].opcode == OP_SYSCTL_FILE) && init->proc < 0) {
			init->proc = result(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
			if (init->proc < 0)
				return init->proc;
		}
	for (unsigned i = 0; i < PLAN_NAMESPACES; i++) {
		if (!(entered & plan_namespaces[i]))
			continue;
		int *slot = &init->slot[read_u16(payload)];
		int error = result(setns(*slot, (int)plan_namespaces[i]));
		if (error == 0)
			error = die_with_engine();
		if (error < 0)
			return error;
		close_fd(slot);
	}
	init->devpts = open_devpts();
	return 0;
}
