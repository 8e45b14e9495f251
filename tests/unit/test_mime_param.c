#include "tests/unit/mail_tree.h"

#include "lib/base/utf8.h"
#include "lib/mail/mime_param.h"

static const struct {
	const char *params, *name, *want;
} cases[] = {
	/* RFC 2231 3 */
	{ "; URL*0=\"ftp://\";\r\n URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/"
	  "bulk-mailer.tar\"",
	    "url", "ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar" },
	/* RFC 2231 4 */
	{ "; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "title",
	    "This is ***fun***" },
	/* RFC 2231 4.1 */
	{ "; title*0*=us-ascii'en'This%20is%20even%20more%20\r\n"
	  " ; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
	    "title", "This is even more ***fun*** isn't it!" },
	{ "; filename*=utf-8''J%C3%BCrgen.pdf; filename=J_rgen.pdf", "filename",
	    "J\xc3\xbcrgen.pdf" },
	{ "; filename=x; filename*1=b; filename*0=a", "FILENAME", "ab" },
	{ "; filename*0=a; filename*2=c", "filename", "a" },
	{ "; filename*1=a", "filename", NULL },
	{ "; filename*01=x; filename*00*=iso-8859-1''%FC", "filename",
	    "\xc3\xbcx" },
	{ "; f*=bad%zz%4", "f", "bad%zz%4" },
	{ "; f*=''%FC", "f", "\xc3\xbc" },
	{ "; f=\"=?utf-8?Q?J=C3=BCrgen?=.pdf\"", "f", "J\xc3\xbcrgen.pdf" },
	{ "; f=\"J\xfcrgen\"", "f", "J\xc3\xbcrgen" },
	{ "; f*100=x; f*1000=y; f**=z; f*a=w", "f", NULL },
	{ "", "f", NULL },
	{ "; ff=x", "f", NULL },
	{ "; f=", "f", "" },
};

static struct mime_part *
part_of(struct arena *a, struct slice params, struct buf *room)
{
	buf_add_str(room, "Content-Type: a/b");
	buf_add_slice(room, params);
	buf_add_str(room, "\r\n\r\n");
	return mime_parse(a, buf_slice(room), NULL);
}

static void
test_get(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct buf msg, b;
		struct mime_part *p;
		struct arena a;
		bool found;

		arena_init(&a);
		buf_init(&msg, 1000);
		buf_init(&b, 1000);
		p = part_of(&a, slice_str(cases[i].params), &msg);
		found = mime_param_get(&b, p->params, slice_str(cases[i].name));
		assert_int_equal(found, cases[i].want != NULL);
		expect_bytes(&b, slice_str(cases[i].want));
		buf_fini(&b);
		buf_fini(&msg);
		arena_clear(&a);
	}
}

static void
get_any(struct slice params)
{
	struct mime_part *p;
	struct buf msg, b;
	struct arena a;

	arena_init(&a);
	buf_init(&msg, 1000);
	buf_init(&b, 2000);
	p = part_of(&a, params, &msg);
	(void)mime_param_get(&b, p->params, SLICE("title"));
	assert_false(buf_failed(&b));
	assert_true(utf8_valid(buf_slice(&b)));
	buf_fini(&b);
	buf_fini(&msg);
	arena_clear(&a);
}

static void
test_mangled(void **state)
{
	(void)state;
	mangle(slice_str(cases[2].params), 1, get_any);
	mangle(SLICE("; title*=utf-8''J%C3%BCrgen"), 1, get_any);
}

static void
test_large(void **state)
{
	struct slice s = repeat("", "; title*0=x", 20000, "");
	struct mime_part *p;
	struct buf msg, b;
	struct arena a;
	clock_t start = clock();

	(void)state;
	arena_init(&a);
	buf_init(&msg, ROOMY);
	buf_init(&b, 10);
	p = part_of(&a, s, &msg);
	assert_true(mime_param_get(&b, p->params, SLICE("title")));
	expect_bytes(&b, SLICE("x"));
	EXPECT_FAST(start);
	buf_fini(&b);
	buf_fini(&msg);
	arena_clear(&a);
	repeat_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_mangled),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
