/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rand.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

enum {
	POOL = 512 /* bytes; the kernel is called once for so many */
};

static _Thread_local struct {
	size_t left;
	uint8_t bytes[POOL];
} pool;

static void ask_kernel(void *p, size_t n)
{
	uint8_t *at = p;
	while (n) {
		ssize_t got = getrandom(at, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		must(got > 0);
		at += got;
		n -= (size_t)got;
	}
}

void rand_fill(void *p, size_t n)
{
	if (n > POOL / 4) {
		ask_kernel(p, n);
		return;
	}
	if (n > pool.left) {
		ask_kernel(pool.bytes, POOL);
		pool.left = POOL;
	}
	pool.left -= n;
	memcpy(p, pool.bytes + pool.left, n);
	explicit_bzero(pool.bytes + pool.left, n); /* what was given away is nowhere else */
}

uint16_t rand_u16(void)
{
	uint16_t x;
	rand_fill(&x, sizeof x);
	return x;
}

uint32_t rand_u32(void)
{
	uint32_t x;
	rand_fill(&x, sizeof x);
	return x;
}

uint32_t rand_below(uint32_t bound)
{
	/* Values below 2^32 mod bound would make the low results likelier. */
	uint32_t floor = -bound % bound;
	uint32_t x;
	do
		x = rand_u32();
	while (x < floor);
	return x % bound;
}
