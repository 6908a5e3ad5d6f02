/* caisson-init: the parts of a launch that cannot be done from a JVM. Started by the engine, never by hand. */
#include "monitor.h"
#include "plan.h"
#include "zygote.h"

#include <stdio.h>
#include <string.h>

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

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "zygote") == 0)
		zygote();
	if (argc == 2 && strcmp(argv[1], "monitor") == 0)
		monitor();
	if (argc == 2 && strcmp(argv[1], "--phases") == 0)
		return print_phases();
	fputs("caisson-init: this program is started by the caisson engine (modes: zygote, monitor, --phases)\n", stderr);
	return 125;
}
