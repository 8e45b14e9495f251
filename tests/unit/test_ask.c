#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "admin/ask.h"

static const struct {
	int type;
	struct slice in;
	const char *want;
} cases[] = {
	{ ASK_A, { "\x7f\0\0\1", 4 }, "127.0.0.1" },
	{ ASK_A, { "\x7f\0\0", 3 }, NULL },
	{ ASK_AAAA, { "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16 },
	    "2001:db8::1" },
	{ ASK_AAAA, { "\x7f\0\0\1", 4 }, NULL },
	{ ASK_MX, { "\0\12\4Mail\2de\0", 11 }, "mail.de" },
	{ ASK_MX, { "\0\0\0", 3 }, "" }, /* RFC 7505 3 */
	{ ASK_MX, { "\0\12", 2 }, NULL },
	{ ASK_PTR, { "\1a\1b\0", 5 }, "a.b" },
	{ ASK_PTR, { "\1a\1b", 4 }, NULL },
	{ ASK_PTR, { "\1a\5b\0", 5 }, NULL },
	{ ASK_PTR, { "\1a\0x", 4 }, NULL },
	{ ASK_PTR, { "\3a.\n\0", 5 }, "a??" },
	{ ASK_PTR, { "\xc0\0\0", 3 }, NULL }, /* no pointers here */
	{ ASK_TXT, { "\6v=spf1\5 -all", 13 }, "v=spf1 -all" },
	{ ASK_TXT, { "\1\n", 2 }, "?" },
	{ ASK_TXT, { "\3ab", 3 }, NULL },
	{ 99, { "\1a", 2 }, NULL },
};

static void
records(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		char out[ASK_TEXT_MAX], *exact;
		struct slice in = cases[i].in;

		exact = malloc(in.n);
		assert_non_null(exact);
		memcpy(exact, in.p, in.n);
		if (cases[i].want == NULL) {
			assert_false(ask_read(
			    cases[i].type, slice_of(exact, in.n), out));
		} else {
			assert_true(ask_read(
			    cases[i].type, slice_of(exact, in.n), out));
			assert_string_equal(out, cases[i].want);
		}
		free(exact);
	}
}

/* Every length and every byte in every place, each in a block of its size. */
static void
damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++)
		for (size_t n = 1; n <= cases[i].in.n; n++)
			for (unsigned b = 0; b < 256; b++) {
				char out[ASK_TEXT_MAX];
				char *exact = malloc(n);

				assert_non_null(exact);
				memcpy(exact, cases[i].in.p, n);
				exact[n - 1] = (char)b;
				if (ask_read(
					cases[i].type, slice_of(exact, n), out))
					assert_true(strlen(out) < ASK_TEXT_MAX);
				free(exact);
			}
}

static void
reverse(void **state)
{
	char out[80];

	(void)state;
	assert_true(ask_reverse("192.0.2.7", out));
	assert_string_equal(out, "7.2.0.192.in-addr.arpa");
	/* RFC 3596 2.5 */
	assert_true(ask_reverse("4321:0:1:2:3:4:567:89ab", out));
	assert_string_equal(out,
	    "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0."
	    "1.2.3.4.ip6.arpa");
	assert_false(ask_reverse("mail.example", out));
	assert_false(ask_reverse("", out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(damaged),
		cmocka_unit_test(reverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
