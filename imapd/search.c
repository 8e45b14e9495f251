#include "imapd/search.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/fold.h"
#include "imapd/msgset.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/mail/date.h"
#include "lib/mail/decode.h"
#include "lib/mail/header.h"

enum { HEADER_MAX = 4 << 20, DAY = 86400 };

static enum search_says eval(struct search *s, struct search_key *k);

/* ---- preparing ---- */

static struct slice
folded(struct client *c, struct slice text)
{
	struct slice out;
	struct buf b;

	buf_init(&b, 16 << 20);
	fold_add(&b, text);
	out = arena_copy(&c->arena, buf_slice(&b));
	buf_fini(&b);
	return out;
}

static uint64_t
keyword_bit(struct client *c, struct slice name)
{
	const struct selected *sel = c->sel;

	for (unsigned i = 0; sel->names != NULL && i < FOLDER_KEYWORDS_MAX; i++)
		if (sel->names->v[i].p != NULL &&
		    slice_ieq(sel->names->v[i], name))
			return UINT64_C(1) << i;
	return 0;
}

static void
need(struct search *s, enum search_stage stage)
{
	if (stage > s->last)
		s->last = stage;
}

static void
prepare_text(struct search *s, struct search_key *k)
{
	struct text_key *t = &s->texts[s->ntexts];

	need(s, BY_TEXT);
	k->text = folded(s->c, k->text);
	k->needle = NULL;
	if (k->text.n == 0)
		return; /* everything has that */
	t->needle = k->text;
	t->header = k->op == SK_TEXT;
	k->needle = t;
	s->ntexts++;
}

bool
search_is_of_view(const struct search_key *k)
{
	static const unsigned ops =
	    1U << SK_ALL | 1U << SK_AND | 1U << SK_OR | 1U << SK_NOT |
	    1U << SK_FLAGS | 1U << SK_RECENT | 1U << SK_KEYWORD | 1U << SK_SEQ |
	    1U << SK_UID | 1U << SK_MODSEQ;

	return ops >> k->op & 1;
}

static bool
prepare_leaf(struct search *s, struct search_key *k)
{
	struct client *c = s->c;

	switch (k->op) {
	case SK_AND:
	case SK_OR:
	case SK_NOT: break;
	case SK_SEQ:
	case SK_UID:
		s->view = true;
		return msgset_seqs(c, &k->set, k->op == SK_UID, &k->ranges);
	case SK_KEYWORD:
		s->view = true;
		k->bit = keyword_bit(c, k->name);
		break;
	case SK_SIZE:
	case SK_DATE:
	case SK_SAVED:
	case SK_EMAILID: need(s, BY_INFO); break;
	case SK_THREADID: need(s, BY_META); break;
	case SK_SENT:
		need(s, BY_META);
		s->digests = true;
		break;
	case SK_HEADER:
		k->text = folded(c, k->text);
		k->field = digest_field(k->name);
		s->digests |= k->field < DF_FIELDS;
		need(s, msg_cached_header(k->name) ? BY_META : BY_HEADER);
		break;
	case SK_BODY:
	case SK_TEXT: prepare_text(s, k); break;
	default: s->view = true; break;
	}
	return true;
}

static bool
prepare(struct search *s, struct search_key *k)
{
	for (struct search_key *sub = k->sub; sub != NULL; sub = sub->next)
		if (!prepare(s, sub))
			return false;
	return prepare_leaf(s, k);
}

static size_t
count_texts(const struct search_key *k)
{
	size_t n = k->op == SK_BODY || k->op == SK_TEXT;

	for (const struct search_key *sub = k->sub; sub != NULL;
	     sub = sub->next)
		n += count_texts(sub);
	return n;
}

bool
search_init(struct search *s, struct client *c, struct search_key *key)
{
	*s = (struct search){ .c = c, .key = key };
	buf_init(&s->head, HEADER_MAX);
	buf_init(&s->plain, HEADER_MAX);
	buf_init(&s->utf8, 2 * HEADER_MAX);
	buf_init(&s->folded, 8 * HEADER_MAX);
	s->texts =
	    arena_alloc(&c->arena, (count_texts(key) + 1) * sizeof(*s->texts));
	if (!prepare(s, key))
		return false;
	if (s->ntexts != 0)
		s->hunt = text_hunt_new(client_store(c), s->texts, s->ntexts);
	return true;
}

void
search_fini(struct search *s)
{
	text_hunt_free(&s->hunt);
	buf_fini(&s->head);
	buf_fini(&s->plain);
	buf_fini(&s->utf8);
	buf_fini(&s->folded);
}

/* ---- leaves ---- */

static enum search_says
says(bool yes)
{
	return yes ? SAYS_YES : SAYS_NO;
}

static bool
in_range(const struct search_key *k, int64_t v)
{
	return v >= k->lo && v < k->hi;
}

/* RFC 8474 6 */
static bool
is_id(const struct search_key *k, char letter, uint64_t id)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%c%" PRIu64, letter, id);

	return slice_eq(k->text, slice_of(text, (size_t)n));
}

static enum search_says
by_info(const struct search *s, const struct search_key *k)
{
	const struct msg_meta *m = s->meta;

	if (s->stage < (k->op == SK_THREADID ? BY_META : BY_INFO))
		return SAYS_MAYBE;
	switch (k->op) {
	case SK_SIZE:
		return says(
		    (int64_t)m->size >= k->lo && (int64_t)m->size <= k->hi);
	case SK_DATE: return says(in_range(k, m->internal_date));
	case SK_SAVED: return says(in_range(k, m->save_date));
	case SK_EMAILID: return says(is_id(k, 'M', m->msgid));
	case SK_THREADID: return says(is_id(k, 'T', m->thread));
	default: return SAYS_NO;
	}
}

/* Is the text in this field's value? */
static bool
value_has(struct search *s, const struct search_key *k, struct slice value)
{
	struct slice f;

	if (k->text.n == 0)
		return true; /* RFC 9051 6.4.4: the field is there */
	buf_clear(&s->plain);
	buf_clear(&s->utf8);
	buf_clear(&s->folded);
	header_unfold(&s->plain, value);
	decode_words(&s->utf8, buf_slice(&s->plain));
	fold_add(&s->folded, buf_slice(&s->utf8));
	f = buf_slice(&s->folded);
	return f.n >= k->text.n &&
	       memmem(f.p, f.n, k->text.p, k->text.n) != NULL;
}

static bool
header_has(struct search *s, const struct search_key *k, struct slice block)
{
	struct header f;

	while (header_next(&block, &f))
		if (slice_ieq(f.name, k->name) && value_has(s, k, f.value))
			return true;
	return false;
}

/* The message's own header block. */
static struct slice
whole_header(struct search *s)
{
	int rc;

	if (!s->head_read) {
		size_t n = s->meta->header_bytes;

		buf_clear(&s->head);
		rc = msg_read(client_store(s->c), s->meta, 0,
		    n < HEADER_MAX ? n : HEADER_MAX, &s->head);
		if (rc != 0)
			s->rc = rc;
		s->head_read = true;
	}
	return buf_slice(&s->head);
}

/* The block in which this field is to be looked for, p == NULL: not yet. */
static struct slice
block_for(struct search *s, struct slice field)
{
	if (s->stage >= BY_META && s->meta->headers.p != NULL &&
	    msg_cached_header(field))
		return s->meta->headers;
	if (s->stage >= BY_HEADER)
		return whole_header(s);
	return (struct slice){ NULL, 0 };
}

static enum search_says
by_header(struct search *s, const struct search_key *k)
{
	struct slice block = { NULL, 0 };

	if (s->digest != NULL && k->field < DF_FIELDS)
		return says(digest_has(
		    s->digest, (enum digest_field)k->field, k->text));
	block = block_for(s, k->name);
	if (s->stage < BY_HEADER && block.p == NULL)
		return SAYS_MAYBE;
	return says(header_has(s, k, block));
}

/* RFC 9051 6.4.4: the day the Date field names, whatever its zone. */
static enum search_says
by_sent(struct search *s, const struct search_key *k)
{
	struct slice block, value;
	int64_t sec;
	int zone;

	if (s->digest != NULL)
		return says(digest_sent(s->digest, &sec) && in_range(k, sec));
	block = block_for(s, SLICE("Date"));
	if (s->stage < BY_HEADER && block.p == NULL)
		return SAYS_MAYBE;
	value = header_find(block, SLICE("Date"));
	if (value.p == NULL || !date_parse(value, &sec, &zone))
		return SAYS_NO;
	return says(in_range(k, sec + (int64_t)zone * 60));
}

static enum search_says
by_text(const struct search *s, const struct search_key *k)
{
	const struct text_key *t = k->needle;

	if (t == NULL)
		return SAYS_YES;
	return s->stage < BY_TEXT ? SAYS_MAYBE : says(t->hit);
}

/* ---- the tree ---- */

static enum search_says
eval_and(struct search *s, struct search_key *list)
{
	enum search_says all = SAYS_YES;

	for (; list != NULL; list = list->next)
		switch (eval(s, list)) {
		case SAYS_NO: return SAYS_NO;
		case SAYS_MAYBE: all = SAYS_MAYBE; break;
		case SAYS_YES: break;
		}
	return all;
}

static enum search_says
eval_or(struct search *s, struct search_key *list)
{
	enum search_says any = SAYS_NO;

	for (; list != NULL; list = list->next)
		switch (eval(s, list)) {
		case SAYS_YES: return SAYS_YES;
		case SAYS_MAYBE: any = SAYS_MAYBE; break;
		case SAYS_NO: break;
		}
	return any;
}

static enum search_says
eval_not(struct search *s, struct search_key *k)
{
	switch (eval(s, k)) {
	case SAYS_YES: return SAYS_NO;
	case SAYS_NO: return SAYS_YES;
	case SAYS_MAYBE: break;
	}
	return SAYS_MAYBE;
}

static enum search_says
eval(struct search *s, struct search_key *k)
{
	switch (k->op) {
	case SK_ALL: return SAYS_YES;
	case SK_AND: return eval_and(s, k->sub);
	case SK_OR: return eval_or(s, k->sub);
	case SK_NOT: return eval_not(s, k->sub);
	case SK_FLAGS: return says((s->m->flags & k->mask) == k->want);
	case SK_RECENT: return says(s->m->recent == (k->want != 0));
	case SK_KEYWORD:
		return says(((s->m->keywords & k->bit) != 0) == (k->want != 0));
	case SK_SEQ:
	case SK_UID: return says(ranges_has(&k->ranges, s->seq));
	case SK_MODSEQ: return says(s->m->modseq >= k->n);
	case SK_SIZE:
	case SK_DATE:
	case SK_SAVED:
	case SK_EMAILID:
	case SK_THREADID: return by_info(s, k);
	case SK_SENT: return by_sent(s, k);
	case SK_HEADER: return by_header(s, k);
	case SK_BODY:
	case SK_TEXT: return by_text(s, k);
	}
	return SAYS_NO;
}

enum search_says
search_by_view(struct search *s, uint32_t seq)
{
	s->stage = BY_VIEW;
	s->seq = seq;
	s->digest = NULL;
	s->m = view_at(s->c->sel->view, &s->ahead, seq);
	return eval(s, s->key);
}

enum search_says
search_by_digest(struct search *s, uint32_t seq, const struct digest *digest)
{
	s->stage = BY_VIEW;
	s->seq = seq;
	s->digest = digest;
	s->m = view_at(s->c->sel->view, &s->ahead, seq);
	return eval(s, s->key);
}

enum search_says
search_by_index(struct search *s, uint32_t seq, const struct msg_meta *meta)
{
	enum search_says r;
	int rc;

	s->seq = seq;
	s->digest = NULL;
	s->meta = meta;
	s->head_read = false;
	s->m = view_at(s->c->sel->view, &s->ahead, seq);
	s->stage = s->last < BY_META ? BY_INFO : BY_META;
	if ((r = eval(s, s->key)) != SAYS_MAYBE)
		return r;
	s->stage = BY_HEADER;
	if ((r = eval(s, s->key)) != SAYS_MAYBE || s->hunt == NULL)
		return r == SAYS_YES ? SAYS_YES : SAYS_NO;
	s->stage = BY_TEXT;
	if ((rc = text_hunt_run(s->hunt, meta)) != 0) {
		s->rc = rc;
		return SAYS_NO;
	}
	return eval(s, s->key);
}
