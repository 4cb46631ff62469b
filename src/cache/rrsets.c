/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/rrsets.h"

#include "base/bytes.h"
#include "wire/key.h"
#include "wire/message.h"
#include "wire/rrtype.h"

#include <errno.h>
#include <string.h>

enum {
	ENTRY_MAX = 65535,
	DENIAL_SETS = 16, /* SOA, NSEC and NSEC3 of a denial */
	CLASS = CLASS_IN,
	SOA_TAIL = 20, /* five numbers; the last is MINIMUM */
};

/* A record set as it lies in the cache, in this host's order; then owner, records, signatures. */
struct packed {
	uint32_t size, sigs_size;
	uint32_t ttl;
	uint16_t type, n, sigs;
	uint8_t owner_len, section;
};

static size_t packed_size(const struct rrset *set)
{
	return sizeof(struct packed) + name_len(set->owner) + set->size + set->sigs_size;
}

/* Appends the set; p has packed_size() bytes. */
static uint8_t *pack(uint8_t *p, const struct rrset *set)
{
	struct packed head = { .size = set->size,
		.sigs_size = set->sigs_size,
		.ttl = set->ttl,
		.type = set->type,
		.n = set->n,
		.sigs = set->sigs,
		.owner_len = (uint8_t)name_len(set->owner),
		.section = set->section };
	memcpy(p, &head, sizeof head);
	p += sizeof head;
	memcpy(p, set->owner, head.owner_len);
	p += head.owner_len;
	memcpy(p, set->records, set->size);
	p += set->size;
	if (set->sigs_size)
		memcpy(p, set->sig_records, set->sigs_size);
	return p + set->sigs_size;
}

/* The set at p[0..n-1] as a view; returns what it takes, 0 when it is none of ours. */
static size_t unpack(struct rrset *set, const uint8_t *p, size_t n)
{
	struct packed head;
	if (n < sizeof head)
		return 0;
	memcpy(&head, p, sizeof head);
	size_t whole = sizeof head + head.owner_len + (size_t)head.size + head.sigs_size;
	if (whole > n)
		return 0;
	const uint8_t *owner = p + sizeof head, *records = owner + head.owner_len;
	*set = (struct rrset){ .owner = owner,
		.type = head.type,
		.class = CLASS,
		.section = head.section,
		.ttl = head.ttl,
		.n = head.n,
		.sigs = head.sigs,
		.size = head.size,
		.sigs_size = head.sigs_size,
		.records = records,
		.sig_records = head.sigs_size ? records + head.size : NULL };
	return whole;
}

static void make_key(struct cache_key *key, enum cache_kind kind, const uint8_t *name,
	uint64_t hash, uint16_t type, unsigned partition)
{
	cache_key_make(key, kind, name, hash, type, CLASS, 0, partition);
}

static uint32_t age_of(const struct cache_head *head, uint64_t now_ms)
{
	uint64_t age = now_ms > head->learned_ms ? (now_ms - head->learned_ms) / 1000 : 0;
	return age > UINT32_MAX ? UINT32_MAX : (uint32_t)age;
}

/* ---- keeping --------------------------------------------------------------------------- */

struct rival { /* what is kept is measured by */
	uint64_t now_ms;
	uint8_t rank;
};

static bool may_replace(void *user, const struct cache_head *old)
{
	const struct rival *rival = user;
	return rival->rank >= old->rank || age_of(old, rival->now_ms) >= old->ttl;
}

/* A zone's own word on its delegation ends no later than the one that is there: else it could
 * keep itself alive when the parent has taken it away (hazard A10). */
static uint32_t until_parent(struct cache *cache, const struct cache_key *key, enum rank rank,
	uint32_t ttl, uint64_t now_ms)
{
	struct cache_head old;
	if (rank <= RANK_REFERRAL || cache_get(cache, key, &old, NULL, 0) < 0)
		return ttl;
	uint32_t age = age_of(&old, now_ms);
	if (age >= old.ttl || old.rank < RANK_REFERRAL)
		return ttl;
	return ttl < old.ttl - age ? ttl : old.ttl - age;
}

/* Data that is there ends what was said of its absence. */
static void drop_denials(struct cache *cache, unsigned partition, const uint8_t *name,
	uint64_t hash, uint16_t type)
{
	struct cache_key key;
	make_key(&key, CACHE_NONE, name, hash, type, partition);
	(void)cache_drop(cache, &key);
	make_key(&key, CACHE_NONE, name, hash, 0, partition);
	(void)cache_drop(cache, &key);
}

bool rrsets_admit(struct cache *cache, const struct rrsets_opts *opts, unsigned partition,
	const struct rrset *set, enum rank rank, const struct cache_from *from,
	uint32_t parent_ttl, uint64_t now_ms)
{
	uint8_t name[NAME_MAX_LEN], bytes[ENTRY_MAX] UNCLEARED;
	size_t len = name_len(set->owner), n = packed_size(set);
	uint32_t ttl = set->ttl < opts->ttl_min ? opts->ttl_min : set->ttl;
	if (n > sizeof bytes || !set->n)
		return false;
	name_lower(name, set->owner, len);
	uint64_t hash = key_hash(name);
	struct cache_key key;
	make_key(&key, CACHE_RRSET, name, hash, set->type, partition);
	ttl = ttl > opts->ttl_max ? opts->ttl_max : ttl;
	ttl = ttl > parent_ttl ? parent_ttl : ttl;
	if (set->type == TYPE_NS)
		ttl = until_parent(cache, &key, rank, ttl, now_ms);
	if (!ttl)
		return false;
	struct cache_head head = {
		.learned_ms = now_ms, .ttl = ttl, .rank = (uint8_t)rank, .from = *from
	};
	struct rival rival = { now_ms, (uint8_t)rank };
	(void)pack(bytes, set);
	if (!cache_put_if(cache, &key, &head, bytes, n, may_replace, &rival))
		return false;
	if (rank >= RANK_ANSWER)
		drop_denials(cache, partition, name, hash, set->type);
	return true;
}

/* What is left of the TTL; false: it is over, and not even stale enough. */
static bool judge_age(const struct cache_head *head, uint64_t now_ms, uint32_t stale_s,
	uint32_t *left, bool *is_stale)
{
	uint32_t age = age_of(head, now_ms);
	*is_stale = age >= head->ttl;
	*left = *is_stale ? 0 : head->ttl - age;
	return !*is_stale || (uint64_t)age < (uint64_t)head->ttl + stale_s;
}

int rrsets_find(struct cache *cache, unsigned partition, const uint8_t *name, uint16_t type,
	uint64_t now_ms, uint32_t stale_s, struct pad *pad, struct rrsets_found *found)
{
	uint8_t bytes[ENTRY_MAX] UNCLEARED;
	struct cache_key key;
	uint32_t left;
	make_key(&key, CACHE_RRSET, name, key_hash(name), type, partition);
	int n = cache_get(cache, &key, &found->head, bytes, sizeof bytes);
	if (n < 0 || !judge_age(&found->head, now_ms, stale_s, &left, &found->is_stale))
		return 0;
	const uint8_t *kept = pad_copy(pad, bytes, (size_t)n);
	if (!kept)
		return -ENOMEM;
	if (unpack(&found->set, kept, (size_t)n) != (size_t)n)
		return 0;
	found->set.ttl = left;
	found->set.section = SECTION_ANSWER;
	return 1;
}

/* ---- denials --------------------------------------------------------------------------- */

/* Its TTL after RFC 2308 5: the lesser of the SOA's own and its MINIMUM. */
static uint32_t negative_ttl(const struct rrset *const *sets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint16_t len;
		const uint8_t *soa;
		if (sets[i]->type != TYPE_SOA || !(soa = rrset_next(sets[i], NULL, &len)) ||
			len < SOA_TAIL)
			continue;
		uint32_t minimum = get_u32(soa + len - 4);
		return minimum < sets[i]->ttl ? minimum : sets[i]->ttl;
	}
	return 0;
}

bool rrsets_deny(struct cache *cache, const struct rrsets_opts *opts, unsigned partition,
	const uint8_t *name, uint16_t type, const struct rrset *const *authority, size_t n,
	enum rank rank, const struct cache_from *from, uint64_t now_ms)
{
	uint8_t bytes[ENTRY_MAX] UNCLEARED, *p = bytes;
	uint32_t ttl = negative_ttl(authority, n);
	ttl = ttl > opts->negative_max ? opts->negative_max : ttl;
	if (!ttl || n > DENIAL_SETS)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (packed_size(authority[i]) > sizeof bytes - (size_t)(p - bytes))
			return false;
		p = pack(p, authority[i]);
	}
	struct cache_key key;
	uint64_t hash = key_hash(name);
	struct cache_head head = {
		.learned_ms = now_ms, .ttl = ttl, .rank = (uint8_t)rank, .from = *from
	};
	if (type) {
		make_key(&key, CACHE_RRSET, name, hash, type, partition);
		(void)cache_drop(cache, &key);
	}
	make_key(&key, CACHE_NONE, name, hash, type, partition);
	struct rival rival = { now_ms, (uint8_t)rank };
	return cache_put_if(
		cache, &key, &head, bytes, (size_t)(p - bytes), may_replace, &rival);
}

static int open_denial(struct rrsets_denial *found, const uint8_t *bytes, size_t n,
	uint32_t left, struct pad *pad)
{
	const uint8_t *kept = pad_copy(pad, bytes, n);
	found->authority = pad_new(pad, DENIAL_SETS * sizeof *found->authority);
	if (!kept || !found->authority)
		return -ENOMEM;
	size_t at = 0;
	for (found->n = 0; at < n && found->n < DENIAL_SETS; found->n++) {
		struct rrset *set = &found->authority[found->n];
		size_t used = unpack(set, kept + at, n - at);
		if (!used)
			return 0;
		set->ttl = left;
		set->section = SECTION_AUTHORITY;
		at += used;
	}
	return at == n;
}

static int find_denial(struct cache *cache, const struct cache_key *key, uint64_t now_ms,
	uint32_t stale_s, struct pad *pad, struct rrsets_denial *found)
{
	uint8_t bytes[ENTRY_MAX] UNCLEARED;
	uint32_t left;
	int n = cache_get(cache, key, &found->head, bytes, sizeof bytes);
	if (n < 0 || !judge_age(&found->head, now_ms, stale_s, &left, &found->is_stale))
		return 0;
	return open_denial(found, bytes, (size_t)n, left, pad);
}

int rrsets_denied(struct cache *cache, unsigned partition, const uint8_t *name, uint16_t type,
	uint64_t now_ms, uint32_t stale_s, struct pad *pad, struct rrsets_denial *found)
{
	struct key names;
	struct cache_key key;
	key_make(&names, name);
	make_key(&key, CACHE_NONE, name, names.hash[0], type, partition);
	found->is_nxdomain = false;
	int rc = find_denial(cache, &key, now_ms, stale_s, pad, found);
	found->is_nxdomain = true;
	/* NXDOMAIN of a name is one of all below it (RFC 8020). */
	for (unsigned i = 0; i < names.labels && !rc; i++) {
		make_key(&key, CACHE_NONE, names.name + names.at[i], names.hash[i], 0,
			partition);
		rc = find_denial(cache, &key, now_ms, stale_s, pad, found);
	}
	if (rc == 1 && key.type)
		found->is_nxdomain = false;
	return rc;
}
