/* SPDX-License-Identifier: BSD-2-Clause */
/* def.h -- the words every file uses
 *
 * What     must() for our own bugs (never for data), sizes, attributes.
 *          The function-like macros of the tree live here and only here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends the process with file and line: for what only a bug of ours can cause. */
#define must(cond)                                                                             \
	(__builtin_expect(!!(cond), 1) ? (void)0 : must_fail(#cond, __FILE__, __LINE__))

#define array_len(a)                  (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))
#define likely(c)                     __builtin_expect(!!(c), 1)
#define unlikely(c)                   __builtin_expect(!!(c), 0)

#define CHECKED      __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
/* A large buffer on the stack of which only what was written is read: not cleared. */
#define UNCLEARED __attribute__((uninitialized))
#define PURE         __attribute__((pure))

_Noreturn void must_fail(const char *cond, const char *file, int line);
