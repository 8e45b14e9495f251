#include "pop3d/parse.h"

#include "lib/base/cur.h"
#include "lib/base/num.h"

/* RFC 2449 4: keyword = 3*4VCHAR; letters are all that anybody defined. */
bool
pop3_parse(struct slice line, struct pop3_line *out)
{
	struct slice rest, word;
	struct cur c;

	*out = (struct pop3_line){ 0 };
	cur_init(&c, line);
	if (!cur_span1(&c, &cset_alpha, &out->name) || out->name.n < 3 ||
	    out->name.n > 4)
		return false;
	if (cur_eof(&c))
		return true;
	if (!cur_byte(&c, ' '))
		return false;
	out->rest = rest = cur_rest(&c);
	for (size_t i = 0; i < rest.n; i++)
		if (cset_has(&cset_ctl, rest.p[i]))
			return false;
	/* Trailing blanks are common; PASS still sees them in rest. */
	rest = slice_trim(rest);
	while (rest.n != 0 && slice_split(&rest, ' ', &word)) {
		if (out->nargs < 2)
			out->arg[out->nargs] = word;
		out->nargs = out->nargs < 2 ? out->nargs + 1 : 3;
	}
	return true;
}

bool
pop3_number(struct slice s, uint32_t *out)
{
	uint64_t v;
	bool ok = num_parse(s, UINT32_MAX, &v);

	*out = (uint32_t)v;
	return ok;
}

void
pop3_split_login(
    struct slice login, struct slice *name_out, struct slice *folder_out)
{
	size_t plus = slice_chr(login, '+');

	*name_out = login;
	*folder_out = SLICE("");
	if (plus == login.n || slice_chr(login, '@') != login.n)
		return;
	*name_out = slice_sub(login, 0, plus);
	*folder_out = slice_from(login, plus + 1);
}
