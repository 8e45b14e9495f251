/*
 * fuzz_downgrade.c - any mail for a host that takes 7 bits: what comes out
 * can be sent there, and comes out again as it is.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/base/utf8.h"
#include "submitd/downgrade.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try(struct slice s, bool utf8)
{
	struct buf out, again;

	buf_init(&out, 8 << 20);
	buf_init(&again, 8 << 20);
	if (downgrade(s, utf8, &out)) {
		ph_assert(utf8_is_ascii(buf_slice(&out)));
		ph_assert(buf_len(&out) <= 6 * s.n + 1000);
		ph_assert(downgrade(buf_slice(&out), utf8, &again));
		ph_assert(slice_eq(buf_slice(&out), buf_slice(&again)));
	}
	buf_fini(&out);
	buf_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of(data, size);
	struct buf out;

	if (size > 100000)
		return 0;
	try(s, false);
	try(s, true);
	buf_init(&out, 8 << 20);
	if (downgrade_binary(s, &out))
		ph_assert(!buf_failed(&out));
	buf_fini(&out);
	return 0;
}
