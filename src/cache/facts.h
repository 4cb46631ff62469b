/* SPDX-License-Identifier: BSD-2-Clause */
/* facts.h -- what is known of servers, shared by all workers
 *
 * What     Per address: smoothed round-trip time and its variance, failures in a row with a
 *          back-off, whether it understands EDNS, breaks 0x20, its cookie. Per address and
 *          zone: that it is lame there. Times are Jacobson's (RFC 6298) with the floors below.
 * Threads  Any; short locks per shard.
 * Memory   A fixed table (about 1 MiB for 8,192 servers); the least recently used go.
 * Limits   Time to give up 100..3,000 ms, doubled by a failure; back-off 1 s doubling to 60 s
 *          after 3 failures in a row; a lame mark lives 15 min; 1,048,576 servers.
 */
#pragma once

#include "base/endpoint.h"

enum facts_edns {
	EDNS_UNKNOWN,
	EDNS_GOOD,
	EDNS_NONE /* answered FORMERR to it and well without */
};

struct facts;                    /* the table */
struct fact {                    /* open: a copy */
	bool is_known;           /* ever heard of */
	uint32_t rtt_ms, rto_ms; /* smoothed; after how long to give up on a datagram */
	uint32_t failures;       /* in a row */
	uint64_t down_until_ms;  /* not to be asked before; 0: it may */
	uint8_t edns;
	bool breaks_case, is_lame; /* is_lame: for the zone asked about */
	uint8_t cookie_len;        /* 16..40: client and server cookie, to be sent */
	uint8_t cookie[40];
};

struct facts *facts_new(size_t servers);
void facts_free(struct facts **facts);
/* zone: lower case; NULL: is_lame is not looked up. An unknown server has rtt_ms 0 and the
 * first rto_ms of 376. */
void facts_get(struct facts *facts, const struct endpoint *server, const uint8_t *zone,
	uint64_t now_ms, struct fact *fact);
void facts_reply(struct facts *facts, const struct endpoint *server, uint32_t rtt_ms);
/* It was heard over TCP: it is there, and how long a datagram takes it does not say. */
void facts_heard(struct facts *facts, const struct endpoint *server);
/* A time-out or an unreachable host. Those that come while the server is left alone already are
 * of questions asked before and do not count. */
void facts_failure(struct facts *facts, const struct endpoint *server, uint64_t now_ms);
void facts_set_edns(struct facts *facts, const struct endpoint *server, enum facts_edns edns);
void facts_set_case(struct facts *facts, const struct endpoint *server, bool breaks);
/* n 0, or less than both halves are: it is forgotten. */
void facts_set_cookie(
	struct facts *facts, const struct endpoint *server, const uint8_t *cookie, size_t n);
void facts_set_lame(struct facts *facts, const struct endpoint *server, const uint8_t *zone,
	uint64_t now_ms);
/* No server at all answers: the fault is the uplink's, and what fails meanwhile says little. */
void facts_set_outage(struct facts *facts);
bool facts_is_outage(const struct facts *facts);
/* When any server was heard last, by any worker. */
void facts_note_heard(struct facts *facts, uint64_t now_ms);
uint64_t facts_heard_ms(const struct facts *facts);
/* Forgets every failure and back-off, and that there is an outage: the uplink is back, or
 * there is another. */
void facts_forgive(struct facts *facts);
/* How often that was: what failed before counts no more. */
uint32_t facts_epoch(const struct facts *facts);
