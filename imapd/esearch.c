#include "imapd/esearch.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/mem.h"

/* Are results wanted that stand neither at an end nor in the window? */
static bool
wants_all(const struct esearch *e)
{
	return e->ret & (SR_ALL | SR_COUNT) ||
	       !(e->ret & (SR_MIN | SR_MAX | SR_PARTIAL));
}

/* Is this one of those that the options speak of?  RFC 4731 3.2, RFC 5182 2.4,
 * RFC 9394 3.2 table 1. */
static bool
counts(const struct esearch *e, size_t i)
{
	return wants_all(e) || (i == 0 && e->ret & SR_MIN) ||
	       (i + 1 == e->n && e->ret & SR_MAX) ||
	       (e->ret & SR_PARTIAL && i >= e->from && i - e->from < e->count);
}

/* RFC 7162 3.1.10: of those, the highest. */
static void
find_modseq(struct client *c, struct esearch *e)
{
	struct view_msg m;

	for (size_t i = 0; i < e->n; i++) {
		if (!counts(e, i))
			continue;
		view_get(c->sel->view, e->v[i], &m);
		if (m.modseq > e->modseq)
			e->modseq = m.modseq;
	}
}

static int
rising(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* RFC 5182 2.1: what "$" is from here on; UIDs, rising. */
static void
save(struct client *c, struct esearch *e)
{
	struct selected *sel = c->sel;
	bool sorted = true;
	size_t n = 0;

	free(sel->saved);
	sel->saved = xcalloc(e->n + 1, sizeof(*sel->saved));
	for (size_t i = 0; i < e->n; i++) {
		struct view_msg m;

		if (!counts(e, i))
			continue;
		view_get(sel->view, e->v[i], &m);
		sorted = sorted && (n == 0 || sel->saved[n - 1] < m.uid);
		sel->saved[n++] = m.uid;
	}
	sel->nsaved = n;
	if (!sorted)
		qsort(sel->saved, n, sizeof(*sel->saved), rising);
}

void
esearch_begin(struct client *c, struct esearch *e)
{
	e->from = 0;
	e->count = e->n;
	if (e->ret & SR_PARTIAL)
		partial_window(&e->a->partial, e->n, &e->from, &e->count);
	if (e->a->has_modseq)
		find_modseq(c, e);
	if (e->ret & SR_SAVE)
		save(c, e);
}

/* As the command names messages. */
static uint32_t
name_of(const struct client *c, uint32_t seq)
{
	struct view_msg m;

	if (!c->cmd.uid)
		return seq;
	view_get(c->sel->view, seq, &m);
	return m.uid;
}

/* A part of the window as a set; false when there is more. */
static bool
write_set(struct client *c, struct esearch *e)
{
	uint32_t part[4096];
	size_t n = 0;

	while (n < PH_LEN(part) && e->said + n < e->count) {
		part[n] = name_of(c, e->v[e->from + e->said + n]);
		n++;
	}
	if (e->said != 0 && n != 0)
		buf_add_char(&c->out, ',');
	seqset_write(&c->out, part, n);
	e->said += n;
	return e->said == e->count;
}

/* RFC 4731 3.2.  An ESEARCH names its tag; a string, as RFC 4466 has it. */
static void
write_head(struct client *c, const struct esearch *e)
{
	struct buf *out = &c->out;

	buf_add_str(out, "* ESEARCH (TAG ");
	resp_string(out, c->cmd.tag);
	buf_add_str(out, c->cmd.uid ? ") UID" : ")");
	if (e->ret & SR_COUNT)
		buf_printf(out, " COUNT %zu", e->n);
	/* The others are left out when nothing was found. */
	if (e->ret & SR_MIN && e->n != 0)
		buf_printf(out, " MIN %" PRIu32, name_of(c, e->v[0]));
	if (e->ret & SR_MAX && e->n != 0)
		buf_printf(out, " MAX %" PRIu32, name_of(c, e->v[e->n - 1]));
	if (e->a->has_modseq && e->n != 0) /* RFC 7162 3.1.10 */
		buf_printf(out, " MODSEQ %" PRIu64, e->modseq);
	if (e->ret & SR_PARTIAL) {
		buf_add_str(out, " PARTIAL (");
		buf_add_slice(out, e->a->partial.text);
		buf_add_str(out, e->count != 0 ? " " : " NIL)");
	} else if (e->ret & SR_ALL && e->n != 0) {
		buf_add_str(out, " ALL ");
	}
}

bool
esearch_write(struct client *c, struct esearch *e)
{
	bool set = e->ret & (SR_ALL | SR_PARTIAL) && e->count != 0;

	if (!(e->ret & ~(unsigned)SR_SAVE))
		return true; /* SAVE alone says nothing */
	if (!e->said_head)
		write_head(c, e);
	e->said_head = true;
	if (set && !write_set(c, e))
		return false;
	buf_add_str(&c->out, set && e->ret & SR_PARTIAL ? ")\r\n" : "\r\n");
	return true;
}
