/* SPDX-License-Identifier: BSD-2-Clause */
/* A loop of timers alone; descriptors and signals are never ready, threads cannot be had. */
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "scenario/fake.h"

struct loop {
	struct list timers; /* those that are set, in the order they were set */
	struct list jobs;
	size_t handles;
	void (*on_wake)(void *user);
	void *on_wake_user;
	bool is_awake, is_stopped;
};

struct loop_timer {
	struct list list;
	struct loop *loop;
	void (*on_time)(void *user);
	void *user;
	uint64_t due_ms, repeat_ms;
};

struct loop_poll {
	struct loop *loop;
};

struct job {
	struct list list;
	void (*work)(void *user);
	void (*done)(void *user);
	void *user;
};

struct loop *loop_new(void)
{
	struct loop *loop = mem_new(sizeof *loop);
	list_init(&loop->timers);
	list_init(&loop->jobs);
	return loop;
}

static bool run_job(struct loop *loop)
{
	if (list_is_empty(&loop->jobs))
		return false;
	struct job *job = container_of(loop->jobs.next, struct job, list);
	list_drop(&job->list);
	job->work(job->user);
	job->done(job->user);
	mem_free(job);
	return true;
}

void loop_free(struct loop **held)
{
	struct loop *loop = *held;
	*held = NULL;
	if (!loop)
		return;
	while (run_job(loop))
		;
	/* The real one closes what is open; a test is to free what it made. */
	must(loop->handles == 0);
	mem_free(loop);
}

uint64_t loop_now_ms(const struct loop *loop)
{
	(void)loop;
	return clock_mono_ms();
}

/* ---- time ---- */

static struct loop_timer *next_timer(const struct loop *loop)
{
	struct loop_timer *next = NULL;
	for (struct list *at = loop->timers.next; at != &loop->timers; at = at->next) {
		struct loop_timer *timer = container_of(at, struct loop_timer, list);
		if (!next || timer->due_ms < next->due_ms)
			next = timer;
	}
	return next;
}

uint64_t fake_due_ms(const struct loop *loop)
{
	const struct loop_timer *next = next_timer(loop);
	return next ? next->due_ms : UINT64_MAX;
}

bool fake_step(struct loop *loop, uint64_t until_ms)
{
	if (loop->is_awake) {
		loop->is_awake = false;
		if (loop->on_wake)
			loop->on_wake(loop->on_wake_user);
		return true;
	}
	if (run_job(loop))
		return true;
	struct loop_timer *next = next_timer(loop);
	if (!next || next->due_ms > until_ms)
		return false;
	if (next->due_ms > clock_mono_ms())
		fake_clock_set_us(next->due_ms * 1000);
	list_drop(&next->list);
	if (next->repeat_ms)
		loop_timer_start(next, next->repeat_ms, next->repeat_ms);
	next->on_time(next->user);
	return true;
}

bool fake_pass(struct loop *loop, uint64_t ms, uint32_t events)
{
	uint64_t end_us = clock_mono_us() + ms * 1000;
	while (fake_step(loop, end_us / 1000))
		if (events-- == 0)
			return false;
	fake_clock_set_us(end_us);
	return true;
}

void loop_run(struct loop *loop)
{
	loop->is_stopped = false;
	while (!loop->is_stopped && fake_step(loop, UINT64_MAX))
		;
}

void loop_stop(struct loop *loop)
{
	loop->is_stopped = true;
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*on_time)(void *user), void *user)
{
	struct loop_timer *timer = mem_new(sizeof *timer);
	list_init(&timer->list);
	timer->loop = loop;
	timer->on_time = on_time;
	timer->user = user;
	loop->handles++;
	return timer;
}

void loop_timer_start(struct loop_timer *timer, uint64_t after_ms, uint64_t repeat_ms)
{
	list_drop(&timer->list);
	timer->due_ms = clock_mono_ms() + after_ms;
	timer->repeat_ms = repeat_ms;
	list_put(&timer->loop->timers, &timer->list);
}

void loop_timer_stop(struct loop_timer *timer)
{
	list_drop(&timer->list);
}

void loop_timer_free(struct loop_timer **held)
{
	struct loop_timer *timer = *held;
	*held = NULL;
	if (!timer)
		return;
	list_drop(&timer->list);
	timer->loop->handles--;
	mem_free(timer);
}

/* ---- wake-ups and work ---- */

void loop_on_wake(struct loop *loop, void (*on_wake)(void *user), void *user)
{
	loop->on_wake = on_wake;
	loop->on_wake_user = user;
}

void loop_wake(struct loop *loop)
{
	loop->is_awake = true;
}

void loop_work(
	struct loop *loop, void (*work)(void *user), void (*done)(void *user), void *user)
{
	struct job *job = mem_new(sizeof *job);
	job->work = work;
	job->done = done;
	job->user = user;
	list_put(&loop->jobs, &job->list);
}

/* ---- what there is none of ---- */

struct loop_poll *loop_poll_new(struct loop *loop, int fd, int events,
	void (*on_ready)(void *user, int events), void *user)
{
	(void)fd, (void)events, (void)on_ready, (void)user;
	struct loop_poll *poll = mem_new(sizeof *poll);
	poll->loop = loop;
	loop->handles++;
	return poll;
}

void loop_poll_set(struct loop_poll *poll, int events)
{
	(void)poll, (void)events;
}

void loop_poll_free(struct loop_poll **held)
{
	struct loop_poll *poll = *held;
	*held = NULL;
	if (!poll)
		return;
	poll->loop->handles--;
	mem_free(poll);
}

void loop_on_signal(
	struct loop *loop, int signal, void (*on_signal)(void *user, int signal), void *user)
{
	(void)loop, (void)signal, (void)on_signal, (void)user;
}

struct loop_thread *loop_thread_start(void (*fn)(void *user), void *user)
{
	(void)fn, (void)user;
	return NULL;
}

void loop_thread_join(struct loop_thread **thread)
{
	*thread = NULL;
}
