/* What the tests of the decoder share. */
#ifndef CAISSON_TEST_PLAN_TESTS_H
#define CAISSON_TEST_PLAN_TESTS_H

#include "builder.h"
#include "check.h"

enum plan_error decode(const struct builder *plan, uint32_t *where);

extern const struct test plan_exec_tests[];
extern const unsigned plan_exec_test_count;

#endif
