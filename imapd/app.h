/*
 * app.h - what imapd hangs on each loop: its clients, and who looks at which
 * folder.
 */
#ifndef IMAPD_APP_H
#define IMAPD_APP_H

#include "imapd/client.h"
#include "imapd/sync.h"
#include "lib/base/map.h"

struct app {
	struct client_list all;
	struct map watchers; /* folder id -> struct selected, a list */
	bool stopping;
};

static inline struct app *
app_of(const struct server_loop *sl)
{
	return sl->app;
}

/* Puts sel under its view's folder, or takes it out when it has none. */
void app_watch(struct server_loop *sl, struct selected *sel);

/* The hooks of server_ops. */
int app_loop_start(struct server_loop *sl);
void app_notify(
    struct server_loop *sl, const struct notify_event *ev, size_t n);
void app_loop_stop(struct server_loop *sl);
void app_stop(struct server *srv);

#endif
