/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/iter.h"

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
	list_init(&it->flight);
	list_init(&it->joined);
	list_init(&it->join);
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
		if (it->attempts[i].exchange)
			exchange_cancel(&it->attempts[i].exchange);
	send_set_slow(it, false);
	flight_end(it);
	list_drop(&it->join);
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
	flight_end(it);
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

enum step iter_no_memory(struct iter *it)
{
	return iter_fail(it, EDE_OTHER, "it takes too much memory to find out");
}

enum step iter_conclude(struct iter *it, unsigned rcode)
{
	it->rcode = rcode;
	return STEP_END;
}

static bool is_minimised(const struct iter *it)
{
	return it->asked != it->name;
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
		return iter_no_memory(it);
	}
}

/* ---- whom to ask ----------------------------------------------------------------------- */

static void choose_question(struct iter *it)
{
	const uint8_t *asked = it->asked;
	uint16_t type = it->asked_type;
	unsigned labels;
	for (;;) {
		labels = minimise_labels(&it->minimise, it->labels);
		it->asked = minimise_suffix(it->name, it->labels, labels);
		if (labels == it->labels || it->is_fresh || !look_is_there(it))
			break;
		it->minimise.labels = (uint8_t)labels;
	}
	it->asked_type = labels < it->labels ? TYPE_A : it->type;
	if (asked != it->asked || type != it->asked_type)
		flight_end(it);
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

enum step iter_give_up(struct iter *it)
{
	struct resolution *r = it->resolution;
	char zone[NAME_TEXT_MAX];
	if (it->cut.servers && r->why[0])
		return STEP_FAIL;
	/* Only the question at the top has looked everywhere. */
	if (!it->cut.servers && it == r->top)
		cut_note_failure(it);
	(void)name_print(zone, it->cut.zone);
	return iter_fail(it, EDE_NO_REACHABLE, "no server of %.60s has %s", zone,
		it->cut.servers ? "answered lately" : "an address");
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
		return it->no_stub ? STEP_CUT : iter_give_up(it);
	}
	if (!it->cut.is_kept || !it->resolution->again) {
		struct host *host = hosts_choose_known(it);
		return host ? hosts_look_anew(it, host) : iter_give_up(it);
	}
	/* What is kept may have become wrong: those above are asked anew. */
	it->resolution->again--;
	if (!*it->cut.zone) {
		it->cut.is_kept = false;
		return cut_add_hints(it) < 0 ? iter_no_memory(it) : STEP_PICK;
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
		return iter_no_memory(it);
	next = is_minimised(it) ? ways[reply->kind].step_short : ways[reply->kind].step;
	if (reply->kind == REPLY_NXDOMAIN && is_root_sure(it, reply))
		next = STEP_DENIAL;
	if (is_bad || next == STEP_BAD)
		return STEP_BAD;
	settle(it);
	if (next != STEP_PICK)
		return next;
	found_keep_short(it, reply);
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
		return iter_no_memory(it);
	return STEP_PICK;
}

static enum step step_fail(struct iter *it)
{
	it->answer = NULL;
	return iter_conclude(it, RCODE_SERVFAIL);
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

static void end(struct iter *it)
{
	struct resolution *r = it->resolution;
	settle(it);
	if (it == r->top)
		r->is_done = true;
	else
		hosts_tell_parent(it);
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
