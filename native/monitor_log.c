/*
 * The log, in Docker's json-file format: one object for each line of output, several for a long line. A full file becomes
 * NAME.1, that one NAME.2, and the oldest is removed. Output that cannot be written is counted and dropped; the container goes
 * on, and the monitor tries again after some seconds. A file never contains half a line.
 */
#include "kernel.h"
#include "monitor_parts.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

enum { FRAME = 128, LONGEST_ESCAPE = 6 };
enum { BUFFER_SIZE = 2 * LARGEST_PAGE };

#define RETRY (5 * SECONDS)

static struct part {
	uint8_t bytes[LOG_PART];
	unsigned count;
} WHOLE_PAGES part[STREAM_COUNT];

static char buffer[BUFFER_SIZE] WHOLE_PAGES;
static size_t used;
static uint64_t used_of; /* bytes of output that the buffer stands for */

static const char *const labels[STREAM_COUNT] = {"stdout", "stderr"};

/* ---- files ---- */

static int directory_of(const struct log *log) { return log->output < 0 ? log->directory : log->output; }

static int create(struct log *log)
{
	log->file = result(openat(directory_of(log), log->name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
	log->size = 0;
	return log->file < 0 ? log->file : 0;
}


static int name_of(const struct log *log, unsigned age, char name[128])
{
	int length = age == 0 ? snprintf(name, 128, "%s", log->name) : snprintf(name, 128, "%s.%u", log->name, age);
	return length < 0 || length >= 128 ? -ENAMETOOLONG : 0;
}

/* Frees the space of the oldest file in a directory that has no more than the log needs, even while a reader has it open. */
static int empty_oldest(const struct log *log)
{
	char oldest[128];
	int error = name_of(log, log->files - 1, oldest);
	if (error < 0 || log->output < 0)
		return error;
	int file = openat(log->output, oldest, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0)
		return errno == ENOENT ? 0 : -errno;
	close(file);
	return 0;
}

static int turn_over(struct log *log)
{
	char from[128], to[128];
	int directory = directory_of(log);
	close_fd(&log->file);
	int error = empty_oldest(log);
	if (error == 0 && log->files == 1 && unlinkat(directory, log->name, 0) < 0 && errno != ENOENT)
		error = -errno;
	for (unsigned age = log->files - 1; error == 0 && age > 0; age--) {
		if ((error = name_of(log, age - 1, from)) < 0 || (error = name_of(log, age, to)) < 0)
			break;
		if (syscall(SYS_renameat2, directory, from, directory, to, 0) < 0 && errno != ENOENT)
			error = -errno;
	}
	return error < 0 ? error : create(log);
}

/* Goes on with the file that a lost monitor has left. Behind half a line, as a power failure leaves it, a new file begins. */
static int open_again(struct log *log)
{
	struct stat status;
	char last = '\n';
	log->file = result(openat(directory_of(log), log->name, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
	if (log->file < 0)
		return log->file;
	if (fstat(log->file, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	log->size = (uint64_t)status.st_size;
	if (log->size > 0 && pread(log->file, &last, 1, status.st_size - 1) != 1)
		return -EIO;
	return last == '\n' ? 0 : turn_over(log);
}

int open_log(struct log *log)
{
	log->file = NO_FD;
	if (log->off)
		return 0;
	int error = create(log);
	return error == -EEXIST ? open_again(log) : error;
}

static void fail_log(struct log *log, int error, uint64_t now)
{
	log->error = -error;
	log->retry_at = now + RETRY;
}

/* Removes the last `written` bytes. Somebody may have truncated the file meanwhile, so the kernel says where it ends. */
static int take_back(int file, size_t written)
{
	struct stat stat;
	if (written == 0)
		return 0;
	if (fstat(file, &stat) < 0 || stat.st_size < (off_t)written)
		return -EIO;
	return result(ftruncate(file, stat.st_size - (off_t)written));
}

/* Writes the whole buffer or nothing. */
static int write_buffer(struct log *log)
{
	size_t written = 0;
	int error = 0;
	if (log->file < 0 && (error = turn_over(log)) < 0)
		return error;
	while (written < used && error == 0) {
		ssize_t count = write(log->file, buffer + written, used - written);
		if (count < 0 && errno != EINTR)
			error = -errno;
		written += count > 0 ? (size_t)count : 0;
	}
	if (error == 0) {
		log->size += used;
		log->total += used;
		log->grew = true;
	} else if (take_back(log->file, written) < 0) {
		close_fd(&log->file); /* the next write starts a new file */
	}
	return error;
}

static void flush(struct log *log, uint64_t now)
{
	int error = used > 0 && !log->off ? write_buffer(log) : 0;
	if (error < 0) {
		log->lost += used_of;
		fail_log(log, error, now);
	}
	used = 0, used_of = 0;
}

int sync_log(struct log *log) { return log->file < 0 ? 0 : result(fdatasync(log->file)); }

/* ---- text ---- */

/* Returns the length of the UTF-8 character at `at`; negated, the length of an invalid sequence, to become one U+FFFD. */
static int character(const uint8_t *at, size_t left)
{
	uint8_t first = at[0], least = 0x80, most = 0xbf;
	int needs = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
	if (needs < 0)
		return -1;
	if (first == 0xe0)
		least = 0xa0;
	else if (first == 0xed)
		most = 0x9f;
	else if (first == 0xf0)
		least = 0x90;
	else if (first == 0xf4)
		most = 0x8f;
	for (int i = 1; i <= needs; i++, least = 0x80, most = 0xbf)
		if ((size_t)i >= left || at[i] < least || at[i] > most)
			return -i;
	return needs + 1;
}

static void put(const void *bytes, size_t length)
{
	memcpy(buffer + used, bytes, length);
	used += length;
}

static void put_escaped(uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";
	char text[6] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
	switch (byte) {
	case '"':
	case '\\':
		text[1] = (char)byte;
		break;
	case '\n':
		text[1] = 'n';
		break;
	case '\r':
		text[1] = 'r';
		break;
	case '\t':
		text[1] = 't';
		break;
	default:
		put(text, 6);
		return;
	}
	put(text, 2);
}

static bool is_plain(uint8_t byte) { return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\'; }

static void put_text(const uint8_t *at, size_t length)
{
	const uint8_t *end = at + length;
	while (at < end) {
		const uint8_t *from = at;
		while (at < end && is_plain(*at))
			at++;
		put(from, (size_t)(at - from));
		if (at == end)
			break;
		if (*at < 0x80) {
			put_escaped(*at++);
			continue;
		}
		int size = character(at, (size_t)(end - at));
		if (size > 0)
			put(at, (size_t)size);
		else
			put("\xef\xbf\xbd", 3);
		at += size > 0 ? size : -size;
	}
}

static void format_now(char text[TIME_SIZE])
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	format_time(text, &now);
}

/* ---- lines ---- */

static void add(struct log *log, unsigned stream, const uint8_t *bytes, size_t length, const char *time, uint64_t now)
{
	char tail[FRAME];
	if (used + LONGEST_ESCAPE * length + FRAME > BUFFER_SIZE)
		flush(log, now);
	size_t before = used;
	put("{\"log\":\"", 8);
	put_text(bytes, length);
	int size = snprintf(tail, sizeof tail, "\",\"stream\":\"%s\",\"time\":\"%s\"}\n", labels[stream], time);
	put(tail, (size_t)size);
	if (log->size + used > log->most && log->size + before > 0) {
		static char line[BUFFER_SIZE] WHOLE_PAGES;
		size_t count = used - before;
		memcpy(line, buffer + before, count);
		used = before;
		flush(log, now);
		int error = log->off || log->file < 0 ? 0 : turn_over(log);
		if (error < 0)
			fail_log(log, error, now);
		put(line, count);
		madvise(line, sizeof line, MADV_DONTNEED);
	}
	used_of += length;
}

/* Returns how many of the bytes to take so that no UTF-8 character is split. */
static unsigned whole_characters(const uint8_t *bytes, unsigned count)
{
	for (unsigned back = 1; back <= 3; back++) {
		uint8_t last = bytes[count - back];
		if (last >= 0xc0)
			return (last >= 0xf0 ? 4u : last >= 0xe0 ? 3u : 2u) > back ? count - back : count;
		if (last < 0x80)
			return count;
	}
	return count;
}

/* Takes bytes up to a newline or a full part, and adds the part if it is complete. Returns how many it took. */
static size_t take(struct log *log, unsigned stream, const uint8_t *bytes, size_t length, const char *time, uint64_t now)
{
	unsigned room = LOG_PART - part[stream].count;
	const uint8_t *newline = memchr(bytes, '\n', length < room ? length : room);
	size_t count = newline ? (size_t)(newline - bytes) + 1 : length < room ? length : room;
	if (newline && part[stream].count == 0) {
		add(log, stream, bytes, count, time, now);
		return count;
	}
	memcpy(part[stream].bytes + part[stream].count, bytes, count);
	part[stream].count += (unsigned)count;
	if (newline) {
		add(log, stream, part[stream].bytes, part[stream].count, time, now);
		part[stream].count = 0;
	} else if (part[stream].count == LOG_PART) {
		unsigned whole = whole_characters(part[stream].bytes, LOG_PART);
		add(log, stream, part[stream].bytes, whole, time, now);
		part[stream].count -= whole;
		memmove(part[stream].bytes, part[stream].bytes + whole, part[stream].count);
	}
	return count;
}

struct output {
	struct log *log;
	unsigned stream;
	uint64_t now;
	char time[TIME_SIZE];
};

static void take_text(void *context, const uint8_t *bytes, size_t length)
{
	const struct output *output = context;
	for (size_t at = 0; at < length;)
		at += take(output->log, output->stream, bytes + at, length - at, output->time, output->now);
}

void log_output(struct log *log, unsigned stream, const uint8_t *bytes, size_t length, uint64_t now)
{
	struct output output = {.log = log, .stream = stream, .now = now};
	if (log->off)
		return;
	if (log->retry_at > now) {
		log->lost += length + part[stream].count + forget_redaction(stream);
		part[stream].count = 0;
		return;
	}
	log->retry_at = 0;
	format_now(output.time);
	if (redacts())
		redact(stream, bytes, length, take_text, &output);
	else
		take_text(&output, bytes, length);
	flush(log, now);
}

void end_log_lines(struct log *log, uint64_t now)
{
	struct output output = {.log = log, .now = now};
	format_now(output.time);
	for (unsigned stream = 0; stream < STREAM_COUNT; stream++) {
		output.stream = stream;
		if (redacts() && !log->off)
			end_redaction(stream, take_text, &output);
		if (part[stream].count > 0)
			add(log, stream, part[stream].bytes, part[stream].count, output.time, now);
		part[stream].count = 0;
	}
	flush(log, now);
}

/* Frees memory that an idle container does not need. */
void trim_log(void)
{
	madvise(buffer, sizeof buffer, MADV_DONTNEED);
	trim_redaction();
	if (part[STREAM_OUT].count == 0 && part[STREAM_ERR].count == 0)
		madvise(part, sizeof part, MADV_DONTNEED);
}
