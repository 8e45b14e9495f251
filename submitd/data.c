#include "submitd/data.h"

#include <inttypes.h>
#include <string.h>

#include "submitd/accept.h"
#include "submitd/cmd.h"
#include "submitd/newline.h"
#include "submitd/parse.h"
#include "submitd/resp.h"
#include "submitd/words.h"

/* Why no message may come now, as a whole reply; NULL: it may. */
static const char *
refuse(const struct client *c)
{
	if (!c->env.open)
		return "503 5.5.1 MAIL comes first";
	if (c->env.nrcpts == 0)
		return "554 5.5.1 no valid recipients";
	return NULL;
}

static void
say(struct client *c, const char *reply)
{
	char head[] = "xyz x.y.z ";

	memcpy(head, reply, sizeof(head) - 1);
	words_tell(c, head, "%s", reply + sizeof(head) - 1);
}

static void
open_spool(struct client *c)
{
	const struct conf *conf = c->s.sl->srv->conf;

	c->spool = spool_new(
	    c->s.sl->srv->store, conf->message_memory, conf->message_max);
	c->scan = (struct scan){ .last = '\n' };
	c->chunk_last = '\0';
}

/* A chunk is in; the message ends with the last one. */
static void
chunk_end(struct client *c)
{
	struct chunk *k = &c->chunk;
	int rc;

	k->open = false;
	if (k->refuse != NULL) {
		say(c, k->refuse);
	} else if (k->last) {
		scan_end(&c->scan);
		c->data_flags = c->scan.flags;
		accept_start(c);
	} else if ((rc = spool_status(c->spool)) != 0) {
		words_fail(c, rc, "", "");
	} else {
		resp_line(
		    &c->s.out, "250 2.0.0 ", "%" PRIu64 " bytes more", k->n);
	}
}

/* What was announced by DATA or BDAT is in the spool. */
static void
input_end(struct client *c)
{
	if (c->chunk.open) {
		chunk_end(c);
		return;
	}
	c->data_flags = c->dots.flags;
	accept_start(c);
}

static void
spill_work(struct sjob *j)
{
	/* A failure sticks to the spool and is answered at the end. */
	(void)!spool_spill(client_of_job(j)->spool);
}

static void
spill_done(struct sjob *j)
{
	struct client *c = client_of_job(j);

	if (!session_back(&c->s))
		return;
	if (!c->s.raw)
		input_end(c);
	if (!session_busy(&c->s))
		session_run(&c->s);
}

void
smtp_data(struct client *c, struct slice rest)
{
	const char *why = refuse(c);

	if (rest.n != 0) {
		words_tell(c, "501 5.5.4 ", "DATA takes nothing");
	} else if (why != NULL) {
		say(c, why);
	} else if (c->spool != NULL) {
		/* RFC 3030 2 */
		words_tell(c, "503 5.5.1 ", "go on with BDAT");
	} else if (c->env.binary) {
		/* RFC 3030 3 */
		words_tell(c, "503 5.5.1 ", "BINARYMIME goes by BDAT");
	} else {
		open_spool(c);
		dotted_init(&c->dots, 0);
		c->s.raw = true;
		resp_line(&c->s.out, "354 ", "go ahead, end with a dot");
	}
}

void
smtp_bdat(struct client *c, struct slice rest)
{
	struct chunk *k = &c->chunk;

	*k = (struct chunk){ 0 };
	if (!smtp_parse_chunk(rest, &k->n, &k->last)) {
		/* How many bytes follow is not known: they must not be taken
		 * for commands. */
		words_tell(c, "501 5.5.4 ", "BDAT SIZE [LAST]");
		client_close(c, "bad-chunk");
		return;
	}
	k->open = true;
	k->left = k->n;
	k->refuse = refuse(c);
	if (k->refuse == NULL && c->spool == NULL)
		open_spool(c);
	if (k->n != 0)
		c->s.raw = true;
	else
		chunk_end(c);
}

/* May this mail's line ends be put right?  BINARYMIME has none (RFC 3030 3):
 * what it declares to be text is put right later (binary.h). */
static bool
fixes_lines(const struct client *c)
{
	return c->role == ROLE_SUBMIT && !c->env.binary &&
	       c->s.sl->srv->conf->submission_fix_lines;
}

static void
add_chunk(struct client *c, struct slice part)
{
	struct buf fixed;

	buf_init(&fixed, 2 * part.n + 2);
	if (fixes_lines(c)) {
		newline_chunk(&c->chunk_last, part, &fixed);
		part = buf_slice(&fixed);
	}
	scan_feed(&c->scan, part);
	(void)!spool_add(c->spool, part);
	buf_fini(&fixed);
}

static size_t
take_chunk(struct client *c, struct slice in)
{
	struct chunk *k = &c->chunk;
	struct slice part =
	    slice_sub(in, 0, k->left < in.n ? (size_t)k->left : in.n);

	k->left -= part.n;
	if (k->refuse == NULL)
		add_chunk(c, part);
	c->s.raw = k->left != 0;
	return part.n;
}

static size_t
take_lines(struct client *c, struct slice in)
{
	struct buf chunk;
	size_t used;

	buf_init(&chunk, 2 * in.n + 2);
	used = fixes_lines(c) ? newline_feed(&c->dots, in, &chunk)
			      : dotted_feed(&c->dots, in, &chunk);
	/* What is too big is counted and dropped; the reply comes at the end
	 * (RFC 5321 4.5.3.1.9). */
	(void)!spool_add(c->spool, buf_slice(&chunk));
	buf_fini(&chunk);
	c->s.raw = !c->dots.done;
	return used;
}

size_t
data_input(struct session *s, struct slice in)
{
	struct client *c = client_of(s);
	size_t used = c->chunk.open ? take_chunk(c, in) : take_lines(c, in);

	if (c->spool != NULL && spool_wants_spill(c->spool))
		session_job(s, false, spill_work, spill_done);
	else if (!s->raw)
		input_end(c);
	return used;
}
