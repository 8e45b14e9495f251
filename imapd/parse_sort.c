#include "imapd/parse_sort.h"

static const struct {
	const char *word;
	enum order_key key;
} keys[] = {
	{ "ARRIVAL", OK_ARRIVAL },
	{ "CC", OK_CC },
	{ "DATE", OK_DATE },
	{ "FROM", OK_FROM },
	{ "SIZE", OK_SIZE },
	{ "SUBJECT", OK_SUBJECT },
	{ "TO", OK_TO },
	{ "DISPLAYFROM", OK_DISPLAYFROM }, /* RFC 5957 3 */
	{ "DISPLAYTO", OK_DISPLAYTO },
};

/* sort-criterion = ["REVERSE" SP] sort-key */
static bool
parse_criterion(struct parse *p, struct order_by *out)
{
	struct slice word;

	if (!parse_atom(p, &word))
		return false;
	out->reverse = slice_ieq(word, SLICE("REVERSE"));
	if (out->reverse && (!parse_sp(p) || !parse_atom(p, &word)))
		return false;
	for (size_t i = 0; i < PH_LEN(keys); i++)
		if (slice_ieq_str(word, keys[i].word)) {
			out->key = keys[i].key;
			return true;
		}
	return cur_fail(&p->c, "no such sort key");
}

/* search-criteria = charset 1*(SP search-key) */
static bool
parse_criteria(struct parse *p, struct args_sort *a)
{
	struct slice charset;

	return parse_sp(p) && parse_astring(p, &charset) && parse_sp(p) &&
	       parse_search_program(p, charset, &a->search);
}

/* sort = ["UID" SP] "SORT" [SP "RETURN" SP "(" ... ")"] SP sort-criteria SP
 * search-criteria, RFC 5267 5 */
bool
parse_sort(struct parse *p, void **args_out)
{
	struct args_sort *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	if (!parse_sp(p) || !parse_search_return(p, &a->search) ||
	    !cur_byte(&p->c, '('))
		return false;
	do {
		if (a->nby == ORDER_MAX)
			return parse_refuse(p, "LIMIT", "too many sort keys");
		if (!parse_criterion(p, &a->by[a->nby++]))
			return false;
	} while (cur_skip(&p->c, ' '));
	return cur_byte(&p->c, ')') && parse_criteria(p, a);
}

/* thread = ["UID" SP] "THREAD" SP thread-alg SP search-criteria */
bool
parse_thread(struct parse *p, void **args_out)
{
	struct args_sort *a = arena_alloc(p->a, sizeof(*a));
	struct slice word;

	*args_out = a;
	if (!parse_sp(p) || !parse_atom(p, &word))
		return false;
	a->refs = slice_ieq(word, SLICE("REFS"));
	a->by_references = a->refs || slice_ieq(word, SLICE("REFERENCES"));
	if (!a->by_references && !slice_ieq(word, SLICE("ORDEREDSUBJECT")))
		return cur_fail(&p->c, "no such threading algorithm");
	return parse_criteria(p, a);
}
