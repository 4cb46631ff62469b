/* SPDX-License-Identifier: BSD-2-Clause */
/* show.h -- replies about the chain and the cache, for a reader */
#pragma once

#include <jansson.h>

void show_explain(const json_t *reply);
void show_why(const json_t *reply);
void show_kept(const json_t *reply);
