/* SPDX-License-Identifier: BSD-2-Clause */
/* additional.h -- addresses that spare the client the next question
 *
 * What     For NS, MX, SRV, SVCB and their like the addresses of what they name, when this zone
 *          has them; for delegations glue, without which the client could not go on.
 * Limits   REPLY_NAMES names for what is only handy; glue in the child's own domain has none
 *          but the message's size, and truncates when it does not fit.
 * Read     RFC 1034 4.3.2 6, 2181 9, 9460 4.1, 9471.
 */
#pragma once

#include "answer/reply.h"

/* Notes what a set that went into the answer names. owner: the name it is of, which must stay
 * until additional_write(). */
void additional_note(
	struct reply *r, const struct zone *zone, const uint8_t *owner, const struct set *set);
/* Writes what was noted, as far as there is room. */
void additional_write(struct reply *r);
/* The addresses of the servers of the delegation at cut. */
void additional_glue(
	struct reply *r, const struct zone *zone, const struct node *cut, const struct set *ns);
