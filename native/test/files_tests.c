/* The file service: its start and end, what it refuses, and files that it reads and writes. */
#include "service.h"
#include "../kernel.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const char some[] = "umask 0; echo text >file; chmod 640 file; chown 5:6 file; mkdir d; echo in >d/f; ln -s file link; ln -s d dlink; "
			   "ln -s /../../etc out; mkfifo pipe; touch -d 2020-01-02 file";

/* ---- start and end ---- */

static bool status_has(const char *line)
{
	static char text[8192];
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/status", service.pid);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = read(file, text, sizeof text - 1);
	close(file);
	text[length > 0 ? length : 0] = 0;
	return strstr(text, line) != NULL;
}

static void a_service_has_few_rights(void)
{
	char path[64];
	begin_files("true", 0);
	CHECK_EQUAL(0, ask_path(FILES_STAT, 0, ""));
	CHECK(status_has("Name:\tcaisson-files\n"));
	CHECK(status_has("Uid:\t1000000\t1000000\t1000000\t1000000\n"));
	CHECK(status_has("CapEff:\t000000000000000b\n"));
	CHECK(status_has("CapBnd:\t000000000000000b\n"));
	CHECK(status_has("NoNewPrivs:\t1\n"));
	CHECK(status_has("Seccomp:\t2\n"));
	CHECK_EQUAL(ITS_DESCRIPTORS, descriptors_of_service());
	snprintf(path, sizeof path, "/proc/%d/cwd", service.pid);
	struct stat root = {0};
	CHECK_EQUAL(0, stat(path, &root));
	CHECK_EQUAL(root.st_ino, stat_of("").inode);
	end_files();
}

static void a_service_ends_with_its_container(void)
{
	struct pollfd ended;
	begin_files("true", 0);
	CHECK_EQUAL(0, ask_path(FILES_STAT, 0, "tmp"));
	CHECK_EQUAL(0, syscall(SYS_pidfd_send_signal, box.pidfd, SIGKILL, NULL, 0));
	ended = (struct pollfd){service.pidfd, POLLIN, 0};
	CHECK_EQUAL(1, poll(&ended, 1, 20000));
	CHECK_EQUAL(0, end_service());
	container_finish(&box);
}

static void a_service_serves_only_when_it_is_told_to_start(void)
{
	const uint8_t word = CONTROL_START + 1;
	begin_files("true", 0);
	CHECK_EQUAL(0, end_service());
	ready_service(0);
	CHECK_EQUAL(1, engine_send(service.control, &word, 1, NULL, 0));
	CHECK_EQUAL(ENDED_BY_REQUEST, end_service());
	begin_service(0);
	end_files();
}

static void *begin_in_a_thread(void *made)
{
	*(bool *)made = engine_start(&engine, binary);
	begin_service(0);
	return NULL;
}

/* A process that dies with its parent dies with the thread that made it. */
static void a_service_stays_when_the_thread_that_started_it_ends(void)
{
	struct engine first = engine;
	pthread_t thread;
	bool made = false;
	begin_files("true", 0);
	CHECK_EQUAL(0, end_service());
	CHECK_EQUAL(0, pthread_create(&thread, NULL, begin_in_a_thread, &made));
	pthread_join(thread, NULL);
	CHECK(made);
	CHECK_EQUAL(0, ask_path(FILES_STAT, 0, "tmp"));
	engine_stop(&engine);
	engine = first;
	end_files();
}

/* ---- what no engine sends ---- */

static void refused(struct files_request head, const char *path, const char *other)
{
	CHECK_EQUAL(DIED, ask_files(head, path, other));
	CHECK_EQUAL(ENDED_BY_REQUEST, end_service());
	begin_service(0);
}

static void a_malformed_request_ends_it(void)
{
	char component[258], deep[] = "tmp/..";
	const struct files_request look = {.op = FILES_STAT};
	memset(component, 'a', sizeof component);
	component[256] = 0;
	begin_files("true", 0);
	static const char *const bad[] = {".", "..", "/", "/tmp", "tmp/", "tmp//file", "./tmp", "../etc", "tmp/./file"};
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		refused(look, bad[i], NULL);
	refused(look, deep, NULL);
	refused(look, component, NULL);
	refused((struct files_request){.op = FILES_RENAME}, "tmp/a", "../b");
	refused((struct files_request){.op = FILES_LINK}, "tmp/a", "/b");
	refused((struct files_request){.op = 0}, "tmp", NULL);
	refused((struct files_request){.op = FILES_OPS}, "tmp", NULL);
	refused((struct files_request){.op = FILES_STAT, .flags = FILES_FLAGS + 1}, "tmp", NULL);
	refused((struct files_request){.op = FILES_STAT, .nanos = 1000000000}, "tmp", NULL);
	refused((struct files_request){.op = FILES_STAT, .magic = FILES_MAGIC + 1}, "tmp", NULL);
	component[255] = 0;
	CHECK_EQUAL(-ENOENT, ask_path(FILES_STAT, 0, component));
	CHECK_EQUAL(-ENOENT, ask_path(FILES_STAT, 0, "..."));
	CHECK_EQUAL(-ENOENT, ask_path(FILES_STAT, 0, "tmp/..a"));
	CHECK_EQUAL(-ENOENT, ask_path(FILES_STAT, 0, ".a"));
	CHECK_EQUAL(-ENOENT, ask_files((struct files_request){.op = FILES_STAT, .nanos = 999999999}, "tmp/x", "../any text"));
	end_files();
}

static void a_request_of_a_wrong_length_ends_it(void)
{
	struct files_request head = {.magic = FILES_MAGIC, .op = FILES_STAT, .path = 3};
	uint8_t message[sizeof head + 4];
	memcpy(message, &head, sizeof head);
	memcpy(message + sizeof head, "tmp", 4);
	begin_files("true", 0);
	const size_t lengths[] = {sizeof head - 1, sizeof head + 2, sizeof head + 4};
	for (unsigned i = 0; i < 3; i++) {
		uint8_t byte;
		CHECK_EQUAL(lengths[i], engine_send(service.control, message, lengths[i], NULL, 0));
		CHECK_EQUAL(0, engine_receive(service.control, &byte, 1, &passed));
		CHECK_EQUAL(ENDED_BY_REQUEST, end_service());
		begin_service(0);
	}
	message[sizeof head + 1] = 0; /* a NUL in the path */
	CHECK_EQUAL(sizeof head + 3, engine_send(service.control, message, sizeof head + 3, NULL, 0));
	CHECK_EQUAL(ENDED_BY_REQUEST, end_service());
	begin_service(0);
	end_files();
}

/* ---- what is looked at ---- */

static void what_is_there_is_told(void)
{
	begin_files(some, 0);
	struct files_stat file = stat_of("tmp/file");
	CHECK_EQUAL(S_IFREG | 0640, file.mode);
	CHECK(file.uid == 5 && file.gid == 6 && file.links == 1 && file.size == 5 && file.nanos == 0 && file.seconds / 86400 == 18263);
	CHECK_EQUAL(sizeof(struct files_stat), payload_length);
	CHECK_EQUAL(S_IFDIR, stat_of("").mode & S_IFMT);
	CHECK_EQUAL(S_IFLNK, stat_of("tmp/link").mode & S_IFMT);
	CHECK_TEXT("file", (char *)payload + sizeof(struct files_stat));
	CHECK(stat_of("tmp/d/f").device == file.device && stat_of("proc").device != file.device);
	CHECK_EQUAL(0, ask_path(FILES_STAT, FILES_FOLLOW, "tmp/link"));
	CHECK_EQUAL(file.inode, told_stat().inode);
	CHECK_EQUAL(-ENOENT, ask_path(FILES_STAT, 0, "tmp/none"));
	CHECK_EQUAL(-ENOTDIR, ask_path(FILES_STAT, 0, "tmp/file/x"));
	CHECK_EQUAL(-ELOOP, ask_path(FILES_STAT, 0, "tmp/dlink/f"));
	CHECK_EQUAL(0, ask_path(FILES_STAT, FILES_FOLLOW_ABOVE, "tmp/dlink/f"));
	CHECK_EQUAL(0, ask_path(FILES_STAT, FILES_FOLLOW_ABOVE, "tmp/link"));
	CHECK_EQUAL(S_IFLNK, told_stat().mode & S_IFMT);
	CHECK_EQUAL(0, ask_path(FILES_STAT, FILES_FOLLOW, "tmp/out"));
	uint64_t inode = told_stat().inode;
	CHECK_EQUAL(inode, stat_of("etc").inode); /* a link leads nowhere but inside */
	end_files();
}

static void only_files_are_read(void)
{
	char text[16] = "";
	begin_files(some, 0);
	CHECK_EQUAL(0, ask_path(FILES_READ, 0, "tmp/file"));
	CHECK(told_stat().size == 5 && passed >= 0 && read(passed, text, sizeof text) == 5);
	CHECK_TEXT("text\n", text);
	CHECK_EQUAL(O_RDONLY, fcntl(passed, F_GETFL) & O_ACCMODE);
	CHECK_EQUAL(0, ask_path(FILES_READ, FILES_FOLLOW, "tmp/link"));
	CHECK(passed >= 0);
	CHECK_EQUAL(-ELOOP, ask_path(FILES_READ, 0, "tmp/link"));
	CHECK(passed < 0);
	CHECK_EQUAL(-EISDIR, ask_path(FILES_READ, 0, "tmp/d"));
	CHECK_EQUAL(-ENXIO, ask_path(FILES_READ, 0, "tmp/pipe"));
	CHECK_EQUAL(-ENXIO, ask_path(FILES_READ, 0, "dev/null"));
	CHECK_EQUAL(-ENXIO, ask_path(FILES_READ, 0, "proc/version"));
	CHECK_EQUAL(-ENXIO, ask_path(FILES_READ, 0, "sys/kernel/mm/transparent_hugepage/enabled"));
	CHECK_EQUAL(-ENOENT, ask_path(FILES_READ, 0, "tmp/none"));
	end_files();
}

/* ---- what is written ---- */

static const struct files_request create = {.op = FILES_CREATE, .mode = 0644};

static uint8_t *buffer;

static int give_buffer(uint64_t size, uint64_t told)
{
	int file = memfd_create("buffer", MFD_CLOEXEC);
	CHECK_EQUAL(0, ftruncate(file, (off_t)size));
	if (size)
		buffer = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	int status = ask_with((struct files_request){.op = FILES_BUFFER, .length = told}, "", NULL, file);
	close(file);
	return status;
}

static int give_unreadable_buffer(uint64_t size)
{
	char path[64];
	int file = memfd_create("buffer", MFD_CLOEXEC);
	CHECK_EQUAL(0, ftruncate(file, (off_t)size));
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	int writable = open(path, O_WRONLY | O_CLOEXEC);
	int status = ask_with((struct files_request){.op = FILES_BUFFER, .length = size}, "", NULL, writable);
	close(file), close(writable);
	return status;
}

static int write_to(uint32_t handle, uint64_t offset, uint64_t length)
{
	return ask_files((struct files_request){.op = FILES_WRITE, .handle = handle, .offset = offset, .length = length}, "", NULL);
}

static int commit(uint32_t handle) { return ask_files((struct files_request){.op = FILES_COMMIT, .handle = handle}, "", NULL); }

static int make_file(struct files_request head, const char *path)
{
	int status = ask_files(head, path, NULL);
	if (status == 0)
		status = write_to(answer.handle, 0, 3);
	return status == 0 ? commit(0) : status;
}

static void a_buffer_is_of_the_size_that_was_said(void)
{
	begin_files("true", 0);
	CHECK_EQUAL(0, ask_files(create, "tmp/a", NULL));
	CHECK_EQUAL(-EBADF, write_to(0, 0, 1)); /* no buffer yet */
	CHECK_EQUAL(-EINVAL, ask_files((struct files_request){.op = FILES_BUFFER, .length = 4096}, "", NULL));
	CHECK_EQUAL(-EINVAL, give_buffer(4096, 8192));
	CHECK_EQUAL(-EINVAL, give_buffer(0, 0));
	CHECK_EQUAL(-EINVAL, give_buffer(FILES_MAX_BUFFER + 1, FILES_MAX_BUFFER + 1));
	CHECK_EQUAL(-EACCES, give_unreadable_buffer(4096));
	CHECK_EQUAL(-EBADF, write_to(0, 0, 1)); /* still none */
	CHECK_EQUAL(0, give_buffer(4096, 4096));
	CHECK_EQUAL(-EINVAL, give_buffer(4096, 4096));
	CHECK_EQUAL(-EINVAL, write_to(0, 4097, 0));
	CHECK_EQUAL(-EINVAL, write_to(0, 4095, 2));
	CHECK_EQUAL(-EINVAL, write_to(0, UINT64_MAX, 2));
	CHECK_EQUAL(0, write_to(0, 4096, 0));
	CHECK_EQUAL(0, write_to(0, 0, 4096));
	CHECK_EQUAL(4096, answer.value);
	CHECK_EQUAL(-EBADF, write_to(1, 0, 1));
	CHECK_EQUAL(-EBADF, write_to(FILES_MAX_HANDLES, 0, 1));
	CHECK_EQUAL(0, commit(0));
	end_files();
}

static void a_file_has_its_name_when_it_is_complete(void)
{
	begin_files("true", 0);
	CHECK_EQUAL(0, give_buffer(FILES_MAX_BUFFER, FILES_MAX_BUFFER));
	memcpy(buffer, "abcdef", 6);
	CHECK_EQUAL(0, ask_files(create, "tmp/a", NULL));
	CHECK_EQUAL(0, write_to(0, 1, 2));
	CHECK_EQUAL(0, write_to(0, 5, 1));
	CHECK_EQUAL(-ENOENT, ask_path(FILES_STAT, 0, "tmp/a"));
	CHECK(strncmp(in_box("ls -A"), ".caisson-", 9) == 0);
	struct files_request last = {.op = FILES_COMMIT, .flags = FILES_TIME, .seconds = 1000000, .nanos = 123456789};
	CHECK_EQUAL(0, ask_files(last, "", NULL));
	CHECK(told_stat().seconds == 1000000 && told_stat().nanos == 123456789 && told_stat().size == 3);
	CHECK_EQUAL(S_IFREG | 0644, told_stat().mode);
	long accessed = strtol(in_box("stat -c %X a"), NULL, 10);
	struct timespec now; /* time(2) may be a tick behind the time of a file */
	CHECK_EQUAL(0, clock_gettime(CLOCK_REALTIME, &now));
	CHECK(accessed <= now.tv_sec && accessed > now.tv_sec - 600); /* the time that was asked for is that of its content alone */
	CHECK_TEXT("bcf", in_box("cat a"));
	CHECK_EQUAL(-EBADF, commit(0)); /* it is closed */
	CHECK_EQUAL(0, ask_files(create, "tmp/b", NULL));
	CHECK_EQUAL(0, ask_files((struct files_request){.op = FILES_CLOSE}, "", NULL));
	CHECK_EQUAL(-EBADF, ask_files((struct files_request){.op = FILES_CLOSE}, "", NULL));
	CHECK_TEXT("a\n", in_box("ls -A"));
	CHECK_EQUAL(0, ask_files(create, "tmp/c", NULL));
	CHECK_EQUAL(0, end_service());
	CHECK_TEXT("a\n", in_box("ls -A")); /* the engine is gone */
	begin_service(0);
	end_files();
}

static void a_file_that_takes_anothers_place_keeps_its_owner_and_mode(void)
{
	begin_files("echo old >a; chmod 4751 a; chown 7:8 a; cp -a a b; cp -a a c; ln -s a l; mkfifo p; mkdir d", 0);
	CHECK_EQUAL(0, give_buffer(4096, 4096));
	memcpy(buffer, "new", 3);
	struct files_request head = create;
	head.flags = FILES_OWNER, head.uid = 1, head.gid = 2, head.mode = 06777;
	CHECK_EQUAL(0, make_file(head, "tmp/a"));
	CHECK_TEXT("new 751 7 8\n", in_box("echo $(cat a) $(stat -c '%a %u %g' a)"));
	head.flags |= FILES_MODE;
	CHECK_EQUAL(0, make_file(head, "tmp/b"));
	CHECK_TEXT("777 1 2\n", in_box("stat -c '%a %u %g' b"));
	CHECK_EQUAL(0, make_file(head, "tmp/n"));
	CHECK_TEXT("777 1 2\n", in_box("stat -c '%a %u %g' n")); /* without set-id bits */
	CHECK_EQUAL(-EISDIR, make_file(head, "tmp/d"));
	CHECK_EQUAL(-EISDIR, make_file(head, ""));
	CHECK_EQUAL(-ELOOP, make_file(head, "tmp/l"));
	CHECK_EQUAL(-ENXIO, make_file(head, "tmp/p"));
	head.flags = FILES_REPLACE;
	CHECK_EQUAL(-EISDIR, make_file(head, "tmp/d"));
	CHECK_EQUAL(0, make_file(head, "tmp/l"));
	CHECK_EQUAL(0, make_file(head, "tmp/p"));
	CHECK_TEXT("regular file 0 0\nregular file 0 0\n", in_box("stat -c '%F %u %g' l p"));
	head.flags = FILES_NEW;
	CHECK_EQUAL(-EEXIST, make_file(head, "tmp/c"));
	CHECK_EQUAL(0, ask_files(head, "tmp/z", NULL));
	in_box("echo first >z");
	CHECK_EQUAL(-EEXIST, commit(answer.handle));
	CHECK_TEXT("first\n", in_box("cat z"));
	CHECK_EQUAL(0, ask_files((struct files_request){.op = FILES_CLOSE}, "", NULL));
	CHECK_TEXT("a\nb\nc\nd\nl\nn\np\nz\n", in_box("ls -A")); /* nothing unfinished */
	end_files();
}

static void handles_are_bounded_and_each_is_of_its_kind(void)
{
	char name[32];
	begin_files("true", 0);
	for (unsigned i = 0; i < FILES_MAX_HANDLES; i++) {
		snprintf(name, sizeof name, "tmp/f%u", i);
		CHECK_EQUAL(0, i % 2 ? ask_files(create, name, NULL) : ask_path(FILES_LIST, 0, "tmp"));
		CHECK_EQUAL(i, answer.handle);
	}
	CHECK_EQUAL(-EMFILE, ask_files(create, "tmp/one-more", NULL));
	CHECK_EQUAL(-EMFILE, ask_path(FILES_LIST, 0, "tmp"));
	CHECK_EQUAL(-EBADF, commit(0)); /* a list */
	CHECK_EQUAL(-EBADF, ask_files((struct files_request){.op = FILES_NEXT, .handle = 1}, "", NULL)); /* a file */
	CHECK_EQUAL(0, ask_files((struct files_request){.op = FILES_CLOSE, .handle = 5}, "", NULL));
	CHECK_EQUAL(0, ask_files((struct files_request){.op = FILES_CLOSE, .handle = 8}, "", NULL));
	CHECK_EQUAL(0, ask_files(create, "tmp/one-more", NULL));
	CHECK_EQUAL(5, answer.handle);
	CHECK_EQUAL(0, commit(5));
	CHECK_EQUAL(0, end_service());
	CHECK_TEXT("one-more\n", in_box("ls -A"));
	begin_service(0);
	end_files();
}

static void a_limit_of_file_size_is_an_error(void)
{
	begin_files("true", 1000);
	CHECK_EQUAL(0, give_buffer(4096, 4096));
	CHECK_EQUAL(0, ask_files(create, "tmp/a", NULL));
	CHECK_EQUAL(0, write_to(0, 0, 4096));
	CHECK_EQUAL(1000, answer.value);
	CHECK_EQUAL(-EFBIG, write_to(0, 0, 1));
	CHECK_EQUAL(0, ask_files((struct files_request){.op = FILES_CLOSE}, "", NULL));
	end_files();
}

static void a_service_of_a_directory_has_it_as_its_root(void)
{
	served_path = "tmp/d";
	begin_files("mkdir d; echo in >d/f; echo out >o; ln -s /f d/abs; ln -s ../o d/up; ln -s /tmp/o d/out; ln -s / d/top", 0);
	served_path = "";
	CHECK_EQUAL(0, ask_path(FILES_STAT, 0, "f"));
	uint64_t file = told_stat().inode, top = stat_of("").inode;
	CHECK_EQUAL(0, ask_path(FILES_STAT, FILES_FOLLOW, "abs"));
	CHECK_EQUAL(file, told_stat().inode);
	CHECK_EQUAL(0, ask_path(FILES_STAT, FILES_FOLLOW, "top"));
	CHECK_EQUAL(top, told_stat().inode);
	CHECK_EQUAL(-ENOENT, ask_path(FILES_STAT, FILES_FOLLOW, "up"));
	CHECK_EQUAL(-ENOENT, ask_path(FILES_STAT, FILES_FOLLOW, "out"));
	CHECK_EQUAL(-ENOENT, ask_path(FILES_STAT, 0, "tmp"));
	CHECK_EQUAL(-ELOOP, ask_path(FILES_READ, 0, "out"));
	end_files();
}

const struct test files_tests[] = {
	{"files: rights", a_service_has_few_rights},
	{"files: the container's end", a_service_ends_with_its_container},
	{"files: start", a_service_serves_only_when_it_is_told_to_start},
	{"files: a thread's end", a_service_stays_when_the_thread_that_started_it_ends},
	{"files: malformed", a_malformed_request_ends_it},
	{"files: length", a_request_of_a_wrong_length_ends_it},
	{"files: look", what_is_there_is_told},
	{"files: read", only_files_are_read},
	{"files: buffer", a_buffer_is_of_the_size_that_was_said},
	{"files: write", a_file_has_its_name_when_it_is_complete},
	{"files: replace", a_file_that_takes_anothers_place_keeps_its_owner_and_mode},
	{"files: handles", handles_are_bounded_and_each_is_of_its_kind},
	{"files: file size", a_limit_of_file_size_is_an_error},
	{"files: a directory", a_service_of_a_directory_has_it_as_its_root},
};
const unsigned files_test_count = sizeof files_tests / sizeof *files_tests;
