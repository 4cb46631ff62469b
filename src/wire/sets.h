/* SPDX-License-Identifier: BSD-2-Clause */
/* sets.h -- a message from another server, read whole into record sets
 *
 * What     Header, question, OPT and the record sets of each section, in their order; names
 *          uncompressed, RDATA checked (rdata_read()). Signatures stand with the set they
 *          cover. Records that are there twice are kept once; of a type that stands alone
 *          (CNAME, DNAME, SOA) the first is kept.
 * Threads  Pure.
 * Memory   All is put into the caller's pad.
 * Limits   256 records in a set, the rest of it is dropped (L16); 1,024 sets; compression
 *          steps as in name.h (L13); at most four times the message's length from the pad, and
 *          linear in it (hazard B14).
 * Read     RFC 1035 4, 2181 5, 3597, 6891, 8914.
 */
#pragma once

#include "base/pad.h"
#include "wire/message.h"
#include "wire/name.h"

struct rrset {                /* open: a view; what it points at belongs to whoever made it */
	const uint8_t *owner; /* uncompressed, as it was spelt */
	uint16_t type, class;
	uint8_t section; /* enum section */
	uint32_t ttl;    /* the least of its records'; bit 31 set counts as 0 */
	uint16_t n, sigs;
	uint32_t size, sigs_size; /* bytes of what follows */
	/* As writer_set() takes them: length (2 bytes, host order) and RDATA, one after the
	 * other; sig_records are RRSIG RDATA in the same form, NULL without any. */
	const uint8_t *records, *sig_records;
};

struct message { /* open */
	uint16_t id, flags;
	unsigned rcode; /* with the OPT's upper bits */
	bool has_question;
	struct name name; /* of the question, as spelt */
	uint16_t type, class;
	bool has_opt;
	uint16_t opt_size;
	int ede;                          /* the first EDE's info code, or -1 */
	const uint8_t *ede_text, *cookie; /* in the message; not terminated */
	uint16_t ede_text_len, cookie_len;
	size_t n;
	struct rrset *sets;
};

/* 0; -EBADMSG: no message, or no room for one. What could be read of the header stands. */
int message_read(struct message *m, const uint8_t *msg, size_t len, struct pad *pad) CHECKED;

/* The set of owner (letter case ignored) and type in section, or NULL. */
const struct rrset *message_find(
	const struct message *m, enum section section, const uint8_t *owner, uint16_t type);

/* A copy of the set in pad; NULL when there is no room. */
struct rrset *rrset_copy(struct pad *pad, const struct rrset *set) CHECKED;

/* Record i of a set: its RDATA and length; NULL beyond the last. For loops from 0 on use
 * rrset_next(): NULL begins. */
const uint8_t *rrset_next(const struct rrset *set, const uint8_t *at, uint16_t *len);

struct query_opts {             /* open: a question to another server */
	uint16_t id, edns_size; /* edns_size 0: no OPT */
	bool is_recursive, is_dnssec, is_checking_disabled;
	const uint8_t *cookie; /* client cookie, and the server's after it */
	uint8_t cookie_len;
};
/* Writes a question (class IN) as a message into buf (at least 320 bytes). name's spelling is
 * kept. Returns its length. */
size_t query_write(
	uint8_t *buf, const uint8_t *name, uint16_t type, const struct query_opts *opts);
