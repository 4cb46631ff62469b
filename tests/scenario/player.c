/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/player.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/list.h"
#include "scenario/derive.h"
#include "scenario/fake.h"
#include "scenario/setup.h"

#include <stdio.h>
#include <string.h>

enum {
	TEXT = 8192
};

struct client { /* a query of a step */
	struct list list;
	struct play *play;
	const struct rpl_step *step;
	struct packet query;
	bool has_reply, is_checked;
	uint64_t since_ms, took_ms;
	unsigned nth; /* in the order in which replies came */
	size_t len;
	uint8_t reply[MESSAGE_MAX_LEN];
};

struct play {
	const struct rpl *rpl;
	const char *path;
	bool log;
	char *why;
	struct loop *loop;
	struct subject *subject;
	const struct rpl_step *step; /* the one being played */
	struct list clients;
	unsigned replies, events;
};

static bool fail(struct play *p, const char *fmt, ...) PRINTF(2, 3);
static bool fail(struct play *p, const char *fmt, ...)
{
	char text[PLAY_WHY - 512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)snprintf(p->why, PLAY_WHY, "%s:%u: step %u: %s", p->path,
		p->step ? p->step->line : 0, p->step ? p->step->number : 0, text);
	return false;
}

static void log_packet(const struct play *p, const char *what, const struct addr *server,
	const uint8_t *msg, size_t len)
{
	char text[TEXT], address[ADDR_TEXT_MAX] = "";
	if (!p->log)
		return;
	if (server)
		(void)addr_print(address, server);
	packet_print(text, sizeof text, msg, len);
	printf("%8.3f step %u %s%s%s: %s", (double)clock_mono_us() / 1e6 - (double)FAKE_START_S,
		p->step->number, what, server ? " " : "", address, text);
}

/* ---- the other servers ---- */

static bool is_at(const struct rpl_range *range, const struct addr *server)
{
	for (size_t i = 0; i < range->n; i++) {
		size_t n, m;
		const uint8_t *a = addr_bytes(&range->address[i], &n);
		const uint8_t *b = addr_bytes(server, &m);
		if (n == m && memcmp(a, b, n) == 0)
			return true;
	}
	return range->n == 0;
}

/* The entry that foresees the question, or NULL; known gets all that the server has. */
static const struct rpl_entry *find_entry(const struct play *p, const struct addr *server,
	const struct asked *asked, struct known *known)
{
	const struct rpl_entry *found = NULL;
	for (const struct rpl_range *range = p->rpl->ranges; range; range = range->next) {
		unsigned number = p->step->number;
		if (number < range->from || number > range->to || !is_at(range, server))
			continue;
		for (const struct rpl_entry *e = range->entries; e; e = e->next) {
			if (!found && entry_is_for(e, asked))
				found = e;
			if (known->n < KNOWN_MAX)
				known->entry[known->n++] = e;
		}
	}
	return found;
}

static bool concerns(
	const struct rpl_step *step, const struct addr *server, const struct asked *asked)
{
	const struct rpl_range at = { .n = 1, .address = { step->address } };
	return (!step->has_address || is_at(&at, server)) &&
	       (!step->entry || entry_is_for(step->entry, asked));
}

/* A later step does something with the question. */
static bool is_waited_for(
	const struct play *p, const struct addr *server, const struct asked *asked)
{
	for (const struct rpl_step *step = p->step->next; step; step = step->next)
		if ((step->what == RPL_REPLY || step->what == RPL_CHECK_OUT_QUERY ||
			    step->what == RPL_TIMEOUT || step->what == RPL_ERROR) &&
			concerns(step, server, asked))
			return true;
	return false;
}

static void set_reply(
	const struct play *p, struct fake_query *q, const struct packet *reply, const char *how)
{
	log_packet(p, how, q->server, reply->bytes, reply->len);
	q->does = FAKE_REPLIES;
	q->reply_len = reply->len;
	memcpy(q->reply, reply->bytes, reply->len);
}

static void serve(void *user, struct fake_query *q)
{
	struct play *p = user;
	struct asked asked;
	struct known known = { 0 };
	struct packet *reply;
	must(asked_read(&asked, q->msg, q->len, q->is_tcp));
	log_packet(p, q->is_tcp ? "asks by TCP" : "asks", q->server, q->msg, q->len);
	const struct rpl_entry *entry = find_entry(p, q->server, &asked, &known);
	if (!entry && is_waited_for(p, q->server, &asked)) {
		q->does = FAKE_HELD;
		return;
	}
	if (entry && entry->adjust & RPL_SILENT)
		return;
	reply = mem_new(sizeof *reply);
	if (entry) {
		q->delay_ms = entry->delay_ms;
		packet_reply(reply, entry, &asked);
		set_reply(p, q, reply, "entry of");
	} else {
		known_answer(&known, &asked, reply);
		set_reply(p, q, reply, "derived for");
	}
	mem_free(reply);
}

/* ---- time ---- */

/* Runs what is due until then. False: there is no end of it. */
static bool run_until(struct play *p, uint64_t until_ms)
{
	while (fake_step(p->loop, until_ms))
		if (++p->events > PLAY_EVENTS)
			return fail(p, "more than %u events", (unsigned)PLAY_EVENTS);
	return true;
}

/* What is due now happens; the clock stands still. */
static bool settle(struct play *p)
{
	return run_until(p, clock_mono_ms());
}

static bool pass_time(struct play *p, uint64_t ms)
{
	uint64_t end_us = clock_mono_us() + ms * 1000;
	if (!run_until(p, end_us / 1000))
		return false;
	fake_clock_set_us(end_us);
	return true;
}

/* ---- clients ---- */

static void on_reply(void *user, const uint8_t *reply, size_t len)
{
	struct client *c = user;
	must(!c->has_reply);
	c->has_reply = true;
	c->nth = c->play->replies++;
	c->took_ms = clock_mono_ms() - c->since_ms;
	c->len = len;
	if (len)
		memcpy(c->reply, reply, len);
	log_packet(c->play, "answer", NULL, reply, len);
}

static bool step_query(struct play *p)
{
	struct client *c = mem_new(sizeof *c);
	c->play = p;
	c->step = p->step;
	c->since_ms = clock_mono_ms();
	list_put(&p->clients, &c->list);
	if (!p->step->entry)
		return fail(p, "QUERY without an ENTRY");
	packet_ask(&c->query, p->step->entry, (uint16_t)p->step->number);
	log_packet(p, "query", NULL, c->query.bytes, c->query.len);
	subject_ask(
		p->subject, c->query.bytes, c->query.len, p->step->entry->match & RPL_TCP, c);
	return settle(p);
}

static bool is_question_of(const struct rpl_entry *entry, const struct client *c)
{
	struct asked asked;
	return !entry || !entry->qname ||
	       (asked_read(&asked, c->query.bytes, c->query.len, false) &&
		       asked.type == entry->qtype &&
		       name_is_equal(asked.name.bytes, entry->qname));
}

/* The first reply to the question that was not looked at yet; else the first at all. */
static struct client *find_reply(const struct play *p)
{
	struct client *first = NULL;
	for (struct list *at = p->clients.next; at != &p->clients; at = at->next) {
		struct client *c = container_of(at, struct client, list);
		if (c->has_reply && !c->is_checked && is_question_of(p->step->entry, c) &&
			(!first || c->nth < first->nth))
			first = c;
	}
	return first;
}

static bool step_check_answer(struct play *p)
{
	char why[512], text[PLAY_WHY - 1536];
	uint64_t until_ms = clock_mono_ms() + PLAY_WAIT_MS;
	struct client *c;
	while (!(c = find_reply(p)))
		if (!fake_step(p->loop, until_ms))
			return fail(p, "no answer within %u ms", (unsigned)PLAY_WAIT_MS);
		else if (++p->events > PLAY_EVENTS)
			return fail(p, "more than %u events", (unsigned)PLAY_EVENTS);
	c->is_checked = true;
	if (!c->len)
		return fail(p, "the query was dropped");
	if (get_u16(c->reply) != get_u16(c->query.bytes))
		return fail(p, "the reply has another id");
	if (!p->step->entry || entry_fits(p->step->entry, c->reply, c->len, why, sizeof why))
		return true;
	packet_print(text, sizeof text, c->reply, c->len);
	return fail(p, "%s\nThe reply, after %u ms: %s", why, (unsigned)c->took_ms, text);
}

/* ---- questions that wait for a step ---- */

static struct exchange *find_exchange(const struct play *p, struct asked *asked)
{
	struct exchange *x = NULL;
	while ((x = fake_exchange_next(x))) {
		size_t len;
		const uint8_t *msg = fake_exchange_query(x, &len);
		must(asked_read(asked, msg, len, fake_exchange_is_tcp(x)));
		if (fake_exchange_is_held(x) &&
			concerns(p->step, fake_exchange_server(x), asked))
			return x;
	}
	return NULL;
}

/* Waits for such a question; timers of the resolver may be what sends it. */
static struct exchange *await_exchange(struct play *p, struct asked *asked)
{
	uint64_t until_ms = clock_mono_ms() + PLAY_WAIT_MS;
	struct exchange *x;
	while (!(x = find_exchange(p, asked)))
		if (!fake_step(p->loop, until_ms) || ++p->events > PLAY_EVENTS)
			return NULL;
	return x;
}

static bool step_out_query(struct play *p)
{
	struct asked asked;
	struct exchange *x = await_exchange(p, &asked);
	if (!x)
		return fail(p, "nobody asks that");
	if (p->step->what == RPL_CHECK_OUT_QUERY)
		return true;
	if (p->step->what == RPL_REPLY && p->step->entry) {
		struct packet *reply = mem_new(sizeof *reply);
		packet_reply(reply, p->step->entry, &asked);
		log_packet(p, "step of", fake_exchange_server(x), reply->bytes, reply->len);
		fake_exchange_reply(x, reply->bytes, reply->len);
		mem_free(reply);
	} else {
		fake_exchange_time_out(x);
	}
	return settle(p);
}

/* ---- the steps ---- */

static bool play_step(struct play *p)
{
	switch (p->step->what) {
	case RPL_QUERY:
		return step_query(p);
	case RPL_CHECK_ANSWER:
		return step_check_answer(p);
	case RPL_CHECK_OUT_QUERY:
	case RPL_REPLY:
	case RPL_TIMEOUT:
	case RPL_ERROR:
		return step_out_query(p);
	case RPL_TIME_PASSES:
		return pass_time(p, p->step->elapse_ms);
	case RPL_TRAFFIC:
	case RPL_NOTHING:
		return settle(p);
	}
	return true;
}

static bool play_all(struct play *p)
{
	for (p->step = p->rpl->steps; p->step; p->step = p->step->next)
		if (!play_step(p))
			return false;
	return true;
}

bool play_is_possible(const struct rpl *rpl)
{
	uint64_t ms = 0;
	for (const struct rpl_step *step = rpl->steps; step; step = step->next)
		ms += step->what == RPL_TIME_PASSES ? step->elapse_ms : 0;
	return fake_can_pass(ms);
}

bool play(const struct rpl *rpl, const char *path, bool log, char why[PLAY_WHY])
{
	struct play p = { .rpl = rpl, .path = path, .log = log, .why = why };
	struct subject_opts *opts = mem_new(sizeof *opts);
	struct err err;
	uint64_t wall_s;
	bool is_good;
	list_init(&p.clients);
	if (setup_read(opts, &wall_s, rpl, &err) < 0) {
		mem_free(opts);
		return fail(&p, "%s", err.text);
	}
	fake_reset(wall_s);
	fake_upstream_serve(serve, &p);
	p.loop = loop_new();
	p.step = rpl->steps;
	p.subject = subject_new(p.loop, opts, on_reply);
	is_good = play_all(&p);
	subject_free(&p.subject);
	loop_free(&p.loop);
	while (!list_is_empty(&p.clients)) {
		struct client *c = container_of(p.clients.next, struct client, list);
		list_drop(&c->list);
		mem_free(c);
	}
	mem_free(opts);
	return is_good;
}
