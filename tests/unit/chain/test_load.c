/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain/load.h"
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The shared objects lie beside the test. */
static const struct link *load(const char *name, struct err *err)
{
	char path[256];
	(void)snprintf(path, sizeof path, "tests/unit/chain/plugin-%s.so", name);
	return chain_plugin_load(path, err);
}

START_TEST(a_plugin_brings_its_link_and_the_same_file_the_same_one)
{
	struct err err;
	const struct link *link = load("GOOD", &err);
	ck_assert_ptr_nonnull(link);
	ck_assert_str_eq(link->kind, "tried");
	ck_assert_uint_eq(link->options_n, 2);
	ck_assert_ptr_nonnull(link->prepare(NULL, NULL, 0));
	ck_assert_ptr_eq(load("GOOD", &err), link);
	ck_assert_ptr_eq(
		chain_plugin_load("./tests/unit/chain/../chain/plugin-GOOD.so", &err), link);
}
END_TEST

START_TEST(a_plugin_of_another_abi_is_refused_with_both_numbers)
{
	struct err err;
	ck_assert_ptr_null(load("ABI", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "ABI 99"));
	ck_assert_ptr_nonnull(strstr(err.text, "this rootward has ABI 1"));
	ck_assert_ptr_nonnull(strstr(err.text, "plugin-ABI.so"));
}
END_TEST

START_TEST(what_cannot_be_used_is_refused_with_the_reason)
{
	static const struct {
		const char *name, *why;
	} rows[] = { { "NO_SYMBOL", "rootward_link is missing" },
		{ "KIND", "its kind is no word" }, { "ROWS", "the key of an option" },
		{ "TWICE", "an option comes twice" },
		{ "CALLS", "prepare, release, open and ask" },
		{ "WAITS", "event or cancel is missing" }, { "NOT_THERE", "No such file" } };
	for (size_t i = 0; i < array_len(rows); i++) {
		struct err err;
		ck_assert_ptr_null(load(rows[i].name, &err));
		ck_assert_msg(strstr(err.text, rows[i].why) != NULL, "%s", err.text);
	}
}
END_TEST

START_TEST(files_that_are_no_shared_objects_are_refused)
{
	char path[] = "/tmp/rootward-test-XXXXXX";
	struct err err;
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "text", 4), 4);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_ptr_null(chain_plugin_load(path, &err));
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_int_eq(chmod(path, 0666), 0);
	ck_assert_ptr_null(chain_plugin_load(path, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "everybody may write it"));
	(void)unlink(path);
	ck_assert_ptr_null(chain_plugin_load("/tmp", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "not a regular file"));
	ck_assert_ptr_null(chain_plugin_load("/dev/zero", &err));
}
END_TEST

UNIT_MAIN("chain/load", a_plugin_brings_its_link_and_the_same_file_the_same_one,
	a_plugin_of_another_abi_is_refused_with_both_numbers,
	what_cannot_be_used_is_refused_with_the_reason,
	files_that_are_no_shared_objects_are_refused)
