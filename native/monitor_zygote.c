/* Requests to the monitor's own zygote: a child process that makes inits and copies of the kept mounts. */
#include "kernel.h"
#include "messages.h"
#include "monitor_parts.h"
#include "zygote.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { ANSWER_MILLIS = 30000 };

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static int wait_readable(int fd, int millis)
{
	struct pollfd readable = {fd, POLLIN, 0};
	int count;
	do
		count = poll(&readable, 1, millis);
	while (count < 0 && errno == EINTR);
	return count < 0 ? -errno : count == 0 ? -ETIMEDOUT : 0;
}

static int receive_reply(struct monitor *m, struct reply *reply, int *fd)
{
	*fd = NO_FD;
	int error = wait_readable(m->zygote, ANSWER_MILLIS);
	if (error < 0)
		return error;
	ssize_t length = receive_now(m->zygote, reply, sizeof *reply, fd);
	if (length == sizeof *reply && reply->magic == PLAN_MAGIC)
		return reply->status;
	close_fd(fd);
	return length == 0 ? -EPIPE : -EPROTO;
}

static int receive_look(struct monitor *m, struct look_reply *found)
{
	int none, error = wait_readable(m->zygote, ANSWER_MILLIS);
	if (error < 0)
		return error;
	ssize_t length = receive_now(m->zygote, found, sizeof *found, &none);
	close_fd(&none);
	if (length == sizeof *found && found->reply.magic == PLAN_MAGIC && found->reply.status == 0) {
		found->name[LOOK_NAME - 1] = 0;
		return 0;
	}
	return length == 0 ? -EPIPE : -EPROTO;
}

/* A late answer could be taken for that of the next request: a zygote that does not answer in time is abandoned. */
static int ask_with(struct monitor *m, struct request *request, size_t size, const int *fds, unsigned count, int *fd)
{
	request->magic = PLAN_MAGIC;
	request->id_base = m->id_base;
	request->id_count = m->id_count;
	request->fds = (uint16_t)count;
	*fd = NO_FD;
	struct reply *reply = &m->last.reply;
	*reply = (struct reply){.magic = PLAN_MAGIC, .status = -EPIPE, .stage = STAGE_START}; /* if no answer comes */
	if (m->zygote < 0)
		return -EPIPE;
	int error = send_with(m->zygote, request, size, fds, count);
	if (error == 0)
		error = receive_reply(m, reply, fd);
	if (error < 0 && error != reply->status)
		close_fd(&m->zygote);
	return error;
}

static int ask(struct monitor *m, struct request *request, const int *fds, unsigned count, int *fd)
{
	return ask_with(m, request, sizeof *request, fds, count, fd);
}

int start_zygote(struct monitor *m)
{
	int pair[2], none;
	struct reply reply;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	int pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || dup2(pair[1], ZYGOTE_SOCKET) < 0)
			_exit(1);
		zygote(m->makes_links);
	}
	close(pair[1]);
	m->zygote = pair[0];
	m->zygote_pid = pid;
	m->zygote_pidfd = result(syscall(SYS_pidfd_open, pid, 0));
	if (m->zygote_pidfd < 0)
		return m->zygote_pidfd;
	return receive_reply(m, &reply, &none);
}

/* One that PREPARE started is taken unless it makes no links and these are wanted, or it has died. */
int settle_zygote(struct monitor *m)
{
	if (m->zygote >= 0 && (m->makes_links || wait_readable(m->zygote_pidfd, 0) == 0))
		end_zygote(m);
	return m->zygote >= 0 ? 0 : start_zygote(m);
}

/* Neither answer is that of a start. */
int ask_for_queue(struct monitor *m, int *queue)
{
	struct reply of_start = m->last.reply;
	struct request request = {.kind = REQUEST_WATCH};
	int error = ask(m, &request, NULL, 0, queue);
	m->last.reply = of_start;
	return error == 0 && *queue < 0 ? -EPROTO : error;
}

int ask_for_look(struct monitor *m, struct look_reply *found)
{
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_LOOK, .fds = 1, .id_base = m->id_base, .id_count = m->id_count,
				  .place = m->stream_uid != m->id_base};
	*found = (struct look_reply){0};
	int error = m->zygote < 0 ? -EPIPE : send_with(m->zygote, &request, sizeof request, &m->set_id.queue, 1);
	if (error == 0)
		error = receive_look(m, found);
	if (error < 0)
		close_fd(&m->zygote);
	return error;
}

int keep_slot(struct monitor *m, uint16_t slot, int mount)
{
	int none;
	struct request request = {.kind = REQUEST_KEEP, .place = (uint16_t)m->kept_count};
	int error = ask(m, &request, &mount, 1, &none);
	if (error == 0)
		m->kept[m->kept_count++] = slot;
	return error;
}

int ask_for_init(struct monitor *m, int control, int *pidfd)
{
	int fds[3] = {control, m->cgroup};
	unsigned count = m->cgroup >= 0 ? 2 : 1;
	bool host = m->flags & MONITOR_HOST_NETWORK;
	struct request request = {.kind = host ? REQUEST_HOST_CHILD : REQUEST_CHILD, .clone_flags = m->clone_flags};
	if (m->network >= 0)
		fds[count++] = m->network;
	int error = ask(m, &request, fds, count, pidfd); /* the zygote refuses a CHILD without a network namespace */
	if (error < 0 && *pidfd >= 0) { /* the zygote killed this child; the monitor must reap it */
		siginfo_t info;
		waitid(P_PIDFD, (id_t)*pidfd, &info, WEXITED);
		close_fd(pidfd);
	}
	return error;
}

/* Of the init that waits for its plan. */
int ask_for_links(struct monitor *m)
{
	int none;
	struct links_request message = {.request = {.kind = REQUEST_LINKS}, .links = m->links};
	return m->links.count == 0 ? 0 : ask_with(m, &message.request, sizeof message, &m->init_pidfd, 1, &none);
}

/* Neither answer is that of a start. A container that has no zygote any more leaves them to the kernel. */
void ask_for_no_links(struct monitor *m)
{
	int none;
	struct reply of_start = m->last.reply;
	struct links_request message = {.request = {.kind = REQUEST_UNLINK}, .links = m->links};
	if (m->links.count > 0)
		ask_with(m, &message.request, sizeof message, NULL, 0, &none);
	m->last.reply = of_start;
}

/* A probe's answer is not that of a start. */
int ask_for_probe(struct monitor *m, int control, int *pidfd)
{
	struct reply of_start = m->last.reply;
	struct request request = {.kind = REQUEST_EXEC, .oom_score = m->health.want.oom_score};
	int error = ask(m, &request, &control, 1, pidfd);
	m->last.reply = of_start;
	if (error < 0 && *pidfd >= 0) {
		siginfo_t info;
		waitid(P_PIDFD, (id_t)*pidfd, &info, WEXITED);
		close_fd(pidfd);
	}
	return error == 0 && *pidfd < 0 ? -EPROTO : error;
}

static void add(struct handover *handover, int *fds, uint16_t slot, int fd)
{
	handover->slot[handover->count] = slot;
	fds[handover->count++] = fd;
}

int hand_over_plan(struct monitor *m, const int streams[3])
{
	struct handover handover = {.magic = PLAN_MAGIC, .slots = m->slots};
	int fds[PLAN_MAX_SLOTS], copies[PLAN_MAX_SLOTS], error = 0;
	unsigned copied = 0;
	for (uint16_t i = 0; i < 3; i++)
		add(&handover, fds, (uint16_t)(SLOT_STDIN + i), streams[i]);
	for (unsigned i = 0; i < m->given_count; i++)
		add(&handover, fds, m->given[i].slot, m->given[i].fd);
	for (; error == 0 && copied < m->kept_count; copied++) {
		struct request request = {.kind = REQUEST_COPY, .place = (uint16_t)copied};
		error = ask(m, &request, &m->set_id.queue, m->set_id.queue >= 0, &copies[copied]);
		if (error == 0 && copies[copied] < 0)
			error = -EPROTO;
		if (error < 0)
			break;
		add(&handover, fds, m->kept[copied], copies[copied]);
	}
	if (error == 0) {
		m->last.reply = (struct reply){.magic = PLAN_MAGIC};
		send_with(m->control, &handover, sizeof handover, fds, handover.count); /* fails if init has exited, which the pidfd reports */
	}
	for (unsigned i = 0; i < copied; i++)
		close(copies[i]);
	return error;
}

/* A copy for a client, whose answer is not that of a start. */
int copy_mount(struct monitor *m, uint32_t slot, int *mount)
{
	unsigned place = 0;
	while (place < m->kept_count && m->kept[place] != slot)
		place++;
	*mount = NO_FD;
	if (place == m->kept_count)
		return -EINVAL;
	struct reply of_start = m->last.reply;
	struct request request = {.kind = REQUEST_COPY, .place = (uint16_t)place};
	int error = ask(m, &request, NULL, 0, mount);
	m->last.reply = of_start;
	return error == 0 && *mount < 0 ? -EPROTO : error;
}

/* When the zygote has exited, its mounts are gone. */
void end_zygote(struct monitor *m)
{
	close_fd(&m->zygote);
	if (m->zygote_pidfd < 0)
		return;
	if (wait_readable(m->zygote_pidfd, 2000) < 0)
		syscall(SYS_pidfd_send_signal, m->zygote_pidfd, SIGKILL, NULL, 0);
	siginfo_t info;
	waitid(P_PIDFD, (id_t)m->zygote_pidfd, &info, WEXITED);
	close_fd(&m->zygote_pidfd);
}
