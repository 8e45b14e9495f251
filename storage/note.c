#include "storage/note.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/folder_row.h"
#include "storage/image.h"
#include "storage/name_row.h"
#include "storage/note_read.h"
#include "storage/rec.h"
#include "storage/segment.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum {
	NOTE_MAX = 4096,
	UIDS_MAX = 3000,   /* bytes of UIDs before a new note begins */
	KWNAMES_MAX = 1500 /* bytes of keyword names in a PLACE */
};

/* Names: direct-mapped, so bounded without bookkeeping. */
enum { NAME_SLOTS = 4096 };

struct name_slot {
	uint64_t folder;
	char *account, *name;
};

struct note_names {
	pthread_mutex_t lock;
	struct name_slot slots[NAME_SLOTS];
};

struct note_names *
note_names_new(void)
{
	struct note_names *n = xcalloc(1, sizeof(*n));

	pthread_mutex_init(&n->lock, NULL);
	return n;
}

void
note_names_free(struct note_names **n)
{
	if (*n == NULL)
		return;
	for (size_t i = 0; i < NAME_SLOTS; i++) {
		free((*n)->slots[i].account);
		free((*n)->slots[i].name);
	}
	pthread_mutex_destroy(&(*n)->lock);
	free(*n);
	*n = NULL;
}

static struct name_slot *
slot_of(struct note_names *n, uint64_t folder)
{
	/* Ids are epoch << 32 | count. */
	return &n->slots[(folder ^ folder >> 32) % NAME_SLOTS];
}

void
note_names_forget(struct store *s, uint64_t folder)
{
	struct note_names *n = images_note_names(s);
	struct name_slot *slot = slot_of(n, folder);

	pthread_mutex_lock(&n->lock);
	if (slot->folder == folder)
		slot->folder = 0;
	pthread_mutex_unlock(&n->lock);
}

struct name_find {
	uint64_t account, folder;
	char account_name[256];
	size_t account_n;
	struct folder_name name;
};

static int
find_names(struct db_txn *t, void *arg)
{
	struct name_find *f = arg;
	struct name_entry *v;
	struct arena a;
	uint8_t key[8];
	size_t n;
	int rc;

	num_put64(key, f->account);
	rc = db_get(t, T_ACCOUNT_ID, slice_of(key, sizeof(key)),
	    f->account_name, sizeof(f->account_name), &f->account_n);
	if (rc != 0 || f->account_n < 1)
		return rc != 0 ? rc : ERR_CORRUPT;
	arena_init(&a);
	rc = name_row_list(t, f->account, &a, &v, &n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (v[i].row.folder != f->folder)
			continue;
		f->name.n = v[i].name.n;
		memcpy(f->name.p, v[i].name.p, v[i].name.n);
		break;
	}
	arena_clear(&a);
	return rc;
}

/* Adds both names, as far as they can be found. */
static void
add_names(struct store *s, struct buf *b, uint64_t account, uint64_t folder)
{
	struct note_names *n = images_note_names(s);
	struct name_slot *slot = slot_of(n, folder);
	struct name_find f = { .account = account, .folder = folder };
	bool hit;

	pthread_mutex_lock(&n->lock);
	hit = slot->folder == folder;
	if (hit) {
		rec_add(b, TAG_ACCOUNT_NAME, slice_str(slot->account));
		rec_add(b, TAG_FOLDER_NAME, slice_str(slot->name));
	}
	pthread_mutex_unlock(&n->lock);
	if (hit || db_read(s->db, find_names, &f) != 0)
		return;
	rec_add(
	    b, TAG_ACCOUNT_NAME, slice_of(f.account_name + 1, f.account_n - 1));
	rec_add(b, TAG_FOLDER_NAME, folder_name_slice(&f.name));
	pthread_mutex_lock(&n->lock);
	free(slot->account);
	free(slot->name);
	slot->folder = folder;
	slot->account = xmemdup0(f.account_name + 1, f.account_n - 1);
	slot->name = xmemdup0(f.name.p, f.name.n);
	pthread_mutex_unlock(&n->lock);
}

static void
put(struct store *s, enum note_kind kind, struct buf *b)
{
	int rc = ERR_TOOBIG;

	if (!buf_failed(b))
		rc = segment_put_note(s, kind, buf_slice(b));
	if (rc != 0)
		log_error(NULL, "note-lost", "kind=%d why=%s", (int)kind,
		    err_name(rc));
}

static void
add_keywords(struct buf *b, const struct note_place *p)
{
	struct buf names;

	rec_add_u64(b, TAG_KEYWORDS, p->hot.keywords);
	if (p->hot.keywords == 0 || p->keywords == NULL)
		return;
	buf_init(&names, KWNAMES_MAX);
	for (unsigned i = 0; i < FOLDER_KEYWORDS_MAX; i++) {
		struct slice kw = p->keywords->name[i];

		if ((p->hot.keywords >> i & 1) == 0 ||
		    buf_len(&names) + kw.n >= KWNAMES_MAX)
			continue;
		if (buf_len(&names) > 0)
			buf_add_char(&names, '\0');
		buf_add_slice(&names, kw);
	}
	rec_add(b, TAG_KEYWORD_NAMES, buf_slice(&names));
	buf_fini(&names);
}

/* What all of a folder have. */
static void
place_head(struct store *s, struct buf *b, const struct note_place *p)
{
	add_names(s, b, p->account, p->folder);
	rec_add_u64(b, TAG_ACCOUNT, p->account);
	rec_add_u64(b, TAG_FOLDER, p->folder);
	rec_add_u64(b, TAG_UIDVALIDITY, p->uidvalidity);
}

static void
place_tail(struct store *s, struct buf *b, const struct note_place *p)
{
	rec_add_u64(b, TAG_UID, p->hot.uid);
	rec_add_u64(b, TAG_MSGID, p->msgid);
	rec_add_u64(b, TAG_BODY, p->body);
	rec_add_u64(b, TAG_FLAGS, p->hot.flags);
	add_keywords(b, p);
	rec_add_u64(b, TAG_INTERNAL_DATE, (uint64_t)p->internal_date);
	rec_add_u64(b, TAG_SAVE_DATE, (uint64_t)p->save_date);
	rec_add_u64(b, TAG_MODSEQ, p->hot.modseq);
	if (p->prefix.n > 0)
		rec_add(b, TAG_PREFIX, p->prefix);
	if (p->uidl.n > 0)
		rec_add(b, TAG_UIDL, p->uidl);
	put(s, NOTE_PLACE, b);
}

void
note_place(struct store *s, const struct note_place *p)
{
	struct buf b;

	buf_init(&b, NOTE_MAX);
	place_head(s, &b, p);
	place_tail(s, &b, p);
	buf_fini(&b);
}

void
note_places_begin(
    struct note_places *n, struct store *s, const struct note_place *p)
{
	n->store = s;
	buf_init(&n->b, NOTE_MAX);
	place_head(s, &n->b, p);
	n->head = buf_len(&n->b);
}

void
note_places_add(struct note_places *n, const struct note_place *p)
{
	if (buf_failed(&n->b)) { /* that of the one before was too large */
		buf_clear(&n->b);
		place_head(n->store, &n->b, p);
	}
	place_tail(n->store, &n->b, p);
	buf_truncate(&n->b, n->head);
}

void
note_places_end(struct note_places *n)
{
	buf_fini(&n->b);
}

static void
change_begin(struct buf *b, uint64_t account, uint64_t folder, uint64_t modseq)
{
	buf_clear(b);
	rec_add_u64(b, TAG_ACCOUNT, account);
	rec_add_u64(b, TAG_FOLDER, folder);
	rec_add_u64(b, TAG_MODSEQ, modseq);
}

/* Ends the UIDs collected so far as one field. */
static void
flush_uids(struct buf *b, uint8_t tag, struct buf *uids)
{
	if (buf_len(uids) > 0)
		rec_add(b, tag, buf_slice(uids));
	buf_clear(uids);
}

/* flags in the high 16 bits, keywords in the low 48. */
static uint64_t
state_of(const struct hot_entry *e)
{
	return (uint64_t)e->flags << 48 | e->keywords;
}

void
note_flags(struct store *s, uint64_t account, uint64_t folder,
    const struct hot_entry *e, size_t n)
{
	struct buf b, uids;
	uint32_t last = 0;
	uint8_t state[8];

	if (n == 0)
		return;
	buf_init(&b, NOTE_MAX);
	buf_init(&uids, NOTE_MAX);
	change_begin(&b, account, folder, e[0].modseq);
	for (size_t i = 0; i < n; i++) {
		bool fresh = i == 0 || state_of(&e[i]) != state_of(&e[i - 1]);

		if (buf_len(&b) + buf_len(&uids) > UIDS_MAX) {
			flush_uids(&b, TAG_UIDS, &uids);
			put(s, NOTE_CHANGE, &b);
			change_begin(&b, account, folder, e[0].modseq);
			fresh = true;
		}
		if (fresh) {
			flush_uids(&b, TAG_UIDS, &uids);
			num_put64(state, state_of(&e[i]));
			rec_add(&b, TAG_STATE, slice_of(state, sizeof(state)));
			last = 0;
		}
		rec_add_varint(&uids, e[i].uid - last);
		last = e[i].uid;
	}
	flush_uids(&b, TAG_UIDS, &uids);
	put(s, NOTE_CHANGE, &b);
	buf_fini(&uids);
	buf_fini(&b);
}

void
note_gone(struct store *s, uint64_t account, uint64_t folder, uint64_t modseq,
    const uint32_t *uids, size_t n)
{
	struct buf b, packed;
	uint32_t last = 0;

	buf_init(&b, NOTE_MAX);
	buf_init(&packed, NOTE_MAX);
	for (size_t i = 0; i < n; i++) {
		rec_add_varint(&packed, uids[i] - last);
		last = uids[i];
		if (buf_len(&packed) < UIDS_MAX && i + 1 < n)
			continue;
		change_begin(&b, account, folder, modseq);
		flush_uids(&b, TAG_GONE, &packed);
		put(s, NOTE_CHANGE, &b);
		last = 0;
	}
	buf_fini(&packed);
	buf_fini(&b);
}

void
note_keywords(struct store *s, uint64_t account, uint64_t folder,
    const struct keywords *kw, uint64_t made)
{
	char value[1 + FOLDER_KEYWORD_LEN_MAX];
	struct buf b;

	if (made == 0)
		return;
	buf_init(&b, NOTE_MAX);
	for (unsigned i = 0; i < FOLDER_KEYWORDS_MAX; i++) {
		struct slice name = kw->name[i];

		if ((made >> i & 1) == 0 || name.n >= sizeof(value))
			continue;
		value[0] = (char)i;
		memcpy(value + 1, name.p, name.n);
		change_begin(&b, account, folder, 0);
		rec_add(&b, TAG_KEYWORD, slice_of(value, 1 + name.n));
		put(s, NOTE_CHANGE, &b);
	}
	buf_fini(&b);
}

static void
note_folder(struct store *s, uint64_t account, uint64_t folder, uint8_t tag,
    struct slice name, uint32_t uidvalidity, enum folder_use use)
{
	struct buf b;

	buf_init(&b, NOTE_MAX);
	change_begin(&b, account, folder, 0);
	if (tag == TAG_MADE)
		add_names(s, &b, account, folder);
	rec_add(&b, tag, name);
	rec_add_u64(&b, TAG_UIDVALIDITY, uidvalidity);
	rec_add_u64(&b, TAG_USE, (uint64_t)use);
	put(s, NOTE_CHANGE, &b);
	buf_fini(&b);
}

void
note_folder_made(struct store *s, uint64_t account, uint64_t folder,
    uint32_t uidvalidity, struct slice name, enum folder_use use)
{
	note_folder(s, account, folder, TAG_MADE, name, uidvalidity, use);
}

void
note_folder_renamed(
    struct store *s, uint64_t account, uint64_t folder, struct slice to)
{
	note_names_forget(s, folder);
	note_folder(s, account, folder, TAG_RENAMED, to, 0, USE_NONE);
}

void
note_folder_deleted(struct store *s, uint64_t account, uint64_t folder)
{
	note_names_forget(s, folder);
	note_folder(s, account, folder, TAG_DELETED, SLICE(""), 0, USE_NONE);
}
