#include "storage/names.h"

#include "lib/base/cset.h"
#include "lib/base/cur.h"

/* A number 1..NAMES_NUMBER_MAX without leading zero. */
static bool
number(struct cur *c, uint64_t *out)
{
	if (cur_peek(c) == '0')
		return cur_fail(c, "leading zero");
	return cur_u64(c, NAMES_NUMBER_MAX, out);
}

static bool
package(struct cur *c)
{
	uint64_t n;

	return cur_byte(c, 'w') && cur_byte(c, 'e') && cur_byte(c, 'b') &&
	       number(c, &n);
}

bool
names_is_package(struct slice s)
{
	struct cur c;

	cur_init(&c, s);
	return package(&c) && cur_end(&c);
}

bool
names_is_account(
    struct slice s, struct slice *package_out, uint64_t *number_out)
{
	struct cur c;
	uint64_t n = 0;
	size_t at;

	cur_init(&c, s);
	if (!package(&c))
		return false;
	at = cur_pos(&c);
	if (!cur_byte(&c, 'p') || !number(&c, &n) || !cur_end(&c))
		return false;
	if (package_out != NULL)
		*package_out = slice_sub(s, 0, at);
	if (number_out != NULL)
		*number_out = n;
	return true;
}

static bool
is_plain(struct slice s, char more)
{
	for (size_t i = 0; i < s.n; i++)
		if (cset_has(&cset_ctl, s.p[i]) || s.p[i] == more)
			return false;
	return true;
}

bool
names_is_domain(struct slice s)
{
	return s.n != 0 && s.n <= NAMES_DOMAIN_MAX && is_plain(s, '@') &&
	       is_plain(s, ' ') && is_plain(s, '/');
}

bool
names_is_address(struct slice s)
{
	return s.n <= NAMES_ADDRESS_MAX &&
	       names_is_domain(names_domain_of(s)) &&
	       is_plain(names_local_of(s), '\0');
}

struct slice
names_domain_of(struct slice addr)
{
	return slice_from(addr, slice_rchr(addr, '@') + 1);
}

struct slice
names_local_of(struct slice addr)
{
	return slice_sub(addr, 0, slice_rchr(addr, '@'));
}
