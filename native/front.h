/*
 * The front end: a small program in place of the JVM of a command. It hands its arguments, environment, working directory and
 * standard streams to the resident engine (`caisson serve`), which runs the command, and exits with the command's status. This
 * file is the whole protocol.
 *
 * SOCK_SEQPACKET on STATE/serve/socket. A message is `struct front_header` and at most FRONT_MAX_PAYLOAD bytes, little-endian
 * and packed. Both ends must be root by SO_PEERCRED, and the directory root's alone.
 *
 *   front end                                        resident engine
 *     HELLO: front_hello, place; directory, 0, 1, 2 -->
 *     TEXT, until all of it is sent                 -->  compares build and place
 *                                                   <--  REFUSED: reason    the front end runs the command in a JVM of its own
 *                                                   <--  LOOK               if a source may have changed since a front end looked
 *     FRESH                                         -->                       none is newer than the build; else it hangs up
 *                                                   <--  STARTED            the command begins, behind this message
 *     SIGNAL, PAUSE, RESUME                         -->
 *                                                   <--  LEAVE: signals end the front end from here on
 *                                                   <--  EXIT: status
 *
 * If the front end's socket closes, the command is ended. If the engine's closes before STARTED, nothing was done and the front
 * end runs the command in a JVM; after STARTED it reports FRONT_FAILED. Whoever sends anything else is hung up on.
 */
#ifndef CAISSON_FRONT_H
#define CAISSON_FRONT_H

#include <stddef.h>
#include <stdint.h>

#define FRONT_VERSION 2u
#define FRONT_MAX_PAYLOAD 32768u
#define FRONT_MAX_TEXT (4u << 20)  /* arguments and variables together, each with a NUL behind it */
#define FRONT_MAX_STRINGS 65536u
#define FRONT_MAX_PLACE 8192u
#define FRONT_PATIENCE_SECONDS 10 /* for STARTED */
#define FRONT_FAILED 125

enum front_op {
	FRONT_HELLO = 1,  /* struct front_hello, then the place; four descriptors: working directory, 0, 1, 2 */
	FRONT_TEXT = 2,	  /* the next bytes of arguments and variables */
	FRONT_SIGNAL = 3, /* value: its number */
	FRONT_PAUSE = 4,  /* the front end stops (SIGTSTP): write nothing */
	FRONT_RESUME = 5,
	FRONT_FRESH = 6,
	FRONT_STARTED = 0x81, /* value: 1 if the command takes signals, 0 if they end the front end */
	FRONT_REFUSED = 0x82, /* the reason */
	FRONT_LEAVE = 0x83,   /* u64: signals that came and that nobody took, as a mask; they are sent again */
	FRONT_EXIT = 0x84,    /* value: the status */
	FRONT_LOOK = 0x85,
};

struct front_header {
	uint16_t op;
	uint16_t version;
	uint32_t value;
} __attribute__((packed));

struct front_hello {
	char build[64]; /* the name of the build, ends with NUL */
	uint32_t arguments, variables;
	uint32_t bytes; /* of both */
} __attribute__((packed));

/*
 * Writes what a command takes from its process beside arguments, variables, directory and streams: namespaces, root directory, umask,
 * capabilities, priority, processors. The engine has these itself and serves nobody who has others. Its length, or -1.
 */
int front_place(char *text, size_t size);

/* Whether no source in the clone is newer than the file that names its build. */
int front_is_fresh(const char *clone);

#endif
