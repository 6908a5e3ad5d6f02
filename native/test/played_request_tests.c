/* Requests, and the clients that send them. */
#include "played_tests.h"
#include "../kernel.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- messages ---- */

static void a_message_that_is_not_as_long_as_it_says_is_refused(void)
{
	struct monitor_header header = {MONITOR_STATE, MONITOR_VERSION, 5, 0, 1};
	begin();
	CHECK(send(usual, &header, sizeof header, 0) > 0);
	read_client(&m, &m.client[0]);
	CHECK(hear(usual));
	CHECK_EQUAL(EBADMSG, answered.header.argument);
	CHECK_EQUAL(5, answered.header.sequence);
	CHECK(send(usual, &header, sizeof header - 1, 0) > 0);
	read_client(&m, &m.client[0]);
	CHECK(hear(usual));
	CHECK_EQUAL(EBADMSG, answered.header.argument);
	CHECK(send(usual, &header, 0, 0) == 0); /* empty, and nobody has hung up */
	read_client(&m, &m.client[0]);
	CHECK(hear(usual));
	CHECK_EQUAL(EBADMSG, answered.header.argument);
	CHECK(m.client[0].fd >= 0);
	finish();
}

static void another_version_may_say_hello_alone(void)
{
	begin();
	for (unsigned op = MONITOR_HELLO; op <= MONITOR_STATE; op++) {
		struct monitor_header header = {(uint16_t)op, MONITOR_VERSION + 1, 1, 0, 0};
		CHECK(send(usual, &header, sizeof header, 0) > 0);
		read_client(&m, &m.client[0]);
		CHECK(hear(usual));
		CHECK_EQUAL(op == MONITOR_HELLO ? 0 : EPROTO, answered.header.argument);
		CHECK_EQUAL(MONITOR_VERSION, answered.header.version);
	}
	finish();
}

/* Whether a process of these ids that reaches the monitor's socket becomes a client of its. */
static bool takes(unsigned uid, unsigned gid)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX}; /* the kernel finds a name, which no directory guards */
	socklen_t size = sizeof name;
	unsigned before = 0, after = 0;
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), status;
	CHECK(bind(listener, (struct sockaddr *)&name, sizeof name.sun_family) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&name, &size) == 0);
	CHECK(listen(listener, 1) == 0);
	int pid = fork();
	if (pid == 0) {
		int own = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		_exit(setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0 || connect(own, (struct sockaddr *)&name, size) != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQUAL(0, status);
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++)
		before += m.client[i].fd >= 0;
	m.listener = listener;
	accept_clients(&m);
	for (unsigned i = 0; i < MONITOR_MAX_CLIENTS; i++)
		after += m.client[i].fd >= 0;
	close(listener);
	return after == before + 1;
}

static void root_alone_becomes_a_client_whatever_its_group(void)
{
	if (geteuid() != 0)
		return; /* nobody else becomes another user */
	begin();
	int former = m.listener;
	CHECK(takes(0, 0));
	CHECK(takes(0, 1000));
	CHECK(!takes(1000, 0));
	CHECK(!takes(65534, 0));
	CHECK(!takes(1, 1));
	m.listener = former;
	finish();
}

static void a_payload_where_none_belongs_is_refused(void)
{
	static const uint16_t without[] = {MONITOR_HELLO, MONITOR_STATE, MONITOR_START, MONITOR_GO, MONITOR_SIGNAL, MONITOR_PAUSE, MONITOR_UNPAUSE,
					   MONITOR_RESIZE, MONITOR_WATCH, MONITOR_RENEW, MONITOR_REMOVE, MONITOR_MOUNT, MONITOR_LAYER, MONITOR_LEND,
					   MONITOR_PLAN, MONITOR_PROGRAM, MONITOR_OUTPUT, MONITOR_REDACT, MONITOR_NETWORK, MONITOR_OWNER, MONITOR_ANSWER};
	static const uint16_t with[] = {MONITOR_STOP, MONITOR_SET, MONITOR_ADOPT, MONITOR_READ, MONITOR_RELINK};
	uint32_t payload = 1;
	begin();
	for (unsigned i = 0; i < sizeof without / sizeof *without; i++)
		CHECK_EQUAL(EBADMSG, ask_with(without[i], &payload, sizeof payload));
	for (unsigned i = 0; i < sizeof with / sizeof *with; i++)
		CHECK_EQUAL(EBADMSG, ask_with(with[i], &payload, sizeof payload));
	CHECK_EQUAL(EOPNOTSUPP, ask(MONITOR_SETUP, 0));
	CHECK_EQUAL(EOPNOTSUPP, ask(22, 0));
	CHECK_EQUAL(EOPNOTSUPP, ask_with(21, &payload, sizeof payload));
	CHECK_EQUAL(MONITOR_CREATED, m.phase);
	finish();
}

static void arguments_that_nobody_knows_are_refused(void)
{
	begin();
	CHECK_EQUAL(EINVAL, ask(MONITOR_START, 2));
	CHECK_EQUAL(EINVAL, ask(MONITOR_WATCH, 4));
	CHECK_EQUAL(EINVAL, ask(MONITOR_REMOVE, 2));
	run_it();
	m.freezer = some_file();
	CHECK_EQUAL(EINVAL, ask(MONITOR_PAUSE, 2));
	CHECK_EQUAL(EINVAL, ask(MONITOR_STDIN, 2));
	CHECK_EQUAL(0, ask(MONITOR_PAUSE, MONITOR_HOLD));
	CHECK_EQUAL(EINVAL, ask(MONITOR_UNPAUSE, MONITOR_HOLD));
	finish();
}

/* ---- clients ---- */

static void there_is_room_for_thirty_two_clients(void)
{
	int last = NO_FD;
	char byte;
	begin();
	for (unsigned i = 1; i < MONITOR_MAX_CLIENTS; i++)
		last = connected();
	CHECK_EQUAL(0, ask_as(last, MONITOR_STATE, 0, NULL, 0));
	CHECK_EQUAL(0, recv(connected(), &byte, 1, 0));
	drop_client(&m, &m.client[3]);
	CHECK_EQUAL(0, ask_as(connected(), MONITOR_STATE, 0, NULL, 0));
	finish();
}

static void a_client_that_reads_no_replies_is_dropped(void)
{
	begin();
	for (unsigned i = 0; i < 10000 && m.client[0].fd >= 0; i++) {
		struct monitor_header header = {MONITOR_STATE, MONITOR_VERSION, 1, 0, 0};
		serve_request(&m, &m.client[0], &header, NULL, &(int){NO_FD});
	}
	CHECK_EQUAL(-1, m.client[0].fd);
	finish();
}

static void a_notice_that_does_not_fit_is_sent_later(void)
{
	begin();
	CHECK_EQUAL(0, ask(MONITOR_WATCH, WATCH_STATE | WATCH_LOG));
	unsigned sent = 0;
	for (; sent < 10000 && !m.client[0].full; sent++) {
		note(&m, WATCH_STATE);
		send_notices(&m);
	}
	CHECK(m.client[0].full && m.client[0].fd >= 0);
	m.last.state.generation = 77;
	note(&m, WATCH_STATE);
	send_notices(&m); /* not while it is full */
	while (hear(usual))
		CHECK_EQUAL(NOTICE_STATE, answered.header.op);
	CHECK(m.client[0].unsent == WATCH_STATE);
	m.client[0].full = false;
	send_notices(&m);
	CHECK(hear(usual));
	CHECK_EQUAL(NOTICE_STATE, answered.header.op);
	CHECK_EQUAL(77, told().generation);
	CHECK(!hear(usual));
	finish();
}

static void each_client_hears_what_it_asked_for(void)
{
	begin();
	int other = connected(), third = connected();
	CHECK_EQUAL(0, ask(MONITOR_WATCH, WATCH_LOG));
	CHECK_EQUAL(0, ask_as(other, MONITOR_WATCH, WATCH_STATE, NULL, 0));
	m.log.grew = true, m.log.total = 99;
	note(&m, WATCH_STATE);
	send_notices(&m);
	CHECK(hear(usual));
	CHECK_EQUAL(NOTICE_GREW, answered.header.op);
	CHECK_EQUAL(sizeof m.log.total, answered.header.length);
	CHECK_EQUAL(99, answered.payload[0]);
	CHECK(!hear(usual));
	CHECK(hear(other));
	CHECK_EQUAL(NOTICE_STATE, answered.header.op);
	CHECK(!hear(other));
	CHECK(!hear(third));
	send_notices(&m);
	CHECK(!hear(usual) && !hear(other)); /* once */
	note(&m, WATCH_STATE);
	CHECK_EQUAL(0, ask_as(other, MONITOR_WATCH, 0, NULL, 0));
	send_notices(&m);
	CHECK(!hear(other)); /* it has given that up */
	finish();
}

static void who_hangs_up_is_dropped(void)
{
	begin();
	shutdown(usual, SHUT_RDWR);
	read_client(&m, &m.client[0]);
	CHECK_EQUAL(-1, m.client[0].fd);
	finish();
}

/* ---- signals and pauses ---- */

static void signals_reach_the_first_process(void)
{
	begin();
	CHECK_EQUAL(ESRCH, ask(MONITOR_SIGNAL, SIGTERM));
	CHECK_EQUAL(ESRCH, ask(MONITOR_SIGNAL, SIGTERM | MONITOR_FINAL));
	run_it();
	CHECK_EQUAL(EINVAL, ask(MONITOR_SIGNAL, 0));
	CHECK_EQUAL(EINVAL, ask(MONITOR_SIGNAL, NSIG));
	CHECK_EQUAL(0, ask(MONITOR_SIGNAL, SIGUSR1));
	CHECK_EQUAL(SIGUSR1, heard_signal());
	CHECK(!m.ends && m.stop_at == 0);
	CHECK_EQUAL(0, ask(MONITOR_SIGNAL, SIGHUP | MONITOR_FINAL));
	CHECK_EQUAL(SIGHUP, heard_signal());
	CHECK(m.ends && m.stop_at == 0 && m.last.state.flags & STATE_STOPPED);
	CHECK_EQUAL(0, ask(MONITOR_SIGNAL, SIGKILL));
	CHECK(is_killed(m.init_pidfd));
	finish();
}

static void a_signal_ends_a_start_and_only_a_final_one_a_wait(void)
{
	begin_with(&(struct monitor_policy){.restart = RESTART_ALWAYS, .stop_signal = SIGTERM});
	for (unsigned held = 0; held < 2; held++) {
		ask(MONITOR_START, held ? MONITOR_HOLD : 0);
		if (held)
			say(REPORT_READY, 0, 0);
		CHECK_EQUAL(0, ask_as(connected(), MONITOR_SIGNAL, SIGHUP, NULL, 0));
		CHECK(is_killed(m.init_pidfd));
		CHECK(m.ends && !(m.last.state.flags & STATE_STOPPED));
		dies(SIGKILL);
		CHECK_EQUAL(MONITOR_EXITED, m.phase);
	}
	run_it();
	dies(SIGKILL);
	CHECK_EQUAL(MONITOR_RESTARTING, m.phase);
	CHECK_EQUAL(ESRCH, ask(MONITOR_SIGNAL, SIGTERM));
	CHECK_EQUAL(0, ask(MONITOR_SIGNAL, SIGTERM | MONITOR_FINAL));
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	finish();
}

static void check_freezer(const char *expected)
{
	char text[16] = "";
	CHECK(pread(m.freezer, text, sizeof text - 1, 0) >= 0);
	CHECK(strncmp(text, expected, strlen(expected)) == 0);
}

static void check_pause(bool v1)
{
	begin();
	CHECK_EQUAL(EINVAL, ask(MONITOR_PAUSE, 0));
	run_it();
	CHECK_EQUAL(EOPNOTSUPP, ask(MONITOR_PAUSE, 0));
	m.freezer = some_file(), m.freezer_v1 = v1;
	CHECK_EQUAL(EINVAL, ask(MONITOR_UNPAUSE, 0));
	CHECK_EQUAL(0, ask(MONITOR_PAUSE, 0));
	CHECK_EQUAL(MONITOR_PAUSED, told().phase);
	CHECK_EQUAL(-1, m.freezes);
	check_freezer(v1 ? "FROZEN" : "1");
	CHECK_EQUAL(EINVAL, ask(MONITOR_PAUSE, 0));
	CHECK_EQUAL(0, ask(MONITOR_UNPAUSE, 0));
	CHECK_EQUAL(MONITOR_RUNNING, told().phase);
	check_freezer(v1 ? "THAWED" : "0");
	CHECK_EQUAL(0, ask(MONITOR_PAUSE, 0));
	CHECK_EQUAL(-1, ask(MONITOR_STOP, 0)); /* its signal must be heard */
	CHECK_EQUAL(SIGTERM, heard_signal());
	CHECK_EQUAL(MONITOR_RUNNING, m.phase);
	check_freezer(v1 ? "THAWED" : "0");
	finish();
}

static void a_pause_is_written_as_the_version_wants_it(void)
{
	check_pause(true);
	check_pause(false);
}

static void a_pause_that_is_held_ends_with_its_client(void)
{
	begin();
	run_it();
	int holder = connected();
	connected();
	m.freezer = some_file();
	CHECK_EQUAL(0, ask_as(holder, MONITOR_PAUSE, MONITOR_HOLD, NULL, 0));
	CHECK_EQUAL(1, m.freezes);
	drop_client(&m, &m.client[2]);
	CHECK_EQUAL(MONITOR_PAUSED, m.phase);
	drop_client(&m, &m.client[1]);
	CHECK_EQUAL(MONITOR_RUNNING, m.phase);
	CHECK_EQUAL(-1, m.freezes);
	check_freezer("0");
	finish();
}

static void only_what_is_paused_is_thawed(void)
{
	begin();
	m.freezer = some_file();
	ask(MONITOR_START, 0);
	CHECK_EQUAL(-1, ask_as(connected(), MONITOR_STOP, 0, NULL, 0));
	CHECK_EQUAL(MONITOR_STARTING, m.phase);
	struct stat written = {0};
	CHECK(fstat(m.freezer, &written) == 0 && written.st_size == 0);
	finish();
}

static void what_is_paused_and_killed_is_thawed(void)
{
	begin();
	run_it();
	m.freezer = some_file();
	CHECK_EQUAL(0, ask(MONITOR_PAUSE, 0));
	dies(SIGKILL);
	check_freezer("0");
	CHECK_EQUAL(MONITOR_EXITED, m.phase);
	CHECK_EQUAL(MONITOR_RUNNING, m.phase_before);
	finish();
}

/* ---- removal ---- */

static void only_what_rests_is_removed_without_force(void)
{
	begin();
	run_it();
	CHECK_EQUAL(EBUSY, ask(MONITOR_REMOVE, 0));
	CHECK_EQUAL(-1, ask(MONITOR_REMOVE, MONITOR_FORCE));
	CHECK(m.quits && is_killed(m.init_pidfd));
	CHECK_EQUAL(EALREADY, ask_as(connected(), MONITOR_START, 0, NULL, 0));
	if (setjmp(played.gone) == 0) {
		dies(SIGKILL);
		CHECK(false);
	}
	finish();
	begin();
	if (setjmp(played.gone) == 0) {
		ask(MONITOR_REMOVE, 0);
		CHECK(false);
	}
	CHECK_EQUAL(0, played.code);
	finish();
}

/* ---- what is handed out ---- */

static void layers_are_numbered_from_0(void)
{
	begin();
	CHECK_EQUAL(EINVAL, ask(MONITOR_LAYER, 0));
	m.layer[0] = some_file(), m.layer_count = 1;
	CHECK_EQUAL(0, ask(MONITOR_LAYER, 0));
	CHECK(answered.fd >= 0);
	CHECK_EQUAL(EINVAL, ask(MONITOR_LAYER, 1));
	CHECK_EQUAL(-1, answered.fd);
	close(m.layer[0]);
	finish();
}

static void a_mount_is_handed_out_if_there_is_one(void)
{
	begin();
	CHECK_EQUAL(0, ask(MONITOR_MOUNT, 3));
	CHECK(answered.fd >= 0);
	CHECK_EQUAL(EINVAL, ask(MONITOR_MOUNT, 4));
	CHECK_EQUAL(-1, answered.fd);
	finish();
}

static void the_directory_of_a_log_is_handed_out_if_it_has_one_of_its_own(void)
{
	struct stat own, given;
	begin();
	CHECK_EQUAL(EINVAL, ask(MONITOR_OUTPUT, 0));
	CHECK_EQUAL(-1, answered.fd);
	m.log.output = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_EQUAL(0, ask(MONITOR_OUTPUT, 0));
	CHECK(fstat(answered.fd, &given) == 0 && fstat(m.log.output, &own) == 0 && own.st_ino == given.st_ino);
	close_fd(&m.log.output);
	finish();
}

static void the_plan_and_the_program_are_handed_out(void)
{
	begin();
	CHECK_EQUAL(ENOENT, ask(MONITOR_PLAN, 0));
	CHECK_EQUAL(ENOENT, ask(MONITOR_PROGRAM, 0));
	m.given[0].fd = some_file(), m.given[0].slot = SLOT_FIRST_FREE;
	m.given[1].fd = some_file(), m.given[1].slot = SLOT_PLAN;
	m.given_count = 2;
	m.program = some_file();
	CHECK_EQUAL(0, ask(MONITOR_PLAN, 0));
	struct stat plan, given;
	CHECK(fstat(answered.fd, &plan) == 0 && fstat(m.given[1].fd, &given) == 0 && plan.st_ino == given.st_ino);
	CHECK_EQUAL(0, ask(MONITOR_PROGRAM, 0));
	CHECK(fstat(answered.fd, &plan) == 0 && fstat(m.program, &given) == 0 && plan.st_ino == given.st_ino);
	close(m.given[0].fd), close(m.given[1].fd), close_fd(&m.program);
	finish();
}

const struct test played_request_tests[] = {
	{"requests: lengths", a_message_that_is_not_as_long_as_it_says_is_refused},
	{"requests: versions", another_version_may_say_hello_alone},
	{"requests: payloads", a_payload_where_none_belongs_is_refused},
	{"requests: arguments", arguments_that_nobody_knows_are_refused},
	{"requests: clients", there_is_room_for_thirty_two_clients},
	{"requests: peers", root_alone_becomes_a_client_whatever_its_group},
	{"requests: replies", a_client_that_reads_no_replies_is_dropped},
	{"requests: later notices", a_notice_that_does_not_fit_is_sent_later},
	{"requests: notices", each_client_hears_what_it_asked_for},
	{"requests: hung up", who_hangs_up_is_dropped},
	{"requests: signals", signals_reach_the_first_process},
	{"requests: signals of no run", a_signal_ends_a_start_and_only_a_final_one_a_wait},
	{"requests: pause", a_pause_is_written_as_the_version_wants_it},
	{"requests: held pause", a_pause_that_is_held_ends_with_its_client},
	{"requests: end of a pause", what_is_paused_and_killed_is_thawed},
	{"requests: no pause", only_what_is_paused_is_thawed},
	{"requests: removal", only_what_rests_is_removed_without_force},
	{"requests: layers", layers_are_numbered_from_0},
	{"requests: mounts", a_mount_is_handed_out_if_there_is_one},
	{"requests: directory of a log", the_directory_of_a_log_is_handed_out_if_it_has_one_of_its_own},
	{"requests: plan and program", the_plan_and_the_program_are_handed_out},
};
const unsigned played_request_test_count = sizeof played_request_tests / sizeof *played_request_tests;
