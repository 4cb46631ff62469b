/* SPDX-License-Identifier: BSD-2-Clause */
/* packet.h -- messages made of a scenario's entries, and held against them */
#pragma once

#include "scenario/rpl.h"

struct packet { /* open: one being written; zero to begin with */
	size_t len;
	uint8_t bytes[MESSAGE_MAX_LEN];
};

struct asked { /* open: what a message asks */
	const uint8_t *msg;
	size_t len;
	struct name name;
	uint16_t type, class, flags;
	bool has_opt, is_do, is_tcp;
};

/* False: no message with one question. */
bool asked_read(struct asked *asked, const uint8_t *msg, size_t len, bool is_tcp) CHECKED;
/* Whether the entry of a server is for that question. */
bool entry_is_for(const struct rpl_entry *entry, const struct asked *asked);

/* A question to the resolver. */
void packet_ask(struct packet *packet, const struct rpl_entry *entry, uint16_t id);
/* A reply by the entry. Where the entry's question is the one asked but for letter case, it is
 * echoed as it was spelt. */
void packet_reply(
	struct packet *packet, const struct rpl_entry *entry, const struct asked *asked);
/* A reply piece by piece. */
void packet_start(struct packet *packet, const struct asked *asked, uint16_t flags);
void packet_put(struct packet *packet, enum section section, const struct rpl_record *record);

/* Holds a reply to a client against an entry: opcode, question, code, flags but TC, the answer
 * section as a set, TTLs and extended error where they are asked for. False: why says it. */
bool entry_fits(const struct rpl_entry *entry, const uint8_t *msg, size_t len, char *why,
	size_t why_size) CHECKED;
/* Header, question and records on lines of their own. */
void packet_print(char *out, size_t size, const uint8_t *msg, size_t len);
