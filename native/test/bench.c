/*
 * Times launches. usage: bench zygote CAISSON-INIT COUNT [FILTER]     through the zygote, by phase
 *                        bench command COUNT -- PROGRAM [ARGUMENT...]  fork, exec and wait, for comparison
 * FILTER is a file of struct sock_filter. All figures in microseconds.
 */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 10000 };

static double clock_micros(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double children_cpu(void)
{
	struct rusage usage;
	getrusage(RUSAGE_CHILDREN, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static void print(const char *name, double *values, int count)
{
	qsort(values, (size_t)count, sizeof *values, compare);
	printf("%-12s p10 %8.0f  p50 %8.0f  p90 %8.0f  p99 %8.0f\n", name, values[count / 10], values[count / 2], values[count * 9 / 10],
	       values[count * 99 / 100]);
}

static size_t read_filter(const char *path, void *bytes, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(bytes, 1, size, file) : 0;
	if (file)
		fclose(file);
	return length;
}

static int time_zygote(const char *binary, int count, const char *filter)
{
	static const char *const argv[] = {"/bin/true", NULL};
	static double ready[MOST], total[MOST], phases[PHASE_COUNT][MOST];
	static struct container container;
	static char bytes[4096 * 8];
	struct engine engine;
	struct spec spec = {.root = test_root("bench"), .argv = argv, .caps = 0x5fb, .root_flags = ROOT_VOLATILE};
	if (filter)
		spec.filter = bytes, spec.filter_bytes = read_filter(filter, bytes, sizeof bytes);
	if (!engine_start(&engine, binary))
		return 1;
	int failed = 0;
	for (int i = -20; i < count; i++) { /* the first ones warm up */
		double before = clock_micros();
		container_launch(&engine, &spec, &container);
		double at_ready = clock_micros();
		container_start(&container);
		container_finish(&container);
		failed += container.status != 0;
		if (i < 0)
			continue;
		ready[i] = at_ready - before;
		total[i] = clock_micros() - before;
		for (int phase = 0; phase < PHASE_COUNT; phase++)
			phases[phase][i] = container.ready.phase_micros[phase];
	}
	engine_stop(&engine);
	remove_test_roots();
	for (int phase = 0; phase < PHASE_FILTER; phase++)
		print(plan_phase_names[phase], phases[phase], count);
	print("until READY", ready, count);
	print("until reaped", total, count);
	printf("%d failed; %.0f CPU a launch, the zygote's share included\n", failed, children_cpu() / (count + 20));
	return failed != 0;
}

static int time_command(int count, char **argv)
{
	static double total[MOST];
	int failed = 0;
	for (int i = -5; i < count; i++) {
		int status;
		double before = clock_micros();
		pid_t pid = fork();
		if (pid == 0) {
			execvp(argv[0], argv);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) < 0)
			return 1;
		failed += status != 0;
		if (i >= 0)
			total[i] = clock_micros() - before;
	}
	print(argv[0], total, count);
	printf("%d failed; %.0f CPU each\n", failed, children_cpu() / (count + 5));
	return failed != 0;
}

int main(int argc, char **argv)
{
	int count = argc > 3 ? atoi(argv[strcmp(argv[1], "zygote") == 0 ? 3 : 2]) : 0;
	if (count < 1 || count > MOST)
		return 2;
	if (strcmp(argv[1], "zygote") == 0)
		return time_zygote(argv[2], count, argc > 4 ? argv[4] : NULL);
	return argc > 4 && strcmp(argv[3], "--") == 0 ? time_command(count, argv + 4) : 2;
}
