#include "lib/daemon/session.h"
#include "lib/base/mem.h"
#include "submitd/app.h"
#include "submitd/client.h"

#include <stdlib.h>

enum { PROBE_WINDOW_MS = 30 * 60 * 1000, PROBE_SOURCES_MAX = 20000 };

static const struct server_door doors[] = {
	{ "smtp", false, client_accept },
	{ "submission", false, client_accept },
	{ "submissions", true, client_accept },
	{ "lmtp", false, client_accept },
};

static int
start(struct server *srv, struct err *e)
{
	struct app *app = xcalloc(1, sizeof(*app));
	int rc = host_key_srs(srv->store, app->srs_key);

	if (rc != 0) {
		free(app);
		return err_set(e, rc, "no key for return addresses");
	}
	app->rights = rights_new(srv->store);
	app->rates = rate_new(PROBE_SOURCES_MAX);
	app->probe = probe_new(PROBE_WINDOW_MS, PROBE_SOURCES_MAX);
	app->trace = trace_new(srv);
	app->fresh = fresh_new(srv, runner_fresh);
	srv->app = app;
	return 0;
}

static int
begin_loop(struct server_loop *sl)
{
	int rc = session_loop_start(sl);

	if (rc != 0 || sl->index != 0)
		return rc;
	waiting_start(sl);
	return runner_start(sl);
}

static void
on_notify(struct server_loop *sl, const struct notify_event *ev, size_t n)
{
	session_notify(sl, ev, n);
	if (sl->index != 0)
		return;
	waiting_notify(app_of(sl->srv)->waiting, ev, n);
	runner_notify(sl, ev, n);
}

static void
end_loop(struct server_loop *sl)
{
	if (sl->index == 0) {
		waiting_stop(app_of(sl->srv)->waiting);
		runner_stop(sl);
	}
	session_loop_stop(sl);
}

static void
stop(struct server *srv)
{
	struct app *app = app_of(srv);

	runner_free(srv);
	fresh_free(&app->fresh);
	waiting_free(&app->waiting);
	session_stop(srv);
	probe_free(&app->probe);
	rights_free(&app->rights);
	rate_free(&app->rates);
	trace_free(&app->trace);
	free(app);
	srv->app = NULL;
}

int
main(int argc, char **argv)
{
	static const struct server_ops ops = {
		.name = "submitd",
		.sasl_service = "smtp",
		.doors = doors,
		.ndoors = PH_LEN(doors),
		.notify_kinds = NOTIFY_ACCOUNT | NOTIFY_KICK | NOTIFY_QUEUE |
				NOTIFY_ROUTES | NOTIFY_FOLDER,
		.start = start,
		.loop_start = begin_loop,
		.notify = on_notify,
		.loop_stop = end_loop,
		.stop = stop,
	};

	return server_main(&ops, argc, argv);
}
