/* caisson-init: the parts of a launch that cannot be done from a JVM. Started by the engine, never by hand. */
#include "gate.h"
#include "monitor.h"
#include "plan.h"
#include "zygote.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int print_phases(void)
{
	const struct opcode_rule *rule;
	for (unsigned i = 0; (rule = plan_opcode(i)) != NULL; i++) {
		printf("%u %s %s", rule->opcode, rule->name, plan_phase_names[rule->phase]);
		if (rule->other_phase != rule->phase)
			printf(" %s", plan_phase_names[rule->other_phase]);
		putchar('\n');
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

/*
 * Turns huge pages off for zeroed memory. Little of it is ever touched, and many of these processes live long: with huge pages,
 * the first byte would cost 2 MiB in each. Failure is harmless: the kernel may have no huge pages.
 */
static void use_small_pages(void)
{
	extern char __bss_start[], _end[];
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = ((uintptr_t)__bss_start + page - 1) & ~(page - 1);
	madvise((void *)from, (uintptr_t)_end - from, MADV_NOHUGEPAGE);
}

int main(int argc, char **argv)
{
	use_small_pages();
	if (argc == 2 && strcmp(argv[1], "zygote") == 0)
		zygote(false);
	if (argc == 3 && strcmp(argv[1], "zygote") == 0 && strcmp(argv[2], "links") == 0)
		zygote(true);
	if (argc == 2 && strcmp(argv[1], "monitor") == 0)
		monitor();
	if (argc > 2 && strcmp(argv[1], "gate") == 0)
		gate(argc - 2, argv + 2);
	if (argc == 2 && strcmp(argv[1], "--phases") == 0)
		return print_phases();
	fputs("caisson-init: this program is started by the caisson engine (modes: zygote, zygote links, monitor, gate, --phases)\n", stderr);
	return 125;
}
