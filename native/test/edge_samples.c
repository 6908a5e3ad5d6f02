/* The most and the least that a payload may hold, and the first value on the other side where samples.c has another. */
#include "samples.h"

#include <linux/netlink.h>
#include <string.h>

static char text[PLAN_MAX_BYTES];

static const char *filled(char with, size_t length)
{
	memset(text, with, length);
	return text;
}

#define PAYLOAD(name, ...)                                                                                                       \
	static void name(struct builder *p) { __VA_ARGS__; }

static void fs_of(struct builder *p, uint8_t kind, uint8_t flags, uint32_t mode)
{
	put_u8(p, kind), put_u8(p, flags), put_u32(p, mode), put_u64(p, 0), put_u64(p, 0), put_text(p, "x");
}

static void device_of(struct builder *p, uint8_t kind, uint32_t major, uint32_t minor, const char *path)
{
	put_u16(p, 7), put_u8(p, kind), put_u32(p, major), put_u32(p, minor), put_text(p, path);
}

static void caps_of(struct builder *p, uint64_t bounding, uint64_t permitted, uint32_t groups)
{
	put_u64(p, bounding), put_u64(p, permitted), put_u32(p, ~1u), put_u32(p, ~1u), put_u32(p, groups);
	for (uint32_t i = 0; i < groups; i++)
		put_u32(p, ~1u);
}

static void exec_of(struct builder *p, size_t path, size_t program)
{
	put_u8(p, 0), put_u8(p, 1), put_bytes(p, filled('/', path), path);
	put_u32(p, 1), put_bytes(p, filled('x', program), program), put_u32(p, 0);
}

/* ---- taken ---- */

PAYLOAD(slot_8, put_u16(p, SAMPLE_ROOT - 1))
PAYLOAD(fs_first, fs_of(p, FS_PROC, 0, 0))
PAYLOAD(fs_last_simple, fs_of(p, FS_CGROUP2, 15, 01777))
PAYLOAD(fs_first_group, fs_of(p, FS_CGROUP1_CPU, 0, 0))
PAYLOAD(volume_file, put_u16(p, 6), put_u8(p, 1), put_text(p, "x"))
PAYLOAD(directory_most, put_u32(p, 01777), put_bytes(p, filled('a', 4095), 4095))
PAYLOAD(path_of_one, put_u32(p, 0), put_text(p, "a"))
PAYLOAD(path_of_dots, put_text(p, "..a/.a/a../a./..../_."))
PAYLOAD(file_most, put_u32(p, 0777), put_text(p, "x"), put_bytes(p, filled('a', 65536), 65536))
PAYLOAD(link_most, put_bytes(p, filled('a', 4095), 4095), put_text(p, "x"))
PAYLOAD(link_least, put_text(p, "a"), put_text(p, "x"))
PAYLOAD(device_first, put_u8(p, DEVICE_NULL))
PAYLOAD(console_most, put_u16(p, 0), put_u16(p, 0), put_u32(p, ~1u), put_u32(p, ~1u))
PAYLOAD(host_device_most, device_of(p, DEVICE_CHARACTER, 4095, (1 << 20) - 1, "dev/x"))
PAYLOAD(sysctl_most, put_text(p, "a"), put_bytes(p, filled('~', 4095), 4095))
PAYLOAD(sysctl_space, put_text(p, "a"), put_text(p, " \t "))
PAYLOAD(name_most, put_bytes(p, filled('a', 64), 64))
PAYLOAD(name_least, put_text(p, "a"))
PAYLOAD(rlimit_last, put_u32(p, 15), put_u64(p, 3), put_u64(p, 3))
PAYLOAD(oom_most, put_u32(p, 1000))
PAYLOAD(oom_least, put_u32(p, (uint32_t)-1000))
static void netlink_of(struct builder *p, uint32_t length)
{
	struct nlmsghdr header = {.nlmsg_len = length, .nlmsg_type = NLMSG_NOOP, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
	memset(text, 0, sizeof text);
	memcpy(text, &header, sizeof header);
	put_u8(p, NETLINK_ROUTE), put_bytes(p, text, length);
}

PAYLOAD(netlink_most, netlink_of(p, 65536))
PAYLOAD(caps_most, caps_of(p, ~0ull, ~0ull, 256))
PAYLOAD(caps_least, caps_of(p, 0, 0, 0))
PAYLOAD(landlock_least, put_u32(p, 1))
PAYLOAD(ready_root, put_text(p, "/"))
PAYLOAD(ready_most, put_bytes(p, filled('/', 4095), 4095))
PAYLOAD(filter_most, put_bytes(p, filled(6, 4096 * 8), 4096 * 8))
PAYLOAD(exec_most, exec_of(p, 4095, 4095))
PAYLOAD(exec_least, exec_of(p, 0, 1))
PAYLOAD(exec_idle, put_u8(p, 2), put_u8(p, 1), put_text(p, "/"), put_u32(p, 1), put_text(p, "x"), put_u32(p, 0))

const struct sample edge_samples[] = {
	{PHASE_MAPPED, OP_JOIN_CGROUP, slot_8},
	{PHASE_MOUNTS, OP_MOUNT_FS, fs_first},
	{PHASE_MOUNTS, OP_MOUNT_FS, fs_last_simple},
	{PHASE_MOUNTS, OP_MOUNT_FS, fs_first_group},
	{PHASE_MOUNTS, OP_MOUNT_FD, volume_file},
	{PHASE_MOUNTS, OP_MKDIR, directory_most},
	{PHASE_MOUNTS, OP_MKDIR, path_of_one},
	{PHASE_PROTECT, OP_MASK, path_of_dots},
	{PHASE_MOUNTS, OP_FILE, file_most},
	{PHASE_MOUNTS, OP_SYMLINK, link_most},
	{PHASE_DEVICES, OP_SYMLINK, link_least},
	{PHASE_DEVICES, OP_DEVICE, device_first},
	{PHASE_DEVICES, OP_CONSOLE, console_most},
	{PHASE_DEVICES, OP_HOST_DEVICE, host_device_most},
	{PHASE_PROTECT, OP_SYSCTL, sysctl_most},
	{PHASE_PROTECT, OP_SYSCTL, sysctl_space},
	{PHASE_LIMITS, OP_HOSTNAME, name_most},
	{PHASE_LIMITS, OP_DOMAINNAME, name_least},
	{PHASE_LIMITS, OP_RLIMIT, rlimit_last},
	{PHASE_LIMITS, OP_OOM_SCORE_ADJ, oom_most},
	{PHASE_LIMITS, OP_OOM_SCORE_ADJ, oom_least},
	{PHASE_LIMITS, OP_NETLINK, netlink_most},
	{PHASE_CAPS, OP_CAPS, caps_most},
	{PHASE_CAPS, OP_CAPS, caps_least},
	{PHASE_LANDLOCK, OP_LANDLOCK, landlock_least},
	{PHASE_READY, OP_READY, ready_root},
	{PHASE_READY, OP_READY, ready_most},
	{PHASE_FILTER, OP_FILTER, filter_most},
	{PHASE_FILTER, OP_EXEC, exec_most},
	{PHASE_FILTER, OP_EXEC, exec_least},
	{PHASE_FILTER, OP_EXEC, exec_idle},
};
const unsigned edge_sample_count = sizeof edge_samples / sizeof *edge_samples;

/* ---- refused ---- */

PAYLOAD(fs_0, fs_of(p, 0, 0, 0))
PAYLOAD(fs_9, fs_of(p, 9, 0, 0))
PAYLOAD(fs_mode_above, fs_of(p, FS_TMPFS, 0, 01777 + 1))
PAYLOAD(directory_mode_above, put_u32(p, 01777 + 1), put_text(p, "x"))
PAYLOAD(file_mode_above, put_u32(p, 0777 + 1), put_text(p, "x"), put_text(p, ""))
PAYLOAD(file_path_up, put_u32(p, 0), put_text(p, "../x"), put_text(p, ""))
PAYLOAD(link_long, put_bytes(p, filled('a', 4096), 4096), put_text(p, "x"))
PAYLOAD(link_path_up, put_text(p, "a"), put_text(p, ".."))
PAYLOAD(volume_up, put_u16(p, 6), put_u8(p, 0), put_text(p, "../x"))
PAYLOAD(fs_up, put_u8(p, FS_TMPFS), put_u8(p, 0), put_u32(p, 0), put_u64(p, 0), put_u64(p, 0), put_text(p, "a/.."))
PAYLOAD(host_device_slash, device_of(p, DEVICE_CHARACTER, 1, 5, "dev/"))
PAYLOAD(sysctl_long, put_text(p, "a"), put_bytes(p, filled('a', 4096), 4096))
PAYLOAD(sysctl_up, put_text(p, "net/ipv4/conf/.."), put_text(p, "/"))
PAYLOAD(sysctl_double, put_text(p, "net/ipv4//conf"), put_text(p, "/"))
PAYLOAD(sysctl_unit, put_text(p, "a"), put_text(p, "a\x1f"))
PAYLOAD(sysctl_return, put_text(p, "a"), put_text(p, "\r"))
PAYLOAD(sysctl_nul, put_text(p, "a"), put_bytes(p, "1\0", 2))
PAYLOAD(netlink_long, netlink_of(p, 65540))
PAYLOAD(ready_long, put_bytes(p, filled('/', 4096), 4096))
PAYLOAD(filter_9, put_bytes(p, filled(6, 12), 12))
PAYLOAD(exec_path_long, exec_of(p, 4096, 1))
PAYLOAD(exec_program_long, exec_of(p, 1, 4096))
PAYLOAD(exec_path_nul, put_u8(p, 0), put_u8(p, 0), put_bytes(p, "/\0", 2), put_u32(p, 1), put_text(p, "x"), put_u32(p, 0))
PAYLOAD(exec_argument_nul, put_u8(p, 0), put_u8(p, 0), put_text(p, "/"), put_u32(p, 2), put_text(p, "x"), put_bytes(p, "a\0", 2), put_u32(p, 0))

const struct bad_sample bad_edge_samples[] = {
	{"file system 0", PHASE_MOUNTS, OP_MOUNT_FS, fs_0, PLAN_BAD_VALUE},
	{"file system 9", PHASE_MOUNTS, OP_MOUNT_FS, fs_9, PLAN_BAD_VALUE},
	{"mount mode 2000", PHASE_MOUNTS, OP_MOUNT_FS, fs_mode_above, PLAN_BAD_VALUE},
	{"mount target with ..", PHASE_MOUNTS, OP_MOUNT_FS, fs_up, PLAN_BAD_PATH},
	{"volume with ..", PHASE_MOUNTS, OP_MOUNT_FD, volume_up, PLAN_BAD_PATH},
	{"directory mode 2000", PHASE_MOUNTS, OP_MKDIR, directory_mode_above, PLAN_BAD_VALUE},
	{"file mode 1000", PHASE_MOUNTS, OP_FILE, file_mode_above, PLAN_BAD_VALUE},
	{"file with ..", PHASE_MOUNTS, OP_FILE, file_path_up, PLAN_BAD_PATH},
	{"link of 4096", PHASE_MOUNTS, OP_SYMLINK, link_long, PLAN_BAD_TEXT},
	{"link at ..", PHASE_MOUNTS, OP_SYMLINK, link_path_up, PLAN_BAD_PATH},
	{"host's device with a slash at its end", PHASE_DEVICES, OP_HOST_DEVICE, host_device_slash, PLAN_BAD_PATH},
	{"sysctl of 4096", PHASE_PROTECT, OP_SYSCTL, sysctl_long, PLAN_BAD_TEXT},
	{"sysctl with .. at its end", PHASE_PROTECT, OP_SYSCTL, sysctl_up, PLAN_BAD_PATH},
	{"sysctl with two slashes", PHASE_PROTECT, OP_SYSCTL, sysctl_double, PLAN_BAD_PATH},
	{"last control character in sysctl", PHASE_PROTECT, OP_SYSCTL, sysctl_unit, PLAN_BAD_TEXT},
	{"carriage return in sysctl", PHASE_PROTECT, OP_SYSCTL, sysctl_return, PLAN_BAD_TEXT},
	{"NUL in sysctl", PHASE_PROTECT, OP_SYSCTL, sysctl_nul, PLAN_BAD_TEXT},
	{"netlink requests of 65540", PHASE_LIMITS, OP_NETLINK, netlink_long, PLAN_BAD_VALUE},
	{"directory of 4096", PHASE_READY, OP_READY, ready_long, PLAN_BAD_TEXT},
	{"filter of one and a half", PHASE_FILTER, OP_FILTER, filter_9, PLAN_BAD_VALUE},
	{"PATH of 4096", PHASE_FILTER, OP_EXEC, exec_path_long, PLAN_BAD_TEXT},
	{"program of 4096", PHASE_FILTER, OP_EXEC, exec_program_long, PLAN_BAD_TEXT},
	{"NUL in PATH", PHASE_FILTER, OP_EXEC, exec_path_nul, PLAN_BAD_TEXT},
	{"NUL in an argument", PHASE_FILTER, OP_EXEC, exec_argument_nul, PLAN_BAD_TEXT},
};
const unsigned bad_edge_sample_count = sizeof bad_edge_samples / sizeof *bad_edge_samples;
