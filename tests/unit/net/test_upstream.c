/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/upstream.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "net/socket.h"
#include "unit/unit.h"
#include "wire/message.h"
#include "wire/sets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	MANY = 2000,
	AT_ONCE = 100, /* as many as a socket's queue surely holds */
	QUERY_ROOM = 64,
	BENCH = 20000,
};

struct held { /* a question that is answered later */
	struct addr from;
	size_t n;
	uint8_t msg[QUERY_ROOM];
};

/* Another server on loopback, within the loop of the test. What it does is in the first byte of
 * the name asked for. */
struct rig {
	struct loop *loop;
	struct upstream *upstream;
	struct addr server;
	int udp, other;
	struct loop_poll *poll;
	size_t queries, queries_wanted;
	struct held *later;
	size_t later_n, later_wanted; /* answered when so many are there */
	struct addr from;             /* of the last */
	uint32_t timeout_ms;
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

static void answer_later(struct rig *r, const uint8_t *msg, size_t n, const struct addr *to)
{
	struct held *held = &r->later[r->later_n++];
	ck_assert_uint_le(n, sizeof held->msg);
	memcpy(held->msg, msg, n);
	held->n = n;
	held->from = *to;
	if (r->later_n < r->later_wanted)
		return;
	while (r->later_n--)
		say(r->udp, r->later[r->later_n].msg, r->later[r->later_n].n,
			&r->later[r->later_n].from);
	r->later_n = 0;
}

/* One byte of the reply is not what it should be. */
static void say_wrong(int fd, uint8_t *msg, size_t n, size_t at, const struct addr *to)
{
	msg[at] ^= 1;
	say(fd, msg, n, to);
	msg[at] ^= 1;
}

/* Five near misses: name, type, class, opcode and length. */
static void say_other_things(int fd, uint8_t *msg, size_t n, const struct addr *to)
{
	say_wrong(fd, msg, n, HEADER_LEN + 2, to);
	say_wrong(fd, msg, n, HEADER_LEN + 10, to);
	say_wrong(fd, msg, n, HEADER_LEN + 12, to);
	msg[2] ^= FLAGS_OPCODE >> 8;
	say(fd, msg, n, to);
	msg[2] ^= FLAGS_OPCODE >> 8;
	say(fd, msg, HEADER_LEN - 1, to);
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
	r->from = from;
	if (++r->queries == r->queries_wanted)
		loop_stop(r->loop);
	note_port(r, &from);
	if (msg[HEADER_LEN + 1] == 'n') /* a question comes back, then the reply */
		say(r->udp, msg, (size_t)n, &from);
	msg[2] |= FLAG_QR >> 8;
	switch (msg[HEADER_LEN + 1]) {
	case 's': /* silent */
		return;
	case 'i': /* another id, then the right one */
		say_wrong(r->udp, msg, (size_t)n, 0, &from);
		break;
	case 'q': /* another question, then the right one */
		say_other_things(r->udp, msg, (size_t)n, &from);
		break;
	case 'l':
		answer_later(r, msg, (size_t)n, &from);
		return;
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
	case 'H': /* of what is none */
		msg[3] = msg[HEADER_LEN + 1] == 'h' ? RCODE_FORMERR : RCODE_NXDOMAIN;
		memset(msg + 4, 0, 8);
		n = HEADER_LEN;
		break;
	}
	say(r->udp, msg, (size_t)n, &from);
}

static int bound(struct addr *addr)
{
	int fd = socket(addr->any.sa_family, SOCK_DGRAM, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, &addr->any, addr_len(addr)), 0);
	ck_assert_int_eq(addr_local(addr, fd), 0);
	return fd;
}

static void setup_at(struct rig *r, const char *address, const struct upstream_opts *opts)
{
	memset(r, 0, sizeof *r);
	r->timeout_ms = 200;
	struct addr other;
	ck_assert_int_eq(addr_parse(&r->server, address, 53, NULL), 0);
	r->later = calloc(MANY, sizeof *r->later);
	ck_assert_ptr_nonnull(r->later);
	other = r->server;
	r->loop = loop_new();
	r->udp = bound(&r->server);
	r->other = bound(&other);
	int large = 4 << 20;
	(void)setsockopt(r->udp, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large);
	r->poll = loop_poll_new(r->loop, r->udp, LOOP_READ, on_query, r);
	r->upstream = upstream_new(r->loop, opts);
	ck_assert_ptr_nonnull(r->upstream);
}

static void setup(struct rig *r, uint32_t questions)
{
	struct upstream_opts opts = { .questions = questions, .connections = 10 };
	setup_at(r, "127.0.0.1@0", &opts);
}

static void teardown(struct rig *r)
{
	upstream_free(&r->upstream);
	loop_poll_free(&r->poll);
	loop_free(&r->loop);
	free(r->later);
	(void)close(r->udp);
	(void)close(r->other);
}

static struct exchange *ask_for(
	struct rig *r, char first, bool is_tcp, bool is_exact, upstream_fn *done, void *user)
{
	uint8_t query[320], name[] = "\2?x\4test";
	struct query_opts opts = { .edns_size = 1232 };
	name[1] = (uint8_t)first;
	struct upstream_ask a = { .server = &r->server,
		.is_tcp = is_tcp,
		.is_case_exact = is_exact,
		.query = query,
		.len = query_write(query, name, 1, &opts),
		.timeout_ms = r->timeout_ms };
	return upstream_send(r->upstream, &a, done, user);
}

static struct exchange *ask(struct rig *r, char first, bool is_tcp, bool is_exact)
{
	return ask_for(r, first, is_tcp, is_exact, on_done, r);
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
	ck_assert_ptr_nonnull(ask(&r, 'n', false, false));
	run(&r, 6);
	ck_assert_uint_eq(r.replies, 6);
	ck_assert_uint_eq(upstream_counts(r.upstream)->replies, 6);
	ck_assert_uint_eq(upstream_counts(r.upstream)->sent_udp, 6);
	ck_assert_uint_eq(upstream_counts(r.upstream)->near_misses, 1 + 5 + 1);
	ck_assert_uint_eq(upstream_counts(r.upstream)->open, 0);
	teardown(&r);
}
END_TEST

START_TEST(other_letters_and_headers_alone_are_no_replies_when_the_spelling_counts)
{
	struct rig r;
	setup(&r, 10);
	ck_assert_ptr_nonnull(ask(&r, 'c', false, true));
	ck_assert_ptr_nonnull(ask(&r, 'h', false, true));
	ck_assert_ptr_nonnull(ask(&r, 'H', false, false));
	run(&r, 3);
	ck_assert_uint_eq(r.timeouts, 3);
	ck_assert_uint_eq(upstream_counts(r.upstream)->near_misses, 3);
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
	loop_poll_free(&r.poll);
	(void)close(r.udp);
	r.udp = -1;
	ck_assert_ptr_nonnull(ask(&r, 'a', false, false));
	run(&r, 1);
	ck_assert_uint_eq(r.unreachable, 1);
	ck_assert_uint_lt(r.took_us, 150000);
	teardown(&r);
}
END_TEST

START_TEST(what_is_cancelled_is_not_told_and_the_limit_holds)
{
	struct rig r;
	setup(&r, 3);
	struct exchange *x[] = { ask(&r, 's', false, false), ask(&r, 's', false, false),
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
	teardown(&r);
	ck_assert_uint_eq(r.done, 1);
}
END_TEST

START_TEST(two_thousand_questions_at_a_time_have_ports_of_their_own)
{
	struct rig r;
	setup(&r, MANY);
	r.timeout_ms = 30000;
	r.later_wanted = MANY;
	for (size_t sent = 0; sent < MANY;) {
		for (unsigned i = 0; i < AT_ONCE; i++, sent++)
			ck_assert_ptr_nonnull(ask(&r, 'l', false, true));
		r.queries_wanted = sent;
		if (sent < MANY)
			loop_run(r.loop);
	}
	ck_assert_uint_eq(upstream_counts(r.upstream)->open, MANY);
	ck_assert_ptr_null(ask(&r, 'a', false, true));
	r.queries_wanted = 0;
	run(&r, MANY);
	(void)printf("%zu of %d ports are different\n", r.ports, MANY);
	ck_assert_uint_eq(r.replies, MANY);
	ck_assert_uint_eq(r.ports, MANY);
	ck_assert_uint_eq(upstream_counts(r.upstream)->open, 0);
	teardown(&r);
}
END_TEST

/* What is drawn again once it is free: of 64,512 ports 2,000 draws see about 31 twice, were
 * they from the usual 28,232 it would be 70. */
START_TEST(ports_are_drawn_from_all_of_the_range)
{
	struct rig r;
	size_t low = 0;
	setup(&r, MANY);
	for (size_t sent = 0; sent < MANY;) {
		for (unsigned i = 0; i < AT_ONCE; i++, sent++)
			ck_assert_ptr_nonnull(ask(&r, 'a', false, true));
		run(&r, AT_ONCE);
	}
	for (unsigned port = 0; port < 1024; port++)
		ck_assert(!(r.seen[port / 8] & 1u << port % 8));
	for (unsigned port = 1024; port < 32768; port++)
		low += r.seen[port / 8] >> port % 8 & 1;
	ck_assert_uint_gt(r.ports, MANY - 80);
	ck_assert_uint_gt(low, MANY * 4 / 10); /* of 49 in 100, eight deviations away */
	ck_assert_uint_lt(low, MANY * 6 / 10);
	teardown(&r);
}
END_TEST

struct pair { /* the second is told first: it cancels the other and asks something else */
	struct rig *rig;
	struct exchange *x[2];
	unsigned told;
};

static void on_either(void *user, const struct upstream_reply *reply)
{
	struct pair *pair = user;
	ck_assert_int_eq(reply->result, UPSTREAM_REPLY);
	pair->told++;
	exchange_cancel(&pair->x[0]);
	ck_assert_ptr_nonnull(ask(pair->rig, 'a', false, true));
	ck_assert_uint_eq(upstream_counts(pair->rig->upstream)->open, 1);
}

START_TEST(what_a_reply_leads_to_may_cancel_one_that_has_come_too)
{
	struct rig r;
	setup(&r, 2);
	struct pair pair = { .rig = &r };
	r.later_wanted = 2;
	pair.x[0] = ask_for(&r, 'l', false, true, on_either, &pair);
	pair.x[1] = ask_for(&r, 'l', false, true, on_either, &pair);
	ck_assert_ptr_nonnull(pair.x[0]);
	ck_assert_ptr_nonnull(pair.x[1]);
	run(&r, 1);
	ck_assert_uint_eq(pair.told, 1);
	ck_assert_uint_eq(r.replies, 1);
	ck_assert_uint_eq(r.last, 'a');
	ck_assert_uint_eq(upstream_counts(r.upstream)->open, 0);
	teardown(&r);
}
END_TEST

struct again { /* asks again as soon as it is told, without end */
	struct rig *rig;
	unsigned told;
	bool is_within, is_tcp;
};

static void ask_again(struct again *again);

static void on_failure(void *user, const struct upstream_reply *reply)
{
	struct again *again = user;
	ck_assert(!again->is_within);
	ck_assert_int_eq(reply->result, UPSTREAM_UNREACHABLE);
	again->told++;
	ask_again(again);
}

static void ask_again(struct again *again)
{
	again->is_within = true;
	ck_assert_ptr_nonnull(ask_for(again->rig, 'a', again->is_tcp, true, on_failure, again));
	again->is_within = false;
}

static void stop(void *user)
{
	loop_stop(user);
}

START_TEST(who_asks_the_unreachable_for_ever_does_not_keep_the_loop)
{
	struct rig r;
	setup(&r, 4);
	/* A broadcast address: connect() refuses it at once. */
	uint16_t port = addr_port(&r.server);
	ck_assert_int_eq(addr_parse(&r.server, "127.255.255.255@0", 53, NULL), 0);
	r.server.v4.sin_port = htons(port);
	struct again udp = { .rig = &r }, tcp = { .rig = &r, .is_tcp = true };
	struct loop_timer *timer = loop_timer_new(r.loop, stop, r.loop);
	ask_again(&udp);
	ask_again(&tcp);
	ck_assert_uint_eq(udp.told + tcp.told, 0);
	loop_timer_start(timer, 30, 0);
	loop_run(r.loop);
	ck_assert_uint_gt(udp.told, 1);
	ck_assert_uint_gt(tcp.told, 1);
	ck_assert_uint_eq(udp.told + tcp.told, upstream_counts(r.upstream)->unreachable);
	loop_timer_free(&timer);
	teardown(&r);
}
END_TEST

START_TEST(questions_leave_from_the_address_that_was_chosen)
{
	struct rig r;
	struct upstream_opts opts = { .questions = 10, .connections = 10 };
	ck_assert_int_eq(addr_parse(&opts.source4, "127.0.0.9@0", 53, NULL), 0);
	setup_at(&r, "127.0.0.1@0", &opts);
	ck_assert_ptr_nonnull(ask(&r, 'a', false, true));
	run(&r, 1);
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
	ck_assert_ptr_nonnull(ask(&r, 'a', false, true));
	ck_assert_ptr_nonnull(ask(&r, 'o', false, true));
	run(&r, 2);
	ck_assert_uint_eq(r.replies, 1);
	ck_assert_uint_eq(r.timeouts, 1);
	ck_assert_uint_gt(addr_port(&r.from), 1023);
	teardown(&r);
}
END_TEST

/* The descriptor of this process that is bound to the port. */
static int find_socket(unsigned port)
{
	struct addr local;
	for (int fd = 0; fd < 100; fd++)
		if (addr_local(&local, fd) == 0 && addr_port(&local) == port)
			return fd;
	return -1;
}

START_TEST(sockets_are_connected_and_their_datagrams_never_cut)
{
	struct rig r;
	struct addr peer;
	int how = -1;
	socklen_t how_size = sizeof how, size = sizeof peer;
	setup(&r, 10);
	ck_assert_ptr_nonnull(ask(&r, 's', false, true));
	r.queries_wanted = 1;
	loop_run(r.loop);
	int fd = find_socket(addr_port(&r.from));
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(getpeername(fd, &peer.any, &size), 0);
	ck_assert(addr_is_equal(&peer, &r.server));
	ck_assert_int_eq(getsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &how, &how_size), 0);
	ck_assert_int_eq(how, IP_PMTUDISC_OMIT);
	teardown(&r);
}
END_TEST

START_TEST(without_descriptors_nothing_is_sent)
{
	struct rig r;
	setup(&r, 10);
	struct rlimit was, none;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_ptr_null(ask(&r, 'a', false, true));
	ck_assert_ptr_null(ask(&r, 'a', true, true));
	ck_assert_uint_eq(upstream_counts(r.upstream)->open, 0);
	ck_assert_uint_eq(upstream_counts(r.upstream)->sent_udp, 0);
	ck_assert_uint_eq(upstream_counts(r.upstream)->sent_tcp, 0);
	/* With some again all is as before; who looks for leaks needs them too. */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	ck_assert_ptr_nonnull(ask(&r, 'a', false, true));
	run(&r, 1);
	ck_assert_uint_eq(r.replies, 1);
	teardown(&r);
}
END_TEST

/* ---- what it costs; the other server has a thread of its own ---- */

static void serve(void *user)
{
	const int *fd = user;
	uint8_t msg[600];
	struct addr from;
	for (;;) {
		socklen_t size = sizeof from;
		ssize_t n = recvfrom(*fd, msg, sizeof msg, 0, &from.any, &size);
		if (n < HEADER_LEN)
			return;
		msg[2] |= FLAG_QR >> 8;
		(void)sendto(*fd, msg, (size_t)n, 0, &from.any, size);
	}
}

static double cpu_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void on_bench(void *user, const struct upstream_reply *reply)
{
	struct rig *r = user;
	on_done(r, reply);
	/* An assertion of check's costs a system call. */
	if (r->queries++ < BENCH && !ask_for(r, 'a', false, true, on_bench, r))
		loop_stop(r->loop);
}

START_TEST(a_question_costs_little)
{
	struct rig r;
	setup(&r, AT_ONCE);
	r.timeout_ms = 5000;
	loop_poll_free(&r.poll);
	ck_assert_int_eq(fcntl(r.udp, F_SETFL, 0), 0); /* its thread may wait */
	struct loop_thread *thread = loop_thread_start(serve, &r.udp);
	ck_assert_ptr_nonnull(thread);
	double start = cpu_us();
	for (unsigned i = 0; i < AT_ONCE; i++, r.queries++)
		ck_assert_ptr_nonnull(ask_for(&r, 'a', false, true, on_bench, &r));
	run(&r, BENCH);
	(void)printf("%.1f us of CPU for a question over UDP\n", (cpu_us() - start) / BENCH);
	ck_assert_uint_eq(r.replies, BENCH);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	say(fd, (const uint8_t *)"end", 3, &r.server);
	(void)close(fd);
	loop_thread_join(&thread);
	teardown(&r);
}
END_TEST

UNIT_MAIN("net/upstream", a_reply_comes_and_what_is_none_is_counted,
	other_letters_and_headers_alone_are_no_replies_when_the_spelling_counts,
	eight_forgeries_end_a_question_and_strangers_are_not_heard,
	silence_ends_in_time_and_a_closed_port_at_once,
	what_is_cancelled_is_not_told_and_the_limit_holds,
	two_thousand_questions_at_a_time_have_ports_of_their_own,
	ports_are_drawn_from_all_of_the_range,
	what_a_reply_leads_to_may_cancel_one_that_has_come_too,
	who_asks_the_unreachable_for_ever_does_not_keep_the_loop,
	questions_leave_from_the_address_that_was_chosen, servers_are_asked_over_ipv6,
	sockets_are_connected_and_their_datagrams_never_cut,
	without_descriptors_nothing_is_sent, a_question_costs_little)
