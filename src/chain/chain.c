/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain/chain.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "chain/inside.h"
#include "wire/edns.h"

#include <stdatomic.h>
#include <string.h>

enum {
	JOSTLE_MS = 200, /* a question this old makes room when all places are taken (B13) */
	STALE_MS = 1800, /* then an old answer is better than none (L24) */
	SLACK_MS = 3,    /* the timer rings a little late, for neighbours together */
};

/* ---- the end of a question ---- */

/* The outcome as a reply in chain->told; how long it may be kept. */
static size_t write_outcome(struct link_ask *ask, uint32_t *ttl)
{
	struct chain *chain = ask->chain;
	const struct link_question *q = &ask->question;
	const struct recall_ttl *bounds = &ask->run->plan->opts.ttl;
	size_t n = recall_make(chain->told, &ask->outcome, ask->name, q->type, q->rr_class,
		q->is_dnssec, bounds, &chain->writer, chain->work, ttl);
	if (n)
		return n;
	(void)outcome_fail(&ask->outcome, EDE_OTHER, "the answer is too long to be told");
	return recall_make(chain->told, &ask->outcome, ask->name, q->type, q->rr_class,
		q->is_dnssec, bounds, &chain->writer, chain->work, ttl);
}

/* The aliases of the names before come first; code and denial are those of the last. */
static void put_before(struct link_ask *ask)
{
	struct outcome *o = &ask->outcome;
	if (!ask->before_n || o->rcode == RCODE_SERVFAIL)
		return;
	for (unsigned i = 0; i < o->n; i++)
		if (ask->before_n < OUTCOME_SETS)
			ask->before[ask->before_n++] = o->set[i];
	o->n = ask->before_n;
	memcpy(o->set, ask->before, o->n * sizeof o->set[0]);
}

static void conclude(struct link_ask *ask, struct chain_told *told)
{
	struct chain *chain = ask->chain;
	uint64_t now_ms = clock_mono_ms();
	uint32_t ttl = 0;
	put_before(ask);
	size_t n = write_outcome(ask, &ttl);
	bool is_failure = ask->outcome.rcode == RCODE_SERVFAIL;
	struct chain_question q = ask_question(ask);
	if (!ask->is_uncachable && !ask->outcome.is_uncachable)
		keep_put(chain, ask, n, ttl, now_ms);
	if (is_failure) {
		count_add(&chain->count.failures, 1);
		look_note_failure(chain, ask);
	}
	if (is_failure && keep_find_stale(chain, ask->run->plan, &q, now_ms, told)) {
		count_add(&chain->count.stale, 1);
	} else {
		*told = (struct chain_told){
			.bytes = chain->told, .n = n, .from = ask->outcome.from
		};
		told->from.link = ask->link;
		told->from.generation = ask->generation;
	}
	told->is_kept = false;
}

/* Tells everybody and ends the ask. */
static void finish(struct link_ask *ask)
{
	struct chain_told told;
	conclude(ask, &told);
	list_drop(&ask->bucket); /* whoever asks from now on finds what is kept */
	ask_tell(ask, &told);
	ask_free(ask);
}

/* ---- time ---- */

static struct link_ask *first_at(const struct chain_run *run, size_t i)
{
	return list_is_empty(&run->queue[i])
		       ? NULL
		       : container_of(run->queue[i].next, struct link_ask, queue);
}

static struct link_ask *first_of(const struct list *head, size_t offset)
{
	return list_is_empty(head) ? NULL
				   : (struct link_ask *)(void *)((char *)head->next - offset);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return !a || b < a ? b : a;
}

/* When the first question of a run is due at its link. */
static uint64_t due_at_links(const struct chain_run *run)
{
	uint64_t due = 0;
	for (size_t i = 0; i < run->plan->n; i++) {
		const struct link_ask *ask = first_at(run, i);
		uint32_t budget_ms = run->plan->link[i].budget_ms;
		if (ask && budget_ms)
			due = sooner(due, ask->since_ms + budget_ms);
	}
	return due;
}

static void set_timer(struct chain *chain)
{
	const struct link_ask *oldest = first_of(&chain->asks, offsetof(struct link_ask, list));
	const struct link_ask *stale =
		first_of(&chain->stale, offsetof(struct link_ask, stale));
	if (!oldest)
		return;
	uint64_t due = oldest->budget.deadline_ms;
	for (struct list *at = chain->runs.next; at != &chain->runs; at = at->next) {
		uint64_t at_links = due_at_links(container_of(at, struct chain_run, list));
		due = at_links ? sooner(due, at_links) : due;
	}
	if (stale)
		due = sooner(due, stale->trace.start_ms + STALE_MS);
	if (chain->due_ms && chain->due_ms <= due)
		return;
	uint64_t now_ms = clock_mono_ms();
	chain->due_ms = due;
	loop_timer_start(chain->timer, (due > now_ms ? due - now_ms : 0) + SLACK_MS, 0);
}

/* ---- along the links ---- */

static void note(struct link_ask *ask, enum trace_result result)
{
	struct trace_step *step = trace_next(&ask->trace, clock_mono_ms());
	step->kind = TRACE_LINK;
	step->link = (uint8_t)ask->at;
	step->result = (uint8_t)result;
}

/* An alias leads to a name that the whole chain is asked about. False: it has led too far. */
static bool restart(struct link_ask *ask)
{
	struct outcome *o = &ask->outcome;
	if (!ask->budget.aliases || ask->before_n + o->n > OUTCOME_SETS) {
		(void)ask_fail(ask, EDE_OTHER, "aliases lead too far");
		return false;
	}
	size_t len = name_len(o->restart);
	uint8_t *name = pad_new(&ask->pad, len);
	if (!name) {
		(void)ask_fail(ask, EDE_OTHER, "no memory for another question");
		return false;
	}
	name_lower(name, o->restart, len);
	ask->budget.aliases--;
	memcpy(ask->before + ask->before_n, o->set, o->n * sizeof o->set[0]);
	ask->before_n += o->n;
	ask->is_uncachable |= o->is_uncachable;
	ask->question.name = name;
	ask->question.name_len = len;
	ask->links = chain_run_links(ask->run, name);
	ask->at = 0;
	ask->has_failed = false;
	struct trace_step *step = trace_next(&ask->trace, clock_mono_ms());
	step->kind = TRACE_RESTART;
	step->name = name;
	return true;
}

/* Takes the verdict of the link being asked; true when the ask has come to its end. */
static bool take(struct link_ask *ask, enum link_verdict verdict)
{
	ask->is_waiting = verdict == LINK_WAIT;
	if (verdict == LINK_WAIT) {
		if (list_is_empty(&ask->queue))
			list_put(&ask->run->queue[ask->at], &ask->queue);
		return false;
	}
	list_drop(&ask->queue);
	plugin_drop_sends(ask);
	if (verdict == LINK_ANSWER) {
		note(ask, TRACE_ANSWER);
		return !ask->outcome.restart || !restart(ask);
	}
	note(ask, verdict == LINK_PASS ? TRACE_PASS : TRACE_FAIL);
	if (verdict == LINK_FAIL) {
		if (ask->run->plan->link[ask->at].stops)
			return true;
		ask->has_failed = true;
		ask->failed_ede = ask->outcome.ede;
		memcpy(ask->failed_text, ask->outcome.ede_text, sizeof ask->failed_text);
	}
	ask->at++;
	return false;
}

static enum link_verdict ask_link(struct link_ask *ask)
{
	const struct chain_link *link = &ask->run->plan->link[ask->at];
	ask->link = (uint8_t)ask->at;
	ask->generation = link->generation;
	ask->since_ms = clock_mono_ms();
	ask->state = NULL;
	outcome_start(&ask->outcome);
	ask->is_in_call = true;
	enum link_verdict verdict =
		link->kind->ask(ask->run->instance[ask->at], ask, &ask->state);
	ask->is_in_call = false;
	return verdict;
}

/* A link that has nothing to say to this question now. What is kept of a link behind it is as
 * good as what it would say, unless it has data of its own. */
static bool is_passed_by(const struct link_ask *ask, const struct chain_link *link)
{
	return !link->kind || link->off || !(ask->links >> ask->at & 1) ||
	       (ask->kept_source >= 0 && !link->kind->is_local);
}

/* Asks one link after the other until one waits (false) or there is an end (true). */
static bool walk(struct link_ask *ask)
{
	const struct chain_plan *plan = ask->run->plan;
	while (ask->at < plan->n) {
		if (ask->kept_source >= 0 && ask->at >= (unsigned)ask->kept_source)
			return true;
		if (is_passed_by(ask, &plan->link[ask->at])) {
			ask->at++;
			continue;
		}
		enum link_verdict verdict = ask_link(ask);
		if (verdict == LINK_ANSWER)
			ask->kept_source = -1;
		if (take(ask, verdict))
			return true;
		if (verdict == LINK_WAIT)
			return false;
	}
	if (ask->has_failed)
		(void)outcome_fail(&ask->outcome, ask->failed_ede, "%s", ask->failed_text);
	else
		(void)outcome_fail(
			&ask->outcome, EDE_OTHER, "no link of the chain answers for this name");
	return true;
}

static void go_on(struct link_ask *ask, enum link_verdict verdict)
{
	struct chain *chain = ask->chain;
	if (take(ask, verdict) || (!ask->is_waiting && walk(ask)))
		finish(ask);
	else
		set_timer(chain);
}

void ask_event(struct link_ask *ask, const struct link_event *event)
{
	const struct chain_link *link = &ask->run->plan->link[ask->at];
	must(!ask->is_in_call && ask->is_waiting);
	ask->is_in_call = true;
	enum link_verdict verdict =
		link->kind->event(ask->run->instance[ask->at], ask, ask->state, event);
	ask->is_in_call = false;
	go_on(ask, verdict);
}

/* The link being asked is not waited for any longer. */
static void cancel_link(struct link_ask *ask)
{
	const struct chain_link *link = &ask->run->plan->link[ask->at];
	if (ask->is_waiting && !ask->is_elsewhere && link->kind->cancel)
		link->kind->cancel(ask->run->instance[ask->at], ask, ask->state);
	ask->is_waiting = ask->is_elsewhere = false;
	plugin_drop_sends(ask);
	list_drop(&ask->queue);
}

static void give_up(struct link_ask *ask, const char *why)
{
	cancel_link(ask);
	(void)ask_fail(ask, EDE_NO_REACHABLE, "%s", why);
	finish(ask);
}

static void pass_time_at_links(struct chain_run *run, uint64_t now_ms)
{
	for (size_t i = 0; i < run->plan->n; i++) {
		const struct chain_link *link = &run->plan->link[i];
		struct link_ask *ask;
		while (link->budget_ms && (ask = first_at(run, i)) &&
			now_ms >= ask->since_ms + link->budget_ms) {
			bool is_last = run->asks == 1;
			cancel_link(ask);
			go_on(ask, ask_fail(ask, EDE_NO_REACHABLE,
					   "link %s gave no answer within %u ms", link->name,
					   link->budget_ms));
			if (is_last)
				return; /* the run may be gone with it */
		}
	}
}

static void on_time(void *user)
{
	struct chain *chain = user;
	uint64_t now_ms = clock_mono_ms();
	struct link_ask *ask;
	chain->due_ms = 0;
	while ((ask = first_of(&chain->asks, offsetof(struct link_ask, list))) &&
		now_ms >= ask->budget.deadline_ms)
		give_up(ask, "no answer in time");
	while ((ask = first_of(&chain->stale, offsetof(struct link_ask, stale))) &&
		now_ms >= ask->trace.start_ms + STALE_MS) {
		struct chain_question q = ask_question(ask);
		struct chain_told told;
		list_drop(&ask->stale);
		if (!keep_find_stale(chain, ask->run->plan, &q, now_ms, &told))
			continue;
		count_add(&chain->count.stale, 1);
		told.is_kept = false;
		ask->is_stale_told = true;
		ask_tell(ask, &told);
	}
	for (struct list *at = chain->runs.next, *next; at != &chain->runs; at = next) {
		next = at->next; /* none but this one can go */
		pass_time_at_links(container_of(at, struct chain_run, list), now_ms);
	}
	set_timer(chain);
}

/* ---- asking ---- */

/* Room for one more question. Those that came first have half of the places and keep them until
 * they end; of the others the oldest goes when it has had its chance (B13). */
static bool make_room(struct chain *chain, uint64_t now_ms)
{
	const struct chain_opts *opts = &chain->run->plan->opts;
	struct link_ask *oldest = first_of(&chain->jostle, offsetof(struct link_ask, jostle));
	if (chain->open < opts->asks && chain->pads.bytes < opts->pad_bytes)
		return true;
	if (!oldest || now_ms < oldest->trace.start_ms + JOSTLE_MS || oldest->is_in_call)
		return false;
	give_up(oldest, "too many questions are being looked for");
	return true;
}

static enum chain_verdict join(struct chain *chain, struct link_ask *ask,
	struct chain_wait *wait, struct chain_told *told)
{
	struct chain_question q = ask_question(ask);
	count_add(&chain->count.joined, 1);
	if (ask->is_stale_told &&
		keep_find_stale(chain, ask->run->plan, &q, clock_mono_ms(), told))
		return CHAIN_TOLD;
	list_put(&ask->waits, &wait->list);
	wait->has_joined = true;
	return CHAIN_WAIT;
}

/* What is kept but was not passed by the local links of today. */
static void find_unpassed(struct link_ask *ask, const struct chain_question *q, uint64_t now_ms,
	struct kept *kept)
{
	const struct chain_plan *plan = ask->run->plan;
	if (q->is_live || q->target)
		return;
	if (!keep_find(ask->chain, plan, CACHE_ANSWER, q, now_ms, kept) ||
		kept->age >= kept->head.ttl)
		return;
	ask->kept_source = kept->source;
}

bool chain_is_asked(const struct chain *chain, const struct chain_question *q)
{
	return ask_find(chain, q) != NULL;
}

/* ---- other chains ---- */

/* Of a whole question on a plan. */
static uint64_t shared_key(const struct link_ask *ask)
{
	const struct {
		uint64_t hash, plan;
		uint16_t type, class;
		uint8_t bits, partition, zero[2];
	} whole = { ask->hash, (uintptr_t)ask->run->plan, ask->question.type,
		ask->question.rr_class, ask->bits, ask->partition, { 0, 0 } };
	static const struct hash_key key = { 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9 };
	return hash_sip(&key, &whole, sizeof whole, 1, 3);
}

/* True: another chain of the daemon asks the same, and will say when it is done. */
static bool is_asked_elsewhere(struct link_ask *ask)
{
	struct chain *chain = ask->chain;
	if (!chain->inside.shared)
		return false;
	ask->shared.chain = chain;
	ask->shared.hash = ask->hash;
	ask->shared.key = shared_key(ask);
	ask->is_elsewhere = !shared_take(chain->inside.shared, &ask->shared);
	ask->is_waiting = ask->is_elsewhere;
	return ask->is_elsewhere;
}

void chain_send_news(struct chain *chain, struct shared_news *news)
{
	news->next = atomic_load(&chain->news);
	while (!atomic_compare_exchange_weak(&chain->news, &news->next, news))
		;
	loop_wake(chain->inside.loop);
}

static struct link_ask *find_elsewhere(struct chain *chain, const struct shared_news *news)
{
	struct list *head = &chain->bucket[news->hash % ASK_BUCKETS];
	for (struct list *at = head->next; at != head; at = at->next) {
		struct link_ask *ask = container_of(at, struct link_ask, bucket);
		if (ask->is_elsewhere && ask->shared.key == news->key)
			return ask;
	}
	return NULL;
}

/* What came of it elsewhere is kept, or was not to be: then one of those who waited asks. */
static void come_back(struct link_ask *ask)
{
	struct chain *chain = ask->chain;
	struct chain_question q = ask_question(ask);
	struct chain_told told;
	ask->is_waiting = ask->is_elsewhere = false;
	shared_drop(chain->inside.shared, &ask->shared);
	if (chain->run == ask->run && chain_recall(chain, &q, &told) == CHAIN_TOLD) {
		list_drop(&ask->bucket);
		ask_tell(ask, &told);
		ask_free(ask);
	} else if (!is_asked_elsewhere(ask) && walk(ask)) {
		finish(ask);
	} else {
		set_timer(chain);
	}
}

void chain_wake(struct chain *chain)
{
	struct shared_news *next = atomic_exchange(&chain->news, NULL);
	while (next) {
		struct shared_news *news = next;
		next = news->next;
		struct link_ask *ask = find_elsewhere(chain, news);
		if (ask)
			come_back(ask);
		mem_free(news);
	}
}

/* Something old is told, and the question goes on without anybody who waits for it. */
static bool tell_stale_first(struct link_ask *ask, const struct chain_question *q,
	uint64_t now_ms, struct chain_told *told)
{
	const struct chain_plan *plan = ask->run->plan;
	if (!plan->opts.is_stale_first || !keep_find_stale(ask->chain, plan, q, now_ms, told))
		return false;
	count_add(&ask->chain->count.stale, 1);
	ask->is_stale_told = true;
	return true;
}

enum chain_verdict chain_ask(struct chain *chain, const struct chain_question *q,
	struct chain_wait *wait, struct chain_told *told)
{
	uint64_t now_ms = clock_mono_ms();
	struct link_ask *ask = ask_find(chain, q);
	list_init(&wait->list);
	wait->has_joined = false;
	if (ask && ask->is_waiting)
		return join(chain, ask, wait, told);
	if (ask || !make_room(chain, now_ms) || !(ask = ask_new(chain, q, now_ms))) {
		count_add(&chain->count.refused, 1);
		return CHAIN_FULL;
	}
	struct kept kept;
	find_unpassed(ask, q, now_ms, &kept);
	bool is_alone = q->is_live || q->target || ask->kept_source >= 0;
	bool is_at_end = (is_alone || !is_asked_elsewhere(ask)) && walk(ask);
	if (is_at_end && ask->kept_source >= 0) {
		keep_renew(chain, ask->run->plan, q, &kept);
		keep_tell(chain, &kept, 0, told);
		count_add(&chain->count.hits, 1);
		ask_free(ask);
		return CHAIN_TOLD;
	}
	count_add(&chain->count.misses, 1);
	if (is_at_end) {
		conclude(ask, told);
		if (wait->trace) /* its names go with the ask */
			trace_keep(wait->trace, &ask->trace);
		ask_free(ask);
		return CHAIN_TOLD;
	}
	if (tell_stale_first(ask, q, now_ms, told)) {
		set_timer(chain);
		return CHAIN_TOLD;
	}
	list_put(&ask->waits, &wait->list);
	if (ask->run->plan->opts.stale_s && !q->is_live)
		list_put(&chain->stale, &ask->stale);
	set_timer(chain);
	return CHAIN_WAIT;
}

/* ---- the chain ---- */

struct chain *chain_new(const struct chain_inside *inside)
{
	struct chain *chain = mem_new(sizeof *chain);
	chain->inside = *inside;
	list_init(&chain->asks);
	list_init(&chain->jostle);
	list_init(&chain->spare);
	list_init(&chain->stale);
	list_init(&chain->runs);
	for (size_t i = 0; i < ASK_BUCKETS; i++)
		list_init(&chain->bucket[i]);
	chain->timer = loop_timer_new(inside->loop, on_time, chain);
	return chain;
}

void chain_free(struct chain **held)
{
	struct chain *chain = *held;
	*held = NULL;
	if (!chain)
		return;
	chain->on_released = NULL;
	struct link_ask *ask;
	while ((ask = first_of(&chain->asks, offsetof(struct link_ask, list)))) {
		while (!list_is_empty(&ask->waits))
			list_drop(ask->waits.next);
		cancel_link(ask);
		ask_free(ask);
	}
	chain_run_free(&chain->run); /* the last: the others went with their questions */
	while ((ask = first_of(&chain->spare, offsetof(struct link_ask, list)))) {
		list_drop(&ask->list);
		mem_free(ask);
	}
	for (struct shared_news *news = atomic_load(&chain->news); news;) {
		struct shared_news *next = news->next;
		mem_free(news);
		news = next;
	}
	pad_store_fini(&chain->pads);
	loop_timer_free(&chain->timer);
	mem_free(chain->ring);
	mem_free(chain);
}

const struct chain_count *chain_counts(const struct chain *chain)
{
	return &chain->count;
}
