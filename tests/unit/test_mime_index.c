#include "tests/unit/mail_tree.h"

#define PATH(...) { __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4

static const struct {
	uint32_t path[6];
	size_t n;
	enum mime_what what;
	const char *starts; /* NULL: there is no such section */
	const char *ends;
} sections[] = {
	/* RFC 9051 6.4.5.1 */
	{ { 0 }, 0, MIME_BODY, "Subject: outer", "epilogue" CRLF },
	{ { 0 }, 0, MIME_HEADER, "Subject: outer", "boundary=A" CRLF CRLF },
	{ { 0 }, 0, MIME_TEXT, "preamble", "epilogue" CRLF },
	{ { 0 }, 0, MIME_MIME, NULL, NULL },
	{ PATH(1), MIME_BODY, "part 1", "part 1" },
	{ PATH(1), MIME_MIME, CRLF, CRLF },
	{ PATH(1), MIME_HEADER, NULL, NULL },
	{ PATH(1), MIME_TEXT, NULL, NULL },
	{ PATH(1, 1), MIME_BODY, NULL, NULL },
	{ PATH(2), MIME_BODY, "cGFydCAy", "cGFydCAy" },
	{ PATH(3), MIME_BODY, "Subject: three", "epilogue B" },
	{ PATH(3), MIME_MIME, "Content-Type: message/rfc822",
	    "rfc822" CRLF CRLF },
	{ PATH(3), MIME_HEADER, "Subject: three", "\"B\"" CRLF CRLF },
	{ PATH(3), MIME_TEXT, "--B" CRLF, "epilogue B" },
	{ PATH(3, 1), MIME_BODY, "3.1", "3.1" },
	{ PATH(3, 1), MIME_MIME, "Content-Type: text/plain",
	    "utf-8" CRLF CRLF },
	{ PATH(3, 2), MIME_BODY, "3.2", "3.2" },
	{ PATH(3, 3), MIME_BODY, NULL, NULL },
	{ PATH(4), MIME_BODY, "--C" CRLF, "--C--" },
	{ PATH(4), MIME_HEADER, NULL, NULL },
	{ PATH(4, 1), MIME_BODY, "4.1", "4.1" },
	{ PATH(4, 1), MIME_MIME, "Content-Type: image/gif", CRLF CRLF },
	{ PATH(4, 2), MIME_HEADER, "Subject: four two", CRLF CRLF },
	{ PATH(4, 2), MIME_TEXT, "--D", "--D--" },
	{ PATH(4, 2, 1), MIME_BODY, "4.2.1", "4.2.1" },
	{ PATH(4, 2, 2), MIME_BODY, "--E", "--E--" },
	{ PATH(4, 2, 2, 1), MIME_BODY, "4.2.2.1", "4.2.2.1" },
	{ PATH(4, 2, 2, 2), MIME_BODY, "4.2.2.2", "4.2.2.2" },
	{ PATH(4, 2, 2, 2, 1), MIME_BODY, NULL, NULL },
	{ PATH(0), MIME_BODY, NULL, NULL },
	{ PATH(5), MIME_BODY, NULL, NULL },
	{ PATH(4294967295u), MIME_BODY, NULL, NULL },
};

static void
check_sections(const struct mime_part *root, struct slice msg)
{
	for (size_t i = 0; i < PH_LEN(sections); i++) {
		struct slice want, got;
		uint64_t off, len;
		bool ok = mime_range(root, sections[i].path, sections[i].n,
		    sections[i].what, &off, &len);

		assert_int_equal(ok, sections[i].starts != NULL);
		if (!ok)
			continue;
		got = slice_sub(msg, off, len);
		assert_int_equal(got.n, len);
		assert_true(slice_starts(got, slice_str(sections[i].starts)));
		want = slice_str(sections[i].ends);
		assert_true(got.n >= want.n);
		assert_true(slice_eq(slice_from(got, got.n - want.n), want));
	}
}

static void
test_sections(void **state)
{
	struct slice msg = SLICE(complex_sample);
	struct mime_part *root;
	struct arena a;
	struct buf b;

	(void)state;
	arena_init(&a);
	buf_init(&b, 1000);
	root = mime_parse(&a, msg, NULL);
	check_sections(root, msg);
	assert_true(mime_serialize(root, &b));
	assert_true(buf_len(&b) < 15 * 7);
	assert_true(mime_load(buf_slice(&b), &a, &root));
	check_sections(root, msg);
	assert_int_equal(check_tree(root, msg), 15);
	assert_true(root->child->is_text);
	assert_int_equal(root->child->next->cte, MIME_BASE64);
	buf_fini(&b);
	arena_clear(&a);
}

/* Messages that are no multipart: RFC 9051 6.4.5.1, part 1. */
static void
test_single(void **state)
{
	static const uint32_t one[] = { 1, 1, 1 };
	struct slice msg = SLICE("Subject: x\r\n\r\nbody");
	struct slice nest = SLICE("Content-Type: message/rfc822\r\n\r\n"
				  "Content-Type: message/rfc822\r\n\r\n"
				  "Subject: in\r\n\r\nbody");
	struct mime_part *root;
	const struct mime_part *p;
	struct arena a;
	uint64_t off, len;

	(void)state;
	arena_init(&a);
	root = mime_parse(&a, msg, NULL);
	assert_true(mime_section(root, one, 1, &p));
	assert_ptr_equal(p, root);
	assert_false(mime_section(root, one, 2, &p));
	assert_null(p);
	assert_true(mime_range(root, one, 1, MIME_BODY, &off, &len));
	assert_int_equal(off, 14);
	assert_int_equal(len, 4);
	root = mime_parse(&a, nest, NULL);
	assert_true(mime_section(root, one, 1, &p));
	assert_ptr_equal(p, root);
	assert_true(mime_section(root, one, 2, &p));
	assert_ptr_equal(p, root->message);
	assert_true(mime_section(root, one, 3, &p));
	assert_ptr_equal(p, root->message->message);
	assert_true(mime_range(root, one, 2, MIME_HEADER, &off, &len));
	expect_slice(slice_sub(nest, off, len), "Subject: in\r\n\r\n");
	arena_clear(&a);
}

/* The tree that is loaded is the one that was written. */
static void
same_part(const struct mime_part *x, const struct mime_part *y)
{
	assert_int_equal(x->head_off, y->head_off);
	assert_int_equal(x->body_off, y->body_off);
	assert_int_equal(x->body_len, y->body_len);
	assert_int_equal(x->lines, y->lines);
	assert_int_equal(x->kind, y->kind);
	assert_int_equal(x->cte, y->cte);
	assert_int_equal(x->has_nul, y->has_nul);
	assert_int_equal(x->truncated, y->truncated);
	assert_int_equal(x->opaque, y->opaque);
	assert_int_equal(x->is_html, y->is_html);
	assert_int_equal(x->next != NULL, y->next != NULL);
	x = first_in(x);
	y = first_in(y);
	for (; x != NULL && y != NULL; x = x->next, y = y->next)
		same_part(x, y);
	assert_true(x == NULL && y == NULL);
}

static void
round_trip(struct slice msg)
{
	struct mime_part *root, *back;
	struct arena a;
	struct buf b;

	arena_init(&a);
	buf_init(&b, 10000);
	root = mime_parse(&a, msg, NULL);
	assert_true(mime_serialize(root, &b));
	assert_true(mime_load(buf_slice(&b), &a, &back));
	same_part(root, back);
	(void)check_tree(back, msg);
	buf_fini(&b);
	arena_clear(&a);
}

static void
test_round(void **state)
{
	(void)state;
	round_trip(SLICE(""));
	mangle(SLICE(complex_sample), 16, round_trip);
}

/* Damaged bytes are refused or give a tree whose ranges are sound. */
static void
sound(const struct mime_part *part)
{
	uint64_t at = part->body_off;

	assert_true(part->head_off <= part->body_off);
	assert_true(mime_end(part) >= part->body_off);
	assert_int_equal(first_in(part) != NULL, part->kind != MIME_LEAF);
	for (const struct mime_part *c = first_in(part); c; c = c->next) {
		assert_true(c->head_off >= at);
		at = mime_end(c);
		assert_true(at <= mime_end(part));
		sound(c);
	}
}

static void
load_any(struct slice s)
{
	struct mime_part *root;
	struct arena a;

	arena_init(&a);
	if (mime_load(s, &a, &root))
		sound(root);
	else
		assert_null(root);
	arena_clear(&a);
}

static void
test_damage(void **state)
{
	struct arena a;
	struct buf b;

	(void)state;
	arena_init(&a);
	buf_init(&b, 1000);
	assert_true(
	    mime_serialize(mime_parse(&a, SLICE(complex_sample), NULL), &b));
	mangle(buf_slice(&b), 1, load_any);
	for (size_t n = 0; n < buf_len(&b); n++) {
		struct mime_part *root;

		assert_false(
		    mime_load(slice_sub(buf_slice(&b), 0, n), &a, &root));
	}
	buf_fini(&b);
	buf_init(&b, 5);
	assert_false(
	    mime_serialize(mime_parse(&a, SLICE(complex_sample), NULL), &b));
	buf_fini(&b);
	arena_clear(&a);
}

static void
test_large(void **state)
{
	struct mime_part *root;
	clock_t start = clock();
	struct arena a;
	char *p = malloc(50001);

	(void)state;
	p[0] = 1;
	for (size_t i = 1; i < 50001; i++)
		p[i] = i % 5 == 1 ? 4 : 0;
	arena_init(&a);
	assert_false(mime_load(slice_of(p, 50001), &a, &root));
	EXPECT_FAST(start);
	arena_clear(&a);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
