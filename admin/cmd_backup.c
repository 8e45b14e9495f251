#include "admin/cmds.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/host.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "storage/backup.h"

enum { REPORT_MAX = 1 << 20 };

extern char **environ;

/* The keeper has another working directory than who types. */
static bool
is_absolute(struct cmd *c)
{
	if (c->args.words[0][0] == '/')
		return true;
	out_error(
	    &c->out, "posthof: %s: name the folder from / on\n", c->row->name);
	return false;
}

/* In a process of its own: a damaged copy must not end this one. */
static int
check(const char *dir)
{
	char *argv[] = { (char *)(uintptr_t) "posthof",
		(char *)(uintptr_t) "check-backup", (char *)(uintptr_t)dir,
		NULL };
	int status;
	pid_t pid;

	if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) != 0)
		return ERR_IO;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return ERR_IO;
	return WIFEXITED(status) && WEXITSTATUS(status) == CMD_DONE
		   ? 0
		   : ERR_CORRUPT;
}

/* Its time is when the last good backup was made (tally_last_backup()). */
static int
stamp(struct cmd *c, const char *dir)
{
	char *path = xasprintf("%s/last-backup", c->conf->state_dir);
	int rc = file_replace(path, slice_str(dir), 0600, &c->err);

	free(path);
	return rc;
}

int
cmd_backup(struct cmd *c)
{
	const char *dir = c->args.words[0];
	int rc;

	if (!is_absolute(c))
		return CMD_USAGE;
	rc = store_backup(c->store, dir, &c->err);
	if (rc != 0)
		return cmd_refuse(c, rc, "no backup was made");
	if ((rc = check(dir)) != 0)
		return cmd_refuse(c, rc,
		    "the backup was made, but does not stand the check (see "
		    "`posthof check-backup`)");
	if ((rc = stamp(c, dir)) != 0)
		return cmd_refuse(c, rc,
		    "the backup is good, but STATE/last-backup cannot be "
		    "written");
	out_printf(&c->out, "%s: copied, recovered and verified\n", dir);
	return CMD_DONE;
}

int
cmd_check_backup(struct cmd *c)
{
	struct buf report;
	int rc;

	buf_init(&report, REPORT_MAX);
	rc = store_backup_check(c->args.words[0], &report, &c->err);
	if (report.p != NULL)
		out_printf(&c->out, "%.*s", (int)buf_len(&report),
		    buf_slice(&report).p);
	buf_fini(&report);
	if (rc != 0)
		return cmd_refuse(c, rc, "the backup is not good");
	out_printf(&c->out, "nothing is wrong\n");
	return CMD_DONE;
}

int
cmd_restore(struct cmd *c)
{
	struct store_conf sc =
	    host_store_conf(c->conf, "restore", STORE_RECOVER);
	struct user user;
	int rc, lock = -1;

	if (!is_absolute(c))
		return CMD_USAGE;
	if ((rc = user_lookup(c->conf->user, &user, &c->err)) == 0 &&
	    (rc = host_make_dirs(c->conf, &user, &c->err)) == 0 &&
	    (rc = host_lock(c->conf, &user, 0, &lock, &c->err)) == 0 &&
	    (rc = user_become(&user)) != 0)
		(void)err_set(&c->err, rc, "cannot become the daemons' user");
	if (rc == 0)
		rc = store_restore(&sc, c->args.words[0], &c->err);
	if (lock >= 0)
		close(lock);
	if (rc != 0)
		return cmd_refuse(c, rc, "nothing was restored");
	out_printf(&c->out, "restored; start the host\n");
	return CMD_DONE;
}
