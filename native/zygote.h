/* What the zygote's files share, and what a child inherits from it. */
#ifndef CAISSON_ZYGOTE_H
#define CAISSON_ZYGOTE_H

#include "plan.h"

enum { ZYGOTE_SOCKET = 3, ZYGOTE_FIRST_FREE = 4 };

/* Names in the zygote's root; a child still sees them until it pivots. */
#define ZYGOTE_CONTAINER "/r"
#define ZYGOTE_SCRATCH "/s"
#define ZYGOTE_EMPTY "/e"
#define ZYGOTE_KEPT "/k" /* made when it is needed */

/* All of these: 0 or a descriptor, or a negated error number. */
int private_root(void);
struct device_node;
int new_root(void); /* a small file system in memory, detached */
int device_mount(const struct device_node *node);
int enter_root(int root); /* which is attached to /; the host's is gone then */
int build_root(const struct request *request, const int *fds);
int keep_mount(unsigned place, int mount);
int copy_kept(unsigned place);
int open_queue(void);
int watch_mount(int queue, int mount);
void look_at_programs(int queue, bool without_root, struct look_reply *out);
int make_device_node(const struct request *request, int host_node);
int make_user_namespace(uint32_t id_base, uint32_t id_count);
int make_links(const struct request *request, const struct links *links, int pidfd);
int end_links(const struct links *links);
int enter_network(int name_space); /* the zygote's own, for leave_network(), which cannot fail: it exits */
void leave_network(int own);
int write_maps(int pid, uint32_t id_base, uint32_t id_count);

/* `makes_links`: it keeps CAP_NET_ADMIN, for REQUEST_LINKS. */
_Noreturn void zygote(bool makes_links);
_Noreturn void init(int control, uint32_t id_count, uint16_t plan_kind);

#endif
