/* What a launched container is and does. */
#include "init_tests.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/nsfs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct container container; /* large */

static void run(const char *script, const char *expected, int code)
{
	struct spec spec = shell(script);
	container_run(&engine, &spec, &container);
	CHECK_TEXT(expected, container.text);
	expect_exit(&container, code);
}

static void output_and_exit_code(void)
{
	run("echo hi; echo err >&2; exit 7", "hi\nerr\n", 7);
	run("exit 0", "", 0);
	run("exit 255", "", 255);
}

static void killed_by_a_signal(void)
{
	struct spec spec = shell("kill -9 $$");
	container_run(&engine, &spec, &container);
	CHECK_EQUAL(REPORT_EXIT, container.last.kind);
	CHECK_EQUAL(256 + SIGKILL, container.last.status);
	CHECK_EQUAL(128 + SIGKILL, container.status);
}

static void processor_time_is_told(void)
{
	struct spec spec = shell("i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done");
	container_run(&engine, &spec, &container);
	expect_exit(&container, 0);
	CHECK(container.last.user_micros > 1000 && container.last.user_micros < 20000000);
}

static void without_init(void)
{
	struct spec spec = shell("echo $$; exit 9");
	spec.no_init = true;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("1\n", container.text);
	CHECK_EQUAL(0, container.last.kind);
	CHECK_EQUAL(9, container.status);
}

static void with_init_the_program_is_a_session_of_its_own(void)
{
	run("echo $$ $PPID; cut=$(cat /proc/self/stat); set -- $cut; echo pgrp $5 session $6", "2 1\npgrp 2 session 2\n", 0);
}

/* CVE-2024-21626, CVE-2016-9962: descriptors of the engine, leaked on purpose by the one that `main` starts. */
static void descriptors_are_0_1_2(void)
{
	static const char script[] = "i=0; while [ $i -lt 256 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done";
	run(script, "0\n1\n2\n", 0);
	struct spec spec = shell(script);
	spec.no_init = true;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("0\n1\n2\n", container.text);
}

static void init_is_not_readable(void)
{
	run("ls /proc/1/fd 2>/dev/null; ls /proc/1/root/ 2>/dev/null; ls /proc/1/cwd/ 2>/dev/null; cat /proc/1/environ /proc/1/mem /proc/1/maps 2>/dev/null; "
	    "readlink /proc/1/exe; kill -9 1; echo still",
	    "still\n", 0);
}

static void ids_and_capabilities(void)
{
	run("id; grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp):' /proc/self/status",
	    "uid=0 gid=0 groups=0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t0 \nCapInh:\t0000000000000000\nCapPrm:\t00000000000005fb\n"
	    "CapEff:\t00000000000005fb\nCapBnd:\t00000000000005fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t0\n",
	    0);
	struct spec spec = shell("grep -E '^(Uid|Gid|Groups|Cap(Prm|Eff|Amb|Bnd)):' /proc/self/status");
	spec.uid = 1000, spec.gid = 100;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("Uid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100\nGroups:\t100 \nCapPrm:\t0000000000000000\n"
		   "CapEff:\t0000000000000000\nCapBnd:\t00000000000005fb\nCapAmb:\t0000000000000000\n",
		   container.text);
}

static void init_keeps_no_capability(void)
{
	run("grep -E '^(Cap(Prm|Eff)|NoNewPrivs|Seccomp):' /proc/1/status",
	    "CapPrm:\t0000000000000020\nCapEff:\t0000000000000020\nNoNewPrivs:\t1\nSeccomp:\t2\n", 0);
	struct spec spec = shell("grep -E '^(Cap(Prm|Eff)|Seccomp):' /proc/1/status");
	spec.uid = 1000, spec.gid = 1000;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nSeccomp:\t2\n", container.text);
}

static void namespaces_are_its_own(void)
{
	static const char *const kinds[] = {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"};
	struct spec spec = shell("sleep 20");
	bool time = access("/proc/self/ns/time", F_OK) == 0; /* not on every kernel */
	spec.extra_clone_flags = time ? CLONE_NEWTIME_ : 0;
	int status = container_launch(&engine, &spec, &container);
	CHECK_EQUAL(0, status);
	for (unsigned i = 0; status == 0 && i < sizeof kinds / sizeof *kinds - !time; i++) {
		struct stat own, inside;
		char path[64];
		snprintf(path, sizeof path, "/proc/%d/ns/%s", container.pid, kinds[i]);
		CHECK(stat(path, &inside) == 0);
		snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
		CHECK(stat(path, &own) == 0 && own.st_ino != inside.st_ino);
	}
	/* the user namespace is counted against the container's own host id */
	char path[64];
	uid_t owner = 0;
	snprintf(path, sizeof path, "/proc/%d/ns/user", container.pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(ioctl(fd, NS_GET_OWNER_UID, &owner) == 0);
	CHECK_EQUAL(ID_BASE, owner);
	close(fd);
	syscall(SYS_pidfd_send_signal, container.pidfd, SIGKILL, NULL, 0);
	container_finish(&container);
}

static void files_of_the_image_belong_to_root_and_stay_as_they_are(void)
{
	char path[256];
	struct stat stat_;
	run("stat -c '%u:%g %a' / /bin/busybox /tmp; echo x > /bin/sh2; echo y > /etc/hostname; ls -ln /bin/sh2 | head -c 30; mkdir /new && stat -c %u /new",
	    "0:0 755\n0:0 755\n0:0 1777\n-rw-r--r--    1 0        0    0\n", 0);
	snprintf(path, sizeof path, "%s/bin/sh2", base_root);
	CHECK(stat(path, &stat_) < 0);
	snprintf(path, sizeof path, "%s/new", base_root);
	CHECK(stat(path, &stat_) < 0);
}

static void masks_and_read_only_paths(void)
{
	run("cat /proc/keys /proc/timer_list; ls /sys/firmware; echo x > /proc/sys/kernel/hostname;"
	    "echo x > /sys/x; echo x >/proc/keys; cat /proc/sys/net/ipv4/ip_unprivileged_port_start",
	    "sh: can't create /proc/sys/kernel/hostname: Read-only file system\n"
	    "sh: can't create /sys/x: Read-only file system\n0\n",
	    0);
}

static void read_only_root(void)
{
	struct spec spec = shell("echo x > /x; echo y > /dev/shm/y && cat /dev/shm/y; mkdir /tmp/z; exit 3");
	spec.read_only = true;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("sh: can't create /x: Read-only file system\ny\nmkdir: can't create directory '/tmp/z': Read-only file system\n", container.text);
	expect_exit(&container, 3);
}

static void no_mount_is_shared_and_none_is_of_the_host(void)
{
	run("grep -c shared: /proc/self/mountinfo; grep -cE ' (/r|/s|/s/.*|/old.*) ' /proc/self/mountinfo; grep -v overlay /proc/self/mountinfo | grep -c ext4",
	    "0\n0\n0\n", 1);
}

static void host_and_domain_name(void) { run("hostname; cat /etc/hostname", "boxed\nboxed\n", 0); }

static void loopback_is_up(void) { run("ip addr show lo | grep -o 'inet 127.0.0.1/8'; ip link | grep -c mtu", "inet 127.0.0.1/8\n1\n", 0); }

static void limits_and_oom_score(void)
{
	run("ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj /proc/1/oom_score_adj; umask", "256\n512\n500\n500\n0022\n", 0);
}

static void terminal(void)
{
	struct spec spec = shell("tty; stty size; echo over > /dev/tty; stat -c '%u:%g %t:%T' /dev/console; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all; exit 4");
	spec.terminal = true;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("/dev/pts/0\r\n30 100\r\nover\r\n0:0 88:0\r\nall\r\n", container.text);
	expect_exit(&container, 4);
}

static void terminal_without_init_and_as_user(void)
{
	struct spec spec = shell("tty; id -u; echo over > /dev/tty; stat -c %u:%g /dev/pts/0");
	spec.terminal = spec.no_init = true;
	spec.uid = 1000, spec.gid = 1000;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("/dev/pts/0\r\n1000\r\nover\r\n1000:1000\r\n", container.text);
	CHECK_EQUAL(0, container.status);
}

/* ---- signals ---- */

static void signals_are_passed_on(void)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGALRM};
	static const char *const names[] = {"TERM", "INT", "HUP", "USR1", "USR2", "QUIT", "ALRM"};
	for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
		char script[128], byte;
		snprintf(script, sizeof script, "trap 'exit 42' %s; echo r; while :; do sleep 0.05; done", names[i]);
		struct spec spec = shell(script);
		CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
		container_start(&container);
		CHECK(read(container.output, &byte, 1) == 1 && byte == 'r');
		syscall(SYS_pidfd_send_signal, container.pidfd, signals[i], NULL, 0);
		container_finish(&container);
		expect_exit(&container, 42);
	}
}

static void an_untrapped_signal_ends_the_program(void)
{
	struct spec spec = shell("echo r; exec sleep 30");
	char byte;
	CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
	container_start(&container);
	CHECK(read(container.output, &byte, 1) == 1);
	usleep(100000);
	syscall(SYS_pidfd_send_signal, container.pidfd, SIGTERM, NULL, 0);
	container_finish(&container);
	CHECK_EQUAL(256 + SIGTERM, container.last.status);
	CHECK_EQUAL(128 + SIGTERM, container.status);
}

static void orphans_are_reaped(void)
{
	run("(sh -c 'sleep 0.1; exit 3' &) ; (sleep 0.1 &); sleep 0.5; ls -d /proc/[0-9]*; grep -l 'State:.Z' /proc/[0-9]*/status", "/proc/1\n/proc/2\n", 1);
}

static void background_processes_die_with_the_program(void)
{
	run("sleep 1000 & sleep 1000 & exit 5", "", 5);
}

/* ---- filters ---- */

#define NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)
#define IF_NOT(nr, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, skip)

static void a_filter_is_on(void)
{
	static const struct sock_filter no_mkdir[] = {
		NUMBER, IF_NOT(__NR_mkdirat, 1), ANSWER(SECCOMP_RET_ERRNO | 1),
#ifdef __NR_mkdir
		IF_NOT(__NR_mkdir, 1), ANSWER(SECCOMP_RET_ERRNO | 1),
#endif
		ANSWER(SECCOMP_RET_ALLOW)};
	struct spec spec = shell("mkdir /tmp/x; grep -E '^Seccomp' /proc/self/status");
	spec.filter = no_mkdir, spec.filter_bytes = sizeof no_mkdir;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("mkdir: can't create directory '/tmp/x': Operation not permitted\nSeccomp:\t2\nSeccomp_filters:\t1\n", container.text);
	expect_exit(&container, 0);
	spec.no_init = true;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("mkdir: can't create directory '/tmp/x': Operation not permitted\nSeccomp:\t2\nSeccomp_filters:\t1\n", container.text);
}

/* Nothing of ours needs to be allowed: only execveat comes behind the filter. */
static void a_filter_that_allows_execveat_alone(void)
{
	static const struct sock_filter only_exec[] = {NUMBER, IF_NOT(__NR_execveat, 1), ANSWER(SECCOMP_RET_ALLOW), ANSWER(SECCOMP_RET_KILL_PROCESS)};
	struct spec spec = shell("exit 0");
	spec.filter = only_exec, spec.filter_bytes = sizeof only_exec;
	container_run(&engine, &spec, &container);
	CHECK_EQUAL(REPORT_EXIT, container.last.kind);
	CHECK_EQUAL(256 + SIGSYS, container.last.status);
}

static void a_filter_that_refuses_all(void)
{
	static const struct sock_filter nothing[] = {ANSWER(SECCOMP_RET_ERRNO | 77)};
	struct spec spec = shell("exit 0");
	spec.filter = nothing, spec.filter_bytes = sizeof nothing;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_FILTER, OP_EXEC, 77);
	spec.no_init = true; /* nobody is left to tell, but it did not run */
	container_run(&engine, &spec, &container);
	CHECK_TEXT("", container.text);
	CHECK(container.status != 0);
}

static void a_filter_the_kernel_does_not_take(void)
{
	static const struct sock_filter broken[] = {NUMBER};
	struct spec spec = shell("exit 0");
	spec.filter = broken, spec.filter_bytes = sizeof broken;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_FILTER, OP_EXEC, EINVAL);
}

static void without_no_new_privs_the_filter_comes_before_the_capabilities(void)
{
	static const struct sock_filter allow[] = {ANSWER(SECCOMP_RET_ALLOW)};
	struct spec spec = shell("grep -E '^(NoNewPrivs|Seccomp|CapEff)' /proc/self/status");
	spec.filter = allow, spec.filter_bytes = sizeof allow;
	spec.keep_privileges_open = true;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("CapEff:\t00000000000005fb\nNoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n", container.text);
	expect_exit(&container, 0);
}

static void scopes(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_LANDLOCK)
		builder_step(plan, phase, OP_LANDLOCK), put_u32(plan, 3);
}

static void landlock_scopes(void)
{
	struct spec spec = shell("echo in");
	spec.more = scopes;
	container_run(&engine, &spec, &container);
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 6) {
		CHECK_EQUAL(REPORT_ERROR, container.last.kind);
		return;
	}
	CHECK_TEXT("in\n", container.text);
	expect_exit(&container, 0);
}

/* ---- roots, volumes, groups ---- */

static void overlay_on_disk_keeps_what_was_written(void)
{
	char upper[256], path[300];
	struct stat stat_;
	snprintf(upper, sizeof upper, "%s/kept", test_directory());
	CHECK(mkdir(upper, 0700) == 0);
	struct spec spec = shell("cat /kept; echo once >> /kept");
	spec.root_kind = ROOT_OVERLAY, spec.upper = upper;
	container_run(&engine, &spec, &container);
	expect_exit(&container, 0);
	container_run(&engine, &spec, &container);
	CHECK_TEXT("once\n", container.text);
	snprintf(path, sizeof path, "%s/upper/kept", upper);
	CHECK(stat(path, &stat_) == 0);
	CHECK_EQUAL(ID_BASE, stat_.st_uid);
}

static void volatile_overlay(void)
{
	char upper[256];
	snprintf(upper, sizeof upper, "%s/passing", test_directory());
	CHECK(mkdir(upper, 0700) == 0);
	struct spec spec = shell("mount | grep -c 'overlay.*volatile'; echo x > /x");
	spec.root_kind = ROOT_OVERLAY, spec.root_flags = ROOT_VOLATILE, spec.upper = upper;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("1\n", container.text);
	container_run(&engine, &spec, &container); /* its upper is not to be used again */
	CHECK(container.reply.status < 0 && container.reply.stage == STAGE_ROOT);
}

static void a_detached_mount_as_root(void)
{
	char path[256];
	const char *root = test_root("mounted");
	snprintf(path, sizeof path, "%s/dev/node", root);
	CHECK(mknod(path, S_IFCHR | 0666, 0x103) == 0);
	struct spec spec = shell("echo x > /etc/here; ls /etc; cat /dev/node");
	spec.root = root, spec.root_kind = ROOT_MOUNT;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("here\nhostname\ncat: can't open '/dev/node': No such file or directory\n", container.text); /* /dev is covered */
	expect_exit(&container, 1);
}

static void device_nodes_of_an_image_do_not_work(void)
{
	char path[256];
	const char *root = test_root("nodes");
	snprintf(path, sizeof path, "%s/etc/node", root);
	CHECK(mknod(path, S_IFCHR | 0666, 0x101) == 0); /* /dev/mem */
	struct spec spec = shell("cat /etc/node; head -c 1 /dev/zero | dd 2>/dev/null | grep -c .");
	spec.root = root;
	container_run(&engine, &spec, &container);
	CHECK(strstr(container.text, "can't open '/etc/node': Permission denied"));
	spec.root_kind = ROOT_MOUNT;
	container_run(&engine, &spec, &container);
	CHECK(strstr(container.text, "can't open '/etc/node': Permission denied"));
}

static int volume(const char *name, const char *file)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", test_directory(), name);
	if (mkdir(path, 0755) == 0 && file) {
		char inside[300];
		snprintf(inside, sizeof inside, "%s/%s", path, file);
		close(open(inside, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	}
	return (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* A copy of a shared mount would be its peer, and mounts of the container would appear on the host. */
static void volumes_of_shared_mounts(void)
{
	char path[256];
	snprintf(path, sizeof path, "%s/peer", test_directory());
	CHECK(mkdir(path, 0755) == 0 && mount("test", path, "tmpfs", 0, "size=64k") == 0);
	CHECK(mount(NULL, path, NULL, MS_SHARED, NULL) == 0);
	struct spec spec = shell("grep -c ' /volume ' /proc/self/mountinfo; grep -c shared: /proc/self/mountinfo");
	spec.volume = volume("peer", NULL);
	container_run(&engine, &spec, &container);
	CHECK_TEXT("1\n0\n", container.text);
	CHECK(umount2(path, MNT_DETACH) == 0);
}

static void volumes(void)
{
	struct spec spec = shell("ls /volume");
	spec.volume = volume("v1", "inside");
	container_run(&engine, &spec, &container);
	CHECK_TEXT("inside\n", container.text);
	spec = shell("ls /a/b/c/d; stat -c %u:%a /a/b");
	spec.volume = volume("v1", NULL), spec.volume_path = "a/b/c/d";
	container_run(&engine, &spec, &container);
	CHECK_TEXT("inside\n0:755\n", container.text);
	spec.volume = volume("v1", NULL), spec.volume_is_file = true;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_MOUNTS, OP_MOUNT_FD, EISDIR);
	spec.volume = volume("v1/inside", NULL), spec.volume_path = "etc/made";
	spec.argv = shell("stat -c %F /etc/made; cat /etc/made").argv;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("regular empty file\n", container.text);
	spec.volume = volume("v1/inside", NULL), spec.volume_path = "etc";
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_MOUNTS, OP_MOUNT_FD, EISDIR);
	spec.volume = volume("v1", NULL), spec.volume_is_file = false, spec.volume_path = "bin/sh";
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_MOUNTS, OP_MOUNT_FD, ENOTDIR);
}

static void joins_v1_groups(void)
{
	static const char *const groups[] = {"/sys/fs/cgroup/pids/caisson-native-test", "/sys/fs/cgroup/cpu/caisson-native-test"};
	char path[128];
	struct spec spec = shell("grep -cE ':(pids|cpu):/$' /proc/self/cgroup");
	if (access("/sys/fs/cgroup/pids/tasks", F_OK) < 0)
		return; /* not a v1 machine */
	for (unsigned i = 0; i < 2; i++) {
		CHECK(mkdir(groups[i], 0755) == 0);
		snprintf(path, sizeof path, "%s/tasks", groups[i]);
		spec.tasks[i] = open(path, O_WRONLY | O_CLOEXEC);
	}
	struct engine realtime; /* a real-time engine: its containers are not, or could not enter `cpu` */
	struct sched_param one = {1}, none = {0};
	CHECK(sched_setscheduler(0, SCHED_FIFO, &one) == 0);
	CHECK(engine_start(&realtime, binary));
	sched_setscheduler(0, SCHED_OTHER, &none);
	container_run(&realtime, &spec, &container);
	CHECK_TEXT("2\n", container.text);
	expect_exit(&container, 0);
	engine_stop(&realtime);
	for (unsigned i = 0; i < 2; i++) {
		close(spec.tasks[i]);
		CHECK(rmdir(groups[i]) == 0);
	}
}

static void starts_in_a_v2_group(void)
{
	const char *group = access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0 ? "/sys/fs/cgroup/unified/caisson-native-test"
			    : access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0	     ? "/sys/fs/cgroup/caisson-native-test"
										     : NULL;
	struct spec spec = shell("grep -c '^0::/$' /proc/self/cgroup");
	if (!group)
		return;
	CHECK(mkdir(group, 0755) == 0);
	spec.cgroup = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	container_run(&engine, &spec, &container);
	CHECK_TEXT("1\n", container.text);
	close(spec.cgroup);
	for (int tries = 0; rmdir(group) < 0 && tries < 100; tries++)
		usleep(10000);
	CHECK(access(group, F_OK) < 0);
}

static void phases_are_timed(void)
{
	struct spec spec = shell("exit 0");
	container_run(&engine, &spec, &container);
	uint64_t sum = 0;
	for (unsigned i = 0; i < PHASE_FILTER; i++)
		sum += container.ready.phase_micros[i];
	CHECK(sum > 100 && sum < 10000000);
	CHECK(container.ready.phase_micros[PHASE_MOUNTS] > 0 && container.ready.phase_micros[PHASE_FILTER] == 0);
}

const struct test launch_tests[] = {
	{"output and exit code", output_and_exit_code},
	{"killed by a signal", killed_by_a_signal},
	{"processor time", processor_time_is_told},
	{"without init", without_init},
	{"session", with_init_the_program_is_a_session_of_its_own},
	{"descriptors 0 1 2", descriptors_are_0_1_2},
	{"init not readable", init_is_not_readable},
	{"ids and capabilities", ids_and_capabilities},
	{"init's capabilities", init_keeps_no_capability},
	{"namespaces", namespaces_are_its_own},
	{"files of the image", files_of_the_image_belong_to_root_and_stay_as_they_are},
	{"masks", masks_and_read_only_paths},
	{"read-only root", read_only_root},
	{"mounts", no_mount_is_shared_and_none_is_of_the_host},
	{"host name", host_and_domain_name},
	{"loopback", loopback_is_up},
	{"limits", limits_and_oom_score},
	{"terminal", terminal},
	{"terminal without init", terminal_without_init_and_as_user},
	{"signals", signals_are_passed_on},
	{"untrapped signal", an_untrapped_signal_ends_the_program},
	{"orphans", orphans_are_reaped},
	{"background processes", background_processes_die_with_the_program},
	{"filter", a_filter_is_on},
	{"filter of execveat", a_filter_that_allows_execveat_alone},
	{"filter of nothing", a_filter_that_refuses_all},
	{"broken filter", a_filter_the_kernel_does_not_take},
	{"filter before caps", without_no_new_privs_the_filter_comes_before_the_capabilities},
	{"landlock", landlock_scopes},
	{"overlay on disk", overlay_on_disk_keeps_what_was_written},
	{"volatile overlay", volatile_overlay},
	{"mount as root", a_detached_mount_as_root},
	{"device nodes of images", device_nodes_of_an_image_do_not_work},
	{"volumes", volumes},
	{"volumes of shared mounts", volumes_of_shared_mounts},
	{"v1 groups", joins_v1_groups},
	{"v2 group", starts_in_a_v2_group},
	{"phases timed", phases_are_timed},
};
const unsigned launch_test_count = sizeof launch_tests / sizeof *launch_tests;
