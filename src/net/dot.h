/* SPDX-License-Identifier: BSD-2-Clause */
/* dot.h -- what TLS adds to a connection; for net/ only
 *
 * What     The engine of a connection, and the line in which handshakes wait for their turn, so
 *          that answers over UDP and on connections that are there never wait for them.
 * Limits   64 handshakes under way in a set; a quarter of the time while there is other work.
 * Read     RFC 7858; hazards E4, T1 to T13.
 */
#pragma once

#include "net/stream_inside.h"

/* Makes c one that speaks TLS; false: no certificate, or no memory. */
bool dot_new(struct conn *c);
void dot_free(struct conn *c);
/* Its handshake is not over. */
bool dot_is_shaking(const struct conn *c);
/* Nothing is read from it before its turn. */
bool dot_is_in_line(const struct conn *c);
/* What came for a connection whose handshake is not over is seen to in its turn. */
void dot_queue(struct conn *c);
/* Reads from the socket and opens what came to p[0..room-1]. */
enum took dot_take(struct conn *c, uint8_t *p, size_t room, size_t *got);
/* Seals and sends, or keeps; false: the connection is lost. */
bool dot_put(struct conn *c, const uint8_t *p, size_t n);
/* The same for one answer, without its length in front. */
bool dot_put_answer(struct conn *c, const uint8_t *reply, size_t len);
/* Tells the peer that nothing more comes. */
void dot_end(struct conn *c);

void dots_init(struct streams *set);
/* Room for bytes, on the first listener that speaks TLS. False: no memory. */
bool dots_prepare(struct streams *set);
void dots_fini(struct streams *set);
