/* SPDX-License-Identifier: BSD-2-Clause */
/* case.h -- questions in mixed spelling, which an echo has to repeat (0x20)
 *
 * What     The letters of a name are turned by the bits of a seed, so that a question need not
 *          be kept to be compared with what is echoed.
 * Threads  Pure.
 * Limits   64 bits of chance; names with more letters use them again.
 */
#pragma once

#include "wire/name.h"

/* out: as many bytes as name, which is in lower case. Returns the letters there are. */
unsigned case_mix(uint8_t *out, const uint8_t *name, uint64_t seed);
/* Whether echo, which is the same name in some spelling, is the one the seed makes. */
bool case_is_echoed(const uint8_t *echo, const uint8_t *name, uint64_t seed) PURE;
