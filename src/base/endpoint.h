/* SPDX-License-Identifier: BSD-2-Clause */
/* endpoint.h -- an address and a port as bytes: a key, not a socket's affair */
#pragma once

#include "base/def.h"

struct endpoint { /* open; all zero: none */
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint16_t port;       /* host order */
};
