/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/rrsets.h"

#include "unit/unit.h"
#include "wire/key.h"
#include "wire/message.h"
#include "wire/rrtype.h"

#include <errno.h>
#include <string.h>

static const struct rrsets_opts opts = {
	.ttl_max = 86400, .negative_max = 3600, .failure_max = 5
};
static const struct cache_from from = { .link = 3 };
#define ZONE  ((const uint8_t *)"\4zone\4test")
#define HOST  ((const uint8_t *)"\1a\4zone\4test")
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
	ck_assert_int_eq(rrsets_find(r.cache, 0, HOST, TYPE_A, 109999, 10, &r.pad, &found), 1);
	ck_assert(found.is_stale);
	ck_assert_int_eq(rrsets_find(r.cache, 0, HOST, TYPE_A, 110000, 10, &r.pad, &found), 0);
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
	ck_assert(rrsets_admit(r.cache, &opts, 0, &set, RANK_REFERRAL, &from, 30, 200000));
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
	ck_assert(rrsets_deny(r.cache, &opts, 0, HOST, TYPE_MX, sets, 1, RANK_AUTH, &from, 0));
	ck_assert_int_eq(
		rrsets_denied(r.cache, 0, HOST, TYPE_MX, 20000, 0, &r.pad, &denial), 1);
	ck_assert(!denial.is_nxdomain);
	ck_assert_uint_eq(denial.n, 1);
	ck_assert_uint_eq(denial.authority[0].ttl, 40);
	ck_assert_int_eq(rrsets_denied(r.cache, 0, HOST, TYPE_A, 20000, 0, &r.pad, &denial), 0);
	ck_assert_int_eq(
		rrsets_denied(r.cache, 0, BELOW, TYPE_MX, 20000, 0, &r.pad, &denial), 0);
	ck_assert(rrsets_deny(r.cache, &opts, 0, HOST, 0, sets, 1, RANK_AUTH, &from, 0));
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
	ck_assert(
		rrsets_deny(r.cache, &opts, 0, HOST, TYPE_A, sets, 1, RANK_AUTH, &from, 21000));
	ck_assert_int_eq(find(&r, HOST, TYPE_A, 21000, &found), 0);
	/* Without an SOA there is no telling for how long. */
	ck_assert(!rrsets_deny(r.cache, &opts, 0, ZONE, TYPE_A, NULL, 0, RANK_AUTH, &from, 0));
	teardown(&r);
}
END_TEST

/* However often and at whatever rank it is told: not by the part of a second that a count of
 * whole seconds gives away either. */
START_TEST(a_delegation_ends_when_it_was_to_however_often_it_is_told)
{
	const enum rank ranks[] = { RANK_REFERRAL, RANK_AUTHORITY, RANK_ANSWER, RANK_AUTH };
	struct rig r;
	struct rrsets_found found;
	setup(&r);
	for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
		uint64_t t0 = 1000000 * (i + 1) + 137, end = t0 + 20000;
		ck_assert(admit(&r, ZONE, TYPE_NS, 20, 1, RANK_REFERRAL, t0));
		for (uint64_t t = t0; t < end; t += 7)
			ck_assert(
				admit(&r, ZONE, TYPE_NS, 86400, (uint8_t)(t & 3), ranks[i], t));
		ck_assert_int_eq(find(&r, ZONE, TYPE_NS, end - 1, &found), 1);
		ck_assert_uint_eq(found.set.ttl, 1);
		ck_assert_uint_eq(found.head.rank, ranks[i]);
		ck_assert_int_eq(find(&r, ZONE, TYPE_NS, end, &found), 0);
		/* What is over binds nobody. */
		ck_assert(admit(&r, ZONE, TYPE_NS, 20, 1, RANK_GLUE, end));
		ck_assert_int_eq(find(&r, ZONE, TYPE_NS, end, &found), 1);
		ck_assert_uint_eq(found.set.ttl, 20);
	}
	teardown(&r);
}
END_TEST

START_TEST(a_delegation_may_be_shortened_and_the_roots_is_none)
{
	struct rig r;
	struct rrsets_found found;
	setup(&r);
	ck_assert(admit(&r, ZONE, TYPE_NS, 1000, 1, RANK_REFERRAL, 0));
	ck_assert(admit(&r, ZONE, TYPE_NS, 50, 2, RANK_AUTHORITY, 500));
	ck_assert_int_eq(find(&r, ZONE, TYPE_NS, 500, &found), 1);
	ck_assert_uint_eq(found.set.ttl, 50);
	ck_assert_uint_eq(found.head.learned_ms, 500);
	const uint8_t *top = (const uint8_t *)"";
	ck_assert(admit(&r, top, TYPE_NS, 100, 1, RANK_AUTH, 0));
	ck_assert(admit(&r, top, TYPE_NS, 100, 1, RANK_AUTH, 90000));
	ck_assert_int_eq(find(&r, top, TYPE_NS, 150000, &found), 1);
	ck_assert_uint_eq(found.set.ttl, 40);
	/* Other types are renewed. */
	ck_assert(admit(&r, HOST, TYPE_A, 100, 1, RANK_AUTH, 0));
	ck_assert(admit(&r, HOST, TYPE_A, 100, 1, RANK_AUTH, 90000));
	ck_assert_int_eq(find(&r, HOST, TYPE_A, 150000, &found), 1);
	ck_assert_uint_eq(found.set.ttl, 40);
	/* NODATA does not make room for a delegation that nothing bounds. */
	uint8_t buf[64];
	struct rrset soa = soa_of(buf, 300, 60);
	const struct rrset *const sets[] = { &soa };
	ck_assert(
		rrsets_deny(r.cache, &opts, 0, ZONE, TYPE_NS, sets, 1, RANK_AUTH, &from, 1000));
	ck_assert(admit(&r, ZONE, TYPE_NS, 86400, 3, RANK_AUTH, 1000));
	ck_assert_int_eq(find(&r, ZONE, TYPE_NS, 1000, &found), 1);
	ck_assert_uint_le(found.set.ttl, 50);
	teardown(&r);
}
END_TEST

START_TEST(what_may_not_be_kept_is_not)
{
	struct rig r;
	struct rrsets_found found;
	setup(&r);
	struct rrset set = set_of(&r, HOST, TYPE_A, 100, 1);
	ck_assert(!rrsets_admit(r.cache, &opts, 0, &set, RANK_AUTH, &from, 0, 0));
	set.class = CLASS_CH;
	ck_assert(!rrsets_admit(r.cache, &opts, 0, &set, RANK_AUTH, &from, 9, 0));
	set.class = CLASS_IN;
	set.n = 0;
	ck_assert(!rrsets_admit(r.cache, &opts, 0, &set, RANK_AUTH, &from, 9, 0));
	set.n = 1;
	set.size = 65536;
	ck_assert(!rrsets_admit(r.cache, &opts, 0, &set, RANK_AUTH, &from, 9, 0));
	set.size = UINT32_MAX;
	set.sigs_size = UINT32_MAX;
	ck_assert(!rrsets_admit(r.cache, &opts, 0, &set, RANK_AUTH, &from, 9, 0));
	ck_assert_int_eq(find(&r, HOST, TYPE_A, 0, &found), 0);
	/* The least TTL does not lift what the parent bounds. */
	const struct rrsets_opts least = { .ttl_min = 30, .ttl_max = 86400 };
	set = set_of(&r, HOST, TYPE_A, 3, 1);
	ck_assert(rrsets_admit(r.cache, &least, 0, &set, RANK_AUTH, &from, UINT32_MAX, 0));
	ck_assert_int_eq(find(&r, HOST, TYPE_A, 0, &found), 1);
	ck_assert_uint_eq(found.set.ttl, 30);
	ck_assert(rrsets_admit(r.cache, &least, 0, &set, RANK_AUTH, &from, 10, 0));
	ck_assert_int_eq(find(&r, HOST, TYPE_A, 0, &found), 1);
	ck_assert_uint_eq(found.set.ttl, 10);
	teardown(&r);
}
END_TEST

/* Records of many lengths, the empty one too, with signatures. */
static struct rrset long_set(uint8_t *buf, uint16_t n, uint16_t sigs)
{
	uint8_t *p = buf, *end[2];
	for (unsigned part = 0; part < 2; part++) {
		for (uint16_t i = 0; i < (part ? sigs : n); i++) {
			uint16_t len = (uint16_t)(i % 40);
			memcpy(p, &len, 2);
			memset(p + 2, (int)(i + part), len);
			p += 2 + len;
		}
		end[part] = p;
	}
	return (struct rrset){ .owner = HOST,
		.type = TYPE_TXT,
		.class = CLASS_IN,
		.ttl = 60,
		.n = n,
		.sigs = sigs,
		.size = (uint32_t)(end[0] - buf),
		.sigs_size = (uint32_t)(end[1] - end[0]),
		.records = buf,
		.sig_records = sigs ? end[0] : NULL };
}

START_TEST(records_and_signatures_come_back_as_they_went_and_a_full_pad_is_told)
{
	static uint8_t buf[32768];
	struct rig r;
	struct rrsets_found found;
	setup(&r);
	struct rrset set = long_set(buf, 256, 120);
	ck_assert(rrsets_admit(r.cache, &opts, 0, &set, RANK_AUTH, &from, UINT32_MAX, 0));
	ck_assert_int_eq(find(&r, (const uint8_t *)"\1A\4ZONE\4test", TYPE_TXT, 0, &found), 1);
	ck_assert_uint_eq(found.set.n, 256);
	ck_assert_uint_eq(found.set.sigs, 120);
	ck_assert_uint_eq(found.set.size, set.size);
	ck_assert_uint_eq(found.set.sigs_size, set.sigs_size);
	ck_assert_mem_eq(found.set.records, set.records, set.size);
	ck_assert_mem_eq(found.set.sig_records, set.sig_records, set.sigs_size);
	struct pad small;
	pad_init(&small, 1024, NULL);
	ck_assert_int_eq(
		rrsets_find(r.cache, 0, HOST, TYPE_TXT, 0, 0, &small, &found), -ENOMEM);
	pad_clear(&small);
	/* Partitions do not see each other. */
	ck_assert_int_eq(rrsets_find(r.cache, 1, HOST, TYPE_TXT, 0, 0, &r.pad, &found), 0);
	teardown(&r);
}
END_TEST

static size_t walk(const struct rrset *set)
{
	const uint8_t *at = NULL;
	uint16_t len = 0;
	size_t n = 0, sum = 0;
	while ((at = rrset_next(set, at, &len)) != NULL) {
		for (uint16_t i = 0; i < len; i++)
			sum += at[i];
		n++;
	}
	for (uint32_t i = 0; i < set->sigs_size; i++)
		sum += set->sig_records[i];
	ck_assert_uint_eq(n, set->n);
	return sum + name_len(set->owner);
}

/* Every byte of a kept entry is bent in turn, and it is cut at every place: what is found then
 * is nothing, or lies within its bytes. */
START_TEST(a_damaged_entry_is_no_entry)
{
	uint8_t buf[256], whole[512], bent[512];
	struct rig r;
	struct rrsets_found found;
	struct rrsets_denial denial;
	struct cache_head head = { .ttl = 100, .rank = RANK_AUTH };
	struct cache_key key;
	size_t found_n = 0, sum = 0;
	setup(&r);
	struct rrset set = long_set(buf, 6, 3);
	ck_assert(rrsets_admit(r.cache, &opts, 0, &set, RANK_AUTH, &from, UINT32_MAX, 0));
	cache_key_make(&key, CACHE_RRSET, HOST, key_hash(HOST), TYPE_TXT, CLASS_IN, 0, 0);
	int n = cache_get(r.cache, &key, NULL, whole, sizeof whole);
	ck_assert_int_gt(n, 0);
	for (int i = 0; i < n; i++)
		for (unsigned bit = 0; bit < 9; bit++) {
			size_t len = bit == 8 ? (size_t)i : (size_t)n;
			memcpy(bent, whole, sizeof bent);
			bent[i] ^= (uint8_t)(1u << bit);
			pad_clear(&r.pad);
			cache_key_make(&key, CACHE_RRSET, HOST, key_hash(HOST), TYPE_TXT,
				CLASS_IN, 0, 0);
			ck_assert(cache_put(r.cache, &key, &head, bent, len));
			int rc = find(&r, HOST, TYPE_TXT, 0, &found);
			ck_assert(rc == 0 || (rc == 1 && bit < 8));
			if (rc == 1)
				sum += walk(&found.set);
			found_n += (size_t)rc;
			cache_key_make(&key, CACHE_NONE, HOST, key_hash(HOST), TYPE_TXT,
				CLASS_IN, 0, 0);
			ck_assert(cache_put(r.cache, &key, &head, bent, len));
			rc = rrsets_denied(r.cache, 0, HOST, TYPE_TXT, 0, 0, &r.pad, &denial);
			ck_assert(rc == 0 || rc == 1);
			if (rc == 1)
				sum += walk(&denial.authority[0]);
		}
	/* Bent RDATA is still RDATA; lengths, counts and most of the owner are not. */
	ck_assert_uint_gt(found_n, 0);
	ck_assert_uint_lt(found_n, (size_t)n * 8);
	ck_assert_uint_gt(sum, 0);
	teardown(&r);
}
END_TEST

static bool deny(
	struct rig *r, const uint8_t *name, uint16_t type, enum rank rank, uint64_t now_ms)
{
	uint8_t buf[64];
	struct rrset soa = soa_of(buf, 300, 60);
	const struct rrset *const sets[] = { &soa };
	return rrsets_deny(r->cache, &opts, 0, name, type, sets, 1, rank, &from, now_ms);
}

static int denied(struct rig *r, const uint8_t *name, uint16_t type, uint64_t now_ms,
	struct rrsets_denial *denial)
{
	return rrsets_denied(r->cache, 0, name, type, now_ms, 0, &r->pad, denial);
}

START_TEST(only_a_denial_that_is_kept_and_ranks_drops_what_is_there)
{
	struct rig r;
	struct rrsets_found found;
	struct rrsets_denial denial;
	setup(&r);
	ck_assert(admit(&r, HOST, TYPE_A, 1000, 1, RANK_AUTH, 0));
	ck_assert(deny(&r, HOST, TYPE_A, RANK_AUTHORITY, 0));
	ck_assert_int_eq(find(&r, HOST, TYPE_A, 0, &found), 1);
	ck_assert(deny(&r, HOST, TYPE_A, RANK_AUTH, 0));
	ck_assert_int_eq(find(&r, HOST, TYPE_A, 0, &found), 0);
	/* Glue neither ends a denial nor is ended by one that is refused. */
	ck_assert(admit(&r, HOST, TYPE_A, 1000, 1, RANK_GLUE, 0));
	ck_assert_int_eq(denied(&r, HOST, TYPE_A, 0, &denial), 1);
	ck_assert(!deny(&r, HOST, TYPE_A, RANK_ANSWER, 0));
	ck_assert_int_eq(find(&r, HOST, TYPE_A, 0, &found), 1);
	/* NXDOMAIN drops nothing of another type and is ended for its very name. */
	ck_assert(deny(&r, HOST, 0, RANK_AUTH, 0));
	ck_assert_int_eq(find(&r, HOST, TYPE_A, 0, &found), 1);
	ck_assert(admit(&r, BELOW, TYPE_A, 1000, 1, RANK_AUTH, 0));
	ck_assert_int_eq(denied(&r, HOST, TYPE_MX, 0, &denial), 1);
	ck_assert(admit(&r, HOST, TYPE_TXT, 1000, 1, RANK_ANSWER, 0));
	ck_assert_int_eq(denied(&r, HOST, TYPE_MX, 0, &denial), 0);
	/* A denial over, any takes its place. */
	ck_assert(deny(&r, HOST, TYPE_MX, RANK_AUTH, 0));
	ck_assert(!deny(&r, HOST, TYPE_MX, RANK_ANSWER, 59999));
	ck_assert(deny(&r, HOST, TYPE_MX, RANK_ANSWER, 60000));
	teardown(&r);
}
END_TEST

START_TEST(a_denial_keeps_its_proofs_no_longer_than_they_last)
{
	struct rig r;
	struct rrsets_denial denial;
	uint8_t buf[64], long_buf[256];
	setup(&r);
	struct rrset soa = soa_of(buf, 50, 255), nsec = long_set(long_buf, 4, 2);
	struct rrset other = nsec;
	nsec.type = TYPE_NSEC;
	nsec.ttl = 20;
	other.type = TYPE_NSEC3;
	other.ttl = 9999;
	const struct rrset *sets[17] = { &nsec, &soa, &other };
	ck_assert(rrsets_deny(r.cache, &opts, 0, (const uint8_t *)"\1A\4zone\4TEST", 0, sets, 3,
		RANK_AUTH, &from, 0));
	ck_assert_int_eq(denied(&r, BELOW, TYPE_A, 15000, &denial), 1);
	ck_assert_uint_eq(denial.n, 3);
	ck_assert_uint_eq(denial.authority[0].type, TYPE_NSEC);
	ck_assert_uint_eq(denial.authority[0].ttl, 5);
	ck_assert_uint_eq(denial.authority[0].sigs, 2);
	ck_assert_mem_eq(denial.authority[0].sig_records, nsec.sig_records, nsec.sigs_size);
	ck_assert_uint_eq(denial.authority[1].ttl, 35);
	ck_assert_mem_eq(denial.authority[1].records, soa.records, soa.size);
	ck_assert_uint_eq(denial.authority[2].ttl, 35);
	ck_assert_int_eq(denied(&r, BELOW, TYPE_A, 30000, &denial), 1);
	ck_assert_uint_eq(denial.authority[0].ttl, 0);
	ck_assert_uint_eq(denial.authority[1].ttl, 20);
	ck_assert_int_eq(denied(&r, BELOW, TYPE_A, 50000, &denial), 0);
	ck_assert_int_eq(
		rrsets_denied(r.cache, 0, BELOW, TYPE_A, 59999, 10, &r.pad, &denial), 1);
	ck_assert(denial.is_stale && denial.is_nxdomain);
	for (size_t i = 0; i < denial.n; i++)
		ck_assert_uint_eq(denial.authority[i].ttl, 0);
	ck_assert_int_eq(rrsets_denied(r.cache, 1, BELOW, TYPE_A, 0, 0, &r.pad, &denial), 0);
	/* The upper bound, and sets that are too many. */
	const struct rrsets_opts least = { .ttl_min = 900, .negative_max = 7 };
	ck_assert(rrsets_deny(
		r.cache, &least, 0, HOST, TYPE_MX, sets, 3, RANK_AUTH, &from, 60000));
	ck_assert_int_eq(denied(&r, HOST, TYPE_MX, 60000, &denial), 1);
	ck_assert_uint_eq(denial.authority[2].ttl, 7);
	for (size_t i = 3; i < 17; i++)
		sets[i] = &nsec;
	ck_assert(rrsets_deny(r.cache, &opts, 0, ZONE, 0, sets, 16, RANK_AUTH, &from, 0));
	ck_assert(!rrsets_deny(r.cache, &opts, 0, BELOW, 0, sets, 17, RANK_AUTH, &from, 0));
	ck_assert_int_eq(denied(&r, ZONE, TYPE_A, 0, &denial), 1);
	ck_assert_uint_eq(denial.n, 16);
	ck_assert_int_eq(denied(&r, BELOW, TYPE_A, 0, &denial), 1);
	ck_assert_uint_eq(denial.n, 3);
	teardown(&r);
}
END_TEST

/* A name of as many labels as there can be, denied at its top: found; the root is not asked. */
START_TEST(all_names_above_are_asked_but_the_root)
{
	struct rig r;
	struct rrsets_denial denial;
	uint8_t deep[NAME_MAX_LEN];
	setup(&r);
	for (unsigned i = 0; i < NAME_MAX_LABELS; i++)
		memcpy(deep + 2 * i, "\1x", 2);
	deep[NAME_MAX_LEN - 1] = 0;
	ck_assert(deny(&r, (const uint8_t *)"", 0, RANK_AUTH, 0));
	ck_assert_int_eq(denied(&r, deep, TYPE_A, 0, &denial), 0);
	ck_assert(deny(&r, (const uint8_t *)"\1X", 0, RANK_AUTH, 0));
	ck_assert_int_eq(denied(&r, deep, TYPE_A, 0, &denial), 1);
	ck_assert(denial.is_nxdomain);
	/* NODATA of the very name comes first. */
	ck_assert(deny(&r, deep, TYPE_A, RANK_AUTH, 0));
	ck_assert_int_eq(denied(&r, deep, TYPE_A, 0, &denial), 1);
	ck_assert(!denial.is_nxdomain);
	teardown(&r);
}
END_TEST

UNIT_MAIN("cache/rrsets", a_set_ages_and_ends, lesser_ranks_wait_until_better_ones_end,
	a_child_cannot_keep_its_delegation_alive,
	a_delegation_ends_when_it_was_to_however_often_it_is_told,
	a_delegation_may_be_shortened_and_the_roots_is_none, what_may_not_be_kept_is_not,
	records_and_signatures_come_back_as_they_went_and_a_full_pad_is_told,
	a_damaged_entry_is_no_entry, a_denial_covers_its_type_or_all_that_is_below,
	only_a_denial_that_is_kept_and_ranks_drops_what_is_there,
	a_denial_keeps_its_proofs_no_longer_than_they_last,
	all_names_above_are_asked_but_the_root)
