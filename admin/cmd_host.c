#include "admin/cmds.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/host.h"
#include "admin/keeper.h"
#include "admin/supctl.h"

enum { END_WAIT_MS = 5000, NAME_WIDTH = 20 };

int
cmd_serve(struct cmd *c)
{
	return supervise(c->conf_path);
}

int
cmd_keeper(struct cmd *c)
{
	(void)c;
	return keeper_main();
}

int
cmd_recover(struct cmd *c)
{
	(void)c;
	return host_recover_main();
}

/* Asks the supervisor; CMD_DONE when it said "ok". */
static int
ask(struct cmd *c, const char *word, bool wait_end)
{
	char *text = NULL;
	json_t *j;
	const char *error;
	int rc, status = CMD_DONE;

	rc = supctl_ask(c->conf->run_dir, word, wait_end, &text, &c->err);
	if (rc != 0)
		return cmd_refuse(c, rc, "%s", word);
	j = json_loads(text, 0, NULL);
	if (!json_is_true(json_object_get(j, "ok"))) {
		error = json_string_value(json_object_get(j, "error"));
		out_error(&c->out, "posthof: %s: %s\n", word,
		    error != NULL ? error : "refused");
		status = CMD_REFUSED;
	}
	json_decref(j);
	free(text);
	return status;
}

int
cmd_reload(struct cmd *c)
{
	return ask(c, "reload", false);
}

int
cmd_stop(struct cmd *c)
{
	struct user user = { .drop = false };
	int lock, rc;

	if (ask(c, "stop", true) != CMD_DONE)
		return CMD_REFUSED;
	/* Its connection ended; the lock goes last. */
	rc = host_lock(c->conf, &user, END_WAIT_MS, &lock, &c->err);
	if (rc != 0)
		return cmd_refuse(c, rc, "stop");
	close(lock);
	return CMD_DONE;
}

int
cmd_version(struct cmd *c)
{
	out_printf(&c->out, "posthof 0.1\n");
	return CMD_DONE;
}

int
cmd_help(struct cmd *c)
{
	const struct cmd_row *row;
	size_t shown = 0;

	if (c->args.nwords == 0)
		out_printf(&c->out, "usage: posthof [-c FILE] COMMAND ...\n\n");
	for (size_t i = 0; (row = cmd_at(i)) != NULL; i++) {
		struct slice name = slice_str(row->name);

		if (row->where == CMD_HIDDEN)
			continue;
		if (c->args.nwords == 0) {
			out_printf(&c->out, "  %-*s %s\n", NAME_WIDTH,
			    row->name, row->help);
			shown++;
			continue;
		}
		if (!slice_eq(slice_sub(name, 0, slice_chr(name, ' ')),
			slice_str(c->args.words[0])) &&
		    !slice_eq(name, slice_str(c->args.words[0])))
			continue;
		out_printf(&c->out, "posthof %s %s\n    %s\n", row->name,
		    row->usage, row->help);
		shown++;
	}
	if (shown != 0)
		return CMD_DONE;
	out_error(&c->out, "posthof: no such command: %s; see `posthof help`\n",
	    c->args.words[0]);
	return CMD_USAGE;
}
