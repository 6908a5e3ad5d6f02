/*
 * Notes the set-user-ID and set-group-ID programs that the container executes without effect, since create. The zygote reads them, who may
 * open files. A container that executes without end is looked at less often, and what its queue has no room for is reported as missing.
 */
#include "kernel.h"
#include "monitor_parts.h"

#include <string.h>

#define TEMPORARY ".set-id"
#define WINDOW (50 * MILLIS)
#define DELAY (200 * MILLIS)
#define RETRY (5 * SECONDS)

enum { MOST_IN_WINDOW = 64, MOST_AT_END = 1024 };

static void change(struct monitor *m)
{
	if (m->set_id.write_at == 0)
		m->set_id.write_at = boot_nanos() + DELAY;
}

static void lack(struct monitor *m, uint32_t why)
{
	if ((m->set_id.log.missing | why) == m->set_id.log.missing)
		return;
	m->set_id.log.missing |= why;
	change(m);
}

/* Those of an earlier monitor of the container; none if there is no whole file. */
static void read_noted(struct monitor *m)
{
	struct monitor_set_id_log *log = &m->set_id.log;
	int file = openat(m->log.directory, MONITOR_SET_ID_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool whole = file >= 0 && read(file, log, sizeof *log) == sizeof *log && log->magic == PLAN_MAGIC &&
		     log->version == MONITOR_VERSION && log->count <= MONITOR_MAX_SET_ID;
	close_fd(&file);
	if (!whole)
		memset(log, 0, sizeof *log);
	for (unsigned i = 0; i < MONITOR_MAX_SET_ID; i++)
		log->name[i][LOOK_NAME - 1] = 0;
}

/* A container without a queue runs all the same. */
void begin_set_id(struct monitor *m)
{
	struct set_id *set_id = &m->set_id;
	if (!(m->flags & MONITOR_WATCH_SET_ID))
		return;
	read_noted(m);
	set_id->log.error = -ask_for_queue(m, &set_id->queue);
	set_id->write_at = 1;
	write_set_id(m);
}

static void end_set_id(struct monitor *m)
{
	close_fd(&m->set_id.queue);
	lack(m, SET_ID_LOST);
}

static void add(struct monitor *m, const char name[LOOK_NAME])
{
	struct monitor_set_id_log *log = &m->set_id.log;
	for (unsigned i = 0; i < log->count; i++)
		if (strcmp(log->name[i], name) == 0)
			return;
	if (log->count == MONITOR_MAX_SET_ID) {
		lack(m, SET_ID_MORE);
		return;
	}
	memcpy(log->name[log->count++], name, LOOK_NAME);
	change(m);
}

/* Returns how many executions were looked at. */
static unsigned look_once(struct monitor *m)
{
	struct look_reply found;
	if (ask_for_look(m, &found) < 0) {
		end_set_id(m);
		return 0;
	}
	if (found.name[0] != 0)
		add(m, found.name);
	lack(m, (found.flags & LOOK_LOST ? SET_ID_LOST : 0u) | (found.flags & LOOK_UNSEEN ? SET_ID_UNSEEN : 0u));
	return found.looked;
}

void take_programs(struct monitor *m)
{
	struct set_id *set_id = &m->set_id;
	uint64_t now = boot_nanos();
	if (now - set_id->window >= WINDOW) {
		set_id->window = now;
		set_id->looked = 0;
	}
	set_id->looked += look_once(m);
	if (set_id->looked >= MOST_IN_WINDOW)
		set_id->wait_until = set_id->window + WINDOW;
}

/* The container has ended: the rest of the queue, within bounds. */
void settle_set_id(struct monitor *m)
{
	unsigned looked = 0, more;
	m->set_id.wait_until = 0;
	do {
		more = m->set_id.queue < 0 ? 0 : look_once(m);
		looked += more;
	} while (more > 0 && looked < MOST_AT_END);
	if (looked >= MOST_AT_END)
		lack(m, SET_ID_LOST);
}

/* By rename. If that fails, it is tried again later, and at the end of the run. */
void write_set_id(struct monitor *m)
{
	struct monitor_set_id_log *log = &m->set_id.log;
	int directory = m->log.directory;
	if (m->set_id.write_at == 0)
		return;
	m->set_id.write_at = 0;
	log->magic = PLAN_MAGIC;
	log->version = MONITOR_VERSION;
	int file = openat(directory, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool written = file >= 0 && write(file, log, sizeof *log) == sizeof *log;
	close_fd(&file);
	if (!written || syscall(SYS_renameat2, directory, TEMPORARY, directory, MONITOR_SET_ID_FILE, 0) < 0) {
		unlinkat(directory, TEMPORARY, 0);
		m->set_id.write_at = boot_nanos() + RETRY;
	}
}

void run_set_id_deadlines(struct monitor *m, uint64_t now)
{
	if (m->set_id.wait_until != 0 && m->set_id.wait_until <= now)
		m->set_id.wait_until = 0;
	if (m->set_id.write_at != 0 && m->set_id.write_at <= now)
		write_set_id(m);
}
