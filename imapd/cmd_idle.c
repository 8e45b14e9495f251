#include "imapd/cmd.h"

static void
idle_work(struct sjob *j)
{
	struct client *c = client_of_job(j);

	c->step = sync_step(c, true, (c->enabled & EN_QRESYNC) != 0);
}

static void
idle_done(struct sjob *j)
{
	struct client *c = client_of_job(j);

	if (!client_back(c))
		return;
	client_flush(c);
	if (conn_closing(&c->conn))
		return;
	if (c->step == STEP_AGAIN) {
		c->news = true; /* there is more to tell */
		c->waiting = conn_full(&c->conn);
	}
	client_run(c);
}

void
cmd_idle_news(struct client *c)
{
	c->news = false;
	if (sync_wanted(c))
		client_job(c, false, idle_work, idle_done);
}

/* RFC 2177.  The go-ahead comes first (CLIENTS D, php-imap). */
enum step
cmd_idle(struct client *c)
{
	resp_continue(&c->out, "idling");
	cmd_hold(c, MODE_IDLE);
	c->cmd.args = NULL;
	arena_clear(&c->arena);
	if (sync_wanted(c))
		cmd_idle_news(c);
	return STEP_PENDING;
}

void
cmd_idle_line(struct client *c, struct slice line)
{
	bool good = slice_ieq(line, SLICE("DONE"));

	cmd_release(c);
	if (good)
		(void)cmd_ok(c, "no longer idle");
	else
		(void)cmd_bad(c, "IDLE ends with DONE");
	cmd_finish(c);
}
