#include "imapd/sync.h"

#include <inttypes.h>
#include <stdlib.h>

#include "imapd/app.h"
#include "imapd/cmd.h"
#include "imapd/fetch.h"
#include "imapd/mailbox.h"
#include "imapd/opened.h"
#include "imapd/seqset.h"
#include "imapd/watch.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/generation.h"

bool
sync_full(const struct client *c)
{
	return buf_len(&c->out) >= client_conf(c)->output_high_water ||
	       buf_failed(&c->out);
}

/* ---- opening and closing ---- */

static void
drop_delta(struct selected *sel)
{
	if (sel->pending)
		view_delta_fini(&sel->delta);
	sel->pending = false;
}

/* What was going on, but not the folder's own names. */
static void
forget_state(struct selected *sel)
{
	drop_delta(sel);
	fetch_free(&sel->fetch);
	free(sel->fresh);
	sel->fresh = NULL;
	sel->muted_from = sel->catching = 0;
	if (sel->client->watch != NULL)
		sel->client->watch->nown_uids = 0;
	free(sel->saved);
	sel->saved = NULL;
	sel->nsaved = 0;
}

static void
forget(struct selected *sel)
{
	forget_state(sel);
	if (sel->names != NULL)
		arena_clear(&sel->names->arena);
	free(sel->names);
	free(sel->name);
	sel->names = NULL;
	sel->name = NULL;
	sel->known = 0;
}

void
sync_deselect(struct client *c)
{
	if (c->sel == NULL || c->sel->view == NULL)
		return;
	view_close(&c->sel->view);
	forget(c->sel);
	c->state = IS_AUTH;
}

/* RFC 4314 5.2 */
static bool
is_read_only(unsigned rights)
{
	return (rights & (RIGHT_INSERT | RIGHT_EXPUNGE | RIGHT_SEEN |
			     RIGHT_WRITE | RIGHT_DELETE)) == 0;
}

/* A view has just been opened. */
static void
begin(struct selected *sel, bool read_only, bool examined)
{
	sel->read_only = read_only;
	sel->examined = examined;
	sel->told_exists = view_count(sel->view);
	sel->told_recent = view_recent(sel->view);
}

static void
take_view(struct client *c, const struct folder_info *info, struct view *view,
    bool read_only, bool examined)
{
	if (c->sel == NULL) {
		c->sel = xcalloc(1, sizeof(*c->sel));
		c->sel->client = c;
	}
	c->sel->view = view;
	c->sel->rights = info->rights;
	c->sel->shared = info->account != c->who.account;
	begin(c->sel, read_only, examined);
	c->state = IS_SELECTED;
}

int
sync_select(struct client *c, const struct folder_info *info, bool read_only)
{
	bool closed = read_only || is_read_only(info->rights);
	struct view *view;
	int rc;

	sync_deselect(c);
	rc = view_open(client_store(c), info->account, info->id, closed, &view);
	if (rc == 0)
		take_view(c, info, view, closed, read_only);
	return rc;
}

void
sync_remember(
    struct client *c, const struct folder_info *info, uint64_t generation)
{
	struct selected *sel = c->sel;

	if (sel->shared)
		return;
	sel->name = slice_dup(info->name);
	sel->info = *info;
	sel->name_generation = generation;
	sel->fresh_name = true;
}

bool
sync_remembers(
    const struct client *c, struct slice name, struct folder_info *info_out)
{
	const struct selected *sel = c->sel;

	if (sel == NULL || sel->view == NULL || sel->name == NULL ||
	    !slice_eq(name, slice_str(sel->name)) ||
	    generation_of(client_store(c), c->who.account) !=
		sel->name_generation)
		return false;
	*info_out = sel->info;
	info_out->name = name;
	return true;
}

bool
sync_select_again(struct client *c, bool read_only)
{
	struct selected *sel = c->sel;
	bool closed = read_only || is_read_only(sel->rights);

	if (generation_of(client_store(c), view_folder(sel->view)) !=
		sel->keyword_generation ||
	    !view_reopen(sel->view, closed))
		return false;
	forget_state(sel);
	begin(sel, closed, read_only);
	return true;
}

bool
sync_select_known(struct client *c, const struct opened *o, bool read_only)
{
	bool closed = read_only || is_read_only(o->info.rights);
	struct selected *sel = c->sel;
	struct view *view;

	view =
	    view_open_now(client_store(c), o->info.account, o->info.id, closed);
	if (view == NULL)
		return false;
	if (sel != NULL && sel->view != NULL) {
		if (!view_close_now(&sel->view)) {
			view_drop(&view);
			return false;
		}
		forget(sel);
	}
	take_view(c, &o->info, view, closed, read_only);
	sel = c->sel;
	sel->name = xstrdup(o->name);
	sel->info = o->info;
	sel->name_generation = o->name_generation;
	sel->keyword_generation = o->keyword_generation;
	sel->known = o->known;
	sel->names = opened_names(o->names);
	sync_settle(c);
	return true;
}

void
sync_rights(struct client *c)
{
	struct selected *sel = c->sel;
	struct acl_user u = mailbox_user(c);
	unsigned rights;

	if (sel == NULL || sel->view == NULL || !sel->shared)
		return;
	if (acl_rights(client_store(c), &u, view_folder(sel->view), &rights) !=
		0 ||
	    rights == sel->rights)
		return;
	sel->rights = rights;
	if (!(rights & RIGHT_READ)) {
		c->bye_text = "you may not read the selected folder any more";
		return;
	}
	sel->read_only = sel->examined || is_read_only(rights);
	sync_tell_flags(c);
}

void
sync_settle(struct client *c)
{
	if (c->sel == NULL)
		return;
	app_watch(c->sl, c->sel);
	if (c->sel->fresh_name)
		opened_learn(c);
	c->sel->fresh_name = false;
	if (c->sel->view != NULL)
		return;
	free(c->sel);
	c->sel = NULL;
}

void
sync_free(struct client *c)
{
	if (c->sel == NULL)
		return;
	ph_assert(c->sel->view == NULL);
	sync_settle(c);
}

/* ---- keywords ---- */

void
sync_tell_flags(struct client *c)
{
	struct selected *sel = c->sel;
	const struct slice *names = sel->names != NULL ? sel->names->v : NULL;
	bool words = (sel->rights & RIGHT_WRITE) != 0;
	bool full = sel->known == (UINT64_C(1) << FOLDER_KEYWORDS_MAX) - 1;

	buf_add_str(&c->out, "* FLAGS (");
	resp_flag_words(&c->out, MSG_SYSTEM_FLAGS, false, sel->known, names);
	buf_add_str(&c->out, ")\r\n* OK [PERMANENTFLAGS (");
	if (!sel->read_only) { /* RFC 4314 5.1.1: what the rights allow */
		resp_flag_words(&c->out, rights_flags(sel->rights), false,
		    words ? sel->known : 0, names);
		/* RFC 9051 7.1: "\*" says that new ones can be made. */
		buf_add_str(&c->out, full || !words ? "" : " \\*");
	}
	buf_add_str(&c->out, ")] what can be kept\r\n");
}

void
sync_load_keywords(struct client *c)
{
	struct selected *sel = c->sel;
	struct keyword_names fresh = { 0 };

	sel->keyword_generation =
	    generation_of(client_store(c), view_folder(sel->view));
	if (folder_keywords(client_store(c), view_folder(sel->view),
		&fresh.arena, fresh.v) != 0) {
		log_warn(c->id, "keywords", "folder=%" PRIu64 " failed=1",
		    view_folder(sel->view));
		arena_clear(&fresh.arena);
		return;
	}
	sel->known = 0;
	for (unsigned i = 0; i < FOLDER_KEYWORDS_MAX; i++)
		if (fresh.v[i].p != NULL)
			sel->known |= UINT64_C(1) << i;
	if (sel->known != 0 && sel->names == NULL)
		sel->names = xcalloc(1, sizeof(*sel->names));
	if (sel->names == NULL) {
		arena_clear(&fresh.arena);
		return;
	}
	arena_clear(&sel->names->arena);
	*sel->names = fresh;
}

void
sync_keywords(struct client *c, uint64_t bits)
{
	uint64_t before = c->sel->known;

	if ((bits & ~before) == 0)
		return;
	sync_load_keywords(c);
	if (c->sel->known != before)
		sync_tell_flags(c);
}

/* ---- what a message's flags look like ---- */

void
sync_flags_item(struct client *c, const struct view_msg *m)
{
	buf_add(&c->out, "FLAGS (", 7);
	/* RFC 9051 E 12: no \\Recent. */
	resp_flag_words(&c->out, m->flags, m->recent && !(c->enabled & EN_REV2),
	    m->keywords, c->sel->names != NULL ? c->sel->names->v : NULL);
	buf_add_char(&c->out, ')');
}

void
sync_condstore(struct client *c)
{
	bool first = !(c->enabled & EN_CONDSTORE);

	c->enabled |= EN_CONDSTORE;
	if (first && c->sel != NULL && c->sel->view != NULL)
		resp_ok_code(&c->out, "highest", "HIGHESTMODSEQ %" PRIu64,
		    view_modseq(c->sel->view));
}

void
sync_fetch_head(struct client *c, uint32_t seq, uint32_t uid)
{
	bool uid_only = (c->enabled & EN_UIDONLY) != 0;

	buf_add(&c->out, "* ", 2);
	buf_add_u64(&c->out, uid_only ? uid : seq);
	if (uid_only)
		buf_add(&c->out, " UIDFETCH (", 11);
	else
		buf_add(&c->out, " FETCH (", 8);
}

static void
line_head(struct client *c, uint32_t seq, uint32_t uid, bool with_uid)
{
	struct buf *out = &c->out;

	/* RFC 7162 3.2.4 */
	with_uid |= (c->enabled & (EN_CONDSTORE | EN_REV2)) != 0;
	sync_fetch_head(c, seq, uid);
	if (!with_uid || c->enabled & EN_UIDONLY)
		return;
	buf_add(out, "UID ", 4);
	buf_add_u64(out, uid);
	buf_add_char(out, ' ');
}

static void
modseq_item(struct buf *out, uint64_t modseq)
{
	buf_add(out, "MODSEQ (", 8);
	buf_add_u64(out, modseq);
	buf_add_char(out, ')');
}

void
sync_fetch_line(
    struct client *c, uint32_t seq, const struct view_msg *m, bool with_uid)
{
	sync_keywords(c, m->keywords);
	line_head(c, seq, m->uid, with_uid);
	sync_flags_item(c, m);
	/* RFC 7162 3.2: whoever has enabled it is told every MODSEQ; nobody
	 * else is (CLIENTS D, old Outlook). */
	if (c->enabled & EN_CONDSTORE) {
		buf_add_char(&c->out, ' ');
		modseq_item(&c->out, m->modseq);
	}
	buf_add(&c->out, ")\r\n", 3);
}

void
sync_modseq_line(
    struct client *c, uint32_t seq, const struct view_msg *m, bool with_uid)
{
	line_head(c, seq, m->uid, with_uid);
	modseq_item(&c->out, m->modseq);
	buf_add(&c->out, ")\r\n", 3);
}

/* ---- news ---- */

/* Flags that have to be told after all? */
static bool
catches_up(const struct client *c)
{
	return c->sel->muted_from != 0 && !watch_mutes(c, EV_FLAGS);
}

bool
sync_wanted(const struct client *c)
{
	const struct selected *sel = c->sel;

	if (sel == NULL || sel->view == NULL)
		return false;
	if (sel->fetch != NULL || sel->shared || catches_up(c))
		return true;
	return (sel->pending || view_stale(sel->view)) &&
	       !watch_mutes(c, EV_NEW);
}

int
sync_take(struct client *c, bool may_expunge)
{
	struct selected *sel = c->sel;
	int rc;

	if (sel->pending)
		return 0;
	sel->delta = (struct view_delta){ 0 };
	rc = view_sync(sel->view, may_expunge, &sel->delta);
	if (rc != 0)
		return rc;
	sel->pending = true;
	sel->at_gone = sel->at_changed = 0;
	return 0;
}

/* RFC 7162 3.2.10: one VANISHED in place of many EXPUNGEs. */
static void
tell_vanished(struct client *c)
{
	struct view_delta *d = &c->sel->delta;
	uint32_t *uids;

	if (d->ngone == 0)
		return;
	uids = xcalloc(d->ngone, sizeof(*uids));
	for (size_t i = 0; i < d->ngone; i++)
		uids[d->ngone - 1 - i] = d->gone[i].uid;
	buf_add_str(&c->out, "* VANISHED ");
	seqset_write(&c->out, uids, d->ngone);
	buf_add(&c->out, "\r\n", 2);
	c->sel->at_gone = d->ngone;
	free(uids);
}

static void
tell_gone(struct client *c)
{
	struct selected *sel = c->sel;

	if (c->enabled & (EN_QRESYNC | EN_UIDONLY) && sel->at_gone == 0)
		tell_vanished(c);
	while (sel->at_gone < sel->delta.ngone && !sync_full(c))
		resp_number(
		    &c->out, sel->delta.gone[sel->at_gone++].seq, "EXPUNGE");
	if (sel->at_gone < sel->delta.ngone)
		return;
	/* EXPUNGE says by itself how many are left. */
	sel->told_exists -= (uint32_t)sel->delta.ngone;
	sel->delta.ngone = sel->at_gone = 0;
}

/* What is not told now may be asked for by another NOTIFY (RFC 5465 3). */
static void
mute_changed(struct selected *sel)
{
	if (sel->at_changed < sel->delta.nchanged && sel->muted_from == 0)
		sel->muted_from = sel->delta.modseq_before + 1;
	sel->at_changed = sel->delta.nchanged;
}

static void
tell_since_muted(struct client *c, bool with_uid)
{
	struct selected *sel = c->sel;
	struct view_msg m;

	while (sel->catching < sel->told_exists && !sync_full(c)) {
		view_get(sel->view, ++sel->catching, &m);
		if (m.modseq >= sel->muted_from)
			sync_fetch_line(c, sel->catching, &m, with_uid);
	}
	if (sel->catching < sel->told_exists)
		return;
	sel->muted_from = sel->catching = 0;
	sel->at_changed = sel->delta.nchanged; /* among them */
}

static void
tell_changed(struct client *c, bool with_uid)
{
	struct selected *sel = c->sel;
	struct view_msg m;

	with_uid |= c->watch != NULL; /* RFC 5465 5.1 */
	if (watch_mutes(c, EV_FLAGS))
		mute_changed(sel);
	else if (sel->muted_from != 0)
		tell_since_muted(c, with_uid);
	while (sel->muted_from == 0 && sel->at_changed < sel->delta.nchanged &&
	       !sync_full(c)) {
		uint32_t seq = sel->delta.changed[sel->at_changed++];

		view_get(sel->view, seq, &m);
		sync_fetch_line(c, seq, &m, with_uid);
	}
}

static void
tell_counts(struct client *c)
{
	struct selected *sel = c->sel;
	uint32_t exists = view_count(sel->view);
	uint32_t recent = view_recent(sel->view);

	if (exists != sel->told_exists)
		resp_number(&c->out, exists, "EXISTS");
	if (recent != sel->told_recent && !(c->enabled & EN_REV2))
		resp_number(&c->out, recent, "RECENT");
	sel->told_exists = exists;
	sel->told_recent = recent;
}

/* RFC 5465 5.2: messages from here on are new, those that others put there are
 * shown. */
static void
begin_fresh(struct client *c, uint32_t from)
{
	struct selected *sel = c->sel;
	struct ranges r = { 0 };
	struct view_msg m;
	size_t cap = 0;

	for (; from <= view_count(sel->view); from++) {
		view_get(sel->view, from, &m);
		if (watch_is_own(c, m.uid))
			continue;
		if (r.n != 0 && r.v[r.n - 1].hi + 1 == from) {
			r.v[r.n - 1].hi = from;
			continue;
		}
		r.v = mem_grow(r.v, &cap, r.n, sizeof(*r.v));
		r.v[r.n++] = (struct seq_range){ from, from };
	}
	sel->fresh = r.v;
	if (r.n != 0)
		sel->fetch = fetch_new(c, c->watch->fetch, r);
}

static enum step
tell_fresh(struct client *c)
{
	struct selected *sel = c->sel;

	if (sel->fetch == NULL)
		return STEP_DONE;
	if (!fetch_go(sel->fetch))
		return STEP_AGAIN;
	fetch_free(&sel->fetch);
	free(sel->fresh);
	sel->fresh = NULL;
	return STEP_DONE;
}

/* All that the delta says; STEP_AGAIN: not yet. */
static enum step
tell_delta(struct client *c, bool with_uid)
{
	struct selected *sel = c->sel;
	uint32_t before;

	tell_gone(c);
	if (sel->at_gone == sel->delta.ngone)
		tell_changed(c, with_uid);
	if (sel->at_gone < sel->delta.ngone ||
	    sel->at_changed < sel->delta.nchanged || sel->catching != 0)
		return STEP_AGAIN;
	before = sel->told_exists;
	tell_counts(c);
	drop_delta(sel);
	if (c->watch != NULL && c->watch->fetch != NULL &&
	    before < sel->told_exists)
		begin_fresh(c, before + 1);
	return tell_fresh(c);
}

enum step
sync_step(struct client *c, bool may_expunge, bool with_uid)
{
	struct selected *sel = c->sel;
	int rc;

	if (sel == NULL || sel->view == NULL)
		return STEP_DONE;
	sync_rights(c);
	if (c->bye_text != NULL)
		return STEP_DONE;
	if (sel->fetch != NULL)
		return tell_fresh(c);
	if (watch_mutes(c, EV_NEW)) {
		if (sel->pending) {
			mute_changed(sel);
			drop_delta(sel);
		}
		return STEP_DONE;
	}
	if (!sel->pending && !view_stale(sel->view) && !catches_up(c) &&
	    view_count(sel->view) == sel->told_exists)
		return STEP_DONE;
	/* Taken while nothing was to be told. */
	if (!sel->pending && view_count(sel->view) != sel->told_exists)
		tell_counts(c);
	if ((rc = sync_take(c, may_expunge)) != 0) {
		log_error(c->id, "sync", "folder=%" PRIu64 " error=%s",
		    view_folder(sel->view), err_name(rc));
		return STEP_DONE;
	}
	if (sel->delta.folder_gone) {
		c->bye_text = "the selected folder has been deleted";
		return STEP_DONE;
	}
	return tell_delta(c, with_uid);
}
