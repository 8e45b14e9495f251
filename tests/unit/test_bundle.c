#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/crypt/bundle.h"

static void
pack(struct buf *out)
{
	struct bundle_entry a = { SLICE("*"), SLICE("CHAIN"), SLICE("KEY") };
	struct bundle_entry b = { SLICE("mail.example"), SLICE(""), SLICE("") };

	bundle_add(out, &a);
	bundle_add(out, &b);
}

static void
there_and_back(void **state)
{
	struct bundle_entry e;
	struct slice rest;
	struct buf b;
	bool bad;

	(void)state;
	buf_init(&b, 1000);
	pack(&b);
	rest = buf_slice(&b);
	assert_true(bundle_next(&rest, &e, &bad));
	assert_true(slice_eq(e.name, SLICE("*")));
	assert_true(slice_eq(e.chain_pem, SLICE("CHAIN")));
	assert_true(slice_eq(e.key_pem, SLICE("KEY")));
	assert_true(bundle_next(&rest, &e, &bad));
	assert_true(slice_eq(e.name, SLICE("mail.example")));
	assert_int_equal(e.key_pem.n, 0);
	assert_false(bundle_next(&rest, &e, &bad));
	assert_false(bad);
	buf_fini(&b);
}

/* Every prefix that is not a whole number of entries is damage. */
static void
every_prefix(void **state)
{
	struct bundle_entry e;
	struct slice rest;
	struct buf b;
	size_t first;
	bool bad;

	(void)state;
	buf_init(&b, 1000);
	pack(&b);
	first = 3 * 4 + strlen("*CHAINKEY");
	for (size_t n = 0; n <= buf_len(&b); n++) {
		char *p = malloc(n != 0 ? n : 1);

		assert_non_null(p);
		memcpy(p, buf_slice(&b).p, n);
		rest = slice_of(p, n);
		while (bundle_next(&rest, &e, &bad))
			;
		assert_int_equal(bad, n != 0 && n != first && n != buf_len(&b));
		free(p);
	}
	buf_fini(&b);
}

static void
huge_length(void **state)
{
	static const char bytes[] = "\xff\xff\xff\xff"
				    "abc";
	struct slice rest = { bytes, sizeof(bytes) - 1 };
	struct bundle_entry e;
	bool bad;

	(void)state;
	assert_false(bundle_next(&rest, &e, &bad));
	assert_true(bad);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(every_prefix),
		cmocka_unit_test(huge_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
