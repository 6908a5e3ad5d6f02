/* Runs the real monitor, with its zygote and init, as root. usage: test_monitor CAISSON-INIT [part of a test's name] */
#include "monitor_tests.h"

#include <sys/stat.h>
#include <unistd.h>

struct engine engine;
const char *binary, *base_root;
struct watched watched;

struct spec shell(const char *script)
{
	static const char *argv[2][4];
	static unsigned next;
	const char **words = argv[next++ % 2];
	words[0] = "sh", words[1] = "-c", words[2] = script, words[3] = NULL;
	return (struct spec){.root = base_root, .argv = words, .caps = 0x5fb};
}

bool begin(const char *script, alteration *alter)
{
	struct spec spec = shell(script);
	return watched_begin(&watched, &engine, binary, &spec, alter);
}

/* How it ends, once it has been started. */
struct monitor_state run(void)
{
	struct monitor_state none = {0};
	return start() == 0 ? await_phase(watched.socket, MONITOR_EXITED) : none;
}

int start(void)
{
	struct monitor_start started;
	int error = ask_op(watched.socket, MONITOR_START, 0, NULL, 0, &started, sizeof started);
	if (error > 0)
		fprintf(stderr, "start: %d, zygote %d at %u, init %d in phase %u, step %u\n", error, started.reply.status,
			started.reply.stage, started.report.status, started.report.phase, started.report.step);
	return error;
}

unsigned open_files(int pid)
{
	char path[64];
	struct stat link;
	unsigned open = 0;
	for (int fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
		open += lstat(path, &link) == 0;
	}
	return open;
}

/* The monitor closes what was passed to it only after its answer: waits up to a second for `expected`, and returns what is
 * open then. */
unsigned files_settled(int pid, unsigned expected)
{
	unsigned open = open_files(pid);
	for (int tries = 0; tries < 200 && open != expected; tries++) {
		usleep(5000);
		open = open_files(pid);
	}
	return open;
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	if (argc < 2 || geteuid() != 0) {
		fprintf(stderr, "usage, as root: %s CAISSON-INIT [NAME]\n", argv[0]);
		return 2;
	}
	binary = argv[1];
	const char *filter = argc > 2 ? argv[2] : NULL;
	base_root = test_root("base");
	if (!engine_start(&engine, binary)) {
		remove_test_roots();
		return 2;
	}
	run_tests(monitor_run_tests, monitor_run_test_count, filter, &passed, &failed);
	run_tests(monitor_end_tests, monitor_end_test_count, filter, &passed, &failed);
	run_tests(monitor_group_tests, monitor_group_test_count, filter, &passed, &failed);
	run_tests(monitor_setup_tests, monitor_setup_test_count, filter, &passed, &failed);
	run_tests(monitor_link_tests, monitor_link_test_count, filter, &passed, &failed);
	run_tests(monitor_status_tests, monitor_status_test_count, filter, &passed, &failed);
	run_tests(monitor_health_tests, monitor_health_test_count, filter, &passed, &failed);
	run_tests(monitor_client_tests, monitor_client_test_count, filter, &passed, &failed);
	run_tests(monitor_exec_tests, monitor_exec_test_count, filter, &passed, &failed);
	run_tests(monitor_log_tests, monitor_log_test_count, filter, &passed, &failed);
	run_tests(monitor_random_tests, monitor_random_test_count, filter, &passed, &failed);
	engine_stop(&engine);
	remove_test_roots();
	printf("monitor: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
