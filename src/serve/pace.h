/* SPDX-License-Identifier: BSD-2-Clause */
/* pace.h -- replies that come late go to each client a few at a time
 *
 * What     Whoever forges a client's address can have many questions wait for slow servers, and
 *          all their answers fall upon that client at once (DNSBomb, CVE-2024-33655). Of
 *          replies that took long, a client gets some every PACE_MS; the others wait for their
 *          turn, and those for which there is no place are dropped.
 * Threads  One worker.
 * Memory   Copies of the replies that wait.
 * Limits   PACE_BURST replies every PACE_MS and client, of all workers together (one a worker
 *          at least); PACE_HELD replies of a client wait, PACE_ALL of all clients.
 */
#pragma once

#include "net/item.h"
#include "net/loop.h"

enum {
	PACE_MS = 10,
	PACE_BURST = 20,
	PACE_HELD = 100,
	PACE_ALL = 2000
};

struct pace;
/* workers: how many share the limit. */
struct pace *pace_new(struct loop *loop, unsigned workers);
/* What waits is not sent. */
void pace_free(struct pace **pace);
/* later_send() now, in its turn, or with nothing when there is no place. */
void pace_send(struct pace *pace, const struct addr *client, struct later **later,
	const uint8_t *reply, size_t len);
