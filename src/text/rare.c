/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/field.h"
#include "text/mnemonic.h"
#include "wire/name.h"

#include <errno.h>
#include <string.h>

enum {
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PORTS = 65536,
	ATMA_AESA = 0, /* hexadecimal */
	ATMA_E164 = 1, /* digits */
	APL_IPV4 = 1,
	APL_IPV6 = 2,
	GATEWAY_NAME = 3,
};

/* ---- APL: [!]FAMILY:ADDRESS/PREFIX, RFC 3123 5 ---- */

static int parse_prefix(struct parse *parse)
{
	static const char wanted[] = "prefixes such as 1:192.0.2.0/24 or !2:2001:db8::/32";
	const char *p = parse->at->text, *end = p + parse->at->len;
	uint8_t address[16];
	uint64_t family, prefix;
	bool is_negated = p < end && *p == '!';
	if (is_negated)
		p++;
	const char *colon = memchr(p, ':', (size_t)(end - p));
	const char *slash = memchr(p, '/', (size_t)(end - p));
	if (!colon || !slash || slash < colon ||
		!text_is_number(p, (size_t)(colon - p), 2, &family))
		return parse_wants(parse, wanted);
	size_t n = (size_t)(slash - colon - 1), len = family == APL_IPV4 ? 4 : 16;
	if (family < APL_IPV4 ||
		!(family == APL_IPV4 ? text_is_ipv4(colon + 1, n, address)
				     : text_is_ipv6(colon + 1, n, address)) ||
		!text_is_number(slash + 1, (size_t)(end - slash - 1), len * 8, &prefix))
		return parse_wants(parse, wanted);
	while (len > 0 && address[len - 1] == 0)
		len--;
	if (parse_put_number(parse, family, 2) < 0 || parse_put_number(parse, prefix, 1) < 0 ||
		parse_put_number(parse, len | (is_negated ? 0x80 : 0), 1) < 0)
		return -EINVAL;
	return parse_put(parse, address, len);
}

int parse_apl(struct parse *parse)
{
	int rc;
	while ((rc = parse_more(parse, "prefixes such as 1:192.0.2.0/24")) == 1)
		if (parse_prefix(parse) < 0)
			return -EINVAL;
	return rc;
}

bool print_apl(struct print *print, struct bytes *b)
{
	for (bool is_first = true; b->n > 0; is_first = false) {
		uint8_t address[16] = { 0 };
		unsigned family = bytes_u16(b), prefix = bytes_u8(b), len = bytes_u8(b);
		bool is_negated = len & 0x80;
		len &= 0x7f;
		const uint8_t *p = bytes_take(b, len);
		if (!p || (family != APL_IPV4 && family != APL_IPV6) || len > sizeof address)
			return false;
		memcpy(address, p, len);
		if (!is_first)
			print_char(print, ' ');
		if (is_negated)
			print_char(print, '!');
		print_number(print, family);
		print_char(print, ':');
		if (family == APL_IPV4)
			print_ipv4(print, address);
		else
			print_ipv6(print, address);
		print_char(print, '/');
		print_number(print, prefix);
	}
	return true;
}

/* ---- WKS: ADDRESS PROTOCOL PORT..., RFC 1035 3.4.2 ---- */

static int parse_protocol(struct parse *parse)
{
	static const char wanted[] = "a protocol: TCP, UDP or a number up to 255";
	uint64_t x;
	if (parse_word(parse, wanted) < 0)
		return -EINVAL;
	if (text_is(parse->at, "TCP"))
		x = PROTOCOL_TCP;
	else if (text_is(parse->at, "UDP"))
		x = PROTOCOL_UDP;
	else if (!text_is_number(parse->at->text, parse->at->len, 255, &x))
		return parse_wants(parse, wanted);
	return parse_put_number(parse, x, 1);
}

static int word_port(struct parse *parse)
{
	const struct token *at = parse->at;
	uint64_t x;
	if (text_is_number(at->text, at->len, PORTS - 1, &x))
		return (int)x;
	int port = mnemonic_find(mnemonic_ports, mnemonic_ports_n, at->text, at->len);
	return port < 0 ? parse_wants(parse, "ports as numbers, or as words such as smtp")
			: port;
}

int parse_wks(struct parse *parse)
{
	static const char wanted[] = "an IPv4 address such as 192.0.2.1";
	uint8_t bits[PORTS / 8] = { 0 }, address[4];
	size_t len = sizeof bits;
	int rc;
	if (parse_word(parse, wanted) < 0)
		return -EINVAL;
	if (!text_is_ipv4(parse->at->text, parse->at->len, address))
		return parse_wants(parse, wanted);
	if (parse_put(parse, address, 4) < 0 || parse_protocol(parse) < 0)
		return -EINVAL;
	while ((rc = parse_more(parse, "ports")) == 1) {
		int port = word_port(parse);
		if (port < 0)
			return port;
		bits[port / 8] |= (uint8_t)(0x80 >> port % 8);
	}
	while (len > 0 && !bits[len - 1])
		len--;
	return rc < 0 ? rc : parse_put(parse, bits, len);
}

bool print_wks(struct print *print, struct bytes *b)
{
	const uint8_t *address = bytes_take(b, 4);
	unsigned protocol = bytes_u8(b);
	if (!address || b->fail || (b->n > 0 && b->p[b->n - 1] == 0))
		return false;
	print_ipv4(print, address);
	print_char(print, ' ');
	print_number(print, protocol);
	for (unsigned port = 0; port / 8 < b->n; port++) {
		if (!(b->p[port / 8] & 0x80 >> port % 8))
			continue;
		print_char(print, ' ');
		print_number(print, port);
	}
	(void)bytes_take(b, b->n);
	return true;
}

/* ---- the gateway of IPSECKEY (RFC 4025 3.1) and AMTRELAY (RFC 8777 4.3) ---- */

static unsigned gateway_kind(uint16_t type, const uint8_t *rdata)
{
	return type == TYPE_AMTRELAY ? rdata[1] & 0x7f : rdata[1];
}

int parse_gateway(struct parse *parse)
{
	uint8_t address[16];
	unsigned kind = gateway_kind(parse->type, parse->out);
	if (kind == GATEWAY_NAME)
		return parse_name(parse);
	if (parse_word(parse, "a gateway") < 0)
		return -EINVAL;
	const char *text = parse->at->text;
	size_t n = parse->at->len;
	switch (kind) {
	case 0:
		return n == 1 && *text == '.'
			       ? 0
			       : parse_wants(parse, "'.' for a gateway of kind 0");
	case 1:
		if (!text_is_ipv4(text, n, address))
			return parse_wants(parse, "an IPv4 address for a gateway of kind 1");
		return parse_put(parse, address, 4);
	case 2:
		if (!text_is_ipv6(text, n, address))
			return parse_wants(parse, "an IPv6 address for a gateway of kind 2");
		return parse_put(parse, address, 16);
	default:
		return parse_fail(
			parse, "gateways are of kind 0 (none), 1 (IPv4), 2 (IPv6) or 3 (name)");
	}
}

bool print_gateway(struct print *print, struct bytes *b)
{
	const uint8_t *p;
	switch (gateway_kind(print->type, print->rdata)) {
	case 0:
		print_char(print, '.');
		return true;
	case 1:
		p = bytes_take(b, 4);
		if (p)
			print_ipv4(print, p);
		return p != NULL;
	case 2:
		p = bytes_take(b, 16);
		if (p)
			print_ipv6(print, p);
		return p != NULL;
	case GATEWAY_NAME:
		print_name(print, b);
		return true;
	default:
		return false;
	}
}

/* ---- HIP: ALGORITHM HIT KEY SERVER..., RFC 8005 6 ---- */

int parse_hip(struct parse *parse)
{
	uint64_t algorithm;
	int rc;
	if (parse_number(parse, 255, &algorithm) < 0 || parse_put_number(parse, 0, 1) < 0 ||
		parse_put_number(parse, algorithm, 1) < 0 || parse_put_number(parse, 0, 2) < 0)
		return -EINVAL;
	size_t begin = parse->n;
	if (parse_hex(parse, true) < 0)
		return -EINVAL;
	size_t hit = parse->n - begin;
	if (hit < 1 || hit > 255)
		return parse_wants(
			parse, "a host identity tag of 1 to 255 bytes in hexadecimal digits");
	begin = parse->n;
	if (parse_base64(parse, true) < 0)
		return -EINVAL;
	if (parse->n == begin)
		return parse_wants(parse, "a public key in base64");
	parse->out[0] = (uint8_t)hit;
	put_u16(parse->out + 2, (uint16_t)(parse->n - begin));
	for (;;) {
		const struct lex before = *parse->lex;
		rc = parse_more(parse, "names of rendezvous servers");
		if (rc <= 0)
			return rc;
		*parse->lex = before;
		if (parse_name(parse) < 0)
			return -EINVAL;
	}
}

bool print_hip(struct print *print, struct bytes *b)
{
	size_t hit_n = bytes_u8(b);
	unsigned algorithm = bytes_u8(b);
	size_t key_n = bytes_u16(b);
	const uint8_t *hit = bytes_take(b, hit_n), *key = bytes_take(b, key_n);
	if (b->fail)
		return false;
	print_number(print, algorithm);
	print_char(print, ' ');
	print_hex(print, hit, hit_n);
	print_char(print, ' ');
	print_base64(print, key, key_n);
	while (b->n > 0) {
		print_char(print, ' ');
		print_name(print, b);
	}
	return true;
}

/* ---- NSAP: 0x and hexadecimal digits, dots between them, RFC 1706 ---- */

/* Pairs of hexadecimal digits, dots between them ignored; at least one. */
static int put_dotted_hex(struct parse *parse, const char *text, size_t n, const char *wanted)
{
	size_t begin = parse->n;
	int half = -1;
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '.')
			continue;
		int x = text_hex_digit(text[i]);
		if (x < 0)
			return parse_wants(parse, wanted);
		if (half >= 0 && parse_put_number(parse, (uint64_t)(half << 4 | x), 1) < 0)
			return -EINVAL;
		half = half >= 0 ? -1 : x;
	}
	return half >= 0 || parse->n == begin ? parse_wants(parse, wanted) : 0;
}

int parse_nsap(struct parse *parse)
{
	static const char wanted[] =
		"an address such as 0x47.0005.80 with an even number of digits";
	if (parse_word(parse, wanted) < 0)
		return -EINVAL;
	const struct token *at = parse->at;
	if (at->len < 4 || at->text[0] != '0' || (at->text[1] | 0x20) != 'x')
		return parse_wants(parse, wanted);
	return put_dotted_hex(parse, at->text + 2, at->len - 2, wanted);
}

bool print_nsap(struct print *print, struct bytes *b)
{
	print_text(print, "0x");
	print_hex(print, b->p, b->n);
	(void)bytes_take(b, b->n);
	return true;
}

/* ---- ATMA: hexadecimal (AESA), or + and digits (E.164) ---- */

int parse_atma(struct parse *parse)
{
	static const char wanted[] =
		"an ATM address: hexadecimal digits, or + and decimal ones";
	if (parse_word(parse, wanted) < 0)
		return -EINVAL;
	const char *text = parse->at->text;
	size_t n = parse->at->len;
	if (text[0] != '+') {
		if (parse_put_number(parse, ATMA_AESA, 1) < 0)
			return -EINVAL;
		return put_dotted_hex(parse, text, n, wanted);
	}
	if (n < 2)
		return parse_wants(parse, wanted);
	for (size_t i = 1; i < n; i++)
		if (text[i] < '0' || text[i] > '9')
			return parse_wants(parse, wanted);
	if (parse_put_number(parse, ATMA_E164, 1) < 0)
		return -EINVAL;
	return parse_put(parse, text + 1, n - 1);
}

bool print_atma(struct print *print, struct bytes *b)
{
	unsigned format = bytes_u8(b);
	size_t n = b->n;
	const uint8_t *p = bytes_take(b, n);
	if (!p || n == 0 || format > ATMA_E164)
		return false;
	if (format == ATMA_AESA) {
		print_hex(print, p, n);
		return true;
	}
	print_char(print, '+');
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		print_char(print, (char)p[i]);
	}
	return true;
}

/* ---- A6: PREFIX-LENGTH [SUFFIX] [NAME], RFC 2874 3.1 ---- */

int parse_a6(struct parse *parse)
{
	static const char wanted[] = "the rest of an IPv6 address such as ::1";
	uint64_t prefix;
	uint8_t address[16];
	if (parse_number(parse, 128, &prefix) < 0 || parse_put_number(parse, prefix, 1) < 0)
		return -EINVAL;
	size_t skip = (size_t)prefix / 8;
	if (prefix < 128) {
		if (parse_word(parse, wanted) < 0)
			return -EINVAL;
		if (!text_is_ipv6(parse->at->text, parse->at->len, address))
			return parse_wants(parse, wanted);
		/* Bits under the prefix are padding: RFC 2874 3.1.1 wants zeros. */
		address[skip] &= (uint8_t)(0xff >> prefix % 8);
		if (parse_put(parse, address + skip, 16 - skip) < 0)
			return -EINVAL;
	}
	return prefix > 0 ? parse_name(parse) : 0;
}

bool print_a6(struct print *print, struct bytes *b)
{
	uint8_t address[16] = { 0 };
	unsigned prefix = bytes_u8(b);
	size_t skip = prefix / 8;
	if (prefix > 128)
		return false;
	const uint8_t *p = bytes_take(b, 16 - skip);
	if (!p || (prefix % 8 && p[0] & ~(0xff >> prefix % 8)))
		return false;
	print_number(print, prefix);
	memcpy(address + skip, p, 16 - skip);
	if (prefix < 128) {
		print_char(print, ' ');
		print_ipv6(print, address);
	}
	if (prefix > 0) {
		print_char(print, ' ');
		print_name(print, b);
	}
	return true;
}
