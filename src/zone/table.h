/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h -- which zone is closest to a name
 *
 * What     A hash table of apexes; longest match first, by the hashes a key brings along.
 * Threads  Immutable once built.
 */
#pragma once

#include "zone/zone.h"

struct zone_table;

/* zones[0..n-1], apexes all different; the zones stay the caller's and must outlive the
 * table. */
struct zone_table *zone_table_new(struct zone *const *zones, size_t n);
void zone_table_free(struct zone_table **table);
/* The zone with the longest apex that the key's suffix from label `from` lies at or below, or
 * NULL. */
const struct zone *zone_table_find(
	const struct zone_table *table, const struct key *key, unsigned from);
void zone_table_prefetch(const struct zone_table *table, const struct key *key);
