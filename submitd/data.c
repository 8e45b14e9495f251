#include "submitd/data.h"

#include "submitd/accept.h"
#include "submitd/cmd.h"
#include "submitd/resp.h"

static void
spill_work(struct sjob *j)
{
	/* A failure sticks to the spool and is answered at the end. */
	(void)!spool_spill(client_of_job(j)->spool);
}

static void
spill_done(struct sjob *j)
{
	struct client *c = client_of_job(j);

	if (!session_back(&c->s))
		return;
	if (c->dots.done)
		accept_start(c);
	else
		session_run(&c->s);
}

void
smtp_data(struct client *c, struct slice rest)
{
	const struct conf *conf = c->s.sl->srv->conf;

	if (rest.n != 0) {
		resp_line(&c->s.out, "501 5.5.4 ", "DATA takes nothing");
		return;
	}
	if (!c->env.open) {
		resp_line(&c->s.out, "503 5.5.1 ", "MAIL comes first");
		return;
	}
	if (c->env.nrcpts == 0) {
		resp_line(&c->s.out, "554 5.5.1 ", "no valid recipients");
		return;
	}
	c->spool = spool_new(
	    c->s.sl->srv->store, conf->message_memory, conf->message_max);
	dotted_init(&c->dots, 0);
	c->s.raw = true;
	resp_line(&c->s.out, "354 ", "go ahead, end with a dot");
}

size_t
data_input(struct session *s, struct slice in)
{
	struct client *c = client_of(s);
	struct buf chunk;
	size_t used;

	buf_init(&chunk, in.n + 1);
	used = dotted_feed(&c->dots, in, &chunk);
	/* What is too big is counted and dropped; the reply comes at the end
	 * (RFC 5321 4.5.3.1.9). */
	(void)!spool_add(c->spool, buf_slice(&chunk));
	buf_fini(&chunk);
	if (c->dots.done)
		s->raw = false;
	if (spool_wants_spill(c->spool))
		session_job(s, false, spill_work, spill_done);
	else if (c->dots.done)
		accept_start(c);
	return used;
}
