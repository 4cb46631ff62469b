/* SPDX-License-Identifier: BSD-2-Clause */
/* key.h -- a name made ready to be looked up
 *
 * What     The name in lower case, where its labels begin, and a hash of every
 *          suffix, made in one pass from right to left: the hash of a name is
 *          SipHash-1-3 of its first label keyed by the hash of the rest. So a
 *          table of names can be asked for a name, its parents and the wildcard
 *          beside it without hashing anything twice.
 * Threads  Pure; the secret is drawn before the first thread starts.
 * Limits   NAME_MAX_LABELS.
 */
#pragma once

#include "base/def.h"
#include "wire/name.h"

struct key {            /* open: the hot path */
	uint8_t len;    /* of name, the root's byte counted */
	uint8_t labels; /* the root's not counted */
	/* offset of label i in name; at[labels] is the root's */
	uint8_t at[NAME_MAX_LABELS + 1];
	uint8_t name[NAME_MAX_LEN + 1];
	uint64_t hash[NAME_MAX_LABELS + 1]; /* of the suffix that begins at label i */
};

/* Draws the secret; call once, before anything is hashed. Without it the secret is zero, which
 * tests rely on. */
void key_draw_secret(void);

/* The hash of a name: its first label (length byte first, lower case) in front of a suffix with
 * the given hash. */
uint64_t key_step(uint64_t suffix_hash, const uint8_t *label) PURE;
/* What the root hashes to. */
uint64_t key_root(void) PURE;
/* Hash of a whole lower-case name. */
uint64_t key_hash(const uint8_t *name) PURE;

/* Makes the key of a valid uncompressed name. */
void key_make(struct key *key, const uint8_t *name);
/* The same when labels, at and the lower-case name are there already: only the hashes. */
void key_finish(struct key *key);
