/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/udp.h"
#include "unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server on a thread of its own that echoes with the third byte's top bit set; a query that
 * starts with 'd' is dropped, one that starts with 'b' gets a reply of UDP_REPLY_MAX bytes, one
 * that starts with 'l' is answered 10 ms later. */
struct echo {
	struct loop *loop;
	struct loop_thread *thread;
	struct udp *udp;
	struct addr addr;
	int fd;
	size_t largest; /* batch seen */
	struct loop_timer *timer;
	struct later *later;
	uint8_t late[8];
	bool is_misplaced; /* scratch pieces that overlap or lie badly */
};

enum {
	SCRATCH = 100
};

static void answer_late(void *user)
{
	struct echo *e = user;
	if (e->later)
		later_send(&e->later, e->late, sizeof e->late);
}

static void echo_batch(void *user, struct item *items, size_t n)
{
	struct echo *e = user;
	if (n > e->largest)
		e->largest = n;
	for (size_t i = 0; i < n; i++) {
		struct item *item = &items[i];
		if ((uintptr_t)item->scratch % 64 ||
			(i && (char *)item->scratch - (char *)items[i - 1].scratch < SCRATCH))
			e->is_misplaced = true;
		memset(item->scratch, 1, SCRATCH);
		if (item->query_len < 3 || item->query[0] == 'd')
			continue;
		if (item->query[0] == 'l' && !e->later) {
			e->later = item_hold(item);
			memcpy(e->late, "later...", sizeof e->late);
			item->reply_len = REPLY_LATER;
			loop_timer_start(e->timer, 10, 0);
			continue;
		}
		memcpy(item->reply, item->query, item->query_len);
		item->reply[2] |= 0x80;
		item->reply_len = (int32_t)item->query_len;
		if (item->query[0] == 'b')
			item->reply_len = (int32_t)item->room;
	}
}

static void stop(void *user)
{
	struct echo *e = user;
	loop_stop(e->loop);
}

static void run(void *user)
{
	struct echo *e = user;
	loop_run(e->loop);
}

static void echo_open(struct echo *e, const char *at)
{
	struct err err = { "" };
	memset(e, 0, sizeof *e);
	ck_assert_int_eq(addr_parse(&e->addr, at, 0, NULL), 0);
	e->fd = udp_bind(&e->addr, true, &err);
	ck_assert_msg(e->fd >= 0, "%s", err.text);
	ck_assert_int_eq(addr_local(&e->addr, e->fd), 0);
	e->loop = loop_new();
	e->udp = udp_open(e->loop, e->fd, echo_batch, e, SCRATCH);
	ck_assert_ptr_nonnull(e->udp);
	e->timer = loop_timer_new(e->loop, answer_late, e);
	loop_on_wake(e->loop, stop, e);
}

static void echo_start(struct echo *e)
{
	e->thread = loop_thread_start(run, e);
}

/* Counters are looked at after this. */
static void echo_join(struct echo *e)
{
	if (e->thread)
		loop_wake(e->loop);
	loop_thread_join(&e->thread);
}

static void echo_end(struct echo *e)
{
	echo_join(e);
	ck_assert(!e->is_misplaced);
	answer_late(e);
	udp_close(&e->udp);
	ck_assert_ptr_null(e->udp);
	loop_free(&e->loop);
	close(e->fd);
}

/* A socket connected to the server at address host, which therefore hears only replies from
 * there. */
static int client(const struct echo *e, const char *host)
{
	struct addr to;
	ck_assert_int_eq(addr_parse(&to, host, addr_port(&e->addr), NULL), 0);
	int fd = socket(to.any.sa_family, SOCK_DGRAM, 0);
	ck_assert_int_eq(connect(fd, &to.any, addr_len(&to)), 0);
	return fd;
}

static ssize_t hear(int fd, void *out, size_t size, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	if (poll(&p, 1, ms) != 1)
		return -1;
	return recv(fd, out, size, MSG_DONTWAIT);
}

static void answered_from(const char *listen, const char *ask)
{
	struct echo e;
	echo_open(&e, listen);
	echo_start(&e);
	int fd = client(&e, ask);
	char out[100];
	ck_assert_int_eq(send(fd, "ab\x01xyz", 6, 0), 6);
	ck_assert_int_eq(hear(fd, out, sizeof out, 2000), 6);
	ck_assert_mem_eq(out, "ab\x81xyz", 6);
	/* so is an answer that comes later */
	ck_assert_int_eq(send(fd, "lb\x01xyz", 6, 0), 6);
	ck_assert_int_eq(hear(fd, out, sizeof out, 2000), 8);
	ck_assert_mem_eq(out, "later...", 8);
	close(fd);
	echo_end(&e);
}

START_TEST(a_query_is_answered_over_both_families)
{
	answered_from("127.0.0.1@0", "127.0.0.1");
	answered_from("::1@0", "::1");
}
END_TEST

START_TEST(a_wildcard_listener_answers_from_the_address_that_was_asked)
{
	answered_from("0.0.0.0@0", "127.0.0.7");
	answered_from("0.0.0.0@0", "127.0.0.1");
	answered_from("::@0", "::1");
}
END_TEST

START_TEST(queries_that_wait_are_served_in_batches_and_holes_are_skipped)
{
	struct echo e;
	echo_open(&e, "127.0.0.1@0");
	int fd = client(&e, "127.0.0.1");
	enum {
		N = 100
	};
	for (int i = 0; i < N; i++) {
		/* A drop at the start, at the end and in runs. */
		bool is_dropped = i % 32 == 0 || i % 32 == 31 || (i > 40 && i < 50);
		char query[4] = { is_dropped ? 'd' : 'a', 0, 0, (char)i };
		ck_assert_int_eq(send(fd, query, 4, 0), 4);
	}
	echo_start(&e);
	int expected = 0;
	for (int i = 0; i < N; i++) {
		if (i % 32 == 0 || i % 32 == 31 || (i > 40 && i < 50))
			continue;
		char out[10];
		ck_assert_int_eq(hear(fd, out, sizeof out, 2000), 4);
		ck_assert_int_eq(out[3], i);
		expected++;
	}
	char out[10];
	ck_assert_int_eq(hear(fd, out, sizeof out, 20), -1);
	close(fd);
	echo_join(&e);
	const struct udp_count *count = udp_counts(e.udp);
	ck_assert_uint_eq(count->received, N);
	ck_assert_uint_eq(count->sent, expected);
	ck_assert_uint_eq(count->dropped, N - expected);
	ck_assert_uint_eq(count->send_errors, 0);
	ck_assert_uint_eq(e.largest, BATCH_MAX);
	echo_end(&e);
}
END_TEST

START_TEST(a_datagram_longer_than_a_query_can_be_is_dropped)
{
	struct echo e;
	echo_open(&e, "127.0.0.1@0");
	echo_start(&e);
	int fd = client(&e, "127.0.0.1");
	static char big[5000];
	memset(big, 'a', sizeof big);
	ck_assert_int_eq(send(fd, big, 4097, 0), 4097);
	ck_assert_int_eq(send(fd, big, 0, 0), 0);
	ck_assert_int_eq(send(fd, big, 4096, 0), 4096);
	ck_assert_int_eq(hear(fd, big, sizeof big, 2000), 4096);
	ck_assert_int_eq(hear(fd, big, sizeof big, 20), -1);
	ck_assert_int_eq(send(fd, "bxx", 3, 0), 3);
	ck_assert_int_eq(hear(fd, big, sizeof big, 2000), UDP_REPLY_MAX);
	close(fd);
	echo_join(&e);
	ck_assert_uint_eq(udp_counts(e.udp)->dropped, 2);
	echo_end(&e);
}
END_TEST

static void set(int fd, int name, int value)
{
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, name, &value, sizeof value), 0);
}

START_TEST(a_reply_the_kernel_refuses_does_not_hold_up_the_others)
{
	struct echo e;
	echo_open(&e, "::1@0");
	/* With these a reply over 1232 bytes fails with EMSGSIZE. */
	set(e.fd, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_WANT);
	set(e.fd, IPV6_MTU, 1280);
	set(e.fd, IPV6_DONTFRAG, 1);
	int fd = client(&e, "::1");
	for (char i = 0; i < 10; i++) {
		char query[4] = { i % 3 ? 'a' : 'b', 0, 0, i };
		ck_assert_int_eq(send(fd, query, 4, 0), 4);
	}
	echo_start(&e);
	for (char i = 0; i < 10; i++) {
		char out[10];
		if (i % 3 == 0)
			continue;
		ck_assert_int_eq(hear(fd, out, sizeof out, 2000), 4);
		ck_assert_int_eq(out[3], i);
	}
	close(fd);
	echo_join(&e);
	ck_assert_uint_eq(udp_counts(e.udp)->sent, 6);
	ck_assert_uint_eq(udp_counts(e.udp)->send_errors, 4);
	echo_end(&e);
}
END_TEST

START_TEST(source_port_zero_gets_no_reply)
{
	struct echo e;
	echo_open(&e, "127.0.0.1@0");
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	if (raw < 0) {
		ck_assert_int_eq(errno, EPERM);
		echo_end(&e);
		return;
	}
	struct {
		uint16_t from, to, len, sum;
		char query[4];
	} datagram = { 0, htons(addr_port(&e.addr)), htons(12), 0, "abc" };
	ck_assert_int_eq(sendto(raw, &datagram, 12, 0, &e.addr.any, addr_len(&e.addr)), 12);
	close(raw);
	echo_start(&e);
	int fd = client(&e, "127.0.0.1");
	char out[10];
	ck_assert_int_eq(send(fd, "abc", 3, 0), 3);
	ck_assert_int_eq(hear(fd, out, sizeof out, 2000), 3);
	close(fd);
	echo_join(&e);
	ck_assert_uint_eq(udp_counts(e.udp)->received, 2);
	ck_assert_uint_eq(udp_counts(e.udp)->dropped, 1);
	ck_assert_uint_eq(udp_counts(e.udp)->send_errors, 0);
	echo_end(&e);
}
END_TEST

static int get(int fd, int level, int name)
{
	int value = -1;
	socklen_t n = sizeof value;
	ck_assert_int_eq(getsockopt(fd, level, name, &value, &n), 0);
	return value;
}

START_TEST(no_forged_mtu_can_make_the_kernel_fragment_and_families_are_apart)
{
	struct addr at;
	ck_assert_int_eq(addr_parse(&at, "127.0.0.1@0", 0, NULL), 0);
	int v4 = udp_bind(&at, true, NULL);
	ck_assert_int_ge(v4, 0);
	ck_assert_int_eq(get(v4, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_OMIT);
	ck_assert_int_eq(addr_parse(&at, "::@0", 0, NULL), 0);
	int v6 = udp_bind(&at, true, NULL);
	ck_assert_int_ge(v6, 0);
	ck_assert_int_eq(get(v6, IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_OMIT);
	ck_assert_int_eq(get(v6, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	/* The same port over the other family is another server's to have. */
	struct addr other;
	ck_assert_int_eq(addr_parse(&other, "0.0.0.0", 0, NULL), 0);
	ck_assert_int_eq(addr_local(&at, v6), 0);
	other.v4.sin_port = at.v6.sin6_port;
	int beside = udp_bind(&other, true, NULL);
	ck_assert_int_ge(beside, 0);
	close(beside);
	close(v4);
	close(v6);
}
END_TEST

START_TEST(a_second_server_is_told_and_a_second_worker_joins)
{
	struct addr at;
	struct err err = { "" };
	ck_assert_int_eq(addr_parse(&at, "127.0.0.1@0", 0, NULL), 0);
	int first = udp_bind(&at, true, &err);
	ck_assert_int_ge(first, 0);
	ck_assert_int_eq(addr_local(&at, first), 0);
	ck_assert_int_ne(addr_port(&at), 0);
	ck_assert_int_eq(udp_bind(&at, true, &err), -EADDRINUSE);
	char text[ADDR_TEXT_MAX], expected[200];
	(void)snprintf(expected, sizeof expected,
		"cannot listen on %s: address already in use: another server holds it",
		addr_print(text, &at));
	ck_assert_str_eq(err.text, expected);
	int second = udp_bind(&at, false, &err);
	ck_assert_msg(second >= 0, "%s", err.text);
	close(first);
	close(second);
	ck_assert_int_eq(addr_parse(&at, "192.0.2.77@5300", 0, NULL), 0);
	ck_assert_int_eq(udp_bind(&at, true, &err), -EADDRNOTAVAIL);
	ck_assert_str_eq(err.text,
		"cannot listen on 192.0.2.77@5300: this host does not have that address");
}
END_TEST

UNIT_MAIN("net/udp", a_query_is_answered_over_both_families,
	a_wildcard_listener_answers_from_the_address_that_was_asked,
	queries_that_wait_are_served_in_batches_and_holes_are_skipped,
	a_datagram_longer_than_a_query_can_be_is_dropped,
	a_reply_the_kernel_refuses_does_not_hold_up_the_others, source_port_zero_gets_no_reply,
	no_forged_mtu_can_make_the_kernel_fragment_and_families_are_apart,
	a_second_server_is_told_and_a_second_worker_joins)
