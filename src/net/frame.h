/* SPDX-License-Identifier: BSD-2-Clause */
/* frame.h -- messages in a stream of bytes, each after two bytes of length
 *
 * What     Pure: memory in, views of it out.
 * Read     RFC 1035 4.2.2, RFC 7766 8.
 */
#pragma once

#include "base/def.h"

enum {
	FRAME_HEAD = 2,
	FRAME_MAX = FRAME_HEAD + 65535
};

struct frame {            /* open: a view */
	const uint8_t *p; /* behind the length bytes */
	uint32_t len;     /* 0..65535 */
};

/* Cuts at most max whole messages off the front of p[0..n-1]; *used is what they take with
 * their length bytes. */
size_t frame_cut(const uint8_t *p, size_t n, struct frame *out, size_t max, size_t *used);
/* How many bytes the message at the front still needs; while its length is not known, to
 * know it. 0: it is whole. */
size_t frame_missing(const uint8_t *p, size_t n) PURE;
