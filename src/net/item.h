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
	REPLY_DROP = 0,   /* no reply; on a stream the connection is closed without a byte */
	REPLY_LATER = -1, /* item_hold() was called: the reply comes by later_send() */
};

/* The way back to who asked, kept while the answer is looked for. */
struct later { /* open: the transports fill it */
	void (*send)(struct later *later, const uint8_t *reply, size_t len);
};

struct item {                 /* open: the hot path */
	const uint8_t *query; /* up to query_len readable bytes */
	uint8_t *reply;       /* room writable bytes; not overlapping query */
	uint32_t query_len, room;
	int32_t reply_len; /* out: bytes of the reply, or REPLY_DROP */
	enum transport transport;
	const struct addr *peer;
	void *scratch; /* of the worker, one per place in a batch */
	/* the transport's */
	struct later *(*hold)(const struct item *item);
	void *owner;
};

/* NULL without memory; then the item has to be answered now. */
static inline struct later *item_hold(const struct item *item)
{
	return item->hold(item);
}

/* Sends reply[0..len-1], nothing when len is 0 or who asked is gone, and frees *later. At most
 * 64 KiB on a stream, what the item had room for over UDP. */
static inline void later_send(struct later **later, const uint8_t *reply, size_t len)
{
	struct later *l = *later;
	*later = NULL;
	l->send(l, reply, len);
}

/* Answers n items (1..BATCH_MAX) in place. Called on the loop's thread. */
enum {
	BATCH_MAX = 32
};
typedef void item_batch_fn(void *user, struct item *items, size_t n);
