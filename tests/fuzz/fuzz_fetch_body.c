/*
 * fuzz_fetch_body.c - BODY out of a BODYSTRUCTURE text, however damaged.
 */
#include <stddef.h>
#include <stdint.h>

#include "imapd/fetch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once, twice;

	if (size > 1 << 16)
		return 0;
	buf_init(&once, 1 << 18);
	buf_init(&twice, 1 << 18);
	/* What has no extension data is its own BODY. */
	if (fetch_body_of(&once, slice_of(data, size))) {
		ph_assert(buf_len(&once) <= size);
		ph_assert(fetch_body_of(&twice, buf_slice(&once)));
		ph_assert(slice_eq(buf_slice(&once), buf_slice(&twice)));
	} else {
		ph_assert(buf_len(&once) == 0);
	}
	buf_fini(&once);
	buf_fini(&twice);
	return 0;
}
