/* What the zygote is asked: each value of a request, at both sides of what is allowed. */
#include "../zygote.c"
#include "unit_tests.h"

#include <stdlib.h>

/* ---- what others do ---- */

static const char *done;
static int outcome, given;
static unsigned place_given;
static int watched;

static int did(const char *what, int fd)
{
	done = what, given = fd;
	return outcome;
}

int private_root(void) { return did("root of its own", -1); }
_Noreturn void init(int control, uint32_t id_count, uint16_t kind) { (void)control, (void)id_count, (void)kind, abort(); }
int build_root(const struct request *request, const int *fds) { (void)request; return did("root", fds[0]); }
int make_device_node(const struct request *request, int device) { (void)request; return did("device", device); }
int keep_mount(unsigned place, int mount) { place_given = place; return did("keep", mount); }
int copy_kept(unsigned place) { place_given = place; return did("copy", -1); }
int open_queue(void) { return did("queue", (int)geteuid()); }

int watch_mount(int queue, int mount)
{
	watched = mount;
	return given = queue, -EIO;
}

void look_at_programs(int queue, bool without_root, struct look_reply *out)
{
	did(without_root ? "look without root" : "look", queue);
	out->looked = 7;
}

int enter_network(int name_space) { return did("enter", name_space); }
void leave_network(int own) { did("leave", own); }

int make_user_namespace(uint32_t id_base, uint32_t id_count)
{
	CHECK(id_base == 1000 && id_count == 10);
	return did("user namespace", -1);
}

int write_maps(int pid, uint32_t id_base, uint32_t id_count) { (void)id_base, (void)id_count; return did("maps", pid); }

/* ---- values ---- */

static struct request userns(void) { return (struct request){.magic = PLAN_MAGIC, .kind = REQUEST_USERNS, .id_base = 1000, .id_count = 10}; }

static struct request of_kind(uint16_t kind, uint16_t fds)
{
	struct request r = userns();
	r.kind = kind, r.fds = fds;
	return r;
}

static struct request child(void)
{
	struct request r = of_kind(REQUEST_CHILD, 1);
	r.clone_flags = OBLIGATORY_NAMESPACES | CLONE_NEWNET;
	return r;
}

static struct request host_child(void)
{
	struct request r = of_kind(REQUEST_HOST_CHILD, 1);
	r.clone_flags = OBLIGATORY_NAMESPACES;
	return r;
}

static struct request exec_child(void) { return of_kind(REQUEST_EXEC, 1); }

static struct request root(uint16_t kind, uint16_t lowers)
{
	struct request r = of_kind(REQUEST_ROOT, lowers);
	r.root_kind = kind, r.lowers = lowers;
	return r;
}

static struct request tmpfs_root(void)
{
	struct request r = root(ROOT_TMPFS, 2);
	r.tmpfs_bytes = r.tmpfs_inodes = 1;
	return r;
}

static struct request overlay_root(void)
{
	struct request r = root(ROOT_OVERLAY, 2);
	r.fds = 3;
	return r;
}

static struct request mount_root(void) { return root(ROOT_MOUNT, 1); }
static struct request cover_root(void) { return root(ROOT_COVER, 2); }

#define EXPECT(holds, good, change)                                                            \
	do {                                                                                   \
		struct request r = good;                                                       \
		change;                                                                        \
		check_at(valid(&r) == (holds), #good ": " #change, __FILE__, __LINE__);         \
	} while (0)
#define TAKEN(good, change) EXPECT(true, good, change)
#define REFUSED(good, change) EXPECT(false, good, change)

static void ids_are_a_range_without_the_host_s_root(void)
{
	TAKEN(userns(), (void)r);
	REFUSED(userns(), r.id_base = 0);
	REFUSED(userns(), r.id_count = 0);
	TAKEN(userns(), r.id_count = UINT32_MAX - 1000);
	REFUSED(userns(), r.id_count = UINT32_MAX - 999);
	REFUSED(userns(), r.kind = 0);
	REFUSED(userns(), r.kind = 6);
	REFUSED(userns(), r.kind = 7);
	REFUSED(userns(), r.kind = REQUEST_UNLINK + 1);
}

/* What belongs to another kind is refused. */
static void check_what_is_foreign(struct request good, bool has_root, bool clones, bool has_score, bool has_place)
{
	if (!has_root) {
		REFUSED(good, r.root_kind = ROOT_MOUNT);
		REFUSED(good, r.lowers = 1);
		REFUSED(good, r.root_flags = ROOT_VOLATILE);
		REFUSED(good, r.tmpfs_bytes = 1);
		REFUSED(good, r.tmpfs_inodes = 1);
	}
	if (!clones)
		REFUSED(good, r.clone_flags = OBLIGATORY_NAMESPACES);
	if (!has_score) {
		REFUSED(good, r.oom_score = 1);
		REFUSED(good, r.oom_score = -1);
	}
	EXPECT(has_place, good, r.place = 1);
}

static void what_belongs_to_another_kind_is_refused(void)
{
	const struct request without_root[] = {userns(), child(), host_child(), exec_child(), of_kind(REQUEST_DEVICE, 1), of_kind(REQUEST_KEEP, 1),
					       of_kind(REQUEST_LINKS, 1), of_kind(REQUEST_COPY, 0), of_kind(REQUEST_WATCH, 0), of_kind(REQUEST_LOOK, 1),
					       of_kind(REQUEST_UNLINK, 0)};
	for (unsigned i = 0; i < sizeof without_root / sizeof *without_root; i++) {
		const struct request *good = &without_root[i];
		bool clones = good->kind == REQUEST_CHILD || good->kind == REQUEST_HOST_CHILD;
		check_at(valid(good), "good", __FILE__, (int)i);
		check_what_is_foreign(*good, false, clones, good->kind == REQUEST_EXEC, good->kind == REQUEST_KEEP || good->kind == REQUEST_COPY || good->kind == REQUEST_LOOK);
	}
	const struct request roots[] = {tmpfs_root(), overlay_root(), mount_root(), cover_root()};
	for (unsigned i = 0; i < sizeof roots / sizeof *roots; i++)
		check_what_is_foreign(roots[i], true, false, false, false);
}

static void places_are_as_many_as_slots(void)
{
	TAKEN(of_kind(REQUEST_KEEP, 1), r.place = PLAN_MAX_SLOTS - 1);
	REFUSED(of_kind(REQUEST_KEEP, 1), r.place = PLAN_MAX_SLOTS);
	TAKEN(of_kind(REQUEST_COPY, 0), r.place = PLAN_MAX_SLOTS - 1);
	REFUSED(of_kind(REQUEST_COPY, 0), r.place = PLAN_MAX_SLOTS);
	TAKEN(of_kind(REQUEST_LOOK, 1), r.place = 1);
	REFUSED(of_kind(REQUEST_LOOK, 1), r.place = 2);
}

static void each_kind_takes_so_many_descriptors(void)
{
	const struct {
		struct request good;
		uint16_t least, most;
	} all[] = {{userns(), 0, 0},	 {child(), 1, 2},	  {host_child(), 1, 2},		   {exec_child(), 1, 2},
		   {of_kind(REQUEST_DEVICE, 1), 1, 1}, {of_kind(REQUEST_KEEP, 1), 1, 1}, {of_kind(REQUEST_LINKS, 1), 1, 1}, {of_kind(REQUEST_COPY, 0), 0, 1},
		   {of_kind(REQUEST_WATCH, 0), 0, 0}, {of_kind(REQUEST_LOOK, 1), 1, 1}, {of_kind(REQUEST_UNLINK, 0), 0, 0},
		   {tmpfs_root(), 2, 2}, {overlay_root(), 3, 3}, {mount_root(), 1, 1}, {cover_root(), 2, 2}};
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		for (uint16_t fds = 0; fds < 5; fds++) {
			struct request r = all[i].good;
			r.fds = fds;
			check_at(valid(&r) == (fds >= all[i].least && fds <= all[i].most), "descriptors", __FILE__, (int)(10 * i + fds));
		}
	for (uint16_t fds = 0; fds < 5; fds++)
		EXPECT(fds == 2 || fds == 3, child(), r.clone_flags = OBLIGATORY_NAMESPACES; r.fds = fds); /* one is the network that it shares */
}

static void a_child_has_namespaces_of_its_own(void)
{
	const uint64_t obligatory[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID}, optional[] = {CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWTIME};
	const uint64_t never[] = {CLONE_NEWCGROUP, CLONE_VM, CLONE_FILES, CLONE_THREAD, CLONE_PARENT, CLONE_INTO_CGROUP, 1ull << 40};
	for (unsigned i = 0; i < 3; i++) {
		REFUSED(child(), r.clone_flags &= ~obligatory[i]);
		REFUSED(host_child(), r.clone_flags &= ~obligatory[i]);
		TAKEN(child(), r.clone_flags |= optional[i]);
		TAKEN(host_child(), r.clone_flags |= optional[i]);
	}
	for (unsigned i = 0; i < sizeof never / sizeof *never; i++) {
		REFUSED(child(), r.clone_flags |= never[i]);
		REFUSED(host_child(), r.clone_flags |= never[i]);
	}
	REFUSED(host_child(), r.clone_flags |= CLONE_NEWNET);
	TAKEN(exec_child(), r.oom_score = 1000);
	TAKEN(exec_child(), r.oom_score = -1000);
	REFUSED(exec_child(), r.oom_score = 1001);
	REFUSED(exec_child(), r.oom_score = -1001);
}

static void each_root_has_its_values(void)
{
	REFUSED(tmpfs_root(), r.tmpfs_bytes = 0);
	REFUSED(tmpfs_root(), r.tmpfs_inodes = 0);
	TAKEN(tmpfs_root(), r.root_flags = ROOT_VOLATILE);
	REFUSED(tmpfs_root(), r.root_flags = 2);
	TAKEN(overlay_root(), r.root_flags = ROOT_VOLATILE);
	REFUSED(overlay_root(), r.tmpfs_bytes = 1);
	REFUSED(overlay_root(), r.tmpfs_inodes = 1);
	REFUSED(mount_root(), r.root_flags = ROOT_VOLATILE);
	REFUSED(mount_root(), r.tmpfs_bytes = 1);
	REFUSED(mount_root(), r.tmpfs_inodes = 1);
	REFUSED(mount_root(), r.lowers = r.fds = 2);
	REFUSED(mount_root(), r.lowers = 0);
	REFUSED(cover_root(), r.root_flags = ROOT_VOLATILE);
	REFUSED(cover_root(), r.tmpfs_bytes = 1);
	REFUSED(cover_root(), r.tmpfs_inodes = 1);
	TAKEN(cover_root(), r.lowers = r.fds = REQUEST_MAX_LOWERS - 1);
	REFUSED(cover_root(), r.lowers = r.fds = REQUEST_MAX_LOWERS);
	TAKEN(tmpfs_root(), r.lowers = r.fds = REQUEST_MAX_LOWERS);
	REFUSED(tmpfs_root(), r.lowers = r.fds = REQUEST_MAX_LOWERS + 1);
	REFUSED(tmpfs_root(), r.lowers = r.fds = 0);
	REFUSED(tmpfs_root(), r.root_kind = 0);
	REFUSED(tmpfs_root(), r.root_kind = ROOT_COVER + 1);
}

/* ---- messages ---- */

static int others; /* the other end of the zygote's socket */

static void begin_socket(void)
{
	int pair[2];
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	others = fcntl(pair[0], F_DUPFD_CLOEXEC, 100);
	if (pair[0] != ZYGOTE_SOCKET)
		close(pair[0]);
	if (pair[1] != ZYGOTE_SOCKET)
		dup2(pair[1], ZYGOTE_SOCKET), close(pair[1]);
}

static int received(const void *bytes, size_t length, unsigned count)
{
	static int numbers[REQUEST_MAX_FDS];
	struct links_request message;
	struct fds fds = {.fd = numbers, .most = REQUEST_MAX_FDS};
	const int sent[] = {0, 1, 2};
	CHECK(send_with(others, bytes, length, sent, count) == 0);
	int result = receive(&message, &fds);
	for (unsigned i = 0; i < fds.count; i++)
		close(numbers[i]);
	return result;
}

static void a_message_is_a_request_with_its_descriptors(void)
{
	struct links_request message = {.request = userns()};
	begin_socket();
	CHECK_EQUAL(1, received(&message, sizeof message.request, 0));
	CHECK_EQUAL(-EINVAL, received(&message, sizeof message.request - 1, 0));
	CHECK_EQUAL(-EINVAL, received(&message, sizeof message, 0));
	CHECK_EQUAL(-EINVAL, received(&message, sizeof message.request, 1));
	message.request.fds = 2;
	CHECK_EQUAL(-EINVAL, received(&message, sizeof message.request, 0));
	CHECK_EQUAL(-EINVAL, received(&message, sizeof message.request, 3));
	CHECK_EQUAL(1, received(&message, sizeof message.request, 2));
	message.request.magic++;
	CHECK_EQUAL(-EINVAL, received(&message, sizeof message.request, 2));
	message.request.magic--;
	const uint16_t with_links[] = {REQUEST_LINKS, REQUEST_UNLINK};
	for (unsigned i = 0; i < 2; i++) {
		message.request.kind = with_links[i];
		CHECK_EQUAL(1, received(&message, sizeof message, 2));
		CHECK_EQUAL(-EINVAL, received(&message, sizeof message.request, 2));
		CHECK_EQUAL(-EINVAL, received(&message, sizeof message - 1, 2));
	}
	struct answer out = {{.reply = {PLAN_MAGIC, 7, 8, STAGE_MAPS}}, sizeof out.message.reply, -1};
	struct reply reply;
	CHECK(answer(&out));
	CHECK(recv(others, &reply, sizeof reply, MSG_DONTWAIT) == sizeof reply && reply.status == 7 && reply.stage == STAGE_MAPS);
	close(others);
	struct links_request none;
	struct fds fds = {.fd = NULL, .most = 0};
	CHECK_EQUAL(0, receive(&none, &fds));
	CHECK(!answer(&out));
	close(ZYGOTE_SOCKET);
}

static void links_that_are_none_are_not_made(void)
{
	struct links_request message = {.request = of_kind(REQUEST_LINKS, 1)};
	struct answer out = {{.reply = {PLAN_MAGIC, 0, 0, STAGE_REQUEST}}, sizeof out.message.reply, -1};
	int fd = 0;
	CHECK_EQUAL(-EINVAL, serve(&message, &fd, &out));
	CHECK_EQUAL(STAGE_REQUEST, out.message.reply.stage);
	CHECK_EQUAL(-1, out.fd);
	message.request = of_kind(REQUEST_UNLINK, 0);
	CHECK_EQUAL(-EINVAL, serve(&message, &fd, &out));
	CHECK_EQUAL(STAGE_REQUEST, out.message.reply.stage);
}

/* Each kind is done by its own function, and a failure says at which stage. */
static void each_kind_is_done(void)
{
	const struct {
		struct request request;
		const char *what;
		uint32_t stage;
		int given;
		bool passes; /* what comes back goes with the answer */
	} all[] = {{userns(), "user namespace", STAGE_MAPS, -1, true}, {tmpfs_root(), "root", STAGE_ROOT, 70, true},
		   {of_kind(REQUEST_DEVICE, 1), "device", STAGE_DEVICE, 70, true}, {of_kind(REQUEST_KEEP, 1), "keep", STAGE_KEEP, 70, false},
		   {of_kind(REQUEST_COPY, 0), "copy", STAGE_KEEP, -1, true}};
	const int fds[] = {70, 71, 72};
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		for (int fails = 0; fails < 2; fails++) {
			struct links_request message = {.request = all[i].request};
			struct answer out = {{.reply = {PLAN_MAGIC, 0, 0, STAGE_REQUEST}}, sizeof out.message.reply, -1};
			bool has_place = message.request.kind == REQUEST_KEEP || message.request.kind == REQUEST_COPY;
			message.request.place = has_place ? 9 : 0;
			outcome = fails ? -EIO : all[i].passes ? 33 : 0;
			done = "", given = -2;
			CHECK_EQUAL(fails ? -EIO : 0, serve(&message, fds, &out));
			CHECK_TEXT(all[i].what, done);
			CHECK_EQUAL(all[i].stage, out.message.reply.stage);
			CHECK_EQUAL(all[i].given, given);
			CHECK(!has_place || place_given == 9);
			CHECK_EQUAL(all[i].passes ? outcome : -1, out.fd);
		}
	outcome = 0;
}

/* It is counted to the container's id, and the zygote is root again behind it. */
static void a_queue_is_opened_with_the_id_of_the_container(void)
{
	struct links_request message = {.request = of_kind(REQUEST_WATCH, 0)};
	struct answer out = {{.reply = {PLAN_MAGIC, 0, 0, STAGE_REQUEST}}, sizeof out.message.reply, -1};
	outcome = 33, given = -2;
	CHECK_EQUAL(0, serve(&message, NULL, &out));
	CHECK_TEXT("queue", done);
	CHECK_EQUAL(1000, given);
	CHECK_EQUAL(0, (int)geteuid());
	CHECK_EQUAL(33, out.fd);
	outcome = -EMFILE;
	CHECK_EQUAL(-EMFILE, serve(&message, NULL, &out));
	CHECK_EQUAL(STAGE_WATCH, out.message.reply.stage);
	outcome = 0;
}

static void a_copy_that_cannot_be_watched_is_one_all_the_same(void)
{
	struct links_request message = {.request = of_kind(REQUEST_COPY, 1)};
	struct answer out = {{.reply = {PLAN_MAGIC, 0, 0, STAGE_REQUEST}}, sizeof out.message.reply, -1};
	const int fds[] = {70};
	outcome = 33, watched = -2;
	CHECK_EQUAL(0, serve(&message, fds, &out));
	CHECK_EQUAL(33, watched);
	CHECK_EQUAL(70, given);
	CHECK_EQUAL(33, out.fd);
	outcome = -EIO, watched = -2;
	CHECK_EQUAL(-EIO, serve(&message, fds, &out));
	CHECK_EQUAL(-2, watched);
	outcome = 0;
}

static void a_look_is_answered_by_its_own_message(void)
{
	const int fds[] = {70};
	for (uint16_t place = 0; place < 2; place++) {
		struct links_request message = {.request = of_kind(REQUEST_LOOK, 1)};
		struct answer out = {{.reply = {PLAN_MAGIC, 0, 0, STAGE_REQUEST}}, sizeof out.message.reply, -1};
		message.request.place = place;
		CHECK_EQUAL(0, serve(&message, fds, &out));
		CHECK_TEXT(place == 1 ? "look without root" : "look", done);
		CHECK_EQUAL(70, given);
		CHECK_EQUAL(7, out.message.looked);
		CHECK_EQUAL(sizeof(struct look_reply), out.size);
	}
}

/* The network that a child shares is the last that came. */
static void a_child_is_cloned_in_the_network_that_it_shares(void)
{
	struct links_request message = {.request = child()};
	struct answer out = {{.reply = {PLAN_MAGIC, 0, 0, STAGE_REQUEST}}, sizeof out.message.reply, -1};
	const int fds[] = {70, 71, 72};
	message.request.clone_flags = OBLIGATORY_NAMESPACES;
	outcome = -EXDEV;
	for (uint16_t count = 2; count <= 3; count++) {
		message.request.fds = count;
		CHECK_EQUAL(-EXDEV, serve(&message, fds, &out));
		CHECK_TEXT("enter", done);
		CHECK_EQUAL(fds[count - 1], given);
		CHECK_EQUAL(STAGE_CLONE, out.message.reply.stage);
	}
	outcome = 0;
}

const struct test unit_zygote_tests[] = {
	{"zygote: ids", ids_are_a_range_without_the_host_s_root},
	{"zygote: foreign values", what_belongs_to_another_kind_is_refused},
	{"zygote: places", places_are_as_many_as_slots},
	{"zygote: descriptors", each_kind_takes_so_many_descriptors},
	{"zygote: namespaces", a_child_has_namespaces_of_its_own},
	{"zygote: roots", each_root_has_its_values},
	{"zygote: messages", a_message_is_a_request_with_its_descriptors},
	{"zygote: kinds", each_kind_is_done},
	{"zygote: shared network", a_child_is_cloned_in_the_network_that_it_shares},
	{"zygote: no links", links_that_are_none_are_not_made},
	{"zygote: a queue is counted to the container", a_queue_is_opened_with_the_id_of_the_container},
	{"zygote: a copy that cannot be watched", a_copy_that_cannot_be_watched_is_one_all_the_same},
	{"zygote: the answer to a look", a_look_is_answered_by_its_own_message},
};
const unsigned unit_zygote_test_count = sizeof unit_zygote_tests / sizeof *unit_zygote_tests;
