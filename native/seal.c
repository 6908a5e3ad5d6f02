/* Phases SEAL, MAPPED and PRIVATE: init holds on to nothing that the plan did not give it, and becomes root inside. */
#include "init.h"
#include "kernel.h"

#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

int die_with_engine(void)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}

/* Layers and a v2 cgroup were for the zygote: init forgets the slots that no step of its plan names. */
static void forget_unused(struct init *init)
{
	bool used[PLAN_MAX_SLOTS] = {[SLOT_CONTROL] = true, [SLOT_STDIN] = true, [SLOT_STDOUT] = true, [SLOT_STDERR] = true};
	for (uint32_t i = 0; i < init->plan.count; i++) {
		const struct step *step = &init->plan.steps[i];
		struct reader payload = {step->payload, step->length, false};
		if (step->opcode == OP_JOIN_CGROUP || step->opcode == OP_ROOT || step->opcode == OP_MOUNT_FD)
			used[read_u16(&payload)] = true;
	}
	for (unsigned i = 0; i < init->slots; i++)
		if (!used[i])
			init->slot[i] = -1;
}

/* Everything goes but the slots, the gate and the three null devices. */
static int close_others(const struct init *init)
{
	int kept[PLAN_MAX_SLOTS + 1];
	unsigned count = 0, next = 3;
	kept[count++] = init->gate;
	for (unsigned i = 0; i < init->slots; i++) {
		unsigned at = count++;
		for (; at > 0 && kept[at - 1] > init->slot[i]; at--)
			kept[at] = kept[at - 1];
		kept[at] = init->slot[i];
	}
	for (unsigned i = 0; i < count; i++) {
		if (kept[i] < (int)next)
			continue; /* closed already (-1), or two slots with the same descriptor */
		int error = close_from(next, (unsigned)kept[i] - 1);
		if (error < 0)
			return error;
		next = (unsigned)kept[i] + 1;
	}
	return close_from(next, ~0U);
}

int seal(struct init *init, struct reader *payload)
{
	(void)payload;
	int error = die_with_engine();
	forget_unused(init);
	if (error == 0)
		error = close_others(init);
	if (error < 0)
		return error;
	/* an engine that died before the signal was asked for */
	struct pollfd control = {.fd = init->slot[SLOT_CONTROL]};
	if (poll(&control, 1, 0) != 0)
		return -EPIPE;
	/* a real-time task cannot enter a cgroup v1 `cpu` group without a real-time budget: EINVAL */
	struct sched_param none = {0};
	int policy = sched_getscheduler(0);
	if ((policy == SCHED_FIFO || policy == SCHED_RR) && sched_setscheduler(0, SCHED_OTHER, &none) < 0)
		return -errno;
	umask(0); /* modes are as the plan says */
	return signal(SIGPIPE, SIG_DFL) == SIG_ERR ? -errno : 0;
}

/* cgroup v1: a task moves itself by writing 0 to `tasks`; the permission is that of whoever opened the file. */
int join_cgroup(struct init *init, struct reader *payload)
{
	int *tasks = &init->slot[read_u16(payload)];
	if (write(*tasks, "0", 1) != 1)
		return -errno;
	close_fd(tasks);
	return 0;
}

int cgroup_namespace(struct init *init, struct reader *payload)
{
	(void)init, (void)payload;
	return result(unshare(CLONE_NEWCGROUP));
}

int mapped(struct init *init, struct reader *payload)
{
	(void)payload;
	char byte;
	ssize_t length;
	do
		length = read(init->gate, &byte, 1);
	while (length < 0 && errno == EINTR);
	if (length != 1)
		return -EPIPE; /* the zygote could not write the maps, or is gone */
	close_fd(&init->gate);
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return -errno;
	return die_with_engine();
}

int no_new_privs(struct init *init, struct reader *payload)
{
	(void)init, (void)payload;
	return result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

int private(struct init *init, struct reader *payload)
{
	(void)init, (void)payload;
	if (setsid() < 0)
		return -errno;
	return result(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}
