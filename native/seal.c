/* Phases SEAL, MAPPED and PRIVATE: init holds on to nothing that the plan did not give it, and becomes root inside. */
#include "init.h"
#include "kernel.h"
#include "messages.h"

#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>

int die_with_engine(void)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}

/* The zygote's socket, and what else came with the request that this is a clone of. */
static int keep_only(int control)
{
	int error = close_from(3, (unsigned)control - 1);
	return error < 0 ? error : close_from((unsigned)control + 1, ~0U);
}

static bool valid_handover(const struct handover *handover, const struct fds *fds)
{
	if (handover->magic != PLAN_MAGIC || handover->count != fds->count || handover->slots > PLAN_MAX_SLOTS)
		return false;
	bool taken[PLAN_MAX_SLOTS] = {[SLOT_CONTROL] = true};
	for (unsigned i = 0; i < fds->count; i++) {
		uint16_t slot = handover->slot[i];
		if (slot >= handover->slots || taken[slot])
			return false;
		taken[slot] = true;
	}
	return taken[SLOT_PLAN] && taken[SLOT_STDIN] && taken[SLOT_STDOUT] && taken[SLOT_STDERR];
}

int take_handover(struct init *init, int control)
{
	static struct handover handover;
	int numbers[PLAN_MAX_SLOTS];
	struct fds fds = {.fd = numbers, .most = PLAN_MAX_SLOTS};
	for (unsigned i = 0; i < PLAN_MAX_SLOTS; i++)
		init->slot[i] = -1;
	init->slot[SLOT_CONTROL] = control;
	int error = die_with_engine();
	if (error == 0)
		error = keep_only(control);
	if (error < 0)
		return error;
	ssize_t length = receive_message(control, &handover, sizeof handover, &fds);
	if (length == 0)
		_exit(EXIT_REFUSED); /* the engine is gone, or has given up */
	if (length != sizeof handover || !valid_handover(&handover, &fds))
		return -EBADMSG;
	for (unsigned i = 0; i < fds.count; i++)
		init->slot[handover.slot[i]] = numbers[i];
	init->slots = handover.slots;
	return 0;
}

int seal(struct init *init, struct reader *payload)
{
	(void)payload;
	int error = die_with_engine();
	if (error < 0)
		return error;
	/* an engine that died before the signal was asked for */
	struct pollfd control = {.fd = init->slot[SLOT_CONTROL]};
	if (poll(&control, 1, 0) != 0)
		return -EPIPE;
	/* a real-time task cannot enter a cgroup v1 `cpu` group without a real-time budget: EINVAL */
	struct sched_param none = {0};
	int policy = sched_getscheduler(0);
	if (policy < 0 || ((policy == SCHED_FIFO || policy == SCHED_RR) && sched_setscheduler(0, SCHED_OTHER, &none) < 0))
		return -errno;
	/* an engine that a debugger has started has addresses that are not at random, and execve(2) would keep that */
	if (personality(PER_LINUX) < 0)
		return -errno;
	umask(0); /* modes are as the plan says */
	if (is_planned(init, OP_FILES)) {
		init->self = open_in(AT_FDCWD, "/proc/self/fd", O_PATH | O_DIRECTORY, 0, 0);
		if (init->self < 0)
			return init->self;
	}
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

/* The maps were written before the handover was sent. */
int mapped(struct init *init, struct reader *payload)
{
	(void)init, (void)payload;
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
