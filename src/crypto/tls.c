/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypto/tls.h"

#include "base/clock.h"
#include "base/mem.h"
#include "crypto/inside.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <string.h>

enum {
	KEY_UPDATES = 100, /* a second */
	SECOND_MS = 1000,
};

struct tls {
	SSL *ssl;
	struct tls_side *side;
	struct tls_io *io; /* of the call; NULL between calls */
	const char *reason;
	uint64_t second_ms; /* when key_updates began to be counted */
	uint32_t key_updates;
	bool is_full;   /* a write found no room */
	bool has_given; /* the ticket */
	bool is_lost;
};

/* ---- the socket that is none ---- */

static int bio_read(BIO *bio, char *p, size_t n, size_t *got)
{
	const struct tls *tls = BIO_get_data(bio);
	struct tls_io *io = tls->io;
	BIO_clear_retry_flags(bio);
	*got = n < io->in_len ? n : io->in_len;
	if (!*got) {
		BIO_set_retry_read(bio);
		return 0;
	}
	memcpy(p, io->in, *got);
	io->in += *got;
	io->in_len -= *got;
	return 1;
}

static int bio_write(BIO *bio, const char *p, size_t n, size_t *put)
{
	struct tls *tls = BIO_get_data(bio);
	struct tls_io *io = tls->io;
	size_t left = io->room - io->out_len;
	BIO_clear_retry_flags(bio);
	*put = n < left ? n : left;
	if (!*put) {
		tls->is_full = true;
		BIO_set_retry_write(bio);
		return 0;
	}
	memcpy(io->out + io->out_len, p, *put);
	io->out_len += *put;
	return 1;
}

static long bio_ctrl(BIO *bio, int what, long number, void *p)
{
	(void)bio, (void)number, (void)p;
	return what == BIO_CTRL_FLUSH ? 1 : 0;
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static BIO_METHOD *make_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "lent");
	if (!method)
		return NULL;
	BIO_meth_set_read_ex(method, bio_read);
	BIO_meth_set_write_ex(method, bio_write);
	BIO_meth_set_ctrl(method, bio_ctrl);
	BIO_meth_set_create(method, bio_create);
	return method;
}

/* ---- what connections share ---- */

/* ECDHE with AEAD, what RFC 9325 4.2 recommends; TLS 1.3 has no others. */
static const char suites[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
			     "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
			     "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/* Key updates cost the one who is told more than the one who tells: counted (hazard T4). */
static void on_message(const SSL *ssl, int where, int value)
{
	(void)value;
	struct tls *tls = SSL_get_app_data(ssl);
	if (!(where & SSL_CB_LOOP) || !tls)
		return;
	OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
	if (state != TLS_ST_SR_KEY_UPDATE && state != TLS_ST_CR_KEY_UPDATE)
		return;
	uint64_t now_ms = clock_mono_ms();
	if (now_ms >= tls->second_ms + SECOND_MS) {
		tls->second_ms = now_ms;
		tls->key_updates = 0;
	}
	tls->key_updates++;
}

struct tls_side *tls_side_new(bool is_server)
{
	char groups[] = "X25519:P-256";
	SSL_CTX *ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
	if (!ctx)
		return NULL;
	SSL_CTX_set_security_level(ctx, 2);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_info_callback(ctx, on_message);
	if (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
		!SSL_CTX_set_cipher_list(ctx, suites) ||
		!SSL_CTX_set1_groups_list(ctx, groups)) {
		SSL_CTX_free(ctx);
		ERR_clear_error();
		return NULL;
	}
	struct tls_side *side = mem_new(sizeof *side);
	atomic_init(&side->holders, 1);
	side->ctx = ctx;
	side->is_server = is_server;
	side->method = make_method();
	if (!side->method)
		tls_side_drop(&side);
	return side;
}

struct tls_side *tls_side_hold(struct tls_side *side)
{
	if (side)
		atomic_fetch_add(&side->holders, 1);
	return side;
}

void tls_side_drop(struct tls_side **held)
{
	struct tls_side *side = *held;
	*held = NULL;
	if (!side || atomic_fetch_sub(&side->holders, 1) != 1)
		return;
	SSL_CTX_free(side->ctx);
	BIO_meth_free(side->method);
	mem_free(side);
}

/* ---- a connection ---- */

struct tls *tls_new(struct tls_side *side)
{
	struct tls *tls = mem_try(sizeof *tls);
	SSL *ssl = SSL_new(side->ctx);
	BIO *bio = BIO_new(side->method);
	if (!tls || !ssl || !bio) {
		ERR_clear_error();
		SSL_free(ssl);
		(void)BIO_free(bio);
		mem_free(tls);
		return NULL;
	}
	*tls = (struct tls){ .ssl = ssl, .side = tls_side_hold(side) };
	BIO_set_data(bio, tls);
	SSL_set_bio(ssl, bio, bio);
	(void)SSL_set_app_data(ssl, tls);
	if (side->is_server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return tls;
}

void tls_free(struct tls **held)
{
	struct tls *tls = *held;
	*held = NULL;
	if (!tls)
		return;
	SSL_free(tls->ssl);
	tls_side_drop(&tls->side);
	mem_free(tls);
}

/* Why OpenSSL broke off; its queue of errors is left empty, as every call expects it. */
static enum tls_result lose(struct tls *tls)
{
	long verify = SSL_get_verify_result(tls->ssl);
	unsigned long e = ERR_peek_last_error();
	tls->is_lost = true;
	if (ERR_GET_REASON(e) == SSL_R_CERTIFICATE_VERIFY_FAILED && verify != X509_V_OK)
		tls->reason = X509_verify_cert_error_string(verify);
	else
		tls->reason = e ? ERR_reason_error_string(e) : NULL;
	if (!tls->reason)
		tls->reason = "the connection was broken off";
	ERR_clear_error();
	return TLS_LOST;
}

static enum tls_result judge(struct tls *tls, int rc)
{
	switch (SSL_get_error(tls->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return TLS_OK;
	case SSL_ERROR_WANT_WRITE:
		return TLS_FULL;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_END;
	default:
		return lose(tls);
	}
}

static bool is_updated_too_often(struct tls *tls)
{
	if (tls->key_updates <= KEY_UPDATES)
		return false;
	tls->is_lost = true;
	tls->reason = "too many key updates";
	return true;
}

enum tls_result tls_shake(struct tls *tls, struct tls_io *io)
{
	if (tls->is_lost)
		return TLS_LOST;
	tls->io = io;
	int rc = SSL_do_handshake(tls->ssl);
	enum tls_result result = rc == 1 ? TLS_OK : judge(tls, rc);
	tls->io = NULL;
	return result;
}

bool tls_is_ready(const struct tls *tls)
{
	return SSL_is_init_finished(tls->ssl);
}

bool tls_is_resumed(const struct tls *tls)
{
	return SSL_session_reused(tls->ssl);
}

enum tls_result tls_read(struct tls *tls, struct tls_io *io, uint8_t *p, size_t room, size_t *n)
{
	enum tls_result result = TLS_OK;
	*n = 0;
	if (tls->is_lost)
		return TLS_LOST;
	tls->io = io;
	while (*n < room && result == TLS_OK) {
		size_t got;
		int rc = SSL_read_ex(tls->ssl, p + *n, room - *n, &got);
		if (rc == 1) {
			*n += got;
			continue;
		}
		result = judge(tls, rc);
		break;
	}
	tls->io = NULL;
	return is_updated_too_often(tls) ? TLS_LOST : result;
}

/* One ticket for a connection, not in a packet of its own but in front of the first answer. */
static void give_ticket(struct tls *tls)
{
	if (tls->has_given)
		return;
	tls->has_given = true;
	if (tls->side->is_server && SSL_version(tls->ssl) >= TLS1_3_VERSION &&
		!SSL_new_session_ticket(tls->ssl))
		ERR_clear_error();
}

enum tls_result tls_write(
	struct tls *tls, struct tls_io *io, const uint8_t *p, size_t len, size_t *n)
{
	enum tls_result result = TLS_OK;
	*n = 0;
	if (tls->is_lost)
		return TLS_LOST;
	tls->io = io;
	give_ticket(tls);
	while (*n < len) {
		size_t put;
		int rc = SSL_write_ex(tls->ssl, p + *n, len - *n, &put);
		if (rc != 1) {
			result = judge(tls, rc);
			/* No handshake is under way that a write could wait for. */
			if (result == TLS_OK || result == TLS_END)
				result = lose(tls);
			break;
		}
		*n += put;
	}
	tls->io = NULL;
	return result;
}

void tls_end(struct tls *tls, struct tls_io *io)
{
	if (tls->is_lost || !tls_is_ready(tls))
		return;
	tls->io = io;
	if (SSL_shutdown(tls->ssl) < 0)
		ERR_clear_error();
	tls->io = NULL;
}

const char *tls_reason(const struct tls *tls)
{
	return tls->reason ? tls->reason : "";
}

const char *tls_version(const struct tls *tls)
{
	return SSL_get_version(tls->ssl);
}
