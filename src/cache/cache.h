/* SPDX-License-Identifier: BSD-2-Clause */
/* cache.h -- what may be forgotten: one block of bytes, shared by all workers
 *
 * What     A table from keys to bytes. Shards with one short lock each, buckets of 64 bytes
 *          that hold tags (a part of the hash) and offsets, and a ring of bytes per shard from
 *          which the oldest that was not asked for goes first; what is new has to be asked for
 *          once more, or it leaves by the short way (a probation queue, as in S3-FIFO), so a
 *          flood of names that are asked once does not flush those that are asked often
 *          (hazard B19).
 * Threads  Any; a call holds one shard's lock for the time of a copy.
 * Memory   Exactly the bytes given, touched as they fill; keys and heads are counted.
 * Limits   An entry has at most 65,535 bytes with its head; longer ones are not kept.
 */
#pragma once

#include "base/endpoint.h"
#include "wire/name.h"

enum cache_kind {
	CACHE_ANSWER,  /* a finished reply, see answer/recall.h */
	CACHE_RRSET,   /* a record set, see rrsets.h */
	CACHE_NONE,    /* there is no such type (or name) here, see rrsets.h */
	CACHE_FAILURE, /* could not be told (RFC 9520) */
};

enum { /* bits of a key */
	CACHE_DO = 1,
	CACHE_CD = 2
};

struct cache_key { /* open */
	uint8_t kind, bits, partition;
	uint16_t type, class;
	uint8_t len;         /* of name */
	const uint8_t *name; /* lower case, uncompressed */
	uint64_t hash;       /* cache_hash() */
};
/* name_hash: key_hash() of the name, or struct key's hash[0]. */
void cache_key_make(struct cache_key *key, enum cache_kind kind, const uint8_t *name,
	uint64_t name_hash, uint16_t type, uint16_t class, unsigned bits, unsigned partition);

struct cache_from {             /* open: provenance, 24 bytes; all zero: unknown */
	struct endpoint server; /* none: made here */
	uint8_t transport;      /* enum cache_transport */
	uint8_t link;           /* which link of the chain, by its stable id */
	uint32_t generation;    /* of that link's data and options */
};
enum cache_transport {
	CACHE_LOCAL,
	CACHE_UDP,
	CACHE_UDP_CASE, /* with 0x20 */
	CACHE_UDP_COOKIE,
	CACHE_TCP,
	CACHE_TLS
};

struct cache_head {                    /* open: what is known of an entry */
	uint64_t learned_ms;           /* clock_mono_ms() when it came */
	uint32_t ttl;                  /* seconds from then */
	uint8_t rank, security, flags; /* for who keeps it */
	uint32_t aux;                  /* for who keeps it */
	struct cache_from from;
};

struct cache;
struct cache_opts {      /* open */
	size_t bytes;    /* of everything: 1 MiB at least */
	unsigned shards; /* a power of two; 0: eight per worker, of workers */
	unsigned workers;
};
struct cache *cache_new(const struct cache_opts *opts); /* NULL without memory */
void cache_free(struct cache **cache);

/* Asks for the memory of a key ahead. */
void cache_prefetch(const struct cache *cache, const struct cache_key *key);
/* Copies the entry's bytes into buf (room) and its head into head (may be NULL). Returns the
 * length of the entry, which may be over room (then nothing is copied but head), or -ENOENT.
 * Entries past their TTL are returned too: who asks decides (stale). */
int cache_get(struct cache *cache, const struct cache_key *key, struct cache_head *head,
	void *buf, size_t room) CHECKED;
/* Keeps or replaces. False: too long. */
bool cache_put(struct cache *cache, const struct cache_key *key, const struct cache_head *head,
	const void *bytes, size_t n);
/* may_replace(user, old head) is asked under the shard's lock when there is an entry already;
 * false leaves it and returns false. It may change what head points at: that is read after
 * it. */
bool cache_put_if(struct cache *cache, const struct cache_key *key,
	const struct cache_head *head, const void *bytes, size_t n,
	bool (*may_replace)(void *user, const struct cache_head *old), void *user);
bool cache_drop(struct cache *cache, const struct cache_key *key);
/* Drops what lies at name (all kinds and types), at and below it, or everything (name NULL).
 * Returns how many. Shard by shard, each lock held for a bounded number of steps. */
size_t cache_flush(struct cache *cache, const uint8_t *name, bool is_tree);
/* fn gets a copy of every entry, no lock held; false ends. For show and dump. */
struct cache_entry { /* open: a view */
	struct cache_key key;
	struct cache_head head;
	const uint8_t *bytes;
	size_t n;
};
void cache_walk(struct cache *cache, bool (*fn)(void *user, const struct cache_entry *entry),
	void *user);

struct cache_count {                            /* open */
	uint64_t hits, misses, puts, evictions; /* evictions of what had its TTL yet */
	uint64_t entries, bytes, limit;
};
void cache_counts(struct cache *cache, struct cache_count *count);
