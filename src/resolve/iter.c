/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/iter.h"

#include "base/rand.h"
#include "wire/edns.h"
#include "wire/rrtype.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- an iterator ----------------------------------------------------------------------- */

struct iter *iter_new(
	struct resolution *r, struct iter *parent, const uint8_t *name, uint16_t type)
{
	struct iter *it = pad_new(r->ask->pad, sizeof *it);
	if (!it)
		return NULL;
	*it = (struct iter){ .resolution = r,
		.parent = parent,
		.depth = parent ? (uint8_t)(parent->depth + 1) : 0,
		.name = name,
		.type = type,
		.step = STEP_WAIT };
	it->labels = (uint8_t)name_labels(name);
	it->minimise.is_whole = !r->opts->qname_minimisation;
	it->cut.last = &it->cut.servers;
	list_init(&it->ready);
	list_init(&it->race);
	list_put(&r->iters, &it->list);
	iter_wake(it, STEP_LOOK);
	return it;
}

void iter_wake(struct iter *it, enum step step)
{
	it->step = step;
	if (list_is_empty(&it->ready))
		list_put(&it->resolution->ready, &it->ready);
}

static bool is_below(const struct iter *it, const struct iter *above)
{
	while (it && it != above)
		it = it->parent;
	return it != NULL;
}

static void drop_one(struct iter *it)
{
	for (size_t i = 0; i < TRIES_AT_ONCE; i++)
		if (it->tries[i].exchange)
			exchange_cancel(&it->tries[i].exchange);
	send_set_slow(it, false);
	list_drop(&it->race);
	list_drop(&it->ready);
	list_drop(&it->list);
}

void iter_drop(struct iter *it)
{
	struct list *head = &it->resolution->iters;
	for (struct list *at = head->next, *next; at != head; at = next) {
		struct iter *other = container_of(at, struct iter, list);
		next = at->next;
		if (other != it && is_below(other, it))
			drop_one(other);
	}
	drop_one(it);
}

/* What it asked for besides is not waited for: it has what it wanted. */
static void settle(struct iter *it)
{
	send_cancel(it);
	send_set_slow(it, false);
	if (it->child)
		iter_drop(it->child);
	it->child = NULL;
}

enum step iter_fail(struct iter *it, int ede, const char *fmt, ...)
{
	struct resolution *r = it->resolution;
	va_list ap;
	/* Without words of its own: what was told of the last server. */
	if (!fmt && r->why[0])
		return STEP_FAIL;
	r->ede = ede;
	va_start(ap, fmt);
	(void)vsnprintf(r->why, sizeof r->why, fmt ? fmt : "no answer in time", ap);
	va_end(ap);
	return STEP_FAIL;
}

static enum step no_memory(struct iter *it)
{
	return iter_fail(it, EDE_OTHER, "it takes too much memory to find out");
}

static bool is_minimised(const struct iter *it)
{
	return it->asked != it->name;
}

/* ---- what it has found ----------------------------------------------------------------- */

/* Only the question at the top has somebody to tell. False: there is no room. */
static bool emit(struct iter *it, const struct rrset *set)
{
	struct resolution *r = it->resolution;
	return it != r->top || outcome_add(r->ask->outcome, set);
}

static void set_from(struct iter *it, const struct cache_from *from)
{
	struct resolution *r = it->resolution;
	if (it == r->top)
		r->ask->outcome->from = *from;
}

static enum step conclude(struct iter *it, unsigned rcode)
{
	it->rcode = rcode;
	return STEP_END;
}

/* An alias leads to another name. */
static enum step restart(struct iter *it, const uint8_t *target)
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

static bool take_aliases(struct iter *it, unsigned n)
{
	struct budget *budget = it->resolution->ask->budget;
	bool is_enough = n <= budget->aliases;
	budget->aliases -= (uint8_t)(is_enough ? n : budget->aliases);
	return is_enough;
}

static enum step too_many_aliases(struct iter *it)
{
	return iter_fail(it, EDE_OTHER, "aliases lead too far");
}

/* ---- what is known already ------------------------------------------------------------- */

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
	set_from(it, from);
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
	if (!target || !emit(it, cname))
		return no_memory(it);
	if (!take_aliases(it, 1))
		return too_many_aliases(it);
	return restart(it, target);
}

static enum step take_kept_dname(struct iter *it, const struct rrset *dname)
{
	struct rrset *cname;
	int rc = scrub_synthesise(&cname, dname, it->name, it->resolution->ask->pad);
	if (rc == 0 || !emit(it, dname))
		return no_memory(it);
	return rc < 0 ? conclude(it, RCODE_YXDOMAIN) : take_kept_alias(it, cname);
}

static bool is_shown(const struct iter *it, const struct rrset *proof)
{
	return proof->type == TYPE_SOA || it->resolution->ask->is_dnssec;
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
		return rc < 0 ? no_memory(it) : STEP_CUT;
	note_cached(it, it->type, &denial.head.from);
	for (size_t i = 0; i < denial.n; i++)
		if (is_shown(it, &denial.authority[i]) && !emit(it, &denial.authority[i]))
			break;
	return conclude(it, denial.is_nxdomain ? RCODE_NXDOMAIN : RCODE_NOERROR);
}

static enum step step_look(struct iter *it)
{
	const struct rrset *set;
	int rc;
	if (it->is_fresh || it->is_anew || it->type == TYPE_ANY)
		return STEP_CUT;
	if ((rc = find_kept(it, it->name, it->type, &set)) == 1) {
		it->answer = set;
		return emit(it, set) ? conclude(it, RCODE_NOERROR) : no_memory(it);
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
	return rc < 0 ? no_memory(it) : look_for_denial(it);
}

static enum step step_cut(struct iter *it)
{
	int rc = cut_find(it);
	if (rc == 0 && it->is_anew && !it->above && it->cut.is_kept && *it->cut.zone) {
		it->above = it->cut.zone;
		rc = cut_find(it);
	}
	if (rc == 0 && cut_has_failed(it))
		return iter_fail(it, EDE_NO_REACHABLE, "its servers had no address lately");
	switch (rc) {
	case 0:
		return STEP_PICK;
	case -ENOENT:
		return iter_fail(it, EDE_NOT_READY, "no root servers are known");
	default:
		return no_memory(it);
	}
}

/* ---- whom to ask ----------------------------------------------------------------------- */

static bool is_waiting(const struct iter *it)
{
	for (size_t i = 0; i < TRIES_AT_ONCE; i++)
		if (it->tries[i].exchange)
			return true;
	return it->child != NULL;
}

static void choose_question(struct iter *it)
{
	unsigned labels = minimise_labels(&it->minimise, it->labels);
	it->asked = minimise_suffix(it->name, it->labels, labels);
	it->asked_type = labels < it->labels ? TYPE_A : it->type;
}

static enum step step_pick(struct iter *it)
{
	enum {
		TIMEOUTS_MAX = 2
	};
	/* It may be the short name that gets no answer (RFC 9156 3). */
	if (it->timeouts >= TIMEOUTS_MAX)
		it->minimise.is_whole = true;
	choose_question(it);
	it->server = select_server(it, REACH_FRESH, -1);
	return it->server ? STEP_SEND : STEP_HOSTS;
}

static bool is_looked_for_above(const struct iter *it, const uint8_t *host)
{
	for (; it; it = it->parent)
		if ((it->type == TYPE_A || it->type == TYPE_AAAA) &&
			name_is_equal(it->name, host))
			return true;
	return false;
}

static uint8_t families_of(const struct resolve_opts *opts)
{
	return (uint8_t)((opts->ipv4 ? 1u << FAMILY_IPV4 : 0) |
			 (opts->ipv6 ? 1u << FAMILY_IPV6 : 0));
}

/* Whether the addresses of a host can be looked for. Those that lie in the zone itself are with
 * the servers that have not answered. */
static bool is_open(const struct iter *it, const struct host *host, bool has_server)
{
	uint8_t families = families_of(it->resolution->opts);
	if (!(families & ~host->asked) || host->has_server != has_server ||
		is_looked_for_above(it, host->name))
		return false;
	return !it->cut.servers || !name_is_at_or_below(host->name, it->cut.zone);
}

/* One that nothing is known of yet; first of all one that was begun with. */
static struct host *choose_host(const struct iter *it)
{
	for (unsigned has_server = 0; has_server < 2; has_server++) {
		struct host *open[HOSTS_MAX];
		uint32_t n = 0;
		for (struct host *host = it->cut.hosts; host && n < HOSTS_MAX;
			host = host->next) {
			if (!is_open(it, host, has_server))
				continue;
			if (host->asked && !has_server)
				return host;
			open[n++] = host;
		}
		if (n)
			return open[n == 1 ? 0 : rand_below(n)];
	}
	return NULL;
}

static enum step give_up(struct iter *it)
{
	struct resolution *r = it->resolution;
	char zone[NAME_TEXT_MAX];
	if (it->cut.servers && r->why[0])
		return STEP_FAIL;
	/* Only the question at the top has looked everywhere. */
	if (!it->cut.servers && it == r->top)
		cut_note_failure(it);
	(void)name_print(zone, it->cut.zone);
	return iter_fail(it, EDE_NO_REACHABLE, "no server of %.60s has an address", zone);
}

/* A host whose addresses, as its zone tells them, have not answered; the zone above may know
 * others. */
static struct host *choose_known(const struct iter *it)
{
	for (struct host *host = it->cut.hosts; host; host = host->next)
		if (host->has_server && !host->is_anew && it->depth == 0 &&
			!name_is_at_or_below(host->name, it->cut.zone))
			return host;
	return NULL;
}

/* A question for an address of a host: of the other family only when there is none of the
 * first, which most often says of both that there is no such name. */
static enum step look_for(struct iter *it, struct host *host)
{
	static const uint16_t type_of[FAMILIES] = { TYPE_A, TYPE_AAAA };
	unsigned open = families_of(it->resolution->opts) & ~(unsigned)host->asked;
	unsigned family = open & 1u << FAMILY_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
	host->asked |= (uint8_t)(1u << family);
	it->child = iter_new(it->resolution, it, host->name, type_of[family]);
	if (!it->child)
		return no_memory(it);
	it->child->host = host;
	return STEP_WAIT;
}

static enum step look_for_anew(struct iter *it, struct host *host)
{
	struct budget *budget = it->resolution->ask->budget;
	if (!budget->no_address)
		return give_up(it);
	budget->no_address--;
	host->is_anew = true;
	host->asked = 0;
	enum step step = look_for(it, host);
	if (it->child)
		it->child->is_anew = true;
	return step;
}

/* An address of another server is looked for; meanwhile those that kept silent may have
 * another try. */
static enum step step_hosts(struct iter *it)
{
	const struct budget *budget = it->resolution->ask->budget;
	struct host *host = it->child ? NULL : choose_host(it);
	if (host && it->depth < BUDGET_DEPTH && budget->no_address) {
		enum step step = look_for(it, host);
		if (step == STEP_FAIL)
			return step;
	}
	it->server = select_server(it, it->child ? REACH_SILENT : REACH_ALL, -1);
	if (it->server)
		return STEP_SEND;
	return is_waiting(it) ? STEP_WAIT : STEP_EXHAUSTED;
}

static enum step step_send(struct iter *it)
{
	return send_question(it);
}

/* ---- what to do when nobody is left ---------------------------------------------------- */

static bool has_recursive(const struct iter *it)
{
	for (const struct server *s = it->cut.servers; s; s = s->next)
		if (s->is_recursive && !s->is_out)
			return true;
	return false;
}

/* The whole name may get what the short one did not. */
static enum step ask_whole(struct iter *it)
{
	it->minimise.is_whole = true;
	for (struct server *s = it->cut.servers; s; s = s->next)
		s->tries = 0;
	return STEP_PICK;
}

static enum step step_exhausted(struct iter *it)
{
	if (!it->takes_any && has_recursive(it)) {
		it->takes_any = true;
		return STEP_PICK;
	}
	if (is_minimised(it))
		return ask_whole(it);
	if (it->cut.stub) {
		it->no_stub = it->cut.stub->is_first;
		return it->no_stub ? STEP_CUT : give_up(it);
	}
	if (!it->cut.is_kept || !it->resolution->again) {
		struct host *host = choose_known(it);
		return host ? look_for_anew(it, host) : give_up(it);
	}
	/* What is kept may have become wrong: those above are asked anew. */
	it->resolution->again--;
	if (!*it->cut.zone) {
		it->cut.is_kept = false;
		return cut_add_hints(it) < 0 ? no_memory(it) : STEP_PICK;
	}
	it->above = it->cut.zone;
	it->before = it->cut.servers;
	return STEP_CUT;
}

/* ---- what a reply says ----------------------------------------------------------------- */

static const struct {
	enum trace_result trace;
	enum step step, step_short; /* of the whole question; of one that is shorter */
} ways[] = {
	[REPLY_ANSWER] = { TRACE_ANSWER, STEP_ANSWER, STEP_PICK },
	[REPLY_ALIAS] = { TRACE_ALIAS, STEP_ALIAS, STEP_PICK },
	[REPLY_TOO_LONG] = { TRACE_ALIAS, STEP_ANSWER, STEP_PICK },
	[REPLY_NODATA] = { TRACE_NODATA, STEP_DENIAL, STEP_PICK },
	[REPLY_NXDOMAIN] = { TRACE_NXDOMAIN, STEP_DENIAL, STEP_PICK },
	[REPLY_REFERRAL] = { TRACE_REFERRAL, STEP_REFERRAL, STEP_REFERRAL },
	[REPLY_LAME] = { TRACE_LAME, STEP_BAD, STEP_BAD },
	[REPLY_NO_MEMORY] = { TRACE_FAIL, STEP_FAIL, STEP_FAIL },
};

/* A short name is there, or it is not; how the next question is chosen. */
static void learn_short(struct iter *it, const struct reply *reply)
{
	it->minimise.count++;
	it->minimise.labels = (uint8_t)name_labels(it->asked);
	/* NXDOMAIN is said of names by mistake that have others below; a DNAME leads away. */
	it->minimise.is_whole |= reply->kind == REPLY_NXDOMAIN ||
				 (reply->n && reply->set[0]->type == TYPE_DNAME);
}

/* The root's servers make no mistakes about names that are not there, and what is below such a
 * one is nobody's business (RFC 8020). */
static bool is_root_sure(const struct iter *it, const struct reply *reply)
{
	return !*it->cut.zone && reply->is_authoritative && reply->proofs_n;
}

static bool is_code_good(unsigned rcode)
{
	return rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN || rcode == RCODE_YXDOMAIN;
}

static enum step step_read(struct iter *it)
{
	struct resolution *r = it->resolution;
	struct resolver *resolver = r->resolver;
	struct reply *reply = &resolver->reply;
	enum step next;
	if (!send_check(it, &next))
		return next;
	if (!is_code_good(resolver->message.rcode)) {
		send_note(it, TRACE_ERROR);
		*reply = (struct reply){ .kind = REPLY_LAME };
		return STEP_BAD;
	}
	const struct scrub_ask ask = { .zone = it->cut.zone,
		.name = it->asked,
		.type = it->asked_type,
		.aliases = r->ask->budget->aliases };
	scrub_read(reply, &resolver->message, &ask, r->ask->pad);
	bool is_bad = reply->is_recursive && !it->takes_any;
	send_note(it, is_bad ? TRACE_LAME : ways[reply->kind].trace);
	if (reply->kind == REPLY_NO_MEMORY)
		return no_memory(it);
	next = is_minimised(it) ? ways[reply->kind].step_short : ways[reply->kind].step;
	if (reply->kind == REPLY_NXDOMAIN && is_root_sure(it, reply))
		next = STEP_DENIAL;
	if (is_bad || next == STEP_BAD)
		return STEP_BAD;
	settle(it);
	if (next == STEP_PICK)
		learn_short(it, reply);
	return next;
}

/* Servers that do not know the zone, or do not want to. */
static bool is_lame(const struct message *m)
{
	return is_code_good(m->rcode) || m->rcode == RCODE_REFUSED || m->rcode == RCODE_NOTAUTH;
}

static enum step step_bad(struct iter *it)
{
	struct resolver *resolver = it->resolution->resolver;
	struct server *server = it->read->server;
	unsigned rcode = resolver->message.rcode;
	send_complain(it, rcode == RCODE_REFUSED    ? "answered REFUSED"
			  : rcode == RCODE_SERVFAIL ? "answered SERVFAIL"
			  : is_code_good(rcode)     ? "is lame"
						    : "answered with an error");
	if (is_minimised(it)) {
		it->minimise.is_whole = true;
		return STEP_PICK;
	}
	if (resolver->reply.is_recursive && resolver->reply.kind != REPLY_LAME) {
		server->is_recursive = true;
		return STEP_PICK;
	}
	server->is_out = true;
	if (is_lame(&resolver->message) && it->read->is_sure)
		facts_set_lame(
			resolver->facts, &server->at, it->cut.zone, it->resolution->now_ms);
	return STEP_PICK;
}

static enum step step_referral(struct iter *it)
{
	const struct resolver *resolver = it->resolution->resolver;
	if (cut_refer(it, &resolver->reply, &resolver->message) < 0)
		return no_memory(it);
	return STEP_PICK;
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
		if (!emit(it, reply->set[i]))
			return false;
	}
	struct cache_from from = send_from(it);
	set_from(it, &from);
	return true;
}

static bool show_proofs(struct iter *it, const struct reply *reply, bool with_soa)
{
	for (unsigned i = 0; i < reply->proofs_n; i++)
		if (is_shown(it, reply->proof[i]) &&
			(with_soa || reply->proof[i]->type != TYPE_SOA) &&
			!emit(it, reply->proof[i]))
			return false;
	return true;
}

static enum step step_answer(struct iter *it)
{
	struct resolution *r = it->resolution;
	const struct reply *reply = &r->resolver->reply;
	if (!take_aliases(it, reply->aliases))
		return too_many_aliases(it);
	if (!take_sets(it, reply) || !show_proofs(it, reply, false))
		return no_memory(it);
	if (reply->kind == REPLY_TOO_LONG)
		return conclude(it, RCODE_YXDOMAIN);
	it->answer = reply->set[reply->n - 1];
	if (r == r->resolver->priming.resolution)
		cut_keep_hosts(it, it->answer);
	return conclude(it, RCODE_NOERROR);
}

static enum step step_alias(struct iter *it)
{
	const struct reply *reply = &it->resolution->resolver->reply;
	if (!take_aliases(it, reply->aliases))
		return too_many_aliases(it);
	return take_sets(it, reply) ? restart(it, reply->name) : no_memory(it);
}

static enum step step_denial(struct iter *it)
{
	struct resolution *r = it->resolution;
	const struct reply *reply = &r->resolver->reply;
	bool is_nxdomain = reply->kind == REPLY_NXDOMAIN;
	struct cache_from from = send_from(it);
	if (!take_aliases(it, reply->aliases))
		return too_many_aliases(it);
	if (!take_sets(it, reply) || !show_proofs(it, reply, true))
		return no_memory(it);
	if (it->type != TYPE_ANY)
		(void)rrsets_deny(r->resolver->cache, &r->opts->ttl, 0, reply->name,
			is_nxdomain ? 0 : it->type, reply->proof, reply->proofs_n,
			reply->is_authoritative ? RANK_AUTH : RANK_ANSWER, &from, r->now_ms);
	return conclude(it, is_nxdomain ? RCODE_NXDOMAIN : RCODE_NOERROR);
}

static enum step step_fail(struct iter *it)
{
	it->answer = NULL;
	return conclude(it, RCODE_SERVFAIL);
}

/* ---- the driver ------------------------------------------------------------------------ */

static enum step (*const steps[STEPS])(struct iter *it) = {
	[STEP_LOOK] = step_look,
	[STEP_CUT] = step_cut,
	[STEP_PICK] = step_pick,
	[STEP_SEND] = step_send,
	[STEP_READ] = step_read,
	[STEP_REFERRAL] = step_referral,
	[STEP_ALIAS] = step_alias,
	[STEP_ANSWER] = step_answer,
	[STEP_DENIAL] = step_denial,
	[STEP_BAD] = step_bad,
	[STEP_HOSTS] = step_hosts,
	[STEP_EXHAUSTED] = step_exhausted,
	[STEP_FAIL] = step_fail,
};

/* The addresses that were looked for are the parent's to use. */
static void tell_parent(struct iter *it)
{
	struct iter *parent = it->parent;
	struct host *host = it->host;
	struct budget *budget = it->resolution->ask->budget;
	int rc = 0;
	parent->child = NULL;
	if (it->answer)
		rc = cut_add(parent, host, it->answer, false);
	/* The addresses by which the host itself was asked may be right when its own are not. */
	for (const struct server *s = it->cut.servers; s && rc == 0; s = s->next)
		if (s->host && name_is_equal(s->host, host->name))
			rc = cut_add_server(parent, host->name, &s->at, true);
	if (it->rcode == RCODE_NXDOMAIN)
		host->asked = UINT8_MAX;
	bool is_last = !(families_of(it->resolution->opts) & ~host->asked);
	if (is_last && !host->has_server && budget->no_address)
		budget->no_address--;
	iter_wake(parent, rc < 0 ? no_memory(parent) : STEP_PICK);
}

static void end(struct iter *it)
{
	struct resolution *r = it->resolution;
	settle(it);
	if (it == r->top)
		r->is_done = true;
	else
		tell_parent(it);
	iter_drop(it);
}

void iter_turn(struct resolution *r)
{
	while (!r->is_done && !list_is_empty(&r->ready)) {
		struct iter *it = container_of(r->ready.next, struct iter, ready);
		list_drop(&it->ready);
		while (it->step < STEPS)
			it->step = steps[it->step](it);
		if (it->step == STEP_END)
			end(it);
	}
	if (r->is_done)
		resolution_end(r);
}
