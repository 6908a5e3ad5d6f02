/* The monitor's start, its event loop, and its exit. */
#include "kernel.h"
#include "messages.h"
#include "monitor_parts.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>

extern char **environ;

/* ---- time ---- */

/* This clock cannot be set, and it counts the time in which the machine is suspended. */
uint64_t boot_nanos(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * SECONDS + (uint64_t)now.tv_nsec;
}

uint64_t wall_millis(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / MILLIS;
}

/* Sets the timer to the earliest deadline. */
static void set_timer(struct monitor *m)
{
	const uint64_t all[] = {m->start_until, m->stop_at, m->deadline_at, m->lease_at, m->restart_at, m->record_at, m->sync_at,
				m->trim_at, m->drain_until, m->pace.wait_until, m->health.next_at, m->health.until,
				m->denials.wait_until, m->denials.write_at, m->set_id.wait_until, m->set_id.write_at};
	uint64_t next = 0;
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i] != 0 && (next == 0 || all[i] < next))
			next = all[i];
	if (next == m->timer_at)
		return;
	struct itimerspec when = {.it_value = {.tv_sec = (time_t)(next / SECONDS), .tv_nsec = (long)(next % SECONDS)}};
	m->timer_at = next;
	timerfd_settime(m->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void take_time(struct monitor *m)
{
	uint64_t times;
	if (read(m->timer, &times, sizeof times) == sizeof times)
		m->timer_at = 0;
	uint64_t now = boot_nanos();
	if (m->pace.wait_until != 0 && m->pace.wait_until <= now)
		m->pace.wait_until = 0;
	if (m->trim_at != 0 && m->trim_at <= now) {
		m->trim_at = 0;
		trim_log();
		trim_streams();
		trim_clients();
		trim_health();
	}
	run_deadlines(m);
}

/* ---- the loop ---- */

enum { ON_TIMER, ON_SIGNAL, ON_LISTENER, ON_ZYGOTE, ON_INIT, ON_CONTROL, ON_OUTPUT, ON_ERRORS, ON_INPUT,
       ON_PROBE, ON_PROBE_CONTROL, ON_PROBE_OUTPUT, ON_PROGRAM, ON_QUESTION,
       ON_CLIENT = ON_QUESTION + LISTENERS,
       ON_EXEC = ON_CLIENT + MONITOR_MAX_CLIENTS,
       ON_TERMINAL = ON_EXEC + MONITOR_MAX_EXECS,
       ON_COUNT = ON_TERMINAL + MONITOR_MAX_EXECS };

static bool somebody_wants_stdin(const struct monitor *m)
{
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++)
		if (m->client[i].fd >= 0 && m->client[i].wants_stdin)
			return true;
	return false;
}

/* poll(2) ignores negative descriptors. */
static void watch_all(const struct monitor *m, struct pollfd watched[ON_COUNT])
{
	bool reads = output_may_be_read(m);
	watched[ON_TIMER] = (struct pollfd){m->timer, POLLIN, 0};
	watched[ON_SIGNAL] = (struct pollfd){m->signals, POLLIN, 0};
	watched[ON_LISTENER] = (struct pollfd){m->listener, POLLIN, 0};
	watched[ON_ZYGOTE] = (struct pollfd){m->last.state.flags & STATE_ZYGOTE_GONE ? NO_FD : m->zygote_pidfd, POLLIN, 0};
	watched[ON_INIT] = (struct pollfd){m->init_pidfd, POLLIN, 0};
	watched[ON_CONTROL] = (struct pollfd){m->control, POLLIN, 0};
	watched[ON_OUTPUT] = (struct pollfd){reads ? m->output[STREAM_OUT] : NO_FD, POLLIN, 0};
	watched[ON_ERRORS] = (struct pollfd){reads ? m->output[STREAM_ERR] : NO_FD, POLLIN, 0};
	watched[ON_INPUT] = (struct pollfd){somebody_wants_stdin(m) ? m->input : NO_FD, POLLOUT, 0};
	watched[ON_PROBE] = (struct pollfd){m->health.pidfd, POLLIN, 0};
	watched[ON_PROBE_CONTROL] = (struct pollfd){m->health.control, POLLIN, 0};
	watched[ON_PROBE_OUTPUT] = (struct pollfd){reads ? m->health.output : NO_FD, POLLIN, 0};
	watched[ON_PROGRAM] = (struct pollfd){m->set_id.wait_until == 0 ? m->set_id.queue : NO_FD, POLLIN, 0};
	for (unsigned which = 0; which < LISTENERS; which++)
		watched[ON_QUESTION + which] =
			(struct pollfd){m->denials.wait_until == 0 ? m->denials.listener[which] : NO_FD, POLLIN, 0};
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++)
		watched[ON_CLIENT + i] =
			(struct pollfd){m->client[i].fd, (short)(POLLIN | (m->client[i].full ? POLLOUT : 0)), 0};
	for (unsigned i = 0; i < MONITOR_MAX_EXECS; i++) {
		watched[ON_EXEC + i] = (struct pollfd){m->exec[i].control, POLLIN, 0};
		watched[ON_TERMINAL + i] = (struct pollfd){reads ? m->exec[i].terminal : NO_FD, POLLIN, 0};
	}
}

/* SIGTERM, as sent when the host shuts down: stops the container in order, but not as STATE_STOPPED. */
static void take_signal(struct monitor *m)
{
	struct signalfd_siginfo signal;
	if (read(m->signals, &signal, sizeof signal) != sizeof signal)
		return;
	m->quits = true;
	if (m->phase == MONITOR_CREATED || m->phase == MONITOR_EXITED)
		quit(m, 0);
	stop_run(m, m->policy.stop_signal, m->policy.stop_millis, false);
}

static void take_events(struct monitor *m, const struct pollfd watched[ON_COUNT])
{
	if (watched[ON_ZYGOTE].revents != 0) { /* a running container goes on */
		m->last.state.flags |= STATE_ZYGOTE_GONE;
		close_fd(&m->zygote);
		note(m, WATCH_STATE);
	}
	if (watched[ON_CONTROL].revents != 0 && m->control == watched[ON_CONTROL].fd)
		take_reports(m);
	for (unsigned stream = 0; stream < STREAM_COUNT; stream++)
		if (watched[ON_OUTPUT + stream].revents != 0 && m->output[stream] == watched[ON_OUTPUT + stream].fd)
			read_output(m, stream);
	for (unsigned which = 0; which < LISTENERS; which++)
		if (watched[ON_QUESTION + which].revents != 0 && m->denials.listener[which] == watched[ON_QUESTION + which].fd)
			take_question(m, which, watched[ON_QUESTION + which].revents);
	if (watched[ON_PROGRAM].revents != 0 && m->set_id.queue == watched[ON_PROGRAM].fd)
		take_programs(m);
	if (watched[ON_PROBE_CONTROL].revents != 0 && m->health.control == watched[ON_PROBE_CONTROL].fd)
		take_probe_report(m);
	if (watched[ON_PROBE_OUTPUT].revents != 0 && m->health.output == watched[ON_PROBE_OUTPUT].fd)
		read_probe(m);
	if (watched[ON_PROBE].revents != 0 && m->health.pidfd == watched[ON_PROBE].fd)
		take_probe_exit(m);
	for (unsigned i = 0; i < MONITOR_MAX_EXECS; i++) {
		if (watched[ON_TERMINAL + i].revents != 0 && m->exec[i].terminal == watched[ON_TERMINAL + i].fd)
			drop_exec_output(m, &m->exec[i]);
		if (watched[ON_EXEC + i].revents != 0 && m->exec[i].control == watched[ON_EXEC + i].fd)
			take_exec_report(m, &m->exec[i]);
	}
	if (watched[ON_INIT].revents != 0 && has_init(m))
		take_exit(m);
	if (m->phase == MONITOR_STOPPING)
		end_if_drained(m);
	if (watched[ON_INPUT].revents != 0)
		note(m, NOTE_STDIN);
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++) {
		struct client *client = &m->client[i];
		short what = watched[ON_CLIENT + i].revents;
		if (client->fd < 0 || client->fd != watched[ON_CLIENT + i].fd)
			continue;
		if (what & POLLOUT)
			client->full = false;
		if (what & ~POLLOUT)
			read_client(m, client);
	}
	if (watched[ON_LISTENER].revents != 0)
		accept_clients(m);
	if (watched[ON_SIGNAL].revents != 0)
		take_signal(m);
}

/* Asks for those that are open alone: ppoll(2) takes no more entries than RLIMIT_NOFILE, which a starter may have below ON_COUNT. */
static int wait_for(struct pollfd watched[ON_COUNT])
{
	struct pollfd open[ON_COUNT];
	unsigned place[ON_COUNT], count = 0;
	for (unsigned i = 0; i < ON_COUNT; i++) {
		watched[i].revents = 0;
		if (watched[i].fd >= 0) {
			place[count] = i;
			open[count++] = watched[i];
		}
	}
	int ready = ppoll(open, count, NULL, NULL);
	for (unsigned i = 0; i < count; i++)
		watched[place[i]].revents = open[i].revents;
	return ready;
}

static _Noreturn void loop(struct monitor *m)
{
	struct pollfd watched[ON_COUNT];
	for (;;) {
		set_timer(m);
		watch_all(m, watched);
		if (wait_for(watched) < 0)
			continue;
		if (watched[ON_TIMER].revents != 0)
			take_time(m);
		take_events(m, watched);
		send_notices(m);
		pace_output(m);
	}
}

void change_phase(struct monitor *m, enum monitor_phase phase)
{
	m->phase = phase;
	note(m, WATCH_STATE);
}

void quit(struct monitor *m, int code)
{
	unlinkat(m->state_directory, MONITOR_SOCKET, 0);
	remove_status(m);
	end_zygote(m);
	send_notices(m);
	answer_waiting(m, MONITOR_REMOVE, 0);
	_exit(code);
}

/* ---- its own start ---- */

/* Leaves the terminal, directory, descriptors and environment of the starter. The parent exits, so the host's init adopts this. */
static int leave(void)
{
	int type = 0;
	socklen_t size = sizeof type;
	if (getsockopt(SETUP_SOCKET_FD, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET)
		return -ENOTSOCK;
	int pid = fork();
	if (pid != 0)
		_exit(pid < 0 ? 1 : 0);
	if (setsid() < 0 || chdir("/") < 0 || fcntl(SETUP_SOCKET_FD, F_SETFD, FD_CLOEXEC) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	int error = close_from(SETUP_SOCKET_FD + 1, ~0U);
	if (error == 0)
		error = close_from(0, 2);
	for (int fd = 0; error == 0 && fd <= 2; fd++)
		if (open("/dev/null", (fd == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC) != fd)
			error = -EBADF;
	for (char **variable = environ; *variable; variable++)
		explicit_bzero(*variable, strlen(*variable));
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	umask(077);
	return error;
}

static void clear(struct monitor *m)
{
	int *none[] = {&m->cgroup, &m->state_directory, &m->status, &m->oom, &m->freezer, &m->program, &m->redaction, &m->answers, &m->set_id.queue, &m->network, &m->owner, &m->zygote, &m->zygote_pidfd, &m->listener, &m->timer,
		       &m->signals, &m->init_pidfd, &m->resolver[0], &m->resolver[1], &m->control, &m->progress, &m->input, &m->output[0], &m->output[1], &m->log.directory, &m->log.output,
		       &m->log.file, &m->holder, &m->freezes};
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
		*none[i] = NO_FD;
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++)
		m->client[i].fd = NO_FD;
	clear_health(&m->health);
	clear_execs(m->exec);
	clear_listeners(&m->denials);
	m->phase = MONITOR_CREATED;
}

static _Noreturn void refuse(int error, uint32_t stage)
{
	struct {
		struct monitor_header header;
		uint32_t stage;
	} message = {{MONITOR_SETUP | MONITOR_REPLY, MONITOR_VERSION, 0, (uint32_t)-error, sizeof stage}, stage};
	send_message(SETUP_SOCKET_FD, &message, sizeof message.header + sizeof stage, -1);
	_exit(1);
}

_Noreturn void monitor(void)
{
	static struct monitor m;
	enum monitor_stage stage = SETUP_MESSAGE;
	int error = leave();
	clear(&m);
	if (error == 0)
		error = set_up_monitor(&m, &stage);
	if (error < 0)
		refuse(error, stage);
	fcntl(SETUP_SOCKET_FD, F_SETFL, O_NONBLOCK);
	add_client(&m, SETUP_SOCKET_FD);
	struct monitor_header header = {.op = MONITOR_SETUP, .sequence = 0};
	update_state(&m);
	reply(&m, &m.client[0], &header, 0, &m.last.state, sizeof m.last.state, NO_FD);
	m.trim_at = boot_nanos() + SECONDS;
	loop(&m);
}
