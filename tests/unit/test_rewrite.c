#include "tests/unit/mail_util.h"

#include "lib/base/err.h"
#include "lib/mail/header.h"
#include "lib/mail/rewrite.h"

#define DATE "Date: Fri, 21 Nov 1997 09:55:06 -0600\r\n"
#define ID "Message-ID: <1@x>\r\n"

static const struct {
	const char *in, *sender, *want;
} cases[] = {
	{ "From: a@b\r\n\r\nbody\r\n", "",
	    DATE ID "From: a@b\r\n\r\nbody\r\n" },
	{ "Date: x\r\nmessage-id: y\r\n\r\nbody", "",
	    "Date: x\r\nmessage-id: y\r\n\r\nbody" },
	{ "Bcc: c@d,\r\n e@f\r\nFrom: a@b\r\nDate: x\r\nMessage-ID: y\r\n"
	  "BCC:\r\nReturn-Path: <>\r\nResent-bcc: z\r\n\r\nBcc: body",
	    "", "From: a@b\r\nDate: x\r\nMessage-ID: y\r\n\r\nBcc: body" },
	{ "From: a@b\r\nSender: evil@x\r\nDate: x\r\nMessage-ID: y\r\n\r\n",
	    "a@c\r\nBcc: x",
	    "Sender: <a@cBcc: x>\r\nFrom: a@b\r\nDate: x\r\nMessage-ID: "
	    "y\r\n\r\n" },
	{ "Bcc: x\r\nDate: x\r\nMessage-ID: y\r\nBcc: z\r\n", "",
	    "Date: x\r\nMessage-ID: y\r\n" },
	{ "just text\r\n", "", DATE ID "\r\njust text\r\n" },
	{ "\r\njust text\r\n", "", DATE ID "\r\njust text\r\n" },
	{ "", "", DATE ID },
};

static const struct rewrite_opts usual = { .now_sec = 880127706,
	.tz_min = -360,
	.msgid = { "1@x", 3 },
	.drop = rewrite_drop_usual,
	.ndrop = 3 };

static void
apply(struct slice msg, const struct rewrite_opts *o, struct buf *out)
{
	struct rewrite rw;
	struct slice piece;
	struct arena a;
	size_t at = 0;

	arena_init(&a);
	assert_int_equal(rewrite_submission(&a, msg, o, &rw), 0);
	while (rewrite_next(&rw, msg, &at, &piece)) {
		assert_true(piece.n != 0);
		buf_add_slice(out, piece);
	}
	assert_false(rewrite_next(&rw, msg, &at, &piece));
	assert_int_equal(buf_len(out), rw.size);
	arena_clear(&a);
}

static void
test_rewrite(void **state)
{
	(void)state;
	assert_int_equal(rewrite_drop_usual_n, 3);
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct rewrite_opts o = usual;
		struct buf b;

		o.sender = slice_str(cases[i].sender);
		buf_init(&b, 1000);
		apply(slice_str(cases[i].in), &o, &b);
		expect_bytes(&b, slice_str(cases[i].want));
		buf_fini(&b);
	}
}

/* The new header has what it must have and nothing it must not. */
static void
rewrite_any(struct slice msg)
{
	struct buf b;

	buf_init(&b, 10000);
	apply(msg, &usual, &b);
	assert_non_null(header_find(buf_slice(&b), SLICE("date")).p);
	assert_non_null(header_find(buf_slice(&b), SLICE("message-id")).p);
	if (header_end(msg) < msg.n && msg.p[0] != ' ')
		assert_null(header_find(buf_slice(&b), SLICE("bcc")).p);
	buf_fini(&b);
}

static void
test_mangled(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++)
		mangle(slice_str(cases[i].in), 3, rewrite_any);
}

static void
test_counts(void **state)
{
	struct slice msg = SLICE("From: a@b\r\nFrom: c\r\nDate: 1\r\n"
				 "Sender: s\r\n\r\n");
	struct rewrite_opts o = { 0 };
	struct rewrite rw;
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_int_equal(rewrite_submission(&a, msg, &o, &rw), 0);
	assert_int_equal(rw.nfrom, 2);
	assert_int_equal(rw.ndate, 1);
	assert_int_equal(rw.nsender, 1);
	assert_int_equal(rw.nmsgid, 0);
	expect_slice(rw.from, "a@b");
	assert_int_equal(rw.add.n, 0);
	assert_int_equal(rw.ncuts, 0);
	assert_int_equal(rw.body_off, msg.n);
	arena_clear(&a);
}

static void
test_many(void **state)
{
	struct slice apart = repeat("", "Bcc: x\r\nTo: y\r\n", 1001, "\r\n");
	struct slice joint = repeat("", "Bcc: x\r\n", 100000, "\r\n");
	struct rewrite rw;
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_int_equal(
	    rewrite_submission(&a, apart, &usual, &rw), ERR_TOOBIG);
	assert_int_equal(rewrite_submission(&a, joint, &usual, &rw), 0);
	assert_int_equal(rw.ncuts, 1);
	assert_int_equal(rw.size, rw.add.n + 2);
	arena_clear(&a);
	repeat_free(apart);
	repeat_free(joint);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rewrite),
		cmocka_unit_test(test_mangled),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
