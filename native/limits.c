/* Phase LIMITS: what is set on the process or its namespaces by one call each. */
#include "init.h"
#include "kernel.h"

#include <linux/keyctl.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

int loopback(struct init *init, struct reader *payload)
{
	(void)init, (void)payload;
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = result(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (fd < 0)
		return fd;
	int error = result(ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
	return error;
}

int set_hostname(struct init *init, struct reader *payload)
{
	(void)init;
	uint32_t length;
	const uint8_t *name = read_bytes(payload, &length);
	return result(sethostname((const char *)name, length));
}

int set_domainname(struct init *init, struct reader *payload)
{
	(void)init;
	uint32_t length;
	const uint8_t *name = read_bytes(payload, &length);
	return result(setdomainname((const char *)name, length));
}

int set_limit(struct init *init, struct reader *payload)
{
	(void)init;
	uint32_t resource = read_u32(payload);
	uint64_t pair[2];
	pair[0] = read_u64(payload);
	pair[1] = read_u64(payload);
	return result(syscall(SYS_prlimit64, 0, resource, pair, NULL));
}

/*
 * The files of a process that is not dumpable belong to the root of the host, whom the container does not have. Nobody
 * else is in the container yet, so it is dumpable for as long as it takes to open the file.
 */
int set_oom_score(struct init *init, struct reader *payload)
{
	char text[16];
	int length = snprintf(text, sizeof text, "%d", read_i32(payload));
	if (init->proc < 0)
		return -ENODEV;
	if (prctl(PR_SET_DUMPABLE, 1) < 0)
		return -errno;
	int fd = open_in(init->proc, "1/oom_score_adj", O_WRONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || fd < 0)
		return fd < 0 ? fd : -errno;
	int error = write(fd, text, (size_t)length) == length ? 0 : -errno;
	close(fd);
	return error;
}

/* An anonymous session keyring of its own: the one that came with the engine holds the engine's keys. */
int session_keyring(struct init *init, struct reader *payload)
{
	(void)init, (void)payload;
	return result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
}
