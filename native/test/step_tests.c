/* One step at a time: what it makes, where it refuses, and what it leaves alone. */
#include "init_tests.h"
#include "own_network.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct container container; /* large */

static void tmpfs(struct builder *plan, const char *path)
{
	builder_step(plan, PHASE_MOUNTS, OP_MOUNT_FS), put_u8(plan, FS_TMPFS), put_u8(plan, 0), put_u32(plan, 0755);
	put_u64(plan, 65536), put_u64(plan, 10), put_text(plan, path);
}

static void file(struct builder *plan, const char *path)
{
	builder_step(plan, PHASE_MOUNTS, OP_FILE), put_u32(plan, 0644), put_text(plan, path), put_text(plan, "ours\n");
}

static int volume(const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", test_directory(), name);
	mkdir(path, 0755);
	return (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* A new root in which `name` is a link. */
static const char *root_with_link(const char *root_name, const char *name, const char *target)
{
	char path[256];
	const char *root = test_root(root_name);
	snprintf(path, sizeof path, "%s/%s", root, name);
	CHECK(symlink(target, path) == 0);
	return root;
}

/* ---- devices ---- */

static void zero_before_null(struct builder *plan, uint8_t phase)
{
	static const uint8_t devices[] = {DEVICE_ZERO, DEVICE_NULL, DEVICE_FULL};
	for (unsigned i = 0; phase == PHASE_DEVICES && i < sizeof devices; i++)
		builder_step(plan, phase, OP_DEVICE), put_u8(plan, devices[i]);
	if (phase == PHASE_PROTECT)
		builder_step(plan, phase, OP_MASK), put_text(plan, "etc/hostname");
}

/* Files are masked with /dev/null, wherever that stands among the devices; the others are not kept open. */
static void devices_are_made_in_any_order(void)
{
	struct spec spec = shell("wc -c </etc/hostname; head -c 2 /dev/zero | wc -c; ls -A /dev | grep -c -e '^zero$' -e '^null$' -e '^full$'");
	spec.no_devices = true, spec.more = zero_before_null;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("0\n2\n3\n", container.text);
	expect_exit(&container, 0);
}

/* ---- file systems ---- */

static const struct {
	uint8_t kind;
	const char *line; /* of mountinfo, behind the dash */
} groups[] = {
	{FS_CGROUP1_CPU, "cpu"}, {FS_CGROUP1_CPUACCT, "cpuacct"}, {FS_CGROUP1_CPU_CPUACCT, "cpu,cpuacct"}, {FS_CGROUP1_CPUSET, "cpuset"},
	{FS_CGROUP1_MEMORY, "memory"}, {FS_CGROUP1_PIDS, "pids"}, {FS_CGROUP1_BLKIO, "blkio"},
};

/* A hierarchy of just these controllers, which alone a container may mount. */
static bool is_on_host(const char *controllers)
{
	char line[1024], end[64];
	bool found = false;
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	snprintf(end, sizeof end, " - cgroup cgroup rw,%s\n", controllers);
	while (mounts && fgets(line, sizeof line, mounts))
		found |= strstr(line, end) != NULL;
	if (mounts)
		fclose(mounts);
	return found;
}

static void groups_that_are_there(struct builder *plan, uint8_t phase)
{
	for (unsigned i = 0; phase == PHASE_MOUNTS && i < sizeof groups / sizeof *groups; i++)
		if (is_on_host(groups[i].line)) {
			char path[32];
			snprintf(path, sizeof path, "run/%s", groups[i].line);
			builder_step(plan, phase, OP_MOUNT_FS), put_u8(plan, groups[i].kind), put_u8(plan, 0), put_u32(plan, 0);
			put_u64(plan, 0), put_u64(plan, 0), put_text(plan, path);
		}
}

static void each_hierarchy_of_control_groups_is_the_one_that_was_asked_for(void)
{
	char expected[512] = "";
	struct spec spec = shell("while read a b c d at rest; do set -- ${rest##* - }; [ $1 != cgroup ] || echo $at $3; done < /proc/self/mountinfo");
	spec.more = groups_that_are_there;
	for (unsigned i = 0; i < sizeof groups / sizeof *groups; i++)
		if (is_on_host(groups[i].line))
			sprintf(expected + strlen(expected), "/run/%s rw,%s\n", groups[i].line, groups[i].line);
	container_run(&engine, &spec, &container);
	CHECK_TEXT(expected, container.text);
	expect_exit(&container, 0);
}

/* Of the network that it is in, also if that is another one's: never of the zygote's, where the links of the host are. */
static void sysfs_is_that_of_its_network(void)
{
	struct spec spec = shell("ls /sys/class/net; grep -c ' /sys ro,nosuid,nodev,noexec,relatime .*- sysfs ' /proc/self/mountinfo");
	enter_own_network();
	CHECK(runs("ip link add cvhere type veth peer name cvthere"));
	spec.network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), spec.dropped_clone_flags = CLONE_NEWNET;
	leave_own_network();
	container_run(&engine, &spec, &container);
	CHECK(strstr(container.text, "cvhere\ncvthere\n") && strstr(container.text, "\n1\n"));
	close(spec.network);
	spec.network = 0, spec.dropped_clone_flags = 0;
	container_run(&engine, &spec, &container);
	CHECK(!strstr(container.text, "cvhere") && strstr(container.text, "lo\n") && strstr(container.text, "\n1\n"));
}

/* Group 5 owns terminals, if there is one. */
static void terminals_have_their_number_and_their_group(void)
{
	static const struct {
		uint32_t ids;
		const char *options;
	} cases[] = {{5, "rw,mode=620,ptmxmode=666,max=256\n"}, {6, "rw,gid=1000005,mode=620,ptmxmode=666,max=256\n"}};
	for (unsigned i = 0; i < 2; i++) {
		struct spec spec = shell("while read a b c d at rest; do [ $at != /dev/pts ] || echo ${rest##* }; done < /proc/self/mountinfo");
		spec.id_count = cases[i].ids;
		container_run(&engine, &spec, &container);
		CHECK_TEXT(cases[i].options, container.text);
	}
}

static void two_of_each(struct builder *plan, uint8_t phase)
{
	static const uint8_t kinds[] = {FS_PROC, FS_DEVPTS};
	static const char *const paths[] = {"run/proc", "run/pts"};
	for (unsigned i = 0; phase == PHASE_MOUNTS && i < 2; i++) {
		builder_step(plan, phase, OP_MOUNT_FS), put_u8(plan, kinds[i]), put_u8(plan, 0), put_u32(plan, 0);
		put_u64(plan, 0), put_u64(plan, 0), put_text(plan, paths[i]);
	}
}

/* What later steps use is the first of them. */
static void a_second_procfs_or_devpts_changes_nothing(void)
{
	struct spec spec = shell("tty; ls /dev/pts | grep -c '^0$'; ls /run/pts | grep -c '^0$'; cat /run/proc/self/oom_score_adj");
	spec.more = two_of_each, spec.terminal = true;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("/dev/pts/0\r\n1\r\n0\r\n500\r\n", container.text);
}

/* ---- targets that are the engine's own ---- */

static void nothing_of_the_engines_is_a_target_through_a_link(void)
{
	static const char *const targets[] = {"/", "/proc", "/proc/sys", "/sys", "/sys/fs", "/dev", "/dev/pts", "/dev/shm"};
	char name[32];
	for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct spec spec = shell("echo ran");
		snprintf(name, sizeof name, "reserved-%u", i);
		spec.root = root_with_link(name, "srv", targets[i]);
		spec.volume = volume("any"), spec.volume_path = "srv";
		container_run(&engine, &spec, &container);
		expect_error(&container, PHASE_MOUNTS, OP_MOUNT_FD, EBUSY);
	}
}

static void directory_through_a_link(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_MOUNTS)
		builder_step(plan, phase, OP_MKDIR), put_u32(plan, 0755), put_text(plan, "srv/pts");
}

static void no_directory_of_the_engines_is_made_through_a_link(void)
{
	struct spec spec = shell("echo ran");
	spec.root = root_with_link("made-reserved", "srv", "/dev");
	spec.more = directory_through_a_link;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_MOUNTS, OP_MKDIR, EBUSY);
}

static void mounts_with_like_names(struct builder *plan, uint8_t phase)
{
	static const char *const paths[] = {"process", "systems", "device", "run/dev"};
	if (phase != PHASE_MOUNTS)
		return;
	for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
		char below[32];
		tmpfs(plan, paths[i]);
		snprintf(below, sizeof below, "%s/below", paths[i]);
		tmpfs(plan, below);
		builder_step(plan, phase, OP_MKDIR), put_u32(plan, 0700), put_text(plan, paths[i]);
	}
}

static void what_is_only_called_like_them_is_a_target(void)
{
	struct spec spec = shell("cd /; for d in process systems device run/dev; do stat -c '%n %a' $d $d/below; done");
	spec.more = mounts_with_like_names;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("process 755\nprocess/below 755\nsystems 755\nsystems/below 755\ndevice 755\ndevice/below 755\nrun/dev 755\nrun/dev/below 755\n", container.text);
}

/* ---- files, directories and volumes ---- */

static void files_in_and_beside_a_volume(struct builder *plan, uint8_t phase)
{
	if (phase != PHASE_MOUNTS)
		return;
	file(plan, "etc/hosts");    /* the volume is this file */
	file(plan, "etc/resolv");   /* new */
	file(plan, "bin/id");	    /* there already */
	tmpfs(plan, "run"), file(plan, "run/made");
}

static void a_file_of_the_engines_is_not_written_into_a_volume(void)
{
	char path[256], text[16] = "";
	struct spec spec = shell("cat /etc/hosts /etc/resolv /bin/id /run/made; stat -c '%n %a %F' /bin/id");
	snprintf(path, sizeof path, "%s/hosts", test_directory());
	int host = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	CHECK(write(host, "theirs\n", 7) == 7);
	spec.volume = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	spec.volume_is_file = true, spec.volume_path = "etc/hosts";
	spec.more = files_in_and_beside_a_volume;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("theirs\nours\nours\nours\n/bin/id 644 regular file\n", container.text);
	CHECK(pread(host, text, 7, 0) == 7);
	CHECK_TEXT("theirs\n", text);
	close(host);
}

static void file_below_a_volume(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_MOUNTS)
		file(plan, "volume/made");
}

static void a_volume_over_the_directory_of_a_file_stays_as_it_is(void)
{
	struct spec spec = shell("ls /volume; echo on");
	spec.volume = volume("clean"), spec.more = file_below_a_volume;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("on\n", container.text);
}

static void a_directory_and_a_link(struct builder *plan, uint8_t phase)
{
	if (phase != PHASE_MOUNTS)
		return;
	tmpfs(plan, "run/x");
	builder_step(plan, phase, OP_MKDIR), put_u32(plan, 01700), put_text(plan, "srv/a/b");
	builder_step(plan, phase, OP_SYMLINK), put_text(plan, "../a/b"), put_text(plan, "srv/links/to");
}

/* What is made for a target, as the writable layer has it below the mount. */
static void modes_of_what_is_made(void)
{
	static const struct {
		const char *name;
		mode_t mode;
	} made[] = {{"run/x", S_IFDIR | 0755}, {"srv", S_IFDIR | 0755},	      {"srv/a", S_IFDIR | 0755}, {"srv/a/b", S_IFDIR | 01700},
		    {"srv/links", S_IFDIR | 0755}, {"srv/links/to", S_IFLNK | 0777}, {"data", S_IFDIR | 0755}, {"data/file", S_IFREG | 0644}};
	char upper[256], path[300], target[16] = "";
	struct stat stat;
	snprintf(upper, sizeof upper, "%s/modes", test_directory());
	CHECK(mkdir(upper, 0700) == 0);
	struct spec spec = shell("echo on");
	spec.root_kind = ROOT_OVERLAY, spec.upper = upper, spec.more = a_directory_and_a_link;
	spec.volume = volume("any"), close(spec.volume);
	snprintf(path, sizeof path, "%s/any/file", test_directory());
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	spec.volume = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	spec.volume_is_file = true, spec.volume_path = "data/file";
	container_run(&engine, &spec, &container);
	expect_exit(&container, 0);
	for (unsigned i = 0; i < sizeof made / sizeof *made; i++) {
		snprintf(path, sizeof path, "%s/upper/%s", upper, made[i].name);
		CHECK(lstat(path, &stat) == 0);
		CHECK_EQUAL(made[i].mode, stat.st_mode);
		CHECK_EQUAL(ID_BASE, stat.st_uid);
	}
	snprintf(path, sizeof path, "%s/upper/srv/links/to", upper);
	CHECK(readlink(path, target, sizeof target - 1) == 6);
	CHECK_TEXT("../a/b", target);
}

/* ---- what is protected ---- */

static const char *sysctl_name, *sysctl_value;

static void a_sysctl(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_PROTECT)
		builder_step(plan, phase, OP_SYSCTL), put_text(plan, sysctl_name), put_text(plan, sysctl_value);
}

/* The plan of all tests has made proc/sys a mount by then: no write of ours crosses one. */
static void a_sysctl_across_a_mount_is_refused(void)
{
	struct spec spec = shell("echo ran");
	sysctl_name = "net/ipv4/ip_default_ttl", sysctl_value = "65", spec.more = a_sysctl;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_PROTECT, OP_SYSCTL, EXDEV);
}

static const char *protected_path;
static uint8_t protected_by;

static void a_protected_path(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_PROTECT)
		builder_step(plan, phase, protected_by), put_text(plan, protected_path);
}

static void a_path_that_cannot_be_protected_is_refused(void)
{
	for (protected_by = OP_MASK; protected_by <= OP_READ_ONLY; protected_by++) {
		struct spec spec = shell("echo ran");
		protected_path = "bin/sh/x", spec.more = a_protected_path;
		container_run(&engine, &spec, &container);
		expect_error(&container, PHASE_PROTECT, protected_by, ENOTDIR);
	}
	struct spec spec = shell("echo ran"); /* a file is masked with our null device, or not at all */
	protected_by = OP_MASK, protected_path = "bin/id", spec.more = a_protected_path, spec.no_devices = true;
	container_run(&engine, &spec, &container);
	CHECK_EQUAL(REPORT_ERROR, container.last.kind);
	CHECK_EQUAL(ENODEV, container.last.status);
}

static void a_masked_pipe(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_PROTECT)
		builder_step(plan, phase, OP_MASK), put_text(plan, "home/pipe");
}

/* A pipe of the image without a writer would hold up whoever opens it. */
static void a_target_is_not_opened(void)
{
	char path[256];
	struct spec spec = shell("cat /srv/pipe; stat -c %F /home/pipe");
	spec.root = test_root("pipes");
	snprintf(path, sizeof path, "%s/home/pipe", spec.root);
	CHECK(mkfifo(path, 0666) == 0);
	snprintf(path, sizeof path, "%s/srv", spec.root);
	CHECK(mkdir(path, 0755) == 0);
	snprintf(path, sizeof path, "%s/srv/pipe", spec.root);
	CHECK(mkfifo(path, 0666) == 0);
	snprintf(path, sizeof path, "%s/some", test_directory());
	int host = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	CHECK(write(host, "some\n", 5) == 5 && close(host) == 0);
	spec.volume = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	spec.volume_is_file = true, spec.volume_path = "srv/pipe", spec.more = a_masked_pipe;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("some\ncharacter special file\n", container.text);
}

static void masked(struct builder *plan, uint8_t phase)
{
	static const char *const paths[] = {"home", "tmp", "usr", "etc/hostname"};
	for (unsigned i = 0; phase == PHASE_PROTECT && i < sizeof paths / sizeof *paths; i++)
		builder_step(plan, phase, OP_MASK), put_text(plan, paths[i]);
}

static void every_mask_is_empty_and_read_only(void)
{
	struct spec spec = shell("stat -c '%n %a %h %d' /home /tmp /usr | grep -c \" 555 2 $(stat -c %d /home)\"; stat -c '%F %t:%T' /etc/hostname;"
		"grep -cE ' (/home|/tmp|/usr) ro,nosuid,nodev,noexec,relatime .*nr_inodes=1' /proc/self/mountinfo; mkdir /tmp/x");
	spec.more = masked;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("3\ncharacter special file 1:3\n3\nmkdir: can't create directory '/tmp/x': Read-only file system\n", container.text);
}

/* ---- names and ids ---- */

static void a_domain(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_LIMITS)
		builder_step(plan, phase, OP_DOMAINNAME), put_text(plan, "boxes.example");
}

static void domain_name(void)
{
	struct spec spec = shell("cat /proc/sys/kernel/domainname /proc/sys/kernel/hostname");
	spec.more = a_domain;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("boxes.example\nboxed\n", container.text);
}

static void kernel_files_are_no_working_directory(void)
{
	static const char *const directories[] = {"/proc", "/proc/sys/net"};
	for (unsigned i = 0; i < 2; i++) {
		struct spec spec = shell("pwd");
		spec.directory = directories[i];
		container_run(&engine, &spec, &container);
		expect_error(&container, PHASE_READY, OP_READY, EBUSY);
	}
}

const struct test step_tests[] = {
	{"order of devices", devices_are_made_in_any_order},
	{"hierarchies", each_hierarchy_of_control_groups_is_the_one_that_was_asked_for},
	{"shared sysfs", sysfs_is_that_of_its_network},
	{"terminals' options", terminals_have_their_number_and_their_group},
	{"second procfs", a_second_procfs_or_devpts_changes_nothing},
	{"reserved targets", nothing_of_the_engines_is_a_target_through_a_link},
	{"reserved directories", no_directory_of_the_engines_is_made_through_a_link},
	{"like names", what_is_only_called_like_them_is_a_target},
	{"files and volumes", a_file_of_the_engines_is_not_written_into_a_volume},
	{"file below a volume", a_volume_over_the_directory_of_a_file_stays_as_it_is},
	{"modes", modes_of_what_is_made},
	{"sysctl across a mount", a_sysctl_across_a_mount_is_refused},
	{"paths not protected", a_path_that_cannot_be_protected_is_refused},
	{"pipes", a_target_is_not_opened},
	{"masks", every_mask_is_empty_and_read_only},
	{"domain name", domain_name},
	{"working directory in proc", kernel_files_are_no_working_directory},
};
const unsigned step_test_count = sizeof step_tests / sizeof *step_tests;
