/* Runs inside a container as a program of its image, and says what no file of /proc does. */
#ifndef CAISSON_TEST_PROBE_H
#define CAISSON_TEST_PROBE_H

/* A root whose /bin/probe is this very program. */
const char *probe_root(void);

/* Prints the answer to argv[1]: `keyring`, the serial number of the session keyring; `death-signal`. */
int answer_probe(const char *question);

#endif
