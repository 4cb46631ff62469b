/* SPDX-License-Identifier: BSD-2-Clause */
/* draft.h -- a zone while it is being built; for the zone floor alone
 *
 * What     build.c lays nodes down, link.c connects and judges them.
 */
#pragma once

#include "base/mem.h"
#include "zone/build.h"
#include "zone/zone.h"

struct draft_record { /* one record of the owner in hand; its RDATA is in `bytes` */
	uint16_t type, covers, len; /* covers: of an RRSIG */
	uint32_t ttl;
	size_t at;
};

struct draft_owner { /* the records of one owner */
	struct draft_record *list;
	size_t n, cap;
	uint8_t *bytes;
	size_t bytes_len, bytes_cap;
};

struct draft_piece { /* records of an owner whose node was laid down before */
	uint32_t node;
	uint32_t order; /* of coming: sorts pieces of one node */
	size_t n, bytes_len;
	struct draft_record *list;
	uint8_t *bytes;
};

struct draft_issue {
	bool is_error;
	uint16_t type;
	const char *reason;
	struct name owner, target; /* target.len 0: none */
};

enum {
	DRAFT_ISSUES_MAX = 64
};

struct zone_build {
	/* apex and flags; arena and table are set when the draft becomes it */
	struct zone *zone;
	uint8_t *arena;
	size_t used, cap; /* bytes */
	bool is_map;      /* the arena is a map of its own */
	struct zone_slot *table;
	size_t table_size; /* bytes of a map; 0: on the heap */
	uint32_t mask, slots_used;
	uint64_t apex_hash;
	struct draft_owner hand;                /* the owner in hand */
	uint8_t owner_len, owner[NAME_MAX_LEN]; /* its labels below the apex, lower case */
	bool has_owner;
	uint32_t owner_hash;
	struct arena side; /* pieces */
	struct draft_piece *pieces;
	size_t pieces_n, pieces_cap;
	struct draft_issue *issues;
	size_t issues_n;
	bool has_error;
	bool has_nsec; /* some name has one */
};

static inline struct node *draft_node(const struct zone_build *b, uint32_t offset)
{
	return (struct node *)(void *)(b->arena + (size_t)offset * ZONE_UNIT);
}

/* The offset behind a node. */
uint32_t draft_next(const struct zone_build *b, uint32_t offset);
/* Lower-case labels below the apex: their hash, the slot they are or would be in. */
uint64_t draft_hash(const struct zone_build *b, const uint8_t *rel, unsigned rel_len);
struct zone_slot *draft_slot(
	const struct zone_build *b, uint32_t hash, const uint8_t *rel, unsigned rel_len);
/* Lays down an empty node and enters it into the table. */
uint32_t draft_empty(struct zone_build *b, const uint8_t *rel, unsigned rel_len);
void draft_issue(struct zone_build *b, bool is_error, const struct node *node, uint16_t type,
	const char *reason);
/* A warning about one record of the set: the one that points to target. */
void draft_warn_target(struct zone_build *b, const struct node *node, uint16_t type,
	const uint8_t *target, const char *reason);

/* Parents, empty non-terminals, flags; then the order for proofs. */
void draft_link(struct zone_build *b);
/* What the zone may not have (errors) and what the operator should know (warnings); after the
 *      draft became the
 * zone's arena and table. */
void draft_judge(struct zone_build *b);
