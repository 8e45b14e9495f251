/* Names folded. */
#include "auth/ident.h"

#include "tests/unit/unit.h"

enum what { DOMAIN_, ADDRESS, LOGIN, PACKAGE, ACCOUNT };

static const struct {
	enum what what;
	const char *in, *want; /* NULL: refused */
} cases[] = {
	{ DOMAIN_, "Example.ORG", "example.org" },
	{ DOMAIN_, "example.org.", "example.org" },
	{ DOMAIN_, "M\303\274ller.de", "xn--mller-kva.de" },
	{ DOMAIN_, "mu\314\210ller.de", "xn--mller-kva.de" },
	{ DOMAIN_, "stra\303\237e.de", "xn--strae-oqa.de" },
	{ DOMAIN_, "XN--MLLER-KVA.de", "xn--mller-kva.de" },
	{ DOMAIN_, "localhost", "localhost" },
	{ DOMAIN_, "_dmarc.a", "_dmarc.a" },
	{ DOMAIN_, "", NULL },
	{ DOMAIN_, ".", NULL },
	{ DOMAIN_, "a..b", NULL },
	{ DOMAIN_, ".a", NULL },
	{ DOMAIN_, "-a.b", NULL },
	{ DOMAIN_, "a-.b", NULL },
	{ DOMAIN_, "a b", NULL },
	{ DOMAIN_, "a/b", NULL },
	{ DOMAIN_, "[192.0.2.1]", NULL },
	{ DOMAIN_, "a\303", NULL },
	{ DOMAIN_, "\342\230\203", NULL }, /* a snowman is no letter */
	{ DOMAIN_,
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    ".b",
	    NULL },
	{ ADDRESS, "Info@Kunde.DE", "info@kunde.de" },
	{ ADDRESS, "a+B@c", "a+b@c" },
	{ ADDRESS, "@Kunde.de", "@kunde.de" },
	{ ADDRESS, "\"info\"@kunde.de", "info@kunde.de" },
	{ ADDRESS, "J\303\266rg@M\303\274ller.de",
	    "j\303\266rg@xn--mller-kva.de" },
	{ ADDRESS, "a\314\210@b", "\303\244@b" },
	{ ADDRESS, "a@b@c", NULL },
	{ ADDRESS, "\"a@b\"@c", "\"a@b\"@c" },
	{ ADDRESS, "info", NULL },
	{ ADDRESS, "info@", NULL },
	{ ADDRESS, "in fo@b", NULL },
	{ ADDRESS, "../x@b", NULL },
	{ ADDRESS, "a/b@c", NULL },
	{ ADDRESS, "a\001@c", NULL },
	{ ADDRESS, "a\377@c", NULL },
	{ ADDRESS,
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "@b",
	    NULL },
	{ LOGIN, "WEB1P1", "web1p1" },
	{ LOGIN, " web1p1 ", "web1p1" },
	{ LOGIN, "Info@M\303\274ller.de", "info@xn--mller-kva.de" },
	{ LOGIN, "web1p1+Folder", "web1p1+folder" },
	{ LOGIN, "info%kunde.de", "info%kunde.de" },
	{ LOGIN, "", NULL },
	{ LOGIN, "  ", NULL },
	{ LOGIN, "@kunde.de", NULL },
	{ LOGIN, "a/b", NULL },
	{ LOGIN, "a..b", NULL },
	{ LOGIN, "a\nb", NULL },
	{ PACKAGE, "Web100", "web100" },
	{ PACKAGE, "web100p1", NULL },
	{ PACKAGE, "", NULL },
	{ ACCOUNT, "WEB100P1", "web100p1" },
	{ ACCOUNT, "web100", NULL },
	{ ACCOUNT, "web100p01", NULL },
};

static int
fold(enum what what, struct slice in, char *out, struct err *e)
{
	bool is_address;

	switch (what) {
	case DOMAIN_: return ident_fold_domain(in, out, e);
	case ADDRESS: return ident_fold_address(in, out, e);
	case LOGIN: return ident_fold_login(in, out, &is_address, e);
	case PACKAGE: return ident_fold_package(in, out, e);
	case ACCOUNT: return ident_fold_account(in, out, e);
	}
	return ERR_INTERNAL;
}

static void
test_table(void **state)
{
	char out[IDENT_MAX + 1], again[IDENT_MAX + 1];
	struct err e;

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice in = unit_exact(cases[i].in, strlen(cases[i].in));
		int rc = fold(cases[i].what, in, out, &e);

		if ((rc == 0) != (cases[i].want != NULL))
			print_error("%s\n", cases[i].in);
		if (cases[i].want == NULL) {
			assert_int_equal(rc, ERR_INVALID);
			assert_string_equal(out, "");
			assert_int_equal(e.kind, ERR_INVALID);
		} else {
			assert_int_equal(rc, 0);
			assert_string_equal(out, cases[i].want);
			/* folding twice is folding once */
			assert_int_equal(
			    fold(cases[i].what, slice_str(out), again, &e), 0);
			assert_string_equal(again, out);
		}
		unit_free(in);
	}
}

static void
test_kinds(void **state)
{
	char out[IDENT_MAX + 1];
	struct err e;
	bool is_address;
	size_t n;

	(void)state;
	assert_int_equal(
	    ident_fold_login(SLICE("a@b"), out, &is_address, &e), 0);
	assert_true(is_address);
	assert_int_equal(
	    ident_fold_login(SLICE("a%b"), out, &is_address, &e), 0);
	assert_false(is_address);
	assert_true(ident_is_account(SLICE("web100p12"), &n));
	assert_int_equal(n, 6);
	assert_true(ident_is_account(SLICE("web100p12"), NULL));
	assert_false(ident_is_account(SLICE("web100"), &n));
}

/* Whatever comes in, what comes out is short and clean. */
static void
test_any_bytes(void **state)
{
	char in[400], out[IDENT_MAX + 1];
	unsigned seed = 1;
	struct err e;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t n = (size_t)(round % (int)sizeof(in));
		struct slice s;

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1103515245 + 12345;
			in[i] =
			    "ab.@+\"\303\274\342\230-_ /x"[(seed >> 16) % 15];
		}
		s = unit_exact(in, n);
		for (int w = DOMAIN_; w <= ACCOUNT; w++)
			if (fold((enum what)w, s, out, &e) == 0)
				assert_true(strlen(out) <= IDENT_MAX);
		unit_free(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
