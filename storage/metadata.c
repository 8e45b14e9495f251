#include "storage/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "storage/metadata_row.h"
#include "storage/change.h"
#include "storage/folder_row.h"
#include "storage/name_row.h"
#include "storage/note.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

static const struct slice scope_private = SLICE("/private");
static const struct slice scope_shared = SLICE("/shared");

/* RFC 5464 3.2 */
bool
metadata_name_ok(struct slice name)
{
	size_t scope;

	if (name.n == 0 || name.n > METADATA_NAME_MAX)
		return false;
	if (slice_istarts(name, scope_private))
		scope = scope_private.n;
	else if (slice_istarts(name, scope_shared))
		scope = scope_shared.n;
	else
		return false;
	if (name.n > scope && name.p[scope] != '/')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		if (c < 0x20 || c >= 0x7f || c == '*' || c == '%' ||
		    (c == '/' && (i + 1 == name.n || name.p[i + 1] == '/')))
			return false;
	}
	return true;
}

bool
metadata_is_private(struct slice name)
{
	return slice_istarts(name, scope_private);
}

static uint64_t
account_of(const struct metadata_at *at, struct slice name)
{
	return metadata_is_private(name) ? at->user : 0;
}

static struct slice
lower(struct arena *a, struct slice name)
{
	char *p = arena_bytes(a, name.n + 1);

	for (size_t i = 0; i < name.n; i++)
		p[i] = ascii_lower(name.p[i]);
	return slice_of(p, name.n);
}

/* metadata_get() */

struct reading {
	const struct metadata_at *at;
	struct slice name;
	unsigned depth;
	struct arena *a;
	struct metadata_list *l;
	size_t n; /* of the list, before */
};

static void
keep(struct reading *r, struct slice name, struct slice value)
{
	struct metadata_list *l = r->l;
	size_t cap = l->cap;

	if (l->n == cap) {
		struct metadata *v;

		l->cap = cap == 0 ? 16 : cap * 2;
		v = arena_alloc(r->a, l->cap * sizeof(*v));
		if (l->n > 0)
			memcpy(v, l->v, l->n * sizeof(*v));
		l->v = v;
	}
	l->v[l->n++] = (struct metadata){ arena_copy(r->a, name),
		arena_copy(r->a, value) };
}

static bool
deep_enough(const struct reading *r, struct slice name)
{
	unsigned levels = 0;

	for (size_t i = r->name.n; i < name.n; i++)
		levels += name.p[i] == '/';
	return levels <= r->depth;
}

/* What lies below: names that go on with '/'. */
static int
read_below(struct db_txn *t, struct reading *r)
{
	char from[METADATA_NAME_MAX], to[METADATA_NAME_MAX];
	size_t n = r->name.n;
	struct metadata_scan m;
	int rc;

	if (r->depth == 0 || n >= METADATA_NAME_MAX)
		return 0;
	memcpy(from, r->name.p, n);
	memcpy(to, r->name.p, n);
	from[n] = '/';
	to[n] = '/' + 1;
	rc = metadata_scan_init(t, r->at->folder, account_of(r->at, r->name),
	    slice_of(from, n + 1), slice_of(to, n + 1), false, &m);
	while (rc == 0 && (rc = metadata_scan_next(&m)) == 0)
		if (deep_enough(r, m.name))
			keep(r, m.name, m.value);
	metadata_scan_fini(&m);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
get_txn(struct db_txn *t, void *arg)
{
	struct reading *r = arg;
	struct buf b;
	int rc;

	r->l->n = r->n;
	buf_init(&b, METADATA_VALUE_MAX + CHUNK_BYTES);
	rc = metadata_row_get(
	    t, r->at->folder, account_of(r->at, r->name), r->name, &b);
	if (rc == 0)
		keep(r, r->name, b.p != NULL ? buf_slice(&b) : SLICE(""));
	buf_fini(&b);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	return read_below(t, r);
}

int
metadata_get(struct store *s, const struct metadata_at *at, struct slice name,
    unsigned depth, struct arena *a, struct metadata_list *l)
{
	struct reading r = { .at = at,
		.name = lower(a, name),
		.depth = depth,
		.a = a,
		.l = l,
		.n = l->n };

	return db_read(s->db, get_txn, &r);
}

/* metadata_set() */

struct setting {
	const struct metadata_at *at;
	const struct metadata *v; /* names in lower case */
	size_t n;
	struct metadata_use *use;
	struct folder_name name;
	/* results of the last run */
	uint64_t lost_id;
	struct folder_row row, lost_row;
};

/* RFC 6154 4: a use moves from the folder that has it. */
static int
move_use(struct db_txn *t, struct setting *w)
{
	struct slice name = folder_name_slice(&w->name);
	struct metadata_use *use = w->use;
	struct name_entry *v, *e;
	struct arena a;
	size_t n = 0;
	int rc;

	use->lost_n = 0;
	w->lost_id = 0;
	arena_init(&a);
	rc = name_row_list(t, w->at->owner, &a, &v, &n);
	e = rc == 0 ? name_row_find(v, n, name) : NULL;
	if (rc == 0 && (e == NULL || e->row.folder != w->at->folder))
		rc = ERR_NOTFOUND;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (use->use == USE_NONE || v[i].row.use != use->use ||
		    &v[i] == e)
			continue;
		v[i].row.use = USE_NONE;
		w->lost_id = v[i].row.folder;
		use->lost_n = v[i].name.n;
		memcpy(use->lost, v[i].name.p, v[i].name.n);
		rc = name_row_put(t, w->at->owner, v[i].name, &v[i].row);
	}
	if (rc == 0) {
		e->row.use = use->use;
		rc = name_row_put(t, w->at->owner, name, &e->row);
	}
	arena_clear(&a);
	return rc;
}

static int
count(struct db_txn *t, uint64_t folder, uint64_t account, size_t *out)
{
	struct metadata_scan m;
	int rc = metadata_scan_init(
	    t, folder, account, SLICE(""), slice_of(NULL, 0), false, &m);

	*out = 0;
	while (rc == 0 && (rc = metadata_scan_next(&m)) == 0)
		++*out;
	metadata_scan_fini(&m);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* One entry; *bytes: what it adds. */
static int
set_one(struct db_txn *t, const struct setting *w, const struct metadata *m,
    int64_t *bytes)
{
	uint64_t account = account_of(w->at, m->name);
	size_t old = SIZE_MAX, n;
	struct buf b;
	int rc;

	buf_init(&b, METADATA_VALUE_MAX + CHUNK_BYTES);
	rc = metadata_row_get(t, w->at->folder, account, m->name, &b);
	if (rc == 0)
		old = buf_len(&b);
	buf_fini(&b);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	*bytes = old == SIZE_MAX ? 0 : -(int64_t)(m->name.n + old);
	if (m->value.p == NULL)
		return old == SIZE_MAX ? 0
				       : metadata_row_del(t, w->at->folder,
					     account, m->name, old);
	if (old == SIZE_MAX) {
		rc = count(t, w->at->folder, account, &n);
		if (rc == 0 && n >= METADATA_ENTRIES_MAX)
			rc = ERR_LIMIT;
		if (rc != 0)
			return rc;
	}
	*bytes += (int64_t)(m->name.n + m->value.n);
	return metadata_row_put(
	    t, w->at->folder, account, m->name, m->value, old);
}

/* What came is charged to whose it is. */
static int
charge(struct db_txn *t, uint64_t account, int64_t bytes)
{
	uint64_t now;
	int rc;

	if (bytes == 0)
		return 0;
	rc = metadata_row_charge(t, account, bytes, &now);
	return rc == 0 && bytes > 0 && now > METADATA_TOTAL_MAX ? ERR_QUOTA
								: rc;
}

static int
set_txn(struct db_txn *t, void *arg)
{
	struct setting *w = arg;
	int64_t own = 0, shared = 0, bytes;
	int rc = 0;

	if (w->use != NULL)
		rc = move_use(t, w);
	if (rc == 0 && w->at->folder != 0)
		rc = folder_row_get(t, w->at->folder, true, &w->row);
	if (rc == 0 && w->at->folder != 0 && w->row.account != w->at->owner)
		rc = ERR_NOTFOUND;
	if (rc == 0 && w->use != NULL && w->lost_id != 0)
		rc = folder_row_get(t, w->lost_id, false, &w->lost_row);
	for (size_t i = 0; rc == 0 && i < w->n; i++) {
		rc = set_one(t, w, &w->v[i], &bytes);
		if (rc == 0 && metadata_is_private(w->v[i].name))
			own += bytes;
		else if (rc == 0)
			shared += bytes;
	}
	if (rc == 0)
		rc = charge(t, w->at->user, own);
	return rc == 0 ? charge(t, w->at->owner, shared) : rc;
}

static void
publish(struct store *s, const struct setting *w)
{
	const struct metadata_use *use = w->use;

	for (size_t i = 0; i < w->n; i++)
		change_metadata(s,
		    metadata_is_private(w->v[i].name) ? w->at->user
						      : w->at->owner,
		    w->at->folder, w->v[i].name);
	if (use == NULL)
		return;
	if (use->lost_n != 0)
		note_folder_made(s, w->at->owner, w->lost_id,
		    w->lost_row.st.uidvalidity,
		    slice_of(use->lost, use->lost_n), USE_NONE);
	note_folder_made(s, w->at->owner, w->at->folder, w->row.st.uidvalidity,
	    folder_name_slice(&w->name), use->use);
	change_metadata(
	    s, w->at->owner, w->at->folder, SLICE("/private/specialuse"));
	change_folders(s, w->at->owner);
}

int
metadata_set(struct store *s, const struct metadata_at *at,
    const struct metadata *v, size_t n, struct metadata_use *use)
{
	struct setting w = { .at = at, .n = n, .use = use };
	struct metadata *low;
	struct arena a;
	const char *why;
	int rc;

	if (use != NULL && !folder_name_fold(use->name, &w.name, &why))
		return ERR_NOTFOUND;
	arena_init(&a);
	low = arena_alloc(&a, n * sizeof(*low) + 1);
	for (size_t i = 0; i < n; i++)
		low[i] = (struct metadata){ lower(&a, v[i].name), v[i].value };
	w.v = low;
	rc = db_update(s->db, set_txn, &w);
	if (rc == 0)
		publish(s, &w);
	arena_clear(&a);
	return rc;
}

/* metadata_copy(), metadata_purge_account() */

struct whole {
	uint64_t owner, from, to, account;
};

static int
copy_one(struct db_txn *t, const struct whole *w, uint64_t account,
    const struct metadata *m)
{
	uint64_t now;
	int rc =
	    metadata_row_put(t, w->to, account, m->name, m->value, SIZE_MAX);

	return rc != 0
		   ? rc
		   : metadata_row_charge(t, account != 0 ? account : w->owner,
			 (int64_t)(m->name.n + m->value.n), &now);
}

static int
copy_txn(struct db_txn *t, void *arg)
{
	const struct whole *w = arg;
	struct reading r = { 0 };
	struct metadata_list l = { 0 };
	struct metadata_scan m;
	struct arena a;
	uint64_t *accounts = NULL;
	size_t cap = 0;
	int rc;

	arena_init(&a);
	r.a = &a;
	r.l = &l;
	rc = metadata_scan_init(t, w->from, 0, SLICE(""), SLICE(""), true, &m);
	while (rc == 0 && (rc = metadata_scan_next(&m)) == 0) {
		accounts = mem_grow(accounts, &cap, l.n, sizeof(*accounts));
		accounts[l.n] = m.account;
		keep(&r, m.name, m.value);
	}
	metadata_scan_fini(&m);
	if (rc == ERR_NOTFOUND)
		rc = 0;
	for (size_t i = 0; rc == 0 && i < l.n; i++)
		rc = copy_one(t, w, accounts[i], &l.v[i]);
	free(accounts);
	arena_clear(&a);
	return rc;
}

int
metadata_copy(struct store *s, uint64_t owner, uint64_t from, uint64_t to)
{
	struct whole w = { .owner = owner, .from = from, .to = to };

	return db_update(s->db, copy_txn, &w);
}

static int
purge_txn(struct db_txn *t, void *arg)
{
	const struct whole *w = arg;
	struct reading r = { 0 };
	struct metadata_list l = { 0 };
	struct metadata_scan m;
	struct arena a;
	uint64_t now;
	int rc;

	arena_init(&a);
	r.a = &a;
	r.l = &l;
	rc = metadata_scan_init(
	    t, 0, w->account, SLICE(""), slice_of(NULL, 0), false, &m);
	while (rc == 0 && (rc = metadata_scan_next(&m)) == 0)
		keep(&r, m.name, m.value);
	metadata_scan_fini(&m);
	if (rc == ERR_NOTFOUND)
		rc = 0;
	for (size_t i = 0; rc == 0 && i < l.n; i++)
		rc = metadata_row_del(
		    t, 0, w->account, l.v[i].name, l.v[i].value.n);
	if (rc == 0) /* of others' folders, too: he is charged no more */
		rc = metadata_row_charge(t, w->account, INT64_MIN + 1, &now);
	arena_clear(&a);
	return rc;
}

int
metadata_purge_account(struct store *s, uint64_t account)
{
	struct whole w = { .account = account };

	return account == 0 ? 0 : db_update(s->db, purge_txn, &w);
}
