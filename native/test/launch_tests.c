/* What a launched container is and does. */
#include "init_tests.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct container container; /* large */

static void output_and_exit_code(void)
{
	run_shell("echo hi; echo err >&2; exit 7", "hi\nerr\n", 7);
	run_shell("exit 0", "", 0);
	run_shell("exit 255", "", 255);
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
	run_shell("echo $$ $PPID; cut=$(cat /proc/self/stat); set -- $cut; echo pgrp $5 session $6", "2 1\npgrp 2 session 2\n", 0);
}

/* CVE-2024-21626, CVE-2016-9962: descriptors of the engine, leaked on purpose by the one that `main` starts. */
static void descriptors_are_0_1_2(void)
{
	static const char script[] = "i=0; while [ $i -lt 256 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done";
	run_shell(script, "0\n1\n2\n", 0);
	struct spec spec = shell(script);
	spec.no_init = true;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("0\n1\n2\n", container.text);
}

static void init_is_not_readable(void)
{
	run_shell("ls /proc/1/fd 2>/dev/null; ls /proc/1/root/ 2>/dev/null; ls /proc/1/cwd/ 2>/dev/null; cat /proc/1/environ /proc/1/mem /proc/1/maps 2>/dev/null; "
	    "readlink /proc/1/exe; kill -9 1; echo still",
	    "still\n", 0);
}

static void ids_and_capabilities(void)
{
	run_shell("id; grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp):' /proc/self/status",
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

static void ids_are_mapped_to_the_containers_own(void)
{
	char path[256];
	run_shell("cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups",
	    "         0    1000000      65536\n         0    1000000      65536\nallow\n", 0);
	struct spec spec = shell("stat -c %u:%g /last; stat -c %u:%g /none");
	spec.root = test_root("owners");
	snprintf(path, sizeof path, "%s/last", spec.root);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	CHECK(chown(path, 65535, 65535) == 0);
	snprintf(path, sizeof path, "%s/none", spec.root);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	CHECK(chown(path, 65536, 65536) == 0);
	container_run(&engine, &spec, &container);
	CHECK_TEXT("65535:65535\n65534:65534\n", container.text);
}

static void init_keeps_no_capability(void)
{
	run_shell("grep -E '^(Cap(Prm|Eff)|NoNewPrivs|Seccomp):' /proc/1/status",
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
	run_shell("stat -c '%u:%g %a' / /bin/busybox /tmp; echo x > /bin/sh2; echo y > /etc/hostname; ls -ln /bin/sh2 | head -c 30; mkdir /new && stat -c %u /new",
	    "0:0 755\n0:0 755\n0:0 1777\n-rw-r--r--    1 0        0    0\n", 0);
	snprintf(path, sizeof path, "%s/bin/sh2", base_root);
	CHECK(stat(path, &stat_) < 0);
	snprintf(path, sizeof path, "%s/new", base_root);
	CHECK(stat(path, &stat_) < 0);
}

static void masks_and_read_only_paths(void)
{
	run_shell("cat /proc/keys /proc/timer_list; ls /sys/firmware; echo x > /proc/sys/kernel/hostname;"
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
	run_shell("grep -c shared: /proc/self/mountinfo; grep -cE ' (/r|/s|/s/.*|/old.*) ' /proc/self/mountinfo; grep -v overlay /proc/self/mountinfo | grep -c ext4",
	    "0\n0\n0\n", 1);
}

static void host_and_domain_name(void) { run_shell("hostname; cat /etc/hostname", "boxed\nboxed\n", 0); }

static void loopback_is_up(void) { run_shell("ip addr show lo | grep -o 'inet 127.0.0.1/8'; ip link | grep -c mtu", "inet 127.0.0.1/8\n1\n", 0); }

static void limits_and_oom_score(void)
{
	run_shell("ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj /proc/1/oom_score_adj; umask", "256\n512\n500\n500\n0022\n", 0);
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
	spec.uid = 1000, spec.gid = 100;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("/dev/pts/0\r\n1000\r\nover\r\n1000:100\r\n", container.text);
	CHECK_EQUAL(0, container.status);
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
	{"map of ids", ids_are_mapped_to_the_containers_own},
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
};
const unsigned launch_test_count = sizeof launch_tests / sizeof *launch_tests;
