/* SPDX-License-Identifier: BSD-2-Clause */
/* writer.h -- builds a reply into somebody's buffer
 *
 * What     Header and question are laid down by writer_start; record sets follow
 *          section by section; what does not fit is taken back whole (mark, rollback),
 *          so a reply is cut at RRset borders only. Names in RDATA of the RFC 1035 types and
 *          owners are compressed.
 * Threads  Pure.
 * Memory   The buffer is the caller's and has at least 512 bytes.
 * Limits   Compression in O(n): one table of suffixes, 128 misses, then names go
 *          uncompressed (limit L14); no pointer above 16383.
 * Read     RFC 1035 4.1.4, 2181 9, 3597 4.
 */
#pragma once

#include "base/def.h"
#include "wire/message.h"
#include "wire/question.h"

enum {
	WRITER_SLOTS = 256
};

struct writer { /* open: the hot path */
	uint8_t *buf;
	uint32_t len, limit; /* bytes used; bytes allowed */
	uint16_t count[SECTIONS];
	uint16_t class;        /* of every record: that of the question */
	uint16_t misses, used; /* of the table */
	bool has_table;
	const uint8_t *anchor; /* a name that stands in the reply, NULL: none */
	uint16_t anchor_at;
	uint8_t anchor_len;
	uint16_t slot[WRITER_SLOTS]; /* offset of a suffix in buf; 0: free */
};

struct writer_mark {
	uint32_t len;
	uint16_t count[SECTIONS];
};

struct writer_owner {        /* open: a name and, when it stands in the reply already, where */
	const uint8_t *name; /* uncompressed */
	uint16_t at;         /* offset in the reply, 0: not known yet; told by what writes it */
};

/* Begins a reply to q: header (flags: QR and the query's opcode and RD, nothing else) and, when
 * there is one, the question as the client spelt it. limit: bytes the finished reply may have,
 * at least 512. */
void writer_start(struct writer *w, uint8_t *buf, uint32_t limit, const struct question *q);

/* Names that end in `name` (uncompressed, lower case), which stands at `at`, point there from
 * now on and are not looked for otherwise: for replies whose names have only their zone in
 * common. */
void writer_anchor(struct writer *w, const uint8_t *name, unsigned len, uint16_t at);

struct writer_mark writer_mark(const struct writer *w);
void writer_rollback(struct writer *w, const struct writer_mark *mark);

/* Appends one record; false when it does not fit (nothing is kept of it). */
bool writer_record(struct writer *w, enum section section, struct writer_owner *owner,
	uint16_t type, uint32_t ttl, const uint8_t *rdata, uint16_t rdata_len);
/* Appends n records of one type, stored one after the other as length (2 bytes, host order) and
 * RDATA; all or none. */
bool writer_set(struct writer *w, enum section section, struct writer_owner *owner,
	uint16_t type, uint32_t ttl, const uint8_t *records, unsigned n);

/* Writes the counts and the given flags into the header. */
void writer_finish(struct writer *w, uint16_t set_flags, unsigned rcode);
