#include "imapd/cmd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/parse_args.h"
#include "lib/base/log.h"
#include "storage/acl.h"

enum { EARLY = 1, TLS_LESS = 2, CLEAR = 4, LATER = 8 };

enum { PROGRAM_MAX = 200 };

/* What is said when; a word stands here once all of it works. */
static const struct {
	const char *word;
	unsigned when;
} words[] = {
	{ "IMAP4rev1", EARLY | LATER },
	{ "IMAP4rev2", EARLY | LATER },               /* RFC 9051 */
	{ "LITERAL+", EARLY | LATER },                /* RFC 7888 */
	{ "SASL-IR", EARLY },                         /* RFC 4959 */
	{ "ID", EARLY | LATER },                      /* RFC 2971 */
	{ "ENABLE", EARLY | LATER },                  /* RFC 5161 */
	{ "STARTTLS", TLS_LESS },                     /* RFC 9051 6.2.1 */
	{ "LOGINDISABLED", CLEAR },                   /* RFC 9051 6.2.3 */
	{ "IDLE", EARLY | LATER },                    /* RFC 2177 */
	{ "NAMESPACE", LATER },                       /* RFC 2342 */
	{ "NOTIFY", LATER },                          /* RFC 5465 */
	{ "CHILDREN", LATER },                        /* RFC 3348 */
	{ "UNSELECT", LATER },                        /* RFC 3691 */
	{ "UIDPLUS", LATER },                         /* RFC 4315 */
	{ "MOVE", LATER },                            /* RFC 6851 */
	{ "COMPRESS=DEFLATE", LATER },                /* RFC 4978 */
	{ "REPLACE", LATER },                         /* RFC 8508 */
	{ "CATENATE", LATER },                        /* RFC 4469 */
	{ "SPECIAL-USE", LATER },                     /* RFC 6154 */
	{ "CREATE-SPECIAL-USE", LATER },              /* RFC 6154 */
	{ "XLIST", LATER }, { "MULTIAPPEND", LATER }, /* RFC 3502 */
	{ "ESEARCH", LATER },                         /* RFC 4731 */
	{ "CONDSTORE", LATER },                       /* RFC 7162 */
	{ "QRESYNC", LATER },                         /* RFC 7162 */
	{ "LIST-EXTENDED", LATER },                   /* RFC 5258 */
	{ "LIST-STATUS", LATER },                     /* RFC 5819 */
	{ "STATUS=SIZE", LATER },                     /* RFC 8438 */
	{ "WITHIN", LATER },                          /* RFC 5032 */
	{ "SEARCHRES", LATER },                       /* RFC 5182 */
	{ "PARTIAL", LATER },                         /* RFC 9394 */
	{ "UIDONLY", LATER },                         /* RFC 9586 */
	{ "INPROGRESS", LATER },                      /* RFC 9585 */
	{ "OBJECTID", LATER },                        /* RFC 8474 */
	{ "PREVIEW", LATER },                         /* RFC 8970 */
	{ "SAVEDATE", LATER },                        /* RFC 8514 */
	{ "BINARY", LATER },                          /* RFC 3516 */
	{ "UTF8=ACCEPT", LATER },                     /* RFC 6855, RFC 9755 */
	{ "ACL", LATER },                             /* RFC 4314 */
	{ "RIGHTS=kxte", LATER },                     /* RFC 4314 2.2 */
	{ "LIST-MYRIGHTS", LATER },                   /* RFC 8440 */
	{ "METADATA", LATER },                        /* RFC 5464 */
	{ "LIST-METADATA", LATER },                   /* RFC 9590 */
	{ "QUOTA", LATER },                           /* RFC 9208 */
	{ "QUOTASET", LATER }, { "QUOTA=RES-STORAGE", LATER },
	{ "QUOTA=RES-MESSAGE", LATER }, { "QUOTA=RES-MAILBOX", LATER },
	{ "SORT", LATER },                  /* RFC 5256 */
	{ "SORT=DISPLAY", LATER },          /* RFC 5957 */
	{ "ESORT", LATER },                 /* RFC 5267 */
	{ "THREAD=ORDEREDSUBJECT", LATER }, /* RFC 5256 */
	{ "THREAD=REFERENCES", LATER },     /* RFC 5256 */
};

bool
cmd_offers(const char *word)
{
	for (size_t i = 0; i < PH_LEN(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return true;
	return false;
}

/* Each with a blank in front. */
void
cmd_capability_words(struct client *c, struct buf *out)
{
	bool tls = conn_is_tls(&c->conn), plain = client_plain_ok(c);
	unsigned now = c->state != IS_NOAUTH ? LATER : EARLY;
	struct buf mechs;
	struct slice rest, mech;

	if (now == EARLY)
		now |= (tls ? 0 : TLS_LESS) | (plain ? 0 : CLEAR);
	for (size_t i = 0; i < PH_LEN(words); i++)
		if (words[i].when & now) {
			buf_add_char(out, ' ');
			buf_add_str(out, words[i].word);
		}
	if (!(now & EARLY)) {
		buf_printf(out, " APPENDLIMIT=%" PRIu64, /* RFC 7889 3 */
		    client_conf(c)->message_max);
		return;
	}
	buf_init(&mechs, 512);
	auth_mechs(c->sl->srv->auth, plain, tls, true, &mechs);
	rest = buf_slice(&mechs);
	while (rest.n != 0 && slice_split(&rest, ' ', &mech)) {
		buf_add_str(out, " AUTH=");
		buf_add_slice(out, mech);
	}
	buf_fini(&mechs);
}

enum step
cmd_capability(struct client *c)
{
	buf_add_str(&c->out, "* CAPABILITY");
	cmd_capability_words(c, &c->out);
	buf_add(&c->out, "\r\n", 2);
	return cmd_ok(c, "that is all");
}

enum step
cmd_noop(struct client *c)
{
	return cmd_ok(c, "done");
}

enum step
cmd_logout(struct client *c)
{
	resp_bye(&c->out, NULL, "goodbye");
	resp_tagged(&c->out, c->cmd.tag, RESP_OK, NULL, "logged out");
	client_close(c, "logout");
	return STEP_PENDING;
}

/* "Thunderbird 115.3", as far as it has been said. */
static void
keep_program(struct client *c, const struct args_id *a)
{
	static const char *const fields[] = { "name", "version", "os" };
	struct buf b;

	buf_init(&b, PROGRAM_MAX);
	for (size_t k = 0; k < PH_LEN(fields); k++)
		for (size_t i = 0; i < a->n; i++) {
			struct slice v = a->v[2 * i + 1];

			if (v.n == 0 || !slice_ieq_str(a->v[2 * i], fields[k]))
				continue;
			if (buf_len(&b) != 0)
				buf_add_char(&b, ' ');
			buf_add_slice(&b, slice_sub(v, 0, PROGRAM_MAX / 4));
		}
	free(c->program);
	c->program = buf_len(&b) != 0 ? slice_dup(buf_slice(&b)) : NULL;
	buf_fini(&b);
}

static void
id_work(struct sjob *j)
{
	struct client *c = client_of_job(j);
	struct auth_peer peer = { .scope = SCOPE_IMAP,
		.ip = c->conn.peer_ip,
		.tls = c->tls,
		.session = c->id,
		.client = c->program };

	auth_client(j->srv->auth, &peer, &c->who);
}

static void
id_done(struct sjob *j)
{
	struct client *c = client_of_job(j);

	if (!client_back(c))
		return;
	cmd_finish(c);
	client_run(c);
}

/* RFC 2971 3.2: for the log, and for nothing else. */
enum step
cmd_id(struct client *c)
{
	const struct args_id *a = c->cmd.args;

	for (size_t i = 0; i < a->n; i++)
		if (a->v[2 * i + 1].p != NULL)
			log_info(c->id, "client", "field=%s value=%s",
			    log_q(a->v[2 * i]), log_q(a->v[2 * i + 1]));
	keep_program(c, a);
	buf_add_str(&c->out, "* ID (\"name\" \"Posthof\")\r\n");
	(void)cmd_ok(c, "nice to meet you");
	if (!c->seat.taken || c->program == NULL)
		return STEP_DONE;
	server_name_client(c->sl->srv, &c->seat, slice_str(c->program));
	conn_tls_name(&c->conn, c->tls, sizeof(c->tls));
	client_job(c, false, id_work, id_done);
	return STEP_PENDING;
}

/* RFC 5161 3.2: only what a client may want to switch is named. */
static const struct {
	const char *word;
	unsigned bits;
} switches[] = {
	{ "CONDSTORE", EN_CONDSTORE },
	{ "QRESYNC", EN_CONDSTORE | EN_QRESYNC },
	{ "UTF8=ACCEPT", EN_UTF8 },
	{ "IMAP4rev2", EN_REV2 },
	{ "UIDONLY", EN_UIDONLY },
};

enum step
cmd_enable(struct client *c)
{
	const struct args_enable *a = c->cmd.args;
	unsigned bits = 0;

	buf_add_str(&c->out, "* ENABLED");
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < PH_LEN(switches); k++) {
			if (!slice_ieq_str(a->v[i], switches[k].word) ||
			    !cmd_offers(switches[k].word))
				continue;
			bits |= switches[k].bits;
			buf_add_char(&c->out, ' ');
			buf_add_str(&c->out, switches[k].word);
		}
	buf_add(&c->out, "\r\n", 2);
	if (bits & EN_CONDSTORE)
		sync_condstore(c);
	c->enabled |= bits;
	return cmd_ok(c, "enabled");
}

/* RFC 4978 3: everything behind this OK. */
enum step
cmd_compress(struct client *c)
{
	const char *by = conn_compressed(&c->conn);

	if (by != NULL && strcmp(by, "TLS") == 0)
		return cmd_no(
		    c, "COMPRESSIONACTIVE", "DEFLATE is active via TLS");
	if (by != NULL)
		return cmd_bad(c, "DEFLATE is active already");
	resp_tagged(&c->out, c->cmd.tag, RESP_OK, NULL, "DEFLATE active");
	cmd_drop(c);
	client_flush(c);
	conn_deflate(&c->conn);
	return STEP_PENDING;
}

enum step
cmd_namespace(struct client *c)
{
	buf_add_str(&c->out, "* NAMESPACE ((\"\" \"/\")) "
			     "((\"" ACL_OTHERS "/\" \"/\")) NIL\r\n");
	return cmd_ok(c, "yours and others'");
}
