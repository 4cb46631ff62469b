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

/* A record set as it lies in the cache, in this host's order; behind it owner, records,
 * signatures. */
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

static uint8_t *append(uint8_t *p, const void *bytes, size_t n)
{
	if (n)
		memcpy(p, bytes, n);
	return p + n;
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
	p = append(p, &head, sizeof head);
	p = append(p, set->owner, head.owner_len);
	p = append(p, set->records, set->size);
	return append(p, set->sig_records, set->sigs_size);
}

/* Whether n records with their lengths fill p[0..size-1] to the byte. */
static bool is_filled(const uint8_t *p, size_t size, unsigned n)
{
	for (; n; n--) {
		uint16_t len;
		if (size < sizeof len)
			return false;
		memcpy(&len, p, sizeof len);
		if (size - sizeof len < len)
			return false;
		p += sizeof len + len;
		size -= sizeof len + len;
	}
	return size == 0;
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
	const uint8_t *sigs = records + head.size;
	if (name_check(owner, head.owner_len) != head.owner_len ||
		!is_filled(records, head.size, head.n) ||
		!is_filled(sigs, head.sigs_size, head.sigs))
		return 0;
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
		.sig_records = head.sigs ? sigs : NULL };
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

struct rival {                   /* what is to be kept, against what is there */
	struct cache_head *head; /* what cache_put_if() keeps if it may */
	bool is_delegation;
	uint64_t now_ms;
};

/* A delegation that is there is not prolonged by one that takes its place: else a zone could
 * keep itself alive for ever after its parent has taken it away (hazard A10). Seconds are
 * counted on from the old one's, for a fraction gained at each turn would do as well. */
static void end_with(struct cache_head *head, const struct cache_head *old, uint32_t age)
{
	uint64_t end = old->learned_ms + old->ttl * UINT64_C(1000);
	if (head->learned_ms + head->ttl * UINT64_C(1000) <= end)
		return;
	head->learned_ms = old->learned_ms + age * UINT64_C(1000);
	head->ttl = old->ttl - age;
}

/* Under the shard's lock, so that what is decided here is so of what is replaced. */
static bool may_replace(void *user, const struct cache_head *old)
{
	const struct rival *rival = user;
	uint32_t age = age_of(old, rival->now_ms);
	if (age >= old->ttl)
		return true;
	if (rival->head->rank < old->rank)
		return false;
	if (rival->is_delegation)
		end_with(rival->head, old, age);
	return true;
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

static uint32_t positive_ttl(
	const struct rrsets_opts *opts, const struct rrset *set, uint32_t parent_ttl)
{
	uint32_t ttl = set->ttl < opts->ttl_min ? opts->ttl_min : set->ttl;
	ttl = ttl > opts->ttl_max ? opts->ttl_max : ttl;
	return ttl > parent_ttl ? parent_ttl : ttl;
}

bool rrsets_admit(struct cache *cache, const struct rrsets_opts *opts, unsigned partition,
	const struct rrset *set, enum rank rank, const struct cache_from *from,
	uint32_t parent_ttl, uint64_t now_ms)
{
	uint8_t name[NAME_MAX_LEN], bytes[ENTRY_MAX] UNCLEARED;
	size_t n = packed_size(set);
	struct cache_head head = { .learned_ms = now_ms,
		.ttl = positive_ttl(opts, set, parent_ttl),
		.rank = (uint8_t)rank,
		.from = *from };
	if (!head.ttl || !set->n || set->class != CLASS || n > sizeof bytes)
		return false;
	name_lower(name, set->owner, name_len(set->owner));
	uint64_t hash = key_hash(name);
	struct cache_key key;
	make_key(&key, CACHE_RRSET, name, hash, set->type, partition);
	/* The root has nobody above it. */
	struct rival rival = { &head, set->type == TYPE_NS && *name, now_ms };
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

void rrsets_prefetch(
	const struct cache *cache, unsigned partition, const uint8_t *name, uint16_t type)
{
	const struct {
		enum cache_kind kind;
		uint16_t type;
	} keys[] = { { CACHE_RRSET, type }, { CACHE_RRSET, TYPE_CNAME }, { CACHE_NONE, type },
		{ CACHE_NONE, 0 }, { CACHE_RRSET, TYPE_NS } };
	uint64_t hash = key_hash(name);
	for (size_t i = 0; i < array_len(keys); i++) {
		struct cache_key key;
		make_key(&key, keys[i].kind, name, hash, keys[i].type, partition);
		cache_prefetch(cache, &key);
	}
}

int rrsets_find(struct cache *cache, unsigned partition, const uint8_t *name, uint16_t type,
	uint64_t now_ms, uint32_t stale_s, struct pad *pad, struct rrsets_found *found)
{
	uint8_t lower[NAME_MAX_LEN], bytes[ENTRY_MAX] UNCLEARED;
	struct cache_key key;
	uint32_t left;
	name_lower(lower, name, name_len(name));
	make_key(&key, CACHE_RRSET, lower, key_hash(lower), type, partition);
	int n = cache_get(cache, &key, &found->head, bytes, sizeof bytes);
	if (n < 0 || !judge_age(&found->head, now_ms, stale_s, &left, &found->is_stale))
		return 0;
	const uint8_t *kept = pad_copy(pad, bytes, (size_t)n);
	if (!kept)
		return -ENOMEM;
	size_t used = unpack(&found->set, kept, (size_t)n);
	if (!used || used != (size_t)n)
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

/* Packs the sets one behind the other; 0: they are too many, too long or not of our class. */
static size_t pack_all(
	uint8_t *bytes, size_t room, const struct rrset *const *sets, size_t n, uint32_t ttl)
{
	uint8_t *p = bytes;
	if (n > DENIAL_SETS)
		return 0;
	for (size_t i = 0; i < n; i++) {
		struct rrset set = *sets[i];
		set.ttl = set.ttl < ttl ? set.ttl : ttl;
		if (set.class != CLASS || packed_size(&set) > room - (size_t)(p - bytes))
			return 0;
		p = pack(p, &set);
	}
	return (size_t)(p - bytes);
}

bool rrsets_deny(struct cache *cache, const struct rrsets_opts *opts, unsigned partition,
	const uint8_t *name, uint16_t type, const struct rrset *const *authority, size_t n,
	enum rank rank, const struct cache_from *from, uint64_t now_ms)
{
	uint8_t lower[NAME_MAX_LEN], bytes[ENTRY_MAX] UNCLEARED;
	uint32_t ttl = negative_ttl(authority, n);
	ttl = ttl > opts->negative_max ? opts->negative_max : ttl;
	size_t size = ttl ? pack_all(bytes, sizeof bytes, authority, n, ttl) : 0;
	if (!size)
		return false;
	name_lower(lower, name, name_len(name));
	uint64_t hash = key_hash(lower);
	struct cache_key key;
	struct cache_head head = {
		.learned_ms = now_ms, .ttl = ttl, .rank = (uint8_t)rank, .from = *from
	};
	struct rival rival = { &head, false, now_ms };
	make_key(&key, CACHE_NONE, lower, hash, type, partition);
	if (!cache_put_if(cache, &key, &head, bytes, size, may_replace, &rival))
		return false;
	/* A delegation stays: a zone that denies its own would make room for one that nothing
	 * bounds (hazard A10). */
	if (rank >= RANK_ANSWER && type && type != TYPE_NS) {
		make_key(&key, CACHE_RRSET, lower, hash, type, partition);
		(void)cache_drop(cache, &key);
	}
	return true;
}

static int open_denial(struct rrsets_denial *found, const uint8_t *bytes, size_t n,
	uint32_t age, struct pad *pad)
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
		set->ttl = set->ttl > age ? set->ttl - age : 0;
		set->section = SECTION_AUTHORITY;
		at += used;
	}
	return found->n && at == n;
}

static int find_denial(struct cache *cache, const struct cache_key *key, uint64_t now_ms,
	uint32_t stale_s, struct pad *pad, struct rrsets_denial *found)
{
	uint8_t bytes[ENTRY_MAX] UNCLEARED;
	uint32_t left;
	int n = cache_get(cache, key, &found->head, bytes, sizeof bytes);
	if (n < 0 || !judge_age(&found->head, now_ms, stale_s, &left, &found->is_stale))
		return 0;
	return open_denial(found, bytes, (size_t)n, found->head.ttl - left, pad);
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
