#include "lib/db/db_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/db/db_swift.h"

/* Did this thread just meet a damaged page, and was the panic over it taken
 * back? */
static bool
forgiven(struct db *db)
{
	struct db_thread *th = pthread_getspecific(db->key);

	if (th == NULL || !th->forgiven)
		return false;
	th->damage = th->forgiven = false;
	return true;
}

int
db_code(struct db *db, int ret, const char *op)
{
	switch (ret) {
	case 0: return 0;
	case DB_NOTFOUND:
	case DB_KEYEMPTY: return ERR_NOTFOUND;
	case DB_KEYEXIST: return ERR_EXISTS;
	case DB_LOCK_DEADLOCK:
	case DB_LOCK_NOTGRANTED: return ERR_BUSY;
	case DB_RUNRECOVERY:
		if (forgiven(db))
			return ERR_CORRUPT;
		log_error(NULL, "db-panic", "op=%s", op);
		_exit(DB_EXIT_PANIC);
	default: break;
	}
	log_error(NULL, "db-error", "op=%s dir=%s ret=%d msg=%s", op, db->dir,
	    ret, log_q(slice_str(db_strerror(ret))));
	switch (ret) {
	case ENOMEM: return ERR_BUSY; /* out of locks or mutexes, not memory */
	case ENOSPC:
	case EDQUOT: return ERR_NOSPACE;
	case DB_BUFFER_SMALL:
	case DB_PAGE_NOTFOUND:
	case DB_CHKSUM_FAIL:
	case DB_VERIFY_BAD: return ERR_CORRUPT;
	case EINVAL: return ERR_INTERNAL;
	default: return ERR_IO;
	}
}

/* Threads. */

void
db_thread_free(struct db_thread *th)
{
	db_scan_free_idle(th);
	free(th);
}

static void
thread_ends(void *arg)
{
	struct db_thread *th = arg, **at;
	struct db *db = th->db;

	pthread_mutex_lock(&db->mtx);
	for (at = &db->threads; *at != th; at = &(*at)->next)
		;
	*at = th->next;
	pthread_mutex_unlock(&db->mtx);
	db_thread_free(th);
}

static struct db_thread *
thread_new(struct db *db)
{
	struct db_thread *th = xcalloc(1, sizeof(*th));

	th->db = db;
	th->table = UINT32_MAX;
	th->jitter = clock_steady_us() ^ (uint64_t)(uintptr_t)th;
	pthread_mutex_lock(&db->mtx);
	th->next = db->threads;
	db->threads = th;
	pthread_mutex_unlock(&db->mtx);
	(void)pthread_setspecific(db->key, th);
	return th;
}

struct db_thread *
db_enter(struct db *db)
{
	struct db_thread *th = pthread_getspecific(db->key);

	if (th == NULL)
		th = thread_new(db);
	if (th->depth++ == 0)
		atomic_store_explicit(
		    &th->since_ms, clock_steady_ms(), memory_order_relaxed);
	return th;
}

void
db_leave(struct db_thread *th)
{
	th->table = UINT32_MAX;
	if (--th->depth == 0)
		atomic_store_explicit(&th->since_ms, 0, memory_order_relaxed);
}

uint64_t
db_oldest_call_ms(struct db *db)
{
	uint64_t now = clock_steady_ms(), oldest = now, since;

	pthread_mutex_lock(&db->mtx);
	for (struct db_thread *th = db->threads; th != NULL; th = th->next) {
		since =
		    atomic_load_explicit(&th->since_ms, memory_order_relaxed);
		if (since != 0 && since < oldest)
			oldest = since;
	}
	pthread_mutex_unlock(&db->mtx);
	return now - oldest;
}

/* Opening. */

static int
right_library(struct err *e)
{
	int major, minor, patch;

	(void)db_version(&major, &minor, &patch);
	if (major == DB_VERSION_MAJOR && minor == DB_VERSION_MINOR &&
	    patch == DB_VERSION_PATCH)
		return 0;
	return err_set(e, ERR_UNSUPPORTED,
	    "built for Berkeley DB %d.%d.%d but %d.%d.%d is loaded: install "
	    "the matching libdb5.3",
	    DB_VERSION_MAJOR, DB_VERSION_MINOR, DB_VERSION_PATCH, major, minor,
	    patch);
}

static int
open_env(struct db *db, const struct db_conf *conf, struct err *e)
{
	u_int32_t flags = DB_THREAD | DB_INIT_TXN | DB_INIT_LOG | DB_INIT_LOCK |
			  DB_INIT_MPOOL;
	int ret, rc;

	if ((ret = db_env_create(&db->env, 0)) != 0) {
		err_detail(e, "db_env_create: %s", db_strerror(ret));
		return ERR_INTERNAL;
	}
	if ((rc = db_env_settings(db, conf, e)) != 0)
		return rc;
	if (db->recovering)
		flags |=
		    DB_CREATE | (db->from_copy ? DB_RECOVER_FATAL : DB_RECOVER);
	ret = db->env->open(db->env, conf->dir, flags, 0600);
	if (ret == 0)
		return 0;
	if (ret == DB_RUNRECOVERY)
		(void)err_set(e, ERR_CORRUPT, "the index needs recovery");
	else
		(void)err_set(e, err_from_errno(ret > 0 ? ret : EIO),
		    "the index cannot be opened: %s", db_strerror(ret));
	err_detail(e, "%s: %s", conf->dir, db_strerror(ret));
	return ret == DB_RUNRECOVERY ? ERR_CORRUPT
				     : err_from_errno(ret > 0 ? ret : EIO);
}

static int
open_table(struct db *db, unsigned i, struct err *e)
{
	const struct db_table_def *def = &db->defs[i];
	u_int32_t flags = DB_THREAD | DB_AUTO_COMMIT;
	char *file = xasprintf("%s.db", def->name);
	DB *t;
	int ret;

	if (db->recovering)
		flags |= DB_CREATE;
	if ((ret = db_create(&t, db->env, 0)) != 0)
		goto out;
	db->tables[i] = t;
	if ((ret = t->set_pagesize(t, DB_PAGE)) == 0 &&
	    (ret = t->set_flags(
		 t, DB_CHKSUM | (def->keep_pages ? DB_REVSPLITOFF : 0U))) == 0)
		ret = t->open(t, NULL, file, NULL, DB_BTREE, flags, 0600);
out:
	if (ret != 0) {
		(void)err_set(e, ERR_CORRUPT,
		    "table %s of the index cannot be opened", def->name);
		err_detail(e, "%s/%s: %s", db->dir, file, db_strerror(ret));
	}
	free(file);
	return ret == 0 ? 0 : db_code(db, ret, "open");
}

/* How much of a file this process has mapped, by /proc/self/maps (proc(5)). */
static uint64_t
mapped_bytes(const struct stat *st)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long long from, to, ino;
	unsigned major_no, minor_no;
	char line[PATH_MAX + 128];
	uint64_t most = 0;

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%llx-%llx %*s %*s %x:%x %llu", &from, &to,
			&major_no, &minor_no, &ino) == 5 &&
		    ino == st->st_ino && major_no == major(st->st_dev) &&
		    minor_no == minor(st->st_dev) && to - from > most)
			most = to - from;
	if (maps != NULL)
		(void)fclose(maps);
	return most;
}

static int
back_region(const char *path, struct err *e)
{
	struct stat st;
	uint64_t n = 0;
	int fd = open(path, O_RDWR | O_CLOEXEC), errnum = 0;

	if (fd < 0)
		return err_from_errno(errno);
	if (fstat(fd, &st) != 0) {
		errnum = errno;
	} else {
		/* It grows later, into what is mapped now. */
		n = mapped_bytes(&st);
		if (n < (uint64_t)st.st_size)
			n = (uint64_t)st.st_size;
		if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)n) != 0 &&
		    errno != EOPNOTSUPP)
			errnum = errno;
	}
	close(fd);
	if (errnum == 0)
		return 0;
	(void)err_set(e, err_from_errno(errnum),
	    "the index needs %llu MiB more disk space for its cache",
	    (unsigned long long)(n >> 20));
	err_detail(e, "%s: %s", path, strerror(errnum));
	return err_from_errno(errnum);
}

/* The regions are files with holes in shared memory: on a full disk the first
 * touch of a hole would be a SIGBUS.  So they get their blocks now. */
static int
back_regions(const char *dir, struct err *e)
{
	DIR *d = opendir(dir);
	struct dirent *ent;
	char *path;
	int rc = 0;

	if (d == NULL)
		return err_from_errno(errno);
	while (rc == 0 && (ent = readdir(d)) != NULL) {
		if (!slice_starts(slice_str(ent->d_name), SLICE("__db.0")))
			continue;
		path = xasprintf("%s/%s", dir, ent->d_name);
		rc = back_region(path, e);
		free(path);
	}
	closedir(d);
	return rc;
}

static int
open_all(struct db *db, const struct db_conf *conf, struct err *e)
{
	char *log_dir;
	int rc;

	if ((rc = right_library(e)) != 0)
		return rc;
	if (!db_swift_in_place())
		log_debug(NULL, "db", "msg=\"the library's own loops\"");
	if (db->recovering) {
		log_dir = xasprintf("%s/log", conf->dir);
		rc = file_mkdirs(log_dir, 0700, e);
		free(log_dir);
		if (rc != 0)
			return rc;
	}
	if ((rc = open_env(db, conf, e)) != 0 ||
	    (db->recovering && (rc = back_regions(conf->dir, e)) != 0))
		return rc;
	for (unsigned i = 0; i < db->ntables; i++)
		if ((rc = open_table(db, i, e)) != 0)
			return rc;
	return db->recovering ? file_sync_dir(conf->dir, e) : 0;
}

int
db_open(const struct db_conf *conf, enum db_mode mode, struct db **db_out,
    struct err *e)
{
	struct db *db = xcalloc(1, sizeof(*db));
	int rc;

	*db_out = NULL;
	db->defs = conf->tables;
	db->ntables = conf->ntables;
	db->tables = xcalloc(conf->ntables, sizeof(DB *));
	db->dir = xstrdup(conf->dir);
	db->recovering = mode != DB_JOIN;
	db->from_copy = mode == DB_RECOVER_COPY;
	pthread_mutex_init(&db->mtx, NULL);
	if (pthread_key_create(&db->key, thread_ends) != 0)
		rc = err_set(e, ERR_INTERNAL, "no thread key");
	else {
		db->have_key = true;
		rc = open_all(db, conf, e);
	}
	if (rc == 0)
		*db_out = db;
	else
		db_close(&db);
	return rc;
}

void
db_close(struct db **dbp)
{
	struct db *db = *dbp;
	struct db_thread *th;
	int ret;

	*dbp = NULL;
	if (db == NULL)
		return;
	for (size_t i = db->ntables; i-- > 0;)
		if (db->tables[i] != NULL &&
		    (ret = db->tables[i]->close(db->tables[i], 0)) != 0)
			(void)db_code(db, ret, "close table");
	if (db->env != NULL && (ret = db->env->close(db->env, 0)) != 0)
		(void)db_code(db, ret, "close environment");
	if (db->have_key)
		(void)pthread_key_delete(db->key);
	while ((th = db->threads) != NULL) {
		db->threads = th->next;
		db_thread_free(th);
	}
	pthread_mutex_destroy(&db->mtx);
	free(db->tables);
	free(db->dir);
	free(db);
}

/* The environment's upkeep. */

int
db_flush(struct db *db)
{
	struct db_thread *th = db_enter(db);
	int rc = db_code(db, db->env->log_flush(db->env, NULL), "log_flush");

	db_leave(th);
	return rc;
}

int
db_checkpoint(struct db *db, uint32_t kbytes, uint32_t minutes)
{
	struct db_thread *th = db_enter(db);
	u_int32_t flags = db->recovering ? DB_FORCE : 0;
	int ret = db->env->txn_checkpoint(db->env, kbytes, minutes, flags);
	int rc = db_code(db, ret, "txn_checkpoint");

	db_leave(th);
	return rc;
}

static int
stats_fill(DB_ENV *env, struct db_stats *out)
{
	DB_LOCK_STAT *lock = NULL;
	DB_MPOOL_STAT *pool = NULL;
	DB_LOG_STAT *log = NULL;
	DB_TXN_STAT *txn = NULL;
	int ret;

	if ((ret = env->lock_stat(env, &lock, 0)) == 0 &&
	    (ret = env->memp_stat(env, &pool, NULL, 0)) == 0 &&
	    (ret = env->log_stat(env, &log, 0)) == 0 &&
	    (ret = env->txn_stat(env, &txn, 0)) == 0) {
		out->locks_max = lock->st_maxlocks;
		out->locks_peak = lock->st_maxnlocks;
		out->lockers_peak = lock->st_maxnlockers;
		out->deadlocks = lock->st_ndeadlocks;
		out->cache_hit = pool->st_cache_hit;
		out->cache_miss = pool->st_cache_miss;
		out->log_bytes =
		    ((uint64_t)log->st_w_mbytes << 20) + log->st_w_bytes;
		out->txns_active = txn->st_nactive;
		out->last_checkpoint_sec = txn->st_time_ckp;
	}
	free(lock);
	free(pool);
	free(log);
	free(txn);
	return ret;
}

int
db_stats_get(struct db *db, struct db_stats *out)
{
	struct db_thread *th = db_enter(db);
	int rc;

	memset(out, 0, sizeof(*out));
	rc = db_code(db, stats_fill(db->env, out), "stat");
	db_leave(th);
	return rc;
}
