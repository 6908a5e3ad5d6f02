/*
 * Asks the running kernel what a filter decides: oracle FILTER CASES RESULTS
 *
 * A child loads FILTER and makes every call of CASES. The filter must return an error number for each, so that no call
 * is carried out; the child then has no call left to end itself with, and its parent kills it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum entry { NATIVE, INT80 };

struct call {
	uint32_t entry;
	uint32_t number;
	uint64_t args[6];
};

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

#if defined(__x86_64__)
static long enter(const struct call *c)
{
	long result;
	register long r10 __asm__("r10") = c->args[3];
	register long r8 __asm__("r8") = c->args[4];
	register long r9 __asm__("r9") = c->args[5];

	if (c->entry == INT80) {
		__asm__ volatile("push %%rbp\n\tmov %%r9, %%rbp\n\tint $0x80\n\tpop %%rbp"
				 : "=a"(result), "+r"(r10), "+r"(r8), "+r"(r9)
				 : "a"((unsigned long)c->number), "b"(c->args[0]), "c"(c->args[1]), "d"(c->args[2]),
				   "S"(c->args[3]), "D"(c->args[4])
				 : "memory", "r11", "cc");
		return (int32_t)result;
	}
	__asm__ volatile("syscall"
			 : "=a"(result), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "a"((unsigned long)c->number), "D"(c->args[0]), "S"(c->args[1]), "d"(c->args[2])
			 : "memory", "rcx", "r11", "cc");
	return result;
}
#elif defined(__aarch64__)
static long enter(const struct call *c)
{
	register long x8 __asm__("x8") = c->number;
	register long x0 __asm__("x0") = c->args[0];
	register long x1 __asm__("x1") = c->args[1];
	register long x2 __asm__("x2") = c->args[2];
	register long x3 __asm__("x3") = c->args[3];
	register long x4 __asm__("x4") = c->args[4];
	register long x5 __asm__("x5") = c->args[5];

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory", "cc");
	return x0;
}
#endif

static void *map(const char *path, size_t *length)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		fail(path);
	*length = st.st_size;
	void *at = mmap(NULL, *length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		fail(path);
	close(fd);
	return at;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	size_t filter_length, calls_length, results_length;
	struct sock_filter *filter = map(argv[1], &filter_length);
	const struct call *calls = map(argv[2], &calls_length);
	volatile int32_t *results = map(argv[3], &results_length);
	size_t count = calls_length / sizeof(*calls);
	struct sock_fprog program = {.len = filter_length / sizeof(*filter), .filter = filter};

	/* one more than there are calls: the last is set when the child is through, or could not begin */
	if (results_length != (count + 1) * sizeof(*results))
		return 2;
	pid_t child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL) ||
		    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
			fail("seccomp");
		for (size_t i = 0; i < count; i++)
			results[i] = -enter(&calls[i]);
		results[count] = 1;
		for (;;)
			;
	}
	for (int waited = 0; !results[count] && waited < 60000; waited++) {
		int status;

		if (waitpid(child, &status, WNOHANG) == child) {
			fprintf(stderr, "the child ended with status 0x%x\n", status);
			return 1;
		}
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	int done = results[count];
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return done ? 0 : 1;
}
