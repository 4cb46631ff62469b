/* SPDX-License-Identifier: BSD-2-Clause */
/* forward.h -- what the files of the forward link share; for links/ only
 *
 * What     forward_opts.c reads the options, forward.c asks servers and waits for them,
 *          forward_reply.c takes a reply apart, forward_health.c knows which server is up and
 *          chooses the next one.
 *
 *          A server is asked; when nothing comes within the time its replies take, the next one
 *          is asked too, and the first good reply wins. A server that was silent or out of
 *          reach a few times in a row is down: it gets questions of ours (`. NS`) until it
 *          answers them, and clients' only when no other server says anything.
 * Threads  struct forward is prepare()'s and never changed; the rest is a worker's.
 * Memory   A question's lies in the pad of the ask.
 * Limits   16 servers; 3 questions to each for one of a client, 8 at a time, out of its budget.
 * Read     RFC 5452, 5625, 6891, 8914.
 */
#pragma once

#include "base/list.h"
#include "chain/chain.h"
#include "wire/edns.h"

enum {
	FORWARD_SERVERS = 16,
	FORWARD_ROUNDS = 3, /* datagrams to a server for one question */
	FORWARD_TRIES = 8,
	FORWARD_PROBES = 4,
	FORWARD_WAITS = 11,
	FORWARD_OFF = 96
};

struct forward { /* what prepare() makes */
	size_t n;
	struct addr to[FORWARD_SERVERS];
	bool is_fastest;
	size_t zones_n; /* it is limited to; 0: none. The plan's */
	const uint8_t *const *zones;
	uint32_t timeout_ms, probe_ms, rise, fall;
	char off[FORWARD_OFF]; /* why it is not asked; "": it is */
};

/* ---- a worker's ---- */

struct forward_worker;

struct forward_probe { /* a question of ours; exchange NULL: none */
	struct exchange *exchange;
	struct forward_server *server;
	uint64_t sent_ms;
};

struct forward_server {
	struct forward_worker *worker;
	const struct addr *addr;
	struct endpoint at;
	bool is_down;
	uint32_t failures, successes; /* in a row */
	uint64_t heard_ms;            /* when it was heard last: what was sent before is past */
	uint64_t down_ms;             /* since when it is down */
	uint64_t probe_ms;            /* when it is asked next; 0: when there are clients */
	struct forward_probe probe[FORWARD_PROBES];
};

struct forward_worker {
	const struct forward *forward;
	const struct chain_inside *inside;
	uint64_t asked_ms; /* when a client asked last */
	uint32_t mute;     /* questions to which nobody said anything, in a row */
	bool is_quiet;     /* a server is down and not asked, for there are no clients */
	struct loop_timer *probe_timer, *wait_timer;
	uint64_t wait_due_ms;             /* 0: the timer is not set */
	struct list waits[FORWARD_WAITS]; /* of questions, each list by their times */
	size_t n;
	struct forward_server server[FORWARD_SERVERS];
};

struct forward_try { /* a question to a server; exchange NULL: none */
	struct exchange *exchange;
	struct forward_question *question;
	struct forward_server *server;
	uint64_t sent_ms;
	uint32_t wait_ms; /* then the next one is asked too */
	bool is_tcp, has_edns;
	uint8_t known_edns; /* enum facts_edns, when it was sent */
};

struct forward_seat { /* a server, as one question sees it */
	uint8_t sent;
	bool is_out;  /* what it says is known */
	bool no_edns; /* it did not understand it */
	bool has_failed;
};

struct forward_question {
	struct link_ask *ask;
	struct forward_worker *worker;
	struct list wait; /* in the worker's */
	uint64_t wait_due_ms, now_ms;
	enum link_verdict verdict;
	bool has_reply; /* some server has said something */
	bool has_error; /* a server has answered that it cannot tell */
	struct forward_try try[FORWARD_TRIES];
	struct forward_seat seat[FORWARD_SERVERS];
	int ede; /* why it failed, by the last server or the one that said most */
	bool is_ede_told;
	char why[OUTCOME_TEXT];
};

static inline struct forward_seat *forward_seat(
	struct forward_question *q, const struct forward_server *server)
{
	return &q->seat[server - q->worker->server];
}

/* ---- forward_opts.c ---- */

enum {
	FORWARD_OPTIONS = 7
};
extern const struct link_option forward_options[FORWARD_OPTIONS];
void *forward_prepare(const struct link_given *given, char *error, size_t error_size);
/* The name servers of the file at path that are not this host; when it has none, those of the
 * file at other. Both are watched. */
void forward_find_network(
	struct forward *f, const struct link_given *given, const char *path, const char *other);

/* ---- forward_health.c ---- */

void forward_open_health(struct forward_worker *worker);
void forward_close_health(struct forward_worker *worker);
/* A client asks: who is down may be asked again. */
void forward_note_client(struct forward_worker *worker, uint64_t now_ms);
void forward_heard(struct forward_server *server, uint64_t now_ms);
/* What was sent at sent_ms was not answered, or not with a message. */
void forward_failed(struct forward_server *server, uint64_t sent_ms, uint64_t now_ms);
/* Who is to be asked next; NULL: nobody, or not before those under way are given up. */
struct forward_server *forward_pick(struct forward_question *q);

/* ---- forward_reply.c ---- */

enum forward_result {
	FORWARD_ANSWER,    /* the outcome is filled */
	FORWARD_NO_MEMORY, /* or the question has used up what it may; q->why says it */
	FORWARD_BROKEN,    /* no message */
	FORWARD_ERROR,     /* the server says that it cannot tell */
	FORWARD_TRUNCATED, /* ask over TCP */
	FORWARD_PLAIN,     /* ask without EDNS */
};
/* Looks at what came back, notes it in the trace, and why it is no answer in q->why. */
enum forward_result forward_read(struct forward_try *try, const struct upstream_reply *reply);
void forward_note(
	const struct forward_try *try, enum trace_result result, unsigned rcode, uint64_t us);
/* Why the question fails if nobody else answers it. */
void forward_complain(struct forward_question *q, const struct forward_server *server, int ede,
	const char *what);
