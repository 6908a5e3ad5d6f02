/* Containers whose first process is no program, programs whose filter asks somebody, and those that outlive their starter. */
#include "init_tests.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct container container; /* large */

static int child_of(int pid)
{
	char path[64];
	int child = 0;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	for (unsigned tries = 0; tries < 1000 && child == 0; tries++) {
		FILE *file = fopen(path, "re");
		if (file && fscanf(file, "%d", &child) != 1)
			child = 0;
		if (file)
			fclose(file);
		usleep(5000);
	}
	return child;
}

/* The highest descriptor that a process has open. */
static int highest(int pid)
{
	char path[64];
	int found = -1;
	for (int fd = 0; fd < 300; fd++) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			found = fd;
	}
	return found;
}

static void an_idle_container_holds_its_streams_alone_and_ends_by_a_signal(void)
{
	struct spec spec = shell("no program");
	spec.idle = true;
	CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
	container_start(&container);
	int child = child_of(container.pid);
	CHECK(child > 0);
	for (unsigned tries = 0; tries < 1000 && highest(child) != 2; tries++)
		usleep(5000); /* until it sleeps */
	CHECK_EQUAL(2, highest(child));
	syscall(SYS_pidfd_send_signal, container.pidfd, SIGTERM, NULL, 0);
	container_finish(&container);
	CHECK_EQUAL(REPORT_EXIT, container.last.kind);
	CHECK_EQUAL(256 + SIGTERM, container.last.status);
	CHECK_EQUAL(1, container.start.called);
	CHECK_TEXT("", container.text);
}

static const struct sock_filter asks[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sethostname, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* Answers one question with this error. */
static void answer_one(int listener, int error)
{
	struct seccomp_notif question = {0};
	CHECK_EQUAL(0, ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question));
	CHECK_EQUAL(SYS_sethostname, question.data.nr);
	struct seccomp_notif_resp answer = {.id = question.id, .error = error};
	CHECK_EQUAL(0, ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
}

static void the_listener_of_a_program_is_reported_before_it_runs(void)
{
	for (unsigned alone = 0; alone < 2; alone++) {
		struct spec spec = shell("hostname x; echo $?; ls /proc/self/fd");
		struct report report = {0};
		int listener = -1;
		spec.filter = asks, spec.filter_bytes = sizeof asks, spec.no_init = alone;
		CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
		container_start_asking(&container);
		CHECK(container_report(&container, &report, &listener));
		CHECK_EQUAL(REPORT_LISTENER, report.kind);
		CHECK_EQUAL(PHASE_FILTER, report.phase);
		CHECK(report.step < container.steps && container.opcodes[report.step] == OP_EXEC);
		CHECK(listener >= 0);
		if (listener >= 0) {
			answer_one(listener, -EDOM);
			close(listener);
		}
		container_finish(&container);
		CHECK_TEXT("hostname: sethostname: Numerical argument out of domain\n1\n0\n1\n2\n3\n", container.text);
		CHECK_EQUAL(0, container.last.kind == REPORT_EXIT ? container.last.status : 0);
	}
}

/* Its report would be taken for that of a listener. */
static void a_program_whose_filter_asks_nobody_has_none_to_report(void)
{
	static const struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct spec spec = shell("echo ran");
	spec.filter = allow, spec.filter_bytes = sizeof allow;
	CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
	container_start_asking(&container);
	container_finish(&container);
	CHECK_EQUAL(REPORT_ERROR, container.last.kind);
	CHECK_EQUAL(EINVAL, container.last.status);
	CHECK_EQUAL(0, container.start.called);
	CHECK_TEXT("", container.text);
}

/* Somebody else starts it, hands its control socket to a third one, and exits: true if it lives so much longer. */
static bool outlives_its_starter(uint8_t word, int millis)
{
	int told[2], held[2], pid = 0;
	char byte;
	CHECK(pipe2(told, O_CLOEXEC) == 0 && pipe2(held, O_CLOEXEC) == 0);
	pid_t starter = fork();
	if (starter == 0) {
		struct engine own;
		struct spec spec = shell("sleep 1000");
		spec.filter = asks, spec.filter_bytes = sizeof asks;
		if (!engine_start(&own, binary) || container_launch(&own, &spec, &container) != 0 || send(container.control, &word, 1, 0) != 1)
			_exit(1);
		for (unsigned tries = 0; tries < 1000 && child_of(container.pid) == 0; tries++)
			usleep(5000);
		close(held[1]);
		if (fork() == 0) {
			ssize_t length = read(held[0], &byte, 1); /* its end */
			_exit((int)length);
		}
		if (write(told[1], &container.pid, sizeof container.pid) != sizeof container.pid)
			_exit(1);
		_exit(0);
	}
	close(told[1]), close(held[0]);
	CHECK(read(told[0], &pid, sizeof pid) == sizeof pid);
	int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	struct pollfd ended = {pidfd, POLLIN, 0};
	CHECK(waitpid(starter, NULL, 0) == starter);
	bool lives = pidfd >= 0 && poll(&ended, 1, millis) == 0;
	close(told[0]), close(held[1]);
	CHECK(pidfd < 0 || poll(&ended, 1, 10000) == 1); /* nobody holds it any more */
	if (pidfd >= 0)
		close(pidfd);
	return lives;
}

static void who_holds_its_socket_keeps_a_process_that_was_started_alone(void)
{
	CHECK(!outlives_its_starter(CONTROL_START, 10000));
	CHECK(!outlives_its_starter(CONTROL_START_ASKING, 10000));
	CHECK(outlives_its_starter(CONTROL_START_ALONE, 300));
	CHECK(outlives_its_starter(CONTROL_START_ALONE_ASKING, 300));
}

const struct test idle_tests[] = {
	{"idle: holds nothing", an_idle_container_holds_its_streams_alone_and_ends_by_a_signal},
	{"asking: listener", the_listener_of_a_program_is_reported_before_it_runs},
	{"started alone", who_holds_its_socket_keeps_a_process_that_was_started_alone},
	{"asking: nobody", a_program_whose_filter_asks_nobody_has_none_to_report},
};
const unsigned idle_test_count = sizeof idle_tests / sizeof *idle_tests;
