/*
 * Who is logged in: counted per account and address (CLIENTS O12), and shown.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/daemon/priv.h"

enum { KEY_MAX = 8 + 46 };

void
seats_open(struct server *srv)
{
	char *dir = xasprintf("%s/sessions", srv->conf->run_dir);
	char *path = xasprintf("%s/%s", dir, srv->ops->name);
	struct err e = { 0 };

	if (file_mkdirs(dir, 0700, &e) == 0)
		srv->priv->board =
		    board_new(path, (uint32_t)srv->conf->connections_max);
	if (srv->priv->board == NULL)
		log_warn(NULL, "sessions", "path=%s failed=1", path);
	free(path);
	free(dir);
}

void
seats_close(struct server *srv)
{
	board_free(&srv->priv->board);
}

static struct slice
key_of(const struct server_seat *seat, char key[KEY_MAX])
{
	struct slice ip = slice_str(seat->ip);

	num_put64(key, seat->account);
	if (ip.n != 0)
		memcpy(key + 8, ip.p, ip.n);
	return slice_of(key, 8 + ip.n);
}

static void
put(char *to, size_t room, const char *text)
{
	(void)slice_copy(slice_sub(slice_str(text), 0, room - 1), to, room);
}

static void
show(struct server *srv, struct server_seat *seat, const struct auth_who *who,
    struct conn *conn, const char *id, const char *door)
{
	struct board_slot s = { .number = seat->number,
		.account = who->account,
		.since_sec = clock_wall_sec(),
		.secret_id = who->secret_id };
	char tls[64];

	put(s.id, sizeof(s.id), id);
	put(s.name, sizeof(s.name), who->name);
	put(s.package, sizeof(s.package), who->package);
	put(s.ip, sizeof(s.ip), seat->ip);
	put(s.door, sizeof(s.door), door);
	conn_tls_name(conn, tls, sizeof(tls));
	put(s.tls, sizeof(s.tls), tls);
	put(s.mech, sizeof(s.mech), who->mech != NULL ? who->mech : "");
	seat->board = board_enter(srv->priv->board, &s);
}

bool
server_sit(struct server *srv, struct server_seat *seat,
    const struct auth_who *who, struct conn *conn, const char *id,
    const char *door, const char **why_out)
{
	struct server_priv *p = srv->priv;
	char key[KEY_MAX];

	*seat = (struct server_seat){ .account = who->account };
	put(seat->ip, sizeof(seat->ip), conn->peer_ip);
	(void)board_number(slice_str(id), &seat->number);
	if (!admit_count_in(p, &p->by_seat, key_of(seat, key),
		srv->conf->sessions_per_account)) {
		*why_out = "too many sessions of this account from your "
			   "address; close some programs";
		log_warn(id, "session-limit", "account=%s ip=%s limit=%llu",
		    who->name, seat->ip,
		    (unsigned long long)srv->conf->sessions_per_account);
		return false;
	}
	*why_out = NULL;
	seat->taken = true;
	p->sessions++;
	show(srv, seat, who, conn, id, door);
	return true;
}

void
server_rise(struct server *srv, struct server_seat *seat)
{
	struct server_priv *p = srv->priv;
	char key[KEY_MAX];

	if (!seat->taken)
		return;
	seat->taken = false;
	p->sessions--;
	admit_count_out(p, &p->by_seat, key_of(seat, key));
	board_leave(p->board, seat->board);
}

void
server_name_client(
    struct server *srv, const struct server_seat *seat, struct slice name)
{
	if (seat->taken)
		board_client(srv->priv->board, seat->board, name);
}

bool
server_kicks(const struct server_seat *seat, const struct notify_event *ev)
{
	if (!seat->taken || ev->kind != NOTIFY_KICK)
		return false;
	return ev->account != 0 ? ev->account == seat->account
				: ev->folder == seat->number;
}
