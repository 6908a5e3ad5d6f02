/* A cursor over a payload. Reading past the end yields zeros and sets `failed`, so that one check at the end is enough. */
#ifndef CAISSON_READER_H
#define CAISSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *at;
	uint32_t left;
	bool failed;
};

static inline const uint8_t *read_raw(struct reader *reader, uint32_t length)
{
	if (reader->failed || length > reader->left) {
		reader->failed = true;
		return NULL;
	}
	const uint8_t *at = reader->at;
	reader->at += length;
	reader->left -= length;
	return at;
}

static inline uint64_t read_number(struct reader *reader, uint32_t size)
{
	const uint8_t *at = read_raw(reader, size);
	uint64_t value = 0;
	for (uint32_t i = 0; at && i < size; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

static inline uint8_t read_u8(struct reader *reader) { return (uint8_t)read_number(reader, 1); }
static inline uint16_t read_u16(struct reader *reader) { return (uint16_t)read_number(reader, 2); }
static inline uint32_t read_u32(struct reader *reader) { return (uint32_t)read_number(reader, 4); }
static inline uint64_t read_u64(struct reader *reader) { return read_number(reader, 8); }
static inline int32_t read_i32(struct reader *reader) { return (int32_t)read_u32(reader); }

/* u32 length + bytes */
static inline const uint8_t *read_bytes(struct reader *reader, uint32_t *length)
{
	*length = read_u32(reader);
	const uint8_t *at = read_raw(reader, *length);
	if (!at)
		*length = 0;
	return at;
}

#endif
