#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int checks_failed;

/* For tools/native-mutants: what comes after the first failure tells nobody anything. */
static bool ends_at_first_failure(void) { return getenv("CAISSON_TESTS_END_AT_FIRST_FAILURE"); }

static void fail(void)
{
	checks_failed++;
	if (ends_at_first_failure())
		exit(1);
}

void check_at(bool holds, const char *expression, const char *file, int line)
{
	if (!holds) {
		fprintf(stderr, "%s:%d: not so: %s\n", file, line, expression);
		fail();
	}
}

void check_equal_at(long expected, long actual, const char *expression, const char *file, int line)
{
	if (expected != actual) {
		fprintf(stderr, "%s:%d: %s is %ld, expected %ld\n", file, line, expression, actual, expected);
		fail();
	}
}

void check_text_at(const char *expected, const char *actual, const char *file, int line)
{
	if (strcmp(expected, actual) != 0) {
		fprintf(stderr, "%s:%d: expected\n%s\nbut it is\n%s\n", file, line, expected, actual);
		fail();
	}
}

/* ---- for tools/native-mutants ---- */

/* The environment names a file with the names of the tests to run, one on each line: true for all others. */
static bool is_left_out(const char *name)
{
	const char *path = getenv("CAISSON_TESTS_LIST");
	char line[256];
	FILE *list = path ? fopen(path, "r") : NULL;
	bool found = !path;
	while (list && !found && fgets(line, sizeof line, list)) {
		line[strcspn(line, "\n")] = 0;
		found = strcmp(line, name) == 0;
	}
	if (list)
		fclose(list);
	return !found;
}

/* Ends this program when a test takes longer than the environment says. */
static void limit_time(bool on)
{
	const char *seconds = getenv("CAISSON_TESTS_SECONDS");
	if (seconds)
		alarm(on ? (unsigned)atoi(seconds) : 0);
}

static long now_millis(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes what coverage.c noted since the last call into a file beside: a line with the test, its time, and where the program has been. */
static void take_coverage(const char *test, long millis)
{
	static uint8_t *map;
	static FILE *lines;
	const char *path = getenv("CAISSON_TESTS_COVERAGE");
	char beside[256];
	if (!path)
		return;
	if (!map) {
		int fd = open(path, O_RDWR | O_CLOEXEC);
		map = mmap(NULL, COVERAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		snprintf(beside, sizeof beside, "%s.lines", path);
		lines = fopen(beside, "we");
		if (map == MAP_FAILED || !lines)
			abort();
		close(fd);
	}
	fprintf(lines, "%s\t%ld\t", test, millis);
	for (unsigned i = 0; i < COVERAGE_SIZE; i++) {
		if (map[i])
			fprintf(lines, "%x ", i);
		map[i] = 0;
	}
	fputc('\n', lines);
	fflush(lines); /* tests fork, and a child must not write it again */
}

void run_tests(const struct test *tests, unsigned count, const char *filter, unsigned *passed, unsigned *failed)
{
	bool enough = ends_at_first_failure();
	if (*passed + *failed == 0)
		take_coverage("", 0); /* of the start */
	for (unsigned i = 0; i < count && !(enough && *failed > 0); i++) {
		if ((filter && !strstr(tests[i].name, filter)) || is_left_out(tests[i].name))
			continue;
		long start = now_millis();
		limit_time(true);
		checks_failed = 0;
		tests[i].run();
		limit_time(false);
		take_coverage(tests[i].name, now_millis() - start);
		if (checks_failed)
			fprintf(stderr, "FAILED %s\n", tests[i].name);
		*(checks_failed ? failed : passed) += 1;
	}
}
