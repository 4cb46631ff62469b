/* SPDX-License-Identifier: BSD-2-Clause */
/* The scenarios in the real world: what fake.h and subject.h promise, with the daemon as the
 * resolver and sockets at port 53 of every address there is. Runs in a network of its own in
 * which all addresses are local (tests/live/test_scenario); ROOTWARD is the program,
 * SCENARIO_FOLDER where its files may be. Time passes as it does. */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/loop.h"
#include "scenario/fake.h"
#include "scenario/packet.h"
#include "scenario/subject.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SERVER_PORT = 53,
	DAEMON_PORT = 5300,
	QUIET_MS = 25,     /* nothing is on its way any more */
	READY_MS = 20000,  /* for a daemon under a sanitizer */
	PASS_MAX_MS = 3000 /* longer steps of time are not waited for */
};

enum kind {
	AT_UDP,
	AT_LISTENER,
	AT_STREAM,
	AT_CLIENT
};

struct source { /* a descriptor, and whose it is */
	struct list list;
	enum kind kind;
	int fd;
	struct addr local; /* of a stream */
	/* of a stream, and of a client over TCP: what came of the next message */
	size_t len;
	uint8_t in[2 + MESSAGE_MAX_LEN];
	/* of a client */
	bool is_tcp;
	void *user;
};

/* A question the daemon sent. */
struct exchange {
	struct list list;
	struct source *source;
	struct addr server, peer;
	bool is_tcp, is_held;
	uint64_t due_ms; /* of its reply */
	size_t len, reply_len;
	uint8_t *msg, *reply;
};

struct loop {
	int epoll;
	struct list sources, exchanges;
};

struct subject {
	struct loop *loop;
	subject_fn *on_reply;
	pid_t pid;
	char folder[128];
};

static struct {
	fake_server_fn *fn;
	void *user;
	struct loop *loop;
	struct subject *subject;
} world;

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* ---- time ------------------------------------------------------------------------------ */

void fake_reset(uint64_t wall_s)
{
	(void)wall_s;
}

void fake_clock_set_us(uint64_t mono_us)
{
	(void)mono_us; /* it is that late already */
}

bool fake_can_pass(uint64_t ms)
{
	return ms <= PASS_MAX_MS;
}

/* ---- descriptors ----------------------------------------------------------------------- */

static struct source *source_new(struct loop *loop, enum kind kind, int fd)
{
	struct source *source = mem_new(sizeof *source);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };
	source->kind = kind;
	source->fd = fd;
	list_put(&loop->sources, &source->list);
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
	return source;
}

static void exchange_free(struct exchange *x)
{
	list_drop(&x->list);
	mem_free(x->msg);
	mem_free(x->reply);
	mem_free(x);
}

static void source_free(struct loop *loop, struct source *source)
{
	for (struct list *at = loop->exchanges.next, *next; at != &loop->exchanges; at = next) {
		struct exchange *x = container_of(at, struct exchange, list);
		next = at->next;
		if (x->source == source)
			exchange_free(x);
	}
	list_drop(&source->list);
	(void)close(source->fd);
	mem_free(source);
}

static void set(int fd, int level, int option)
{
	const int one = 1;
	if (setsockopt(fd, level, option, &one, sizeof one) < 0)
		die("setsockopt");
}

/* Of all addresses of the family. */
static void listen_at(struct loop *loop, int family, int type)
{
	struct addr any = { 0 };
	int fd = socket(family, type | SOCK_CLOEXEC, 0);
	any.any.sa_family = (sa_family_t)family;
	any.v4.sin_port = htons(SERVER_PORT); /* sin6_port lies at the same place */
	if (fd < 0 && family == AF_INET6)
		return; /* a host without IPv6 */
	if (fd < 0)
		die("socket");
	set(fd, SOL_SOCKET, SO_REUSEADDR);
	if (family == AF_INET6) {
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY);
		set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
		set(fd, IPPROTO_IPV6, IPV6_FREEBIND);
	} else {
		set(fd, IPPROTO_IP, IP_PKTINFO);
	}
	if (bind(fd, &any.any, addr_len(&any)) < 0)
		die("bind to port 53");
	if (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0)
		die("listen");
	(void)source_new(loop, type == SOCK_STREAM ? AT_LISTENER : AT_UDP, fd);
}

struct loop *loop_new(void)
{
	struct loop *loop = mem_new(sizeof *loop);
	list_init(&loop->sources);
	list_init(&loop->exchanges);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		die("epoll_create1");
	for (unsigned i = 0; i < 2; i++) {
		listen_at(loop, i ? AF_INET6 : AF_INET, SOCK_DGRAM);
		listen_at(loop, i ? AF_INET6 : AF_INET, SOCK_STREAM);
	}
	world.loop = loop;
	return loop;
}

void loop_free(struct loop **held)
{
	struct loop *loop = *held;
	*held = NULL;
	while (!list_is_empty(&loop->sources))
		source_free(loop, container_of(loop->sources.next, struct source, list));
	(void)close(loop->epoll);
	mem_free(loop);
}

/* ---- the other servers ----------------------------------------------------------------- */

void fake_upstream_serve(fake_server_fn *fn, void *user)
{
	world.fn = fn;
	world.user = user;
}

/* A reply is sent from the address that was asked. */
static void send_datagram(const struct exchange *x)
{
	union {
		struct cmsghdr head;
		uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control = { 0 };
	struct addr peer = x->peer;
	struct iovec iov = { x->reply, x->reply_len };
	struct msghdr msg = { .msg_name = &peer,
		.msg_namelen = addr_len(&peer),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	if (x->server.any.sa_family == AF_INET) {
		struct in_pktinfo info = { .ipi_spec_dst = x->server.v4.sin_addr };
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(c), &info, sizeof info);
		msg.msg_controllen = CMSG_SPACE(sizeof info);
	} else {
		struct in6_pktinfo info = { .ipi6_addr = x->server.v6.sin6_addr };
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(c), &info, sizeof info);
	}
	if (sendmsg(x->source->fd, &msg, 0) < 0 && errno != ECONNREFUSED)
		perror("sendmsg");
}

static void send_frame(int fd, const uint8_t *msg, size_t len)
{
	static uint8_t frame[2 + MESSAGE_MAX_LEN];
	put_u16(frame, (uint16_t)len);
	memcpy(frame + 2, msg, len);
	(void)!send(fd, frame, len + 2, MSG_NOSIGNAL);
}

static void send_reply(struct exchange *x)
{
	if (x->is_tcp)
		send_frame(x->source->fd, x->reply, x->reply_len);
	else
		send_datagram(x);
	exchange_free(x);
}

static void set_reply(struct exchange *x, const uint8_t *msg, size_t len)
{
	x->reply = mem_copy(msg, len);
	x->reply_len = len;
}

/* The daemon has given up on the same question to the same server: nobody hears its answer. */
static void drop_older(struct loop *loop, const struct exchange *newer)
{
	for (struct list *at = loop->exchanges.next, *next; at != &loop->exchanges; at = next) {
		struct exchange *x = container_of(at, struct exchange, list);
		struct asked a, b;
		next = at->next;
		if (x != newer && x->is_held && addr_is_equal(&x->server, &newer->server) &&
			asked_read(&a, x->msg, x->len, x->is_tcp) &&
			asked_read(&b, newer->msg, newer->len, newer->is_tcp) &&
			a.type == b.type && name_is_equal(a.name.bytes, b.name.bytes))
			exchange_free(x);
	}
}

static void take_question(struct loop *loop, struct source *source, const struct addr *server,
	const struct addr *peer, const uint8_t *msg, size_t len)
{
	struct asked asked;
	if (!asked_read(&asked, msg, len, source->kind == AT_STREAM))
		return;
	struct exchange *x = mem_new(sizeof *x);
	x->source = source;
	x->server = *server;
	x->peer = *peer;
	x->is_tcp = source->kind == AT_STREAM;
	x->msg = mem_copy(msg, len);
	x->len = len;
	list_put(&loop->exchanges, &x->list);
	struct fake_query *q = mem_new(sizeof *q);
	*q = (struct fake_query){
		.server = &x->server, .is_tcp = x->is_tcp, .msg = x->msg, .len = x->len
	};
	world.fn(world.user, q);
	if (q->does == FAKE_HELD) {
		x->is_held = true;
		drop_older(loop, x);
	} else if (q->does == FAKE_REPLIES) {
		set_reply(x, q->reply, q->reply_len);
		x->due_ms = clock_mono_ms() + q->delay_ms;
		if (!q->delay_ms)
			send_reply(x);
	} else {
		exchange_free(x);
	}
	mem_free(q);
}

struct exchange *fake_exchange_next(const struct exchange *before)
{
	struct list *at = before ? before->list.next : world.loop->exchanges.next;
	return at == &world.loop->exchanges ? NULL : container_of(at, struct exchange, list);
}

const uint8_t *fake_exchange_query(const struct exchange *x, size_t *len)
{
	*len = x->len;
	return x->msg;
}

const struct addr *fake_exchange_server(const struct exchange *x)
{
	return &x->server;
}

bool fake_exchange_is_tcp(const struct exchange *x)
{
	return x->is_tcp;
}

bool fake_exchange_is_held(const struct exchange *x)
{
	return x->is_held;
}

void fake_exchange_reply(struct exchange *x, const uint8_t *msg, size_t len)
{
	set_reply(x, msg, len);
	send_reply(x);
}

void fake_exchange_time_out(struct exchange *x)
{
	exchange_free(x); /* its time comes by itself */
}

/* ---- what comes in --------------------------------------------------------------------- */

static void take_datagram(struct loop *loop, struct source *source)
{
	static uint8_t msg[MESSAGE_MAX_LEN];
	union {
		struct cmsghdr head;
		uint8_t bytes[256];
	} control;
	struct addr peer = { 0 }, server = { 0 };
	struct iovec iov = { msg, sizeof msg };
	struct msghdr head = { .msg_name = &peer,
		.msg_namelen = sizeof peer,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	ssize_t n = recvmsg(source->fd, &head, 0);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&head); n > 0 && c; c = CMSG_NXTHDR(&head, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			server.v4.sin_addr = info.ipi_addr;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			server.v6.sin6_addr = info.ipi6_addr;
		}
	}
	if (n <= 0)
		return;
	server.any.sa_family = peer.any.sa_family;
	server.v4.sin_port = htons(SERVER_PORT);
	take_question(loop, source, &server, &peer, msg, (size_t)n);
}

static void take_connection(struct loop *loop, const struct source *source)
{
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct source *stream = source_new(loop, AT_STREAM, fd);
	if (addr_local(&stream->local, fd) < 0)
		die("getsockname");
}

static void close_client(struct source *source, const uint8_t *msg, size_t len)
{
	void *user = source->user;
	source_free(world.loop, source);
	world.subject->on_reply(user, msg, len);
}

static void take_reply(struct source *source)
{
	static uint8_t msg[MESSAGE_MAX_LEN];
	ssize_t n = recv(source->fd, msg, sizeof msg, 0);
	if (n > 0)
		close_client(source, msg, (size_t)n);
}

/* What a stream has; false: it is at its end. */
static bool read_more(struct source *source)
{
	ssize_t n =
		recv(source->fd, source->in + source->len, sizeof source->in - source->len, 0);
	source->len += n > 0 ? (size_t)n : 0;
	return n > 0;
}

static void take_stream(struct loop *loop, struct source *source)
{
	static uint8_t msg[MESSAGE_MAX_LEN];
	if (!read_more(source)) {
		if (source->kind == AT_CLIENT)
			close_client(source, msg, 0);
		else
			source_free(loop, source);
		return;
	}
	while (source->len >= 2 && source->len >= 2u + get_u16(source->in)) {
		size_t len = get_u16(source->in);
		memcpy(msg, source->in + 2, len);
		source->len -= len + 2;
		memmove(source->in, source->in + len + 2, source->len);
		if (source->kind == AT_CLIENT) {
			close_client(source, msg, len);
			return;
		}
		take_question(loop, source, &source->local, &source->local, msg, len);
	}
}

static void take_event(struct loop *loop, struct source *source)
{
	if (source->kind == AT_UDP)
		take_datagram(loop, source);
	else if (source->kind == AT_LISTENER)
		take_connection(loop, source);
	else if (source->kind == AT_CLIENT && !source->is_tcp)
		take_reply(source);
	else
		take_stream(loop, source);
}

static struct exchange *first_due(const struct loop *loop)
{
	struct exchange *first = NULL;
	for (struct list *at = loop->exchanges.next; at != &loop->exchanges; at = at->next) {
		struct exchange *x = container_of(at, struct exchange, list);
		if (x->due_ms && (!first || x->due_ms < first->due_ms))
			first = x;
	}
	return first;
}

bool fake_step(struct loop *loop, uint64_t until_ms)
{
	uint64_t now_ms = clock_mono_ms();
	uint64_t end_ms = until_ms > now_ms + QUIET_MS ? until_ms : now_ms + QUIET_MS;
	for (; now_ms < end_ms; now_ms = clock_mono_ms()) {
		struct exchange *x = first_due(loop);
		if (x && x->due_ms <= now_ms) {
			send_reply(x);
			return true;
		}
		uint64_t next_ms = x && x->due_ms < end_ms ? x->due_ms : end_ms;
		struct epoll_event event;
		if (epoll_wait(loop->epoll, &event, 1, (int)(next_ms - now_ms)) == 1) {
			take_event(loop, event.data.ptr);
			return true;
		}
	}
	return false;
}

/* ---- the daemon ------------------------------------------------------------------------ */

static void write_servers(FILE *out, const struct addr *to, size_t n)
{
	char text[ADDR_TEXT_MAX];
	(void)fputc('[', out);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(out, "%s\"%s\"", i ? ", " : "", addr_print(text, &to[i]));
	(void)fputc(']', out);
}

static const char *yes(bool flag)
{
	return flag ? "true" : "false";
}

static FILE *create(const struct subject *s, const char *name)
{
	char path[192];
	(void)snprintf(path, sizeof path, "%s/%s", s->folder, name);
	FILE *out = fopen(path, "we");
	if (!out)
		die(path);
	return out;
}

static void write_hints(const struct subject *s, const struct subject_opts *opts)
{
	FILE *out = create(s, "hints");
	for (size_t i = 0; i < opts->resolve.hints_n; i++) {
		char text[ADDR_TEXT_MAX];
		(void)addr_print(text, &opts->hints[i].addr);
		text[strcspn(text, "@")] = '\0';
		(void)fprintf(out, ". 3600 NS hint%zu.invalid.\nhint%zu.invalid. 3600 %s %s\n",
			i, i, strchr(text, ':') ? "AAAA" : "A", text);
	}
	(void)fclose(out);
}

static void write_zones(FILE *out, const struct subject_opts *opts)
{
	char name[NAME_TEXT_MAX];
	for (size_t i = 0; i < opts->resolve.stubs_n; i++) {
		const struct resolve_stub *stub = &opts->stubs[i];
		(void)name_print(name, stub->zone.bytes);
		(void)fprintf(out, "%s  - { zone: \"%s\", first: %s, to: ", i ? "" : "stub:\n",
			name, yes(stub->is_first));
		write_servers(out, stub->to, stub->n);
		(void)fputs(" }\n", out);
	}
	(void)fputs("chain:\n", out);
	for (size_t i = 0; i < opts->forwards_n; i++) {
		const struct subject_forward *forward = &opts->forwards[i];
		(void)name_print(name, forward->zone.bytes);
		(void)fprintf(out,
			"  - forward%zu: { kind: forward, zones: [\"%s\"], on-fail: %s, to: ",
			i, name, forward->is_first ? "next" : "stop");
		write_servers(out, forward->to, forward->n);
		(void)fputs(" }\n", out);
	}
	(void)fputs("  - root: { kind: recurse }\n", out);
}

static void write_config(const struct subject *s, const struct subject_opts *opts)
{
	const struct resolve_opts *r = &opts->resolve;
	FILE *out = create(s, "rootward.yaml");
	(void)fprintf(out,
		"server: { listen: [127.0.0.1@%d], workers: 1, control: control.sock }\n"
		"special-use: { all: off }\n"
		"cache:\n  size: 8MB\n  ttl-min: %us\n  ttl-max: %us\n  negative-max: %us\n",
		DAEMON_PORT, r->ttl.ttl_min, r->ttl.ttl_max, r->ttl.negative_max);
	if (opts->stale_s)
		(void)fprintf(out, "  consistency: { bounded: %us }\n", opts->stale_s);
	(void)fputs("root:\n", out);
	if (r->hints_n)
		(void)fputs("  hints: hints\n", out);
	(void)fprintf(out,
		"  qname-minimisation: %s\n  case-randomisation: %s\n"
		"  harden-glue: %s\n  ipv4: %s\n  ipv6: %s\n  query-loopback: true\n",
		yes(r->qname_minimisation), yes(r->case_randomisation), yes(r->harden_glue),
		yes(r->ipv4), yes(r->ipv6));
	write_zones(out, opts);
	(void)fclose(out);
}

static void start(struct subject *s)
{
	const char *program = getenv("ROOTWARD");
	char config[192], log[192];
	(void)snprintf(config, sizeof config, "%s/rootward.yaml", s->folder);
	(void)snprintf(log, sizeof log, "%s/log", s->folder);
	s->pid = fork();
	if (s->pid < 0)
		die("fork");
	if (s->pid > 0)
		return;
	int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(EXIT_FAILURE);
	(void)execl(program, program, "-c", config, (char *)NULL);
	_exit(EXIT_FAILURE);
}

static void await_ready(const struct subject *s)
{
	static char text[65536];
	char path[192];
	uint64_t until_ms = clock_mono_ms() + READY_MS;
	(void)snprintf(path, sizeof path, "%s/log", s->folder);
	while (clock_mono_ms() < until_ms && waitpid(s->pid, NULL, WNOHANG) == 0) {
		FILE *log = fopen(path, "re");
		size_t n = log ? fread(text, 1, sizeof text - 1, log) : 0;
		text[n] = '\0';
		if (log)
			(void)fclose(log);
		if (strstr(text, "ready"))
			return;
		(void)usleep(3000);
	}
	(void)fprintf(stderr, "the daemon is not ready: %s\n", text);
	exit(EXIT_FAILURE);
}

struct subject *subject_new(
	struct loop *loop, const struct subject_opts *opts, subject_fn *on_reply)
{
	struct subject *s = mem_new(sizeof *s);
	const char *folder = getenv("SCENARIO_FOLDER");
	s->loop = loop;
	s->on_reply = on_reply;
	(void)snprintf(
		s->folder, sizeof s->folder, "%s/scenario-XXXXXX", folder ? folder : "/tmp");
	if (!mkdtemp(s->folder))
		die(s->folder);
	world.subject = s;
	write_hints(s, opts);
	write_config(s, opts);
	start(s);
	await_ready(s);
	(void)fake_step(loop, 0); /* priming */
	return s;
}

void subject_free(struct subject **held)
{
	struct subject *s = *held;
	int status = -1;
	*held = NULL;
	(void)kill(s->pid, SIGTERM);
	(void)waitpid(s->pid, &status, 0);
	if (status != 0) {
		(void)fprintf(stderr, "the daemon ended with status %d, see %s/log\n", status,
			s->folder);
		exit(EXIT_FAILURE);
	}
	mem_free(s);
}

void subject_ask(struct subject *s, const uint8_t *query, size_t len, bool is_tcp, void *user)
{
	const struct addr to = { .v4 = { .sin_family = AF_INET,
					 .sin_port = htons(DAEMON_PORT),
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, &to.any, addr_len(&to)) < 0)
		die("connect to the daemon");
	struct source *source = source_new(s->loop, AT_CLIENT, fd);
	source->is_tcp = is_tcp;
	source->user = user;
	if (is_tcp)
		send_frame(fd, query, len);
	else if (send(fd, query, len, 0) < 0)
		die("send to the daemon");
}
