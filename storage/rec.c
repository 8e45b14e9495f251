#include "storage/rec.h"

#include "lib/base/num.h"

void
rec_add_varint(struct buf *b, uint64_t v)
{
	char bytes[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (char)(v | 0x80);
	bytes[n++] = (char)v;
	buf_add(b, bytes, n);
}

void
rec_add(struct buf *b, uint8_t tag, struct slice bytes)
{
	buf_add_char(b, (char)tag);
	rec_add_varint(b, bytes.n);
	buf_add_slice(b, bytes);
}

void
rec_add_u64(struct buf *b, uint8_t tag, uint64_t v)
{
	char *p;

	if (v == 0 || (p = buf_reserve(b, 10)) == NULL)
		return;
	p[0] = (char)tag;
	p[1] = 8;
	num_put64(p + 2, v);
	buf_advance(b, 10);
}

bool
rec_varint(struct slice *rest, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < rest->n && i < 10; i++) {
		uint64_t c = (unsigned char)rest->p[i];

		if (i == 9 && c > 1)
			return false; /* past 64 bits */
		v |= (c & 0x7f) << (7 * i);
		if (c < 0x80) {
			*rest = slice_from(*rest, i + 1);
			*out = v;
			return true;
		}
	}
	return false;
}

bool
rec_next(struct slice *rest, uint8_t *tag_out, struct slice *bytes_out,
    bool *bad_out)
{
	struct slice s = *rest;
	uint64_t n;

	*bad_out = false;
	if (s.n == 0)
		return false;
	*tag_out = (uint8_t)s.p[0];
	s = slice_from(s, 1);
	if (!rec_varint(&s, &n) || n > s.n) {
		*bad_out = true;
		return false;
	}
	*bytes_out = slice_sub(s, 0, (size_t)n);
	*rest = slice_from(s, (size_t)n);
	return true;
}

uint64_t
rec_u64(struct slice bytes)
{
	return bytes.n == 8 ? num_get64(bytes.p) : 0;
}
