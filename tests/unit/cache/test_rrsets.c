/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/rrsets.h"

#include "unit/unit.h"
#include "wire/message.h"
#include "wire/rrtype.h"

#include <string.h>

static const struct rrsets_opts opts = {
	.ttl_max = 86400, .negative_max = 3600, .failure_max = 5
};
static const struct cache_from from = { .link = 3 };
#define ZONE ((const uint8_t *)"\4zone\4test")
#define HOST ((const uint8_t *)"\1a\4zone\4test")
#define BELOW ((const uint8_t *)"\1b\1a\4zone\4test")

struct rig {
	struct cache *cache;
	struct pad pad;
	uint8_t records[64];
};

static void setup(struct rig *r)
{
	const struct cache_opts cache_opts = { .bytes = 1 << 20, .shards = 1 };
	memset(r, 0, sizeof *r);
	r->cache = cache_new(&cache_opts);
	pad_init(&r->pad, 1 << 20, NULL);
}

static void teardown(struct rig *r)
{
	pad_clear(&r->pad);
	cache_free(&r->cache);
}

/* One record whose four bytes are all x. */
static struct rrset set_of(
	struct rig *r, const uint8_t *owner, uint16_t type, uint32_t ttl, uint8_t x)
{
	uint16_t len = 4;
	memcpy(r->records, &len, 2);
	memset(r->records + 2, x, 4);
	return (struct rrset){ .owner = owner,
		.type = type,
		.class = CLASS_IN,
		.ttl = ttl,
		.n = 1,
		.size = 6,
		.records = r->records };
}

static bool admit(struct rig *r, const uint8_t *owner, uint16_t type, uint32_t ttl, uint8_t x,
	enum rank rank, uint64_t now_ms)
{
	struct rrset set = set_of(r, owner, type, ttl, x);
	return rrsets_admit(r->cache, &opts, 0, &set, rank, &from, UINT32_MAX, now_ms);
}

static int find(struct rig *r, const uint8_t *owner, uint16_t type, uint64_t now_ms,
	struct rrsets_found *found)
{
	return rrsets_find(r->cache, 0, owner, type, now_ms, 0, &r->pad, found);
}

/* ns. h. 1 2 3 4 minimum */
static struct rrset soa_of(uint8_t *buf, uint32_t ttl, uint8_t minimum)
{
	static const uint8_t rdata[] = { 2, 'n', 's', 0, 1, 'h', 0, 0, 0, 0, 1, 0, 0, 0, 2, 0,
		0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0 };
	uint16_t len = sizeof rdata;
	memcpy(buf, &len, 2);
	memcpy(buf + 2, rdata, sizeof rdata);
	buf[2 + sizeof rdata - 1] = minimum;
	return (struct rrset){ .owner = ZONE,
		.type = TYPE_SOA,
		.class = CLASS_IN,
		.ttl = ttl,
		.n = 1,
		.size = 2 + sizeof rdata,
		.records = buf };
}

START_TEST(a_set_ages_and_ends)
{
	struct rig r;
	struct rrsets_found found;
	setup(&r);
	ck_assert(admit(&r, (const uint8_t *)"\1A\4zone\4Test", TYPE_A, 100, 7, RANK_AUTH, 0));
	ck_assert_int_eq(find(&r, HOST, TYPE_A, 40999, &found), 1);
	ck_assert_uint_eq(found.set.ttl, 60);
	ck_assert_uint_eq(found.set.n, 1);
	ck_assert_mem_eq(found.set.records + 2, "\7\7\7\7", 4);
	ck_assert_mem_eq(found.set.owner, "\1A\4zone\4Test", 13); /* as it was spelt */
	ck_assert_uint_eq(found.head.from.link, 3);
	ck_assert_int_eq(find(&r, HOST, TYPE_AAAA, 0, &found), 0);
	ck_assert_int_eq(find(&r, HOST, TYPE_A, 100000, &found), 0);
	ck_assert_int_eq(
		rrsets_find(r.cache, 0, HOST, TYPE_A, 109999, 10, &r.pad, &found), 1);
	ck_assert(found.is_stale);
	ck_assert_int_eq(
		rrsets_find(r.cache, 0, HOST, TYPE_A, 110000, 10, &r.pad, &found), 0);
	ck_assert(!admit(&r, HOST, TYPE_AAAA, 0, 1, RANK_AUTH, 0));
	ck_assert(admit(&r, HOST, TYPE_AAAA, 900000, 1, RANK_AUTH, 0));
	ck_assert_int_eq(find(&r, HOST, TYPE_AAAA, 0, &found), 1);
	ck_assert_uint_eq(found.set.ttl, 86400);
	teardown(&r);
}
END_TEST

START_TEST(lesser_ranks_wait_until_better_ones_end)
{
	struct rig r;
	struct rrsets_found found;
	setup(&r);
	ck_assert(admit(&r, HOST, TYPE_A, 10, 1, RANK_GLUE, 0));
	ck_assert(admit(&r, HOST, TYPE_A, 10, 2, RANK_AUTH, 0));
	ck_assert(!admit(&r, HOST, TYPE_A, 10, 3, RANK_GLUE, 5000));
	ck_assert_int_eq(find(&r, HOST, TYPE_A, 5000, &found), 1);
	ck_assert_uint_eq(found.set.records[2], 2);
	ck_assert(admit(&r, HOST, TYPE_A, 10, 3, RANK_GLUE, 10000));
	teardown(&r);
}
END_TEST

START_TEST(a_child_cannot_keep_its_delegation_alive)
{
	struct rig r;
	struct rrsets_found found;
	setup(&r);
	ck_assert(admit(&r, ZONE, TYPE_NS, 100, 1, RANK_REFERRAL, 0));
	for (uint64_t t = 10000; t < 100000; t += 10000)
		ck_assert(admit(&r, ZONE, TYPE_NS, 1000, 2, RANK_AUTHORITY, t));
	ck_assert_int_eq(find(&r, ZONE, TYPE_NS, 99000, &found), 1);
	ck_assert_uint_eq(found.set.ttl, 1);
	ck_assert_int_eq(find(&r, ZONE, TYPE_NS, 100000, &found), 0);
	/* A bound that the caller knows. */
	struct rrset set = set_of(&r, ZONE, TYPE_NS, 1000, 1);
	ck_assert(rrsets_admit(
		r.cache, &opts, 0, &set, RANK_REFERRAL, &from, 30, 200000));
	ck_assert_int_eq(find(&r, ZONE, TYPE_NS, 200000, &found), 1);
	ck_assert_uint_eq(found.set.ttl, 30);
	teardown(&r);
}
END_TEST

START_TEST(a_denial_covers_its_type_or_all_that_is_below)
{
	struct rig r;
	struct rrsets_denial denial;
	uint8_t buf[64];
	setup(&r);
	struct rrset soa = soa_of(buf, 300, 60);
	const struct rrset *const sets[] = { &soa };
	ck_assert(rrsets_deny(
		r.cache, &opts, 0, HOST, TYPE_MX, sets, 1, RANK_AUTH, &from, 0));
	ck_assert_int_eq(
		rrsets_denied(r.cache, 0, HOST, TYPE_MX, 20000, 0, &r.pad, &denial), 1);
	ck_assert(!denial.is_nxdomain);
	ck_assert_uint_eq(denial.n, 1);
	ck_assert_uint_eq(denial.authority[0].ttl, 40);
	ck_assert_int_eq(
		rrsets_denied(r.cache, 0, HOST, TYPE_A, 20000, 0, &r.pad, &denial), 0);
	ck_assert_int_eq(
		rrsets_denied(r.cache, 0, BELOW, TYPE_MX, 20000, 0, &r.pad, &denial), 0);
	ck_assert(
		rrsets_deny(r.cache, &opts, 0, HOST, 0, sets, 1, RANK_AUTH, &from, 0));
	ck_assert_int_eq(
		rrsets_denied(r.cache, 0, BELOW, TYPE_A, 20000, 0, &r.pad, &denial), 1);
	ck_assert(denial.is_nxdomain);
	ck_assert_int_eq(
		rrsets_denied(r.cache, 0, BELOW, TYPE_A, 60000, 0, &r.pad, &denial), 0);
	/* What is there ends it. */
	ck_assert(admit(&r, HOST, TYPE_A, 10, 1, RANK_AUTH, 20000));
	ck_assert_int_eq(
		rrsets_denied(r.cache, 0, BELOW, TYPE_A, 20000, 0, &r.pad, &denial), 0);
	/* And the other way round. */
	struct rrsets_found found;
	ck_assert(rrsets_deny(
		r.cache, &opts, 0, HOST, TYPE_A, sets, 1, RANK_AUTH, &from, 21000));
	ck_assert_int_eq(find(&r, HOST, TYPE_A, 21000, &found), 0);
	/* Without an SOA there is no telling for how long. */
	ck_assert(!rrsets_deny(
		r.cache, &opts, 0, ZONE, TYPE_A, NULL, 0, RANK_AUTH, &from, 0));
	teardown(&r);
}
END_TEST

UNIT_MAIN("cache/rrsets", a_set_ages_and_ends, lesser_ranks_wait_until_better_ones_end,
	a_child_cannot_keep_its_delegation_alive,
	a_denial_covers_its_type_or_all_that_is_below)
