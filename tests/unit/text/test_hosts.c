/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/hosts.h"
#include "unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SEEN_MAX = 4096
};

struct seen {
	char text[SEEN_MAX]; /* what was handed on, one line each */
	size_t n, entries;
	struct complaints complaints;
};

/* "ADDRESS NAME", with a star behind the first name of a line; "NAME -> TARGET". */
static int on_entry(void *user, const struct hosts_entry *entry, struct err *err)
{
	struct seen *seen = user;
	char name[NAME_TEXT_MAX], other[NAME_TEXT_MAX];
	(void)err;
	(void)name_print(name, entry->name.bytes);
	seen->entries++;
	if (entry->kind == HOSTS_ALIAS)
		(void)name_print(other, entry->target.bytes);
	else
		ck_assert_ptr_nonnull(inet_ntop(entry->kind == HOSTS_IPV4 ? AF_INET : AF_INET6,
			entry->address, other, sizeof other));
	bool is_alias = entry->kind == HOSTS_ALIAS;
	if (seen->n < SEEN_MAX)
		seen->n += (size_t)snprintf(seen->text + seen->n, SEEN_MAX - seen->n,
			"%s%s%s%s\n", is_alias ? name : other, is_alias ? " -> " : " ",
			is_alias ? other : name, entry->is_first && !is_alias ? "*" : "");
	return 0;
}

static long scan(struct seen *seen, const char *text, size_t n)
{
	*seen = (struct seen){ .n = 0 };
	long entries = hosts_scan_text("hosts", text, n, on_entry, seen, &seen->complaints);
	ck_assert_int_eq(entries, (long)seen->entries);
	return entries;
}

static void check(const char *text, const char *wanted, const char *complaint)
{
	struct seen seen;
	(void)scan(&seen, text, strlen(text));
	ck_assert_msg(strcmp(seen.text, wanted) == 0, "'%s' gave '%s'", text, seen.text);
	ck_assert_uint_eq(seen.complaints.errors, 0);
	if (!complaint)
		ck_assert_msg(seen.complaints.n == 0, "'%s': %s", text,
			seen.complaints.n ? seen.complaints.list[0].text : "");
	else
		ck_assert_msg(seen.complaints.warnings == 1 &&
				      strstr(seen.complaints.list[0].text, complaint) &&
				      !strchr(seen.complaints.list[0].text, '\n'),
			"'%s': %s", text,
			seen.complaints.n ? seen.complaints.list[0].text : "nothing");
	complaints_fini(&seen.complaints);
}

START_TEST(every_name_of_a_line_is_handed_on_and_the_first_is_marked)
{
	check("192.0.2.1 a.example b.example\tC.Example # d.example\n",
		"192.0.2.1 a.example.*\n192.0.2.1 b.example.\n192.0.2.1 c.example.\n", NULL);
	check("::1 localhost ip6-localhost\nff02::1\t\tip6-allnodes\n",
		"::1 localhost.*\n::1 ip6-localhost.\nff02::1 ip6-allnodes.*\n", NULL);
	check("::ffff:192.0.2.1 mapped\n2001:DB8::A upper\n",
		"::ffff:192.0.2.1 mapped.*\n2001:db8::a upper.*\n", NULL);
	check("0.0.0.0 ads.example\n:: ads.example\n",
		"0.0.0.0 ads.example.*\n:: ads.example.*\n", NULL);
}
END_TEST

START_TEST(the_shape_of_the_text_does_not_matter)
{
	static const char *const same[] = { "192.0.2.1 a\n192.0.2.2 b\n",
		"192.0.2.1 a\n192.0.2.2 b", "192.0.2.1 a\r\n192.0.2.2 b\r\n",
		"\357\273\277192.0.2.1 a\n192.0.2.2 b\n",
		"\n \t\n#\n\t192.0.2.1 \t a\t\n\v192.0.2.2\fb#x\n",
		"# 192.0.2.9 x\n192.0.2.1 a#b\n192.0.2.2 b.\n  # the end",
		"192.0.2.1 A\n192.0.2.2 B." };
	for (size_t i = 0; i < array_len(same); i++)
		check(same[i], "192.0.2.1 a.*\n192.0.2.2 b.*\n", NULL);
	check("", "", NULL);
	check("#", "", NULL);
	check("\n\n", "", NULL);
	check("\357\273\277", "", NULL);
}
END_TEST

START_TEST(names_may_have_what_names_in_use_have)
{
	check("192.0.2.1 _sip._udp.a my_host -x- 1a.2b x--y.\n",
		"192.0.2.1 _sip._udp.a.*\n192.0.2.1 my_host.\n192.0.2.1 -x-.\n"
		"192.0.2.1 1a.2b.\n192.0.2.1 x--y.\n",
		NULL);
}
END_TEST

START_TEST(a_bad_line_is_told_at_its_place_and_skipped)
{
	static const struct {
		const char *line, *complaint;
	} cases[] = {
		{ "192.0.2 a\n", "hosts:2:1: warning: neither" },
		{ "  192.0.2.256 a\n", "hosts:2:3: warning: neither" },
		{ "192.0.2.01 a\n", "hosts:2:1: warning: neither" },
		{ "1:2:3 a\n", "hosts:2:1: warning: neither" },
		{ "localhost\n", "hosts:2:1: warning: neither" },
		{ "||ads.example^\n", "hosts:2:1: warning: neither" },
		{ "\xff\xfe\n", "hosts:2:1: warning: neither" },
		{ "fe80::1%eth0 a\n", "hosts:2:1: warning: an address with a zone" },
		{ "192.0.2.1\n", "hosts:2:1: warning: an address without a name" },
		{ "192.0.2.1 # a\r\n", "hosts:2:1: warning: an address without a name" },
		{ "cname\n", "hosts:2:1: warning: \"cname\" takes" },
		{ "cname a\n", "hosts:2:1: warning: \"cname\" takes" },
		{ "cname a b c\n", "hosts:2:1: warning: \"cname\" takes" },
		{ "cname a #b\n", "hosts:2:1: warning: \"cname\" takes" },
		{ "cname a A.\n", "hosts:2:9: warning: an alias of itself" },
		{ "cname a..b c\n", "hosts:2:9: warning: the name has an empty label" },
		{ "cname a b;c\n", "hosts:2:10: warning: a character" },
	};
	for (size_t i = 0; i < array_len(cases); i++) {
		char text[256];
		(void)snprintf(
			text, sizeof text, "192.0.2.1 a\n%s192.0.2.2 b\n", cases[i].line);
		check(text, "192.0.2.1 a.*\n192.0.2.2 b.*\n", cases[i].complaint);
	}
}
END_TEST

START_TEST(a_bad_name_is_skipped_alone)
{
	static const struct {
		const char *name, *complaint;
	} cases[] = {
		{ ".", ":1:13: warning: the name has an empty label" },
		{ "..", ":1:13: warning: the name has an empty label" },
		{ ".x", ":1:13: warning: the name has an empty label" },
		{ "x..y", ":1:15: warning: the name has an empty label" },
		{ "x..", ":1:15: warning: the name has an empty label" },
		{ "*.x", ":1:13: warning: hosts files have no wildcards" },
		{ "x.b\xc3\xbc", ":1:16: warning: a name beyond ASCII" },
		{ "x/y", ":1:14: warning: a character" },
		{ "x\\046y", ":1:14: warning: a character" },
		{ "\"x\"", ":1:13: warning: a character" },
		{ "0.0.0.0", ":1:13: warning: an address where a name belongs" },
		{ "::1", ":1:13: warning: a character" },
	};
	for (size_t i = 0; i < array_len(cases); i++) {
		char text[256];
		(void)snprintf(text, sizeof text, "192.0.2.1 a %s b\n", cases[i].name);
		check(text, "192.0.2.1 a.*\n192.0.2.1 b.\n", cases[i].complaint);
	}
}
END_TEST

/* Labels of the given lengths, by way of their letters. */
static size_t put_labels(char *out, const unsigned *lens, size_t n)
{
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		memset(out + at, 'a' + (int)i, lens[i]);
		at += lens[i];
		out[at++] = '.';
	}
	out[at] = 0;
	return at;
}

START_TEST(names_are_as_long_as_names_may_be_and_no_longer)
{
	static const struct {
		unsigned lens[5];
		size_t n;
		const char *complaint;
	} cases[] = {
		{ { 63 }, 1, NULL },
		{ { 64 }, 1, ":1:74: warning: a label is longer" },
		{ { 63, 63, 63, 61 }, 4, NULL },
		{ { 63, 63, 63, 62 }, 4, ":1:11: warning: the name is longer" },
		{ { 63, 63, 63, 60, 1 }, 5, ":1:11: warning: the name is longer" },
	};
	for (size_t i = 0; i < array_len(cases); i++)
		for (unsigned dot = 0; dot < 2; dot++) {
			char name[512], text[600], wanted[600] = "";
			size_t n = put_labels(name, cases[i].lens, cases[i].n);
			if (!cases[i].complaint)
				(void)snprintf(wanted, sizeof wanted, "192.0.2.1 %s*\n", name);
			name[n - dot] = 0;
			(void)snprintf(text, sizeof text, "192.0.2.1 %s", name);
			check(text, wanted, cases[i].complaint);
		}
}
END_TEST

START_TEST(an_alias_has_one_target)
{
	check("cname www.lan Www.Example.COM.\nCNAME b c # d\n",
		"www.lan. -> www.example.com.\nb. -> c.\n", NULL);
	check("192.0.2.1 cname\n", "192.0.2.1 cname.*\n", NULL);
}
END_TEST

START_TEST(zero_bytes_are_no_end)
{
	static const char text[] = "192.0.2.1 a\0b\n192.0.2.2 c\n";
	struct seen seen;
	ck_assert_int_eq(scan(&seen, text, sizeof text - 1), 1);
	ck_assert_str_eq(seen.text, "192.0.2.2 c.*\n");
	ck_assert_uint_eq(seen.complaints.warnings, 1);
	complaints_fini(&seen.complaints);
}
END_TEST

START_TEST(of_many_bad_lines_the_first_are_told_and_all_are_counted)
{
	struct seen seen;
	char text[4000];
	for (size_t i = 0; i < sizeof text; i += 2)
		memcpy(text + i, "x\n", 2);
	ck_assert_int_eq(scan(&seen, text, sizeof text), 0);
	ck_assert_uint_eq(seen.complaints.n, COMPLAINTS_MAX);
	ck_assert_uint_eq(seen.complaints.warnings, 2000);
	ck_assert_ptr_nonnull(strstr(seen.complaints.list[19].text, "hosts:20:1: "));
	complaints_fini(&seen.complaints);
}
END_TEST

static int refuse(void *user, const struct hosts_entry *entry, struct err *err)
{
	unsigned *calls = user;
	(void)entry;
	return ++*calls == 3 ? -ECANCELED : err_set(err, 1, "no thanks");
}

START_TEST(who_takes_the_names_may_complain_or_end_it)
{
	static const char text[] = "192.0.2.1 a\n192.0.2.2 b c d\n192.0.2.3 e\n";
	struct complaints complaints = { 0 };
	unsigned calls = 0;
	ck_assert_int_eq(
		hosts_scan_text("hosts", text, sizeof text - 1, refuse, &calls, &complaints),
		0);
	ck_assert_uint_eq(calls, 3);
	ck_assert_uint_eq(complaints.warnings, 2);
	ck_assert_str_eq(complaints.list[1].text, "hosts:2:11: warning: no thanks");
	complaints_fini(&complaints);
}
END_TEST

/* ---- files ---- */

static char path[64];

static FILE *file_open(void)
{
	(void)snprintf(path, sizeof path, "/tmp/rootward-test-XXXXXX");
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	return fdopen(fd, "w");
}

static long scan_file(struct seen *seen, struct err *err)
{
	*seen = (struct seen){ .n = 0 };
	return hosts_scan(path, on_entry, seen, &seen->complaints, err);
}

START_TEST(a_line_may_be_as_long_as_a_mebibyte)
{
	struct seen seen;
	struct err err;
	FILE *file = file_open();
	(void)fprintf(file, "192.0.2.1 a\n192.0.2.2 b%*s\n", (1 << 20) - 12, "");
	(void)fprintf(file, "192.0.2.3 c%*s\n192.0.2.4 d\n", (1 << 20) - 11, "");
	(void)fprintf(file, "192.0.2.5 e%*s\n192.0.2.6 f\n", 5 << 20, "x");
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(scan_file(&seen, &err), 4);
	(void)unlink(path);
	ck_assert_str_eq(
		seen.text, "192.0.2.1 a.*\n192.0.2.2 b.*\n192.0.2.4 d.*\n192.0.2.6 f.*\n");
	ck_assert_uint_eq(seen.complaints.warnings, 2);
	ck_assert_ptr_nonnull(strstr(seen.complaints.list[0].text, ":3:1: warning: the line"));
	ck_assert_ptr_nonnull(strstr(seen.complaints.list[1].text, ":5:1: warning: the line"));
	complaints_fini(&seen.complaints);
}
END_TEST

START_TEST(a_file_is_read_through_its_window_whole)
{
	struct seen seen;
	struct err err;
	FILE *file = file_open();
	for (unsigned i = 0; i < 300000; i++)
		(void)fprintf(file, "0.0.0.0 host-%u.example\n", i);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(scan_file(&seen, &err), 300000);
	(void)unlink(path);
	ck_assert_uint_eq(seen.complaints.warnings, 0);
}
END_TEST

START_TEST(what_cannot_be_read_is_said)
{
	struct seen seen;
	struct err err;
	(void)snprintf(path, sizeof path, "/nonexistent/hosts");
	ck_assert_int_eq(scan_file(&seen, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/hosts"));
	(void)snprintf(path, sizeof path, "/");
	ck_assert_int_eq(scan_file(&seen, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "not a regular file"));
	ck_assert_uint_eq(seen.complaints.warnings, 0);
}
END_TEST

START_TEST(a_file_that_never_ends_is_read_for_a_while)
{
	struct seen seen;
	struct err err;
	FILE *file = file_open();
	(void)fprintf(file, "192.0.2.1 a\n");
	ck_assert_int_eq(fclose(file), 0);
	if (truncate(path, (off_t)1 << 40) < 0) {
		puts("skipped: no sparse file of that size here");
		(void)unlink(path);
		return;
	}
	ck_assert_int_eq(scan_file(&seen, &err), 1);
	(void)unlink(path);
	ck_assert_uint_eq(seen.complaints.warnings, 2);
	ck_assert_ptr_nonnull(strstr(seen.complaints.list[1].text, ":3:1: warning: the file"));
	complaints_fini(&seen.complaints);
}
END_TEST

UNIT_MAIN("text/hosts", every_name_of_a_line_is_handed_on_and_the_first_is_marked,
	the_shape_of_the_text_does_not_matter, names_may_have_what_names_in_use_have,
	a_bad_line_is_told_at_its_place_and_skipped, a_bad_name_is_skipped_alone,
	names_are_as_long_as_names_may_be_and_no_longer, an_alias_has_one_target,
	zero_bytes_are_no_end, of_many_bad_lines_the_first_are_told_and_all_are_counted,
	who_takes_the_names_may_complain_or_end_it, a_line_may_be_as_long_as_a_mebibyte,
	a_file_is_read_through_its_window_whole, what_cannot_be_read_is_said,
	a_file_that_never_ends_is_read_for_a_while)
