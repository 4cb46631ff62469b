/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes are a resolv.conf: what is taken is within its bounds, and each address once; the
 * same lines with CRLF and a comment in front say the same. */
#include "base/mem.h"
#include "text/resolvconf.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const struct resolvconf *conf)
{
	static const uint8_t none[16];
	must(conf->n <= RESOLVCONF_SERVERS);
	must(conf->beyond == 0 || conf->n == RESOLVCONF_SERVERS);
	for (size_t i = 0; i < conf->n; i++)
		for (size_t j = i + 1; j < conf->n; j++)
			must(memcmp(&conf->server[i], &conf->server[j],
				     sizeof conf->server[i]) != 0);
	for (size_t i = conf->n; i < RESOLVCONF_SERVERS; i++)
		must(memcmp(conf->server[i].address, none, sizeof none) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct resolvconf conf, other;
	/* Copies without a byte to spare. */
	char *text = mem_new(n ? n : 1), *longer = mem_new(2 * n + 4);
	memcpy(text, data, n);
	resolvconf_read_text(&conf, text, n);
	check(&conf);
	size_t len = 0;
	if (n < 3 || memcmp(text, "\xef\xbb\xbf", 3) != 0) {
		memcpy(longer, "# \n", 3);
		len = 3;
	}
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			longer[len++] = '\r';
		longer[len++] = text[i];
	}
	resolvconf_read_text(&other, longer, len);
	must(memcmp(&conf, &other, sizeof conf) == 0);
	mem_free(longer);
	mem_free(text);
	return 0;
}
