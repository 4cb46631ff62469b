/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/build.h"

#include "wire/message.h"
#include "wire/rdata.h"
#include "wire/rrtype.h"
#include "zone/draft.h"

#include <errno.h>
#include <stdlib.h>

enum {
	MAP_FROM = 1024 * 1024, /* text of this size gets a map of its own */
	SLOTS_MIN = 8,
	/* a guess that makes the table right at once for usual files */
	TEXT_PER_NAME = 48,
	/* what a reply has left for it */
	SET_MAX_LEN = 65535 - HEADER_LEN - NAME_MAX_LEN - 4 - 11,
	RECORD_WIRE = 12, /* a record's bytes in a message beside its RDATA */
};

static uint32_t slots_for(size_t names)
{
	uint32_t slots = SLOTS_MIN;
	while (slots / 4 * 3 < names)
		slots *= 2;
	return slots;
}

/* A large table is a map from the start: finish hands it over as it is. */
static void new_table(struct zone_build *b, uint32_t slots)
{
	size_t bytes = slots * sizeof *b->table;
	b->table_size = 0;
	b->table = bytes >= MAP_FROM ? map_new(bytes) : NULL;
	if (b->table)
		b->table_size = bytes;
	else
		b->table = mem_array(slots, sizeof *b->table);
	b->mask = slots - 1;
}

static void free_table(struct zone_slot *table, size_t size)
{
	if (size)
		map_free(table, size);
	else
		mem_free(table);
}

struct zone_build *zone_build_new(const uint8_t *apex, size_t bytes_hint)
{
	struct zone_build *b = mem_new(sizeof *b);
	b->zone = mem_new(sizeof *b->zone);
	b->zone->apex_len = (uint8_t)name_len(apex);
	b->zone->apex_labels = (uint8_t)name_labels(apex);
	name_lower(b->zone->apex_name, apex, b->zone->apex_len);
	b->apex_hash = key_hash(b->zone->apex_name);
	b->is_map = bytes_hint >= MAP_FROM;
	/* Only touched pages of a map cost memory: reserve for the worst usual case. */
	b->cap = b->is_map ? bytes_hint * 3 : bytes_hint + 1024;
	b->arena = b->is_map ? map_new(b->cap) : mem_new(b->cap);
	if (!b->arena) {
		b->is_map = false;
		b->arena = mem_new(b->cap);
	}
	b->used = ZONE_UNIT; /* offset 0 is none */
	new_table(b, slots_for(bytes_hint / TEXT_PER_NAME));
	return b;
}

void zone_build_free(struct zone_build **build)
{
	struct zone_build *b = *build;
	*build = NULL;
	if (!b)
		return;
	if (b->is_map)
		map_free(b->arena, b->cap);
	else
		mem_free(b->arena);
	free_table(b->table, b->table_size);
	mem_free(b->hand.list);
	mem_free(b->hand.bytes);
	mem_free(b->pieces);
	mem_free(b->issues);
	arena_fini(&b->side);
	mem_free(b->zone);
	mem_free(b);
}

/* Room for an issue about node, or NULL when there are enough. */
static struct draft_issue *put_issue(
	struct zone_build *b, bool is_error, const struct node *node)
{
	if (!b->issues)
		b->issues = mem_array(DRAFT_ISSUES_MAX, sizeof *b->issues);
	/* When full an error takes the place of the last: warnings never hide that the zone is
	 * refused. */
	size_t at = b->issues_n;
	if (at == DRAFT_ISSUES_MAX) {
		if (!is_error)
			return NULL;
		at--;
	} else {
		b->issues_n++;
	}
	struct draft_issue *issue = &b->issues[at];
	*issue = (struct draft_issue){ .is_error = is_error };
	memcpy(issue->owner.bytes, node->rel, node->rel_len);
	memcpy(issue->owner.bytes + node->rel_len, b->zone->apex_name, b->zone->apex_len);
	issue->owner.len = (uint8_t)(node->rel_len + b->zone->apex_len);
	return issue;
}

void draft_issue(struct zone_build *b, bool is_error, const struct node *node, uint16_t type,
	const char *reason)
{
	b->has_error |= is_error;
	struct draft_issue *issue = put_issue(b, is_error, node);
	if (!issue)
		return;
	issue->type = type;
	issue->reason = reason;
}

void draft_warn_target(struct zone_build *b, const struct node *node, uint16_t type,
	const uint8_t *target, const char *reason)
{
	struct draft_issue *issue = put_issue(b, false, node);
	if (!issue)
		return;
	issue->type = type;
	issue->reason = reason;
	issue->target.len = (uint8_t)name_len(target);
	memcpy(issue->target.bytes, target, issue->target.len);
}

uint64_t draft_hash(const struct zone_build *b, const uint8_t *rel, unsigned rel_len)
{
	uint8_t at[NAME_MAX_LABELS + 1];
	unsigned n = 0;
	for (unsigned i = 0; i < rel_len; i += rel[i] + 1u)
		at[n++] = (uint8_t)i;
	uint64_t h = b->apex_hash;
	while (n)
		h = key_step(h, rel + at[--n]);
	return h;
}

struct zone_slot *draft_slot(
	const struct zone_build *b, uint32_t hash, const uint8_t *rel, unsigned rel_len)
{
	uint32_t i = hash & b->mask;
	for (; b->table[i].offset; i = (i + 1) & b->mask) {
		if (b->table[i].hash != hash)
			continue;
		const struct node *node = draft_node(b, b->table[i].offset);
		if (node->rel_len == rel_len && memcmp(node->rel, rel, rel_len) == 0)
			break;
	}
	return &b->table[i];
}

static void fill_table(
	struct zone_slot *to, uint32_t mask, const struct zone_slot *from, uint32_t slots)
{
	for (uint32_t s = 0; s < slots; s++) {
		if (!from[s].offset)
			continue;
		uint32_t i = from[s].hash & mask;
		while (to[i].offset)
			i = (i + 1) & mask;
		to[i] = from[s];
	}
}

/* Enters a new node; the slot may be stale afterwards. */
static void put_slot(
	struct zone_build *b, struct zone_slot *slot, uint32_t hash, uint32_t offset)
{
	*slot = (struct zone_slot){ hash, offset };
	if (++b->slots_used <= b->mask / 4 * 3 + 1)
		return;
	struct zone_slot *old = b->table;
	size_t old_size = b->table_size;
	uint32_t slots = b->mask + 1;
	new_table(b, slots * 2);
	fill_table(b->table, b->mask, old, slots);
	free_table(old, old_size);
}

/* n more zeroed bytes at the arena's end, from an 8-aligned place. */
static uint8_t *take_room(struct zone_build *b, size_t n)
{
	n = (n + ZONE_UNIT - 1) / ZONE_UNIT * ZONE_UNIT;
	if (b->cap - b->used < n) {
		size_t cap = (b->cap + n) / 2 * 3;
		if (b->is_map) {
			uint8_t *moved = map_resize(b->arena, b->cap, cap);
			/* no room for it in one piece there: the heap may have it */
			if (!moved) {
				moved = mem_new(cap);
				memcpy(moved, b->arena, b->used);
				map_free(b->arena, b->cap);
				b->is_map = false;
			}
			b->arena = moved;
		} else {
			b->arena = mem_grow(b->arena, cap);
			memset(b->arena + b->cap, 0, cap - b->cap);
		}
		b->cap = cap;
	}
	uint8_t *p = b->arena + b->used;
	b->used += n;
	return p;
}

uint32_t draft_next(const struct zone_build *b, uint32_t offset)
{
	const struct node *node = draft_node(b, offset);
	const struct set *set = node_first_set(node);
	for (unsigned i = 0; i < node->sets; i++)
		set = set_after(set);
	size_t n = (size_t)((const uint8_t *)set - (const uint8_t *)node);
	return offset + (uint32_t)((n + ZONE_UNIT - 1) / ZONE_UNIT);
}

static uint32_t lay_node(struct zone_build *b, const uint8_t *rel, unsigned rel_len,
	size_t sets_bytes, uint8_t **sets)
{
	size_t head = (offsetof(struct node, rel) + rel_len + 3) & ~(size_t)3;
	uint8_t *p = take_room(b, head + sets_bytes);
	struct node *node = (struct node *)(void *)p;
	node->rel_len = (uint8_t)rel_len;
	memcpy(node->rel, rel, rel_len);
	*sets = p + head;
	return (uint32_t)((size_t)(p - b->arena) / ZONE_UNIT);
}

uint32_t draft_empty(struct zone_build *b, const uint8_t *rel, unsigned rel_len)
{
	uint8_t copy[NAME_MAX_LEN], *sets; /* rel may lie in the arena, which may move */
	memcpy(copy, rel, rel_len);
	uint32_t hash = (uint32_t)draft_hash(b, copy, rel_len);
	uint32_t offset = lay_node(b, copy, rel_len, 0, &sets);
	put_slot(b, draft_slot(b, hash, copy, rel_len), hash, offset);
	return offset;
}

/* ---- the owner in hand: sort, drop duplicates, lay down ---------------------- */

static uint16_t group(const struct draft_record *r)
{
	return r->type == TYPE_RRSIG ? r->covers : r->type;
}

static int compare(
	const struct draft_owner *o, const struct draft_record *x, const struct draft_record *y)
{
	if (group(x) != group(y))
		return group(x) < group(y) ? -1 : 1;
	if (x->type != y->type) /* the set, then the signatures over it */
		return x->type == TYPE_RRSIG ? 1 : -1;
	return rdata_compare(x->type, o->bytes + x->at, x->len, o->bytes + y->at, y->len);
}

static int compare_for_qsort(const void *x, const void *y, void *owner)
{
	return compare(owner, x, y);
}

static void sort_owner(struct draft_owner *o)
{
	if (o->n > 24) {
		qsort_r(o->list, o->n, sizeof o->list[0], compare_for_qsort, o);
		return;
	}
	for (size_t i = 1; i < o->n; i++) {
		struct draft_record r = o->list[i];
		size_t j = i;
		for (; j > 0 && compare(o, &o->list[j - 1], &r) > 0; j--)
			o->list[j] = o->list[j - 1];
		o->list[j] = r;
	}
}

/* A second SOA stays even when it says the same: such a file was put together wrong, and is
 * told so. */
static void drop_duplicates(struct draft_owner *o)
{
	size_t n = 0;
	for (size_t i = 0; i < o->n; i++) {
		if (n && o->list[i].type != TYPE_SOA &&
			compare(o, &o->list[n - 1], &o->list[i]) == 0) {
			if (o->list[i].ttl < o->list[n - 1].ttl)
				o->list[n - 1].ttl = o->list[i].ttl;
			continue;
		}
		o->list[n++] = o->list[i];
	}
	o->n = n;
}

/* The records from i on that make one set: returns the index behind it. */
static size_t set_end(const struct draft_owner *o, size_t i)
{
	size_t j = i + 1;
	while (j < o->n && o->list[j].type == o->list[i].type &&
		o->list[j].covers == o->list[i].covers)
		j++;
	return j;
}

static size_t records_bytes(
	const struct draft_owner *o, size_t i, size_t end, size_t per_record)
{
	size_t n = 0;
	for (; i < end; i++)
		n += o->list[i].len + per_record;
	return n;
}

static uint8_t *lay_set(const struct draft_owner *o, size_t i, size_t end, uint8_t *p)
{
	struct set *set = (struct set *)(void *)p;
	uint8_t *at = set->records;
	set->type = o->list[i].type;
	set->ttl = o->list[i].ttl;
	set->count = (uint16_t)(end - i);
	set->len = (uint16_t)records_bytes(o, i, end, 2);
	if (end < o->n && o->list[end].type == TYPE_RRSIG && set->type != TYPE_RRSIG &&
		o->list[end].covers == set->type)
		set->count |= SET_SIGNED;
	for (; i < end; i++) {
		const struct draft_record *r = &o->list[i];
		if (r->ttl < set->ttl) /* one TTL a set: the lowest (RFC 2181 5.2) */
			set->ttl = r->ttl;
		memcpy(at, &r->len, 2);
		memcpy(at + 2, o->bytes + r->at, r->len);
		at += 2 + r->len;
	}
	return p + ((offsetof(struct set, records) + set->len + 3u) & ~(size_t)3);
}

/* Sets that no message could hold are left out and told. */
static void refuse_large(
	struct zone_build *b, struct draft_owner *o, const uint8_t *rel, unsigned rel_len)
{
	for (size_t i = 0; i < o->n;) {
		size_t end = set_end(o, i);
		if (records_bytes(o, i, end, RECORD_WIRE) <= SET_MAX_LEN) {
			i = end;
			continue;
		}
		struct node *node = mem_new(sizeof *node + rel_len);
		node->rel_len = (uint8_t)rel_len;
		memcpy(node->rel, rel, rel_len);
		draft_issue(b, true, node, o->list[i].type,
			"the record set does not fit into a message of 65535 bytes");
		mem_free(node);
		memmove(&o->list[i], &o->list[end], (o->n - end) * sizeof o->list[0]);
		o->n -= end - i;
	}
}

static uint32_t lay_owner(
	struct zone_build *b, struct draft_owner *o, const uint8_t *rel, unsigned rel_len)
{
	if (o->n > 1) {
		sort_owner(o);
		drop_duplicates(o);
		refuse_large(b, o, rel, rel_len);
	}
	size_t bytes = 0;
	for (size_t i = 0, end; i < o->n; i = end) {
		end = set_end(o, i);
		bytes += (offsetof(struct set, records) + records_bytes(o, i, end, 2) + 3) &
			 ~(size_t)3;
	}
	uint8_t *p;
	uint32_t offset = lay_node(b, rel, rel_len, bytes, &p);
	struct node *node = draft_node(b, offset);
	bool only_hashes = o->n > 0;
	for (size_t i = 0, end; i < o->n; i = end) {
		end = set_end(o, i);
		const struct set *set = (const struct set *)(const void *)p;
		p = lay_set(o, i, end, p);
		/* Signatures that follow their set belong to it; others count as a set. */
		bool is_signature = i && set->type == TYPE_RRSIG &&
				    o->list[i - 1].type == o->list[i].covers;
		if (is_signature)
			continue;
		node->sets++;
		only_hashes &= set->type == TYPE_NSEC3;
		if (set->type == TYPE_NS && rel_len)
			node->flags |= NODE_CUT;
		if (set->type == TYPE_DNAME)
			node->flags |= NODE_DNAME;
		if (set->type == TYPE_CNAME)
			node->flags |= NODE_CNAME;
	}
	if (only_hashes)
		node->flags |= NODE_HASHED;
	return offset;
}

/* A second piece for a node that is there: kept aside until all are known. */
static void put_piece(struct zone_build *b, uint32_t node)
{
	if (b->pieces_n == b->pieces_cap) {
		b->pieces_cap = b->pieces_cap ? b->pieces_cap * 2 : 64;
		b->pieces = mem_grow(b->pieces, b->pieces_cap * sizeof *b->pieces);
	}
	struct draft_owner *o = &b->hand;
	struct draft_piece *piece = &b->pieces[b->pieces_n];
	*piece = (struct draft_piece){ node, (uint32_t)b->pieces_n, o->n, o->bytes_len,
		arena_new(&b->side, o->n * sizeof *o->list),
		arena_new(&b->side, o->bytes_len) };
	memcpy(piece->list, o->list, o->n * sizeof *o->list);
	memcpy(piece->bytes, o->bytes, o->bytes_len);
	b->pieces_n++;
}

static void flush_hand(struct zone_build *b)
{
	if (!b->has_owner)
		return;
	uint32_t hash = b->owner_hash;
	struct zone_slot *slot = draft_slot(b, hash, b->owner, b->owner_len);
	if (slot->offset)
		put_piece(b, slot->offset);
	else
		put_slot(b, slot, hash, lay_owner(b, &b->hand, b->owner, b->owner_len));
	b->hand.n = b->hand.bytes_len = 0;
	b->has_owner = false;
}

static void put_record(
	struct draft_owner *o, uint16_t type, uint32_t ttl, const uint8_t *rdata, uint16_t len)
{
	if (o->n == o->cap) {
		o->cap = o->cap ? o->cap * 2 : 16;
		o->list = mem_grow(o->list, o->cap * sizeof *o->list);
	}
	/* Also for a first record without RDATA: nothing is computed from NULL. */
	if (o->bytes_cap - o->bytes_len <= len) {
		o->bytes_cap = (o->bytes_cap + len + 32) * 2;
		o->bytes = mem_grow(o->bytes, o->bytes_cap);
	}
	uint16_t covers = type == TYPE_RRSIG ? (uint16_t)(rdata[0] << 8 | rdata[1]) : 0;
	o->list[o->n++] = (struct draft_record){ type, covers, len, ttl, o->bytes_len };
	if (len)
		memcpy(o->bytes + o->bytes_len, rdata, len);
	o->bytes_len += len;
}

/* Length of the owner's labels below the apex, or -1 when it lies outside. */
static int rel_len(const struct zone *zone, const uint8_t *owner)
{
	unsigned len = (unsigned)name_len(owner), apex_len = zone->apex_len;
	if (len < apex_len)
		return -1;
	unsigned at = 0;
	while (at < len - apex_len)
		at += owner[at] + 1u;
	if (at != len - apex_len)
		return -1;
	for (unsigned i = 0; i < apex_len; i++)
		if (name_lower_byte(owner[at + i]) != zone->apex_name[i])
			return -1;
	return (int)at;
}

int zone_build_add(struct zone_build *b, const struct record *record, struct err *err)
{
	char name[NAME_TEXT_MAX], zone[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	if (record->class != CLASS_IN)
		return err_set(err, -EINVAL, "class %u: only records of class IN are served",
			record->class);
	const struct rrtype *row = rrtype_find(record->type);
	if (record->type == 0 || (row && row->flags & RRTYPE_META))
		return err_set(err, -EINVAL,
			"%s is no type for a zone: it lives in messages only",
			rrtype_print(type, record->type));
	int len = rel_len(b->zone, record->owner);
	if (len < 0) {
		name_print(name, record->owner);
		name_print(zone, b->zone->apex_name);
		return err_set(err, -EINVAL, "%s lies outside the zone %s", name, zone);
	}
	uint8_t rel[NAME_MAX_LEN];
	name_lower(rel, record->owner, (size_t)len);
	if (!b->has_owner || b->owner_len != len || memcmp(b->owner, rel, (size_t)len) != 0) {
		flush_hand(b);
		memcpy(b->owner, rel, (size_t)len);
		b->owner_len = (uint8_t)len;
		b->has_owner = true;
		b->owner_hash = (uint32_t)draft_hash(b, b->owner, b->owner_len);
		__builtin_prefetch(&b->table[b->owner_hash & b->mask], 1);
	}
	put_record(&b->hand, record->type, record->ttl, record->rdata, record->rdata_len);
	return 0;
}

/* ---- the end ------------------------------------------------------------------ */

static int compare_pieces(const void *x, const void *y)
{
	const struct draft_piece *a = x, *b = y;
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

static void load_sets(struct draft_owner *o, const struct set *set)
{
	const uint8_t *p = set->records;
	for (unsigned i = 0; i < set_count(set); i++) {
		uint16_t len;
		memcpy(&len, p, sizeof len);
		put_record(o, set->type, set->ttl, p + sizeof len, len);
		p += sizeof len + len;
	}
}

/* One node and the pieces that came for it become a new node. */
static void merge_node(struct zone_build *b, const struct draft_piece *piece, size_t n)
{
	struct draft_owner *o = &b->hand;
	struct node *old = draft_node(b, piece->node);
	const struct set *set = node_first_set(old);
	o->n = o->bytes_len = 0;
	for (unsigned i = 0; i < old->sets; i++, set = set_after(set)) {
		load_sets(o, set);
		if (set_sigs(set))
			load_sets(o, set_sigs(set));
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < piece[i].n; k++) {
			const struct draft_record *r = &piece[i].list[k];
			put_record(o, r->type, r->ttl, piece[i].bytes + r->at, r->len);
		}
	old->flags |= NODE_DEAD;
	uint8_t rel[NAME_MAX_LEN];
	unsigned len = old->rel_len;
	memcpy(rel, old->rel, len);
	struct zone_slot *slot = draft_slot(b, (uint32_t)draft_hash(b, rel, len), rel, len);
	slot->offset = lay_owner(b, o, rel, len);
}

static void merge_pieces(struct zone_build *b)
{
	if (b->pieces_n > 1)
		qsort(b->pieces, b->pieces_n, sizeof *b->pieces, compare_pieces);
	for (size_t i = 0, end; i < b->pieces_n; i = end) {
		for (end = i + 1;
			end < b->pieces_n && b->pieces[end].node == b->pieces[i].node;)
			end++;
		merge_node(b, &b->pieces[i], end - i);
	}
	mem_free(b->pieces);
	b->pieces = NULL;
	arena_fini(&b->side);
}

/* A large zone: the draft's maps become its own. */
static void settle_maps(struct zone_build *b, uint32_t slots)
{
	struct zone *zone = b->zone;
	size_t page = 4096, size = (b->used + page - 1) / page * page;
	uint8_t *moved = map_resize(b->arena, b->cap, size);
	if (moved) {
		b->arena = moved;
		b->cap = size;
	}
	zone->arena_size = b->cap;
	if (slots != b->mask + 1) { /* there were fewer names than the text's size let expect */
		struct zone_slot *old = b->table;
		size_t old_size = b->table_size;
		uint32_t old_slots = b->mask + 1;
		new_table(b, slots);
		fill_table(b->table, b->mask, old, old_slots);
		free_table(old, old_size);
	}
	zone->table = b->table;
	zone->table_size = b->table_size;
	zone->is_table_heap = b->table_size == 0;
	b->table = NULL;
	b->table_size = 0;
}

/* A small zone: all in one block. */
static void settle_block(struct zone_build *b, uint32_t slots)
{
	size_t head = (sizeof *b->zone + 15) & ~(size_t)15,
	       table_bytes = slots * sizeof *b->table;
	uint8_t *block = mem_new(head + table_bytes + b->used);
	struct zone_slot *table = (struct zone_slot *)(void *)(block + head);
	memcpy(block, b->zone, sizeof *b->zone);
	mem_free(b->zone);
	b->zone = (struct zone *)(void *)block;
	memcpy(block + head + table_bytes, b->arena, b->used);
	mem_free(b->arena);
	b->arena = block + head + table_bytes;
	fill_table(table, slots - 1, b->table, b->mask + 1);
	b->zone->table = table;
}

static void settle(struct zone_build *b)
{
	uint32_t slots = slots_for(b->slots_used);
	if (b->is_map)
		settle_maps(b, slots);
	else
		settle_block(b, slots);
	b->zone->mask = slots - 1;
	b->zone->arena = b->arena;
	b->zone->bytes = b->used;
	b->zone->holders = 1;
	b->arena = NULL;
	b->is_map = false;
}

struct zone *zone_build_finish(struct zone_build **build, zone_issue_fn *on_issue, void *user)
{
	struct zone_build *b = *build;
	flush_hand(b);
	merge_pieces(b);
	draft_link(b);
	settle(b);
	draft_judge(b);
	for (size_t i = 0; i < b->issues_n; i++) {
		const struct draft_issue *issue = &b->issues[i];
		const struct zone_issue view = { issue->is_error, issue->owner.bytes,
			issue->type, issue->target.len ? issue->target.bytes : NULL,
			issue->reason };
		on_issue(user, &view);
	}
	struct zone *zone = b->zone;
	b->zone = NULL;
	if (b->has_error)
		zone_drop(&zone);
	zone_build_free(build);
	return zone;
}
