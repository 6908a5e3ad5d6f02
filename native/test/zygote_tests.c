/* The zygote by itself: what it refuses, that it goes on, and that nothing outlives the engine. */
#include "init_tests.h"
#include "../kernel.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

static struct request good_child(void)
{
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_CHILD, .id_base = ID_BASE, .id_count = ID_COUNT};
	request.clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET;
	request.fds = 2;
	return request;
}

static struct request good_root(void)
{
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_ROOT, .id_base = ID_BASE, .id_count = ID_COUNT};
	request.fds = request.lowers = 2;
	request.root_kind = ROOT_TMPFS, request.tmpfs_bytes = request.tmpfs_inodes = 1 << 20;
	return request;
}

/* With descriptors that are of no use. */
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

#define REFUSED(good, change)                                                                                                    \
	do {                                                                                                                     \
		struct request r = good();                                                                                       \
		change;                                                                                                          \
		refused(&r, 2);                                                                                                  \
	} while (0)

static void bad_children_are_refused(void)
{
	REFUSED(good_child, r.magic++);
	REFUSED(good_child, r.kind = 0);
	REFUSED(good_child, r.kind = 5);
	REFUSED(good_child, r.kind = REQUEST_USERNS); /* takes no descriptor */
	REFUSED(good_child, r.kind = REQUEST_ROOT);
	REFUSED(good_child, r.fds = 0);
	REFUSED(good_child, r.fds = 1);
	REFUSED(good_child, r.fds = 3);
	REFUSED(good_child, r.id_base = 0); /* the host's root */
	REFUSED(good_child, r.id_count = 0);
	REFUSED(good_child, r.id_count = UINT32_MAX);
	REFUSED(good_child, r.clone_flags &= ~(uint64_t)CLONE_NEWUSER);
	REFUSED(good_child, r.clone_flags &= ~(uint64_t)CLONE_NEWNS);
	REFUSED(good_child, r.clone_flags &= ~(uint64_t)CLONE_NEWPID);
	REFUSED(good_child, r.clone_flags |= CLONE_NEWCGROUP);
	REFUSED(good_child, r.clone_flags |= CLONE_VM);
	REFUSED(good_child, r.clone_flags |= CLONE_THREAD);
	REFUSED(good_child, r.clone_flags |= 1ull << 40);
	REFUSED(good_child, r.lowers = 1);
	REFUSED(good_child, r.root_kind = ROOT_TMPFS);
	REFUSED(good_child, r.tmpfs_bytes = 1);
	REFUSED(good_child, r.place = 1);
	struct request none = good_child();
	none.fds = 0;
	refused(&none, 0);
	none.fds = 3;
	refused(&none, 3);
	none.clone_flags &= ~(uint64_t)CLONE_NEWNET; /* in no network but the host's */
	none.fds = 1;
	refused(&none, 1);
	none.fds = 4;
	refused(&none, 4);
	works_and_leaks_nothing();
}

static void bad_roots_are_refused(void)
{
	REFUSED(good_root, r.kind = REQUEST_CHILD);
	REFUSED(good_root, r.id_base = 0);
	REFUSED(good_root, r.clone_flags = CLONE_NEWNS);
	REFUSED(good_root, r.fds = 1);
	REFUSED(good_root, r.fds = 3);
	REFUSED(good_root, r.lowers = 0);
	REFUSED(good_root, r.lowers = 1);
	REFUSED(good_root, r.lowers = 3);
	REFUSED(good_root, r.lowers = REQUEST_MAX_LOWERS + 1);
	REFUSED(good_root, r.root_kind = 0);
	REFUSED(good_root, r.root_kind = 5);
	REFUSED(good_root, r.root_kind = ROOT_COVER; r.lowers = 1; r.tmpfs_bytes = r.tmpfs_inodes = 0); /* two came */
	REFUSED(good_root, r.root_kind = ROOT_COVER; r.lowers = 3; r.tmpfs_bytes = r.tmpfs_inodes = 0);
	REFUSED(good_root, r.root_kind = ROOT_COVER; r.fds = r.lowers = REQUEST_MAX_LOWERS; r.tmpfs_bytes = r.tmpfs_inodes = 0);
	REFUSED(good_root, r.root_kind = ROOT_COVER; r.lowers = 1);			  /* with a size */
	REFUSED(good_root, r.root_kind = ROOT_COVER; r.fds = r.lowers = 1);		  /* with a size */
	REFUSED(good_root, r.root_kind = ROOT_COVER; r.fds = r.lowers = 1; r.tmpfs_bytes = r.tmpfs_inodes = 0; r.root_flags = ROOT_VOLATILE);
	REFUSED(good_root, r.root_flags = 2);
	REFUSED(good_root, r.tmpfs_bytes = 0);
	REFUSED(good_root, r.tmpfs_inodes = 0);
	REFUSED(good_root, r.root_kind = ROOT_OVERLAY; r.tmpfs_bytes = r.tmpfs_inodes = 0); /* no upper */
	REFUSED(good_root, r.root_kind = ROOT_OVERLAY; r.lowers = 1);			   /* with a size */
	REFUSED(good_root, r.root_kind = ROOT_MOUNT; r.tmpfs_bytes = r.tmpfs_inodes = 0);  /* two of them */
	REFUSED(good_root, r.root_kind = ROOT_MOUNT; r.lowers = 1; r.tmpfs_bytes = r.tmpfs_inodes = 0; r.root_flags = ROOT_VOLATILE);
	REFUSED(good_root, r.place = 1);
	struct request many = good_root();
	many.fds = many.lowers = REQUEST_MAX_LOWERS + 1;
	refused(&many, REQUEST_MAX_LOWERS + 1);
	works_and_leaks_nothing();
}

static void more_descriptors_than_told(void)
{
	struct request request = good_root();
	request.fds = REQUEST_MAX_FDS;
	refused(&request, REQUEST_MAX_FDS + 1);
	request.fds = REQUEST_MAX_FDS + 1;
	refused(&request, REQUEST_MAX_FDS + 1);
	request.fds = 200;
	refused(&request, 200);
	works_and_leaks_nothing();
}

static void messages_of_any_size(void)
{
	static char bytes[4096];
	struct reply reply;
	struct links_request with_links = {.request = {.magic = PLAN_MAGIC, .id_base = ID_BASE, .id_count = ID_COUNT}};
	for (int kind = REQUEST_USERNS; kind <= REQUEST_LINKS; kind += REQUEST_LINKS - REQUEST_USERNS) {
		size_t others = kind == REQUEST_LINKS ? sizeof with_links.request : sizeof with_links;
		with_links.request.kind = (uint16_t)kind;
		for (size_t size = others - 1; size <= others + 1; size++) {
			CHECK(send(engine.socket, &with_links, size, MSG_NOSIGNAL) == (ssize_t)size);
			CHECK(recv(engine.socket, &reply, sizeof reply, 0) == sizeof reply);
			CHECK_EQUAL(-EINVAL, reply.status);
		}
	}
	for (size_t size = 0; size <= sizeof bytes; size = size ? size * 3 : 1) {
		CHECK(send(engine.socket, bytes, size, MSG_NOSIGNAL) == (ssize_t)size);
		CHECK(recv(engine.socket, &reply, sizeof reply, 0) == sizeof reply);
		CHECK_EQUAL(-EINVAL, reply.status);
	}
	works_and_leaks_nothing();
}

static void a_layer_that_is_none(void)
{
	int nulls[2], fd;
	struct reply reply;
	struct request request = good_root();
	nulls[0] = nulls[1] = open("/dev/null", O_RDWR | O_CLOEXEC);
	CHECK(engine_ask(&engine, &request, nulls, 2, &reply, &fd) < 0);
	CHECK_EQUAL(STAGE_ROOT, reply.stage);
	request.root_kind = ROOT_MOUNT, request.fds = request.lowers = 1, request.tmpfs_bytes = request.tmpfs_inodes = 0;
	CHECK(engine_ask(&engine, &request, nulls, 1, &reply, &fd) < 0);
	CHECK_EQUAL(STAGE_ROOT, reply.stage);
	close(nulls[0]);
	works_and_leaks_nothing();
}

/* A child whose control socket is none cannot tell what is wrong: it ends. */
static void a_place_keeps_one_mount(void)
{
	char path[256];
	struct engine own;
	CHECK(engine_start(&own, binary));
	snprintf(path, sizeof path, "%s/bin/busybox", base_root);
	for (uint16_t place = 40; place < 42; place++) {
		struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_KEEP, .id_base = ID_BASE, .id_count = ID_COUNT, .fds = 1, .place = place};
		struct reply reply;
		int fd = -1;
		for (int again = 0; again < 2; again++) {
			int mount = (int)syscall(SYS_open_tree, AT_FDCWD, place == 40 ? base_root : path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
			CHECK_EQUAL(again ? -EEXIST : 0, engine_ask(&own, &request, &mount, 1, &reply, &fd));
			CHECK_EQUAL(-1, fd);
			close(mount);
		}
		request.kind = REQUEST_COPY, request.fds = 0;
		CHECK_EQUAL(0, engine_ask(&own, &request, NULL, 0, &reply, &fd));
		CHECK(fd >= 0);
		close(fd);
		request.place = 39; /* nothing is kept there */
		CHECK_EQUAL(-ENOENT, engine_ask(&own, &request, NULL, 0, &reply, &fd));
	}
	engine_stop(&own);
}

static bool exists_in(int directory, const char *name) { return faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0; }

static void a_copy_has_what_is_mounted_below_it(void)
{
	char path[256], below[280];
	struct engine own;
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_KEEP, .id_base = ID_BASE, .id_count = ID_COUNT, .fds = 1};
	struct reply reply;
	int none, copy = -1;
	snprintf(path, sizeof path, "%s/kept-below", test_directory());
	snprintf(below, sizeof below, "%s/below", path);
	CHECK(mkdir(path, 0755) == 0 && mkdir(below, 0755) == 0 && mount("test", below, "tmpfs", 0, "size=64k") == 0);
	snprintf(below, sizeof below, "%s/below/file", path);
	close(open(below, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	CHECK(engine_start(&own, binary));
	int mounts = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	CHECK_EQUAL(0, engine_ask(&own, &request, &mounts, 1, &reply, &none));
	close(mounts);
	request.kind = REQUEST_COPY, request.fds = 0;
	CHECK_EQUAL(0, engine_ask(&own, &request, NULL, 0, &reply, &copy));
	CHECK(exists_in(copy, "below/file"));
	close(copy);
	engine_stop(&own);
	snprintf(below, sizeof below, "%s/below", path);
	CHECK(umount2(below, MNT_DETACH) == 0);
}

static void a_control_socket_that_is_none(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), pidfd;
	siginfo_t info = {0};
	struct reply reply;
	struct request request = good_child();
	request.fds = 1;
	CHECK_EQUAL(0, engine_ask(&engine, &request, &null, 1, &reply, &pidfd));
	CHECK(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) == 0);
	CHECK_EQUAL(125, info.si_status);
	close(null), close(pidfd);
	works_and_leaks_nothing();
}

/* ---- what a child takes over ---- */

static void less_slots(struct handover *handover) { handover->slots = handover->slot[handover->count - 1]; }
static void more_slots(struct handover *handover) { handover->slots = PLAN_MAX_SLOTS + 1; }
static void all_slots(struct handover *handover) { handover->slots = PLAN_MAX_SLOTS; }
static void other_magic(struct handover *handover) { handover->magic++; }
static void control_slot(struct handover *handover) { handover->slot[handover->count - 1] = SLOT_CONTROL; }
static void slot_twice(struct handover *handover) { handover->slot[handover->count - 1] = SLOT_PLAN; }
static void no_output(struct handover *handover) { handover->slot[2] = handover->slots++; }
/* Something in the root's place, and nothing in the volume's. */
static void no_volume(struct handover *handover)
{
	handover->count--;
	handover->slot[handover->count - 1] = handover->slot[handover->count];
}

static void bad_handovers_are_refused(void)
{
	static void (*const spoiled[])(struct handover *) = {less_slots, more_slots, other_magic, control_slot, slot_twice, no_output};
	for (unsigned i = 0; i < sizeof spoiled / sizeof *spoiled; i++) {
		struct spec spec = shell("echo on");
		spec.spoil = spoiled[i];
		container_run(&engine, &spec, &container);
		expect_error(&container, PHASE_SEAL, OP_SEAL, EBADMSG);
		CHECK_EQUAL(0, container.last.detail);
	}
	works_and_leaks_nothing();
}

/* As many as a plan may have: it is the plan that has another number. */
static void a_handover_of_all_slots_is_taken(void)
{
	struct spec spec = shell("echo on");
	spec.spoil = all_slots;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_SEAL, OP_SEAL, EBADMSG);
	CHECK_EQUAL(PLAN_BAD_SLOT, container.last.detail);
}

static void a_device_that_did_not_come(void)
{
	struct spec spec = shell("echo on");
	spec.device = make_device(&engine, "/dev/zero");
	spec.device_path = "dev/given", spec.device_kind = DEVICE_CHARACTER, spec.device_major = 1, spec.device_minor = 5;
	spec.spoil = no_volume;
	container_run(&engine, &spec, &container);
	CHECK_EQUAL(REPORT_ERROR, container.last.kind);
	CHECK_EQUAL(EBADMSG, container.last.status);
	CHECK_EQUAL(PLAN_BAD_SLOT, container.last.detail);
}

static void a_slot_that_did_not_come(void)
{
	struct spec spec = shell("echo on");
	spec.volume = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	spec.spoil = no_volume;
	container_run(&engine, &spec, &container);
	CHECK_EQUAL(REPORT_ERROR, container.last.kind);
	CHECK_EQUAL(EBADMSG, container.last.status);
	CHECK_EQUAL(PLAN_BAD_SLOT, container.last.detail);
}

static void waits_with_its_control_socket_alone(void)
{
	int pair[2], pidfd;
	struct reply reply;
	struct request request = good_child();
	siginfo_t info = {0};
	request.fds = 1;
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK_EQUAL(0, engine_ask(&engine, &request, &pair[1], 1, &reply, &pidfd));
	close(pair[1]);
	unsigned files = 0;
	for (int tries = 0; tries < 200 && (files = open_files(reply.pid)) != 4; tries++)
		usleep(5000);
	CHECK_EQUAL(4, files); /* three of /dev/null, and the socket */
	close(pair[0]);
	CHECK(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) == 0);
	CHECK_EQUAL(125, info.si_status);
	close(pidfd);
}

/* ---- what it may, and who may look at it ---- */

static void has_the_capabilities_that_it_needs_alone(void)
{
	char path[64], line[256], found[32] = "";
	snprintf(path, sizeof path, "/proc/%d/status", engine.pid);
	FILE *status = fopen(path, "re");
	CHECK(status != NULL);
	while (status && fgets(line, sizeof line, status))
		sscanf(line, "CapPrm: %31s", found);
	if (status)
		fclose(status);
	/* CHOWN, DAC_*, FOWNER, FSETID, KILL, SETGID, SETUID, SYS_ADMIN, MKNOD, SETFCAP: not SYS_RESOURCE, nor the network's */
	CHECK_TEXT("00000000882000ff", found);
}

/* As root of the host who may do everything but trace: only a process that is dumpable shows its program. */
static bool shows_its_program(int pid)
{
	int status = 0, child = fork();
	if (child == 0) {
		char path[64], target[64];
		struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
		struct __user_cap_data_struct data[2];
		snprintf(path, sizeof path, "/proc/%d/exe", pid);
		if (syscall(SYS_capget, &header, data) < 0)
			_exit(2);
		data[0].effective &= ~(1u << CAP_SYS_PTRACE);
		data[0].permitted &= ~(1u << CAP_SYS_PTRACE);
		_exit(syscall(SYS_capset, &header, data) < 0 ? 2 : readlink(path, target, sizeof target) > 0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child && WEXITSTATUS(status) != 2);
	return WEXITSTATUS(status) == 1;
}

/* A process whose ids have changed is dumpable again where this setting of the host is 1. */
static void stays_undumpable_when_its_ids_change(void)
{
	char before[8] = "0";
	int setting = open("/proc/sys/fs/suid_dumpable", O_RDWR | O_CLOEXEC);
	CHECK(setting >= 0 && read(setting, before, 1) == 1);
	CHECK(!shows_its_program(engine.pid));
	CHECK(pwrite(setting, "1", 1, 0) == 1);
	works_and_leaks_nothing();
	bool shown = shows_its_program(engine.pid);
	CHECK(pwrite(setting, before, 1, 0) == 1);
	close(setting);
	CHECK(!shown);
}

static void an_id_range_that_cannot_be_mapped(void)
{
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_USERNS, .id_base = UINT32_MAX - 2, .id_count = 2};
	struct reply reply;
	int fd;
	CHECK(engine_ask(&engine, &request, NULL, 0, &reply, &fd) == 0 || reply.stage == STAGE_MAPS);
	if (fd >= 0)
		close(fd);
	request.id_count = 3; /* the last id would be none */
	CHECK_EQUAL(-EINVAL, engine_ask(&engine, &request, NULL, 0, &reply, &fd));
	CHECK_EQUAL(STAGE_REQUEST, reply.stage);
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
	{"bad requests of a child", bad_children_are_refused},
	{"bad requests of a root", bad_roots_are_refused},
	{"descriptors", more_descriptors_than_told},
	{"messages of any size", messages_of_any_size},
	{"no layer", a_layer_that_is_none},
	{"kept once", a_place_keeps_one_mount},
	{"mounts below a copy", a_copy_has_what_is_mounted_below_it},
	{"no control socket", a_control_socket_that_is_none},
	{"bad handovers", bad_handovers_are_refused},
	{"all slots", a_handover_of_all_slots_is_taken},
	{"a slot that did not come", a_slot_that_did_not_come},
	{"a device that did not come", a_device_that_did_not_come},
	{"waits sealed", waits_with_its_control_socket_alone},
	{"its capabilities", has_the_capabilities_that_it_needs_alone},
	{"not dumpable", stays_undumpable_when_its_ids_change},
	{"id range", an_id_range_that_cannot_be_mapped},
	{"its socket", starts_only_on_its_socket},
	{"a hundred", a_hundred_one_after_another},
};
const unsigned zygote_test_count = sizeof zygote_tests / sizeof *zygote_tests;
