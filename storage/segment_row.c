#include "storage/segment_row.h"

#include "lib/base/log.h"
#include "lib/base/num.h"
#include "storage/tables.h"

enum { ROW_FORMAT = 1, ROW_BYTES = 38, KEY_BYTES = 4 };

static bool
decode(const char *v, size_t n, struct segment_row *row)
{
	if (n != ROW_BYTES || v[0] != ROW_FORMAT)
		return false;
	row->state = (enum segment_state)v[1];
	row->length = num_get64(v + 2);
	row->synced = num_get64(v + 10);
	row->live = num_get64(v + 18);
	row->owner = num_get64(v + 26);
	row->count = num_get32(v + 34);
	return row->state == SEGMENT_OPEN || row->state == SEGMENT_SEALED;
}

int
segment_row_get(
    struct db_txn *t, uint32_t number, bool rmw, struct segment_row *row_out)
{
	char key[KEY_BYTES], v[ROW_BYTES];
	struct slice k = slice_of(key, sizeof(key));
	size_t n;
	int rc;

	num_put32(key, number);
	rc = rmw ? db_get_rmw(t, T_SEGMENT, k, v, sizeof(v), &n)
		 : db_get(t, T_SEGMENT, k, v, sizeof(v), &n);
	if (rc == 0 && !decode(v, n, row_out))
		return ERR_CORRUPT;
	return rc;
}

int
segment_row_put(
    struct db_txn *t, uint32_t number, const struct segment_row *row)
{
	char key[KEY_BYTES], v[ROW_BYTES];

	num_put32(key, number);
	v[0] = ROW_FORMAT;
	v[1] = (char)row->state;
	num_put64(v + 2, row->length);
	num_put64(v + 10, row->synced);
	num_put64(v + 18, row->live);
	num_put64(v + 26, row->owner);
	num_put32(v + 34, row->count);
	return db_put(
	    t, T_SEGMENT, slice_of(key, sizeof(key)), slice_of(v, sizeof(v)));
}

int
segment_row_del(struct db_txn *t, uint32_t number)
{
	char key[KEY_BYTES];

	num_put32(key, number);
	return db_del(t, T_SEGMENT, slice_of(key, sizeof(key)));
}

int
segment_row_live(struct db_txn *t, uint32_t number, int64_t bytes)
{
	struct segment_row row;
	uint64_t less = (uint64_t)-bytes;
	int rc;

	rc = segment_row_get(t, number, true, &row);
	if (rc == ERR_NOTFOUND) {
		log_error(NULL, "segment-row-missing", "segment=%08x", number);
		return ERR_CORRUPT;
	}
	if (rc != 0)
		return rc;
	if (bytes >= 0)
		row.live += (uint64_t)bytes;
	else
		row.live = row.live > less ? row.live - less : 0;
	return segment_row_put(t, number, &row);
}

int
segment_row_each(struct db_txn *t,
    int (*fn)(uint32_t number, const struct segment_row *row, void *arg),
    void *arg)
{
	struct slice none = { NULL, 0 }, key, value;
	struct segment_row row;
	struct db_scan *scan;
	int rc;

	if ((rc = db_scan_init(t, T_SEGMENT, none, none, &scan)) != 0)
		return rc;
	while ((rc = db_scan_next(scan, &key, &value)) == 0) {
		if (key.n != KEY_BYTES || !decode(value.p, value.n, &row))
			rc = ERR_CORRUPT;
		else
			rc = fn(num_get32(key.p), &row, arg);
		if (rc != 0)
			break;
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}
