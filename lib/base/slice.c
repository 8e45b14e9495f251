#include "lib/base/slice.h"

#include <string.h>

#include "lib/base/mem.h"

struct slice
slice_str(const char *s)
{
	return (struct slice){ s, s != NULL ? strlen(s) : 0 };
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice
slice_trim(struct slice s)
{
	while (s.n != 0 && is_blank(s.p[0]))
		s = slice_from(s, 1);
	while (s.n != 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool
slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

char
ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

bool
slice_ieq(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

bool
slice_ieq_str(struct slice a, const char *b)
{
	return slice_ieq(a, slice_str(b));
}

bool
slice_starts(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n && slice_eq(slice_sub(s, 0, prefix.n), prefix);
}

bool
slice_istarts(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n && slice_ieq(slice_sub(s, 0, prefix.n), prefix);
}

int
slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n != 0 ? memcmp(a.p, b.p, n) : 0;

	if (d != 0)
		return d;
	return (a.n > b.n) - (a.n < b.n);
}

size_t
slice_chr(struct slice s, char c)
{
	const char *hit = s.n != 0 ? memchr(s.p, c, s.n) : NULL;

	return hit != NULL ? (size_t)(hit - s.p) : s.n;
}

size_t
slice_rchr(struct slice s, char c)
{
	const char *hit = s.n != 0 ? memrchr(s.p, c, s.n) : NULL;

	return hit != NULL ? (size_t)(hit - s.p) : s.n;
}

size_t
slice_find(struct slice hay, struct slice needle)
{
	const char *hit;

	if (needle.n == 0)
		return 0;
	if (hay.n < needle.n)
		return hay.n;
	hit = memmem(hay.p, hay.n, needle.p, needle.n);
	return hit != NULL ? (size_t)(hit - hay.p) : hay.n;
}

bool
slice_split(struct slice *rest, char sep, struct slice *head_out)
{
	size_t at;

	if (rest->p == NULL)
		return false;
	at = slice_chr(*rest, sep);
	*head_out = slice_sub(*rest, 0, at);
	if (at == rest->n)
		*rest = (struct slice){ NULL, 0 };
	else
		*rest = slice_from(*rest, at + 1);
	return true;
}

char *
slice_dup(struct slice s)
{
	return xmemdup0(s.p, s.n);
}

bool
slice_copy(struct slice s, char *out, size_t cap)
{
	ph_assert(cap != 0);
	out[0] = '\0';
	if (s.n >= cap || slice_chr(s, '\0') != s.n)
		return false;
	if (s.n != 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}
