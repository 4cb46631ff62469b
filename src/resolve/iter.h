/* SPDX-License-Identifier: BSD-2-Clause */
/* iter.h -- the machine: what a resolution is made of, and who does what to it
 *
 * What     A resolution is a tree of iterators: the one at the top has the client's question,
 *          those below look for addresses of servers. An iterator goes from step to step
 *          (iter.c has the table) until it waits for replies or has come to its end:
 *
 *              LOOK -> CUT -> PICK -> SEND ~> READ -> ANSWER | ALIAS | DENIAL | REFERRAL
 *                              |                 \-> PICK, when the reply was none
 *                              \-> HOSTS ~> PICK, \-> EXHAUSTED -> CUT | FAIL
 *
 *          look.c knows what is known, cut.c finds delegations, select.c chooses a server,
 *          send.c asks it and looks at what came back, scrub.c at what that says, found.c keeps
 *          and tells it; hosts.c has addresses looked for, flight.c lets those who ask the same
 *          wait for one reply.
 * Threads  One worker.
 * Memory   All in the pad of the question.
 * Limits   L3, L4, L5, L8; 2 questions of an iterator at a time.
 */
#pragma once

#include "base/hash.h"
#include "base/list.h"
#include "resolve/minimise.h"
#include "resolve/resolver.h"
#include "resolve/scrub.h"

enum {
	HOSTS_MAX = 13,      /* names of servers of a delegation (L4) */
	HOST_ADDRESSES = 6,  /* of one of them (L4) */
	ASK_AGAIN = 2,       /* delegations that are kept but lead nowhere */
	SERVER_TRIES = 3,    /* datagrams without an answer (L8) */
	TRIES_AT_ONCE = 2,   /* one per family, until one is known to work */
	ZONE_SLOW_MAX = 200, /* questions that wait long on one zone, of all workers (L20) */
	ZONE_BUCKETS = 4096,
	FLIGHTS = 1024,
	FAMILIES = 2
};

enum family { /* as bits in host.asked */
	FAMILY_IPV4,
	FAMILY_IPV6
};

struct server { /* an address that may be asked */
	struct server *next;
	struct endpoint at;
	const uint8_t *host; /* its name, or NULL */
	uint8_t family;      /* enum family */
	uint8_t tries;       /* datagrams that were not answered */
	bool is_out;         /* not to be asked any more for this question */
	bool is_recursive;   /* what it said is what a cache knows: better than nothing */
	bool is_last;        /* not to be believed as long as there is another */
	bool no_edns, no_mix, is_tcp, has_bad_cookie, is_misspelling;
	bool is_tcp_tried; /* for its silence, not because it said so */
};

struct host { /* the name of a server */
	struct host *next;
	const uint8_t *name;      /* lower case */
	uint8_t asked;            /* bits of families: known, or looked for already */
	bool has_server, is_anew; /* is_anew: looked for though it was known */
};

struct cut { /* a delegation: who can be asked about a zone */
	const uint8_t *zone;
	uint64_t until_ms; /* what is learned of it ends then */
	const struct resolve_stub *stub;
	bool is_kept; /* as the cache had it */
	struct host *hosts;
	struct server *servers, **last;
};

struct attempt { /* a question under way; exchange NULL: none */
	struct exchange *exchange;
	struct iter *iter;
	struct server *server;
	const uint8_t *asked;
	uint16_t type;
	uint64_t sent_ms, seed; /* of the spelling */
	uint32_t timeout_ms;
	bool is_tcp, has_edns, is_mixed, is_edns_good, breaks_case, is_short;
	uint8_t letters, transport; /* enum cache_transport, of what came back */
	bool is_sure;               /* nobody but the server can have made the reply */
	uint8_t cookie[8];          /* the client's part of the one sent */
};

enum step {
	STEP_LOOK,
	STEP_CUT,
	STEP_PICK,
	STEP_SEND,
	STEP_READ,
	STEP_REFERRAL,
	STEP_ALIAS,
	STEP_ANSWER,
	STEP_DENIAL,
	STEP_BAD,
	STEP_HOSTS,
	STEP_EXHAUSTED,
	STEP_FAIL,
	STEPS,
	STEP_WAIT = STEPS,
	STEP_END
};

struct iter {
	struct list list;   /* in its resolution's */
	struct list ready;  /* likewise, when there is something to do */
	struct list race;   /* in the resolver's, until another family is tried */
	struct list flight; /* in the resolver's, while servers are asked what it->asked says */
	struct list joined; /* those who want to know the same, and wait */
	struct list join;   /* in that of another, or in those woken */
	const uint8_t *joined_for; /* what it has waited for so */
	uint16_t joined_type;
	uint64_t race_ms;
	struct resolution *resolution;
	struct iter *parent; /* who wants the address */
	struct host *host;   /* whose, of the parent's cut */
	struct iter *child;  /* who looks for an address now, or NULL */
	enum step step;
	uint8_t depth, labels;
	uint16_t type, asked_type;
	const uint8_t *name;  /* lower case; aliases change it */
	const uint8_t *asked; /* what servers are asked for: a suffix of it */
	struct minimise minimise;
	bool is_fresh;        /* the cache is passed by, down from the root */
	bool no_stub;         /* the stub's servers have failed */
	bool is_anew;         /* an address that is known is asked of the zone above its own */
	bool takes_any;       /* what a cache says will do */
	bool is_slow;         /* counted among those that wait long on their zone */
	uint8_t timeouts;     /* of questions shorter than the name */
	const uint8_t *above; /* the cut must lie above this zone, */
	const struct server *before; /* whose servers these were */
	uint32_t slow_bucket;
	struct cut cut;
	struct server *server; /* the one to be asked next */
	struct attempt attempts[TRIES_AT_ONCE];
	struct attempt *read;       /* whose reply is being read */
	const struct rrset *answer; /* at the end; NULL: there is none */
	unsigned rcode;             /* at the end */
};

struct resolution {
	struct list list; /* in the resolver's */
	struct list iters, ready;
	struct resolver *resolver;
	const struct resolve_opts *opts;
	const struct resolve_ask *ask;
	void (*done)(void *user);
	void *user;
	struct iter *top;
	uint64_t now_ms; /* of this turn */
	uint8_t again;   /* delegations in the cache that may yet be asked for anew */
	bool is_done;
	char why[OUTCOME_TEXT]; /* the last thing that went wrong with a server */
	int ede;
};

struct priming { /* `. NS` in the background */
	struct pad pad;
	struct budget budget;
	struct trace trace;
	struct outcome outcome;
	struct resolve_ask ask;
	struct resolution *resolution;
	uint64_t not_before_ms;
};

struct resolver {
	struct loop *loop;
	struct upstream *upstream;
	struct cache *cache;
	struct facts *facts;
	const struct resolve_opts *opts;
	struct list resolutions;
	uint32_t open;
	struct loop_timer *race_timer;
	struct list flights[FLIGHTS]; /* questions to servers, by what they ask */
	struct list woken;            /* iterators whose question another has settled */
	struct loop_timer *wake_timer;
	struct list racing;          /* in the order in which they are due */
	uint32_t failures[FAMILIES]; /* in a row, of all servers of the family */
	uint16_t slow[ZONE_BUCKETS]; /* iterators that wait long, by zone */
	uint16_t slow_max;           /* of them in one zone */
	uint64_t failing_ms;         /* when they began: nobody was heard since */
	struct hash_key secret;      /* of our cookies */
	struct priming priming;
	struct message message; /* the one being read, and */
	struct reply reply;     /* what it says */
	uint64_t took_us;
	size_t len;
	uint8_t buf[MESSAGE_MAX_LEN];
};

/* ---- iter.c ---- */

/* NULL: the pad is full. */
struct iter *iter_new(
	struct resolution *r, struct iter *parent, const uint8_t *name, uint16_t type) CHECKED;
/* Does what there is to do. r is gone afterwards if it has come to its end and done() says
 * so. */
void iter_turn(struct resolution *r);
void iter_wake(struct iter *it, enum step step);
/* Cancels what it and those below it wait for; it is no more in its resolution. */
void iter_drop(struct iter *it);
/* Notes why no answer can be given; returns STEP_FAIL. */
enum step iter_fail(struct iter *it, int ede, const char *fmt, ...) PRINTF(3, 4);
enum step iter_no_memory(struct iter *it);
/* Nobody is left to ask. */
enum step iter_give_up(struct iter *it);
enum step iter_conclude(struct iter *it, unsigned rcode);

/* ---- look.c ---- */

enum step step_look(struct iter *it);
/* Whether it->asked, which is shorter than the name, is known to be there. */
bool look_is_there(const struct iter *it);

/* ---- found.c ---- */

enum step step_answer(struct iter *it);
enum step step_alias(struct iter *it);
enum step step_denial(struct iter *it);
/* Keeps what was said of a name that is shorter than the one wanted. */
void found_keep_short(struct iter *it, const struct reply *reply);
/* Puts a set into the outcome when it is for that. False: there is no room. */
bool found_emit(struct iter *it, const struct rrset *set);
/* An answer is complete: with it go the servers of its zone, if that is wanted. What finds no
 * room is left out. */
void found_show_servers(struct iter *it);
void found_set_from(struct iter *it, const struct cache_from *from);
/* Whether a proof is of use to who asked. */
bool found_is_shown(const struct iter *it, const struct rrset *proof);
/* Takes n aliases from the budget; false: there are not so many left. */
bool found_take_aliases(struct iter *it, unsigned n);
enum step found_too_many(struct iter *it);
/* An alias leads to another name. */
enum step found_restart(struct iter *it, const uint8_t *target);

/* ---- hosts.c ---- */

enum step step_hosts(struct iter *it);
/* A host whose addresses, as its zone tells them, have not answered; the zone above may know
 * others. NULL: there is none. */
struct host *hosts_choose_known(const struct iter *it);
enum step hosts_look_anew(struct iter *it, struct host *host);
/* The addresses that were looked for are the parent's to use. */
void hosts_tell_parent(struct iter *it);

/* ---- resolver.c ---- */

/* The question at the top has come to its end. */
void resolution_end(struct resolution *r);

/* ---- cut.c ---- */

/* The deepest delegation above it->name that is known: 0, -ENOENT (no hints), -ENOMEM. */
int cut_find(struct iter *it) CHECKED;
/* The delegation that a reply from a server of the present cut tells: 0 or -ENOMEM. What may be
 * kept of it is. */
int cut_refer(struct iter *it, const struct reply *reply, const struct message *m) CHECKED;
/* Adds the addresses in set (A or AAAA) of a host. */
int cut_add(struct iter *it, struct host *host, const struct rrset *set, bool is_last) CHECKED;
int cut_add_server(
	struct iter *it, const uint8_t *host, const struct endpoint *at, bool is_last) CHECKED;
/* Adds the servers of the hints. */
int cut_add_hints(struct iter *it) CHECKED;
/* Remembers for a while, each time twice as long, that the cut has no server with an address
 * (RFC 9520, hazard B3), and whether it does. */
void cut_note_failure(const struct iter *it);
bool cut_has_failed(const struct iter *it);
/* Seconds for which something learned of the cut may be kept. */
uint32_t cut_left(const struct iter *it) PURE;
/* Keeps the addresses that stand beside the NS set in the reply being read: of the root, where
 * there is nobody else to ask (RFC 9609). */
void cut_keep_hosts(const struct iter *it, const struct rrset *ns);
bool cut_is_host(const struct cut *cut, const uint8_t *name) PURE;

/* ---- select.c ---- */

enum reach {          /* whom a choice is made from */
	REACH_FRESH,  /* those not asked yet */
	REACH_SILENT, /* those that gave no answer, too */
	REACH_ALL     /* last resorts as well */
};
/* The server to ask next, or NULL. family: -1 any. */
struct server *select_server(struct iter *it, enum reach reach, int family);
/* Whether an address may be asked that no operator has named (hazard A16). */
bool select_may_ask(const struct resolve_opts *opts, const struct endpoint *at) PURE;
/* Whether nothing good is known of this server yet. */
bool select_is_unsure(const struct iter *it, const struct server *server);
/* Another family is tried, the first having kept silent. */
void select_race(struct iter *it);

/* ---- flight.c ---- */

/* Whether another asks the same of the same zone; then it waits for that one's reply, once
 * (hazard A3). */
bool flight_join(struct iter *it);
/* Others may wait for it from now on. */
void flight_begin(struct iter *it);
/* Those who waited for it are woken. */
void flight_end(struct iter *it);
/* Wakes them. */
void flight_wake(struct resolver *resolver);

/* ---- send.c ---- */

/* Sends what it->asked says to it->server; STEP_WAIT or STEP_FAIL. */
enum step send_question(struct iter *it);
/* Whether a question of its is under way. */
bool send_is_waiting(const struct iter *it) PURE;
/* The other question under way is not waited for any longer. */
void send_cancel(struct iter *it);
/* Looks at the reply in resolver->buf before anybody believes it, and reads it into
 * resolver->message. False: *next is the step to take, for it is no answer. */
bool send_check(struct iter *it, enum step *next);
struct cache_from send_from(const struct iter *it);
void send_note(struct iter *it, enum trace_result result);
/* What is wrong with the server that it->read was sent to: for the client to read. */
void send_complain(struct iter *it, const char *what);
/* Counts the iterator among those that wait long on their zone, or no more. */
void send_set_slow(struct iter *it, bool is_slow);
