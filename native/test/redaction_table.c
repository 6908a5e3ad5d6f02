#include "redaction_table.h"
#include "../monitor.h"

#include <string.h>

uint32_t build_redaction_table(uint8_t *bytes, unsigned count, const char *const text[], const char *const name[])
{
	struct redaction_table *head = (struct redaction_table *)bytes;
	*head = (struct redaction_table){
		.magic = PLAN_MAGIC, .key = 0x9e3779b97f4a7c15, .filter_bits = 13, .bucket_bits = 4, .patterns = count, .words = count};
	uint64_t *filter = (uint64_t *)(bytes + sizeof *head);
	uint32_t *buckets = (uint32_t *)(bytes + sizeof *head + 1024);
	struct redaction_pattern *patterns = (struct redaction_pattern *)(buckets + 16);
	struct redaction_word *word = (struct redaction_word *)(patterns + count);
	uint32_t at = (uint32_t)((uint8_t *)(word + count) - bytes);
	memset(buckets, 0xff, 64);
	for (unsigned i = 0; i < count; i++) {
		uint64_t first;
		memcpy(&first, text[i], sizeof first);
		uint64_t product = first * head->key, bit = product >> 51;
		filter[bit >> 6] |= 1ull << (bit & 63);
		uint32_t *bucket = &buckets[product >> 60];
		patterns[i] = (struct redaction_pattern){.next = *bucket, .at = at, .length = (uint16_t)strlen(text[i]), .word = (uint16_t)i};
		*bucket = i;
		memcpy(bytes + at, text[i], strlen(text[i]));
		at += (uint32_t)strlen(text[i]);
		word[i] = (struct redaction_word){.at = at, .length = (uint32_t)strlen(name[i])};
		memcpy(bytes + at, name[i], strlen(name[i]));
		at += (uint32_t)strlen(name[i]);
	}
	return head->size = at;
}
