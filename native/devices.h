#ifndef CAISSON_DEVICES_H
#define CAISSON_DEVICES_H

#include "plan.h"
#include "reader.h"

struct device_node {
	const char *path; /* absolute; without the slash it is the name in a container's root */
	unsigned major, minor;
};

extern const struct device_node device_nodes[DEVICE_TTY + 1]; /* by enum device */

/* 0, or -ENXIO when `fd` is not this character device. */
int check_device(int fd, const struct device_node *node);

/* A device of the host as a plan names it. */
struct host_device {
	uint16_t slot;
	uint8_t kind; /* enum device_kind */
	uint32_t major, minor;
};

struct host_device read_host_device(struct reader *payload);
int check_host_device(int fd, const struct host_device *device);

#endif
