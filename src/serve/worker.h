/* SPDX-License-Identifier: BSD-2-Clause */
/* worker.h -- a thread with its loop, its sockets and its pipe
 *
 * What     Orders come by mailbox and loop_wake(): a world, limits, the end. Each is taken
 *          between two batches and acknowledged to the control thread's loop.
 * Threads  worker_* are called by the control thread.
 */
#pragma once

#include "net/stream.h"
#include "net/udp.h"
#include "serve/pipe.h"
#include "serve/server.h"

struct worker;
/* on_news(user) is called on the worker's thread whenever what worker_world(), worker_oldest(),
 * worker_take_done() or worker_has_ended() tell has changed. workers: how many there will be.
 * NULL: no memory or descriptors. */
struct worker *worker_new(const struct hash_key *cookie_secret, unsigned workers,
	const struct stream_opts *streams, struct clients *clients, void (*on_news)(void *user),
	void *user);
/* Serves a socket. is_own: it is closed with the worker, be this false or true. */
bool worker_listen_udp(struct worker *worker, int fd, bool is_own);
bool worker_listen_tcp(struct worker *worker, int fd, bool is_own, bool is_tls);
bool worker_start(struct worker *worker, const struct world *world);
void worker_send_world(struct worker *worker, const struct world *world);
void worker_send_streams(struct worker *worker, const struct stream_opts *opts);
/* It comes back by worker_take_done(), which on_news() announces. */
void worker_send_errand(struct worker *worker, struct errand *errand);
/* Errands that are done, a list; NULL: none. */
struct errand *worker_take_done(struct worker *worker);
void worker_send_stop(struct worker *worker);
/* The world the worker answers from now. */
const struct world *worker_world(const struct worker *worker);
/* The oldest that questions under way depend on. */
const struct world *worker_oldest(const struct worker *worker);
bool worker_has_ended(const struct worker *worker);
/* The thread must have ended or never have run. */
void worker_free(struct worker **worker);
void worker_add_counts(const struct worker *worker, uint64_t *counts);
