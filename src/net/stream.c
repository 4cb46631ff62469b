/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/stream.h"

#include "net/clients.h"
#include "net/dot.h"
#include "net/socket.h"
#include "net/stream_inside.h"

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
	NOT_SENT_LOWAT = 64 * 1024, /* of the kernel's own buffer */
	LINE = 64,
	REPLY_SLOT = 65536 + 3 * LINE, /* see udp.c for the odd distance */
};

struct listener {
	struct list list;
	struct loop_poll *poll;
	struct streams *set;
	int fd;
	bool is_tls;
};

size_t stream_connection_size(void)
{
	return sizeof(struct conn);
}

/* ---- the end of a connection ---- */

static void accept_resume(struct streams *set);

static void free_conn(uv_handle_t *handle)
{
	mem_free(handle);
}

void conn_close(struct conn *c, enum end end)
{
	struct streams *set = c->set;
	int fd = conn_fd(c);
	if (c->dot && end == END_CLOSE)
		dot_end(c);
	dot_free(c);
	list_drop(&c->waits);
	list_drop(&c->stalls);
	conn_forget_laters(c);
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

/* Sets the timer for whatever is due first, if it does not ring before. */
static void set_timer(struct streams *set)
{
	const struct conn *idle = first_waiting(&set->idle);
	const struct conn *message = first_waiting(&set->messages);
	const struct conn *stalled = first_stalled(&set->stalled);
	const struct conn *shake = first_waiting(&set->dots.shakes);
	const struct {
		const struct conn *conn;
		uint32_t since, allowed;
	} heads[] = {
		{ idle, idle ? idle->wait_since : 0, idle_ms(set) },
		{ message, message ? message->wait_since : 0, set->opts.message_ms },
		{ stalled, stalled ? stalled->stall_since : 0, set->opts.stall_ms },
		{ shake, shake ? shake->wait_since : 0, set->opts.message_ms },
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

/* Resets those whose message, or handshake, takes too long; budget is how many at most. */
static uint32_t reset_late(struct streams *set, const struct list *head, uint32_t budget)
{
	struct conn *c;
	while (budget && (c = first_waiting(head)) &&
		!left(now_of(set), c->wait_since, set->opts.message_ms)) {
		count_add(&set->count.reset_slow, 1);
		conn_close(c, END_RESET);
		budget--;
	}
	return budget;
}

static void on_time(void *user)
{
	struct streams *set = user;
	uint32_t now = now_of(set), budget = CLOSE_BUDGET;
	struct conn *c;
	set->due = 0;
	budget = reset_late(set, &set->messages, budget);
	budget = reset_late(set, &set->dots.shakes, budget);
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

void wait_in(struct conn *c, struct list *head, enum place place)
{
	bool was_empty = list_is_empty(head);
	list_drop(&c->waits);
	c->wait_since = now_of(c->set);
	c->place = (uint8_t)place;
	list_put(head, &c->waits);
	if (was_empty)
		set_timer(c->set);
}

void stall_again(struct conn *c)
{
	bool was_empty = list_is_empty(&c->set->stalled);
	list_drop(&c->stalls);
	c->stall_since = now_of(c->set);
	list_put(&c->set->stalled, &c->stalls);
	if (was_empty)
		set_timer(c->set);
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
static struct conn *conn_new(struct streams *set, int fd, uint64_t client, bool is_tls)
{
	struct conn *c = mem_try(sizeof *c);
	if (!c)
		return NULL;
	memset(c, 0, sizeof *c);
	c->set = set;
	c->client = client;
	if ((is_tls && !dot_new(c)) || uv_poll_init(&set->loop->uv, &c->uv, fd)) {
		dot_free(c);
		mem_free(c);
		return NULL;
	}
	list_init(&c->waits);
	list_init(&c->stalls);
	list_init(&c->laters);
	return c;
}

/* Takes fd in or closes it; false when no room can be made for more. */
static bool admit(struct streams *set, int fd, const struct addr *peer, bool is_tls)
{
	uint64_t client = clients_of(set->clients, peer, CLIENT_BYTES);
	int e = clients_put(set->clients, client, set->opts.per_client);
	if (e) {
		refuse(set, fd);
		return e == -EUSERS;
	}
	bool is_full = set->open >= set->limit || fd >= set->fd_limit;
	struct conn *c =
		is_full && !close_oldest_idle(set) ? NULL : conn_new(set, fd, client, is_tls);
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
			if (!admit(set, fd, &peer, listener->is_tls))
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

/* A connection, whatever it waits for; NULL: there is none. */
static struct conn *first_of_all(const struct streams *set)
{
	const struct list *const places[] = { &set->idle, &set->messages, &set->pending,
		&set->resumes, &set->dots.shakes };
	struct conn *c = NULL;
	for (size_t i = 0; i < array_len(places) && !c; i++)
		c = first_waiting(places[i]);
	return c;
}

static void on_drain_time(void *user)
{
	struct streams *set = user;
	while (set->open)
		conn_close(first_of_all(set), END_RESET);
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
			.hold = conn_hold,
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
	dots_init(set);
	set->clients = clients;
	apply_opts(set, opts);
	set->timer = loop_timer_new(loop, on_time, set);
	set->accept_timer = loop_timer_new(loop, on_accept_time, set);
	set->drain_timer = loop_timer_new(loop, on_drain_time, set);
	set->resume_timer = loop_timer_new(loop, conn_resume, set);
	if (!prepare(set, scratch_size))
		streams_free(&set);
	return set;
}

bool streams_listen(struct streams *set, int fd, bool is_tls)
{
	if (is_tls && !dots_prepare(set))
		return false;
	struct listener *listener = mem_new(sizeof *listener);
	listener->set = set;
	listener->fd = fd;
	listener->is_tls = is_tls;
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
	struct conn *c;
	while ((c = first_waiting(&idle)))
		if (dot_is_shaking(c))
			conn_close(c, END_CLOSE);
		else
			conn_read(c);
	while ((c = first_waiting(&set->dots.shakes)))
		conn_close(c, END_CLOSE);
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
	while ((c = first_of_all(set)))
		conn_close(c, END_CLOSE);
	dots_fini(set);
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
