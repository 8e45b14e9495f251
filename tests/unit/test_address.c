#include "tests/unit/mail_util.h"

#include "lib/mail/address.h"

/* One address a line: name|route|mailbox|host, "-" for NULL. */
static void
add_part(struct buf *b, struct slice s)
{
	buf_add_slice(b, s.p != NULL ? s : SLICE("-"));
}

static void
dump(struct buf *b, const struct mail_addr *ad)
{
	for (; ad != NULL; ad = ad->next) {
		add_part(b, ad->name);
		buf_add_char(b, '|');
		add_part(b, ad->route);
		buf_add_char(b, '|');
		add_part(b, ad->mailbox);
		buf_add_char(b, '|');
		add_part(b, ad->host);
		buf_add_char(b, '\n');
		assert_int_equal(ad->group_start,
		    ad->host.p == NULL && ad->mailbox.p != NULL);
		assert_int_equal(
		    ad->group_end, ad->host.p == NULL && ad->mailbox.p == NULL);
	}
}

static const struct {
	const char *in, *want;
} cases[] = {
	/* RFC 5322 A.1.2, A.1.3 */
	{ "\"Joe Q. Public\" <john.q.public@example.com>",
	    "Joe Q. Public|-|john.q.public|example.com\n" },
	{ "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
	    "Mary Smith|-|mary|x.test\n-|-|jdoe|example.org\n"
	    "Who?|-|one|y.test\n" },
	{ "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" "
	  "<sysservices@example.net>",
	    "-|-|boss|nil.test\nGiant; \"Big\" "
	    "Box|-|sysservices|example.net\n" },
	{ "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
	    "-|-|A Group|-\nEd Jones|-|c|a.test\n-|-|joe|where.test\n"
	    "John|-|jdoe|one.test\n-|-|-|-\n" },
	{ "Undisclosed recipients:;",
	    "-|-|Undisclosed recipients|-\n-|-|-|-\n" },
	/* RFC 5322 A.5 */
	{ "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
	    "Pete|-|pete|silly.test\n" },
	{ "A Group(Some people)\r\n     :Chris Jones <c@(Chris's "
	  "host.)public.example>,\r\n"
	  "         joe@example.org,\r\n  John <jdoe@one.test> (my dear "
	  "friend); (the end of the group)",
	    "-|-|A Group|-\nChris Jones|-|c|public.example\n"
	    "-|-|joe|example.org\nJohn|-|jdoe|one.test\n-|-|-|-\n" },
	{ "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
	    "-|-|Hidden recipients|-\n-|-|-|-\n" },
	/* RFC 5322 A.6.1, A.6.3 */
	{ "Joe Q. Public <john.q.public@example.com>",
	    "Joe Q. Public|-|john.q.public|example.com\n" },
	{ "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
	    "Mary Smith|@node.test|mary|example.net\n-|-|jdoe|test.example\n" },
	{ "John Doe <jdoe@machine(comment).  example>",
	    "John Doe|-|jdoe|machine.example\n" },
	{ "<@a.test , @b.test:x@c>", "-|@a.test,@b.test|x|c\n" },
	{ "john . doe @ x . y", "-|-|john.doe|x.y\n" },
	/* RFC 822 comments as names */
	{ "bob@x.test (Bob Smith)", "Bob Smith|-|bob|x.test\n" },
	{ "(Al) al@x.test, <b@y> (B (the) \\\"b)",
	    "Al|-|al|x.test\nB (the) \"b|-|b|y\n" },
	{ "\"\" <a@b> ()", "-|-|a|b\n" },
	/* what is met */
	{ "=?utf-8?q?J=C3=BCrgen?= <j@x>", "=?utf-8?q?J=C3=BCrgen?=|-|j|x\n" },
	{ "J\xc3\xbcrgen Stra\xdf"
	  "e <j@x>",
	    "J\xc3\xbcrgen Stra\xdf"
	    "e|-|j|x\n" },
	{ "[List] Foo <a@b>", "[List] Foo|-|a|b\n" },
	{ "a@b <a@b>", "a@b|-|a|b\n" },
	{ "Max a@b <c@d>", "Max|-|c|d\n" },
	{ "\"John Doe\"@example.com", "-|-|John Doe|example.com\n" },
	{ "John Doe john@example.com", "John Doe|-|john|example.com\n" },
	{ "a@[192.0.2.1], b@[IPv6:2001:db8::1]",
	    "-|-|a|[192.0.2.1]\n-|-|b|[IPv6:2001:db8::1]\n" },
	{ "root", "-|-|root|\n" },
	{ "<root>", "-|-|root|\n" },
	{ "<>", "-|-||\n" },
	{ "@x", "-|-||x\n" },
	{ "a@", "-|-|a|\n" },
	{ "a@b; c@d", "-|-|a|b\n-|-|c|d\n" },
	{ "X: a@b", "-|-|X|-\n-|-|a|b\n-|-|-|-\n" },
	{ "X: Y: a@b;;", "-|-|X|-\n-|-|a|b\n-|-|-|-\n" },
	{ "John <a@b", "John|-|a|b\n" },
	{ "\"John <a@b", "-|-|John <a@b|\n" },
	{ "<john doe@x>", "-|-|john doe|x\n" },
	{ "", "" },
	{ " \r\n (only a comment) ", "" },
	{ ",,;)>", "" },
	{ "\"a\\", "-|-|a\\|\n" },
	{ "\"fold\r\n ed\" <a@b>", "fold ed|-|a|b\n" },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct arena a;
		struct buf b;

		arena_init(&a);
		buf_init(&b, 4000);
		dump(&b, address_parse(&a, slice_str(cases[i].in), 100));
		expect_bytes(&b, slice_str(cases[i].want));
		buf_fini(&b);
		arena_clear(&a);
	}
}

static void
parse_any(struct slice s)
{
	struct arena a;
	struct buf b;

	arena_init(&a);
	buf_init(&b, 10000);
	dump(&b, address_parse(&a, s, 100));
	assert_false(buf_failed(&b));
	buf_fini(&b);
	arena_clear(&a);
}

static void
test_mangled(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++)
		mangle(slice_str(cases[i].in), 1, parse_any);
}

static void
test_cap(void **state)
{
	static const struct {
		size_t max;
		const char *want;
	} caps[] = {
		{ 0, "" },
		{ 1, "-|-|a|x\n" },
		{ 2, "-|-|a|x\n-|-|b|x\n" },
		{ 3, "-|-|a|x\n-|-|G|-\n-|-|-|-\n" },
		{ 4, "-|-|a|x\n-|-|G|-\n-|-|b|x\n-|-|-|-\n" },
		{ 5, "-|-|a|x\n-|-|G|-\n-|-|b|x\n-|-|c|x\n-|-|-|-\n" },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(caps); i++) {
		struct arena a;
		struct buf b;

		arena_init(&a);
		buf_init(&b, 1000);
		dump(&b,
		    address_parse(&a, SLICE("a@x,G:b@x,c@x,d@x"), caps[i].max));
		expect_bytes(&b, slice_str(caps[i].want));
		buf_fini(&b);
		arena_clear(&a);
	}
}

static void
one_large(const char *head, const char *piece, size_t n)
{
	struct slice s = repeat(head, piece, n, "");
	clock_t start = clock();
	struct arena a;

	arena_init(&a);
	(void)address_parse(&a, s, 10000000);
	EXPECT_FAST(start);
	arena_clear(&a);
	repeat_free(s);
}

static void
test_large(void **state)
{
	(void)state;
	one_large("", "a@b,", 300000);
	one_large("", "(", 1000000);
	one_large("", "()", 500000);
	one_large("", "<", 300000);
	one_large("", "\"", 1000000);
	one_large("", "a ", 500000);
	one_large("", "a.", 500000);
	one_large("", "@", 300000);
	one_large("", ":", 1000000);
	one_large("a:", "b@c;:", 200000);
	one_large("<@", "a,@", 300000);
	one_large("x@", "[", 1000000);
}

static void
test_write(void **state)
{
	static const struct {
		const char *name, *local, *host, *want;
	} rows[] = {
		{ "", "a.b", "c", "<a.b@c>" },
		{ "Joe Public", "joe", "x", "Joe Public <joe@x>" },
		{ "Joe Q. \"P\"", "joe", "x", "\"Joe Q. \\\"P\\\"\" <joe@x>" },
		{ "J\xc3\xbcrgen", "j", "x", "=?UTF-8?B?SsO8cmdlbg==?= <j@x>" },
		{ "", "a b", "c", "<\"a b\"@c>" },
		{ "", "a..b", "c", "<\"a..b\"@c>" },
		{ "", "a\r\nX: y", "c\r\nZ: w", "<\"aX: y\"@cZ:w>" },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(rows); i++) {
		struct buf b;

		buf_init(&b, 500);
		address_write(&b, slice_str(rows[i].name),
		    slice_str(rows[i].local), slice_str(rows[i].host));
		expect_bytes(&b, slice_str(rows[i].want));
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_mangled),
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
