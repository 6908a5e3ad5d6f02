/*
 * The wire form of a launch plan, and the conversations around it.
 *
 *   engine (JVM)                     zygote                              init (PID 1 of the container)
 *     request{CHILD}, fds     --->     clone3, maps  ----------------->   closes all but its control socket, and waits
 *     reply{pid}, pidfd       <---                                          |
 *     request{ROOT}, fds      --->     overlay                              |
 *     reply{}, mount          <---                                          |
 *     request{ROOT}, fd       --->     a cover, one for each directory of the host that belongs to the image
 *     reply{}, mount          <---                                          |
 *     request{DEVICE}, fd     --->     a node, one for each device          |
 *     reply{}, mount          <---                                          |
 *     request{LINKS}, pidfd   --->     veth pairs: one end on a bridge, the other in the child's network namespace
 *     handover, fds           --------------------------------------------->| walks the plan, phases ascending
 *     reply{}                 <---                                          | 7 PROTECT, waits for the links
 *     report{CONSOLE}, pty    <---------------------------------------------| 5 DEVICES, with a terminal only
 *     report{RESOLVER}, fd    <---------------------------------------------| 8 LIMITS, two of them, with a resolver only
 *     report{READY}, file     <---------------------------------------------| 11 READY
 *     START                   --------------------------------------------->| the last 2 steps, then execveat
 *     report{EXIT} | {ERROR}  <---------------------------------------------'
 *
 * One more program for a container that runs begins with request{EXEC} and goes on from the handover in the same way: a
 * process that stays outside of the container's pid namespace enters its other ones, and its child is the program.
 *
 * A child is asked for before its plan is complete: the kernel makes its namespaces while the engine makes the rest. The
 * zygote answers requests in their order.
 *
 * The engine holds the other end of every socket: when it dies, the zygote and each init read end-of-file and exit, and
 * with an init that stays as PID 1 the whole container. Each init also has SIGKILL as its parent-death signal, which the
 * kernel sends when the *thread* that started the zygote ends: that thread has to live as long as the engine.
 *
 * Everything is little-endian and packed. A plan is
 *     plan_header, then `steps` times { step_header, payload of `length` bytes }, and not a byte more.
 * In a payload: u8, u16, u32, u64, i32 as they are; `bytes` = u32 length + bytes; `str` = `bytes` without a NUL;
 * `path` = a `str` of 1..4095 bytes, relative, with no empty, `.` or `..` component; `list` = u32 count + that many `str`.
 * A slot is the number that a plan knows a descriptor by; the root's mount is the last one.
 */
#ifndef CAISSON_PLAN_H
#define CAISSON_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define PLAN_MAGIC 0x314e5343u /* "CSN1" */
#define PLAN_MAX_BYTES (4u << 20)
#define PLAN_MAX_STEPS 1024u
#define PLAN_MAX_SLOTS 128u
#define PLAN_NO_SLOT 0xffffu
#define PLAN_NO_PAUSE 0xffffu
#define PLAN_NAMESPACES 8u
#define PLAN_MAX_LINKS 8u
#define PLAN_MAX_LIST 262144u /* strings in argv, and in the environment: more than execve(2) takes by default */

enum phase {
	PHASE_SEAL,
	PHASE_MAPPED,
	PHASE_PRIVATE,
	PHASE_ROOT,
	PHASE_MOUNTS,
	PHASE_DEVICES,
	PHASE_PIVOT,
	PHASE_PROTECT,
	PHASE_LIMITS,
	PHASE_CAPS,
	PHASE_LANDLOCK,
	PHASE_READY,
	PHASE_FILTER,
	PHASE_COUNT
};

/* opcode, its phase, its payload */
enum opcode {
	OP_SEAL = 1,              /* SEAL      - */
	OP_JOIN_CGROUP = 10,      /* MAPPED    u16 slot of a v1 `tasks` file */
	OP_CGROUP_NAMESPACE = 11, /* MAPPED    - */
	OP_MAPPED = 12,           /* MAPPED    - */
	OP_NO_NEW_PRIVS = 13,     /* MAPPED    - */
	OP_ENTER = 14,            /* MAPPED    u32 CLONE_NEW* of a container's namespaces, then a u16 slot for each, in the order of
	                             plan_namespaces; a plan of PLAN_EXEC alone has it */
	OP_PRIVATE = 20,          /* PRIVATE   - */
	OP_ROOT = 30,             /* ROOT      u16 slot */
	OP_MOUNT_FS = 40,         /* MOUNTS    u8 filesystem, u8 mount flags, u32 mode, u64 bytes, u64 inodes, path target */
	OP_MOUNT_FD = 41,         /* MOUNTS    u16 slot, u8 1 = the target is a file, path target */
	OP_MKDIR = 42,            /* MOUNTS    u32 mode, path; parents are made 0755; an existing directory is left as it is */
	OP_FILE = 43,             /* MOUNTS    u32 mode, path, bytes content (<= 65536); replaces what is there */
	OP_SYMLINK = 44,          /* MOUNTS, DEVICES   str target (<= 4095), path */
	OP_DEVICE = 50,           /* DEVICES   u8 device */
	OP_CONSOLE = 51,          /* DEVICES   u16 rows, u16 columns, u32 uid, u32 gid */
	OP_HOST_DEVICE = 52,      /* DEVICES   u16 slot of a mounted node, u8 1 = character, 2 = block, u32 major, u32 minor, path
	                             below dev */
	OP_PIVOT = 60,            /* PIVOT     - */
	OP_SYSCTL = 70,           /* PROTECT   path below /proc/sys, str value; in a plan of PLAN_EXEC below net/ alone, with OP_DONE */
	OP_AWAIT_LINK = 75,       /* PROTECT   u32 index of a link that the zygote makes at the same time: waits until it is there, 10 s at most */
	OP_MASK = 71,             /* PROTECT   path; nothing to do where it does not exist; a file needs DEVICE_NULL earlier on */
	OP_READ_ONLY = 72,        /* PROTECT   path; nothing to do where it does not exist; nosuid, nodev, noexec too */
	OP_ROOT_READ_ONLY = 73,   /* PROTECT   - */
	OP_VERIFY = 74,           /* PROTECT   - */
	OP_LOOPBACK = 80,         /* LIMITS    - */
	OP_HOSTNAME = 81,         /* LIMITS    str (<= 64) */
	OP_DOMAINNAME = 82,       /* LIMITS    str (<= 64) */
	OP_RLIMIT = 83,           /* LIMITS    u32 resource, u64 soft, u64 hard */
	OP_OOM_SCORE_ADJ = 84,    /* LIMITS    i32 -1000..1000 */
	OP_KEYRING = 85,          /* LIMITS    - */
	OP_NETLINK = 86,          /* LIMITS, behind OP_LOOPBACK or in a plan of PLAN_EXEC with OP_DONE   u8 NETLINK_ROUTE or NETLINK_NETFILTER, bytes of requests, each a
	                             struct nlmsghdr (<= 65536), sent as one message in the container's network namespace. At least
	                             one asks to be acknowledged; the first that the kernel refuses fails the step */
	OP_RESOLVER = 87,         /* LIMITS, behind OP_LOOPBACK and OP_NETLINK   u16 UDP port, u16 TCP port (>= 1024) of 127.0.0.11:
	                             a bound socket and a listening one, each sent with a REPORT_RESOLVER */
	OP_NETLINK_SOCKET = 88,   /* LIMITS, in a plan of PLAN_EXEC with OP_DONE alone   u8 NETLINK_ROUTE or NETLINK_NETFILTER: a socket of the
	                             network namespace, sent with a REPORT_OPENED */
	OP_SYSCTL_FILE = 89,      /* LIMITS, in a plan of PLAN_EXEC with OP_DONE alone   path below /proc/sys and net/: opened to be read
	                             and sent with a REPORT_OPENED */
	OP_GATEWAY = 180,         /* LIMITS, behind OP_LOOPBACK or in a plan of PLAN_EXEC with OP_DONE   u32 index of a link, u8 AF_INET or AF_INET6,
	                             u8 address[16], of which IPv4 takes 4: asked for until it answers, for a while. No answer is no error */
	OP_CAPS = 90,             /* CAPS      u64 bounding, u64 permitted, u32 uid, u32 gid, u32 count, u32 groups[count] (<= 256) */
	OP_LANDLOCK = 100,        /* LANDLOCK  u32 scopes (LANDLOCK_SCOPE_*) */
	OP_READY = 110,           /* READY     str working directory, absolute */
	OP_FILTER = 120,          /* FILTER, or CAPS before OP_CAPS where OP_NO_NEW_PRIVS is absent: bytes of struct sock_filter[1..4096] */
	OP_EXEC = 121,            /* FILTER, last   u8 1 = init stays as PID 1, u8 1 = the console is the controlling terminal,
	                             str PATH for a program without slash, list argv (>= 1), list environment. A first byte of 2: no
	                             program, a child of init that sleeps; argv names it */
	OP_FILES = 122,           /* FILTER, last, in place of OP_READY and OP_EXEC: u16 slot of a pidfd whose process is not outlived,
	                             or PLAN_NO_SLOT; path of the directory that is served, empty for the root. Reports READY, waits for
	                             START, then serves files.h on its socket */
	OP_DONE = 123,            /* FILTER, last, in place of OP_READY and OP_EXEC, in a plan of PLAN_EXEC alone   -
	                             Reports READY, and exits: all that is asked for is done */
};

enum filesystem {
	FS_PROC = 1,
	FS_SYSFS = 2,
	FS_TMPFS = 3,
	FS_DEVPTS = 4,
	FS_MQUEUE = 5,
	FS_CGROUP2 = 6,
	FS_CGROUP1_CPU = 10, /* one v1 hierarchy each; the controller names are fixed in mounts.c */
	FS_CGROUP1_CPUACCT = 11,
	FS_CGROUP1_CPU_CPUACCT = 12,
	FS_CGROUP1_CPUSET = 13,
	FS_CGROUP1_MEMORY = 14,
	FS_CGROUP1_PIDS = 15,
	FS_CGROUP1_BLKIO = 16,
};

enum device_kind { DEVICE_CHARACTER = 1, DEVICE_BLOCK = 2 };

enum mount_flag { MOUNT_RDONLY = 1, MOUNT_NOSUID = 2, MOUNT_NODEV = 4, MOUNT_NOEXEC = 8 };

enum device {
	DEVICE_NULL = 1,
	DEVICE_ZERO = 2,
	DEVICE_FULL = 3,
	DEVICE_RANDOM = 4,
	DEVICE_URANDOM = 5,
	DEVICE_TTY = 6
};

/* The fixed slots; everything else follows as the plan says. */
enum { SLOT_PLAN = 0, SLOT_CONTROL = 1, SLOT_STDIN = 2, SLOT_STDOUT = 3, SLOT_STDERR = 4, SLOT_FIRST_FREE = 5 };

struct plan_header {
	uint32_t magic;
	uint32_t bytes; /* of the whole plan, this header included */
	uint16_t steps;
	uint16_t slots;
	uint16_t pause_before; /* index of a step, or PLAN_NO_PAUSE: report PAUSED and wait for one byte (tests of recovery) */
	uint16_t kind;         /* enum plan_kind */
} __attribute__((packed));

enum plan_kind {
	PLAN_LAUNCH = 0, /* of a container's first process */
	PLAN_EXEC = 1,   /* of one more program in a container that runs: it enters namespaces and makes none */
	PLAN_KINDS
};

struct step_header {
	uint8_t phase;
	uint8_t opcode;
	uint16_t reserved; /* 0 */
	uint32_t length;
} __attribute__((packed));

/* ---- engine -> zygote: one SOCK_SEQPACKET message, descriptors by SCM_RIGHTS ---- */

enum request_kind {
	REQUEST_USERNS = 1, /* a user namespace with the given map, as a descriptor for id-mapped mounts; takes no descriptor */
	REQUEST_CHILD = 2,  /* an init; takes its control socket, for CLONE_INTO_CGROUP the directory of its group and, without
			       CLONE_NEWNET, the network namespace of another container */
	REQUEST_HOST_CHILD = 11, /* an init in the host's own network namespace; takes what CHILD takes with CLONE_NEWNET, which it has not */
	REQUEST_ROOT = 3,   /* a container's root as a detached mount; takes the lowers, topmost first, then the upper */
	REQUEST_EXEC = 5,   /* a process that walks a plan of PLAN_EXEC; takes what CHILD takes */
	REQUEST_DEVICE = 4, /* a node of the host's device that it takes, owned inside the given map, as a detached mount */
	REQUEST_KEEP = 8,   /* attaches the detached mount that it takes at `place` of the zygote's own mount namespace */
	REQUEST_COPY = 9,   /* a detached copy of the mount that is kept at `place`, with what is mounted below it; takes nothing, or the
			       queue of a WATCH: executions on the copy are in it then, if that is an overlay */
	REQUEST_WATCH = 12, /* a queue of executions, fanotify(7), which is counted to id_base; takes no descriptor */
	REQUEST_LOOK = 13,  /* takes the queue of a WATCH: struct look_reply. `place` 1: nobody in the container can be its root */
	REQUEST_LINKS = 10, /* struct links_request: links of a child; takes its pidfd. The child is not reaped meanwhile. On error none of
	                       them is left */
	REQUEST_UNLINK = 14, /* struct links_request: links of a child that was reaped, none of which is left; takes no descriptor */
};

enum root_kind {
	ROOT_MOUNT = 1,   /* the only lower is a detached mount already: it becomes the root as it is */
	ROOT_TMPFS = 2,   /* overlay: lowers below a tmpfs of tmpfs_bytes and tmpfs_inodes that lives as long as the mount */
	ROOT_OVERLAY = 3, /* overlay: lowers below `upper` of the detached mount that comes last, which also has its `work`;
	                     both are made, and given to id_base, where they are missing */
	ROOT_COVER = 4,   /* a read-only overlay over the lowers, for files that are in use outside: locks, leases and watches
	                     are on inodes of its own. At most REQUEST_MAX_LOWERS - 1 of them */
};

enum { ROOT_VOLATILE = 1 }; /* overlay mount option; its upper is never reused */

#define REQUEST_MAX_LOWERS 64u
#define REQUEST_MAX_FDS (REQUEST_MAX_LOWERS + 1)

/* What does not belong to its kind is 0. */
struct request {
	uint32_t magic;
	uint16_t kind;
	uint16_t fds;	      /* how many came with it */
	uint32_t id_base;     /* host id of the container's root */
	uint32_t id_count;    /* how many ids from there */
	uint64_t clone_flags; /* CHILD: CLONE_NEW* only; NEWUSER, NEWNS and NEWPID are obligatory. Else 0 */
	uint16_t root_kind;   /* ROOT, and all below it */
	uint16_t root_flags;
	uint16_t lowers;
	uint16_t place; /* KEEP, COPY: 0 to PLAN_MAX_SLOTS - 1. LOOK: 0 or 1 */
	uint64_t tmpfs_bytes;
	uint64_t tmpfs_inodes;
	int32_t oom_score; /* EXEC: oom_score_adj of the process, -1000..1000 */
} __attribute__((packed));

/*
 * A link of a child: a veth pair. Its end on the host is a port of a bridge and up, without an address; the other end is in
 * the child's network namespace, and down. The kernel removes both with that namespace. A link of the name `host` that was
 * left by an earlier run is removed first.
 */
struct plan_link {
	char host[16];	 /* names end with NUL and are filled up with it: a-z, then a-z 0-9 -. This one begins with "cv", */
	char bridge[16]; /* and this one, of a bridge that exists, with "cn" */
	char guest[16];
	uint32_t guest_index; /* of the interface in the child's namespace; >= 2 */
	uint32_t mtu;	      /* 68..65535 */
	uint8_t mac[6];	      /* of the child's end; not that of a group */
	uint8_t isolated;     /* 1: the port exchanges frames with the bridge itself alone, not with another isolated port */
	uint8_t reserved;     /* 0 */
} __attribute__((packed));

struct links {
	uint32_t count;			       /* 1.. */
	struct plan_link link[PLAN_MAX_LINKS]; /* the rest is 0; names and indices are there once */
} __attribute__((packed));

struct links_request {
	struct request request;
	struct links links;
} __attribute__((packed));

enum zygote_stage {
	STAGE_NONE = 0,
	STAGE_REQUEST = 1,
	STAGE_ROOT = 2,
	STAGE_CLONE = 3,
	STAGE_MAPS = 4,
	STAGE_START = 5, /* of the zygote itself: sent once, as the first message, with status 0 when it stands */
	STAGE_DEVICE = 6,
	STAGE_KEEP = 8, /* attaching a mount that is kept, or copying it */
	STAGE_LINKS = 9,
	STAGE_WATCH = 10,
};

struct reply {
	uint32_t magic;
	int32_t status; /* 0, or a negated error number */
	int32_t pid;    /* in the engine's pid namespace; a pidfd comes with it. With a status that is not 0: a child that was
	                   killed already and that the engine has to reap. Other kinds: 0, and what was asked for */
	uint32_t stage; /* where it failed */
} __attribute__((packed));

enum { LOOK_MOST = 64, LOOK_NAME = 256 };

enum look_flag {
	LOOK_LOST = 1,	 /* executions of which nothing is known */
	LOOK_UNSEEN = 2, /* a set-user-ID or set-group-ID program ended before it was seen who executed it */
};

/* The answer to a LOOK, which ends with the first program that is found, with an empty queue, or after LOOK_MOST executions. */
struct look_reply {
	struct reply reply;
	uint32_t looked; /* how many executions */
	uint32_t flags;	 /* enum look_flag */
	char name[LOOK_NAME]; /* a set-user-ID or set-group-ID program that was executed without effect; empty for none. Ends with NUL */
} __attribute__((packed));

/* ---- init <-> engine over SLOT_CONTROL, SOCK_SEQPACKET ---- */

/* The plan's descriptors, once the maps are written. Those of SLOT_CONTROL and of nothing but the zygote's are not there. */
struct handover {
	uint32_t magic;
	uint16_t slots; /* of the plan */
	uint16_t count; /* of the descriptors that came with it */
	uint16_t slot[PLAN_MAX_SLOTS]; /* which one each of them is; 0 behind the last */
} __attribute__((packed));

enum report_kind {
	REPORT_ERROR = 1,
	REPORT_CONSOLE = 2, /* the terminal's master comes with it */
	REPORT_READY = 3,
	REPORT_PAUSED = 4,
	REPORT_EXIT = 5, /* of the program, while init stays as PID 1 */
	REPORT_NAMESPACE = 6, /* a descriptor of the namespace in `detail`, CLONE_NEW* */
	REPORT_RESOLVER = 7, /* a socket of OP_RESOLVER; `detail`: IPPROTO_UDP, then IPPROTO_TCP */
	REPORT_LISTENER = 8, /* after a CONTROL_START that is asking, before execveat(2): the listener of the filter comes with it */
	REPORT_OPENED = 9,   /* the descriptor of OP_NETLINK_SOCKET or OP_SYSCTL_FILE comes with it */
};

struct report {
	uint32_t magic;
	uint32_t kind;
	uint32_t phase;
	uint32_t step;  /* index into the plan. A program that is not found or not executable: phase READY, OP_EXEC's step */
	int32_t status; /* ERROR: errno, and init exits with 125; EXIT: exit code, or 256 + signal */
	uint32_t detail; /* ERROR with EBADMSG: the plan itself is refused, an enum plan_error. EXIT of a program that failed:
	                    bits of enum obstacle */
	uint64_t user_micros; /* EXIT: of the program and what it waited for */
	uint64_t system_micros;
	uint64_t peak_bytes; /* EXIT: most memory that the program, or a process that it waited for, had in use at a time */
	uint32_t phase_micros[PHASE_COUNT]; /* READY: what each phase took */
} __attribute__((packed));

/* What may have made a program fail without a word. */
enum obstacle {
	OBSTACLE_ROOT_FULL = 1,   /* no space or no file is left in the writable layer */
	OBSTACLE_SHM_FULL = 2,    /* the same of /dev/shm */
	OBSTACLE_SET_ID = 4,      /* the program is set-user-ID or set-group-ID, which no_new_privs made void */
};

/*
 * In the file that comes with READY: how far the start of the program has come. It is in memory, and stays when init is killed
 * before it could tell.
 */
struct start {
	int32_t error;	/* why execveat(2) failed */
	int32_t called; /* 1: execveat was called; whatever ends from here on, the program may have run */
};

/* Engine -> init after READY, one byte each; any other byte, or end-of-file, ends init. */
enum {
	CONTROL_START = 1,
	CONTROL_START_ALONE = 3, /* like START, for a process that outlives the one that started it: who holds the socket keeps it */
	CONTROL_START_ASKING = 4, /* like START; the process that is to be the program sends a REPORT_LISTENER first */
	CONTROL_START_ALONE_ASKING = 5, /* both */
	CONTROL_NAMESPACES = 2, /* init sends a REPORT_NAMESPACE for each of plan_namespaces that the kernel has, in that order, and waits again */
};

/* ---- plan.c ---- */

struct step {
	uint8_t phase;
	uint8_t opcode;
	uint32_t length;
	const uint8_t *payload;
};

struct plan {
	uint16_t count;
	uint16_t slots;
	uint16_t pause_before;
	uint16_t kind;
	struct step steps[PLAN_MAX_STEPS];
};

enum plan_error {
	PLAN_OK,
	PLAN_BAD_HEADER,
	PLAN_BAD_LENGTH,
	PLAN_BAD_STEP,
	PLAN_BAD_OPCODE,
	PLAN_BAD_PHASE,
	PLAN_BAD_ORDER,
	PLAN_BAD_SLOT,
	PLAN_BAD_PATH,
	PLAN_BAD_TEXT,
	PLAN_BAD_VALUE,
	PLAN_TRAILING,
	PLAN_NO_EXEC,
	PLAN_BAD_KIND,  /* a step that this kind of plan never has, or a plan of another kind than was asked for */
	PLAN_BAD_COUNT, /* a step that every plan has once is missing, or one that may be there once is there twice */
};

/*
 * Decodes and checks all of a plan before anything is executed: lengths, opcodes, the phase that belongs to each,
 * phases that never go back, slots that were given and are used once, paths, lists, text without NUL, OP_EXEC last and
 * only there. OP_SEAL is the first step; OP_SEAL, OP_CGROUP_NAMESPACE, OP_MAPPED, OP_PRIVATE, OP_ROOT (the last slot),
 * OP_PIVOT, OP_VERIFY, OP_CAPS, OP_READY and OP_EXEC are there once; a step that sets one thing is there at most once.
 * A plan of PLAN_EXEC has OP_ENTER, before OP_MAPPED, and no step that makes or changes what the container has already.
 * Returns PLAN_OK or the rule that is broken; `where` gets the step's index.
 */
enum plan_error plan_decode(const uint8_t *bytes, uint32_t length, uint16_t slots, struct plan *plan, uint32_t *where);

/* What a zygote, and a monitor that repeats them at each start, lets through. `count` 0 is not valid. */
bool valid_links(const struct links *links);

/* What the decoder knows of an opcode: the contract that the engine's own codec is compared with. */
struct opcode_rule {
	uint8_t opcode;
	const char *name;
	uint8_t phase;
	uint8_t other_phase; /* == phase where there is only one */
};

/* In the order in which they are entered: the user namespace gives the right to the others. */
extern const uint32_t plan_namespaces[PLAN_NAMESPACES];

extern const char *const plan_phase_names[PHASE_COUNT];
const struct opcode_rule *plan_opcode(unsigned index); /* NULL behind the last */

#endif
