/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/case.h"
#include "resolve/minimise.h"
#include "unit/unit.h"
#include "unit/zone_of.h"

#include <stdio.h>

#define DEEP "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.example.com."

/* Questions until the whole name is asked for, when nobody refers anywhere. */
static unsigned questions_for(const char *text, unsigned zone)
{
	struct name name = name_of(text);
	unsigned labels = name_labels(name.bytes), n = 1;
	struct minimise m = { .labels = (uint8_t)zone };
	for (unsigned next; (next = minimise_labels(&m, labels)) < labels; n++) {
		ck_assert_uint_gt(next, m.labels);
		m.labels = (uint8_t)next;
		m.count++;
	}
	return n;
}

START_TEST(a_server_learns_one_label_more_than_it_has)
{
	struct name name = name_of("www.example.com."), com = name_of("com.");
	struct minimise m = { 0 };
	ck_assert_uint_eq(minimise_labels(&m, 3), 1);
	ck_assert(name_is_equal(minimise_suffix(name.bytes, 3, 1), com.bytes));
	m.labels = 1;
	ck_assert_uint_eq(minimise_labels(&m, 3), 2);
	m.labels = 2;
	ck_assert_uint_eq(minimise_labels(&m, 3), 3);
	ck_assert_ptr_eq(minimise_suffix(name.bytes, 3, 3), name.bytes);
}
END_TEST

START_TEST(the_name_of_the_zone_itself_is_asked_for_whole)
{
	struct minimise m = { .labels = 2 };
	ck_assert_uint_eq(minimise_labels(&m, 2), 2);
}
END_TEST

START_TEST(a_deep_name_costs_eleven_questions_at_most)
{
	ck_assert_uint_le(questions_for(DEEP, 0), 11);
	ck_assert_uint_ge(questions_for(DEEP, 0), 8);
	ck_assert_uint_eq(questions_for("a.b.c.example.com.", 2), 3);
	char text[512];
	size_t n = 0;
	for (unsigned i = 0; i < NAME_MAX_LABELS; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "x.");
	ck_assert_uint_le(questions_for(text, 0), 11);
}
END_TEST

START_TEST(once_it_is_whole_it_stays_so)
{
	struct minimise m = { .labels = 1, .is_whole = true };
	ck_assert_uint_eq(minimise_labels(&m, 20), 20);
}
END_TEST

START_TEST(an_echo_in_another_spelling_is_noticed)
{
	struct name name = name_of("www.example.com.");
	uint8_t mixed[NAME_MAX_LEN];
	ck_assert_uint_eq(case_mix(mixed, name.bytes, 0xf0f0f0f0f0f0f0f0), 13);
	ck_assert(name_is_equal(mixed, name.bytes));
	ck_assert_int_ne(memcmp(mixed, name.bytes, name.len), 0);
	ck_assert(case_is_echoed(mixed, name.bytes, 0xf0f0f0f0f0f0f0f0));
	for (unsigned i = 0; i < name.len; i++) {
		if (!((mixed[i] | 32) >= 'a' && (mixed[i] | 32) <= 'z'))
			continue;
		mixed[i] ^= 32;
		ck_assert(!case_is_echoed(mixed, name.bytes, 0xf0f0f0f0f0f0f0f0));
		mixed[i] ^= 32;
	}
}
END_TEST

START_TEST(the_seed_goes_round_in_names_with_many_letters)
{
	char text[256];
	(void)snprintf(text, sizeof text, "%060d.%060d.%060d.", 0, 0, 0);
	for (char *c = text; *c; c++)
		*c = *c == '0' ? 'a' : *c;
	struct name name = name_of(text);
	uint8_t mixed[NAME_MAX_LEN];
	ck_assert_uint_eq(case_mix(mixed, name.bytes, 1), 180);
	ck_assert_uint_eq(mixed[1], 'A');
	ck_assert_uint_eq(mixed[1 + 64 + 1], 'A'); /* the 65th letter, behind a length byte */
	ck_assert(case_is_echoed(mixed, name.bytes, 1));
}
END_TEST

UNIT_MAIN("resolve/minimise", a_server_learns_one_label_more_than_it_has,
	the_name_of_the_zone_itself_is_asked_for_whole,
	a_deep_name_costs_eleven_questions_at_most, once_it_is_whole_it_stays_so,
	an_echo_in_another_spelling_is_noticed, the_seed_goes_round_in_names_with_many_letters)
