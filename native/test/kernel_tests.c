/* What the kernel says of a launched container: each option of each mount, PID 1's filter, keys and signals. */
#include "init_tests.h"
#include "probe.h"

#include <fcntl.h>
#include <linux/filter.h>

#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct container container; /* large */

/* ---- mounts ---- */

/* Mount point, type (node: a device of the host's /dev), options of the mount, and of the file system what init gives it. */
#define LIST_MOUNTS                                                                                                            \
	"while read id parent device root at options rest; do "                                                                \
	"while [ \"${rest%% *}\" != - ]; do echo \"$at is $rest\"; rest=${rest#* }; done; set -- ${rest#- }; type=$1 own=; "     \
	"for o in $(IFS=,; echo $3); do case $o in mode=*|ptmxmode=*|size=*|nr_inodes=*) own=$own,$o;; gid=*) [ $type = tmpfs ] || own=$own,$o;; esac; done; " \
	"case $root in /null|/zero|/full|/random|/urandom|/tty) own= type=node;; esac; " \
	"echo \"$at $type $options ${own#,}\"; done < /proc/self/mountinfo"

static void every_option_of_every_mount(void)
{
	run_shell(LIST_MOUNTS " | grep -v -e ' overlay ' -e '^/sys/' -e '^/proc/'",
	    "/proc proc rw,nosuid,nodev,noexec,relatime \n"
	    "/sys sysfs ro,nosuid,nodev,noexec,relatime \n"
	    "/dev tmpfs rw,nosuid,noexec,relatime size=64k,nr_inodes=1000,mode=755\n"
	    "/dev/pts devpts rw,nosuid,noexec,relatime gid=1000005,mode=620,ptmxmode=666\n"
	    "/dev/shm tmpfs rw,nosuid,nodev,noexec,relatime size=1024k,nr_inodes=1000\n"
	    "/dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime \n"
	    "/dev/null node rw,nosuid,noexec,relatime \n"
	    "/dev/zero node rw,nosuid,noexec,relatime \n"
	    "/dev/full node rw,nosuid,noexec,relatime \n"
	    "/dev/random node rw,nosuid,noexec,relatime \n"
	    "/dev/urandom node rw,nosuid,noexec,relatime \n"
	    "/dev/tty node rw,nosuid,noexec,relatime \n",
	    0);
	run_shell(LIST_MOUNTS " | grep -E '^/proc/(sys|bus|fs|irq|sysrq-trigger) ' | busybox cut -d' ' -f2- | busybox sort -u",
	    "proc ro,nosuid,nodev,noexec,relatime \n", 0);
}

static uint8_t run_flags;

static void tmpfs_at_run(struct builder *plan, uint8_t phase)
{
	if (phase != PHASE_MOUNTS)
		return;
	builder_step(plan, phase, OP_MOUNT_FS), put_u8(plan, FS_TMPFS), put_u8(plan, run_flags), put_u32(plan, 01750);
	put_u64(plan, 3 * 4096), put_u64(plan, 7), put_text(plan, "run");
}

static void each_flag_of_a_mount_by_itself(void)
{
	static const struct {
		uint8_t flags;
		const char *options;
	} mounts[] = {
		{0, "rw"}, {MOUNT_RDONLY, "ro"}, {MOUNT_NOSUID, "rw,nosuid"}, {MOUNT_NODEV, "rw,nodev"}, {MOUNT_NOEXEC, "rw,noexec"},
		{MOUNT_RDONLY | MOUNT_NOEXEC, "ro,noexec"},
	};
	for (unsigned i = 0; i < sizeof mounts / sizeof *mounts; i++) {
		char expected[128];
		struct spec spec = shell(LIST_MOUNTS " | grep '^/run '");
		run_flags = mounts[i].flags;
		spec.more = tmpfs_at_run;
		container_run(&engine, &spec, &container);
		snprintf(expected, sizeof expected, "/run tmpfs %s,relatime size=12k,nr_inodes=7,mode=1750\n", mounts[i].options);
		CHECK_TEXT(expected, container.text);
	}
}

static void mounts_in_run(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_MOUNTS) {
		builder_step(plan, phase, OP_MOUNT_FS), put_u8(plan, FS_TMPFS), put_u8(plan, 0), put_u32(plan, 0755);
		put_u64(plan, 65536), put_u64(plan, 10), put_text(plan, "run");
		builder_step(plan, phase, OP_MOUNT_FS), put_u8(plan, FS_TMPFS), put_u8(plan, 0), put_u32(plan, 0755);
		put_u64(plan, 65536), put_u64(plan, 10), put_text(plan, "run/below");
		builder_step(plan, phase, OP_FILE), put_u32(plan, 0604), put_text(plan, "run/below/file"), put_bytes(plan, "x\n", 2);
	} else if (phase == PHASE_PROTECT) {
		builder_step(plan, phase, OP_READ_ONLY), put_text(plan, "run");
	}
}

static void a_read_only_path_has_what_is_mounted_below_it_read_only_too(void)
{
	struct spec spec = shell("cat /run/below/file; stat -c %a /run/below/file; echo y > /run/file; echo y > /run/below/file;" LIST_MOUNTS " | grep '^/run' | grep -v ' rw,relatime '");
	spec.more = mounts_in_run;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("x\n604\nsh: can't create /run/file: Read-only file system\nsh: can't create /run/below/file: Read-only file system\n"
		   "/run tmpfs ro,nosuid,nodev,noexec,relatime size=64k,nr_inodes=10,mode=755\n"
		   "/run/below tmpfs ro,nosuid,nodev,noexec,relatime size=64k,nr_inodes=10,mode=755\n",
	    container.text);
}

static void mounts_in_home(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_MOUNTS) {
		builder_step(plan, phase, OP_MOUNT_FS), put_u8(plan, FS_TMPFS), put_u8(plan, 0), put_u32(plan, 0755);
		put_u64(plan, 65536), put_u64(plan, 10), put_text(plan, "home/below");
		builder_step(plan, phase, OP_FILE), put_u32(plan, 0604), put_text(plan, "home/below/file"), put_bytes(plan, "x\n", 2);
	} else if (phase == PHASE_PROTECT) {
		builder_step(plan, phase, OP_READ_ONLY), put_text(plan, "home");
	}
}

/* The directory is no mount itself: it gets a copy on top of it, with all that is below. */
static void a_read_only_directory_has_what_is_mounted_below_it_read_only_too(void)
{
	struct spec spec = shell("cat /home/below/file; echo y > /home/file; echo y > /home/below/file; echo y > /tmp/file && cat /tmp/file;" LIST_MOUNTS " | grep '^/home' | grep -v ' rw,'");
	spec.more = mounts_in_home;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("x\nsh: can't create /home/file: Read-only file system\nsh: can't create /home/below/file: Read-only file system\ny\n"
		   "/home overlay ro,nosuid,nodev,noexec,relatime \n"
		   "/home/below tmpfs ro,nosuid,nodev,noexec,relatime size=64k,nr_inodes=10,mode=755\n",
	    container.text);
}

/* A mount below a volume is a peer of the host's too, if the cut does not go all the way down. */
static void mounts_below_a_volume_are_no_peers_of_the_hosts(void)
{
	char path[256], below[300];
	snprintf(path, sizeof path, "%s/deep", test_directory());
	snprintf(below, sizeof below, "%s/below", path);
	CHECK(mkdir(path, 0755) == 0 && mount("test", path, "tmpfs", 0, "size=64k") == 0);
	CHECK(mkdir(below, 0755) == 0 && mount("test", below, "tmpfs", 0, "size=64k") == 0);
	CHECK(mount(NULL, path, NULL, MS_SHARED | MS_REC, NULL) == 0);
	struct spec spec = shell(LIST_MOUNTS " | grep '^/volume'");
	spec.volume = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	container_run(&engine, &spec, &container);
	CHECK_TEXT("/volume tmpfs rw,relatime size=64k\n/volume/below tmpfs rw,relatime size=64k\n", container.text);
	CHECK(umount2(below, MNT_DETACH) == 0 && umount2(path, MNT_DETACH) == 0);
}

static void masked_directories_are_empty_read_only_and_without_room(void)
{
	if (access("/sys/firmware", F_OK) < 0)
		return;
	run_shell(LIST_MOUNTS " | grep '^/sys/firmware'; stat -c '%a %h' /sys/firmware; mkdir /sys/firmware/x",
	    "/sys/firmware tmpfs ro,nosuid,nodev,noexec,relatime nr_inodes=1,mode=555\n555 2\nmkdir: can't create directory '/sys/firmware/x': Read-only file system\n",
	    1);
}

static void masked_files_are_the_null_device(void)
{
	run_shell("for f in /proc/kcore /proc/keys /proc/timer_list; do [ ! -e $f ] || stat -c '%F %t:%T' $f; done | grep -vc '^character special file 1:3$'", "0\n", 1);
}

static void a_read_only_root_is_read_only_by_its_mount(void)
{
	struct spec spec = shell(LIST_MOUNTS " | grep ' overlay '");
	container_run(&engine, &spec, &container);
	CHECK_TEXT("/ overlay rw,nodev,relatime \n", container.text);
	spec.read_only = true;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("/ overlay ro,nodev,relatime \n", container.text);
}

static void the_roots_layer_has_room_for_what_was_asked(void)
{
	run_shell("stat -f -c '%b %S %c' /", "4096 4096 10000\n", 0);
}

/* ---- PID 1's filter ---- */

/* Runs the few instructions that such a filter has; 0 where it has another one. */
static uint32_t answer(const struct sock_filter *filter, int length, const struct seccomp_data *call)
{
	uint32_t value = 0;
	for (int at = 0; at < length; at++)
		switch (filter[at].code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&value, (const char *)call + filter[at].k, sizeof value);
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += value == filter[at].k ? filter[at].jt : filter[at].jf;
			break;
		case BPF_RET | BPF_K:
			return filter[at].k;
		default:
			return 0;
		}
	return 0;
}

static int read_filter(int pid, struct sock_filter *filter)
{
	int status;
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0 || ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 || waitpid(pid, &status, __WALL) != pid)
		return -1;
	int length = (int)ptrace(PTRACE_SECCOMP_GET_FILTER, pid, 0, filter);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return length;
}

static bool is_allowed(uint32_t number)
{
	static const uint32_t allowed[] = {__NR_ppoll, __NR_read,  __NR_wait4,	   __NR_kill,		 __NR_sendmsg,
					   __NR_write, __NR_close, __NR_exit_group, __NR_restart_syscall, __NR_rt_sigreturn,
					   __NR_statfs};
	for (unsigned i = 0; i < sizeof allowed / sizeof *allowed; i++)
		if (allowed[i] == number)
			return true;
	return false;
}

static void the_first_process_is_killed_for_every_call_but_eleven(void)
{
	static struct sock_filter filter[BPF_MAXINSNS];
	char byte;
	struct spec spec = shell("echo r; exec sleep 30");
	CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
	container_start(&container);
	CHECK(read(container.output, &byte, 1) == 1);
	int length = read_filter(container.pid, filter);
	CHECK(length > 10);
	uint32_t arch = length > 10 ? filter[1].k : 0;
	for (uint32_t number = 0; length > 0 && number < 600; number++) {
		struct seccomp_data call = {.nr = (int)number, .arch = arch};
		CHECK_EQUAL(is_allowed(number) ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS, answer(filter, length, &call));
		call.arch = arch ^ 0x40000000; /* the same number means another call there */
		CHECK_EQUAL(SECCOMP_RET_KILL_PROCESS, answer(filter, length, &call));
	}
	syscall(SYS_pidfd_send_signal, container.pidfd, SIGKILL, NULL, 0);
	container_finish(&container);
}

static void the_first_process_holds_its_sockets_alone(void)
{
	char path[64], byte;
	unsigned files = 0;
	struct spec spec = shell("echo r; exec sleep 30");
	CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
	container_start(&container);
	CHECK(read(container.output, &byte, 1) == 1);
	for (int fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", container.pid, fd);
		struct stat stat_;
		files += lstat(path, &stat_) == 0;
	}
	CHECK_EQUAL(2, files); /* its control socket and its signals */
	snprintf(path, sizeof path, "/proc/%d/comm", container.pid);
	char name[32] = "";
	FILE *file = fopen(path, "re");
	CHECK(file && fgets(name, sizeof name, file));
	if (file)
		fclose(file);
	CHECK_TEXT("caisson-init\n", name);
	syscall(SYS_pidfd_send_signal, container.pidfd, SIGKILL, NULL, 0);
	container_finish(&container);
}

/* ---- plans that could still change ---- */

static void a_plan_lacks_one_seal(void)
{
	static const int needed[] = {F_SEAL_WRITE, F_SEAL_GROW, F_SEAL_SHRINK};
	for (unsigned i = 0; i < sizeof needed / sizeof *needed; i++) {
		struct spec spec = shell("echo ran");
		spec.left_open = needed[i];
		container_run(&engine, &spec, &container);
		expect_error(&container, PHASE_SEAL, OP_SEAL, EPERM);
	}
}

/* ---- what only the program itself can ask ---- */

static struct spec probe(const char *question, uint32_t uid)
{
	static const char *argv[3] = {"/bin/probe"};
	argv[1] = question;
	struct spec spec = shell("");
	spec.root = probe_root(), spec.argv = argv, spec.uid = spec.gid = uid;
	return spec;
}

static void keys_of_the_engine_stay_outside(void)
{
	struct engine own; /* which has a session keyring, as it has from a login */
	CHECK(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0);
	long engines = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
	CHECK(engines > 0);
	CHECK(engine_start(&own, binary));
	for (uint32_t uid = 0; uid <= 1000; uid += 1000) {
		struct spec spec = probe("keyring", uid);
		container_run(&own, &spec, &container);
		long inside = strtol(container.text, NULL, 10);
		CHECK(inside > 0 && inside != engines);
	}
	engine_stop(&own);
}

static void a_program_dies_with_whom_it_depends_on(void)
{
	for (int i = 0; i < 4; i++) {
		struct spec spec = probe("death-signal", i & 1 ? 1000 : 0);
		spec.no_init = i & 2;
		container_run(&engine, &spec, &container);
		CHECK_TEXT("9\n", container.text);
	}
}

static void a_program_starts_with_the_usual_signals_and_mask(void)
{
	struct spec spec = shell("grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status; umask");
	for (int i = 0; i < 2; i++) {
		spec.no_init = i;
		container_run(&engine, &spec, &container);
		CHECK_TEXT("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n0022\n", container.text);
	}
}

/* The first process has lost its parent-death signal with its ids if nobody set it again: its socket stays open here. */
static void expect_end_with_the_engine(uint16_t pause_before)
{
	int pair[2], pids[2] = {-1, -1}, engine_pid;
	CHECK(pipe2(pair, O_CLOEXEC) == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	if ((engine_pid = fork()) == 0) {
		struct engine own;
		struct spec spec = shell("exec sleep 1000");
		spec.uid = spec.gid = 1000, spec.pause_before = pause_before;
		close(engine.socket);
		if (!engine_start(&own, binary) || container_launch(&own, &spec, &container) < 0)
			_exit(1);
		if (pause_before == 0)
			container_start(&container);
		pids[0] = container.pid, pids[1] = container.control;
		if (write(pair[1], pids, sizeof pids) != sizeof pids)
			_exit(1);
		pause();
	}
	CHECK(read(pair[0], pids, sizeof pids) == sizeof pids);
	close(pair[0]), close(pair[1]);
	int engine_fd = (int)syscall(SYS_pidfd_open, engine_pid, 0), init_fd = (int)syscall(SYS_pidfd_open, pids[0], 0);
	int control = (int)syscall(SYS_pidfd_getfd, engine_fd, pids[1], 0);
	CHECK(engine_fd >= 0 && init_fd >= 0 && control >= 0);
	if (pause_before == 0)
		usleep(100000); /* the program runs */
	kill(engine_pid, SIGKILL);
	waitpid(engine_pid, NULL, 0);
	struct pollfd ended = {init_fd, POLLIN, 0};
	CHECK_EQUAL(1, poll(&ended, 1, 5000));
	if (ended.revents == 0)
		syscall(SYS_pidfd_send_signal, init_fd, SIGKILL, NULL, 0);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	close(engine_fd), close(init_fd), close(control);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void a_first_process_of_another_user_dies_with_its_engine_although_its_socket_is_open(void)
{
	static const uint8_t behind[] = {OP_SEAL, OP_MAPPED};
	expect_end_with_the_engine(0);
	struct spec spec = shell("exit 0");
	container_run(&engine, &spec, &container);
	static struct container whole; /* the other one is used again */
	whole = container;
	for (unsigned i = 0; i < sizeof behind; i++) {
		uint16_t step = 0;
		while (whole.opcodes[step] != behind[i])
			step++;
		expect_end_with_the_engine((uint16_t)(step + 1));
	}
}

const struct test kernel_tests[] = {
	{"options of mounts", every_option_of_every_mount},
	{"flags of a mount", each_flag_of_a_mount_by_itself},
	{"read-only below", a_read_only_path_has_what_is_mounted_below_it_read_only_too},
	{"read-only directory", a_read_only_directory_has_what_is_mounted_below_it_read_only_too},
	{"peers below a volume", mounts_below_a_volume_are_no_peers_of_the_hosts},
	{"masked directories", masked_directories_are_empty_read_only_and_without_room},
	{"masked files", masked_files_are_the_null_device},
	{"root's mount", a_read_only_root_is_read_only_by_its_mount},
	{"room of the root", the_roots_layer_has_room_for_what_was_asked},
	{"filter of PID 1", the_first_process_is_killed_for_every_call_but_eleven},
	{"files of PID 1", the_first_process_holds_its_sockets_alone},
	{"one seal missing", a_plan_lacks_one_seal},
	{"session keyring", keys_of_the_engine_stay_outside},
	{"death signal", a_program_dies_with_whom_it_depends_on},
	{"signals and mask", a_program_starts_with_the_usual_signals_and_mask},
	{"death of the engine", a_first_process_of_another_user_dies_with_its_engine_although_its_socket_is_open},
};
const unsigned kernel_test_count = sizeof kernel_tests / sizeof *kernel_tests;
