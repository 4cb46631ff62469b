/* SPDX-License-Identifier: BSD-2-Clause */
/* tickets.h -- keys of the tickets that TLS sessions are taken up again with
 *
 * What     A key that tickets are sealed with, and the two before it, which still open theirs.
 *          They are drawn at random, live in memory alone and outlive every reload, so that a
 *          client that comes to another worker or after another certificate resumes.
 * Threads  Any. Read under a lock, once for each handshake.
 * Limits   Rotated by whoever has a clock, every 12 hours; a ticket is good for 24.
 * Read     RFC 5077, 8446 4.6.1, 9325 4.4.
 */
#pragma once

#include "base/def.h"

enum {
	TICKET_ROTATE_S = 12 * 3600,
	TICKET_LIFE_S = 24 * 3600,
	TICKET_KEYS = 3
};

struct tickets;
struct tickets *tickets_new(void);
/* No side may use them any more. */
void tickets_free(struct tickets **tickets);
/* A new key; the oldest opens nothing from now on. */
void tickets_rotate(struct tickets *tickets);
