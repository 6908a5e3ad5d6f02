/* Devices of the host that a container is given: the zygote's nodes, where they stand, and what is refused. */
#include "init_tests.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static struct container container; /* large */
static char host_node[256];

/* A node of the host's own, with /dev/zero's number, that belongs to `uid` and `gid`. */
static const char *node_of(const char *name, uint32_t uid, uint32_t gid, uint32_t mode)
{
	snprintf(host_node, sizeof host_node, "%s/%s", test_directory(), name);
	unlink(host_node);
	CHECK(mknod(host_node, S_IFCHR | mode, makedev(1, 5)) == 0 && chown(host_node, uid, gid) == 0);
	CHECK(chmod(host_node, mode) == 0);
	return host_node;
}

/* /dev/zero by the name of another device. */
static struct spec with_zero(const char *script, const char *path)
{
	struct spec spec = shell(script);
	spec.device = make_device(&engine, "/dev/zero");
	CHECK(spec.device > 0);
	spec.device_path = path, spec.device_kind = DEVICE_CHARACTER, spec.device_major = 1, spec.device_minor = 5;
	return spec;
}

/* ---- the node ---- */

static void a_node_belongs_to_the_containers_ids(void)
{
	static const struct {
		uint32_t host, inside;
	} ids[] = {{0, ID_BASE}, {104, ID_BASE + 104}, {ID_COUNT - 1, ID_BASE + ID_COUNT - 1}, {ID_COUNT, ID_BASE}, {ID_BASE + 3, ID_BASE}};
	for (unsigned i = 0; i < sizeof ids / sizeof *ids; i++) {
		struct stat stat;
		int mount = make_device(&engine, node_of("owned", 0, ids[i].host, 0640));
		CHECK(mount >= 0 && fstat(mount, &stat) == 0);
		CHECK_EQUAL(ID_BASE, stat.st_uid);
		CHECK_EQUAL(ids[i].inside, stat.st_gid);
		CHECK_EQUAL(S_IFCHR | 0640, stat.st_mode);
		CHECK_EQUAL(makedev(1, 5), stat.st_rdev);
		close(mount);
		mount = make_device(&engine, node_of("owned", ids[i].host, 7, 04755));
		CHECK(mount >= 0 && fstat(mount, &stat) == 0);
		CHECK_EQUAL(ids[i].inside, stat.st_uid);
		CHECK_EQUAL(S_IFCHR | 0755, stat.st_mode);
		close(mount);
	}
}

static void what_is_no_device_gets_no_node(void)
{
	CHECK_EQUAL(-ENODEV, make_device(&engine, "/etc/passwd"));
	CHECK_EQUAL(-ENODEV, make_device(&engine, "/dev"));
	CHECK_EQUAL(-ENODEV, make_device(&engine, "/dev/fd"));
	int mount = make_device(&engine, "/dev/zero");
	CHECK(mount >= 0);
	close(mount);
}

static void bad_requests_of_a_device_are_refused(void)
{
	struct request good = {.magic = PLAN_MAGIC, .kind = REQUEST_DEVICE, .id_base = ID_BASE, .id_count = ID_COUNT, .fds = 1};
	int zeros[2], fd;
	struct reply reply;
	zeros[0] = zeros[1] = open("/dev/zero", O_PATH | O_CLOEXEC);
	struct request bad[8];
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		bad[i] = good;
	bad[0].id_base = 0, bad[1].id_count = 0, bad[2].clone_flags = CLONE_NEWUSER, bad[3].lowers = 1;
	bad[4].root_kind = ROOT_MOUNT, bad[5].tmpfs_bytes = 1, bad[6].place = 1, bad[7].fds = 2;
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK_EQUAL(-EINVAL, engine_ask(&engine, &bad[i], zeros, bad[i].fds, &reply, &fd));
		CHECK_EQUAL(STAGE_REQUEST, reply.stage);
	}
	good.fds = 0;
	CHECK_EQUAL(-EINVAL, engine_ask(&engine, &good, zeros, 0, &reply, &fd));
	close(zeros[0]);
}

/* The zygote's root is what it was: the root, proc, sys and six devices. */
static void nothing_of_a_node_stays_with_the_zygote(void)
{
	char path[64], line[1024];
	unsigned mounts = 0;
	for (int i = 0; i < 20; i++)
		close(make_device(&engine, "/dev/zero"));
	snprintf(path, sizeof path, "/proc/%d/mountinfo", engine.pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file))
		mounts++;
	if (file)
		fclose(file);
	CHECK_EQUAL(9, mounts);
}

/* ---- in a container ---- */

static void a_device_is_opened_by_who_owns_it_inside(void)
{
	struct spec spec = with_zero("stat -c '%F %t:%T %u:%g' /dev/net/tun; head -c 3 /dev/net/tun | busybox tr '\\0' z", "dev/net/tun");
	container_run(&engine, &spec, &container);
	CHECK_TEXT("character special file 1:5 0:0\nzzz", container.text);
}

static void a_block_device_is_one_inside_too(void)
{
	char path[256];
	snprintf(path, sizeof path, "%s/block", test_directory());
	CHECK(mknod(path, S_IFBLK | 0640, makedev(7, 300)) == 0);
	struct spec spec = shell("stat -c '%F %t:%T' /dev/loop; grep -c ' /dev/loop rw,nosuid,noexec,' /proc/self/mountinfo");
	spec.device = make_device(&engine, path);
	spec.device_path = "dev/loop", spec.device_kind = DEVICE_BLOCK, spec.device_major = 7, spec.device_minor = 300;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("block special file 7:12c\n1\n", container.text);
	spec.device = make_device(&engine, path), spec.device_kind = DEVICE_CHARACTER;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_DEVICES, OP_HOST_DEVICE, ENXIO);
}

static void nobody_else_opens_it(void)
{
	struct spec spec = shell("dd if=/dev/private count=0 2>/dev/null && echo opened || echo refused");
	spec.device = make_device(&engine, node_of("private", 0, 44, 0660));
	spec.device_path = "dev/private", spec.device_kind = DEVICE_CHARACTER, spec.device_major = 1, spec.device_minor = 5;
	spec.uid = 1000, spec.gid = 1000;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("refused\n", container.text);
	spec.device = make_device(&engine, host_node);
	spec.gid = 44; /* the group that it has on the host */
	container_run(&engine, &spec, &container);
	CHECK_TEXT("opened\n", container.text);
}

static void no_node_can_be_made_inside(void)
{
	struct spec spec = with_zero("busybox mknod /dev/x c 1 5 2>/dev/null && echo made || echo refused", "dev/given");
	spec.caps = ~0ull >> 23;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("refused\n", container.text);
}

static void a_device_goes_over_nothing(void)
{
	static const char *const taken[] = {"dev/null", "dev/pts", "dev/shm", "dev/fd", "dev/ptmx"};
	for (unsigned i = 0; i < sizeof taken / sizeof *taken; i++) {
		struct spec spec = with_zero("echo ran", taken[i]);
		container_run(&engine, &spec, &container);
		expect_error(&container, PHASE_DEVICES, OP_HOST_DEVICE, EEXIST);
	}
	struct spec spec = with_zero("echo ran", "dev/fd/7"); /* dev/fd is a link */
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_DEVICES, OP_HOST_DEVICE, ELOOP);
}

static void another_device_than_planned_is_refused(void)
{
	struct spec spec = with_zero("echo ran", "dev/other");
	spec.device_minor = 3;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_DEVICES, OP_HOST_DEVICE, ENXIO);
	spec = with_zero("echo ran", "dev/other");
	spec.device_kind = DEVICE_BLOCK;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_DEVICES, OP_HOST_DEVICE, ENXIO);
	spec = with_zero("echo ran", "dev/other");
	close(spec.device);
	spec.device = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_DEVICES, OP_HOST_DEVICE, ENXIO);
}

const struct test device_tests[] = {
	{"owner of a device node", a_node_belongs_to_the_containers_ids},
	{"no device, no node", what_is_no_device_gets_no_node},
	{"bad requests of a device", bad_requests_of_a_device_are_refused},
	{"device nodes leave nothing", nothing_of_a_node_stays_with_the_zygote},
	{"device of the host", a_device_is_opened_by_who_owns_it_inside},
	{"block device", a_block_device_is_one_inside_too},
	{"device of somebody else", nobody_else_opens_it},
	{"no node made inside", no_node_can_be_made_inside},
	{"device over something", a_device_goes_over_nothing},
	{"another device", another_device_than_planned_is_refused},
};
const unsigned device_test_count = sizeof device_tests / sizeof *device_tests;
