/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/rdata.h"

#include "base/bytes.h"
#include "wire/name.h"
#include "wire/rrtype.h"

#include <errno.h>
#include <string.h>

enum {
	NAMES_MAX = 4,          /* no row has more names that matter for order */
	WKS_LEN_MAX = 5 + 8192, /* address, protocol, a bit for each port */
	NXT_BITMAP_MAX = 16,
	LOC_LEN = 16,
	ZONEMD_DIGEST_MIN = 12, /* RFC 8976 2.2.4 */
};

/* Every check_x takes the bytes left, p[0..n-1], and returns how many of them its field has,
 * or -1 when there is no valid one. */

static int check_fixed(size_t len, size_t n)
{
	return n < len ? -1 : (int)len;
}

static int check_rest(size_t least, size_t n)
{
	return n < least ? -1 : (int)n;
}

static int check_name(const uint8_t *p, size_t n)
{
	size_t len = name_check(p, n);
	return len ? (int)len : -1;
}

/* A length byte and what it counts, at least `least`. */
static int check_counted(const uint8_t *p, size_t n, size_t least)
{
	return n < 1 || p[0] < least || n < p[0] + 1u ? -1 : p[0] + 1;
}

static int check_strings(const uint8_t *p, size_t n)
{
	size_t at = 0;
	do {
		int len = check_counted(p + at, n - at, 0);
		if (len < 0)
			return -1;
		at += (size_t)len;
	} while (at < n);
	return (int)n;
}

/* RFC 4034 4.1.2: windows ascend, 1 to 32 octets each, the last of them not zero. */
static int check_bitmap(const uint8_t *p, size_t n)
{
	int window = -1;
	for (size_t at = 0; at < n;) {
		if (n - at < 3 || p[at] <= window)
			return -1;
		window = p[at];
		size_t len = p[at + 1];
		if (len < 1 || len > 32 || n - at - 2 < len || p[at + 1 + len] == 0)
			return -1;
		at += 2 + len;
	}
	return (int)n;
}

/* RFC 2535 5.2: bit 0 would tell of another format. */
static int check_types_nxt(const uint8_t *p, size_t n)
{
	if (n == 0)
		return 0;
	return n > NXT_BITMAP_MAX || p[0] & 0x80 || p[n - 1] == 0 ? -1 : (int)n;
}

static bool is_letter_or_digit(uint8_t c)
{
	c = name_lower_byte(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static int check_tag(const uint8_t *p, size_t n)
{
	int len = check_counted(p, n, 1);
	for (int i = 1; i < len; i++)
		if (!is_letter_or_digit(p[i]))
			return -1;
	return len;
}

/* RFC 3123 4: trailing zero octets of an address are left out. */
static int check_apl(const uint8_t *p, size_t n)
{
	for (size_t at = 0; at < n;) {
		if (n - at < 4)
			return -1;
		unsigned family = get_u16(p + at), prefix = p[at + 2], len = p[at + 3] & 0x7f;
		if (n - at - 4 < len || (len > 0 && p[at + 3 + len] == 0))
			return -1;
		if ((family == 1 && (prefix > 32 || len > 4)) ||
			(family == 2 && (prefix > 128 || len > 16)))
			return -1;
		at += 4 + len;
	}
	return (int)n;
}

/* A size of LOC: two decimal digits, a mantissa and the power of ten behind it. */
static bool is_loc_size(uint8_t c)
{
	return c >> 4 <= 9 && (c & 15) <= 9;
}

/* Within limit of 2^31, in thousandths of a second of arc. */
static bool is_loc_angle(uint32_t angle, uint32_t limit)
{
	uint32_t middle = UINT32_C(1) << 31;
	return angle >= middle - limit && angle <= middle + limit;
}

static int check_loc(const uint8_t *p, size_t n)
{
	enum {
		LATITUDE_MAX = 90 * 3600000,
		LONGITUDE_MAX = 180 * 3600000
	};
	if (n < 1)
		return -1;
	if (p[0] != 0) /* RFC 1876 2: nothing is known of other versions */
		return (int)n;
	bool is_good = n == LOC_LEN && is_loc_size(p[1]) && is_loc_size(p[2]) &&
		       is_loc_size(p[3]) && is_loc_angle(get_u32(p + 4), LATITUDE_MAX) &&
		       is_loc_angle(get_u32(p + 8), LONGITUDE_MAX);
	return is_good ? LOC_LEN : -1;
}

static int check_wks(size_t n)
{
	return n < 5 || n > WKS_LEN_MAX ? -1 : (int)n;
}

/* kind: 0 nothing, 1 IPv4, 2 IPv6, 3 a name; of others only the end of RDATA is the end. */
static int check_gateway(unsigned kind, const uint8_t *p, size_t n)
{
	switch (kind) {
	case 0:
		return 0;
	case 1:
		return check_fixed(4, n);
	case 2:
		return check_fixed(16, n);
	case 3:
		return check_name(p, n);
	default:
		return (int)n;
	}
}

static int check_hip(const uint8_t *p, size_t n)
{
	if (n < 4)
		return -1;
	size_t hit = p[0], key = get_u16(p + 2), at = 4 + hit + key;
	if (hit == 0 || key == 0 || at > n)
		return -1;
	while (at < n) {
		int len = check_name(p + at, n - at);
		if (len < 0)
			return -1;
		at += (size_t)len;
	}
	return (int)n;
}

/* Where the name of an A6 begins, or -1. */
static int a6_name(const uint8_t *p, size_t n)
{
	if (n < 1 || p[0] > 128)
		return -1;
	return check_fixed(1 + (128u - p[0] + 7) / 8, n);
}

static int check_a6(const uint8_t *p, size_t n)
{
	int at = a6_name(p, n);
	if (at < 0 || p[0] == 0)
		return at;
	int len = check_name(p + at, n - (size_t)at);
	return len < 0 ? -1 : at + len;
}

enum { /* the SVCB parameters that have a form of their own */
	KEY_MANDATORY = 0,
	KEY_ALPN = 1,
	KEY_NO_DEFAULT_ALPN = 2,
	KEY_PORT = 3,
	KEY_IPV4HINT = 4,
	KEY_ECH = 5,
	KEY_IPV6HINT = 6,
	KEY_DOHPATH = 7,
	KEY_OHTTP = 8,
	KEY_GROUPS = 9,
};

static bool has_param(const uint8_t *p, size_t n, unsigned key)
{
	for (size_t at = 0; n - at >= 4; at += 4u + get_u16(p + at + 2))
		if (get_u16(p + at) >= key)
			return get_u16(p + at) == key;
	return false;
}

/* RFC 9460 8: ascending, without itself, and all of them are there. Both lists ascend, so they
 * are walked together. */
static bool is_mandatory_good(const uint8_t *v, size_t len, const uint8_t *params, size_t n)
{
	int last = KEY_MANDATORY;
	size_t at = 0;
	if (len == 0 || len % 2 != 0)
		return false;
	for (size_t i = 0; i < len; i += 2) {
		int key = get_u16(v + i);
		if (key <= last)
			return false;
		last = key;
		while (n - at >= 4 && get_u16(params + at) < key)
			at += 4u + get_u16(params + at + 2);
		if (n - at < 4 || get_u16(params + at) != key)
			return false;
	}
	return true;
}

/* One or more strings that are not empty. */
static bool is_alpn_good(const uint8_t *v, size_t len)
{
	for (size_t at = 0; at < len; at += v[at] + 1u)
		if (v[at] == 0 || len - at < v[at] + 1u)
			return false;
	return len > 0;
}

/* RFC 9460 7. params: all parameters, whose lengths are known to be good. */
static bool is_param_good(
	unsigned key, const uint8_t *v, size_t len, const uint8_t *params, size_t n)
{
	switch (key) {
	case KEY_MANDATORY:
		return is_mandatory_good(v, len, params, n);
	case KEY_ALPN:
		return is_alpn_good(v, len);
	case KEY_NO_DEFAULT_ALPN:
		return len == 0 && has_param(params, n, KEY_ALPN);
	case KEY_PORT:
		return len == 2;
	case KEY_IPV4HINT:
		return len > 0 && len % 4 == 0;
	case KEY_IPV6HINT:
		return len > 0 && len % 16 == 0;
	case KEY_ECH:
	case KEY_DOHPATH:
		return len > 0;
	case KEY_OHTTP:
		return len == 0;
	case KEY_GROUPS:
		return len > 0 && len % 2 == 0;
	default:
		return true;
	}
}

static int check_params(const uint8_t *p, size_t n)
{
	int last = -1;
	for (size_t at = 0; at < n;) {
		if (n - at < 4 || get_u16(p + at) <= last)
			return -1;
		last = get_u16(p + at);
		size_t len = get_u16(p + at + 2);
		if (n - at - 4 < len)
			return -1;
		at += 4 + len;
	}
	for (size_t at = 0; at < n; at += 4u + get_u16(p + at + 2))
		if (!is_param_good(get_u16(p + at), p + at + 4, get_u16(p + at + 2), p, n))
			return -1;
	return (int)n;
}

static const uint8_t fixed_lens[] = {
	/* of the fields that always have one length */
	[FIELD_U8] = 1,
	[FIELD_ALGORITHM] = 1,
	[FIELD_SCHEME] = 1,
	[FIELD_RELAY] = 1,
	[FIELD_U16] = 2,
	[FIELD_TYPE] = 2,
	[FIELD_CERT_TYPE] = 2,
	[FIELD_U32] = 4,
	[FIELD_PERIOD] = 4,
	[FIELD_TIME] = 4,
	[FIELD_IPV4] = 4,
	[FIELD_EUI48] = 6,
	[FIELD_U64] = 8,
	[FIELD_EUI64] = 8,
	[FIELD_NODE64] = 8,
	[FIELD_IPV6] = 16,
};

/* The field at rdata[at]; of the whole only the kind of a gateway is looked at, in the second
 * byte of IPSECKEY and AMTRELAY. */
static int check_field(
	enum field field, uint16_t type, const uint8_t *rdata, size_t n, size_t at)
{
	const uint8_t *p = rdata + at;
	size_t left = n - at;
	if (field < array_len(fixed_lens) && fixed_lens[field])
		return check_fixed(fixed_lens[field], left);
	switch (field) {
	case FIELD_NAME:
	case FIELD_CNAME:
		return check_name(p, left);
	case FIELD_STRING:
	case FIELD_SALT:
		return check_counted(p, left, 0);
	case FIELD_STRING_MAYBE:
		return left == 0 ? 0 : check_counted(p, left, 0);
	case FIELD_HASH32:
		return check_counted(p, left, 1);
	case FIELD_STRINGS:
		return check_strings(p, left);
	case FIELD_HEX:
		return check_rest(type == TYPE_ZONEMD ? ZONEMD_DIGEST_MIN : 1, left);
	case FIELD_BASE64:
	case FIELD_NSAP:
		return check_rest(1, left);
	case FIELD_TEXT_REST: /* CAA's value may be empty, URI's target not: RFC 7553 4.5 */
		return check_rest(type == TYPE_URI ? 1 : 0, left);
	case FIELD_BASE64_MAYBE:
	case FIELD_BASE64_DASH:
	case FIELD_OPAQUE:
		return check_rest(0, left);
	case FIELD_ATMA: /* a format and an address */
		return check_rest(2, left);
	case FIELD_TAG:
		return check_tag(p, left);
	case FIELD_BITMAP:
		return check_bitmap(p, left);
	case FIELD_TYPES_NXT:
		return check_types_nxt(p, left);
	case FIELD_PARAMS:
		return check_params(p, left);
	case FIELD_APL:
		return check_apl(p, left);
	case FIELD_LOC:
		return check_loc(p, left);
	case FIELD_WKS:
		return check_wks(left);
	case FIELD_GATEWAY:
		return check_gateway(
			type == TYPE_AMTRELAY ? rdata[1] & 0x7f : rdata[1], p, left);
	case FIELD_HIP:
		return check_hip(p, left);
	case FIELD_A6:
		return check_a6(p, left);
	default: /* the fixed ones */
		return -1;
	}
}

bool rdata_check(uint16_t type, const uint8_t *rdata, size_t n)
{
	const struct rrtype *row = rrtype_find(type);
	size_t at = 0;
	if (n > UINT16_MAX)
		return false;
	if (!row)
		return true;
	for (unsigned i = 0; i < FIELDS_MAX && row->fields[i] != FIELD_END; i++) {
		int len = check_field(row->fields[i], type, rdata, n, at);
		if (len < 0)
			return false;
		at += (size_t)len;
	}
	return at == n;
}

static bool is_compressible(const struct rrtype *row, enum field field)
{
	return field == FIELD_CNAME || (field == FIELD_NAME && row->flags & RRTYPE_UNPACK);
}

static bool has_compressible(const struct rrtype *row)
{
	for (unsigned i = 0; i < FIELDS_MAX && row->fields[i] != FIELD_END; i++)
		if (is_compressible(row, row->fields[i]))
			return true;
	return false;
}

/* Copies the fields of msg[at..end-1] with their names uncompressed. No type that comes here
 * has a FIELD_GATEWAY, so a field needs not to know where RDATA began. */
static int unpack(const struct rrtype *row, const uint8_t *msg, size_t at, size_t end,
	uint8_t *out, size_t cap, unsigned *steps)
{
	size_t n = 0;
	for (unsigned i = 0; i < FIELDS_MAX && row->fields[i] != FIELD_END; i++) {
		struct name name;
		const uint8_t *from = msg + at;
		size_t len, next;
		if (is_compressible(row, row->fields[i])) {
			if (name_read(&name, msg, end, at, &next, steps) < 0)
				return -EBADMSG;
			from = name.bytes;
			len = name.len;
		} else {
			int got = check_field(row->fields[i], row->code, from, end - at, 0);
			if (got < 0)
				return -EBADMSG;
			len = (size_t)got;
			next = at + len;
		}
		if (len > cap - n)
			return -EBADMSG;
		memcpy(out + n, from, len);
		n += len;
		at = next;
	}
	return at == end ? (int)n : -EBADMSG;
}

int rdata_read(uint16_t type, const uint8_t *msg, size_t len, size_t at, size_t rdata_len,
	uint8_t *out, size_t cap, unsigned *steps)
{
	const struct rrtype *row = rrtype_find(type);
	if (at > len || rdata_len > len - at)
		return -EBADMSG;
	if (row && has_compressible(row)) {
		int n = unpack(row, msg, at, at + rdata_len, out, cap, steps);
		return n < 0 || !rdata_check(type, out, (size_t)n) ? -EBADMSG : n;
	}
	if (rdata_len > cap || rdata_len > UINT16_MAX ||
		!rdata_check(type, msg + at, rdata_len))
		return -EBADMSG;
	memcpy(out, msg + at, rdata_len);
	return (int)rdata_len;
}

struct range { /* of bytes that are a name */
	size_t begin, end;
};

/* The names in checked RDATA; the last range is behind all bytes. */
static void find_names(const struct rrtype *row, const uint8_t *rdata, size_t n,
	struct range ranges[NAMES_MAX])
{
	size_t at = 0;
	unsigned found = 0;
	for (unsigned i = 0; i < FIELDS_MAX && row->fields[i] != FIELD_END; i++) {
		enum field field = row->fields[i];
		int len = check_field(field, row->code, rdata, n, at);
		if (len < 0)
			break;
		size_t end = at + (size_t)len;
		if (field == FIELD_A6)
			at += (size_t)a6_name(rdata, n);
		if ((field == FIELD_NAME || field == FIELD_CNAME || field == FIELD_A6) &&
			found + 1 < NAMES_MAX)
			ranges[found++] = (struct range){ at, end };
		at = end;
	}
	ranges[found] = (struct range){ SIZE_MAX, SIZE_MAX };
}

/* Byte i in canonical form; *range goes along. Length bytes of labels are below 'A', so a name
 * is lower-cased as a whole. */
static uint8_t canonical_byte(const uint8_t *rdata, size_t i, const struct range **range)
{
	if (i >= (*range)->end)
		++*range;
	return i >= (*range)->begin ? name_lower_byte(rdata[i]) : rdata[i];
}

static int compare_lower(
	const struct rrtype *row, const uint8_t *a, size_t an, const uint8_t *b, size_t bn)
{
	struct range a_ranges[NAMES_MAX], b_ranges[NAMES_MAX];
	const struct range *a_range = a_ranges, *b_range = b_ranges;
	find_names(row, a, an, a_ranges);
	find_names(row, b, bn, b_ranges);
	for (size_t i = 0; i < an && i < bn; i++) {
		int d = canonical_byte(a, i, &a_range) - canonical_byte(b, i, &b_range);
		if (d)
			return d;
	}
	return an < bn ? -1 : an > bn;
}

int rdata_compare(uint16_t type, const uint8_t *a, size_t an, const uint8_t *b, size_t bn)
{
	const struct rrtype *row = rrtype_find(type);
	if (row && row->flags & RRTYPE_LOWER)
		return compare_lower(row, a, an, b, bn);
	size_t n = an < bn ? an : bn;
	int d = n ? memcmp(a, b, n) : 0;
	return d ? d : an < bn ? -1 : an > bn;
}

int rdata_target(uint16_t type, const uint8_t *rdata, size_t n)
{
	const struct rrtype *row = rrtype_find(type);
	size_t at = 0;
	if (!row || !(row->flags & RRTYPE_ADDITIONAL))
		return -1;
	for (unsigned i = 0; i < FIELDS_MAX && row->fields[i] != FIELD_END; i++) {
		enum field field = row->fields[i];
		if (field == FIELD_NAME || field == FIELD_CNAME)
			return at < n && rdata[at] != 0 ? (int)at : -1;
		int len = check_field(field, type, rdata, n, at);
		if (len < 0)
			return -1;
		at += (size_t)len;
	}
	return -1;
}

bool rdata_bitmap_has(const uint8_t *bitmap, size_t n, uint16_t type)
{
	uint8_t window = (uint8_t)(type >> 8), bit = (uint8_t)type;
	for (size_t at = 0; n - at >= 2 && at < n; at += 2u + bitmap[at + 1]) {
		if (bitmap[at] != window)
			continue;
		size_t len = bitmap[at + 1];
		return bit / 8u < len && at + 2 + bit / 8u < n &&
		       bitmap[at + 2 + bit / 8u] & 0x80 >> bit % 8;
	}
	return false;
}
