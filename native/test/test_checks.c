/*
 * The second looks that init takes: what they say where a step did not do what it should have, which no launch can show.
 * Their files are included, so that what they keep to themselves is tested too. Root.
 */
#include "../verify.c"
#include "../privileges.c"
#include "../monitor_parts.h"
#include "builder.h"
#include "check.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

/* What the two files need of init.c and seal.c. */
int report(const struct init *init, const struct report *report, int fd)
{
	(void)init, (void)report, (void)fd;
	return 0;
}

int die_with_engine(void) { return 0; }

void read_text(struct reader *reader, char text[PATH_SIZE])
{
	uint32_t length;
	const uint8_t *bytes = read_bytes(reader, &length);
	memcpy(text, bytes, length);
	text[length] = 0;
}

/* ---- a tree to look at ---- */

static struct init subject; /* large */
static int spare;	    /* an open descriptor */

/* In a mount and process namespace of its own, with a small root; what it returns is the sum of failed checks. */
static void in_a_root(void (*look)(void))
{
	int status, pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS | CLONE_NEWPID) < 0)
			_exit(99);
		if ((pid = fork()) != 0)
			_exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 99);
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("test", "/mnt", "tmpfs", 0, "mode=755") < 0 ||
		    chdir("/mnt") < 0 || mkdir("proc", 0755) < 0 || mkdir("hidden", 0755) < 0 || mkdir("open", 0755) < 0 ||
		    mkdir("full", 0755) < 0 || mknod("null", S_IFCHR | 0666, makedev(1, 3)) < 0 ||
		    mknod("zero", S_IFCHR | 0666, makedev(1, 5)) < 0 || mknod("file", S_IFREG | 0644, 0) < 0 ||
		    mount("test", "hidden", "tmpfs", MS_RDONLY, NULL) < 0 || mount("proc", "proc", "proc", 0, NULL) < 0 ||
		    mount("test", "full", "tmpfs", 0, NULL) < 0 || mkdir("full/of", 0755) < 0 ||
		    mount(NULL, "full", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0 || chroot(".") < 0)
			_exit(98);
		close_from(3, ~0U);
		subject.root = open("/", O_PATH | O_CLOEXEC);
		subject.proc = open("/proc", O_PATH | O_CLOEXEC);
		subject.devpts = subject.null = subject.empty = -1;
		look();
		_exit(checks_failed > 90 ? 90 : checks_failed);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	CHECK_EQUAL(0, WEXITSTATUS(status));
}

/* Verifies a plan of this step, which is behind it. */
static int verified(uint8_t opcode, const char *path)
{
	struct builder plan;
	builder_start(&plan, 0);
	if (opcode == OP_HOST_DEVICE)
		put_u16(&plan, 0), put_u8(&plan, DEVICE_CHARACTER), put_u32(&plan, 1), put_u32(&plan, 5);
	uint32_t start = sizeof(struct plan_header);
	put_text(&plan, path ? path : "");
	subject.plan.steps[0] = (struct step){PHASE_PROTECT, opcode, plan.length - start, plan.bytes + start};
	subject.plan.count = subject.step = 1;
	int error = verify(&subject, NULL);
	builder_free(&plan);
	return error;
}

static void looks_at_steps(void)
{
	static const struct {
		uint8_t opcode;
		const char *path;
		int error;
	} looks[] = {
		{OP_MASK, "nowhere", 0}, {OP_MASK, "hidden", 0}, {OP_MASK, "null", 0}, {OP_READ_ONLY, "hidden", 0}, {OP_READ_ONLY, "nowhere", 0},
		{OP_HOST_DEVICE, "zero", 0}, {OP_SEAL, NULL, 0},
		{OP_MASK, "open", -EXDEV},	 /* a directory that nothing covers */
		{OP_MASK, "full", -EXDEV},	 /* a tmpfs, read-only, with something in it */
		{OP_MASK, "proc", -EXDEV},	 /* another file system */
		{OP_MASK, "zero", -ENXIO},	 /* another device */
		{OP_MASK, "file", -ENXIO},	 /* no device */
		{OP_MASK, "file/x", -ENOTDIR},
		{OP_READ_ONLY, "open", -EROFS}, {OP_READ_ONLY, "file/x", -ENOTDIR}, {OP_ROOT_READ_ONLY, NULL, -EROFS},
		{OP_HOST_DEVICE, "null", -ENXIO}, {OP_HOST_DEVICE, "file", -ENXIO}, {OP_HOST_DEVICE, "nowhere", -ENOENT},
	};
	for (unsigned i = 0; i < sizeof looks / sizeof *looks; i++) {
		int error = verified(looks[i].opcode, looks[i].path);
		if (error != looks[i].error)
			fprintf(stderr, "opcode %u at %s\n", looks[i].opcode, looks[i].path);
		CHECK_EQUAL(looks[i].error, error);
	}
	CHECK(mount("test", "/open", "tmpfs", 0, NULL) == 0);
	CHECK_EQUAL(-EXDEV, verified(OP_MASK, "open")); /* empty, but it can be written */
	CHECK(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK_EQUAL(0, verified(OP_ROOT_READ_ONLY, NULL));
}

static void looks_at_the_root_and_proc(void)
{
	int root = subject.root, proc = subject.proc;
	CHECK_EQUAL(0, verified(OP_SEAL, NULL));
	CHECK(chdir("/open") == 0);
	CHECK_EQUAL(-EXDEV, verified(OP_SEAL, NULL));
	CHECK(chdir("/") == 0);
	subject.root = open("/open", O_PATH | O_CLOEXEC); /* not the one that is / */
	CHECK_EQUAL(-EXDEV, verified(OP_SEAL, NULL));
	close(subject.root);
	subject.root = root;
	CHECK(mount("proc", "/open", "proc", 0, NULL) == 0);
	subject.proc = open("/open/sys", O_PATH | O_CLOEXEC);
	CHECK_EQUAL(-EXDEV, verified(OP_SEAL, NULL));
	close(subject.proc);
	subject.proc = open("/full", O_PATH | O_CLOEXEC);
	CHECK(mount("/full", "/proc", NULL, MS_BIND, NULL) == 0); /* the same on both sides, but no procfs */
	CHECK_EQUAL(-EXDEV, verified(OP_SEAL, NULL));
	CHECK(umount2("/proc", MNT_DETACH) == 0);
	close(subject.proc);
	subject.proc = proc;
	CHECK_EQUAL(0, verified(OP_SEAL, NULL));
}

static void looks_at_descriptors(void)
{
	CHECK_EQUAL(0, verified(OP_SEAL, NULL));
	spare = open("/file", O_RDONLY | O_CLOEXEC);
	CHECK_EQUAL(-EBADFD, verified(OP_SEAL, NULL));
	int *held[] = {&subject.devpts, &subject.null, &subject.empty, &subject.slot[0], &subject.slot[7]};
	subject.slots = 8;
	for (unsigned i = 0; i < sizeof held / sizeof *held; i++) {
		*held[i] = spare;
		CHECK_EQUAL(0, verified(OP_SEAL, NULL));
		*held[i] = -1;
		CHECK_EQUAL(-EBADFD, verified(OP_SEAL, NULL));
	}
	subject.slot[7] = spare, subject.slots = 7; /* not one of the plan's */
	CHECK_EQUAL(-EBADFD, verified(OP_SEAL, NULL));
	for (int fd = 100; fd < 250; fd++) /* more than one listing's worth; the unknown one comes last */
		subject.slot[fd % PLAN_MAX_SLOTS] = dup2(spare, fd);
	CHECK_EQUAL(-EBADFD, verified(OP_SEAL, NULL));
}

static void what_was_not_done_is_seen(void) { in_a_root(looks_at_steps); }
static void another_root_or_proc_is_seen(void) { in_a_root(looks_at_the_root_and_proc); }
static void a_foreign_descriptor_is_seen(void) { in_a_root(looks_at_descriptors); }

/* ---- ids and capabilities ---- */

static void in_a_child(void (*look)(void))
{
	int status, pid = fork();
	if (pid == 0) {
		look();
		_exit(checks_failed > 90 ? 90 : checks_failed);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	CHECK_EQUAL(0, WEXITSTATUS(status));
}

static void looks_at_ids(void)
{
	struct privileges wanted = {.uid = 1000, .gid = 1001, .count = 2, .groups = {7, 5}};
	CHECK(setgroups(2, wanted.groups) == 0 && setresgid(1001, 1001, 1001) == 0 && setresuid(1000, 1000, 1000) == 0);
	CHECK(same_ids(&wanted));
	wanted.uid++;
	CHECK(!same_ids(&wanted));
	wanted.uid--, wanted.gid++;
	CHECK(!same_ids(&wanted));
	wanted.gid--, wanted.count = 1;
	CHECK(!same_ids(&wanted));
	wanted.count = 3, wanted.groups[2] = 5;
	CHECK(!same_ids(&wanted));
	wanted.count = 2, wanted.groups[1] = 6, wanted.groups[2] = 0;
	CHECK(!same_ids(&wanted));
}

/* One of the three ids is another. */
static void looks_at_each_id(void)
{
	for (unsigned i = 0; i < 6; i++) {
		uint32_t id[6] = {10, 10, 10, 20, 20, 20};
		struct privileges wanted = {.uid = 10, .gid = 20};
		id[i] = 0;
		CHECK(setgroups(0, NULL) == 0 && setresgid(id[3], id[4], id[5]) == 0 && setresuid(id[0], id[1], id[2]) == 0);
		CHECK(!same_ids(&wanted));
		CHECK((id[0] && id[1] && id[2]) || setresuid(0, 0, 0) == 0);
		if (geteuid() != 0) /* all three are gone: the rest is for another process */
			_exit(checks_failed);
		CHECK(setresgid(0, 0, 0) == 0);
	}
}

static void looks_at_groups_ids(void)
{
	for (unsigned i = 0; i < 3; i++) {
		gid_t id[3] = {20, 20, 20};
		struct privileges wanted = {.uid = 0, .gid = 20};
		CHECK(setgroups(0, NULL) == 0 && setresgid(20, 20, 20) == 0);
		CHECK(same_ids(&wanted));
		id[i] = 0;
		CHECK(setresgid(id[0], id[1], id[2]) == 0 && !same_ids(&wanted));
	}
}

static void looks_at_capabilities(void)
{
	const uint64_t net = 1ull << CAP_NET_BIND_SERVICE | 1ull << CAP_SETPCAP, high = 1ull << CAP_BPF;
	struct privileges wanted = {.bounding = net | high, .permitted = net | high};
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	CHECK_EQUAL(0, drop_bounding(wanted.bounding));
	CHECK_EQUAL(0, set_caps(wanted.permitted));
	CHECK(same_caps(&wanted));
	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++) {
		wanted.permitted ^= 1ull << cap;
		CHECK(!same_caps(&wanted));
		wanted.permitted ^= 1ull << cap, wanted.bounding ^= 1ull << cap;
		CHECK(!same_caps(&wanted));
		wanted.bounding ^= 1ull << cap;
	}
	for (unsigned word = 0; word < 2; word++) {
		uint32_t all[2] = {(uint32_t)wanted.permitted, (uint32_t)(wanted.permitted >> 32)}, other[2] = {all[0], all[1]};
		other[word] = 0;
		struct __user_cap_data_struct less_effective[2] = {{other[0], all[0], 0}, {other[1], all[1], 0}};
		CHECK(syscall(SYS_capset, &header, less_effective) == 0 && !same_caps(&wanted));
		struct __user_cap_data_struct inheritable[2] = {{all[0], all[0], all[0] ^ other[0]}, {all[1], all[1], all[1] ^ other[1]}};
		CHECK(syscall(SYS_capset, &header, inheritable) == 0 && !same_caps(&wanted));
	}
	CHECK_EQUAL(0, set_caps(wanted.permitted));
	CHECK(same_caps(&wanted));
	CHECK(prctl(PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE) == 0 && !same_caps(&wanted));
}

/* Nothing ambient stays: set_caps clears it before what is inheritable. */
static void looks_at_ambient(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{~0u, ~0u, 1u << CAP_KILL}};
	CHECK(syscall(SYS_capget, &header, data) == 0);
	data[0].inheritable |= 1u << CAP_KILL;
	CHECK(syscall(SYS_capset, &header, data) == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) == 0);
	CHECK_EQUAL(0, set_caps(1ull << CAP_KILL));
	CHECK_EQUAL(0, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0));
}

static void other_ids_are_seen(void) { in_a_child(looks_at_ids), in_a_child(looks_at_each_id), in_a_child(looks_at_groups_ids); }
static void other_capabilities_are_seen(void) { in_a_child(looks_at_capabilities), in_a_child(looks_at_ambient); }

/* What is planned comes from the plan, not from the kernel: one without OP_NO_NEW_PRIVS is refused where it is set. */
static void privileges_are_what_the_plan_says(void)
{
	static const uint8_t payload[28] = {0};
	static struct init planned_init;
	for (int has = 0; has < 2; has++)
		for (int planned_step = 0; planned_step < 2; planned_step++) {
			int status, pid = fork();
			if (pid == 0) {
				struct reader reader = {payload, sizeof payload, false};
				planned_init.plan.count = 1;
				planned_init.plan.steps[0].opcode = planned_step ? OP_NO_NEW_PRIVS : OP_SEAL;
				if (has)
					prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
				_exit(-drop_privileges(&planned_init, &reader));
			}
			CHECK(waitpid(pid, &status, 0) == pid);
			CHECK_EQUAL(has == planned_step ? 0 : EPERM, WEXITSTATUS(status));
		}
}

/* Against libc, at both ends of every month of four centuries. */
static void dates_are_those_of_the_calendar(void)
{
	char text[TIME_SIZE], expected[TIME_SIZE];
	for (int month = 0; month < 12 * 400; month++)
		for (int before = 0; before < 2; before++) {
			struct tm first = {.tm_year = 70 + month / 12, .tm_mon = month % 12, .tm_mday = 1}, date;
			struct timespec time = {timegm(&first) - before, 123456789};
			if (time.tv_sec < 0)
				continue;
			size_t length = strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", gmtime_r(&time.tv_sec, &date));
			snprintf(expected + length, sizeof expected - length, ".123456789Z");
			format_time(text, &time);
			CHECK_TEXT(expected, text);
		}
}

int main(void)
{
	static const struct test tests[] = {
		{"dates", dates_are_those_of_the_calendar},
		{"steps not done", what_was_not_done_is_seen}, {"root and proc", another_root_or_proc_is_seen},
		{"descriptors", a_foreign_descriptor_is_seen}, {"ids", other_ids_are_seen},
		{"capabilities", other_capabilities_are_seen}, {"no_new_privs", privileges_are_what_the_plan_says},
	};
	unsigned passed = 0, failed = 0;
	if (geteuid() != 0) {
		fprintf(stderr, "this needs root\n");
		return 2;
	}
	run_tests(tests, sizeof tests / sizeof *tests, NULL, &passed, &failed);
	printf("checks: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
