/* SPDX-License-Identifier: BSD-2-Clause */
/* stream_inside.h -- what stream.c (the set), conn.c (one connection), dot.c share */
#pragma once

#include "base/bytes.h"
#include "base/count.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/frame.h"
#include "net/handle.h"
#include "net/hold.h"
#include "net/stream.h"

enum {
	READ = 4096, /* about 64 queries; more waits for the next turn of the loop */
	IN_MAX = 2 * FRAME_MAX + READ,
	OUT_MAX = 2 * FRAME_MAX,
};

/* Where a connection waits for its next message. */
enum place {
	PLACE_NONE,
	PLACE_IDLE,
	PLACE_MESSAGE,
	PLACE_PENDING,
	PLACE_RESUME,
	PLACE_SHAKE /* for the end of a TLS handshake */
};

/* At rest a connection is this struct and nothing else; thousands of them rest. */
struct conn {
	uv_poll_t uv; /* first: see free_conn() */
	struct streams *set;
	struct dot *dot;       /* its TLS; NULL: clear text */
	struct list waits;     /* in the set's idle, messages, pending, resumes or shakes */
	struct list stalls;    /* in the set's stalled, while answers are unsent */
	struct list laters;    /* answers that are looked for */
	struct hold *in, *out; /* what came of the next messages; unsent answers */
	uint64_t client;
	uint32_t wait_since, stall_since; /* ms, the low half */
	struct addr peer;
	uint8_t place;
	uint8_t events;   /* that libuv watches for */
	uint8_t pendings; /* laters */
	bool is_ending;   /* reads no more, closes when its answers are out */
	bool is_paused;   /* reads no more until its answers are out */
};

/* What a set has for TLS. */
struct dots {
	struct tls_side *side; /* of new connections; NULL: none are taken */
	struct list shakes;    /* from the first byte to the end of the handshake */
	struct list line;      /* those of them that have bytes to be seen to */
	size_t begun;
	int64_t credit_us; /* time that handshakes may take */
	uint64_t ended_us; /* when they last had their turn */
	struct loop_turns *turns;
	struct loop_timer *timer;
	size_t mapped;
	uint8_t *cipher, *wire, *plain; /* as struct streams' in and out */
};

struct streams {
	struct loop *loop;
	struct stream_opts opts;
	item_batch_fn *on_batch;
	void *user;
	struct list listeners;
	/* Each in the order of its since: the first is the next to be due. */
	struct list idle, messages, stalled;
	struct list pending;     /* those that wait for nothing but answers looked for */
	struct list resumes;     /* those that are read from again, at the next turn */
	const struct conn *busy; /* the one whose turn it is: it settles at its end */
	struct holds holds;
	struct dots dots;
	struct clients *clients; /* shared with the other sets of the server */
	uint32_t open, limit;    /* limit: of connections, by opts and descriptors */
	int fd_limit;            /* descriptors from here on are held back */
	bool is_accepting, is_draining;
	uint64_t due; /* when timer is to ring; 0: it is not set */
	struct loop_timer *timer, *accept_timer, *drain_timer, *resume_timer;
	void (*on_drained)(void *user);
	void *drain_user;
	struct item items[BATCH_MAX];
	uint8_t *in;    /* shared by all connections, for the length of one callback */
	uint8_t *out;   /* answers with their length bytes, ready to be sent */
	uint8_t *slots; /* for the answers of a batch but its first */
	size_t out_len, shared_len;
	struct stream_count count;
};

/* ---- stream.c */
enum end {
	END_CLOSE,
	END_RESET
};
void conn_close(struct conn *c, enum end end);
void wait_in(struct conn *c, struct list *head, enum place place);
void stall_again(struct conn *c);

static inline void set_gauge(_Atomic uint64_t *gauge, uint64_t value)
{
	atomic_store_explicit(gauge, value, memory_order_relaxed);
}

static inline uint32_t now_of(const struct streams *set)
{
	return (uint32_t)loop_now_ms(set->loop);
}

/* Rings a little late, so that neighbours are seen to by one ringing. */
static inline uint32_t slack(uint32_t ms)
{
	return ms / 16 < 100 ? ms / 16 + 1 : 100;
}

static inline int conn_fd(const struct conn *c)
{
	int fd;
	must(uv_fileno((const uv_handle_t *)&c->uv, &fd) == 0);
	return fd;
}

/* ---- conn.c */
enum took {
	TOOK_SOME, /* or nothing: more may come */
	TOOK_END,
	TOOK_LOST
};
/* Sends p[0..n-1], keeps what the kernel does not take; false: the connection is lost. */
bool conn_put(struct conn *c, const uint8_t *p, size_t n);
/* Watches for what the connection waits for. */
void conn_watch(struct conn *c);
/* One read and one write for everything that came (design: measured choices). */
void conn_read(struct conn *c);
/* The answers that are looked for have nobody to go to any more. */
void conn_forget_laters(struct conn *c);
/* The way back of an item that came over a connection: struct item's hold. */
struct later *conn_hold(const struct item *item);
void conn_resume(void *streams);
