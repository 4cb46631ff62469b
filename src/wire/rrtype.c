/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/rrtype.h"

#include "base/near.h"

#include <stdio.h>
#include <string.h>

/* The registry, a row at its code. */
static const struct rrtype low_rows[] = {
	/* RFC 1035 */
	[1] = { 1, 0, { FIELD_IPV4 }, "A" },
	[2] = { 2, RRTYPE_ADDITIONAL | RRTYPE_LOWER, { FIELD_CNAME }, "NS" },
	[3] = { 3, RRTYPE_ADDITIONAL | RRTYPE_LOWER, { FIELD_CNAME }, "MD" },
	[4] = { 4, RRTYPE_ADDITIONAL | RRTYPE_LOWER, { FIELD_CNAME }, "MF" },
	[5] = { 5, RRTYPE_SINGLE | RRTYPE_LOWER, { FIELD_CNAME }, "CNAME" },
	[6] = { 6, RRTYPE_SINGLE | RRTYPE_LOWER, { FIELD_CNAME, FIELD_CNAME, FIELD_U32,
		FIELD_PERIOD, FIELD_PERIOD, FIELD_PERIOD, FIELD_PERIOD }, "SOA" },
	[7] = { 7, RRTYPE_ADDITIONAL | RRTYPE_LOWER, { FIELD_CNAME }, "MB" },
	[8] = { 8, RRTYPE_LOWER, { FIELD_CNAME }, "MG" },
	[9] = { 9, RRTYPE_LOWER, { FIELD_CNAME }, "MR" },
	[10] = { 10, 0, { FIELD_OPAQUE }, "NULL" },
	/* RFC 1035 */
	[11] = { 11, 0, { FIELD_WKS }, "WKS" },
	[12] = { 12, RRTYPE_LOWER, { FIELD_CNAME }, "PTR" },
	[13] = { 13, 0, { FIELD_STRING, FIELD_STRING }, "HINFO" },
	[14] = { 14, RRTYPE_LOWER, { FIELD_CNAME, FIELD_CNAME }, "MINFO" },
	[15] = { 15, RRTYPE_ADDITIONAL | RRTYPE_LOWER, { FIELD_U16, FIELD_CNAME }, "MX" },
	[16] = { 16, 0, { FIELD_STRINGS }, "TXT" },
	/* RFC 1183 */
	[17] = { 17, RRTYPE_LOWER | RRTYPE_UNPACK, { FIELD_NAME, FIELD_NAME }, "RP" },
	[18] = { 18, RRTYPE_ADDITIONAL | RRTYPE_LOWER | RRTYPE_UNPACK, { FIELD_U16,
		FIELD_NAME }, "AFSDB" },
	/* RFC 1183 */
	[19] = { 19, 0, { FIELD_STRING }, "X25" },
	[20] = { 20, 0, { FIELD_STRING, FIELD_STRING_MAYBE }, "ISDN" },
	[21] = { 21, RRTYPE_ADDITIONAL | RRTYPE_LOWER | RRTYPE_UNPACK, { FIELD_U16,
		FIELD_NAME }, "RT" },
	/* RFC 1706 */
	[22] = { 22, 0, { FIELD_NSAP }, "NSAP" },
	[23] = { 23, 0, { FIELD_NAME }, "NSAP-PTR" },
	/* RFC 2535 */
	[24] = { 24, RRTYPE_LOWER | RRTYPE_UNPACK, { FIELD_TYPE, FIELD_ALGORITHM,
		FIELD_U8, FIELD_PERIOD, FIELD_TIME, FIELD_TIME, FIELD_U16, FIELD_NAME,
		FIELD_BASE64 }, "SIG" },
	[25] = { 25, 0, { FIELD_U16, FIELD_U8, FIELD_ALGORITHM, FIELD_BASE64_MAYBE }, "KEY" },
	/* RFC 2163 */
	[26] = { 26, RRTYPE_LOWER | RRTYPE_UNPACK, { FIELD_U16, FIELD_NAME, FIELD_NAME
		}, "PX" },
	/* RFC 1712 */
	[27] = { 27, 0, { FIELD_STRING, FIELD_STRING, FIELD_STRING }, "GPOS" },
	/* RFC 3596 */
	[28] = { 28, 0, { FIELD_IPV6 }, "AAAA" },
	/* RFC 1876 */
	[29] = { 29, 0, { FIELD_LOC }, "LOC" },
	/* RFC 2535 */
	[30] = { 30, RRTYPE_LOWER | RRTYPE_UNPACK, { FIELD_NAME, FIELD_TYPES_NXT }, "NXT" },
	[31] = { 31, 0, { FIELD_OPAQUE }, "EID" },
	[32] = { 32, 0, { FIELD_OPAQUE }, "NIMLOC" },
	/* RFC 2782 */
	[33] = { 33, RRTYPE_ADDITIONAL | RRTYPE_LOWER | RRTYPE_UNPACK, { FIELD_U16,
		FIELD_U16, FIELD_U16, FIELD_NAME }, "SRV" },
	/* ATM Forum af-dans-0152 */
	[34] = { 34, 0, { FIELD_ATMA }, "ATMA" },
	/* RFC 3403 */
	[35] = { 35, RRTYPE_LOWER | RRTYPE_UNPACK, { FIELD_U16, FIELD_U16, FIELD_STRING,
		FIELD_STRING, FIELD_STRING, FIELD_NAME }, "NAPTR" },
	/* RFC 2230 */
	[36] = { 36, RRTYPE_ADDITIONAL | RRTYPE_LOWER | RRTYPE_UNPACK, { FIELD_U16,
		FIELD_NAME }, "KX" },
	/* RFC 4398 */
	[37] = { 37, 0, { FIELD_CERT_TYPE, FIELD_U16, FIELD_ALGORITHM, FIELD_BASE64 }, "CERT" },
	/* RFC 2874 */
	[38] = { 38, RRTYPE_LOWER, { FIELD_A6 }, "A6" },
	/* RFC 6672 */
	[39] = { 39, RRTYPE_SINGLE | RRTYPE_LOWER, { FIELD_NAME }, "DNAME" },
	[40] = { 40, 0, { FIELD_OPAQUE }, "SINK" },
	/* RFC 6891 */
	[41] = { 41, RRTYPE_META, { FIELD_OPAQUE }, "OPT" },
	/* RFC 3123 */
	[42] = { 42, 0, { FIELD_APL }, "APL" },
	/* RFC 4034 */
	[43] = { 43, 0, { FIELD_U16, FIELD_ALGORITHM, FIELD_U8, FIELD_HEX }, "DS" },
	/* RFC 4255 */
	[44] = { 44, 0, { FIELD_U8, FIELD_U8, FIELD_HEX }, "SSHFP" },
	/* RFC 4025 */
	[45] = { 45, 0, { FIELD_U8, FIELD_U8, FIELD_U8, FIELD_GATEWAY,
		FIELD_BASE64_MAYBE }, "IPSECKEY" },
	/* RFC 4034 */
	[46] = { 46, RRTYPE_LOWER, { FIELD_TYPE, FIELD_ALGORITHM, FIELD_U8,
		FIELD_PERIOD, FIELD_TIME, FIELD_TIME, FIELD_U16, FIELD_NAME, FIELD_BASE64 },
		"RRSIG" },
	[47] = { 47, 0, { FIELD_NAME, FIELD_BITMAP }, "NSEC" },
	[48] = { 48, 0, { FIELD_U16, FIELD_U8, FIELD_ALGORITHM, FIELD_BASE64 }, "DNSKEY" },
	/* RFC 4701 */
	[49] = { 49, 0, { FIELD_BASE64 }, "DHCID" },
	/* RFC 5155 */
	[50] = { 50, 0, { FIELD_U8, FIELD_U8, FIELD_U16, FIELD_SALT, FIELD_HASH32,
		FIELD_BITMAP }, "NSEC3" },
	[51] = { 51, 0, { FIELD_U8, FIELD_U8, FIELD_U16, FIELD_SALT }, "NSEC3PARAM" },
	/* RFC 6698 */
	[52] = { 52, 0, { FIELD_U8, FIELD_U8, FIELD_U8, FIELD_HEX }, "TLSA" },
	/* RFC 8162 */
	[53] = { 53, 0, { FIELD_U8, FIELD_U8, FIELD_U8, FIELD_HEX }, "SMIMEA" },
	/* RFC 8005 */
	[55] = { 55, 0, { FIELD_HIP }, "HIP" },
	[56] = { 56, 0, { FIELD_STRINGS }, "NINFO" },
	[57] = { 57, 0, { FIELD_U16, FIELD_U8, FIELD_ALGORITHM, FIELD_BASE64 }, "RKEY" },
	[58] = { 58, 0, { FIELD_NAME, FIELD_NAME }, "TALINK" },
	/* RFC 7344 */
	[59] = { 59, 0, { FIELD_U16, FIELD_ALGORITHM, FIELD_U8, FIELD_HEX }, "CDS" },
	[60] = { 60, 0, { FIELD_U16, FIELD_U8, FIELD_ALGORITHM, FIELD_BASE64 }, "CDNSKEY" },
	/* RFC 7929 */
	[61] = { 61, 0, { FIELD_BASE64 }, "OPENPGPKEY" },
	/* RFC 7477 */
	[62] = { 62, 0, { FIELD_U32, FIELD_U16, FIELD_BITMAP }, "CSYNC" },
	/* RFC 8976 */
	[63] = { 63, 0, { FIELD_U32, FIELD_U8, FIELD_U8, FIELD_HEX }, "ZONEMD" },
	/* RFC 9460 */
	[64] = { 64, RRTYPE_ADDITIONAL, { FIELD_U16, FIELD_NAME, FIELD_PARAMS }, "SVCB" },
	[65] = { 65, RRTYPE_ADDITIONAL, { FIELD_U16, FIELD_NAME, FIELD_PARAMS }, "HTTPS" },
	/* RFC 9859 */
	[66] = { 66, 0, { FIELD_TYPE, FIELD_SCHEME, FIELD_U16, FIELD_NAME }, "DSYNC" },
	/* RFC 9886 */
	[67] = { 67, 0, { FIELD_BASE64 }, "HHIT" },
	[68] = { 68, 0, { FIELD_BASE64 }, "BRID" },
	/* RFC 7208 */
	[99] = { 99, 0, { FIELD_STRINGS }, "SPF" },
	[100] = { 100, 0, { FIELD_OPAQUE }, "UINFO" },
	[101] = { 101, 0, { FIELD_OPAQUE }, "UID" },
	[102] = { 102, 0, { FIELD_OPAQUE }, "GID" },
	[103] = { 103, 0, { FIELD_OPAQUE }, "UNSPEC" },
	/* RFC 6742 */
	[104] = { 104, 0, { FIELD_U16, FIELD_NODE64 }, "NID" },
	[105] = { 105, 0, { FIELD_U16, FIELD_IPV4 }, "L32" },
	[106] = { 106, 0, { FIELD_U16, FIELD_NODE64 }, "L64" },
	[107] = { 107, 0, { FIELD_U16, FIELD_NAME }, "LP" },
	/* RFC 7043 */
	[108] = { 108, 0, { FIELD_EUI48 }, "EUI48" },
	[109] = { 109, 0, { FIELD_EUI64 }, "EUI64" },
	/* RFC 9824 */
	[128] = { 128, RRTYPE_META, { FIELD_OPAQUE }, "NXNAME" },
	/* RFC 2930 */
	[249] = { 249, RRTYPE_META, { FIELD_OPAQUE }, "TKEY" },
	/* RFC 8945 */
	[250] = { 250, RRTYPE_META, { FIELD_OPAQUE }, "TSIG" },
	/* RFC 1995 */
	[251] = { 251, RRTYPE_META, { FIELD_OPAQUE }, "IXFR" },
	/* RFC 5936 */
	[252] = { 252, RRTYPE_META, { FIELD_OPAQUE }, "AXFR" },
	[253] = { 253, RRTYPE_META, { FIELD_OPAQUE }, "MAILB" },
	[254] = { 254, RRTYPE_META, { FIELD_OPAQUE }, "MAILA" },
	[255] = { 255, RRTYPE_META, { FIELD_OPAQUE }, "ANY" },
	/* RFC 7553 */
	[256] = { 256, 0, { FIELD_U16, FIELD_U16, FIELD_TEXT_REST }, "URI" },
	/* RFC 8659 */
	[257] = { 257, 0, { FIELD_U8, FIELD_TAG, FIELD_TEXT_REST }, "CAA" },
	[258] = { 258, 0, { FIELD_STRINGS }, "AVC" },
	[259] = { 259, 0, { FIELD_U32, FIELD_U32, FIELD_U8, FIELD_STRING,
		FIELD_BASE64_DASH }, "DOA" },
	/* RFC 8777 */
	[260] = { 260, 0, { FIELD_U8, FIELD_RELAY, FIELD_GATEWAY }, "AMTRELAY" },
	/* RFC 9606 */
	[261] = { 261, 0, { FIELD_STRINGS }, "RESINFO" },
	[262] = { 262, 0, { FIELD_STRINGS }, "WALLET" },
	[263] = { 263, 0, { FIELD_STRINGS }, "CLA" },
	[264] = { 264, 0, { FIELD_U64 }, "IPN" },
};

static const struct rrtype high_rows[] = {
	{ 32768, 0, { FIELD_U16, FIELD_ALGORITHM, FIELD_U8, FIELD_HEX }, "TA" },
	/* RFC 4431 */
	{ 32769, 0, { FIELD_U16, FIELD_ALGORITHM, FIELD_U8, FIELD_HEX }, "DLV" },
};

/* The codes of all rows in the order of their names, for the search by name. */
static const uint16_t by_name[] = {
	1, 38, 28, 18, 260, 255, 42, 34, 258, 252, 68, 257, 60, 59, 37, 263, 5, 62, 49, 32769,
	39, 48, 259, 43, 66, 31, 108, 109, 102, 27, 67, 13, 55, 65, 264, 45, 20, 251, 25, 36,
	105, 106, 29, 107, 254, 253, 7, 3, 4, 8, 14, 9, 15, 35, 104, 32, 56, 2, 22, 23, 47,
	50, 51, 10, 128, 30, 61, 41, 12, 26, 261, 57, 17, 46, 21, 24, 40, 53, 6, 99, 33, 44,
	64, 32768, 58, 249, 52, 250, 16, 101, 100, 103, 256, 262, 11, 19, 63
};

const struct rrtype *rrtype_find(uint16_t code)
{
	if (likely(code < array_len(low_rows)))
		return low_rows[code].name ? &low_rows[code] : NULL;
	for (size_t i = 0; i < array_len(high_rows); i++)
		if (high_rows[i].code == code)
			return &high_rows[i];
	return NULL;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

/* Order of the word text[0..n-1], its letters taken as upper case, and a mnemonic. */
static int compare(const char *text, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		int d = (unsigned char)upper(text[i]) - (unsigned char)name[i];
		if (d || !name[i])
			return d ? d : 1;
	}
	return name[n] ? -1 : 0;
}

/* The digits behind TYPE, or -1. */
static int read_code(const char *text, size_t n)
{
	if (n == 0 || n > 5)
		return -1;
	int code = 0;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		code = code * 10 + text[i] - '0';
	}
	return code <= UINT16_MAX ? code : -1;
}

int rrtype_from_text(const char *text, size_t n)
{
	if (n == 1 && upper(*text) == 'A')
		return TYPE_A;
	size_t low = 0, high = array_len(by_name);
	while (low < high) {
		size_t mid = (low + high) / 2;
		int d = compare(text, n, rrtype_find(by_name[mid])->name);
		if (d == 0)
			return by_name[mid];
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	if (n > 4 && upper(text[0]) == 'T' && upper(text[1]) == 'Y' && upper(text[2]) == 'P' &&
		upper(text[3]) == 'E')
		return read_code(text + 4, n - 4);
	return -1;
}

const char *rrtype_near(const char *text, size_t n)
{
	enum { WORD_MAX = 24 }; /* longer words are near to no mnemonic */
	char word[WORD_MAX];
	const char *words[array_len(by_name)];
	if (n == 0 || n >= sizeof word)
		return NULL;
	memcpy(word, text, n);
	word[n] = 0;
	for (size_t i = 0; i < array_len(by_name); i++)
		words[i] = rrtype_find(by_name[i])->name;
	return near_find(word, words, array_len(words));
}

const char *rrtype_print(char *out, uint16_t code)
{
	const struct rrtype *row = rrtype_find(code);
	if (row)
		(void)snprintf(out, RRTYPE_TEXT_MAX, "%s", row->name);
	else
		(void)snprintf(out, RRTYPE_TEXT_MAX, "TYPE%u", code);
	return out;
}
