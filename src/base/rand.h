/* SPDX-License-Identifier: BSD-2-Clause */
/* rand.h -- random bytes from the kernel; tests replace this file at link time
 *
 * What     Every byte is the kernel's (getrandom), given out once and then wiped.
 * Threads  Any; each has some bytes in store. The program does not fork.
 */
#pragma once

#include "base/def.h"

/* Fills p; ends the process when the kernel has no randomness to give. */
void rand_fill(void *p, size_t n);
uint16_t rand_u16(void);
uint32_t rand_u32(void);
/* Uniform in 0..bound-1; bound > 0. */
uint32_t rand_below(uint32_t bound);
