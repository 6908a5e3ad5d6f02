/* What stands in a request for links: names, indices and addresses, before the kernel is asked for anything. */
#include "plan.h"

#include <string.h>

enum { NAME_BYTES = 16, FIRST_GUEST_INDEX = 2, LEAST_MTU = 68, MOST_MTU = 65535, GROUP_BIT = 1 };

static bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

/* Letters, digits and hyphens alone: a name is also a part of a path below /proc/sys. */
static bool valid_name(const char name[NAME_BYTES], const char *start)
{
	size_t length = strnlen(name, NAME_BYTES);
	if (length == 0 || length == NAME_BYTES || !is_letter(name[0]) || strncmp(name, start, strlen(start)) != 0)
		return false;
	for (size_t i = 0; i < NAME_BYTES; i++)
		if (i < length ? !is_letter(name[i]) && !(name[i] >= '0' && name[i] <= '9') && name[i] != '-' : name[i] != 0)
			return false;
	return true;
}

static bool valid_link(const struct plan_link *link)
{
	static const uint8_t none[sizeof link->mac];
	return valid_name(link->host, "cv") && valid_name(link->bridge, "cn") && valid_name(link->guest, "") &&
	       strcmp(link->guest, "lo") != 0 && link->guest_index >= FIRST_GUEST_INDEX && link->guest_index <= INT32_MAX &&
	       link->mtu >= LEAST_MTU && link->mtu <= MOST_MTU && !(link->mac[0] & GROUP_BIT) &&
	       memcmp(link->mac, none, sizeof none) != 0 && link->isolated <= 1 && link->reserved == 0;
}

static bool collides(const struct plan_link *one, const struct plan_link *other)
{
	return strcmp(one->host, other->host) == 0 || strcmp(one->guest, other->guest) == 0 || one->guest_index == other->guest_index;
}

bool valid_links(const struct links *links)
{
	static const struct plan_link none;
	if (links->count == 0 || links->count > PLAN_MAX_LINKS)
		return false;
	for (uint32_t i = 0; i < PLAN_MAX_LINKS; i++) {
		const struct plan_link *link = &links->link[i];
		if (i >= links->count ? memcmp(link, &none, sizeof none) != 0 : !valid_link(link))
			return false;
		for (uint32_t k = 0; i < links->count && k < i; k++)
			if (collides(link, &links->link[k]))
				return false;
	}
	return true;
}
