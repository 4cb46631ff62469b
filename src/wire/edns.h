/* SPDX-License-Identifier: BSD-2-Clause */
/* edns.h -- the OPT record of a query, and that of the reply
 *
 * Limits   32 options; a second NSID, COOKIE, keepalive, padding or client subnet is
 *          a format error (limit L15).
 * Read     RFC 6891, 5001, 7828, 7830, 7871 6, 7873, 8914.
 */
#pragma once

#include "base/def.h"

enum {
	OPTION_NSID = 3,
	OPTION_SUBNET = 8,
	OPTION_EXPIRE = 9,
	OPTION_COOKIE = 10,
	OPTION_KEEPALIVE = 11,
	OPTION_PADDING = 12,
	OPTION_CHAIN = 13,
	OPTION_EDE = 15,
};

enum {
	COOKIE_CLIENT_LEN = 8,
	COOKIE_MAX_LEN = 40,
	EDNS_OPTIONS_MAX = 32,
	EDNS_SIZE_MIN = 512,
	EDNS_FIXED_LEN = 11, /* OPT without options: root, type, size, ttl, length */
};

enum ede { /* info codes of RFC 8914 that we tell; 0 is "other" there, so none is -1 */
	EDE_NONE = -1,
	EDE_OTHER = 0,
	EDE_STALE = 3,
	EDE_CACHED_ERROR = 13,
	EDE_NOT_READY = 14,
	EDE_PROHIBITED = 18,
	EDE_STALE_NXDOMAIN = 19,
	EDE_NOT_AUTHORITATIVE = 20,
	EDE_NOT_SUPPORTED = 21,
	EDE_NO_REACHABLE = 22, /* no reachable authority */
	EDE_NETWORK = 23,
	EDE_INVALID_DATA = 24,
};

struct edns { /* open: the hot path; all zero: the query had none */
	bool is_present, is_do, want_nsid, want_keepalive, has_padding;
	uint8_t version;
	uint8_t cookie_len;    /* 0: none; else 8 or 16..40 */
	uint16_t size;         /* what the client takes over UDP, at least 512 */
	const uint8_t *cookie; /* in the query */
};

/* Reads an OPT record's class (size), ttl (version, DO) and options. False: a format error; the
 * fields read so far stand, is_present among them, so that the error can be told with an
 * OPT. */
bool edns_read(
	struct edns *edns, uint16_t class, uint32_t ttl, const uint8_t *options, size_t n);
