/* SPDX-License-Identifier: BSD-2-Clause */
/* reader.h -- a message record by record, without copying it
 *
 * What     Views into the message; nothing is believed, everything is bounded.
 * Limits   The message has one budget of compression pointers for all its names:
 *          64 per record it claims, 20,000 at most (limit L13).
 */
#pragma once

#include "base/def.h"
#include "wire/message.h"
#include "wire/name.h"

struct reader { /* open: a cursor */
	const uint8_t *msg;
	size_t len, at;
	unsigned steps;           /* pointer steps left */
	uint16_t count[SECTIONS]; /* records left to read in each section */
};

struct reader_record { /* open: a view */
	enum section section;
	struct name owner;
	uint16_t type, class, rdata_len;
	uint32_t ttl; /* as it stands: bit 31 is not judged here */
	size_t rdata_at;
};

/* False when there is no whole header. */
bool reader_open(struct reader *r, const uint8_t *msg, size_t len) CHECKED;
/* The next question; 1, 0 when there is none left, or -EBADMSG. */
int reader_question(
	struct reader *r, struct name *name, uint16_t *type, uint16_t *class) CHECKED;
/* The next record of answer, authority, additional; 1, 0 when all are read, or -EBADMSG. */
int reader_record(struct reader *r, struct reader_record *record) CHECKED;
