/* SPDX-License-Identifier: BSD-2-Clause */
/* A chain of links that do what a test tells them, in the fake world. */
#include "base/clock.h"
#include "chain/ask.h"
#include "unit/chain_of.h"
#include "unit/unit.h"
#include "wire/rrtype.h"

enum does {
	PASSES,
	ANSWERS, /* an address of its own */
	WAITS,   /* and answers when it is woken */
	FAILS,
	ALIASES, /* to the name in target */
	REFUSES, /* waits, and fails when it is woken */
};

enum {
	PARTS = 4,
	ASKS = 16,
};

struct part { /* a link of the test's */
	enum does does;
	const char *target;
	bool is_uncachable;
	unsigned asked, cancelled;
	struct link_ask *ask[ASKS]; /* that wait, oldest first */
	unsigned n;
};

static const struct link_calls *calls;

static void *part_open(void *data, const struct link_calls *given, void *inside)
{
	(void)inside;
	calls = given;
	return data;
}

static uint8_t number_of(const struct part *part);

static enum link_verdict tell_address(const struct part *part, struct link_ask *ask)
{
	const uint8_t address[] = { 192, 0, 2, number_of(part) };
	ck_assert(calls->add(ask, LINK_SECTION_ANSWER, calls->question(ask)->name, TYPE_A, 300,
		address, sizeof address));
	if (part->is_uncachable)
		calls->set_uncachable(ask);
	return LINK_ANSWER;
}

static enum link_verdict tell_alias(const struct part *part, struct link_ask *ask)
{
	struct name target = name_of(part->target);
	ck_assert(calls->add(ask, LINK_SECTION_ANSWER, calls->question(ask)->name, TYPE_CNAME,
		300, target.bytes, target.len));
	ask->outcome.restart = pad_copy(&ask->pad, target.bytes, target.len);
	ck_assert_ptr_nonnull(ask->outcome.restart);
	return LINK_ANSWER;
}

static enum link_verdict part_ask(void *instance, struct link_ask *ask, void **state)
{
	struct part *part = instance;
	*state = part;
	part->asked++;
	switch (part->does) {
	case PASSES:
		return LINK_PASS;
	case ANSWERS:
		return tell_address(part, ask);
	case FAILS:
		return (calls->fail)(ask, EDE_NOT_READY, "part %u fails", number_of(part));
	case ALIASES: {
		struct name target = name_of(part->target);
		return name_is_equal(calls->question(ask)->name, target.bytes)
			       ? LINK_PASS
			       : tell_alias(part, ask);
	}
	case WAITS:
	case REFUSES:
		break;
	}
	ck_assert_uint_lt(part->n, ASKS);
	part->ask[part->n++] = ask;
	return LINK_WAIT;
}

static void forget(struct part *part, const struct link_ask *ask)
{
	unsigned i = 0;
	while (i < part->n && part->ask[i] != ask)
		i++;
	ck_assert_uint_lt(i, part->n);
	memmove(part->ask + i, part->ask + i + 1, (--part->n - i) * sizeof part->ask[0]);
}

static enum link_verdict part_event(
	void *instance, struct link_ask *ask, void *state, const struct link_event *event)
{
	struct part *part = instance;
	ck_assert_ptr_eq(state, part);
	ck_assert_int_eq(event->kind, LINK_EVENT_WAKE);
	forget(part, ask);
	return part->does == REFUSES
		       ? (calls->fail)(ask, EDE_NOT_READY, "part %u fails", number_of(part))
		       : tell_address(part, ask);
}

static void part_cancel(void *instance, struct link_ask *ask, void *state)
{
	struct part *part = instance;
	ck_assert_ptr_eq(state, part);
	forget(part, ask);
	part->cancelled++;
}

#define PART_KIND                                                                              \
	.abi = ROOTWARD_LINK_ABI, .open = part_open, .ask = part_ask, .event = part_event,     \
	.cancel = part_cancel
static const struct link kind_far = { .kind = "far", PART_KIND };
static const struct link kind_local = { .kind = "local", .is_local = true, PART_KIND };

/* ---- the chain ------------------------------------------------------------------------- */

static struct world {
	struct ground ground;
	struct part part[PARTS];
	struct chain_plan plan;
	unsigned released;
} w;

static uint8_t number_of(const struct part *part)
{
	return (uint8_t)(part - w.part + 1);
}

/* A plan of n far links, the parts in their order; not in force yet. */
static struct chain_plan plan_of(size_t n)
{
	struct chain_plan plan = { .opts = chain_opts_of(100), .generation = 1, .n = n };
	for (size_t i = 0; i < n; i++)
		plan.link[i] = (struct chain_link){ .name = { (char)('a' + i) },
			.kind = &kind_far,
			.data = &w.part[i],
			.generation = (uint32_t)(1 + i),
			.ttl_max = 86400 };
	return plan;
}

/* n links that do these things. */
static void start(size_t n, const enum does *does)
{
	memset(&w, 0, sizeof w);
	fake_reset(1800000000);
	w.ground = ground_new();
	for (size_t i = 0; i < n; i++)
		w.part[i].does = does[i];
	w.plan = plan_of(n);
}
#define START(...)                                                                             \
	start(sizeof((enum does[]){ __VA_ARGS__ }) / sizeof(enum does),                        \
		(enum does[]){ __VA_ARGS__ })

static void set_plan(void)
{
	chain_set_plan(w.ground.chain, &w.plan, &w.plan);
}

static void stop(void)
{
	ground_free(&w.ground);
	for (size_t i = 0; i < PARTS; i++)
		ck_assert_uint_eq(w.part[i].n, 0);
}

static void wake(struct part *part)
{
	const struct link_event event = { .kind = LINK_EVENT_WAKE };
	ck_assert_uint_gt(part->n, 0);
	ask_event(part->ask[0], &event);
}

static void pass(uint64_t ms)
{
	ck_assert(fake_pass(w.ground.loop, ms, 100000));
}

/* ---- questions ------------------------------------------------------------------------- */

struct asked {
	struct chain_wait wait;
	struct name name;
	unsigned done;
	bool is_kept;
	struct told told;
	struct trace_copy trace;
	struct asked *then; /* asked when this one is told */
};

static struct chain_question question_of(const struct asked *a)
{
	return (struct chain_question){ .name = a->name.bytes,
		.hash = key_hash(a->name.bytes),
		.type = TYPE_A,
		.class = CLASS_IN };
}

static enum chain_verdict ask(struct asked *a);

static void note(struct asked *a, const struct chain_told *told)
{
	a->done++;
	a->is_kept = told->is_kept;
	told_read(&a->told, told, a->name.bytes, TYPE_A, CLASS_IN);
	if (a->then)
		(void)ask(a->then);
}

static void on_told(struct chain_wait *wait, const struct chain_told *told)
{
	note(container_of(wait, struct asked, wait), told);
}

static struct asked asked_of(const char *name)
{
	return (struct asked){ .name = name_of(name) };
}

static enum chain_verdict ask_as(struct asked *a, const struct chain_question *q)
{
	struct chain_told told;
	a->wait.done = on_told;
	a->wait.trace = &a->trace;
	enum chain_verdict verdict = chain_recall(w.ground.chain, q, &told);
	if (q->is_live || verdict != CHAIN_TOLD)
		verdict = chain_ask(w.ground.chain, q, &a->wait, &told);
	if (verdict == CHAIN_TOLD)
		note(a, &told);
	return verdict;
}

static enum chain_verdict ask(struct asked *a)
{
	const struct chain_question q = question_of(a);
	return ask_as(a, &q);
}

/* The part that told the address; 0: it was none. */
static unsigned told_by(const struct asked *a)
{
	uint16_t len;
	if (a->told.m.rcode != RCODE_NOERROR || !a->told.m.n)
		return 0;
	const struct rrset *set = &a->told.m.sets[a->told.m.n - 1];
	return set->type == TYPE_A ? rrset_next(set, NULL, &len)[3] : 0;
}

static bool has_failed(const struct asked *a, const char *why)
{
	return a->done == 1 && a->told.m.rcode == RCODE_SERVFAIL &&
	       strcmp(a->told.text, why) == 0;
}

/* Of a question that is told at once: by whom. */
static unsigned teller_of(const char *name)
{
	struct asked a = asked_of(name);
	ck_assert_int_eq(ask(&a), CHAIN_TOLD);
	ck_assert_uint_eq(a.done, 1);
	unsigned who = told_by(&a);
	told_end(&a.told);
	return who;
}

/* ---- one link after the other ---------------------------------------------------------- */

START_TEST(the_first_link_that_does_not_pass_answers)
{
	START(PASSES, ANSWERS, ANSWERS);
	set_plan();
	ck_assert_uint_eq(teller_of("a.test."), 2);
	ck_assert_uint_eq(w.part[0].asked, 1);
	ck_assert_uint_eq(w.part[2].asked, 0);
	stop();
}
END_TEST

START_TEST(a_link_that_is_off_is_not_asked)
{
	START(ANSWERS, ANSWERS);
	w.plan.link[0].off = "for the test";
	set_plan();
	ck_assert_uint_eq(teller_of("a.test."), 2);
	ck_assert_uint_eq(w.part[0].asked, 0);
	stop();
}
END_TEST

START_TEST(after_a_failure_the_next_link_is_asked_unless_it_stops)
{
	struct asked a = asked_of("a.test.");
	START(FAILS, ANSWERS);
	set_plan();
	ck_assert_uint_eq(teller_of("b.test."), 2);
	stop();
	START(FAILS, ANSWERS);
	w.plan.link[0].stops = true;
	set_plan();
	ck_assert_int_eq(ask(&a), CHAIN_TOLD);
	ck_assert_msg(has_failed(&a, "part 1 fails"), "%s", a.told.text);
	ck_assert_int_eq(a.told.ede, EDE_NOT_READY);
	ck_assert_uint_eq(w.part[1].asked, 0);
	told_end(&a.told);
	stop();
}
END_TEST

START_TEST(the_last_failure_is_told_when_nobody_answers)
{
	struct asked a = asked_of("a.test."), b = asked_of("b.test.");
	START(FAILS, FAILS, PASSES);
	set_plan();
	ck_assert_int_eq(ask(&a), CHAIN_TOLD);
	ck_assert_msg(has_failed(&a, "part 2 fails"), "%s", a.told.text);
	w.part[0].does = w.part[1].does = PASSES;
	ck_assert_int_eq(ask(&b), CHAIN_TOLD);
	ck_assert_msg(has_failed(&b, "no link of the chain answers for this name"), "%s",
		b.told.text);
	told_end(&a.told);
	told_end(&b.told);
	stop();
}
END_TEST

START_TEST(the_closest_zone_says_which_links_a_name_is_a_matter_of)
{
	static const uint8_t *const inner[] = { (const uint8_t *)"\3lan\4test" };
	static const uint8_t *const outer[] = { (const uint8_t *)"\4test" };
	START(ANSWERS, ANSWERS, ANSWERS);
	w.plan.link[0].zones = outer;
	w.plan.link[0].zones_n = 1;
	w.plan.link[1].zones = inner;
	w.plan.link[1].zones_n = 1;
	set_plan();
	ck_assert_uint_eq(teller_of("box.lan.test."), 2);
	ck_assert_uint_eq(teller_of("lan.test."), 2);
	ck_assert_uint_eq(teller_of("xlan.test."), 1);
	ck_assert_uint_eq(teller_of("test."), 1);
	ck_assert_uint_eq(teller_of("a.example."), 3);
	ck_assert_uint_eq(teller_of("."), 3);
	stop();
}
END_TEST

/* ---- aliases --------------------------------------------------------------------------- */

static bool is_step(const struct asked *a, enum trace_kind kind, const char *name)
{
	struct name wire = name_of(name);
	for (uint32_t i = 0; i < a->trace.n; i++)
		if (a->trace.step[i].kind == kind && a->trace.step[i].name &&
			name_is_equal(a->trace.step[i].name, wire.bytes))
			return true;
	return false;
}

START_TEST(an_alias_leads_through_the_whole_chain_and_its_way_outlives_it)
{
	struct asked a = asked_of("a.test."), again = asked_of("b.test.");
	START(ALIASES, ANSWERS);
	w.part[0].target = "far.example.";
	set_plan();
	ck_assert_int_eq(ask(&a), CHAIN_TOLD);
	ck_assert_int_eq(ask(&again), CHAIN_TOLD); /* the first one's memory is used again */
	ck_assert_uint_eq(told_by(&a), 2);
	ck_assert_uint_eq(a.told.m.n, 2);
	ck_assert_uint_eq(w.part[0].asked, 4);
	ck_assert(is_step(&a, TRACE_RESTART, "far.example."));
	told_end(&a.told);
	told_end(&again.told);
	stop();
}
END_TEST

START_TEST(the_way_of_a_question_that_waited_is_told_too)
{
	struct asked a = asked_of("a.test.");
	START(ALIASES, WAITS);
	w.part[0].target = "far.example.";
	set_plan();
	ck_assert_int_eq(ask(&a), CHAIN_WAIT);
	wake(&w.part[1]);
	ck_assert(a.done == 1 && told_by(&a) == 2 && !a.is_kept);
	ck_assert(is_step(&a, TRACE_RESTART, "far.example."));
	told_end(&a.told);
	stop();
}
END_TEST

START_TEST(aliases_without_end_are_a_failure)
{
	struct asked a = asked_of("a.test.");
	char text[] = "a.example.";
	START(ALIASES);
	w.part[0].target = text;
	set_plan();
	/* the two names lead to each other */
	w.part[1].does = ALIASES;
	w.part[1].target = "b.example.";
	w.plan.n = 2;
	w.plan.link[1] = w.plan.link[0];
	w.plan.link[1].data = &w.part[1];
	chain_set_plan(w.ground.chain, NULL, NULL);
	set_plan();
	ck_assert_int_eq(ask(&a), CHAIN_TOLD);
	ck_assert_msg(has_failed(&a, "aliases lead too far"), "%s", a.told.text);
	ck_assert_uint_le(w.part[0].asked + w.part[1].asked, 2 * (BUDGET_ALIASES + 1));
	told_end(&a.told);
	stop();
}
END_TEST

/* ---- waiting --------------------------------------------------------------------------- */

START_TEST(the_same_question_is_asked_once_and_everybody_is_told)
{
	struct asked a = asked_of("a.test."), b = a, gone = a, other = asked_of("b.test.");
	START(WAITS);
	set_plan();
	ck_assert_int_eq(ask(&a), CHAIN_WAIT);
	ck_assert_int_eq(ask(&gone), CHAIN_WAIT);
	ck_assert_int_eq(ask(&b), CHAIN_WAIT);
	ck_assert(!a.wait.has_joined && b.wait.has_joined);
	ck_assert_int_eq(ask(&other), CHAIN_WAIT);
	ck_assert_uint_eq(w.part[0].asked, 2);
	chain_cancel(&gone.wait);
	a.then = &gone; /* whoever is told may ask at once, and finds what is kept */
	wake(&w.part[0]);
	ck_assert(a.done == 1 && b.done == 1 && gone.done == 1 && other.done == 0);
	ck_assert(told_by(&a) == 1 && told_by(&b) == 1 && told_by(&gone) == 1);
	ck_assert(gone.is_kept && !b.is_kept);
	ck_assert_uint_eq(w.part[0].asked, 2);
	wake(&w.part[0]);
	ck_assert_uint_eq(other.done, 1);
	told_end(&a.told);
	told_end(&b.told);
	told_end(&gone.told);
	told_end(&other.told);
	stop();
}
END_TEST

START_TEST(questions_that_differ_are_not_joined)
{
	struct asked a[4];
	START(WAITS);
	set_plan();
	for (unsigned i = 0; i < 4; i++) {
		a[i] = asked_of("a.test.");
		struct chain_question q = question_of(&a[i]);
		q.is_dnssec = i == 1;
		q.is_checking_disabled = i == 2;
		q.partition = i == 3;
		ck_assert_int_eq(ask_as(&a[i], &q), CHAIN_WAIT);
		ck_assert(!a[i].wait.has_joined);
	}
	ck_assert_uint_eq(w.part[0].asked, 4);
	while (w.part[0].n)
		wake(&w.part[0]);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_uint_eq(a[i].done, 1);
		told_end(&a[i].told);
	}
	stop();
}
END_TEST

START_TEST(a_link_with_a_budget_is_left_for_the_next_one)
{
	struct asked a = asked_of("a.test."), b = asked_of("b.test.");
	START(WAITS, ANSWERS);
	w.plan.link[0].budget_ms = 300;
	set_plan();
	ck_assert_int_eq(ask(&a), CHAIN_WAIT);
	pass(100);
	ck_assert_int_eq(ask(&b), CHAIN_WAIT);
	pass(190);
	ck_assert(a.done == 0 && w.part[1].asked == 0);
	pass(20);
	ck_assert(a.done == 1 && told_by(&a) == 2 && b.done == 0);
	ck_assert_uint_eq(w.part[0].cancelled, 1);
	pass(100);
	ck_assert(b.done == 1 && told_by(&b) == 2);
	told_end(&a.told);
	told_end(&b.told);
	stop();
}
END_TEST

START_TEST(the_time_a_link_had_is_named_when_nobody_answers)
{
	struct asked a = asked_of("a.test.");
	START(WAITS);
	w.plan.link[0].budget_ms = 250;
	set_plan();
	ck_assert_int_eq(ask(&a), CHAIN_WAIT);
	pass(260);
	ck_assert_msg(has_failed(&a, "link a gave no answer within 250 ms"), "%s", a.told.text);
	told_end(&a.told);
	stop();
}
END_TEST

START_TEST(no_question_outlives_its_budget)
{
	struct asked a = asked_of("a.test."), b = a;
	START(WAITS, ANSWERS);
	set_plan();
	ck_assert_int_eq(ask(&a), CHAIN_WAIT);
	pass(BUDGET_MS - 100);
	ck_assert_int_eq(ask(&b), CHAIN_WAIT); /* joining does not make it longer */
	ck_assert_uint_eq(a.done, 0);
	pass(110);
	ck_assert_msg(has_failed(&a, "no answer in time"), "%s", a.told.text);
	ck_assert(has_failed(&b, "no answer in time"));
	ck_assert_uint_eq(w.part[0].cancelled, 1);
	ck_assert_uint_eq(w.part[1].asked, 0);
	told_end(&a.told);
	told_end(&b.told);
	stop();
}
END_TEST

START_TEST(a_wait_behind_a_failure_still_fails_in_the_end)
{
	struct asked a = asked_of("a.test.");
	START(REFUSES, WAITS);
	w.plan.link[1].budget_ms = 50;
	set_plan();
	ck_assert_int_eq(ask(&a), CHAIN_WAIT);
	wake(&w.part[0]);
	ck_assert(a.done == 0 && w.part[1].n == 1);
	pass(60);
	ck_assert_msg(has_failed(&a, "link b gave no answer within 50 ms"), "%s", a.told.text);
	told_end(&a.told);
	stop();
}
END_TEST

START_TEST(who_goes_while_questions_wait_tells_nothing)
{
	struct asked a = asked_of("a.test."), b = a;
	START(WAITS);
	set_plan();
	ck_assert_int_eq(ask(&a), CHAIN_WAIT);
	ck_assert_int_eq(ask(&b), CHAIN_WAIT);
	stop();
	ck_assert_uint_eq(w.part[0].cancelled, 1);
	ck_assert_uint_eq(a.done + b.done, 0);
}
END_TEST

/* Half of the places are for those who came first; of the others the oldest makes room when it
 * has had its 200 ms (B13). */
START_TEST(when_all_places_are_taken_the_oldest_of_the_second_half_makes_room)
{
	struct asked a[6] = { asked_of("a.test."), asked_of("b.test."), asked_of("c.test."),
		asked_of("d.test."), asked_of("e.test."), asked_of("f.test.") };
	START(WAITS);
	w.plan.opts.asks = 4;
	set_plan();
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(ask(&a[i]), CHAIN_WAIT);
	ck_assert_int_eq(ask(&a[4]), CHAIN_FULL);
	ck_assert_uint_eq(atomic_load(&chain_counts(w.ground.chain)->refused), 1);
	pass(210);
	ck_assert_int_eq(ask(&a[4]), CHAIN_WAIT);
	ck_assert_msg(has_failed(&a[2], "too many questions are being looked for"), "%s",
		a[2].told.text);
	ck_assert_int_eq(ask(&a[5]), CHAIN_WAIT); /* d is as old as c was */
	ck_assert_uint_eq(a[3].done, 1);
	ck_assert_uint_eq(atomic_load(&chain_counts(w.ground.chain)->asks), 4);
	while (w.part[0].n)
		wake(&w.part[0]);
	ck_assert(told_by(&a[0]) == 1 && told_by(&a[1]) == 1);
	ck_assert(told_by(&a[4]) == 1 && told_by(&a[5]) == 1);
	ck_assert_uint_eq(atomic_load(&chain_counts(w.ground.chain)->asks), 0);
	for (unsigned i = 0; i < 6; i++)
		told_end(&a[i].told);
	stop();
}
END_TEST

/* ---- keeping --------------------------------------------------------------------------- */

START_TEST(what_a_link_told_is_kept_until_its_ttl_is_over)
{
	struct asked a = asked_of("a.test.");
	START(PASSES, ANSWERS);
	set_plan();
	ck_assert_uint_eq(teller_of("a.test."), 2);
	pass(290 * 1000);
	ck_assert_int_eq(ask(&a), CHAIN_TOLD);
	ck_assert(a.is_kept && a.told.m.sets[0].ttl == 10);
	pass(11 * 1000);
	ck_assert_uint_eq(teller_of("a.test."), 2);
	ck_assert_uint_eq(w.part[1].asked, 2);
	told_end(&a.told);
	stop();
}
END_TEST

START_TEST(what_is_not_to_be_kept_is_asked_again)
{
	START(ANSWERS);
	w.part[0].is_uncachable = true;
	set_plan();
	ck_assert_uint_eq(teller_of("a.test."), 1);
	ck_assert_uint_eq(teller_of("a.test."), 1);
	ck_assert_uint_eq(w.part[0].asked, 2);
	stop();
}
END_TEST

START_TEST(a_failure_is_kept_for_a_second_and_twice_as_long_the_next_time)
{
	START(FAILS);
	set_plan();
	ck_assert_uint_eq(teller_of("a.test."), 0);
	pass(900);
	ck_assert_uint_eq(teller_of("a.test."), 0);
	ck_assert_uint_eq(w.part[0].asked, 1);
	pass(200);
	ck_assert_uint_eq(teller_of("a.test."), 0);
	ck_assert_uint_eq(w.part[0].asked, 2);
	pass(1900);
	ck_assert_uint_eq(teller_of("a.test."), 0);
	ck_assert_uint_eq(w.part[0].asked, 2);
	pass(200);
	w.part[0].does = ANSWERS;
	ck_assert_uint_eq(teller_of("a.test."), 1);
	stop();
}
END_TEST

START_TEST(a_local_link_is_asked_before_what_farther_ones_told_is_taken)
{
	START(PASSES, ANSWERS);
	w.plan.link[0].kind = &kind_local;
	set_plan();
	ck_assert_uint_eq(teller_of("a.test."), 2);
	ck_assert_uint_eq(teller_of("a.test."), 2);
	ck_assert_uint_eq(w.part[0].asked, 1);

	/* its data is another: it is asked once, and then what is kept stands */
	struct chain_plan next = w.plan;
	next.generation = 2;
	next.link[0].generation = 20;
	chain_set_plan(w.ground.chain, &next, &next);
	ck_assert_uint_eq(teller_of("a.test."), 2);
	ck_assert_uint_eq(teller_of("a.test."), 2);
	ck_assert_uint_eq(w.part[0].asked, 2);
	ck_assert_uint_eq(w.part[1].asked, 1);

	struct chain_plan last = next;
	last.generation = 3;
	last.link[0].generation = 30;
	w.part[0].does = ANSWERS;
	chain_set_plan(w.ground.chain, &last, &last);
	ck_assert_uint_eq(teller_of("a.test."), 1);
	ck_assert_uint_eq(w.part[1].asked, 1);
	stop();
}
END_TEST

START_TEST(a_link_with_other_options_tells_anew)
{
	START(ANSWERS);
	set_plan();
	ck_assert_uint_eq(teller_of("a.test."), 1);
	struct chain_plan next = w.plan;
	next.link[0].generation = 20;
	next.link[0].data = &w.part[1];
	w.part[1].does = ANSWERS;
	chain_set_plan(w.ground.chain, &next, &next);
	ck_assert_uint_eq(teller_of("a.test."), 2);
	stop();
}
END_TEST

/* ---- something old --------------------------------------------------------------------- */

START_TEST(something_old_is_told_when_the_links_take_too_long_and_after_a_failure)
{
	struct asked a = asked_of("a.test."), b = a, strict = a;
	START(ANSWERS);
	w.plan.opts.stale_s = 3600;
	set_plan();
	ck_assert_uint_eq(teller_of("a.test."), 1);
	pass(400 * 1000);
	w.part[0].does = REFUSES;
	ck_assert_int_eq(ask(&a), CHAIN_WAIT);
	pass(1700);
	ck_assert_uint_eq(a.done, 0);
	pass(110);
	ck_assert(a.done == 1 && told_by(&a) == 1 && a.told.m.sets[0].ttl == 30);
	ck_assert_int_eq(ask(&b), CHAIN_TOLD); /* whoever joins now need not wait */
	ck_assert_uint_eq(told_by(&b), 1);
	wake(&w.part[0]);
	ck_assert(a.done == 1 && b.done == 1);
	ck_assert_uint_eq(teller_of("a.test."), 1); /* a failure is no news */

	struct chain_plan next = w.plan;
	next.opts.stale_s = 0;
	chain_set_plan(w.ground.chain, &next, &next);
	pass(60 * 1000);
	ck_assert_int_eq(ask(&strict), CHAIN_WAIT);
	wake(&w.part[0]);
	ck_assert_msg(has_failed(&strict, "part 1 fails"), "%s", strict.told.text);
	told_end(&a.told);
	told_end(&b.told);
	told_end(&strict.told);
	stop();
}
END_TEST

START_TEST(something_old_can_be_told_first)
{
	struct asked a = asked_of("a.test.");
	START(ANSWERS);
	w.plan.opts.stale_s = 3600;
	w.plan.opts.is_stale_first = true;
	set_plan();
	ck_assert_uint_eq(teller_of("a.test."), 1);
	pass(400 * 1000);
	w.part[0].does = WAITS;
	ck_assert_uint_eq(teller_of("a.test."), 1);
	ck_assert_uint_eq(w.part[0].n, 1);
	wake(&w.part[0]);
	ck_assert_int_eq(ask(&a), CHAIN_TOLD);
	ck_assert_uint_eq(a.told.m.sets[0].ttl, 300);
	pass(3901 * 1000);
	w.part[0].does = FAILS;
	ck_assert_uint_eq(teller_of("a.test."), 0); /* too old */
	told_end(&a.told);
	stop();
}
END_TEST

/* ---- plans ----------------------------------------------------------------------------- */

static void on_released(void *user)
{
	w.released++;
	ck_assert_ptr_eq(user, &w);
}

START_TEST(a_question_stays_on_the_plan_it_began_with)
{
	struct asked a = asked_of("a.test."), b = a;
	START(WAITS);
	chain_on_released(w.ground.chain, on_released, &w);
	set_plan();
	ck_assert_int_eq(ask(&a), CHAIN_WAIT);
	struct chain_plan next = plan_of(2);
	next.link[0].data = &w.part[1];
	next.link[0].generation = 20;
	next.n = 1;
	w.part[1].does = WAITS;
	chain_set_plan(w.ground.chain, &next, &next);
	ck_assert_ptr_eq(chain_oldest(w.ground.chain), &w.plan);
	ck_assert_int_eq(ask(&b), CHAIN_WAIT);
	ck_assert(!b.wait.has_joined && w.part[1].n == 1);
	wake(&w.part[0]);
	ck_assert(a.done == 1 && told_by(&a) == 1 && b.done == 0 && w.released == 1);
	ck_assert_ptr_eq(chain_oldest(w.ground.chain), &next);
	wake(&w.part[1]);
	ck_assert(told_by(&b) == 2 && w.released == 1);
	ck_assert_uint_eq(teller_of("a.test."), 2);
	told_end(&a.told);
	told_end(&b.told);
	stop();
}
END_TEST

START_TEST(a_plan_goes_when_the_time_of_its_last_question_at_a_link_is_over)
{
	struct asked a = asked_of("a.test."), b = asked_of("b.test.");
	START(WAITS);
	w.plan.link[0].budget_ms = 100;
	chain_on_released(w.ground.chain, on_released, &w);
	set_plan();
	ck_assert_int_eq(ask(&a), CHAIN_WAIT);
	ck_assert_int_eq(ask(&b), CHAIN_WAIT);
	struct chain_plan next = plan_of(1);
	chain_set_plan(w.ground.chain, &next, &next);
	pass(110);
	ck_assert(a.done == 1 && b.done == 1 && w.released == 1);
	ck_assert_ptr_eq(chain_oldest(w.ground.chain), &next);
	told_end(&a.told);
	told_end(&b.told);
	stop();
}
END_TEST

UNIT_MAIN("chain/chain", the_first_link_that_does_not_pass_answers,
	a_link_that_is_off_is_not_asked, after_a_failure_the_next_link_is_asked_unless_it_stops,
	the_last_failure_is_told_when_nobody_answers,
	the_closest_zone_says_which_links_a_name_is_a_matter_of,
	an_alias_leads_through_the_whole_chain_and_its_way_outlives_it,
	the_way_of_a_question_that_waited_is_told_too, aliases_without_end_are_a_failure,
	the_same_question_is_asked_once_and_everybody_is_told,
	questions_that_differ_are_not_joined, a_link_with_a_budget_is_left_for_the_next_one,
	the_time_a_link_had_is_named_when_nobody_answers, no_question_outlives_its_budget,
	a_wait_behind_a_failure_still_fails_in_the_end,
	who_goes_while_questions_wait_tells_nothing,
	when_all_places_are_taken_the_oldest_of_the_second_half_makes_room,
	what_a_link_told_is_kept_until_its_ttl_is_over, what_is_not_to_be_kept_is_asked_again,
	a_failure_is_kept_for_a_second_and_twice_as_long_the_next_time,
	a_local_link_is_asked_before_what_farther_ones_told_is_taken,
	a_link_with_other_options_tells_anew,
	something_old_is_told_when_the_links_take_too_long_and_after_a_failure,
	something_old_can_be_told_first, a_question_stays_on_the_plan_it_began_with,
	a_plan_goes_when_the_time_of_its_last_question_at_a_link_is_over)
