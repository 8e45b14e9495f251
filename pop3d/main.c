#include <stdlib.h>

#include "lib/base/mem.h"
#include "pop3d/client.h"

static int
start(struct server *srv, struct err *e)
{
	struct app *app = xcalloc(1, sizeof(*app));

	(void)e;
	app->guard = guard_new();
	app->places = places_new();
	srv->app = app;
	return 0;
}

static void
stop(struct server *srv)
{
	struct app *app = srv->app;

	session_stop(srv);
	guard_free(&app->guard);
	places_free(&app->places);
	free(app);
}

static const struct server_door doors[] = {
	{ "pop3", false, client_accept },
	{ "pop3s", true, client_accept },
};

int
main(int argc, char **argv)
{
	static const struct server_ops ops = {
		.name = "pop3d",
		.sasl_service = "pop",
		.doors = doors,
		.ndoors = PH_LEN(doors),
		.notify_kinds = NOTIFY_ACCOUNT | NOTIFY_KICK,
		.start = start,
		.loop_start = session_loop_start,
		.notify = session_notify,
		.loop_stop = session_loop_stop,
		.stop = stop,
	};

	return server_main(&ops, argc, argv);
}
