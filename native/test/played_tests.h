/* What the tests of test_played share: a client, and inits that are processes. */
#ifndef CAISSON_TEST_PLAYED_TESTS_H
#define CAISSON_TEST_PLAYED_TESTS_H

#include "check.h"
#include "played.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct answer {
	struct monitor_header header;
	uint8_t payload[1024];
	int fd;
};

extern struct answer answered; /* the last one */

int connected(void);					/* a new client's socket */
bool hear(int client);					/* takes the next message into `answered`; false if there is none */
int ask_as(int client, uint16_t op, uint32_t argument, const void *payload, uint32_t length); /* the error, or -1 if no answer came yet */
struct monitor_state told(void);			/* the state in `answered` */

extern int usual;					/* the first client */
int ask(uint16_t op, uint32_t argument);		/* as the first client, without a payload */
int ask_with(uint16_t op, const void *payload, uint32_t length);

void begin(void);					/* a created container, and its first client */
void begin_with(const struct monitor_policy *policy);
void finish(void);

void report_from(int end, uint32_t kind, int status, uint32_t detail, int fd); /* `fd` is closed */
void say(uint32_t kind, int status, uint32_t detail);	/* as init, and the monitor takes it */
void say_with(uint32_t kind, uint32_t detail, int fd);
void run_it(void);					/* START and READY */

int heard_signal(void);					/* the oldest signal that a process has heard; 0 after ten seconds */
bool hears_nothing(void);				/* for fifty milliseconds */
bool is_killed(int pidfd);				/* within ten seconds */
bool lives(int pidfd);
void ends_with(int status);				/* init reports that exit code, and exits */
void dies(int number);					/* init is killed by this signal, without a word */

void pass(uint64_t nanos);				/* time passes, and deadlines are looked at */
void pass_until(uint64_t deadline);
int some_file(void);

extern size_t most_written, room;			/* what one write(2) takes, and all of them: SIZE_MAX for no limit */
extern unsigned interruptions;				/* of the next calls of write(2) */
extern unsigned freed;					/* how often madvise(2) has freed something */

extern const struct test played_start_tests[], played_run_tests[], played_deadline_tests[], played_health_tests[], played_probe_tests[], played_request_tests[], played_stream_tests[], played_setup_tests[], played_log_tests[], played_loop_tests[], played_set_id_tests[];
extern const unsigned played_start_test_count, played_run_test_count, played_deadline_test_count, played_health_test_count, played_probe_test_count, played_request_test_count, played_stream_test_count, played_setup_test_count, played_log_test_count, played_loop_test_count, played_set_id_test_count;

#endif
