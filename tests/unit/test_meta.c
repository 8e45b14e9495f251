/*
 * What the index keeps of a message's bytes.
 */
#include "tests/unit/unit.h"

#include "storage/meta.h"
#include "storage/msg.h"

static void
simple(void **state)
{
	struct slice body = SLICE("Received: x\r\n"
				  "From: A <a@example.org>\r\n"
				  "SUBJECT: s\r\n"
				  "X-Other: not kept\r\n"
				  "Message-Id: <m@x>\r\n"
				  "\r\n"
				  "Hello\r\nworld\r\n");
	struct message m = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a);
	meta_make(&a, body, &m);
	assert_int_equal(m.header_bytes, body.n - strlen("Hello\r\nworld\r\n"));
	assert_slice(m.headers, "From: A <a@example.org>\r\nSUBJECT: s\r\n"
				"Message-Id: <m@x>\r\n");
	assert_slice(m.preview, "Hello world");
	assert_slice(m.bodystructure,
	    "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL "
	    "\"7BIT\" 14 2 NIL NIL NIL NIL)");
	assert_true(m.envelope.n > 0);
	assert_true(m.structure.n > 0);
	assert_true(m.thread != 0);
	assert_null(m.prefix.p);
	arena_clear(&a);
}

/* A thread has the name of the first message it knows of. */
static void
threads(void **state)
{
	static const struct {
		const char *head;
		bool same;
	} cases[] = {
		{ "Message-ID: <root@x>\r\n", true },
		{ "Message-ID: <2@x>\r\nIn-Reply-To: <root@x>\r\n", true },
		{ "Message-ID: <3@x>\r\nReferences: <root@x>\r\n <2@x>\r\n"
		  "In-Reply-To: <2@x>\r\n",
		    true },
		{ "Message-ID: <other@x>\r\n", false },
		{ "References: \r\nMessage-ID: <root@x>\r\n", true },
	};
	uint64_t root = 0;
	struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct message m = { 0 };

		meta_make(&a, slice_str(cases[i].head), &m);
		if (i == 0)
			root = m.thread;
		assert_int_equal(m.thread == root, cases[i].same);
	}
	arena_clear(&a);
}

/* Any bytes are a message. */
static void
odd_bytes(void **state)
{
	static const char *const odd[] = { "", "\r\n", "\n", "x", ":", "\r",
		"Subject", "Subject:", "Subject: x", "\r\n\r\n",
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
		"Content-Type: message/rfc822\r\n\r\n",
		"Subject: x\n\nlf only\n", "\xff\xfe\x01" };

	(void)state;
	for (size_t i = 0; i < PH_LEN(odd); i++) {
		struct slice s = unit_exact(odd[i], strlen(odd[i]));
		struct message m = { 0 }, back;
		struct arena a;
		struct buf b;

		arena_init(&a);
		buf_init(&b, MESSAGE_MAX);
		meta_make(&a, s, &m);
		assert_non_null(m.envelope.p);
		assert_non_null(m.bodystructure.p);
		assert_non_null(m.structure.p);
		assert_non_null(m.headers.p);
		assert_non_null(m.preview.p);
		assert_true(m.header_bytes <= s.n);
		m.body_bytes = (uint32_t)s.n;
		m.references = 3;
		m.prefix = SLICE("P: q\r\n");
		message_encode(&b, &m);
		assert_int_equal(message_decode(buf_slice(&b), &back), 0);
		assert_int_equal(back.references, 3);
		assert_true(slice_eq(back.envelope, m.envelope));
		assert_true(slice_eq(back.bodystructure, m.bodystructure));
		assert_true(slice_eq(back.headers, m.headers));
		assert_true(slice_eq(back.preview, m.preview));
		assert_true(slice_eq(back.prefix, m.prefix));
		buf_fini(&b);
		arena_clear(&a);
		unit_free(s);
	}
}

/* A damaged record is seen, not believed. */
static void
damage(void **state)
{
	struct message m = { .body_bytes = 100,
		.envelope = SLICE("(x)"),
		.preview = SLICE("p") },
		       back;
	struct buf b;

	(void)state;
	buf_init(&b, MESSAGE_MAX);
	message_encode(&b, &m);
	for (size_t n = 0; n < buf_len(&b); n++) {
		struct slice s = unit_exact(buf_slice(&b).p, n);

		(void)!message_decode(s, &back);
		assert_true(n >= 44 || message_decode(s, &back) == ERR_CORRUPT);
		unit_free(s);
	}
	for (size_t at = 44; at < buf_len(&b); at++) {
		struct slice s = unit_exact(buf_slice(&b).p, buf_len(&b));

		((char *)(uintptr_t)s.p)[at] = (char)0xff;
		(void)!message_decode(s, &back);
		unit_free(s);
	}
	buf_fini(&b);
}

static void
joined_headers(void **state)
{
	struct slice prefix = SLICE("Return-Path: <a>\r\nX-No: b\r\n");
	struct slice headers = SLICE("Subject: c\r\n");
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_slice(meta_join_headers(&a, prefix, headers),
	    "Return-Path: <a>\r\nSubject: c\r\n");
	assert_true(meta_join_headers(&a, SLICE(""), headers).p == headers.p);
	assert_true(
	    meta_join_headers(&a, SLICE("X: y\r\n"), headers).p == headers.p);
	assert_null(meta_join_headers(&a, prefix, slice_of(NULL, 0)).p);
	assert_true(msg_cached_header(SLICE("list-ID")));
	assert_true(msg_cached_header(SLICE("Content-Type")));
	assert_false(msg_cached_header(SLICE("Received")));
	assert_false(msg_cached_header(SLICE("")));
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(simple),
		cmocka_unit_test(threads),
		cmocka_unit_test(odd_bytes),
		cmocka_unit_test(damage),
		cmocka_unit_test(joined_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
