#include "lib/mail/mime_index.h"

#include "lib/base/num.h"

/*
 * The compact form:
 *	1 byte		version
 *	part		the root
 * part:
 *	1 byte		bits 0-2 class, 3-5 encoding, 6 has_nul, 7 truncated
 *	varint		header's offset behind what is before it
 *	varint		header's length
 *	varint		body's length
 *	varint		line ends in the body
 *	varint, parts	multipart: how many, and they
 *	part		message: what it encapsulates
 * "Before it" is the end of the part before it in the same multipart, or the
 * start of its parent's body.  Varints have 7 bits a byte, the lowest first,
 * bit 7 set when more follow.
 */
enum { VERSION = 1, DEPTH_MAX = 255 };

enum class { OTHER, PLAIN, HTML, MULTIPART, MESSAGE, OPAQUE, CLASSES };

uint64_t
mime_end(const struct mime_part *part)
{
	return part->body_off + part->body_len;
}

static const struct mime_part *
nth_child(const struct mime_part *part, uint32_t n)
{
	const struct mime_part *c = part->child;

	while (c != NULL && n > 1) {
		c = c->next;
		n--;
	}
	return n != 0 ? c : NULL;
}

/* RFC 9051 6.4.5.1: numbers count the parts of a multipart; what is none has
 * part 1, its body; a message/rfc822 part goes on with the message in it. */
bool
mime_section(const struct mime_part *root, const uint32_t *path, size_t n,
    const struct mime_part **part_out)
{
	const struct mime_part *cur = root;

	*part_out = NULL;
	for (size_t i = 0; i < n; i++) {
		bool message = i == 0 || cur->kind == MIME_MESSAGE;

		if (i != 0 && cur->kind == MIME_MESSAGE)
			cur = cur->message;
		if (cur->kind == MIME_MULTIPART)
			cur = nth_child(cur, path[i]);
		else if (!message || path[i] != 1)
			cur = NULL;
		if (cur == NULL)
			return false;
	}
	*part_out = cur;
	return true;
}

bool
mime_range(const struct mime_part *root, const uint32_t *path, size_t n,
    enum mime_what what, uint64_t *off_out, uint64_t *len_out)
{
	const struct mime_part *part;
	bool head = what == MIME_HEADER || what == MIME_MIME;

	*off_out = *len_out = 0;
	if (!mime_section(root, path, n, &part) ||
	    (what == MIME_MIME && n == 0))
		return false;
	if (n != 0 && (what == MIME_HEADER || what == MIME_TEXT)) {
		if (part->kind != MIME_MESSAGE)
			return false;
		part = part->message;
	}
	*off_out = head ? part->head_off : part->body_off;
	*len_out = head ? part->body_off - part->head_off : part->body_len;
	if (what == MIME_BODY && n == 0) {
		*off_out = part->head_off;
		*len_out = mime_end(part) - part->head_off;
	}
	return true;
}

static void
put_varint(struct buf *out, uint64_t v)
{
	char b[10];
	size_t n = 0;

	for (; v > 0x7f; v >>= 7)
		b[n++] = (char)(v | 0x80);
	b[n++] = (char)v;
	buf_add(out, b, n);
}

static enum class class_of(const struct mime_part *part) {
	if (part->kind != MIME_LEAF) return part->kind == MIME_MULTIPART
	    ? MULTIPART
	    : MESSAGE;
	if (part->opaque) return OPAQUE;
	if (part->is_text) return part->is_html ? HTML : PLAIN;
	return OTHER;
}

static uint64_t
count_children(const struct mime_part *part)
{
	uint64_t n = 0;

	for (part = part->child; part != NULL; part = part->next)
		n++;
	return n;
}

/* Where the offsets of this part count from. */
static uint64_t
origin(const struct mime_part *part, const struct mime_part *before)
{
	if (before != NULL)
		return mime_end(before);
	return part != NULL ? part->body_off : 0;
}

static void
put_part(struct buf *out, const struct mime_part *part,
    const struct mime_part *before)
{
	buf_add_char(
	    out, (char)((unsigned)class_of(part) | (unsigned)part->cte << 3 |
			(part->has_nul ? 0x40u : 0) |
			(part->truncated ? 0x80u : 0)));
	put_varint(out, part->head_off - origin(part->parent, before));
	put_varint(out, part->body_off - part->head_off);
	put_varint(out, part->body_len);
	put_varint(out, part->lines);
	if (part->kind == MIME_MULTIPART)
		put_varint(out, count_children(part));
}

bool
mime_serialize(const struct mime_part *root, struct buf *out)
{
	const struct mime_part *part = root, *before = NULL, *down;

	buf_add_char(out, VERSION);
	while (part != NULL) {
		put_part(out, part, before);
		before = NULL;
		down = part->kind == MIME_MESSAGE ? part->message : part->child;
		if (down != NULL) {
			part = down;
			continue;
		}
		while (part != NULL && part->next == NULL)
			part = part->parent;
		before = part;
		if (part != NULL)
			part = part->next;
	}
	return !buf_failed(out);
}

static bool
get_varint(struct slice *s, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; s->n != 0 && shift < 63; shift += 7) {
		uint64_t b = (unsigned char)s->p[0];

		*s = slice_from(*s, 1);
		*v |= (b & 0x7f) << shift;
		if (b < 0x80)
			return true;
	}
	return false;
}

static bool
set_class(struct mime_part *part, unsigned flags)
{
	unsigned class = flags & 7, cte = flags >> 3 & 7;

	if (class >= CLASSES || cte > MIME_OTHER)
		return false;
	part->kind = class == MULTIPART ? MIME_MULTIPART
		     : class == MESSAGE ? MIME_MESSAGE
					: MIME_LEAF;
	part->cte = (enum mime_cte)cte;
	part->is_text = class == PLAIN || class == HTML;
	part->is_html = class == HTML;
	part->opaque = class == OPAQUE;
	part->has_nul = (flags & 0x40) != 0;
	part->truncated = (flags & 0x80) != 0;
	return true;
}

/* One part without its children; nchild_out: how many follow. */
static bool
get_part(struct slice *s, struct mime_part *part,
    const struct mime_part *before, uint64_t *nchild_out)
{
	uint64_t gap, head, body, end;
	unsigned flags;

	if (s->n == 0)
		return false;
	flags = (unsigned char)s->p[0];
	*s = slice_from(*s, 1);
	*nchild_out = 0;
	if (!set_class(part, flags) || !get_varint(s, &gap) ||
	    !get_varint(s, &head) || !get_varint(s, &body) ||
	    !get_varint(s, &part->lines))
		return false;
	if (!num_add(origin(part->parent, before), gap, &part->head_off) ||
	    !num_add(part->head_off, head, &part->body_off) ||
	    !num_add(part->body_off, body, &end))
		return false;
	part->body_len = body;
	if (part->parent != NULL && end > mime_end(part->parent))
		return false;
	if (part->kind == MIME_MESSAGE)
		*nchild_out = 1;
	if (part->kind == MIME_MULTIPART)
		return get_varint(s, nchild_out) && *nchild_out != 0;
	return true;
}

/* What is open while loading: how many parts it still gets. */
struct open {
	struct mime_part *part, *last;
	uint64_t left;
};

static void
attach(struct open *up, struct mime_part *part)
{
	if (up->part->kind == MIME_MESSAGE)
		up->part->message = part;
	else if (up->last == NULL)
		up->part->child = part;
	else
		up->last->next = part;
	up->last = part;
	up->left--;
}

bool
mime_load(struct slice bytes, struct arena *a, struct mime_part **root_out)
{
	struct open stack[DEPTH_MAX + 1];
	struct mime_part *root = NULL, *part;
	size_t n = 0;
	uint64_t nchild;

	*root_out = NULL;
	if (bytes.n == 0 || bytes.p[0] != VERSION)
		return false;
	bytes = slice_from(bytes, 1);
	while (root == NULL || n != 0) {
		struct open *up = n != 0 ? &stack[n - 1] : NULL;

		if (up != NULL && up->left == 0) {
			n--;
			continue;
		}
		part = arena_alloc(a, sizeof(*part));
		part->parent = up != NULL ? up->part : NULL;
		if (!get_part(
			&bytes, part, up != NULL ? up->last : NULL, &nchild) ||
		    n == DEPTH_MAX)
			return false;
		if (up != NULL)
			attach(up, part);
		else
			root = part;
		stack[n++] = (struct open){ .part = part, .left = nchild };
	}
	if (bytes.n != 0)
		return false;
	*root_out = root;
	return true;
}
