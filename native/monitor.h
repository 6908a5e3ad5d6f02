/*
 * The monitor: one process for each container that outlives the command which created it, from create to remove. It starts the
 * container each time, holds its streams, writes its log, records its exit, restarts it, and answers on one socket. This file
 * is the whole protocol.
 *
 * Everything is little-endian and packed, over SOCK_SEQPACKET. A message is `struct monitor_header` and `length` bytes of
 * payload, together at most MONITOR_MAX_MESSAGE; some carry descriptors (SCM_RIGHTS).
 *
 *   engine                               monitor                            zygote, init
 *     spawn `caisson-init monitor`,
 *     3 = its end of a socket pair  -->   leaves the engine's session; 0-2 are /dev/null
 *     PREPARE, groups (optional)    -->   joins its groups, starts its zygote
 *     SETUP, descriptors            -->   does both unless PREPARE came, binds STATE_DIRECTORY/s,
 *                                         drops the privileges that it does not need
 *     reply{SETUP}: monitor_state   <--   phase CREATED (on error: u32, enum monitor_stage)
 *     from here on a client connection like any other
 *     START, MONITOR_HOLD           -->   streams, clones of the mounts     clone, links, handover, READY
 *     reply{START}: monitor_start,
 *       descriptor: a pidfd of init <--   phase HELD: the engine verifies
 *     GO                            -->   phase RUNNING                     START
 *     reply{GO}: monitor_state      <--
 *
 * If the setup socket closes, or neither PREPARE nor SETUP comes within 30 s, the monitor exits and leaves nothing. If the client that holds a
 * start (HOLD) hangs up, that start is abandoned. The spawned process exits with 0 at once; the monitor is its child.
 *
 * A client connects to STATE_DIRECTORY/s and must have uid 0 (SO_PEERCRED); other connections are closed. A reply has the
 * request's op | MONITOR_REPLY, its `sequence`, and 0 or an error number in `argument`. Replies come in the order of the
 * requests, except those of START, STOP and REMOVE, which come when the work is done; a connection may have one of these pending
 * (else EBUSY). A malformed message gets EBADMSG, a wrong version EPROTO, an unknown op EOPNOTSUPP; the connection stays
 * open. A client that does not read its replies is disconnected. A notice that does not fit into a client's queue is sent
 * later, in its latest form.
 *
 * Output never goes through the socket: readers open the log and wait for NOTICE_GREW. Nor need those connect who only want to know
 * the state: it stands in the file MONITOR_STATUS.
 *
 * If the monitor dies, init dies too (parent-death signal, control socket), and new connections get ECONNREFUSED.
 */
#ifndef CAISSON_MONITOR_H
#define CAISSON_MONITOR_H

#include "plan.h"

#define MONITOR_VERSION 1u
#define MONITOR_MAX_MESSAGE 65536u
#define MONITOR_MAX_FDS 200u
#define MONITOR_MAX_CLIENTS 32u /* further connections are accepted and closed at once */
#define MONITOR_SOCKET "s"	 /* below the state directory; removed by REMOVE */
#define MONITOR_STATUS "status"	 /* below the state directory: struct monitor_status */
#define MONITOR_RECORD "exit"	 /* below the log directory: struct monitor_record, by rename */
#define MONITOR_HEALTH_FILE "health"
#define MONITOR_EXEC_FILE "execs"
#define MONITOR_DENIAL_FILE "denials"
#define MONITOR_MAX_DENIALS 64u
#define MONITOR_SET_ID_FILE "set-id"
#define MONITOR_MAX_SET_ID 32u
#define MONITOR_MAX_EXECS 64u
#define MONITOR_EXEC_ID 32u
#define MONITOR_REPLY 0x8000u

enum monitor_op {
	MONITOR_SETUP = 1,   /* struct monitor_setup, descriptors -> monitor_state. Once, on the setup socket */
	MONITOR_HELLO = 2,   /* - -> monitor_state. Accepts any version in the header; the reply's header has the monitor's */
	MONITOR_STATE = 3,   /* - -> monitor_state */
	MONITOR_START = 4,   /* argument: 0 or MONITOR_HOLD -> monitor_start, and on success a pidfd of init. EALREADY unless
				CREATED or EXITED. Answered when the program may run or is held, or when the start has failed */
	MONITOR_GO = 5,	     /* - -> monitor_state. Lets the held container run; EINVAL from any other client */
	MONITOR_STOP = 6,    /* struct monitor_stop, or nothing for the policy's -> monitor_state, when the container is EXITED. Ends
				restarts. Answered at once if it does not run */
	MONITOR_SIGNAL = 7,  /* argument: signal number, | MONITOR_FINAL to end restarts -> -. ESRCH if it does not run. SIGKILL
				and FINAL signals thaw a paused container */
	MONITOR_PAUSE = 8,   /* argument: 0 or MONITOR_HOLD -> monitor_state; the group freezes within milliseconds. Held, it runs on
				when the connection ends. EINVAL if it does not run, EOPNOTSUPP without a freezer */
	MONITOR_UNPAUSE = 9, /* - -> monitor_state */
	MONITOR_STDIN = 10,  /* bytes -> u32: the number of bytes written. If not all, NOTICE_STDIN comes when there is room. argument
				MONITOR_EOF: closes stdin if all bytes were written. EPIPE if it is closed */
	MONITOR_RESIZE = 11, /* argument: rows << 16 | columns -> -. ENOTTY without a terminal; later starts use the size too */
	MONITOR_WATCH = 12,  /* argument: bits of enum monitor_watch (0: none) -> monitor_state; then notices */
	MONITOR_SET = 13,    /* struct monitor_policy -> monitor_state */
	MONITOR_RENEW = 14,  /* argument: ms from now -> -. EINVAL without a lease */
	MONITOR_REMOVE = 15, /* - -> -, then the monitor exits, and mounts, locks and the writable layer are released. EBUSY unless
				CREATED or EXITED; argument MONITOR_FORCE: kills the container first */
	MONITOR_ADOPT = 16, /* MONITOR_EXEC_ID bytes, and the control socket of a program that was started in the container and stands at
			       READY -> -. The monitor keeps the program from then on; its exit comes into MONITOR_EXEC_FILE, and is
			       a NOTICE_STATE. ESRCH if the container does not run, EBUSY for more than MONITOR_MAX_EXECS */
	MONITOR_READ = 17, /* MONITOR_EXEC_ID bytes, and the terminal of a program that was adopted -> -. What the program writes there
				  from then on is read and dropped, until its exit. ESRCH if no such program was adopted, EBUSY if it
				  has given one */
	MONITOR_ANSWER = 18, /* -, and the listener of a program's filter, which is the container's -> -. The monitor answers it from then on, as
				long as anybody is left under the filter. EBADMSG without one, EINVAL if the container's filter asks about
				nothing, ESRCH if the container does not run, EBUSY for more than MONITOR_MAX_EXECS, also without one */
	MONITOR_OWNER = 19, /* a pidfd of the first process of the container that NETWORK is of -> -. A start by policy fails with ESRCH unless
			       that process lives: without it nobody would make the network again. EINVAL without a NETWORK */
	MONITOR_OUTPUT = 20, /* - -> -, and the directory of the log, which is FD_OUTPUT. EINVAL if there is none */
	/* 21, 22, 30 and 31 are free */
	MONITOR_REDACT = 23, /* -, and memory with a struct redaction_table -> -. It takes the place of the one from SETUP at once */
	MONITOR_MOUNT = 24, /* argument: a slot -> -, and a detached copy of the mount that is kept for it, as each start gets one.
			       EINVAL if none is. A process that joins the container's id map sees its files while it does not run */
	MONITOR_LAYER = 25, /* argument: a number of FD_LAYER -> -, and that descriptor. EINVAL if there is none. Who reads them
			       knows what the container has changed */
	MONITOR_LEND = 26, /* argument: IPPROTO_UDP or IPPROTO_TCP -> -, and that socket of the run's OP_RESOLVER, which the monitor keeps. ESRCH
			      if the container does not run or has none. Who holds it keeps the run's network namespace */
	MONITOR_PLAN = 27,   /* - -> -, and the sealed plan of the next start */
	MONITOR_RELINK = 28, /* struct links (all 0: none), and a sealed plan of as many slots -> monitor_state. Both count from the next start
				on, the generation behind the one that is answered. EBUSY while STARTING or HELD, EPERM for a plan that is
				not sealed, or for links of a container that was set up without any and not as LINKABLE */
	MONITOR_NETWORK = 29, /* the network namespace of another container -> -. Each start is in it, until the container is EXITED or a start
				 by a client fails. Takes the place of the last one and of its OWNER. EINVAL for one that has its own, EBUSY while STARTING or HELD */
	MONITOR_PROGRAM = 32, /* - -> -, and a read-only descriptor of the monitor's program. An engine that finds its own bytes
				 there, sealed, can start its monitors from it: they then share the memory */
	MONITOR_PREPARE = 33, /* -, and the groups to join, as FD_JOIN. No reply. Once, before SETUP, on the setup socket: joins the
				 groups and starts a zygote that makes no links. SETUP then may come at any time, and reports a failure */
};

enum monitor_notice {
	NOTICE_GREW = 0x4001,  /* u64: bytes of log written since create, in all files */
	NOTICE_STATE = 0x4002, /* monitor_state */
	NOTICE_STDIN = 0x4003, /* -: STDIN has room again, or is closed */
};

enum monitor_watch { WATCH_LOG = 1, WATCH_STATE = 2 };

enum monitor_argument { MONITOR_HOLD = 1, MONITOR_EOF = 1, MONITOR_FORCE = 1, MONITOR_FINAL = 1 << 16 };

struct monitor_header {
	uint16_t op;
	uint16_t version;
	uint32_t sequence; /* 0 in notices */
	uint32_t argument;
	uint32_t length; /* of the payload */
} __attribute__((packed));

/* ---- SETUP ---- */

/* The use of a descriptor of SETUP. The monitor closes all of them when it exits. */
enum monitor_fd {
	FD_SLOT = 1,	       /* handed to init at every start as slot `slot`: the plan (sealed), v1 `tasks` files */
	FD_MOUNT = 2,	       /* a detached mount for slot `slot`: root, volumes, covers, devices. Stays attached in the zygote's mount
				  namespace; every start gets a copy */
	FD_CGROUP = 3,	       /* v2 directory that init is cloned into (CLONE_INTO_CGROUP); at most one */
	FD_STATE_DIRECTORY = 4, /* directory of the socket; exactly one */
	FD_LOG_DIRECTORY = 5,  /* directory of log and records; exactly one. The monitor holds its flock(2), if there is one */
	FD_HOLD = 6,	       /* only held open: locks, leases of id ranges */
	FD_JOIN = 7,	       /* the group for the monitor and its zygote: a v2 directory, or a `cgroup.procs` or `tasks` file */
	FD_OOM = 8,	       /* memory.events or memory.oom_control of the container's group, readable; at most one */
	FD_FREEZE_V2 = 9,      /* cgroup.freeze, read-write; at most one of these two */
	FD_FREEZE_V1 = 10,     /* freezer.state, read-write */
	FD_PROBE_SLOT = 11,    /* handed to each health probe as slot `slot` of its plan: the plan (PLAN_EXEC), v1 `tasks` files
				  and the v2 `cgroup.procs` of a part of the container's group that is the probes' alone. They join
				  it themselves: from Linux 6.13 on, a clone into a group on which cgroup.kill was used is killed */
	FD_PROBE_KILL = 12,    /* cgroup.kill of that part, writable */
	FD_LAYER = 13,	       /* a part of the root file system, numbered by `slot`, ascending from 0: the mount that holds what the
				  container writes, then the directories of the image, topmost first. Only held, for MONITOR_LAYER */
	FD_REDACTION = 14,     /* memory with a struct redaction_table: what is taken out of output and out of health checks' output;
				  at most one */
	FD_ANSWERS = 15,       /* sealed memory with struct sock_filter[]: the container's filter asks about calls, and this one, which
				  asks about none, has the answers; at most one */
	FD_OUTPUT = 16,	       /* directory of the log alone, in place of FD_LOG_DIRECTORY; at most one */
};

/*
 * What FD_REDACTION has, each part behind the one before: this; the filter, a bit for each hash of `filter_bits` bits, in 64-bit words;
 * the first pattern of each hash of `bucket_bits` bits, UINT32_MAX for none; the patterns; the words; the bytes of patterns and words.
 * A hash is the highest bits of the product of `key` and a pattern's first eight bytes, as a little-endian number.
 */
struct redaction_table {
	uint32_t magic; /* PLAN_MAGIC */
	uint32_t size;	/* of all of it */
	uint64_t key;	/* odd */
	uint32_t filter_bits, bucket_bits;
	uint32_t patterns, words;
} __attribute__((packed));

struct redaction_pattern {
	uint32_t next; /* the next one of the same bucket, which has a smaller index; UINT32_MAX for none */
	uint32_t at;   /* offset of its bytes in the table */
	uint16_t length;
	uint16_t word; /* what comes in its place */
} __attribute__((packed));

enum { REDACTION_WORD = 128 }; /* its bytes, at most */

struct redaction_word {
	uint32_t at;
	uint32_t length;
} __attribute__((packed));

struct monitor_role {
	uint16_t kind; /* enum monitor_fd */
	uint16_t slot; /* FD_SLOT, FD_MOUNT, FD_PROBE_SLOT, FD_LAYER; else 0 */
} __attribute__((packed));

enum monitor_flag {
	MONITOR_TERMINAL = 1,	/* the plan has OP_CONSOLE; all streams are its terminal */
	MONITOR_STDIN_OPEN = 2, /* stdin is a pipe; else, without a terminal, /dev/null */
	MONITOR_STDIN_ONCE = 4, /* stdin closes when a client that has written to it hangs up */
	MONITOR_NO_LOG = 8,	/* output is read and dropped */
	MONITOR_LINKABLE = 16,	/* its zygote may make links, also if SETUP has none: for RELINK */
	MONITOR_HOST_NETWORK = 32, /* the container is in the host's network namespace; without CLONE_NEWNET */
	MONITOR_PROBES_ASK = 64, /* the filter of health checks asks too; with FD_ANSWERS */
	MONITOR_WATCH_SET_ID = 128, /* the plan has OP_NO_NEW_PRIVS: programs that it leaves without effect are noted */
};

enum monitor_restart { RESTART_NO, RESTART_ON_FAILURE, RESTART_UNLESS_STOPPED, RESTART_ALWAYS };

/* A restart waits 100 ms, then twice as long each time, up to 60 s. A run of 10 s or more resets the wait. */
struct monitor_policy {
	uint32_t restart;	  /* enum monitor_restart */
	uint32_t most_restarts;	  /* ON_FAILURE: restarts since the last START; 0: no limit */
	uint32_t stop_signal;
	uint32_t stop_millis;	  /* then SIGKILL; MONITOR_FOREVER: never */
	uint32_t cpu_millis;	  /* thousandths of a processor for the monitor's work on output; 0: 500 */
	uint32_t deadline_millis; /* from each start to SIGKILL, without a restart; 0: none */
	uint32_t lease_millis;	  /* from this SET, then from each RENEW. When it runs out, the container is killed, the record has
				     STATE_LEASE_OVER, and the monitor exits; 0: none */
	uint32_t reserved;	  /* 0 */
} __attribute__((packed));

#define MONITOR_FOREVER 0xffffffffu

/* What follows when a container becomes unhealthy. */
enum monitor_on_failure {
	ON_FAILURE_NONE,
	ON_FAILURE_KILL,    /* SIGKILL; the restart policy answers it like any exit */
	ON_FAILURE_RESTART, /* like STOP, then a restart whatever the policy */
	ON_FAILURE_STOP,    /* like STOP */
};

/*
 * Health checks; all 0: none. Every interval_millis (start_interval_millis during the start period, until one succeeds) a probe runs:
 * one more program in the container. Exit code 0 is a success. After `retries` failures in a row, those of the start period
 * not counted, the container is unhealthy. After timeout_millis, and when its program has exited, every process of the probe is killed.
 * No probe runs while the container is paused.
 */
struct monitor_health {
	uint32_t interval_millis, timeout_millis, start_millis, start_interval_millis;
	uint32_t retries;    /* 1.. */
	uint32_t on_failure; /* enum monitor_on_failure */
	uint32_t namespaces; /* CLONE_NEW* that the plan enters; their slots are the last ones */
	uint16_t slots;	     /* of the plan */
	uint16_t reserved;   /* 0 */
	int32_t oom_score;   /* oom_score_adj of probes */
} __attribute__((packed));

/* The step in which SETUP failed: the payload of its error reply. */
enum monitor_stage {
	SETUP_MESSAGE = 1, /* the message itself is refused */
	SETUP_JOIN = 2,
	SETUP_ZYGOTE = 3,
	SETUP_MOUNTS = 4,
	SETUP_SOCKET = 5,
	SETUP_LOG = 6,
	SETUP_CONFINE = 7, /* dropping privileges */
};

struct monitor_setup {
	uint32_t id_base, id_count; /* as in struct request */
	uint64_t clone_flags;
	uint16_t slots; /* of the plan, as in struct handover */
	uint16_t fds;	/* number of descriptors in this message */
	uint32_t flags; /* enum monitor_flag */
	uint32_t stream_uid;	/* host id that owns the pipes, so that the program can open /dev/stdout */
	uint32_t log_files;	/* 1..100, including the newest */
	uint64_t log_bytes;	/* size limit of one file; >= 64 KiB */
	struct monitor_policy policy;
	char log_name[96];   /* no `/`, no dot at the start, ends with NUL; rotated to NAME.1, NAME.2, ... */
	struct monitor_role role[MONITOR_MAX_FDS]; /* of each descriptor; the rest is 0 */
	struct monitor_health health;
	struct links links; /* made anew at each start; all 0: none */
} __attribute__((packed));

/* ---- the others ---- */

struct monitor_stop {
	uint32_t signal;
	uint32_t millis; /* then SIGKILL; MONITOR_FOREVER: never */
} __attribute__((packed));

enum monitor_phase {
	MONITOR_CREATED = 1,
	MONITOR_STARTING = 2,
	MONITOR_HELD = 3,
	MONITOR_RUNNING = 4,
	MONITOR_PAUSED = 5,
	MONITOR_STOPPING = 6,	/* init has exited; its output is drained and its exit recorded */
	MONITOR_RESTARTING = 7, /* waits before the next start */
	MONITOR_EXITED = 8,
};

enum monitor_state_flag {
	STATE_OOM = 1,		   /* the kernel killed a process of the last run for memory */
	STATE_STOPPED = 2,	   /* a client ended the last run: STOP, a FINAL signal, REMOVE */
	STATE_LEASE_OVER = 4,
	STATE_DEADLINE = 8,	   /* the last run was killed at its deadline */
	STATE_START_FAILED = 16,   /* the last start did not reach its program; monitor_start has the reason */
	STATE_ZYGOTE_GONE = 32,	   /* the container cannot be started again */
	STATE_RECORD_FAILED = 64,  /* the exit record could not be written (record_error); the monitor tries again */
	STATE_STDIN_CLOSED = 128,
	STATE_HEALTH_STARTING = 256, /* at most one of these three; none without health checks and before the first start */
	STATE_HEALTHY = 512,
	STATE_UNHEALTHY = 1024, /* also when it does not run, as in Docker */
	STATE_NETWORK_ENDED = 2048, /* with START_FAILED: the OWNER of its network has ended */
};

/* Times are ms of CLOCK_REALTIME, durations ms of CLOCK_BOOTTIME; 0: has not happened. */
struct monitor_state {
	uint32_t phase;
	int32_t monitor_pid;
	int32_t pid;	     /* of init, in the monitor's pid namespace; 0 if there is none */
	uint32_t generation; /* number of starts */
	uint32_t restarts;   /* by the policy, since the last START */
	uint32_t flags;
	int32_t status;	     /* of the last exit: code, or 256 + signal; -1 before the first */
	uint32_t obstacles;  /* of the last exit: enum obstacle */
	uint64_t created_millis, started_millis, finished_millis;
	uint64_t run_millis; /* duration of the last run, or of the current one so far */
	uint64_t user_micros, system_micros; /* of the last run: the program and the children it waited for */
	uint64_t log_bytes;  /* written since create */
	uint64_t log_lost;   /* bytes of output that could not be written */
	int32_t log_error;   /* error number of the last failure; 0: everything was written */
	int32_t record_error;
	uint64_t oom_kills;  /* of the last run */
	uint64_t restart_millis; /* RESTARTING: time to the next start */
	uint64_t lease_millis;	 /* time left; 0: no lease */
} __attribute__((packed));

/* The outcome of a start. If it failed, the reply's `argument` is the error number. */
struct monitor_start {
	struct monitor_state state;
	struct reply reply;   /* of the zygote; stage 0 unless it failed */
	struct report report; /* the last from init; kind 0 if there was none, REPORT_READY after a good start */
} __attribute__((packed));

/* The exit record: the last exit, readable after the monitor has gone. */
struct monitor_record {
	uint32_t magic;	  /* PLAN_MAGIC */
	uint32_t version; /* MONITOR_VERSION; later versions only append */
	uint32_t length;  /* of this struct */
	uint32_t reserved;
	struct monitor_start end;
} __attribute__((packed));

/*
 * The file MONITOR_STATUS: the state, for readers that do not connect. It is there from SETUP until the monitor exits in order, and is locked
 * by flock(2) for as long as the monitor lives: one that nobody has locked tells nothing. A change stands in it before any client is told.
 * Written in place: a reader whose `sum` does not match reads again, and connects if that does not help. run_millis of a run that goes on,
 * log_bytes, log_lost, log_error, restart_millis and lease_millis are 0: they are known by STATE alone.
 */
struct monitor_status {
	uint32_t magic;	  /* PLAN_MAGIC */
	uint32_t version; /* MONITOR_VERSION */
	uint32_t length;  /* of this struct */
	uint32_t reserved;
	struct monitor_state state;
	uint64_t sum; /* FNV-1a, 64 bits, of all bytes before it */
} __attribute__((packed));

/* ---- health checks on disk ---- */

enum { HEALTH_PROBES = 5, HEALTH_OUTPUT = 4096, HEALTH_CHANGES = 8 };

struct monitor_probe {
	uint64_t started_millis, finished_millis;
	int32_t code;	 /* exit code, 128 + signal, or -1: it was killed at its timeout, or could not be started */
	uint32_t length; /* of `output`, which has both streams; what did not fit was dropped */
	uint8_t output[HEALTH_OUTPUT];
} __attribute__((packed));

/* The file MONITOR_HEALTH_FILE below the log directory, by rename after each probe; removed if it cannot be written. */
struct monitor_health_log {
	uint32_t magic;	  /* PLAN_MAGIC */
	uint32_t version; /* MONITOR_VERSION */
	uint32_t streak;  /* failures in a row */
	uint32_t count;	  /* of `probe`, the oldest first */
	struct monitor_probe probe[HEALTH_PROBES];
	uint32_t changes; /* of `change`, the oldest first: when a probe made the container healthy or unhealthy */
	uint32_t reserved;
	struct {
		uint64_t millis;
		uint32_t state; /* STATE_HEALTHY or STATE_UNHEALTHY */
		uint32_t reserved;
	} __attribute__((packed)) change[HEALTH_CHANGES];
} __attribute__((packed));

/* ---- programs that were adopted ---- */

enum { EXEC_ENDS = 32 };

struct monitor_exec_end {
	uint8_t id[MONITOR_EXEC_ID];
	uint64_t started_millis, finished_millis;
	int32_t code; /* exit code, or 128 + signal */
	uint32_t reserved;
} __attribute__((packed));

/* The file MONITOR_EXEC_FILE below the log directory, by rename after each exit. */
struct monitor_exec_log {
	uint32_t magic;	  /* PLAN_MAGIC */
	uint32_t version; /* MONITOR_VERSION */
	uint32_t count;	  /* of `end`, the oldest first */
	uint32_t reserved;
	struct monitor_exec_end end[EXEC_ENDS];
} __attribute__((packed));

/* ---- denied calls on disk ---- */

/* Who made a denied call, if not the container's program: bits beside those of the arguments. */
enum denial_source { DENIAL_OF_PROBE = 1 << 8, DENIAL_OF_EXEC = 1 << 9 };

/* The first of a kind: who made it, number, ABI, answer, and the arguments that the filter looked at. */
struct monitor_denial {
	uint64_t count, first_millis;
	uint32_t number, architecture;
	int32_t error;	 /* the answer; -1: EBUSY, because the call wants a listener of its own */
	uint32_t looked; /* a bit for each argument that the filter looked at, and an enum denial_source */
	uint64_t instruction;
	uint64_t argument[6];
	uint64_t compared[6]; /* those that were looked at; else 0 */
} __attribute__((packed));

/* The file MONITOR_DENIAL_FILE below the log directory, by rename soon after a denial, and before the record of an exit. Since create. */
struct monitor_denial_log {
	uint32_t magic;	  /* PLAN_MAGIC */
	uint32_t version; /* MONITOR_VERSION */
	uint32_t count;	  /* of `denial`, the oldest first */
	uint32_t reserved;
	uint64_t others; /* denied calls of kinds for which there was no room */
	struct monitor_denial denial[MONITOR_MAX_DENIALS];
} __attribute__((packed));

/*
 * A client of another build talks to this monitor: if one of these changes, so must MONITOR_VERSION. SETUP comes from the build that
 * starts it.
 */
_Static_assert(sizeof(struct redaction_table) == 32 && sizeof(struct redaction_pattern) == 12 && sizeof(struct redaction_word) == 8,
	       "the layout that RedactionTable.java writes");
_Static_assert(sizeof(struct monitor_denial) == 136, "the layout that DeniedCalls.java reads");
_Static_assert(sizeof(struct monitor_setup) == 1004 + sizeof(struct links), "the layout that MonitorSetup.java writes");
_Static_assert(sizeof(struct monitor_header) == 16 && sizeof(struct monitor_policy) == 32 &&
		       sizeof(struct monitor_state) == 128 && sizeof(struct monitor_start) == 244 && sizeof(struct monitor_record) == 260 &&
		       sizeof(struct monitor_status) == 152,
	       "the layout of MONITOR_VERSION 1");

_Noreturn void monitor(void);

/* ---- set-user-ID and set-group-ID programs on disk ---- */

enum set_id_missing {
	SET_ID_LOST = 1,   /* executions were not looked at */
	SET_ID_UNSEEN = 2, /* a program ended before it was seen who executed it */
	SET_ID_MORE = 4,   /* there was no room for more */
};

/* The file MONITOR_SET_ID_FILE below the log directory, by rename at SETUP, soon after a change, and before the record of an exit. */
struct monitor_set_id_log {
	uint32_t magic;	  /* PLAN_MAGIC */
	uint32_t version; /* MONITOR_VERSION */
	uint32_t count;	  /* of `name`, the first first. Since create */
	uint32_t missing; /* enum set_id_missing. Since create */
	int32_t error;	  /* error number if executions cannot be watched */
	uint32_t reserved;
	char name[MONITOR_MAX_SET_ID][LOOK_NAME]; /* as the container sees it; of a long one the end. Ends with NUL */
} __attribute__((packed));

#endif
