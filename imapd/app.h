/*
 * app.h - what imapd hangs on each loop: its clients, and who looks at which
 * folder.
 */
#ifndef IMAPD_APP_H
#define IMAPD_APP_H

#include "imapd/client.h"
#include "imapd/sync.h"
#include "imapd/watch_inbox.h"
#include "lib/base/map.h"

struct app {
	struct client_list all;
	struct map watchers; /* folder id -> struct selected, a list */
	struct map regs;     /* account -> struct watch_reg, a list */
	LIST_HEAD(, watch_inbox) inboxes;
	struct openeds *openeds;
	bool stopping;
};

static inline struct app *
app_of(const struct server_loop *sl)
{
	return sl->app;
}

/* Puts sel under its view's folder, or takes it out when it has none. */
void app_watch(struct server_loop *sl, struct selected *sel);

/* Events of the accounts in its regs go to the inbox from here on, or no
 * longer. */
void app_register(struct server_loop *sl, struct watch_inbox *in);
void app_unregister(struct server_loop *sl, struct watch_inbox *in);

/* The hooks of server_ops. */
int app_loop_start(struct server_loop *sl);
void app_notify(
    struct server_loop *sl, const struct notify_event *ev, size_t n);
void app_loop_stop(struct server_loop *sl);
void app_stop(struct server *srv);

#endif
