/* The start of a process that serves gates; gate.h says what it is confined to. */
#include "gate.h"
#include "devices.h"
#include "init.h"
#include "kernel.h"
#include "zygote.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { SOCKET = 3, FIRST_FREE = 4, MOST_BINDS = 64, MOST_VARIABLES = 8, MOST_JOINS = 16 };

struct bind {
	const char *path;
	int mount;
};

struct settings {
	struct bind binds[MOST_BINDS];
	const char *links[MOST_BINDS][2];
	char *environment[MOST_VARIABLES + 1];
	unsigned join_count, bind_count, link_count, variable_count;
	char **program;
};

static const int devices[] = {DEVICE_NULL, DEVICE_RANDOM, DEVICE_URANDOM};
enum { DEVICES = sizeof devices / sizeof *devices };

static int parse_joins(struct settings *s, const char *value)
{
	char *end;
	unsigned long count = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || count > MOST_JOINS)
		return -EINVAL;
	s->join_count = (unsigned)count;
	return 0;
}

static int parse(struct settings *s, int count, char **arguments)
{
	int at = 0;
	while (at + 1 < count && strcmp(arguments[at], "run") != 0) {
		const char *word = arguments[at++];
		const char *value = arguments[at++];
		if (strcmp(word, "env") == 0 && s->variable_count < MOST_VARIABLES) {
			s->environment[s->variable_count++] = arguments[at - 1];
			continue;
		}
		if (strcmp(word, "join") == 0) {
			if (parse_joins(s, value) < 0)
				return -EINVAL;
			continue;
		}
		if (value[0] != '/' || value[1] == '\0')
			return -EINVAL;
		if (strcmp(word, "bind") == 0 && s->bind_count < MOST_BINDS)
			s->binds[s->bind_count++] = (struct bind){value, -1};
		else if (strcmp(word, "link") == 0 && s->link_count < MOST_BINDS && at < count) {
			s->links[s->link_count][0] = value;
			s->links[s->link_count++][1] = arguments[at++];
		} else
			return -EINVAL;
	}
	if (at + 1 >= count)
		return -EINVAL;
	s->program = arguments + at + 1; /* which a null pointer ends, as all arguments */
	return 0;
}

/* Each is the `tasks` of a v1 group or the `cgroup.procs` of a v2 one; there is one thread, which `0` stands for. */
static int join_group(const struct settings *s)
{
	for (unsigned i = 0; i < s->join_count; i++) {
		if (write(FIRST_FREE + (int)i, "0", 1) != 1)
			return -errno;
		close(FIRST_FREE + (int)i);
	}
	return 0;
}

static uid_t own_id(void) { return GATE_FIRST_ID + (uid_t)getpid(); }

static int own_namespaces(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) < 0)
		return -errno;
	return result(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

/*
 * Files of root are shown as the process's own, so that it can read those that nobody else may. A file system that cannot do that
 * is shown as it is.
 */
static int show_source(int mount, int owner)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_IDMAP,
				  .userns_fd = (uint64_t)owner};
	int error = set_mount(mount, 0, &attr);
	if (error != -EINVAL)
		return error;
	attr.attr_set &= ~(uint64_t)MOUNT_ATTR_IDMAP;
	return set_mount(mount, 0, &attr);
}

static int copy_sources(struct settings *s, int *device_mounts)
{
	int owner = make_user_namespace(own_id(), 1);
	if (owner < 0)
		return owner;
	for (unsigned i = 0; i < s->bind_count; i++) {
		int mount = open_tree_at(AT_FDCWD, s->binds[i].path, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
		if (mount < 0)
			return mount;
		s->binds[i].mount = mount;
		int error = show_source(mount, owner);
		if (error < 0)
			return error;
	}
	close(owner);
	struct mount_attr fixed = {.attr_set = MOUNT_ATTR_RDONLY};
	int error = 0;
	for (unsigned i = 0; error == 0 && i < DEVICES; i++) {
		device_mounts[i] = device_mount(&device_nodes[devices[i]]);
		error = device_mounts[i] < 0 ? device_mounts[i] : set_mount(device_mounts[i], 0, &fixed);
	}
	return error;
}

/* Makes the directories on the way to an absolute path, below the new root. */
static int make_parents(int root, const char *path)
{
	char part[4096];
	if (strlen(path) >= sizeof part)
		return -ENAMETOOLONG;
	for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		size_t length = (size_t)(slash - path) - 1;
		memcpy(part, path + 1, length);
		part[length] = '\0';
		if (mkdirat(root, part, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int make_target(int root, const char *path, bool directory)
{
	int error = make_parents(root, path);
	if (error < 0)
		return error;
	if (directory)
		return mkdirat(root, path + 1, 0755) < 0 && errno != EEXIST ? -errno : 0;
	int file = openat(root, path + 1, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444);
	if (file < 0)
		return -errno;
	close(file);
	return 0;
}

static int make_places(int root, const struct settings *s)
{
	struct stat stat;
	int error = 0;
	for (unsigned i = 0; error == 0 && i < s->bind_count; i++)
		error = fstat(s->binds[i].mount, &stat) < 0 ? -errno : make_target(root, s->binds[i].path, S_ISDIR(stat.st_mode));
	for (unsigned i = 0; error == 0 && i < DEVICES; i++)
		error = make_target(root, device_nodes[devices[i]].path, false);
	for (unsigned i = 0; error == 0 && i < s->link_count; i++) {
		error = make_parents(root, s->links[i][0]);
		if (error == 0)
			error = result(symlinkat(s->links[i][1], root, s->links[i][0] + 1));
	}
	return error;
}

static int change_root(const struct settings *s)
{
	int root = new_root();
	int error = root < 0 ? root : make_places(root, s);
	if (error == 0)
		error = attach_at(root, "/");
	return error < 0 ? error : enter_root(root);
}

static int attach_sources(const struct settings *s, const int *device_mounts)
{
	int error = 0;
	for (unsigned i = 0; error == 0 && i < s->bind_count; i++)
		error = attach_at(s->binds[i].mount, s->binds[i].path);
	for (unsigned i = 0; error == 0 && i < DEVICES; i++)
		error = attach_at(device_mounts[i], device_nodes[devices[i]].path);
	if (error < 0)
		return error;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -errno : set_mount(root, 0, &attr);
}

/* A limit that is lower stays so. */
static int set_limits(void)
{
	static const struct {
		int resource;
		rlim_t most;
	} limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 2048}, {RLIMIT_NPROC, 1024}, {RLIMIT_MEMLOCK, 64 << 20}};
	for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
		struct rlimit limit;
		if (getrlimit(limits[i].resource, &limit) < 0)
			return -errno;
		if (limit.rlim_max > limits[i].most)
			limit.rlim_max = limits[i].most;
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(limits[i].resource, &limit) < 0)
			return -errno;
	}
	return 0;
}

/* Without KEEPCAPS, the change of the user clears all capabilities; what is left is read back. */
static int shed_privileges(void)
{
	uid_t id = own_id();
	int error = drop_bounding(0);
	if (error < 0)
		return error;
	if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0}, {0}};
	if (syscall(SYS_capset, &header, data) < 0 || syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (unsigned i = 0; i < 2; i++)
		if ((data[i].effective | data[i].permitted | data[i].inheritable) != 0)
			return -EPERM;
	return 0;
}

/* The streams of whoever started the engine are not its own. */
static int set_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -errno;
	for (int i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			return -errno;
	return close_from(FIRST_FREE, ~0U);
}

static _Noreturn void give_up(enum gate_step step, int error)
{
	struct gate_failure failure = {.step = (uint8_t)step, .error = -error};
	send(SOCKET, &failure, sizeof failure, MSG_NOSIGNAL | MSG_DONTWAIT); /* an engine that is gone needs no word */
	_exit(125);
}

static void require(enum gate_step step, int error)
{
	if (error < 0)
		give_up(step, error);
}

_Noreturn void gate(int count, char **arguments)
{
	static struct settings s;
	int device_mounts[DEVICES];
	sigset_t none;
	sigemptyset(&none);
	require(GATE_ARGUMENTS, parse(&s, count, arguments));
	require(GATE_GROUP, join_group(&s));
	require(GATE_NAMESPACES, own_namespaces());
	require(GATE_SOURCES, copy_sources(&s, device_mounts));
	require(GATE_ROOT, change_root(&s));
	require(GATE_MOUNTS, attach_sources(&s, device_mounts));
	require(GATE_LIMITS, set_limits());
	require(GATE_PRIVILEGES, shed_privileges());
	require(GATE_STREAMS, set_streams());
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(s.program[0], s.program, s.environment);
	give_up(GATE_EXECUTE, -errno);
}
