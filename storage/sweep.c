#include "storage/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/account_row.h"
#include "storage/fetched_row.h"
#include "storage/folder_row.h"
#include "storage/msg_expunge.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "storage/usage.h"
#include "storage/view.h"

enum {
	ROWS_ENOUGH = 200, /* for one step; its last run is always whole */
	ROWS_MAX = ROWS_ENOUGH + DEVICES_MAX * 2,
	UIDS_MAX = ROWS_ENOUGH * HOT_RUN /* and with one device each */
};

#define DEVICE_IDLE_SEC ((int64_t)DEVICE_IDLE_DAYS * 24 * 3600)

struct sweep {
	uint8_t next[FETCHED_KEY]; /* where to go on */
	int64_t now;
	/* what a step has found, of one folder */
	struct fetched_run rows[ROWS_MAX];
	size_t nrows;
	bool dead[ROWS_MAX]; /* the row is about nothing any more */
	bool end;            /* there are no rows behind these */
	uint64_t folder;
	struct folder_row frow;
	bool folder_gone;
	struct account_row ac;
	struct device devices[DEVICES_MAX];
	size_t ndevices;
	uint32_t stale[DEVICES_MAX]; /* device rows whose secret is gone */
	size_t nstale;
	uint32_t uids[UIDS_MAX]; /* to go */
	size_t nuids;
	struct expunge *x;
	struct arena arena;
};

struct sweep *
sweep_new(void)
{
	return xcalloc(1, sizeof(struct sweep));
}

void
sweep_free(struct sweep **wp)
{
	struct sweep *w = *wp;

	*wp = NULL;
	if (w == NULL)
		return;
	arena_clear(&w->arena);
	free(w);
}

/* ---- looking ---- */

static bool
is_enough(const struct sweep *w, const struct fetched_run *r)
{
	const struct fetched_run *last = &w->rows[w->nrows - 1];

	if (r->folder != last->folder || w->nrows == ROWS_MAX)
		return true;
	return w->nrows >= ROWS_ENOUGH && r->run != last->run;
}

/* The next rows of one folder, whole runs. */
static int
read_rows(struct db_txn *t, struct sweep *w)
{
	struct db_scan *scan = NULL;
	struct slice key, value;
	struct fetched_run r;
	int rc;

	w->nrows = 0;
	w->end = false;
	rc = db_scan_init(t, T_FETCHED, slice_of(w->next, sizeof(w->next)),
	    (struct slice){ NULL, 0 }, &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		if ((rc = fetched_run_decode(key, value, &r)) != 0)
			break;
		if (w->nrows != 0 && is_enough(w, &r))
			break;
		w->rows[w->nrows++] = r;
	}
	db_scan_fini(&scan);
	w->end = rc == ERR_NOTFOUND;
	return w->end ? 0 : rc;
}

static const struct secret *
secret_of(const struct sweep *w, uint32_t id)
{
	for (size_t i = 0; i < w->ac.ac.nsecrets; i++)
		if (w->ac.ac.secrets[i].id == id)
			return &w->ac.ac.secrets[i];
	return NULL;
}

/* Does it count still? */
static bool
is_active(const struct sweep *w, const struct device *d)
{
	const struct secret *s = secret_of(w, d->secret);

	return s != NULL && (s->scope & SCOPE_POP3) != 0 &&
	       (s->expires_at == 0 || s->expires_at > w->now) &&
	       w->now - d->last < DEVICE_IDLE_SEC;
}

static int
read_owner(struct db_txn *t, struct sweep *w)
{
	struct device all[DEVICES_MAX];
	size_t n;
	int rc;

	w->folder = w->rows[0].folder;
	w->ndevices = w->nstale = 0;
	rc = folder_row_get(t, w->folder, false, &w->frow);
	w->folder_gone = rc == ERR_NOTFOUND;
	if (rc != 0)
		return w->folder_gone ? 0 : rc;
	rc = account_row_get_id(t, w->frow.account, false, &w->arena, &w->ac);
	if (rc != 0)
		return rc;
	if ((rc = device_rows(t, w->frow.account, all, &n)) != 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (is_active(w, &all[i]))
			w->devices[w->ndevices++] = all[i];
		else if (secret_of(w, all[i].secret) == NULL)
			w->stale[w->nstale++] = all[i].secret;
	return 0;
}

/* When the last of the devices fetched it; 0: one has not. */
static uint32_t
fetched_by_all(const struct sweep *w, size_t from, size_t to, uint32_t bit)
{
	uint32_t latest = 0;

	for (size_t d = 0; d < w->ndevices; d++) {
		uint32_t at = 0;

		for (size_t i = from; i < to && at == 0; i++)
			if (w->rows[i].secret == w->devices[d].secret)
				at = w->rows[i].at[bit];
		if (at == 0)
			return 0;
		if (at > latest)
			latest = at;
	}
	return latest;
}

static bool
is_due(const struct sweep *w, uint32_t latest)
{
	uint64_t keep = w->ac.ac.pop3_remove_sec;

	return keep != 0 && latest != 0 && w->now >= (int64_t)latest &&
	       (uint64_t)(w->now - (int64_t)latest) >= keep;
}

/* Has IMAP to do with it? */
static bool
is_exempt(const struct hot_entry *e, uint32_t recent_from)
{
	if ((e->flags & ~(uint32_t)MSG_SEEN) != 0 || e->keywords != 0)
		return true;
	return (e->flags & MSG_SEEN) == 0 && e->uid < recent_from;
}

/* The rows from..to are of one run. */
static int
look_at_run(struct db_txn *t, struct sweep *w, size_t from, size_t to)
{
	uint32_t run = w->rows[from].run;
	struct hot_run hot;
	struct hot_entry e;
	int rc;

	if ((rc = hot_load(t, w->folder, run, false, &hot)) != 0)
		return rc;
	for (size_t i = from; i < to; i++)
		w->dead[i] =
		    hot.n == 0 || secret_of(w, w->rows[i].secret) == NULL;
	for (uint32_t i = 0; i < hot.n && w->nuids < UIDS_MAX; i++) {
		hot_get(hot.bytes, i, &e);
		if (!is_exempt(&e, w->frow.st.recent_from) &&
		    is_due(w, fetched_by_all(w, from, to, e.uid % HOT_RUN)))
			w->uids[w->nuids++] = e.uid;
	}
	return 0;
}

static int
look_txn(struct db_txn *t, void *arg)
{
	struct sweep *w = arg;
	size_t from, to;
	int rc;

	w->nuids = 0;
	arena_clear(&w->arena);
	if ((rc = read_rows(t, w)) != 0 || w->nrows == 0)
		return rc;
	if ((rc = read_owner(t, w)) != 0)
		return rc;
	for (from = 0; rc == 0 && from < w->nrows; from = to) {
		for (to = from + 1;
		     to < w->nrows && w->rows[to].run == w->rows[from].run;
		     to++)
			;
		if (!w->folder_gone)
			rc = look_at_run(t, w, from, to);
		else
			memset(&w->dead[from], true, to - from);
	}
	return rc;
}

/* ---- doing ---- */

/* Looks again, with everything locked in the order of the tables: what has
 * been touched meanwhile stays. */
static int
remove_txn(struct db_txn *t, void *arg)
{
	struct sweep *w = arg;
	struct expunge *x = w->x;
	uint32_t uids[EXPUNGE_BATCH];
	const uint32_t *all = x->uids;
	size_t n = x->n, ntaken, left = 0;
	int rc;

	rc = usage_charge(t, x->account, 0, 0, true, 0, NULL);
	if (rc == 0)
		rc = folder_row_get(t, x->folder, true, &x->row);
	if (rc == 0)
		rc = take_hot(
		    t, x->folder, all, n, 0, TAKE_LOCK, x->taken, &ntaken);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < ntaken; i++)
		if (!is_exempt(&x->taken[i].hot, x->row.st.recent_from))
			uids[left++] = x->taken[i].hot.uid;
	x->uids = uids;
	x->n = left;
	rc = expunge_txn(t, x);
	x->uids = all;
	x->n = n;
	return rc;
}

static int
remove_mail(struct store *s, struct sweep *w)
{
	struct expunge *x;
	int rc = 0;

	if (w->nuids == 0)
		return 0;
	x = w->x = xmalloc(sizeof(*x));
	x->account = w->frow.account;
	x->folder = w->folder;
	x->flags = 0;
	x->sizes = NULL;
	for (size_t at = 0; rc == 0 && at < w->nuids; at += x->n) {
		x->uids = w->uids + at;
		x->n = w->nuids - at < EXPUNGE_BATCH ? w->nuids - at
						     : EXPUNGE_BATCH;
		if ((rc = db_update(s->db, remove_txn, w)) != 0)
			break;
		expunge_publish(s, x);
		if (x->ntaken != 0)
			log_info(NULL, "pop3-removed",
			    "account=%s folder=%llx messages=%zu",
			    log_q(w->ac.ac.name), (unsigned long long)w->folder,
			    x->ntaken);
	}
	free(x);
	w->x = NULL;
	return rc == ERR_NOTFOUND ? 0 : rc; /* the folder has gone */
}

static int
tidy_txn(struct db_txn *t, void *arg)
{
	const struct sweep *w = arg;
	int rc;

	for (size_t i = 0; i < w->nstale; i++) {
		rc = device_row_del(t, w->frow.account, w->stale[i]);
		if (rc != 0 && rc != ERR_NOTFOUND)
			return rc;
	}
	for (size_t i = 0; i < w->nrows; i++) {
		if (!w->dead[i])
			continue;
		rc = fetched_run_del(t, &w->rows[i]);
		if (rc != 0 && rc != ERR_NOTFOUND)
			return rc;
	}
	return 0;
}

static int
tidy(struct store *s, struct sweep *w)
{
	bool any = w->nstale != 0;

	for (size_t i = 0; i < w->nrows; i++)
		any |= w->dead[i];
	return any ? db_update(s->db, tidy_txn, w) : 0;
}

/* Behind the rows of this step. */
static void
move_on(struct sweep *w)
{
	const struct fetched_run *last = &w->rows[w->nrows - 1];

	if (w->folder_gone || last->run == UINT32_MAX)
		fetched_key(w->next, last->folder, last->run, UINT32_MAX);
	else
		fetched_key(w->next, last->folder, last->run + 1, 0);
}

int
sweep_step(struct store *s, struct sweep *w, int64_t now, bool *more_out)
{
	int rc;

	*more_out = false;
	w->now = now;
	rc = db_read(s->db, look_txn, w);
	if (rc == ERR_NOTFOUND && w->nrows != 0)
		rc = 0; /* the account goes at this moment */
	else if (rc == 0 && w->nrows != 0 && (rc = remove_mail(s, w)) == 0)
		rc = tidy(s, w);
	*more_out = rc == 0 && !w->end && w->nrows != 0;
	if (*more_out)
		move_on(w);
	else
		memset(w->next, 0, sizeof(w->next));
	return rc;
}
