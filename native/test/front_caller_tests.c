/* Signals that the front end passes on or not, callers that cannot be served. */
#include "front_tests.h"

#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <termios.h>
#include <time.h>

/* ---- signals ---- */

static void signals_are_passed_on_while_the_command_takes_them(void)
{
	begin();
	start();
	receive_request();
	answer(FRONT_STARTED, FRONT_VERSION, 1, NULL, 0);
	static const int numbers[] = {SIGTERM, SIGINT, SIGTSTP, SIGWINCH, SIGUSR2, 40, 64};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		kill(front.pid, numbers[i]);
		receive();
		CHECK_EQUAL(FRONT_SIGNAL, received.header.op);
		CHECK_EQUAL(numbers[i], received.header.value);
	}
	answer(FRONT_EXIT, FRONT_VERSION, 3, NULL, 0);
	ended_with(3, "");
}

static void signals_that_are_left_end_the_front_end(void)
{
	uint64_t mask = (uint64_t)1 << (SIGUSR1 - 1);
	begin();
	start();
	receive_request();
	answer(FRONT_STARTED, FRONT_VERSION, 0, NULL, 0);
	kill(front.pid, SIGTERM);
	end();
	CHECK(WIFSIGNALED(front.status) && WTERMSIG(front.status) == SIGTERM);

	begin();
	start();
	receive_request();
	answer(FRONT_STARTED, FRONT_VERSION, 1, NULL, 0);
	kill(front.pid, SIGUSR1);
	receive();
	answer(FRONT_LEAVE, FRONT_VERSION, 0, &mask, sizeof mask);
	end();
	CHECK(WIFSIGNALED(front.status) && WTERMSIG(front.status) == SIGUSR1);
}

static void the_engine_knows_when_it_stands_still(void)
{
	int status;
	begin();
	start();
	receive_request();
	answer(FRONT_STARTED, FRONT_VERSION, 0, NULL, 0);
	usleep(100000);
	kill(front.pid, SIGTSTP);
	receive();
	CHECK_EQUAL(FRONT_PAUSE, received.header.op);
	CHECK_EQUAL(front.pid, waitpid(front.pid, &status, WUNTRACED));
	CHECK(WIFSTOPPED(status));
	kill(front.pid, SIGCONT);
	receive();
	CHECK_EQUAL(FRONT_RESUME, received.header.op);
	answer(FRONT_EXIT, FRONT_VERSION, 0, NULL, 0);
	ended_with(0, "");
}

/* ---- callers that cannot be served ---- */

static void others_directories_are_not_entered(void)
{
	begin();
	CHECK_EQUAL(0, chmod(serve, 0755));
	start();
	ended_with(9, LAUNCHED);

	begin();
	CHECK_EQUAL(0, chown(serve, 1000, 0));
	start();
	ended_with(9, LAUNCHED);

	begin();
	char other[160];
	snprintf(other, sizeof other, "%s/elsewhere", home);
	CHECK(rename(serve, other) == 0 && symlink(other, serve) == 0);
	start();
	ended_with(9, LAUNCHED);

	begin();
	setenv("CAISSON_STATE", "relative", 1);
	start();
	ended_with(9, LAUNCHED);
}

static void an_engine_of_another_user_is_sent_nothing(void)
{
	begin();
	close(listening);
	char path[160];
	snprintf(path, sizeof path, "%s/socket", serve);
	unlink(path);
	CHECK_EQUAL(0, chmod(home, 0777));
	CHECK(chmod(serve, 0777) == 0);
	int ready[2];
	CHECK_EQUAL(0, pipe(ready));
	pid_t other = fork();
	if (other == 0) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		strcpy(address.sun_path, path);
		listening = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		if (setuid(1000) != 0 || bind(listening, (struct sockaddr *)&address, sizeof address) != 0 || listen(listening, 1) != 0)
			_exit(1);
		if (write(ready[1], "x", 1) != 1 || !is_connected())
			_exit(1);
		receive();
		_exit(received_length > 0 ? 2 : 0);
	}
	char go;
	CHECK_EQUAL(1, read(ready[0], &go, 1));
	CHECK_EQUAL(0, chmod(serve, 0700));
	start();
	int status;
	waitpid(other, &status, 0);
	CHECK_EQUAL(0, status);
	listening = -1;
	ended_with(9, LAUNCHED);
	close(ready[0]);
	close(ready[1]);
}

static void a_text_that_is_too_large_is_the_launchers(void)
{
	struct rlimit stack, large = {RLIM_INFINITY, RLIM_INFINITY};
	char *text = malloc(120000);
	if (!text || getrlimit(RLIMIT_STACK, &stack) != 0 || setrlimit(RLIMIT_STACK, &large) != 0) {
		CHECK(0);
		return;
	}
	memset(text, 'y', 119999);
	text[119999] = 0;
	begin();
	for (int i = 0; i < 36; i++) {
		char name[16];
		snprintf(name, sizeof name, "LARGE_%d", i);
		setenv(name, text, 1);
	}
	start();
	CHECK(is_connected());
	for (int i = 0; i < 36; i++) {
		char name[16];
		snprintf(name, sizeof name, "LARGE_%d", i);
		unsetenv(name);
	}
	ended_with(9, LAUNCHED);
	setrlimit(RLIMIT_STACK, &stack);
	free(text);
}

/* It does not hold its caller up for more than ten seconds. */
static void an_engine_that_reads_nothing_is_not_waited_for(void)
{
	char text[100000], name[16];
	memset(text, 'z', sizeof text - 1);
	text[sizeof text - 1] = 0;
	begin();
	for (int i = 0; i < 8; i++)
		snprintf(name, sizeof name, "LARGE_%d", i), setenv(name, text, 1);
	time_t began = time(NULL);
	start();
	CHECK(is_connected());
	for (int i = 0; i < 8; i++)
		snprintf(name, sizeof name, "LARGE_%d", i), unsetenv(name);
	struct pollfd ends = {front.output, POLLIN, 0};
	CHECK(poll(&ends, 1, 60000) == 1 && time(NULL) >= began + FRONT_PATIENCE_SECONDS - 1);
	hang_up(); /* what it was sent holds the streams open */
	ended_with(9, LAUNCHED);
}

static void a_large_text_arrives_whole(void)
{
	char text[100000];
	memset(text, 'z', sizeof text - 1);
	text[sizeof text - 1] = 0;
	begin();
	setenv("LARGE", text, 1);
	start();
	receive_request();
	unsetenv("LARGE");
	answer(FRONT_STARTED, FRONT_VERSION, 1, NULL, 0);
	answer(FRONT_EXIT, FRONT_VERSION, 0, NULL, 0);
	ended_with(0, "");
}

static void places_are_equal_where_nothing_differs(void)
{
	char one[FRONT_MAX_PLACE], other[FRONT_MAX_PLACE];
	int length = front_place(one, sizeof one);
	CHECK(length > 500);
	CHECK_EQUAL(length, front_place(other, sizeof other));
	CHECK(memcmp(one, other, (size_t)length) == 0);
	mode_t before = umask(0077);
	CHECK(front_place(other, sizeof other) != length || memcmp(one, other, (size_t)length) != 0);
	umask(before);
	CHECK_EQUAL(-1, front_place(other, 100));
}

/* ---- terminals ---- */

static char terminal[64];
static int in_background;

static void use_terminal(void)
{
	int fd;
	if (setsid() < 0 || (fd = open(terminal, O_RDWR)) < 0 || ioctl(fd, TIOCSCTTY, 0) != 0 || dup2(fd, 0) != 0)
		_exit(97);
	if (!in_background)
		return;
	int status;
	pid_t job = fork();
	if (job != 0) { /* as a shell would that goes on */
		waitpid(job, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 96);
	}
	if (setpgid(0, 0) != 0)
		_exit(95);
}

static int open_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 && ptsname_r(master, terminal, sizeof terminal) == 0);
	return master;
}

static void a_terminal_gets_its_modes_back_if_the_engine_is_gone(void)
{
	struct termios before, raw, after;
	int master = open_terminal();
	begin();
	int slave = open(terminal, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK_EQUAL(0, tcgetattr(slave, &before));
	before_start = use_terminal;
	start();
	before_start = NULL;
	receive_request();
	answer(FRONT_STARTED, FRONT_VERSION, 1, NULL, 0);
	usleep(50000);
	raw = before;
	cfmakeraw(&raw);
	CHECK_EQUAL(0, tcsetattr(slave, TCSANOW, &raw));
	hang_up();
	failed_with("SERVE_GONE: ");
	CHECK_EQUAL(0, tcgetattr(slave, &after));
	CHECK(memcmp(&before.c_lflag, &after.c_lflag, sizeof before.c_lflag) == 0 && before.c_oflag == after.c_oflag && before.c_iflag == after.c_iflag);
	close(slave), close(master);
}

static void a_job_in_the_background_of_a_terminal_is_the_launchers(void)
{
	int master = open_terminal();
	for (in_background = 1; in_background >= 0; in_background--) {
		begin();
		before_start = use_terminal;
		start();
		before_start = NULL;
		if (in_background) {
			ended_with(9, LAUNCHED);
		} else {
			receive_request();
			answer(FRONT_STARTED, FRONT_VERSION, 1, NULL, 0);
			answer(FRONT_EXIT, FRONT_VERSION, 0, NULL, 0);
			ended_with(0, "");
		}
	}
	close(master);
}

/* ---- where it looks ---- */

/* In a mount namespace of its own, with this home as the directory that is used when none is named. */
static void stand_in(void)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("tmpfs", "/run", "tmpfs", 0, NULL) != 0 ||
	    mkdir("/run/caisson", 0700) != 0 || mount(home, "/run/caisson", NULL, MS_BIND, NULL) != 0)
		_exit(98);
}

static void without_a_directory_that_is_named_it_looks_in_the_usual_one(void)
{
	for (int empty = 0; empty < 2; empty++) {
		begin();
		if (empty)
			setenv("CAISSON_STATE", "", 1);
		else
			unsetenv("CAISSON_STATE");
		before_start = stand_in;
		start();
		before_start = NULL;
		receive_request();
		answer(FRONT_STARTED, FRONT_VERSION, 1, NULL, 0);
		answer(FRONT_EXIT, FRONT_VERSION, 4, NULL, 0);
		ended_with(4, "");
	}
}

static void a_directory_whose_name_is_too_long_is_not_looked_in(void)
{
	char name[5000];
	memset(name, '/', sizeof name - 1);
	name[sizeof name - 1] = 0;
	begin();
	setenv("CAISSON_STATE", name, 1);
	start();
	ended_with(9, LAUNCHED);
}

static void a_caller_may_want_the_engine_alone(void)
{
	begin();
	setenv("CAISSON_SERVE", "only", 1);
	start();
	receive_request();
	answer(FRONT_REFUSED, FRONT_VERSION, 0, "why", 3);
	failed_with("SERVE_REFUSED: no resident engine runs this command (why)");
}

static void close_others(void) { close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); }

static void the_launcher_gets_no_descriptor_but_the_streams(void)
{
	begin();
	CHECK_EQUAL(0, chmod(serve, 0755)); /* is not served */
	write_file("caisson", "#!/bin/sh\nfor fd in 0 1 2 3 4 5 6 7 8 9; do test -e /proc/self/fd/$fd && echo $fd; done; exit 5\n", 0700);
	before_start = close_others;
	start();
	before_start = NULL;
	ended_with(5, "0\n1\n2\n");
}

/* ---- what it says of itself ---- */

static void expect_about(const char *asked, int status, const void *text, size_t length)
{
	begin();
	start_with(asked);
	end();
	CHECK(WIFEXITED(front.status));
	CHECK_EQUAL(status, WEXITSTATUS(front.status));
	CHECK_EQUAL(length, front.length);
	CHECK(front.length == length && memcmp(text, front.text, length) == 0);
}

static void it_says_its_place_and_its_signals(void)
{
	static const int others[] = {SIGKILL, SIGSTOP, SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGPIPE, SIGCHLD, SIGTTIN, SIGTTOU, SIGURG, SIGXFSZ, 32, 33, 62, 63};
	char place[FRONT_MAX_PLACE], signals[32];
	uint64_t mask = ~(uint64_t)0;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		mask &= ~((uint64_t)1 << (others[i] - 1));
	snprintf(signals, sizeof signals, "%016llx\n", (unsigned long long)mask);
	int length = front_place(place, sizeof place);
	expect_about("--place", 0, place, (size_t)length);
	expect_about("--signals", 0, signals, strlen(signals));
	expect_about("--other", 1, "", 0);
}

const struct test front_caller_tests[] = {
	{"signals_are_passed_on_while_the_command_takes_them", signals_are_passed_on_while_the_command_takes_them},
	{"signals_that_are_left_end_the_front_end", signals_that_are_left_end_the_front_end},
	{"the_engine_knows_when_it_stands_still", the_engine_knows_when_it_stands_still},
	{"others_directories_are_not_entered", others_directories_are_not_entered},
	{"an_engine_of_another_user_is_sent_nothing", an_engine_of_another_user_is_sent_nothing},
	{"a_text_that_is_too_large_is_the_launchers", a_text_that_is_too_large_is_the_launchers},
	{"an_engine_that_reads_nothing_is_not_waited_for", an_engine_that_reads_nothing_is_not_waited_for},
	{"a_terminal_gets_its_modes_back_if_the_engine_is_gone", a_terminal_gets_its_modes_back_if_the_engine_is_gone},
	{"a_job_in_the_background_of_a_terminal_is_the_launchers", a_job_in_the_background_of_a_terminal_is_the_launchers},
	{"a_large_text_arrives_whole", a_large_text_arrives_whole},
	{"places_are_equal_where_nothing_differs", places_are_equal_where_nothing_differs},
	{"without_a_directory_that_is_named_it_looks_in_the_usual_one", without_a_directory_that_is_named_it_looks_in_the_usual_one},
	{"a_directory_whose_name_is_too_long_is_not_looked_in", a_directory_whose_name_is_too_long_is_not_looked_in},
	{"it_says_its_place_and_its_signals", it_says_its_place_and_its_signals},
	{"the_launcher_gets_no_descriptor_but_the_streams", the_launcher_gets_no_descriptor_but_the_streams},
	{"a_caller_may_want_the_engine_alone", a_caller_may_want_the_engine_alone},
};
const unsigned front_caller_test_count = sizeof front_caller_tests / sizeof *front_caller_tests;
