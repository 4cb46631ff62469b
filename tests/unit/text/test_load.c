/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/load.h"
#include "unit/unit.h"
#include "zone/zone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const uint8_t origin[] = "\7example";
static char path[64];

static const char good[] = "@ 300 SOA ns host 7 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n";

static void file_write(const char *text, const char *more)
{
	if (!path[0]) {
		(void)snprintf(path, sizeof path, "/tmp/rootward-test-XXXXXX");
		int fd = mkstemp(path);
		ck_assert_int_ge(fd, 0);
		(void)close(fd);
	}
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	(void)fprintf(file, "%s%s", text, more);
	ck_assert_int_eq(fclose(file), 0);
}

static void end(struct load *load)
{
	if (load->zone)
		zone_drop(&load->zone);
	load_fini(load);
	(void)unlink(path);
	path[0] = '\0';
}

static bool says(const struct load *load, size_t i, const char *words)
{
	return i < load->complaints.n && strstr(load->complaints.list[i].text, words);
}

START_TEST(a_good_file_becomes_a_zone_without_a_word)
{
	struct load load;
	file_write(good, "");
	ck_assert_int_eq(load_zone(&load, path, origin, NULL), 0);
	ck_assert_ptr_nonnull(load.zone);
	ck_assert_uint_eq(load.records, 3);
	ck_assert_uint_eq(load.complaints.n, 0);
	ck_assert_uint_eq(load.files.n, 1);
	ck_assert(!zonefile_files_changed(&load.files));
	ck_assert_uint_eq(zone_serial(load.zone), 7);
	end(&load);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_noted_and_refused)
{
	struct load load;
	ck_assert_int_eq(load_zone(&load, "/nonexistent/zone", origin, NULL), -EINVAL);
	ck_assert_ptr_null(load.zone);
	ck_assert_uint_eq(load.files.n, 1);
	ck_assert(says(&load, 0, "/nonexistent/zone:1:1: error: cannot read"));
	end(&load);
}
END_TEST

START_TEST(a_file_may_lie_about_its_size)
{
	struct load load;
	file_write(good, "");
	if (truncate(path, (off_t)1 << 40) < 0) {
		puts("skipped: no sparse file of that size here");
		end(&(struct load){ 0 });
		return;
	}
	ck_assert_int_eq(load_zone(&load, path, origin, NULL), -EINVAL);
	ck_assert(says(&load, 0, ":4:1: error: "));
	end(&load);
}
END_TEST

START_TEST(a_changed_zone_whose_serial_did_not_grow_is_served_with_a_warning)
{
	struct load old, new;
	file_write(good, "");
	ck_assert_int_eq(load_zone(&old, path, origin, NULL), 0);
	static const struct {
		const char *serial, *more;
		bool warns;
	} cases[] = {
		{ "7", "", false }, /* nothing changed */
		{ "7", "a A 192.0.2.2\n", true },
		{ "6", "a A 192.0.2.2\n", true },
		{ "8", "a A 192.0.2.2\n", false },
		{ "2147483654", "a A 192.0.2.2\n",
			false }, /* 7 + 2^31 - 1: the last that is larger */
		{ "2147483655", "a A 192.0.2.2\n", true },
		{ "4294967295", "a A 192.0.2.2\n", true },
	};
	for (size_t i = 0; i < array_len(cases); i++) {
		char text[256];
		(void)snprintf(text, sizeof text,
			"@ 300 SOA ns host %s 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n",
			cases[i].serial);
		file_write(text, cases[i].more);
		ck_assert_int_eq(load_zone(&new, path, origin, old.zone), 0);
		ck_assert_ptr_nonnull(new.zone);
		ck_assert_msg(new.complaints.warnings == cases[i].warns, "case %zu", i);
		if (cases[i].warns)
			ck_assert(says(
				&new, 0, ":1:1: warning: example. SOA: the content changed"));
		zone_drop(&new.zone);
		load_fini(&new);
	}
	end(&old);
}
END_TEST

START_TEST(a_fault_of_the_zone_is_told_at_the_record_too_many)
{
	struct load load;
	file_write(good, "a CNAME ns\n\na\tA 192.0.2.2\n@ SOA ns host 8 2 3 4 5\n");
	ck_assert_int_eq(load_zone(&load, path, origin, NULL), -EINVAL);
	ck_assert_ptr_null(load.zone);
	ck_assert_uint_eq(load.complaints.errors, 2);
	ck_assert(says(&load, 0, ":6:1: error: a.example. A: "));
	ck_assert(says(&load, 1, ":7:1: error: example. SOA: "));
	end(&load);
}
END_TEST

START_TEST(a_fault_without_a_record_is_told_at_the_start_of_the_file)
{
	struct load load;
	file_write("", "ns 300 A 192.0.2.1\n");
	ck_assert_int_eq(load_zone(&load, path, origin, NULL), -EINVAL);
	ck_assert(says(&load, 0, ":1:1: error: example. SOA: "));
	end(&load);
}
END_TEST

START_TEST(warnings_never_hide_an_error_of_the_zone)
{
	char more[4096];
	size_t n = 0;
	for (unsigned i = 0; i < 60; i++)
		n += (size_t)snprintf(more + n, sizeof more - n, "m%u MX 10 none%u\n", i, i);
	(void)snprintf(more + n, sizeof more - n, "z CNAME ns\nz CNAME ns2\n");
	struct load load;
	file_write(good, more);
	ck_assert_int_eq(load_zone(&load, path, origin, NULL), -EINVAL);
	ck_assert_uint_eq(load.complaints.errors, 1);
	bool is_told = false;
	for (size_t i = 0; i < load.complaints.n; i++)
		is_told |= load.complaints.list[i].is_error &&
			   says(&load, i, ":65:1: error: z.example. CNAME");
	ck_assert(is_told);
	end(&load);
}
END_TEST

UNIT_MAIN("text/load", a_good_file_becomes_a_zone_without_a_word,
	a_file_that_is_not_there_is_noted_and_refused, a_file_may_lie_about_its_size,
	a_changed_zone_whose_serial_did_not_grow_is_served_with_a_warning,
	a_fault_of_the_zone_is_told_at_the_record_too_many,
	a_fault_without_a_record_is_told_at_the_start_of_the_file,
	warnings_never_hide_an_error_of_the_zone)
