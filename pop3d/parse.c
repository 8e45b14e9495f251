#include "pop3d/parse.h"

#include "lib/base/cur.h"
#include "lib/base/num.h"

/* RFC 2449 4: keyword = 3*4VCHAR; letters and digits are all that anybody
 * defined. */
bool
pop3_parse(struct slice line, struct pop3_line *out)
{
	struct slice rest, word;
	struct cur c;

	*out = (struct pop3_line){ 0 };
	cur_init(&c, line);
	if (!cur_span1(&c, &cset_alnum, &out->name) || out->name.n < 3 ||
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
