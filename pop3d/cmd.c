#include "pop3d/cmd.h"

#define BOTH (ST_AUTH | ST_TRANS)

static const struct pop3_cmd cmds[] = {
	/* name    runs in   how         handler */
	{ "USER", ST_AUTH, CMD_LOOP, pop3_user, false },   /* RFC 1939 7 */
	{ "PASS", ST_AUTH, CMD_STARTS, pop3_pass, false }, /* RFC 1939 7 */
	{ "AUTH", ST_AUTH, CMD_STARTS, pop3_auth, false }, /* RFC 5034 4 */
	{ "STLS", ST_AUTH, CMD_STARTS, pop3_stls, false }, /* RFC 2595 4 */
	{ "CAPA", BOTH, CMD_LOOP, pop3_capa, false },      /* RFC 2449 5 */
	{ "QUIT", BOTH, CMD_STARTS, pop3_quit, false },    /* 1939 4, 6 */
	{ "STAT", ST_TRANS, CMD_STAT, pop3_stat, false },  /* RFC 1939 5 */
	{ "LIST", ST_TRANS, CMD_STORE, pop3_list, false },
	{ "RETR", ST_TRANS, CMD_RETR, pop3_retr, false },
	{ "DELE", ST_TRANS, CMD_QUICK, pop3_dele, false },
	{ "NOOP", ST_TRANS, CMD_QUICK, pop3_noop, false },
	{ "RSET", ST_TRANS, CMD_QUICK, pop3_rset, false },
	{ "TOP", ST_TRANS, CMD_STORE, pop3_top, false },   /* RFC 1939 7 */
	{ "UIDL", ST_TRANS, CMD_STORE, pop3_uidl, false }, /* RFC 1939 7 */
	{ "UTF8", ST_AUTH, CMD_LOOP, pop3_utf8, true },    /* RFC 6856 2.1 */
	{ "LANG", BOTH, CMD_LOOP, pop3_lang, true },       /* RFC 6856 3.2 */
};

const struct pop3_cmd *
cmd_find(struct slice name)
{
	for (size_t i = 0; i < PH_LEN(cmds); i++)
		if (slice_ieq_str(name, cmds[i].name))
			return &cmds[i];
	return NULL;
}
