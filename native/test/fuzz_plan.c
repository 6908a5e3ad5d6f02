/*
 * Feeds any bytes to the decoder, and what it takes to the readers that init uses: with AddressSanitizer, a length that
 * the one let through and the other trips over ends the run. Built for libFuzzer, or with REPLAY for the files given.
 */
#include "../plan.h"
#include "../reader.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* What init relies on without looking again. */
static void check_step(const struct plan *plan, uint32_t index)
{
	const struct step *step = &plan->steps[index];
	struct reader payload = {step->payload, step->length, false};
	uint32_t length, number;
	must(step->phase < PHASE_COUNT && (index == 0 || plan->steps[index - 1].phase <= step->phase));
	must((step->opcode == OP_SEAL) == (index == 0) && (step->opcode == OP_EXEC) == (index + 1u == plan->count));
	switch (step->opcode) {
	case OP_JOIN_CGROUP:
	case OP_ROOT:
	case OP_MOUNT_FD:
		number = read_u16(&payload);
		must(number >= SLOT_FIRST_FREE && number < plan->slots && number < PLAN_MAX_SLOTS);
		break;
	case OP_MASK:
	case OP_READ_ONLY: {
		const uint8_t *path = read_bytes(&payload, &length);
		must(length > 0 && length < 4096 && path[0] != '/' && !memchr(path, 0, length));
		break;
	}
	case OP_DEVICE:
		number = read_u8(&payload);
		must(number >= DEVICE_NULL && number <= DEVICE_TTY);
		break;
	case OP_HOST_DEVICE: {
		number = read_u16(&payload);
		must(number >= SLOT_FIRST_FREE && number < plan->slots - 1u);
		number = read_u8(&payload);
		must(number == DEVICE_CHARACTER || number == DEVICE_BLOCK);
		read_raw(&payload, 8);
		const uint8_t *path = read_bytes(&payload, &length);
		must(length > 4 && length < 4096 && memcmp(path, "dev/", 4) == 0 && !memchr(path, 0, length));
		break;
	}
	case OP_NETLINK: {
		number = read_u8(&payload);
		must(number == 0 || number == 12);
		const uint8_t *at = read_bytes(&payload, &length);
		must(length > 0 && length <= 65536);
		while (length > 0) {
			memcpy(&number, at, sizeof number); /* nlmsg_len */
			must(number >= 16 && number <= length && number % 4 == 0);
			at += number, length -= number;
		}
		break;
	}
	case OP_RESOLVER:
		must(read_u16(&payload) >= 1024 && read_u16(&payload) >= 1024);
		break;
	case OP_CAPS:
		read_raw(&payload, 24);
		number = read_u32(&payload);
		must(number <= 256 && payload.left == 4 * number);
		break;
	case OP_EXEC:
		read_raw(&payload, 2);
		read_bytes(&payload, &length);
		must(length < 4096);
		for (int list = 0; list < 2; list++) {
			number = read_u32(&payload);
			must(number <= PLAN_MAX_LIST && (list == 1 || number > 0));
			while (number-- > 0)
				read_bytes(&payload, &length);
		}
		must(!payload.failed && payload.left == 0);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct plan plan;
	uint32_t where;
	if (length > PLAN_MAX_BYTES)
		return 0;
	/* the number of descriptors is not the plan's to say: take it from there so that more is reached */
	uint16_t slots = length >= 12 ? (uint16_t)(bytes[10] | bytes[11] << 8) : 0;
	if (plan_decode(bytes, (uint32_t)length, slots, &plan, &where) != PLAN_OK)
		return 0;
	for (uint32_t i = 0; i < plan.count; i++)
		check_step(&plan, i);
	return 0;
}

#ifdef REPLAY
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "re");
		if (!file)
			return 1;
		uint8_t *bytes = malloc(PLAN_MAX_BYTES);
		size_t length = fread(bytes, 1, PLAN_MAX_BYTES, file);
		uint8_t *exact = realloc(bytes, length ? length : 1);
		LLVMFuzzerTestOneInput(exact, length);
		free(exact);
		fclose(file);
	}
	return 0;
}
#endif
