/* Images, volumes and programs that mean harm: nothing outside of the root changes, and the launch says where it stopped. */
#include "init_tests.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct container container; /* large */
static char outside[256];	   /* a directory of the host that no container was given */

static void make_outside(void)
{
	snprintf(outside, sizeof outside, "%s/outside", test_directory());
	mkdir(outside, 0777);
	chmod(outside, 0777);
}

static unsigned entries(const char *path)
{
	unsigned count = 0;
	DIR *directory = opendir(path);
	for (struct dirent *entry; directory && (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	if (directory)
		closedir(directory);
	return count;
}

/* Replaces `name` in a new root by a link to `target`. */
static const char *root_with_link(const char *root_name, const char *name, const char *target)
{
	char path[256];
	const char *root = test_root(root_name);
	snprintf(path, sizeof path, "%s/%s", root, name);
	remove(path);
	CHECK(symlink(target, path) == 0);
	return root;
}

/* CVE-2026-41579, CVE-2026-47766, CVE-2019-19921: kernel file systems and files where the image has links. */
static void directories_that_are_links(void)
{
	static const struct {
		const char *name;
		uint8_t opcode;
	} links[] = {{"proc", OP_MOUNT_FS}, {"sys", OP_MOUNT_FS}, {"dev", OP_MOUNT_FS}, {"etc", OP_FILE}};
	make_outside();
	for (unsigned i = 0; i < sizeof links / sizeof *links; i++) {
		char name[32];
		struct spec spec = shell("echo ran");
		snprintf(name, sizeof name, "absolute-%s", links[i].name);
		spec.root = root_with_link(name, links[i].name, outside);
		container_run(&engine, &spec, &container);
		expect_error(&container, PHASE_MOUNTS, links[i].opcode, ELOOP);
		snprintf(name, sizeof name, "up-%s", links[i].name);
		spec.root = root_with_link(name, links[i].name, "../../../../../../../../../../tmp");
		container_run(&engine, &spec, &container);
		expect_error(&container, PHASE_MOUNTS, links[i].opcode, ELOOP);
		snprintf(name, sizeof name, "inside-%s", links[i].name);
		spec.root = root_with_link(name, links[i].name, "home");
		container_run(&engine, &spec, &container);
		expect_error(&container, PHASE_MOUNTS, links[i].opcode, ELOOP);
	}
	CHECK_EQUAL(0, entries(outside));
}

static void run_and_tmp(struct builder *plan, uint8_t phase)
{
	if (phase != PHASE_MOUNTS)
		return;
	builder_step(plan, phase, OP_MOUNT_FS), put_u8(plan, FS_TMPFS), put_u8(plan, 0), put_u32(plan, 0755);
	put_u64(plan, 65536), put_u64(plan, 10), put_text(plan, "run/lock");
}

static void a_link_on_the_way(void)
{
	make_outside();
	struct spec spec = shell("echo ran");
	spec.root = root_with_link("way", "run", outside);
	spec.more = run_and_tmp;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_MOUNTS, OP_MOUNT_FS, ELOOP);
	CHECK_EQUAL(0, entries(outside));
}

/* CVE-2025-31133: the image's /dev/null is a link; it is neither followed nor used. */
static void a_null_device_that_is_a_link(void)
{
	char path[300], victim[300];
	make_outside();
	snprintf(victim, sizeof victim, "%s/victim", outside);
	close(open(victim, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
	const char *root = test_root("null-link");
	snprintf(path, sizeof path, "%s/dev/null", root);
	CHECK(symlink(victim, path) == 0);
	struct spec spec = shell("echo gone > /dev/null; cat /proc/keys; stat -c %t:%T /dev/null");
	spec.root = root;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("1:3\n", container.text); /* our own /dev covers it */
	spec.bare_dev = true;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_DEVICES, OP_DEVICE, EEXIST);
	remove(victim);
}

/* A file of the image that is a link is replaced, not written through. */
static void a_file_that_is_a_link(void)
{
	char path[300], victim[300], text[8] = "";
	make_outside();
	snprintf(victim, sizeof victim, "%s/hostname", outside);
	int fd = open(victim, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
	CHECK(write(fd, "mine", 4) == 4);
	const char *root = test_root("file-link");
	snprintf(path, sizeof path, "%s/etc/hostname", root);
	CHECK(symlink(victim, path) == 0);
	struct spec spec = shell("cat /etc/hostname; stat -c %F /etc/hostname");
	spec.root = root;
	container_run(&engine, &spec, &container);
	CHECK_TEXT("boxed\nregular file\n", container.text);
	CHECK(pread(fd, text, 4, 0) == 4);
	CHECK_TEXT("mine", text);
	close(fd);
	remove(victim);
}

static int detached(const char *path)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* A link of the image is followed for a volume, but never out of the root. */
static void volume_targets_through_links(void)
{
	char path[300];
	make_outside();
	struct spec spec = shell("ls /home/data/; ls /home");
	spec.root = root_with_link("volume-link", "srv", "/home");
	spec.volume = detached(outside), spec.volume_path = "srv/data";
	snprintf(path, sizeof path, "%s/seen", outside);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
	container_run(&engine, &spec, &container);
	CHECK_TEXT("seen\ndata\n", container.text);
	remove(path);
	spec.root = root_with_link("volume-dangling", "srv", "/nowhere"); /* a link to what is not there */
	spec.volume = detached(outside), spec.volume_path = "srv";
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_MOUNTS, OP_MOUNT_FD, ELOOP);
	spec.root = root_with_link("volume-magic", "srv", "/proc/self/cwd");
	spec.volume = detached(outside);
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_MOUNTS, OP_MOUNT_FD, ELOOP);
	CHECK_EQUAL(0, entries(outside));
}

/* ---- working directory and program ---- */

static void expect_no_program(struct spec *spec, int error)
{
	container_run(&engine, spec, &container);
	expect_error(&container, PHASE_READY, OP_EXEC, error);
	CHECK_EQUAL(container.steps - 1, container.last.step);
}

static void program_names(void)
{
	const char *argv[] = {"missing", NULL};
	struct spec spec = shell("");
	spec.argv = argv;
	expect_no_program(&spec, ENOENT);
	argv[0] = "/bin/missing";
	expect_no_program(&spec, ENOENT);
	argv[0] = "/etc";
	expect_no_program(&spec, EACCES);
	argv[0] = "/etc/hostname";
	expect_no_program(&spec, EACCES);
	argv[0] = "/bin/true/x";
	expect_no_program(&spec, ENOTDIR);
	argv[0] = "hostname";
	spec.path = "/etc:/nowhere"; /* there, but not executable */
	expect_no_program(&spec, EACCES);
	argv[0] = "true";
	spec.path = "bin::."; /* relative directories do not count */
	expect_no_program(&spec, ENOENT);
	argv[0] = "bin/true";
	container_run(&engine, &spec, &container);
	expect_exit(&container, 0);
	argv[0] = "true";
	spec.path = "/nowhere:/etc:/bin/busybox:/bin";
	container_run(&engine, &spec, &container);
	expect_exit(&container, 0);
}

static void working_directories(void)
{
	static const struct {
		const char *path;
		int error;
	} bad[] = {
		{"/nowhere", ENOENT}, {"/bin/sh", ENOTDIR}, {"/proc/self/fd/3", ELOOP}, {"/proc/self/fd/5", ELOOP},
		{"/proc/1/root", ELOOP}, {"/proc/self/cwd", ELOOP},
	};
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct spec spec = shell("pwd");
		spec.directory = bad[i].path;
		container_run(&engine, &spec, &container);
		expect_error(&container, PHASE_READY, OP_READY, bad[i].error);
	}
	struct spec spec = shell("pwd");
	spec.directory = "/etc/../usr";
	container_run(&engine, &spec, &container);
	CHECK_TEXT("/usr\n", container.text);
}

static void root_with_file(const char *name, const char *text, size_t length, const char **root)
{
	char path[256];
	*root = test_root(name);
	snprintf(path, sizeof path, "%s/bin/file", *root);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	CHECK(write(fd, text, length) == (ssize_t)length);
	close(fd);
}

static void programs_the_kernel_does_not_start(void)
{
	const char *argv[] = {"file", NULL};
	struct spec spec = shell("");
	spec.argv = argv;
	root_with_file("no-format", "not a program", 13, &spec.root);
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_FILTER, OP_EXEC, ENOEXEC);
	root_with_file("no-interpreter", "#!/nowhere\n", 11, &spec.root);
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_FILTER, OP_EXEC, ENOENT);
	spec.no_init = true;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_FILTER, OP_EXEC, ENOENT);
}

/* CVE-2019-5736: the interpreter would be our own program; it runs, refuses, and is as it was. */
static void a_script_for_the_engine_s_own_program(void)
{
	const char *argv[] = {"file", NULL};
	struct stat before, after;
	struct spec spec = shell("");
	spec.argv = argv;
	CHECK(stat(binary, &before) == 0);
	root_with_file("self", "#!/proc/self/exe\n", 17, &spec.root);
	for (int i = 0; i < 2; i++) {
		spec.no_init = i == 1;
		container_run(&engine, &spec, &container);
		CHECK(container.status != 0);
	}
	CHECK(stat(binary, &after) == 0 && before.st_mtime == after.st_mtime && before.st_size == after.st_size);
}

static void a_plan_that_could_still_change(void)
{
	struct spec spec = shell("echo ran");
	spec.left_open = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_SEAL, OP_SEAL, EPERM);
}

static void late_step(struct builder *plan, uint8_t phase)
{
	if (phase == PHASE_LIMITS)
		builder_step(plan, PHASE_MOUNTS, OP_MKDIR), put_u32(plan, 0755), put_text(plan, "x");
}

static void a_plan_that_goes_back(void)
{
	struct spec spec = shell("echo ran");
	spec.more = late_step;
	container_run(&engine, &spec, &container);
	expect_error(&container, PHASE_SEAL, OP_MKDIR, EBADMSG);
	CHECK_EQUAL(PLAN_BAD_ORDER, container.last.detail);
}

/* ---- a race ---- */

static atomic_bool stop;
static char here[300], there[300];

static void *exchange(void *unused)
{
	(void)unused;
	while (!stop)
		renameat2(AT_FDCWD, here, AT_FDCWD, there, RENAME_EXCHANGE);
	return NULL;
}

static void below_the_volume(struct builder *plan, uint8_t phase)
{
	if (phase != PHASE_MOUNTS)
		return;
	builder_step(plan, phase, OP_MKDIR), put_u32(plan, 0700), put_text(plan, "volume/target/a/b");
	builder_step(plan, phase, OP_MOUNT_FS), put_u8(plan, FS_TMPFS), put_u8(plan, 0), put_u32(plan, 0755);
	put_u64(plan, 65536), put_u64(plan, 10), put_text(plan, "volume/target/m");
	builder_step(plan, phase, OP_FILE), put_u32(plan, 0644), put_text(plan, "volume/target/f"), put_bytes(plan, "x", 1);
}

/* CVE-2021-30465: another container that has the volume too exchanges a directory with a link while this one starts. */
static void a_mount_target_exchanged_during_200_starts(void)
{
	char shared[256];
	pthread_t thread;
	unsigned started = 0, refused = 0;
	make_outside();
	snprintf(shared, sizeof shared, "%s/shared", test_directory());
	snprintf(here, sizeof here, "%s/target", shared);
	snprintf(there, sizeof there, "%s/link", shared);
	CHECK(mkdir(shared, 0777) == 0 && chmod(shared, 0777) == 0 && mkdir(here, 0777) == 0 && chmod(here, 0777) == 0);
	CHECK(symlink(outside, there) == 0);
	stop = false;
	CHECK(pthread_create(&thread, NULL, exchange, NULL) == 0);
	for (int i = 0; i < 200; i++) {
		struct spec spec = shell("exit 0");
		spec.volume = detached(shared), spec.more = below_the_volume;
		container_run(&engine, &spec, &container);
		started += container.status == 0;
		refused += container.last.kind == REPORT_ERROR && container.last.phase == PHASE_MOUNTS;
	}
	stop = true;
	pthread_join(thread, NULL);
	CHECK_EQUAL(200, started + refused);
	CHECK(started > 0);
	CHECK_EQUAL(0, entries(outside));
}

const struct test hostile_tests[] = {
	{"directories that are links", directories_that_are_links},
	{"a link on the way", a_link_on_the_way},
	{"null device that is a link", a_null_device_that_is_a_link},
	{"file that is a link", a_file_that_is_a_link},
	{"volume through links", volume_targets_through_links},
	{"program names", program_names},
	{"working directories", working_directories},
	{"programs not started", programs_the_kernel_does_not_start},
	{"script for our program", a_script_for_the_engine_s_own_program},
	{"unsealed plan", a_plan_that_could_still_change},
	{"plan that goes back", a_plan_that_goes_back},
	{"target exchanged", a_mount_target_exchanged_during_200_starts},
};
const unsigned hostile_test_count = sizeof hostile_tests / sizeof *hostile_tests;
