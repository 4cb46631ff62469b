/* SPDX-License-Identifier: BSD-2-Clause */
/* side.h -- what a side of TLS brings along: certificate, key, whom it believes
 *
 * What     Reads the files, checks them whole, and makes what connections share. Files are
 *          never read again: another side is made instead, and connections keep theirs.
 * Threads  Made by the builder; then shared.
 * Memory   The key lies in OpenSSL's memory until the last connection of the side is gone.
 * Read     RFC 8310, 9325; hazards.md section 4.
 */
#pragma once

#include "base/err.h"
#include "crypto/tickets.h"
#include "crypto/tls.h"

enum client_auth {
	CLIENT_AUTH_OFF,
	CLIENT_AUTH_OFFER,  /* who has a certificate may show it */
	CLIENT_AUTH_REQUIRE /* none is served without */
};

struct server_side_opts {        /* open */
	const char *certificate; /* PEM: the server's own first, then its issuers in order */
	const char *key;         /* PEM, without a passphrase */
	const char *client_ca;   /* PEM; NULL: none */
	const char *client_crl;  /* PEM; NULL: none */
	enum client_auth client_auth;
	struct tickets *tickets; /* must outlive the side */
	bool may_be_expired;     /* at the start an old certificate is better than none */
};

struct certificate_facts { /* open: of a server's own certificate */
	char subject[256], issuer[256];
	char names[512]; /* "dns.example, 192.0.2.1" */
	char serial[64]; /* hexadecimal */
	char pin[64];    /* base64 of the SHA-256 of its public key, as in RFC 7858 4.2 */
	char key[32];    /* "EC 256", "RSA 2048" */
	int64_t from_s, until_s;
};

/* What is odd, one sentence each. */
struct side_odd { /* open */
	size_t n;
	struct err text[4];
};

enum side_fault { /* which of the files is at fault */
	SIDE_CERTIFICATE,
	SIDE_KEY,
	SIDE_CLIENT_CA,
	SIDE_CLIENT_CRL,
};

/* NULL with the reason. facts, odd: may be NULL. */
struct tls_side *server_side_new(const struct server_side_opts *opts,
	struct certificate_facts *facts, struct side_odd *odd, enum side_fault *fault,
	struct err *err) CHECKED;
