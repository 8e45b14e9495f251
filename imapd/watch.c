#include "imapd/watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/mailbox.h"
#include "imapd/mboxname.h"
#include "imapd/metadata_out.h"
#include "imapd/parse_args.h"
#include "imapd/status.h"
#include "imapd/sync.h"
#include "imapd/watch_list.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

/* ---- what is wanted ---- */

/* The command's text once more, for as long as the watch lasts. */
static bool
keep_args(struct client *c, struct slice text, struct watch *w)
{
	struct slice tag, name;
	struct parse p;
	void *args;

	w->text = xmemdup0(text.p, text.n);
	parse_init(&p, slice_of(w->text, text.n), &w->arena, client_utf8(c));
	if (!parse_tag(&p, &tag) || !parse_sp(&p) || !parse_atom(&p, &name) ||
	    !parse_notify(&p, &args))
		return false;
	w->args = args;
	return true;
}

/* Folders of others are watched when they are named, or subscribed to. */
static bool
may_be_shared(const struct notify_group *g)
{
	struct slice owner, rest;

	for (size_t i = 0; i < g->nnames; i++)
		if (acl_is_others(g->names[i], &owner, &rest))
			return true;
	return g->who == WHO_SUBSCRIBED;
}

static void
sum_up(struct watch *w)
{
	for (size_t i = 0; i < w->args->n; i++) {
		struct notify_group *g = &w->args->v[i];

		for (size_t k = 0; k < g->nnames; k++)
			g->names[k] = mboxname_normal(&w->arena, g->names[k]);
		if (g->who != WHO_SELECTED && g->who != WHO_DELAYED) {
			w->others = true;
			w->any_notes |=
			    (g->events & (EV_METADATA | EV_SERVER_METADATA)) !=
			    0;
			w->shared |= may_be_shared(g);
			w->server_notes |=
			    (g->events & EV_SERVER_METADATA) != 0;
			continue;
		}
		w->selected = g->events;
		w->delayed = g->who == WHO_DELAYED;
		w->fetch = g->fetch;
	}
}

int
watch_new(struct client *c, struct slice command, struct watch **w_out)
{
	struct watch *w = xcalloc(1, sizeof(*w));
	int rc = 0;

	arena_init(&w->arena);
	watch_list_init(&w->list);
	if (!keep_args(c, command, w))
		rc = ERR_INTERNAL;
	if (rc == 0) {
		sum_up(w);
		if (w->others)
			rc = watch_list_read(c, w, &w->list);
	}
	if (rc != 0)
		watch_free(&w);
	*w_out = w;
	return rc;
}

static void
forget_own_names(struct watch *w)
{
	while (w->nown != 0)
		free(w->own[--w->nown].name);
}

void
watch_free(struct watch **wp)
{
	struct watch *w = *wp;

	*wp = NULL;
	if (w == NULL)
		return;
	forget_own_names(w);
	free(w->notes);
	watch_list_fini(&w->list);
	arena_clear(&w->arena);
	free(w->text);
	free(w);
}

bool
watch_mutes(const struct client *c, unsigned event)
{
	if (c->watch == NULL || c->watch->selected & event)
		return false;
	/* Whoever expunges himself is told what became of it. */
	return event == EV_FLAGS || !c->cmd.tells_modseq;
}

/* ---- what this session does itself, RFC 5465 5 ---- */

void
watch_own_name(struct client *c, struct slice name, enum watch_reach reach)
{
	struct watch *w = c->watch;

	if (w == NULL || !w->others)
		return;
	w->relist = true;
	if (w->nown < WATCH_OWN_MAX)
		w->own[w->nown++] = (struct watch_own){
			slice_dup(mboxname_normal(&c->arena, name)), reach
		};
}

static void
own_range(struct client *c, uint64_t folder, uint32_t first, uint32_t last)
{
	struct watch *w = c->watch;
	struct watch_entry *e;

	if (c->sel != NULL && c->sel->view != NULL &&
	    view_folder(c->sel->view) == folder) {
		if (w->nown_uids == WATCH_OWN_MAX) /* the oldest go */
			w->nown_uids = 0;
		w->own_uids[w->nown_uids++] = (struct seq_range){ first, last };
		return;
	}
	e = watch_list_find(&w->list, folder);
	if (e == NULL)
		return;
	e->own_messages += last - first + 1;
	e->own_uidnext = last + 1;
}

void
watch_own_messages(
    struct client *c, uint64_t folder, const uint32_t *uids, size_t n)
{
	size_t first = 0;

	for (size_t i = 1; c->watch != NULL && i <= n; i++) {
		if (i < n && uids[i] == uids[i - 1] + 1)
			continue;
		own_range(c, folder, uids[first], uids[i - 1]);
		first = i;
	}
}

void
watch_own_note(struct client *c, uint64_t folder, struct slice entry)
{
	struct watch *w = c->watch;
	struct watch_note *n;

	if (w == NULL || !w->others || w->nown_notes == WATCH_OWN_MAX)
		return;
	n = &w->own_notes[w->nown_notes++];
	n->folder = folder;
	(void)slice_copy(entry, n->entry, sizeof(n->entry));
}

bool
watch_is_own(const struct client *c, uint32_t uid)
{
	const struct watch *w = c->watch;

	for (unsigned i = 0; i < w->nown_uids; i++)
		if (uid >= w->own_uids[i].lo && uid <= w->own_uids[i].hi)
			return true;
	return false;
}

/* ---- numbers ---- */

static bool
is_selected(const struct client *c, const struct watch_entry *e)
{
	return c->sel != NULL && c->sel->view != NULL &&
	       view_folder(c->sel->view) == e->info.id;
}

bool
watch_tell_status(struct client *c, struct watch *w)
{
	for (; w->at < w->list.n && !sync_full(c); w->at++) {
		const struct watch_entry *e = &w->list.v[w->at];
		unsigned items = ST_MESSAGES | ST_UIDNEXT | ST_UIDVALIDITY;

		if (e->info.id == 0 || !(e->events & EV_MESSAGES) ||
		    is_selected(c, e))
			continue;
		if (e->events & EV_FLAGS)
			items |= ST_HIGHESTMODSEQ;
		status_line(c, &e->info, items);
	}
	if (w->at < w->list.n)
		return false;
	w->at = 0;
	return true;
}

/* Did nothing happen but what this session did? */
static bool
only_own(const struct watch_entry *e, const struct folder_status *now)
{
	return e->own_messages != 0 && now->uidnext == e->own_uidnext &&
	       now->messages == e->info.status.messages + e->own_messages;
}

/* RFC 5465 5.1 to 5.3; 0: nothing that was asked for. */
static unsigned
items_for(const struct client *c, const struct watch_entry *e,
    const struct folder_status *now)
{
	const struct folder_status *was = &e->info.status;
	bool modseqs = (c->enabled & EN_CONDSTORE) != 0;
	unsigned items = 0;

	if (now->uidvalidity != was->uidvalidity)
		items |= ST_UIDVALIDITY | ST_UIDNEXT | ST_MESSAGES;
	if (now->uidnext != was->uidnext || now->messages != was->messages)
		items |= ST_UIDNEXT | ST_MESSAGES;
	if (e->events & EV_FLAGS && now->unseen != was->unseen)
		items |= ST_UIDVALIDITY | ST_UNSEEN;
	if (e->events & EV_FLAGS && modseqs &&
	    now->highestmodseq != was->highestmodseq)
		items |= ST_UIDVALIDITY;
	return items != 0 && modseqs ? items | ST_HIGHESTMODSEQ : items;
}

static int
look_at(struct client *c, struct watch_entry *e)
{
	struct folder_status now;
	unsigned items = 0;
	int rc = folder_status_get(client_store(c), e->info.id, &now);

	if (rc != 0) /* gone: the list will say so */
		return rc == ERR_NOTFOUND ? 0 : rc;
	if (e->events & EV_MESSAGES && !is_selected(c, e) && !only_own(e, &now))
		items = items_for(c, e, &now);
	e->info.status = now;
	e->own_messages = e->own_uidnext = 0;
	if (items != 0)
		status_line(c, &e->info, items);
	return 0;
}

static int
look_at_dirty(struct client *c, struct watch *w)
{
	int rc;

	for (; w->at < w->list.n; w->at++) {
		struct watch_entry *e = &w->list.v[w->at];

		if (sync_full(c))
			return 0;
		if (!e->dirty)
			continue;
		if ((rc = look_at(c, e)) != 0)
			return rc;
		e->dirty = false;
	}
	w->at = 0;
	w->any_dirty = false;
	return 0;
}

/* ---- annotations, RFC 5465 5.6 and 5.7 ---- */

/* Each change is this session's own once. */
static bool
take_own_note(struct watch *w, const struct watch_note *n)
{
	for (unsigned i = 0; i < w->nown_notes; i++) {
		struct watch_note *own = &w->own_notes[i];

		if (own->folder != n->folder ||
		    !slice_ieq(slice_str(own->entry), slice_str(n->entry)))
			continue;
		*own = w->own_notes[--w->nown_notes];
		return true;
	}
	return false;
}

static bool
told_before(const struct watch *w, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (w->notes[i].folder == w->notes[at].folder &&
		    strcmp(w->notes[i].entry, w->notes[at].entry) == 0)
			return true;
	return false;
}

static void
tell_note(struct client *c, struct watch *w, size_t at)
{
	const struct watch_note *n = &w->notes[at];
	const struct watch_entry *e;
	struct slice name = SLICE("");

	if (take_own_note(w, n) || told_before(w, at))
		return;
	if (n->folder != 0) {
		e = watch_list_find(&w->list, n->folder);
		if (e == NULL || !(e->events & EV_METADATA) ||
		    !metadata_may_see(&e->info))
			return;
		name = e->info.name;
	} else if (!w->server_notes) {
		return;
	}
	buf_add_str(&c->out, "* METADATA ");
	mboxname_write(&c->out, name, client_utf8(c));
	buf_add_char(&c->out, ' ');
	buf_add_str(&c->out, n->entry);
	buf_add(&c->out, "\r\n", 2);
}

static void
tell_notes(struct client *c, struct watch *w)
{
	while (w->at_note < w->nnotes && !sync_full(c))
		tell_note(c, w, w->at_note++);
	if (w->at_note < w->nnotes)
		return;
	free(w->notes);
	w->notes = NULL;
	w->nnotes = w->at_note = 0;
}

/* RFC 5465 5.8 */
static enum step
give_up(struct client *c, const char *why)
{
	resp_ok_code(&c->out, why, "NOTIFICATIONOVERFLOW");
	/* As after NOTIFY NONE; the watch itself goes with watch_settle(). */
	c->watch->selected = 0;
	c->watch->others = c->watch->relist = c->watch->any_dirty = false;
	c->watch->nnotes = 0;
	return STEP_DONE;
}

enum step
watch_step(struct client *c)
{
	struct watch *w = c->watch;
	int rc = 0;

	if (w == NULL || !w->others)
		return STEP_DONE;
	if (sync_full(c))
		return STEP_AGAIN;
	if (w->relist) {
		rc = watch_list_renew(c, w);
		w->relist = false;
		w->at = 0;
		forget_own_names(w);
	}
	if (rc == 0 && w->any_dirty)
		rc = look_at_dirty(c, w);
	if (rc == 0 && !w->any_dirty)
		tell_notes(c, w);
	if (w->overflow)
		rc = ERR_TOOBIG;
	if (rc == 0)
		return w->any_dirty || w->nnotes != 0 ? STEP_AGAIN : STEP_DONE;
	if (rc != ERR_TOOBIG)
		log_error(c->id, "notify", "account=%s error=%s", c->who.name,
		    err_name(rc));
	return give_up(c, "too much has changed");
}
