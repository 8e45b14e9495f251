#include "imapd/parse_metadata.h"

enum { ENTRIES_MAX = 200 };

/* entry = astring ;; slash-separated path, MUST NOT contain "*" or "%" */
static bool
parse_entry(struct parse *p, struct slice *out)
{
	if (!parse_astring(p, out))
		return false;
	return metadata_name_ok(*out) ||
	       cur_fail(&p->c, "that is no name of an entry");
}

/* entry *(SP entry) */
static bool
parse_entry_list(struct parse *p, struct slice **v_out, size_t *n_out)
{
	struct slice *v = arena_alloc(p->a, ENTRIES_MAX * sizeof(*v));
	size_t n = 0;

	do {
		if (n == ENTRIES_MAX)
			return parse_refuse(p, "LIMIT", "too many entries");
		if (!parse_entry(p, &v[n++]))
			return false;
	} while (cur_skip(&p->c, ' '));
	*v_out = v;
	*n_out = n;
	return true;
}

bool
parse_entries(struct parse *p, struct slice **v_out, size_t *n_out)
{
	return cur_byte(&p->c, '(') && parse_entry_list(p, v_out, n_out) &&
	       cur_byte(&p->c, ')');
}

/* scope-opt = "DEPTH" SP ("0" / "1" / "infinity") */
static bool
parse_depth(struct parse *p, unsigned *out)
{
	if (cur_skip_word(&p->c, "INFINITY")) {
		*out = METADATA_DEPTH_ALL;
		return true;
	}
	if (cur_peek(&p->c) != '0' && cur_peek(&p->c) != '1')
		return cur_fail(&p->c, "DEPTH is 0, 1 or infinity");
	*out = cur_skip(&p->c, '1');
	return *out != 0 || cur_byte(&p->c, '0');
}

/* getmetadata-option = maxsize-opt / scope-opt */
static bool
parse_option(struct parse *p, struct args_getmetadata *a)
{
	struct slice word;

	if (!parse_atom(p, &word) || !parse_sp(p))
		return false;
	if (slice_ieq_str(word, "DEPTH"))
		return parse_depth(p, &a->depth);
	if (!slice_ieq_str(word, "MAXSIZE"))
		return cur_fail(&p->c, "no such option");
	a->has_maxsize = true;
	return parse_u32(p, &a->maxsize);
}

static bool
parse_options(struct parse *p, struct args_getmetadata *a)
{
	if (!cur_byte(&p->c, '('))
		return false;
	do {
		if (!parse_option(p, a))
			return false;
	} while (cur_skip(&p->c, ' '));
	return cur_byte(&p->c, ')') && parse_sp(p);
}

/* Options are words, entries begin with '/'. */
static bool
options_follow(const struct parse *p)
{
	int c = cur_peek_at(&p->c, 1);

	return cur_peek(&p->c) == '(' &&
	       ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
}

/* getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries
 * The RFC's own examples have the options behind the name, and several
 * entries without parentheses (4.2.1, 4.4.1): both are taken. */
bool
parse_getmetadata(struct parse *p, void **args_out)
{
	struct args_getmetadata *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	if (!parse_sp(p) || (options_follow(p) && !parse_options(p, a)) ||
	    !parse_mailbox(p, &a->name) || !parse_sp(p) ||
	    (options_follow(p) && !parse_options(p, a)))
		return false;
	if (cur_peek(&p->c) == '(')
		return parse_entries(p, &a->entries, &a->n) && parse_end(p);
	return parse_entry_list(p, &a->entries, &a->n) && parse_end(p);
}

/* entry-value = entry SP value; value = nstring / literal8 */
static bool
parse_entry_value(struct parse *p, struct metadata *m)
{
	return parse_entry(p, &m->name) && parse_sp(p) &&
	       parse_nstring(p, &m->value);
}

/* setmetadata = "SETMETADATA" SP mailbox SP entry-values */
bool
parse_setmetadata(struct parse *p, void **args_out)
{
	struct args_setmetadata *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	a->v = arena_alloc(p->a, ENTRIES_MAX * sizeof(*a->v));
	if (!parse_sp(p) || !parse_mailbox(p, &a->name) || !parse_sp(p) ||
	    !cur_byte(&p->c, '('))
		return false;
	do {
		if (a->n == ENTRIES_MAX)
			return parse_refuse(p, "LIMIT", "too many entries");
		if (!parse_entry_value(p, &a->v[a->n++]))
			return false;
	} while (cur_skip(&p->c, ' '));
	return cur_byte(&p->c, ')') && parse_end(p);
}

bool
parse_setmetadata_begun(struct slice text, struct arena *a)
{
	struct parse p;
	struct slice tag;

	parse_init(&p, text, a, true);
	return parse_tag(&p, &tag) && parse_sp(&p) &&
	       cur_word(&p.c, "SETMETADATA") && cur_peek(&p.c) == ' ';
}
