/* A network namespace of a test's own, with a bridge, and steps that set up a container's end of a link to it. */
#ifndef CAISSON_TEST_OWN_NETWORK_H
#define CAISSON_TEST_OWN_NETWORK_H

#include "builder.h"
#include "engine.h"

#include <stdbool.h>

enum { GUEST_INDEX = 100, UDP_PORT = 20053, TCP_PORT = 20054 };

#define GATEWAY "10.9.0.1"
#define GUEST "10.9.0.2"

/* The bridge is `cnbridge`, with the address GATEWAY/24. */
void enter_own_network(void);
void leave_own_network(void);

/* With an engine whose zygote makes links there. */
void enter_linked(struct engine *linked, const char *binary);
void leave_linked(struct engine *linked);

struct links one_link(void); /* `cvtest` to `eth0`, 02:00:00:00:00:09, packets of 1400 */

bool runs(const char *command);
const char *output_of(const char *command); /* both streams; good until the next call */
void expect_link(const char *name, const char *part); /* of what `ip -j -d link show` says */
bool link_is_there(const char *name);
bool link_goes_away(const char *name); /* waits up to 5 s */

/* Of /proc/PID/status: the first word of a line. */
void status_word(int pid, const char *name, char word[32]);

/* A listening or bound socket at 127.0.0.11. */
void expect_resolver_socket(int fd, int protocol, uint16_t port);

/* ---- netlink requests as the engine makes them ---- */

void begin_message(uint16_t type, uint16_t flags, const void *body, uint32_t length);
void add_attribute(const void *value, uint16_t type, uint16_t length); /* to the message that was begun last */
void request_address(const char *address, uint16_t flags);
void request_up(int index);
void put_requests(struct builder *, uint8_t protocol); /* all that were begun, as a step */

/* For `more` of a spec: addresses the container's end of one_link(), or opens the resolver's sockets, or both. */
void with_address(struct builder *, uint8_t phase);
void with_resolver(struct builder *, uint8_t phase);
void with_address_and_resolver(struct builder *, uint8_t phase);

#endif
