/* Links and resolver sockets of a container that its monitor starts again and again, in a network namespace of each test's own. */
#include "monitor_tests.h"
#include "own_network.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool begin_linked(const char *script, const struct links *links, void (*more)(struct builder *, uint8_t))
{
	struct spec spec = shell(script);
	spec.links = links, spec.more = more;
	return watched_begin(&watched, &engine, binary, &spec, NULL);
}

static unsigned count_of(const char *text, const char *part)
{
	unsigned count = 0;
	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		count++;
	return count;
}

static int set_restart(enum monitor_restart restart)
{
	struct monitor_policy policy = {.restart = restart, .stop_signal = SIGTERM, .stop_millis = 10000};
	struct monitor_state state;
	return ask_op(watched.socket, MONITOR_SET, 0, &policy, sizeof policy, &state, sizeof state);
}

/* What is lent, or a negated error number. */
static int lend(int socket, uint32_t protocol)
{
	static struct message reply;
	if (!send_op(socket, MONITOR_LEND, protocol, NULL, 0))
		return -EIO;
	int error = await_reply(socket, MONITOR_LEND, &reply);
	CHECK(error != 0 || (reply.fd >= 0 && reply.header.length == 0));
	return error == 0 ? reply.fd : -error;
}

static void each_start_and_restart_has_the_links(void)
{
	struct links links = one_link();
	enter_own_network();
	CHECK(begin_linked("cat /sys/class/net/eth0/ifindex; ip -o -4 addr show dev eth0; exit 3", &links, with_address));
	CHECK(!link_is_there("cvtest"));
	CHECK_EQUAL(3, run().status);
	CHECK_EQUAL(0, set_restart(RESTART_ALWAYS));
	CHECK_EQUAL(0, start());
	for (int tries = 0; tries < 2000 && state_of(watched.socket).restarts < 3; tries++)
		usleep(10000);
	CHECK_EQUAL(0, set_restart(RESTART_NO));
	await_phase(watched.socket, MONITOR_EXITED);
	const char *log = log_of(&watched, "x-json.log");
	CHECK(count_of(log, "\"100\\n\"") >= 4);
	CHECK_EQUAL(count_of(log, "\"100\\n\""), count_of(log, GUEST "/24"));
	CHECK(link_goes_away("cvtest"));
	watched_end(&watched);
	leave_own_network();
}

/* A network that was removed meanwhile: the start fails, and the next one may work. */
static void a_start_without_its_bridge_fails_and_leaves_nothing(void)
{
	struct links links = one_link();
	struct monitor_start started;
	enter_own_network();
	CHECK(begin_linked("exit 3", &links, NULL));
	unsigned files = open_files(watched.created.monitor_pid);
	CHECK(runs("ip link del cnbridge"));
	CHECK_EQUAL(ENODEV, ask_op(watched.socket, MONITOR_START, 0, NULL, 0, &started, sizeof started));
	CHECK_EQUAL(STAGE_LINKS, started.reply.stage);
	CHECK_EQUAL(-ENODEV, started.reply.status);
	CHECK_EQUAL(MONITOR_CREATED, started.state.phase);
	CHECK(started.state.flags & STATE_START_FAILED);
	CHECK_EQUAL(0, started.state.pid);
	CHECK_EQUAL(files, files_settled(watched.created.monitor_pid, files));
	CHECK(!link_is_there("cvtest"));
	CHECK(runs("ip link add cnbridge type bridge"));
	CHECK_EQUAL(3, run().status);
	watched_end(&watched);
	leave_own_network();
}

static void the_sockets_of_a_run_are_lent(void)
{
	struct links links = one_link();
	enter_own_network();
	CHECK(begin_linked(UNTIL_KILLED, &links, with_address_and_resolver));
	int other = connect_to(&watched);
	CHECK_EQUAL(-ESRCH, lend(other, IPPROTO_UDP));
	CHECK_EQUAL(0, start());
	unsigned files = open_files(watched.created.monitor_pid);
	CHECK_EQUAL(-EINVAL, lend(other, 0));
	CHECK_EQUAL(-EINVAL, lend(other, IPPROTO_ICMP));
	for (int times = 0; times < 3; times++) { /* whoever answers may be replaced */
		int udp = lend(other, IPPROTO_UDP), tcp = lend(other, IPPROTO_TCP);
		expect_resolver_socket(udp, IPPROTO_UDP, UDP_PORT);
		expect_resolver_socket(tcp, IPPROTO_TCP, TCP_PORT);
		close(udp), close(tcp);
	}
	CHECK_EQUAL(files, files_settled(watched.created.monitor_pid, files));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, &(struct monitor_stop){SIGKILL, 0}, sizeof(struct monitor_stop), NULL, 0));
	CHECK_EQUAL(-ESRCH, lend(other, IPPROTO_UDP));
	CHECK_EQUAL(-ESRCH, lend(other, IPPROTO_TCP));
	CHECK(link_goes_away("cvtest")); /* the monitor holds nothing of the run */
	close(other);
	watched_end(&watched);
	leave_own_network();
}

/* Somebody who still holds a socket of the run before holds its namespace, too, but not its link. */
static void a_socket_of_the_last_run_does_not_hinder_the_next(void)
{
	struct links links = one_link();
	enter_own_network();
	CHECK(begin_linked(UNTIL_KILLED, &links, with_address_and_resolver));
	const struct monitor_stop at_once = {SIGKILL, 0};
	CHECK_EQUAL(0, start());
	int held = lend(watched.socket, IPPROTO_UDP);
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, &at_once, sizeof at_once, NULL, 0));
	CHECK(!link_is_there("cvtest"));
	CHECK_EQUAL(0, start());
	int next = lend(watched.socket, IPPROTO_UDP);
	CHECK(held >= 0 && next >= 0);
	expect_link("cvtest", "\"UP\"");
	close(held);
	usleep(200000);
	CHECK(link_is_there("cvtest"));
	CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, &at_once, sizeof at_once, NULL, 0));
	CHECK(!link_is_there("cvtest"));
	close(next);
	watched_end(&watched);
	leave_own_network();
}

/* NETWORK, with a descriptor or none. */
static int give(uint16_t op, int fd)
{
	static struct message reply;
	struct monitor_header header = {op, MONITOR_VERSION, 78, 0, 0};
	if (engine_send(watched.socket, &header, sizeof header, &fd, fd < 0 ? 0 : 1) != sizeof header)
		return EIO;
	return await_reply(watched.socket, op, &reply);
}

static int give_network(int name_space) { return give(MONITOR_NETWORK, name_space); }

/* Each start is in the namespace that was given for it, and the monitor keeps none when it is over. */
static void a_start_is_in_the_network_of_another(void)
{
	struct spec spec = shell("ls /sys/class/net | grep -c cvhere; exit 3");
	struct monitor_start started;
	spec.dropped_clone_flags = CLONE_NEWNET;
	enter_own_network();
	CHECK(runs("ip link add cvhere type veth peer name cvthere"));
	int network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	leave_own_network();
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	unsigned files = open_files(watched.created.monitor_pid);
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_START, 0, NULL, 0, &started, sizeof started)); /* never the host's */
	CHECK_EQUAL(EBADMSG, give_network(-1));
	for (int times = 0; times < 2; times++) {
		CHECK_EQUAL(0, give_network(network));
		CHECK_EQUAL(0, give_network(network));
		CHECK_EQUAL(files + 1, files_settled(watched.created.monitor_pid, files + 1));
		CHECK_EQUAL(3, run().status);
		CHECK_EQUAL(files, files_settled(watched.created.monitor_pid, files));
	}
	CHECK_EQUAL(2, count_of(log_of(&watched, "x-json.log"), "\"1\\n\""));
	CHECK_EQUAL(EINVAL, ask_op(watched.socket, MONITOR_START, 0, NULL, 0, &started, sizeof started));
	int hosts = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC); /* nor where it is named */
	CHECK_EQUAL(0, give_network(hosts));
	CHECK_EQUAL(EPERM, ask_op(watched.socket, MONITOR_START, 0, NULL, 0, &started, sizeof started));
	CHECK_EQUAL(files, files_settled(watched.created.monitor_pid, files));
	close(network), close(hosts);
	watched_end(&watched);
}

static int a_network_and_its_owner(int *name_space, pid_t *owner)
{
	enter_own_network();
	*name_space = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	leave_own_network();
	*owner = fork();
	if (*owner == 0)
		for (;;)
			pause();
	return (int)syscall(SYS_pidfd_open, *owner, 0);
}

/* By policy it starts again in the network of one that lives, and in no other, until it is given the next one. */
static void a_restart_needs_the_owner_of_its_network(void)
{
	struct spec spec = shell("sleep 0.1; exit 3");
	int network, other;
	pid_t owner, next;
	spec.dropped_clone_flags = CLONE_NEWNET;
	int process = a_network_and_its_owner(&network, &owner);
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	unsigned files = open_files(watched.created.monitor_pid);
	CHECK_EQUAL(EINVAL, give(MONITOR_OWNER, process)); /* of no network */
	CHECK_EQUAL(0, give_network(network));
	CHECK_EQUAL(EINVAL, give(MONITOR_OWNER, network)); /* no process */
	CHECK_EQUAL(0, give(MONITOR_OWNER, process));
	CHECK_EQUAL(0, set_restart(RESTART_ALWAYS));
	CHECK_EQUAL(0, start());
	for (int tries = 0; tries < 2000 && state_of(watched.socket).restarts < 2; tries++)
		usleep(10000);
	CHECK(!(state_of(watched.socket).flags & STATE_NETWORK_ENDED));
	kill(owner, SIGKILL), waitpid(owner, NULL, 0);
	for (int tries = 0; tries < 2000 && !(state_of(watched.socket).flags & STATE_NETWORK_ENDED); tries++)
		usleep(10000);
	struct monitor_state state = state_of(watched.socket);
	CHECK_EQUAL(STATE_START_FAILED | STATE_NETWORK_ENDED, state.flags & (STATE_START_FAILED | STATE_NETWORK_ENDED));
	CHECK_EQUAL(125, state.status);
	CHECK_EQUAL(files + 1, files_settled(watched.created.monitor_pid, files + 1)); /* not the network */

	int later = a_network_and_its_owner(&other, &next);
	CHECK_EQUAL(0, give_network(other));
	CHECK_EQUAL(0, give(MONITOR_OWNER, later));
	for (int tries = 0; tries < 2000 && state_of(watched.socket).status != 3; tries++)
		usleep(10000);
	CHECK_EQUAL(3, state_of(watched.socket).status);
	CHECK_EQUAL(0, set_restart(RESTART_NO));
	await_phase(watched.socket, MONITOR_EXITED);
	CHECK_EQUAL(files, files_settled(watched.created.monitor_pid, files));
	kill(next, SIGKILL), waitpid(next, NULL, 0);
	close(network), close(other), close(process), close(later);
	watched_end(&watched);
}

static void one_with_a_network_of_its_own_takes_no_other(void)
{
	struct spec spec = shell("exit 3");
	int network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	CHECK(watched_begin(&watched, &engine, binary, &spec, NULL));
	unsigned files = open_files(watched.created.monitor_pid);
	CHECK_EQUAL(EINVAL, give_network(network));
	CHECK_EQUAL(files, files_settled(watched.created.monitor_pid, files));
	CHECK_EQUAL(3, run().status);
	close(network);
	watched_end(&watched);
}

static void of_the_host(struct monitor_setup *setup) { setup->flags |= MONITOR_HOST_NETWORK; }

/* It starts in the host's, which it was made for, and in that of nobody else. */
static void one_in_the_network_of_the_host_takes_no_other(void)
{
	struct spec spec = shell("exit 3");
	int network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	spec.dropped_clone_flags = CLONE_NEWNET;
	CHECK(watched_begin(&watched, &engine, binary, &spec, of_the_host));
	unsigned files = open_files(watched.created.monitor_pid);
	CHECK_EQUAL(EINVAL, give_network(network));
	CHECK_EQUAL(files, files_settled(watched.created.monitor_pid, files));
	CHECK_EQUAL(3, run().status);
	close(network);
	watched_end(&watched);
}

/* RELINK with the plan that the monitor gives, or with `plan`. */
static int relink(const struct links *links, int plan, struct monitor_state *state)
{
	static struct message reply;
	struct monitor_header header = {MONITOR_RELINK, MONITOR_VERSION, 77, 0, sizeof *links};
	struct {
		struct monitor_header header;
		struct links links;
	} __attribute__((packed)) request = {header, *links};
	if (engine_send(watched.socket, &request, sizeof request, &plan, plan < 0 ? 0 : 1) != sizeof request)
		return EIO;
	int error = await_reply(watched.socket, MONITOR_RELINK, &reply);
	if (error == 0)
		memcpy(state, reply.payload, sizeof *state);
	return error;
}

static int plan_of_next_start(void)
{
	static struct message reply;
	CHECK(send_op(watched.socket, MONITOR_PLAN, 0, NULL, 0));
	CHECK_EQUAL(0, await_reply(watched.socket, MONITOR_PLAN, &reply));
	CHECK(reply.fd >= 0);
	return reply.fd;
}

/* What is linked anew counts from the next start on. */
static void the_next_start_has_other_links(void)
{
	struct links links = one_link(), other = links, none = {0}, bad = links;
	struct monitor_state state;
	const struct monitor_stop at_once = {SIGKILL, 0};
	enter_own_network();
	CHECK(begin_linked(UNTIL_KILLED, &links, NULL));
	unsigned files = open_files(watched.created.monitor_pid);
	memcpy(other.link[0].host, "cvother", 8);
	bad.link[0].host[0] = 'x';
	int plan = plan_of_next_start(), text = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK_EQUAL(0, start());
	CHECK_EQUAL(EINVAL, relink(&bad, plan, &state));
	CHECK_EQUAL(EPERM, relink(&other, text, &state));
	CHECK_EQUAL(EBADMSG, relink(&other, -1, &state));
	CHECK_EQUAL(0, relink(&other, plan, &state));
	CHECK_EQUAL(1, state.generation);
	CHECK(link_is_there("cvtest") && !link_is_there("cvother"));
	for (int times = 0; times < 2; times++) {
		CHECK_EQUAL(0, ask_op(watched.socket, MONITOR_STOP, 0, &at_once, sizeof at_once, NULL, 0));
		CHECK(link_goes_away("cvtest") && link_goes_away("cvother"));
		CHECK_EQUAL(files, files_settled(watched.created.monitor_pid, files));
		CHECK_EQUAL(0, start());
		CHECK_EQUAL(times == 0, link_is_there("cvother"));
		CHECK(!link_is_there("cvtest"));
		CHECK_EQUAL(0, relink(&none, plan, &state));
	}
	close(plan), close(text);
	watched_end(&watched);
	leave_own_network();
}

static int zygote_of(int monitor)
{
	char command[80];
	int pid = 0;
	snprintf(command, sizeof command, "cat /proc/%d/task/%d/children", monitor, monitor);
	sscanf(output_of(command), "%d", &pid);
	return pid;
}

/* The monitor itself has no right over networks in either case, and the zygote of a container without links neither. */
static void only_a_zygote_with_links_has_the_capability(void)
{
	char word[32];
	struct links links = one_link();
	enter_own_network();
	for (int linked = 0; linked < 2; linked++) {
		CHECK(begin_linked("true", linked ? &links : NULL, NULL));
		status_word(watched.created.monitor_pid, "CapPrm", word);
		CHECK_TEXT("0000000000000021", word);
		int zygote = zygote_of(watched.created.monitor_pid);
		CHECK(zygote > 0);
		status_word(zygote, "CapPrm", word);
		CHECK_TEXT(linked ? "00000000882010ff" : "00000000882000ff", word);
		status_word(zygote, "CapEff", word);
		CHECK_TEXT("00000000882000ff", word);
		watched_end(&watched);
	}
	leave_own_network();
}

const struct test monitor_link_tests[] = {
	{"links: each start", each_start_and_restart_has_the_links},
	{"links: no bridge", a_start_without_its_bridge_fails_and_leaves_nothing},
	{"links: sockets are lent", the_sockets_of_a_run_are_lent},
	{"links: a socket that is held", a_socket_of_the_last_run_does_not_hinder_the_next},
	{"links: others", the_next_start_has_other_links},
	{"links: the network of another", a_start_is_in_the_network_of_another},
	{"links: the owner of the network", a_restart_needs_the_owner_of_its_network},
	{"links: a network of its own", one_with_a_network_of_its_own_takes_no_other},
	{"links: the network of the host", one_in_the_network_of_the_host_takes_no_other},
	{"links: the capability", only_a_zygote_with_links_has_the_capability},
};
const unsigned monitor_link_test_count = sizeof monitor_link_tests / sizeof *monitor_link_tests;
