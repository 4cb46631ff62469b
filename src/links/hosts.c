/* SPDX-License-Identifier: BSD-2-Clause */
/* Names from hosts files. A name that is in them is ours for every type, and no name below it;
 * what is not there, the next link is asked for. But a link that is limited to zones has them
 * whole: other names in them are nobody's, and nobody outside is asked about them. */
#include "base/bytes.h"
#include "base/mem.h"
#include "chain/ask.h"
#include "links/hosts_table.h"
#include "links/links.h"
#include "wire/edns.h"
#include "wire/key.h"
#include "wire/rrtype.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FILES_MAX = 64,
	DAY_MS = 24 * 60 * 60 * 1000
};

enum {
	OPTION_FILES,
	OPTION_TTL,
};

static const struct link_option options[] = {
	[OPTION_FILES] = { .key = "files",
		.kind = LINK_OPTION_PATHS,
		.max = FILES_MAX,
		.help = "Hosts files; the first line about a name wins. "
			"\"cname ALIAS TARGET\" makes a name that leads to another." },
	[OPTION_TTL] = { .key = "ttl",
		.kind = LINK_OPTION_DURATION,
		.fallback = "60s",
		.max = DAY_MS,
		.help = "How long clients may remember what they are told." },
};

struct hosts { /* what prepare() makes */
	struct hosts_table *table;
	uint32_t ttl;
	size_t zones_n;
	const uint8_t *const *zones; /* the plan's */
	/* Hashes, in order, of the names in the zones that others lie below: they are there. */
	size_t above_n, above_size;
	uint64_t *above;
};

/* The closest of the link's zones that the name lies in; NULL: none. */
static const uint8_t *find_zone(const struct hosts *hosts, const uint8_t *name)
{
	return name_closest(name, hosts->zones, hosts->zones_n);
}

/* ---- files ---- */

struct reading {
	const struct link_given *given;
	struct hosts_draft *draft;
};

static int on_entry(void *user, const struct hosts_entry *entry, struct err *err)
{
	struct reading *r = user;
	return hosts_draft_add(r->draft, entry, err);
}

static void tell_complaints(
	const struct link_given *given, const char *path, const struct complaints *c)
{
	static const char word[] = "warning: ";
	for (size_t i = 0; i < c->n; i++) {
		/* The teller says so itself. */
		const char *text = c->list[i].text, *at = strstr(text, word);
		given->warn(given->teller, "%.*s%s", at ? (int)(at - text) : 0, text,
			at ? at + sizeof word - 1 : text);
	}
	if (c->warnings > c->n)
		given->warn(given->teller, "%s: %zu more lines like these", path,
			c->warnings - c->n);
}

/* A file that is not there may come; one that is there and cannot be read was not meant so. */
static bool read_file(struct reading *r, size_t i, char *error, size_t error_size)
{
	const struct link_given *given = r->given;
	const struct link_value *files = &given->values[OPTION_FILES];
	struct complaints complaints = { 0 };
	struct err err;
	given->watch(given->teller, files->texts[i]);
	long n = hosts_scan(files->texts[i], on_entry, r, &complaints, &err);
	tell_complaints(given, files->texts[i], &complaints);
	complaints_fini(&complaints);
	if (n >= 0)
		return true;
	if (n == -ENOENT || n == -ENOTDIR) {
		given->warn(given->teller, "%s: %s", files->places[i], err.text);
		return true;
	}
	(void)snprintf(error, error_size, "%s: %s", files->places[i], err.text);
	return false;
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void note_above(void *user, const uint8_t *name)
{
	struct hosts *hosts = user;
	while (*name) {
		name += *name + 1u;
		if (!find_zone(hosts, name))
			return;
		if (hosts->above_n == hosts->above_size) {
			hosts->above_size = hosts->above_size ? 2 * hosts->above_size : 64;
			hosts->above = mem_grow(
				hosts->above, hosts->above_size * sizeof *hosts->above);
		}
		hosts->above[hosts->above_n++] = key_hash(name);
	}
}

static void note_all_above(struct hosts *hosts)
{
	size_t n = 0;
	hosts_table_walk(hosts->table, note_above, hosts);
	if (!hosts->above_n)
		return;
	qsort(hosts->above, hosts->above_n, sizeof *hosts->above, compare_hashes);
	for (size_t i = 0; i < hosts->above_n; i++)
		if (!n || hosts->above[i] != hosts->above[n - 1])
			hosts->above[n++] = hosts->above[i];
	hosts->above_n = n;
}

static bool is_above(const struct hosts *hosts, const uint8_t *name)
{
	uint64_t hash = key_hash(name);
	return hosts->above_n && bsearch(&hash, hosts->above, hosts->above_n,
					 sizeof *hosts->above, compare_hashes);
}

static void *prepare(const struct link_given *given, char *error, size_t error_size)
{
	const struct link_value *files = &given->values[OPTION_FILES];
	if (!files->n) {
		(void)snprintf(error, error_size, "files: at least one hosts file is needed");
		return NULL;
	}
	struct reading r = { given, hosts_draft_new() };
	for (size_t i = 0; i < files->n; i++)
		if (!read_file(&r, i, error, error_size)) {
			hosts_draft_free(&r.draft);
			return NULL;
		}
	struct hosts *hosts = mem_new(sizeof *hosts);
	hosts->table = hosts_draft_finish(&r.draft);
	hosts->ttl = (uint32_t)(given->values[OPTION_TTL].number / 1000);
	hosts->zones_n = given->zones_n;
	hosts->zones = given->zones;
	if (hosts->zones_n)
		note_all_above(hosts);
	return hosts;
}

static void release(void *data)
{
	struct hosts *hosts = data;
	hosts_table_free(&hosts->table);
	mem_free(hosts->above);
	mem_free(hosts);
}

/* What localhost is, no file decides (RFC 6761 6.3): the built-in zone stays closed. */
static bool owns(const void *data, const uint8_t *name)
{
	static const uint8_t localhost[] = "\11localhost";
	const struct hosts *hosts = data;
	struct hosts_found found;
	return !name_is_at_or_below(name, localhost) &&
	       (hosts_table_find(hosts->table, name, key_hash(name), &found) ||
		       find_zone(hosts, name));
}

/* ---- questions ---- */

/* Workers need nothing of their own. */
static void *open_hosts(void *data, const struct link_calls *calls, void *inside)
{
	(void)calls, (void)inside;
	return data;
}

static const uint16_t types[HOSTS_SETS] = { TYPE_A, TYPE_AAAA, TYPE_PTR, TYPE_CNAME };

static bool put(struct link_ask *ask, const struct rrset *told)
{
	struct rrset *set = pad_copy(&ask->pad, told, sizeof *told);
	return set && outcome_add(&ask->outcome, set);
}

static bool put_found(struct link_ask *ask, const struct hosts *hosts,
	const struct hosts_found *found, enum hosts_set i)
{
	const struct hosts_records *set = &found->set[i];
	const struct rrset told = { .owner = found->name,
		.type = types[i],
		.class = CLASS_IN,
		.section = SECTION_ANSWER,
		.ttl = hosts->ttl,
		.n = set->n,
		.size = set->size,
		.records = set->records };
	return put(ask, &told);
}

/* Without an SOA nobody may remember that there is nothing (RFC 2308 5), and stubs ask for the
 * AAAA and HTTPS of every address of a hosts file again and again. The name is taken for a
 * zone of itself alone, in the manner of RFC 6303 3: any name above it would be a claim to
 * names that are not ours. */
static bool put_soa(struct link_ask *ask, const struct hosts *hosts, const uint8_t *zone,
	enum section section)
{
	static const uint8_t nobody[] = "\6nobody\7invalid";
	const uint32_t numbers[] = { 1, 3600, 1200, 604800, hosts->ttl };
	size_t name_n = name_len(zone);
	uint16_t len = (uint16_t)(name_n + sizeof nobody + sizeof numbers);
	uint8_t *records = pad_new(&ask->pad, sizeof len + len), *p = records;
	if (!records)
		return false;
	memcpy(p, &len, sizeof len);
	p += sizeof len;
	memcpy(p, zone, name_n);
	p += name_n;
	memcpy(p, nobody, sizeof nobody);
	p += sizeof nobody;
	for (size_t i = 0; i < array_len(numbers); i++)
		put_u32(p + 4 * i, numbers[i]);
	const struct rrset soa = { .owner = zone,
		.type = TYPE_SOA,
		.class = CLASS_IN,
		.section = (uint8_t)section,
		.ttl = hosts->ttl,
		.n = 1,
		.size = (uint32_t)(sizeof len + len),
		.records = records };
	return put(ask, &soa);
}

static bool tell(
	struct link_ask *ask, const struct hosts *hosts, const struct hosts_found *found)
{
	uint16_t type = ask->question.type;
	bool is_any = type == TYPE_ANY, is_told = false;
	const struct hosts_records *alias = &found->set[HOSTS_CNAME];
	ask->outcome.is_uncachable = true; /* a changed file shows at once */
	ask->outcome.is_authoritative = true;
	if (alias->n) {
		if (type != TYPE_CNAME && !is_any)
			ask->outcome.restart = alias->records + 2; /* behind its length */
		return put_found(ask, hosts, found, HOSTS_CNAME);
	}
	for (unsigned i = 0; i < HOSTS_CNAME; i++) {
		if (!found->set[i].n || !(is_any || types[i] == type))
			continue;
		if (!put_found(ask, hosts, found, i))
			return false;
		is_told = true;
	}
	if (is_told)
		return true;
	return put_soa(
		ask, hosts, found->name, type == TYPE_SOA ? SECTION_ANSWER : SECTION_AUTHORITY);
}

/* A name of a zone that is the link's: not there, or nothing but names below it. */
static bool tell_nothing(struct link_ask *ask, const struct hosts *hosts, const uint8_t *zone)
{
	bool is_apex = name_is_equal(ask->question.name, zone);
	bool is_soa = is_apex && ask->question.type == TYPE_SOA;
	ask->outcome.is_uncachable = true;
	ask->outcome.is_authoritative = true;
	if (!is_apex && !is_above(hosts, ask->question.name))
		ask->outcome.rcode = RCODE_NXDOMAIN;
	return put_soa(ask, hosts, zone, is_soa ? SECTION_ANSWER : SECTION_AUTHORITY);
}

static enum link_verdict ask_hosts(void *instance, struct link_ask *ask, void **state)
{
	(void)state;
	const struct hosts *hosts = instance;
	const struct link_question *q = &ask->question;
	struct hosts_found found;
	if (q->rr_class != CLASS_IN)
		return LINK_PASS;
	const uint8_t *zone = find_zone(hosts, q->name);
	bool is_there = hosts_table_find(hosts->table, q->name, key_hash(q->name), &found);
	if (!is_there && !zone)
		return LINK_PASS;
	if (is_there ? tell(ask, hosts, &found) : tell_nothing(ask, hosts, zone))
		return LINK_ANSWER;
	return ask_fail(ask, EDE_OTHER, "no memory");
}

const struct link link_hosts = { .abi = ROOTWARD_LINK_ABI,
	.kind = "hosts",
	.help = "Answers for the names in hosts files.",
	.options = options,
	.options_n = array_len(options),
	.is_local = true,
	.prepare = prepare,
	.release = release,
	.open = open_hosts,
	.ask = ask_hosts,
	.owns = owns };
