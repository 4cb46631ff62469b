/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_reply.c -- any bytes are a reply from another server
 *
 * What     The first byte says what was asked. Whatever the message is, what is left of it lies
 *          in the zone that was asked, belongs to the name that was asked for, and takes no
 *          more memory than it may.
 */
#include "base/mem.h"
#include "resolve/scrub.h"
#include "wire/rrtype.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct {
	const char *zone, *name;
	uint16_t type;
} questions[] = {
	{ "", "\7example\3com", TYPE_A },
	{ "\3com", "\3www\7example\3com", TYPE_A },
	{ "\7example\3com", "\3www\7example\3com", TYPE_A },
	{ "\7example\3com", "\3www\7example\3com", TYPE_ANY },
	{ "\7example\3com", "\7example\3com", TYPE_NS },
	{ "\7example\3com", "\3sub\7example\3com", TYPE_DS },
	{ "\7example\3com", "\3www\7example\3com", TYPE_CNAME },
	{ "\7example\3com", "\1a\1b\1c\3sub\7example\3com", TYPE_RRSIG },
};

static void check(const struct reply *reply, const struct scrub_ask *ask)
{
	must(reply->n <= REPLY_SETS && reply->proofs_n <= REPLY_PROOFS);
	for (unsigned i = 0; i < reply->n; i++)
		must(name_is_at_or_below(reply->set[i]->owner, ask->zone) &&
			reply->set[i]->section == SECTION_ANSWER);
	for (unsigned i = 0; i < reply->proofs_n; i++)
		must(name_is_at_or_below(reply->proof[i]->owner, ask->zone) &&
			reply->proof[i]->section == SECTION_AUTHORITY);
	must((reply->kind == REPLY_ANSWER) <= (reply->n > reply->aliases));
	must((reply->kind == REPLY_REFERRAL) == (reply->referral != NULL));
	if (!reply->referral)
		return;
	const uint8_t *cut = reply->referral->owner;
	must(name_is_at_or_below(reply->name, cut) && name_is_at_or_below(cut, ask->zone) &&
		!name_is_equal(cut, ask->zone));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 2 || n > 1 + MESSAGE_MAX_LEN)
		return 0;
	size_t q = data[0] % array_len(questions);
	uint8_t *msg = mem_copy(data + 1, n - 1); /* so that its end is watched */
	const struct scrub_ask ask = { .zone = (const uint8_t *)questions[q].zone,
		.name = (const uint8_t *)questions[q].name,
		.type = questions[q].type,
		.aliases = BUDGET_ALIASES };
	struct message m;
	struct reply reply;
	struct pad pad;
	pad_init(&pad, 2 << 20, NULL);
	if (message_read(&m, msg, n - 1, &pad) == 0) {
		scrub_read(&reply, &m, &ask, &pad);
		check(&reply, &ask);
	}
	pad_clear(&pad);
	mem_free(msg);
	return 0;
}
