/* Runs a filter of system calls as the kernel does, for those of our own processes. */
#ifndef CAISSON_TEST_FILTER_JUDGE_H
#define CAISSON_TEST_FILTER_JUDGE_H

#include "check.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

enum { CALLS = 600 }; /* more than there are numbers in use */

/* Returns what the filter returns of a call. */
uint32_t judge(const struct sock_filter *filter, unsigned count, const struct seccomp_data *call);

/* Those that are listed are allowed whatever their arguments are, all others and those of another architecture kill. */
void expect_calls(const struct sock_filter *filter, unsigned count, uint32_t arch, const int *allowed, unsigned allowed_count);

#endif
