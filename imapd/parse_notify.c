#include "imapd/parse_notify.h"

enum { GROUPS_MAX = 64, NAMES_MAX = 1000 };

/* "BADEVENT" lists these, RFC 5465 3. */
#define BADEVENT                                                      \
	"BADEVENT (MessageNew MessageExpunge FlagChange MailboxName " \
	"SubscriptionChange MailboxMetadataChange ServerMetadataChange)"

struct notify {
	struct parse *p;
	struct args_notify *a;
	size_t nnames;
	bool has_selected;
};

static const struct {
	const char *word;
	enum notify_who who;
} filters[] = {
	{ "SELECTED", WHO_SELECTED },
	{ "SELECTED-DELAYED", WHO_DELAYED },
	{ "INBOXES", WHO_INBOXES },
	{ "PERSONAL", WHO_PERSONAL },
	{ "SUBSCRIBED", WHO_SUBSCRIBED },
	{ "SUBTREE", WHO_SUBTREE },
	{ "MAILBOXES", WHO_MAILBOXES },
};

static const struct {
	const char *word;
	enum notify_what what;
} events[] = {
	{ "MessageNew", EV_NEW },
	{ "MessageExpunge", EV_EXPUNGE },
	{ "FlagChange", EV_FLAGS },
	{ "MailboxName", EV_NAME },
	{ "SubscriptionChange", EV_SUBSCRIPTION },
	{ "MailboxMetadataChange", EV_METADATA },
	{ "ServerMetadataChange", EV_SERVER_METADATA },
};

static bool
is_selected(const struct notify_group *g)
{
	return g->who == WHO_SELECTED || g->who == WHO_DELAYED;
}

static bool
add_name(struct notify *n, struct notify_group *g)
{
	struct slice *more;

	if (n->nnames++ == NAMES_MAX)
		return parse_refuse(
		    n->p, "NOTIFICATIONOVERFLOW", "too many mailboxes");
	if ((g->nnames & (g->nnames - 1)) == 0) { /* none, or a power of 2 */
		more =
		    arena_alloc(n->p->a, (2 * g->nnames + 1) * sizeof(*more));
		for (size_t i = 0; i < g->nnames; i++)
			more[i] = g->names[i];
		g->names = more;
	}
	return parse_mailbox(n->p, &g->names[g->nnames++]);
}

/* one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")" */
static bool
parse_names(struct notify *n, struct notify_group *g)
{
	struct cur *c = &n->p->c;

	if (!parse_sp(n->p))
		return false;
	if (!cur_skip(c, '('))
		return add_name(n, g);
	do {
		if (!add_name(n, g))
			return false;
	} while (cur_skip(c, ' '));
	return cur_byte(c, ')');
}

static bool
parse_filter(struct notify *n, struct notify_group *g)
{
	struct slice word;
	size_t i;

	if (!parse_atom(n->p, &word))
		return false;
	for (i = 0; i < PH_LEN(filters); i++)
		if (slice_ieq_str(word, filters[i].word))
			break;
	if (i == PH_LEN(filters))
		return cur_fail(&n->p->c, "no such mailbox specifier");
	g->who = filters[i].who;
	if (is_selected(g) && n->has_selected)
		return cur_fail(&n->p->c, "the selected mailbox twice");
	n->has_selected |= is_selected(g);
	if (g->who == WHO_SUBTREE || g->who == WHO_MAILBOXES)
		return parse_names(n, g);
	return true;
}

/* "MessageNew" [SP "(" fetch-att *(SP fetch-att) ")"] */
static bool
parse_new(struct notify *n, struct notify_group *g)
{
	struct cur *c = &n->p->c;

	if (cur_peek(c) != ' ' || cur_peek_at(c, 1) != '(')
		return true;
	if (!is_selected(g) || g->fetch != NULL)
		return cur_fail(c, "items are for the selected mailbox");
	g->fetch = arena_alloc(n->p->a, sizeof(*g->fetch));
	return parse_sp(n->p) && parse_fetch_list(n->p, g->fetch);
}

static bool
parse_event(struct notify *n, struct notify_group *g)
{
	struct slice word;

	if (!parse_atom(n->p, &word))
		return false;
	for (size_t i = 0; i < PH_LEN(events); i++) {
		if (!slice_ieq_str(word, events[i].word))
			continue;
		g->events |= events[i].what;
		return events[i].what != EV_NEW || parse_new(n, g);
	}
	return parse_refuse(n->p, BADEVENT, "no such event here");
}

/* RFC 5465 5 and 6.1: what goes with what. */
static bool
check_events(struct notify *n, const struct notify_group *g)
{
	unsigned both = EV_NEW | EV_EXPUNGE;

	if (g->events & EV_MESSAGES && (g->events & both) != both)
		return cur_fail(
		    &n->p->c, "MessageNew and MessageExpunge go together");
	if (is_selected(g) && g->events & ~(unsigned)EV_MESSAGES)
		return cur_fail(
		    &n->p->c, "only message events of the selected mailbox");
	return true;
}

/* events = "(" event *(SP event) ")" / "NONE"; the RFC's own examples leave
 * the parentheses out. */
static bool
parse_events(struct notify *n, struct notify_group *g)
{
	struct cur *c = &n->p->c;
	bool listed;

	if (!parse_sp(n->p))
		return false;
	if (cur_skip_word(c, "NONE"))
		return true;
	listed = cur_skip(c, '(');
	do {
		if (!parse_event(n, g))
			return false;
	} while (cur_skip(c, ' '));
	return (!listed || cur_byte(c, ')')) && check_events(n, g);
}

/* event-group = "(" filter-mailboxes SP events ")" */
static bool
parse_group(struct notify *n)
{
	struct notify_group *g = &n->a->v[n->a->n];

	if (n->a->n == GROUPS_MAX)
		return parse_refuse(
		    n->p, "NOTIFICATIONOVERFLOW", "too many event groups");
	n->a->n++;
	return cur_byte(&n->p->c, '(') && parse_filter(n, g) &&
	       parse_events(n, g) && cur_byte(&n->p->c, ')');
}

/* notify = "NOTIFY" SP ("SET" [SP "STATUS"] SP event-groups / "NONE") */
bool
parse_notify(struct parse *p, void **args_out)
{
	struct args_notify *a = arena_alloc(p->a, sizeof(*a));
	struct notify n = { .p = p, .a = a };

	*args_out = a;
	if (!parse_sp(p))
		return false;
	if (cur_skip_word(&p->c, "NONE"))
		return parse_end(p);
	if (!cur_word(&p->c, "SET") || !parse_sp(p))
		return false;
	a->set = true;
	a->v = arena_alloc(p->a, GROUPS_MAX * sizeof(*a->v));
	a->status = cur_skip_word(&p->c, "STATUS");
	if (a->status && !parse_sp(p))
		return false;
	do {
		if (!parse_group(&n))
			return false;
	} while (cur_skip(&p->c, ' '));
	return parse_end(p);
}
