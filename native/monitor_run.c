/*
 * A run of the container: an init from the zygote walks the plan, reports, and exits. Then the monitor drains the output, syncs
 * the log, writes the exit record, answers clients that wait, and starts the next run if the policy says so.
 */
#include "kernel.h"
#include "messages.h"
#include "monitor_parts.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define START_PATIENCE (60 * SECONDS)
#define DRAIN_PATIENCE (2 * SECONDS)
#define FIRST_BACK_OFF (100 * MILLIS)
#define LONGEST_BACK_OFF (60 * SECONDS)
#define STEADY (10 * SECONDS) /* a run of this length resets the wait */

enum { MOST_REPORTS = 16 }; /* init sends CONSOLE, READY, EXIT, and its namespaces if it is asked */

bool has_init(const struct monitor *m) { return m->init_pidfd >= 0; }

/* ---- signals ---- */

void send_to_init(struct monitor *m, int number)
{
	if (has_init(m))
		syscall(SYS_pidfd_send_signal, m->init_pidfd, number, NULL, 0); /* fails if init has exited */
}

static void thaw(struct monitor *m)
{
	if (m->phase != MONITOR_PAUSED)
		return;
	const char *word = m->freezer_v1 ? "THAWED" : "0";
	if (pwrite(m->freezer, word, m->freezer_v1 ? 6 : 1, 0) > 0)
		change_phase(m, MONITOR_RUNNING);
}

void run_on(struct monitor *m)
{
	m->freezes = -1;
	thaw(m);
	if (m->phase == MONITOR_RUNNING)
		resume_health(m);
}

void kill_init(struct monitor *m)
{
	m->stop_at = m->deadline_at = m->start_until = 0;
	send_to_init(m, SIGKILL);
	thaw(m); /* in cgroup v1, a frozen process does not die */
}

static void finish(struct monitor *m);

static void end_for_good(struct monitor *m)
{
	m->ends = true;
	m->again = false;
}

/* Only a running program gets time to exit. */
void stop_run(struct monitor *m, uint32_t number, uint32_t millis, bool by_client)
{
	end_for_good(m);
	if (by_client)
		m->last.state.flags |= STATE_STOPPED;
	if (m->phase == MONITOR_RESTARTING) {
		m->restart_at = 0;
		finish(m);
	} else if (m->phase == MONITOR_STARTING || m->phase == MONITOR_HELD || millis == 0) {
		kill_init(m);
	} else if (has_init(m)) {
		send_to_init(m, (int)number);
		thaw(m);
		m->stop_at = millis == MONITOR_FOREVER ? 0 : boot_nanos() + millis * MILLIS;
	}
}

/* ---- the start ---- */

static void reset(struct monitor *m, bool by_policy)
{
	struct monitor_state *state = &m->last.state;
	const uint32_t of_run = STATE_OOM | STATE_STOPPED | STATE_DEADLINE | STATE_START_FAILED | STATE_NETWORK_ENDED;
	m->by_policy = by_policy;
	m->ends = m->again = m->exit_reported = false;
	m->holder = -1;
	m->restart_at = m->started_at = 0;
	state->generation++;
	state->restarts = by_policy ? state->restarts + 1 : 0;
	if (!by_policy)
		m->back_off = FIRST_BACK_OFF;
	state->flags &= ~of_run;
	state->run_millis = 0;
	m->last.reply = (struct reply){0};
	m->last.report = (struct report){0};
	m->oom_before = read_oom_kills(m);
}

/* Closes everything that belongs to a run. */
static void close_run(struct monitor *m)
{
	end_health(m);
	close_streams(m);
	close_resolver(m);
	close_listeners(m);
	close_fd(&m->control);
	close_fd(&m->progress);
	close_fd(&m->init_pidfd);
	m->last.state.pid = 0;
	m->start_until = m->stop_at = m->deadline_at = m->drain_until = 0;
	m->holder = -1;
}

static int ask_for_run(struct monitor *m)
{
	int pair[2], theirs[3];
	if (m->by_policy && !is_network_kept(m)) {
		m->last.state.flags |= STATE_NETWORK_ENDED;
		close_fd(&m->network); /* it would keep the links */
		return -ESRCH;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	m->control = pair[0];
	int error = open_streams(m, theirs);
	if (error == 0)
		error = ask_for_init(m, pair[1], &m->init_pidfd);
	close(pair[1]);
	if (error == 0 && m->init_pidfd < 0)
		error = -EPROTO;
	if (error == 0) {
		m->last.state.pid = m->last.reply.pid;
		error = ask_for_links(m);
	}
	if (error == 0)
		error = hand_over_plan(m, theirs);
	for (unsigned i = 0; i < 3; i++)
		close_fd(&theirs[i]);
	return error;
}

/* Returns 0, or a negated error number; then nothing of the run is left. */
int begin_run(struct monitor *m, bool by_policy)
{
	enum monitor_phase before = m->phase;
	reset(m, by_policy);
	m->phase_before = before;
	int error = ask_for_run(m);
	if (error < 0) {
		if (has_init(m)) {
			siginfo_t info;
			send_to_init(m, SIGKILL);
			waitid(P_PIDFD, (id_t)m->init_pidfd, &info, WEXITED);
		}
		close_run(m);
		if (!by_policy)
			forget_network(m);
		m->last.state.flags |= STATE_START_FAILED;
		if (m->zygote < 0)
			m->last.state.flags |= STATE_ZYGOTE_GONE;
		return error;
	}
	m->start_until = boot_nanos() + START_PATIENCE;
	change_phase(m, MONITOR_STARTING);
	return 0;
}

int let_run(struct monitor *m)
{
	uint8_t start = m->denials.filter ? CONTROL_START_ASKING : CONTROL_START;
	m->started_at = boot_nanos();
	m->last.state.started_millis = wall_millis();
	m->start_until = 0;
	m->holder = -1;
	if (m->policy.deadline_millis != 0)
		m->deadline_at = m->started_at + m->policy.deadline_millis * MILLIS;
	forget_record(m);
	int error = send_message(m->control, &start, sizeof start, -1);
	if (error == 0) {
		m->denials.expects = m->denials.filter != NULL;
		change_phase(m, MONITOR_RUNNING);
		begin_health(m);
	}
	return error; /* init has exited, which the pidfd reports next */
}

/* ---- reports ---- */

static void take_ready(struct monitor *m)
{
	if (m->phase != MONITOR_STARTING) {
		kill_init(m);
		return;
	}
	m->start_until = 0;
	if (m->holder >= 0) {
		change_phase(m, MONITOR_HELD);
		answer_waiting(m, MONITOR_START, 0);
	} else if (let_run(m) == 0) {
		answer_waiting(m, MONITOR_START, 0);
	}
}

static void take_report(struct monitor *m, const struct report *report, int fd)
{
	if (m->denials.expects) {
		m->denials.expects = false;
		if (report->kind == REPORT_LISTENER && fd >= 0)
			take_listener(m, LISTENER_OF_PROGRAM, fd);
		else
			close_fd(&fd);
		if (report->kind == REPORT_LISTENER)
			return;
	}
	if (report->kind == REPORT_RESOLVER && fd >= 0 && m->last.report.kind == 0) {
		take_resolver(m, report->detail, fd);
		return;
	}
	if (report->kind == REPORT_CONSOLE && fd >= 0) {
		take_console(m, fd);
		return;
	}
	if (report->kind == REPORT_NAMESPACE && fd >= 0 && m->last.report.kind == REPORT_READY) {
		take_namespace(m, report->detail, fd);
		if (!asks_for_namespaces(m))
			take_ready(m);
		return;
	}
	if (report->kind == REPORT_READY && m->progress < 0) {
		m->progress = fd;
		fd = NO_FD;
	}
	close_fd(&fd);
	switch (report->kind) {
	case REPORT_READY:
		m->last.report = *report;
		if (asks_for_namespaces(m)) {
			uint8_t ask = CONTROL_NAMESPACES;
			send_message(m->control, &ask, sizeof ask, -1); /* fails if init has exited, which the pidfd reports */
		} else {
			take_ready(m);
		}
		break;
	case REPORT_ERROR:
		m->last.report = *report;
		break;
	case REPORT_EXIT:
		m->last.report = *report;
		m->exit_reported = true;
		break;
	default: /* REPORT_PAUSED: such plans are for the engine's tests */
		kill_init(m);
	}
}

/*
 * Takes a few at a time, so that an init which never stops reporting does not block the monitor. Descriptors are taken only before
 * the program starts, the listener of its filter last: later ones could be files whose owner lets a close(2) or read(2) wait, as with
 * FUSE.
 */
void take_reports(struct monitor *m)
{
	struct report report;
	for (unsigned times = 0; times < MOST_REPORTS && m->control >= 0; times++) {
		int fd = NO_FD;
		ssize_t length = receive_now(m->control, &report, sizeof report, m->phase == MONITOR_STARTING || m->denials.expects ? &fd : NULL);
		if (length == -EAGAIN)
			return;
		if (length != sizeof report || report.magic != PLAN_MAGIC) {
			close_fd(&fd);
			close_fd(&m->control); /* init sees end-of-file, and exits */
			return;
		}
		take_report(m, &report, fd);
	}
}

/* ---- the exit ---- */

/* If init died without a report, its progress file still says whether it called the program. */
static bool has_called_program(const struct monitor *m)
{
	struct start start;
	if (m->phase == MONITOR_STARTING || m->phase == MONITOR_HELD || m->last.report.kind == REPORT_ERROR)
		return false;
	return m->exit_reported || m->progress < 0 || pread(m->progress, &start, sizeof start, 0) != sizeof start || start.called != 0;
}

static void note_end(struct monitor *m, const siginfo_t *info)
{
	struct monitor_state *state = &m->last.state;
	const struct report *report = &m->last.report;
	state->status = info->si_code == CLD_EXITED ? info->si_status : 256 + info->si_status;
	state->obstacles = 0;
	state->user_micros = state->system_micros = 0;
	if (m->exit_reported) {
		state->status = report->status;
		state->obstacles = report->detail;
		state->user_micros = report->user_micros;
		state->system_micros = report->system_micros;
	}
	if (m->started_at != 0)
		state->run_millis = (boot_nanos() - m->started_at) / MILLIS;
	state->finished_millis = wall_millis();
	state->oom_kills = read_oom_kills(m) - m->oom_before;
	if (state->oom_kills > 0)
		state->flags |= STATE_OOM;
	if (!has_called_program(m))
		state->flags |= STATE_START_FAILED;
}

void take_exit(struct monitor *m)
{
	siginfo_t info = {0};
	take_reports(m);
	if (waitid(P_PIDFD, (id_t)m->init_pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return;
	note_end(m, &info);
	settle_set_id(m);
	bool began = m->phase == MONITOR_RUNNING || m->phase == MONITOR_PAUSED;
	end_health(m);
	close_resolver(m);
	close_listeners(m);
	close_fd(&m->init_pidfd);
	close_fd(&m->control);
	close_fd(&m->progress);
	m->last.state.pid = 0;
	m->start_until = m->stop_at = m->deadline_at = 0;
	thaw(m); /* else what is started next in its group stands still */
	if (began)
		m->phase_before = MONITOR_RUNNING;
	change_phase(m, MONITOR_STOPPING);
	m->drain_until = boot_nanos() + DRAIN_PATIENCE;
	read_rest(m);
}

/* The kernel kills the namespace with its process 1. If a pipe is still open, its holder is outside; it gets two seconds. */
void end_if_drained(struct monitor *m)
{
	bool open = m->output[STREAM_OUT] >= 0 || m->output[STREAM_ERR] >= 0;
	if (m->phase != MONITOR_STOPPING || (open && boot_nanos() < m->drain_until))
		return;
	close_run(m);
	end_log_lines(&m->log, boot_nanos());
	finish(m);
}

static bool starts_again(const struct monitor *m)
{
	const struct monitor_state *state = &m->last.state;
	if (m->quits || m->zygote < 0)
		return false;
	if (m->again)
		return true;
	if (m->ends || (!m->by_policy && m->phase_before != MONITOR_RUNNING))
		return false;
	switch (m->policy.restart) {
	case RESTART_ON_FAILURE:
		return state->status != 0 && (m->policy.most_restarts == 0 || state->restarts < m->policy.most_restarts);
	case RESTART_UNLESS_STOPPED:
	case RESTART_ALWAYS:
		return true;
	default:
		return false;
	}
}

static void finish(struct monitor *m)
{
	m->trim_at = boot_nanos() + SECONDS;
	if (m->phase != MONITOR_RESTARTING && starts_again(m)) {
		if (m->last.state.run_millis * MILLIS >= STEADY)
			m->back_off = FIRST_BACK_OFF;
		m->restart_at = boot_nanos() + m->back_off;
		m->back_off = m->back_off * 2 < LONGEST_BACK_OFF ? m->back_off * 2 : LONGEST_BACK_OFF;
		m->phase = MONITOR_RESTARTING;
	} else {
		m->phase = MONITOR_EXITED;
		forget_network(m); /* who ended keeps nobody's links */
	}
	write_denials(m);
	write_set_id(m);
	write_record(m);
	change_phase(m, m->phase);
	ask_for_no_links(m); /* before whoever stops it is answered */
	answer_waiting(m, MONITOR_START, m->last.report.kind == REPORT_ERROR ? m->last.report.status : ECANCELED);
	if (m->phase == MONITOR_EXITED)
		answer_waiting(m, MONITOR_STOP, 0);
	if (m->quits && m->phase == MONITOR_EXITED)
		quit(m, 0);
}

/* ---- time ---- */

static bool over(uint64_t *deadline, uint64_t now)
{
	if (*deadline == 0 || *deadline > now)
		return false;
	*deadline = 0;
	return true;
}

static void restart(struct monitor *m)
{
	if (begin_run(m, true) == 0)
		return;
	m->last.state.status = 125;
	m->last.state.finished_millis = wall_millis();
	m->phase = MONITOR_STOPPING;
	finish(m);
}

void run_deadlines(struct monitor *m)
{
	uint64_t now = boot_nanos();
	if (over(&m->start_until, now) || over(&m->stop_at, now))
		kill_init(m);
	if (over(&m->deadline_at, now)) {
		end_for_good(m);
		m->last.state.flags |= STATE_DEADLINE;
		kill_init(m);
	}
	if (over(&m->lease_at, now)) {
		m->last.state.flags |= STATE_LEASE_OVER;
		m->quits = true;
		end_for_good(m);
		if (has_init(m))
			kill_init(m);
		else if (m->phase != MONITOR_STOPPING)
			finish(m);
	}
	run_health_deadlines(m, now);
	run_denial_deadlines(m, now);
	run_set_id_deadlines(m, now);
	if (over(&m->restart_at, now))
		restart(m);
	if (over(&m->record_at, now)) {
		write_record(m);
		note(m, WATCH_STATE);
	}
	if (over(&m->sync_at, now)) {
		sync_record(m);
		note(m, WATCH_STATE);
	}
}
