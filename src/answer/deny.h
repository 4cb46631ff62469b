/* SPDX-License-Identifier: BSD-2-Clause */
/* deny.h -- proofs that something is not there
 *
 * What     NSEC or NSEC3 records with their signatures into the authority section, for clients
 *          that ask for them, from zones that have them.
 * Read     RFC 4035 3.1.3, 5155 7.2, 9077 (their TTL is that of a negative answer).
 */
#pragma once

#include "answer/reply.h"
#include "zone/find.h"

/* The name exists, the type does not. */
void deny_type(
	struct reply *r, const struct zone *zone, const struct key *key, const struct find *f);
/* The name does not exist and no wildcard stands in. */
void deny_name(
	struct reply *r, const struct zone *zone, const struct key *key, const struct find *f);
/* A wildcard stands in (f->node): there is no closer name. Noted, for the answer section may go
 * on; deny_write() writes it. */
void deny_closer(
	struct reply *r, const struct zone *zone, const struct key *key, const struct find *f);
/* A wildcard stands in and does not have the type. */
void deny_wildcard_type(
	struct reply *r, const struct zone *zone, const struct key *key, const struct find *f);
void deny_write(struct reply *r);
/* The delegation f->node has no DS. */
void deny_ds(
	struct reply *r, const struct zone *zone, const struct key *key, const struct find *f);
