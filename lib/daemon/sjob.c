#include "lib/daemon/server.h"

#include "lib/base/siphash.h"
#include "storage/deliver_join.h"

static void
on_synced(struct store_wait *w, int rc, bool more)
{
	struct sjob *j = PH_CONTAINER(w, struct sjob, wait);
	const struct server *srv = j->srv;

	j->rc = rc;
	job_finish_quiet(&j->job);
	for (size_t i = 0; !more && i < srv->nloops; i++)
		loop_wake(srv->loops[i].loop);
}

void
sjob_end(struct sjob *j)
{
	if (!j->durable) {
		job_finish(&j->job);
		return;
	}
	j->wait.fn = on_synced;
	if (work_spare())
		store_sync_here(j->srv->store, &j->wait);
	else
		store_sync(j->srv->store, &j->wait);
}

static enum job_verdict
on_run(struct job *job)
{
	struct sjob *j = PH_CONTAINER(job, struct sjob, job);
	struct store *store = j->job.brief ? j->srv->store : NULL;

	j->work(j);
	if (j->then != NULL) {
		work_for_all();
		j->then(j);
		return JOB_PARKED;
	}
	sjob_end(j);
	if (store != NULL)
		deliver_join_go(store, work_brief_next);
	return JOB_PARKED;
}

static void
on_done(struct job *job)
{
	struct sjob *j = PH_CONTAINER(job, struct sjob, job);

	j->done(j);
}

static void
submit(struct server_loop *sl, struct work *pool, struct sjob *j, uint32_t flow)
{
	j->srv = sl->srv;
	j->durable = false;
	j->then = NULL;
	j->rc = 0;
	j->job.brief = j->brief;
	j->brief = false;
	j->job.run = on_run;
	j->job.done = on_done;
	j->job.flow = flow;
	work_submit(pool, sl->loop, &j->job);
}

void
sjob_submit(struct server_loop *sl, struct sjob *j)
{
	j->job.late = false;
	submit(sl, sl->srv->store_work, j, 0);
}

/* An IPv4 address, or the first half of an IPv6 address: strangers who could
 * work out which share a lane could keep others waiting. */
static uint32_t
flow_of(const char *ip)
{
	unsigned colons = 0;
	size_t n = 0;

	for (; ip[n] != '\0' && colons < 4; n++)
		colons += ip[n] == ':';
	return (uint32_t)siphash(slice_of(ip, n));
}

void
sjob_submit_auth(struct server_loop *sl, struct sjob *j, const char *ip)
{
	j->job.late = auth_suspects(sl->srv->auth, ip);
	submit(sl, sl->srv->auth_work, j, flow_of(ip));
}
