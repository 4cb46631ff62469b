/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/edns.h"

#include "base/bytes.h"

/* RFC 7871 6: prefix lengths within the family, exactly the bytes they need, no bit beyond. */
static bool subnet_is_good(const uint8_t *p, size_t n)
{
	if (n < 4)
		return false;
	unsigned family = get_u16(p), source = p[2], scope = p[3];
	unsigned bits = family == 1 ? 32 : family == 2 ? 128 : 0;
	if (!bits)
		return family == 0 && source == 0 && scope == 0 && n == 4;
	if (source > bits || scope != 0 || n != 4 + (source + 7) / 8)
		return false;
	return source % 8 == 0 || (p[n - 1] & (0xff >> source % 8)) == 0;
}

static bool read_option(struct edns *edns, uint16_t code, const uint8_t *p, size_t n)
{
	switch (code) {
	case OPTION_NSID:
		edns->want_nsid = true;
		return true;
	case OPTION_COOKIE:
		if (n != COOKIE_CLIENT_LEN && (n < 16 || n > COOKIE_MAX_LEN))
			return false;
		edns->cookie = p;
		edns->cookie_len = (uint8_t)n;
		return true;
	case OPTION_KEEPALIVE:
		edns->want_keepalive = true;
		return n == 0 || n == 2;
	case OPTION_PADDING:
		edns->has_padding = true;
		return true;
	case OPTION_SUBNET:
		return subnet_is_good(p, n);
	default:
		return true;
	}
}

bool edns_read(
	struct edns *edns, uint16_t class, uint32_t ttl, const uint8_t *options, size_t n)
{
	edns->is_present = true;
	edns->size = class < EDNS_SIZE_MIN ? EDNS_SIZE_MIN : class;
	edns->version = (uint8_t)(ttl >> 16);
	edns->is_do = (ttl & 0x8000) != 0;
	/* Another version's options may look otherwise (RFC 6891 6.1.3): not for us to
	 * judge. */
	if (edns->version)
		return true;
	uint32_t seen = 0; /* a bit per code below 32: of those none may come twice */
	struct bytes b = { options, n, false };
	for (unsigned count = 0; b.n; count++) {
		uint16_t code = bytes_u16(&b), len = bytes_u16(&b);
		const uint8_t *p = bytes_take(&b, len);
		if (b.fail || count >= EDNS_OPTIONS_MAX)
			return false;
		if (code < 32 && code != OPTION_EDE) {
			if (seen & 1u << code)
				return false;
			seen |= 1u << code;
		}
		if (!read_option(edns, code, p, len))
			return false;
	}
	return true;
}
