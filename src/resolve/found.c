/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes of a question: it is told to who asked, kept in the cache, and aliases are
 * followed. */
#include "resolve/iter.h"
#include "wire/edns.h"
#include "wire/rrtype.h"

/* Only the question at the top has somebody to tell. False: there is no room. */
bool found_emit(struct iter *it, const struct rrset *set)
{
	struct resolution *r = it->resolution;
	return it != r->top || outcome_add(r->ask->outcome, set);
}

void found_set_from(struct iter *it, const struct cache_from *from)
{
	struct resolution *r = it->resolution;
	if (it == r->top)
		r->ask->outcome->from = *from;
}

/* An alias leads to another name. */
enum step found_restart(struct iter *it, const uint8_t *target)
{
	struct resolution *r = it->resolution;
	struct trace_step *step = trace_next(r->ask->trace, r->now_ms);
	step->kind = TRACE_RESTART;
	step->link = r->ask->link;
	step->name = target;
	it->name = target;
	it->labels = (uint8_t)name_labels(target);
	it->minimise = (struct minimise){ .is_whole = !r->opts->qname_minimisation };
	it->above = NULL;
	it->no_stub = false;
	return STEP_LOOK;
}

bool found_take_aliases(struct iter *it, unsigned n)
{
	struct budget *budget = it->resolution->ask->budget;
	bool is_enough = n <= budget->aliases;
	budget->aliases -= (uint8_t)(is_enough ? n : budget->aliases);
	return is_enough;
}

enum step found_too_many(struct iter *it)
{
	return iter_fail(it, EDE_OTHER, "aliases lead too far");
}

bool found_is_shown(const struct iter *it, const struct rrset *proof)
{
	return proof->type == TYPE_SOA || it->resolution->ask->is_dnssec;
}

/* ---- keeping it ------------------------------------------------------------------------ */

static enum rank rank_of(const struct reply *reply)
{
	return reply->is_authoritative ? RANK_AUTH : RANK_ANSWER;
}

/* What a zone says of its own delegation lives no longer than the parent's word (A10). */
static void admit(struct iter *it, const struct rrset *set, enum rank rank)
{
	struct resolution *r = it->resolution;
	struct cache_from from = send_from(it);
	bool is_bound =
		set->type == TYPE_NS || ((set->type == TYPE_A || set->type == TYPE_AAAA) &&
						cut_is_host(&it->cut, set->owner));
	(void)rrsets_admit(r->resolver->cache, &r->opts->ttl, 0, set, rank, &from,
		is_bound ? cut_left(it) : UINT32_MAX, r->now_ms);
}

/* The sets of the chain and at its end. False: no room. */
static bool take_sets(struct iter *it, const struct reply *reply)
{
	for (unsigned i = 0; i < reply->n; i++) {
		if (!(reply->made >> i & 1) && it->type != TYPE_ANY)
			admit(it, reply->set[i], rank_of(reply));
		if (!found_emit(it, reply->set[i]))
			return false;
	}
	struct cache_from from = send_from(it);
	found_set_from(it, &from);
	return true;
}

static bool show_proofs(struct iter *it, const struct reply *reply, bool with_soa)
{
	for (unsigned i = 0; i < reply->proofs_n; i++)
		if (found_is_shown(it, reply->proof[i]) &&
			(with_soa || reply->proof[i]->type != TYPE_SOA) &&
			!found_emit(it, reply->proof[i]))
			return false;
	return true;
}

enum step step_answer(struct iter *it)
{
	struct resolution *r = it->resolution;
	const struct reply *reply = &r->resolver->reply;
	if (!found_take_aliases(it, reply->aliases))
		return found_too_many(it);
	if (!take_sets(it, reply) || !show_proofs(it, reply, false))
		return iter_no_memory(it);
	if (reply->kind == REPLY_TOO_LONG)
		return iter_conclude(it, RCODE_YXDOMAIN);
	it->answer = reply->set[reply->n - 1];
	if (r == r->resolver->priming.resolution)
		cut_keep_hosts(it, it->answer);
	return iter_conclude(it, RCODE_NOERROR);
}

enum step step_alias(struct iter *it)
{
	const struct reply *reply = &it->resolution->resolver->reply;
	if (!found_take_aliases(it, reply->aliases))
		return found_too_many(it);
	return take_sets(it, reply) ? found_restart(it, reply->name) : iter_no_memory(it);
}

static void keep_denial(struct iter *it, const struct reply *reply, uint16_t type)
{
	struct resolution *r = it->resolution;
	struct cache_from from = send_from(it);
	(void)rrsets_deny(r->resolver->cache, &r->opts->ttl, 0, reply->name, type, reply->proof,
		reply->proofs_n, rank_of(reply), &from, r->now_ms);
}

void found_keep_short(struct iter *it, const struct reply *reply)
{
	for (unsigned i = 0; i < reply->n; i++)
		if (!(reply->made >> i & 1))
			admit(it, reply->set[i], rank_of(reply));
	if (reply->kind == REPLY_NODATA)
		keep_denial(it, reply, it->asked_type);
}

enum step step_denial(struct iter *it)
{
	const struct reply *reply = &it->resolution->resolver->reply;
	bool is_nxdomain = reply->kind == REPLY_NXDOMAIN;
	if (!found_take_aliases(it, reply->aliases))
		return found_too_many(it);
	if (!take_sets(it, reply) || !show_proofs(it, reply, true))
		return iter_no_memory(it);
	if (it->type != TYPE_ANY)
		keep_denial(it, reply, is_nxdomain ? 0 : it->type);
	return iter_conclude(it, is_nxdomain ? RCODE_NXDOMAIN : RCODE_NOERROR);
}

/* ---- what goes with an answer ---------------------------------------------------------- */

static bool show_kept(
	struct iter *it, const uint8_t *name, uint16_t type, enum section section)
{
	struct resolution *r = it->resolution;
	struct rrsets_found found;
	if (rrsets_find(r->resolver->cache, 0, name, type, r->now_ms, 0, r->ask->pad, &found) !=
		1)
		return false;
	struct rrset *set = pad_copy(r->ask->pad, &found.set, sizeof found.set);
	if (!set)
		return false;
	set->section = (uint8_t)section;
	return outcome_add(r->ask->outcome, set);
}

static bool has_answer(const struct outcome *outcome)
{
	return outcome->rcode == RCODE_NOERROR && outcome->n > 0 &&
	       outcome->set[0]->section == SECTION_ANSWER;
}

void found_show_servers(struct iter *it)
{
	struct outcome *outcome = it->resolution->ask->outcome;
	const uint8_t *zone = it->name, *server = NULL;
	uint16_t len;
	if (!it->resolution->opts->is_wordy || !has_answer(outcome) || it->type == TYPE_NS)
		return;
	while (!show_kept(it, zone, TYPE_NS, SECTION_AUTHORITY)) {
		if (!*zone)
			return;
		zone += *zone + 1u;
	}
	const struct rrset *ns = outcome->set[outcome->n - 1];
	while ((server = rrset_next(ns, server, &len))) {
		uint8_t name[NAME_MAX_LEN];
		name_lower(name, server, len);
		(void)show_kept(it, name, TYPE_A, SECTION_ADDITIONAL);
		(void)show_kept(it, name, TYPE_AAAA, SECTION_ADDITIONAL);
	}
}
