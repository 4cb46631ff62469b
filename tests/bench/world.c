/* SPDX-License-Identifier: BSD-2-Clause */
/* world.c -- root, top level and leaves of a flat Internet, by rule, for measuring resolvers
 *
 * What     world ROOT TOP LEAF N [PORT]: answers on the IPv4 addresses ROOT, TOP and LEAF,
 *          LEAF+1, .. of N of them, UDP and TCP. The root refers every top-level name to TOP,
 *          TOP every zone below it to one of the leaves, by a hash of its name; a leaf answers
 *          A for every name at or below its zones, and that there is nothing of any other
 *          type. A name that begins with "no" is not there. On SIGUSR1 it prints how many
 *          questions came, and begins to count anew.
 *
 * One thread, epoll, batches of 32. The spelling of a question comes back, an OPT if there was
 * one. Asked with RD at a leaf it is a forwarder's upstream: it says RA.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BATCH = 32,
	SLOT = 1500,
	SOCKETS = 600,
	LABELS = 16,
	HEADER = 12,
	TTL = 86400,
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_SOA = 6,
	TYPE_OPT = 41
};

enum role {
	ROOT,
	TOP,
	LEAF
};

struct socket {
	enum role role;
	bool is_tcp;
};

static struct {
	uint32_t root, top, leaf, leaves; /* host order */
	struct socket sockets[SOCKETS + 1024];
	volatile sig_atomic_t wants_count;
	uint64_t questions[3];
} world;

struct out {
	uint8_t *buf;
	size_t n;
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "world: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void put(struct out *o, const void *p, size_t n)
{
	memcpy(o->buf + o->n, p, n);
	o->n += n;
}

static void put16(struct out *o, unsigned v)
{
	const uint8_t p[] = { (uint8_t)(v >> 8), (uint8_t)v };
	put(o, p, 2);
}

static void put32(struct out *o, uint32_t v)
{
	put16(o, v >> 16);
	put16(o, v & 0xffff);
}

/* owner: an offset in the message. */
static void put_head(struct out *o, size_t owner, unsigned type, unsigned len)
{
	put16(o, 0xc000 | (unsigned)owner);
	put16(o, type);
	put16(o, 1);
	put32(o, TTL);
	put16(o, len);
}

static void count_up(uint8_t *msg, unsigned section)
{
	msg[4 + 2 * section + 1]++;
}

static uint32_t hash_of(const uint8_t *name)
{
	uint32_t h = 2166136261u;
	for (; *name; name++)
		h = (h ^ (*name | 32u)) * 16777619u;
	return h;
}

/* A delegation of the zone at owner to one server, with its address. */
static void refer(struct out *o, uint8_t *msg, size_t owner, uint32_t address)
{
	put_head(o, owner, TYPE_NS, 5);
	size_t server = o->n;
	put(o, "\2ns\xc0", 4);
	uint8_t at = (uint8_t)owner;
	put(o, &at, 1);
	count_up(msg, 2);
	put_head(o, server, TYPE_A, 4);
	put32(o, address);
	count_up(msg, 3);
}

static void deny(struct out *o, uint8_t *msg, size_t owner, unsigned rcode)
{
	put_head(o, owner, TYPE_SOA, 24);
	put16(o, 0xc000 | (unsigned)owner);
	put16(o, 0xc000 | (unsigned)owner);
	for (int i = 0; i < 5; i++)
		put32(o, 300);
	count_up(msg, 2);
	msg[3] |= (uint8_t)rcode;
}

/* Offsets of the labels in the message; how many, or -1. */
static int split(const uint8_t *msg, size_t len, size_t *at, size_t *end)
{
	size_t i = HEADER;
	int n = 0;
	while (i < len && msg[i]) {
		if (msg[i] > 63 || n == LABELS)
			return -1;
		at[n++] = i;
		i += msg[i] + 1u;
	}
	*end = i + 1;
	return i + 5 <= len ? n : -1;
}

static void answer_root(
	struct out *o, uint8_t *msg, const size_t *at, int n, size_t end, unsigned type)
{
	if (n > 0) {
		refer(o, msg, at[n - 1], world.top);
		return;
	}
	msg[2] |= 4; /* AA */
	if (type != TYPE_NS) {
		deny(o, msg, end - 1, 0);
		return;
	}
	put_head(o, HEADER, TYPE_NS, 8);
	size_t server = o->n;
	put(o, "\1a\4root", 8);
	count_up(msg, 1);
	put_head(o, server, TYPE_A, 4);
	put32(o, world.root);
	count_up(msg, 3);
}

static void answer_leaf(struct out *o, uint8_t *msg, const size_t *at, int n, unsigned type)
{
	msg[2] |= 4;
	if (msg[2] & 1)
		msg[3] |= 0x80; /* RA to those who want it */
	if (n < 2)
		deny(o, msg, n ? at[0] : HEADER, 0);
	else if (msg[at[0]] > 2 && memcmp(msg + at[0] + 1, "no", 2) == 0)
		deny(o, msg, at[n - 2], 3);
	else if (type != TYPE_A)
		deny(o, msg, at[n - 2], 0);
	else {
		put_head(o, HEADER, TYPE_A, 4);
		put32(o, 0xc0000200u | (hash_of(msg + at[0]) & 255));
		count_up(msg, 1);
	}
}

/* The reply to msg[0..len-1] in its place; its length, 0: none. */
static size_t answer(uint8_t *msg, size_t len, enum role role)
{
	size_t at[LABELS], end;
	if (len < HEADER + 5 || msg[2] & 0x80 || msg[5] != 1)
		return 0;
	int n = split(msg, len, at, &end);
	if (n < 0)
		return 0;
	unsigned type = (unsigned)msg[end] << 8 | msg[end + 1];
	bool has_opt = msg[11] != 0;
	struct out o = { msg, end + 4 };
	world.questions[role]++;
	msg[2] = (uint8_t)(0x80 | (msg[2] & 1));
	msg[3] = 0;
	memset(msg + 6, 0, 6);
	if (role == ROOT)
		answer_root(&o, msg, at, n, end, type);
	else if (role == TOP && n > 1)
		refer(&o, msg, at[n - 2], world.leaf + hash_of(msg + at[n - 2]) % world.leaves);
	else
		answer_leaf(&o, msg, at, n, type);
	if (has_opt) {
		put(&o, "\0\0\51\4\320\0\0\0\0\0\0", 11);
		count_up(msg, 3);
	}
	return o.n;
}

static void serve_udp(int fd, enum role role)
{
	static uint8_t slots[BATCH][SLOT];
	static struct mmsghdr msgs[BATCH];
	static struct iovec iov[BATCH];
	static struct sockaddr_in peers[BATCH];
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ slots[i], SLOT };
		msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i],
			.msg_iovlen = 1,
			.msg_name = &peers[i],
			.msg_namelen = sizeof peers[i] };
	}
	int n = recvmmsg(fd, msgs, BATCH, MSG_DONTWAIT, NULL), out = 0;
	for (int i = 0; i < n; i++) {
		size_t len = answer(slots[i], msgs[i].msg_len, role);
		if (!len)
			continue;
		iov[i].iov_len = len;
		msgs[out++].msg_hdr = msgs[i].msg_hdr;
	}
	for (int at = 0; at < out;) {
		int sent = sendmmsg(fd, msgs + at, (unsigned)(out - at), MSG_DONTWAIT);
		at += sent > 0 ? sent : 1;
	}
}

/* One question a connection is enough for what is measured here. */
static void serve_tcp(int fd, enum role role)
{
	uint8_t frame[SLOT + 2];
	int peer = accept(fd, NULL, NULL);
	if (peer < 0)
		return;
	struct timeval patience = { 0, 200000 };
	(void)setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	ssize_t got = recv(peer, frame, sizeof frame, 0);
	size_t len = got > 2 ? answer(frame + 2, (size_t)got - 2, role) : 0;
	frame[0] = (uint8_t)(len >> 8);
	frame[1] = (uint8_t)len;
	if (len)
		(void)send(peer, frame, len + 2, MSG_NOSIGNAL);
	(void)close(peer);
}

static void listen_at(int epoll, uint32_t address, uint16_t port, enum role role)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(address) };
	for (int kind = 0; kind < 2; kind++) {
		int on = 1, size = 4 << 20;
		int fd = socket(AF_INET, (kind ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0);
		if (fd < 0 || (size_t)fd >= sizeof world.sockets / sizeof world.sockets[0])
			fail("socket");
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
		if (bind(fd, (const struct sockaddr *)&at, sizeof at) < 0)
			fail("bind");
		if (kind && listen(fd, 256) < 0)
			fail("listen");
		world.sockets[fd] = (struct socket){ role, kind };
		struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
			fail("epoll_ctl");
	}
}

static void on_count(int number)
{
	(void)number;
	world.wants_count = 1;
}

static uint32_t read_address(const char *text)
{
	struct in_addr in;
	if (inet_pton(AF_INET, text, &in) != 1) {
		(void)fprintf(stderr, "world: %s is no IPv4 address\n", text);
		exit(1);
	}
	return ntohl(in.s_addr);
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		(void)fprintf(stderr, "usage: world ROOT TOP LEAF N [PORT]\n");
		return 1;
	}
	world.root = read_address(argv[1]);
	world.top = read_address(argv[2]);
	world.leaf = read_address(argv[3]);
	world.leaves = (uint32_t)strtoul(argv[4], NULL, 10);
	uint16_t port = (uint16_t)(argc > 5 ? strtoul(argv[5], NULL, 10) : 53);
	if (!world.leaves || world.leaves > SOCKETS / 2 - 2) {
		(void)fprintf(stderr, "world: 1 to %d leaves\n", SOCKETS / 2 - 2);
		return 1;
	}
	int epoll = epoll_create1(0);
	struct sigaction action = { .sa_handler = on_count };
	(void)sigaction(SIGUSR1, &action, NULL);
	/* Let in while waiting only: one that came in between would be told with the next. */
	sigset_t count, others;
	(void)sigemptyset(&count);
	(void)sigaddset(&count, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &count, &others);
	listen_at(epoll, world.root, port, ROOT);
	listen_at(epoll, world.top, port, TOP);
	for (uint32_t i = 0; i < world.leaves; i++)
		listen_at(epoll, world.leaf + i, port, LEAF);
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;) {
		struct epoll_event ev[BATCH];
		int n = epoll_pwait(epoll, ev, BATCH, -1, &others);
		for (int i = 0; i < n; i++) {
			const struct socket *s = &world.sockets[ev[i].data.fd];
			(s->is_tcp ? serve_tcp : serve_udp)(ev[i].data.fd, s->role);
		}
		if (!world.wants_count)
			continue;
		world.wants_count = 0;
		(void)printf("{\"root\": %llu, \"top\": %llu, \"leaf\": %llu}\n",
			(unsigned long long)world.questions[ROOT],
			(unsigned long long)world.questions[TOP],
			(unsigned long long)world.questions[LEAF]);
		(void)fflush(stdout);
		memset(world.questions, 0, sizeof world.questions);
	}
}
