/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int read_port(uint16_t *out, const char *port, const char *text, struct err *err)
{
	size_t n = strlen(port);
	if (n == 0)
		return err_set(err, -EINVAL, "%s: the port is missing", text);
	if (strspn(port, "0123456789") != n)
		return err_set(err, -EINVAL, "%s: port %s is not a number", text, port);
	uint32_t value = 0;
	for (size_t i = 0; i < n && value <= UINT16_MAX; i++)
		value = value * 10 + (uint32_t)(port[i] - '0');
	if (value > UINT16_MAX)
		return err_set(err, -EINVAL, "%s: port %s is over 65535", text, port);
	*out = (uint16_t)value;
	return 0;
}

/* Cuts host (a copy of text) at its port; *port stays NULL when there is none. */
static int cut_port(char **host, char **port, const char *text, struct err *err)
{
	char *h = *host;
	char *at = strrchr(h, '@');
	if (*h == '[') {
		char *end = strchr(h, ']');
		if (!end)
			return err_set(err, -EINVAL, "%s: ] is missing", text);
		if (end[1] != '\0' && end[1] != ':' && end[1] != '@')
			return err_set(err, -EINVAL, "%s: after ] only :port may follow", text);
		*port = end[1] ? end + 2 : NULL;
		*end = '\0';
		*host = h + 1;
		return 0;
	}
	if (!at) {
		/* One colon is an IPv4 address and its port, more are an IPv6 address. */
		char *colon = strchr(h, ':');
		at = colon && !strchr(colon + 1, ':') ? colon : NULL;
	}
	if (at) {
		*at = '\0';
		*port = at + 1;
	}
	return 0;
}

static int read_scope(struct addr *a, const char *scope, const char *text, struct err *err)
{
	a->v6.sin6_scope_id = if_nametoindex(scope);
	if (!a->v6.sin6_scope_id)
		return err_set(err, -ENODEV, "%s: this host has no interface %s", text, scope);
	return 0;
}

static int read_host(struct addr *a, char *host, const char *text, struct err *err)
{
	if (*host == '\0')
		return err_set(err, -EINVAL, "%s: the address is missing", text);
	if (inet_pton(AF_INET, host, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		return 0;
	}
	char *scope = strchr(host, '%');
	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, host, &a->v6.sin6_addr) == 1) {
		a->v6.sin6_family = AF_INET6;
		return scope ? read_scope(a, scope, text, err) : 0;
	}
	return err_set(err, -EINVAL,
		"%s: %s is neither an IPv4 nor an IPv6 address (names are not looked up)", text,
		host);
}

int addr_parse(struct addr *out, const char *text, uint16_t default_port, struct err *err)
{
	char copy[ADDR_TEXT_MAX];
	size_t n = strlen(text);
	if (n == 0)
		return err_set(err, -EINVAL, "an address is missing");
	if (n >= sizeof copy)
		return err_set(err, -EINVAL, "%.40s...: too long for an address", text);
	memcpy(copy, text, n + 1);
	char *host = copy, *port = NULL;
	int e = cut_port(&host, &port, text, err);
	if (e)
		return e;
	struct addr a;
	memset(&a, 0, sizeof a);
	uint16_t number = default_port;
	e = read_host(&a, host, text, err);
	if (!e && port)
		e = read_port(&number, port, text, err);
	if (e)
		return e;
	if (a.any.sa_family == AF_INET)
		a.v4.sin_port = htons(number);
	else
		a.v6.sin6_port = htons(number);
	*out = a;
	return 0;
}

const char *addr_print(char *out, const struct addr *addr)
{
	char host[INET6_ADDRSTRLEN] = "?", scope[IF_NAMESIZE + 1] = "";
	if (addr->any.sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &addr->v4.sin_addr, host, sizeof host);
	} else if (addr->any.sa_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &addr->v6.sin6_addr, host, sizeof host);
		if (addr->v6.sin6_scope_id) {
			scope[0] = '%';
			if (!if_indextoname(addr->v6.sin6_scope_id, scope + 1))
				scope[0] = '\0';
		}
	}
	(void)snprintf(out, ADDR_TEXT_MAX, "%s%s@%u", host, scope, addr_port(addr));
	return out;
}

int addr_local(struct addr *out, int fd)
{
	struct addr a;
	memset(&a, 0, sizeof a);
	socklen_t n = sizeof a;
	if (getsockname(fd, &a.any, &n))
		return -errno;
	if (a.any.sa_family != AF_INET && a.any.sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	*out = a;
	return 0;
}

socklen_t addr_len(const struct addr *addr)
{
	return addr->any.sa_family == AF_INET6 ? sizeof addr->v6 : sizeof addr->v4;
}

uint16_t addr_port(const struct addr *addr)
{
	return ntohs(addr->any.sa_family == AF_INET6 ? addr->v6.sin6_port : addr->v4.sin_port);
}

bool addr_is_equal(const struct addr *a, const struct addr *b)
{
	if (a->any.sa_family != b->any.sa_family || addr_port(a) != addr_port(b))
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0 &&
	       a->v6.sin6_scope_id == b->v6.sin6_scope_id;
}

const uint8_t *addr_bytes(const struct addr *addr, size_t *n)
{
	if (addr->any.sa_family == AF_INET6) {
		const uint8_t *p = addr->v6.sin6_addr.s6_addr;
		bool is_mapped = IN6_IS_ADDR_V4MAPPED(&addr->v6.sin6_addr);
		*n = is_mapped ? 4 : 16;
		return is_mapped ? p + 12 : p;
	}
	*n = 4;
	return (const uint8_t *)&addr->v4.sin_addr;
}

bool addr_is_loopback(const struct addr *addr)
{
	size_t n;
	const uint8_t *bytes = addr_bytes(addr, &n);
	return n == 4 ? bytes[0] == 127 : IN6_IS_ADDR_LOOPBACK(&addr->v6.sin6_addr);
}

bool addr_is_wildcard(const struct addr *addr)
{
	if (addr->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&addr->v6.sin6_addr);
	return addr->v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

struct endpoint addr_endpoint(const struct addr *addr)
{
	struct endpoint e = { .port = addr_port(addr) };
	size_t n;
	const uint8_t *p = addr_bytes(addr, &n);
	if (n == 4)
		memcpy(e.address, mapped, sizeof mapped);
	memcpy(e.address + 16 - n, p, n);
	return e;
}

void addr_from_endpoint(struct addr *out, const struct endpoint *e)
{
	memset(out, 0, sizeof *out);
	if (memcmp(e->address, mapped, sizeof mapped) == 0) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(e->port);
		memcpy(&out->v4.sin_addr, e->address + 12, 4);
		return;
	}
	out->v6.sin6_family = AF_INET6;
	out->v6.sin6_port = htons(e->port);
	memcpy(&out->v6.sin6_addr, e->address, 16);
}
