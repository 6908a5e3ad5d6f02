/* The monitor's state and its functions, by file. Single-threaded; nothing is allocated. */
#ifndef CAISSON_MONITOR_PARTS_H
#define CAISSON_MONITOR_PARTS_H

#include "monitor.h"

#include <linux/filter.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

enum { NO_FD = -1, SETUP_SOCKET_FD = 3, LOG_PART = 16384, READ_SIZE = 65536 };

/* For buffers that madvise(2) frees: pages of their own, of the largest size that a kernel has. */
enum { LARGEST_PAGE = 65536 };
#ifdef __SANITIZE_ADDRESS__ /* it puts no gap behind variables with so large an alignment */
#define WHOLE_PAGES
#else
#define WHOLE_PAGES __attribute__((aligned(LARGEST_PAGE)))
#endif

#define MILLIS 1000000ull /* nanoseconds */
#define SECONDS 1000000000ull

/* The program's output and error streams; a terminal is both in one, the first. */
enum { STREAM_OUT, STREAM_ERR, STREAM_COUNT };

struct client {
	int fd; /* NO_FD: free */
	uint32_t watch;
	uint32_t unsent; /* notices still to send: WATCH_*, NOTE_STDIN */
	bool wrote_stdin, wants_stdin;
	bool full; /* its queue had no room for a notice */
	uint16_t waits_for; /* pending MONITOR_START, MONITOR_STOP, MONITOR_REMOVE; 0: none */
	uint32_t sequence;  /* of the pending request */
};

enum { NOTE_STDIN = 4 }; /* in addition to enum monitor_watch */

struct log {
	int directory; /* of the records */
	int output;    /* directory of the log; NO_FD: that of the records */
	int file;      /* NO_FD if none is open */
	char name[96];
	unsigned files;
	uint64_t most;	/* size limit of one file */
	uint64_t size;	/* of the newest file */
	uint64_t total; /* bytes written to all files */
	uint64_t lost;	/* bytes of output that were not written */
	int error;	/* errno of the last failure */
	uint64_t retry_at;
	bool off, grew;
};

/* Limits the processor time that the monitor spends on output to the container's share. */
struct pace {
	int64_t credit; /* nanoseconds of processor time */
	uint64_t last;
	int64_t cpu_before; /* the monitor's processor time at the end of the last round */
	bool has_read;
	uint64_t wait_until; /* 0: output may be read */
};

/* Health checks, and the probe that runs. */
struct health {
	struct monitor_health want;
	struct {
		int fd;
		uint16_t slot;
	} given[PLAN_MAX_SLOTS]; /* handed to each probe */
	unsigned given_count;
	int kill;
	int name_space[PLAN_NAMESPACES]; /* of the run, in the order of plan_namespaces */
	unsigned reported;		 /* how many of them have come */
	uint32_t streak;
	uint64_t next_at, until; /* the next probe; the timeout of the one that runs. 0: none */
	int pidfd, control, output;
	bool late, ended;
	int32_t code;
	uint64_t started_millis, started_at;
	uint32_t length;
	uint8_t text[HEALTH_OUTPUT];
};

/* Where a listener is kept: that of the program, of the probe that runs, and those of programs that were adopted or have left others. */
enum { LISTENER_OF_PROGRAM, LISTENER_OF_PROBE, LISTENER_OF_EXEC, LISTENERS = LISTENER_OF_EXEC + MONITOR_MAX_EXECS };

/* What the container's filter asks about. */
struct denials {
	const struct sock_filter *filter; /* has the answers; NULL: it asks about nothing */
	unsigned length;
	int listener[LISTENERS];
	bool expects; /* the listener of the program has not come yet */
	unsigned questions;
	uint64_t window, wait_until; /* 0: questions may be answered */
	uint64_t write_at;
	struct monitor_denial_log log;
};

/* Set-user-ID and set-group-ID programs that were executed without effect. */
struct set_id {
	int queue; /* of executions; -1: nobody watches */
	unsigned looked;
	uint64_t window, wait_until; /* 0: the queue may be read */
	uint64_t write_at;
	struct monitor_set_id_log log;
};

/* A program that outlives who started it. */
struct exec {
	int control, terminal; /* the terminal is that of a program that was left; -1 */
	uint8_t id[MONITOR_EXEC_ID];
	uint64_t started_millis;
	bool expects; /* its listener may come */
};

struct monitor {
	/* from SETUP */
	uint32_t id_base, id_count, flags, stream_uid;
	uint64_t clone_flags;
	uint16_t slots;
	struct {
		int fd;
		uint16_t slot;
	} given[PLAN_MAX_SLOTS]; /* handed to init at every start */
	unsigned given_count;
	uint16_t kept[PLAN_MAX_SLOTS]; /* slots of the mounts that the zygote keeps, by place */
	unsigned kept_count;
	struct links links; /* count 0: none */
	bool makes_links;   /* its zygote may */
	int network;	    /* the namespace of another container, for the next start; -1 */
	int owner;	    /* pidfd of that one's first process; -1 */
	int layer[REQUEST_MAX_FDS];
	unsigned layer_count;
	int cgroup, state_directory, status, oom, freezer, program, redaction, answers;
	bool freezer_v1;
	struct monitor_policy policy;

	/* its own */
	int zygote, zygote_pidfd, listener, timer, signals;
	int zygote_pid;
	uint64_t timer_at;
	struct client client[MONITOR_MAX_CLIENTS];
	struct log log;
	struct pace pace;
	struct health health;
	struct exec exec[MONITOR_MAX_EXECS];
	struct denials denials;
	struct set_id set_id;

	/* of the run */
	enum monitor_phase phase, phase_before;
	int resolver[2]; /* sockets of OP_RESOLVER: UDP, TCP */
	int init_pidfd, control, progress, input, output[STREAM_COUNT]; /* with a terminal input == output[STREAM_OUT] */
	uint32_t rows_columns;
	int holder; /* index of the client that holds it; -1 */
	int freezes; /* index of the client with whose connection the pause ends; -1 */
	bool by_policy, ends, quits; /* ends: no restart follows; quits: the monitor exits after the run */
	bool again; /* a restart follows whatever the policy */
	uint64_t started_at, drain_until;
	uint64_t oom_before;
	bool exit_reported;

	/* deadlines on CLOCK_BOOTTIME; 0: none */
	uint64_t start_until, stop_at, deadline_at, lease_at, restart_at, record_at, sync_at, trim_at;
	uint64_t back_off; /* the next wait */

	struct monitor_start last; /* for STATE and the record */
	struct monitor_state shown; /* in the file of the status */
};

/* monitor_setup.c: returns 0, or a negated error number and the stage that failed */
int set_up_monitor(struct monitor *m, enum monitor_stage *stage);

/* monitor_confine.c: drops capabilities, the host's file tree, and most system calls */
int confine(const struct monitor *m);

/* monitor_links.c */
bool are_none(const struct links *links);
int take_network(struct monitor *m, int *name_space); /* on success it is taken */
int take_owner(struct monitor *m, int *pidfd);	       /* on success it is taken */
void forget_network(struct monitor *m);
bool is_network_kept(const struct monitor *m); /* or there is none of another container */
int *plan_of(struct monitor *m); /* the descriptor of the plan */
int take_links(struct monitor *m, const struct links *links, int *plan); /* on success `plan` is taken */

/* monitor_zygote.c */
int start_zygote(struct monitor *m);
int settle_zygote(struct monitor *m);
int keep_slot(struct monitor *m, uint16_t slot, int mount);
int ask_for_init(struct monitor *m, int control, int *pidfd);
int ask_for_links(struct monitor *m);
void ask_for_no_links(struct monitor *m);
int hand_over_plan(struct monitor *m, const int streams[3]);
int ask_for_queue(struct monitor *m, int *queue);
int ask_for_look(struct monitor *m, struct look_reply *found);
int ask_for_probe(struct monitor *m, int control, int *pidfd);
int copy_mount(struct monitor *m, uint32_t slot, int *mount);
void end_zygote(struct monitor *m);

/* monitor_run.c: a run from start to exit */
int begin_run(struct monitor *m, bool by_policy);
int let_run(struct monitor *m);
void take_reports(struct monitor *m);
void take_exit(struct monitor *m);
void end_if_drained(struct monitor *m);
void send_to_init(struct monitor *m, int number);
void kill_init(struct monitor *m);
void run_on(struct monitor *m);
void stop_run(struct monitor *m, uint32_t number, uint32_t millis, bool by_client);
bool has_init(const struct monitor *m);
void run_deadlines(struct monitor *m);

/* monitor_resolver.c */
void close_resolver(struct monitor *m);
void take_resolver(struct monitor *m, uint32_t protocol, int fd);
int lend_socket(const struct monitor *m, uint32_t protocol); /* it stays the monitor's; or a negated error number */

/* monitor_health.c: a probe from start to result */
bool valid_health(const struct monitor_health *want);
void clear_health(struct health *health);
bool asks_for_namespaces(const struct monitor *m);
void take_namespace(struct monitor *m, uint32_t which, int fd);
void begin_health(struct monitor *m);
void suspend_health(struct monitor *m);
void resume_health(struct monitor *m);
void end_health(struct monitor *m);
void take_probe_report(struct monitor *m);
void take_probe_exit(struct monitor *m);
void read_probe(struct monitor *m);
void run_health_deadlines(struct monitor *m, uint64_t now);
void trim_health(void);

/* monitor_execs.c */
void clear_execs(struct exec execs[MONITOR_MAX_EXECS]);
int adopt_exec(struct monitor *m, const uint8_t id[MONITOR_EXEC_ID], int control);
int adopt_terminal(struct monitor *m, const uint8_t id[MONITOR_EXEC_ID], int terminal);
void drop_exec_output(struct monitor *m, struct exec *exec);
void take_exec_report(struct monitor *m, struct exec *exec);

/* monitor_denials.c */
int take_answers(struct monitor *m, int file);
void read_denials(struct monitor *m);
void clear_listeners(struct denials *denials);
void take_listener(struct monitor *m, unsigned which, int fd);
bool has_room_for_listener(const struct monitor *m);
int keep_listener(struct monitor *m, int fd); /* takes it, or closes it */
void close_listener(struct monitor *m, unsigned which);
void close_listeners(struct monitor *m);
void take_question(struct monitor *m, unsigned which, short events);
void write_denials(struct monitor *m);
void run_denial_deadlines(struct monitor *m, uint64_t now);

/* monitor_set_id.c */
void begin_set_id(struct monitor *m);
void take_programs(struct monitor *m);
void settle_set_id(struct monitor *m);
void write_set_id(struct monitor *m);
void run_set_id_deadlines(struct monitor *m, uint64_t now);

/* monitor_record.c */
void write_record(struct monitor *m);
void sync_record(struct monitor *m);
void forget_record(struct monitor *m);
void update_state(struct monitor *m);
uint64_t read_oom_kills(const struct monitor *m);

/* monitor_status.c */
void open_status(struct monitor *m);
void write_status(struct monitor *m);
void remove_status(struct monitor *m);

/* monitor_streams.c */
int open_streams(struct monitor *m, int theirs[3]);
int open_pipe(const struct monitor *m, bool input, int *ours, int *theirs);
ssize_t read_chunk(int fd, const uint8_t **bytes);
void take_console(struct monitor *m, int master);
void read_output(struct monitor *m, unsigned stream);
void pace_output(struct monitor *m);
void read_rest(struct monitor *m);
void close_streams(struct monitor *m);
void close_input(struct monitor *m);
int write_input(struct monitor *m, const uint8_t *bytes, uint32_t length);
int resize(struct monitor *m, uint32_t rows_columns);
bool output_may_be_read(const struct monitor *m);
void trim_streams(void);

/* monitor_log.c */
int open_log(struct log *log);
void log_output(struct log *log, unsigned stream, const uint8_t *bytes, size_t length, uint64_t now);
void end_log_lines(struct log *log, uint64_t now);
int sync_log(struct log *log);
void trim_log(void);

/* monitor_redact.c. Streams: STREAM_OUT, STREAM_ERR, and that of the health check */
enum { STREAM_PROBE = STREAM_COUNT, REDACTED_STREAMS };
typedef void take_redacted(void *context, const uint8_t *bytes, size_t length);
int take_redaction(int file);
bool redacts(void);
void redact(unsigned stream, const uint8_t *bytes, size_t length, take_redacted *take, void *context);
void end_redaction(unsigned stream, take_redacted *take, void *context); /* passes on what waits */
size_t forget_redaction(unsigned stream);				 /* drops what waits; returns how many bytes */
void trim_redaction(void);

/* monitor_time.c */
enum { TIME_SIZE = 64 };
void format_time(char text[TIME_SIZE], const struct timespec *time);

/* monitor_clients.c */
void add_client(struct monitor *m, int fd);
void accept_clients(struct monitor *m);
void drop_client(struct monitor *m, struct client *client);
void read_client(struct monitor *m, struct client *client);
bool reply(struct monitor *m, struct client *client, const struct monitor_header *to, int error, const void *payload,
	   uint32_t length, int fd);
void answer_waiting(struct monitor *m, uint16_t op, int error);
void note(struct monitor *m, uint32_t what);
void send_notices(struct monitor *m);
void trim_clients(void);

/* monitor_requests.c */
void serve_request(struct monitor *m, struct client *client, const struct monitor_header *header, const uint8_t *payload, int *passed);
bool valid_policy(const struct monitor_policy *policy);
void set_policy(struct monitor *m, const struct monitor_policy *policy);

/* monitor.c */
void change_phase(struct monitor *m, enum monitor_phase phase);
_Noreturn void quit(struct monitor *m, int code);
uint64_t boot_nanos(void);
uint64_t wall_millis(void);

#endif
