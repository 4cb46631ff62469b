/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/rrtype.h"
#include "unit/unit.h"

#include <string.h>

static int code_of(const char *text)
{
	return rrtype_from_text(text, strlen(text));
}

START_TEST(every_row_is_found_by_its_code_and_by_its_name_in_any_case)
{
	unsigned rows = 0;
	for (unsigned code = 0; code <= UINT16_MAX; code++) {
		const struct rrtype *row = rrtype_find((uint16_t)code);
		if (!row)
			continue;
		rows++;
		ck_assert_uint_eq(row->code, code);
		ck_assert_int_eq(code_of(row->name), (int)code);
		char lower[RRTYPE_TEXT_MAX], text[RRTYPE_TEXT_MAX];
		for (size_t i = 0; i <= strlen(row->name); i++)
			lower[i] =
				(char)(row->name[i] >= 'A' ? row->name[i] + 32 : row->name[i]);
		ck_assert_int_eq(code_of(lower), (int)code);
		ck_assert_str_eq(rrtype_print(text, (uint16_t)code), row->name);
		ck_assert_uint_ne(row->fields[0], FIELD_END);
		ck_assert_uint_eq(row->fields[FIELDS_MAX - 1], FIELD_END);
	}
	ck_assert_uint_eq(rows, 97);
}
END_TEST

START_TEST(a_type_without_a_row_is_written_with_its_number)
{
	char text[RRTYPE_TEXT_MAX];
	ck_assert_ptr_null(rrtype_find(0));
	ck_assert_ptr_null(rrtype_find(54));
	ck_assert_ptr_null(rrtype_find(65535));
	ck_assert_str_eq(rrtype_print(text, 65280), "TYPE65280");
	ck_assert_int_eq(code_of("TYPE65280"), 65280);
	ck_assert_int_eq(code_of("type1"), TYPE_A);
	ck_assert_int_eq(code_of("TYPE0"), 0);
}
END_TEST

START_TEST(what_is_no_type_is_refused)
{
	static const char *const words[] = { "", "B", "AA", "AAAAA", "TYPE", "TYPE65536",
		"TYPE-1", "TYPE1x", "TYPE000001", "NSE", "NSEC33", "IN", "300", "NSAP_PTR",
		"A ", "\xc1" };
	for (size_t i = 0; i < array_len(words); i++)
		ck_assert_msg(code_of(words[i]) == -1, "%s", words[i]);
	ck_assert_int_eq(rrtype_from_text("A\0", 2), -1);
}
END_TEST

START_TEST(a_misspelt_type_has_a_near_one)
{
	ck_assert_str_eq(rrtype_near("AAA", 3), "AAAA");
	ck_assert_str_eq(rrtype_near("cnmae", 5), "CNAME");
	ck_assert_str_eq(rrtype_near("NSEC3PARM", 9), "NSEC3PARAM");
	ck_assert_ptr_null(rrtype_near("completely-else", 15));
	ck_assert_ptr_null(rrtype_near("", 0));
}
END_TEST

UNIT_MAIN("wire/rrtype", every_row_is_found_by_its_code_and_by_its_name_in_any_case,
	a_type_without_a_row_is_written_with_its_number, what_is_no_type_is_refused,
	a_misspelt_type_has_a_near_one)
