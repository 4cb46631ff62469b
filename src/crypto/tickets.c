/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypto/tickets.h"

#include "base/lock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "crypto/inside.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <string.h>

enum {
	NAME_LEN = 16, /* as OpenSSL has them */
	IV_LEN = 16,
	KEY_LEN = 32
};

struct key {
	uint8_t name[NAME_LEN], cipher[KEY_LEN], mac[KEY_LEN];
};

struct tickets {
	struct lock lock;
	size_t n;
	struct key key[TICKET_KEYS]; /* the first seals */
};

struct tickets *tickets_new(void)
{
	struct tickets *tickets = mem_new(sizeof *tickets);
	lock_init(&tickets->lock);
	tickets_rotate(tickets);
	return tickets;
}

void tickets_free(struct tickets **held)
{
	struct tickets *tickets = *held;
	*held = NULL;
	if (!tickets)
		return;
	OPENSSL_cleanse(tickets->key, sizeof tickets->key);
	lock_fini(&tickets->lock);
	mem_free(tickets);
}

void tickets_rotate(struct tickets *tickets)
{
	struct key fresh;
	rand_fill(&fresh, sizeof fresh);
	lock_take(&tickets->lock);
	memmove(tickets->key + 1, tickets->key, sizeof tickets->key - sizeof tickets->key[0]);
	tickets->key[0] = fresh;
	tickets->n += tickets->n < TICKET_KEYS;
	lock_release(&tickets->lock);
	OPENSSL_cleanse(&fresh, sizeof fresh);
}

/* The index of the key with that name; n: there is none. */
static size_t find(const struct tickets *tickets, const uint8_t *name)
{
	size_t i = 0;
	while (i < tickets->n && memcmp(tickets->key[i].name, name, NAME_LEN) != 0)
		i++;
	return i;
}

/* A copy of the key to seal with (name NULL), or of the one that is named. *age: its place. */
static bool take(struct tickets *tickets, const uint8_t *name, struct key *key, size_t *age)
{
	lock_take(&tickets->lock);
	*age = name ? find(tickets, name) : 0;
	bool is_there = *age < tickets->n;
	if (is_there)
		*key = tickets->key[*age];
	lock_release(&tickets->lock);
	return is_there;
}

static bool set_mac(EVP_MAC_CTX *mac, struct key *key)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, KEY_LEN),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* 1: good; 2: open, and give a new one; 0: no such key, a full handshake; -1: broken off. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, int is_sealed)
{
	struct tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct key key;
	size_t age;
	int result = -1;
	if (!take(tickets, is_sealed ? NULL : name, &key, &age))
		return 0;
	if (is_sealed) {
		memcpy(name, key.name, NAME_LEN);
		rand_fill(iv, IV_LEN);
		if (EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv) == 1 &&
			set_mac(mac, &key))
			result = 1;
	} else if (set_mac(mac, &key) &&
		   EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv) == 1) {
		result = age == 0 ? 1 : 2;
	}
	OPENSSL_cleanse(&key, sizeof key);
	return result;
}

void tickets_use(struct tickets *tickets, SSL_CTX *ctx)
{
	SSL_CTX_set_app_data(ctx, tickets);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
	SSL_CTX_set_timeout(ctx, TICKET_LIFE_S);
}
