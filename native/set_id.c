/*
 * Set-user-ID and set-group-ID programs that a container executes without effect, because of no_new_privs. The kernel reports executions on
 * watched mounts in a queue, fanotify(7), and holds nobody up for it; a program that is executed again and again is left out from then on.
 */
#include "kernel.h"
#include "zygote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#ifndef FAN_MARK_EVICTABLE
#define FAN_MARK_EVICTABLE 0x200
#endif
#ifndef FAN_OPEN_EXEC
#define FAN_OPEN_EXEC 0x1000
#endif

enum { OVERLAY = 0x794c7630, REMEMBERED = 64, STATUS_SIZE = 4096 };

static struct {
	dev_t device;
	ino_t inode;
} seen[REMEMBERED];
static unsigned next_seen;

/* O_NONBLOCK: a lease on a file must not hold up who reads the queue. */
int open_queue(void)
{
	return result(syscall(SYS_fanotify_init, FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

/* Only overlays: they have the container's programs, and opening a file of a volume could wait for its server. */
int watch_mount(int queue, int mount)
{
	struct statfs space;
	if (fstatfs(mount, &space) < 0)
		return -errno;
	if ((unsigned long)space.f_type != OVERLAY)
		return 0;
	return result(syscall(SYS_fanotify_mark, queue, FAN_MARK_ADD | FAN_MARK_MOUNT, (uint64_t)FAN_OPEN_EXEC, mount, "."));
}

/* Harmless if it fails: the file is looked at again. */
static void leave_out(int queue, int file)
{
	syscall(SYS_fanotify_mark, queue, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_EVICTABLE, (uint64_t)FAN_OPEN_EXEC, file, NULL);
}

static bool is_repeated(const struct stat *file)
{
	for (unsigned i = 0; i < REMEMBERED; i++)
		if (seen[i].device == file->st_dev && seen[i].inode == file->st_ino)
			return true;
	seen[next_seen].device = file->st_dev;
	seen[next_seen].inode = file->st_ino;
	next_seen = (next_seen + 1) % REMEMBERED;
	return false;
}

/* The second number of a line: the effective id. */
static bool has_other_id(const char *status, const char *line, uint32_t id)
{
	const char *at = strstr(status, line);
	char *end;
	if (!at)
		return false;
	strtoul(at + strlen(line), &end, 10);
	return strtoul(end, NULL, 10) != id;
}

/* 1 or 0; -ESRCH if the process has ended. */
static int is_void(int pid, const struct stat *file)
{
	char path[32], status[STATUS_SIZE];
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, status, sizeof status - 1);
	close_fd(&fd);
	if (length <= 0)
		return -ESRCH;
	status[length] = 0;
	bool user = file->st_mode & S_ISUID && has_other_id(status, "\nUid:", file->st_uid);
	bool group = (file->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && has_other_id(status, "\nGid:", file->st_gid);
	return strstr(status, "\nNoNewPrivs:\t1\n") && (user || group);
}

/* As the container sees it; of a long one the end. */
static void read_name(int file, char name[LOOK_NAME])
{
	char link[32], path[4096];
	snprintf(link, sizeof link, "/proc/self/fd/%d", file);
	ssize_t length = readlink(link, path, sizeof path);
	size_t used = length < 0 ? 0 : (size_t)length;
	size_t skipped = used < LOOK_NAME ? 0 : used - LOOK_NAME + 1;
	memcpy(name, path + skipped, used - skipped);
	name[used - skipped] = 0;
}

static void look_at(int queue, const struct fanotify_event_metadata *event, bool without_root, struct look_reply *out)
{
	struct stat file;
	if (event->fd < 0 || event->mask & FAN_Q_OVERFLOW || fstat(event->fd, &file) < 0) {
		out->flags |= LOOK_LOST;
		return;
	}
	if (!(file.st_mode & S_ISUID) && (file.st_mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP)) {
		if (is_repeated(&file))
			leave_out(queue, event->fd);
		return;
	}
	int found = is_void(event->pid, &file);
	if (found < 0 && !without_root)
		out->flags |= LOOK_UNSEEN;
	else if (found != 0) {
		read_name(event->fd, out->name);
		leave_out(queue, event->fd);
	}
}

/* Reads one event at a time: after one that is found, the others stay in the queue. */
void look_at_programs(int queue, bool without_root, struct look_reply *out)
{
	while (out->looked < LOOK_MOST && out->name[0] == 0) {
		struct fanotify_event_metadata event;
		ssize_t length = read(queue, &event, sizeof event);
		if (length < 0 && errno == EAGAIN)
			return;
		out->looked++;
		if (length < (ssize_t)sizeof event) { /* its file could not be opened, and the event is gone */
			out->flags |= LOOK_LOST;
			continue;
		}
		int fd = event.fd;
		look_at(queue, &event, without_root, out);
		close_fd(&fd);
	}
}
