#include "probe.h"
#include "engine.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static const struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0caisson-native-test"};

int listen_at_probe(void)
{
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (const struct sockaddr *)&abstract, sizeof abstract) < 0 || listen(listener, 16) < 0)
		abort();
	return listener;
}

static bool connects(void)
{
	return connect(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), (const struct sockaddr *)&abstract, sizeof abstract) == 0;
}

const char *probe_root(void)
{
	static const char *root;
	char path[256];
	struct stat stat;
	if (root)
		return root;
	root = test_root("probe");
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
	else if (strcmp(question, "abstract") == 0)
		puts(connects() ? "connected" : "refused");
	return 0;
}
