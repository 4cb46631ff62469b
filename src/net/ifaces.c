/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/ifaces.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

struct space {
	uint8_t bits;
	uint8_t first[2];
	bool is_ipv4;
};

static const struct space spaces[] = {
	{ 8, { 10 }, true },           /* RFC 1918 */
	{ 12, { 172, 16 }, true },     /* RFC 1918 */
	{ 16, { 192, 168 }, true },    /* RFC 1918 */
	{ 10, { 100, 64 }, true },     /* RFC 6598 */
	{ 16, { 169, 254 }, true },    /* RFC 3927 */
	{ 7, { 0xfc }, false },        /* RFC 4193 */
	{ 10, { 0xfe, 0x80 }, false }, /* link-local */
};

static bool is_private(const struct endpoint *e, bool is_ipv4)
{
	for (size_t i = 0; i < array_len(spaces); i++)
		if (spaces[i].is_ipv4 == is_ipv4 &&
			address_has_prefix(e->address + (is_ipv4 ? 12 : 0), spaces[i].first,
				spaces[i].bits))
			return true;
	return false;
}

static uint8_t mask_bits(const struct sockaddr *mask)
{
	const uint8_t *bytes;
	size_t n;
	unsigned bits = 0;
	if (!mask)
		return 128;
	if (mask->sa_family == AF_INET) {
		bytes = (const uint8_t *)&((const struct sockaddr_in *)(const void *)mask)
				->sin_addr;
		n = 4;
	} else {
		bytes = (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)mask)
				->sin6_addr;
		n = 16;
	}
	while (bits < 8 * n && bytes[bits / 8] & (0x80 >> bits % 8))
		bits++;
	return (uint8_t)(bits + 128 - 8 * n);
}

static bool fill(struct iface_prefix *out, const struct ifaddrs *at)
{
	if (!at->ifa_addr || !(at->ifa_flags & IFF_UP))
		return false;
	memset(out, 0, sizeof *out);
	int family = at->ifa_addr->sa_family;
	if (family == AF_INET)
		memcpy(&out->addr.v4, at->ifa_addr, sizeof out->addr.v4);
	else if (family == AF_INET6)
		memcpy(&out->addr.v6, at->ifa_addr, sizeof out->addr.v6);
	else
		return false;
	out->prefix = addr_endpoint(&out->addr);
	out->bits = mask_bits(at->ifa_netmask);
	for (size_t i = out->bits; i < 128; i++)
		out->prefix.address[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	out->is_loopback = (at->ifa_flags & IFF_LOOPBACK) != 0;
	out->is_private = !out->is_loopback && is_private(&out->prefix, family == AF_INET);
	return true;
}

size_t ifaces_list(struct iface_prefix *out, size_t size)
{
	struct ifaddrs *list;
	size_t n = 0;
	if (getifaddrs(&list) < 0)
		return 0;
	for (const struct ifaddrs *at = list; at && n < size; at = at->ifa_next)
		n += fill(&out[n], at);
	freeifaddrs(list);
	return n;
}
