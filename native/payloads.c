/* What stands in each step: lengths, ranges, paths and text, before anything of it is used. */
#include "payloads.h"

#include <linux/netlink.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { PATH_BYTES = 4095, NAME_BYTES = 64, FILE_BYTES = 65536, FILTER_INSTRUCTIONS = 4096, FILTER_BYTES = 8, GROUPS = 256 };
enum { NO_ID = 0xffffffffu, LANDLOCK_SCOPES = 3 };
enum { NETLINK_BYTES = 65536, FIRST_FREE_PORT = 1024, LOOPBACK_INDEX = 1, ADDRESS_BYTES = 16 };
enum { DEVICE_MAJORS = 1 << 12, DEVICE_MINORS = 1 << 20 }; /* linux/kdev_t.h */

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
	bool is_root = context->kind == PLAN_LAUNCH && number == context->slots - 1;
	if (number < SLOT_FIRST_FREE || number >= context->slots || root != is_root)
		return PLAN_BAD_SLOT;
	if (context->slot_used[number])
		return PLAN_BAD_SLOT;
	context->slot_used[number] = true;
	return PLAN_OK;
}

/* ---- payloads ---- */

enum plan_error payload_nothing(struct reader *reader, struct context *context)
{
	(void)reader, (void)context;
	return PLAN_OK;
}

enum plan_error payload_only_slot(struct reader *reader, struct context *context) { return slot(reader, context, false); }
enum plan_error payload_root_slot(struct reader *reader, struct context *context) { return slot(reader, context, true); }

enum plan_error payload_only_path(struct reader *reader, struct context *context)
{
	(void)context;
	return path(reader);
}

enum plan_error payload_name(struct reader *reader, struct context *context)
{
	(void)context;
	return text(reader, 1, NAME_BYTES);
}

enum plan_error payload_mount_fs(struct reader *reader, struct context *context)
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

enum plan_error payload_mount_fd(struct reader *reader, struct context *context)
{
	enum plan_error error = slot(reader, context, false);
	if (error)
		return error;
	if (read_u8(reader) > 1)
		return PLAN_BAD_VALUE;
	return path(reader);
}

enum plan_error payload_make_dir(struct reader *reader, struct context *context)
{
	(void)context;
	if (read_u32(reader) > 01777)
		return PLAN_BAD_VALUE;
	return path(reader);
}

enum plan_error payload_file(struct reader *reader, struct context *context)
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

enum plan_error payload_link_to(struct reader *reader, struct context *context)
{
	(void)context;
	enum plan_error error = text(reader, 1, PATH_BYTES);
	return error ? error : path(reader);
}

enum plan_error payload_device(struct reader *reader, struct context *context)
{
	(void)context;
	uint8_t number = read_u8(reader);
	return number >= DEVICE_NULL && number <= DEVICE_TTY ? PLAN_OK : PLAN_BAD_VALUE;
}

enum plan_error payload_console(struct reader *reader, struct context *context)
{
	(void)context;
	read_u16(reader), read_u16(reader);
	return read_u32(reader) != NO_ID && read_u32(reader) != NO_ID ? PLAN_OK : PLAN_BAD_VALUE;
}

/* Below /dev alone, where nothing of the image is. */
enum plan_error payload_host_device(struct reader *reader, struct context *context)
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
/* Of the namespaces that are entered, only the network's has settings that are its own by whoever looks. */
static bool is_of_network(struct reader reader)
{
	uint32_t length;
	const uint8_t *at = read_bytes(&reader, &length);
	return at && length > 4 && memcmp(at, "net/", 4) == 0;
}

enum plan_error payload_sysctl(struct reader *reader, struct context *context)
{
	struct reader again = *reader;
	enum plan_error error = path(reader);
	if (error)
		return error;
	if (context->kind == PLAN_EXEC && !is_of_network(again))
		return PLAN_BAD_VALUE;
	again = *reader;
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

enum plan_error payload_rlimit(struct reader *reader, struct context *context)
{
	(void)context;
	uint32_t resource = read_u32(reader);
	uint64_t soft = read_u64(reader), hard = read_u64(reader);
	return resource < RLIM_NLIMITS && soft <= hard ? PLAN_OK : PLAN_BAD_VALUE;
}

enum plan_error payload_oom_score(struct reader *reader, struct context *context)
{
	(void)context;
	int32_t score = read_i32(reader);
	return score >= -1000 && score <= 1000 ? PLAN_OK : PLAN_BAD_VALUE;
}

/* Whole requests, one behind the other: the kernel would stop at one that leads past the end, and say nothing. */
static enum plan_error netlink_requests(const uint8_t *at, uint32_t length)
{
	bool acknowledged = false;
	struct nlmsghdr header;
	while (length > 0) {
		if (length < sizeof header)
			return PLAN_BAD_VALUE;
		memcpy(&header, at, sizeof header);
		if (header.nlmsg_len < sizeof header || header.nlmsg_len > length || header.nlmsg_len % NLMSG_ALIGNTO != 0)
			return PLAN_BAD_VALUE;
		if (!(header.nlmsg_flags & NLM_F_REQUEST))
			return PLAN_BAD_VALUE;
		acknowledged |= header.nlmsg_flags & NLM_F_ACK;
		at += header.nlmsg_len;
		length -= header.nlmsg_len;
	}
	return acknowledged ? PLAN_OK : PLAN_BAD_VALUE;
}

static bool is_of_a_network(uint8_t protocol) { return protocol == NETLINK_ROUTE || protocol == NETLINK_NETFILTER; }

enum plan_error payload_netlink(struct reader *reader, struct context *context)
{
	(void)context;
	uint32_t length;
	uint8_t protocol = read_u8(reader);
	const uint8_t *at = read_bytes(reader, &length);
	if (!at)
		return PLAN_BAD_LENGTH;
	if (!is_of_a_network(protocol) || length > NETLINK_BYTES)
		return PLAN_BAD_VALUE;
	return netlink_requests(at, length);
}

static bool is_index(uint32_t index) { return index > LOOPBACK_INDEX && index <= INT32_MAX; }

enum plan_error payload_await_link(struct reader *reader, struct context *context)
{
	(void)context;
	return is_index(read_u32(reader)) ? PLAN_OK : PLAN_BAD_VALUE;
}

enum plan_error payload_gateway(struct reader *reader, struct context *context)
{
	(void)context;
	uint32_t index = read_u32(reader);
	uint8_t family = read_u8(reader);
	for (unsigned i = 0; i < ADDRESS_BYTES; i++)
		read_u8(reader);
	bool valid = is_index(index) && (family == AF_INET || family == AF_INET6);
	return valid ? PLAN_OK : PLAN_BAD_VALUE;
}

enum plan_error payload_netlink_socket(struct reader *reader, struct context *context)
{
	(void)context;
	return is_of_a_network(read_u8(reader)) ? PLAN_OK : PLAN_BAD_VALUE;
}

enum plan_error payload_sysctl_file(struct reader *reader, struct context *context)
{
	(void)context;
	struct reader again = *reader;
	enum plan_error error = path(reader);
	if (error)
		return error;
	return is_of_network(again) ? PLAN_OK : PLAN_BAD_VALUE;
}

enum plan_error payload_resolver(struct reader *reader, struct context *context)
{
	(void)context;
	uint16_t udp = read_u16(reader), tcp = read_u16(reader);
	return udp >= FIRST_FREE_PORT && tcp >= FIRST_FREE_PORT ? PLAN_OK : PLAN_BAD_VALUE;
}

enum plan_error payload_caps(struct reader *reader, struct context *context)
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

enum plan_error payload_landlock(struct reader *reader, struct context *context)
{
	(void)context;
	uint32_t scopes = read_u32(reader);
	return scopes != 0 && scopes <= LANDLOCK_SCOPES ? PLAN_OK : PLAN_BAD_VALUE;
}

enum plan_error payload_ready(struct reader *reader, struct context *context)
{
	(void)context;
	struct reader again = *reader;
	enum plan_error error = text(reader, 1, PATH_BYTES);
	if (error)
		return error;
	uint32_t length;
	return *read_bytes(&again, &length) == '/' ? PLAN_OK : PLAN_BAD_PATH;
}

enum plan_error payload_filter(struct reader *reader, struct context *context)
{
	(void)context;
	uint32_t length;
	if (!read_bytes(reader, &length))
		return PLAN_BAD_LENGTH;
	return length != 0 && length % FILTER_BYTES == 0 && length / FILTER_BYTES <= FILTER_INSTRUCTIONS ? PLAN_OK
													   : PLAN_BAD_VALUE;
}

/* A process that has entered a pid namespace stays outside of it; its child is the program. */
enum plan_error payload_exec(struct reader *reader, struct context *context)
{
	uint8_t child = read_u8(reader);
	if (child > 2 || read_u8(reader) > 1 || (context->kind == PLAN_EXEC && child == 0))
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

/* Without these three it would be a program of the host's, with the host's ids, files or processes. */
enum plan_error payload_enter(struct reader *reader, struct context *context)
{
	const uint32_t obligatory = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID;
	uint32_t entered = read_u32(reader), known = 0;
	for (unsigned i = 0; i < PLAN_NAMESPACES; i++) {
		known |= plan_namespaces[i];
		enum plan_error error = entered & plan_namespaces[i] ? slot(reader, context, false) : PLAN_OK;
		if (error)
			return error;
	}
	return (entered & obligatory) == obligatory && (entered & ~known) == 0 ? PLAN_OK : PLAN_BAD_VALUE;
}

enum plan_error payload_files(struct reader *reader, struct context *context)
{
	struct reader again = *reader;
	enum plan_error error = PLAN_OK;
	if (read_u16(&again) != PLAN_NO_SLOT)
		error = slot(reader, context, false);
	else
		read_u16(reader);
	if (error)
		return error;
	again = *reader;
	if (read_u32(&again) != 0)
		return path(reader);
	read_u32(reader);
	return PLAN_OK;
}
