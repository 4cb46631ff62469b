/* SPDX-License-Identifier: BSD-2-Clause */
/* inside.h -- what a world holds; for serve/ only */
#pragma once

#include "answer/answer.h"
#include "crypto/tls.h"
#include "serve/world.h"
#include "zone/table.h"

struct world {
	struct serve_opts texts; /* what answer points into */
	struct answer_opts answer;
	struct zone_table *table;
	struct zone **zones;
	size_t n;
	struct serve_way *way; /* NULL: none */
	struct tls_side *side; /* NULL: none */
};
