/* The smallest test harness that will do: a test is a function; a failed check says where, and the rest still runs. */
#ifndef CAISSON_TEST_CHECK_H
#define CAISSON_TEST_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { COVERAGE_SIZE = 1 << 22 }; /* more than the program's code has bytes */

struct test {
	const char *name;
	void (*run)(void);
};

extern int checks_failed; /* of the running test */

void check_at(bool holds, const char *expression, const char *file, int line);
void check_equal_at(long expected, long actual, const char *expression, const char *file, int line);
void check_text_at(const char *expected, const char *actual, const char *file, int line);

#define CHECK(expression) check_at(expression, #expression, __FILE__, __LINE__)
#define CHECK_EQUAL(expected, actual) check_equal_at((long)(expected), (long)(actual), #actual, __FILE__, __LINE__)
#define CHECK_TEXT(expected, actual) check_text_at(expected, actual, __FILE__, __LINE__)

/* Runs those whose name contains `filter` (NULL: all); adds to the two counts. */
void run_tests(const struct test *tests, unsigned count, const char *filter, unsigned *passed, unsigned *failed);

#endif
