/* Runs the tests of single files, whose kernel is played where they ask one. No root. */
#include "unit_tests.h"

int main(void)
{
	unsigned passed = 0, failed = 0;
	run_tests(unit_zygote_tests, unit_zygote_test_count, NULL, &passed, &failed);
	run_tests(unit_links_tests, unit_links_test_count, NULL, &passed, &failed);
	run_tests(unit_monitor_zygote_tests, unit_monitor_zygote_test_count, NULL, &passed, &failed);
	run_tests(unit_files_filter_tests, unit_files_filter_test_count, NULL, &passed, &failed);
	run_tests(unit_monitor_filter_tests, unit_monitor_filter_test_count, NULL, &passed, &failed);
	printf("units: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
