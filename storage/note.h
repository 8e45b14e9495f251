/*
 * note.h - notes beside the messages, from which a lost index is rebuilt
 * (FORMAT 2).  For storage/ only.
 *
 * Written after the commit they tell of and before the caller's store_sync().
 * A note that cannot be written is logged and missed by a rebuild only.
 */
#ifndef STORAGE_NOTE_H
#define STORAGE_NOTE_H

#include "lib/base/buf.h"
#include "storage/hot.h"
#include "storage/keyword.h"
#include "storage/store.h"

/* Names by folder id, remembered: every PLACE note says them. */
struct note_names;
struct note_names *note_names_new(void);
void note_names_free(struct note_names **n);
/* A folder was renamed or deleted. */
void note_names_forget(struct store *s, uint64_t folder);

/* A message came into a folder. */
struct note_place {
	uint64_t account, folder;
	uint32_t uidvalidity;
	struct hot_entry hot;
	int64_t internal_date, save_date;
	uint64_t msgid, body;
	struct slice prefix, uidl;
	const struct keywords *keywords; /* names of the bits; may be NULL */
};
void note_place(struct store *s, const struct note_place *p);
/* Many came into one folder: begin with any of them, add each. */
struct note_places {
	struct store *store;
	struct buf b;
	size_t head;
};
void note_places_begin(
    struct note_places *n, struct store *s, const struct note_place *p);
void note_places_add(struct note_places *n, const struct note_place *p);
void note_places_end(struct note_places *n);

/* These messages have these flags now (all at one MODSEQ). */
void note_flags(struct store *s, uint64_t account, uint64_t folder,
    const struct hot_entry *e, size_t n);
void note_gone(struct store *s, uint64_t account, uint64_t folder,
    uint64_t modseq, const uint32_t *uids, size_t n);
/* The bits of `made` have got these names. */
void note_keywords(struct store *s, uint64_t account, uint64_t folder,
    const struct keywords *kw, uint64_t made);

void note_folder_made(struct store *s, uint64_t account, uint64_t folder,
    uint32_t uidvalidity, struct slice name, enum folder_use use);
void note_folder_renamed(
    struct store *s, uint64_t account, uint64_t folder, struct slice to);
void note_folder_deleted(struct store *s, uint64_t account, uint64_t folder);

#endif
