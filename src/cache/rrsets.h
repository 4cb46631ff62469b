/* SPDX-License-Identifier: BSD-2-Clause */
/* rrsets.h -- record sets and denials in the cache, and the one door in for them
 *
 * What     rrsets_admit() decides for recursion and forwarding alike what may be kept: the
 *          caller has scrubbed a reply to what its server may speak of; here rank decides
 *          against what is there (RFC 2181 5.4.1), TTLs are capped (L23), and an NS set that
 *          takes the place of one that has its TTL yet ends no later than that one, so that no
 *          zone prolongs its own delegation (hazard A10); what else is bound to a delegation
 *          the caller says by parent_ttl. Names may come in any spelling; sets of another
 *          class than IN are not kept.
 * Threads  Any.
 * Limits   L16, L23.
 * Read     RFC 2181 5, 2308, 8020.
 */
#pragma once

#include "base/pad.h"
#include "cache/cache.h"
#include "wire/sets.h"

enum rank { /* RFC 2181 5.4.1, least first */
	RANK_NONE,
	RANK_GLUE,       /* additional section of a referral */
	RANK_ADDITIONAL, /* of an answer */
	RANK_REFERRAL,   /* NS set of a referral: the parent's */
	RANK_AUTHORITY,  /* authority section of an authoritative reply: the child's NS */
	RANK_ANSWER,     /* answer section, not authoritative (a forwarder's) */
	RANK_AUTH,       /* answer section of an authoritative reply */
};

struct rrsets_opts { /* open: bounds of TTLs in seconds */
	uint32_t ttl_min, ttl_max, negative_max, failure_max;
};

struct rrsets_found {     /* open */
	struct rrset set; /* records in the caller's pad, TTL aged */
	struct cache_head head;
	bool is_stale; /* TTL 0 then */
};

/* Whether it was kept; a TTL of 0 (after ttl_min) is not. partition: answers that belong to
 * different clients do not mix. parent_ttl: upper bound in seconds, UINT32_MAX without one.
 * From RANK_ANSWER on what was said of the set's absence is dropped. */
bool rrsets_admit(struct cache *cache, const struct rrsets_opts *opts, unsigned partition,
	const struct rrset *set, enum rank rank, const struct cache_from *from,
	uint32_t parent_ttl, uint64_t now_ms);
/* What a question for (name, type) will look at is brought near, all of it at once. name: lower
 * case. */
void rrsets_prefetch(
	const struct cache *cache, unsigned partition, const uint8_t *name, uint16_t type);
/* 1 and found; 0: nothing (or past its TTL and no stale wanted); -ENOMEM: the pad is full. */
int rrsets_find(struct cache *cache, unsigned partition, const uint8_t *name, uint16_t type,
	uint64_t now_ms, uint32_t stale_s, struct pad *pad, struct rrsets_found *found) CHECKED;

/* A denial: NODATA for (name, type), or NXDOMAIN for name (type 0) and what is below it.
 * authority is what it came with there: the SOA, without which it is not kept, and proofs
 * (NSEC, NSEC3, with their signatures), 16 sets at most. Its TTL: min(SOA's TTL, MINIMUM),
 * capped by negative_max; no set is kept longer. From RANK_ANSWER on NODATA drops the set that
 * was there (NS excepted). */
bool rrsets_deny(struct cache *cache, const struct rrsets_opts *opts, unsigned partition,
	const uint8_t *name, uint16_t type, const struct rrset *const *authority, size_t n,
	enum rank rank, const struct cache_from *from, uint64_t now_ms);
struct rrsets_denial { /* open */
	bool is_nxdomain;
	size_t n;
	struct rrset *authority; /* in the caller's pad, TTLs aged */
	struct cache_head head;
	bool is_stale;
};
/* Looks for NODATA of (name, type), NXDOMAIN of name, then NXDOMAIN of each name above it
 * (RFC 8020). Results as in rrsets_find(). */
int rrsets_denied(struct cache *cache, unsigned partition, const uint8_t *name, uint16_t type,
	uint64_t now_ms, uint32_t stale_s, struct pad *pad,
	struct rrsets_denial *found) CHECKED;
