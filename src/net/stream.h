/* SPDX-License-Identifier: BSD-2-Clause */
/* stream.h -- DNS over TCP, in clear text or in TLS
 *
 * What     Accepts, frames by the two length bytes, hands whole batches of queries
 *          to the batch function, gathers the answers of a wake-up into one write. On a
 *          listener for TLS that is the same behind a handshake (crypto/tls.h).
 * Threads  One set of streams per loop.
 * Memory   A connection at rest owns no buffer. Half a query or unsent answers are
 *          copied into buffers counted against the memory limit.
 * Limits   Connections in all and per client, idle time (a tenth of it when three
 *          quarters full), 2 s for a message; 128 KiB of unread answers, then reading
 *          stops, 5 s without progress, then reset; near the memory limit reading
 *          stops, beyond it the largest holder is reset. A read takes 4 KiB. The oldest
 *          idle connection makes room for a new one.
 *          Handshakes: 64 under way, 2 s each, a quarter of the time while there is other work.
 * Read     RFC 7766, 7828, 7858.
 */
#pragma once

#include "base/err.h"
#include "net/clients.h"
#include "net/item.h"
#include "net/loop.h"

struct stream_opts {          /* open: plain values, for one set */
	uint32_t idle_ms;     /* 10000 */
	uint32_t message_ms;  /* 2000 from the first byte of a query to its last */
	uint32_t stall_ms;    /* 5000 without progress of unsent answers */
	uint32_t connections; /* of this loop's set */
	uint32_t per_client;  /* per IPv4 address or IPv6 /64, over all sets */
	uint64_t memory;      /* bytes of buffers of this loop's set */
	uint32_t sets;        /* that share the process's descriptors; 0 counts as 1 */
};

struct stream_count { /* open: written by the loop's thread, read by any with count_get() */
	_Atomic uint64_t accepted, refused, closed_idle, reset_slow, reset_memory, queries;
	_Atomic uint64_t shaken, resumed, tls_lost; /* TLS: handshakes, those of a session of
	                                             * before, connections broken off */
	_Atomic uint64_t open, bytes;               /* now */
};

/* A listening non-blocking socket (SO_REUSEPORT, TCP_NODELAY inherited, backlog 4096). fd or
 * -errno; is_first as in udp_bind(). */
int stream_bind(const struct addr *addr, bool is_first, struct err *err) CHECKED;

/* Sets the options above on a listening socket that was inherited (socket_adopt()). */
void stream_adopt(int fd);

struct streams;
/* clients: who has how many, over all sets that count there; it must outlive them. NULL when
 * there is no memory. */
struct streams *streams_new(struct loop *loop, const struct stream_opts *opts,
	struct clients *clients, item_batch_fn *on_batch, void *user, size_t scratch_size);
/* Accepts from fd, which stays the caller's. false when it cannot be polled. is_tls: nothing is
 * accepted until there is a side. */
bool streams_listen(struct streams *streams, int fd, bool is_tls);
/* What new connections speak TLS with, held here; NULL: none are taken. Those that are there
 * keep theirs. */
struct tls_side;
void streams_set_side(struct streams *streams, struct tls_side *side);
/* New limits, also for what is there; fewer connections close the oldest idle ones. The
 * descriptor limit of the process is looked at here and in streams_new(). */
void streams_set_opts(struct streams *streams, const struct stream_opts *opts);
/* Stops accepting, closes idle connections, and calls done, from the loop, when the last one
 * has its answers; after 2 s the rest is reset. */
void streams_drain(struct streams *streams, void (*done)(void *user), void *user);
void streams_free(struct streams **streams);
/* Bytes of a connection at rest, libuv's handle included. */
size_t stream_connection_size(void);
const struct stream_count *streams_counts(const struct streams *streams);
