#include "storage/acl_row.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/names.h"
#include "storage/tables.h"

enum {
	FORMAT = 1,
	WHO_MAX = NAMES_ACCOUNT_MAX + 1, /* with a dash */
	ACL_KEY = 8 + WHO_MAX,
	ACL_VALUE = 5,
	SHARED_KEY = NAMES_PACKAGE_MAX + 1 + 16
};

static struct slice
acl_key(char key[ACL_KEY], uint64_t folder, struct slice who)
{
	ph_assert(who.n <= WHO_MAX);
	num_put64(key, folder);
	if (who.n != 0)
		memcpy(key + 8, who.p, who.n);
	return slice_of(key, 8 + who.n);
}

static struct slice
shared_key(char key[SHARED_KEY], struct slice package, uint64_t account,
    uint64_t folder)
{
	ph_assert(package.n <= NAMES_PACKAGE_MAX);
	if (package.n != 0)
		memcpy(key, package.p, package.n);
	key[package.n] = '\0';
	num_put64(key + package.n + 1, account);
	num_put64(key + package.n + 9, folder);
	return slice_of(key, package.n + 17);
}

/* An entry, or (who empty) the package; false: damaged. */
static bool
take(struct slice key, struct slice value, struct arena *a, struct acl_entry *e)
{
	if (key.n < 8 || value.n < 1 || value.p[0] != FORMAT)
		return false;
	e->who = arena_copy(a, slice_from(key, 8));
	e->rights = 0;
	if (e->who.n == 0)
		return true;
	if (value.n != ACL_VALUE)
		return false;
	e->rights = num_get32(value.p + 1) & RIGHTS_ALL;
	return true;
}

int
acl_row_list(struct db_txn *t, uint64_t folder, struct arena *a,
    struct acl_entry **v_out, size_t *n_out)
{
	char from[ACL_KEY], to[ACL_KEY];
	struct acl_entry *v = NULL;
	struct db_scan *scan = NULL;
	struct slice key, value;
	size_t n = 0, cap = 0;
	int rc;

	rc = db_scan_init(t, T_ACL, acl_key(from, folder, SLICE("")),
	    acl_key(to, folder + 1, SLICE("")), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		v = mem_grow(v, &cap, n, sizeof(*v));
		if (!take(key, value, a, &v[n]))
			rc = ERR_CORRUPT;
		else if (v[n].who.n != 0)
			n++;
	}
	db_scan_fini(&scan);
	*v_out = arena_alloc(a, n * sizeof(*v) + 1);
	if (n > 0)
		memcpy(*v_out, v, n * sizeof(*v));
	*n_out = n;
	free(v);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* The package a shared folder is listed under; ERR_NOTFOUND: it has no
 * entries. */
static int
package_of(struct db_txn *t, uint64_t folder, char name[NAMES_PACKAGE_MAX],
    struct slice *out)
{
	char key[ACL_KEY], value[1 + NAMES_PACKAGE_MAX];
	size_t n;
	int rc = db_get_rmw(t, T_ACL, acl_key(key, folder, SLICE("")), value,
	    sizeof(value), &n);

	if (rc != 0)
		return rc;
	if (n < 1 || value[0] != FORMAT)
		return ERR_CORRUPT;
	memcpy(name, value + 1, n - 1);
	*out = slice_of(name, n - 1);
	return 0;
}

static int
begin_sharing(
    struct db_txn *t, struct slice package, uint64_t account, uint64_t folder)
{
	char key[ACL_KEY], shared[SHARED_KEY], value[1 + NAMES_PACKAGE_MAX];
	int rc;

	ph_assert(package.n <= NAMES_PACKAGE_MAX);
	value[0] = FORMAT;
	memcpy(value + 1, package.p, package.n);
	rc = db_put(t, T_ACL, acl_key(key, folder, SLICE("")),
	    slice_of(value, 1 + package.n));
	if (rc == 0)
		rc = db_put(t, T_SHARED,
		    shared_key(shared, package, account, folder),
		    slice_of(value, 1));
	return rc;
}

static int
end_sharing(
    struct db_txn *t, struct slice package, uint64_t account, uint64_t folder)
{
	char key[ACL_KEY], shared[SHARED_KEY];
	int rc = db_del(t, T_ACL, acl_key(key, folder, SLICE("")));

	if (rc == 0)
		rc = db_del(
		    t, T_SHARED, shared_key(shared, package, account, folder));
	return rc;
}

int
acl_row_put(struct db_txn *t, struct slice package, uint64_t account,
    uint64_t folder, const struct acl_entry *e)
{
	char key[ACL_KEY], value[ACL_VALUE], name[NAMES_PACKAGE_MAX];
	struct slice is;
	int rc = package_of(t, folder, name, &is);

	if (rc == ERR_NOTFOUND)
		rc = begin_sharing(t, package, account, folder);
	if (rc != 0)
		return rc;
	value[0] = FORMAT;
	num_put32(value + 1, e->rights);
	return db_put(t, T_ACL, acl_key(key, folder, e->who),
	    slice_of(value, sizeof(value)));
}

int
acl_row_del(
    struct db_txn *t, uint64_t account, uint64_t folder, struct slice who)
{
	char key[ACL_KEY], name[NAMES_PACKAGE_MAX];
	struct acl_entry *v;
	struct slice package;
	struct arena a;
	size_t n = 0;
	int rc = package_of(t, folder, name, &package);

	if (rc == 0)
		rc = db_del(t, T_ACL, acl_key(key, folder, who));
	if (rc != 0)
		return rc;
	arena_init(&a);
	rc = acl_row_list(t, folder, &a, &v, &n);
	arena_clear(&a);
	if (rc == 0 && n == 0)
		rc = end_sharing(t, package, account, folder);
	return rc;
}

int
acl_row_drop(struct db_txn *t, uint64_t account, uint64_t folder)
{
	char key[ACL_KEY], name[NAMES_PACKAGE_MAX];
	struct acl_entry *v;
	struct slice package;
	struct arena a;
	size_t n = 0;
	int rc = package_of(t, folder, name, &package);

	if (rc != 0)
		return rc == ERR_NOTFOUND ? 0 : rc;
	arena_init(&a);
	rc = acl_row_list(t, folder, &a, &v, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = db_del(t, T_ACL, acl_key(key, folder, v[i].who));
	arena_clear(&a);
	return rc == 0 ? end_sharing(t, package, account, folder) : rc;
}

int
acl_row_inherit(struct db_txn *t, uint64_t account, uint64_t from, uint64_t to)
{
	char name[NAMES_PACKAGE_MAX];
	struct acl_entry *v;
	struct slice package;
	struct arena a;
	size_t n = 0;
	int rc = package_of(t, from, name, &package);

	if (rc != 0)
		return rc == ERR_NOTFOUND ? 0 : rc;
	arena_init(&a);
	rc = acl_row_list(t, from, &a, &v, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = acl_row_put(t, package, account, to, &v[i]);
	arena_clear(&a);
	return rc;
}

int
acl_row_shared(struct db_txn *t, struct slice package, struct arena *a,
    struct acl_shared **v_out, size_t *n_out)
{
	char from[SHARED_KEY], to[SHARED_KEY];
	struct acl_shared *v = NULL;
	struct db_scan *scan = NULL;
	struct slice key, value;
	size_t n = 0, cap = 0;
	int rc;

	(void)shared_key(from, package, 0, 0);
	(void)shared_key(to, package, 0, 0);
	to[package.n] = '\1';
	rc = db_scan_init(t, T_SHARED, slice_of(from, package.n + 1),
	    slice_of(to, package.n + 1), &scan);
	while (rc == 0 && n < ACL_SHARED_MAX &&
	       (rc = db_scan_next(scan, &key, &value)) == 0) {
		v = mem_grow(v, &cap, n, sizeof(*v));
		if (key.n != package.n + 17)
			rc = ERR_CORRUPT;
		else
			v[n++] = (struct acl_shared){ num_get64(key.p +
								package.n + 1),
				num_get64(key.p + package.n + 9) };
	}
	db_scan_fini(&scan);
	*v_out = arena_alloc(a, n * sizeof(*v) + 1);
	if (n > 0)
		memcpy(*v_out, v, n * sizeof(*v));
	*n_out = n;
	free(v);
	return rc == ERR_NOTFOUND ? 0 : rc;
}
