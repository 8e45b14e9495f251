#include "tests/unit/mail_util.h"

#include "lib/mail/mime_head.h"

/* type/subtype and "name=value;" for each parameter. */
static void
show(struct buf *b, struct slice raw, uint32_t params)
{
	struct mime_part part = { 0 };
	struct mime_head h = { .params_left = params };
	struct arena a;

	arena_init(&a);
	h.a = &a;
	mime_head_field(&h, &part, raw);
	mime_head_done(&part, false);
	buf_printf(b, "%.*s/%.*s ", (int)part.type.n, part.type.p,
	    (int)part.subtype.n, part.subtype.p);
	for (struct mime_param *p = part.params; p != NULL; p = p->next) {
		buf_add_slice(b, p->name);
		buf_add_char(b, '=');
		buf_add_slice(b, p->value);
		buf_add_char(b, ';');
	}
	if (h.truncated)
		buf_add_str(b, "...");
	arena_clear(&a);
}

static const char *const cases[][2] = {
	/* RFC 2045 5.1: the same in three forms */
	{ "text/plain; charset=us-ascii (Plain text)\r\n",
	    "text/plain charset=us-ascii;" },
	{ "text/plain; charset=\"us-ascii\"\r\n",
	    "text/plain charset=us-ascii;" },
	{ "Text/(c)Plain(c);(c)charset(c)=(c)us-ascii(c)\r\n",
	    "Text/Plain charset=us-ascii;" },
	{ "multipart/mixed;\r\n\tboundary=\"----=_Part_1\"\r\n",
	    "multipart/mixed boundary=----=_Part_1;" },
	{ "multipart/mixed; boundary=----=_Part_1",
	    "multipart/mixed boundary=----=_Part_1;" },
	{ "a/b; x=\"q\\\"u\\\\o\r\n te\"; y=\"open",
	    "a/b x=q\"u\\o te;y=open;" },
	{ "a/b;x=1;;y=2;z;=;=v;w=", "a/b x=1;y=2;w=;" },
	{ "a/b x=1 y=2", "a/b x=1;y=2;" },
	{ "a/b; name=a,b/c@d:e.txt", "a/b name=a,b/c@d:e.txt;" },
	{ "a/b; name=J\xc3\xbcrgen.txt", "a/b name=J\xc3\xbcrgen.txt;" },
	{ "a/b; x=\"\"", "a/b x=;" },
	{ "a / b ; x = y", "a/b x=y;" },
	{ "a/b;a=1;b=2;c=3;d=4;e=5", "a/b a=1;b=2;c=3;d=4;..." },
	{ "text", "text/plain " },
	{ "audio", "TEXT/PLAIN " },
	{ "\"text\"/plain", "TEXT/PLAIN " },
	{ "", "TEXT/PLAIN " },
};

static void
test_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct buf raw, b;

		buf_init(&raw, 1000);
		buf_init(&b, 1000);
		buf_add_str(&raw, "Content-Type: ");
		buf_add_str(&raw, cases[i][0]);
		show(&b, buf_slice(&raw), 4);
		expect_bytes(&b, slice_str(cases[i][1]));
		buf_fini(&raw);
		buf_fini(&b);
	}
}

static void
show_any(struct slice raw)
{
	struct buf b;

	buf_init(&b, 10000);
	show(&b, raw, 3);
	assert_false(buf_failed(&b));
	buf_fini(&b);
}

static void
test_mangled(void **state)
{
	(void)state;
	mangle(SLICE("Content-Type: a/b (c); x=\"q\\\"u\r\n\"; y=z(\\)); z=1"),
	    1, show_any);
	mangle(SLICE("Content-Disposition: attachment; filename=\"a\\b\""), 1,
	    show_any);
	mangle(SLICE("Content-Language: de, en (c),\r\n fr"), 1, show_any);
	mangle(SLICE("Content-Transfer-Encoding: (c) base64"), 1, show_any);
	mangle(SLICE("Content-ID: <a\r\n b>\r\n"), 1, show_any);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_type),
		cmocka_unit_test(test_mangled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
