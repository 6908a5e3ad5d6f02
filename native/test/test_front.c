/*
 * The front end against an engine that is made up: each answer of the protocol, those that nobody should give, and callers that cannot
 * be served. The launcher is a script that prints "launcher" and its words. Root.
 */
#include "front_tests.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>

static const char *program;
char home[64], serve[96];
int listening;
static int client;
static char *words[4] = {"a", "b c", NULL};
struct front front;
void (*before_start)(void);
struct message received;
ssize_t received_length;
static unsigned received_fds;
static struct stat received_stat[4];

/* ---- a clone, a state directory, an engine ---- */

void write_file(const char *name, const char *text, mode_t mode)
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

void make_directory(const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", home, name);
	CHECK_EQUAL(0, mkdir(path, 0700));
}

void begin(void)
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

static void start_as(const char *only)
{
	int output[2];
	fflush(NULL);
	CHECK_EQUAL(0, pipe2(output, O_CLOEXEC));
	front.pid = fork();
	if (front.pid == 0) {
		char *all[8] = {"caisson-front", home, "build-1"};
		for (int i = 0; words[i]; i++)
			all[3 + i] = words[i];
		if (only)
			all[1] = (char *)(uintptr_t)only, all[2] = NULL;
		if (before_start)
			before_start();
		dup2(output[1], 1);
		dup2(output[1], 2);
		execv(program, all);
		_exit(99);
	}
	close(output[1]);
	front.output = output[0];
}

void start(void) { start_as(NULL); }
void start_with(const char *only) { start_as(only); }

int is_connected(void)
{
	struct pollfd ready = {listening, POLLIN, 0};
	if (poll(&ready, 1, 5000) != 1)
		return 0;
	client = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	return client >= 0;
}

/* The next message, with its descriptors counted and closed. */
void receive(void)
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
			CHECK(i >= 4 || fstat(fd, &received_stat[i]) == 0);
			close(fd);
		}
	}
}

void receive_request(void)
{
	struct front_hello hello;
	CHECK(is_connected());
	receive();
	CHECK_EQUAL(FRONT_HELLO, received.header.op);
	CHECK_EQUAL(FRONT_VERSION, received.header.version);
	CHECK_EQUAL(4, received_fds);
	struct stat here, in;
	CHECK(stat(".", &here) == 0 && here.st_ino == received_stat[0].st_ino); /* where it stands, and its streams */
	CHECK(fstat(0, &in) == 0 && in.st_ino == received_stat[1].st_ino);
	CHECK(S_ISFIFO(received_stat[2].st_mode) && received_stat[2].st_ino == received_stat[3].st_ino);
	memcpy(&hello, received.payload, sizeof hello);
	CHECK_TEXT("build-1", hello.build);
	for (uint32_t bytes = 0; bytes < hello.bytes && received_length > 0;) {
		receive();
		CHECK_EQUAL(FRONT_TEXT, received.header.op);
		CHECK_EQUAL(0, received_fds);
		bytes += (uint32_t)received_length - (uint32_t)sizeof received.header;
	}
}

void answer(uint16_t op, uint16_t version, uint32_t value, const void *payload, size_t length)
{
	static struct message message;
	message.header = (struct front_header){op, version, value};
	if (length)
		memcpy(message.payload, payload, length);
	CHECK(send(client, &message, sizeof message.header + length, MSG_NOSIGNAL) > 0);
}

void hang_up(void)
{
	close(client);
	client = -1;
}

void clean_up(void)
{
	if (client >= 0)
		hang_up();
	close(listening);
	nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Reads what it prints, until its end. */
void end(void)
{
	size_t length = 0;
	ssize_t count;
	while ((count = read(front.output, front.text + length, sizeof front.text - 1 - length)) > 0)
		length += (size_t)count;
	front.text[length] = 0;
	front.length = length;
	close(front.output);
	waitpid(front.pid, &front.status, 0);
	clean_up();
}

void ended_with(int status, const char *text)
{
	end();
	CHECK(WIFEXITED(front.status));
	CHECK_EQUAL(status, WEXITSTATUS(front.status));
	CHECK_TEXT(text, front.text);
}

void failed_with(const char *code)
{
	end();
	CHECK_EQUAL(FRONT_FAILED, WEXITSTATUS(front.status));
	CHECK(strncmp(front.text, "caisson: ", 9) == 0 && strncmp(front.text + 9, code, strlen(code)) == 0);
	CHECK(strchr(front.text, '\n') == front.text + strlen(front.text) - 1);
}


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
	};
	unsigned passed = 0, failed = 0;
	if (argc < 2) {
		fputs("test_front FRONT [FILTER]\n", stderr);
		return 2;
	}
	program = argv[1];
	alarm(120);
	const char *filter = argc > 2 ? argv[2] : NULL;
	run_tests(tests, sizeof tests / sizeof *tests, filter, &passed, &failed);
	run_tests(front_caller_tests, front_caller_test_count, filter, &passed, &failed);
	run_tests(front_source_tests, front_source_test_count, filter, &passed, &failed);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
