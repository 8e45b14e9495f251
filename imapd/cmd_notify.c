#include "imapd/cmd.h"

#include "imapd/watch_list.h"

static void
end(struct client *c)
{
	struct watch *w = c->cmd.run;

	watch_free(&w);
}

/* RFC 5465 3.  The old list holds until the new one has been set up; changes
 * of the selected folder follow as behind a NOOP. */
enum step
cmd_notify(struct client *c)
{
	const struct args_notify *a = c->cmd.args;
	struct watch *w = c->cmd.run;
	int rc;

	if (w == NULL) {
		if ((rc = watch_new(c, frame_text(&c->frame), &w)) != 0)
			return cmd_fail(c, rc, NULL);
		c->cmd.run = w;
		c->cmd.end = end;
		watch_list_no_access(c, &w->list);
	}
	if (a->status && !watch_tell_status(c, w))
		return STEP_AGAIN;
	watch_free(&c->watch);
	c->watch = w;
	c->cmd.run = NULL;
	c->cmd.end = NULL;
	return cmd_ok(c, "so be it");
}
