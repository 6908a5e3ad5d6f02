#include "service.h"
#include "check.h"
#include "../kernel.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct container box, service;
struct files_reply answer;
uint8_t payload[FILES_MAX_MESSAGE + 1];
uint32_t payload_length;
int passed = -1;

static const uint32_t entered = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS;

const char *served_path = "";

enum { SPACES = 3, SLOTS = SLOT_FIRST_FREE + SPACES + 1 };

/* The shell runs a line of its input at a time, and says a NUL behind each. */
void begin_files(const char *script, uint64_t file_bytes)
{
	static const char loop[] = "cd /tmp; while read -r line; do eval \"$line\" 2>&1; printf '\\0'; done";
	struct spec spec = shell(loop);
	CHECK_EQUAL(0, container_launch(&engine, &spec, &box));
	container_start(&box);
	in_box(script);
	begin_service(file_bytes);
}

const char *in_box(const char *script)
{
	static char said[65536];
	struct pollfd readable = {box.output, POLLIN, 0};
	size_t used = 0;
	dprintf(box.input, "%s\n", script);
	do {
		if (used == sizeof said || poll(&readable, 1, 20000) <= 0 || read(box.output, said + used, 1) != 1)
			return "no answer";
	} while (said[used++] != 0);
	return said;
}

static void plan_of_service(struct builder *plan, uint64_t file_bytes)
{
	builder_start(plan, SLOTS);
	plan->kind = PLAN_EXEC;
	builder_step(plan, PHASE_SEAL, OP_SEAL);
	builder_step(plan, PHASE_MAPPED, OP_ENTER), put_u32(plan, entered);
	for (uint16_t i = 0; i < SPACES; i++)
		put_u16(plan, SLOT_FIRST_FREE + i);
	builder_step(plan, PHASE_MAPPED, OP_MAPPED);
	builder_step(plan, PHASE_MAPPED, OP_NO_NEW_PRIVS);
	if (file_bytes)
		builder_step(plan, PHASE_LIMITS, OP_RLIMIT), put_u32(plan, 1), put_u64(plan, file_bytes), put_u64(plan, file_bytes); /* FSIZE */
	builder_step(plan, PHASE_LIMITS, OP_KEYRING);
	builder_step(plan, PHASE_CAPS, OP_CAPS), put_u64(plan, 0x0b), put_u64(plan, 0x0b); /* CHOWN, DAC_OVERRIDE, FOWNER */
	put_u32(plan, 0), put_u32(plan, 0), put_u32(plan, 0);
	builder_step(plan, PHASE_FILTER, OP_FILES), put_u16(plan, SLOTS - 1), put_text(plan, served_path);
	builder_finish(plan);
}

void ready_service(uint64_t file_bytes)
{
	static const char *const names[SPACES] = {"user", "pid", "mnt"};
	struct handover handover = {.magic = PLAN_MAGIC, .slots = SLOTS, .count = SLOTS - 1, .slot = {SLOT_PLAN, SLOT_STDIN, SLOT_STDOUT, SLOT_STDERR}};
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_EXEC, .fds = 1, .id_base = ID_BASE, .id_count = ID_COUNT};
	struct builder plan;
	int control[2], fds[SLOTS];
	char path[64];
	service = (struct container){.pid = -1, .pidfd = -1, .terminal = -1, .status = -1, .input = -1, .output = -1};
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) == 0);
	service.control = control[0];
	CHECK_EQUAL(0, engine_ask(&engine, &request, &control[1], 1, &service.reply, &service.pidfd));
	service.pid = service.reply.pid;
	close(control[1]);
	plan_of_service(&plan, file_bytes);
	fds[0] = sealed_plan(&plan, 0);
	builder_free(&plan);
	for (unsigned i = 1; i < 4; i++)
		fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (uint16_t i = 0; i <= SPACES; i++)
		handover.slot[4 + i] = SLOT_FIRST_FREE + i;
	for (unsigned i = 0; i < SPACES; i++) {
		snprintf(path, sizeof path, "/proc/%d/ns/%s", box.pid, names[i]);
		fds[4 + i] = open(path, O_RDONLY | O_CLOEXEC);
	}
	fds[4 + SPACES] = dup(box.pidfd);
	CHECK_EQUAL(sizeof handover, engine_send(control[0], &handover, sizeof handover, fds, handover.count));
	for (unsigned i = 0; i < handover.count; i++)
		close(fds[i]);
	container_until_ready(&service);
	CHECK_EQUAL(REPORT_READY, service.ready.kind);
}

void begin_service(uint64_t file_bytes)
{
	ready_service(file_bytes);
	container_start(&service);
}

int end_service(void)
{
	siginfo_t info = {0};
	struct pollfd ended = {service.pidfd, POLLIN, 0};
	close(service.control);
	if (poll(&ended, 1, 20000) <= 0)
		return -1;
	waitid(P_PIDFD, (id_t)service.pidfd, &info, WEXITED);
	close(service.pidfd);
	return info.si_code == CLD_EXITED ? info.si_status : 256 + info.si_status;
}

unsigned descriptors_of_service(void)
{
	char path[64];
	unsigned count = 0;
	for (int fd = 0; fd < 300; fd++) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", service.pid, fd);
		count += faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	}
	return count;
}

void end_files(void)
{
	CHECK_EQUAL(0, ask_path(FILES_STAT, 0, "")); /* it works */
	CHECK_EQUAL(ITS_DESCRIPTORS, descriptors_of_service());
	CHECK_EQUAL(0, end_service());
	close(box.input), box.input = -1;
	container_finish(&box);
}

/* ---- requests ---- */

int ask_with(struct files_request head, const char *path, const char *other, int fd)
{
	static uint32_t sequence;
	static uint8_t message[FILES_MAX_MESSAGE], reply[sizeof answer + FILES_MAX_MESSAGE];
	head.magic = head.magic ? head.magic : FILES_MAGIC, head.sequence = ++sequence;
	head.path = (uint16_t)strlen(path), head.other = (uint16_t)(other ? strlen(other) : 0);
	memcpy(message, &head, sizeof head);
	memcpy(message + sizeof head, path, head.path);
	if (other)
		memcpy(message + sizeof head + head.path, other, head.other);
	size_t length = sizeof head + head.path + head.other;
	if (engine_send(service.control, message, length, &fd, fd >= 0) != (ssize_t)length)
		return DIED;
	if (passed >= 0)
		close(passed);
	ssize_t got = engine_receive(service.control, reply, sizeof reply, &passed);
	if (got < (ssize_t)sizeof answer)
		return DIED;
	memcpy(&answer, reply, sizeof answer);
	payload_length = (uint32_t)((size_t)got - sizeof answer);
	memcpy(payload, reply + sizeof answer, payload_length);
	payload[payload_length] = 0;
	CHECK(answer.magic == FILES_MAGIC && answer.sequence == sequence);
	CHECK(answer.status == 0 || payload_length == 0);
	return answer.status;
}

int ask_files(struct files_request head, const char *path, const char *other) { return ask_with(head, path, other, -1); }

int ask_path(uint16_t op, uint16_t flags, const char *path) { return ask_files((struct files_request){.op = op, .flags = flags}, path, NULL); }

struct files_stat told_stat(void)
{
	struct files_stat stat;
	memcpy(&stat, payload, sizeof stat);
	return stat;
}

struct files_stat stat_of(const char *path)
{
	CHECK_EQUAL(0, ask_path(FILES_STAT, 0, path));
	return told_stat();
}
