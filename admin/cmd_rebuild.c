#include "admin/cmds.h"

#include <unistd.h>

#include "admin/host.h"
#include "storage/rebuild.h"

static const struct out_col cols[] = {
	{ "segments", "Segments", OUT_NUM },
	{ "accounts", "Accounts", OUT_NUM },
	{ "folders", "Folders", OUT_NUM },
	{ "messages", "Messages", OUT_NUM },
	{ "lost", "Messages lost", OUT_NUM },
};

/* As the daemons' user, so that the files are his. */
static int
alone(struct cmd *c, int *lock_out)
{
	struct user user;
	int rc;

	if ((rc = user_lookup(c->conf->user, &user, &c->err)) != 0 ||
	    (rc = host_make_dirs(c->conf, &user, &c->err)) != 0 ||
	    (rc = host_lock(c->conf, &user, 0, lock_out, &c->err)) != 0)
		return rc;
	if ((rc = user_become(&user)) != 0)
		return err_set(&c->err, rc, "cannot become the daemons' user");
	return 0;
}

int
cmd_rebuild(struct cmd *c)
{
	struct store_conf sc =
	    host_store_conf(c->conf, "rebuild", STORE_RECOVER);
	struct rebuild_result r = { 0 };
	int lock = -1, rc;

	rc = alone(c, &lock);
	if (rc == 0)
		rc = store_rebuild(&sc, &r, &c->err);
	if (lock >= 0)
		close(lock);
	if (rc != 0)
		return cmd_refuse(c, rc, "the index was not made anew");
	out_record(&c->out, cols, PH_LEN(cols),
	    json_pack("{s:I,s:I,s:I,s:I,s:I}", "segments",
		(json_int_t)r.segments, "accounts", (json_int_t)r.accounts,
		"folders", (json_int_t)r.folders, "messages",
		(json_int_t)r.messages, "lost", (json_int_t)r.lost));
	return CMD_DONE;
}
