/*
 * Health checks. A probe is one more program in the container, in a part of its group that is the probes' alone: the zygote clones a
 * process that enters by the namespaces of the run, which init has opened for that. Its end, its timeout and the end of the run kill
 * everything in that part. The last results are in a file, so that they cost no memory.
 */
#include "kernel.h"
#include "messages.h"
#include "monitor_parts.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define TEMPORARY ".health"

enum { ALL_STATES = STATE_HEALTH_STARTING | STATE_HEALTHY | STATE_UNHEALTHY, NO_PROGRAM = 127, NOT_EXECUTABLE = 126, REFUSED = 125 };
enum { EXIT_MILLIS = 500, HANG_UP_MILLIS = 100 };
enum { MOST_READS = 4 }; /* what is left in the pipe at the end: at most what it holds */

static struct monitor_health_log file_buffer WHOLE_PAGES;

void trim_health(void) { madvise(&file_buffer, sizeof file_buffer, MADV_DONTNEED); }

bool valid_health(const struct monitor_health *want)
{
	static const struct monitor_health none;
	if (want->interval_millis == 0)
		return memcmp(want, &none, sizeof none) == 0;
	unsigned entered = 0;
	uint32_t known = 0;
	for (unsigned i = 0; i < PLAN_NAMESPACES; i++) {
		known |= plan_namespaces[i];
		entered += (want->namespaces & plan_namespaces[i]) != 0;
	}
	return want->timeout_millis != 0 && want->start_interval_millis != 0 && want->retries != 0 && want->on_failure <= ON_FAILURE_STOP &&
	       want->reserved == 0 && !(want->namespaces & ~known) && want->slots <= PLAN_MAX_SLOTS &&
	       want->slots >= SLOT_FIRST_FREE + entered && want->oom_score >= -1000 && want->oom_score <= 1000;
}

void clear_health(struct health *health)
{
	int *none[] = {&health->kill, &health->pidfd, &health->control, &health->output};
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
		*none[i] = NO_FD;
	for (unsigned i = 0; i < PLAN_NAMESPACES; i++)
		health->name_space[i] = NO_FD;
}

static bool has_health(const struct monitor *m) { return m->health.want.interval_millis != 0; }

/* ---- the namespaces of a run ---- */

bool asks_for_namespaces(const struct monitor *m) { return has_health(m) && m->health.reported < PLAN_NAMESPACES; }

/* Those that probes do not enter are not kept, and may be missing: a kernel has not all of them. */
void take_namespace(struct monitor *m, uint32_t which, int fd)
{
	struct health *health = &m->health;
	unsigned turn = health->reported;
	while (turn < PLAN_NAMESPACES && plan_namespaces[turn] != which && !(health->want.namespaces & plan_namespaces[turn]))
		turn++;
	if (!asks_for_namespaces(m) || turn == PLAN_NAMESPACES || plan_namespaces[turn] != which) {
		close(fd);
		kill_init(m);
		return;
	}
	if (health->want.namespaces & which)
		health->name_space[turn] = fd;
	else
		close(fd);
	health->reported = turn + 1;
}

/* ---- states ---- */

static void set_state(struct monitor *m, uint32_t state)
{
	uint32_t before = m->last.state.flags & ALL_STATES;
	m->last.state.flags = (m->last.state.flags & ~(uint32_t)ALL_STATES) | state;
	if (before != state)
		note(m, WATCH_STATE);
}

static bool is_starting(const struct monitor *m)
{
	return m->last.state.flags & STATE_HEALTH_STARTING && boot_nanos() - m->started_at < m->health.want.start_millis * MILLIS;
}

static void schedule(struct monitor *m)
{
	uint32_t wait = is_starting(m) ? m->health.want.start_interval_millis : m->health.want.interval_millis;
	m->health.next_at = boot_nanos() + wait * MILLIS;
}

/* The container has become unhealthy. */
static void answer_failure(struct monitor *m)
{
	switch (m->health.want.on_failure) {
	case ON_FAILURE_KILL:
		kill_init(m);
		break;
	case ON_FAILURE_RESTART:
		stop_run(m, m->policy.stop_signal, m->policy.stop_millis, false);
		m->again = true;
		break;
	case ON_FAILURE_STOP:
		stop_run(m, m->policy.stop_signal, m->policy.stop_millis, false);
		break;
	default:
		break;
	}
}

static void judge(struct monitor *m, int32_t code)
{
	struct health *health = &m->health;
	bool unhealthy = m->last.state.flags & STATE_UNHEALTHY, counts = !is_starting(m);
	if (code == 0) {
		health->streak = 0;
		set_state(m, STATE_HEALTHY);
	} else if (counts) {
		health->streak++;
		if (health->streak >= health->want.retries && !unhealthy) {
			set_state(m, STATE_UNHEALTHY);
			answer_failure(m);
		}
	}
}

/* ---- the file ---- */

static void read_file(struct monitor *m)
{
	int file = openat(m->log.directory, MONITOR_HEALTH_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t length = file < 0 ? -1 : pread(file, &file_buffer, sizeof file_buffer, 0);
	close_fd(&file);
	if (length != sizeof file_buffer || file_buffer.magic != PLAN_MAGIC || file_buffer.count > HEALTH_PROBES ||
	    file_buffer.changes > HEALTH_CHANGES)
		memset(&file_buffer, 0, sizeof file_buffer);
	file_buffer.magic = PLAN_MAGIC;
	file_buffer.version = MONITOR_VERSION;
}

/* Without a file there is no result; an old one would pass for the last. */
static void write_file(struct monitor *m)
{
	int directory = m->log.directory;
	file_buffer.streak = m->health.streak;
	int file = openat(directory, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool written = file >= 0 && write(file, &file_buffer, sizeof file_buffer) == sizeof file_buffer;
	close_fd(&file);
	if (written)
		written = syscall(SYS_renameat2, directory, TEMPORARY, directory, MONITOR_HEALTH_FILE, 0) == 0;
	if (!written) {
		unlinkat(directory, TEMPORARY, 0);
		unlinkat(directory, MONITOR_HEALTH_FILE, 0);
	}
	m->trim_at = boot_nanos() + SECONDS;
}

static void add_change(uint32_t state)
{
	if (file_buffer.changes == HEALTH_CHANGES)
		memmove(&file_buffer.change[0], &file_buffer.change[1], sizeof file_buffer.change[0] * --file_buffer.changes);
	uint32_t at = file_buffer.changes++;
	file_buffer.change[at].millis = wall_millis();
	file_buffer.change[at].state = state;
	file_buffer.change[at].reserved = 0;
}

static void add_result(struct monitor *m, bool changed)
{
	struct health *health = &m->health;
	read_file(m);
	if (changed)
		add_change(m->last.state.flags & ALL_STATES);
	if (file_buffer.count == HEALTH_PROBES)
		memmove(&file_buffer.probe[0], &file_buffer.probe[1], sizeof file_buffer.probe[0] * --file_buffer.count);
	struct monitor_probe *probe = &file_buffer.probe[file_buffer.count++];
	memset(probe, 0, sizeof *probe);
	probe->started_millis = health->started_millis;
	probe->finished_millis = wall_millis();
	probe->code = health->code;
	probe->length = health->length;
	memcpy(probe->output, health->text, health->length);
	write_file(m);
}

/* ---- a probe ---- */

/* The process outside ends its program first and reaps it, once nobody has the other end of its socket; one that is frozen does not. */
static void kill_all(struct health *health)
{
	struct pollfd exited = {health->pidfd, POLLIN, 0};
	if (health->control >= 0 && health->pidfd >= 0) {
		close_fd(&health->control);
		poll(&exited, 1, HANG_UP_MILLIS);
	}
	ssize_t written = pwrite(health->kill, "1", 1, 0); /* fails if the group is gone, and the processes with it */
	(void)written;
	if (health->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, health->pidfd, SIGKILL, NULL, 0);
}

/* A process that is killed exits at once, unless somebody else has frozen it: it is not waited for then. */
static void close_probe(struct monitor *m)
{
	struct health *health = &m->health;
	struct pollfd exited = {health->pidfd, POLLIN, 0};
	siginfo_t info;
	if (health->pidfd >= 0 && poll(&exited, 1, EXIT_MILLIS) > 0)
		waitid(P_PIDFD, (id_t)health->pidfd, &info, WEXITED);
	close_fd(&health->pidfd);
	close_fd(&health->control);
	close_fd(&health->output);
	close_listener(m, LISTENER_OF_PROBE);
	health->until = 0;
}

static void say(struct health *health, const char *words, long number, const char *unit)
{
	char line[160];
	int length = snprintf(line, sizeof line, "%s%ld%s", words, number, unit);
	uint32_t room = HEALTH_OUTPUT - (uint32_t)length;
	if (health->length > room)
		health->length = room;
	memmove(health->text + length, health->text, health->length);
	memcpy(health->text, line, (size_t)length);
	health->length += (uint32_t)length;
}

static void finish_probe(struct monitor *m)
{
	kill_all(&m->health);
	close_probe(m);
	uint32_t before = m->last.state.flags & ALL_STATES;
	judge(m, m->health.code); /* may stop the container */
	add_result(m, before != (m->last.state.flags & ALL_STATES));
	if (m->phase == MONITOR_RUNNING)
		schedule(m);
}

static int hand_over_probe(struct monitor *m, int output)
{
	struct health *health = &m->health;
	struct handover handover = {.magic = PLAN_MAGIC, .slots = health->want.slots};
	int fds[PLAN_MAX_SLOTS];
	uint16_t entered = 0;
	for (unsigned i = 0; i < PLAN_NAMESPACES; i++)
		entered = (uint16_t)(entered + (health->name_space[i] >= 0));
	const int streams[3] = {0, output, output};
	for (uint16_t i = 0; i < 3; i++) {
		handover.slot[handover.count] = (uint16_t)(SLOT_STDIN + i);
		fds[handover.count++] = streams[i];
	}
	for (unsigned i = 0; i < health->given_count; i++) {
		handover.slot[handover.count] = health->given[i].slot;
		fds[handover.count++] = health->given[i].fd;
	}
	uint16_t slot = (uint16_t)(health->want.slots - entered);
	for (unsigned i = 0; i < PLAN_NAMESPACES && handover.count < PLAN_MAX_SLOTS; i++) {
		if (health->name_space[i] < 0)
			continue;
		handover.slot[handover.count] = slot++;
		fds[handover.count++] = health->name_space[i];
	}
	return send_with(health->control, &handover, sizeof handover, fds, handover.count);
}

static int ask_for_one(struct monitor *m)
{
	struct health *health = &m->health;
	int pair[2], theirs = NO_FD;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	health->control = pair[0];
	int error = open_pipe(m, false, &health->output, &theirs);
	if (error == 0)
		error = ask_for_probe(m, pair[1], &health->pidfd);
	close(pair[1]);
	if (error == 0)
		hand_over_probe(m, theirs); /* fails if the process has exited, which its pidfd reports */
	close_fd(&theirs);
	return error;
}

static void begin_probe(struct monitor *m)
{
	struct health *health = &m->health;
	health->late = health->ended = false;
	health->code = -1;
	health->length = 0;
	health->started_millis = wall_millis();
	health->started_at = boot_nanos();
	int error = ask_for_one(m);
	if (error < 0) {
		say(health, "the health check could not be started: error ", -error, "");
		finish_probe(m);
		return;
	}
	health->until = health->started_at + health->want.timeout_millis * MILLIS;
}

static void take_error(struct health *health, const struct report *report)
{
	health->ended = true;
	health->code = report->status == ENOENT ? NO_PROGRAM : report->status == EACCES ? NOT_EXECUTABLE : REFUSED;
	say(health, "the health check's command cannot be run: error ", report->status, "");
}

void take_probe_report(struct monitor *m)
{
	struct health *health = &m->health;
	struct report report;
	int fd = NO_FD; /* of the start, with READY; a LISTENER */
	ssize_t length = receive_now(health->control, &report, sizeof report, &fd);
	if (length == sizeof report && report.magic == PLAN_MAGIC && report.kind == REPORT_LISTENER && fd >= 0) {
		take_listener(m, LISTENER_OF_PROBE, fd);
		return;
	}
	close_fd(&fd);
	if (length == -EAGAIN)
		return;
	if (length != sizeof report || report.magic != PLAN_MAGIC) {
		close_fd(&health->control); /* the process sees end-of-file, and exits */
		return;
	}
	uint8_t start = m->denials.filter && m->flags & MONITOR_PROBES_ASK ? CONTROL_START_ASKING : CONTROL_START;
	if (report.kind == REPORT_READY) {
		send_message(health->control, &start, sizeof start, -1);
	} else if (report.kind == REPORT_EXIT) {
		health->ended = true;
		health->code = report.status < 256 ? report.status : report.status - 128;
	} else if (report.kind == REPORT_ERROR) {
		take_error(health, &report);
	}
}

static void take_text(void *context, const uint8_t *bytes, size_t length)
{
	struct health *health = context;
	uint32_t room = HEALTH_OUTPUT - health->length, taken = length < room ? (uint32_t)length : room;
	memcpy(health->text + health->length, bytes, taken);
	health->length += taken;
}

/* Everything is read, as a full pipe would hold the program up; what is too much is dropped. */
void read_probe(struct monitor *m)
{
	struct health *health = &m->health;
	const uint8_t *bytes;
	ssize_t length = read_chunk(health->output, &bytes);
	if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(&health->output);
	if (length <= 0)
		return;
	if (redacts())
		redact(STREAM_PROBE, bytes, (size_t)length, take_text, health);
	else
		take_text(health, bytes, (size_t)length);
	m->pace.has_read = true;
	m->trim_at = boot_nanos() + SECONDS;
}

void take_probe_exit(struct monitor *m)
{
	struct health *health = &m->health;
	for (unsigned i = 0; i < MOST_READS && health->control >= 0; i++)
		take_probe_report(m);
	for (unsigned i = 0; i < MOST_READS && health->output >= 0; i++)
		read_probe(m);
	if (redacts())
		end_redaction(STREAM_PROBE, take_text, health);
	if (health->late) {
		uint32_t millis = health->want.timeout_millis;
		bool whole = millis % 1000 == 0;
		health->code = -1;
		const char *rest = health->length == 0 ? (whole ? "s)" : "ms)") : whole ? "s): " : "ms): ";
		say(health, "Health check exceeded timeout (", whole ? millis / 1000 : millis, rest);
	} else if (!health->ended) {
		say(health, "the health check was killed before its command had ended, code ", health->code, " ");
	}
	finish_probe(m);
}

/* ---- the run ---- */

void begin_health(struct monitor *m)
{
	if (!has_health(m))
		return;
	m->health.streak = 0;
	set_state(m, STATE_HEALTH_STARTING);
	read_file(m);
	if (file_buffer.count > 0)
		write_file(m);
	schedule(m);
}

void suspend_health(struct monitor *m)
{
	struct health *health = &m->health;
	if (health->pidfd >= 0)
		kill_all(health);
	close_probe(m);
	health->next_at = 0;
}

void resume_health(struct monitor *m)
{
	if (has_health(m) && m->phase == MONITOR_RUNNING)
		schedule(m);
}

void end_health(struct monitor *m)
{
	struct health *health = &m->health;
	suspend_health(m);
	for (unsigned i = 0; i < PLAN_NAMESPACES; i++)
		close_fd(&health->name_space[i]);
	health->reported = 0;
	if (has_health(m) && m->last.state.flags & ALL_STATES)
		set_state(m, STATE_UNHEALTHY);
}

void run_health_deadlines(struct monitor *m, uint64_t now)
{
	struct health *health = &m->health;
	if (health->until != 0 && health->until <= now) {
		health->until = 0;
		health->late = true;
		kill_all(health); /* its pidfd reports the exit */
	}
	if (health->next_at != 0 && health->next_at <= now) {
		health->next_at = 0;
		if (m->phase == MONITOR_RUNNING && health->pidfd < 0)
			begin_probe(m);
	}
}
