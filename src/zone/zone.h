/* SPDX-License-Identifier: BSD-2-Clause */
/* zone.h -- a zone as it is served: immutable, in one arena
 *
 * What     Nodes (names) with their record sets behind them, a hash table of all
 *          names that exist (empty non-terminals are nodes too), and for signed
 *          zones the owners of NSEC in canonical order or of NSEC3 by hash.
 *
 *            table: hash -> offset          arena, in units of 8 bytes
 *            [ .. | h,off | .. ]  ------->  node | name | set set set ...
 *                                             `parent: offset of the enclosing node
 *
 * Threads  Read by any; made by one builder; hold and drop on the control thread.
 * Memory   One block for a small zone; a map of its own, huge pages asked for, for a large one.
 * Limits   2^32 x 8 bytes. A record set has at most 65535 bytes in a message.
 * Read     RFC 1034 4.3.2, 4592, 4034 6, 5155.
 */
#pragma once

#include "base/def.h"
#include "wire/key.h"

#include <string.h>

enum node_flag {
	NODE_CUT = 1,       /* a delegation: NS, not at the apex */
	NODE_BELOW_CUT = 2, /* not our data: glue */
	NODE_DNAME = 4,
	NODE_BELOW_DNAME = 8,   /* occluded */
	NODE_HAS_WILDCARD = 16, /* a child "*" exists */
	NODE_HASHED = 32, /* only NSEC3: a hash, not a name that exists (RFC 5155 7.2.8) */
	NODE_DEAD = 64,   /* its contents moved while the zone was built */
	NODE_CNAME = 128,
};

struct node {            /* open: read by answer/ */
	uint32_t parent; /* offset of the enclosing node; the apex: itself */
	uint16_t sets;   /* record sets behind the name; 0: an empty non-terminal */
	uint8_t flags;   /* enum node_flag */
	uint8_t rel_len; /* bytes of the labels below the apex */
	/* those labels, lower case, without the apex; then, 4-aligned, the sets */
	uint8_t rel[];
};

struct set { /* open: read by answer/ */
	uint32_t ttl;
	uint16_t type;
	uint16_t count;    /* records; SET_SIGNED: a set of RRSIG over this one follows */
	uint16_t len;      /* bytes of records */
	uint8_t records[]; /* each: length (2 bytes, host order), RDATA; in canonical order */
};

enum {
	SET_SIGNED = 0x8000,
	SET_COUNT = 0x7fff,
	ZONE_UNIT = 8
};

struct zone_slot { /* open address table; offset 0: free */
	uint32_t hash, offset;
};

struct zone_hashed { /* one NSEC3 record's owner */
	uint8_t hash[20];
	uint32_t offset;
};

struct zone { /* open: the hot fields first */
	const uint8_t *arena;
	const struct zone_slot *table;
	uint32_t mask; /* slots - 1 */
	uint32_t apex; /* offset */
	/* max: of any name in it, for the search's start */
	uint8_t apex_labels, apex_len, max_labels;
	bool has_nsec, has_nsec3;
	bool is_special; /* of special-use names: parts of it may be somebody else's */
	uint32_t negative_ttl; /* min(SOA's TTL, its minimum): RFC 2308 3 */
	const struct set *soa;
	uint32_t nsecs; /* owners of NSEC in canonical order */
	const uint32_t *nsec;
	/* of each: the search rarely touches the names themselves */
	const uint64_t *nsec_prefix;
	uint32_t hashes; /* owners of NSEC3 in order of hash */
	const struct zone_hashed *hashed;
	uint16_t nsec3_iterations;
	uint8_t nsec3_salt_len;
	uint8_t nsec3_salt[255];
	uint8_t apex_name[NAME_MAX_LEN];
	/* cold */
	uint32_t holders, serial;
	uint64_t digest; /* of every record but the SOA: order does not matter */
	uint64_t names, records, bytes;
	bool is_table_heap;            /* a block of its own on the heap */
	size_t arena_size, table_size; /* of maps of their own; 0: part of this block */
};

static inline const struct node *zone_node(const struct zone *zone, uint32_t offset)
{
	return (const struct node *)(const void *)(zone->arena + (size_t)offset * ZONE_UNIT);
}

static inline uint32_t zone_offset(const struct zone *zone, const struct node *node)
{
	return (uint32_t)((size_t)((const uint8_t *)node - zone->arena) / ZONE_UNIT);
}

static inline const struct set *node_first_set(const struct node *node)
{
	size_t at = (offsetof(struct node, rel) + node->rel_len + 3u) & ~(size_t)3;
	return (const struct set *)(const void *)((const uint8_t *)node + at);
}

static inline const struct set *set_next(const struct set *set)
{
	size_t n = (offsetof(struct set, records) + set->len + 3u) & ~(size_t)3;
	return (const struct set *)(const void *)((const uint8_t *)set + n);
}

static inline unsigned set_count(const struct set *set)
{
	return set->count & SET_COUNT;
}

/* The RRSIGs over set, or NULL. */
static inline const struct set *set_sigs(const struct set *set)
{
	return set->count & SET_SIGNED ? set_next(set) : NULL;
}

/* The next set of its own kind: a set's signatures are passed over. */
static inline const struct set *set_after(const struct set *set)
{
	return set_next(set->count & SET_SIGNED ? set_next(set) : set);
}

/* The set of a type at a node, or NULL. Signatures are found through the set they sign
 * (set_sigs); an RRSIG set is found by its type only when it covers a type that is not
 * there. */
const struct set *node_find(const struct node *node, uint16_t type) PURE;

/* RDATA of the first record of a set. */
static inline const uint8_t *set_first(const struct set *set, uint16_t *len)
{
	memcpy(len, set->records, sizeof *len);
	return set->records + sizeof *len;
}

/* The node's absolute name into out; returns its length. */
size_t zone_node_name(
	const struct zone *zone, const struct node *node, uint8_t out[NAME_MAX_LEN]);

uint32_t zone_serial(const struct zone *zone);
uint64_t zone_digest(const struct zone *zone);
uint64_t zone_records(const struct zone *zone);
/* A builder's zone is held once, by its maker; freed when the last holder drops it. */
struct zone *zone_hold(struct zone *zone);
void zone_drop(struct zone **zone);

/* Calls on_record for every record, nodes in arena order. */
struct record;
void zone_walk(const struct zone *zone,
	void (*on_record)(void *user, const struct record *record), void *user);
