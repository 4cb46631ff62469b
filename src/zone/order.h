/* SPDX-License-Identifier: BSD-2-Clause */
/* order.h -- the neighbours that prove a denial
 *
 * Read     RFC 4034 6.1, 4035 3.1.3, 5155 7.2.
 */
#pragma once

#include "zone/zone.h"

/* The first bytes of a name below the apex (lower case, without the apex) as a number that
 * sorts as the names do; equal numbers decide nothing. */
uint64_t zone_order_prefix(const uint8_t *rel, size_t len) PURE;
/* The owner of the NSEC that matches or covers an absolute lower-case name of the zone; NULL:
 * the zone has no NSEC. */
const struct node *zone_nsec_before(const struct zone *zone, const uint8_t *name);
/* The owner of the NSEC3 that matches (is_match) or covers a hash; NULL: the zone has no
 * NSEC3. */
const struct node *zone_nsec3_before(
	const struct zone *zone, const uint8_t hash[20], bool *is_match);
