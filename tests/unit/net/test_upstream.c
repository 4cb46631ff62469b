/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/upstream.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "unit/unit.h"
#include "wire/message.h"
#include "wire/sets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	CONNECTIONS = 4,
	MANY = 2000
};

/* Another server on loopback, within the loop of the test. What it does is in the first byte of
 * the name asked for. */
struct rig {
	struct loop *loop;
	struct upstream *upstream;
	struct addr server;
	int udp, tcp, other, conn[CONNECTIONS];
	struct loop_poll *udp_poll, *tcp_poll, *conn_poll[CONNECTIONS];
	size_t accepted, queries;
	uint8_t held[600]; /* the first of two that are answered in the other order */
	size_t held_n;
	uint8_t seen[8192]; /* ports, a bit each */
	size_t ports;
	/* what came */
	size_t done, replies, timeouts, unreachable, spoofed, wanted;
	uint64_t took_us;
	uint8_t last; /* first byte of the last reply's name */
	uint8_t order[8];
};

static void on_done(void *user, const struct upstream_reply *reply)
{
	struct rig *r = user;
	size_t *const counts[] = { &r->replies, &r->timeouts, &r->unreachable, &r->spoofed };
	++*counts[reply->result];
	r->took_us = reply->took_us;
	if (reply->result == UPSTREAM_REPLY) {
		r->last = reply->msg[HEADER_LEN + 1];
		r->order[r->done % sizeof r->order] = r->last;
	}
	if (++r->done == r->wanted)
		loop_stop(r->loop);
}

static void note_port(struct rig *r, const struct addr *from)
{
	unsigned port = addr_port(from);
	if (!(r->seen[port / 8] & 1u << port % 8))
		r->ports++;
	r->seen[port / 8] |= (uint8_t)(1u << port % 8);
}

static void say(int fd, const uint8_t *msg, size_t n, const struct addr *to)
{
	ck_assert_int_eq(sendto(fd, msg, n, 0, &to->any, addr_len(to)), (ssize_t)n);
}

static void on_query(void *user, int events)
{
	struct rig *r = user;
	uint8_t msg[600];
	struct addr from;
	(void)events;
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(r->udp, msg, sizeof msg, 0, &from.any, &size);
	ck_assert_int_gt(n, HEADER_LEN);
	r->queries++;
	note_port(r, &from);
	msg[2] |= FLAG_QR >> 8;
	switch (msg[HEADER_LEN + 1]) {
	case 's': /* silent */
		return;
	case 'i': /* another id, then the right one */
		msg[0] ^= 1;
		say(r->udp, msg, (size_t)n, &from);
		msg[0] ^= 1;
		break;
	case 'q': /* another question, then the right one */
		msg[HEADER_LEN + 2] ^= 1;
		say(r->udp, msg, (size_t)n, &from);
		msg[HEADER_LEN + 2] ^= 1;
		break;
	case 'c': /* other letters */
	case 'C':
		msg[HEADER_LEN + 1] ^= 0x20;
		break;
	case 'o': /* from somebody else */
		say(r->other, msg, (size_t)n, &from);
		return;
	case 'f': /* forgeries without end */
		for (unsigned i = 0; i < 12; i++) {
			msg[0]++;
			say(r->udp, msg, (size_t)n, &from);
		}
		return;
	case 'h': /* the bare header of a refusal */
		memset(msg + 4, 0, 8);
		msg[3] = RCODE_FORMERR;
		n = HEADER_LEN;
		break;
	}
	say(r->udp, msg, (size_t)n, &from);
}

static void on_bytes(void *user, int events)
{
	struct rig *r = user;
	uint8_t buf[600];
	(void)events;
	for (size_t i = 0; i < r->accepted; i++) {
		ssize_t n = r->conn[i] < 0 ? -1 : recv(r->conn[i], buf, 2, MSG_DONTWAIT);
		if (n < 0)
			continue;
		size_t len = n == 2 ? get_u16(buf) : 0;
		if (n == 0 || recv(r->conn[i], buf + 2, len, MSG_WAITALL) != (ssize_t)len)
			goto close_it;
		r->queries++;
		buf[4] |= FLAG_QR >> 8;
		switch (buf[2 + HEADER_LEN + 1]) {
		case '1': /* answered after the next */
			memcpy(r->held, buf, len + 2);
			r->held_n = len + 2;
			continue;
		case 'b': /* half a reply, then the end */
			ck_assert_int_eq(send(r->conn[i], buf, len / 2, 0), (ssize_t)len / 2);
			goto close_it;
		case 'x':
			goto close_it;
		case 'p': /* byte by byte */
			for (size_t k = 0; k < len + 2; k++)
				ck_assert_int_eq(send(r->conn[i], buf + k, 1, 0), 1);
			continue;
		}
		ck_assert_int_eq(send(r->conn[i], buf, len + 2, 0), (ssize_t)len + 2);
		if (r->held_n)
			ck_assert_int_eq(send(r->conn[i], r->held, r->held_n, 0),
				(ssize_t)r->held_n);
		r->held_n = 0;
		if (buf[2 + HEADER_LEN + 1] != 'e') /* answered, then the end */
			continue;
	close_it:
		loop_poll_free(&r->conn_poll[i]);
		(void)close(r->conn[i]);
		r->conn[i] = -1;
	}
}

static void on_connection(void *user, int events)
{
	struct rig *r = user;
	(void)events;
	ck_assert_uint_lt(r->accepted, CONNECTIONS);
	int fd = accept(r->tcp, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	r->conn[r->accepted] = fd;
	r->conn_poll[r->accepted++] = loop_poll_new(r->loop, fd, LOOP_READ, on_bytes, r);
}

static int bound(int type, struct addr *addr)
{
	int fd = socket(AF_INET, type, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, &addr->any, addr_len(addr)), 0);
	ck_assert_int_eq(addr_local(addr, fd), 0);
	return fd;
}

static void setup(struct rig *r, uint32_t questions)
{
	memset(r, 0, sizeof *r);
	struct addr other;
	struct upstream_opts opts = { .questions = questions, .connections = 10 };
	ck_assert_int_eq(addr_parse(&r->server, "127.0.0.1@0", 53, NULL), 0);
	other = r->server;
	r->loop = loop_new();
	r->udp = bound(SOCK_DGRAM, &r->server);
	r->tcp = bound(SOCK_STREAM, &r->server);
	r->other = bound(SOCK_DGRAM, &other);
	ck_assert_int_eq(listen(r->tcp, 8), 0);
	int large = 4 << 20;
	(void)setsockopt(r->udp, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large);
	r->udp_poll = loop_poll_new(r->loop, r->udp, LOOP_READ, on_query, r);
	r->tcp_poll = loop_poll_new(r->loop, r->tcp, LOOP_READ, on_connection, r);
	r->upstream = upstream_new(r->loop, &opts);
	ck_assert_ptr_nonnull(r->upstream);
}

static void teardown(struct rig *r)
{
	upstream_free(&r->upstream);
	loop_poll_free(&r->udp_poll);
	loop_poll_free(&r->tcp_poll);
	for (size_t i = 0; i < r->accepted; i++)
		if (r->conn[i] >= 0) {
			loop_poll_free(&r->conn_poll[i]);
			(void)close(r->conn[i]);
		}
	loop_free(&r->loop);
	(void)close(r->udp);
	(void)close(r->tcp);
	(void)close(r->other);
}

static struct exchange *ask(struct rig *r, char first, bool is_tcp, bool is_exact)
{
	uint8_t query[320], name[] = "\2?x\4test";
	struct query_opts opts = { .edns_size = 1232 };
	name[1] = (uint8_t)first;
	struct upstream_ask a = { .server = &r->server,
		.is_tcp = is_tcp,
		.is_case_exact = is_exact,
		.query = query,
		.len = query_write(query, name, 1, &opts),
		.timeout_ms = 200 };
	return upstream_send(r->upstream, &a, on_done, r);
}

static void run(struct rig *r, size_t wanted)
{
	r->wanted = r->done + wanted;
	loop_run(r->loop);
}

START_TEST(a_reply_comes_and_what_is_none_is_counted)
{
	struct rig r;
	setup(&r, 10);
	ck_assert_ptr_nonnull(ask(&r, 'a', false, true));
	ck_assert_ptr_nonnull(ask(&r, 'i', false, false));
	ck_assert_ptr_nonnull(ask(&r, 'q', false, false));
	ck_assert_ptr_nonnull(ask(&r, 'h', false, false));
	ck_assert_ptr_nonnull(ask(&r, 'c', false, false));
	run(&r, 5);
	ck_assert_uint_eq(r.replies, 5);
	ck_assert_uint_eq(upstream_counts(r.upstream)->near_misses, 2);
	ck_assert_uint_eq(upstream_counts(r.upstream)->open, 0);
	teardown(&r);
}
END_TEST

START_TEST(other_letters_and_bare_headers_are_no_replies_when_the_spelling_counts)
{
	struct rig r;
	setup(&r, 10);
	ck_assert_ptr_nonnull(ask(&r, 'c', false, true));
	ck_assert_ptr_nonnull(ask(&r, 'h', false, true));
	run(&r, 2);
	ck_assert_uint_eq(r.timeouts, 2);
	ck_assert_uint_eq(upstream_counts(r.upstream)->near_misses, 2);
	teardown(&r);
}
END_TEST

START_TEST(eight_forgeries_end_a_question_and_strangers_are_not_heard)
{
	struct rig r;
	setup(&r, 10);
	ck_assert_ptr_nonnull(ask(&r, 'f', false, false));
	run(&r, 1);
	ck_assert_uint_eq(r.spoofed, 1);
	ck_assert_uint_eq(upstream_counts(r.upstream)->near_misses, 8);
	ck_assert_ptr_nonnull(ask(&r, 'o', false, false));
	run(&r, 1);
	ck_assert_uint_eq(r.timeouts, 1);
	ck_assert_uint_eq(upstream_counts(r.upstream)->near_misses, 8);
	teardown(&r);
}
END_TEST

START_TEST(silence_ends_in_time_and_a_closed_port_at_once)
{
	struct rig r;
	setup(&r, 10);
	ck_assert_ptr_nonnull(ask(&r, 's', false, false));
	run(&r, 1);
	ck_assert_uint_eq(r.timeouts, 1);
	ck_assert_uint_ge(r.took_us, 200000);
	ck_assert_uint_lt(r.took_us, 400000);
	loop_poll_free(&r.udp_poll);
	(void)close(r.udp);
	(void)close(r.tcp);
	r.udp = r.tcp = -1;
	ck_assert_ptr_nonnull(ask(&r, 'a', false, false));
	ck_assert_ptr_nonnull(ask(&r, 'a', true, false));
	run(&r, 2);
	ck_assert_uint_eq(r.unreachable, 2);
	ck_assert_uint_lt(r.took_us, 150000);
	teardown(&r);
}
END_TEST

START_TEST(what_is_cancelled_is_not_told_and_the_limit_holds)
{
	struct rig r;
	setup(&r, 3);
	struct exchange *x[] = { ask(&r, 's', false, false), ask(&r, 'x', true, false),
		ask(&r, 'a', false, false) };
	ck_assert_ptr_nonnull(x[0]);
	ck_assert_ptr_nonnull(x[1]);
	ck_assert_ptr_nonnull(x[2]);
	ck_assert_ptr_null(ask(&r, 'a', false, false));
	exchange_cancel(&x[0]);
	exchange_cancel(&x[1]);
	run(&r, 1);
	ck_assert_uint_eq(r.replies, 1);
	ck_assert_uint_eq(r.done, 1);
	/* The end of a set with questions open tells nobody. */
	ck_assert_ptr_nonnull(ask(&r, 's', false, false));
	ck_assert_ptr_nonnull(ask(&r, 'a', true, false));
	teardown(&r);
	ck_assert_uint_eq(r.done, 1);
}
END_TEST

START_TEST(many_questions_have_ports_of_their_own)
{
	struct rig r;
	size_t sent = 0;
	setup(&r, MANY);
	struct timespec a, z;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	while (sent < MANY) {
		for (unsigned i = 0; i < 100; i++, sent++)
			ck_assert_ptr_nonnull(ask(&r, 'a', false, true));
		run(&r, 100);
	}
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &z);
	double us = (double)(z.tv_sec - a.tv_sec) * 1e6 + (double)(z.tv_nsec - a.tv_nsec) / 1e3;
	(void)printf("%zu of %d ports are different; %.1f us of CPU a question, the other "
		     "side's half among it\n",
		r.ports, MANY, us / MANY);
	ck_assert_uint_eq(r.replies, MANY);
	/* Of 64,512 ports drawn 2,000 times about 31 come again. */
	ck_assert_uint_gt(r.ports, MANY - 80);
	teardown(&r);
}
END_TEST

START_TEST(a_connection_is_kept_and_its_replies_come_in_any_order)
{
	struct rig r;
	setup(&r, 10);
	ck_assert_ptr_nonnull(ask(&r, '1', true, true));
	ck_assert_ptr_nonnull(ask(&r, '2', true, true));
	ck_assert_ptr_nonnull(ask(&r, 'p', true, true));
	run(&r, 3);
	ck_assert_uint_eq(r.replies, 3);
	ck_assert_mem_eq(r.order, "21p", 3);
	ck_assert_ptr_nonnull(ask(&r, 'a', true, true));
	run(&r, 1);
	ck_assert_uint_eq(r.accepted, 1);
	teardown(&r);
}
END_TEST

START_TEST(a_connection_that_was_closed_is_made_anew_once)
{
	struct rig r;
	setup(&r, 10);
	ck_assert_ptr_nonnull(ask(&r, 'e', true, true)); /* closed behind its reply */
	run(&r, 1);
	ck_assert_ptr_nonnull(ask(&r, 'a', true, true));
	run(&r, 1);
	ck_assert_uint_eq(r.replies, 2);
	ck_assert_uint_eq(r.accepted, 2);
	/* On the second it is closed upon the question, and on the third again: no more. */
	ck_assert_ptr_nonnull(ask(&r, 'x', true, true));
	run(&r, 1);
	ck_assert_uint_eq(r.unreachable, 1);
	ck_assert_uint_eq(r.accepted, 3);
	ck_assert_ptr_nonnull(ask(&r, 'b', true, true));
	run(&r, 1);
	ck_assert_uint_eq(r.unreachable, 2);
	teardown(&r);
}
END_TEST

UNIT_MAIN("net/upstream", a_reply_comes_and_what_is_none_is_counted,
	other_letters_and_bare_headers_are_no_replies_when_the_spelling_counts,
	eight_forgeries_end_a_question_and_strangers_are_not_heard,
	silence_ends_in_time_and_a_closed_port_at_once,
	what_is_cancelled_is_not_told_and_the_limit_holds,
	many_questions_have_ports_of_their_own,
	a_connection_is_kept_and_its_replies_come_in_any_order,
	a_connection_that_was_closed_is_made_anew_once)
