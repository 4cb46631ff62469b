/* SPDX-License-Identifier: BSD-2-Clause */
/* mnemonic.h -- words that stand for numbers in RDATA */
#pragma once

#include "base/def.h"

struct mnemonic { /* open: constant rows */
	uint16_t code;
	const char *word;
};

extern const struct mnemonic mnemonic_algorithms[]; /* DNSSEC, RFC 4034 A.1 and the registry */
extern const struct mnemonic mnemonic_certs[];      /* RFC 4398 2.1 */
extern const struct mnemonic mnemonic_schemes[];    /* RFC 9859 */
extern const struct mnemonic mnemonic_params[];     /* RFC 9460 14.3 */
/* for WKS: not the system's list, which differs */
extern const struct mnemonic mnemonic_ports[];
extern const size_t mnemonic_algorithms_n, mnemonic_certs_n, mnemonic_schemes_n,
	mnemonic_params_n, mnemonic_ports_n;

/* The code of a word in any letter case, or -1. */
int mnemonic_find(const struct mnemonic *list, size_t list_n, const char *text, size_t n) PURE;
/* The nearest word, or NULL. */
const char *mnemonic_near(
	const struct mnemonic *list, size_t list_n, const char *text, size_t n);
/* The first word of a code, or NULL. */
const char *mnemonic_word(const struct mnemonic *list, size_t list_n, unsigned code) PURE;
