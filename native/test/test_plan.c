/* Every rule of the decoder with a plan that keeps it and one that breaks it. No root, no kernel. */
#include "builder.h"
#include "check.h"
#include "plan_tests.h"
#include "samples.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum plan_error decode(const struct builder *plan, uint32_t *where)
{
	static struct plan decoded;
	/* a copy of exactly its size, so that a sanitizer sees a read past the end */
	uint8_t *copy = malloc(plan->length ? plan->length : 1);
	memcpy(copy, plan->bytes, plan->length);
	enum plan_error error = plan_decode(copy, plan->length, plan->slots, &decoded, where);
	free(copy);
	return error;
}

static void expect(enum plan_error expected, struct builder *plan)
{
	uint32_t where;
	CHECK_EQUAL(expected, decode(plan, &where));
	builder_free(plan);
}

/* A complete plan with one more step, written by `payload`, in its place. */
static enum plan_error with(uint8_t phase, uint8_t opcode, void (*payload)(struct builder *))
{
	struct builder plan;
	uint32_t where;
	sample_plan(&plan, phase, opcode, payload);
	enum plan_error error = decode(&plan, &where);
	builder_free(&plan);
	return error;
}

/* ---- the whole ---- */

static void minimal_plan_is_taken(void)
{
	struct builder plan;
	sample_plan(&plan, PHASE_COUNT, 0, NULL);
	expect(PLAN_OK, &plan);
}

static void expect_taken(const struct sample *all, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		enum plan_error error = with(all[i].phase, all[i].opcode, all[i].good);
		if (error != PLAN_OK)
			fprintf(stderr, "opcode %u in phase %u, number %u\n", all[i].opcode, all[i].phase, i);
		CHECK_EQUAL(PLAN_OK, error);
	}
}

static void expect_refused(const struct bad_sample *all, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		enum plan_error error = with(all[i].phase, all[i].opcode, all[i].payload);
		if (error != all[i].error)
			fprintf(stderr, "%s\n", all[i].name);
		CHECK_EQUAL(all[i].error, error);
	}
}

static void every_opcode_is_taken_in_its_phase(void) { expect_taken(samples, sample_count); }
static void every_bad_payload_is_refused(void) { expect_refused(bad_samples, bad_sample_count); }
static void the_most_and_the_least_are_taken(void) { expect_taken(edge_samples, edge_sample_count); }
static void what_is_just_outside_is_refused(void) { expect_refused(bad_edge_samples, bad_edge_sample_count); }

static void every_opcode_is_refused_in_every_other_phase(void)
{
	const struct opcode_rule *rule;
	for (unsigned i = 0; (rule = plan_opcode(i)) != NULL; i++)
		for (uint8_t phase = 0; phase < PHASE_COUNT; phase++) {
			if (phase == rule->phase || phase == rule->other_phase || rule->opcode == OP_SEAL) /* SEAL: see below */
				continue;
			CHECK_EQUAL(PLAN_BAD_PHASE, with(phase, rule->opcode, NULL));
		}
}

static void a_payload_too_long_or_too_short_is_refused(void)
{
	for (unsigned i = 0; i < sample_count; i++) {
		struct builder plan;
		uint32_t where;
		sample_plan(&plan, PHASE_COUNT, 0, NULL);
		builder_free(&plan);
		sample_plan_with_extra(&plan, &samples[i], 1);
		CHECK_EQUAL(PLAN_BAD_LENGTH, decode(&plan, &where));
		builder_free(&plan);
		sample_plan_with_extra(&plan, &samples[i], -1);
		CHECK(decode(&plan, &where) != PLAN_OK);
		builder_free(&plan);
	}
}

/* ---- the header ---- */

static void change_header(size_t offset, const void *value, size_t size, enum plan_error expected)
{
	struct builder plan;
	sample_plan(&plan, PHASE_COUNT, 0, NULL);
	memcpy(plan.bytes + offset, value, size);
	expect(expected, &plan);
}

static void header_is_checked(void)
{
	uint32_t word = 0;
	uint16_t half = 0;
	change_header(offsetof(struct plan_header, magic), &word, 4, PLAN_BAD_HEADER);
	change_header(offsetof(struct plan_header, steps), &half, 2, PLAN_BAD_HEADER);
	word = 20;
	change_header(offsetof(struct plan_header, bytes), &word, 4, PLAN_BAD_LENGTH);
	half = PLAN_MAX_STEPS + 1;
	change_header(offsetof(struct plan_header, steps), &half, 2, PLAN_BAD_HEADER);
	half = 5;
	change_header(offsetof(struct plan_header, slots), &half, 2, PLAN_BAD_SLOT);
	half = PLAN_KINDS;
	change_header(offsetof(struct plan_header, kind), &half, 2, PLAN_BAD_HEADER);
	half = 500;
	change_header(offsetof(struct plan_header, pause_before), &half, 2, PLAN_BAD_HEADER);
	half = 3;
	change_header(offsetof(struct plan_header, pause_before), &half, 2, PLAN_OK);
}

/* As many slots as there may be, and one more. */
static void slots_are_as_many_as_fit(void)
{
	for (uint16_t slots = PLAN_MAX_SLOTS; slots <= PLAN_MAX_SLOTS + 1; slots++) {
		struct builder plan;
		sample_plan_of_slots(&plan, slots);
		expect(slots <= PLAN_MAX_SLOTS ? PLAN_OK : PLAN_BAD_SLOT, &plan);
	}
	struct builder plan; /* the fixed ones and the root */
	sample_plan_of_slots(&plan, SLOT_FIRST_FREE + 1);
	expect(PLAN_OK, &plan);
}

static void steps_and_bytes_are_as_many_as_fit(void)
{
	for (uint32_t more = 0; more < 2; more++) {
		struct builder plan;
		sample_plan_of_steps(&plan, PLAN_MAX_STEPS + more);
		expect(more ? PLAN_BAD_HEADER : PLAN_OK, &plan);
		sample_plan_of_bytes(&plan, PLAN_MAX_BYTES + more);
		expect(more ? PLAN_BAD_LENGTH : PLAN_OK, &plan);
	}
}

static void the_last_step_may_be_paused_at_and_none_behind_it(void)
{
	struct builder plan;
	uint16_t steps;
	sample_plan(&plan, PHASE_COUNT, 0, NULL);
	steps = plan.steps;
	builder_free(&plan);
	change_header(offsetof(struct plan_header, pause_before), &steps, 2, PLAN_BAD_HEADER);
	steps--;
	change_header(offsetof(struct plan_header, pause_before), &steps, 2, PLAN_OK);
}

static void reserved_bytes_of_a_step_are_checked(void)
{
	uint16_t half = 1;
	change_header(sizeof(struct plan_header) + offsetof(struct step_header, reserved), &half, 2, PLAN_BAD_STEP);
}

static void no_group_is_joined_behind_the_cgroup_namespace(void)
{
	struct builder plan;
	sample_plan_joining_late(&plan);
	expect(PLAN_BAD_ORDER, &plan);
}

static void slots_given_are_those_planned(void)
{
	struct builder plan;
	sample_plan(&plan, PHASE_COUNT, 0, NULL);
	plan.slots++;
	expect(PLAN_BAD_SLOT, &plan);
}

static void trailing_bytes_are_refused(void)
{
	struct builder plan;
	sample_plan(&plan, PHASE_COUNT, 0, NULL);
	put_u8(&plan, 0);
	memcpy(plan.bytes + offsetof(struct plan_header, bytes), &plan.length, 4);
	expect(PLAN_TRAILING, &plan);
}

/* Every prefix ends before something that is missed. */
static void every_prefix_is_refused(void)
{
	struct builder plan;
	uint32_t where;
	sample_plan(&plan, PHASE_COUNT, 0, NULL);
	for (uint32_t length = plan.length; length-- > 0;) {
		plan.length = length;
		if (length >= 8)
			memcpy(plan.bytes + offsetof(struct plan_header, bytes), &length, 4);
		CHECK(decode(&plan, &where) != PLAN_OK);
	}
	builder_free(&plan);
}

static void a_flipped_bit_never_breaks_the_decoder(void)
{
	struct builder plan;
	uint32_t where;
	sample_plan(&plan, PHASE_COUNT, 0, NULL);
	for (uint32_t bit = 0; bit < plan.length * 8; bit++) {
		plan.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		decode(&plan, &where);
		plan.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	expect(PLAN_OK, &plan);
}

/* ---- order and number ---- */

static void an_obligatory_step_cannot_be_missing_or_there_twice(void)
{
	static const uint8_t obligatory[] = {OP_CGROUP_NAMESPACE, OP_MAPPED, OP_PRIVATE, OP_ROOT,
					     OP_PIVOT,		  OP_VERIFY, OP_CAPS,	OP_READY};
	for (unsigned i = 0; i < sizeof obligatory; i++) {
		struct builder plan;
		sample_plan_without(&plan, obligatory[i]);
		expect(PLAN_BAD_COUNT, &plan);
		sample_plan_twice(&plan, obligatory[i]);
		expect(PLAN_BAD_COUNT, &plan);
	}
}

static void seal_is_first_and_exec_last(void)
{
	struct builder plan;
	sample_plan_without(&plan, OP_SEAL);
	expect(PLAN_BAD_ORDER, &plan);
	sample_plan_twice(&plan, OP_SEAL);
	expect(PLAN_BAD_COUNT, &plan);
	sample_plan_without(&plan, OP_EXEC);
	expect(PLAN_NO_EXEC, &plan);
	sample_plan_twice(&plan, OP_EXEC);
	expect(PLAN_BAD_ORDER, &plan);
}

static void one_thing_is_set_once(void)
{
	static const uint8_t once[] = {OP_NO_NEW_PRIVS, OP_CONSOLE, OP_ROOT_READ_ONLY, OP_LOOPBACK, OP_HOSTNAME,
				       OP_DOMAINNAME,	    OP_OOM_SCORE_ADJ, OP_KEYRING, OP_LANDLOCK, OP_RESOLVER};
	for (unsigned i = 0; i < sizeof once; i++) {
		struct builder plan;
		sample_plan_twice(&plan, once[i]);
		expect(PLAN_BAD_COUNT, &plan);
	}
}

static void phases_never_go_back(void)
{
	/* every ordered pair of steps with a later phase in front */
	for (unsigned i = 0; i < sample_count; i++)
		for (unsigned j = 0; j < sample_count; j++) {
			struct builder plan;
			uint32_t where;
			if (samples[i].phase <= samples[j].phase)
				continue;
			sample_plan_pair(&plan, &samples[i], &samples[j]);
			CHECK(decode(&plan, &where) != PLAN_OK);
			builder_free(&plan);
		}
}

static void where_is_the_broken_step(void)
{
	struct builder plan;
	uint32_t where;
	sample_plan_twice(&plan, OP_PRIVATE);
	CHECK_EQUAL(PLAN_BAD_COUNT, decode(&plan, &where));
	CHECK_EQUAL(4, where); /* SEAL, CGROUP_NAMESPACE, MAPPED, PRIVATE, PRIVATE */
	builder_free(&plan);
}

static void filter_comes_before_caps_only_without_no_new_privs(void)
{
	struct builder plan;
	sample_filter_plan(&plan, false, PHASE_CAPS, true);
	expect(PLAN_OK, &plan);
	sample_filter_plan(&plan, false, PHASE_CAPS, false);
	expect(PLAN_BAD_ORDER, &plan);
	sample_filter_plan(&plan, false, PHASE_FILTER, false);
	expect(PLAN_BAD_ORDER, &plan);
	sample_filter_plan(&plan, true, PHASE_CAPS, true);
	expect(PLAN_BAD_ORDER, &plan);
	sample_filter_plan(&plan, true, PHASE_FILTER, false);
	expect(PLAN_OK, &plan);
}

static void nothing_is_protected_behind_the_check(void)
{
	static const uint8_t late[] = {OP_MASK, OP_READ_ONLY, OP_SYSCTL, OP_ROOT_READ_ONLY};
	for (unsigned i = 0; i < sizeof late; i++) {
		struct builder plan;
		sample_plan_behind_verify(&plan, late[i]);
		expect(PLAN_BAD_ORDER, &plan);
	}
}

/* What is not a container's own network namespace is never set up from within it. */
static void a_network_is_set_up_behind_the_loopback_and_before_the_resolver(void)
{
	static const struct {
		enum plan_error expected;
		unsigned count;
		uint8_t opcodes[4];
	} orders[] = {
		{PLAN_OK, 4, {OP_LOOPBACK, OP_NETLINK, OP_NETLINK, OP_RESOLVER}},
		{PLAN_OK, 2, {OP_LOOPBACK, OP_RESOLVER}},
		{PLAN_BAD_ORDER, 1, {OP_NETLINK}},
		{PLAN_BAD_ORDER, 1, {OP_RESOLVER}},
		{PLAN_BAD_ORDER, 2, {OP_NETLINK, OP_LOOPBACK}},
		{PLAN_BAD_ORDER, 2, {OP_RESOLVER, OP_LOOPBACK}},
		{PLAN_BAD_ORDER, 3, {OP_LOOPBACK, OP_RESOLVER, OP_NETLINK}},
	};
	for (unsigned i = 0; i < sizeof orders / sizeof *orders; i++) {
		struct builder plan;
		sample_plan_of_limits(&plan, orders[i].opcodes, orders[i].count);
		expect(orders[i].expected, &plan);
	}
}

/* ---- links ---- */

static struct links good_links(void)
{
	struct links links = {.count = 2};
	links.link[0] = (struct plan_link){"cv0123456789ab", "cn0123456789", "eth0", 2, 68, {2}, 0, 0};
	links.link[1] = (struct plan_link){"cv-0123456789ab", "cn", "e", INT32_MAX, 65535, {0xfe, 1, 2, 3, 4, 5}, 1, 0};
	return links;
}

#define REFUSED(change)                                                                                                          \
	do {                                                                                                                     \
		struct links l = good_links();                                                                                   \
		struct plan_link *a = &l.link[0], *b = &l.link[1];                                                               \
		(void)a, (void)b;                                                                                                \
		change;                                                                                                          \
		CHECK(!valid_links(&l));                                                                                         \
	} while (0)

static void bad_links_are_refused(void)
{
	struct links good = good_links();
	CHECK(valid_links(&good));
	REFUSED(l.count = 0);
	REFUSED(l.count = 1);		       /* the second is there */
	REFUSED(l.count = 3);		       /* the third is none */
	REFUSED(l.count = PLAN_MAX_LINKS + 1);
	REFUSED(l.link[7].reserved = 1);
	REFUSED(memcpy(a->host, "eth0", 5));   /* what a machine may have of its own */
	REFUSED(memcpy(a->host, "vc012", 6));
	REFUSED(memcpy(a->host, "cv01234567890123", 16)); /* with no byte left for its end */
	REFUSED(memcpy(a->bridge, "cn01234567890123", 16));
	REFUSED(memcpy(a->guest, "eth0123456789012", 16));
	REFUSED(memset(a->guest, 0, 16));
	REFUSED(memcpy(a->host, "cv/../all", 10));
	REFUSED(memcpy(a->host, "cv.1", 5));
	REFUSED(memcpy(a->host, "cvA", 4));
	REFUSED(memcpy(a->host, "cv%d", 5)); /* which the kernel counts up */
	REFUSED(memcpy(a->host, "cv 1", 5));
	REFUSED(a->host[3] = '\n');
	REFUSED(a->host[0] = 0);
	REFUSED(a->host[15] = 'a');	       /* behind the end */
	REFUSED(memset(a->host, 'c', 16));
	REFUSED(memcpy(a->bridge, "docker0", 8));
	REFUSED(memset(a->bridge, 0, 16));
	REFUSED(memset(a->guest, 0, 16));
	REFUSED(memcpy(a->guest, "lo", 3));
	REFUSED(memcpy(a->guest, "0eth", 5));
	REFUSED(memcpy(a->guest, "-e", 3));
	REFUSED(memcpy(a->host, b->host, 16));
	REFUSED(memcpy(a->guest, b->guest, 16));
	REFUSED(a->guest_index = b->guest_index);
	REFUSED(a->guest_index = 0);
	REFUSED(a->guest_index = 1);
	REFUSED(a->guest_index = 1u << 31);
	REFUSED(a->mtu = 67);
	REFUSED(b->mtu = 65536);
	REFUSED(a->mac[0] = 1);
	REFUSED(memset(b->mac, 0xff, 6));
	REFUSED(a->mac[0] = 0);
	REFUSED(a->isolated = 2);
	REFUSED(a->reserved = 1);
}

static void a_slot_is_used_once(void)
{
	struct builder plan;
	sample_plan_twice(&plan, OP_MOUNT_FD);
	expect(PLAN_BAD_SLOT, &plan);
}

static const struct test tests[] = {
	{"minimal plan", minimal_plan_is_taken},
	{"every opcode in its phase", every_opcode_is_taken_in_its_phase},
	{"bad payloads", every_bad_payload_is_refused},
	{"edges", the_most_and_the_least_are_taken},
	{"bad edges", what_is_just_outside_is_refused},
	{"most slots", slots_are_as_many_as_fit},
	{"most steps and bytes", steps_and_bytes_are_as_many_as_fit},
	{"last pause", the_last_step_may_be_paused_at_and_none_behind_it},
	{"reserved bytes", reserved_bytes_of_a_step_are_checked},
	{"late group", no_group_is_joined_behind_the_cgroup_namespace},
	{"every opcode elsewhere", every_opcode_is_refused_in_every_other_phase},
	{"payload length", a_payload_too_long_or_too_short_is_refused},
	{"header", header_is_checked},
	{"slots", slots_given_are_those_planned},
	{"trailing bytes", trailing_bytes_are_refused},
	{"prefixes", every_prefix_is_refused},
	{"flipped bits", a_flipped_bit_never_breaks_the_decoder},
	{"obligatory steps", an_obligatory_step_cannot_be_missing_or_there_twice},
	{"first and last", seal_is_first_and_exec_last},
	{"single steps", one_thing_is_set_once},
	{"order of phases", phases_never_go_back},
	{"where", where_is_the_broken_step},
	{"filter and no_new_privs", filter_comes_before_caps_only_without_no_new_privs},
	{"verify is last of protect", nothing_is_protected_behind_the_check},
	{"order of a network", a_network_is_set_up_behind_the_loopback_and_before_the_resolver},
	{"bad links", bad_links_are_refused},
	{"slot once", a_slot_is_used_once},
};

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	const char *filter = argc > 1 ? argv[1] : NULL;
	run_tests(tests, sizeof tests / sizeof *tests, filter, &passed, &failed);
	run_tests(plan_exec_tests, plan_exec_test_count, filter, &passed, &failed);
	printf("plan: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
