/* SPDX-License-Identifier: BSD-2-Clause */
/* loop.h -- the event loop, the only face of libuv
 *
 * What     Descriptors, timers, signals, wake-ups from other threads, work on the
 *          builder's pool. Callbacks run on the loop's thread.
 * Threads  Everything on the loop's own thread, but loop_wake() from any.
 * Memory   Handles are freed by the loop after their close; *_free() nulls the caller's
 *          pointer and no callback comes after it.
 */
#pragma once

#include "base/def.h"

struct loop;
struct loop_poll;
struct loop_timer;

struct loop *loop_new(void); /* NULL when the kernel has no descriptor to give */
/* Waits for work on the pool and calls its done, tells nothing else, closes every handle
 * still open. */
void loop_free(struct loop **loop);
/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* Monotonic milliseconds, cached once a turn. */
uint64_t loop_now_ms(const struct loop *loop);

/* One wake-up function a loop; wake-ups that come together are one call. */
void loop_on_wake(struct loop *loop, void (*on_wake)(void *user), void *user);
void loop_wake(struct loop *loop);

enum {
	LOOP_READ = 1,
	LOOP_WRITE = 2
};
/* events: a set of LOOP_READ, LOOP_WRITE; an error or hang-up is told as both. The descriptor
 * stays the caller's, who closes it only after loop_poll_free(). NULL when it cannot be polled
 * (a file, or polled already). */
struct loop_poll *loop_poll_new(struct loop *loop, int fd, int events,
	void (*on_ready)(void *user, int events), void *user);
void loop_poll_set(struct loop_poll *poll, int events); /* 0 pauses */
void loop_poll_free(struct loop_poll **poll);

struct loop_timer *loop_timer_new(struct loop *loop, void (*on_time)(void *user), void *user);
/* repeat_ms 0: once. */
void loop_timer_start(struct loop_timer *timer, uint64_t after_ms, uint64_t repeat_ms);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer **timer);

/* Calls on_turn(user) once a turn while it is on, and lets the loop not sleep: for work that is
 * to leave room for what comes meanwhile. Off at first. */
struct loop_turns;
struct loop_turns *loop_turns_new(struct loop *loop, void (*on_turn)(void *user), void *user);
void loop_turns_set(struct loop_turns *turns, bool is_on);
void loop_turns_free(struct loop_turns **turns);

/* Something in the folder came, went or changed; changes that come together may be one call.
 * NULL: it is not there, or cannot be watched. */
struct loop_watch;
struct loop_watch *loop_watch_new(
	struct loop *loop, const char *folder, void (*on_change)(void *user), void *user);
void loop_watch_free(struct loop_watch **watch);

void loop_on_signal(
	struct loop *loop, int signal, void (*on_signal)(void *user, int signal), void *user);

/* Runs work(user) on a pool thread, then done(user) on the loop's. */
void loop_work(
	struct loop *loop, void (*work)(void *user), void (*done)(void *user), void *user);

/* A thread that runs fn(user), to be joined. NULL when there is none to be had. */
struct loop_thread;
struct loop_thread *loop_thread_start(void (*fn)(void *user), void *user);
void loop_thread_join(struct loop_thread **thread);
