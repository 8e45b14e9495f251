#include "imapd/app.h"

#include <stdlib.h>

#include "imapd/opened.h"
#include "lib/base/mem.h"

int
app_loop_start(struct server_loop *sl)
{
	struct app *app = xcalloc(1, sizeof(*app));

	TAILQ_INIT(&app->all);
	map_init(&app->watchers);
	map_init(&app->regs);
	LIST_INIT(&app->inboxes);
	app->openeds = openeds_new();
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

/* Some events were lost: every folder may have changed. */
static void
any_changed(struct app *app)
{
	struct client *c, *next;

	for (c = TAILQ_FIRST(&app->all); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		client_news(c);
	}
}

static void
add_reg(struct map *regs, struct watch_reg *reg)
{
	reg->prev = NULL;
	reg->next = map_put_u64(regs, reg->account, reg);
	if (reg->next != NULL)
		reg->next->prev = reg;
}

static void
del_reg(struct map *regs, struct watch_reg *reg)
{
	if (reg->prev != NULL)
		reg->prev->next = reg->next;
	else if (reg->next != NULL)
		(void)map_put_u64(regs, reg->account, reg->next);
	else
		(void)map_del_u64(regs, reg->account);
	if (reg->next != NULL)
		reg->next->prev = reg->prev;
}

void
app_register(struct server_loop *sl, struct watch_inbox *in)
{
	for (unsigned i = 0; i < in->nregs; i++) {
		notify_want(sl->srv->store, in->regs[i].account, 0, 1);
		add_reg(&app_of(sl)->regs, &in->regs[i]);
	}
	LIST_INSERT_HEAD(&app_of(sl)->inboxes, in, link);
}

void
app_unregister(struct server_loop *sl, struct watch_inbox *in)
{
	for (unsigned i = 0; i < in->nregs; i++) {
		del_reg(&app_of(sl)->regs, &in->regs[i]);
		notify_want(sl->srv->store, in->regs[i].account, 0, -1);
	}
	LIST_REMOVE(in, link);
}

static void
watched_changed(struct app *app, const struct notify_event *ev)
{
	struct watch_inbox *in, *after;
	struct watch_reg *reg, *next;

	/* Account 0: some were lost, everybody looks. */
	if (ev->account != 0 && ev->kind != NOTIFY_RIGHTS) {
		reg = map_get_u64(&app->regs, ev->account);
		for (; reg != NULL; reg = next) {
			next = reg->next;
			if (watch_event(reg->inbox, ev))
				client_news(reg->inbox->client);
		}
		return;
	}
	for (in = LIST_FIRST(&app->inboxes); in != NULL; in = after) {
		after = LIST_NEXT(in, link);
		if (watch_event(in, ev))
			client_news(in->client);
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
		if (ev[i].kind == NOTIFY_FOLDER ||
		    ev[i].kind == NOTIFY_RIGHTS) {
			if (ev[i].folder == 0)
				any_changed(app);
			else
				folder_changed(app, ev[i].folder);
			watched_changed(app, &ev[i]);
		} else if (ev[i].kind == NOTIFY_FOLDERS ||
			   ev[i].kind == NOTIFY_METADATA) {
			watched_changed(app, &ev[i]);
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
		map_fini(&app->regs, NULL);
		openeds_free(&app->openeds);
		free(app);
	}
}
