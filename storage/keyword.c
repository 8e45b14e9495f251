#include "storage/keyword.h"

#include <string.h>

#include "lib/base/num.h"
#include "storage/tables.h"

enum { FORMAT = 1, KEY = 9 };

static void
keyword_key(uint8_t key[KEY], uint64_t folder, unsigned bit)
{
	num_put64(key, folder);
	key[8] = (uint8_t)bit;
}

int
keyword_load(
    struct db_txn *t, uint64_t folder, struct arena *a, struct keywords *out)
{
	uint8_t from[KEY], to[KEY];
	struct db_scan *scan = NULL;
	struct slice key, value;
	int rc;

	*out = (struct keywords){ 0 };
	keyword_key(from, folder, 0);
	keyword_key(to, folder, FOLDER_KEYWORDS_MAX);
	rc = db_scan_init(t, T_KEYWORD, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		unsigned bit;

		if (key.n != KEY || value.n < 2 || value.p[0] != FORMAT) {
			rc = ERR_CORRUPT;
			break;
		}
		bit = (uint8_t)key.p[8];
		if (bit < FOLDER_KEYWORDS_MAX)
			out->name[bit] = arena_copy(a, slice_from(value, 1));
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
find(const struct keywords *kw, struct slice name)
{
	for (unsigned i = 0; i < FOLDER_KEYWORDS_MAX; i++)
		if (kw->name[i].p != NULL && slice_ieq(kw->name[i], name))
			return (int)i;
	return -1;
}

static int
make_one(struct db_txn *t, uint64_t folder, struct keywords *kw,
    struct slice name, int *bit_out)
{
	uint8_t key[KEY], value[1 + FOLDER_KEYWORD_LEN_MAX];
	unsigned bit = 0;

	if (name.n == 0 || name.n > FOLDER_KEYWORD_LEN_MAX)
		return ERR_INVALID;
	while (bit < FOLDER_KEYWORDS_MAX && kw->name[bit].p != NULL)
		bit++;
	if (bit == FOLDER_KEYWORDS_MAX)
		return ERR_LIMIT;
	kw->name[bit] = name;
	*bit_out = (int)bit;
	keyword_key(key, folder, bit);
	value[0] = FORMAT;
	memcpy(value + 1, name.p, name.n);
	return db_put(t, T_KEYWORD, slice_of(key, sizeof(key)),
	    slice_of(value, 1 + name.n));
}

int
keyword_bits(struct db_txn *t, uint64_t folder, struct keywords *kw,
    const struct slice *names, size_t n, bool make, uint64_t *bits_out,
    uint64_t *made_out)
{
	int bit, rc;

	*bits_out = 0;
	for (size_t i = 0; i < n; i++) {
		bit = find(kw, names[i]);
		if (bit < 0 && !make)
			continue;
		if (bit < 0) {
			rc = make_one(t, folder, kw, names[i], &bit);
			if (rc != 0)
				return rc;
			if (made_out != NULL)
				*made_out |= 1ull << bit;
		}
		*bits_out |= 1ull << bit;
	}
	return 0;
}

int
keyword_drop(struct db_txn *t, uint64_t folder)
{
	uint8_t key[KEY], found[KEY], value[1 + FOLDER_KEYWORD_LEN_MAX];
	size_t nkey, nvalue;
	int rc;

	keyword_key(key, folder, 0);
	for (;;) {
		rc = db_last(t, T_KEYWORD, slice_of(key, 8), slice_of(NULL, 0),
		    found, sizeof(found), &nkey, value, sizeof(value), &nvalue);
		if (rc == ERR_NOTFOUND)
			return 0;
		if (rc == 0)
			rc = db_del(t, T_KEYWORD, slice_of(found, nkey));
		if (rc != 0)
			return rc;
	}
}
