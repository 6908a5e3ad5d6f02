/* The file service's own filter: calls that name files by descriptor, and its socket. */
#include "files_parts.h"
#include "init.h"
#include "own_filter.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const struct sock_filter filter[] = {
	LOAD_NATIVE_NUMBER,
	ALLOW(__NR_ppoll),
#ifdef __NR_poll
	ALLOW(__NR_poll),
#endif
	ALLOW(__NR_recvmsg),
	ALLOW(__NR_recvfrom),
	ALLOW(__NR_sendmsg),
	ALLOW(__NR_openat2),
	ALLOW(__NR_openat),
	ALLOW(__NR_fstat),
	ALLOW(__NR_newfstatat),
	ALLOW(__NR_fstatfs),
	ALLOW(__NR_close),
	ALLOW(__NR_write),
	ALLOW(__NR_getdents64),
	ALLOW(__NR_readlinkat),
	ALLOW(__NR_getrandom),
	ALLOW(__NR_fchown),
	ALLOW(__NR_fchownat),
	ALLOW(__NR_fchmod),
	ALLOW(__NR_fchmodat),
	ALLOW(__NR_utimensat),
	ALLOW(__NR_renameat2),
	ALLOW(__NR_unlinkat),
	ALLOW(__NR_mkdirat),
	ALLOW(__NR_symlinkat),
	ALLOW(__NR_linkat),
	ALLOW(__NR_mmap),
	ALLOW(__NR_fchdir),
	ALLOW(__NR_inotify_init1),
	ALLOW(__NR_inotify_add_watch),
	ALLOW(__NR_exit_group),
	ALLOW(__NR_restart_syscall),
	ALLOW(__NR_rt_sigreturn),
	KILL,
};

int files_confine(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_NAME, "caisson-files") < 0)
		return -errno;
	return load_filter((const uint8_t *)filter, sizeof filter);
}
