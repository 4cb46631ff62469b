/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/match.h"

#include "base/bytes.h"
#include "wire/message.h"
#include "wire/name.h"

#include <string.h>

bool match_reply(const uint8_t *query, size_t query_len, bool is_case_exact, const uint8_t *msg,
	size_t len)
{
	const uint8_t *asked = query + HEADER_LEN;
	if (query_len < HEADER_LEN || len < HEADER_LEN || memcmp(msg, query, 2) != 0 ||
		!(msg[2] & FLAG_QR >> 8) || (get_u16(msg + 2) & FLAGS_OPCODE) != OPCODE_QUERY)
		return false;
	if (get_u16(msg + 4) == 0)
		return len == HEADER_LEN && !is_case_exact && (msg[3] & 15) != RCODE_NOERROR;
	size_t name = name_check(msg + HEADER_LEN, len - HEADER_LEN);
	if (get_u16(msg + 4) != 1 || name != name_len(asked) || len < HEADER_LEN + name + 4 ||
		memcmp(msg + HEADER_LEN + name, asked + name, 4) != 0)
		return false;
	return is_case_exact ? memcmp(msg + HEADER_LEN, asked, name) == 0
			     : name_is_equal(msg + HEADER_LEN, asked);
}
