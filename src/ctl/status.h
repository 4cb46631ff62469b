/* SPDX-License-Identifier: BSD-2-Clause */
/* status.h -- what the daemon tells about itself */
#pragma once

#include <jansson.h>

struct daemon;
json_t *status_report(const struct daemon *daemon);
