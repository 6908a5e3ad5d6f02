/*
 * Starts the process that serves the gates of one container: a JVM without privileges that sees itself alone.
 *
 *	caisson-init gate [join COUNT] [bind PATH]... [link PATH TARGET]... [env NAME=VALUE]... run PROGRAM ARGUMENT...
 *
 * Descriptor 3 is a message socket to the engine, which the program inherits; COUNT descriptors follow, by which it joins its control
 * group before anything else. What follows holds for all that the program does, its threads and what it might execute:
 *
 *	files		the paths that are bound, read-only, and /dev/null, /dev/random, /dev/urandom; no /proc, no place to write
 *	network		a namespace of its own without an interface that is up
 *	ids		GATE_FIRST_ID + its process id, as user and group, which no other process has; no further groups
 *	capabilities	none, and none to be had: empty bounding set, no_new_privs
 *	limits		no core dump; bounds on descriptors, processes and locked memory
 *	end		SIGKILL when the thread that started it ends
 *
 * The filter of system calls is set by the program itself, for all its threads, before it is given anything.
 * If a step fails, the socket gets `struct gate_failure` and the process exits with status 125.
 */
#ifndef CAISSON_GATE_H
#define CAISSON_GATE_H

#include <stdint.h>

/* Below the ids of containers; a process id is smaller than 0x400000 (PID_MAX_LIMIT). */
#define GATE_FIRST_ID 0x6fc00000u

enum gate_step {
	GATE_ARGUMENTS = 1,
	GATE_GROUP,
	GATE_NAMESPACES,
	GATE_SOURCES,
	GATE_ROOT,
	GATE_MOUNTS,
	GATE_LIMITS,
	GATE_PRIVILEGES,
	GATE_STREAMS,
	GATE_EXECUTE,
};

struct gate_failure {
	uint8_t zero; /* which no message of the program begins with */
	uint8_t step; /* enum gate_step */
	uint8_t reserved[2];
	int32_t error; /* errno */
};

_Noreturn void gate(int count, char **arguments);

#endif
