/*
 * The monitor: one process per container that outlives the command which created it, from create to remove. It starts the
 * container (again and again: the plan is data), holds its streams, writes its log, records its exit, restarts it, and
 * answers on one socket. This file is the whole protocol.
 *
 * Everything is little-endian, packed, over SOCK_SEQPACKET: one message is `struct monitor_header` and `length` bytes of
 * payload, at most MONITOR_MAX_MESSAGE together; descriptors come by SCM_RIGHTS where it says so.
 *
 *   engine                               monitor                            zygote, init
 *     spawn `caisson-init monitor`,
 *     3 = its end of a socket pair  -->   leaves the engine's session; 0-2 are /dev/null
 *     SETUP, descriptors            -->   joins its groups, starts its zygote, binds STATE_DIRECTORY/s,
 *                                         gives all that it does not need away
 *     reply{SETUP}: monitor_state   <--   phase CREATED (with an error: u32, enum monitor_stage). The pair is from here on a client connection like each other
 *     START, MONITOR_HOLD           -->   streams, clones of the mounts     clone, handover, READY
 *     reply{START}: monitor_start,
 *       descriptor: a pidfd of init <--   phase HELD: the engine verifies
 *     GO                            -->   phase RUNNING                     START
 *     reply{GO}: monitor_state      <--
 *
 * The setup socket closes, or nothing comes for 30 s: the monitor exits and leaves nothing. When the client that holds a
 * container (HOLD) hangs up, that start is given up. The spawned process exits with 0 at once: the monitor is its child.
 *
 * Whoever connects to STATE_DIRECTORY/s has to have uid 0 (SO_PEERCRED), else the connection is closed. A request is answered
 * by its op | MONITOR_REPLY with the same `sequence` and, in `argument`, 0 or an error number. Replies come in the
 * order of the requests, but for START and STOP, which are answered when they are done; a connection has at most one of
 * these two under way (else EBUSY). A message that is no request (shorter than a header, wrong length, wrong version) is
 * answered with EBADMSG, EPROTO for the version, an op that is not known with EOPNOTSUPP; the connection stays open. A client that
 * does not take its replies is disconnected. A notice that a client has no room for is sent when it has, in its latest form.
 *
 * Output never goes through the socket: readers open the log, and wait for NOTICE_GREW.
 *
 * If the monitor dies, init dies with it (parent-death signal, control socket), and whoever connects gets ECONNREFUSED.
 */
#ifndef CAISSON_MONITOR_H
#define CAISSON_MONITOR_H

#include "plan.h"

#define MONITOR_VERSION 1u
#define MONITOR_MAX_MESSAGE 65536u
#define MONITOR_MAX_FDS 200u
#define MONITOR_MAX_CLIENTS 32u /* one more is accepted and closed at once */
#define MONITOR_SOCKET "s"	 /* below the state directory; removed by REMOVE */
#define MONITOR_RECORD "exit"	 /* below the log directory: struct monitor_record, by rename */
#define MONITOR_REPLY 0x8000u

enum monitor_op {
	MONITOR_SETUP = 1,   /* struct monitor_setup, descriptors -> monitor_state. Once, on the setup socket */
	MONITOR_HELLO = 2,   /* - -> monitor_state. The header's version may be any: the reply's header has the monitor's */
	MONITOR_STATE = 3,   /* - -> monitor_state */
	MONITOR_START = 4,   /* argument: 0 or MONITOR_HOLD -> monitor_start, and a pidfd of init with success. EALREADY unless
				it is CREATED or EXITED. Answered once the program may run or is held, or with what went wrong */
	MONITOR_GO = 5,	     /* - -> monitor_state. Lets the held container run; EINVAL from others than who holds it */
	MONITOR_STOP = 6,    /* struct monitor_stop, or nothing: as SET says -> monitor_state, once it has ended for good.
				Ends restarts. Of one that does not run: answered at once */
	MONITOR_SIGNAL = 7,  /* argument: signal number, | MONITOR_FINAL to end restarts -> -. ESRCH where none runs. SIGKILL and
				FINAL signals thaw a paused container */
	MONITOR_PAUSE = 8,   /* - -> monitor_state; its group freezes within milliseconds. EINVAL where none runs, EOPNOTSUPP without a freezer */
	MONITOR_UNPAUSE = 9, /* - -> monitor_state */
	MONITOR_STDIN = 10,  /* bytes -> argument 0, payload u32: how many were taken. Fewer than all: NOTICE_STDIN comes when there
				is room. argument MONITOR_EOF: closes it behind the bytes, if all were taken. EPIPE if closed */
	MONITOR_RESIZE = 11, /* argument: rows << 16 | columns -> -. ENOTTY without a terminal; kept for the next start */
	MONITOR_WATCH = 12,  /* argument: bits of enum monitor_watch (0: none) -> monitor_state; then notices */
	MONITOR_SET = 13,    /* struct monitor_policy -> monitor_state */
	MONITOR_RENEW = 14,  /* argument: ms from now -> -. EINVAL without a lease */
	MONITOR_REMOVE = 15, /* - -> -, then the monitor exits: mounts, locks and the writable layer go. EBUSY unless it is CREATED or
				EXITED; argument MONITOR_FORCE: kills it first, and answers when it has ended */
	/* 16..31 are for execs and health checks */
	MONITOR_PROGRAM = 32, /* - -> -, and a read-only descriptor of the program that the monitor runs: an engine that finds
				 its own bytes there, sealed, starts its monitors from it, so that they share its memory */
};

enum monitor_notice {
	NOTICE_GREW = 0x4001,  /* u64: bytes of log written since create, over all its files */
	NOTICE_STATE = 0x4002, /* monitor_state */
	NOTICE_STDIN = 0x4003, /* -: there is room for STDIN again, or nobody reads it any more */
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

/* What a descriptor of SETUP is. The monitor closes all of them when it exits. */
enum monitor_fd {
	FD_SLOT = 1,	       /* handed to init at every start as slot `slot`, as it is: the plan (sealed), v1 `tasks` files */
	FD_MOUNT = 2,	       /* a detached mount for slot `slot`: root, volumes, covers, devices. Kept attached in the zygote's mount
				  namespace; every start gets a clone */
	FD_CGROUP = 3,	       /* v2 directory that init is cloned into (CLONE_INTO_CGROUP); at most one */
	FD_STATE_DIRECTORY = 4, /* where the socket goes; exactly one */
	FD_LOG_DIRECTORY = 5,  /* where log and exit record go; exactly one. Its flock(2), if it has one, is held too */
	FD_HOLD = 6,	       /* only kept open: locks, leases of ranges */
	FD_JOIN = 7,	       /* a `cgroup.procs` or `tasks` file of the group that the monitor and its zygote go into */
	FD_OOM = 8,	       /* memory.events or memory.oom_control of the container's group, readable; at most one */
	FD_FREEZE_V2 = 9,      /* cgroup.freeze, read-write; at most one of these two */
	FD_FREEZE_V1 = 10,     /* freezer.state, read-write */
};

struct monitor_role {
	uint16_t kind; /* enum monitor_fd */
	uint16_t slot; /* FD_SLOT, FD_MOUNT; else 0 */
} __attribute__((packed));

enum monitor_flag {
	MONITOR_TERMINAL = 1,	/* the plan has OP_CONSOLE: its terminal is both streams */
	MONITOR_STDIN_OPEN = 2, /* without it, and without a terminal: /dev/null */
	MONITOR_STDIN_ONCE = 4, /* stdin closes when a client that has written to it hangs up */
	MONITOR_NO_LOG = 8,	/* output is read and dropped */
};

enum monitor_restart { RESTART_NO, RESTART_ON_FAILURE, RESTART_UNLESS_STOPPED, RESTART_ALWAYS };

/* After an exit that nobody asked for: waits 100 ms, twice as long each time, at most 60 s; from 100 ms again after 10 s up. */
struct monitor_policy {
	uint32_t restart;	  /* enum monitor_restart */
	uint32_t most_restarts;	  /* ON_FAILURE: in a row; 0: without end */
	uint32_t stop_signal;
	uint32_t stop_millis;	  /* then SIGKILL; MONITOR_FOREVER: never */
	uint32_t cpu_millis;	  /* processors / 1000 that the monitor may use for output; 0: 500 */
	uint32_t deadline_millis; /* of each start until SIGKILL, and no restart after it; 0: none */
	uint32_t lease_millis;	  /* from this SET, then from each RENEW: over, the container is killed, EXITED with STATE_LEASE_OVER,
				     and the monitor exits; 0: none */
	uint32_t reserved;	  /* 0 */
} __attribute__((packed));

#define MONITOR_FOREVER 0xffffffffu

/* Where SETUP failed: the payload of a reply with an error. */
enum monitor_stage {
	SETUP_MESSAGE = 1, /* the message is not as above says */
	SETUP_JOIN = 2,
	SETUP_ZYGOTE = 3,
	SETUP_MOUNTS = 4,
	SETUP_SOCKET = 5,
	SETUP_LOG = 6,
	SETUP_CONFINE = 7, /* giving away what it does not need */
};

struct monitor_setup {
	uint32_t id_base, id_count; /* as of struct request */
	uint64_t clone_flags;
	uint16_t slots; /* of the plan: the handover's */
	uint16_t fds;	/* that came with it */
	uint32_t flags; /* enum monitor_flag */
	uint32_t stream_uid;	/* host id that gets the pipes, so that the program can open /dev/stdout; root keeps none */
	uint32_t log_files;	/* 1..100, the newest included */
	uint64_t log_bytes;	/* of one file; >= 64 KiB */
	struct monitor_policy policy;
	char log_name[96];   /* without `/`, not beginning with a dot, ends with NUL; rotated to NAME.1, NAME.2, ... */
	struct monitor_role role[MONITOR_MAX_FDS]; /* of each descriptor; 0 behind the last */
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
	MONITOR_STOPPING = 6,	/* init is gone, its output is being drained and its exit recorded */
	MONITOR_RESTARTING = 7, /* waits for its back-off */
	MONITOR_EXITED = 8,
};

enum monitor_state_flag {
	STATE_OOM = 1,		   /* the last run met an OOM kill in its group */
	STATE_STOPPED = 2,	   /* the last end was asked for: STOP, a FINAL signal, REMOVE */
	STATE_LEASE_OVER = 4,
	STATE_DEADLINE = 8,	   /* the last run was killed at its deadline */
	STATE_START_FAILED = 16,   /* the last start never came to its program; `report` has why */
	STATE_ZYGOTE_GONE = 32,	   /* it cannot be started again */
	STATE_RECORD_FAILED = 64,  /* the exit record could not be written (record_error), and is tried again */
	STATE_STDIN_CLOSED = 128,
};

/* Times are ms of CLOCK_REALTIME, durations of CLOCK_BOOTTIME; 0: has not happened. */
struct monitor_state {
	uint32_t phase;
	int32_t monitor_pid;
	int32_t pid;	     /* of init, in the monitor's pid namespace; 0 where there is none */
	uint32_t generation; /* starts so far */
	uint32_t restarts;   /* of these, by the policy */
	uint32_t flags;
	int32_t status;	     /* of the last end: exit code, or 256 + signal; -1 before the first */
	uint32_t obstacles;  /* of the last end: enum obstacle */
	uint64_t created_millis, started_millis, finished_millis;
	uint64_t run_millis; /* how long the last run took, or the one that runs has taken */
	uint64_t user_micros, system_micros; /* of the last end: the program and what it waited for */
	uint64_t log_bytes;  /* written since create */
	uint64_t log_lost;   /* bytes of output that could not be written */
	int32_t log_error;   /* why, the last time; 0: all was written */
	int32_t record_error;
	uint64_t oom_kills;  /* of the last run */
	uint64_t restart_millis; /* RESTARTING: until the next start */
	uint64_t lease_millis;	 /* left; 0: no lease */
} __attribute__((packed));

/* Why a start failed: `argument` of the reply is its error number. */
struct monitor_start {
	struct monitor_state state;
	struct reply reply;   /* of the zygote; stage 0 where it has not failed */
	struct report report; /* of init; kind 0 where it has said nothing, REPORT_READY with success */
} __attribute__((packed));

/* The exit record: what is known of the last end, also when the monitor is gone. */
struct monitor_record {
	uint32_t magic;	  /* PLAN_MAGIC */
	uint32_t version; /* MONITOR_VERSION; later ones only add behind */
	uint32_t length;  /* of this struct */
	uint32_t reserved;
	struct monitor_start end;
} __attribute__((packed));

_Noreturn void monitor(void);

#endif
