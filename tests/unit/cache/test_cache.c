/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/mem.h"
#include "cache/cache.h"
#include "unit/unit.h"
#include "unit/zone_of.h"
#include "wire/key.h"
#include "wire/rrtype.h"

#include <pthread.h>
#include <stdio.h>

/* Name i: "\6iiiiii\4test". */
static void key_of(struct cache_key *key, uint8_t *name, uint32_t i, uint16_t type)
{
	char text[16];
	(void)snprintf(text, sizeof text, "%08x", i);
	name[0] = 8;
	memcpy(name + 1, text, 8);
	memcpy(name + 9, "\4test", 6);
	cache_key_make(key, CACHE_ANSWER, name, key_hash(name), type, CLASS_IN, 0, 0);
}

static const struct cache_head head = { .ttl = 300 };

static struct cache *new_of(size_t bytes, unsigned shards)
{
	const struct cache_opts opts = { .bytes = bytes, .shards = shards };
	struct cache *cache = cache_new(&opts);
	ck_assert_ptr_nonnull(cache);
	return cache;
}

START_TEST(what_is_put_is_got_and_kinds_types_and_bits_are_apart)
{
	struct cache *cache = new_of(1 << 20, 1);
	uint8_t name[16], buf[64];
	struct cache_key a, b, c;
	struct cache_head got;
	key_of(&a, name, 1, TYPE_A);
	cache_key_make(&b, CACHE_RRSET, name, key_hash(name), TYPE_A, CLASS_IN, 0, 0);
	cache_key_make(&c, CACHE_ANSWER, name, key_hash(name), TYPE_A, CLASS_IN, CACHE_DO, 0);
	struct cache_head h = { .ttl = 77, .rank = 3, .aux = 9 };
	ck_assert_int_lt(cache_get(cache, &a, NULL, buf, sizeof buf), 0);
	ck_assert(cache_put(cache, &a, &h, "one", 3));
	ck_assert(cache_put(cache, &b, &head, "two!", 4));
	ck_assert_int_eq(cache_get(cache, &a, &got, buf, sizeof buf), 3);
	ck_assert_mem_eq(buf, "one", 3);
	ck_assert_uint_eq(got.ttl, 77);
	ck_assert_uint_eq(got.rank, 3);
	ck_assert_uint_eq(got.aux, 9);
	ck_assert_int_eq(cache_get(cache, &b, NULL, buf, sizeof buf), 4);
	ck_assert_int_lt(cache_get(cache, &c, NULL, buf, sizeof buf), 0);
	ck_assert(cache_put(cache, &a, &head, "other", 5));
	ck_assert_int_eq(cache_get(cache, &a, NULL, buf, sizeof buf), 5);
	/* too little room: only the length is told */
	ck_assert_int_eq(cache_get(cache, &a, NULL, NULL, 0), 5);
	ck_assert(cache_drop(cache, &a));
	ck_assert(!cache_drop(cache, &a));
	ck_assert_int_lt(cache_get(cache, &a, NULL, buf, sizeof buf), 0);
	cache_free(&cache);
}
END_TEST

static bool only_higher(void *user, const struct cache_head *old)
{
	return *(uint8_t *)user >= old->rank;
}

START_TEST(a_better_entry_is_not_replaced_by_a_worse_one)
{
	struct cache *cache = new_of(1 << 20, 1);
	uint8_t name[16], buf[64], rank = 2;
	struct cache_key key;
	struct cache_head h = { .ttl = 1, .rank = 5 };
	key_of(&key, name, 1, TYPE_A);
	ck_assert(cache_put(cache, &key, &h, "good", 4));
	ck_assert(!cache_put_if(cache, &key, &head, "bad", 3, only_higher, &rank));
	ck_assert_int_eq(cache_get(cache, &key, NULL, buf, sizeof buf), 4);
	rank = 5;
	ck_assert(cache_put_if(cache, &key, &head, "new", 3, only_higher, &rank));
	ck_assert_int_eq(cache_get(cache, &key, NULL, buf, sizeof buf), 3);
	cache_free(&cache);
}
END_TEST

enum {
	MODEL = 4000
};

/* What the cache has is what was put last, whatever left in between. */
START_TEST(nothing_is_ever_got_that_was_not_put_last)
{
	struct cache *cache = new_of(1 << 20, 1);
	static uint32_t version[MODEL];
	static uint8_t value[70000], buf[70000];
	uint64_t random = 1;
	size_t hits = 0;
	for (uint32_t round = 1; round < 300000; round++) {
		uint32_t i = next_random(&random) % MODEL;
		uint8_t name[16];
		struct cache_key key;
		key_of(&key, name, i, TYPE_A);
		uint32_t what = next_random(&random) % 100;
		if (what < 40) {
			size_t n = 8 + next_random(&random) % (what == 0 ? 64000 : 400);
			memset(value, (int)(round & 0xff), n);
			memcpy(value, &round, 4);
			memcpy(value + 4, &i, 4);
			ck_assert(cache_put(cache, &key, &head, value, n) || n > 60000);
			version[i] = round;
		} else if (what < 45) {
			(void)cache_drop(cache, &key);
			version[i] = 0;
		} else {
			int n = cache_get(cache, &key, NULL, buf, sizeof buf);
			if (n < 0)
				continue;
			hits++;
			uint32_t got;
			memcpy(&got, buf, 4);
			/* what was too long to be kept left the one before */
			ck_assert(n >= 8 && memcmp(buf + 4, &i, 4) == 0 && got <= version[i]);
			/* An assertion a byte would be a minute of them. */
			int k = 8;
			while (k < n && buf[k] == (uint8_t)got)
				k++;
			ck_assert_int_eq(k, n);
		}
	}
	struct cache_count count;
	cache_counts(cache, &count);
	ck_assert_uint_gt(hits, 1000);
	ck_assert_uint_gt(count.evictions, 1000);
	ck_assert_uint_le(count.bytes, count.limit);
	cache_free(&cache);
}
END_TEST

static bool count_entry(void *user, const struct cache_entry *entry)
{
	size_t *n = user;
	ck_assert_uint_eq(entry->n, 4);
	ck_assert_uint_eq(entry->key.len, 15);
	(*n)++;
	return true;
}

START_TEST(a_flush_takes_a_name_a_tree_or_all)
{
	struct cache *cache = new_of(4 << 20, 4);
	uint8_t name[16], below[32];
	struct cache_key key;
	size_t n = 0;
	for (uint32_t i = 0; i < 5000; i++) {
		key_of(&key, name, i, TYPE_A);
		ck_assert(cache_put(cache, &key, &head, "data", 4));
	}
	cache_walk(cache, count_entry, &n);
	ck_assert_uint_eq(n, 5000);
	key_of(&key, name, 7, TYPE_A);
	memcpy(below, "\1a", 2);
	memcpy(below + 2, name, 15);
	struct cache_key sub;
	cache_key_make(&sub, CACHE_ANSWER, below, key_hash(below), TYPE_A, CLASS_IN, 0, 0);
	ck_assert(cache_put(cache, &sub, &head, "data", 4));
	ck_assert_uint_eq(cache_flush(cache, name, false), 1);
	ck_assert_int_eq(cache_get(cache, &sub, NULL, NULL, 0), 4);
	ck_assert_uint_eq(cache_flush(cache, name, true), 1);
	ck_assert_int_lt(cache_get(cache, &sub, NULL, NULL, 0), 0);
	ck_assert_uint_eq(cache_flush(cache, NULL, false), 4999);
	n = 0;
	cache_walk(cache, count_entry, &n);
	ck_assert_uint_eq(n, 0);
	cache_free(&cache);
}
END_TEST

/* Hazard B19 in a form of seconds. */
START_TEST(a_flood_of_names_asked_once_leaves_those_asked_often)
{
	enum {
		HOT = 10000,
		FLOOD = 2000000
	};
	struct cache *cache = new_of(8 << 20, 8);
	static uint8_t value[150], buf[200];
	uint8_t name[16];
	struct cache_key key;
	uint64_t random = 1;
	size_t asked = 0, hit = 0;
	for (uint32_t i = 0; i < FLOOD; i++) {
		key_of(&key, name, 0x1000000 + i, TYPE_A);
		(void)cache_put(cache, &key, &head, value, sizeof value);
		if (i % 10)
			continue;
		key_of(&key, name, next_random(&random) % HOT, TYPE_A);
		bool is_hit = cache_get(cache, &key, NULL, buf, sizeof buf) > 0;
		if (!is_hit)
			(void)cache_put(cache, &key, &head, value, sizeof value);
		if (i > FLOOD / 2) {
			asked++;
			hit += is_hit;
		}
	}
	printf("hot names that hit under a flood: %.1f %%\n",
		100.0 * (double)hit / (double)asked);
	ck_assert_uint_ge(hit * 100, asked * 95);
	struct cache_count count;
	cache_counts(cache, &count);
	ck_assert_uint_le(count.bytes, 8 << 20);
	cache_free(&cache);
}
END_TEST

static void *worker(void *user)
{
	struct cache *cache = user;
	uint64_t random = (uint64_t)(uintptr_t)&random;
	uint8_t name[16], buf[300];
	static const uint8_t value[200];
	struct cache_key key;
	for (int i = 0; i < 15000; i++) {
		key_of(&key, name, next_random(&random) % 3000, TYPE_A);
		if (cache_get(cache, &key, NULL, buf, sizeof buf) < 0)
			(void)cache_put(cache, &key, &head, value, i % 200u);
		if (i % 5000 == 0)
			(void)cache_flush(cache, i % 10000 ? name : NULL, true);
	}
	return NULL;
}

START_TEST(threads_meet_in_it_without_harm)
{
	struct cache *cache = new_of(1 << 20, 4);
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, worker, cache), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	struct cache_count count;
	cache_counts(cache, &count);
	ck_assert_uint_gt(count.hits, 0);
	cache_free(&cache);
}
END_TEST

START_TEST(a_million_names_and_what_a_look_costs)
{
	struct cache *cache = new_of(64 << 20, 16);
	static uint8_t value[60], buf[200];
	uint8_t name[16];
	struct cache_key key;
	for (uint32_t i = 0; i < 1000000; i++) {
		key_of(&key, name, i, TYPE_A);
		(void)cache_put(cache, &key, &head, value, sizeof value);
	}
	size_t there = 0;
	uint64_t start = clock_mono_us();
	for (uint32_t i = 0; i < 1000000; i++) {
		key_of(&key, name, i, TYPE_A);
		there += cache_get(cache, &key, NULL, buf, sizeof buf) > 0;
	}
	uint64_t took = clock_mono_us() - start;
	printf("of a million names of 60 bytes %zu are in 64 MB; a look with its key %.0f ns\n",
		there, (double)took / 1000.0);
	ck_assert_uint_gt(there, 250000);
	cache_free(&cache);
}
END_TEST

UNIT_MAIN("cache/cache", what_is_put_is_got_and_kinds_types_and_bits_are_apart,
	a_better_entry_is_not_replaced_by_a_worse_one,
	nothing_is_ever_got_that_was_not_put_last, a_flush_takes_a_name_a_tree_or_all,
	a_flood_of_names_asked_once_leaves_those_asked_often, threads_meet_in_it_without_harm,
	a_million_names_and_what_a_look_costs)
