#include "filter_judge.h"

#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

uint32_t judge(const struct sock_filter *filter, unsigned count, const struct seccomp_data *call)
{
	uint32_t accumulator = 0;
	for (unsigned at = 0; at < count; at++) {
		const struct sock_filter *it = &filter[at];
		switch (it->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (it->k > sizeof *call - sizeof accumulator)
				abort();
			memcpy(&accumulator, (const uint8_t *)call + it->k, sizeof accumulator);
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += accumulator == it->k ? it->jt : it->jf;
			break;
		case BPF_RET | BPF_K:
			return it->k;
		default:
			abort();
		}
	}
	abort(); /* the kernel refuses a filter that has no end */
}

void expect_calls(const struct sock_filter *filter, unsigned count, uint32_t arch, const int *allowed, unsigned allowed_count)
{
	static const uint64_t values[] = {0, 1, 2, 3, UINT64_MAX};
	for (int number = 0; number < CALLS; number++) {
		bool listed = false;
		for (unsigned i = 0; i < allowed_count; i++)
			listed |= allowed[i] == number;
		for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
			struct seccomp_data call = {.nr = number, .arch = arch, .args = {values[i], values[i], values[i], values[i], values[i], values[i]}};
			uint32_t verdict = judge(filter, count, &call);
			if (verdict != (listed ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS))
				fprintf(stderr, "call %d with arguments of %#llx\n", number, (unsigned long long)values[i]);
			CHECK_EQUAL(listed ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS, verdict);
			call.arch ^= 1;
			CHECK_EQUAL(SECCOMP_RET_KILL_PROCESS, judge(filter, count, &call));
		}
	}
}
