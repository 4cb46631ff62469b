/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"
#include "unit/unit.h"
#include "unit/zone_of.h"
#include "wire/rrtype.h"
#include "zone/find.h"
#include "zone/table.h"

#include <stdio.h>

static const char soa[] = "@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 NS ns.other.\n";

static enum hit look(const struct zone *zone, const char *text, struct find *f)
{
	static struct key key;
	struct name name = name_of(text);
	key_make(&key, name.bytes);
	return zone_find(zone, &key, f);
}

static void expect(const struct zone *zone, const char *name, enum hit hit, const char *node)
{
	struct find f;
	uint8_t found[NAME_MAX_LEN];
	ck_assert_msg(look(zone, name, &f) == hit, "%s", name);
	if (!node) {
		ck_assert_ptr_null(f.node);
		return;
	}
	ck_assert_ptr_nonnull(f.node);
	zone_node_name(zone, f.node, found);
	ck_assert_msg(
		name_is_equal(found, name_of(node).bytes), "%s is found at another name", name);
}

START_TEST(every_kind_of_place_is_found)
{
	char text[2048];
	strcat(strcpy(text, soa),
		"a.b.c 60 A 192.0.2.1\n*.w 60 A 192.0.2.1\nx.y.w 60 A 192.0.2.1\n"
		"cut 60 NS ns.cut\nns.cut 60 A 192.0.2.1\nsub.cut 60 NS ns.cut\n"
		"*.cut 60 A 192.0.2.1\ntree 60 DNAME other.\nin.tree 60 A 192.0.2.1\n"
		"d.tree 60 NS ns.other.\n*.*.v 60 A 192.0.2.1\n");
	struct zone *zone = zone_of("z.", text);
	expect(zone, "z.", HIT_NODE, "z.");
	expect(zone, "A.b.C.z.", HIT_NODE, "a.b.c.z.");
	expect(zone, "b.c.z.", HIT_NODE, "b.c.z."); /* empty, and a name all the same */
	expect(zone, "x.c.z.", HIT_NOTHING, NULL);
	expect(zone, "q.w.z.", HIT_WILDCARD, "*.w.z.");
	expect(zone, "q.r.w.z.", HIT_WILDCARD, "*.w.z.");
	expect(zone, "*.w.z.", HIT_NODE, "*.w.z.");
	expect(zone, "q.y.w.z.", HIT_NOTHING, NULL); /* the empty y.w stops the wildcard */
	expect(zone, "w.z.", HIT_NODE, "w.z.");
	expect(zone, "cut.z.", HIT_CUT, "cut.z.");
	expect(zone, "ns.cut.z.", HIT_CUT, "cut.z.");
	expect(zone, "q.sub.cut.z.", HIT_CUT, "cut.z."); /* the topmost cut is ours */
	expect(zone, "tree.z.", HIT_NODE, "tree.z.");
	expect(zone, "q.tree.z.", HIT_DNAME, "tree.z.");
	expect(zone, "in.tree.z.", HIT_DNAME, "tree.z.");
	expect(zone, "q.d.tree.z.", HIT_DNAME, "tree.z.");
	expect(zone, "q.v.z.", HIT_WILDCARD, "*.v.z."); /* empty, and a wildcard all the same */
	expect(zone, "q.*.v.z.", HIT_WILDCARD, "*.*.v.z.");
	zone_drop(&zone);
}
END_TEST

START_TEST(the_longest_names_are_found)
{
	char origin[600] = "", text[4096], name[2048] = "";
	for (int i = 0; i < 123; i++)
		strcat(origin, "a.");
	struct zone *zone = zone_of(origin, strcat(strcpy(text, "@ 60 SOA . . 1 2 3 4 5\n"),
						    "@ 60 NS .\nb.c.d 60 TXT x\n"));
	strcat(strcat(name, "b.c.d."), origin);
	expect(zone, name, HIT_NODE, name);
	strcat(strcpy(name, "x.b.d."), origin);
	expect(zone, name, HIT_NOTHING, NULL);
	zone_drop(&zone);
	zone = zone_of(".", "@ 60 SOA . . 1 2 3 4 5\n@ 60 NS .\n* 60 TXT x\n");
	expect(zone, ".", HIT_NODE, ".");
	expect(zone, "a.b.", HIT_WILDCARD, "*.");
	zone_drop(&zone);
}
END_TEST

/* What RFC 1034 and 4592 say, by brute force over a list of owners. */
struct model {
	struct name owner[40];
	unsigned n;
};

static bool model_exists(const struct model *m, const uint8_t *name)
{
	for (unsigned i = 0; i < m->n; i++)
		if (name_is_at_or_below(m->owner[i].bytes, name))
			return true;
	return false;
}

static enum hit model_find(const struct model *m, const uint8_t *name)
{
	if (model_exists(m, name))
		return HIT_NODE;
	const uint8_t *up = name;
	do
		up += *up + 1;
	while (!model_exists(m, up));
	struct name star;
	ck_assert_int_eq(name_join(&star, (const uint8_t *)"\1*", 2, up), 0);
	return model_exists(m, star.bytes) ? HIT_WILDCARD : HIT_NOTHING;
}

START_TEST(random_zones_agree_with_brute_force)
{
	static const char *const labels[] = { "a", "b", "*", "c" };
	uint64_t state = 3;
	for (int round = 0; round < 300; round++) {
		static struct model m;
		char text[4096];
		strcpy(text, soa);
		m.n = 0;
		m.owner[m.n++] = name_of("z.");
		for (unsigned i = next_random(&state) % 8; i; i--) {
			char owner[64] = "", line[128];
			for (unsigned l = 1 + next_random(&state) % 4; l; l--)
				strcat(strcat(owner, labels[next_random(&state) % 4]), ".");
			strcat(owner, "z.");
			(void)snprintf(line, sizeof line, "%s 60 TXT x\n", owner);
			strcat(text, line);
			m.owner[m.n++] = name_of(owner);
		}
		struct zone *zone = zone_of("z.", text);
		for (int i = 0; i < 60; i++) {
			char name[64] = "";
			for (unsigned l = next_random(&state) % 5; l; l--)
				strcat(strcat(name, labels[next_random(&state) % 4]), ".");
			strcat(name, "z.");
			struct find f;
			ck_assert_msg(
				look(zone, name, &f) == model_find(&m, name_of(name).bytes),
				"%s in\n%s", name, text);
		}
		zone_drop(&zone);
	}
}
END_TEST

START_TEST(the_closest_zone_is_found)
{
	struct zone *zones[] = { zone_of("z.", soa), zone_of("a.z.", soa),
		zone_of("x.y.a.z.", soa) };
	struct zone_table *table = zone_table_new(zones, 3);
	static const struct {
		const char *name;
		int zone;
		unsigned from;
	} rows[] = { { "z.", 0, 0 }, { "q.z.", 0, 0 }, { "a.z.", 1, 0 }, { "a.z.", 0, 1 },
		{ "y.A.z.", 1, 0 }, { "q.x.y.a.z.", 2, 0 }, { "x.y.a.z.", 1, 1 },
		{ ".", -1, 0 }, { "zz.", -1, 0 }, { "a.zz.", -1, 0 } };
	for (size_t i = 0; i < array_len(rows); i++) {
		struct key key;
		key_make(&key, name_of(rows[i].name).bytes);
		const struct zone *found = zone_table_find(table, &key, rows[i].from);
		ck_assert_msg(found == (rows[i].zone < 0 ? NULL : zones[rows[i].zone]), "%s",
			rows[i].name);
	}
	zone_table_free(&table);
	table = zone_table_new(NULL, 0);
	struct key key;
	key_make(&key, name_of("a.").bytes);
	ck_assert_ptr_null(zone_table_find(table, &key, 0));
	zone_table_free(&table);
	for (size_t i = 0; i < 3; i++)
		zone_drop(&zones[i]);
}
END_TEST

UNIT_MAIN("zone/find", every_kind_of_place_is_found, the_longest_names_are_found,
	random_zones_agree_with_brute_force, the_closest_zone_is_found)
