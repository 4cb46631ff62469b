/* SPDX-License-Identifier: BSD-2-Clause */
/* Which zones of the Ferret suite are served: all valid ones, and of those that break a rule
 * the harmless ones. Skipped without the suite. */
#include "text/load.h"
#include "unit/text/ferret.h"
#include "wire/name.h"
#include "zone/zone.h"

#include <glob.h>

static char folder[32];

/* The zone's name: the owner of its SOA; of its first record when there is none. */
static void find_origin(struct name *origin, const char *path)
{
	char line[2048], first[1024] = "", owner[1024];
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file)) {
		if (sscanf(line, "%1023s", owner) != 1)
			continue;
		if (!first[0] || strstr(line, "SOA"))
			(void)strcpy(first, owner);
		if (strstr(line, "SOA"))
			break;
	}
	(void)fclose(file);
	ck_assert_int_eq(name_from_text(origin, first, strlen(first), NULL, NULL), 0);
}

struct tally {
	unsigned files, refused, warned;
};

/* words: every zone that is refused (or, when none is, warned of) must hear them; or NULL. */
static struct tally load_all(const char *part, const char *words)
{
	char pattern[256];
	glob_t files;
	struct tally tally = { 0 };
	(void)snprintf(
		pattern, sizeof pattern, "%s/ferret-even/%s/ZoneFiles/*.txt", folder, part);
	ck_assert_int_eq(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i];
		struct name origin;
		struct load load;
		find_origin(&origin, path);
		int rc = load_zone(&load, path, origin.bytes, NULL);
		ck_assert_int_eq(rc == 0, load.complaints.errors == 0);
		bool is_told = false;
		for (size_t k = 0; k < load.complaints.n && words; k++)
			is_told |= strstr(load.complaints.list[k].text, words) != NULL;
		ck_assert_msg(!words || load.complaints.n == 0 || is_told, "%s: %s", path,
			load.complaints.n ? load.complaints.list[0].text : "");
		tally.files++;
		tally.refused += rc < 0;
		tally.warned += rc == 0 && load.complaints.warnings > 0;
		zone_drop(&load.zone);
		load_fini(&load);
	}
	globfree(&files);
	return tally;
}

START_TEST(every_valid_zone_is_served_without_a_word)
{
	if (!ferret_unpack(folder))
		return;
	struct tally tally = load_all("ValidZoneFileTests", NULL);
	ferret_remove(folder);
	ck_assert_uint_eq(tally.files, 6337);
	ck_assert_uint_eq(tally.refused, 0);
	ck_assert_uint_eq(tally.warned, 0);
}
END_TEST

START_TEST(of_the_zones_that_break_a_rule_the_harmless_ones_are_served)
{
	static const struct {
		unsigned condition, refused, warned;
		const char *words;
	} rows[] = {
		{ 1, 0, 0, NULL }, /* the same record twice is one record */
		/* In two of the files all the SOA are the same one: still put together
		 * wrong. */
		{ 2, 50, 0, NULL },
		{ 3, 50, 0, "lies outside the zone" },
		{ 4, 50, 0, "CNAME" },
		{ 5, 50, 0, "a name has one DNAME at most" },
		{ 6, 0, 50, "beside the NS" },
		{ 7, 0, 50, "a DNAME stands above this name" },
		{ 8, 0, 0, NULL }, /* NS below a cut is the child's affair */
		{ 9, 0, 50, NULL },
	};
	if (!ferret_unpack(folder))
		return;
	for (size_t i = 0; i < array_len(rows); i++) {
		char part[64];
		(void)snprintf(part, sizeof part, "InvalidZoneFileTests/FalseCond_%u",
			rows[i].condition);
		struct tally tally = load_all(part, rows[i].words);
		ck_assert_uint_eq(tally.files, 50);
		ck_assert_msg(
			tally.refused == rows[i].refused &&
				(tally.warned == rows[i].warned || rows[i].condition == 8),
			"condition %u: %u refused, %u warned", rows[i].condition, tally.refused,
			tally.warned);
	}
	ferret_remove(folder);
}
END_TEST

UNIT_MAIN("text/ferret", every_valid_zone_is_served_without_a_word,
	of_the_zones_that_break_a_rule_the_harmless_ones_are_served)
