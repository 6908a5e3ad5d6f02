/*
 * The state of the container for those who only look: a file that they read without a connection. It is changed in place, so that a
 * change costs no name and no space, and is locked by flock(2) until the monitor has exited, in whatever way.
 */
#include "kernel.h"
#include "monitor_parts.h"

#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>

#define TEMPORARY ".status"

/* FNV-1a, 64 bits. It finds a file that was read while it changed, or was cut; nobody but root can write it. */
static uint64_t sum(const void *bytes, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
	return hash;
}

/* Leaves readers to the socket. */
static void give_up(struct monitor *m)
{
	unlinkat(m->state_directory, MONITOR_STATUS, 0);
	close_fd(&m->status);
}

/* Without what changes by itself: time, and the size of the log. */
static void take_lasting(struct monitor_state *state)
{
	bool runs = state->phase == MONITOR_RUNNING || state->phase == MONITOR_PAUSED;
	if (runs)
		state->run_millis = 0;
	state->log_bytes = state->log_lost = state->restart_millis = state->lease_millis = 0;
	state->log_error = 0;
}

/* Writes what has changed; before anybody is told of it. */
void write_status(struct monitor *m)
{
	struct monitor_status status = {.magic = PLAN_MAGIC, .version = MONITOR_VERSION, .length = sizeof status};
	if (m->status < 0)
		return;
	update_state(m);
	status.state = m->last.state;
	take_lasting(&status.state);
	if (memcmp(&status.state, &m->shown, sizeof m->shown) == 0)
		return;
	status.sum = sum(&status, offsetof(struct monitor_status, sum));
	if (pwrite(m->status, &status, sizeof status, 0) == sizeof status)
		m->shown = status.state;
	else
		give_up(m);
}

/*
 * Whole and locked before it has its name, because a reader takes an unlocked one for that of a killed monitor, which this replaces.
 * Without the file, as on a full file system, the monitor works as well.
 */
void open_status(struct monitor *m)
{
	int directory = m->state_directory;
	unlinkat(directory, TEMPORARY, 0);
	m->status = result(openat(directory, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
	if (m->status < 0)
		return;
	if (flock(m->status, LOCK_EX | LOCK_NB) < 0)
		give_up(m);
	write_status(m);
	if (m->status >= 0 && syscall(SYS_renameat2, directory, TEMPORARY, directory, MONITOR_STATUS, 0) < 0)
		give_up(m);
	if (m->status < 0)
		unlinkat(directory, TEMPORARY, 0);
}

void remove_status(struct monitor *m)
{
	if (m->status >= 0)
		give_up(m);
}
