/* SPDX-License-Identifier: BSD-2-Clause */
/* load.c -- asks a DNS server as fast as it answers, or at a fixed rate
 *
 * What     Closed loop: a window of questions is kept outstanding. Open loop
 *          (--rate): questions fall due by the clock and their waits count from
 *          then, so a server that stalls cannot hide it. UDP in batches of
 *          sendmmsg and recvmmsg; TCP over kept connections, pipelined. Every
 *          answer is matched by id and question and checked.
 * Limits   120 s, 4,000,000 questions in the file, a window of 4096 per socket.
 */
#include "query.h"
#include "tally.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 64,
	SLOT_MAX = 4096,
	PIPE_MAX = 1024,
	REPLY_MAX = 4096,
	STREAM_IN = 65535 + 2 + 65536,
	STREAM_OUT = 65536,
	CPU_MAX = 64,
	CLOSED_MAX = 100000,
};

struct slot {
	uint64_t due_ns;
	uint32_t query;
	uint16_t id;
	bool is_busy;
};

struct pipe { /* a UDP socket or a TCP connection */
	int fd;
	uint32_t free_n;
	struct slot *slots;
	uint16_t *free;
	uint8_t *in, *out; /* TCP: bytes of a reply not whole yet, queries not written yet */
	size_t in_n, out_n;
};

struct load {
	struct sockaddr_storage server;
	socklen_t server_len;
	bool is_tcp, is_json;
	uint32_t pipe_n, window, mask;
	double seconds, warm, rate;
	uint64_t count, timeout_ns;
	int rcode, answers, pids[CPU_MAX], pid_n;
	struct query_list queries;
	uint32_t next;   /* the question asked next */
	uint64_t budget; /* how many may still be sent in this phase */
	struct pipe *pipes;
	struct tally tally;
	int epoll;
};

static uint8_t batch_out[BATCH][QUERY_MAX], batch_in[BATCH][REPLY_MAX];

static void fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- slots: which questions are outstanding ---- */

/* A slot's id holds its number and a turn, so that a late reply is known. */
static uint16_t slot_take(struct load *l, struct pipe *p, uint64_t due_ns)
{
	uint16_t i = p->free[--p->free_n];
	struct slot *slot = &p->slots[i];
	slot->is_busy = true;
	slot->due_ns = due_ns;
	slot->query = l->next;
	slot->id = (uint16_t)(slot->id + l->mask + 1);
	l->next = l->next + 1 == l->queries.n ? 0 : l->next + 1;
	return i;
}

static void slot_drop(struct pipe *p, uint16_t i)
{
	p->slots[i].is_busy = false;
	p->free[p->free_n++] = i;
}

static void slots_expire(struct load *l, uint64_t now)
{
	for (uint32_t i = 0; i < l->pipe_n; i++) {
		struct pipe *p = &l->pipes[i];
		for (uint32_t j = 0; j < l->window && p->free_n < l->window; j++) {
			struct slot *slot = &p->slots[j];
			if (!slot->is_busy || slot->due_ns + l->timeout_ns > now)
				continue;
			l->tally.lost++;
			slot_drop(p, (uint16_t)j);
		}
	}
}

static bool all_free(const struct load *l)
{
	for (uint32_t i = 0; i < l->pipe_n; i++) {
		if (l->pipes[i].free_n < l->window)
			return false;
	}
	return true;
}

static void check_answer(struct load *l, const uint8_t *m)
{
	struct tally *t = &l->tally;
	int rcode = m[3] & 15, answers = m[6] << 8 | m[7];
	t->rcodes[rcode]++;
	t->answers += (uint64_t)answers;
	t->authorities += (uint64_t)(m[8] << 8 | m[9]);
	t->truncated += (m[2] & 2) != 0;
	if ((l->rcode >= 0 && rcode != l->rcode) || (l->answers >= 0 && answers != l->answers))
		t->unexpected++;
}

static void take_reply(
	struct load *l, struct pipe *p, const uint8_t *m, size_t len, uint64_t now)
{
	uint16_t id = (uint16_t)(len < 12 ? 0 : m[0] << 8 | m[1]);
	uint16_t i = id & (uint16_t)l->mask;
	if (len < 12 || i >= l->window) {
		l->tally.mismatched++;
		return;
	}
	struct slot *slot = &p->slots[i];
	if (!slot->is_busy || slot->id != id) {
		l->tally.late++;
		return;
	}
	const struct query *query = &l->queries.all[slot->query];
	size_t n = query->question_len;
	if (!(m[2] & 0x80) || len < 12 + n ||
		memcmp(m + 12, l->queries.bytes + query->at + 12, n)) {
		l->tally.mismatched++;
		return;
	}
	l->tally.answered++;
	l->tally.bytes += len;
	l->tally.ended_ns = now;
	check_answer(l, m);
	tally_put_wait(&l->tally, now > slot->due_ns ? now - slot->due_ns : 0);
	slot_drop(p, i);
}

/* ---- what may be sent now ---- */

static uint64_t due_ns(const struct load *l, uint64_t i)
{
	return l->tally.began_ns + (uint64_t)((double)i * 1e9 / l->rate);
}

static uint32_t may_send(const struct load *l, const struct pipe *p, uint64_t now)
{
	uint64_t n = p->free_n < BATCH ? p->free_n : BATCH;
	if (l->rate > 0) {
		uint64_t due =
			(uint64_t)((double)(now - l->tally.began_ns) * l->rate / 1e9) + 1;
		n = due <= l->tally.sent      ? 0
		    : due - l->tally.sent < n ? due - l->tally.sent
					      : n;
	} else if (n < BATCH && n < (l->window + 1) / 2 && !l->is_tcp) {
		n = 0; /* a batch is worth waiting for */
	}
	return (uint32_t)(n < l->budget ? n : l->budget);
}

/* One question, its slot taken; returns its length. */
static size_t write_next(struct load *l, struct pipe *p, uint8_t *out, uint64_t now)
{
	const struct query *query = &l->queries.all[l->next];
	uint64_t due = l->rate > 0 ? due_ns(l, l->tally.sent) : now;
	uint16_t id = p->slots[slot_take(l, p, due)].id;
	memcpy(out, l->queries.bytes + query->at, query->len);
	out[0] = (uint8_t)(id >> 8);
	out[1] = (uint8_t)id;
	l->tally.sent++;
	l->budget--;
	return query->len;
}

/* ---- UDP ---- */

static uint32_t udp_read(struct load *l, struct pipe *p)
{
	static struct mmsghdr msgs[BATCH];
	static struct iovec iov[BATCH];
	if (p->free_n == l->window)
		return 0;
	if (!msgs[0].msg_hdr.msg_iov) {
		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ batch_in[i], REPLY_MAX };
			msgs[i].msg_hdr =
				(struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
		}
	}
	int n = recvmmsg(p->fd, msgs, BATCH, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return 0;
	uint64_t now = now_ns();
	for (int i = 0; i < n; i++)
		take_reply(l, p, batch_in[i], msgs[i].msg_len, now);
	return (uint32_t)n;
}

static void udp_write(struct load *l, struct pipe *p, uint64_t now)
{
	static struct mmsghdr msgs[BATCH];
	static struct iovec iov[BATCH];
	uint32_t n = may_send(l, p, now);
	for (uint32_t i = 0; i < n; i++) {
		iov[i] = (struct iovec){ batch_out[i], write_next(l, p, batch_out[i], now) };
		msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	for (uint32_t at = 0, tries = 0; at < n; tries++) {
		int sent = sendmmsg(p->fd, msgs + at, n - at, 0);
		if (sent > 0) {
			at += (uint32_t)sent;
			continue;
		}
		l->tally.refused_sends++;
		if (tries > BATCH)
			return; /* they time out and count as lost */
	}
}

static void udp_wait(const struct load *l, uint64_t now)
{
	static struct pollfd fds[PIPE_MAX];
	uint64_t next = due_ns(l, l->tally.sent);
	uint64_t ns = next > now && next - now < 1000000 ? next - now : 1000000;
	struct timespec t = { .tv_nsec = (long)ns };
	if (l->budget && next <= now)
		return;
	for (uint32_t i = 0; i < l->pipe_n; i++)
		fds[i] = (struct pollfd){ .fd = l->pipes[i].fd, .events = POLLIN };
	ppoll(fds, l->pipe_n, &t, NULL);
}

static void udp_turn(struct load *l, uint64_t now)
{
	for (uint32_t i = 0; i < l->pipe_n; i++) {
		udp_read(l, &l->pipes[i]);
		udp_write(l, &l->pipes[i], now);
	}
	if (l->rate > 0)
		udp_wait(l, now);
}

/* The kernel's count of datagrams it could not keep for us. */
static uint64_t own_drops(const struct load *l)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < l->pipe_n && !l->is_tcp; i++) {
		uint32_t info[SK_MEMINFO_VARS] = { 0 };
		socklen_t len = sizeof info;
		if (!getsockopt(l->pipes[i].fd, SOL_SOCKET, SO_MEMINFO, info, &len))
			sum += info[SK_MEMINFO_DROPS];
	}
	return sum;
}

/* ---- TCP ---- */

static void pipe_open(struct load *l, struct pipe *p)
{
	int size = 8 << 20, one = 1;
	p->fd = socket(
		l->server.ss_family, (l->is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		fail("socket");
	if (l->is_tcp)
		setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	else if (setsockopt(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
		setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (connect(p->fd, (struct sockaddr *)&l->server, l->server_len))
		fail("connect");
	if (!l->is_tcp)
		return;
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = p };
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, p->fd, &event))
		fail("epoll_ctl");
}

static void tcp_reopen(struct load *l, struct pipe *p)
{
	close(p->fd);
	for (uint32_t i = 0; i < l->window; i++) {
		if (!p->slots[i].is_busy)
			continue;
		l->tally.lost++;
		slot_drop(p, (uint16_t)i);
	}
	p->in_n = p->out_n = 0;
	if (++l->tally.closed > CLOSED_MAX)
		fail("too many connections were closed");
	pipe_open(l, p);
}

/* False when the connection is gone. */
static bool tcp_read(struct load *l, struct pipe *p)
{
	ssize_t got = recv(p->fd, p->in + p->in_n, STREAM_IN - p->in_n, MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return true;
	if (got <= 0)
		return false;
	size_t n = p->in_n + (size_t)got, at = 0;
	uint64_t now = now_ns();
	while (n - at >= 2) {
		size_t len = (size_t)p->in[at] << 8 | p->in[at + 1];
		if (n - at - 2 < len)
			break;
		take_reply(l, p, p->in + at + 2, len, now);
		at += 2 + len;
	}
	memmove(p->in, p->in + at, n - at);
	p->in_n = n - at;
	return true;
}

static bool tcp_write(struct load *l, struct pipe *p, uint64_t now)
{
	uint32_t n = may_send(l, p, now);
	while (n-- && STREAM_OUT - p->out_n >= 2 + QUERY_MAX) {
		uint8_t *out = p->out + p->out_n;
		size_t len = write_next(l, p, out + 2, now);
		out[0] = (uint8_t)(len >> 8);
		out[1] = (uint8_t)len;
		p->out_n += 2 + len;
	}
	if (!p->out_n)
		return true;
	ssize_t sent = send(p->fd, p->out, p->out_n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN;
	memmove(p->out, p->out + sent, p->out_n - (size_t)sent);
	p->out_n -= (size_t)sent;
	return true;
}

static void tcp_turn(struct load *l, uint64_t now)
{
	static struct epoll_event events[PIPE_MAX];
	int n = epoll_wait(l->epoll, events, PIPE_MAX, l->rate > 0 ? 1 : 0);
	for (int i = 0; i < n; i++) {
		struct pipe *p = events[i].data.ptr;
		if (!tcp_read(l, p))
			tcp_reopen(l, p);
		else if (l->rate <= 0 && !tcp_write(l, p, now))
			tcp_reopen(l, p);
	}
	for (uint32_t i = 0; i < l->pipe_n; i++) {
		struct pipe *p = &l->pipes[i];
		bool is_idle = p->out_n || l->rate > 0 || p->free_n == l->window;
		if (is_idle && !tcp_write(l, p, now))
			tcp_reopen(l, p);
	}
}

/* ---- the run ---- */

/* Sends for that long or that often, then waits for what is outstanding. */
static void run_phase(struct load *l, double seconds, uint64_t count)
{
	memset(&l->tally, 0, sizeof l->tally);
	uint64_t drops = own_drops(l), cpu = tally_read_cpu(l->pids, l->pid_n);
	uint64_t began = now_ns(), expire = began;
	uint64_t end = began + (uint64_t)(seconds * 1e9);
	l->tally.began_ns = l->tally.ended_ns = began;
	l->budget = count ? count : UINT64_MAX;
	for (uint64_t now = began; l->budget || !all_free(l); now = now_ns()) {
		if (now >= end)
			l->budget = 0;
		if (l->is_tcp)
			tcp_turn(l, now);
		else
			udp_turn(l, now);
		if (now < expire)
			continue;
		slots_expire(l, now);
		expire = now + l->timeout_ns / 10;
	}
	l->tally.cpu_ns = tally_read_cpu(l->pids, l->pid_n) - cpu;
	l->tally.own_drops = own_drops(l) - drops;
}

static void *take_memory(size_t n, size_t size)
{
	void *p = calloc(n, size);
	if (!p)
		fail("memory");
	return p;
}

static void open_pipes(struct load *l)
{
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		fail("epoll_create1");
	l->pipes = take_memory(l->pipe_n, sizeof *l->pipes);
	for (l->mask = 1; l->mask < l->window; l->mask *= 2)
		;
	l->mask--;
	for (uint32_t i = 0; i < l->pipe_n; i++) {
		struct pipe *p = &l->pipes[i];
		p->slots = take_memory(l->window, sizeof *p->slots);
		p->free = take_memory(l->window, sizeof *p->free);
		for (uint32_t j = 0; j < l->window; j++) {
			p->slots[j].id = (uint16_t)j;
			slot_drop(p, (uint16_t)j);
		}
		if (l->is_tcp) {
			p->in = take_memory(1, STREAM_IN);
			p->out = take_memory(1, STREAM_OUT);
		}
		pipe_open(l, p);
	}
}

static const char usage[] =
	"usage: load [options] ADDRESS PORT FILE\n"
	"FILE has lines of \"name type\".\n"
	"  --tcp               kept connections instead of UDP\n"
	"  --sockets N         sockets or connections (4; TCP 10)\n"
	"  --window N          questions outstanding per socket (48; TCP 20)\n"
	"  --seconds S         how long (2)\n"
	"  --count N           at most so many questions\n"
	"  --warm S            as long before, not counted (0)\n"
	"  --rate N            open loop, questions per second\n"
	"  --timeout MS        until a question counts as lost (1000)\n"
	"  --edns SIZE         an OPT record with this size\n"
	"  --dnssec            with DO; SIZE is 1232 unless given\n"
	"  --recursion         with RD\n"
	"  --in-order, --seed N   the file's order, or a random one by a seed\n"
	"  --rcode N, --answers N every answer must have these\n"
	"  --cpu-of PID,...    measure these processes' CPU time per answer\n"
	"  --json              one line of JSON\n";

static double number(const char *text, double min, double max)
{
	char *end;
	double value = strtod(text, &end);
	if (end != text && !*end && value >= min && value <= max)
		return value;
	fprintf(stderr, "load: %s: not a number from %g to %g\n", text, min, max);
	exit(2);
}

static void read_pids(struct load *l, char *text)
{
	for (char *word = strtok(text, ","); word && l->pid_n < CPU_MAX;
		word = strtok(NULL, ","))
		l->pids[l->pid_n++] = (int)number(word, 1, 1 << 30);
}

static void read_server(struct load *l, const char *address, const char *port)
{
	uint16_t n = htons((uint16_t)number(port, 1, 65535));
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = n };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = n };
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
		memcpy(&l->server, &v4, l->server_len = sizeof v4);
	} else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
		memcpy(&l->server, &v6, l->server_len = sizeof v6);
	} else {
		fprintf(stderr, "load: %s: not an address\n", address);
		exit(2);
	}
}

enum option_id {
	OPT_TCP,
	OPT_SOCKETS,
	OPT_WINDOW,
	OPT_SECONDS,
	OPT_COUNT,
	OPT_WARM,
	OPT_RATE,
	OPT_TIMEOUT,
	OPT_EDNS,
	OPT_DNSSEC,
	OPT_RECURSION,
	OPT_IN_ORDER,
	OPT_SEED,
	OPT_RCODE,
	OPT_ANSWERS,
	OPT_CPU_OF,
	OPT_JSON,
};

static const struct option options[] = {
	{ "tcp", no_argument, NULL, OPT_TCP },
	{ "sockets", required_argument, NULL, OPT_SOCKETS },
	{ "window", required_argument, NULL, OPT_WINDOW },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "warm", required_argument, NULL, OPT_WARM },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "edns", required_argument, NULL, OPT_EDNS },
	{ "dnssec", no_argument, NULL, OPT_DNSSEC },
	{ "recursion", no_argument, NULL, OPT_RECURSION },
	{ "in-order", no_argument, NULL, OPT_IN_ORDER },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "rcode", required_argument, NULL, OPT_RCODE },
	{ "answers", required_argument, NULL, OPT_ANSWERS },
	{ "cpu-of", required_argument, NULL, OPT_CPU_OF },
	{ "json", no_argument, NULL, OPT_JSON },
	{ NULL, 0, NULL, 0 },
};

static void read_option(struct load *l, struct query_style *style, int option)
{
	switch ((enum option_id)option) {
	case OPT_TCP:
		l->is_tcp = true;
		break;
	case OPT_SOCKETS:
		l->pipe_n = (uint32_t)number(optarg, 1, PIPE_MAX);
		break;
	case OPT_WINDOW:
		l->window = (uint32_t)number(optarg, 1, SLOT_MAX);
		break;
	case OPT_SECONDS:
		l->seconds = number(optarg, 0.001, 120);
		break;
	case OPT_COUNT:
		l->count = (uint64_t)number(optarg, 1, 1e9);
		break;
	case OPT_WARM:
		l->warm = number(optarg, 0, 60);
		break;
	case OPT_RATE:
		l->rate = number(optarg, 1, 1e7);
		break;
	case OPT_TIMEOUT:
		l->timeout_ns = (uint64_t)number(optarg, 1, 60000) * 1000000;
		break;
	case OPT_EDNS:
		style->edns_size = (uint16_t)number(optarg, 512, REPLY_MAX);
		break;
	case OPT_DNSSEC:
		style->dnssec_ok = true;
		break;
	case OPT_RECURSION:
		style->recursion = true;
		break;
	case OPT_IN_ORDER:
		style->in_order = true;
		break;
	case OPT_SEED:
		style->seed = (uint64_t)number(optarg, 0, 1e15);
		break;
	case OPT_RCODE:
		l->rcode = (int)number(optarg, 0, 15);
		break;
	case OPT_ANSWERS:
		l->answers = (int)number(optarg, 0, 65535);
		break;
	case OPT_CPU_OF:
		read_pids(l, optarg);
		break;
	case OPT_JSON:
		l->is_json = true;
		break;
	}
}

int main(int argc, char **argv)
{
	static struct load l = {
		.seconds = 2, .timeout_ns = 1000000000, .rcode = -1, .answers = -1
	};
	struct query_style style = { .seed = 1 };
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?') {
			fputs(usage, stderr);
			return 2;
		}
		read_option(&l, &style, option);
	}
	if (argc - optind != 3) {
		fputs(usage, stderr);
		return 2;
	}
	if (!l.pipe_n)
		l.pipe_n = l.is_tcp ? 10 : 4;
	if (!l.window)
		l.window = l.is_tcp ? 20 : 48;
	if (style.dnssec_ok && !style.edns_size)
		style.edns_size = 1232;
	read_server(&l, argv[optind], argv[optind + 1]);
	query_read_file(&l.queries, argv[optind + 2], &style);
	open_pipes(&l);
	if (l.warm > 0)
		run_phase(&l, l.warm, 0);
	run_phase(&l, l.seconds, l.count);
	tally_print(&l.tally, stdout, l.is_json);
	return 0;
}
