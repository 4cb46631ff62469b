/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/frame.h"

#include "base/bytes.h"

size_t frame_cut(const uint8_t *p, size_t n, struct frame *out, size_t max, size_t *used)
{
	size_t count = 0, at = 0;
	while (count < max && n - at >= FRAME_HEAD) {
		uint32_t len = get_u16(p + at);
		if (n - at - FRAME_HEAD < len)
			break;
		out[count++] = (struct frame){ p + at + FRAME_HEAD, len };
		at += FRAME_HEAD + len;
	}
	*used = at;
	return count;
}

size_t frame_missing(const uint8_t *p, size_t n)
{
	if (n < FRAME_HEAD)
		return FRAME_HEAD - n;
	size_t whole = FRAME_HEAD + (size_t)get_u16(p);
	return n < whole ? whole - n : 0;
}
