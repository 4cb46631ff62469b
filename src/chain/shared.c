/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain/shared.h"

#include "base/mem.h"
#include "chain/inside.h"

enum {
	SHARDS = 64,
	BUCKETS = 64
};

struct shard {
	struct lock lock;
	struct list bucket[BUCKETS];
};

struct chain_shared {
	struct shard shard[SHARDS];
};

struct chain_shared *chain_shared_new(void)
{
	struct chain_shared *shared = mem_new(sizeof *shared);
	for (size_t i = 0; i < SHARDS; i++) {
		lock_init(&shared->shard[i].lock);
		for (size_t j = 0; j < BUCKETS; j++)
			list_init(&shared->shard[i].bucket[j]);
	}
	return shared;
}

void chain_shared_free(struct chain_shared **held)
{
	struct chain_shared *shared = *held;
	*held = NULL;
	if (!shared)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		lock_fini(&shared->shard[i].lock);
	mem_free(shared);
}

static struct shard *shard_of(struct chain_shared *shared, const struct shared_row *row)
{
	return &shared->shard[row->key % SHARDS];
}

static struct list *bucket_of(struct shard *shard, const struct shared_row *row)
{
	return &shard->bucket[row->key / SHARDS % BUCKETS];
}

static struct shared_row *find(struct list *bucket, uint64_t key)
{
	for (struct list *at = bucket->next; at != bucket; at = at->next) {
		struct shared_row *row = container_of(at, struct shared_row, bucket);
		if (row->key == key)
			return row;
	}
	return NULL;
}

bool shared_take(struct chain_shared *shared, struct shared_row *row)
{
	struct shard *shard = shard_of(shared, row);
	list_init(&row->bucket);
	list_init(&row->waits);
	lock_take(&shard->lock);
	struct list *bucket = bucket_of(shard, row);
	struct shared_row *owner = find(bucket, row->key);
	row->has_it = owner == NULL;
	row->is_linked = true;
	if (owner)
		list_put(&owner->waits, &row->waits);
	else
		list_put(bucket, &row->bucket);
	lock_release(&shard->lock);
	return !owner;
}

/* Without memory for the news whoever waits comes to know by its own deadline. */
static void tell(const struct shared_row *row)
{
	struct shared_news *news = mem_try(sizeof *news);
	if (!news)
		return;
	*news = (struct shared_news){ .hash = row->hash, .key = row->key };
	chain_send_news(row->chain, news);
}

void shared_drop(struct chain_shared *shared, struct shared_row *row)
{
	if (!row->is_linked)
		return;
	struct shard *shard = shard_of(shared, row);
	lock_take(&shard->lock);
	if (row->has_it)
		while (!list_is_empty(&row->waits)) {
			struct shared_row *other =
				container_of(row->waits.next, struct shared_row, waits);
			list_drop(&other->waits);
			/* Its chain is there as long as its row is in a list. */
			tell(other);
		}
	list_drop(&row->bucket);
	list_drop(&row->waits);
	row->is_linked = false;
	lock_release(&shard->lock);
}
