#include "engine.h"
#include "../kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECEIVE_SECONDS = 20 };

/* ---- sockets ---- */

ssize_t engine_send(int socket, const void *bytes, size_t length, const int *fds, unsigned count)
{
	union {
		char bytes[CMSG_SPACE(253 * sizeof(int))];
		struct cmsghdr header;
	} control = {0};
	struct iovec data = {(void *)(uintptr_t)bytes, length};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	if (count > 0) {
		control.header = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t engine_receive(int socket, void *bytes, size_t length, int *fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control;
	struct iovec data = {bytes, length};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	struct pollfd readable = {socket, POLLIN, 0};
	*fd = -1;
	if (poll(&readable, 1, RECEIVE_SECONDS * 1000) <= 0)
		return -1;
	ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = received < 0 ? NULL : CMSG_FIRSTHDR(&message);
	if (header)
		memcpy(fd, CMSG_DATA(header), sizeof *fd);
	return received;
}

/* ---- the zygote ---- */

static bool start(struct engine *engine, const char *binary, const char *argument, void (*forked)(int pid))
{
	int pair[2], gate[2], fd;
	char byte;
	struct reply reply;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 || pipe2(gate, O_CLOEXEC) < 0)
		return false;
	engine->socket = pair[0];
	engine->pid = fork();
	if (engine->pid == 0) {
		if (read(gate[0], &byte, 1) != 1) /* until it may go on */
			_exit(1);
		if (pair[1] == 3 ? fcntl(3, F_SETFD, 0) < 0 : dup2(pair[1], 3) < 0)
			_exit(1);
		execl(binary, binary, "zygote", argument, (char *)NULL);
		_exit(1);
	}
	if (forked)
		forked(engine->pid);
	bool goes_on = write(gate[1], "", 1) == 1;
	close(pair[1]), close(gate[0]), close(gate[1]);
	if (!goes_on)
		return false;
	ssize_t length = engine_receive(engine->socket, &reply, sizeof reply, &fd);
	if (length != sizeof reply || reply.magic != PLAN_MAGIC || reply.stage != STAGE_START || reply.status != 0) {
		if (!forked) /* who comes between expects it */
			fprintf(stderr, "zygote: %zd bytes, status %d\n", length, length > 0 ? reply.status : 0);
		return false;
	}
	return true;
}

bool engine_start(struct engine *engine, const char *binary) { return start(engine, binary, NULL, NULL); }
bool engine_start_with_links(struct engine *engine, const char *binary) { return start(engine, binary, "links", NULL); }

bool engine_start_with(struct engine *engine, const char *binary, void (*forked)(int pid))
{
	return start(engine, binary, NULL, forked);
}

void engine_stop(struct engine *engine)
{
	close(engine->socket);
	waitpid(engine->pid, NULL, 0);
}

int engine_ask(struct engine *engine, const struct request *request, const int *fds, unsigned count, struct reply *reply, int *fd)
{
	if (engine_send(engine->socket, request, sizeof *request, fds, count) != sizeof *request)
		return -errno;
	if (engine_receive(engine->socket, reply, sizeof *reply, fd) != sizeof *reply || reply->magic != PLAN_MAGIC)
		return -EPROTO;
	return reply->status;
}

int engine_ask_links(struct engine *engine, const struct links_request *request, int pidfd, struct reply *reply)
{
	int fd;
	if (engine_send(engine->socket, request, sizeof *request, &pidfd, 1) != sizeof *request)
		return -errno;
	if (engine_receive(engine->socket, reply, sizeof *reply, &fd) != sizeof *reply || reply->magic != PLAN_MAGIC)
		return -EPROTO;
	if (fd >= 0)
		close(fd);
	return fd >= 0 || reply->pid != 0 ? -EPROTO : reply->status;
}

/* ---- mounts that the engine makes ---- */

static int id_namespace(struct engine *engine)
{
	static int cached = -1, of = -1;
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_USERNS, .id_base = ID_BASE, .id_count = ID_COUNT};
	struct reply reply;
	if (of != engine->pid) {
		int error = engine_ask(engine, &request, NULL, 0, &reply, &cached);
		if (error < 0)
			return error;
		of = engine->pid;
	}
	return cached;
}

static int detached(struct engine *engine, const char *path, bool map)
{
	int tree = open_tree_at(AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE);
	if (tree < 0 || !map)
		return tree;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)id_namespace(engine)};
	int error = set_mount(tree, 0, &attr);
	return error < 0 ? error : tree;
}

int make_device(struct engine *engine, const char *host_path)
{
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_DEVICE, .id_base = ID_BASE, .id_count = ID_COUNT, .fds = 1};
	struct reply reply;
	int mount, node = open(host_path, O_PATH | O_CLOEXEC);
	int error = engine_ask(engine, &request, &node, 1, &reply, &mount);
	close(node);
	return error < 0 ? error : mount;
}

int sealed_plan(const struct builder *plan, int left_open)
{
	int fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || write(fd, plan->bytes, plan->length) != (ssize_t)plan->length)
		return -errno;
	int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	return fcntl(fd, F_ADD_SEALS, seals & ~left_open) < 0 ? -errno : fd;
}

/* ---- containers ---- */

static void note_steps(const struct builder *plan, struct container *container)
{
	struct step_header header;
	for (uint32_t at = sizeof(struct plan_header); at < plan->length; at += (uint32_t)sizeof header + header.length) {
		memcpy(&header, plan->bytes + at, sizeof header);
		container->opcodes[container->steps++] = header.opcode;
	}
}

bool container_report(struct container *container, struct report *report, int *fd)
{
	return container->control >= 0 &&
	       engine_receive(container->control, report, sizeof *report, fd) == sizeof *report && report->magic == PLAN_MAGIC;
}

void container_until_ready(struct container *container)
{
	struct report report;
	int fd;
	while (container_report(container, &report, &fd)) {
		if (report.kind == REPORT_CONSOLE) {
			container->console = report, container->terminal = fd;
		} else if (report.kind == REPORT_READY) {
			container->ready = report, container->start_file = fd;
			return;
		} else if (report.kind == REPORT_RESOLVER && container->resolvers < 2) {
			container->resolver[container->resolvers++] = fd;
		} else {
			container->last = report;
			return;
		}
	}
}

static int ask_child(struct engine *engine, const struct spec *spec, int control, struct container *container)
{
	int fds[3] = {control, spec->cgroup};
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_CHILD, .id_base = ID_BASE, .id_count = ID_COUNT};
	if (spec->id_count)
		request.id_count = spec->id_count;
	request.fds = spec->cgroup ? 2 : 1;
	if (spec->host_network)
		request.kind = REQUEST_HOST_CHILD;
	if (spec->network)
		fds[request.fds++] = spec->network;
	request.clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	request.clone_flags = (request.clone_flags | spec->extra_clone_flags) & ~spec->dropped_clone_flags;
	int status = engine_ask(engine, &request, fds, request.fds, &container->reply, &container->pidfd);
	container->pid = container->reply.pid > 0 ? container->reply.pid : -1;
	return status;
}

static int ask_links(struct engine *engine, const struct spec *spec, struct container *container)
{
	struct links_request request = {.request = {.magic = PLAN_MAGIC, .kind = REQUEST_LINKS, .id_base = ID_BASE, .id_count = ID_COUNT}};
	request.request.fds = 1;
	request.links = *spec->links;
	return engine_ask_links(engine, &request, container->pidfd, &container->reply);
}

static int ask_root(struct engine *engine, const struct spec *spec, struct container *container, int *root)
{
	int fds[2];
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_ROOT, .id_base = ID_BASE, .id_count = ID_COUNT};
	request.root_kind = spec->root_kind ? spec->root_kind : ROOT_TMPFS;
	request.root_flags = spec->root_flags;
	request.lowers = 1;
	fds[request.fds++] = detached(engine, spec->root, true);
	if (request.root_kind == ROOT_TMPFS)
		request.tmpfs_bytes = 16 << 20, request.tmpfs_inodes = 10000;
	if (request.root_kind == ROOT_OVERLAY)
		fds[request.fds++] = detached(engine, spec->upper, false);
	int status = engine_ask(engine, &request, fds, request.fds, &container->reply, root);
	for (unsigned i = 0; i < request.fds; i++)
		close(fds[i]);
	return status;
}

int engine_root(struct engine *engine, const struct spec *spec)
{
	static struct container unused; /* large */
	int root = -1, status = ask_root(engine, spec, &unused, &root);
	return status < 0 ? status : root;
}

/* What every plan has but its control socket, then what this one has. */
static int hand_over(const struct spec *spec, struct container *container, const int pipes[2][2], int root)
{
	struct handover handover = {.magic = PLAN_MAGIC};
	struct builder plan;
	int fds[32], tasks = 0, slot = SLOT_FIRST_FREE;
	fds[1] = pipes[0][0], fds[2] = fds[3] = pipes[1][1];
	handover.slot[1] = SLOT_STDIN, handover.slot[2] = SLOT_STDOUT, handover.slot[3] = SLOT_STDERR;
	handover.count = 4;
	for (; tasks < EXTRA_SLOTS && spec->tasks[tasks]; tasks++)
		fds[handover.count] = spec->tasks[tasks], handover.slot[handover.count++] = (uint16_t)slot++;
	int volume_slot = slot;
	if (spec->volume)
		fds[handover.count] = spec->volume, handover.slot[handover.count++] = (uint16_t)slot++;
	if (spec->device)
		fds[handover.count] = spec->device, handover.slot[handover.count++] = (uint16_t)slot++;
	fds[handover.count] = root, handover.slot[handover.count++] = (uint16_t)slot++;
	handover.slots = (uint16_t)slot;
	build_plan(spec, &plan, handover.slots, SLOT_FIRST_FREE, tasks, volume_slot);
	note_steps(&plan, container);
	while (spec->plan_bytes > plan.length)
		put_u8(&plan, 0);
	if (spec->plan_bytes)
		plan.length = spec->plan_bytes;
	fds[SLOT_PLAN] = sealed_plan(&plan, spec->left_open);
	builder_free(&plan);
	if (spec->spoil)
		spec->spoil(&handover);
	if (spec->leaves_at_handover)
		syscall(SYS_pidfd_send_signal, container->pidfd, SIGSTOP, NULL, 0);
	bool sent = engine_send(container->control, &handover, sizeof handover, fds, handover.count) == sizeof handover;
	close(fds[SLOT_PLAN]);
	if (spec->leaves_at_handover) {
		shutdown(container->control, SHUT_RDWR);
		syscall(SYS_pidfd_send_signal, container->pidfd, SIGCONT, NULL, 0);
	}
	return sent ? 0 : -EPIPE;
}

int container_launch(struct engine *engine, const struct spec *spec, struct container *container)
{
	int pipes[2][2], control[2], root = -1;
	*container = (struct container){.pid = -1, .pidfd = -1, .terminal = -1, .start_file = -1, .status = -1};
	if (pipe2(pipes[0], O_CLOEXEC) < 0 || pipe2(pipes[1], O_CLOEXEC) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
		return -errno;
	container->control = control[0], container->input = pipes[0][1], container->output = pipes[1][0];
	int status = ask_child(engine, spec, control[1], container);
	close(control[1]);
	if (status == 0)
		status = ask_root(engine, spec, container, &root);
	if (status == 0 && spec->links)
		status = ask_links(engine, spec, container);
	if (status == 0)
		status = hand_over(spec, container, pipes, root);
	close(pipes[0][0]), close(pipes[1][1]);
	if (root >= 0)
		close(root);
	if (spec->volume)
		close(spec->volume);
	if (spec->device)
		close(spec->device);
	if (status == 0)
		container_until_ready(container);
	else
		shutdown(container->control, SHUT_RDWR); /* a child that waits gives up */
	return status;
}

static void send_word(struct container *container, uint8_t word) { send(container->control, &word, 1, MSG_NOSIGNAL); }

void container_start(struct container *container) { send_word(container, CONTROL_START); }
void container_start_asking(struct container *container) { send_word(container, CONTROL_START_ASKING); }

static void read_output(struct container *container)
{
	int from = container->terminal >= 0 ? container->terminal : container->output;
	size_t used = 0;
	ssize_t length;
	struct pollfd readable = {from, POLLIN, 0};
	while (used < sizeof container->text - 1 && poll(&readable, 1, RECEIVE_SECONDS * 1000) > 0 &&
	       (length = read(from, container->text + used, sizeof container->text - 1 - used)) > 0)
		used += (size_t)length;
	container->text[used] = 0;
}

void container_finish(struct container *container)
{
	struct report report;
	siginfo_t info = {0};
	int fd;
	if (container->pid > 0) {
		read_output(container);
		while (container_report(container, &report, &fd))
			container->last = report;
		if (waitid(P_PIDFD, (id_t)container->pidfd, &info, WEXITED) == 0)
			container->status = info.si_code == CLD_EXITED ? info.si_status : 256 + info.si_status;
	}
	if (container->start_file >= 0 && pread(container->start_file, &container->start, sizeof container->start, 0) < 0)
		container->start.error = -errno;
	int all[] = {container->start_file, container->pidfd, container->control, container->output, container->input, container->terminal};
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i] >= 0)
			close(all[i]);
	for (unsigned i = 0; i < container->resolvers; i++)
		close(container->resolver[i]);
}

void container_run(struct engine *engine, const struct spec *spec, struct container *container)
{
	if (container_launch(engine, spec, container) == 0 && container->ready.kind == REPORT_READY)
		container_start(container);
	if (container->input >= 0 && container->terminal < 0)
		close(container->input), container->input = -1;
	container_finish(container);
}
