/* What a caller's process is, as text: equal texts are equal places. Also whether the clone's build is up to date. */
#include "front.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Lines of /proc/self/status that are the caller's own choice. */
static const char *const STATUS[] = {"Umask:", "Uid:", "Gid:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:",
				     "NoNewPrivs:", "Seccomp:", "Cpus_allowed:", "Mems_allowed:"};

static const char *const NAMESPACES[] = {"cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static ssize_t read_file(const char *path, char *bytes, size_t size)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -1;
	size_t length = 0;
	ssize_t count;
	while (length < size - 1 && (count = read(file, bytes + length, size - 1 - length)) > 0)
		length += (size_t)count;
	close(file);
	bytes[length] = 0;
	return (ssize_t)length;
}

static int is_chosen(const char *line)
{
	for (size_t i = 0; i < COUNT(STATUS); i++)
		if (strncmp(line, STATUS[i], strlen(STATUS[i])) == 0)
			return 1;
	return 0;
}

static int add_status(FILE *out)
{
	char status[FRONT_MAX_PLACE];
	if (read_file("/proc/self/status", status, sizeof status) <= 0)
		return -1;
	unsigned chosen = 0;
	char *rest = status;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (is_chosen(line)) {
			fprintf(out, "%s\n", line);
			chosen++;
		}
	return chosen == COUNT(STATUS) ? 0 : -1;
}

/* A kernel may lack one; then both sides do. */
static int add_namespaces(FILE *out)
{
	for (size_t i = 0; i < COUNT(NAMESPACES); i++) {
		char path[64];
		struct stat found;
		snprintf(path, sizeof path, "/proc/self/ns/%s", NAMESPACES[i]);
		if (stat(path, &found) == 0)
			fprintf(out, "%s %llx:%llx\n", NAMESPACES[i], (unsigned long long)found.st_dev, (unsigned long long)found.st_ino);
		else if (errno != ENOENT)
			return -1;
	}
	return 0;
}

/* The limits that people set for one command. Others differ between services and sessions of one host. */
static void add_limits(FILE *out)
{
	static const __rlimit_resource_t LIMITS[] = {RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_AS};
	for (size_t i = 0; i < COUNT(LIMITS); i++) {
		struct rlimit limit;
		if (getrlimit(LIMITS[i], &limit) == 0)
			fprintf(out, "limit %d %llu %llu\n", (int)LIMITS[i], (unsigned long long)limit.rlim_cur,
				(unsigned long long)limit.rlim_max);
	}
}

int front_place(char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");
	if (!out)
		return -1;
	struct stat root;
	int failed = stat("/", &root) != 0 || add_status(out) != 0 || add_namespaces(out) != 0;
	fprintf(out, "root %llx:%llx\nnice %d\n", (unsigned long long)root.st_dev, (unsigned long long)root.st_ino,
		getpriority(PRIO_PROCESS, 0));
	add_limits(out);
	long length = ftell(out);
	failed |= ferror(out) != 0;
	failed |= fclose(out) != 0;
	return failed || length <= 0 || (size_t)length >= size ? -1 : (int)length;
}

/* ---- freshness ---- */

static int newer(const struct stat *file, const struct timespec *than)
{
	return file->st_mtim.tv_sec != than->tv_sec ? file->st_mtim.tv_sec > than->tv_sec : file->st_mtim.tv_nsec > than->tv_nsec;
}

static int fresh_file(int directory, const char *name, const struct timespec *built)
{
	struct stat found;
	return fstatat(directory, name, &found, 0) != 0 || !newer(&found, built);
}

enum { MOST_DEPTH = 32 };

/* All files below. Directories count too: a file that is gone leaves only that trace. */
static int fresh_tree(int above, const char *name, const struct timespec *built, int depth)
{
	int opened = depth < MOST_DEPTH ? openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (opened < 0)
		return depth < MOST_DEPTH && errno == ENOENT;
	DIR *list = fdopendir(opened);
	if (!list) {
		close(opened);
		return 0;
	}
	int fresh = 1;
	for (struct dirent *entry; fresh && (entry = readdir(list)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		fresh = fresh_file(dirfd(list), entry->d_name, built);
		if (fresh && entry->d_type == DT_DIR)
			fresh = fresh_tree(dirfd(list), entry->d_name, built, depth + 1);
	}
	closedir(list);
	return fresh;
}

/* The files of the launcher's `built`. */
static int fresh_room(int clone, const char *room, const struct timespec *built)
{
	char path[NAME_MAX + 16];
	snprintf(path, sizeof path, "%s/pom.xml", room);
	if (!fresh_file(clone, path, built))
		return 0;
	snprintf(path, sizeof path, "%s/src/main", room);
	return fresh_tree(clone, path, built, 0);
}

static int is_native_source(const char *name)
{
	size_t length = strlen(name);
	return strcmp(name, "Makefile") == 0 ||
	       (length > 2 && name[length - 2] == '.' && (name[length - 1] == 'c' || name[length - 1] == 'h'));
}

static int fresh_native(int clone, const struct timespec *built)
{
	DIR *list = NULL;
	int opened = openat(clone, "native", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (opened < 0)
		return errno == ENOENT;
	int fresh = (list = fdopendir(opened)) != NULL;
	for (struct dirent *entry; fresh && (entry = readdir(list)) != NULL;)
		fresh = !is_native_source(entry->d_name) || fresh_file(opened, entry->d_name, built);
	if (list)
		closedir(list);
	else
		close(opened);
	return fresh;
}

static int fresh_rooms(int clone, const struct timespec *built)
{
	int copy = openat(clone, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	if (!list)
		return 0;
	int fresh = 1;
	for (struct dirent *entry; fresh && (entry = readdir(list)) != NULL;)
		fresh = entry->d_name[0] == '.' || entry->d_type == DT_REG || fresh_room(clone, entry->d_name, built);
	closedir(list);
	return fresh;
}

int front_is_fresh(const char *clone)
{
	int directory = open(clone, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat state;
	if (directory < 0)
		return 0;
	int fresh = fstatat(directory, ".caisson/current", &state, 0) == 0 && fresh_file(directory, "caisson", &state.st_mtim) &&
		    fresh_file(directory, "pom.xml", &state.st_mtim) && fresh_file(directory, "tools/build", &state.st_mtim) &&
		    fresh_tree(directory, ".mvn", &state.st_mtim, 0) && fresh_native(directory, &state.st_mtim) &&
		    fresh_rooms(directory, &state.st_mtim);
	close(directory);
	return fresh;
}
