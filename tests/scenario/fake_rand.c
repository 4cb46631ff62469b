/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that look like chance and are the same in every run: SplitMix64. */
#include "base/rand.h"
#include "scenario/fake.h"

static uint64_t state = 1;

static uint64_t draw(void)
{
	uint64_t x = state += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

void fake_rand_seed(uint64_t seed)
{
	state = seed;
}

void rand_fill(void *p, size_t n)
{
	uint8_t *at = p;
	for (uint64_t x = 0; n; n--, x >>= 8) {
		if (!x)
			x = draw();
		*at++ = (uint8_t)x;
	}
}

uint16_t rand_u16(void)
{
	return (uint16_t)draw();
}

uint32_t rand_u32(void)
{
	return (uint32_t)draw();
}

uint32_t rand_below(uint32_t bound)
{
	must(bound > 0);
	return (uint32_t)((draw() >> 32) * bound >> 32);
}
