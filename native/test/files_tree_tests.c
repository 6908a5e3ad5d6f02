/* The file service: directories, links, and what is set, removed and watched. */
#include "service.h"
#include "../kernel.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

static int make_directory(uint16_t flags, uint32_t mode, const char *path)
{
	return ask_files((struct files_request){.op = FILES_MKDIR, .flags = flags, .mode = mode, .uid = 3, .gid = 4}, path, NULL);
}

static int ask_two(uint16_t op, uint16_t flags, const char *path, const char *other)
{
	return ask_files((struct files_request){.op = op, .flags = flags, .uid = 3, .gid = 4}, path, other);
}

static int remove_tree(uint64_t most, const char *path)
{
	return ask_files((struct files_request){.op = FILES_REMOVE, .flags = FILES_RECURSIVE, .length = most}, path, NULL);
}

/* ---- lists ---- */

/* Of a directory whose names are numbers: adds up their names and sizes. */
static uint32_t last_mode; /* of what was listed */

static unsigned list_all(const char *path, unsigned *names, uint64_t *sizes)
{
	unsigned count = 0;
	CHECK_EQUAL(0, ask_path(FILES_LIST, 0, path));
	uint32_t handle = answer.handle;
	for (*names = 0, *sizes = 0;;) {
		CHECK_EQUAL(0, ask_files((struct files_request){.op = FILES_NEXT, .handle = handle}, "", NULL));
		const uint8_t *at = payload;
		for (uint64_t i = 0; i < answer.value; i++) {
			uint16_t length;
			struct files_stat stat;
			char name[256];
			memcpy(&length, at, sizeof length), at += sizeof length;
			memcpy(&stat, at, sizeof stat), at += sizeof stat;
			memcpy(name, at, length), at += length;
			name[length] = 0;
			*names += (unsigned)strtoul(name, NULL, 10), *sizes += stat.size, count++;
			last_mode = stat.mode;
		}
		CHECK_EQUAL(payload_length, at - payload);
		if (answer.value == 0)
			break;
	}
	CHECK_EQUAL(0, ask_files((struct files_request){.op = FILES_CLOSE, .handle = handle}, "", NULL));
	return count;
}

static void a_list_has_every_entry_once(void)
{
	unsigned names;
	uint64_t sizes;
	begin_files("mkdir d e k; ln -s ../f k/7; i=1; while [ $i -le 200 ]; do echo x >d/$i; i=$((i+1)); done; ln -s d l; echo >f", 0);
	CHECK_EQUAL(200, list_all("tmp/d", &names, &sizes));
	CHECK(names == 200 * 201 / 2 && sizes == 400);
	CHECK_EQUAL(0, list_all("tmp/e", &names, &sizes));
	CHECK_EQUAL(1, list_all("tmp/k", &names, &sizes));
	CHECK(names == 7 && S_ISLNK(last_mode)); /* a link is listed as one */
	CHECK(list_all("", &names, &sizes) > 5);
	CHECK_EQUAL(-ELOOP, ask_path(FILES_LIST, 0, "tmp/l"));
	CHECK_EQUAL(0, ask_path(FILES_LIST, FILES_FOLLOW, "tmp/l"));
	CHECK_EQUAL(0, ask_files((struct files_request){.op = FILES_CLOSE, .handle = answer.handle}, "", NULL));
	CHECK_EQUAL(-ENOTDIR, ask_path(FILES_LIST, 0, "tmp/f"));
	CHECK_EQUAL(-ENOENT, ask_path(FILES_LIST, 0, "tmp/none"));
	CHECK_EQUAL(-EBADF, ask_files((struct files_request){.op = FILES_NEXT, .handle = 9}, "", NULL));
	CHECK_EQUAL(-ENXIO, ask_path(FILES_LIST, FILES_DATA, "proc")); /* made up by the kernel: none of the container's data */
	CHECK_EQUAL(-ENOTDIR, ask_path(FILES_LIST, FILES_DATA, "tmp/f"));
	CHECK_EQUAL(0, ask_path(FILES_LIST, FILES_DATA, "tmp"));
	CHECK_EQUAL(0, ask_files((struct files_request){.op = FILES_CLOSE, .handle = answer.handle}, "", NULL));
	end_files();
}

/* ---- what is made ---- */

static void directories_are_made_with_what_is_above_them(void)
{
	begin_files("umask 0; mkdir real; ln -s real link; echo >file; mkdir -m 700 there", 0);
	CHECK_EQUAL(0, make_directory(0, 06750, "tmp/a"));
	CHECK_EQUAL(-EEXIST, make_directory(0, 0750, "tmp/a"));
	CHECK_EQUAL(-EEXIST, make_directory(0, 0750, ""));
	CHECK_EQUAL(-ENOENT, make_directory(0, 0750, "tmp/b/c"));
	CHECK_EQUAL(0, make_directory(FILES_PARENTS, 0, ""));
	CHECK_EQUAL(0, make_directory(FILES_PARENTS | FILES_OWNER, 0711, "tmp/there/b/c"));
	CHECK_EQUAL(0, make_directory(FILES_PARENTS | FILES_OWNER, 0700, "tmp/there/b/c"));
	CHECK_EQUAL(-ENOTDIR, make_directory(FILES_PARENTS, 0700, "tmp/file/c"));
	CHECK_EQUAL(-ENOTDIR, make_directory(FILES_PARENTS, 0700, "tmp/file"));
	CHECK_EQUAL(-ELOOP, make_directory(FILES_PARENTS, 0700, "tmp/link/c"));
	CHECK_EQUAL(-ELOOP, make_directory(0, 0700, "tmp/link/c"));
	CHECK_EQUAL(0, make_directory(FILES_PARENTS | FILES_FOLLOW_ABOVE, 0700, "tmp/link/c/d"));
	CHECK_TEXT("750 0 0\n700 0 0\n711 3 4\n711 3 4\n700 0 0\n", in_box("stat -c '%a %u %g' a there there/b there/b/c real/c/d"));
	end_files();
}

static void links_are_made_and_replaced(void)
{
	begin_files("echo one >one; echo two >two; mkdir d; ln -s one s", 0);
	CHECK_EQUAL(0, ask_two(FILES_SYMLINK, FILES_OWNER, "tmp/a", "../any//thing"));
	CHECK_TEXT("../any//thing 3 4\n", in_box("echo $(readlink a) $(stat -c '%u %g' a)"));
	CHECK_EQUAL(-EEXIST, ask_two(FILES_SYMLINK, 0, "tmp/a", "b"));
	CHECK_EQUAL(0, ask_two(FILES_SYMLINK, FILES_REPLACE, "tmp/a", "b"));
	CHECK_TEXT("b 0 0\n", in_box("echo $(readlink a) $(stat -c '%u %g' a)"));
	CHECK_EQUAL(-EISDIR, ask_two(FILES_SYMLINK, FILES_REPLACE, "tmp/d", "b"));
	CHECK_EQUAL(-EISDIR, ask_two(FILES_SYMLINK, 0, "", "b"));
	CHECK_EQUAL(0, ask_two(FILES_LINK, 0, "tmp/hard", "tmp/one"));
	CHECK_EQUAL(2, stat_of("tmp/one").links);
	CHECK_EQUAL(-EEXIST, ask_two(FILES_LINK, 0, "tmp/two", "tmp/one"));
	CHECK_EQUAL(0, ask_two(FILES_LINK, FILES_REPLACE, "tmp/two", "tmp/one"));
	CHECK_TEXT("one\n", in_box("cat two"));
	CHECK_EQUAL(0, ask_two(FILES_LINK, 0, "tmp/of-link", "tmp/s"));
	CHECK_EQUAL(S_IFLNK, stat_of("tmp/of-link").mode & S_IFMT);
	CHECK_EQUAL(-ENOENT, ask_two(FILES_LINK, 0, "tmp/x", "tmp/none"));
	CHECK_EQUAL(-ENOENT, ask_two(FILES_LINK, 0, "tmp/none/x", "tmp/one"));
	CHECK_EQUAL(-ENOENT, ask_two(FILES_LINK, 0, "tmp/x", "none/one"));
	end_files();
}

static void names_are_changed(void)
{
	begin_files("echo one >one; echo two >two; mkdir d", 0);
	CHECK_EQUAL(-EEXIST, ask_two(FILES_RENAME, FILES_NEW, "tmp/one", "tmp/two"));
	CHECK_EQUAL(0, ask_two(FILES_RENAME, FILES_NEW, "tmp/one", "tmp/d/three"));
	CHECK_EQUAL(0, ask_two(FILES_RENAME, 0, "tmp/d/three", "tmp/two"));
	CHECK_TEXT("one\nd\ntwo\n", in_box("cat two; ls"));
	CHECK_EQUAL(-ENOENT, ask_two(FILES_RENAME, 0, "tmp/none", "tmp/x"));
	CHECK_EQUAL(-EISDIR, ask_two(FILES_RENAME, 0, "", "tmp/x"));
	end_files();
}

/* ---- what is removed ---- */

static void one_is_removed_or_a_whole_tree(void)
{
	begin_files("mkdir -p d/e/f g; echo >d/one; echo >d/e/two; ln -s ../g d/link; echo >g/kept; echo >file; echo >/dev/shm/kept", 0);
	CHECK_EQUAL(0, ask_path(FILES_REMOVE, 0, "tmp/file"));
	CHECK_EQUAL(-ENOENT, ask_path(FILES_REMOVE, 0, "tmp/file"));
	CHECK_EQUAL(-ENOENT, remove_tree(10, "tmp/file"));
	CHECK_EQUAL(-ENOTEMPTY, ask_path(FILES_REMOVE, 0, "tmp/d"));
	CHECK_EQUAL(0, ask_path(FILES_REMOVE, 0, "tmp/d/e/f"));
	CHECK_EQUAL(-EBUSY, ask_path(FILES_REMOVE, 0, ""));
	CHECK_EQUAL(-E2BIG, remove_tree(4, "tmp/d"));
	in_box("mkdir -p d/e; echo >d/one; echo >d/e/two; ln -sf ../g d/link");
	CHECK_EQUAL(0, remove_tree(5, "tmp/d"));
	CHECK_EQUAL(5, answer.value);
	CHECK_TEXT("kept\n", in_box("test -e d && echo d; ls g")); /* a link is removed, not followed */
	CHECK_EQUAL(-EBUSY, remove_tree(100, "dev/shm"));
	CHECK_TEXT("kept\n", in_box("ls /dev/shm")); /* another mount */
	CHECK_EQUAL(0, remove_tree(100, "tmp/g/kept"));
	CHECK_EQUAL(1, answer.value);
	end_files();
}

static void a_tree_that_is_too_deep_is_not_removed(void)
{
	begin_files("mkdir a b; (cd a; i=0; while [ $i -lt 101 ]; do mkdir x; cd x; i=$((i+1)); done); "
		    "(cd b; i=0; while [ $i -lt 100 ]; do mkdir x; cd x; i=$((i+1)); done)", 0);
	CHECK_EQUAL(-E2BIG, remove_tree(1000, "tmp/a"));
	CHECK_EQUAL(-E2BIG, remove_tree(1000, "tmp/b"));
	in_box("cd b; i=0; while [ $i -lt 99 ]; do cd x; i=$((i+1)); done; rmdir x; cd /tmp");
	CHECK_EQUAL(0, remove_tree(1000, "tmp/b"));
	CHECK_EQUAL(100, answer.value);
	CHECK_TEXT("a\n", in_box("ls"));
	end_files();
}

/* ---- what is set ---- */

static void what_is_set_is_set_on_the_file_itself(void)
{
	/* not sticky: hosts may forbid to follow another user's link in a directory that is (fs.protected_symlinks) */
	begin_files("chmod 0755 .; umask 0; echo >f; ln -s f l; mkdir d; touch -d @1000 f", 0);
	struct files_request all = {.op = FILES_SET, .flags = FILES_OWNER | FILES_MODE | FILES_TIME, .mode = 07604, .uid = 9, .gid = 10,
		.seconds = 86400, .nanos = 5};
	CHECK_EQUAL(0, ask_files(all, "tmp/f", NULL));
	struct files_stat stat = stat_of("tmp/f");
	CHECK_EQUAL(S_IFREG | 01604, stat.mode);
	CHECK(stat.uid == 9 && stat.gid == 10 && stat.seconds == 86400 && stat.nanos == 5);
	CHECK_TEXT("1000\n", in_box("stat -c %X f")); /* when it was read stays */
	CHECK_EQUAL(0, ask_files((struct files_request){.op = FILES_SET, .uid = 1, .mode = 0777, .seconds = 1}, "tmp/f", NULL));
	stat = stat_of("tmp/f");
	CHECK(stat.uid == 9 && stat.gid == 10 && stat.seconds == 86400 && stat.mode == (S_IFREG | 01604));
	all.uid = 11;
	CHECK_EQUAL(-ELOOP, ask_files(all, "tmp/l", NULL));
	CHECK_TEXT("11 9\n", in_box("echo $(stat -c %u l f)"));
	all.flags = FILES_OWNER | FILES_TIME, all.seconds = 172800;
	CHECK_EQUAL(0, ask_files(all, "tmp/l", NULL));
	CHECK(stat_of("tmp/l").seconds == 172800);
	CHECK(stat_of("tmp/f").seconds == 86400);
	all.flags |= FILES_FOLLOW;
	CHECK_EQUAL(0, ask_files(all, "tmp/l", NULL));
	CHECK(stat_of("tmp/f").uid == 11);
	CHECK_EQUAL(-ENOENT, ask_files(all, "tmp/none", NULL));
	end_files();
}

/* ---- what is watched ---- */

static void what_is_watched_tells_of_changes(void)
{
	_Alignas(struct inotify_event) char events[1024];
	begin_files("mkdir d; ln -s d l; mkfifo p; echo >f", 0);
	CHECK_EQUAL(0, ask_path(FILES_WATCH, 0, "tmp/d"));
	CHECK(passed >= 0 && read(passed, events, sizeof events) < 0 && errno == EAGAIN);
	in_box("echo >d/new");
	struct pollfd readable = {passed, POLLIN, 0};
	CHECK_EQUAL(1, poll(&readable, 1, 20000));
	CHECK(read(passed, events, sizeof events) > 0);
	const struct inotify_event *event = (const struct inotify_event *)events;
	CHECK(event->mask & IN_CREATE);
	CHECK_TEXT("new", event->name);
	CHECK_EQUAL(0, ask_path(FILES_STAT, 0, "tmp/d")); /* it is back at its root */
	CHECK_EQUAL(0, ask_path(FILES_WATCH, 0, "tmp/f"));
	CHECK_EQUAL(-ELOOP, ask_path(FILES_WATCH, 0, "tmp/l"));
	CHECK_EQUAL(0, ask_path(FILES_WATCH, FILES_FOLLOW, "tmp/l"));
	CHECK_EQUAL(-ENXIO, ask_path(FILES_WATCH, 0, "tmp/p"));
	CHECK_EQUAL(-ENXIO, ask_path(FILES_WATCH, 0, "dev/null"));
	CHECK(passed < 0);
	end_files();
}

/* A directory as well as a file; IN_IGNORED comes behind the last one. */
static void what_is_watched_tells_of_its_own_end(void)
{
	static const struct {
		const char *path, *act;
		uint32_t mask;
	} cases[] = {
		{"tmp/d", "rmdir d", IN_DELETE_SELF}, {"tmp/f", "rm f", IN_DELETE_SELF},
		{"tmp/e", "mv e moved", IN_MOVE_SELF}, {"tmp/g", "mv g moved/g", IN_MOVE_SELF},
	};
	_Alignas(struct inotify_event) char events[1024];
	begin_files("mkdir d e; echo >f; echo >g", 0);
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint32_t seen = 0;
		CHECK_EQUAL(0, ask_path(FILES_WATCH, 0, cases[i].path));
		in_box(cases[i].act);
		struct pollfd readable = {passed, POLLIN, 0};
		while (!(seen & cases[i].mask) && poll(&readable, 1, 5000) == 1) {
			ssize_t length = read(passed, events, sizeof events);
			for (ssize_t at = 0; at < length; at += (ssize_t)sizeof(struct inotify_event) + ((struct inotify_event *)(events + at))->len)
				seen |= ((struct inotify_event *)(events + at))->mask;
		}
		CHECK(seen & cases[i].mask);
	}
	end_files();
}

/* As root of the container's user namespace, where the limit is counted. */
static int allow_no_watches(void)
{
	char path[64];
	int status = 0;
	snprintf(path, sizeof path, "/proc/%d/ns/user", box.pid);
	int space = open(path, O_RDONLY | O_CLOEXEC), pid = fork();
	if (pid == 0) {
		int limit = setns(space, CLONE_NEWUSER) < 0 ? -1 : open("/proc/sys/user/max_inotify_instances", O_WRONLY | O_CLOEXEC);
		_exit(limit >= 0 && write(limit, "0", 1) == 1 ? 0 : 1);
	}
	close(space);
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void a_watch_that_the_kernel_refuses_is_an_error(void)
{
	begin_files("true", 0);
	CHECK_EQUAL(0, allow_no_watches());
	CHECK_EQUAL(-EMFILE, ask_path(FILES_WATCH, 0, "tmp"));
	CHECK(passed < 0);
	end_files();
}

const struct test files_tree_tests[] = {
	{"files: list", a_list_has_every_entry_once},
	{"files: directories", directories_are_made_with_what_is_above_them},
	{"files: links", links_are_made_and_replaced},
	{"files: names", names_are_changed},
	{"files: remove", one_is_removed_or_a_whole_tree},
	{"files: deep", a_tree_that_is_too_deep_is_not_removed},
	{"files: set", what_is_set_is_set_on_the_file_itself},
	{"files: watch", what_is_watched_tells_of_changes},
	{"files: end of what is watched", what_is_watched_tells_of_its_own_end},
	{"files: no watch", a_watch_that_the_kernel_refuses_is_an_error},
};
const unsigned files_tree_test_count = sizeof files_tree_tests / sizeof *files_tree_tests;
