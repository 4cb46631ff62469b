/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/rdata.h"
#include "wire/rdata.h"
#include "wire/record.h"
#include "wire/rrtype.h"
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t origin[] = "\7example\4test";
static uint8_t out[RDATA_MAX_LEN];
static char printed[RDATA_MAX_LEN * 5];
static struct err err;
static struct token at;

static int parse(const char *type, const char *text)
{
	struct lex lex;
	int code = rrtype_from_text(type, strlen(type));
	ck_assert_msg(code >= 0, "%s", type);
	lex_init(&lex, text, strlen(text));
	err.text[0] = 0;
	int n = rdata_parse((uint16_t)code, &lex, origin, out, &at, &err);
	if (n < 0) {
		ck_assert_str_ne(err.text, "");
		return n;
	}
	struct token token;
	enum lex_kind kind = lex_next(&lex, &token, &err);
	ck_assert_msg(kind == LEX_END || kind == LEX_NEWLINE, "%s %s", type, text);
	ck_assert_msg(rdata_check((uint16_t)code, out, (size_t)n), "%s %s", type, text);
	return n;
}

/* type, text, RDATA in hex, text as it is printed (NULL: the same) */
static const struct {
	const char *type, *text, *hex, *printed;
} cases[] = {
	{ "A", "192.0.2.1", "c0000201", NULL },
	{ "A", "(192.0.2.1 ; it\n)", "c0000201", "192.0.2.1" },
	{ "A", "\\# 4 C0 000201", "c0000201", "192.0.2.1" },
	{ "A", "( \\# 4\n C0000201 )", "c0000201", "192.0.2.1" },
	{ "NS", "ns", "026e73076578616d706c65047465737400", "ns.example.test." },
	{ "NS", "\\097.", "016100", "a." },
	{ "MD", "a.", "016100", NULL },
	{ "MF", "a.", "016100", NULL },
	{ "CNAME", ".", "00", NULL },
	{ "SOA", "a. b. 1 1h 2m 1w 1d1s",
		"016100016200 00000001 00000e10 00000078 00093a80 00015181",
		"a. b. 1 3600 120 604800 86401" },
	{ "MB", "a.", "016100", NULL },
	{ "MG", "a.", "016100", NULL },
	{ "MR", "a.", "016100", NULL },
	{ "NULL", "\\# 0", "", NULL },
	{ "NULL", "\\# 2 ABCD", "abcd", NULL },
	{ "WKS", "192.0.2.1 TCP smtp 80", "c0000201 06 00000040 000000000000 80",
		"192.0.2.1 6 25 80" },
	{ "WKS", "192.0.2.1 17", "c0000201 11", NULL },
	{ "PTR", "a.", "016100", NULL },
	{ "HINFO", "x \"y z\"", "0178 0379207a", "\"x\" \"y z\"" },
	{ "MINFO", "a. b.", "016100 016200", NULL },
	{ "MX", "10 a.", "000a 016100", NULL },
	{ "TXT", "\"a\" b \"\"", "0161 0162 00", "\"a\" \"b\" \"\"" },
	{ "TXT", "\"\\\"\\\\\\007;\\a\"", "05225c073b61", "\"\\\"\\\\\\007;a\"" },
	{ "TXT", "\xc3\xa4", "02c3a4", "\"\\195\\164\"" },
	{ "TXT", "\"\\#\" 1", "0123 0131", "\"#\" \"1\"" },
	{ "RP", "a. b.", "016100 016200", NULL },
	{ "AFSDB", "1 a.", "0001 016100", NULL },
	{ "X25", "\"1234\"", "0431323334", NULL },
	{ "ISDN", "\"123\"", "03313233", NULL },
	{ "ISDN", "\"123\" \"4\"", "03313233 0134", NULL },
	{ "RT", "1 a.", "0001 016100", NULL },
	{ "NSAP", "0x47.0005.80", "47000580", "0x47000580" },
	{ "NSAP-PTR", "a.", "016100", NULL },
	{ "SIG", "A 5 2 3600 20260101000000 20250101000000 7 a. AAAA",
		"0001 05 02 00000e10 6955b900 67748580 0007 016100 000000", NULL },
	{ "KEY", "49152 3 5", "c000 03 05", NULL },
	{ "KEY", "256 3 RSASHA1 AQ==", "0100 03 05 01", "256 3 5 AQ==" },
	{ "PX", "1 a. b.", "0001 016100 016200", NULL },
	{ "GPOS", "\"-32.6882\" \"116.8652\" \"10.0\"",
		"082d33322e36383832 083131362e38363532 0431302e30", NULL },
	{ "AAAA", "2001:db8::1", "20010db8000000000000000000000001", NULL },
	{ "AAAA", "::", "00000000000000000000000000000000", NULL },
	{ "AAAA", "::FFFF:192.0.2.1", "00000000000000000000ffffc0000201", "::ffff:c000:201" },
	{ "AAAA", "1:0:0:2:0:0:0:3", "00010000000000020000000000000003", "1:0:0:2::3" },
	{ "AAAA", "1:2:3:4:5:6:7:8", "00010002000300040005000600070008", NULL },
	{ "AAAA", "1:2:3:4:5:6:7::", "00010002000300040005000600070000", "1:2:3:4:5:6:7:0" },
	{ "AAAA", "1::", "00010000000000000000000000000000", NULL },
	{ "LOC", "42 21 54 N 71 06 18 W -24m 30m", "00 33 16 13 89172dd0 70be15f0 00988d20",
		"42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m" },
	{ "LOC", "0 S 0 E 0", "00 12 16 13 80000000 80000000 00989680",
		"0 0 0.000 N 0 0 0.000 E 0.00m 1.00m 10000.00m 10.00m" },
	{ "LOC", "90 N 180 W 42849672.95m 90000000m 0.01 0",
		"00 99 10 00 934fd900 59604e00 ffffffff",
		"90 0 0.000 N 180 0 0.000 W 42849672.95m 90000000.00m 0.01m 0.00m" },
	{ "LOC", "\\# 16 00051613800000008000000000989680",
		"00 05 16 13 80000000 80000000 00989680", NULL },
	{ "NXT", "a. A NXT", "016100 40000002", NULL },
	{ "EID", "\\# 1 AA", "aa", NULL },
	{ "NIMLOC", "\\# 1 AA", "aa", NULL },
	{ "SRV", "0 5 80 a.", "0000 0005 0050 016100", NULL },
	{ "ATMA", "39.246f", "00 39246f", "39246F" },
	{ "ATMA", "+358400", "01 333538343030", NULL },
	{ "NAPTR", "100 10 \"u\" \"sip+E2U\" \"!^.*$!sip:x!\" .",
		"0064 000a 0175 077369702b453255 0c215e2e2a24217369703a7821 00", NULL },
	{ "KX", "1 a.", "0001 016100", NULL },
	{ "CERT", "PGP 0 RSASHA256 AAAA", "0003 0000 08 000000", "PGP 0 8 AAAA" },
	{ "CERT", "65000 0 0 AAAA", "fde8 0000 00 000000", NULL },
	{ "A6", "0 2001:db8::1", "00 20010db8000000000000000000000001", NULL },
	{ "A6", "64 ::1 a.", "40 0000000000000001 016100", NULL },
	{ "A6", "128 a.", "80 016100", NULL },
	{ "DNAME", "a.", "016100", NULL },
	{ "SINK", "\\# 1 AA", "aa", NULL },
	{ "APL", "", "", NULL },
	{ "APL", "1:192.0.2.0/24 !2:2001:db8::/32", "0001 18 03 c00002 0002 20 84 20010db8",
		NULL },
	{ "APL", "\\# 5 0003080105", "0003 08 01 05", NULL },
	{ "DS", "60485 RSASHA1 1 2BB183AF5F22588179A53B0A 98631FAD1A292118",
		"ec45 05 01 2bb183af5f22588179a53b0a98631fad1a292118",
		"60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118" },
	{ "SSHFP", "1 1 aa b b", "01 01 aabb", "1 1 AABB" },
	{ "IPSECKEY", "10 0 2 . AAAA", "0a 00 02 000000", NULL },
	{ "IPSECKEY", "10 1 2 192.0.2.1 AAAA", "0a 01 02 c0000201 000000", NULL },
	{ "IPSECKEY", "10 2 0 2001:db8::1", "0a 02 00 20010db8000000000000000000000001", NULL },
	{ "IPSECKEY", "10 3 2 a. AAAA", "0a 03 02 016100 000000", NULL },
	{ "IPSECKEY", "\\# 4 0A0402AA", "0a 04 02 aa", NULL },
	{ "RRSIG", "A 5 2 3600 1767225600 20250101000000 7 a. AA AA",
		"0001 05 02 00000e10 6955b900 67748580 0007 016100 000000",
		"A 5 2 3600 20260101000000 20250101000000 7 a. AAAA" },
	{ "RRSIG", "TYPE65280 5 2 1 21060207062815 19700101000000 7 . AA==",
		"ff00 05 02 00000001 ffffffff 00000000 0007 00 00", NULL },
	{ "RRSIG", "A 5 2 1 20240229235959 20000229000000 7 . AA==",
		"0001 05 02 00000001 65e11a7f 38bb0c00 0007 00 00", NULL },
	{ "NSEC", "a. A MX CAA TYPE65280", "016100 00024001 010140 ff0180",
		"a. A MX CAA TYPE65280" },
	{ "NSEC", "a. MX A A", "016100 00024001", "a. A MX" },
	{ "NSEC", "a.", "016100", NULL },
	{ "DNSKEY", "257 3 ECDSAP256SHA256 AA==", "0101 03 0d 00", "257 3 13 AA==" },
	{ "DHCID", "AAIB", "000201", NULL },
	{ "NSEC3", "1 1 12 AABB 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG",
		"01 01 000c 02aabb 14 17f3df17b2b2adaef615257de4d2020b80ac6c7c 00064000000000 "
		"02",
		NULL },
	{ "NSEC3", "1 0 0 - 00 ", "01 00 0000 00 01 00", "1 0 0 - 00" },
	{ "NSEC3PARAM", "1 0 0 -", "01 00 0000 00", NULL },
	{ "NSEC3PARAM", "1 0 12 AABBCCDD", "01 00 000c 04aabbccdd", NULL },
	{ "TLSA", "3 1 1 AB", "03 01 01 ab", NULL },
	{ "SMIMEA", "3 1 1 AB", "03 01 01 ab", NULL },
	{ "HIP", "2 AABB AAAA a. b.", "02 02 0003 aabb 000000 016100 016200", NULL },
	{ "HIP", "2 AABB AAAA", "02 02 0003 aabb 000000", NULL },
	{ "NINFO", "\"x\"", "0178", NULL },
	{ "RKEY", "0 1 5 AAAA", "0000 01 05 000000", NULL },
	{ "TALINK", "a. b.", "016100 016200", NULL },
	{ "CDS", "0 0 0 00", "0000 00 00 00", NULL },
	{ "CDNSKEY", "0 3 0 AA==", "0000 03 00 00", NULL },
	{ "OPENPGPKEY", "AA AA AA A=", "0000000000", "AAAAAAA=" },
	{ "CSYNC", "66 3 A NS AAAA", "00000042 0003 000460000008", NULL },
	{ "ZONEMD", "1 1 1 000102030405060708090A0B", "00000001 01 01 000102030405060708090a0b",
		NULL },
	{ "SVCB", "1 .", "0001 00", NULL },
	{ "SVCB", "0 a.", "0000 016100", NULL },
	{ "SVCB", "\\# 12 0000016100029B0003616263", "0000 016100 029b 0003 616263", NULL },
	{ "HTTPS", "1 . port=53 alpn=h2,h3", "0001 00 0001 0006 02683202683300 03 0002 0035",
		"1 . alpn=\"h2,h3\" port=53" },
	{ "HTTPS", "1 . alpn=\"f\\\\\\\\oo\\\\,bar,h2\"",
		"0001 00 0001 000c 08665c6f6f2c626172 026832",
		"1 . alpn=\"f\\\\\\\\oo\\\\,bar,h2\"" },
	{ "HTTPS", "1 . alpn=f\\\\\\092oo\\092,bar,h2",
		"0001 00 0001 000c 08665c6f6f2c626172 026832",
		"1 . alpn=\"f\\\\\\\\oo\\\\,bar,h2\"" },
	{ "HTTPS", "1 . mandatory=ipv4hint,alpn alpn=h2 ipv4hint=192.0.2.1",
		"0001 00 0000 0004 00010004 0001 0003 026832 0004 0004 c0000201",
		"1 . mandatory=alpn,ipv4hint alpn=\"h2\" ipv4hint=192.0.2.1" },
	{ "HTTPS", "1 . no-default-alpn alpn=h2 ipv6hint=\"2001:db8::1,::1\"",
		"0001 00 0001 0003 026832 0002 0000 0006 0020 20010db8000000000000000000000001 "
		"00000000000000000000000000000001",
		"1 . alpn=\"h2\" no-default-alpn ipv6hint=2001:db8::1,::1" },
	{ "HTTPS", "1 . ech=AAAA dohpath=/q{?dns} ohttp tls-supported-groups=29,23",
		"0001 00 0005 0003 000000 0007 0008 2f717b3f646e737d 0008 0000 0009 0004 "
		"001d0017",
		"1 . ech=AAAA dohpath=\"/q{?dns}\" ohttp tls-supported-groups=29,23" },
	{ "HTTPS", "1 . key667=\"a \\210b\" key668 key3=\\000\\053",
		"0001 00 0003 0002 0035 029b 0004 6120d262 029c 0000",
		"1 . port=53 key667=\"a \\210b\" key668" },
	{ "DSYNC", "CDS NOTIFY 5359 a.", "003b 01 14ef 016100", NULL },
	{ "DSYNC", "CDS 128 5359 a.", "003b 80 14ef 016100", NULL },
	{ "HHIT", "AAAA", "000000", NULL },
	{ "BRID", "AAAA", "000000", NULL },
	{ "SPF", "\"v=spf1 -all\"", "0b763d73706631202d616c6c", NULL },
	{ "UINFO", "\\# 1 AA", "aa", NULL },
	{ "UID", "\\# 1 AA", "aa", NULL },
	{ "GID", "\\# 1 AA", "aa", NULL },
	{ "UNSPEC", "\\# 1 AA", "aa", NULL },
	{ "NID", "10 14:4fff:ff20:ee64", "000a 00144fffff20ee64", "10 0014:4fff:ff20:ee64" },
	{ "L32", "10 192.0.2.1", "000a c0000201", NULL },
	{ "L64", "10 2001:0db8:1140:1000", "000a 20010db811401000", NULL },
	{ "LP", "10 a.", "000a 016100", NULL },
	{ "EUI48", "00-00-5E-00-53-2a", "00005e00532a", "00-00-5e-00-53-2a" },
	{ "EUI64", "00-00-5e-ef-10-00-00-2a", "00005eef1000002a", NULL },
	{ "URI", "10 1 \"ftp://x/\"", "000a 0001 6674703a2f2f782f", NULL },
	{ "CAA", "0 issue \"ca.test; a=b\"", "00 05 6973737565 63612e746573743b20613d62",
		NULL },
	{ "CAA", "128 iodef \"\"", "80 05 696f646566", NULL },
	{ "AVC", "\"x\"", "0178", NULL },
	{ "DOA", "0 1 2 \"\" -", "00000000 00000001 02 00", NULL },
	{ "DOA", "0 1 2 \"t/p\" AAAA", "00000000 00000001 02 03742f70 000000", NULL },
	{ "AMTRELAY", "10 0 0 .", "0a 00", NULL },
	{ "AMTRELAY", "10 1 1 192.0.2.1", "0a 81 c0000201", NULL },
	{ "AMTRELAY", "10 0 2 2001:db8::1", "0a 02 20010db8000000000000000000000001", NULL },
	{ "AMTRELAY", "10 1 3 a.", "0a 83 016100", NULL },
	{ "RESINFO", "\"qnamemin\" \"exterr=15-17\"",
		"08716e616d656d696e 0c6578746572723d31352d3137", NULL },
	{ "WALLET", "\"BTC\" \"x\"", "03425443 0178", NULL },
	{ "CLA", "\"TCP-v4-v6\"", "095443502d76342d7636", NULL },
	{ "IPN", "18446744073709551615", "ffffffffffffffff", NULL },
	{ "TA", "1 8 2 AA", "0001 08 02 aa", NULL },
	{ "DLV", "1 8 2 AA", "0001 08 02 aa", NULL },
	{ "TYPE65280", "\\# 3 01 02 03", "010203", "\\# 3 010203" },
};

static size_t from_hex(uint8_t *bytes, const char *hex)
{
	size_t n = 0;
	for (; *hex; hex++) {
		unsigned x;
		if (*hex == ' ')
			continue;
		ck_assert_int_eq(sscanf(hex++, "%2x", &x), 1);
		bytes[n++] = (uint8_t)x;
	}
	return n;
}

START_TEST(every_text_becomes_the_bytes_of_its_rfc_and_is_printed_back)
{
	for (size_t i = 0; i < array_len(cases); i++) {
		uint8_t want[256];
		if (!cases[i].hex)
			continue;
		size_t want_n = from_hex(want, cases[i].hex);
		int n = parse(cases[i].type, cases[i].text);
		ck_assert_msg(n >= 0, "%s %s: %s", cases[i].type, cases[i].text, err.text);
		ck_assert_msg((size_t)n == want_n && memcmp(out, want, want_n) == 0,
			"%s %s: other bytes", cases[i].type, cases[i].text);
		int type = rrtype_from_text(cases[i].type, strlen(cases[i].type));
		size_t len =
			rdata_print(printed, sizeof printed, (uint16_t)type, out, (size_t)n);
		ck_assert_uint_eq(len, strlen(printed));
		ck_assert_str_eq(printed, cases[i].printed ? cases[i].printed : cases[i].text);
		n = parse(cases[i].type, printed);
		ck_assert_msg((size_t)n == want_n && memcmp(out, want, want_n) == 0,
			"%s %s: not read back", cases[i].type, printed);
		/* The generic form of the same, its digits in two words. */
		int at_n = snprintf(printed, sizeof printed, "\\# %zu ", want_n);
		for (size_t k = 0; k < want_n; k++)
			at_n += sprintf(printed + at_n, k == 1 ? " %02x" : "%02x", want[k]);
		n = parse(cases[i].type, printed);
		ck_assert_msg((size_t)n == want_n && memcmp(out, want, want_n) == 0,
			"%s %s: not read", cases[i].type, printed);
	}
}
END_TEST

START_TEST(every_type_of_a_zone_has_a_case)
{
	for (unsigned type = 1; type <= UINT16_MAX; type++) {
		const struct rrtype *row = rrtype_find((uint16_t)type);
		bool is_there = false;
		if (!row || row->flags & RRTYPE_META)
			continue;
		for (size_t i = 0; i < array_len(cases); i++)
			is_there |= strcmp(cases[i].type, row->name) == 0;
		ck_assert_msg(is_there, "%s", row->name);
	}
}
END_TEST

/* type, text, a piece of the reason */
static const struct {
	const char *type, *text, *reason;
} refused[] = {
	{ "A", "1.2.3", "A wants an IPv4 address such as 192.0.2.1, not '1.2.3'" },
	{ "A", "", "A wants an IPv4 address such as 192.0.2.1, but the record ends here" },
	{ "A", "1.2.3.4.5", "not '1.2.3.4.5'" },
	{ "A", "1.2.3.256", "IPv4" },
	{ "A", "01.2.3.4", "IPv4" },
	{ "A", "1.2.3.", "IPv4" },
	{ "A", "\"1.2.3.4\"", "not the quoted \"1.2.3.4\"" },
	{ "A", "1.2.3.4 5", "the RDATA of A is complete, but '5' follows" },
	{ "A", "\\# 5 C000020100", "these 5 bytes are no valid RDATA of type A" },
	{ "A", "\\# 3 C0000201", "\\# says 3 bytes, but 4 follow" },
	{ "A", "\\# 4 C000020", "odd" },
	{ "A", "\\# x", "a number from 0 to 65535" },
	{ "TYPE65280", "\\# 3 0102", "\\# says 3 bytes, but 2 follow" },
	{ "TYPE65280", "x", "its generic form" },
	{ "NULL", "", "its generic form" },
	{ "AAAA", "1:2:3:4:5:6:7", "IPv6" },
	{ "AAAA", "1:2:3:4:5:6:7:8:9", "IPv6" },
	{ "AAAA", "1::2::3", "IPv6" },
	{ "AAAA", ":::", "IPv6" },
	{ "AAAA", ":1::", "IPv6" },
	{ "AAAA", "1:", "IPv6" },
	{ "AAAA", "12345::", "IPv6" },
	{ "AAAA", "::1.2.3", "IPv6" },
	{ "AAAA", "1:2:3:4:5:6:7:1.2.3.4", "IPv6" },
	{ "AAAA", "::1%lo", "IPv6" },
	{ "NS", "a..b", "empty label" },
	{ "MX", "65536 a.", "a number from 0 to 65535, not '65536'" },
	{ "MX", "-1 a.", "a number" },
	{ "MX", "10", "a domain name" },
	{ "TXT", "", "a text" },
	{ "TXT", "\\256", "bad escape" },
	{ "TXT", "\\25", "bad escape" },
	{ "SOA", "a. b. 1 1x 1 1 1", "units" },
	{ "SOA", "a. b. 1 8000w 1 1 1", "4294967295" },
	{ "DS", "1 8 2", "hexadecimal digits" },
	{ "DS", "1 8 2 abc", "odd" },
	{ "DS", "1 RSASHA265 2 AA", "did you mean RSASHA256?" },
	{ "DNSKEY", "256 3 8 AAA", "no multiple of 4" },
	{ "DNSKEY", "256 3 8 AB==", "damaged" },
	{ "DNSKEY", "256 3 8 AA==AA==", "base64 text" },
	{ "DNSKEY", "256 3 8 A===", "base64 text" },
	{ "DNSKEY", "256 3 8 AA*A", "not 'AA*A'" },
	{ "DNSKEY", "256 3 8", "base64 text" },
	{ "RRSIG", "A 5 2 1 20230229000000 1 7 . AA==", "YYYYMMDDHHmmSS" },
	{ "RRSIG", "A 5 2 1 21060207062816 1 7 . AA==", "YYYYMMDDHHmmSS" },
	{ "RRSIG", "A 5 2 1 19691231235959 1 7 . AA==", "YYYYMMDDHHmmSS" },
	{ "RRSIG", "A 5 2 1 20231301000000 1 7 . AA==", "YYYYMMDDHHmmSS" },
	{ "NSEC", "a. AAA", "did you mean AAAA?" },
	{ "NXT", "a. CAA", "from 1 to 127" },
	{ "NSEC3", "1 0 0 - 2vptu5timamqttgl4luu9kg21e0aor3w", "base32hex" },
	{ "NSEC3", "1 0 0 - 2", "base32hex" },
	{ "NSEC3PARAM", "1 0 0 A", "odd" },
	{ "ZONEMD", "1 1 1 00", "at least 12 bytes, not 1" },
	{ "LOC", "91 N 0 E 0", "latitude" },
	{ "LOC", "90 0 0.001 N 0 E 0", "latitude" },
	{ "LOC", "1 60 N 0 E 0", "latitude" },
	{ "LOC", "1 1 60 N 0 E 0", "latitude" },
	{ "LOC", "1 N 181 E 0", "longitude" },
	{ "LOC", "1 N 1 E 42849672.96m", "altitude" },
	{ "LOC", "1 N 1 E 0 90000000.01m", "size" },
	{ "LOC", "1 N 1 E 0 1.m", "size" },
	{ "LOC", "1 N 1 E", "altitude" },
	{ "APL", "1:192.0.2.0/33", "prefixes" },
	{ "APL", "3:192.0.2.0/3", "prefixes" },
	{ "APL", "1:192.0.2.0", "prefixes" },
	{ "WKS", "192.0.2.1 TCP 65536", "ports" },
	{ "WKS", "192.0.2.1 sctp", "protocol" },
	{ "IPSECKEY", "10 0 2 a. AAAA", "kind 0" },
	{ "IPSECKEY", "10 4 2 . AAAA", "kind 0 (none)" },
	{ "AMTRELAY", "10 2 1 192.0.2.1", "a number from 0 to 1" },
	{ "HIP", "2 AABB", "public key" },
	{ "HIP", "2 AAB AAAA", "odd" },
	{ "NSAP", "0x4", "0x47" },
	{ "NSAP", "47", "0x47" },
	{ "EUI48", "0-0-5e-0-53-2a", "00-00-5e" },
	{ "EUI48", "00-00-5e-00-53", "00-00-5e" },
	{ "NID", "10 1:2:3", "groups" },
	{ "CAA", "0 is-sue \"x\"", "tag" },
	{ "CAA", "0 issue", "a text" },
	{ "CAA", "256 issue x", "255" },
	{ "URI", "1 1 \"\"", "a text" },
	{ "IPN", "18446744073709551616", "a number" },
	{ "SVCB", "0 . port=1", "alias" },
	{ "SVCB", "1 . key1", "no value of key1, which is alpn" },
	{ "SVCB", "1 . key3=\\000", "no value of key3, which is port" },
	{ "SVCB", "1 . key2=x alpn=h2", "no value of key2" },
	{ "SVCB", "1 . key0=\\000", "no valid RDATA" },
	{ "SVCB", "1 . port=1 port=2", "the parameter port stands here twice" },
	{ "SVCB", "1 . prot=1", "did you mean port?" },
	{ "SVCB", "1 . key01=1", "unknown parameter" },
	{ "SVCB", "1 . key65536=1", "unknown parameter" },
	{ "SVCB", "1 . port", "wants a value" },
	{ "SVCB", "1 . port=65536", "65535" },
	{ "SVCB", "1 . alpn=", "wants a value" },
	{ "SVCB", "1 . alpn=h2,,h3", "1 to 255" },
	{ "SVCB", "1 . no-default-alpn", "needs alpn" },
	{ "SVCB", "1 . no-default-alpn=1 alpn=h2", "has no value" },
	{ "SVCB", "1 . mandatory=port", "not there" },
	{ "SVCB", "1 . mandatory=mandatory,port port=1", "itself" },
	{ "SVCB", "1 . mandatory=port,port port=1", "twice" },
	{ "SVCB", "1 . ipv4hint=1.2.3", "ipv4hint" },
	{ "SVCB", "1 . ipv4hint=1.2.3.4,", "ipv4hint" },
	{ "SVCB", "1 . ech=\"A A\"", "ech" },
	{ "SVCB", "1 . ech=\"()\"", "ech" },
	{ "SVCB", "1 . \"port=1\"", "key=value" },
};

START_TEST(what_is_wrong_is_refused_with_its_reason)
{
	for (size_t i = 0; i < array_len(refused); i++) {
		int n = parse(refused[i].type, refused[i].text);
		ck_assert_msg(n < 0, "%s %s is taken", refused[i].type, refused[i].text);
		ck_assert_msg(strstr(err.text, refused[i].reason) != NULL, "%s %s: %s",
			refused[i].type, refused[i].text, err.text);
	}
}
END_TEST

START_TEST(the_word_at_fault_is_pointed_at_and_the_newline_stays)
{
	static const char text[] = "10 a..b\nc";
	struct lex lex;
	struct token token;
	lex_init(&lex, text, strlen(text));
	ck_assert_int_lt(rdata_parse(TYPE_MX, &lex, origin, out, &at, &err), 0);
	ck_assert_uint_eq(at.column, 4);
	ck_assert_int_eq(lex_next(&lex, &token, &err), LEX_NEWLINE);
	lex_init(&lex, "10\nc", 4);
	ck_assert_int_lt(rdata_parse(TYPE_MX, &lex, origin, out, &at, &err), 0);
	ck_assert_uint_eq(at.column, 3);
	ck_assert_int_eq(lex_next(&lex, &token, &err), LEX_NEWLINE);
}
END_TEST

/* type, text, column of the word at fault, counted from 1 */
static const struct {
	const char *type, *text;
	unsigned column;
} faults[] = {
	{ "A", "1.2.3.4 x", 9 },
	{ "A", "\\# 5 C000020100", 1 },
	{ "A", "\\# 4 C0000201 0", 15 },
	{ "SOA", "a. b. 1 1 1 1 1y", 15 },
	{ "SOA", "a. b. 4294967296 1 1 1 1", 7 },
	{ "SOA", "a. b. 1 4294967296 1 1 1", 9 },
	{ "SOA", "a. b. 1 1193046h 1193047h 1 1", 18 },
	{ "TXT", "a \"b\" \\999", 7 },
	{ "DS", "1 8 2 AA AX", 10 },
	{ "DS", "1 8 2 AA A", 10 },
	{ "DNSKEY", "256 3 8 AAAA AAA", 14 },
	{ "DNSKEY", "256 3 8 AAAA A*AA", 14 },
	{ "RRSIG", "A 8 2 1 20260101000000 20260231000000 1 a. AAAA", 24 },
	{ "RRSIG", "A 8 2 1 2026010100000 4294967296 1 a. AAAA", 9 },
	{ "NSEC", "a. A BCD AAAA", 6 },
	{ "NSEC3", "1 0 0 ABC 00", 7 },
	{ "NSEC3", "1 0 0 - 0z", 9 },
	{ "ZONEMD", "1 1 1 00 00", 7 },
	{ "LOC", "1 N 2 E 3 4 5 6 7", 17 },
	{ "APL", "1:1.2.3.4/8 1:1.2.3/8", 13 },
	{ "CAA", "0 issue a b", 11 },
	{ "HTTPS", "1 . port=1 alpn=h2 port=2 ipv4hint=1.2.3.4", 20 },
	{ "HTTPS", "1 . port=1 alpn=\"port\" key3=\"\\000\\001\"", 24 },
	{ "HTTPS", "1 . port=1 mandatory=port,alpn", 12 },
	{ "HTTPS", "1 . port=1 no-default-alpn", 12 },
	{ "HTTPS", "1 . port=1 key1=\\003h2 ech=AAAA", 12 },
	{ "HTTPS", "1 . port=1 key4=\"abc\" ech=AAAA", 12 },
	{ "HTTPS", "0 a. port=1", 6 },
};

START_TEST(each_fault_points_at_its_word)
{
	for (size_t i = 0; i < array_len(faults); i++) {
		int n = parse(faults[i].type, faults[i].text);
		ck_assert_msg(n < 0, "%s %s is taken", faults[i].type, faults[i].text);
		ck_assert_msg(at.column == faults[i].column, "%s %s: column %u, '%s'",
			faults[i].type, faults[i].text, at.column, err.text);
	}
}
END_TEST

START_TEST(parameters_in_any_order_and_number_are_sorted)
{
	enum {
		MANY = 5000
	};
	static char text[MANY * 16];
	size_t n = (size_t)sprintf(text, "1 .");
	for (unsigned key = 100 + MANY; key > 100; key--)
		n += (size_t)sprintf(text + n, " key%u=x", key - 1);
	ck_assert_int_eq(parse("SVCB", text), 3 + 5 * MANY);
	for (unsigned i = 0; i < MANY; i++) {
		const uint8_t *p = out + 3 + 5 * i;
		ck_assert_uint_eq((unsigned)(p[0] << 8 | p[1]), 100 + i);
		ck_assert_uint_eq(p[4], 'x');
	}
	(void)sprintf(text + n, " key%u", 100 + MANY / 2);
	ck_assert_int_lt(parse("SVCB", text), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "key2600 stands here twice"));
	ck_assert_uint_eq(at.column, n + 2);
}
END_TEST

/* Every byte that may and may not stand in the text of a type, in the place of each other: what
 * is taken passes the check, what is refused has a reason; parse() asserts both. */
START_TEST(no_byte_in_any_place_breaks_the_parser)
{
	static const char odd[] = "\001\\\"();=,.:-+!@*09azAZ\177\200\377";
	char text[1024];
	for (size_t i = 0; i < array_len(cases); i++) {
		size_t n = strlen(cases[i].text);
		ck_assert_uint_lt(n, sizeof text);
		for (size_t k = 0; k < n * (sizeof odd - 1); k++) {
			struct lex lex;
			int type = rrtype_from_text(cases[i].type, strlen(cases[i].type));
			memcpy(text, cases[i].text, n);
			text[k / (sizeof odd - 1)] = odd[k % (sizeof odd - 1)];
			lex_init(&lex, text, n);
			err.text[0] = 0;
			int len = rdata_parse((uint16_t)type, &lex, origin, out, &at, &err);
			ck_assert_msg(len < 0 ? err.text[0] != 0
					      : rdata_check((uint16_t)type, out, (size_t)len),
				"%s %.*s", cases[i].type, (int)n, text);
			ck_assert(at.text >= text && at.text <= text + n);
		}
	}
}
END_TEST

START_TEST(a_string_has_at_most_255_bytes_and_rdata_65535)
{
	static char text[4 * 65536 + 32];
	memset(text, 'x', 255);
	text[255] = 0;
	ck_assert_int_eq(parse("TXT", text), 256);
	text[255] = 'x', text[256] = 0;
	ck_assert_int_lt(parse("TXT", text), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "256 bytes"));
	strcpy(text, "0 0 ");
	for (size_t i = 0; i < 65532; i++)
		memcpy(text + 4 + 4 * i, "\\200", 4);
	text[4 + 4 * 65531] = 0;
	ck_assert_int_eq(parse("URI", text), 65535);
	ck_assert_uint_gt(
		rdata_print(printed, sizeof printed, TYPE_URI, out, 65535), 4u * 65531);
	ck_assert_int_eq(parse("URI", printed), 65535);
	text[4 + 4 * 65531] = '\\';
	text[4 + 4 * 65532] = 0;
	ck_assert_int_lt(parse("URI", text), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "longer than 65535"));
}
END_TEST

START_TEST(printing_counts_past_its_room_and_always_ends)
{
	char small[8];
	memset(small, 'x', sizeof small);
	ck_assert_uint_eq(
		rdata_print(small, sizeof small, TYPE_A, (const uint8_t *)"\300\0\2\1", 4), 9);
	ck_assert_str_eq(small, "192.0.2");
	ck_assert_uint_eq(rdata_print(NULL, 0, TYPE_A, (const uint8_t *)"\300\0\2\1", 4), 9);
}
END_TEST

START_TEST(a_record_is_printed_whole)
{
	char text[128];
	struct record record = { .owner = (const uint8_t *)"\1a\0",
		.type = TYPE_MX,
		.class = CLASS_IN,
		.ttl = 300,
		.rdata_len = 5,
		.rdata = (const uint8_t *)"\0\12\1b\0" };
	ck_assert_uint_eq(
		record_print(text, sizeof text, &record), strlen("a. 300 IN MX 10 b."));
	ck_assert_str_eq(text, "a. 300 IN MX 10 b.");
	record.class = 7;
	record.type = 65280;
	(void)record_print(text, sizeof text, &record);
	ck_assert_str_eq(text, "a. 300 CLASS7 TYPE65280 \\# 5 000A016200");
}
END_TEST

#ifdef HAVE_LDNS
#include <ldns/ldns.h>

/* The RDATA that ldns makes of a text, 0 when it takes none. */
static size_t ldns_bytes(const char *type, const char *text, uint8_t *bytes, size_t size)
{
	static char line[sizeof printed];
	ldns_rr *rr = NULL;
	uint8_t *wire = NULL;
	size_t len = 0;
	(void)snprintf(line, sizeof line, "o. 60 IN %s %s", type, text);
	ldns_rdf *base = ldns_dname_new_frm_str("example.test.");
	ldns_status status = ldns_rr_new_frm_str(&rr, line, 0, base, NULL);
	ldns_rdf_deep_free(base);
	if (status != LDNS_STATUS_OK)
		return 0;
	ck_assert_int_eq(ldns_rr2wire(&wire, rr, LDNS_SECTION_ANSWER, &len), LDNS_STATUS_OK);
	ck_assert(len >= 13 && len - 13 <= size); /* owner o., type, class, TTL, length */
	memcpy(bytes, wire + 13, len - 13);
	free(wire);
	ldns_rr_free(rr);
	return len - 13;
}

/* Where ldns strays from the RFCs: a domain name is a string to it (RFC 1706 6), ATM addresses
 * lack their format byte, the list of alpn is unescaped once (RFC 9460 A.1 and the vector in
 * D.2 want it twice), a registered key cannot be written as a number (RFC 9460 2.1). */
static bool ldns_strays(const char *type, const char *text)
{
	return strcmp(type, "NSAP-PTR") == 0 || strcmp(type, "ATMA") == 0 ||
	       (strcmp(type, "HTTPS") == 0 && strchr(text, '\\'));
}

/* What both read must be the same bytes, and what we print ldns reads as them; it does not know
 * all types. */
START_TEST(ldns_reads_the_same_bytes)
{
	unsigned compared = 0, printed_compared = 0;
	for (size_t i = 0; i < array_len(cases); i++) {
		uint8_t bytes[512];
		if (strchr(cases[i].text, '\n') || !*cases[i].text ||
			ldns_strays(cases[i].type, cases[i].text))
			continue;
		int n = parse(cases[i].type, cases[i].text);
		ck_assert_msg(n >= 0, "%s %s: %s", cases[i].type, cases[i].text, err.text);
		size_t len = ldns_bytes(cases[i].type, cases[i].text, bytes, sizeof bytes);
		ck_assert_msg(len == 0 || (len == (size_t)n && memcmp(bytes, out, len) == 0),
			"%s %s: ldns has other bytes", cases[i].type, cases[i].text);
		compared += len > 0;
		int type = rrtype_from_text(cases[i].type, strlen(cases[i].type));
		(void)rdata_print(printed, sizeof printed, (uint16_t)type, out, (size_t)n);
		len = ldns_bytes(cases[i].type, printed, bytes, sizeof bytes);
		ck_assert_msg(len == 0 || (len == (size_t)n && memcmp(bytes, out, len) == 0),
			"%s %s: ldns reads what is printed as other bytes", cases[i].type,
			printed);
		printed_compared += len > 0;
	}
	ck_assert_uint_gt(printed_compared, 90);
	ck_assert_uint_gt(compared, 90);
}
END_TEST
#endif

UNIT_MAIN("text/rdata", every_text_becomes_the_bytes_of_its_rfc_and_is_printed_back,
	every_type_of_a_zone_has_a_case, what_is_wrong_is_refused_with_its_reason,
	the_word_at_fault_is_pointed_at_and_the_newline_stays, each_fault_points_at_its_word,
	parameters_in_any_order_and_number_are_sorted, no_byte_in_any_place_breaks_the_parser,
	a_string_has_at_most_255_bytes_and_rdata_65535,
	printing_counts_past_its_room_and_always_ends, a_record_is_printed_whole
#ifdef HAVE_LDNS
	,
	ldns_reads_the_same_bytes
#endif
)
