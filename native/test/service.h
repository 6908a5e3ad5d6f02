/* A container and its file service, which tests ask for one thing at a time. */
#ifndef CAISSON_TEST_SERVICE_H
#define CAISSON_TEST_SERVICE_H

#include "../files.h"
#include "init_tests.h"

#include <sys/stat.h>

enum { DIED = 1, /* instead of a status */ ENDED_BY_REQUEST = 125 };

extern struct container box, service;

/* Of the last reply: its payload ends with a NUL behind its length. */
extern struct files_reply answer;
extern uint8_t payload[FILES_MAX_MESSAGE + 1];
extern uint32_t payload_length;
extern int passed; /* a descriptor, or -1 */

/* A container whose shell has made what `script` makes, and its service. At most `file_bytes` go into one file, if that is not 0. */
/* The directory that the next service serves; empty for the root. */
extern const char *served_path;

void begin_files(const char *script, uint64_t file_bytes);
void begin_service(uint64_t file_bytes); /* another one, of the same container */
void ready_service(uint64_t file_bytes); /* one that waits for its start */
int end_service(void);			 /* its status */
void end_files(void); /* no handle may be left open */
unsigned descriptors_of_service(void);
enum { ITS_DESCRIPTORS = 7 }; /* the streams, its socket, the container's life, its root and itself */

int ask_files(struct files_request, const char *path, const char *other);
int ask_with(struct files_request, const char *path, const char *other, int fd);
int ask_path(uint16_t op, uint16_t flags, const char *path);
struct files_stat told_stat(void);
struct files_stat stat_of(const char *path); /* of itself, not of what a link leads to */

/* What a shell in the container says. */
const char *in_box(const char *script);

#endif
