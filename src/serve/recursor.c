/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/recursor.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/clients.h"
#include "serve/inside.h"
#include "serve/pace.h"
#include "wire/rrtype.h"

#include <string.h>

enum {
	CLIENT_BYTES = 7, /* an IPv6 /56 */
	PAD_LIMIT = 512 * 1024,
	LATE_MS = 200 /* few replies take longer: pulses are made of those that do (B9) */
};

/* A client that waits. */
struct waiting {
	struct chain_wait wait;
	struct list list; /* of the recursor's */
	struct recursor *recursor;
	struct later *later;
	struct addr peer;
	uint64_t client, since_ms;
	enum transport transport;
	bool is_counted; /* among its client's questions */
	uint32_t room, len;
	uint8_t query[];
};

struct recursor {
	struct answerer *answerer;
	struct pipe_count *count;
	struct pace *pace;
	struct upstream *upstream;
	struct resolver *resolver;
	struct chain *chain;
	struct list waits, errands;
	size_t n;
	struct clients clients; /* and how many different questions of each wait */
	struct pad pad;         /* of a reply that is followed, for the time of the call */
	uint8_t reply[MESSAGE_MAX_LEN];
};

/* An errand on its way through the chain. */
struct explain {
	struct chain_wait wait;
	struct list list; /* of the recursor's */
	struct recursor *recursor;
	struct errand *errand;
	uint64_t began_ms;
	struct question question;
	struct answer_from from;
	uint8_t address[16];
	void (*done)(void *user, struct errand *errand);
	void *user;
	uint8_t query[];
};

static void explain_end(struct explain **held);

struct recursor *recursor_new(struct loop *loop, const struct serve_way *way, unsigned workers,
	struct answerer *answerer, struct pipe_count *count)
{
	struct recursor *r = mem_new(sizeof *r);
	r->answerer = answerer;
	r->count = count;
	list_init(&r->waits);
	list_init(&r->errands);
	clients_init(&r->clients);
	pad_init(&r->pad, PAD_LIMIT, NULL);
	r->pace = pace_new(loop, workers);
	struct upstream_opts opts = way->upstream;
	opts.questions = (opts.questions + workers - 1) / workers;
	opts.connections = (opts.connections + workers - 1) / workers;
	r->upstream = upstream_new(loop, &opts);
	if (!r->upstream) {
		recursor_free(&r);
		return NULL;
	}
	r->resolver = resolver_new(loop, r->upstream, way->cache, way->facts);
	resolver_set_share(r->resolver, workers);
	struct chain_inside inside = { .loop = loop,
		.upstream = r->upstream,
		.cache = way->cache,
		.facts = way->facts,
		.resolver = r->resolver,
		.shared = way->shared };
	r->chain = chain_new(&inside);
	return r;
}

static void drop(struct waiting **held)
{
	struct waiting *w = *held;
	*held = NULL;
	list_drop(&w->list);
	w->recursor->n--;
	if (w->is_counted)
		clients_drop(&w->recursor->clients, w->client);
	mem_free(w);
}

void recursor_free(struct recursor **held)
{
	struct recursor *r = *held;
	*held = NULL;
	if (!r)
		return;
	while (!list_is_empty(&r->waits)) {
		struct waiting *w = container_of(r->waits.next, struct waiting, list);
		chain_cancel(&w->wait);
		later_send(&w->later, NULL, 0);
		drop(&w);
	}
	while (!list_is_empty(&r->errands)) {
		struct explain *e = container_of(r->errands.next, struct explain, list);
		chain_cancel(&e->wait);
		explain_end(&e);
	}
	pace_free(&r->pace);
	if (r->chain)
		chain_free(&r->chain);
	if (r->resolver)
		resolver_free(&r->resolver);
	if (r->upstream)
		upstream_free(&r->upstream);
	clients_fini(&r->clients);
	mem_free(r);
}

void recursor_set_way(struct recursor *r, const struct serve_way *way, const void *holder)
{
	resolver_set_opts(r->resolver, way ? &way->resolve : NULL);
	chain_set_plan(r->chain, way ? &way->plan : NULL, holder);
}

void recursor_wake(struct recursor *r)
{
	chain_wake(r->chain);
}

const void *recursor_oldest(const struct recursor *r)
{
	return chain_oldest(r->chain);
}

void recursor_on_released(struct recursor *r, void (*fn)(void *user), void *user)
{
	chain_on_released(r->chain, fn, user);
}

const struct chain_count *recursor_counts(const struct recursor *r)
{
	return chain_counts(r->chain);
}

const struct upstream_count *recursor_upstream(const struct recursor *r)
{
	return upstream_counts(r->upstream);
}

/* ---- questions ------------------------------------------------------------------------ */

static struct chain_question ask_of(const struct question *q)
{
	return (struct chain_question){ .name = q->key.name,
		.hash = q->key.hash[0],
		.type = q->type,
		.class = q->class,
		.is_dnssec = q->edns.is_do,
		.is_checking_disabled = q->flags & FLAG_CD };
}

void recursor_prefetch(const struct recursor *r, const struct question *q)
{
	struct chain_question ask = ask_of(q);
	chain_prefetch(r->chain, &ask);
}

static int32_t tell(struct recursor *r, const struct question *q,
	const struct answer_from *from, const struct chain_told *told, uint8_t *buf,
	uint32_t room, unsigned *rcode)
{
	struct answer_kept kept = { .bytes = told->bytes,
		.n = told->n,
		.age = told->age,
		.stale_ttl = told->stale_ttl };
	return answer_recall(r->answerer, q, from, &kept, buf, room, rcode);
}

/* A reply that comes late to where nothing but a datagram says that somebody asked. */
static bool is_to_be_paced(
	const struct waiting *w, const struct question *q, const struct answer_from *from)
{
	bool is_late = clock_mono_ms() >= w->since_ms + LATE_MS;
	return is_late && w->transport == TRANSPORT_UDP && !addr_is_loopback(&w->peer) &&
	       !answer_has_cookie(w->recursor->answerer, q, from);
}

static void on_told(struct chain_wait *wait, const struct chain_told *told)
{
	struct waiting *w = container_of(wait, struct waiting, wait);
	struct recursor *r = w->recursor;
	struct question q;
	struct answer_from from = { .is_stream = w->transport != TRANSPORT_UDP,
		.is_tls = w->transport == TRANSPORT_TLS,
		.may_recurse = true,
		.now_s = clock_wall_s() };
	from.address = addr_bytes(&w->peer, &from.address_len);
	unsigned rcode = RCODE_SERVFAIL;
	int32_t n = 0;
	if (question_read(&q, w->query, w->len, from.is_stream) == VERDICT_ANSWER)
		n = tell(r, &q, &from, told, r->reply, w->room, &rcode);
	pipe_count_reply(r->count, r->reply, n, rcode);
	if (n && is_to_be_paced(w, &q, &from))
		pace_send(r->pace, &w->peer, &w->later, r->reply, (size_t)n);
	else
		later_send(&w->later, r->reply, (size_t)n);
	drop(&w);
}

/* Of a client that is to wait; NULL: there are too many, or no memory. */
static struct waiting *keep(struct recursor *r, const struct item *item)
{
	if (r->n >= RECURSOR_WAITS)
		return NULL;
	struct waiting *w = mem_try(sizeof *w + item->query_len);
	if (!w)
		return NULL;
	*w = (struct waiting){ .recursor = r,
		.peer = *item->peer,
		.transport = item->transport,
		.room = item->room,
		.len = item->query_len,
		.since_ms = clock_mono_ms(),
		.wait.done = on_told };
	memcpy(w->query, item->query, item->query_len);
	list_put(&r->waits, &w->list);
	r->n++;
	return w;
}

/* What no link is asked about: RFC 6895's types that are questions of another kind. */
static bool is_meta(uint16_t type)
{
	return type == TYPE_OPT || (type >= 128 && type <= 254);
}

/* The client may not have another question looked for. */
static bool is_over_limit(
	struct recursor *r, const struct item *item, const struct chain_question *ask)
{
	if (addr_is_loopback(item->peer))
		return false;
	uint64_t client = clients_of(&r->clients, item->peer, CLIENT_BYTES);
	return clients_count(&r->clients, client) >= RECURSOR_PER_CLIENT &&
	       !chain_is_asked(r->chain, ask);
}

/* Whoever asks what is being asked already costs nothing. */
static void count_client(struct waiting *w)
{
	struct recursor *r = w->recursor;
	if (w->wait.has_joined || addr_is_loopback(&w->peer))
		return;
	w->client = clients_of(&r->clients, &w->peer, CLIENT_BYTES);
	w->is_counted = clients_put(&r->clients, w->client, UINT32_MAX) == 0;
}

static int32_t ask_links(struct recursor *r, struct item *item, const struct question *q,
	const struct chain_question *ask, const struct answer_from *from, unsigned *rcode)
{
	struct chain_told told;
	struct waiting *w = is_over_limit(r, item, ask) ? NULL : keep(r, item);
	enum chain_verdict verdict = w ? chain_ask(r->chain, ask, &w->wait, &told) : CHAIN_FULL;
	if (verdict == CHAIN_WAIT && (w->later = item_hold(item))) {
		count_client(w);
		return REPLY_LATER;
	}
	if (verdict == CHAIN_WAIT)
		chain_cancel(&w->wait);
	if (w)
		drop(&w);
	if (verdict == CHAIN_TOLD)
		return tell(r, q, from, &told, item->reply, item->room, rcode);
	return answer_refuse(r->answerer, q, from, RCODE_SERVFAIL, EDE_NOT_READY, item->reply,
		item->room, rcode);
}

int32_t recursor_answer(struct recursor *r, struct item *item, const struct question *q,
	const struct answer_from *from, unsigned *rcode)
{
	struct chain_question ask = ask_of(q);
	struct chain_told told;
	uint8_t *buf = item->reply;
	uint32_t room = item->room;
	if (is_meta(q->type))
		return answer_refuse(
			r->answerer, q, from, RCODE_REFUSED, EDE_NONE, buf, room, rcode);
	bool is_owned = (q->type == TYPE_ANY || !(q->flags & FLAG_RD)) &&
			chain_owns(r->chain, q->key.name);
	if (is_owned) /* no recursion, and all there is may be told */
		return ask_links(r, item, q, &ask, from, rcode);
	if (q->type == TYPE_ANY)
		return answer_any(r->answerer, q, from, buf, room, rcode);
	if (chain_recall(r->chain, &ask, &told) == CHAIN_TOLD)
		return tell(r, q, from, &told, buf, room, rcode);
	if (!(q->flags & FLAG_RD))
		return answer_refuse(
			r->answerer, q, from, RCODE_REFUSED, EDE_NONE, buf, room, rcode);
	return ask_links(r, item, q, &ask, from, rcode);
}

/* The aliases at the front of a reply's answer section. */
static unsigned find_aliases(const struct message *m, const struct rrset **first)
{
	unsigned n = 0;
	*first = m->sets;
	while (n < m->n && m->sets[n].section == SECTION_ANSWER)
		n++;
	return n;
}

int32_t recursor_follow(struct recursor *r, struct item *item, const struct question *q,
	const struct answer_from *from, const struct key *elsewhere, unsigned *rcode)
{
	struct chain_question ask = ask_of(q);
	struct message m;
	uint8_t target[NAME_MAX_LEN];
	if (q->type == TYPE_ANY)
		return item->reply_len; /* RFC 8482: our own part is enough */
	if (message_read(&m, item->reply, (size_t)item->reply_len, &r->pad) == 0)
		ask.before_n = find_aliases(&m, &ask.before);
	memcpy(target, elsewhere->name, elsewhere->len);
	ask.target = target;
	int32_t n = ask_links(r, item, q, &ask, from, rcode);
	pad_clear(&r->pad);
	return n;
}

/* ---- for people ------------------------------------------------------------------------ */

static void explain_end(struct explain **held)
{
	struct explain *e = *held;
	*held = NULL;
	list_drop(&e->list);
	e->done(e->user, e->errand);
	mem_free(e);
}

static void explain_told(struct explain *e, const struct chain_told *told)
{
	struct errand *errand = e->errand;
	struct recursor *r = e->recursor;
	unsigned rcode;
	errand->is_told = true;
	errand->is_stale = told->stale_ttl != 0;
	errand->is_kept = told->is_kept;
	errand->age = told->age;
	errand->from = told->from;
	errand->took_ms = (uint32_t)(clock_mono_ms() - e->began_ms);
	errand->has_trace = !told->is_kept;
	errand->reply_len =
		tell(r, &e->question, &e->from, told, errand->reply, MESSAGE_MAX_LEN, &rcode);
}

static void on_explained(struct chain_wait *wait, const struct chain_told *told)
{
	struct explain *e = container_of(wait, struct explain, wait);
	explain_told(e, told);
	explain_end(&e);
}

/* True: it is told already. */
static bool explain_ask(struct explain *e, const struct chain_question *ask)
{
	struct chain *chain = e->recursor->chain;
	struct chain_told told;
	enum chain_verdict verdict =
		ask->is_live ? CHAIN_NOT_KEPT : chain_recall(chain, ask, &told);
	if (verdict != CHAIN_TOLD) {
		e->errand->was_asked = true;
		verdict = chain_ask(chain, ask, &e->wait, &told);
	}
	if (verdict == CHAIN_TOLD)
		explain_told(e, &told);
	return verdict != CHAIN_WAIT;
}

void recursor_explain(struct recursor *r, struct errand *errand, const uint8_t *query,
	uint16_t len, const struct answer_from *from,
	void (*done)(void *user, struct errand *errand), void *user)
{
	struct explain *e = mem_new(sizeof *e + len);
	*e = (struct explain){ .recursor = r,
		.errand = errand,
		.began_ms = clock_mono_ms(),
		.from = *from,
		.done = done,
		.user = user,
		.wait = { .trace = &errand->trace, .done = on_explained } };
	memcpy(e->query, query, len);
	memcpy(e->address, from->address, from->address_len);
	e->from.address = e->address;
	list_put(&r->errands, &e->list);
	bool is_good = question_read(&e->question, e->query, len, true) == VERDICT_ANSWER &&
		       errand->type != TYPE_ANY && !is_meta(errand->type);
	struct chain_question ask = ask_of(&e->question);
	ask.is_live = errand->is_live;
	if (is_good)
		chain_look(r->chain, &ask, &errand->look);
	if (!is_good || explain_ask(e, &ask))
		explain_end(&e);
}

static bool add_failure(void *user, const struct chain_failure *failure)
{
	struct errand *errand = user;
	struct chain_failure *to = &errand->failures[errand->failures_n++];
	*to = *failure;
	trace_move(&to->trace, &failure->trace);
	return errand->failures_n < ERRAND_FAILURES;
}

void recursor_tell_failures(const struct recursor *r, struct errand *errand)
{
	chain_failures(
		r->chain, errand->name.len ? errand->name.bytes : NULL, add_failure, errand);
}
