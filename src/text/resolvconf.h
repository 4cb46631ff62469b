/* SPDX-License-Identifier: BSD-2-Clause */
/* resolvconf.h -- the name servers of a resolv.conf file
 *
 * What     Lines "nameserver ADDRESS"; search, domain, options and what else resolvers know is
 *          recognised and passed over. Comments begin with # or ; as a line or behind an
 *          address; CRLF, tabs and a byte-order mark do no harm. A line that is none of these,
 *          or whose address is none, is passed over and counted, for other programs live with
 *          it too. An address of a link (fe80::1%eth0) is taken when this host has the
 *          interface.
 * Threads  Pure but for reading the file and asking for interfaces.
 * Limits   8 addresses, each once; 64 KiB of a file, what lies behind is not read.
 * Read     resolv.conf(5), RFC 4007 11.
 */
#pragma once

#include "base/err.h"

enum {
	RESOLVCONF_SERVERS = 8,
	RESOLVCONF_MAX = 64 * 1024
};

struct resolvconf_server {   /* open */
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint32_t scope;      /* the interface's number; 0: none */
};

struct resolvconf { /* open */
	size_t n;
	struct resolvconf_server server[RESOLVCONF_SERVERS];
	size_t beyond, bad; /* addresses there was no room for; lines passed over */
};

/* 0, or a negative errno with the reason: the file cannot be read, or is no regular one. */
int resolvconf_read(struct resolvconf *out, const char *path, struct err *err) CHECKED;
/* The same over text in memory. */
void resolvconf_read_text(struct resolvconf *out, const char *text, size_t n);
