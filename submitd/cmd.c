#include "submitd/cmd.h"

enum { MAIL_ROLES = ROLE_MX | ROLE_SUBMIT, ALL_ROLES = MAIL_ROLES | ROLE_LMTP };

/* clang-format off */
static const struct smtp_cmd cmds[] = {
	/* verb, arguments, for, waits, handler */
	/* RFC 5321 4.1.1 */
	{ "EHLO", "HOST", MAIL_ROLES, NULL, smtp_ehlo },
	{ "HELO", "HOST", MAIL_ROLES, NULL, smtp_helo },
	{ "LHLO", "HOST", ROLE_LMTP, NULL, smtp_ehlo }, /* RFC 2033 4.1 */
	{ "MAIL", "FROM:<ADDRESS> [PARAMETER=VALUE ...]", ALL_ROLES,
	    smtp_mail_waits, smtp_mail },
	{ "RCPT", "TO:<ADDRESS> [PARAMETER=VALUE ...]", ALL_ROLES,
	    smtp_rcpt_waits, smtp_rcpt },
	{ "DATA", "", ALL_ROLES, NULL, smtp_data },
	{ "BDAT", "SIZE [LAST]", ALL_ROLES, NULL, smtp_bdat }, /* RFC 3030 */
	{ "RSET", "", ALL_ROLES, NULL, smtp_rset },
	{ "VRFY", "ADDRESS", ALL_ROLES, NULL, smtp_vrfy },
	{ "HELP", "[COMMAND]", ALL_ROLES, NULL, smtp_help },
	{ "NOOP", "", ALL_ROLES, NULL, smtp_noop },
	{ "QUIT", "", ALL_ROLES, NULL, smtp_quit },
	{ "STARTTLS", "", MAIL_ROLES, NULL, smtp_starttls }, /* RFC 3207 */
	{ "XCLIENT", "ATTRIBUTE=VALUE ...", MAIL_ROLES, NULL, smtp_xclient },
	{ "AUTH", "MECHANISM [RESPONSE]", ROLE_SUBMIT, NULL,
	    smtp_auth }, /* RFC 4954 */
};
/* clang-format on */

const struct smtp_cmd *
cmd_find(struct slice verb)
{
	for (size_t i = 0; i < PH_LEN(cmds); i++)
		if (slice_ieq_str(verb, cmds[i].verb))
			return &cmds[i];
	return NULL;
}

const struct smtp_cmd *
cmd_next(const struct smtp_cmd *at)
{
	if (at == NULL)
		return cmds;
	return ++at == cmds + PH_LEN(cmds) ? NULL : at;
}
