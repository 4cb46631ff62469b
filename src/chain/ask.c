/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"
#include "chain/inside.h"
#include "wire/edns.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	PAD_LIMIT = 2 * 1024 * 1024 /* of one question */
};

static unsigned bits_of(const struct chain_question *q)
{
	return (q->is_dnssec ? CACHE_DO : 0u) | (q->is_checking_disabled ? CACHE_CD : 0u);
}

struct chain_question ask_question(const struct link_ask *ask)
{
	return (struct chain_question){ .name = ask->name,
		.hash = ask->hash,
		.type = ask->question.type,
		.class = ask->question.rr_class,
		.is_dnssec = ask->question.is_dnssec,
		.is_checking_disabled = ask->question.is_checking_disabled,
		.is_live = ask->question.is_live,
		.partition = ask->partition };
}

static struct link_ask *take_spare(struct chain *chain)
{
	if (list_is_empty(&chain->spare))
		return mem_try(sizeof(struct link_ask));
	struct link_ask *ask = container_of(chain->spare.next, struct link_ask, list);
	list_drop(&ask->list);
	chain->spares--;
	return ask;
}

static void set_open(struct chain *chain, size_t open)
{
	chain->open = open;
	atomic_store_explicit(&chain->count.asks, open, memory_order_relaxed);
}

static void put_spare(struct link_ask *ask)
{
	struct chain *chain = ask->chain;
	if (chain->spares == SPARES_MAX) {
		mem_free(ask);
		return;
	}
	chain->spares++;
	list_put(&chain->spare, &ask->list);
}

static bool start_elsewhere(struct link_ask *ask, const struct chain_question *q)
{
	ask->question.name_len = name_len(q->target);
	ask->question.name = pad_copy(&ask->pad, q->target, ask->question.name_len);
	ask->is_uncachable = true;
	for (unsigned i = 0; i < q->before_n && i < OUTCOME_SETS; i++) {
		ask->before[i] = rrset_copy(&ask->pad, &q->before[i]);
		if (!ask->before[i])
			return false;
		ask->before_n++;
	}
	return ask->question.name != NULL;
}

struct link_ask *ask_new(struct chain *chain, const struct chain_question *q, uint64_t now_ms)
{
	struct link_ask *ask = take_spare(chain);
	if (!ask)
		return NULL;
	memset(ask, 0, sizeof *ask);
	size_t len = name_len(q->name);
	memcpy(ask->name, q->name, len);
	ask->question = (struct link_question){ .name = ask->name,
		.name_len = len,
		.type = q->type,
		.rr_class = q->class,
		.is_dnssec = q->is_dnssec,
		.is_checking_disabled = q->is_checking_disabled,
		.is_live = q->is_live };
	ask->hash = q->hash;
	ask->bits = (uint8_t)bits_of(q);
	ask->partition = q->partition;
	ask->kept_source = -1;
	pad_init(&ask->pad, PAD_LIMIT, &chain->pads);
	ask->budget = budget_new(now_ms);
	ask->trace.start_ms = ask->since_ms = now_ms;
	outcome_start(&ask->outcome);
	ask->chain = chain;
	ask->run = chain->run;
	ask->run->asks++;
	ask->links = chain_run_links(ask->run, q->target ? q->target : q->name);
	list_init(&ask->jostle);
	list_init(&ask->queue);
	list_init(&ask->stale);
	list_init(&ask->waits);
	list_init(&ask->sends);
	if (q->target && !start_elsewhere(ask, q)) {
		pad_clear(&ask->pad);
		ask->run->asks--;
		put_spare(ask);
		return NULL;
	}
	list_put(&chain->asks, &ask->list);
	list_put(&chain->bucket[q->hash % ASK_BUCKETS], &ask->bucket);
	if (chain->open - chain->jostlers >= chain->run->plan->opts.asks / 2) {
		ask->is_jostler = true;
		list_put(&chain->jostle, &ask->jostle);
		chain->jostlers++;
	}
	set_open(chain, chain->open + 1);
	return ask;
}

void ask_free(struct link_ask *ask)
{
	struct chain *chain = ask->chain;
	struct chain_run *run = ask->run;
	must(list_is_empty(&ask->waits));
	if (ask->shared.is_linked)
		shared_drop(chain->inside.shared, &ask->shared);
	plugin_drop_sends(ask);
	list_drop(&ask->list);
	chain->jostlers -= ask->is_jostler;
	list_drop(&ask->jostle);
	list_drop(&ask->bucket);
	list_drop(&ask->queue);
	list_drop(&ask->stale);
	pad_clear(&ask->pad);
	set_open(chain, chain->open - 1);
	put_spare(ask);
	run->asks--;
	chain_run_settle(chain, run);
}

struct link_ask *ask_find(const struct chain *chain, const struct chain_question *q)
{
	const struct list *head = &chain->bucket[q->hash % ASK_BUCKETS];
	for (struct list *at = head->next; at != head; at = at->next) {
		struct link_ask *ask = container_of(at, struct link_ask, bucket);
		if (ask->hash == q->hash && ask->question.type == q->type &&
			ask->question.rr_class == q->class && ask->bits == bits_of(q) &&
			ask->partition == q->partition && ask->run == chain->run &&
			ask->question.is_live == q->is_live &&
			name_is_equal(ask->name, q->name))
			return ask;
	}
	return NULL;
}

void ask_tell(struct link_ask *ask, const struct chain_told *told)
{
	/* Nobody can come in between: whoever is told may ask, and that question is another. */
	while (!list_is_empty(&ask->waits)) {
		struct chain_wait *wait =
			container_of(ask->waits.next, struct chain_wait, list);
		list_drop(&wait->list);
		if (wait->trace && !told->is_kept)
			trace_keep(wait->trace, &ask->trace);
		wait->done(wait, told);
	}
}

void chain_cancel(struct chain_wait *wait)
{
	list_drop(&wait->list);
}

enum link_verdict ask_fail(struct link_ask *ask, int ede, const char *fmt, ...)
{
	char text[OUTCOME_TEXT];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)outcome_fail(&ask->outcome, ede, "%s", text);
	return LINK_FAIL;
}
