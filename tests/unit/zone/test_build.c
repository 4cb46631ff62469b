/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"
#include "unit/unit.h"
#include "unit/zone_of.h"
#include "wire/rdata.h"
#include "wire/record.h"
#include "wire/rrtype.h"

#include <stdio.h>

enum {
	LINES = 300
};

static char lines[LINES][96];
static unsigned lines_n;

static void make_lines(uint64_t *state)
{
	lines_n = 0;
	strcpy(lines[lines_n++], "@ 60 IN SOA ns h 1 2 3 4 5\n");
	strcpy(lines[lines_n++], "@ 60 NS ns.other.\n");
	while (lines_n < LINES) {
		unsigned a = next_random(state) % 20, b = next_random(state) % 50;
		switch (next_random(state) % 4) {
		case 0:
			(void)snprintf(lines[lines_n++], 96, "n%u 60 A 192.0.2.%u\n", a, b);
			break;
		case 1:
			(void)snprintf(lines[lines_n++], 96, "N%u 60 TXT \"t%u\"\n", a, b);
			break;
		case 2:
			(void)snprintf(
				lines[lines_n++], 96, "x.y.n%u 60 MX %u Host%u\n", a, b, a);
			break;
		default:
			(void)snprintf(lines[lines_n++], 96,
				"n%u 60 RRSIG A 13 2 60 20360101000000 20260101000000 %u @ "
				"AAAA\n",
				a, b);
		}
	}
}

static void shuffle(uint64_t *state)
{
	for (unsigned i = LINES - 1; i > 0; i--) {
		char t[96];
		unsigned k = next_random(state) % (i + 1);
		memcpy(t, lines[i], 96);
		memcpy(lines[i], lines[k], 96);
		memcpy(lines[k], t, 96);
	}
}

static struct zone *build(void)
{
	static char text[LINES * 96];
	text[0] = 0;
	for (unsigned i = 0; i < LINES; i++)
		strcat(text, lines[i]);
	return zone_of("z.", text);
}

START_TEST(the_order_of_records_does_not_matter)
{
	uint64_t state = 11;
	for (int round = 0; round < 20; round++) {
		make_lines(&state);
		struct zone *first = build();
		for (int i = 0; i < 5; i++) {
			shuffle(&state);
			struct zone *again = build();
			ck_assert_uint_eq(zone_digest(again), zone_digest(first));
			ck_assert_uint_eq(zone_records(again), zone_records(first));
			ck_assert_uint_eq(again->names, first->names);
			zone_drop(&again);
		}
		zone_drop(&first);
	}
}
END_TEST

static void count(void *user, const struct record *record)
{
	ck_assert(rdata_check(record->type, record->rdata, record->rdata_len));
	++*(uint64_t *)user;
}

START_TEST(a_walk_meets_every_record_once)
{
	uint64_t state = 13;
	make_lines(&state);
	shuffle(&state);
	struct zone *zone = build();
	uint64_t n = 0;
	zone_walk(zone, count, &n);
	ck_assert_uint_eq(n, zone_records(zone));
	zone_drop(&zone);
}
END_TEST

START_TEST(the_same_record_twice_is_one_and_the_same_set_is_sorted)
{
	struct zone *zone =
		zone_of("z.", "@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 NS NS.z.\n@ 60 NS ns.Z.\n"
			      "ns 60 A 192.0.2.9\nns 60 A 192.0.2.1\nNS 60 A 192.0.2.9\n");
	ck_assert_uint_eq(zone_records(zone), 4);
	const struct set *a = NULL;
	for (uint32_t i = 0; i <= zone->mask && !a; i++)
		if (zone->table[i].offset)
			a = node_find(zone_node(zone, zone->table[i].offset), TYPE_A);
	ck_assert_ptr_nonnull(a);
	ck_assert_uint_eq(set_count(a), 2);
	uint16_t len;
	ck_assert_uint_eq(set_first(a, &len)[3], 1);
	zone_drop(&zone);
}
END_TEST

START_TEST(any_change_changes_the_digest_but_the_serial_does_not)
{
	static const char *const texts[] = {
		"@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 NS ns.other.\na 60 A 192.0.2.1\n",
		"@ 60 IN SOA ns h 9 2 3 4 5\n@ 60 NS ns.other.\na 60 A 192.0.2.1\n",
		"@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 NS ns.other.\na 61 A 192.0.2.1\n",
		"@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 NS ns.other.\nb 60 A 192.0.2.1\n",
		"@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 NS ns.other.\na 60 A 192.0.2.2\n",
		"@ 60 IN SOA . . 1 2 3 4 5\n@ 60 NS o.\na 60 A 192.0.2.1\na 60 A 192.0.2.2\n",
	};
	uint64_t digest[array_len(texts)];
	for (size_t i = 0; i < array_len(texts); i++) {
		struct zone *zone = zone_of("z.", texts[i]);
		digest[i] = zone_digest(zone);
		zone_drop(&zone);
	}
	ck_assert_uint_eq(digest[0], digest[1]);
	for (size_t i = 2; i < array_len(texts); i++)
		for (size_t k = 0; k < i; k++)
			ck_assert(digest[i] != digest[k]);
}
END_TEST

UNIT_MAIN("zone/build", the_order_of_records_does_not_matter, a_walk_meets_every_record_once,
	the_same_record_twice_is_one_and_the_same_set_is_sorted,
	any_change_changes_the_digest_but_the_serial_does_not)
