#include "storage/folder_purge.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "storage/acl_row.h"
#include "storage/gone.h"
#include "storage/keyword.h"
#include "storage/metadata_row.h"
#include "storage/metadata.h"
#include "storage/msg.h"
#include "storage/msg_expunge.h"
#include "storage/name_row.h"
#include "storage/note.h"
#include "storage/store_priv.h"
#include "storage/usage.h"

enum { PASSES_MAX = 50 };

struct removal {
	uint64_t account;
	struct folder_name name;
	bool whole; /* the account goes: children and subscription, too */
	bool only_empty;
	struct expunge *x;
	/* results of the last run */
	bool more, kept;
};

/* RFC 9051 6.3.9: a subscription outlives its folder. */
static int
drop_folder(struct db_txn *t, const struct removal *r, struct name_row *row)
{
	struct slice name = folder_name_slice(&r->name);
	int rc;

	if ((row->flags & FOLDER_SUBSCRIBED) != 0 && !r->whole) {
		row->folder = 0;
		row->use = USE_NONE;
		rc = name_row_put(t, r->account, name, row);
	} else
		rc = name_row_del(t, r->account, name);
	if (rc == 0)
		rc = folder_row_del(t, r->x->folder);
	if (rc == 0)
		rc = keyword_drop(t, r->x->folder);
	if (rc == 0) /* RFC 4314 4 */
		rc = acl_row_drop(t, r->account, r->x->folder);
	if (rc == 0) /* RFC 5464 4.1 */
		rc = metadata_row_drop(t, r->account, r->x->folder);
	if (rc == 0)
		rc = gone_drop(t, r->x->folder);
	return rc;
}

static int
removal_txn(struct db_txn *t, void *arg)
{
	struct removal *r = arg;
	struct slice name = folder_name_slice(&r->name);
	struct name_row row;
	int rc;

	r->more = r->kept = false;
	rc = usage_charge(t, r->account, 0, 0, true, 0, NULL);
	if (rc == 0)
		rc = name_row_get(t, r->account, name, true, &row);
	if (rc == 0 && row.folder != r->x->folder)
		rc = ERR_NOTFOUND; /* deleted, and made anew */
	if (rc == 0 && !r->whole)
		rc = name_row_any_child(t, r->account, name, &r->kept);
	if (rc == 0)
		rc = expunge_txn(t, r->x);
	if (rc != 0)
		return rc;
	r->more = r->x->row.st.messages > 0;
	if (r->only_empty && (r->more || r->kept))
		return ERR_CONFLICT;
	return r->more || r->kept ? 0 : drop_folder(t, r, &row);
}

static void
publish(struct store *s, const struct removal *r)
{
	uint64_t modseq = r->x->row.st.highestmodseq;
	struct notify_event ev;

	expunge_publish(s, r->x);
	if (r->more || r->kept)
		return;
	note_folder_deleted(s, r->account, r->x->folder);
	change_begin(&ev, r->account, r->x->folder, modseq, modseq + 1);
	change_publish(s, &ev);
	change_folders(s, r->account);
}

/* Large folders are emptied in batches before; the last transaction takes the
 * rest and the folder itself. */
static int
remove_folder(struct store *s, struct removal *r)
{
	uint32_t *uids;
	size_t n;
	int rc;

	for (unsigned pass = 0; pass < PASSES_MAX; pass++) {
		rc = expunge_list(s, r->account, r->x->folder, 0, &uids, &n);
		if (rc == 0 && n > EXPUNGE_BATCH)
			rc = msg_expunge(s, r->account, r->x->folder,
			    uids + EXPUNGE_BATCH, n - EXPUNGE_BATCH, false,
			    NULL);
		r->x->uids = uids;
		r->x->n = n < EXPUNGE_BATCH ? n : EXPUNGE_BATCH;
		if (rc == 0)
			rc = db_update(s->db, removal_txn, r);
		if (rc == 0)
			publish(s, r);
		free(uids);
		if (rc != 0 || !r->more)
			return rc;
	}
	return ERR_BUSY; /* mail comes in faster than we remove it */
}

static int
find_txn(struct db_txn *t, void *arg)
{
	struct removal *r = arg;
	struct name_row row;
	int rc = name_row_get(
	    t, r->account, folder_name_slice(&r->name), false, &row);

	if (rc == 0 && row.folder == 0)
		rc = ERR_NOTFOUND;
	if (rc == 0)
		r->x->folder = row.folder;
	return rc;
}

static void
removal_init(struct removal *r, uint64_t account, bool whole)
{
	*r = (struct removal){ .account = account, .whole = whole };
	r->x = xmalloc(sizeof(*r->x));
	r->x->account = account;
	r->x->flags = 0;
	r->x->sizes = NULL;
}

/* Nothing is expunged on the way. */
static int
remove_empty(struct store *s, struct removal *r)
{
	int rc;

	r->only_empty = true;
	r->x->uids = NULL;
	r->x->n = 0;
	rc = db_update(s->db, removal_txn, r);
	if (rc == 0)
		publish(s, r);
	return rc;
}

static int
delete_by(struct store *s, uint64_t account, struct slice name,
    int (*remove)(struct store *s, struct removal *r), struct err *e)
{
	struct removal r;
	const char *why;
	int rc;

	removal_init(&r, account, false);
	if (!folder_name_fold(name, &r.name, &why))
		rc = ERR_NOTFOUND;
	else if (folder_name_is_inbox(folder_name_slice(&r.name)))
		rc = ERR_DENIED;
	else
		rc = db_read(s->db, find_txn, &r);
	if (rc == 0)
		rc = remove(s, &r);
	free(r.x);
	switch (rc) {
	case 0: return 0;
	case ERR_NOTFOUND: return err_set(e, rc, "No such folder");
	case ERR_DENIED: return err_set(e, rc, "INBOX cannot be deleted");
	case ERR_CONFLICT: return err_set(e, rc, "The folder is not empty");
	default: return err_set(e, rc, "Temporary failure of the store");
	}
}

int
folder_delete(
    struct store *s, uint64_t account, struct slice name, struct err *e)
{
	return delete_by(s, account, name, remove_folder, e);
}

int
folder_delete_empty(
    struct store *s, uint64_t account, struct slice name, struct err *e)
{
	return delete_by(s, account, name, remove_empty, e);
}

struct names {
	uint64_t account;
	struct arena *a;
	struct name_entry *v;
	size_t n;
};

static int
names_txn(struct db_txn *t, void *arg)
{
	struct names *l = arg;

	return name_row_list(t, l->account, l->a, &l->v, &l->n);
}

static int
forget_txn(struct db_txn *t, void *arg)
{
	struct removal *r = arg;
	int rc = name_row_del(t, r->account, folder_name_slice(&r->name));

	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
folder_purge_account(struct store *s, uint64_t account)
{
	struct arena a;
	struct names l = { .account = account, .a = &a };
	struct removal r;
	int rc;

	arena_init(&a);
	removal_init(&r, account, true);
	rc = db_read(s->db, names_txn, &l);
	for (size_t i = 0; rc == 0 && i < l.n; i++) {
		r.name.n = l.v[i].name.n;
		for (size_t k = 0; k < r.name.n; k++)
			r.name.p[k] = l.v[i].name.p[k];
		r.x->folder = l.v[i].row.folder;
		if (r.x->folder == 0)
			rc = db_update(s->db, forget_txn, &r);
		else
			rc = remove_folder(s, &r);
		if (rc == ERR_NOTFOUND)
			rc = 0;
	}
	free(r.x);
	arena_clear(&a);
	return rc == 0 ? metadata_purge_account(s, account) : rc;
}
