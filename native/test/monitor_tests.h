#ifndef CAISSON_TEST_MONITOR_TESTS_H
#define CAISSON_TEST_MONITOR_TESTS_H

#include "check.h"
#include "watched.h"

#include <errno.h>
#include <signal.h>

extern struct engine engine;
extern const char *binary, *base_root;
extern struct watched watched; /* what a test works on */

struct spec shell(const char *script);			/* as in init_tests.h */
bool begin(const char *script, alteration *alter); /* a monitor for `sh -c script` */
int start(void);					/* 0, or the error number */

unsigned open_files(int pid);
unsigned files_settled(int pid, unsigned expected);

#define UNTIL_KILLED "while :; do sleep 0.02; done"

struct monitor_state run(void);				/* start, and how it ends */

extern const struct test monitor_run_tests[], monitor_exec_tests[], monitor_end_tests[], monitor_client_tests[], monitor_log_tests[],
	monitor_random_tests[], monitor_group_tests[], monitor_health_tests[], monitor_setup_tests[], monitor_link_tests[], monitor_status_tests[];
extern const unsigned monitor_run_test_count, monitor_exec_test_count, monitor_end_test_count, monitor_client_test_count, monitor_log_test_count,
	monitor_random_test_count, monitor_group_test_count, monitor_health_test_count, monitor_setup_test_count, monitor_link_test_count,
	monitor_status_test_count;

#endif
