#include "storage/doubles.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "storage/acl.h"
#include "storage/folder_name.h"
#include "storage/metadata.h"
#include "storage/msg.h"
#include "storage/view.h"

enum { PASSES_MAX = 50, BATCH = 10000 };

struct search {
	struct store *s;
	uint64_t account;
	struct arena *a;
	struct folder_info *v;
	size_t n;
	struct double_folder *out;
	size_t nout;
};

static int
is_shared(struct search *x, uint64_t folder, bool *shared_out)
{
	struct acl_entry *v;
	size_t n;
	int rc = acl_get(x->s, folder, x->a, &v, &n);

	*shared_out = n != 0;
	return rc;
}

/* Has it no role, and a name that is usual for this one? */
static bool
might(const struct folder_info *f, enum folder_use use)
{
	return f->id != 0 && !(f->flags & FOLDER_NOSELECT) &&
	       f->use == USE_NONE && folder_name_use(f->name) == use;
}

/* The folder that has the role, else the fullest that might; NULL: none. */
static const struct folder_info *
target_of(const struct search *x, enum folder_use use)
{
	const struct folder_info *best = NULL;

	for (size_t i = 0; i < x->n; i++)
		if (x->v[i].use == use && x->v[i].id != 0)
			return &x->v[i];
	for (size_t i = 0; i < x->n; i++)
		if (might(&x->v[i], use) &&
		    (best == NULL ||
			x->v[i].status.messages > best->status.messages))
			best = &x->v[i];
	return best;
}

static int
add(struct search *x, const struct folder_info *f,
    const struct folder_info *into, enum folder_use use)
{
	struct double_folder *d = &x->out[x->nout++];

	*d = (struct double_folder){ .name = f->name,
		.id = f->id,
		.use = use,
		.into = into->name,
		.into_id = into->id,
		.messages = f->status.messages,
		.bytes = f->status.bytes,
		.subscribed = (f->flags & FOLDER_SUBSCRIBED) != 0,
		.into_subscribed = (into->flags & FOLDER_SUBSCRIBED) != 0 };
	return is_shared(x, f->id, &d->shared);
}

static int
find_role(struct search *x, enum folder_use use)
{
	const struct folder_info *into = target_of(x, use);
	int rc = 0;

	if (into != NULL && into->use == USE_NONE)
		rc = add(x, into, into, use);
	for (size_t i = 0; into != NULL && rc == 0 && i < x->n; i++)
		if (&x->v[i] != into && might(&x->v[i], use))
			rc = add(x, &x->v[i], into, use);
	return rc;
}

int
doubles_find(struct store *s, uint64_t account, struct arena *a,
    struct double_folder **v_out, size_t *n_out)
{
	static const enum folder_use roles[] = { USE_DRAFTS, USE_SENT,
		USE_TRASH, USE_JUNK, USE_ARCHIVE };
	struct search x = { .s = s, .account = account, .a = a };
	int rc = folder_list(s, account, true, a, &x.v, &x.n);

	*v_out = NULL;
	*n_out = 0;
	if (rc != 0)
		return rc;
	x.out = arena_alloc(a, (x.n + 1) * sizeof(*x.out));
	for (size_t i = 0; rc == 0 && i < PH_LEN(roles); i++)
		rc = find_role(&x, roles[i]);
	*v_out = x.out;
	*n_out = x.nout;
	return rc;
}

/* What is there now; *left_out: how many there were. */
static int
move_pass(struct store *s, uint64_t account, const struct double_folder *d,
    size_t *left_out)
{
	struct msg_copied done = { 0 };
	struct view *view;
	uint32_t *uids;
	int rc = view_open(s, account, d->id, true, &view);

	if (rc != 0)
		return rc;
	uids = xmalloc(BATCH * sizeof(*uids));
	*left_out = view_uids(view, 1, uids, BATCH);
	view_close(&view);
	if (*left_out != 0)
		rc = msg_copy(s, account, d->id, uids, *left_out, account,
		    d->into_id, MSG_MOVE, &done);
	msg_copied_fini(&done);
	free(uids);
	return rc;
}

static int
move_messages(struct store *s, uint64_t account, const struct double_folder *d)
{
	size_t left = d->messages, passes = left / BATCH + PASSES_MAX;
	int rc = 0;

	for (left = 1; rc == 0 && left != 0; passes--) {
		if (passes == 0)
			return ERR_BUSY;
		rc = move_pass(s, account, d, &left);
	}
	return rc;
}

/* "Gesendet/2019" becomes "Sent/2019", with all below it. */
static int
move_child(struct store *s, uint64_t account, const struct double_folder *d,
    struct slice child)
{
	struct buf to;
	struct err e;
	int rc;

	buf_init(&to, FOLDER_NAME_MAX);
	buf_add_slice(&to, d->into);
	buf_add_slice(&to, slice_from(child, d->name.n));
	rc = buf_failed(&to)
		 ? ERR_INVALID
		 : folder_rename(s, account, child, buf_slice(&to), &e);
	buf_fini(&to);
	/* What cannot go there stays, and so does the folder above it. */
	return rc == ERR_EXISTS || rc == ERR_INVALID || rc == ERR_NOTFOUND ? 0
									   : rc;
}

static int
move_children(struct store *s, uint64_t account, const struct double_folder *d)
{
	struct folder_info *v;
	struct arena a;
	size_t n;
	int rc;

	arena_init(&a);
	rc = folder_list(s, account, false, &a, &v, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (slice_eq(folder_name_parent(v[i].name), d->name))
			rc = move_child(s, account, d, v[i].name);
	arena_clear(&a);
	return rc;
}

static int
give_role(struct store *s, uint64_t account, const struct double_folder *d)
{
	const struct metadata_at at = {
		.folder = d->id, .owner = account, .user = account
	};
	struct metadata_use use = { .name = d->name, .use = d->use };

	return metadata_set(s, &at, NULL, 0, &use);
}

int
doubles_merge(struct store *s, uint64_t account, const struct double_folder *d)
{
	struct err e;
	int rc;

	if (d->id == d->into_id)
		return give_role(s, account, d);
	if (d->shared)
		return ERR_DENIED;
	if (folder_name_below(d->into, d->name))
		return ERR_CONFLICT;
	if ((rc = move_messages(s, account, d)) != 0 ||
	    (rc = move_children(s, account, d)) != 0)
		return rc;
	if (d->subscribed && !d->into_subscribed)
		rc = folder_subscribe(s, account, d->into, true, &e);
	if (rc == 0)
		rc = folder_delete_empty(s, account, d->name, &e);
	/* Else it outlives the folder (RFC 9051 6.3.9). */
	if (rc == 0 && d->subscribed)
		rc = folder_subscribe(s, account, d->name, false, &e);
	return rc;
}
