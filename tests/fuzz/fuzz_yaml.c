/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text is a configuration. It is refused with a place for every reason, or every value of
 * it is one that its row allows; and it is the same each time. */
#include "ctl/config.h"
#include "ctl/option.h"
#include "wire/name.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_row(const struct config *config, const struct option *row)
{
	const void *slot = (const char *)config + row->offset;
	switch (row->kind) {
	case OPTION_NUMBER:
	case OPTION_SIZE:
	case OPTION_DURATION:
	case OPTION_WORD:
		must(*(const uint64_t *)slot >= row->min &&
			*(const uint64_t *)slot <= row->max);
		break;
	case OPTION_TEXT:
		must(strlen(*(const char *const *)slot) <= row->max);
		break;
	case OPTION_ADDRS:
		must(config->listen.n > 0 && config->listen.n <= LISTENERS_MAX);
		break;
	case OPTION_ADDRS_TLS:
		must(config->listen_tls.n <= LISTENERS_MAX);
		break;
	case OPTION_ACCESS:
		must(config->access.n <= ACCESS_RULES);
		break;
	case OPTION_STALE:
		must(config->consistency == CONSISTENCY_STRICT || config->stale_ms >= 1000);
		break;
	case OPTION_LINKS:
		must(config->links_n <= CHAIN_LINKS);
		break;
	case OPTION_BOOL:
	case OPTION_PATH:
	case OPTION_ZONES:
	case OPTION_INCLUDE:
	case OPTION_STUBS:
	case OPTION_SPECIAL:
	case OPTION_ABSENT:
		break;
	}
}

static void check_names(const uint8_t *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		must(name_check(names[i], NAME_MAX_LEN) == name_len(names[i]));
}

static void check_links(const struct config *config)
{
	for (size_t i = 0; i < config->links_n; i++) {
		const struct config_link *link = &config->links[i];
		must(*link->name && link->place.line > 0 && link->kind_text && link->values);
		check_names(link->zones, link->zones_n);
	}
	for (size_t i = 0; i < config->stubs_n; i++) {
		must(config->stubs[i].to.n > 0);
		check_names(&config->stubs[i].name, 1);
	}
	for (size_t i = 0; i < config->specials_n; i++)
		check_names(&config->specials[i].name, config->specials[i].name ? 1 : 0);
}

static void check_config(const struct config *config)
{
	for (size_t i = 0; i < OPTIONS_N; i++)
		check_row(config, &option_rows[i]);
	check_links(config);
	for (size_t i = 0; i < config->zones_n; i++) {
		const struct config_zone *zone = &config->zones[i];
		must(*zone->path && zone->line > 0 && zone->column > 0);
		must(!zone->name ||
			name_check(zone->name, NAME_MAX_LEN) == name_len(zone->name));
	}
}

static void check_complaints(const struct complaints *c)
{
	for (size_t i = 0; i < c->n; i++) {
		must(strncmp(c->list[i].text, "fuzz:", 5) == 0);
		for (const char *p = c->list[i].text; *p; p++)
			must((*p >= 0x20 && *p < 0x7f) || *p == '\n' || *p == '\t');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct complaints a = { 0 }, b = { 0 };
	const char *text = (const char *)data;
	struct config *first = config_read_text("fuzz", text, n, &a);
	struct config *again = config_read_text("fuzz", text, n, &b);
	must((first == NULL) == (a.errors > 0) && a.errors == b.errors && a.n == b.n);
	check_complaints(&a);
	if (first) {
		const struct option *rows[1];
		check_config(first);
		must(again && config_compare(first, again, rows, 1) == 0);
	}
	config_free(&first);
	config_free(&again);
	complaints_fini(&a);
	complaints_fini(&b);
	return 0;
}
