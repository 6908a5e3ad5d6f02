/* Sources that are newer than the build, and when the front end looks at them. */
#include "front_tests.h"

#include <time.h>

static void newer_sources_are_the_launchers(void)
{
	begin();
	make_directory("room");
	make_directory("room/src");
	make_directory("room/src/main");
	make_directory("room/src/main/deep");
	struct timespec later[2] = {{.tv_sec = 4000000000}, {.tv_sec = 4000000000}};
	char current[160];
	snprintf(current, sizeof current, "%s/.caisson/current", home);
	CHECK_EQUAL(0, utimensat(AT_FDCWD, current, later, 0));
	CHECK(front_is_fresh(home));
	static const char *const sources[] = {"room/src/main/deep/A.java", "room/pom.xml", "pom.xml", "caisson"};
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
		char path[160];
		snprintf(path, sizeof path, "%s/%s", home, sources[i]);
		struct timespec newest[2] = {{.tv_sec = 4000000001}, {.tv_sec = 4000000001}};
		if (i < 3)
			write_file(sources[i], "", 0600);
		CHECK_EQUAL(0, utimensat(AT_FDCWD, path, newest, 0));
		CHECK(!front_is_fresh(home));
		CHECK_EQUAL(0, utimensat(AT_FDCWD, path, later, 0));
		CHECK(front_is_fresh(home));
	}
	write_file("room/notes", "", 0600); /* no source */
	CHECK(front_is_fresh(home));
	snprintf(current, sizeof current, "%s/caisson", home);
	struct timespec newest[2] = {{.tv_sec = 4000000001}, {.tv_sec = 4000000001}};
	CHECK_EQUAL(0, utimensat(AT_FDCWD, current, newest, 0));
	start();
	receive_request();
	answer(FRONT_LOOK, FRONT_VERSION, 0, NULL, 0);
	receive();
	CHECK_EQUAL(0, received_length); /* it hung up */
	ended_with(9, LAUNCHED);
}

static void sources_are_looked_at_when_the_engine_asks(void)
{
	begin();
	char later[160];
	snprintf(later, sizeof later, "%s/.caisson/current", home);
	struct timespec built[2] = {{.tv_sec = 4000000000}, {.tv_sec = 4000000000}};
	CHECK_EQUAL(0, utimensat(AT_FDCWD, later, built, 0));
	start();
	receive_request();
	answer(FRONT_LOOK, FRONT_VERSION, 0, NULL, 0);
	receive();
	CHECK_EQUAL(FRONT_FRESH, received.header.op);
	CHECK_EQUAL(sizeof received.header, received_length);
	answer(FRONT_LOOK, FRONT_VERSION, 0, NULL, 0); /* once is enough */
	ended_with(9, LAUNCHED);

	begin();
	snprintf(later, sizeof later, "%s/caisson", home);
	CHECK_EQUAL(0, utimensat(AT_FDCWD, later, built, 0));
	start();
	receive_request();
	answer(FRONT_STARTED, FRONT_VERSION, 1, NULL, 0);
	answer(FRONT_EXIT, FRONT_VERSION, 3, NULL, 0);
	ended_with(3, "");
}

static struct timespec built_at = {.tv_sec = 4000000000, .tv_nsec = 500};

static void set_time(const char *name, long seconds, long nanos)
{
	char path[300];
	struct timespec times[2] = {{.tv_sec = built_at.tv_sec + seconds, .tv_nsec = built_at.tv_nsec + nanos}};
	times[1] = times[0];
	snprintf(path, sizeof path, "%s/%s", home, name);
	CHECK_EQUAL(0, utimensat(AT_FDCWD, path, times, 0));
}

static void begin_built(void)
{
	begin();
	set_time(".caisson/current", 0, 0);
}

static void a_source_is_newer_by_a_nanosecond(void)
{
	begin_built();
	write_file("pom.xml", "", 0600);
	set_time("pom.xml", 0, 0);
	CHECK(front_is_fresh(home));
	set_time("pom.xml", 0, 1);
	CHECK(!front_is_fresh(home));
	set_time("pom.xml", -1, 400);
	CHECK(front_is_fresh(home));
	set_time("pom.xml", 1, -400);
	CHECK(!front_is_fresh(home));
	clean_up();
}

static void each_place_of_sources_is_looked_at(void)
{
	static const char *const sources[] = {"native/x.c", "native/x.h", "native/Makefile", ".mvn/deep/config", ".mvn/deep", "tools/build", "room/src/main/A.java"};
	static const char *const others[] = {"native/check", "native/c", "native/.c", "native/xc", "tools/other", "room/src/test", ".caisson/other", "room/src/main/.hidden"};
	static const char *const directories[] = {"native", ".mvn", ".mvn/deep", "tools", "room", "room/src", "room/src/main", "room/src/test"};
	begin_built();
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
		make_directory(directories[i]);
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
		if (strcmp(sources[i], ".mvn/deep") != 0)
			write_file(sources[i], "", 0600);
		CHECK(front_is_fresh(home));
		set_time(sources[i], 1, 0);
		check_at(!front_is_fresh(home), sources[i], __FILE__, __LINE__);
		set_time(sources[i], 0, 0);
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if (strcmp(others[i], "room/src/test") != 0)
			write_file(others[i], "", 0600);
		set_time(others[i], 1, 0);
		if (strcmp(others[i], "native/.c") == 0)
			continue; /* its name ends as that of a source */
		check_at(front_is_fresh(home), others[i], __FILE__, __LINE__);
	}
	clean_up();
}

/* A tree that goes on for ever is taken for one that has changed. */
static void trees_are_followed_thirty_two_deep(void)
{
	char name[200] = "room/src/main";
	begin_built();
	make_directory("room"), make_directory("room/src"), make_directory(name);
	for (int depth = 1; depth <= 32; depth++) {
		CHECK(front_is_fresh(home));
		strcat(name, "/d");
		make_directory(name);
	}
	CHECK(!front_is_fresh(home));
	clean_up();
}

static void without_a_build_nothing_is_fresh(void)
{
	char path[160];
	begin_built();
	CHECK(front_is_fresh(home));
	snprintf(path, sizeof path, "%s/.caisson/current", home);
	CHECK_EQUAL(0, unlink(path));
	CHECK(!front_is_fresh(home));
	CHECK(!front_is_fresh("/nowhere"));
	clean_up();
}

const struct test front_source_tests[] = {
	{"newer_sources_are_the_launchers", newer_sources_are_the_launchers},
	{"sources_are_looked_at_when_the_engine_asks", sources_are_looked_at_when_the_engine_asks},
	{"a_source_is_newer_by_a_nanosecond", a_source_is_newer_by_a_nanosecond},
	{"each_place_of_sources_is_looked_at", each_place_of_sources_is_looked_at},
	{"trees_are_followed_thirty_two_deep", trees_are_followed_thirty_two_deep},
	{"without_a_build_nothing_is_fresh", without_a_build_nothing_is_fresh},
};
const unsigned front_source_test_count = sizeof front_source_tests / sizeof *front_source_tests;
