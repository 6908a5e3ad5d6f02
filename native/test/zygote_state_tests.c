/* What the zygote is: its root, files, signals and environment; and the roots that it builds, on older kernels too. */
#include "faults.h"
#include "init_tests.h"
#include "../kernel.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static struct container container; /* large */

/* ---- what it is ---- */

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

static void its_mounts_are_in_a_namespace_of_its_own(void)
{
	char path[64];
	struct stat its = {0}, ours = {0};
	snprintf(path, sizeof path, "/proc/%d/ns/mnt", engine.pid);
	CHECK(stat(path, &its) == 0 && stat("/proc/self/ns/mnt", &ours) == 0);
	CHECK(its.st_ino != ours.st_ino);
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

/* Of mountinfo: a node of the host's /dev, whatever file system that is. */
static bool is_device(const char *line)
{
	static const char *const roots[] = {" /null ", " /zero ", " /full ", " /random ", " /urandom ", " /tty "};
	for (unsigned i = 0; i < sizeof roots / sizeof *roots; i++)
		if (strstr(line, roots[i]))
			return true;
	return false;
}

static void its_mounts_are_as_bare_as_can_be(void)
{
	char path[64], line[1024], *rest;
	unsigned devices = 0;
	snprintf(path, sizeof path, "/proc/%d/mountinfo", engine.pid);
	FILE *file = fopen(path, "re");
	CHECK(file != NULL);
	while (file && fgets(line, sizeof line, file)) {
		CHECK(strstr(line, "nosuid") && strstr(line, "noexec"));
		if (is_device(line))
			devices++;
		else if ((rest = strstr(line, " - tmpfs ")))
			CHECK(strstr(line, " / / rw,nosuid,noexec,") && strstr(rest, "size=64k") && strstr(rest, "mode=755"));
		else
			CHECK(strstr(line, " rw,nosuid,nodev,noexec,"));
	}
	if (file)
		fclose(file);
	CHECK_EQUAL(6, devices);
}

static void its_root_has_places_for_mounts_and_no_more(void)
{
	static const struct {
		const char *name;
		mode_t mode;
	} places[] = {{"r", 0755}, {"s", 0755}, {"e", 0755}, {"dev", 0755}, {"s/0", 0755}};
	char path[64];
	struct stat stat_;
	for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
		snprintf(path, sizeof path, "/proc/%d/root/%s", engine.pid, places[i].name);
		CHECK(stat(path, &stat_) == 0);
		CHECK_EQUAL(S_IFDIR | places[i].mode, stat_.st_mode);
	}
	snprintf(path, sizeof path, "/proc/%d/root/s/1", engine.pid);
	CHECK(stat(path, &stat_) < 0);
	for (int fd = 0; fd <= 2; fd++) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", engine.pid, fd);
		CHECK(stat(path, &stat_) == 0);
		CHECK_EQUAL(makedev(1, 3), stat_.st_rdev);
	}
}

static void expect_status(int pid, const char *line)
{
	static char text[8192];
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = read(fd, text, sizeof text - 1);
	close(fd);
	text[length < 0 ? 0 : length] = 0;
	CHECK(strstr(text, line) != NULL);
}

/* Whatever the engine's process blocks, ignores and is a session of. */
static void its_signals_are_its_own(void)
{
	static const int ignored[] = {SIGTERM, SIGUSR1, SIGHUP};
	struct engine own;
	sigset_t all, before;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	mode_t mask = umask(077);
	CHECK(engine_start(&own, binary));
	umask(mask);
	for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	expect_status(own.pid, "SigBlk:\t0000000000000000\n");
	expect_status(own.pid, "SigIgn:\t0000000000001000\n"); /* SIGPIPE */
	expect_status(own.pid, "Umask:\t0000\n");
	CHECK_EQUAL(own.pid, getsid(own.pid));
	struct spec spec = shell("exit 3");
	container_run(&own, &spec, &container);
	expect_exit(&container, 3);
	engine_stop(&own);
}

/* ---- its program ---- */

/* The exit code; what it prints on standard output, or on the other one. */
static int run_binary(const char *first, const char *second, const char *to, char text[8192])
{
	int pipes[2], status;
	CHECK(pipe2(pipes, O_CLOEXEC) == 0);
	int pid = fork();
	if (pid == 0) {
		close(3); /* nothing that a zygote could be on */
		dup2(to ? open(to, O_WRONLY) : pipes[1], 1), dup2(pipes[1], 2);
		execl(binary, binary, first, second, (char *)NULL);
		_exit(99);
	}
	close(pipes[1]);
	size_t used = 0;
	for (ssize_t length; used < 8191 && (length = read(pipes[0], text + used, 8191 - used)) > 0;)
		used += (size_t)length;
	text[used] = 0;
	close(pipes[0]);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void its_program_prints_the_phases_and_has_no_other_mode(void)
{
	static const char *const strange[][2] = {{NULL, NULL}, {"help", NULL}, {"zygote", "x"}, {"--phases", "x"}, {"monitor", "x"}};
	static char text[8192], expected[8192];
	const struct opcode_rule *rule;
	for (unsigned i = 0; (rule = plan_opcode(i)) != NULL; i++) {
		bool two = rule->phase != rule->other_phase;
		sprintf(expected + strlen(expected), "%u %s %s%s%s\n", rule->opcode, rule->name, plan_phase_names[rule->phase], two ? " " : "",
			two ? plan_phase_names[rule->other_phase] : "");
	}
	CHECK_EQUAL(0, run_binary("--phases", NULL, NULL, text));
	CHECK_TEXT(expected, text);
	CHECK_EQUAL(1, run_binary("--phases", NULL, "/dev/full", text));
	CHECK_EQUAL(1, run_binary("zygote", NULL, NULL, text)); /* without its socket */
	for (unsigned i = 0; i < sizeof strange / sizeof *strange; i++) {
		CHECK_EQUAL(125, run_binary(strange[i][0], strange[i][1], NULL, text));
		CHECK(strstr(text, "started by the caisson engine"));
	}
}

/* ---- roots of many layers ---- */

enum { LAYERS = REQUEST_MAX_LOWERS };

/* Each has a file of its own, and one that the layers above hide. */
static int layer(unsigned number)
{
	char path[256], text[16];
	snprintf(path, sizeof path, "%s/layer-%u", test_directory(), number);
	if (mkdir(path, 0755) == 0) {
		int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int length = snprintf(text, sizeof text, "%u", number);
		int hidden = openat(directory, "hidden", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		CHECK(write(hidden, text, (size_t)length) == length);
		close(hidden);
		close(openat(directory, text, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
		close(directory);
	}
	return open_tree_at(AT_FDCWD, path, OPEN_TREE_CLONE);
}

/* With `upper` below it, if that is one. */
static int root_of(struct engine *of, uint16_t kind, unsigned lowers, int upper)
{
	int fds[LAYERS + 1], mount = -1;
	struct reply reply;
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_ROOT, .id_base = ID_BASE, .id_count = ID_COUNT, .root_kind = kind};
	request.lowers = request.fds = (uint16_t)lowers;
	for (unsigned i = 0; i < lowers; i++)
		fds[i] = layer(i);
	if (kind == ROOT_TMPFS)
		request.tmpfs_bytes = 1 << 20, request.tmpfs_inodes = 100;
	if (upper >= 0)
		fds[request.fds++] = upper;
	int status = engine_ask(of, &request, fds, request.fds, &reply, &mount);
	for (unsigned i = 0; i < request.fds; i++)
		close(fds[i]);
	return status < 0 ? status : mount;
}

static int upper_tree(char path[256], const char *name)
{
	snprintf(path, 256, "%s/%s", test_directory(), name);
	mkdir(path, 0700);
	return open_tree_at(AT_FDCWD, path, OPEN_TREE_CLONE);
}

static void expect_layers(int root, unsigned lowers)
{
	char text[16] = "";
	int hidden = openat(root, "hidden", O_RDONLY | O_CLOEXEC);
	CHECK(read(hidden, text, sizeof text) == 1 && text[0] == '0');
	close(hidden);
	for (unsigned i = 0; i < lowers; i++) {
		snprintf(text, sizeof text, "%u", i);
		CHECK(faccessat(root, text, F_OK, 0) == 0);
	}
}

static void expect_roots(struct engine *of, const char *upper_name)
{
	static const unsigned counts[] = {1, 2, LAYERS};
	struct statvfs flags;
	struct stat stat;
	char upper[256], path[300];
	for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
		int root = root_of(of, ROOT_TMPFS, counts[i], -1);
		CHECK(root >= 0);
		expect_layers(root, counts[i]);
		CHECK(mkdirat(root, "new", 0755) == 0 && fstatvfs(root, &flags) == 0);
		CHECK_EQUAL(ST_NODEV, flags.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC));
		close(root);
	}
	int root = root_of(of, ROOT_OVERLAY, 2, upper_tree(upper, upper_name));
	CHECK(root >= 0);
	expect_layers(root, 2);
	CHECK(mkdirat(root, "new", 0755) == 0 && fstatvfs(root, &flags) == 0);
	CHECK_EQUAL(ST_NODEV, flags.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC));
	close(root);
	static const char *const made[] = {"upper", "work", "upper/new"};
	for (unsigned i = 0; i < sizeof made / sizeof *made; i++) {
		snprintf(path, sizeof path, "%s/%s", upper, made[i]);
		CHECK(lstat(path, &stat) == 0);
		CHECK_EQUAL(i == 2 ? 0 : ID_BASE, stat.st_uid);
		CHECK_EQUAL(i == 2 ? 0 : ID_BASE, stat.st_gid);
		CHECK_EQUAL(S_IFDIR | 0755, stat.st_mode);
	}
	for (unsigned lowers = 1; lowers <= 2; lowers++) {
		root = root_of(of, ROOT_COVER, lowers, -1);
		CHECK(root >= 0);
		expect_layers(root, lowers);
		CHECK(mkdirat(root, "new", 0755) < 0 && errno == EROFS && fstatvfs(root, &flags) == 0);
		CHECK_EQUAL(ST_RDONLY | ST_NOSUID | ST_NODEV, flags.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC));
		close(root);
	}
}

static unsigned mounts_of(int pid)
{
	char path[64], line[1024];
	unsigned mounts = 0;
	snprintf(path, sizeof path, "/proc/%d/mountinfo", pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file))
		mounts++;
	if (file)
		fclose(file);
	return mounts;
}

static void roots_have_their_layers_in_order(void)
{
	expect_roots(&engine, "by-descriptor");
	CHECK_EQUAL(9, mounts_of(engine.pid));
}

/* As on a kernel that has not the call of this number. */
static int root_without(struct engine *of, uint16_t kind, unsigned at)
{
	struct fault fault = {.whose = OF_ZYGOTE, .at = at, .only = SYS_fsconfig, .error = EINVAL};
	fault_start(&fault, of->pid);
	int root = root_of(of, kind, 2, -1);
	struct seen seen = fault_end(&fault);
	CHECK(seen.came);
	return root;
}

/* The sizes of the tmpfs take four calls, the source one; then come the layers. */
enum { FIRST_LAYER = 6 };

static void kernels_that_take_layers_by_path_alone_get_the_same_roots(void)
{
	struct engine own;
	CHECK(engine_start(&own, binary));
	int root = root_without(&own, ROOT_TMPFS, FIRST_LAYER);
	CHECK(root >= 0);
	expect_layers(root, 2);
	close(root);
	expect_roots(&own, "by-path"); /* it remembers */
	root = root_without(&own, ROOT_TMPFS, FIRST_LAYER); /* nor layers one by one */
	CHECK(root >= 0);
	expect_layers(root, 2);
	CHECK(mkdirat(root, "new", 0755) == 0);
	close(root);
	CHECK_EQUAL(-EINVAL, root_without(&own, ROOT_TMPFS, FIRST_LAYER + 1)); /* some of them are not all */
	CHECK_EQUAL(9, mounts_of(own.pid));
	char link[64], directory[64] = "";
	snprintf(link, sizeof link, "/proc/%d/cwd", own.pid);
	CHECK(readlink(link, directory, sizeof directory - 1) > 0);
	CHECK_TEXT("/", directory);
	struct spec spec = shell("exit 4");
	container_run(&own, &spec, &container);
	expect_exit(&container, 4);
	engine_stop(&own);
}

/* The kernel mounts such an overlay read-only, without an error. */
static void a_layer_that_cannot_be_written_is_no_root(void)
{
	char path[256], below[300];
	struct reply reply;
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_USERNS, .id_base = ID_BASE, .id_count = ID_COUNT};
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP};
	int namespace, upper;
	close(upper_tree(path, "id-mapped"));
	snprintf(below, sizeof below, "%s/upper", path);
	CHECK(mkdir(below, 0755) == 0);
	snprintf(below, sizeof below, "%s/work", path);
	CHECK(mkdir(below, 0755) == 0);
	CHECK_EQUAL(0, engine_ask(&engine, &request, NULL, 0, &reply, &namespace));
	attr.userns_fd = (uint64_t)namespace;
	upper = open_tree_at(AT_FDCWD, path, OPEN_TREE_CLONE);
	CHECK_EQUAL(0, set_mount(upper, 0, &attr));
	close(namespace);
	CHECK_EQUAL(-EROFS, root_of(&engine, ROOT_OVERLAY, 1, upper));
}

const struct test zygote_state_tests[] = {
	{"its program", its_program_prints_the_phases_and_has_no_other_mode},
	{"its root", its_root_has_nothing_of_the_host},
	{"its mount namespace", its_mounts_are_in_a_namespace_of_its_own},
	{"its environment", its_environment_is_gone},
	{"its mounts", its_mounts_are_as_bare_as_can_be},
	{"its places", its_root_has_places_for_mounts_and_no_more},
	{"its signals", its_signals_are_its_own},
	{"layers in order", roots_have_their_layers_in_order},
	{"layers by path", kernels_that_take_layers_by_path_alone_get_the_same_roots},
	{"layer not written", a_layer_that_cannot_be_written_is_no_root},
};
const unsigned zygote_state_test_count = sizeof zygote_state_tests / sizeof *zygote_state_tests;
