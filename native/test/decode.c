/* The decoder as a filter, for the engine's own tests: plans from standard input, each behind its length as u32, and for
 * each a u32 with the rule that it breaks, or 0. */
#include "../plan.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	static struct plan plan;
	static uint8_t bytes[PLAN_MAX_BYTES];
	uint32_t length, where;
	while (fread(&length, sizeof length, 1, stdin) == 1) {
		if (length > sizeof bytes || fread(bytes, 1, length, stdin) != length)
			return 1;
		uint16_t slots = length >= 12 ? (uint16_t)(bytes[10] | bytes[11] << 8) : 0;
		uint32_t broken = plan_decode(bytes, length, slots, &plan, &where);
		if (fwrite(&broken, sizeof broken, 1, stdout) != 1 || fflush(stdout) != 0)
			return 1;
	}
	return 0;
}
