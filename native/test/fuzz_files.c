/*
 * Feeds requests that are nearly right to the file service, over a tree with links that lead out of it. With
 * AddressSanitizer a length that is trusted too much ends the run; after each input nothing outside of the tree is changed, no
 * file has set-id bits, no unfinished file is left, and no descriptor is open. fuzz_files SECONDS SEED.
 */
#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void ended(int code);
#define _exit(code) ended(code)
#include "../files.c" /* for what is static in there */
#undef _exit

enum { BUFFER = 8192 };

static jmp_buf gone;
static char parent[] = "/dev/shm/caisson-fuzz-XXXXXX";
static uint64_t state;
static unsigned succeeded[FILES_OPS];

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "not so: %s\n", what);
		abort();
	}
}

static void ended(int code)
{
	(void)code;
	longjmp(gone, 1);
}

/* ---- what the service's other parts would do ---- */

int files_confine(void) { return 0; }
int report(const struct init *init, const struct report *message, int fd) { (void)init, (void)message, (void)fd; return 0; }
int wait_for_word(const struct init *init) { (void)init; return -ECANCELED; }
void read_text(struct reader *reader, char text[PATH_SIZE]) { (void)reader, text[0] = 0; }

/* ---- the tree ---- */

static int make_file(const char *name, const char *content)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content), "a file of the tree is made");
	return close(fd);
}

static void make_tree(void)
{
	must(chdir(parent) == 0 && mkdir("root", 0755) == 0 && chdir("root") == 0, "the tree is made");
	must(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0 && mkfifo("pipe", 0644) == 0, "directories are made");
	make_file("a/f", "content");
	make_file("f", "x");
	must(symlink("../canary", "out") == 0 && symlink("a", "in") == 0 && symlink("/canary", "abs") == 0, "links are made");
	must(symlink("../../../../../../../dev/shm", "a/up") == 0 && symlink("loop", "loop") == 0, "more links are made");
}

static int check_entry(const char *path, const struct stat *stat, int kind, struct FTW *where)
{
	(void)kind;
	must((stat->st_mode & 06000) == 0 || S_ISDIR(stat->st_mode), "no file has set-id bits");
	bool may_remove = geteuid() == 0; /* whoever is not root may have taken that right from himself */
	must(!may_remove || strncmp(path + where->base, ".caisson-", 9) != 0, "no unfinished file is left");
	return 0;
}

static bool closed;

/* For a user who is not root: a directory that was made unreadable is made readable. */
static int open_up(const char *path, const struct stat *stat, int kind, struct FTW *where)
{
	(void)where;
	closed |= kind == FTW_DNR;
	if (kind == FTW_DNR || (kind == FTW_D && (stat->st_mode & 0700) != 0700))
		must(chmod(path, 0700) == 0, "a directory is opened up");
	return 0;
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *where)
{
	(void)stat, (void)kind, (void)where;
	return remove(path);
}

static void check_canary(void)
{
	char text[8] = "";
	unsigned entries = 0;
	DIR *all = opendir("canary");
	must(all != NULL, "the canary is there");
	while (readdir(all))
		entries++;
	closedir(all);
	int fd = open("canary/bird", O_RDONLY | O_CLOEXEC);
	must(entries == 3 && fd >= 0 && read(fd, text, sizeof text) == 5 && memcmp(text, "sings", 5) == 0, "nothing outside is changed");
	close(fd);
}

static unsigned open_descriptors(void)
{
	unsigned count = 0;
	DIR *all = opendir("/proc/self/fd");
	while (all && readdir(all))
		count++;
	closedir(all);
	return count;
}

/* ---- requests ---- */

static uint32_t pick(uint32_t below)
{
	state ^= state << 13, state ^= state >> 7, state ^= state << 17;
	return (uint32_t)(state >> 16) % below;
}

/* Most malformed requests end the service: half of the inputs have none. */
static bool well_formed;

static bool now_and_then(uint32_t times) { return !well_formed && pick(times) == 0; }

static const char *pick_path(void)
{
	static char made[FILES_MAX_PATH + 1];
	static const char *const known[] = {"",	   "a",	      "f",	   "a/f",	"a/b",	"a/b/new", "new",     "new/deep/er", "out",
					    "in",  "in/f",    "out/bird", "abs/bird",	"a/up", "a/up/x",  "loop",    "pipe",	     "pipe/x",
					    "out/made"};
	static const char *const bad[] = {"..", "../canary", "a/../f", "/f", "a//f", ".", "a/", "./f"};
	if (now_and_then(20))
		return bad[pick(sizeof bad / sizeof *bad)];
	if (well_formed || pick(20))
		return known[pick(sizeof known / sizeof *known)];
	uint32_t length = pick(2) ? pick(300) : pick(sizeof made);
	for (uint32_t i = 0; i < length; i++)
		made[i] = "ab/./\n\xff"[pick(7)];
	made[length] = 0;
	return made;
}

static size_t make_request(uint8_t *at, uint32_t sequence)
{
	const char *path = pick_path();
	struct files_request head = {.magic = now_and_then(50) ? pick(9) : FILES_MAGIC, .sequence = sequence};
	head.op = (uint16_t)(1 + pick(now_and_then(50) ? FILES_OPS + 3 : FILES_OPS - 1));
	uint32_t size = (uint32_t)strlen(path);
	memcpy(at + sizeof head, path, size);
	head.path = (uint16_t)(now_and_then(60) ? pick(65536) : size);
	path = pick_path();
	head.other = (uint16_t)(head.op == FILES_SYMLINK || head.op == FILES_LINK || head.op == FILES_RENAME || now_and_then(30) ? strlen(path) : 0);
	memcpy(at + sizeof head + size, path, head.other);
	size += head.other;
	for (unsigned bits = pick(4); bits > 0; bits--)
		head.flags |= (uint16_t)(1u << pick(now_and_then(10) ? 16 : 10));
	head.mode = pick(2) ? 0644 : pick(1u << 16);
	head.uid = pick(3), head.gid = pick(3);
	head.handle = pick(30) ? pick(3) : pick(100);
	head.offset = pick(10) ? 0 : pick(BUFFER * 2);
	head.length = head.op == FILES_BUFFER && pick(9) ? BUFFER : pick(10) ? pick(BUFFER) : (uint64_t)pick(UINT32_MAX) << pick(33);
	head.seconds = pick(1000), head.nanos = now_and_then(60) ? pick(UINT32_MAX) : pick(1000000000);
	memcpy(at, &head, sizeof head);
	return sizeof head + size - (now_and_then(60) ? pick(20) : 0);
}

static void check_reply(int socket, const struct files_request *head)
{
	static uint8_t message[sizeof(struct files_reply) + FILES_MAX_MESSAGE + 1];
	struct files_reply reply;
	int fd = -1;
	struct fds fds = {.fd = &fd, .most = 1};
	ssize_t length = receive_message(socket, message, sizeof message, &fds);
	must(length >= (ssize_t)sizeof reply && length <= (ssize_t)(sizeof reply + FILES_MAX_MESSAGE), "a reply has a length");
	memcpy(&reply, message, sizeof reply);
	must(reply.magic == FILES_MAGIC && reply.sequence == head->sequence, "a reply belongs to its request");
	must(reply.status <= 0 && reply.status > -4096, "a status is an error number");
	must(reply.status == 0 || (length == sizeof reply && fds.count == 0), "an error has nothing with it");
	if (fds.count) {
		must(head->op == FILES_READ || head->op == FILES_WATCH, "few requests give a descriptor");
		must(head->op == FILES_WATCH || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY, "what is read cannot be written");
		close(fd);
	}
	if (reply.status == 0)
		succeeded[head->op]++;
}

static void exchange(struct files *files, const int sockets[2], int buffer, uint32_t sequence)
{
	static uint8_t message[sizeof(struct files_request) + 2 * FILES_MAX_PATH + 2];
	struct files_request head;
	size_t length = make_request(message, sequence);
	memcpy(&head, message, sizeof head);
	bool given = head.op == FILES_BUFFER ? pick(9) != 0 : pick(40) == 0;
	must(send_message(sockets[0], message, length, given ? buffer : -1) == 0, "a request is sent");
	serve(files, sockets[1]);
	check_reply(sockets[0], &head);
}

static void run_input(void)
{
	static struct files files;
	int sockets[2];
	well_formed = pick(2);
	make_tree();
	unsigned before = open_descriptors();
	files = (struct files){.root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), .self = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC)};
	for (unsigned i = 0; i < FILES_MAX_HANDLES; i++)
		files.handle[i].fd = files.handle[i].parent = -1;
	int buffer = memfd_create("fuzz", MFD_CLOEXEC);
	must(buffer >= 0 && ftruncate(buffer, BUFFER) == 0, "a buffer is made");
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0, "sockets are made");
	bool malformed = setjmp(gone) != 0;
	for (uint32_t i = 0; !malformed && i < 60; i++)
		exchange(&files, sockets, buffer, i);
	files_discard_all(&files);
	for (unsigned i = 0; i < FILES_MAX_HANDLES; i++)
		close_fd(&files.handle[i].fd), close_fd(&files.handle[i].parent);
	if (files.buffer)
		munmap(files.buffer, files.buffer_size);
	close(sockets[0]), close(sockets[1]), close(buffer), close(files.root), close(files.self);
	must(chdir(parent) == 0, "the parent is there");
	must(malformed || open_descriptors() == before, "no descriptor is left");
	check_canary();
	do {
		closed = false;
		nftw("root", open_up, 16, FTW_PHYS);
	} while (closed);
	nftw("root", check_entry, 16, FTW_PHYS);
	nftw("root", remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

int main(int argc, char **argv)
{
	unsigned inputs = 0, tried = 0;
	if (argc != 3 || !mkdtemp(parent) || chdir(parent) < 0 || mkdir("canary", 0755) < 0)
		return 2;
	umask(0);
	make_file("canary/bird", "sings");
	state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
	for (time_t end = time(NULL) + atoi(argv[1]); time(NULL) < end; inputs++)
		run_input();
	must(chdir("/") == 0, "the root is there");
	nftw(parent, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	for (unsigned op = 1; op < FILES_OPS; op++)
		tried += succeeded[op] > 0;
	printf("files: %u inputs of seed %s, %u of %u operations succeeded\n", inputs, argv[2], tried, FILES_OPS - 1);
	return inputs > 30 && tried == FILES_OPS - 1 ? 0 : 1;
}
