/* SPDX-License-Identifier: BSD-2-Clause */
/* pki.h -- keys and certificates that a test makes for itself, in a folder of its own */
#pragma once

#include "unit/unit.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct pki_cert {
	X509 *x509;
	EVP_PKEY *key;
};

struct pki_wish {
	const char *name, *san;        /* san as "DNS:a.test,IP:192.0.2.1"; NULL: none */
	const struct pki_cert *issuer; /* NULL: itself */
	long from_s, until_s;          /* from now */
	bool is_ca;
	unsigned rsa_bits; /* 0: P-256 */
};

static inline void pki_extend(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ck_assert_ptr_nonnull(ext);
	ck_assert_int_eq(X509_add_ext(x509, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static inline struct pki_cert pki_make(const struct pki_wish *wish)
{
	static long serial = 1000;
	struct pki_cert made = { X509_new(),
		wish->rsa_bits ? EVP_RSA_gen(wish->rsa_bits) : EVP_EC_gen("P-256") };
	ck_assert_ptr_nonnull(made.key);
	X509 *issuer = wish->issuer ? wish->issuer->x509 : made.x509;
	X509_NAME *name = X509_get_subject_name(made.x509);
	ck_assert_int_eq(X509_set_version(made.x509, 2), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(made.x509), serial++);
	X509_gmtime_adj(X509_getm_notBefore(made.x509), wish->from_s);
	X509_gmtime_adj(X509_getm_notAfter(made.x509), wish->until_s ? wish->until_s : 86400);
	X509_set_pubkey(made.x509, made.key);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const uint8_t *)wish->name, -1, -1, 0);
	X509_set_issuer_name(made.x509, X509_get_subject_name(issuer));
	pki_extend(made.x509, issuer, NID_basic_constraints,
		wish->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (wish->san)
		pki_extend(made.x509, issuer, NID_subject_alt_name, wish->san);
	ck_assert_int_gt(
		X509_sign(made.x509, wish->issuer ? wish->issuer->key : made.key, EVP_sha256()),
		0);
	return made;
}

static inline void pki_free(struct pki_cert *cert)
{
	X509_free(cert->x509);
	EVP_PKEY_free(cert->key);
}

/* A file of certificates, in the given order; the list ends with NULL. */
static inline void pki_write_certs(const char *path, X509 *const *certs)
{
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	for (; *certs; certs++)
		ck_assert_int_eq(PEM_write_X509(f, *certs), 1);
	fclose(f);
}

static inline void pki_write_key(const char *path, EVP_PKEY *key, const char *passphrase)
{
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(PEM_write_PrivateKey(f, key, passphrase ? EVP_aes_128_cbc() : NULL,
				 (const uint8_t *)passphrase,
				 passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
		1);
	fclose(f);
}

static inline void pki_write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}
