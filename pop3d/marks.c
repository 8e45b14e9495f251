#include "pop3d/marks.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/fetched.h"

void
marks_login(struct store *s, const struct auth_who *who, const char *session_id)
{
	int rc = who->support ? 0
			      : fetched_login(s, who->account, who->secret_id,
				    clock_wall_sec());

	if (rc != 0)
		log_warn(
		    session_id, "marks", "login=lost error=%s", err_name(rc));
}

void
marks_write(const struct drop_marks *m, struct store *s, uint32_t secret,
    const char *session_id)
{
	int rc = 0;

	/* Who only helps is no program of the customer's. */
	if (m != NULL && secret != AUTH_SUPPORT_SECRET)
		rc = fetched_add(
		    s, secret, clock_wall_sec(), m->groups, m->ngroups);
	if (rc != 0)
		log_warn(
		    session_id, "marks", "fetched=lost error=%s", err_name(rc));
}

struct late {
	struct sjob job;
	struct server_loop *sl;
	struct drop_marks *m;
	uint32_t secret;
	char id[24];
};

static void
late_work(struct sjob *j)
{
	struct late *l = PH_CONTAINER(j, struct late, job);

	marks_write(l->m, j->srv->store, l->secret, l->id);
}

static void
late_done(struct sjob *j)
{
	struct late *l = PH_CONTAINER(j, struct late, job);

	server_release(l->sl);
	drop_marks_free(&l->m);
	free(l);
}

void
marks_later(struct server_loop *sl, struct drop_marks *m, uint32_t secret,
    const char *session_id)
{
	struct late *l;

	if (m == NULL)
		return;
	l = xcalloc(1, sizeof(*l));
	l->sl = sl;
	l->m = m;
	l->secret = secret;
	(void)slice_copy(slice_str(session_id), l->id, sizeof(l->id));
	l->job.work = late_work;
	l->job.done = late_done;
	server_hold(sl);
	sjob_submit(sl, &l->job);
}
