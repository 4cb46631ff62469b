/* SPDX-License-Identifier: BSD-2-Clause */
/* count.h -- counters with one writer
 *
 * What     The owning thread adds without a locked instruction; any thread reads.
 */
#pragma once

#include "base/def.h"

#include <stdatomic.h>

static inline void count_add(_Atomic uint64_t *count, uint64_t n)
{
	uint64_t was = atomic_load_explicit(count, memory_order_relaxed);
	atomic_store_explicit(count, was + n, memory_order_relaxed);
}

static inline uint64_t count_get(const _Atomic uint64_t *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}
