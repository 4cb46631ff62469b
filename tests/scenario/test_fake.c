/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/rand.h"
#include "scenario/fake.h"
#include "unit/unit.h"
#include "wire/sets.h"

#include <string.h>

struct told {
	unsigned n;
	enum upstream_result result;
	uint64_t at_ms, took_us;
	size_t len;
	uint8_t msg[512];
};

static void on_told(void *user, const struct upstream_reply *reply)
{
	struct told *told = user;
	told->n++;
	told->result = reply->result;
	told->at_ms = clock_mono_ms();
	told->took_us = reply->took_us;
	told->len = reply->len;
	if (reply->len)
		memcpy(told->msg, reply->msg, reply->len);
}

/* What the server of a test does. */
struct plan {
	enum fake_does does;
	uint32_t delay_ms;
	unsigned wrong; /* datagrams with another id before the right one */
	unsigned asked;
};

static void serve(void *user, struct fake_query *q)
{
	struct plan *plan = user;
	plan->asked++;
	q->does = plan->does;
	q->delay_ms = plan->delay_ms;
	q->has_more = true;
	q->reply_len = q->len;
	memcpy(q->reply, q->msg, q->len);
	q->reply[2] |= FLAG_QR >> 8;
	if (q->nth < plan->wrong)
		q->reply[0] ^= 1;
}

struct rig {
	struct loop *loop;
	struct upstream *upstream;
	struct addr server;
};

static struct rig rig_new(struct plan *plan)
{
	static const struct upstream_opts opts = { .questions = 2, .connections = 1 };
	struct rig rig;
	fake_reset(1800000000);
	fake_upstream_serve(serve, plan);
	rig.loop = loop_new();
	rig.upstream = upstream_new(rig.loop, &opts);
	ck_assert_int_eq(addr_parse(&rig.server, "192.0.2.1", 53, NULL), 0);
	return rig;
}

static void rig_fini(struct rig *rig)
{
	upstream_free(&rig->upstream);
	loop_free(&rig->loop);
}

static struct exchange *ask(const struct rig *rig, struct told *told)
{
	static const uint8_t name[] = "\3wWw\4test";
	uint8_t query[512];
	size_t len = query_write(query, name, 1, &(struct query_opts){ .edns_size = 1232 });
	struct upstream_ask ask = { .server = &rig->server,
		.is_case_exact = true,
		.query = query,
		.len = len,
		.timeout_ms = 376 };
	return upstream_send(rig->upstream, &ask, on_told, told);
}

START_TEST(time_jumps_to_the_reply_and_nothing_is_told_from_within)
{
	struct plan plan = { .does = FAKE_REPLIES, .delay_ms = 40 };
	struct rig rig = rig_new(&plan);
	struct told told = { 0 };
	uint64_t since_ms = clock_mono_ms();
	ck_assert_ptr_nonnull(ask(&rig, &told));
	ck_assert_uint_eq(told.n, 0);
	ck_assert(!fake_step(rig.loop, since_ms + 39));
	ck_assert_uint_eq(clock_mono_ms(), since_ms);
	ck_assert(fake_step(rig.loop, since_ms + 100));
	ck_assert_uint_eq(told.n, 1);
	ck_assert_int_eq(told.result, UPSTREAM_REPLY);
	ck_assert_uint_eq(told.at_ms, since_ms + 40);
	ck_assert_uint_eq(told.took_us, 40000);
	ck_assert(!fake_step(rig.loop, UINT64_MAX));
	rig_fini(&rig);
}
END_TEST

START_TEST(silence_is_a_time_out_and_hold_is_none)
{
	struct plan plan = { .does = FAKE_SILENT };
	struct rig rig = rig_new(&plan);
	struct told told = { 0 }, held = { 0 };
	uint64_t since_ms = clock_mono_ms();
	ck_assert_ptr_nonnull(ask(&rig, &told));
	plan.does = FAKE_HELD;
	ck_assert_ptr_nonnull(ask(&rig, &held));
	ck_assert(fake_pass(rig.loop, 5000, 100));
	ck_assert_uint_eq(clock_mono_ms(), since_ms + 5000);
	ck_assert_int_eq(told.result, UPSTREAM_TIMEOUT);
	ck_assert_uint_eq(told.at_ms, since_ms + 376);
	ck_assert_uint_eq(held.n, 0);
	struct exchange *x = fake_exchange_next(NULL);
	ck_assert(fake_exchange_is_held(x));
	ck_assert_ptr_null(fake_exchange_next(x));
	fake_exchange_time_out(x);
	ck_assert(fake_step(rig.loop, clock_mono_ms()));
	ck_assert_int_eq(held.result, UPSTREAM_TIMEOUT);
	rig_fini(&rig);
}
END_TEST

START_TEST(what_is_no_reply_leaves_the_question_waiting_up_to_a_limit)
{
	struct plan plan = { .does = FAKE_REPLIES, .delay_ms = 1, .wrong = 7 };
	struct rig rig = rig_new(&plan);
	struct told told = { 0 };
	ck_assert_ptr_nonnull(ask(&rig, &told));
	ck_assert(fake_pass(rig.loop, 100, 100));
	ck_assert_int_eq(told.result, UPSTREAM_REPLY);
	ck_assert_uint_eq(plan.asked, 8);
	plan.wrong = 8;
	ck_assert_ptr_nonnull(ask(&rig, &told));
	ck_assert(fake_pass(rig.loop, 100, 100));
	ck_assert_int_eq(told.result, UPSTREAM_SPOOFED);
	ck_assert_uint_eq(upstream_counts(rig.upstream)->near_misses, 15);
	rig_fini(&rig);
}
END_TEST

START_TEST(questions_are_limited_and_cancelled)
{
	struct plan plan = { .does = FAKE_REPLIES };
	struct rig rig = rig_new(&plan);
	struct told told = { 0 };
	struct exchange *a = ask(&rig, &told), *b = ask(&rig, &told);
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	ck_assert_ptr_null(ask(&rig, &told));
	exchange_cancel(&a);
	ck_assert_ptr_null(a);
	ck_assert(fake_pass(rig.loop, 1000, 100));
	ck_assert_uint_eq(told.n, 1);
	rig_fini(&rig);
}
END_TEST

START_TEST(two_runs_are_the_same_to_the_byte)
{
	uint8_t first[512] = { 0 };
	for (unsigned run = 0; run < 2; run++) {
		struct plan plan = { .does = FAKE_REPLIES };
		struct rig rig = rig_new(&plan);
		struct told told = { 0 };
		uint8_t junk[33];
		rand_fill(junk, sizeof junk);
		ck_assert_uint_lt(rand_below(7), 7);
		ck_assert_ptr_nonnull(ask(&rig, &told));
		ck_assert(fake_pass(rig.loop, 10, 100));
		ck_assert_uint_eq(told.n, 1);
		if (run == 0)
			memcpy(first, told.msg, told.len);
		ck_assert_mem_eq(first, told.msg, told.len);
		rig_fini(&rig);
	}
}
END_TEST

UNIT_MAIN("scenario/fake", time_jumps_to_the_reply_and_nothing_is_told_from_within,
	silence_is_a_time_out_and_hold_is_none,
	what_is_no_reply_leaves_the_question_waiting_up_to_a_limit,
	questions_are_limited_and_cancelled, two_runs_are_the_same_to_the_byte)
