/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "unit/unit.h"

START_TEST(every_byte_comes_out_as_printable_text)
{
	char in[256], out[1100];
	for (int i = 0; i < 256; i++)
		in[i] = (char)i;
	size_t n = log_escape(out, sizeof out, in, sizeof in);
	ck_assert_uint_eq(n, strlen(out));
	for (size_t i = 0; i < n; i++)
		ck_assert(out[i] >= 0x20 && out[i] < 0x7f);
	ck_assert_ptr_nonnull(strstr(out, "\\010"));
	ck_assert_ptr_nonnull(strstr(out, "\\255"));
}
END_TEST

START_TEST(a_small_buffer_ends_between_escapes)
{
	char out[6];
	ck_assert_uint_eq(log_escape(out, sizeof out, "a\n\n", 3), 5);
	ck_assert_str_eq(out, "a\\010");
}
END_TEST

UNIT_MAIN(
	"base/log", every_byte_comes_out_as_printable_text, a_small_buffer_ends_between_escapes)
