/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	ARENA_CHUNK = 64 * 1024,
	HUGE_FROM = 4 * 1024 * 1024
};

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	uint64_t data[];
};

static _Noreturn void no_memory(size_t n)
{
	fprintf(stderr, "rootward: out of memory: %zu bytes refused\n", n);
	exit(1);
}

void *mem_new(size_t n)
{
	void *p = calloc(1, n ? n : 1);
	if (!p)
		no_memory(n);
	return p;
}

void *mem_array(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);
	if (!p)
		no_memory(count);
	return p;
}

void *mem_grow(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);
	if (!q)
		no_memory(n);
	return q;
}

void *mem_try(size_t n)
{
	return malloc(n ? n : 1);
}

void *mem_try_grow(void *p, size_t n)
{
	return realloc(p, n ? n : 1);
}

void *mem_copy(const void *p, size_t n)
{
	void *q = mem_new(n);
	if (n)
		memcpy(q, p, n);
	return q;
}

char *mem_text(const char *s, size_t n)
{
	char *t = mem_new(n + 1);
	if (n)
		memcpy(t, s, n);
	return t;
}

void mem_free(void *p)
{
	free(p);
}

void *arena_new(struct arena *a, size_t n)
{
	n = (n + 7) & ~(size_t)7;
	struct arena_chunk *c = a->chunks;
	if (!c || c->size - c->used < n) {
		size_t size = n > ARENA_CHUNK / 4 ? n : ARENA_CHUNK;
		c = mem_new(sizeof *c + size);
		c->size = size;
		a->taken += sizeof *c + size;
		/* A large piece gets a chunk of its own behind the one being filled. */
		if (a->chunks && size != ARENA_CHUNK) {
			c->next = a->chunks->next;
			a->chunks->next = c;
		} else {
			c->next = a->chunks;
			a->chunks = c;
		}
	}
	void *p = (char *)c->data + c->used;
	c->used += n;
	a->used += n;
	return p;
}

char *arena_text(struct arena *a, const char *s, size_t n)
{
	char *t = arena_new(a, n + 1);
	if (n)
		memcpy(t, s, n);
	return t;
}

void arena_fini(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *c = a->chunks;
		a->chunks = c->next;
		free(c);
	}
	*a = (struct arena){ 0 };
}

void *map_new(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (n >= HUGE_FROM)
		(void)madvise(p, n, MADV_HUGEPAGE);
	return p;
}

void *map_resize(void *p, size_t old_n, size_t new_n)
{
	void *q = mremap(p, old_n, new_n, MREMAP_MAYMOVE);
	return q == MAP_FAILED ? NULL : q;
}

void map_free(void *p, size_t n)
{
	if (p)
		(void)munmap(p, n);
}
