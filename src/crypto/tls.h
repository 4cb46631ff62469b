/* SPDX-License-Identifier: BSD-2-Clause */
/* tls.h -- TLS of one connection, over memory
 *
 * What     Turns the bytes of a socket into those of DNS and back, for the side that was called
 *          and for the one that calls. It knows no socket: what came and room for what is to be
 *          sent are lent by the worker for the time of a call.
 * Threads  A connection belongs to one thread; a side (tls_side) is shared by all.
 * Memory   At rest a connection holds about 10 KiB of OpenSSL's and none of its buffers.
 * Limits   TLS 1.2 with AEAD and 1.3; a hundred key updates a second.
 * Read     RFC 7858, 8446, 9325.
 */
#pragma once

#include "base/def.h"

/* What came and what is to be sent. Whoever lends it sends out[0..out_len-1] after a call. */
struct tls_io { /* open */
	const uint8_t *in;
	size_t in_len; /* not read yet; TLS takes from the front */
	uint8_t *out;
	size_t out_len, room;
};

enum tls_result {
	TLS_OK,   /* done, or nothing more can be done before more comes */
	TLS_FULL, /* io has no room left: send, then call again */
	TLS_END,  /* the peer said that nothing more comes */
	TLS_LOST, /* broken off, see tls_reason(); what io holds is still to be sent */
};

/* Certificate, key and rules that connections of one kind share; counted. */
struct tls_side;
struct tls_side *tls_side_hold(struct tls_side *side);
void tls_side_drop(struct tls_side **side);

struct tls;
/* NULL: no memory. */
struct tls *tls_new(struct tls_side *side);
void tls_free(struct tls **tls);

/* Goes on with the handshake. TLS_OK and tls_is_ready(): it is over. */
enum tls_result tls_shake(struct tls *tls, struct tls_io *io);
bool tls_is_ready(const struct tls *tls);
/* A session of before was taken up again. */
bool tls_is_resumed(const struct tls *tls);
/* Reads to p[0..room-1]; *n gets how much. */
enum tls_result tls_read(
	struct tls *tls, struct tls_io *io, uint8_t *p, size_t room, size_t *n);
/* Writes p[0..len-1], *n of them (all but when TLS_FULL). The first write of a server takes a
 * ticket along. */
enum tls_result tls_write(
	struct tls *tls, struct tls_io *io, const uint8_t *p, size_t len, size_t *n);
/* Says that nothing more comes; there is no answer to wait for. */
void tls_end(struct tls *tls, struct tls_io *io);

/* After TLS_LOST: a sentence's end, "certificate has expired". Until the thread's next call. */
const char *tls_reason(const struct tls *tls);
/* "TLSv1.3"; of a connection that is ready. */
const char *tls_version(const struct tls *tls);
