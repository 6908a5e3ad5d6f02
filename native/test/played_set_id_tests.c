/* Programs that were executed without effect: how often the zygote is asked for them, and the file that has them. */
#include "played_tests.h"
#include "../kernel.h"

#include <stdio.h>

static struct monitor_set_id_log read_log(void)
{
	struct monitor_set_id_log log = {0};
	int file = openat(played.directory, MONITOR_SET_ID_FILE, O_RDONLY | O_CLOEXEC);
	CHECK(file >= 0 && read(file, &log, sizeof log) == sizeof log);
	close_fd(&file);
	return log;
}

static void begin_watched(void)
{
	begin();
	played.queue_error = played.look_error = 0, played.looks = 0;
	played.look = (struct look_reply){.looked = 1};
	m.flags |= MONITOR_WATCH_SET_ID;
	begin_set_id(&m);
}

static void finds(const char *name, unsigned looks)
{
	strcpy(played.look.name, name);
	played.looks = looks;
}

static void nobody_watches_where_such_programs_have_effect(void)
{
	begin();
	begin_set_id(&m);
	CHECK_EQUAL(NO_FD, m.set_id.queue);
	CHECK(faccessat(played.directory, MONITOR_SET_ID_FILE, F_OK, 0) < 0);
	finish();
}

static void a_missing_queue_is_written_down_and_the_container_runs(void)
{
	begin();
	played.queue_error = -EMFILE;
	m.flags |= MONITOR_WATCH_SET_ID;
	begin_set_id(&m);
	struct monitor_set_id_log log = read_log();
	CHECK(log.magic == PLAN_MAGIC && log.version == MONITOR_VERSION && log.error == EMFILE && log.count == 0);
	run_it();
	ends_with(0);
	CHECK_EQUAL(EMFILE, read_log().error);
	finish();
}

static void each_program_is_noted_once_and_soon(void)
{
	begin_watched();
	CHECK(read_log().error == 0 && read_log().count == 0);
	run_it();
	finds("/bin/su", 2);
	take_programs(&m), take_programs(&m);
	finds("/bin/sudo", 1);
	take_programs(&m);
	CHECK_EQUAL(0, read_log().count);
	pass(200 * MILLIS);
	struct monitor_set_id_log log = read_log();
	CHECK_EQUAL(2, log.count);
	CHECK_TEXT("/bin/su", log.name[0]);
	CHECK_TEXT("/bin/sudo", log.name[1]);
	CHECK_EQUAL(0, log.missing);
	finish();
}

static void what_the_queue_still_has_is_in_the_file_before_the_exit_is_recorded(void)
{
	begin_watched();
	run_it();
	finds("/bin/su", 3);
	ends_with(0);
	CHECK_EQUAL(1, read_log().count);
	CHECK_EQUAL(0, m.set_id.write_at);
	CHECK(m.set_id.queue >= 0); /* for the next run */
	finish();
}

static void an_end_waits_for_no_flood(void)
{
	begin_watched();
	run_it();
	played.look.looked = LOOK_MOST;
	finds("", 1000);
	ends_with(0);
	CHECK_EQUAL(1000 - 1024 / LOOK_MOST, played.looks);
	CHECK_EQUAL(SET_ID_LOST, read_log().missing);
	finish();
}

static void a_flood_is_looked_at_every_fifty_milliseconds(void)
{
	begin_watched();
	run_it();
	finds("", 1000);
	played.look.looked = 63;
	take_programs(&m);
	CHECK_EQUAL(0, m.set_id.wait_until);
	played.look.looked = 1;
	take_programs(&m);
	CHECK_EQUAL(played.clock + 50 * MILLIS, m.set_id.wait_until);
	pass(50 * MILLIS - 1);
	CHECK(m.set_id.wait_until != 0);
	pass(1);
	CHECK_EQUAL(0, m.set_id.wait_until);
	take_programs(&m);
	CHECK(m.set_id.wait_until == 0 && m.set_id.looked == 1);
	finish();
}

static void what_is_missing_is_told_apart(void)
{
	begin_watched();
	run_it();
	finds("", 1);
	played.look.flags = LOOK_UNSEEN;
	take_programs(&m);
	CHECK_EQUAL(SET_ID_UNSEEN, m.set_id.log.missing);
	played.look.flags = 0;
	for (unsigned i = 0; i < MONITOR_MAX_SET_ID; i++) {
		char name[8];
		snprintf(name, sizeof name, "/%u", i);
		finds(name, 1);
		take_programs(&m);
	}
	CHECK_EQUAL(SET_ID_UNSEEN, m.set_id.log.missing);
	finds("/33", 1);
	take_programs(&m);
	CHECK_EQUAL(SET_ID_UNSEEN | SET_ID_MORE, m.set_id.log.missing);
	CHECK_EQUAL(MONITOR_MAX_SET_ID, m.set_id.log.count);
	finds("", 1);
	played.look.flags = LOOK_LOST;
	take_programs(&m);
	CHECK_EQUAL(SET_ID_UNSEEN | SET_ID_MORE | SET_ID_LOST, m.set_id.log.missing);
	finish();
}

static void a_zygote_that_is_gone_ends_the_watch(void)
{
	begin_watched();
	run_it();
	played.look_error = -EPIPE;
	take_programs(&m);
	CHECK(m.set_id.queue == NO_FD && m.set_id.log.missing == SET_ID_LOST);
	ends_with(0);
	CHECK_EQUAL(SET_ID_LOST, read_log().missing);
	played.look_error = 0;
	finish();
}

static void what_an_earlier_monitor_noted_stays_and_a_cut_file_is_none(void)
{
	begin_watched();
	finds("/bin/su", 1);
	take_programs(&m);
	write_set_id(&m);
	close_fd(&m.set_id.queue);
	m.set_id = (struct set_id){.queue = NO_FD};
	begin_set_id(&m);
	CHECK_EQUAL(1, read_log().count);
	int file = openat(played.directory, MONITOR_SET_ID_FILE, O_WRONLY | O_CLOEXEC);
	CHECK(ftruncate(file, sizeof(struct monitor_set_id_log) - 1) == 0);
	close_fd(&file);
	close_fd(&m.set_id.queue);
	m.set_id = (struct set_id){.queue = NO_FD};
	begin_set_id(&m);
	CHECK_EQUAL(0, read_log().count);
	finish();
}

static void a_file_that_cannot_be_written_is_tried_again(void)
{
	begin_watched();
	finds("/bin/su", 1);
	take_programs(&m);
	room = 3;
	pass(200 * MILLIS);
	CHECK(m.set_id.write_at > played.clock && read_log().count == 0);
	CHECK(faccessat(played.directory, ".set-id", F_OK, 0) < 0); /* nothing half is left */
	room = SIZE_MAX;
	pass(5 * SECONDS);
	CHECK(m.set_id.write_at == 0 && read_log().count == 1);
	finish();
}

const struct test played_set_id_tests[] = {
	{"set-id: with effect", nobody_watches_where_such_programs_have_effect},
	{"set-id: no queue", a_missing_queue_is_written_down_and_the_container_runs},
	{"set-id: once", each_program_is_noted_once_and_soon},
	{"set-id: end", what_the_queue_still_has_is_in_the_file_before_the_exit_is_recorded},
	{"set-id: flood at the end", an_end_waits_for_no_flood},
	{"set-id: flood", a_flood_is_looked_at_every_fifty_milliseconds},
	{"set-id: missing", what_is_missing_is_told_apart},
	{"set-id: no zygote", a_zygote_that_is_gone_ends_the_watch},
	{"set-id: earlier", what_an_earlier_monitor_noted_stays_and_a_cut_file_is_none},
	{"set-id: full disk", a_file_that_cannot_be_written_is_tried_again},
};
const unsigned played_set_id_test_count = sizeof played_set_id_tests / sizeof *played_set_id_tests;
