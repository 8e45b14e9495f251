/*
 * shelf.h - what a process remembers of folders besides their images: things
 * that can be made again at any time, of any size, up to a limit for all; those
 * used longest ago go first.
 *
 * A book is counted: it stays while somebody has it, on the shelf or not.  Its
 * contents guard themselves.
 */
#ifndef STORAGE_SHELF_H
#define STORAGE_SHELF_H

#include <stddef.h>
#include <stdint.h>

struct store;

enum shelf_kind {
	SHELF_ENTRIES, /* entries.c */
	SHELF_ORDER,   /* imapd's: what SORT and THREAD go by */
	SHELF_KINDS
};

/* Embedded in what is remembered. */
struct book {
	void (*free)(struct book *b);
	/* the shelf's */
	uint64_t folder;
	enum shelf_kind kind;
	unsigned refs;
	size_t bytes;
	struct book *newer, *older;
};

/* The folder's book of this kind; made (zeroed but for ->free and contents)
 * when there is none.  Never NULL, never blocks for long.  The caller gives it
 * back, and says how many bytes it has now. */
struct book *shelf_take(struct store *s, uint64_t folder, enum shelf_kind kind,
    struct book *(*make)(void));
void shelf_give(struct store *s, struct book **b, size_t bytes);

/* Part of struct store. */
struct shelf *shelf_new(void);
void shelf_free(struct shelf **sh);

#endif
