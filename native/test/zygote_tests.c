/* The zygote by itself: what it refuses, that it goes on, and that nothing outlives the engine. */
#include "init_tests.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct container container; /* large */

static unsigned open_files(int pid)
{
	char path[64];
	unsigned count = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *directory = opendir(path);
	for (struct dirent *entry; directory && (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	if (directory)
		closedir(directory);
	return count;
}

static void works_and_leaks_nothing(void)
{
	struct spec spec = shell("echo on");
	container_run(&engine, &spec, &container);
	CHECK_TEXT("on\n", container.text);
	CHECK_EQUAL(4, open_files(engine.pid));
}

static struct request good_request(void)
{
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_LAUNCH, .id_base = ID_BASE, .id_count = ID_COUNT};
	request.clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID;
	request.slots = 6, request.lowers = 1, request.lower_slot[0] = 5;
	request.root_kind = ROOT_TMPFS, request.tmpfs_bytes = request.tmpfs_inodes = 1 << 20;
	request.cgroup_slot = request.upper_slot = PLAN_NO_SLOT;
	return request;
}

/* With six descriptors that are of no use. */
static void refused(const struct request *request, unsigned fds)
{
	int nulls[200], fd;
	struct reply reply = {0};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (unsigned i = 0; i < fds; i++)
		nulls[i] = null;
	CHECK_EQUAL(-EINVAL, engine_ask(&engine, request, nulls, fds, &reply, &fd));
	CHECK_EQUAL(STAGE_REQUEST, reply.stage);
	CHECK_EQUAL(0, reply.pid);
	CHECK_EQUAL(-1, fd);
	close(null);
}

#define REFUSED(change)                                                                                                          \
	do {                                                                                                                     \
		struct request r = good_request();                                                                               \
		change;                                                                                                          \
		refused(&r, 6);                                                                                                  \
	} while (0)

static void bad_requests_are_refused(void)
{
	REFUSED(r.magic++);
	REFUSED(r.kind = 0);
	REFUSED(r.kind = 3);
	REFUSED(r.kind = REQUEST_USERNS); /* takes no descriptor */
	REFUSED(r.slots = 5);
	REFUSED(r.slots = 7);
	REFUSED(r.id_base = 0); /* the host's root */
	REFUSED(r.id_count = 0);
	REFUSED(r.id_count = UINT32_MAX);
	REFUSED(r.clone_flags = CLONE_NEWNS | CLONE_NEWPID);
	REFUSED(r.clone_flags = CLONE_NEWUSER | CLONE_NEWPID);
	REFUSED(r.clone_flags = CLONE_NEWUSER | CLONE_NEWNS);
	REFUSED(r.clone_flags |= CLONE_NEWCGROUP);
	REFUSED(r.clone_flags |= CLONE_VM);
	REFUSED(r.clone_flags |= CLONE_THREAD);
	REFUSED(r.clone_flags |= 1ull << 40);
	REFUSED(r.cgroup_slot = 6);
	REFUSED(r.cgroup_slot = SLOT_CONTROL);
	REFUSED(r.lowers = 0);
	REFUSED(r.lowers = REQUEST_MAX_LOWERS + 1);
	REFUSED(r.lowers = 2); /* the second one is slot 0 */
	REFUSED(r.lower_slot[0] = 6);
	REFUSED(r.lower_slot[0] = PLAN_NO_SLOT);
	REFUSED(r.root_kind = 0);
	REFUSED(r.root_kind = 4);
	REFUSED(r.root_flags = 2);
	REFUSED(r.root_kind = ROOT_OVERLAY);
	REFUSED(r.root_kind = ROOT_OVERLAY; r.upper_slot = 6);
	REFUSED(r.root_kind = ROOT_MOUNT; r.root_flags = ROOT_VOLATILE);
	REFUSED(r.root_kind = ROOT_MOUNT; r.upper_slot = 5);
	REFUSED(r.upper_slot = 5);
	REFUSED(r.tmpfs_bytes = 0);
	REFUSED(r.tmpfs_inodes = 0);
	REFUSED(r.reserved = 1);
	REFUSED(r.reserved0 = 1);
	works_and_leaks_nothing();
}

static void more_descriptors_than_slots(void)
{
	struct request request = good_request();
	request.slots = 127;
	refused(&request, 128);
	request.slots = 128;
	refused(&request, 128);
	request.slots = 200;
	refused(&request, 200);
	works_and_leaks_nothing();
}

static void messages_of_any_size(void)
{
	static char bytes[4096];
	struct reply reply;
	for (size_t size = 0; size <= sizeof bytes; size = size ? size * 3 : 1) {
		CHECK(send(engine.socket, bytes, size, MSG_NOSIGNAL) == (ssize_t)size);
		CHECK(recv(engine.socket, &reply, sizeof reply, 0) == sizeof reply);
		CHECK_EQUAL(-EINVAL, reply.status);
	}
	works_and_leaks_nothing();
}

static void a_layer_that_is_none(void)
{
	int nulls[6], fd;
	struct reply reply;
	struct request request = good_request();
	nulls[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 1; i < 6; i++)
		nulls[i] = nulls[0];
	CHECK(engine_ask(&engine, &request, nulls, 6, &reply, &fd) < 0);
	CHECK_EQUAL(STAGE_ROOT, reply.stage);
	request.root_kind = ROOT_MOUNT;
	CHECK(engine_ask(&engine, &request, nulls, 6, &reply, &fd) < 0);
	CHECK_EQUAL(STAGE_ROOT, reply.stage);
	close(nulls[0]);
	works_and_leaks_nothing();
}

static void an_id_range_that_cannot_be_mapped(void)
{
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_USERNS, .id_base = UINT32_MAX - 2, .id_count = 2};
	struct reply reply;
	int fd;
	CHECK(engine_ask(&engine, &request, NULL, 0, &reply, &fd) == 0 || reply.stage == STAGE_MAPS);
	if (fd >= 0)
		close(fd);
	works_and_leaks_nothing();
}

static void starts_only_on_its_socket(void)
{
	int pair[2], status, pid;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	if ((pid = fork()) == 0) {
		dup2(pair[1], 3);
		execl(binary, binary, "zygote", (char *)NULL);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1);
	close(pair[0]), close(pair[1]);
}

static void its_root_has_nothing_of_the_host(void)
{
	char path[64], line[1024];
	unsigned mounts = 0;
	snprintf(path, sizeof path, "/proc/%d/mountinfo", engine.pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file)) {
		mounts++;
		CHECK(!strstr(line, " shared:"));
		CHECK(strstr(line, " - tmpfs ") || strstr(line, " - proc ") || strstr(line, " - sysfs ") || strstr(line, " - devtmpfs "));
	}
	if (file)
		fclose(file);
	CHECK_EQUAL(9, mounts); /* the root, proc, sys and six devices */
	struct stat stat_;
	snprintf(path, sizeof path, "/proc/%d/root/etc", engine.pid);
	CHECK(stat(path, &stat_) < 0);
}

static void its_environment_is_gone(void)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/environ", engine.pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC), byte = 0;
	unsigned left = 0;
	while (read(fd, &byte, 1) == 1)
		left += byte != 0;
	close(fd);
	CHECK_EQUAL(0, left);
}

/* ---- the engine's end ---- */

static bool gone(int pid)
{
	for (int tries = 0; tries < 200; tries++) {
		if (kill(pid, 0) < 0)
			return true;
		usleep(10000);
	}
	return false;
}

/* A second engine in a process of its own, killed when it has come so far; its processes are then ours to reap. */
static void killed_engine(bool no_init, bool started, uint16_t pause_before)
{
	int pipes[2], pids[2] = {-1, -1}, engine_pid;
	CHECK(pipe(pipes) == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	if ((engine_pid = fork()) == 0) {
		struct engine own;
		struct spec spec = shell("exec sleep 1000");
		spec.no_init = no_init, spec.pause_before = pause_before;
		close(engine.socket); /* the other one's */
		if (!engine_start(&own, binary) || container_launch(&own, &spec, &container) < 0)
			_exit(1);
		if (started)
			container_start(&container);
		pids[0] = own.pid, pids[1] = container.pid;
		if (write(pipes[1], pids, sizeof pids) != sizeof pids)
			_exit(1);
		pause();
	}
	close(pipes[1]);
	CHECK(read(pipes[0], pids, sizeof pids) == sizeof pids);
	close(pipes[0]);
	if (started)
		usleep(50000);
	kill(engine_pid, SIGKILL);
	waitpid(engine_pid, NULL, 0);
	int status;
	for (int tries = 0; tries < 500 && waitpid(pids[1], &status, WNOHANG) == 0; tries++)
		usleep(10000);
	waitpid(pids[0], &status, 0);
	CHECK(pids[0] > 0 && gone(pids[0]));
	CHECK(pids[1] > 0 && gone(pids[1]));
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void nothing_outlives_a_killed_engine(void)
{
	killed_engine(false, true, 0);
	killed_engine(true, true, 0);
	killed_engine(false, false, 0);
	killed_engine(true, false, 0);
}

static void nothing_outlives_an_engine_killed_before_any_step(void)
{
	struct spec spec = shell("exit 0");
	container_run(&engine, &spec, &container);
	unsigned steps = container.steps;
	CHECK(steps > 30);
	for (unsigned step = 1; step < steps - 1; step++)
		killed_engine(false, false, (uint16_t)step);
}

/* A pause in front of a step, then on; and an engine that does not say on. */
static void pauses(void)
{
	struct spec spec = shell("echo on");
	spec.pause_before = 5;
	CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
	CHECK_EQUAL(REPORT_PAUSED, container.last.kind);
	CHECK_EQUAL(5, container.last.step);
	container_start(&container);
	struct report report;
	int fd;
	CHECK(container_report(&container, &report, &fd) && report.kind == REPORT_READY);
	container_start(&container);
	container_finish(&container);
	CHECK_TEXT("on\n", container.text);
	expect_exit(&container, 0);
	CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
	uint8_t other = 9;
	CHECK(send(container.control, &other, 1, 0) == 1);
	container_finish(&container);
	CHECK_EQUAL(125, container.status);
}

static void ends_with_its_control_socket(void)
{
	for (int started = 0; started < 2; started++) {
		struct spec spec = shell("echo r; exec sleep 1000");
		char byte;
		CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
		if (started) {
			container_start(&container);
			CHECK(read(container.output, &byte, 1) == 1);
		}
		close(container.control);
		container.control = -1;
		container_finish(&container);
		CHECK_EQUAL(125, container.status);
	}
}

static void a_hundred_one_after_another(void)
{
	for (int i = 0; i < 100; i++) {
		struct spec spec = shell("exit 1");
		container_run(&engine, &spec, &container);
		CHECK_EQUAL(1, container.status);
	}
	CHECK_EQUAL(4, open_files(engine.pid));
}

const struct test zygote_tests[] = {
	{"bad requests", bad_requests_are_refused},
	{"descriptors and slots", more_descriptors_than_slots},
	{"messages of any size", messages_of_any_size},
	{"no layer", a_layer_that_is_none},
	{"id range", an_id_range_that_cannot_be_mapped},
	{"its socket", starts_only_on_its_socket},
	{"its root", its_root_has_nothing_of_the_host},
	{"its environment", its_environment_is_gone},
	{"killed engine", nothing_outlives_a_killed_engine},
	{"killed engine at every step", nothing_outlives_an_engine_killed_before_any_step},
	{"pauses", pauses},
	{"control socket", ends_with_its_control_socket},
	{"a hundred", a_hundred_one_after_another},
};
const unsigned zygote_test_count = sizeof zygote_tests / sizeof *zygote_tests;
