/*
 * deliver_plan.h - what a delivery will write, worked out before its
 * transaction; for deliver.c.
 */
#ifndef STORAGE_DELIVER_PLAN_H
#define STORAGE_DELIVER_PLAN_H

#include "storage/deliver.h"
#include "storage/folder_row.h"
#include "storage/hot.h"
#include "storage/keyword.h"
#include "storage/message.h"
#include "storage/segment.h"
#include "storage/usage.h"

/* One message's bytes. */
struct expunge;

struct plan_body {
	struct body_loc loc;
	struct message meta;
	int64_t internal_date;
	uint64_t size;
	uint32_t rows;       /* message records, */
	uint32_t references; /* and queue rows */
	struct slice shared; /* of meta, when it is kept but once */
};

/* A message record: of one body, for one account, with one prefix. */
struct plan_row {
	uint64_t account, msgid;
	const struct usage_item *usage;
	size_t msg;
	struct slice prefix, record;
	uint32_t references;
};

/* One target.  In the plan they are sorted by account, then as given. */
struct plan_item {
	struct deliver_target *t;
	size_t msg, target, row;
	uint64_t folder;
	size_t folder_at; /* in plan.folders */
	struct hot_entry hot;
	struct uidl uidl;
	struct slice record; /* its row's, as another plan has made it */
};

struct plan_folder {
	uint64_t id, account, modseq_from;
	struct folder_row row;
	struct keywords kw;
	uint64_t made;
	size_t first, n; /* in plan.by_folder */
};

/* What a submission means besides (submit.h), and its message. */
struct plan_submit {
	struct submit *su;
	const struct deliver_msg *msg;
	const struct plan_item *sent; /* once UIDs are known; or NULL */
};

struct plan {
	struct store *store;
	struct deliver *d;
	struct err *e;
	struct arena arena;
	struct arena scratch; /* of one run of the transaction */
	int64_t now;
	struct plan_body *bodies; /* one for each of d->msgs */
	struct plan_item *items;
	size_t nitems;
	struct plan_item **by_folder; /* items by folder, then as in items */
	struct plan_row *rows;
	size_t nrows;
	struct usage_item *usage;
	size_t nusage;
	struct plan_folder *folders;
	size_t nfolders;
	struct hot_entry *hot;       /* room for one folder's */
	struct plan_submit *submits; /* by key */
	size_t nsubmits;
	struct expunge *gone; /* what goes meanwhile, or NULL */
};

/* ERR_INVALID, ERR_TOOBIG.  Writes nothing. */
PH_MUSTUSE int plan_init(
    struct plan *p, struct store *s, struct deliver *d, struct err *e);
void plan_fini(struct plan *p);
/* Appends the bodies, and works out what the index keeps of them. */
PH_MUSTUSE int plan_write_bodies(struct plan *p);
/* One plan of several whose bodies are written, each of messages and perhaps a
 * submission; they stay as they are, and as long.  d, e: the whole's own. */
void plan_merge(struct plan *p, struct deliver *d, struct err *e,
    struct plan *const *parts, size_t n);
/* Sorts the items by the folders they go to now. */
void plan_group_folders(struct plan *p);
/* NULL: it is none of them. */
const struct plan_item *plan_item_of(
    const struct plan *p, const struct deliver_target *t);
/* Remembers for the caller which target it was. */
void plan_blame(struct plan *p, const struct plan_item *it);

/* deliver.c.  Everything before the transaction; plan_fini() always. */
PH_MUSTUSE int deliver_ready(
    struct plan *p, struct store *s, struct deliver *d, struct err *e);
/* The transaction, and what has to be told when it has ended well. */
PH_MUSTUSE int deliver_commit(struct plan *p);

#endif
