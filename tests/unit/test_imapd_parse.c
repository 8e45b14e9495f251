#include "imapd/parse.h"

#include "storage/view.h"
#include "tests/unit/imap_parse.h"

/* Which words each class of strings takes. */
static const struct {
	const char *in;
	const char *astring, *string; /* NULL: refused */
} strings[] = {
	{ "abc", "abc", NULL },
	{ "a]b", "a]b", NULL },
	{ "a}b", "a}b", NULL },
	{ "\"\"", "", "" },
	{ "\"a b\"", "a b", "a b" },
	{ "\"a\\\"b\\\\c\"", "a\"b\\c", "a\"b\\c" },
	{ "\"\\\"\"", "\"", "\"" },
	{ "\"a\\bc\"", NULL, NULL },
	{ "\"a", NULL, NULL },
	{ "\"a\\\"", NULL, NULL },
	{ "\"\xc3\xa4\"", "\xc3\xa4", "\xc3\xa4" },
	{ "\xc3\xa4", NULL, NULL },
	{ "{3}\r\na b", "a b", "a b" },
	{ "{3+}\r\na b", "a b", "a b" },
	{ "~{3}\r\na b", "a b", "a b" },
	{ "{0}\r\n", "", "" },
	{ "{4}\r\na b", NULL, NULL },
	{ "{3}a b", NULL, NULL },
	{ "{18446744073709551616}\r\na", NULL, NULL },
	{ "", NULL, NULL },
	{ "(a)", NULL, NULL },
	{ "%", NULL, NULL },
	{ "\\a", NULL, NULL },
	{ "~a", "~a", NULL },
};

static void
one_string(const char *in, const char *want,
    bool (*rule)(struct parse *p, struct slice *out))
{
	struct slice text = unit_exact(in, strlen(in)), out;
	struct parse p;
	struct arena a;
	bool good;

	arena_init(&a);
	parse_init(&p, text, &a, false);
	good = rule(&p, &out) && parse_end(&p);
	assert_int_equal(good, want != NULL);
	if (good)
		assert_slice(out, want);
	arena_clear(&a);
	unit_free(text);
}

static void
all_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(strings); i++) {
		one_string(strings[i].in, strings[i].astring, parse_astring);
		one_string(strings[i].in, strings[i].string, parse_string);
	}
	one_string("NIL", NULL, parse_string);
	one_string("INBOX/", "INBOX", parse_mailbox);
	one_string("\"Entw&APw-rfe\"", "Entw\xc3\xbcrfe", parse_mailbox);
	one_string("%/*", "%/*", parse_pattern);
	one_string("\"a %\"", "a %", parse_pattern);
	one_string("a(", NULL, parse_pattern);
}

static void
nil(void **state)
{
	struct slice out;
	struct parse p;
	struct arena a;

	(void)state;
	arena_init(&a);
	parse_init(&p, SLICE("nil"), &a, false);
	assert_true(parse_nstring(&p, &out) && parse_end(&p));
	assert_null(out.p);
	parse_init(&p, SLICE("\"NIL\""), &a, false);
	assert_true(parse_nstring(&p, &out) && parse_end(&p));
	assert_slice(out, "NIL");
	arena_clear(&a);
}

/* A NUL is for literal8 alone. */
static void
nuls(void **state)
{
	struct slice out;
	struct parse p;
	struct arena a;

	(void)state;
	arena_init(&a);
	parse_init(&p, slice_of("{3}\r\na\0b", 8), &a, false);
	assert_false(parse_string(&p, &out));
	parse_init(&p, slice_of("~{3}\r\na\0b", 9), &a, false);
	assert_true(parse_string(&p, &out));
	assert_int_equal(out.n, 3);
	parse_init(&p, slice_of("\"a\0b\"", 5), &a, false);
	assert_false(parse_string(&p, &out));
	arena_clear(&a);
}

/* RFC 9051 9, walked over all bytes. */
static void
classes(void **state)
{
	static const char not_atom[] = "(){ %*\"\\]\x7f";
	static const char not_tag[] = "(){ %*\"\\+\x7f";
	struct slice out;
	struct parse p;
	struct arena a;

	(void)state;
	arena_init(&a);
	for (int i = 0; i < 256; i++) {
		char b = (char)i;
		bool plain = i > 0x20 && i < 0x80;

		parse_init(&p, slice_of(&b, 1), &a, false);
		assert_int_equal(parse_atom(&p, &out),
		    plain && memchr(not_atom, b, sizeof(not_atom) - 1) == NULL);
		parse_init(&p, slice_of(&b, 1), &a, false);
		assert_int_equal(parse_tag(&p, &out),
		    plain && memchr(not_tag, b, sizeof(not_tag) - 1) == NULL);
		assert_int_equal(parse_is_astring(slice_of(&b, 1)),
		    (plain &&
			memchr(not_atom, b, sizeof(not_atom) - 1) == NULL) ||
			b == ']');
	}
	arena_clear(&a);
}

static const struct {
	const char *in;
	bool bare_ok, good;
	uint32_t flags;
	size_t n; /* keywords */
} flags[] = {
	{ "()", false, true, 0, 0 },
	{ "(\\Seen)", false, true, MSG_SEEN, 0 },
	{ "(\\seen \\DELETED $Junk)", false, true, MSG_SEEN | MSG_DELETED, 1 },
	{ "(\\Recent)", false, true, 0, 0 },
	{ "(a b c)", false, true, 0, 3 },
	{ "\\Seen \\Draft x", true, true, MSG_SEEN | MSG_DRAFT, 1 },
	{ "\\Seen", false, false, 0, 0 },
	{ "(\\Foo)", false, false, 0, 0 },
	{ "(\\)", false, false, 0, 0 },
	{ "(\\*)", false, false, 0, 0 },
	{ "(a", false, false, 0, 0 },
	{ "(a )", false, false, 0, 0 },
	{ "( a)", false, false, 0, 0 },
	{ "", true, false, 0, 0 },
};

static void
flag_lists(void **state)
{
	struct parse_flags out;
	struct parse p;
	struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < PH_LEN(flags); i++) {
		bool good;

		parse_init(&p, slice_str(flags[i].in), &a, false);
		good = parse_flag_list(&p, flags[i].bare_ok, &out) &&
		       parse_end(&p);
		assert_int_equal(good, flags[i].good);
		if (good) {
			assert_int_equal(out.flags, flags[i].flags);
			assert_int_equal(out.n, flags[i].n);
		}
	}
	arena_clear(&a);
}

static void
limits(void **state)
{
	struct parse_flags out;
	struct parse p;
	struct arena a;
	struct buf b;

	(void)state;
	arena_init(&a);
	buf_init(&b, 1 << 20);
	buf_add_char(&b, '(');
	for (int i = 0; i < 201; i++)
		buf_printf(&b, "%sk%d", i != 0 ? " " : "", i);
	buf_add_char(&b, ')');
	parse_init(&p, buf_slice(&b), &a, false);
	assert_false(parse_flag_list(&p, false, &out));
	assert_true(p.no);
	assert_string_equal(p.code, "LIMIT");
	buf_clear(&b);
	buf_add_char(&b, '(');
	for (int i = 0; i < 101; i++)
		buf_add_char(&b, 'x');
	buf_add_char(&b, ')');
	parse_init(&p, buf_slice(&b), &a, false);
	assert_false(parse_flag_list(&p, false, &out));
	buf_fini(&b);
	arena_clear(&a);
}

static void
dates(void **state)
{
	struct parse p;
	struct arena a;
	int64_t t;

	(void)state;
	arena_init(&a);
	parse_init(&p, SLICE("1-Feb-1994"), &a, false);
	assert_true(parse_date(&p, &t) && parse_end(&p));
	assert_int_equal(t, 760060800);
	parse_init(&p, SLICE("\"01-feb-1994\""), &a, false);
	assert_true(parse_date(&p, &t) && parse_end(&p));
	assert_int_equal(t, 760060800);
	parse_init(&p, SLICE("31-Feb-1994"), &a, false);
	assert_false(parse_date(&p, &t));
	parse_init(&p, SLICE("\"17-Jul-1996 02:44:25 -0700\""), &a, false);
	assert_true(parse_date_time(&p, &t) && parse_end(&p));
	assert_int_equal(t, 837596665);
	parse_init(&p, SLICE("\"17-Jul-1996\""), &a, false);
	assert_false(parse_date_time(&p, &t));
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_strings),
		cmocka_unit_test(nil),
		cmocka_unit_test(nuls),
		cmocka_unit_test(classes),
		cmocka_unit_test(flag_lists),
		cmocka_unit_test(limits),
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
