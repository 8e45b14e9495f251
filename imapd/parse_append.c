#include "imapd/parse_append.h"

enum {
	APPEND_MAX = 5000,
	PARTS_MAX = 20000, /* of CATENATE, in one command */
	MIN_TEXT = 6,      /* " {1}" CRLF */
	LITERAL_TAIL = 32  /* "~{18446744073709551615+}" CRLF and a bit */
};

/* A literal whose bytes went elsewhere: "{n}" CRLF, or "~{n}" CRLF. */
static bool
parse_streamed(struct parse *p, struct args_append *a, struct append_part *part)
{
	part->binary = cur_skip(&p->c, '~');
	a->nliterals++;
	if (!cur_byte(&p->c, '{') || !cur_u64(&p->c, UINT64_MAX, &part->size))
		return false;
	(void)cur_skip(&p->c, '+');
	return cur_byte(&p->c, '}') && cur_byte(&p->c, '\r') &&
	       cur_byte(&p->c, '\n');
}

/* cat-part = "TEXT" SP literal / "URL" SP astring */
static bool
parse_cat_part(struct parse *p, struct args_append *a, struct append_msg *m)
{
	struct append_part *part = &m->parts[m->nparts++];

	if (cur_skip_word(&p->c, "TEXT"))
		return parse_sp(p) && parse_streamed(p, a, part);
	part->is_url = true;
	a->nurls++;
	return cur_word(&p->c, "URL") && parse_sp(p) &&
	       parse_astring(p, &part->url);
}

/* Room for one more, in the arena. */
static void
grow_parts(struct parse *p, struct append_msg *m)
{
	struct append_part *more;

	if ((m->nparts & (m->nparts - 1)) != 0)
		return;
	more = arena_alloc(p->a, (2 * m->nparts + 1) * sizeof(*more));
	for (size_t i = 0; i < m->nparts; i++)
		more[i] = m->parts[i];
	m->parts = more;
}

/* "CATENATE" SP "(" cat-part *(SP cat-part) ")", RFC 4469 5 */
static bool
parse_catenate(struct parse *p, struct args_append *a, struct append_msg *m)
{
	m->catenate = true;
	if (!parse_sp(p) || !cur_byte(&p->c, '('))
		return false;
	do {
		if (a->nliterals + a->nurls == PARTS_MAX)
			return parse_refuse(p, "LIMIT", "too many parts");
		grow_parts(p, m);
		if (!parse_cat_part(p, a, m))
			return false;
	} while (cur_skip(&p->c, ' '));
	return cur_byte(&p->c, ')');
}

/* append-data = literal / literal8 / "UTF8" SP "(" literal8 ")" / catenate */
static bool
parse_data(struct parse *p, struct args_append *a, struct append_msg *m)
{
	if (cur_skip_word(&p->c, "CATENATE"))
		return parse_catenate(p, a, m);
	grow_parts(p, m);
	m->nparts = 1;
	m->utf8 = cur_skip_word(&p->c, "UTF8");
	if (m->utf8)
		return parse_sp(p) && cur_byte(&p->c, '(') &&
		       parse_streamed(p, a, m->parts) && cur_byte(&p->c, ')');
	return parse_streamed(p, a, m->parts);
}

/* append-message = [SP flag-list] [SP date-time] SP append-data */
static bool
parse_message(struct parse *p, struct args_append *a, struct append_msg *m)
{
	if (!parse_sp(p))
		return false;
	if (cur_peek(&p->c) == '(' &&
	    (!parse_flag_list(p, false, &m->flags) || !parse_sp(p)))
		return false;
	if (cur_peek(&p->c) == '"') {
		m->has_date = true;
		if (!parse_date_time(p, &m->date) || !parse_sp(p))
			return false;
	}
	return parse_data(p, a, m);
}

/* append = "APPEND" SP mailbox 1*append-message, RFC 3502 6.3.11 */
bool
parse_append(struct parse *p, void **args_out)
{
	struct args_append *a = arena_alloc(p->a, sizeof(*a));
	size_t max;

	*args_out = a;
	if (!parse_sp(p) || !parse_mailbox(p, &a->name))
		return false;
	max = (size_t)(p->c.end - p->c.p) / MIN_TEXT + 1;
	if (max > APPEND_MAX)
		max = APPEND_MAX;
	a->v = arena_alloc(p->a, max * sizeof(*a->v));
	do {
		if (a->n == max)
			return parse_refuse(p, "LIMIT", "too many messages");
		if (!parse_message(p, a, &a->v[a->n++]))
			return false;
	} while (cur_peek(&p->c) == ' ');
	return parse_end(p);
}

/* seq-number = nz-number / "*" */
static bool
parse_number(struct parse *p, struct num_or_star *out)
{
	out->star = cur_skip(&p->c, '*');
	return out->star || parse_nz_u32(p, &out->n);
}

/* replace = "REPLACE" SP seq-number SP mailbox append-message, RFC 8508 5 */
bool
parse_replace(struct parse *p, void **args_out)
{
	struct args_append *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	a->v = arena_alloc(p->a, sizeof(*a->v));
	a->n = 1;
	return parse_sp(p) && parse_number(p, &a->goes) && parse_sp(p) &&
	       parse_mailbox(p, &a->name) && parse_message(p, a, a->v) &&
	       parse_end(p);
}

/* The words in front of the first message; leaves the cursor behind them. */
static bool
parse_front(struct parse *p)
{
	struct num_or_star n;
	struct slice s;

	if (!parse_tag(p, &s) || !parse_sp(p))
		return false;
	if (cur_skip_word(&p->c, "APPEND "))
		return parse_astring(p, &s) && cur_peek(&p->c) == ' ';
	(void)cur_skip_word(&p->c, "UID ");
	return cur_word(&p->c, "REPLACE ") && parse_number(p, &n) &&
	       parse_sp(p) && parse_astring(p, &s) && cur_peek(&p->c) == ' ';
}

bool
parse_append_begun(struct slice text, struct arena *a)
{
	struct slice tail;
	struct parse p;
	size_t at;

	parse_init(&p, text, a, true);
	/* A literal that is the name is announced but not yet there. */
	if (!parse_front(&p))
		return false;
	/* "URL {5}" in CATENATE: nothing else ends so behind the name. */
	tail = slice_of(p.c.p, (size_t)(p.c.end - p.c.p));
	if (tail.n > LITERAL_TAIL)
		tail = slice_from(tail, tail.n - LITERAL_TAIL);
	at = slice_rchr(tail, '{');
	if (at > 0 && at < tail.n && tail.p[at - 1] == '~')
		at--;
	return at < 5 || at == tail.n ||
	       !slice_ieq(slice_sub(tail, at - 4, 4), SLICE("URL "));
}
