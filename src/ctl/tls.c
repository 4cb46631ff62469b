/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/tls.h"

#include "base/clock.h"
#include "base/mem.h"
#include "ctl/option.h"
#include "text/complain.h"
#include "text/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	DAY_S = 24 * 3600
};

static void complain_of(const struct config *config, const char *key, bool is_error,
	const char *reason, struct complaints *complaints)
{
	const struct config_place at = config_place_of(config, key);
	const struct place place = { .file = at.file, .line = at.line, .column = at.column };
	complain(complaints, is_error, &place, reason);
}

/* What belongs together is there together. */
static bool is_whole(const struct config *config, struct complaints *complaints)
{
	size_t errors = complaints->errors;
	if (!*config->tls_certificate)
		complain_of(config, "server.listen-tls", true,
			"server.listen-tls needs a certificate: 'tls: { certificate: FILE, "
			"key: "
			"FILE }'",
			complaints);
	else if (!*config->tls_key)
		complain_of(config, "tls.certificate", true,
			"tls.certificate needs tls.key beside it", complaints);
	if (config->tls_client_auth != CLIENT_AUTH_OFF && !*config->tls_client_ca)
		complain_of(config, "tls.client-auth", true,
			"tls.client-auth needs tls.client-ca, the authorities that clients' "
			"certificates lead to",
			complaints);
	return complaints->errors == errors;
}

static void note_files(struct zonefile_files *files, const struct config *config)
{
	source_note(files, config->tls_certificate);
	source_note(files, config->tls_key);
	if (config->tls_client_auth != CLIENT_AUTH_OFF) {
		source_note(files, config->tls_client_ca);
		if (*config->tls_client_crl)
			source_note(files, config->tls_client_crl);
	}
}

static bool has_same_files(const struct zonefile_files *a, const struct zonefile_files *b)
{
	bool is_same = a->n == b->n;
	for (size_t i = 0; is_same && i < a->n; i++)
		is_same = strcmp(a->list[i].path, b->list[i].path) == 0;
	return is_same && !zonefile_files_changed(a);
}

static struct tls_setup *make(const struct config *config, struct tickets *tickets,
	bool may_be_expired, struct complaints *complaints)
{
	static const char *const keys[] = { [SIDE_CERTIFICATE] = "tls.certificate",
		[SIDE_KEY] = "tls.key",
		[SIDE_CLIENT_CA] = "tls.client-ca",
		[SIDE_CLIENT_CRL] = "tls.client-crl" };
	const struct server_side_opts opts = { .certificate = config->tls_certificate,
		.key = config->tls_key,
		.client_ca = config->tls_client_ca,
		.client_crl = *config->tls_client_crl ? config->tls_client_crl : NULL,
		.client_auth = (enum client_auth)config->tls_client_auth,
		.tickets = tickets,
		.may_be_expired = may_be_expired };
	struct tls_setup *setup = mem_new(sizeof *setup);
	struct side_odd odd = { 0 };
	enum side_fault fault = SIDE_CERTIFICATE;
	struct err err;
	setup->holders = 1;
	setup->client_auth = opts.client_auth;
	note_files(&setup->watched, config);
	setup->side = server_side_new(&opts, &setup->facts, &odd, &fault, &err);
	for (size_t i = 0; i < odd.n; i++)
		complain_of(config, "tls.certificate", false, odd.text[i].text, complaints);
	if (setup->side)
		return setup;
	complain_of(config, keys[fault], true, err.text, complaints);
	tls_setup_drop(&setup);
	return NULL;
}

int tls_build(struct tls_setup **out, const struct config *config, struct tls_setup *before,
	struct tickets *tickets, bool may_be_expired, struct complaints *complaints)
{
	*out = NULL;
	if (!config->listen_tls.n && !*config->tls_certificate)
		return 0;
	if (!is_whole(config, complaints))
		return -EINVAL;
	struct zonefile_files files = { 0 };
	note_files(&files, config);
	bool is_same = before &&
		       before->client_auth == (enum client_auth)config->tls_client_auth &&
		       has_same_files(&before->watched, &files);
	zonefile_files_fini(&files);
	*out = is_same ? tls_setup_hold(before)
		       : make(config, tickets, may_be_expired, complaints);
	return *out ? 0 : -EINVAL;
}

struct tls_setup *tls_setup_hold(struct tls_setup *setup)
{
	if (setup)
		setup->holders++;
	return setup;
}

void tls_setup_drop(struct tls_setup **held)
{
	struct tls_setup *setup = *held;
	*held = NULL;
	if (!setup || --setup->holders)
		return;
	tls_side_drop(&setup->side);
	zonefile_files_fini(&setup->watched);
	mem_free(setup);
}

int64_t tls_days_left(const struct tls_setup *setup)
{
	int64_t left_s = setup->facts.until_s - (int64_t)clock_wall_s();
	return left_s < 0 ? -1 - (-left_s - 1) / DAY_S : left_s / DAY_S;
}

void tls_audit(const struct tls_setup *setup, unsigned *told)
{
	static const int64_t steps[] = { 30, 7, 1, 0 };
	int64_t left = tls_days_left(setup);
	unsigned step = 0;
	while (step < array_len(steps) && left < steps[step])
		step++;
	if (step <= *told)
		return;
	*told = step;
	if (left < 0)
		log_line(LOG_ERROR,
			"the certificate of %s has expired: clients that check it do not come",
			setup->facts.names);
	else
		log_line(LOG_WARNING, "the certificate of %s expires in %lld day%s",
			setup->facts.names, (long long)left, left == 1 ? "" : "s");
}
