/* Tests how the monitor takes values out of output. Its file is included; the tables are made here, and searched naively too. */
#include "../monitor_redact.c"
#include "check.h"
#include "redaction_table.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 40, TABLE = 1 << 16, TEXT = 1 << 16 };

static const char *texts[MOST], *words[MOST];
static unsigned count;

static uint8_t table_bytes[TABLE];

static struct redaction_table *head(void) { return (struct redaction_table *)table_bytes; }

static uint32_t *buckets(void) { return (uint32_t *)(table_bytes + sizeof *head() + 1024); }

static struct redaction_pattern *patterns(void) { return (struct redaction_pattern *)(buckets() + 16); }

static void build(unsigned patterns_count, const char *const text[], const char *const name[])
{
	count = patterns_count;
	memset(table_bytes, 0, sizeof table_bytes);
	build_redaction_table(table_bytes, count, text, name);
	for (unsigned i = 0; i < count; i++)
		texts[i] = text[i], words[i] = name[i];
}

static int load(void)
{
	if (redaction.bytes)
		munmap((void *)(uintptr_t)redaction.bytes, redaction.table->size);
	redaction = (struct redaction){0};
	int file = memfd_create("table", MFD_CLOEXEC);
	CHECK(write(file, table_bytes, head()->size) == (ssize_t)head()->size);
	int error = take_redaction(file);
	close(file);
	return error;
}

static char out[TEXT];
static size_t out_length;

static void append(void *context, const uint8_t *bytes, size_t length)
{
	(void)context;
	CHECK(length > 0 && out_length + length < sizeof out);
	memcpy(out + out_length, bytes, length);
	out_length += length;
	out[out_length] = 0;
}

/* Hands on the text in parts of at most `most` bytes. */
static const char *redacted(const char *text, unsigned most, unsigned seed)
{
	size_t length = strlen(text);
	out_length = 0, out[0] = 0;
	srandom(seed);
	for (size_t at = 0; at < length;) {
		size_t part = most == 0 ? length : 1 + (size_t)random() % most;
		part = part < length - at ? part : length - at;
		redact(STREAM_OUT, (const uint8_t *)text + at, part, append, NULL);
		at += part;
	}
	end_redaction(STREAM_OUT, append, NULL);
	return out;
}

/* Marks every byte of every place, then puts a word for each run of marks. */
static const char *naive(const char *text)
{
	static char told[TEXT];
	size_t length = strlen(text), used = 0, end = 0;
	unsigned current = MOST;
	for (size_t at = 0; at < length; at++) {
		size_t longest = 0;
		unsigned which = 0;
		for (unsigned i = 0; i < count; i++)
			if (strncmp(text + at, texts[i], strlen(texts[i])) == 0 && strlen(texts[i]) > longest)
				longest = strlen(texts[i]), which = i;
		if (longest > 0 && at >= end && !(at == end && current == which)) {
			used += (size_t)sprintf(told + used, "%s", words[which]);
			current = which;
		}
		end = longest > 0 && at + longest > end ? at + longest : end;
		if (at >= end) {
			told[used++] = text[at];
			current = MOST;
		}
	}
	told[used] = 0;
	return told;
}

static const char *const two[] = {"correct horse", "-----BEGIN", "ababababc", "abababab"};
static const char *const names[] = {"[one]", "[two]", "[three]", "[four]"};

static void values_are_replaced(void)
{
	build(4, two, names);
	CHECK_EQUAL(0, load());
	CHECK_TEXT("a [one] b", redacted("a correct horse b", 0, 1));
	CHECK_TEXT("[one][two][two].", redacted("correct horse-----BEGIN[two].", 0, 1));
	CHECK_TEXT("[one].", redacted("correct horsecorrect horse.", 0, 1));
	CHECK_TEXT("[three]", redacted("ababababc", 3, 1));
	CHECK_TEXT("correct hors", redacted("correct hors", 1, 1));
	CHECK_TEXT("", redacted("", 0, 1));
}

static void what_cannot_be_one_waits_for_nothing(void)
{
	build(4, two, names);
	CHECK_EQUAL(0, load());
	out_length = 0;
	redact(STREAM_ERR, (const uint8_t *)"login: corr", 11, append, NULL);
	CHECK_TEXT("login: ", out);
	CHECK_EQUAL(4, forget_redaction(STREAM_ERR));
	redact(STREAM_ERR, (const uint8_t *)"ect horse", 9, append, NULL);
	end_redaction(STREAM_ERR, append, NULL);
	CHECK_TEXT("login: ect horse", out);
}

/* Each of all bytes, the binary ones too. */
static void bytes_that_begin_no_value_go_on_at_once(void)
{
	build(4, two, names);
	CHECK_EQUAL(0, load());
	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		uint8_t byte = (uint8_t)i;
		out_length = 0;
		redact(STREAM_OUT, &byte, 1, append, NULL);
		bool begins = byte == 'c' || byte == '-' || byte == 'a';
		CHECK_EQUAL(begins ? 0 : 1, out_length);
		end_redaction(STREAM_OUT, append, NULL);
		CHECK(out_length == 1 && (uint8_t)out[0] == byte);
	}
}

static void parts_of_any_size_give_the_same(void)
{
	static const char *const pieces[] = {"correct horse", "correct ", "-----BEGIN", "-----", "ab", "abab", "abababab", "c", "x", "\n"};
	build(4, two, names);
	CHECK_EQUAL(0, load());
	for (unsigned seed = 1; seed < 3000 && checks_failed == 0; seed++) {
		char text[512] = "";
		srandom(seed);
		for (unsigned i = 0, most = 1 + (unsigned)random() % 20; i < most; i++)
			strcat(text, pieces[(unsigned)random() % 10]);
		CHECK_TEXT(naive(text), redacted(text, seed % 3 == 0 ? 0 : 1 + seed % 17, seed));
	}
}

/* What waits of one stream is searched by the new table; one that is not taken changes nothing. */
static unsigned mapped_tables(void)
{
	char line[512];
	unsigned found = 0;
	FILE *maps = fopen("/proc/self/maps", "re");
	while (maps && fgets(line, sizeof line, maps))
		found += strstr(line, "memfd:table") != NULL;
	fclose(maps);
	return found;
}

static void another_table_takes_its_place(void)
{
	static const char *const later[] = {"correct horse", "battery staple"};
	build(4, two, names);
	CHECK_EQUAL(0, load());
	out_length = 0;
	redact(STREAM_ERR, (const uint8_t *)"correct horsecorr", 17, append, NULL);
	build(2, later, names);
	int file = memfd_create("table", MFD_CLOEXEC);
	CHECK(write(file, table_bytes, head()->size) == (ssize_t)head()->size);
	CHECK_EQUAL(0, take_redaction(file));
	close(file);
	file = memfd_create("table", MFD_CLOEXEC);
	CHECK_EQUAL(-EINVAL, take_redaction(file));
	close(file);
	redact(STREAM_ERR, (const uint8_t *)"ect horse, battery staple, ababababc", 36, append, NULL);
	end_redaction(STREAM_ERR, append, NULL);
	CHECK_TEXT("[one][one], [two], ababababc", out);
	CHECK_EQUAL(1, mapped_tables());
}

/* A table that is not as it must be is refused, or searched without harm. */
static void a_damaged_table_does_no_harm(void)
{
	unsigned refused = 0;
	for (unsigned seed = 1; seed < 4000; seed++) {
		build(4, two, names);
		uint32_t size = head()->size;
		srandom(seed);
		for (unsigned i = 0; i < 1 + seed % 3; i++) {
			size_t at = (size_t)random() % (sizeof *head() + 8 * 12);
			at = at < sizeof *head() ? at : at + 1024 + 64 - 32;
			table_bytes[at] = (uint8_t)random();
		}
		uint32_t claimed = head()->size;
		head()->size = size; /* what is written */
		int file = memfd_create("table", MFD_CLOEXEC);
		CHECK(write(file, table_bytes, size) == (ssize_t)size);
		CHECK(pwrite(file, &claimed, 4, 4) == 4);
		redaction = (struct redaction){0};
		int error = take_redaction(file);
		close(file);
		refused += error != 0;
		if (error == 0) {
			redacted("a correct horse -----BEGIN ababababc", 5, seed);
			munmap((void *)(uintptr_t)redaction.bytes, redaction.table->size);
		}
		redaction = (struct redaction){0};
	}
	CHECK(refused > 1000);
}

/* Each part of a table lies in it, and every number is one of what there is. */
static void a_table_with_a_part_elsewhere_is_refused(void)
{
	for (unsigned which = 0; which <= 13; which++) {
		build(2, two, names);
		struct redaction_word *word = (struct redaction_word *)(patterns() + 2);
		struct redaction_pattern *first = &patterns()[0], *second = &patterns()[1];
		switch (which) {
		case 1:
			head()->magic++;
			break;
		case 2:
			head()->filter_bits = 5;
			break;
		case 3:
			head()->bucket_bits = LEAST_BITS - 1;
			break;
		case 4:
			head()->bucket_bits = MOST_BITS + 1;
			break;
		case 5:
			head()->patterns = MOST_PATTERNS + 1;
			break;
		case 6:
			head()->words = MOST_PATTERNS + 1;
			break;
		case 7:
			buckets()[3] = 2;
			break;
		case 8:
			first->at = head()->size - 3;
			break;
		case 9:
			first->length = HEAD - 1;
			break;
		case 10:
			second->word = 2;
			break;
		case 11:
			second->next = 1;
			break;
		case 12:
			word[0].at = head()->size + 1;
			break;
		case 13:
			word[1].length = REDACTION_WORD + 1;
			break;
		default:
			break;
		}
		CHECK_EQUAL(which == 0 ? 0 : -EBADMSG, load());
	}
}

/* The limits themselves are taken. */
static void a_table_at_its_limits_is_taken(void)
{
	for (unsigned which = 0; which < 4; which++) {
		build(2, two, names);
		struct redaction_word *word = (struct redaction_word *)(patterns() + 2);
		switch (which) {
		case 0:
			patterns()[0].at = head()->size - patterns()[0].length;
			break;
		case 1:
			patterns()[0].length = HEAD;
			break;
		case 2:
			word[0].at = head()->size, word[0].length = 0;
			break;
		default:
			word[1].at = 0, word[1].length = REDACTION_WORD;
		}
		CHECK_EQUAL(0, load());
	}
	build(2, two, names);
	patterns()[0].at = head()->size - patterns()[0].length + 1;
	CHECK_EQUAL(-EBADMSG, load());
}

/* mlock(2) does nothing under AddressSanitizer. */
static void a_child_does_not_have_the_table(void)
{
	char line[256], start[32];
	bool at = false, inherited = true;
	build(2, two, names);
	CHECK_EQUAL(0, load());
	snprintf(start, sizeof start, "%lx-", (unsigned long)(uintptr_t)redaction.bytes);
	FILE *maps = fopen("/proc/self/smaps", "re");
	while (maps && fgets(line, sizeof line, maps)) {
		if (strstr(line, "VmFlags:") && at) {
			inherited = strstr(line, " dc") == NULL;
			break;
		}
		at = at || strncmp(line, start, strlen(start)) == 0;
	}
	fclose(maps);
	CHECK(at && !inherited);
}

static void a_table_that_cannot_be_read_is_refused(void)
{
	char path[64];
	build(4, two, names);
	CHECK_EQUAL(0, load());
	int file = memfd_create("table", MFD_CLOEXEC);
	CHECK(write(file, table_bytes, head()->size) == (ssize_t)head()->size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	int writable = open(path, O_WRONLY | O_CLOEXEC);
	CHECK_EQUAL(-EACCES, take_redaction(writable));
	close(file), close(writable);
	CHECK_TEXT("a [one] b", redacted("a correct horse b", 0, 1)); /* the one before stays */
}

static void drop(void *context, const uint8_t *bytes, size_t length)
{
	*(size_t *)context += length + bytes[0] % 2;
}

static double seconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Prints the speed for lines of a log, and beside it that of a copy. Not for the build with sanitizers. */
static int measure(void)
{
	static uint8_t text[READ_SIZE], copy[READ_SIZE];
	enum { TIMES = 8000 };
	build(4, two, names);
	if (load() != 0)
		return 1;
	for (size_t at = 0; at + 80 < sizeof text; at += 80)
		snprintf((char *)text + at, 81, "%-79s\n", "2026-01-31 INFO a request of the client was answered in 12 ms, with 4096 bytes");
	size_t passed = 0;
	double begun = seconds();
	for (unsigned i = 0; i < TIMES; i++) {
		memcpy(copy, text, sizeof copy);
		__asm__ volatile("" : : "r"(copy) : "memory");
	}
	double copied = seconds() - begun;
	begun = seconds();
	for (unsigned i = 0; i < TIMES; i++)
		redact(STREAM_OUT, text, sizeof text, drop, &passed);
	double redacted_in = seconds() - begun, megabytes = (double)TIMES * sizeof text / 1e6;
	printf("monitor: %.0f MB/s, a copy %.0f MB/s, ratio 1:%.1f\n", megabytes / redacted_in, megabytes / copied, redacted_in / copied);
	return passed == 0;
}

int main(int arguments, char **argument)
{
	if (arguments == 2 && strcmp(argument[1], "speed") == 0)
		return measure();
	static const struct test tests[] = {
		{"values", values_are_replaced},
		{"waiting", what_cannot_be_one_waits_for_nothing},
		{"bytes", bytes_that_begin_no_value_go_on_at_once},
		{"parts", parts_of_any_size_give_the_same},
		{"another", another_table_takes_its_place},
		{"elsewhere", a_table_with_a_part_elsewhere_is_refused},
		{"limits", a_table_at_its_limits_is_taken},
		{"memory", a_child_does_not_have_the_table},
		{"damage", a_damaged_table_does_no_harm},
		{"unreadable", a_table_that_cannot_be_read_is_refused},
	};
	unsigned passed = 0, failed = 0;
	run_tests(tests, sizeof tests / sizeof *tests, NULL, &passed, &failed);
	printf("redaction: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
