/* SPDX-License-Identifier: BSD-2-Clause */
/* echo.c -- the bare limit that a DNS server is measured against
 *
 * What     echo udp|tcp ADDRESS PORT: sends every query back with QR set and does
 *          nothing else. One thread, epoll; UDP in batches of 32 with
 *          recvmmsg and sendmmsg, TCP with one recv and one send per wake-up.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
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
	SLOT = 4096,
	FDS = 65536,
	READ = 65536,
	FRAME = 65535 + 2
};

struct rest { /* the bytes of a frame that has not all come */
	uint32_t n;
	uint8_t bytes[FRAME];
};

struct tcp {
	int epoll, listener;
	struct rest *rests[FDS];
	uint8_t in[FRAME + READ];
};

static void fail(const char *what)
{
	fprintf(stderr, "echo: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch(int epoll, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev))
		fail("epoll_ctl");
}

static void serve_udp(int epoll, int fd)
{
	static uint8_t slots[BATCH][SLOT];
	static struct mmsghdr msgs[BATCH];
	static struct iovec iov[BATCH];
	static struct sockaddr_in6 peers[BATCH];

	for (int i = 0; i < BATCH; i++) {
		iov[i].iov_base = slots[i];
		iov[i].iov_len = SLOT;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_name = &peers[i];
		msgs[i].msg_hdr.msg_namelen = sizeof peers[i];
	}
	watch(epoll, fd);
	for (;;) {
		struct epoll_event ev;
		if (epoll_wait(epoll, &ev, 1, -1) < 1)
			continue;
		int n;
		do {
			n = recvmmsg(fd, msgs, BATCH, MSG_DONTWAIT, NULL);
			for (int i = 0; i < n; i++) {
				iov[i].iov_len = msgs[i].msg_len;
				if (msgs[i].msg_len > 2)
					slots[i][2] |= 0x80;
			}
			for (int at = 0; at < n;) {
				int sent = sendmmsg(
					fd, msgs + at, (unsigned)(n - at), MSG_DONTWAIT);
				at += sent > 0 ? sent : 1;
			}
			for (int i = 0; i < n; i++) {
				iov[i].iov_len = SLOT;
				msgs[i].msg_hdr.msg_namelen = sizeof peers[i];
			}
		} while (n == BATCH);
	}
}

static void tcp_accept(struct tcp *t)
{
	for (;;) {
		int fd = accept4(t->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		if (fd >= FDS) {
			close(fd);
			continue;
		}
		watch(t->epoll, fd);
	}
}

static void tcp_close(struct tcp *t, int fd)
{
	free(t->rests[fd]);
	t->rests[fd] = NULL;
	close(fd);
}

/* What is left of in[0..n-1] waits for its end. */
static bool tcp_keep(struct tcp *t, int fd, const uint8_t *p, size_t n)
{
	if (!n)
		return true;
	struct rest *rest = malloc(sizeof *rest);
	if (!rest)
		return false;
	rest->n = (uint32_t)n;
	memcpy(rest->bytes, p, n);
	t->rests[fd] = rest;
	return true;
}

static void tcp_read(struct tcp *t, int fd)
{
	size_t n = 0;
	if (t->rests[fd]) {
		n = t->rests[fd]->n;
		memcpy(t->in, t->rests[fd]->bytes, n);
		free(t->rests[fd]);
		t->rests[fd] = NULL;
	}
	ssize_t got = recv(fd, t->in + n, READ, MSG_DONTWAIT);
	if (got <= 0) {
		tcp_close(t, fd);
		return;
	}
	n += (size_t)got;
	size_t at = 0;
	while (n - at >= 2) {
		size_t len = (size_t)t->in[at] << 8 | t->in[at + 1];
		if (n - at - 2 < len)
			break;
		if (len > 2)
			t->in[at + 4] |= 0x80;
		at += 2 + len;
	}
	/* Whoever does not read his echoes is no part of a measurement. */
	if (at && send(fd, t->in, at, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)at) {
		tcp_close(t, fd);
		return;
	}
	if (!tcp_keep(t, fd, t->in + at, n - at))
		tcp_close(t, fd);
}

static void serve_tcp(int epoll, int fd)
{
	static struct tcp t;
	t.epoll = epoll;
	t.listener = fd;
	watch(epoll, fd);
	for (;;) {
		struct epoll_event ev[64];
		int n = epoll_wait(epoll, ev, 64, -1);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.fd == fd)
				tcp_accept(&t);
			else
				tcp_read(&t, ev[i].data.fd);
		}
	}
}

static int bind_to(const char *address, const char *port, int type)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	bool is_v6 = inet_pton(AF_INET6, address, &v6.sin6_addr) == 1;
	if (!is_v6 && inet_pton(AF_INET, address, &v4.sin_addr) != 1) {
		fprintf(stderr, "echo: %s is not an address\n", address);
		exit(2);
	}
	v4.sin_port = v6.sin6_port = htons((uint16_t)atoi(port));
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail("socket");
	int one = 1, size = 4 << 20;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (type == SOCK_DGRAM &&
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (is_v6 ? bind(fd, (struct sockaddr *)&v6, sizeof v6)
		  : bind(fd, (struct sockaddr *)&v4, sizeof v4))
		fail("bind");
	if (type == SOCK_STREAM && listen(fd, 4096))
		fail("listen");
	return fd;
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[1], "udp") && strcmp(argv[1], "tcp"))) {
		fprintf(stderr, "usage: echo udp|tcp ADDRESS PORT\n");
		return 2;
	}
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		fail("epoll_create1");
	if (strcmp(argv[1], "udp") == 0)
		serve_udp(epoll, bind_to(argv[2], argv[3], SOCK_DGRAM));
	else
		serve_tcp(epoll, bind_to(argv[2], argv[3], SOCK_STREAM));
}
