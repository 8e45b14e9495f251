/*
 * A hot copy: first the tables, page by page as they are, then the log, which
 * holds all that changed meanwhile; recovery of the copy from the log's
 * beginning (DB_RECOVER_COPY) makes one state of them.  Log files stay until
 * they are copied.
 */
#include "lib/db/db_priv.h"

#include <stdlib.h>

#include "lib/base/copy.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

static int
keep_log(struct db *db, bool on)
{
	struct db_thread *th = db_enter(db);
	int ret =
	    db->env->log_set_config(db->env, DB_LOG_AUTO_REMOVE, on ? 0 : 1);
	int rc;

	if (ret == 0)
		ret = db->env->set_flags(
		    db->env, DB_HOTBACKUP_IN_PROGRESS, on ? 1 : 0);
	rc = db_code(db, ret, "hot backup");
	db_leave(th);
	return rc;
}

static int
copy_all(struct db *db, const char *dir, const char *log, struct err *e)
{
	char *own = xasprintf("%s/log", db->dir);
	int rc = copy_files(db->dir, dir, ".db", e);

	if (rc == 0)
		rc = db_flush(db);
	if (rc == 0)
		rc = copy_files(own, log, "", e);
	free(own);
	return rc;
}

int
db_backup(struct db *db, const char *dir, struct err *e)
{
	char *log = xasprintf("%s/log", dir);
	int rc, back;

	if ((rc = file_mkdirs(log, 0700, e)) == 0) {
		if ((rc = keep_log(db, true)) == 0 &&
		    (rc = db_checkpoint(db, 0, 0)) == 0)
			rc = copy_all(db, dir, log, e);
		back = keep_log(db, false);
		if (rc == 0)
			rc = back;
	}
	free(log);
	return rc;
}
