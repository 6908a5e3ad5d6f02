/* The decoder of plan.h: pure, no allocation, no system call. What it lets through, init executes. */
#include "plan.h"
#include "reader.h"

#include <sys/resource.h>

_Static_assert(sizeof(struct plan_header) == 16 && sizeof(struct step_header) == 8, "the wire form is packed");
_Static_assert(sizeof(struct request) == 48 && sizeof(struct reply) == 16 && sizeof(struct handover) == 8 + 2 * PLAN_MAX_SLOTS,
	       "the wire form is packed");
_Static_assert(sizeof(struct report) == 40 + 4 * PHASE_COUNT, "the wire form is packed");

enum { PATH_BYTES = 4095, NAME_BYTES = 64, FILE_BYTES = 65536, FILTER_INSTRUCTIONS = 4096, FILTER_BYTES = 8, GROUPS = 256 };
enum { NO_ID = 0xffffffffu, LANDLOCK_SCOPES = 3 };
enum { DEVICE_MAJORS = 1 << 12, DEVICE_MINORS = 1 << 20 }; /* linux/kdev_t.h */

const char *const plan_phase_names[PHASE_COUNT] = {"SEAL",	"MAPPED", "PRIVATE", "ROOT", "MOUNTS",	 "DEVICES", "PIVOT",
						   "PROTECT", "LIMITS", "CAPS",	   "LANDLOCK", "READY", "FILTER"};

/* What of the plan before it a step is checked against. */
struct context {
	uint16_t slots;
	bool slot_used[PLAN_MAX_SLOTS + 1];
	uint16_t seen[UINT8_MAX + 1];
};

typedef enum plan_error check(struct reader *, struct context *);

/* ---- elements ---- */

static enum plan_error text(struct reader *reader, uint32_t min, uint32_t max)
{
	uint32_t length;
	const uint8_t *at = read_bytes(reader, &length);
	if (!at)
		return PLAN_BAD_LENGTH;
	if (length < min || length > max || memchr(at, 0, length))
		return PLAN_BAD_TEXT;
	return PLAN_OK;
}

static enum plan_error path(struct reader *reader)
{
	uint32_t length;
	const uint8_t *at = read_bytes(reader, &length);
	if (!at)
		return PLAN_BAD_LENGTH;
	if (length < 1 || length > PATH_BYTES || memchr(at, 0, length))
		return PLAN_BAD_PATH;
	for (uint32_t start = 0; start <= length;) {
		const uint8_t *slash = memchr(at + start, '/', length - start);
		uint32_t size = (slash ? (uint32_t)(slash - at) : length) - start;
		if (size == 0 || (size <= 2 && memcmp(at + start, "..", size) == 0))
			return PLAN_BAD_PATH;
		start += size + 1;
	}
	return PLAN_OK;
}

static enum plan_error list(struct reader *reader, uint32_t min)
{
	uint32_t count = read_u32(reader);
	if (count < min || count > PLAN_MAX_LIST)
		return PLAN_BAD_VALUE;
	for (uint32_t i = 0; i < count; i++) {
		enum plan_error error = text(reader, 0, PLAN_MAX_BYTES);
		if (error)
			return error;
	}
	return PLAN_OK;
}

static enum plan_error slot(struct reader *reader, struct context *context, bool root)
{
	uint16_t number = read_u16(reader);
	if (number < SLOT_FIRST_FREE || number >= context->slots || root != (number == context->slots - 1))
		return PLAN_BAD_SLOT;
	if (context->slot_used[number])
		return PLAN_BAD_SLOT;
	context->slot_used[number] = true;
	return PLAN_OK;
}

/* ---- payloads ---- */

static enum plan_error nothing(struct reader *reader, struct context *context)
{
	(void)reader, (void)context;
	return PLAN_OK;
}

static enum plan_error only_slot(struct reader *reader, struct context *context) { return slot(reader, context, false); }
static enum plan_error root_slot(struct reader *reader, struct context *context) { return slot(reader, context, true); }

static enum plan_error only_path(struct reader *reader, struct context *context)
{
	(void)context;
	return path(reader);
}

static enum plan_error name(struct reader *reader, struct context *context)
{
	(void)context;
	return text(reader, 1, NAME_BYTES);
}

static enum plan_error mount_fs(struct reader *reader, struct context *context)
{
	(void)context;
	uint8_t kind = read_u8(reader), flags = read_u8(reader);
	uint32_t mode = read_u32(reader);
	read_u64(reader), read_u64(reader);
	if (!((kind >= FS_PROC && kind <= FS_CGROUP2) || (kind >= FS_CGROUP1_CPU && kind <= FS_CGROUP1_BLKIO)))
		return PLAN_BAD_VALUE;
	if (flags > (MOUNT_RDONLY | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC) || mode > 01777)
		return PLAN_BAD_VALUE;
	return path(reader);
}

static enum plan_error mount_fd(struct reader *reader, struct context *context)
{
	enum plan_error error = slot(reader, context, false);
	if (error)
		return error;
	if (read_u8(reader) > 1)
		return PLAN_BAD_VALUE;
	return path(reader);
}

static enum plan_error make_dir(struct reader *reader, struct context *context)
{
	(void)context;
	if (read_u32(reader) > 01777)
		return PLAN_BAD_VALUE;
	return path(reader);
}

static enum plan_error file(struct reader *reader, struct context *context)
{
	(void)context;
	uint32_t length;
	if (read_u32(reader) > 0777)
		return PLAN_BAD_VALUE;
	enum plan_error error = path(reader);
	if (error)
		return error;
	if (!read_bytes(reader, &length))
		return PLAN_BAD_LENGTH;
	return length <= FILE_BYTES ? PLAN_OK : PLAN_BAD_VALUE;
}

static enum plan_error link_to(struct reader *reader, struct context *context)
{
	(void)context;
	enum plan_error error = text(reader, 1, PATH_BYTES);
	return error ? error : path(reader);
}

static enum plan_error device(struct reader *reader, struct context *context)
{
	(void)context;
	uint8_t number = read_u8(reader);
	return number >= DEVICE_NULL && number <= DEVICE_TTY ? PLAN_OK : PLAN_BAD_VALUE;
}

static enum plan_error console(struct reader *reader, struct context *context)
{
	(void)context;
	read_u16(reader), read_u16(reader);
	return read_u32(reader) != NO_ID && read_u32(reader) != NO_ID ? PLAN_OK : PLAN_BAD_VALUE;
}

/* Below /dev alone, where nothing of the image is. */
static enum plan_error host_device(struct reader *reader, struct context *context)
{
	static const char dev[] = {'d', 'e', 'v', '/'};
	enum plan_error error = slot(reader, context, false);
	if (error)
		return error;
	uint8_t kind = read_u8(reader);
	uint32_t major = read_u32(reader), minor = read_u32(reader), length;
	if ((kind != DEVICE_CHARACTER && kind != DEVICE_BLOCK) || major >= DEVICE_MAJORS || minor >= DEVICE_MINORS)
		return PLAN_BAD_VALUE;
	struct reader again = *reader;
	error = path(reader);
	if (error)
		return error;
	const uint8_t *at = read_bytes(&again, &length);
	return length > sizeof dev && memcmp(at, dev, sizeof dev) == 0 ? PLAN_OK : PLAN_BAD_PATH;
}

/* CVE-2022-0811: a value with a newline or another control character sets more than it says. */
static enum plan_error sysctl(struct reader *reader, struct context *context)
{
	(void)context;
	enum plan_error error = path(reader);
	if (error)
		return error;
	struct reader again = *reader;
	error = text(reader, 1, PATH_BYTES);
	if (error)
		return error;
	uint32_t length;
	const uint8_t *at = read_bytes(&again, &length);
	for (uint32_t i = 0; i < length; i++)
		if ((at[i] < ' ' && at[i] != '\t') || at[i] == 0x7f)
			return PLAN_BAD_TEXT;
	return PLAN_OK;
}

static enum plan_error rlimit(struct reader *reader, struct context *context)
{
	(void)context;
	uint32_t resource = read_u32(reader);
	uint64_t soft = read_u64(reader), hard = read_u64(reader);
	return resource < RLIM_NLIMITS && soft <= hard ? PLAN_OK : PLAN_BAD_VALUE;
}

static enum plan_error oom_score(struct reader *reader, struct context *context)
{
	(void)context;
	int32_t score = read_i32(reader);
	return score >= -1000 && score <= 1000 ? PLAN_OK : PLAN_BAD_VALUE;
}

static enum plan_error caps(struct reader *reader, struct context *context)
{
	(void)context;
	uint64_t bounding = read_u64(reader), permitted = read_u64(reader);
	uint32_t uid = read_u32(reader), gid = read_u32(reader), count = read_u32(reader);
	if (permitted & ~bounding || uid == NO_ID || gid == NO_ID || count > GROUPS)
		return PLAN_BAD_VALUE;
	for (uint32_t i = 0; i < count; i++)
		if (read_u32(reader) == NO_ID)
			return PLAN_BAD_VALUE;
	return PLAN_OK;
}

static enum plan_error landlock(struct reader *reader, struct context *context)
{
	(void)context;
	uint32_t scopes = read_u32(reader);
	return scopes != 0 && scopes <= LANDLOCK_SCOPES ? PLAN_OK : PLAN_BAD_VALUE;
}

static enum plan_error ready(struct reader *reader, struct context *context)
{
	(void)context;
	struct reader again = *reader;
	enum plan_error error = text(reader, 1, PATH_BYTES);
	if (error)
		return error;
	uint32_t length;
	return *read_bytes(&again, &length) == '/' ? PLAN_OK : PLAN_BAD_PATH;
}

static enum plan_error filter(struct reader *reader, struct context *context)
{
	(void)context;
	uint32_t length;
	if (!read_bytes(reader, &length))
		return PLAN_BAD_LENGTH;
	return length != 0 && length % FILTER_BYTES == 0 && length / FILTER_BYTES <= FILTER_INSTRUCTIONS ? PLAN_OK
													   : PLAN_BAD_VALUE;
}

static enum plan_error exec(struct reader *reader, struct context *context)
{
	(void)context;
	if (read_u8(reader) > 1 || read_u8(reader) > 1)
		return PLAN_BAD_VALUE;
	enum plan_error error = text(reader, 0, PATH_BYTES);
	if (error)
		return error;
	struct reader again = *reader;
	error = list(reader, 1);
	if (error)
		return error;
	uint32_t length;
	read_u32(&again);
	read_bytes(&again, &length);
	if (length == 0 || length > PATH_BYTES) /* the program's own name */
		return PLAN_BAD_TEXT;
	return list(reader, 0);
}

/* ---- the opcodes ---- */

enum { ANY = 0, ONCE = 1, ALWAYS = 2 }; /* how often: as often as one likes, at most once, exactly once */

static const struct {
	struct opcode_rule rule;
	uint8_t often;
	check *payload;
} opcodes[] = {
#define IN(opcode, phase, often, payload) {{OP_##opcode, #opcode, PHASE_##phase, PHASE_##phase}, often, payload}
#define IN_TWO(opcode, phase, other, often, payload) {{OP_##opcode, #opcode, PHASE_##phase, PHASE_##other}, often, payload}
	IN(SEAL, SEAL, ALWAYS, nothing),
	IN(JOIN_CGROUP, MAPPED, ANY, only_slot),
	IN(CGROUP_NAMESPACE, MAPPED, ALWAYS, nothing),
	IN(MAPPED, MAPPED, ALWAYS, nothing),
	IN(NO_NEW_PRIVS, MAPPED, ONCE, nothing),
	IN(PRIVATE, PRIVATE, ALWAYS, nothing),
	IN(ROOT, ROOT, ALWAYS, root_slot),
	IN(MOUNT_FS, MOUNTS, ANY, mount_fs),
	IN(MOUNT_FD, MOUNTS, ANY, mount_fd),
	IN(MKDIR, MOUNTS, ANY, make_dir),
	IN(FILE, MOUNTS, ANY, file),
	IN_TWO(SYMLINK, MOUNTS, DEVICES, ANY, link_to),
	IN(DEVICE, DEVICES, ANY, device),
	IN(CONSOLE, DEVICES, ONCE, console),
	IN(HOST_DEVICE, DEVICES, ANY, host_device),
	IN(PIVOT, PIVOT, ALWAYS, nothing),
	IN(SYSCTL, PROTECT, ANY, sysctl),
	IN(MASK, PROTECT, ANY, only_path),
	IN(READ_ONLY, PROTECT, ANY, only_path),
	IN(ROOT_READ_ONLY, PROTECT, ONCE, nothing),
	IN(VERIFY, PROTECT, ALWAYS, nothing),
	IN(LOOPBACK, LIMITS, ONCE, nothing),
	IN(HOSTNAME, LIMITS, ONCE, name),
	IN(DOMAINNAME, LIMITS, ONCE, name),
	IN(RLIMIT, LIMITS, ANY, rlimit),
	IN(OOM_SCORE_ADJ, LIMITS, ONCE, oom_score),
	IN(KEYRING, LIMITS, ONCE, nothing),
	IN(CAPS, CAPS, ALWAYS, caps),
	IN(LANDLOCK, LANDLOCK, ONCE, landlock),
	IN(READY, READY, ALWAYS, ready),
	IN_TWO(FILTER, FILTER, CAPS, ONCE, filter),
	IN(EXEC, FILTER, ALWAYS, exec),
#undef IN
#undef IN_TWO
};

enum { OPCODES = sizeof opcodes / sizeof *opcodes };

const struct opcode_rule *plan_opcode(unsigned index) { return index < OPCODES ? &opcodes[index].rule : NULL; }

/* ---- order ---- */

/* What the order of phases alone does not say. */
static enum plan_error in_order(const struct step *step, const struct context *context)
{
	const uint16_t *seen = context->seen;
	switch (step->opcode) {
	case OP_JOIN_CGROUP: /* the cgroup namespace's root is where init is when it makes it */
		return seen[OP_CGROUP_NAMESPACE] ? PLAN_BAD_ORDER : PLAN_OK;
	case OP_SYSCTL: /* nothing behind the check escapes it */
	case OP_MASK:
	case OP_READ_ONLY:
	case OP_ROOT_READ_ONLY:
		return seen[OP_VERIFY] ? PLAN_BAD_ORDER : PLAN_OK;
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
	if (before ? step->phase < before->phase || before->opcode == OP_EXEC : step->opcode != OP_SEAL)
		return PLAN_BAD_ORDER;
	enum plan_error error = in_order(step, context);
	if (error)
		return error;
	if (context->seen[step->opcode]++ && opcodes[index].often != ANY)
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
	uint16_t reserved = read_u16(&reader);
	if (reader.failed || magic != PLAN_MAGIC || reserved != 0 || plan->count == 0 || plan->count > PLAN_MAX_STEPS)
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
		reserved = read_u16(&reader);
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
	if (plan->steps[plan->count - 1].opcode != OP_EXEC)
		return PLAN_NO_EXEC;
	for (unsigned i = 0; i < OPCODES; i++)
		if (opcodes[i].often == ALWAYS && context.seen[opcodes[i].rule.opcode] == 0)
			return PLAN_BAD_COUNT;
	return PLAN_OK;
}
