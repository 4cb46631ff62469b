/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/stream.h"

#include "base/bytes.h"
#include "base/count.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/clients.h"
#include "net/frame.h"
#include "net/handle.h"
#include "net/hold.h"
#include "net/socket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CLIENT_BYTES = 8, /* an IPv6 /64 */
	BACKLOG = 4096,
	ACCEPT_BUDGET = 64, /* connections taken per wake-up */
	CLOSE_BUDGET = 256, /* and closed by one look at the clock */
	ACCEPT_PAUSE_MS = 100,
	DRAIN_MS = 2000,
	READ = 4096, /* about 64 queries; more waits for the next turn of the loop */
	UNSENT_MAX = 128 * 1024,
	NOT_SENT_LOWAT = 64 * 1024, /* of the kernel's own buffer */
	IN_MAX = 2 * FRAME_MAX + READ,
	OUT_MAX = 2 * FRAME_MAX,
	PENDING_MAX = 64, /* queries of a connection whose answers are looked for (L21) */
	LINE = 64,
	REPLY_SLOT = 65536 + 3 * LINE, /* see udp.c for the odd distance */
};

/* Where a connection waits for its next message. */
enum place {
	PLACE_NONE,
	PLACE_IDLE,
	PLACE_MESSAGE,
	PLACE_PENDING,
	PLACE_RESUME
};

/* At rest a connection is this struct and nothing else; thousands of them rest. */
struct conn {
	uv_poll_t uv; /* first: see free_conn() */
	struct streams *set;
	struct list waits;     /* in the set's idle, messages or pending */
	struct list stalls;    /* in the set's stalled, while answers are unsent */
	struct list laters;    /* answers that are looked for */
	struct hold *in, *out; /* what came of the next messages; unsent answers */
	uint64_t client;
	uint32_t wait_since, stall_since; /* ms, the low half */
	struct addr peer;
	uint8_t place;
	uint8_t events;   /* that libuv watches for */
	uint8_t pendings; /* laters */
	bool is_ending;   /* reads no more, closes when its answers are out */
	bool is_paused;   /* reads no more until its answers are out */
};

struct listener {
	struct list list;
	struct loop_poll *poll;
	struct streams *set;
	int fd;
};

struct streams {
	struct loop *loop;
	struct stream_opts opts;
	item_batch_fn *on_batch;
	void *user;
	struct list listeners;
	/* Each in the order of its since: the first is the next to be due. */
	struct list idle, messages, stalled;
	struct list pending;     /* those that wait for nothing but answers looked for */
	struct list resumes;     /* those that are read from again, at the next turn */
	const struct conn *busy; /* the one whose turn it is: it settles at its end */
	struct holds holds;
	struct clients *clients; /* shared with the other sets of the server */
	uint32_t open, limit;    /* limit: of connections, by opts and descriptors */
	int fd_limit;            /* descriptors from here on are held back */
	bool is_accepting, is_draining;
	uint64_t due; /* when timer is to ring; 0: it is not set */
	struct loop_timer *timer, *accept_timer, *drain_timer, *resume_timer;
	void (*on_drained)(void *user);
	void *drain_user;
	struct item items[BATCH_MAX];
	uint8_t *in;    /* shared by all connections, for the length of one callback */
	uint8_t *out;   /* answers with their length bytes, ready to be sent */
	uint8_t *slots; /* for the answers of a batch but its first */
	size_t out_len, shared_len;
	struct stream_count count;
};

/* The way back to a connection, which may be gone before the answer comes. */
struct stream_later {
	struct later later;
	struct list list; /* in the connection's laters */
	struct conn *conn;
};

size_t stream_connection_size(void)
{
	return sizeof(struct conn);
}

/* ---- the end of a connection ---- */

enum end {
	END_CLOSE,
	END_RESET
};

static void accept_resume(struct streams *set);
static void conn_ready(uv_poll_t *uv, int status, int events);

static void set_gauge(_Atomic uint64_t *gauge, uint64_t value)
{
	atomic_store_explicit(gauge, value, memory_order_relaxed);
}

static void free_conn(uv_handle_t *handle)
{
	mem_free(handle);
}

static void conn_close(struct conn *c, enum end end)
{
	struct streams *set = c->set;
	int fd;
	must(uv_fileno((uv_handle_t *)&c->uv, &fd) == 0);
	list_drop(&c->waits);
	list_drop(&c->stalls);
	while (!list_is_empty(&c->laters)) {
		struct stream_later *l =
			container_of(c->laters.next, struct stream_later, list);
		list_drop(&l->list);
		l->conn = NULL;
	}
	hold_free(&set->holds, &c->in);
	hold_free(&set->holds, &c->out);
	clients_drop(set->clients, c->client);
	set->open--;
	set_gauge(&set->count.open, set->open);
	set_gauge(&set->count.bytes, set->holds.bytes);
	uv_close((uv_handle_t *)&c->uv, free_conn);
	if (end == END_RESET) {
		struct linger now = { .l_onoff = 1, .l_linger = 0 };
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	}
	(void)close(fd);
	if (set->is_draining && set->open == 0)
		loop_timer_start(set->drain_timer, 0, 0);
	else if (!set->is_accepting)
		accept_resume(set);
}

/* Closes the connection that has been idle longest; false when none is idle. */
static bool close_oldest_idle(struct streams *set)
{
	if (list_is_empty(&set->idle))
		return false;
	count_add(&set->count.closed_idle, 1);
	conn_close(container_of(set->idle.next, struct conn, waits), END_CLOSE);
	return true;
}

/* ---- time ---- */

static uint32_t now_of(const struct streams *set)
{
	return (uint32_t)loop_now_ms(set->loop);
}

/* Idle connections are let go sooner when room gets short (hazard E1). */
static uint32_t idle_ms(const struct streams *set)
{
	bool is_short = (uint64_t)set->open * 4 > (uint64_t)set->limit * 3;
	return is_short ? set->opts.idle_ms / 10 : set->opts.idle_ms;
}

static struct conn *first_waiting(const struct list *head)
{
	return list_is_empty(head) ? NULL : container_of(head->next, struct conn, waits);
}

static struct conn *first_stalled(const struct list *head)
{
	return list_is_empty(head) ? NULL : container_of(head->next, struct conn, stalls);
}

static uint32_t left(uint32_t now, uint32_t since, uint32_t allowed)
{
	uint32_t age = now - since;
	return age < allowed ? allowed - age : 0;
}

/* Rings a little late, so that neighbours are seen to by one ringing. */
static uint32_t slack(uint32_t ms)
{
	return ms / 16 < 100 ? ms / 16 + 1 : 100;
}

/* Sets the timer for whatever is due first, if it does not ring before. */
static void set_timer(struct streams *set)
{
	const struct conn *idle = first_waiting(&set->idle);
	const struct conn *message = first_waiting(&set->messages);
	const struct conn *stalled = first_stalled(&set->stalled);
	const struct {
		const struct conn *conn;
		uint32_t since, allowed;
	} heads[] = {
		{ idle, idle ? idle->wait_since : 0, idle_ms(set) },
		{ message, message ? message->wait_since : 0, set->opts.message_ms },
		{ stalled, stalled ? stalled->stall_since : 0, set->opts.stall_ms },
	};
	uint64_t now = loop_now_ms(set->loop), due = 0;
	for (size_t i = 0; i < array_len(heads); i++) {
		if (!heads[i].conn)
			continue;
		uint64_t at = now + left((uint32_t)now, heads[i].since, heads[i].allowed) +
			      slack(heads[i].allowed);
		if (!due || at < due)
			due = at;
	}
	if (!due || (set->due && set->due <= due))
		return;
	set->due = due;
	loop_timer_start(set->timer, due - now, 0);
}

static void on_time(void *user)
{
	struct streams *set = user;
	uint32_t now = now_of(set), budget = CLOSE_BUDGET;
	struct conn *c;
	set->due = 0;
	while (budget && (c = first_waiting(&set->messages)) &&
		!left(now, c->wait_since, set->opts.message_ms)) {
		count_add(&set->count.reset_slow, 1);
		conn_close(c, END_RESET);
		budget--;
	}
	while (budget && (c = first_stalled(&set->stalled)) &&
		!left(now, c->stall_since, set->opts.stall_ms)) {
		count_add(&set->count.reset_slow, 1);
		conn_close(c, END_RESET);
		budget--;
	}
	while (budget && (c = first_waiting(&set->idle)) &&
		!left(now, c->wait_since, idle_ms(set))) {
		close_oldest_idle(set);
		budget--;
	}
	if (!budget) {
		/* The others are overdue, but not at the cost of those who ask. */
		set->due = loop_now_ms(set->loop) + 1;
		loop_timer_start(set->timer, 1, 0);
	}
	set_timer(set);
}

static void wait_in(struct conn *c, struct list *head, enum place place)
{
	bool was_empty = list_is_empty(head);
	list_drop(&c->waits);
	c->wait_since = now_of(c->set);
	c->place = (uint8_t)place;
	list_put(head, &c->waits);
	if (was_empty)
		set_timer(c->set);
}

static void stall_again(struct conn *c)
{
	bool was_empty = list_is_empty(&c->set->stalled);
	list_drop(&c->stalls);
	c->stall_since = now_of(c->set);
	list_put(&c->set->stalled, &c->stalls);
	if (was_empty)
		set_timer(c->set);
}

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
	int fd;
	must(uv_fileno((uv_handle_t *)&c->uv, &fd) == 0);
	ssize_t sent = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent >= 0)
		return sent;
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
}

/* Sends what lies in the shared area, and keeps what is not taken. false: c must be closed. */
static bool flush(struct conn *c)
{
	struct streams *set = c->set;
	size_t n = set->out_len, sent = 0;
	set->out_len = 0;
	if (n == 0)
		return true;
	if (!c->out) {
		ssize_t k = send_some(c, set->out, n);
		if (k < 0)
			return false;
		sent = (size_t)k;
		if (sent == n)
			return true;
		stall_again(c);
	}
	return keep(c, &c->out, set->out + sent, n - sent);
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

static void conn_watch(struct conn *c)
{
	int events = 0;
	if (!c->is_ending && !c->is_paused)
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

/* One read and one write for everything that came (design: measured choices). */
static void conn_read(struct conn *c)
{
	struct streams *set = c->set;
	size_t was = hold_len(c->in), want = READ, used;
	int fd;
	must(uv_fileno((uv_handle_t *)&c->uv, &fd) == 0);
	if (was) {
		memcpy(set->in, c->in->bytes + c->in->at, was);
		size_t missing = frame_missing(set->in, was);
		want = missing > READ ? missing : READ;
	}
	/* A pause leaves whole messages behind: they come first. */
	ssize_t got = was < FRAME_MAX ? recv(fd, set->in + was, want, MSG_DONTWAIT) : 0;
	bool is_eof = got == 0 && was < FRAME_MAX;
	if (got < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
			conn_close(c, END_CLOSE);
			return;
		}
		got = 0;
	}
	size_t n = was + (size_t)got;
	set->busy = c;
	enum served served = serve(c, set->in, n, &used);
	set->busy = NULL;
	/* Whole messages that are left wait for the unsent answers: the end is seen again. */
	if (served == SERVED_LAST || (is_eof && frame_missing(set->in + used, n - used)))
		c->is_ending = true;
	if (served == SERVED_LOST || (!c->is_ending && !keep_rest(c, was, (size_t)got, used))) {
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
	if (is_readable && !c->is_ending && !c->is_paused)
		conn_read(c);
	else
		conn_settle(c, false);
}

/* ---- answers that come later ---- */

/* Sends or keeps a whole answer; false when the connection is lost. */
static bool send_answer(struct conn *c, const uint8_t *reply, size_t len)
{
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
		int fd;
		must(uv_fileno((uv_handle_t *)&c->uv, &fd) == 0);
		sent = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
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
		int fd;
		must(uv_fileno((uv_handle_t *)&c->uv, &fd) == 0);
		if (is_lost)
			(void)shutdown(fd, SHUT_RDWR);
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

static void on_resume_time(void *user)
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

static struct later *hold(const struct item *item)
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

/* ---- new connections ---- */

static void accept_set(struct streams *set, bool is_on)
{
	set->is_accepting = is_on;
	for (struct list *at = set->listeners.next; at != &set->listeners; at = at->next)
		loop_poll_set(
			container_of(at, struct listener, list)->poll, is_on ? LOOP_READ : 0);
}

static void accept_resume(struct streams *set)
{
	if (set->is_draining || set->is_accepting)
		return;
	loop_timer_stop(set->accept_timer);
	accept_set(set, true);
}

static void on_accept_time(void *user)
{
	accept_resume(user);
}

/* Trying again at once would spin: a while later, or when a connection closes (hazard E6). */
static void accept_pause(struct streams *set)
{
	accept_set(set, false);
	loop_timer_start(set->accept_timer, ACCEPT_PAUSE_MS, 0);
}

/* What is counted is counted before the peer can see it: who saw it finds it counted. */
static void refuse(struct streams *set, int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	count_add(&set->count.refused, 1);
	(void)close(fd);
}

/* A connection for fd, or NULL when there is no memory for one. */
static struct conn *conn_new(struct streams *set, int fd, uint64_t client)
{
	struct conn *c = mem_try(sizeof *c);
	if (!c)
		return NULL;
	memset(c, 0, sizeof *c);
	if (uv_poll_init(&set->loop->uv, &c->uv, fd)) {
		mem_free(c);
		return NULL;
	}
	c->set = set;
	c->client = client;
	list_init(&c->waits);
	list_init(&c->stalls);
	list_init(&c->laters);
	return c;
}

/* Takes fd in or closes it; false when no room can be made for more. */
static bool admit(struct streams *set, int fd, const struct addr *peer)
{
	uint64_t client = clients_of(set->clients, peer, CLIENT_BYTES);
	int e = clients_put(set->clients, client, set->opts.per_client);
	if (e) {
		refuse(set, fd);
		return e == -EUSERS;
	}
	bool is_full = set->open >= set->limit || fd >= set->fd_limit;
	struct conn *c = is_full && !close_oldest_idle(set) ? NULL : conn_new(set, fd, client);
	if (!c) {
		clients_drop(set->clients, client);
		refuse(set, fd);
		return false;
	}
	c->peer = *peer;
	set->open++;
	set_gauge(&set->count.open, set->open);
	count_add(&set->count.accepted, 1);
	wait_in(c, &set->idle, PLACE_IDLE);
	/* Crossing into the last quarter makes others due earlier. */
	if ((uint64_t)set->open * 4 > (uint64_t)set->limit * 3)
		set_timer(set);
	conn_watch(c);
	return true;
}

static void on_acceptable(void *user, int events)
{
	struct listener *listener = user;
	struct streams *set = listener->set;
	(void)events;
	for (int i = 0; i < ACCEPT_BUDGET && set->is_accepting; i++) {
		if (set->open >= set->limit && list_is_empty(&set->idle)) {
			accept_pause(set);
			return;
		}
		struct addr peer;
		socklen_t n = sizeof peer;
		memset(&peer, 0, sizeof peer);
		int fd = accept4(listener->fd, &peer.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			if (!admit(set, fd, &peer))
				accept_pause(set);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		/* The errors of a connection that died in the queue are those of accept too. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS ||
			errno == EBADF || errno == EINVAL)
			accept_pause(set);
	}
}

void stream_adopt(int fd)
{
	int one = 1, lowat = NOT_SENT_LOWAT;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat);
}

int stream_bind(const struct addr *addr, bool is_first, struct err *err)
{
	int fd = socket_bind(addr, SOCK_STREAM, is_first, err);
	if (fd < 0)
		return fd;
	stream_adopt(fd);
	if (listen(fd, BACKLOG)) {
		int e = socket_refuse(addr, errno, err);
		(void)close(fd);
		return e;
	}
	return fd;
}

/* ---- the set ---- */

static void on_drain_time(void *user)
{
	struct streams *set = user;
	while (set->open) {
		struct conn *c = first_waiting(&set->idle);
		c = c ? c : first_waiting(&set->messages);
		c = c ? c : first_waiting(&set->pending);
		c = c ? c : first_waiting(&set->resumes);
		conn_close(c, END_RESET);
	}
	loop_timer_stop(set->drain_timer);
	/* The last thing here: it may free the set. */
	set->on_drained(set->drain_user);
}

static bool prepare(struct streams *set, size_t scratch_size)
{
	size_t scratch_slot = (scratch_size + LINE - 1) / LINE * LINE;
	size_t in = (IN_MAX + LINE - 1) / LINE * LINE, out = (OUT_MAX + LINE - 1) / LINE * LINE;
	set->shared_len = in + out + BATCH_MAX * (REPLY_SLOT + scratch_slot);
	set->in = map_new(set->shared_len);
	if (!set->in)
		return false;
	set->out = set->in + in;
	set->slots = set->out + out;
	uint8_t *scratch = set->slots + (size_t)BATCH_MAX * REPLY_SLOT;
	for (size_t i = 0; i < BATCH_MAX; i++) {
		set->items[i] = (struct item){
			.reply = set->slots + i * REPLY_SLOT,
			.room = UINT16_MAX,
			.transport = TRANSPORT_TCP,
			.scratch = scratch_slot ? scratch + i * scratch_slot : NULL,
			.hold = hold,
		};
	}
	return true;
}

static void apply_opts(struct streams *set, const struct stream_opts *opts)
{
	struct rlimit files = { .rlim_cur = 1024 };
	(void)getrlimit(RLIMIT_NOFILE, &files);
	uint64_t all = files.rlim_cur < 1u << 30 ? files.rlim_cur : 1u << 30;
	uint64_t kept_back = all / 8 > 64 ? all / 8 : 64;
	uint64_t usable = all > kept_back + 1 ? all - kept_back : 1;
	set->opts = *opts;
	set->fd_limit = (int)usable;
	/* The number of a descriptor tells how many are in use only until holes come; the count
	 * of each set's own connections is what holds. */
	uint64_t own = opts->sets > 1 ? (usable + opts->sets - 1) / opts->sets : usable;
	set->limit = opts->connections < own ? opts->connections : (uint32_t)own;
	set->holds.limit = opts->memory;
}

struct streams *streams_new(struct loop *loop, const struct stream_opts *opts,
	struct clients *clients, item_batch_fn *on_batch, void *user, size_t scratch_size)
{
	struct streams *set = mem_new(sizeof *set);
	set->loop = loop;
	set->on_batch = on_batch;
	set->user = user;
	set->is_accepting = true;
	list_init(&set->listeners);
	list_init(&set->idle);
	list_init(&set->messages);
	list_init(&set->stalled);
	list_init(&set->pending);
	list_init(&set->resumes);
	holds_init(&set->holds, opts->memory);
	set->clients = clients;
	apply_opts(set, opts);
	set->timer = loop_timer_new(loop, on_time, set);
	set->accept_timer = loop_timer_new(loop, on_accept_time, set);
	set->drain_timer = loop_timer_new(loop, on_drain_time, set);
	set->resume_timer = loop_timer_new(loop, on_resume_time, set);
	if (!prepare(set, scratch_size))
		streams_free(&set);
	return set;
}

bool streams_listen(struct streams *set, int fd)
{
	struct listener *listener = mem_new(sizeof *listener);
	listener->set = set;
	listener->fd = fd;
	listener->poll = loop_poll_new(
		set->loop, fd, set->is_accepting ? LOOP_READ : 0, on_acceptable, listener);
	if (!listener->poll) {
		mem_free(listener);
		return false;
	}
	list_put(&set->listeners, &listener->list);
	return true;
}

void streams_set_opts(struct streams *set, const struct stream_opts *opts)
{
	apply_opts(set, opts);
	while (set->open > set->limit && close_oldest_idle(set))
		;
	set_timer(set);
	accept_resume(set);
}

void streams_drain(struct streams *set, void (*done)(void *user), void *user)
{
	must(!set->is_draining);
	loop_timer_stop(set->accept_timer);
	accept_set(set, false);
	set->is_draining = true;
	set->on_drained = done;
	set->drain_user = user;
	loop_timer_start(set->drain_timer, set->open ? DRAIN_MS : 0, 0);
	/* A query that has arrived is answered; reading settles each: idle ones close. */
	struct list idle;
	list_init(&idle);
	while (!list_is_empty(&set->idle)) {
		struct list *first = set->idle.next;
		list_drop(first);
		list_put(&idle, first);
	}
	while (!list_is_empty(&idle))
		conn_read(container_of(idle.next, struct conn, waits));
}

static void listener_free(struct listener *listener)
{
	loop_poll_free(&listener->poll);
	list_drop(&listener->list);
	mem_free(listener);
}

void streams_free(struct streams **streams)
{
	struct streams *set = *streams;
	if (!set)
		return;
	*streams = NULL;
	while (!list_is_empty(&set->listeners))
		listener_free(container_of(set->listeners.next, struct listener, list));
	struct conn *c;
	while ((c = first_waiting(&set->idle)) || (c = first_waiting(&set->messages)) ||
		(c = first_waiting(&set->pending)) || (c = first_waiting(&set->resumes)))
		conn_close(c, END_CLOSE);
	loop_timer_free(&set->timer);
	loop_timer_free(&set->accept_timer);
	loop_timer_free(&set->drain_timer);
	loop_timer_free(&set->resume_timer);
	map_free(set->in, set->shared_len);
	mem_free(set);
}

const struct stream_count *streams_counts(const struct streams *set)
{
	return &set->count;
}
