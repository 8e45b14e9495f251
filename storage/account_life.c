/*
 * Accounts begin in one transaction, all of it or nothing, and end in several,
 * so that none is large: the record says where it stands, and the next call
 * goes on from there.
 */
#include "storage/account_edit.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "storage/account_own.h"
#include "storage/acl.h"
#include "storage/counter.h"
#include "storage/event.h"
#include "storage/folder_make.h"
#include "storage/folder_purge.h"
#include "storage/names.h"
#include "storage/notify.h"
#include "storage/package_row.h"
#include "storage/policy.h"
#include "storage/sending.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "storage/usage.h"

enum { PAGE = 64 };

struct make {
	const struct account *ac;
	struct slice name; /* of ac, or the one that was found */
	char text[NAMES_ACCOUNT_MAX + 1];
	uint64_t id;
	struct folder_maker folders;
	struct bind_txn bind;
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

/* 0: it is new. */
static int
look(struct db_txn *t, const struct make *m)
{
	struct account_row row;
	int rc = account_row_get(t, m->name, true, m->a, &row);

	if (rc != 0)
		return rc == ERR_NOTFOUND ? 0 : rc;
	switch (row.life) {
	case ACCOUNT_LIVES: break;
	case ACCOUNT_COMES:
	case ACCOUNT_GOES:
		return err_set(m->e, ERR_EXISTS,
		    "the account is being deleted: delete it again to finish");
	case ACCOUNT_BINNED:
		return err_set(m->e, ERR_EXISTS,
		    "the account has been deleted and may come back: "
		    "`account undelete`, or end it with `account del --now`");
	}
	return err_set(m->e, ERR_EXISTS, "there is such an account already");
}

static int
write_new(struct db_txn *t, struct make *m)
{
	const struct usage_limits l = account_limits(m->ac);
	struct account_row row = { .ac = *m->ac };
	struct account none = { 0 };
	int rc;

	row.ac.id = m->id;
	row.ac.name = m->name;
	row.ac.deleted_at = row.ac.purge_at = 0;
	row.ac.secret_version = 0;
	if (row.ac.created_at == 0)
		row.ac.created_at = clock_wall_sec();
	account_settle(&row, &none);
	if ((rc = account_put_secrets(t, &row, &none)) != 0 ||
	    (rc = account_row_put_id(t, m->id, m->name)) != 0 ||
	    (rc = address_bind_write(t, &m->bind)) != 0)
		return rc;
	return usage_account_set(
	    t, m->id, m->ac->package, &l, m->ac->uidl_format);
}

/* The package has room for one more. */
static int
take_place(struct db_txn *t, struct make *m)
{
	struct package_row pack;
	int rc = package_row_get(t, m->ac->package, true, m->a, &pack);

	if (rc == ERR_NOTFOUND)
		return err_set(m->e, rc, "there is no such package");
	if (rc != 0 || (rc = choose_name(m, &pack)) != 0)
		return rc;
	if (pack.p.accounts_max != 0 && pack.p.accounts >= pack.p.accounts_max)
		return err_set(m->e, ERR_LIMIT,
		    "the package has its %llu accounts already",
		    (unsigned long long)pack.p.accounts_max);
	pack.accounts++;
	return package_row_put(t, &pack, false);
}

static int
make_rows(struct db_txn *t, void *arg)
{
	struct make *m = arg;
	struct folder_maker *f = &m->folders;
	int rc;

	arena_clear(m->a);
	if ((rc = counter_next(t, SLICE("account"), 1, &m->id)) != 0 ||
	    (rc = folder_maker_numbers(t, f, FOLDER_DEFAULTS)) != 0 ||
	    (rc = take_place(t, m)) != 0)
		return rc;
	m->bind.account = m->name;
	f->account = m->id;
	if ((rc = address_bind_count(t, &m->bind)) != 0 ||
	    (rc = look(t, m)) != 0 || (rc = write_new(t, m)) != 0 ||
	    (rc = folder_maker_names(t, f)) != 0)
		return rc;
	return folder_maker_defaults(t, f);
}

/* From one state of life to another. */
struct turn {
	struct slice name;
	enum account_life to;
	int64_t purge_at; /* into the bin */
	struct arena *a;
	struct account_row row;
	struct err *e;
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

int
account_add(struct store *s, const struct account *ac,
    const struct account_bind *bind, struct arena *a, struct account *out,
    struct err *e)
{
	struct arena work;
	struct err why = { 0 };
	struct make m = { .ac = ac, .a = &work, .e = &why };
	int rc;

	*out = (struct account){ 0 };
	if ((rc = account_check(ac, e)) != 0)
		return rc;
	arena_init(&work);
	m.bind = (struct bind_txn){ .bind = bind, .a = &work, .e = &why };
	folder_maker_init(&m.folders, s, 0);
	rc = notify_routes(s, db_update(s->db, make_rows, &m));
	if (rc == 0)
		folder_maker_publish(&m.folders);
	folder_maker_fini(&m.folders);
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

	if (!names_is_account(tu->name, &package, NULL))
		return ERR_CORRUPT;
	rc = package_row_get(t, package, true, tu->a, &pack);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	if (rc == 0 && pack.accounts != 0) {
		pack.accounts--;
		if (tu->row.ac.deleted_at != 0 && pack.binned != 0)
			pack.binned--;
		if ((rc = package_row_put(t, &pack, false)) != 0)
			return rc;
	}
	if ((rc = account_row_get(t, tu->name, true, tu->a, &row)) != 0 ||
	    (rc = account_row_del(t, &row)) != 0)
		return rc;
	if ((rc = policy_drop(t, POLICY_ACCOUNT, tu->name)) != 0 ||
	    (rc = sending_drop(t, POLICY_ACCOUNT, tu->name)) != 0)
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
	struct slice package = SLICE("");
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
		rc = sending_purge(s, ev.account);
	if (rc == 0 && names_is_account(name, &package, NULL))
		rc = acl_purge(s, package, name);
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

/* One more or one less of the package's accounts is in the bin. */
static int
count_binned(struct db_txn *t, struct turn *tu)
{
	bool into = tu->to == ACCOUNT_BINNED;
	struct package_row pack;
	struct slice package = SLICE("");
	int rc;

	if (!names_is_account(tu->name, &package, NULL))
		return ERR_NOTFOUND;
	rc = package_row_get(t, package, true, tu->a, &pack);
	if (rc != 0)
		return rc;
	if (!into && pack.p.accounts_max != 0 &&
	    pack.p.accounts >= pack.p.accounts_max)
		return err_set(tu->e, ERR_LIMIT,
		    "the package has its %llu accounts already",
		    (unsigned long long)pack.p.accounts_max);
	if (into)
		pack.binned++;
	else if (pack.binned != 0)
		pack.binned--;
	return package_row_put(t, &pack, false);
}

static int
turn_binned(struct db_txn *t, void *arg)
{
	struct turn *tu = arg;
	bool into = tu->to == ACCOUNT_BINNED;
	int rc;

	/* Whether the package's count changes is seen before (FORMAT 4). */
	arena_clear(tu->a);
	rc = account_row_get(t, tu->name, false, tu->a, &tu->row);
	if (rc != 0 || tu->row.life == tu->to)
		return rc;
	if (tu->row.life != (into ? ACCOUNT_LIVES : ACCOUNT_BINNED))
		return ERR_NOTFOUND;
	if ((rc = count_binned(t, tu)) != 0 ||
	    (rc = account_row_get(t, tu->name, true, tu->a, &tu->row)) != 0)
		return rc;
	if (tu->row.life != (into ? ACCOUNT_LIVES : ACCOUNT_BINNED))
		return ERR_BUSY;
	tu->row.life = tu->to;
	tu->row.ac.deleted_at = into ? clock_wall_sec() : 0;
	tu->row.ac.purge_at = into ? tu->purge_at : 0;
	return account_row_put(t, &tu->row);
}

/* Broken off between state and addresses, the same command goes on. */
static int
move_binned(struct store *s, struct turn *tu)
{
	struct notify_event ev = { .kind = NOTIFY_ACCOUNT, .kick = true };
	int rc = db_update(s->db, turn_binned, tu);

	if (rc != 0)
		return rc;
	ev.account = tu->row.ac.id;
	notify_add(s, &ev);
	return tu->to == ACCOUNT_BINNED ? account_hide_addresses(s, tu->name)
					: account_show_addresses(s, tu->name);
}

static int
binned(struct store *s, struct slice name, enum account_life to,
    int64_t purge_at, struct err *e)
{
	struct arena a;
	struct err why = { 0 };
	struct turn tu = {
		.name = name, .to = to, .purge_at = purge_at, .a = &a, .e = &why
	};
	int rc;

	arena_init(&a);
	rc = move_binned(s, &tu);
	arena_clear(&a);
	if (rc != 0 && why.kind == rc)
		return err_set(e, rc, "%s", why.text);
	if (rc == ERR_NOTFOUND)
		return err_set(e, rc,
		    to == ACCOUNT_BINNED ? "there is no such account"
					 : "there is no such deleted account");
	return rc == 0 ? 0 : err_set(e, rc, "the account cannot be written");
}

int
account_bin(struct store *s, struct slice name, int64_t purge_at, struct err *e)
{
	return binned(s, name, ACCOUNT_BINNED, purge_at, e);
}

int
account_undelete(struct store *s, struct slice name, struct err *e)
{
	return binned(s, name, ACCOUNT_LIVES, 0, e);
}

int
account_purge(struct store *s, int64_t now, size_t most, size_t *gone_out)
{
	struct account *v;
	struct slice after = SLICE("");
	struct arena a;
	struct err e;
	size_t n = PAGE;
	int rc = 0;

	*gone_out = 0;
	arena_init(&a);
	v = arena_alloc(&a, PAGE * sizeof(*v));
	while (rc == 0 && n == PAGE && *gone_out < most) {
		rc = account_list_binned(s, after, &a, v, PAGE, &n);
		for (size_t i = 0; rc == 0 && i < n && *gone_out < most; i++) {
			after = v[i].name;
			if (v[i].purge_at > now)
				continue;
			rc = account_del(s, v[i].name, &e);
			*gone_out += rc == 0;
		}
	}
	arena_clear(&a);
	return rc;
}
