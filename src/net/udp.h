/* SPDX-License-Identifier: BSD-2-Clause */
/* udp.h -- datagrams in batches
 *
 * What     recvmmsg, one call of the batch function, sendmmsg; read again only after a full
 *          batch. Partial sends are resumed and holes (dropped items) skipped.
 *          Replies leave from the address that was asked (wildcard listeners
 *          note it by IP_PKTINFO); never fragmented by us (IP_PMTUDISC_OMIT).
 * Threads  One loop.
 * Memory   All slots are allocated at creation.
 */
#pragma once

#include "base/err.h"
#include "net/item.h"
#include "net/loop.h"

enum {
	UDP_REPLY_MAX = 4096
};

struct udp_count { /* open: written by the loop's thread, read by others with relaxed loads */
	_Atomic uint64_t received, sent, dropped, send_errors;
};

/* A bound non-blocking socket with the options above set; receive buffer 4 MiB where allowed;
 * SO_REUSEPORT. fd or -errno with the reason ("cannot listen on 127.0.0.1@53: ...").
 * is_first: the first socket of a listener, which must find the address free of other
 * servers; the other workers' sockets join it. */
int udp_bind(const struct addr *addr, bool is_first, struct err *err) CHECKED;

/* Sets the options above on a socket bound to addr that was inherited (socket_adopt()). */
void udp_adopt(int fd, const struct addr *addr);

struct udp;
/* Serves fd (which stays the caller's) on loop. Of scratch, BATCH_MAX pieces of scratch_size
 * bytes are made and one handed with each item. NULL when fd is no such socket or memory is
 * short. A datagram over 4096 bytes comes as an item of 0 bytes and gets no reply. */
struct udp *udp_open(
	struct loop *loop, int fd, item_batch_fn *on_batch, void *user, size_t scratch_size);
void udp_close(struct udp **udp);
const struct udp_count *udp_counts(const struct udp *udp);
