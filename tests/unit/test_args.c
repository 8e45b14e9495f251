#include "tests/unit/unit.h"

#include <stdio.h>

#include "admin/args.h"

enum { WORDS = 12 };

static const char spec[] = "json quota= address=* name=";

/* Words in, "WORD WORD|name=value name" out; NULL: refused. */
static const struct {
	const char *in[WORDS];
	const char *want;
} cases[] = {
	{ { NULL }, "|" },
	{ { "a", "b" }, "a b|" },
	{ { "a", "--json", "b" }, "a b|json=" },
	{ { "--quota", "2G", "a" }, "a|quota=2G" },
	{ { "--quota=2G", "a" }, "a|quota=2G" },
	{ { "--quota=" }, "|quota=" },
	{ { "--quota", "--json" }, "|quota=--json" },
	{ { "--address", "x", "--address=y" }, "|address=x address=y" },
	{ { "--name", "", "-" }, "-|name=" },
	{ { "a", "--", "--json", "-x" }, "a --json -x|" },
	{ { "--quota" }, NULL },                /* its value is missing */
	{ { "--quota=1", "--quota=2" }, NULL }, /* twice */
	{ { "--json", "--json" }, NULL },
	{ { "--json=1" }, NULL }, /* a flag */
	{ { "--jso" }, NULL },
	{ { "--jsonx" }, NULL },
	{ { "--"
	    "=x" },
	    NULL },
	{ { "-j" }, NULL },
};

static void
show(const struct args *a, char *out, size_t cap)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < a->nwords; i++)
		n += (size_t)snprintf(
		    out + n, cap - n, "%s%s", i != 0 ? " " : "", a->words[i]);
	n += (size_t)snprintf(out + n, cap - n, "|");
	for (size_t i = 0; i < a->nopts; i++)
		n += (size_t)snprintf(out + n, cap - n, "%s%.*s=%s",
		    i != 0 ? " " : "", (int)a->opts[i].name.n,
		    a->opts[i].name.p, a->opts[i].value);
}

static void
words_and_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct args a;
		struct err e = { 0 };
		char got[200];
		size_t n = 0;
		int rc;

		while (n < WORDS && cases[i].in[n] != NULL)
			n++;
		rc = args_parse(&a, spec, n, cases[i].in, &e);
		if (cases[i].want == NULL) {
			assert_int_equal(rc, ERR_INVALID);
			assert_true(e.text[0] != '\0');
			continue;
		}
		assert_int_equal(rc, 0);
		show(&a, got, sizeof(got));
		assert_string_equal(got, cases[i].want);
	}
}

static void
questions(void **state)
{
	static const char *const in[] = { "--address", "x", "--json",
		"--address", "y" };
	struct args a;
	size_t at = 0;

	(void)state;
	assert_int_equal(args_parse(&a, spec, PH_LEN(in), in, NULL), 0);
	assert_true(args_has(&a, "json"));
	assert_false(args_has(&a, "quota"));
	assert_null(args_get(&a, "quota"));
	assert_string_equal(args_get(&a, "address"), "x");
	assert_string_equal(args_next(&a, "address", &at), "x");
	assert_string_equal(args_next(&a, "address", &at), "y");
	assert_null(args_next(&a, "address", &at));
}

static void
too_many(void **state)
{
	const char *words[ARGS_WORDS_MAX + 1];
	struct args a;

	(void)state;
	for (size_t i = 0; i < PH_LEN(words); i++)
		words[i] = "w";
	assert_int_equal(args_parse(&a, spec, ARGS_WORDS_MAX, words, NULL), 0);
	assert_int_equal(
	    args_parse(&a, spec, PH_LEN(words), words, NULL), ERR_INVALID);
	for (size_t i = 0; i < PH_LEN(words); i++)
		words[i] = "--address=x";
	assert_int_equal(
	    args_parse(&a, spec, PH_LEN(words), words, NULL), ERR_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_options),
		cmocka_unit_test(questions),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
