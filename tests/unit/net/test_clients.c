/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/clients.h"
#include "unit/unit.h"

#include <errno.h>

static uint64_t client(const struct clients *clients, const char *text)
{
	struct addr a;
	ck_assert_int_eq(addr_parse(&a, text, 53, NULL), 0);
	return clients_of(clients, &a, 8);
}

START_TEST(a_client_is_an_ipv4_address_or_an_ipv6_net)
{
	struct clients c;
	clients_init(&c);
	ck_assert_uint_eq(client(&c, "192.0.2.1@1"), client(&c, "192.0.2.1@2"));
	ck_assert_uint_eq(client(&c, "192.0.2.1"), client(&c, "::ffff:192.0.2.1"));
	ck_assert_uint_ne(client(&c, "192.0.2.1"), client(&c, "192.0.2.2"));
	ck_assert_uint_eq(client(&c, "2001:db8::1"), client(&c, "2001:db8::2:0:0:1"));
	ck_assert_uint_ne(client(&c, "2001:db8::1"), client(&c, "2001:db8:0:1::1"));
	clients_fini(&c);
}
END_TEST

START_TEST(one_client_has_no_more_than_its_limit)
{
	struct clients c;
	clients_init(&c);
	uint64_t id = client(&c, "192.0.2.1"), other = client(&c, "192.0.2.2");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(clients_put(&c, id, 3), 0);
	ck_assert_int_eq(clients_put(&c, id, 3), -EUSERS);
	ck_assert_int_eq(clients_put(&c, other, 3), 0);
	ck_assert_uint_eq(clients_count(&c, id), 3);
	clients_drop(&c, id);
	ck_assert_int_eq(clients_put(&c, id, 3), 0);
	ck_assert_int_eq(clients_put(&c, id, 2), -EUSERS);
	clients_fini(&c);
}
END_TEST

START_TEST(counts_are_right_while_clients_come_and_go)
{
	enum {
		N = 3000
	};
	static uint64_t ids[N];
	static uint32_t counts[N];
	struct clients c;
	clients_init(&c);
	for (uint32_t i = 0; i < N; i++) {
		struct addr a = { .v4 = { .sin_family = AF_INET, .sin_addr = { i } } };
		ids[i] = clients_of(&c, &a, 8);
	}
	uint32_t x = 1, all = 0;
	for (int step = 0; step < 200000; step++) {
		x = x * 1664525 + 1013904223;
		uint32_t i = (x >> 8) % N;
		/* Grows for the first half, shrinks for the second. */
		bool is_put = (x >> 28) < (step < 100000 ? 10u : 6u);
		if (is_put) {
			ck_assert_int_eq(clients_put(&c, ids[i], UINT32_MAX), 0);
			counts[i]++;
			all++;
		} else if (counts[i]) {
			clients_drop(&c, ids[i]);
			counts[i]--;
			all--;
		}
		if (clients_count(&c, ids[i]) != counts[i])
			ck_abort_msg("step %d: client %u has a wrong count", step, i);
	}
	for (uint32_t i = 0; i < N; i++) {
		ck_assert_uint_eq(clients_count(&c, ids[i]), counts[i]);
		for (; counts[i]; counts[i]--)
			clients_drop(&c, ids[i]);
	}
	ck_assert_uint_eq(c.used, 0);
	ck_assert_uint_gt(all, 0);
	clients_fini(&c);
}
END_TEST

UNIT_MAIN("net/clients", a_client_is_an_ipv4_address_or_an_ipv6_net,
	one_client_has_no_more_than_its_limit, counts_are_right_while_clients_come_and_go)
