/*
 * Programs that were started in the container with nobody waiting for them. Whoever started one hands over its control socket and
 * may go: the process that keeps the program reports its exit there, and sees end-of-file, and exits, when the monitor does. The last
 * exits are in a file, so that they cost no memory.
 */
#include "kernel.h"
#include "messages.h"
#include "monitor_parts.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define TEMPORARY ".execs"

enum { NOT_RUN = 126, KILLED = 128 + 9 };

void clear_execs(struct exec execs[MONITOR_MAX_EXECS])
{
	for (unsigned i = 0; i < MONITOR_MAX_EXECS; i++)
		execs[i] = (struct exec){.control = NO_FD, .terminal = NO_FD};
}

/* Takes the socket, or closes it. */
int adopt_exec(struct monitor *m, const uint8_t id[MONITOR_EXEC_ID], int control)
{
	int type = 0, error = m->phase == MONITOR_RUNNING ? EBUSY : ESRCH;
	socklen_t size = sizeof type;
	if (control < 0)
		return EBADMSG;
	if (getsockopt(control, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET)
		error = ENOTSOCK;
	for (unsigned i = 0; error == EBUSY && i < MONITOR_MAX_EXECS; i++) {
		struct exec *exec = &m->exec[i];
		if (exec->control >= 0)
			continue;
		*exec = (struct exec){.control = control, .terminal = NO_FD, .started_millis = wall_millis(), .expects = true};
		memcpy(exec->id, id, sizeof exec->id);
		return 0;
	}
	close(control);
	return error;
}

/* ---- its terminal ---- */

/* Takes the terminal, or closes it. */
int adopt_terminal(struct monitor *m, const uint8_t id[MONITOR_EXEC_ID], int terminal)
{
	int error = ESRCH;
	if (terminal < 0)
		return EBADMSG;
	for (unsigned i = 0; i < MONITOR_MAX_EXECS; i++) {
		struct exec *exec = &m->exec[i];
		if (exec->control < 0 || memcmp(exec->id, id, sizeof exec->id) != 0)
			continue;
		error = exec->terminal >= 0 ? EBUSY : -result(fcntl(terminal, F_SETFL, O_NONBLOCK));
		if (error == 0)
			exec->terminal = terminal;
		break;
	}
	if (error != 0)
		close(terminal);
	return error;
}

/* Nobody reads it, and whoever writes would stand still. A terminal returns EIO when its other end is closed. */
void drop_exec_output(struct monitor *m, struct exec *exec)
{
	const uint8_t *bytes;
	ssize_t length = read_chunk(exec->terminal, &bytes);
	m->pace.has_read = true;
	m->trim_at = boot_nanos() + SECONDS;
	if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(&exec->terminal);
}

/* ---- the file ---- */

static void read_file(const struct monitor *m, struct monitor_exec_log *log)
{
	int file = openat(m->log.directory, MONITOR_EXEC_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t length = file < 0 ? -1 : pread(file, log, sizeof *log, 0);
	close_fd(&file);
	if (length != sizeof *log || log->magic != PLAN_MAGIC || log->count > EXEC_ENDS)
		memset(log, 0, sizeof *log);
	log->magic = PLAN_MAGIC;
	log->version = MONITOR_VERSION;
}

static void add_end(struct monitor *m, const struct exec *exec, int32_t code)
{
	struct monitor_exec_log log;
	int directory = m->log.directory;
	read_file(m, &log);
	if (log.count == EXEC_ENDS)
		memmove(&log.end[0], &log.end[1], sizeof log.end[0] * --log.count);
	struct monitor_exec_end *end = &log.end[log.count++];
	*end = (struct monitor_exec_end){.started_millis = exec->started_millis, .finished_millis = wall_millis(), .code = code};
	memcpy(end->id, exec->id, sizeof end->id);
	int file = openat(directory, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool written = file >= 0 && write(file, &log, sizeof log) == sizeof log;
	close_fd(&file);
	if (!written || syscall(SYS_renameat2, directory, TEMPORARY, directory, MONITOR_EXEC_FILE, 0) < 0)
		unlinkat(directory, TEMPORARY, 0);
}

/* ---- the end of one ---- */

static void finish(struct monitor *m, struct exec *exec, int32_t code)
{
	close_fd(&exec->control);
	close_fd(&exec->terminal);
	add_end(m, exec, code);
	note(m, WATCH_STATE);
}

void take_exec_report(struct monitor *m, struct exec *exec)
{
	struct report report;
	int fd = NO_FD; /* a listener, before there is a program; later ones could be files whose close(2) waits */
	ssize_t length = receive_now(exec->control, &report, sizeof report, exec->expects ? &fd : NULL);
	if (length == -EAGAIN)
		return;
	exec->expects = false;
	if (length == sizeof report && report.magic == PLAN_MAGIC && report.kind == REPORT_LISTENER && fd >= 0) {
		if (keep_listener(m, fd) != 0) /* its execveat(2) would wait for ever, as it holds the listener itself */
			finish(m, exec, NOT_RUN);
		return;
	}
	close_fd(&fd);
	if (length != sizeof report || report.magic != PLAN_MAGIC)
		finish(m, exec, KILLED); /* end-of-file without a word */
	else if (report.kind == REPORT_EXIT)
		finish(m, exec, report.status < 256 ? report.status : report.status - 128);
	else if (report.kind == REPORT_ERROR)
		finish(m, exec, NOT_RUN);
}
