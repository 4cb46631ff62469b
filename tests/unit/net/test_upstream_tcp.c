/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "net/socket.h"
#include "net/upstream.h"
#include "unit/unit.h"
#include "wire/edns.h"
#include "wire/message.h"
#include "wire/sets.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONNECTIONS = 8,
	LEN = 2,       /* bytes of the length in front */
	PIPELINE = 64, /* questions without a reply on a connection */
	MISSES = 8,    /* that end one */
	LARGEST = 65535,
	QUESTIONS = 300,
};

/* Another server on loopback, within the loop of the test. What it does is in the first byte of
 * the name asked for. */
struct rig {
	struct loop *loop;
	struct upstream *upstream;
	struct addr server, from;
	int listener;
	struct loop_poll *poll;
	struct peer {
		struct rig *rig;
		int fd;
		struct loop_poll *poll;
	} peer[CONNECTIONS];
	size_t accepted, closed, queries, queries_wanted;
	uint8_t held[600]; /* the first of two that are answered in the other order */
	size_t held_n;
	struct loop_timer *drip, *stopper;
	uint8_t drops[600]; /* sent byte by byte */
	size_t drops_n, drops_at;
	int drops_fd;
	uint8_t large[LEN + LARGEST];
	/* what came */
	size_t done, replies, timeouts, unreachable, spoofed, wanted, longest;
	uint8_t order[8]; /* the first bytes of the replies' names */
	uint32_t timeout_ms;
};

static void on_done(void *user, const struct upstream_reply *reply)
{
	struct rig *r = user;
	size_t *const counts[] = { &r->replies, &r->timeouts, &r->unreachable, &r->spoofed };
	++*counts[reply->result];
	ck_assert(reply->is_tcp);
	if (reply->len > r->longest)
		r->longest = reply->len;
	if (reply->result == UPSTREAM_REPLY)
		r->order[r->done % sizeof r->order] = reply->msg[HEADER_LEN + 1];
	if (++r->done == r->wanted)
		loop_stop(r->loop);
}

/* ---- the other server ---- */

static void say(int fd, const uint8_t *p, size_t n)
{
	ck_assert_int_eq(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void hang_up(struct peer *peer)
{
	if (peer->fd < 0)
		return;
	loop_poll_free(&peer->poll);
	(void)close(peer->fd);
	peer->fd = -1;
	peer->rig->closed++;
}

static void on_drop(void *user)
{
	struct rig *r = user;
	say(r->drops_fd, r->drops + r->drops_at, 1);
	if (++r->drops_at == r->drops_n)
		loop_timer_stop(r->drip);
}

/* The reply's OPT, which comes last and is empty, gets a keepalive. */
static size_t add_keepalive(uint8_t *buf, size_t n, uint16_t units)
{
	put_u16(buf + n - 2, 6);
	put_u16(buf + n, OPTION_KEEPALIVE);
	put_u16(buf + n + 2, 2);
	put_u16(buf + n + 4, units);
	put_u16(buf, (uint16_t)(n + 6 - LEN));
	return n + 6;
}

static void say_nonsense(struct peer *peer, const uint8_t *buf, size_t n)
{
	uint8_t other[600];
	memcpy(other, buf, n);
	for (unsigned i = 0; i < MISSES; i++) {
		other[LEN]++; /* of the id */
		say(peer->fd, other, n);
	}
}

static void say_large(struct peer *peer, const uint8_t *buf, size_t n)
{
	struct rig *r = peer->rig;
	int size = 4 * LARGEST;
	ck_assert_int_eq(setsockopt(peer->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
	memcpy(r->large, buf, n);
	put_u16(r->large, LARGEST);
	say(peer->fd, r->large, sizeof r->large);
}

static void drip(struct peer *peer, const uint8_t *buf, size_t n)
{
	struct rig *r = peer->rig;
	memcpy(r->drops, buf, n);
	r->drops_n = n;
	r->drops_at = 0;
	r->drops_fd = peer->fd;
	loop_timer_start(r->drip, 1, 1);
}

static void answer(struct peer *peer, uint8_t *buf, size_t n)
{
	struct rig *r = peer->rig;
	switch (buf[LEN + HEADER_LEN + 1]) {
	case 's': /* silent */
		return;
	case '1': /* answered after the next */
		memcpy(r->held, buf, n);
		r->held_n = n;
		return;
	case 'b': /* half a reply, then the end */
		say(peer->fd, buf, n / 2);
		hang_up(peer);
		return;
	case 'x':
		hang_up(peer);
		return;
	case 'p':
		drip(peer, buf, n);
		return;
	case 'z':
		say_nonsense(peer, buf, n);
		return;
	case 'L':
		say_large(peer, buf, n);
		return;
	case 'k':
		n = add_keepalive(buf, n, 0);
		break;
	case 'K':
		n = add_keepalive(buf, n, 3);
		break;
	}
	say(peer->fd, buf, n);
	if (r->held_n)
		say(peer->fd, r->held, r->held_n);
	r->held_n = 0;
	if (buf[LEN + HEADER_LEN + 1] == 'e') /* answered, then the end */
		hang_up(peer);
}

static void on_bytes(void *user, int events)
{
	struct peer *peer = user;
	uint8_t buf[600];
	(void)events;
	ssize_t n = recv(peer->fd, buf, LEN, 0);
	size_t len = n == LEN ? get_u16(buf) : 0;
	if (n < LEN || recv(peer->fd, buf + LEN, len, 0) != (ssize_t)len) {
		hang_up(peer);
		return;
	}
	if (++peer->rig->queries == peer->rig->queries_wanted)
		loop_stop(peer->rig->loop);
	buf[LEN + 2] |= FLAG_QR >> 8;
	answer(peer, buf, len + LEN);
}

static void on_connection(void *user, int events)
{
	struct rig *r = user;
	(void)events;
	ck_assert_uint_lt(r->accepted, CONNECTIONS);
	struct peer *peer = &r->peer[r->accepted++];
	socklen_t size = sizeof r->from;
	int one = 1, fd = accept(r->listener, &r->from.any, &size);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), 0);
	*peer = (struct peer){ r, fd, loop_poll_new(r->loop, fd, LOOP_READ, on_bytes, peer) };
}

/* ---- the rig ---- */

static void stop(void *user)
{
	loop_stop(user);
}

static void setup_at(struct rig *r, const char *address, const struct upstream_opts *opts)
{
	memset(r, 0, sizeof *r);
	r->timeout_ms = 300;
	ck_assert_int_eq(addr_parse(&r->server, address, 53, NULL), 0);
	r->listener = socket(r->server.any.sa_family, SOCK_STREAM, 0);
	ck_assert_int_ge(r->listener, 0);
	ck_assert_int_eq(bind(r->listener, &r->server.any, addr_len(&r->server)), 0);
	ck_assert_int_eq(addr_local(&r->server, r->listener), 0);
	ck_assert_int_eq(listen(r->listener, CONNECTIONS), 0);
	r->loop = loop_new();
	r->poll = loop_poll_new(r->loop, r->listener, LOOP_READ, on_connection, r);
	r->drip = loop_timer_new(r->loop, on_drop, r);
	r->stopper = loop_timer_new(r->loop, stop, r->loop);
	r->upstream = upstream_new(r->loop, opts);
	ck_assert_ptr_nonnull(r->upstream);
}

static void setup(struct rig *r)
{
	struct upstream_opts opts = { .questions = QUESTIONS, .connections = 10 };
	setup_at(r, "127.0.0.1@0", &opts);
}

static void stop_listening(struct rig *r)
{
	loop_poll_free(&r->poll);
	if (r->listener >= 0)
		(void)close(r->listener);
	r->listener = -1;
}

static void teardown(struct rig *r)
{
	upstream_free(&r->upstream);
	stop_listening(r);
	for (size_t i = 0; i < r->accepted; i++)
		hang_up(&r->peer[i]);
	loop_timer_free(&r->drip);
	loop_timer_free(&r->stopper);
	loop_free(&r->loop);
}

static struct exchange *try_to_ask(struct rig *r, char first)
{
	uint8_t query[320], name[] = "\2?x\4test";
	struct query_opts opts = { .edns_size = 1232 };
	name[1] = (uint8_t)first;
	struct upstream_ask a = { .server = &r->server,
		.is_tcp = true,
		.is_case_exact = true,
		.query = query,
		.len = query_write(query, name, 1, &opts),
		.timeout_ms = r->timeout_ms };
	return upstream_send(r->upstream, &a, on_done, r);
}

static struct exchange *ask(struct rig *r, char first)
{
	struct exchange *x = try_to_ask(r, first);
	ck_assert_ptr_nonnull(x);
	return x;
}

static void run(struct rig *r, size_t wanted)
{
	r->wanted = r->done + wanted;
	loop_run(r->loop);
}

static void run_queries(struct rig *r, size_t wanted)
{
	r->wanted = 0;
	r->queries_wanted = r->queries + wanted;
	loop_run(r->loop);
	r->queries_wanted = 0;
}

static void run_ms(struct rig *r, uint64_t ms)
{
	r->wanted = 0;
	loop_timer_start(r->stopper, ms, 0);
	loop_run(r->loop);
}

/* ---- */

START_TEST(a_connection_is_kept_and_its_replies_come_in_any_order)
{
	struct rig r;
	setup(&r);
	ask(&r, '1');
	ask(&r, '2');
	ask(&r, 'a');
	run(&r, 3);
	ck_assert_uint_eq(r.replies, 3);
	ck_assert_mem_eq(r.order, "21a", 3);
	ask(&r, 'a');
	run(&r, 1);
	ck_assert_uint_eq(r.replies, 4);
	ck_assert_uint_eq(r.accepted, 1);
	ck_assert_uint_eq(upstream_counts(r.upstream)->sent_tcp, 4);
	ck_assert_uint_eq(upstream_counts(r.upstream)->near_misses, 0);
	teardown(&r);
}
END_TEST

START_TEST(replies_come_byte_by_byte_and_as_large_as_can_be)
{
	struct rig r;
	setup(&r);
	r.timeout_ms = 5000;
	ask(&r, 'p');
	run(&r, 1);
	ck_assert_uint_eq(r.drops_at, r.drops_n);
	ck_assert_uint_eq(r.longest, r.drops_n - LEN);
	ask(&r, 'L');
	ask(&r, 'a');
	run(&r, 2);
	ck_assert_uint_eq(r.longest, LARGEST);
	ck_assert_uint_eq(r.replies, 3);
	ck_assert_uint_eq(r.accepted, 1);
	teardown(&r);
}
END_TEST

START_TEST(a_connection_holds_no_more_than_64_questions)
{
	struct rig r;
	setup(&r);
	for (unsigned i = 0; i < 3 * PIPELINE + 1; i++)
		ask(&r, 'a');
	run(&r, 3 * PIPELINE + 1);
	ck_assert_uint_eq(r.replies, 3 * PIPELINE + 1);
	ck_assert_uint_eq(r.accepted, 4);
	ck_assert_uint_eq(upstream_counts(r.upstream)->open, 0);
	teardown(&r);
}
END_TEST

START_TEST(a_connection_that_was_closed_is_made_anew_once)
{
	struct rig r;
	setup(&r);
	ask(&r, 'e'); /* closed behind its reply */
	run(&r, 1);
	ask(&r, 'a');
	ask(&r, 'a'); /* both on one new connection */
	run(&r, 2);
	ck_assert_uint_eq(r.replies, 3);
	ck_assert_uint_eq(r.accepted, 2);
	/* On the second it is closed upon the question, and on the third again: no more. */
	ask(&r, 'x');
	run(&r, 1);
	ck_assert_uint_eq(r.unreachable, 1);
	ck_assert_uint_eq(r.accepted, 3);
	/* All that waited go to one new connection. */
	ask(&r, 'a');
	run(&r, 1);
	ask(&r, 'x');
	ask(&r, 'a');
	run(&r, 2);
	ck_assert_uint_eq(r.unreachable, 3);
	ck_assert_uint_eq(r.accepted, 5);
	teardown(&r);
}
END_TEST

START_TEST(what_is_sent_again_goes_to_a_new_connection_and_not_a_third_time)
{
	struct rig r;
	setup(&r);
	for (unsigned i = 0; i < PIPELINE + 1; i++)
		ask(&r, 'a');
	run(&r, PIPELINE + 1);
	ck_assert_uint_eq(r.accepted, 2);
	ask(&r, 'x'); /* not to the other kept one, which may be as old */
	run(&r, 1);
	ck_assert_uint_eq(r.unreachable, 1);
	ck_assert_uint_eq(r.accepted, 3);
	/* A server that closes after every reply: two get theirs, then it is enough. */
	ask(&r, 'e');
	ask(&r, 'e');
	ask(&r, 'e');
	run(&r, 3);
	ck_assert_uint_eq(r.replies, PIPELINE + 1 + 2);
	ck_assert_uint_eq(r.unreachable, 2);
	ck_assert_uint_eq(r.accepted, 4);
	teardown(&r);
}
END_TEST

START_TEST(a_reply_that_was_begun_is_none)
{
	struct rig r;
	setup(&r);
	ask(&r, 'b'); /* on a fresh connection: not again */
	run(&r, 1);
	ck_assert_uint_eq(r.unreachable, 1);
	ck_assert_uint_eq(r.accepted, 1);
	ask(&r, 'a');
	run(&r, 1);
	ask(&r, 'b'); /* on one that has served: once more */
	run(&r, 1);
	ck_assert_uint_eq(r.unreachable, 2);
	ck_assert_uint_eq(r.accepted, 3);
	teardown(&r);
}
END_TEST

START_TEST(a_silent_connection_gets_no_further_question)
{
	struct rig r;
	setup(&r);
	ask(&r, 's'); /* another reply comes after it was sent: alive */
	ask(&r, 'a');
	run(&r, 2);
	ck_assert_uint_eq(r.timeouts, 1);
	ask(&r, 'a');
	run(&r, 1);
	ck_assert_uint_eq(r.accepted, 1);
	ask(&r, 's');
	run(&r, 1);
	ck_assert_uint_eq(r.timeouts, 2);
	ask(&r, 'a');
	run(&r, 1);
	ck_assert_uint_eq(r.replies, 3);
	ck_assert_uint_eq(r.accepted, 2);
	run_ms(&r, 20);
	ck_assert_uint_eq(r.closed, 1);
	teardown(&r);
}
END_TEST

START_TEST(a_connection_is_kept_as_long_as_the_server_says)
{
	struct rig r;
	setup(&r);
	ask(&r, 'a'); /* it says nothing: ten seconds */
	run(&r, 1);
	run_ms(&r, 1500);
	ck_assert_uint_eq(r.closed, 0);
	ask(&r, 'K');
	run(&r, 1);
	run_ms(&r, 1500);
	ck_assert_uint_eq(r.closed, 1);
	/* Not at all, but who waits on it gets the reply. */
	ask(&r, 'k');
	ask(&r, 'p');
	run(&r, 1);
	ask(&r, 'a');
	run(&r, 2);
	ck_assert_uint_eq(r.replies, 5);
	run_ms(&r, 20);
	ck_assert_uint_eq(r.closed, 2);
	ck_assert_uint_eq(r.accepted, 3);
	teardown(&r);
}
END_TEST

START_TEST(replies_to_cancelled_questions_are_thrown_away)
{
	struct rig r;
	setup(&r);
	struct exchange *x = ask(&r, '1');
	run_queries(&r, 1);
	exchange_cancel(&x);
	ck_assert_ptr_null(x);
	ck_assert_uint_eq(upstream_counts(r.upstream)->open, 0);
	ask(&r, '2'); /* then that to the first comes */
	run(&r, 1);
	ask(&r, 'a');
	run(&r, 1);
	ck_assert_uint_eq(r.replies, 2);
	ck_assert_uint_eq(r.done, 2);
	ck_assert_uint_eq(r.accepted, 1);
	ck_assert_uint_eq(upstream_counts(r.upstream)->near_misses, 0);
	/* Before it was connected, and with questions open at the end. */
	x = ask(&r, 'a');
	exchange_cancel(&x);
	ask(&r, 's');
	teardown(&r);
	ck_assert_uint_eq(r.done, 2);
}
END_TEST

START_TEST(eight_replies_to_nothing_end_a_connection)
{
	struct rig r;
	setup(&r);
	ask(&r, 'z');
	run(&r, 1);
	ck_assert_uint_eq(r.unreachable, 1);
	ck_assert_uint_eq(upstream_counts(r.upstream)->near_misses, MISSES);
	run_ms(&r, 20);
	ck_assert_uint_eq(r.closed, 1);
	teardown(&r);
}
END_TEST

START_TEST(a_closed_port_is_unreachable_at_once)
{
	struct rig r;
	setup(&r);
	stop_listening(&r);
	ask(&r, 'a');
	ck_assert_uint_eq(r.done, 0);
	run(&r, 1);
	ck_assert_uint_eq(r.unreachable, 1);
	teardown(&r);
}
END_TEST

START_TEST(connections_in_use_are_limited_and_idle_ones_make_room)
{
	struct rig r;
	struct upstream_opts opts = { .questions = 10, .connections = 1 };
	setup_at(&r, "127.0.0.1@0", &opts);
	struct addr first = r.server, second;
	ck_assert_int_eq(addr_parse(&second, "127.0.0.2@0", 53, NULL), 0);
	second.v4.sin_port = first.v4.sin_port;
	ask(&r, 's');
	r.server = second;
	ck_assert_ptr_null(try_to_ask(&r, 'a'));
	ck_assert_uint_eq(upstream_counts(r.upstream)->open, 1);
	run(&r, 1); /* silence: given up */
	r.server = first;
	ask(&r, 'a');
	run(&r, 1);
	r.server = second; /* where nobody listens */
	ask(&r, 'a');
	run(&r, 1);
	ck_assert_uint_eq(r.replies, 1);
	ck_assert_uint_eq(r.unreachable, 1);
	ck_assert_uint_eq(r.closed, 2);
	teardown(&r);
}
END_TEST

START_TEST(questions_leave_from_the_address_that_was_chosen)
{
	struct rig r;
	struct upstream_opts opts = { .questions = 10, .connections = 10 };
	ck_assert_int_eq(addr_parse(&opts.source4, "127.0.0.9@0", 53, NULL), 0);
	setup_at(&r, "127.0.0.1@0", &opts);
	ask(&r, 'a');
	run(&r, 1);
	ck_assert_uint_eq(r.replies, 1);
	ck_assert_int_eq(r.from.v4.sin_addr.s_addr, opts.source4.v4.sin_addr.s_addr);
	teardown(&r);
}
END_TEST

START_TEST(servers_are_asked_over_ipv6)
{
	struct rig r;
	struct upstream_opts opts = { .questions = 10, .connections = 10 };
	if (!socket_has_ipv6()) {
		(void)printf("skipped: this host has no IPv6\n");
		return;
	}
	setup_at(&r, "::1@0", &opts);
	ask(&r, 'a');
	run(&r, 1);
	ck_assert_uint_eq(r.replies, 1);
	teardown(&r);
}
END_TEST

UNIT_MAIN("net/upstream_tcp", a_connection_is_kept_and_its_replies_come_in_any_order,
	replies_come_byte_by_byte_and_as_large_as_can_be,
	a_connection_holds_no_more_than_64_questions,
	a_connection_that_was_closed_is_made_anew_once,
	what_is_sent_again_goes_to_a_new_connection_and_not_a_third_time,
	a_reply_that_was_begun_is_none, a_silent_connection_gets_no_further_question,
	a_connection_is_kept_as_long_as_the_server_says,
	replies_to_cancelled_questions_are_thrown_away,
	eight_replies_to_nothing_end_a_connection, a_closed_port_is_unreachable_at_once,
	connections_in_use_are_limited_and_idle_ones_make_room,
	questions_leave_from_the_address_that_was_chosen, servers_are_asked_over_ipv6)
