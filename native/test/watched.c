#include "watched.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MILLIS = 20000 };

/* ---- messages ---- */

bool send_raw(int socket, const void *bytes, size_t length) { return send(socket, bytes, length, MSG_NOSIGNAL) == (ssize_t)length; }

bool send_op(int socket, uint16_t op, uint32_t argument, const void *payload, uint32_t length)
{
	static uint32_t sequence;
	static struct {
		struct monitor_header header;
		uint8_t payload[MONITOR_MAX_MESSAGE];
	} message;
	message.header = (struct monitor_header){op, MONITOR_VERSION, ++sequence, argument, length};
	if (length > 0)
		memcpy(message.payload, payload, length);
	return send_raw(socket, &message, sizeof message.header + length);
}

bool next_message(int socket, struct message *message)
{
	static uint8_t bytes[MONITOR_MAX_MESSAGE];
	ssize_t length = engine_receive(socket, bytes, sizeof bytes, &message->fd);
	if (length < (ssize_t)sizeof message->header)
		return false;
	memcpy(&message->header, bytes, sizeof message->header);
	memcpy(message->payload, bytes + sizeof message->header, (size_t)length - sizeof message->header);
	return message->header.length == (size_t)length - sizeof message->header && message->header.version == MONITOR_VERSION;
}

int await_reply(int socket, uint16_t op, struct message *message)
{
	while (next_message(socket, message))
		if (message->header.op == (op | MONITOR_REPLY))
			return (int)message->header.argument;
	return -1;
}

int ask_op(int socket, uint16_t op, uint32_t argument, const void *payload, uint32_t length, void *into, size_t size)
{
	static struct message message; /* large */
	if (!send_op(socket, op, argument, payload, length))
		return -1;
	int error = await_reply(socket, op, &message);
	if (error >= 0 && into && message.header.length == size)
		memcpy(into, message.payload, size);
	CHECK(error < 0 || message.fd < 0 || (op == MONITOR_START && error == 0)); /* other answers that carry one are read as messages */
	if (error >= 0 && message.fd >= 0)
		close(message.fd);
	return error;
}

struct monitor_state state_of(int socket)
{
	struct monitor_state state = {0};
	ask_op(socket, MONITOR_STATE, 0, NULL, 0, &state, sizeof state);
	return state;
}

struct monitor_state await_phase(int socket, enum monitor_phase phase)
{
	struct monitor_state state = state_of(socket);
	for (int tries = 0; tries < 2000 && state.phase != phase && state.phase != 0; tries++) {
		usleep(10000);
		state = state_of(socket);
	}
	return state;
}

/* ---- its beginning ---- */

static bool make_directories(struct watched *watched)
{
	static unsigned count;
	char name[160];
	snprintf(watched->path, sizeof watched->path, "%s/monitor%u", test_directory(), count++);
	mkdir(watched->path, 0700);
	snprintf(name, sizeof name, "%s/state", watched->path);
	mkdir(name, 0700);
	watched->state = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(name, sizeof name, "%s/log", watched->path);
	mkdir(name, 0700); /* may be a mount of the test's own */
	watched->log = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return watched->state >= 0 && watched->log >= 0;
}

bool spawn_monitor(struct watched *watched, const char *binary)
{
	int pair[2], status;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	int pid = fork();
	if (pid == 0) {
		if (pair[1] == 3 ? fcntl(3, F_SETFD, 0) < 0 : dup2(pair[1], 3) < 0)
			_exit(1);
		if (dup2(open("/etc", O_RDONLY | O_DIRECTORY), 4) < 0) /* what a careless engine leaves open */
			_exit(1);
		execl(binary, binary, "monitor", (char *)NULL);
		_exit(1);
	}
	close(pair[1]);
	watched->socket = pair[0];
	return waitpid(pid, &status, 0) == pid && status == 0;
}

struct setup_message {
	struct monitor_header header;
	struct monitor_setup setup;
};

static void add(struct monitor_setup *setup, int *fds, enum monitor_fd kind, uint16_t slot, int fd)
{
	setup->role[setup->fds] = (struct monitor_role){(uint16_t)kind, slot};
	fds[setup->fds++] = fd;
}

static void fill(struct watched *watched, const struct spec *spec, struct monitor_setup *setup, int *fds, int plan, int root)
{
	setup->id_base = ID_BASE, setup->id_count = ID_COUNT, setup->stream_uid = ID_BASE + spec->uid;
	setup->clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	setup->clone_flags &= ~spec->dropped_clone_flags;
	setup->log_files = 3, setup->log_bytes = 1 << 20;
	setup->policy = (struct monitor_policy){.stop_signal = SIGTERM, .stop_millis = 10000};
	setup->flags = spec->terminal ? MONITOR_TERMINAL : 0;
	snprintf(setup->log_name, sizeof setup->log_name, "x-json.log");
	add(setup, fds, FD_SLOT, SLOT_PLAN, plan);
	add(setup, fds, FD_STATE_DIRECTORY, 0, watched->state);
	add(setup, fds, FD_LOG_DIRECTORY, 0, watched->log);
	uint16_t slot = SLOT_FIRST_FREE;
	if (spec->cgroup)
		add(setup, fds, FD_CGROUP, 0, spec->cgroup);
	const struct {
		enum monitor_fd kind;
		int fd;
	} more[] = {{FD_FREEZE_V2, spec->freezer}, {FD_FREEZE_V1, spec->freezer_v1}, {FD_OOM, spec->oom}, {FD_JOIN, spec->prepared ? 0 : spec->join}};
	for (unsigned i = 0; i < sizeof more / sizeof *more; i++)
		if (more[i].fd)
			add(setup, fds, more[i].kind, 0, more[i].fd);
	if (spec->probe)
		add(setup, fds, FD_PROBE_SLOT, SLOT_PLAN, spec->probe), add(setup, fds, FD_PROBE_KILL, 0, spec->probe_kill);
	if (spec->volume)
		add(setup, fds, FD_MOUNT, slot++, spec->volume);
	add(setup, fds, FD_MOUNT, slot++, root);
	add(setup, fds, FD_LAYER, 0, watched->log);
	setup->slots = slot;
	if (spec->links)
		setup->links = *spec->links;
}

static bool set_up(struct watched *watched, struct engine *engine, const struct spec *spec, alteration *alter)
{
	static struct message reply;
	static struct setup_message message;
	int fds[MONITOR_MAX_FDS], root = engine_root(engine, spec);
	struct builder plan;
	if (root < 0)
		return false;
	build_plan(spec, &plan, (uint16_t)(SLOT_FIRST_FREE + 1 + (spec->volume != 0)), 0, 0, SLOT_FIRST_FREE);
	int file = sealed_plan(&plan, 0);
	builder_free(&plan);
	message = (struct setup_message){{MONITOR_SETUP, MONITOR_VERSION, 1, 0, sizeof message.setup}, {0}};
	fill(watched, spec, &message.setup, fds, file, root);
	unsigned count = message.setup.fds;
	if (alter)
		alter(&message.setup);
	bool sent = engine_send(watched->socket, &message, sizeof message, fds, count) == sizeof message;
	close(root), close(file);
	if (spec->volume)
		close(spec->volume);
	if (!sent || (watched->error = await_reply(watched->socket, MONITOR_SETUP, &reply)) < 0)
		return false;
	if (watched->error != 0 && reply.header.length == sizeof watched->stage)
		memcpy(&watched->stage, reply.payload, sizeof watched->stage);
	else if (reply.header.length == sizeof watched->created)
		memcpy(&watched->created, reply.payload, sizeof watched->created);
	return watched->error == 0;
}

bool prepare_monitor(const struct watched *watched, int group)
{
	struct monitor_header header = {.op = MONITOR_PREPARE, .version = MONITOR_VERSION};
	return engine_send(watched->socket, &header, sizeof header, &group, group ? 1 : 0) == sizeof header;
}

bool watched_begin(struct watched *watched, struct engine *engine, const char *binary, const struct spec *spec, alteration *alter)
{
	*watched = (struct watched){.socket = -1, .state = -1, .log = -1, .error = -1};
	bool stands = make_directories(watched) && spawn_monitor(watched, binary) &&
		      (!spec->prepared || prepare_monitor(watched, spec->join)) && set_up(watched, engine, spec, alter);
	if (!stands && watched->error <= 0)
		fprintf(stderr, "the monitor does not stand: %s\n", strerror(errno));
	return stands;
}

bool watched_again(struct watched *watched, struct engine *engine, const char *binary, const struct spec *spec)
{
	watched->error = -1;
	return spawn_monitor(watched, binary) && set_up(watched, engine, spec, NULL);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *at)
{
	(void)stat, (void)type, (void)at;
	return remove(path);
}

void watched_end(struct watched *watched)
{
	if (watched->error == 0)
		ask_op(watched->socket, MONITOR_REMOVE, MONITOR_FORCE, NULL, 0, NULL, 0);
	close(watched->socket), close(watched->state), close(watched->log);
	nftw(watched->path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* ---- what it leaves ---- */

int connect_to(const struct watched *watched)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" MONITOR_SOCKET, watched->state);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

const char *log_of(const struct watched *watched, const char *name)
{
	static char text[4 << 20];
	int fd = openat(watched->log, name, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t length;
	while (fd >= 0 && used < sizeof text - 1 && (length = read(fd, text + used, sizeof text - 1 - used)) > 0)
		used += (size_t)length;
	if (fd >= 0)
		close(fd);
	text[used] = 0;
	return text;
}

bool record_of(const struct watched *watched, struct monitor_record *record)
{
	int fd = openat(watched->log, MONITOR_RECORD, O_RDONLY | O_CLOEXEC);
	bool whole = fd >= 0 && read(fd, record, sizeof *record) == sizeof *record && record->magic == PLAN_MAGIC;
	if (fd >= 0)
		close(fd);
	return whole;
}
