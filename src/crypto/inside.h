/* SPDX-License-Identifier: BSD-2-Clause */
/* inside.h -- what the files of TLS share; for crypto/ only */
#pragma once

#include "crypto/tickets.h"
#include "crypto/tls.h"

#include <openssl/ssl.h>
#include <stdatomic.h>

struct tls_side {
	_Atomic unsigned holders;
	SSL_CTX *ctx;
	BIO_METHOD *method;
	bool is_server;
};

/* What both sides have: versions, suites, buffers; NULL: no memory. */
struct tls_side *tls_side_new(bool is_server);
/* Tickets of the side are sealed with these keys. */
void tickets_use(struct tickets *tickets, SSL_CTX *ctx);
