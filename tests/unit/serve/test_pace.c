/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"
#include "scenario/fake.h"
#include "serve/pace.h"
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

/* What was sent, in order: the numbers of the replies, and how many were dropped. */
static struct {
	unsigned sent[8192], n, dropped;
} out;

static void send_out(struct later *later, const uint8_t *reply, size_t len)
{
	if (len) {
		ck_assert_uint_eq(len, sizeof out.sent[0]);
		memcpy(&out.sent[out.n++], reply, len);
	} else {
		out.dropped++;
	}
	mem_free(later);
}

static struct loop *loop;
static struct pace *pace;

static void start(unsigned workers)
{
	memset(&out, 0, sizeof out);
	fake_reset(1800000000);
	loop = loop_new();
	pace = pace_new(loop, workers);
	ck_assert(fake_pass(loop, 1000, 10)); /* the first turn is over */
}

static void stop(void)
{
	pace_free(&pace);
	loop_free(&loop);
}

static void pass(uint64_t ms)
{
	ck_assert(fake_pass(loop, ms, 1000));
}

static void reply_to(const char *client, unsigned number)
{
	struct addr addr;
	struct err err;
	struct later *later = mem_new(sizeof *later);
	later->send = send_out;
	ck_assert_int_eq(addr_parse(&addr, client, 53, &err), 0);
	pace_send(pace, &addr, &later, (const uint8_t *)&number, sizeof number);
	ck_assert_ptr_null(later);
}

START_TEST(a_client_gets_a_few_and_the_rest_in_its_turn)
{
	start(1);
	for (unsigned i = 0; i < 50; i++)
		reply_to("192.0.2.1", i);
	ck_assert_uint_eq(out.n, PACE_BURST);
	pass(PACE_MS - 1);
	ck_assert_uint_eq(out.n, PACE_BURST);
	pass(2);
	ck_assert_uint_eq(out.n, 2 * PACE_BURST);
	reply_to("192.0.2.1", 50); /* behind those that wait */
	ck_assert_uint_eq(out.n, 2 * PACE_BURST);
	pass(PACE_MS);
	ck_assert_uint_eq(out.n, 51);
	for (unsigned i = 0; i < 51; i++)
		ck_assert_uint_eq(out.sent[i], i);
	ck_assert_uint_eq(out.dropped, 0);
	stop();
}
END_TEST

START_TEST(others_are_not_held_up)
{
	start(1);
	for (unsigned i = 0; i < 60; i++)
		reply_to("192.0.2.1", i);
	out.n = 0;
	reply_to("192.0.2.2", 1000);
	reply_to("2001:db8::1", 1001);
	ck_assert_uint_eq(out.n, 2);
	stop();
	ck_assert_uint_eq(out.dropped, 40);
}
END_TEST

START_TEST(addresses_of_one_ipv6_network_are_one_client)
{
	start(1);
	for (unsigned i = 0; i < 30; i++) {
		char client[64];
		(void)snprintf(client, sizeof client, "2001:db8:0:%x::%x", i, i);
		reply_to(client, i);
	}
	ck_assert_uint_eq(out.n, PACE_BURST);
	stop();
}
END_TEST

START_TEST(workers_share_the_limit)
{
	static const struct {
		unsigned workers, burst;
	} rows[] = { { 2, PACE_BURST / 2 }, { 20, 1 }, { 64, 1 } };
	for (size_t i = 0; i < array_len(rows); i++) {
		start(rows[i].workers);
		for (unsigned k = 0; k < 30; k++)
			reply_to("192.0.2.1", k);
		ck_assert_uint_eq(out.n, rows[i].burst);
		stop();
	}
}
END_TEST

START_TEST(what_finds_no_place_is_dropped)
{
	start(1);
	for (unsigned i = 0; i < 200; i++)
		reply_to("192.0.2.1", i);
	ck_assert_uint_eq(out.n, PACE_BURST);
	ck_assert_uint_eq(out.dropped, 200 - PACE_BURST - PACE_HELD);
	pass(1000);
	ck_assert_uint_eq(out.n, PACE_BURST + PACE_HELD);

	memset(&out, 0, sizeof out);
	unsigned sent = 0;
	for (unsigned client = 0; client < 100; client++)
		for (unsigned i = 0; i < 60; i++) {
			char text[64];
			(void)snprintf(text, sizeof text, "192.0.2.%u", client);
			reply_to(text, i);
			sent++;
		}
	ck_assert_uint_ge(out.dropped, sent - 100 * PACE_BURST - PACE_ALL);
	unsigned before = out.n;
	ck_assert_uint_le(before, 100 * PACE_BURST);
	pass(1000);
	ck_assert_uint_eq(out.n, before + PACE_ALL);
	stop();
}
END_TEST

START_TEST(time_without_replies_counts_as_turns)
{
	start(1);
	for (unsigned turn = 0; turn < 3; turn++) {
		for (unsigned i = 0; i < PACE_BURST; i++)
			reply_to("192.0.2.1", i);
		pass(PACE_MS + 1);
	}
	ck_assert_uint_eq(out.n, 3 * PACE_BURST);
	stop();
}
END_TEST

UNIT_MAIN("serve/pace", a_client_gets_a_few_and_the_rest_in_its_turn, others_are_not_held_up,
	addresses_of_one_ipv6_network_are_one_client, workers_share_the_limit,
	what_finds_no_place_is_dropped, time_without_replies_counts_as_turns)
