/*
 * The front end against an engine that is made up: each answer of the protocol, those that nobody should give, and callers that cannot
 * be served. The launcher is a script that prints "launcher" and its words. Root.
 */
#include "../front.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *program;
static char home[64], serve[96];
static int listening, client;
static char *words[4] = {"a", "b c", NULL};

static struct {
	pid_t pid;
	int output, status;
	char text[4096];
} front;

struct message {
	struct front_header header;
	char payload[FRONT_MAX_PAYLOAD];
} __attribute__((packed));

static struct message received;
static ssize_t received_length;
static unsigned received_fds;

/* ---- a clone, a state directory, an engine ---- */

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", home, name);
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	CHECK(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
	close(file);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status, (void)kind, (void)at;
	return remove(path);
}

static void make_directory(const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", home, name);
	CHECK_EQUAL(0, mkdir(path, 0700));
}

static void begin(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	strcpy(home, "/tmp/caisson-front.XXXXXX");
	CHECK(mkdtemp(home) != NULL);
	make_directory("serve");
	make_directory(".caisson");
	write_file("caisson", "#!/bin/sh\necho \"launcher $CAISSON_SERVE $*\"\nexit 9\n", 0700);
	write_file(".caisson/current", "", 0600);
	snprintf(serve, sizeof serve, "%s/serve", home);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", serve);
	listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	CHECK_EQUAL(0, bind(listening, (struct sockaddr *)&address, sizeof address));
	CHECK_EQUAL(0, listen(listening, 8));
	setenv("CAISSON_STATE", home, 1);
	unsetenv("CAISSON_SERVE");
	client = -1;
}

static void start(void)
{
	int output[2];
	fflush(NULL);
	CHECK_EQUAL(0, pipe2(output, O_CLOEXEC));
	front.pid = fork();
	if (front.pid == 0) {
		char *all[8] = {"caisson-front", home, "build-1"};
		for (int i = 0; words[i]; i++)
			all[3 + i] = words[i];
		dup2(output[1], 1);
		dup2(output[1], 2);
		execv(program, all);
		_exit(99);
	}
	close(output[1]);
	front.output = output[0];
}

static int is_connected(void)
{
	struct pollfd ready = {listening, POLLIN, 0};
	if (poll(&ready, 1, 5000) != 1)
		return 0;
	client = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	return client >= 0;
}

/* The next message, with its descriptors counted and closed. */
static void receive(void)
{
	char control[CMSG_SPACE(16 * sizeof(int))];
	struct iovec data = {&received, sizeof received};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	received_fds = 0;
	received_length = recvmsg(client, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = received_length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_type == SCM_RIGHTS) {
		received_fds = (unsigned)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		for (unsigned i = 0; i < received_fds; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
			close(fd);
		}
	}
}

static void receive_request(void)
{
	struct front_hello hello;
	CHECK(is_connected());
	receive();
	CHECK_EQUAL(FRONT_HELLO, received.header.op);
	CHECK_EQUAL(FRONT_VERSION, received.header.version);
	CHECK_EQUAL(4, received_fds);
	memcpy(&hello, received.payload, sizeof hello);
	CHECK_TEXT("build-1", hello.build);
	for (uint32_t bytes = 0; bytes < hello.bytes && received_length > 0;) {
		receive();
		CHECK_EQUAL(FRONT_TEXT, received.header.op);
		CHECK_EQUAL(0, received_fds);
		bytes += (uint32_t)received_length - (uint32_t)sizeof received.header;
	}
}

static void answer(uint16_t op, uint16_t version, uint32_t value, const void *payload, size_t length)
{
	static struct message message;
	message.header = (struct front_header){op, version, value};
	if (length)
		memcpy(message.payload, payload, length);
	CHECK(send(client, &message, sizeof message.header + length, MSG_NOSIGNAL) > 0);
}

static void hang_up(void)
{
	close(client);
	client = -1;
}

/* Reads what it prints, until its end. */
static void end(void)
{
	size_t length = 0;
	ssize_t count;
	while ((count = read(front.output, front.text + length, sizeof front.text - 1 - length)) > 0)
		length += (size_t)count;
	front.text[length] = 0;
	close(front.output);
	waitpid(front.pid, &front.status, 0);
	if (client >= 0)
		hang_up();
	close(listening);
	nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void ended_with(int status, const char *text)
{
	end();
	CHECK(WIFEXITED(front.status));
	CHECK_EQUAL(status, WEXITSTATUS(front.status));
	CHECK_TEXT(text, front.text);
}

static void failed_with(const char *code)
{
	end();
	CHECK_EQUAL(FRONT_FAILED, WEXITSTATUS(front.status));
	CHECK(strncmp(front.text, "caisson: ", 9) == 0 && strncmp(front.text + 9, code, strlen(code)) == 0);
	CHECK(strchr(front.text, '\n') == front.text + strlen(front.text) - 1);
}

#define LAUNCHED "launcher own a b c\n"

/* ---- answers ---- */

static void the_status_is_the_commands(void)
{
	for (uint32_t status = 0; status <= 255; status += 51) {
		begin();
		start();
		receive_request();
		answer(FRONT_STARTED, FRONT_VERSION, 1, NULL, 0);
		answer(FRONT_EXIT, FRONT_VERSION, status, NULL, 0);
		ended_with((int)status, "");
	}
}

static void a_refusal_is_answered_by_the_launcher(void)
{
	begin();
	start();
	receive_request();
	answer(FRONT_REFUSED, FRONT_VERSION, 0, "why", 3);
	ended_with(9, LAUNCHED);
}

static void a_long_reason_is_cut(void)
{
	char reason[FRONT_MAX_PAYLOAD];
	memset(reason, 'x', sizeof reason);
	begin();
	setenv("CAISSON_SERVE", "only", 1);
	start();
	receive_request();
	answer(FRONT_REFUSED, FRONT_VERSION, 0, reason, sizeof reason);
	failed_with("SERVE_REFUSED: no resident engine runs this command (xxx");
	CHECK(strcmp(front.text + strlen(front.text) - 14, "caisson serve\n") == 0);
}

static void nothing_was_done_before_the_command_has_started(void)
{
	begin();
	start();
	CHECK(is_connected());
	hang_up(); /* with the request unread */
	ended_with(9, LAUNCHED);

	begin();
	start();
	receive_request();
	hang_up();
	ended_with(9, LAUNCHED);

	begin();
	start();
	receive_request();
	answer(FRONT_STARTED, FRONT_VERSION + 1, 1, NULL, 0);
	ended_with(9, LAUNCHED);

	begin();
	start();
	receive_request();
	CHECK(send(client, "x", 1, 0) == 1);
	ended_with(9, LAUNCHED);
}

static void a_refusal_arrives_though_the_request_was_not_read(void)
{
	begin();
	setenv("CAISSON_SERVE", "only", 1);
	start();
	CHECK(is_connected());
	usleep(200000); /* the request is there */
	answer(FRONT_REFUSED, FRONT_VERSION, 0, "busy", 4);
	hang_up();
	failed_with("SERVE_REFUSED: no resident engine runs this command (busy)");
}

static void after_its_start_a_command_is_never_run_again(void)
{
	static const struct {
		uint16_t op, version;
		size_t length;
	} wrong[] = {{FRONT_REFUSED, FRONT_VERSION, 3},
		     {FRONT_STARTED, FRONT_VERSION, 0},
		     {FRONT_LEAVE, FRONT_VERSION, 7},
		     {FRONT_LEAVE, FRONT_VERSION, 9},
		     {FRONT_EXIT, FRONT_VERSION + 1, 0},
		     {77, FRONT_VERSION, 8}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		begin();
		start();
		receive_request();
		answer(FRONT_STARTED, FRONT_VERSION, 1, NULL, 0);
		answer(wrong[i].op, wrong[i].version, 0, "12345678901", wrong[i].length);
		failed_with("SERVE_GONE: ");
	}
	begin();
	start();
	receive_request();
	answer(FRONT_STARTED, FRONT_VERSION, 0, NULL, 0);
	hang_up();
	failed_with("SERVE_GONE: ");
}

static void an_engine_that_says_nothing_is_not_waited_for(void)
{
	begin();
	start();
	receive_request();
	failed_with("SERVE_SILENT: ");
}

/* ---- signals ---- */

static void signals_are_passed_on_while_the_command_takes_them(void)
{
	begin();
	start();
	receive_request();
	answer(FRONT_STARTED, FRONT_VERSION, 1, NULL, 0);
	static const int numbers[] = {SIGTERM, SIGINT, SIGTSTP, SIGWINCH, SIGUSR2, 40};
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

static void newer_sources_are_the_launchers(void)
{
	begin();
	make_directory("room");
	make_directory("room/src");
	make_directory("room/src/main");
	make_directory("room/src/main/deep");
	struct timespec later[2] = {{.tv_sec = 4000000000}, {.tv_sec = 4000000000}};
	char current[160];
	snprintf(current, sizeof current, "%s/.caisson/current", home);
	CHECK_EQUAL(0, utimensat(AT_FDCWD, current, later, 0));
	CHECK(front_is_fresh(home));
	static const char *const sources[] = {"room/src/main/deep/A.java", "room/pom.xml", "pom.xml", "caisson"};
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
		char path[160];
		snprintf(path, sizeof path, "%s/%s", home, sources[i]);
		struct timespec newest[2] = {{.tv_sec = 4000000001}, {.tv_sec = 4000000001}};
		if (i < 3)
			write_file(sources[i], "", 0600);
		CHECK_EQUAL(0, utimensat(AT_FDCWD, path, newest, 0));
		CHECK(!front_is_fresh(home));
		CHECK_EQUAL(0, utimensat(AT_FDCWD, path, later, 0));
		CHECK(front_is_fresh(home));
	}
	write_file("room/notes", "", 0600); /* no source */
	CHECK(front_is_fresh(home));
	snprintf(current, sizeof current, "%s/caisson", home);
	struct timespec newest[2] = {{.tv_sec = 4000000001}, {.tv_sec = 4000000001}};
	CHECK_EQUAL(0, utimensat(AT_FDCWD, current, newest, 0));
	start();
	ended_with(9, LAUNCHED);
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

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{"the_status_is_the_commands", the_status_is_the_commands},
		{"a_refusal_is_answered_by_the_launcher", a_refusal_is_answered_by_the_launcher},
		{"a_long_reason_is_cut", a_long_reason_is_cut},
		{"nothing_was_done_before_the_command_has_started", nothing_was_done_before_the_command_has_started},
		{"a_refusal_arrives_though_the_request_was_not_read", a_refusal_arrives_though_the_request_was_not_read},
		{"after_its_start_a_command_is_never_run_again", after_its_start_a_command_is_never_run_again},
		{"an_engine_that_says_nothing_is_not_waited_for", an_engine_that_says_nothing_is_not_waited_for},
		{"signals_are_passed_on_while_the_command_takes_them", signals_are_passed_on_while_the_command_takes_them},
		{"signals_that_are_left_end_the_front_end", signals_that_are_left_end_the_front_end},
		{"the_engine_knows_when_it_stands_still", the_engine_knows_when_it_stands_still},
		{"others_directories_are_not_entered", others_directories_are_not_entered},
		{"an_engine_of_another_user_is_sent_nothing", an_engine_of_another_user_is_sent_nothing},
		{"newer_sources_are_the_launchers", newer_sources_are_the_launchers},
		{"a_text_that_is_too_large_is_the_launchers", a_text_that_is_too_large_is_the_launchers},
		{"a_large_text_arrives_whole", a_large_text_arrives_whole},
		{"places_are_equal_where_nothing_differs", places_are_equal_where_nothing_differs},
	};
	unsigned passed = 0, failed = 0;
	if (argc < 2) {
		fputs("test_front FRONT [FILTER]\n", stderr);
		return 2;
	}
	program = argv[1];
	alarm(120);
	run_tests(tests, sizeof tests / sizeof *tests, argc > 2 ? argv[2] : NULL, &passed, &failed);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
