/* Writes plans for the tests: the same form as the engine's own codec, by hand and without its checks. */
#ifndef CAISSON_TEST_BUILDER_H
#define CAISSON_TEST_BUILDER_H

#include "../plan.h"

#include <stddef.h>

struct builder {
	uint8_t *bytes;
	uint32_t length, size;
	uint32_t step; /* where the open step's header is */
	uint16_t steps, slots, pause_before, kind;
};

void builder_start(struct builder *, uint16_t slots);
void builder_step(struct builder *, uint8_t phase, uint8_t opcode); /* closes the one before */
void builder_finish(struct builder *);				    /* closes the last one, writes the header */
void builder_free(struct builder *);

void put_u8(struct builder *, uint8_t);
void put_u16(struct builder *, uint16_t);
void put_u32(struct builder *, uint32_t);
void put_u64(struct builder *, uint64_t);
void put_bytes(struct builder *, const void *, size_t); /* with their length in front */
void put_raw(struct builder *, const void *, size_t);
void put_text(struct builder *, const char *);
void put_list(struct builder *, const char *const *); /* ends with NULL */

#endif
