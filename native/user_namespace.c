/* User namespaces: the maps of a child, and a namespace of its own for id-mapped mounts. */
#include "kernel.h"
#include "zygote.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

static int write_map(int pid, const char *name, uint32_t id_base, uint32_t id_count)
{
	char path[48], line[48];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	int length = snprintf(line, sizeof line, "0 %u %u", id_base, id_count);
	int fd = result(open(path, O_WRONLY | O_CLOEXEC));
	if (fd < 0)
		return fd;
	int error = write(fd, line, length) == length ? 0 : -errno;
	close(fd);
	return error;
}

int write_maps(int pid, uint32_t id_base, uint32_t id_count)
{
	int error = write_map(pid, "uid_map", id_base, id_count);
	return error < 0 ? error : write_map(pid, "gid_map", id_base, id_count);
}

/* In the namespace: its descriptor, in the table of descriptors that child and zygote share. */
static int open_own_namespace(void *fd)
{
	*(int *)fd = result(open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC));
	return 0;
}

/*
 * A child of its own makes the namespace, opens it and ends before this process goes on, as vfork(2) has it: to open the
 * namespace of another process that is not dumpable would take CAP_SYS_PTRACE over the host. Its maps can be written until
 * it is reaped.
 */
int make_user_namespace(uint32_t id_base, uint32_t id_count)
{
	static char stack[16384] __attribute__((aligned(16)));
	const int flags = CLONE_NEWUSER | CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD;
	int fd = -1;
	int pid = result(clone(open_own_namespace, stack + sizeof stack, flags, &fd));
	if (pid < 0)
		return pid;
	int error = fd < 0 ? fd : write_maps(pid, id_base, id_count);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (error < 0)
		close_fd(&fd);
	return error < 0 ? error : fd;
}
