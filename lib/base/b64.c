#include "lib/base/b64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
b64_encode(struct buf *out, struct slice in)
{
	const unsigned char *p = (const unsigned char *)in.p;
	char *to = buf_reserve(out, (in.n + 2) / 3 * 4);
	size_t i, made = 0;

	if (to == NULL)
		return;
	for (i = 0; i < in.n; i += 3) {
		size_t left = in.n - i;
		uint32_t v = (uint32_t)p[i] << 16;

		v |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
		v |= left > 2 ? p[i + 2] : 0;
		to[made++] = alphabet[v >> 18];
		to[made++] = alphabet[(v >> 12) & 63];
		to[made++] = left > 1 ? alphabet[(v >> 6) & 63] : '=';
		to[made++] = left > 2 ? alphabet[v & 63] : '=';
	}
	buf_advance(out, made);
}

int
b64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* One group of four; pad is how many '=' it may end in. */
static bool
decode_group(struct buf *out, const char *q, size_t pad)
{
	uint32_t v = 0;
	char bytes[3];

	for (size_t i = 0; i < 4; i++) {
		int d = i >= 4 - pad ? 0 : b64_value(q[i]);

		if (d < 0)
			return false;
		v = v << 6 | (uint32_t)d;
	}
	/* RFC 4648 3.5: the pad bits must be zero. */
	if ((pad == 1 && (v & 0xff) != 0) || (pad == 2 && (v & 0xffff) != 0))
		return false;
	bytes[0] = (char)(v >> 16);
	bytes[1] = (char)(v >> 8);
	bytes[2] = (char)v;
	buf_add(out, bytes, 3 - pad);
	return true;
}

bool
b64_decode(struct buf *out, struct slice in)
{
	if (in.n % 4 != 0)
		return false;
	for (size_t i = 0; i < in.n; i += 4) {
		size_t pad = 0;

		if (i + 4 == in.n && in.p[i + 3] == '=')
			pad = in.p[i + 2] == '=' ? 2 : 1;
		if (!decode_group(out, in.p + i, pad))
			return false;
	}
	return !buf_failed(out);
}
