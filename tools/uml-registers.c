/*
 * Lets user-mode Linux run on CPUs with AMX: their register file has 11,008 bytes, its own has room for 2,696, and
 * ptrace(2) takes all of it or nothing (EFAULT). Loaded into linux.uml before libc: what is set is filled up with
 * registers in their first state. Nothing in such a machine can use AMX, which a process must ask its kernel for.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

enum { MOST = 65536, HEADER = 512 }; /* the header's first word has a bit for each part that is not in its first state */
static const uint64_t amx = 3ull << 17;

static long (*next)(int, long, void *, void *);
static char registers[MOST];

static long set_all(long process, struct iovec *given)
{
	static size_t size; /* of the whole file */
	struct iovec all = {registers, sizeof registers};
	uint64_t parts;
	if (size == 0 && next(PTRACE_GETREGSET, process, (void *)NT_X86_XSTATE, &all) < 0)
		return -1;
	size = all.iov_len = size == 0 ? all.iov_len : size;
	if (size <= given->iov_len)
		return next(PTRACE_SETREGSET, process, (void *)NT_X86_XSTATE, given);
	memcpy(registers, given->iov_base, given->iov_len);
	memset(registers + given->iov_len, 0, size - given->iov_len);
	memcpy(&parts, registers + HEADER, sizeof parts);
	parts &= ~amx;
	memcpy(registers + HEADER, &parts, sizeof parts);
	return next(PTRACE_SETREGSET, process, (void *)NT_X86_XSTATE, &all);
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list rest;
	va_start(rest, request);
	long process = va_arg(rest, int);
	void *address = va_arg(rest, void *), *data = va_arg(rest, void *);
	va_end(rest);
	if (!next)
		next = (long (*)(int, long, void *, void *))dlsym(RTLD_NEXT, "ptrace");
	if (request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE)
		return set_all(process, data);
	return next(request, process, address, data);
}
