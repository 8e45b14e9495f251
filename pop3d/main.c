#include <stdlib.h>

#include "lib/base/mem.h"
#include "pop3d/client.h"

static const struct server_door doors[] = {
	{ "pop3", false, client_accept },
	{ "pop3s", true, client_accept },
};

static int
loop_start(struct server_loop *sl)
{
	struct client_list *all = xcalloc(1, sizeof(*all));

	TAILQ_INIT(all);
	sl->app = all;
	return 0;
}

/* Secrets or rights changed: what was remembered of them goes. */
static void
on_notify(struct server_loop *sl, const struct notify_event *ev, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ev[i].kind == NOTIFY_ACCOUNT)
			auth_forget(sl->srv->auth, ev[i].account);
}

static void
stop(struct server *srv)
{
	for (size_t i = 0; i < srv->nloops; i++)
		free(srv->loops[i].app);
}

int
main(int argc, char **argv)
{
	static const struct server_ops ops = {
		.name = "pop3d",
		.sasl_service = "pop",
		.doors = doors,
		.ndoors = PH_LEN(doors),
		.notify_kinds = NOTIFY_ACCOUNT,
		.loop_start = loop_start,
		.notify = on_notify,
		.loop_stop = client_close_all,
		.stop = stop,
	};

	return server_main(&ops, argc, argv);
}
