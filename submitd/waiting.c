#include "submitd/waiting.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "storage/account.h"
#include "storage/outbox.h"
#include "storage/submit.h"
#include "storage/view.h"
#include "submitd/app.h"
#include "submitd/srs.h"

enum {
	FLAGGED_SEC = 60,    /* what is flagged is looked at so often */
	WATCH_MAX = 1 << 20, /* folders; others are looked at when due */
	CHANGED_MAX = 256,   /* folders in one job */
	ROWS_MAX = 256
};

/* ---- one row ---- */

int
waiting_cancel(struct server *srv, struct errand *e)
{
	char id[24];

	queue_id_text(e->row.id, id);
	log_mail(
	    id, "release", "result=cancelled from=%s", log_q(e->row.sender));
	return outbox_cancel(srv->store, &e->row, true);
}

/* Flagged: looked at again soon, the later the longer it lies there, without
 * an end. */
static int
look_again(struct server *srv, struct errand *e)
{
	struct queue_row row = e->row;
	struct queue_change ch = { .id = row.id, .row = &row };
	int64_t now = clock_wall_sec(), wait = (now - row.created_at) / 8 + 1;

	row.next_at = now + (wait < FLAGGED_SEC ? wait : FLAGGED_SEC);
	return queue_change(srv->store, &ch, 1);
}

bool
waiting_may_go(struct server *srv, struct errand *e, int *rc_out)
{
	const struct queue_row *row = &e->row;
	bool wait = false;
	int rc;

	*rc_out = 0;
	if (row->box_folder == 0)
		return true;
	rc = outbox_look(
	    srv->store, row->account, row->box_folder, row->box_uid, &wait);
	if (rc == 0 && !wait)
		return true;
	if (rc == 0)
		rc = look_again(srv, e);
	else if (rc == ERR_NOTFOUND)
		rc = waiting_cancel(srv, e);
	*rc_out = rc;
	return false;
}

/* What somebody here has sent, and wants to see; not what goes on from here
 * for others (forward.h), nor reports. */
static bool
is_wanted(struct server *srv, struct errand *e)
{
	struct auth_who who = { .account = e->row.account };
	struct account ac;
	struct rights r;

	if (e->row.account == 0 || (e->row.flags & QUEUE_DSN) ||
	    e->row.sender.n == 0 || srs_is(e->row.sender) ||
	    account_get_id(srv->store, e->row.account, &e->arena, &ac) != 0 ||
	    !slice_copy(ac.name, who.name, sizeof(who.name)) ||
	    !slice_copy(ac.package, who.package, sizeof(who.package)))
		return false;
	return rights_get(app_of(srv)->rights, srv->conf, &who, &r) == 0 &&
	       r.outbox;
}

/* A second entry for the same bytes. */
static void
put_in(struct waiting_step *st, struct server *srv, const struct queue_row *row)
{
	static const struct slice deferred[] = { { "$Deferred", 9 } };
	uint64_t folder;

	if (outbox_folder(srv->store, row->account, &folder) != 0)
		return;
	waiting_watch(app_of(srv)->waiting, row->account, folder);
	st->target = (struct deliver_target){ .account = row->account,
		.folder = folder,
		.flags = MSG_SEEN,
		.keywords = deferred,
		.nkeywords = 1,
		.over_quota = true };
	st->msg = (struct deliver_msg){ .body = row->body,
		.internal_date = row->created_at,
		.targets = &st->target,
		.ntargets = 1 };
	st->box.target = &st->target;
	st->has_msg = st->has_box = true;
}

/* Its first round: perhaps other rows of the message wait already. */
static void
join(struct waiting_step *st, struct server *srv, struct errand *e)
{
	if (!is_wanted(srv, e))
		return;
	if (submit_recalled(srv->store, e->row.account, e->row.body,
		&st->called_back) != 0 ||
	    st->called_back)
		return;
	if (outbox_find(srv->store, &e->row) == 0)
		st->has_box = true;
	else
		put_in(st, srv, &e->row);
}

void
waiting_step(
    struct waiting_step *st, struct server *srv, struct errand *e, bool open)
{
	struct queue_row *row = &e->row;
	bool wait;

	*st = (struct waiting_step){ .box.row = row };
	if (open && row->box_folder == 0)
		join(st, srv, e);
	else if (open)
		st->called_back =
		    outbox_look(srv->store, row->account, row->box_folder,
			row->box_uid, &wait) == ERR_NOTFOUND;
	st->has_gone = row->box_folder != 0 && (!open || st->called_back);
	st->gone = (struct deliver_gone){ .account = row->account,
		.folder = row->box_folder,
		.uid = row->box_uid,
		.row = row->id,
		.body = row->body,
		.may_lack = true,
		.recalled = st->called_back };
}

/* ---- folders that change ---- */

struct watch {
	struct outbox_box box;
	uint64_t since; /* the job's: MODSEQ up to which all is known */
};

struct waiting {
	struct server_loop *sl;
	pthread_mutex_t lock; /* guards watched */
	struct map watched;   /* folder: struct watch */
	struct sjob job;
	bool working, stopping;
	bool all; /* some, and it is not known which */
	struct watch *changed[CHANGED_MAX];
	size_t nchanged;
	/* the job's */
	bool look_all;
	struct watch *now[CHANGED_MAX];
	size_t nnow;
};

static struct watch *
watch_of(struct waiting *w, uint64_t folder)
{
	struct watch *of;

	pthread_mutex_lock(&w->lock);
	of = map_get_u64(&w->watched, folder);
	pthread_mutex_unlock(&w->lock);
	return of;
}

/* NULL: there are too many. */
static struct watch *
watch(struct waiting *w, const struct outbox_box *box)
{
	bool fresh = false;
	struct watch *of;

	pthread_mutex_lock(&w->lock);
	of = map_get_u64(&w->watched, box->folder);
	if (of == NULL && w->watched.n < WATCH_MAX) {
		of = xcalloc(1, sizeof(*of));
		of->box = *box;
		(void)map_put_u64(&w->watched, box->folder, of);
		fresh = true;
	}
	pthread_mutex_unlock(&w->lock);
	if (fresh)
		notify_want(w->sl->srv->store, 0, box->folder, 1);
	return of;
}

void
waiting_watch(struct waiting *w, uint64_t account, uint64_t folder)
{
	const struct outbox_box box = { account, folder };

	if (w != NULL)
		(void)watch(w, &box);
}

/* As an operator drops a row, whatever the runner does to it meanwhile. */
static int
call_back(struct server *srv, uint64_t id)
{
	struct errand e = { 0 };
	int rc;

	arena_init(&e.arena);
	rc = queue_get(srv->store, id, &e.arena, &e.row);
	if (rc == 0)
		rc = waiting_cancel(srv, &e);
	arena_clear(&e.arena);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static void
look_at(struct sjob *j, struct watch *of)
{
	uint64_t ids[ROWS_MAX];
	size_t n = ROWS_MAX;
	int rc = 0;

	while (rc == 0 && n == ROWS_MAX) {
		rc = outbox_called_back(
		    j->srv->store, &of->box, &of->since, ids, ROWS_MAX, &n);
		for (size_t i = 0; rc == 0 && i < n; i++) {
			rc = call_back(j->srv, ids[i]);
			j->durable = true;
		}
	}
	if (rc != 0)
		log_error(NULL, "outbox", "failed=%s", err_name(rc));
}

static void
look_at_all(struct waiting *w, struct sjob *j)
{
	struct outbox_box boxes[64];
	uint64_t after = 0;
	size_t n;

	do {
		if (outbox_list(
			j->srv->store, after, boxes, PH_LEN(boxes), &n) != 0)
			return;
		for (size_t i = 0; i < n; i++) {
			struct watch *of = watch(w, &boxes[i]);

			if (of != NULL) {
				of->since = 0;
				look_at(j, of);
			}
			after = boxes[i].folder;
		}
	} while (n == PH_LEN(boxes));
}

static void
work(struct sjob *j)
{
	struct waiting *w = PH_CONTAINER(j, struct waiting, job);

	if (w->look_all)
		look_at_all(w, j);
	for (size_t i = 0; i < w->nnow; i++)
		look_at(j, w->now[i]);
}

static void done(struct sjob *j);

static void
start(struct waiting *w)
{
	if (w->working || (!w->all && w->nchanged == 0))
		return;
	w->look_all = w->all;
	w->nnow = w->nchanged;
	for (size_t i = 0; i < w->nnow; i++)
		w->now[i] = w->changed[i];
	w->all = false;
	w->nchanged = 0;
	w->working = true;
	w->job = (struct sjob){ .work = work, .done = done };
	server_hold(w->sl);
	sjob_submit(w->sl, &w->job);
}

static void
done(struct sjob *j)
{
	struct waiting *w = PH_CONTAINER(j, struct waiting, job);

	w->working = false;
	if (!w->stopping)
		start(w);
	server_release(w->sl);
}

static void
add_changed(struct waiting *w, struct watch *of)
{
	for (size_t i = 0; i < w->nchanged; i++)
		if (w->changed[i] == of)
			return;
	if (w->nchanged == CHANGED_MAX)
		w->all = true;
	else
		w->changed[w->nchanged++] = of;
}

void
waiting_notify(struct waiting *w, const struct notify_event *ev, size_t n)
{
	struct watch *of;

	if (w->stopping)
		return;
	for (size_t i = 0; i < n; i++) {
		if (ev[i].kind != NOTIFY_FOLDER)
			continue;
		if (ev[i].account == 0)
			w->all = true;
		else if ((of = watch_of(w, ev[i].folder)) != NULL)
			add_changed(w, of);
	}
	start(w);
}

void
waiting_start(struct server_loop *sl)
{
	struct waiting *w = xcalloc(1, sizeof(*w));

	w->sl = sl;
	pthread_mutex_init(&w->lock, NULL);
	map_init(&w->watched);
	app_of(sl->srv)->waiting = w;
	w->all = true;
	start(w);
}

void
waiting_stop(struct waiting *w)
{
	w->stopping = true;
}

void
waiting_free(struct waiting **w)
{
	if (*w == NULL)
		return;
	pthread_mutex_destroy(&(*w)->lock);
	map_fini(&(*w)->watched, free);
	free(*w);
	*w = NULL;
}
