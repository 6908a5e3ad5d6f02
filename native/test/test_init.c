/* Runs the real zygote and init as root. usage: test_init CAISSON-INIT [part of a test's name] */
#include "init_tests.h"
#include "probe.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct engine engine;
const char *binary, *base_root;

struct spec shell(const char *script)
{
	static const char *argv[2][4];
	static unsigned next;
	const char **words = argv[next++ % 2];
	words[0] = "sh", words[1] = "-c", words[2] = script, words[3] = NULL;
	return (struct spec){.root = base_root, .argv = words, .caps = 0x5fb};
}

void expect_exit(const struct container *container, int code)
{
	CHECK_EQUAL(0, container->reply.status);
	if (container->last.kind == REPORT_ERROR)
		fprintf(stderr, "error: phase %u step %u: %s (%u)\n", container->last.phase, container->last.step,
			strerror(container->last.status), container->last.detail);
	CHECK_EQUAL(REPORT_EXIT, container->last.kind);
	CHECK_EQUAL(code, container->last.status);
	CHECK_EQUAL(code, container->status);
}

void expect_error(const struct container *container, uint32_t phase, uint8_t opcode, int error)
{
	CHECK_EQUAL(REPORT_ERROR, container->last.kind);
	CHECK_EQUAL(phase, container->last.phase);
	CHECK_EQUAL(error, container->last.status);
	CHECK_EQUAL(125, container->status);
	CHECK(container->last.step < container->steps);
	if (container->last.step < container->steps)
		CHECK_EQUAL(opcode, container->opcodes[container->last.step]);
	CHECK_TEXT("", container->text);
}

void run_shell(const char *script, const char *expected, int code)
{
	static struct container container; /* large */
	struct spec spec = shell(script);
	container_run(&engine, &spec, &container);
	CHECK_TEXT(expected, container.text);
	expect_exit(&container, code);
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	if (argc == 2 && strcmp(argv[0], "/bin/probe") == 0)
		return answer_probe(argv[1]);
	if (argc < 2 || geteuid() != 0) {
		fprintf(stderr, "usage, as root: %s CAISSON-INIT [NAME]\n", argv[0]);
		return 2;
	}
	binary = argv[1];
	const char *filter = argc > 2 ? argv[2] : NULL;
	/* what a careless engine leaves open */
	int leaked = open("/etc", O_RDONLY | O_DIRECTORY);
	dup2(leaked, 57), dup2(leaked, 4), dup2(leaked, 200);
	base_root = test_root("base");
	if (!engine_start(&engine, binary)) {
		remove_test_roots();
		return 2;
	}
	run_tests(launch_tests, launch_test_count, filter, &passed, &failed);
	run_tests(kernel_tests, kernel_test_count, filter, &passed, &failed);
	run_tests(step_tests, step_test_count, filter, &passed, &failed);
	run_tests(first_process_tests, first_process_test_count, filter, &passed, &failed);
	run_tests(zygote_state_tests, zygote_state_test_count, filter, &passed, &failed);
	run_tests(program_tests, program_test_count, filter, &passed, &failed);
	run_tests(idle_tests, idle_test_count, filter, &passed, &failed);
	run_tests(root_tests, root_test_count, filter, &passed, &failed);
	run_tests(device_tests, device_test_count, filter, &passed, &failed);
	run_tests(fault_tests, fault_test_count, filter, &passed, &failed);
	run_tests(hostile_tests, hostile_test_count, filter, &passed, &failed);
	run_tests(zygote_tests, zygote_test_count, filter, &passed, &failed);
	run_tests(engine_end_tests, engine_end_test_count, filter, &passed, &failed);
	run_tests(exec_tests, exec_test_count, filter, &passed, &failed);
	run_tests(link_tests, link_test_count, filter, &passed, &failed);
	run_tests(network_tests, network_test_count, filter, &passed, &failed);
	run_tests(files_tests, files_test_count, filter, &passed, &failed);
	run_tests(files_tree_tests, files_tree_test_count, filter, &passed, &failed);
	run_tests(gate_tests, gate_test_count, filter, &passed, &failed);
	engine_stop(&engine);
	remove_test_roots();
	printf("init: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
