/* Makes tables of what is taken out of output. */
#ifndef CAISSON_TEST_REDACTION_TABLE_H
#define CAISSON_TEST_REDACTION_TABLE_H

#include <stdint.h>

/* Writes one with a filter of 13 bits and buckets of 4, and returns its size. */
uint32_t build_redaction_table(uint8_t *bytes, unsigned count, const char *const text[], const char *const name[]);

#endif
