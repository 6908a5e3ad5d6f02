/*
 * The zygote: one single-threaded process per engine, with nothing but its socket. It takes a request with descriptors,
 * builds what needs privilege in the host, clones a child into new namespaces and answers. CLONE_PARENT makes the child
 * the engine's own, so that the engine waits for it; the zygote never learns how it ends.
 */
#include "zygote.h"
#include "kernel.h"

#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { OBLIGATORY_NAMESPACES = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID };
enum { NAMESPACES = OBLIGATORY_NAMESPACES | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWTIME };

extern char **environ;

struct answer {
	struct reply reply;
	int fd; /* goes with it */
};

/* ---- the socket ---- */

/* An empty message reads like end-of-file. */
static bool hung_up(void)
{
	struct pollfd socket = {.fd = ZYGOTE_SOCKET};
	return poll(&socket, 1, 0) != 0;
}

/* 1: a request; 0: the engine is gone; -EINVAL: bytes or descriptors that are not as the request says. */
static int receive(struct request *request, int *slot)
{
	union {
		char bytes[CMSG_SPACE(PLAN_MAX_SLOTS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec data = {request, sizeof *request};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	ssize_t length;
	do
		length = recvmsg(ZYGOTE_SOCKET, &message, MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length < 0 || (length == 0 && hung_up()))
		return 0;
	size_t count = 0;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS || count != 0)
			return -EINVAL;
		count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (count >= PLAN_MAX_SLOTS) /* the root's mount takes the last one */
			return -EINVAL;
		memcpy(slot, CMSG_DATA(header), count * sizeof(int));
	}
	bool whole = length == sizeof *request && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
	return whole && request->magic == PLAN_MAGIC && request->slots == count ? 1 : -EINVAL;
}

static bool answer(const struct answer *answer)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec data = {(void *)&answer->reply, sizeof answer->reply};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	if (answer->fd >= 0) {
		memcpy(CMSG_DATA(&control.header), &answer->fd, sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = sizeof control;
	}
	ssize_t sent;
	do
		sent = sendmsg(ZYGOTE_SOCKET, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == sizeof answer->reply;
}

/* ---- what a request may ask ---- */

static bool free_slot(const struct request *request, uint16_t slot)
{
	return slot >= SLOT_FIRST_FREE && slot < request->slots;
}

static bool valid_root(const struct request *request)
{
	for (unsigned i = 0; i < request->lowers; i++)
		if (!free_slot(request, request->lower_slot[i]))
			return false;
	switch (request->root_kind) {
	case ROOT_MOUNT:
		return request->lowers == 1 && request->root_flags == 0 && request->upper_slot == PLAN_NO_SLOT;
	case ROOT_TMPFS: /* 0 would mean: no limit */
		return request->tmpfs_bytes > 0 && request->tmpfs_inodes > 0 && request->upper_slot == PLAN_NO_SLOT;
	case ROOT_OVERLAY:
		return free_slot(request, request->upper_slot);
	default:
		return false;
	}
}

static bool valid_ids(const struct request *request)
{
	return request->id_base != 0 && request->id_count != 0 && request->id_count <= UINT32_MAX - request->id_base;
}

static bool valid_launch(const struct request *request)
{
	if (request->slots < SLOT_FIRST_FREE || request->clone_flags & ~(uint64_t)NAMESPACES)
		return false;
	if ((request->clone_flags & OBLIGATORY_NAMESPACES) != OBLIGATORY_NAMESPACES)
		return false;
	if (request->cgroup_slot != PLAN_NO_SLOT && !free_slot(request, request->cgroup_slot))
		return false;
	if (request->lowers == 0 || request->lowers > REQUEST_MAX_LOWERS || request->root_flags & ~ROOT_VOLATILE)
		return false;
	return request->reserved0 == 0 && request->reserved == 0 && valid_root(request);
}

/* ---- what it does ---- */

/*
 * With the container's own host id as effective id, so that the user namespace and all that is counted against its
 * creator (namespaces, inotify) are that id's and one container cannot use up another's. The capabilities stay, as
 * SECBIT_NO_SETUID_FIXUP is set.
 */
static int clone_as(uint32_t id, struct clone_args *args)
{
	if (syscall(SYS_setresuid, -1, id, -1) < 0)
		return -errno;
	int pid = result(syscall(SYS_clone3, args, sizeof *args));
	if (pid == 0)
		return 0;
	if (syscall(SYS_setresuid, -1, 0, -1) < 0)
		_exit(1); /* with the wrong id nothing that follows would be right */
	return pid;
}

static int start_child(const struct request *request, struct launch *launch, struct answer *out)
{
	int gate[2], pidfd = -1;
	if (pipe2(gate, O_CLOEXEC) < 0)
		return -errno;
	launch->gate = gate[0];
	struct clone_args args = {.flags = request->clone_flags | CLONE_PARENT | CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd};
	if (request->cgroup_slot != PLAN_NO_SLOT) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)launch->slot[request->cgroup_slot];
	}
	out->reply.stage = STAGE_CLONE;
	int pid = clone_as(request->id_base, &args);
	if (pid == 0)
		init(launch);
	if (pid < 0)
		return pid;
	out->reply.pid = pid;
	out->fd = pidfd;
	out->reply.stage = STAGE_MAPS;
	int error = write_maps(pid, request->id_base, request->id_count);
	if (error == 0 && write(gate[1], "", 1) != 1)
		error = -errno;
	if (error < 0)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	return error;
}

static int launch(const struct request *request, const int *slot, struct answer *out)
{
	static struct launch launch;
	if (!valid_launch(request))
		return -EINVAL;
	out->reply.stage = STAGE_ROOT;
	int root = build_root(request, slot);
	if (root < 0)
		return root;
	memcpy(launch.slot, slot, request->slots * sizeof *slot);
	launch.slot[request->slots] = root;
	launch.slots = request->slots + 1;
	launch.id_count = request->id_count;
	return start_child(request, &launch, out);
}

static int serve(const struct request *request, const int *slot, struct answer *out)
{
	out->reply.stage = STAGE_REQUEST;
	if (!valid_ids(request))
		return -EINVAL;
	switch (request->kind) {
	case REQUEST_LAUNCH:
		return launch(request, slot, out);
	case REQUEST_USERNS:
		if (request->slots != 0)
			return -EINVAL;
		out->reply.stage = STAGE_MAPS;
		out->fd = make_user_namespace(request->id_base, request->id_count);
		return out->fd < 0 ? out->fd : 0;
	default:
		return -EINVAL;
	}
}

/* ---- its own start ---- */

static int set_up(void)
{
	int type = 0;
	socklen_t size = sizeof type;
	if (getsockopt(ZYGOTE_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET)
		return -ENOTSOCK;
	if (fcntl(ZYGOTE_SOCKET, F_SETFD, FD_CLOEXEC) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	int error = close_from(ZYGOTE_FIRST_FREE, ~0U);
	if (error == 0)
		error = close_from(0, 2);
	for (int fd = 0; error == 0 && fd <= 2; fd++) /* so that no descriptor that comes is 0, 1 or 2 */
		if (open("/dev/null", O_RDWR | O_CLOEXEC) != fd)
			error = -EBADF;
	if (error < 0)
		return error;
	for (char **variable = environ; *variable; variable++)
		explicit_bzero(*variable, strlen(*variable));
	sigset_t none;
	sigemptyset(&none);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	setsid(); /* away from the terminal's signals; fails, harmlessly, where it leads a group already */
	umask(0);
	return private_root();
}

_Noreturn void zygote(void)
{
	static struct request request;
	static int slot[PLAN_MAX_SLOTS];
	int error = set_up();
	struct answer out = {{PLAN_MAGIC, error, 0, STAGE_START}, -1};
	if (!answer(&out) || error < 0)
		_exit(1);
	for (;;) {
		int received = receive(&request, slot);
		if (received == 0)
			_exit(0);
		out = (struct answer){{PLAN_MAGIC, 0, 0, STAGE_REQUEST}, -1};
		out.reply.status = received < 0 ? received : serve(&request, slot, &out);
		if (out.reply.status == 0)
			out.reply.stage = STAGE_NONE;
		if (!answer(&out) || close_from(ZYGOTE_FIRST_FREE, ~0U) < 0)
			_exit(1);
	}
}
