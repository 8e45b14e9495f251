#include "imapd/cmd.h"

#include <stdlib.h>
#include <string.h>

#include "imapd/folder_tree.h"
#include "imapd/mailbox.h"
#include "imapd/mboxname.h"
#include "imapd/metadata_out.h"
#include "imapd/parse_args.h"
#include "imapd/pattern.h"
#include "imapd/status.h"
#include "storage/folder_name.h"

enum list_kind { LIST_LIST, LIST_LSUB, LIST_XLIST };

struct listing {
	struct client *c;
	const struct args_list *a;
	enum list_kind kind;
	struct pattern **patterns;
	size_t npatterns;
	struct tree tree;
};

static bool
matches(const struct listing *l, struct slice name)
{
	for (size_t i = 0; i < l->npatterns; i++)
		if (pattern_match(l->patterns[i], name))
			return true;
	return false;
}

/* RFC 5258 3.1: does it satisfy the selection options? */
static bool
meets(const struct listing *l, const struct tree_node *n)
{
	bool special = n->info != NULL && n->info->use != USE_NONE;

	if (l->kind == LIST_LSUB)
		return n->subscribed;
	if (l->a->select & LO_SUBSCRIBED ? !n->subscribed : !n->exists)
		return false;
	return !(l->a->select & LO_SPECIAL_USE) || special; /* RFC 6154 3 */
}

static void
word(struct buf *out, const char *text, bool *first)
{
	if (!*first)
		buf_add_char(out, ' ');
	*first = false;
	buf_add_str(out, text);
}

/* XLIST, the older form of special use, has words of its own. */
static const char *
use_word(const struct listing *l, const struct tree_node *n)
{
	enum folder_use use = n->info != NULL ? n->info->use : USE_NONE;

	if (l->kind != LIST_XLIST)
		return resp_use(use);
	if (slice_eq(n->name, SLICE("INBOX")))
		return "\\Inbox";
	return use == USE_JUNK ? "\\Spam" : resp_use(use);
}

static void
write_attributes(const struct listing *l, const struct tree_node *n)
{
	struct buf *out = &l->c->out;
	const char *use = use_word(l, n);
	bool first = true;

	buf_add_char(out, '(');
	if (l->kind == LIST_LSUB) {
		/* RFC 3501 6.3.9: only what is below is subscribed, or it is
		 * gone. */
		if (!n->subscribed || !n->exists)
			word(out, "\\Noselect", &first);
	} else {
		/* Older clients know the first word only. */
		if (!n->exists && !l->a->extended)
			word(out, "\\Noselect", &first);
		if (!n->exists)
			word(out, "\\NonExistent", &first);
		if (n->subscribed && (l->a->select | l->a->ret) & LO_SUBSCRIBED)
			word(out, "\\Subscribed", &first);
	}
	word(out, n->children ? "\\HasChildren" : "\\HasNoChildren", &first);
	if (use != NULL)
		word(out, use, &first);
	buf_add_char(out, ')');
}

/* RFC 5258 3.5 */
static void
write_childinfo(const struct listing *l)
{
	struct buf *out = &l->c->out;
	bool first = true;

	buf_add_str(out, " (\"CHILDINFO\" (");
	if (l->a->select & LO_SUBSCRIBED)
		word(out, "\"SUBSCRIBED\"", &first);
	if (l->a->select & LO_SPECIAL_USE)
		word(out, "\"SPECIAL-USE\"", &first);
	buf_add_str(out, "))");
}

/* What is asked to come behind a folder's line. */
static int
write_more(const struct listing *l, const struct tree_node *n)
{
	struct metadata_ask ask = { .entries = l->a->entries,
		.n = l->a->nentries };
	int rc = 0;

	if (l->a->ret & LO_MYRIGHTS) /* RFC 8440 3 */
		mailbox_write_rights(
		    l->c, "MYRIGHTS", n->name, n->info->rights);
	if (l->a->ret & LO_METADATA && metadata_may_see(n->info)) /* 9590 */
		rc = metadata_write(l->c, n->name, n->info, &ask);
	if (rc == 0 && l->a->ret & LO_STATUS && /* RFC 5819 2 */
	    n->info->rights & RIGHT_READ)
		rc = status_write(l->c, n->info, l->a->items);
	return rc;
}

static int
write_node(const struct listing *l, const struct tree_node *n)
{
	static const char *const names[] = { "* LIST ", "* LSUB ", "* XLIST " };
	struct buf *out = &l->c->out;

	buf_add_str(out, names[l->kind]);
	write_attributes(l, n);
	buf_add_str(out, " \"/\" ");
	mboxname_write(out, n->name, client_utf8(l->c));
	if (l->a->select & LO_RECURSIVE && n->below)
		write_childinfo(l);
	buf_add(out, "\r\n", 2);
	return n->exists && n->meets ? write_more(l, n) : 0;
}

/* RFC 5258 3.3; LSUB has always had the second reason. */
static bool
wanted(const struct listing *l, const struct tree_node *n)
{
	if (!n->matches)
		return false;
	if (n->meets)
		return true;
	/* RFC 9051 6.3.9.6: a level that is only a name, as "Other Users" */
	return (l->kind == LIST_LSUB || l->a->select & LO_RECURSIVE ||
		   (n->info == NULL && l->a->select == 0)) &&
	       n->below_unmatched;
}

static int
write_all(struct listing *l)
{
	int rc;

	for (size_t i = 0; i < l->tree.n; i++) {
		struct tree_node *n = &l->tree.v[i];

		n->matches = matches(l, n->name);
		n->meets = meets(l, n);
	}
	tree_select(&l->tree);
	for (size_t i = 0; i < l->tree.n; i++) {
		const struct tree_node *n = &l->tree.v[i];

		if (wanted(l, n) && (rc = write_node(l, n)) != 0)
			return rc;
	}
	return 0;
}

static void
make_patterns(struct listing *l)
{
	struct arena *a = &l->c->arena;

	l->patterns = arena_alloc(a, l->a->npatterns * sizeof(*l->patterns));
	for (size_t i = 0; i < l->a->npatterns; i++) {
		struct slice mailbox = l->a->patterns[i];
		struct pattern *p = pattern_new(a, l->a->reference, mailbox);

		/* RFC 5258 3: an empty one is passed over. */
		if (p != NULL && mailbox.n != 0)
			l->patterns[l->npatterns++] = p;
	}
}

/* RFC 9051 6.3.9: an empty name asks for the separator. */
static bool
asks_separator(const struct listing *l)
{
	return l->kind != LIST_LSUB && !l->a->extended &&
	       l->a->patterns[0].n == 0;
}

/* Could a pattern match something of others?  Then they are asked for, and
 * only then. */
static bool
asks_others(const struct listing *l)
{
	static const struct slice others = SLICE(ACL_OTHERS);

	for (size_t i = 0; i < l->a->npatterns; i++) {
		struct slice first = l->a->reference.n != 0 ? l->a->reference
							    : l->a->patterns[i];

		if (!client_conf(l->c)->imap_list_shared &&
		    !slice_starts(first, others))
			return false;
	}
	for (size_t i = 0; i < l->npatterns; i++)
		if (pattern_match(l->patterns[i], others) ||
		    pattern_below(l->patterns[i], others))
			return true;
	return false;
}

static int
cmp_info(const void *a, const void *b)
{
	const struct folder_info *x = a, *y = b;

	return folder_name_cmp(x->name, y->name);
}

/* Puts what others share among the account's own; a subscription to one of
 * them is that folder's. */
static int
add_others(struct listing *l, struct folder_info **infos, size_t *n)
{
	struct acl_user u = mailbox_user(l->c);
	struct folder_info *more, *all, *own;
	size_t nmore, to = 0;
	int rc = acl_list(client_store(l->c), &u, (l->a->ret & LO_STATUS) != 0,
	    &l->c->arena, &more, &nmore);

	if (rc != 0 || nmore == 0)
		return rc;
	all = arena_alloc(&l->c->arena, (*n + nmore) * sizeof(*all));
	for (size_t i = 0; i < *n; i++) {
		own = &(*infos)[i];
		struct folder_info *is =
		    own->id != 0
			? NULL
			: bsearch(own, more, nmore, sizeof(*more), cmp_info);

		if (is != NULL)
			is->flags |= own->flags & FOLDER_SUBSCRIBED;
		else
			all[to++] = *own;
	}
	memcpy(all + to, more, nmore * sizeof(*more));
	*infos = all;
	*n = to + nmore;
	qsort(all, *n, sizeof(*all), cmp_info);
	return 0;
}

static enum step
list(struct client *c, enum list_kind kind)
{
	struct listing l = { .c = c, .a = c->cmd.args, .kind = kind };
	struct folder_info *infos;
	size_t n;
	int rc;

	if (asks_separator(&l)) {
		buf_add_str(&c->out,
		    kind == LIST_XLIST ? "* XLIST (\\Noselect) \"/\" \"\"\r\n"
				       : "* LIST (\\Noselect) \"/\" \"\"\r\n");
		return cmd_ok(c, "listed");
	}
	make_patterns(&l);
	rc = folder_list(client_store(c), c->who.account,
	    (l.a->ret & LO_STATUS) != 0, &c->arena, &infos, &n);
	if (rc == 0 && asks_others(&l))
		rc = add_others(&l, &infos, &n);
	if (rc != 0)
		return cmd_fail(c, rc, NULL);
	l.tree = tree_make(&c->arena, infos, n);
	rc = write_all(&l);
	return rc == 0 ? cmd_ok(c, "listed") : cmd_fail(c, rc, NULL);
}

enum step
cmd_list(struct client *c)
{
	return list(c, LIST_LIST);
}

enum step
cmd_lsub(struct client *c)
{
	return list(c, LIST_LSUB);
}

enum step
cmd_xlist(struct client *c)
{
	return list(c, LIST_XLIST);
}
