/* SPDX-License-Identifier: BSD-2-Clause */
/* pad.h -- scratch that grows to a limit and goes as a whole
 *
 * What     For what one question needs until it is answered: a peer decides how much, so it is
 *          bounded in bytes and every piece may be refused.
 * Threads  One user at a time.
 * Memory   Chunks of PAD_CHUNK bytes or more from the heap, or from the store when there is
 *          one: all pads of a worker share it, and it counts what they hold.
 * Limits   A store has PAD_SPARES chunks at most that nobody uses.
 */
#pragma once

#include "base/def.h"

enum {
	PAD_CHUNK = 4096,
	PAD_SPARES = 256
};

struct pad_store { /* open: zero to start; pad_store_fini() when no pad has anything of it */
	uint64_t bytes; /* that pads hold */
	struct pad_chunk *spare;
	unsigned spares;
};
void pad_store_fini(struct pad_store *store);

struct pad { /* open: pad_init() */
	struct pad_chunk *chunks;
	size_t taken, limit;     /* bytes held from the heap; the most of them */
	struct pad_store *store; /* or NULL */
};

void pad_init(struct pad *pad, size_t limit, struct pad_store *store);
/* 8-aligned, NOT zeroed; NULL beyond the limit or without memory. */
void *pad_new(struct pad *pad, size_t n) CHECKED;
void *pad_copy(struct pad *pad, const void *p, size_t n) CHECKED;
/* All pieces are gone; the pad can be used again. */
void pad_clear(struct pad *pad);
