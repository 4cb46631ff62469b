/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/facts.h"

#include "unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ZONE  ((const uint8_t *)"\4zone\4test")
#define OTHER ((const uint8_t *)"\5other\4test")

static struct endpoint server_of(unsigned i)
{
	struct endpoint e = { .port = 53 };
	memcpy(e.address + 12, &i, sizeof i);
	return e;
}

static struct fact fact_of(struct facts *facts, unsigned i, uint64_t now_ms)
{
	struct endpoint e = server_of(i);
	struct fact fact;
	facts_get(facts, &e, NULL, now_ms, &fact);
	return fact;
}

START_TEST(times_are_smoothed_and_stay_within_bounds)
{
	struct facts *facts = facts_new(8192);
	struct endpoint a = server_of(1);
	struct fact fact = fact_of(facts, 1, 0);
	ck_assert(!fact.is_known);
	ck_assert_uint_eq(fact.rtt_ms, 0);
	ck_assert_uint_eq(fact.rto_ms, 376);
	facts_reply(facts, &a, 100);
	fact = fact_of(facts, 1, 0);
	ck_assert(fact.is_known);
	ck_assert_uint_eq(fact.rtt_ms, 100);
	ck_assert_uint_eq(fact.rto_ms, 300); /* 100 + 4 * 50 */
	/* RTTVAR = 3/4 * 50 + 1/4 * 80, then SRTT = 7/8 * 100 + 1/8 * 180 */
	facts_reply(facts, &a, 180);
	fact = fact_of(facts, 1, 0);
	ck_assert_uint_eq(fact.rtt_ms, 110);
	ck_assert_uint_eq(fact.rto_ms, 340); /* 110 + 4 * 57.5 */
	for (unsigned i = 0; i < 80; i++)
		facts_reply(facts, &a, 20);
	fact = fact_of(facts, 1, 0);
	ck_assert_uint_ge(fact.rtt_ms, 20);
	ck_assert_uint_le(fact.rtt_ms, 22);
	ck_assert_uint_eq(fact.rto_ms, 100);
	facts_reply(facts, &a, UINT32_MAX);
	fact = fact_of(facts, 1, 0);
	ck_assert_uint_eq(fact.rto_ms, 3000);
	ck_assert_uint_le(fact.rtt_ms, 20 + 3000 / 8 + 3);
	/* So near that it takes no time: known all the same. */
	struct endpoint b = server_of(2);
	for (unsigned i = 0; i < 100; i++)
		facts_reply(facts, &b, 0);
	fact = fact_of(facts, 2, 0);
	ck_assert_uint_eq(fact.rtt_ms, 1);
	facts_free(&facts);
	ck_assert_ptr_null(facts);
}
END_TEST

START_TEST(failures_back_off_up_to_a_minute_and_a_reply_ends_them)
{
	struct facts *facts = facts_new(64);
	struct endpoint a = server_of(1);
	struct fact fact;
	uint64_t now = 1000;
	uint64_t down[10];
	uint32_t rto[10];
	for (unsigned i = 0; i < 10; i++) {
		facts_failure(facts, &a, now);
		fact = fact_of(facts, 1, now);
		ck_assert_uint_eq(fact.failures, i + 1);
		down[i] = fact.down_until_ms ? fact.down_until_ms - now : 0;
		rto[i] = fact.rto_ms;
		now = fact.down_until_ms ? fact.down_until_ms : now;
		ck_assert_uint_eq(fact_of(facts, 1, now).down_until_ms, 0);
	}
	const uint64_t wanted[10] = { 0, 0, 1000, 2000, 4000, 8000, 16000, 32000, 60000,
		60000 };
	ck_assert_mem_eq(down, wanted, sizeof wanted);
	ck_assert_uint_eq(rto[0], 752);
	ck_assert_uint_eq(rto[1], 1504);
	ck_assert_uint_eq(rto[2], 3000);
	ck_assert_uint_eq(rto[9], 3000);
	facts_reply(facts, &a, 40);
	fact = fact_of(facts, 1, 0);
	ck_assert_uint_eq(fact.failures, 0);
	ck_assert_uint_eq(fact.down_until_ms, 0);
	ck_assert_uint_eq(fact.rto_ms, 120);
	for (unsigned i = 0; i < 4; i++)
		facts_failure(facts, &a, now);
	ck_assert_uint_ne(fact_of(facts, 1, now).down_until_ms, 0);
	facts_heard(facts, &a);
	fact = fact_of(facts, 1, now);
	ck_assert_uint_eq(fact.failures, 0);
	ck_assert_uint_eq(fact.down_until_ms, 0);
	ck_assert_uint_eq(fact.rtt_ms, 40);
	ck_assert_uint_eq(fact.rto_ms, 120);
	facts_free(&facts);
}
END_TEST

/* A hundred questions were under way when the server went away for a moment. */
START_TEST(an_outage_is_one_however_many_questions_it_hit)
{
	struct facts *facts = facts_new(64);
	struct endpoint a = server_of(1);
	for (unsigned i = 0; i < 100; i++)
		facts_failure(facts, &a, 1000 + i);
	struct fact fact = fact_of(facts, 1, 1100);
	ck_assert_uint_eq(fact.down_until_ms, 2002);
	ck_assert_uint_eq(fact.failures, 3);
	facts_failure(facts, &a, 2002);
	ck_assert_uint_eq(fact_of(facts, 1, 2002).down_until_ms, 4002);
	facts_free(&facts);
}
END_TEST

START_TEST(what_was_the_uplinks_fault_is_forgiven_to_all)
{
	enum {
		SERVERS = 500
	};
	struct facts *facts = facts_new(8192);
	for (unsigned i = 0; i < SERVERS; i++) {
		struct endpoint e = server_of(i);
		if (i % 2)
			facts_reply(facts, &e, 100);
		for (unsigned k = 0; k < 5; k++)
			facts_failure(facts, &e, 1000);
		ck_assert_uint_eq(fact_of(facts, i, 1000).down_until_ms, 2000);
	}
	facts_forgive(facts);
	for (unsigned i = 0; i < SERVERS; i++) {
		struct fact fact = fact_of(facts, i, 1000);
		ck_assert(fact.is_known);
		ck_assert_uint_eq(fact.down_until_ms, 0);
		ck_assert_uint_eq(fact.failures, 0);
		ck_assert_uint_eq(fact.rto_ms, i % 2 ? 300 : 376);
	}
	ck_assert(!fact_of(facts, SERVERS, 1000).is_known);
	facts_free(&facts);
}
END_TEST

START_TEST(what_is_known_of_a_server_stays_apart)
{
	struct facts *facts = facts_new(8192);
	struct endpoint a = server_of(1), b = server_of(2), c = server_of(1);
	struct fact fact;
	c.port = 5353;
	facts_set_edns(facts, &a, EDNS_NONE);
	facts_set_case(facts, &a, true);
	facts_set_lame(facts, &a, ZONE, 1000);
	facts_get(facts, &a, ZONE, 2000, &fact);
	ck_assert(fact.is_known && fact.breaks_case && fact.is_lame);
	ck_assert_int_eq(fact.edns, EDNS_NONE);
	facts_get(facts, &a, OTHER, 2000, &fact);
	ck_assert(!fact.is_lame);
	facts_get(facts, &a, ZONE, 900999, &fact);
	ck_assert(fact.is_lame);
	facts_get(facts, &a, ZONE, 901000, &fact);
	ck_assert(!fact.is_lame);
	facts_get(facts, &b, ZONE, 2000, &fact);
	ck_assert(!fact.is_known && !fact.is_lame && !fact.breaks_case);
	ck_assert_int_eq(fact.edns, EDNS_UNKNOWN);
	facts_get(facts, &c, ZONE, 2000, &fact); /* the same address, another port */
	ck_assert(!fact.is_known && !fact.is_lame);
	facts_free(&facts);
}
END_TEST

START_TEST(a_cookie_is_kept_whole_or_not_at_all)
{
	struct facts *facts = facts_new(64);
	struct endpoint a = server_of(1);
	uint8_t cookie[64];
	for (unsigned i = 0; i < sizeof cookie; i++)
		cookie[i] = (uint8_t)i;
	facts_set_cookie(facts, &a, cookie, 40);
	ck_assert_uint_eq(fact_of(facts, 1, 0).cookie_len, 40);
	ck_assert_mem_eq(fact_of(facts, 1, 0).cookie, cookie, 40);
	facts_set_cookie(facts, &a, cookie + 1, 16);
	ck_assert_uint_eq(fact_of(facts, 1, 0).cookie_len, 16);
	ck_assert_mem_eq(fact_of(facts, 1, 0).cookie, cookie + 1, 16);
	const size_t bad[] = { 0, 8, 15, 41, 64, 256 + 16 };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		facts_set_cookie(facts, &a, cookie, 16);
		facts_set_cookie(facts, &a, bad[i] ? cookie : NULL, bad[i]);
		ck_assert_uint_eq(fact_of(facts, 1, 0).cookie_len, 0);
	}
	facts_free(&facts);
}
END_TEST

START_TEST(a_flood_of_servers_takes_the_places_of_those_not_asked)
{
	struct facts *facts = facts_new(8192);
	struct endpoint a = server_of(1);
	size_t known = 0;
	facts_reply(facts, &a, 10);
	for (unsigned i = 10; i < 60010; i++) {
		struct endpoint e = server_of(i);
		facts_reply(facts, &e, 10);
		if (i % 64 == 0)
			(void)fact_of(facts, 1, 2000);
	}
	ck_assert(fact_of(facts, 1, 2000).is_known);
	for (unsigned i = 10; i < 60010; i++)
		known += fact_of(facts, i, 2000).is_known;
	(void)printf("of 60,000 servers %zu are known\n", known);
	ck_assert_uint_gt(known, 7500);
	ck_assert_uint_le(known, 8192);
	facts_free(&facts);
}
END_TEST

START_TEST(lame_marks_are_bounded_too_and_the_newest_stay)
{
	struct facts *facts = facts_new(64);
	struct endpoint a = server_of(1);
	uint8_t zone[8] = { 4 };
	struct fact fact;
	size_t lame = 0;
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 20000; i++) {
			memcpy(zone + 1, &i, 4);
			if (round == 0)
				facts_set_lame(facts, &a, zone, 1000 + i);
			facts_get(facts, &a, zone, 30000, &fact);
			if (round == 0)
				ck_assert(fact.is_lame);
			else
				lame += fact.is_lame;
		}
	ck_assert_uint_gt(lame, 3500);
	ck_assert_uint_le(lame, 4096);
	facts_free(&facts);
}
END_TEST

static void *worker(void *user)
{
	struct facts *facts = user;
	for (unsigned i = 0; i < 20000; i++) {
		struct endpoint e = server_of(i % 300);
		uint8_t cookie[40];
		struct fact fact;
		/* What two threads write at once must come out as one of them wrote it. */
		memset(cookie, (int)(i % 251), sizeof cookie);
		facts_set_cookie(facts, &e, cookie, 16 + i % 25);
		facts_reply(facts, &e, i % 100);
		if (i % 3 == 0)
			facts_failure(facts, &e, i);
		if (i % 5 == 0)
			facts_set_lame(facts, &e, ZONE, i);
		if (i % 1000 == 0)
			facts_forgive(facts);
		facts_get(facts, &e, ZONE, i, &fact);
		for (unsigned k = 1; k < fact.cookie_len; k++)
			if (fact.cookie[k] != fact.cookie[0])
				return facts;
	}
	return NULL;
}

START_TEST(threads_meet_in_them_without_harm)
{
	struct facts *facts = facts_new(256);
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, worker, facts), 0);
	for (int i = 0; i < 2; i++) {
		void *torn = NULL;
		ck_assert_int_eq(pthread_join(threads[i], &torn), 0);
		ck_assert_ptr_null(torn);
	}
	facts_free(&facts);
}
END_TEST

UNIT_MAIN("cache/facts", times_are_smoothed_and_stay_within_bounds,
	failures_back_off_up_to_a_minute_and_a_reply_ends_them,
	an_outage_is_one_however_many_questions_it_hit,
	what_was_the_uplinks_fault_is_forgiven_to_all, what_is_known_of_a_server_stays_apart,
	a_cookie_is_kept_whole_or_not_at_all,
	a_flood_of_servers_takes_the_places_of_those_not_asked,
	lame_marks_are_bounded_too_and_the_newest_stay, threads_meet_in_them_without_harm)
