/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/key.h"

#include "base/hash.h"
#include "base/rand.h"

/* Written once before the first thread, read ever after. */
static struct hash_key secret;

void key_draw_secret(void)
{
	rand_fill(&secret, sizeof secret);
}

uint64_t key_root(void)
{
	return secret.k0 ^ secret.k1;
}

uint64_t key_step(uint64_t suffix_hash, const uint8_t *label)
{
	const struct hash_key k = { secret.k0 ^ suffix_hash, secret.k1 };
	return hash_sip(&k, label, label[0] + 1u, 1, 3);
}

uint64_t key_hash(const uint8_t *name)
{
	uint8_t at[NAME_MAX_LABELS + 1];
	unsigned n = 0;
	for (unsigned i = 0; name[i]; i += name[i] + 1u)
		at[n++] = (uint8_t)i;
	uint64_t h = key_root();
	while (n)
		h = key_step(h, name + at[--n]);
	return h;
}

void key_finish(struct key *key)
{
	uint64_t h = key_root();
	key->hash[key->labels] = h;
	for (unsigned i = key->labels; i-- > 0;) {
		h = key_step(h, key->name + key->at[i]);
		key->hash[i] = h;
	}
}

void key_make(struct key *key, const uint8_t *name)
{
	unsigned n = 0, i = 0;
	for (; name[i]; i += name[i] + 1u)
		key->at[n++] = (uint8_t)i;
	key->at[n] = (uint8_t)i;
	key->labels = (uint8_t)n;
	key->len = (uint8_t)(i + 1);
	name_lower(key->name, name, i + 1);
	key_finish(key);
}
