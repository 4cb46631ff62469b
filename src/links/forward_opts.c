/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"
#include "base/near.h"
#include "links/forward.h"
#include "links/links.h"
#include "net/ifaces.h"
#include "text/resolvconf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	DNS_PORT = 53,
	HOUR_MS = 60 * 60 * 1000
};

enum {
	OPTION_TO,
	OPTION_RESOLV_CONF,
	OPTION_POLICY,
	OPTION_TIMEOUT,
	OPTION_RISE,
	OPTION_FALL,
	OPTION_PROBE,
};

const struct link_option forward_options[FORWARD_OPTIONS] = {
	[OPTION_TO] = { .key = "to",
		.kind = LINK_OPTION_TEXTS,
		.max = FORWARD_SERVERS,
		.help = "Addresses of other resolvers, with @port where it is not 53; network: "
			"those this host was told of. None: the link is off." },
	[OPTION_RESOLV_CONF] = { .key = "resolv-conf",
		.kind = LINK_OPTION_TEXT,
		.fallback = "/etc/resolv.conf",
		.help = "The file that tells this host's resolvers, for network." },
	[OPTION_POLICY] = { .key = "policy",
		.kind = LINK_OPTION_TEXT,
		.fallback = "order",
		.help = "Who is asked first: order, the first of the list that is well; "
			"fastest, the one that answers soonest." },
	[OPTION_TIMEOUT] = { .key = "timeout",
		.kind = LINK_OPTION_DURATION,
		.fallback = "1500ms",
		.min = 100,
		.max = 30000,
		.help = "How long a reply is waited for; others are asked before that." },
	[OPTION_RISE] = { .key = "rise",
		.kind = LINK_OPTION_NUMBER,
		.fallback = "2",
		.min = 1,
		.max = 100,
		.help = "Replies in a row that make a resolver well again." },
	[OPTION_FALL] = { .key = "fall",
		.kind = LINK_OPTION_NUMBER,
		.fallback = "3",
		.min = 1,
		.max = 100,
		.help = "Failures in a row after which a resolver is not asked by clients." },
	[OPTION_PROBE] = { .key = "probe",
		.kind = LINK_OPTION_DURATION,
		.fallback = "5s",
		.min = 500,
		.max = HOUR_MS,
		.help = "How often one that failed is tried, after a first minute in which it "
			"is tried twice a second." },
};

/* ---- servers --------------------------------------------------------------------------- */

/* False: no place is left. */
static bool put_server(struct forward *f, const struct addr *addr)
{
	for (size_t i = 0; i < f->n; i++)
		if (addr_is_equal(&f->to[i], addr))
			return true;
	if (f->n == FORWARD_SERVERS)
		return false;
	f->to[f->n++] = *addr;
	return true;
}

/* The address is this host's: whoever answers there may be asking us. */
static bool is_own(const struct addr *addr, const struct iface_prefix *ifaces, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct endpoint own = addr_endpoint(&ifaces[i].addr), at = addr_endpoint(addr);
		if (memcmp(own.address, at.address, sizeof own.address) == 0)
			return true;
	}
	return addr_is_loopback(addr) || addr_is_wildcard(addr);
}

/* False: the file has no server but this host. */
static bool read_network(
	struct forward *f, const struct link_given *given, const char *path, bool is_first)
{
	struct resolvconf conf;
	struct iface_prefix *ifaces = mem_array(IFACES_MAX, sizeof *ifaces);
	size_t ifaces_n = ifaces_list(ifaces, IFACES_MAX), n = 0;
	struct err err;
	given->watch(given->teller, path);
	int rc = resolvconf_read(&conf, path, &err);
	if (rc < 0 && (is_first || rc != -ENOENT))
		given->warn(given->teller, "to: network: %s", err.text);
	for (size_t i = 0; i < conf.n; i++) {
		struct endpoint at = { .port = DNS_PORT };
		struct addr addr;
		memcpy(at.address, conf.server[i].address, sizeof at.address);
		addr_from_endpoint(&addr, &at);
		if (addr.any.sa_family == AF_INET6)
			addr.v6.sin6_scope_id = conf.server[i].scope;
		if (is_own(&addr, ifaces, ifaces_n))
			continue;
		n++;
		if (!put_server(f, &addr))
			given->warn(given->teller, "to: network: over %d resolvers",
				FORWARD_SERVERS);
	}
	mem_free(ifaces);
	return n > 0;
}

void forward_find_network(
	struct forward *f, const struct link_given *given, const char *path, const char *other)
{
	if (read_network(f, given, path, true))
		return;
	(void)read_network(f, given, other, false);
}

/* ---- options --------------------------------------------------------------------------- */

struct reading {
	const struct link_given *given;
	char *error;
	size_t error_size;
};

/* The sentence stands at the place of value i. Returns false. */
static PRINTF(4, 5) bool refuse(
	const struct reading *r, const struct link_value *value, size_t i, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (i < value->n && value->places)
		(void)snprintf(r->error, r->error_size, "%s: %s", value->places[i], text);
	else
		(void)snprintf(r->error, r->error_size, "%s", text);
	return false;
}

static bool is_multicast(const struct addr *addr)
{
	size_t n;
	const uint8_t *p = addr_bytes(addr, &n);
	return n == 4 ? p[0] >= 224 : p[0] == 0xff;
}

static bool read_server(const struct reading *r, struct forward *f, size_t i)
{
	const struct link_value *to = &r->given->values[OPTION_TO];
	const char *text = to->texts[i];
	struct addr addr;
	struct err err;
	if (strncmp(text, "tls://", 6) == 0)
		return refuse(r, to, i, "to: %.80s: tls:// is not in this version", text);
	if (addr_parse(&addr, text, DNS_PORT, &err) < 0)
		return refuse(r, to, i, "to: %s", err.text);
	if (addr_is_wildcard(&addr) || is_multicast(&addr) || !addr_port(&addr))
		return refuse(r, to, i, "to: %.80s: no resolver can be there", text);
	if (!put_server(f, &addr))
		return refuse(r, to, i, "to: over %d resolvers", FORWARD_SERVERS);
	return true;
}

static bool read_servers(const struct reading *r, struct forward *f)
{
	static const char resolved[] = "/run/systemd/resolve/resolv.conf";
	const struct link_value *to = &r->given->values[OPTION_TO];
	const struct link_value *conf = &r->given->values[OPTION_RESOLV_CONF];
	const char *path = conf->n ? conf->texts[0] : "";
	for (size_t i = 0; i < to->n; i++) {
		if (strcmp(to->texts[i], "network") != 0) {
			if (!read_server(r, f, i))
				return false;
			continue;
		}
		if (*path != '/')
			return refuse(r, conf, 0,
				"resolv-conf: a path from the root is expected: /...");
		forward_find_network(f, r->given, path, resolved);
	}
	if (f->n)
		return true;
	(void)snprintf(f->off, sizeof f->off, "%s",
		to->n ? "this host was told of no resolver but itself"
		      : "to: names no resolver");
	return true;
}

static bool read_policy(const struct reading *r, struct forward *f)
{
	static const char *const words[] = { "order", "fastest" };
	const struct link_value *policy = &r->given->values[OPTION_POLICY];
	const char *word = policy->n ? policy->texts[0] : words[0];
	f->is_fastest = strcmp(word, "fastest") == 0;
	if (f->is_fastest || strcmp(word, "order") == 0)
		return true;
	const char *near = near_find(word, words, array_len(words));
	return refuse(r, policy, 0, "policy: '%.40s' is neither order nor fastest%s%s%s", word,
		near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

void *forward_prepare(const struct link_given *given, char *error, size_t error_size)
{
	const struct reading r = { given, error, error_size };
	struct forward *f = mem_new(sizeof *f);
	f->zones_n = given->zones_n;
	f->zones = given->zones;
	f->timeout_ms = (uint32_t)given->values[OPTION_TIMEOUT].number;
	f->rise = (uint32_t)given->values[OPTION_RISE].number;
	f->fall = (uint32_t)given->values[OPTION_FALL].number;
	f->probe_ms = (uint32_t)given->values[OPTION_PROBE].number;
	if (read_policy(&r, f) && read_servers(&r, f))
		return f;
	mem_free(f);
	return NULL;
}

const char *link_forward_off(const void *data)
{
	const struct forward *f = data;
	return *f->off ? f->off : NULL;
}
