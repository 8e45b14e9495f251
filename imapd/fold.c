#include "imapd/fold.h"

#include <string.h>
#include <unicase.h>
#include <uninorm.h>

#include "lib/base/utf8.h"

enum {
	DEPTH_MAX = 8, /* of decompositions; Unicode needs 3 */
	PIECE = 4096
};

/* RFC 5051 2 (2): decomposed again and again. */
static void
add_pieces(struct buf *out, uint32_t cp, unsigned depth)
{
	ucs4_t pieces[UC_DECOMPOSITION_MAX_LENGTH];
	int tag, n = -1;

	if (depth < DEPTH_MAX)
		n = uc_decomposition(cp, &tag, pieces);
	if (n < 0) {
		utf8_add(out, cp);
		return;
	}
	for (int i = 0; i < n; i++)
		add_pieces(out, pieces[i], depth + 1);
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Eight bytes of ASCII at once: those from a to z lose 32.  The sums reach the
 * highest bit of a byte exactly from 'a', and behind 'z', on. */
static uint64_t
upper_word(uint64_t w)
{
	uint64_t from_a = w + EACH(0x80 - 'a');
	uint64_t behind_z = w + EACH(0x80 - 'z' - 1);

	return w - ((from_a & ~behind_z & EACH(0x80)) >> 2);
}

/* The ASCII at the front of s; returns how much that was. */
static size_t
add_ascii(struct buf *out, struct slice s)
{
	size_t n = s.n < PIECE ? s.n : PIECE, i = 0;
	char *to = buf_reserve(out, n);
	uint64_t w;

	if (to == NULL)
		return n;
	for (; n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, s.p + i, sizeof(w));
		if ((w & EACH(0x80)) != 0)
			break;
		w = upper_word(w);
		memcpy(to + i, &w, sizeof(w));
	}
	for (; i < n && (unsigned char)s.p[i] < 0x80; i++) {
		char c = s.p[i];

		to[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
	}
	buf_advance(out, i);
	return i;
}

void
fold_add(struct buf *out, struct slice utf8)
{
	uint32_t cp;

	while (utf8.n != 0 && !buf_failed(out)) {
		utf8 = slice_from(utf8, add_ascii(out, utf8));
		while (utf8.n != 0 && (unsigned char)utf8.p[0] >= 0x80) {
			if (utf8_next(&utf8, &cp)) {
				add_pieces(out, uc_totitle(cp), 0);
				continue;
			}
			buf_add(out, utf8.p, 1);
			utf8 = slice_from(utf8, 1);
		}
	}
}
