/* SPDX-License-Identifier: BSD-2-Clause */
/* bytes.h -- bounded reading, and numbers in network order
 *
 * What     A cursor that cannot leave its bytes: a read past the end gives 0 and
 *          sets fail, which is looked at once, after the reads.
 */
#pragma once

#include "base/def.h"

#include <string.h>

struct bytes { /* open: it is a view */
	const uint8_t *p;
	size_t n;  /* bytes left */
	bool fail; /* a read did not fit */
};

static inline uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void put_u16(uint8_t *p, uint16_t x)
{
	p[0] = (uint8_t)(x >> 8);
	p[1] = (uint8_t)x;
}

static inline void put_u32(uint8_t *p, uint32_t x)
{
	p[0] = (uint8_t)(x >> 24);
	p[1] = (uint8_t)(x >> 16);
	p[2] = (uint8_t)(x >> 8);
	p[3] = (uint8_t)x;
}

/* The next n bytes, or NULL with fail set. */
static inline const uint8_t *bytes_take(struct bytes *b, size_t n)
{
	if (unlikely(b->n < n)) {
		b->fail = true;
		b->n = 0;
		return NULL;
	}
	const uint8_t *p = b->p;
	b->p += n;
	b->n -= n;
	return p;
}

static inline uint8_t bytes_u8(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 1);
	return p ? *p : 0;
}

static inline uint16_t bytes_u16(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 2);
	return p ? get_u16(p) : 0;
}

static inline uint32_t bytes_u32(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 4);
	return p ? get_u32(p) : 0;
}
