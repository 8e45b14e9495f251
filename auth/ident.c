#include "auth/ident.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>
#include <uninorm.h>

#include "lib/base/buf.h"
#include "lib/base/cset.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "storage/names.h"

enum { LABEL_MAX = 63, DOMAIN_MAX = 253, LOCAL_MAX = 64 };

bool
ident_is_account(struct slice s, size_t *package_len_out)
{
	struct slice package;

	if (!names_is_account(s, &package, NULL))
		return false;
	if (package_len_out != NULL)
		*package_len_out = package.n;
	return true;
}

/* Adds with ASCII letters lowered. */
static void
add_lower(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_add_char(b, ascii_lower(s.p[i]));
}

static int
finish(struct buf *b, char *out, struct err *e)
{
	int rc = 0;

	if (buf_failed(b) || !slice_copy(buf_slice(b), out, IDENT_MAX + 1)) {
		out[0] = '\0';
		rc = err_set(e, ERR_INVALID, "the name is too long");
	}
	buf_fini(b);
	return rc;
}

/* RFC 5891 4.4 asks for labels of letters, digits and inner hyphens. */
static bool
label_ok(struct slice l)
{
	if (l.n == 0 || l.n > LABEL_MAX || l.p[0] == '-' || l.p[l.n - 1] == '-')
		return false;
	for (size_t i = 0; i < l.n; i++)
		if (!cset_has(&cset_alnum, l.p[i]) && l.p[i] != '-' &&
		    l.p[i] != '_')
			return false;
	return true;
}

/* Lowered labels; a dot at the end is dropped. */
static int
add_ascii_domain(struct buf *b, struct slice s, struct err *e)
{
	struct slice rest, label;

	if (s.n != 0 && s.p[s.n - 1] == '.')
		s.n--;
	if (s.n == 0)
		return err_set(e, ERR_INVALID, "the domain is empty");
	if (s.n > DOMAIN_MAX)
		return err_set(e, ERR_INVALID, "the domain is too long");
	rest = s;
	while (slice_split(&rest, '.', &label))
		if (!label_ok(label))
			return err_set(
			    e, ERR_INVALID, "that is no domain name");
	add_lower(b, s);
	return 0;
}

/* U-labels become A-labels, RFC 5891 5. */
static int
add_idn_domain(struct buf *b, struct slice s, struct err *e)
{
	char u[IDENT_MAX + 1];
	uint8_t *ascii = NULL;
	int rc;

	if (!utf8_valid(s) || !slice_copy(s, u, sizeof(u)))
		return err_set(e, ERR_INVALID, "that is no domain name");
	rc = idn2_lookup_u8(
	    (const uint8_t *)u, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc != IDN2_OK) {
		(void)err_set(e, ERR_INVALID,
		    "the domain has letters that no domain may have");
		err_detail(e, "%s", idn2_strerror(rc));
		return ERR_INVALID;
	}
	rc = add_ascii_domain(b, slice_str((const char *)ascii), e);
	idn2_free(ascii);
	return rc;
}

static int
add_domain(struct buf *b, struct slice s, struct err *e)
{
	return utf8_is_ascii(s) ? add_ascii_domain(b, s, e)
				: add_idn_domain(b, s, e);
}

int
ident_fold_domain(struct slice s, char *out, struct err *e)
{
	struct buf b;
	int rc;

	out[0] = '\0';
	buf_init(&b, IDENT_MAX);
	if ((rc = add_domain(&b, s, e)) != 0) {
		buf_fini(&b);
		return rc;
	}
	return finish(&b, out, e);
}

/* No control bytes, no blanks, no way into a path. */
static int
check_name(struct slice s, struct err *e)
{
	for (size_t i = 0; i < s.n; i++)
		if (cset_has(&cset_ctl, s.p[i]) || s.p[i] == ' ' ||
		    s.p[i] == '/')
			return err_set(e, ERR_INVALID,
			    "the name has a byte that no name may have");
	if (slice_find(s, SLICE("..")) != s.n)
		return err_set(
		    e, ERR_INVALID, "the name has two dots in a row");
	if (!utf8_valid(s))
		return err_set(e, ERR_INVALID, "the name is not UTF-8");
	return 0;
}

/* RFC 6532 3.1 wants NFC; only ASCII letters are lowered, since what another
 * letter's small form is depends on the language. */
static int
add_local(struct buf *b, struct slice s, struct err *e)
{
	uint8_t *nfc;
	size_t n;
	int rc;

	if (s.n > LOCAL_MAX)
		return err_set(e, ERR_INVALID, "the part before @ is too long");
	if ((rc = check_name(s, e)) != 0)
		return rc;
	if (utf8_is_ascii(s)) {
		add_lower(b, s);
		return 0;
	}
	nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)s.p, s.n, NULL, &n);
	if (nfc == NULL)
		return err_set(e, ERR_INVALID, "the name is not UTF-8");
	add_lower(b, slice_of(nfc, n));
	free(nfc);
	return 0;
}

/* A quoted local part that needs no quotes is the same without them, RFC 5321
 * 4.1.2. */
static struct slice
unquoted(struct slice local)
{
	if (local.n < 3 || local.p[0] != '"' || local.p[local.n - 1] != '"')
		return local;
	for (size_t i = 1; i < local.n - 1; i++)
		if (!cset_has(&cset_atext, local.p[i]) && local.p[i] != '.')
			return local;
	return slice_sub(local, 1, local.n - 2);
}

static int
add_address(struct buf *b, struct slice s, struct err *e)
{
	size_t at = slice_rchr(s, '@');
	struct slice local;
	int rc;

	if (at == s.n)
		return err_set(e, ERR_INVALID, "an address has an @");
	local = unquoted(slice_sub(s, 0, at));
	if (slice_chr(local, '@') != local.n && local.p[0] != '"')
		return err_set(e, ERR_INVALID, "an address has one @");
	if ((rc = add_local(b, local, e)) != 0)
		return rc;
	buf_add_char(b, '@');
	return add_domain(b, slice_from(s, at + 1), e);
}

int
ident_fold_address(struct slice s, char *out, struct err *e)
{
	struct buf b;
	int rc;

	out[0] = '\0';
	buf_init(&b, IDENT_MAX);
	if ((rc = add_address(&b, s, e)) != 0) {
		buf_fini(&b);
		return rc;
	}
	return finish(&b, out, e);
}

int
ident_fold_login(struct slice s, char *out, bool *is_address_out, struct err *e)
{
	struct buf b;
	int rc;

	/* Telephones add a blank behind what they completed. */
	s = slice_trim(s);
	*is_address_out = slice_chr(s, '@') != s.n;
	out[0] = '\0';
	if (s.n == 0 || s.p[0] == '@')
		return err_set(e, ERR_INVALID, "the login is empty");
	if (*is_address_out)
		return ident_fold_address(s, out, e);
	buf_init(&b, IDENT_MAX);
	if ((rc = add_local(&b, s, e)) != 0) {
		buf_fini(&b);
		return rc;
	}
	return finish(&b, out, e);
}

static int
fold_short(struct slice s, bool (*is)(struct slice s), const char *what,
    char *out, struct err *e)
{
	struct buf b;
	int rc;

	buf_init(&b, IDENT_MAX);
	add_lower(&b, s);
	if ((rc = finish(&b, out, e)) != 0)
		return rc;
	if (is(slice_str(out)))
		return 0;
	out[0] = '\0';
	return err_set(e, ERR_INVALID, "%s", what);
}

int
ident_fold_package(struct slice s, char *out, struct err *e)
{
	return fold_short(s, names_is_package,
	    "a package is named \"web\" and a number, like web100", out, e);
}

static bool
is_account(struct slice s)
{
	return names_is_account(s, NULL, NULL);
}

int
ident_fold_account(struct slice s, char *out, struct err *e)
{
	return fold_short(s, is_account,
	    "an account is named by its package, \"p\" and a number, like "
	    "web100p1",
	    out, e);
}

void
ident_split_login(struct slice login, char sep, struct slice *name_out,
    struct slice *suffix_out)
{
	size_t at = slice_chr(login, '@');
	size_t from = at == login.n ? 0 : at + 1;
	size_t cut = from + slice_chr(slice_from(login, from), sep);

	*name_out = slice_sub(login, 0, cut);
	*suffix_out = slice_from(login, cut < login.n ? cut + 1 : cut);
}
