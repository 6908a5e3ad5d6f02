/*
 * The zygote: one single-threaded process per engine, with nothing but its socket. It takes a request with descriptors,
 * builds what needs privilege in the host or clones a child into new namespaces, answers, and keeps no descriptor. CLONE_PARENT
 * makes the child the engine's own, so that the engine waits for it; the zygote never learns how it ends.
 */
#include "zygote.h"
#include "kernel.h"
#include "messages.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { OBLIGATORY_NAMESPACES = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID };
enum { NAMESPACES = OBLIGATORY_NAMESPACES | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWTIME };

extern char **environ;

struct answer {
	struct look_reply message; /* its reply alone, unless it is that of a LOOK */
	size_t size;
	int fd; /* goes with it */
};

/* ---- the socket ---- */

static bool has_links(const struct request *request) { return request->kind == REQUEST_LINKS || request->kind == REQUEST_UNLINK; }

/* 1: a request; 0: the engine is gone; -EINVAL: bytes or descriptors that are not as the request says. */
static int receive(struct links_request *message, struct fds *fds)
{
	const struct request *request = &message->request;
	ssize_t length = receive_message(ZYGOTE_SOCKET, message, sizeof *message, fds);
	if (length <= 0)
		return (int)length;
	if (length < (ssize_t)sizeof *request || request->magic != PLAN_MAGIC || request->fds != fds->count)
		return -EINVAL;
	return length == (ssize_t)(has_links(request) ? sizeof *message : sizeof *request) ? 1 : -EINVAL;
}

static bool answer(const struct answer *answer)
{
	return send_message(ZYGOTE_SOCKET, &answer->message, answer->size, answer->fd) == 0;
}

/* ---- what a request may ask ---- */

static bool valid_ids(const struct request *request)
{
	return request->id_base != 0 && request->id_count != 0 && request->id_count <= UINT32_MAX - request->id_base;
}

static bool asks_no_child(const struct request *request) { return request->clone_flags == 0; }

static bool valid_oom_score(const struct request *request)
{
	return request->kind == REQUEST_EXEC ? request->oom_score >= -1000 && request->oom_score <= 1000 : request->oom_score == 0;
}

static bool asks_no_root(const struct request *request)
{
	return request->root_kind == 0 && request->root_flags == 0 && request->lowers == 0 && request->tmpfs_bytes == 0 &&
	       request->tmpfs_inodes == 0;
}

/* One without a network namespace of its own has that of another container. The host's is given by a request of its own kind alone. */
static bool shares_network(const struct request *request) { return !(request->clone_flags & CLONE_NEWNET); }

static bool valid_child(const struct request *request)
{
	unsigned others = shares_network(request) ? 1 : 0;
	if (request->fds < 1 + others || request->fds > 2 + others || request->clone_flags & ~(uint64_t)NAMESPACES)
		return false;
	return (request->clone_flags & OBLIGATORY_NAMESPACES) == OBLIGATORY_NAMESPACES && asks_no_root(request);
}

static bool valid_host_child(const struct request *request)
{
	bool others = request->clone_flags & CLONE_NEWNET || request->clone_flags & ~(uint64_t)NAMESPACES;
	return request->fds >= 1 && request->fds <= 2 && !others && asks_no_root(request) &&
	       (request->clone_flags & OBLIGATORY_NAMESPACES) == OBLIGATORY_NAMESPACES;
}

static bool valid_exec(const struct request *request)
{
	return request->fds >= 1 && request->fds <= 2 && asks_no_child(request) && asks_no_root(request);
}

static bool valid_root(const struct request *request)
{
	bool sized = request->tmpfs_bytes > 0 && request->tmpfs_inodes > 0; /* 0 would mean: no limit */
	bool unsized = request->tmpfs_bytes == 0 && request->tmpfs_inodes == 0;
	if (request->lowers == 0 || request->lowers > REQUEST_MAX_LOWERS || request->root_flags & ~ROOT_VOLATILE)
		return false;
	switch (request->root_kind) {
	case ROOT_MOUNT:
		return request->lowers == 1 && request->fds == 1 && request->root_flags == 0 && unsized;
	case ROOT_TMPFS:
		return request->fds == request->lowers && sized;
	case ROOT_OVERLAY:
		return request->fds == request->lowers + 1 && unsized;
	case ROOT_COVER: /* one place is for the empty lower */
		return request->lowers < REQUEST_MAX_LOWERS && request->fds == request->lowers && request->root_flags == 0 && unsized;
	default:
		return false;
	}
}

static bool valid(const struct request *request)
{
	bool keeps = request->kind == REQUEST_KEEP || request->kind == REQUEST_COPY;
	unsigned places = keeps ? PLAN_MAX_SLOTS : request->kind == REQUEST_LOOK ? 2 : 1;
	if (!valid_ids(request) || !valid_oom_score(request) || request->place >= places)
		return false;
	switch (request->kind) {
	case REQUEST_USERNS:
	case REQUEST_WATCH:
	case REQUEST_UNLINK:
		return request->fds == 0 && asks_no_child(request) && asks_no_root(request);
	case REQUEST_CHILD:
		return valid_child(request);
	case REQUEST_HOST_CHILD:
		return valid_host_child(request);
	case REQUEST_ROOT:
		return valid_root(request) && asks_no_child(request);
	case REQUEST_EXEC:
		return valid_exec(request);
	case REQUEST_DEVICE:
	case REQUEST_KEEP:
	case REQUEST_LINKS:
	case REQUEST_LOOK:
		return request->fds == 1 && asks_no_child(request) && asks_no_root(request);
	case REQUEST_COPY:
		return request->fds <= 1 && asks_no_child(request) && asks_no_root(request);
	default:
		return false;
	}
}

/* ---- what it does ---- */

/* The kernel makes a process whose ids change dumpable again where fs.suid_dumpable says so, proc_sys_fs(5). */
static int take_id(uint32_t id)
{
	return syscall(SYS_setresuid, -1, id, -1) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}

/*
 * With the container's own host id as effective id, so that the user namespace and all that is counted against its
 * creator (namespaces, inotify) are that id's and one container cannot use up another's. The capabilities stay, as
 * SECBIT_NO_SETUID_FIXUP is set.
 */
static int clone_as(uint32_t id, struct clone_args *args)
{
	int error = take_id(id);
	int pid = error < 0 ? error : result(syscall(SYS_clone3, args, sizeof *args));
	if (pid == 0)
		return 0;
	if (take_id(0) < 0)
		_exit(1); /* with the wrong id nothing that follows would be right */
	return pid;
}

/* With the container's own id as effective id, so that no container can use up the queues of another one. */
static int open_queue_as(uint32_t id)
{
	int error = take_id(id);
	int queue = error < 0 ? error : open_queue();
	if (take_id(0) < 0)
		_exit(1);
	return queue;
}

/* A copy that cannot be watched is none the worse. */
static int watched_copy(const struct request *request, const int *fds)
{
	int copy = copy_kept(request->place);
	if (copy >= 0 && request->fds > 0)
		watch_mount(fds[0], copy);
	return copy;
}

/* From outside: the file of a process that is not dumpable belongs to the root of the host. */
static int set_oom_score_of(int pid, int score)
{
	char path[48], text[16];
	snprintf(path, sizeof path, "/proc/%d/oom_score_adj", pid);
	int length = snprintf(text, sizeof text, "%d", score);
	int fd = result(open(path, O_WRONLY | O_CLOEXEC));
	if (fd < 0)
		return fd;
	int error = write(fd, text, (size_t)length) == length ? 0 : -errno;
	close(fd);
	return error;
}

static int start_child(const struct request *request, const int *fds, struct answer *out)
{
	int pidfd = -1, own = -1;
	struct clone_args args = {.flags = request->clone_flags | CLONE_PARENT | CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd};
	bool shares = request->kind == REQUEST_CHILD && shares_network(request);
	if (request->fds > (shares ? 2 : 1)) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)fds[1];
	}
	out->message.reply.stage = STAGE_CLONE;
	if (shares) {
		own = enter_network(fds[request->fds - 1]);
		if (own < 0)
			return own;
	}
	int pid = clone_as(request->id_base, &args);
	if (pid == 0)
		init(fds[0], request->id_count, request->kind == REQUEST_EXEC ? PLAN_EXEC : PLAN_LAUNCH);
	if (shares)
		leave_network(own);
	if (pid < 0)
		return pid;
	out->message.reply.pid = pid;
	out->fd = pidfd;
	out->message.reply.stage = STAGE_MAPS; /* an EXEC enters a namespace that has its maps */
	int error = request->kind == REQUEST_EXEC ? set_oom_score_of(pid, request->oom_score)
						  : write_maps(pid, request->id_base, request->id_count);
	if (error < 0)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	return error;
}

static int serve(const struct links_request *message, const int *fds, struct answer *out)
{
	const struct request *request = &message->request;
	if (!valid(request) || (has_links(request) && !valid_links(&message->links)))
		return -EINVAL;
	if (request->kind == REQUEST_CHILD || request->kind == REQUEST_HOST_CHILD || request->kind == REQUEST_EXEC)
		return start_child(request, fds, out);
	if (request->kind == REQUEST_ROOT) {
		out->message.reply.stage = STAGE_ROOT;
		out->fd = build_root(request, fds);
	} else if (request->kind == REQUEST_DEVICE) {
		out->message.reply.stage = STAGE_DEVICE;
		out->fd = make_device_node(request, fds[0]);
	} else if (request->kind == REQUEST_LINKS) {
		out->message.reply.stage = STAGE_LINKS;
		return make_links(request, &message->links, fds[0]);
	} else if (request->kind == REQUEST_UNLINK) {
		out->message.reply.stage = STAGE_LINKS;
		return end_links(&message->links);
	} else if (request->kind == REQUEST_KEEP) {
		out->message.reply.stage = STAGE_KEEP;
		return keep_mount(request->place, fds[0]);
	} else if (request->kind == REQUEST_COPY) {
		out->message.reply.stage = STAGE_KEEP;
		out->fd = watched_copy(request, fds);
	} else if (request->kind == REQUEST_WATCH) {
		out->message.reply.stage = STAGE_WATCH;
		out->fd = open_queue_as(request->id_base);
	} else if (request->kind == REQUEST_LOOK) {
		out->size = sizeof out->message;
		look_at_programs(fds[0], request->place == 1, &out->message);
		return 0;
	} else {
		out->message.reply.stage = STAGE_MAPS;
		out->fd = make_user_namespace(request->id_base, request->id_count);
	}
	return out->fd < 0 ? out->fd : 0;
}

/* ---- its own start ---- */

/*
 * What is left is for mounts and what overlay does in this process's name, ids, nodes and the end of a child. Of what goes,
 * SYS_RESOURCE would lift disk quotas for every write that a container makes through an overlay. A child is root of its
 * user namespace, with all capabilities in there. NET_ADMIN stays for links alone, which raise it for as long as they need it.
 */
static int shed_capabilities(bool makes_links)
{
	static const unsigned char needed[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_KILL,
					       CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN, CAP_MKNOD, CAP_SETFCAP};
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	int error = result(syscall(SYS_capget, &header, data));
	if (error < 0)
		return error;
	uint32_t keep = 0; /* all have numbers below 32 */
	for (unsigned i = 0; i < sizeof needed; i++)
		keep |= 1u << needed[i];
	uint32_t for_links = makes_links ? 1u << CAP_NET_ADMIN : 0;
	uint32_t permitted = (keep | for_links) & data[0].permitted; /* what the engine lacks is told when it is needed */
	data[0] = (struct __user_cap_data_struct){permitted & keep, permitted, 0};
	data[1] = (struct __user_cap_data_struct){0};
	return result(syscall(SYS_capset, &header, data));
}

static int set_up(bool makes_links)
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
	error = private_root();
	return error < 0 ? error : shed_capabilities(makes_links);
}

_Noreturn void zygote(bool makes_links)
{
	static struct links_request request;
	static int numbers[REQUEST_MAX_FDS];
	int error = set_up(makes_links);
	struct answer out = {{.reply = {PLAN_MAGIC, error, 0, STAGE_START}}, sizeof out.message.reply, -1};
	if (!answer(&out) || error < 0)
		_exit(1);
	for (;;) {
		struct fds fds = {.fd = numbers, .most = REQUEST_MAX_FDS};
		int received = receive(&request, &fds);
		if (received == 0)
			_exit(0);
		out = (struct answer){{.reply = {PLAN_MAGIC, 0, 0, STAGE_REQUEST}}, sizeof out.message.reply, -1};
		out.message.reply.status = received < 0 ? received : serve(&request, numbers, &out);
		if (out.message.reply.status == 0)
			out.message.reply.stage = STAGE_NONE;
		/* taking a detached mount down waits for other processors: after the answer */
		if (!answer(&out) || close_from(ZYGOTE_FIRST_FREE, ~0U) < 0)
			_exit(1);
	}
}
