#include "storage/uidl.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/num.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum {
	FORMAT = 1,
	KEY_MAX = 8 + UIDL_MAX,
	VALUE = 5,
	WIDTH_MAX = 20,
	DIGITS_MAX = 10, /* of 32 bits */
	TRIES = 8
};

/* ---- formats ---- */

/* One piece: a byte as it is, or a number. */
struct piece {
	char what; /* 'u', 'v', or 0 for the byte */
	char byte;
	char base; /* 'd', 'x', 'X' */
	bool zeros;
	unsigned width;
};

/* format = *(byte / "%%" / "%" ["0"] [width] ["x" / "X"] ("u" / "v")) */
static bool
next_piece(struct slice *f, struct piece *out)
{
	size_t i = 1;

	*out = (struct piece){ .byte = f->p[0], .base = 'd' };
	if (f->p[0] != '%' || (f->n > 1 && f->p[1] == '%')) {
		*f = slice_from(*f, f->p[0] == '%' ? 2 : 1);
		return out->byte >= 0x21 && out->byte <= 0x7e;
	}
	out->zeros = i < f->n && f->p[i] == '0';
	for (; i < f->n && f->p[i] >= '0' && f->p[i] <= '9'; i++)
		if ((out->width = out->width * 10 + (unsigned)(f->p[i] - '0')) >
		    WIDTH_MAX)
			return false;
	if (i < f->n && (f->p[i] == 'x' || f->p[i] == 'X'))
		out->base = f->p[i++];
	if (i == f->n || (f->p[i] != 'u' && f->p[i] != 'v') ||
	    (out->width != 0 && !out->zeros))
		return false; /* blanks would fill the width */
	out->what = f->p[i];
	*f = slice_from(*f, i + 1);
	return true;
}

bool
uidl_format_ok(struct slice format)
{
	struct slice left = format;
	bool uid = false, validity = false;
	size_t most = 0;
	struct piece p;

	while (left.n != 0) {
		if (!next_piece(&left, &p))
			return false;
		uid |= p.what == 'u';
		validity |= p.what == 'v';
		most += p.what == 0            ? 1
			: p.width > DIGITS_MAX ? p.width
					       : DIGITS_MAX;
	}
	return uid && validity && most <= UIDL_MAX &&
	       format.n <= UIDL_FORMAT_MAX;
}

static size_t
put_number(const struct piece *p, uint32_t value, char *out, size_t room)
{
	int width = (int)p->width, n;

	if (p->base == 'd')
		n = snprintf(out, room, "%0*u", width, value);
	else if (p->base == 'x')
		n = snprintf(out, room, "%0*x", width, value);
	else
		n = snprintf(out, room, "%0*X", width, value);
	return n < 0 || (size_t)n >= room ? 0 : (size_t)n;
}

size_t
uidl_render(struct slice format, uint32_t validity, uint32_t uid, char *out)
{
	char text[UIDL_MAX + 1];
	struct piece p;
	size_t n = 0;

	while (format.n != 0 && n < UIDL_MAX && next_piece(&format, &p)) {
		if (p.what == 0)
			text[n++] = p.byte;
		else
			n += put_number(&p, p.what == 'u' ? uid : validity,
			    text + n, sizeof(text) - n);
	}
	memcpy(out, text, n);
	return n;
}

bool
uidl_ok(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 0x21 || text.p[i] > 0x7e)
			return false;
	return text.n != 0 && text.n <= UIDL_MAX;
}

/* ---- rows ---- */

static struct slice
make_key(char key[KEY_MAX], uint64_t account, struct slice text)
{
	num_put64(key, account);
	memcpy(key + 8, text.p, text.n);
	return slice_of(key, 8 + text.n);
}

static int
owner_of(struct db_txn *t, uint64_t account, struct slice text, bool rmw,
    uint32_t *uid_out)
{
	char buf[KEY_MAX], v[VALUE];
	struct slice key;
	size_t n;
	int rc;

	if (text.n > UIDL_MAX)
		return ERR_NOTFOUND;
	key = make_key(buf, account, text);
	rc = rmw ? db_get_rmw(t, T_UIDL, key, v, sizeof(v), &n)
		 : db_get(t, T_UIDL, key, v, sizeof(v), &n);
	if (rc != 0)
		return rc;
	if (n != VALUE || v[0] != FORMAT)
		return ERR_CORRUPT;
	*uid_out = num_get32(v + 1);
	return 0;
}

int
uidl_owner(
    struct db_txn *t, uint64_t account, struct slice text, uint32_t *uid_out)
{
	return owner_of(t, account, text, false, uid_out);
}

static struct slice
text_of(const struct uidl *u)
{
	return slice_of(u->text, u->n);
}

/* "17.4711": what a message of the folder has, or will have, without a row;
 * which UID that is, 0: not of this form. */
static uint32_t
usual_for(const struct uidl *u)
{
	struct slice text = text_of(u);
	size_t dot = slice_chr(text, '.');
	uint64_t v, uid;

	if (dot == text.n || text.p[0] == '0' ||
	    !num_parse(slice_sub(text, 0, dot), UINT32_MAX, &v) ||
	    !num_parse(slice_from(text, dot + 1), UINT32_MAX, &uid) ||
	    text.p[dot + 1] == '0' || v != u->validity)
		return 0;
	return (uint32_t)uid;
}

static void
add_suffix(struct uidl *u)
{
	char tail[16];
	int n = snprintf(tail, sizeof(tail), "-%u", u->uid);
	size_t keep = u->n;

	if (keep + (size_t)n > UIDL_MAX)
		keep = UIDL_MAX - (size_t)n;
	memcpy(u->text + keep, tail, (size_t)n);
	u->n = (uint32_t)(keep + (size_t)n);
}

static int
put_row(struct db_txn *t, const struct uidl *u)
{
	char key[KEY_MAX], v[VALUE];

	v[0] = FORMAT;
	num_put32(v + 1, u->uid);
	return db_put(t, T_UIDL, make_key(key, u->account, text_of(u)),
	    slice_of(v, sizeof(v)));
}

int
uidl_claim(struct db_txn *t, struct uidl *u)
{
	uint32_t uid, usual = usual_for(u);
	int rc = 0;

	if (usual == u->uid) {
		u->n = 0;
		return 0;
	}
	if (usual != 0)
		add_suffix(u);
	for (int i = 0; i < TRIES; i++, add_suffix(u)) {
		rc = owner_of(t, u->account, text_of(u), true, &uid);
		if (rc == ERR_NOTFOUND)
			return put_row(t, u);
		if (rc != 0)
			return rc;
	}
	u->n = 0; /* the usual one is always free */
	return 0;
}

int
uidl_release(struct db_txn *t, uint64_t account, struct slice text)
{
	char key[KEY_MAX];
	int rc;

	if (text.n == 0 || text.n > UIDL_MAX)
		return 0;
	rc = db_del(t, T_UIDL, make_key(key, account, text));
	return rc == ERR_NOTFOUND ? 0 : rc;
}

struct any {
	uint64_t account;
	bool found;
};

static int
any_txn(struct db_txn *t, void *arg)
{
	struct any *a = arg;
	char from[8], to[8];
	struct db_scan *scan = NULL;
	struct slice key, value;
	int rc;

	num_put64(from, a->account);
	num_put64(to, a->account + 1);
	rc = db_scan_init(t, T_UIDL, slice_of(from, 8), slice_of(to, 8), &scan);
	if (rc == 0)
		rc = db_scan_next(scan, &key, &value);
	db_scan_fini(&scan);
	a->found = rc == 0;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
uidl_any(struct store *s, uint64_t account, bool *any_out)
{
	struct any a = { account, false };
	int rc = db_read(s->db, any_txn, &a);

	*any_out = a.found;
	return rc;
}
