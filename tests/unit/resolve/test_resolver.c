/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/rrsets.h"
#include "unit/resolve/world.h"

#define ROOT                                                                                   \
	{ .server = "1.0.0.1",                                                                 \
		.name = ".",                                                                   \
		.type = TYPE_NS,                                                               \
		.answer = ". 3600 IN NS a.root.test.\n",                                       \
		.additional = "a.root.test. 3600 IN A 1.0.0.1\n" },                            \
	{                                                                                      \
		.server = "1.0.0.1", .name = "com.", .is_referral = true,                      \
		.authority = "com. 3600 IN NS a.tld.test.\n",                                  \
		.additional = "a.tld.test. 3600 IN A 1.0.0.2\n"                                \
	}
#define REFERRAL(glue)                                                                         \
	{                                                                                      \
		.server = "1.0.0.2", .name = "example.com.", .is_referral = true,              \
		.authority = "example.com. 3600 IN NS ns1.example.com.\n"                      \
			     "example.com. 3600 IN NS ns2.example.com.\n",                     \
		.additional = glue                                                             \
	}
#define ONE_SERVER REFERRAL("ns1.example.com. 3600 IN A 1.0.0.3\n")
#define TWO_SERVERS                                                                            \
	REFERRAL("ns1.example.com. 3600 IN A 1.0.0.3\nns2.example.com. 3600 IN A 1.0.0.4\n")
#define WWW "www.example.com. 300 IN A 5.6.7.8\n"
#define SOA "example.com. 300 IN SOA ns1.example.com. h.example.com. 1 2 3 4 60\n"
#define LEAF(quirk_)                                                                           \
	{                                                                                      \
		.server = "1.0.0.3", .name = "www.example.com.", .quirk = quirk_,              \
		.answer = WWW                                                                  \
	}

static bool has_address(const struct question_of *q)
{
	return q->outcome.rcode == RCODE_NOERROR && q->outcome.n == 1 &&
	       q->outcome.set[0]->type == TYPE_A && q->outcome.set[0]->n == 1;
}

/* Nothing of a reply that did not belong there. */
static bool is_kept(struct world *world, const char *name, uint16_t type)
{
	struct rrsets_found found;
	struct pad pad;
	struct name owner = name_of(name);
	pad_init(&pad, 1 << 16, NULL);
	int rc = rrsets_find(
		world->cache, 0, owner.bytes, type, clock_mono_ms(), 0, &pad, &found);
	pad_clear(&pad);
	return rc == 1;
}

START_TEST(a_referral_costs_one_question)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER, LEAF(QUIRK_NONE) };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	ck_assert(!resolve(world, &q, "www.example.com.", TYPE_A));
	ck_assert(has_address(&q));
	ck_assert_uint_eq(asked_of(world, "1.0.0.1"), 2); /* one of them for the root itself */
	ck_assert_uint_eq(asked_of(world, "1.0.0.2"), 1);
	ck_assert_uint_eq(asked_of(world, "1.0.0.3"), 1);
	ck_assert_uint_eq(q.outcome.from.generation, 7);
	ck_assert_uint_eq(q.outcome.from.link, 2);
	ck_assert_uint_eq(q.outcome.from.server.address[15], 3);
	ck_assert_uint_eq(resolver_open(world->resolver), 0);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(what_is_known_is_told_at_once)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER, LEAF(QUIRK_NONE) };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	ck_assert(!resolve(world, &q, "www.example.com.", TYPE_A));
	end(&q);
	unsigned sent = world->sent_n;
	ck_assert(resolve(world, &q, "www.example.com.", TYPE_A));
	ck_assert(has_address(&q));
	ck_assert_uint_eq(world->sent_n, sent);
	ck_assert_uint_eq(q.done, 0);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(a_live_question_begins_at_the_root)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER, LEAF(QUIRK_NONE) };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	ck_assert(!resolve(world, &q, "www.example.com.", TYPE_A));
	end(&q);
	world->sent_n = 0;
	ck_assert(!start(world, &q, "www.example.com.", TYPE_A, true));
	ck_assert(fake_pass(world->loop, BUDGET_MS, 1000));
	ck_assert(q.done && has_address(&q));
	ck_assert_uint_eq(asked_of(world, "1.0.0.1"), 1);
	ck_assert_uint_eq(asked_of(world, "1.0.0.2"), 1);
	ck_assert_uint_eq(asked_of(world, "1.0.0.3"), 1);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(without_options_there_is_a_refusal)
{
	struct world *world = world_new(NULL, 0);
	struct question_of q;
	resolver_set_opts(world->resolver, NULL);
	ck_assert(start(world, &q, "www.example.com.", TYPE_A, false));
	ck_assert_uint_eq(q.outcome.rcode, RCODE_SERVFAIL);
	ck_assert_int_eq(q.outcome.ede, EDE_NOT_READY);
	ck_assert_uint_eq(world->sent_n, 0);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(nobody_is_sent_to_addresses_of_ours_or_of_nobody)
{
	static const char *const bad[] = { "A 127.0.0.1", "A 0.0.0.0", "A 10.1.2.3",
		"A 192.168.1.1", "A 224.0.0.1", "A 255.255.255.255", "A 9.9.9.9",
		"AAAA ::", "AAAA ::1", "AAAA ::ffff:127.0.0.1", "AAAA fe80::1", "AAAA ff02::1",
		"AAAA fd00::1" };
	struct addr own;
	ck_assert_int_eq(addr_parse(&own, "9.9.9.9", 53, NULL), 0);
	for (size_t i = 0; i < array_len(bad); i++) {
		char glue[128];
		(void)snprintf(glue, sizeof glue, "ns1.example.com. 3600 IN %s\n", bad[i]);
		const struct rule rules[] = { ROOT, REFERRAL(glue) };
		struct world *world = world_new(rules, array_len(rules));
		struct question_of q;
		world->opts.own = &own;
		world->opts.own_n = 1;
		(void)resolve(world, &q, "www.example.com.", TYPE_A);
		ck_assert_uint_eq(q.outcome.rcode, RCODE_SERVFAIL);
		ck_assert_int_eq(q.outcome.ede, EDE_NO_REACHABLE);
		for (unsigned k = 0; k < world->sent_n; k++)
			ck_assert_msg(strcmp(world->sent[k].server, "1.0.0.1") == 0 ||
					      strcmp(world->sent[k].server, "1.0.0.2") == 0,
				"%s was asked", world->sent[k].server);
		end(&q);
		world_free(world);
	}
}
END_TEST

START_TEST(a_server_that_changes_the_spelling_is_asked_over_tcp)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER, LEAF(QUIRK_LOWER_CASE) };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	struct fact fact;
	(void)resolve(world, &q, "www.example.com.", TYPE_A);
	ck_assert(has_address(&q));
	ck_assert_uint_eq(asked_of(world, "1.0.0.3"), 2);
	ck_assert(!world->sent[world->sent_n - 2].is_tcp);
	ck_assert(world->sent[world->sent_n - 1].is_tcp);
	facts_get(world->facts, &q.outcome.from.server, NULL, clock_mono_ms(), &fact);
	ck_assert(fact.breaks_case);
	end(&q);
	(void)resolve(world, &q, "more.www.example.com.", TYPE_A);
	ck_assert(!world->sent[world->sent_n - 1].is_mixed);
	ck_assert(!world->sent[world->sent_n - 1].is_tcp);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(a_server_that_changes_the_spelling_and_has_no_tcp_is_asked_plainly)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER, LEAF(QUIRK_LOWER_ONLY) };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	(void)resolve(world, &q, "www.example.com.", TYPE_A);
	ck_assert(has_address(&q));
	ck_assert_uint_eq(asked_of(world, "1.0.0.3"), 3);
	ck_assert(!world->sent[world->sent_n - 1].is_mixed);
	ck_assert(!world->sent[world->sent_n - 1].is_tcp);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(a_server_without_edns_is_remembered)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER, LEAF(QUIRK_NO_EDNS) };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	(void)resolve(world, &q, "www.example.com.", TYPE_A);
	ck_assert(has_address(&q));
	ck_assert_uint_eq(asked_of(world, "1.0.0.3"), 2);
	end(&q);
	(void)resolve(world, &q, "more.www.example.com.", TYPE_AAAA);
	ck_assert(!world->sent[world->sent_n - 1].has_edns);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(a_cookie_that_is_wanted_is_sent)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER, LEAF(QUIRK_BADCOOKIE) };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	(void)resolve(world, &q, "www.example.com.", TYPE_A);
	ck_assert(has_address(&q));
	ck_assert_uint_eq(asked_of(world, "1.0.0.3"), 2);
	ck_assert_uint_eq(world->sent[world->sent_n - 2].cookie_len, 8);
	ck_assert_uint_eq(world->sent[world->sent_n - 1].cookie_len, 16);
	ck_assert_uint_eq(q.outcome.from.transport, CACHE_UDP_COOKIE);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(a_reply_with_another_cookie_is_not_believed)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER, LEAF(QUIRK_BAD_COOKIE) };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	(void)resolve(world, &q, "www.example.com.", TYPE_A);
	ck_assert(has_address(&q));
	ck_assert_uint_eq(q.outcome.from.transport, CACHE_TCP);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(what_is_no_message_is_asked_for_again_over_tcp)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER, LEAF(QUIRK_GARBAGE) };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	(void)resolve(world, &q, "www.example.com.", TYPE_A);
	ck_assert(has_address(&q));
	ck_assert_uint_eq(q.outcome.from.transport, CACHE_TCP);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(a_server_that_is_out_of_reach_costs_no_time)
{
	static const struct rule rules[] = { ROOT, TWO_SERVERS, LEAF(QUIRK_UNREACHABLE),
		{ .server = "1.0.0.4", .name = "example.com.", .answer = WWW } };
	for (unsigned seed = 0; seed < 8; seed++) {
		struct world *world = world_new(rules, array_len(rules));
		struct question_of q;
		fake_rand_seed(seed);
		ck_assert(!start(world, &q, "www.example.com.", TYPE_A, false));
		ck_assert(fake_pass(world->loop, 50, 1000));
		ck_assert(q.done && has_address(&q));
		end(&q);
		world_free(world);
	}
}
END_TEST

START_TEST(a_cancelled_question_leaves_nothing_behind)
{
	static const struct rule rules[] = { ROOT,
		{ .server = "1.0.0.2",
			.name = "example.com.",
			.is_referral = true,
			.authority = "example.com. 3600 IN NS ns.other.com.\n" },
		{ .server = "1.0.0.2", .name = "other.com.", .quirk = QUIRK_SILENT } };
	for (unsigned ms = 0; ms < 40; ms += 5) {
		struct world *world = world_new(rules, array_len(rules));
		struct question_of q;
		ck_assert(!start(world, &q, "www.example.com.", TYPE_A, false));
		(void)fake_pass(world->loop, ms, 1000);
		resolve_cancel(&q.resolution);
		ck_assert_ptr_null(q.resolution);
		end(&q);
		(void)fake_pass(world->loop, 20000, 1000);
		ck_assert_uint_eq(q.done, 0);
		ck_assert_uint_eq(resolver_open(world->resolver), 0);
		world_free(world);
	}
}
END_TEST

START_TEST(silence_ends_in_time_and_says_whose)
{
	static const struct rule rules[] = { ROOT, TWO_SERVERS };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	ck_assert(!start(world, &q, "www.example.com.", TYPE_A, false));
	ck_assert(fake_pass(world->loop, BUDGET_MS, 1000));
	ck_assert_uint_eq(q.done, 1);
	ck_assert_uint_eq(q.outcome.rcode, RCODE_SERVFAIL);
	ck_assert_int_eq(q.outcome.ede, EDE_NO_REACHABLE);
	ck_assert_ptr_nonnull(strstr(q.outcome.ede_text, "did not answer for example.com."));
	ck_assert_uint_le(asked_of(world, "1.0.0.3"), 3);
	ck_assert_uint_le(asked_of(world, "1.0.0.4"), 3);
	end(&q);
	/* Next time they are given up sooner. */
	world->sent_n = 0;
	(void)resolve(world, &q, "ftp.example.com.", TYPE_A);
	ck_assert_uint_eq(q.outcome.rcode, RCODE_SERVFAIL);
	ck_assert_uint_le(asked_of(world, "1.0.0.3") + asked_of(world, "1.0.0.4"), 3);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(what_does_not_belong_into_a_reply_is_not_kept)
{
#define POISON                                                                                 \
	"victim.com. 3600 IN NS ns.evil.com.\ncom. 3600 IN NS ns.evil.com.\n"                  \
	". 3600 IN NS ns.evil.com.\nexample.com. 3600 IN NS ns.evil.com.\n"                    \
	"www.victim.com. 3600 IN A 6.6.6.6\nvictim.com. 3600 IN DNAME evil.com.\n"             \
	"other.example.com. 3600 IN A 6.6.6.6\nns1.example.com. 3600 IN A 6.6.6.6\n"
	static const char *const names[] = { "victim.com.", "www.victim.com.",
		"other.example.com." };
	static const uint16_t types[] = { TYPE_NS, TYPE_A, TYPE_DNAME };
	static const struct rule answers[] = {
		{ .answer = WWW, .authority = POISON },
		{ .answer = WWW, .additional = POISON },
		{ .answer = WWW POISON },
		{ .authority = SOA POISON },
		{ .authority = SOA, .additional = POISON },
		{ .rcode = RCODE_NXDOMAIN, .authority = SOA POISON },
		{ .rcode = RCODE_NXDOMAIN, .answer = POISON, .authority = SOA },
		{ .rcode = RCODE_YXDOMAIN, .answer = POISON },
		{ .rcode = RCODE_SERVFAIL, .answer = POISON, .additional = POISON },
		{ .is_referral = true,
			.authority = "www.example.com. 60 IN NS ns.www.example.com.\n" POISON,
			.additional = POISON },
	};
	for (size_t i = 0; i < array_len(answers); i++) {
		struct rule rules[] = { ROOT, ONE_SERVER, answers[i] };
		rules[3].server = "1.0.0.3";
		rules[3].name = "example.com.";
		struct world *world = world_new(rules, array_len(rules));
		struct question_of q;
		(void)resolve(world, &q, "www.example.com.", TYPE_A);
		for (size_t k = 0; k < array_len(names); k++)
			for (size_t t = 0; t < array_len(types); t++)
				ck_assert_msg(!is_kept(world, names[k], types[t]),
					"reply %zu: %s %u is kept", i, names[k], types[t]);
		end(&q);
		/* The delegations are what they were. */
		world->sent_n = 0;
		(void)resolve(world, &q, "www.victim.com.", TYPE_A);
		ck_assert_uint_gt(asked_of(world, "1.0.0.2"), 0);
		end(&q);
		world_free(world);
	}
}
END_TEST

START_TEST(a_hundred_names_of_servers_cost_ten_questions)
{
	static char authority[16384];
	size_t n = 0;
	for (unsigned i = 0; i < 135; i++)
		n += (size_t)snprintf(authority + n, sizeof authority - n,
			"example.com. 3600 IN NS ns%u.victim.com.\n", i);
	const struct rule rules[] = { ROOT,
		{ .server = "1.0.0.2",
			.name = "example.com.",
			.is_referral = true,
			.authority = authority },
		{ .server = "1.0.0.2",
			.name = "victim.com.",
			.is_referral = true,
			.authority = "victim.com. 3600 IN NS ns.victim.com.\n",
			.additional = "ns.victim.com. 3600 IN A 1.0.0.9\n" },
		{ .server = "1.0.0.9",
			.name = "victim.com.",
			.authority = "victim.com. 1 IN SOA ns.victim.com. h.victim.com. 1 2 3 "
				     "4 1\n" } };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	ck_assert(!start(world, &q, "www.example.com.", TYPE_A, false));
	(void)fake_pass(world->loop, 500, 1000);
	ck_assert_uint_eq(q.done, 1);
	ck_assert_uint_eq(q.outcome.rcode, RCODE_SERVFAIL);
	ck_assert_int_eq(q.outcome.ede, EDE_NO_REACHABLE);
	ck_assert_uint_gt(asked_of(world, "1.0.0.9"), 0);
	ck_assert_uint_le(asked_of(world, "1.0.0.9"), 10);
	end(&q);
	/* And for a second nothing at all. */
	world->sent_n = 0;
	ck_assert(start(world, &q, "ftp.example.com.", TYPE_A, false));
	ck_assert_int_eq(q.outcome.ede, EDE_NO_REACHABLE);
	ck_assert_uint_eq(world->sent_n, 0);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(a_chain_without_end_ends)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER,
		{ .server = "1.0.0.3",
			.name = "example.com.",
			.answer = "sub.example.com. 60 IN DNAME sub.sub.example.com.\n" } };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	(void)resolve(world, &q, "www.sub.example.com.", TYPE_A);
	ck_assert_uint_eq(q.outcome.rcode, RCODE_SERVFAIL);
	ck_assert_uint_le(world->sent_n, 20);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(a_zone_whose_servers_are_silent_gets_a_bounded_number_of_questions)
{
	enum {
		QUESTIONS = 400
	};
	static const struct rule rules[] = { ROOT, ONE_SERVER };
	static struct question_of q[QUESTIONS];
	struct world *world = world_new(rules, array_len(rules));
	struct question_of first;
	ck_assert(!start(world, &first, "first.example.com.", TYPE_A, false));
	(void)fake_pass(world->loop, 500, 1000); /* it has not answered once */
	unsigned refused = 0;
	for (unsigned i = 0; i < QUESTIONS; i++) {
		char name[64];
		(void)snprintf(name, sizeof name, "n%u.example.com.", i);
		if (!start(world, &q[i], name, TYPE_A, false))
			continue;
		ck_assert_int_eq(q[i].outcome.ede, EDE_NETWORK);
		refused++;
	}
	ck_assert_uint_eq(refused, QUESTIONS - 199);
	(void)fake_pass(world->loop, BUDGET_MS, 20000);
	for (unsigned i = 0; i < QUESTIONS; i++)
		end(&q[i]);
	end(&first);
	ck_assert_uint_eq(resolver_open(world->resolver), 0);
	world_free(world);
}
END_TEST

START_TEST(the_root_is_asked_once_for_its_servers)
{
	static const struct rule rules[] = { ROOT };
	struct world *world = world_new(rules, array_len(rules));
	resolver_prime(world->resolver);
	resolver_prime(world->resolver);
	ck_assert_uint_eq(resolver_open(world->resolver), 1);
	(void)fake_pass(world->loop, 1000, 1000);
	ck_assert_uint_eq(world->sent_n, 1);
	ck_assert(is_kept(world, ".", TYPE_NS));
	ck_assert(is_kept(world, "a.root.test.", TYPE_A));
	world_free(world);
}
END_TEST

START_TEST(the_root_says_once_that_a_name_is_not_there)
{
	static const struct rule rules[] = {
		{ .server = "1.0.0.1",
			.name = ".",
			.rcode = RCODE_NXDOMAIN,
			.authority = ". 600 IN SOA a. b. 1 2 3 4 600\n" },
	};
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	ck_assert(!resolve(world, &q, "www.printer.lan.", TYPE_A));
	ck_assert_uint_eq(q.outcome.rcode, RCODE_NXDOMAIN);
	ck_assert_uint_eq(q.outcome.n, 1);
	end(&q);
	for (unsigned i = 0; i < world->sent_n; i++)
		ck_assert_uint_le(name_labels(world->sent[i].name.bytes), 1);
	ck_assert(resolve(world, &q, "other.lan.", TYPE_MX));
	ck_assert_uint_eq(q.outcome.rcode, RCODE_NXDOMAIN);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(an_operators_servers_are_asked_wherever_they_are)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER, LEAF(QUIRK_NONE),
		{ .server = "127.0.0.9",
			.name = "example.com.",
			.answer = "www.example.com. 60 IN A 10.0.0.1\n" } };
	struct resolve_stub stub = { .zone = name_of("example.com."), .n = 1 };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	ck_assert_int_eq(addr_parse(&stub.to[0], "127.0.0.9", 53, NULL), 0);
	world->opts.stubs = &stub;
	world->opts.stubs_n = 1;
	(void)resolve(world, &q, "www.example.com.", TYPE_A);
	ck_assert(has_address(&q));
	ck_assert_uint_eq(world->sent_n, 1);
	ck_assert_uint_eq(q.outcome.from.server.address[15], 9);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(a_stub_that_comes_first_is_not_the_only_one)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER, LEAF(QUIRK_NONE),
		{ .server = "127.0.0.9", .name = "example.com.", .rcode = RCODE_REFUSED } };
	struct resolve_stub stub = { .zone = name_of("example.com."), .n = 1 };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	ck_assert_int_eq(addr_parse(&stub.to[0], "127.0.0.9", 53, NULL), 0);
	world->opts.stubs = &stub;
	world->opts.stubs_n = 1;
	(void)resolve(world, &q, "ftp.example.com.", TYPE_A);
	ck_assert_uint_eq(q.outcome.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(asked_of(world, "1.0.0.1"), 0);
	ck_assert_ptr_nonnull(strstr(q.outcome.ede_text, "127.0.0.9@53 answered REFUSED"));
	end(&q);
	stub.is_first = true;
	(void)resolve(world, &q, "www.example.com.", TYPE_A);
	ck_assert(has_address(&q));
	ck_assert_uint_eq(asked_of(world, "1.0.0.3"), 1);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(a_family_that_is_off_is_not_asked)
{
	static const struct rule rules[] = { ROOT,
		REFERRAL("ns1.example.com. 60 IN AAAA 2a00::3\nns2.example.com. 60 IN A "
			 "1.0.0.3\n"),
		LEAF(QUIRK_NONE) };
	for (unsigned seed = 0; seed < 8; seed++) {
		struct world *world = world_new(rules, array_len(rules));
		struct question_of q;
		fake_rand_seed(seed);
		world->opts.ipv6 = false;
		(void)resolve(world, &q, "www.example.com.", TYPE_A);
		ck_assert(has_address(&q));
		ck_assert_uint_eq(asked_of(world, "2a00::3"), 0);
		end(&q);
		world_free(world);
	}
}
END_TEST

START_TEST(a_lost_datagram_is_sent_again_while_others_are_looked_for)
{
	static const struct rule rules[] = { ROOT,
		{ .server = "1.0.0.2",
			.name = "example.com.",
			.is_referral = true,
			.authority = "example.com. 3600 IN NS ns1.example.com.\n"
				     "example.com. 3600 IN NS ns.dead.com.\n",
			.additional = "ns1.example.com. 3600 IN A 1.0.0.3\n" },
		{ .server = "1.0.0.2",
			.name = "dead.com.",
			.is_referral = true,
			.authority = "dead.com. 3600 IN NS ns.dead.com.\n",
			.additional = "ns.dead.com. 3600 IN A 1.0.0.66\n" } };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	ck_assert(!start(world, &q, "www.example.com.", TYPE_A, false));
	(void)fake_pass(world->loop, 1000, 1000);
	ck_assert_uint_ge(asked_of(world, "1.0.0.3"), 2);
	ck_assert_uint_ge(asked_of(world, "1.0.0.66"), 1);
	resolve_cancel(&q.resolution);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(without_a_socket_there_is_a_reason)
{
	static const struct upstream_opts none = { .questions = 0 };
	struct world *world = world_new(NULL, 0);
	struct question_of q;
	upstream_free(&world->upstream);
	resolver_free(&world->resolver);
	world->upstream = upstream_new(world->loop, &none);
	world->resolver =
		resolver_new(world->loop, world->upstream, world->cache, world->facts);
	resolver_set_opts(world->resolver, &world->opts);
	ck_assert(start(world, &q, "www.example.com.", TYPE_A, false));
	ck_assert_int_eq(q.outcome.ede, EDE_NETWORK);
	ck_assert_uint_eq(resolver_open(world->resolver), 0);
	end(&q);
	world_free(world);
}
END_TEST

/* Failures charged to the server of example.com. after sixteen questions in vain and an answer
 * to another; some other worker hears somebody meanwhile, or none does. */
static unsigned failures_after_silence(bool is_other_heard)
{
	static const struct rule rules[] = { ROOT, TWO_SERVERS, LEAF(QUIRK_NONE),
		{ .server = "1.0.0.1", .name = "net.", .rcode = RCODE_NXDOMAIN } };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	struct fact fact;
	(void)resolve(world, &q, "www.example.com.", TYPE_A);
	struct endpoint leaf = q.outcome.from.server;
	end(&q);
	world->n = 0; /* nobody answers */
	for (unsigned i = 0; i < 8; i++) {
		char name[64];
		(void)snprintf(
			name, sizeof name, "www.n%u.%s", i, i % 2 ? "example.com." : "net.");
		(void)resolve(world, &q, name, TYPE_A);
		ck_assert_uint_eq(q.outcome.rcode, RCODE_SERVFAIL);
		end(&q);
		if (is_other_heard)
			facts_note_heard(world->facts, clock_mono_ms());
	}
	facts_get(world->facts, &leaf, NULL, clock_mono_ms(), &fact);
	ck_assert_uint_gt(fact.failures, 0);
	world->n = array_len(rules);
	(void)resolve(world, &q, "www.net.", TYPE_A);
	end(&q);
	facts_get(world->facts, &leaf, NULL, clock_mono_ms(), &fact);
	world_free(world);
	return fact.failures;
}

START_TEST(an_outage_of_the_uplink_is_not_the_servers_fault)
{
	ck_assert_uint_eq(failures_after_silence(false), 0);
}
END_TEST

START_TEST(it_is_no_outage_while_another_worker_is_answered)
{
	ck_assert_uint_gt(failures_after_silence(true), 0);
}
END_TEST

START_TEST(nothing_below_a_delegation_outlives_it)
{
	static const struct rule before[] = { ROOT,
		{ .server = "1.0.0.2",
			.name = "example.com.",
			.is_referral = true,
			.authority = "example.com. 100 IN NS ns1.example.com.\n",
			.additional = "ns1.example.com. 100 IN A 1.0.0.3\n" },
		{ .server = "1.0.0.3",
			.name = "sub.example.com.",
			.is_referral = true,
			.authority = "sub.example.com. 86400 IN NS ns.sub.example.com.\n",
			.additional = "ns.sub.example.com. 86400 IN A 1.0.0.4\n" },
		{ .server = "1.0.0.3",
			.name = "ns1.example.com.",
			.answer = "ns1.example.com. 86400 IN A 1.0.0.3\n" },
		{ .server = "1.0.0.3",
			.name = "example.com.",
			.answer = "example.com. 86400 IN NS ns1.example.com.\n" },
		{ .server = "1.0.0.4",
			.name = "a.sub.example.com.",
			.answer = "a.sub.example.com. 60 IN A 5.6.7.8\n" } };
	static const struct rule after[] = { ROOT,
		{ .server = "1.0.0.2",
			.name = "com.",
			.rcode = RCODE_NXDOMAIN,
			.authority = "com. 60 IN SOA a. b. 1 2 3 4 60\n" } };
	struct world *world = world_new(before, array_len(before));
	struct question_of q;
	(void)resolve(world, &q, "ns1.example.com.", TYPE_A);
	end(&q);
	(void)fake_pass(world->loop, 40 * 1000, 1000);
	(void)resolve(world, &q, "example.com.", TYPE_NS);
	ck_assert_uint_eq(q.outcome.n, 1);
	end(&q);
	(void)resolve(world, &q, "a.sub.example.com.", TYPE_A);
	ck_assert(has_address(&q));
	end(&q);
	world->rules = after;
	world->n = array_len(after);
	(void)fake_pass(world->loop, 61 * 1000, 1000);
	ck_assert(!is_kept(world, "example.com.", TYPE_NS));
	ck_assert(!is_kept(world, "ns1.example.com.", TYPE_A));
	ck_assert(!is_kept(world, "sub.example.com.", TYPE_NS));
	ck_assert(!is_kept(world, "ns.sub.example.com.", TYPE_A));
	(void)resolve(world, &q, "b.sub.example.com.", TYPE_A);
	ck_assert_uint_eq(q.outcome.rcode, RCODE_NXDOMAIN);
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(glue_from_elsewhere_is_a_last_resort_and_is_not_kept)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER,
		{ .server = "1.0.0.3",
			.name = "sub.example.com.",
			.is_referral = true,
			.authority = "sub.example.com. 600 IN NS ns.victim.com.\n",
			.additional = "ns.victim.com. 600 IN A 1.0.0.6\n" },
		{ .server = "1.0.0.2",
			.name = "victim.com.",
			.rcode = RCODE_NXDOMAIN,
			.authority = "com. 60 IN SOA a. b. 1 2 3 4 60\n" },
		{ .server = "1.0.0.6",
			.name = "a.sub.example.com.",
			.answer = "a.sub.example.com. 60 IN A 5.6.7.8\n" } };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of q;
	(void)resolve(world, &q, "a.sub.example.com.", TYPE_A);
	ck_assert(has_address(&q));
	ck_assert(!is_kept(world, "ns.victim.com.", TYPE_A));
	ck_assert_uint_ge(asked_of(world, "1.0.0.2"), 2); /* it was looked for first */
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(a_chain_through_two_zones_is_bounded)
{
	static char answers[2][4096];
	static struct rule rules[64] = { ROOT,
		{ .server = "1.0.0.2",
			.name = "one.com.",
			.is_referral = true,
			.authority = "one.com. 600 IN NS ns.one.com.\n",
			.additional = "ns.one.com. 600 IN A 1.0.0.3\n" },
		{ .server = "1.0.0.2",
			.name = "two.com.",
			.is_referral = true,
			.authority = "two.com. 600 IN NS ns.two.com.\n",
			.additional = "ns.two.com. 600 IN A 1.0.0.4\n" } };
	size_t n = 4;
	for (unsigned i = 0; i < 17; i++, n++) {
		char *at = answers[i % 2] + i / 2 * 256;
		(void)snprintf(at, 128,
			"a.b.c.d.e.f.g%u.%s.com. 60 IN CNAME a.b.c.d.e.f.g%u.%s.com.\n", i,
			i % 2 ? "two" : "one", i + 1, i % 2 ? "one" : "two");
		(void)snprintf(
			at + 128, 128, "a.b.c.d.e.f.g%u.%s.com.", i, i % 2 ? "two" : "one");
		rules[n] = (struct rule){
			.server = i % 2 ? "1.0.0.4" : "1.0.0.3", .name = at + 128, .answer = at
		};
	}
	rules[n++] = (struct rule){ .server = "1.0.0.3",
		.name = "one.com.",
		.authority = "one.com. 60 IN SOA a. b. 1 2 3 4 60\n" };
	rules[n++] = (struct rule){ .server = "1.0.0.4",
		.name = "two.com.",
		.authority = "two.com. 60 IN SOA a. b. 1 2 3 4 60\n" };
	struct world *world = world_new(rules, n);
	struct question_of q;
	(void)resolve(world, &q, "a.b.c.d.e.f.g0.one.com.", TYPE_A);
	ck_assert_uint_eq(q.outcome.rcode, RCODE_SERVFAIL);
	ck_assert_uint_le(world->sent_n, BUDGET_QUERIES + 1); /* one for the root itself */
	end(&q);
	world_free(world);
}
END_TEST

START_TEST(a_name_that_is_known_to_be_there_is_not_asked_for_again)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER,
		{ .server = "1.0.0.3", .name = "a.www.example.com.", .authority = SOA },
		{ .server = "1.0.0.3", .name = "b.ent.example.com.", .authority = SOA },
		{ .server = "1.0.0.3", .name = "ent.example.com.", .authority = SOA },
		LEAF(QUIRK_NONE) };
	static const char *const names[][2] = { { "a.a.www.example.com.",
							"b.a.www.example.com." },
		{ "a.b.ent.example.com.", "b.b.ent.example.com." } };
	for (size_t i = 0; i < array_len(names); i++) {
		struct world *world = world_new(rules, array_len(rules));
		struct question_of q;
		(void)resolve(world, &q, names[i][0], TYPE_A);
		ck_assert_uint_eq(q.outcome.rcode, RCODE_NOERROR);
		ck_assert_uint_eq(asked_of(world, "1.0.0.3"), 3);
		end(&q);
		world->sent_n = 0;
		(void)resolve(world, &q, names[i][1], TYPE_A);
		ck_assert_uint_eq(q.outcome.rcode, RCODE_NOERROR);
		ck_assert_uint_eq(world->sent_n, 1);
		end(&q);
		world_free(world);
	}
}
END_TEST

START_TEST(a_thousand_who_ask_at_once_send_one_question)
{
	enum {
		QUESTIONS = 1000
	};
	static const struct rule rules[] = { ROOT, ONE_SERVER, LEAF(QUIRK_NONE) };
	static struct question_of q[QUESTIONS];
	struct world *world = world_new(rules, array_len(rules));
	for (unsigned i = 0; i < QUESTIONS; i++)
		ck_assert(!start(world, &q[i], "www.example.com.", TYPE_A, false));
	ck_assert(fake_pass(world->loop, 100, 20000));
	for (unsigned i = 0; i < QUESTIONS; i++) {
		ck_assert_uint_eq(q[i].done, 1);
		ck_assert(has_address(&q[i]));
		end(&q[i]);
	}
	ck_assert_uint_eq(world->sent_n, 4); /* one of them for the root itself */
	world_free(world);
}
END_TEST

START_TEST(who_waits_for_another_goes_on_when_that_one_is_cancelled)
{
	static const struct rule rules[] = { ROOT, ONE_SERVER, LEAF(QUIRK_NONE) };
	for (unsigned ms = 0; ms < 20; ms += 4) {
		struct world *world = world_new(rules, array_len(rules));
		struct question_of a, b;
		ck_assert(!start(world, &a, "www.example.com.", TYPE_A, false));
		ck_assert(!start(world, &b, "www.example.com.", TYPE_A, false));
		(void)fake_pass(world->loop, ms, 1000);
		resolve_cancel(&a.resolution);
		end(&a);
		(void)fake_pass(world->loop, 100, 1000);
		ck_assert_uint_eq(b.done, 1);
		ck_assert(has_address(&b));
		end(&b);
		world_free(world);
	}
}
END_TEST

START_TEST(zones_that_wait_for_each_other_do_not_wait_for_ever)
{
	static const struct rule rules[] = { ROOT,
		{ .server = "1.0.0.2",
			.name = "one.com.",
			.is_referral = true,
			.authority = "one.com. 3600 IN NS ns.two.com.\n" },
		{ .server = "1.0.0.2",
			.name = "two.com.",
			.is_referral = true,
			.authority = "two.com. 3600 IN NS ns.one.com.\n" } };
	struct world *world = world_new(rules, array_len(rules));
	struct question_of a, b;
	ck_assert(!start(world, &a, "www.one.com.", TYPE_A, false));
	ck_assert(!start(world, &b, "www.two.com.", TYPE_A, false));
	(void)fake_pass(world->loop, 500, 1000);
	ck_assert(a.done && b.done);
	ck_assert_uint_eq(a.outcome.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(b.outcome.rcode, RCODE_SERVFAIL);
	ck_assert_uint_le(world->sent_n, 20);
	end(&a);
	end(&b);
	world_free(world);
}
END_TEST

START_TEST(replies_changed_by_chance_come_to_an_end)
{
	struct rule rules[] = { ROOT, TWO_SERVERS, LEAF(QUIRK_CHANCE),
		{ .server = "1.0.0.4",
			.name = "example.com.",
			.quirk = QUIRK_CHANCE,
			.answer = "www.example.com. 60 IN CNAME a.example.com.\n"
				  "a.example.com. 60 IN DNAME b.example.com.\n"
				  "b.example.com. 60 IN TXT \"text\"\n",
			.authority = SOA,
			.additional = "ns1.example.com. 60 IN A 1.0.0.3\n" } };
	for (size_t i = 1; i < 3; i++)
		rules[i].quirk = QUIRK_CHANCE;
	for (unsigned i = 0; i < 500; i++) {
		static const uint16_t types[] = { TYPE_A, TYPE_NS, TYPE_ANY, TYPE_DS,
			TYPE_TXT };
		static const char *const names[] = { "www.example.com.", "a.www.example.com.",
			"a.b.example.com.", "www.example.com." };
		struct question_of q[array_len(names)];
		struct world *world = world_new(rules, array_len(rules));
		fake_rand_seed(i);
		world->opts.query_loopback = i % 2;
		for (size_t k = 0; k < array_len(names); k++) {
			(void)start(world, &q[k], names[k], types[(i + k / 2) % 5], i % 7 == k);
			(void)fake_pass(world->loop, i % 3 * 5, 1000);
		}
		resolve_cancel(&q[i % 4].resolution);
		ck_assert(fake_pass(world->loop, BUDGET_MS, 20000));
		ck_assert_uint_eq(resolver_open(world->resolver), 0);
		ck_assert_uint_le(world->sent_n, 4 * BUDGET_QUERIES + 10);
		for (size_t k = 0; k < array_len(names); k++)
			end(&q[k]);
		world_free(world);
	}
}
END_TEST

UNIT_MAIN("resolve/resolver", a_referral_costs_one_question, what_is_known_is_told_at_once,
	a_live_question_begins_at_the_root, without_options_there_is_a_refusal,
	nobody_is_sent_to_addresses_of_ours_or_of_nobody,
	a_server_that_changes_the_spelling_is_asked_over_tcp,
	a_server_that_changes_the_spelling_and_has_no_tcp_is_asked_plainly,
	a_server_without_edns_is_remembered, a_cookie_that_is_wanted_is_sent,
	a_reply_with_another_cookie_is_not_believed,
	what_is_no_message_is_asked_for_again_over_tcp,
	a_server_that_is_out_of_reach_costs_no_time, a_cancelled_question_leaves_nothing_behind,
	silence_ends_in_time_and_says_whose, what_does_not_belong_into_a_reply_is_not_kept,
	a_hundred_names_of_servers_cost_ten_questions, a_chain_without_end_ends,
	a_zone_whose_servers_are_silent_gets_a_bounded_number_of_questions,
	the_root_is_asked_once_for_its_servers, the_root_says_once_that_a_name_is_not_there,
	an_operators_servers_are_asked_wherever_they_are,
	a_stub_that_comes_first_is_not_the_only_one, a_family_that_is_off_is_not_asked,
	a_lost_datagram_is_sent_again_while_others_are_looked_for,
	without_a_socket_there_is_a_reason, an_outage_of_the_uplink_is_not_the_servers_fault,
	it_is_no_outage_while_another_worker_is_answered,
	nothing_below_a_delegation_outlives_it,
	glue_from_elsewhere_is_a_last_resort_and_is_not_kept,
	a_chain_through_two_zones_is_bounded,
	a_name_that_is_known_to_be_there_is_not_asked_for_again,
	a_thousand_who_ask_at_once_send_one_question,
	who_waits_for_another_goes_on_when_that_one_is_cancelled,
	zones_that_wait_for_each_other_do_not_wait_for_ever,
	replies_changed_by_chance_come_to_an_end)
