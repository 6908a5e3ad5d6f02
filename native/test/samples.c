#include "samples.h"

#include <sched.h>
#include <string.h>
#include <sys/socket.h>

static char long_text[5000];

static void fill(char with)
{
	memset(long_text, with, sizeof long_text);
	long_text[sizeof long_text - 1] = 0;
}

#define PAYLOAD(name, ...)                                                                                                       \
	static void name(struct builder *p)                                                                                      \
	{                                                                                                                        \
		(void)p;                                                                                                         \
		__VA_ARGS__;                                                                                                     \
	}

static const char *const argv[] = {"/bin/true", "", "x", NULL}, *const environment[] = {"PATH=/bin", "A=", NULL}, *const none[] = {NULL};
static const char *const nameless[] = {"", NULL};

static void put_gateway(struct builder *p, uint32_t link, uint8_t family, unsigned bytes)
{
	put_u32(p, link), put_u8(p, family);
	for (unsigned i = 0; i < bytes; i++)
		put_u8(p, (uint8_t)i);
}

static void gateway(struct builder *p) { put_gateway(p, 2, AF_INET, 16); }
static void gateway_6(struct builder *p) { put_gateway(p, 9, AF_INET6, 16); }
static void gateway_loopback(struct builder *p) { put_gateway(p, 1, AF_INET, 16); }
static void gateway_family(struct builder *p) { put_gateway(p, 2, AF_BRIDGE, 16); }
static void gateway_short(struct builder *p) { put_gateway(p, 2, AF_INET6, 15); }
/* ---- good ---- */

PAYLOAD(slot_5, put_u16(p, 5))
PAYLOAD(slot_root, put_u16(p, SAMPLE_ROOT))
PAYLOAD(mount_tmpfs, put_u8(p, FS_TMPFS), put_u8(p, 15), put_u32(p, 01777), put_u64(p, 1 << 20), put_u64(p, 100), put_text(p, "dev/shm"))
PAYLOAD(mount_v1, put_u8(p, FS_CGROUP1_BLKIO), put_u8(p, 1), put_u32(p, 0), put_u64(p, 0), put_u64(p, 0), put_text(p, "sys/fs/cgroup/blkio"))
PAYLOAD(volume, put_u16(p, 6), put_u8(p, 0), put_text(p, "srv/data"))
PAYLOAD(directory, put_u32(p, 0755), put_text(p, "run/x"))
PAYLOAD(file, put_u32(p, 0644), put_text(p, "etc/hostname"), put_bytes(p, "a\0b", 3))
PAYLOAD(empty_file, put_u32(p, 0), put_text(p, "..."), put_bytes(p, "", 0))
PAYLOAD(symlink_to, put_text(p, "/proc/self/fd"), put_text(p, "dev/fd"))
PAYLOAD(device, put_u8(p, DEVICE_TTY))
PAYLOAD(console, put_u16(p, 24), put_u16(p, 80), put_u32(p, 1000), put_u32(p, 5))
PAYLOAD(host_device, put_u16(p, 7), put_u8(p, DEVICE_BLOCK), put_u32(p, 4095), put_u32(p, 0xfffff), put_text(p, "dev/net/tun"))
PAYLOAD(sysctl, put_text(p, "net/ipv4/ip_local_port_range"), put_text(p, "1024\t65535"))
PAYLOAD(path, put_text(p, "proc/..kcore/.x/..."))
PAYLOAD(hostname, put_text(p, "boxed"))
PAYLOAD(rlimit, put_u32(p, 7), put_u64(p, 1024), put_u64(p, ~0ull))
PAYLOAD(oom, put_u32(p, (uint32_t)-1000))
/* RTM_GETLINK of lo, then a message that says nothing */
#define LOOPBACK_LINK "\x20\0\0\0\x12\0\5\0\1\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0"
#define NOTHING "\x10\0\0\0\1\0\1\0\0\0\0\0\0\0\0\0"
PAYLOAD(netlink, put_u8(p, 0), put_bytes(p, LOOPBACK_LINK NOTHING, 48))
PAYLOAD(netlink_filter, put_u8(p, 12), put_bytes(p, LOOPBACK_LINK, 32))
PAYLOAD(await_link, put_u32(p, 2))
PAYLOAD(await_loopback, put_u32(p, 1))
PAYLOAD(resolver, put_u16(p, 1024), put_u16(p, 65535))
PAYLOAD(caps, put_u64(p, 0x5fb), put_u64(p, 0x1fb), put_u32(p, 0), put_u32(p, 0), put_u32(p, 2), put_u32(p, 5), put_u32(p, 6))
PAYLOAD(landlock, put_u32(p, 3))
PAYLOAD(ready, put_text(p, "/srv"))
PAYLOAD(filter, put_bytes(p, "\6\0\0\0\0\0\377\177", 8))
PAYLOAD(exec, put_u8(p, 1), put_u8(p, 0), put_text(p, "/bin:/usr/bin"), put_list(p, argv), put_list(p, environment))

const struct sample samples[] = {
	{PHASE_SEAL, OP_SEAL, NULL},
	{PHASE_MAPPED, OP_JOIN_CGROUP, slot_5},
	{PHASE_MAPPED, OP_CGROUP_NAMESPACE, NULL},
	{PHASE_MAPPED, OP_MAPPED, NULL},
	{PHASE_MAPPED, OP_NO_NEW_PRIVS, NULL},
	{PHASE_PRIVATE, OP_PRIVATE, NULL},
	{PHASE_ROOT, OP_ROOT, slot_root},
	{PHASE_MOUNTS, OP_MOUNT_FS, mount_tmpfs},
	{PHASE_MOUNTS, OP_MOUNT_FS, mount_v1},
	{PHASE_MOUNTS, OP_MOUNT_FD, volume},
	{PHASE_MOUNTS, OP_MKDIR, directory},
	{PHASE_MOUNTS, OP_FILE, file},
	{PHASE_MOUNTS, OP_FILE, empty_file},
	{PHASE_MOUNTS, OP_SYMLINK, symlink_to},
	{PHASE_DEVICES, OP_SYMLINK, symlink_to},
	{PHASE_DEVICES, OP_DEVICE, device},
	{PHASE_DEVICES, OP_CONSOLE, console},
	{PHASE_DEVICES, OP_HOST_DEVICE, host_device},
	{PHASE_PIVOT, OP_PIVOT, NULL},
	{PHASE_PROTECT, OP_SYSCTL, sysctl},
	{PHASE_PROTECT, OP_AWAIT_LINK, await_link},
	{PHASE_PROTECT, OP_MASK, path},
	{PHASE_PROTECT, OP_READ_ONLY, path},
	{PHASE_PROTECT, OP_ROOT_READ_ONLY, NULL},
	{PHASE_PROTECT, OP_VERIFY, NULL},
	{PHASE_LIMITS, OP_LOOPBACK, NULL},
	{PHASE_LIMITS, OP_HOSTNAME, hostname},
	{PHASE_LIMITS, OP_DOMAINNAME, hostname},
	{PHASE_LIMITS, OP_RLIMIT, rlimit},
	{PHASE_LIMITS, OP_OOM_SCORE_ADJ, oom},
	{PHASE_LIMITS, OP_KEYRING, NULL},
	{PHASE_LIMITS, OP_NETLINK, netlink},
	{PHASE_LIMITS, OP_NETLINK, netlink_filter},
	{PHASE_LIMITS, OP_GATEWAY, gateway},
	{PHASE_LIMITS, OP_GATEWAY, gateway_6},
	{PHASE_LIMITS, OP_RESOLVER, resolver},
	{PHASE_CAPS, OP_CAPS, caps},
	{PHASE_LANDLOCK, OP_LANDLOCK, landlock},
	{PHASE_READY, OP_READY, ready},
	{PHASE_FILTER, OP_FILTER, filter},
	{PHASE_FILTER, OP_EXEC, exec},
};
const unsigned sample_count = sizeof samples / sizeof *samples;

/* ---- bad ---- */

PAYLOAD(nothing)
PAYLOAD(slot_4, put_u16(p, 4))
PAYLOAD(slot_10, put_u16(p, SAMPLE_SLOTS))
PAYLOAD(slot_none, put_u16(p, PLAN_NO_SLOT))
PAYLOAD(fs_7, put_u8(p, 7), put_u8(p, 0), put_u32(p, 0), put_u64(p, 0), put_u64(p, 0), put_text(p, "x"))
PAYLOAD(fs_17, put_u8(p, 17), put_u8(p, 0), put_u32(p, 0), put_u64(p, 0), put_u64(p, 0), put_text(p, "x"))
PAYLOAD(fs_flags, put_u8(p, FS_PROC), put_u8(p, 16), put_u32(p, 0), put_u64(p, 0), put_u64(p, 0), put_text(p, "x"))
PAYLOAD(fs_mode, put_u8(p, FS_TMPFS), put_u8(p, 0), put_u32(p, 02000), put_u64(p, 0), put_u64(p, 0), put_text(p, "x"))
PAYLOAD(fs_absolute, put_u8(p, FS_TMPFS), put_u8(p, 0), put_u32(p, 0), put_u64(p, 0), put_u64(p, 0), put_text(p, "/tmp"))
PAYLOAD(volume_kind, put_u16(p, 6), put_u8(p, 2), put_text(p, "x"))
PAYLOAD(volume_root, put_u16(p, SAMPLE_ROOT), put_u8(p, 0), put_text(p, "x"))
PAYLOAD(directory_mode, put_u32(p, 02755), put_text(p, "x"))
PAYLOAD(file_mode, put_u32(p, 04755), put_text(p, "x"), put_bytes(p, "", 0))
PAYLOAD(file_large, put_u32(p, 0644), put_text(p, "x"); static char big[65537]; put_bytes(p, big, sizeof big))
PAYLOAD(symlink_empty, put_text(p, ""), put_text(p, "x"))
PAYLOAD(symlink_nul, put_bytes(p, "a\0b", 3), put_text(p, "x"))
PAYLOAD(device_0, put_u8(p, 0))
PAYLOAD(device_7, put_u8(p, 7))
PAYLOAD(console_uid, put_u16(p, 0), put_u16(p, 0), put_u32(p, ~0u), put_u32(p, 0))
PAYLOAD(console_gid, put_u16(p, 0), put_u16(p, 0), put_u32(p, 0), put_u32(p, ~0u))
PAYLOAD(host_device_kind_0, put_u16(p, 7), put_u8(p, 0), put_u32(p, 10), put_u32(p, 229), put_text(p, "dev/fuse"))
PAYLOAD(host_device_kind_3, put_u16(p, 7), put_u8(p, 3), put_u32(p, 10), put_u32(p, 229), put_text(p, "dev/fuse"))
PAYLOAD(host_device_major, put_u16(p, 7), put_u8(p, 1), put_u32(p, 4096), put_u32(p, 0), put_text(p, "dev/fuse"))
PAYLOAD(host_device_minor, put_u16(p, 7), put_u8(p, 1), put_u32(p, 0), put_u32(p, 1 << 20), put_text(p, "dev/fuse"))
PAYLOAD(host_device_slot, put_u16(p, 4), put_u8(p, 1), put_u32(p, 10), put_u32(p, 229), put_text(p, "dev/fuse"))
PAYLOAD(host_device_root, put_u16(p, SAMPLE_ROOT), put_u8(p, 1), put_u32(p, 10), put_u32(p, 229), put_text(p, "dev/fuse"))
PAYLOAD(host_device_dev, put_u16(p, 7), put_u8(p, 1), put_u32(p, 10), put_u32(p, 229), put_text(p, "dev"))
PAYLOAD(host_device_etc, put_u16(p, 7), put_u8(p, 1), put_u32(p, 10), put_u32(p, 229), put_text(p, "etc/fuse"))
PAYLOAD(host_device_dev2, put_u16(p, 7), put_u8(p, 1), put_u32(p, 10), put_u32(p, 229), put_text(p, "dev2/fuse"))
PAYLOAD(host_device_up, put_u16(p, 7), put_u8(p, 1), put_u32(p, 10), put_u32(p, 229), put_text(p, "dev/../etc"))
PAYLOAD(sysctl_newline, put_text(p, "net/x"), put_text(p, "1\nkernel.core_pattern=|/x"))
PAYLOAD(sysctl_control, put_text(p, "net/x"), put_text(p, "1\x7f"))
PAYLOAD(sysctl_empty, put_text(p, "net/x"), put_text(p, ""))
PAYLOAD(sysctl_up, put_text(p, "net/../kernel/x"), put_text(p, "1"))
PAYLOAD(path_empty, put_text(p, ""))
PAYLOAD(path_absolute, put_text(p, "/proc"))
PAYLOAD(path_dot, put_text(p, "."))
PAYLOAD(path_dot_in, put_text(p, "a/./b"))
PAYLOAD(path_up, put_text(p, ".."))
PAYLOAD(path_up_in, put_text(p, "a/../b"))
PAYLOAD(path_up_last, put_text(p, "a/.."))
PAYLOAD(path_double, put_text(p, "a//b"))
PAYLOAD(path_slash, put_text(p, "a/"))
PAYLOAD(path_nul, put_bytes(p, "a\0b", 3))
PAYLOAD(path_long, fill('a'); put_bytes(p, long_text, 4096))
PAYLOAD(path_past, put_u32(p, 9), put_raw(p, "abc", 3))
PAYLOAD(name_empty, put_text(p, ""))
PAYLOAD(name_long, fill('a'); put_bytes(p, long_text, 65))
PAYLOAD(rlimit_16, put_u32(p, 16), put_u64(p, 0), put_u64(p, 0))
PAYLOAD(rlimit_order, put_u32(p, 7), put_u64(p, 2), put_u64(p, 1))
PAYLOAD(oom_high, put_u32(p, 1001))
PAYLOAD(oom_low, put_u32(p, (uint32_t)-1001))
PAYLOAD(netlink_protocol, put_u8(p, 9), put_bytes(p, LOOPBACK_LINK, 32))
PAYLOAD(netlink_none, put_u8(p, 0), put_bytes(p, "", 0))
PAYLOAD(netlink_short, put_u8(p, 0), put_bytes(p, LOOPBACK_LINK "\x10\0\0", 36))
PAYLOAD(netlink_past, put_u8(p, 0), put_bytes(p, LOOPBACK_LINK, 28))
PAYLOAD(netlink_small, put_u8(p, 0), put_bytes(p, "\x0c\0\0\0\x12\0\5\0\1\0\0\0\0\0\0\0", 16))
PAYLOAD(netlink_odd, put_u8(p, 0), put_bytes(p, "\x12\0\0\0\x12\0\5\0\1\0\0\0\0\0\0\0\0\0", 18))
PAYLOAD(netlink_no_request, put_u8(p, 0), put_bytes(p, "\x10\0\0\0\x12\0\4\0\1\0\0\0\0\0\0\0", 16))
PAYLOAD(netlink_silent, put_u8(p, 0), put_bytes(p, NOTHING NOTHING, 32))
PAYLOAD(resolver_udp, put_u16(p, 1023), put_u16(p, 1024))
PAYLOAD(resolver_tcp, put_u16(p, 1024), put_u16(p, 1023))
PAYLOAD(landlock_0, put_u32(p, 0))
PAYLOAD(landlock_4, put_u32(p, 4))
PAYLOAD(filter_empty, put_bytes(p, "", 0))
PAYLOAD(filter_odd, put_bytes(p, "123456789", 9))
PAYLOAD(filter_long, static char big[4097 * 8]; put_bytes(p, big, sizeof big))
PAYLOAD(caps_above, put_u64(p, 1), put_u64(p, 3), put_u32(p, 0), put_u32(p, 0), put_u32(p, 0))
PAYLOAD(caps_uid, put_u64(p, 1), put_u64(p, 1), put_u32(p, ~0u), put_u32(p, 0), put_u32(p, 0))
PAYLOAD(caps_gid, put_u64(p, 1), put_u64(p, 1), put_u32(p, 0), put_u32(p, ~0u), put_u32(p, 0))
PAYLOAD(caps_groups, put_u64(p, 1), put_u64(p, 1), put_u32(p, 0), put_u32(p, 0), put_u32(p, 257);
	for (uint32_t i = 0; i < 257; i++) put_u32(p, i))
PAYLOAD(caps_group, put_u64(p, 1), put_u64(p, 1), put_u32(p, 0), put_u32(p, 0), put_u32(p, 1), put_u32(p, ~0u))
PAYLOAD(caps_short, put_u64(p, 1), put_u64(p, 1), put_u32(p, 0), put_u32(p, 0), put_u32(p, 3), put_u32(p, 1))
PAYLOAD(ready_relative, put_text(p, "srv"))
PAYLOAD(ready_nul, put_bytes(p, "/\0a", 3))
PAYLOAD(exec_flag, put_u8(p, 3), put_u8(p, 0), put_text(p, "/bin"), put_list(p, argv), put_list(p, none))
PAYLOAD(exec_terminal, put_u8(p, 1), put_u8(p, 2), put_text(p, "/bin"), put_list(p, argv), put_list(p, none))
PAYLOAD(exec_argv, put_u8(p, 1), put_u8(p, 0), put_text(p, "/bin"), put_list(p, none), put_list(p, none))
PAYLOAD(exec_nameless, put_u8(p, 1), put_u8(p, 0), put_text(p, "/bin"), put_list(p, nameless), put_list(p, none))
PAYLOAD(exec_many, put_u8(p, 1), put_u8(p, 0), put_text(p, "/bin"), put_list(p, argv), put_u32(p, PLAN_MAX_LIST + 1))
PAYLOAD(exec_past, put_u8(p, 1), put_u8(p, 0), put_text(p, "/bin"), put_list(p, argv), put_u32(p, 2), put_text(p, "A=1"))
PAYLOAD(exec_nul, put_u8(p, 1), put_u8(p, 0), put_text(p, ""), put_list(p, argv), put_u32(p, 1), put_bytes(p, "A\0B", 3))

const struct bad_sample bad_samples[] = {
	{"unknown opcode", PHASE_SEAL, 2, nothing, PLAN_BAD_OPCODE},
	{"opcode 0", PHASE_SEAL, 0, nothing, PLAN_BAD_OPCODE},
	{"opcode 255", PHASE_FILTER, 255, nothing, PLAN_BAD_OPCODE},
	{"no slot", PHASE_MAPPED, OP_JOIN_CGROUP, nothing, PLAN_BAD_LENGTH},
	{"fixed slot", PHASE_MAPPED, OP_JOIN_CGROUP, slot_4, PLAN_BAD_SLOT},
	{"slot too high", PHASE_MAPPED, OP_JOIN_CGROUP, slot_10, PLAN_BAD_SLOT},
	{"the number for none", PHASE_MAPPED, OP_JOIN_CGROUP, slot_none, PLAN_BAD_SLOT},
	{"root as a cgroup", PHASE_MAPPED, OP_JOIN_CGROUP, slot_root, PLAN_BAD_SLOT},
	{"file system 7", PHASE_MOUNTS, OP_MOUNT_FS, fs_7, PLAN_BAD_VALUE},
	{"file system 17", PHASE_MOUNTS, OP_MOUNT_FS, fs_17, PLAN_BAD_VALUE},
	{"mount flags", PHASE_MOUNTS, OP_MOUNT_FS, fs_flags, PLAN_BAD_VALUE},
	{"mount mode", PHASE_MOUNTS, OP_MOUNT_FS, fs_mode, PLAN_BAD_VALUE},
	{"mount target absolute", PHASE_MOUNTS, OP_MOUNT_FS, fs_absolute, PLAN_BAD_PATH},
	{"volume kind", PHASE_MOUNTS, OP_MOUNT_FD, volume_kind, PLAN_BAD_VALUE},
	{"root as a volume", PHASE_MOUNTS, OP_MOUNT_FD, volume_root, PLAN_BAD_SLOT},
	{"setgid directory", PHASE_MOUNTS, OP_MKDIR, directory_mode, PLAN_BAD_VALUE},
	{"setuid file", PHASE_MOUNTS, OP_FILE, file_mode, PLAN_BAD_VALUE},
	{"large file", PHASE_MOUNTS, OP_FILE, file_large, PLAN_BAD_VALUE},
	{"empty link", PHASE_MOUNTS, OP_SYMLINK, symlink_empty, PLAN_BAD_TEXT},
	{"NUL in link", PHASE_DEVICES, OP_SYMLINK, symlink_nul, PLAN_BAD_TEXT},
	{"device 0", PHASE_DEVICES, OP_DEVICE, device_0, PLAN_BAD_VALUE},
	{"device 7", PHASE_DEVICES, OP_DEVICE, device_7, PLAN_BAD_VALUE},
	{"console's uid", PHASE_DEVICES, OP_CONSOLE, console_uid, PLAN_BAD_VALUE},
	{"console's gid", PHASE_DEVICES, OP_CONSOLE, console_gid, PLAN_BAD_VALUE},
	{"host's device of kind 0", PHASE_DEVICES, OP_HOST_DEVICE, host_device_kind_0, PLAN_BAD_VALUE},
	{"host's device of kind 3", PHASE_DEVICES, OP_HOST_DEVICE, host_device_kind_3, PLAN_BAD_VALUE},
	{"host's device with a high major", PHASE_DEVICES, OP_HOST_DEVICE, host_device_major, PLAN_BAD_VALUE},
	{"host's device with a high minor", PHASE_DEVICES, OP_HOST_DEVICE, host_device_minor, PLAN_BAD_VALUE},
	{"host's device in a fixed slot", PHASE_DEVICES, OP_HOST_DEVICE, host_device_slot, PLAN_BAD_SLOT},
	{"host's device in the root's slot", PHASE_DEVICES, OP_HOST_DEVICE, host_device_root, PLAN_BAD_SLOT},
	{"host's device over /dev", PHASE_DEVICES, OP_HOST_DEVICE, host_device_dev, PLAN_BAD_PATH},
	{"host's device in the image", PHASE_DEVICES, OP_HOST_DEVICE, host_device_etc, PLAN_BAD_PATH},
	{"host's device beside /dev", PHASE_DEVICES, OP_HOST_DEVICE, host_device_dev2, PLAN_BAD_PATH},
	{"host's device with ..", PHASE_DEVICES, OP_HOST_DEVICE, host_device_up, PLAN_BAD_PATH},
	{"newline in sysctl", PHASE_PROTECT, OP_SYSCTL, sysctl_newline, PLAN_BAD_TEXT},
	{"control character in sysctl", PHASE_PROTECT, OP_SYSCTL, sysctl_control, PLAN_BAD_TEXT},
	{"empty sysctl", PHASE_PROTECT, OP_SYSCTL, sysctl_empty, PLAN_BAD_TEXT},
	{"sysctl with ..", PHASE_PROTECT, OP_SYSCTL, sysctl_up, PLAN_BAD_PATH},
	{"empty path", PHASE_PROTECT, OP_MASK, path_empty, PLAN_BAD_PATH},
	{"absolute path", PHASE_PROTECT, OP_MASK, path_absolute, PLAN_BAD_PATH},
	{".", PHASE_PROTECT, OP_MASK, path_dot, PLAN_BAD_PATH},
	{"a/./b", PHASE_PROTECT, OP_READ_ONLY, path_dot_in, PLAN_BAD_PATH},
	{"..", PHASE_PROTECT, OP_MASK, path_up, PLAN_BAD_PATH},
	{"a/../b", PHASE_PROTECT, OP_MASK, path_up_in, PLAN_BAD_PATH},
	{"a/..", PHASE_PROTECT, OP_MASK, path_up_last, PLAN_BAD_PATH},
	{"a//b", PHASE_PROTECT, OP_MASK, path_double, PLAN_BAD_PATH},
	{"a/", PHASE_PROTECT, OP_MASK, path_slash, PLAN_BAD_PATH},
	{"NUL in path", PHASE_PROTECT, OP_MASK, path_nul, PLAN_BAD_PATH},
	{"path of 4096", PHASE_PROTECT, OP_MASK, path_long, PLAN_BAD_PATH},
	{"path past the end", PHASE_PROTECT, OP_MASK, path_past, PLAN_BAD_LENGTH},
	{"empty name", PHASE_LIMITS, OP_HOSTNAME, name_empty, PLAN_BAD_TEXT},
	{"name of 65", PHASE_LIMITS, OP_DOMAINNAME, name_long, PLAN_BAD_TEXT},
	{"rlimit 16", PHASE_LIMITS, OP_RLIMIT, rlimit_16, PLAN_BAD_VALUE},
	{"soft above hard", PHASE_LIMITS, OP_RLIMIT, rlimit_order, PLAN_BAD_VALUE},
	{"oom 1001", PHASE_LIMITS, OP_OOM_SCORE_ADJ, oom_high, PLAN_BAD_VALUE},
	{"oom -1001", PHASE_LIMITS, OP_OOM_SCORE_ADJ, oom_low, PLAN_BAD_VALUE},
	{"another netlink protocol", PHASE_LIMITS, OP_NETLINK, netlink_protocol, PLAN_BAD_VALUE},
	{"no netlink request", PHASE_LIMITS, OP_NETLINK, netlink_none, PLAN_BAD_VALUE},
	{"half a netlink header", PHASE_LIMITS, OP_NETLINK, netlink_short, PLAN_BAD_VALUE},
	{"netlink request past the end", PHASE_LIMITS, OP_NETLINK, netlink_past, PLAN_BAD_VALUE},
	{"netlink request shorter than its header", PHASE_LIMITS, OP_NETLINK, netlink_small, PLAN_BAD_VALUE},
	{"netlink request of 18", PHASE_LIMITS, OP_NETLINK, netlink_odd, PLAN_BAD_VALUE},
	{"netlink message that is no request", PHASE_LIMITS, OP_NETLINK, netlink_no_request, PLAN_BAD_VALUE},
	{"netlink requests without an answer", PHASE_LIMITS, OP_NETLINK, netlink_silent, PLAN_BAD_VALUE},
	{"wait for the loopback", PHASE_PROTECT, OP_AWAIT_LINK, await_loopback, PLAN_BAD_VALUE},
	{"gateway on the loopback", PHASE_LIMITS, OP_GATEWAY, gateway_loopback, PLAN_BAD_VALUE},
	{"gateway of another family", PHASE_LIMITS, OP_GATEWAY, gateway_family, PLAN_BAD_VALUE},
	{"gateway that is cut off", PHASE_LIMITS, OP_GATEWAY, gateway_short, PLAN_BAD_LENGTH},
	{"resolver's UDP port", PHASE_LIMITS, OP_RESOLVER, resolver_udp, PLAN_BAD_VALUE},
	{"resolver's TCP port", PHASE_LIMITS, OP_RESOLVER, resolver_tcp, PLAN_BAD_VALUE},
	{"no scope", PHASE_LANDLOCK, OP_LANDLOCK, landlock_0, PLAN_BAD_VALUE},
	{"unknown scope", PHASE_LANDLOCK, OP_LANDLOCK, landlock_4, PLAN_BAD_VALUE},
	{"empty filter", PHASE_FILTER, OP_FILTER, filter_empty, PLAN_BAD_VALUE},
	{"filter of 9 bytes", PHASE_FILTER, OP_FILTER, filter_odd, PLAN_BAD_VALUE},
	{"filter of 4097", PHASE_FILTER, OP_FILTER, filter_long, PLAN_BAD_VALUE},
	{"permitted above bounding", PHASE_CAPS, OP_CAPS, caps_above, PLAN_BAD_VALUE},
	{"no uid", PHASE_CAPS, OP_CAPS, caps_uid, PLAN_BAD_VALUE},
	{"no gid", PHASE_CAPS, OP_CAPS, caps_gid, PLAN_BAD_VALUE},
	{"257 groups", PHASE_CAPS, OP_CAPS, caps_groups, PLAN_BAD_VALUE},
	{"no group", PHASE_CAPS, OP_CAPS, caps_group, PLAN_BAD_VALUE},
	{"fewer groups than told", PHASE_CAPS, OP_CAPS, caps_short, PLAN_BAD_LENGTH},
	{"relative directory", PHASE_READY, OP_READY, ready_relative, PLAN_BAD_PATH},
	{"empty directory", PHASE_READY, OP_READY, name_empty, PLAN_BAD_TEXT},
	{"NUL in directory", PHASE_READY, OP_READY, ready_nul, PLAN_BAD_TEXT},
	{"exec flag", PHASE_FILTER, OP_EXEC, exec_flag, PLAN_BAD_VALUE},
	{"exec's second flag", PHASE_FILTER, OP_EXEC, exec_terminal, PLAN_BAD_VALUE},
	{"no argv", PHASE_FILTER, OP_EXEC, exec_argv, PLAN_BAD_VALUE},
	{"no program", PHASE_FILTER, OP_EXEC, exec_nameless, PLAN_BAD_TEXT},
	{"too many strings", PHASE_FILTER, OP_EXEC, exec_many, PLAN_BAD_VALUE},
	{"strings past the end", PHASE_FILTER, OP_EXEC, exec_past, PLAN_BAD_LENGTH},
	{"NUL in environment", PHASE_FILTER, OP_EXEC, exec_nul, PLAN_BAD_TEXT},
};
const unsigned bad_sample_count = sizeof bad_samples / sizeof *bad_samples;

/* ---- plans ---- */

static const struct sample obligatory[] = {
	{PHASE_SEAL, OP_SEAL, NULL},	     {PHASE_MAPPED, OP_CGROUP_NAMESPACE, NULL}, {PHASE_MAPPED, OP_MAPPED, NULL},
	{PHASE_PRIVATE, OP_PRIVATE, NULL},   {PHASE_ROOT, OP_ROOT, slot_root},	       {PHASE_PIVOT, OP_PIVOT, NULL},
	{PHASE_PROTECT, OP_VERIFY, NULL},    {PHASE_CAPS, OP_CAPS, caps},	       {PHASE_READY, OP_READY, ready},
	{PHASE_FILTER, OP_EXEC, exec},
};
enum { OBLIGATORY = sizeof obligatory / sizeof *obligatory };

static void add(struct builder *plan, const struct sample *sample)
{
	builder_step(plan, sample->phase, sample->opcode);
	if (sample->good)
		sample->good(plan);
}

static const struct sample no_new_privs = {PHASE_MAPPED, OP_NO_NEW_PRIVS, NULL};
static const struct sample loopback = {PHASE_LIMITS, OP_LOOPBACK, NULL};

static bool needs_loopback(const struct sample *extra)
{
	return extra && extra->phase == PHASE_LIMITS && (extra->opcode == OP_NETLINK || extra->opcode == OP_GATEWAY || extra->opcode == OP_RESOLVER);
}

/* The obligatory steps, `times` of `extra` in its place; `extra` stands for the obligatory one of its kind. */
static void compose(struct builder *plan, const struct sample *extra, unsigned times)
{
	bool added = times == 0;
	builder_start(plan, SAMPLE_SLOTS);
	for (unsigned i = 0; i < OBLIGATORY; i++) {
		if (needs_loopback(extra) && obligatory[i].opcode == OP_CAPS)
			add(plan, &loopback);
		/* SEAL stays in front and EXEC at the end, wherever the phase of the other is */
		for (; !added && (i > 0 || extra->opcode == OP_SEAL) && (obligatory[i].phase >= extra->phase); added = true)
			for (unsigned n = 0; n < times; n++)
				add(plan, extra);
		if (!extra || obligatory[i].opcode != extra->opcode)
			add(plan, &obligatory[i]);
		if (obligatory[i].opcode == OP_MAPPED && extra && extra->opcode == OP_FILTER && extra->phase == PHASE_FILTER)
			add(plan, &no_new_privs);
	}
	builder_finish(plan);
}

void sample_plan(struct builder *plan, uint8_t phase, uint8_t opcode, void (*payload)(struct builder *))
{
	struct sample extra = {phase, opcode, payload};
	compose(plan, &extra, opcode || phase < PHASE_COUNT ? 1 : 0);
}

static const struct sample *sample_of(uint8_t opcode)
{
	for (unsigned i = 0; i < sample_count; i++)
		if (samples[i].opcode == opcode)
			return &samples[i];
	return NULL;
}

void sample_plan_without(struct builder *plan, uint8_t opcode) { compose(plan, sample_of(opcode), 0); }
void sample_plan_twice(struct builder *plan, uint8_t opcode) { compose(plan, sample_of(opcode), 2); }

static int extra_bytes;
static void (*extra_of)(struct builder *);

static void longer_or_shorter(struct builder *plan)
{
	uint32_t before = plan->length;
	if (extra_of)
		extra_of(plan);
	if (extra_bytes > 0)
		put_u8(plan, 0);
	else if (plan->length > before)
		plan->length--;
	else
		plan->bytes[plan->step] = PHASE_COUNT; /* nothing to take away: break it otherwise */
}

void sample_plan_with_extra(struct builder *plan, const struct sample *sample, int extra)
{
	struct sample changed = {sample->phase, sample->opcode, longer_or_shorter};
	extra_bytes = extra, extra_of = sample->good;
	compose(plan, &changed, 1);
}

void sample_plan_pair(struct builder *plan, const struct sample *first, const struct sample *second)
{
	bool added = false;
	builder_start(plan, SAMPLE_SLOTS);
	for (unsigned i = 0; i < OBLIGATORY; i++) {
		if (i > 0 && !added && obligatory[i].phase >= second->phase) {
			add(plan, first);
			add(plan, second);
			added = true;
		}
		if (obligatory[i].opcode != first->opcode && obligatory[i].opcode != second->opcode)
			add(plan, &obligatory[i]);
	}
	builder_finish(plan);
}

void sample_plan_behind_verify(struct builder *plan, uint8_t opcode)
{
	builder_start(plan, SAMPLE_SLOTS);
	for (unsigned i = 0; i < OBLIGATORY; i++) {
		add(plan, &obligatory[i]);
		if (obligatory[i].opcode == OP_VERIFY)
			add(plan, sample_of(opcode));
	}
	builder_finish(plan);
}

void sample_filter_plan(struct builder *plan, bool locked, uint8_t phase, bool before_caps)
{
	struct sample one = {phase, OP_FILTER, filter};
	builder_start(plan, SAMPLE_SLOTS);
	for (unsigned i = 0; i < OBLIGATORY; i++) {
		if (phase == PHASE_CAPS ? before_caps && obligatory[i].opcode == OP_CAPS : obligatory[i].opcode == OP_EXEC)
			add(plan, &one);
		add(plan, &obligatory[i]);
		if (phase == PHASE_CAPS && !before_caps && obligatory[i].opcode == OP_CAPS)
			add(plan, &one);
		if (locked && obligatory[i].opcode == OP_MAPPED)
			add(plan, &no_new_privs);
	}
	builder_finish(plan);
}

void sample_plan_of_limits(struct builder *plan, const uint8_t *opcodes, unsigned count)
{
	builder_start(plan, SAMPLE_SLOTS);
	for (unsigned i = 0; i < OBLIGATORY; i++) {
		for (unsigned k = 0; obligatory[i].opcode == OP_CAPS && k < count; k++)
			add(plan, sample_of(opcodes[k]));
		add(plan, &obligatory[i]);
	}
	builder_finish(plan);
}

/* The obligatory steps with `slots`, and `masks` more steps of one byte's path. */
static void compose_many(struct builder *plan, uint16_t slots, uint32_t masks)
{
	builder_start(plan, slots);
	for (unsigned i = 0; i < OBLIGATORY; i++) {
		for (uint32_t n = 0; obligatory[i].opcode == OP_VERIFY && n < masks; n++)
			builder_step(plan, PHASE_PROTECT, OP_MASK), put_text(plan, "a");
		builder_step(plan, obligatory[i].phase, obligatory[i].opcode);
		if (obligatory[i].opcode == OP_ROOT)
			put_u16(plan, slots - 1);
		else if (obligatory[i].good)
			obligatory[i].good(plan);
	}
	builder_finish(plan);
}

void sample_plan_of_slots(struct builder *plan, uint16_t slots) { compose_many(plan, slots, 0); }
void sample_plan_of_steps(struct builder *plan, uint32_t steps) { compose_many(plan, SAMPLE_SLOTS, steps - OBLIGATORY); }

/* What is missing is a variable of the program's. */
void sample_plan_of_bytes(struct builder *plan, uint32_t bytes)
{
	static char variable[PLAN_MAX_BYTES];
	static const uint32_t one = 1;
	compose_many(plan, SAMPLE_SLOTS, 0);
	plan->length -= (uint32_t)(3 * sizeof(uint32_t) + strlen(environment[0]) + strlen(environment[1])); /* its last list */
	put_u32(plan, one);
	memset(variable, 'a', sizeof variable);
	put_bytes(plan, variable, bytes - plan->length - sizeof(uint32_t));
	builder_finish(plan);
}

void sample_plan_joining_late(struct builder *plan)
{
	builder_start(plan, SAMPLE_SLOTS);
	for (unsigned i = 0; i < OBLIGATORY; i++) {
		add(plan, &obligatory[i]);
		if (obligatory[i].opcode == OP_CGROUP_NAMESPACE)
			add(plan, sample_of(OP_JOIN_CGROUP));
	}
	builder_finish(plan);
}

/* ---- plans of one more program ---- */

enum { LEAST_ENTERED = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID };

PAYLOAD(entered, put_u32(p, LEAST_ENTERED | CLONE_NEWNET), put_u16(p, 6), put_u16(p, 7), put_u16(p, 8), put_u16(p, SAMPLE_ROOT))
PAYLOAD(entered_host_files, put_u32(p, LEAST_ENTERED & ~CLONE_NEWNS), put_u16(p, 6), put_u16(p, 7))
PAYLOAD(entered_host_ids, put_u32(p, LEAST_ENTERED & ~CLONE_NEWUSER), put_u16(p, 6), put_u16(p, 7))
PAYLOAD(entered_host_pids, put_u32(p, LEAST_ENTERED & ~CLONE_NEWPID), put_u16(p, 6), put_u16(p, 7))
PAYLOAD(entered_unknown, put_u32(p, LEAST_ENTERED | CLONE_VM), put_u16(p, 6), put_u16(p, 7), put_u16(p, 8))
PAYLOAD(entered_twice, put_u32(p, LEAST_ENTERED), put_u16(p, 6), put_u16(p, 6), put_u16(p, 7))
PAYLOAD(entered_stream, put_u32(p, LEAST_ENTERED), put_u16(p, 6), put_u16(p, SLOT_STDERR), put_u16(p, 7))
PAYLOAD(entered_outside, put_u32(p, LEAST_ENTERED), put_u16(p, 6), put_u16(p, 7), put_u16(p, SAMPLE_SLOTS))
PAYLOAD(entered_short, put_u32(p, LEAST_ENTERED), put_u16(p, 6), put_u16(p, 7))
PAYLOAD(exec_itself, put_u8(p, 0), put_u8(p, 0), put_text(p, "/bin"), put_list(p, argv), put_list(p, environment))

const struct bad_sample bad_exec_samples[] = {
	{"files of the host", PHASE_MAPPED, OP_ENTER, entered_host_files, PLAN_BAD_VALUE},
	{"ids of the host", PHASE_MAPPED, OP_ENTER, entered_host_ids, PLAN_BAD_VALUE},
	{"processes of the host", PHASE_MAPPED, OP_ENTER, entered_host_pids, PLAN_BAD_VALUE},
	{"what is no namespace", PHASE_MAPPED, OP_ENTER, entered_unknown, PLAN_BAD_VALUE},
	{"one slot for two", PHASE_MAPPED, OP_ENTER, entered_twice, PLAN_BAD_SLOT},
	{"a stream's slot", PHASE_MAPPED, OP_ENTER, entered_stream, PLAN_BAD_SLOT},
	{"a slot past the last", PHASE_MAPPED, OP_ENTER, entered_outside, PLAN_BAD_SLOT},
	{"a slot too few", PHASE_MAPPED, OP_ENTER, entered_short, PLAN_BAD_LENGTH},
	{"a program that is outside itself", PHASE_FILTER, OP_EXEC, exec_itself, PLAN_BAD_VALUE},
};
const unsigned bad_exec_sample_count = sizeof bad_exec_samples / sizeof *bad_exec_samples;

static const struct sample obligatory_in_exec[] = {
	{PHASE_SEAL, OP_SEAL, NULL}, {PHASE_MAPPED, OP_ENTER, entered}, {PHASE_MAPPED, OP_MAPPED, NULL},
	{PHASE_CAPS, OP_CAPS, caps}, {PHASE_READY, OP_READY, ready},    {PHASE_FILTER, OP_EXEC, exec},
};

void sample_exec_plan(struct builder *plan, const struct sample *extra, uint8_t without)
{
	bool added = extra == NULL;
	for (unsigned i = 0; extra && i < sizeof obligatory_in_exec / sizeof *obligatory_in_exec; i++)
		added |= obligatory_in_exec[i].opcode == extra->opcode; /* it stands in the place of that */
	builder_start(plan, SAMPLE_SLOTS);
	plan->kind = PLAN_EXEC;
	for (unsigned i = 0; i < sizeof obligatory_in_exec / sizeof *obligatory_in_exec; i++) {
		const struct sample *step = &obligatory_in_exec[i];
		if (!added && i > 0 && step->phase >= extra->phase) {
			add(plan, extra);
			added = true;
		}
		if (step->opcode != without)
			add(plan, extra && step->opcode == extra->opcode ? extra : step);
		if (step->opcode == OP_MAPPED && extra && extra->opcode == OP_FILTER)
			add(plan, &no_new_privs);
	}
	builder_finish(plan);
}

/* One of each kind in one plan. */
void sample_plan_of_all(struct builder *plan)
{
	builder_start(plan, SAMPLE_SLOTS);
	for (unsigned i = 0; i < sample_count; i++)
		add(plan, &samples[i]);
	builder_finish(plan);
}
