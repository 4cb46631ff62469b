/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/zones/: good files give the records of their .expect; bad files give its complaints, no
 * more and no less.
 *
 * A line of an .expect in bad/ is [FILE:]LINE:COLUMN: error|warning: WORDS; the words must be
 * in the complaint. With RECORD=1 in the environment the good ones' .expect are printed instead
 * of compared. */
#include "text/load.h"
#include "text/rdata.h"
#include "unit/unit.h"
#include "wire/name.h"
#include "zone/zone.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

enum {
	LINES_MAX = 1 << 16
};

static const uint8_t origin[] = "\7example";
static char expected[LINES_MAX], got[LINES_MAX];

static void path_of(char *out, size_t size, const char *rest)
{
	const char *root = getenv("srcdir");
	(void)snprintf(out, size, "%s/tests/zones/%s", root ? root : ".", rest);
}

/* The text beside a zone file: NAME.zone, NAME.expect. */
static void expect_read(const char *zone)
{
	char path[4096];
	size_t n = strlen(zone) - strlen("zone");
	(void)snprintf(path, sizeof path, "%.*sexpect", (int)n, zone);
	FILE *file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s is missing", path);
	size_t len = fread(expected, 1, sizeof expected - 1, file);
	expected[len] = '\0';
	(void)fclose(file);
}

static int on_record(void *user, const struct record *record, struct err *err)
{
	size_t *n = user;
	(void)err;
	ck_assert_uint_lt(*n, sizeof got - 1);
	*n += record_print(got + *n, sizeof got - *n, record);
	ck_assert_uint_lt(*n, sizeof got - 1);
	got[(*n)++] = '\n';
	got[*n] = '\0';
	return 0;
}

START_TEST(good_files_give_the_records_written_beside_them)
{
	char pattern[4096];
	glob_t files;
	path_of(pattern, sizeof pattern, "good/*.zone");
	ck_assert_int_eq(glob(pattern, 0, NULL, &files), 0);
	ck_assert_uint_ge(files.gl_pathc, 15);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i];
		struct complaints complaints = { 0 };
		size_t n = 0;
		long records = zonefile_scan(path, origin, on_record, &n, &complaints, NULL);
		ck_assert_msg(
			complaints.n == 0, "%s", complaints.n ? complaints.list[0].text : "");
		ck_assert_int_gt(records, 0);
		if (getenv("RECORD")) {
			char out[4096];
			(void)snprintf(
				out, sizeof out, "%.*sexpect", (int)strlen(path) - 4, path);
			FILE *file = fopen(out, "w");
			ck_assert_ptr_nonnull(file);
			(void)fwrite(got, 1, n, file);
			(void)fclose(file);
			continue;
		}
		expect_read(path);
		ck_assert_msg(strcmp(expected, got) == 0, "%s gives\n%s", path, got);
	}
	globfree(&files);
}
END_TEST

/* One complaint against one line of the .expect. */
static bool is_as_expected(
	const char *folder, const char *zone, const char *line, const char *complaint)
{
	const char *words = strstr(line, "error: ");
	words = words ? words + strlen("error: ") : strstr(line, "warning: ");
	if (!words)
		return false;
	if (strncmp(words, "warning: ", 9) == 0)
		words += 9;
	char begin[8192];
	int at = line[0] >= '0' && line[0] <= '9' ? snprintf(begin, sizeof begin, "%s:%.*s",
							    zone, (int)(words - line), line)
						  : snprintf(begin, sizeof begin, "%s/%.*s",
							    folder, (int)(words - line), line);
	const char *end = strchr(complaint, '\n');
	const char *found = strstr(complaint, words);
	return strncmp(complaint, begin, (size_t)at) == 0 && found && (!end || found < end);
}

static void compare_complaints(const char *folder, const char *path, const struct complaints *c)
{
	char *save = NULL;
	size_t n = 0;
	for (char *line = strtok_r(expected, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save), n++) {
		ck_assert_msg(n < c->n, "%s: no complaint '%s'", path, line);
		ck_assert_msg(is_as_expected(folder, path, line, c->list[n].text),
			"%s: expected\n%s\nbut got\n%s", path, line, c->list[n].text);
	}
	ck_assert_msg(
		n == c->n, "%s: not expected:\n%s", path, n < c->n ? c->list[n].text : "");
}

START_TEST(bad_files_give_the_complaints_written_beside_them)
{
	char folder[4000], pattern[4096];
	glob_t files;
	path_of(folder, sizeof folder, "bad");
	path_of(pattern, sizeof pattern, "bad/*.zone");
	ck_assert_int_eq(glob(pattern, 0, NULL, &files), 0);
	ck_assert_uint_ge(files.gl_pathc, 40);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i];
		struct load load;
		int rc = load_zone(&load, path, origin, NULL);
		if (getenv("RECORD")) {
			for (size_t k = 0; k < load.complaints.n; k++)
				puts(load.complaints.list[k].text);
		} else {
			expect_read(path);
			compare_complaints(folder, path, &load.complaints);
		}
		ck_assert_int_eq(rc == 0, load.complaints.errors == 0);
		ck_assert_int_eq(rc == 0, load.zone != NULL);
		zone_drop(&load.zone);
		load_fini(&load);
	}
	globfree(&files);
}
END_TEST

/* zones/NAME.zone is the zone NAME. */
START_TEST(the_examples_are_zones_without_a_fault)
{
	char pattern[4096];
	glob_t files;
	path_of(pattern, sizeof pattern, "../../zones/*.zone");
	ck_assert_int_eq(glob(pattern, 0, NULL, &files), 0);
	ck_assert_uint_ge(files.gl_pathc, 5);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *file = strrchr(files.gl_pathv[i], '/') + 1;
		struct name name;
		struct load load;
		ck_assert_int_eq(
			name_from_text(&name, file, strlen(file) - strlen("zone"), NULL, NULL),
			0);
		int rc = load_zone(&load, files.gl_pathv[i], name.bytes, NULL);
		ck_assert_msg(rc == 0 && load.complaints.n == 0, "%s",
			load.complaints.n ? load.complaints.list[0].text : file);
		zone_drop(&load.zone);
		load_fini(&load);
	}
	globfree(&files);
}
END_TEST

UNIT_MAIN("text/zones", good_files_give_the_records_written_beside_them,
	bad_files_give_the_complaints_written_beside_them,
	the_examples_are_zones_without_a_fault)
