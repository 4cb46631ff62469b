/* SPDX-License-Identifier: BSD-2-Clause */
/* hosts.h -- hosts files to names, with every complaint in its place
 *
 * What     Lines of the form "ADDRESS NAME [NAME...] # comment", as hosts(5) has them and as
 *          lists of names to be blocked use them; CRLF, tabs, a byte-order mark, no newline at
 *          the end, names in any letter case, underscores, dots at the end. One form more:
 *
 *              cname ALIAS TARGET
 *
 *          makes ALIAS another name of TARGET, which may be anybody's. No hosts file can mean
 *          something else by it, for "cname" is no address; other readers skip such a line.
 *          A file is never refused for what stands in it: a bad line, or a bad name in a good
 *          line, is told and skipped. So are addresses with a zone (fe80::1%eth0), which
 *          nobody but this host could use.
 * Threads  Pure but for reading files. Files are read(), never mapped.
 * Limits   Nothing is read of a line of 1 MiB or more, nor of a file what lies behind 256 MiB;
 *          20 complaints are kept, the rest counted. Linear in the text.
 * Read     hosts(5), RFC 952, 1123 2.1.
 */
#pragma once

#include "text/zonefile.h"
#include "wire/name.h"

enum hosts_kind {
	HOSTS_IPV4,
	HOSTS_IPV6,
	HOSTS_ALIAS
};

struct hosts_entry { /* open: one name of a line; names are in lower case */
	enum hosts_kind kind;
	bool is_first;            /* of its line's names: what the address itself is called */
	struct name name, target; /* target: of an alias */
	uint8_t address[16];      /* 4 bytes of it, or all */
};

/* Returns 0; 1 with a warning in err: it becomes a complaint at the name's place; -ECANCELED:
 * the scan ends here, without a complaint. */
typedef int hosts_entry_fn(void *user, const struct hosts_entry *entry, struct err *err);

/* Scans the file at path. Returns the number of names handed on, or a negative errno with the
 * reason in err when the file cannot be read (to its end). */
long hosts_scan(const char *path, hosts_entry_fn *on_entry, void *user,
	struct complaints *complaints, struct err *err) CHECKED;
/* The same over text in memory; name stands in the complaints. */
long hosts_scan_text(const char *name, const char *text, size_t n, hosts_entry_fn *on_entry,
	void *user, struct complaints *complaints);
