/* The filter of the process that reads and writes files of containers. */
#include "../files_confine.c"
#include "filter_judge.h"
#include "unit_tests.h"

int load_filter(const uint8_t *bytes, uint32_t length)
{
	(void)bytes, (void)length;
	return 0;
}

static void allows_calls_by_descriptor_alone(void)
{
	static const int allowed[] = {
		SYS_ppoll,    SYS_recvmsg,  SYS_recvfrom, SYS_sendmsg,	  SYS_openat2,	SYS_openat,   SYS_fstat,     SYS_newfstatat, SYS_fstatfs,
		SYS_close,    SYS_write,    SYS_getdents64, SYS_readlinkat, SYS_getrandom, SYS_fchown, SYS_fchownat, SYS_fchmod,     SYS_fchmodat,
		SYS_utimensat, SYS_renameat2, SYS_unlinkat, SYS_mkdirat,	  SYS_symlinkat, SYS_linkat,  SYS_mmap,	     SYS_fchdir,     SYS_inotify_init1,
		SYS_inotify_add_watch, SYS_exit_group, SYS_restart_syscall, SYS_rt_sigreturn,
#ifdef SYS_poll
		SYS_poll,
#endif
	};
	expect_calls(filter, sizeof filter / sizeof *filter, NATIVE_ARCH, allowed, sizeof allowed / sizeof *allowed);
}

const struct test unit_files_filter_tests[] = {{"calls of files", allows_calls_by_descriptor_alone}};
const unsigned unit_files_filter_test_count = sizeof unit_files_filter_tests / sizeof *unit_files_filter_tests;
