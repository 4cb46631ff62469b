/* SPDX-License-Identifier: BSD-2-Clause */
/* addr.h -- socket addresses, IPv4 and IPv6
 *
 * What     Text forms: 127.0.0.1@53, ::1@53, [::1]:53, 127.0.0.1:53; without a port
 *          the default.
 */
#pragma once

#include "base/def.h"
#include "base/endpoint.h"
#include "base/err.h"

#include <netinet/in.h>

struct addr { /* open: the hot path hands it to the kernel */
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

enum {
	ADDR_TEXT_MAX = 72
};

int addr_parse(
	struct addr *out, const char *text, uint16_t default_port, struct err *err) CHECKED;
/* "address@port" into out (ADDR_TEXT_MAX bytes); returns out. */
const char *addr_print(char *out, const struct addr *addr);
/* The address a socket is bound to: tells the port where 0 was asked for. */
int addr_local(struct addr *out, int fd) CHECKED;
socklen_t addr_len(const struct addr *addr) PURE;
uint16_t addr_port(const struct addr *addr) PURE;
bool addr_is_equal(const struct addr *a, const struct addr *b) PURE;
/* The bytes of the address without the port: *n is 4 or 16 (an IPv4-mapped IPv6 address: 4). */
const uint8_t *addr_bytes(const struct addr *addr, size_t *n);
bool addr_is_wildcard(const struct addr *addr) PURE;
/* 127.0.0.0/8 or ::1, mapped or not. */
bool addr_is_loopback(const struct addr *addr) PURE;
/* The same as bytes, and back. */
struct endpoint addr_endpoint(const struct addr *addr);
void addr_from_endpoint(struct addr *out, const struct endpoint *endpoint);
