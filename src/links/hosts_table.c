/* SPDX-License-Identifier: BSD-2-Clause */
#include "links/hosts_table.h"

#include "base/mem.h"
#include "wire/key.h"

#include <string.h>

enum {
	FIRST_NAMES = 256, /* a power of two */
	FIRST_BYTES = 16 * 1024,
	BYTES_MAX = 256 * 1024 * 1024,
	ADDRESSES_MAX = 255,
	PTRS_MAX = 32,
	FACT_HEAD = 5, /* of the next one, and its set; a record follows: its length first */
	RECORD_HEAD = 2,
	ENTRY_HEAD = HOSTS_SETS, /* how many records are in each set */
};

static const uint8_t limits[HOSTS_SETS] = { ADDRESSES_MAX, ADDRESSES_MAX, PTRS_MAX, 1 };

/* ---- drafts --------------------------------------------------------------------------- */

struct draft_name {
	uint64_t hash;
	uint32_t name;        /* in bytes */
	uint32_t first, last; /* facts, in bytes; 0: none */
	uint8_t n[HOSTS_SETS];
};

struct hosts_draft {
	uint32_t n, room; /* of names; room is a power of two */
	struct draft_name *names;
	uint32_t *slots; /* twice the room: which name, counted from 1; 0: none */
	size_t bytes_n, bytes_room;
	uint8_t *bytes; /* names and facts */
};

static void fill_slots(struct hosts_draft *d)
{
	uint32_t mask = 2 * d->room - 1;
	mem_free(d->slots);
	d->slots = mem_array(2 * (size_t)d->room, sizeof d->slots[0]);
	for (uint32_t i = 0; i < d->n; i++) {
		uint32_t at = (uint32_t)d->names[i].hash & mask;
		while (d->slots[at])
			at = (at + 1) & mask;
		d->slots[at] = i + 1;
	}
}

struct hosts_draft *hosts_draft_new(void)
{
	struct hosts_draft *d = mem_new(sizeof *d);
	d->room = FIRST_NAMES;
	d->names = mem_array(d->room, sizeof d->names[0]);
	fill_slots(d);
	d->bytes_room = FIRST_BYTES;
	d->bytes = mem_new(d->bytes_room);
	d->bytes_n = 1; /* so that 0 is no place */
	return d;
}

void hosts_draft_free(struct hosts_draft **held)
{
	struct hosts_draft *d = *held;
	*held = NULL;
	if (!d)
		return;
	mem_free(d->names);
	mem_free(d->slots);
	mem_free(d->bytes);
	mem_free(d);
}

/* A place for n bytes. */
static uint32_t take_bytes(struct hosts_draft *d, size_t n)
{
	size_t at = d->bytes_n;
	if (d->bytes_room - at < n) {
		d->bytes_room *= 2;
		d->bytes = mem_grow(d->bytes, d->bytes_room);
	}
	d->bytes_n += n;
	return (uint32_t)at;
}

static struct draft_name *add_name(
	struct hosts_draft *d, const struct name *name, uint64_t hash, uint32_t slot)
{
	uint32_t at = take_bytes(d, name->len);
	memcpy(d->bytes + at, name->bytes, name->len);
	if (d->n == d->room) {
		d->room *= 2;
		d->names = mem_grow(d->names, d->room * sizeof d->names[0]);
		d->names[d->n] = (struct draft_name){ .hash = hash, .name = at };
		d->n++;
		fill_slots(d);
		return &d->names[d->n - 1];
	}
	d->names[d->n] = (struct draft_name){ .hash = hash, .name = at };
	d->slots[slot] = ++d->n;
	return &d->names[d->n - 1];
}

static struct draft_name *find_or_add(struct hosts_draft *d, const struct name *name)
{
	uint64_t hash = key_hash(name->bytes);
	uint32_t mask = 2 * d->room - 1, at = (uint32_t)hash & mask;
	for (; d->slots[at]; at = (at + 1) & mask) {
		struct draft_name *there = &d->names[d->slots[at] - 1];
		if (there->hash == hash && name_is_equal(d->bytes + there->name, name->bytes))
			return there;
	}
	return add_name(d, name, hash, at);
}

/* A fact as it lies in bytes. */
struct fact {
	uint32_t next;
	uint8_t set;
	uint16_t len;
	const uint8_t *record; /* the length, then the RDATA */
};

static struct fact fact_at(const struct hosts_draft *d, uint32_t at)
{
	const uint8_t *p = d->bytes + at;
	struct fact fact = { .set = p[4], .record = p + FACT_HEAD };
	memcpy(&fact.next, p, sizeof fact.next);
	memcpy(&fact.len, fact.record, sizeof fact.len);
	return fact;
}

static bool has_fact(const struct hosts_draft *d, const struct draft_name *name,
	enum hosts_set set, const uint8_t *rdata, size_t len)
{
	for (uint32_t at = name->n[set] ? name->first : 0; at;) {
		struct fact fact = fact_at(d, at);
		if (fact.set == set && fact.len == len &&
			memcmp(fact.record + RECORD_HEAD, rdata, len) == 0)
			return true;
		at = fact.next;
	}
	return false;
}

static void put_fact(struct hosts_draft *d, struct draft_name *name, enum hosts_set set,
	const uint8_t *rdata, size_t len)
{
	uint16_t record_len = (uint16_t)len;
	uint32_t at = take_bytes(d, FACT_HEAD + RECORD_HEAD + len);
	uint8_t *p = d->bytes + at;
	memset(p, 0, sizeof at);
	p[4] = (uint8_t)set;
	memcpy(p + FACT_HEAD, &record_len, sizeof record_len);
	memcpy(p + FACT_HEAD + RECORD_HEAD, rdata, len);
	if (name->last)
		memcpy(d->bytes + name->last, &at, sizeof at);
	else
		name->first = at;
	name->last = at;
	name->n[set]++;
}

static int add_fact(struct hosts_draft *d, const struct name *name, enum hosts_set set,
	const uint8_t *rdata, size_t len, struct err *err)
{
	if (d->bytes_n > BYTES_MAX)
		return err_set(
			err, 1, "there are too many names already; this one is left out");
	struct draft_name *there = find_or_add(d, name);
	if (has_fact(d, there, set, rdata, len))
		return 0;
	if (there->n[HOSTS_CNAME])
		return err_set(err, 1, "the name is an alias already; this is left out");
	if (set == HOSTS_CNAME && there->first)
		return err_set(err, 1, "the name has addresses already; the alias is left out");
	if (there->n[set] == limits[set])
		return err_set(err, 1,
			set == HOSTS_PTR
				? "the address has %u names already; it is not called by this "
				  "one"
				: "the name has %u addresses already; this one is left out",
			limits[set]);
	put_fact(d, there, set, rdata, len);
	return 0;
}

/* ---- what an address is called ---- */

static const uint8_t localhost[] = "\11localhost";

/* Whether the address is called by the name. */
static bool has_reverse(const struct hosts_entry *entry)
{
	static const uint8_t none[16], loop4[4] = { 127, 0, 0, 1 }, loop6[16] = { [15] = 1 };
	bool is_v4 = entry->kind == HOSTS_IPV4;
	size_t n = is_v4 ? 4 : 16;
	if (!entry->is_first || memcmp(entry->address, none, n) == 0)
		return false;
	if (memcmp(entry->address, is_v4 ? loop4 : loop6, n) == 0)
		return name_is_equal(entry->name.bytes, localhost);
	return !is_v4 || entry->address[0] != 127;
}

static size_t put_number(uint8_t *out, uint8_t x)
{
	uint8_t n = x > 99 ? 3 : x > 9 ? 2 : 1;
	out[0] = n;
	for (unsigned i = n; i > 0; i--, x /= 10)
		out[i] = (uint8_t)('0' + x % 10);
	return n + 1u;
}

static void reverse_of(struct name *out, const struct hosts_entry *entry)
{
	static const char digits[] = "0123456789abcdef";
	static const uint8_t v4[] = "\7in-addr\4arpa", v6[] = "\3ip6\4arpa";
	uint8_t *p = out->bytes;
	if (entry->kind == HOSTS_IPV4) {
		for (unsigned i = 4; i-- > 0;)
			p += put_number(p, entry->address[i]);
		memcpy(p, v4, sizeof v4);
		p += sizeof v4;
	} else {
		for (unsigned i = 16; i-- > 0;) {
			*p++ = 1;
			*p++ = (uint8_t)digits[entry->address[i] & 15];
			*p++ = 1;
			*p++ = (uint8_t)digits[entry->address[i] >> 4];
		}
		memcpy(p, v6, sizeof v6);
		p += sizeof v6;
	}
	out->len = (uint8_t)(p - out->bytes);
}

int hosts_draft_add(struct hosts_draft *d, const struct hosts_entry *entry, struct err *err)
{
	const struct name *name = &entry->name;
	if (entry->kind == HOSTS_ALIAS)
		return add_fact(
			d, name, HOSTS_CNAME, entry->target.bytes, entry->target.len, err);
	bool is_v4 = entry->kind == HOSTS_IPV4;
	int rc = add_fact(
		d, name, is_v4 ? HOSTS_A : HOSTS_AAAA, entry->address, is_v4 ? 4 : 16, err);
	if (rc || !has_reverse(entry))
		return rc;
	struct name reverse;
	reverse_of(&reverse, entry);
	return add_fact(d, &reverse, HOSTS_PTR, name->bytes, name->len, err);
}

/* ---- tables --------------------------------------------------------------------------- */

/* An entry is: how many records are in each set, the name, the records set by set, each with
 * its length before it. A slot's tag says most of the time that its entry is another, without
 * a look at it. */
struct hosts_table {
	size_t names, bytes, cap; /* slots: at least one is empty */
	const uint8_t *tags;      /* of slots; 0: it is empty */
	const uint8_t *entries;
	uint32_t at[]; /* of slots: where its entry is */
};

static uint8_t tag_of(uint64_t hash)
{
	return (uint8_t)(hash % 255 + 1);
}

static size_t slot_of(const struct hosts_table *t, uint64_t hash)
{
	return (size_t)((hash >> 32) * t->cap >> 32);
}

static size_t next_slot(const struct hosts_table *t, size_t slot)
{
	return slot + 1 == t->cap ? 0 : slot + 1;
}

static size_t entry_size(const struct hosts_draft *d, const struct draft_name *name)
{
	size_t n = ENTRY_HEAD + name_len(d->bytes + name->name);
	for (uint32_t at = name->first; at;) {
		struct fact fact = fact_at(d, at);
		n += RECORD_HEAD + fact.len;
		at = fact.next;
	}
	return n;
}

static uint8_t *write_entry(
	uint8_t *p, const struct hosts_draft *d, const struct draft_name *name)
{
	const uint8_t *owner = d->bytes + name->name;
	size_t len = name_len(owner);
	memcpy(p, name->n, ENTRY_HEAD);
	memcpy(p + ENTRY_HEAD, owner, len);
	p += ENTRY_HEAD + len;
	for (unsigned set = 0; set < HOSTS_SETS; set++)
		for (uint32_t at = name->n[set] ? name->first : 0; at;) {
			struct fact fact = fact_at(d, at);
			at = fact.next;
			if (fact.set != set)
				continue;
			memcpy(p, fact.record, RECORD_HEAD + (size_t)fact.len);
			p += RECORD_HEAD + fact.len;
		}
	return p;
}

struct hosts_table *hosts_draft_finish(struct hosts_draft **held)
{
	const struct hosts_draft *d = *held;
	size_t cap = d->n + d->n / 4 + 1, entries = 0;
	for (uint32_t i = 0; i < d->n; i++)
		entries += entry_size(d, &d->names[i]);
	size_t head = sizeof(struct hosts_table) + cap * (sizeof(uint32_t) + 1);
	struct hosts_table *t = mem_new(head + entries);
	uint8_t *tags = (uint8_t *)(t->at + cap), *first = tags + cap, *p = first;
	t->names = d->n;
	t->bytes = head + entries;
	t->cap = cap;
	t->tags = tags;
	t->entries = first;
	for (uint32_t i = 0; i < d->n; i++) {
		const struct draft_name *name = &d->names[i];
		size_t slot = slot_of(t, name->hash);
		while (tags[slot])
			slot = next_slot(t, slot);
		tags[slot] = tag_of(name->hash);
		t->at[slot] = (uint32_t)(p - first);
		p = write_entry(p, d, name);
	}
	hosts_draft_free(held);
	return t;
}

void hosts_table_free(struct hosts_table **held)
{
	mem_free(*held);
	*held = NULL;
}

size_t hosts_table_names(const struct hosts_table *t)
{
	return t->names;
}

size_t hosts_table_bytes(const struct hosts_table *t)
{
	return t->bytes;
}

static void open_entry(const uint8_t *p, struct hosts_found *found)
{
	const uint8_t *n = p;
	found->name = p + ENTRY_HEAD;
	p = found->name + name_len(found->name);
	for (unsigned set = 0; set < HOSTS_SETS; set++) {
		const uint8_t *first = p;
		for (unsigned i = 0; i < n[set]; i++) {
			uint16_t len;
			memcpy(&len, p, sizeof len);
			p += RECORD_HEAD + len;
		}
		found->set[set] =
			(struct hosts_records){ n[set], (uint32_t)(p - first), first };
	}
}

void hosts_table_walk(
	const struct hosts_table *t, void (*fn)(void *user, const uint8_t *name), void *user)
{
	for (size_t slot = 0; slot < t->cap; slot++)
		if (t->tags[slot])
			fn(user, t->entries + t->at[slot] + ENTRY_HEAD);
}

bool hosts_table_find(const struct hosts_table *t, const uint8_t *name, uint64_t hash,
	struct hosts_found *found)
{
	uint8_t tag = tag_of(hash);
	for (size_t slot = slot_of(t, hash); t->tags[slot]; slot = next_slot(t, slot)) {
		const uint8_t *entry = t->entries + t->at[slot];
		if (t->tags[slot] != tag || !name_is_equal(entry + ENTRY_HEAD, name))
			continue;
		open_entry(entry, found);
		return true;
	}
	return false;
}
