/* SPDX-License-Identifier: BSD-2-Clause */
/* hosts_table.h -- the names of hosts files, made ready to be asked for
 *
 * What     A draft collects the entries of files, the first to say something about a name
 *          wins; finished, it is a table that never changes: for each name its A, AAAA, PTR and
 *          CNAME records in the form in which they are answered. The reverse name of an address
 *          points at the first name of each line that has the address. 0.0.0.0 and :: have no
 *          reverse name, for lists of blocked names are full of them; nor has 127.0.0.0/8, but
 *          127.0.0.1 and ::1 have one when it is localhost.
 * Threads  A draft has one user at a time; a table is read by all.
 * Memory   A table is one block of the very size it needs: 41 bytes a name in a list of blocked
 *          names.
 * Limits   255 records in a set, 32 of them PTR; 256 MiB of names and records; what is too much
 *          is left out with a warning.
 */
#pragma once

#include "text/hosts.h"

enum hosts_set {
	HOSTS_A,
	HOSTS_AAAA,
	HOSTS_PTR,
	HOSTS_CNAME, /* stands alone */
	HOSTS_SETS
};

struct hosts_found {         /* open: what stands at a name; in the table */
	const uint8_t *name; /* lower case */
	struct hosts_records {
		uint16_t n;
		uint32_t size;
		const uint8_t *records; /* as struct rrset has them */
	} set[HOSTS_SETS];
};

struct hosts_draft *hosts_draft_new(void);
/* 0, or 1 with a warning in err: it was left out. What is there already is no news. */
int hosts_draft_add(
	struct hosts_draft *draft, const struct hosts_entry *entry, struct err *err) CHECKED;
struct hosts_table *hosts_draft_finish(struct hosts_draft **draft);
void hosts_draft_free(struct hosts_draft **draft);

void hosts_table_free(struct hosts_table **table);
size_t hosts_table_names(const struct hosts_table *table);
size_t hosts_table_bytes(const struct hosts_table *table);
/* Calls fn for every name. */
void hosts_table_walk(const struct hosts_table *table,
	void (*fn)(void *user, const uint8_t *name), void *user);
/* False: nothing is said of the name (lower case). */
bool hosts_table_find(const struct hosts_table *table, const uint8_t *name, uint64_t hash,
	struct hosts_found *found);
