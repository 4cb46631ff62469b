/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/match.h"

#include "base/bytes.h"
#include "wire/message.h"
#include "wire/name.h"

#include <string.h>

/* Old servers drop the question of what they refuse; records they leave out as well. */
static bool is_bare_refusal(const uint8_t *msg)
{
	unsigned rcode = msg[3] & 15;
	return get_u16(msg + 6) == 0 && get_u16(msg + 8) == 0 &&
	       (rcode == RCODE_FORMERR || rcode == RCODE_SERVFAIL || rcode == RCODE_NOTIMP ||
		       rcode == RCODE_REFUSED);
}

bool match_reply(const uint8_t *query, size_t query_len, bool is_case_exact, const uint8_t *msg,
	size_t len)
{
	const uint8_t *asked = query + HEADER_LEN;
	if (query_len < HEADER_LEN || len < HEADER_LEN || memcmp(msg, query, 2) != 0 ||
		!(msg[2] & FLAG_QR >> 8) || (get_u16(msg + 2) & FLAGS_OPCODE) != OPCODE_QUERY)
		return false;
	if (get_u16(msg + 4) == 0)
		return !is_case_exact && is_bare_refusal(msg);
	size_t name = name_check(msg + HEADER_LEN, len - HEADER_LEN);
	if (get_u16(msg + 4) != 1 || name != name_len(asked) || len < HEADER_LEN + name + 4 ||
		memcmp(msg + HEADER_LEN + name, asked + name, 4) != 0)
		return false;
	return is_case_exact ? memcmp(msg + HEADER_LEN, asked, name) == 0
			     : name_is_equal(msg + HEADER_LEN, asked);
}
