/* The container's state, for clients and for the exit record on disk. */
#include "kernel.h"
#include "monitor_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define TEMPORARY ".exit"
#define RETRY (5 * SECONDS)
#define SYNC (1 * SECONDS)

void update_state(struct monitor *m)
{
	struct monitor_state *state = &m->last.state;
	uint64_t now = boot_nanos();
	state->phase = m->phase;
	state->monitor_pid = getpid();
	state->log_bytes = m->log.total;
	state->log_lost = m->log.lost;
	state->log_error = m->log.error;
	if (m->phase == MONITOR_RUNNING || m->phase == MONITOR_PAUSED)
		state->run_millis = (now - m->started_at) / MILLIS;
	state->restart_millis = m->restart_at > now ? (m->restart_at - now) / MILLIS : 0;
	state->lease_millis = m->lease_at > now ? (m->lease_at - now) / MILLIS : 0;
}

static int write_file(const struct monitor *m, const struct monitor_record *record)
{
	int directory = m->log.directory;
	int file = result(openat(directory, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
	if (file < 0)
		return file;
	ssize_t written = write(file, record, sizeof *record);
	int error = written == sizeof *record ? 0 : written < 0 ? -errno : -ENOSPC;
	close(file);
	if (error == 0)
		error = result(syscall(SYS_renameat2, directory, TEMPORARY, directory, MONITOR_RECORD, 0));
	return error;
}

static void note_record(struct monitor *m, int error)
{
	m->record_at = error < 0 ? boot_nanos() + RETRY : 0;
	m->last.state.record_error = -error;
	if (error < 0)
		m->last.state.flags |= STATE_RECORD_FAILED;
	else
		m->last.state.flags &= ~(uint32_t)STATE_RECORD_FAILED;
}

/*
 * Replaces the record by rename(2). If that fails, the monitor tries again later; STATE has the values meanwhile. It is on the disk a
 * second later: whoever waits for the exit does not wait for the disk, and a container that is removed by then costs it nothing.
 */
void write_record(struct monitor *m)
{
	update_state(m);
	struct monitor_record record = {PLAN_MAGIC, MONITOR_VERSION, sizeof record, 0, m->last};
	record.end.state.flags &= ~(uint32_t)STATE_RECORD_FAILED;
	record.end.state.record_error = 0;
	note_record(m, write_file(m, &record));
	if (m->sync_at == 0)
		m->sync_at = boot_nanos() + SYNC;
}

/* Brings the log and the record to the disk, for a host that loses its power. */
void sync_record(struct monitor *m)
{
	int error = sync_log(&m->log);
	if (error < 0)
		m->log.error = -error;
	int file = result(openat(m->log.directory, MONITOR_RECORD, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
	if (file == -ENOENT) /* it was started again */
		return;
	error = file < 0 ? file : result(fsync(file));
	close_fd(&file);
	if (error == 0)
		error = result(fsync(m->log.directory));
	if (error < 0)
		note_record(m, error);
}

/* The record of an earlier exit would pass for that of a run in which the monitor is killed. */
void forget_record(struct monitor *m)
{
	unlinkat(m->log.directory, MONITOR_RECORD, 0);
	m->record_at = 0;
}

/* Both memory.events and memory.oom_control have a line `oom_kill N`. */
uint64_t read_oom_kills(const struct monitor *m)
{
	char text[512];
	ssize_t length = m->oom < 0 ? -1 : pread(m->oom, text, sizeof text - 1, 0);
	if (length <= 0)
		return 0;
	text[length] = 0;
	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, "oom_kill ", 9) == 0)
			return strtoull(line + 9, NULL, 10);
	return 0;
}
