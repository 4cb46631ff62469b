/* SPDX-License-Identifier: BSD-2-Clause */
/* The same records from our scanner and from ldns, for every file that both can read:
 * tests/zones/good, zones/, the signed root zone and the zones of the Ferret suite when they
 * lie beside the project. */
#include "base/mem.h"
#include "text/zonefile.h"
#include "unit/text/ferret.h"
#include "wire/name.h"

#include <glob.h>
#include <ldns/ldns.h>

struct row { /* a record in wire format, owner in lower case */
	size_t n;
	uint8_t *bytes;
};

struct rows {
	size_t n;
	struct row *list;
};

static void rows_put(struct rows *rows, const uint8_t *bytes, size_t n)
{
	if ((rows->n & (rows->n - 1)) == 0)
		rows->list = mem_grow(
			rows->list, (rows->n ? 2 * rows->n : 1) * sizeof rows->list[0]);
	struct row row = { n, mem_copy(bytes, n) };
	name_lower(row.bytes, bytes, name_len(bytes));
	rows->list[rows->n++] = row;
}

static int row_compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = memcmp(x->bytes, y->bytes, x->n < y->n ? x->n : y->n);
	return c ? c : (x->n > y->n) - (x->n < y->n);
}

static void rows_fini(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		mem_free(rows->list[i].bytes);
	mem_free(rows->list);
}

static int on_record(void *user, const struct record *r, struct err *err)
{
	uint8_t wire[NAME_MAX_LEN + 10 + 65535];
	size_t n = name_len(r->owner);
	(void)err;
	memcpy(wire, r->owner, n);
	const uint8_t head[] = { (uint8_t)(r->type >> 8), (uint8_t)r->type, 0,
		(uint8_t)r->class, (uint8_t)(r->ttl >> 24), (uint8_t)(r->ttl >> 16),
		(uint8_t)(r->ttl >> 8), (uint8_t)r->ttl, (uint8_t)(r->rdata_len >> 8),
		(uint8_t)r->rdata_len };
	memcpy(wire + n, head, sizeof head);
	memcpy(wire + n + sizeof head, r->rdata, r->rdata_len);
	rows_put(user, wire, n + sizeof head + r->rdata_len);
	return 0;
}

static void put_theirs(struct rows *rows, const ldns_rr *rr)
{
	uint8_t *wire = NULL;
	size_t n = 0;
	ck_assert_int_eq(ldns_rr2wire(&wire, rr, LDNS_SECTION_ANSWER, &n), LDNS_STATUS_OK);
	rows_put(rows, wire, n);
	free(wire);
}

/* False when ldns cannot read the file. Record by record, because its reader of whole zones
 * leaks what it has when it fails. */
static bool read_theirs(struct rows *rows, const char *path, const char *origin_text)
{
	FILE *file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s", path);
	ldns_rdf *origin = ldns_dname_new_frm_str(origin_text), *owner = NULL;
	uint32_t ttl = 3600;
	int line = 0;
	bool has_default = false;
	ldns_status status = LDNS_STATUS_OK;
	while (!feof(file)) {
		ldns_rr *rr = NULL;
		status = ldns_rr_new_frm_fp_l(&rr, file, &ttl, &origin, &owner, &line);
		if (status == LDNS_STATUS_OK) {
			put_theirs(rows, rr);
			if (!has_default)
				ttl = ldns_rr_ttl(rr);
			ldns_rr_free(rr);
		} else if (status != LDNS_STATUS_SYNTAX_EMPTY &&
			   status != LDNS_STATUS_SYNTAX_TTL &&
			   status != LDNS_STATUS_SYNTAX_ORIGIN) {
			break;
		}
		has_default |= status == LDNS_STATUS_SYNTAX_TTL;
		status = LDNS_STATUS_OK;
	}
	(void)fclose(file);
	ldns_rdf_deep_free(origin);
	ldns_rdf_deep_free(owner);
	return status == LDNS_STATUS_OK;
}

static void show(const char *path, const char *who, const struct row *row)
{
	char owner[NAME_TEXT_MAX];
	(void)name_print(owner, row->bytes);
	printf("%s: only %s has %s", path, who, owner);
	for (size_t i = name_len(row->bytes); i < row->n; i++)
		printf(" %02x", row->bytes[i]);
	puts("");
}

/* Number of records that only one of the two has. */
static size_t differences(const char *path, struct rows *ours, struct rows *theirs)
{
	qsort(ours->list, ours->n, sizeof ours->list[0], row_compare);
	qsort(theirs->list, theirs->n, sizeof theirs->list[0], row_compare);
	size_t n = 0;
	for (size_t i = 0, k = 0; i < ours->n || k < theirs->n;) {
		int c = i == ours->n     ? 1
			: k == theirs->n ? -1
					 : row_compare(&ours->list[i], &theirs->list[k]);
		if (c != 0 && n++ < 5)
			show(path, c < 0 ? "rootward" : "ldns",
				c < 0 ? &ours->list[i] : &theirs->list[k]);
		i += c <= 0;
		k += c >= 0;
	}
	return n;
}

struct count {
	unsigned same, unread;
};

/* Where ldns is not the referee; the .expect beside these files says what is right. */
static bool is_known_to_differ(const char *path)
{
	static const char *const names[] = {
		"/good/mark.zone",            /* it takes the mark for a part of the owner */
		"/good/origin-relative.zone", /* it does not complete the argument of $ORIGIN */
		"/good/ttl-soa-minimum.zone", /* it falls back to 3600 */
	};
	for (size_t i = 0; i < array_len(names); i++)
		if (strstr(path, names[i]))
			return true;
	return false;
}

static void compare_file(const char *path, const char *origin, struct count *count)
{
	if (is_known_to_differ(path))
		return;
	struct rows ours = { 0 }, theirs = { 0 };
	struct complaints complaints = { 0 };
	struct name name;
	ck_assert_int_eq(name_from_text(&name, origin, strlen(origin), NULL, NULL), 0);
	long records = zonefile_scan(path, name.bytes, on_record, &ours, &complaints, NULL);
	if (!read_theirs(&theirs, path, origin)) {
		printf("not read by ldns: %s\n", path);
		count->unread++;
	} else {
		ck_assert_msg(
			records >= 0, "%s", complaints.n ? complaints.list[0].text : path);
		ck_assert_uint_eq(differences(path, &ours, &theirs), 0);
		count->same++;
	}
	complaints_fini(&complaints);
	rows_fini(&ours);
	rows_fini(&theirs);
}

/* All files of a pattern below the project's root. origin NULL: the file's name is the zone's.
 */
static struct count compare_files(const char *pattern, const char *origin)
{
	char path[4096];
	glob_t files;
	struct count count = { 0 };
	(void)snprintf(path, sizeof path, "%s/%s", ferret_root(), pattern);
	if (glob(path, 0, NULL, &files) != 0) {
		printf("skipped: %s is not there\n", pattern);
		return count;
	}
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char name[256];
		const char *file = strrchr(files.gl_pathv[i], '/') + 1;
		(void)snprintf(name, sizeof name, "%.*s.",
			(int)(strlen(file) - strlen(".zone")), file);
		compare_file(files.gl_pathv[i], origin ? origin : name, &count);
	}
	globfree(&files);
	printf("%s: %u the same, %u not read by ldns\n", pattern, count.same, count.unread);
	return count;
}

START_TEST(the_good_files_give_what_ldns_reads)
{
	ck_assert_uint_ge(compare_files("tests/zones/good/*.zone", "example.").same, 5);
}
END_TEST

START_TEST(the_examples_give_what_ldns_reads)
{
	ck_assert_uint_ge(compare_files("zones/*.zone", NULL).same, 2);
}
END_TEST

START_TEST(the_root_zone_gives_what_ldns_reads)
{
	struct count count = compare_files("../shared/data/root.zone", ".");
	ck_assert_uint_eq(count.unread, 0);
}
END_TEST

START_TEST(the_ferret_zones_give_what_ldns_reads)
{
	char folder[32], pattern[128];
	if (!ferret_unpack(folder))
		return;
	glob_t files;
	struct count count = { 0 };
	(void)snprintf(pattern, sizeof pattern,
		"%s/ferret-even/ValidZoneFileTests/ZoneFiles/*.txt", folder);
	ck_assert_int_eq(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		compare_file(files.gl_pathv[i], ".", &count);
	globfree(&files);
	ferret_remove(folder);
	printf("ferret: %u the same, %u not read by ldns\n", count.same, count.unread);
	ck_assert_uint_eq(count.same, 6337);
}
END_TEST

UNIT_MAIN("text/referee", the_good_files_give_what_ldns_reads,
	the_examples_give_what_ldns_reads, the_root_zone_gives_what_ldns_reads,
	the_ferret_zones_give_what_ldns_reads)
