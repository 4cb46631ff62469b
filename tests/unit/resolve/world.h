/* SPDX-License-Identifier: BSD-2-Clause */
/* world.h -- a resolver among servers that a test describes in text */
#pragma once

#include "base/bytes.h"
#include "base/clock.h"
#include "resolve/resolver.h"
#include "scenario/fake.h"
#include "unit/unit.h"
#include "unit/zone_of.h"
#include "wire/edns.h"
#include "wire/rrtype.h"
#include "wire/writer.h"

#include <stdatomic.h>
#include <stdio.h>

enum quirk {
	QUIRK_NONE,
	QUIRK_SILENT,
	QUIRK_UNREACHABLE,
	QUIRK_LOWER_CASE, /* echoes the question in lower case */
	QUIRK_LOWER_ONLY, /* the same, and has no TCP */
	QUIRK_NO_EDNS,    /* FORMERR to what has an OPT */
	QUIRK_BADCOOKIE,  /* until the cookie is whole */
	QUIRK_BAD_COOKIE, /* somebody else's cookie */
	QUIRK_TRUNCATED,  /* over UDP */
	QUIRK_CHANCE,     /* bytes behind the question are changed by chance */
	QUIRK_GARBAGE,    /* a good header and rubbish behind it, over UDP */
};

struct rule { /* what a server says to questions at or below name */
	const char *server, *name;
	uint16_t type; /* 0: any */
	unsigned rcode;
	bool is_referral; /* no AA */
	enum quirk quirk;
	const char *answer, *authority, *additional; /* zone text */
};

enum {
	WORLD_SENT = 4096
};

struct sent { /* a question that came to a server */
	char server[ADDR_TEXT_MAX];
	struct name name, lower;
	uint16_t type;
	bool is_tcp, has_edns, is_mixed;
	uint8_t cookie_len;
};

struct world {
	struct loop *loop;
	struct upstream *upstream;
	struct cache *cache;
	struct facts *facts;
	struct resolver *resolver;
	struct resolve_opts opts;
	struct resolve_hint hint;
	const struct rule *rules;
	size_t n;
	unsigned sent_n;
	struct sent sent[WORLD_SENT];
};

struct question_of { /* a question of a test */
	struct name name;
	struct pad pad;
	struct budget budget;
	struct trace trace;
	struct outcome outcome;
	struct resolve_ask ask;
	struct resolution *resolution;
	unsigned done;
};

/* ---- servers ---- */

struct put {
	struct writer *w;
	enum section section;
};

static inline int put_record(void *user, const struct record *record, struct err *err)
{
	(void)err;
	const struct put *put = user;
	struct writer_owner owner = { record->owner, 0 };
	ck_assert(writer_record(put->w, put->section, &owner, record->type, record->ttl,
		record->rdata, record->rdata_len));
	return 0;
}

static inline void put_text(struct writer *w, enum section section, const char *text)
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

static inline void read_sent(struct sent *sent, const struct fake_query *q)
{
	size_t n = name_len(q->msg + HEADER_LEN);
	const uint8_t *opt = q->msg + HEADER_LEN + n + 4;
	(void)addr_print(sent->server, q->server);
	*strchr(sent->server, '@') = 0;
	sent->name.len = sent->lower.len = (uint8_t)n;
	memcpy(sent->name.bytes, q->msg + HEADER_LEN, n);
	name_lower(sent->lower.bytes, sent->name.bytes, n);
	sent->is_mixed = memcmp(sent->name.bytes, sent->lower.bytes, n) != 0;
	sent->type = get_u16(q->msg + HEADER_LEN + n);
	sent->is_tcp = q->is_tcp;
	sent->has_edns = q->msg[11] == 1;
	sent->cookie_len = sent->has_edns && get_u16(opt + 9) ? opt[14] : 0;
}

static inline const struct rule *find_rule(const struct world *world, const struct sent *sent)
{
	for (size_t i = 0; i < world->n; i++) {
		struct name name = name_of(world->rules[i].name);
		if (strcmp(world->rules[i].server, sent->server) == 0 &&
			(!world->rules[i].type || world->rules[i].type == sent->type) &&
			name_is_at_or_below(sent->lower.bytes, name.bytes))
			return &world->rules[i];
	}
	return NULL;
}

/* An OPT with the client's cookie and eight bytes more. */
static inline size_t put_cookie(uint8_t *p, const struct fake_query *q, bool is_wrong)
{
	size_t n = name_len(q->msg + HEADER_LEN);
	const uint8_t *cookie = q->msg + HEADER_LEN + n + 4 + EDNS_FIXED_LEN + 4;
	static const uint8_t opt[] = { 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 20, 0, 10, 0, 16 };
	memcpy(p, opt, sizeof opt);
	memcpy(p + sizeof opt, cookie, 8);
	memset(p + sizeof opt + 8, 7, 8);
	p[sizeof opt] ^= is_wrong;
	return sizeof opt + 16;
}

static inline void change(uint8_t *msg, size_t from, size_t *len)
{
	static uint64_t state = 7;
	for (unsigned n = next_random(&state) % 5; n && *len > from; n--) {
		size_t at = next_random(&state) % *len;
		if (at >= from || at == 3 || (at > 5 && at < HEADER_LEN))
			msg[at] = (uint8_t)next_random(&state);
	}
	if (next_random(&state) % 8 == 0 && *len > from)
		*len -= next_random(&state) % (*len - from);
}

static inline void write_reply(
	const struct rule *rule, const struct sent *sent, struct fake_query *q)
{
	static struct writer w;
	size_t n = name_len(q->msg + HEADER_LEN);
	struct question question = { .wire = q->msg + HEADER_LEN,
		.wire_len = (uint16_t)(n + 4),
		.class = CLASS_IN,
		.type = sent->type };
	unsigned rcode = rule->rcode;
	bool is_bad = rule->quirk == QUIRK_NO_EDNS && sent->has_edns;
	bool is_short = rule->quirk == QUIRK_TRUNCATED && !sent->is_tcp;
	bool wants_cookie =
		rule->quirk == QUIRK_BADCOOKIE && !sent->is_tcp && sent->cookie_len <= 8;
	writer_start(&w, q->reply, MESSAGE_MAX_LEN, &question);
	if (!is_bad && !is_short && !wants_cookie) {
		put_text(&w, SECTION_ANSWER, rule->answer);
		put_text(&w, SECTION_AUTHORITY, rule->authority);
		put_text(&w, SECTION_ADDITIONAL, rule->additional);
	}
	rcode = is_bad ? RCODE_FORMERR : wants_cookie ? 23 & 15 : rcode;
	writer_finish(&w,
		(uint16_t)(FLAG_QR | (rule->is_referral ? 0 : FLAG_AA) |
			   (is_short ? FLAG_TC : 0)),
		rcode);
	memcpy(q->reply, q->msg, 2);
	q->reply_len = w.len;
	if (sent->cookie_len &&
		(rule->quirk == QUIRK_BADCOOKIE || rule->quirk == QUIRK_BAD_COOKIE)) {
		q->reply_len += put_cookie(
			q->reply + w.len, q, rule->quirk == QUIRK_BAD_COOKIE && !sent->is_tcp);
		q->reply[11]++;
		if (wants_cookie)
			q->reply[w.len + 5] = 1; /* the upper bits of 23 */
	}
	if (rule->quirk == QUIRK_LOWER_CASE || rule->quirk == QUIRK_LOWER_ONLY)
		memcpy(q->reply + HEADER_LEN, sent->lower.bytes, n);
	if (rule->quirk == QUIRK_CHANCE)
		change(q->reply, HEADER_LEN + n + 4, &q->reply_len);
	if (rule->quirk == QUIRK_GARBAGE && !sent->is_tcp) {
		memset(q->reply + HEADER_LEN + n + 4, 0xff, 20);
		q->reply_len = HEADER_LEN + n + 24;
		q->reply[7] = 1;
	}
}

static inline void world_serve(void *user, struct fake_query *q)
{
	struct world *world = user;
	ck_assert_uint_lt(world->sent_n, WORLD_SENT);
	struct sent *sent = &world->sent[world->sent_n++];
	read_sent(sent, q);
	const struct rule *rule = find_rule(world, sent);
	if (!rule || rule->quirk == QUIRK_SILENT)
		return;
	q->delay_ms = 5;
	bool is_closed = rule->quirk == QUIRK_UNREACHABLE ||
			 (rule->quirk == QUIRK_LOWER_ONLY && sent->is_tcp);
	q->does = is_closed ? FAKE_UNREACHABLE : FAKE_REPLIES;
	if (q->does == FAKE_REPLIES)
		write_reply(rule, sent, q);
}

/* ---- the world ---- */

static inline struct world *world_new(const struct rule *rules, size_t n)
{
	static const struct upstream_opts upstream = { .questions = 10000, .connections = 10 };
	static const struct cache_opts cache = { .bytes = 4 << 20, .shards = 1 };
	struct world *world = calloc(1, sizeof *world);
	ck_assert_ptr_nonnull(world);
	fake_reset(1800000000);
	fake_upstream_serve(world_serve, world);
	world->rules = rules;
	world->n = n;
	world->loop = loop_new();
	world->upstream = upstream_new(world->loop, &upstream);
	world->cache = cache_new(&cache);
	world->facts = facts_new(1024);
	world->hint.name = name_of("a.root.test.");
	ck_assert_int_eq(addr_parse(&world->hint.addr, "1.0.0.1", 53, NULL), 0);
	world->opts = (struct resolve_opts){ .qname_minimisation = true,
		.case_randomisation = true,
		.harden_glue = true,
		.ipv4 = true,
		.ipv6 = true,
		.edns_size = 1232,
		.server_port = 53,
		.ttl = { 0, 86400, 3600, 30 },
		.hints_n = 1,
		.hints = &world->hint };
	world->resolver =
		resolver_new(world->loop, world->upstream, world->cache, world->facts);
	resolver_set_opts(world->resolver, &world->opts);
	return world;
}

static inline void world_free(struct world *world)
{
	resolver_free(&world->resolver);
	ck_assert_uint_eq(atomic_load(&upstream_counts(world->upstream)->open), 0);
	upstream_free(&world->upstream);
	cache_free(&world->cache);
	facts_free(&world->facts);
	loop_free(&world->loop);
	free(world);
}

static inline unsigned asked_of(const struct world *world, const char *server)
{
	unsigned n = 0;
	for (unsigned i = 0; i < world->sent_n; i++)
		n += strcmp(world->sent[i].server, server) == 0;
	return n;
}

/* ---- questions ---- */

static inline void on_resolved(void *user)
{
	struct question_of *q = user;
	q->done++;
	q->resolution = NULL;
}

/* True: it was answered at once. */
static inline bool start(struct world *world, struct question_of *q, const char *name,
	uint16_t type, bool is_live)
{
	uint64_t now_ms = clock_mono_ms();
	memset(q, 0, sizeof *q);
	q->name = name_of(name);
	pad_init(&q->pad, 2 << 20, NULL);
	q->budget = budget_new(now_ms);
	q->trace.start_ms = now_ms;
	outcome_start(&q->outcome);
	q->ask = (struct resolve_ask){ .name = q->name.bytes,
		.type = type,
		.is_live = is_live,
		.pad = &q->pad,
		.budget = &q->budget,
		.trace = &q->trace,
		.outcome = &q->outcome,
		.generation = 7,
		.link = 2 };
	return resolve_start(world->resolver, &q->ask, on_resolved, q, &q->resolution);
}

/* Resolves to the end; true: at once. */
static inline bool resolve(
	struct world *world, struct question_of *q, const char *name, uint16_t type)
{
	if (start(world, q, name, type, false))
		return true;
	ck_assert(fake_pass(world->loop, BUDGET_MS, 20000));
	ck_assert_uint_eq(q->done, 1);
	return false;
}

static inline void end(struct question_of *q)
{
	pad_clear(&q->pad);
}
