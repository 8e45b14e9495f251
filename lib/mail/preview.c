#include "lib/mail/preview.h"

#include "lib/base/utf8.h"
#include "lib/mail/text.h"

enum {
	CHARS = 200, /* RFC 8970 3.1 */
	READ_BYTES = 64 << 10,
	TRIES = 4 /* text parts looked at until one has text */
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

/* Up to CHARS characters, gaps as one blank; whether there was any. */
static bool
add_text(struct buf *out, struct slice text)
{
	uint32_t cp;
	size_t n = 0;
	bool gap = false;

	while (text.n != 0 && n < CHARS) {
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
	return n != 0;
}

static bool
is_candidate(const struct mime_part *part)
{
	return part->kind == MIME_LEAF && part->body_len != 0 &&
	       (part->is_html ||
		   (part->is_text && slice_ieq_str(part->subtype, "plain"))) &&
	       !slice_ieq_str(part->disposition, "attachment");
}

static bool
try_part(struct buf *out, struct slice msg, const struct mime_part *part)
{
	struct buf text, plain;
	bool found = false;

	buf_init(&text, READ_BYTES * 3);
	buf_init(&plain, READ_BYTES * 4);
	if (text_decode(&text, msg, part, READ_BYTES)) {
		if (part->is_html)
			text_strip_html(&plain, buf_slice(&text));
		found =
		    add_text(out, buf_slice(part->is_html ? &plain : &text));
	}
	buf_fini(&text);
	buf_fini(&plain);
	return found;
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
