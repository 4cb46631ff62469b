/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/packet.h"

#include "base/bytes.h"
#include "text/rdata.h"
#include "wire/edns.h"
#include "wire/rdata.h"
#include "wire/reader.h"
#include "wire/record.h"
#include "wire/rrtype.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	CLIENT_SIZE = 4096, /* a client of ours takes that much */
	DO_BIT = 0x8000,    /* in an OPT's TTL */
	RECORDS_MAX = 512,  /* looked at in a message */
	FLAGS_CHECKED = FLAG_QR | FLAG_AA | FLAG_RD | FLAG_RA | FLAG_AD | FLAG_CD,
};

/* ---- what is asked ---- */

bool asked_read(struct asked *asked, const uint8_t *msg, size_t len, bool is_tcp)
{
	struct reader r;
	struct reader_record record;
	*asked = (struct asked){ .msg = msg, .len = len, .is_tcp = is_tcp };
	if (!reader_open(&r, msg, len) || get_u16(msg + 4) != 1 ||
		reader_question(&r, &asked->name, &asked->type, &asked->class) != 1)
		return false;
	asked->flags = get_u16(msg + 2);
	while (reader_record(&r, &record) == 1)
		if (record.type == TYPE_OPT) {
			asked->has_opt = true;
			asked->is_do = record.ttl & DO_BIT;
		}
	return true;
}

bool entry_is_for(const struct rpl_entry *entry, const struct asked *asked)
{
	unsigned match = entry->match;
	if (match & RPL_OPCODE &&
		(entry->flags & FLAGS_OPCODE) != (asked->flags & FLAGS_OPCODE))
		return false;
	if (match & (RPL_QNAME | RPL_QTYPE | RPL_QCLASS | RPL_SUBDOMAIN) && !entry->qname)
		return false;
	if (match & RPL_QNAME && !name_is_equal(entry->qname, asked->name.bytes))
		return false;
	if (match & RPL_SUBDOMAIN && !name_is_at_or_below(asked->name.bytes, entry->qname))
		return false;
	if ((match & RPL_QTYPE && entry->qtype != asked->type) ||
		(match & RPL_QCLASS && entry->qclass != asked->class))
		return false;
	if ((match & RPL_TCP && !asked->is_tcp) || (match & RPL_UDP && asked->is_tcp))
		return false;
	if ((match & RPL_DO && !asked->is_do) || (match & RPL_NOEDNS && asked->has_opt))
		return false;
	return !(match & RPL_EDNSDATA) || asked->has_opt;
}

/* ---- writing ---- */

static void put(struct packet *packet, const void *bytes, size_t n)
{
	must(packet->len + n <= sizeof packet->bytes);
	if (n)
		memcpy(packet->bytes + packet->len, bytes, n);
	packet->len += n;
}

static void put_16(struct packet *packet, unsigned x)
{
	uint8_t bytes[2];
	put_u16(bytes, (uint16_t)x);
	put(packet, bytes, sizeof bytes);
}

static void put_32(struct packet *packet, uint32_t x)
{
	put_16(packet, x >> 16);
	put_16(packet, x & 0xffff);
}

static void count_one(struct packet *packet, enum section section)
{
	uint8_t *count = packet->bytes + 4 + 2 * section;
	put_u16(count, (uint16_t)(get_u16(count) + 1));
}

static void put_header(struct packet *packet, uint16_t id, unsigned flags)
{
	packet->len = 0;
	put_16(packet, id);
	put_16(packet, flags);
	put_32(packet, 0);
	put_32(packet, 0);
}

static void put_question(
	struct packet *packet, const uint8_t *name, unsigned type, unsigned class)
{
	put(packet, name, name_len(name));
	put_16(packet, type);
	put_16(packet, class);
	count_one(packet, SECTION_QUESTION);
}

void packet_put(struct packet *packet, enum section section, const struct rpl_record *record)
{
	put(packet, record->owner, name_len(record->owner));
	put_16(packet, record->type);
	put_16(packet, record->class);
	put_32(packet, record->ttl);
	put_16(packet, record->rdata_len);
	put(packet, record->rdata, record->rdata_len);
	count_one(packet, section);
}

static void put_opt(struct packet *packet, const struct rpl_entry *entry, unsigned size)
{
	put(packet, "", 1);
	put_16(packet, TYPE_OPT);
	put_16(packet, size);
	put_32(packet, (uint32_t)(entry->rcode >> 4) << 24 | (entry->is_do ? DO_BIT : 0));
	put_16(packet, (unsigned)entry->options_len);
	put(packet, entry->options, entry->options_len);
	count_one(packet, SECTION_ADDITIONAL);
}

void packet_ask(struct packet *packet, const struct rpl_entry *entry, uint16_t id)
{
	put_header(packet, id, entry->flags & ~(unsigned)FLAG_QR);
	if (entry->qname)
		put_question(packet, entry->qname, entry->qtype, entry->qclass);
	for (const struct rpl_record *record = entry->records; record; record = record->next)
		packet_put(packet, record->section, record);
	if (!(entry->match & RPL_NOEDNS))
		put_opt(packet, entry, CLIENT_SIZE);
}

void packet_start(struct packet *packet, const struct asked *asked, uint16_t flags)
{
	put_header(packet, get_u16(asked->msg),
		flags | FLAG_QR | (asked->flags & (FLAG_RD | FLAGS_OPCODE)));
	put_question(packet, asked->name.bytes, asked->type, asked->class);
}

void packet_reply(
	struct packet *packet, const struct rpl_entry *entry, const struct asked *asked)
{
	uint16_t id = get_u16(asked->msg);
	if (entry->raw) {
		packet->len = 0;
		put(packet, entry->raw, entry->raw_len);
		if (entry->adjust & RPL_COPY_ID && entry->raw_len >= 2)
			put_u16(packet->bytes, id);
		return;
	}
	put_header(packet, entry->adjust & RPL_COPY_ID ? id : 0,
		entry->flags | (entry->rcode & 15));
	bool is_asked = entry->qname && name_is_equal(entry->qname, asked->name.bytes) &&
			entry->qtype == asked->type && entry->qclass == asked->class;
	if (is_asked || entry->adjust & RPL_COPY_QUERY)
		put_question(packet, asked->name.bytes, asked->type, asked->class);
	else if (entry->qname)
		put_question(packet, entry->qname, entry->qtype, entry->qclass);
	for (const struct rpl_record *record = entry->records; record; record = record->next)
		packet_put(packet, record->section, record);
	if (entry->has_opt)
		put_opt(packet, entry, CLIENT_SIZE);
}

/* ---- reading ---- */

struct found { /* a record of a message */
	struct name owner;
	enum section section;
	uint16_t type, class, len;
	uint32_t ttl;
	uint8_t *rdata;
	bool is_taken;
};

struct message_view {
	struct arena arena;
	uint16_t flags;
	unsigned rcode;
	bool has_question;
	struct name name;
	uint16_t type, class;
	int ede;
	size_t n;
	struct found *list;
};

static int ede_of(const uint8_t *options, size_t n)
{
	struct bytes b = { options, n, false };
	while (b.n) {
		uint16_t code = bytes_u16(&b), len = bytes_u16(&b);
		const uint8_t *value = bytes_take(&b, len);
		if (value && code == OPTION_EDE && len >= 2)
			return get_u16(value);
	}
	return -1;
}

static bool view_record(
	struct message_view *view, struct reader *r, const struct reader_record *record)
{
	if (record->type == TYPE_OPT) {
		view->rcode |= record->ttl >> 24 << 4;
		view->ede = ede_of(r->msg + record->rdata_at, record->rdata_len);
		return true;
	}
	uint8_t rdata[MESSAGE_MAX_LEN];
	int n = rdata_read(record->type, r->msg, r->len, record->rdata_at, record->rdata_len,
		rdata, sizeof rdata, &r->steps);
	if (n < 0 || view->n == RECORDS_MAX)
		return false;
	struct found *found = &view->list[view->n++];
	*found = (struct found){ record->owner, record->section, record->type, record->class,
		(uint16_t)n, record->ttl, arena_new(&view->arena, (size_t)n + 1), false };
	memcpy(found->rdata, rdata, (size_t)n);
	return true;
}

/* False: malformed. */
static bool view_read(struct message_view *view, const uint8_t *msg, size_t len)
{
	struct reader r;
	struct reader_record record;
	int rc;
	*view = (struct message_view){ .ede = -1 };
	if (!reader_open(&r, msg, len))
		return false;
	view->flags = get_u16(msg + 2);
	view->rcode = view->flags & 15;
	view->list = arena_new(&view->arena, RECORDS_MAX * sizeof *view->list);
	rc = reader_question(&r, &view->name, &view->type, &view->class);
	view->has_question = rc == 1;
	if (rc < 0)
		return false;
	while ((rc = reader_record(&r, &record)) == 1)
		if (!view_record(view, &r, &record))
			return false;
	return rc == 0;
}

/* ---- is it what was to come? ---- */

static bool differs(char *why, size_t size, const char *fmt, ...) PRINTF(3, 4);
static bool differs(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return false;
}

static void record_text(char *out, size_t size, const uint8_t *owner, uint16_t type,
	uint16_t class, uint32_t ttl, const uint8_t *rdata, uint16_t n)
{
	struct record record = { .owner = owner,
		.type = type,
		.class = class,
		.ttl = ttl,
		.rdata_len = n,
		.rdata = rdata };
	(void)record_print(out, size, &record);
}

static struct found *find_record(struct message_view *view, const struct rpl_record *record)
{
	for (size_t i = 0; i < view->n; i++) {
		struct found *found = &view->list[i];
		if (found->section == record->section && found->type == record->type &&
			name_is_equal(found->owner.bytes, record->owner) &&
			rdata_compare(found->type, found->rdata, found->len, record->rdata,
				record->rdata_len) == 0)
			return found;
	}
	return NULL;
}

static bool answers_fit(
	const struct rpl_entry *entry, struct message_view *view, char *why, size_t size)
{
	char text[400];
	for (const struct rpl_record *record = entry->records; record; record = record->next) {
		if (record->section != SECTION_ANSWER)
			continue;
		struct found *found = find_record(view, record);
		record_text(text, sizeof text, record->owner, record->type, record->class,
			record->ttl, record->rdata, record->rdata_len);
		if (!found)
			return differs(why, size, "missing in the answer: %s", text);
		found->is_taken = true;
		if (entry->match & RPL_TTL && found->ttl != record->ttl)
			return differs(why, size, "TTL %u, not that of: %s", found->ttl, text);
	}
	for (size_t i = 0; i < view->n; i++) {
		const struct found *found = &view->list[i];
		if (found->section != SECTION_ANSWER || found->is_taken)
			continue;
		record_text(text, sizeof text, found->owner.bytes, found->type, found->class,
			found->ttl, found->rdata, found->len);
		return differs(why, size, "beyond what is expected in the answer: %s", text);
	}
	return true;
}

static bool view_fits(
	const struct rpl_entry *entry, struct message_view *view, char *why, size_t size)
{
	unsigned match = entry->match;
	if (match & RPL_ALL)
		match |= RPL_OPCODE | RPL_QNAME | RPL_QTYPE | RPL_QCLASS | RPL_RCODE |
			 RPL_FLAGS | RPL_ANSWER;
	if (match & RPL_OPCODE && (entry->flags ^ view->flags) & FLAGS_OPCODE)
		return differs(why, size, "another opcode");
	if (match & (RPL_QNAME | RPL_QTYPE | RPL_QCLASS) &&
		(!entry->qname || !view->has_question))
		return entry->qname || view->has_question
			       ? differs(why, size, "with or without a question")
			       : true;
	if (match & RPL_QNAME && (!name_is_equal(entry->qname, view->name.bytes)))
		return differs(why, size, "another name is asked for");
	if (match & RPL_QCASE && memcmp(entry->qname, view->name.bytes, view->name.len) != 0)
		return differs(why, size, "the name asked for is spelt otherwise");
	if ((match & RPL_QTYPE && entry->qtype != view->type) ||
		(match & RPL_QCLASS && entry->qclass != view->class))
		return differs(why, size, "another type or class is asked for");
	if (match & RPL_RCODE && entry->rcode != view->rcode)
		return differs(why, size, "rcode %u instead of %u", view->rcode, entry->rcode);
	/* Nothing validates yet: AD may be missing where it is expected, not the other way. */
	unsigned flags = (entry->flags ^ view->flags) & FLAGS_CHECKED;
	if (entry->flags & FLAG_AD)
		flags &= ~(unsigned)FLAG_AD;
	if (match & RPL_FLAGS && flags)
		return differs(why, size, "flags %04x instead of %04x",
			view->flags & FLAGS_CHECKED, entry->flags & FLAGS_CHECKED);
	if (entry->ede >= 0 && entry->ede != view->ede)
		return differs(why, size, "EDE %d instead of %d", view->ede, entry->ede);
	return !(match & RPL_ANSWER) || answers_fit(entry, view, why, size);
}

bool entry_fits(const struct rpl_entry *entry, const uint8_t *msg, size_t len, char *why,
	size_t why_size)
{
	struct message_view view;
	bool fits = view_read(&view, msg, len)
			    ? view_fits(entry, &view, why, why_size)
			    : differs(why, why_size, "the reply is malformed");
	arena_fini(&view.arena);
	return fits;
}

void packet_print(char *out, size_t size, const uint8_t *msg, size_t len)
{
	static const char *const sections[] = { "", "answer", "authority", "additional" };
	struct message_view view;
	char name[NAME_TEXT_MAX] = "", type[RRTYPE_TEXT_MAX] = "", text[400];
	bool is_whole = view_read(&view, msg, len);
	if (view.has_question) {
		(void)name_print(name, view.name.bytes);
		(void)rrtype_print(type, view.type);
	}
	int n = snprintf(out, size, "flags %04x rcode %u ede %d, %s %s%s\n", view.flags,
		view.rcode, view.ede, name, type, is_whole ? "" : ", malformed");
	for (size_t i = 0; i < view.n && n >= 0 && (size_t)n < size; i++) {
		const struct found *found = &view.list[i];
		record_text(text, sizeof text, found->owner.bytes, found->type, found->class,
			found->ttl, found->rdata, found->len);
		n += snprintf(out + n, size - (size_t)n, "\t%s: %s\n", sections[found->section],
			text);
	}
	arena_fini(&view.arena);
}
