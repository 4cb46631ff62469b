/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/writer.h"

#include "base/bytes.h"
#include "wire/rrtype.h"

enum {
	POINTER_MAX = 0x3fff,
	MISSES_MAX = 128,
	USED_MAX = WRITER_SLOTS * 3 / 4,
	SLOT_GONE = 0xffff, /* held a suffix that was rolled back */
	/* a slot: offset, and above it how many pointers a reader follows from there */
	DEPTH_SHIFT = 14,
	DEPTH_MAX = 3,     /* readers there are that give up after ten */
	RECORD_FIXED = 10, /* type, class, ttl, rdlength */
};

void writer_start(struct writer *w, uint8_t *buf, uint32_t limit, const struct question *q)
{
	w->buf = buf;
	w->limit = limit;
	w->class = q->class;
	w->has_table = false;
	w->anchor = NULL;
	memset(w->count, 0, sizeof w->count);
	put_u16(buf, q->id);
	put_u16(buf + 2, (uint16_t)(FLAG_QR | (q->flags & (FLAGS_OPCODE | FLAG_RD))));
	memset(buf + 4, 0, 8);
	w->len = HEADER_LEN;
	if (q->wire_len) {
		memcpy(buf + HEADER_LEN, q->wire, q->wire_len);
		w->len += q->wire_len;
		w->count[SECTION_QUESTION] = 1;
	}
}

void writer_anchor(struct writer *w, const uint8_t *name, unsigned len, uint16_t at)
{
	must(at && at <= POINTER_MAX);
	w->anchor = name;
	w->anchor_len = (uint8_t)len;
	w->anchor_at = at;
}

struct writer_mark writer_mark(const struct writer *w)
{
	struct writer_mark mark = { .len = w->len };
	memcpy(mark.count, w->count, sizeof mark.count);
	return mark;
}

void writer_rollback(struct writer *w, const struct writer_mark *mark)
{
	w->len = mark->len;
	memcpy(w->count, mark->count, sizeof w->count);
	if (!w->has_table)
		return;
	for (unsigned i = 0; i < WRITER_SLOTS; i++)
		if ((w->slot[i] & POINTER_MAX) >= mark->len)
			w->slot[i] = SLOT_GONE;
}

static uint32_t suffix_hash(uint32_t h, const uint8_t *label)
{
	for (unsigned i = 0; i <= *label; i++)
		h = (h ^ name_lower_byte(label[i])) * 0x01000193u;
	return h ^ h >> 15;
}

/* Where the name behind the label at `at` stands: the label's end, or where a pointer there
 * leads. */
static uint32_t next_place(const struct writer *w, uint32_t at)
{
	at += w->buf[at] + 1u;
	if (w->buf[at] >= 0xc0)
		return get_u16(w->buf + at) & POINTER_MAX;
	return at;
}

static bool is_same_label(const uint8_t *a, const uint8_t *b)
{
	for (unsigned i = 0; i <= *a; i++)
		if (name_lower_byte(a[i]) != name_lower_byte(b[i]))
			return false;
	return true;
}

/* The slot's value of the suffix that is label in front of what stands at `rest` (0: the root),
 * or 0; *slot gets where it would be put. */
static uint16_t find_suffix(const struct writer *w, uint32_t hash, const uint8_t *label,
	uint32_t rest, unsigned *slot)
{
	unsigned i = hash % WRITER_SLOTS;
	for (; w->slot[i]; i = (i + 1) % WRITER_SLOTS) {
		uint16_t at = w->slot[i] & POINTER_MAX;
		if (w->slot[i] == SLOT_GONE || !is_same_label(w->buf + at, label))
			continue;
		uint32_t next = next_place(w, at);
		if (rest ? next == rest : w->buf[next] == 0)
			break;
	}
	*slot = i;
	return w->slot[i];
}

/* Room for one more suffix: the table never fills, so every probe ends. */
static void put_suffix(struct writer *w, unsigned slot, uint32_t at, unsigned depth)
{
	if (at >= POINTER_MAX || w->used >= USED_MAX)
		return;
	w->slot[slot] = (uint16_t)(at | depth << DEPTH_SHIFT);
	w->used++;
}

static void start_table(struct writer *w)
{
	memset(w->slot, 0, sizeof w->slot);
	w->has_table = true;
	w->misses = w->used = 0;
	if (!w->count[SECTION_QUESTION])
		return;
	uint8_t at[NAME_MAX_LABELS + 1];
	unsigned n = 0;
	const uint8_t *name = w->buf + HEADER_LEN;
	for (unsigned i = 0; name[i]; i += name[i] + 1u)
		at[n++] = (uint8_t)i;
	uint32_t h = 0, rest = 0;
	while (n) {
		unsigned slot;
		h = suffix_hash(h, name + at[--n]);
		uint16_t found = find_suffix(w, h, name + at[n], rest, &slot);
		if (!found)
			put_suffix(w, slot, HEADER_LEN + at[n], 0);
		rest = found ? found : HEADER_LEN + at[n];
	}
}

/* What of name stands before the anchor; NULL: it does not end in it. */
static const uint8_t *before_anchor(const struct writer *w, const uint8_t *name)
{
	size_t n = name_len(name);
	if (n < w->anchor_len)
		return NULL;
	const uint8_t *tail = name + n - w->anchor_len, *p = name;
	while (p < tail)
		p += *p + 1;
	return p == tail && memcmp(p, w->anchor, w->anchor_len) == 0 ? p : NULL;
}

static bool write_anchored(struct writer *w, const uint8_t *name, size_t head)
{
	if (w->limit - w->len < head + 2)
		return false;
	memcpy(w->buf + w->len, name, head);
	put_u16(w->buf + w->len + head, (uint16_t)(0xc000 | w->anchor_at));
	w->len += (uint32_t)head + 2;
	return true;
}

/* Writes name at w->len; false when it does not fit. */
static bool write_name(struct writer *w, const uint8_t *name)
{
	const uint8_t *anchor = w->anchor ? before_anchor(w, name) : NULL;
	if (anchor)
		return write_anchored(w, name, (size_t)(anchor - name));
	uint8_t at[NAME_MAX_LABELS + 1];
	unsigned n = 0, end = 0;
	for (; name[end]; end += name[end] + 1u)
		at[n++] = (uint8_t)end;
	if (!w->has_table)
		start_table(w);
	uint32_t h = 0, rest = 0;
	unsigned slot = 0, left = n, depth = 0;
	if (w->misses < MISSES_MAX) {
		/* From the right, as far as the suffix stands in the reply already. */
		for (; left; left--) {
			uint32_t longer = suffix_hash(h, name + at[left - 1]);
			uint16_t found =
				find_suffix(w, longer, name + at[left - 1], rest, &slot);
			if (!found || found >> DEPTH_SHIFT == DEPTH_MAX)
				break;
			h = longer;
			rest = found & POINTER_MAX;
			depth = (found >> DEPTH_SHIFT) + 1u;
		}
	}
	unsigned head = left < n ? at[left] : end;
	unsigned need = head + (rest ? 2 : 1);
	if (w->limit - w->len < need)
		return false;
	memcpy(w->buf + w->len, name, head);
	uint32_t start = w->len;
	if (rest)
		put_u16(w->buf + start + head, (uint16_t)(0xc000 | rest));
	else
		w->buf[start + head] = 0;
	w->len += need;
	/* The new suffixes, so that later names find them. */
	for (; left && w->misses < MISSES_MAX; left--, w->misses++) {
		h = suffix_hash(h, name + at[left - 1]);
		if (find_suffix(w, h, name + at[left - 1], rest, &slot))
			/* a stale place with the same bytes: good enough, stop here */
			return true;
		put_suffix(w, slot, start + at[left - 1], depth);
		rest = start + at[left - 1];
	}
	return true;
}

/* Bytes of the fixed fields that stand around compressible names. */
static unsigned fixed_len(uint8_t field)
{
	return field == FIELD_U8 ? 1 : field == FIELD_U16 ? 2 : 4;
}

static bool write_bytes(struct writer *w, const uint8_t *p, size_t n)
{
	if (w->limit - w->len < n)
		return false;
	memcpy(w->buf + w->len, p, n);
	w->len += (uint32_t)n;
	return true;
}

static bool is_compressible(const struct rrtype *row)
{
	for (unsigned i = 0; row && i < FIELDS_MAX && row->fields[i]; i++)
		if (row->fields[i] == FIELD_CNAME)
			return true;
	return false;
}

static bool write_compressed(
	struct writer *w, const struct rrtype *row, const uint8_t *rdata, unsigned n)
{
	unsigned at = 0;
	for (unsigned i = 0; i < FIELDS_MAX && row->fields[i] && at < n; i++) {
		if (row->fields[i] == FIELD_CNAME) {
			if (!write_name(w, rdata + at))
				return false;
			at += (unsigned)name_len(rdata + at);
			continue;
		}
		unsigned len = fixed_len(row->fields[i]);
		if (!write_bytes(w, rdata + at, len))
			return false;
		at += len;
	}
	return true;
}

/* The first record of an owner spells it out, the others point there. */
static bool write_owner(struct writer *w, struct writer_owner *owner)
{
	if (owner->at == 0) {
		uint32_t at = w->len;
		if (owner->name[0] && at <= POINTER_MAX)
			owner->at = (uint16_t)at;
		return write_name(w, owner->name);
	}
	if (w->limit - w->len < 2)
		return false;
	put_u16(w->buf + w->len, (uint16_t)(0xc000 | owner->at));
	w->len += 2;
	return true;
}

static bool write_record(struct writer *w, struct writer_owner *owner,
	const struct rrtype *compressed, uint16_t type, uint32_t ttl, const uint8_t *rdata,
	uint16_t n)
{
	if (!write_owner(w, owner) || w->limit - w->len < RECORD_FIXED)
		return false;
	uint8_t *fixed = w->buf + w->len;
	put_u16(fixed, type);
	put_u16(fixed + 2, w->class);
	put_u32(fixed + 4, ttl);
	put_u16(fixed + 8, n);
	w->len += RECORD_FIXED;
	if (!compressed)
		return write_bytes(w, rdata, n);
	uint32_t start = w->len;
	if (!write_compressed(w, compressed, rdata, n))
		return false;
	put_u16(fixed + 8, (uint16_t)(w->len - start));
	return true;
}

bool writer_set(struct writer *w, enum section section, struct writer_owner *owner,
	uint16_t type, uint32_t ttl, const uint8_t *records, unsigned n)
{
	const struct rrtype *row = rrtype_find(type);
	if (!is_compressible(row))
		row = NULL;
	struct writer_mark mark = writer_mark(w);
	uint16_t at = owner->at;
	for (unsigned i = 0; i < n; i++) {
		uint16_t len;
		memcpy(&len, records, sizeof len);
		records += sizeof len;
		if (!write_record(w, owner, row, type, ttl, records, len)) {
			writer_rollback(w, &mark);
			owner->at = at;
			return false;
		}
		records += len;
	}
	w->count[section] = (uint16_t)(w->count[section] + n);
	return true;
}

bool writer_record(struct writer *w, enum section section, struct writer_owner *owner,
	uint16_t type, uint32_t ttl, const uint8_t *rdata, uint16_t rdata_len)
{
	const struct rrtype *row = rrtype_find(type);
	if (!is_compressible(row))
		row = NULL;
	struct writer_mark mark = writer_mark(w);
	uint16_t at = owner->at;
	if (!write_record(w, owner, row, type, ttl, rdata, rdata_len)) {
		writer_rollback(w, &mark);
		owner->at = at;
		return false;
	}
	w->count[section]++;
	return true;
}

void writer_finish(struct writer *w, uint16_t set_flags, unsigned rcode)
{
	put_u16(w->buf + 2, (uint16_t)(get_u16(w->buf + 2) | set_flags | (rcode & 15)));
	for (unsigned i = 0; i < SECTIONS; i++)
		put_u16(w->buf + 4 + 2 * i, w->count[i]);
}
