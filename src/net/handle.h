/* SPDX-License-Identifier: BSD-2-Clause */
/* handle.h -- the inside of a loop, for net/ only
 *
 * What     Lets the files of this folder put libuv handles into their own structs,
 *          where one allocation and one indirection less count.
 */
#pragma once

#include "base/def.h"
#include "net/loop.h"

#include <uv.h>

struct loop {
	uv_loop_t uv;
	uv_async_t async;
	void (*on_wake)(void *user);
	void *wake_user;
	size_t works;   /* handed to the pool, done not called yet */
	bool is_ending; /* in loop_free(): nothing but the end of work is told */
};
