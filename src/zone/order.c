/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/order.h"

/* Canonical order of an absolute name's labels below the apex against a node's. */
static int compare_rel(unsigned n, const uint8_t *const at[], const struct node *node)
{
	uint8_t node_at[NAME_MAX_LABELS + 1];
	unsigned m = 0;
	for (unsigned i = 0; i < node->rel_len; i += node->rel[i] + 1u)
		node_at[m++] = (uint8_t)i;
	while (n && m) {
		const uint8_t *a = at[--n], *b = node->rel + node_at[--m];
		int d = memcmp(a + 1, b + 1, *a < *b ? *a : *b);
		if (d)
			return d;
		if (*a != *b)
			return *a - *b;
	}
	return n ? 1 : m ? -1 : 0;
}

uint64_t zone_order_prefix(const uint8_t *rel, size_t len)
{
	/* Labels from the right, each ended by a 0; bytes 0 and 1 are written as 1 and one
	 * more, so that the end of a label sorts before any byte of one. */
	uint8_t at[NAME_MAX_LABELS + 1], out[8 + 1];
	unsigned n = 0, used = 0;
	for (size_t i = 0; i < len; i += rel[i] + 1u)
		at[n++] = (uint8_t)i;
	while (n && used < 8) {
		const uint8_t *label = rel + at[--n];
		for (unsigned i = 1; i <= *label && used < 8; i++) {
			if (label[i] <= 1)
				out[used++] = 1;
			if (used < 8)
				out[used++] =
					label[i] <= 1 ? (uint8_t)(label[i] + 1) : label[i];
		}
		if (used < 8)
			out[used++] = 0;
	}
	uint64_t x = 0;
	for (unsigned i = 0; i < 8; i++)
		x = x << 8 | (i < used ? out[i] : 0u);
	return x;
}

const struct node *zone_nsec_before(const struct zone *zone, const uint8_t *name)
{
	const uint8_t *at[NAME_MAX_LABELS + 1], *p = name;
	unsigned n = 0;
	if (!zone->has_nsec)
		return NULL;
	for (; *p; p += *p + 1)
		at[n++] = p;
	must(n >= zone->apex_labels);
	n -= zone->apex_labels;
	uint64_t prefix = zone_order_prefix(name, (size_t)(p + 1 - name) - zone->apex_len);
	/* the answer is in low..high-1; entry 0 is the apex */
	uint32_t low = 0, high = zone->nsecs;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		uint64_t x = zone->nsec_prefix[middle];
		if (prefix < x ||
			(prefix == x &&
				compare_rel(n, at, zone_node(zone, zone->nsec[middle])) < 0))
			high = middle;
		else
			low = middle;
	}
	return zone_node(zone, zone->nsec[low]);
}

static uint64_t hash_prefix(const uint8_t *hash)
{
	uint64_t x = 0;
	for (unsigned i = 0; i < 8; i++)
		x = x << 8 | hash[i];
	return x;
}

const struct node *zone_nsec3_before(
	const struct zone *zone, const uint8_t hash[20], bool *is_match)
{
	*is_match = false;
	if (!zone->has_nsec3)
		return NULL;
	/* Hashes are spread evenly: the place is within a few square roots of where it should
	 * be. */
	uint32_t n = zone->hashes;
	uint32_t guess = (uint32_t)((unsigned __int128)hash_prefix(hash) * n >> 64);
	uint32_t low = 0, high = n; /* the first one above hash is in low..high */
	for (uint32_t step = 16; low < guess; step *= 2) {
		uint32_t at = guess > step ? guess - step : 0;
		if (at == 0 || memcmp(zone->hashed[at - 1].hash, hash, 20) <= 0) {
			low = at;
			break;
		}
		high = at;
	}
	for (uint32_t step = 16; guess + step < high; step *= 2)
		if (memcmp(zone->hashed[guess + step].hash, hash, 20) > 0) {
			high = guess + step;
			break;
		}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (memcmp(zone->hashed[middle].hash, hash, 20) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	uint32_t i = low;
	/* The one before the first wraps around to the last. */
	uint32_t before = i ? i - 1 : n - 1;
	*is_match = memcmp(zone->hashed[before].hash, hash, 20) == 0;
	return zone_node(zone, zone->hashed[before].offset);
}
