/* Runs inside a container as a program of its image, and says what no file of /proc does. */
#ifndef CAISSON_TEST_PROBE_H
#define CAISSON_TEST_PROBE_H

/* A root whose /bin/probe is this very program. */
const char *probe_root(void);

/* Prints the answer to argv[1]: `keyring`, the serial number of the session keyring; `death-signal`; `abstract`, if it connects. */
int answer_probe(const char *question);

/* Listens at the abstract socket that the probe connects to. */
int listen_at_probe(void);

#endif
