/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_framing.c -- messages cut from a stream do not depend on how its bytes arrive
 *
 * What     The first bytes of the input say how the rest is split into reads. The
 *          messages that come out must be those of a plain walk over the whole.
 */
#include "base/mem.h"
#include "net/frame.h"
#include "net/hold.h"

#include <string.h>

enum {
	SPLITS = 16,
	ROOM = 1 << 18,
	FRAMES = 4
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The next message of the plain walk is this one. */
static void must_match(const uint8_t *data, size_t n, size_t *at, const struct frame *frame)
{
	must(n - *at >= 2);
	size_t len = (size_t)data[*at] * 256 + data[*at + 1];
	must(len == frame->len && n - *at - 2 >= len);
	must(memcmp(data + *at + 2, frame->p, len) == 0);
	*at += 2 + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < SPLITS || n > ROOM)
		return 0;
	const uint8_t *splits = data;
	data += SPLITS;
	n -= SPLITS;

	struct holds holds;
	struct hold *rest = NULL;
	uint8_t *room = mem_new(ROOM);
	size_t walked = 0, at = 0;
	holds_init(&holds, ROOM * 2);
	for (size_t i = 0; at < n; i++) {
		size_t was = hold_len(rest);
		if (was)
			memcpy(room, rest->bytes + rest->at, was);
		/* Reads of 1..64 bytes, or of 256 and more. */
		uint8_t split = splits[i % SPLITS];
		size_t got = split < 64 ? 1u + split : (size_t)split * 16;
		got = got < n - at ? got : n - at;
		memcpy(room + was, data + at, got);
		at += got;

		struct frame frames[FRAMES];
		size_t used = 0, taken, count;
		while ((count = frame_cut(
				room + used, was + got - used, frames, FRAMES, &taken))) {
			must(count <= FRAMES);
			for (size_t k = 0; k < count; k++)
				must_match(data, n, &walked, &frames[k]);
			used += taken;
		}
		must(walked == at - (was + got - used));
		must(frame_missing(room + used, was + got - used) > 0);
		if (used < was) {
			hold_skip(&holds, &rest, used);
			must(hold_put(&holds, &rest, room, room + was, got) == 0);
		} else {
			hold_free(&holds, &rest);
			must(hold_put(&holds, &rest, room, room + used, was + got - used) == 0);
		}
		must(rest ? holds_largest(&holds) == room : holds.bytes == 0);
	}
	/* What is left over is no whole message. */
	must(n - walked < 2 || n - walked - 2 < (size_t)data[walked] * 256 + data[walked + 1]);
	hold_free(&holds, &rest);
	must(holds.bytes == 0);
	mem_free(room);
	return 0;
}
