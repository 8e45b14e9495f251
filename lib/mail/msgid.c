#include "lib/mail/msgid.h"

#include <string.h>

#include "lib/base/cset.h"

/* What an id cannot hold: controls, blanks, angle brackets. */
static bool
is_clean(struct slice id)
{
	for (size_t i = 0; i < id.n; i++)
		if ((unsigned char)id.p[i] <= ' ' || id.p[i] == '\x7f')
			return false;
	return id.n != 0;
}

bool
msgid_next(struct slice *rest, struct slice *id)
{
	while (rest->n != 0) {
		size_t gt = slice_chr(*rest, '>');
		struct slice part = slice_sub(*rest, 0, gt);
		size_t lt = slice_rchr(part, '<');

		if (gt == rest->n) {
			*rest = slice_from(*rest, gt);
			break;
		}
		*rest = slice_from(*rest, gt + 1);
		if (lt == part.n)
			continue;
		*id = slice_trim(slice_from(part, lt + 1));
		if (is_clean(*id))
			return true;
	}
	*id = SLICE("");
	return false;
}

/* dot-atom-text = 1*atext *("." 1*atext), RFC 5322 3.2.3; 8-bit as RFC 6532 */
static bool
is_dot_atom(struct slice s)
{
	bool dot = true;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && dot)
			return false;
		dot = s.p[i] == '.';
		if (!dot && !cset_has(&cset_atext, s.p[i]) &&
		    !cset_has(&cset_8bit, s.p[i]))
			return false;
	}
	return !dot;
}

/* The quoted string in front of s without quotes and backslashes; bytes
 * read, or 0 when it has no end. */
static size_t
unquote(struct slice s, struct buf *out)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '"')
			return i + 1;
		if (s.p[i] == '\\' && ++i == s.n)
			break;
		buf_add_char(out, s.p[i]);
	}
	return 0;
}

void
msgid_norm(struct buf *out, struct slice id)
{
	struct buf plain;
	size_t n = 0;

	buf_init(&plain, id.n);
	if (id.n != 0 && id.p[0] == '"')
		n = unquote(id, &plain);
	if (n != 0 && n < id.n && id.p[n] == '@' &&
	    is_dot_atom(buf_slice(&plain)))
		buf_add_slice(out, buf_slice(&plain));
	else
		n = 0;
	buf_add_slice(out, slice_from(id, n));
	buf_fini(&plain);
}
