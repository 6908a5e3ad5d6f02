/* Plays the engine's part against the real zygote and init: root, and this kernel. */
#ifndef CAISSON_TEST_ENGINE_H
#define CAISSON_TEST_ENGINE_H

#include "builder.h"

#include <stdbool.h>
#include <sys/types.h>

enum { ID_BASE = 1000000, ID_COUNT = 65536, EXTRA_SLOTS = 8 };

struct engine {
	int socket, pid;
};

bool engine_start(struct engine *, const char *binary);
/* `forked` is called with the zygote's process before that runs the binary. */
/* One that keeps the capability to make links. */
bool engine_start_with_links(struct engine *, const char *binary);
bool engine_start_with(struct engine *, const char *binary, void (*forked)(int pid));
void engine_stop(struct engine *);
int engine_ask(struct engine *, const struct request *, const int *fds, unsigned count, struct reply *, int *fd);

/* Messages with descriptors. */
ssize_t engine_send(int socket, const void *bytes, size_t length, const int *fds, unsigned count);
int engine_ask_links(struct engine *, const struct links_request *, int pidfd, struct reply *);
ssize_t engine_receive(int socket, void *bytes, size_t length, int *fd);

/* What differs from the plan that every test shares. */
struct spec {
	const char *root;	  /* a directory of the host */
	const char *const *argv;  /* ends with NULL */
	const char *const *environment; /* NULL: PATH alone */
	const char *path;	  /* NULL: /bin */
	const char *directory;	  /* NULL: / */
	bool no_init, terminal, read_only, keep_privileges_open;
	bool idle; /* no program, as for a container that others work in */
	bool bare_dev;	/* the image's own /dev, no file system mounted there */
	bool no_devices;
	bool leaves_at_handover; /* the engine closes its side of the control socket before init can read the plan */
	uint32_t id_count; /* 0: ID_COUNT */
	uint32_t plan_bytes; /* 0, or what the plan's file is cut or lengthened to */
	int left_open;	/* seals that the plan's file lacks, F_SEAL_* */
	uint32_t uid, gid;
	uint64_t caps;
	const void *filter;
	size_t filter_bytes;
	uint16_t root_kind, root_flags; /* 0: ROOT_TMPFS */
	const char *upper;		/* of ROOT_OVERLAY */
	uint16_t pause_before;		/* 0: nowhere */
	uint64_t extra_clone_flags, dropped_clone_flags;
	bool host_network;     /* the host's network namespace, if CLONE_NEWNET is dropped */
	int network;	       /* a network namespace in place of its own, if CLONE_NEWNET is dropped */
	int cgroup;	       /* a directory of cgroup v2; 0: none */
	int freezer, freezer_v1, oom, join; /* for a monitor, as enum monitor_fd has them; 0: none */
	bool prepared;		       /* PREPARE, with `join`, comes before SETUP */
	int probe, probe_kill;	       /* likewise: the plan of health probes, and the kill file of their group */
	int tasks[EXTRA_SLOTS]; /* v1 `tasks` files; ends with 0 */
	int volume;	       /* goes to /volume, or to volume_path */
	const char *volume_path;
	bool volume_is_file;
	int device; /* a mounted node, which goes to device_path as what the next three say */
	const char *device_path;
	uint8_t device_kind;
	uint32_t device_major, device_minor;
	void (*spoil)(struct handover *); /* before it is sent */
	const struct links *links;	  /* NULL: none */
	/* steps of a test's own; called in each of these phases */
	void (*more)(struct builder *, uint8_t phase);
};

/* Complete; first_tasks and volume_slot are the slots of the first of `tasks` and of the volume. */
void build_plan(const struct spec *, struct builder *, uint16_t slots, int first_tasks, int tasks, int volume_slot);

struct container {
	int pid, pidfd, control, output, input, terminal;
	struct start start; /* as it was at the end */
	int start_file;
	int resolver[2]; /* of REPORT_RESOLVER, in their order */
	unsigned resolvers;
	struct reply reply;
	struct report console, ready, last; /* last: ERROR or EXIT */
	char text[65536];	   /* what it wrote */
	int status;		   /* of waitid: exit code, or 256 + signal */
	uint16_t steps;
	uint8_t opcodes[PLAN_MAX_STEPS];
};

/* A root as a detached mount, and a plan in memory: what a monitor is given. Negative: an error number. */
int engine_root(struct engine *, const struct spec *);
int sealed_plan(const struct builder *, int left_open);
void container_until_ready(struct container *);

/* Up to READY (or an error). Negative: an error number of the zygote's or of our own. */
int container_launch(struct engine *, const struct spec *, struct container *);
/* Has the zygote make a node of a host's device: its mount, or a negated error number. */
int make_device(struct engine *, const char *host_path);
bool container_report(struct container *, struct report *, int *fd);
void container_start(struct container *);
void container_start_asking(struct container *); /* the listener of its filter comes as a report */
/* Start, read all output, reports and the end; everything is closed. */
void container_finish(struct container *);
void container_run(struct engine *, const struct spec *, struct container *);

/* A directory with busybox and hard links, and what images have; below a temporary directory of this process. */
const char *test_root(const char *name);
const char *test_directory(void);
void remove_test_roots(void);

#endif
