/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/kept.h"

#include "answer/recall.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cache/rrsets.h"
#include "ctl/explain.h"
#include "wire/message.h"
#include "wire/rrtype.h"

#include <string.h>

enum {
	PAD_LIMIT = 512 * 1024,
	STALE_S = 7 * 24 * 3600, /* past their time too, while they are there */
	TYPE_ROOM = 16,
	DROPS_AT_ONCE = 1024,
	ROUNDS_MAX = 64 /* of drops: what comes anew meanwhile is newer than the flush */
};

struct job {
	struct daemon *daemon;
	struct control_call *call;
	struct cache *cache;
	bool has_name, is_tree;
	struct name name;
	json_t *list; /* of show */
	char *text;   /* of dump */
	size_t n, size;
	bool was_cut;
	size_t flushed;
	uint64_t now_ms;
	uint8_t message[MESSAGE_MAX_LEN]; /* that an entry is */
	/* flush: answers that tell of a name that was flushed */
	size_t drops_n;
	struct {
		struct name name;
		struct cache_key key;
	} drop[DROPS_AT_ONCE];
};

/* ---- an entry ---- */

/* The message that a kept reply is, for its question. 0: it is none. */
static size_t make_message(uint8_t *out, const struct cache_entry *entry)
{
	struct recall recall;
	if (!recall_open(&recall, entry->bytes, entry->n))
		return 0;
	size_t at = HEADER_LEN;
	memset(out, 0, HEADER_LEN);
	put_u16(out + 2, (uint16_t)(0x8000u | recall.flags | (recall.rcode & 15)));
	put_u16(out + 4, 1);
	for (unsigned i = SECTION_ANSWER; i < SECTIONS; i++)
		put_u16(out + 4 + 2 * i, recall.count[i]);
	memcpy(out + at, entry->key.name, entry->key.len);
	at += entry->key.len;
	put_u16(out + at, entry->key.type);
	put_u16(out + at + 2, entry->key.class);
	at += 4;
	if (at + recall.body_len > MESSAGE_MAX_LEN)
		return 0;
	memcpy(out + at, recall.body, recall.body_len);
	return at + recall.body_len;
}

static const char *kind_word(const struct cache_entry *entry)
{
	static const char *const words[] = { [CACHE_ANSWER] = "answer",
		[CACHE_RRSET] = "set",
		[CACHE_NONE] = "nothing",
		[CACHE_FAILURE] = "failure" };
	return entry->key.kind < array_len(words) ? words[entry->key.kind] : "unknown";
}

static const char *rank_word(unsigned rank)
{
	static const char *const words[] = { [RANK_NONE] = "none",
		[RANK_GLUE] = "glue",
		[RANK_ADDITIONAL] = "additional",
		[RANK_REFERRAL] = "referral",
		[RANK_AUTHORITY] = "authority",
		[RANK_ANSWER] = "answer",
		[RANK_AUTH] = "authoritative" };
	return rank < array_len(words) ? words[rank] : "unknown";
}

static void add_set(json_t *out, struct job *job, const struct cache_entry *entry)
{
	struct pad pad;
	struct rrsets_found found;
	pad_init(&pad, PAD_LIMIT, NULL);
	if (rrsets_find(job->cache, entry->key.partition, entry->key.name, entry->key.type,
		    job->now_ms, STALE_S, &pad, &found) == 1)
		(void)json_object_set_new(out, "answer", explain_set(&found.set));
	pad_clear(&pad);
}

static json_t *entry_report(struct job *job, const struct cache_entry *entry)
{
	char name[NAME_TEXT_MAX], type[TYPE_ROOM];
	uint64_t age = (job->now_ms - entry->head.learned_ms) / 1000;
	(void)name_print(name, entry->key.name);
	json_t *out = json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:o,s:s,s:I}", "name", name, "type",
		entry->key.type ? rrtype_print(type, entry->key.type) : "any", "kind",
		kind_word(entry), "ttl", (json_int_t)entry->head.ttl, "age", (json_int_t)age,
		"left", (json_int_t)entry->head.ttl - (json_int_t)age, "server",
		explain_server(&entry->head.from.server), "transport",
		explain_transport(entry->head.from.transport), "bytes", (json_int_t)entry->n);
	if (entry->key.kind == CACHE_RRSET || entry->key.kind == CACHE_NONE)
		(void)json_object_set_new(
			out, "rank", json_string(rank_word(entry->head.rank)));
	if (entry->key.kind == CACHE_RRSET)
		add_set(out, job, entry);
	if (entry->key.bits & CACHE_DO)
		(void)json_object_set_new(out, "dnssec", json_true());
	if (entry->key.bits & CACHE_CD)
		(void)json_object_set_new(out, "checking-disabled", json_true());
	if (entry->key.kind != CACHE_ANSWER)
		return out;
	size_t n = make_message(job->message, entry);
	if (n)
		explain_records(out, job->message, n);
	return out;
}

/* ---- show and dump ---- */

static bool show_one(void *user, const struct cache_entry *entry)
{
	struct job *job = user;
	if (name_is_equal(entry->key.name, job->name.bytes))
		(void)json_array_append_new(job->list, entry_report(job, entry));
	return true;
}

static int append(const char *bytes, size_t n, void *user)
{
	struct job *job = user;
	if (job->n + n > KEPT_DUMP_MAX)
		return -1;
	if (job->n + n > job->size) {
		job->size = 2 * (job->n + n);
		job->text = mem_grow(job->text, job->size);
	}
	memcpy(job->text + job->n, bytes, n);
	job->n += n;
	return 0;
}

static bool dump_one(void *user, const struct cache_entry *entry)
{
	struct job *job = user;
	size_t before = job->n;
	json_t *line = entry_report(job, entry);
	job->was_cut =
		json_dump_callback(line, append, job, JSON_COMPACT | JSON_ENSURE_ASCII) < 0 ||
		append("\n", 1, job) < 0;
	json_decref(line);
	if (job->was_cut)
		job->n = before;
	return !job->was_cut;
}

/* ---- flush ---- */

static bool is_meant(const struct job *job, const uint8_t *name)
{
	return job->is_tree ? name_is_at_or_below(name, job->name.bytes)
			    : name_is_equal(name, job->name.bytes);
}

/* An answer to another name that an alias led through what is flushed. */
static bool tells_of(struct job *job, const struct cache_entry *entry)
{
	struct pad pad;
	struct message m;
	bool is_found = false;
	size_t n = make_message(job->message, entry);
	pad_init(&pad, PAD_LIMIT, NULL);
	if (n && message_read(&m, job->message, n, &pad) == 0)
		for (size_t i = 0; i < m.n && !is_found; i++)
			is_found = m.sets[i].section == SECTION_ANSWER &&
				   is_meant(job, m.sets[i].owner);
	pad_clear(&pad);
	return is_found;
}

static bool find_teller(void *user, const struct cache_entry *entry)
{
	struct job *job = user;
	if (entry->key.kind != CACHE_ANSWER || !tells_of(job, entry))
		return true;
	size_t i = job->drops_n++;
	job->drop[i].name.len = entry->key.len;
	memcpy(job->drop[i].name.bytes, entry->key.name, entry->key.len);
	job->drop[i].key = entry->key;
	job->drop[i].key.name = job->drop[i].name.bytes;
	return job->drops_n < DROPS_AT_ONCE;
}

static void flush(struct job *job)
{
	job->flushed =
		cache_flush(job->cache, job->has_name ? job->name.bytes : NULL, job->is_tree);
	if (!job->has_name)
		return;
	job->drops_n = DROPS_AT_ONCE;
	for (unsigned i = 0; i < ROUNDS_MAX && job->drops_n == DROPS_AT_ONCE; i++) {
		job->drops_n = 0;
		cache_walk(job->cache, find_teller, job);
		for (size_t k = 0; k < job->drops_n; k++)
			job->flushed += cache_drop(job->cache, &job->drop[k].key);
	}
}

/* ---- jobs ---- */

static void on_show(void *user)
{
	struct job *job = user;
	cache_walk(job->cache, show_one, job);
}

static void on_dump(void *user)
{
	struct job *job = user;
	cache_walk(job->cache, dump_one, job);
}

static void on_flush(void *user)
{
	flush(user);
}

static void job_free(struct job *job)
{
	job->daemon->has_job = false;
	mem_free(job->text);
	mem_free(job);
}

/* At the daemon's end nobody waits any more. */
static void end(struct job *job, json_t *reply)
{
	if (job->daemon->is_stopping)
		json_decref(reply);
	else
		control_reply(job->call, reply, false);
	job_free(job);
}

static void shown(void *user)
{
	struct job *job = user;
	end(job, json_pack("{s:b,s:o}", "ok", 1, "entries", job->list));
}

static void flushed(void *user)
{
	struct job *job = user;
	end(job, json_pack("{s:b,s:I}", "ok", 1, "flushed", (json_int_t)job->flushed));
}

static void dumped(void *user)
{
	static const char cut[] = "{\"cut\":true}\n";
	struct job *job = user;
	if (job->was_cut)
		(void)append(cut, sizeof cut - 1, job);
	if (!job->daemon->is_stopping)
		control_reply_text(job->call, job->text ? job->text : "", job->n);
	job_free(job);
}

static void start(struct daemon *d, const struct request *request, struct control_call *call,
	void (*work)(void *user), void (*done)(void *user))
{
	const char *why = !d->cache    ? "there is no cache: the configuration has no chain"
			  : d->has_job ? "the cache is being walked for somebody else"
				       : NULL;
	if (why) {
		control_reply(call, json_pack("{s:b,s:s}", "ok", 0, "error", why), false);
		return;
	}
	struct job *job = mem_new(sizeof *job);
	job->daemon = d;
	job->call = call;
	job->cache = d->cache;
	job->now_ms = clock_mono_ms();
	job->has_name = request && request->has_name;
	job->is_tree = request && request->is_tree;
	if (job->has_name)
		job->name = request->name;
	job->list = work == on_show ? json_array() : NULL;
	d->has_job = true;
	loop_work(d->loop, work, done, job);
}

void kept_show(struct daemon *d, const struct request *request, struct control_call *call)
{
	if (request->has_name)
		start(d, request, call, on_show, shown);
	else
		control_reply(call,
			json_pack("{s:b,s:s}", "ok", 0, "error", "'name' is missing"), false);
}

void kept_dump(struct daemon *d, struct control_call *call)
{
	start(d, NULL, call, on_dump, dumped);
}

void kept_flush(struct daemon *d, const struct request *request, struct control_call *call)
{
	start(d, request, call, on_flush, flushed);
}
