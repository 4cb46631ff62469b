/* SPDX-License-Identifier: BSD-2-Clause */
/* unit.h -- a main() for one file of tests: UNIT_MAIN("floor/file", test_a, test_b, ...)
 *
 * Each test is written with check's START_TEST(a_sentence_that_could_be_false) { ... } END_TEST
 */
#pragma once

#include <check.h>
#include <stdlib.h>

static int unit_run(const char *name, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create("all");
	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define UNIT_MAIN(name, ...)                                                                   \
	int main(void)                                                                         \
	{                                                                                      \
		const TTest *const tests[] = { __VA_ARGS__ };                                  \
		return unit_run(name, tests, sizeof tests / sizeof tests[0]);                  \
	}
