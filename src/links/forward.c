/* SPDX-License-Identifier: BSD-2-Clause */
/* Other resolvers are asked: one, then, when it takes longer than its replies do, the next. */
#include "links/forward.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "links/links.h"
#include "wire/rrtype.h"

#include <stdio.h>

enum {
	QUERY_ROOM = 320,
	EDNS_SIZE = 1232,
	SEE_AGAIN = 64,      /* questions to a server that is known to have no EDNS */
	WAIT_FIRST_MS = 400, /* while a server's times are not known, or it fails */
	TCP_FACTOR = 3,      /* a connection is to be made first */
};

/* How long a reply is waited for before another server is asked: few lengths, so that each has
 * a list that is in order of itself. */
static const uint16_t waits_ms[FORWARD_WAITS] = { 100, 150, 200, 300, 400, 600, 800, 1200, 1600,
	2400, 3200 };

/* ---- waiting --------------------------------------------------------------------------- */

static size_t wait_class(uint64_t ms)
{
	size_t i = 0;
	while (i + 1 < FORWARD_WAITS && waits_ms[i] < ms)
		i++;
	return i;
}

static void set_wait_timer(struct forward_worker *worker, uint64_t due_ms, uint64_t now_ms)
{
	if (worker->wait_due_ms && worker->wait_due_ms <= due_ms)
		return;
	worker->wait_due_ms = due_ms;
	loop_timer_start(worker->wait_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

static void wait(struct forward_question *q, size_t class)
{
	list_drop(&q->wait);
	list_put(&q->worker->waits[class], &q->wait);
	q->wait_due_ms = q->now_ms + waits_ms[class];
	set_wait_timer(q->worker, q->wait_due_ms, q->now_ms);
}

static bool is_waiting(const struct forward_question *q)
{
	for (size_t i = 0; i < FORWARD_TRIES; i++)
		if (q->try[i].exchange)
			return true;
	return false;
}

/* ---- sending --------------------------------------------------------------------------- */

static struct forward_try *free_try(struct forward_question *q)
{
	for (size_t i = 0; i < FORWARD_TRIES; i++)
		if (!q->try[i].exchange)
			return &q->try[i];
	return NULL;
}

static void note_sent(const struct forward_try *try)
{
	const struct forward_question *q = try->question;
	struct trace_step *step = trace_next(&q->ask->trace, q->now_ms);
	step->kind = TRACE_SENT;
	step->link = q->ask->link;
	step->type = q->ask->question.type;
	step->name = q->ask->question.name;
	step->transport = try->is_tcp ? CACHE_TCP : CACHE_UDP;
	step->server = try->server->at;
}

static size_t write_query(struct forward_try *try, const struct fact *fact, uint8_t *buf)
{
	struct forward_question *q = try->question;
	const struct link_question *asked = &q->ask->question;
	try->known_edns = fact->edns;
	/* What it could not do it may have learned meanwhile. */
	try->has_edns = !forward_seat(q, try->server)->no_edns &&
			(fact->edns != EDNS_NONE || rand_below(SEE_AGAIN) == 0);
	const struct query_opts opts = { .edns_size = try->has_edns ? EDNS_SIZE : 0,
		.is_recursive = true,
		.is_dnssec = asked->is_dnssec,
		.is_checking_disabled = asked->is_checking_disabled };
	return query_write(buf, asked->name, asked->type, &opts);
}

/* The longer a question goes unanswered, the longer the next one is waited for. */
static size_t wait_of(const struct forward_question *q, const struct forward_try *try,
	const struct fact *fact)
{
	uint64_t ms = fact->rtt_ms ? fact->rto_ms : WAIT_FIRST_MS;
	unsigned round = q->seat[try->server - q->worker->server].sent;
	if (fact->failures && ms > WAIT_FIRST_MS)
		ms = WAIT_FIRST_MS;
	if (try->is_tcp)
		ms *= TCP_FACTOR;
	return wait_class(ms << (round > 1 ? round - 1 : 0));
}

/* No question can be sent; why says the reason. */
static bool refuse(struct forward_question *q, int ede, const char *why)
{
	if (!q->is_ede_told) {
		q->ede = ede;
		(void)snprintf(q->why, sizeof q->why, "%s", why);
	}
	return false;
}

static void on_done(void *user, const struct upstream_reply *reply);

/* False: q->why says the reason. */
static bool send_to(struct forward_question *q, struct forward_server *server, bool is_tcp)
{
	struct forward_worker *worker = q->worker;
	struct budget *budget = &q->ask->budget;
	struct forward_try *try = free_try(q);
	struct fact fact;
	uint8_t query[QUERY_ROOM];
	if (!try)
		return refuse(q, EDE_OTHER, "too many questions are under way for it");
	if (q->now_ms >= budget->deadline_ms)
		return refuse(q, EDE_NO_REACHABLE, "no answer in time");
	if (!budget_query(budget, q->now_ms))
		return refuse(q, EDE_OTHER, "it takes too many questions to find out");
	facts_get(worker->inside->facts, &server->at, NULL, q->now_ms, &fact);
	*try = (struct forward_try){
		.question = q, .server = server, .sent_ms = q->now_ms, .is_tcp = is_tcp
	};
	uint64_t left_ms = budget->deadline_ms - q->now_ms;
	uint32_t timeout_ms = worker->forward->timeout_ms;
	const struct upstream_ask ask = { .server = server->addr,
		.is_tcp = is_tcp,
		.query = query,
		.len = write_query(try, &fact, query),
		.timeout_ms = timeout_ms < left_ms ? timeout_ms : (uint32_t)left_ms };
	try->exchange = upstream_send(worker->inside->upstream, &ask, on_done, try);
	if (!try->exchange)
		return refuse(q, EDE_NETWORK, "no socket is left to ask with");
	q->seat[server - worker->server].sent += !is_tcp;
	note_sent(try);
	size_t class = wait_of(q, try, &fact);
	try->wait_ms = waits_ms[class];
	wait(q, class);
	return true;
}

/* ---- the end --------------------------------------------------------------------------- */

/* A name that nobody finds is asked for again and again: that is one failure. */
static void count_failure(const struct forward_try *try)
{
	struct forward_question *q = try->question;
	struct forward_seat *seat = forward_seat(q, try->server);
	if (!seat->has_failed)
		forward_failed(try->server, try->sent_ms, q->now_ms);
	seat->has_failed = true;
}

/* Who had the time that the winner took, twice, and longer than its replies take, was silent; a
 * name that takes long to find is nobody's fault. */
static void overtake(struct forward_question *q, uint64_t winner_ms)
{
	for (size_t i = 0; i < FORWARD_TRIES; i++) {
		struct forward_try *try = &q->try[i];
		uint64_t waited_ms = q->now_ms - try->sent_ms;
		if (try->exchange && waited_ms >= try->wait_ms && waited_ms >= 2 * winner_ms)
			count_failure(try);
	}
}

static void drop_tries(struct forward_question *q)
{
	for (size_t i = 0; i < FORWARD_TRIES; i++)
		if (q->try[i].exchange)
			exchange_cancel(&q->try[i].exchange);
	list_drop(&q->wait);
}

static enum link_verdict fail(struct forward_question *q)
{
	drop_tries(q);
	q->worker->mute += !q->has_reply;
	return ask_fail(q->ask, q->ede, "%s", q->why);
}

/* Asks who is next. While others are waited for, only one who was not asked yet. */
static enum link_verdict ask_next(struct forward_question *q)
{
	struct forward_server *server = forward_pick(q);
	bool is_one_waited_for = is_waiting(q);
	bool is_new = server && !forward_seat(q, server)->sent;
	if (server && (is_new || !is_one_waited_for) && send_to(q, server, false))
		return LINK_WAIT;
	return is_one_waited_for ? LINK_WAIT : fail(q);
}

/* The same server is asked in another way. */
static enum link_verdict ask_again(
	struct forward_question *q, struct forward_server *server, bool is_tcp)
{
	return send_to(q, server, is_tcp) ? LINK_WAIT : ask_next(q);
}

static enum link_verdict go_out(struct forward_question *q, const struct forward_server *server)
{
	forward_seat(q, server)->is_out = true;
	return ask_next(q);
}

static enum link_verdict take_reply(struct forward_try *try, const struct upstream_reply *reply)
{
	struct forward_question *q = try->question;
	struct forward_server *server = try->server;
	enum forward_result result = forward_read(try, reply);
	if (result == FORWARD_BROKEN)
		count_failure(try);
	else if (result != FORWARD_NO_MEMORY)
		forward_heard(server, q->now_ms);
	q->has_reply = true;
	switch (result) {
	case FORWARD_ANSWER:
		overtake(q, reply->took_us / 1000);
		drop_tries(q);
		return LINK_ANSWER;
	case FORWARD_NO_MEMORY:
		return fail(q);
	case FORWARD_TRUNCATED:
		return ask_again(q, server, true);
	case FORWARD_PLAIN:
		forward_seat(q, server)->no_edns = true;
		return ask_again(q, server, try->is_tcp);
	case FORWARD_ERROR:
		q->has_error |= !server->is_down;
		break;
	case FORWARD_BROKEN:
		break;
	}
	return go_out(q, server);
}

static enum link_verdict take(struct forward_try *try, const struct upstream_reply *reply)
{
	struct forward_question *q = try->question;
	struct forward_server *server = try->server;
	switch (reply->result) {
	case UPSTREAM_REPLY:
		return take_reply(try, reply);
	case UPSTREAM_TIMEOUT:
		forward_note(try, TRACE_TIMEOUT, 0, reply->took_us);
		forward_complain(q, server, EDE_NO_REACHABLE, "did not answer");
		/* When all are silent it is the name, or the way to all of them. */
		if (q->has_reply)
			count_failure(try);
		/* It accepts no connection, or its datagrams are forged. */
		if (try->is_tcp)
			return go_out(q, server);
		return ask_next(q);
	case UPSTREAM_UNREACHABLE:
		forward_note(try, TRACE_UNREACHABLE, 0, reply->took_us);
		forward_complain(q, server, EDE_NETWORK, "cannot be reached");
		count_failure(try);
		return go_out(q, server);
	case UPSTREAM_SPOOFED:
		forward_note(try, TRACE_SPOOFED, 0, reply->took_us);
		forward_complain(q, server, EDE_NETWORK, "had replies forged");
		return ask_again(q, server, true);
	}
	return LINK_WAIT;
}

static void on_done(void *user, const struct upstream_reply *reply)
{
	const struct link_event event = { .kind = LINK_EVENT_WAKE };
	struct forward_try *try = user;
	struct forward_question *q = try->question;
	try->exchange = NULL;
	q->now_ms = clock_mono_ms();
	q->verdict = take(try, reply);
	if (q->verdict != LINK_WAIT)
		ask_event(q->ask, &event); /* and question and link may be gone */
}

/* Nothing came in time: one more is asked, the others are waited for as well. */
static void ask_one_more(struct forward_question *q, uint64_t now_ms)
{
	list_drop(&q->wait);
	q->now_ms = now_ms;
	struct forward_server *server = free_try(q) ? forward_pick(q) : NULL;
	if (server)
		(void)send_to(q, server, false);
}

static void on_wait_time(void *user)
{
	struct forward_worker *worker = user;
	uint64_t now_ms = clock_mono_ms(), due_ms = UINT64_MAX;
	worker->wait_due_ms = now_ms; /* it is set below, once */
	for (size_t i = 0; i < FORWARD_WAITS; i++) {
		struct list *head = &worker->waits[i];
		while (!list_is_empty(head)) {
			struct forward_question *q =
				container_of(head->next, struct forward_question, wait);
			if (q->wait_due_ms > now_ms)
				break;
			ask_one_more(q, now_ms);
		}
	}
	for (size_t i = 0; i < FORWARD_WAITS; i++) {
		const struct list *head = &worker->waits[i];
		if (list_is_empty(head))
			continue;
		uint64_t due =
			container_of(head->next, struct forward_question, wait)->wait_due_ms;
		due_ms = due < due_ms ? due : due_ms;
	}
	worker->wait_due_ms = 0;
	if (due_ms != UINT64_MAX)
		set_wait_timer(worker, due_ms, now_ms);
}

/* ---- the link -------------------------------------------------------------------------- */

static void *open_forward(void *data, const struct link_calls *calls, void *inside)
{
	(void)calls;
	struct forward_worker *worker = mem_new(sizeof *worker);
	worker->forward = data;
	worker->inside = inside;
	for (size_t i = 0; i < FORWARD_WAITS; i++)
		list_init(&worker->waits[i]);
	worker->wait_timer = loop_timer_new(worker->inside->loop, on_wait_time, worker);
	forward_open_health(worker);
	return worker;
}

static void close_forward(void *instance)
{
	struct forward_worker *worker = instance;
	forward_close_health(worker);
	loop_timer_free(&worker->wait_timer);
	mem_free(worker);
}

static enum link_verdict ask_forward(void *instance, struct link_ask *ask, void **state)
{
	struct forward_worker *worker = instance;
	if (!worker->n || ask->question.rr_class != CLASS_IN)
		return LINK_PASS;
	struct forward_question *q = pad_new(&ask->pad, sizeof *q);
	if (!q)
		return ask_fail(ask, EDE_OTHER, "no memory");
	*q = (struct forward_question){
		.ask = ask, .worker = worker, .now_ms = clock_mono_ms(), .ede = EDE_NO_REACHABLE
	};
	list_init(&q->wait);
	*state = q;
	forward_note_client(worker, q->now_ms);
	return ask_next(q);
}

static enum link_verdict forward_event(
	void *instance, struct link_ask *ask, void *state, const struct link_event *event)
{
	(void)instance, (void)ask, (void)event;
	return ((struct forward_question *)state)->verdict;
}

static void cancel(void *instance, struct link_ask *ask, void *state)
{
	(void)instance, (void)ask;
	struct forward_question *q = state;
	q->now_ms = clock_mono_ms();
	/* The link's time may be too short for others to be asked: then they are next time. */
	for (size_t i = 0; i < FORWARD_TRIES; i++)
		if (q->try[i].exchange && q->now_ms >= q->try[i].sent_ms + waits_ms[0])
			count_failure(&q->try[i]);
	drop_tries(q);
}

static void release(void *data)
{
	mem_free(data);
}

const struct link link_forward = { .abi = ROOTWARD_LINK_ABI,
	.kind = "forward",
	.help = "Asks other resolvers.",
	.options = forward_options,
	.options_n = FORWARD_OPTIONS,
	.prepare = forward_prepare,
	.release = release,
	.open = open_forward,
	.close = close_forward,
	.ask = ask_forward,
	.event = forward_event,
	.cancel = cancel };
