/*
 * Calls that the container's filter asks about, which are those that it denies: the monitor answers with what the filter without
 * questions returns, and notes each kind of denied call once, with how often it came. It does so for health checks too, and for
 * programs that nobody else answers. No process is read about, and no memory that a call points to. If the monitor dies, the container
 * does; a call that waits for its answer ends with its process.
 *
 * A container that asks without end waits itself: MOST_QUESTIONS in WINDOW, with those that it takes back. More kinds than
 * MONITOR_MAX_DENIALS are counted, not noted.
 */
#include "kernel.h"
#include "monitor_parts.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define TEMPORARY ".denials"
#define WINDOW (50 * MILLIS)
#define DELAY (500 * MILLIS) /* from a new kind, or a new count, to the file */
#define RETRY (5 * SECONDS)

enum { MOST_QUESTIONS = 64, NEW_LISTENER = SECCOMP_FILTER_FLAG_NEW_LISTENER, ARGUMENTS = 6 };

/* ---- the filter ---- */

static bool jumps_within(const struct sock_filter *at, unsigned left)
{
	if (at->code == (BPF_JMP | BPF_JA))
		return at->k < left;
	return at->jt < left && at->jf < left;
}

/* The instructions that Caisson's compiler makes, and no others. The last one is a return, and no jump leads behind it. */
static bool is_valid(const struct sock_filter *filter, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct sock_filter *at = &filter[i];
		unsigned left = count - 1 - i;
		switch (at->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (at->k % 4 != 0 || at->k >= sizeof(struct seccomp_data) || left == 0)
				return false;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			if (left == 0)
				return false;
			break;
		case BPF_JMP | BPF_JA:
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			if (!jumps_within(at, left))
				return false;
			break;
		case BPF_RET | BPF_K:
			break;
		default:
			return false;
		}
	}
	return count > 0;
}

/* In memory that the sender has sealed: it stays as it was looked at. */
int take_answers(struct monitor *m, int file)
{
	struct stat stat;
	if (!is_sealed(file))
		return -EPERM;
	if (fstat(file, &stat) < 0)
		return -errno;
	if (stat.st_size <= 0 || stat.st_size > BPF_MAXINSNS * (off_t)sizeof(struct sock_filter) || stat.st_size % sizeof(struct sock_filter) != 0)
		return -EINVAL;
	void *at = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, file, 0);
	if (at == MAP_FAILED)
		return -errno;
	m->denials.filter = at;
	m->denials.length = (unsigned)stat.st_size / sizeof(struct sock_filter);
	return is_valid(m->denials.filter, m->denials.length) ? 0 : -EINVAL;
}

static bool holds(const struct sock_filter *at, uint32_t value)
{
	switch (BPF_OP(at->code)) {
	case BPF_JEQ:
		return value == at->k;
	case BPF_JGT:
		return value > at->k;
	case BPF_JGE:
		return value >= at->k;
	default:
		return (value & at->k) != 0;
	}
}

/* `looked` gets a bit for each argument that was looked at. Every jump leads forward, so it ends. */
static uint32_t decide(const struct denials *denials, const struct seccomp_data *call, unsigned *looked)
{
	uint32_t value = 0;
	*looked = 0;
	for (const struct sock_filter *at = denials->filter;; at++) {
		switch (BPF_CLASS(at->code)) {
		case BPF_LD:
			memcpy(&value, (const uint8_t *)call + at->k, sizeof value);
			if (at->k >= offsetof(struct seccomp_data, args))
				*looked |= 1u << (at->k - offsetof(struct seccomp_data, args)) / sizeof call->args[0];
			break;
		case BPF_ALU:
			value &= at->k;
			break;
		case BPF_JMP:
			at += at->code == (BPF_JMP | BPF_JA) ? at->k : holds(at, value) ? at->jt : at->jf;
			break;
		default:
			return at->k;
		}
	}
}

/* ---- the notes ---- */

static bool is_same(const struct monitor_denial *noted, const struct monitor_denial *denial)
{
	return noted->number == denial->number && noted->architecture == denial->architecture && noted->error == denial->error &&
	       noted->looked == denial->looked && memcmp(noted->compared, denial->compared, sizeof noted->compared) == 0;
}

static uint32_t source_of(unsigned which)
{
	return which == LISTENER_OF_PROGRAM ? 0 : (uint32_t)(which == LISTENER_OF_PROBE ? DENIAL_OF_PROBE : DENIAL_OF_EXEC);
}

static void add(struct monitor *m, unsigned which, const struct seccomp_data *call, unsigned looked, int32_t error)
{
	struct monitor_denial_log *log = &m->denials.log;
	struct monitor_denial denial = {.count = 1, .first_millis = wall_millis(), .number = (uint32_t)call->nr, .architecture = call->arch,
					.error = error, .looked = looked | source_of(which), .instruction = call->instruction_pointer};
	for (unsigned i = 0; i < ARGUMENTS; i++) {
		denial.argument[i] = call->args[i];
		denial.compared[i] = looked & 1u << i ? call->args[i] : 0;
	}
	unsigned at = 0;
	while (at < log->count && !is_same(&log->denial[at], &denial))
		at++;
	if (at < log->count)
		log->denial[at].count++;
	else if (at < MONITOR_MAX_DENIALS)
		log->denial[log->count++] = denial;
	else
		log->others++;
	if (m->denials.write_at == 0)
		m->denials.write_at = boot_nanos() + DELAY;
}

/* Those of an earlier monitor of the container, which ended with the host or was killed; none if there is no whole file. */
void read_denials(struct monitor *m)
{
	struct monitor_denial_log *log = &m->denials.log;
	int file = openat(m->log.directory, MONITOR_DENIAL_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool whole = file >= 0 && read(file, log, sizeof *log) == sizeof *log && log->magic == PLAN_MAGIC &&
		     log->version == MONITOR_VERSION && log->count <= MONITOR_MAX_DENIALS;
	close_fd(&file);
	if (!whole)
		memset(log, 0, sizeof *log);
}

/* By rename. If that fails, it is tried again later, and at the end of the run. */
void write_denials(struct monitor *m)
{
	struct monitor_denial_log *log = &m->denials.log;
	int directory = m->log.directory;
	if (m->denials.write_at == 0)
		return;
	m->denials.write_at = 0;
	log->magic = PLAN_MAGIC;
	log->version = MONITOR_VERSION;
	int file = openat(directory, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool written = file >= 0 && write(file, log, sizeof *log) == sizeof *log;
	close_fd(&file);
	if (!written || syscall(SYS_renameat2, directory, TEMPORARY, directory, MONITOR_DENIAL_FILE, 0) < 0) {
		unlinkat(directory, TEMPORARY, 0);
		m->denials.write_at = boot_nanos() + RETRY;
	}
}

/* ---- the questions ---- */

void clear_listeners(struct denials *denials)
{
	for (unsigned which = 0; which < LISTENERS; which++)
		denials->listener[which] = NO_FD;
}

/* It comes as the first report behind START, before there is a program. */
void take_listener(struct monitor *m, unsigned which, int fd)
{
	close_listener(m, which);
	m->denials.listener[which] = fd;
}

static unsigned free_place(const struct denials *denials)
{
	unsigned which = LISTENER_OF_EXEC;
	while (which < LISTENERS && denials->listener[which] >= 0)
		which++;
	return which;
}

bool has_room_for_listener(const struct monitor *m) { return free_place(&m->denials) < LISTENERS; }

int keep_listener(struct monitor *m, int fd)
{
	unsigned which = free_place(&m->denials);
	int error = m->denials.filter == NULL ? EINVAL : !has_init(m) ? ESRCH : which == LISTENERS ? EBUSY : 0;
	if (error == 0)
		m->denials.listener[which] = fd;
	else
		close(fd);
	return error;
}

void close_listener(struct monitor *m, unsigned which) { close_fd(&m->denials.listener[which]); }

/* Nobody is left who could ask. */
void close_listeners(struct monitor *m)
{
	m->denials.expects = false;
	m->denials.wait_until = 0;
	for (unsigned which = 0; which < LISTENERS; which++)
		close_listener(m, which);
}

static void answer(struct monitor *m, unsigned which, const struct seccomp_notif *question)
{
	struct seccomp_notif_resp response = {.id = question->id};
	unsigned looked;
	uint32_t decision = decide(&m->denials, &question->data, &looked);
	bool passes = (decision & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW || (decision & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_LOG;
	if (passes && question->data.nr == SYS_seccomp && question->data.args[1] & NEW_LISTENER) {
		response.error = -EBUSY; /* a process has one listener, and it is this */
		add(m, which, &question->data, looked, -1);
	} else if (passes) {
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE; /* the filter has decided; this is no check of anything */
	} else {
		bool fails = (decision & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
		int error = fails ? (int)(decision & SECCOMP_RET_DATA) : EPERM;
		response.error = -error;
		add(m, which, &question->data, looked, error);
	}
	ioctl(m->denials.listener[which], SECCOMP_IOCTL_NOTIF_SEND, &response); /* ENOENT: whoever asked has gone */
}

void take_question(struct monitor *m, unsigned which, short events)
{
	struct denials *denials = &m->denials;
	struct seccomp_notif question = {0};
	uint64_t now = boot_nanos();
	if (!(events & POLLIN)) { /* nobody is left under the filter */
		close_listener(m, which);
		return;
	}
	if (now - denials->window >= WINDOW) {
		denials->window = now;
		denials->questions = 0;
	}
	if (++denials->questions >= MOST_QUESTIONS)
		denials->wait_until = denials->window + WINDOW;
	if (ioctl(denials->listener[which], SECCOMP_IOCTL_NOTIF_RECV, &question) == 0)
		answer(m, which, &question); /* ENOENT: whoever asked has gone, or a signal came first */
}

void run_denial_deadlines(struct monitor *m, uint64_t now)
{
	if (m->denials.wait_until != 0 && m->denials.wait_until <= now)
		m->denials.wait_until = 0;
	if (m->denials.write_at != 0 && m->denials.write_at <= now)
		write_denials(m);
}
