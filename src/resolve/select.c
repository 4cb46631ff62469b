/* SPDX-License-Identifier: BSD-2-Clause */
/* Which server is asked: one that is quick, now and then one of which nothing is known; one
 * that does not answer is left alone for a while; one that is lame comes last. */
#include "base/rand.h"
#include "resolve/iter.h"

#include <string.h>

enum {
	BAND_MS = 10,        /* servers within this, and a quarter, of the best are as good */
	EXPLORE = 16,        /* of so many questions one goes to a server not known yet */
	FAMILY_FAILURES = 4, /* in a row: the family leads nowhere */
	DOWN_FOR_SURE = 5,   /* failures in a row: three, and two back-offs that were in vain */
};

enum grade { /* the lower the better */
	GRADE_FRESH,
	GRADE_RETRY,
	GRADE_FAMILY, /* nobody of its family has answered for a while */
	GRADE_DOWN,   /* it has not: asked only near the root, where there is no other way */
	GRADE_RECURSIVE,
	GRADE_LAST,
	GRADES
};

struct best { /* of a grade */
	struct server *known, *unknown;
	uint32_t score; /* of known, in ms */
	unsigned known_n, unknown_n;
};

/* ---- addresses that nobody should be sent to ---- */

static const struct range { /* of 16 bytes, IPv4 mapped */
	uint8_t prefix[16];
	uint8_t bits;
	bool is_local; /* may be asked in closed networks */
} ranges[] = {
#define V4(a, b, c, d, n, local)                                                               \
	{                                                                                      \
		{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d }, 96 + (n), local      \
	}
	V4(0, 0, 0, 0, 8, false),
	V4(10, 0, 0, 0, 8, true),
	V4(100, 64, 0, 0, 10, true),
	V4(127, 0, 0, 0, 8, true),
	V4(169, 254, 0, 0, 16, true),
	V4(172, 16, 0, 0, 12, true),
	V4(192, 0, 2, 0, 24, true),
	V4(192, 168, 0, 0, 16, true),
	V4(198, 18, 0, 0, 15, true),
	V4(198, 51, 100, 0, 24, true),
	V4(203, 0, 113, 0, 24, true),
	V4(224, 0, 0, 0, 4, false),
	V4(240, 0, 0, 0, 4, false),
#undef V4
	{ { 0 }, 128, false },
	{ { [15] = 1 }, 128, true },
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, true },
	{ { 0xfc }, 7, true },
	{ { 0xfe, 0x80 }, 10, false },
	{ { 0xff }, 8, false },
};

static bool is_own(const struct resolve_opts *opts, const struct endpoint *at)
{
	for (size_t i = 0; i < opts->own_n; i++) {
		struct endpoint own = addr_endpoint(&opts->own[i]);
		if (own.port == at->port &&
			memcmp(own.address, at->address, sizeof own.address) == 0)
			return true;
	}
	return false;
}

bool select_may_ask(const struct resolve_opts *opts, const struct endpoint *at)
{
	for (size_t i = 0; i < array_len(ranges); i++)
		if (address_has_prefix(at->address, ranges[i].prefix, ranges[i].bits))
			return ranges[i].is_local && opts->query_loopback && !is_own(opts, at);
	return !is_own(opts, at);
}

/* ---- the choice ---- */

static bool is_being_asked(const struct iter *it, const struct server *server)
{
	for (size_t i = 0; i < TRIES_AT_ONCE; i++)
		if (it->attempts[i].exchange && it->attempts[i].server == server)
			return true;
	return false;
}

static bool is_family_dead(const struct resolver *resolver, unsigned family)
{
	return resolver->failures[family] >= FAMILY_FAILURES &&
	       resolver->failures[!family] < FAMILY_FAILURES;
}

static enum grade grade_of(
	const struct iter *it, const struct server *server, const struct fact *fact)
{
	const struct resolver *resolver = it->resolution->resolver;
	if (server->is_last || fact->is_lame)
		return GRADE_LAST;
	if (server->is_recursive)
		return GRADE_RECURSIVE;
	if (fact->down_until_ms)
		return GRADE_DOWN;
	if (server->tries)
		return GRADE_RETRY;
	return is_family_dead(resolver, server->family) ? GRADE_FAMILY : GRADE_FRESH;
}

/* What it is expected to take; a server that has failed may take as long again. */
static uint32_t score_of(const struct fact *fact, const struct server *server)
{
	uint32_t score = fact->failures ? fact->rto_ms : fact->rtt_ms;
	return score << (server->tries < 4 ? server->tries : 4);
}

/* Every one of n equals has the same chance when it is held against those before it. */
static bool takes_turn(unsigned n)
{
	return n <= 1 || rand_below(n) == 0;
}

static void consider(struct best *best, struct server *server, const struct fact *fact)
{
	if (!fact->rtt_ms && !fact->failures) {
		if (takes_turn(++best->unknown_n))
			best->unknown = server;
		return;
	}
	uint32_t score = score_of(fact, server);
	if (best->known && score > best->score + best->score / 4 + BAND_MS)
		return;
	bool is_better = best->known && best->score > score + score / 4 + BAND_MS;
	best->known_n = is_better ? 1 : best->known_n + 1;
	if (takes_turn(best->known_n))
		best->known = server;
	if (best->known_n == 1 || score < best->score)
		best->score = score;
}

static struct server *choose(const struct best *best)
{
	if (!best->known)
		return best->unknown;
	if (!best->unknown)
		return best->known;
	/* A server that has failed is no better than one that nobody has asked. */
	return rand_below(EXPLORE) == 0 ? best->unknown : best->known;
}

static bool is_open(const struct iter *it, const struct server *server, int family)
{
	const struct resolve_opts *opts = it->resolution->opts;
	bool is_on = server->family == FAMILY_IPV6 ? opts->ipv6 : opts->ipv4;
	return is_on && !server->is_out && server->tries < SERVER_TRIES &&
	       (family < 0 || server->family == (unsigned)family) &&
	       (!server->is_recursive || it->takes_any) && !is_being_asked(it, server);
}

/* A server that was silent a few times may have lost datagrams: when nobody else is there, it
 * is asked all the same. One that stays silent is left alone, but for zones whose loss takes
 * much with it. */
static bool may_ask_down(const struct iter *it, const struct fact *fact)
{
	return fact->failures < DOWN_FOR_SURE || it->cut.stub || name_labels(it->cut.zone) <= 1;
}

struct server *select_server(struct iter *it, enum reach reach, int family)
{
	static const size_t grades[] = {
		[REACH_FRESH] = GRADE_RETRY, [REACH_SILENT] = GRADE_LAST, [REACH_ALL] = GRADES
	};
	struct resolution *r = it->resolution;
	struct best best[GRADES] = { 0 };
	for (struct server *server = it->cut.servers; server; server = server->next) {
		struct fact fact;
		if (!is_open(it, server, family))
			continue;
		facts_get(r->resolver->facts, &server->at, it->cut.zone, r->now_ms, &fact);
		enum grade grade = grade_of(it, server, &fact);
		if (grade != GRADE_DOWN || may_ask_down(it, &fact))
			consider(&best[grade], server, &fact);
	}
	for (size_t i = 0; i < grades[reach]; i++) {
		struct server *server = choose(&best[i]);
		if (server)
			return server;
	}
	return NULL;
}

bool select_is_unsure(const struct iter *it, const struct server *server)
{
	const struct resolver *resolver = it->resolution->resolver;
	struct fact fact;
	facts_get(resolver->facts, &server->at, NULL, it->resolution->now_ms, &fact);
	return !fact.rtt_ms || fact.failures;
}

void select_race(struct iter *it)
{
	const struct server *first = NULL;
	for (size_t i = 0; i < TRIES_AT_ONCE; i++)
		if (it->attempts[i].exchange)
			first = it->attempts[i].server;
	struct server *other = first ? select_server(it, REACH_FRESH, !first->family) : NULL;
	if (!other)
		return;
	it->server = other;
	iter_wake(it, STEP_SEND);
	iter_turn(it->resolution);
}
