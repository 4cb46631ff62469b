/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/resolvconf.h"
#include "unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct resolvconf conf_of(const char *text)
{
	struct resolvconf conf;
	resolvconf_read_text(&conf, text, strlen(text));
	return conf;
}

/* The addresses in their order, blanks between them. */
static const char *list(const struct resolvconf *conf)
{
	static char text[RESOLVCONF_SERVERS * (INET6_ADDRSTRLEN + 16)];
	text[0] = '\0';
	for (size_t i = 0; i < conf->n; i++) {
		char one[INET6_ADDRSTRLEN];
		const struct resolvconf_server *s = &conf->server[i];
		bool is_ipv4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)s->address);
		ck_assert_ptr_nonnull(inet_ntop(is_ipv4 ? AF_INET : AF_INET6,
			s->address + (is_ipv4 ? 12 : 0), one, sizeof one));
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
			i ? " " : "", one);
	}
	return text;
}

START_TEST(name_servers_are_taken_in_their_order)
{
	struct resolvconf conf = conf_of("# made by hand\n"
					 "search example.org lan\n"
					 "nameserver 192.0.2.1\n"
					 "nameserver 2001:db8::53\n"
					 "options edns0 trust-ad\n"
					 "nameserver ::ffff:192.0.2.3\n");
	ck_assert_str_eq(list(&conf), "192.0.2.1 2001:db8::53 192.0.2.3");
	ck_assert_uint_eq(conf.bad, 0);
	ck_assert_uint_eq(conf.server[1].scope, 0);
}
END_TEST

START_TEST(blanks_and_ends_of_lines_do_no_harm)
{
	struct resolvconf conf = conf_of("\xef\xbb\xbfnameserver\t 192.0.2.1 \t\r\n"
					 "\r\n   \n"
					 "  nameserver 192.0.2.2\r\n"
					 "nameserver 192.0.2.3");
	ck_assert_str_eq(list(&conf), "192.0.2.1 192.0.2.2 192.0.2.3");
	ck_assert_uint_eq(conf.bad, 0);
}
END_TEST

START_TEST(comments_are_no_addresses)
{
	struct resolvconf conf = conf_of(";nameserver 192.0.2.1\n"
					 "#nameserver 192.0.2.2\n"
					 "nameserver 192.0.2.3#the router\n"
					 "nameserver 192.0.2.4 ; another\n"
					 "nameserver # 192.0.2.5\n");
	ck_assert_str_eq(list(&conf), "192.0.2.3 192.0.2.4");
	ck_assert_uint_eq(conf.bad, 1);
}
END_TEST

START_TEST(bad_lines_are_passed_over_and_counted)
{
	struct resolvconf conf = conf_of("nameserver\n"
					 "nameserver 192.0.2\n"
					 "nameserver 192.0.2.256\n"
					 "nameserver 2001:db8:::1\n"
					 "nameserver dns.example.org\n"
					 "nameserver192.0.2.1\n"
					 "NAMESERVER 192.0.2.1\n"
					 "nameserver 192.0.2.1%lo\n"
					 "nameserver 192.0.2.9 192.0.2.8\n"
					 "\x01\xff\n");
	ck_assert_str_eq(list(&conf), "192.0.2.9");
	ck_assert_uint_eq(conf.bad, 9);
}
END_TEST

START_TEST(a_zero_byte_is_no_end)
{
	static const char text[] = "name\0server 192.0.2.1\nnameserver 192.0.2.\0"
				   "2\nnameserver fe80::1%l\0o\nnameserver 192.0.2.3\n";
	struct resolvconf conf;
	resolvconf_read_text(&conf, text, sizeof text - 1);
	ck_assert_str_eq(list(&conf), "192.0.2.3");
	ck_assert_uint_eq(conf.bad, 3);
}
END_TEST

START_TEST(a_zone_is_kept_when_there_is_such_an_interface)
{
	char text[256];
	uint32_t lo = if_nametoindex("lo");
	ck_assert_uint_ne(lo, 0);
	(void)snprintf(text, sizeof text,
		"nameserver fe80::1%%lo\nnameserver fe80::2%%%u\n"
		"nameserver fe80::3%%no-such-iface\nnameserver fe80::4%%\n"
		"nameserver fe80::5%%4000000000\nnameserver "
		"fe80::6%%no-such-interface-at-all\n",
		lo);
	struct resolvconf conf = conf_of(text);
	ck_assert_str_eq(list(&conf), "fe80::1 fe80::2");
	ck_assert_uint_eq(conf.server[0].scope, lo);
	ck_assert_uint_eq(conf.server[1].scope, lo);
	ck_assert_uint_eq(conf.bad, 4);
}
END_TEST

START_TEST(at_most_eight_are_kept_and_each_once)
{
	char text[1024] = "";
	for (unsigned i = 0; i < 20; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text),
			"nameserver 192.0.2.%u\n", i / 2);
	struct resolvconf conf = conf_of(text);
	ck_assert_uint_eq(conf.n, RESOLVCONF_SERVERS);
	ck_assert_uint_eq(conf.beyond, 4);
	ck_assert_str_eq(list(&conf), "192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 "
				      "192.0.2.5 192.0.2.6 192.0.2.7");
}
END_TEST

START_TEST(a_file_is_read_as_far_as_its_bound)
{
	char path[] = "/tmp/rootward-test-XXXXXX";
	static char blanks[RESOLVCONF_MAX];
	struct resolvconf conf;
	struct err err;
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	memset(blanks, '\n', sizeof blanks);
	ck_assert_int_eq(write(fd, "nameserver 192.0.2.1\n", 21), 21);
	ck_assert_int_eq(write(fd, blanks, sizeof blanks), sizeof blanks);
	ck_assert_int_eq(write(fd, "nameserver 192.0.2.2\n", 21), 21);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(resolvconf_read(&conf, path, &err), 0);
	ck_assert_str_eq(list(&conf), "192.0.2.1");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(resolvconf_read(&conf, path, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_uint_eq(conf.n, 0);
}
END_TEST

START_TEST(what_is_no_file_is_refused_without_waiting)
{
	char folder[] = "/tmp/rootward-test-XXXXXX", fifo[64];
	struct resolvconf conf;
	struct err err;
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(fifo, sizeof fifo, "%s/fifo", folder);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(resolvconf_read(&conf, fifo, &err), -EINVAL);
	ck_assert_int_eq(resolvconf_read(&conf, folder, &err), -EINVAL);
	ck_assert_int_eq(unlink(fifo), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

UNIT_MAIN("text/resolvconf", name_servers_are_taken_in_their_order,
	blanks_and_ends_of_lines_do_no_harm, comments_are_no_addresses,
	bad_lines_are_passed_over_and_counted, a_zero_byte_is_no_end,
	a_zone_is_kept_when_there_is_such_an_interface, at_most_eight_are_kept_and_each_once,
	a_file_is_read_as_far_as_its_bound, what_is_no_file_is_refused_without_waiting)
