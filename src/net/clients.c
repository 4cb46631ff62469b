/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/clients.h"

#include "base/mem.h"
#include "base/rand.h"

#include <errno.h>
#include <string.h>

enum {
	FIRST_SIZE = 64
};

struct client_row {
	uint64_t client; /* the hash stands for the client: 64 bits do not meet by chance */
	uint32_t count;  /* 0: the row is free */
};

void clients_init(struct clients *clients)
{
	memset(clients, 0, sizeof *clients);
	lock_init(&clients->lock);
	rand_fill(&clients->key, sizeof clients->key);
	clients->size = FIRST_SIZE;
	clients->rows = mem_array(clients->size, sizeof *clients->rows);
}

void clients_fini(struct clients *clients)
{
	mem_free(clients->rows);
	clients->rows = NULL;
	lock_fini(&clients->lock);
}

uint64_t clients_of(
	const struct clients *clients, const struct addr *addr, unsigned ipv6_bytes)
{
	size_t n;
	const uint8_t *bytes = addr_bytes(addr, &n);
	return hash_sip(&clients->key, bytes, n == 16 ? ipv6_bytes : 4, 1, 3);
}

/* The client's row, or the free one where it would be. */
static uint32_t row_of(const struct client_row *rows, uint32_t size, uint64_t client)
{
	uint32_t i = (uint32_t)client & (size - 1);
	while (rows[i].count && rows[i].client != client)
		i = (i + 1) & (size - 1);
	return i;
}

uint32_t clients_count(struct clients *clients, uint64_t client)
{
	lock_take(&clients->lock);
	uint32_t count = clients->rows[row_of(clients->rows, clients->size, client)].count;
	lock_release(&clients->lock);
	return count;
}

static int grow(struct clients *clients)
{
	uint32_t size = clients->size * 2;
	struct client_row *rows = mem_try(size * sizeof *rows);
	if (!rows)
		return -ENOMEM;
	memset(rows, 0, size * sizeof *rows);
	for (uint32_t i = 0; i < clients->size; i++) {
		const struct client_row *row = &clients->rows[i];
		if (row->count)
			rows[row_of(rows, size, row->client)] = *row;
	}
	mem_free(clients->rows);
	clients->rows = rows;
	clients->size = size;
	return 0;
}

static int put(struct clients *clients, uint64_t client, uint32_t limit)
{
	uint32_t i = row_of(clients->rows, clients->size, client);
	if (clients->rows[i].count >= limit)
		return -EUSERS;
	if (!clients->rows[i].count) {
		if (clients->used >= clients->size / 5 * 4) {
			int e = grow(clients);
			if (e)
				return e;
			i = row_of(clients->rows, clients->size, client);
		}
		clients->rows[i].client = client;
		clients->used++;
	}
	clients->rows[i].count++;
	return 0;
}

int clients_put(struct clients *clients, uint64_t client, uint32_t limit)
{
	lock_take(&clients->lock);
	int e = put(clients, client, limit);
	lock_release(&clients->lock);
	return e;
}

static void drop(struct clients *clients, uint64_t client)
{
	struct client_row *rows = clients->rows;
	uint32_t mask = clients->size - 1, i = row_of(rows, clients->size, client);
	must(rows[i].count);
	if (--rows[i].count)
		return;
	clients->used--;
	/* Rows behind the gap that were pushed past it move up, so that searches may stop at
	 * it. */
	for (uint32_t j = (i + 1) & mask; rows[j].count; j = (j + 1) & mask) {
		uint32_t home = (uint32_t)rows[j].client & mask;
		if (((j - home) & mask) >= ((j - i) & mask)) {
			rows[i] = rows[j];
			rows[j].count = 0;
			i = j;
		}
	}
}

void clients_drop(struct clients *clients, uint64_t client)
{
	lock_take(&clients->lock);
	drop(clients, client);
	lock_release(&clients->lock);
}
