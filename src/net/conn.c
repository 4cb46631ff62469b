/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection: queries in, answers out. */
#include "net/dot.h"
#include "net/stream_inside.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
	UNSENT_MAX = 128 * 1024,
	PENDING_MAX = 64, /* queries of a connection whose answers are looked for (L21) */
};

/* The way back to a connection, which may be gone before the answer comes. */
struct stream_later {
	struct later later;
	struct list list; /* in the connection's laters */
	struct conn *conn;
};

static void conn_ready(uv_poll_t *uv, int status, int events);

/* ---- answers out ---- */

/* Keeps bytes for c. Beyond the limit whoever holds most is reset; false when that is c. */
static bool keep(struct conn *c, struct hold **hold, const uint8_t *p, size_t n)
{
	struct streams *set = c->set;
	int e;
	while ((e = hold_put(&set->holds, hold, c, p, n)) == -ENOBUFS) {
		struct conn *largest = holds_largest(&set->holds);
		if (!largest || largest == c || largest == set->busy)
			break;
		count_add(&set->count.reset_memory, 1);
		conn_close(largest, END_RESET);
	}
	set_gauge(&set->count.bytes, set->holds.bytes);
	if (e)
		count_add(&set->count.reset_memory, 1);
	return e == 0;
}

/* Sends p[0..n-1] as far as the kernel takes it; -1 when the connection is lost. */
static ssize_t send_some(struct conn *c, const uint8_t *p, size_t n)
{
	int fd = conn_fd(c);
	ssize_t sent = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent >= 0)
		return sent;
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
}

bool conn_put(struct conn *c, const uint8_t *p, size_t n)
{
	size_t sent = 0;
	if (!c->out) {
		ssize_t k = send_some(c, p, n);
		if (k < 0)
			return false;
		sent = (size_t)k;
		if (sent == n)
			return true;
		stall_again(c);
	}
	return keep(c, &c->out, p + sent, n - sent);
}

/* Sends what lies in the shared area, and keeps what is not taken. false: c must be closed. */
static bool flush(struct conn *c)
{
	struct streams *set = c->set;
	size_t n = set->out_len;
	set->out_len = 0;
	if (n == 0)
		return true;
	return c->dot ? dot_put(c, set->out, n) : conn_put(c, set->out, n);
}

static bool is_over_unsent(const struct conn *c)
{
	return hold_len(c->out) + c->set->out_len > UNSENT_MAX;
}

/* ---- queries in ---- */

enum served {
	SERVED_ALL,
	SERVED_PART,
	SERVED_LAST,
	SERVED_LOST
};

/* Moves the answer of a batch's item i behind those that are ready. */
static bool append(struct conn *c, size_t i, size_t len)
{
	struct streams *set = c->set;
	/* The first answer was written in its place. */
	if (i) {
		if (OUT_MAX - set->out_len < FRAME_HEAD + len && !flush(c))
			return false;
		memcpy(set->out + set->out_len + FRAME_HEAD, set->items[i].reply, len);
	}
	put_u16(set->out + set->out_len, (uint16_t)len);
	set->out_len += FRAME_HEAD + len;
	return true;
}

/* Answers n messages; *done is how many of them need not be seen again. */
static enum served serve_batch(
	struct conn *c, const struct frame *frames, size_t n, size_t *done)
{
	struct streams *set = c->set;
	*done = 0;
	if (OUT_MAX - set->out_len < FRAME_MAX && !flush(c))
		return SERVED_LOST;
	set->items[0].reply = set->out + set->out_len + FRAME_HEAD;
	for (size_t i = 0; i < n; i++) {
		set->items[i].query = frames[i].p;
		set->items[i].query_len = frames[i].len;
		set->items[i].reply_len = REPLY_DROP;
		set->items[i].peer = &c->peer;
		set->items[i].transport = c->dot ? TRANSPORT_TLS : TRANSPORT_TCP;
		set->items[i].owner = c;
	}
	set->on_batch(set->user, set->items, n);
	for (size_t i = 0; i < n; i++) {
		int32_t len = set->items[i].reply_len;
		must(len <= UINT16_MAX);
		*done = i + 1;
		if (len == REPLY_LATER)
			continue;
		if (len <= 0)
			return SERVED_LAST;
		if (!append(c, i, (size_t)len))
			return SERVED_LOST;
		if (!is_over_unsent(c))
			continue;
		if (!flush(c))
			return SERVED_LOST;
		/* The answers left would be over the limit too: they are made again when it is
		 * their turn. */
		if (is_over_unsent(c) && i + 1 < n)
			return SERVED_PART;
	}
	return SERVED_ALL;
}

/* Answers the whole messages in p[0..n-1]; *used is what they took. */
static enum served serve(struct conn *c, const uint8_t *p, size_t n, size_t *used)
{
	struct frame frames[BATCH_MAX];
	enum served served = SERVED_ALL;
	*used = 0;
	while (served == SERVED_ALL && !is_over_unsent(c) && c->pendings < PENDING_MAX) {
		size_t taken, done, most = PENDING_MAX - c->pendings;
		size_t count = frame_cut(p + *used, n - *used, frames,
			most < BATCH_MAX ? most : BATCH_MAX, &taken);
		if (!count)
			break;
		served = serve_batch(c, frames, count, &done);
		for (size_t i = 0; i < done; i++)
			*used += FRAME_HEAD + frames[i].len;
		count_add(&c->set->count.queries, done);
	}
	if (served != SERVED_LOST && !flush(c))
		return SERVED_LOST;
	return served;
}

/* Keeps what came and was not used: set->in holds was bytes that c->in has too, then got new
 * ones. */
static bool keep_rest(struct conn *c, size_t was, size_t got, size_t used)
{
	struct streams *set = c->set;
	if (used < was) {
		hold_skip(&set->holds, &c->in, used);
		return keep(c, &c->in, set->in + was, got);
	}
	hold_free(&set->holds, &c->in);
	set_gauge(&set->count.bytes, set->holds.bytes);
	return keep(c, &c->in, set->in + used, was + got - used);
}

/* Reading stops while a peer leaves answers unread: beyond its own measure, or when the memory
 * of all is short. */
static bool should_pause(const struct conn *c)
{
	const struct holds *holds = &c->set->holds;
	return c->pendings >= PENDING_MAX || hold_len(c->out) > UNSENT_MAX ||
	       (c->out && holds->bytes > holds->limit / 8 * 7);
}

void conn_watch(struct conn *c)
{
	int events = 0;
	if (!c->is_ending && !c->is_paused && !dot_is_in_line(c))
		events |= UV_READABLE;
	if (c->out)
		events |= UV_WRITABLE;
	if (events == c->events)
		return;
	c->events = (uint8_t)events;
	if (events)
		must(uv_poll_start(&c->uv, events, conn_ready) == 0);
	else /* all it waits for is answers looked for */
		must(uv_poll_stop(&c->uv) == 0);
}

/* After a turn of c: what it waits for now. is_fresh: a message has come or begun. Closes c
 * when it has nothing left to do. */
static void conn_settle(struct conn *c, bool is_fresh)
{
	struct streams *set = c->set;
	if (!c->out)
		list_drop(&c->stalls);
	bool is_idle = !c->in && !c->out && !c->pendings;
	if (!c->out && !c->pendings && (c->is_ending || (is_idle && set->is_draining))) {
		conn_close(c, END_CLOSE);
		return;
	}
	if (c->place == PLACE_RESUME) {
		/* It settles when it has been read from. */
	} else if (dot_is_shaking(c)) {
		if (c->place != PLACE_SHAKE)
			wait_in(c, &set->dots.shakes, PLACE_SHAKE);
	} else if (c->in && !c->is_paused) {
		if (is_fresh || c->place != PLACE_MESSAGE)
			wait_in(c, &set->messages, PLACE_MESSAGE);
	} else if (is_idle) {
		/* A busy connection changes its place in line a few times a second, not for
		 * every query. */
		uint32_t age = now_of(set) - c->wait_since;
		if (c->place != PLACE_IDLE || (is_fresh && age > slack(set->opts.idle_ms)))
			wait_in(c, &set->idle, PLACE_IDLE);
	} else if (c->place != PLACE_PENDING) {
		wait_in(c, &set->pending, PLACE_PENDING);
	}
	conn_watch(c);
}

/* Reads want bytes, or what TLS makes of as many; there is room for more. */
static enum took take_in(struct conn *c, uint8_t *p, size_t want, size_t room, size_t *got)
{
	if (c->dot)
		return dot_take(c, p, room, got);
	ssize_t k = recv(conn_fd(c), p, want, MSG_DONTWAIT);
	*got = k > 0 ? (size_t)k : 0;
	if (k == 0)
		return TOOK_END;
	bool is_lost = k < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
	return is_lost ? TOOK_LOST : TOOK_SOME;
}

void conn_read(struct conn *c)
{
	struct streams *set = c->set;
	size_t was = hold_len(c->in), want = READ, got = 0, used;
	enum took took = TOOK_SOME;
	if (was) {
		memcpy(set->in, c->in->bytes + c->in->at, was);
		size_t missing = frame_missing(set->in, was);
		want = missing > READ ? missing : READ;
	}
	/* A pause leaves whole messages behind: they come first. */
	if (was < FRAME_MAX)
		took = take_in(c, set->in + was, want, IN_MAX - was, &got);
	if (took == TOOK_LOST) {
		conn_close(c, END_CLOSE);
		return;
	}
	size_t n = was + got;
	set->busy = c;
	enum served served = serve(c, set->in, n, &used);
	set->busy = NULL;
	/* Whole messages that are left wait for the unsent answers: the end is seen again. */
	if (served == SERVED_LAST ||
		(took == TOOK_END && frame_missing(set->in + used, n - used)))
		c->is_ending = true;
	if (served == SERVED_LOST || (!c->is_ending && !keep_rest(c, was, got, used))) {
		conn_close(c, END_RESET);
		return;
	}
	if (c->is_ending)
		hold_free(&set->holds, &c->in);
	set_gauge(&set->count.bytes, set->holds.bytes);
	c->is_paused = !c->is_ending && should_pause(c);
	conn_settle(c, used > 0 || (was == 0 && got > 0));
}

/* Sends what is left; false when c is gone. */
static bool conn_write(struct conn *c)
{
	struct streams *set = c->set;
	if (c->out) {
		ssize_t k = send_some(c, c->out->bytes + c->out->at, hold_len(c->out));
		if (k < 0) {
			conn_close(c, END_CLOSE);
			return false;
		}
		if (k > 0)
			stall_again(c);
		hold_skip(&set->holds, &c->out, (size_t)k);
		set_gauge(&set->count.bytes, set->holds.bytes);
	}
	return true;
}

static void conn_ready(uv_poll_t *uv, int status, int events)
{
	struct conn *c = container_of(uv, struct conn, uv);
	if (status < 0) {
		conn_close(c, END_CLOSE);
		return;
	}
	bool is_readable = events & UV_READABLE;
	if (events & UV_WRITABLE) {
		if (!conn_write(c))
			return;
		if (!c->out && c->is_paused) {
			c->is_paused = false;
			is_readable = true;
		}
	}
	if (is_readable && dot_is_shaking(c))
		dot_queue(c);
	else if (is_readable && !c->is_ending && !c->is_paused)
		conn_read(c);
	else
		conn_settle(c, false);
}

/* ---- answers that come later ---- */

/* Sends or keeps a whole answer; false when the connection is lost. */
static bool send_answer(struct conn *c, const uint8_t *reply, size_t len)
{
	if (c->dot)
		return dot_put_answer(c, reply, len);
	uint8_t head[FRAME_HEAD];
	union {
		const uint8_t *in;
		uint8_t *out;
	} bytes = { .in = reply }; /* the kernel only reads */
	put_u16(head, (uint16_t)len);
	ssize_t sent = 0;
	if (!c->out) {
		struct iovec iov[2] = { { head, FRAME_HEAD }, { bytes.out, len } };
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
		sent = sendmsg(conn_fd(c), &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			return false;
		sent = sent < 0 ? 0 : sent;
		if ((size_t)sent == FRAME_HEAD + len)
			return true;
		stall_again(c);
	}
	size_t at = (size_t)sent;
	if (at < FRAME_HEAD && !keep(c, &c->out, head + at, FRAME_HEAD - at))
		return false;
	at = at > FRAME_HEAD ? at - FRAME_HEAD : 0;
	return keep(c, &c->out, reply + at, len - at);
}

static void send_later(struct later *later, const uint8_t *reply, size_t len)
{
	struct stream_later *l = container_of(later, struct stream_later, later);
	struct conn *c = l->conn;
	list_drop(&l->list);
	mem_free(l);
	if (!c)
		return;
	c->pendings--;
	if (len == 0)
		c->is_ending = true;
	bool is_lost = len && !send_answer(c, reply, len);
	if (c == c->set->busy) {
		/* Its turn goes on and finds it closed. */
		if (is_lost)
			(void)shutdown(conn_fd(c), SHUT_RDWR);
	} else if (is_lost) {
		conn_close(c, END_RESET);
	} else if (c->is_paused && !c->out && c->pendings <= PENDING_MAX / 2) {
		/* Not at once: it may ask while others are still being told. */
		if (c->place != PLACE_RESUME)
			wait_in(c, &c->set->resumes, PLACE_RESUME);
		loop_timer_start(c->set->resume_timer, 0, 0);
	} else {
		conn_settle(c, false);
	}
}

void conn_resume(void *user)
{
	struct streams *set = user;
	struct list resumes;
	list_init(&resumes);
	while (!list_is_empty(&set->resumes)) {
		struct list *first = set->resumes.next;
		list_drop(first);
		list_put(&resumes, first);
	}
	while (!list_is_empty(&resumes)) {
		struct conn *c = container_of(resumes.next, struct conn, waits);
		list_drop(&c->waits);
		c->place = PLACE_NONE;
		c->is_paused = false;
		conn_read(c);
	}
}

void conn_forget_laters(struct conn *c)
{
	while (!list_is_empty(&c->laters)) {
		struct stream_later *l =
			container_of(c->laters.next, struct stream_later, list);
		list_drop(&l->list);
		l->conn = NULL;
	}
}

struct later *conn_hold(const struct item *item)
{
	struct conn *c = item->owner;
	struct stream_later *l = mem_try(sizeof *l);
	if (!l)
		return NULL;
	l->later.send = send_later;
	l->conn = c;
	list_init(&l->list);
	list_put(&c->laters, &l->list);
	c->pendings++;
	return &l->later;
}
