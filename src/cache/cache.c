/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/cache.h"

#include "base/lock.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>

enum {
	UNIT = 8, /* offsets count these */
	SLOTS = 8,
	ENTRY_MAX = 65535,
	FREQ_MAX = 3,
	SHARDS_MAX = 1024,
	SHARD_MIN = 256 * 1024, /* smaller ones could not hold the largest entries */
	BYTES_MIN = 1024 * 1024,
	SHARDS_PER_WORKER = 8,
	TABLE_PART =
		10, /* a tenth of the bytes is buckets and what is remembered of the gone */
	PROBATION_PART = 10, /* a tenth of the rest is for what is new */
	CHANCES = 16,        /* entries put back for one that comes; then the next goes */
	STEPS = 256,         /* of a walk, then the shard's lock is let go of */
};

enum ring_kind {
	RING_PROBATION,
	RING_MAIN,
	RINGS
};

/* What lies in a ring, in front of the name and the bytes. */
struct entry {
	uint64_t hash;
	uint32_t size; /* in all, a multiple of UNIT; first of what a dead one keeps */
	uint16_t n;    /* bytes of the value */
	uint8_t freq, ring;
	bool is_dead;
	uint8_t kind, bits, partition, len;
	uint16_t type, class;
	struct cache_head head;
	uint8_t name[];
};

struct slot {
	uint32_t tag;
	uint32_t at; /* of the entry in the shard's bytes, in UNITs, plus 1; 0: free */
};

struct bucket {
	struct slot slot[SLOTS];
};

/* Positions only grow; a place is a position modulo the size. */
struct ring {
	uint32_t base, size; /* in the shard's bytes */
	uint64_t head, tail;
};

struct shard {
	struct lock lock;
	uint8_t *bytes;
	struct bucket *buckets;
	uint32_t *ghosts;
	uint32_t buckets_n, ghosts_n;
	struct ring ring[RINGS];
	uint64_t hits, misses, puts, evictions, entries;
};

struct cache {
	unsigned shards;
	uint8_t *block;
	size_t bytes;
	struct shard *shard;
};

/* ---- keys ----------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdu;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53u;
	return x ^ x >> 33;
}

void cache_key_make(struct cache_key *key, enum cache_kind kind, const uint8_t *name,
	uint64_t name_hash, uint16_t type, uint16_t class, unsigned bits, unsigned partition)
{
	*key = (struct cache_key){ .kind = (uint8_t)kind,
		.bits = (uint8_t)bits,
		.partition = (uint8_t)partition,
		.type = type,
		.class = class,
		.len = (uint8_t)name_len(name),
		.name = name };
	uint64_t rest = (uint64_t)type << 40 | (uint64_t) class << 24 | (uint64_t)kind << 16 |
			(uint64_t)bits << 8 | partition;
	/* The name's hash is keyed and secret; what it is mixed with need not be. */
	key->hash = mix(name_hash ^ mix(rest + 0x9e3779b97f4a7c15u));
}

/* A number below n, of the hash's upper 32 bits. */
static uint32_t reduce(uint32_t x, uint32_t n)
{
	return (uint32_t)((uint64_t)x * n >> 32);
}

static struct shard *shard_of(const struct cache *cache, uint64_t hash)
{
	return &cache->shard[hash >> 54 & (cache->shards - 1)];
}

static struct bucket *bucket_of(const struct shard *shard, uint64_t hash)
{
	return &shard->buckets[reduce((uint32_t)(hash >> 22), shard->buckets_n)];
}

static uint32_t *ghost_of(const struct shard *shard, uint64_t hash)
{
	return &shard->ghosts[reduce((uint32_t)(hash >> 20), shard->ghosts_n)];
}

static struct entry *entry_at(const struct shard *shard, size_t at)
{
	return (struct entry *)(void *)(shard->bytes + at);
}

static bool is_of(const struct entry *e, const struct cache_key *key)
{
	return e->hash == key->hash && e->kind == key->kind && e->bits == key->bits &&
	       e->partition == key->partition && e->type == key->type &&
	       e->class == key->class && e->len == key->len &&
	       memcmp(e->name, key->name, key->len) == 0;
}

static struct slot *find_slot(const struct shard *shard, const struct cache_key *key)
{
	struct bucket *bucket = bucket_of(shard, key->hash);
	uint32_t tag = (uint32_t)key->hash;
	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *slot = &bucket->slot[i];
		if (slot->at && slot->tag == tag &&
			is_of(entry_at(shard, (size_t)(slot->at - 1) * UNIT), key))
			return slot;
	}
	return NULL;
}

/* ---- the cache ------------------------------------------------------------------------ */

static unsigned shards_for(const struct cache_opts *opts, size_t bytes)
{
	unsigned wanted = opts->shards, n = 1;
	if (!wanted)
		wanted = SHARDS_PER_WORKER * (opts->workers ? opts->workers : 1);
	while (n < wanted && n < SHARDS_MAX && bytes / (2 * n) >= SHARD_MIN)
		n *= 2;
	return n;
}

static void shard_init(struct shard *shard, uint8_t *block, size_t n)
{
	size_t table = n / TABLE_PART;
	shard->buckets_n = (uint32_t)(table * 3 / 5 / sizeof(struct bucket));
	size_t buckets = shard->buckets_n * sizeof(struct bucket);
	size_t ghosts = table * 2 / 5 / 64 * 64;
	shard->ghosts_n = (uint32_t)(ghosts / sizeof(uint32_t));
	shard->buckets = (struct bucket *)(void *)block;
	shard->ghosts = (uint32_t *)(void *)(block + buckets);
	shard->bytes = block + buckets + ghosts;
	size_t rest = (n - buckets - ghosts) / UNIT * UNIT;
	uint32_t probation = (uint32_t)(rest / PROBATION_PART / UNIT * UNIT);
	shard->ring[RING_PROBATION] = (struct ring){ .size = probation };
	shard->ring[RING_MAIN] =
		(struct ring){ .base = probation, .size = (uint32_t)rest - probation };
	lock_init(&shard->lock);
}

struct cache *cache_new(const struct cache_opts *opts)
{
	size_t bytes = opts->bytes < BYTES_MIN ? BYTES_MIN : opts->bytes;
	struct cache *cache = mem_new(sizeof *cache);
	cache->shards = shards_for(opts, bytes);
	/* Offsets have 32 bits in units of 8 bytes; one shard stays well below. */
	size_t each = bytes / cache->shards / 64 * 64, most = (size_t)4 << 30;
	each = each < most ? each : most - 64;
	cache->bytes = each * cache->shards;
	cache->block = map_new(cache->bytes);
	if (!cache->block) {
		mem_free(cache);
		return NULL;
	}
	cache->shard = mem_array(cache->shards, sizeof *cache->shard);
	for (unsigned i = 0; i < cache->shards; i++)
		shard_init(&cache->shard[i], cache->block + i * each, each);
	return cache;
}

void cache_free(struct cache **held)
{
	struct cache *cache = *held;
	*held = NULL;
	if (!cache)
		return;
	for (unsigned i = 0; i < cache->shards; i++)
		lock_fini(&cache->shard[i].lock);
	map_free(cache->block, cache->bytes);
	mem_free(cache->shard);
	mem_free(cache);
}

void cache_prefetch(const struct cache *cache, const struct cache_key *key)
{
	__builtin_prefetch(bucket_of(shard_of(cache, key->hash), key->hash));
}

/* ---- rings ---------------------------------------------------------------------------- */

static uint32_t place_of(const struct ring *ring, uint64_t position)
{
	return ring->base + (uint32_t)(position % ring->size);
}

static void unlink_entry(struct shard *shard, struct entry *e)
{
	struct bucket *bucket = bucket_of(shard, e->hash);
	uint32_t at = (uint32_t)((size_t)((uint8_t *)e - shard->bytes) / UNIT) + 1;
	for (unsigned i = 0; i < SLOTS; i++)
		if (bucket->slot[i].at == at)
			bucket->slot[i] = (struct slot){ 0, 0 };
	e->is_dead = true;
	shard->entries--;
}

static void point_at(struct shard *shard, const struct entry *e, uint32_t was)
{
	struct bucket *bucket = bucket_of(shard, e->hash);
	uint32_t at = (uint32_t)((size_t)((const uint8_t *)e - shard->bytes) / UNIT) + 1;
	for (unsigned i = 0; i < SLOTS; i++)
		if (bucket->slot[i].at == was)
			bucket->slot[i].at = at;
}

/* Bytes from the head to the ring's end. */
static uint32_t to_end(const struct ring *ring)
{
	return ring->size - (uint32_t)(ring->head % ring->size);
}

/* Whether n bytes in one piece are free at the head, or behind a filler at the start. */
static bool has_room(const struct ring *ring, uint32_t n)
{
	uint64_t free = ring->size - (ring->head - ring->tail);
	uint32_t end = to_end(ring);
	return end >= n ? free >= n : free >= (uint64_t)end + n;
}

/* The size of what lies at the tail. A filler is a lone size with nothing behind it. */
static uint32_t size_at(const struct shard *shard, const struct ring *ring, uint64_t position)
{
	uint32_t end = ring->size - (uint32_t)(position % ring->size);
	if (end < sizeof(struct entry))
		return end;
	return entry_at(shard, place_of(ring, position))->size;
}

static bool is_filler(const struct shard *shard, const struct ring *ring, uint64_t position)
{
	uint32_t end = ring->size - (uint32_t)(position % ring->size);
	return end < sizeof(struct entry) || entry_at(shard, place_of(ring, position))->is_dead;
}

/* Takes n bytes at the head, for which has_room() holds. */
static struct entry *take_head(struct shard *shard, struct ring *ring, uint32_t n)
{
	uint32_t end = to_end(ring);
	if (end < n) {
		if (end >= sizeof(struct entry)) {
			struct entry *filler = entry_at(shard, place_of(ring, ring->head));
			filler->size = end;
			filler->is_dead = true;
		}
		ring->head += end;
	}
	struct entry *e = entry_at(shard, place_of(ring, ring->head));
	ring->head += n;
	return e;
}

static void evict(struct shard *shard, struct entry *e)
{
	*ghost_of(shard, e->hash) = (uint32_t)e->hash | 1;
	unlink_entry(shard, e);
	shard->evictions++;
}

/* Moves what lay at a tail, which has been passed already, to the head of ring. */
static void move_to(struct shard *shard, enum ring_kind kind, struct entry *e)
{
	struct ring *ring = &shard->ring[kind];
	uint32_t was = (uint32_t)((size_t)((uint8_t *)e - shard->bytes) / UNIT) + 1;
	uint32_t size = e->size;
	struct entry *to = take_head(shard, ring, size);
	/* In one ring the two may overlap; a filler lies in front of neither. */
	memmove(to, e, size);
	to->ring = (uint8_t)kind;
	to->freq = (uint8_t)(kind == RING_MAIN && to->freq ? to->freq - 1 : to->freq);
	point_at(shard, to, was);
}

/* Makes room for n bytes in the main ring: what was asked for since it came gets another
 * round. */
static void make_main_room(struct shard *shard, uint32_t n)
{
	struct ring *ring = &shard->ring[RING_MAIN];
	unsigned chances = CHANCES;
	while (!has_room(ring, n)) {
		uint64_t at = ring->tail;
		struct entry *e = entry_at(shard, place_of(ring, at));
		bool is_free = is_filler(shard, ring, at);
		ring->tail += size_at(shard, ring, at);
		if (is_free)
			continue;
		if (e->freq && chances && has_room(ring, e->size)) {
			chances--;
			move_to(shard, RING_MAIN, e);
		} else {
			evict(shard, e);
		}
	}
}

/* The same in the probation ring: what was asked for is kept, the rest is gone soon. */
static void make_probation_room(struct shard *shard, uint32_t n)
{
	struct ring *ring = &shard->ring[RING_PROBATION];
	while (!has_room(ring, n)) {
		uint64_t at = ring->tail;
		struct entry *e = entry_at(shard, place_of(ring, at));
		if (!is_filler(shard, ring, at)) {
			if (e->freq) {
				/* Its bytes stay until the tail passes them. */
				make_main_room(shard, e->size);
				move_to(shard, RING_MAIN, e);
			} else {
				evict(shard, e);
			}
		}
		ring->tail += size_at(shard, ring, at);
	}
}

/* A free slot of the bucket, made from the least asked for when there is none. */
static struct slot *free_slot(struct shard *shard, uint64_t hash)
{
	struct bucket *bucket = bucket_of(shard, hash);
	struct slot *least = NULL;
	unsigned least_freq = UINT32_MAX;
	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *slot = &bucket->slot[i];
		if (!slot->at)
			return slot;
		const struct entry *e = entry_at(shard, (size_t)(slot->at - 1) * UNIT);
		unsigned freq = e->freq * 2u + (e->ring == RING_MAIN);
		if (freq < least_freq) {
			least_freq = freq;
			least = slot;
		}
	}
	evict(shard, entry_at(shard, (size_t)(least->at - 1) * UNIT));
	return least;
}

/* ---- reading and writing -------------------------------------------------------------- */

int cache_get(struct cache *cache, const struct cache_key *key, struct cache_head *head,
	void *buf, size_t room)
{
	struct shard *shard = shard_of(cache, key->hash);
	int n = -ENOENT;
	lock_take(&shard->lock);
	const struct slot *slot = find_slot(shard, key);
	if (slot) {
		struct entry *e = entry_at(shard, (size_t)(slot->at - 1) * UNIT);
		n = e->n;
		if (head)
			*head = e->head;
		if (e->n <= room && e->n)
			memcpy(buf, e->name + e->len, e->n);
		if (e->freq < FREQ_MAX)
			e->freq++;
		shard->hits++;
	} else {
		shard->misses++;
	}
	lock_release(&shard->lock);
	return n;
}

static enum ring_kind ring_for(
	const struct shard *shard, const struct cache_key *key, uint32_t size, bool was_main)
{
	/* Who comes back soon after leaving is asked for more than once. */
	bool is_known = *ghost_of(shard, key->hash) == ((uint32_t)key->hash | 1);
	bool is_large = size > shard->ring[RING_PROBATION].size / 4;
	bool is_empty = has_room(&shard->ring[RING_MAIN], size);
	return was_main || is_known || is_large || is_empty ? RING_MAIN : RING_PROBATION;
}

static bool put(struct shard *shard, const struct cache_key *key, const struct cache_head *head,
	const void *bytes, size_t n, struct slot *slot)
{
	size_t whole = sizeof(struct entry) + key->len + n;
	uint32_t size = (uint32_t)((whole + UNIT - 1) / UNIT * UNIT);
	bool was_main = false;
	uint8_t freq = 0;
	if (whole > ENTRY_MAX || size > shard->ring[RING_MAIN].size / 2)
		return false;
	if (slot) {
		struct entry *old = entry_at(shard, (size_t)(slot->at - 1) * UNIT);
		was_main = old->ring == RING_MAIN;
		freq = old->freq;
		unlink_entry(shard, old);
	}
	enum ring_kind kind = ring_for(shard, key, size, was_main);
	if (kind == RING_MAIN)
		make_main_room(shard, size);
	else
		make_probation_room(shard, size);
	slot = free_slot(shard, key->hash);
	struct entry *e = take_head(shard, &shard->ring[kind], size);
	*e = (struct entry){ .hash = key->hash,
		.size = size,
		.n = (uint16_t)n,
		.freq = freq,
		.ring = (uint8_t)kind,
		.kind = key->kind,
		.bits = key->bits,
		.partition = key->partition,
		.len = key->len,
		.type = key->type,
		.class = key->class,
		.head = *head };
	memcpy(e->name, key->name, key->len);
	if (n)
		memcpy(e->name + key->len, bytes, n);
	*slot = (struct slot){ (uint32_t)key->hash,
		(uint32_t)((size_t)((uint8_t *)e - shard->bytes) / UNIT) + 1 };
	shard->entries++;
	shard->puts++;
	return true;
}

bool cache_put_if(struct cache *cache, const struct cache_key *key,
	const struct cache_head *head, const void *bytes, size_t n,
	bool (*may_replace)(void *user, const struct cache_head *old), void *user)
{
	struct shard *shard = shard_of(cache, key->hash);
	if (n > ENTRY_MAX)
		return false;
	lock_take(&shard->lock);
	struct slot *slot = find_slot(shard, key);
	bool is_put = true;
	if (slot && may_replace)
		is_put = may_replace(
			user, &entry_at(shard, (size_t)(slot->at - 1) * UNIT)->head);
	if (is_put)
		is_put = put(shard, key, head, bytes, n, slot);
	lock_release(&shard->lock);
	return is_put;
}

bool cache_put(struct cache *cache, const struct cache_key *key, const struct cache_head *head,
	const void *bytes, size_t n)
{
	return cache_put_if(cache, key, head, bytes, n, NULL, NULL);
}

bool cache_drop(struct cache *cache, const struct cache_key *key)
{
	struct shard *shard = shard_of(cache, key->hash);
	lock_take(&shard->lock);
	const struct slot *slot = find_slot(shard, key);
	if (slot)
		unlink_entry(shard, entry_at(shard, (size_t)(slot->at - 1) * UNIT));
	lock_release(&shard->lock);
	return slot != NULL;
}

/* ---- walking -------------------------------------------------------------------------- */

/* Calls fn on the entries of a ring from *position on, STEPS of them at most; false at its end.
 * What moves meanwhile may be seen twice or not at all. */
static bool walk_ring(struct shard *shard, enum ring_kind kind, uint64_t *position,
	bool (*fn)(void *user, struct shard *shard, struct entry *e), void *user)
{
	struct ring *ring = &shard->ring[kind];
	if (*position < ring->tail)
		*position = ring->tail;
	for (unsigned i = 0; i < STEPS; i++) {
		if (*position >= ring->head)
			return false;
		uint64_t at = *position;
		*position += size_at(shard, ring, at);
		if (!is_filler(shard, ring, at) &&
			!fn(user, shard, entry_at(shard, place_of(ring, at))))
			return true;
	}
	return true;
}

struct flush {
	const uint8_t *name; /* NULL: everything */
	bool is_tree;
	size_t n;
};

static bool flush_one(void *user, struct shard *shard, struct entry *e)
{
	struct flush *flush = user;
	if (flush->name && !(flush->is_tree ? name_is_at_or_below(e->name, flush->name)
					    : name_is_equal(e->name, flush->name)))
		return true;
	unlink_entry(shard, e);
	flush->n++;
	return true;
}

size_t cache_flush(struct cache *cache, const uint8_t *name, bool is_tree)
{
	struct flush flush = { name, is_tree, 0 };
	for (unsigned i = 0; i < cache->shards; i++)
		for (unsigned kind = 0; kind < RINGS; kind++) {
			uint64_t position = 0;
			bool is_more = true;
			while (is_more) {
				lock_take(&cache->shard[i].lock);
				is_more = walk_ring(&cache->shard[i], (enum ring_kind)kind,
					&position, flush_one, &flush);
				lock_release(&cache->shard[i].lock);
			}
		}
	return flush.n;
}

struct copy { /* one entry, taken out so that no lock is held while it is looked at */
	struct entry *entry; /* with room for the longest */
	bool is_there;
};

static bool copy_one(void *user, struct shard *shard, struct entry *e)
{
	(void)shard;
	struct copy *copy = user;
	memcpy(copy->entry, e, sizeof *e + (size_t)e->len + e->n);
	copy->is_there = true;
	return false;
}

void cache_walk(struct cache *cache, bool (*fn)(void *user, const struct cache_entry *entry),
	void *user)
{
	struct entry *e = mem_new(sizeof *e + ENTRY_MAX);
	struct copy copy = { .entry = e };
	bool goes_on = true;
	for (unsigned i = 0; goes_on && i < cache->shards * RINGS; i++) {
		struct shard *shard = &cache->shard[i / RINGS];
		uint64_t position = 0;
		bool is_more = true;
		while (goes_on && is_more) {
			copy.is_there = false;
			lock_take(&shard->lock);
			is_more = walk_ring(
				shard, (enum ring_kind)(i % RINGS), &position, copy_one, &copy);
			lock_release(&shard->lock);
			if (!copy.is_there)
				continue;
			const struct cache_entry entry = {
				.key = { .kind = e->kind,
					.bits = e->bits,
					.partition = e->partition,
					.type = e->type,
					.class = e->class,
					.len = e->len,
					.name = e->name,
					.hash = e->hash },
				.head = e->head,
				.bytes = e->name + e->len,
				.n = e->n,
			};
			goes_on = fn(user, &entry);
		}
	}
	mem_free(e);
}

void cache_counts(struct cache *cache, struct cache_count *count)
{
	*count = (struct cache_count){ .limit = cache->bytes };
	for (unsigned i = 0; i < cache->shards; i++) {
		struct shard *shard = &cache->shard[i];
		lock_take(&shard->lock);
		count->hits += shard->hits;
		count->misses += shard->misses;
		count->puts += shard->puts;
		count->evictions += shard->evictions;
		count->entries += shard->entries;
		for (unsigned k = 0; k < RINGS; k++)
			count->bytes += shard->ring[k].head - shard->ring[k].tail;
		lock_release(&shard->lock);
	}
}
