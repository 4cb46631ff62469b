/* SPDX-License-Identifier: BSD-2-Clause */
/* rpl.h -- scenarios in the .rpl format, read
 *
 * What     CONFIG part, RANGEs of servers with their ENTRYs, STEPs: as testbound and Deckard
 *          write them. What is not understood is an error with its line.
 * Memory   All of a scenario lies in its arena.
 * Limits   A file of 4 MiB.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "net/addr.h"
#include "wire/message.h"
#include "wire/name.h"

enum rpl_match { /* what has to be equal */
	RPL_OPCODE = 1 << 0,
	RPL_QNAME = 1 << 1,
	RPL_QTYPE = 1 << 2,
	RPL_QCLASS = 1 << 3,
	RPL_SUBDOMAIN = 1 << 4, /* the name asked lies at or below the entry's */
	RPL_TCP = 1 << 5,
	RPL_UDP = 1 << 6,
	RPL_DO = 1 << 7,
	RPL_NOEDNS = 1 << 8,
	RPL_RCODE = 1 << 9,
	RPL_FLAGS = 1 << 10,
	RPL_ANSWER = 1 << 11,
	RPL_AUTHORITY = 1 << 12,
	RPL_ADDITIONAL = 1 << 13,
	RPL_TTL = 1 << 14,
	RPL_EDNSDATA = 1 << 15,
	RPL_QCASE = 1 << 16, /* the name as it was spelt */
	RPL_ALL = 1 << 17,   /* as the checker understands it */
};

enum rpl_adjust {
	RPL_COPY_ID = 1,
	RPL_COPY_QUERY = 2,
	RPL_SILENT = 4, /* do_not_answer */
};

struct rpl_record { /* open */
	struct rpl_record *next;
	enum section section;
	const uint8_t *owner, *rdata;
	uint16_t type, class, rdata_len;
	uint32_t ttl;
};

struct rpl_entry { /* open */
	struct rpl_entry *next;
	unsigned line, match, adjust;
	int ede;           /* that has to be told; -1: any or none */
	uint32_t delay_ms; /* ADJUST sleep=SECONDS */
	uint16_t flags;    /* of the header, with the opcode */
	unsigned rcode;
	bool is_do, has_opt;
	const uint8_t *qname; /* NULL: there is no question */
	uint16_t qtype, qclass;
	struct rpl_record *records; /* in their order */
	const uint8_t *options;     /* HEX_EDNSDATA: of the OPT record */
	size_t options_len;
	const uint8_t *raw; /* HEX_ANSWER: the message itself; NULL: none */
	size_t raw_len;
};

enum {
	RPL_ADDRESSES = 16
};

struct rpl_range { /* open: what servers do from one step to another */
	struct rpl_range *next;
	unsigned line, from, to;
	size_t n; /* 0: every server */
	struct addr address[RPL_ADDRESSES];
	struct rpl_entry *entries;
};

enum rpl_do {
	RPL_NOTHING,
	RPL_QUERY,
	RPL_CHECK_ANSWER,
	RPL_CHECK_OUT_QUERY,
	RPL_REPLY,
	RPL_TIMEOUT,
	RPL_TIME_PASSES,
	RPL_TRAFFIC, /* what is due happens */
	RPL_ERROR,   /* the server cannot be reached */
};

struct rpl_step { /* open */
	struct rpl_step *next;
	unsigned line, number;
	enum rpl_do what;
	uint64_t elapse_ms;
	bool has_address;
	struct addr address;
	const struct rpl_entry *entry; /* NULL: none */
};

struct rpl_config { /* open: a line of the CONFIG part */
	struct rpl_config *next;
	unsigned line;
	unsigned clause; /* counts the zones: those of one have the same number */
	const char *in;  /* "server", "stub-zone", ... */
	const char *key, *value;
};

struct rpl { /* open: zero, then rpl_read() */
	struct arena arena;
	const char *title;
	struct rpl_config *config;
	struct rpl_range *ranges;
	struct rpl_step *steps;
};

/* 0; -EINVAL: err says "path:line: reason"; -EIO. */
int rpl_read(struct rpl *rpl, const char *path, struct err *err) CHECKED;
int rpl_read_text(
	struct rpl *rpl, const char *path, const char *text, size_t n, struct err *err) CHECKED;
void rpl_fini(struct rpl *rpl);
