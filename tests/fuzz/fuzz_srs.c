/*
 * fuzz_srs.c - senders of forwarded mail, there and back (O17).  The first
 * line is an address, what is behind it another that claims to be ours.
 */
#include <stddef.h>
#include <stdint.h>

#include "submitd/srs.h"

enum { NOW = 1795000000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
decode(struct slice addr)
{
	struct buf out;

	buf_init(&out, 2000);
	/* Nobody else knows the key. */
	if (srs_decode(SLICE("another key"), NOW, addr, &out))
		ph_assert(slice_chr(buf_slice(&out), '@') < buf_len(&out));
	buf_fini(&out);
}

/* One byte changed is forged, but for the case of letters in the tag. */
static void
forge(struct slice made)
{
	char copy[1000];
	struct buf out;

	if (made.n > sizeof(copy))
		return;
	for (size_t i = 5; i < slice_rchr(made, '@'); i++) {
		(void)slice_copy(made, copy, sizeof(copy));
		copy[i] ^= 2;
		buf_init(&out, 2000);
		ph_assert(!srs_decode(SLICE("key"), NOW, slice_of(copy, made.n),
			      &out) ||
			  copy[i] == '=');
		buf_fini(&out);
	}
}

static void
there_and_back(struct slice addr)
{
	struct buf made, back;

	buf_init(&made, 2000);
	buf_init(&back, 2000);
	if (srs_encode(SLICE("key"), NOW, addr, SLICE("ours.test"), &made)) {
		ph_assert(srs_is(buf_slice(&made)));
		ph_assert(
		    slice_rchr(buf_slice(&made), '@') <= SRS_LOCAL_MAX + 12);
		if (srs_decode(SLICE("key"), NOW, buf_slice(&made), &back) &&
		    !srs_is(addr))
			ph_assert(slice_eq(buf_slice(&back), addr));
		if (buf_len(&made) < 60)
			forge(buf_slice(&made));
	}
	buf_fini(&made);
	buf_fini(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size), first;
	size_t at;

	if (size > 2000 || !slice_split(&rest, '\n', &first))
		return 0;
	decode(rest);
	at = slice_rchr(first, '@');
	/* No domain has one of these. */
	if (at < first.n && first.p[0] != '@' && at + 1 != first.n &&
	    slice_chr(slice_from(first, at), '=') == first.n - at)
		there_and_back(first);
	return 0;
}
