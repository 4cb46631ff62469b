/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/mnemonic.h"

#include "base/near.h"

#include <string.h>
#include <strings.h>

enum {
	WORD_MAX = 64
};

const struct mnemonic mnemonic_algorithms[] = {
	{ 0, "DELETE" },
	{ 1, "RSAMD5" },
	{ 2, "DH" },
	{ 3, "DSA" },
	{ 4, "ECC" },
	{ 5, "RSASHA1" },
	{ 6, "DSA-NSEC3-SHA1" },
	{ 6, "NSEC3DSA" },
	{ 7, "RSASHA1-NSEC3-SHA1" },
	{ 7, "NSEC3RSASHA1" },
	{ 8, "RSASHA256" },
	{ 10, "RSASHA512" },
	{ 12, "ECC-GOST" },
	{ 13, "ECDSAP256SHA256" },
	{ 14, "ECDSAP384SHA384" },
	{ 15, "ED25519" },
	{ 16, "ED448" },
	{ 17, "SM2SM3" },
	{ 23, "ECC-GOST12" },
	{ 252, "INDIRECT" },
	{ 253, "PRIVATEDNS" },
	{ 254, "PRIVATEOID" },
};
const size_t mnemonic_algorithms_n = array_len(mnemonic_algorithms);

const struct mnemonic mnemonic_certs[] = {
	{ 1, "PKIX" },
	{ 2, "SPKI" },
	{ 3, "PGP" },
	{ 4, "IPKIX" },
	{ 5, "ISPKI" },
	{ 6, "IPGP" },
	{ 7, "ACPKIX" },
	{ 8, "IACPKIX" },
	{ 253, "URI" },
	{ 254, "OID" },
};
const size_t mnemonic_certs_n = array_len(mnemonic_certs);

const struct mnemonic mnemonic_schemes[] = { { 1, "NOTIFY" } };
const size_t mnemonic_schemes_n = array_len(mnemonic_schemes);

const struct mnemonic mnemonic_params[] = {
	{ 0, "mandatory" },
	{ 1, "alpn" },
	{ 2, "no-default-alpn" },
	{ 3, "port" },
	{ 4, "ipv4hint" },
	{ 5, "ech" },
	{ 6, "ipv6hint" },
	{ 7, "dohpath" },
	{ 8, "ohttp" },
	{ 9, "tls-supported-groups" },
};
const size_t mnemonic_params_n = array_len(mnemonic_params);

const struct mnemonic mnemonic_ports[] = {
	{ 7, "echo" },
	{ 9, "discard" },
	{ 13, "daytime" },
	{ 20, "ftp-data" },
	{ 21, "ftp" },
	{ 22, "ssh" },
	{ 23, "telnet" },
	{ 25, "smtp" },
	{ 37, "time" },
	{ 42, "nameserver" },
	{ 43, "whois" },
	{ 53, "domain" },
	{ 69, "tftp" },
	{ 70, "gopher" },
	{ 79, "finger" },
	{ 80, "http" },
	{ 88, "kerberos" },
	{ 109, "pop2" },
	{ 110, "pop3" },
	{ 111, "sunrpc" },
	{ 113, "auth" },
	{ 119, "nntp" },
	{ 123, "ntp" },
	{ 143, "imap" },
	{ 143, "imap2" },
	{ 161, "snmp" },
	{ 179, "bgp" },
	{ 194, "irc" },
	{ 389, "ldap" },
	{ 443, "https" },
	{ 465, "submissions" },
	{ 587, "submission" },
	{ 636, "ldaps" },
	{ 853, "domain-s" },
	{ 993, "imaps" },
	{ 995, "pop3s" },
};
const size_t mnemonic_ports_n = array_len(mnemonic_ports);

int mnemonic_find(const struct mnemonic *list, size_t list_n, const char *text, size_t n)
{
	for (size_t i = 0; i < list_n; i++)
		if (strlen(list[i].word) == n && strncasecmp(list[i].word, text, n) == 0)
			return list[i].code;
	return -1;
}

const char *mnemonic_near(
	const struct mnemonic *list, size_t list_n, const char *text, size_t n)
{
	char word[WORD_MAX];
	const char *words[WORD_MAX];
	if (n == 0 || n >= sizeof word || list_n > array_len(words))
		return NULL;
	memcpy(word, text, n);
	word[n] = 0;
	for (size_t i = 0; i < list_n; i++)
		words[i] = list[i].word;
	return near_find(word, words, list_n);
}

const char *mnemonic_word(const struct mnemonic *list, size_t list_n, unsigned code)
{
	for (size_t i = 0; i < list_n; i++)
		if (list[i].code == code)
			return list[i].word;
	return NULL;
}
