/* SPDX-License-Identifier: BSD-2-Clause */
/* The link in a real chain, with a link behind it that stands for the rest of the world. */
#include "base/clock.h"
#include "base/mem.h"
#include "links/hosts_table.h"
#include "links/links.h"
#include "unit/chain_of.h"
#include "unit/unit.h"
#include "wire/rrtype.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* ---- the rest of the world: everything has the address 198.51.100.7 ---- */

struct far {
	const struct link_calls *calls;
	unsigned asked;
};
static struct far far;

static void *far_open(void *data, const struct link_calls *calls, void *inside)
{
	(void)data, (void)inside;
	far.calls = calls;
	return &far;
}

static enum link_verdict far_ask(void *instance, struct link_ask *ask, void **state)
{
	static const uint8_t address[] = { 198, 51, 100, 7 };
	const struct link_question *q = far.calls->question(ask);
	(void)instance, (void)state;
	far.asked++;
	if (q->type == TYPE_A)
		ck_assert(far.calls->add(ask, LINK_SECTION_ANSWER, q->name, TYPE_A, 300,
			address, sizeof address));
	return LINK_ANSWER;
}

static const struct link link_far = {
	.abi = ROOTWARD_LINK_ABI, .kind = "far", .open = far_open, .ask = far_ask
};

/* ---- files and what is said of them ---- */

enum {
	FILES = 3
};

struct prepared {
	char paths[FILES][64];
	const char *texts[FILES], *places[FILES];
	struct link_value values[2];
	struct link_given given;
	char said[16384];
	size_t warnings, watched;
	char error[256];
	void *data;
};

static PRINTF(2, 3) void on_warning(void *teller, const char *fmt, ...)
{
	struct prepared *p = teller;
	size_t n = strlen(p->said);
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(p->said + n, sizeof p->said - n, fmt, ap);
	va_end(ap);
	p->warnings++;
}

static void on_watch(void *teller, const char *path)
{
	struct prepared *p = teller;
	ck_assert_str_eq(path, p->texts[p->watched++]);
}

/* Prepares the link with files of these texts; NULL ends them. A text that begins with a slash
 * is a path. */
static void prepare_all(struct prepared *p, const char *const *texts)
{
	memset(p, 0, sizeof *p);
	size_t n = 0;
	for (; texts[n]; n++) {
		(void)snprintf(p->paths[n], sizeof p->paths[n], "%s",
			texts[n][0] == '/' ? texts[n] : "/tmp/rootward-test-XXXXXX");
		p->texts[n] = p->paths[n];
		p->places[n] = "test.yaml:1:1";
		if (texts[n][0] == '/')
			continue;
		int fd = mkstemp(p->paths[n]);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(write(fd, texts[n], strlen(texts[n])), strlen(texts[n]));
		ck_assert_int_eq(close(fd), 0);
	}
	p->values[0] = (struct link_value){
		.is_given = true, .n = n, .texts = p->texts, .places = p->places
	};
	p->values[1] = (struct link_value){ .number = 60000 };
	p->given = (struct link_given){ .name = "os",
		.values = p->values,
		.warn = on_warning,
		.watch = on_watch,
		.teller = p };
	p->data = link_hosts.prepare(&p->given, p->error, sizeof p->error);
	for (size_t i = 0; i < n; i++)
		if (texts[i][0] != '/')
			(void)unlink(p->paths[i]);
}

static void prepare(struct prepared *p, const char *text)
{
	prepare_all(p, (const char *const[]){ text, NULL });
	ck_assert_ptr_nonnull(p->data);
}

static bool owns(const struct prepared *p, const char *name)
{
	struct name wire = name_of(name);
	return link_hosts.owns(p->data, wire.bytes);
}

/* ---- a chain ---- */

struct world {
	struct ground ground;
	struct chain_plan plan;
	struct chain_wait wait;
	struct told told; /* last */
	bool is_kept;
};

static void set_plan(struct world *w, struct chain_plan *plan, void *data, uint32_t generation)
{
	*plan = (struct chain_plan){ .opts = chain_opts_of(100),
		.generation = generation,
		.n = 2,
		.link = { { .name = "os",
				  .kind = &link_hosts,
				  .data = data,
				  .generation = generation },
			{ .name = "far",
				.kind = &link_far,
				.generation = 1000,
				.ttl_max = 86400 } } };
	chain_set_plan(w->ground.chain, plan, NULL);
}

static struct world *world_new(struct prepared *p)
{
	struct world *w = calloc(1, sizeof *w);
	ck_assert_ptr_nonnull(w);
	fake_reset(1800000000);
	far.asked = 0;
	w->ground = ground_new();
	set_plan(w, &w->plan, p->data, 1);
	return w;
}

static void world_free(struct world *w)
{
	ground_free(&w->ground);
	told_end(&w->told);
	chain_plan_release(&w->plan);
	free(w);
}

static void tell(struct world *w, const struct name *name, uint16_t type, uint16_t class,
	struct chain_told *told)
{
	uint8_t lower[NAME_MAX_LEN];
	name_lower(lower, name->bytes, name->len);
	struct chain_question q = { .name = lower,
		.hash = key_hash(lower),
		.type = type,
		.class = class };
	w->is_kept = chain_recall(w->ground.chain, &q, told) == CHAIN_TOLD;
	if (!w->is_kept)
		ck_assert_int_eq(chain_ask(w->ground.chain, &q, &w->wait, told), CHAIN_TOLD);
}

static void ask_in(struct world *w, const char *text, uint16_t type, uint16_t class)
{
	struct name name = name_of(text);
	struct chain_told told;
	tell(w, &name, type, class, &told);
	told_read(&w->told, &told, name.bytes, type, class);
}

static void ask(struct world *w, const char *text, uint16_t type)
{
	ask_in(w, text, type, CLASS_IN);
}

/* The set of the answer that has owner and type holds these addresses or names, in order. */
static bool has(const struct world *w, const char *owner, uint16_t type, const char *wanted)
{
	struct name name = name_of(owner);
	const struct rrset *set = message_find(&w->told.m, SECTION_ANSWER, name.bytes, type);
	char text[4096] = "", one[NAME_TEXT_MAX];
	const uint8_t *at = NULL;
	uint16_t len;
	if (!set)
		return false;
	while ((at = rrset_next(set, at, &len))) {
		if (type == TYPE_A || type == TYPE_AAAA)
			(void)inet_ntop(len == 4 ? AF_INET : AF_INET6, at, one, sizeof one);
		else
			(void)name_print(one, at);
		strcat(strcat(text, *text ? " " : ""), one);
	}
	return set->ttl <= 300 && strcmp(text, wanted) == 0;
}

/* NOERROR without an answer, with an SOA by which clients may remember that. */
static bool is_nodata(const struct world *w, const char *owner)
{
	struct name name = name_of(owner);
	const struct rrset *soa =
		message_find(&w->told.m, SECTION_AUTHORITY, name.bytes, TYPE_SOA);
	uint16_t len;
	if (w->told.m.rcode != RCODE_NOERROR || w->told.m.n != 1 || !soa || soa->ttl != 60)
		return false;
	const uint8_t *rdata = rrset_next(soa, NULL, &len);
	return get_u32(rdata + len - 4) == 60;
}

static const char small[] = "127.0.0.1 localhost\n"
			    "::1 localhost ip6-localhost\n"
			    "192.0.2.1 box.lan box\n"
			    "2001:db8::1 Box.LAN\n"
			    "192.0.2.2 printer.lan\n"
			    "192.0.2.9 box.lan\n"
			    "0.0.0.0 ads.example.com\n"
			    ":: ads.example.com\n"
			    "cname www.lan www.example.com.\n"
			    "cname one.lan two.lan\ncname two.lan box.lan\n"
			    "cname loop1.lan loop2.lan\ncname loop2.lan loop1.lan\n";

static struct world *small_world(struct prepared *p)
{
	prepare(p, small);
	ck_assert_msg(p->warnings == 0, "%s", p->said);
	return world_new(p);
}

START_TEST(addresses_are_told_in_the_order_of_the_file)
{
	struct prepared p;
	struct world *w = small_world(&p);
	ask(w, "box.lan.", TYPE_A);
	ck_assert(w->told.m.rcode == RCODE_NOERROR && w->told.m.n == 1 &&
		  w->told.flags & FLAG_AA);
	ck_assert(has(w, "box.lan.", TYPE_A, "192.0.2.1 192.0.2.9"));
	ck_assert_uint_eq(w->told.m.sets[0].ttl, 60);
	ask(w, "box.lan.", TYPE_AAAA);
	ck_assert(w->told.m.n == 1 && has(w, "box.lan.", TYPE_AAAA, "2001:db8::1"));
	ask(w, "box.", TYPE_A);
	ck_assert(has(w, "box.", TYPE_A, "192.0.2.1"));
	ask(w, "localhost.", TYPE_AAAA);
	ck_assert(has(w, "localhost.", TYPE_AAAA, "::1"));
	ck_assert_uint_eq(far.asked, 0);
	world_free(w);
}
END_TEST

START_TEST(a_blocked_name_is_told_as_it_is_written)
{
	struct prepared p;
	struct world *w = small_world(&p);
	ask(w, "ads.example.com.", TYPE_A);
	ck_assert(has(w, "ads.example.com.", TYPE_A, "0.0.0.0"));
	ask(w, "ads.example.com.", TYPE_AAAA);
	ck_assert(has(w, "ads.example.com.", TYPE_AAAA, "::"));
	ask(w, "ads.example.com.", TYPE_HTTPS);
	ck_assert(is_nodata(w, "ads.example.com."));
	ck_assert_uint_eq(far.asked, 0);
	world_free(w);
}
END_TEST

START_TEST(letter_case_does_not_matter)
{
	struct prepared p;
	struct world *w = small_world(&p);
	ask(w, "BOX.lAn.", TYPE_AAAA);
	ck_assert(has(w, "BOX.lAn.", TYPE_AAAA, "2001:db8::1"));
	world_free(w);
}
END_TEST

START_TEST(an_owned_name_is_owned_for_every_type_and_never_denied)
{
	static const uint16_t types[] = { TYPE_AAAA, TYPE_NS, TYPE_MX, TYPE_TXT, TYPE_PTR,
		TYPE_CNAME, TYPE_DS, TYPE_HTTPS, TYPE_DNSKEY, TYPE_RRSIG, 65280 };
	struct prepared p;
	struct world *w = small_world(&p);
	for (size_t i = 0; i < array_len(types); i++) {
		ask(w, "printer.lan.", types[i]);
		ck_assert_msg(is_nodata(w, "printer.lan."), "type %u", types[i]);
		ck_assert(w->told.flags & FLAG_AA && !w->is_kept);
	}
	ask(w, "printer.lan.", TYPE_SOA);
	ck_assert(w->told.m.n == 1 && w->told.m.sets[0].section == SECTION_ANSWER);
	ck_assert_uint_eq(far.asked, 0);
	world_free(w);
}
END_TEST

START_TEST(any_is_what_there_is)
{
	struct prepared p;
	struct world *w = small_world(&p);
	ask(w, "box.lan.", TYPE_ANY);
	ck_assert_uint_eq(w->told.m.n, 2);
	ck_assert(has(w, "box.lan.", TYPE_A, "192.0.2.1 192.0.2.9"));
	ck_assert(has(w, "box.lan.", TYPE_AAAA, "2001:db8::1"));
	ask(w, "www.lan.", TYPE_ANY);
	ck_assert(w->told.m.n == 1 && has(w, "www.lan.", TYPE_CNAME, "www.example.com."));
	ck_assert_uint_eq(far.asked, 0);
	world_free(w);
}
END_TEST

START_TEST(names_beside_above_and_below_are_not_ours)
{
	static const char *const names[] = { "lan.", "a.box.lan.", "ox.lan.", "bbox.lan.",
		"com.", "example.com.", "x.ads.example.com.", ".", "2.0.192.in-addr.arpa." };
	struct prepared p;
	struct world *w = small_world(&p);
	for (size_t i = 0; i < array_len(names); i++) {
		ask(w, names[i], TYPE_A);
		ck_assert_msg(has(w, names[i], TYPE_A, "198.51.100.7"), "%s", names[i]);
		ck_assert(!owns(&p, names[i]));
	}
	ck_assert_uint_eq(far.asked, array_len(names));
	world_free(w);
}
END_TEST

static struct world *lan_world(struct prepared *p)
{
	static const uint8_t lan[] = "\3lan", inner[] = "\3dmz\3lan";
	static const uint8_t *const zones[] = { lan, inner };
	static const char text[] = "192.0.2.1 box.lan other.example\n192.0.2.2 a.b.c.lan\n"
				   "192.0.2.3 x.dmz.lan\n";
	char path[] = "/tmp/rootward-test-XXXXXX";
	int fd = mkstemp(path);
	ck_assert_int_eq(write(fd, text, sizeof text - 1), sizeof text - 1);
	ck_assert_int_eq(close(fd), 0);
	prepare(p, small);
	link_hosts.release(p->data);
	p->texts[0] = path;
	p->watched = 0;
	p->given.zones = zones;
	p->given.zones_n = array_len(zones);
	p->data = link_hosts.prepare(&p->given, p->error, sizeof p->error);
	(void)unlink(path);
	ck_assert_ptr_nonnull(p->data);
	return world_new(p);
}

START_TEST(zones_that_a_link_is_limited_to_are_its_own)
{
	struct prepared p;
	struct world *w = lan_world(&p);
	ask(w, "box.lan.", TYPE_A);
	ck_assert(has(w, "box.lan.", TYPE_A, "192.0.2.1"));
	ask(w, "nobody.lan.", TYPE_A);
	ck_assert(w->told.m.rcode == RCODE_NXDOMAIN && w->told.flags & FLAG_AA &&
		  w->told.m.n == 1);
	ck_assert_ptr_nonnull(message_find(
		&w->told.m, SECTION_AUTHORITY, (const uint8_t *)"\3lan", TYPE_SOA));
	ask(w, "y.dmz.lan.", TYPE_A);
	ck_assert_ptr_nonnull(message_find(
		&w->told.m, SECTION_AUTHORITY, (const uint8_t *)"\3dmz\3lan", TYPE_SOA));
	/* Names that only have names below them are there, without data. */
	ask(w, "b.c.lan.", TYPE_A);
	ck_assert(w->told.m.rcode == RCODE_NOERROR && w->told.m.n == 1);
	ask(w, "lan.", TYPE_A);
	ck_assert(w->told.m.rcode == RCODE_NOERROR && w->told.m.n == 1);
	ask(w, "lan.", TYPE_SOA);
	ck_assert_ptr_nonnull(
		message_find(&w->told.m, SECTION_ANSWER, (const uint8_t *)"\3lan", TYPE_SOA));
	ck_assert_uint_eq(far.asked, 0);
	ck_assert(owns(&p, "nobody.lan.") && !owns(&p, "nobody.example."));
	world_free(w);
}
END_TEST

START_TEST(other_classes_pass)
{
	struct prepared p;
	struct world *w = small_world(&p);
	ask_in(w, "box.lan.", TYPE_A, CLASS_CH);
	ck_assert(far.asked == 1 && has(w, "box.lan.", TYPE_A, "198.51.100.7"));
	world_free(w);
}
END_TEST

START_TEST(an_address_leads_back_to_the_first_name_of_its_lines)
{
	struct prepared p;
	prepare(&p, "192.0.2.1 box.lan box\n192.0.2.1 other.lan more\n192.0.2.1 BOX.lan.\n"
		    "2001:db8::1f box.lan\n255.10.9.100 x\n");
	struct world *w = world_new(&p);
	ask(w, "1.2.0.192.in-addr.arpa.", TYPE_PTR);
	ck_assert(has(w, "1.2.0.192.in-addr.arpa.", TYPE_PTR, "box.lan. other.lan."));
	ask(w, "100.9.10.255.IN-ADDR.ARPA.", TYPE_PTR);
	ck_assert(has(w, "100.9.10.255.in-addr.arpa.", TYPE_PTR, "x."));
	const char *v6 = "F.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
			 "8.b.d.0.1.0.0.2.ip6.arpa.";
	ask(w, v6, TYPE_PTR);
	ck_assert(has(w, v6, TYPE_PTR, "box.lan."));
	ask(w, "1.2.0.192.in-addr.arpa.", TYPE_A);
	ck_assert(is_nodata(w, "1.2.0.192.in-addr.arpa."));
	ck_assert(owns(&p, "1.2.0.192.in-addr.arpa."));
	ck_assert_uint_eq(far.asked, 0);
	world_free(w);
}
END_TEST

START_TEST(addresses_that_block_lead_back_to_nobody)
{
	static const char *const none[] = { "0.0.0.0.in-addr.arpa.", "1.0.0.127.in-addr.arpa.",
		"1.1.0.127.in-addr.arpa.",
		"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa." };
	struct prepared p;
	prepare(&p, "0.0.0.0 a\n127.0.0.1 b localhost\n127.0.1.1 c\n:: d\n::1 e\n");
	struct world *w = world_new(&p);
	for (size_t i = 0; i < array_len(none); i++) {
		ask(w, none[i], TYPE_PTR);
		ck_assert_msg(far.asked == i + 1, "%s", none[i]);
		ck_assert(!owns(&p, none[i]));
	}
	world_free(w);
	w = small_world(&p);
	ask(w, none[1], TYPE_PTR);
	ck_assert(has(w, none[1], TYPE_PTR, "localhost."));
	ask(w, none[4], TYPE_PTR);
	ck_assert(has(w, none[4], TYPE_PTR, "localhost."));
	world_free(w);
}
END_TEST

START_TEST(a_local_alias_of_a_public_name_is_followed)
{
	struct prepared p;
	struct world *w = small_world(&p);
	ask(w, "www.lan.", TYPE_A);
	ck_assert(w->told.m.rcode == RCODE_NOERROR && w->told.m.n == 2);
	ck_assert(has(w, "www.lan.", TYPE_CNAME, "www.example.com."));
	ck_assert(has(w, "www.example.com.", TYPE_A, "198.51.100.7"));
	ck_assert_uint_eq(w->told.m.sets[0].ttl, 60);
	ck_assert_uint_eq(far.asked, 1);
	ask(w, "www.lan.", TYPE_CNAME);
	ck_assert(w->told.m.n == 1 && has(w, "www.lan.", TYPE_CNAME, "www.example.com."));
	ck_assert_uint_eq(far.asked, 1);
	ask(w, "www.lan.", TYPE_A);
	ck_assert(!w->is_kept); /* its first half is ours */
	world_free(w);
}
END_TEST

START_TEST(aliases_of_ours_lead_to_names_of_ours)
{
	struct prepared p;
	struct world *w = small_world(&p);
	ask(w, "one.lan.", TYPE_A);
	ck_assert_uint_eq(w->told.m.n, 3);
	ck_assert(has(w, "one.lan.", TYPE_CNAME, "two.lan."));
	ck_assert(has(w, "two.lan.", TYPE_CNAME, "box.lan."));
	ck_assert(has(w, "box.lan.", TYPE_A, "192.0.2.1 192.0.2.9"));
	ask(w, "one.lan.", TYPE_MX);
	ck_assert(w->told.m.rcode == RCODE_NOERROR && w->told.m.n == 3);
	ck_assert_uint_eq(w->told.m.sets[2].section, SECTION_AUTHORITY);
	ck_assert_uint_eq(far.asked, 0);
	world_free(w);
}
END_TEST

START_TEST(aliases_in_a_circle_come_to_an_end)
{
	struct prepared p;
	struct world *w = small_world(&p);
	ask(w, "loop1.lan.", TYPE_A);
	ck_assert_uint_eq(w->told.m.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(far.asked, 0);
	world_free(w);
}
END_TEST

START_TEST(who_speaks_first_of_a_name_is_right)
{
	struct prepared p;
	prepare(&p, "192.0.2.1 a\ncname a b\ncname c d\n192.0.2.2 c x\ncname c D\ncname c e\n");
	ck_assert_uint_eq(p.warnings, 3);
	ck_assert_ptr_nonnull(strstr(p.said, ":2:7: the name has addresses already"));
	ck_assert_ptr_nonnull(strstr(p.said, ":4:11: the name is an alias already"));
	ck_assert_ptr_nonnull(strstr(p.said, ":6:7: the name is an alias already"));
	struct world *w = world_new(&p);
	ask(w, "a.", TYPE_A);
	ck_assert(has(w, "a.", TYPE_A, "192.0.2.1"));
	ask(w, "c.", TYPE_CNAME);
	ck_assert(has(w, "c.", TYPE_CNAME, "d."));
	ask(w, "x.", TYPE_A);
	ck_assert(has(w, "x.", TYPE_A, "192.0.2.2"));
	world_free(w);
}
END_TEST

START_TEST(files_are_read_in_their_order)
{
	struct prepared p;
	prepare_all(
		&p, (const char *const[]){ "192.0.2.1 a\n", "cname a b\n192.0.2.2 a\n", NULL });
	ck_assert_uint_eq(p.warnings, 1);
	ck_assert_uint_eq(p.watched, 2);
	struct world *w = world_new(&p);
	ask(w, "a.", TYPE_A);
	ck_assert(has(w, "a.", TYPE_A, "192.0.2.1 192.0.2.2"));
	world_free(w);
}
END_TEST

START_TEST(a_file_that_is_not_there_may_come)
{
	struct prepared p;
	prepare_all(&p, (const char *const[]){ "/nonexistent/hosts", "192.0.2.1 a\n", NULL });
	ck_assert_ptr_nonnull(p.data);
	ck_assert_uint_eq(p.warnings, 1);
	ck_assert_uint_eq(p.watched, 2);
	ck_assert_ptr_nonnull(strstr(p.said, "test.yaml:1:1: "));
	ck_assert_ptr_nonnull(strstr(p.said, "/nonexistent/hosts"));
	ck_assert(owns(&p, "a."));
	link_hosts.release(p.data);
	prepare_all(&p, (const char *const[]){ "/nonexistent/hosts", NULL });
	ck_assert_ptr_nonnull(p.data);
	ck_assert(!owns(&p, "a."));
	link_hosts.release(p.data);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	struct prepared p;
	prepare_all(&p, (const char *const[]){ "192.0.2.1 a\n", "/", NULL });
	ck_assert_ptr_null(p.data);
	ck_assert_ptr_nonnull(strstr(p.error, "test.yaml:1:1: cannot read '/'"));
	prepare_all(&p, (const char *const[]){ NULL });
	ck_assert_ptr_null(p.data);
	ck_assert_ptr_nonnull(strstr(p.error, "files"));
}
END_TEST

START_TEST(the_special_name_localhost_is_not_opened)
{
	struct prepared p;
	prepare(&p, "192.0.2.66 localhost x.localhost notlocalhost a.home.arpa\n");
	ck_assert(!owns(&p, "localhost."));
	ck_assert(!owns(&p, "x.localhost."));
	ck_assert(owns(&p, "notlocalhost."));
	ck_assert(owns(&p, "a.home.arpa."));
	ck_assert(!owns(&p, "home.arpa."));
	link_hosts.release(p.data);
}
END_TEST

START_TEST(a_changed_file_shows_at_once)
{
	struct prepared p, without;
	struct world *w = small_world(&p);
	struct chain_plan other;
	prepare(&without, "192.0.2.5 new.lan\n");
	ask(w, "new.lan.", TYPE_A);
	ck_assert(has(w, "new.lan.", TYPE_A, "198.51.100.7"));
	ask(w, "new.lan.", TYPE_A);
	ck_assert(w->is_kept && far.asked == 1);
	ask(w, "box.lan.", TYPE_A);
	ask(w, "box.lan.", TYPE_A);
	ck_assert(!w->is_kept && far.asked == 1);

	set_plan(w, &other, without.data, 2);
	ask(w, "new.lan.", TYPE_A);
	ck_assert(!w->is_kept && has(w, "new.lan.", TYPE_A, "192.0.2.5"));
	ask(w, "box.lan.", TYPE_A);
	ck_assert(far.asked == 2 && has(w, "box.lan.", TYPE_A, "198.51.100.7"));

	set_plan(w, &w->plan, p.data, 3);
	ask(w, "new.lan.", TYPE_A); /* what is kept from afar stands again */
	ck_assert(far.asked == 2 && has(w, "new.lan.", TYPE_A, "198.51.100.7"));
	ask(w, "new.lan.", TYPE_A);
	ck_assert(w->is_kept);
	chain_plan_release(&other);
	world_free(w);
}
END_TEST

/* ---- many ---- */

static char many[1 << 20];

START_TEST(what_is_too_much_for_one_name_is_left_out)
{
	struct prepared p;
	size_t n = 0;
	for (unsigned i = 0; i < 300; i++)
		n += (size_t)snprintf(
			many + n, sizeof many - n, "10.0.%u.%u many.lan\n", i / 256, i % 256);
	for (unsigned i = 0; i < 40; i++)
		n += (size_t)snprintf(many + n, sizeof many - n, "192.0.2.1 name%u.lan\n", i);
	prepare(&p, many);
	ck_assert_uint_eq(p.warnings, 21); /* twenty, and how many more there were */
	ck_assert_ptr_nonnull(strstr(p.said, ":256:12: the name has 255 addresses"));
	ck_assert_ptr_nonnull(strstr(p.said, ": 33 more lines like these"));
	struct world *w = world_new(&p);
	ask(w, "many.lan.", TYPE_A);
	ck_assert(
		w->told.m.n == 1 && w->told.m.sets[0].n == 255 && !(w->told.m.flags & FLAG_TC));
	ask(w, "1.2.0.192.in-addr.arpa.", TYPE_PTR);
	ck_assert(w->told.m.n == 1 && w->told.m.sets[0].n == 32);
	ask(w, "name39.lan.", TYPE_A);
	ck_assert(has(w, "name39.lan.", TYPE_A, "192.0.2.1"));
	world_free(w);
}
END_TEST

static int to_draft(void *user, const struct hosts_entry *entry, struct err *err)
{
	return hosts_draft_add(user, entry, err);
}

static uint32_t address_of(uint32_t i)
{
	return i * 2654435761u | 1u;
}

START_TEST(among_many_names_each_is_found_with_what_is_its_own)
{
	enum {
		NAMES = 50000
	};
	struct hosts_draft *draft = hosts_draft_new();
	struct hosts_entry entry = { .kind = HOSTS_IPV4 };
	struct err err;
	char text[64];
	for (uint32_t i = 0; i < NAMES; i++) {
		(void)snprintf(text, sizeof text, "host-%u.example.", i);
		entry.name = name_of(text);
		put_u32(entry.address, address_of(i));
		ck_assert_int_eq(hosts_draft_add(draft, &entry, &err), 0);
	}
	struct hosts_table *table = hosts_draft_finish(&draft);
	ck_assert_ptr_null(draft);
	ck_assert_uint_eq(hosts_table_names(table), NAMES);
	for (uint32_t i = 0; i < 2 * NAMES; i++) {
		struct hosts_found found;
		(void)snprintf(text, sizeof text, "host-%u.example.", i);
		struct name name = name_of(text);
		bool is_there =
			hosts_table_find(table, name.bytes, key_hash(name.bytes), &found);
		ck_assert_int_eq(is_there, i < NAMES);
		if (is_there)
			ck_assert(found.set[HOSTS_A].n == 1 && found.set[HOSTS_A].size == 6 &&
				  get_u32(found.set[HOSTS_A].records + 2) == address_of(i));
	}
	hosts_table_free(&table);
}
END_TEST

static double seconds(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

START_TEST(a_list_of_blocked_names_is_small_and_read_at_once)
{
	const char *path = "../shared/data/adservers.hosts";
	const char *root = getenv("srcdir");
	char at[4096];
	(void)snprintf(at, sizeof at, "%s/%s", root ? root : ".", path);
	struct hosts_draft *draft = hosts_draft_new();
	struct complaints complaints = { 0 };
	struct err err;
	double since = seconds();
	long n = hosts_scan(at, to_draft, draft, &complaints, &err);
	struct hosts_table *table = hosts_draft_finish(&draft);
	double took = seconds() - since;
	if (n == -ENOENT) {
		printf("skipped: %s is not there\n", path);
	} else {
		size_t names = hosts_table_names(table), bytes = hosts_table_bytes(table);
		printf("%zu names in %.1f ms, %.1f bytes each\n", names, took * 1e3,
			(double)bytes / (double)names);
		ck_assert_uint_eq(complaints.warnings, 0);
		ck_assert_int_eq(n, 42531);
		ck_assert_uint_le(names, 42531);
		ck_assert_uint_le(bytes, names * 48);
		ck_assert(took < 0.5); /* under sanitizers, too */
	}
	complaints_fini(&complaints);
	hosts_table_free(&table);
}
END_TEST

UNIT_MAIN("links/hosts", addresses_are_told_in_the_order_of_the_file,
	a_blocked_name_is_told_as_it_is_written, letter_case_does_not_matter,
	an_owned_name_is_owned_for_every_type_and_never_denied, any_is_what_there_is,
	names_beside_above_and_below_are_not_ours, zones_that_a_link_is_limited_to_are_its_own,
	other_classes_pass, an_address_leads_back_to_the_first_name_of_its_lines,
	addresses_that_block_lead_back_to_nobody, a_local_alias_of_a_public_name_is_followed,
	aliases_of_ours_lead_to_names_of_ours, aliases_in_a_circle_come_to_an_end,
	who_speaks_first_of_a_name_is_right, files_are_read_in_their_order,
	a_file_that_is_not_there_may_come, what_is_no_file_is_refused,
	the_special_name_localhost_is_not_opened, a_changed_file_shows_at_once,
	what_is_too_much_for_one_name_is_left_out,
	among_many_names_each_is_found_with_what_is_its_own,
	a_list_of_blocked_names_is_small_and_read_at_once)
