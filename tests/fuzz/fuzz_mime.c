/*
 * fuzz_mime.c - a whole message: tree, compact form, what IMAP says of
 * it, its text.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/base/utf8.h"
#include "lib/mail/mime.h"
#include "lib/mail/mime_imap.h"
#include "lib/mail/mime_index.h"
#include "lib/mail/preview.h"
#include "lib/mail/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_ranges(const struct mime_part *part, struct slice msg)
{
	const struct mime_part *c =
	    part->kind == MIME_MESSAGE ? part->message : part->child;
	uint64_t at = part->body_off;

	ph_assert(part->head_off <= part->body_off);
	ph_assert(mime_end(part) <= msg.n);
	ph_assert((c != NULL) == (part->kind != MIME_LEAF));
	for (; c != NULL; c = c->next) {
		ph_assert(c->head_off >= at && c->parent == part);
		at = mime_end(c);
		ph_assert(at <= mime_end(part));
		check_ranges(c, msg);
	}
}

static void
check_index(const struct mime_part *root, struct slice msg, struct arena *a)
{
	struct mime_part *back;
	struct buf b, again;

	buf_init(&b, 64 << 20);
	buf_init(&again, 64 << 20);
	ph_assert(mime_serialize(root, &b));
	ph_assert(mime_load(buf_slice(&b), a, &back));
	check_ranges(back, msg);
	ph_assert(mime_serialize(back, &again));
	ph_assert(slice_eq(buf_slice(&b), buf_slice(&again)));
	buf_fini(&b);
	buf_fini(&again);
}

static void
write_all(struct mime_part *root, struct slice msg, struct arena *a)
{
	struct rewrite_opts o = { .sender = SLICE("a@b") };
	struct rewrite rw;
	struct buf b;

	buf_init(&b, 64 << 20);
	mime_bodystructure(&b, root, msg, true);
	ph_assert(buf_slice(&b).p[0] == '(');
	mime_envelope(&b, msg);
	ph_assert(!buf_failed(&b));
	buf_clear(&b);
	preview_make(&b, msg, root);
	ph_assert(utf8_valid(buf_slice(&b)) && buf_len(&b) <= 800);
	buf_fini(&b);
	if (rewrite_submission(a, msg, &o, &rw) == 0)
		ph_assert(rw.size <= rw.add.n + msg.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mime_limits tight = { 3, 8, 4, 200 };
	struct slice msg = slice_of(data, size);
	struct mime_part *root;
	struct arena a;

	arena_init(&a);
	root = mime_parse(&a, msg, NULL);
	ph_assert(mime_end(root) == size);
	check_ranges(root, msg);
	check_index(root, msg, &a);
	write_all(root, msg, &a);
	check_ranges(mime_parse(&a, msg, &tight), msg);
	arena_clear(&a);
	return 0;
}
