#include "pop3d/client.h"

static const struct server_door doors[] = {
	{ "pop3", false, client_accept },
	{ "pop3s", true, client_accept },
};

/* Secrets or rights changed: what was remembered of them goes. */
static void
on_notify(struct server_loop *sl, const struct notify_event *ev, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ev[i].kind == NOTIFY_ACCOUNT)
			auth_forget(sl->srv->auth, ev[i].account);
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
		.loop_start = session_loop_start,
		.notify = on_notify,
		.loop_stop = session_loop_stop,
		.stop = session_stop,
	};

	return server_main(&ops, argc, argv);
}
