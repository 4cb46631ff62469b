/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/hold.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

enum {
	SMALL = 512,
	PAGE = 4096
};

/* Of the allocation for n bytes: little for half a query, then pages and a quarter. */
static size_t space_for(size_t n)
{
	n += sizeof(struct hold);
	if (n <= SMALL)
		return SMALL;
	if (n <= PAGE)
		return (n + SMALL - 1) / SMALL * SMALL;
	return (n + n / 4 + PAGE - 1) / PAGE * PAGE;
}

static size_t space_of(const struct hold *hold)
{
	return hold ? sizeof *hold + hold->size : 0;
}

static struct list *class_of(struct holds *holds, const struct hold *hold)
{
	unsigned class = 31 - (unsigned)__builtin_clz((uint32_t)space_of(hold));
	return &holds->classes[class < HOLD_CLASSES ? class : HOLD_CLASSES - 1];
}

void holds_init(struct holds *holds, uint64_t limit)
{
	for (size_t i = 0; i < HOLD_CLASSES; i++)
		list_init(&holds->classes[i]);
	holds->bytes = 0;
	holds->limit = limit;
}

void *holds_largest(const struct holds *holds)
{
	for (size_t i = HOLD_CLASSES; i-- > 0;) {
		const struct list *class = &holds->classes[i];
		if (!list_is_empty(class))
			return container_of(class->next, struct hold, by_size)->owner;
	}
	return NULL;
}

static int grow(struct holds *holds, struct hold **hold, void *owner, size_t need)
{
	struct hold *h = *hold;
	size_t was = space_of(h), space = space_for(need);
	if (holds->bytes - was + space > holds->limit)
		return -ENOBUFS;
	if (h)
		list_drop(&h->by_size);
	struct hold *bigger = mem_try_grow(h, space);
	if (!bigger) {
		if (h)
			list_put(class_of(holds, h), &h->by_size);
		return -ENOMEM;
	}
	if (!h) {
		bigger->owner = owner;
		bigger->at = bigger->end = 0;
	}
	bigger->size = (uint32_t)(space - sizeof *bigger);
	list_init(&bigger->by_size);
	list_put(class_of(holds, bigger), &bigger->by_size);
	holds->bytes += space - was;
	*hold = bigger;
	return 0;
}

int hold_put(struct holds *holds, struct hold **hold, void *owner, const void *p, size_t n)
{
	if (n == 0)
		return 0;
	struct hold *h = *hold;
	if (!h || h->size - h->end < n) {
		size_t len = hold_len(h);
		if (h && h->at) {
			memmove(h->bytes, h->bytes + h->at, len);
			h->at = 0;
			h->end = (uint32_t)len;
		}
		if (!h || h->size - len < n) {
			int e = grow(holds, hold, owner, len + n);
			if (e)
				return e;
		}
		h = *hold;
	}
	memcpy(h->bytes + h->end, p, n);
	h->end += (uint32_t)n;
	return 0;
}

void hold_skip(struct holds *holds, struct hold **hold, size_t n)
{
	must(n <= hold_len(*hold));
	if (n == 0)
		return;
	(*hold)->at += (uint32_t)n;
	if ((*hold)->at == (*hold)->end)
		hold_free(holds, hold);
}

void hold_free(struct holds *holds, struct hold **hold)
{
	struct hold *h = *hold;
	if (!h)
		return;
	*hold = NULL;
	list_drop(&h->by_size);
	holds->bytes -= space_of(h);
	mem_free(h);
}
