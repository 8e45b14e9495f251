#include "auth/strength.h"

/* Bytes that begin a character in UTF-8. */
static uint64_t
characters(struct slice s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static bool
is_listed(struct slice list, struct slice password)
{
	struct slice line;

	while (list.n != 0 && slice_split(&list, '\n', &line)) {
		if (line.n != 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n != 0 && slice_ieq(line, password))
			return true;
	}
	return false;
}

int
strength_check(const struct strength *p, struct slice password,
    struct slice name, struct err *e)
{
	if (characters(password) < p->min)
		return err_set(e, ERR_INVALID,
		    "the password is too short: %llu characters at least",
		    (unsigned long long)p->min);
	if (name.n != 0 && slice_ieq(password, name))
		return err_set(
		    e, ERR_INVALID, "the password is the account's name");
	if (is_listed(p->denied, password))
		return err_set(e, ERR_INVALID,
		    "the password is one that everybody tries first");
	return 0;
}
