/* SPDX-License-Identifier: BSD-2-Clause */
/* special.h -- names that no link is asked about: special-use names as zones of ours
 *
 * What     localhost. and the reverse zones of loopback have their records; the others are
 *          empty: what is asked below them is not there, and nobody outside hears of it.
 * Threads  Pure.
 * Read     RFC 6303, 6598, 6761, 6762, 7534, 7686, 7793, 8375, 9462, 9476.
 */
#pragma once

#include "base/def.h"

struct zone;

/* How many rows there are. */
size_t special_rows(void);
/* The name of row i as text. */
const char *special_name(size_t i);
/* Its zone, held once; is_special is set. */
struct zone *special_zone(size_t i) CHECKED;
/* The same for any name (on the wire, lower case): an empty zone. */
struct zone *special_empty(const uint8_t *name) CHECKED;
