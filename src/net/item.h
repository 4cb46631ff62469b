/* SPDX-License-Identifier: BSD-2-Clause */
/* item.h -- one query on its way through the pipe
 *
 * What     A view of the query, room for the answer, where it came from. Who owns
 *          the memory is the batch's affair (UDP slots, a stream's buffers).
 */
#pragma once

#include "base/def.h"
#include "net/addr.h"

enum transport {
	TRANSPORT_UDP,
	TRANSPORT_TCP,
	TRANSPORT_TLS
};

enum {
	REPLY_DROP = 0
}; /* no reply; on a stream the connection is closed without a byte */

struct item {                 /* open: the hot path */
	const uint8_t *query; /* up to query_len readable bytes */
	uint8_t *reply;       /* room writable bytes; not overlapping query */
	uint32_t query_len, room;
	int32_t reply_len; /* out: bytes of the reply, or REPLY_DROP */
	enum transport transport;
	const struct addr *peer;
	void *scratch; /* of the worker, one per place in a batch */
};

/* Answers n items (1..BATCH_MAX) in place. Called on the loop's thread. */
enum {
	BATCH_MAX = 32
};
typedef void item_batch_fn(void *user, struct item *items, size_t n);
