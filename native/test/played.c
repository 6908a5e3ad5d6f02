#include "played.h"
#include "../kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct monitor m;
struct played played = {.clock = SECONDS, .init_end = NO_FD, .probe_end = NO_FD, .program = {NO_FD, NO_FD, NO_FD}, .directory = NO_FD};
static char path[64];

/* ---- what the monitor's other parts would do ---- */

int start_zygote(struct monitor *monitor) { (void)monitor; return -ENOSYS; }
int settle_zygote(struct monitor *monitor) { (void)monitor; return -ENOSYS; }
int ask_for_queue(struct monitor *monitor, int *queue)
{
	(void)monitor;
	*queue = played.queue_error == 0 ? dup(played.directory) : NO_FD;
	return played.queue_error;
}

/* The last look of a queue finds nothing. */
int ask_for_look(struct monitor *monitor, struct look_reply *found)
{
	(void)monitor;
	*found = played.looks > 0 ? played.look : (struct look_reply){0};
	played.looks -= played.looks > 0;
	return played.look_error;
}

int keep_slot(struct monitor *monitor, uint16_t slot, int mount) { (void)monitor, (void)slot, (void)mount; return -ENOSYS; }
int confine(const struct monitor *monitor) { (void)monitor; return -ENOSYS; }
void end_zygote(struct monitor *monitor) { (void)monitor; }

static int make(int control, int *end, int *pidfd, int error)
{
	*pidfd = NO_FD;
	if (error < 0)
		return error;
	close_fd(end);
	*end = dup(control);
	*pidfd = played.process();
	return 0;
}

int ask_for_init(struct monitor *monitor, int control, int *pidfd)
{
	monitor->last.reply.pid = 1;
	return make(control, &played.init_end, pidfd, played.init_error);
}

/* What a probe reports is made up like the reports of an init. */
int ask_for_probe(struct monitor *monitor, int control, int *pidfd)
{
	(void)monitor;
	return make(control, &played.probe_end, pidfd, played.probe_error);
}

int hand_over_plan(struct monitor *monitor, const int streams[3])
{
	(void)monitor;
	for (int i = 0; i < 3; i++) {
		close_fd(&played.program[i]);
		played.program[i] = dup(streams[i]);
		if (i > 0)
			fcntl(played.program[i], F_SETFL, O_NONBLOCK);
	}
	return 0;
}

int ask_for_links(struct monitor *monitor) { (void)monitor; return played.links_error; }
void ask_for_no_links(struct monitor *monitor) { (void)monitor; }

/* As if the zygote copied a mount, now and then. */
int copy_mount(struct monitor *monitor, uint32_t slot, int *mount)
{
	(void)monitor;
	*mount = slot % 3 == 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : NO_FD;
	return *mount < 0 ? -EINVAL : 0;
}

/* ---- begin and end ---- */

void play_begin(const char *directory)
{
	signal(SIGPIPE, SIG_IGN);
	snprintf(path, sizeof path, "%s", directory);
	if (!mkdtemp(path) || (played.directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		abort();
}

static void remove_files(void)
{
	static const char *const names[] = {"log", "log.1", MONITOR_RECORD, MONITOR_STATUS, MONITOR_HEALTH_FILE, MONITOR_EXEC_FILE, MONITOR_DENIAL_FILE, MONITOR_SET_ID_FILE};
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		unlinkat(played.directory, names[i], 0);
}

void play_fresh(void)
{
	int *none[] = {&m.cgroup, &m.oom, &m.freezer, &m.program, &m.network, &m.owner, &m.answers, &m.zygote_pidfd, &m.listener, &m.timer, &m.signals, &m.init_pidfd,
		       &m.resolver[0], &m.resolver[1], &m.control, &m.progress, &m.input, &m.output[0], &m.output[1], &m.log.file, &m.holder, &m.freezes};
	m = (struct monitor){.phase = MONITOR_CREATED, .log = {.directory = played.directory, .output = NO_FD, .name = "log", .files = 2, .most = 65536}};
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
		*none[i] = NO_FD;
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++)
		m.client[i].fd = NO_FD;
	clear_health(&m.health);
	clear_execs(m.exec);
	clear_listeners(&m.denials);
	m.set_id.queue = NO_FD;
	m.flags = MONITOR_STDIN_OPEN;
	m.policy.stop_signal = SIGTERM;
	m.state_directory = played.directory;
	remove_files();
	open_log(&m.log);
	open_status(&m);
}

void play_over(void)
{
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++)
		close_fd(&m.client[i].fd);
	for (unsigned i = 0; i < 3; i++)
		close_fd(&played.program[i]);
	for (unsigned i = 0; i < MONITOR_MAX_EXECS; i++)
		close_fd(&m.exec[i].control);
	end_health(&m);
	close_fd(&m.health.kill), close_fd(&played.probe_end);
	close_resolver(&m);
	close_streams(&m);
	end_log_lines(&m.log, played.clock);
	forget_network(&m), close_listeners(&m), close_fd(&m.set_id.queue), close_fd(&m.status), close_fd(&m.log.file), close_fd(&m.control), close_fd(&m.progress), close_fd(&m.init_pidfd), close_fd(&played.init_end);
}

void play_end(void)
{
	remove_files();
	rmdir(path);
}
