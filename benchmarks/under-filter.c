/*
 * Runs a command under a system call filter, or without one, and prints the CPU time that it took:
 *   under-filter [-r ROOT] FILTER|none COMMAND [ARGUMENT...]     milliseconds, on descriptor 3
 *   under-filter FILTER|none                                     nanoseconds of some calls, the least of seven rounds
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 100000, ROUNDS = 7, MOST = 4096 };

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static struct sock_filter filter[MOST];
static struct sock_fprog program = {.filter = filter};

/* Before the root changes. */
static void read_filter(const char *file)
{
	if (!strcmp(file, "none"))
		return;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t bytes = fd < 0 ? -1 : read(fd, filter, sizeof(filter));
	if (bytes <= 0)
		die(file);
	close(fd);
	program.len = (unsigned short)(bytes / (ssize_t)sizeof(*filter));
}

static void load_filter(void)
{
	if (program.len == 0)
		return;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		die("seccomp");
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double least(long number, long a, long b, long c)
{
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double began = now();
		for (int i = 0; i < CALLS; i++)
			syscall(number, a, b, c);
		double took = (now() - began) / CALLS;
		if (best == 0 || took < best)
			best = took;
	}
	return best;
}

static int calls(void)
{
	char byte;
	int ends[2], waiting, null = open("/dev/null", O_RDWR);

	if (null < 0 || pipe(ends))
		die("descriptors");
	printf("%.0f %.0f %.0f %.0f %.0f\n", least(SYS_getppid, 0, 0, 0), least(SYS_read, null, (long)&byte, 1),
	       least(SYS_write, null, (long)&byte, 1), least(SYS_fcntl, null, F_GETFL, 0),
	       least(SYS_ioctl, ends[0], FIONREAD, (long)&waiting));
	return 0;
}

static double milliseconds(struct timeval t) { return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3; }

int main(int argc, char **argv)
{
	const char *root = NULL;
	int at = 1, status;
	struct rusage usage;

	if (argc > 3 && !strcmp(argv[1], "-r")) {
		root = argv[2];
		at = 3;
	}
	if (argc <= at)
		return 2;
	read_filter(argv[at]);
	if (argc == at + 1) {
		load_filter();
		return calls();
	}
	pid_t child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		close(3);
		if (root && (chroot(root) || chdir("/")))
			die(root);
		load_filter();
		execvp(argv[at + 1], argv + at + 1);
		die(argv[at + 1]);
	}
	if (waitpid(child, &status, 0) != child || getrusage(RUSAGE_CHILDREN, &usage))
		die("wait");
	dprintf(3, "%.1f\n", milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
