/* SPDX-License-Identifier: BSD-2-Clause */
/* server.h -- the workers and their sockets
 *
 * What     Starts N workers on the given listeners; hands them worlds; adds up their counters;
 *          drains them. The sockets of a listener stay for the life of the server.
 * Threads  Called by the control thread; callbacks come on its loop, whose wake-up function the
 *          server takes for itself (loop_on_wake()).
 */
#pragma once

#include "base/err.h"
#include "net/addr.h"
#include "net/loop.h"
#include "net/stream.h"
#include "serve/world.h"

enum {
	WORKERS_MAX = 256,
	LISTENERS_MAX = 64
};

struct server_opts {      /* open: plain values, filled by ctl/ */
	unsigned workers; /* 1..WORKERS_MAX */
	size_t listeners;
	struct addr listen[LISTENERS_MAX]; /* UDP and TCP each */
	size_t tls_listeners;
	struct addr listen_tls[LISTENERS_MAX];
	/* Sockets a service manager bound. One at an address of listen is used there, by all
	 * workers; any other is a listener of its own, for TLS when its port is 853. The server
	 * closes them. */
	size_t inherited;
	int inherit[3 * LISTENERS_MAX];
	/* limits for the whole server; shared out among workers */
	struct stream_opts streams;
};

enum count { /* one row each in server_count_rows */
	COUNT_QUERIES_UDP,
	COUNT_QUERIES_TCP,
	COUNT_QUERIES_TLS,
	COUNT_ANSWERS,
	COUNT_DROPS,
	COUNT_NOERROR,
	COUNT_FORMERR,
	COUNT_SERVFAIL,
	COUNT_NXDOMAIN,
	COUNT_NOTIMP,
	COUNT_REFUSED,
	COUNT_OTHER_RCODE,
	COUNT_TRUNCATED,
	COUNT_UDP_SEND_ERRORS,
	COUNT_TCP_ACCEPTED,
	COUNT_TCP_OPEN,
	COUNT_TCP_REFUSED,
	COUNT_TCP_IDLE_CLOSED,
	COUNT_TCP_RESET,
	COUNT_TCP_BYTES,
	COUNT_TLS_HANDSHAKES,
	COUNT_TLS_RESUMED,
	COUNT_TLS_LOST,
	COUNT_CHAIN_HITS,
	COUNT_CHAIN_STALE,
	COUNT_CHAIN_MISSES,
	COUNT_CHAIN_JOINED,
	COUNT_CHAIN_REFUSED,
	COUNT_CHAIN_FAILURES,
	COUNT_CHAIN_ASKS,
	COUNT_UPSTREAM_UDP,
	COUNT_UPSTREAM_TCP,
	COUNT_UPSTREAM_REPLIES,
	COUNT_UPSTREAM_TIMEOUTS,
	COUNT_UPSTREAM_UNREACHABLE,
	COUNT_UPSTREAM_NEAR_MISSES,
	COUNT_UPSTREAM_SPOOFED,
	COUNT_N,
};
struct count_row { /* open: name and sentence, for rootctl and metrics */
	const char *name, *help;
};
extern const struct count_row server_count_rows[COUNT_N];

struct server;
/* Binds every listener (err names the one at fault) and readies the workers; none runs yet.
 * NULL when something could not be had. control: the control thread's loop. */
struct server *server_new(
	const struct server_opts *opts, struct loop *control, struct err *err);
/* Listeners, those inherited among them. */
size_t server_listeners(const struct server *server);
/* Where listener i is bound: tells the port where 0 was asked for. */
const struct addr *server_listener(const struct server *server, size_t i);
/* "UDP, TCP", "TLS", or the one that was inherited alone. */
const char *server_listener_kinds(const struct server *server, size_t i);
/* Starts the workers on their first world. The server owns worlds from here on. False: no
 * thread to be had. */
bool server_start(struct server *server, struct world *world) CHECKED;
/* Gives every worker a new world; on_switched(user) is called on the control loop when all of
 * them answer from it. The worlds before are freed when the last question that began in them
 * has ended. One switch at a time: must not be called before. */
void server_switch(struct server *server, struct world *world, void (*on_switched)(void *user),
	void *user);
/* Sends the errand (the server's until it is done) to worker i of server_workers(); done() is
 * called on the control loop, unless the server is freed before. */
struct errand;
void server_send_errand(struct server *server, unsigned i, struct errand *errand);
unsigned server_workers(const struct server *server);
/* Limits of streams after a reload. */
void server_set_streams(struct server *server, const struct stream_opts *opts);
/* Stops reading, lets streams finish (2 s at most), ends the workers, then calls
 * on_stopped(user). */
void server_stop(struct server *server, void (*on_stopped)(void *user), void *user);
void server_free(struct server **server);
/* Sums over all workers; counts[COUNT_N]. */
void server_counts(const struct server *server, uint64_t *counts);
