/* What a container is launched on: its root file system, volumes and control groups. */
#include "init_tests.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct container container; /* large */

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
	snprintf(path, sizeof path, "%s/etc/here", root);
	CHECK(access(path, F_OK) == 0); /* nothing is in between */
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

static int cover(const char *path)
{
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_ROOT, .id_base = ID_BASE, .id_count = ID_COUNT};
	struct reply reply;
	int mount = -1, lower = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	request.root_kind = ROOT_COVER, request.fds = request.lowers = 1;
	CHECK_EQUAL(0, engine_ask(&engine, &request, &lower, 1, &reply, &mount));
	close(lower);
	return mount;
}

static void what_is_covered_is_locked_leased_and_watched_by_its_own(void)
{
	char directory[256], path[300], event[256];
	snprintf(directory, sizeof directory, "%s/covered", test_directory());
	snprintf(path, sizeof path, "%s/file", directory);
	CHECK(mkdir(directory, 0755) == 0);
	int host = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	CHECK(host >= 0 && write(host, "text", 4) == 4 && close(host) == 0);
	int tree = cover(directory), inside = openat(tree, "file", O_RDONLY | O_CLOEXEC);
	CHECK(inside >= 0 && read(inside, event, 4) == 4 && memcmp(event, "text", 4) == 0);

	CHECK(flock(inside, LOCK_EX) == 0);
	CHECK(fcntl(inside, F_SETLEASE, F_WRLCK) == 0);
	host = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC); /* EWOULDBLOCK with a lease on the file itself */
	CHECK(host >= 0 && flock(host, LOCK_EX | LOCK_NB) == 0);
	CHECK(fcntl(inside, F_SETLEASE, F_UNLCK) == 0);
	close(host);

	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	snprintf(event, sizeof event, "/proc/self/fd/%d", tree);
	CHECK(inotify_add_watch(watch, event, IN_ALL_EVENTS) >= 0);
	host = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(host >= 0 && read(host, event, 4) == 4 && close(host) == 0);
	CHECK(read(watch, event, sizeof event) < 0 && errno == EAGAIN);
	close(openat(tree, "file", O_RDONLY | O_CLOEXEC));
	CHECK(read(watch, event, sizeof event) > 0);

	CHECK(openat(tree, "file", O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
	CHECK(mkdirat(tree, "new", 0755) < 0 && errno == EROFS);
	struct statvfs flags;
	CHECK(fstatvfs(tree, &flags) == 0);
	CHECK_EQUAL(ST_RDONLY | ST_NOSUID | ST_NODEV, flags.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV));
	close(watch), close(inside), close(tree);
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

/* As the host sees it: inside, the group is the root of a namespace wherever it is. */
/* Tests of several copies may run at once. */
static const char *own_group(void) { return strrchr(test_directory(), '/') + 1; }

static bool is_in_group(int pid, const char *line)
{
	char path[64], found[512];
	bool in = false;
	snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(found, sizeof found, file))
		in |= strstr(found, line) != NULL;
	if (file)
		fclose(file);
	return in;
}

static void joins_v1_groups(void)
{
	char groups[2][96], in[2][64];
	static const char *const controllers[] = {"pids", "cpu"};
	for (unsigned i = 0; i < 2; i++) {
		snprintf(groups[i], sizeof groups[i], "/sys/fs/cgroup/%s/%s", controllers[i], own_group());
		snprintf(in[i], sizeof in[i], ":%s:/%s\n", controllers[i], own_group());
	}
	char path[256];
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
	CHECK_EQUAL(0, container_launch(&realtime, &spec, &container));
	CHECK(is_in_group(container.pid, in[0]) && is_in_group(container.pid, in[1]));
	container_start(&container);
	container_finish(&container);
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
	const char *top = access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0 ? "/sys/fs/cgroup/unified"
			  : access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0	   ? "/sys/fs/cgroup"
										   : NULL;
	char group[96], in[64];
	struct spec spec = shell("grep -c '^0::/$' /proc/self/cgroup");
	if (!top)
		return;
	snprintf(group, sizeof group, "%s/%s", top, own_group());
	snprintf(in, sizeof in, "0::/%s\n", own_group());
	CHECK(mkdir(group, 0755) == 0);
	spec.cgroup = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
	CHECK(is_in_group(container.pid, in));
	container_start(&container);
	container_finish(&container);
	CHECK_TEXT("1\n", container.text);
	close(spec.cgroup);
	for (int tries = 0; rmdir(group) < 0 && tries < 100; tries++)
		usleep(10000);
	CHECK(access(group, F_OK) < 0);
}

static void phases_are_timed(void)
{
	struct spec spec = shell("exit 0");
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	container_run(&engine, &spec, &container);
	clock_gettime(CLOCK_MONOTONIC, &after);
	uint64_t sum = 0, all = (uint64_t)((after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000);
	for (unsigned i = 0; i < PHASE_FILTER; i++)
		sum += container.ready.phase_micros[i];
	CHECK(sum > 100 && sum <= all + 1000);
	CHECK(container.ready.phase_micros[PHASE_MOUNTS] > 0 && container.ready.phase_micros[PHASE_READY] > 0 && container.ready.phase_micros[PHASE_FILTER] == 0);
}

const struct test root_tests[] = {
	{"covered directory", what_is_covered_is_locked_leased_and_watched_by_its_own},
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
const unsigned root_test_count = sizeof root_tests / sizeof *root_tests;
