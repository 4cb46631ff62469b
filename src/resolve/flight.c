/* SPDX-License-Identifier: BSD-2-Clause */
/* Many who want to know the same at the same time send one question: the more copies of it are
 * out, the easier one is to be answered by somebody else (hazard A3). Who waits, waits for one
 * that has a question under way, never for one that waits itself, so there are no circles. */
#include "base/clock.h"
#include "resolve/iter.h"
#include "wire/key.h"

static struct list *bucket_of(const struct iter *it)
{
	uint64_t hash = key_hash(it->asked) + it->asked_type;
	return &it->resolution->resolver->flights[hash % FLIGHTS];
}

static struct iter *find(const struct iter *it)
{
	const struct list *head = bucket_of(it);
	for (struct list *at = head->next; at != head; at = at->next) {
		struct iter *other = container_of(at, struct iter, flight);
		if (other != it && other->asked_type == it->asked_type &&
			name_is_equal(other->asked, it->asked) &&
			name_is_equal(other->cut.zone, it->cut.zone))
			return other;
	}
	return NULL;
}

bool flight_join(struct iter *it)
{
	if (it->is_fresh || it->child || !list_is_empty(&it->flight) || send_is_waiting(it) ||
		(it->joined_for == it->asked && it->joined_type == it->asked_type))
		return false;
	struct iter *other = find(it);
	if (!other)
		return false;
	it->joined_for = it->asked;
	it->joined_type = it->asked_type;
	list_put(&other->joined, &it->join);
	return true;
}

void flight_begin(struct iter *it)
{
	if (list_is_empty(&it->flight))
		list_put(bucket_of(it), &it->flight);
}

void flight_end(struct iter *it)
{
	struct resolver *resolver = it->resolution->resolver;
	list_drop(&it->flight);
	if (list_is_empty(&it->joined))
		return;
	while (!list_is_empty(&it->joined)) {
		struct list *join = it->joined.next;
		list_drop(join);
		list_put(&resolver->woken, join);
	}
	loop_timer_start(resolver->wake_timer, 0, 0);
}

void flight_wake(struct resolver *resolver)
{
	uint64_t now_ms = clock_mono_ms();
	while (!list_is_empty(&resolver->woken)) {
		struct iter *it = container_of(resolver->woken.next, struct iter, join);
		list_drop(&it->join);
		it->resolution->now_ms = now_ms;
		iter_wake(it, STEP_LOOK);
		iter_turn(it->resolution);
	}
}
