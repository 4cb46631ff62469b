/* SPDX-License-Identifier: BSD-2-Clause */
/* auth.h -- what our zones say to a question
 *
 * What     The algorithm of RFC 1034 4.3.2 over the zones served: longest match first, then
 *          that zone only. Aliases are followed from zone to zone while we serve them.
 * Limits   REPLY_HOPS aliases, none twice; REPLY_NAMES additional look-ups.
 * Read     RFC 1034 4.3.2, 2181, 2308, 4035 3.1, 4592, 6604, 6672, 8020, 8482, 9471.
 */
#pragma once

#include "answer/reply.h"
#include "zone/table.h"

/* Fills the reply's sections, rcode and AA for its question of class IN. False: the name lies
 * in no zone of ours, and nothing is written. */
bool auth_answer(const struct zone_table *zones, struct reply *r);
