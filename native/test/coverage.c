/*
 * Notes which parts of the program have run, for tools/native-mutants: with -fsanitize-coverage=trace-pc, gcc calls this at each
 * basic block. The file COVERAGE has a byte for each address. It is mapped before main, so that children have it too, whatever they close and
 * wherever their root is.
 */
#include "check.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

extern char __executable_start[];

void __sanitizer_cov_trace_pc(void);

static uint8_t nowhere[COVERAGE_SIZE], *map = nowhere;

__attribute__((constructor)) static void map_file(void)
{
	int fd = open(COVERAGE, O_RDWR | O_CLOEXEC);
	void *shared = mmap(NULL, COVERAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared != MAP_FAILED)
		map = shared;
	if (fd >= 0)
		close(fd);
}

void __sanitizer_cov_trace_pc(void)
{
	uintptr_t at = (uintptr_t)__builtin_return_address(0) - (uintptr_t)__executable_start;
	if (at < COVERAGE_SIZE)
		map[at] = 1;
}
