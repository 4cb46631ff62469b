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
	/* inside */
	unsigned sets;
	const struct set *set[REPLY_SETS];
	unsigned names;
	struct {
		const struct zone *zone;
		const uint8_t *name;
		uint16_t type; /* of the set that named it */
	} name[REPLY_NAMES];
};

/* Is the set in the reply already. */
bool reply_has(const struct reply *r, const struct set *set);
/* Appends a set with the given TTL, and its signatures when the client asks for them. What does not fit
 * truncates the reply, but in the additional section, where it is left out. True: it is in. */
bool reply_add(struct reply *r, enum section section, const struct writer_owner *owner, const struct set *set, uint32_t ttl);
/* Owner of a node's sets. */
struct writer_owner reply_owner(const struct zone *zone, const struct node *node, uint8_t buf[NAME_MAX_LEN]);
