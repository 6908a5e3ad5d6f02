/* The last step of a file service: it answers its socket until the engine or the container is gone. */
#include "files_parts.h"
#include "init.h"
#include "kernel.h"
#include "messages.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

enum { FIRST_OWN = 192 }; /* above every descriptor of a plan's slots */

/* ---- what is looked at and read ---- */

static void tell_stat(struct told *told, const struct stat *stat)
{
	struct files_stat wire = files_stat_of(stat);
	memcpy(told->payload, &wire, sizeof wire);
	told->length = sizeof wire;
}

static int look(struct files *files, const struct asked *asked, struct told *told)
{
	struct stat stat;
	int fd = files_look(files, asked->path, asked->head.flags, &stat), error = 0;
	if (fd < 0)
		return fd;
	tell_stat(told, &stat);
	if (S_ISLNK(stat.st_mode)) {
		ssize_t length = readlinkat(fd, "", (char *)told->payload + told->length, FILES_MAX_PATH);
		error = length < 0 ? -errno : 0;
		told->length += length < 0 ? 0 : (uint32_t)length;
	}
	close(fd);
	return error;
}

static int open_to_read(struct files *files, const struct asked *asked, struct told *told)
{
	struct stat stat;
	int fd = files_look(files, asked->path, asked->head.flags, &stat), error = 0;
	if (fd < 0)
		return fd;
	if (!S_ISREG(stat.st_mode))
		error = S_ISDIR(stat.st_mode) ? -EISDIR : S_ISLNK(stat.st_mode) ? -ELOOP : -ENXIO;
	int opened = error < 0 ? error : files_reopen(files, fd, O_RDONLY);
	close(fd);
	if (opened < 0)
		return opened;
	tell_stat(told, &stat);
	told->fd = opened;
	return 0;
}

/* ---- requests ---- */

static files_action *const actions[FILES_OPS] = {
	[FILES_STAT] = look,	      [FILES_READ] = open_to_read,   [FILES_CREATE] = files_create, [FILES_WRITE] = files_write,
	[FILES_COMMIT] = files_commit, [FILES_CLOSE] = files_close,   [FILES_LIST] = files_list,     [FILES_NEXT] = files_next,
	[FILES_MKDIR] = files_mkdir,   [FILES_SYMLINK] = files_symlink, [FILES_LINK] = files_link,   [FILES_RENAME] = files_rename,
	[FILES_REMOVE] = files_remove, [FILES_SET] = files_set,	      [FILES_WATCH] = files_watch,   [FILES_BUFFER] = files_buffer,
};

static bool other_is_path(uint16_t op) { return op == FILES_LINK || op == FILES_RENAME; }

/* False for what no asker of ours sends. */
static bool take(const uint8_t *message, size_t length, struct asked *asked)
{
	if (length < sizeof asked->head)
		return false;
	memcpy(&asked->head, message, sizeof asked->head);
	const struct files_request *head = &asked->head;
	if (head->magic != FILES_MAGIC || head->op >= FILES_OPS || !actions[head->op] || head->flags & ~FILES_FLAGS)
		return false;
	if (head->path > FILES_MAX_PATH || head->other > FILES_MAX_PATH || head->nanos >= 1000000000)
		return false;
	if (length != sizeof *head + head->path + head->other)
		return false;
	memcpy(asked->path, message + sizeof *head, head->path);
	memcpy(asked->other, message + sizeof *head + head->path, head->other);
	asked->path[head->path] = asked->other[head->other] = 0;
	if (memchr(asked->other, 0, head->other) || !files_valid_path(asked->path, head->path))
		return false;
	return !other_is_path(head->op) || files_valid_path(asked->other, head->other);
}

/* Ends the process at the end of its socket, when whoever asks is gone. */
static void serve(struct files *files, int socket)
{
	static uint8_t message[FILES_MAX_MESSAGE];
	static struct asked asked;
	static struct {
		struct files_reply head;
		uint8_t payload[FILES_MAX_MESSAGE];
	} __attribute__((packed)) out;
	static struct told told;
	struct fds fds = {.fd = &asked.fd, .most = 1};
	ssize_t length = receive_message(socket, message, sizeof message, &fds);
	if (length <= 0) {
		files_discard_all(files);
		_exit(0);
	}
	if (fds.count == 0)
		asked.fd = -1;
	if (!take(message, (size_t)length, &asked))
		_exit(EXIT_REFUSED);
	told.head = (struct files_reply){.magic = FILES_MAGIC, .sequence = asked.head.sequence};
	told.length = 0;
	told.fd = -1;
	told.head.status = actions[asked.head.op](files, &asked, &told);
	out.head = told.head;
	uint32_t size = told.head.status == 0 ? told.length : 0;
	memcpy(out.payload, told.payload, size);
	if (send_message(socket, &out, sizeof out.head + size, told.fd) < 0) {
		files_discard_all(files);
		_exit(0);
	}
	close_fd(&told.fd);
	close_fd(&asked.fd);
}

/* ---- its start ---- */

static int keep(int fd) { return fd < 0 ? fd : result(fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OWN)); }

static _Noreturn void work(struct files *files, int socket, int life)
{
	struct pollfd watched[2] = {{.fd = socket, .events = POLLIN}, {.fd = life, .events = POLLIN}};
	for (;;) {
		if (ppoll(watched, 2, NULL, NULL) < 0)
			continue;
		if (watched[1].revents != 0) { /* the container has ended */
			files_discard_all(files);
			_exit(0);
		}
		if (watched[0].revents != 0)
			serve(files, socket);
	}
}

/* The directory that is served; it is the root of every path, and of every link that is followed. */
static int served(struct reader *payload)
{
	char path[PATH_SIZE];
	read_text(payload, path);
	int top = result(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (top < 0 || *path == 0)
		return top;
	int root = open_in(top, path, O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	close(top);
	return root;
}

int serve_files(struct init *init, struct reader *payload)
{
	static struct files files;
	uint16_t slot = read_u16(payload);
	for (unsigned i = 0; i < FILES_MAX_HANDLES; i++)
		files.handle[i].fd = files.handle[i].parent = -1;
	int root = served(payload);
	if (root < 0)
		return root;
	int socket = keep(init->slot[SLOT_CONTROL]), life = slot == PLAN_NO_SLOT ? -1 : keep(init->slot[slot]);
	files.self = keep(init->self);
	files.root = keep(root);
	if (socket < 0 || files.self < 0 || files.root < 0 || (slot != PLAN_NO_SLOT && life < 0))
		return -EMFILE;
	int most = files.root > files.self ? files.root : files.self;
	most = most > socket ? most : socket;
	most = most > life ? most : life;
	int error = close_from(3, FIRST_OWN - 1);
	if (error == 0)
		error = close_from((unsigned)most + 1, ~0U);
	init->slot[SLOT_CONTROL] = socket;
	if (error == 0 && (fchdir(files.root) < 0 || signal(SIGXFSZ, SIG_IGN) == SIG_ERR || signal(SIGPIPE, SIG_IGN) == SIG_ERR))
		error = -errno;
	if (error == 0) /* it ends with its socket, and removes first what is not complete */
		error = result(prctl(PR_SET_PDEATHSIG, 0));
	if (error == 0)
		error = files_confine();
	if (error < 0)
		return error;
	struct report message = {.magic = PLAN_MAGIC, .kind = REPORT_READY, .phase = PHASE_FILTER, .step = init->step};
	error = report(init, &message, -1);
	if (error < 0 || wait_for_word(init) != CONTROL_START)
		_exit(EXIT_REFUSED);
	work(&files, socket, life);
}
