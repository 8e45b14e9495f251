#include "storage/gone_trim.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/folder_row.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum { KEY = 18, ROWS_AT_ONCE = 500 };

struct row {
	uint64_t modseq;
	uint32_t part, n;
};

struct trim {
	uint64_t next, folder; /* 0: none */
	struct row *v;         /* of the folder, rising */
	size_t n, cap;
	uint64_t floor;
	size_t at, end; /* rows to go: v[at..end) */
};

/* All rows of the next folder that has some. */
static int
read_folder(struct db_txn *t, void *arg)
{
	struct trim *w = arg;
	struct db_scan *scan = NULL;
	struct slice key, value;
	uint8_t from[8];
	int rc;

	w->folder = 0;
	w->n = 0;
	num_put64(from, w->next);
	rc = db_scan_init(
	    t, T_GONE, slice_of(from, sizeof(from)), slice_of(NULL, 0), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (key.n != KEY || value.n < 1) {
			rc = ERR_CORRUPT;
			break;
		}
		if (w->folder != 0 && num_get64(key.p) != w->folder)
			break;
		w->folder = num_get64(key.p);
		w->v = mem_grow(w->v, &w->cap, w->n, sizeof(*w->v));
		w->v[w->n++] = (struct row){ num_get64(key.p + 8),
			num_get16(key.p + 16), (uint32_t)(value.n / 4) };
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* From which MODSEQ on rows are kept; 0: all are. */
static uint64_t
floor_of(const struct trim *w, uint32_t keep)
{
	uint64_t all = 0, sum = 0;

	for (size_t i = 0; i < w->n; i++)
		all += w->v[i].n;
	if (all <= (uint64_t)keep * 2)
		return 0;
	for (size_t i = w->n; i-- > 0;) {
		sum += w->v[i].n;
		if (sum > keep)
			return w->v[i].modseq + 1;
	}
	return 0;
}

static int
trim_txn(struct db_txn *t, void *arg)
{
	struct trim *w = arg;
	struct folder_row row;
	uint8_t key[KEY];
	int rc = folder_row_get(t, w->folder, true, &row);

	if (rc != 0)
		return rc == ERR_NOTFOUND ? 0 : rc; /* deleted meanwhile */
	if (row.gone_floor < w->floor) {
		row.gone_floor = w->floor;
		rc = folder_row_put(t, w->folder, &row);
	}
	for (size_t i = w->at; rc == 0 && i < w->end; i++) {
		num_put64(key, w->folder);
		num_put64(key + 8, w->v[i].modseq);
		num_put16(key + 16, (uint16_t)w->v[i].part);
		rc = db_del(t, T_GONE, slice_of(key, sizeof(key)));
		if (rc == ERR_NOTFOUND)
			rc = 0;
	}
	return rc;
}

/* The floor rises with the first rows that go: what is below it is never
 * asked for, whether it is there or not. */
static int
drop_rows(struct store *s, struct trim *w)
{
	size_t last = 0;
	int rc = 0;

	while (last < w->n && w->v[last].modseq < w->floor)
		last++;
	for (w->at = 0; rc == 0 && w->at < last; w->at = w->end) {
		w->end =
		    last - w->at < ROWS_AT_ONCE ? last : w->at + ROWS_AT_ONCE;
		rc = db_update(s->db, trim_txn, w);
	}
	log_info(NULL, "gone-trimmed", "folder=%llu rows=%zu floor=%llu err=%s",
	    (unsigned long long)w->folder, last, (unsigned long long)w->floor,
	    err_name(rc));
	return rc;
}

int
gone_trim_step(struct store *s, uint32_t keep, uint64_t *next, bool *more_out)
{
	struct trim w = { .next = *next };
	int rc = db_read(s->db, read_folder, &w);

	*more_out = rc == 0 && w.folder != 0;
	if (*more_out) {
		*next = w.folder + 1;
		w.floor = floor_of(&w, keep);
		if (w.floor != 0)
			rc = drop_rows(s, &w);
	}
	free(w.v);
	return rc;
}
