/*
 * name_row.h - rows of the folder_name table (FORMAT 3).  Inside transactions;
 * for storage/ only.
 */
#ifndef STORAGE_NAME_ROW_H
#define STORAGE_NAME_ROW_H

#include "lib/db/db.h"
#include "storage/folder_name.h"

enum { NAME_KEY_MAX = 8 + FOLDER_NAME_MAX };

struct name_row {
	uint64_t folder; /* 0: subscription only */
	enum folder_use use;
	unsigned flags; /* FOLDER_SUBSCRIBED */
};

/* name: in its folded form.  ERR_NOTFOUND. */
PH_MUSTUSE int name_row_get(struct db_txn *t, uint64_t account,
    struct slice name, bool rmw, struct name_row *out);
PH_MUSTUSE int name_row_put(struct db_txn *t, uint64_t account,
    struct slice name, const struct name_row *row);
PH_MUSTUSE int name_row_del(
    struct db_txn *t, uint64_t account, struct slice name);

/* All rows of an account, name order of folder_name_cmp(); memory from the
 * arena. */
struct name_entry {
	struct slice name;
	struct name_row row;
};
PH_MUSTUSE int name_row_list(struct db_txn *t, uint64_t account,
    struct arena *a, struct name_entry **v_out, size_t *n_out);
/* The entry of this name in such a list, or NULL. */
struct name_entry *name_row_find(
    struct name_entry *v, size_t n, struct slice name);
/* Has it a folder below it that exists?  v[i] is of the list. */
bool name_row_has_children(const struct name_entry *v, size_t n, size_t i);
/* The same without a list. */
PH_MUSTUSE int name_row_any_child(
    struct db_txn *t, uint64_t account, struct slice name, bool *any_out);

#endif
