/* PREPARE and SETUP: the messages that make a process the monitor of a container. */
#include "kernel.h"
#include "messages.h"
#include "monitor_parts.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { SETUP_MILLIS = 30000, FOREVER = -1, LEAST_LOG = 65536, MOST_LOGS = 100, LISTEN_BACKLOG = 16 };

struct message {
	struct monitor_header header;
	struct monitor_setup setup;
};

/* ---- the message ---- */

static ssize_t receive(struct message *message, struct fds *fds, int millis)
{
	struct pollfd readable = {SETUP_SOCKET_FD, POLLIN, 0};
	if (poll(&readable, 1, millis) <= 0)
		_exit(1); /* the engine is gone, or stuck */
	ssize_t length = receive_message(SETUP_SOCKET_FD, message, sizeof *message, fds);
	if (length == 0)
		_exit(1);
	return length;
}

static bool is_prepare(const struct message *message, ssize_t length)
{
	const struct monitor_header *header = &message->header;
	return length == sizeof *header && header->op == MONITOR_PREPARE && header->version == MONITOR_VERSION && header->length == 0;
}

static int check(const struct message *message, ssize_t length, const struct fds *fds)
{
	if (length != sizeof *message || message->header.op != MONITOR_SETUP || message->header.length != sizeof message->setup)
		return -EBADMSG;
	return message->header.version != MONITOR_VERSION ? -EPROTO : message->setup.fds != fds->count ? -EBADMSG : 0;
}

static bool valid_log(const struct monitor_setup *setup)
{
	const char *name = setup->log_name;
	size_t length = strnlen(name, sizeof setup->log_name);
	return length > 0 && length < sizeof setup->log_name && name[0] != '.' && !strchr(name, '/') &&
	       strcmp(name, MONITOR_RECORD) != 0 && strcmp(name, MONITOR_HEALTH_FILE) != 0 && strcmp(name, MONITOR_EXEC_FILE) != 0 &&
	       strcmp(name, MONITOR_DENIAL_FILE) != 0 && strcmp(name, MONITOR_SET_ID_FILE) != 0 &&
	       setup->log_files >= 1 && setup->log_files <= MOST_LOGS && setup->log_bytes >= LEAST_LOG && setup->log_bytes <= INT64_MAX / 2;
}

static bool valid(const struct monitor_setup *setup)
{
	const uint32_t flags = MONITOR_TERMINAL | MONITOR_STDIN_OPEN | MONITOR_STDIN_ONCE | MONITOR_NO_LOG | MONITOR_LINKABLE |
			       MONITOR_HOST_NETWORK | MONITOR_PROBES_ASK | MONITOR_WATCH_SET_ID;
	bool ids = setup->id_base != 0 && setup->id_count != 0 && setup->id_count <= UINT32_MAX - setup->id_base;
	bool links = are_none(&setup->links) || (valid_links(&setup->links) && setup->clone_flags & CLONE_NEWNET);
	bool network = !(setup->flags & MONITOR_HOST_NETWORK) || !(setup->clone_flags & CLONE_NEWNET || setup->flags & MONITOR_LINKABLE);
	return ids && links && network && setup->slots > SLOT_FIRST_FREE && setup->slots <= PLAN_MAX_SLOTS && setup->fds <= MONITOR_MAX_FDS &&
	       !(setup->flags & ~flags) && valid_log(setup) && valid_policy(&setup->policy) &&
	       valid_health(&setup->health);
}

/* A slot takes one descriptor. The monitor itself makes the three streams and the control socket. */
static bool take_slot(const struct monitor *m, uint16_t slot, bool taken[PLAN_MAX_SLOTS])
{
	if (slot >= m->slots || (slot >= SLOT_CONTROL && slot <= SLOT_STDERR) || taken[slot])
		return false;
	return taken[slot] = true;
}

static bool take_one(int *place, int fd)
{
	if (*place >= 0)
		return false;
	*place = fd;
	return true;
}

/* FD_MOUNT and FD_JOIN are used later, by index; FD_HOLD only stays open. */
static bool take_role(struct monitor *m, struct monitor_role role, int fd, bool taken[PLAN_MAX_SLOTS])
{
	struct health *health = &m->health;
	if (role.kind != FD_SLOT && role.kind != FD_MOUNT && role.kind != FD_PROBE_SLOT && role.kind != FD_LAYER && role.slot != 0)
		return false;
	switch (role.kind) {
	case FD_SLOT:
		if (!take_slot(m, role.slot, taken))
			return false;
		m->given[m->given_count].slot = role.slot;
		m->given[m->given_count++].fd = fd;
		return true;
	case FD_MOUNT: /* the plan is no mount */
		return role.slot != SLOT_PLAN && take_slot(m, role.slot, taken);
	case FD_CGROUP:
		return take_one(&m->cgroup, fd);
	case FD_STATE_DIRECTORY:
		return take_one(&m->state_directory, fd);
	case FD_LOG_DIRECTORY:
		return take_one(&m->log.directory, fd);
	case FD_OUTPUT:
		return take_one(&m->log.output, fd);
	case FD_PROBE_SLOT:
		if (role.slot >= health->want.slots || (role.slot >= SLOT_CONTROL && role.slot <= SLOT_STDERR) ||
		    health->given_count == PLAN_MAX_SLOTS)
			return false;
		health->given[health->given_count].slot = role.slot;
		health->given[health->given_count++].fd = fd;
		return true;
	case FD_PROBE_KILL:
		return take_one(&health->kill, fd);
	case FD_LAYER:
		if (role.slot != m->layer_count || m->layer_count == REQUEST_MAX_FDS)
			return false;
		m->layer[m->layer_count++] = fd;
		return true;
	case FD_OOM:
		return take_one(&m->oom, fd);
	case FD_FREEZE_V1:
		m->freezer_v1 = true;
		return take_one(&m->freezer, fd);
	case FD_FREEZE_V2:
		return take_one(&m->freezer, fd);
	case FD_REDACTION:
		return take_one(&m->redaction, fd);
	case FD_ANSWERS:
		return take_one(&m->answers, fd);
	default:
		return role.kind == FD_HOLD || role.kind == FD_JOIN;
	}
}

static int take_fds(struct monitor *m, const struct monitor_setup *setup, const int *fds)
{
	bool taken[PLAN_MAX_SLOTS] = {0};
	struct stat stat;
	for (unsigned i = 0; i < setup->fds; i++)
		if (!take_role(m, setup->role[i], fds[i], taken))
			return -EBADMSG;
	for (unsigned i = setup->fds; i < MONITOR_MAX_FDS; i++)
		if (setup->role[i].kind != 0 || setup->role[i].slot != 0)
			return -EBADMSG;
	if (!taken[SLOT_PLAN] || m->state_directory < 0 || m->log.directory < 0)
		return -EBADMSG;
	bool probes = m->health.want.interval_millis != 0;
	if (probes != (m->health.kill >= 0) || probes != (m->health.given_count > 0))
		return -EBADMSG;
	if (fstat(m->state_directory, &stat) < 0 || !S_ISDIR(stat.st_mode))
		return -ENOTDIR;
	if (m->log.output >= 0 && (fstat(m->log.output, &stat) < 0 || !S_ISDIR(stat.st_mode)))
		return -ENOTDIR;
	return fstat(m->log.directory, &stat) < 0 || !S_ISDIR(stat.st_mode) ? -ENOTDIR : 0;
}

static void take_values(struct monitor *m, const struct monitor_setup *setup)
{
	m->id_base = setup->id_base;
	m->id_count = setup->id_count;
	m->clone_flags = setup->clone_flags;
	m->flags = setup->flags;
	m->stream_uid = setup->stream_uid;
	m->slots = setup->slots;
	m->log.files = setup->log_files;
	m->log.most = setup->log_bytes;
	m->log.off = setup->flags & MONITOR_NO_LOG;
	memcpy(m->log.name, setup->log_name, sizeof m->log.name);
	m->health.want = setup->health;
	m->links = setup->links;
	m->makes_links = setup->links.count > 0 || setup->flags & MONITOR_LINKABLE;
	set_policy(m, &setup->policy);
	m->last.state.status = -1;
	m->last.state.flags = STATE_STDIN_CLOSED;
	m->last.state.created_millis = wall_millis();
}

/* ---- the steps ---- */

static int write_self(int processes)
{
	return write(processes, "0", 1) == 1 ? 0 : -errno;
}

/*
 * Goes on as a child that is born into the group. A process that writes itself into cgroup.procs takes a lock of the whole machine, and
 * until all processors have come by, some 10 ms, no process of the host is born. It writes all the same where the child does not live:
 * before Linux 5.7, and where cgroup.kill was used on the group that it is in, which kills a clone out of it on some kernels.
 */
static int be_born_into(int directory)
{
	struct clone_args args = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)directory};
	int lives[2];
	char byte = 1;
	if (pipe2(lives, O_CLOEXEC) < 0)
		return -errno;
	long pid = syscall(SYS_clone3, &args, sizeof args);
	close(lives[pid == 0 ? 0 : 1]);
	if (pid == 0) {
		int error = write(lives[1], &byte, 1) == 1 ? 0 : -errno;
		close(lives[1]);
		return error;
	}
	if (pid > 0 && read(lives[0], &byte, 1) == 1)
		_exit(0);
	close(lives[0]);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	int processes = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (processes < 0)
		return -errno;
	int error = write_self(processes);
	close(processes);
	return error;
}

static int join_group(int *fd)
{
	struct stat stat;
	if (fstat(*fd, &stat) < 0)
		return -errno;
	int error = S_ISDIR(stat.st_mode) ? be_born_into(*fd) : write_self(*fd);
	close_fd(fd);
	return error;
}

static int join_groups(const struct monitor_setup *setup, int *fds)
{
	int error = 0;
	for (unsigned i = 0; error == 0 && i < setup->fds; i++)
		if (setup->role[i].kind == FD_JOIN)
			error = join_group(&fds[i]);
	return error;
}

static int prepare(struct monitor *m, const struct fds *groups, enum monitor_stage *stage)
{
	int error = 0;
	*stage = SETUP_JOIN;
	for (unsigned i = 0; error == 0 && i < groups->count; i++)
		error = join_group(&groups->fd[i]);
	if (error < 0)
		return error;
	*stage = SETUP_ZYGOTE;
	return start_zygote(m);
}

static int keep_mounts(struct monitor *m, const struct monitor_setup *setup, int *fds)
{
	int error = 0;
	for (unsigned i = 0; error == 0 && i < setup->fds; i++)
		if (setup->role[i].kind == FD_MOUNT) {
			error = keep_slot(m, setup->role[i].slot, fds[i]);
			close_fd(&fds[i]);
		}
	return error;
}

/* Binds through /proc, because the directory's own path may be too long for a socket address. */
static int listen_in(struct monitor *m)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = result(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (fd < 0)
		return fd;
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" MONITOR_SOCKET, m->state_directory);
	mode_t before = umask(0177);
	int error = result(bind(fd, (const struct sockaddr *)&address, sizeof address));
	umask(before);
	if (error == 0)
		error = result(listen(fd, LISTEN_BACKLOG));
	m->listener = fd;
	return error;
}

static int open_clocks(struct monitor *m)
{
	sigset_t asked;
	sigemptyset(&asked);
	sigaddset(&asked, SIGTERM);
	if (sigprocmask(SIG_SETMASK, &asked, NULL) < 0)
		return -errno;
	m->signals = result(signalfd(-1, &asked, SFD_CLOEXEC | SFD_NONBLOCK));
	m->timer = result(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
	return m->signals < 0 ? m->signals : m->timer < 0 ? m->timer : 0;
}

/* Makes the host's OOM killer prefer other processes: killing the monitor would free little. Failure is harmless. */
static void spare_from_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t written = write(fd, "-999", 4);
		(void)written;
		close(fd);
	}
}

int set_up_monitor(struct monitor *m, enum monitor_stage *stage)
{
	static struct message message;
	static int numbers[MESSAGE_MAX_FDS];
	struct fds fds = {.fd = numbers, .most = MESSAGE_MAX_FDS};
	const struct monitor_setup *setup = &message.setup;
	ssize_t length = receive(&message, &fds, SETUP_MILLIS);
	int error = 0;
	if (is_prepare(&message, length)) {
		error = prepare(m, &fds, stage);
		length = receive(&message, &fds, FOREVER); /* or until the engine is gone */
	}
	if (error < 0)
		return error;
	*stage = SETUP_MESSAGE;
	error = check(&message, length, &fds);
	if (error == 0 && !valid(setup))
		error = -EINVAL;
	if (error < 0)
		return error;
	take_values(m, setup);
	error = take_fds(m, setup, numbers);
	if (error == 0) {
		*stage = SETUP_JOIN;
		error = join_groups(setup, numbers);
	}
	if (error == 0) {
		*stage = SETUP_ZYGOTE;
		error = settle_zygote(m);
	}
	if (error == 0) {
		*stage = SETUP_MOUNTS;
		error = keep_mounts(m, setup, numbers);
	}
	if (error == 0) {
		*stage = SETUP_LOG;
		error = m->redaction < 0 ? 0 : take_redaction(m->redaction); /* after the zygote was cloned, which has none of it */
		close_fd(&m->redaction);
	}
	if (error == 0 && m->answers >= 0) {
		error = take_answers(m, m->answers);
		read_denials(m);
	}
	close_fd(&m->answers);
	if (error == 0)
		begin_set_id(m);
	if (error == 0)
		error = open_log(&m->log);
	if (error == 0) {
		*stage = SETUP_SOCKET;
		error = open_clocks(m);
	}
	if (error == 0)
		error = listen_in(m);
	if (error == 0)
		open_status(m);
	if (error == 0) {
		*stage = SETUP_CONFINE;
		m->program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		spare_from_oom();
		error = confine(m);
	}
	return error;
}
