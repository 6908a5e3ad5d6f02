/* Plays the engine's and other clients' parts against a real monitor: root, and this kernel. */
#ifndef CAISSON_TEST_WATCHED_H
#define CAISSON_TEST_WATCHED_H

#include "../monitor.h"
#include "engine.h"

struct watched {
	int socket;	 /* the first client: the setup socket */
	int state, log;	 /* directories */
	char path[128];	 /* where both are */
	int error;	 /* of SETUP */
	uint32_t stage;	 /* and where it failed */
	struct monitor_state created;
};

/* What a test changes before it is sent. */
typedef void alteration(struct monitor_setup *);

struct message {
	struct monitor_header header;
	uint8_t payload[MONITOR_MAX_MESSAGE];
	int fd;
};

bool spawn_monitor(struct watched *, const char *binary); /* no more than the process and its socket */
bool watched_begin(struct watched *, struct engine *, const char *binary, const struct spec *, alteration *);
void watched_end(struct watched *); /* REMOVE with force, and the directories */

int connect_to(const struct watched *); /* a client more; negative: an error number */
bool send_raw(int socket, const void *bytes, size_t length);
bool send_op(int socket, uint16_t op, uint32_t argument, const void *payload, uint32_t length);
bool next_message(int socket, struct message *); /* whatever comes; false after 20 s, or at its end */
/* Passes over notices. The reply's argument; its payload, if it has that size, goes to `into`. -1: no reply. */
int ask_op(int socket, uint16_t op, uint32_t argument, const void *payload, uint32_t length, void *into, size_t size);
int await_reply(int socket, uint16_t op, struct message *);

struct monitor_state state_of(int socket);
struct monitor_state await_phase(int socket, enum monitor_phase); /* polls, 20 s */
const char *log_of(const struct watched *, const char *name);	    /* a file of its log directory; "" if there is none */
bool record_of(const struct watched *, struct monitor_record *);

#endif
