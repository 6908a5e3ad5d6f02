/* What the tests of health checks share: a container that is checked, and the file of its results. */
#ifndef CAISSON_TEST_PLAYED_HEALTH_H
#define CAISSON_TEST_PLAYED_HEALTH_H

#include "played_tests.h"

extern const struct monitor_health usual_want; /* 50 ms, with 100 ms of a start period in which it is 10 ms */
extern struct monitor_health_log results;

void begin_checked(const struct monitor_health *want); /* it runs */
void let_probe_exit(int status);
bool read_results(void);
const struct monitor_probe *newest(void);
void check_output(const char *expected);

#endif
