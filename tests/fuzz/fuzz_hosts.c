/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text is a hosts file. What is handed on are names and addresses; every name
 * is in the table, with all its addresses, or as an alias and nothing else. */
#include "base/mem.h"
#include "links/hosts_table.h"
#include "wire/key.h"
#include "wire/rdata.h"
#include "wire/rrtype.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct sink {
	struct hosts_draft *draft;
	const struct hosts_table *table;
	size_t names; /* that the table may have at most */
};

static void check_name(const struct name *name)
{
	must(name->len > 1 && name_check(name->bytes, name->len) == name->len);
	for (unsigned i = 0; i < name->len; i++)
		must(name->bytes[i] == name_lower_byte(name->bytes[i]));
}

static int collect(void *user, const struct hosts_entry *entry, struct err *err)
{
	struct sink *sink = user;
	check_name(&entry->name);
	if (entry->kind == HOSTS_ALIAS)
		check_name(&entry->target);
	sink->names += entry->is_first && entry->kind != HOSTS_ALIAS ? 2 : 1;
	return hosts_draft_add(sink->draft, entry, err);
}

static bool has(const struct hosts_records *set, const uint8_t *rdata, size_t n)
{
	const uint8_t *p = set->records;
	for (unsigned i = 0; i < set->n; i++) {
		uint16_t len;
		memcpy(&len, p, sizeof len);
		if (len == n && memcmp(p + sizeof len, rdata, n) == 0)
			return true;
		p += sizeof len + len;
	}
	return false;
}

static void check_sets(const struct hosts_found *found)
{
	static const uint16_t types[] = { TYPE_A, TYPE_AAAA, TYPE_PTR, TYPE_CNAME };
	unsigned others = 0;
	for (unsigned i = 0; i < HOSTS_SETS; i++) {
		const struct hosts_records *set = &found->set[i];
		const uint8_t *p = set->records;
		for (unsigned j = 0; j < set->n; j++) {
			uint16_t len;
			memcpy(&len, p, sizeof len);
			must(rdata_check(types[i], p + sizeof len, len));
			p += sizeof len + len;
		}
		must(p == set->records + set->size);
		others += i == HOSTS_CNAME ? 0 : set->n;
	}
	must(found->set[HOSTS_CNAME].n ? !others : others > 0);
}

static int compare(void *user, const struct hosts_entry *entry, struct err *err)
{
	const struct sink *sink = user;
	const uint8_t *name = entry->name.bytes;
	struct hosts_found found;
	(void)err;
	must(hosts_table_find(sink->table, name, key_hash(name), &found));
	must(name_is_equal(found.name, name));
	check_sets(&found);
	const struct hosts_records *alias = &found.set[HOSTS_CNAME];
	if (entry->kind == HOSTS_ALIAS || alias->n)
		return 0;
	bool is_v4 = entry->kind == HOSTS_IPV4;
	const struct hosts_records *set = &found.set[is_v4 ? HOSTS_A : HOSTS_AAAA];
	must(set->n == UINT8_MAX || has(set, entry->address, is_v4 ? 4 : 16));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct complaints complaints = { 0 };
	struct sink sink = { .draft = hosts_draft_new() };
	const char *text = (const char *)data;
	(void)hosts_scan_text("fuzz", text, n, collect, &sink, &complaints);
	must(complaints.errors == 0);
	struct hosts_table *table = hosts_draft_finish(&sink.draft);
	must(hosts_table_names(table) <= sink.names);
	sink.table = table;
	(void)hosts_scan_text("fuzz", text, n, compare, &sink, &complaints);
	complaints_fini(&complaints);
	hosts_table_free(&table);
	return 0;
}
