/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "base/clock.h"
#include "net/loop.h"
#include "serve/server.h"
#include "unit/unit.h"
#include "unit/zone_of.h"
#include "wire/message.h"
#include "zone/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server with two workers; this test's own thread is the client, the control loop has
 * another. */
struct rig {
	struct loop *loop;
	struct server *server;
	struct loop_thread *thread;
	struct loop_timer *timer;
	struct addr addr;
	atomic_uint switches, wanted;
	atomic_bool is_ending, has_stopped;
};

static const struct serve_opts serve_opts = { .edns_size = 1232, .cookies = true };

static struct world *world_of(unsigned serial)
{
	char text[160];
	(void)snprintf(text, sizeof text,
		"@ 60 IN SOA ns h %u 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n", serial);
	struct zone *zone = zone_of("example.", text);
	struct world *world = world_new(&serve_opts, &zone, 1, NULL, NULL);
	zone_drop(&zone);
	return world;
}

static void on_stopped(void *user)
{
	struct rig *rig = user;
	atomic_store(&rig->has_stopped, true);
	loop_stop(rig->loop);
}

static void go_on(void *user);

static void on_switched(void *user)
{
	struct rig *rig = user;
	atomic_fetch_add(&rig->switches, 1);
	go_on(rig);
}

/* The next switch or the end, whatever the test wants. */
static void go_on(void *user)
{
	struct rig *rig = user;
	unsigned n = atomic_load(&rig->switches);
	if (n < atomic_load(&rig->wanted))
		server_switch(rig->server, world_of(n + 2), on_switched, rig);
	else if (atomic_exchange(&rig->is_ending, false))
		server_stop(rig->server, on_stopped, rig);
	else
		loop_timer_start(rig->timer, 1, 0);
}

static void run(void *user)
{
	struct rig *rig = user;
	loop_run(rig->loop);
}

static struct stream_opts stream_limits(uint32_t per_client)
{
	return (struct stream_opts){ .idle_ms = 10000,
		.message_ms = 2000,
		.stall_ms = 5000,
		.connections = 1000,
		.per_client = per_client,
		.memory = 1 << 24 };
}

/* A socket as a service manager hands it down; -1: somebody has its port. */
static int bound(int kind, struct addr *addr)
{
	int fd = socket(AF_INET, kind, 0);
	ck_assert_int_ge(fd, 0);
	if (bind(fd, &addr->any, addr_len(addr)) < 0) {
		ck_assert_int_eq(errno, EADDRINUSE);
		(void)close(fd);
		return -1;
	}
	ck_assert_int_eq(addr_local(addr, fd), 0);
	if (kind == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 16), 0);
	return fd;
}

/* For UDP and TCP, of one port, which the kernel chooses for UDP. */
static void inherit(struct server_opts *opts, const struct addr *any)
{
	int udp, tcp = -1;
	do {
		struct addr at = *any;
		udp = bound(SOCK_DGRAM, &at);
		ck_assert_int_ge(udp, 0);
		tcp = bound(SOCK_STREAM, &at);
		if (tcp < 0)
			(void)close(udp);
	} while (tcp < 0);
	opts->inherit[opts->inherited++] = udp;
	opts->inherit[opts->inherited++] = tcp;
}

static void start(struct rig *rig, uint32_t per_client, bool is_inherited)
{
	struct err err = { "" };
	struct server_opts opts = {
		.workers = 2, .listeners = 1, .streams = stream_limits(per_client)
	};
	memset(rig, 0, sizeof *rig);
	ck_assert_int_eq(addr_parse(&opts.listen[0], "127.0.0.1@0", 53, &err), 0);
	if (is_inherited) {
		opts.listeners = 0;
		inherit(&opts, &opts.listen[0]);
	}
	rig->loop = loop_new();
	rig->server = server_new(&opts, rig->loop, &err);
	ck_assert_msg(rig->server != NULL, "%s", err.text);
	rig->addr = *server_listener(rig->server, 0);
	ck_assert_uint_ne(addr_port(&rig->addr), 0);
	ck_assert(server_start(rig->server, world_of(1)));
	rig->timer = loop_timer_new(rig->loop, go_on, rig);
	loop_timer_start(rig->timer, 0, 0);
	rig->thread = loop_thread_start(run, rig);
	ck_assert_ptr_nonnull(rig->thread);
}

static void end(struct rig *rig)
{
	atomic_store(&rig->is_ending, true);
	loop_thread_join(&rig->thread);
	ck_assert(atomic_load(&rig->has_stopped));
	loop_timer_free(&rig->timer);
	server_free(&rig->server);
	loop_free(&rig->loop);
}

static int connect_to(const struct rig *rig, int kind)
{
	int fd = socket(AF_INET, kind, 0);
	const struct timeval wait = { 5, 0 };
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
	ck_assert_int_eq(connect(fd, &rig->addr.any, addr_len(&rig->addr)), 0);
	return fd;
}

static const uint8_t query[] = "\0\0\0\0\0\1\0\0\0\0\0\0\7example\0\0\6\0\1";
enum {
	QUERY_LEN = sizeof query - 1
};

/* The serial of the SOA in a reply; it is the first number behind the two names. */
static unsigned serial_of(const uint8_t *reply, size_t n)
{
	ck_assert_uint_gt(n, QUERY_LEN + 20);
	ck_assert_uint_eq(get_u16(reply + 6), 1);
	return get_u32(reply + n - 20);
}

static unsigned ask_udp(int fd, uint16_t id)
{
	uint8_t packet[QUERY_LEN], reply[512];
	memcpy(packet, query, QUERY_LEN);
	put_u16(packet, id);
	ck_assert_int_eq(send(fd, packet, QUERY_LEN, 0), QUERY_LEN);
	ssize_t n = recv(fd, reply, sizeof reply, 0);
	ck_assert_msg(n > 0, "no reply");
	ck_assert_uint_eq(get_u16(reply), id);
	return serial_of(reply, (size_t)n);
}

static unsigned ask_tcp(int fd)
{
	uint8_t packet[2 + QUERY_LEN] = { 0, QUERY_LEN }, reply[600];
	memcpy(packet + 2, query, QUERY_LEN);
	ck_assert_int_eq(send(fd, packet, sizeof packet, 0), (ssize_t)sizeof packet);
	ck_assert_int_eq(recv(fd, reply, 2, MSG_WAITALL), 2);
	size_t n = get_u16(reply);
	ck_assert_int_eq(recv(fd, reply, n, MSG_WAITALL), (ssize_t)n);
	return serial_of(reply, n);
}

START_TEST(worlds_are_switched_under_load_and_no_query_is_lost)
{
	static struct rig rig;
	enum {
		SOCKETS = 8,
		SWITCHES = 100
	};
	int udp[SOCKETS], tcp[SOCKETS];
	unsigned last_udp[SOCKETS] = { 0 }, last_tcp[SOCKETS] = { 0 }, asked = 0;
	start(&rig, 64, false);
	for (int i = 0; i < SOCKETS; i++) {
		udp[i] = connect_to(&rig, SOCK_DGRAM);
		tcp[i] = connect_to(&rig, SOCK_STREAM);
	}
	atomic_store(&rig.wanted, SWITCHES);
	while (atomic_load(&rig.switches) < SWITCHES) {
		for (int i = 0; i < SOCKETS; i++) {
			/* A worker never goes back to a world it has left. */
			unsigned serial = ask_udp(udp[i], (uint16_t)asked++);
			ck_assert_uint_ge(serial, last_udp[i]);
			last_udp[i] = serial;
			serial = ask_tcp(tcp[i]);
			ck_assert_uint_ge(serial, last_tcp[i]);
			last_tcp[i] = serial;
		}
	}
	for (int i = 0; i < SOCKETS; i++)
		ck_assert_uint_eq(ask_udp(udp[i], 1), SWITCHES + 1);
	uint64_t counts[COUNT_N];
	server_counts(rig.server, counts);
	ck_assert_uint_eq(counts[COUNT_QUERIES_UDP], asked + SOCKETS);
	ck_assert_uint_eq(counts[COUNT_QUERIES_TCP], asked);
	ck_assert_uint_eq(counts[COUNT_NOERROR], counts[COUNT_ANSWERS]);
	for (int i = 0; i < SOCKETS; i++) {
		close(udp[i]);
		close(tcp[i]);
	}
	end(&rig);
}
END_TEST

START_TEST(one_client_has_its_limit_over_all_workers)
{
	static struct rig rig;
	int fd[12];
	unsigned open = 0;
	start(&rig, 5, false);
	for (int i = 0; i < 12; i++) {
		uint8_t packet[2 + QUERY_LEN] = { 0, QUERY_LEN }, reply[2];
		fd[i] = connect_to(&rig, SOCK_STREAM);
		memcpy(packet + 2, query, QUERY_LEN);
		(void)send(fd[i], packet, sizeof packet, MSG_NOSIGNAL);
		open += recv(fd[i], reply, 2, MSG_WAITALL) == 2;
	}
	ck_assert_uint_eq(open, 5);
	for (int i = 0; i < 12; i++)
		close(fd[i]);
	end(&rig);
}
END_TEST

START_TEST(inherited_sockets_are_shared_by_the_workers)
{
	static struct rig rig;
	start(&rig, 64, true);
	ck_assert_uint_eq(server_listeners(rig.server), 1);
	ck_assert_str_eq(server_listener_kinds(rig.server, 0), "UDP, TCP");
	for (int i = 0; i < 50; i++) {
		int udp = connect_to(&rig, SOCK_DGRAM), tcp = connect_to(&rig, SOCK_STREAM);
		ck_assert_uint_eq(ask_udp(udp, (uint16_t)i), 1);
		ck_assert_uint_eq(ask_tcp(tcp), 1);
		close(udp);
		close(tcp);
	}
	end(&rig);
}
END_TEST

START_TEST(what_is_no_socket_to_listen_on_is_not_inherited)
{
	struct err err = { "" };
	struct server_opts opts = { .workers = 1,
		.streams = stream_limits(64),
		.inherited = 2,
		.inherit = { open("/dev/null", O_RDONLY), socket(AF_INET, SOCK_STREAM, 0) } };
	struct loop *loop = loop_new();
	ck_assert_ptr_null(server_new(&opts, loop, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "is no IP socket"));
	/* Both were closed. */
	ck_assert_int_eq(fcntl(opts.inherit[0], F_GETFD), -1);
	ck_assert_int_eq(fcntl(opts.inherit[1], F_GETFD), -1);
	opts.inherited = 1;
	opts.inherit[0] = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_ptr_null(server_new(&opts, loop, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "neither takes datagrams nor listens"));
	loop_free(&loop);
}
END_TEST

START_TEST(an_address_that_is_taken_is_told)
{
	static struct rig rig;
	struct err err = { "" };
	start(&rig, 64, false);
	struct server_opts opts = { .workers = 1,
		.listeners = 1,
		.listen = { rig.addr },
		.streams = stream_limits(64) };
	struct loop *loop = loop_new();
	ck_assert_ptr_null(server_new(&opts, loop, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "cannot listen on 127.0.0.1@"));
	loop_free(&loop);
	end(&rig);
}
END_TEST

UNIT_MAIN("serve/server", worlds_are_switched_under_load_and_no_query_is_lost,
	one_client_has_its_limit_over_all_workers, inherited_sockets_are_shared_by_the_workers,
	what_is_no_socket_to_listen_on_is_not_inherited, an_address_that_is_taken_is_told)
