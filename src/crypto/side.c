/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypto/side.h"

#include "base/clock.h"
#include "base/mem.h"
#include "crypto/inside.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
	CHAIN_MAX = 10, /* certificates of a file */
	FILE_MAX = 1 << 20,
	SHA256_LEN = 32,
	EC_BITS = 224, /* what is weaker than 112 bits is refused */
	RSA_BITS = 2048
};

struct chain {
	X509 *own;
	STACK_OF(X509) * issuers;
};

/* ---- files ---- */

/* What OpenSSL says last, in brackets' worth of words; its queue is emptied. */
static const char *told(void)
{
	unsigned long e = ERR_peek_last_error();
	const char *text = e ? ERR_reason_error_string(e) : NULL;
	ERR_clear_error();
	return text ? text : "unknown error";
}

/* A file opened; NULL with the reason. Only what lies on a disk: no FIFO that blocks. */
static BIO *open_file(const char *path, struct stat *st, struct err *err)
{
	if (stat(path, st)) {
		err_set(err, -errno, "cannot read '%s': %s", path, strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st->st_mode) || st->st_size > FILE_MAX) {
		err_set(err, -EINVAL, "cannot read '%s': it is %s", path,
			S_ISREG(st->st_mode) ? "over 1 MiB" : "not a regular file");
		return NULL;
	}
	BIO *bio = BIO_new_file(path, "r");
	if (!bio) {
		ERR_clear_error();
		err_set(err, -errno, "cannot read '%s': %s", path, strerror(errno));
	}
	return bio;
}

/* Never asks a terminal. */
static int on_passphrase(char *buf, int size, int is_writing, void *user)
{
	(void)buf, (void)size, (void)is_writing;
	*(bool *)user = true;
	return -1;
}

/* All certificates of a PEM file; NULL with the reason. */
static STACK_OF(X509) * read_certificates(const char *path, struct err *err)
{
	struct stat st;
	BIO *bio = open_file(path, &st, err);
	STACK_OF(X509) *all = bio ? sk_X509_new_null() : NULL;
	bool has_asked = false;
	X509 *one;
	while (all && sk_X509_num(all) < CHAIN_MAX &&
		(one = PEM_read_bio_X509(bio, NULL, on_passphrase, &has_asked)))
		if (!sk_X509_push(all, one))
			X509_free(one);
	/* It ends with "no start line" when all was read. */
	bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	(void)BIO_free(bio);
	if (!all)
		return NULL;
	int n = sk_X509_num(all);
	if (n && (is_end || n == CHAIN_MAX)) {
		ERR_clear_error();
		return all;
	}
	if (is_end)
		err_set(err, -EINVAL, "%s: no certificate in it (PEM is expected)", path);
	else
		err_set(err, -EINVAL, "%s: certificate %d cannot be read: %s", path, n + 1,
			told());
	ERR_clear_error();
	sk_X509_pop_free(all, X509_free);
	return NULL;
}

static EVP_PKEY *read_key(const char *path, struct side_odd *odd, struct err *err)
{
	struct stat st;
	bool has_asked = false;
	BIO *bio = open_file(path, &st, err);
	if (!bio)
		return NULL;
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &has_asked);
	(void)BIO_free(bio);
	if (!key && has_asked)
		err_set(err, -EINVAL,
			"%s: the key has a passphrase, which a daemon cannot be asked for; "
			"'openssl pkey -in %s -out NEW' takes it off",
			path, path);
	else if (!key)
		err_set(err, -EINVAL, "%s: no private key in it (PEM is expected): %s", path,
			told());
	ERR_clear_error();
	if (key && (st.st_mode & S_IRWXO) && odd && odd->n < array_len(odd->text))
		err_set(&odd->text[odd->n++], 0,
			"%s: everybody on this host can read the key (mode %03o); 'chmod 640' "
			"would do",
			path, (unsigned)st.st_mode & 0777);
	return key;
}

/* ---- what a certificate says ---- */

static int64_t seconds_of(const ASN1_TIME *at)
{
	struct tm tm;
	if (!at || !ASN1_TIME_to_tm(at, &tm))
		return 0;
	return (int64_t)timegm(&tm);
}

static void print_name(char *out, size_t size, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	out[0] = 0;
	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >=
			   0) {
		long n = BIO_get_mem_data(bio, &text);
		(void)snprintf(out, size, "%.*s", (int)n, text);
	}
	(void)BIO_free(bio);
}

/* Appends a word to a list in out. */
static void append(char *out, size_t size, const char *text, size_t n)
{
	size_t used = strlen(out);
	(void)snprintf(out + used, size - used, "%s%.*s", used ? ", " : "", (int)n, text);
}

static void print_address(char *out, size_t size, const uint8_t *p, int n)
{
	char text[64] = "";
	if (n == 4)
		(void)snprintf(text, sizeof text, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
	for (int i = 0; n == 16 && i < n; i += 2)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%x",
			i ? ":" : "", (unsigned)p[i] << 8 | p[i + 1]);
	append(out, size, text, strlen(text));
}

/* The names that a client may know the server by (RFC 8310 8.1): no CN. */
static void print_names(char *out, size_t size, const X509 *own)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(own, NID_subject_alt_name, NULL, NULL);
	out[0] = 0;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int kind;
		const ASN1_STRING *value =
			GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &kind);
		if (kind == GEN_DNS || kind == GEN_URI)
			append(out, size, (const char *)ASN1_STRING_get0_data(value),
				(size_t)ASN1_STRING_length(value));
		else if (kind == GEN_IPADD)
			print_address(out, size, ASN1_STRING_get0_data(value),
				ASN1_STRING_length(value));
	}
	GENERAL_NAMES_free(names);
}

static void print_serial(char *out, size_t size, const X509 *own)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(own);
	const uint8_t *p = ASN1_STRING_get0_data(serial);
	out[0] = 0;
	for (int i = 0; i < ASN1_STRING_length(serial); i++)
		(void)snprintf(out + strlen(out), size - strlen(out), "%02x", p[i]);
}

static void print_pin(char *out, size_t size, const X509 *own)
{
	uint8_t *der = NULL, hash[SHA256_LEN];
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(own), &der);
	out[0] = 0;
	if (n > 0 && EVP_Digest(der, (size_t)n, hash, NULL, EVP_sha256(), NULL)) {
		must(size > (SHA256_LEN + 2) / 3 * 4);
		(void)EVP_EncodeBlock((uint8_t *)out, hash, sizeof hash);
	}
	OPENSSL_free(der);
}

static void print_facts(struct certificate_facts *facts, const X509 *own)
{
	EVP_PKEY *key = X509_get0_pubkey(own);
	print_name(facts->subject, sizeof facts->subject, X509_get_subject_name(own));
	print_name(facts->issuer, sizeof facts->issuer, X509_get_issuer_name(own));
	print_names(facts->names, sizeof facts->names, own);
	print_serial(facts->serial, sizeof facts->serial, own);
	print_pin(facts->pin, sizeof facts->pin, own);
	(void)snprintf(facts->key, sizeof facts->key, "%s %d", EVP_PKEY_get0_type_name(key),
		EVP_PKEY_get_bits(key));
	facts->from_s = seconds_of(X509_get0_notBefore(own));
	facts->until_s = seconds_of(X509_get0_notAfter(own));
}

/* ---- checks ---- */

static void note(struct side_odd *odd, const char *path, const char *text)
{
	if (odd && odd->n < array_len(odd->text))
		err_set(&odd->text[odd->n++], 0, "%s: %s", path, text);
}

static bool check_dates(const struct server_side_opts *opts, const struct certificate_facts *f,
	struct side_odd *odd, struct err *err)
{
	int64_t now_s = (int64_t)clock_wall_s();
	char text[128] = "";
	time_t at = (time_t)(now_s < f->from_s ? f->from_s : f->until_s);
	struct tm tm;
	if (gmtime_r(&at, &tm))
		(void)strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &tm);
	if (now_s >= f->from_s && now_s < f->until_s)
		return true;
	const char *what = now_s < f->from_s ? "is not valid before" : "has expired on";
	if (!opts->may_be_expired) {
		err_set(err, -EINVAL, "%s: the certificate %s %s", opts->certificate, what,
			text);
		return false;
	}
	struct err odd_text;
	err_set(&odd_text, 0, "the certificate %s %s: clients that check it will not come",
		what, text);
	note(odd, opts->certificate, odd_text.text);
	return true;
}

static bool check_strength(const char *path, const X509 *own, struct err *err)
{
	EVP_PKEY *key = X509_get0_pubkey(own);
	int bits = key ? EVP_PKEY_get_bits(key) : 0;
	int least = key && EVP_PKEY_is_a(key, "RSA") ? RSA_BITS : EC_BITS;
	if (bits >= least)
		return true;
	err_set(err, -EINVAL, "%s: a key of %d bits is too weak; at least %d are needed", path,
		bits, least);
	return false;
}

/* Each certificate of the file has signed the one before it. */
static bool check_chain(const char *path, const struct chain *chain, struct err *err)
{
	X509 *below = chain->own;
	for (int i = 0; i < sk_X509_num(chain->issuers); i++) {
		X509 *above = sk_X509_value(chain->issuers, i);
		if (X509_check_issued(above, below) != X509_V_OK ||
			X509_verify(below, X509_get0_pubkey(above)) != 1) {
			ERR_clear_error();
			err_set(err, -EINVAL,
				"%s: certificate %d is not the issuer of certificate %d; the "
				"server's own comes first, then each one's issuer",
				path, i + 2, i + 1);
			return false;
		}
		below = above;
	}
	return true;
}

/* Whether somebody could build the chain to a root that this host knows. */
static bool is_known_here(const struct chain *chain)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool is_known = store && ctx && X509_STORE_set_default_paths(store) &&
			X509_STORE_CTX_init(ctx, store, chain->own, chain->issuers) &&
			X509_verify_cert(ctx) == 1;
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return is_known;
}

static void judge_chain(const char *path, const struct chain *chain, struct side_odd *odd)
{
	int n = sk_X509_num(chain->issuers);
	X509 *last = n ? sk_X509_value(chain->issuers, n - 1) : chain->own;
	bool is_root = X509_check_issued(last, last) == X509_V_OK;
	char issuer[256];
	struct err text;
	if (is_root || is_known_here(chain))
		return;
	print_name(issuer, sizeof issuer, X509_get_issuer_name(last));
	err_set(&text, 0,
		"the chain ends with what '%s' has signed, whose certificate is neither in it "
		"nor "
		"known here; clients may miss it",
		issuer);
	note(odd, path, text.text);
}

/* ---- the side ---- */

static void chain_fini(struct chain *chain)
{
	X509_free(chain->own);
	sk_X509_pop_free(chain->issuers, X509_free);
}

static bool read_chain(struct chain *chain, const char *path, struct err *err)
{
	chain->issuers = read_certificates(path, err);
	if (!chain->issuers)
		return false;
	chain->own = sk_X509_shift(chain->issuers);
	return check_strength(path, chain->own, err) && check_chain(path, chain, err);
}

static bool use_key(struct tls_side *side, const struct server_side_opts *opts,
	const struct chain *chain, struct side_odd *odd, struct err *err)
{
	EVP_PKEY *key = read_key(opts->key, odd, err);
	bool is_good = key != NULL;
	if (is_good && X509_check_private_key(chain->own, key) != 1) {
		is_good = false;
		err_set(err, -EINVAL, "%s: the key is not that of the certificate in %s",
			opts->key, opts->certificate);
	}
	if (is_good &&
		SSL_CTX_use_cert_and_key(side->ctx, chain->own, key, chain->issuers, 1) != 1) {
		is_good = false;
		err_set(err, -EINVAL, "%s: %s", opts->certificate, told());
	}
	ERR_clear_error();
	EVP_PKEY_free(key);
	return is_good;
}

static bool use_certificate(struct tls_side *side, const struct server_side_opts *opts,
	struct certificate_facts *facts, struct side_odd *odd, enum side_fault *fault,
	struct err *err)
{
	struct chain chain = { NULL, NULL };
	*fault = SIDE_CERTIFICATE;
	bool is_good = read_chain(&chain, opts->certificate, err);
	if (is_good) {
		print_facts(facts, chain.own);
		is_good = check_dates(opts, facts, odd, err);
	}
	if (is_good) {
		judge_chain(opts->certificate, &chain, odd);
		if (!facts->names[0])
			note(odd, opts->certificate,
				"the certificate has no subject alternative name: nobody can "
				"check whose it is");
		*fault = SIDE_KEY;
		is_good = use_key(side, opts, &chain, odd, err);
	}
	chain_fini(&chain);
	return is_good;
}

/* "dot" is what is spoken here (RFC 7858 3.1): who offers names must offer that one. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *in, unsigned int n, void *user)
{
	static const unsigned char dot[] = { 3, 'd', 'o', 't' };
	(void)ssl, (void)user;
	for (unsigned i = 0; i < n; i += 1u + in[i])
		if (n - i >= sizeof dot && memcmp(in + i, dot, sizeof dot) == 0) {
			*out = in + i + 1;
			*out_len = sizeof dot - 1;
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Those that clients' certificates lead to. */
static bool use_clients(struct tls_side *side, const struct server_side_opts *opts,
	enum side_fault *fault, struct err *err)
{
	*fault = SIDE_CLIENT_CA;
	if (opts->client_auth == CLIENT_AUTH_OFF)
		return true;
	STACK_OF(X509) *all = read_certificates(opts->client_ca, err);
	X509_STORE *store = SSL_CTX_get_cert_store(side->ctx);
	uint8_t hash[SHA256_LEN];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool is_good = all && md && EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	for (int i = 0; is_good && i < sk_X509_num(all); i++) {
		X509 *one = sk_X509_value(all, i);
		unsigned n;
		is_good = X509_STORE_add_cert(store, one) &&
			  SSL_CTX_add_client_CA(side->ctx, one) &&
			  X509_digest(one, EVP_sha256(), hash, &n) &&
			  EVP_DigestUpdate(md, hash, n);
	}
	/* Sessions that began under other authorities are not taken up again. */
	is_good = is_good &&
		  EVP_DigestUpdate(md, &opts->client_auth, sizeof opts->client_auth) &&
		  EVP_DigestFinal_ex(md, hash, NULL) &&
		  SSL_CTX_set_session_id_context(side->ctx, hash, sizeof hash);
	if (all && !is_good)
		err_set(err, -EINVAL, "%s: %s", opts->client_ca, told());
	sk_X509_pop_free(all, X509_free);
	EVP_MD_CTX_free(md);
	int mode = SSL_VERIFY_PEER;
	if (opts->client_auth == CLIENT_AUTH_REQUIRE)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(side->ctx, mode, NULL);
	return is_good;
}

static bool use_crl(struct tls_side *side, const struct server_side_opts *opts,
	enum side_fault *fault, struct err *err)
{
	struct stat st;
	if (opts->client_auth == CLIENT_AUTH_OFF || !opts->client_crl)
		return true;
	*fault = SIDE_CLIENT_CRL;
	BIO *bio = open_file(opts->client_crl, &st, err);
	if (!bio)
		return false;
	X509_STORE *store = SSL_CTX_get_cert_store(side->ctx);
	size_t n = 0;
	X509_CRL *crl;
	while ((crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL))) {
		n += X509_STORE_add_crl(store, crl) == 1;
		X509_CRL_free(crl);
	}
	(void)BIO_free(bio);
	ERR_clear_error();
	if (!n)
		err_set(err, -EINVAL, "%s: no revocation list in it (PEM is expected)",
			opts->client_crl);
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
	return n > 0;
}

struct tls_side *server_side_new(const struct server_side_opts *opts,
	struct certificate_facts *facts, struct side_odd *odd, enum side_fault *fault,
	struct err *err)
{
	static const uint8_t context[] = "dot";
	struct certificate_facts unused;
	enum side_fault unused_fault;
	struct tls_side *side = tls_side_new(true);
	fault = fault ? fault : &unused_fault;
	if (!side) {
		err_set(err, -ENOMEM, "TLS cannot be had: %s", told());
		return NULL;
	}
	SSL_CTX_set_alpn_select_cb(side->ctx, on_alpn, NULL);
	SSL_CTX_set_num_tickets(side->ctx, 0); /* tls_write() gives one */
	SSL_CTX_set_max_early_data(side->ctx, 0);
	tickets_use(opts->tickets, side->ctx);
	if (!SSL_CTX_set_session_id_context(side->ctx, context, sizeof context) ||
		!use_certificate(side, opts, facts ? facts : &unused, odd, fault, err) ||
		!use_clients(side, opts, fault, err) || !use_crl(side, opts, fault, err))
		tls_side_drop(&side);
	return side;
}
