/* SPDX-License-Identifier: BSD-2-Clause */
/* address.c -- an example of a plugin: names that say their own address
 *
 *   10-0-0-7.ip.example.      A     10.0.0.7
 *   2001-db8--7.ip.example.   AAAA  2001:db8::7
 *   ping.ip.example.          TXT   how long another resolver takes to answer
 *
 * The first two are answered at once. For the last one a question is sent and waited for, to
 * show how that is done. doc/LINKS.md tells the rules.
 */
#include <arpa/inet.h>
#include <rootward/link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TYPE_A = 1,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	CLASS_IN = 1,
	RCODE_NXDOMAIN = 3,
	EDE_NO_REACHABLE = 22, /* RFC 8914 */
	LABEL_MAX = 63,
	NAME_MAX_LEN = 255
};

/* What the file may say. The order is that of the values in prepare(). */
enum {
	OPTION_SUFFIX,
	OPTION_TTL,
	OPTION_ASK,
	OPTIONS
};
static const struct link_option options[OPTIONS] = {
	[OPTION_SUFFIX] = { .key = "suffix",
		.kind = LINK_OPTION_TEXT,
		.help = "The name below which addresses are: ip.example." },
	[OPTION_TTL] = { .key = "ttl",
		.kind = LINK_OPTION_DURATION,
		.fallback = "1h",
		.max = 24 * 3600 * 1000,
		.help = "How long clients may remember an address." },
	[OPTION_ASK] = { .key = "ask",
		.kind = LINK_OPTION_TEXT,
		.help = "A resolver, 192.0.2.1@53, whose time ping.SUFFIX tells." },
};

/* The data: made once by prepare(), read by all workers, never changed. */
struct data {
	uint8_t suffix[NAME_MAX_LEN]; /* on the wire, lower case */
	size_t suffix_len;
	uint32_t ttl;
	char ask[64];
};

/* A worker's: what it was given when it opened the link. */
struct worker {
	const struct data *data;
	const struct link_calls *calls;
};

/* Text to a name on the wire; 0 when it is none. Escapes are more than an example needs. */
static size_t to_wire(const char *text, uint8_t *out)
{
	size_t n = 0;
	while (*text) {
		size_t label = strcspn(text, ".");
		if (!label || label > LABEL_MAX || n + label + 2 > NAME_MAX_LEN)
			return 0;
		out[n++] = (uint8_t)label;
		for (size_t i = 0; i < label; i++) {
			char c = text[i];
			out[n++] = (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
		}
		text += label;
		text += *text == '.';
	}
	out[n++] = 0;
	return n;
}

/* On the builder's thread. What is wrong is told with its place, and refuses the file. */
static void *prepare(const struct link_given *given, char *error, size_t error_size)
{
	const struct link_value *suffix = &given->values[OPTION_SUFFIX];
	const struct link_value *ask = &given->values[OPTION_ASK];
	if (!suffix->n) {
		(void)snprintf(error, error_size, "suffix is missing");
		return NULL;
	}
	struct data *data = calloc(1, sizeof *data);
	if (!data) {
		(void)snprintf(error, error_size, "no memory");
		return NULL;
	}
	data->suffix_len = to_wire(suffix->texts[0], data->suffix);
	data->ttl = (uint32_t)(given->values[OPTION_TTL].number / 1000);
	if (ask->n)
		(void)snprintf(data->ask, sizeof data->ask, "%s", ask->texts[0]);
	if (data->suffix_len < 2) {
		(void)snprintf(error, error_size, "%s: suffix: '%.60s' is no name",
			suffix->places[0], suffix->texts[0]);
		free(data);
		return NULL;
	}
	return data;
}

static void release(void *data)
{
	free(data);
}

/* On each worker. It cannot fail, so what may fail is done in prepare(). */
static void *open_worker(void *data, const struct link_calls *calls, void *inside)
{
	(void)inside; /* for the daemon's own links */
	struct worker *worker = malloc(sizeof *worker);
	if (!worker)
		abort();
	*worker = (struct worker){ data, calls };
	return worker;
}

static void close_worker(void *instance)
{
	free(instance);
}

/* The one label before the suffix as text; false when the name is not of that form. */
static bool first_label(const struct data *data, const struct link_question *q, char *out)
{
	size_t label = q->name[0];
	if (q->name_len != 1 + label + data->suffix_len ||
		memcmp(q->name + 1 + label, data->suffix, data->suffix_len) != 0)
		return false;
	memcpy(out, q->name + 1, label);
	out[label] = '\0';
	return strlen(out) == label;
}

/* 10-0-0-7 and 2001-db8--7: the type of the address, or 0. */
static uint16_t read_address(char *label, uint8_t *address)
{
	char text[LABEL_MAX + 1];
	for (int is_ipv6 = 0; is_ipv6 <= 1; is_ipv6++) {
		for (size_t i = 0; i <= strlen(label); i++)
			text[i] = label[i] == '-' ? ".:"[is_ipv6] : label[i];
		if (inet_pton(is_ipv6 ? AF_INET6 : AF_INET, text, address) == 1)
			return is_ipv6 ? TYPE_AAAA : TYPE_A;
	}
	return 0;
}

static enum link_verdict tell_address(const struct worker *w, struct link_ask *ask,
	const struct link_question *q, char *label)
{
	uint8_t address[16];
	uint16_t type = read_address(label, address);
	if (!type)
		w->calls->set_rcode(ask, RCODE_NXDOMAIN);
	else if (q->type == type && !w->calls->add(ask, LINK_SECTION_ANSWER, q->name, type,
					    w->data->ttl, address, type == TYPE_A ? 4 : 16))
		return w->calls->fail(ask, -1, "no room for the address");
	return LINK_ANSWER; /* without a record: there is nothing of that type */
}

/* A verdict at once, or LINK_WAIT after something was asked for that an event will tell of. */
static enum link_verdict ask_link(void *instance, struct link_ask *ask, void **state)
{
	static const uint8_t root[] = { 0 };
	enum {
		TYPE_NS = 2,
		TIMEOUT_MS = 1000
	};
	const struct worker *w = instance;
	const struct link_question *q = w->calls->question(ask);
	char label[LABEL_MAX + 1];
	(void)state; /* nothing to remember: the event brings all there is */
	if (q->rr_class != CLASS_IN || !first_label(w->data, q, label))
		return LINK_PASS; /* not ours: the next link is asked */
	if (strcmp(label, "ping") != 0 || !w->data->ask[0])
		return tell_address(w, ask, q, label);
	w->calls->set_uncachable(ask);
	if (!w->calls->send(ask, w->data->ask, root, TYPE_NS, TIMEOUT_MS, NULL))
		return w->calls->fail(ask, -1, "nothing can be sent to %s", w->data->ask);
	return LINK_WAIT;
}

static enum link_verdict on_event(
	void *instance, struct link_ask *ask, void *state, const struct link_event *event)
{
	const struct worker *w = instance;
	const struct link_question *q = w->calls->question(ask);
	uint8_t txt[256];
	(void)state;
	if (event->kind != LINK_EVENT_REPLY)
		return w->calls->fail(
			ask, EDE_NO_REACHABLE, "%s does not answer", w->data->ask);
	int n = snprintf((char *)txt + 1, sizeof txt - 1, "%s answered in %llu us",
		w->data->ask, (unsigned long long)event->took_us);
	txt[0] = (uint8_t)n;
	if (q->type == TYPE_TXT && !w->calls->add(ask, LINK_SECTION_ANSWER, q->name, TYPE_TXT,
					   0, txt, (size_t)n + 1))
		return w->calls->fail(ask, -1, "no room for the text");
	return LINK_ANSWER;
}

/* Nobody waits for the question any more; what was sent is dropped by whoever sent it. */
static void cancel(void *instance, struct link_ask *ask, void *state)
{
	(void)instance, (void)ask, (void)state;
}

/* The one symbol that is looked for. */
extern const struct link rootward_link;
const struct link rootward_link = { .abi = ROOTWARD_LINK_ABI,
	.kind = "address",
	.help = "Answers names that say their own address.",
	.options = options,
	.options_n = OPTIONS,
	.prepare = prepare,
	.release = release,
	.open = open_worker,
	.close = close_worker,
	.ask = ask_link,
	.event = on_event,
	.cancel = cancel };
