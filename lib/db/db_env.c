/*
 * The environment's settings.  Sizes are fixed by the process that makes the
 * regions, so all processes pass through here.
 */
#include "lib/db/db_priv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"

enum {
	LOCKS_MAX = 60000,
	LOCKERS_MAX = 4000,
	TXNS_MAX = 2000,
	LOG_BUFFER = 4 << 20,
	LOG_FILE = 64 << 20
};

static struct db *
env_db(const DB_ENV *env)
{
	return env->app_private;
}

static struct db_thread *
this_thread(struct db *db)
{
	return db->have_key ? pthread_getspecific(db->key) : NULL;
}

/*
 * For one damaged page Berkeley DB gives up the whole environment, and would
 * do so again after every recovery, whenever that page is read.  The thread
 * that read it has taken no step that needs undoing, as with a read error: so
 * the verdict is taken back at once, before another process can see it, and
 * the call fails alone with ERR_CORRUPT.
 */
static void
forgive(struct db *db, struct db_thread *th)
{
	if (db->env->set_flags(db->env, DB_PANIC_ENVIRONMENT, 0) == 0)
		th->forgiven = true;
}

static void
on_error(const DB_ENV *env, const char *prefix, const char *msg)
{
	struct db *db = env_db(env);
	struct db_thread *th = this_thread(db);
	const char *table = "-";

	(void)prefix;
	/* its own panic, not one that it comes across */
	if (th != NULL && th->damage && strstr(msg, "BDB0061") != NULL)
		forgive(db, th);
	if (th != NULL && th->table < db->ntables)
		table = db->defs[th->table].name;
	if (th != NULL && !db->recovering &&
	    strstr(msg, "checksum error") != NULL)
		th->damage = true;
	log_error(NULL, "db", "table=%s msg=%s", table, log_q(slice_str(msg)));
}

static void
on_message(const DB_ENV *env, const char *msg)
{
	(void)env;
	log_debug(NULL, "db", "msg=%s", log_q(slice_str(msg)));
}

/* Nothing may be done in a lost environment, not even closing it.  A thread
 * that was inside the library while another met a damaged page may have gone
 * away from a latch it held: for it the panic stands. */
static void
on_event(DB_ENV *env, u_int32_t event, void *info)
{
	struct db_thread *th = this_thread(env_db(env));

	(void)info;
	if (event == DB_EVENT_PANIC && (th == NULL || !th->forgiven))
		_exit(DB_EXIT_PANIC);
}

static int
limits(DB_ENV *env)
{
	int ret;

	if ((ret = env->set_lk_detect(env, DB_LOCK_YOUNGEST)) != 0 ||
	    (ret = env->set_lk_max_locks(env, LOCKS_MAX)) != 0 ||
	    (ret = env->set_lk_max_objects(env, LOCKS_MAX)) != 0 ||
	    (ret = env->set_lk_max_lockers(env, LOCKERS_MAX)) != 0 ||
	    (ret = env->set_tx_max(env, TXNS_MAX)) != 0)
		return ret;
	return 0;
}

static int
logging(DB_ENV *env)
{
	int ret;

	if ((ret = env->set_lg_dir(env, "log")) != 0 ||
	    (ret = env->set_lg_bsize(env, LOG_BUFFER)) != 0 ||
	    (ret = env->set_lg_max(env, LOG_FILE)) != 0 ||
	    (ret = env->set_lg_filemode(env, 0600)) != 0 ||
	    (ret = env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1)) != 0)
		return ret;
	return 0;
}

int
db_env_settings(struct db *db, const struct db_conf *conf, struct err *e)
{
	DB_ENV *env = db->env;
	char *stray = xasprintf("%s/DB_CONFIG", conf->dir);
	bool is_stray = access(stray, F_OK) == 0;
	int ret;

	free(stray);
	if (is_stray)
		return err_set(e, ERR_INVALID,
		    "there is a file DB_CONFIG in the index; it would overrule "
		    "Posthof's settings: remove it");
	env->app_private = db;
	env->set_errcall(env, on_error);
	env->set_msgcall(env, on_message);
	if ((ret = env->set_event_notify(env, on_event)) != 0 ||
	    (ret = env->set_cachesize(env, (u_int32_t)(conf->cache_bytes >> 30),
		 (u_int32_t)(conf->cache_bytes & ((1U << 30) - 1)), 1)) != 0 ||
	    (ret = limits(env)) != 0 || (ret = logging(env)) != 0) {
		(void)err_set(e, ERR_INTERNAL, "index settings refused");
		err_detail(e, "%s", db_strerror(ret));
		return ERR_INTERNAL;
	}
	return 0;
}
