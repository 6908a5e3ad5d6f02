#ifndef CAISSON_DEVICES_H
#define CAISSON_DEVICES_H

#include "plan.h"

struct device_node {
	const char *path; /* absolute; without the slash it is the name in a container's root */
	unsigned major, minor;
};

extern const struct device_node device_nodes[DEVICE_TTY + 1]; /* by enum device */

/* 0, or -ENXIO when `fd` is not this character device. */
int check_device(int fd, const struct device_node *node);

#endif
