#include "lib/base/cset.h"

#include <string.h>

#include "tests/unit/unit.h"

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alpha(int c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_alnum(int c)
{
	return is_digit(c) || is_alpha(c);
}

static bool
is_hex(int c)
{
	return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static bool
is_vchar(int c)
{
	return c >= 0x21 && c <= 0x7e;
}

static bool
is_ctl(int c)
{
	return c <= 0x1f || c == 0x7f;
}

static bool
is_wsp(int c)
{
	return c == ' ' || c == '\t';
}

static bool
is_8bit(int c)
{
	return c >= 0x80;
}

/* RFC 5322 3.2.3 */
static bool
is_atext(int c)
{
	return is_alnum(c) ||
	       (c != 0 && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static const struct {
	const char *name;
	const struct cset *set;
	bool (*is)(int c);
	int count;
} classes[] = {
	{ "digit", &cset_digit, is_digit, 10 },
	{ "alpha", &cset_alpha, is_alpha, 52 },
	{ "alnum", &cset_alnum, is_alnum, 62 },
	{ "hex", &cset_hex, is_hex, 22 },
	{ "vchar", &cset_vchar, is_vchar, 94 },
	{ "ctl", &cset_ctl, is_ctl, 33 },
	{ "wsp", &cset_wsp, is_wsp, 2 },
	{ "8bit", &cset_8bit, is_8bit, 128 },
	{ "atext", &cset_atext, is_atext, 81 },
};

static void
all_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(classes); i++) {
		int count = 0;

		for (int c = 0; c < 256; c++) {
			bool has = cset_has(classes[i].set, (char)c);

			if (has != classes[i].is(c))
				print_error(
				    "%s: byte %d\n", classes[i].name, c);
			assert_int_equal(has, classes[i].is(c));
			count += has;
		}
		assert_int_equal(count, classes[i].count);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_bytes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
