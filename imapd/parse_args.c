#include "imapd/parse_args.h"

#include "imapd/mboxname.h"
#include "imapd/parse_metadata.h"

enum {
	PATTERNS_MAX = 64,
	ID_PAIRS_MAX = 30, /* RFC 2971 3.3 */
	ENABLE_MAX = 32
};

bool
parse_nothing(struct parse *p, void **args_out)
{
	*args_out = NULL;
	return parse_end(p);
}

/* login = "LOGIN" SP userid SP password */
bool
parse_login(struct parse *p, void **args_out)
{
	struct args_login *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	return parse_sp(p) && parse_astring(p, &a->user) && parse_sp(p) &&
	       parse_astring(p, &a->pass) && parse_end(p);
}

/* authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")] */
bool
parse_authenticate(struct parse *p, void **args_out)
{
	struct args_auth *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	if (!parse_sp(p) || !parse_atom(p, &a->mech))
		return false;
	if (cur_skip(&p->c, ' '))
		a->initial = cur_rest(&p->c);
	return parse_end(p);
}

/* compress = "COMPRESS" SP "DEFLATE" */
bool
parse_compress(struct parse *p, void **args_out)
{
	*args_out = NULL;
	return parse_sp(p) && cur_word(&p->c, "DEFLATE") && parse_end(p);
}

/* id = "ID" SP ("(" [string SP nstring *(SP string SP nstring)] ")" / NIL) */
bool
parse_id(struct parse *p, void **args_out)
{
	struct args_id *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	if (!parse_sp(p))
		return false;
	if (cur_skip_word(&p->c, "NIL"))
		return parse_end(p);
	a->v = arena_alloc(p->a, ID_PAIRS_MAX * 2 * sizeof(*a->v));
	if (!cur_byte(&p->c, '('))
		return false;
	if (cur_skip(&p->c, ')'))
		return parse_end(p);
	do {
		if (a->n == ID_PAIRS_MAX)
			return cur_fail(&p->c, "more than 30 fields");
		if (!parse_string(p, &a->v[2 * a->n]) || !parse_sp(p) ||
		    !parse_nstring(p, &a->v[2 * a->n + 1]))
			return false;
		a->n++;
	} while (cur_skip(&p->c, ' '));
	return cur_byte(&p->c, ')') && parse_end(p);
}

/* enable = "ENABLE" 1*(SP capability) */
bool
parse_enable(struct parse *p, void **args_out)
{
	struct args_enable *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	a->v = arena_alloc(p->a, ENABLE_MAX * sizeof(*a->v));
	do {
		if (a->n == ENABLE_MAX)
			return cur_fail(&p->c, "too many words");
		if (!parse_sp(p) || !parse_atom(p, &a->v[a->n++]))
			return false;
	} while (cur_peek(&p->c) == ' ');
	return parse_end(p);
}

bool
parse_name(struct parse *p, void **args_out)
{
	struct args_name *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	return parse_sp(p) && parse_mailbox(p, &a->name) && parse_end(p);
}

/* getquota = "GETQUOTA" SP quota-root-name, RFC 9208 6 */
bool
parse_root(struct parse *p, void **args_out)
{
	struct args_name *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	return parse_sp(p) && parse_astring(p, &a->name) && parse_end(p);
}

enum { QUOTA_UNIT = 1024 }; /* of STORAGE, RFC 9208 5.1 */

/* setquota-resource = resource-name SP resource-limit */
static bool
parse_resource(struct parse *p, struct args_setquota *a)
{
	struct slice word;
	uint64_t limit;

	if (!parse_atom(p, &word) || !parse_sp(p) || !parse_u63(p, &limit))
		return false;
	if (slice_ieq_str(word, "STORAGE"))
		a->own.bytes = limit > INT64_MAX / QUOTA_UNIT
				   ? INT64_MAX
				   : limit * QUOTA_UNIT + 1;
	else if (slice_ieq_str(word, "MESSAGE"))
		a->own.messages = limit + 1;
	else if (slice_ieq_str(word, "MAILBOX"))
		a->own.folders = limit + 1;
	else
		a->unknown = true;
	return true;
}

/* setquota = "SETQUOTA" SP quota-root-name SP setquota-list
 * setquota-list = "(" [setquota-resource *(SP setquota-resource)] ")" */
bool
parse_setquota(struct parse *p, void **args_out)
{
	struct args_setquota *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	if (!parse_sp(p) || !parse_astring(p, &a->root) || !parse_sp(p) ||
	    !cur_byte(&p->c, '('))
		return false;
	if (cur_skip(&p->c, ')'))
		return parse_end(p);
	do {
		if (!parse_resource(p, a))
			return false;
	} while (cur_skip(&p->c, ' '));
	return cur_byte(&p->c, ')') && parse_end(p);
}

static const struct {
	const char *word;
	enum folder_use use;
} uses[] = {
	{ "Archive", USE_ARCHIVE },
	{ "Drafts", USE_DRAFTS },
	{ "Junk", USE_JUNK },
	{ "Sent", USE_SENT },
	{ "Trash", USE_TRASH },
};

/* use-attr, RFC 6154 6 */
static bool
parse_use(struct parse *p, enum folder_use *out)
{
	struct slice word;

	if (!cur_byte(&p->c, '\\') || !parse_atom(p, &word))
		return false;
	if (*out != USE_NONE)
		return parse_refuse(
		    p, "USEATTR", "a folder has one special use here");
	for (size_t i = 0; i < PH_LEN(uses); i++)
		if (slice_ieq_str(word, uses[i].word)) {
			*out = uses[i].use;
			return true;
		}
	return parse_refuse(p, "USEATTR", "this special use is not supported");
}

/* "USE" SP "(" [use-attr *(SP use-attr)] ")" */
static bool
parse_use_param(struct parse *p, enum folder_use *out)
{
	if (!cur_word(&p->c, "USE") || !parse_sp(p) || !cur_byte(&p->c, '('))
		return false;
	if (cur_skip(&p->c, ')'))
		return true;
	do {
		if (!parse_use(p, out))
			return false;
	} while (cur_skip(&p->c, ' '));
	return cur_byte(&p->c, ')');
}

/* create = "CREATE" SP mailbox [SP "(" create-param ")"] */
bool
parse_create(struct parse *p, void **args_out)
{
	struct args_name *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	if (!parse_sp(p) || !parse_mailbox(p, &a->name))
		return false;
	if (cur_skip(&p->c, ' ') &&
	    (!cur_byte(&p->c, '(') || !parse_use_param(p, &a->use) ||
		!cur_byte(&p->c, ')')))
		return false;
	return parse_end(p);
}

bool
parse_rename(struct parse *p, void **args_out)
{
	struct args_rename *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	return parse_sp(p) && parse_mailbox(p, &a->from) && parse_sp(p) &&
	       parse_mailbox(p, &a->to) && parse_end(p);
}

/* "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids]
 * [SP "(" known-sequence-set SP known-uid-set ")"] ")", RFC 7162 7 */
static bool
parse_qresync(struct parse *p, struct args_select *a)
{
	a->qresync = true;
	if (!parse_sp(p) || !cur_byte(&p->c, '(') ||
	    !parse_nz_u32(p, &a->uidvalidity) || !parse_sp(p) ||
	    !parse_u63(p, &a->modseq))
		return false;
	if (cur_peek(&p->c) == ' ' && cur_peek_at(&p->c, 1) != '(') {
		a->has_known = true;
		if (!parse_sp(p) || !parse_set(p, &a->known))
			return false;
	}
	if (cur_skip(&p->c, ' ')) {
		a->has_match = true;
		if (p->uid_only)
			return parse_bad(p, "UIDREQUIRED",
			    "message numbers are not used with UIDONLY");
		if (!cur_byte(&p->c, '(') || !parse_set(p, &a->match_seq) ||
		    !parse_sp(p) || !parse_set(p, &a->match_uid) ||
		    !cur_byte(&p->c, ')'))
			return false;
	}
	return cur_byte(&p->c, ')');
}

static bool
parse_select_param(struct parse *p, struct args_select *a)
{
	struct slice word;

	if (!parse_atom(p, &word))
		return false;
	if (slice_ieq_str(word, "QRESYNC"))
		return parse_qresync(p, a);
	if (!slice_ieq_str(word, "CONDSTORE"))
		return cur_fail(&p->c, "no such parameter");
	a->condstore = true;
	return true;
}

/* select = "SELECT" SP mailbox [SP "(" select-param *(SP ...) ")"] */
bool
parse_select(struct parse *p, void **args_out)
{
	struct args_select *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	if (!parse_sp(p) || !parse_mailbox(p, &a->name))
		return false;
	if (cur_skip(&p->c, ' ')) {
		if (!cur_byte(&p->c, '('))
			return false;
		do {
			if (!parse_select_param(p, a))
				return false;
		} while (cur_skip(&p->c, ' '));
		(void)cur_byte(&p->c, ')');
	}
	return parse_end(p);
}

static const struct {
	const char *word;
	unsigned item;
} status_items[] = {
	{ "MESSAGES", ST_MESSAGES },
	{ "RECENT", ST_RECENT },
	{ "UIDNEXT", ST_UIDNEXT },
	{ "UIDVALIDITY", ST_UIDVALIDITY },
	{ "UNSEEN", ST_UNSEEN },
	{ "HIGHESTMODSEQ", ST_HIGHESTMODSEQ },
	{ "SIZE", ST_SIZE },
	{ "DELETED", ST_DELETED },
	{ "DELETED-STORAGE", ST_DELETED_STORAGE },
	{ "APPENDLIMIT", ST_APPENDLIMIT },
	{ "MAILBOXID", ST_MAILBOXID },
};

/* "(" status-att *(SP status-att) ")" */
static bool
parse_status_items(struct parse *p, unsigned *out)
{
	struct slice word;
	size_t i;

	if (!cur_byte(&p->c, '('))
		return false;
	do {
		if (!parse_atom(p, &word))
			return false;
		for (i = 0; i < PH_LEN(status_items); i++)
			if (slice_ieq_str(word, status_items[i].word))
				break;
		if (i == PH_LEN(status_items))
			return cur_fail(&p->c, "no such status item");
		*out |= status_items[i].item;
	} while (cur_skip(&p->c, ' '));
	return cur_byte(&p->c, ')');
}

bool
parse_status(struct parse *p, void **args_out)
{
	struct args_status *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	return parse_sp(p) && parse_mailbox(p, &a->name) && parse_sp(p) &&
	       parse_status_items(p, &a->items) && parse_end(p);
}

static const struct list_word {
	const char *word;
	unsigned option;
	bool select, ret;
} list_words[] = {
	{ "SUBSCRIBED", LO_SUBSCRIBED, true, true },
	{ "REMOTE", LO_REMOTE, true, false },
	{ "RECURSIVEMATCH", LO_RECURSIVE, true, false },
	{ "SPECIAL-USE", LO_SPECIAL_USE, true, true },
	{ "CHILDREN", LO_CHILDREN, false, true },
	{ "STATUS", LO_STATUS, false, true },
	{ "MYRIGHTS", LO_MYRIGHTS, false, true },
	{ "METADATA", LO_METADATA, false, true },
};

static bool
parse_list_word(struct parse *p, bool ret, struct args_list *a, unsigned *out)
{
	struct slice word;

	if (!parse_atom(p, &word))
		return false;
	for (size_t i = 0; i < PH_LEN(list_words); i++) {
		const struct list_word *w = &list_words[i];

		if (!slice_ieq_str(word, w->word) ||
		    !(ret ? w->ret : w->select))
			continue;
		*out |= w->option;
		if (w->option == LO_METADATA)
			return parse_sp(p) &&
			       parse_entries(p, &a->entries, &a->nentries);
		return w->option != LO_STATUS ||
		       (parse_sp(p) && parse_status_items(p, &a->items));
	}
	return cur_fail(&p->c, "no such LIST option");
}

/* "(" [option *(SP option)] ")" */
static bool
parse_list_words(struct parse *p, bool ret, struct args_list *a, unsigned *out)
{
	a->extended = true;
	if (!cur_byte(&p->c, '('))
		return false;
	if (cur_skip(&p->c, ')'))
		return true;
	do {
		if (!parse_list_word(p, ret, a, out))
			return false;
	} while (cur_skip(&p->c, ' '));
	return cur_byte(&p->c, ')');
}

/* mbox-or-pat = list-mailbox / "(" list-mailbox *(SP list-mailbox) ")" */
static bool
parse_patterns(struct parse *p, struct args_list *a)
{
	bool many = cur_skip(&p->c, '(');

	a->extended |= many;
	a->patterns =
	    arena_alloc(p->a, (many ? PATTERNS_MAX : 1) * sizeof(*a->patterns));
	do {
		if (a->npatterns == PATTERNS_MAX)
			return parse_refuse(p, "LIMIT", "too many patterns");
		if (!parse_pattern(p, &a->patterns[a->npatterns++]))
			return false;
	} while (many && cur_skip(&p->c, ' '));
	return !many || cur_byte(&p->c, ')');
}

/* The reference is a prefix, not a name: its last '/' counts. */
static bool
parse_reference(struct parse *p, struct slice *out)
{
	struct slice raw = { 0 };

	if (!parse_astring(p, &raw))
		return false;
	return mboxname_decode(p->a, raw, p->utf8, out) ||
	       parse_refuse(p, "CANNOT", "that is no folder name");
}

/* list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat
 *        [SP list-return-opts], RFC 5258 6 */
bool
parse_list(struct parse *p, void **args_out)
{
	struct args_list *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	if (!parse_sp(p))
		return false;
	if (cur_peek(&p->c) == '(' &&
	    (!parse_list_words(p, false, a, &a->select) || !parse_sp(p)))
		return false;
	if (!parse_reference(p, &a->reference) || !parse_sp(p) ||
	    !parse_patterns(p, a))
		return false;
	if (cur_skip(&p->c, ' ') &&
	    (!cur_word(&p->c, "RETURN") || !parse_sp(p) ||
		!parse_list_words(p, true, a, &a->ret)))
		return false;
	/* RFC 5258 3.1: RECURSIVEMATCH needs a condition beside it. */
	if (a->select & LO_RECURSIVE &&
	    !(a->select & (LO_SUBSCRIBED | LO_SPECIAL_USE)))
		return cur_fail(&p->c, "RECURSIVEMATCH needs another option");
	return parse_end(p);
}

bool
parse_lsub(struct parse *p, void **args_out)
{
	struct args_list *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	a->patterns = arena_alloc(p->a, sizeof(*a->patterns));
	a->npatterns = 1;
	return parse_sp(p) && parse_reference(p, &a->reference) &&
	       parse_sp(p) && parse_pattern(p, &a->patterns[0]) && parse_end(p);
}

/* store-modifier = "UNCHANGEDSINCE" SP mod-sequence-valzer, RFC 7162 7 */
static bool
parse_store_modifiers(struct parse *p, struct args_store *a)
{
	return cur_byte(&p->c, '(') && cur_word(&p->c, "UNCHANGEDSINCE") &&
	       parse_sp(p) && parse_u63(p, &a->unchanged_since) &&
	       cur_byte(&p->c, ')') && parse_sp(p);
}

/* store = "STORE" SP sequence-set [SP store-modifiers] SP store-att-flags
 * store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP
 *                   (flag-list / (flag *(SP flag))) */
bool
parse_store(struct parse *p, void **args_out)
{
	struct args_store *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	a->unchanged_since = UINT64_MAX;
	if (!parse_sp(p) || !parse_set(p, &a->set) || !parse_sp(p))
		return false;
	if (cur_peek(&p->c) == '(' && !parse_store_modifiers(p, a))
		return false;
	a->op = cur_skip(&p->c, '+')   ? MSG_OP_ADD
		: cur_skip(&p->c, '-') ? MSG_OP_DEL
				       : MSG_OP_SET;
	if (!cur_word(&p->c, "FLAGS"))
		return false;
	a->silent = cur_skip_word(&p->c, ".SILENT");
	return parse_sp(p) && parse_flag_list(p, true, &a->flags) &&
	       parse_end(p);
}

bool
parse_copy(struct parse *p, void **args_out)
{
	struct args_copy *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	return parse_sp(p) && parse_set(p, &a->set) && parse_sp(p) &&
	       parse_mailbox(p, &a->name) && parse_end(p);
}

bool
parse_only_set(struct parse *p, void **args_out)
{
	struct args_set *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	return parse_sp(p) && parse_set(p, &a->set) && parse_end(p);
}
