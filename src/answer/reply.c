/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer/reply.h"

#include "wire/rrtype.h"

void reply_start(struct reply *r, const struct question *q, struct writer *w)
{
	/* Field by field: the arrays are large, and counted. */
	r->q = q;
	r->w = w;
	r->is_dnssec = q->edns.is_do;
	r->rcode = RCODE_NOERROR;
	r->is_authoritative = r->is_truncated = false;
	r->ede = EDE_NONE;
	r->elsewhere = NULL;
	r->sets = r->names = r->mades = r->proofs = 0;
}

bool reply_has(const struct reply *r, const struct set *set)
{
	for (unsigned i = 0; i < r->sets; i++)
		if (r->set[i] == set)
			return true;
	return false;
}

bool reply_add(struct reply *r, enum section section, struct writer_owner *owner,
	const struct set *set, uint32_t ttl)
{
	const struct writer_mark mark = writer_mark(r->w);
	uint16_t at = owner->at;
	const struct set *sigs = r->is_dnssec ? set_sigs(set) : NULL;
	if (!writer_set(r->w, section, owner, set->type, ttl, set->records, set_count(set)) ||
		(sigs && !writer_set(r->w, section, owner, sigs->type, ttl, sigs->records,
				 set_count(sigs)))) {
		writer_rollback(r->w, &mark);
		owner->at = at;
		r->is_truncated |= section != SECTION_ADDITIONAL;
		return false;
	}
	if (r->sets < REPLY_SETS)
		r->set[r->sets++] = set;
	return true;
}

void reply_forget(struct reply *r, const struct set *set)
{
	if (r->sets && r->set[r->sets - 1] == set)
		r->sets--;
}

struct writer_owner reply_owner(
	const struct zone *zone, const struct node *node, uint8_t buf[NAME_MAX_LEN])
{
	zone_node_name(zone, node, buf);
	return (struct writer_owner){ buf, 0 };
}
