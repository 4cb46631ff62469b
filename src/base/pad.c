/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/pad.h"

#include "base/mem.h"

#include <string.h>

struct pad_chunk {
	struct pad_chunk *next;
	size_t used, size; /* of bytes[] */
	uint8_t bytes[];
};

void pad_init(struct pad *pad, size_t limit, uint64_t *total)
{
	*pad = (struct pad){ .limit = limit, .total = total };
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
	struct pad_chunk *chunk = mem_try(size);
	if (!chunk)
		return NULL;
	pad->taken += size;
	if (pad->total)
		*pad->total += size;
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
	if (pad->total)
		*pad->total -= pad->taken;
	while (pad->chunks) {
		struct pad_chunk *chunk = pad->chunks;
		pad->chunks = chunk->next;
		mem_free(chunk);
	}
	pad->taken = 0;
}
