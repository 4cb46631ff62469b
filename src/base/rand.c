/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rand.h"

#include <errno.h>
#include <sys/random.h>

void rand_fill(void *p, size_t n)
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
