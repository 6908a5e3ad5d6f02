/*
 * Takes values of secrets out of output before it is written. The engine makes the table: it knows the values and the forms in which
 * they get into text. A pattern is found by a filter of hashes of its first bytes, then by comparison. What may begin a value waits
 * for the next output of its stream.
 */
#include "kernel.h"
#include "monitor_parts.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#ifndef SECRETMEM_MAGIC
#define SECRETMEM_MAGIC 0x5345434d
#endif

enum { HEAD = 8, LONGEST = 4104, LEAST_BITS = 3, MOST_BITS = 24, MOST_PATTERNS = 1 << 20 };
enum { MOST_TABLE = 256 << 20 };

#define NONE UINT32_MAX

struct redaction {
	const uint8_t *bytes; /* NULL: nothing is taken out */
	const struct redaction_table *table;
	const uint64_t *filter;
	const uint32_t *first;
	const struct redaction_pattern *pattern;
	const struct redaction_word *word;
	uint32_t longest;
	size_t size; /* of the mapping */
};

/* Bytes of a stream that wait; the first `covered` ones belong to a value whose word was written already. */
struct held {
	uint32_t count, covered;
	uint32_t current; /* the value whose word was the last output; NONE */
	uint8_t bytes[LONGEST];
};

static struct redaction redaction;
static struct held held[REDACTED_STREAMS] WHOLE_PAGES;
static uint8_t work[LONGEST + READ_SIZE] WHOLE_PAGES;

/* ---- the table ---- */

static bool is_within(const struct redaction_table *table, uint32_t at, uint32_t length, uint32_t most)
{
	return length <= most && at <= table->size && length <= table->size - at;
}

static bool valid_bits(uint32_t bits) { return bits >= LEAST_BITS && bits <= MOST_BITS; }

static bool valid_patterns(struct redaction *r)
{
	const struct redaction_table *table = r->table;
	for (uint32_t i = 0; i < table->words; i++)
		if (!is_within(table, r->word[i].at, r->word[i].length, REDACTION_WORD))
			return false;
	for (uint32_t i = 0; i < table->patterns; i++) {
		const struct redaction_pattern *pattern = &r->pattern[i];
		if (pattern->length < HEAD || !is_within(table, pattern->at, pattern->length, LONGEST) || pattern->word >= table->words ||
		    (pattern->next != NONE && pattern->next >= i)) /* the chains get to an end */
			return false;
		r->longest = pattern->length > r->longest ? pattern->length : r->longest;
	}
	for (uint32_t i = 0; i < 1u << table->bucket_bits; i++)
		if (r->first[i] != NONE && r->first[i] >= table->patterns)
			return false;
	return true;
}

static bool valid_table(struct redaction *r, size_t size)
{
	const struct redaction_table *table = r->table;
	if (size < sizeof *table || table->magic != PLAN_MAGIC || table->size != size || !valid_bits(table->filter_bits) ||
	    table->filter_bits < 6 || !valid_bits(table->bucket_bits) || table->patterns > MOST_PATTERNS || table->words > MOST_PATTERNS)
		return false;
	size_t at = sizeof *table;
	r->filter = (const uint64_t *)(r->bytes + at);
	at += (size_t)8 << (table->filter_bits - 6);
	r->first = (const uint32_t *)(r->bytes + at);
	at += (size_t)4 << table->bucket_bits;
	r->pattern = (const struct redaction_pattern *)(r->bytes + at);
	at += table->patterns * sizeof(struct redaction_pattern);
	r->word = (const struct redaction_word *)(r->bytes + at);
	at += table->words * sizeof(struct redaction_word);
	return at <= size && valid_patterns(r);
}

/* The kernel has locked that already, and refuses to do it twice. */
static bool is_secret_memory(int file)
{
	struct statfs system;
	return fstatfs(file, &system) == 0 && system.f_type == SECRETMEM_MAGIC;
}

int take_redaction(int file)
{
	struct redaction r = {0}, before = redaction;
	struct stat stat;
	if (fstat(file, &stat) < 0)
		return -errno;
	if (stat.st_size < (off_t)sizeof *r.table || stat.st_size > MOST_TABLE)
		return -EINVAL;
	size_t size = (size_t)stat.st_size;
	void *mapped = mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	if ((!is_secret_memory(file) && mlock(mapped, size) < 0) || madvise(mapped, size, MADV_DONTFORK) < 0) {
		int error = -errno;
		munmap(mapped, size);
		return error;
	}
	r.bytes = mapped;
	r.table = mapped;
	/* a memfd_secret(2) has whole pages */
	if (!valid_table(&r, r.table->size <= size ? r.table->size : 0)) {
		munmap(mapped, size);
		return -EBADMSG;
	}
	r.size = size;
	redaction = r;
	for (unsigned i = 0; i < REDACTED_STREAMS; i++)
		held[i].current = NONE; /* words have other numbers */
	if (before.bytes)
		munmap((void *)(uintptr_t)before.bytes, before.size);
	return 0;
}

/* ---- search ---- */

/* Returns the first pattern that may stand at `at`, where eight bytes are left; NONE if there is none. */
static uint32_t candidate(const uint8_t *at)
{
	uint64_t head;
	memcpy(&head, at, sizeof head);
	uint64_t product = head * redaction.table->key;
	uint64_t bit = product >> (64 - redaction.table->filter_bits);
	if (!(redaction.filter[bit >> 6] & 1ull << (bit & 63)))
		return NONE;
	return redaction.first[product >> (64 - redaction.table->bucket_bits)];
}

/* Returns the first place from `at` on where a pattern may stand; `end` if there is none. Eight bytes can be read at each. */
static size_t next_candidate(const uint8_t *bytes, size_t at, size_t end)
{
	const uint64_t *filter = redaction.filter, key = redaction.table->key;
	const unsigned shift = 64 - redaction.table->filter_bits;
	for (; at < end; at++) {
		uint64_t head;
		memcpy(&head, bytes + at, sizeof head);
		uint64_t bit = head * key >> shift;
		if (filter[bit >> 6] >> (bit & 63) & 1)
			break;
	}
	return at;
}

static bool stands(const struct redaction_pattern *pattern, const uint8_t *at, size_t length)
{
	return memcmp(redaction.bytes + pattern->at, at, length) == 0;
}

/* Returns the length of the longest pattern that stands at `at`; 0 if there is none. */
static uint32_t match(const uint8_t *at, size_t left, uint32_t *word)
{
	uint32_t longest = 0;
	for (uint32_t i = candidate(at); i != NONE; i = redaction.pattern[i].next) {
		const struct redaction_pattern *pattern = &redaction.pattern[i];
		if (pattern->length > longest && pattern->length <= left && stands(pattern, at, pattern->length)) {
			longest = pattern->length;
			*word = pattern->word;
		}
	}
	return longest;
}

/* True if a pattern begins with all of these bytes and goes on. */
static bool may_begin(const uint8_t *at, size_t left)
{
	if (left >= HEAD) {
		for (uint32_t i = candidate(at); i != NONE; i = redaction.pattern[i].next)
			if (redaction.pattern[i].length > left && stands(&redaction.pattern[i], at, left))
				return true;
		return false;
	}
	for (uint32_t i = 0; i < redaction.table->patterns; i++)
		if (stands(&redaction.pattern[i], at, left))
			return true;
	return false;
}

/* Returns where the first pattern begins that may go on behind the end. */
static size_t first_unfinished(const uint8_t *bytes, size_t length)
{
	for (size_t at = length < redaction.longest ? 0 : length - redaction.longest; at < length; at++)
		if (may_begin(bytes + at, length - at))
			return at;
	return length;
}

/* Passes on what stands before `hold`; places that overlap, and those of one value that touch, are one. */
static void pass(struct held *of, const uint8_t *bytes, size_t length, size_t hold, take_redacted *take, void *context)
{
	size_t end = of->covered, last = length < HEAD ? 0 : length - HEAD + 1;
	if (last > hold)
		last = hold;
	for (size_t at = next_candidate(bytes, 0, last); at < last; at = next_candidate(bytes, at + 1, last)) {
		uint32_t value = NONE, size = match(bytes + at, length - at, &value);
		if (size == 0)
			continue;
		const struct redaction_word *word = &redaction.word[value];
		if (at > end)
			take(context, bytes + end, at - end);
		if (at > end || (at == end && value != of->current)) {
			take(context, redaction.bytes + word->at, word->length);
			of->current = value;
		}
		end = at + size > end ? at + size : end;
	}
	if (end < hold) {
		take(context, bytes + end, hold - end);
		of->current = NONE;
	}
	of->covered = end > hold ? (uint32_t)(end - hold) : 0;
	of->count = (uint32_t)(length - hold);
	memmove(of->bytes, bytes + hold, of->count);
}

/* ---- streams ---- */

bool redacts(void) { return redaction.bytes; }

void redact(unsigned stream, const uint8_t *bytes, size_t length, take_redacted *take, void *context)
{
	struct held *of = &held[stream];
	while (length > 0) {
		size_t part = length < READ_SIZE ? length : READ_SIZE, all = of->count + part;
		memcpy(work, of->bytes, of->count);
		memcpy(work + of->count, bytes, part);
		pass(of, work, all, first_unfinished(work, all), take, context);
		bytes += part, length -= part;
	}
}

void end_redaction(unsigned stream, take_redacted *take, void *context)
{
	struct held *of = &held[stream];
	uint32_t count = of->count;
	memcpy(work, of->bytes, count);
	pass(of, work, count, count, take, context);
	of->current = NONE;
}

size_t forget_redaction(unsigned stream)
{
	size_t count = held[stream].count;
	held[stream].count = held[stream].covered = 0;
	held[stream].current = NONE;
	return count;
}

/* Frees memory that an idle container does not need, and clears what stood there. */
void trim_redaction(void)
{
	if (redacts())
		madvise(work, sizeof work, MADV_DONTNEED);
}
