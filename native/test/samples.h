/* A step of every kind, good and bad, and plans around them; shared by the tests and the fuzz corpus. */
#ifndef CAISSON_TEST_SAMPLES_H
#define CAISSON_TEST_SAMPLES_H

#include "builder.h"

#include <stdbool.h>

struct sample {
	uint8_t phase, opcode;
	void (*good)(struct builder *); /* NULL: no payload */
};

struct bad_sample {
	const char *name;
	uint8_t phase, opcode;
	void (*payload)(struct builder *);
	enum plan_error error;
};

enum { SAMPLE_SLOTS = 10, SAMPLE_ROOT = 9 };

extern const struct sample samples[];
extern const unsigned sample_count;
extern const struct bad_sample bad_samples[];
extern const unsigned bad_sample_count;

/* edge_samples.c: just inside and just outside */
extern const struct sample edge_samples[];
extern const unsigned edge_sample_count;
extern const struct bad_sample bad_edge_samples[];
extern const unsigned bad_edge_sample_count;

/* The obligatory steps in order, and one more in its phase (in front of the obligatory ones of that phase). */
void sample_plan(struct builder *, uint8_t phase, uint8_t opcode, void (*payload)(struct builder *));
void sample_plan_with_extra(struct builder *, const struct sample *, int extra);
void sample_plan_without(struct builder *, uint8_t opcode);
void sample_plan_twice(struct builder *, uint8_t opcode);
void sample_plan_pair(struct builder *, const struct sample *first, const struct sample *second);
void sample_plan_behind_verify(struct builder *, uint8_t opcode);
/* The obligatory steps, and these of phase LIMITS in their order. */
void sample_plan_of_limits(struct builder *, const uint8_t *opcodes, unsigned count);
void sample_filter_plan(struct builder *, bool no_new_privs, uint8_t phase, bool before_caps);
/* A plan of PLAN_EXEC: its obligatory steps, and `extra` (NULL: none) in its place; `without` (0: none) is left out. */
void sample_exec_plan(struct builder *, const struct sample *extra, uint8_t without);
extern const struct bad_sample bad_exec_samples[];
extern const unsigned bad_exec_sample_count;

void sample_plan_of_all(struct builder *);
void sample_plan_of_slots(struct builder *, uint16_t slots);
void sample_plan_of_steps(struct builder *, uint32_t steps);
void sample_plan_of_bytes(struct builder *, uint32_t bytes);
void sample_plan_joining_late(struct builder *);

#endif
