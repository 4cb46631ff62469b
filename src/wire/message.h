/* SPDX-License-Identifier: BSD-2-Clause */
/* message.h -- the header's words */
#pragma once

#include "base/def.h"

enum {
	HEADER_LEN = 12,
	MESSAGE_MAX_LEN = 65535
};

enum { /* bits of the header's second 16 */
	FLAG_QR = 0x8000,
	FLAG_AA = 0x0400,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	FLAG_RA = 0x0080,
	FLAG_AD = 0x0020,
	FLAG_CD = 0x0010,
	FLAGS_OPCODE = 0x7800,
	OPCODE_SHIFT = 11,
};

enum opcode {
	OPCODE_QUERY = 0,
	OPCODE_NOTIFY = 4,
	OPCODE_UPDATE = 5
};

enum rcode {
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
	RCODE_YXDOMAIN = 6,
	RCODE_NOTAUTH = 9,
	RCODE_BADVERS = 16,
	RCODE_BADKEY = 17, /* in a TSIG record only */
};

/* The code's word, or NULL. */
const char *rcode_word(unsigned rcode) PURE;

enum section {
	SECTION_QUESTION,
	SECTION_ANSWER,
	SECTION_AUTHORITY,
	SECTION_ADDITIONAL,
	SECTIONS
};
