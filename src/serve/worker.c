/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/worker.h"

#include "base/mem.h"
#include "serve/inside.h"
#include "serve/recursor.h"

#include <stdatomic.h>
#include <unistd.h>

struct worker {
	struct loop *loop;
	struct loop_thread *thread;
	struct pipe *pipe;
	struct streams *streams;
	struct udp *udp[3 * LISTENERS_MAX];
	size_t udps;
	int own_fd[6 * LISTENERS_MAX];
	size_t own_fds;
	void (*on_news)(void *user);
	void *user;
	/* The mailbox: what control wants, taken by exchange. */
	_Atomic(const struct world *) next;
	_Atomic(struct stream_opts *) opts;
	_Atomic(struct errand *) errands, done; /* newest first */
	_Atomic bool is_stopping;
	/* What the worker tells. */
	_Atomic(const struct world *) world, oldest;
	_Atomic bool has_ended;
	bool is_draining;
};

static void on_drained(void *user)
{
	struct worker *w = user;
	loop_stop(w->loop);
}

/* Datagrams are answered to the end: their sockets close with the worker. */
static void drain(struct worker *w)
{
	w->is_draining = true;
	streams_drain(w->streams, on_drained, w);
}

static void push(_Atomic(struct errand *) *list, struct errand *errand)
{
	errand->next = atomic_load(list);
	while (!atomic_compare_exchange_weak(list, &errand->next, errand))
		;
}

static void on_errand(void *user, struct errand *errand)
{
	struct worker *w = user;
	push(&w->done, errand);
	w->on_news(w->user);
}

static void run_errands(struct worker *w)
{
	struct errand *next = atomic_exchange(&w->errands, NULL);
	while (next) {
		struct errand *errand = next;
		next = errand->next;
		pipe_errand(w->pipe, errand, on_errand, w);
	}
}

static void on_wake(void *user)
{
	struct worker *w = user;
	const struct world *next = atomic_exchange(&w->next, NULL);
	if (next) {
		pipe_set_world(w->pipe, next);
		streams_set_side(w->streams, next->side);
		atomic_store(&w->oldest, pipe_oldest(w->pipe));
		atomic_store(&w->world, next);
		w->on_news(w->user);
	}
	struct stream_opts *opts = atomic_exchange(&w->opts, NULL);
	if (opts)
		streams_set_opts(w->streams, opts);
	mem_free(opts);
	run_errands(w);
	pipe_wake(w->pipe);
	if (atomic_load(&w->is_stopping) && !w->is_draining)
		drain(w);
}

static void on_released(void *user)
{
	struct worker *w = user;
	atomic_store(&w->oldest, pipe_oldest(w->pipe));
	w->on_news(w->user);
}

struct worker *worker_new(const struct hash_key *cookie_secret, unsigned workers,
	const struct stream_opts *streams, struct clients *clients, void (*on_news)(void *user),
	void *user)
{
	struct worker *w = mem_new(sizeof *w);
	w->on_news = on_news;
	w->user = user;
	w->loop = loop_new();
	if (w->loop) {
		w->pipe = pipe_new(w->loop, cookie_secret, workers);
		pipe_on_released(w->pipe, on_released, w);
		w->streams = streams_new(
			w->loop, streams, clients, pipe_batch, w->pipe, pipe_scratch());
	}
	if (!w->streams) {
		worker_free(&w);
		return NULL;
	}
	loop_on_wake(w->loop, on_wake, w);
	return w;
}

static void keep(struct worker *w, int fd, bool is_own)
{
	must(w->own_fds < array_len(w->own_fd));
	if (is_own)
		w->own_fd[w->own_fds++] = fd;
}

bool worker_listen_udp(struct worker *w, int fd, bool is_own)
{
	must(w->udps < array_len(w->udp));
	keep(w, fd, is_own);
	struct udp *udp = udp_open(w->loop, fd, pipe_batch, w->pipe, pipe_scratch());
	if (udp)
		w->udp[w->udps++] = udp;
	return udp != NULL;
}

bool worker_listen_tcp(struct worker *w, int fd, bool is_own, bool is_tls)
{
	keep(w, fd, is_own);
	return streams_listen(w->streams, fd, is_tls);
}

static void run(void *user)
{
	struct worker *w = user;
	loop_run(w->loop);
	/* on_news is the last that touches w: control frees it once it has seen has_ended and
	 * joined. */
	atomic_store(&w->has_ended, true);
	w->on_news(w->user);
}

bool worker_start(struct worker *w, const struct world *world)
{
	pipe_set_world(w->pipe, world);
	streams_set_side(w->streams, world->side);
	atomic_store(&w->oldest, world);
	atomic_store(&w->world, world);
	w->thread = loop_thread_start(run, w);
	return w->thread != NULL;
}

void worker_send_world(struct worker *w, const struct world *world)
{
	atomic_store(&w->next, world);
	loop_wake(w->loop);
}

void worker_send_streams(struct worker *w, const struct stream_opts *opts)
{
	/* What was sent before and not yet taken is out of date. */
	mem_free(atomic_exchange(&w->opts, mem_copy(opts, sizeof *opts)));
	loop_wake(w->loop);
}

void worker_send_errand(struct worker *w, struct errand *errand)
{
	push(&w->errands, errand);
	loop_wake(w->loop);
}

struct errand *worker_take_done(struct worker *w)
{
	return atomic_exchange(&w->done, NULL);
}

void worker_send_stop(struct worker *w)
{
	atomic_store(&w->is_stopping, true);
	loop_wake(w->loop);
}

const struct world *worker_world(const struct worker *w)
{
	return atomic_load(&w->world);
}

const struct world *worker_oldest(const struct worker *w)
{
	return atomic_load(&w->oldest);
}

bool worker_has_ended(const struct worker *w)
{
	return atomic_load(&w->has_ended);
}

/* Who sent them has ended before. */
static void free_errands(struct worker *w)
{
	struct errand *lists[] = { atomic_exchange(&w->errands, NULL), worker_take_done(w) };
	for (size_t i = 0; i < array_len(lists); i++)
		while (lists[i]) {
			struct errand *errand = lists[i];
			lists[i] = errand->next;
			errand_free(&errand);
		}
}

void worker_free(struct worker **worker)
{
	struct worker *w = *worker;
	*worker = NULL;
	if (!w)
		return;
	if (w->thread)
		loop_thread_join(&w->thread);
	if (w->pipe)
		pipe_set_world(w->pipe, NULL);
	free_errands(w);
	for (size_t i = 0; i < w->udps; i++)
		udp_close(&w->udp[i]);
	streams_free(&w->streams);
	pipe_free(&w->pipe);
	if (w->loop)
		loop_free(&w->loop);
	for (size_t i = 0; i < w->own_fds; i++)
		(void)close(w->own_fd[i]);
	mem_free(atomic_load(&w->opts));
	mem_free(w);
}

static void add_recursor(const struct recursor *r, uint64_t *counts)
{
	if (!r)
		return;
	const struct chain_count *chain = recursor_counts(r);
	const struct upstream_count *upstream = recursor_upstream(r);
	counts[COUNT_CHAIN_HITS] += count_get(&chain->hits);
	counts[COUNT_CHAIN_STALE] += count_get(&chain->stale);
	counts[COUNT_CHAIN_MISSES] += count_get(&chain->misses);
	counts[COUNT_CHAIN_JOINED] += count_get(&chain->joined);
	counts[COUNT_CHAIN_REFUSED] += count_get(&chain->refused);
	counts[COUNT_CHAIN_FAILURES] += count_get(&chain->failures);
	counts[COUNT_CHAIN_ASKS] += count_get(&chain->asks);
	counts[COUNT_UPSTREAM_UDP] += count_get(&upstream->sent_udp);
	counts[COUNT_UPSTREAM_TCP] += count_get(&upstream->sent_tcp);
	counts[COUNT_UPSTREAM_REPLIES] += count_get(&upstream->replies);
	counts[COUNT_UPSTREAM_TIMEOUTS] += count_get(&upstream->timeouts);
	counts[COUNT_UPSTREAM_UNREACHABLE] += count_get(&upstream->unreachable);
	counts[COUNT_UPSTREAM_NEAR_MISSES] += count_get(&upstream->near_misses);
	counts[COUNT_UPSTREAM_SPOOFED] += count_get(&upstream->spoofed);
}

void worker_add_counts(const struct worker *w, uint64_t *counts)
{
	const struct pipe_count *pipe = pipe_counts(w->pipe);
	const struct stream_count *streams = streams_counts(w->streams);
	add_recursor(pipe_recursor(w->pipe), counts);
	counts[COUNT_QUERIES_UDP] += count_get(&pipe->queries[TRANSPORT_UDP]);
	counts[COUNT_QUERIES_TCP] += count_get(&pipe->queries[TRANSPORT_TCP]);
	counts[COUNT_QUERIES_TLS] += count_get(&pipe->queries[TRANSPORT_TLS]);
	counts[COUNT_ANSWERS] += count_get(&pipe->answers);
	counts[COUNT_DROPS] += count_get(&pipe->drops);
	counts[COUNT_TRUNCATED] += count_get(&pipe->truncated);
	for (unsigned i = 0; i < array_len(pipe->rcodes); i++)
		counts[COUNT_NOERROR + i] += count_get(&pipe->rcodes[i]);
	for (size_t i = 0; i < w->udps; i++)
		counts[COUNT_UDP_SEND_ERRORS] += count_get(&udp_counts(w->udp[i])->send_errors);
	counts[COUNT_TCP_ACCEPTED] += count_get(&streams->accepted);
	counts[COUNT_TCP_OPEN] += count_get(&streams->open);
	counts[COUNT_TCP_REFUSED] += count_get(&streams->refused);
	counts[COUNT_TCP_IDLE_CLOSED] += count_get(&streams->closed_idle);
	counts[COUNT_TCP_RESET] +=
		count_get(&streams->reset_slow) + count_get(&streams->reset_memory);
	counts[COUNT_TCP_BYTES] += count_get(&streams->bytes);
	counts[COUNT_TLS_HANDSHAKES] += count_get(&streams->shaken);
	counts[COUNT_TLS_RESUMED] += count_get(&streams->resumed);
	counts[COUNT_TLS_LOST] += count_get(&streams->tls_lost);
}
