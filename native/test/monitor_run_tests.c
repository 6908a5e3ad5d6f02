/* Starts: what a run gets, what stays between runs, and how failures are reported. */
#include "monitor_tests.h"

#include "../kernel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_run_is_logged_and_recorded(void)
{
	struct monitor_record record;
	CHECK(begin("echo out; echo err >&2; exit 7", NULL));
	CHECK_EQUAL(MONITOR_CREATED, watched.created.phase);
	CHECK_EQUAL(-1, watched.created.status);
	CHECK(watched.created.created_millis > 1600000000000ull && !record_of(&watched, &record));
	struct monitor_state state = run();
	CHECK_EQUAL(MONITOR_EXITED, state.phase);
	CHECK_EQUAL(7, state.status);
	CHECK_EQUAL(1, state.generation);
	CHECK_EQUAL(0, state.pid);
	CHECK_EQUAL(STATE_STDIN_CLOSED, state.flags);
	CHECK(state.started_millis >= state.created_millis && state.finished_millis >= state.started_millis);
	const char *log = log_of(&watched, "x-json.log");
	CHECK(strstr(log, "{\"log\":\"out\\n\",\"stream\":\"stdout\",\"time\":\"20") && strstr(log, "\"err\\n\",\"stream\":\"stderr\""));
	CHECK_EQUAL(strlen(log), state.log_bytes);
	CHECK(record_of(&watched, &record) && record.end.state.status == 7 && record.length == sizeof record);
	CHECK_EQUAL(MONITOR_EXITED, record.end.state.phase);
	CHECK_EQUAL(REPORT_EXIT, record.end.report.kind);
	CHECK(faccessat(watched.log, ".exit", F_OK, 0) < 0);
	watched_end(&watched);
}

/* Tests the layer in memory and a volume: each run gets a copy of the same mounts. */
static void a_second_run_has_the_files_of_the_first(void)
{
	char path[128], below[160];
	snprintf(path, sizeof path, "%s/volume-XXXXXX", test_directory());
	CHECK(mkdtemp(path) && chmod(path, 0777) == 0);
	snprintf(below, sizeof below, "%s/below", path);
	CHECK(mkdir(below, 0755) == 0 && mount("tmpfs", below, "tmpfs", 0, "mode=755") == 0);
	struct spec spec = shell("cat /mine /volume/ours; ls /volume; echo first >/mine; touch /volume/file; grep -c ' /volume/below ' /proc/self/mountinfo");
	spec.volume = open_tree_at(AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE);
	CHECK(umount2(below, MNT_DETACH) == 0);
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	CHECK_EQUAL(0, run().status);
	for (int again = 2; again < 5; again++) {
		struct monitor_state state = run();
		CHECK_EQUAL(0, state.status);
		CHECK_EQUAL(again, state.generation);
		CHECK_EQUAL(0, state.restarts);
	}
	const char *log = log_of(&watched, "x-json.log");
	const char *first = strstr(log, "\"first\\n\""), *second = first ? strstr(first + 1, "\"first\\n\"") : NULL;
	CHECK(second && strstr(second + 1, "\"first\\n\"") && strstr(log, "\"file\\n\""));
	CHECK(!strstr(log, "\"0\\n\"")); /* what is mounted below comes along */
	watched_end(&watched);
}

static void a_run_leaves_no_descriptor_open(void)
{
	CHECK(begin("echo x", NULL));
	CHECK_EQUAL(0, run().status);
	unsigned after_one = open_files(watched.created.monitor_pid);
	CHECK(after_one > 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(0, run().status);
	CHECK_EQUAL(after_one, open_files(watched.created.monitor_pid));
	watched_end(&watched);
}

static void a_held_start_waits_for_its_holder(void)
{
	static struct message reply;
	struct monitor_start started;
	CHECK(begin("echo ran", NULL));
	int other = connect_to(&watched);
	CHECK(send_op(watched.socket, MONITOR_START, MONITOR_HOLD, NULL, 0));
	CHECK_EQUAL(0, await_reply(watched.socket, MONITOR_START, &reply));
	memcpy(&started, reply.payload, sizeof started);
	CHECK_EQUAL(MONITOR_HELD, started.state.phase);
	CHECK_EQUAL(REPORT_READY, started.report.kind);
	CHECK(started.state.pid > 0 && kill(started.state.pid, 0) == 0);
	CHECK(reply.fd >= 0 && syscall(SYS_pidfd_send_signal, reply.fd, 0, NULL, 0) == 0);
	close(reply.fd);
	CHECK_EQUAL(EINVAL, ask_op(other, MONITOR_GO, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(EALREADY, ask_op(other, MONITOR_START, 0, NULL, 0, NULL, 0));
	usleep(50000);
	CHECK_TEXT("", log_of(&watched, "x-json.log"));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_GO, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(0, await_phase(watched.socket, MONITOR_EXITED).status);
	CHECK(strstr(log_of(&watched, "x-json.log"), "ran"));
	CHECK_EQUAL(0, ask_op(other, MONITOR_START, MONITOR_HOLD, NULL, 0, &started, sizeof started));
	close(other); /* abandons the start */
	struct monitor_state state = await_phase(watched.socket, MONITOR_EXITED);
	CHECK_EQUAL(STATE_START_FAILED, state.flags & STATE_START_FAILED);
	CHECK(kill(started.state.pid, 0) < 0);
	CHECK_EQUAL(0, start());
	watched_end(&watched);
}

static void a_failed_start_reports_the_reason(void)
{
	static const char *const argv[] = {"/none", NULL};
	struct spec spec = shell("");
	struct monitor_start started;
	struct monitor_record record;
	spec.argv = argv;
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	for (int again = 0; again < 2; again++) {
		CHECK_EQUAL(ENOENT, ask_op(watched.socket, MONITOR_START, 0, NULL, 0, &started, sizeof started));
		CHECK_EQUAL(MONITOR_EXITED, started.state.phase);
		CHECK(started.state.flags & STATE_START_FAILED);
		CHECK_EQUAL(REPORT_ERROR, started.report.kind);
		CHECK_EQUAL(PHASE_READY, started.report.phase);
		CHECK_EQUAL(0, started.reply.stage);
	}
	CHECK(record_of(&watched, &record) && record.end.report.status == ENOENT);
	watched_end(&watched);
}

/* Returns the answer to the start. */
static int start_and_kill(struct monitor_start *started)
{
	static struct message reply;
	int error = -1;
	CHECK(send_op(watched.socket, MONITOR_START, 0, NULL, 0) && send_op(watched.socket, MONITOR_SIGNAL, SIGKILL, NULL, 0));
	for (unsigned replies = 0; replies < 2 && next_message(watched.socket, &reply); replies += (reply.header.op & MONITOR_REPLY) != 0) {
		if (reply.header.op != (MONITOR_START | MONITOR_REPLY))
			continue;
		error = (int)reply.header.argument;
		memcpy(started, reply.payload, sizeof *started);
		CHECK_EQUAL(error == 0, reply.fd >= 0);
		if (reply.fd >= 0)
			close(reply.fd);
	}
	return error;
}

/* Both requests come before init has said anything, or it is tried again: the monitor was held up between the two. */
static void a_start_that_is_killed_has_failed(void)
{
	struct monitor_start started = {0};
	int error = 0;
	for (int tries = 0; tries < 50 && error == 0; tries++) {
		if (tries > 0)
			watched_end(&watched);
		CHECK(begin("echo ran", NULL));
		error = start_and_kill(&started);
	}
	CHECK_EQUAL(ECANCELED, error);
	CHECK_EQUAL(MONITOR_EXITED, started.state.phase);
	CHECK_EQUAL(STATE_START_FAILED, started.state.flags & STATE_START_FAILED);
	CHECK_EQUAL(256 + SIGKILL, started.state.status);
	CHECK_TEXT("", log_of(&watched, "x-json.log"));
	CHECK_EQUAL(0, run().status);
	CHECK_EQUAL(STATE_STDIN_CLOSED, state_of(watched.socket).flags);
	watched_end(&watched);
}

/* It stands still when it may call its program, and is killed. */
static void an_init_that_dies_before_its_program_has_failed_to_start(void)
{
	CHECK(begin("echo ran", NULL));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_START, MONITOR_HOLD, NULL, 0, NULL, 0));
	int init = state_of(watched.socket).pid;
	CHECK(kill(init, SIGSTOP) == 0);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_GO, 0, NULL, 0, NULL, 0));
	CHECK_EQUAL(MONITOR_RUNNING, state_of(watched.socket).phase);
	kill(init, SIGKILL);
	struct monitor_state state = await_phase(watched.socket, MONITOR_EXITED);
	CHECK_EQUAL(256 + SIGKILL, state.status);
	CHECK_EQUAL(STATE_START_FAILED, state.flags & STATE_START_FAILED);
	CHECK_EQUAL(0, run().status);
	CHECK_EQUAL(0, state_of(watched.socket).flags & STATE_START_FAILED);
	watched_end(&watched);
}

/* The policy is about programs that have run: the first run removes what the second one would execute. */
static void a_start_that_fails_is_not_tried_again(void)
{
	const struct monitor_policy always = {.restart = RESTART_ALWAYS, .stop_signal = SIGTERM, .stop_millis = 1000};
	CHECK(begin("rm /bin/sh", NULL));
	CHECK_EQUAL(0, run().status);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_SET, 0, &always, sizeof always, NULL, 0));
	CHECK_EQUAL(ENOENT, ask_op(watched.socket, MONITOR_START, 0, NULL, 0, NULL, 0));
	struct monitor_state state = state_of(watched.socket);
	CHECK_EQUAL(MONITOR_EXITED, state.phase);
	CHECK(state.generation == 2 && state.flags & STATE_START_FAILED);
	watched_end(&watched);
}

/* It is executable, and no program: execveat(2) fails after the start was answered. */
static void a_file_that_is_no_program_fails_its_start(void)
{
	static const char *const argv[] = {"/bin/garbage", NULL};
	char path[160];
	struct monitor_record record;
	snprintf(path, sizeof path, "%s/bin/garbage", base_root);
	int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	CHECK(write(file, "garbage", 7) == 7);
	close(file);
	struct spec spec = shell("");
	spec.argv = argv;
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	struct monitor_state state = run();
	CHECK(state.flags & STATE_START_FAILED);
	CHECK(record_of(&watched, &record) && record.end.report.kind == REPORT_ERROR && record.end.report.status == ENOEXEC);
	unlink(path);
	watched_end(&watched);
}

static void a_run_survives_the_client_that_started_it(void)
{
	CHECK(begin("while :; do sleep 0.02; done", NULL));
	CHECK_EQUAL(0, start());
	int other = connect_to(&watched), monitor = watched.created.monitor_pid;
	close(watched.socket);
	usleep(50000);
	CHECK_EQUAL(MONITOR_RUNNING, state_of(other).phase);
	kill(monitor, SIGHUP), kill(monitor, SIGINT), kill(monitor, SIGPIPE), kill(monitor, SIGXFSZ);
	usleep(50000);
	CHECK_EQUAL(MONITOR_RUNNING, state_of(other).phase);
	watched.socket = other;
	watched_end(&watched);
}

/* A directory that is not a group: the zygote fails, and there is no init. */
static void a_start_that_the_zygote_refuses_reports_the_reason(void)
{
	struct monitor_start started;
	struct spec spec = shell("true");
	spec.cgroup = open("/etc", O_RDONLY | O_DIRECTORY);
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	int error = ask_op(watched.socket, MONITOR_START, 0, NULL, 0, &started, sizeof started);
	CHECK(error == EBADF || error == EINVAL);
	CHECK_EQUAL(STAGE_CLONE, started.reply.stage);
	CHECK_EQUAL(MONITOR_CREATED, started.state.phase);
	CHECK_EQUAL(0, started.state.pid);
	CHECK_EQUAL(MONITOR_CREATED, state_of(watched.socket).phase);
	close(spec.cgroup);
	watched_end(&watched);
}

/* ---- SETUP ---- */

static void no_ids(struct monitor_setup *setup) { setup->id_base = 0; }
static void no_plan(struct monitor_setup *setup) { setup->role[0].kind = FD_HOLD; }
static void stream_slot(struct monitor_setup *setup) { setup->role[0].slot = SLOT_STDIN; }
static void two_logs(struct monitor_setup *setup) { setup->role[1].kind = FD_LOG_DIRECTORY; }
static void unknown_role(struct monitor_setup *setup) { setup->role[1].kind = 99; }
static void other_count(struct monitor_setup *setup) { setup->fds++; }
static void slot_behind(struct monitor_setup *setup) { setup->slots = SLOT_FIRST_FREE; }
static void log_path(struct monitor_setup *setup) { memcpy(setup->log_name, "../x", 5); }
static void log_open_end(struct monitor_setup *setup) { memset(setup->log_name, 'x', sizeof setup->log_name); }
static void log_record(struct monitor_setup *setup) { memcpy(setup->log_name, "exit", 5); }
static void small_log(struct monitor_setup *setup) { setup->log_bytes = 1000; }
static void bad_signal(struct monitor_setup *setup) { setup->policy.stop_signal = 65; }
static void bad_policy(struct monitor_setup *setup) { setup->policy.restart = 9; }
static void bad_flag(struct monitor_setup *setup) { setup->flags = 1u << 31; }
static void no_mount(struct monitor_setup *setup) { setup->role[3].kind = FD_SLOT, setup->role[1].kind = FD_MOUNT, setup->role[1].slot = 5; }
static void layer_out_of_order(struct monitor_setup *setup) { setup->role[setup->fds - 1].slot = 1; }

static void a_bad_setup_is_refused(void)
{
	alteration *const bad[] = {no_ids,   no_plan,	stream_slot,  two_logs,	  unknown_role, other_count, slot_behind, log_path,
				   log_open_end, log_record, small_log, bad_signal, bad_policy,   bad_flag,	no_mount,	layer_out_of_order};
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK(!begin("true", bad[i]));
		CHECK(watched.error == EINVAL || watched.error == EBADMSG);
		CHECK_EQUAL(SETUP_MESSAGE, watched.stage);
		CHECK(connect_to(&watched) < 0);
		watched_end(&watched);
	}
}

/* A copy of the mount that a start gets, not the mount itself: what is done with it does not touch the next start. */
static void a_kept_mount_is_given_as_a_copy(void)
{
	static struct message reply;
	struct stat first, second;
	uint32_t root = SLOT_FIRST_FREE;
	CHECK(begin("true", NULL));
	unsigned before = open_files(watched.created.monitor_pid);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(send_op(watched.socket, MONITOR_MOUNT, root, NULL, 0));
		CHECK_EQUAL(0, await_reply(watched.socket, MONITOR_MOUNT, &reply));
		CHECK(reply.fd >= 0 && fstat(reply.fd, i ? &second : &first) == 0);
		CHECK(faccessat(reply.fd, "bin", F_OK, 0) == 0 || faccessat(reply.fd, "proc", F_OK, 0) == 0);
		close(reply.fd);
	}
	CHECK(first.st_dev == second.st_dev && first.st_ino == second.st_ino);
	state_of(watched.socket);
	CHECK_EQUAL(before, open_files(watched.created.monitor_pid));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_MOUNT, root + 1, NULL, 0, NULL, 0));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_MOUNT, UINT32_MAX, NULL, 0, NULL, 0));
	CHECK_EQUAL(EBADMSG, ask_op(watched.socket, MONITOR_MOUNT, root, "x", 1, NULL, 0));
	CHECK_EQUAL(0, run().status);
	watched_end(&watched);
}

static void a_layer_is_given_by_its_number(void)
{
	static struct message reply;
	struct stat own, given;
	CHECK(begin("true", NULL));
	CHECK(send_op(watched.socket, MONITOR_LAYER, 0, NULL, 0));
	CHECK_EQUAL(0, await_reply(watched.socket, MONITOR_LAYER, &reply));
	CHECK(reply.fd >= 0 && fstat(reply.fd, &given) == 0 && fstat(watched.log, &own) == 0 && own.st_ino == given.st_ino);
	close(reply.fd);
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_LAYER, 1, NULL, 0, NULL, 0));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_LAYER, UINT32_MAX, NULL, 0, NULL, 0));
	CHECK_EQUAL(EBADMSG, ask_op(watched.socket, MONITOR_LAYER, 0, "x", 1, NULL, 0));
	CHECK_EQUAL(0, run().status);
	watched_end(&watched);
}

const struct test monitor_run_tests[] = {
	{"a run is logged and recorded", a_run_is_logged_and_recorded},
	{"a second run has the files of the first", a_second_run_has_the_files_of_the_first},
	{"a kept mount is given as a copy", a_kept_mount_is_given_as_a_copy},
	{"a layer is given by its number", a_layer_is_given_by_its_number},
	{"a run leaves no descriptor open", a_run_leaves_no_descriptor_open},
	{"a held start waits for its holder", a_held_start_waits_for_its_holder},
	{"a start that is killed has failed", a_start_that_is_killed_has_failed},
	{"an init that dies before its program has failed to start", an_init_that_dies_before_its_program_has_failed_to_start},
	{"a start that fails is not tried again", a_start_that_fails_is_not_tried_again},
	{"a failed start reports the reason", a_failed_start_reports_the_reason},
	{"a file that is no program fails its start", a_file_that_is_no_program_fails_its_start},
	{"a run survives the client that started it", a_run_survives_the_client_that_started_it},
	{"a start that the zygote refuses reports the reason", a_start_that_the_zygote_refuses_reports_the_reason},
	{"a bad setup is refused", a_bad_setup_is_refused},
};
const unsigned monitor_run_test_count = sizeof monitor_run_tests / sizeof *monitor_run_tests;
