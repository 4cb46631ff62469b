/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/source.h"
#include "text/zonefile.h"
#include "unit/unit.h"
#include "wire/name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t origin[] = "\7example";

static char folder[64];

static void folder_make(void)
{
	(void)snprintf(folder, sizeof folder, "/tmp/rootward-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void path_of(char *out, size_t size, const char *name)
{
	(void)snprintf(out, size, "%s/%s", folder, name);
}

static void file_write(const char *name, const char *text)
{
	char path[128];
	path_of(path, sizeof path, name);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	(void)fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void folder_remove(const char *const *names, size_t n)
{
	char path[128];
	for (size_t i = 0; i < n; i++) {
		path_of(path, sizeof path, names[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

struct seen {
	long n;
	long cancel_at;  /* this record, from 1 */
	int verdict;     /* for each */
	uint8_t last[4]; /* RDATA's first bytes */
	uint32_t ttl;
};

static int on_record(void *user, const struct record *record, struct err *err)
{
	struct seen *seen = user;
	seen->n++;
	seen->ttl = record->ttl;
	memcpy(seen->last, record->rdata, record->rdata_len < 4 ? record->rdata_len : 4);
	if (seen->n == seen->cancel_at)
		return -ECANCELED;
	return seen->verdict ? err_set(err, seen->verdict, "judged") : 0;
}

static long scan(
	const char *name, struct seen *seen, struct complaints *c, struct zonefile_files *files)
{
	char path[128];
	path_of(path, sizeof path, name);
	return zonefile_scan(path, origin, on_record, seen, c, files);
}

START_TEST(a_file_of_many_windows_keeps_its_records_and_line_numbers)
{
	folder_make();
	char path[128];
	path_of(path, sizeof path, "z");
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	for (unsigned i = 0; i < 200000; i++)
		(void)fprintf(file, "host%u 300 A (\n 10.%u.%u.%u )\n", i, i >> 16,
			i >> 8 & 255, i & 255);
	(void)fprintf(file, "end 300 A 10.0.0.256\nend 300 A 10.9.9.9");
	ck_assert_int_eq(fclose(file), 0);
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(scan("z", &seen, &c, NULL), -1);
	ck_assert_int_eq(seen.n, 200001);
	ck_assert_mem_eq(seen.last, "\12\11\11\11", 4);
	ck_assert_uint_eq(c.errors, 1);
	ck_assert_ptr_nonnull(strstr(c.list[0].text, "z:400001:11: error: end.example. A: "));
	complaints_fini(&c);
	folder_remove((const char *const[]){ "z" }, 1);
}
END_TEST

struct sum {
	uint64_t hash;
};

static int on_sum(void *user, const struct record *r, struct err *err)
{
	struct sum *sum = user;
	(void)err;
	const uint8_t *parts[] = { r->owner, r->rdata };
	const size_t sizes[] = { name_len(r->owner), r->rdata_len };
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < sizes[k]; i++)
			sum->hash = (sum->hash ^ parts[k][i]) * 0x100000001b3u;
	sum->hash = (sum->hash ^ r->type) * 0x100000001b3u;
	return 0;
}

START_TEST(the_window_onto_a_file_changes_nothing)
{
	enum {
		SIZE = 8 * SOURCE_RECORD_MAX
	};
	char *text = malloc(SIZE + 4096);
	ck_assert_ptr_nonnull(text);
	size_t n = 0;
	uint32_t x = 1;
	while (n < SIZE - SOURCE_RECORD_MAX) {
		x = x * 1664525 + 1013904223;
		size_t gap = x >> 28 == 0 ? x >> 12 & 0x7ffff : x >> 20 & 63;
		n += (size_t)sprintf(text + n, "h%u 300 TXT ( \"%u;(\" ; (\"\n", x % 1000, x);
		memset(text + n, x & 1 ? '\n' : ' ', gap);
		n += gap;
		n += (size_t)sprintf(
			text + n, " \\\"%u )\n\tAAAA 2001:db8::%x\n", x, x & 0xffff);
	}
	folder_make();
	char path[128];
	path_of(path, sizeof path, "z");
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, n, file), n);
	ck_assert_int_eq(fclose(file), 0);
	struct sum whole = { 0 }, seen = { 0 };
	struct complaints c = { 0 };
	long records = zonefile_scan_text("z", text, n, origin, on_sum, &whole, &c);
	ck_assert_int_gt(records, 200);
	ck_assert_int_eq(zonefile_scan(path, origin, on_sum, &seen, &c, NULL), records);
	ck_assert_uint_eq(seen.hash, whole.hash);
	ck_assert_uint_eq(c.n, 0);
	free(text);
	folder_remove((const char *const[]){ "z" }, 1);
}
END_TEST

START_TEST(a_line_without_end_is_refused_before_it_is_read)
{
	folder_make();
	char path[128];
	path_of(path, sizeof path, "z");
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	for (unsigned i = 0; i < 4 * SOURCE_RECORD_MAX; i++)
		(void)fputc('x', file);
	ck_assert_int_eq(fclose(file), 0);
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(scan("z", &seen, &c, NULL), -1);
	ck_assert_uint_eq(c.errors, 1);
	ck_assert_ptr_nonnull(
		strstr(c.list[0].text, "z:1:1: error: what begins here does not end within"));
	complaints_fini(&c);
	folder_remove((const char *const[]){ "z" }, 1);
}
END_TEST

START_TEST(a_word_may_be_as_long_as_rdata_and_no_longer)
{
	size_t size = LEX_TOKEN_MAX + 64;
	char *text = malloc(size);
	ck_assert_ptr_nonnull(text);
	for (int more = 0; more < 2; more++) {
		size_t n = (size_t)snprintf(text, size, "a 300 TYPE65280 \\# 65535 ");
		size_t digits = 2 * 65535 + 2 * (size_t)more;
		memset(text + n, 'a', digits);
		struct seen seen = { 0 };
		struct complaints c = { 0 };
		long records =
			zonefile_scan_text("z", text, n + digits, origin, on_record, &seen, &c);
		ck_assert_int_eq(records, more ? -1 : 1);
		complaints_fini(&c);
	}
	size_t n = (size_t)snprintf(text, size, "a 300 TXT ");
	memset(text + n, 'a', LEX_TOKEN_MAX + 1);
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(zonefile_scan_text("z", text, n + LEX_TOKEN_MAX + 1, origin, on_record,
				 &seen, &c),
		-1);
	ck_assert_ptr_nonnull(
		strstr(c.list[0].text, "z:1:11: error: a.example. TXT: the word is too long"));
	complaints_fini(&c);
	free(text);
}
END_TEST

START_TEST(errors_are_counted_beyond_those_kept_and_push_warnings_out)
{
	char text[16384];
	size_t n = 0;
	for (unsigned i = 0; i < 50; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
			"a%u 300 A 1.1.1.1\na%u 200 A 1.1.1.2\n", i, i);
	for (unsigned i = 0; i < 15; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "a%u 300 A x\n", i);
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(zonefile_scan_text("z", text, n, origin, on_record, &seen, &c), -1);
	ck_assert_uint_eq(c.errors, 15);
	ck_assert_uint_eq(c.warnings, 50);
	ck_assert_uint_eq(c.n, COMPLAINTS_MAX);
	size_t errors = 0;
	for (size_t i = 0; i < c.n; i++)
		errors += c.list[i].is_error;
	ck_assert_uint_eq(errors, 15);
	complaints_fini(&c);
}
END_TEST

START_TEST(garbage_ends_after_many_errors)
{
	size_t n = 200000;
	char *text = malloc(n);
	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < n; i++)
		text[i] = "a\n"[i % 2];
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(zonefile_scan_text("z", text, n, origin, on_record, &seen, &c), -1);
	ck_assert_uint_eq(c.errors, 10000);
	complaints_fini(&c);
	free(text);
}
END_TEST

START_TEST(the_receiver_may_refuse_warn_or_end_the_scan)
{
	static const char text[] = "a 300 A 1.1.1.1\nb 300 A 1.1.1.2\nc 300 A 1.1.1.3\n";
	struct seen seen = { .verdict = -EINVAL };
	struct complaints c = { 0 };
	ck_assert_int_eq(
		zonefile_scan_text("z", text, sizeof text - 1, origin, on_record, &seen, &c),
		-1);
	ck_assert_uint_eq(c.errors, 3);
	ck_assert_ptr_nonnull(strstr(
		c.list[1].text, "z:2:1: error: b.example. A: judged\nb 300 A 1.1.1.2\n^"));
	complaints_fini(&c);

	seen = (struct seen){ .verdict = 1 };
	ck_assert_int_eq(
		zonefile_scan_text("z", text, sizeof text - 1, origin, on_record, &seen, &c),
		3);
	ck_assert_uint_eq(c.errors, 0);
	ck_assert_uint_eq(c.warnings, 3);
	complaints_fini(&c);

	seen = (struct seen){ .cancel_at = 2 };
	ck_assert_int_eq(
		zonefile_scan_text("z", text, sizeof text - 1, origin, on_record, &seen, &c),
		1);
	ck_assert_int_eq(seen.n, 2);
	ck_assert_uint_eq(c.n, 0);
}
END_TEST

START_TEST(text_in_memory_includes_nothing)
{
	static const char text[] = "$INCLUDE /etc/hostname\n";
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(
		zonefile_scan_text("z", text, sizeof text - 1, origin, on_record, &seen, &c),
		-1);
	ck_assert_ptr_nonnull(
		strstr(c.list[0].text, "z:1:10: error: nothing can be included here"));
	complaints_fini(&c);
}
END_TEST

START_TEST(a_change_of_any_file_is_seen)
{
	folder_make();
	file_write("z", "a 300 A 1.1.1.1\n$INCLUDE i\n$INCLUDE i\n");
	file_write("i", "b 300 A 1.1.1.2\n");
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	struct zonefile_files files = { 0 };
	ck_assert_int_eq(scan("z", &seen, &c, &files), 3);
	ck_assert_uint_eq(files.n, 2);
	ck_assert(!zonefile_files_changed(&files));
	file_write("i", "b 300 A 1.1.1.2\nc 300 A 1.1.1.3\n");
	ck_assert(zonefile_files_changed(&files));
	zonefile_files_fini(&files);

	ck_assert_int_eq(scan("z", &seen, &c, &files), 5);
	char path[128];
	path_of(path, sizeof path, "i");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(zonefile_files_changed(&files));
	zonefile_files_fini(&files);

	/* A file that was not there and still is not is no change; its coming is one. */
	ck_assert_int_eq(scan("z", &seen, &c, &files), -1);
	ck_assert(!zonefile_files_changed(&files));
	file_write("i", "");
	ck_assert(zonefile_files_changed(&files));
	zonefile_files_fini(&files);
	complaints_fini(&c);
	folder_remove((const char *const[]){ "z", "i" }, 2);
}
END_TEST

START_TEST(a_link_leads_out_of_the_folder_in_vain)
{
	folder_make();
	char path[128];
	path_of(path, sizeof path, "link");
	ck_assert_int_eq(symlink("/etc/hostname", path), 0);
	path_of(path, sizeof path, "good");
	ck_assert_int_eq(symlink("i", path), 0);
	path_of(path, sizeof path, "up");
	ck_assert_int_eq(symlink("..", path), 0);
	file_write("i", "b 300 A 1.1.1.2\n");
	file_write("z", "$INCLUDE link\n$INCLUDE good\n$INCLUDE up/none\n$INCLUDE up\n");
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(scan("z", &seen, &c, NULL), -1);
	ck_assert_int_eq(seen.n, 1);
	ck_assert_uint_eq(c.errors, 3);
	ck_assert_ptr_nonnull(strstr(c.list[0].text, "lies outside the folder"));
	ck_assert_ptr_nonnull(strstr(c.list[2].text, "lies outside the folder"));
	complaints_fini(&c);
	folder_remove((const char *const[]){ "z", "i", "link", "good", "up" }, 5);
}
END_TEST

START_TEST(a_folder_whose_name_begins_alike_is_another)
{
	folder_make();
	char other[80], path[128], line[160];
	(void)snprintf(other, sizeof other, "%s-more", folder);
	ck_assert_int_eq(mkdir(other, 0700), 0);
	(void)snprintf(path, sizeof path, "%s/i", other);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	(void)fputs("b 300 A 1.1.1.2\n", file);
	ck_assert_int_eq(fclose(file), 0);
	(void)snprintf(line, sizeof line, "$INCLUDE ..%s/i\n", strrchr(other, '/'));
	file_write("z", line);
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(scan("z", &seen, &c, NULL), -1);
	ck_assert_ptr_nonnull(strstr(c.list[0].text, "lies outside the folder"));
	ck_assert_int_eq(seen.n, 0);
	complaints_fini(&c);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(other), 0);
	folder_remove((const char *const[]){ "z" }, 1);
}
END_TEST

START_TEST(what_is_no_file_is_refused_and_holds_nobody_up)
{
	folder_make();
	char path[128];
	path_of(path, sizeof path, "fifo");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(scan("fifo", &seen, &c, NULL), -1);
	ck_assert_ptr_nonnull(strstr(c.list[0].text, "fifo:1:1: error: cannot read"));
	ck_assert_int_eq(scan("none", &seen, &c, NULL), -1);
	ck_assert_ptr_nonnull(strstr(c.list[1].text, "No such file"));
	ck_assert_int_eq(scan(".", &seen, &c, NULL), -1);
	ck_assert_ptr_nonnull(strstr(c.list[2].text, "not a regular file"));
	complaints_fini(&c);
	folder_remove((const char *const[]){ "fifo" }, 1);
}
END_TEST

START_TEST(an_include_is_no_way_around_what_a_file_may_be)
{
	folder_make();
	char path[128];
	path_of(path, sizeof path, "fifo");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	path_of(path, sizeof path, "knot");
	ck_assert_int_eq(symlink("knot", path), 0);
	path_of(path, sizeof path, "self");
	ck_assert_int_eq(symlink("z", path), 0);
	path_of(path, sizeof path, "hard");
	file_write("z",
		"$INCLUDE fifo\n$INCLUDE knot\n$INCLUDE self\n$INCLUDE hard\n$INCLUDE i/\n");
	file_write("i", "b 300 A 1.1.1.2\n");
	char target[128];
	path_of(target, sizeof target, "z");
	ck_assert_int_eq(link(target, path), 0);
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(scan("z", &seen, &c, NULL), -1);
	ck_assert_uint_eq(c.errors, 5);
	static const char *const words[] = { "z:1:10: error: cannot read",
		"z:2:10: error: cannot read", "z:3:10: error: the file includes itself",
		"z:4:10: error: the file includes itself", "z:5:10: error: cannot read" };
	for (size_t i = 0; i < array_len(words); i++)
		ck_assert_msg(strstr(c.list[i].text, words[i]) != NULL, "%s", c.list[i].text);
	ck_assert_int_eq(seen.n, 0);
	complaints_fini(&c);
	folder_remove((const char *const[]){ "z", "i", "fifo", "knot", "self", "hard" }, 6);
}
END_TEST

START_TEST(a_file_that_may_not_be_read_or_fails_on_the_way_is_an_error)
{
	folder_make();
	file_write("z", "a 300 A 1.1.1.1\n");
	char path[128];
	path_of(path, sizeof path, "z");
	ck_assert_int_eq(chmod(path, 0), 0);
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	if (geteuid() != 0) { /* root may read all */
		ck_assert_int_eq(scan("z", &seen, &c, NULL), -1);
		ck_assert_ptr_nonnull(strstr(c.list[0].text, "z:1:1: error: cannot read"));
		complaints_fini(&c);
	}
	folder_remove((const char *const[]){ "z" }, 1);

	/* Its first page is mapped by nobody: a file that opens and cannot be read. */
	ck_assert_int_eq(
		zonefile_scan("/proc/self/mem", origin, on_record, &seen, &c, NULL), -1);
	ck_assert_ptr_nonnull(
		strstr(c.list[0].text, "/proc/self/mem:1:1: error: cannot read the file"));
	ck_assert_uint_eq(c.errors, 1);
	complaints_fini(&c);
}
END_TEST

START_TEST(a_file_cut_anywhere_is_read_up_to_there_or_refused)
{
	static const char text[] = "$TTL 5m\na ( 300 ) A 1.1.1.1 ; one\n"
				   "b TXT ( \"x y\" \\# )\n$GENERATE 1-2 c$ A 1.1.1.$\n";
	size_t good = 0;
	for (size_t n = 0; n < sizeof text; n++) {
		struct seen seen = { 0 };
		struct complaints c = { 0 };
		char *copy = malloc(n ? n : 1); /* exact, for the sanitizer to see its end */
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, text, n);
		long records = zonefile_scan_text("z", copy, n, origin, on_record, &seen, &c);
		ck_assert_int_eq(records<0, c.errors> 0);
		ck_assert_int_le(seen.n, 4);
		good += records >= 0;
		complaints_fini(&c);
		free(copy);
	}
	ck_assert_uint_gt(good, 10);
	ck_assert_uint_lt(good, sizeof text - 20);
}
END_TEST

START_TEST(parentheses_may_be_many_and_end_somewhere)
{
	enum {
		OPEN = 100000
	};
	char *text = malloc(2 * OPEN + 64);
	ck_assert_ptr_nonnull(text);
	size_t n = (size_t)sprintf(text, "a 300 A ");
	memset(text + n, '(', OPEN);
	n += OPEN;
	n += (size_t)sprintf(text + n, " 1.1.1.1 ");
	memset(text + n, ')', OPEN);
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(
		zonefile_scan_text("z", text, n + OPEN, origin, on_record, &seen, &c), 1);
	ck_assert_int_eq(
		zonefile_scan_text("z", text, n + OPEN - 1, origin, on_record, &seen, &c), -1);
	ck_assert_ptr_nonnull(strstr(c.list[0].text, "z:1:9: error: a.example. A: this '('"));
	ck_assert_uint_eq(c.errors, 1);
	complaints_fini(&c);
	free(text);
}
END_TEST

START_TEST(a_few_lines_make_no_bomb)
{
	folder_make();
	/* 16 lines may make the most there is; the 17th goes too far. */
	char text[4096];
	size_t n = 0;
	for (unsigned i = 0; i < 17; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
			"$GENERATE 1-65536 a%u.$ 300 A 1.1.1.1\n", i);
	file_write("z", text);
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(scan("z", &seen, &c, NULL), -1);
	ck_assert_int_eq(seen.n, 1048576);
	ck_assert_ptr_nonnull(strstr(c.list[0].text, "z:17:19: error: "));
	complaints_fini(&c);

	/* Few records, but long ones: 4096 bytes of text each. */
	n = (size_t)snprintf(text, sizeof text, "$GENERATE 1-65536 a$ 300 TYPE65280 \\# 1900 ");
	memset(text + n, '0', 3800);
	text[n + 3800] = '\0';
	file_write("z", text);
	seen = (struct seen){ 0 };
	ck_assert_int_eq(scan("z", &seen, &c, NULL), 65536);
	char twice[2 * sizeof text + 2];
	(void)snprintf(twice, sizeof twice, "%s\n%s\n", text, text);
	file_write("z", twice);
	seen = (struct seen){ 0 };
	ck_assert_int_eq(scan("z", &seen, &c, NULL), -1);
	ck_assert_int_lt(seen.n, 75000);
	ck_assert_ptr_nonnull(strstr(c.list[0].text, "z:2:"));
	ck_assert_ptr_nonnull(strstr(c.list[0].text, "of generated records"));
	complaints_fini(&c);

	/* A thousand includes of a file that includes one of a megabyte a hundred times. */
	path_of(twice, sizeof twice, "big");
	FILE *file = fopen(twice, "w");
	ck_assert_ptr_nonnull(file);
	for (unsigned i = 0; i < 1024 * 1024 / 64; i++)
		(void)fprintf(file, ";%62s\n", "");
	ck_assert_int_eq(fclose(file), 0);
	for (n = 0; n < 100 * 13; n += 13)
		(void)snprintf(text + n, sizeof text - n, "$INCLUDE big\n");
	file_write("i", text);
	for (n = 0; n < 100 * 11; n += 11)
		(void)snprintf(text + n, sizeof text - n, "$INCLUDE i\n");
	file_write("z", text);
	ck_assert_int_eq(scan("z", &seen, &c, NULL), -1);
	ck_assert_ptr_nonnull(strstr(
		c.list[0].text, "i:66:10: error: the zone has more than 67108864 bytes"));
	complaints_fini(&c);

	path_of(twice, sizeof twice, "z");
	file = fopen(twice, "w");
	ck_assert_ptr_nonnull(file);
	for (unsigned i = 0; i < 10002; i++)
		(void)fputs("$INCLUDE none\n", file);
	ck_assert_int_eq(fclose(file), 0);
	file_write("none", "");
	ck_assert_int_eq(scan("z", &seen, &c, NULL), -1);
	ck_assert_uint_eq(c.errors, 1);
	ck_assert_ptr_nonnull(strstr(c.list[0].text, "z:10001:10: error: the zone has more"));
	complaints_fini(&c);
	folder_remove((const char *const[]){ "z", "i", "big", "none" }, 4);
}
END_TEST

START_TEST(the_name_of_a_file_is_never_cut)
{
	char name[3000];
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 2] = '\n';
	name[sizeof name - 1] = '\0';
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(zonefile_scan_text(name, "a", 1, origin, on_record, &seen, &c), -1);
	ck_assert_uint_eq(strspn(c.list[0].text, "n"), sizeof name - 2);
	ck_assert_ptr_eq(
		strstr(c.list[0].text, "\\010:1:2: error: "), c.list[0].text + sizeof name - 2);
	complaints_fini(&c);
}
END_TEST

START_TEST(long_lines_are_cut_around_the_column_and_foreign_bytes_are_harmless)
{
	char text[1024];
	size_t n = (size_t)snprintf(text, sizeof text, "a 300 A ( ");
	memset(text + n, ' ', 500);
	n += 500;
	n += (size_t)snprintf(text + n, sizeof text - n, "1.2.3.4 \xc3\xa4\033[31mx )");
	memset(text + n, ' ', 300);
	n += 300;
	struct seen seen = { 0 };
	struct complaints c = { 0 };
	ck_assert_int_eq(zonefile_scan_text("z", text, n, origin, on_record, &seen, &c), -1);
	const char *told = c.list[0].text;
	ck_assert_ptr_nonnull(strstr(told, "z:1:519: error: a.example. A: "));
	for (const char *p = told; *p; p++)
		ck_assert((*p >= 0x20 && *p < 0x7f) || *p == '\n');
	const char *line = strchr(told, '\n') + 1, *caret = strchr(line, '\n') + 1;
	ck_assert_int_lt(caret - line, 200);
	ck_assert_int_eq(strstr(line, "\\195\\164") - line, strchr(caret, '^') - caret);
	complaints_fini(&c);
}
END_TEST

UNIT_MAIN("text/zonefile", a_file_of_many_windows_keeps_its_records_and_line_numbers,
	the_window_onto_a_file_changes_nothing, a_line_without_end_is_refused_before_it_is_read,
	a_word_may_be_as_long_as_rdata_and_no_longer,
	errors_are_counted_beyond_those_kept_and_push_warnings_out,
	garbage_ends_after_many_errors, the_receiver_may_refuse_warn_or_end_the_scan,
	text_in_memory_includes_nothing, a_change_of_any_file_is_seen,
	a_link_leads_out_of_the_folder_in_vain, a_folder_whose_name_begins_alike_is_another,
	what_is_no_file_is_refused_and_holds_nobody_up,
	an_include_is_no_way_around_what_a_file_may_be,
	a_file_that_may_not_be_read_or_fails_on_the_way_is_an_error,
	a_file_cut_anywhere_is_read_up_to_there_or_refused,
	parentheses_may_be_many_and_end_somewhere, a_few_lines_make_no_bomb,
	the_name_of_a_file_is_never_cut,
	long_lines_are_cut_around_the_column_and_foreign_bytes_are_harmless)
