/* SPDX-License-Identifier: BSD-2-Clause */
/* clients.h -- how many connections, or questions, each client has
 *
 * What     A client is an IPv4 address or an IPv6 prefix. Open addressing on a
 *          SipHash of it under a key of its own: nobody can aim at one bucket.
 * Threads  Any: all who share a table count under its lock, which is held for some look-ups,
 *          once when a connection comes and once when it goes.
 * Memory   One table of 16-byte rows, doubled when it is four fifths full.
 */
#pragma once

#include "base/hash.h"
#include "base/lock.h"
#include "net/addr.h"

struct client_row;
struct clients { /* open: lies within its owner */
	struct lock lock;
	struct hash_key key;
	struct client_row *rows;
	uint32_t size, used; /* size is a power of two */
};

void clients_init(struct clients *clients);
void clients_fini(struct clients *clients);
/* Names the client for the calls below: an IPv4 address, or the first bytes of an IPv6 one. */
uint64_t clients_of(
	const struct clients *clients, const struct addr *addr, unsigned ipv6_bytes);
uint32_t clients_count(struct clients *clients, uint64_t client);
/* One connection more, when that makes at most limit: else -EUSERS; -ENOMEM when the table
 * cannot grow. */
int clients_put(struct clients *clients, uint64_t client, uint32_t limit) CHECKED;
/* One less; the client must have one. */
void clients_drop(struct clients *clients, uint64_t client);
