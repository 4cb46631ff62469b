/* SPDX-License-Identifier: BSD-2-Clause */
/* scrub.h -- what a reply says, as far as its server may speak of it
 *
 * What     A server is believed in what lies at or below the zone it was asked for, and only in
 *          what belongs to the question: the chain of aliases and what it leads to, a denial
 *          with its proofs, a delegation on the way to the name. All else is passed over
 *          (hazards A8, A9).
 * Threads  Pure.
 * Limits   L6 aliases in a reply; 16 sets of proofs.
 * Read     RFC 1034 4.3.2, 2181 5.4.1, 2308 2, 6604, 6672.
 */
#pragma once

#include "base/pad.h"
#include "wire/budget.h"
#include "wire/sets.h"

enum reply_kind {
	REPLY_ANSWER,
	REPLY_ALIAS,    /* the chain leads to a name that is to be asked about elsewhere */
	REPLY_TOO_LONG, /* a DNAME makes a name that cannot be: YXDOMAIN */
	REPLY_NODATA,
	REPLY_NXDOMAIN,
	REPLY_REFERRAL,
	REPLY_LAME, /* nothing that this server should say of the zone */
	REPLY_NO_MEMORY,
};

enum {
	REPLY_SETS = 2 * BUDGET_ALIASES + 8,
	REPLY_PROOFS = 16
};

struct reply { /* open */
	enum reply_kind kind;
	bool is_authoritative;
	bool is_recursive;   /* not the server's own word: what a cache says */
	const uint8_t *name; /* what the chain leads to, lower case */
	unsigned aliases;    /* steps of the chain */
	/* The chain and the answer at its end, in order; made: a CNAME that follows from the
	 * DNAME before it, not the server's. */
	unsigned n;
	uint64_t made;
	const struct rrset *set[REPLY_SETS];
	const struct rrset *referral; /* its NS set */
	const struct rrset *signer;   /* the DS set beside it, or NULL */
	unsigned proofs_n;            /* SOA, NSEC and NSEC3 sets */
	const struct rrset *proof[REPLY_PROOFS];
};

struct scrub_ask { /* open: lower-case names */
	const uint8_t *zone, *name;
	/* Of this zone, or below it, a denial's SOA and proofs may be; NULL: zone. */
	const uint8_t *denier;
	uint16_t type;
	unsigned aliases; /* that may be followed yet */
};

/* m->rcode must be NOERROR, NXDOMAIN or YXDOMAIN. */
void scrub_read(struct reply *reply, const struct message *m, const struct scrub_ask *ask,
	struct pad *pad);

/* The CNAME that a DNAME makes for name, in pad: 1; 0: no memory; -1: the name would be too
 * long. */
int scrub_synthesise(struct rrset **out, const struct rrset *dname, const uint8_t *name,
	struct pad *pad) CHECKED;
/* Where a CNAME leads, in lower case, in pad; NULL: no memory. */
const uint8_t *scrub_target(const struct rrset *cname, struct pad *pad) CHECKED;
