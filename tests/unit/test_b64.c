#include "lib/base/b64.h"

#include "tests/unit/unit.h"

/* RFC 4648 10 */
static const struct {
	const char *plain, *coded;
} vectors[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/" },
};

static void
rfc_vectors(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < PH_LEN(vectors); i++) {
		buf_clear(&b);
		b64_encode(&b, slice_str(vectors[i].plain));
		assert_slice(buf_slice(&b), vectors[i].coded);
		buf_clear(&b);
		assert_true(b64_decode(&b, slice_str(vectors[i].coded)));
		assert_slice(buf_slice(&b), vectors[i].plain);
	}
	buf_fini(&b);
}

static const char *const refused[] = {
	"Z",
	"Zg",
	"Zg=",
	"Zm8",
	"Zg==Zg==",
	"Zg===",
	"====",
	"=",
	"Z===",
	"Zh==", /* pad bits, RFC 4648 3.5 */
	"Zm9=",
	"Zm 9",
	"Zm9v\n",
	"\nZm9v",
	"Zm-_",
	"Zm9\xff",
	"Z=g=",
	"=Zg=",
	"Zg=v",
};

static void
refuses(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < PH_LEN(refused); i++) {
		if (b64_decode(&b, slice_str(refused[i])))
			print_error("accepted: %s\n", refused[i]);
		assert_false(b64_decode(&b, slice_str(refused[i])));
	}
	assert_false(b64_decode(&b, SLICE("Zm\0v")));
	buf_fini(&b);
}

static void
there_and_back(void **state)
{
	struct buf coded, plain;
	unsigned char bytes[300];

	(void)state;
	buf_init(&coded, 1000);
	buf_init(&plain, 1000);
	for (size_t n = 0; n < sizeof(bytes); n++) {
		struct slice in;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)(i * 37 + n);
		in = unit_exact(bytes, n);
		buf_clear(&coded);
		buf_clear(&plain);
		b64_encode(&coded, in);
		assert_int_equal(buf_len(&coded), (n + 2) / 3 * 4);
		assert_true(b64_decode(&plain, buf_slice(&coded)));
		assert_true(slice_eq(buf_slice(&plain), in));
		unit_free(in);
	}
	buf_fini(&coded);
	buf_fini(&plain);
}

/* Of all groups of four bytes that differ in one place from a good one,
 * those accepted are canonical: coding them again gives the same. */
static void
one_byte_changes(void **state)
{
	static const char good[] = "Zm9vYmE=";
	struct buf plain, again;

	(void)state;
	buf_init(&plain, 100);
	buf_init(&again, 100);
	for (size_t at = 0; at < sizeof(good) - 1; at++)
		for (int c = 0; c < 256; c++) {
			struct slice s = unit_exact(good, sizeof(good) - 1);

			((char *)(uintptr_t)s.p)[at] = (char)c;
			buf_clear(&plain);
			buf_clear(&again);
			if (b64_decode(&plain, s)) {
				b64_encode(&again, buf_slice(&plain));
				assert_true(slice_eq(buf_slice(&again), s));
			}
			unit_free(s);
		}
	buf_fini(&plain);
	buf_fini(&again);
}

static void
ceiling(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	b64_encode(&b, SLICE("foob"));
	assert_true(buf_failed(&b));
	assert_int_equal(buf_len(&b), 0);
	buf_clear(&b);
	assert_false(b64_decode(&b, SLICE("Zm9vYmFy")));
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_vectors),
		cmocka_unit_test(refuses),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(one_byte_changes),
		cmocka_unit_test(ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
