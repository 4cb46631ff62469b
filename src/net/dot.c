/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS over TLS: what stands between the socket of a connection and its frames. */
#include "net/dot.h"

#include "base/clock.h"
#include "crypto/tls.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
	CIPHER_IN = 8192,
	WIRE = 64 * 1024, /* sealed bytes that go out with one call */
	BEGUN_MAX = 64,   /* handshakes under way (E4) */
	CHANCE_MS = 200,  /* then one makes room */
	ALONE_US = 50,    /* a turn of the loop that has nothing else to do takes less */
	CREDIT_US = 1000, /* a handshake's share may be saved up so far */
	SHARE = 3,        /* others get so much time for one of handshakes */
	NO_PLACE_MS = 20,
};

struct dot {
	struct conn *conn;
	struct tls *tls;  /* NULL: its turn has not come yet */
	struct list line; /* in the set's line, while it waits for its turn */
	bool is_begun;    /* among the set's begun */
};

/* ---- a connection ---- */

bool dot_new(struct conn *c)
{
	struct dot *dot = c->set->dots.side ? mem_try(sizeof *dot) : NULL;
	if (!dot)
		return false;
	*dot = (struct dot){ .conn = c };
	list_init(&dot->line);
	c->dot = dot;
	return true;
}

static void note_over(struct conn *c)
{
	if (!c->dot->is_begun)
		return;
	c->dot->is_begun = false;
	c->set->dots.begun--;
}

void dot_free(struct conn *c)
{
	if (!c->dot)
		return;
	note_over(c);
	list_drop(&c->dot->line);
	tls_free(&c->dot->tls);
	mem_free(c->dot);
	c->dot = NULL;
}

bool dot_is_shaking(const struct conn *c)
{
	return c->dot && (!c->dot->tls || c->dot->is_begun);
}

bool dot_is_in_line(const struct conn *c)
{
	return c->dot && !list_is_empty(&c->dot->line);
}

/* ---- bytes ---- */

static void note_ready(struct conn *c)
{
	struct stream_count *count = &c->set->count;
	note_over(c);
	count_add(&count->shaken, 1);
	if (tls_is_resumed(c->dot->tls))
		count_add(&count->resumed, 1);
}

/* One step of handshake and reading, as far as the room in io leads. */
static enum tls_result step(
	struct conn *c, struct tls_io *io, uint8_t *p, size_t room, size_t *got)
{
	struct tls *tls = c->dot->tls;
	enum tls_result result = TLS_OK;
	size_t n = 0;
	if (c->dot->is_begun)
		result = tls_shake(tls, io);
	if (c->dot->is_begun && result == TLS_OK && tls_is_ready(tls))
		note_ready(c);
	if (!c->dot->is_begun && result == TLS_OK)
		result = tls_read(tls, io, p + *got, room - *got, &n);
	*got += n;
	return result;
}

static bool begin(struct conn *c)
{
	struct dots *dots = &c->set->dots;
	if (c->dot->tls)
		return true;
	c->dot->tls = dots->side ? tls_new(dots->side) : NULL;
	if (!c->dot->tls)
		return false;
	c->dot->is_begun = true;
	dots->begun++;
	return true;
}

enum took dot_take(struct conn *c, uint8_t *p, size_t room, size_t *got)
{
	struct dots *dots = &c->set->dots;
	*got = 0;
	if (!begin(c))
		return TOOK_LOST;
	ssize_t k = recv(conn_fd(c), dots->cipher, CIPHER_IN, MSG_DONTWAIT);
	if (k < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		return TOOK_LOST;
	struct tls_io io = { .in = dots->cipher,
		.in_len = k > 0 ? (size_t)k : 0,
		.out = dots->wire,
		.room = WIRE };
	enum tls_result result;
	do {
		io.out_len = 0;
		result = step(c, &io, p, room, got);
		if (io.out_len && !conn_put(c, dots->wire, io.out_len))
			return TOOK_LOST;
	} while (result == TLS_FULL);
	if (result == TLS_LOST) {
		count_add(&c->set->count.tls_lost, 1);
		return TOOK_LOST;
	}
	return result == TLS_END || k == 0 ? TOOK_END : TOOK_SOME;
}

bool dot_put(struct conn *c, const uint8_t *p, size_t n)
{
	struct dots *dots = &c->set->dots;
	struct tls_io io = { .out = dots->wire, .room = WIRE };
	enum tls_result result;
	do {
		size_t put;
		io.out_len = 0;
		result = tls_write(c->dot->tls, &io, p, n, &put);
		p += put;
		n -= put;
		if (io.out_len && !conn_put(c, dots->wire, io.out_len))
			return false;
	} while (result == TLS_FULL);
	return result == TLS_OK;
}

bool dot_put_answer(struct conn *c, const uint8_t *reply, size_t len)
{
	uint8_t *plain = c->set->dots.plain;
	put_u16(plain, (uint16_t)len);
	memcpy(plain + FRAME_HEAD, reply, len);
	return dot_put(c, plain, FRAME_HEAD + len);
}

void dot_end(struct conn *c)
{
	struct dots *dots = &c->set->dots;
	struct tls_io io = { .out = dots->wire, .room = WIRE };
	/* Behind bytes that the peer has not taken it would come at the wrong place. */
	if (dot_is_shaking(c) || c->out)
		return;
	tls_end(c->dot->tls, &io);
	if (io.out_len) /* it may be lost: nothing more comes anyway */
		(void)send(conn_fd(c), dots->wire, io.out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- handshakes wait for their turn ---- */

static struct conn *first_in_line(const struct dots *dots)
{
	return list_is_empty(&dots->line)
		       ? NULL
		       : container_of(dots->line.next, struct dot, line)->conn;
}

void dot_queue(struct conn *c)
{
	struct dots *dots = &c->set->dots;
	if (c->place != PLACE_SHAKE)
		wait_in(c, &dots->shakes, PLACE_SHAKE);
	if (list_is_empty(&c->dot->line))
		list_put(&dots->line, &c->dot->line);
	loop_turns_set(dots->turns, true);
	conn_watch(c);
}

/* The oldest handshake under way that has had its chance is given up; false: there is none. */
static bool make_room(struct streams *set)
{
	for (struct list *at = set->dots.shakes.next; at != &set->dots.shakes; at = at->next) {
		struct conn *c = container_of(at, struct conn, waits);
		if (now_of(set) - c->wait_since < CHANCE_MS)
			return false;
		if (!c->dot->is_begun)
			continue;
		count_add(&set->count.reset_slow, 1);
		conn_close(c, END_RESET);
		return true;
	}
	return false;
}

/* The next in line takes its turn; false: nobody can. */
static bool take_turn(struct streams *set)
{
	struct dots *dots = &set->dots;
	struct conn *c = first_in_line(dots);
	if (!c)
		return false;
	if (!c->dot->tls && dots->begun >= BEGUN_MAX && !make_room(set)) {
		/* Those whose handshake is under way need no place. */
		struct list *at = dots->line.next;
		while (at != &dots->line && !container_of(at, struct dot, line)->tls)
			at = at->next;
		if (at == &dots->line)
			return false;
		c = container_of(at, struct dot, line)->conn;
	}
	list_drop(&c->dot->line);
	conn_read(c);
	return true;
}

/* One handshake costs as much as forty answers: those that wait get a quarter of the time when
 * there is something else to do (hazard E4). */
static void on_turn(void *user)
{
	struct streams *set = user;
	struct dots *dots = &set->dots;
	uint64_t now_us = clock_mono_us(), passed_us = now_us - dots->ended_us;
	bool is_alone = passed_us < ALONE_US, has_turned = true;
	dots->credit_us += (int64_t)(passed_us / SHARE);
	if (dots->credit_us > CREDIT_US)
		dots->credit_us = CREDIT_US;
	if (is_alone && dots->credit_us <= 0)
		dots->credit_us = 1;
	while (dots->credit_us > 0 && (has_turned = take_turn(set))) {
		uint64_t end_us = clock_mono_us();
		dots->credit_us -= (int64_t)(end_us - now_us);
		now_us = end_us;
	}
	dots->ended_us = clock_mono_us();
	if (has_turned && !list_is_empty(&dots->line))
		return;
	loop_turns_set(dots->turns, false);
	if (!list_is_empty(&dots->line)) /* all places are taken */
		loop_timer_start(dots->timer, NO_PLACE_MS, 0);
}

static void on_time(void *user)
{
	struct streams *set = user;
	loop_turns_set(set->dots.turns, true);
}

/* ---- the set ---- */

void dots_init(struct streams *set)
{
	struct dots *dots = &set->dots;
	list_init(&dots->shakes);
	list_init(&dots->line);
	dots->turns = loop_turns_new(set->loop, on_turn, set);
	dots->timer = loop_timer_new(set->loop, on_time, set);
}

void dots_fini(struct streams *set)
{
	struct dots *dots = &set->dots;
	loop_timer_free(&dots->timer);
	loop_turns_free(&dots->turns);
	tls_side_drop(&dots->side);
	map_free(dots->cipher, dots->mapped);
}

bool dots_prepare(struct streams *set)
{
	struct dots *dots = &set->dots;
	if (dots->cipher)
		return true;
	dots->mapped = CIPHER_IN + WIRE + FRAME_MAX;
	dots->cipher = map_new(dots->mapped);
	if (!dots->cipher)
		return false;
	dots->wire = dots->cipher + CIPHER_IN;
	dots->plain = dots->wire + WIRE;
	return true;
}

void streams_set_side(struct streams *set, struct tls_side *side)
{
	struct tls_side *before = set->dots.side;
	if (before == side)
		return;
	set->dots.side = tls_side_hold(side);
	tls_side_drop(&before);
}
