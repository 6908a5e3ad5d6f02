/* Tests of what files keep to themselves: each of these includes one. */
#ifndef CAISSON_TEST_UNIT_TESTS_H
#define CAISSON_TEST_UNIT_TESTS_H

#include "check.h"

extern const struct test unit_zygote_tests[], unit_links_tests[], unit_monitor_zygote_tests[], unit_files_filter_tests[], unit_monitor_filter_tests[];
extern const unsigned unit_zygote_test_count, unit_links_test_count, unit_monitor_zygote_test_count,
	unit_files_filter_test_count, unit_monitor_filter_test_count;

#endif
