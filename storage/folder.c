#include "storage/folder.h"

#include <string.h>

#include "storage/folder_row.h"
#include "storage/keyword.h"
#include "storage/name_row.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

struct list {
	uint64_t account;
	bool with_status;
	struct arena *a;
	struct folder_info *v;
	size_t n;
};

static int
list_txn(struct db_txn *t, void *arg)
{
	struct list *l = arg;
	struct name_entry *v;
	struct folder_row row;
	size_t n;
	int rc;

	if ((rc = name_row_list(t, l->account, l->a, &v, &n)) != 0)
		return rc;
	l->v = arena_alloc(l->a, n * sizeof(*l->v) + 1);
	l->n = n;
	for (size_t i = 0; i < n; i++) {
		struct folder_info *f = &l->v[i];

		f->name = v[i].name;
		f->id = v[i].row.folder;
		f->account = l->account;
		f->rights = RIGHTS_ALL;
		f->use = v[i].row.use;
		f->flags = v[i].row.flags;
		f->has_children = name_row_has_children(v, n, i);
		if (f->id == 0)
			f->flags |= FOLDER_NOSELECT;
		if (f->id == 0 || !l->with_status)
			continue;
		if ((rc = folder_row_get(t, f->id, false, &row)) != 0)
			return rc == ERR_NOTFOUND ? ERR_CORRUPT : rc;
		f->status = row.st;
	}
	return 0;
}

int
folder_list(struct store *s, uint64_t account, bool with_status,
    struct arena *a, struct folder_info **v_out, size_t *n_out)
{
	struct list l = { account, with_status, a, NULL, 0 };
	int rc = db_read(s->db, list_txn, &l);

	*v_out = rc == 0 ? l.v : NULL;
	*n_out = rc == 0 ? l.n : 0;
	return rc;
}

struct find {
	uint64_t account;
	struct folder_name name;
	struct folder_info *info;
};

static int
find_txn(struct db_txn *t, void *arg)
{
	struct find *f = arg;
	struct slice name = folder_name_slice(&f->name);
	struct name_row row;
	struct folder_row folder;
	int rc;

	if ((rc = name_row_get(t, f->account, name, false, &row)) != 0)
		return rc;
	if (row.folder == 0)
		return ERR_NOTFOUND;
	f->info->id = row.folder;
	f->info->account = f->account;
	f->info->rights = RIGHTS_ALL;
	f->info->use = row.use;
	f->info->flags = row.flags;
	if ((rc = folder_row_get(t, row.folder, false, &folder)) != 0)
		return rc == ERR_NOTFOUND ? ERR_CORRUPT : rc;
	f->info->status = folder.st;
	return name_row_any_child(t, f->account, name, &f->info->has_children);
}

int
folder_find(struct store *s, uint64_t account, struct slice name,
    struct folder_info *info_out)
{
	struct find f = { .account = account, .info = info_out };
	const char *why;

	*info_out = (struct folder_info){ .name = name };
	if (!folder_name_fold(name, &f.name, &why))
		return ERR_NOTFOUND;
	return db_read(s->db, find_txn, &f);
}

struct status {
	uint64_t folder;
	struct folder_row row;
};

static int
status_txn(struct db_txn *t, void *arg)
{
	struct status *st = arg;

	return folder_row_get(t, st->folder, false, &st->row);
}

int
folder_status_get(struct store *s, uint64_t folder, struct folder_status *out)
{
	struct status st = { .folder = folder };
	int rc = db_read(s->db, status_txn, &st);

	*out = st.row.st;
	return rc;
}

struct kw_read {
	uint64_t folder;
	struct arena *a;
	struct keywords kw;
};

static int
keywords_txn(struct db_txn *t, void *arg)
{
	struct kw_read *k = arg;

	return keyword_load(t, k->folder, k->a, &k->kw);
}

int
folder_keywords(struct store *s, uint64_t folder, struct arena *a,
    struct slice names_out[FOLDER_KEYWORDS_MAX])
{
	struct kw_read k = { .folder = folder, .a = a };
	int rc = db_read(s->db, keywords_txn, &k);

	for (unsigned i = 0; i < FOLDER_KEYWORDS_MAX; i++)
		names_out[i] = k.kw.name[i];
	return rc;
}
