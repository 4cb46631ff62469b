/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypto/hasher.h"
#include "unit/unit.h"

#include <string.h>

static void to_base32hex(char *out, const uint8_t *p)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	for (unsigned i = 0; i < 32; i++) {
		unsigned bit = i * 5, value = 0;
		for (unsigned b = 0; b < 5; b++)
			value = value << 1 | (p[(bit + b) / 8] >> (7 - (bit + b) % 8) & 1);
		out[i] = digits[value];
	}
	out[32] = 0;
}

/* RFC 5155, appendix A. */
START_TEST(hashes_are_those_of_the_rfc)
{
	static const struct {
		const char *name;
		size_t n;
		const char *hash;
	} rows[] = {
		{ "\7example", 9, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom" },
		{ "\1a\7example", 11, "35mthgpgcu1qg68fab165klnsnk3dpvl" },
		{ "\2ai\7example", 12, "gjeqe526plbf1g8mklp59enfd789njgi" },
		{ "\3ns1\7example", 13, "2t7b4g4vsa5smi47k61mv5bv1a22bojr" },
		{ "\1*\1w\7example", 13, "r53bq7cc2uvmubfu5ocmm6pers9tk9en" },
		{ "\2xx\7example", 12, "t644ebqk9bibcna874givr6joj62mlhv" },
	};
	struct hasher *h = hasher_new();
	for (size_t i = 0; i < array_len(rows); i++) {
		uint8_t hash[HASHER_LEN];
		char text[33];
		ck_assert(hasher_nsec3(h, (const uint8_t *)rows[i].name, rows[i].n,
			(const uint8_t *)"\xaa\xbb\xcc\xdd", 4, 12, hash));
		to_base32hex(text, hash);
		ck_assert_str_eq(text, rows[i].hash);
	}
	hasher_free(&h);
	ck_assert_ptr_null(h);
}
END_TEST

UNIT_MAIN("crypto/hasher", hashes_are_those_of_the_rfc)
