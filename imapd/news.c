#include "imapd/news.h"

#include "imapd/cmd.h"
#include "imapd/watch_inbox.h"

bool
news_listens(const struct client *c)
{
	return c->mode == MODE_IDLE ||
	       (c->mode == MODE_COMMAND && c->watch != NULL);
}

static void
work(struct sjob *j)
{
	struct client *c = client_of_job(j);
	/* RFC 5465 6.1.2: IDLE is a command that EXPUNGEs wait for. */
	bool idle = c->mode == MODE_IDLE;
	bool at_once = c->watch != NULL && !c->watch->delayed;

	c->step = sync_step(c, idle || at_once, (c->enabled & EN_QRESYNC) != 0);
	if (c->step == STEP_DONE)
		c->step = watch_step(c);
}

static void
done(struct sjob *j)
{
	struct client *c = client_of_job(j);

	/* A command half read may have a reason there to be refused. */
	if (frame_empty(&c->frame))
		arena_clear(&c->arena);
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
news_start(struct client *c)
{
	c->news = false;
	if (!sync_wanted(c) && !watch_wanted(c))
		return;
	watch_take(c);
	client_job(c, false, work, done);
}
