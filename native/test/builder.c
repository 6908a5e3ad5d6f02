#include "builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void put_raw(struct builder *builder, const void *bytes, size_t length)
{
	while (builder->length + length > builder->size) {
		builder->size = builder->size ? builder->size * 2 : 4096;
		builder->bytes = realloc(builder->bytes, builder->size);
		if (!builder->bytes)
			abort();
	}
	memcpy(builder->bytes + builder->length, bytes, length);
	builder->length += (uint32_t)length;
}

static void put_number(struct builder *builder, uint64_t value, size_t size)
{
	uint8_t bytes[8];
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	put_raw(builder, bytes, size);
}

void put_u8(struct builder *builder, uint8_t value) { put_number(builder, value, 1); }
void put_u16(struct builder *builder, uint16_t value) { put_number(builder, value, 2); }
void put_u32(struct builder *builder, uint32_t value) { put_number(builder, value, 4); }
void put_u64(struct builder *builder, uint64_t value) { put_number(builder, value, 8); }

void put_bytes(struct builder *builder, const void *bytes, size_t length)
{
	put_u32(builder, (uint32_t)length);
	put_raw(builder, bytes, length);
}

void put_text(struct builder *builder, const char *text) { put_bytes(builder, text, strlen(text)); }

void put_list(struct builder *builder, const char *const *list)
{
	uint32_t count = 0;
	while (list[count])
		count++;
	put_u32(builder, count);
	for (uint32_t i = 0; i < count; i++)
		put_text(builder, list[i]);
}

void builder_start(struct builder *builder, uint16_t slots)
{
	struct plan_header header = {0};
	*builder = (struct builder){.slots = slots, .pause_before = PLAN_NO_PAUSE};
	put_raw(builder, &header, sizeof header);
}

static void close_step(struct builder *builder)
{
	uint32_t length = builder->length - builder->step - (uint32_t)sizeof(struct step_header);
	if (builder->steps > 0)
		memcpy(builder->bytes + builder->step + offsetof(struct step_header, length), &length, sizeof length);
}

void builder_step(struct builder *builder, uint8_t phase, uint8_t opcode)
{
	struct step_header header = {phase, opcode, 0, 0};
	close_step(builder);
	builder->step = builder->length;
	builder->steps++;
	put_raw(builder, &header, sizeof header);
}

void builder_finish(struct builder *builder)
{
	close_step(builder);
	struct plan_header header = {PLAN_MAGIC, builder->length, builder->steps, builder->slots, builder->pause_before,
				     builder->kind};
	memcpy(builder->bytes, &header, sizeof header);
}

void builder_free(struct builder *builder)
{
	free(builder->bytes);
	*builder = (struct builder){0};
}
