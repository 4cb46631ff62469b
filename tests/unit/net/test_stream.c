/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/count.h"
#include "net/stream.h"
#include "unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	BIG = 60000,
	FDS = 400,
	LATE_MAX = 1000
};

/* A server on a thread of its own that echoes with the third byte's top bit set; a query that
 * starts with 'd' is dropped, one that starts with 'b' gets BIG bytes, of which the last four
 * are the query's; one that starts with 'l' is answered 20 ms later, all of them at once. */
struct echo {
	struct loop *loop;
	struct loop_thread *thread;
	struct clients clients;
	struct streams *streams;
	struct stream_opts opts;
	struct addr addr;
	int fd;
	_Atomic uint64_t largest, drained, drain_ms, held;
	struct loop_timer *timer;
	struct {
		struct later *later;
		uint8_t reply[8];
		size_t len;
	} late[LATE_MAX];
	_Atomic int wish; /* what the next wake-up is to do */
	uint64_t drain_start;
};

enum {
	WISH_STOP,
	WISH_DRAIN,
	WISH_OPTS
};

static const struct stream_opts usual = {
	.idle_ms = 10000,
	.message_ms = 2000,
	.stall_ms = 5000,
	.connections = 1000,
	.per_client = 64,
	.memory = 64 << 20,
};

static void answer_late(void *user)
{
	struct echo *e = user;
	for (size_t i = 0; i < LATE_MAX; i++)
		if (e->late[i].later)
			later_send(&e->late[i].later, e->late[i].reply, e->late[i].len);
}

static void echo_later(struct echo *e, struct item *item)
{
	uint64_t i = count_get(&e->held);
	if (i == LATE_MAX)
		return;
	e->late[i].later = item_hold(item);
	e->late[i].len = item->query_len < 8 ? item->query_len : 8;
	memcpy(e->late[i].reply, item->query, e->late[i].len);
	atomic_store(&e->held, i + 1);
	item->reply_len = REPLY_LATER;
	loop_timer_start(e->timer, 20, 0);
}

static void echo_batch(void *user, struct item *items, size_t n)
{
	struct echo *e = user;
	if (n > count_get(&e->largest))
		atomic_store(&e->largest, n);
	for (size_t i = 0; i < n; i++) {
		struct item *item = &items[i];
		if (item->query_len < 3 || item->query[0] == 'd')
			continue;
		if (item->room < UINT16_MAX || item->transport != TRANSPORT_TCP)
			continue;
		memset(item->scratch, 1, 100);
		if (item->query[0] == 'l') {
			echo_later(e, item);
			continue;
		}
		item->reply_len = (int32_t)item->query_len;
		if (item->query[0] == 'b') {
			memset(item->reply, 'b', BIG);
			memcpy(item->reply + BIG - 4, item->query + item->query_len - 4, 4);
			item->reply_len = BIG;
			continue;
		}
		memcpy(item->reply, item->query, item->query_len);
		item->reply[2] |= 0x80;
	}
}

static void on_drained(void *user)
{
	struct echo *e = user;
	atomic_store(&e->drain_ms, clock_mono_ms() - e->drain_start);
	atomic_store(&e->drained, 1);
}

static void on_wake(void *user)
{
	struct echo *e = user;
	switch (atomic_load(&e->wish)) {
	case WISH_STOP:
		loop_stop(e->loop);
		break;
	case WISH_DRAIN:
		e->drain_start = clock_mono_ms();
		streams_drain(e->streams, on_drained, e);
		break;
	case WISH_OPTS:
		streams_set_opts(e->streams, &e->opts);
		break;
	}
}

static void wish(struct echo *e, int what)
{
	atomic_store(&e->wish, what);
	loop_wake(e->loop);
}

static void run(void *user)
{
	struct echo *e = user;
	loop_run(e->loop);
}

static void echo_start(struct echo *e, const struct stream_opts *opts, const char *at)
{
	struct err err = { "" };
	memset(e, 0, sizeof *e);
	e->opts = *opts;
	ck_assert_int_eq(addr_parse(&e->addr, at, 0, NULL), 0);
	e->fd = stream_bind(&e->addr, true, &err);
	ck_assert_msg(e->fd >= 0, "%s", err.text);
	ck_assert_int_eq(addr_local(&e->addr, e->fd), 0);
	e->loop = loop_new();
	clients_init(&e->clients);
	e->streams = streams_new(e->loop, opts, &e->clients, echo_batch, e, 100);
	ck_assert_ptr_nonnull(e->streams);
	ck_assert(streams_listen(e->streams, e->fd, false));
	loop_on_wake(e->loop, on_wake, e);
	e->timer = loop_timer_new(e->loop, answer_late, e);
	e->thread = loop_thread_start(run, e);
}

static void echo_end(struct echo *e)
{
	wish(e, WISH_STOP);
	loop_thread_join(&e->thread);
	streams_free(&e->streams);
	answer_late(e);
	loop_timer_free(&e->timer);
	ck_assert_ptr_null(e->streams);
	clients_fini(&e->clients);
	loop_free(&e->loop);
	close(e->fd);
}

static void rest_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L },
		NULL);
}

/* Waits until a counter has its value; how the tests meet the other thread. */
static bool comes_to(const _Atomic uint64_t *count, uint64_t value)
{
	for (int i = 0; i < 400; i++) {
		if (count_get(count) == value)
			return true;
		rest_ms(5);
	}
	return false;
}

/* A connection from address from. */
static int client(const struct echo *e, const char *from)
{
	struct addr local;
	ck_assert_int_eq(addr_parse(&local, from, 0, NULL), 0);
	int fd = socket(local.any.sa_family, SOCK_STREAM, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, &local.any, addr_len(&local)), 0);
	ck_assert_int_eq(connect(fd, &e->addr.any, addr_len(&e->addr)), 0);
	return fd;
}

static void say(int fd, const void *p, size_t n)
{
	ck_assert_int_eq(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* n bytes, unless the connection ends before: how many came; negative when it was reset. */
static ssize_t hear(int fd, void *out, size_t n, int ms)
{
	size_t got = 0;
	while (got < n) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, ms) != 1)
			break;
		ssize_t k = recv(fd, (char *)out + got, n - got, 0);
		if (k < 0)
			return -errno;
		if (k == 0)
			break;
		got += (size_t)k;
	}
	return (ssize_t)got;
}

/* Milliseconds until the server ends the connection, or -1 when it has not after ms. */
static int64_t ends_within(int fd, int ms)
{
	uint64_t start = clock_mono_ms();
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char waste[65536];
		if (poll(&p, 1, ms) != 1)
			return -1;
		if (recv(fd, waste, sizeof waste, 0) <= 0)
			return (int64_t)(clock_mono_ms() - start);
	}
}

static void is_served(int fd)
{
	char out[6];
	say(fd, "\0\4ab\1c", 6);
	ck_assert_int_eq(hear(fd, out, 6, 2000), 6);
	ck_assert_mem_eq(out,
		"\0\4ab\x81"
		"c",
		6);
}

START_TEST(a_connection_at_rest_is_small)
{
	/* The heap adds 8 bytes and rounds up to 16. */
	ck_assert_uint_le((stream_connection_size() + 8 + 15) / 16 * 16, 320);
}
END_TEST

START_TEST(both_families_are_served)
{
	struct echo e;
	echo_start(&e, &usual, "127.0.0.1@0");
	int fd = client(&e, "127.0.0.1");
	is_served(fd);
	is_served(fd);
	close(fd);
	ck_assert(comes_to(&streams_counts(e.streams)->open, 0));
	ck_assert_uint_eq(count_get(&streams_counts(e.streams)->bytes), 0);
	echo_end(&e);
	echo_start(&e, &usual, "::1@0");
	fd = client(&e, "::1");
	is_served(fd);
	close(fd);
	echo_end(&e);
}
END_TEST

START_TEST(bytes_that_come_one_by_one_make_a_query)
{
	struct echo e;
	echo_start(&e, &usual, "127.0.0.1@0");
	int fd = client(&e, "127.0.0.1");
	for (int round = 0; round < 2; round++) {
		static const char query[] = "\0\4ab\1c";
		for (size_t i = 0; i < 6; i++) {
			say(fd, query + i, 1);
			rest_ms(2);
		}
		char out[6];
		ck_assert_int_eq(hear(fd, out, 6, 2000), 6);
		ck_assert_mem_eq(out,
			"\0\4ab\x81"
			"c",
			6);
	}
	ck_assert(comes_to(&streams_counts(e.streams)->bytes, 0));
	close(fd);
	echo_end(&e);
}
END_TEST

START_TEST(a_query_of_the_greatest_length_comes_back_whole)
{
	struct echo e;
	echo_start(&e, &usual, "127.0.0.1@0");
	int fd = client(&e, "127.0.0.1");
	enum {
		N = 2 + 65535
	};
	static unsigned char query[2 * N], out[2 * N];
	for (size_t i = 0; i < sizeof query; i++)
		query[i] = (unsigned char)(0x80 | i * 7);
	query[0] = query[1] = query[N] = query[N + 1] = 0xff;
	say(fd, query, sizeof query);
	ck_assert_int_eq(hear(fd, out, sizeof out, 2000), sizeof out);
	ck_assert_mem_eq(out, query, sizeof out);
	close(fd);
	echo_end(&e);
}
END_TEST

START_TEST(pipelined_queries_are_answered_in_batches_and_in_order)
{
	struct echo e;
	echo_start(&e, &usual, "127.0.0.1@0");
	int fd = client(&e, "127.0.0.1");
	enum {
		N = 1000,
		LEN = 6
	};
	static char queries[N * LEN], out[N * LEN];
	for (int i = 0; i < N; i++)
		memcpy(queries + i * LEN, (char[]){ 0, 4, 'a', (char)(i >> 8), 0, (char)i },
			LEN);
	say(fd, queries, sizeof queries);
	ck_assert_int_eq(hear(fd, out, sizeof out, 2000), sizeof out);
	for (int i = 0; i < N; i++) {
		queries[i * LEN + 4] = (char)0x80;
		ck_assert_mem_eq(out + i * LEN, queries + i * LEN, LEN);
	}
	ck_assert_uint_eq(count_get(&streams_counts(e.streams)->queries), N);
	ck_assert_uint_eq(atomic_load(&e.largest), BATCH_MAX);
	close(fd);
	echo_end(&e);
}
END_TEST

START_TEST(a_client_that_has_said_all_still_hears_all)
{
	struct echo e;
	echo_start(&e, &usual, "127.0.0.1@0");
	int fd = client(&e, "127.0.0.1");
	/* Far more than the sockets' buffers hold, so that most of it is made after the end. */
	enum {
		N = 200
	};
	for (char i = 0; i < (char)(N / 2); i++)
		say(fd, (char[]){ 0, 4, 'b', 0, 0, i, 0, 4, 'b', 0, 1, i }, 12);
	shutdown(fd, SHUT_WR);
	rest_ms(50);
	static char out[2 + BIG];
	for (char i = 0; i < (char)(N / 2); i++) {
		for (char j = 0; j < 2; j++) {
			ck_assert_int_eq(hear(fd, out, sizeof out, 2000), sizeof out);
			ck_assert_int_eq(out[2 + BIG - 2], j);
			ck_assert_int_eq(out[2 + BIG - 1], i);
		}
	}
	ck_assert_int_eq(hear(fd, out, 1, 2000), 0);
	ck_assert(comes_to(&streams_counts(e.streams)->open, 0));
	close(fd);
	echo_end(&e);
}
END_TEST

START_TEST(an_answer_that_comes_later_is_overtaken_and_is_not_lost)
{
	struct echo e;
	echo_start(&e, &usual, "127.0.0.1@0");
	int fd = client(&e, "127.0.0.1");
	char out[12];
	say(fd, "\0\4la\1x\0\4ab\1c", 12);
	ck_assert_int_eq(hear(fd, out, 12, 2000), 12);
	ck_assert_mem_eq(out,
		"\0\4ab\x81"
		"c\0\4la\1x",
		12);
	/* The end of what the client says is not the end of what it hears. */
	say(fd, "\0\4lb\1y", 6);
	shutdown(fd, SHUT_WR);
	ck_assert_int_eq(hear(fd, out, 6, 2000), 6);
	ck_assert_mem_eq(out, "\0\4lb\1y", 6);
	ck_assert_int_eq(hear(fd, out, 1, 2000), 0);
	ck_assert(comes_to(&streams_counts(e.streams)->open, 0));
	close(fd);
	echo_end(&e);
}
END_TEST

START_TEST(more_questions_than_may_be_open_wait_their_turn)
{
	struct echo e;
	echo_start(&e, &usual, "127.0.0.1@0");
	int fd = client(&e, "127.0.0.1");
	enum {
		N = 500,
		LEN = 6
	};
	static char queries[N * LEN], out[N * LEN];
	for (int i = 0; i < N; i++)
		memcpy(queries + i * LEN, (char[]){ 0, 4, 'l', (char)(i >> 8), 0, (char)i },
			LEN);
	say(fd, queries, sizeof queries);
	rest_ms(10);
	ck_assert_uint_le(count_get(&e.held), 64);
	ck_assert_int_eq(hear(fd, out, sizeof out, 2000), sizeof out);
	ck_assert_mem_eq(out, queries, sizeof out);
	close(fd);
	echo_end(&e);
}
END_TEST

START_TEST(an_answer_for_a_client_that_is_gone_goes_nowhere)
{
	struct echo e;
	echo_start(&e, &usual, "127.0.0.1@0");
	int fd = client(&e, "127.0.0.1");
	for (char i = 0; i < 32; i++)
		say(fd, (char[]){ 0, 4, 'l', 0, 0, i }, 6);
	ck_assert(comes_to(&e.held, 32));
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
	close(fd);
	ck_assert(comes_to(&streams_counts(e.streams)->open, 0));
	int other = client(&e, "127.0.0.1");
	rest_ms(50);
	is_served(other);
	/* The set may go while answers are looked for. */
	say(other, "\0\4la\1x", 6);
	ck_assert(comes_to(&e.held, 33));
	echo_end(&e);
	close(other);
}
END_TEST

START_TEST(a_dropped_query_closes_after_the_answers_before_it)
{
	struct echo e;
	char out[20];
	echo_start(&e, &usual, "127.0.0.1@0");
	int fd = client(&e, "127.0.0.1");
	say(fd, "\0\4d..x", 6);
	ck_assert_int_le(hear(fd, out, sizeof out, 2000), 0);
	close(fd);
	fd = client(&e, "127.0.0.1");
	say(fd, "\0\0", 2);
	ck_assert_int_le(hear(fd, out, sizeof out, 2000), 0);
	close(fd);
	fd = client(&e, "127.0.0.1");
	say(fd, "\0\4ab\1c\0\4d..x\0\4ab\1c", 18);
	ck_assert_int_eq(hear(fd, out, 6, 2000), 6);
	ck_assert_int_le(hear(fd, out, sizeof out, 2000), 0);
	close(fd);
	ck_assert(comes_to(&streams_counts(e.streams)->open, 0));
	echo_end(&e);
}
END_TEST

/* Asks for big answers without reading one until the server reads no more. */
static int deaf_client(const struct echo *e, const char *from)
{
	int fd = client(e, from);
	for (int i = 0; i < 400; i++) {
		if (send(fd, "\0\4b..x", 6, MSG_NOSIGNAL | MSG_DONTWAIT) != 6)
			break;
	}
	return fd;
}

START_TEST(a_client_that_reads_slowly_gets_every_answer)
{
	struct echo e;
	echo_start(&e, &usual, "127.0.0.1@0");
	int fd = deaf_client(&e, "127.0.0.1");
	rest_ms(100);
	uint64_t held = count_get(&streams_counts(e.streams)->bytes);
	ck_assert_uint_ge(held, 128 * 1024);
	ck_assert_uint_le(held, 300 * 1024);
	static char out[2 + BIG];
	for (int i = 0; i < 400; i++) {
		ck_assert_int_eq(hear(fd, out, sizeof out, 2000), sizeof out);
		ck_assert_int_eq(out[2 + BIG - 1], 'x');
	}
	is_served(fd);
	ck_assert(comes_to(&streams_counts(e.streams)->bytes, 0));
	close(fd);
	echo_end(&e);
}
END_TEST

START_TEST(a_client_that_never_reads_is_reset)
{
	struct stream_opts opts = usual;
	opts.stall_ms = 400;
	struct echo e;
	echo_start(&e, &opts, "127.0.0.1@0");
	int fd = deaf_client(&e, "127.0.0.1");
	rest_ms(60);
	ck_assert_uint_eq(count_get(&streams_counts(e.streams)->reset_slow), 0);
	ck_assert(comes_to(&streams_counts(e.streams)->reset_slow, 1));
	ck_assert(comes_to(&streams_counts(e.streams)->bytes, 0));
	struct pollfd p = { .fd = fd, .events = 0 };
	ck_assert_int_eq(poll(&p, 1, 1000), 1);
	ck_assert_int_ne(p.revents & (POLLERR | POLLHUP), 0);
	close(fd);
	echo_end(&e);
}
END_TEST

START_TEST(a_query_that_drips_is_cut_off_in_time)
{
	struct stream_opts opts = usual;
	opts.message_ms = 200;
	struct echo e;
	echo_start(&e, &opts, "127.0.0.1@0");
	int fd = client(&e, "127.0.0.1");
	is_served(fd);
	uint64_t start = clock_mono_ms();
	say(fd, "\0\x50", 2);
	while (send(fd, "a", 1, MSG_NOSIGNAL) == 1 && clock_mono_ms() - start < 2000)
		rest_ms(20);
	uint64_t took = clock_mono_ms() - start;
	ck_assert_uint_ge(took, 190);
	ck_assert_uint_le(took, 900);
	ck_assert_uint_eq(count_get(&streams_counts(e.streams)->reset_slow), 1);
	close(fd);
	echo_end(&e);
}
END_TEST

START_TEST(an_idle_connection_is_closed_and_a_busy_one_is_not)
{
	struct stream_opts opts = usual;
	opts.idle_ms = 400;
	struct echo e;
	echo_start(&e, &opts, "127.0.0.1@0");
	int idle = client(&e, "127.0.0.1"), busy = client(&e, "127.0.0.1");
	for (int i = 0; i < 12; i++) {
		is_served(busy);
		rest_ms(50);
	}
	ck_assert_int_eq(hear(idle, (char[1]){ 0 }, 1, 0), 0);
	ck_assert_uint_eq(count_get(&streams_counts(e.streams)->closed_idle), 1);
	is_served(busy);
	int64_t ms = ends_within(busy, 1000);
	ck_assert_int_ge(ms, 360);
	ck_assert_int_le(ms, 900);
	close(idle);
	close(busy);
	echo_end(&e);
}
END_TEST

START_TEST(idle_time_shrinks_when_room_gets_short)
{
	struct stream_opts opts = usual;
	opts.idle_ms = 1000;
	opts.connections = 8;
	struct echo e;
	echo_start(&e, &opts, "127.0.0.1@0");
	int fds[7];
	for (int i = 0; i < 6; i++)
		fds[i] = client(&e, "127.0.0.1");
	ck_assert_int_eq(ends_within(fds[0], 300), -1);
	fds[6] = client(&e, "127.0.0.1");
	ck_assert_int_ge(ends_within(fds[0], 400), 0);
	/* With the first gone there is room again. */
	is_served(fds[6]);
	for (int i = 0; i < 7; i++)
		close(fds[i]);
	echo_end(&e);
}
END_TEST

START_TEST(a_client_has_so_many_connections_and_no_more)
{
	struct stream_opts opts = usual;
	opts.per_client = 3;
	struct echo e;
	echo_start(&e, &opts, "127.0.0.1@0");
	int fds[3];
	for (int i = 0; i < 3; i++) {
		fds[i] = client(&e, "127.0.0.1");
		is_served(fds[i]);
	}
	int fd = client(&e, "127.0.0.1");
	ck_assert_int_ge(ends_within(fd, 1000), 0);
	close(fd);
	ck_assert_uint_eq(count_get(&streams_counts(e.streams)->refused), 1);
	fd = client(&e, "127.0.0.2");
	is_served(fd);
	close(fd);
	close(fds[0]);
	ck_assert(comes_to(&streams_counts(e.streams)->open, 2));
	fds[0] = client(&e, "127.0.0.1");
	for (int i = 0; i < 3; i++) {
		is_served(fds[i]);
		close(fds[i]);
	}
	echo_end(&e);
}
END_TEST

START_TEST(the_connection_idle_longest_makes_room_for_a_new_one)
{
	struct stream_opts opts = usual;
	opts.connections = 3;
	struct echo e;
	echo_start(&e, &opts, "127.0.0.1@0");
	int fds[4];
	for (int i = 0; i < 3; i++) {
		fds[i] = client(&e, "127.0.0.1");
		is_served(fds[i]);
		rest_ms(120);
	}
	is_served(fds[0]);
	fds[3] = client(&e, "127.0.0.1");
	is_served(fds[3]);
	ck_assert_int_ge(ends_within(fds[1], 500), 0);
	is_served(fds[0]);
	is_served(fds[2]);
	is_served(fds[3]);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	echo_end(&e);
}
END_TEST

START_TEST(nobody_is_thrown_out_in_the_middle_of_a_query)
{
	struct stream_opts opts = usual;
	opts.connections = 2;
	opts.message_ms = 500;
	struct echo e;
	echo_start(&e, &opts, "127.0.0.1@0");
	int a = client(&e, "127.0.0.1"), b = client(&e, "127.0.0.1");
	say(a, "\0\4a", 3);
	say(b, "\0\4a", 3);
	rest_ms(50);
	int late = client(&e, "127.0.0.1");
	say(late, "\0\4ab\1c", 6);
	char out[6];
	ck_assert_int_eq(hear(late, out, 6, 100), 0);
	say(a, "b\1c", 3);
	say(b, "b\1c", 3);
	ck_assert_int_eq(hear(a, out, 6, 1000), 6);
	ck_assert_int_eq(hear(b, out, 6, 1000), 6);
	/* Now that somebody is idle there is room. */
	ck_assert_int_eq(hear(late, out, 6, 1000), 6);
	close(a);
	close(b);
	close(late);
	echo_end(&e);
}
END_TEST

START_TEST(beyond_the_memory_limit_the_largest_holder_is_reset)
{
	struct stream_opts opts = usual;
	opts.memory = 500 << 10;
	struct echo e;
	echo_start(&e, &opts, "127.0.0.1@0");
	const struct stream_count *count = streams_counts(e.streams);
	int good = client(&e, "127.0.0.2");
	say(good, "\0\4a", 3);
	enum {
		N = 5
	};
	int fds[N];
	for (int i = 0; i < N; i++) {
		fds[i] = deaf_client(&e, "127.0.0.1");
		rest_ms(30);
		ck_assert_uint_le(count_get(&count->bytes), opts.memory);
	}
	ck_assert_uint_ge(count_get(&count->reset_memory), 1);
	/* He holds little, so he is spared. */
	char out[6];
	say(good, "b\1c", 3);
	ck_assert_int_eq(hear(good, out, 6, 1000), 6);
	is_served(good);
	for (int i = 0; i < N; i++)
		close(fds[i]);
	close(good);
	ck_assert(comes_to(&count->bytes, 0));
	echo_end(&e);
}
END_TEST

START_TEST(draining_answers_what_has_come_and_closes)
{
	struct echo e;
	echo_start(&e, &usual, "127.0.0.1@0");
	int idle = client(&e, "127.0.0.1"), half = client(&e, "127.0.0.1");
	is_served(idle);
	say(half, "\0\4a", 3);
	rest_ms(50);
	wish(&e, WISH_DRAIN);
	char out[6];
	ck_assert_int_eq(hear(idle, out, 1, 1000), 0);
	ck_assert_uint_eq(atomic_load(&e.drained), 0);
	say(half, "b\1c", 3);
	ck_assert_int_eq(hear(half, out, 6, 1000), 6);
	ck_assert_int_eq(hear(half, out, 1, 1000), 0);
	ck_assert(comes_to(&e.drained, 1));
	ck_assert_uint_le(atomic_load(&e.drain_ms), 1500);
	close(idle);
	close(half);
	echo_end(&e);
}
END_TEST

START_TEST(draining_ends_after_two_seconds_at_most)
{
	struct echo e;
	echo_start(&e, &usual, "127.0.0.1@0");
	int fd = deaf_client(&e, "127.0.0.1");
	rest_ms(50);
	wish(&e, WISH_DRAIN);
	rest_ms(1500);
	ck_assert(comes_to(&e.drained, 1));
	ck_assert_uint_ge(atomic_load(&e.drain_ms), 1900);
	ck_assert_uint_le(atomic_load(&e.drain_ms), 3000);
	ck_assert_uint_eq(count_get(&streams_counts(e.streams)->open), 0);
	close(fd);
	echo_end(&e);
	/* And at once when there is nothing to wait for. */
	echo_start(&e, &usual, "127.0.0.1@0");
	wish(&e, WISH_DRAIN);
	ck_assert(comes_to(&e.drained, 1));
	ck_assert_uint_le(atomic_load(&e.drain_ms), 1000);
	echo_end(&e);
}
END_TEST

START_TEST(fewer_connections_allowed_close_the_oldest_idle_ones)
{
	struct echo e;
	echo_start(&e, &usual, "127.0.0.1@0");
	int fds[4];
	for (int i = 0; i < 4; i++) {
		fds[i] = client(&e, "127.0.0.1");
		is_served(fds[i]);
	}
	e.opts.connections = 2;
	wish(&e, WISH_OPTS);
	ck_assert(comes_to(&streams_counts(e.streams)->open, 2));
	ck_assert_int_ge(ends_within(fds[0], 500), 0);
	ck_assert_int_ge(ends_within(fds[1], 500), 0);
	is_served(fds[2]);
	is_served(fds[3]);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	echo_end(&e);
}
END_TEST

static uint64_t cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

START_TEST(descriptors_are_held_back_and_running_out_of_them_does_not_spin)
{
	/* Clients and server share the process and its limit, which is lowered when the clients
	 * are there: their connections then wait in the queue. */
	struct echo e;
	struct rlimit files;
	echo_start(&e, &usual, "127.0.0.1@0");
	int first = client(&e, "127.0.0.1");
	is_served(first);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	rlim_t was = files.rlim_cur;
	int next = dup(first);
	files.rlim_cur = (rlim_t)next + 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	close(next);
	ck_assert_int_ge(fd, 0);
	/* fd took the number after next; next is the one free number under the limit. */
	int filler = dup(first);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	(void)connect(fd, &e.addr.any, addr_len(&e.addr));
	uint64_t before = cpu_ms();
	rest_ms(400);
	ck_assert_uint_le(cpu_ms() - before, 100);
	is_served(first);
	files.rlim_cur = was;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	char out[6];
	ck_assert_int_eq(send(fd, "\0\4ab\1c", 6, MSG_NOSIGNAL), 6);
	ck_assert_int_eq(hear(fd, out, 6, 1000), 6);
	close(filler);
	close(fd);
	close(first);
	echo_end(&e);
}
END_TEST

/* In a process of its own: opens N connections, then wants answers on the last ones. */
enum {
	CROWD = 100,
	LATEST = 10
};

static int crowd(const struct echo *e)
{
	int fds[CROWD];
	for (int i = 0; i < CROWD; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fds[i], &e->addr.any, addr_len(&e->addr)))
			return 1;
	}
	for (int i = CROWD - LATEST; i < CROWD; i++) {
		char out[6];
		if (send(fds[i], "\0\4ab\1c", 6, MSG_NOSIGNAL) != 6 ||
			recv(fds[i], out, 6, MSG_WAITALL) != 6)
			return 2;
	}
	return 0;
}

START_TEST(near_the_descriptor_limit_old_idle_ones_make_room)
{
	struct rlimit files;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = 64 + 40;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	struct stream_opts opts = usual;
	opts.per_client = 200;
	struct echo e;
	echo_start(&e, &opts, "127.0.0.1@0");
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		/* The crowd's own descriptors have the hard limit. */
		files.rlim_cur = files.rlim_max < 1000 ? files.rlim_max : 1000;
		_exit(setrlimit(RLIMIT_NOFILE, &files) ? 3 : crowd(&e));
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	const struct stream_count *count = streams_counts(e.streams);
	ck_assert(comes_to(&count->accepted, CROWD));
	ck_assert_uint_eq(count_get(&count->refused), 0);
	ck_assert_uint_ge(count_get(&count->closed_idle), CROWD - 40);
	echo_end(&e);
}
END_TEST

START_TEST(many_connections_come_and_go)
{
	struct stream_opts opts = usual;
	opts.per_client = 10;
	struct echo e;
	echo_start(&e, &opts, "127.0.0.1@0");
	static int fds[FDS];
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < FDS; i++) {
			char from[32];
			(void)snprintf(from, sizeof from, "127.0.1.%d", 1 + i % 200);
			fds[i] = client(&e, from);
			if (i % 3 == 0)
				is_served(fds[i]);
		}
		ck_assert(comes_to(&streams_counts(e.streams)->open, FDS));
		for (int i = 0; i < FDS; i++) {
			is_served(fds[i]);
			close(fds[i]);
		}
		ck_assert(comes_to(&streams_counts(e.streams)->open, 0));
	}
	ck_assert_uint_eq(count_get(&streams_counts(e.streams)->refused), 0);
	ck_assert_uint_eq(count_get(&streams_counts(e.streams)->bytes), 0);
	echo_end(&e);
}
END_TEST

START_TEST(a_set_freed_with_open_connections_leaves_nothing)
{
	struct echo e;
	echo_start(&e, &usual, "127.0.0.1@0");
	int idle = client(&e, "127.0.0.1"), half = client(&e, "127.0.0.1");
	int deaf = deaf_client(&e, "127.0.0.1");
	is_served(idle);
	say(half, "\0", 1);
	rest_ms(30);
	echo_end(&e);
	close(idle);
	close(half);
	close(deaf);
}
END_TEST

START_TEST(a_second_server_is_told_that_the_address_is_held)
{
	struct addr at;
	struct err err = { "" };
	ck_assert_int_eq(addr_parse(&at, "127.0.0.1@0", 0, NULL), 0);
	int first = stream_bind(&at, true, &err);
	ck_assert_int_ge(first, 0);
	ck_assert_int_eq(addr_local(&at, first), 0);
	ck_assert_int_eq(stream_bind(&at, true, &err), -EADDRINUSE);
	ck_assert_ptr_nonnull(
		strstr(err.text, "address already in use: another server holds it"));
	int second = stream_bind(&at, false, &err);
	ck_assert_int_ge(second, 0);
	close(first);
	close(second);
	/* What is left of ended connections does not count as another server. */
	int again = stream_bind(&at, true, &err);
	ck_assert_msg(again >= 0, "%s", err.text);
	close(again);
}
END_TEST

UNIT_MAIN("net/stream", a_connection_at_rest_is_small, both_families_are_served,
	bytes_that_come_one_by_one_make_a_query,
	a_query_of_the_greatest_length_comes_back_whole,
	pipelined_queries_are_answered_in_batches_and_in_order,
	a_client_that_has_said_all_still_hears_all,
	an_answer_that_comes_later_is_overtaken_and_is_not_lost,
	more_questions_than_may_be_open_wait_their_turn,
	an_answer_for_a_client_that_is_gone_goes_nowhere,
	a_dropped_query_closes_after_the_answers_before_it,
	a_client_that_reads_slowly_gets_every_answer, a_client_that_never_reads_is_reset,
	a_query_that_drips_is_cut_off_in_time,
	an_idle_connection_is_closed_and_a_busy_one_is_not,
	idle_time_shrinks_when_room_gets_short, a_client_has_so_many_connections_and_no_more,
	the_connection_idle_longest_makes_room_for_a_new_one,
	nobody_is_thrown_out_in_the_middle_of_a_query,
	beyond_the_memory_limit_the_largest_holder_is_reset,
	draining_answers_what_has_come_and_closes, draining_ends_after_two_seconds_at_most,
	fewer_connections_allowed_close_the_oldest_idle_ones,
	descriptors_are_held_back_and_running_out_of_them_does_not_spin,
	near_the_descriptor_limit_old_idle_ones_make_room, many_connections_come_and_go,
	a_set_freed_with_open_connections_leaves_nothing,
	a_second_server_is_told_that_the_address_is_held)
