/* Links, netlink requests and resolver sockets of containers, in a network namespace that each test makes for itself. */
#include "init_tests.h"
#include "own_network.h"
#include "../kernel.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct container container; /* large */
static struct engine linked;	   /* its zygote makes links */

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static void enter(void) { enter_linked(&linked, binary); }
static void leave(void) { leave_linked(&linked); }

/* ---- links ---- */

static struct spec linked_shell(const char *script, const struct links *links)
{
	struct spec spec = shell(script);
	spec.links = links;
	return spec;
}

static void a_link_is_as_it_was_asked_for(void)
{
	struct links links = one_link();
	enter();
	struct spec spec = linked_shell("cd /sys/class/net/eth0; cat address mtu ifindex operstate; cat /sys/class/net/lo/operstate; echo queues/*; read x", &links);
	CHECK_EQUAL(0, container_launch(&linked, &spec, &container));
	CHECK_EQUAL(0, container.reply.status);
	expect_link("cvtest", "\"master\":\"cnbridge\"");
	expect_link("cvtest", "\"mtu\":1400");
	expect_link("cvtest", "\"address\":\"fe:00:00:00:00:09\"");
	expect_link("cvtest", "\"isolated\":false");
	expect_link("cvtest", "\"hairpin\":false");
	expect_link("cvtest", "\"learning\":true");
	expect_link("cvtest", "\"info_kind\":\"veth\"");
	expect_link("cvtest", "\"UP\"");
	CHECK(!link_is_there("eth0"));
	CHECK_TEXT("1\n", output_of("cat /proc/sys/net/ipv6/conf/cvtest/disable_ipv6"));
	CHECK_TEXT("", output_of("ip -o addr show dev cvtest"));
	expect_link("cvtest", "\"num_tx_queues\":1,\"num_rx_queues\":1");
	container_start(&container);
	close(container.input), container.input = -1;
	container_finish(&container);
	CHECK_TEXT("02:00:00:00:00:09\n1400\n100\ndown\nunknown\nqueues/rx-0 queues/tx-0\n", container.text);
	CHECK(link_goes_away("cvtest"));
	leave();
}

static void isolated_ports_and_eight_links(void)
{
	struct links links = {.count = PLAN_MAX_LINKS};
	for (unsigned i = 0; i < PLAN_MAX_LINKS; i++) {
		links.link[i] = (struct plan_link){"cvtest0", "cnbridge", "eth0", GUEST_INDEX + i, 1500, {0xfe, 0, 0, 0, 0, 9}, 1, 0};
		links.link[i].host[6] = links.link[i].guest[3] = (char)('0' + i);
	}
	enter();
	struct spec spec = linked_shell("cat /sys/class/net/eth?/ifindex; read x", &links);
	CHECK_EQUAL(0, container_launch(&linked, &spec, &container));
	expect_link("cvtest0", "\"isolated\":true");
	expect_link("cvtest7", "\"isolated\":true");
	expect_link("cvtest7", "\"address\":\"fa:00:00:00:00:09\""); /* not the guest's own */
	container_start(&container);
	close(container.input), container.input = -1;
	container_finish(&container);
	CHECK_TEXT("100\n101\n102\n103\n104\n105\n106\n107\n", container.text);
	for (unsigned i = 0; i < PLAN_MAX_LINKS; i++)
		CHECK(link_goes_away(links.link[i].host));
	leave();
}

/* A port at which nobody listens answers too: whoever refuses is there. */
static int connect_to(const char *address, uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct timeval patience = {.tv_sec = 5};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, address, &to.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	int error = connect(fd, (const struct sockaddr *)&to, sizeof to) < 0 ? errno : 0;
	close(fd);
	return error;
}

static void an_addressed_container_is_reached(void)
{
	struct links links = one_link();
	enter();
	CHECK(connect_to(GUEST, 1) != ECONNREFUSED);
	struct spec spec = linked_shell("ip -o -4 addr show dev eth0 | grep -c '10.9.0.2/24'; cat /sys/class/net/eth0/operstate; read x; true", &links);
	spec.more = with_address;
	CHECK_EQUAL(0, container_launch(&linked, &spec, &container));
	container_start(&container);
	CHECK_EQUAL(ECONNREFUSED, connect_to(GUEST, 1));
	close(container.input), container.input = -1;
	container_finish(&container);
	expect_exit(&container, 0);
	CHECK_TEXT("1\nup\n", container.text);
	leave();
}

/* ---- what is refused ---- */

static struct links_request request_of(const struct links *links)
{
	struct links_request request = {.request = {.magic = PLAN_MAGIC, .kind = REQUEST_LINKS, .id_base = ID_BASE, .id_count = ID_COUNT}};
	request.request.fds = 1;
	request.links = *links;
	return request;
}

static int waiting_child(int *control)
{
	int pair[2], pidfd = -1;
	struct reply reply;
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_CHILD, .id_base = ID_BASE, .id_count = ID_COUNT, .fds = 1};
	request.clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET;
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK_EQUAL(0, engine_ask(&linked, &request, &pair[1], 1, &reply, &pidfd));
	close(pair[1]);
	*control = pair[0];
	return pidfd;
}

static void end_child(int pidfd, int control)
{
	siginfo_t info;
	close(control);
	waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED);
	close(pidfd);
}

static void expect_refusal(const struct links *links, int pidfd, int error, uint32_t stage)
{
	struct links_request request = request_of(links);
	struct reply reply = {0};
	CHECK_EQUAL(error, engine_ask_links(&linked, &request, pidfd, &reply));
	CHECK_EQUAL(stage, reply.stage);
	CHECK(!link_is_there("cvtest") && !link_is_there("eth0"));
}

static int pidfd_of(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

static void only_a_child_that_was_made_here_gets_a_link(void)
{
	int control, gate[2];
	struct links links = one_link();
	enter();
	int itself = pidfd_of(getpid()), zygote = pidfd_of(linked.pid), null = open("/dev/null", O_RDWR | O_CLOEXEC);
	expect_refusal(&links, itself, -ESRCH, STAGE_LINKS);
	expect_refusal(&links, zygote, -ESRCH, STAGE_LINKS);
	expect_refusal(&links, null, -ESRCH, STAGE_LINKS);

	/* a child of the engine with the host's ids, first of a pid namespace */
	CHECK(pipe2(gate, O_CLOEXEC) == 0);
	struct clone_args args = {.flags = CLONE_NEWPID | CLONE_NEWNET, .exit_signal = SIGCHLD};
	int pid = (int)syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0) {
		char byte;
		close(gate[1]);
		_exit(read(gate[0], &byte, 1) > 0);
	}
	int other = pidfd_of(pid);
	expect_refusal(&links, other, -ESRCH, STAGE_LINKS);
	close(gate[0]), close(gate[1]);
	waitpid(pid, NULL, 0);
	expect_refusal(&links, other, -ESRCH, STAGE_LINKS); /* and when it is gone */

	/* one of another container */
	int child = waiting_child(&control);
	struct links_request request = request_of(&links);
	struct reply reply;
	request.request.id_base = ID_BASE + 1;
	CHECK_EQUAL(-ESRCH, engine_ask_links(&linked, &request, child, &reply));
	request.request.id_base = ID_BASE - ID_COUNT;
	CHECK_EQUAL(-ESRCH, engine_ask_links(&linked, &request, child, &reply));
	request.request.id_base = ID_BASE;
	CHECK_EQUAL(0, engine_ask_links(&linked, &request, child, &reply));
	CHECK(link_is_there("cvtest"));
	end_child(child, control);
	CHECK(link_goes_away("cvtest"));
	close(itself), close(zygote), close(null), close(other);
	leave();
}

/* It has the same ids, but another process reaps it: its number may become somebody else's at any time. */
static void a_child_of_another_engine_gets_no_link(void)
{
	int from[2], gate[2], child = 0;
	struct links links = one_link();
	enter();
	CHECK(pipe2(from, O_CLOEXEC) == 0 && pipe2(gate, O_CLOEXEC) == 0);
	int pid = fork();
	if (pid == 0) {
		struct engine own;
		struct reply reply = {0};
		int pair[2], pidfd;
		char byte;
		struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_CHILD, .id_base = ID_BASE, .id_count = ID_COUNT, .fds = 1};
		request.clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET;
		close(gate[1]);
		if (engine_start(&own, binary) && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0)
			engine_ask(&own, &request, &pair[1], 1, &reply, &pidfd);
		if (write(from[1], &reply.pid, sizeof reply.pid) == sizeof reply.pid && read(gate[0], &byte, 1) == 0)
			_exit(0);
		_exit(1);
	}
	CHECK(read(from[0], &child, sizeof child) == sizeof child && child > 0);
	int pidfd = pidfd_of(child);
	expect_refusal(&links, pidfd, -ESRCH, STAGE_LINKS);
	close(gate[1]), close(gate[0]), close(from[0]), close(from[1]), close(pidfd);
	waitpid(pid, NULL, 0);
	leave();
}

static unsigned open_files(int pid)
{
	char command[64];
	snprintf(command, sizeof command, "ls /proc/%d/fd | wc -l", pid);
	return (unsigned)atoi(output_of(command));
}

/* The zygote closes what a request brought after its answer. */
static void expect_open_files(unsigned expected)
{
	unsigned found = open_files(linked.pid);
	for (int tries = 0; tries < 200 && found != expected; tries++) {
		usleep(10000);
		found = open_files(linked.pid);
	}
	CHECK_EQUAL(expected, found);
}

static int network_of(int pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* It has the other's links and sysfs, and no right to change them. The zygote is where it was afterwards. */
static void a_container_is_in_the_network_of_another(void)
{
	struct links links = one_link();
	enter();
	struct spec spec = linked_shell("read x; cat /sys/class/net/eth0/operstate", &links);
	spec.more = with_address;
	CHECK_EQUAL(0, container_launch(&linked, &spec, &container));
	container_start(&container);
	struct spec joining = shell("ls /sys/class/net | tr '\\n' ' '; ip -o -4 addr show dev eth0 | grep -c '10.9.0.2/24'; ip link set eth0 down || echo kept");
	joining.dropped_clone_flags = CLONE_NEWNET, joining.network = network_of(container.pid);
	static struct container other;
	container_run(&linked, &joining, &other);
	CHECK(strstr(other.text, "eth0 lo ") && strstr(other.text, "1\n") && strstr(other.text, "kept\n"));
	expect_link("cvtest", "\"UP\"");
	struct spec apart = shell("ls /sys/class/net | grep -c eth0; true");
	container_run(&linked, &apart, &other);
	CHECK_TEXT("0\n", other.text);
	struct stat zygotes, host;
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/ns/net", linked.pid);
	CHECK(stat(path, &zygotes) == 0 && stat("/proc/self/ns/net", &host) == 0);
	CHECK_EQUAL(host.st_ino, zygotes.st_ino);
	expect_open_files(4);
	close(joining.network);
	close(container.input), container.input = -1;
	container_finish(&container);
	CHECK_TEXT("up\n", container.text);
	CHECK(link_goes_away("cvtest"));
	leave();
}

/* A request of a kind of its own: it sees what the host has, and has no right to change it. */
static void a_container_is_in_the_network_of_the_host(void)
{
	enter();
	struct stat host;
	CHECK(stat("/proc/self/ns/net", &host) == 0);
	struct spec spec = shell("stat -L -c %i /proc/self/ns/net; ls /sys/class/net | tr '\\n' ' '; ip link set lo mtu 1000 || echo kept");
	spec.dropped_clone_flags = CLONE_NEWNET, spec.host_network = true;
	static struct container other;
	container_run(&linked, &spec, &other);
	char number[32];
	snprintf(number, sizeof number, "%llu\n", (unsigned long long)host.st_ino);
	CHECK(strstr(other.text, number) && strstr(other.text, "lo ") && strstr(other.text, "kept\n"));
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_HOST_CHILD, .id_base = ID_BASE, .id_count = ID_COUNT, .fds = 1};
	struct reply reply;
	int pair[2], pidfd = -1;
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	request.clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET;
	CHECK_EQUAL(-EINVAL, engine_ask(&linked, &request, &pair[1], 1, &reply, &pidfd));
	request.clone_flags = CLONE_NEWUSER | CLONE_NEWNS;
	CHECK_EQUAL(-EINVAL, engine_ask(&linked, &request, &pair[1], 1, &reply, &pidfd));
	request.clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID, request.lowers = 1;
	CHECK_EQUAL(-EINVAL, engine_ask(&linked, &request, &pair[1], 1, &reply, &pidfd));
	int fds[3] = {pair[1], network_of(getpid()), pair[0]};
	request.lowers = 0, request.fds = 3;
	CHECK_EQUAL(-EINVAL, engine_ask(&linked, &request, fds, 3, &reply, &pidfd));
	close(fds[1]), close(pair[0]), close(pair[1]);
	expect_open_files(4);
	leave();
}

/* Neither the host's own network nor what is none. */
static void no_container_is_in_the_network_of_the_host(void)
{
	enter();
	int pair[2], pidfd = -1, user = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	struct reply reply;
	struct request request = {.magic = PLAN_MAGIC, .kind = REQUEST_CHILD, .id_base = ID_BASE, .id_count = ID_COUNT, .fds = 2};
	request.clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID;
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	int fds[2] = {pair[1], network_of(getpid())};
	CHECK_EQUAL(-EPERM, engine_ask(&linked, &request, fds, 2, &reply, &pidfd));
	close(fds[1]), fds[1] = user;
	CHECK_EQUAL(-EINVAL, engine_ask(&linked, &request, fds, 2, &reply, &pidfd));
	fds[1] = pair[0];
	CHECK_EQUAL(-EINVAL, engine_ask(&linked, &request, fds, 2, &reply, &pidfd));
	CHECK_EQUAL(STAGE_CLONE, reply.stage);
	CHECK_EQUAL(-1, pidfd);
	close(pair[0]), close(pair[1]), close(user);
	expect_open_files(4);
	leave();
}

static void a_dead_child_gets_no_link(void)
{
	int control;
	struct links links = one_link();
	siginfo_t info;
	enter();
	int child = waiting_child(&control);
	syscall(SYS_pidfd_send_signal, child, SIGKILL, NULL, 0);
	CHECK(waitid(P_PIDFD, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
	expect_refusal(&links, child, -ESRCH, STAGE_LINKS);
	end_child(child, control);
	leave();
}

static void set_name(char name[16], const char *text)
{
	memset(name, 0, 16);
	memcpy(name, text, strlen(text));
}

static void what_is_no_bridge_gets_no_port(void)
{
	int control;
	struct links links = one_link();
	enter();
	int child = waiting_child(&control);
	set_name(links.link[0].bridge, "cnnone");
	expect_refusal(&links, child, -ENODEV, STAGE_LINKS);
	CHECK(runs("ip link add cnveth type veth peer name peer"));
	set_name(links.link[0].bridge, "cnveth");
	expect_refusal(&links, child, -ENOTSUP, STAGE_LINKS);
	set_name(links.link[0].bridge, "docker0");
	expect_refusal(&links, child, -EINVAL, STAGE_REQUEST);
	end_child(child, control);
	leave();
}

/* The first of two is there when the second fails. */
static void an_error_leaves_no_link(void)
{
	int control;
	struct links links = one_link();
	links.count = 2;
	links.link[1] = (struct plan_link){"cvother", "cnnone", "eth1", GUEST_INDEX + 1, 1500, {2, 0, 0, 0, 0, 8}, 0, 0};
	enter();
	int child = waiting_child(&control);
	expect_refusal(&links, child, -ENODEV, STAGE_LINKS);
	set_name(links.link[1].bridge, "cnbridge");
	CHECK(runs("ip link add cvother type bridge")); /* somebody's */
	expect_refusal(&links, child, -EEXIST, STAGE_LINKS);
	expect_link("cvother", "\"info_kind\":\"bridge\"");
	end_child(child, control);
	leave();
}

static void what_an_earlier_run_left_is_replaced(void)
{
	int control;
	struct links links = one_link();
	enter();
	CHECK(runs("ip link add cvtest mtu 1300 type veth peer name peer"));
	int child = waiting_child(&control);
	struct links_request request = request_of(&links);
	struct reply reply;
	CHECK_EQUAL(0, engine_ask_links(&linked, &request, child, &reply));
	expect_link("cvtest", "\"mtu\":1400");
	CHECK(!link_is_there("peer"));
	/* the namespace of an earlier start that is still held, by a socket of it */
	int next_control, next = waiting_child(&next_control);
	CHECK_EQUAL(0, engine_ask_links(&linked, &request, next, &reply));
	end_child(child, control);
	CHECK(link_is_there("cvtest"));
	end_child(next, next_control);
	CHECK(link_goes_away("cvtest"));
	leave();
}

static int ask_for_no_links(const struct links *links)
{
	struct links_request request = {.request = {.magic = PLAN_MAGIC, .kind = REQUEST_UNLINK, .id_base = ID_BASE, .id_count = ID_COUNT}, .links = *links};
	struct reply reply;
	int none;
	if (engine_send(linked.socket, &request, sizeof request, NULL, 0) != sizeof request)
		return -errno;
	return engine_receive(linked.socket, &reply, sizeof reply, &none) == sizeof reply && none < 0 ? reply.status : -EPROTO;
}

/* Of a namespace that somebody keeps, too; links of other kinds and names stay. */
static void links_are_gone_once_they_are_ended(void)
{
	int control;
	struct links links = one_link(), none = {0}, bridge = links, foreign = links;
	struct links_request request = request_of(&links);
	struct reply reply;
	memcpy(bridge.link[0].host, "cvbridge", 9);
	memcpy(foreign.link[0].host, "eth7", 5);
	enter();
	CHECK_EQUAL(-EINVAL, ask_for_no_links(&none));
	CHECK_EQUAL(0, ask_for_no_links(&links));
	int child = waiting_child(&control);
	CHECK_EQUAL(0, engine_ask_links(&linked, &request, child, &reply));
	CHECK(runs("ip link add cvbridge type bridge") && runs("ip link add eth7 type veth peer name eth8"));
	CHECK_EQUAL(-EINVAL, ask_for_no_links(&foreign));
	CHECK_EQUAL(-EEXIST, ask_for_no_links(&bridge));
	CHECK(link_is_there("cvtest") && link_is_there("cvbridge") && link_is_there("eth7"));
	CHECK_EQUAL(0, ask_for_no_links(&links));
	CHECK(!link_is_there("cvtest"));
	end_child(child, control);
	expect_open_files(4);
	leave();
}

/* One that was not started for it makes none, and one that was has the capability in force only meanwhile. */
static void links_need_a_zygote_for_links(void)
{
	int control;
	char found[32];
	struct links links = one_link();
	struct engine own;
	enter();
	status_word(linked.pid, "CapPrm", found);
	CHECK_TEXT("00000000882010ff", found);
	status_word(linked.pid, "CapEff", found);
	CHECK_TEXT("00000000882000ff", found);
	CHECK(engine_start(&own, binary));
	int child = waiting_child(&control);
	struct links_request request = request_of(&links);
	struct reply reply;
	CHECK_EQUAL(-EPERM, engine_ask_links(&own, &request, child, &reply));
	CHECK_EQUAL(STAGE_LINKS, reply.stage);
	CHECK(!link_is_there("cvtest"));
	CHECK_EQUAL(0, engine_ask_links(&linked, &request, child, &reply));
	status_word(linked.pid, "CapEff", found);
	CHECK_TEXT("00000000882000ff", found);
	end_child(child, control);
	engine_stop(&own);
	leave();
}

static void nothing_is_left_open(void)
{
	int control;
	struct links links = one_link();
	enter();
	for (unsigned i = 0; i < 20; i++) {
		int child = waiting_child(&control);
		struct links_request request = request_of(&links);
		struct reply reply;
		CHECK_EQUAL(0, engine_ask_links(&linked, &request, child, &reply)); /* the name is taken by the one before, perhaps */
		end_child(child, control);
	}
	expect_open_files(4);
	CHECK(link_goes_away("cvtest"));
	leave();
}

const struct test link_tests[] = {
	{"a link", a_link_is_as_it_was_asked_for},
	{"eight links", isolated_ports_and_eight_links},
	{"an addressed link", an_addressed_container_is_reached},
	{"link of another's child", only_a_child_that_was_made_here_gets_a_link},
	{"link of another engine's child", a_child_of_another_engine_gets_no_link},
	{"network of another", a_container_is_in_the_network_of_another},
	{"network of the host", a_container_is_in_the_network_of_the_host},
	{"descriptor of the host's network", no_container_is_in_the_network_of_the_host},
	{"link of a dead child", a_dead_child_gets_no_link},
	{"link to no bridge", what_is_no_bridge_gets_no_port},
	{"link and an error", an_error_leaves_no_link},
	{"link that was left", what_an_earlier_run_left_is_replaced},
	{"links that are ended", links_are_gone_once_they_are_ended},
	{"link without the capability", links_need_a_zygote_for_links},
	{"link and descriptors", nothing_is_left_open},
};
const unsigned link_test_count = sizeof link_tests / sizeof *link_tests;
