/* The state of init while it walks the plan, and the steps by the file that has them. */
#ifndef CAISSON_INIT_H
#define CAISSON_INIT_H

#include "plan.h"
#include "reader.h"
#include "zygote.h"

#include <stdbool.h>

enum { EXIT_REFUSED = 125, PATH_SIZE = 4096, MAX_MADE = 128 };

struct init {
	struct plan plan;
	uint8_t *bytes; /* of the plan: a private mapping of a sealed file */
	uint32_t length;
	int slot[PLAN_MAX_SLOTS];
	uint16_t slots;
	uint32_t id_count;
	uint16_t kind; /* of the plan that it was made for */

	/* descriptors that steps leave for later ones; -1 where there is none */
	int root;   /* the container's root */
	int proc;   /* its procfs, from where names are followed without crossing another mount */
	int devpts; /* its devpts */
	int null;   /* its /dev/null, seen to be 1:3 */
	int self;   /* the /proc/self/fd of outside, for a file service alone */
	int empty;  /* an empty read-only directory, once something is masked with it */

	uint64_t root_mount, root_inode; /* which mount and file the root is */
	struct {
		uint64_t id;
		bool reserved; /* procfs, sysfs, /dev and what is below them: the engine's own */
	} made[MAX_MADE];      /* mounts of file systems that steps made */
	unsigned made_count;

	const uint8_t *filter; /* for the program; NULL where there is none, or it is on already */
	uint16_t filter_length;
	bool sends_listener; /* of the filter */
	char program[PATH_SIZE]; /* as found by OP_READY */
	volatile struct start *start; /* shared with the engine, and with the program until it is one */
	bool void_set_id; /* the program has an id of its file that it will not get */
	uint32_t phase_micros[PHASE_COUNT];
	uint64_t clock; /* when the running step began */
	uint32_t step;
};

/* What a step does: its payload was checked by plan_decode. 0, or a negated error number. */
typedef int action(struct init *, struct reader *);

/* Before the plan: holds nothing but the control socket, and takes what the engine hands over. */
int take_handover(struct init *init, int control);

action seal, join_cgroup, cgroup_namespace, mapped, no_new_privs, private;		 /* seal.c */
action attach_root, mount_fs, mount_fd, make_directory, write_file, make_symlink;		 /* mounts.c */
action make_device, make_console, place_device;						 /* devices.c */
action pivot, write_sysctl, mask, read_only, root_read_only;				 /* protect.c */
action verify;										 /* verify.c */
action loopback, set_hostname, set_domainname, set_limit, set_oom_score, session_keyring; /* limits.c */
action send_netlink, open_resolver, lend_netlink, lend_sysctl;				 /* network.c */
action await_link, ask_gateway;								 /* neighbor.c */
action drop_privileges, restrict_scopes, take_filter;					 /* privileges.c */
action ready, done;									 /* ready.c */
action execute;										 /* exec.c */
action enter;										 /* enter.c */
action serve_files;									 /* files.c */

/* ---- shared by steps ---- */

/* Parent-death signal and no core, no ptrace: both are lost whenever credentials change. */
int die_with_engine(void);

static inline bool is_planned(const struct init *init, uint8_t opcode)
{
	for (uint32_t i = 0; i < init->plan.count; i++)
		if (init->plan.steps[i].opcode == opcode)
			return true;
	return false;
}

/* Copies a `path` or `str` of at most 4095 bytes and ends it with a NUL. */
void read_text(struct reader *reader, char text[PATH_SIZE]);

/* In the container's root; `resolve` adds RESOLVE_* to IN_ROOT and NO_MAGICLINKS. Targets are O_PATH descriptors. */
int open_path(int root, const char *path, uint64_t flags, uint64_t resolve);
int open_directory(int root, const char *path, uint32_t mode, uint64_t resolve); /* made where it is missing */
int open_file(int root, const char *path, uint32_t mode, uint64_t resolve);	 /* made where it is missing */
int open_parent(int root, const char *path, uint64_t resolve, const char **name);

/* reserved.c. `check_target` is EBUSY for what lies on a reserved mount, and for the root. */
int remember_root(struct init *init);
bool is_reserved(const char *path);
int remember_mount(struct init *init, int mount, const char *path);
int check_target(const struct init *init, int target);
int is_of_a_volume(const struct init *init, int fd); /* 0 or 1 */

/* An empty file that was not there before, to mount over. */
int new_file(int root, const char *path, uint32_t mode);

int drop_bounding(uint64_t keep);
int load_filter(const uint8_t *bytes, uint32_t length);
int load_filter_with(const uint8_t *bytes, uint32_t length, int *listener); /* which is -1 if it asks nobody */

/* Adds the time since the last call to a phase. */
void account(struct init *init, uint8_t phase);

/* Sends a report; `fd` goes with it unless it is -1. */
int report(const struct init *init, const struct report *report, int fd);
_Noreturn void fail(const struct init *init, uint32_t phase, uint32_t step, int error, uint32_t detail);
int wait_for_word(const struct init *init); /* CONTROL_*, or an error */

/* As PID 1 while the program runs: signals, orphans, its end. `gate` lets the program go. */
_Noreturn void reap(struct init *init, int program, int gate);

#endif
