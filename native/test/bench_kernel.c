/*
 * Times what the kernel alone takes for one container: groups, namespaces, mounts and the end of all, without a check, a plan or a
 * filter. It needs the control groups of version 1.
 * usage: bench_kernel ROOT COUNT      ROOT has bin/true and the directories that are mounted on. All figures in microseconds.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 10000, TREES = 5, BASE = 1879048192, RANGE = 65536 };

static const char *const trees[TREES] = {"memory", "cpu", "pids", "cpuset", "cpuacct"};
static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
static const char *const masked[] = {"interrupts", "keys", "locks", "timer_list"};
static const char *const fixed[] = {"bus", "fs", "irq", "sys"};

static double micros(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double cpu(int who)
{
	struct rusage usage;
	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void need(bool good, const char *what)
{
	if (!good) {
		perror(what);
		_exit(1);
	}
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static void print(const char *name, double *values, int count)
{
	qsort(values, (size_t)count, sizeof *values, compare);
	printf("%-28s p50 %8.0f  p90 %8.0f\n", name, values[count / 2], values[count * 9 / 10]);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

static void mount_one(const char *type, const char *place, unsigned long flags, const char *options)
{
	mkdir(place, 0755);
	need(mount(type, place, type, flags, options) == 0, place);
}

static void bind_one(const char *from, const char *place, unsigned long more)
{
	need(mount(from, place, NULL, MS_BIND, NULL) == 0, place);
	if (more)
		need(mount(NULL, place, NULL, MS_REMOUNT | MS_BIND | more, NULL) == 0, place);
}

static void mount_all(const char *root)
{
	char text[4096], other[4096];
	need(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private");
	mount_one("tmpfs", "/mnt", MS_NODEV, "size=512m,mode=755");
	mkdir("/mnt/u", 0755), mkdir("/mnt/w", 0755), mkdir("/mnt/r", 0755);
	snprintf(text, sizeof text, "lowerdir=%s,upperdir=/mnt/u,workdir=/mnt/w,userxattr,volatile", root);
	need(mount("overlay", "/mnt/r", "overlay", MS_NODEV, text) == 0, "overlay");
	need(chdir("/mnt/r") == 0, "chdir");
	mount_one("proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_one("sysfs", "sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL);
	mount_one("tmpfs", "sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755,size=4096");
	for (int i = 0; i < TREES; i++) {
		snprintf(text, sizeof text, "sys/fs/cgroup/%s", trees[i]);
		mount_one("cgroup", text, MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, trees[i]);
	}
	mount_one("tmpfs", "dev", MS_NOSUID | MS_NOEXEC, "mode=755,size=1m");
	mount_one("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
	mount_one("tmpfs", "dev/shm", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m");
	mount_one("mqueue", "dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) {
		snprintf(text, sizeof text, "/dev/%s", nodes[i]);
		snprintf(other, sizeof other, "dev/%s", nodes[i]);
		close(open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
		bind_one(text, other, 0);
	}
	for (unsigned i = 0; i < sizeof masked / sizeof *masked; i++) {
		snprintf(text, sizeof text, "proc/%s", masked[i]);
		bind_one("dev/null", text, 0);
	}
	for (unsigned i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		snprintf(text, sizeof text, "proc/%s", fixed[i]);
		bind_one(text, text, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
	}
	need(syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0 && chdir("/") == 0, "pivot_root");
}

static void raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	need(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0, "lo");
	close(fd);
}

static _Noreturn void child(const char *root, const int *joins, int word, int told)
{
	static const char *const none[] = {NULL}, *const program[] = {"/bin/true", NULL};
	char byte;
	need(read(word, &byte, 1) == 1, "word");
	for (int i = 0; i < TREES; i++)
		need(write(joins[i], "0", 1) == 1, "join");
	need(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0 && unshare(CLONE_NEWCGROUP) == 0, "ids");
	double begun = micros();
	mount_all(root);
	double mounts = micros() - begun;
	raise_loopback();
	need(write(told, &mounts, sizeof mounts) == sizeof mounts, "told");
	int pid = fork();
	if (pid == 0) {
		execve(program[0], (char *const *)program, (char *const *)none);
		_exit(127);
	}
	int status = 0;
	need(pid > 0 && waitpid(pid, &status, 0) == pid, "wait");
	_exit(WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	static double groups[MOST], clones[MOST], mounts[MOST], ends[MOST], removals[MOST], all[MOST];
	int count = argc == 3 ? atoi(argv[2]) : 0;
	if (count < 1 || count > MOST)
		return fprintf(stderr, "usage: bench_kernel ROOT COUNT\n"), 125;
	char path[256], map[64];
	snprintf(map, sizeof map, "0 %d %d", BASE, RANGE);
	double spent = cpu(RUSAGE_SELF) + cpu(RUSAGE_CHILDREN);
	for (int i = 0; i < count; i++) {
		int word[2], told[2], joins[TREES];
		double at = micros(), start = at;
		for (int k = 0; k < TREES; k++) {
			snprintf(path, sizeof path, "/sys/fs/cgroup/%s/caisson-bench", trees[k]);
			need(mkdir(path, 0755) == 0, path);
			strcat(path, "/tasks");
			joins[k] = open(path, O_WRONLY | O_CLOEXEC);
			if (k == 3) {
				write_text("/sys/fs/cgroup/cpuset/caisson-bench/cpuset.cpus", "0");
				write_text("/sys/fs/cgroup/cpuset/caisson-bench/cpuset.mems", "0");
			}
		}
		groups[i] = micros() - at;
		need(pipe2(word, O_CLOEXEC) == 0 && pipe2(told, O_CLOEXEC) == 0, "pipe");
		struct clone_args args = {.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
					  .exit_signal = SIGCHLD};
		at = micros();
		long pid = syscall(SYS_clone3, &args, sizeof args);
		if (pid == 0)
			child(argv[1], joins, word[0], told[1]);
		clones[i] = micros() - at;
		need(pid > 0, "clone3");
		snprintf(path, sizeof path, "/proc/%ld/uid_map", pid);
		write_text(path, map);
		snprintf(path, sizeof path, "/proc/%ld/gid_map", pid);
		write_text(path, map);
		int status = 0;
		need(write(word[1], "", 1) == 1, "word");
		close(told[1]);
		need(read(told[0], &mounts[i], sizeof mounts[i]) == sizeof mounts[i], "container");
		at = micros();
		need(waitpid((int)pid, &status, 0) == pid && status == 0, "status");
		ends[i] = micros() - at;
		close(word[0]), close(word[1]), close(told[0]);
		at = micros();
		for (int k = 0; k < TREES; k++) {
			close(joins[k]);
			snprintf(path, sizeof path, "/sys/fs/cgroup/%s/caisson-bench", trees[k]);
			need(rmdir(path) == 0, path);
		}
		removals[i] = micros() - at;
		all[i] = micros() - start;
	}
	spent = cpu(RUSAGE_SELF) + cpu(RUSAGE_CHILDREN) - spent;
	print("making five groups", groups, count);
	print("clone3 with six namespaces", clones, count);
	print("mounts and pivot_root", mounts, count);
	print("fork, exec and exit of all", ends, count);
	print("removing the groups", removals, count);
	print("all", all, count);
	printf("%-28s     %8.0f\n", "processor time of each", spent / count);
	return 0;
}
