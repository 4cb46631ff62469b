/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known already: an answer, an alias, a denial. */
#include "resolve/iter.h"
#include "wire/key.h"
#include "wire/rrtype.h"

#include <errno.h>

static void note_cached(struct iter *it, uint16_t type, const struct cache_from *from)
{
	const struct resolution *r = it->resolution;
	struct trace_step *step = trace_next(r->ask->trace, r->now_ms);
	step->kind = TRACE_CACHED;
	step->link = r->ask->link;
	step->type = type;
	step->name = it->name;
	step->server = from->server;
	step->transport = from->transport;
	found_set_from(it, from);
}

/* A set good enough to be told: 1 and *out in the pad, 0, -ENOMEM. */
static int find_kept(
	struct iter *it, const uint8_t *name, uint16_t type, const struct rrset **out)
{
	struct resolution *r = it->resolution;
	struct rrsets_found found;
	int rc = rrsets_find(
		r->resolver->cache, 0, name, type, r->now_ms, 0, r->ask->pad, &found);
	/* Glue and delegations are not answers (RFC 2181 5.4.1), but a DS set is the
	 * parent's own. */
	enum rank least = type == TYPE_DS ? RANK_AUTHORITY : RANK_ANSWER;
	if (rc <= 0 || found.head.rank < (uint8_t)least)
		return rc < 0 ? rc : 0;
	*out = pad_copy(r->ask->pad, &found.set, sizeof found.set);
	if (!*out)
		return -ENOMEM;
	note_cached(it, type, &found.head.from);
	return 1;
}

static enum step take_kept_alias(struct iter *it, const struct rrset *cname)
{
	const uint8_t *target = scrub_target(cname, it->resolution->ask->pad);
	if (!target || !found_emit(it, cname))
		return iter_no_memory(it);
	if (!found_take_aliases(it, 1))
		return found_too_many(it);
	return found_restart(it, target);
}

static enum step take_kept_dname(struct iter *it, const struct rrset *dname)
{
	struct rrset *cname;
	int rc = scrub_synthesise(&cname, dname, it->name, it->resolution->ask->pad);
	if (rc == 0 || !found_emit(it, dname))
		return iter_no_memory(it);
	return rc < 0 ? iter_conclude(it, RCODE_YXDOMAIN) : take_kept_alias(it, cname);
}

/* A denial by a zone above does not count where an operator has named servers. */
static bool denies(const struct iter *it, const struct rrsets_denial *denial)
{
	const struct resolve_opts *opts = it->resolution->opts;
	for (size_t i = 0; i < opts->stubs_n; i++)
		if (name_is_at_or_below(it->name, opts->stubs[i].zone.bytes) && denial->n &&
			!name_is_at_or_below(
				denial->authority[0].owner, opts->stubs[i].zone.bytes))
			return false;
	return true;
}

/* STEP_CUT: no denial is known. */
static enum step look_for_denial(struct iter *it)
{
	struct resolution *r = it->resolution;
	struct rrsets_denial denial;
	int rc = rrsets_denied(
		r->resolver->cache, 0, it->name, it->type, r->now_ms, 0, r->ask->pad, &denial);
	if (rc <= 0 || !denies(it, &denial))
		return rc < 0 ? iter_no_memory(it) : STEP_CUT;
	note_cached(it, it->type, &denial.head.from);
	for (size_t i = 0; i < denial.n; i++)
		if (found_is_shown(it, &denial.authority[i]) &&
			!found_emit(it, &denial.authority[i]))
			break;
	return iter_conclude(it, denial.is_nxdomain ? RCODE_NXDOMAIN : RCODE_NOERROR);
}

/* Whether something of that kind is kept, and has its time yet. */
static bool is_kept(const struct iter *it, enum cache_kind kind, uint16_t type)
{
	const struct resolution *r = it->resolution;
	struct cache_head head;
	struct cache_key key;
	cache_key_make(&key, kind, it->asked, key_hash(it->asked), type, CLASS_IN, 0, 0);
	return cache_get(r->resolver->cache, &key, &head, NULL, 0) >= 0 &&
	       head.rank >= RANK_ANSWER &&
	       r->now_ms < head.learned_ms + head.ttl * UINT64_C(1000);
}

bool look_is_there(const struct iter *it)
{
	return is_kept(it, CACHE_RRSET, TYPE_A) || is_kept(it, CACHE_NONE, TYPE_A) ||
	       is_kept(it, CACHE_RRSET, TYPE_CNAME);
}

enum step step_look(struct iter *it)
{
	const struct rrset *set;
	int rc;
	if (it->is_fresh || it->is_anew || it->type == TYPE_ANY)
		return STEP_CUT;
	rrsets_prefetch(it->resolution->resolver->cache, 0, it->name, it->type);
	if ((rc = find_kept(it, it->name, it->type, &set)) == 1) {
		it->answer = set;
		return found_emit(it, set) ? iter_conclude(it, RCODE_NOERROR)
					   : iter_no_memory(it);
	}
	if (rc == 0 && it->type != TYPE_CNAME &&
		(rc = find_kept(it, it->name, TYPE_CNAME, &set)) == 1)
		return take_kept_alias(it, set);
	const uint8_t *above = it->name;
	while (rc == 0 && *above) {
		above += 1 + *above;
		rc = find_kept(it, above, TYPE_DNAME, &set);
		if (rc == 1)
			return take_kept_dname(it, set);
	}
	return rc < 0 ? iter_no_memory(it) : look_for_denial(it);
}
