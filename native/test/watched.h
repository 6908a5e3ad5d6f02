/* Plays the engine and other clients against a real monitor. Needs root. */
#ifndef CAISSON_TEST_WATCHED_H
#define CAISSON_TEST_WATCHED_H

#include "../monitor.h"
#include "engine.h"

struct watched {
	int socket;	 /* the first client: the setup socket */
	int state, log;	 /* directories */
	char path[128];	 /* parent of both */
	int error;	 /* of SETUP */
	uint32_t stage;	 /* the step that failed */
	struct monitor_state created;
};

/* Changes the SETUP message before it is sent. */
typedef void alteration(struct monitor_setup *);

struct message {
	struct monitor_header header;
	uint8_t payload[MONITOR_MAX_MESSAGE];
	int fd;
};

bool spawn_monitor(struct watched *, const char *binary); /* starts the process; sends no SETUP */
/* `group`: 0, or the directory of one to join */
bool prepare_monitor(const struct watched *watched, int group);

bool watched_begin(struct watched *, struct engine *, const char *binary, const struct spec *, alteration *);
/* Another monitor in the same directories, after the first was killed. */
bool watched_again(struct watched *, struct engine *, const char *binary, const struct spec *);
void watched_end(struct watched *); /* removes container and directories */

int connect_to(const struct watched *); /* returns a socket, or a negated error number */
bool send_raw(int socket, const void *bytes, size_t length);
bool send_op(int socket, uint16_t op, uint32_t argument, const void *payload, uint32_t length);
bool next_message(int socket, struct message *); /* false after 20 s or at end-of-file */
/* Returns the reply's argument, or -1 if there is none. Copies a payload of the right size to `into`. Skips notices. */
int ask_op(int socket, uint16_t op, uint32_t argument, const void *payload, uint32_t length, void *into, size_t size);
int await_reply(int socket, uint16_t op, struct message *);

struct monitor_state state_of(int socket);
struct monitor_state await_phase(int socket, enum monitor_phase); /* polls, 20 s */
const char *log_of(const struct watched *, const char *name);	    /* a file of its log directory; "" if there is none */
bool record_of(const struct watched *, struct monitor_record *);

#endif
