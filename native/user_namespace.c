/* User namespaces: the maps of a child, and a namespace of its own for id-mapped mounts. */
#include "kernel.h"
#include "zygote.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
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

/* The child only holds the namespace until its descriptor is open. */
static _Noreturn void hold(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_from(0, ~0U);
	for (;;)
		pause();
}

int make_user_namespace(uint32_t id_base, uint32_t id_count)
{
	char path[48];
	struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	int pid = result(syscall(SYS_clone3, &args, sizeof args));
	if (pid == 0)
		hold();
	if (pid < 0)
		return pid;
	int fd = write_maps(pid, id_base, id_count);
	snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
	if (fd == 0)
		fd = result(open(path, O_RDONLY | O_CLOEXEC));
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd;
}
