/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/facts.h"

#include "base/hash.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "wire/key.h"

#include <stdatomic.h>
#include <string.h>

enum {
	WAYS = 8, /* places a server may lie in */
	SHARDS = 16,
	LAME_ROWS = 4096,
	LAME_WAYS = 4,
	LAME_MS = 15 * 60 * 1000,
	RTO_FIRST_MS = 376,
	RTO_MIN_MS = 100,
	RTO_MAX_MS = 3000,
	SERVERS_MAX = 1 << 20,
	FAILURES_MAX = 3, /* in a row, before it is left alone */
	DOWN_FIRST_MS = 1000,
	DOWN_MAX_MS = 60000,
	COOKIE_MIN = 16, /* client's and server's; less is none */
};

struct row { /* a server; used 0: free */
	struct endpoint server;
	uint64_t used;        /* the shard's count when it was touched last */
	uint32_t srtt8, var4; /* ms, scaled as RFC 6298 suggests; srtt8 0: none yet */
	uint32_t rto_ms, failures;
	uint64_t down_until_ms;
	uint8_t edns, cookie_len;
	bool breaks_case;
	uint8_t cookie[40];
};

struct lame {
	uint64_t tag; /* of server and zone */
	uint64_t until_ms;
};

struct shard {
	struct lock lock;
	uint64_t clock;
	struct row *row; /* of this shard: sets of WAYS */
};

struct facts {
	struct hash_key key;
	size_t sets; /* per shard, a power of two */
	struct row *rows;
	struct shard shard[SHARDS];
	_Atomic uint32_t epoch;
	_Atomic bool is_outage;
	_Atomic uint64_t heard_ms;
	struct lock lame_lock;
	struct lame lame[LAME_ROWS];
};

struct facts *facts_new(size_t servers)
{
	struct facts *f = mem_new(sizeof *f);
	servers = servers < SERVERS_MAX ? servers : SERVERS_MAX;
	rand_fill(&f->key, sizeof f->key);
	f->sets = 1;
	while (f->sets * WAYS * SHARDS < servers)
		f->sets *= 2;
	f->rows = map_new(f->sets * WAYS * SHARDS * sizeof *f->rows);
	if (!f->rows) {
		mem_free(f);
		return NULL;
	}
	for (size_t i = 0; i < SHARDS; i++) {
		lock_init(&f->shard[i].lock);
		f->shard[i].row = f->rows + i * f->sets * WAYS;
	}
	lock_init(&f->lame_lock);
	return f;
}

void facts_free(struct facts **held)
{
	struct facts *f = *held;
	*held = NULL;
	if (!f)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		lock_fini(&f->shard[i].lock);
	lock_fini(&f->lame_lock);
	map_free(f->rows, f->sets * WAYS * SHARDS * sizeof *f->rows);
	mem_free(f);
}

static bool is_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && memcmp(a->address, b->address, sizeof a->address) == 0;
}

static uint64_t hash_of(const struct facts *f, const struct endpoint *server)
{
	uint8_t bytes[18];
	memcpy(bytes, server->address, 16);
	memcpy(bytes + 16, &server->port, 2);
	return hash_sip(&f->key, bytes, sizeof bytes, 1, 3);
}

/* The server's row, its shard's lock taken: the one it has, or with make the one least recently
 * used, cleared. NULL: it has none. */
static struct row *take(
	struct facts *f, const struct endpoint *server, bool make, struct shard **out)
{
	uint64_t hash = hash_of(f, server);
	struct shard *shard = *out = &f->shard[hash % SHARDS];
	struct row *row = shard->row + (hash / SHARDS % f->sets) * WAYS, *oldest = row;
	lock_take(&shard->lock);
	shard->clock++;
	for (size_t i = 0; i < WAYS; i++) {
		if (row[i].used && is_same(&row[i].server, server)) {
			row[i].used = shard->clock;
			return &row[i];
		}
		if (row[i].used < oldest->used)
			oldest = &row[i];
	}
	if (!make)
		return NULL;
	*oldest =
		(struct row){ .server = *server, .used = shard->clock, .rto_ms = RTO_FIRST_MS };
	return oldest;
}

static uint64_t lame_tag(
	const struct facts *f, const struct endpoint *server, const uint8_t *zone)
{
	uint64_t tag = hash_of(f, server) ^ hash_rotate(key_hash(zone), 32);
	return tag ? tag : 1;
}

static struct lame *lame_row(struct facts *f, uint64_t tag)
{
	return &f->lame[tag % (LAME_ROWS / LAME_WAYS) * LAME_WAYS];
}

static bool is_lame(
	struct facts *f, const struct endpoint *server, const uint8_t *zone, uint64_t now_ms)
{
	uint64_t tag = lame_tag(f, server, zone);
	const struct lame *row = lame_row(f, tag);
	bool is = false;
	lock_take(&f->lame_lock);
	for (size_t i = 0; i < LAME_WAYS; i++)
		is |= row[i].tag == tag && now_ms < row[i].until_ms;
	lock_release(&f->lame_lock);
	return is;
}

void facts_get(struct facts *f, const struct endpoint *server, const uint8_t *zone,
	uint64_t now_ms, struct fact *fact)
{
	struct shard *shard;
	const struct row *row = take(f, server, false, &shard);
	*fact = (struct fact){ .rto_ms = RTO_FIRST_MS };
	if (row) {
		fact->is_known = true;
		fact->rtt_ms = row->srtt8 / 8;
		fact->rto_ms = row->rto_ms;
		fact->failures = row->failures;
		fact->down_until_ms = row->down_until_ms > now_ms ? row->down_until_ms : 0;
		fact->edns = row->edns;
		fact->breaks_case = row->breaks_case;
		fact->cookie_len = row->cookie_len;
		memcpy(fact->cookie, row->cookie, sizeof fact->cookie);
	}
	lock_release(&shard->lock);
	fact->is_lame = zone && is_lame(f, server, zone, now_ms);
}

static uint32_t within(uint64_t x, uint32_t min, uint32_t max)
{
	return x < min ? min : x > max ? max : (uint32_t)x;
}

/* After how long to give up on a datagram, failures not counted. */
static uint32_t rto_of(const struct row *row)
{
	if (!row->srtt8)
		return RTO_FIRST_MS;
	return within(row->srtt8 / 8 + (uint64_t)row->var4, RTO_MIN_MS, RTO_MAX_MS);
}

void facts_reply(struct facts *f, const struct endpoint *server, uint32_t rtt_ms)
{
	struct shard *shard;
	struct row *row = take(f, server, true, &shard);
	uint32_t rtt = within(rtt_ms, 1, RTO_MAX_MS);
	if (!row->srtt8) {
		row->srtt8 = 8 * rtt;
		row->var4 = 2 * rtt;
	} else {
		int32_t off = (int32_t)rtt - (int32_t)(row->srtt8 / 8);
		int32_t var = (int32_t)(row->var4 / 4);
		row->srtt8 = (uint32_t)((int32_t)row->srtt8 + off);
		row->var4 = (uint32_t)((int32_t)row->var4 + (off < 0 ? -off : off) - var);
	}
	row->rto_ms = rto_of(row);
	row->failures = 0;
	row->down_until_ms = 0;
	lock_release(&shard->lock);
}

void facts_heard(struct facts *f, const struct endpoint *server)
{
	struct shard *shard;
	struct row *row = take(f, server, true, &shard);
	row->rto_ms = rto_of(row);
	row->failures = 0;
	row->down_until_ms = 0;
	lock_release(&shard->lock);
}

static void note_failure(struct row *row, uint64_t now_ms)
{
	/* Of questions that were under way together the first to fail says it all: else one
	 * outage of a second would be a back-off of a minute. */
	if (now_ms < row->down_until_ms)
		return;
	row->rto_ms = within(2ull * row->rto_ms, RTO_MIN_MS, RTO_MAX_MS);
	if (row->failures < UINT32_MAX)
		row->failures++;
	if (row->failures < FAILURES_MAX)
		return;
	uint32_t over = row->failures - FAILURES_MAX;
	uint64_t down = over > 6 ? DOWN_MAX_MS : (uint64_t)DOWN_FIRST_MS << over;
	row->down_until_ms = now_ms + within(down, DOWN_FIRST_MS, DOWN_MAX_MS);
}

void facts_failure(struct facts *f, const struct endpoint *server, uint64_t now_ms)
{
	struct shard *shard;
	note_failure(take(f, server, true, &shard), now_ms);
	lock_release(&shard->lock);
}

void facts_set_edns(struct facts *f, const struct endpoint *server, enum facts_edns edns)
{
	struct shard *shard;
	take(f, server, true, &shard)->edns = (uint8_t)edns;
	lock_release(&shard->lock);
}

void facts_set_case(struct facts *f, const struct endpoint *server, bool breaks)
{
	struct shard *shard;
	take(f, server, true, &shard)->breaks_case = breaks;
	lock_release(&shard->lock);
}

void facts_set_cookie(
	struct facts *f, const struct endpoint *server, const uint8_t *cookie, size_t n)
{
	struct shard *shard;
	struct row *row = take(f, server, true, &shard);
	row->cookie_len = n >= COOKIE_MIN && n <= sizeof row->cookie ? (uint8_t)n : 0;
	if (row->cookie_len)
		memcpy(row->cookie, cookie, row->cookie_len);
	lock_release(&shard->lock);
}

void facts_set_lame(
	struct facts *f, const struct endpoint *server, const uint8_t *zone, uint64_t now_ms)
{
	uint64_t tag = lame_tag(f, server, zone);
	struct lame *row = lame_row(f, tag), *at = row;
	lock_take(&f->lame_lock);
	for (size_t i = 0; i < LAME_WAYS; i++) {
		if (row[i].tag == tag) {
			at = &row[i];
			break;
		}
		if (row[i].until_ms < at->until_ms)
			at = &row[i];
	}
	*at = (struct lame){ tag, now_ms + LAME_MS };
	lock_release(&f->lame_lock);
}

void facts_set_outage(struct facts *f)
{
	atomic_store_explicit(&f->is_outage, true, memory_order_relaxed);
}

void facts_note_heard(struct facts *f, uint64_t now_ms)
{
	/* It changes once a millisecond, and is read by all. */
	if (facts_heard_ms(f) != now_ms)
		atomic_store_explicit(&f->heard_ms, now_ms, memory_order_relaxed);
}

uint64_t facts_heard_ms(const struct facts *f)
{
	return atomic_load_explicit(&f->heard_ms, memory_order_relaxed);
}

bool facts_is_outage(const struct facts *f)
{
	return atomic_load_explicit(&f->is_outage, memory_order_relaxed);
}

uint32_t facts_epoch(const struct facts *f)
{
	return atomic_load_explicit(&f->epoch, memory_order_relaxed);
}

void facts_forgive(struct facts *f)
{
	atomic_fetch_add_explicit(&f->epoch, 1, memory_order_relaxed);
	atomic_store_explicit(&f->is_outage, false, memory_order_relaxed);
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &f->shard[i];
		lock_take(&shard->lock);
		for (size_t k = 0; k < f->sets * WAYS; k++) {
			struct row *row = &shard->row[k];
			if (!row->used)
				continue;
			row->down_until_ms = 0;
			row->failures = 0;
			row->rto_ms = rto_of(row);
		}
		lock_release(&shard->lock);
	}
}
