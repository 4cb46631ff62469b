/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/server.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/socket.h"
#include "serve/errand.h"
#include "serve/worker.h"
#include "wire/key.h"

#include <sys/socket.h>
#include <unistd.h>

const struct count_row server_count_rows[COUNT_N] = {
	[COUNT_QUERIES_UDP] = { "queries-udp", "queries that came over UDP" },
	[COUNT_QUERIES_TCP] = { "queries-tcp", "queries that came over TCP" },
	[COUNT_QUERIES_TLS] = { "queries-tls", "queries that came over TLS" },
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
	[COUNT_TCP_ACCEPTED] = { "tcp-accepted",
		"TCP connections accepted, those of TLS among them" },
	[COUNT_TCP_OPEN] = { "tcp-open", "TCP connections now" },
	[COUNT_TCP_REFUSED] = { "tcp-refused",
		"TCP connections closed at once: a limit was reached" },
	[COUNT_TCP_IDLE_CLOSED] = { "tcp-idle-closed",
		"TCP connections closed for being idle" },
	[COUNT_TCP_RESET] = { "tcp-reset",
		"TCP connections reset: too slow, or out of memory" },
	[COUNT_TCP_BYTES] = { "tcp-bytes", "bytes held for TCP connections now" },
	[COUNT_TLS_HANDSHAKES] = { "tls-handshakes", "TLS handshakes that came to their end" },
	[COUNT_TLS_RESUMED] = { "tls-resumed",
		"TLS handshakes that took up a session of before" },
	[COUNT_TLS_LOST] = { "tls-lost",
		"TLS connections broken off: no common ground, a bad certificate, no TLS" },
	[COUNT_CHAIN_HITS] = { "chain-hits", "questions answered from what was kept" },
	[COUNT_CHAIN_STALE] = { "chain-stale",
		"questions answered with what was past its time" },
	[COUNT_CHAIN_MISSES] = { "chain-misses", "questions that the links were asked" },
	[COUNT_CHAIN_JOINED] = { "chain-joined",
		"questions that waited for the same one of another client" },
	[COUNT_CHAIN_REFUSED] = { "chain-refused",
		"questions not asked: too many were under way" },
	[COUNT_CHAIN_FAILURES] = { "chain-failures",
		"questions that came to nothing: SERVFAIL" },
	[COUNT_CHAIN_ASKS] = { "chain-asks", "questions under way now" },
	[COUNT_UPSTREAM_UDP] = { "upstream-udp", "questions to other servers over UDP" },
	[COUNT_UPSTREAM_TCP] = { "upstream-tcp", "questions to other servers over TCP" },
	[COUNT_UPSTREAM_REPLIES] = { "upstream-replies", "replies of other servers" },
	[COUNT_UPSTREAM_TIMEOUTS] = { "upstream-timeouts",
		"questions that another server did not reply to in time" },
	[COUNT_UPSTREAM_UNREACHABLE] = { "upstream-unreachable",
		"questions that could not be brought to another server" },
	[COUNT_UPSTREAM_NEAR_MISSES] = { "upstream-near-misses",
		"messages to our questions that were no replies to them" },
	[COUNT_UPSTREAM_SPOOFED] = { "upstream-spoofed",
		"questions given up over UDP: too many near misses" },
};

enum {
	KIND_UDP,
	KIND_TCP,
	KINDS
};

enum {
	WORLDS_MAX = 64, /* that questions still depend on */
	TLS_PORT = 853,
};

/* One address. Its sockets are each worker's own, or inherited and then shared by all. */
struct listener {
	struct addr addr;
	int inherited[KINDS]; /* -1: none */
	bool is_own;          /* what is not inherited is bound here */
	bool is_tls;
};

struct server {
	struct loop *control;
	struct world *world[WORLDS_MAX]; /* oldest first; the last is in force */
	size_t worlds;
	struct world *next; /* waits for a place */
	bool is_switching;
	struct worker **workers;
	unsigned n, running;
	struct clients clients; /* of all workers' streams */
	struct listener listen[3 * LISTENERS_MAX];
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

static struct world *newest(const struct server *server)
{
	return server->worlds ? server->world[server->worlds - 1] : NULL;
}

static bool all_on(const struct server *server, const struct world *world)
{
	for (unsigned i = 0; i < server->running; i++)
		if (!worker_has_ended(server->workers[i]) &&
			worker_world(server->workers[i]) != world)
			return false;
	return true;
}

static bool is_used(const struct server *server, const struct world *world)
{
	for (unsigned i = 0; i < server->running; i++)
		if (worker_world(server->workers[i]) == world ||
			worker_oldest(server->workers[i]) == world)
			return true;
	return false;
}

/* Worlds go in their order: the oldest that is used stands before all that may be. */
static void free_worlds(struct server *server)
{
	while (server->worlds > 1 && !is_used(server, server->world[0])) {
		world_free(&server->world[0]);
		server->worlds--;
		memmove(server->world, server->world + 1,
			server->worlds * sizeof server->world[0]);
	}
}

static void publish(struct server *server)
{
	if (!server->next || server->worlds == WORLDS_MAX)
		return;
	struct world *world = server->next;
	server->next = NULL;
	server->world[server->worlds++] = world;
	for (unsigned i = 0; i < server->running; i++)
		worker_send_world(server->workers[i], world);
}

static void settle(struct server *server)
{
	bool is_on = !server->next && all_on(server, newest(server));
	if (is_on || server->next)
		free_worlds(server);
	publish(server);
	if (!is_on || !server->is_switching)
		return;
	server->is_switching = false;
	if (server->on_switched)
		server->on_switched(server->switched_user);
}

static bool all_ended(const struct server *server)
{
	for (unsigned i = 0; i < server->running; i++)
		if (!worker_has_ended(server->workers[i]))
			return false;
	return true;
}

static void take_errands(struct server *server)
{
	for (unsigned i = 0; i < server->running; i++) {
		struct errand *next = worker_take_done(server->workers[i]);
		while (next) {
			struct errand *errand = next;
			next = errand->next;
			errand->done(errand);
		}
	}
}

static void on_wake(void *user)
{
	struct server *server = user;
	take_errands(server);
	settle(server);
	if (server->is_stopping && !server->has_stopped && all_ended(server)) {
		server->has_stopped = true;
		if (server->on_stopped)
			server->on_stopped(server->stopped_user);
	}
}

/* ---- start and end --------------------------------------------------------------------- */

/* The socket of a kind for one worker: inherited, bound, or -1 for none; false when binding
 * failed. */
static bool get_socket(
	struct listener *listener, int kind, bool is_first, int *fd, struct err *err)
{
	*fd = listener->inherited[kind];
	if (*fd >= 0 || !listener->is_own || (listener->is_tls && kind == KIND_UDP))
		return true;
	*fd = kind == KIND_UDP ? udp_bind(&listener->addr, is_first, err)
			       : stream_bind(&listener->addr, is_first, err);
	if (*fd < 0)
		return false;
	/* Port 0 stands for any; for the rest of the listener it is this one. */
	if (!addr_port(&listener->addr))
		must(addr_local(&listener->addr, *fd) == 0);
	return true;
}

static bool bind_one(
	struct server *server, struct worker *worker, size_t i, bool is_first, struct err *err)
{
	struct listener *listener = &server->listen[i];
	for (int kind = 0; kind < KINDS; kind++) {
		int fd;
		if (!get_socket(listener, kind, is_first, &fd, err))
			return false;
		bool is_own = listener->inherited[kind] < 0;
		if (fd >= 0 && !(kind == KIND_UDP ? worker_listen_udp(worker, fd, is_own)
						  : worker_listen_tcp(worker, fd, is_own,
							    listener->is_tls))) {
			err_set(err, -1,
				"out of memory or descriptors while making a worker's sockets");
			return false;
		}
	}
	return true;
}

static struct listener *find_listener(struct server *server, const struct addr *addr)
{
	for (size_t i = 0; i < server->listeners; i++)
		if (addr_is_equal(&server->listen[i].addr, addr))
			return &server->listen[i];
	return NULL;
}

static void put_listener(
	struct server *server, const struct addr *addr, bool is_own, bool is_tls)
{
	must(server->listeners < array_len(server->listen));
	server->listen[server->listeners++] =
		(struct listener){ *addr, { -1, -1 }, is_own, is_tls };
}

static bool adopt(struct server *server, int fd, struct err *err)
{
	struct addr addr;
	int type;
	if (socket_adopt(fd, &type, &addr, err))
		return false;
	int kind = type == SOCK_DGRAM ? KIND_UDP : KIND_TCP;
	struct listener *listener = find_listener(server, &addr);
	if (!listener && server->listeners < array_len(server->listen)) {
		put_listener(
			server, &addr, false, kind == KIND_TCP && addr_port(&addr) == TLS_PORT);
		listener = find_listener(server, &addr);
	}
	if (!listener || listener->inherited[kind] >= 0) {
		char text[ADDR_TEXT_MAX];
		err_set(err, -1, "inherited descriptor %d: %s comes twice", fd,
			addr_print(text, &addr));
		return false;
	}
	if (kind == KIND_UDP)
		udp_adopt(fd, &addr);
	else
		stream_adopt(fd);
	listener->inherited[kind] = fd;
	return true;
}

/* What was inherited is the server's: closed with it, or at once when it cannot be used. */
static bool adopt_all(struct server *server, const struct server_opts *opts, struct err *err)
{
	bool is_good = true;
	for (size_t i = 0; i < opts->inherited; i++)
		if (!is_good || !adopt(server, opts->inherit[i], err)) {
			is_good = false;
			(void)close(opts->inherit[i]);
		}
	return is_good;
}

static bool make_worker(struct server *server, const struct hash_key *secret, unsigned workers,
	const struct stream_opts *streams, struct err *err)
{
	struct worker *worker =
		worker_new(secret, workers, streams, &server->clients, on_news, server);
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
	must(opts->workers && opts->workers <= WORKERS_MAX &&
		opts->listeners <= LISTENERS_MAX && opts->tls_listeners <= LISTENERS_MAX);
	struct server *server = mem_new(sizeof *server);
	struct hash_key secret;
	rand_fill(&secret, sizeof secret);
	clients_init(&server->clients);
	server->control = control;
	for (size_t i = 0; i < opts->listeners; i++)
		put_listener(server, &opts->listen[i], true, false);
	for (size_t i = 0; i < opts->tls_listeners; i++)
		put_listener(server, &opts->listen_tls[i], true, true);
	server->workers = mem_array(opts->workers, sizeof(struct worker *));
	struct stream_opts own = share(&opts->streams, opts->workers);
	bool is_good = adopt_all(server, opts, err);
	for (unsigned i = 0; i < opts->workers && is_good; i++)
		is_good = make_worker(server, &secret, opts->workers, &own, err);
	if (!is_good) {
		server_free(&server);
		return NULL;
	}
	loop_on_wake(control, on_wake, server);
	return server;
}

size_t server_listeners(const struct server *server)
{
	return server->listeners;
}

const struct addr *server_listener(const struct server *server, size_t i)
{
	must(i < server->listeners);
	return &server->listen[i].addr;
}

const char *server_listener_kinds(const struct server *server, size_t i)
{
	must(i < server->listeners);
	const struct listener *listener = &server->listen[i];
	if (listener->is_tls)
		return "TLS";
	if (listener->is_own ||
		(listener->inherited[KIND_UDP] >= 0 && listener->inherited[KIND_TCP] >= 0))
		return "UDP, TCP";
	return listener->inherited[KIND_UDP] >= 0 ? "UDP" : "TCP";
}

bool server_start(struct server *server, struct world *world)
{
	server->world[server->worlds++] = world;
	for (; server->running < server->n; server->running++)
		if (!worker_start(server->workers[server->running], world))
			return false;
	return true;
}

void server_switch(
	struct server *server, struct world *world, void (*on_switched)(void *user), void *user)
{
	must(!server->is_switching && server->worlds);
	server->is_switching = true;
	server->next = world;
	server->on_switched = on_switched;
	server->switched_user = user;
	publish(server);
}

void server_send_errand(struct server *server, unsigned i, struct errand *errand)
{
	must(i < server->running);
	worker_send_errand(server->workers[i], errand);
}

unsigned server_workers(const struct server *server)
{
	return server->running;
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
	for (size_t i = 0; i < server->listeners; i++)
		for (int kind = 0; kind < KINDS; kind++)
			if (server->listen[i].inherited[kind] >= 0)
				(void)close(server->listen[i].inherited[kind]);
	clients_fini(&server->clients);
	for (size_t i = 0; i < server->worlds; i++)
		world_free(&server->world[i]);
	world_free(&server->next);
	mem_free(server->workers);
	mem_free(server);
}

void server_counts(const struct server *server, uint64_t *counts)
{
	memset(counts, 0, COUNT_N * sizeof *counts);
	for (unsigned i = 0; i < server->n; i++)
		worker_add_counts(server->workers[i], counts);
}
