/* SPDX-License-Identifier: BSD-2-Clause */
/* hold.h -- bytes that a peer makes us keep, against a limit
 *
 * What     A queue of bytes that exists only while it is not empty. All queues of
 *          a set share a limit; the set knows who holds most, to the power of two.
 * Memory   Heap, counted with its header. Nothing is kept beyond the limit.
 */
#pragma once

#include "base/def.h"
#include "base/list.h"

enum {
	HOLD_CLASSES = 24
};

struct hold { /* open: read by stream.c */
	struct list by_size;
	void *owner;
	uint32_t at, end; /* bytes[at..end-1] are held */
	uint32_t size;    /* room in bytes[] */
	uint8_t bytes[];
};

struct holds { /* open: bytes is read as a counter */
	struct list classes[HOLD_CLASSES];
	uint64_t bytes, limit;
};

void holds_init(struct holds *holds, uint64_t limit);
/* The owner of a largest queue, NULL without any. */
void *holds_largest(const struct holds *holds);

/* Appends p[0..n-1] to *hold, which is made when NULL. -ENOBUFS when it would pass the limit,
 * -ENOMEM; then nothing has changed. */
int hold_put(
	struct holds *holds, struct hold **hold, void *owner, const void *p, size_t n) CHECKED;
/* Takes n bytes off the front; the queue goes with its last byte. */
void hold_skip(struct holds *holds, struct hold **hold, size_t n);
void hold_free(struct holds *holds, struct hold **hold);

static inline size_t hold_len(const struct hold *hold)
{
	return hold ? hold->end - hold->at : 0;
}
