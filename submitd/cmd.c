#include "submitd/cmd.h"

enum { MAIL_ROLES = ROLE_MX | ROLE_SUBMIT, ALL_ROLES = MAIL_ROLES | ROLE_LMTP };

static const struct smtp_cmd cmds[] = {
	/* verb        for         in_job handler */
	{ "EHLO", MAIL_ROLES, false, smtp_ehlo }, /* RFC 5321 4.1.1.1 */
	{ "HELO", MAIL_ROLES, false, smtp_helo },
	{ "LHLO", ROLE_LMTP, false, smtp_ehlo }, /* RFC 2033 4.1 */
	{ "MAIL", ALL_ROLES, true, smtp_mail },  /* RFC 5321 4.1.1.2 */
	{ "RCPT", ALL_ROLES, true, smtp_rcpt },  /* RFC 5321 4.1.1.3 */
	{ "DATA", ALL_ROLES, false, smtp_data }, /* RFC 5321 4.1.1.4 */
	{ "RSET", ALL_ROLES, false, smtp_rset }, /* RFC 5321 4.1.1.5 */
	{ "VRFY", ALL_ROLES, false, smtp_vrfy }, /* RFC 5321 4.1.1.6 */
	{ "HELP", ALL_ROLES, false, smtp_help }, /* RFC 5321 4.1.1.8 */
	{ "NOOP", ALL_ROLES, false, smtp_noop }, /* RFC 5321 4.1.1.9 */
	{ "QUIT", ALL_ROLES, false, smtp_quit }, /* RFC 5321 4.1.1.10 */
	{ "STARTTLS", MAIL_ROLES, false, smtp_starttls }, /* RFC 3207 */
	{ "AUTH", ROLE_SUBMIT, false, smtp_auth },        /* RFC 4954 */
};

const struct smtp_cmd *
cmd_find(struct slice verb)
{
	for (size_t i = 0; i < PH_LEN(cmds); i++)
		if (slice_ieq_str(verb, cmds[i].verb))
			return &cmds[i];
	return NULL;
}
