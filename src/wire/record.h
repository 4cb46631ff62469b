/* SPDX-License-Identifier: BSD-2-Clause */
/* record.h -- one resource record as a view into somebody's memory */
#pragma once

#include "base/def.h"

struct record {               /* open: it is a view */
	const uint8_t *owner; /* valid uncompressed name, case as written */
	uint16_t type, class;
	uint32_t ttl; /* seconds */
	uint16_t rdata_len;
	const uint8_t *rdata; /* uncompressed, checked by rdata_check() */
};
