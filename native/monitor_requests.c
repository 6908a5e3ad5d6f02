/* The requests of clients: a closed list of operations. */
#include "kernel.h"
#include "monitor_parts.h"

#include <signal.h>
#include <string.h>

struct ask {
	struct monitor *m;
	struct client *client;
	const struct monitor_header *header;
	const uint8_t *payload;
};

static void answer(const struct ask *ask, int error)
{
	reply(ask->m, ask->client, ask->header, error, NULL, 0, NO_FD);
}

static void answer_state(const struct ask *ask)
{
	update_state(ask->m);
	reply(ask->m, ask->client, ask->header, 0, &ask->m->last.state, sizeof ask->m->last.state, NO_FD);
}

/* Makes the request pending. False if the client has one already, which has been answered with EBUSY. */
static bool wait_for(const struct ask *ask)
{
	if (ask->client->waits_for != 0) {
		answer(ask, EBUSY);
		return false;
	}
	ask->client->waits_for = ask->header->op;
	ask->client->sequence = ask->header->sequence;
	return true;
}

static bool is_at_rest(const struct monitor *m) { return m->phase == MONITOR_CREATED || m->phase == MONITOR_EXITED; }

static bool is_valid_signal(uint32_t number) { return number >= 1 && number < NSIG; }

/* ---- start and stop ---- */

static void start(const struct ask *ask)
{
	struct monitor *m = ask->m;
	if (ask->header->argument & ~(uint32_t)MONITOR_HOLD) {
		answer(ask, EINVAL);
		return;
	}
	if (!is_at_rest(m) || m->quits) {
		answer(ask, EALREADY);
		return;
	}
	if (!wait_for(ask))
		return;
	int error = begin_run(m, false);
	if (error < 0)
		answer_waiting(m, MONITOR_START, -error);
	else if (ask->header->argument & MONITOR_HOLD)
		m->holder = (int)(ask->client - m->client);
}

static void go(const struct ask *ask)
{
	struct monitor *m = ask->m;
	if (m->phase != MONITOR_HELD || m->holder != ask->client - m->client) {
		answer(ask, EINVAL);
		return;
	}
	int error = let_run(m);
	if (error < 0)
		answer(ask, -error);
	else
		answer_state(ask);
}

static void stop(const struct ask *ask)
{
	struct monitor *m = ask->m;
	struct monitor_stop how = {m->policy.stop_signal, m->policy.stop_millis};
	if (ask->header->length == sizeof how) {
		memcpy(&how, ask->payload, sizeof how);
	} else if (ask->header->length != 0) {
		answer(ask, EBADMSG);
		return;
	}
	if (!is_valid_signal(how.signal))
		answer(ask, EINVAL);
	else if (is_at_rest(m))
		answer_state(ask);
	else if (wait_for(ask))
		stop_run(m, how.signal, how.millis, true);
}

static void send_signal(const struct ask *ask)
{
	struct monitor *m = ask->m;
	uint32_t number = ask->header->argument & ~(uint32_t)MONITOR_FINAL;
	bool final = ask->header->argument & MONITOR_FINAL;
	if (!is_valid_signal(number)) {
		answer(ask, EINVAL);
		return;
	}
	bool waits = m->phase == MONITOR_RESTARTING && final;
	if (!has_init(m) && !waits) {
		answer(ask, ESRCH);
		return;
	}
	if (final || m->phase == MONITOR_STARTING || m->phase == MONITOR_HELD)
		stop_run(m, number, number == SIGKILL ? 0 : MONITOR_FOREVER, final);
	else if (number == SIGKILL)
		kill_init(m);
	else
		send_to_init(m, (int)number);
	answer(ask, 0);
}

static void freeze(const struct ask *ask, bool frozen)
{
	struct monitor *m = ask->m;
	const char *word = m->freezer_v1 ? (frozen ? "FROZEN" : "THAWED") : (frozen ? "1" : "0");
	bool held = frozen && ask->header->argument == MONITOR_HOLD;
	if (!held && ask->header->argument != 0) {
		answer(ask, EINVAL);
		return;
	}
	if (m->phase != (frozen ? MONITOR_RUNNING : MONITOR_PAUSED)) {
		answer(ask, EINVAL);
		return;
	}
	if (m->freezer < 0) {
		answer(ask, EOPNOTSUPP);
		return;
	}
	if (frozen)
		suspend_health(m); /* a frozen probe would not die */
	if (pwrite(m->freezer, word, strlen(word), 0) < 0) {
		answer(ask, errno);
		if (frozen)
			resume_health(m);
		return;
	}
	m->freezes = held ? (int)(ask->client - m->client) : -1;
	change_phase(m, frozen ? MONITOR_PAUSED : MONITOR_RUNNING);
	if (!frozen)
		resume_health(m);
	answer_state(ask);
}

/* ---- streams ---- */

static void write_stdin(const struct ask *ask)
{
	struct monitor *m = ask->m;
	bool end = ask->header->argument == MONITOR_EOF;
	if (ask->header->argument & ~(uint32_t)MONITOR_EOF) {
		answer(ask, EINVAL);
		return;
	}
	int taken = write_input(m, ask->payload, ask->header->length);
	if (taken < 0) {
		answer(ask, -taken);
		return;
	}
	uint32_t count = (uint32_t)taken;
	ask->client->wrote_stdin = true;
	ask->client->wants_stdin = count < ask->header->length;
	if (end && count == ask->header->length)
		close_input(m);
	reply(m, ask->client, ask->header, 0, &count, sizeof count, NO_FD);
}

static void watch(const struct ask *ask)
{
	if (ask->header->argument & ~(uint32_t)(WATCH_LOG | WATCH_STATE)) {
		answer(ask, EINVAL);
		return;
	}
	ask->client->watch = ask->header->argument;
	ask->client->unsent &= ask->client->watch | NOTE_STDIN;
	answer_state(ask);
}

/* ---- policy ---- */

bool valid_policy(const struct monitor_policy *policy)
{
	return policy->restart <= RESTART_ALWAYS && is_valid_signal(policy->stop_signal) && policy->reserved == 0 &&
	       (policy->restart == RESTART_ON_FAILURE || policy->most_restarts == 0) && policy->cpu_millis <= 1000000;
}

void set_policy(struct monitor *m, const struct monitor_policy *policy)
{
	m->policy = *policy;
	m->pace.wait_until = 0; /* the share may have changed */
	m->lease_at = policy->lease_millis == 0 ? 0 : boot_nanos() + policy->lease_millis * MILLIS;
	if (m->deadline_at != 0 || m->phase == MONITOR_RUNNING || m->phase == MONITOR_PAUSED)
		m->deadline_at = policy->deadline_millis == 0 ? 0 : m->started_at + policy->deadline_millis * MILLIS;
}

static void set(const struct ask *ask)
{
	struct monitor_policy policy;
	if (ask->header->length != sizeof policy) {
		answer(ask, EBADMSG);
		return;
	}
	memcpy(&policy, ask->payload, sizeof policy);
	if (!valid_policy(&policy)) {
		answer(ask, EINVAL);
		return;
	}
	set_policy(ask->m, &policy);
	answer_state(ask);
}

static void renew(const struct ask *ask)
{
	struct monitor *m = ask->m;
	if (m->lease_at == 0 || ask->header->argument == 0) {
		answer(ask, EINVAL);
		return;
	}
	m->lease_at = boot_nanos() + ask->header->argument * MILLIS;
	answer(ask, 0);
}

static void remove_all(const struct ask *ask)
{
	struct monitor *m = ask->m;
	if (ask->header->argument & ~(uint32_t)MONITOR_FORCE) {
		answer(ask, EINVAL);
		return;
	}
	if (!is_at_rest(m) && ask->header->argument != MONITOR_FORCE) {
		answer(ask, EBUSY);
		return;
	}
	if (!wait_for(ask))
		return;
	m->quits = true;
	if (is_at_rest(m))
		quit(m, 0);
	stop_run(m, SIGKILL, 0, true);
}

static void give_mount(const struct ask *ask)
{
	int mount, error = copy_mount(ask->m, ask->header->argument, &mount);
	reply(ask->m, ask->client, ask->header, -error, NULL, 0, error < 0 ? NO_FD : mount);
	close_fd(&mount);
}

static void give_layer(const struct ask *ask)
{
	const struct monitor *m = ask->m;
	uint32_t number = ask->header->argument;
	bool there = number < m->layer_count;
	reply(ask->m, ask->client, ask->header, there ? 0 : EINVAL, NULL, 0, there ? m->layer[number] : NO_FD);
}

static void lend(const struct ask *ask)
{
	int fd = lend_socket(ask->m, ask->header->argument);
	reply(ask->m, ask->client, ask->header, fd < 0 ? -fd : 0, NULL, 0, fd < 0 ? NO_FD : fd);
}

static void give_plan(const struct ask *ask)
{
	const int *plan = plan_of(ask->m);
	reply(ask->m, ask->client, ask->header, plan ? 0 : ENOENT, NULL, 0, plan ? *plan : NO_FD);
}

static void relink(const struct ask *ask, int *passed)
{
	static struct links links;
	if (ask->header->length != sizeof links || *passed < 0) {
		answer(ask, EBADMSG);
		return;
	}
	memcpy(&links, ask->payload, sizeof links);
	int error = take_links(ask->m, &links, passed);
	if (error < 0)
		answer(ask, -error);
	else
		answer_state(ask);
}

/* What is there stays if the table is not taken. */
static void redact_more(const struct ask *ask, int passed)
{
	if (ask->header->length != 0 || ask->header->argument != 0 || passed < 0)
		answer(ask, EBADMSG);
	else
		answer(ask, -take_redaction(passed));
}

static void share_network(const struct ask *ask, int *passed)
{
	if (ask->header->length != 0 || *passed < 0)
		answer(ask, EBADMSG);
	else
		answer(ask, ask->header->op == MONITOR_OWNER ? -take_owner(ask->m, passed) : -take_network(ask->m, passed));
}

/* Without a listener, the answer also tells a client that the request is known, and whether there is room. */
static void take_answering(const struct ask *ask, int *passed)
{
	int taken = *passed;
	if (ask->header->length != 0 || taken < 0) {
		answer(ask, has_room_for_listener(ask->m) ? EBADMSG : EBUSY);
		return;
	}
	*passed = NO_FD;
	answer(ask, keep_listener(ask->m, taken));
}

/* ---- dispatch ---- */

static void adopt(const struct ask *ask, int *passed)
{
	if (ask->header->length != MONITOR_EXEC_ID) {
		answer(ask, EBADMSG);
		return;
	}
	int taken = *passed;
	*passed = NO_FD;
	answer(ask, ask->header->op == MONITOR_ADOPT ? adopt_exec(ask->m, ask->payload, taken)
						     : adopt_terminal(ask->m, ask->payload, taken));
}

/* The descriptor that came along, or -1, is left to the caller unless the request takes it. */
void serve_request(struct monitor *m, struct client *client, const struct monitor_header *header, const uint8_t *payload, int *passed)
{
	const struct ask ask = {m, client, header, payload};
	bool takes_payload = header->op == MONITOR_STOP || header->op == MONITOR_STDIN || header->op == MONITOR_SET;
	bool known = header->op <= MONITOR_REMOVE || header->op == MONITOR_MOUNT || header->op == MONITOR_LAYER ||
		     header->op == MONITOR_LEND || header->op == MONITOR_PLAN || header->op == MONITOR_PROGRAM || header->op == MONITOR_OUTPUT;
	if (header->length != 0 && !takes_payload && known) {
		answer(&ask, EBADMSG);
		return;
	}
	switch (header->op) {
	case MONITOR_HELLO:
	case MONITOR_STATE:
		answer_state(&ask);
		break;
	case MONITOR_START:
		start(&ask);
		break;
	case MONITOR_GO:
		go(&ask);
		break;
	case MONITOR_STOP:
		stop(&ask);
		break;
	case MONITOR_SIGNAL:
		send_signal(&ask);
		break;
	case MONITOR_PAUSE:
		freeze(&ask, true);
		break;
	case MONITOR_UNPAUSE:
		freeze(&ask, false);
		break;
	case MONITOR_STDIN:
		write_stdin(&ask);
		break;
	case MONITOR_RESIZE: {
		int error = resize(m, header->argument);
		answer(&ask, -error);
		break;
	}
	case MONITOR_WATCH:
		watch(&ask);
		break;
	case MONITOR_SET:
		set(&ask);
		break;
	case MONITOR_RENEW:
		renew(&ask);
		break;
	case MONITOR_REMOVE:
		remove_all(&ask);
		break;
	case MONITOR_ADOPT:
	case MONITOR_READ:
		adopt(&ask, passed);
		break;
	case MONITOR_ANSWER:
		take_answering(&ask, passed);
		break;
	case MONITOR_MOUNT:
		give_mount(&ask);
		break;
	case MONITOR_LAYER:
		give_layer(&ask);
		break;
	case MONITOR_LEND:
		lend(&ask);
		break;
	case MONITOR_PLAN:
		give_plan(&ask);
		break;
	case MONITOR_REDACT:
		redact_more(&ask, *passed);
		break;
	case MONITOR_RELINK:
		relink(&ask, passed);
		break;
	case MONITOR_NETWORK:
	case MONITOR_OWNER:
		share_network(&ask, passed);
		break;
	case MONITOR_PROGRAM:
		reply(m, client, header, m->program < 0 ? ENOENT : 0, NULL, 0, m->program);
		break;
	case MONITOR_OUTPUT:
		reply(m, client, header, m->log.output < 0 ? EINVAL : 0, NULL, 0, m->log.output);
		break;
	default: /* also a second SETUP */
		answer(&ask, EOPNOTSUPP);
	}
}
