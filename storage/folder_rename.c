#include <stdlib.h>
#include <string.h>

#include "storage/change.h"
#include "storage/acl.h"
#include "storage/folder_make.h"
#include "storage/metadata.h"
#include "storage/msg.h"
#include "storage/msg_expunge.h"
#include "storage/note.h"
#include "storage/store_priv.h"

struct rename {
	struct folder_maker m;
	struct folder_name from, to;
	const char *why;
};

static bool
is_moved(const struct rename *r, struct slice name)
{
	struct slice from = folder_name_slice(&r->from);

	return slice_eq(name, from) || folder_name_below(name, from);
}

/* The new name of `name`, which is `from` or below it. */
static bool
new_name(struct rename *r, struct slice name, struct folder_name *out)
{
	struct slice tail = slice_from(name, r->from.n);

	if (r->to.n + tail.n > sizeof(out->p))
		return false;
	memcpy(out->p, r->to.p, r->to.n);
	memcpy(out->p + r->to.n, tail.p, tail.n);
	out->n = r->to.n + tail.n;
	return folder_name_ok(folder_name_slice(out), &r->why);
}

static int
move_row(struct db_txn *t, struct rename *r, const struct name_entry *e)
{
	const struct name_entry *there;
	struct name_row row = e->row;
	struct folder_name name;
	struct slice to;
	int rc;

	if (!new_name(r, e->name, &name))
		return ERR_INVALID;
	to = folder_name_slice(&name);
	there = name_row_find(r->m.v, r->m.n, to);
	if (there != NULL && there->row.folder != 0)
		return ERR_EXISTS;
	if (there != NULL)
		row.flags |= there->row.flags;
	rc = name_row_del(t, r->m.account, e->name);
	return rc != 0 ? rc : name_row_put(t, r->m.account, to, &row);
}

static int
rename_txn(struct db_txn *t, void *arg)
{
	struct rename *r = arg;
	struct slice from = folder_name_slice(&r->from);
	struct slice to = folder_name_slice(&r->to);
	const struct name_entry *e;
	int rc;

	rc = folder_maker_begin(t, &r->m, folder_name_levels(to) - 1);
	if (rc != 0)
		return rc;
	e = name_row_find(r->m.v, r->m.n, from);
	if (e == NULL || e->row.folder == 0)
		return ERR_NOTFOUND;
	for (size_t i = 0; rc == 0 && i < r->m.n; i++)
		if (is_moved(r, r->m.v[i].name))
			rc = move_row(t, r, &r->m.v[i]);
	if (rc == 0)
		rc = folder_maker_parents(t, &r->m, to);
	return rc != 0 ? rc : folder_maker_rows(t, &r->m);
}

static void
publish(struct rename *r)
{
	struct folder_name name;

	folder_maker_publish(&r->m);
	for (size_t i = 0; i < r->m.n; i++) {
		const struct name_entry *e = &r->m.v[i];

		if (e->row.folder != 0 && is_moved(r, e->name) &&
		    new_name(r, e->name, &name))
			note_folder_renamed(r->m.store, r->m.account,
			    e->row.folder, folder_name_slice(&name));
	}
	change_folders(r->m.store, r->m.account);
}

/* RFC 9051 6.3.6: the messages go, INBOX and what is below it stay. */
static int
rename_inbox(struct store *s, uint64_t account, struct slice to, struct err *e)
{
	struct folder_info inbox, target;
	struct msg_copied copied;
	uint32_t *uids;
	size_t n;
	int rc;

	if ((rc = folder_find(s, account, SLICE("INBOX"), &inbox)) != 0)
		return err_set(e, rc, "No such folder");
	rc = folder_create(s, account, to, USE_NONE, &target, e);
	if (rc != 0)
		return rc;
	rc = expunge_list(s, account, inbox.id, 0, &uids, &n);
	if (rc == 0) /* RFC 5464 4.1 */
		rc = metadata_copy(s, account, inbox.id, target.id);
	if (rc == 0 && n > 0) {
		rc = msg_copy(s, account, inbox.id, uids, n, account, target.id,
		    true, &copied);
		msg_copied_fini(&copied);
	}
	free(uids);
	return rc == 0 ? 0 : err_set(e, rc, "Temporary failure of the store");
}

static int
explain(struct err *e, const struct rename *r, int rc)
{
	switch (rc) {
	case 0: return 0;
	case ERR_NOTFOUND: return err_set(e, rc, "No such folder");
	case ERR_EXISTS: return err_set(e, rc, "Folder exists already");
	case ERR_INVALID:
		return err_set(e, rc, "%s",
		    r->why != NULL ? r->why : "Folder name is too long");
	case ERR_LIMIT:
	case ERR_QUOTA: return err_set(e, rc, "Too many folders");
	default: return err_set(e, rc, "Temporary failure of the store");
	}
}

int
folder_rename(struct store *s, uint64_t account, struct slice from,
    struct slice to, struct err *e)
{
	struct rename r = { .why = NULL };
	struct slice a, b, owner, rest;
	int rc;

	if (!folder_name_fold(from, &r.from, &r.why))
		return err_set(e, ERR_NOTFOUND, "No such folder");
	if (!folder_name_fold(to, &r.to, &r.why))
		return err_set(e, ERR_INVALID, "%s", r.why);
	a = folder_name_slice(&r.from);
	b = folder_name_slice(&r.to);
	if (acl_is_others(b, &owner, &rest))
		return err_set(e, ERR_INVALID, "%s", folder_name_taken);
	if (slice_eq(a, b))
		return err_set(e, ERR_EXISTS, "Folder exists already");
	if (folder_name_is_inbox(a))
		return rename_inbox(s, account, b, e);
	if (folder_name_below(b, a))
		return err_set(
		    e, ERR_INVALID, "A folder cannot move into itself");
	folder_maker_init(&r.m, s, account);
	rc = db_update(s->db, rename_txn, &r);
	if (rc == 0)
		publish(&r);
	folder_maker_fini(&r.m);
	return explain(e, &r, rc);
}

struct subscription {
	struct folder_maker m;
	struct folder_name name;
	bool on;
};

static int
subscribe_txn(struct db_txn *t, void *arg)
{
	struct subscription *u = arg;
	struct slice name = folder_name_slice(&u->name);
	struct name_row row = { 0 };
	int rc = name_row_get(t, u->m.account, name, true, &row);

	if (rc == ERR_NOTFOUND && u->on) {
		/* RFC 9051 6.3.7: the name need not exist. */
		if ((rc = folder_maker_begin(t, &u->m, 0)) != 0)
			return rc;
		if (u->m.n >= FOLDERS_PER_ACCOUNT_MAX)
			return ERR_LIMIT;
	}
	if (rc != 0)
		return rc;
	if (!u->on && (row.flags & FOLDER_SUBSCRIBED) == 0)
		return ERR_NOTFOUND;
	if (!u->on && row.folder == 0)
		return name_row_del(t, u->m.account, name);
	if (u->on)
		row.flags |= FOLDER_SUBSCRIBED;
	else
		row.flags &= ~(unsigned)FOLDER_SUBSCRIBED;
	return name_row_put(t, u->m.account, name, &row);
}

int
folder_subscribe(struct store *s, uint64_t account, struct slice name, bool on,
    struct err *e)
{
	struct subscription u = { .on = on };
	const char *why;
	int rc;

	if (!folder_name_fold(name, &u.name, &why))
		return err_set(e, ERR_INVALID, "%s", why);
	folder_maker_init(&u.m, s, account);
	rc = db_update(s->db, subscribe_txn, &u);
	folder_maker_fini(&u.m);
	if (rc == 0)
		change_folders(s, account);
	switch (rc) {
	case 0: return 0;
	case ERR_NOTFOUND: return err_set(e, rc, "Not subscribed");
	case ERR_LIMIT: return err_set(e, rc, "Too many folders");
	default: return err_set(e, rc, "Temporary failure of the store");
	}
}
