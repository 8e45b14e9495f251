/*
 * The half that writes: folder by folder, what the notes say is put into the
 * tables, as it was when the last of them was written.
 */
#include "storage/rebuild.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/crc32c.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/account_row.h"
#include "storage/body.h"
#include "storage/counter.h"
#include "storage/entry.h"
#include "storage/folder_row.h"
#include "storage/hot.h"
#include "storage/meta.h"
#include "storage/name_row.h"
#include "storage/names.h"
#include "storage/note_read.h"
#include "storage/package_row.h"
#include "storage/rebuild_priv.h"
#include "storage/segment_row.h"
#include "storage/store_dir.h"
#include "storage/tables.h"
#include "storage/usage.h"
#include "storage/view.h"

enum {
	BATCH = 200,
	/* What was given and left no note is passed over. */
	MODSEQ_MARGIN = 1000,
	EPOCH_MARGIN = 1000,
	LOCK_MS = 1000
};

/* A folder while it is written. */
struct folder {
	uint64_t id, account;
	struct slice account_name;
	struct folder_name name;
	enum folder_use use;
	bool deleted;
	uint64_t keywords; /* bits that have a name */
	struct folder_row row;
	size_t place, nplaces, change, tell, ntells;
};

/* What is still to be put into one transaction. */
struct batch {
	struct folder *f;
	const struct rb_place *p[BATCH];
	struct hot_entry hot[BATCH];
	size_t n;
};

struct work {
	struct rebuild r;
	struct rebuild_result *out;
	struct rb_place **with_body; /* by account and message id */
	size_t nwith_body;
	struct batch b;
	struct folder *f;
	struct arena arena; /* of a transaction */
};

/* ---- what else is known of a message ---- */

static int
cmp_msgid(const void *a, const void *b)
{
	const struct rb_place *x = *(struct rb_place *const *)a;
	const struct rb_place *y = *(struct rb_place *const *)b;

	if (x->account != y->account)
		return x->account < y->account ? -1 : 1;
	return (x->msgid > y->msgid) - (x->msgid < y->msgid);
}

static void
index_bodies(struct work *w)
{
	w->with_body = xcalloc(w->r.nplaces + 1, sizeof(*w->with_body));
	for (size_t i = 0; i < w->r.nplaces; i++)
		if (w->r.places[i].body != 0)
			w->with_body[w->nwith_body++] = &w->r.places[i];
	if (w->nwith_body > 1)
		qsort(w->with_body, w->nwith_body, sizeof(*w->with_body),
		    cmp_msgid);
}

/* The PLACE that names the body of this message (FORMAT 2, tag 7), or NULL. */
static const struct rb_place *
body_place(const struct work *w, const struct rb_place *p)
{
	struct rb_place **at;

	if (p->body != 0)
		return p;
	if (w->nwith_body == 0)
		return NULL;
	at = bsearch(&p, w->with_body, w->nwith_body, sizeof(p), cmp_msgid);
	return at != NULL ? *at : NULL;
}

/* ---- messages ---- */

/* The record of a message, made from its bytes.  ERR_CORRUPT. */
static int
make_record(struct work *w, const struct body_loc *loc, struct slice prefix,
    struct buf *record)
{
	struct message m;
	struct slice bytes;
	struct buf b;
	int rc;

	buf_init(&b, loc->length + 1);
	rc = segment_read(w->r.s, loc, 0, loc->length, NULL, &b);
	bytes = b.p != NULL ? buf_slice(&b) : SLICE("");
	if (rc == 0 && crc32c(0, bytes.p, bytes.n) != loc->crc)
		rc = ERR_CORRUPT;
	if (rc == 0) {
		m = (struct message){ 0 };
		meta_make(&w->arena, bytes, &m);
		m.body = loc->id;
		m.segment = loc->segment;
		m.offset = loc->offset;
		m.crc = loc->crc;
		m.body_bytes = (uint32_t)loc->length;
		m.prefix = prefix;
		message_encode(record, &m);
	}
	buf_fini(&b);
	return rc;
}

/* One reference more to the message, which may be new. */
static int
put_message(struct db_txn *t, struct work *w, const struct rb_place *p,
    uint64_t *size_out)
{
	const struct rb_place *from = body_place(w, p);
	struct body_loc *loc =
	    from != NULL ? rebuild_body(&w->r, from->body) : NULL;
	struct buf record;
	uint64_t none;
	int rc;

	if (loc == NULL)
		return ERR_CORRUPT;
	*size_out = from->prefix.n + loc->length;
	rc = message_ref(t, p->account, p->msgid, 1, &none);
	if (rc != ERR_NOTFOUND)
		return rc;
	buf_init(&record, MESSAGE_MAX);
	rc = make_record(w, loc, from->prefix, &record);
	if (rc == 0)
		rc =
		    message_put(t, p->account, p->msgid, buf_slice(&record), 1);
	buf_fini(&record);
	if (rc == 0)
		rc = body_ref(t, loc->id, 1);
	return rc == ERR_NOTFOUND ? body_add(t, loc, 1) : rc;
}

static int
put_one(struct db_txn *t, struct work *w, size_t i)
{
	const struct rb_place *p = w->b.p[i];
	struct folder *f = w->b.f;
	struct entry e = { .internal_date = p->internal_date,
		.save_date = p->save_date,
		.msgid = p->msgid };
	int rc = put_message(t, w, p, &e.size);

	if (rc == ERR_CORRUPT || rc == ERR_NOTFOUND) {
		log_error(NULL, "rebuild-lost", "folder=%llu uid=%u",
		    (unsigned long long)f->id, p->uid);
		w->out->lost++;
		return 0;
	}
	if (rc != 0)
		return rc;
	if (p->uidl.n <= sizeof(e.uidl)) {
		e.uidl_n = (uint32_t)p->uidl.n;
		memcpy(e.uidl, p->uidl.p, p->uidl.n);
	}
	if ((rc = hot_append(t, f->id, &w->b.hot[i], 1)) != 0 ||
	    (rc = entry_put(t, f->id, p->uid, &e)) != 0)
		return rc;
	folder_row_count(&f->row, w->b.hot[i].flags, e.size, 1);
	w->out->messages++;
	return usage_charge(t, p->account, (int64_t)e.size, 1, true, 0, NULL);
}

static int
batch_txn(struct db_txn *t, void *arg)
{
	struct work *w = arg;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->b.n; i++) {
		arena_clear(&w->arena);
		rc = put_one(t, w, i);
	}
	return rc;
}

static int
put_batch(struct work *w)
{
	int rc = w->b.n > 0 ? db_update(w->r.s->db, batch_txn, w) : 0;

	w->b.n = 0;
	return rc;
}

/* What became of the message with this PLACE; false: it is gone. */
static bool
later(struct work *w, struct folder *f, const struct rb_place *p,
    struct hot_entry *e)
{
	const struct rb_change *c;
	bool gone = false;

	*e = (struct hot_entry){ .uid = p->uid,
		.flags = p->flags,
		.keywords = p->keywords,
		.modseq = p->modseq };
	for (; f->change < w->r.nchanges; f->change++) {
		c = &w->r.changes[f->change];
		if (c->folder > f->id ||
		    (c->folder == f->id && c->uid > p->uid))
			break;
		if (c->folder < f->id || c->uid < p->uid)
			continue;
		gone |= c->gone;
		if (c->gone || c->modseq < e->modseq)
			continue;
		e->flags = (uint32_t)(c->state >> 48);
		e->keywords = c->state & ((UINT64_C(1) << 48) - 1);
		e->modseq = c->modseq;
	}
	e->flags &= MSG_SYSTEM_FLAGS;
	e->keywords &= f->keywords;
	return !gone;
}

static int
put_messages(struct work *w, struct folder *f)
{
	const struct rb_place *v = w->r.places + f->place;
	int rc = 0;

	w->b.f = f;
	for (size_t i = 0; rc == 0 && i < f->nplaces; i++) {
		/* A note that was moved may be there twice. */
		if (i + 1 < f->nplaces && v[i + 1].uid == v[i].uid)
			continue;
		if (!later(w, f, &v[i], &w->b.hot[w->b.n]))
			continue;
		w->b.p[w->b.n++] = &v[i];
		if (w->b.n == BATCH)
			rc = put_batch(w);
	}
	return rc == 0 ? put_batch(w) : rc;
}

/* ---- folders ---- */

static void
set_name(struct folder *f, struct slice name)
{
	struct folder_name folded;
	const char *why;

	if (folder_name_fold(name, &folded, &why))
		f->name = folded;
}

/* What is told of the folder, in its order. */
static void
take_tells(struct work *w, struct folder *f)
{
	for (size_t i = f->tell; i < f->tell + f->ntells; i++) {
		const struct rb_told *t = &w->r.tells[i];

		f->account = t->account;
		if (t->account_name.n != 0)
			f->account_name = t->account_name;
		if (t->uidvalidity != 0)
			f->row.st.uidvalidity = t->uidvalidity;
		if (t->tag == TAG_MADE && t->use <= USE_TRASH)
			f->use = (enum folder_use)t->use;
		if (t->tag == TAG_MADE || t->tag == TAG_RENAMED ||
		    (t->tag == TAG_PLACE && f->name.n == 0))
			set_name(f, t->name);
		f->deleted |= t->tag == TAG_DELETED;
		if (t->tag == TAG_KEYWORD &&
		    (uint8_t)t->name.p[0] < FOLDER_KEYWORDS_MAX)
			f->keywords |= UINT64_C(1) << (uint8_t)t->name.p[0];
	}
}

/* Numbers that must not be given again. */
static void
take_numbers(struct work *w, struct folder *f)
{
	uint32_t uid = 0;
	uint64_t modseq = 0;

	for (size_t i = f->place; i < f->place + f->nplaces; i++) {
		if (w->r.places[i].uid > uid)
			uid = w->r.places[i].uid;
		if (w->r.places[i].modseq > modseq)
			modseq = w->r.places[i].modseq;
	}
	for (size_t i = f->change;
	     i < w->r.nchanges && w->r.changes[i].folder <= f->id; i++) {
		if (w->r.changes[i].folder < f->id)
			continue;
		if (w->r.changes[i].uid > uid)
			uid = w->r.changes[i].uid;
		if (w->r.changes[i].modseq > modseq)
			modseq = w->r.changes[i].modseq;
	}
	f->row.st.uidnext = f->row.st.recent_from = uid + 1;
	f->row.st.highestmodseq = modseq + MODSEQ_MARGIN;
	/* QRESYNC is told all that is missing (RFC 7162 3.2.5.2). */
	f->row.gone_floor = f->row.st.highestmodseq;
}

/* Two of one name: the later one gets a number behind it. */
static int
free_name(struct db_txn *t, struct folder *f)
{
	struct folder_name name = f->name;
	struct name_row row;
	char tail[16];
	int rc = 0;

	for (unsigned i = 2; i < 1000; i++) {
		rc = name_row_get(
		    t, f->account, folder_name_slice(&name), false, &row);
		if (rc != 0)
			break;
		(void)snprintf(tail, sizeof(tail), "-%u", i);
		name = f->name;
		if (name.n + strlen(tail) > sizeof(name.p))
			name.n = sizeof(name.p) - sizeof(tail);
		memcpy(name.p + name.n, tail, strlen(tail));
		name.n += strlen(tail);
	}
	f->name = name;
	return rc == ERR_NOTFOUND ? 0 : rc == 0 ? ERR_EXISTS : rc;
}

static int
put_keywords(struct db_txn *t, const struct work *w, const struct folder *f)
{
	char value[1 + FOLDER_KEYWORD_LEN_MAX];
	uint8_t key[9];
	int rc = 0;

	num_put64(key, f->id);
	value[0] = 1; /* format */
	for (size_t i = f->tell; rc == 0 && i < f->tell + f->ntells; i++) {
		struct slice name = w->r.tells[i].name;

		if (w->r.tells[i].tag != TAG_KEYWORD ||
		    name.n - 1 > FOLDER_KEYWORD_LEN_MAX ||
		    (uint8_t)name.p[0] >= FOLDER_KEYWORDS_MAX)
			continue;
		key[8] = (uint8_t)name.p[0];
		memcpy(value + 1, name.p + 1, name.n - 1);
		rc = db_put(t, T_KEYWORD, slice_of(key, sizeof(key)),
		    slice_of(value, name.n));
	}
	return rc;
}

static int
folder_txn(struct db_txn *t, void *arg)
{
	struct work *w = arg;
	struct folder *f = w->f;
	/* Subscriptions are lost: better all than none. */
	struct name_row row = { f->id, f->use, FOLDER_SUBSCRIBED };
	uint64_t uidvalidity;
	int rc = 0;

	if (f->row.st.uidvalidity == 0) {
		rc = counter_next(t, SLICE("uidvalidity"),
		    (uint64_t)clock_wall_sec(), &uidvalidity);
		f->row.st.uidvalidity = (uint32_t)uidvalidity;
	}
	if (rc == 0)
		rc = free_name(t, f);
	if (rc == 0)
		rc = name_row_put(
		    t, f->account, folder_name_slice(&f->name), &row);
	if (rc == 0)
		rc = folder_row_put(t, f->id, &f->row);
	return rc == 0 ? put_keywords(t, w, f) : rc;
}

static int
last_txn(struct db_txn *t, void *arg)
{
	struct work *w = arg;

	return folder_row_put(t, w->f->id, &w->f->row);
}

/* ---- accounts ---- */

/* The account and its package, where they are not there yet. */
static int
account_txn(struct db_txn *t, void *arg)
{
	struct work *w = arg;
	struct folder *f = w->f;
	struct account_row row = { .ac.id = f->account,
		.ac.name = f->account_name,
		.ac.created_at = clock_wall_sec(),
		.ac.secret_version = 1 };
	const struct usage_limits none = { 0 };
	struct package_row pack;
	uint64_t number, id;
	int rc;

	arena_clear(&w->arena);
	rc = account_row_lives(t, f->account_name);
	if (rc != ERR_NOTFOUND)
		return rc;
	if (!names_is_account(f->account_name, &row.ac.package, &number))
		return ERR_INVALID;
	if ((rc = counter_next(t, SLICE("account"), f->account, &id)) != 0)
		return rc;
	rc = package_row_get(t, row.ac.package, true, &w->arena, &pack);
	if (rc == ERR_NOTFOUND)
		pack = (struct package_row){ .p.name = row.ac.package,
			.p.created_at = row.ac.created_at };
	else if (rc != 0)
		return rc;
	pack.accounts++;
	if (number > pack.last_number)
		pack.last_number = number;
	w->out->accounts++;
	if ((rc = package_row_put(t, &pack, false)) != 0 ||
	    (rc = account_row_put(t, &row)) != 0 ||
	    (rc = account_row_put_id(t, f->account, f->account_name)) != 0 ||
	    (rc = usage_package_set(t, row.ac.package, &none)) != 0)
		return rc;
	return usage_account_set(
	    t, f->account, row.ac.package, &none, SLICE(""));
}

/* Message ids up to the highest ever seen are taken. */
static int
ids_txn(struct db_txn *t, void *arg)
{
	struct work *w = arg;
	struct folder *f = w->f;
	struct usage_row u;
	uint64_t most = 0, first;
	int rc = usage_account_get(t, f->account, &u);

	for (size_t i = f->place; i < f->place + f->nplaces; i++)
		if (w->r.places[i].msgid > most)
			most = w->r.places[i].msgid;
	if (rc != 0 || most < u.next_msgid ||
	    most - u.next_msgid > UINT32_MAX - 2)
		return rc;
	return usage_charge(t, f->account, 0, 0, true,
	    (uint32_t)(most - u.next_msgid) + 1, &first);
}

/* ---- all ---- */

static int
put_folder(struct work *w, struct folder *f)
{
	struct db *db = w->r.s->db;
	int rc;

	f->row.account = f->account;
	w->f = f;
	if ((rc = db_update(db, account_txn, w)) != 0 ||
	    (rc = db_update(db, ids_txn, w)) != 0 ||
	    (rc = db_update(db, folder_txn, w)) != 0 ||
	    (rc = put_messages(w, f)) != 0)
		return rc;
	w->f = f;
	w->out->folders++;
	return db_update(db, last_txn, w);
}

/* The folders that anything is told of, one after the other. */
static int
put_folders(struct work *w)
{
	size_t place = 0, change = 0, i = 0;
	struct folder f;
	int rc = 0;

	while (rc == 0 && i < w->r.ntells) {
		f = (struct folder){ .id = w->r.tells[i].folder, .tell = i };
		while (i < w->r.ntells && w->r.tells[i].folder == f.id)
			i++;
		f.ntells = i - f.tell;
		while (place < w->r.nplaces && w->r.places[place].folder < f.id)
			place++;
		f.place = place;
		while (
		    place < w->r.nplaces && w->r.places[place].folder == f.id)
			place++;
		f.nplaces = place - f.place;
		while (change < w->r.nchanges &&
		       w->r.changes[change].folder < f.id)
			change++;
		f.change = change;
		take_tells(w, &f);
		take_numbers(w, &f);
		if (!f.deleted && f.name.n != 0 && f.account_name.n != 0)
			rc = put_folder(w, &f);
		else if (!f.deleted)
			log_error(NULL, "rebuild-nameless", "folder=%llu",
			    (unsigned long long)f.id);
		change = f.change;
	}
	return rc;
}

static int
segments_txn(struct db_txn *t, void *arg)
{
	struct work *w = arg;
	uint64_t last, epoch = 0, uidvalidity = 1;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->r.nsegs; i++) {
		const struct rb_segment *g = &w->r.segs[i];
		struct segment_row row = { .state = SEGMENT_SEALED,
			.length = g->end,
			.synced = g->end,
			.count = g->count };

		rc = counter_next(t, SLICE("segment"), g->number, &last);
		if (rc == 0)
			rc = segment_row_put(t, g->number, &row);
	}
	/* Ids are epoch << 32 | count: none is given again. */
	for (size_t i = 0; i < w->r.ntells; i++) {
		if (w->r.tells[i].folder >> 32 > epoch)
			epoch = w->r.tells[i].folder >> 32;
		if (w->r.tells[i].uidvalidity > uidvalidity)
			uidvalidity = w->r.tells[i].uidvalidity;
	}
	if (rc == 0)
		rc = counter_next(t, SLICE("uidvalidity"), uidvalidity, &last);
	if (rc == 0)
		rc = counter_next(
		    t, SLICE("epoch"), epoch + EPOCH_MARGIN, &last);
	return rc;
}

/* INBOX, and levels whose own folder is not told of. */
static int
put_parents(struct work *w)
{
	struct folder_info *v;
	struct arena a;
	struct err e;
	size_t n;
	uint64_t last = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->r.ntells; i++) {
		uint64_t account = w->r.tells[i].account;

		if (account == last)
			continue;
		last = account;
		arena_init(&a);
		rc = folder_list(w->r.s, account, false, &a, &v, &n);
		if (rc == 0 && n > 0)
			rc = folder_create(w->r.s, account, SLICE("INBOX"),
			    USE_NONE, NULL, &e);
		for (size_t k = 0; rc == 0 || rc == ERR_EXISTS; k++) {
			struct slice up;

			rc = 0;
			if (k == n)
				break;
			up = folder_name_parent(v[k].name);
			if (up.n != 0)
				rc = folder_create(
				    w->r.s, account, up, USE_NONE, NULL, &e);
		}
		arena_clear(&a);
	}
	return rc;
}

static int
rebuild(struct work *w)
{
	int rc;

	if ((rc = rebuild_read(&w->r)) != 0)
		return rc;
	w->out->segments = w->r.nsegs;
	index_bodies(w);
	if ((rc = db_update(w->r.s->db, segments_txn, w)) != 0 ||
	    (rc = put_folders(w)) != 0)
		return rc;
	return put_parents(w);
}

/* The old index stays, under another name. */
static int
set_aside(const struct store_conf *conf, struct err *e)
{
	char *index = xasprintf("%s/index", conf->state_dir);
	char *log = xasprintf("%s/log", index);
	char *aside =
	    xasprintf("%s.before-%lld", index, (long long)clock_wall_sec());
	int rc = 0, fd;

	rc = store_dir_lock(conf->run_dir, true, LOCK_MS, &fd, e);
	if (rc == 0) {
		rc = store_dir_check(conf->state_dir, e);
		if (rc == 0 && rename(index, aside) != 0 && errno != ENOENT)
			rc = err_set(e, err_from_errno(errno),
			    "the old index cannot be set aside");
		if (rc == 0)
			rc = file_mkdirs(log, 0700, e);
		close(fd);
	}
	free(index);
	free(log);
	free(aside);
	return rc;
}

int
store_rebuild(
    const struct store_conf *conf, struct rebuild_result *out, struct err *e)
{
	struct store_conf own = *conf;
	struct work *w;
	int rc;

	*out = (struct rebuild_result){ 0 };
	own.role = STORE_RECOVER;
	own.rebuild = true;
	if ((rc = set_aside(conf, e)) != 0)
		return rc;
	w = xcalloc(1, sizeof(*w));
	w->out = out;
	rc = store_open(&own, LOCK_MS, &w->r.s, e);
	if (rc == 0) {
		rc = rebuild(w);
		if (rc == 0)
			rc = store_sync_now(w->r.s);
		if (rc != 0)
			(void)err_set(e, rc, "the index cannot be made anew");
	}
	store_close(&w->r.s);
	rebuild_free(&w->r);
	arena_clear(&w->arena);
	free(w->with_body);
	free(w);
	return rc;
}
