/* SPDX-License-Identifier: BSD-2-Clause */
/* upstream_inside.h -- what upstream.c and upstream_tcp.c share */
#pragma once

#include "base/count.h"
#include "base/list.h"
#include "net/upstream.h"

enum {
	CONNECTION_HASH = 256,
	QUERY_MAX = 512,
};

struct connection;

struct exchange {
	struct list list; /* UDP: dead, or spare; TCP: of its connection */
	struct upstream *upstream;
	struct connection *connection; /* TCP */
	upstream_fn *done;             /* NULL: it is over */
	void *user;
	uint64_t due_us, sent_us;
	uint32_t heap; /* place in the heap, plus 1; 0: in none */
	int fd;        /* UDP; -1: none */
	int error;     /* told at the next turn */
	bool is_tcp, is_case_exact, was_sent_again;
	uint8_t near_misses;
	uint16_t len;
	struct addr server;
	uint8_t query[QUERY_MAX];
};

struct upstream {
	struct loop *loop;
	struct upstream_opts opts;
	struct upstream_count count;
	int epoll;
	struct loop_poll *poll;
	struct loop_timer *timer, *sweeper;
	uint64_t timer_us; /* when it rings; 0: it is not set */
	struct list dead;  /* exchanges whose memory a batch may still point at */
	struct list spare;
	size_t open, spares;
	bool is_in_batch, is_on_time;
	struct exchange **heap; /* by due_us, the soonest first */
	uint32_t heap_n, heap_size;
	struct list connections[CONNECTION_HASH], retired;
	size_t connections_n;
	uint8_t buf[65536];
};

/* Takes the exchange out of everything and gives its memory back. */
void exchange_drop(struct exchange *x);
/* Ends the exchange: done is called. */
void exchange_finish(
	struct exchange *x, enum upstream_result result, const uint8_t *msg, size_t len);
/* Its end is told at the next turn of the loop. */
void exchange_fail_later(struct exchange *x, int error);

/* ---- upstream_tcp.c */
/* Puts the question on a connection; 0 or -errno. */
int tcp_send(struct upstream *u, struct exchange *x);
/* The exchange is not waited for any more. */
void tcp_forget(struct exchange *x);
/* The same for want of a reply in time; to be called before. */
void tcp_timed_out(struct exchange *x);
/* A timer's: closes connections that have been idle. */
void tcp_sweep(void *upstream);
/* Closes all of them; nobody may wait on any. */
void tcp_close(struct upstream *u);
