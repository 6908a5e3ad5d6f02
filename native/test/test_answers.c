/* Tests how the monitor finds the answer to what a filter asks. Its file is included. */
#include <errno.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>

/* The kernel's part, and the time, as a test says. */
static int ioctl_played(int fd, unsigned long request, void *argument);
#define ioctl ioctl_played
#include "../monitor_denials.c"
#undef ioctl
#include "check.h"

#include <linux/audit.h>
#include <stdlib.h>
#include <unistd.h>

/* Of the monitor's other files. */
static uint64_t clock_now = 1;
uint64_t boot_nanos(void) { return clock_now; }
uint64_t wall_millis(void) { return clock_now; }
bool has_init(const struct monitor *monitor) { return monitor->init_pidfd >= 0; }

static struct monitor m;

static int take(const struct sock_filter *filter, size_t bytes, unsigned seals)
{
	int file = memfd_create("answers", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK(file >= 0 && write(file, filter, bytes) == (ssize_t)bytes && fcntl(file, F_ADD_SEALS, seals) == 0);
	int error = take_answers(&m, file);
	close(file);
	return error;
}

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 4),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 6),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 2, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 13),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 8, 0, 2),
	BPF_STMT(BPF_JMP | BPF_JA, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
};

static uint32_t answer_to(int number, uint64_t second, unsigned *looked)
{
	struct seccomp_data call = {.nr = number, .args = {0, second}};
	return decide(&m.denials, &call, looked);
}

static void a_filter_decides_as_the_kernel_does(void)
{
	unsigned looked;
	CHECK(take(filter, sizeof filter, SEALS) == 0);
	CHECK(answer_to(7, 1, &looked) == (SECCOMP_RET_ERRNO | 13) && looked == 2);
	CHECK(answer_to(7, 3, &looked) == (SECCOMP_RET_ERRNO | 1) && looked == 2);
	CHECK(answer_to(9, 0, &looked) == SECCOMP_RET_ALLOW && looked == 0);
	CHECK(answer_to(8, 0, &looked) == (SECCOMP_RET_ERRNO | 1) && looked == 0);
}

static void a_filter_that_could_leave_its_end_or_read_elsewhere_is_refused(void)
{
	const struct sock_filter bad[][2] = {
		{BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)},
		{BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0)},
		{BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), BPF_STMT(BPF_RET | BPF_K, 0)},
		{BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0)},
		{BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_RET | BPF_K, 0)},
		{BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX), BPF_STMT(BPF_RET | BPF_K, 0)},
		{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)), BPF_STMT(BPF_RET | BPF_K, 0)},
		{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), BPF_STMT(BPF_RET | BPF_K, 0)},
		{BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), BPF_STMT(BPF_RET | BPF_K, 0)},
		{BPF_STMT(BPF_RET | BPF_A, 0), BPF_STMT(BPF_RET | BPF_K, 0)},
		{BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_RET | BPF_K, 0)},
	};
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(take(bad[i], sizeof bad[i], SEALS) == -EINVAL);
	CHECK(take(filter, sizeof filter - 1, SEALS) == -EINVAL);
	CHECK(take(filter, 0, SEALS) == -EINVAL);
}

static void memory_that_its_sender_could_change_is_refused(void)
{
	CHECK(take(filter, sizeof filter, F_SEAL_SHRINK | F_SEAL_GROW) == -EPERM);
	CHECK(take(filter, sizeof filter, F_SEAL_SHRINK | F_SEAL_WRITE) == -EPERM);
	int ends[2]; /* fcntl(2) returns -1 for what has no seals */
	CHECK(pipe(ends) == 0 && take_answers(&m, ends[0]) == -EPERM);
	close(ends[0]), close(ends[1]);
}

static void kinds_are_counted_and_bounded(void)
{
	struct seccomp_data call = {.nr = 7, .arch = AUDIT_ARCH_X86_64};
	m.denials.log.count = 0;
	for (unsigned i = 0; i < 3; i++) {
		call.args[0] = i;
		add(&m, LISTENER_OF_PROGRAM, &call, 2, 1); /* the first argument was not looked at */
	}
	CHECK(m.denials.log.count == 1 && m.denials.log.denial[0].count == 3);
	add(&m, LISTENER_OF_PROBE, &call, 2, 1);
	add(&m, LISTENER_OF_EXEC + 3, &call, 2, 1);
	add(&m, LISTENER_OF_EXEC, &call, 2, 1);
	CHECK(m.denials.log.count == 3 && m.denials.log.denial[0].looked == 2);
	CHECK(m.denials.log.denial[1].looked == (2 | DENIAL_OF_PROBE) && m.denials.log.denial[1].count == 1);
	CHECK(m.denials.log.denial[2].looked == (2 | DENIAL_OF_EXEC) && m.denials.log.denial[2].count == 2);
	for (unsigned i = 0; i < 100; i++) {
		call.args[1] = i + 1;
		add(&m, LISTENER_OF_PROGRAM, &call, 2, 1);
	}
	CHECK(m.denials.log.count == MONITOR_MAX_DENIALS && m.denials.log.others == 100 - (MONITOR_MAX_DENIALS - 3));
}

/* As of a call that a signal takes back before it is read: each wakes the monitor all the same. */
static void questions_that_are_taken_back_are_bounded(void)
{
	int ends[2];
	CHECK(pipe(ends) == 0);
	m.denials.listener[LISTENER_OF_EXEC] = ends[0];
	for (unsigned i = 1; i < MOST_QUESTIONS; i++)
		take_question(&m, LISTENER_OF_EXEC, POLLIN);
	CHECK(m.denials.wait_until == 0);
	take_question(&m, LISTENER_OF_EXEC, POLLIN);
	CHECK(m.denials.wait_until != 0);
	run_denial_deadlines(&m, m.denials.wait_until);
	CHECK(m.denials.wait_until == 0 && m.denials.listener[LISTENER_OF_EXEC] == ends[0]);
	close_listeners(&m);
	close(ends[1]);
}

static void listeners_are_kept_as_long_as_there_is_room(void)
{
	static const struct sock_filter any;
	int ends[2];
	CHECK(pipe(ends) == 0);
	clear_listeners(&m.denials);
	m.denials.filter = NULL;
	CHECK(keep_listener(&m, dup(ends[0])) == EINVAL);
	m.denials.filter = &any;
	m.init_pidfd = NO_FD;
	CHECK(keep_listener(&m, dup(ends[0])) == ESRCH);
	m.init_pidfd = ends[1];
	for (unsigned i = 0; i < MONITOR_MAX_EXECS; i++)
		CHECK(has_room_for_listener(&m) && keep_listener(&m, dup(ends[0])) == 0);
	CHECK(!has_room_for_listener(&m) && keep_listener(&m, dup(ends[0])) == EBUSY);
	CHECK(m.denials.listener[LISTENER_OF_PROGRAM] < 0 && m.denials.listener[LISTENER_OF_PROBE] < 0);
	take_question(&m, LISTENER_OF_EXEC + 1, POLLHUP); /* nobody is left under it */
	CHECK(m.denials.listener[LISTENER_OF_EXEC + 1] < 0 && keep_listener(&m, dup(ends[0])) == 0);
	close_listeners(&m);
	int lowest = dup(0);
	CHECK(lowest == ends[1] + 1); /* all were closed */
	close(lowest), close(ends[0]), close(ends[1]);
	m.init_pidfd = NO_FD;
}

/* ---- questions ---- */

static struct seccomp_data question; /* number 0: it was taken back */
static struct seccomp_notif_resp answered;
static int asked_at, answered_at;

static int ioctl_played(int fd, unsigned long request, void *argument)
{
	if (request == SECCOMP_IOCTL_NOTIF_RECV && question.nr == 0) {
		errno = ENOENT;
		return -1;
	}
	if (request == SECCOMP_IOCTL_NOTIF_RECV) {
		asked_at = fd;
		*(struct seccomp_notif *)argument = (struct seccomp_notif){.id = 4711, .data = question};
	} else {
		CHECK_EQUAL(SECCOMP_IOCTL_NOTIF_SEND, request);
		answered_at = fd;
		answered = *(struct seccomp_notif_resp *)argument;
	}
	return 0;
}

static const struct sock_filter answers[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 11, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 38),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 12, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 13, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_LOG),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static void ask_about(int number, uint64_t second)
{
	question = (struct seccomp_data){.nr = number, .args = {0, second}};
	answered = (struct seccomp_notif_resp){.id = 1, .val = 1};
	asked_at = answered_at = -1;
	take_question(&m, LISTENER_OF_PROGRAM, POLLIN);
	question.nr = 0;
	CHECK_EQUAL(m.denials.listener[LISTENER_OF_PROGRAM], asked_at);
	CHECK_EQUAL(asked_at, answered_at);
	CHECK(answered.id == 4711 && answered.val == 0);
}

/* What the filter allows the kernel goes on with; all else fails, and is noted. */
static void each_question_gets_the_filter_s_answer(void)
{
	const struct {
		int number;
		uint64_t second;
		int error, noted; /* 0: it goes on, and nothing is noted */
	} all[] = {{11, 0, -38, 38}, {12, 0, -EPERM, EPERM}, {13, 0, 0, 0}, {14, 0, 0, 0},
		   {SYS_seccomp, 0, 0, 0}, {SYS_seccomp, NEW_LISTENER, -EBUSY, -1}, {15, NEW_LISTENER, 0, 0}};
	CHECK(take(answers, sizeof answers, SEALS) == 0);
	int ends[2];
	CHECK(pipe(ends) == 0);
	clear_listeners(&m.denials);
	take_listener(&m, LISTENER_OF_PROGRAM, ends[0]);
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		m.denials.log = (struct monitor_denial_log){0};
		m.denials.write_at = 0;
		ask_about(all[i].number, all[i].second);
		CHECK_EQUAL(all[i].error, answered.error);
		CHECK_EQUAL(all[i].error == 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0, answered.flags);
		CHECK_EQUAL(all[i].noted != 0, m.denials.log.count);
		CHECK(all[i].noted == 0 || m.denials.log.denial[0].error == all[i].noted);
	}
	close_listeners(&m);
	CHECK_EQUAL(-1, m.denials.listener[LISTENER_OF_PROGRAM]);
	close(ends[1]);
}

/* From one window of time to the next, to the nanosecond. */
static void questions_wait_for_the_next_window(void)
{
	int ends[2];
	CHECK(pipe(ends) == 0);
	clear_listeners(&m.denials);
	take_listener(&m, LISTENER_OF_PROGRAM, ends[0]);
	clock_now = 5 * WINDOW;
	for (unsigned i = 1; i < MOST_QUESTIONS; i++)
		take_question(&m, LISTENER_OF_PROGRAM, POLLIN);
	CHECK(m.denials.wait_until == 0 && m.denials.window == 5 * WINDOW);
	clock_now = 6 * WINDOW - 1;
	take_question(&m, LISTENER_OF_PROGRAM, POLLIN);
	CHECK(m.denials.wait_until == 6 * WINDOW);
	run_denial_deadlines(&m, 6 * WINDOW - 1);
	CHECK(m.denials.wait_until == 6 * WINDOW);
	run_denial_deadlines(&m, 6 * WINDOW);
	CHECK(m.denials.wait_until == 0);
	clock_now = 6 * WINDOW;
	take_question(&m, LISTENER_OF_PROGRAM, POLLIN);
	CHECK(m.denials.wait_until == 0 && m.denials.window == 6 * WINDOW && m.denials.questions == 1);
	close_listeners(&m);
	CHECK(!m.denials.expects);
	close(ends[1]);
	clock_now = 1;
}

static const struct seccomp_data some_call = {.nr = 7, .arch = AUDIT_ARCH_X86_64};

/* Returns a new directory for the log of a monitor that has noted nothing. */
static int begin_notes(char *path)
{
	CHECK(mkdtemp(path) != NULL);
	memset(&m.denials, 0, sizeof m.denials);
	clear_listeners(&m.denials);
	m.log.directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(m.log.directory >= 0);
	return m.log.directory;
}

static void the_next_monitor_goes_on_with_the_notes(void)
{
	char path[] = "/tmp/caisson-answers-XXXXXX";
	int directory = begin_notes(path), lowest = dup(0);
	close(lowest);
	read_denials(&m);
	CHECK(m.denials.log.count == 0 && m.denials.log.others == 0);
	add(&m, LISTENER_OF_PROGRAM, &some_call, 0, 1);
	write_denials(&m);
	CHECK(m.denials.write_at == 0);
	memset(&m.denials.log, 0, sizeof m.denials.log);
	read_denials(&m);
	CHECK(m.denials.log.count == 1 && m.denials.log.denial[0].number == 7);
	int next = dup(0);
	CHECK_EQUAL(lowest, next); /* nothing stays open */
	close(next);
	add(&m, LISTENER_OF_PROGRAM, &some_call, 0, 1);
	CHECK(m.denials.log.count == 1 && m.denials.log.denial[0].count == 2);

	m.denials.log.count = MONITOR_MAX_DENIALS + 1; /* no monitor writes that */
	write_denials(&m);
	read_denials(&m);
	CHECK(m.denials.log.count == 0 && m.denials.log.denial[0].count == 0);
	int file = openat(directory, MONITOR_DENIAL_FILE, O_WRONLY | O_CLOEXEC);
	CHECK(ftruncate(file, sizeof m.denials.log - 1) == 0);
	close(file);
	read_denials(&m);
	CHECK(m.denials.log.count == 0 && m.denials.log.magic == 0);
	CHECK(unlinkat(directory, MONITOR_DENIAL_FILE, 0) == 0);
	close(directory);
	CHECK(rmdir(path) == 0);
}

static void notes_that_cannot_be_written_are_written_later(void)
{
	char path[] = "/tmp/caisson-answers-XXXXXX";
	int directory = begin_notes(path);
	clock_now = 100 * DELAY;
	add(&m, LISTENER_OF_PROGRAM, &some_call, 0, 1);
	CHECK(m.denials.write_at == 101 * DELAY);
	clock_now++;
	add(&m, LISTENER_OF_PROGRAM, &some_call, 0, 1); /* it does not put that off */
	CHECK(m.denials.write_at == 101 * DELAY);
	m.denials.log = (struct monitor_denial_log){0}, m.denials.write_at = 0, clock_now = 1;
	CHECK(rmdir(path) == 0);
	add(&m, LISTENER_OF_PROGRAM, &some_call, 0, 1);
	write_denials(&m);
	CHECK(m.denials.write_at == 1 + RETRY);
	run_denial_deadlines(&m, RETRY); /* not yet */
	CHECK(m.denials.write_at == 1 + RETRY && m.denials.log.count == 1);
	close(directory);
}

int main(void)
{
	static const struct test tests[] = {
		{"decisions", a_filter_decides_as_the_kernel_does},
		{"instructions", a_filter_that_could_leave_its_end_or_read_elsewhere_is_refused},
		{"seals", memory_that_its_sender_could_change_is_refused},
		{"kinds", kinds_are_counted_and_bounded},
		{"listeners", listeners_are_kept_as_long_as_there_is_room},
		{"taken back", questions_that_are_taken_back_are_bounded},
		{"each answer", each_question_gets_the_filter_s_answer},
		{"windows", questions_wait_for_the_next_window},
		{"next monitor", the_next_monitor_goes_on_with_the_notes},
		{"later", notes_that_cannot_be_written_are_written_later},
	};
	unsigned passed = 0, failed = 0;
	run_tests(tests, sizeof tests / sizeof *tests, NULL, &passed, &failed);
	printf("answers: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
