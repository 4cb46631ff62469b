/* SPDX-License-Identifier: BSD-2-Clause */
/* Which servers are up, questions of ours to those that are down, and who is asked next. */
#include "base/clock.h"
#include "base/rand.h"
#include "links/forward.h"
#include "wire/rrtype.h"

enum {
	QUERY_ROOM = 320,
	EDNS_SIZE = 1232,
	SOON_MS = 500,     /* between questions to a server that went down lately, */
	LATELY_MS = 60000, /* which is so long ago at most */
	AGAIN_MS = 100,    /* after a reply, as long as more of them are wanted */
	/* So there is always room for one more. */
	PROBE_WAIT_MS = (FORWARD_PROBES - 1) * SOON_MS,
	OUTAGE = 4,  /* questions to which nobody said anything */
	EXPLORE = 16 /* questions of which one goes to whoever is not the fastest */
};

/* ---- questions of ours ----------------------------------------------------------------- */

static void set_timer(struct forward_worker *worker, uint64_t now_ms)
{
	uint64_t due = UINT64_MAX;
	for (size_t i = 0; i < worker->n; i++) {
		const struct forward_server *server = &worker->server[i];
		if (server->is_down && server->probe_ms && server->probe_ms < due)
			due = server->probe_ms;
	}
	if (due != UINT64_MAX)
		loop_timer_start(worker->probe_timer, due > now_ms ? due - now_ms : 0, 0);
}

static void probe_after(struct forward_server *server, uint64_t now_ms, uint32_t ms)
{
	server->probe_ms = now_ms + ms;
	set_timer(server->worker, now_ms);
}

static void on_probed(void *user, const struct upstream_reply *reply)
{
	struct forward_probe *probe = user;
	struct forward_server *server = probe->server;
	uint64_t now_ms = clock_mono_ms();
	probe->exchange = NULL;
	if (reply->result == UPSTREAM_SPOOFED)
		return;
	if (reply->result != UPSTREAM_REPLY) {
		forward_failed(server, probe->sent_ms, now_ms);
		return;
	}
	facts_reply(server->worker->inside->facts, &server->at,
		(uint32_t)((reply->took_us + 999) / 1000));
	forward_heard(server, now_ms);
	if (server->is_down)
		probe_after(server, now_ms, AGAIN_MS);
}

/* Every resolver knows the servers of the root, and nobody's name is told by asking. */
static void send_probe(struct forward_server *server, uint64_t now_ms)
{
	static const uint8_t root[] = { 0 };
	const struct query_opts opts = { .edns_size = EDNS_SIZE, .is_recursive = true };
	struct forward_worker *worker = server->worker;
	uint8_t query[QUERY_ROOM];
	for (size_t i = 0; i < FORWARD_PROBES; i++) {
		struct forward_probe *probe = &server->probe[i];
		if (probe->exchange)
			continue;
		const struct upstream_ask ask = { .server = server->addr,
			.query = query,
			.len = query_write(query, root, TYPE_NS, &opts),
			.timeout_ms = PROBE_WAIT_MS };
		probe->server = server;
		probe->sent_ms = now_ms;
		probe->exchange =
			upstream_send(worker->inside->upstream, &ask, on_probed, probe);
		return;
	}
}

static void probe_in_turn(struct forward_server *server, uint64_t now_ms)
{
	struct forward_worker *worker = server->worker;
	uint32_t every = worker->forward->probe_ms;
	bool is_lately = now_ms < server->down_ms + LATELY_MS;
	if (!is_lately && worker->asked_ms + LATELY_MS < now_ms) {
		/* Nobody would know. */
		server->probe_ms = 0;
		worker->is_quiet = true;
		return;
	}
	send_probe(server, now_ms);
	server->probe_ms = now_ms + (is_lately && every > SOON_MS ? SOON_MS : every);
}

static void on_probe_time(void *user)
{
	struct forward_worker *worker = user;
	uint64_t now_ms = clock_mono_ms();
	for (size_t i = 0; i < worker->n; i++) {
		struct forward_server *server = &worker->server[i];
		if (server->is_down && server->probe_ms && now_ms >= server->probe_ms)
			probe_in_turn(server, now_ms);
	}
	set_timer(worker, now_ms);
}

void forward_note_client(struct forward_worker *worker, uint64_t now_ms)
{
	worker->asked_ms = now_ms;
	if (!worker->is_quiet)
		return;
	worker->is_quiet = false;
	for (size_t i = 0; i < worker->n; i++)
		if (worker->server[i].is_down && !worker->server[i].probe_ms)
			worker->server[i].probe_ms = now_ms;
	set_timer(worker, now_ms);
}

/* ---- up and down ----------------------------------------------------------------------- */

void forward_heard(struct forward_server *server, uint64_t now_ms)
{
	struct forward_worker *worker = server->worker;
	/* It was the uplink; what failed meanwhile and is kept says nothing any more. */
	if (worker->mute >= OUTAGE)
		facts_forgive(worker->inside->facts);
	worker->mute = 0;
	server->heard_ms = now_ms;
	server->failures = 0;
	if (server->is_down && ++server->successes >= worker->forward->rise)
		server->is_down = false;
}

void forward_failed(struct forward_server *server, uint64_t sent_ms, uint64_t now_ms)
{
	/* It has been heard since: one message was lost, that is all. */
	if (sent_ms < server->heard_ms)
		return;
	facts_failure(server->worker->inside->facts, &server->at, now_ms);
	server->successes = 0;
	if (server->is_down || ++server->failures < server->worker->forward->fall)
		return;
	server->is_down = true;
	server->down_ms = now_ms;
	probe_after(server, now_ms, SOON_MS);
}

void forward_open_health(struct forward_worker *worker)
{
	worker->probe_timer = loop_timer_new(worker->inside->loop, on_probe_time, worker);
	worker->n = worker->forward->n;
	for (size_t i = 0; i < worker->n; i++) {
		struct forward_server *server = &worker->server[i];
		server->worker = worker;
		server->addr = &worker->forward->to[i];
		server->at = addr_endpoint(server->addr);
	}
}

void forward_close_health(struct forward_worker *worker)
{
	for (size_t i = 0; i < worker->n; i++)
		for (size_t k = 0; k < FORWARD_PROBES; k++)
			if (worker->server[i].probe[k].exchange)
				exchange_cancel(&worker->server[i].probe[k].exchange);
	loop_timer_free(&worker->probe_timer);
}

/* ---- who is next ----------------------------------------------------------------------- */

/* The less, the sooner it is asked. */
static uint32_t rank_of(const struct forward_question *q, size_t i)
{
	const struct forward_worker *worker = q->worker;
	struct fact fact;
	if (!worker->forward->is_fastest)
		return (uint32_t)i;
	facts_get(worker->inside->facts, &worker->server[i].at, NULL, q->now_ms, &fact);
	return fact.failures ? fact.rto_ms : fact.rtt_ms;
}

static struct forward_server *best_of(struct forward_question *q, bool is_down, uint8_t round)
{
	struct forward_worker *worker = q->worker;
	struct forward_server *best = NULL;
	uint32_t best_rank = 0;
	for (size_t i = 0; i < worker->n; i++) {
		struct forward_server *server = &worker->server[i];
		const struct forward_seat *seat = &q->seat[i];
		if (server->is_down != is_down || seat->is_out || seat->sent != round)
			continue;
		uint32_t rank = rank_of(q, i);
		if (best && rank >= best_rank)
			continue;
		best = server;
		best_rank = rank;
	}
	return best;
}

static struct forward_server *pick_among(struct forward_question *q, bool is_down)
{
	struct forward_server *best = NULL;
	for (uint8_t round = 0; !best && round < FORWARD_ROUNDS; round++)
		best = best_of(q, is_down, round);
	return best;
}

static bool is_first(const struct forward_question *q)
{
	for (size_t i = 0; i < q->worker->n; i++)
		if (q->seat[i].sent)
			return false;
	return true;
}

/* Times change: now and then another than the fastest is asked, or nobody would know. */
static struct forward_server *explore(struct forward_question *q)
{
	struct forward_worker *worker = q->worker;
	if (!worker->forward->is_fastest || worker->n < 2 || !is_first(q) ||
		rand_below(EXPLORE) != 0)
		return NULL;
	struct forward_server *server = &worker->server[rand_below((uint32_t)worker->n)];
	return server->is_down ? NULL : server;
}

static bool is_one_that_is_up_waited_for(const struct forward_question *q)
{
	for (size_t i = 0; i < FORWARD_TRIES; i++)
		if (q->try[i].exchange && !q->try[i].server->is_down)
			return true;
	return false;
}

struct forward_server *forward_pick(struct forward_question *q)
{
	struct forward_server *server = explore(q);
	if (!server)
		server = pick_among(q, false);
	/* When all are down they are asked all the same, but not after a server that is up has
	 * said that it cannot tell. */
	if (!server && !q->has_error && !is_one_that_is_up_waited_for(q))
		server = pick_among(q, true);
	return server;
}
