/* SPDX-License-Identifier: BSD-2-Clause */
/* A question to a server, and the first look at what comes back: whether it is a reply at all,
 * how sure it is that the server made it, and whether to ask the same server in another way. */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/rand.h"
#include "resolve/case.h"
#include "resolve/iter.h"
#include "wire/edns.h"
#include "wire/key.h"

#include <stdio.h>
#include <string.h>

enum {
	QUERY_ROOM = 320 + 4 + COOKIE_MAX_LEN,
	RACE_MS = 50,
	NEXT_MS = 190,     /* for one nobody knows, after another that was silent, */
	LATER_MS = 120,    /* and after more of them */
	SILENT_UDP = 2,    /* datagrams without an answer: TCP is tried */
	TCP_MIN_MS = 1000, /* a connection is to be made first */
	TCP_FACTOR = 3,
	OUTAGE = 16,      /* failures in a row, of all servers there are, */
	OUTAGE_MS = 300,  /* within so long or longer, in which nobody was heard */
	SEE_AGAIN = 64,   /* questions to a server that is known to lack something */
	LETTERS_SURE = 8, /* of a mixed spelling that is echoed: 8 bits nobody can know */
	RCODE_BADCOOKIE = 23,
};

/* ---- what is told of it ---------------------------------------------------------------- */

void send_note(struct iter *it, enum trace_result result)
{
	const struct resolution *r = it->resolution;
	struct trace_step *step = trace_next(r->ask->trace, r->now_ms);
	step->kind = TRACE_REPLY;
	step->result = (uint8_t)result;
	step->rcode = (uint8_t)r->resolver->message.rcode;
	step->took_us = (uint32_t)r->resolver->took_us;
	step->link = r->ask->link;
	step->type = it->asked_type;
	step->name = it->asked;
	step->zone = it->cut.zone;
	step->transport = it->read->transport;
	step->server = it->read->server->at;
}

static void note_sent(const struct iter *it, const struct attempt *attempt)
{
	const struct resolution *r = it->resolution;
	struct trace_step *step = trace_next(r->ask->trace, r->now_ms);
	step->kind = TRACE_SENT;
	step->link = r->ask->link;
	step->type = it->asked_type;
	step->name = it->asked;
	step->zone = it->cut.zone;
	step->transport = attempt->is_tcp ? CACHE_TCP : CACHE_UDP;
	step->server = attempt->server->at;
}

struct cache_from send_from(const struct iter *it)
{
	const struct resolve_ask *ask = it->resolution->ask;
	return (struct cache_from){ .server = it->read->server->at,
		.transport = it->read->transport,
		.link = ask->link,
		.generation = ask->generation };
}

bool send_is_waiting(const struct iter *it)
{
	for (size_t i = 0; i < TRIES_AT_ONCE; i++)
		if (it->attempts[i].exchange)
			return true;
	return false;
}

/* ---- sending --------------------------------------------------------------------------- */

static struct attempt *free_try(struct iter *it)
{
	for (size_t i = 0; i < TRIES_AT_ONCE; i++)
		if (!it->attempts[i].exchange)
			return &it->attempts[i];
	return NULL;
}

void send_set_slow(struct iter *it, bool is_slow)
{
	struct resolver *resolver = it->resolution->resolver;
	if (it->is_slow == is_slow)
		return;
	it->is_slow = is_slow;
	if (is_slow)
		it->slow_bucket = (uint32_t)(key_hash(it->cut.zone) % ZONE_BUCKETS);
	if (is_slow)
		resolver->slow[it->slow_bucket]++;
	else
		resolver->slow[it->slow_bucket]--;
}

static bool has_room_in_zone(const struct iter *it)
{
	size_t bucket = key_hash(it->cut.zone) % ZONE_BUCKETS;
	const struct resolver *resolver = it->resolution->resolver;
	return it->is_slow || resolver->slow[bucket] < resolver->slow_max;
}

/* The cookie for a server, with its own part when that is known (RFC 7873 5.1). */
static uint8_t make_cookie(const struct iter *it, struct attempt *attempt,
	const struct fact *fact, uint8_t out[COOKIE_MAX_LEN])
{
	uint8_t from[18];
	if (fact->cookie_len > COOKIE_CLIENT_LEN) {
		memcpy(out, fact->cookie, fact->cookie_len);
		memcpy(attempt->cookie, out, COOKIE_CLIENT_LEN);
		return fact->cookie_len;
	}
	memcpy(from, attempt->server->at.address, 16);
	put_u16(from + 16, attempt->server->at.port);
	uint64_t hash = hash_sip(&it->resolution->resolver->secret, from, sizeof from, 2, 4);
	memcpy(out, &hash, COOKIE_CLIENT_LEN);
	memcpy(attempt->cookie, out, COOKIE_CLIENT_LEN);
	return COOKIE_CLIENT_LEN;
}

/* What a server could not do it may have learned meanwhile. */
static bool is_time_to_see(void)
{
	return rand_below(SEE_AGAIN) == 0;
}

static size_t write_query(
	const struct iter *it, struct attempt *attempt, const struct fact *fact, uint8_t *buf)
{
	const struct resolve_opts *opts = it->resolution->opts;
	uint8_t name[NAME_MAX_LEN], cookie[COOKIE_MAX_LEN];
	struct query_opts query = { .is_dnssec = true };
	attempt->has_edns =
		!attempt->server->no_edns && (fact->edns != EDNS_NONE || is_time_to_see());
	attempt->is_edns_good = fact->edns == EDNS_GOOD;
	if (attempt->has_edns)
		query.edns_size = opts->edns_size;
	if (attempt->has_edns && !attempt->is_tcp) {
		query.cookie = cookie;
		query.cookie_len = make_cookie(it, attempt, fact, cookie);
	}
	attempt->breaks_case = fact->breaks_case;
	attempt->is_mixed = opts->case_randomisation && !attempt->server->no_mix &&
			    (!fact->breaks_case || is_time_to_see());
	attempt->letters = 0;
	if (!attempt->is_mixed)
		return query_write(buf, it->asked, it->asked_type, &query);
	rand_fill(&attempt->seed, sizeof attempt->seed);
	attempt->letters = (uint8_t)case_mix(name, it->asked, attempt->seed);
	return query_write(buf, name, it->asked_type, &query);
}

/* How many others of the zone were silent, for one that is asked for the first time: whoever is
 * near gets its chance soon; who is far is asked again, with more time. */
static unsigned silent_before(const struct iter *it, const struct attempt *attempt)
{
	unsigned n = 0;
	if (attempt->server->tries)
		return 0;
	for (const struct server *server = it->cut.servers; server; server = server->next)
		n += server->tries > 0;
	return n;
}

/* A server that was quick may be slow for once: each try is heard on its own socket alone, so
 * the last one gets the time that a slow answer takes. */
static void set_timeout(struct attempt *attempt, const struct fact *fact, uint64_t left_ms)
{
	static const uint16_t least_ms[SERVER_TRIES] = { 0, 400, 2000 };
	uint8_t tries = attempt->server->tries;
	uint32_t ms = fact->rto_ms;
	if (tries < SERVER_TRIES && ms < least_ms[tries])
		ms = least_ms[tries];
	unsigned silent = silent_before(attempt->iter, attempt);
	if (!fact->rtt_ms && !fact->failures && silent)
		ms = silent > 1 ? LATER_MS : NEXT_MS;
	if (attempt->is_tcp)
		ms = ms * TCP_FACTOR < TCP_MIN_MS ? TCP_MIN_MS : ms * TCP_FACTOR;
	attempt->is_short = ms > left_ms;
	attempt->timeout_ms = attempt->is_short ? (uint32_t)left_ms : ms;
}

/* While little is known of a server, one of the other family gets its chance soon. */
static void plan_race(struct iter *it, const struct server *server)
{
	struct resolver *resolver = it->resolution->resolver;
	if (!list_is_empty(&it->race) || !free_try(it) || !select_is_unsure(it, server) ||
		!select_server(it, REACH_FRESH, !server->family))
		return;
	bool is_first = list_is_empty(&resolver->racing);
	it->race_ms = it->resolution->now_ms + RACE_MS;
	list_put(&resolver->racing, &it->race);
	if (is_first)
		loop_timer_start(resolver->race_timer, RACE_MS, 0);
}

/* No question can be sent; one that is under way may get its answer yet. */
static enum step refuse(struct iter *it, int ede, const char *why)
{
	if (send_is_waiting(it))
		return STEP_WAIT;
	return why ? iter_fail(it, ede, "%s", why) : iter_fail(it, ede, NULL);
}

static void on_done(void *user, const struct upstream_reply *reply);

enum step send_question(struct iter *it)
{
	struct resolution *r = it->resolution;
	struct resolver *resolver = r->resolver;
	struct budget *budget = r->ask->budget;
	struct server *server = it->server;
	struct attempt *attempt = free_try(it);
	struct fact fact;
	struct addr addr;
	uint8_t query[QUERY_ROOM];
	if (!attempt || flight_join(it))
		return STEP_WAIT;
	facts_get(resolver->facts, &server->at, NULL, r->now_ms, &fact);
	if (fact.failures && !has_room_in_zone(it))
		return refuse(it, EDE_NETWORK, "too many questions wait for its servers");
	if (r->now_ms >= budget->deadline_ms)
		return refuse(it, EDE_NO_REACHABLE, NULL);
	if (!budget_query(budget, r->now_ms))
		return refuse(it, EDE_OTHER, "it takes too many questions to find out");
	attempt->iter = it;
	attempt->server = server;
	attempt->asked = it->asked;
	attempt->type = it->asked_type;
	attempt->is_tcp = server->is_tcp;
	attempt->sent_ms = r->now_ms;
	attempt->transport = CACHE_UDP;
	attempt->is_sure = false;
	set_timeout(attempt, &fact, budget->deadline_ms - r->now_ms);
	addr_from_endpoint(&addr, &server->at);
	struct upstream_ask ask = { .server = &addr,
		.is_tcp = attempt->is_tcp,
		.query = query,
		.len = write_query(it, attempt, &fact, query),
		.timeout_ms = attempt->timeout_ms };
	attempt->exchange = upstream_send(resolver->upstream, &ask, on_done, attempt);
	if (!attempt->exchange)
		return refuse(it, EDE_NETWORK, "no socket is left to ask with");
	note_sent(it, attempt);
	flight_begin(it);
	if (fact.failures)
		send_set_slow(it, true);
	plan_race(it, server);
	return STEP_WAIT;
}

/* ---- what comes back ------------------------------------------------------------------- */

/* While others answer, any worker, many questions to one that is silent are its matter (hazard
 * B12). The failures have to take their time: what comes at once was late together with us. */
static bool is_outage(const struct resolver *resolver, uint64_t now_ms)
{
	return resolver->failures[FAMILY_IPV4] + resolver->failures[FAMILY_IPV6] >= OUTAGE &&
	       now_ms >= resolver->failing_ms + OUTAGE_MS &&
	       facts_heard_ms(resolver->facts) < resolver->failing_ms;
}

static void count_failure(struct iter *it, const struct attempt *attempt)
{
	struct resolver *resolver = it->resolution->resolver;
	facts_failure(resolver->facts, &attempt->server->at, it->resolution->now_ms);
	if (facts_heard_ms(resolver->facts) >= resolver->failing_ms)
		resolver->failing_ms = it->resolution->now_ms;
	resolver->failures[attempt->server->family]++;
	if (is_outage(resolver, it->resolution->now_ms))
		facts_set_outage(resolver->facts);
}

void send_cancel(struct iter *it)
{
	for (size_t i = 0; i < TRIES_AT_ONCE; i++) {
		struct attempt *attempt = &it->attempts[i];
		if (!attempt->exchange)
			continue;
		exchange_cancel(&attempt->exchange);
		/* It was overtaken though it had a start. */
		if (it->resolution->now_ms >= attempt->sent_ms + RACE_MS)
			count_failure(it, attempt);
	}
	list_drop(&it->race);
}

void send_complain(struct iter *it, const char *what)
{
	struct resolution *r = it->resolution;
	struct addr addr;
	char address[ADDR_TEXT_MAX], zone[NAME_TEXT_MAX];
	addr_from_endpoint(&addr, &it->read->server->at);
	(void)name_print(zone, it->cut.zone);
	(void)snprintf(r->why, sizeof r->why, "%s %s for %.40s", addr_print(address, &addr),
		what, zone);
	r->ede = EDE_NO_REACHABLE;
}

/* The same server is asked once more, in another way. */
static enum step ask_again(struct iter *it, struct server *server)
{
	it->server = server;
	return STEP_SEND;
}

static enum step ask_by_tcp(struct iter *it, struct server *server)
{
	server->is_tcp = true;
	return ask_again(it, server);
}

/* A server that changes the spelling and cannot be reached over TCP: there is no surer way to
 * ask it. */
static bool is_worth_a_plain_one(struct server *server, const struct attempt *attempt)
{
	if (!attempt->is_tcp || !server->is_misspelling || server->no_mix)
		return false;
	server->no_mix = true;
	server->is_tcp = false;
	return true;
}

/* The way may have lost its replies for their size: a server that has answered before and is
 * silent twice is asked over TCP. Whether it has TCP at all is not known then. */
static void try_tcp(const struct iter *it, struct server *server)
{
	struct fact fact;
	facts_get(it->resolution->resolver->facts, &server->at, NULL, it->resolution->now_ms,
		&fact);
	server->is_tcp_tried = fact.rtt_ms != 0;
	server->is_tcp |= server->is_tcp_tried;
}

/* It has none, or none that is heard: that is not held against it. */
static bool is_worth_udp(struct server *server, const struct attempt *attempt)
{
	if (!attempt->is_tcp || !server->is_tcp_tried)
		return false;
	server->is_tcp_tried = server->is_tcp = false;
	return true;
}

static enum step take_silence(struct iter *it, struct attempt *attempt)
{
	struct server *server = attempt->server;
	send_note(it, TRACE_TIMEOUT);
	send_complain(it, "did not answer");
	server->tries++;
	if (server->tries == SILENT_UDP && !attempt->is_tcp)
		try_tcp(it, server);
	/* What was left of the client's time says nothing of the server. */
	if (!attempt->is_short) {
		count_failure(it, attempt);
		/* Without room it may ask on where nothing has failed yet, and nowhere else. */
		send_set_slow(it, has_room_in_zone(it));
	}
	if (is_worth_a_plain_one(server, attempt))
		return ask_again(it, server);
	server->is_out |= attempt->is_tcp;
	if (it->asked != it->name)
		it->timeouts++;
	return STEP_PICK;
}

static enum step take_refusal(struct iter *it, struct attempt *attempt)
{
	send_note(it, TRACE_UNREACHABLE);
	send_complain(it, "cannot be reached");
	it->resolution->ede = EDE_NETWORK;
	if (is_worth_udp(attempt->server, attempt))
		return ask_again(it, attempt->server);
	if (is_worth_a_plain_one(attempt->server, attempt))
		return ask_again(it, attempt->server);
	count_failure(it, attempt);
	attempt->server->is_out = true;
	return STEP_PICK;
}

static void take_reply(
	struct iter *it, struct attempt *attempt, const struct upstream_reply *reply)
{
	struct resolver *resolver = it->resolution->resolver;
	memcpy(resolver->buf, reply->msg, reply->len);
	resolver->len = reply->len;
	/* When nobody at all was there and somebody is again, it was the uplink. */
	if (is_outage(resolver, it->resolution->now_ms))
		facts_forgive(resolver->facts);
	facts_note_heard(resolver->facts, it->resolution->now_ms);
	resolver->failures[attempt->server->family] = 0;
	if (attempt->is_tcp)
		facts_heard(resolver->facts, &attempt->server->at);
	else
		facts_reply(resolver->facts, &attempt->server->at,
			(uint32_t)((reply->took_us + 999) / 1000));
}

static void on_done(void *user, const struct upstream_reply *reply)
{
	struct attempt *attempt = user;
	struct iter *it = attempt->iter;
	struct resolution *r = it->resolution;
	enum step step = STEP_READ;
	attempt->exchange = NULL;
	it->read = attempt;
	it->asked = attempt->asked; /* it may have thought of another question since */
	it->asked_type = attempt->type;
	r->now_ms = clock_mono_ms();
	r->resolver->took_us = reply->took_us;
	r->resolver->message.rcode = 0;
	attempt->transport = attempt->is_tcp ? CACHE_TCP : CACHE_UDP;
	switch (reply->result) {
	case UPSTREAM_REPLY:
		take_reply(it, attempt, reply);
		break;
	case UPSTREAM_TIMEOUT:
		step = take_silence(it, attempt);
		break;
	case UPSTREAM_UNREACHABLE:
		step = take_refusal(it, attempt);
		break;
	case UPSTREAM_SPOOFED:
		send_note(it, TRACE_SPOOFED);
		step = ask_by_tcp(it, attempt->server);
		break;
	}
	struct resolver *resolver = r->resolver;
	iter_wake(it, step);
	iter_turn(r);
	flight_wake(resolver);
}

/* ---- whether it is a reply ------------------------------------------------------------- */

/* The spelling of the question. False: it was not echoed. */
static bool check_case(struct iter *it, const struct attempt *attempt)
{
	struct resolver *resolver = it->resolution->resolver;
	uint8_t *name = resolver->buf + HEADER_LEN;
	if (get_u16(resolver->buf + 4) != 1)
		return true; /* a bare header, which only says no */
	bool is_echoed = !attempt->is_mixed || case_is_echoed(name, it->asked, attempt->seed);
	/* Names in the reply may point here. */
	memcpy(name, it->asked, name_len(it->asked));
	return is_echoed;
}

/* False: somebody else's cookie. */
static bool check_cookie(struct iter *it, struct attempt *attempt)
{
	struct resolver *resolver = it->resolution->resolver;
	const struct message *m = &resolver->message;
	if (!m->cookie || !attempt->has_edns || attempt->is_tcp)
		return true;
	if (m->cookie_len < COOKIE_CLIENT_LEN ||
		memcmp(m->cookie, attempt->cookie, COOKIE_CLIENT_LEN) != 0)
		return false;
	attempt->is_sure = true;
	attempt->transport = CACHE_UDP_COOKIE;
	if (m->cookie_len >= 2 * COOKIE_CLIENT_LEN && m->cookie_len <= COOKIE_MAX_LEN)
		facts_set_cookie(
			resolver->facts, &attempt->server->at, m->cookie, m->cookie_len);
	return true;
}

static void learn_edns(const struct iter *it, const struct attempt *attempt)
{
	const struct resolver *resolver = it->resolution->resolver;
	const struct endpoint *at = &attempt->server->at;
	if (!attempt->is_sure)
		return;
	if (attempt->has_edns && resolver->message.has_opt && !attempt->is_edns_good)
		facts_set_edns(resolver->facts, at, EDNS_GOOD);
	if (!attempt->has_edns && attempt->server->no_edns &&
		resolver->message.rcode != RCODE_FORMERR)
		facts_set_edns(resolver->facts, at, EDNS_NONE);
}

/* Not a reply that anything can be learned from; over TCP the server itself can be meant. */
static enum step distrust(struct iter *it, struct attempt *attempt, enum trace_result result)
{
	send_note(it, result);
	send_complain(it, "sent what is no answer");
	if (!attempt->is_tcp)
		return ask_by_tcp(it, attempt->server);
	attempt->server->is_out = true;
	return STEP_PICK;
}

/* Whether the code of the reply, or its being cut off, asks for another way; *next says which.
 * Codes that are an error for good are left to others. */
static bool wants_other_way(struct iter *it, struct attempt *attempt, enum step *next)
{
	const struct message *m = &it->resolution->resolver->message;
	struct server *server = attempt->server;
	if (m->rcode == RCODE_BADCOOKIE && !attempt->is_tcp) {
		server->is_tcp |= server->has_bad_cookie;
		server->has_bad_cookie = true;
		*next = ask_again(it, server);
		return true;
	}
	if (attempt->has_edns && (m->rcode == RCODE_FORMERR || m->rcode == RCODE_NOTIMP ||
					 m->rcode == RCODE_BADVERS)) {
		server->no_edns = true;
		send_note(it, TRACE_ERROR);
		*next = ask_again(it, server);
		return true;
	}
	if (m->flags & FLAG_TC) {
		*next = distrust(it, attempt, TRACE_TRUNCATED);
		return true;
	}
	return false;
}

bool send_check(struct iter *it, enum step *next)
{
	struct resolution *r = it->resolution;
	struct resolver *resolver = r->resolver;
	struct attempt *attempt = it->read;
	bool is_echoed = check_case(it, attempt);
	if (!budget_bytes(r->ask->budget, resolver->len)) {
		*next = iter_fail(it, EDE_OTHER, "it takes too many bytes to find out");
		return false;
	}
	if (message_read(&resolver->message, resolver->buf, resolver->len, r->ask->pad) < 0) {
		*next = distrust(it, attempt, TRACE_MALFORMED);
		return false;
	}
	attempt->server->is_misspelling |= !is_echoed;
	if ((!is_echoed && !attempt->is_tcp) || !check_cookie(it, attempt)) {
		*next = distrust(it, attempt, TRACE_SPOOFED);
		return false;
	}
	if (!is_echoed)
		facts_set_case(resolver->facts, &attempt->server->at, true);
	bool is_mixed = attempt->is_mixed && is_echoed && resolver->message.has_question;
	attempt->is_sure |= attempt->is_tcp || (is_mixed && attempt->letters >= LETTERS_SURE);
	if (is_mixed && attempt->transport == CACHE_UDP)
		attempt->transport = CACHE_UDP_CASE;
	if (is_mixed && attempt->breaks_case && attempt->letters >= LETTERS_SURE)
		facts_set_case(resolver->facts, &attempt->server->at, false);
	if (wants_other_way(it, attempt, next))
		return false;
	learn_edns(it, attempt);
	return true;
}
