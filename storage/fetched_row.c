#include "storage/fetched_row.h"

#include <string.h>

#include "lib/base/num.h"
#include "storage/tables.h"

enum { FORMAT = 1, DEVICE_VALUE = 17, FETCHED_VALUE = 1 + 4 * HOT_RUN };

static struct slice
device_key(uint8_t key[DEVICE_KEY], uint64_t account, uint32_t secret)
{
	num_put64(key, account);
	num_put32(key + 8, secret);
	return slice_of(key, DEVICE_KEY);
}

static int
device_decode(struct slice value, struct device *d)
{
	if (value.n < DEVICE_VALUE || value.p[0] != FORMAT)
		return ERR_CORRUPT;
	d->first = (int64_t)num_get64(value.p + 1);
	d->last = (int64_t)num_get64(value.p + 9);
	return 0;
}

int
device_rows(struct db_txn *t, uint64_t account, struct device *v, size_t *n_out)
{
	uint8_t from[DEVICE_KEY], to[DEVICE_KEY];
	struct db_scan *scan = NULL;
	struct slice key, value;
	size_t n = 0;
	int rc;

	rc = db_scan_init(t, T_DEVICE, device_key(from, account, 0),
	    device_key(to, account + 1, 0), &scan);
	while (rc == 0 && n < DEVICES_MAX &&
	       (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (key.n != DEVICE_KEY)
			rc = ERR_CORRUPT;
		else if ((rc = device_decode(value, &v[n])) == 0)
			v[n++].secret = num_get32(key.p + 8);
	}
	db_scan_fini(&scan);
	*n_out = n;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
device_row_get(
    struct db_txn *t, uint64_t account, bool rmw, struct device *d_io)
{
	uint8_t kb[DEVICE_KEY];
	struct slice key = device_key(kb, account, d_io->secret);
	char v[64];
	size_t n;
	int rc = rmw ? db_get_rmw(t, T_DEVICE, key, v, sizeof(v), &n)
		     : db_get(t, T_DEVICE, key, v, sizeof(v), &n);

	return rc != 0 ? rc : device_decode(slice_of(v, n), d_io);
}

int
device_row_put(struct db_txn *t, uint64_t account, const struct device *d)
{
	uint8_t key[DEVICE_KEY];
	char v[DEVICE_VALUE];

	v[0] = FORMAT;
	num_put64(v + 1, (uint64_t)d->first);
	num_put64(v + 9, (uint64_t)d->last);
	return db_put(t, T_DEVICE, device_key(key, account, d->secret),
	    slice_of(v, sizeof(v)));
}

int
device_row_del(struct db_txn *t, uint64_t account, uint32_t secret)
{
	uint8_t key[DEVICE_KEY];

	return db_del(t, T_DEVICE, device_key(key, account, secret));
}

void
fetched_key(
    uint8_t key[FETCHED_KEY], uint64_t folder, uint32_t run, uint32_t secret)
{
	num_put64(key, folder);
	num_put32(key + 8, run);
	num_put32(key + 12, secret);
}

static int
fetched_decode(struct slice value, uint32_t at[HOT_RUN])
{
	if (value.n != FETCHED_VALUE || value.p[0] != FORMAT)
		return ERR_CORRUPT;
	for (size_t i = 0; i < HOT_RUN; i++)
		at[i] = num_get32(value.p + 1 + 4 * i);
	return 0;
}

int
fetched_run_decode(
    struct slice key, struct slice value, struct fetched_run *out)
{
	if (key.n != FETCHED_KEY)
		return ERR_CORRUPT;
	out->folder = num_get64(key.p);
	out->run = num_get32(key.p + 8);
	out->secret = num_get32(key.p + 12);
	return fetched_decode(value, out->at);
}

int
fetched_run_get(struct db_txn *t, struct fetched_run *io)
{
	uint8_t key[FETCHED_KEY];
	char v[FETCHED_VALUE];
	size_t n;
	int rc;

	fetched_key(key, io->folder, io->run, io->secret);
	rc = db_get_rmw(
	    t, T_FETCHED, slice_of(key, sizeof(key)), v, sizeof(v), &n);
	if (rc == 0)
		return fetched_decode(slice_of(v, n), io->at);
	memset(io->at, 0, sizeof(io->at));
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
fetched_run_put(struct db_txn *t, const struct fetched_run *r)
{
	uint8_t key[FETCHED_KEY];
	char v[FETCHED_VALUE];

	fetched_key(key, r->folder, r->run, r->secret);
	v[0] = FORMAT;
	for (size_t i = 0; i < HOT_RUN; i++)
		num_put32(v + 1 + 4 * i, r->at[i]);
	return db_put(
	    t, T_FETCHED, slice_of(key, sizeof(key)), slice_of(v, sizeof(v)));
}

int
fetched_run_del(struct db_txn *t, const struct fetched_run *r)
{
	uint8_t key[FETCHED_KEY];

	fetched_key(key, r->folder, r->run, r->secret);
	return db_del(t, T_FETCHED, slice_of(key, sizeof(key)));
}
