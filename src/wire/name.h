/* SPDX-License-Identifier: BSD-2-Clause */
/* name.h -- domain names as the wire has them
 *
 * What     A name is a run of labels, each a length byte and its bytes, ended by
 *          the root's zero byte; uncompressed unless a function says otherwise.
 *          Names are counted bytes, never C strings (hazard A17).
 * Threads  Pure.
 * Limits   255 bytes, 63 per label, so 127 labels beside the root's.
 * Read     RFC 1035 3.1 4.1.4, 4034 6.1, 4343.
 */
#pragma once

#include "base/def.h"
#include "base/err.h"

enum {
	NAME_MAX_LEN = 255,
	LABEL_MAX_LEN = 63,
	NAME_MAX_LABELS = 127,
	NAME_TEXT_MAX = 1024, /* every byte as \DDD, dots, terminator */
};

struct name {        /* open: a name with its own storage */
	uint8_t len; /* of bytes, the root's zero byte counted; at least 1 */
	uint8_t bytes[NAME_MAX_LEN];
};

/* Lower-cases ASCII letters; every other byte is itself. */
static inline uint8_t name_lower_byte(uint8_t c)
{
	return (uint8_t)(c + ((uint8_t)(c - 'A') < 26) * 32);
}
void name_lower(uint8_t *dst, const uint8_t *src, size_t n);

/* Length of a valid uncompressed name, the root's byte counted. */
size_t name_len(const uint8_t *name) PURE;
/* Labels of a valid uncompressed name, the root's not counted. */
unsigned name_labels(const uint8_t *name) PURE;
/* Length of the uncompressed name at the start of p[0..n-1], or 0 when there is no valid
 * one. */
size_t name_check(const uint8_t *p, size_t n) PURE;

/* Same name, letter case ignored. */
bool name_is_equal(const uint8_t *a, const uint8_t *b) PURE;
/* a lies at or below zone. */
bool name_is_at_or_below(const uint8_t *a, const uint8_t *zone) PURE;
/* The closest of n zones that the name lies in; NULL: none. */
const uint8_t *name_closest(const uint8_t *a, const uint8_t *const *zones, size_t n) PURE;
/* <0, 0, >0 in canonical order (RFC 4034 6.1), letter case ignored. */
int name_compare(const uint8_t *a, const uint8_t *b) PURE;

/* The one way to make a longer name: appends the labels of tail (which ends it) to head's
 * labels without its root byte. -E2BIG when the result is over 255 bytes; out is untouched
 * then. */
int name_join(struct name *out, const uint8_t *head, size_t head_len_without_root,
	const uint8_t *tail) CHECKED;

/* Text to name. Escapes \. \\ \DDD; "@" is origin; a name without a final dot is completed with
 * origin (origin NULL: with the root). Letter case is kept. -EINVAL with the reason in err. */
int name_from_text(struct name *out, const char *text, size_t n, const uint8_t *origin,
	struct err *err) CHECKED;
/* Name to text, absolute, master-file escaping (specials as \X, non-printables as \DDD).
 * out must hold NAME_TEXT_MAX bytes. Returns the length without the terminator. */
size_t name_print(char *out, const uint8_t *name);

/* Reads a possibly compressed name at msg[at]. Pointers must go strictly backwards (limit L13),
 * each step takes one off *steps (the message's budget; refused when it is used up). out gets
 * the uncompressed name as spelt, *end the offset behind it in the message. -EBADMSG when
 * invalid. */
int name_read(struct name *out, const uint8_t *msg, size_t len, size_t at, size_t *end,
	unsigned *steps) CHECKED;
