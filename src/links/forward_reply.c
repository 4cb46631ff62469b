/* SPDX-License-Identifier: BSD-2-Clause */
/* What another resolver says, as far as it belongs to the question. It is kept as a reply only,
 * by the chain: sets of it would be found by recursion, and an NS set that some router made up
 * would lead others astray. */
#include "links/forward.h"
#include "resolve/scrub.h"
#include "wire/rrtype.h"

#include <stdio.h>
#include <string.h>

enum {
	TEXT_ROOM = 64
};

/* ---- what is told of it ---------------------------------------------------------------- */

void forward_note(
	const struct forward_try *try, enum trace_result result, unsigned rcode, uint64_t us)
{
	const struct forward_question *q = try->question;
	struct trace_step *step = trace_next(&q->ask->trace, q->now_ms);
	step->kind = TRACE_REPLY;
	step->result = (uint8_t)result;
	step->rcode = (uint8_t)rcode;
	step->took_us = (uint32_t)us;
	step->link = q->ask->link;
	step->type = q->ask->question.type;
	step->name = q->ask->question.name;
	step->transport = try->is_tcp ? CACHE_TCP : CACHE_UDP;
	step->server = try->server->at;
}

static void complain_anew(struct forward_question *q, const struct forward_server *server,
	int ede, const char *what)
{
	char address[ADDR_TEXT_MAX];
	q->ede = ede;
	(void)snprintf(q->why, sizeof q->why, "%s %s", addr_print(address, server->addr), what);
}

/* What a server gave as its reason says more than another's silence. */
void forward_complain(struct forward_question *q, const struct forward_server *server, int ede,
	const char *what)
{
	if (!q->is_ede_told)
		complain_anew(q, server, ede, what);
}

/* The text of an EDE, from another's message: one line of ASCII. */
static void copy_text(char *out, size_t size, const struct message *m)
{
	size_t n = 0;
	for (; n < m->ede_text_len && n + 1 < size && m->ede_text[n]; n++) {
		uint8_t c = m->ede_text[n];
		out[n] = c >= 0x7f ? '?' : c < ' ' ? ' ' : (char)c;
	}
	out[n] = '\0';
}

/* Codes are kept in 15 bits. */
static int ede_of(const struct message *m)
{
	return m->ede > INT16_MAX ? EDE_OTHER : m->ede;
}

static const char *print_rcode(char *out, size_t size, unsigned rcode)
{
	const char *word = rcode_word(rcode);
	if (word)
		(void)snprintf(out, size, "%s", word);
	else
		(void)snprintf(out, size, "code %u", rcode);
	return out;
}

static enum forward_result take_error(
	struct forward_try *try, const struct message *m, uint64_t us)
{
	struct forward_question *q = try->question;
	char code[16], text[TEXT_ROOM], what[sizeof code + sizeof text + 8];
	forward_note(try, TRACE_ERROR, m->rcode, us);
	copy_text(text, sizeof text, m);
	(void)snprintf(what, sizeof what, "said %s%s%s",
		print_rcode(code, sizeof code, m->rcode), *text ? ": " : "", text);
	if (m->ede >= 0) {
		complain_anew(q, try->server, ede_of(m), what);
		q->is_ede_told = true;
	} else {
		forward_complain(q, try->server, EDE_NO_REACHABLE, what);
	}
	return FORWARD_ERROR;
}

/* ---- whether it is a reply ------------------------------------------------------------- */

/* The code of a reply that tells something. */
static bool is_telling(unsigned rcode)
{
	return rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN || rcode == RCODE_YXDOMAIN;
}

static void learn(const struct forward_try *try, const struct message *m, uint64_t us)
{
	struct facts *facts = try->question->worker->inside->facts;
	const struct endpoint *at = &try->server->at;
	const struct forward_seat *seat = forward_seat(try->question, try->server);
	if (!try->is_tcp)
		facts_reply(facts, at, (uint32_t)((us + 999) / 1000));
	if (try->has_edns && m->has_opt && try->known_edns != EDNS_GOOD)
		facts_set_edns(facts, at, EDNS_GOOD);
	/* It refused what has EDNS and answered without: two messages that agree. */
	if (!try->has_edns && seat->no_edns && is_telling(m->rcode) &&
		try->known_edns != EDNS_NONE)
		facts_set_edns(facts, at, EDNS_NONE);
}

static enum forward_result take_broken(struct forward_try *try, uint64_t us)
{
	forward_note(try, TRACE_MALFORMED, 0, us);
	forward_complain(try->question, try->server, EDE_NETWORK, "sent what is no answer");
	return FORWARD_BROKEN;
}

/* ---- what it says ---------------------------------------------------------------------- */

static enum trace_result trace_of(const struct reply *reply)
{
	static const enum trace_result results[] = { [REPLY_ANSWER] = TRACE_ANSWER,
		[REPLY_ALIAS] = TRACE_ALIAS,
		[REPLY_TOO_LONG] = TRACE_ANSWER,
		[REPLY_NODATA] = TRACE_NODATA,
		[REPLY_NXDOMAIN] = TRACE_NXDOMAIN,
		[REPLY_REFERRAL] = TRACE_REFERRAL,
		[REPLY_LAME] = TRACE_LAME,
		[REPLY_NO_MEMORY] = TRACE_ERROR };
	return results[reply->kind];
}

/* Simple resolvers say that there is nothing without the SOA that would prove it, and name the
 * servers of a zone beside it; but who does not recurse only points to others. */
static void settle_kind(struct reply *reply, const struct message *m)
{
	bool is_vague = reply->kind == REPLY_LAME || reply->kind == REPLY_REFERRAL;
	if (is_vague && m->rcode == RCODE_NXDOMAIN)
		reply->kind = REPLY_NXDOMAIN;
	else if (is_vague && m->flags & FLAG_RA)
		reply->kind = REPLY_NODATA;
}

static bool is_shown(
	const struct forward_question *q, const struct reply *reply, const struct rrset *proof)
{
	if (proof->type == TYPE_SOA)
		return reply->kind == REPLY_NODATA || reply->kind == REPLY_NXDOMAIN;
	return q->ask->question.is_dnssec;
}

static bool has_soa(const struct reply *reply)
{
	for (unsigned i = 0; i < reply->proofs_n; i++)
		if (reply->proof[i]->type == TYPE_SOA)
			return true;
	return false;
}

static bool put_sets(struct forward_question *q, const struct reply *reply)
{
	struct outcome *o = &q->ask->outcome;
	for (unsigned i = 0; i < reply->n; i++)
		if (!outcome_add(o, reply->set[i]))
			return false;
	for (unsigned i = 0; i < reply->proofs_n; i++)
		if (is_shown(q, reply, reply->proof[i]) && !outcome_add(o, reply->proof[i]))
			return false;
	return true;
}

static enum forward_result give_up(struct forward_question *q, const char *why)
{
	q->ede = EDE_OTHER;
	(void)snprintf(q->why, sizeof q->why, "%s", why);
	return FORWARD_NO_MEMORY;
}

static enum forward_result fill_outcome(
	const struct forward_try *try, const struct message *m, const struct reply *reply)
{
	struct forward_question *q = try->question;
	struct link_ask *ask = q->ask;
	struct outcome *o = &ask->outcome;
	if (reply->aliases > ask->budget.aliases)
		return give_up(q, "aliases lead too far");
	ask->budget.aliases -= (uint8_t)reply->aliases;
	if (!put_sets(q, reply))
		return give_up(q, "the answer has too many sets");
	o->rcode = reply->kind == REPLY_NXDOMAIN   ? RCODE_NXDOMAIN
		   : reply->kind == REPLY_TOO_LONG ? RCODE_YXDOMAIN
						   : RCODE_NOERROR;
	bool is_denial = reply->kind == REPLY_NODATA || reply->kind == REPLY_NXDOMAIN;
	o->is_uncachable = is_denial && !has_soa(reply); /* RFC 2308 5 */
	if (reply->kind == REPLY_ALIAS)
		o->restart = reply->name;
	o->from = (struct cache_from){ .server = try->server->at,
		.transport = try->is_tcp ? CACHE_TCP : CACHE_UDP,
		.link = ask->link,
		.generation = ask->generation };
	if (m->ede >= 0) {
		o->ede = ede_of(m);
		copy_text(o->ede_text, sizeof o->ede_text, m);
	}
	return FORWARD_ANSWER;
}

static enum forward_result take_answer(
	struct forward_try *try, const struct message *m, uint64_t us)
{
	static const uint8_t root[] = { 0 };
	struct forward_question *q = try->question;
	const struct link_question *asked = &q->ask->question;
	const struct forward *forward = q->worker->forward;
	const uint8_t *zone = name_closest(asked->name, forward->zones, forward->zones_n);
	struct reply reply;
	/* Where an alias leads out of its zones, others are asked on (hazard A8). A denial is
	 * of the name alone, and simple resolvers have the SOA for it from above. */
	const struct scrub_ask ask = { .zone = zone ? zone : root,
		.denier = root,
		.name = asked->name,
		.type = asked->type,
		.aliases = q->ask->budget.aliases };
	scrub_read(&reply, m, &ask, &q->ask->pad);
	settle_kind(&reply, m);
	forward_note(try, trace_of(&reply), m->rcode, us);
	if (reply.kind == REPLY_NO_MEMORY)
		return give_up(q, "no memory");
	if (reply.kind == REPLY_LAME || reply.kind == REPLY_REFERRAL) {
		forward_complain(q, try->server, EDE_NO_REACHABLE, "does not recurse");
		return FORWARD_ERROR;
	}
	return fill_outcome(try, m, &reply);
}

enum forward_result forward_read(struct forward_try *try, const struct upstream_reply *reply)
{
	struct forward_question *q = try->question;
	struct message m;
	uint64_t us = reply->took_us;
	if (!budget_bytes(&q->ask->budget, reply->len))
		return give_up(q, "it takes too many bytes to find out");
	/* It may be cut anywhere: nothing else of it is looked at. */
	if (!try->is_tcp && reply->msg[2] & FLAG_TC >> 8) {
		forward_note(try, TRACE_TRUNCATED, 0, us);
		forward_complain(q, try->server, EDE_NETWORK, "has a reply for TCP only");
		return FORWARD_TRUNCATED;
	}
	if (message_read(&m, reply->msg, reply->len, &q->ask->pad) < 0 || m.flags & FLAG_TC)
		return take_broken(try, us);
	bool is_about_edns =
		m.rcode == RCODE_FORMERR || m.rcode == RCODE_NOTIMP || m.rcode == RCODE_BADVERS;
	if (try->has_edns && is_about_edns) {
		forward_note(try, TRACE_ERROR, m.rcode, us);
		forward_complain(
			q, try->server, EDE_NO_REACHABLE, "answered that it has no EDNS");
		return FORWARD_PLAIN;
	}
	if (!m.has_question)
		return take_broken(try, us);
	learn(try, &m, us);
	return is_telling(m.rcode) ? take_answer(try, &m, us) : take_error(try, &m, us);
}
