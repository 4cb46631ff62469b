/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/loop.h"
#include "unit/unit.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct seen {
	struct loop *loop;
	struct loop_poll *poll;
	struct loop_timer *timer;
	int fds[2];
	int calls, events, signal;
	atomic_int works;
};

static void count_and_stop(void *user)
{
	struct seen *s = user;
	s->calls++;
	loop_stop(s->loop);
}

static void count_only(void *user)
{
	struct seen *s = user;
	s->calls++;
}

static void wake_thrice(void *user)
{
	struct seen *s = user;
	for (int i = 0; i < 3; i++)
		loop_wake(s->loop);
}

START_TEST(wakes_from_another_thread_arrive_and_come_together)
{
	struct seen s = { .loop = loop_new() };
	loop_on_wake(s.loop, count_and_stop, &s);
	wake_thrice(&s);
	loop_run(s.loop);
	ck_assert_int_eq(s.calls, 1);
	struct loop_thread *thread = loop_thread_start(wake_thrice, &s);
	loop_run(s.loop);
	loop_thread_join(&thread);
	ck_assert_ptr_null(thread);
	ck_assert_int_ge(s.calls, 2);
	loop_free(&s.loop);
	ck_assert_ptr_null(s.loop);
}
END_TEST

static void stop_at_three(void *user)
{
	struct seen *s = user;
	if (++s->calls < 3)
		return;
	loop_timer_stop(s->timer);
	loop_stop(s->loop);
}

START_TEST(a_timer_repeats_until_it_is_stopped)
{
	struct seen s = { .loop = loop_new() };
	s.timer = loop_timer_new(s.loop, stop_at_three, &s);
	uint64_t start = loop_now_ms(s.loop);
	loop_timer_start(s.timer, 5, 5);
	loop_run(s.loop);
	ck_assert_int_eq(s.calls, 3);
	ck_assert_uint_ge(loop_now_ms(s.loop) - start, 15);
	loop_timer_free(&s.timer);
	ck_assert_ptr_null(s.timer);
	loop_timer_free(&s.timer);
	loop_free(&s.loop);
}
END_TEST

static void note_events(void *user, int events)
{
	struct seen *s = user;
	s->events = events;
	s->calls++;
	loop_stop(s->loop);
}

START_TEST(a_poll_tells_what_was_asked_for_and_can_pause)
{
	struct seen s = { .loop = loop_new() };
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s.fds), 0);
	s.poll = loop_poll_new(s.loop, s.fds[0], LOOP_WRITE, note_events, &s);
	ck_assert_ptr_nonnull(s.poll);
	loop_run(s.loop);
	ck_assert_int_eq(s.events, LOOP_WRITE);

	loop_poll_set(s.poll, LOOP_READ);
	ck_assert_int_eq(write(s.fds[1], "x", 1), 1);
	loop_run(s.loop);
	ck_assert_int_eq(s.events, LOOP_READ);

	s.calls = 0;
	loop_poll_set(s.poll, 0);
	s.timer = loop_timer_new(s.loop, count_and_stop, &s);
	loop_timer_start(s.timer, 20, 0);
	loop_run(s.loop);
	ck_assert_int_eq(s.calls, 1);

	loop_poll_set(s.poll, LOOP_READ);
	loop_run(s.loop);
	ck_assert_int_eq(s.calls, 2);
	loop_poll_free(&s.poll);
	ck_assert_ptr_null(s.poll);
	loop_free(&s.loop);
	close(s.fds[0]);
	close(s.fds[1]);
}
END_TEST

START_TEST(a_file_that_cannot_be_polled_gives_null)
{
	struct loop *loop = loop_new();
	FILE *f = tmpfile();
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_null(loop_poll_new(loop, fileno(f), LOOP_READ, note_events, NULL));
	(void)fclose(f);
	loop_free(&loop);
}
END_TEST

static void free_peer(void *user, int events)
{
	struct seen *s = user;
	(void)events;
	s->calls++;
	loop_poll_free(&s->poll);
	loop_timer_free(&s->timer);
}

START_TEST(nothing_is_told_after_a_free)
{
	struct seen s = { .loop = loop_new() };
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s.fds), 0);
	s.poll = loop_poll_new(s.loop, s.fds[0], LOOP_READ | LOOP_WRITE, free_peer, &s);
	s.timer = loop_timer_new(s.loop, count_only, &s);
	loop_timer_start(s.timer, 15, 0);
	struct seen end = { .loop = s.loop };
	end.timer = loop_timer_new(s.loop, count_and_stop, &end);
	loop_timer_start(end.timer, 40, 0);
	loop_run(s.loop);
	ck_assert_int_eq(s.calls, 1);
	ck_assert_int_eq(end.calls, 1);
	loop_free(&s.loop);
	close(s.fds[0]);
	close(s.fds[1]);
}
END_TEST

static void note_signal(void *user, int signal)
{
	struct seen *s = user;
	s->signal = signal;
	loop_stop(s->loop);
}

START_TEST(a_signal_arrives_on_the_loop)
{
	struct seen s = { .loop = loop_new() };
	loop_on_signal(s.loop, SIGHUP, note_signal, &s);
	loop_on_signal(s.loop, SIGTERM, note_signal, &s);
	ck_assert_int_eq(kill(getpid(), SIGHUP), 0);
	loop_run(s.loop);
	ck_assert_int_eq(s.signal, SIGHUP);
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	loop_run(s.loop);
	ck_assert_int_eq(s.signal, SIGTERM);
	loop_free(&s.loop);
}
END_TEST

static void work_a_while(void *user)
{
	struct seen *s = user;
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	atomic_fetch_add(&s->works, 1);
}

START_TEST(work_is_done_elsewhere_and_told_here)
{
	struct seen s = { .loop = loop_new() };
	loop_work(s.loop, work_a_while, count_and_stop, &s);
	loop_run(s.loop);
	ck_assert_int_eq(s.works, 1);
	ck_assert_int_eq(s.calls, 1);
	loop_free(&s.loop);
}
END_TEST

START_TEST(a_loop_freed_early_waits_for_its_work_and_closes_the_rest)
{
	struct seen s = { .loop = loop_new() }, other = { .loop = s.loop };
	s.timer = loop_timer_new(s.loop, count_only, &other);
	loop_timer_start(s.timer, 1, 1);
	loop_on_signal(s.loop, SIGHUP, note_signal, &other);
	loop_on_wake(s.loop, count_only, &other);
	loop_wake(s.loop);
	loop_work(s.loop, work_a_while, count_only, &s);
	loop_free(&s.loop);
	ck_assert_int_eq(s.works, 1);
	ck_assert_int_eq(s.calls, 1);
	ck_assert_int_eq(other.calls, 0);
}
END_TEST

UNIT_MAIN("net/loop", wakes_from_another_thread_arrive_and_come_together,
	a_timer_repeats_until_it_is_stopped, a_poll_tells_what_was_asked_for_and_can_pause,
	a_file_that_cannot_be_polled_gives_null, nothing_is_told_after_a_free,
	a_signal_arrives_on_the_loop, work_is_done_elsewhere_and_told_here,
	a_loop_freed_early_waits_for_its_work_and_closes_the_rest)
