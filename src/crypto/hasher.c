/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypto/hasher.h"

#include "base/mem.h"

#include <openssl/evp.h>
#include <string.h>

struct hasher {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

struct hasher *hasher_new(void)
{
	struct hasher *h = mem_new(sizeof *h);
	/* Fetched on first need: most servers have no NSEC3 zone, and loading the provider
	 * costs milliseconds. */
	return h;
}

void hasher_free(struct hasher **hasher)
{
	struct hasher *h = *hasher;
	*hasher = NULL;
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->md);
	mem_free(h);
}

static bool fetch(struct hasher *h)
{
	if (h->ctx)
		return true;
	if (!h->md)
		h->md = EVP_MD_fetch(NULL, "SHA1", NULL);
	if (h->md)
		h->ctx = EVP_MD_CTX_new();
	return h->ctx != NULL;
}

static bool digest(struct hasher *h, const uint8_t *p, size_t n, const uint8_t *salt,
	size_t salt_len, uint8_t *out)
{
	return EVP_DigestInit_ex2(h->ctx, h->md, NULL) && EVP_DigestUpdate(h->ctx, p, n) &&
	       (!salt_len || EVP_DigestUpdate(h->ctx, salt, salt_len)) &&
	       EVP_DigestFinal_ex(h->ctx, out, NULL);
}

bool hasher_nsec3(struct hasher *h, const uint8_t *name, size_t name_len, const uint8_t *salt,
	size_t salt_len, unsigned iterations, uint8_t out[HASHER_LEN])
{
	if (!fetch(h) || !digest(h, name, name_len, salt, salt_len, out))
		return false;
	for (unsigned i = 0; i < iterations; i++) {
		uint8_t in[HASHER_LEN];
		memcpy(in, out, sizeof in);
		if (!digest(h, in, sizeof in, salt, salt_len, out))
			return false;
	}
	return true;
}
