/* SPDX-License-Identifier: BSD-2-Clause */
/* rdata.h -- RDATA is checked once, at the door
 *
 * What     Walks RDATA by the row of its type. After rdata_check() other code may
 *          rely on the lengths inside, and stays bounded all the same.
 * Read     RFC 3597 5, 4034, 5155, 9460 2.2; hazard C3.
 */
#pragma once

#include "base/def.h"

/* True when the uncompressed RDATA has exactly the form its type demands (opaque types:
 * always). */
bool rdata_check(uint16_t type, const uint8_t *rdata, size_t n) CHECKED;

/* RDATA inside a message: names may be compressed where the type's row allows it (FIELD_CNAME;
 * tolerated on input in FIELD_NAME too only for types of RFC 3597 4: SIG PX NXT NAPTR SRV RP
 * AFSDB RT KX). Writes the uncompressed RDATA to out[0..cap-1] and checks it. Returns its
 * length or -EBADMSG. steps: the message's budget of pointer steps (limit L13). */
int rdata_read(uint16_t type, const uint8_t *msg, size_t len, size_t at, size_t rdata_len,
	uint8_t *out, size_t cap, unsigned *steps) CHECKED;

/* Order of two checked RDATAs of one type in canonical form (RFC 4034 6.2, 6.3: embedded names
 * of the types listed there in lower case); 0 when they are the same record. */
int rdata_compare(uint16_t type, const uint8_t *a, size_t an, const uint8_t *b, size_t bn) PURE;

/* Offset of the name an additional-section lookup goes for (NS, MX, SRV, ...), -1 when none. */
int rdata_target(uint16_t type, const uint8_t *rdata, size_t n) PURE;

/* Type bitmap (NSEC, NSEC3): is type in it. */
bool rdata_bitmap_has(const uint8_t *bitmap, size_t n, uint16_t type) PURE;
