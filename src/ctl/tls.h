/* SPDX-License-Identifier: BSD-2-Clause */
/* tls.h -- from the configuration to what clients over TLS are met with
 *
 * What     Certificate, key and client authorities read, checked and made ready whole, by the
 *          builder; then watched: how long the certificate is still good, and whether a file is
 *          another.
 * Threads  tls_build(): the builder. The rest: control.
 */
#pragma once

#include "base/log.h"
#include "crypto/side.h"
#include "ctl/config.h"

struct tls_setup { /* open; shared by counting, see tls_setup_hold() */
	unsigned holders;
	struct tls_side *side;
	struct certificate_facts facts;
	enum client_auth client_auth;
	struct zonefile_files watched; /* as they were when they were read */
};

/* Into *out, held once; NULL when config has no listener for TLS. before (or NULL) is held
 * again when nothing of it has changed. may_be_expired as in server_side_opts. -EINVAL with
 * the reasons in complaints. */
int tls_build(struct tls_setup **out, const struct config *config, struct tls_setup *before,
	struct tickets *tickets, bool may_be_expired, struct complaints *complaints) CHECKED;
struct tls_setup *tls_setup_hold(struct tls_setup *setup);
void tls_setup_drop(struct tls_setup **setup);

/* Whole days that the certificate is still good for; below 0: it is over. */
int64_t tls_days_left(const struct tls_setup *setup);
/* Says so in the log when 30, 7 or 1 are left, or none; *told is what was said of this one, 0
 * at first. */
void tls_audit(const struct tls_setup *setup, unsigned *told);
