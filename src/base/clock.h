/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.h -- time; tests replace this file at link time
 *
 * What     Monotonic (runs on in suspend) for timeouts and TTLs; the wall clock
 *          for cookies, signatures and logs only.
 */
#pragma once

#include "base/def.h"

uint64_t clock_mono_ms(void);
uint64_t clock_mono_us(void);
uint64_t clock_wall_s(void); /* seconds since 1970, 64 bits: good past 2038 and 2106 */
