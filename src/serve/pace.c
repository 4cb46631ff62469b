/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/pace.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/rand.h"

#include <string.h>

enum {
	CLIENTS = 4096,  /* those with like hashes share their turns */
	CLIENT_BYTES = 7 /* an IPv6 /56 */
};

struct held {
	struct list list;
	struct later *later;
	uint32_t client, len;
	uint8_t reply[];
};

struct pace {
	struct loop_timer *timer;
	struct hash_key key;
	struct list all; /* oldest first */
	size_t n;
	uint64_t since_ms; /* when this turn began */
	uint8_t burst;
	uint8_t sent[CLIENTS]; /* in this turn */
	uint8_t held[CLIENTS];
};

static void start_turn(struct pace *p, uint64_t now_ms)
{
	p->since_ms = now_ms;
	memset(p->sent, 0, sizeof p->sent);
}

static void drop(struct pace *p, struct held *held)
{
	list_drop(&held->list);
	p->held[held->client]--;
	p->n--;
	mem_free(held);
}

static void on_time(void *user)
{
	struct pace *p = user;
	start_turn(p, clock_mono_ms());
	for (struct list *at = p->all.next, *next; at != &p->all; at = next) {
		struct held *held = container_of(at, struct held, list);
		next = at->next;
		if (p->sent[held->client] == p->burst)
			continue;
		p->sent[held->client]++;
		later_send(&held->later, held->reply, held->len);
		drop(p, held);
	}
	if (p->n == 0)
		loop_timer_stop(p->timer);
}

struct pace *pace_new(struct loop *loop, unsigned workers)
{
	struct pace *p = mem_new(sizeof *p);
	list_init(&p->all);
	rand_fill(&p->key, sizeof p->key);
	p->burst = (uint8_t)(workers < PACE_BURST ? PACE_BURST / workers : 1);
	p->timer = loop_timer_new(loop, on_time, p);
	return p;
}

void pace_free(struct pace **of)
{
	struct pace *p = *of;
	*of = NULL;
	if (!p)
		return;
	while (p->n) {
		struct held *held = container_of(p->all.next, struct held, list);
		later_send(&held->later, NULL, 0);
		drop(p, held);
	}
	loop_timer_free(&p->timer);
	mem_free(p);
}

static uint32_t client_of(const struct pace *p, const struct addr *addr)
{
	size_t n;
	const uint8_t *bytes = addr_bytes(addr, &n);
	return hash_sip(&p->key, bytes, n == 16 ? CLIENT_BYTES : n, 1, 3) % CLIENTS;
}

/* False: there is no place. */
static bool hold(
	struct pace *p, uint32_t client, struct later *later, const uint8_t *reply, size_t len)
{
	if (p->n == PACE_ALL || p->held[client] == PACE_HELD)
		return false;
	struct held *held = mem_try(sizeof *held + len);
	if (!held)
		return false;
	*held = (struct held){ .later = later, .client = client, .len = (uint32_t)len };
	memcpy(held->reply, reply, len);
	if (p->n == 0)
		loop_timer_start(p->timer, PACE_MS, PACE_MS);
	list_put(&p->all, &held->list);
	p->held[client]++;
	p->n++;
	return true;
}

void pace_send(struct pace *p, const struct addr *addr, struct later **later,
	const uint8_t *reply, size_t len)
{
	uint32_t client = client_of(p, addr);
	uint64_t now_ms = clock_mono_ms();
	if (p->n == 0 && now_ms >= p->since_ms + PACE_MS)
		start_turn(p, now_ms);
	if (p->sent[client] < p->burst && !p->held[client]) {
		p->sent[client]++;
		later_send(later, reply, len);
	} else if (hold(p, client, *later, reply, len)) {
		*later = NULL;
	} else {
		later_send(later, NULL, 0);
	}
}
