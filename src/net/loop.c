/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/loop.h"

#include "base/mem.h"
#include "net/handle.h"

#include <sys/resource.h>
#include <unistd.h>

enum {
	POOL_NICE = 19
};

/* In each of these the libuv handle comes first, so that a handle's address is that of the
 * allocation (see free_handle()). */
struct loop_poll {
	uv_poll_t uv;
	struct loop *loop;
	int events;
	void (*on_ready)(void *user, int events);
	void *user;
};

struct loop_timer {
	uv_timer_t uv;
	struct loop *loop;
	void (*on_time)(void *user);
	void *user;
};

struct loop_turns {
	uv_idle_t uv;
	struct loop *loop;
	void (*on_turn)(void *user);
	void *user;
};

struct loop_watch {
	uv_fs_event_t uv;
	struct loop *loop;
	void (*on_change)(void *user);
	void *user;
};

struct loop_signal {
	uv_signal_t uv;
	struct loop *loop;
	void (*on_signal)(void *user, int signal);
	void *user;
};

struct loop_job {
	uv_work_t uv;
	struct loop *loop;
	void (*work)(void *user);
	void (*done)(void *user);
	void *user;
};

struct loop_thread {
	uv_thread_t id;
	void (*fn)(void *user);
	void *user;
};

static void free_handle(uv_handle_t *handle)
{
	mem_free(handle);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	struct loop *loop = arg;
	if (uv_is_closing(handle))
		return;
	uv_close(handle, handle == (uv_handle_t *)&loop->async ? NULL : free_handle);
}

static void woken(uv_async_t *async)
{
	struct loop *loop = container_of(async, struct loop, async);
	if (loop->on_wake && !loop->is_ending)
		loop->on_wake(loop->wake_user);
}

struct loop *loop_new(void)
{
	struct loop *loop = mem_new(sizeof *loop);
	if (uv_loop_init(&loop->uv)) {
		mem_free(loop);
		return NULL;
	}
	if (uv_async_init(&loop->uv, &loop->async, woken)) {
		must(uv_loop_close(&loop->uv) == 0);
		mem_free(loop);
		return NULL;
	}
	return loop;
}

void loop_free(struct loop **loop)
{
	struct loop *l = *loop;
	if (!l)
		return;
	*loop = NULL;
	l->is_ending = true;
	/* What the pool works on belongs to its caller again only with done(). */
	while (l->works)
		uv_run(&l->uv, UV_RUN_ONCE);
	uv_walk(&l->uv, close_handle, l);
	while (uv_loop_close(&l->uv) == UV_EBUSY)
		uv_run(&l->uv, UV_RUN_ONCE);
	mem_free(l);
}

void loop_run(struct loop *loop)
{
	/* The wake-up handle is always open, so this ends by uv_stop() alone. */
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

uint64_t loop_now_ms(const struct loop *loop)
{
	return uv_now(&loop->uv);
}

void loop_on_wake(struct loop *loop, void (*on_wake)(void *user), void *user)
{
	loop->on_wake = on_wake;
	loop->wake_user = user;
}

void loop_wake(struct loop *loop)
{
	(void)uv_async_send(&loop->async);
}

static void poll_start(struct loop_poll *poll);

static void poll_ready(uv_poll_t *uv, int status, int uv_events)
{
	struct loop_poll *poll = container_of(uv, struct loop_poll, uv);
	if (poll->loop->is_ending)
		return;
	int events = 0;
	if (status < 0) {
		/* libuv stops a descriptor in error; its owner decides, not libuv. */
		events = LOOP_READ | LOOP_WRITE;
		poll_start(poll);
	}
	if (uv_events & (UV_READABLE | UV_DISCONNECT))
		events |= LOOP_READ;
	if (uv_events & UV_WRITABLE)
		events |= LOOP_WRITE;
	poll->on_ready(poll->user, events);
}

static void poll_start(struct loop_poll *poll)
{
	int events = (poll->events & LOOP_READ ? UV_READABLE : 0) |
		     (poll->events & LOOP_WRITE ? UV_WRITABLE : 0);
	if (events)
		must(uv_poll_start(&poll->uv, events, poll_ready) == 0);
	else
		must(uv_poll_stop(&poll->uv) == 0);
}

struct loop_poll *loop_poll_new(struct loop *loop, int fd, int events,
	void (*on_ready)(void *user, int events), void *user)
{
	struct loop_poll *poll = mem_new(sizeof *poll);
	if (uv_poll_init(&loop->uv, &poll->uv, fd)) {
		mem_free(poll);
		return NULL;
	}
	poll->loop = loop;
	poll->events = events;
	poll->on_ready = on_ready;
	poll->user = user;
	poll_start(poll);
	return poll;
}

void loop_poll_set(struct loop_poll *poll, int events)
{
	if (poll->events == events)
		return;
	poll->events = events;
	poll_start(poll);
}

void loop_poll_free(struct loop_poll **poll)
{
	if (!*poll)
		return;
	uv_close((uv_handle_t *)&(*poll)->uv, free_handle);
	*poll = NULL;
}

static void timer_due(uv_timer_t *uv)
{
	struct loop_timer *timer = container_of(uv, struct loop_timer, uv);
	if (!timer->loop->is_ending)
		timer->on_time(timer->user);
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*on_time)(void *user), void *user)
{
	struct loop_timer *timer = mem_new(sizeof *timer);
	must(uv_timer_init(&loop->uv, &timer->uv) == 0);
	timer->loop = loop;
	timer->on_time = on_time;
	timer->user = user;
	return timer;
}

void loop_timer_start(struct loop_timer *timer, uint64_t after_ms, uint64_t repeat_ms)
{
	must(uv_timer_start(&timer->uv, timer_due, after_ms, repeat_ms) == 0);
}

void loop_timer_stop(struct loop_timer *timer)
{
	must(uv_timer_stop(&timer->uv) == 0);
}

void loop_timer_free(struct loop_timer **timer)
{
	if (!*timer)
		return;
	uv_close((uv_handle_t *)&(*timer)->uv, free_handle);
	*timer = NULL;
}

static void turned(uv_idle_t *uv)
{
	struct loop_turns *turns = container_of(uv, struct loop_turns, uv);
	if (!turns->loop->is_ending)
		turns->on_turn(turns->user);
}

struct loop_turns *loop_turns_new(struct loop *loop, void (*on_turn)(void *user), void *user)
{
	struct loop_turns *turns = mem_new(sizeof *turns);
	must(uv_idle_init(&loop->uv, &turns->uv) == 0);
	turns->loop = loop;
	turns->on_turn = on_turn;
	turns->user = user;
	return turns;
}

void loop_turns_set(struct loop_turns *turns, bool is_on)
{
	must((is_on ? uv_idle_start(&turns->uv, turned) : uv_idle_stop(&turns->uv)) == 0);
}

void loop_turns_free(struct loop_turns **turns)
{
	if (!*turns)
		return;
	uv_close((uv_handle_t *)&(*turns)->uv, free_handle);
	*turns = NULL;
}

static void changed(uv_fs_event_t *uv, const char *name, int events, int status)
{
	struct loop_watch *watch = container_of(uv, struct loop_watch, uv);
	(void)name, (void)events, (void)status;
	if (!watch->loop->is_ending)
		watch->on_change(watch->user);
}

struct loop_watch *loop_watch_new(
	struct loop *loop, const char *folder, void (*on_change)(void *user), void *user)
{
	struct loop_watch *watch = mem_new(sizeof *watch);
	must(uv_fs_event_init(&loop->uv, &watch->uv) == 0);
	watch->loop = loop;
	watch->on_change = on_change;
	watch->user = user;
	if (uv_fs_event_start(&watch->uv, changed, folder, 0))
		loop_watch_free(&watch);
	return watch;
}

void loop_watch_free(struct loop_watch **watch)
{
	if (!*watch)
		return;
	uv_close((uv_handle_t *)&(*watch)->uv, free_handle);
	*watch = NULL;
}

static void signalled(uv_signal_t *uv, int number)
{
	struct loop_signal *s = container_of(uv, struct loop_signal, uv);
	if (!s->loop->is_ending)
		s->on_signal(s->user, number);
}

void loop_on_signal(
	struct loop *loop, int signal, void (*on_signal)(void *user, int signal), void *user)
{
	struct loop_signal *s = mem_new(sizeof *s);
	s->loop = loop;
	s->on_signal = on_signal;
	s->user = user;
	must(uv_signal_init(&loop->uv, &s->uv) == 0);
	must(uv_signal_start(&s->uv, signalled, signal) == 0);
}

/* What the pool does can wait, what workers do cannot: where they share a core the worker goes
 *      first. Linux keeps
 * this for each thread; there is no way back without privilege, and none is wanted. */
static void give_way(void)
{
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), POOL_NICE);
}

static void job_work(uv_work_t *uv)
{
	struct loop_job *job = container_of(uv, struct loop_job, uv);
	give_way();
	job->work(job->user);
}

static void job_done(uv_work_t *uv, int status)
{
	struct loop_job *job = container_of(uv, struct loop_job, uv);
	must(status == 0);
	void (*done)(void *user) = job->done;
	void *user = job->user;
	job->loop->works--;
	mem_free(job);
	done(user);
}

void loop_work(
	struct loop *loop, void (*work)(void *user), void (*done)(void *user), void *user)
{
	struct loop_job *job = mem_new(sizeof *job);
	job->loop = loop;
	job->work = work;
	job->done = done;
	job->user = user;
	loop->works++;
	must(uv_queue_work(&loop->uv, &job->uv, job_work, job_done) == 0);
}

static void thread_run(void *arg)
{
	struct loop_thread *thread = arg;
	thread->fn(thread->user);
}

struct loop_thread *loop_thread_start(void (*fn)(void *user), void *user)
{
	struct loop_thread *thread = mem_new(sizeof *thread);
	thread->fn = fn;
	thread->user = user;
	if (uv_thread_create(&thread->id, thread_run, thread)) {
		mem_free(thread);
		return NULL;
	}
	return thread;
}

void loop_thread_join(struct loop_thread **thread)
{
	if (!*thread)
		return;
	must(uv_thread_join(&(*thread)->id) == 0);
	mem_free(*thread);
	*thread = NULL;
}
