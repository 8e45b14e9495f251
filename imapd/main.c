#include "imapd/app.h"

static const struct server_door doors[] = {
	{ "imap", false, client_accept },
	{ "imaps", true, client_accept },
};

int
main(int argc, char **argv)
{
	static const struct server_ops ops = {
		.name = "imapd",
		.sasl_service = "imap",
		.doors = doors,
		.ndoors = PH_LEN(doors),
		.notify_kinds = NOTIFY_FOLDER | NOTIFY_FOLDERS |
				NOTIFY_ACCOUNT | NOTIFY_KICK | NOTIFY_RIGHTS |
				NOTIFY_METADATA,
		.loop_start = app_loop_start,
		.notify = app_notify,
		.loop_stop = app_loop_stop,
		.stop = app_stop,
	};

	return server_main(&ops, argc, argv);
}
