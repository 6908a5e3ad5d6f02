/* The decoder's two halves: the order and number of steps in plan.c, what stands in each in payloads.c. */
#ifndef CAISSON_PAYLOADS_H
#define CAISSON_PAYLOADS_H

#include "plan.h"
#include "reader.h"

/* What of the plan before it a step is checked against. */
struct context {
	uint16_t kind, slots;
	bool slot_used[PLAN_MAX_SLOTS + 1];
	uint16_t seen[UINT8_MAX + 1];
};

typedef enum plan_error check(struct reader *, struct context *);

check payload_nothing, payload_only_slot, payload_root_slot, payload_only_path, payload_name, payload_mount_fs,
	payload_mount_fd, payload_make_dir, payload_file, payload_link_to, payload_device, payload_console, payload_host_device,
	payload_sysctl, payload_rlimit, payload_oom_score, payload_caps, payload_landlock, payload_ready, payload_filter,
	payload_exec, payload_enter, payload_files, payload_netlink, payload_resolver,
	payload_await_link, payload_gateway, payload_netlink_socket, payload_sysctl_file;

#endif
