#include "storage/backup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/copy.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/counter.h"
#include "storage/folder_row.h"
#include "storage/store_dir.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "storage/verify.h"

enum {
	GAP = 10000, /* numbers that may have been given since */
	CHECK_CACHE = 64 << 20,
	CHECK_SEGMENT = 1 << 20,
	LOCK_MS = 1000
};

/* Three folders of a state directory. */
struct dirs {
	char *top, *index, *log, *mail, *version;
};

static void
dirs_init(struct dirs *d, const char *top)
{
	d->top = xstrdup(top);
	d->index = xasprintf("%s/index", top);
	d->log = xasprintf("%s/index/log", top);
	d->mail = xasprintf("%s/mail", top);
	d->version = xasprintf("%s/VERSION", top);
}

static void
dirs_fini(struct dirs *d)
{
	free(d->top);
	free(d->index);
	free(d->log);
	free(d->mail);
	free(d->version);
}

static int
copy_store(struct store *s, const struct dirs *from, const struct dirs *to,
    struct err *e)
{
	int rc;

	if (access(to->index, F_OK) == 0 || access(to->mail, F_OK) == 0)
		return err_set(e, ERR_EXISTS, "something is there already");
	if ((rc = file_mkdirs(to->index, 0700, e)) != 0 ||
	    (rc = file_mkdirs(to->mail, 0700, e)) != 0 ||
	    (rc = db_backup(s->db, to->index, e)) != 0 ||
	    (rc = copy_files(from->mail, to->mail, ".seg", e)) != 0 ||
	    /* last: what has it is whole */
	    (rc = copy_file(from->version, to->version, e)) != 0)
		return rc;
	return file_sync_dir(to->top, e);
}

int
store_backup(struct store *s, const char *dir, struct err *e)
{
	struct dirs from, to;
	int rc;

	if (atomic_exchange(&s->in_backup, true))
		return err_set(e, ERR_BUSY, "a backup is being made");
	dirs_init(&from, s->conf.state_dir);
	dirs_init(&to, dir);
	rc = copy_store(s, &from, &to, e);
	atomic_store(&s->in_backup, false);
	dirs_fini(&from);
	dirs_fini(&to);
	if (rc != 0 && (e == NULL || e->kind != rc))
		(void)err_set(e, rc, "the store cannot be copied");
	return rc;
}

int
store_backup_check(const char *dir, struct buf *report, struct err *e)
{
	char *run = xasprintf("%s/run", dir);
	char *notify = xasprintf("%s/notify", run);
	char *lock = xasprintf("%s/env.lock", run);
	struct store_conf conf = { .state_dir = dir,
		.run_dir = run,
		.name = "check",
		.cache_bytes = CHECK_CACHE,
		.segment_bytes = CHECK_SEGMENT,
		.role = STORE_RECOVER,
		.copy = true };
	struct store *s = NULL;
	int rc = store_open(&conf, LOCK_MS, &s, e);

	if (rc == 0 && (rc = store_verify(s, report)) != 0)
		(void)err_set(e, rc, "the copy is not sound");
	store_close(&s);
	(void)rmdir(notify);
	(void)unlink(lock);
	(void)rmdir(run);
	free(run);
	free(notify);
	free(lock);
	return rc;
}

/* ---- restoring ---- */

static int
set_aside(const struct dirs *d, struct err *e)
{
	long long now = (long long)clock_wall_sec();
	char *index = xasprintf("%s.before-%lld", d->index, now);
	char *mail = xasprintf("%s.before-%lld", d->mail, now);
	int rc = 0;

	if ((rename(d->index, index) != 0 && errno != ENOENT) ||
	    (rename(d->mail, mail) != 0 && errno != ENOENT))
		rc = err_set(e, err_from_errno(errno),
		    "the old store cannot be set aside");
	free(index);
	free(mail);
	return rc;
}

static int
put_back(const struct dirs *from, const struct dirs *to, struct err *e)
{
	int rc;

	if ((rc = store_dir_check(from->top, e)) != 0 ||
	    (rc = set_aside(to, e)) != 0 ||
	    (rc = file_mkdirs(to->log, 0700, e)) != 0 ||
	    (rc = file_mkdirs(to->mail, 0700, e)) != 0 ||
	    (rc = copy_files(from->mail, to->mail, ".seg", e)) != 0 ||
	    (rc = copy_files(from->index, to->index, ".db", e)) != 0)
		return rc;
	return copy_files(from->log, to->log, "", e);
}

struct gap {
	uint64_t next, folder;
};

static int
next_folder(struct db_txn *t, void *arg)
{
	struct gap *g = arg;
	struct db_scan *scan = NULL;
	struct slice key, value;
	uint8_t from[8];
	int rc;

	g->folder = 0;
	num_put64(from, g->next);
	rc = db_scan_init(t, T_FOLDER, slice_of(from, sizeof(from)),
	    slice_of(NULL, 0), &scan);
	if (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0 &&
	    key.n == 8)
		g->folder = num_get64(key.p);
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
gap_txn(struct db_txn *t, void *arg)
{
	const struct gap *g = arg;
	struct folder_row row;
	int rc = folder_row_get(t, g->folder, true, &row);

	if (rc != 0)
		return rc;
	if (row.st.uidnext < UINT32_MAX - GAP)
		row.st.uidnext += GAP;
	row.st.highestmodseq += GAP;
	/* What went since nobody knows (RFC 7162 3.2.5.2). */
	row.gone_floor = row.st.highestmodseq;
	return folder_row_put(t, g->folder, &row);
}

static int
counters_txn(struct db_txn *t, void *arg)
{
	static const char *const names[] = { "epoch", "uidvalidity",
		"account" };
	uint64_t last;
	int rc = 0;

	(void)arg;
	for (size_t i = 0; rc == 0 && i < PH_LEN(names); i++) {
		rc = counter_last(t, slice_str(names[i]), &last);
		if (rc == 0 && last != 0)
			rc = counter_next(
			    t, slice_str(names[i]), last + GAP, &last);
	}
	return rc;
}

/* Nothing that may have been given since is given again. */
static int
leave_gap(struct store *s)
{
	struct gap g = { 0 };
	int rc = db_update(s->db, counters_txn, NULL);

	while (rc == 0 && (rc = db_read(s->db, next_folder, &g)) == 0 &&
	       g.folder != 0) {
		rc = db_update(s->db, gap_txn, &g);
		g.next = g.folder + 1;
	}
	return rc == 0 ? store_sync_now(s) : rc;
}

int
store_restore(const struct store_conf *conf, const char *dir, struct err *e)
{
	struct store_conf own = *conf;
	struct store *s = NULL;
	struct dirs from, to;
	int rc, lock = -1;

	own.role = STORE_RECOVER;
	own.copy = true;
	dirs_init(&from, dir);
	dirs_init(&to, conf->state_dir);
	rc = store_dir_lock(conf->run_dir, true, LOCK_MS, &lock, e);
	if (rc == 0)
		rc = put_back(&from, &to, e);
	if (lock >= 0)
		close(lock);
	if (rc == 0)
		rc = store_open(&own, LOCK_MS, &s, e);
	if (rc == 0 && (rc = leave_gap(s)) != 0)
		(void)err_set(e, rc, "the restored index cannot be written");
	store_close(&s);
	dirs_fini(&from);
	dirs_fini(&to);
	return rc;
}
