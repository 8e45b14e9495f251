#include "storage/folder_make.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "storage/account_own.h"
#include "storage/account_row.h"
#include "storage/acl_row.h"
#include "storage/change.h"
#include "storage/counter.h"
#include "storage/folder_row.h"
#include "storage/note.h"
#include "storage/store_priv.h"

/* UIDVALIDITY never falls and is never given twice on a host; it starts at
 * the clock so that a host set up anew is ahead of the one before it (CLIENTS
 * M2). */
static const int64_t clock_max = 0xe0000000;

void
folder_maker_init(struct folder_maker *m, struct store *s, uint64_t account)
{
	*m = (struct folder_maker){ .store = s, .account = account };
	arena_init(&m->arena);
}

void
folder_maker_fini(struct folder_maker *m)
{
	arena_clear(&m->arena);
}

static int
read_limit(struct db_txn *t, struct folder_maker *m)
{
	struct account_row row;
	int rc = account_row_get_id(t, m->account, false, &m->arena, &row);

	m->folders_max = FOLDERS_PER_ACCOUNT_MAX;
	if (rc == 0)
		m->folders_max = account_folders_max(&row.ac);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
folder_maker_numbers(struct db_txn *t, struct folder_maker *m, size_t most)
{
	int64_t now = clock_wall_sec();
	int rc = 0;

	ph_assert(most <= FOLDER_MADE_MAX);
	arena_clear(&m->arena);
	m->nmade = 0;
	if (now < 1 || now > clock_max)
		now = now < 1 ? 1 : clock_max;
	for (size_t i = 0; rc == 0 && i < most; i++) {
		rc = counter_next(
		    t, SLICE("uidvalidity"), (uint64_t)now, &m->uidvalidity[i]);
		if (rc == 0 && m->uidvalidity[i] > UINT32_MAX)
			rc = ERR_LIMIT;
	}
	return rc;
}

int
folder_maker_names(struct db_txn *t, struct folder_maker *m)
{
	int rc = read_limit(t, m);

	if (rc == 0)
		rc = name_row_list(t, m->account, &m->arena, &m->v, &m->n);
	m->folders = 0;
	for (size_t i = 0; rc == 0 && i < m->n; i++)
		m->folders += m->v[i].row.folder != 0;
	return rc;
}

int
folder_maker_begin(struct db_txn *t, struct folder_maker *m, size_t most)
{
	int rc = folder_maker_numbers(t, m, most);

	return rc == 0 ? folder_maker_names(t, m) : rc;
}

int
folder_maker_add(struct db_txn *t, struct folder_maker *m, struct slice name,
    enum folder_use use, unsigned flags)
{
	struct folder_made *f = &m->made[m->nmade];
	const struct name_entry *e = name_row_find(m->v, m->n, name);
	struct name_row row = { .use = use, .flags = flags };

	if (m->n + m->nmade >= FOLDERS_PER_ACCOUNT_MAX)
		return ERR_LIMIT;
	if (m->folders + m->nmade >= m->folders_max)
		return ERR_QUOTA;
	ph_assert(m->nmade < FOLDER_MADE_MAX);
	if (e != NULL) /* it was subscribed already */
		row.flags |= e->row.flags;
	f->id = row.folder = store_new_id(m->store);
	f->uidvalidity = (uint32_t)m->uidvalidity[m->nmade];
	f->use = use;
	f->name.n = name.n;
	memcpy(f->name.p, name.p, name.n);
	m->nmade++;
	return name_row_put(t, m->account, name, &row);
}

static bool
exists(const struct folder_maker *m, struct slice name)
{
	const struct name_entry *e = name_row_find(m->v, m->n, name);

	return e != NULL && e->row.folder != 0;
}

int
folder_maker_parents(
    struct db_txn *t, struct folder_maker *m, struct slice name)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < name.n; i++)
		if (name.p[i] == '/' && !exists(m, slice_of(name.p, i)))
			rc = folder_maker_add(
			    t, m, slice_of(name.p, i), USE_NONE, 0);
	return rc;
}

/* The folder above the i-th new one; 0: none. */
static uint64_t
parent_of(const struct folder_maker *m, size_t i)
{
	struct slice up =
	    folder_name_parent(folder_name_slice(&m->made[i].name));
	const struct name_entry *e;

	if (up.n == 0)
		return 0;
	for (size_t k = 0; k < m->nmade; k++)
		if (slice_eq(folder_name_slice(&m->made[k].name), up))
			return m->made[k].id;
	e = name_row_find(m->v, m->n, up);
	return e != NULL ? e->row.folder : 0;
}

/* RFC 4314 4: a new folder has the rights of the one above it. */
static int
inherit(struct db_txn *t, const struct folder_maker *m)
{
	uint64_t up;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->nmade; i++)
		if ((up = parent_of(m, i)) != 0)
			rc = acl_row_inherit(t, m->account, up, m->made[i].id);
	return rc;
}

int
folder_maker_rows(struct db_txn *t, struct folder_maker *m)
{
	struct folder_row row = { .account = m->account };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->nmade; i++) {
		row.st.uidvalidity = m->made[i].uidvalidity;
		row.st.uidnext = row.st.recent_from = 1;
		row.st.highestmodseq = 1;
		rc = folder_row_put(t, m->made[i].id, &row);
	}
	return rc == 0 ? inherit(t, m) : rc;
}

bool
folder_maker_has_use(const struct folder_maker *m, enum folder_use use)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].row.use == use && m->v[i].row.folder != 0)
			return true;
	return false;
}

void
folder_maker_publish(const struct folder_maker *m)
{
	for (size_t i = 0; i < m->nmade; i++) {
		const struct folder_made *f = &m->made[i];

		note_folder_made(m->store, m->account, f->id, f->uidvalidity,
		    folder_name_slice(&f->name), f->use);
	}
	if (m->nmade > 0)
		change_folders(m->store, m->account);
}

/* folder_create() */

struct create {
	struct folder_maker m;
	struct folder_name name;
	enum folder_use use, given;
};

static int
create_txn(struct db_txn *t, void *arg)
{
	struct create *c = arg;
	struct slice name = folder_name_slice(&c->name);
	struct folder_maker *m = &c->m;
	int rc = folder_maker_begin(t, m, folder_name_levels(name));

	if (rc != 0)
		return rc;
	if (exists(m, name))
		return ERR_EXISTS;
	c->given = c->use;
	if (c->use != USE_NONE && folder_maker_has_use(m, c->use))
		return ERR_UNSUPPORTED;
	if (c->use == USE_NONE) {
		c->given = folder_name_use(name);
		if (folder_maker_has_use(m, c->given))
			c->given = USE_NONE;
	}
	rc = folder_maker_parents(t, m, name);
	if (rc == 0)
		rc = folder_maker_add(t, m, name, c->given, 0);
	return rc != 0 ? rc : folder_maker_rows(t, m);
}

static int
explain(struct err *e, int rc)
{
	switch (rc) {
	case 0: return 0;
	case ERR_EXISTS: return err_set(e, rc, "Folder exists already");
	case ERR_LIMIT:
	case ERR_QUOTA: return err_set(e, rc, "Too many folders");
	case ERR_UNSUPPORTED:
		return err_set(e, rc, "Another folder has this special use");
	default: return err_set(e, rc, "Temporary failure of the store");
	}
}

static void
fill_info(
    const struct create *c, struct slice name, struct folder_info *info_out)
{
	const struct folder_made *f = &c->m.made[c->m.nmade - 1];

	*info_out =
	    (struct folder_info){ .name = name, .id = f->id, .use = f->use };
	info_out->status.uidvalidity = f->uidvalidity;
	info_out->status.uidnext = info_out->status.recent_from = 1;
	info_out->status.highestmodseq = 1;
}

int
folder_create(struct store *s, uint64_t account, struct slice name,
    enum folder_use use, struct folder_info *info_out, struct err *e)
{
	struct create c = { .use = use };
	struct slice owner, rest;
	const char *why;
	int rc;

	if (!folder_name_fold(name, &c.name, &why))
		return err_set(e, ERR_INVALID, "%s", why);
	if (acl_is_others(folder_name_slice(&c.name), &owner, &rest))
		return err_set(e, ERR_INVALID, "%s", folder_name_taken);
	folder_maker_init(&c.m, s, account);
	rc = db_update(s->db, create_txn, &c);
	if (rc == 0) {
		folder_maker_publish(&c.m);
		if (info_out != NULL)
			fill_info(&c, name, info_out);
	}
	folder_maker_fini(&c.m);
	return explain(e, rc);
}

/* folder_create_defaults() */

static const struct {
	const char *name;
	enum folder_use use;
} defaults[] = {
	{ "INBOX", USE_NONE },
	{ "Drafts", USE_DRAFTS },
	{ "Sent", USE_SENT },
	{ "Junk", USE_JUNK },
	{ "Trash", USE_TRASH },
	{ "Archive", USE_ARCHIVE },
};

_Static_assert(PH_LEN(defaults) == FOLDER_DEFAULTS, "folder_make.h");

int
folder_maker_defaults(struct db_txn *t, struct folder_maker *m)
{
	int rc = 0;

	if (m->folders_max < FOLDER_DEFAULTS)
		m->folders_max = FOLDER_DEFAULTS;
	for (size_t i = 0; rc == 0 && i < PH_LEN(defaults); i++) {
		struct slice name = slice_str(defaults[i].name);
		enum folder_use use = defaults[i].use;

		if (exists(m, name) ||
		    (use != USE_NONE && folder_maker_has_use(m, use)))
			continue;
		rc = folder_maker_add(t, m, name, use, FOLDER_SUBSCRIBED);
	}
	return rc != 0 ? rc : folder_maker_rows(t, m);
}

static int
defaults_txn(struct db_txn *t, void *arg)
{
	int rc = folder_maker_begin(t, arg, FOLDER_DEFAULTS);

	return rc == 0 ? folder_maker_defaults(t, arg) : rc;
}

int
folder_create_defaults(struct store *s, uint64_t account)
{
	struct folder_maker m;
	int rc;

	folder_maker_init(&m, s, account);
	rc = db_update(s->db, defaults_txn, &m);
	if (rc == 0)
		folder_maker_publish(&m);
	folder_maker_fini(&m);
	return rc;
}
