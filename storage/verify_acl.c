/*
 * Invariant 10: lists of rights, the folders they make shared, annotations.
 */
#include <string.h>

#include "lib/base/num.h"
#include "storage/account_row.h"
#include "storage/folder_row.h"
#include "storage/names.h"
#include "storage/tables.h"
#include "storage/verify_priv.h"

enum { ID = 8, FORMAT = 1, SHARED_TAIL = 1 + 2 * ID };

/* The rows of one folder in acl, while they are walked. */
struct list {
	uint64_t folder; /* 0: none yet */
	size_t entries;
	char package[NAMES_PACKAGE_MAX];
	size_t package_n; /* 0: no such row */
};

struct look {
	struct verify *v;
	struct db_txn *t;
	struct list list;
	uint64_t annotated; /* the folder looked at last */
};

static int
each(struct look *l, unsigned table,
    int (*fn)(struct look *l, struct slice key, struct slice value))
{
	struct slice all = { NULL, 0 }, key, value;
	struct db_scan *scan = NULL;
	int rc = db_scan_init(l->t, table, all, all, &scan);

	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0)
		rc = fn(l, key, value);
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Is the folder there, whose is it, and of which package is he? */
static int
owner_of(struct look *l, uint64_t folder, struct arena *a,
    struct folder_row *row, struct account_row *ac)
{
	int rc = folder_row_get(l->t, folder, false, row);

	if (rc == 0)
		rc = account_row_get_id(l->t, row->account, false, a, ac);
	return rc;
}

static bool
has_shared(struct look *l, struct slice package, uint64_t owner,
    uint64_t folder, int *rc_out)
{
	char key[NAMES_PACKAGE_MAX + SHARED_TAIL], value[16];
	size_t n;

	memcpy(key, package.p, package.n);
	key[package.n] = '\0';
	num_put64(key + package.n + 1, owner);
	num_put64(key + package.n + 1 + ID, folder);
	*rc_out = db_get(l->t, T_SHARED, slice_of(key, package.n + SHARED_TAIL),
	    value, sizeof(value), &n);
	if (*rc_out != ERR_NOTFOUND)
		return true;
	*rc_out = 0;
	return false;
}

/* All rows of a folder have been seen. */
static int
end_list(struct look *l)
{
	const struct list *x = &l->list;
	unsigned long long folder = x->folder;
	struct slice package = slice_of(x->package, x->package_n);
	struct folder_row row;
	struct account_row ac;
	struct arena a;
	int rc;

	if (x->folder == 0)
		return 0;
	if (x->entries == 0 || x->package_n == 0)
		verify_breach(l->v, "10 acl: folder %llu has %zu entries, %s",
		    folder, x->entries,
		    x->package_n != 0 ? "and a package" : "no package");
	arena_init(&a);
	rc = owner_of(l, x->folder, &a, &row, &ac);
	if (rc == ERR_NOTFOUND) {
		rc = 0;
		verify_breach(l->v, "10 acl: folder %llu is not there", folder);
	} else if (rc == 0 && !slice_eq(ac.ac.package, package))
		verify_breach(
		    l->v, "10 acl: folder %llu, another package", folder);
	else if (rc == 0 &&
		 !has_shared(l, package, row.account, x->folder, &rc))
		verify_breach(
		    l->v, "10 shared: folder %llu is missing", folder);
	arena_clear(&a);
	return rc;
}

static int
on_acl(struct look *l, struct slice key, struct slice value)
{
	struct list *x = &l->list;
	uint64_t folder;
	int rc = 0;

	if (key.n < ID || value.n < 1 || value.p[0] != FORMAT ||
	    (key.n == ID && value.n - 1 > sizeof(x->package))) {
		verify_breach(l->v, "10 acl: a damaged row");
		return 0;
	}
	folder = num_get64(key.p);
	if (folder != x->folder) {
		rc = end_list(l);
		*x = (struct list){ .folder = folder };
	}
	if (key.n > ID) {
		x->entries++;
	} else {
		x->package_n = value.n - 1;
		memcpy(x->package, value.p + 1, x->package_n);
	}
	return rc;
}

/* The way back: acl says the same package. */
static int
on_shared(struct look *l, struct slice key, struct slice value)
{
	size_t at = slice_chr(key, '\0');
	char id[ID], says[1 + NAMES_PACKAGE_MAX];
	uint64_t folder;
	size_t n;
	int rc;

	if (key.n != at + SHARED_TAIL || value.n < 1 || value.p[0] != FORMAT) {
		verify_breach(l->v, "10 shared: a damaged row");
		return 0;
	}
	folder = num_get64(key.p + at + 1 + ID);
	num_put64(id, folder);
	rc = db_get(l->t, T_ACL, slice_of(id, ID), says, sizeof(says), &n);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	if (rc == ERR_NOTFOUND || n < 1 ||
	    !slice_eq(slice_of(says + 1, n - 1), slice_sub(key, 0, at)))
		verify_breach(l->v, "10 shared: folder %llu has no entries",
		    (unsigned long long)folder);
	return 0;
}

/* Annotations end with their folder; 0 is the server, the last the sums. */
static int
on_metadata(struct look *l, struct slice key, struct slice value)
{
	struct folder_row row;
	uint64_t folder = key.n >= ID ? num_get64(key.p) : 0;
	int rc;

	(void)value;
	if (folder == 0 || folder == UINT64_MAX || folder == l->annotated)
		return 0;
	l->annotated = folder;
	rc = folder_row_get(l->t, folder, false, &row);
	if (rc != ERR_NOTFOUND)
		return rc;
	verify_breach(l->v, "10 metadata: folder %llu is not there",
	    (unsigned long long)folder);
	return 0;
}

int
verify_acl(struct db_txn *t, struct verify *v)
{
	struct look l = { .v = v, .t = t };
	int rc;

	if ((rc = each(&l, T_ACL, on_acl)) == 0 && (rc = end_list(&l)) == 0 &&
	    (rc = each(&l, T_SHARED, on_shared)) == 0)
		rc = each(&l, T_METADATA, on_metadata);
	return rc;
}
