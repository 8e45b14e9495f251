#include "submitd/scan.h"

#include <string.h>

#include "lib/base/utf8.h"
#include "lib/mail/dotted.h"

static void
check_lf(struct scan *s, struct slice in)
{
	const char *p = in.p, *end = in.p + in.n;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if ((p == in.p ? s->last : p[-1]) != '\r')
			s->flags |= DOTTED_BARE_LF;
		p++;
	}
}

static void
check_cr(struct scan *s, struct slice in)
{
	const char *p = in.p, *end = in.p + in.n;

	if (s->last == '\r' && in.p[0] != '\n')
		s->flags |= DOTTED_BARE_CR;
	while ((p = memchr(p, '\r', (size_t)(end - p))) != NULL) {
		p++;
		if (p != end && *p != '\n')
			s->flags |= DOTTED_BARE_CR;
	}
}

void
scan_feed(struct scan *s, struct slice in)
{
	if (in.n == 0)
		return;
	check_lf(s, in);
	check_cr(s, in);
	if (memchr(in.p, '\0', in.n) != NULL)
		s->flags |= DOTTED_NUL;
	if (!utf8_is_ascii(in))
		s->flags |= DOTTED_8BIT;
	s->last = in.p[in.n - 1];
}

void
scan_end(struct scan *s)
{
	if (s->last == '\r')
		s->flags |= DOTTED_BARE_CR;
	s->last = '\n';
}
