/* Has one system call of a launch fail, by ptrace(2): the call does not happen, and its caller sees an error. */
#ifndef CAISSON_TEST_FAULTS_H
#define CAISSON_TEST_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whose call: of the zygote; of one that starts, from its first look at its socket on; of the next init, up to its program or
 * its fork; of that fork; of init after its fork, up to its word to the program.
 */
enum whose { OF_ZYGOTE, OF_NEW_ZYGOTE, OF_INIT, OF_PROGRAM, OF_FIRST_PROCESS };

struct fault {
	enum whose whose;
	unsigned at; /* which of its calls, from 1 on; those that may fail do not count, see faults.c */
	long only;   /* 0, or the number of the system call that alone counts */
	int error;   /* what the caller sees; 0: instead of the call init is killed */
	int tracer;
	volatile struct seen *seen; /* shared with the tracer */
};

struct seen {
	bool came;
	long number; /* which system call it was */
	uint64_t arguments[6];
};

/* From here on `zygote` and what it starts are traced. */
void fault_start(struct fault *, int zygote);
/* Nothing is traced any more. `came` is false if there were not so many calls. */
struct seen fault_end(struct fault *);

#endif
