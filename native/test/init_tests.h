#ifndef CAISSON_TEST_INIT_TESTS_H
#define CAISSON_TEST_INIT_TESTS_H

#include "check.h"
#include "engine.h"

#include <errno.h>

enum { CLONE_NEWTIME_ = 0x80 };

extern struct engine engine;
extern const char *binary, *base_root;

/* `sh -c script` in the base root with ten capabilities; good until the next call. */
struct spec shell(const char *script);

void expect_exit(const struct container *, int code);
/* An error report of this phase, at a step of this opcode (of the plan's last step for OP_EXEC). */
void expect_error(const struct container *, uint32_t phase, uint8_t opcode, int error);

/* Runs the script, and expects its output and exit code. */
void run_shell(const char *script, const char *expected, int code);

extern const struct test launch_tests[], kernel_tests[], program_tests[], root_tests[], device_tests[], hostile_tests[], zygote_tests[],
	engine_end_tests[], fault_tests[], step_tests[], first_process_tests[],
	zygote_state_tests[], exec_tests[], link_tests[], network_tests[], files_tests[], files_tree_tests[], idle_tests[], gate_tests[];
extern const unsigned launch_test_count, kernel_test_count, program_test_count, root_test_count, device_test_count, hostile_test_count,
	zygote_test_count, engine_end_test_count, fault_test_count, step_test_count, first_process_test_count, zygote_state_test_count,
	exec_test_count, link_test_count, network_test_count, files_test_count, files_tree_test_count, idle_test_count,
	gate_test_count;

#endif
