/*
 * Accounts begin and end in several transactions, so that none is large: the
 * record says where it stands, and the next call goes on from there.
 */
#include "storage/account_edit.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "storage/account_own.h"
#include "storage/counter.h"
#include "storage/event.h"
#include "storage/folder.h"
#include "storage/folder_purge.h"
#include "storage/names.h"
#include "storage/notify.h"
#include "storage/package_row.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "storage/usage.h"

struct make {
	const struct account *ac;
	struct slice name; /* of ac, or the one that was found */
	char text[NAMES_ACCOUNT_MAX + 1];
	uint64_t id;
	struct arena *a;
	struct err *e;
};

/* The number behind "webNNNp": the one that is asked for, or the next. */
static int
choose_name(struct make *m, struct package_row *pack)
{
	uint64_t number = pack->last_number + 1;
	struct slice package = m->ac->package, of;
	struct buf b;

	if (m->ac->name.n != 0) {
		m->name = m->ac->name;
		if (!names_is_account(m->name, &of, &number) ||
		    !slice_eq(of, package))
			return err_set(m->e, ERR_INVALID,
			    "an account is named by its package, \"p\" and a "
			    "number");
	} else {
		if (number > NAMES_NUMBER_MAX)
			return err_set(
			    m->e, ERR_LIMIT, "the package has no more numbers");
		buf_init(&b, sizeof(m->text));
		buf_add_slice(&b, package);
		buf_add_char(&b, 'p');
		buf_add_u64(&b, number);
		(void)slice_copy(buf_slice(&b), m->text, sizeof(m->text));
		buf_fini(&b);
		m->name = slice_str(m->text);
	}
	if (number > pack->last_number)
		pack->last_number = number;
	return 0;
}

/* 0: it is new; ERR_EXISTS. */
static int
look(struct db_txn *t, struct make *m, struct account_row *row)
{
	int rc = account_row_get(t, m->name, true, m->a, row);

	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc != 0)
		return rc;
	if (row->life == ACCOUNT_GOES)
		return err_set(m->e, ERR_BUSY,
		    "the account is being deleted: delete it again to finish");
	if (row->life == ACCOUNT_LIVES)
		return err_set(
		    m->e, ERR_EXISTS, "there is such an account already");
	m->id = row->ac.id; /* its making was broken off */
	return 0;
}

static int
write_new(struct db_txn *t, struct make *m, const struct account_row *before)
{
	const struct usage_limits l = account_limits(m->ac);
	struct account_row row = { .ac = *m->ac,
		.life = ACCOUNT_COMES,
		.last_secret = before->last_secret };
	struct account old = before->ac;
	int rc;

	row.ac.id = m->id;
	row.ac.name = m->name;
	row.ac.secret_version = old.secret_version;
	if (row.ac.created_at == 0)
		row.ac.created_at = clock_wall_sec();
	if ((rc = account_put_secrets(t, &row, &old)) != 0 ||
	    (rc = account_row_put_id(t, m->id, m->name)) != 0)
		return rc;
	return usage_account_set(
	    t, m->id, m->ac->package, &l, m->ac->uidl_format);
}

static int
make_rows(struct db_txn *t, void *arg)
{
	struct make *m = arg;
	struct account_row before;
	struct package_row pack;
	int rc;

	arena_clear(m->a);
	if ((rc = counter_next(t, SLICE("account"), 1, &m->id)) != 0)
		return rc;
	rc = package_row_get(t, m->ac->package, true, m->a, &pack);
	if (rc == ERR_NOTFOUND)
		return err_set(m->e, rc, "there is no such package");
	if (rc != 0 || (rc = choose_name(m, &pack)) != 0 ||
	    (rc = look(t, m, &before)) != 0)
		return rc;
	if (before.ac.id == 0) {
		if (pack.p.accounts_max != 0 &&
		    pack.accounts >= pack.p.accounts_max)
			return err_set(m->e, ERR_LIMIT,
			    "the package has its %llu accounts already",
			    (unsigned long long)pack.p.accounts_max);
		pack.accounts++;
	}
	if ((rc = package_row_put(t, &pack, false)) != 0)
		return rc;
	return write_new(t, m, &before);
}

struct turn {
	struct slice name;
	enum account_life to;
	struct arena *a;
	struct account_row row;
};

static int
turn(struct db_txn *t, void *arg)
{
	struct turn *tu = arg;
	int rc;

	arena_clear(tu->a);
	rc = account_row_get(t, tu->name, true, tu->a, &tu->row);
	if (rc != 0)
		return rc;
	tu->row.life = tu->to;
	return account_row_put(t, &tu->row);
}

static int
make(struct store *s, struct make *m)
{
	struct turn tu = { .to = ACCOUNT_LIVES, .a = m->a };
	int rc;

	if ((rc = db_update(s->db, make_rows, m)) != 0)
		return rc;
	if ((rc = folder_create_defaults(s, m->id)) != 0)
		return rc;
	tu.name = m->name;
	return notify_routes(s, db_update(s->db, turn, &tu));
}

int
account_add(struct store *s, const struct account *ac, struct arena *a,
    struct account *out, struct err *e)
{
	struct arena work;
	struct err why = { 0 };
	struct make m = { .ac = ac, .a = &work, .e = &why };
	int rc;

	*out = (struct account){ 0 };
	if ((rc = account_check(ac, e)) != 0)
		return rc;
	arena_init(&work);
	rc = make(s, &m);
	arena_clear(&work);
	if (rc == 0)
		return account_get(s, m.name, a, out);
	if (why.kind == rc)
		return err_set(e, rc, "%s", why.text);
	return err_set(e, rc, "the account cannot be written");
}

/* The package's count falls with the record; everything else is gone. */
static int
bury(struct db_txn *t, void *arg)
{
	const struct turn *tu = arg;
	struct package_row pack;
	struct account_row row;
	struct slice package = SLICE("");
	int rc;

	arena_clear(tu->a);
	if (!names_is_account(tu->name, &package, NULL))
		return ERR_CORRUPT;
	rc = package_row_get(t, package, true, tu->a, &pack);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	if (rc == 0 && pack.accounts != 0) {
		pack.accounts--;
		if ((rc = package_row_put(t, &pack, false)) != 0)
			return rc;
	}
	if ((rc = account_row_get(t, tu->name, true, tu->a, &row)) != 0 ||
	    (rc = account_row_del(t, &row)) != 0)
		return rc;
	rc = usage_account_del(t, row.ac.id);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
unmake(struct store *s, struct slice name)
{
	struct arena a;
	struct turn tu = { .name = name, .to = ACCOUNT_GOES, .a = &a };
	struct notify_event ev = { .kind = NOTIFY_ACCOUNT, .kick = true };
	int rc;

	arena_init(&a);
	if ((rc = db_update(s->db, turn, &tu)) == 0) {
		ev.account = tu.row.ac.id;
		notify_add(s, &ev);
		rc = account_leave_addresses(s, name);
	}
	if (rc == 0)
		rc = folder_purge_account(s, ev.account);
	if (rc == 0)
		rc = event_purge(s, ev.account);
	if (rc == 0)
		rc = db_update(s->db, bury, &tu);
	arena_clear(&a);
	return rc;
}

int
account_del(struct store *s, struct slice name, struct err *e)
{
	int rc = unmake(s, name);

	if (rc == ERR_NOTFOUND)
		return err_set(e, rc, "there is no such account");
	return rc == 0 ? 0 : err_set(e, rc, "the account cannot be deleted");
}
