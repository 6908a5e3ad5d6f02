/* Root file systems for the tests: busybox from the distribution's busybox-static, hard links for its programs. */
#include "engine.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[64];
static pid_t owner; /* not a child of it, which may exit earlier */

const char *test_directory(void)
{
	if (!base[0]) {
		snprintf(base, sizeof base, "/tmp/caisson-native-XXXXXX");
		owner = getpid();
		if (!mkdtemp(base) || chmod(base, 0755) < 0 || atexit(remove_test_roots) != 0)
			abort();
	}
	return base;
}

static bool copy_file(const char *from, const char *to)
{
	char buffer[65536];
	ssize_t length;
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	if (in < 0 || out < 0)
		return false;
	while ((length = read(in, buffer, sizeof buffer)) > 0)
		if (write(out, buffer, (size_t)length) != length)
			return false;
	close(in), close(out);
	return length == 0;
}

const char *test_root(const char *name)
{
	static const char *const directories[] = {"", "/bin", "/etc", "/tmp", "/proc", "/sys", "/dev", "/run", "/home", "/usr"};
	static const char *const links[] = {"sh",    "cat",	   "ls",   "id",   "true",  "false", "hostname", "stat", "grep",  "mount",
					    "sleep", "kill",	   "echo", "touch", "head", "tty",   "stty",	 "pwd",	 "mkdir", "umount",
					    "test",  "readlink", "dd",   "env",   "ps",    "ip"};
	static char root[128];
	char path[256], busybox[256];
	snprintf(root, sizeof root, "%s/%s", test_directory(), name);
	for (unsigned i = 0; i < sizeof directories / sizeof *directories; i++) {
		snprintf(path, sizeof path, "%s%s", root, directories[i]);
		if (mkdir(path, 0755) < 0 || (strcmp(directories[i], "/tmp") == 0 && chmod(path, 01777) < 0))
			abort();
	}
	snprintf(busybox, sizeof busybox, "%s/bin/busybox", root);
	if (!copy_file("/bin/busybox", busybox))
		abort();
	for (unsigned i = 0; i < sizeof links / sizeof *links; i++) {
		snprintf(path, sizeof path, "%s/bin/%s", root, links[i]);
		if (link(busybox, path) < 0)
			abort();
	}
	return strdup(root);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *at)
{
	(void)stat, (void)type, (void)at;
	return remove(path);
}

void remove_test_roots(void)
{
	if (base[0] && getpid() == owner)
		nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
