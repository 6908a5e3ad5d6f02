/* Phases CAPS and LANDLOCK, and the filter: after each the kernel is asked what it made of it. */
#include "init.h"
#include "kernel.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

struct privileges {
	uint64_t bounding, permitted;
	uint32_t uid, gid, count;
	gid_t groups[256];
};

int drop_bounding(uint64_t keep)
{
	for (unsigned cap = 0; cap < 64; cap++)
		if (!(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap) < 0)
			return errno == EINVAL ? 0 : -errno; /* the kernel has no more */
	return 0;
}

static int set_ids(const struct privileges *wanted)
{
	if (setgroups(wanted->count, wanted->groups) < 0)
		return -errno;
	if (setresgid(wanted->gid, wanted->gid, wanted->gid) < 0)
		return -errno;
	/* or the way from root to another id would clear the permitted set, and capset could not set it */
	if (prctl(PR_SET_KEEPCAPS, 1) < 0 || setresuid(wanted->uid, wanted->uid, wanted->uid) < 0)
		return -errno;
	return prctl(PR_SET_KEEPCAPS, 0) < 0 ? -errno : 0;
}

/* CVE-2022-29162, CVE-2022-24769: nothing inheritable, nothing ambient. */
static int set_caps(uint64_t permitted)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	uint32_t low = (uint32_t)permitted, high = (uint32_t)(permitted >> 32);
	struct __user_cap_data_struct data[2] = {{low, low, 0}, {high, high, 0}};
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	return result(syscall(SYS_capset, &header, data));
}

static bool same_ids(const struct privileges *wanted)
{
	uid_t uid[3];
	gid_t gid[3], groups[256];
	if (getresuid(&uid[0], &uid[1], &uid[2]) < 0 || getresgid(&gid[0], &gid[1], &gid[2]) < 0)
		return false;
	for (unsigned i = 0; i < 3; i++)
		if (uid[i] != wanted->uid || gid[i] != wanted->gid)
			return false;
	int count = getgroups(256, groups); /* sorted by the kernel */
	for (int i = 0; i < count; i++) {
		uint32_t at = 0;
		while (at < wanted->count && wanted->groups[at] != groups[i])
			at++;
		if (at == wanted->count)
			return false;
	}
	return count == (int)wanted->count;
}

/* What is not inheritable cannot be ambient, capabilities(7). */
static bool same_caps(const struct privileges *wanted)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	uint64_t effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	uint64_t permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	if (effective != wanted->permitted || permitted != wanted->permitted || (data[0].inheritable | data[1].inheritable) != 0)
		return false;
	for (unsigned cap = 0; cap < 64; cap++) {
		int has = prctl(PR_CAPBSET_READ, cap);
		if (has < 0)
			return errno == EINVAL && wanted->bounding >> cap == 0; /* the kernel has no more */
		if (has != (int)(wanted->bounding >> cap & 1))
			return false;
	}
	return true;
}

int drop_privileges(struct init *init, struct reader *payload)
{
	static struct privileges wanted;
	wanted.bounding = read_u64(payload);
	wanted.permitted = read_u64(payload);
	wanted.uid = read_u32(payload);
	wanted.gid = read_u32(payload);
	wanted.count = read_u32(payload);
	for (uint32_t i = 0; i < wanted.count; i++)
		wanted.groups[i] = read_u32(payload);
	int error = drop_bounding(wanted.bounding);
	if (error == 0)
		error = set_ids(&wanted);
	if (error == 0)
		error = set_caps(wanted.permitted);
	if (error == 0)
		error = die_with_engine();
	if (error < 0)
		return error;
	bool locked = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == is_planned(init, OP_NO_NEW_PRIVS);
	return locked && prctl(PR_GET_SECUREBITS) == SECUREBITS_DEFAULT && same_ids(&wanted) && same_caps(&wanted) ? 0 : -EPERM;
}

/* landlock(7): scopes alone (from ABI 6 on); files stay as the mounts have them. */
int restrict_scopes(struct init *init, struct reader *payload)
{
	(void)init;
	struct {
		uint64_t files, ports, scopes;
	} rules = {.scopes = read_u32(payload)};
	int ruleset = result(syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0));
	if (ruleset < 0)
		return ruleset;
	int error = result(syscall(SYS_landlock_restrict_self, ruleset, 0));
	close(ruleset);
	return error;
}

/* A filter that asks is loaded with a listener: the lowest free descriptor, which exec closes and the engine takes before. */
static bool asks(const struct sock_fprog *program)
{
	for (unsigned i = 0; i < program->len; i++)
		if (program->filter[i].code == (BPF_RET | BPF_K) &&
		    (program->filter[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
			return true;
	return false;
}

int load_filter_with(const uint8_t *bytes, uint32_t length, int *listener)
{
	struct sock_fprog program = {(unsigned short)(length / sizeof(struct sock_filter)), (struct sock_filter *)(uintptr_t)bytes};
	unsigned listen = asks(&program) ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
	/* since Linux 5.19: a call that is being answered is not begun anew for every signal */
	int loaded = -EINVAL;
	if (listen)
		loaded = result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, listen | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program));
	if (loaded == -EINVAL)
		loaded = result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, listen, &program));
	*listener = listen ? loaded : -1;
	return loaded < 0 ? loaded : 0;
}

int load_filter(const uint8_t *bytes, uint32_t length)
{
	int listener;
	return load_filter_with(bytes, length, &listener);
}

/* In phase CAPS at once, for want of no_new_privs; else the program takes it right before its execveat. */
int take_filter(struct init *init, struct reader *payload)
{
	uint32_t length;
	const uint8_t *bytes = read_bytes(payload, &length);
	if (init->plan.steps[init->step].phase == PHASE_CAPS)
		return load_filter(bytes, length);
	init->filter = bytes;
	init->filter_length = (uint16_t)length;
	return 0;
}
