/*
 * Compiles rules with libseccomp, as an independent opinion: libseccomp OPTIMIZE OUTPUT <RULES
 *
 *   default ACTION
 *   arch NAME                          the machine's own comes first, libseccomp's name of it
 *   rule ACTION CALL [INDEX OP A B]... numbers in decimal; OP is enum scmp_compare
 *
 * Prints "unknown CALL" for a name that this libseccomp does not have, and last "built NANOSECONDS".
 */
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what, int code)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-code));
	exit(2);
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void rule(scmp_filter_ctx ctx, uint32_t default_action)
{
	uint32_t action = strtoul(strtok(NULL, " \n"), NULL, 10);
	const char *name = strtok(NULL, " \n");
	struct scmp_arg_cmp conditions[6];
	unsigned int count = 0;

	for (char *word = strtok(NULL, " \n"); word && count < 6; word = strtok(NULL, " \n")) {
		struct scmp_arg_cmp *c = &conditions[count++];

		c->arg = strtoul(word, NULL, 10);
		c->op = strtoul(strtok(NULL, " \n"), NULL, 10);
		c->datum_a = strtoull(strtok(NULL, " \n"), NULL, 10);
		c->datum_b = strtoull(strtok(NULL, " \n"), NULL, 10);
	}
	int number = seccomp_syscall_resolve_name(name);
	if (number == __NR_SCMP_ERROR) {
		printf("unknown %s\n", name);
		return;
	}
	if (action == default_action)
		return;
	int result = seccomp_rule_add_array(ctx, action, number, count, conditions);
	if (result)
		fail(name, result);
}

int main(int argc, char **argv)
{
	char line[4096];
	scmp_filter_ctx ctx = NULL;
	uint32_t default_action = 0;
	int own = 1, result;
	long long began = now();

	if (argc != 3)
		return 2;
	while (fgets(line, sizeof(line), stdin)) {
		const char *word = strtok(line, " \n");

		if (!strcmp(word, "default")) {
			default_action = strtoul(strtok(NULL, " \n"), NULL, 10);
			ctx = seccomp_init(default_action);
			if (!ctx)
				return 2;
			seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, atoi(argv[1]));
		} else if (!strcmp(word, "arch")) {
			uint32_t arch = seccomp_arch_resolve_name(strtok(NULL, " \n"));

			if (own && arch != seccomp_arch_native()) {
				if ((result = seccomp_arch_remove(ctx, seccomp_arch_native())))
					fail("arch", result);
			}
			if (!own || arch != seccomp_arch_native()) {
				if ((result = seccomp_arch_add(ctx, arch)))
					fail("arch", result);
			}
			own = 0;
		} else {
			rule(ctx, default_action);
		}
	}
	int fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return 2;
	result = seccomp_export_bpf(ctx, fd);
	if (result)
		fail("export", result);
	printf("built %lld\n", now() - began);
	return 0;
}
