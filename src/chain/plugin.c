/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls that a link gets as a table: what a plugin can do, and no more. */
#include "base/clock.h"
#include "base/mem.h"
#include "chain/inside.h"
#include "wire/edns.h"
#include "wire/rdata.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	QUERY_ROOM = 320,
	EDNS_SIZE = 1232
};

/* Something a plugin waits for. */
struct plugin_send {
	struct list list; /* in the ask's sends */
	struct link_ask *ask;
	struct exchange *exchange;
	struct loop_timer *timer;
	struct addr server;
	uint32_t timeout_ms;
	bool is_tcp;
	void *tag;
	size_t len;
	uint8_t query[QUERY_ROOM];
};

static const struct link_question *call_question(const struct link_ask *ask)
{
	return &ask->question;
}

static struct rrset *new_set(struct link_ask *ask, enum link_section section,
	const uint8_t *owner, uint16_t type, uint32_t ttl)
{
	struct rrset *set = pad_new(&ask->pad, sizeof *set);
	uint8_t *name = pad_copy(&ask->pad, owner, name_len(owner));
	if (!set || !name)
		return NULL;
	*set = (struct rrset){ .owner = name,
		.type = type,
		.class = ask->question.rr_class,
		.section = (uint8_t)section,
		.ttl = ttl };
	return set;
}

/* A set grows by being written anew: replies of plugins are small. */
static bool put_record(
	struct link_ask *ask, struct rrset *set, const uint8_t *rdata, size_t len)
{
	uint8_t *records = pad_new(&ask->pad, set->size + 2 + len);
	uint16_t n = (uint16_t)len;
	if (!records || set->n == UINT8_MAX)
		return false;
	if (set->size)
		memcpy(records, set->records, set->size);
	memcpy(records + set->size, &n, 2);
	memcpy(records + set->size + 2, rdata, len);
	set->records = records;
	set->size += (uint32_t)(2 + len);
	set->n++;
	return true;
}

/* Where the outcome has the set that a record belongs to; outcome->n: nowhere. */
static unsigned find_set(
	const struct outcome *o, enum link_section section, const uint8_t *owner, uint16_t type)
{
	unsigned i = 0;
	while (i < o->n && (o->set[i]->section != section || o->set[i]->type != type ||
				   !name_is_equal(o->set[i]->owner, owner)))
		i++;
	return i;
}

static bool call_add(struct link_ask *ask, enum link_section section, const uint8_t *owner,
	uint16_t type, uint32_t ttl, const uint8_t *rdata, size_t len)
{
	if (section < LINK_SECTION_ANSWER || section > LINK_SECTION_ADDITIONAL ||
		len > UINT16_MAX || !name_check(owner, NAME_MAX_LEN) ||
		!rdata_check(type, rdata, len))
		return false;
	struct outcome *o = &ask->outcome;
	unsigned i = find_set(o, section, owner, type);
	struct rrset *set = new_set(ask, section, owner, type, ttl);
	if (!set)
		return false;
	if (i < o->n) {
		uint32_t least = o->set[i]->ttl < ttl ? o->set[i]->ttl : ttl;
		*set = *o->set[i];
		set->ttl = least;
	}
	if (!put_record(ask, set, rdata, len))
		return false;
	if (i == o->n)
		return outcome_add(o, set);
	o->set[i] = set;
	return true;
}

static void call_set_rcode(struct link_ask *ask, unsigned rcode)
{
	ask->outcome.rcode = rcode & 15;
}

static void call_set_uncachable(struct link_ask *ask)
{
	ask->outcome.is_uncachable = true;
}

static PRINTF(3, 4) enum link_verdict call_fail(
	struct link_ask *ask, int ede, const char *fmt, ...)
{
	char text[OUTCOME_TEXT];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return ask_fail(ask, ede, "%s", text);
}

/* ---- what is waited for ---- */

static void drop_send(struct plugin_send *send)
{
	list_drop(&send->list);
	if (send->exchange)
		exchange_cancel(&send->exchange);
	if (send->timer)
		loop_timer_free(&send->timer);
	mem_free(send);
}

void plugin_drop_sends(struct link_ask *ask)
{
	while (!list_is_empty(&ask->sends))
		drop_send(container_of(ask->sends.next, struct plugin_send, list));
}

static void on_reply(void *user, const struct upstream_reply *reply);

static bool start_exchange(struct plugin_send *send)
{
	struct upstream_ask ask = { .server = &send->server,
		.is_tcp = send->is_tcp,
		.query = send->query,
		.len = send->len,
		.timeout_ms = send->timeout_ms };
	if (!budget_query(&send->ask->budget, clock_mono_ms()))
		return false;
	send->exchange = upstream_send(send->ask->chain->inside.upstream, &ask, on_reply, send);
	return send->exchange != NULL;
}

static void on_reply(void *user, const struct upstream_reply *reply)
{
	struct plugin_send *send = user;
	struct link_ask *ask = send->ask;
	struct link_event event = { .tag = send->tag, .took_us = reply->took_us };
	send->exchange = NULL;
	bool is_cut = reply->result == UPSTREAM_SPOOFED ||
		      (reply->result == UPSTREAM_REPLY && (reply->msg[2] & FLAG_TC >> 8));
	if (is_cut && !send->is_tcp) {
		send->is_tcp = true;
		if (start_exchange(send))
			return;
	}
	event.kind = LINK_EVENT_ERROR;
	if (reply->result == UPSTREAM_TIMEOUT)
		event.kind = LINK_EVENT_TIMEOUT;
	if (reply->result == UPSTREAM_REPLY && !is_cut &&
		budget_bytes(&ask->budget, reply->len)) {
		event.kind = LINK_EVENT_REPLY;
		event.message = reply->msg;
		event.len = reply->len;
	}
	drop_send(send);
	ask_event(ask, &event);
}

static void on_timer(void *user)
{
	struct plugin_send *send = user;
	struct link_ask *ask = send->ask;
	struct link_event event = { .kind = LINK_EVENT_TIMER, .tag = send->tag };
	drop_send(send);
	ask_event(ask, &event);
}

static struct plugin_send *new_send(struct link_ask *ask, void *tag)
{
	struct plugin_send *send = mem_try(sizeof *send);
	if (!send)
		return NULL;
	memset(send, 0, sizeof *send);
	send->ask = ask;
	send->tag = tag;
	list_init(&send->list);
	list_put(&ask->sends, &send->list);
	return send;
}

static bool call_send(struct link_ask *ask, const char *address, const uint8_t *name,
	uint16_t type, uint32_t timeout_ms, void *tag)
{
	struct plugin_send *send = new_send(ask, tag);
	if (!send)
		return false;
	struct query_opts opts = { .edns_size = EDNS_SIZE,
		.is_recursive = true,
		.is_dnssec = ask->question.is_dnssec,
		.is_checking_disabled = ask->question.is_checking_disabled };
	send->timeout_ms = timeout_ms;
	if (addr_parse(&send->server, address, 53, NULL) || !name_check(name, NAME_MAX_LEN) ||
		!(send->len = query_write(send->query, name, type, &opts)) ||
		!start_exchange(send)) {
		drop_send(send);
		return false;
	}
	return true;
}

static bool call_timer(struct link_ask *ask, uint32_t after_ms, void *tag)
{
	struct plugin_send *send = new_send(ask, tag);
	if (!send)
		return false;
	send->timer = loop_timer_new(ask->chain->inside.loop, on_timer, send);
	loop_timer_start(send->timer, after_ms, 0);
	return true;
}

const struct link_calls chain_plugin_calls = {
	.question = call_question,
	.add = call_add,
	.set_rcode = call_set_rcode,
	.set_uncachable = call_set_uncachable,
	.fail = call_fail,
	.send = call_send,
	.timer = call_timer,
	.now_ms = clock_mono_ms,
};
