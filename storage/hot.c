#include "storage/hot.h"

#include <string.h>

#include "lib/base/num.h"
#include "lib/db/db_many.h"
#include "storage/tables.h"

enum { FORMAT = 1 };

void
hot_key(uint8_t key[HOT_KEY], uint64_t folder, uint32_t run)
{
	num_put64(key, folder);
	num_put32(key + 8, run);
}

uint32_t
hot_lower(const uint8_t *bytes, uint32_t n, uint32_t uid)
{
	uint32_t lo = 0;

	while (lo < n) {
		uint32_t mid = (lo + n) / 2;

		if (hot_uid(bytes, mid) < uid)
			lo = mid + 1;
		else
			n = mid;
	}
	return lo;
}

int
hot_decode(struct slice value, uint32_t run, struct slice *packed_out)
{
	const uint8_t *p = (const uint8_t *)value.p + 1;
	uint32_t last = 0;
	size_t n;

	if (value.n < 1 + HOT_ENTRY || value.n > 1 + HOT_RUN_BYTES ||
	    (value.n - 1) % HOT_ENTRY != 0 || value.p[0] != FORMAT)
		return ERR_CORRUPT;
	n = (value.n - 1) / HOT_ENTRY;
	for (size_t i = 0; i < n; i++) {
		uint32_t uid = hot_uid(p, (uint32_t)i);

		if (uid <= last || hot_run_of(uid) != run)
			return ERR_CORRUPT;
		last = uid;
	}
	*packed_out = slice_of(p, value.n - 1);
	return 0;
}

/* What reading a run came to; one that is not there is empty. */
static int
unpack(int rc, struct slice value, uint32_t run, struct hot_run *out)
{
	struct slice packed;

	out->n = 0;
	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc == 0)
		rc = hot_decode(value, run, &packed);
	if (rc != 0)
		return rc;
	memcpy(out->bytes, packed.p, packed.n);
	out->n = (uint32_t)(packed.n / HOT_ENTRY);
	return 0;
}

int
hot_load(struct db_txn *t, uint64_t folder, uint32_t run, bool rmw,
    struct hot_run *out)
{
	uint8_t key[HOT_KEY], value[1 + HOT_RUN_BYTES];
	struct slice k = slice_of(key, sizeof(key));
	size_t n = 0;
	int rc;

	hot_key(key, folder, run);
	if (rmw)
		rc = db_get_rmw(t, T_HOT, k, value, sizeof(value), &n);
	else
		rc = db_get(t, T_HOT, k, value, sizeof(value), &n);
	return unpack(rc, slice_of(value, n), run, out);
}

int
hot_load_at(
    struct db_edit *e, uint64_t folder, uint32_t run, struct hot_run *out)
{
	uint8_t key[HOT_KEY], value[1 + HOT_RUN_BYTES];
	size_t n = 0;
	int rc;

	hot_key(key, folder, run);
	rc = db_edit_seek(
	    e, slice_of(key, sizeof(key)), value, sizeof(value), &n);
	return unpack(rc, slice_of(value, n), run, out);
}

static struct slice
encode(uint8_t value[1 + HOT_RUN_BYTES], const struct hot_run *r)
{
	size_t n = (size_t)r->n * HOT_ENTRY;

	value[0] = FORMAT;
	memcpy(value + 1, r->bytes, n);
	return slice_of(value, n + 1);
}

int
hot_resave(struct db_edit *e, const struct hot_run *r)
{
	uint8_t value[1 + HOT_RUN_BYTES];

	return db_edit_put(e, encode(value, r));
}

int
hot_save(
    struct db_txn *t, uint64_t folder, uint32_t run, const struct hot_run *r)
{
	uint8_t key[HOT_KEY], value[1 + HOT_RUN_BYTES];
	int rc;

	hot_key(key, folder, run);
	if (r->n == 0) {
		rc = db_del(t, T_HOT, slice_of(key, sizeof(key)));
		return rc == ERR_NOTFOUND ? 0 : rc;
	}
	return db_put(t, T_HOT, slice_of(key, sizeof(key)), encode(value, r));
}

static int
add_run(
    struct db_edit *at, uint64_t folder, uint32_t run, const struct hot_run *r)
{
	uint8_t key[HOT_KEY], value[1 + HOT_RUN_BYTES];

	hot_key(key, folder, run);
	return db_edit_insert(at, slice_of(key, sizeof(key)), encode(value, r));
}

int
hot_append_at(
    struct db_edit *at, uint64_t folder, const struct hot_entry *e, size_t n)
{
	struct hot_run r;
	size_t i = 0;
	bool fresh;
	int rc;

	while (i < n) {
		uint32_t run = hot_run_of(e[i].uid);

		if ((rc = hot_load_at(at, folder, run, &r)) != 0)
			return rc;
		fresh = r.n == 0;
		for (; i < n && hot_run_of(e[i].uid) == run; i++) {
			if (r.n == HOT_RUN ||
			    (r.n > 0 && hot_uid(r.bytes, r.n - 1) >= e[i].uid))
				return ERR_CORRUPT;
			hot_set(r.bytes, r.n++, &e[i]);
		}
		rc = fresh ? add_run(at, folder, run, &r) : hot_resave(at, &r);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int
hot_append(
    struct db_txn *t, uint64_t folder, const struct hot_entry *e, size_t n)
{
	struct db_edit *at;
	int rc = db_edit_init(t, T_HOT, DB_NEAR, &at);

	if (rc == 0)
		rc = hot_append_at(at, folder, e, n);
	db_edit_fini(&at);
	return rc;
}
