/* Writes the fuzz corpus: a plan of every kind, good and bad. usage: make_corpus DIRECTORY */
#include "samples.h"

#include <stdio.h>

static const char *directory;
static unsigned failed;

static void save(struct builder *plan, const char *kind, unsigned number)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s-%02u", directory, kind, number);
	FILE *file = fopen(path, "we");
	if (!file || fwrite(plan->bytes, 1, plan->length, file) != plan->length || fclose(file) != 0)
		failed++;
	builder_free(plan);
}

int main(int argc, char **argv)
{
	struct builder plan;
	if (argc != 2)
		return 2;
	directory = argv[1];
	sample_plan(&plan, PHASE_COUNT, 0, NULL);
	save(&plan, "least", 0);
	sample_plan_of_all(&plan);
	save(&plan, "all", 0);
	for (unsigned i = 0; i < sample_count; i++) {
		sample_plan(&plan, samples[i].phase, samples[i].opcode, samples[i].good);
		save(&plan, "good", i);
	}
	for (unsigned i = 0; i < bad_sample_count; i++) {
		sample_plan(&plan, bad_samples[i].phase, bad_samples[i].opcode, bad_samples[i].payload);
		if (plan.length <= 4096)
			save(&plan, "bad", i);
		else
			builder_free(&plan);
	}
	sample_exec_plan(&plan, NULL, 0);
	save(&plan, "exec", 0);
	for (unsigned i = 0; i < bad_exec_sample_count; i++) {
		struct sample bad = {bad_exec_samples[i].phase, bad_exec_samples[i].opcode, bad_exec_samples[i].payload};
		sample_exec_plan(&plan, &bad, 0);
		save(&plan, "bad-exec", i);
	}
	for (unsigned i = 0; i < 4; i++) {
		sample_filter_plan(&plan, i & 1, i & 2 ? PHASE_CAPS : PHASE_FILTER, true);
		save(&plan, "filter", i);
	}
	return failed != 0;
}
