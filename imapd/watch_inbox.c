#include "imapd/watch_inbox.h"

#include <stdlib.h>

#include "imapd/app.h"
#include "imapd/watch_list.h"
#include "lib/base/mem.h"
#include "storage/metadata.h"

/* ---- coming ---- */

static void
folder_came(struct watch_inbox *in, uint64_t folder)
{
	for (unsigned i = 0; i < in->ncame; i++)
		if (in->came[i] == folder)
			return;
	if (in->ncame == WATCH_CAME_MAX || folder == 0)
		in->all = true;
	else
		in->came[in->ncame++] = folder;
}

static void
note_came(struct watch_inbox *in, const struct notify_event *ev)
{
	struct watch_note *n;

	/* What others note for themselves. */
	if (ev->account != in->regs[0].account && ev->account != 0 &&
	    metadata_is_private(slice_str(ev->entry)))
		return;
	if (in->nnotes == WATCH_NOTES_MAX || ev->account == 0) {
		in->lost_notes = true;
		return;
	}
	in->notes =
	    mem_grow(in->notes, &in->cap, in->nnotes, sizeof(*in->notes));
	n = &in->notes[in->nnotes++];
	n->folder = ev->folder;
	(void)slice_copy(slice_str(ev->entry), n->entry, sizeof(n->entry));
}

bool
watch_event(struct watch_inbox *in, const struct notify_event *ev)
{
	switch (ev->kind) {
	case NOTIFY_FOLDER: folder_came(in, ev->folder); return true;
	case NOTIFY_METADATA: note_came(in, ev); return true;
	case NOTIFY_FOLDERS: in->list = true; return true;
	case NOTIFY_RIGHTS: /* in whose favour is known to who looks */
		in->list |= in->shared;
		return in->shared;
	default: return false;
	}
}

/* ---- whose events ---- */

/* Its own account's, and of those whose folders it watches. */
static void
set_accounts(struct client *c, struct watch_inbox *in)
{
	const struct watch *w = c->watch;

	in->shared = w->shared;
	in->nregs = 0;
	in->regs[in->nregs++] =
	    (struct watch_reg){ .inbox = in, .account = c->who.account };
	for (unsigned i = 0; i < w->nowners; i++)
		in->regs[in->nregs++] =
		    (struct watch_reg){ .inbox = in, .account = w->owners[i] };
}

static bool
same_accounts(const struct watch_inbox *in, const struct watch *w)
{
	if (in->nregs != w->nowners + 1 || in->shared != w->shared)
		return false;
	for (unsigned i = 0; i < w->nowners; i++)
		if (in->regs[i + 1].account != w->owners[i])
			return false;
	return true;
}

static void
drop(struct client *c)
{
	free(c->inbox->notes);
	free(c->inbox);
	c->inbox = NULL;
}

void
watch_settle(struct client *c)
{
	bool wanted = c->watch != NULL && c->watch->others;
	struct watch_inbox *in = c->inbox;

	if (!wanted && in == NULL)
		return;
	if (wanted && in != NULL && same_accounts(in, c->watch))
		return;
	if (in != NULL)
		app_unregister(c->sl, in);
	if (!wanted) {
		drop(c);
		return;
	}
	if (in == NULL) {
		in = c->inbox = xcalloc(1, sizeof(*in));
		in->client = c;
	}
	set_accounts(c, in);
	/* What happened between the reading and now. */
	in->all = in->list = true;
	app_register(c->sl, in);
	c->news = true;
}

/* ---- going to the job ---- */

static void
take_notes(struct watch_inbox *in, struct watch *w)
{
	if (w->nnotes != 0)
		return; /* those before are still being told */
	free(w->notes);
	w->notes = in->notes;
	w->nnotes = in->nnotes;
	w->at_note = 0;
	/* What folders are like can be looked up, what was noted cannot. */
	w->overflow |= in->lost_notes && w->any_notes;
	in->notes = NULL;
	in->nnotes = in->cap = 0;
	in->lost_notes = false;
}

void
watch_take(struct client *c)
{
	struct watch_inbox *in = c->inbox;
	struct watch *w = c->watch;
	struct watch_entry *e;

	if (in == NULL || w == NULL)
		return;
	w->relist |= in->list;
	for (size_t i = 0; in->all && i < w->list.n; i++)
		if (w->list.v[i].info.id != 0)
			w->list.v[i].dirty = w->any_dirty = true;
	for (unsigned i = 0; i < in->ncame; i++)
		if ((e = watch_list_find(&w->list, in->came[i])) != NULL)
			e->dirty = w->any_dirty = true;
	if (w->any_dirty)
		w->at = 0;
	take_notes(in, w);
	in->list = in->all = false;
	in->ncame = 0;
}

bool
watch_wanted(const struct client *c)
{
	const struct watch_inbox *in = c->inbox;
	const struct watch *w = c->watch;

	if (w == NULL)
		return false;
	if (w->relist || w->any_dirty || w->nnotes != 0)
		return true;
	return in != NULL && (in->all || in->list || in->ncame != 0 ||
				 in->nnotes != 0 || in->lost_notes);
}
