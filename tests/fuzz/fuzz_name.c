/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_name.c -- any bytes are a name, on the wire and as text
 *
 * What     A name read from a message, compressed or not, is printed and read back as the same;
 *          text that is taken for a name is printed and read back as the same name; order and
 *          equality agree.
 */
#include "base/mem.h"
#include "wire/key.h"
#include "wire/name.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void print_and_read(const struct name *name)
{
	char text[NAME_TEXT_MAX];
	struct name again;
	struct err err;
	size_t len = name_print(text, name->bytes);
	must(len < sizeof text && text[len] == 0 && strlen(text) == len);
	must(name_from_text(&again, text, len, NULL, &err) == 0);
	must(again.len == name->len && memcmp(again.bytes, name->bytes, name->len) == 0);
}

static void check(const struct name *name)
{
	static struct key key;
	struct name lower = *name;
	must(name_check(name->bytes, name->len) == name->len);
	must(name_len(name->bytes) == name->len);
	name_lower(lower.bytes, name->bytes, name->len);
	must(name_is_equal(lower.bytes, name->bytes));
	must(name_compare(lower.bytes, name->bytes) == 0);
	key_make(&key, name->bytes);
	must(key.len == name->len && key.labels == name_labels(name->bytes));
	for (unsigned i = 0; i <= key.labels; i++) {
		must(key.hash[i] == key_hash(lower.bytes + key.at[i]));
		must(name_is_at_or_below(name->bytes, lower.bytes + key.at[i]));
	}
	print_and_read(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t origin[] = "\7example";
	struct name name, other;
	struct err err;
	size_t end;
	unsigned steps = 1000;
	if (n < 1)
		return 0;
	/* A copy without a byte to spare; the first byte says where in it the name begins. */
	uint8_t *msg = mem_new(n);
	memcpy(msg, data, n);
	size_t at = data[0] % n;
	bool is_name = name_read(&name, msg, n, at, &end, &steps) == 0;
	if (is_name) {
		must(end > at && end <= n);
		check(&name);
	}
	if (name_from_text(&other, (const char *)msg, n, origin, &err) == 0) {
		check(&other);
		int order = is_name ? name_compare(name.bytes, other.bytes) : 0;
		must(!is_name || order == -name_compare(other.bytes, name.bytes) ||
			order * name_compare(other.bytes, name.bytes) < 0);
		must(!is_name || (order == 0) == name_is_equal(name.bytes, other.bytes));
	}
	mem_free(msg);
	return 0;
}
