/* SPDX-License-Identifier: BSD-2-Clause */
/* fake.h -- a world without sockets, clocks and chance
 *
 * What     libfake.a: fake_clock.c, fake_rand.c, fake_loop.c and fake_upstream.c stand in for
 *          base/clock.c, base/rand.c, net/loop.c and net/upstream.c when they are linked before
 *          the libraries. Time stands still but where a test moves it; it then jumps from one
 *          event to the next. The same calls yield the same bytes in every run.
 * Threads  One; what is told here holds for the whole program.
 */
#pragma once

#include "net/upstream.h"
#include "wire/message.h"

/* ---- time and chance ---- */

enum {
	FAKE_START_S = 100000 /* what the monotonic clock begins with */
};

/* Time and the sequence of random bytes begin anew; wall_s: the date. Nothing may be open. */
void fake_reset(uint64_t wall_s);
void fake_clock_set_wall(uint64_t wall_s);
/* Forward only. */
void fake_clock_set_us(uint64_t mono_us);
/* So much time may pass in a step; in the real world a test has not for ever. */
bool fake_can_pass(uint64_t ms);
void fake_rand_seed(uint64_t seed);

/* ---- the loop ---- */

/* Runs the next event that is due until then (the clock jumps to it). False: there is none,
 * and the clock has not moved. */
bool fake_step(struct loop *loop, uint64_t until_ms);
/* Runs what is due within so many milliseconds, at most `events` of it, and leaves the clock at
 * their end. False: there was more than `events`. */
bool fake_pass(struct loop *loop, uint64_t ms, uint32_t events);
/* When the next timer rings; UINT64_MAX: none is set. */
uint64_t fake_due_ms(const struct loop *loop);

/* ---- other servers ---- */

enum fake_does {
	FAKE_SILENT, /* nothing comes, the question times out */
	FAKE_HELD,   /* nothing, not even a time-out, until fake_exchange_*() */
	FAKE_REPLIES,
	FAKE_UNREACHABLE,
};

struct fake_query { /* open */
	/* in */
	const struct addr *server;
	bool is_tcp;
	unsigned nth;       /* how many datagrams came back for this question before */
	const uint8_t *msg; /* the question as sent, with its id */
	size_t len;
	/* out: zero, FAKE_SILENT, when the function is called */
	enum fake_does does;
	uint32_t delay_ms; /* since the question, or the datagram before */
	bool has_more;     /* ask again behind this one, should it not be believed */
	size_t reply_len;
	uint8_t reply[MESSAGE_MAX_LEN];
};
typedef void fake_server_fn(void *user, struct fake_query *q);
/* Who answers every question from now on; NULL: nobody does. */
void fake_upstream_serve(fake_server_fn *fn, void *user);

/* The questions that wait, in the order they were sent: NULL begins and ends. */
struct exchange *fake_exchange_next(const struct exchange *before);
const uint8_t *fake_exchange_query(const struct exchange *x, size_t *len);
const struct addr *fake_exchange_server(const struct exchange *x);
bool fake_exchange_is_tcp(const struct exchange *x);
bool fake_exchange_is_held(const struct exchange *x);
/* Comes at the loop's next turn. */
void fake_exchange_reply(struct exchange *x, const uint8_t *msg, size_t len);
void fake_exchange_time_out(struct exchange *x);
