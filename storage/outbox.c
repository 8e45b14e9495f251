#include "storage/outbox.h"

#include "storage/folder.h"
#include "storage/folder_row.h"
#include "storage/hot.h"
#include "storage/store_priv.h"
#include "storage/view.h"

#define NAME SLICE("Outbox")

int
outbox_folder(struct store *s, uint64_t account, uint64_t *folder_out)
{
	struct folder_info info;
	struct err e;
	int rc = folder_find(s, account, NAME, &info);

	if (rc == ERR_NOTFOUND) {
		rc = folder_create(s, account, NAME, USE_NONE, &info, &e);
		if (rc == 0)
			rc = folder_subscribe(s, account, NAME, true, &e);
		else if (rc == ERR_EXISTS) /* just now, by another */
			rc = folder_find(s, account, NAME, &info);
	}
	*folder_out = rc == 0 ? info.id : 0;
	return rc;
}

struct look {
	uint64_t account, folder;
	uint32_t uid;
	bool wait;
};

static int
look(struct db_txn *t, void *arg)
{
	struct look *l = arg;
	struct folder_row row;
	struct hot_entry e;
	struct hot_run r;
	uint32_t at;
	int rc = folder_row_get(t, l->folder, false, &row);

	if (rc == 0 && row.account != l->account)
		rc = ERR_NOTFOUND;
	if (rc == 0)
		rc = hot_load(t, l->folder, hot_run_of(l->uid), false, &r);
	if (rc != 0)
		return rc;
	at = hot_lower(r.bytes, r.n, l->uid);
	if (at == r.n || hot_uid(r.bytes, at) != l->uid)
		return ERR_NOTFOUND;
	hot_get(r.bytes, at, &e);
	l->wait = (e.flags & (MSG_FLAGGED | MSG_DELETED)) != 0;
	return 0;
}

int
outbox_look(struct store *s, uint64_t account, uint64_t folder, uint32_t uid,
    bool *wait_out)
{
	struct look l = { .account = account, .folder = folder, .uid = uid };
	int rc = db_read(s->db, look, &l);

	*wait_out = l.wait;
	return rc;
}
