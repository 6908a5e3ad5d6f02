/*
 * Tries the ways around a system call filter, from inside: attack WAY. Prints a line a try: what, result, errno.
 * The exit status is 0 when all was tried; what the results must be is for the caller to say.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void tell(const char *what, long number, long result)
{
	printf("%s %ld %d %d\n", what, number, result < 0 ? -1 : 0, result < 0 ? errno : 0);
}

static void holes(void)
{
	static const long numbers[] = {337, 400, 423, 512, 547, 600, 1023, 4095, 65536, 0x3fffffff};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		tell("hole", numbers[i], syscall(numbers[i], 0, 0, 0));
}

#if defined(__x86_64__)
static void x32(void)
{
	static const long numbers[] = {0, 39, 57, 101, 165, 512, 520, 547};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		tell("x32", numbers[i], syscall(0x40000000 | numbers[i], 0, 0, 0));
}

static void int80(long number)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(0L), "c"(0L), "d"(0L) : "memory");
	printf("int80 %ld entered\n", number);
}
#endif

/* Every family with and without something in the upper half of the register, which the kernel ignores. */
static void families(void)
{
	static const unsigned long uppers[] = {0, 1UL << 32, 1UL << 63, 0xffffffffUL << 32};

	for (long family = 0; family < 64; family++)
		for (size_t i = 0; i < sizeof(uppers) / sizeof(*uppers); i++) {
			long fd = syscall(SYS_socket, uppers[i] | family, SOCK_DGRAM, 0);

			tell("family", family, fd);
			if (fd >= 0)
				close(fd);
		}
}

static void namespaces(void)
{
	static const unsigned long flags[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP,
					      CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER | CLONE_NEWNS, 0x80};
	struct {
		unsigned long flags, rest[10];
	} arguments;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		tell("unshare", (long)flags[i], syscall(SYS_unshare, flags[i]));
		tell("unshare-upper", (long)flags[i], syscall(SYS_unshare, flags[i] | 1UL << 40));
		if (flags[i] != 0x80) {
			long child = syscall(SYS_clone, flags[i] | 17, 0, 0, 0, 0);

			if (child == 0)
				_exit(0);
			tell("clone", (long)flags[i], child);
			child = syscall(SYS_clone, flags[i] | 17 | 1UL << 40, 0, 0, 0, 0);
			if (child == 0)
				_exit(0);
			tell("clone-upper", (long)flags[i], child);
		}
		memset(&arguments, 0, sizeof(arguments));
		arguments.flags = flags[i];
		long child = syscall(435, &arguments, sizeof(arguments));

		if (child == 0)
			_exit(0);
		tell("clone3", (long)flags[i], child);
	}
}

static void asynchronous(void)
{
	char parameters[120] = {0};

	tell("io_uring_setup", 425, syscall(425, 4, parameters));
	tell("io_uring_enter", 426, syscall(426, 0, 0, 0, 0, 0, 0));
	tell("io_uring_register", 427, syscall(427, 0, 0, 0, 0));
}

static long filter_that_allows_all(unsigned int flags)
{
	struct sock_filter all[] = {{0x06, 0, 0, SECCOMP_RET_ALLOW}};
	struct sock_fprog program = {1, all};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void denied(const char *who)
{
	tell(who, SYS_mount, syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, 0));
	tell(who, SYS_pidfd_getfd, syscall(SYS_pidfd_getfd, -1, 0, 0));
	tell(who, SYS_bpf, syscall(SYS_bpf, 0, 0, 0));
	tell(who, SYS_keyctl, syscall(SYS_keyctl, 0, 0, 0));
}

static void *thread(void *barrier)
{
	pthread_barrier_wait(barrier);
	pthread_barrier_wait(barrier);
	denied("thread");
	return NULL;
}

/* A thread that was there before the program's own filter is put on all threads, and one that comes later. */
static void threads(void)
{
	pthread_barrier_t barrier;
	pthread_t one, two;

	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&one, NULL, thread, &barrier))
		exit(2);
	pthread_barrier_wait(&barrier);
	tell("tsync", 0, filter_that_allows_all(SECCOMP_FILTER_FLAG_TSYNC));
	pthread_barrier_wait(&barrier);
	pthread_join(one, NULL);
	if (pthread_create(&two, NULL, thread, &barrier))
		exit(2);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	pthread_join(two, NULL);
}

static void stacked(void)
{
	for (int i = 0; i < 5; i++)
		tell("stack", i, filter_that_allows_all(i % 2 ? SECCOMP_FILTER_FLAG_SPEC_ALLOW : 0));
	denied("stacked");
	pid_t child = fork();
	if (child == 0) {
		denied("child");
		exit(0);
	}
	waitpid(child, NULL, 0);
}

/* A listener of the program's own, which answers for one call. */
static void listener(void)
{
	struct sock_filter asks[] = {
		{0x20, 0, 0, offsetof(struct seccomp_data, nr)},
		{0x15, 0, 1, SYS_getppid},
		{0x06, 0, 0, SECCOMP_RET_USER_NOTIF},
		{0x06, 0, 0, SECCOMP_RET_ALLOW},
	};
	struct sock_fprog program = {sizeof(asks) / sizeof(*asks), asks};

	tell("listener", 0, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
	denied("listens");
}

/* A filter of the program's own, which denies getppid with an error of its own. */
static void own(void)
{
	struct sock_filter denies[] = {
		{0x20, 0, 0, offsetof(struct seccomp_data, nr)},
		{0x15, 0, 1, SYS_getppid},
		{0x06, 0, 0, SECCOMP_RET_ERRNO | EXDEV},
		{0x06, 0, 0, SECCOMP_RET_ALLOW},
	};
	struct sock_fprog program = {sizeof(denies) / sizeof(*denies), denies};

	tell("filter", 0, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	tell("own", SYS_getppid, syscall(SYS_getppid));
	sleep(60);
}

/* How many denied calls two seconds are enough for. */
static void flood(void)
{
	struct timespec now, end;
	long count = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 2;
	do {
		syscall(SYS_mount, 0, 0, 0, 0, 0);
		count++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	printf("flood %ld 0 0\n", count);
}

/* Nanoseconds that a call takes: the best of some rounds, each so short that the engine answers all of it. */
static void cost(long number, long rounds)
{
	struct timespec from, to;
	long best = -1;

	for (long round = 0; round < rounds; round++) {
		usleep(60000);
		clock_gettime(CLOCK_MONOTONIC, &from);
		for (int i = 0; i < 50; i++)
			syscall(number, 0, 0, 0, 0, 0);
		clock_gettime(CLOCK_MONOTONIC, &to);
		long took = (to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec;
		if (best < 0 || took < best)
			best = took;
	}
	printf("cost %ld 0 0\n", best / 50);
}

int main(int argc, char **argv)
{
	setbuf(stdout, NULL);
	const char *way = argc > 1 ? argv[1] : "";

	if (!strcmp(way, "holes"))
		holes();
#if defined(__x86_64__)
	else if (!strcmp(way, "x32"))
		x32();
	else if (!strcmp(way, "int80"))
		int80(atol(argv[2]));
#endif
	else if (!strcmp(way, "families"))
		families();
	else if (!strcmp(way, "namespaces"))
		namespaces();
	else if (!strcmp(way, "asynchronous"))
		asynchronous();
	else if (!strcmp(way, "threads"))
		threads();
	else if (!strcmp(way, "stacked"))
		stacked();
	else if (!strcmp(way, "denied"))
		denied("denied");
	else if (!strcmp(way, "listener"))
		listener();
	else if (!strcmp(way, "flood"))
		flood();
	else if (!strcmp(way, "cost"))
		cost(!strcmp(argv[2], "mount") ? SYS_mount : SYS_getppid, 20);
	else if (!strcmp(way, "own"))
		own();
	else if (!strcmp(way, "execveat"))
		tell("execveat", 0, syscall(SYS_execveat, -1, "/nothing", NULL, NULL, 0x1000));
	else
		return 2;
	return 0;
}
