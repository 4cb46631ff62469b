/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/message.h"

const char *rcode_word(unsigned rcode)
{
	static const char *const words[] = { [RCODE_NOERROR] = "NOERROR",
		[RCODE_FORMERR] = "FORMERR",
		[RCODE_SERVFAIL] = "SERVFAIL",
		[RCODE_NXDOMAIN] = "NXDOMAIN",
		[RCODE_NOTIMP] = "NOTIMP",
		[RCODE_REFUSED] = "REFUSED",
		[RCODE_YXDOMAIN] = "YXDOMAIN",
		[RCODE_NOTAUTH] = "NOTAUTH",
		[RCODE_BADVERS] = "BADVERS",
		[RCODE_BADKEY] = "BADKEY" };
	return rcode < array_len(words) ? words[rcode] : NULL;
}
