/* SPDX-License-Identifier: BSD-2-Clause */
/* find.h -- where a name stands in a zone
 *
 * What     One probe for a name that exists; else the closest encloser, found by probing
 *          its parents' hashes, longest first.
 * Threads  Pure.
 * Limits   At most as many probes as the zone's longest name has labels.
 * Read     RFC 1034 4.3.2 step 3, 4592 3.3, 6672 3.2.
 */
#pragma once

#include "zone/zone.h"

enum hit {
	HIT_NODE,     /* the name exists and is ours (it may be an empty non-terminal) */
	HIT_CUT,      /* at or below a delegation: node is the cut */
	HIT_DNAME,    /* below a DNAME: node owns it */
	HIT_WILDCARD, /* does not exist, node is the wildcard that stands in */
	HIT_NOTHING,  /* does not exist */
};

struct find { /* open */
	const struct node *node;
	const struct node *encloser; /* closest encloser; HIT_NODE: the node */
	unsigned encloser_label;     /* the key's label at which the encloser's name begins */
};

/* key must lie at or below the zone's apex. */
enum hit zone_find(const struct zone *zone, const struct key *key, struct find *out);
/* The node with the key's suffix from label i, which must be at or below the apex; hashed ones
 * too. NULL: none. */
const struct node *zone_probe(const struct zone *zone, const struct key *key, unsigned label);
/* The node of an absolute name, NULL: none or outside the zone. Empty non-terminals are found,
 * hashes are not. */
const struct node *zone_find_name(const struct zone *zone, const uint8_t *name);
/* Hints to the processor, for batches: the slot of the whole key; the node behind it. */
void zone_prefetch_slot(const struct zone *zone, const struct key *key);
void zone_prefetch_node(const struct zone *zone, const struct key *key);
