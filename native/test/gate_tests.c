/* The process that serves gates: what it sees, what it may, and where its start ends. */
#include "../gate.h"
#include "init_tests.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MILLIS = 10000, MOST_WORDS = 220 };

#define SH "bind", "/bin/busybox", "run", "/bin/busybox", "sh", "-c"
/* Tells its words, and lives until it is told to end. */
#define THEN_WAIT "; read word <&3"

struct gate_process {
	pid_t pid;
	int socket, status;
	ssize_t length;
	char said[4096]; /* its first message, or "" */
	struct gate_failure failure; /* zeroed if it said something else */
};

static struct gate_process process;
static bool keeps_bounding; /* it is started without the right to drop capabilities */
static int joins[2] = {-1, -1}; /* become its descriptors 4 and 5 */

static void hear(struct gate_process *p)
{
	struct pollfd ready = {.fd = p->socket, .events = POLLIN};
	p->length = poll(&ready, 1, PATIENCE_MILLIS) == 1 ? recv(p->socket, p->said, sizeof p->said - 1, 0) : -1;
	p->said[p->length > 0 ? p->length : 0] = '\0';
	if (p->length == (ssize_t)sizeof p->failure && p->said[0] == 0)
		memcpy(&p->failure, p->said, sizeof p->failure);
}

/* Starts one with some signals blocked and few descriptors, as an engine does, and hears its first word. */
static void begin_with(const char *const *words, rlim_t descriptors)
{
	char *argv[MOST_WORDS + 3] = {(char *)"caisson-init", (char *)"gate"};
	int pair[2];
	memset(&process, 0, sizeof process);
	for (unsigned i = 0; words[i] && i < MOST_WORDS; i++)
		argv[i + 2] = (char *)words[i];
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	process.pid = fork();
	if (process.pid == 0) {
		sigset_t blocked;
		sigemptyset(&blocked), sigaddset(&blocked, SIGUSR1), sigaddset(&blocked, SIGTERM);
		sigprocmask(SIG_BLOCK, &blocked, NULL);
		int descriptor = fcntl(pair[1], F_DUPFD, 500);
		dup2(descriptor, 3), close(descriptor);
		for (int i = 0; i < 2 && joins[i] >= 0; i++)
			dup2(joins[i], 4 + i);
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){descriptors, descriptors});
		if (keeps_bounding)
			prctl(PR_CAPBSET_DROP, CAP_SETPCAP);
		execv(binary, argv);
		_exit(99);
	}
	close(pair[1]);
	process.socket = pair[0];
	hear(&process);
}

static void begin(const char *const *words) { begin_with(words, 4096); }

static void finish(void)
{
	send(process.socket, "\n", 1, MSG_NOSIGNAL);
	struct pollfd gone = {.fd = process.socket, .events = 0};
	if (poll(&gone, 1, PATIENCE_MILLIS) != 1)
		kill(process.pid, SIGKILL);
	CHECK_EQUAL(process.pid, waitpid(process.pid, &process.status, 0));
	close(process.socket);
}

static void expect_failure(const char *const *words, enum gate_step step, int error)
{
	begin(words);
	finish();
	CHECK_EQUAL(sizeof process.failure, process.length);
	CHECK_EQUAL(step, process.failure.step);
	CHECK_EQUAL(error, process.failure.error);
	CHECK_EQUAL(0, process.failure.zero);
	CHECK(WIFEXITED(process.status));
	CHECK_EQUAL(125, WEXITSTATUS(process.status));
}

static void expect_words(const char *const *words, const char *expected)
{
	begin(words);
	CHECK_TEXT(expected, process.said);
	finish();
}

static const char *proc(const char *name)
{
	static char text[16384];
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", process.pid, name);
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
	text[length] = '\0';
	if (file)
		fclose(file);
	return text;
}

static const char *line_of(const char *name, const char *line)
{
	const char *found = strstr(proc(name), line);
	if (!found)
		return "";
	char *end = strchr(found, '\n');
	if (end)
		*end = '\0';
	return found;
}

static bool shares(const char *name)
{
	char own[64], other[64];
	struct stat mine, theirs;
	snprintf(own, sizeof own, "/proc/self/ns/%s", name);
	snprintf(other, sizeof other, "/proc/%d/ns/%s", process.pid, name);
	CHECK(stat(own, &mine) == 0 && stat(other, &theirs) == 0);
	return mine.st_ino == theirs.st_ino;
}

/* ---- files ---- */

static void sees_what_is_bound_and_three_devices(void)
{
	static const char *const words[] = {SH, "exec 1>&3; echo `busybox find / | busybox sort`", NULL};
	expect_words(words, "/ /bin /bin/busybox /dev /dev/null /dev/random /dev/urandom\n");
}

/* Those that root alone may read, too. */
static void has_directories_files_and_links_in_their_places(void)
{
	char directory[160], file[160], beneath[160], text[1024];
	const char *root = test_root("gate");
	snprintf(directory, sizeof directory, "%s/some", root);
	snprintf(beneath, sizeof beneath, "%s/some/deep", root);
	snprintf(file, sizeof file, "%s/etc/alone", root);
	snprintf(text, sizeof text, "umask 077; mkdir -p %s && echo in > %s/x && echo out > %s", beneath, beneath, file);
	CHECK_EQUAL(0, system(text));
	snprintf(text, sizeof text, "exec 1>&3; echo `cat %s/x %s /l/a; readlink /l/b; stat -c %%a:%%u %s/x`", beneath, file, beneath);
	const char *const words[] = {"env",  "PATH=/bin", "bind",    "/bin/busybox", "bind", directory,	      "link",	 "/l/a", file,	"link", "/l/b",	      beneath,
				     "bind", file,	  "link",    "/bin/cat",     "busybox", "link",	      "/bin/readlink", "busybox", "link", "/bin/stat", "busybox", "run",
				     "/bin/busybox", "sh", "-c", text, NULL};
	begin(words);
	char expected[256];
	snprintf(expected, sizeof expected, "in out out %s 600:%u\n", beneath, GATE_FIRST_ID + (unsigned)process.pid);
	CHECK_TEXT(expected, process.said);
	finish();
}

/* procfs cannot show its files as another's. */
static void has_files_of_file_systems_that_show_them_as_they_are(void)
{
	static const char *const words[] = {"bind", "/proc/sys/kernel/ostype", "env", "PATH=/bin", SH, "busybox cat /proc/sys/kernel/ostype >&3", NULL};
	expect_words(words, "Linux\n");
}

static void can_write_nowhere(void)
{
	static const char *const words[] = {"bind", "/tmp", SH,
					    "for at in / /dev /bin /tmp; do if echo x 2>/dev/null >$at/new; then echo $at is open >&3; fi; done; echo end >&3",
					    NULL};
	expect_words(words, "end\n");
}

static void its_mounts_are_its_own_and_read_only(void)
{
	static const char *const words[] = {"bind", "/tmp", SH, "echo up >&3" THEN_WAIT, NULL};
	static const char *const places[] = {" / / ", " /bin/busybox ", " /tmp ", " /dev/null ", " /dev/random ", " /dev/urandom "};
	char *rest = NULL;
	unsigned count = 0;
	begin(words);
	CHECK_TEXT("up\n", process.said);
	char *text = strdup(proc("mountinfo"));
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), count++) {
		CHECK(!strstr(line, "shared:") && !strstr(line, "master:"));
		char place[64] = "", options[128] = "";
		CHECK_EQUAL(2, sscanf(line, "%*s %*s %*s %*s %63s %127s", place, options));
		const char *expected = strncmp(place, "/dev/", 5) == 0 ? "ro,nosuid,noexec" : "ro,nosuid,nodev";
		options[strlen(expected)] = '\0';
		CHECK_TEXT(expected, options);
	}
	CHECK_EQUAL(sizeof places / sizeof *places, count);
	for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
		CHECK(strstr(proc("mountinfo"), places[i]));
	free(text);
	finish();
}

/* ---- rights ---- */

static void has_an_id_of_its_own_and_no_right(void)
{
	static const char *const words[] = {SH, "echo up >&3" THEN_WAIT, NULL};
	static const char *const none[] = {"CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000",
					   "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "SigBlk:\t0000000000000000"};
	char expected[128];
	begin(words);
	unsigned id = GATE_FIRST_ID + (unsigned)process.pid;
	snprintf(expected, sizeof expected, "Uid:\t%u\t%u\t%u\t%u", id, id, id, id);
	CHECK_TEXT(expected, line_of("status", "Uid:"));
	snprintf(expected, sizeof expected, "Gid:\t%u\t%u\t%u\t%u", id, id, id, id);
	CHECK_TEXT(expected, line_of("status", "Gid:"));
	CHECK_TEXT("Groups:\t ", line_of("status", "Groups:"));
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
		CHECK(strstr(proc("status"), none[i]));
	finish();
}

static void has_namespaces_of_its_own(void)
{
	static const char *const words[] = {SH, "echo up >&3" THEN_WAIT, NULL};
	begin(words);
	CHECK(!shares("mnt") && !shares("net") && !shares("ipc") && !shares("uts") && !shares("cgroup"));
	CHECK(shares("pid") && shares("user")); /* one of each more would cost, and give it nothing less */
	CHECK(strstr(proc("net/dev"), "lo:") && !strstr(proc("net/dev"), "eth"));
	CHECK_TEXT("", line_of("net/fib_trie", "127.0.0.0")); /* loopback is down */
	finish();
}

static void has_limits_and_keeps_lower_ones(void)
{
	static const char *const words[] = {SH, "ulimit -n >&3" THEN_WAIT, NULL};
	begin(words);
	CHECK_TEXT("2048\n", process.said);
	const long few = 2048;
	static const struct {
		const char *name;
		long limit;
	} limits[] = {{"Max core file size", 0}, {"Max open files", 2048}, {"Max processes", 1024}, {"Max locked memory", 64 << 20}};
	for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
		const char *line = line_of("limits", limits[i].name);
		long soft = -1, hard = -1;
		CHECK_EQUAL(2, sscanf(line + strlen(limits[i].name), "%ld %ld", &soft, &hard));
		CHECK_EQUAL(soft, hard);
		CHECK(limits[i].limit > few ? soft <= limits[i].limit : soft == limits[i].limit); /* the machine may have lower ones */
	}
	finish();
	begin_with(words, 600);
	CHECK_TEXT("600\n", process.said);
	finish();
}

static void has_its_socket_and_no_other_stream(void)
{
	static const char *const words[] = {SH, "echo up >&3; exec busybox sleep 1000", NULL};
	char path[64], target[64];
	begin(words);
	for (int i = 0; i < PATIENCE_MILLIS && strcmp(proc("cmdline"), "busybox") != 0; i++)
		usleep(1000);
	for (int fd = 0; fd < 600; fd++) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", process.pid, fd);
		ssize_t length = readlink(path, target, sizeof target - 1);
		target[length > 0 ? length : 0] = '\0';
		if (fd < 3)
			CHECK_TEXT("/dev/null", target);
		else if (fd == 3)
			CHECK(strncmp(target, "socket:", 7) == 0);
		else
			CHECK_TEXT("", target);
	}
	kill(process.pid, SIGKILL);
	finish();
}

static void has_the_variables_and_words_that_it_was_given(void)
{
	static const char *const words[] = {"env", "A=1", "env", "/B=", "env", "C=c=d", SH, "echo $A-$C-$0-$1-$# >&3" THEN_WAIT, "zero", "one two", "", NULL};
	begin(words);
	CHECK_TEXT("1-c=d-zero-one two-2\n", process.said);
	CHECK_TEXT("A=1", proc("environ"));
	CHECK_TEXT("/B=", proc("environ") + 4);
	CHECK_TEXT("C=c=d", proc("environ") + 8);
	CHECK_TEXT("", proc("environ") + 14);
	finish();
}

static void ends_with_who_started_it(void)
{
	static const char *const words[] = {SH, "echo up >&3" THEN_WAIT "; read word <&3", NULL};
	int pipes[2];
	CHECK(pipe2(pipes, O_CLOEXEC) == 0);
	pid_t starter = fork();
	if (starter == 0) {
		begin(words);
		_exit(write(pipes[1], &process.pid, sizeof process.pid) != sizeof process.pid || strcmp(process.said, "up\n") != 0);
	}
	int status, gone = 0;
	pid_t pid = 0;
	CHECK_EQUAL(starter, waitpid(starter, &status, 0));
	CHECK_EQUAL(0, status);
	CHECK(read(pipes[0], &pid, sizeof pid) == sizeof pid);
	for (int i = 0; i < PATIENCE_MILLIS && !gone; i++, usleep(1000)) {
		process.pid = pid;
		const char *state = line_of("status", "State:");
		gone = state[0] == '\0' || strstr(state, "zombie") != NULL;
	}
	CHECK(gone);
	close(pipes[0]), close(pipes[1]);
}

/* ---- what it is not started with ---- */

static void words_that_make_no_sense_are_refused(void)
{
	static const char *const cases[][6] = {
		{"run"},	       {"bind", "/bin/busybox"}, {"bind", "bin", "run", "/x"}, {"bind", "/", "run", "/x"},
		{"bind", "", "run", "/x"}, {"link", "/x", "run"},	 {"link", "x", "y", "run", "/x"}, {"unbind", "/bin", "run", "/x"},
		{"join", "", "run", "/x"}, {"join", "-1", "run", "/x"}, {"join", "1x", "run", "/x"}, {"join", "17", "run", "/x"}, {"join", " 1", "run", "/x"},
		{"link", "/x"},	       {"env", "A=1"},		 {"env", "A=1", "run"},	       {"bind", "/x", "run"},
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_failure(cases[i], GATE_ARGUMENTS, EINVAL);
}

static const char **many(const char *word, const char *value, const char *target, unsigned count)
{
	static const char *words[MOST_WORDS];
	unsigned at = 0;
	for (unsigned i = 0; i < count; i++) {
		words[at++] = word, words[at++] = value;
		if (target)
			words[at++] = target;
	}
	words[at++] = "run", words[at++] = "/bin/none", words[at] = NULL;
	return words;
}

static void takes_as_many_as_it_has_room_for(void)
{
	expect_failure(many("env", "A=1", NULL, 8), GATE_EXECUTE, ENOENT);
	expect_failure(many("env", "A=1", NULL, 9), GATE_ARGUMENTS, EINVAL);
	expect_failure(many("env", "/A=1", NULL, 9), GATE_ARGUMENTS, EINVAL);
	expect_failure(many("bind", "/bin/busybox", NULL, 64), GATE_EXECUTE, ENOENT);
	expect_failure(many("bind", "/bin/busybox", NULL, 65), GATE_ARGUMENTS, EINVAL);
	expect_failure(many("link", "/x", "y", 65), GATE_ARGUMENTS, EINVAL);
	expect_failure(many("link", "/x", "y", 64), GATE_ROOT, EEXIST); /* there was room for all */
}

/* Files stand for those of groups. */
static void joins_its_group_before_all_else(void)
{
	static const char *const words[] = {"join", "2", "bind", "/none/such", "run", "/x", NULL}, *const more[] = {"join", "3", SH, "echo up >&3", NULL},
				 *const later[] = {"join", "2", SH, "echo no >&4; echo up >&3", NULL};
	char text[2][8] = {"", ""};
	for (int i = 0; i < 2; i++)
		joins[i] = memfd_create("tasks", MFD_CLOEXEC);
	expect_failure(words, GATE_SOURCES, ENOENT);
	for (int i = 0; i < 2; i++)
		CHECK_EQUAL(1, pread(joins[i], text[i], sizeof text[i], 0));
	CHECK_TEXT("0", text[0]);
	CHECK_TEXT("0", text[1]);
	expect_failure(more, GATE_GROUP, EBADF);
	expect_words(later, "up\n");
	CHECK_EQUAL(3, pread(joins[0], text[0], sizeof text[0], 0));
	CHECK_TEXT("000", text[0]); /* once by each: the program has no descriptor of it */
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	dup3(full, joins[1], O_CLOEXEC), close(full);
	expect_failure(words, GATE_GROUP, ENOSPC);
	close(joins[0]), close(joins[1]);
	joins[0] = joins[1] = -1;
}

static void what_is_not_there_is_told_with_the_step(void)
{
	char longest[5000];
	memset(longest, 'a', sizeof longest - 1);
	longest[0] = '/', longest[sizeof longest - 1] = '\0';
	const char *const too_long[] = {"link", longest, "x", "run", "/x", NULL};
	static const char *const missing[] = {"bind", "/none/such", "run", "/x", NULL}, *const second[] = {"bind", "/bin/busybox", "bind", "/none", "run", "/x", NULL},
				 *const program[] = {"bind", "/bin/busybox", "run", "/bin/none", NULL},
				 *const in_file[] = {"bind", "/bin/busybox", "link", "/bin/busybox/x", "y", "run", "/x", NULL},
				 *const no_program[] = {"bind", "/etc/passwd", "run", "/etc/passwd", NULL};
	expect_failure(missing, GATE_SOURCES, ENOENT);
	expect_failure(second, GATE_SOURCES, ENOENT);
	expect_failure(too_long, GATE_ROOT, ENAMETOOLONG);
	expect_failure(in_file, GATE_ROOT, ENOTDIR);
	expect_failure(program, GATE_EXECUTE, ENOENT);
	expect_failure(no_program, GATE_EXECUTE, EACCES);
}

static void who_cannot_drop_its_rights_does_not_start(void)
{
	static const char *const words[] = {SH, "echo up >&3", NULL};
	keeps_bounding = true;
	expect_failure(words, GATE_PRIVILEGES, EPERM);
	keeps_bounding = false;
}

const struct test gate_tests[] = {
	{"gate: files", sees_what_is_bound_and_three_devices},
	{"gate: places", has_directories_files_and_links_in_their_places},
	{"gate: files as they are", has_files_of_file_systems_that_show_them_as_they_are},
	{"gate: no writing", can_write_nowhere},
	{"gate: mounts", its_mounts_are_its_own_and_read_only},
	{"gate: no rights", has_an_id_of_its_own_and_no_right},
	{"gate: namespaces", has_namespaces_of_its_own},
	{"gate: limits", has_limits_and_keeps_lower_ones},
	{"gate: descriptors", has_its_socket_and_no_other_stream},
	{"gate: words", has_the_variables_and_words_that_it_was_given},
	{"gate: end", ends_with_who_started_it},
	{"gate: no sense", words_that_make_no_sense_are_refused},
	{"gate: room", takes_as_many_as_it_has_room_for},
	{"gate: group", joins_its_group_before_all_else},
	{"gate: failures", what_is_not_there_is_told_with_the_step},
	{"gate: bounding set", who_cannot_drop_its_rights_does_not_start},
};
const unsigned gate_test_count = sizeof gate_tests / sizeof *gate_tests;
