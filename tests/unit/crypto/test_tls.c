/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rand.h"
#include "crypto/side.h"
#include "crypto/tickets.h"
#include "crypto/tls.h"
#include "unit/crypto/pki.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

enum {
	ROOM = 1 << 20
};

/* A folder with a certificate of a CA of the test's own, and a side made of it. */
struct rig {
	char folder[64], cert[128], key[128], ca_path[128];
	struct pki_cert ca, own;
	struct tickets *tickets;
	struct server_side_opts opts;
	struct certificate_facts facts;
	struct side_odd odd;
	enum side_fault fault;
	struct err err;
	struct tls_side *side;
};

static void rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof *rig);
	(void)snprintf(rig->folder, sizeof rig->folder, "rootward-tls-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(rig->folder));
	(void)snprintf(rig->cert, sizeof rig->cert, "%s/cert.pem", rig->folder);
	(void)snprintf(rig->key, sizeof rig->key, "%s/key.pem", rig->folder);
	(void)snprintf(rig->ca_path, sizeof rig->ca_path, "%s/ca.pem", rig->folder);
	rig->ca = pki_make(&(struct pki_wish){ .name = "test ca", .is_ca = true });
	rig->own = pki_make(&(struct pki_wish){
		.name = "dns.test", .san = "DNS:dns.test,IP:192.0.2.1", .issuer = &rig->ca });
	pki_write_certs(rig->cert, (X509 *[]){ rig->own.x509, rig->ca.x509, NULL });
	pki_write_certs(rig->ca_path, (X509 *[]){ rig->ca.x509, NULL });
	pki_write_key(rig->key, rig->own.key, NULL);
	ck_assert_int_eq(chmod(rig->key, 0600), 0);
	rig->tickets = tickets_new();
	rig->opts = (struct server_side_opts){
		.certificate = rig->cert, .key = rig->key, .tickets = rig->tickets
	};
}

static bool rig_load(struct rig *rig)
{
	tls_side_drop(&rig->side);
	memset(&rig->odd, 0, sizeof rig->odd);
	rig->err.text[0] = 0;
	rig->side = server_side_new(&rig->opts, &rig->facts, &rig->odd, &rig->fault, &rig->err);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	return rig->side != NULL;
}

static void rig_fini(struct rig *rig)
{
	tls_side_drop(&rig->side);
	tickets_free(&rig->tickets);
	pki_free(&rig->ca);
	pki_free(&rig->own);
	(void)unlink(rig->cert);
	(void)unlink(rig->key);
	(void)unlink(rig->ca_path);
	(void)rmdir(rig->folder);
}

/* ---- a client, of OpenSSL's own, over memory ---- */

struct client {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out;
	SSL_SESSION *session;
};

struct pair {
	struct client client;
	struct tls *server;
	enum tls_result result;
	uint8_t buf[ROOM], plain[ROOM];
	size_t room, plain_n, sent, flights;
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct client *client = SSL_get_app_data(ssl);
	SSL_SESSION_free(client->session);
	client->session = session;
	return 1;
}

static struct pair *pair_new(struct rig *rig)
{
	struct pair *p = calloc(1, sizeof *p);
	ck_assert_ptr_nonnull(p);
	struct client *c = &p->client;
	c->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_session_cache_mode(
		c->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c->ctx, keep_session);
	c->in = BIO_new(BIO_s_mem());
	c->out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(c->in, -1);
	c->ssl = SSL_new(c->ctx);
	SSL_set_bio(c->ssl, c->in, c->out);
	SSL_set_app_data(c->ssl, c);
	SSL_set_connect_state(c->ssl);
	p->server = tls_new(rig->side);
	ck_assert_ptr_nonnull(p->server);
	p->room = ROOM;
	return p;
}

static void pair_free(struct pair *p)
{
	tls_free(&p->server);
	SSL_set_shutdown(p->client.ssl, SSL_SENT_SHUTDOWN); /* or its session is void */
	SSL_free(p->client.ssl);
	SSL_CTX_free(p->client.ctx);
	SSL_SESSION_free(p->client.session);
	ERR_clear_error();
	free(p);
}

/* What the client wrote goes to the server, at most chunk bytes at a time. */
static void to_server(struct pair *p, size_t chunk)
{
	uint8_t in[16384];
	int n;
	chunk = chunk < sizeof in ? chunk : sizeof in;
	while (p->result != TLS_LOST && (n = BIO_read(p->client.out, in, (int)chunk)) > 0) {
		struct tls_io io = { in, (size_t)n, p->buf, 0, p->room };
		do {
			size_t got = 0;
			io.out_len = 0;
			if (!tls_is_ready(p->server))
				p->result = tls_shake(p->server, &io);
			if (p->result == TLS_OK && tls_is_ready(p->server)) {
				p->result = tls_read(p->server, &io, p->plain + p->plain_n,
					ROOM - p->plain_n, &got);
				p->plain_n += got;
			}
			p->flights += io.out_len > 0;
			p->sent += io.out_len;
			ck_assert_int_eq(BIO_write(p->client.in, p->buf, (int)io.out_len),
				(int)io.out_len);
		} while (p->result == TLS_FULL);
		if (p->result == TLS_OK)
			ck_assert_uint_eq(io.in_len, 0);
	}
	ck_assert_uint_eq(ERR_peek_error(), 0);
}

static bool shake(struct pair *p, size_t chunk)
{
	for (int i = 0; i < 6 && p->result == TLS_OK; i++) {
		(void)SSL_do_handshake(p->client.ssl);
		ERR_clear_error();
		to_server(p, chunk);
	}
	return p->result == TLS_OK && SSL_is_init_finished(p->client.ssl) &&
	       tls_is_ready(p->server);
}

static void server_says(struct pair *p, const uint8_t *bytes, size_t len)
{
	size_t at = 0, n;
	enum tls_result result;
	do {
		struct tls_io io = { NULL, 0, p->buf, 0, p->room };
		result = tls_write(p->server, &io, bytes + at, len - at, &n);
		at += n;
		ck_assert(result == TLS_OK || result == TLS_FULL);
		ck_assert_int_eq(
			BIO_write(p->client.in, p->buf, (int)io.out_len), (int)io.out_len);
	} while (result == TLS_FULL);
	ck_assert_uint_eq(at, len);
}

static size_t client_hears(struct pair *p, uint8_t *out, size_t room)
{
	size_t n = 0, got;
	while (n < room && SSL_read_ex(p->client.ssl, out + n, room - n, &got) == 1)
		n += got;
	ERR_clear_error();
	return n;
}

/* ---- connections ---- */

START_TEST(bytes_come_through_both_ways_in_pieces_of_any_size)
{
	static uint8_t said[200000], heard[200000];
	static const size_t chunks[] = { 1, 2, 7, 100, 16384 };
	static const size_t rooms[] = { 1, 100, 5000, ROOM };
	struct rig rig;
	rig_init(&rig);
	ck_assert(rig_load(&rig));
	rand_fill(said, sizeof said);
	for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++)
		for (size_t j = 0; j < sizeof rooms / sizeof rooms[0]; j++)
			for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION;
				version++) {
				size_t n =
					chunks[i] < 100 || rooms[j] < 100 ? 20000 : sizeof said;
				struct pair *p = pair_new(&rig);
				p->room = rooms[j];
				SSL_set_max_proto_version(p->client.ssl, version);
				ck_assert(shake(p, chunks[i]));
				ck_assert_int_eq(SSL_version(p->client.ssl), version);
				ck_assert_int_eq(
					SSL_write(p->client.ssl, said, (int)n), (int)n);
				to_server(p, chunks[i]);
				ck_assert_uint_eq(p->plain_n, n);
				ck_assert_mem_eq(p->plain, said, n);
				server_says(p, said, n);
				ck_assert_uint_eq(client_hears(p, heard, n), n);
				ck_assert_mem_eq(heard, said, n);
				pair_free(p);
			}
	rig_fini(&rig);
}
END_TEST

START_TEST(old_versions_and_weak_suites_are_refused)
{
	static const char *const weak[] = { "AES128-SHA", "ECDHE-ECDSA-AES128-SHA",
		"ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256" };
	struct rig rig;
	rig_init(&rig);
	ck_assert(rig_load(&rig));
	for (int version = TLS1_VERSION; version <= TLS1_1_VERSION; version++) {
		struct pair *p = pair_new(&rig);
		SSL_set_security_level(p->client.ssl, 0);
		SSL_set_min_proto_version(p->client.ssl, version);
		SSL_set_max_proto_version(p->client.ssl, version);
		ck_assert(!shake(p, ROOM));
		ck_assert_int_eq(p->result, TLS_LOST);
		ck_assert_str_ne(tls_reason(p->server), "");
		pair_free(p);
	}
	for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++) {
		struct pair *p = pair_new(&rig);
		SSL_set_security_level(p->client.ssl, 0);
		SSL_set_max_proto_version(p->client.ssl, TLS1_2_VERSION);
		ck_assert_int_eq(SSL_set_cipher_list(p->client.ssl, weak[i]), 1);
		ck_assert(!shake(p, ROOM));
		ck_assert_int_eq(p->result, TLS_LOST);
		pair_free(p);
	}
	rig_fini(&rig);
}
END_TEST

static enum tls_result shake_with_alpn(
	struct rig *rig, const char *list, size_t n, bool *is_dot)
{
	struct pair *p = pair_new(rig);
	const uint8_t *got;
	unsigned got_n;
	if (n)
		ck_assert_int_eq(
			SSL_set_alpn_protos(p->client.ssl, (const uint8_t *)list, (unsigned)n),
			0);
	bool is_good = shake(p, ROOM);
	enum tls_result result = p->result;
	SSL_get0_alpn_selected(p->client.ssl, &got, &got_n);
	*is_dot = is_good && got_n == 3 && memcmp(got, "dot", 3) == 0;
	pair_free(p);
	return result;
}

START_TEST(who_offers_protocols_has_to_offer_dot)
{
	struct rig rig;
	bool is_dot;
	char many[65000];
	rig_init(&rig);
	ck_assert(rig_load(&rig));
	ck_assert_int_eq(shake_with_alpn(&rig, "\3dot", 4, &is_dot), TLS_OK);
	ck_assert(is_dot);
	ck_assert_int_eq(shake_with_alpn(&rig, "\2h2\3dot", 7, &is_dot), TLS_OK);
	ck_assert(is_dot);
	ck_assert_int_eq(shake_with_alpn(&rig, "", 0, &is_dot), TLS_OK);
	ck_assert(!is_dot);
	ck_assert_int_eq(shake_with_alpn(&rig, "\2h2", 3, &is_dot), TLS_LOST);
	ck_assert_int_eq(shake_with_alpn(&rig, "\3DoT", 4, &is_dot), TLS_LOST);
	for (size_t i = 0; i < sizeof many; i += 250) {
		memset(many + i, 'x', 250);
		many[i] = (char)249;
	}
	ck_assert_int_eq(shake_with_alpn(&rig, many, sizeof many, &is_dot), TLS_LOST);
	rig_fini(&rig);
}
END_TEST

/* A connection whose ticket is kept. */
static SSL_SESSION *session_of(struct rig *rig, int version)
{
	uint8_t heard[16];
	struct pair *p = pair_new(rig);
	SSL_set_max_proto_version(p->client.ssl, version);
	ck_assert(shake(p, ROOM));
	size_t flights = p->flights;
	server_says(p, (const uint8_t *)"answer", 6);
	ck_assert_uint_eq(client_hears(p, heard, sizeof heard), 6);
	/* No packet was spent on the ticket alone. */
	ck_assert_uint_eq(flights, version == TLS1_3_VERSION ? 1 : 2);
	SSL_SESSION *session = p->client.session;
	ck_assert_ptr_nonnull(session);
	ck_assert(SSL_SESSION_has_ticket(session));
	p->client.session = NULL;
	pair_free(p);
	return session;
}

static bool is_resumed(struct rig *rig, SSL_SESSION *session)
{
	struct pair *p = pair_new(rig);
	SSL_SESSION *copy = SSL_SESSION_dup(session); /* a client forgets what it has used */
	SSL_set_session(p->client.ssl, copy);
	SSL_SESSION_free(copy);
	SSL_set_max_proto_version(p->client.ssl, SSL_SESSION_get_protocol_version(session));
	ck_assert(shake(p, ROOM));
	bool is_resumed = SSL_session_reused(p->client.ssl);
	ck_assert_int_eq(is_resumed, tls_is_resumed(p->server));
	pair_free(p);
	return is_resumed;
}

START_TEST(a_session_is_resumed_until_its_key_is_two_rotations_old)
{
	struct rig rig, other;
	rig_init(&rig);
	rig_init(&other);
	ck_assert(rig_load(&rig) && rig_load(&other));
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		SSL_SESSION *session = session_of(&rig, version);
		ck_assert(is_resumed(&rig, session));
		ck_assert(!is_resumed(&other, session)); /* another server's secret */
		ck_assert(rig_load(&rig));               /* a reload */
		ck_assert(is_resumed(&rig, session));
		tickets_rotate(rig.tickets);
		ck_assert(is_resumed(&rig, session));
		tickets_rotate(rig.tickets);
		ck_assert(is_resumed(&rig, session));
		tickets_rotate(rig.tickets);
		ck_assert(!is_resumed(&rig, session));
		SSL_SESSION_free(session);
	}
	rig_fini(&rig);
	rig_fini(&other);
}
END_TEST

START_TEST(a_hundred_key_updates_a_second_are_enough)
{
	struct rig rig;
	rig_init(&rig);
	ck_assert(rig_load(&rig));
	struct pair *p = pair_new(&rig);
	ck_assert(shake(p, ROOM));
	unsigned n = 0;
	for (; n < 1000 && p->result == TLS_OK; n++) {
		ck_assert_int_eq(SSL_key_update(p->client.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		ck_assert_int_eq(SSL_write(p->client.ssl, "x", 1), 1);
		to_server(p, ROOM);
		uint8_t byte;
		(void)client_hears(p, &byte, 1);
	}
	ck_assert_int_eq(p->result, TLS_LOST);
	ck_assert_uint_ge(n, 100);
	ck_assert_uint_le(n, 250); /* two seconds' worth, should one end meanwhile */
	ck_assert_str_eq(tls_reason(p->server), "too many key updates");
	pair_free(p);
	rig_fini(&rig);
}
END_TEST

START_TEST(nobody_negotiates_anew)
{
	struct rig rig;
	rig_init(&rig);
	ck_assert(rig_load(&rig));
	struct pair *p = pair_new(&rig);
	SSL_set_max_proto_version(p->client.ssl, TLS1_2_VERSION);
	ck_assert(shake(p, ROOM));
	size_t sent = p->sent;
	ck_assert_int_eq(SSL_renegotiate(p->client.ssl), 1);
	(void)SSL_do_handshake(p->client.ssl);
	to_server(p, ROOM);
	ck_assert_uint_le(p->sent - sent, 64); /* an alert, no handshake */
	pair_free(p);
	rig_fini(&rig);
}
END_TEST

START_TEST(what_is_no_tls_is_broken_off)
{
	static const char *const odd[] = { "\0\32\1\2\1\0\0\1\0\0\0\0\0\0\3www\4test\0\0\1\0\1",
		"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff", "\x15\x03\x03\0\2\2\50" };
	static const size_t lens[] = { 28, 18, 5, 7 };
	struct rig rig;
	rig_init(&rig);
	ck_assert(rig_load(&rig));
	for (size_t i = 0; i < 4; i++) {
		struct pair *p = pair_new(&rig);
		BIO_write(p->client.out, odd[i], (int)lens[i]);
		to_server(p, ROOM);
		ck_assert_int_eq(p->result, TLS_LOST);
		/* And stays so. */
		struct tls_io io = { NULL, 0, p->buf, 0, ROOM };
		size_t n;
		ck_assert_int_eq(tls_shake(p->server, &io), TLS_LOST);
		ck_assert_int_eq(tls_read(p->server, &io, p->plain, ROOM, &n), TLS_LOST);
		ck_assert_int_eq(tls_write(p->server, &io, p->plain, 1, &n), TLS_LOST);
		pair_free(p);
	}
	rig_fini(&rig);
}
END_TEST

START_TEST(a_connection_may_end_anywhere)
{
	struct rig rig;
	rig_init(&rig);
	ck_assert(rig_load(&rig));
	struct pair *whole = pair_new(&rig);
	(void)SSL_do_handshake(whole->client.ssl);
	uint8_t hello[4096];
	int n = BIO_read(whole->client.out, hello, sizeof hello);
	ck_assert_int_gt(n, 100);
	pair_free(whole);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < 2; j++) {
			struct pair *p = pair_new(&rig);
			uint8_t bent[4096];
			memcpy(bent, hello, (size_t)n);
			bent[i] ^= (uint8_t)(1 << i % 8);
			BIO_write(p->client.out, j ? bent : hello, j ? n : i);
			to_server(p, ROOM);
			pair_free(p);
		}
	rig_fini(&rig);
}
END_TEST

START_TEST(the_end_is_said_and_heard)
{
	struct rig rig;
	rig_init(&rig);
	ck_assert(rig_load(&rig));
	struct pair *p = pair_new(&rig);
	ck_assert(shake(p, ROOM));
	struct tls_io io = { NULL, 0, p->buf, 0, ROOM };
	tls_end(p->server, &io);
	ck_assert_uint_gt(io.out_len, 0);
	BIO_write(p->client.in, p->buf, (int)io.out_len);
	uint8_t byte;
	int rc = SSL_read(p->client.ssl, &byte, 1);
	ck_assert_int_eq(SSL_get_error(p->client.ssl, rc), SSL_ERROR_ZERO_RETURN);
	(void)SSL_shutdown(p->client.ssl);
	to_server(p, ROOM);
	ck_assert_int_eq(p->result, TLS_END);
	pair_free(p);
	rig_fini(&rig);
}
END_TEST

/* ---- files ---- */

START_TEST(a_good_pair_is_described)
{
	struct rig rig;
	rig_init(&rig);
	ck_assert(rig_load(&rig));
	ck_assert_uint_eq(rig.odd.n, 0);
	ck_assert_str_eq(rig.facts.names, "dns.test, 192.0.2.1");
	ck_assert_str_eq(rig.facts.subject, "CN = dns.test");
	ck_assert_str_eq(rig.facts.issuer, "CN = test ca");
	ck_assert_str_eq(rig.facts.key, "EC 256");
	ck_assert_uint_eq(strlen(rig.facts.pin), 44);
	int64_t left = rig.facts.until_s - (int64_t)time(NULL);
	ck_assert(left > 86000 && left <= 86400);
	rig_fini(&rig);
}
END_TEST

static void expect_refused(struct rig *rig, enum side_fault fault, const char *why)
{
	ck_assert(!rig_load(rig));
	ck_assert_int_eq(rig->fault, fault);
	ck_assert_msg(strstr(rig->err.text, why), "%s", rig->err.text);
}

START_TEST(what_cannot_serve_is_refused_with_the_reason)
{
	struct rig rig;
	rig_init(&rig);
	struct pki_cert other = pki_make(&(struct pki_wish){ .name = "other" });
	struct pki_cert weak = pki_make(&(struct pki_wish){ .name = "weak", .rsa_bits = 1024 });

	pki_write_key(rig.key, rig.own.key, "secret");
	expect_refused(&rig, SIDE_KEY, "has a passphrase");
	pki_write_key(rig.key, other.key, NULL);
	expect_refused(&rig, SIDE_KEY, "the key is not that of the certificate");
	pki_write_text(rig.key, "no key\n");
	expect_refused(&rig, SIDE_KEY, "no private key in it");
	ck_assert_int_eq(unlink(rig.key), 0);
	expect_refused(&rig, SIDE_KEY, "No such file");
	pki_write_key(rig.key, rig.own.key, NULL);

	pki_write_certs(rig.cert, (X509 *[]){ rig.own.x509, other.x509, NULL });
	expect_refused(
		&rig, SIDE_CERTIFICATE, "certificate 2 is not the issuer of certificate 1");
	pki_write_certs(rig.cert, (X509 *[]){ weak.x509, NULL });
	expect_refused(&rig, SIDE_CERTIFICATE, "too weak");
	pki_write_text(rig.cert, "");
	expect_refused(&rig, SIDE_CERTIFICATE, "no certificate in it");
	pki_write_text(
		rig.cert, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	expect_refused(&rig, SIDE_CERTIFICATE, "certificate 1 cannot be read");
	rig.opts.certificate = "/dev/zero";
	expect_refused(&rig, SIDE_CERTIFICATE, "not a regular file");
	pki_free(&other);
	pki_free(&weak);
	rig_fini(&rig);
}
END_TEST

START_TEST(a_certificate_that_is_over_serves_only_where_there_is_no_other)
{
	struct rig rig;
	rig_init(&rig);
	static const struct {
		long from_s, until_s;
		const char *why;
	} spans[] = { { -2000, -1000, "has expired on" },
		{ 1000, 2000, "is not valid before" } };
	for (size_t i = 0; i < 2; i++) {
		struct pki_cert old = pki_make(&(struct pki_wish){ .name = "old",
			.san = "DNS:old.test",
			.from_s = spans[i].from_s,
			.until_s = spans[i].until_s });
		pki_write_certs(rig.cert, (X509 *[]){ old.x509, NULL });
		pki_write_key(rig.key, old.key, NULL);
		rig.opts.may_be_expired = false;
		expect_refused(&rig, SIDE_CERTIFICATE, spans[i].why);
		rig.opts.may_be_expired = true;
		ck_assert(rig_load(&rig));
		ck_assert_uint_eq(rig.odd.n, 1);
		ck_assert_ptr_nonnull(strstr(rig.odd.text[0].text, spans[i].why));
		pki_free(&old);
	}
	rig_fini(&rig);
}
END_TEST

START_TEST(what_is_odd_is_told)
{
	struct rig rig;
	rig_init(&rig);
	struct pki_cert nameless =
		pki_make(&(struct pki_wish){ .name = "x", .issuer = &rig.ca });
	pki_write_certs(rig.cert, (X509 *[]){ nameless.x509, NULL });
	pki_write_key(rig.key, nameless.key, NULL);
	ck_assert_int_eq(chmod(rig.key, 0644), 0);
	ck_assert(rig_load(&rig));
	ck_assert_uint_eq(rig.odd.n, 3);
	ck_assert_ptr_nonnull(strstr(rig.odd.text[0].text, "clients may miss it"));
	ck_assert_ptr_nonnull(strstr(rig.odd.text[1].text, "no subject alternative name"));
	ck_assert_ptr_nonnull(strstr(rig.odd.text[2].text, "everybody on this host can read"));
	pki_free(&nameless);
	rig_fini(&rig);
}
END_TEST

UNIT_MAIN("crypto/tls", bytes_come_through_both_ways_in_pieces_of_any_size,
	old_versions_and_weak_suites_are_refused, who_offers_protocols_has_to_offer_dot,
	a_session_is_resumed_until_its_key_is_two_rotations_old,
	a_hundred_key_updates_a_second_are_enough, nobody_negotiates_anew,
	what_is_no_tls_is_broken_off, a_connection_may_end_anywhere, the_end_is_said_and_heard,
	a_good_pair_is_described, what_cannot_serve_is_refused_with_the_reason,
	a_certificate_that_is_over_serves_only_where_there_is_no_other, what_is_odd_is_told)
