/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <time.h>

uint64_t clock_mono_us(void)
{
	struct timespec t;
	must(clock_gettime(CLOCK_BOOTTIME, &t) == 0);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

uint64_t clock_wall_s(void)
{
	struct timespec t;
	must(clock_gettime(CLOCK_REALTIME, &t) == 0);
	return (uint64_t)t.tv_sec;
}
