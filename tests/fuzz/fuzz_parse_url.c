/*
 * fuzz_parse_url.c - URLs of messages, as CATENATE has them.
 */
#include <stddef.h>
#include <stdint.h>

#include "imapd/parse_url.h"
#include "lib/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imap_url u;
	struct arena a;

	if (size > 1 << 14)
		return 0;
	arena_init(&a);
	if (url_parse(&a, slice_of(data, size), &u))
		ph_assert(u.uid != 0 && utf8_valid(u.mailbox) &&
			  (u.mailbox.n != 0 || !u.absolute) &&
			  (u.section == NULL || u.section->npath < 1000));
	arena_clear(&a);
	return 0;
}
