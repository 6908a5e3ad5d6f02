/* The plan that every test shares, with what a spec says differently. */
#include "engine.h"

#include <sched.h>

static void mount_step(struct builder *plan, uint8_t kind, uint8_t flags, uint32_t mode, uint64_t bytes, const char *path)
{
	builder_step(plan, PHASE_MOUNTS, OP_MOUNT_FS);
	put_u8(plan, kind), put_u8(plan, flags), put_u32(plan, mode), put_u64(plan, bytes), put_u64(plan, bytes ? 1000 : 0);
	put_text(plan, path);
}

static void path_step(struct builder *plan, uint8_t phase, uint8_t opcode, const char *path)
{
	builder_step(plan, phase, opcode);
	put_text(plan, path);
}

static void more(const struct spec *spec, struct builder *plan, uint8_t phase)
{
	if (spec->more)
		spec->more(plan, phase);
}

static void mount_steps(const struct spec *spec, struct builder *plan, int volume_slot)
{
	enum { QUIET = MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC };
	mount_step(plan, FS_PROC, QUIET, 0, 0, "proc");
	mount_step(plan, FS_SYSFS, QUIET | MOUNT_RDONLY, 0, 0, "sys");
	if (!spec->bare_dev)
		mount_step(plan, FS_TMPFS, MOUNT_NOSUID | MOUNT_NOEXEC, 0755, 65536, "dev");
	mount_step(plan, FS_DEVPTS, MOUNT_NOSUID | MOUNT_NOEXEC, 0, 0, "dev/pts");
	mount_step(plan, FS_TMPFS, QUIET, 01777, 1 << 20, "dev/shm");
	mount_step(plan, FS_MQUEUE, QUIET, 0, 0, "dev/mqueue");
	builder_step(plan, PHASE_MOUNTS, OP_SYMLINK), put_text(plan, "/proc/self/fd"), put_text(plan, "dev/fd");
	builder_step(plan, PHASE_MOUNTS, OP_SYMLINK), put_text(plan, "pts/ptmx"), put_text(plan, "dev/ptmx");
	builder_step(plan, PHASE_MOUNTS, OP_FILE), put_u32(plan, 0644);
	put_text(plan, "etc/hostname"), put_text(plan, "boxed\n");
	if (spec->volume) {
		builder_step(plan, PHASE_MOUNTS, OP_MOUNT_FD), put_u16(plan, (uint16_t)volume_slot);
		put_u8(plan, spec->volume_is_file), put_text(plan, spec->volume_path ? spec->volume_path : "volume");
	}
	more(spec, plan, PHASE_MOUNTS);
}

static bool has_network_of_another(const struct spec *spec) { return spec->dropped_clone_flags & CLONE_NEWNET; }

static void protect_steps(const struct spec *spec, struct builder *plan)
{
	static const char *const masked[] = {"proc/kcore", "proc/keys", "proc/timer_list", "proc/acpi", "sys/firmware", "proc/none"};
	static const char *const read_only[] = {"proc/sys", "proc/bus", "proc/fs", "proc/irq", "proc/sysrq-trigger"};
	if (!has_network_of_another(spec)) {
		builder_step(plan, PHASE_PROTECT, OP_SYSCTL);
		put_text(plan, "net/ipv4/ip_unprivileged_port_start"), put_text(plan, "0");
	}
	for (unsigned i = 0; i < sizeof masked / sizeof *masked; i++)
		path_step(plan, PHASE_PROTECT, OP_MASK, masked[i]);
	for (unsigned i = 0; i < sizeof read_only / sizeof *read_only; i++)
		path_step(plan, PHASE_PROTECT, OP_READ_ONLY, read_only[i]);
	if (spec->read_only)
		builder_step(plan, PHASE_PROTECT, OP_ROOT_READ_ONLY);
	more(spec, plan, PHASE_PROTECT);
	builder_step(plan, PHASE_PROTECT, OP_VERIFY);
}

static void limit_steps(const struct spec *spec, struct builder *plan)
{
	if (!has_network_of_another(spec))
		builder_step(plan, PHASE_LIMITS, OP_LOOPBACK);
	path_step(plan, PHASE_LIMITS, OP_HOSTNAME, "boxed");
	builder_step(plan, PHASE_LIMITS, OP_RLIMIT), put_u32(plan, 7), put_u64(plan, 256), put_u64(plan, 512); /* NOFILE */
	builder_step(plan, PHASE_LIMITS, OP_OOM_SCORE_ADJ), put_u32(plan, 500);
	builder_step(plan, PHASE_LIMITS, OP_KEYRING);
	more(spec, plan, PHASE_LIMITS);
}

static void privilege_steps(const struct spec *spec, struct builder *plan)
{
	if (spec->filter && spec->keep_privileges_open) {
		builder_step(plan, PHASE_CAPS, OP_FILTER);
		put_bytes(plan, spec->filter, spec->filter_bytes);
	}
	builder_step(plan, PHASE_CAPS, OP_CAPS);
	put_u64(plan, spec->caps), put_u64(plan, spec->uid ? 0 : spec->caps);
	put_u32(plan, spec->uid), put_u32(plan, spec->gid), put_u32(plan, 1), put_u32(plan, spec->gid);
	more(spec, plan, PHASE_LANDLOCK);
}

static void program_steps(const struct spec *spec, struct builder *plan)
{
	static const char *const nothing[] = {"PATH=/bin", NULL};
	path_step(plan, PHASE_READY, OP_READY, spec->directory ? spec->directory : "/");
	if (spec->filter && !spec->keep_privileges_open) {
		builder_step(plan, PHASE_FILTER, OP_FILTER);
		put_bytes(plan, spec->filter, spec->filter_bytes);
	}
	builder_step(plan, PHASE_FILTER, OP_EXEC), put_u8(plan, spec->idle ? 2 : !spec->no_init), put_u8(plan, spec->terminal);
	put_text(plan, spec->path ? spec->path : "/bin");
	put_list(plan, spec->argv);
	put_list(plan, spec->environment ? spec->environment : nothing);
}

void build_plan(const struct spec *spec, struct builder *plan, uint16_t slots, int first_tasks, int tasks, int volume_slot)
{
	builder_start(plan, slots);
	builder_step(plan, PHASE_SEAL, OP_SEAL);
	for (int i = 0; i < tasks; i++)
		builder_step(plan, PHASE_MAPPED, OP_JOIN_CGROUP), put_u16(plan, (uint16_t)(first_tasks + i));
	builder_step(plan, PHASE_MAPPED, OP_CGROUP_NAMESPACE);
	builder_step(plan, PHASE_MAPPED, OP_MAPPED);
	if (!spec->keep_privileges_open)
		builder_step(plan, PHASE_MAPPED, OP_NO_NEW_PRIVS);
	builder_step(plan, PHASE_PRIVATE, OP_PRIVATE);
	builder_step(plan, PHASE_ROOT, OP_ROOT), put_u16(plan, slots - 1);
	mount_steps(spec, plan, volume_slot);
	for (uint8_t device = DEVICE_NULL; device <= DEVICE_TTY && !spec->no_devices; device++)
		builder_step(plan, PHASE_DEVICES, OP_DEVICE), put_u8(plan, device);
	more(spec, plan, PHASE_DEVICES);
	if (spec->terminal) {
		builder_step(plan, PHASE_DEVICES, OP_CONSOLE), put_u16(plan, 30), put_u16(plan, 100);
		put_u32(plan, spec->uid), put_u32(plan, spec->gid);
	}
	if (spec->device) {
		builder_step(plan, PHASE_DEVICES, OP_HOST_DEVICE), put_u16(plan, slots - 2);
		put_u8(plan, spec->device_kind), put_u32(plan, spec->device_major), put_u32(plan, spec->device_minor);
		put_text(plan, spec->device_path);
	}
	builder_step(plan, PHASE_PIVOT, OP_PIVOT);
	protect_steps(spec, plan);
	limit_steps(spec, plan);
	privilege_steps(spec, plan);
	program_steps(spec, plan);
	plan->pause_before = spec->pause_before ? spec->pause_before : PLAN_NO_PAUSE;
	builder_finish(plan);
}
