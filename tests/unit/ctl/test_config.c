/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/config.h"
#include "ctl/option.h"
#include "ctl/tree.h"
#include "ctl/tls.h"
#include "ctl/way.h"
#include "ctl/zones.h"
#include "unit/unit.h"
#include "wire/name.h"
#include "zone/zone.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct way_parts no_parts;

/* A chain that no file of this host has a part in. */
#define ROOT "chain: [{ root: { kind: recurse } }]\n"

/* TOP_SRCDIR comes from the makefile. */
static void go_to(const char *folder)
{
	ck_assert_int_eq(chdir(TOP_SRCDIR), 0);
	ck_assert_int_eq(chdir(folder), 0);
}

/* The expectations of a bad file: its lines that begin with "#! ", each up to 1 KiB. */
static size_t read_wanted(const char *path, char wanted[][1024], size_t max)
{
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	size_t n = 0;
	char line[1024];
	while (n < max && fgets(line, sizeof line, file) && strncmp(line, "#! ", 3) == 0) {
		line[strcspn(line, "\n")] = '\0';
		(void)snprintf(wanted[n++], 1024, "%s", line + 3);
	}
	(void)fclose(file);
	return n;
}

static void check_bad(const char *path)
{
	static char wanted[COMPLAINTS_MAX][1024];
	static const struct zones_wish whole;
	struct complaints c = { 0 };
	size_t n = read_wanted(path, wanted, COMPLAINTS_MAX);
	struct config *config = config_read(path, &c);
	struct zones *zones = config ? zones_build(config, NULL, &whole, &c) : NULL;
	struct way *way = NULL;
	struct tls_setup *tls;
	if (zones && (way_build(&way, config, &no_parts, &c) < 0 ||
			     tls_build(&tls, config, NULL, NULL, false, &c) < 0))
		zones_free(&zones);
	struct serve_way *serve = way ? &way->serve : NULL;
	serve_way_drop(&serve);
	ck_assert_msg(!zones, "%s was taken", path);
	ck_assert_msg(n > 0 && n == c.n, "%s: %zu complaints, not %zu", path, c.n, n);
	for (size_t i = 0; i < n; i++) {
		c.list[i].text[strcspn(c.list[i].text, "\n")] = '\0';
		ck_assert_str_eq(c.list[i].text, wanted[i]);
	}
	config_free(&config);
	complaints_fini(&c);
}

START_TEST(every_bad_file_is_refused_with_the_place_and_the_reason)
{
	go_to("tests/conf/bad");
	DIR *dir = opendir(".");
	ck_assert_ptr_nonnull(dir);
	size_t n = 0;
	for (const struct dirent *d; (d = readdir(dir));) {
		const char *dot = strrchr(d->d_name, '.');
		if (!dot || strcmp(dot, ".yaml") != 0)
			continue;
		check_bad(d->d_name);
		n++;
	}
	(void)closedir(dir);
	ck_assert_uint_ge(n, 60);
}
END_TEST

static struct config *read_text(const char *text)
{
	struct complaints c = { 0 };
	struct config *config = config_read_text("text", text, strlen(text), &c);
	ck_assert_msg(config && c.n == 0, "%s", c.n ? c.list[0].text : "");
	return config;
}

static struct way *make_way(const struct config *config, size_t warnings)
{
	struct complaints c = { 0 };
	struct way *way;
	ck_assert_msg(way_build(&way, config, &no_parts, &c) == 0, "%s", c.list[0].text);
	ck_assert_uint_eq(c.warnings, warnings);
	complaints_fini(&c);
	return way;
}

static void free_way(struct way **way)
{
	struct serve_way *serve = *way ? &(*way)->serve : NULL;
	*way = NULL;
	serve_way_drop(&serve);
}

/* Who may ask for other names. */
static bool may(const struct way *way, const char *text)
{
	struct addr addr;
	struct err err;
	ck_assert_int_eq(addr_parse(&addr, text, 53, &err), 0);
	return access_may(&way->serve.access, &addr);
}

static bool is_special(const struct way *way, const char *name)
{
	for (size_t i = 0; i < way->serve.special_n; i++) {
		char text[NAME_TEXT_MAX];
		(void)name_print(text, way->serve.special[i]->apex_name);
		if (strcmp(text, name) == 0)
			return true;
	}
	return false;
}

START_TEST(without_a_word_this_host_and_private_neighbours_may_ask)
{
	/* The chain of a file that says none depends on this host's files. */
	struct config *config = read_text(ROOT);
	struct way *way = make_way(config, 0);
	ck_assert(may(way, "127.0.0.1") && may(way, "127.9.9.9") && may(way, "::1"));
	ck_assert(!may(way, "192.0.2.1") && !may(way, "2001:db8::1"));
	ck_assert_uint_eq(way->serve.resolve.hints_n, 26);
	ck_assert(!way->serve.resolve.query_loopback);
	ck_assert_uint_eq(way->serve.resolve.ttl.ttl_max, 86400);
	ck_assert_uint_eq(way->serve.plan.opts.stale_s, 0);
	ck_assert(is_special(way, "localhost.") && is_special(way, "127.100.in-addr.arpa."));
	free_way(&way);
	config_free(&config);
}
END_TEST

START_TEST(a_file_without_a_chain_has_five_links)
{
	static const char *const names[] = { "browser", "os", "router", "isp", "root" };
	struct config *config = read_text("{}");
	ck_assert_uint_eq(config->links_n, array_len(names));
	for (size_t i = 0; i < array_len(names); i++)
		ck_assert_str_eq(config->links[i].name, names[i]);
	ck_assert(!config->has_own_chain && config->links[2].stops);
	config_free(&config);
}
END_TEST

/* n entries between head and tail, in which < and > stand for two numbers: complaints. */
static size_t count_complaints(const char *head, const char *entry, size_t n, const char *tail)
{
	static char text[1 << 20];
	struct complaints c = { 0 };
	size_t at = (size_t)snprintf(text, sizeof text, "%s", head);
	for (size_t i = 0; i < n; i++)
		for (const char *p = entry; *p; p++)
			if (*p == '<' || *p == '>')
				at += (size_t)snprintf(text + at, sizeof text - at, "%zu",
					*p == '<' ? i / 256 : i % 256);
			else
				text[at++] = *p;
	at += (size_t)snprintf(text + at, sizeof text - at, "%s", tail);
	struct config *config = config_read_text("text", text, at, &c);
	size_t errors = c.errors;
	ck_assert((config == NULL) == (errors > 0));
	config_free(&config);
	complaints_fini(&c);
	return errors;
}

START_TEST(lists_have_the_lengths_that_they_are_said_to_have)
{
	static const struct {
		const char *head, *entry, *tail;
		size_t most;
	} rows[] = { { "access: { recursion: [", "10.<.>.0/24, ", "] }\n", ACCESS_RULES },
		{ "chain: [", "{ a<b>: { kind: cache } }, ", "]\n", CHAIN_LINKS },
		{ "stub: [", "{ zone: a<.b>., to: [127.0.0.1] }, ", "]\n", 1024 },
		{ "special-use: {", "a<.b>.: local, ", "}\n", 256 },
		{ "stub: [{ zone: a., to: [", "10.0.<.>, ", "] }]\n", RESOLVE_SERVERS_MAX } };
	for (size_t i = 0; i < array_len(rows); i++) {
		ck_assert_uint_eq(count_complaints(rows[i].head, rows[i].entry, rows[i].most,
					  rows[i].tail),
			0);
		ck_assert_uint_eq(count_complaints(rows[i].head, rows[i].entry,
					  rows[i].most + 1, rows[i].tail),
			1);
	}
}
END_TEST

START_TEST(prefixes_may_and_prefixes_with_a_mark_may_not)
{
	struct config *config =
		read_text(ROOT "access: { recursion: [\"!10.1.0.0/16\", 10.0.0.0/8, "
			       "192.0.2.128/25, 2001:db8::/33, \"!loopback\"] }\n");
	struct way *way = make_way(config, 0);
	ck_assert(may(way, "10.0.0.1") && !may(way, "10.1.0.1") && !may(way, "11.0.0.1"));
	ck_assert(may(way, "192.0.2.128") && !may(way, "192.0.2.127"));
	ck_assert(may(way, "2001:db8:7fff::1") && !may(way, "2001:db8:8000::1"));
	ck_assert(!may(way, "127.0.0.1") && !may(way, "::1"));
	free_way(&way);
	config_free(&config);
	config = read_text(ROOT "access: { recursion: [] }");
	way = make_way(config, 0);
	ck_assert(!may(way, "127.0.0.1"));
	free_way(&way);
	config_free(&config);
}
END_TEST

START_TEST(special_use_names_are_ours_unless_the_file_hands_them_over)
{
	struct config *config =
		read_text(ROOT "special-use: { home.arpa.: forward, corp.: local, "
			       "1.10.in-addr.arpa.: forward, odd.example.: forward }");
	struct way *way = make_way(config, 1);
	ck_assert(!is_special(way, "home.arpa.") && is_special(way, "corp."));
	ck_assert(is_special(way, "10.in-addr.arpa."));
	ck_assert_uint_eq(way->serve.opens_n, 1);
	free_way(&way);
	config_free(&config);
	config = read_text(ROOT "special-use: { all: off, corp.: local }");
	way = make_way(config, 0);
	ck_assert(is_special(way, "corp."));
	ck_assert_uint_eq(way->serve.special_n, 1);
	free_way(&way);
	config_free(&config);
}
END_TEST

START_TEST(an_empty_chain_is_no_way_and_another_option_another_one)
{
	static const char *const texts[] = { ROOT, ROOT "root: { ipv6: false }",
		ROOT "cache: { consistency: { bounded: 1h } }",
		ROOT "access: { recursion: [] }",
		ROOT "stub: [{ zone: a.test., to: [127.0.0.1@5300] }]",
		"chain: [{ root: { kind: recurse, budget: 1s } }]" };
	uint64_t digests[array_len(texts)];
	struct config *config = read_text("chain: []");
	struct way *way = make_way(config, 0);
	ck_assert_ptr_null(way);
	config_free(&config);
	for (size_t i = 0; i < array_len(texts); i++) {
		config = read_text(texts[i]);
		way = make_way(config, 0);
		digests[i] = way->digest;
		free_way(&way);
		way = make_way(config, 0);
		ck_assert_uint_eq(way->digest, digests[i]);
		free_way(&way);
		config_free(&config);
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(digests[i], digests[j]);
	}
}
END_TEST

static struct config *read_good(const char *path)
{
	struct complaints c = { 0 };
	struct config *config = config_read(path, &c);
	ck_assert_msg(config && c.n == 0, "%s: %s", path, c.n ? c.list[0].text : "");
	return config;
}

static void check_addr(const struct config *config, size_t i, const char *wanted)
{
	char text[ADDR_TEXT_MAX];
	ck_assert_uint_gt(config->listen.n, i);
	ck_assert_str_eq(addr_print(text, &config->listen.list[i]), wanted);
}

START_TEST(a_file_that_says_nothing_has_every_default)
{
	go_to("tests/conf/good");
	struct config *config = read_good("empty.yaml");
	ck_assert_uint_eq(config->listen.n, 2);
	check_addr(config, 0, "127.0.0.1@53");
	check_addr(config, 1, "::1@53");
	ck_assert(!config->has_own_listen);
	ck_assert_uint_ge(config->workers, 1);
	ck_assert_str_eq(config->control, "");
	ck_assert_str_eq(config->user, "");
	ck_assert_uint_eq(config->tcp_idle_ms, 10000);
	ck_assert_uint_eq(config->tcp_connections, 20000);
	ck_assert_uint_eq(config->tcp_per_client, 64);
	ck_assert_uint_eq(config->tcp_memory, 64u << 20);
	ck_assert(config->cookies);
	ck_assert_uint_eq(config->edns_size, 1232);
	ck_assert_str_eq(config->version, "");
	ck_assert_uint_eq(config->log_level, LOG_INFO);
	ck_assert_uint_eq(config->zones_n, 0);
	config_free(&config);
}
END_TEST

START_TEST(every_key_lands_in_its_place_and_lists_append_over_files)
{
	go_to("tests/conf/good");
	struct config *config = read_good("./all.yaml");
	ck_assert_uint_eq(config->listen.n, 3);
	check_addr(config, 0, "127.0.0.1@5301");
	check_addr(config, 2, "::1@5302");
	ck_assert_uint_eq(config->workers, 3);
	ck_assert_str_eq(config->control, "./run/control.sock");
	ck_assert_str_eq(config->state, "/var/lib/elsewhere");
	ck_assert_uint_eq(config->tcp_idle_ms, 90500);
	ck_assert_uint_eq(config->tcp_connections, 100);
	ck_assert_uint_eq(config->tcp_per_client, 7);
	ck_assert_uint_eq(config->tcp_memory, 2u << 20);
	ck_assert_uint_eq(config->edns_size, 4096);
	ck_assert_str_eq(config->version, "1.0");
	ck_assert_str_eq(config->identity, "ns1 # here");
	ck_assert_str_eq(config->nsid, "ns1");
	ck_assert_uint_eq(config->log_level, LOG_WARNING);
	ck_assert_uint_eq(config->access.n, 2);
	ck_assert_uint_eq(config->cache_size, 8u << 20);
	ck_assert_uint_eq(config->ttl_min_ms, 5000);
	ck_assert_uint_eq(config->ttl_max_ms, 3600000);
	ck_assert_uint_eq(config->negative_max_ms, 60000);
	ck_assert_int_eq(config->consistency, CONSISTENCY_AVAILABLE);
	ck_assert_uint_eq(config->stale_ms, 86400000);
	ck_assert_str_eq(config->hints, "./root.hints");
	ck_assert(!config->qname_minimisation && !config->case_randomisation);
	ck_assert(!config->minimal_responses);
	ck_assert(!config->harden_glue && !config->ipv4 && !config->ipv6);
	ck_assert(config->query_loopback);
	ck_assert_uint_eq(config->stubs_n, 2);
	ck_assert_int_eq(memcmp(config->stubs[0].name, "\4corp", 6), 0);
	ck_assert(config->stubs[0].is_first && !config->stubs[1].is_first);
	ck_assert_uint_eq(config->stubs[1].to.n, 2);
	ck_assert_uint_eq(config->specials_n, 2);
	ck_assert(!config->specials[0].name && config->specials[1].is_local);
	ck_assert_uint_eq(config->links_n, 3);
	ck_assert_str_eq(config->links[1].name, "own");
	ck_assert_ptr_null(config->links[0].kind);
	ck_assert_uint_eq(config->links[0].ttl_max_ms, 60000);
	ck_assert_uint_eq(config->links[1].budget_ms, 1500);
	ck_assert(config->links[1].stops && !config->links[2].stops);
	ck_assert_uint_eq(config->links[1].zones_n, 1);
	ck_assert(config->links[1].has_local);
	ck_assert_uint_eq(config->zones_n, 3);
	ck_assert_str_eq(config->zones[0].path, "./zones/example.test.zone");
	ck_assert_str_eq(config->zones[1].path, "/absolute/other.zone");
	ck_assert_int_eq(memcmp(config->zones[1].name, "\5other\4test", 12), 0);
	ck_assert_str_eq(config->zones[2].path, "./parts/more.zone");
	config_free(&config);
}
END_TEST

START_TEST(a_json_document_is_a_valid_file)
{
	go_to("tests/conf/good");
	struct config *config = read_good("document.json");
	ck_assert_uint_eq(config->workers, 2);
	ck_assert_uint_eq(config->tcp_idle_ms, 90000);
	ck_assert(!config->cookies);
	ck_assert_str_eq(config->version, "tab\tand \xc3\xa9 / \"quoted\"");
	config_free(&config);
}
END_TEST

START_TEST(what_needs_a_restart_is_found_when_it_differs)
{
	go_to("tests/conf/good");
	struct config *a = read_good("empty.yaml"), *b = read_good("all.yaml");
	const struct option *rows[8];
	ck_assert_uint_eq(config_compare(a, a, rows, 8), 0);
	size_t n = config_compare(a, b, rows, 8);
	ck_assert_uint_ge(n, 3);
	ck_assert_str_eq(rows[0]->key, "server.listen");
	for (size_t i = 0; i < n; i++)
		ck_assert(rows[i]->needs_restart);
	config_free(&a);
	config_free(&b);
}
END_TEST

static size_t count_refusals(const char *text, size_t n)
{
	struct complaints c = { 0 };
	struct tree tree = { 0 };
	int rc = tree_read_text(&tree, "text", text, n, &c);
	size_t errors = c.errors;
	ck_assert((rc < 0) == (errors > 0));
	tree_fini(&tree);
	complaints_fini(&c);
	return errors;
}

START_TEST(a_byte_order_mark_and_windows_line_ends_are_taken)
{
	static const char text[] = "\xef\xbb\xbfserver:\r\n  workers: 1\r\nlog: {}\r\n";
	ck_assert_uint_eq(count_refusals(text, sizeof text - 1), 0);
}
END_TEST

START_TEST(half_a_million_nodes_are_the_end)
{
	size_t n = 2 * (TREE_NODES_MAX + 10);
	char *text = mem_new(n + 3);
	for (size_t i = 0; i < n; i += 2)
		memcpy(text + i, "a,", 2);
	memmove(text + 1, text, n - 1);
	text[0] = '[';
	text[n] = ']';
	ck_assert_uint_eq(count_refusals(text, n + 1), 1);
	mem_free(text);
}
END_TEST

UNIT_MAIN("ctl/config", every_bad_file_is_refused_with_the_place_and_the_reason,
	without_a_word_this_host_and_private_neighbours_may_ask,
	a_file_without_a_chain_has_five_links,
	lists_have_the_lengths_that_they_are_said_to_have,
	prefixes_may_and_prefixes_with_a_mark_may_not,
	special_use_names_are_ours_unless_the_file_hands_them_over,
	an_empty_chain_is_no_way_and_another_option_another_one,
	a_file_that_says_nothing_has_every_default,
	every_key_lands_in_its_place_and_lists_append_over_files,
	a_json_document_is_a_valid_file, what_needs_a_restart_is_found_when_it_differs,
	a_byte_order_mark_and_windows_line_ends_are_taken, half_a_million_nodes_are_the_end)
