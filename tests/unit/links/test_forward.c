/* SPDX-License-Identifier: BSD-2-Clause */
#include "links/forward.h"
#include "unit/links/forward_world.h"

#include <sys/stat.h>
#include <unistd.h>

static const struct said one = { .to = "192.0.2.1" };
static const struct said two = { .to = "192.0.2.1 192.0.2.2" };
static const struct said three = { .to = "192.0.2.1 192.0.2.2 192.0.2.3" };

#define SOA_TEXT "example.org. 300 IN SOA ns.example.org. h.example.org. 1 2 3 4 60\n"

/* ---- questions ---- */

START_TEST(the_first_of_the_list_is_asked)
{
	struct world *w = world_new(&two);
	struct asked a;
	resolve(w, &a);
	ck_assert(has_address(&a));
	ck_assert_uint_eq(w->other[0].udp, 1);
	ck_assert_uint_eq(w->other[1].udp, 0);
	ck_assert_uint_eq(a.told.from.server.address[15], 1);
	ck_assert_uint_eq(a.told.from.transport, CACHE_UDP);
	ck_assert_uint_eq(a.told.from.generation, 7);
	ck_assert_uint_eq(steps_of(&a, TRACE_SENT, 0), 1);
	ck_assert_uint_eq(steps_of(&a, TRACE_REPLY, TRACE_ANSWER), 1);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(it_is_asked_to_recurse_as_the_client_would_have_it)
{
	struct world *w = world_new(&one);
	struct asked a;
	resolve(w, &a);
	ck_assert_uint_eq(w->other[0].flags, FLAG_RD);
	ck_assert(!w->other[0].is_do);
	ck_assert_uint_eq(w->other[0].plain, 0);
	/* What it says of signatures was not checked here. */
	ck_assert_uint_eq(a.told.flags, 0);
	end(&a);
	ask_with(w, &a, "www.example.org.", TYPE_A, ASK_DO | ASK_CD);
	pass(w, 100);
	ck_assert(has_address(&a));
	end(&a);
	ck_assert_uint_eq(w->other[0].flags, FLAG_RD | FLAG_CD);
	ck_assert(w->other[0].is_do);
	world_free(w);
}
END_TEST

START_TEST(the_spelling_is_not_mixed)
{
	struct world *w = world_new(&one);
	struct asked a;
	w->other[0].answer = NULL;
	w->other[0].authority = SOA_TEXT;
	ask_with(w, &a, "abcdefghijklmnopqrstuvwxyz.example.org.", TYPE_A, 0);
	pass(w, 100);
	ck_assert_uint_eq(a.done, 1);
	ck_assert(!w->other[0].is_mixed);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(an_answer_is_kept_by_the_chain)
{
	struct world *w = world_new(&one);
	struct asked a;
	for (unsigned i = 0; i < 3; i++) {
		ask_with(w, &a, "www.example.org.", TYPE_A, ASK_KEPT);
		pass(w, 1000);
		ck_assert(has_address(&a));
		end(&a);
	}
	ck_assert_uint_eq(w->other[0].udp, 1);
	world_free(w);
}
END_TEST

START_TEST(the_next_one_is_asked_while_the_first_is_silent)
{
	struct world *w = world_new(&two);
	struct asked a;
	w->other[0].does = IS_SILENT;
	resolve(w, &a);
	ck_assert(has_address(&a));
	ck_assert_uint_le(a.took_ms, 410);
	ck_assert_uint_eq(a.told.from.server.address[15], 2);
	ck_assert_uint_eq(w->other[0].udp, 1);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(a_known_server_is_given_little_more_than_its_time)
{
	struct world *w = world_new(&two);
	for (unsigned i = 0; i < 8; i++)
		must_answer(w, 6);
	ck_assert_uint_eq(w->other[1].udp, 0);
	w->other[0].does = IS_SILENT;
	must_answer(w, 110);
	ck_assert_uint_eq(w->other[1].udp, 1);
	world_free(w);
}
END_TEST

START_TEST(the_first_is_still_listened_to)
{
	struct world *w = world_new(&two);
	struct asked a;
	w->other[0].delay_ms = 600;
	w->other[1].does = IS_SILENT;
	resolve(w, &a);
	ck_assert(has_address(&a));
	ck_assert_uint_eq(a.took_ms, 600);
	ck_assert_uint_eq(a.told.from.server.address[15], 1);
	ck_assert_uint_eq(w->other[1].udp, 1);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(a_lost_datagram_is_sent_again)
{
	struct world *w = world_new(&one);
	struct asked a;
	w->other[0].does = IS_SILENT;
	ask(w, &a);
	pass(w, 390);
	w->other[0].does = ANSWERS;
	pass(w, 30);
	ck_assert(has_address(&a));
	ck_assert_uint_eq(w->other[0].udp, 2);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(who_cannot_tell_is_followed_by_the_next_at_once)
{
	static const unsigned rcodes[] = { RCODE_SERVFAIL, RCODE_REFUSED, RCODE_NOTAUTH };
	for (size_t i = 0; i < array_len(rcodes); i++) {
		struct world *w = world_new(&two);
		struct asked a;
		w->other[0].rcode = rcodes[i];
		w->other[0].answer = NULL;
		resolve(w, &a);
		ck_assert(has_address(&a));
		ck_assert_uint_eq(a.took_ms, 10);
		ck_assert_uint_eq(steps_of(&a, TRACE_REPLY, TRACE_ERROR), 1);
		end(&a);
		/* It is well: others are to blame for what it cannot find. */
		for (unsigned k = 0; k < 8; k++)
			must_answer(w, 10);
		ck_assert_uint_eq(w->other[0].udp, 9);
		world_free(w);
	}
}
END_TEST

START_TEST(who_is_out_of_reach_costs_no_time)
{
	struct world *w = world_new(&two);
	w->other[0].does = IS_UNREACHABLE;
	must_answer(w, 10);
	world_free(w);
}
END_TEST

START_TEST(what_is_no_message_is_passed_by)
{
	static const enum does bad[] = { SAYS_RUBBISH, DROPS_QUESTION };
	for (size_t i = 0; i < array_len(bad); i++) {
		struct world *w = world_new(&two);
		w->other[0].does = bad[i];
		for (unsigned k = 0; k < 3; k++)
			must_answer(w, 10);
		ck_assert_uint_eq(w->other[0].udp, 3);
		must_answer(w, 5); /* and is a reason not to ask it any more */
		ck_assert_uint_eq(w->other[0].udp, 3);
		world_free(w);
	}
}
END_TEST

START_TEST(replies_that_are_changed_by_chance_do_no_harm)
{
	struct world *w = world_new(&three);
	for (size_t i = 0; i < 3; i++) {
		w->other[i].does = SAYS_CHANCE;
		w->other[i].answer = "www.example.org. 300 IN CNAME w.example.org.\n"
				     "w.example.org. 300 IN DNAME d.example.net.\n"
				     "w.example.org. 300 IN A 198.51.100.7\n";
		w->other[i].authority = SOA_TEXT;
		w->other[i].ede_text = "why not";
	}
	unsigned answered = 0;
	for (unsigned i = 0; i < 5000; i++) {
		struct asked a;
		resolve(w, &a);
		answered += a.told.m.rcode == RCODE_NOERROR;
		ck_assert_uint_le(a.took_ms, BUDGET_MS + 10);
		end(&a);
	}
	ck_assert_uint_ge(answered, 2500);
	world_free(w);
}
END_TEST

START_TEST(who_only_points_to_others_is_no_resolver)
{
	struct world *w = world_new(&two);
	struct asked a;
	w->other[0].answer = NULL;
	w->other[0].authority = "org. 3600 IN NS a.nic.test.\n";
	w->other[0].no_ra = true;
	resolve(w, &a);
	ck_assert(has_address(&a));
	ck_assert_uint_eq(a.told.from.server.address[15], 2);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(a_reply_that_is_cut_off_is_fetched_over_tcp)
{
	struct world *w = world_new(&two);
	struct asked a;
	w->other[0].does = TRUNCATES;
	resolve(w, &a);
	ck_assert(has_address(&a));
	ck_assert_uint_eq(w->other[0].udp, 1);
	ck_assert_uint_eq(w->other[0].tcp, 1);
	ck_assert_uint_eq(w->other[1].udp, 0);
	ck_assert_uint_eq(a.told.from.transport, CACHE_TCP);
	ck_assert_uint_eq(a.told.flags & FLAG_TC, 0);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(forged_replies_lead_to_tcp)
{
	struct world *w = world_new(&one);
	struct asked a;
	w->other[0].does = IS_FORGED;
	resolve(w, &a);
	ck_assert(has_address(&a));
	ck_assert_uint_eq(a.told.from.transport, CACHE_TCP);
	ck_assert_uint_eq(steps_of(&a, TRACE_REPLY, TRACE_SPOOFED), 1);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(who_has_no_edns_is_asked_without_and_remembered)
{
	struct world *w = world_new(&one);
	w->other[0].does = HAS_NO_EDNS;
	must_answer(w, 10);
	ck_assert_uint_eq(w->other[0].udp, 2);
	ck_assert_uint_eq(w->other[0].plain, 1);
	for (unsigned i = 0; i < 10; i++)
		must_answer(w, 10);
	ck_assert_uint_le(w->other[0].udp, 14); /* now and then it is tried again */
	world_free(w);
}
END_TEST

/* ---- what is believed ---- */

START_TEST(what_does_not_belong_is_left_out)
{
	struct world *w = world_new(&one);
	struct asked a;
	w->other[0].answer = "other.example.org. 300 IN A 203.0.113.1\n"
			     "www.example.org. 300 IN CNAME www.example.net.\n"
			     "www.example.net. 300 IN A 198.51.100.7\n"
			     "www.example.net. 300 IN TXT \"no\"\n";
	w->other[0].authority = "example.net. 300 IN NS ns.evil.test.\n" SOA_TEXT;
	w->other[0].additional = "ns.evil.test. 300 IN A 203.0.113.2\n";
	resolve(w, &a);
	ck_assert_uint_eq(a.told.m.rcode, RCODE_NOERROR);
	ck_assert_uint_eq(a.told.m.n, 2);
	ck_assert_uint_eq(a.told.m.sets[0].type, TYPE_CNAME);
	ck_assert_uint_eq(a.told.m.sets[1].type, TYPE_A);
	ck_assert(
		name_is_equal(a.told.m.sets[1].owner, (const uint8_t *)"\3www\7example\3net"));
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(nothing_of_it_is_seen_by_recursion)
{
	struct world *w = world_new(&one);
	struct rrsets_found found;
	struct asked a;
	struct pad pad;
	struct name name = name_of("www.example.org.");
	resolve(w, &a);
	ck_assert(has_address(&a));
	pad_init(&pad, 1 << 16, NULL);
	ck_assert_int_eq(rrsets_find(w->ground.cache, 0, name.bytes, TYPE_A, clock_mono_ms(), 0,
				 &pad, &found),
		0);
	pad_clear(&pad);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(a_denial_comes_with_its_soa)
{
	static const unsigned rcodes[] = { RCODE_NOERROR, RCODE_NXDOMAIN };
	for (size_t i = 0; i < array_len(rcodes); i++) {
		struct world *w = world_new(&two);
		struct asked a;
		w->other[0].rcode = rcodes[i];
		w->other[0].answer = NULL;
		w->other[0].authority = SOA_TEXT "example.org. 300 IN NS ns.example.org.\n";
		resolve(w, &a);
		ck_assert_uint_eq(a.told.m.rcode, rcodes[i]);
		ck_assert_uint_eq(a.told.m.n, 1);
		ck_assert_uint_eq(a.told.m.sets[0].type, TYPE_SOA);
		ck_assert_uint_eq(w->other[1].udp, 0);
		end(&a);
		world_free(w);
	}
}
END_TEST

START_TEST(a_denial_without_soa_is_told_and_not_kept)
{
	static const unsigned rcodes[] = { RCODE_NOERROR, RCODE_NXDOMAIN };
	for (size_t i = 0; i < array_len(rcodes); i++) {
		struct world *w = world_new(&two);
		struct asked a;
		w->other[0].rcode = rcodes[i];
		w->other[0].answer = NULL;
		for (unsigned k = 1; k < 3; k++) {
			ask_with(w, &a, "www.example.org.", TYPE_A, ASK_KEPT);
			pass(w, 100);
			ck_assert_uint_eq(a.done, 1);
			ck_assert_uint_eq(a.told.m.rcode, rcodes[i]);
			ck_assert_uint_eq(a.told.m.n, 0);
			ck_assert_uint_eq(w->other[0].udp, k);
			end(&a);
		}
		world_free(w);
	}
}
END_TEST

START_TEST(an_alias_without_its_end_is_followed)
{
	struct world *w = world_new(&one);
	struct asked a;
	w->other[0].answer = "a.example.org. 300 IN CNAME www.example.org.\n";
	ask_with(w, &a, "a.example.org.", TYPE_A, 0);
	w->other[0].answer = "www.example.org. 300 IN A 198.51.100.7\n";
	pass(w, 100);
	ck_assert(has_address(&a));
	ck_assert_uint_eq(a.told.m.n, 2);
	ck_assert_uint_eq(w->other[0].udp, 2);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(aliases_that_lead_nowhere_end)
{
	struct world *w = world_new(&one);
	struct asked a;
	w->other[0].answer = "www.example.org. 300 IN CNAME w.example.org.\n"
			     "w.example.org. 300 IN CNAME www.example.org.\n";
	resolve(w, &a);
	ck_assert_uint_eq(a.told.m.rcode, RCODE_SERVFAIL);
	ck_assert_uint_le(w->other[0].udp, BUDGET_ALIASES);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(signatures_are_told_to_who_wants_them)
{
	struct world *w = world_new(&one);
	struct asked a;
	w->other[0].answer = "www.example.org. 300 IN A 198.51.100.7\n"
			     "www.example.org. 300 IN RRSIG A 8 3 300 20300101000000 "
			     "20200101000000 1 example.org. AAAA\n";
	w->other[0].authority = "b.example.org. 300 IN NSEC d.example.org. A\n";
	resolve(w, &a);
	ck_assert_uint_eq(a.told.m.n, 1);
	ck_assert_uint_eq(a.told.m.sets[0].sigs, 0);
	end(&a);
	ask_with(w, &a, "www.example.org.", TYPE_A, ASK_DO);
	pass(w, 100);
	ck_assert_uint_eq(a.told.m.n, 2);
	ck_assert_uint_eq(a.told.m.sets[0].sigs, 1);
	ck_assert_uint_eq(a.told.m.sets[1].type, TYPE_NSEC);
	end(&a);
	world_free(w);
}
END_TEST

/* ---- reasons ---- */

START_TEST(the_reason_of_the_other_is_passed_on)
{
	struct world *w = world_new(&two);
	struct asked a;
	w->other[0].ede = 3;
	w->other[0].ede_text = "old\nnews \xc3\xa9";
	resolve(w, &a);
	ck_assert(has_address(&a));
	ck_assert_int_eq(a.told.ede, 3);
	ck_assert_str_eq(a.told.text, "old news ??");
	end(&a);
	w->other[0].answer = NULL;
	w->other[0].rcode = w->other[1].rcode = RCODE_SERVFAIL;
	w->other[0].ede = 6;
	w->other[0].ede_text = "signature expired";
	resolve(w, &a);
	ck_assert_uint_eq(a.told.m.rcode, RCODE_SERVFAIL);
	ck_assert_int_eq(a.told.ede, 6);
	ck_assert_str_eq(a.told.text, "192.0.2.1@53 said SERVFAIL: signature expired");
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(when_all_fail_the_last_one_is_named)
{
	struct world *w = world_new(&two);
	struct asked a;
	w->other[0].does = IS_UNREACHABLE;
	w->other[1].rcode = RCODE_REFUSED;
	resolve(w, &a);
	ck_assert_uint_eq(a.told.m.rcode, RCODE_SERVFAIL);
	ck_assert_int_eq(a.told.ede, EDE_NO_REACHABLE);
	ck_assert_str_eq(a.told.text, "192.0.2.2@53 said REFUSED");
	end(&a);
	w->other[1].does = IS_UNREACHABLE;
	resolve(w, &a);
	ck_assert_int_eq(a.told.ede, EDE_NETWORK);
	ck_assert_str_eq(a.told.text, "192.0.2.2@53 cannot be reached");
	end(&a);
	w->other[0].does = w->other[1].does = IS_SILENT;
	resolve(w, &a);
	ck_assert_int_eq(a.told.ede, EDE_NO_REACHABLE);
	ck_assert_ptr_nonnull(strstr(a.told.text, "did not answer"));
	ck_assert_uint_le(a.took_ms, BUDGET_MS);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(one_question_does_not_cost_many)
{
	struct world *w = world_new(&three);
	struct asked a;
	for (size_t i = 0; i < 3; i++)
		w->other[i].does = IS_SILENT;
	resolve(w, &a);
	ck_assert_uint_eq(a.told.m.rcode, RCODE_SERVFAIL);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_ge(w->other[i].udp, 1);
		ck_assert_uint_le(w->other[i].udp, FORWARD_ROUNDS);
	}
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(there_is_a_reason_when_nothing_can_be_sent)
{
	struct world *w = world_new(&one);
	static struct asked all[1000];
	struct asked a;
	w->other[0].does = IS_SILENT;
	for (unsigned i = 0; i < 1000; i++) {
		char name[64];
		(void)snprintf(name, sizeof name, "n%u.example.org.", i);
		ask_with(w, &all[i], name, TYPE_A, 0);
		ck_assert_uint_eq(all[i].done, 0);
	}
	chain_cancel(&all[0].wait);
	pass(w, 300); /* the oldest gives way; its place with the upstream is free */
	ask_with(w, &a, "more.example.org.", TYPE_A, 0);
	ck_assert_uint_eq(a.done, 0);
	end(&a);
	chain_cancel(&a.wait);
	for (unsigned i = 0; i < 1000; i++) {
		chain_cancel(&all[i].wait);
		end(&all[i]);
	}
	world_free(w);
}
END_TEST

/* ---- health ---- */

START_TEST(who_fails_three_times_is_left_alone)
{
	struct world *w = world_new(&two);
	for (unsigned i = 0; i < 8; i++)
		must_answer(w, 6);
	w->other[0].udp = 0;
	w->other[0].does = IS_SILENT;
	for (unsigned i = 0; i < 3; i++)
		must_answer(w, 410);
	ck_assert_uint_eq(w->other[0].udp, 3);
	for (unsigned i = 0; i < 10; i++)
		must_answer(w, 6);
	ck_assert_uint_eq(w->other[0].udp, 3);
	world_free(w);
}
END_TEST

START_TEST(under_load_nothing_is_lost_when_one_of_two_dies)
{
	struct world *w = world_new(&two);
	static struct asked all[600];
	for (unsigned i = 0; i < 600; i++) {
		char name[64];
		(void)snprintf(name, sizeof name, "n%u.example.org.", i);
		if (i == 200)
			w->other[0].does = IS_SILENT;
		ask_with(w, &all[i], name, TYPE_TXT, 0);
		pass(w, 2);
	}
	pass(w, 400);
	unsigned late = 0;
	for (unsigned i = 0; i < 600; i++) {
		ck_assert_uint_eq(all[i].done, 1);
		ck_assert_uint_eq(all[i].told.m.rcode, RCODE_NOERROR);
		ck_assert_uint_le(all[i].took_ms, 410);
		late += all[i].took_ms > 10;
		end(&all[i]);
	}
	ck_assert_uint_le(late, 80);
	world_free(w);
}
END_TEST

START_TEST(who_comes_back_is_asked_again_within_a_second)
{
	struct world *w = world_new(&two);
	w->other[0].does = IS_SILENT;
	for (unsigned i = 0; i < 3; i++)
		must_answer(w, 410);
	pass(w, 20000);
	ck_assert_uint_ge(w->other[0].probes, 35);
	ck_assert_uint_le(w->other[0].probes, 41);
	for (unsigned at = 0; at < 500; at += 50) {
		w->other[0].does = IS_SILENT;
		for (unsigned i = 0; i < 3; i++)
			must_answer(w, 410);
		pass(w, 2000 + at);
		w->other[0].does = ANSWERS;
		w->other[0].udp = 0;
		pass(w, 50);
		must_answer(w, 6);
		ck_assert_uint_eq(w->other[0].udp, 0); /* one reply is not enough */
		pass(w, 950);
		must_answer(w, 6);
		ck_assert_uint_eq(w->other[0].udp, 1);
	}
	world_free(w);
}
END_TEST

START_TEST(who_is_long_gone_is_tried_less_and_not_without_clients)
{
	struct world *w = world_new(&two);
	w->other[0].does = IS_UNREACHABLE;
	for (unsigned i = 0; i < 3; i++)
		must_answer(w, 10);
	pass(w, 61000);
	ck_assert_uint_le(w->other[0].probes, 125);
	w->other[0].probes = 0;
	must_answer(w, 6);
	pass(w, 50000);
	ck_assert_uint_ge(w->other[0].probes, 9);
	ck_assert_uint_le(w->other[0].probes, 11);
	pass(w, 60000);
	w->other[0].probes = 0;
	pass(w, 3600000);
	ck_assert_uint_eq(w->other[0].probes, 0);
	must_answer(w, 6);
	pass(w, 10);
	ck_assert_uint_eq(w->other[0].probes, 1);
	world_free(w);
}
END_TEST

START_TEST(when_all_are_down_all_are_asked)
{
	struct world *w = world_new(&two);
	struct asked a;
	w->other[0].does = w->other[1].does = IS_UNREACHABLE;
	for (unsigned i = 0; i < 5; i++) {
		w->other[0].udp = w->other[1].udp = 0;
		resolve(w, &a);
		ck_assert_uint_eq(a.told.m.rcode, RCODE_SERVFAIL);
		ck_assert_uint_eq(w->other[0].udp, 1);
		ck_assert_uint_eq(w->other[1].udp, 1);
		end(&a);
	}
	pass(w, 10000);
	ck_assert_uint_ge(w->other[0].probes, 15);
	ck_assert_uint_ge(w->other[1].probes, 15);
	w->other[0].does = IS_SILENT;
	w->other[1].does = ANSWERS;
	must_answer(w, 410);
	world_free(w);
}
END_TEST

START_TEST(what_failed_while_nobody_was_there_is_forgiven)
{
	struct world *w = world_new(&two);
	struct asked a;
	w->other[0].does = w->other[1].does = IS_UNREACHABLE;
	for (unsigned i = 0; i < 4; i++) {
		resolve(w, &a);
		end(&a);
	}
	ck_assert_uint_eq(facts_epoch(w->ground.facts), 0);
	w->other[0].does = ANSWERS;
	must_answer(w, 10);
	ck_assert_uint_eq(facts_epoch(w->ground.facts), 1);
	must_answer(w, 10);
	ck_assert_uint_eq(facts_epoch(w->ground.facts), 1);
	world_free(w);
}
END_TEST

START_TEST(a_name_that_nobody_finds_is_nobodys_fault)
{
	struct world *w = world_new(&two);
	struct asked a;
	for (unsigned i = 0; i < 10; i++) {
		must_answer(w, 10);
		w->other[0].does = w->other[1].does = IS_SILENT;
		resolve(w, &a);
		end(&a);
		w->other[0].does = w->other[1].does = ANSWERS;
	}
	ck_assert_uint_eq(w->other[0].probes + w->other[1].probes, 0);
	world_free(w);
}
END_TEST

START_TEST(a_server_down_is_not_asked_what_another_cannot_tell)
{
	struct world *w = world_new(&two);
	struct asked a;
	w->other[0].does = IS_SILENT;
	for (unsigned i = 0; i < 3; i++)
		must_answer(w, 410);
	w->other[0].udp = 0;
	w->other[1].rcode = RCODE_SERVFAIL;
	resolve(w, &a);
	ck_assert_uint_eq(a.told.m.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(a.took_ms, 5);
	ck_assert_uint_eq(w->other[0].udp, 0);
	end(&a);
	/* But when it says nothing at all. */
	w->other[1].does = IS_UNREACHABLE;
	w->other[0].does = ANSWERS;
	must_answer(w, 10);
	world_free(w);
}
END_TEST

START_TEST(the_fastest_is_asked_most)
{
	static const struct said fastest = { .to = "192.0.2.1 192.0.2.2 192.0.2.3",
		.policy = "fastest" };
	struct world *w = world_new(&fastest);
	w->other[0].delay_ms = 80;
	w->other[1].delay_ms = 10;
	w->other[2].delay_ms = 40;
	for (unsigned i = 0; i < 200; i++)
		must_answer(w, 100);
	ck_assert_uint_ge(w->other[1].udp, 180);
	ck_assert_uint_ge(w->other[0].udp, 1);
	/* Another is seen to have become faster. */
	w->other[0].udp = 0;
	w->other[0].delay_ms = 2;
	for (unsigned i = 0; i < 2000; i++)
		must_answer(w, 100);
	ck_assert_uint_ge(w->other[0].udp, 1000);
	world_free(w);
}
END_TEST

/* ---- the end ---- */

START_TEST(a_question_is_given_up_in_the_middle)
{
	struct world *w = world_new(&two);
	struct asked a;
	w->other[0].does = w->other[1].does = IS_SILENT;
	for (unsigned ms = 0; ms < 2000; ms += 200) {
		ask(w, &a);
		pass(w, ms);
		ck_assert_uint_eq(a.done, 0);
		chain_cancel(&a.wait);
		end(&a);
		pass(w, 10000);
	}
	ask(w, &a);
	pass(w, 700);
	end(&a);
	world_free(w); /* with questions and probes under way */
}
END_TEST

START_TEST(the_time_of_the_link_is_its_end)
{
	struct world *w = world_new(&two);
	struct asked a;
	w->plan.link[0].budget_ms = 300;
	w->other[0].does = w->other[1].does = IS_SILENT;
	resolve(w, &a);
	ck_assert_uint_eq(a.told.m.rcode, RCODE_SERVFAIL);
	ck_assert_uint_le(a.took_ms, 310);
	ck_assert_uint_eq(atomic_load(&upstream_counts(w->ground.upstream)->open), 0);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(another_plan_lets_what_is_under_way_end)
{
	struct world *w = world_new(&two);
	struct asked a;
	w->other[0].does = w->other[1].does = IS_SILENT;
	ask(w, &a);
	pass(w, 500);
	chain_set_plan(w->ground.chain, NULL, NULL);
	w->other[1].does = ANSWERS;
	while (!a.done)
		ck_assert(fake_step(w->ground.loop, UINT64_MAX - 1));
	ck_assert(has_address(&a)); /* and its link is gone with it */
	end(&a);
	pass(w, 100000);
	world_free(w);
}
END_TEST

/* ---- options ---- */

static const char *off_of(const char *to)
{
	static char text[128];
	struct link_given given = { 0 };
	struct link_value values[VALUES] = { 0 };
	const struct said said = { .to = to, .conf = "/nonexistent/resolv.conf" };
	char error[256] = "";
	void *data = prepare_in(&given, values, &said, error, sizeof error);
	ck_assert_msg(data != NULL, "%s", error);
	const char *off = link_forward_off(data);
	(void)snprintf(text, sizeof text, "%s", off ? off : "");
	link_forward.release(data);
	return text;
}

START_TEST(a_link_without_resolvers_is_off)
{
	static const struct said none = { .to = "" };
	ck_assert_str_eq(off_of(NULL), "to: names no resolver");
	ck_assert_str_eq(off_of(""), "to: names no resolver");
	ck_assert_str_eq(off_of("192.0.2.1"), "");
	struct world *w = world_new(&none);
	struct asked a;
	ask(w, &a);
	ck_assert_uint_eq(a.done, 1);
	ck_assert_uint_eq(a.told.m.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(steps_of(&a, TRACE_LINK, TRACE_PASS), 1);
	end(&a);
	world_free(w);
}
END_TEST

START_TEST(wrong_values_are_told_at_their_place)
{
	static const struct {
		struct said said;
		const char *error;
	} bad[] = {
		{ { .to = "tls://192.0.2.1" },
			"a.yaml:3:9: to: tls://192.0.2.1: tls:// is not in this version" },
		{ { .to = "192.0.2.1 dns.example.org" },
			"a.yaml:3:9: to: dns.example.org: dns.example.org is neither an IPv4 "
			"nor an IPv6 address (names are not looked up)" },
		{ { .to = "192.0.2.1@0" }, "a.yaml:3:9: to: 192.0.2.1@0: no resolver can be "
					   "there" },
		{ { .to = "0.0.0.0" }, "a.yaml:3:9: to: 0.0.0.0: no resolver can be there" },
		{ { .to = "ff02::1" }, "a.yaml:3:9: to: ff02::1: no resolver can be there" },
		{ { .to = "192.0.2.1@70000" },
			"a.yaml:3:9: to: 192.0.2.1@70000: port 70000 is over 65535" },
		{ { .to = "192.0.2.1", .policy = "fastet" },
			"a.yaml:7:3: policy: 'fastet' is neither order nor fastest; did you "
			"mean fastest?" },
		{ { .to = "network", .conf = "resolv.conf" },
			"a.yaml:7:3: resolv-conf: a path from the root is expected: /..." },
	};
	for (size_t i = 0; i < array_len(bad); i++) {
		struct link_given given = { 0 };
		struct link_value values[VALUES] = { 0 };
		char error[256] = "";
		ck_assert_ptr_null(
			prepare_in(&given, values, &bad[i].said, error, sizeof error));
		ck_assert_str_eq(error, bad[i].error);
	}
}
END_TEST

START_TEST(addresses_are_taken_in_every_form)
{
	static const struct said said = {
		.to = "192.0.2.1 192.0.2.1@5353 [2001:db8::1]:53 2001:db8::1@53 2001:db8::2"
	};
	static const char *const wanted[] = { "192.0.2.1@53", "192.0.2.1@5353",
		"2001:db8::1@53", "2001:db8::2@53" };
	struct link_given given = { 0 };
	struct link_value values[VALUES] = { 0 };
	char error[256] = "", text[ADDR_TEXT_MAX];
	struct forward *f = prepare_in(&given, values, &said, error, sizeof error);
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(f->n, array_len(wanted));
	for (size_t i = 0; i < f->n; i++)
		ck_assert_str_eq(addr_print(text, &f->to[i]), wanted[i]);
	link_forward.release(f);
}
END_TEST

static char watched[256];

static void note_watch(void *teller, const char *path)
{
	(void)teller;
	(void)snprintf(
		watched + strlen(watched), sizeof watched - strlen(watched), "%s ", path);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* The servers found, blanks between; and which files were to be watched. */
static const char *network_of(const char *path, const char *other)
{
	static char text[512];
	struct link_given given = { .warn = on_warning, .watch = note_watch };
	struct forward f = { 0 };
	char printed[ADDR_TEXT_MAX];
	text[0] = watched[0] = '\0';
	forward_find_network(&f, &given, path, other);
	for (size_t i = 0; i < f.n; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
			i ? " " : "", addr_print(printed, &f.to[i]));
	return text;
}

START_TEST(the_network_is_what_this_host_was_told)
{
	char folder[] = "/tmp/rootward-test-XXXXXX", first[64], second[64], both[256];
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(first, sizeof first, "%s/first", folder);
	(void)snprintf(second, sizeof second, "%s/second", folder);
	(void)snprintf(both, sizeof both, "%s %s ", first, second);
	write_file(second, "nameserver 192.0.2.9\nnameserver 127.0.0.1\n");

	write_file(first, "nameserver 127.0.0.1\nnameserver 192.0.2.1\n"
			  "nameserver ::1\nnameserver 2001:db8::1\nnameserver fe80::1%lo\n");
	ck_assert_str_eq(
		network_of(first, second), "192.0.2.1@53 2001:db8::1@53 fe80::1%lo@53");
	ck_assert_uint_eq(strlen(watched), strlen(first) + 1);

	write_file(first, "nameserver 127.0.0.53\noptions edns0 trust-ad\n");
	ck_assert_str_eq(network_of(first, second), "192.0.2.9@53");
	ck_assert_str_eq(watched, both);

	ck_assert_int_eq(unlink(first), 0);
	ck_assert_str_eq(network_of(first, second), "192.0.2.9@53");
	ck_assert_str_eq(watched, both);

	write_file(second, "nameserver 127.0.0.53\nnameserver 0.0.0.0\n");
	ck_assert_str_eq(network_of(first, second), "");
	ck_assert_int_eq(unlink(second), 0);
	ck_assert_str_eq(network_of(first, second), "");
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

UNIT_MAIN("links/forward", the_first_of_the_list_is_asked,
	it_is_asked_to_recurse_as_the_client_would_have_it, the_spelling_is_not_mixed,
	an_answer_is_kept_by_the_chain, the_next_one_is_asked_while_the_first_is_silent,
	a_known_server_is_given_little_more_than_its_time, the_first_is_still_listened_to,
	a_lost_datagram_is_sent_again, who_cannot_tell_is_followed_by_the_next_at_once,
	who_is_out_of_reach_costs_no_time, what_is_no_message_is_passed_by,
	replies_that_are_changed_by_chance_do_no_harm, who_only_points_to_others_is_no_resolver,
	a_reply_that_is_cut_off_is_fetched_over_tcp, forged_replies_lead_to_tcp,
	who_has_no_edns_is_asked_without_and_remembered, what_does_not_belong_is_left_out,
	nothing_of_it_is_seen_by_recursion, a_denial_comes_with_its_soa,
	a_denial_without_soa_is_told_and_not_kept, an_alias_without_its_end_is_followed,
	aliases_that_lead_nowhere_end, signatures_are_told_to_who_wants_them,
	the_reason_of_the_other_is_passed_on, when_all_fail_the_last_one_is_named,
	one_question_does_not_cost_many, there_is_a_reason_when_nothing_can_be_sent,
	who_fails_three_times_is_left_alone, under_load_nothing_is_lost_when_one_of_two_dies,
	who_comes_back_is_asked_again_within_a_second,
	who_is_long_gone_is_tried_less_and_not_without_clients, when_all_are_down_all_are_asked,
	what_failed_while_nobody_was_there_is_forgiven,
	a_name_that_nobody_finds_is_nobodys_fault,
	a_server_down_is_not_asked_what_another_cannot_tell, the_fastest_is_asked_most,
	a_question_is_given_up_in_the_middle, the_time_of_the_link_is_its_end,
	another_plan_lets_what_is_under_way_end, a_link_without_resolvers_is_off,
	wrong_values_are_told_at_their_place, addresses_are_taken_in_every_form,
	the_network_is_what_this_host_was_told)
