#include "lib/mail/preview.h"

#include "lib/base/utf8.h"
#include "lib/mail/text.h"

enum {
	CHARS = 200, /* RFC 8970 3.1 */
	READ_BYTES = 64 << 10,
	FIRST_BYTES = 2 << 10, /* of plain text, which most often is enough */
	TRIES = 4              /* text parts looked at until one has text */
};

/* Characters that show as nothing or as a gap: they pad the hidden first
 * lines of newsletters. */
static bool
is_gap(uint32_t cp)
{
	return cp <= 0x20 || (cp >= 0x7f && cp <= 0xa0) || cp == 0xad ||
	       cp == 0x34f || cp == 0x61c || (cp >= 0x2000 && cp <= 0x200f) ||
	       (cp >= 0x2028 && cp <= 0x202f) ||
	       (cp >= 0x205f && cp <= 0x206f) || cp == 0x3000 || cp == 0xfeff;
}

/* How many bytes are visible ASCII, up to max. */
static size_t
plain_run(struct slice text, size_t max)
{
	size_t n = 0;

	while (n < text.n && n < max && text.p[n] > 0x20 && text.p[n] < 0x7f)
		n++;
	return n;
}

/* Up to CHARS characters, gaps as one blank; how many there were.  The text is
 * left empty when they were all. */
static size_t
add_text(struct buf *out, struct slice *rest)
{
	struct slice text = *rest;
	uint32_t cp;
	size_t n = 0, run;
	bool gap = false;

	while (text.n != 0 && n < CHARS) {
		run = gap ? 0 : plain_run(text, CHARS - n);
		if (run != 0) {
			buf_add(out, text.p, run);
			text = slice_from(text, run);
			n += run;
			continue;
		}
		if (!utf8_next(&text, &cp)) {
			text = slice_from(text, 1);
			continue;
		}
		if (is_gap(cp)) {
			gap = true;
			continue;
		}
		if (gap && n != 0) {
			buf_add_char(out, ' ');
			n++;
		}
		gap = false;
		if (n++ < CHARS)
			utf8_add(out, cp);
	}
	*rest = text;
	return n;
}

static bool
is_candidate(const struct mime_part *part)
{
	return part->kind == MIME_LEAF && part->body_len != 0 &&
	       (part->is_html ||
		   (part->is_text && slice_ieq_str(part->subtype, "plain"))) &&
	       !slice_ieq_str(part->disposition, "attachment");
}

/* Of the part's first bytes.  More: the next might show more. */
static bool
try_bytes(struct buf *out, struct slice msg, const struct mime_part *part,
    uint64_t bytes, bool *more_out)
{
	struct buf text, plain;
	struct slice rest;
	bool found = false;

	*more_out = false;
	buf_init(&text, READ_BYTES * 3);
	buf_init(&plain, READ_BYTES * 4);
	if (text_decode(&text, msg, part, bytes)) {
		if (part->is_html)
			text_strip_html(&plain, buf_slice(&text));
		rest = buf_slice(part->is_html ? &plain : &text);
		found = add_text(out, &rest) != 0;
		*more_out = rest.n == 0 && part->body_len > bytes;
	}
	buf_fini(&text);
	buf_fini(&plain);
	return found;
}

static bool
try_part(struct buf *out, struct slice msg, const struct mime_part *part)
{
	uint64_t bytes = part->is_html ? READ_BYTES : FIRST_BYTES;
	bool more, found = try_bytes(out, msg, part, bytes, &more);

	if (!more || bytes == READ_BYTES)
		return found;
	buf_clear(out);
	return try_bytes(out, msg, part, READ_BYTES, &more);
}

void
preview_make(
    struct buf *out_utf8, struct slice msg, const struct mime_part *root)
{
	const struct mime_part *part = root, *down;
	int tries = 0;

	while (part != NULL) {
		if (is_candidate(part) &&
		    (try_part(out_utf8, msg, part) || ++tries == TRIES))
			return;
		down = part->kind == MIME_MESSAGE ? part->message : part->child;
		if (down != NULL) {
			part = down;
			continue;
		}
		while (part != root && part->next == NULL)
			part = part->parent;
		part = part != root ? part->next : NULL;
	}
}
