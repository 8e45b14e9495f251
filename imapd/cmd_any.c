#include "imapd/cmd.h"
#include "imapd/watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/capability.h"
#include "imapd/parse_args.h"
#include "lib/base/log.h"
#include "storage/acl.h"

enum { PROGRAM_MAX = 200 };

static void
write_capabilities(struct client *c)
{
	buf_add_str(&c->out, "* CAPABILITY");
	caps_write(c, &c->out);
	buf_add(&c->out, "\r\n", 2);
}

enum step
cmd_capability(struct client *c)
{
	write_capabilities(c);
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
	conn_last(&c->conn);
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
	static const struct slice none = { NULL, 0 };

	for (size_t i = 0; i < a->n; i++)
		if (a->v[2 * i + 1].p != NULL)
			log_info(c->id, "client", "field=%s value=%s",
			    log_q(a->v[2 * i]), log_q(a->v[2 * i + 1]));
	keep_program(c, a);
	if (caps_for_client(
		c, c->program != NULL ? slice_str(c->program) : none))
		write_capabilities(c);
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
	{ "METADATA", EN_METADATA },
};

/*
 * RFC 5464 4.1: from here on changes of annotations are told, as this NOTIFY
 * would have it (RFC 5465); of one that was set before nothing is changed.  In
 * a job.
 */
static enum step
tell_annotations(struct client *c)
{
	static const struct slice as =
	    SLICE("x NOTIFY SET (SELECTED-DELAYED (MessageNew MessageExpunge "
		  "FlagChange)) (PERSONAL (MailboxMetadataChange "
		  "ServerMetadataChange)) (SUBSCRIBED (MailboxMetadataChange "
		  "ServerMetadataChange))");
	int rc = c->watch == NULL ? watch_new(c, as, &c->watch) : 0;

	return rc == 0 ? cmd_ok(c, "enabled") : cmd_fail(c, rc, NULL);
}

enum step
cmd_enable(struct client *c)
{
	const struct args_enable *a = c->cmd.args;
	unsigned bits = 0;

	if (c->working)
		return tell_annotations(c);

	buf_add_str(&c->out, "* ENABLED");
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < PH_LEN(switches); k++) {
			if (!slice_ieq_str(a->v[i], switches[k].word) ||
			    !caps_offers(c, switches[k].word))
				continue;
			bits |= switches[k].bits;
			buf_add_char(&c->out, ' ');
			buf_add_str(&c->out, switches[k].word);
		}
	buf_add(&c->out, "\r\n", 2);
	if (bits & EN_CONDSTORE)
		sync_condstore(c);
	c->enabled |= bits;
	if (bits & EN_METADATA)
		return STEP_AGAIN;
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
