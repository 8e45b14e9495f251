#include "pop3d/cmd.h"

static const struct pop3_cmd cmds[] = {
	/* name    runs in              how         handler */
	{ "USER", ST_AUTH, CMD_LOOP, pop3_user },              /* RFC 1939 7 */
	{ "PASS", ST_AUTH, CMD_STARTS, pop3_pass },            /* RFC 1939 7 */
	{ "AUTH", ST_AUTH, CMD_STARTS, pop3_auth },            /* RFC 5034 4 */
	{ "STLS", ST_AUTH, CMD_STARTS, pop3_stls },            /* RFC 2595 4 */
	{ "CAPA", ST_AUTH | ST_TRANS, CMD_LOOP, pop3_capa },   /* RFC 2449 5 */
	{ "QUIT", ST_AUTH | ST_TRANS, CMD_STARTS, pop3_quit }, /* 1939 4, 6 */
	{ "STAT", ST_TRANS, CMD_STORE, pop3_stat },            /* RFC 1939 5 */
	{ "LIST", ST_TRANS, CMD_STORE, pop3_list },
	{ "RETR", ST_TRANS, CMD_STORE, pop3_retr },
	{ "DELE", ST_TRANS, CMD_LOOP, pop3_dele },
	{ "NOOP", ST_TRANS, CMD_LOOP, pop3_noop },
	{ "RSET", ST_TRANS, CMD_LOOP, pop3_rset },
	{ "TOP", ST_TRANS, CMD_STORE, pop3_top },   /* RFC 1939 7 */
	{ "UIDL", ST_TRANS, CMD_STORE, pop3_uidl }, /* RFC 1939 7 */
};

const struct pop3_cmd *
cmd_find(struct slice name)
{
	for (size_t i = 0; i < PH_LEN(cmds); i++)
		if (slice_ieq_str(name, cmds[i].name))
			return &cmds[i];
	return NULL;
}
