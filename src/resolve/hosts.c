/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of servers and their addresses, which are questions of their own. */
#include "base/rand.h"
#include "resolve/iter.h"
#include "wire/rrtype.h"

static bool is_waiting(const struct iter *it)
{
	return send_is_waiting(it) || it->child;
}

static bool is_looked_for_above(const struct iter *it, const uint8_t *host)
{
	for (; it; it = it->parent)
		if ((it->type == TYPE_A || it->type == TYPE_AAAA) &&
			name_is_equal(it->name, host))
			return true;
	return false;
}

static uint8_t families_of(const struct resolve_opts *opts)
{
	return (uint8_t)((opts->ipv4 ? 1u << FAMILY_IPV4 : 0) |
			 (opts->ipv6 ? 1u << FAMILY_IPV6 : 0));
}

/* Whether the addresses of a host can be looked for. Those that lie in the zone itself are with
 * the servers that have not answered. */
static bool is_open(const struct iter *it, const struct host *host, bool has_server)
{
	uint8_t families = families_of(it->resolution->opts);
	if (!(families & ~host->asked) || host->has_server != has_server ||
		is_looked_for_above(it, host->name))
		return false;
	return !it->cut.servers || !name_is_at_or_below(host->name, it->cut.zone);
}

/* One that nothing is known of yet; first of all one that was begun with. */
static struct host *choose_host(const struct iter *it)
{
	for (unsigned has_server = 0; has_server < 2; has_server++) {
		struct host *open[HOSTS_MAX];
		uint32_t n = 0;
		for (struct host *host = it->cut.hosts; host && n < HOSTS_MAX;
			host = host->next) {
			if (!is_open(it, host, has_server))
				continue;
			if (host->asked && !has_server)
				return host;
			open[n++] = host;
		}
		if (n)
			return open[n == 1 ? 0 : rand_below(n)];
	}
	return NULL;
}

/* A host whose addresses, as its zone tells them, have not answered; the zone above may know
 * others. */
struct host *hosts_choose_known(const struct iter *it)
{
	for (struct host *host = it->cut.hosts; host; host = host->next)
		if (host->has_server && !host->is_anew && it->depth == 0 &&
			!name_is_at_or_below(host->name, it->cut.zone))
			return host;
	return NULL;
}

/* A question for an address of a host: of the other family only when there is none of the
 * first, which most often says of both that there is no such name. */
static enum step look_for(struct iter *it, struct host *host)
{
	static const uint16_t type_of[FAMILIES] = { TYPE_A, TYPE_AAAA };
	unsigned open = families_of(it->resolution->opts) & ~(unsigned)host->asked;
	unsigned family = open & 1u << FAMILY_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
	host->asked |= (uint8_t)(1u << family);
	it->child = iter_new(it->resolution, it, host->name, type_of[family]);
	if (!it->child)
		return iter_no_memory(it);
	it->child->host = host;
	return STEP_WAIT;
}

enum step hosts_look_anew(struct iter *it, struct host *host)
{
	struct budget *budget = it->resolution->ask->budget;
	if (!budget->no_address)
		return iter_give_up(it);
	budget->no_address--;
	host->is_anew = true;
	host->asked = 0;
	enum step step = look_for(it, host);
	if (it->child)
		it->child->is_anew = true;
	return step;
}

/* An address of another server is looked for; meanwhile those that kept silent may have
 * another try. */
enum step step_hosts(struct iter *it)
{
	const struct budget *budget = it->resolution->ask->budget;
	struct host *host = it->child ? NULL : choose_host(it);
	if (!send_is_waiting(it))
		flight_end(it);
	if (host && it->depth < BUDGET_DEPTH && budget->no_address) {
		enum step step = look_for(it, host);
		if (step == STEP_FAIL)
			return step;
	}
	it->server = select_server(it, it->child ? REACH_SILENT : REACH_ALL, -1);
	if (it->server)
		return STEP_SEND;
	return is_waiting(it) ? STEP_WAIT : STEP_EXHAUSTED;
}

/* The addresses that were looked for are the parent's to use. */
void hosts_tell_parent(struct iter *it)
{
	struct iter *parent = it->parent;
	struct host *host = it->host;
	struct budget *budget = it->resolution->ask->budget;
	int rc = 0;
	parent->child = NULL;
	if (it->answer)
		rc = cut_add(parent, host, it->answer, false);
	/* The addresses by which the host was asked may be right when its own are not. */
	for (const struct server *s = it->cut.servers; s && rc == 0; s = s->next)
		if (s->host && name_is_equal(s->host, host->name))
			rc = cut_add_server(parent, host->name, &s->at, true);
	if (it->rcode == RCODE_NXDOMAIN)
		host->asked = UINT8_MAX;
	bool is_last = !(families_of(it->resolution->opts) & ~host->asked);
	if (is_last && !host->has_server && budget->no_address)
		budget->no_address--;
	iter_wake(parent, rc < 0 ? iter_no_memory(parent) : STEP_PICK);
}
