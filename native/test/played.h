/* Plays the zygote and inits to the monitor's own functions, in this process. Time is what a test says it is. */
#ifndef CAISSON_TEST_PLAYED_H
#define CAISSON_TEST_PLAYED_H

#include "../monitor_parts.h"

#include <setjmp.h>

extern struct monitor m;

struct played {
	uint64_t clock;			 /* boot_nanos(), and wall_millis() */
	int init_error, links_error, probe_error; /* what the zygote answers */
	int queue_error, look_error;
	unsigned looks;			 /* that find `look` */
	struct look_reply look;
	int (*process)(void);		 /* returns a pidfd for a process that the zygote makes */
	int init_end, probe_end;	 /* the other end of their control sockets */
	int program[3];			 /* the other end of the program's streams */
	int directory;			 /* of the log, the record and the status */
	jmp_buf gone;			 /* where quit() goes */
	int code;			 /* of quit() */
};

extern struct played played;

void play_begin(const char *directory); /* once; a template for mkdtemp(3) */
void play_fresh(void);			/* a monitor that was just created, with no health check */
void play_over(void);			/* closes all that the monitor has open */
void play_end(void);

#endif
