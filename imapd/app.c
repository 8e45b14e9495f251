#include "imapd/app.h"

#include <stdlib.h>

#include "lib/base/mem.h"

int
app_loop_start(struct server_loop *sl)
{
	struct app *app = xcalloc(1, sizeof(*app));

	TAILQ_INIT(&app->all);
	map_init(&app->watchers);
	sl->app = app;
	return 0;
}

static void
unwatch(struct app *app, struct selected *sel)
{
	if (sel->watched == 0)
		return;
	if (sel->prev != NULL)
		sel->prev->next = sel->next;
	else if (sel->next != NULL)
		(void)map_put_u64(&app->watchers, sel->watched, sel->next);
	else
		(void)map_del_u64(&app->watchers, sel->watched);
	if (sel->next != NULL)
		sel->next->prev = sel->prev;
	sel->next = sel->prev = NULL;
	sel->watched = 0;
}

void
app_watch(struct server_loop *sl, struct selected *sel)
{
	struct app *app = app_of(sl);
	uint64_t folder = sel->view != NULL ? view_folder(sel->view) : 0;

	if (folder == sel->watched)
		return;
	unwatch(app, sel);
	if (folder == 0)
		return;
	sel->watched = folder;
	sel->next = map_put_u64(&app->watchers, folder, sel);
	if (sel->next != NULL)
		sel->next->prev = sel;
}

static void
folder_changed(struct app *app, uint64_t folder)
{
	struct selected *sel = map_get_u64(&app->watchers, folder), *next;

	for (; sel != NULL; sel = next) {
		next = sel->next;
		client_news(sel->client);
	}
}

static void
account_changed(struct app *app, const struct notify_event *ev)
{
	struct client *c, *next;

	for (c = TAILQ_FIRST(&app->all); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (ev->kick && c->seat.taken &&
		    (ev->account == 0 || c->who.account == ev->account))
			client_recheck(c);
	}
}

static void
kick(struct app *app, const struct notify_event *ev)
{
	struct client *c, *next;

	for (c = TAILQ_FIRST(&app->all); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (server_kicks(&c->seat, ev))
			client_kick(c);
	}
}

void
app_notify(struct server_loop *sl, const struct notify_event *ev, size_t n)
{
	struct app *app = app_of(sl);

	for (size_t i = 0; i < n; i++) {
		if (ev[i].kind == NOTIFY_FOLDER) {
			folder_changed(app, ev[i].folder);
		} else if (ev[i].kind == NOTIFY_KICK) {
			kick(app, &ev[i]);
		} else if (ev[i].kind == NOTIFY_ACCOUNT) {
			auth_forget(sl->srv->auth, ev[i].account);
			account_changed(app, &ev[i]);
		}
	}
}

void
app_loop_stop(struct server_loop *sl)
{
	struct client *c, *next;

	app_of(sl)->stopping = true;
	for (c = TAILQ_FIRST(&app_of(sl)->all); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		client_stop(c);
	}
}

void
app_stop(struct server *srv)
{
	for (size_t i = 0; i < srv->nloops; i++) {
		struct app *app = srv->loops[i].app;

		if (app == NULL)
			continue;
		map_fini(&app->watchers, NULL);
		free(app);
	}
}
