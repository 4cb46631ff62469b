/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/server.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/rand.h"
#include "serve/worker.h"
#include "wire/key.h"

#include <unistd.h>

const struct count_row server_count_rows[COUNT_N] = {
	[COUNT_QUERIES_UDP] = { "queries-udp", "queries that came over UDP" },
	[COUNT_QUERIES_TCP] = { "queries-tcp", "queries that came over TCP" },
	[COUNT_ANSWERS] = { "answers", "replies made" },
	[COUNT_DROPS] = { "drops",
		"messages that got no reply: responses, and what is too short to be a query" },
	[COUNT_NOERROR] = { "noerror", "replies with rcode NOERROR" },
	[COUNT_FORMERR] = { "formerr", "replies with rcode FORMERR: malformed queries" },
	[COUNT_SERVFAIL] = { "servfail", "replies with rcode SERVFAIL" },
	[COUNT_NXDOMAIN] = { "nxdomain", "replies with rcode NXDOMAIN" },
	[COUNT_NOTIMP] = { "notimp", "replies with rcode NOTIMP" },
	[COUNT_REFUSED] = { "refused", "replies with rcode REFUSED: names outside the zones" },
	[COUNT_OTHER_RCODE] = { "other-rcode", "replies with any other rcode" },
	[COUNT_TRUNCATED] = { "truncated", "replies with TC: the client asks again over TCP" },
	[COUNT_UDP_SEND_ERRORS] = { "udp-send-errors", "datagrams the kernel did not take" },
	[COUNT_TCP_ACCEPTED] = { "tcp-accepted", "TCP connections accepted" },
	[COUNT_TCP_OPEN] = { "tcp-open", "TCP connections now" },
	[COUNT_TCP_REFUSED] = { "tcp-refused",
		"TCP connections closed at once: a limit was reached" },
	[COUNT_TCP_IDLE_CLOSED] = { "tcp-idle-closed",
		"TCP connections closed for being idle" },
	[COUNT_TCP_RESET] = { "tcp-reset",
		"TCP connections reset: too slow, or out of memory" },
	[COUNT_TCP_BYTES] = { "tcp-bytes", "bytes held for TCP connections now" },
};

struct server {
	struct loop *control;
	struct world *world, *old; /* old: until the last worker has let go of it */
	struct worker **workers;
	unsigned n, running;
	struct clients clients; /* of all workers' streams */
	struct addr listen[LISTENERS_MAX];
	size_t listeners;
	bool is_stopping, has_stopped;
	void (*on_switched)(void *user);
	void *switched_user;
	void (*on_stopped)(void *user);
	void *stopped_user;
};

/* Limits of the whole server, as one of n workers has them. What one client may hold is counted
 *        for all together. */
static struct stream_opts share(const struct stream_opts *opts, unsigned n)
{
	struct stream_opts own = *opts;
	own.connections = (own.connections + n - 1) / n;
	own.sets = n;
	own.memory /= n;
	return own;
}

/* ---- news from the workers ---------------------------------------------------------- */

static void on_news(void *user)
{
	struct server *server = user;
	loop_wake(server->control);
}

static bool all_on(const struct server *server, const struct world *world)
{
	for (unsigned i = 0; i < server->running; i++)
		if (!worker_has_ended(server->workers[i]) &&
			worker_world(server->workers[i]) != world)
			return false;
	return true;
}

static bool all_ended(const struct server *server)
{
	for (unsigned i = 0; i < server->running; i++)
		if (!worker_has_ended(server->workers[i]))
			return false;
	return true;
}

static void on_wake(void *user)
{
	struct server *server = user;
	if (server->old && all_on(server, server->world)) {
		world_free(&server->old);
		if (server->on_switched)
			server->on_switched(server->switched_user);
	}
	if (server->is_stopping && !server->has_stopped && all_ended(server)) {
		server->has_stopped = true;
		if (server->on_stopped)
			server->on_stopped(server->stopped_user);
	}
}

/* ---- start and end --------------------------------------------------------------------- */

static bool bind_one(
	struct server *server, struct worker *worker, size_t i, bool is_first, struct err *err)
{
	struct addr *addr = &server->listen[i];
	int udp = udp_bind(addr, is_first, err);
	if (udp < 0)
		return false;
	if (is_first && !addr_port(addr) && addr_local(addr, udp)) {
		close(udp);
		return false;
	}
	int tcp = stream_bind(addr, is_first, err);
	if (tcp < 0) {
		close(udp);
		return false;
	}
	if (!worker_listen(worker, udp, tcp)) {
		err_set(err, -1,
			"out of memory or descriptors while making a worker's sockets");
		return false;
	}
	return true;
}

static bool make_worker(struct server *server, const struct hash_key *secret,
	const struct stream_opts *streams, struct err *err)
{
	struct worker *worker = worker_new(secret, streams, &server->clients, on_news, server);
	if (!worker) {
		err_set(err, -1, "out of memory or descriptors while making a worker");
		return false;
	}
	bool is_first = server->n == 0;
	server->workers[server->n++] = worker;
	for (size_t i = 0; i < server->listeners; i++)
		if (!bind_one(server, worker, i, is_first, err))
			return false;
	return true;
}

struct server *server_new(const struct server_opts *opts, struct loop *control, struct err *err)
{
	must(opts->workers && opts->workers <= WORKERS_MAX && opts->listeners <= LISTENERS_MAX);
	struct server *server = mem_new(sizeof *server);
	struct hash_key secret;
	rand_fill(&secret, sizeof secret);
	clients_init(&server->clients);
	server->control = control;
	server->listeners = opts->listeners;
	memcpy(server->listen, opts->listen, opts->listeners * sizeof opts->listen[0]);
	server->workers = mem_array(opts->workers, sizeof(struct worker *));
	struct stream_opts own = share(&opts->streams, opts->workers);
	for (unsigned i = 0; i < opts->workers; i++)
		if (!make_worker(server, &secret, &own, err)) {
			server_free(&server);
			return NULL;
		}
	loop_on_wake(control, on_wake, server);
	return server;
}

const struct addr *server_listener(const struct server *server, size_t i)
{
	must(i < server->listeners);
	return &server->listen[i];
}

bool server_start(struct server *server, struct world *world)
{
	server->world = world;
	for (; server->running < server->n; server->running++)
		if (!worker_start(server->workers[server->running], world))
			return false;
	return true;
}

void server_switch(
	struct server *server, struct world *world, void (*on_switched)(void *user), void *user)
{
	must(!server->old && server->world);
	server->old = server->world;
	server->world = world;
	server->on_switched = on_switched;
	server->switched_user = user;
	for (unsigned i = 0; i < server->running; i++)
		worker_send_world(server->workers[i], world);
}

void server_set_streams(struct server *server, const struct stream_opts *opts)
{
	struct stream_opts own = share(opts, server->n);
	for (unsigned i = 0; i < server->running; i++)
		worker_send_streams(server->workers[i], &own);
}

static void send_stop(struct server *server)
{
	server->is_stopping = true;
	for (unsigned i = 0; i < server->running; i++)
		worker_send_stop(server->workers[i]);
}

void server_stop(struct server *server, void (*on_stopped)(void *user), void *user)
{
	must(!server->is_stopping);
	server->on_stopped = on_stopped;
	server->stopped_user = user;
	send_stop(server);
	if (!server->running)
		loop_wake(server->control);
}

void server_free(struct server **held)
{
	struct server *server = *held;
	*held = NULL;
	if (!server)
		return;
	if (!server->is_stopping)
		send_stop(server); /* freeing a worker waits for its thread */
	for (unsigned i = 0; i < server->n; i++)
		worker_free(&server->workers[i]);
	clients_fini(&server->clients);
	world_free(&server->old);
	world_free(&server->world);
	mem_free(server->workers);
	mem_free(server);
}

void server_counts(const struct server *server, uint64_t *counts)
{
	memset(counts, 0, COUNT_N * sizeof *counts);
	for (unsigned i = 0; i < server->n; i++)
		worker_add_counts(server->workers[i], counts);
}
