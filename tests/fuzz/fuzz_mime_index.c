/*
 * fuzz_mime_index.c - the compact form as it may come from a damaged disk.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/mail/mime_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t path[] = { 1, 2, 1, 1 };
	struct mime_part *root;
	uint64_t off, len;
	struct arena a;
	struct buf b;

	arena_init(&a);
	buf_init(&b, 64 << 20);
	if (mime_load(slice_of(data, size), &a, &root)) {
		for (size_t n = 0; n <= 4; n++)
			for (int what = MIME_BODY; what <= MIME_MIME; what++)
				if (mime_range(root, path, n,
					(enum mime_what)what, &off, &len))
					ph_assert(off + len >= off &&
						  off + len <= mime_end(root));
		ph_assert(mime_serialize(root, &b));
	} else {
		ph_assert(root == NULL);
	}
	buf_fini(&b);
	arena_clear(&a);
	return 0;
}
