/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rand.h"
#include "resolve/iter.h"
#include "wire/key.h"
#include "wire/rrtype.h"

#include <errno.h>
#include <string.h>

static const uint8_t root[] = { 0 };
static const uint16_t type_of[FAMILIES] = { TYPE_A, TYPE_AAAA };

/* ---- servers and their names ----------------------------------------------------------- */

static void cut_start(struct iter *it, const uint8_t *zone, uint64_t until_ms)
{
	it->cut = (struct cut){ .zone = zone, .until_ms = until_ms };
	it->cut.last = &it->cut.servers;
	it->minimise.labels = (uint8_t)name_labels(zone);
	it->timeouts = 0;
	it->takes_any = false;
}

static struct server *find_server(const struct cut *cut, const struct endpoint *at)
{
	for (struct server *s = cut->servers; s; s = s->next)
		if (s->at.port == at->port &&
			memcmp(s->at.address, at->address, sizeof at->address) == 0)
			return s;
	return NULL;
}

static bool is_ipv4(const struct endpoint *at)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	return memcmp(at->address, mapped, sizeof mapped) == 0;
}

int cut_add_server(
	struct iter *it, const uint8_t *host, const struct endpoint *at, bool is_last)
{
	struct server *server = find_server(&it->cut, at);
	if (server) {
		server->is_last &= is_last;
		return 0;
	}
	server = pad_new(it->resolution->ask->pad, sizeof *server);
	if (!server)
		return -ENOMEM;
	*server = (struct server){ .at = *at,
		.host = host,
		.family = is_ipv4(at) ? FAMILY_IPV4 : FAMILY_IPV6,
		.is_last = is_last };
	*it->cut.last = server;
	it->cut.last = &server->next;
	return 0;
}

int cut_add(struct iter *it, struct host *host, const struct rrset *set, bool is_last)
{
	const struct resolve_opts *opts = it->resolution->opts;
	const uint8_t *rdata = NULL;
	uint16_t len;
	unsigned n = 0;
	while (n < HOST_ADDRESSES && (rdata = rrset_next(set, rdata, &len))) {
		struct endpoint at = { .port = opts->server_port };
		if (set->type == TYPE_A && len == 4) {
			at.address[10] = at.address[11] = 0xff;
			memcpy(at.address + 12, rdata, 4);
		} else if (set->type == TYPE_AAAA && len == 16) {
			memcpy(at.address, rdata, 16);
		} else {
			continue;
		}
		n++;
		if (!select_may_ask(opts, &at))
			continue;
		int rc = cut_add_server(it, host->name, &at, is_last);
		if (rc < 0)
			return rc;
		host->has_server |= !is_last;
	}
	return 0;
}

bool cut_is_host(const struct cut *cut, const uint8_t *name)
{
	for (const struct host *host = cut->hosts; host; host = host->next)
		if (name_is_equal(host->name, name))
			return true;
	return false;
}

/* The names in an NS set; of too many, some that chance chooses (L4). */
static int add_hosts(struct iter *it, const struct rrset *ns)
{
	struct host **last = &it->cut.hosts;
	unsigned skip = ns->n > HOSTS_MAX ? rand_below(ns->n - HOSTS_MAX + 1u) : 0, n = 0;
	const uint8_t *rdata = NULL;
	uint16_t len;
	while (n < HOSTS_MAX && (rdata = rrset_next(ns, rdata, &len))) {
		if (skip) {
			skip--;
			continue;
		}
		struct host *host = pad_new(it->resolution->ask->pad, sizeof *host);
		uint8_t *name = pad_new(it->resolution->ask->pad, len);
		if (!host || !name)
			return -ENOMEM;
		name_lower(name, rdata, len);
		*host = (struct host){ .name = name };
		*last = host;
		last = &host->next;
		n++;
	}
	return 0;
}

/* The addresses of a host that the cache has, of one family; *rank gets how good they are. */
static int add_kept(struct iter *it, struct host *host, unsigned family, uint8_t *rank)
{
	struct resolution *r = it->resolution;
	struct rrsets_found found;
	*rank = RANK_NONE;
	int rc = rrsets_find(r->resolver->cache, 0, host->name, type_of[family], r->now_ms, 0,
		r->ask->pad, &found);
	if (rc <= 0)
		return rc;
	*rank = found.head.rank;
	host->asked |= (uint8_t)(1u << family);
	return cut_add(it, host, &found.set, false);
}

static int add_all_kept(struct iter *it)
{
	uint8_t rank;
	for (struct host *host = it->cut.hosts; host; host = host->next)
		for (unsigned family = 0; family < FAMILIES; family++)
			if (add_kept(it, host, family, &rank) < 0)
				return -ENOMEM;
	return 0;
}

/* ---- from what is known ---------------------------------------------------------------- */

int cut_add_hints(struct iter *it)
{
	const struct resolve_opts *opts = it->resolution->opts;
	for (size_t i = 0; i < opts->hints_n; i++) {
		struct endpoint at = addr_endpoint(&opts->hints[i].addr);
		if (cut_add_server(it, opts->hints[i].name.bytes, &at, false) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int start_with_hints(struct iter *it)
{
	if (!it->resolution->opts->hints_n)
		return -ENOENT;
	cut_start(it, root, UINT64_MAX);
	return cut_add_hints(it);
}

static int start_with_stub(struct iter *it, const struct resolve_stub *stub)
{
	cut_start(it, stub->zone.bytes, UINT64_MAX);
	it->cut.stub = stub;
	for (size_t i = 0; i < stub->n; i++) {
		struct endpoint at = addr_endpoint(&stub->to[i]);
		if (cut_add_server(it, NULL, &at, false) < 0)
			return -ENOMEM;
	}
	return 0;
}

static const struct resolve_stub *find_stub(const struct iter *it, const uint8_t *zone)
{
	const struct resolve_opts *opts = it->resolution->opts;
	for (size_t i = 0; i < opts->stubs_n && !it->no_stub; i++)
		if (name_is_equal(opts->stubs[i].zone.bytes, zone))
			return &opts->stubs[i];
	return NULL;
}

/* The delegation of this zone in the cache: 1, 0, -ENOMEM. */
static int start_with_kept(struct iter *it, const uint8_t *zone)
{
	struct resolution *r = it->resolution;
	struct rrsets_found found;
	int rc = rrsets_find(
		r->resolver->cache, 0, zone, TYPE_NS, r->now_ms, 0, r->ask->pad, &found);
	if (rc <= 0)
		return rc;
	/* What is told of the root itself says nothing of how long delegations last. */
	uint64_t until_ms = *zone ? r->now_ms + found.set.ttl * UINT64_C(1000) : UINT64_MAX;
	cut_start(it, zone, until_ms);
	it->cut.is_kept = true;
	if (add_hosts(it, &found.set) < 0 || add_all_kept(it) < 0)
		return -ENOMEM;
	return 1;
}

static int start_at_root(struct iter *it)
{
	struct resolver *resolver = it->resolution->resolver;
	int rc = it->is_fresh ? 0 : start_with_kept(it, root);
	if (rc < 0)
		return rc;
	if (rc == 1 && it->cut.servers)
		return 0;
	rc = start_with_hints(it);
	if (rc == 0 && !it->is_fresh)
		resolver_prime(resolver);
	return rc;
}

int cut_find(struct iter *it)
{
	const uint8_t *zone = it->name;
	/* A zone's DS set is its parent's. */
	if (it->type == TYPE_DS && *zone)
		zone += 1 + *zone;
	if (it->above)
		zone = *it->above ? it->above + 1 + *it->above : it->above;
	for (; *zone; zone += 1 + *zone) {
		const struct resolve_stub *stub = find_stub(it, zone);
		if (stub)
			return start_with_stub(it, stub);
		int rc = it->is_fresh ? 0 : start_with_kept(it, zone);
		if (rc)
			return rc < 0 ? rc : 0;
	}
	const struct resolve_stub *stub = find_stub(it, root);
	return stub ? start_with_stub(it, stub) : start_at_root(it);
}

/* ---- delegations that lead nowhere ----------------------------------------------------- */

static void failure_key(struct cache_key *key, const uint8_t *zone)
{
	enum {
		BIT_CUT = 4
	}; /* beside those of clients' questions */
	cache_key_make(key, CACHE_FAILURE, zone, key_hash(zone), TYPE_NS, CLASS_IN, BIT_CUT, 0);
}

/* False: there is none, or it is over for as long as it lasted. */
static bool find_failure(const struct iter *it, struct cache_head *head)
{
	struct cache_key key;
	failure_key(&key, it->cut.zone);
	return cache_get(it->resolution->resolver->cache, &key, head, NULL, 0) >= 0 &&
	       it->resolution->now_ms < head->learned_ms + head->ttl * UINT64_C(2000);
}

void cut_note_failure(const struct iter *it)
{
	static const uint8_t nothing;
	const struct resolution *r = it->resolution;
	uint32_t most = r->opts->ttl.failure_max;
	struct cache_head head, before;
	struct cache_key key;
	uint32_t ttl = find_failure(it, &before) ? 2 * before.ttl : 1;
	head = (struct cache_head){ .learned_ms = r->now_ms, .ttl = ttl < most ? ttl : most };
	failure_key(&key, it->cut.zone);
	(void)cache_put(r->resolver->cache, &key, &head, &nothing, 1);
}

bool cut_has_failed(const struct iter *it)
{
	struct cache_head head;
	return it->cut.is_kept && !it->cut.servers && !it->is_anew && find_failure(it, &head) &&
	       it->resolution->now_ms < head.learned_ms + head.ttl * UINT64_C(1000);
}

/* ---- from a referral ------------------------------------------------------------------- */

uint32_t cut_left(const struct iter *it)
{
	uint64_t now_ms = it->resolution->now_ms, until_ms = it->cut.until_ms;
	if (until_ms == UINT64_MAX)
		return UINT32_MAX;
	uint64_t left = until_ms > now_ms ? (until_ms - now_ms) / 1000 : 0;
	return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX - 1;
}

struct referral { /* what add_glue() needs of where it came from */
	const struct message *m;
	const uint8_t *from; /* the zone of who told it */
	struct cache_from source;
	uint32_t ttl;
};

/* The address in a referral. Only what lies in the zone of who tells it is believed; the rest
 * is a last resort for this one question. */
static int add_glue(
	struct iter *it, struct host *host, unsigned family, const struct referral *ref)
{
	struct resolution *r = it->resolution;
	const struct rrset *glue =
		message_find(ref->m, SECTION_ADDITIONAL, host->name, type_of[family]);
	bool is_own = name_is_at_or_below(host->name, ref->from);
	uint8_t rank = RANK_NONE;
	if (glue && is_own)
		(void)rrsets_admit(r->resolver->cache, &r->opts->ttl, 0, glue, RANK_GLUE,
			&ref->source, ref->ttl, r->now_ms);
	int rc = it->is_fresh && glue && is_own ? 0 : add_kept(it, host, family, &rank);
	if (rc < 0 || !glue)
		return rc;
	if (!is_own && r->opts->harden_glue)
		return cut_add(it, host, glue, true);
	/* What the zone itself says of its servers comes first. */
	bool is_known = host->asked >> family & 1 && rank > RANK_GLUE;
	host->asked |= (uint8_t)(1u << family);
	return cut_add(it, host, glue, is_known);
}

/* Servers that were asked before the zone above was asked anew have had their chance. */
static void carry_over(struct cut *cut, const struct server *before)
{
	for (; before; before = before->next) {
		struct server *server = find_server(cut, &before->at);
		if (!server)
			continue;
		server->is_out = before->is_out;
		server->tries = before->tries;
	}
}

int cut_refer(struct iter *it, const struct reply *reply, const struct message *m)
{
	struct resolution *r = it->resolution;
	struct cache *cache = r->resolver->cache;
	const struct rrset *ns = reply->referral;
	struct referral ref = { .m = m, .from = it->cut.zone, .source = send_from(it) };
	uint32_t left = cut_left(it);
	ref.ttl = ns->ttl < left ? ns->ttl : left;
	uint32_t most = ref.ttl < r->opts->ttl.ttl_max ? ref.ttl : r->opts->ttl.ttl_max;
	size_t len = name_len(ns->owner);
	uint8_t *zone = pad_new(r->ask->pad, len);
	if (!zone)
		return -ENOMEM;
	name_lower(zone, ns->owner, len);
	(void)rrsets_admit(
		cache, &r->opts->ttl, 0, ns, RANK_REFERRAL, &ref.source, ref.ttl, r->now_ms);
	if (reply->signer)
		(void)rrsets_admit(cache, &r->opts->ttl, 0, reply->signer, RANK_AUTHORITY,
			&ref.source, ref.ttl, r->now_ms);
	cut_start(it, zone, r->now_ms + most * UINT64_C(1000));
	if (add_hosts(it, ns) < 0)
		return -ENOMEM;
	for (struct host *host = it->cut.hosts; host; host = host->next)
		for (unsigned family = 0; family < FAMILIES; family++)
			if (add_glue(it, host, family, &ref) < 0)
				return -ENOMEM;
	if (it->above && name_is_equal(zone, it->above))
		carry_over(&it->cut, it->before);
	return 0;
}

void cut_keep_hosts(const struct iter *it, const struct rrset *ns)
{
	const struct resolution *r = it->resolution;
	const struct message *m = &r->resolver->message;
	struct cache_from from = send_from(it);
	const uint8_t *name = NULL;
	uint16_t len;
	for (unsigned i = 0; i < 2 * HOSTS_MAX && (name = rrset_next(ns, name, &len)); i++)
		for (unsigned family = 0; family < FAMILIES; family++) {
			const struct rrset *set =
				message_find(m, SECTION_ADDITIONAL, name, type_of[family]);
			if (set)
				(void)rrsets_admit(r->resolver->cache, &r->opts->ttl, 0, set,
					RANK_ADDITIONAL, &from, UINT32_MAX, r->now_ms);
		}
}
