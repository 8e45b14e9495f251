#include "imapd/cmd.h"
#include "imapd/news.h"

/* RFC 2177.  The go-ahead comes first (CLIENTS D, php-imap). */
enum step
cmd_idle(struct client *c)
{
	resp_continue(&c->out, "idling");
	cmd_hold(c, MODE_IDLE);
	c->cmd.args = NULL;
	arena_clear(&c->arena);
	news_start(c);
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
