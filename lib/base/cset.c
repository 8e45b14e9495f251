#include "lib/base/cset.h"

#define DIGITS UINT64_C(0x03ff000000000000)
#define LETTERS UINT64_C(0x07fffffe07fffffe)
#define ALL UINT64_MAX

const struct cset cset_digit = { { DIGITS, 0, 0, 0 } };
const struct cset cset_alpha = { { 0, LETTERS, 0, 0 } };
const struct cset cset_alnum = { { DIGITS, LETTERS, 0, 0 } };
const struct cset cset_hex = { { DIGITS, UINT64_C(0x0000007e0000007e), 0, 0 } };
const struct cset cset_vchar = { { ~CSET_CTL0 & ~CSET_BIT(' '), ~CSET_DEL1, 0,
    0 } };
const struct cset cset_ctl = { { CSET_CTL0, CSET_DEL1, 0, 0 } };
const struct cset cset_wsp = { { CSET_BIT(' ') | CSET_BIT('\t'), 0, 0, 0 } };
const struct cset cset_8bit = { { 0, 0, ALL, ALL } };

/* "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "/" / "=" / "?" /
 * "^" / "_" / "`" / "{" / "|" / "}" / "~" and letters and digits */
const struct cset cset_atext = {
	{ DIGITS | CSET_BIT('!') | CSET_BIT('#') | CSET_BIT('$') |
		CSET_BIT('%') | CSET_BIT('&') | CSET_BIT('\'') | CSET_BIT('*') |
		CSET_BIT('+') | CSET_BIT('-') | CSET_BIT('/') | CSET_BIT('=') |
		CSET_BIT('?'),
	    LETTERS | CSET_BIT('^') | CSET_BIT('_') | CSET_BIT('`') |
		CSET_BIT('{') | CSET_BIT('|') | CSET_BIT('}') | CSET_BIT('~'),
	    0, 0 }
};
