/* SPDX-License-Identifier: BSD-2-Clause */
/* link.h -- a link of the chain; the interface that plugins are built against
 *
 * What     A link is asked a question and returns a verdict; when it waits for something, it is
 *          told of it and returns a verdict again. It never calls up and is never called by
 *          surprise, so it cannot answer twice, nor after it was cancelled. A kind has two
 *          lives: prepare() on the builder's thread, which may fail and yields data that is
 *          never changed; open() on every worker, which cannot fail.
 * Threads  prepare() and release() on one thread at a time; the rest on the worker that opened.
 * Memory   What ask() puts into *state is the link's; it is given back by the verdict that
 *          ends the question, or in cancel(). Everything handed to a link lives until then.
 * Limits   link_calls->send() takes from the question's budget; it and add() say no when there
 *          is none left.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROOTWARD_LINK_ABI 1

enum link_verdict {
	LINK_ANSWER, /* the reply is complete */
	LINK_PASS,   /* not mine: ask the next link */
	LINK_WAIT,   /* an event will come */
	LINK_FAIL,   /* mine, but I cannot tell: link_calls->fail() has said why */
};

/* ---- options ---- */

enum link_option_kind {
	LINK_OPTION_TEXT,  /* a word */
	LINK_OPTION_TEXTS, /* a list of words */
	LINK_OPTION_PATHS, /* a list of paths, counted from the file's folder already */
	LINK_OPTION_DURATION, /* milliseconds: 1h30m */
	LINK_OPTION_NUMBER,
	LINK_OPTION_BOOL,
};

struct link_option { /* open: a row */
	const char *key;
	enum link_option_kind kind;
	const char *fallback; /* as the file would say it; NULL: none */
	uint64_t min, max;    /* of numbers and durations; max of a list: its entries */
	const char *help;     /* one sentence */
};

struct link_value { /* open: one for every row, in their order */
	bool is_given;
	uint64_t number;           /* of DURATION, NUMBER, BOOL */
	size_t n;                  /* of texts */
	const char *const *texts;  /* of TEXT (one), TEXTS, PATHS */
	const char *const *places; /* "file:line:column" of each */
};

struct link_given {       /* open: what prepare() gets */
	const char *name; /* what the file calls this link */
	const struct link_value *values;
	/* The zones the file limits the link to; lower-case names on the wire. n 0: all. */
	size_t zones_n;
	const uint8_t *const *zones;
	/* Tells the operator about something that is odd but not wrong. */
	void (*warn)(void *teller, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
	/* The data is made of the file at path, absolute: when it changes, comes or goes, the
	 * link is prepared anew. To be told before the file is opened. */
	void (*watch)(void *teller, const char *path);
	void *teller;
};

/* ---- questions ---- */

struct link_ask; /* a question on its way */

struct link_question {       /* open */
	const uint8_t *name; /* lower case, uncompressed */
	size_t name_len;
	uint16_t type, rr_class;
	bool is_dnssec;            /* signatures are wanted */
	bool is_checking_disabled; /* CD */
	bool is_live;              /* the caches are to be passed by */
};

enum link_section {
	LINK_SECTION_ANSWER = 1,
	LINK_SECTION_AUTHORITY = 2,
	LINK_SECTION_ADDITIONAL = 3
};

struct link_event { /* open: what a link waited for */
	enum {
		LINK_EVENT_REPLY,   /* message, len */
		LINK_EVENT_TIMEOUT, /* no reply in time */
		LINK_EVENT_ERROR,   /* the server cannot be reached */
		LINK_EVENT_TIMER,
		LINK_EVENT_WAKE, /* of what only links inside the daemon wait for */
	} kind;
	const uint8_t *message; /* the name, type, class and id match the question sent */
	size_t len;
	uint64_t took_us;
	void *tag; /* as given to send() or timer() */
};

/* What a link may do. All of it on its worker, and only from ask() and event(). */
struct link_calls { /* open */
	const struct link_question *(*question)(const struct link_ask *ask);
	/* Adds a record to the reply. rdata is uncompressed and is checked. False: it is wrong,
	 * or there is no room. */
	bool (*add)(struct link_ask *ask, enum link_section section, const uint8_t *owner,
		uint16_t type, uint32_t ttl, const uint8_t *rdata, size_t len);
	void (*set_rcode)(struct link_ask *ask, unsigned rcode);
	/* The reply is not to be kept by the chain. */
	void (*set_uncachable)(struct link_ask *ask);
	/* Says why, for LINK_FAIL. ede: an RFC 8914 code, or -1. Returns LINK_FAIL. */
	enum link_verdict (*fail)(struct link_ask *ask, int ede, const char *fmt, ...)
		__attribute__((format(printf, 3, 4)));
	/* Sends a question for name and type to an address ("192.0.2.1@53"); a reply over UDP
	 * that is truncated is asked for again over TCP. One LINK_EVENT_REPLY, _TIMEOUT or
	 * _ERROR follows. False: no budget, no socket, or no address. */
	bool (*send)(struct link_ask *ask, const char *address, const uint8_t *name,
		uint16_t type, uint32_t timeout_ms, void *tag);
	/* One LINK_EVENT_TIMER follows. */
	bool (*timer)(struct link_ask *ask, uint32_t after_ms, void *tag);
	uint64_t (*now_ms)(void); /* monotonic */
};

struct link {         /* open: what a plugin exports as rootward_link */
	uint32_t abi; /* ROOTWARD_LINK_ABI */
	const char *kind;
	const char *help; /* one sentence */
	const struct link_option *options;
	size_t options_n;
	/* Answers from what it has at once and never waits: such links are asked before what
	 * farther links told is taken from the cache. */
	bool is_local;
	/* The data of the link, or NULL with the reason in error ("file:line:column: ..."). */
	void *(*prepare)(const struct link_given *given, char *error, size_t error_size);
	void (*release)(void *data);
	void *(*open)(void *data, const struct link_calls *calls, void *inside);
	void (*close)(void *instance);
	enum link_verdict (*ask)(void *instance, struct link_ask *ask, void **state);
	enum link_verdict (*event)(void *instance, struct link_ask *ask, void *state,
		const struct link_event *event);
	void (*cancel)(void *instance, struct link_ask *ask, void *state);
	/* Whether the data has this very name: it is asked about even where special-use names
	 * are not. */
	bool (*owns)(const void *data, const uint8_t *name);
};
