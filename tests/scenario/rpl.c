/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/rpl.h"

#include "text/zonefile.h"
#include "wire/rrtype.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	FILE_MAX = 4 * 1024 * 1024,
	WORD_MAX = 256,
	DEFAULT_TTL = 3600,
	SLEEP_MAX = 100000000, /* seconds a step may let pass */
};

struct parse {
	struct rpl *rpl;
	const char *path;
	const char *at, *end; /* what is left of the text */
	unsigned line;        /* that was read last */
	const char *text;     /* of it, without blanks around and without \r */
	size_t len;
	struct err *err;
};

static int fail(const struct parse *p, const char *fmt, ...) PRINTF(2, 3);
static int fail(const struct parse *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_set(p->err, -EINVAL, "%s:%u: %s", p->path, p->line, text);
}

/* ---- lines and words ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next line that says something. */
static bool next_line(struct parse *p)
{
	while (p->at < p->end) {
		const char *newline = memchr(p->at, '\n', (size_t)(p->end - p->at));
		const char *stop = newline ? newline : p->end;
		const char *text = p->at;
		p->at = newline ? newline + 1 : p->end;
		p->line++;
		while (text < stop && is_blank(*text))
			text++;
		while (stop > text && is_blank(stop[-1]))
			stop--;
		p->text = text;
		p->len = (size_t)(stop - text);
		if (p->len && *text != ';' && *text != '#')
			return true;
	}
	return false;
}

/* Takes the next word of the line; a comment ends it. False: there is none. */
static bool next_word(struct parse *p, char word[WORD_MAX])
{
	size_t n = 0;
	while (p->len && is_blank(*p->text))
		p->text++, p->len--;
	if (!p->len || *p->text == ';' || *p->text == '#')
		return false;
	while (p->len && !is_blank(*p->text) && *p->text != ';') {
		if (n + 1 < WORD_MAX)
			word[n++] = *p->text;
		p->text++, p->len--;
	}
	word[n] = 0;
	return true;
}

/* The line begins with this word, which is taken off. */
static bool take_word(struct parse *p, const char *wanted)
{
	size_t n = strlen(wanted);
	if (p->len < n || memcmp(p->text, wanted, n) != 0 ||
		(p->len > n && !is_blank(p->text[n]) && p->text[n] != ';'))
		return false;
	p->text += n;
	p->len -= n;
	return true;
}

static int read_number(const struct parse *p, const char *word, unsigned *number)
{
	char *stop;
	errno = 0;
	unsigned long x = strtoul(word, &stop, 10);
	if (*word < '0' || *word > '9' || *stop || errno || x > 1000000000)
		return fail(p, "'%s' is no number", word);
	*number = (unsigned)x;
	return 0;
}

static int read_seconds(const struct parse *p, const char *word, uint64_t *ms)
{
	char *stop;
	double s = strtod(word, &stop);
	if (stop == word || *stop || !(s >= 0 && s <= SLEEP_MAX))
		return fail(p, "'%s' is no number of seconds", word);
	*ms = (uint64_t)(s * 1000 + 0.5);
	return 0;
}

static int read_address(const struct parse *p, const char *word, struct addr *address)
{
	if (addr_parse(address, word, 53, NULL) < 0)
		return fail(p, "'%s' is no address", word);
	return 0;
}

/* ---- words that are bits ---- */

struct bits {
	const char *word;
	unsigned bits;
};

static bool find_bits(const struct bits *list, const char *word, unsigned *bits)
{
	for (; list->word; list++)
		if (strcasecmp(list->word, word) == 0) {
			*bits |= list->bits;
			return true;
		}
	return false;
}

static const struct bits matches[] = { { "opcode", RPL_OPCODE }, { "qname", RPL_QNAME },
	{ "qtype", RPL_QTYPE }, { "qclass", RPL_QCLASS }, { "qcase", RPL_QCASE | RPL_QNAME },
	{ "subdomain", RPL_SUBDOMAIN }, { "question", RPL_QNAME | RPL_QTYPE | RPL_QCLASS },
	{ "tcp", RPL_TCP }, { "udp", RPL_UDP }, { "do", RPL_DO }, { "noedns", RPL_NOEDNS },
	{ "rcode", RPL_RCODE }, { "flags", RPL_FLAGS }, { "answer", RPL_ANSWER },
	{ "authority", RPL_AUTHORITY }, { "additional", RPL_ADDITIONAL }, { "ttl", RPL_TTL },
	{ "ednsdata", RPL_EDNSDATA }, { "edns", RPL_EDNSDATA }, { "all", RPL_ALL },
	{ NULL, 0 } };

static const struct bits adjusts[] = { { "copy_id", RPL_COPY_ID },
	{ "copy_query", RPL_COPY_QUERY }, { "do_not_answer", RPL_SILENT }, { NULL, 0 } };

static const struct bits flags[] = { { "QR", FLAG_QR }, { "AA", FLAG_AA }, { "TC", FLAG_TC },
	{ "RD", FLAG_RD }, { "RA", FLAG_RA }, { "AD", FLAG_AD }, { "CD", FLAG_CD },
	{ "QUERY", 0 }, { "NOTIFY", OPCODE_NOTIFY << OPCODE_SHIFT },
	{ "UPDATE", OPCODE_UPDATE << OPCODE_SHIFT }, { "STATUS", 2 << OPCODE_SHIFT },
	{ "IQUERY", 1 << OPCODE_SHIFT }, { NULL, 0 } };

static const struct bits rcodes[] = { { "NOERROR", RCODE_NOERROR },
	{ "FORMERR", RCODE_FORMERR }, { "SERVFAIL", RCODE_SERVFAIL },
	{ "NXDOMAIN", RCODE_NXDOMAIN }, { "NOTIMP", RCODE_NOTIMP }, { "NOTIMPL", RCODE_NOTIMP },
	{ "REFUSED", RCODE_REFUSED }, { "YXDOMAIN", RCODE_YXDOMAIN }, { "YXRRSET", 7 },
	{ "NXRRSET", 8 }, { "NOTAUTH", RCODE_NOTAUTH }, { "NOTZONE", 10 },
	{ "BADVERS", RCODE_BADVERS }, { "BADCOOKIE", 23 }, { NULL, 0 } };

static int read_match(struct parse *p, struct rpl_entry *entry)
{
	char word[WORD_MAX];
	while (next_word(p, word)) {
		unsigned ede;
		if (find_bits(matches, word, &entry->match))
			continue;
		if (strncmp(word, "ede=", 4) != 0)
			return fail(p, "'%s' is nothing to be matched", word);
		if (strcmp(word + 4, "any") == 0)
			continue;
		if (read_number(p, word + 4, &ede) < 0)
			return -EINVAL;
		entry->ede = (int)ede;
	}
	return 0;
}

static int read_adjust(struct parse *p, struct rpl_entry *entry)
{
	char word[WORD_MAX];
	while (next_word(p, word)) {
		uint64_t ms;
		if (find_bits(adjusts, word, &entry->adjust))
			continue;
		if (strncmp(word, "sleep=", 6) != 0)
			return fail(p, "'%s' is nothing to be adjusted", word);
		if (read_seconds(p, word + 6, &ms) < 0)
			return -EINVAL;
		entry->delay_ms = (uint32_t)ms;
	}
	return 0;
}

static int read_reply(struct parse *p, struct rpl_entry *entry)
{
	char word[WORD_MAX];
	while (next_word(p, word)) {
		unsigned bits = 0;
		if (strcasecmp(word, "DO") == 0)
			entry->is_do = entry->has_opt = true;
		else if (find_bits(flags, word, &bits))
			entry->flags |= (uint16_t)bits;
		else if (find_bits(rcodes, word, &bits))
			entry->rcode = bits;
		else
			return fail(p, "'%s' is no flag, opcode or rcode", word);
	}
	return 0;
}

/* ---- records ---- */

static void put_record(struct rpl_entry *entry, struct rpl_record *record)
{
	struct rpl_record **at = &entry->records;
	while (*at)
		at = &(*at)->next;
	*at = record;
}

struct reading {
	struct parse *p;
	struct rpl_entry *entry;
	enum section section;
};

static const void *keep(struct parse *p, const void *bytes, size_t n)
{
	void *kept = arena_new(&p->rpl->arena, n ? n : 1);
	if (n)
		memcpy(kept, bytes, n);
	return kept;
}

static int on_record(void *user, const struct record *record, struct err *err)
{
	(void)err;
	struct reading *reading = user;
	struct parse *p = reading->p;
	struct rpl_record *kept = arena_new(&p->rpl->arena, sizeof *kept);
	kept->section = reading->section;
	kept->owner = keep(p, record->owner, name_len(record->owner));
	kept->type = record->type;
	kept->class = record->class;
	kept->ttl = record->ttl;
	kept->rdata_len = record->rdata_len;
	kept->rdata = keep(p, record->rdata, record->rdata_len);
	put_record(reading->entry, kept);
	return 0;
}

static int count_parens(const char *text, size_t n)
{
	int depth = 0;
	for (size_t i = 0; i < n && text[i] != ';'; i++)
		depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
	return depth;
}

/* The line, and those after it that parentheses join to it. */
static int read_record(struct parse *p, struct rpl_entry *entry, enum section section)
{
	struct reading reading = { .p = p, .entry = entry, .section = section };
	const char *from = p->text;
	int depth = count_parens(p->text, p->len);
	unsigned line = p->line;
	while (depth > 0 && next_line(p))
		depth += count_parens(p->text, p->len);
	size_t n = (size_t)(p->text + p->len - from);
	char *text = mem_new(n + 32);
	int head = snprintf(text, n + 32, "$TTL %d\n", DEFAULT_TTL);
	memcpy(text + head, from, n);
	text[(size_t)head + n] = '\n';
	struct complaints complaints = { 0 };
	static const uint8_t root[] = { 0 };
	long got = zonefile_scan_text(
		"record", text, (size_t)head + n + 1, root, on_record, &reading, &complaints);
	int rc = 0;
	if (got != 1) {
		p->line = line;
		rc = fail(p, "no record: %s",
			complaints.n ? complaints.list[0].text : "nothing there");
	}
	complaints_fini(&complaints);
	mem_free(text);
	return rc;
}

static int read_class(const char *word)
{
	static const struct bits classes[] = { { "IN", 1 }, { "CH", 3 }, { "HS", 4 },
		{ "NONE", 254 }, { "ANY", 255 }, { NULL, 0 } };
	unsigned class = 0;
	if (find_bits(classes, word, &class))
		return (int)class;
	return strncasecmp(word, "CLASS", 5) == 0 ? atoi(word + 5) & 0xffff : -1;
}

/* NAME [CLASS] TYPE */
static int read_question(struct parse *p, struct rpl_entry *entry)
{
	char word[WORD_MAX];
	struct name name;
	struct err err;
	if (!next_word(p, word) || name_from_text(&name, word, strlen(word), NULL, &err) < 0)
		return fail(p, "no name");
	if (entry->qname)
		return fail(p, "a second question");
	if (!next_word(p, word))
		return fail(p, "a question without type");
	int class = read_class(word), type;
	/* ANY is a class as well as a type */
	if (class >= 0 && (strcasecmp(word, "ANY") != 0 || p->len)) {
		if (!next_word(p, word))
			return fail(p, "a question without type");
	} else {
		class = 1;
	}
	type = rrtype_from_text(word, strlen(word));
	if (type < 0)
		return fail(p, "'%s' is no type", word);
	entry->qname = keep(p, name.bytes, name.len);
	entry->qtype = (uint16_t)type;
	entry->qclass = (uint16_t) class;
	return 0;
}

/* ---- bytes in hexadecimal ---- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static int read_hex_word(struct parse *p, const char *word, uint8_t *out, size_t *n)
{
	for (; *word; word += 2) {
		int high = hex_digit(word[0]), low = word[1] ? hex_digit(word[1]) : -1;
		if (high < 0 || low < 0)
			return fail(p, "'%s' are no bytes in hexadecimal", word);
		if (*n == MESSAGE_MAX_LEN)
			return fail(p, "too many bytes");
		out[(*n)++] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int read_hex(struct parse *p, const char *last, const uint8_t **bytes, size_t *n)
{
	char word[WORD_MAX];
	uint8_t *out = mem_new(MESSAGE_MAX_LEN);
	int rc = -EINVAL;
	*n = 0;
	while (next_line(p)) {
		if (take_word(p, last)) {
			*bytes = keep(p, out, *n);
			rc = 0;
			goto out;
		}
		while (next_word(p, word))
			if (read_hex_word(p, word, out, n) < 0)
				goto out;
	}
	(void)fail(p, "%s is missing", last);
out:
	mem_free(out);
	return rc;
}

/* ---- entries ---- */

static int read_section(struct parse *p, enum section *section)
{
	static const struct bits sections[] = { { "QUESTION", SECTION_QUESTION },
		{ "ANSWER", SECTION_ANSWER }, { "AUTHORITY", SECTION_AUTHORITY },
		{ "ADDITIONAL", SECTION_ADDITIONAL }, { NULL, 0 } };
	char word[WORD_MAX];
	unsigned found = 0;
	if (!next_word(p, word) || !find_bits(sections, word, &found))
		return fail(p, "no section");
	*section = (enum section)found;
	return 0;
}

static int read_entry_line(
	struct parse *p, struct rpl_entry *entry, enum section *section, bool *has_section)
{
	if (take_word(p, "MATCH"))
		return read_match(p, entry);
	if (take_word(p, "ADJUST"))
		return read_adjust(p, entry);
	if (take_word(p, "REPLY") || take_word(p, "FLAGS"))
		return read_reply(p, entry);
	if (take_word(p, "HEX_EDNSDATA_BEGIN")) {
		entry->has_opt = true;
		return read_hex(p, "HEX_EDNSDATA_END", &entry->options, &entry->options_len);
	}
	if (take_word(p, "HEX_ANSWER_BEGIN"))
		return read_hex(p, "HEX_ANSWER_END", &entry->raw, &entry->raw_len);
	if (take_word(p, "SECTION")) {
		*has_section = true;
		return read_section(p, section);
	}
	if (!*has_section)
		return fail(p, "'%.*s' is not understood", (int)(p->len < 60 ? p->len : 60),
			p->text);
	return *section == SECTION_QUESTION ? read_question(p, entry)
					    : read_record(p, entry, *section);
}

/* Behind ENTRY_BEGIN. */
static int read_entry(struct parse *p, struct rpl_entry **out)
{
	struct rpl_entry *entry = arena_new(&p->rpl->arena, sizeof *entry);
	enum section section = SECTION_QUESTION;
	bool has_section = false;
	entry->line = p->line;
	entry->ede = -1;
	while (next_line(p)) {
		if (take_word(p, "ENTRY_END")) {
			*out = entry;
			return 0;
		}
		if (read_entry_line(p, entry, &section, &has_section) < 0)
			return -EINVAL;
	}
	return fail(p, "ENTRY_END is missing");
}

/* Behind RANGE_BEGIN. */
static int read_range(struct parse *p)
{
	char from[WORD_MAX], to[WORD_MAX], word[WORD_MAX];
	struct rpl_range *range = arena_new(&p->rpl->arena, sizeof *range);
	struct rpl_range **last = &p->rpl->ranges;
	struct rpl_entry **entry = &range->entries;
	range->line = p->line;
	if (!next_word(p, from) || !next_word(p, to))
		return fail(p, "RANGE_BEGIN wants two numbers");
	if (read_number(p, from, &range->from) < 0 || read_number(p, to, &range->to) < 0)
		return -EINVAL;
	while (*last)
		last = &(*last)->next;
	*last = range;
	while (next_line(p)) {
		if (take_word(p, "RANGE_END"))
			return 0;
		if (take_word(p, "ADDRESS")) {
			if (range->n == RPL_ADDRESSES || !next_word(p, word))
				return fail(p, "too many addresses, or none");
			if (read_address(p, word, &range->address[range->n++]) < 0)
				return -EINVAL;
		} else if (take_word(p, "ENTRY_BEGIN")) {
			if (read_entry(p, entry) < 0)
				return -EINVAL;
			entry = &(*entry)->next;
		} else {
			return fail(p, "ADDRESS, ENTRY_BEGIN or RANGE_END is expected here");
		}
	}
	return fail(p, "RANGE_END is missing");
}

/* ---- steps ---- */

static const struct bits steps[] = { { "NOTHING", RPL_NOTHING }, { "QUERY", RPL_QUERY },
	{ "CHECK_ANSWER", RPL_CHECK_ANSWER }, { "CHECK_OUT_QUERY", RPL_CHECK_OUT_QUERY },
	{ "REPLY", RPL_REPLY }, { "TIMEOUT", RPL_TIMEOUT }, { "TIME_PASSES", RPL_TIME_PASSES },
	{ "TRAFFIC", RPL_TRAFFIC }, { "ERROR", RPL_ERROR }, { NULL, 0 } };

static int read_step_words(struct parse *p, struct rpl_step *step)
{
	char word[WORD_MAX];
	while (next_word(p, word)) {
		bool is_address = strcmp(word, "ADDRESS") == 0;
		if (!is_address && strcmp(word, "ELAPSE") != 0)
			return fail(p, "'%s' is not understood", word);
		if (!next_word(p, word))
			return fail(p, "the value is missing");
		if ((is_address ? read_address(p, word, &step->address)
				: read_seconds(p, word, &step->elapse_ms)) < 0)
			return -EINVAL;
		step->has_address |= is_address;
	}
	return 0;
}

/* Behind STEP. */
static int read_step(struct parse *p, struct rpl_step **out)
{
	struct rpl_step *step = arena_new(&p->rpl->arena, sizeof *step);
	char word[WORD_MAX];
	unsigned what = 0;
	step->line = p->line;
	if (!next_word(p, word) || read_number(p, word, &step->number) < 0)
		return fail(p, "STEP wants a number");
	if (!next_word(p, word) || !find_bits(steps, word, &what))
		return fail(p, "'%s' is no step", word);
	step->what = (enum rpl_do)what;
	if (read_step_words(p, step) < 0)
		return -EINVAL;
	*out = step;
	return 0;
}

/* ---- the file ---- */

static int read_scenario_line(struct parse *p, struct rpl_step **last)
{
	if (take_word(p, "RANGE_BEGIN"))
		return read_range(p);
	if (take_word(p, "STEP")) {
		struct rpl_step *step = NULL;
		if (read_step(p, &step) < 0)
			return -EINVAL;
		if (*last && step->number < (*last)->number)
			return fail(p, "step %u comes after step %u", step->number,
				(*last)->number);
		*(*last ? &(*last)->next : &p->rpl->steps) = step;
		*last = step;
		return 0;
	}
	if (*last && !(*last)->entry && take_word(p, "ADDRESS")) {
		char word[WORD_MAX];
		(*last)->has_address = true;
		return next_word(p, word) ? read_address(p, word, &(*last)->address)
					  : fail(p, "the address is missing");
	}
	if (*last && !(*last)->entry && take_word(p, "ENTRY_BEGIN")) {
		struct rpl_entry *entry;
		if (read_entry(p, &entry) < 0)
			return -EINVAL;
		(*last)->entry = entry;
		return 0;
	}
	return fail(p, "'%.*s' is not understood", (int)(p->len < 60 ? p->len : 60), p->text);
}

/* A word of the CONFIG part, quoted or not, at *at. False: the line has ended. */
static bool next_config_word(struct parse *p, const char **word, bool *is_key)
{
	while (p->len && is_blank(*p->text))
		p->text++, p->len--;
	if (!p->len || *p->text == '#' || *p->text == ';')
		return false;
	bool is_quoted = *p->text == '"';
	const char *from = p->text + is_quoted, *at = from, *end = p->text + p->len;
	while (at < end && (is_quoted ? *at != '"' : !is_blank(*at) && *at != '#'))
		at++;
	*is_key = !is_quoted && at > from && at[-1] == ':';
	*word = arena_text(&p->rpl->arena, from, (size_t)(at - from) - *is_key);
	at += is_quoted && at < end;
	p->len = (size_t)(end - at);
	p->text = at;
	return true;
}

static bool is_clause(const char *key)
{
	static const char *const clauses[] = { "server", "stub-zone", "forward-zone",
		"auth-zone", "view", "remote-control", "python", "dynlib", "cachedb", "rpz" };
	for (size_t i = 0; i < array_len(clauses); i++)
		if (strcmp(key, clauses[i]) == 0)
			return true;
	return false;
}

static const char *join(struct parse *p, const char *a, const char *b)
{
	size_t n = strlen(a) + 1 + strlen(b) + 1;
	char *both = arena_new(&p->rpl->arena, n);
	(void)snprintf(both, n, "%s %s", a, b);
	return both;
}

static int read_config(struct parse *p)
{
	struct rpl_config **last = &p->rpl->config, *c = NULL;
	const char *in = "server", *key = NULL, *word;
	unsigned clause = 0;
	bool is_key;
	while (next_line(p)) {
		if (take_word(p, "CONFIG_END"))
			return 0;
		while (next_config_word(p, &word, &is_key)) {
			if (is_key && is_clause(word)) {
				in = word;
				clause++;
				key = NULL;
			} else if (is_key && !key) {
				key = word;
			} else if (key) {
				c = arena_new(&p->rpl->arena, sizeof *c);
				*c = (struct rpl_config){ NULL, p->line, clause, in, key,
					word };
				*last = c;
				last = &c->next;
				key = NULL;
			} else if (c && c->line == p->line) {
				c->value = join(p, c->value, word);
			} else {
				return fail(p, "'%s' stands behind no key", word);
			}
		}
	}
	return fail(p, "CONFIG_END is missing");
}

int rpl_read_text(
	struct rpl *rpl, const char *path, const char *text, size_t n, struct err *err)
{
	struct parse p = { .rpl = rpl, .path = path, .at = text, .end = text + n, .err = err };
	struct rpl_step *last = NULL;
	if (read_config(&p) < 0)
		return -EINVAL;
	if (!next_line(&p) || !take_word(&p, "SCENARIO_BEGIN"))
		return fail(&p, "SCENARIO_BEGIN is missing");
	while (p.len && is_blank(*p.text))
		p.text++, p.len--;
	rpl->title = arena_text(&rpl->arena, p.text, p.len);
	while (next_line(&p)) {
		if (take_word(&p, "SCENARIO_END"))
			return 0;
		if (read_scenario_line(&p, &last) < 0)
			return -EINVAL;
	}
	return fail(&p, "SCENARIO_END is missing");
}

int rpl_read(struct rpl *rpl, const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = -EIO;
	char *text = mem_new(FILE_MAX);
	size_t n = 0;
	ssize_t got = -1;
	while (fd >= 0 && n < FILE_MAX && (got = read(fd, text + n, FILE_MAX - n)) > 0)
		n += (size_t)got;
	if (got != 0)
		(void)err_set(err, rc, "%s: cannot be read, or is too long", path);
	else
		rc = rpl_read_text(rpl, path, text, n, err);
	if (fd >= 0)
		(void)close(fd);
	mem_free(text);
	return rc;
}

void rpl_fini(struct rpl *rpl)
{
	arena_fini(&rpl->arena);
}
