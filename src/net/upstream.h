/* SPDX-License-Identifier: BSD-2-Clause */
/* upstream.h -- a question to another server, and what came back
 *
 * What     UDP: a fresh connected socket for every question, its port drawn from 1024..65535
 *          out of the kernel's randomness (hazards A1, A2, A5); one epoll set within the
 *          loop's, so that no libuv handle is made for a question; sockets are closed in
 *          batches. TCP: kept connections per server, pipelined, replies in any order (RFC
 *          7766). A reply is looked at only when it comes from the address asked, is a
 *          response, and has the id and the question, in its exact spelling when asked so;
 *          anything else leaves the question waiting and is counted as a near miss.
 * Threads  One set per loop; everything on its thread.
 * Memory   Counted; at most opts.questions at a time.
 * Limits   8 near misses (L25) end a datagram's question as UPSTREAM_SPOOFED; a TCP reply has
 *          at most 65,535 bytes; connections idle for 10 s are closed, or when the server
 *          says so (RFC 7828), at the latest after a minute; one that goes silent gets no
 *          further question; 64 questions wait on one for their replies.
 */
#pragma once

#include "base/def.h"
#include "net/addr.h"
#include "net/loop.h"

enum upstream_result {
	UPSTREAM_REPLY,
	UPSTREAM_TIMEOUT,
	UPSTREAM_UNREACHABLE, /* refused, no route, the connection was closed on us */
	UPSTREAM_SPOOFED,     /* too many near misses: ask over TCP */
};

struct upstream_ask { /* open */
	const struct addr *server;
	bool is_tcp, is_case_exact;
	const uint8_t *query; /* a whole message of one question; its id is drawn here */
	size_t len;
	uint32_t timeout_ms;
};

struct upstream_reply { /* open: for the time of the call */
	enum upstream_result result;
	const uint8_t *msg; /* of UPSTREAM_REPLY, the id being that of the query sent */
	size_t len;
	uint64_t took_us;
	const struct addr *server;
	bool is_tcp;
};
typedef void upstream_fn(void *user, const struct upstream_reply *reply);

struct upstream_opts {                /* open */
	uint32_t questions;           /* at a time: 10000 */
	uint32_t connections;         /* TCP, at a time: 1000 */
	struct addr source4, source6; /* family 0: the system's choice */
};
struct upstream_count { /* open: written by the loop's thread */
	_Atomic uint64_t sent_udp, sent_tcp, replies, timeouts, unreachable;
	_Atomic uint64_t near_misses, spoofed;
	_Atomic uint64_t open; /* questions now */
};

struct upstream;
struct exchange;
struct upstream *upstream_new(struct loop *loop, const struct upstream_opts *opts);
/* Cancels what is open; no done is called. Not from within a done. */
void upstream_free(struct upstream **upstream);
/* done is called once, from the loop, never from within; the exchange is gone when it is. It
 * may send and cancel. NULL: at the limit, or no socket to be had. */
struct exchange *upstream_send(struct upstream *upstream, const struct upstream_ask *ask,
	upstream_fn *done, void *user) CHECKED;
/* done will not be called. */
void exchange_cancel(struct exchange **exchange);
const struct upstream_count *upstream_counts(const struct upstream *upstream);
