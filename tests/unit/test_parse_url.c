#include "imapd/parse_url.h"

#include "tests/unit/imap_parse.h"

static const struct {
	const char *text, *mailbox; /* NULL: refused */
	uint32_t uidvalidity, uid;
	uint64_t off, len;
} cases[] = {
	/* RFC 4469 A, RFC 8508 4.2, RFC 5092 6 */
	{ "/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER", "Drafts",
	    385759045, 20, 0, 0 },
	{ "/Drafts;UIDVALIDITY=385759045/;UID=30", "Drafts", 385759045, 30, 0,
	    0 },
	{ "/Drafts/;UID=3002", "Drafts", 0, 3002, 0, 0 },
	{ "/gray-council;UIDVALIDITY=385759045/;UID=20/;PARTIAL=0.1024",
	    "gray-council", 385759045, 20, 0, 1024 },
	{ "a/b%20c%C3%A4/;uid=1/;section=1.2.HEADER.FIELDS%20(A%20B)"
	  "/;partial=7",
	    "a/b c\xc3\xa4", 0, 1, 7, 0 },
	{ ";UID=20/;SECTION=1.2", "", 0, 20, 0, 0 },
	{ "/inbox/;UID=1", "INBOX", 0, 1, 0, 0 },
	{ "/a%3Bb%3F/;UID=1", "a;b?", 0, 1, 0, 0 },
	{ "", NULL, 0, 0, 0, 0 },
	{ "/", NULL, 0, 0, 0, 0 },
	{ "/Drafts", NULL, 0, 0, 0, 0 },
	{ "/Drafts;UID=1", NULL, 0, 0, 0, 0 },
	{ "/;UID=1", NULL, 0, 0, 0, 0 },
	{ "//host/Drafts/;UID=1", NULL, 0, 0, 0, 0 },
	{ "imap://u@h/Drafts/;UID=1", NULL, 0, 0, 0, 0 },
	{ "imap:Drafts/;UID=1", NULL, 0, 0, 0, 0 },
	{ "/Drafts?SUBJECT%20x/;UID=1", NULL, 0, 0, 0, 0 },
	{ "/Drafts/;UID=0", NULL, 0, 0, 0, 0 },
	{ "/Drafts/;UID=", NULL, 0, 0, 0, 0 },
	{ "/Drafts/;UID=1x", NULL, 0, 0, 0, 0 },
	{ "/Drafts;UIDVALIDITY=0/;UID=1", NULL, 0, 0, 0, 0 },
	{ "/Drafts;UIDVALIDITY=1;UID=1", NULL, 0, 0, 0, 0 },
	{ ";UIDVALIDITY=1/;UID=1", NULL, 0, 0, 0, 0 },
	{ "/Drafts/;UID=1/;SECTION=", NULL, 0, 0, 0, 0 },
	{ "/Drafts/;UID=1/;SECTION=x", NULL, 0, 0, 0, 0 },
	{ "/Drafts/;UID=1/;SECTION=1]x[", NULL, 0, 0, 0, 0 },
	{ "/Drafts/;UID=1/;SECTION=1;PARTIAL=1", NULL, 0, 0, 0, 0 },
	{ "/Drafts/;UID=1/;PARTIAL=1.0", NULL, 0, 0, 0, 0 },
	{ "/Drafts/;UID=1/;PARTIAL=1/;SECTION=1", NULL, 0, 0, 0, 0 },
	{ "/Drafts/;UID=1;EXPIRE=2030-01-01T00:00:00Z", NULL, 0, 0, 0, 0 },
	{ "/Drafts/;UID=1;URLAUTH=anonymous", NULL, 0, 0, 0, 0 },
	{ "/Dra%fts/;UID=1", NULL, 0, 0, 0, 0 },
	{ "/Dra%00fts/;UID=1", NULL, 0, 0, 0, 0 },
	{ "/Dra%0Dfts/;UID=1", NULL, 0, 0, 0, 0 },
	{ "/Dra%FFfts/;UID=1", NULL, 0, 0, 0, 0 },
	{ "/Dr\xc3\xa4x/;UID=1", NULL, 0, 0, 0, 0 },
	{ "/Dra fts/;UID=1", NULL, 0, 0, 0, 0 },
	{ "/Drafts/;UID=1%", NULL, 0, 0, 0, 0 },
};

static bool
run(const char *text, size_t n, struct arena *a, struct imap_url *u)
{
	struct slice in = unit_exact(text, n);
	bool good = url_parse(a, in, u);

	unit_free(in);
	return good;
}

static void
all_cases(void **state)
{
	struct imap_url u;
	struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		const char *text = cases[i].text;
		size_t n = strlen(text);

		for (size_t k = 0; k < n; k++)
			(void)run(text, k, &a, &u);
		assert_int_equal(
		    run(text, n, &a, &u), cases[i].mailbox != NULL);
		if (cases[i].mailbox == NULL)
			continue;
		assert_slice(u.mailbox, cases[i].mailbox);
		assert_int_equal(u.uidvalidity, cases[i].uidvalidity);
		assert_int_equal(u.uid, cases[i].uid);
		assert_int_equal(u.off, cases[i].off);
		assert_int_equal(u.len, cases[i].len);
		assert_int_equal(u.partial, u.off != 0 || u.len != 0);
		assert_int_equal(u.absolute, text[0] == '/');
	}
	arena_clear(&a);
}

static void
sections(void **state)
{
	struct imap_url u;
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_true(url_parse(&a,
	    SLICE("/x/;UID=1/;SECTION=1.2.HEADER.FIELDS%20(A%20B)/;PARTIAL=1"),
	    &u));
	assert_int_equal(u.section->npath, 2);
	assert_int_equal(u.section->nnames, 2);
	assert_int_equal(u.section->fields, FIELDS_ONLY);
	assert_true(url_parse(&a, SLICE("/x/;UID=1/;SECTION=TEXT"), &u));
	assert_int_equal(u.section->what, MIME_TEXT);
	assert_false(u.partial);
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_cases),
		cmocka_unit_test(sections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
