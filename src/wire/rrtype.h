/* SPDX-License-Identifier: BSD-2-Clause */
/* rrtype.h -- one row per record type: all that wire check, zone text and printing know
 *
 * What     The IANA registry as a table. Every reader of RDATA walks the row's
 *          fields: rdata_check (wire/rdata.h), the zone scanner, the printer, the
 *          writer's compression. A type without a row is opaque (RFC 3597).
 * Threads  Constant data.
 * Read     RFC 6895, 3597; the RFC of each type stands in its row.
 */
#pragma once

#include "base/def.h"

enum { /* the types that code (not only the table) names */
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_PTR = 12,
	TYPE_HINFO = 13,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_SIG = 24,
	TYPE_AAAA = 28,
	TYPE_NXT = 30,
	TYPE_SRV = 33,
	TYPE_NAPTR = 35,
	TYPE_DNAME = 39,
	TYPE_OPT = 41,
	TYPE_DS = 43,
	TYPE_RRSIG = 46,
	TYPE_NSEC = 47,
	TYPE_DNSKEY = 48,
	TYPE_NSEC3 = 50,
	TYPE_NSEC3PARAM = 51,
	TYPE_ZONEMD = 63,
	TYPE_SVCB = 64,
	TYPE_HTTPS = 65,
	TYPE_NXNAME = 128,
	TYPE_TKEY = 249,
	TYPE_TSIG = 250,
	TYPE_IXFR = 251,
	TYPE_AXFR = 252,
	TYPE_MAILB = 253,
	TYPE_MAILA = 254,
	TYPE_ANY = 255,
	TYPE_URI = 256,
	TYPE_AMTRELAY = 260,
};

enum {
	CLASS_IN = 1,
	CLASS_CH = 3,
	CLASS_HS = 4,
	CLASS_NONE = 254,
	CLASS_ANY = 255
};

enum field { /* how a piece of RDATA looks on the wire and in text */
	FIELD_END = 0,
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_PERIOD, /* u32, text may carry units: 1h30m */
	FIELD_TIME,   /* u32, text YYYYMMDDHHmmSS */
	FIELD_NAME,   /* domain name, never compressed on output */
	/* domain name of an RFC 1035 type: compressed on output, may be on input */
	FIELD_CNAME,
	FIELD_IPV4,
	FIELD_IPV6,
	FIELD_STRING,    /* one character-string */
	FIELD_STRINGS,   /* one or more, to the end */
	FIELD_TYPE,      /* u16, a type mnemonic in text */
	FIELD_ALGORITHM, /* u8, a DNSSEC algorithm number or mnemonic in text */
	FIELD_CERT_TYPE, /* u16, CERT's certificate type */
	FIELD_BASE64,    /* to the end */
	FIELD_HEX,       /* to the end */
	FIELD_SALT,      /* u8 length, hex or "-" in text */
	FIELD_HASH32,    /* u8 length, base32hex in text (NSEC3 next) */
	FIELD_BITMAP,    /* type bitmap, to the end */
	FIELD_EUI48,
	FIELD_EUI64,
	FIELD_NODE64, /* 8 bytes as four hex groups: NID, L64 */
	FIELD_TAG,    /* CAA tag: u8 length, letters and digits */
	/* quoted text to the end without a length byte: CAA value, URI target */
	FIELD_TEXT_REST,
	FIELD_PARAMS,       /* SVCB parameters, to the end */
	FIELD_APL,          /* to the end */
	FIELD_LOC,          /* 16 bytes of version 0 */
	FIELD_WKS,          /* protocol and port bitmap, to the end */
	FIELD_GATEWAY,      /* IPSECKEY, AMTRELAY: kind is in an earlier byte */
	FIELD_HIP,          /* the whole RDATA of HIP */
	FIELD_NSAP,         /* 0x hex, to the end */
	FIELD_ATMA,         /* to the end */
	FIELD_STRING_MAYBE, /* one character-string or nothing: ISDN's subaddress */
	/* to the end, which may be here already: a KEY that says there is none */
	FIELD_BASE64_MAYBE,
	FIELD_BASE64_DASH, /* to the end; "-" in text when it is here: DOA */
	FIELD_U64,
	FIELD_SCHEME,    /* u8, DSYNC's scheme */
	FIELD_RELAY,     /* u8, AMTRELAY's discovery bit and kind of relay */
	FIELD_A6,        /* the whole RDATA of A6 */
	FIELD_TYPES_NXT, /* NXT's one bitmap of the types 1..127, to the end */
	FIELD_OPAQUE,    /* to the end, RFC 3597 text only */
};

enum {
	FIELDS_MAX = 10
};

enum {
	RRTYPE_META = 1,       /* a question or pseudo type: never a record of a zone */
	RRTYPE_SINGLE = 2,     /* at most one record at a name: SOA, CNAME, DNAME */
	RRTYPE_ADDITIONAL = 4, /* its name field asks for addresses in the additional section */
	/* names in its RDATA are in lower case in canonical form: RFC 4034 6.2, 6840 5.1 */
	RRTYPE_LOWER = 8,
	RRTYPE_UNPACK = 16, /* names in its FIELD_NAME may come compressed: RFC 3597 4 */
};

struct rrtype { /* open: constant rows */
	uint16_t code;
	uint8_t flags;
	uint8_t fields[FIELDS_MAX]; /* enum field, FIELD_END ends */
	const char *name;           /* mnemonic, upper case */
};

/* The row of a type, or NULL when it is opaque. */
const struct rrtype *rrtype_find(uint16_t code) PURE;
/* A mnemonic in any letter case or TYPEnnn; -1 when it is neither. */
int rrtype_from_text(const char *text, size_t n) PURE;
/* The nearest mnemonic to a misspelt one, or NULL. */
const char *rrtype_near(const char *text, size_t n);
enum {
	RRTYPE_TEXT_MAX = 16
};
/* Mnemonic or TYPEnnn into out (RRTYPE_TEXT_MAX bytes); returns out. */
const char *rrtype_print(char *out, uint16_t code);
