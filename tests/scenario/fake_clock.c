/* SPDX-License-Identifier: BSD-2-Clause */
/* What the test says is the time. */
#include "base/clock.h"
#include "scenario/fake.h"

/* The wall clock is the monotonic one and a distance. */
static uint64_t mono_us = (uint64_t)FAKE_START_S * 1000000, wall_s = 1800000000;

uint64_t clock_mono_us(void)
{
	return mono_us;
}

uint64_t clock_mono_ms(void)
{
	return mono_us / 1000;
}

uint64_t clock_wall_s(void)
{
	return wall_s + mono_us / 1000000 - FAKE_START_S;
}

void fake_clock_set_us(uint64_t us)
{
	must(us >= mono_us);
	mono_us = us;
}

void fake_clock_set_wall(uint64_t s)
{
	wall_s = s - (mono_us / 1000000 - FAKE_START_S);
}

bool fake_can_pass(uint64_t ms)
{
	(void)ms;
	return true;
}

void fake_reset(uint64_t s)
{
	mono_us = (uint64_t)FAKE_START_S * 1000000;
	wall_s = s;
	fake_rand_seed(1);
	fake_upstream_serve(NULL, NULL);
}
