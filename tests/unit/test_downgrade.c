#include "tests/unit/unit.h"

#include "lib/base/utf8.h"
#include "lib/mail/decode.h"
#include "lib/mail/mime.h"
#include "submitd/downgrade.h"

#define UE "\xc3\xbc"

static const struct {
	const char *in, *want; /* NULL: cannot be */
} cases[] = {
	/* 7-bit stays as it is, byte for byte */
	{ "Content-Transfer-Encoding: 8bit\r\n\r\nplain\r\n",
	    "Content-Transfer-Encoding: 8bit\r\n\r\nplain\r\n" },
	{ "", "" },
	{ "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	  "Content-Transfer-Encoding: 8bit\r\nX: y\r\n\r\nGr" UE "ss\r\n",
	    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "X: y\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "Gr=C3=BCss\r\n" },
	/* no MIME at all, RFC 1428 3 */
	{ "Subject: x\r\n\r\n\xfc\r\n",
	    "Subject: x\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=unknown-8bit\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=FC\r\n" },
	{ "MIME-Version: 1.0\r\nContent-Type: application/x\r\n\r\n\xff\xfe",
	    "MIME-Version: 1.0\r\nContent-Type: application/x\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n//4=\r\n" },
	/* parts, of which one needs it; a message within */
	{ "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n"
	  "Content-Transfer-Encoding: 8bit\r\n\r\npre\r\n--B\r\n\r\n"
	  "asc\r\n--B\r\nContent-Type: text/html\r\n\r\n" UE "\r\n--B--\r\n"
	  "post\r\n",
	    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B"
	    "\r\nContent-Transfer-Encoding: 7bit\r\n\r\npre\r\n--B\r\n\r\n"
	    "asc\r\n--B\r\nContent-Type: text/html\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n"
	    "--B--\r\npost\r\n" },
	{ "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n"
	  "Subject: in\r\nContent-Type: text/plain\r\n\r\n" UE "\r\n",
	    "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n\r\n"
	    "Subject: in\r\nContent-Type: text/plain\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n" },
	/* cannot be */
	{ "Subject: " UE "\r\n\r\nx\r\n", NULL },
	{ "Content-Transfer-Encoding: base64\r\n\r\n" UE "\r\n", NULL },
	{ "Content-Transfer-Encoding: x-odd\r\n\r\n" UE "\r\n", NULL },
	{ "MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=B\r\n"
	  "\r\n--B\r\n\r\n" UE "\r\n--B--\r\n",
	    NULL },
	{ "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n"
	  "\r\n" UE "\r\n--B\r\n\r\nx\r\n--B--\r\n",
	    NULL },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice in = unit_exact(cases[i].in, strlen(cases[i].in));
		struct buf out;
		bool good;

		buf_init(&out, 10000);
		good = downgrade(in, false, &out);
		if (good != (cases[i].want != NULL))
			fail_msg("%zu: %s", i, cases[i].in);
		if (good) {
			if (!slice_eq(
				buf_slice(&out), slice_str(cases[i].want)))
				fail_msg(
				    "%zu: %.*s", i, (int)buf_len(&out), out.p);
			assert_true(utf8_is_ascii(buf_slice(&out)));
		}
		buf_fini(&out);
		unit_free(in);
	}
}

/* Whatever the bytes: 7 bits come out, or nothing. */
static void
test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		size_t n = strlen(cases[i].in);

		for (size_t at = 0; at < n; at++) {
			struct slice in = unit_exact(cases[i].in, n);
			struct buf out;

			((char *)(uintptr_t)in.p)[at] ^= (char)(at * 37 | 1);
			buf_init(&out, 10000);
			if (downgrade(in, false, &out))
				assert_true(utf8_is_ascii(buf_slice(&out)));
			buf_fini(&out);
			unit_free(in);
		}
	}
}

static void
test_ceiling(void **state)
{
	static const char in[] = "A: b\r\n\r\n\xfc\xfc\xfc\xfc\r\n";
	struct buf out;

	(void)state;
	buf_init(&out, 40);
	assert_false(downgrade(slice_of(in, sizeof(in) - 1), false, &out));
	buf_fini(&out);
}

static const struct {
	const char *in;
	size_t n;
	const char *want; /* NULL: cannot be */
} binary[] = {
#define CASE(in, want)                   \
	{                                \
		in, sizeof(in) - 1, want \
	}
	CASE("X: y\r\n\r\nall " UE "\r\n", "X: y\r\n\r\nall " UE "\r\n"),
	/* called what it is */
	CASE("Content-Transfer-Encoding: binary\r\n\r\na\r\n",
	    "Content-Transfer-Encoding: 8bit\r\n\r\na\r\n"),
	CASE("Content-Type: image/png\r\nContent-Transfer-Encoding: "
	     "binary\r\n\r\n\0\r\n.\n",
	    "Content-Type: image/png\r\nMIME-Version: 1.0\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nAA0KLgo=\r\n"),
	/* a part among others */
	CASE("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B"
	     "\r\nContent-Transfer-Encoding: binary\r\n\r\n--B\r\n\r\nt"
	     "\r\n--B\r\nContent-Type: a/b\r\n\r\n\r\0\r\n--B--\r\n",
	    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B"
	    "\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--B\r\n\r\nt"
	    "\r\n--B\r\nContent-Type: a/b\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nDQA=\r\n\r\n--B--\r\n"),
	CASE("Subject: a\nb\r\n\r\nx\r\n", NULL),
	CASE("Content-Transfer-Encoding: base64\r\n\r\n\0\r\n", NULL),
#undef CASE
};

/* RFC 3030 3: no NUL, no bare CR or LF is left. */
static void
test_binary(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(binary); i++) {
		struct slice in = unit_exact(binary[i].in, binary[i].n);
		struct buf out;
		bool good;

		buf_init(&out, 10000);
		good = downgrade_binary(in, &out);
		assert_int_equal(good, binary[i].want != NULL);
		if (good)
			assert_slice(buf_slice(&out), binary[i].want);
		buf_fini(&out);
		unit_free(in);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_binary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
