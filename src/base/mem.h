/* SPDX-License-Identifier: BSD-2-Clause */
/* mem.h -- the only door to the heap
 *
 * What     mem_new and friends (zeroed; end the process with one sentence when
 *          there is no memory: for start-up and the control plane), mem_try (may
 *          return NULL: for what a peer can make us want), arenas (freed as a
 *          whole), maps (large regions of their own, on huge pages).
 * Threads  All are thread-safe except one arena, which has one user at a time.
 * Memory   The data plane calls none of these on its hit paths.
 */
#pragma once

#include "base/def.h"

void *mem_new(size_t n) CHECKED;                    /* zeroed, never NULL */
void *mem_array(size_t count, size_t size) CHECKED; /* the same; overflow is checked */
void *mem_grow(void *p, size_t n) CHECKED;          /* realloc that never returns NULL */
void *mem_try(size_t n) CHECKED;                    /* NOT zeroed, NULL when there is none */
void *mem_try_grow(void *p, size_t n) CHECKED;      /* p stays valid when this is NULL */
char *mem_text(const char *s, size_t n) CHECKED;    /* copy of n bytes, terminated */
void *mem_copy(const void *p, size_t n) CHECKED;
void mem_free(void *p);

/* Many small things that die together. Zero-initialise one to start. */
struct arena {
	struct arena_chunk *chunks;
	size_t used;  /* bytes handed out */
	size_t taken; /* bytes held from the heap */
};
void *arena_new(struct arena *a, size_t n) CHECKED; /* zeroed, 8-aligned, never NULL */
char *arena_text(struct arena *a, const char *s, size_t n) CHECKED;
void arena_fini(struct arena *a);

/* A region of its own from the kernel: n bytes, zeroed, page-aligned; huge pages are asked for
 * when it is large. NULL when refused. map_resize may move it. */
void *map_new(size_t n) CHECKED;
void *map_resize(void *p, size_t old_n, size_t new_n) CHECKED;
void map_free(void *p, size_t n);
