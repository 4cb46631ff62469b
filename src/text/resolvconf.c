/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/resolvconf.h"

#include "base/mem.h"
#include "text/field.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct word {
	const char *p;
	size_t n;
};

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word of a line, at[0..end-at-1]; n 0: there is none. */
static struct word next_word(const char **at, const char *end)
{
	const char *p = *at;
	while (p < end && is_blank(*p))
		p++;
	struct word word = { p, 0 };
	while (p < end && !is_blank(*p) && *p != '#' && *p != ';')
		p++;
	word.n = (size_t)(p - word.p);
	*at = p;
	return word;
}

static bool is_word(const struct word *word, const char *text)
{
	return word->n == strlen(text) && memcmp(word->p, text, word->n) == 0;
}

/* ---- addresses ---- */

/* The number of the interface that a zone names, or is; 0: this host has none such. */
static uint32_t find_interface(const char *zone, size_t n)
{
	char name[IF_NAMESIZE];
	uint64_t number;
	if (n == 0 || n >= sizeof name || memchr(zone, '\0', n))
		return 0;
	memcpy(name, zone, n);
	name[n] = '\0';
	uint32_t index = if_nametoindex(name);
	if (index || !text_is_number(zone, n, UINT32_MAX, &number))
		return index;
	return if_indextoname((uint32_t)number, name) ? (uint32_t)number : 0;
}

static bool read_address(struct resolvconf_server *out, const struct word *word)
{
	const char *zone = memchr(word->p, '%', word->n);
	size_t n = zone ? (size_t)(zone - word->p) : word->n;
	*out = (struct resolvconf_server){ .address = { [10] = 0xff, [11] = 0xff } };
	if (!zone && text_is_ipv4(word->p, n, out->address + 12))
		return true;
	if (!text_is_ipv6(word->p, n, out->address))
		return false;
	if (zone)
		out->scope = find_interface(zone + 1, word->n - n - 1);
	return !zone || out->scope;
}

static void put_server(struct resolvconf *out, const struct resolvconf_server *server)
{
	for (size_t i = 0; i < out->n; i++)
		if (memcmp(&out->server[i], server, sizeof *server) == 0)
			return;
	if (out->n < RESOLVCONF_SERVERS)
		out->server[out->n++] = *server;
	else
		out->beyond++;
}

/* ---- lines ---- */

static bool is_known(const struct word *word)
{
	static const char *const known[] = { "domain", "search", "options", "sortlist",
		"lookup", "family", "port", "timeout", "attempts", "trust-anchor" };
	for (size_t i = 0; i < array_len(known); i++)
		if (is_word(word, known[i]))
			return true;
	return false;
}

static void read_line(struct resolvconf *out, const char *at, const char *end)
{
	struct resolvconf_server server;
	struct word word = next_word(&at, end);
	if (!word.n)
		return; /* empty, or a comment */
	if (!is_word(&word, "nameserver")) {
		out->bad += !is_known(&word);
		return;
	}
	word = next_word(&at, end);
	if (read_address(&server, &word))
		put_server(out, &server);
	else
		out->bad++;
}

void resolvconf_read_text(struct resolvconf *out, const char *text, size_t n)
{
	static const char mark[] = "\xef\xbb\xbf";
	*out = (struct resolvconf){ 0 };
	const char *end = text + n;
	if (n >= 3 && memcmp(text, mark, 3) == 0)
		text += 3;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		read_line(out, text, newline ? newline : end);
		text = newline ? newline + 1 : end;
	}
}

/* ---- files ---- */

/* Reads up to size bytes; how many, or a negative errno. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t n = 0;
	while (n < size) {
		ssize_t got = read(fd, buf + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

static int fail(const char *path, int code, struct err *err)
{
	return err_set(err, code, "cannot read '%s': %s", path, strerror(-code));
}

int resolvconf_read(struct resolvconf *out, const char *path, struct err *err)
{
	struct stat st;
	*out = (struct resolvconf){ 0 };
	/* Not blocking, so that a FIFO in its place holds nobody up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fail(path, -errno, err);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return err_set(
			err, -EINVAL, "cannot read '%s': it is not a regular file", path);
	}
	char *text = mem_new(RESOLVCONF_MAX);
	ssize_t n = read_all(fd, text, RESOLVCONF_MAX);
	(void)close(fd);
	if (n >= 0)
		resolvconf_read_text(out, text, (size_t)n);
	mem_free(text);
	return n < 0 ? fail(path, (int)n, err) : 0;
}
