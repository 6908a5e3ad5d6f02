#include "check.h"

#include <stdlib.h>
#include <string.h>

int checks_failed;

void check_at(bool holds, const char *expression, const char *file, int line)
{
	if (!holds) {
		fprintf(stderr, "%s:%d: not so: %s\n", file, line, expression);
		checks_failed++;
	}
}

void check_equal_at(long expected, long actual, const char *expression, const char *file, int line)
{
	if (expected != actual) {
		fprintf(stderr, "%s:%d: %s is %ld, expected %ld\n", file, line, expression, actual, expected);
		checks_failed++;
	}
}

void check_text_at(const char *expected, const char *actual, const char *file, int line)
{
	if (strcmp(expected, actual) != 0) {
		fprintf(stderr, "%s:%d: expected\n%s\nbut it is\n%s\n", file, line, expected, actual);
		checks_failed++;
	}
}

void run_tests(const struct test *tests, unsigned count, const char *filter, unsigned *passed, unsigned *failed)
{
	bool enough = getenv("CAISSON_TESTS_END_AT_FIRST_FAILURE"); /* what comes after tells nobody anything */
	for (unsigned i = 0; i < count && !(enough && *failed > 0); i++) {
		if (filter && !strstr(tests[i].name, filter))
			continue;
		checks_failed = 0;
		tests[i].run();
		if (checks_failed)
			fprintf(stderr, "FAILED %s\n", tests[i].name);
		*(checks_failed ? failed : passed) += 1;
	}
}
