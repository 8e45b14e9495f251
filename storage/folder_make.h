/*
 * folder_make.h - new folders inside a transaction.  For storage/ only.
 */
#ifndef STORAGE_FOLDER_MAKE_H
#define STORAGE_FOLDER_MAKE_H

#include "storage/name_row.h"
#include "storage/store.h"

struct folder_made {
	uint64_t id;
	uint32_t uidvalidity;
	enum folder_use use;
	struct folder_name name;
};

enum { FOLDER_MADE_MAX = FOLDER_LEVELS_MAX + 8 };

/* What one transaction makes. */
struct folder_maker {
	struct store *store;
	uint64_t account;
	struct arena arena;
	struct name_entry *v; /* the account's names before */
	size_t n;
	size_t folders, folders_max;           /* that there are, and may be */
	uint64_t uidvalidity[FOLDER_MADE_MAX]; /* taken in advance */
	struct folder_made made[FOLDER_MADE_MAX];
	size_t nmade;
};

void folder_maker_init(
    struct folder_maker *m, struct store *s, uint64_t account);
void folder_maker_fini(struct folder_maker *m);
/* First in the transaction: takes what `most` new folders need, and reads the
 * names and how many folders the account may have. */
PH_MUSTUSE int folder_maker_begin(
    struct db_txn *t, struct folder_maker *m, size_t most);
/* Its halves, where other tables come between them. */
PH_MUSTUSE int folder_maker_numbers(
    struct db_txn *t, struct folder_maker *m, size_t most);
PH_MUSTUSE int folder_maker_names(struct db_txn *t, struct folder_maker *m);
/* INBOX and the folders every account has, after both halves. */
enum { FOLDER_DEFAULTS = 6 };
PH_MUSTUSE int folder_maker_defaults(struct db_txn *t, struct folder_maker *m);
/* Writes the name row of one folder that does not exist; ERR_LIMIT: too many
 * names; ERR_QUOTA: too many folders. */
PH_MUSTUSE int folder_maker_add(struct db_txn *t, struct folder_maker *m,
    struct slice name, enum folder_use use, unsigned flags);
/* The same for those of its parents that are missing. */
PH_MUSTUSE int folder_maker_parents(
    struct db_txn *t, struct folder_maker *m, struct slice name);
/* Then the folder rows of all that were added. */
PH_MUSTUSE int folder_maker_rows(struct db_txn *t, struct folder_maker *m);
/* Is there a folder with this use? */
bool folder_maker_has_use(const struct folder_maker *m, enum folder_use use);
/* After the commit. */
void folder_maker_publish(const struct folder_maker *m);

#endif
