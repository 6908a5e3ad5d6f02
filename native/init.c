/* The container's first process: walks a plan forwards, once. Nothing but the table below decides what a step does. */
#include "init.h"
#include "kernel.h"
#include "messages.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

/* The security order: plan.c lets a plan go down this table only. */
static const struct {
	uint8_t opcode;
	action *run;
} steps[] = {
	/*  0 SEAL     */ {OP_SEAL, seal},
	/*  1 MAPPED   */ {OP_JOIN_CGROUP, join_cgroup}, {OP_CGROUP_NAMESPACE, cgroup_namespace},
	/*           */ {OP_ENTER, enter}, {OP_MAPPED, mapped}, {OP_NO_NEW_PRIVS, no_new_privs},
	/*  2 PRIVATE  */ {OP_PRIVATE, private},
	/*  3 ROOT     */ {OP_ROOT, attach_root},
	/*  4 MOUNTS   */ {OP_MOUNT_FS, mount_fs}, {OP_MOUNT_FD, mount_fd}, {OP_MKDIR, make_directory},
	/*           */ {OP_FILE, write_file}, {OP_SYMLINK, make_symlink},
	/*  5 DEVICES  */ {OP_DEVICE, make_device}, {OP_CONSOLE, make_console},
	/*           */ {OP_HOST_DEVICE, place_device},
	/*  6 PIVOT    */ {OP_PIVOT, pivot},
	/*  7 PROTECT  */ {OP_SYSCTL, write_sysctl}, {OP_AWAIT_LINK, await_link}, {OP_MASK, mask}, {OP_READ_ONLY, read_only},
	/*           */ {OP_ROOT_READ_ONLY, root_read_only}, {OP_VERIFY, verify},
	/*  8 LIMITS   */ {OP_LOOPBACK, loopback}, {OP_HOSTNAME, set_hostname}, {OP_DOMAINNAME, set_domainname},
	/*           */ {OP_RLIMIT, set_limit}, {OP_OOM_SCORE_ADJ, set_oom_score}, {OP_KEYRING, session_keyring},
	/*           */ {OP_NETLINK, send_netlink}, {OP_RESOLVER, open_resolver},
	/*           */ {OP_NETLINK_SOCKET, lend_netlink}, {OP_SYSCTL_FILE, lend_sysctl},
	/*           */ {OP_GATEWAY, ask_gateway},
	/*  9 CAPS     */ {OP_CAPS, drop_privileges},
	/* 10 LANDLOCK */ {OP_LANDLOCK, restrict_scopes},
	/* 11 READY    */ {OP_READY, ready},
	/* 12 FILTER   */ {OP_FILTER, take_filter}, {OP_EXEC, execute}, /* execveat and nothing behind it */
	/*           */ {OP_FILES, serve_files}, {OP_DONE, done},
};

static uint64_t micros(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void account(struct init *init, uint8_t phase)
{
	uint64_t now = micros();
	init->phase_micros[phase] += (uint32_t)(now - init->clock);
	init->clock = now;
}

int report(const struct init *init, const struct report *report, int fd)
{
	return send_message(init->slot[SLOT_CONTROL], report, sizeof *report, fd);
}

_Noreturn void fail(const struct init *init, uint32_t phase, uint32_t step, int error, uint32_t detail)
{
	struct report message = {.magic = PLAN_MAGIC, .kind = REPORT_ERROR, .phase = phase, .step = step, .status = error};
	message.detail = detail;
	report(init, &message, -1); /* who does not hear it sees the exit code */
	_exit(EXIT_REFUSED);
}

int wait_for_word(const struct init *init)
{
	uint8_t byte = 0;
	ssize_t length;
	do
		length = recv(init->slot[SLOT_CONTROL], &byte, 1, MSG_TRUNC);
	while (length < 0 && errno == EINTR);
	return length == 1 ? byte : -ECANCELED;
}

void read_text(struct reader *reader, char text[PATH_SIZE])
{
	uint32_t length;
	const uint8_t *at = read_bytes(reader, &length);
	if (!at || length >= PATH_SIZE)
		_exit(EXIT_REFUSED); /* plan_decode let nothing of this size through */
	memcpy(text, at, length);
	text[length] = 0;
}

/* Sealed, so that what was checked is what is executed. */
static int map_plan(struct init *init)
{
	int fd = init->slot[SLOT_PLAN];
	struct stat stat;
	if (!is_sealed(fd))
		return -EPERM;
	if (fstat(fd, &stat) < 0)
		return -errno;
	if (stat.st_size < (off_t)sizeof(struct plan_header) || stat.st_size > PLAN_MAX_BYTES)
		return -EFBIG;
	init->length = (uint32_t)stat.st_size;
	init->bytes = mmap(NULL, init->length, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (init->bytes == MAP_FAILED)
		return -errno;
	close_fd(&init->slot[SLOT_PLAN]);
	return 0;
}

static void pause_at(const struct init *init, const struct step *step)
{
	struct report message = {.magic = PLAN_MAGIC, .kind = REPORT_PAUSED, .phase = step->phase, .step = init->step};
	if (report(init, &message, -1) < 0 || wait_for_word(init) != CONTROL_START)
		_exit(EXIT_REFUSED);
}

static int run(struct init *init, const struct step *step)
{
	struct reader reader = {step->payload, step->length, false};
	for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++)
		if (steps[i].opcode == step->opcode)
			return steps[i].run(init, &reader);
	return -ENOSYS;
}

/* The decoder knows how many slots there are, not which of them came. */
static bool has_its_slots(const struct init *init)
{
	for (uint32_t i = 0; i < init->plan.count; i++) {
		const struct step *step = &init->plan.steps[i];
		struct reader payload = {step->payload, step->length, false};
		bool takes_one = step->opcode == OP_JOIN_CGROUP || step->opcode == OP_ROOT || step->opcode == OP_MOUNT_FD ||
				 step->opcode == OP_HOST_DEVICE || step->opcode == OP_FILES;
		uint16_t slot = takes_one ? read_u16(&payload) : PLAN_NO_SLOT;
		if (slot != PLAN_NO_SLOT && init->slot[slot] < 0)
			return false;
		uint32_t entered = step->opcode == OP_ENTER ? read_u32(&payload) : 0;
		for (unsigned k = 0; k < PLAN_NAMESPACES; k++)
			if (entered & plan_namespaces[k] && init->slot[read_u16(&payload)] < 0)
				return false;
	}
	return true;
}

_Noreturn void init(int control, uint32_t id_count, uint16_t plan_kind)
{
	static struct init init; /* large, and there is one */
	init.id_count = id_count;
	init.kind = plan_kind;
	init.root = init.proc = init.devpts = init.null = init.empty = init.self = -1;

	int error = take_handover(&init, control);
	init.clock = micros();
	if (error == 0)
		error = map_plan(&init);
	if (error < 0)
		fail(&init, PHASE_SEAL, 0, -error, 0);
	enum plan_error broken = plan_decode(init.bytes, init.length, init.slots, &init.plan, &init.step);
	if (broken == PLAN_OK && init.plan.kind != plan_kind) /* one that makes a root would make it in the zygote's namespaces */
		broken = PLAN_BAD_KIND;
	if (broken == PLAN_OK && !has_its_slots(&init))
		broken = PLAN_BAD_SLOT;
	if (broken != PLAN_OK)
		fail(&init, PHASE_SEAL, init.step, EBADMSG, broken);

	for (init.step = 0; init.step < init.plan.count; init.step++) {
		const struct step *step = &init.plan.steps[init.step];
		if (init.step == init.plan.pause_before)
			pause_at(&init, step);
		error = run(&init, step);
		if (error < 0)
			fail(&init, step->phase, init.step, -error, 0);
		account(&init, step->phase);
	}
	fail(&init, PHASE_FILTER, init.plan.count - 1, EPROTO, 0); /* OP_EXEC came back without an error */
}
