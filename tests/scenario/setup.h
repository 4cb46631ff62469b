/* SPDX-License-Identifier: BSD-2-Clause */
/* setup.h -- the CONFIG part of a scenario as options of the resolver */
#pragma once

#include "scenario/rpl.h"
#include "scenario/subject.h"

/* 0; -EINVAL with the line. What has no meaning here (anchors, sizes, logs) is passed over.
 * wall_s gets the date. */
int setup_read(struct subject_opts *opts, uint64_t *wall_s, const struct rpl *rpl,
	struct err *err) CHECKED;
