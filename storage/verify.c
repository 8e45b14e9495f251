#include "storage/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/queue.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "storage/verify_priv.h"

void
verify_breach(struct verify *v, const char *fmt, ...)
{
	char line[300];
	va_list ap;

	v->breaches++;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (v->report != NULL)
		buf_printf(v->report, "%s\n", line);
}

void
verify_list_add(struct verify_list *l, uint64_t x)
{
	l->v = mem_grow(l->v, &l->cap, l->n, sizeof(*l->v));
	l->v[l->n++] = x;
}

struct verify_usage *
verify_usage_of(struct verify *v, uint64_t account)
{
	struct verify_usage *u = map_get_u64(&v->usage, account);

	if (u == NULL) {
		u = xcalloc(1, sizeof(*u));
		map_put_u64(&v->usage, account, u);
	}
	return u;
}

/* Usage rows: their accounts, packages. */
struct sums {
	struct verify *v;
	struct map packages; /* name -> struct verify_usage */
	size_t naccounts;
};

enum { USAGE_FIXED = 41 };

static void
account_row(struct sums *s, struct slice key, struct slice value)
{
	uint64_t account = num_get64(key.p + 1);
	struct verify_usage *u = map_get_u64(&s->v->usage, account);
	struct verify_usage none = { 0, 0 }, *p;
	struct slice package = slice_from(value, USAGE_FIXED);

	package = slice_sub(package, 0, slice_chr(package, '\0'));
	s->naccounts += u != NULL;
	u = u != NULL ? u : &none;
	if (num_get64(value.p + 1) != u->bytes ||
	    num_get64(value.p + 9) != u->messages)
		verify_breach(s->v,
		    "5 usage: account %llu has %llu bytes, %llu messages; "
		    "the row says %llu, %llu",
		    (unsigned long long)account, (unsigned long long)u->bytes,
		    (unsigned long long)u->messages,
		    (unsigned long long)num_get64(value.p + 1),
		    (unsigned long long)num_get64(value.p + 9));
	if ((p = map_get(&s->packages, package)) == NULL) {
		p = xcalloc(1, sizeof(*p));
		map_put(&s->packages, package, p);
	}
	p->bytes += num_get64(value.p + 1);
	p->messages += num_get64(value.p + 9);
}

static void
package_row(struct sums *s, struct slice key, struct slice value)
{
	struct verify_usage none = { 0, 0 };
	struct verify_usage *p = map_get(&s->packages, slice_from(key, 1));

	p = p != NULL ? p : &none;
	if (num_get64(value.p + 1) != p->bytes ||
	    num_get64(value.p + 9) != p->messages)
		verify_breach(s->v,
		    "5 usage: the accounts of package %.*s have %llu bytes, "
		    "%llu messages; the row says %llu, %llu",
		    (int)(key.n - 1), key.p + 1, (unsigned long long)p->bytes,
		    (unsigned long long)p->messages,
		    (unsigned long long)num_get64(value.p + 1),
		    (unsigned long long)num_get64(value.p + 9));
}

static int
walk_usage(struct db_txn *t, struct sums *s, char kind,
    void (*fn)(struct sums *s, struct slice key, struct slice value))
{
	char to = (char)(kind + 1);
	struct db_scan *scan = NULL;
	struct slice key, value;
	int rc;

	rc = db_scan_init(
	    t, T_USAGE, slice_of(&kind, 1), slice_of(&to, 1), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (value.n < USAGE_FIXED || (kind == 'a' && key.n != 9))
			verify_breach(s->v, "usage: a damaged row");
		else
			fn(s, key, value);
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
verify_usage(struct db_txn *t, struct verify *v)
{
	struct sums s = { .v = v };
	int rc;

	map_init(&s.packages);
	rc = walk_usage(t, &s, 'a', account_row);
	if (rc == 0)
		rc = walk_usage(t, &s, 'p', package_row);
	if (rc == 0 && s.naccounts != v->usage.n)
		verify_breach(v,
		    "5 usage: %zu accounts have folders, %zu of "
		    "them a row",
		    v->usage.n, s.naccounts);
	map_fini(&s.packages, free);
	return rc;
}

/* The queue. */

struct due {
	struct verify *v;
	struct map at; /* queue id -> when and whose */
	size_t n;
};

static int
due_txn(struct db_txn *t, void *arg)
{
	struct due *d = arg;
	struct slice none = { NULL, 0 }, key, value;
	struct db_scan *scan = NULL;
	int rc = db_scan_init(t, T_QUEUE_DUE, none, none, &scan);

	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		uint64_t *when, id;

		if (key.n != 24) {
			verify_breach(d->v, "queue_due: a damaged key");
			continue;
		}
		id = num_get64(key.p + 16);
		when = xmalloc(2 * sizeof(*when));
		when[0] = num_get64(key.p + 8);
		when[1] = num_get64(key.p);
		d->n++;
		if ((when = map_put_u64(&d->at, id, when)) != NULL) {
			verify_breach(d->v, "7 queue: %llu is due twice",
			    (unsigned long long)id);
			free(when);
		}
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static void
check_row(struct due *d, const struct queue_row *row)
{
	uint64_t *when = map_del_u64(&d->at, row->id);

	verify_list_add(&d->v->bodies, row->body);
	if (when == NULL || when[1] != row->account ||
	    when[0] !=
		(uint64_t)(row->state == QUEUE_HELD ? INT64_MAX : row->next_at))
		verify_breach(d->v,
		    "7 queue: %llu, state %d, due row is missing or wrong",
		    (unsigned long long)row->id, (int)row->state);
	free(when);
}

int
verify_queue(struct verify *v)
{
	struct due d = { .v = v };
	struct queue_row rows[100];
	struct arena a;
	uint64_t after = 0;
	size_t n;
	int rc;

	map_init(&d.at);
	arena_init(&a);
	rc = db_walk(v->store->db, due_txn, &d);
	do {
		arena_clear(&a);
		n = 0;
		if (rc == 0)
			rc = queue_list(
			    v->store, after, &a, rows, PH_LEN(rows), &n);
		for (size_t i = 0; i < n; i++)
			check_row(&d, &rows[i]);
		after = n > 0 ? rows[n - 1].id : 0;
	} while (rc == 0 && n > 0);
	if (rc == 0 && d.at.n > 0)
		verify_breach(
		    v, "7 queue: %zu due rows without a queue row", d.at.n);
	arena_clear(&a);
	map_fini(&d.at, free);
	return rc;
}

static int
verify_txn(struct db_txn *t, void *arg)
{
	struct verify *v = arg;
	int rc;

	if ((rc = verify_folders(t, v)) != 0 || (rc = verify_refs(t, v)) != 0)
		return rc;
	if ((rc = verify_usage(t, v)) != 0)
		return rc;
	if ((rc = verify_accounts(t, v)) != 0)
		return rc;
	return verify_acl(t, v);
}

int
store_verify(struct store *s, struct buf *report)
{
	struct verify v = { .store = s, .report = report };
	int rc;

	map_init(&v.usage);
	rc = verify_queue(&v);
	if (rc == 0)
		rc = db_walk(s->db, verify_txn, &v);
	map_fini(&v.usage, free);
	free(v.pairs);
	free(v.bodies.v);
	free(v.sharing.v);
	if (rc != 0)
		return rc;
	return v.breaches > 0 ? ERR_CORRUPT : 0;
}
