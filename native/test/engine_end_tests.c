/* The engine's end, at any moment of a launch: nothing outlives it. */
#include "init_tests.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct container container; /* large */

static bool gone(int pid)
{
	for (int tries = 0; tries < 200; tries++) {
		if (kill(pid, 0) < 0)
			return true;
		usleep(10000);
	}
	return false;
}

/* A second engine in a process of its own, killed when it has come so far; its processes are then ours to reap. */
static void killed_engine(bool no_init, bool started, uint16_t pause_before)
{
	int pipes[2], pids[2] = {-1, -1}, engine_pid;
	CHECK(pipe(pipes) == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	if ((engine_pid = fork()) == 0) {
		struct engine own;
		struct spec spec = shell("exec sleep 1000");
		spec.no_init = no_init, spec.pause_before = pause_before;
		close(engine.socket); /* the other one's */
		if (!engine_start(&own, binary) || container_launch(&own, &spec, &container) < 0)
			_exit(1);
		if (started)
			container_start(&container);
		pids[0] = own.pid, pids[1] = container.pid;
		if (write(pipes[1], pids, sizeof pids) != sizeof pids)
			_exit(1);
		pause();
	}
	close(pipes[1]);
	CHECK(read(pipes[0], pids, sizeof pids) == sizeof pids);
	close(pipes[0]);
	if (started)
		usleep(50000);
	kill(engine_pid, SIGKILL);
	waitpid(engine_pid, NULL, 0);
	int status;
	for (int tries = 0; tries < 500 && waitpid(pids[1], &status, WNOHANG) == 0; tries++)
		usleep(10000);
	waitpid(pids[0], &status, 0);
	CHECK(pids[0] > 0 && gone(pids[0]));
	CHECK(pids[1] > 0 && gone(pids[1]));
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void nothing_outlives_a_killed_engine(void)
{
	killed_engine(false, true, 0);
	killed_engine(true, true, 0);
	killed_engine(false, false, 0);
	killed_engine(true, false, 0);
}

static void nothing_outlives_an_engine_killed_before_any_step(void)
{
	struct spec spec = shell("exit 0");
	container_run(&engine, &spec, &container);
	unsigned steps = container.steps;
	CHECK(steps > 30);
	for (unsigned step = 1; step < steps - 1; step++)
		killed_engine(false, false, (uint16_t)step);
}

/* A pause in front of a step, then on; and an engine that does not say on. */
static void pauses(void)
{
	struct spec spec = shell("echo on");
	spec.pause_before = 5;
	CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
	CHECK_EQUAL(REPORT_PAUSED, container.last.kind);
	CHECK_EQUAL(5, container.last.step);
	container_start(&container);
	struct report report;
	int fd;
	CHECK(container_report(&container, &report, &fd) && report.kind == REPORT_READY);
	container_start(&container);
	container_finish(&container);
	CHECK_TEXT("on\n", container.text);
	expect_exit(&container, 0);
	CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
	uint8_t other = 9;
	CHECK(send(container.control, &other, 1, 0) == 1);
	container_finish(&container);
	CHECK_EQUAL(125, container.status);
}

static void ends_with_its_control_socket(void)
{
	for (int started = 0; started < 2; started++) {
		struct spec spec = shell("echo r; exec sleep 1000");
		char byte;
		CHECK_EQUAL(0, container_launch(&engine, &spec, &container));
		if (started) {
			container_start(&container);
			CHECK(read(container.output, &byte, 1) == 1);
		}
		close(container.control);
		container.control = -1;
		container_finish(&container);
		CHECK_EQUAL(125, container.status);
	}
}

const struct test engine_end_tests[] = {
	{"killed engine", nothing_outlives_a_killed_engine},
	{"killed engine at every step", nothing_outlives_an_engine_killed_before_any_step},
	{"pauses", pauses},
	{"control socket", ends_with_its_control_socket},
};
const unsigned engine_end_test_count = sizeof engine_end_tests / sizeof *engine_end_tests;
