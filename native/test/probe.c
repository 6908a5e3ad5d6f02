#include "probe.h"
#include "engine.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *probe_root(void)
{
	char path[256];
	struct stat stat;
	const char *root = test_root("probe");
	snprintf(path, sizeof path, "%s/bin/probe", root);
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), out = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	if (fstat(in, &stat) < 0 || sendfile(out, in, NULL, (size_t)stat.st_size) != stat.st_size)
		abort();
	close(in), close(out);
	return root;
}

int answer_probe(const char *question)
{
	int signal = 0;
	if (strcmp(question, "keyring") == 0)
		printf("%ld\n", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
	else if (strcmp(question, "death-signal") == 0 && prctl(PR_GET_PDEATHSIG, &signal) == 0)
		printf("%d\n", signal);
	return 0;
}
