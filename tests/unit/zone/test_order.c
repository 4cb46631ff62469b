/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"
#include "unit/unit.h"
#include "unit/zone_of.h"
#include "zone/order.h"

#include <stdio.h>

enum {
	NAMES = 400
};

static void random_label(char *out, uint64_t *state)
{
	/* Bytes that sort as few expect: below '-', the star, 0, 1 and 255. */
	static const char *const pieces[] = { "a", "b", "Z", "*", "-", "\\000", "\\001",
		"\\255", "aaaaaaaa", "0" };
	out[0] = 0;
	for (unsigned i = 1 + next_random(state) % 3; i; i--)
		strcat(out, pieces[next_random(state) % array_len(pieces)]);
}

static void random_name(char *out, uint64_t *state)
{
	char label[64];
	out[0] = 0;
	for (unsigned i = 1 + next_random(state) % 3; i; i--) {
		random_label(label, state);
		strcat(strcat(out, label), ".");
	}
	strcat(out, "z.");
}

START_TEST(the_nsec_before_a_name_is_the_one_a_linear_search_finds)
{
	static struct name owners[NAMES + 1];
	static char text[NAMES * 128];
	uint64_t state = 5;
	strcpy(text, "@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 NS ns.other.\n@ 60 NSEC @ NSEC\n");
	owners[0] = name_of("z.");
	for (unsigned i = 1; i <= NAMES; i++) {
		char name[200], line[256];
		random_name(name, &state);
		owners[i] = name_of(name);
		(void)snprintf(line, sizeof line, "%s 60 NSEC @ NSEC\n", name);
		strcat(text, line);
	}
	struct zone *zone = zone_of("z.", text);
	for (unsigned i = 0; i < 4000; i++) {
		char name[200];
		struct name asked, lower;
		uint8_t found[NAME_MAX_LEN];
		random_name(name, &state);
		asked = i <= NAMES ? owners[i] : name_of(name);
		lower = asked;
		name_lower(lower.bytes, asked.bytes, asked.len);
		const struct name *best = &owners[0];
		for (unsigned k = 1; k <= NAMES; k++)
			if (name_compare(owners[k].bytes, asked.bytes) <= 0 &&
				name_compare(owners[k].bytes, best->bytes) > 0)
				best = &owners[k];
		zone_node_name(zone, zone_nsec_before(zone, lower.bytes), found);
		ck_assert(name_is_equal(found, best->bytes));
	}
	zone_drop(&zone);
}
END_TEST

START_TEST(prefixes_sort_as_names_do)
{
	uint64_t state = 9;
	for (unsigned i = 0; i < 20000; i++) {
		char text[2][200];
		struct name name[2], lower[2];
		uint64_t prefix[2];
		for (unsigned k = 0; k < 2; k++) {
			random_name(text[k], &state);
			name[k] = name_of(text[k]);
			name_lower(lower[k].bytes, name[k].bytes, name[k].len);
			prefix[k] = zone_order_prefix(lower[k].bytes, name[k].len - 3u);
		}
		int order = name_compare(name[0].bytes, name[1].bytes);
		ck_assert_msg(order == 0  ? prefix[0] == prefix[1]
			      : order < 0 ? prefix[0] <= prefix[1]
					  : prefix[0] >= prefix[1],
			"%s %s", text[0], text[1]);
	}
}
END_TEST

static void print_hash(char *out, const uint8_t hash[20])
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
	for (unsigned i = 0; i < 32; i++) {
		unsigned value = 0;
		for (unsigned b = i * 5; b < i * 5 + 5; b++)
			value = value << 1 | (hash[b / 8] >> (7 - b % 8) & 1);
		*out++ = digits[value];
	}
	*out = 0;
}

START_TEST(the_nsec3_before_a_hash_is_the_one_a_linear_search_finds)
{
	static uint8_t hashes[NAMES][20];
	static char text[NAMES * 128];
	uint64_t state = 7;
	for (unsigned spread = 0; spread < 2; spread++) {
		strcpy(text, "@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 NS ns.other.\n"
			     "@ 60 NSEC3PARAM 1 0 0 -\n");
		for (unsigned i = 0; i < NAMES; i++) {
			char hash[33], line[256];
			for (unsigned k = 0; k < 20; k++)
				hashes[i][k] =
					(uint8_t)(spread || k > 2
							  ? next_random(&state)
							  : 0x80); /* all close together */
			print_hash(hash, hashes[i]);
			(void)snprintf(
				line, sizeof line, "%s 60 NSEC3 1 0 0 - %s A\n", hash, hash);
			strcat(text, line);
		}
		struct zone *zone = zone_of("z.", text);
		ck_assert_uint_eq(zone->hashes, NAMES);
		for (unsigned i = 0; i < 4000; i++) {
			uint8_t asked[20];
			unsigned best = 0, last = 0;
			bool has_best = false, is_match;
			for (unsigned k = 0; k < 20; k++)
				asked[k] = (uint8_t)next_random(&state);
			if (i < NAMES)
				memcpy(asked, hashes[i], 20);
			else if (i % 2)
				memset(asked, 0x80, 3);
			for (unsigned k = 0; k < NAMES; k++) {
				if (memcmp(hashes[k], hashes[last], 20) > 0)
					last = k;
				if (memcmp(hashes[k], asked, 20) <= 0 &&
					(!has_best ||
						memcmp(hashes[k], hashes[best], 20) > 0)) {
					best = k;
					has_best = true;
				}
			}
			const uint8_t *want = hashes[has_best ? best : last];
			char text_want[33];
			uint8_t name[NAME_MAX_LEN];
			print_hash(text_want, want);
			zone_node_name(zone, zone_nsec3_before(zone, asked, &is_match), name);
			ck_assert_int_eq(strncasecmp((const char *)name + 1, text_want, 32), 0);
			ck_assert_int_eq(is_match, memcmp(want, asked, 20) == 0);
		}
		zone_drop(&zone);
	}
}
END_TEST

START_TEST(a_chain_with_too_many_iterations_is_not_used)
{
	static const struct {
		unsigned iterations;
		bool is_used;
	} rows[] = { { 0, true }, { 100, true }, { 500, true }, { 501, false },
		{ 65535, false } };
	for (size_t i = 0; i < array_len(rows); i++) {
		char some[512];
		(void)snprintf(some, sizeof some,
			"@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 NS ns.other.\n"
			"@ 60 NSEC3PARAM 1 0 %u -\n"
			"00000000000000000000000000000000 60 NSEC3 1 0 %u - "
			"00000000000000000000000000000000 A\n",
			rows[i].iterations, rows[i].iterations);
		struct zone *zone = zone_of("z.", some);
		ck_assert_int_eq(zone->has_nsec3, rows[i].is_used);
		zone_drop(&zone);
	}
}
END_TEST

UNIT_MAIN("zone/order", a_chain_with_too_many_iterations_is_not_used,
	the_nsec_before_a_name_is_the_one_a_linear_search_finds, prefixes_sort_as_names_do,
	the_nsec3_before_a_hash_is_the_one_a_linear_search_finds)
