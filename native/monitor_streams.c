/* The program's streams: pipes, or the terminal's master. Nothing here blocks. */
#include "kernel.h"
#include "monitor_parts.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>

/* Like CpuPace in the engine. */
enum { BURST = 250000000, SHORTEST_WAIT = 1000000, LEAST_SHARE = 10, USUAL_SHARE = 500 };

static uint8_t chunk[READ_SIZE] WHOLE_PAGES;

/* ---- open and close ---- */

static int64_t cpu_nanos(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* The program's end gets the mode and owner that let it open /dev/stdout. The monitor's end does not block. */
int open_pipe(const struct monitor *m, bool input, int *ours, int *theirs)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*ours = ends[input ? 1 : 0];
	*theirs = ends[input ? 0 : 1];
	if (fcntl(*ours, F_SETFL, O_NONBLOCK) < 0 || fchmod(*theirs, input ? 0644 : 0622) < 0 ||
	    fchown(*theirs, m->stream_uid, (gid_t)-1) < 0)
		return -errno;
	return 0;
}

int open_streams(struct monitor *m, int theirs[3])
{
	bool terminal = m->flags & MONITOR_TERMINAL;
	int error = 0;
	theirs[0] = theirs[1] = theirs[2] = NO_FD;
	m->pace = (struct pace){.credit = BURST, .last = boot_nanos(), .cpu_before = cpu_nanos()};
	m->last.state.flags &= ~(uint32_t)STATE_STDIN_CLOSED;
	if (!terminal && m->flags & MONITOR_STDIN_OPEN)
		error = open_pipe(m, true, &m->input, &theirs[0]);
	else
		error = (theirs[0] = result(fcntl(0, F_DUPFD_CLOEXEC, SETUP_SOCKET_FD))) < 0 ? theirs[0] : 0;
	for (unsigned stream = 0; error == 0 && stream < STREAM_COUNT; stream++) {
		if (terminal) /* init replaces them by the terminal */
			error = (theirs[1 + stream] = result(fcntl(1, F_DUPFD_CLOEXEC, SETUP_SOCKET_FD))) < 0 ? theirs[1 + stream] : 0;
		else
			error = open_pipe(m, false, &m->output[stream], &theirs[1 + stream]);
	}
	if (!terminal && !(m->flags & MONITOR_STDIN_OPEN))
		m->last.state.flags |= STATE_STDIN_CLOSED;
	if (error < 0)
		close_streams(m);
	return error;
}

void take_console(struct monitor *m, int master)
{
	int flags = fcntl(master, F_GETFL);
	if (!(m->flags & MONITOR_TERMINAL) || m->output[STREAM_OUT] >= 0 || flags < 0 || fcntl(master, F_SETFL, flags | O_NONBLOCK) < 0) {
		close(master);
		return;
	}
	m->output[STREAM_OUT] = m->input = master;
	if (m->rows_columns != 0)
		resize(m, m->rows_columns);
}

void close_input(struct monitor *m)
{
	if (m->input >= 0 && !(m->flags & MONITOR_TERMINAL)) {
		close_fd(&m->input);
		m->last.state.flags |= STATE_STDIN_CLOSED;
		note(m, NOTE_STDIN);
	}
}

static void close_output(struct monitor *m, unsigned stream)
{
	if (m->input == m->output[stream])
		m->input = NO_FD;
	close_fd(&m->output[stream]);
}

void close_streams(struct monitor *m)
{
	for (unsigned stream = 0; stream < STREAM_COUNT; stream++)
		close_output(m, stream);
	close_fd(&m->input);
	m->last.state.flags |= STATE_STDIN_CLOSED;
}

/* ---- output ---- */

/*
 * Charges a round of the loop in which output was read. Above the container's share, the monitor reads no output for a while:
 * the pipes fill, and the program waits.
 */
void pace_output(struct monitor *m)
{
	struct pace *pace = &m->pace;
	int64_t cpu = cpu_nanos(), nanos = cpu - pace->cpu_before;
	uint64_t now = boot_nanos();
	pace->cpu_before = cpu;
	if (!pace->has_read)
		return;
	pace->has_read = false;
	uint32_t share = m->policy.cpu_millis == 0 ? USUAL_SHARE : m->policy.cpu_millis < LEAST_SHARE ? LEAST_SHARE : m->policy.cpu_millis;
	uint64_t passed = now - pace->last;
	pace->last = now;
	pace->credit += (int64_t)((passed < 60 * SECONDS ? passed : 60 * SECONDS) / 1000 * share);
	if (pace->credit > BURST)
		pace->credit = BURST;
	pace->credit -= nanos;
	if (pace->credit >= 0)
		return;
	uint64_t wait = (uint64_t)-pace->credit / share * 1000;
	pace->wait_until = now + (wait < SHORTEST_WAIT ? SHORTEST_WAIT : wait);
}

bool output_may_be_read(const struct monitor *m) { return m->pace.wait_until == 0; }

ssize_t read_chunk(int fd, const uint8_t **bytes)
{
	*bytes = chunk;
	return read(fd, chunk, sizeof chunk);
}

/* A terminal returns EIO when its other end is closed. */
static bool read_once(struct monitor *m, unsigned stream, uint64_t now)
{
	ssize_t length = m->output[stream] < 0 ? -1 : read(m->output[stream], chunk, sizeof chunk);
	if (length > 0)
		log_output(&m->log, stream, chunk, (size_t)length, now);
	else if (m->output[stream] >= 0 && (length == 0 || (errno != EAGAIN && errno != EINTR)))
		close_output(m, stream);
	return length > 0;
}

void read_output(struct monitor *m, unsigned stream)
{
	uint64_t now = boot_nanos();
	m->pace.has_read |= read_once(m, stream, now);
	m->trim_at = now + SECONDS;
}

/* Reads what is left after the exit, limited to what pipes can hold: others may still write into them. */
void read_rest(struct monitor *m)
{
	uint64_t now = boot_nanos();
	for (unsigned stream = 0; stream < STREAM_COUNT; stream++)
		for (unsigned times = 0; times < 64 && read_once(m, stream, now); times++)
			;
	m->trim_at = now + SECONDS;
}

void trim_streams(void) { madvise(chunk, sizeof chunk, MADV_DONTNEED); }

/* ---- input ---- */

int write_input(struct monitor *m, const uint8_t *bytes, uint32_t length)
{
	if (m->input < 0)
		return -EPIPE;
	ssize_t written;
	do
		written = length == 0 ? 0 : write(m->input, bytes, length);
	while (written < 0 && errno == EINTR);
	if (written < 0 && errno == EAGAIN)
		return 0;
	if (written < 0) {
		close_input(m);
		return -EPIPE;
	}
	return (int)written;
}

int resize(struct monitor *m, uint32_t rows_columns)
{
	struct winsize size = {.ws_row = (unsigned short)(rows_columns >> 16), .ws_col = (unsigned short)rows_columns};
	if (!(m->flags & MONITOR_TERMINAL))
		return -ENOTTY;
	m->rows_columns = rows_columns;
	return m->output[STREAM_OUT] < 0 ? 0 : result(ioctl(m->output[STREAM_OUT], TIOCSWINSZ, &size));
}
