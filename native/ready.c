/* Phase READY: the working directory and the program, as the container's user finds them; then the engine's word. */
#include "init.h"
#include "kernel.h"

#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* CVE-2024-21626: a working directory through /proc/self/fd leads out of the root; no link of an image leads to procfs. */
static int change_directory(const char *path)
{
	char seen[PATH_SIZE];
	int fd = open_in(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return fd;
	struct statfs on;
	int error = fstatfs(fd, &on) < 0 ? -errno : on.f_type == PROC_SUPER_MAGIC ? -EBUSY : result(fchdir(fd));
	close(fd);
	if (error == 0 && syscall(SYS_getcwd, seen, sizeof seen) < 0)
		error = -errno;
	return error == 0 && seen[0] != '/' ? -EXDEV : error;
}

/* ---- the program ---- */

static bool is_void_set_id(const struct init *init, const struct stat *file)
{
	if (!is_planned(init, OP_NO_NEW_PRIVS))
		return false;
	bool user = file->st_mode & S_ISUID && file->st_uid != geteuid();
	bool group = file->st_mode & S_ISGID && file->st_mode & S_IXGRP && file->st_gid != getegid();
	return user || group;
}

static int check_program(struct init *init, const char *path)
{
	struct stat stat_;
	if (stat(path, &stat_) < 0)
		return -errno;
	if (!S_ISREG(stat_.st_mode))
		return -EACCES;
	int error = result(syscall(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS));
	if (error == 0)
		init->void_set_id = is_void_set_id(init, &stat_);
	return error;
}

/* Only absolute directories of PATH count: the others would mean whatever the working directory holds. */
static int find_program(struct init *init, const char *name, const char *search)
{
	int found = -ENOENT;
	while (*search) {
		const char *end = strchrnul(search, ':');
		int size = snprintf(init->program, PATH_SIZE, "%.*s/%s", (int)(end - search), search, name);
		if (*search == '/' && size < PATH_SIZE) {
			int error = check_program(init, init->program);
			if (error == 0)
				return 0;
			if (error == -EACCES)
				found = error;
		}
		search = *end ? end + 1 : end;
	}
	return found;
}

static int locate(struct init *init)
{
	const struct step *step = &init->plan.steps[init->plan.count - 1];
	struct reader payload = {step->payload, step->length, false};
	char search[PATH_SIZE], name[PATH_SIZE];
	bool idle = read_u8(&payload) == 2;
	read_u8(&payload);
	read_text(&payload, search);
	read_u32(&payload);
	read_text(&payload, name);
	if (idle)
		return 0;
	if (!strchr(name, '/'))
		return find_program(init, name, search);
	memcpy(init->program, name, PATH_SIZE);
	return check_program(init, init->program);
}

/* ---- descriptors ---- */

/* 0, 1, 2 and the control socket, which closes when the program starts. */
static int arrange_descriptors(const struct init *init)
{
	int control = init->slot[SLOT_CONTROL];
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(init->slot[SLOT_STDIN + fd], fd) < 0)
			return -errno;
	int error = close_from(3, (unsigned)control - 1);
	return error < 0 ? error : close_from((unsigned)control + 1, ~0U);
}

/* ---- how far the start comes ---- */

static int share_start(struct init *init)
{
	int fd = result(memfd_create("caisson-start", MFD_CLOEXEC | MFD_NOEXEC_SEAL));
	if (fd == -EINVAL) /* before Linux 6.3 */
		fd = result(memfd_create("caisson-start", MFD_CLOEXEC));
	if (fd < 0)
		return fd;
	int error = result(ftruncate(fd, sizeof *init->start));
	init->start = error < 0 ? MAP_FAILED : mmap(NULL, sizeof *init->start, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (init->start != MAP_FAILED)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

/*
 * From the report on, signals wait for the program: the kernel drops what process 1 of a pid namespace neither blocks nor
 * handles (pid_namespaces(7)), and a container that is stopped at once would run until it is killed.
 */
static int hold_signals(void)
{
	sigset_t all;
	sigfillset(&all);
	return result(sigprocmask(SIG_SETMASK, &all, NULL));
}

/* ---- namespaces ---- */

/* A process may open its own, also when it is not dumpable; whoever has the descriptor may enter without CAP_SYS_PTRACE. */
static int report_namespaces(const struct init *init)
{
	static const char *const names[PLAN_NAMESPACES] = {"net", "user", "cgroup", "ipc", "uts", "time", "pid", "mnt"};
	int directory = open_in(AT_FDCWD, "/proc/self/ns", O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS);
	struct statfs on;
	int error = directory < 0 ? directory : fstatfs(directory, &on) < 0 ? -errno : on.f_type == PROC_SUPER_MAGIC ? 0 : -EBUSY;
	for (unsigned i = 0; error == 0 && i < PLAN_NAMESPACES; i++) {
		struct report message = {.magic = PLAN_MAGIC, .kind = REPORT_NAMESPACE, .detail = plan_namespaces[i]};
		int fd = result(openat(directory, names[i], O_RDONLY | O_CLOEXEC));
		if (fd == -ENOENT) /* a kernel without it, as one before Linux 5.6 for time */
			continue;
		error = fd < 0 ? fd : report(init, &message, fd);
		close_fd(&fd);
	}
	close_fd(&directory);
	return error;
}

static int await_start(struct init *init)
{
	int word = wait_for_word(init);
	if (word == CONTROL_NAMESPACES) {
		int error = report_namespaces(init);
		if (error < 0)
			return error;
		word = wait_for_word(init);
	}
	init->sends_listener = word == CONTROL_START_ASKING || word == CONTROL_START_ALONE_ASKING;
	if (word == CONTROL_START_ALONE || word == CONTROL_START_ALONE_ASKING)
		return result(prctl(PR_SET_PDEATHSIG, 0));
	return word == CONTROL_START || init->sends_listener ? 0 : -ECANCELED;
}

int done(struct init *init, struct reader *payload)
{
	(void)payload;
	struct report message = {.magic = PLAN_MAGIC, .kind = REPORT_READY, .phase = PHASE_FILTER, .step = init->step};
	int error = report(init, &message, -1);
	if (error < 0)
		return error;
	_exit(0);
}

int ready(struct init *init, struct reader *payload)
{
	char directory[PATH_SIZE];
	read_text(payload, directory);
	int error = change_directory(directory);
	if (error < 0)
		return error;
	error = locate(init);
	if (error < 0)
		fail(init, PHASE_READY, init->plan.count - 1u, -error, 0);
	error = arrange_descriptors(init);
	if (error < 0)
		return error;
	error = hold_signals();
	if (error < 0)
		return error;
	int start = share_start(init);
	if (start < 0)
		return start;
	account(init, PHASE_READY);
	struct report message = {.magic = PLAN_MAGIC, .kind = REPORT_READY, .phase = PHASE_READY, .step = init->step};
	memcpy(message.phase_micros, init->phase_micros, sizeof message.phase_micros);
	error = report(init, &message, start);
	close(start);
	return error < 0 ? error : await_start(init);
}
