/* What the tests of the front end share: a clone, a state directory, and an engine that is made up. */
#ifndef CAISSON_TEST_FRONT_TESTS_H
#define CAISSON_TEST_FRONT_TESTS_H

#include "../front.h"
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAUNCHED "launcher own a b c\n"

struct front {
	pid_t pid;
	int output, status;
	char text[4096];
	size_t length;
};

struct message {
	struct front_header header;
	char payload[FRONT_MAX_PAYLOAD];
} __attribute__((packed));

extern char home[64], serve[96]; /* the clone, which is the state directory as well; the directory of the socket */
extern int listening;
extern struct front front;
extern struct message received;
extern ssize_t received_length;
extern void (*before_start)(void); /* in the process of the front end */

void write_file(const char *name, const char *text, mode_t mode); /* below home */
void make_directory(const char *name);
void begin(void);
void start(void);
void start_with(const char *only); /* one word instead of a command */
int is_connected(void);
void receive(void); /* the next message, with its descriptors counted and closed */
void receive_request(void);
void answer(uint16_t op, uint16_t version, uint32_t value, const void *payload, size_t length);
void hang_up(void);
void end(void); /* of the front end, and of what begin() made */
void clean_up(void); /* that alone */
void ended_with(int status, const char *text);
void failed_with(const char *code);

extern const struct test front_caller_tests[];
extern const unsigned front_caller_test_count;
extern const struct test front_source_tests[];
extern const unsigned front_source_test_count;

#endif
