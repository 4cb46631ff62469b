/* SPDX-License-Identifier: BSD-2-Clause */
/* forward_world.h -- a chain of one forward link, and other resolvers that a test describes and
 * changes as it goes */
#pragma once

#include "base/clock.h"
#include "links/links.h"
#include "unit/chain_of.h"
#include "unit/unit.h"
#include "wire/rrtype.h"

#include <stdio.h>

enum does {
	ANSWERS,
	IS_SILENT,
	IS_UNREACHABLE,
	TRUNCATES,   /* over UDP */
	IS_FORGED,   /* near misses come, over UDP */
	HAS_NO_EDNS, /* FORMERR to what has an OPT */
	SAYS_RUBBISH,
	SAYS_CHANCE,    /* bytes behind the question are changed by chance */
	DROPS_QUESTION, /* SERVFAIL without the question */
};

struct other { /* another resolver */
	const char *address;
	enum does does;
	unsigned rcode;
	uint32_t delay_ms; /* 0: 5 */
	bool no_ra;
	const char *answer, *authority, *additional; /* zone text */
	const char *ede_text;                        /* NULL: no EDE */
	uint16_t ede;
	/* what came */
	unsigned udp, tcp, plain, probes;
	uint16_t flags;
	bool is_do, is_mixed;
};

enum {
	OTHERS = 4,
	VALUES = 7,
	TEXTS = 4
};

struct world {
	struct ground ground;
	struct chain_plan plan;
	struct link_value values[VALUES];
	struct other other[OTHERS];
};

struct asked { /* a question of a test, and what was told */
	struct chain_wait wait;
	struct name name;
	uint16_t type;
	unsigned done;
	uint64_t asked_ms, took_ms;
	struct told told;
	struct trace_copy trace;
};

/* ---- other resolvers ------------------------------------------------------------------- */

struct put {
	struct writer *w;
	enum section section;
};

static int put_record(void *user, const struct record *record, struct err *err)
{
	(void)err;
	const struct put *put = user;
	struct writer_owner owner = { record->owner, 0 };
	ck_assert(writer_record(put->w, put->section, &owner, record->type, record->ttl,
		record->rdata, record->rdata_len));
	return 0;
}

static void put_text(struct writer *w, enum section section, const char *text)
{
	static const uint8_t root[] = { 0 };
	struct complaints complaints = { 0 };
	struct put put = { w, section };
	if (!text)
		return;
	ck_assert(zonefile_scan_text(
			  "test", text, strlen(text), root, put_record, &put, &complaints) > 0);
	complaints_fini(&complaints);
}

static void put_opt(struct fake_query *q, const struct other *o)
{
	static const uint8_t opt[] = { 0, 0, 41, 4, 208, 0, 0, 0, 0 };
	size_t text_n = o->ede_text ? strlen(o->ede_text) : 0;
	uint8_t *p = q->reply + q->reply_len;
	memcpy(p, opt, sizeof opt);
	put_u16(p + 9, o->ede_text ? (uint16_t)(6 + text_n) : 0);
	q->reply_len += 11;
	q->reply[11]++;
	if (!o->ede_text)
		return;
	put_u16(p + 11, OPTION_EDE);
	put_u16(p + 13, (uint16_t)(2 + text_n));
	put_u16(p + 15, o->ede);
	memcpy(p + 17, o->ede_text, text_n);
	q->reply_len += 6 + text_n;
}

static void write_reply(struct fake_query *q, const struct other *o, bool has_edns)
{
	static struct writer w;
	size_t n = name_len(q->msg + HEADER_LEN);
	const struct question question = { .wire = q->msg + HEADER_LEN,
		.wire_len = (uint16_t)(n + 4),
		.class = CLASS_IN,
		.type = get_u16(q->msg + HEADER_LEN + n) };
	bool is_cut = o->does == TRUNCATES && !q->is_tcp;
	bool is_refused = o->does == HAS_NO_EDNS && has_edns;
	writer_start(&w, q->reply, MESSAGE_MAX_LEN, &question);
	if (!is_cut && !is_refused) {
		put_text(&w, SECTION_ANSWER, o->answer);
		put_text(&w, SECTION_AUTHORITY, o->authority);
		put_text(&w, SECTION_ADDITIONAL, o->additional);
	}
	writer_finish(&w,
		(uint16_t)(FLAG_QR | FLAG_RD | FLAG_AD | (o->no_ra ? 0 : FLAG_RA) |
			   (is_cut ? FLAG_TC : 0)),
		is_refused ? RCODE_FORMERR : o->rcode);
	q->reply_len = w.len;
	memcpy(q->reply, q->msg, 2);
	if (has_edns && o->does != HAS_NO_EDNS)
		put_opt(q, o);
}

static void change(struct fake_query *q)
{
	static uint64_t state = 7;
	size_t from = HEADER_LEN + name_len(q->msg + HEADER_LEN) + 4;
	for (unsigned n = next_random(&state) % 5; n && q->reply_len > from; n--) {
		size_t at = next_random(&state) % q->reply_len;
		if (at >= from || at == 3 || (at > 5 && at < HEADER_LEN))
			q->reply[at] = (uint8_t)next_random(&state);
	}
	if (next_random(&state) % 8 == 0)
		q->reply_len -= next_random(&state) % (q->reply_len - from);
}

static void note_query(struct other *o, const struct fake_query *q, bool has_edns)
{
	size_t n = name_len(q->msg + HEADER_LEN);
	uint8_t lower[NAME_MAX_LEN];
	name_lower(lower, q->msg + HEADER_LEN, n);
	o->is_mixed |= memcmp(lower, q->msg + HEADER_LEN, n) != 0;
	o->flags = get_u16(q->msg + 2);
	o->is_do = has_edns && q->msg[HEADER_LEN + n + 4 + 7] & 0x80;
	o->plain += !has_edns;
	o->tcp += q->is_tcp;
	o->udp += !q->is_tcp;
}

static void serve(void *user, struct fake_query *q)
{
	struct world *world = user;
	struct other *o = NULL;
	char address[ADDR_TEXT_MAX];
	bool has_edns = q->msg[11] == 1;
	(void)addr_print(address, q->server);
	*strchr(address, '@') = 0;
	for (size_t i = 0; i < OTHERS; i++)
		if (world->other[i].address && strcmp(world->other[i].address, address) == 0)
			o = &world->other[i];
	ck_assert_msg(o != NULL, "%s was asked", address);
	bool is_probe = q->msg[HEADER_LEN] == 0;
	if (is_probe && q->nth == 0)
		o->probes++;
	else if (q->nth == 0)
		note_query(o, q, has_edns);
	q->delay_ms = o->delay_ms ? o->delay_ms : 5;
	if (o->does == IS_SILENT)
		return;
	q->does = o->does == IS_UNREACHABLE ? FAKE_UNREACHABLE : FAKE_REPLIES;
	write_reply(q, o, has_edns);
	if (o->does == IS_FORGED && !q->is_tcp) {
		q->reply[0] ^= 1;
		q->has_more = true;
	}
	if (o->does == SAYS_RUBBISH) {
		q->reply[7] = 9;
		q->reply_len = HEADER_LEN + name_len(q->msg + HEADER_LEN) + 4 + 3;
	}
	if (o->does == SAYS_CHANCE)
		change(q);
	if (o->does == DROPS_QUESTION) {
		memset(q->reply + 4, 0, 8);
		q->reply[3] = (q->reply[3] & 0xf0) | RCODE_SERVFAIL;
		q->reply_len = HEADER_LEN;
	}
}

/* ---- the chain ------------------------------------------------------------------------- */

static PRINTF(2, 3) void on_warning(void *teller, const char *fmt, ...)
{
	(void)teller, (void)fmt;
}

static void on_watch(void *teller, const char *path)
{
	(void)teller, (void)path;
}

/* The options as the file would give them; to: words with blanks between, or NULL. */
struct said {
	const char *to, *conf, *policy;
	uint64_t timeout_ms, rise, fall, probe_ms; /* 0: the default */
};

static void *prepare_in(struct link_given *given, struct link_value values[VALUES],
	const struct said *said, char *error, size_t error_size)
{
	static char words[256];
	static const char *texts[16], *places[16], *conf, *policy;
	static const char *const place = "a.yaml:7:3";
	size_t n = 0;
	(void)snprintf(words, sizeof words, "%s", said->to ? said->to : "");
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		places[n] = "a.yaml:3:9";
		texts[n++] = word;
	}
	conf = said->conf ? said->conf : "/etc/resolv.conf";
	policy = said->policy ? said->policy : "order";
	values[0] = (struct link_value){ said->to != NULL, 0, n, texts, places };
	values[1] = (struct link_value){ said->conf != NULL, 0, 1, &conf, &place };
	values[2] = (struct link_value){ said->policy != NULL, 0, 1, &policy, &place };
	values[3].number = said->timeout_ms ? said->timeout_ms : 1500;
	values[4].number = said->rise ? said->rise : 2;
	values[5].number = said->fall ? said->fall : 3;
	values[6].number = said->probe_ms ? said->probe_ms : 5000;
	given->name = "isp";
	given->values = values;
	if (!given->warn)
		given->warn = on_warning;
	if (!given->watch)
		given->watch = on_watch;
	return link_forward.prepare(given, error, error_size);
}

static struct world *world_new(const struct said *said)
{
	static const char *const addresses[OTHERS] = { "192.0.2.1", "192.0.2.2", "192.0.2.3",
		"2001:db8::1" };
	struct world *w = calloc(1, sizeof *w);
	struct link_given given = { 0 };
	char error[256] = "";
	ck_assert_ptr_nonnull(w);
	fake_reset(1800000000);
	fake_upstream_serve(serve, w);
	for (size_t i = 0; i < OTHERS; i++) {
		w->other[i].address = addresses[i];
		w->other[i].answer = "www.example.org. 300 IN A 198.51.100.7\n";
	}
	w->ground = ground_new();
	w->plan = (struct chain_plan){ .opts = chain_opts_of(1000),
		.generation = 1,
		.n = 1,
		.link = { { .name = "isp",
			.kind = &link_forward,
			.data = prepare_in(&given, w->values, said, error, sizeof error),
			.generation = 7,
			.ttl_max = 86400 } } };
	ck_assert_msg(w->plan.link[0].data != NULL, "%s", error);
	chain_set_plan(w->ground.chain, &w->plan, NULL);
	return w;
}

static void world_free(struct world *w)
{
	ground_free(&w->ground);
	chain_plan_release(&w->plan);
	free(w);
}

/* ---- questions ------------------------------------------------------------------------- */

static void read_told(struct asked *a, const struct chain_told *told)
{
	a->done++;
	a->took_ms = clock_mono_ms() - a->asked_ms;
	told_read(&a->told, told, a->name.bytes, a->type, CLASS_IN);
}

static void on_told(struct chain_wait *wait, const struct chain_told *told)
{
	read_told(container_of(wait, struct asked, wait), told);
}

enum {
	ASK_DO = 1,
	ASK_CD = 2,
	ASK_KEPT = 4, /* what is kept will do */
};

static void ask_with(
	struct world *w, struct asked *a, const char *name, uint16_t type, unsigned how)
{
	struct chain_told told;
	memset(a, 0, sizeof *a);
	a->name = name_of(name);
	a->type = type;
	a->wait.trace = &a->trace;
	a->wait.done = on_told;
	a->asked_ms = clock_mono_ms();
	const struct chain_question q = { .name = a->name.bytes,
		.hash = key_hash(a->name.bytes),
		.type = type,
		.class = CLASS_IN,
		.is_dnssec = how & ASK_DO,
		.is_checking_disabled = how & ASK_CD,
		.is_live = !(how & ASK_KEPT) };
	enum chain_verdict verdict = chain_ask(w->ground.chain, &q, &a->wait, &told);
	ck_assert(verdict == CHAIN_TOLD || verdict == CHAIN_WAIT);
	if (verdict == CHAIN_TOLD)
		read_told(a, &told);
}

static void ask(struct world *w, struct asked *a)
{
	ask_with(w, a, "www.example.org.", TYPE_A, 0);
}

static void pass(struct world *w, uint64_t ms)
{
	ck_assert(fake_pass(w->ground.loop, ms, 100000));
}

static void end(struct asked *a)
{
	told_end(&a->told);
}

/* Asks and waits for what comes of it; the caller ends it. */
static void resolve(struct world *w, struct asked *a)
{
	ask(w, a);
	while (!a->done)
		ck_assert(fake_step(w->ground.loop, UINT64_MAX - 1));
	ck_assert_uint_eq(a->done, 1);
}

static bool has_address(const struct asked *a)
{
	const struct rrset *set = message_find(
		&a->told.m, SECTION_ANSWER, (const uint8_t *)"\3www\7example\3org", TYPE_A);
	return a->done == 1 && a->told.m.rcode == RCODE_NOERROR && set && set->n == 1;
}

/* One question, answered with the address of www.example.org within so long. */
static void must_answer(struct world *w, uint64_t within_ms)
{
	struct asked a;
	resolve(w, &a);
	ck_assert_msg(has_address(&a), "%s", a.told.text);
	ck_assert_uint_le(a.took_ms, within_ms);
	end(&a);
}

static unsigned steps_of(const struct asked *a, enum trace_kind kind, enum trace_result result)
{
	unsigned n = 0;
	for (unsigned i = 0; i < a->trace.n && i < TRACE_STEPS; i++)
		n += a->trace.step[i].kind == kind && a->trace.step[i].result == result;
	return n;
}
