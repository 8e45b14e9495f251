#include "imapd/pattern.h"

#include <string.h>

#include "storage/folder.h"

enum {
	PATTERN_MAX = 2 * FOLDER_NAME_MAX + 2, /* wildcards collapsed */
	WORDS = PATTERN_MAX / 64 + 1
};

struct pattern {
	size_t n;
	char p[PATTERN_MAX];
};

/* States of the matcher: bit i says that p[0..i) has been matched. */
struct states {
	uint64_t w[WORDS];
};

static bool
is_wild(char c)
{
	return c == '*' || c == '%';
}

/* "**" is "*", "%%" is "%", and "%*" or "*%" is "*". */
static bool
pattern_add(struct pattern *p, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		char *last = p->n != 0 ? &p->p[p->n - 1] : NULL;

		if (last != NULL && is_wild(c) && is_wild(*last)) {
			if (c == '*')
				*last = '*';
			continue;
		}
		if (p->n == PATTERN_MAX)
			return false;
		p->p[p->n++] = c;
	}
	return true;
}

/* RFC 9051 5.1: INBOX in any case, as the first level. */
static void
fold_inbox(struct pattern *p)
{
	static const char inbox[] = "INBOX";
	size_t n = sizeof(inbox) - 1;

	if (p->n < n || !slice_ieq(slice_of(p->p, n), slice_of(inbox, n)))
		return;
	if (p->n == n || p->p[n] == '/' || is_wild(p->p[n]))
		memcpy(p->p, inbox, n);
}

struct pattern *
pattern_new(struct arena *a, struct slice reference, struct slice mailbox)
{
	struct pattern *p = arena_alloc(a, sizeof(*p));

	if (!pattern_add(p, reference) || !pattern_add(p, mailbox))
		return NULL;
	fold_inbox(p);
	return p;
}

static bool
has(const struct states *s, size_t i)
{
	return (s->w[i / 64] >> (i % 64)) & 1;
}

static void
set(struct states *s, size_t i)
{
	s->w[i / 64] |= UINT64_C(1) << (i % 64);
}

/* A wildcard may match nothing. */
static void
start(const struct pattern *p, struct states *s, size_t i)
{
	set(s, i);
	while (i < p->n && is_wild(p->p[i]))
		set(s, ++i);
}

static void
step(const struct pattern *p, const struct states *from, char c,
    struct states *to)
{
	*to = (struct states){ 0 };
	for (size_t i = 0; i < p->n; i++) {
		if (!has(from, i))
			continue;
		if (p->p[i] == '*' || (p->p[i] == '%' && c != '/'))
			start(p, to, i);
		else if (p->p[i] == c)
			start(p, to, i + 1);
	}
}

static struct states
run(const struct pattern *p, struct slice name)
{
	struct states s[2] = { 0 };

	start(p, &s[0], 0);
	for (size_t i = 0; i < name.n; i++)
		step(p, &s[i % 2], name.p[i], &s[(i + 1) % 2]);
	return s[name.n % 2];
}

bool
pattern_match(const struct pattern *p, struct slice name)
{
	struct states s = run(p, name);

	return has(&s, p->n);
}

bool
pattern_below(const struct pattern *p, struct slice name)
{
	struct states s = run(p, name), after;

	step(p, &s, '/', &after);
	for (size_t i = 0; i < p->n; i++)
		if (has(&after, i))
			return true;
	return false;
}
