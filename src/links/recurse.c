/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"
#include "chain/chain.h"
#include "links/links.h"
#include "resolve/resolver.h"

struct recursion {
	struct link_ask *ask;
	struct resolution *resolution;
	struct resolve_ask question;
};

/* The resolver's options are the daemon's (root:, stub:), not the link's: there is nothing to
 * prepare, and data only has to be something. */
static void *prepare(const struct link_given *given, char *error, size_t error_size)
{
	(void)given, (void)error, (void)error_size;
	return mem_new(1);
}

static void release(void *data)
{
	mem_free(data);
}

static void *open_resolver(void *data, const struct link_calls *calls, void *inside)
{
	(void)data, (void)calls;
	return inside;
}

static void close_resolver(void *instance)
{
	(void)instance;
}

/* Where only the network's own resolver may ask the Internet, whoever looks at the answer wants
 * to know what to do. */
static enum link_verdict verdict_of(const struct chain_inside *inside, struct link_ask *ask)
{
	if (ask->outcome.rcode != RCODE_SERVFAIL)
		return LINK_ANSWER;
	if (!facts_is_outage(inside->facts))
		return LINK_FAIL;
	return ask_fail(ask, EDE_NETWORK,
		"no root server answers; if this network's resolver does: isp: { to: [network] "
		"}");
}

static void on_resolved(void *user)
{
	struct recursion *r = user;
	const struct link_event event = { .kind = LINK_EVENT_WAKE };
	ask_event(r->ask, &event);
}

static enum link_verdict ask_resolver(void *instance, struct link_ask *ask, void **state)
{
	struct recursion *r = pad_new(&ask->pad, sizeof *r);
	if (!r)
		return ask_fail(ask, EDE_OTHER, "no memory");
	*r = (struct recursion){ .ask = ask,
		.question = { .name = ask->question.name,
			.type = ask->question.type,
			.is_dnssec = ask->question.is_dnssec,
			.is_live = ask->question.is_live,
			.pad = &ask->pad,
			.budget = &ask->budget,
			.trace = &ask->trace,
			.outcome = &ask->outcome,
			.generation = ask->generation,
			.link = ask->link } };
	*state = r;
	const struct chain_inside *inside = instance;
	if (resolve_start(inside->resolver, &r->question, on_resolved, r, &r->resolution))
		return verdict_of(inside, ask);
	return LINK_WAIT;
}

static enum link_verdict resolver_event(
	void *instance, struct link_ask *ask, void *state, const struct link_event *event)
{
	(void)state, (void)event;
	return verdict_of(instance, ask);
}

static void cancel(void *instance, struct link_ask *ask, void *state)
{
	(void)instance, (void)ask;
	struct recursion *r = state;
	resolve_cancel(&r->resolution);
}

const struct link link_recurse = { .abi = ROOTWARD_LINK_ABI,
	.kind = "recurse",
	.help = "Asks from the root down.",
	.prepare = prepare,
	.release = release,
	.open = open_resolver,
	.close = close_resolver,
	.ask = ask_resolver,
	.event = resolver_event,
	.cancel = cancel };
