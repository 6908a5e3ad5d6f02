/* Starts, ends, restarts. */
#include "monitor_tests.h"

#include <string.h>
#include <unistd.h>

static void runs_and_records(void)
{
	struct monitor_record record;
	CHECK(begin("echo out; echo err >&2; exit 7", NULL));
	CHECK_EQUAL(MONITOR_CREATED, watched.created.phase);
	CHECK_EQUAL(0, start());
	struct monitor_state state = await_phase(watched.socket, MONITOR_EXITED);
	CHECK_EQUAL(MONITOR_EXITED, state.phase);
	CHECK_EQUAL(7, state.status);
	CHECK(strstr(log_of(&watched, "x-json.log"), "{\"log\":\"out\\n\",\"stream\":\"stdout\",\"time\":\"20"));
	CHECK(record_of(&watched, &record) && record.end.state.status == 7);
	watched_end(&watched);
}

const struct test monitor_run_tests[] = {
	{"runs and records", runs_and_records},
};
const unsigned monitor_run_test_count = sizeof monitor_run_tests / sizeof *monitor_run_tests;
