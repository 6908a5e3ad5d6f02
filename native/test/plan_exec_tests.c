/* Plans of what comes into a container that runs: one more program, a file service, and a change of its network. */
#include "plan_tests.h"
#include "samples.h"

#include <linux/netlink.h>
#include <sched.h>
#include <string.h>

/* ---- one more program ---- */

static enum plan_error exec_plan(const struct sample *extra, uint8_t without)
{
	struct builder plan;
	uint32_t where;
	sample_exec_plan(&plan, extra, without);
	enum plan_error error = decode(&plan, &where);
	builder_free(&plan);
	return error;
}

/* What makes or changes namespaces, mounts or the host is for a container's first process. */
static void a_program_of_a_running_container_changes_nothing_of_it(void)
{
	static const uint8_t its_own[] = {OP_SEAL,    OP_JOIN_CGROUP, OP_MAPPED, OP_NO_NEW_PRIVS, OP_CONSOLE, OP_RLIMIT,
					  OP_LANDLOCK, OP_KEYRING, OP_CAPS,	      OP_READY,	 OP_FILTER,	  OP_EXEC};
	CHECK_EQUAL(PLAN_OK, exec_plan(NULL, 0));
	for (unsigned i = 0; i < sample_count; i++) {
		bool early_filter = samples[i].opcode == OP_FILTER && samples[i].phase == PHASE_CAPS;
		enum plan_error expected = memchr(its_own, samples[i].opcode, sizeof its_own) ? PLAN_OK : PLAN_BAD_KIND;
		enum plan_error error = early_filter ? expected : exec_plan(&samples[i], 0);
		if (error != expected)
			fprintf(stderr, "opcode %u in phase %u\n", samples[i].opcode, samples[i].phase);
		CHECK_EQUAL(expected, error);
	}
}

static void a_program_enters_first_and_once(void)
{
	static const uint8_t needed[] = {OP_MAPPED, OP_CAPS, OP_READY};
	for (unsigned i = 0; i < sizeof needed; i++)
		CHECK_EQUAL(PLAN_BAD_COUNT, exec_plan(NULL, needed[i]));
	CHECK_EQUAL(PLAN_BAD_ORDER, exec_plan(NULL, OP_ENTER)); /* root of a namespace that it is not in */
	CHECK_EQUAL(PLAN_NO_EXEC, exec_plan(NULL, OP_EXEC));
	for (unsigned i = 0; i < bad_exec_sample_count; i++) {
		const struct bad_sample *bad = &bad_exec_samples[i];
		struct sample extra = {bad->phase, bad->opcode, bad->payload};
		enum plan_error error = exec_plan(&extra, 0);
		if (error != bad->error)
			fprintf(stderr, "%s\n", bad->name);
		CHECK_EQUAL(bad->error, error);
	}
}

static void groups_are_joined_before_anything_is_entered(void)
{
	static const uint8_t order[2][2] = {{OP_JOIN_CGROUP, OP_ENTER}, {OP_ENTER, OP_JOIN_CGROUP}};
	for (unsigned i = 0; i < 2; i++) {
		struct builder plan, late;
		uint32_t where;
		sample_exec_plan(&plan, NULL, 0);
		builder_start(&late, SAMPLE_SLOTS);
		late.kind = PLAN_EXEC;
		builder_step(&late, PHASE_SEAL, OP_SEAL);
		for (unsigned k = 0; k < 2; k++) {
			builder_step(&late, PHASE_MAPPED, order[i][k]);
			if (order[i][k] == OP_JOIN_CGROUP)
				put_u16(&late, 5);
			else
				put_u32(&late, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID), put_u16(&late, 6),
				    put_u16(&late, 7), put_u16(&late, 8);
		}
		builder_finish(&late);
		/* the rest is missing: where it stops tells how far it came */
		CHECK_EQUAL(i == 0 ? PLAN_NO_EXEC : PLAN_BAD_ORDER, decode(&late, &where));
		builder_free(&late);
		builder_free(&plan);
	}
}

static void a_first_process_enters_nothing(void)
{
	struct builder plan;
	sample_exec_plan(&plan, NULL, 0);
	plan.kind = PLAN_LAUNCH;
	builder_finish(&plan);
	uint32_t where;
	CHECK_EQUAL(PLAN_BAD_KIND, decode(&plan, &where));
	CHECK_EQUAL(1, where);
	builder_free(&plan);
}

/* ---- what is no program ---- */

enum { ENTERED = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID };

static void nothing(struct builder *p) { (void)p; }

/* A plan of PLAN_EXEC with these steps in their phases, and a last one. */
struct last {
	const char *sysctl;
	bool netlink, ready, filter;
	uint8_t opcode;
	void (*payload)(struct builder *);
	uint8_t socket; /* a protocol, and 1 */
	const char *file;
	bool more; /* one more step behind it */
};

static enum plan_error last_plan(const struct last *last)
{
	static const struct nlmsghdr noop = {.nlmsg_len = sizeof noop, .nlmsg_type = NLMSG_NOOP, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
	static const uint8_t allow[8] = {6, 0, 0, 0, 0, 0, 0xff, 0x7f};
	struct builder plan;
	uint32_t where;
	builder_start(&plan, SAMPLE_SLOTS);
	plan.kind = PLAN_EXEC;
	builder_step(&plan, PHASE_SEAL, OP_SEAL);
	builder_step(&plan, PHASE_MAPPED, OP_ENTER), put_u32(&plan, ENTERED), put_u16(&plan, 6), put_u16(&plan, 7), put_u16(&plan, 8);
	builder_step(&plan, PHASE_MAPPED, OP_MAPPED);
	builder_step(&plan, PHASE_MAPPED, OP_NO_NEW_PRIVS);
	if (last->sysctl)
		builder_step(&plan, PHASE_PROTECT, OP_SYSCTL), put_text(&plan, last->sysctl), put_text(&plan, "1");
	if (last->netlink)
		builder_step(&plan, PHASE_LIMITS, OP_NETLINK), put_u8(&plan, NETLINK_ROUTE), put_bytes(&plan, &noop, sizeof noop);
	if (last->socket)
		builder_step(&plan, PHASE_LIMITS, OP_NETLINK_SOCKET), put_u8(&plan, (uint8_t)(last->socket - 1));
	if (last->file)
		builder_step(&plan, PHASE_LIMITS, OP_SYSCTL_FILE), put_text(&plan, last->file);
	builder_step(&plan, PHASE_CAPS, OP_CAPS), put_u64(&plan, 1), put_u64(&plan, 1), put_u32(&plan, 0), put_u32(&plan, 0), put_u32(&plan, 0);
	if (last->ready)
		builder_step(&plan, PHASE_READY, OP_READY), put_text(&plan, "/");
	if (last->filter)
		builder_step(&plan, PHASE_FILTER, OP_FILTER), put_bytes(&plan, allow, sizeof allow);
	builder_step(&plan, PHASE_FILTER, last->opcode), last->payload(&plan);
	if (last->more)
		builder_step(&plan, PHASE_FILTER, last->opcode), last->payload(&plan);
	builder_finish(&plan);
	enum plan_error error = decode(&plan, &where);
	builder_free(&plan);
	return error;
}

#define EXPECT(expected, ...) CHECK_EQUAL(expected, last_plan(&(struct last){__VA_ARGS__}))

static void files_alone(struct builder *p) { put_u16(p, PLAN_NO_SLOT), put_u32(p, 0); }
static void files_of_a_process(struct builder *p) { put_u16(p, 9), put_text(p, "a/b"); }
static void files_of_a_stream(struct builder *p) { put_u16(p, SLOT_STDERR), put_u32(p, 0); }
static void files_of_a_slot_that_is_taken(struct builder *p) { put_u16(p, 8), put_u32(p, 0); }
static void files_of_no_slot(struct builder *p) { put_u16(p, SAMPLE_SLOTS), put_u32(p, 0); }
static void files_above(struct builder *p) { put_u16(p, PLAN_NO_SLOT), put_text(p, "a/.."); }
static void files_and_more(struct builder *p) { put_u16(p, PLAN_NO_SLOT), put_u32(p, 0), put_u8(p, 0); }

static void a_file_service_is_its_own_program(void)
{
	EXPECT(PLAN_OK, .opcode = OP_FILES, .payload = files_alone);
	EXPECT(PLAN_OK, .opcode = OP_FILES, .payload = files_of_a_process);
	EXPECT(PLAN_BAD_SLOT, .opcode = OP_FILES, .payload = files_of_a_stream);
	EXPECT(PLAN_BAD_SLOT, .opcode = OP_FILES, .payload = files_of_a_slot_that_is_taken);
	EXPECT(PLAN_BAD_SLOT, .opcode = OP_FILES, .payload = files_of_no_slot);
	EXPECT(PLAN_BAD_PATH, .opcode = OP_FILES, .payload = files_above);
	EXPECT(PLAN_BAD_LENGTH, .opcode = OP_FILES, .payload = files_and_more);
	EXPECT(PLAN_BAD_COUNT, .opcode = OP_FILES, .payload = files_alone, .ready = true);
	EXPECT(PLAN_BAD_ORDER, .opcode = OP_FILES, .payload = files_alone, .filter = true);
	EXPECT(PLAN_BAD_ORDER, .opcode = OP_FILES, .payload = files_alone, .more = true);
	EXPECT(PLAN_BAD_KIND, .opcode = OP_FILES, .payload = files_alone, .sysctl = "net/x");
	EXPECT(PLAN_BAD_KIND, .opcode = OP_FILES, .payload = files_alone, .netlink = true);
}

static void a_network_is_changed_by_a_plan_with_no_program(void)
{
	EXPECT(PLAN_OK, .opcode = OP_DONE, .payload = nothing);
	EXPECT(PLAN_OK, .opcode = OP_DONE, .payload = nothing, .sysctl = "net/x", .netlink = true);
	EXPECT(PLAN_BAD_COUNT, .opcode = OP_DONE, .payload = nothing, .ready = true);
	EXPECT(PLAN_BAD_ORDER, .opcode = OP_DONE, .payload = nothing, .more = true);
}

static void a_network_is_read_by_a_plan_with_no_program(void)
{
	EXPECT(PLAN_OK, .opcode = OP_DONE, .payload = nothing, .socket = NETLINK_ROUTE + 1, .file = "net/x");
	EXPECT(PLAN_OK, .opcode = OP_DONE, .payload = nothing, .socket = NETLINK_NETFILTER + 1);
	EXPECT(PLAN_BAD_VALUE, .opcode = OP_DONE, .payload = nothing, .socket = NETLINK_AUDIT + 1);
	EXPECT(PLAN_BAD_VALUE, .opcode = OP_DONE, .payload = nothing, .file = "kernel/x");
	EXPECT(PLAN_BAD_PATH, .opcode = OP_DONE, .payload = nothing, .file = "net/../kernel/x");
	EXPECT(PLAN_BAD_KIND, .opcode = OP_FILES, .payload = files_alone, .socket = NETLINK_ROUTE + 1);
	EXPECT(PLAN_BAD_KIND, .opcode = OP_FILES, .payload = files_alone, .file = "net/x");
}

/* Of another namespace it would be the host's. */
static void only_settings_of_the_network_are_changed(void)
{
	static const char *const others[] = {"kernel/x", "net", "net/", "netx/y", "ne/t", "vm/net/x", "net./x"};
	for (unsigned i = 0; i < sizeof others / sizeof *others; i++)
		CHECK(last_plan(&(struct last){.opcode = OP_DONE, .payload = nothing, .sysctl = others[i]}) != PLAN_OK);
}

static uint8_t exec_kind, exec_flag;

static void program(struct builder *p)
{
	static const char *const argv[] = {"x", NULL}, *const none[] = {NULL};
	put_u8(p, exec_kind), put_u8(p, exec_flag), put_text(p, "/bin"), put_list(p, argv), put_list(p, none);
}

static void a_program_is_a_child_or_waits(void)
{
	for (exec_kind = 0; exec_kind < 4; exec_kind++)
		for (exec_flag = 0; exec_flag < 3; exec_flag++)
			EXPECT((exec_kind == 1 || exec_kind == 2) && exec_flag < 2 ? PLAN_OK : PLAN_BAD_VALUE, .opcode = OP_EXEC, .payload = program, .ready = true);
	exec_kind = 1, exec_flag = 0;
	EXPECT(PLAN_BAD_COUNT, .opcode = OP_EXEC, .payload = program);
	EXPECT(PLAN_BAD_KIND, .opcode = OP_EXEC, .payload = program, .ready = true, .netlink = true);
	EXPECT(PLAN_BAD_KIND, .opcode = OP_EXEC, .payload = program, .ready = true, .sysctl = "net/x");
	EXPECT(PLAN_BAD_ORDER, .opcode = OP_EXEC, .payload = program, .ready = true, .more = true);
}

const struct test plan_exec_tests[] = {
	{"one more program", a_program_of_a_running_container_changes_nothing_of_it},
	{"entering", a_program_enters_first_and_once},
	{"groups before entering", groups_are_joined_before_anything_is_entered},
	{"a first process enters nothing", a_first_process_enters_nothing},
	{"a file service", a_file_service_is_its_own_program},
	{"a change of the network", a_network_is_changed_by_a_plan_with_no_program},
	{"a look at the network", a_network_is_read_by_a_plan_with_no_program},
	{"settings of the network", only_settings_of_the_network_are_changed},
	{"kinds of programs", a_program_is_a_child_or_waits},
};
const unsigned plan_exec_test_count = sizeof plan_exec_tests / sizeof *plan_exec_tests;
