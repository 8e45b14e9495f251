#include "imapd/parse_acl.h"

enum { WHO_MAX = 320 };

/* SP mailbox SP identifier */
static bool
parse_head(struct parse *p, struct args_acl *a)
{
	char *low;

	if (!parse_sp(p) || !parse_mailbox(p, &a->name) || !parse_sp(p) ||
	    !parse_astring(p, &a->as_said))
		return false;
	/* RFC 4314 3: what is empty or too odd for a name is BAD. */
	if (a->as_said.n == 0 || a->as_said.n > WHO_MAX)
		return cur_fail(&p->c, "that is no identifier");
	low = arena_bytes(p->a, a->as_said.n);
	for (size_t i = 0; i < a->as_said.n; i++) {
		unsigned char c = (unsigned char)a->as_said.p[i];

		if (c <= ' ' || c == 0x7f)
			return cur_fail(&p->c, "that is no identifier");
		low[i] = ascii_lower((char)c);
	}
	a->who = slice_of(low, a->as_said.n);
	return true;
}

/* mod-rights = astring ;; +rights to add, -rights to remove */
static bool
parse_mod_rights(struct parse *p, struct args_acl *a)
{
	struct slice text;

	if (!parse_astring(p, &text))
		return false;
	a->op = ACL_SET;
	if (text.n != 0 && (text.p[0] == '+' || text.p[0] == '-')) {
		a->op = text.p[0] == '+' ? ACL_ADD : ACL_TAKE;
		text = slice_from(text, 1);
	}
	return rights_parse(text, &a->rights) ||
	       cur_fail(&p->c, "a right that is not known");
}

/* setacl = "SETACL" SP mailbox SP identifier SP mod-rights */
bool
parse_setacl(struct parse *p, void **args_out)
{
	struct args_acl *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	return parse_head(p, a) && parse_sp(p) && parse_mod_rights(p, a) &&
	       parse_end(p);
}

/* deleteacl = "DELETEACL" SP mailbox SP identifier; listrights the same */
bool
parse_identifier(struct parse *p, void **args_out)
{
	struct args_acl *a = arena_alloc(p->a, sizeof(*a));

	*args_out = a;
	return parse_head(p, a) && parse_end(p);
}
