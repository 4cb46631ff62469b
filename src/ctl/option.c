/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/option.h"

#include "base/near.h"
#include "ctl/config.h"

#include <errno.h>
#include <string.h>

enum {
	MS = 1,
	SECOND = 1000,
	MINUTE = 60 * SECOND,
	HOUR = 60 * MINUTE,
	DAY = 24 * HOUR,
	KB = 1024,
	MB = 1024 * KB,
	GB = 1024 * MB
};

static const char *const off_words[] = { "off" };
static const char *const auth_words[] = { "off", "offer", "require" };
static const char *const level_words[] = { "error", "warning", "info", "debug" };

/* clang-format off */
#define AT(member) offsetof(struct config, member)
const struct option option_rows[OPTIONS_N] = {
	{ "include", OPTION_INCLUDE, false, 0, "[]", 0, CONFIG_FILES_MAX, NULL,
	  "Further files, read as if their lists were appended here." },
	{ "server.listen", OPTION_ADDRS, true, AT(listen),
	  "[127.0.0.1@53, \"::1@53\"]", 1, LISTENERS_MAX, NULL,
	  "Addresses to answer on, over UDP and TCP." },
	{ "server.listen-tls", OPTION_ADDRS_TLS, true, AT(listen_tls), "[]", 0, LISTENERS_MAX,
	  NULL, "Addresses to answer on over TLS (RFC 7858); port 853 unless said." },
	{ "server.workers", OPTION_NUMBER, true, AT(workers), NULL, 1, WORKERS_MAX, NULL,
	  "Threads that answer; without it one per core." },
	{ "server.control", OPTION_PATH, true, AT(control), NULL, 0, 0, NULL,
	  "Socket for rootctl; without it /run/rootward/control.sock, else "
	  "rootward/control.sock in $XDG_RUNTIME_DIR." },
	{ "server.state", OPTION_PATH, true, AT(state), "/var/lib/rootward", 0, 0, NULL,
	  "Folder for what has to outlive a restart; this version keeps nothing there." },
	{ "server.user", OPTION_TEXT, true, AT(user), "\"\"", 0, 32, NULL,
	  "User to become after binding, when started as root; empty: none." },
	{ "server.tcp-idle", OPTION_DURATION, false, AT(tcp_idle_ms),
	  "10s", 100 * MS, HOUR, NULL,
	  "How long a TCP connection may be idle." },
	{ "server.tcp-connections", OPTION_NUMBER, false, AT(tcp_connections),
	  "20000", 1, 1000000, NULL,
	  "TCP connections at a time." },
	{ "server.tcp-per-client", OPTION_NUMBER, false, AT(tcp_per_client),
	  "64", 1, 1000000, NULL,
	  "TCP connections at a time of one IPv4 address or IPv6 /64." },
	{ "server.tcp-memory", OPTION_SIZE, false, AT(tcp_memory), "64MB", MB, 1ull << 40, NULL,
	  "Memory for the buffers of all TCP connections together." },
	{ "server.rate-limit", OPTION_WORD, false, AT(rate_limit), "off", 0, 0, off_words,
	  "Responses per second and client network; limits are not in this version." },
	{ "server.cookies", OPTION_BOOL, false, AT(cookies), "true", 0, 0, NULL,
	  "Whether DNS cookies (RFC 7873) are given and checked." },
	{ "server.edns-size", OPTION_NUMBER, false, AT(edns_size), "1232", 512, 4096, NULL,
	  "Largest UDP answer in bytes; larger ones go over TCP." },
	{ "server.version", OPTION_TEXT, false, AT(version), "\"\"", 0, 255, NULL,
	  "What version.bind tells; empty: refused." },
	{ "server.identity", OPTION_TEXT, false, AT(identity), "\"\"", 0, 255, NULL,
	  "What id.server and hostname.bind tell; empty: refused." },
	{ "server.nsid", OPTION_TEXT, false, AT(nsid), "\"\"", 0, 255, NULL,
	  "What the NSID option (RFC 5001) tells; empty: nothing." },
	{ "tls.certificate", OPTION_PATH, false, AT(tls_certificate), NULL, 0, 0, NULL,
	  "PEM file with the server's certificate and, behind it, those that lead to a root." },
	{ "tls.key", OPTION_PATH, false, AT(tls_key), NULL, 0, 0, NULL,
	  "PEM file with its private key, without a passphrase." },
	{ "tls.client-ca", OPTION_PATH, false, AT(tls_client_ca), NULL, 0, 0, NULL,
	  "PEM file with the authorities that clients' certificates have to lead to." },
	{ "tls.client-crl", OPTION_PATH, false, AT(tls_client_crl), NULL, 0, 0, NULL,
	  "PEM file with certificates of clients that are revoked." },
	{ "tls.client-auth", OPTION_WORD, false, AT(tls_client_auth), "off", 0, 2, auth_words,
	  "Whether clients are asked for a certificate, or served only with one." },
	{ "zones", OPTION_ZONES, false, AT(zones), "[]", 0, 0, NULL,
	  "Zones to serve: { name, file } for one, { folder } for every NAME.zone in a "
	  "folder." },
	{ "access.recursion", OPTION_ACCESS, false, AT(access),
	  "[loopback, connected]", 0, ACCESS_RULES, NULL,
	  "Who may ask for names outside the zones: prefixes, loopback, connected (networks "
	  "of private use that this host is on), connected-all (all it is on); with ! in "
	  "front: who may not." },
	{ "cache.size", OPTION_SIZE, true, AT(cache_size), "64MB", MB, 1ull << 40, NULL,
	  "Memory for what was learned of other names." },
	{ "cache.ttl-min", OPTION_DURATION, false, AT(ttl_min_ms), "0s", 0, HOUR, NULL,
	  "Shorter TTLs are made this long." },
	{ "cache.ttl-max", OPTION_DURATION, false, AT(ttl_max_ms), "1d", SECOND, 7 * DAY, NULL,
	  "Longer TTLs are made this short." },
	{ "cache.negative-max", OPTION_DURATION, false, AT(negative_max_ms),
	  "1h", SECOND, DAY, NULL,
	  "The longest time that something is held not to exist." },
	{ "cache.consistency", OPTION_STALE, false, AT(consistency), "strict", 0, 0, NULL,
	  "What is past its TTL: strict never tells it; { bounded: 1h } does for that long "
	  "when nothing else comes within 1.8s; { available: 1d } does at once and looks anew "
	  "behind it." },
	{ "root.hints", OPTION_PATH, false, AT(hints), NULL, 0, 0, NULL,
	  "Zone file with names and addresses of the root servers; without it those known." },
	{ "root.trust-anchor", OPTION_ABSENT, false, 0, NULL, 0, 0, NULL,
	  "Keys that signatures are checked with." },
	{ "root.qname-minimisation", OPTION_BOOL, false, AT(qname_minimisation),
	  "true", 0, 0, NULL,
	  "Whether servers are told no more of a name than they need (RFC 9156)." },
	{ "root.case-randomisation", OPTION_BOOL, false, AT(case_randomisation),
	  "true", 0, 0, NULL,
	  "Whether the letter case of questions to servers is random, against forged "
	  "replies." },
	{ "root.harden-glue", OPTION_BOOL, false, AT(harden_glue), "true", 0, 0, NULL,
	  "Whether addresses of servers are believed only from within the zone told of." },
	{ "root.minimal-responses", OPTION_BOOL, false, AT(minimal_responses),
	  "true", 0, 0, NULL,
	  "Whether answers are kept to what was asked for, without the servers of its "
	  "zone." },
	{ "root.ipv4", OPTION_BOOL, false, AT(ipv4), "true", 0, 0, NULL,
	  "Whether servers are asked over IPv4." },
	{ "root.ipv6", OPTION_BOOL, false, AT(ipv6), "true", 0, 0, NULL,
	  "Whether servers are asked over IPv6." },
	{ "root.query-loopback", OPTION_BOOL, false, AT(query_loopback), "false", 0, 0, NULL,
	  "Whether servers at loopback, private and documentation addresses are asked." },
	{ "stub", OPTION_STUBS, false, AT(stubs), "[]", 0, 0, NULL,
	  "Zones asked for at given servers: { zone, to: [address@port], first: true } (first: "
	  "then the common way)." },
	{ "special-use", OPTION_SPECIAL, false, AT(specials), "{}", 0, 0, NULL,
	  "Special-use names (localhost., home.arpa., ...): { NAME: forward } hands one to the "
	  "chain, { NAME: local } answers that it is not there, { all: off } hands over all." },
	{ "chain", OPTION_LINKS, false, AT(links),
	  "browser, os, router, isp, root", 0, CHAIN_LINKS, NULL,
	  "The links that other names are asked of, in order: - NAME: { kind: ... }; []: they "
	  "are REFUSED." },
	{ "metrics", OPTION_ABSENT, false, 0, NULL, 0, 0, NULL, "Where metrics are told." },
	{ "log.level", OPTION_WORD, false, AT(log_level), "info", 0, 3, level_words,
	  "The least grave lines that are logged." },
	{ "log.queries", OPTION_WORD, false, AT(log_queries), "off", 0, 0, off_words,
	  "Whether each query is logged; logging them is not in this version." },
};
#undef AT
/* clang-format on */

struct unit { /* open */
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = { { "ms", MS }, { "s", SECOND }, { "m", MINUTE },
	{ "h", HOUR }, { "d", DAY }, { "w", 7ull * DAY } };
static const struct unit size_units[] = { { "B", 1 }, { "KB", KB }, { "MB", MB }, { "GB", GB },
	{ "TB", 1024ull * GB } };

/* Digits at the front of text; false when there are none or they are over 10^18. */
static bool take_digits(const char **text, uint64_t *out)
{
	const char *p = *text;
	uint64_t value = 0;
	while (*p >= '0' && *p <= '9') {
		if (value > 100000000000000000u)
			return false;
		value = value * 10 + (uint64_t)(*p++ - '0');
	}
	if (p == *text)
		return false;
	*text = p;
	*out = value;
	return true;
}

static const struct unit *take_unit(const char **text, const struct unit *units, size_t n)
{
	size_t len = strspn(*text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	for (size_t i = 0; i < n; i++)
		if (strlen(units[i].name) == len && strncmp(*text, units[i].name, len) == 0) {
			*text += len;
			return &units[i];
		}
	return NULL;
}

static int read_number(uint64_t *out, const struct option_word *word, struct err *err)
{
	const char *p = word->text;
	if (!word->is_plain)
		return err_set(err, -EINVAL, "a number is expected, without quotes");
	if (!take_digits(&p, out) || *p)
		return err_set(err, -EINVAL, "'%.40s' is %s", word->text,
			strspn(word->text, "0123456789") == word->len ? "too large"
								      : "not a number");
	if (word->len > 1 && word->text[0] == '0')
		return err_set(err, -EINVAL, "'%.40s' begins with a zero", word->text);
	return 0;
}

static int read_size(uint64_t *out, const char *text, struct err *err)
{
	const char *p = text;
	if (!take_digits(&p, out))
		return err_set(err, -EINVAL, "'%.40s' is not a size; write it as 64MB", text);
	const struct unit *unit = take_unit(&p, size_units, array_len(size_units));
	if (!unit || *p)
		return err_set(err, -EINVAL,
			"'%.40s' has no unit of B, KB, MB, GB, TB; write it as 64MB", text);
	if (__builtin_mul_overflow(*out, unit->factor, out))
		return err_set(err, -EINVAL, "'%.40s' is too large", text);
	return 0;
}

static int read_duration(uint64_t *out, const char *text, struct err *err)
{
	const char *p = text;
	uint64_t sum = 0, last = UINT64_MAX;
	do {
		uint64_t part;
		if (!take_digits(&p, &part))
			return err_set(err, -EINVAL,
				"'%.40s' is not a time; write it as 10s or 1h30m", text);
		const struct unit *unit = take_unit(&p, time_units, array_len(time_units));
		if (!unit)
			return err_set(err, -EINVAL,
				"'%.40s' has no unit of ms, s, m, h, d, w; write it as 10s or "
				"1h30m",
				text);
		if (unit->factor >= last)
			return err_set(err, -EINVAL,
				"'%.40s': larger units come first, each once", text);
		last = unit->factor;
		if (__builtin_mul_overflow(part, unit->factor, &part) ||
			__builtin_add_overflow(sum, part, &sum))
			return err_set(err, -EINVAL, "'%.40s' is too large", text);
	} while (*p);
	*out = sum;
	return 0;
}

static int read_bool(bool *out, const struct option_word *word, struct err *err)
{
	bool is_true = strcmp(word->text, "true") == 0;
	if (!word->is_plain || (!is_true && strcmp(word->text, "false") != 0))
		return err_set(err, -EINVAL,
			"true or false is expected, without quotes, not '%.40s'", word->text);
	*out = is_true;
	return 0;
}

static int read_word(const struct option *row, uint64_t *out, const char *text, struct err *err)
{
	for (uint64_t i = 0; i <= row->max; i++)
		if (strcmp(text, row->words[i]) == 0) {
			*out = i;
			return 0;
		}
	if (row->max == 0)
		return err_set(err, -EINVAL,
			"'%.40s': not in this version, which knows only %s", text,
			row->words[0]);
	const char *near = near_find(text, row->words, row->max + 1);
	char all[128] = "";
	size_t n = 0;
	for (uint64_t i = 0; i <= row->max && n < sizeof all; i++)
		n += (size_t)snprintf(
			all + n, sizeof all - n, "%s%s", i ? ", " : "", row->words[i]);
	return err_set(err, -EINVAL, "'%.40s' is not one of %s%s%s%s", text, all,
		near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static int read_text(const struct option *row, const char **out, const struct option_word *word,
	struct arena *arena, struct err *err)
{
	if (word->len > row->max)
		return err_set(err, -EINVAL, "%zu bytes are too long: at most %llu are told",
			word->len, (unsigned long long)row->max);
	*out = arena_text(arena, word->text, word->len);
	return 0;
}

static int read_addr(struct addrs *addrs, const char *text, uint16_t port, struct err *err)
{
	struct addr addr;
	int rc = addr_parse(&addr, text, port, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < addrs->n; i++)
		if (addr_port(&addr) && addr_is_equal(&addr, &addrs->list[i]))
			return err_set(err, -EINVAL, "%s is already in the list", text);
	if (addrs->n == LISTENERS_MAX)
		return err_set(err, -EINVAL, "over %d addresses", LISTENERS_MAX);
	addrs->list[addrs->n++] = addr;
	return 0;
}

static int read_prefix(struct access_rule *rule, const char *text, struct err *err)
{
	char host[ADDR_TEXT_MAX];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	struct addr addr;
	if (n >= sizeof host)
		return err_set(err, -EINVAL, "'%.40s' is no prefix", text);
	(void)snprintf(host, sizeof host, "%.*s", (int)n, text);
	if (strpbrk(host, "@[]%") || addr_parse(&addr, host, 0, err) < 0 || addr_port(&addr))
		return err_set(err, -EINVAL,
			"'%.40s' is none of a prefix (192.0.2.0/24, 2001:db8::/32), loopback, "
			"connected, connected-all, or one of them with ! in front",
			text);
	uint64_t bits, most = addr.any.sa_family == AF_INET ? 32 : 128;
	bits = most;
	if (slash) {
		const char *p = slash + 1;
		if (!take_digits(&p, &bits) || *p || bits > most)
			return err_set(err, -EINVAL, "'%.40s': a length of 0..%llu is expected",
				text, (unsigned long long)most);
	}
	rule->prefix = addr_endpoint(&addr);
	rule->bits = (uint8_t)(bits + 128 - most);
	for (size_t i = rule->bits; i < 128; i++)
		if (rule->prefix.address[i / 8] & (0x80 >> i % 8))
			return err_set(err, -EINVAL,
				"'%.40s': bits are set behind the first %llu", text,
				(unsigned long long)bits);
	return 0;
}

static const char *const whom_words[] = { "", "loopback", "connected", "connected-all" };

static int read_access(struct config_access *access, const char *text, struct err *err)
{
	if (access->n == ACCESS_RULES)
		return err_set(err, -EINVAL, "over %d prefixes", ACCESS_RULES);
	struct config_rule *rule = &access->list[access->n];
	*rule = (struct config_rule){ .whom = WHOM_PREFIX };
	rule->rule.is_denied = *text == '!';
	text += *text == '!';
	for (size_t i = 1; i < array_len(whom_words); i++)
		if (strcmp(text, whom_words[i]) == 0)
			rule->whom = (enum config_whom)i;
	if (rule->whom == WHOM_PREFIX && read_prefix(&rule->rule, text, err) < 0)
		return -EINVAL;
	access->n++;
	return 0;
}

static bool is_measured(const struct option *row)
{
	return row->kind == OPTION_NUMBER || row->kind == OPTION_SIZE ||
	       row->kind == OPTION_DURATION;
}

static int read_kind(const struct option *row, const struct option_word *word, void *slot,
	struct arena *arena, struct err *err)
{
	switch (row->kind) {
	case OPTION_BOOL:
		return read_bool(slot, word, err);
	case OPTION_NUMBER:
		return read_number(slot, word, err);
	case OPTION_SIZE:
		return read_size(slot, word->text, err);
	case OPTION_DURATION:
		return read_duration(slot, word->text, err);
	case OPTION_TEXT:
		return read_text(row, slot, word, arena, err);
	case OPTION_PATH:
		if (word->len == 0)
			return err_set(err, -EINVAL, "a path is expected");
		*(const char **)slot = option_path(arena, word->folder, word->text);
		return 0;
	case OPTION_WORD:
		return read_word(row, slot, word->text, err);
	case OPTION_ADDRS:
		return read_addr(slot, word->text, 53, err);
	case OPTION_ADDRS_TLS:
		return read_addr(slot, word->text, 853, err);
	case OPTION_ACCESS:
		return read_access(slot, word->text, err);
	case OPTION_ZONES:
	case OPTION_INCLUDE:
	case OPTION_STUBS:
	case OPTION_SPECIAL:
	case OPTION_STALE:
	case OPTION_LINKS:
	case OPTION_ABSENT:
		break;
	}
	return err_set(err, -EINVAL, "a list is expected");
}

int option_read(const struct option *row, const struct option_word *word, void *slot,
	struct arena *arena, struct err *err)
{
	if (word->is_plain && (word->len == 0 || strcmp(word->text, "~") == 0 ||
				      strcmp(word->text, "null") == 0))
		return err_set(err, -EINVAL, "a value is missing");
	if (!is_measured(row))
		return read_kind(row, word, slot, arena, err);
	uint64_t value = 0;
	int rc = read_kind(row, word, &value, arena, err);
	if (rc < 0)
		return rc;
	if (value < row->min || value > row->max) {
		char range[64];
		return err_set(err, -EINVAL, "%.40s is outside %s", word->text,
			option_range(range, sizeof range, row));
	}
	*(uint64_t *)slot = value;
	return 0;
}

const char *option_path(struct arena *arena, const char *folder, const char *path)
{
	size_t folder_n = strlen(folder), n = strlen(path);
	if (*path == '/' || folder_n == 0)
		return arena_text(arena, path, n);
	char *out = arena_new(arena, folder_n + n + 2);
	(void)snprintf(out, folder_n + n + 2, "%s/%s", folder, path);
	return out;
}

/* ---- for readers -------------------------------------------------------------------- */

static void print_measure(char *out, size_t size, const struct option *row, uint64_t value)
{
	const struct unit *units = row->kind == OPTION_SIZE ? size_units : time_units;
	size_t n = row->kind == OPTION_SIZE ? array_len(size_units) : array_len(time_units) - 1;
	while (row->kind != OPTION_NUMBER && n-- > 0)
		if (value ? value % units[n].factor == 0 : units[n].factor == SECOND) {
			(void)snprintf(out, size, "%llu%s",
				(unsigned long long)(value / units[n].factor), units[n].name);
			return;
		}
	(void)snprintf(out, size, "%llu", (unsigned long long)value);
}

static const char *kind_text(enum option_kind kind)
{
	switch (kind) {
	case OPTION_BOOL:
		return "true | false";
	case OPTION_PATH:
		return "path";
	case OPTION_ADDRS:
	case OPTION_ADDRS_TLS:
		return "list of address@port";
	case OPTION_ZONES:
		return "list of zones";
	case OPTION_INCLUDE:
		return "list of files";
	case OPTION_ACCESS:
		return "list of prefixes";
	case OPTION_STUBS:
		return "list of stub zones";
	case OPTION_SPECIAL:
		return "map of names";
	case OPTION_STALE:
		return "strict | { bounded: 1s..3d } | { available: 1s..3d }";
	case OPTION_LINKS:
		return "list of links";
	case OPTION_ABSENT:
	case OPTION_NUMBER:
	case OPTION_SIZE:
	case OPTION_DURATION:
	case OPTION_TEXT:
	case OPTION_WORD:
		break;
	}
	return "not in this version";
}

const char *option_range(char *out, size_t size, const struct option *row)
{
	size_t n = 0;
	if (is_measured(row)) {
		char min[24], max[24];
		print_measure(min, sizeof min, row, row->min);
		print_measure(max, sizeof max, row, row->max);
		(void)snprintf(out, size, "%s..%s", min, max);
	} else if (row->kind == OPTION_TEXT) {
		(void)snprintf(out, size, "at most %llu bytes", (unsigned long long)row->max);
	} else if (row->kind == OPTION_WORD) {
		for (uint64_t i = 0; i <= row->max && n < size; i++)
			n += (size_t)snprintf(
				out + n, size - n, "%s%s", i ? " | " : "", row->words[i]);
	} else {
		(void)snprintf(out, size, "%s", kind_text(row->kind));
	}
	return out;
}

void option_show(FILE *out, bool as_manual)
{
	for (size_t i = 0; i < OPTIONS_N; i++) {
		const struct option *row = &option_rows[i];
		char range[128];
		const char *fallback = row->fallback ? row->fallback : "-";
		(void)option_range(range, sizeof range, row);
		if (as_manual)
			(void)fprintf(out, ".TP\n.B %s\n%s\n.br\n%s%s%s%s%s\n", row->key,
				row->help, range, row->fallback ? "; default " : "",
				row->fallback ? fallback : "",
				row->needs_restart ? "; a change needs a restart" : "", ".");
		else
			(void)fprintf(out, "%-22s  %-26s  %-22s  %s\n", row->key, fallback,
				range, row->help);
	}
}
