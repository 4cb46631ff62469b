/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/pad.h"

#include "base/mem.h"

#include <string.h>

struct pad_chunk {
	struct pad_chunk *next;
	size_t used, size; /* of bytes[] */
	uint8_t bytes[];
};

/* AddressSanitizer is to see that nobody uses what he gave back. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum {
	KEPT_MAX = 0
};
#else
enum {
	KEPT_MAX = PAD_SPARES
};
#endif

void pad_init(struct pad *pad, size_t limit, struct pad_store *store)
{
	*pad = (struct pad){ .limit = limit, .store = store };
}

void pad_store_fini(struct pad_store *store)
{
	must(store->bytes == 0);
	while (store->spare) {
		struct pad_chunk *chunk = store->spare;
		store->spare = chunk->next;
		mem_free(chunk);
	}
	store->spares = 0;
}

static struct pad_chunk *chunk_new(struct pad_store *store, size_t size)
{
	if (!store || !store->spare || size != PAD_CHUNK)
		return mem_try(size);
	struct pad_chunk *chunk = store->spare;
	store->spare = chunk->next;
	store->spares--;
	return chunk;
}

static void chunk_free(struct pad_store *store, struct pad_chunk *chunk)
{
	if (!store || store->spares == KEPT_MAX || chunk->size != PAD_CHUNK - sizeof *chunk) {
		mem_free(chunk);
		return;
	}
	chunk->next = store->spare;
	store->spare = chunk;
	store->spares++;
}

static struct pad_chunk *grow(struct pad *pad, size_t n)
{
	size_t need = sizeof(struct pad_chunk) + n;
	size_t size = need < PAD_CHUNK ? PAD_CHUNK : need;
	if (size > pad->limit - pad->taken) {
		if (need > pad->limit - pad->taken)
			return NULL;
		size = need;
	}
	struct pad_chunk *chunk = chunk_new(pad->store, size);
	if (!chunk)
		return NULL;
	pad->taken += size;
	if (pad->store)
		pad->store->bytes += size;
	chunk->used = 0;
	chunk->size = size - sizeof *chunk;
	chunk->next = pad->chunks;
	pad->chunks = chunk;
	return chunk;
}

void *pad_new(struct pad *pad, size_t n)
{
	if (n > pad->limit)
		return NULL;
	n = (n + 7) & ~(size_t)7;
	struct pad_chunk *chunk = pad->chunks;
	if (!chunk || chunk->size - chunk->used < n)
		chunk = grow(pad, n);
	if (!chunk)
		return NULL;
	void *p = chunk->bytes + chunk->used;
	chunk->used += n;
	return p;
}

void *pad_copy(struct pad *pad, const void *p, size_t n)
{
	void *copy = pad_new(pad, n);
	if (copy && n)
		memcpy(copy, p, n);
	return copy;
}

void pad_clear(struct pad *pad)
{
	if (pad->store)
		pad->store->bytes -= pad->taken;
	while (pad->chunks) {
		struct pad_chunk *chunk = pad->chunks;
		pad->chunks = chunk->next;
		chunk_free(pad->store, chunk);
	}
	pad->taken = 0;
}
