/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/explain.h"

#include "base/clock.h"
#include "base/mem.h"
#include "serve/errand.h"
#include "text/rdata.h"
#include "wire/edns.h"
#include "wire/record.h"
#include "wire/rrtype.h"

#include <stdio.h>
#include <string.h>

enum {
	PAD_LIMIT = 1024 * 1024,
	RECORD_ROOM = 8192,
	RECORDS_MAX = 200,
	TYPE_ROOM = 16
};

/* A request whose errands are out. */
struct asked {
	struct list list; /* of the daemon's */
	struct control_call *call;
	unsigned out; /* errands that are not back */
	json_t *found;
};

/* ---- words ---- */

const char *explain_transport(unsigned transport)
{
	static const char *const words[] = { [CACHE_LOCAL] = "local",
		[CACHE_UDP] = "UDP",
		[CACHE_UDP_CASE] = "UDP, case checked",
		[CACHE_UDP_COOKIE] = "UDP, cookie checked",
		[CACHE_TCP] = "TCP",
		[CACHE_TLS] = "TLS" };
	return transport < array_len(words) ? words[transport] : "unknown";
}

static json_t *rcode_text(unsigned rcode)
{
	const char *word = rcode_word(rcode);
	return json_string(word ? word : "other");
}

static const char *result_word(unsigned result)
{
	static const char *const words[] = { [TRACE_ANSWER] = "answer",
		[TRACE_NODATA] = "no data",
		[TRACE_NXDOMAIN] = "no such name",
		[TRACE_REFERRAL] = "referral",
		[TRACE_ALIAS] = "alias",
		[TRACE_LAME] = "lame",
		[TRACE_TRUNCATED] = "truncated",
		[TRACE_TIMEOUT] = "no reply",
		[TRACE_UNREACHABLE] = "unreachable",
		[TRACE_SPOOFED] = "forged replies",
		[TRACE_ERROR] = "error",
		[TRACE_MALFORMED] = "malformed",
		[TRACE_PASS] = "pass",
		[TRACE_FAIL] = "fail",
		[TRACE_WAIT] = "wait" };
	return result < array_len(words) ? words[result] : "unknown";
}

static const char *kind_word(unsigned kind)
{
	static const char *const words[] = { [TRACE_LINK] = "link",
		[TRACE_SENT] = "sent",
		[TRACE_REPLY] = "reply",
		[TRACE_CACHED] = "cached",
		[TRACE_RESTART] = "alias" };
	return kind < array_len(words) ? words[kind] : "unknown";
}

static const char *state_word(enum look_state state)
{
	static const char *const words[] = { [LOOK_MISS] = "miss",
		[LOOK_HIT] = "hit",
		[LOOK_OWN] = "own",
		[LOOK_PASS] = "pass",
		[LOOK_OFF] = "off",
		[LOOK_SKIPPED] = "skipped",
		[LOOK_NOT_ASKED] = "not asked" };
	return words[state];
}

static json_t *name_text(const uint8_t *name)
{
	char text[NAME_TEXT_MAX];
	if (!name)
		return json_null();
	(void)name_print(text, name);
	return json_string(text);
}

static json_t *type_text(uint16_t type)
{
	char text[TYPE_ROOM];
	return json_string(rrtype_print(text, type));
}

json_t *explain_server(const struct endpoint *server)
{
	char text[ADDR_TEXT_MAX];
	struct addr addr;
	if (!server->port)
		return json_null();
	addr_from_endpoint(&addr, server);
	return json_string(addr_print(text, &addr));
}

/* ---- records ---- */

static void add_set(json_t *list, const struct rrset *set, char *room)
{
	uint16_t len;
	const uint8_t *at = NULL;
	while ((at = rrset_next(set, at, &len)) && json_array_size(list) < RECORDS_MAX) {
		const struct record record = { .owner = set->owner,
			.type = set->type,
			.class = set->class,
			.ttl = set->ttl,
			.rdata_len = len,
			.rdata = at };
		if (record_print(room, RECORD_ROOM, &record) < RECORD_ROOM)
			(void)json_array_append_new(list, json_string(room));
	}
}

json_t *explain_set(const struct rrset *set)
{
	json_t *list = json_array();
	char *room = mem_new(RECORD_ROOM);
	add_set(list, set, room);
	mem_free(room);
	return list;
}

void explain_records(json_t *out, const uint8_t *msg, size_t len)
{
	static const char *const keys[] = {
		[SECTION_ANSWER] = "answer", [SECTION_AUTHORITY] = "authority"
	};
	struct pad pad;
	struct message m;
	pad_init(&pad, PAD_LIMIT, NULL);
	if (message_read(&m, msg, len, &pad) < 0)
		m.n = 0;
	char *room = mem_new(RECORD_ROOM);
	for (unsigned section = SECTION_ANSWER; section <= SECTION_AUTHORITY; section++) {
		json_t *list = json_array();
		for (size_t i = 0; i < m.n; i++)
			if (m.sets[i].section == section)
				add_set(list, &m.sets[i], room);
		(void)json_object_set_new(out, keys[section], list);
	}
	mem_free(room);
	pad_clear(&pad);
}

static void add_reply(json_t *out, const struct errand *e)
{
	struct pad pad;
	struct message m;
	pad_init(&pad, PAD_LIMIT, NULL);
	if (e->reply_len > 0 && message_read(&m, e->reply, (size_t)e->reply_len, &pad) == 0) {
		(void)json_object_set_new(out, "rcode", rcode_text(m.rcode));
		if (m.ede >= 0)
			(void)json_object_set_new(out, "ede",
				json_pack("{s:i,s:s#}", "code", m.ede, "text",
					m.ede_text ? (const char *)m.ede_text : "",
					(int)m.ede_text_len));
		explain_records(out, e->reply, (size_t)e->reply_len);
	}
	pad_clear(&pad);
}

/* ---- steps ---- */

static json_t *step_report(const struct trace_step *step, const struct look *look)
{
	json_t *out = json_pack(
		"{s:I,s:s}", "at-ms", (json_int_t)step->at_ms, "kind", kind_word(step->kind));
	if (step->kind == TRACE_LINK || step->kind == TRACE_REPLY)
		(void)json_object_set_new(
			out, "result", json_string(result_word(step->result)));
	if (look && step->link < look->n)
		(void)json_object_set_new(out, "link", json_string(look->row[step->link].name));
	if (step->name)
		(void)json_object_set_new(out, "name", name_text(step->name));
	if (step->kind == TRACE_LINK || step->kind == TRACE_RESTART)
		return out;
	(void)json_object_set_new(out, "type", type_text(step->type));
	(void)json_object_set_new(out, "server", explain_server(&step->server));
	(void)json_object_set_new(
		out, "transport", json_string(explain_transport(step->transport)));
	if (step->zone)
		(void)json_object_set_new(out, "zone", name_text(step->zone));
	if (step->kind == TRACE_REPLY) {
		(void)json_object_set_new(out, "rcode", rcode_text(step->rcode));
		(void)json_object_set_new(out, "took-us", json_integer(step->took_us));
	}
	return out;
}

static void add_steps(json_t *out, const struct trace_copy *trace, const struct look *look)
{
	json_t *steps = json_array();
	for (uint32_t i = 0; i < trace->n; i++)
		(void)json_array_append_new(steps, step_report(&trace->step[i], look));
	(void)json_object_set_new(out, "steps", steps);
	(void)json_object_set_new(out, "steps-lost", json_integer(trace->lost));
}

/* ---- explain ---- */

/* What the link did when it was asked: the last of its steps; NULL: it was not. */
static const struct trace_step *link_step(
	const struct errand *e, size_t link, uint32_t *took_ms)
{
	const struct trace_step *found = NULL;
	uint32_t before = 0;
	for (uint32_t i = 0; e->has_trace && i < e->trace.n; i++) {
		const struct trace_step *step = &e->trace.step[i];
		if (step->kind != TRACE_LINK)
			continue;
		if (step->link == link) {
			found = step;
			*took_ms = step->at_ms - before;
		}
		before = step->at_ms;
	}
	return found;
}

static void add_kept(json_t *out, const struct look *look, const struct look_row *row)
{
	uint32_t keep_s = row->keeps && row->keep_s < look->ttl ? row->keep_s : look->ttl;
	if (row == &look->row[look->source])
		keep_s = look->ttl;
	(void)json_object_set_new(out, "age", json_integer(look->age));
	(void)json_object_set_new(out, "left", json_integer((json_int_t)keep_s - look->age));
	(void)json_object_set_new(out, "failure", json_boolean(look->is_failure));
	(void)json_object_set_new(out, "from",
		json_pack("{s:s,s:o,s:s}", "link", look->row[look->source].name, "server",
			explain_server(&look->from.server), "transport",
			explain_transport(look->from.transport)));
}

static json_t *row_report(const struct errand *e, size_t i)
{
	const struct look *look = &e->look;
	const struct look_row *row = &look->row[i];
	uint32_t took_ms = 0;
	const struct trace_step *step = link_step(e, i, &took_ms);
	const char *state = state_word(row->state);
	if (step)
		state = step->result == TRACE_ANSWER ? "answered"
			: step->result == TRACE_FAIL ? "failed"
						     : "pass";
	else if (e->was_asked && row->state == LOOK_MISS && strcmp(row->kind, "cache") != 0)
		state = state_word(LOOK_NOT_ASKED);
	json_t *out = json_pack(
		"{s:s,s:s,s:s}", "name", row->name, "kind", row->kind, "state", state);
	if (row->off)
		(void)json_object_set_new(out, "why", json_string(row->off));
	if (row->keeps)
		(void)json_object_set_new(out, "keeps", json_integer(row->keep_s));
	if (row->state == LOOK_HIT)
		add_kept(out, look, row);
	if (row->gone_s || (look->has_kept && row->state == LOOK_MISS))
		(void)json_object_set_new(out, "gone", json_integer(row->gone_s));
	if (step)
		(void)json_object_set_new(out, "took-ms", json_integer(took_ms));
	if (step && step->result == TRACE_ANSWER)
		(void)json_object_set_new(out, "from",
			json_pack("{s:o,s:s}", "server", explain_server(&e->from.server),
				"transport", explain_transport(e->from.transport)));
	return out;
}

static json_t *zones_report(const struct errand *e)
{
	if (!e->has_zone)
		return json_pack("{s:n}", "zone");
	return json_pack(
		"{s:o,s:b}", "zone", name_text(e->zone.bytes), "special-use", e->is_special);
}

static json_t *report(const struct errand *e)
{
	json_t *links = json_array();
	for (size_t i = 0; i < e->look.n; i++)
		(void)json_array_append_new(links, row_report(e, i));
	json_t *out = json_pack("{s:b,s:o,s:o,s:b,s:b,s:b,s:o,s:o}", "ok", 1, "name",
		name_text(e->name.bytes), "type", type_text(e->type), "live", e->is_live,
		"chain", e->has_way, "may-recurse", e->may_recurse, "zones", zones_report(e),
		"links", links);
	if (e->has_client) {
		struct endpoint client = addr_endpoint(&e->client);
		char text[ADDR_TEXT_MAX];
		struct addr addr;
		addr_from_endpoint(&addr, &client);
		(void)addr_print(text, &addr);
		text[strcspn(text, "@")] = '\0';
		(void)json_object_set_new(out, "client", json_string(text));
	}
	if (e->was_asked)
		(void)json_object_set_new(out, "took-ms", json_integer(e->took_ms));
	if (e->is_stale)
		(void)json_object_set_new(out, "stale", json_true());
	add_reply(out, e);
	if (e->has_trace)
		add_steps(out, &e->trace, &e->look);
	return out;
}

static struct asked *asked_new(struct daemon *d, struct control_call *call)
{
	struct asked *asked = mem_new(sizeof *asked);
	asked->call = call;
	list_put(&d->asked, &asked->list);
	return asked;
}

static void asked_free(struct asked *asked)
{
	list_drop(&asked->list);
	json_decref(asked->found);
	mem_free(asked);
}

static json_t *refusal(const char *why)
{
	return json_pack("{s:b,s:s}", "ok", 0, "error", why);
}

static void on_explained(struct errand *errand)
{
	struct asked *asked = errand->user;
	control_reply(asked->call,
		errand->is_told ? report(errand) : refusal("the daemon is ending"), false);
	asked_free(asked);
	errand_free(&errand);
}

void explain_ask(struct daemon *d, const struct request *request, struct control_call *call)
{
	if (!request->has_name) {
		control_reply(call, refusal("'name' is missing"), false);
		return;
	}
	struct errand *errand = errand_new(ERRAND_EXPLAIN);
	struct err err;
	errand->name = request->name;
	errand->type = request->has_type ? request->type : TYPE_A;
	errand->is_live = request->is_live;
	errand->has_client = request->has_client;
	errand->client = request->client;
	if (!request->has_client)
		must(addr_parse(&errand->client, "127.0.0.1", 0, &err) == 0);
	errand->done = on_explained;
	errand->user = asked_new(d, call);
	server_send_errand(d->server, 0, errand);
}

/* ---- why ---- */

static json_t *failure_report(const struct chain_failure *f)
{
	uint64_t now_s = clock_wall_s();
	json_t *out = json_pack("{s:o,s:o,s:I,s:I,s:i,s:s}", "name", name_text(f->name), "type",
		type_text(f->type), "ago", (json_int_t)(now_s > f->at_s ? now_s - f->at_s : 0),
		"took-ms", (json_int_t)f->took_ms, "ede", f->ede, "text", f->text);
	add_steps(out, &f->trace, NULL);
	return out;
}

static void on_failures(struct errand *errand)
{
	struct asked *asked = errand->user;
	for (size_t i = 0; i < errand->failures_n; i++)
		(void)json_array_append_new(asked->found, failure_report(&errand->failures[i]));
	errand_free(&errand);
	if (--asked->out)
		return;
	json_t *reply = json_pack("{s:b,s:O}", "ok", 1, "failures", asked->found);
	control_reply(asked->call, reply, false);
	asked_free(asked);
}

void explain_why(struct daemon *d, const struct request *request, struct control_call *call)
{
	struct asked *asked = asked_new(d, call);
	asked->found = json_array();
	asked->out = server_workers(d->server);
	for (unsigned i = 0; i < server_workers(d->server); i++) {
		struct errand *errand = errand_new(ERRAND_WHY);
		if (request->has_name)
			errand->name = request->name;
		errand->done = on_failures;
		errand->user = asked;
		server_send_errand(d->server, i, errand);
	}
}

void explain_fini(struct daemon *d)
{
	while (!list_is_empty(&d->asked))
		asked_free(container_of(d->asked.next, struct asked, list));
}
