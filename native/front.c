/*
 * caisson-front CLONE BUILD WORD...: runs a command of the clone by the resident engine, or, if none serves this caller, by the
 * launcher. Started by the launcher. caisson-front --place prints the place, --signals the mask of signals that a command may take.
 */
#include "front.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define STANDARD_STATE "/run/caisson"
#define MOST_REASON 300
#define MODE "CAISSON_SERVE" /* off: never; only: without a JVM of its own; own: it could not; else: if it can */

/* The launcher's `passed_on`: all but those of faults, job control of the shell, and two that the JVM uses itself. */
static const int OTHERS[] = {SIGKILL, SIGSTOP, SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGPIPE, SIGCHLD, SIGTTIN, SIGTTOU, SIGURG, SIGXFSZ,
			     32, 33, 62, 63};

struct caller {
	const char *clone, *build;
	char **words;
	sigset_t before;
	int socket, signals, takes;
	struct termios modes[3];
	int terminals; /* bits of descriptors */
};

struct message {
	struct front_header header;
	char payload[FRONT_MAX_PAYLOAD];
} __attribute__((packed));

static uint64_t passed_on(void)
{
	uint64_t mask = ~(uint64_t)0;
	for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
		mask &= ~((uint64_t)1 << (OTHERS[i] - 1));
	return mask;
}

static sigset_t set_of(uint64_t mask)
{
	sigset_t set;
	sigemptyset(&set);
	for (int number = 1; number <= 64; number++)
		if (mask >> (number - 1) & 1)
			sigaddset(&set, number);
	return set;
}

static _Noreturn void report(const char *code, const char *sentence)
{
	fprintf(stderr, "caisson: %s: %s\n", code, sentence);
	_exit(FRONT_FAILED);
}

/* Nothing was done yet: the launcher does it. */
static _Noreturn void run_here(const struct caller *caller, const char *why)
{
	const char *mode = getenv(MODE);
	char text[512];
	if (mode && strcmp(mode, "only") == 0) {
		snprintf(text, sizeof text, "no resident engine runs this command (%s): unset " MODE ", or see to caisson serve", why);
		report("SERVE_REFUSED", text);
	}
	sigprocmask(SIG_SETMASK, &caller->before, NULL);
	setenv(MODE, "own", 1);
	snprintf(text, sizeof text, "%s/caisson", caller->clone);
	caller->words[-1] = text;
	execv(text, caller->words - 1);
	report("NO_LAUNCHER", "the launcher of the clone cannot be started: is the clone still there?");
}

/* ---- connection ---- */

/* The directory must be root's alone: another user could listen in one of theirs and be given root's terminal. */
static int open_directory(void)
{
	const char *state = getenv("CAISSON_STATE");
	char path[4096];
	struct stat found;
	if (!state || !*state)
		state = STANDARD_STATE;
	if (*state != '/' || snprintf(path, sizeof path, "%s/serve", state) >= (int)sizeof path)
		return -1;
	int directory = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0 || fstat(directory, &found) != 0 || found.st_uid != 0 || (found.st_mode & 077) != 0)
		return -1;
	return directory;
}

static int is_root(int socket)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
}

static int connect_to_engine(void)
{
	int directory = open_directory();
	int connected = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = FRONT_PATIENCE_SECONDS};
	if (directory < 0 || connected < 0)
		return -1;
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/socket", directory);
	int failed = connect(connected, (struct sockaddr *)&address, sizeof address) != 0 || !is_root(connected) ||
		     setsockopt(connected, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0;
	close(directory);
	return failed ? -1 : connected;
}

static int send_bytes(int socket, const void *bytes, size_t length, const int *fds, unsigned count)
{
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr header;
	} control = {0};
	struct iovec data = {(void *)(uintptr_t)bytes, length};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	if (count > 0) {
		control.header = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	ssize_t sent;
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)length ? 0 : -1;
}

static int send_op(int socket, uint16_t op, uint32_t value)
{
	struct front_header header = {op, FRONT_VERSION, value};
	return send_bytes(socket, &header, sizeof header, NULL, 0);
}

/*
 * The payload's length, or -1 for a message that is none or of another version. ECONNRESET comes once, if the engine hung up before
 * it had read all, and in front of what it sent.
 */
static ssize_t receive(int socket, struct message *message)
{
	ssize_t length;
	do
		length = recv(socket, message, sizeof *message, 0);
	while (length < 0 && (errno == EINTR || errno == ECONNRESET));
	if (length < (ssize_t)sizeof message->header || message->header.version != FRONT_VERSION)
		return -1;
	return length - (ssize_t)sizeof message->header;
}

/* ---- the request ---- */

static int send_text(int socket, char *const *lists[2])
{
	struct message message = {.header = {FRONT_TEXT, FRONT_VERSION, 0}};
	size_t filled = 0;
	for (int i = 0; i < 2; i++)
		for (char *const *word = lists[i]; *word; word++)
			for (size_t at = 0, length = strlen(*word) + 1; at < length;) {
				size_t room = FRONT_MAX_PAYLOAD - filled, part = length - at < room ? length - at : room;
				memcpy(message.payload + filled, *word + at, part);
				at += part;
				filled += part;
				if (filled == FRONT_MAX_PAYLOAD) {
					if (send_bytes(socket, &message, sizeof message, NULL, 0) != 0)
						return -1;
					filled = 0;
				}
			}
	return filled ? send_bytes(socket, &message, sizeof message.header + filled, NULL, 0) : 0;
}

static int count_into(char *const *list, uint32_t *count, uint32_t *bytes)
{
	for (; *list; list++) {
		size_t length = strlen(*list) + 1;
		if (++*count > FRONT_MAX_STRINGS || length > FRONT_MAX_TEXT - *bytes)
			return -1;
		*bytes += (uint32_t)length;
	}
	return 0;
}

static int send_request(const struct caller *caller)
{
	struct {
		struct front_header header;
		struct front_hello hello;
		char place[FRONT_MAX_PLACE];
	} __attribute__((packed)) message = {.header = {FRONT_HELLO, FRONT_VERSION, 0}};
	char *const *lists[] = {caller->words, environ};
	struct front_hello hello = {0};
	uint32_t counts[2] = {0}, bytes = 0;
	int fds[] = {open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), 0, 1, 2};
	int place = front_place(message.place, sizeof message.place);
	if (fds[0] < 0 || place < 0 || strlen(caller->build) >= sizeof hello.build)
		return -1;
	for (int i = 0; i < 2; i++)
		if (count_into(lists[i], &counts[i], &bytes) != 0)
			return -1;
	memcpy(hello.build, caller->build, strlen(caller->build));
	hello.arguments = counts[0];
	hello.variables = counts[1];
	hello.bytes = bytes;
	message.hello = hello;
	int failed = send_bytes(caller->socket, &message, sizeof message.header + sizeof hello + (size_t)place, fds, 4) != 0 ||
		     send_text(caller->socket, lists) != 0;
	close(fds[0]);
	return failed;
}

/* Of a job in the background the kernel would hold reads of the terminal; it does not know the engine for one of that job. */
static int is_in_background(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		pid_t group = tcgetpgrp(fd);
		if (group >= 0 && group != getpgrp())
			return 1;
	}
	return 0;
}

/* ---- the command ---- */

static void keep_modes(struct caller *caller)
{
	for (int fd = 0; fd <= 2; fd++)
		if (tcgetattr(fd, &caller->modes[fd]) == 0)
			caller->terminals |= 1 << fd;
}

static _Noreturn void engine_is_gone(const struct caller *caller)
{
	signal(SIGTTOU, SIG_IGN);
	for (int fd = 0; fd <= 2; fd++)
		if (caller->terminals & 1 << fd)
			tcsetattr(fd, TCSANOW, &caller->modes[fd]);
	report("SERVE_GONE", "the resident engine ended in the middle of the command: see what it left with caisson ps -a");
}

/* From here on signals do with this process what they do with one that knows none of them, but SIGTSTP. */
static void leave_signals(struct caller *caller, uint64_t again)
{
	sigset_t set = set_of(passed_on() & ~((uint64_t)1 << (SIGTSTP - 1)));
	caller->takes = 0;
	for (int number = 1; number <= 64; number++)
		if (again >> (number - 1) & 1 && sigismember(&set, number))
			raise(number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* The engine writes nothing to the terminal while this process stands still. */
static void stop_with_shell(const struct caller *caller)
{
	send_op(caller->socket, FRONT_PAUSE, 0);
	raise(SIGSTOP);
	send_op(caller->socket, FRONT_RESUME, 0);
}

static void pass_signal(const struct caller *caller)
{
	struct signalfd_siginfo info;
	if (read(caller->signals, &info, sizeof info) != sizeof info)
		return;
	if (caller->takes)
		send_op(caller->socket, FRONT_SIGNAL, info.ssi_signo);
	else if (info.ssi_signo == SIGTSTP)
		stop_with_shell(caller);
}

static void take_message(struct caller *caller)
{
	struct message message;
	uint64_t mask;
	ssize_t length = receive(caller->socket, &message);
	if (length >= 0 && message.header.op == FRONT_EXIT)
		_exit((int)(message.header.value & 0xff));
	if (length != sizeof mask || message.header.op != FRONT_LEAVE)
		engine_is_gone(caller);
	memcpy(&mask, message.payload, sizeof mask);
	leave_signals(caller, mask);
}

static _Noreturn void follow(struct caller *caller)
{
	struct pollfd ready[] = {{caller->socket, POLLIN, 0}, {caller->signals, POLLIN, 0}};
	while (1) {
		if (poll(ready, 2, -1) < 0)
			continue;
		if (ready[1].revents)
			pass_signal(caller);
		if (ready[0].revents)
			take_message(caller);
	}
}

static ssize_t await_answer(const struct caller *caller, struct message *message)
{
	struct pollfd ready = {caller->socket, POLLIN, 0};
	int count;
	do
		count = poll(&ready, 1, FRONT_PATIENCE_SECONDS * 1000);
	while (count < 0 && errno == EINTR);
	if (count == 0)
		report("SERVE_SILENT", "the resident engine does not answer: restart caisson serve, or set " MODE "=off");
	return receive(caller->socket, message);
}

static void begin(struct caller *caller)
{
	struct message message;
	ssize_t length = await_answer(caller, &message);
	if (length >= 0 && message.header.op == FRONT_LOOK) {
		if (!front_is_fresh(caller->clone)) {
			close(caller->socket);
			run_here(caller, "a source is newer than the build");
		}
		if (send_op(caller->socket, FRONT_FRESH, 0) != 0)
			run_here(caller, "it hung up");
		length = await_answer(caller, &message);
	}
	if (length >= 0 && message.header.op == FRONT_REFUSED) {
		message.payload[length < MOST_REASON ? length : MOST_REASON] = 0;
		run_here(caller, message.payload);
	}
	if (length < 0 || message.header.op != FRONT_STARTED)
		run_here(caller, "it hung up, or has another protocol");
	caller->takes = message.header.value == 1;
	if (!caller->takes)
		leave_signals(caller, 0);
}

static void open_standard_streams(void)
{
	int file;
	do
		file = open("/dev/null", O_RDWR);
	while (file >= 0 && file <= 2);
	if (file > 2)
		close(file);
}

static int tell(const char *about)
{
	char place[FRONT_MAX_PLACE];
	if (strcmp(about, "--signals") == 0) {
		printf("%016llx\n", (unsigned long long)passed_on());
	} else if (strcmp(about, "--place") == 0) {
		int length = front_place(place, sizeof place);
		if (length < 0)
			return 1;
		fwrite(place, 1, (size_t)length, stdout);
	} else {
		return 1;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	open_standard_streams();
	if (argc == 2)
		return tell(argv[1]);
	if (argc < 3)
		report("USAGE", "the launcher starts this program: run caisson");
	sigset_t taken = set_of(passed_on());
	struct caller caller = {.clone = argv[1], .build = argv[2], .words = argv + 3};
	sigprocmask(SIG_BLOCK, NULL, &caller.before);
	caller.socket = connect_to_engine();
	if (caller.socket < 0)
		run_here(&caller, "none listens");
	if (is_in_background())
		run_here(&caller, "it is a job in the background of a terminal");
	keep_modes(&caller);
	sigprocmask(SIG_BLOCK, &taken, NULL);
	caller.signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	if (caller.signals < 0 || send_request(&caller) != 0)
		run_here(&caller, "the request cannot be sent");
	begin(&caller);
	follow(&caller);
}
