#include "imapd/parse_search.h"

#include "lib/base/clock.h"
#include "lib/base/utf8.h"
#include "lib/mail/charset.h"
#include "storage/view.h"

enum { DEPTH_MAX = 50, KEYS_MAX = 20000, DAY = 86400, TEXT_MAX = 1 << 20 };

struct program {
	struct parse *p;
	struct slice charset; /* empty: US-ASCII or UTF-8 */
	unsigned depth, keys;
	bool modseq;
};

struct word;
typedef bool word_fn(
    struct program *g, const struct word *w, struct search_key *k);

/* A key's word, and how its arguments are read. */
struct word {
	const char *word;
	word_fn *read;
	enum search_op op;
	uint32_t mask, want;
	const char *field;
};

static bool parse_key(struct program *g, struct search_key **out);

static struct search_key *
new_key(struct program *g, enum search_op op)
{
	struct search_key *k = arena_alloc(g->p->a, sizeof(*k));

	k->op = op;
	return k;
}

static bool
read_flags(struct program *g, const struct word *w, struct search_key *k)
{
	(void)g;
	k->mask = w->mask;
	k->want = w->want;
	return true;
}

/* NEW = (RECENT UNSEEN); OLD = NOT RECENT */
static bool
read_recent(struct program *g, const struct word *w, struct search_key *k)
{
	struct search_key *unseen;

	k->want = w->want;
	if (w->mask == 0)
		return true;
	unseen = new_key(g, SK_FLAGS);
	unseen->mask = w->mask;
	unseen->next = new_key(g, SK_RECENT);
	unseen->next->want = w->want;
	k->op = SK_AND;
	k->sub = unseen;
	return true;
}

static bool
read_keyword(struct program *g, const struct word *w, struct search_key *k)
{
	k->want = w->want;
	return parse_sp(g->p) && parse_atom(g->p, &k->name);
}

/* A string in the search's charset to UTF-8. */
static bool
read_text(struct program *g, struct slice *out)
{
	struct slice raw;
	struct buf b;
	bool good;

	if (!parse_sp(g->p) || !parse_astring(g->p, &raw))
		return false;
	*out = raw;
	if (utf8_is_ascii(raw) && g->charset.n == 0)
		return true;
	if (g->charset.n == 0)
		return utf8_valid(raw) ||
		       parse_refuse(g->p, "BADCHARSET (US-ASCII UTF-8)",
			   "the text is not UTF-8");
	buf_init(&b, TEXT_MAX);
	good = charset_convert(&b, g->charset, raw) && !buf_failed(&b);
	*out = arena_copy(g->p->a, buf_slice(&b));
	buf_fini(&b);
	return good || cur_fail(&g->p->c, "text does not fit its charset");
}

static bool
read_field(struct program *g, const struct word *w, struct search_key *k)
{
	k->name = slice_str(w->field);
	return read_text(g, &k->text);
}

static bool
read_header(struct program *g, const struct word *w, struct search_key *k)
{
	(void)w;
	return parse_sp(g->p) && parse_astring(g->p, &k->name) &&
	       read_text(g, &k->text);
}

static bool
read_body(struct program *g, const struct word *w, struct search_key *k)
{
	(void)w;
	return read_text(g, &k->text);
}

enum { BEFORE, ON, SINCE };

/* RFC 9051 6.4.4: dates disregard time and zone. */
static bool
read_date(struct program *g, const struct word *w, struct search_key *k)
{
	int64_t day;

	if (!parse_sp(g->p) || !parse_date(g->p, &day))
		return false;
	k->lo = w->want == BEFORE ? INT64_MIN : day;
	k->hi = w->want == BEFORE ? day : w->want == ON ? day + DAY : INT64_MAX;
	return true;
}

enum { YOUNGER, OLDER };

/* RFC 5032 3 */
static bool
read_within(struct program *g, const struct word *w, struct search_key *k)
{
	int64_t now = clock_wall_sec();
	uint32_t ago;

	if (!parse_sp(g->p) || !parse_nz_u32(g->p, &ago))
		return false;
	k->lo = w->want == YOUNGER ? now - (int64_t)ago : INT64_MIN;
	k->hi = w->want == YOUNGER ? INT64_MAX : now - (int64_t)ago + 1;
	return true;
}

enum { LARGER, SMALLER };

static bool
read_size(struct program *g, const struct word *w, struct search_key *k)
{
	uint64_t n;

	if (!parse_sp(g->p) || !parse_u63(g->p, &n))
		return false;
	k->lo = w->want == LARGER ? (int64_t)n : -1;
	k->hi = w->want == LARGER ? INT64_MAX : (int64_t)n;
	/* both bounds are excluded */
	k->lo += w->want == LARGER && n != INT64_MAX;
	k->hi -= w->want == SMALLER;
	return true;
}

static bool
read_set(struct program *g, const struct word *w, struct search_key *k)
{
	(void)w;
	return parse_sp(g->p) && parse_set(g->p, &k->set);
}

/* search-modsequence = "MODSEQ" [SP entry-name SP entry-type-req] SP
 * mod-sequence-valzer, RFC 7162 7 */
static bool
read_modseq(struct program *g, const struct word *w, struct search_key *k)
{
	struct slice entry, type;

	(void)w;
	g->modseq = true;
	if (!parse_sp(g->p))
		return false;
	if (cur_peek(&g->p->c) == '"' &&
	    (!parse_string(g->p, &entry) || !parse_sp(g->p) ||
		!parse_atom(g->p, &type) || !parse_sp(g->p)))
		return false;
	return parse_u63(g->p, &k->n);
}

static bool
read_id(struct program *g, const struct word *w, struct search_key *k)
{
	(void)w;
	return parse_sp(g->p) && parse_astring(g->p, &k->text);
}

static bool
read_not(struct program *g, const struct word *w, struct search_key *k)
{
	(void)w;
	return parse_sp(g->p) && parse_key(g, &k->sub);
}

static bool
read_or(struct program *g, const struct word *w, struct search_key *k)
{
	(void)w;
	return parse_sp(g->p) && parse_key(g, &k->sub) && parse_sp(g->p) &&
	       parse_key(g, &k->sub->next);
}

static bool
read_nothing(struct program *g, const struct word *w, struct search_key *k)
{
	(void)g, (void)w, (void)k;
	return true;
}

/* RFC 9051 6.4.4 and RFC 3501 6.4.4; those of extensions say theirs. */
static const struct word words[] = {
	{ "ALL", read_nothing, SK_ALL, 0, 0, NULL },
	{ "ANSWERED", read_flags, SK_FLAGS, MSG_ANSWERED, MSG_ANSWERED, NULL },
	{ "BCC", read_field, SK_HEADER, 0, 0, "Bcc" },
	{ "BEFORE", read_date, SK_DATE, 0, BEFORE, NULL },
	{ "BODY", read_body, SK_BODY, 0, 0, NULL },
	{ "CC", read_field, SK_HEADER, 0, 0, "Cc" },
	{ "DELETED", read_flags, SK_FLAGS, MSG_DELETED, MSG_DELETED, NULL },
	{ "DRAFT", read_flags, SK_FLAGS, MSG_DRAFT, MSG_DRAFT, NULL },
	{ "EMAILID", read_id, SK_EMAILID, 0, 0, NULL }, /* RFC 8474 6 */
	{ "FLAGGED", read_flags, SK_FLAGS, MSG_FLAGGED, MSG_FLAGGED, NULL },
	{ "FROM", read_field, SK_HEADER, 0, 0, "From" },
	{ "HEADER", read_header, SK_HEADER, 0, 0, NULL },
	{ "KEYWORD", read_keyword, SK_KEYWORD, 0, 1, NULL },
	{ "LARGER", read_size, SK_SIZE, 0, LARGER, NULL },
	{ "MODSEQ", read_modseq, SK_MODSEQ, 0, 0, NULL }, /* RFC 7162 3.1.5 */
	{ "NEW", read_recent, SK_RECENT, MSG_SEEN, 1, NULL },
	{ "NOT", read_not, SK_NOT, 0, 0, NULL },
	{ "OLD", read_recent, SK_RECENT, 0, 0, NULL },
	{ "OLDER", read_within, SK_DATE, 0, OLDER, NULL }, /* RFC 5032 3 */
	{ "ON", read_date, SK_DATE, 0, ON, NULL },
	{ "OR", read_or, SK_OR, 0, 0, NULL },
	{ "RECENT", read_recent, SK_RECENT, 0, 1, NULL },
	{ "SAVEDATESUPPORTED", read_nothing, SK_ALL, 0, 0, NULL }, /* 8514 */
	{ "SAVEDBEFORE", read_date, SK_SAVED, 0, BEFORE, NULL },
	{ "SAVEDON", read_date, SK_SAVED, 0, ON, NULL },
	{ "SAVEDSINCE", read_date, SK_SAVED, 0, SINCE, NULL },
	{ "SEEN", read_flags, SK_FLAGS, MSG_SEEN, MSG_SEEN, NULL },
	{ "SENTBEFORE", read_date, SK_SENT, 0, BEFORE, NULL },
	{ "SENTON", read_date, SK_SENT, 0, ON, NULL },
	{ "SENTSINCE", read_date, SK_SENT, 0, SINCE, NULL },
	{ "SINCE", read_date, SK_DATE, 0, SINCE, NULL },
	{ "SMALLER", read_size, SK_SIZE, 0, SMALLER, NULL },
	{ "SUBJECT", read_field, SK_HEADER, 0, 0, "Subject" },
	{ "TEXT", read_body, SK_TEXT, 0, 0, NULL },
	{ "THREADID", read_id, SK_THREADID, 0, 0, NULL }, /* RFC 8474 6 */
	{ "TO", read_field, SK_HEADER, 0, 0, "To" },
	{ "UID", read_set, SK_UID, 0, 0, NULL },
	{ "UNANSWERED", read_flags, SK_FLAGS, MSG_ANSWERED, 0, NULL },
	{ "UNDELETED", read_flags, SK_FLAGS, MSG_DELETED, 0, NULL },
	{ "UNDRAFT", read_flags, SK_FLAGS, MSG_DRAFT, 0, NULL },
	{ "UNFLAGGED", read_flags, SK_FLAGS, MSG_FLAGGED, 0, NULL },
	{ "UNKEYWORD", read_keyword, SK_KEYWORD, 0, 0, NULL },
	{ "UNSEEN", read_flags, SK_FLAGS, MSG_SEEN, 0, NULL },
	{ "YOUNGER", read_within, SK_DATE, 0, YOUNGER, NULL },
};

/* Keys side by side mean all of them. */
static bool
parse_keys(struct program *g, struct search_key **out)
{
	struct search_key **tail = out;

	do {
		if (!parse_key(g, tail))
			return false;
		tail = &(*tail)->next;
	} while (cur_skip(&g->p->c, ' '));
	return cur_ok(&g->p->c);
}

/* "(" search-key *(SP search-key) ")" */
static bool
parse_group(struct program *g, struct search_key *k)
{
	(void)cur_byte(&g->p->c, '(');
	return parse_keys(g, &k->sub) && cur_byte(&g->p->c, ')');
}

static bool
parse_word_key(struct program *g, struct search_key *k)
{
	struct slice word;

	if (!parse_atom(g->p, &word))
		return false;
	for (size_t i = 0; i < PH_LEN(words); i++) {
		if (!slice_ieq_str(word, words[i].word))
			continue;
		k->op = words[i].op;
		return words[i].read(g, &words[i], k);
	}
	return cur_fail(&g->p->c, "no such search key");
}

static bool
parse_one(struct program *g, struct search_key *k)
{
	int next = cur_peek(&g->p->c);

	if (next == '(') {
		k->op = SK_AND;
		return parse_group(g, k);
	}
	if (next == '*' || next == '$' || (next >= '0' && next <= '9')) {
		k->op = SK_SEQ;
		if (g->p->uid_only && next != '$')
			return parse_bad(g->p, "UIDREQUIRED",
			    "message numbers are not used with UIDONLY");
		return parse_set(g->p, &k->set);
	}
	return parse_word_key(g, k);
}

static bool
parse_key(struct program *g, struct search_key **out)
{
	bool good;

	if (g->depth == DEPTH_MAX)
		return parse_refuse(g->p, "LIMIT", "keys nested too deep");
	if (++g->keys > KEYS_MAX)
		return parse_refuse(g->p, "LIMIT", "too many search keys");
	*out = new_key(g, SK_ALL);
	g->depth++;
	good = parse_one(g, *out);
	g->depth--;
	return good;
}

static bool
charset_fits(struct parse *p, struct slice name, struct slice *out)
{
	*out = name;
	if (name.n == 0 || slice_ieq(name, SLICE("UTF-8")) ||
	    slice_ieq(name, SLICE("US-ASCII"))) {
		*out = SLICE("");
		return true;
	}
	return charset_known(name) ||
	       parse_refuse(p, "BADCHARSET (US-ASCII UTF-8)",
		   "this charset is not known here");
}

bool
parse_search_program(
    struct parse *p, struct slice charset, struct args_search *a)
{
	struct program g = { .p = p };

	a->key = arena_alloc(p->a, sizeof(*a->key));
	a->key->op = SK_AND;
	if (!charset_fits(p, charset, &g.charset) ||
	    !parse_keys(&g, &a->key->sub))
		return false;
	a->has_modseq = g.modseq;
	return parse_end(p);
}

static const struct {
	const char *word;
	unsigned bit;
} returns[] = {
	{ "MIN", SR_MIN }, { "MAX", SR_MAX }, { "ALL", SR_ALL },
	{ "COUNT", SR_COUNT }, { "SAVE", SR_SAVE },
	{ "PARTIAL", SR_PARTIAL }, /* RFC 9394 4 */
};

static bool
parse_return_option(struct parse *p, struct args_search *a)
{
	struct slice word;
	size_t i;

	if (!parse_atom(p, &word))
		return false;
	for (i = 0; i < PH_LEN(returns); i++)
		if (slice_ieq_str(word, returns[i].word))
			break;
	if (i == PH_LEN(returns))
		return cur_fail(&p->c, "no such RETURN option");
	if (returns[i].bit == SR_PARTIAL &&
	    (a->ret & SR_PARTIAL || !partial_parse(p, &a->partial)))
		return cur_fail(&p->c, "bad PARTIAL");
	a->ret |= returns[i].bit;
	return true;
}

bool
parse_search_return(struct parse *p, struct args_search *a)
{
	if (!cur_skip_word(&p->c, "RETURN"))
		return true;
	a->extended = true;
	if (!parse_sp(p) || !cur_byte(&p->c, '('))
		return false;
	while (!cur_skip(&p->c, ')'))
		if ((a->ret != 0 && !parse_sp(p)) || !parse_return_option(p, a))
			return false;
	/* RFC 9394 3.1 */
	if (a->ret & SR_PARTIAL && a->ret & SR_ALL)
		return cur_fail(&p->c, "either ALL or PARTIAL");
	/* RFC 4731 3.1: an empty list is ALL. */
	if (a->ret == 0)
		a->ret = SR_ALL;
	return parse_sp(p);
}

/* search = "SEARCH" [SP "RETURN" SP "(" ... ")"] SP
 *          ["CHARSET" SP charset SP] search-key *(SP search-key) */
bool
parse_search(struct parse *p, void **args_out)
{
	struct args_search *a = arena_alloc(p->a, sizeof(*a));
	struct slice charset = SLICE("");

	*args_out = a;
	if (!parse_sp(p) || !parse_search_return(p, a))
		return false;
	if (cur_skip_word(&p->c, "CHARSET") &&
	    (p->no_charset || !parse_sp(p) || !parse_astring(p, &charset) ||
		!parse_sp(p)))
		return false;
	return parse_search_program(p, charset, a);
}
