/* SPDX-License-Identifier: BSD-2-Clause */
/* reply.h -- a reply while it is put together; for the answer floor and who calls it
 *
 * What     Which sets are in already, what goes into the additional section later, and
 *          what came of it.
 */
#pragma once

#include "crypto/hasher.h"
#include "wire/writer.h"
#include "zone/zone.h"

enum {
	REPLY_SETS = 64,  /* sets remembered, so that none comes twice */
	REPLY_NAMES = 13, /* additional look-ups (limit L17) */
	REPLY_HOPS = 17,  /* aliases followed (limit L6) */
};

struct reply { /* open: the answer floor */
	/* in */
	const struct question *q;
	struct writer *w;
	struct hasher *hasher;
	bool is_dnssec; /* the client asks for signatures */
	/* out */
	unsigned rcode;
	bool is_authoritative, is_truncated;
	enum ede ede;
	const struct key *elsewhere; /* where others have to be asked on; NULL: nowhere */
	/* inside */
	unsigned sets;
	const struct set *set[REPLY_SETS];
	/* of the name a chain has come to; of one looked up beside it */
	struct key alias, target;
	struct name made[2]; /* names that DNAMEs made; the last and the one before */
	unsigned mades;
	uint64_t seen[REPLY_HOPS]; /* hashes of the names of the chain */
	/* that no closer name than a wildcard is there: for the authority section */
	unsigned proofs;
	struct {
		const struct zone *zone;
		const struct node *node;
	} proof[REPLY_HOPS + 1];
	unsigned names;
	struct {
		const struct zone *zone;
		const uint8_t *name;
		uint16_t type; /* to be added beside the addresses; 0: none */
	} name[REPLY_NAMES];
};

/* Makes r ready for a reply to q into w, which writer_start() has readied. */
void reply_start(struct reply *r, const struct question *q, struct writer *w);
/* Is the set in the reply already. */
bool reply_has(const struct reply *r, const struct set *set);
/* Appends a set with the given TTL, and its signatures when the client asks for them. What does
 * not fit truncates the reply, but in the additional section, where it is left out. True: it is
 * in. */
bool reply_add(struct reply *r, enum section section, struct writer_owner *owner,
	const struct set *set, uint32_t ttl);
/* The set added last may be added again. */
void reply_forget(struct reply *r, const struct set *set);
/* Owner of a node's sets. */
struct writer_owner reply_owner(
	const struct zone *zone, const struct node *node, uint8_t buf[NAME_MAX_LEN]);
