/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/config.h"
#include "ctl/option.h"
#include "unit/unit.h"

#include <ctype.h>
#include <string.h>

static const struct option *row_of(const char *key)
{
	for (size_t i = 0; i < OPTIONS_N; i++)
		if (strcmp(option_rows[i].key, key) == 0)
			return &option_rows[i];
	ck_abort_msg("no row %s", key);
}

static uint64_t read_as(const char *key, const char *text)
{
	struct arena arena = { 0 };
	struct err err;
	uint64_t value = 0;
	struct option_word word = {
		.text = text, .len = strlen(text), .is_plain = true, .folder = ""
	};
	int rc = option_read(row_of(key), &word, &value, &arena, &err);
	arena_fini(&arena);
	return rc < 0 ? UINT64_MAX : value;
}

START_TEST(times_are_read_with_their_units)
{
	ck_assert_uint_eq(read_as("server.tcp-idle", "100ms"), 100);
	ck_assert_uint_eq(read_as("server.tcp-idle", "10s"), 10000);
	ck_assert_uint_eq(read_as("server.tcp-idle", "2m30s"), 150000);
	ck_assert_uint_eq(read_as("server.tcp-idle", "1h"), 3600000);
	ck_assert_uint_eq(read_as("server.tcp-idle", "1h1ms"), UINT64_MAX);
	ck_assert_uint_eq(read_as("server.tcp-idle", "1s1s"), UINT64_MAX);
	ck_assert_uint_eq(read_as("server.tcp-idle", "s"), UINT64_MAX);
	ck_assert_uint_eq(read_as("server.tcp-idle", "18446744073709551615w"), UINT64_MAX);
	ck_assert_uint_eq(read_as("server.tcp-idle", "10000000000000000w"), UINT64_MAX);
	ck_assert_uint_eq(read_as("server.tcp-idle", " 10s"), UINT64_MAX);
}
END_TEST

START_TEST(sizes_are_read_in_powers_of_1024)
{
	ck_assert_uint_eq(read_as("server.tcp-memory", "64MB"), 64ull << 20);
	ck_assert_uint_eq(read_as("server.tcp-memory", "1048576B"), 1ull << 20);
	ck_assert_uint_eq(read_as("server.tcp-memory", "2GB"), 2ull << 30);
	ck_assert_uint_eq(read_as("server.tcp-memory", "2TB"), UINT64_MAX);
	ck_assert_uint_eq(read_as("server.tcp-memory", "64mb"), UINT64_MAX);
	ck_assert_uint_eq(read_as("server.tcp-memory", "64 MB"), UINT64_MAX);
	ck_assert_uint_eq(read_as("server.tcp-memory", ""), UINT64_MAX);
}
END_TEST

START_TEST(a_value_that_is_refused_leaves_the_one_before)
{
	struct arena arena = { 0 };
	struct err err;
	uint64_t value = 7;
	struct option_word word = { .text = "300", .len = 3, .is_plain = true, .folder = "" };
	ck_assert_int_lt(option_read(row_of("server.workers"), &word, &value, &arena, &err), 0);
	ck_assert_uint_eq(value, 7);
	ck_assert_str_eq(err.text, "300 is outside 1..256");
	arena_fini(&arena);
}
END_TEST

START_TEST(every_row_can_be_shown_and_is_told_in_one_sentence)
{
	for (size_t i = 0; i < OPTIONS_N; i++) {
		const struct option *row = &option_rows[i];
		char range[128] = "";
		size_t n = strlen(row->help);
		ck_assert_uint_gt(n, 0);
		ck_assert(isupper((unsigned char)row->help[0]) && row->help[n - 1] == '.');
		ck_assert_uint_gt(strlen(option_range(range, sizeof range, row)), 0);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(row->key, option_rows[j].key);
	}
}
END_TEST

START_TEST(relative_paths_count_from_the_folder)
{
	struct arena arena = { 0 };
	ck_assert_str_eq(option_path(&arena, "conf", "../zones"), "conf/../zones");
	ck_assert_str_eq(option_path(&arena, "", "zones"), "zones");
	ck_assert_str_eq(option_path(&arena, "conf", "/zones"), "/zones");
	arena_fini(&arena);
}
END_TEST

UNIT_MAIN("ctl/option", times_are_read_with_their_units, sizes_are_read_in_powers_of_1024,
	a_value_that_is_refused_leaves_the_one_before,
	every_row_can_be_shown_and_is_told_in_one_sentence,
	relative_paths_count_from_the_folder)
