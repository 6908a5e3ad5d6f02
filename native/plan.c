/* The decoder of plan.h: pure, no allocation, no system call. What it lets through, init executes. */
#include "kernel.h"
#include "payloads.h"

#include <sched.h>

_Static_assert(sizeof(struct plan_header) == 16 && sizeof(struct step_header) == 8, "the wire form is packed");
_Static_assert(sizeof(struct request) == 52 && sizeof(struct reply) == 16 && sizeof(struct handover) == 8 + 2 * PLAN_MAX_SLOTS,
	       "the wire form is packed");
_Static_assert(sizeof(struct plan_link) == 64 && sizeof(struct links_request) == 56 + 64 * PLAN_MAX_LINKS, "the wire form is packed");
_Static_assert(sizeof(struct report) == 48 + 4 * PHASE_COUNT, "the wire form is packed");

const char *const plan_phase_names[PHASE_COUNT] = {"SEAL",	"MAPPED", "PRIVATE", "ROOT", "MOUNTS",	 "DEVICES", "PIVOT",
						   "PROTECT", "LIMITS", "CAPS",	   "LANDLOCK", "READY", "FILTER"};

const uint32_t plan_namespaces[PLAN_NAMESPACES] = {CLONE_NEWNET, CLONE_NEWUSER, CLONE_NEWCGROUP, CLONE_NEWIPC,
						   CLONE_NEWUTS, CLONE_NEWTIME, CLONE_NEWPID,    CLONE_NEWNS};

/* ---- the opcodes ---- */

/* how often in a plan: as often as one likes, at most once, exactly once, not at all */
enum { ANY = 0, ONCE = 1, ALWAYS = 2, NEVER = 3 };

static const struct {
	struct opcode_rule rule;
	uint8_t often[PLAN_KINDS];
	check *payload;
} opcodes[] = {
#define IN(opcode, phase, launch, exec, payload) IN_TWO(opcode, phase, phase, launch, exec, payload)
#define IN_TWO(opcode, phase, other, launch, exec, payload)                                                                        \
	{{OP_##opcode, #opcode, PHASE_##phase, PHASE_##other}, {[PLAN_LAUNCH] = launch, [PLAN_EXEC] = exec}, payload}
	IN(SEAL, SEAL, ALWAYS, ALWAYS, payload_nothing),
	IN(JOIN_CGROUP, MAPPED, ANY, ANY, payload_only_slot),
	IN(CGROUP_NAMESPACE, MAPPED, ALWAYS, NEVER, payload_nothing),
	IN(MAPPED, MAPPED, ALWAYS, ALWAYS, payload_nothing),
	IN(NO_NEW_PRIVS, MAPPED, ONCE, ONCE, payload_nothing),
	IN(ENTER, MAPPED, NEVER, ALWAYS, payload_enter),
	IN(PRIVATE, PRIVATE, ALWAYS, NEVER, payload_nothing),
	IN(ROOT, ROOT, ALWAYS, NEVER, payload_root_slot),
	IN(MOUNT_FS, MOUNTS, ANY, NEVER, payload_mount_fs),
	IN(MOUNT_FD, MOUNTS, ANY, NEVER, payload_mount_fd),
	IN(MKDIR, MOUNTS, ANY, NEVER, payload_make_dir),
	IN(FILE, MOUNTS, ANY, NEVER, payload_file),
	IN_TWO(SYMLINK, MOUNTS, DEVICES, ANY, NEVER, payload_link_to),
	IN(DEVICE, DEVICES, ANY, NEVER, payload_device),
	IN(CONSOLE, DEVICES, ONCE, ONCE, payload_console),
	IN(HOST_DEVICE, DEVICES, ANY, NEVER, payload_host_device),
	IN(PIVOT, PIVOT, ALWAYS, NEVER, payload_nothing),
	IN(SYSCTL, PROTECT, ANY, ANY, payload_sysctl),
	IN(MASK, PROTECT, ANY, NEVER, payload_only_path),
	IN(READ_ONLY, PROTECT, ANY, NEVER, payload_only_path),
	IN(ROOT_READ_ONLY, PROTECT, ONCE, NEVER, payload_nothing),
	IN(VERIFY, PROTECT, ALWAYS, NEVER, payload_nothing),
	IN(AWAIT_LINK, PROTECT, ANY, NEVER, payload_await_link),
	IN(LOOPBACK, LIMITS, ONCE, NEVER, payload_nothing),
	IN(HOSTNAME, LIMITS, ONCE, NEVER, payload_name),
	IN(DOMAINNAME, LIMITS, ONCE, NEVER, payload_name),
	IN(RLIMIT, LIMITS, ANY, ANY, payload_rlimit),
	IN(OOM_SCORE_ADJ, LIMITS, ONCE, NEVER, payload_oom_score),
	IN(KEYRING, LIMITS, ONCE, ONCE, payload_nothing),
	IN(NETLINK, LIMITS, ANY, ANY, payload_netlink),
	IN(RESOLVER, LIMITS, ONCE, NEVER, payload_resolver),
	IN(NETLINK_SOCKET, LIMITS, NEVER, ANY, payload_netlink_socket),
	IN(SYSCTL_FILE, LIMITS, NEVER, ANY, payload_sysctl_file),
	IN(GATEWAY, LIMITS, ANY, ANY, payload_gateway),
	IN(CAPS, CAPS, ALWAYS, ALWAYS, payload_caps),
	IN(LANDLOCK, LANDLOCK, ONCE, ONCE, payload_landlock),
	IN(READY, READY, ONCE, ONCE, payload_ready),
	IN_TWO(FILTER, FILTER, CAPS, ONCE, ONCE, payload_filter),
	IN(EXEC, FILTER, ONCE, ONCE, payload_exec),
	IN(FILES, FILTER, ONCE, ONCE, payload_files),
	IN(DONE, FILTER, NEVER, ONCE, payload_nothing),
#undef IN
#undef IN_TWO
};

enum { OPCODES = sizeof opcodes / sizeof *opcodes };

const struct opcode_rule *plan_opcode(unsigned index) { return index < OPCODES ? &opcodes[index].rule : NULL; }

/* ---- order ---- */

static bool is_last(uint8_t opcode) { return opcode == OP_EXEC || opcode == OP_FILES || opcode == OP_DONE; }

/* What the order of phases alone does not say. */
static enum plan_error in_order(const struct step *step, const struct context *context)
{
	const uint16_t *seen = context->seen;
	switch (step->opcode) {
	case OP_JOIN_CGROUP: /* the cgroup namespace's root is where init is when it makes it, and what it enters has no way out */
		return seen[OP_CGROUP_NAMESPACE] || seen[OP_ENTER] ? PLAN_BAD_ORDER : PLAN_OK;
	case OP_MAPPED: /* root of the user namespace that was entered */
		return context->kind == PLAN_EXEC && !seen[OP_ENTER] ? PLAN_BAD_ORDER : PLAN_OK;
	case OP_SYSCTL: /* nothing behind the check escapes it */
	case OP_AWAIT_LINK:
	case OP_MASK:
	case OP_READ_ONLY:
	case OP_ROOT_READ_ONLY:
		return seen[OP_VERIFY] ? PLAN_BAD_ORDER : PLAN_OK;
	case OP_NETLINK: /* a namespace of its own, which is what raises the loopback */
		return (context->kind == PLAN_LAUNCH && !seen[OP_LOOPBACK]) || seen[OP_RESOLVER] ? PLAN_BAD_ORDER : PLAN_OK;
	case OP_GATEWAY:
		return context->kind == PLAN_EXEC || seen[OP_LOOPBACK] ? PLAN_OK : PLAN_BAD_ORDER;
	case OP_RESOLVER:
		return seen[OP_LOOPBACK] ? PLAN_OK : PLAN_BAD_ORDER;
	case OP_FILES: /* it has a filter of its own */
		return seen[OP_FILTER] ? PLAN_BAD_ORDER : PLAN_OK;
	case OP_FILTER: /* without no_new_privs a filter needs the capabilities that OP_CAPS takes away */
		if ((step->phase == PHASE_CAPS) != (seen[OP_NO_NEW_PRIVS] == 0))
			return PLAN_BAD_ORDER;
		return step->phase == PHASE_CAPS && seen[OP_CAPS] ? PLAN_BAD_ORDER : PLAN_OK;
	default:
		return PLAN_OK;
	}
}

static enum plan_error check_step(const struct step *step, const struct step *before, struct context *context)
{
	unsigned index = 0;
	while (index < OPCODES && opcodes[index].rule.opcode != step->opcode)
		index++;
	if (index == OPCODES)
		return PLAN_BAD_OPCODE;
	const struct opcode_rule *rule = &opcodes[index].rule;
	if (step->phase != rule->phase && step->phase != rule->other_phase)
		return PLAN_BAD_PHASE;
	if (before ? step->phase < before->phase || is_last(before->opcode) : step->opcode != OP_SEAL)
		return PLAN_BAD_ORDER;
	uint8_t often = opcodes[index].often[context->kind];
	if (often == NEVER)
		return PLAN_BAD_KIND;
	enum plan_error error = in_order(step, context);
	if (error)
		return error;
	if (context->seen[step->opcode]++ && often != ANY)
		return PLAN_BAD_COUNT;
	struct reader reader = {step->payload, step->length, false};
	error = opcodes[index].payload(&reader, context);
	if (error)
		return reader.failed ? PLAN_BAD_LENGTH : error;
	return reader.failed || reader.left != 0 ? PLAN_BAD_LENGTH : PLAN_OK;
}

enum plan_error plan_decode(const uint8_t *bytes, uint32_t length, uint16_t slots, struct plan *plan, uint32_t *where)
{
	struct reader reader = {bytes, length, false};
	struct context context = {.slots = slots};
	*where = 0;
	uint32_t magic = read_u32(&reader), whole = read_u32(&reader);
	plan->count = read_u16(&reader);
	plan->slots = read_u16(&reader);
	plan->pause_before = read_u16(&reader);
	plan->kind = context.kind = read_u16(&reader);
	if (reader.failed || magic != PLAN_MAGIC || plan->kind >= PLAN_KINDS || plan->count == 0 || plan->count > PLAN_MAX_STEPS)
		return PLAN_BAD_HEADER;
	if (plan->pause_before >= plan->count && plan->pause_before != PLAN_NO_PAUSE)
		return PLAN_BAD_HEADER;
	if (whole != length || length > PLAN_MAX_BYTES)
		return PLAN_BAD_LENGTH;
	if (plan->slots != slots || slots <= SLOT_FIRST_FREE || slots > PLAN_MAX_SLOTS)
		return PLAN_BAD_SLOT;
	for (uint32_t i = 0; i < plan->count; i++) {
		struct step *step = &plan->steps[i];
		*where = i;
		step->phase = read_u8(&reader);
		step->opcode = read_u8(&reader);
		uint16_t reserved = read_u16(&reader);
		step->payload = read_bytes(&reader, &step->length);
		if (reader.failed)
			return PLAN_BAD_LENGTH;
		if (reserved != 0)
			return PLAN_BAD_STEP;
		enum plan_error error = check_step(step, i ? step - 1 : NULL, &context);
		if (error)
			return error;
	}
	if (reader.left != 0)
		return PLAN_TRAILING;
	uint8_t last = plan->steps[plan->count - 1].opcode;
	if (!is_last(last))
		return PLAN_NO_EXEC;
	if (context.seen[OP_READY] != (last == OP_EXEC)) /* a file service is its own program */
		return PLAN_BAD_COUNT;
	const uint16_t *seen = context.seen;
	bool of_network = seen[OP_SYSCTL] || seen[OP_NETLINK] || seen[OP_GATEWAY] || seen[OP_NETLINK_SOCKET] || seen[OP_SYSCTL_FILE];
	if (plan->kind == PLAN_EXEC && last != OP_DONE && of_network)
		return PLAN_BAD_KIND;
	for (unsigned i = 0; i < OPCODES; i++)
		if (opcodes[i].often[plan->kind] == ALWAYS && context.seen[opcodes[i].rule.opcode] == 0)
			return PLAN_BAD_COUNT;
	return PLAN_OK;
}
