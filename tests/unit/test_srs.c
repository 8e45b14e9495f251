#include "tests/unit/unit.h"

#include "submitd/srs.h"

#define KEY SLICE("0123456789abcdef0123456789abcdef")

enum { DAY = 86400 };
static const int64_t now = INT64_C(1795867200); /* 28 November 2026 */

static struct slice
encode(struct buf *b, const char *sender)
{
	buf_clear(b);
	assert_true(
	    srs_encode(KEY, now, slice_str(sender), SLICE("ours.example"), b));
	return buf_slice(b);
}

static bool
back(struct slice addr, int64_t when, const char *want)
{
	struct slice exact = unit_exact(addr.p, addr.n);
	struct buf b;
	bool good;

	buf_init(&b, 400);
	good = srs_decode(KEY, when, exact, &b) &&
	       slice_eq(buf_slice(&b), slice_str(want));
	buf_fini(&b);
	unit_free(exact);
	return good;
}

/* There and back, in time, whatever a mail system does to its case. */
static void
test_first(void **state)
{
	static const char *const senders[] = { "a@example.net",
		"First.Last+tag=x@sub.example.co.uk", "\"q q\"@example.net",
		"a=b@example.net" };
	struct buf b;

	(void)state;
	buf_init(&b, 400);
	for (size_t i = 0; i < PH_LEN(senders); i++) {
		struct slice addr = encode(&b, senders[i]);
		char lower[400];

		assert_true(slice_istarts(addr, SLICE("SRS0=")));
		assert_true(srs_is(addr));
		assert_true(back(addr, now, senders[i]));
		assert_true(back(addr, now + 21 * DAY, senders[i]));
		assert_false(back(addr, now + 22 * DAY, senders[i]));
		assert_false(back(addr, now - DAY, senders[i]));
		for (size_t k = 0; k < addr.n; k++)
			lower[k] = ascii_lower(addr.p[k]);
		lower[addr.n] = '\0';
		if (i == 0)
			assert_true(back(slice_str(lower), now, senders[i]));
	}
	buf_fini(&b);
}

/* A chain of forwarders makes one address, not a long one: it leads to the
 * first of them. */
static void
test_second(void **state)
{
	static const char first[] =
	    "SRS0=opaque+string=46=example.net=a@forwarder.example";
	struct buf b, c;
	struct slice addr;

	(void)state;
	buf_init(&b, 400);
	buf_init(&c, 400);
	addr = encode(&b, first);
	assert_true(slice_istarts(addr, SLICE("SRS1=")));
	assert_true(back(addr, now, first));
	assert_true(srs_encode(
	    SLICE("another key"), now, addr, SLICE("third.example"), &c));
	/* HASH aside, the third names what the second did. */
	assert_slice(slice_sub(buf_slice(&c), 11, 17), "=forwarder.exampl");
	assert_false(back(buf_slice(&c), now, first));
	buf_fini(&b);
	buf_fini(&c);
}

/* Every change of a byte that is not one of case is found out; so is a
 * beginning of it. */
static void
test_forged(void **state)
{
	struct buf b;
	struct slice addr;
	char copy[200];

	(void)state;
	buf_init(&b, 400);
	addr = encode(&b, "sender@example.net");
	for (size_t i = 0; i < slice_chr(addr, '@'); i++) {
		memcpy(copy, addr.p, addr.n);
		copy[i] ^= 1;
		if (i != 4) /* the separator */
			assert_false(back(
			    slice_of(copy, addr.n), now, "sender@example.net"));
		assert_false(
		    back(slice_sub(addr, 0, i), now, "sender@example.net"));
	}
	assert_false(srs_is(SLICE("srs0")));
	assert_false(srs_is(SLICE("srs2=a=b=c=d@e")));
	assert_false(back(SLICE("SRS0=====@x"), now, ""));
	assert_false(back(SLICE("SRS1=@x"), now, ""));
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_second),
		cmocka_unit_test(test_forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
