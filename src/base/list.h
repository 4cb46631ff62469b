/* SPDX-License-Identifier: BSD-2-Clause */
/* list.h -- intrusive doubly linked list: a head and its items are one type */
#pragma once

#include "base/def.h"

struct list {
	struct list *prev, *next;
};

static inline void list_init(struct list *head)
{
	head->prev = head->next = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

/* Puts item last. */
static inline void list_put(struct list *head, struct list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

/* Takes item out of its list; it may be taken out again without harm. */
static inline void list_drop(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}
