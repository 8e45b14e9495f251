#include "imapd/metadata_out.h"

#include "imapd/mboxname.h"
#include "imapd/resp.h"

static const struct slice special_use = SLICE("/private/specialuse");

bool
metadata_may_see(const struct folder_info *info)
{
	return info->rights & RIGHT_LOOKUP &&
	       info->rights & (RIGHT_READ | RIGHT_SEEN | RIGHT_WRITE |
				  RIGHT_INSERT | RIGHT_POST);
}

/* One answer while it is written. */
struct answer {
	struct client *c;
	struct slice name;
	struct metadata_ask *ask;
	size_t n;
};

/* value = nstring / literal8 */
static void
write_value(struct buf *out, struct slice value)
{
	if (value.p == NULL || slice_chr(value, '\0') == value.n) {
		resp_nstring(out, value);
		return;
	}
	buf_printf(out, "~{%zu}\r\n", value.n);
	buf_add_slice(out, value);
}

static void
write_pair(struct answer *w, struct slice entry, struct slice value)
{
	struct buf *out = &w->c->out;

	if (w->ask->has_maxsize && value.n > w->ask->maxsize) {
		if (value.n > w->ask->longest)
			w->ask->longest = value.n;
		return;
	}
	if (w->n++ == 0) {
		buf_add_str(out, "* METADATA ");
		mboxname_write(out, w->name, client_utf8(w->c));
		buf_add_str(out, " (");
	} else {
		buf_add_char(out, ' ');
	}
	if (parse_is_astring(entry))
		buf_add_slice(out, entry);
	else
		resp_string(out, entry);
	buf_add_char(out, ' ');
	write_value(out, value);
}

/* The operator's entries of the server (RFC 5464 3.2.1.1), and a folder's
 * special use (RFC 6154 4): computed. */
static bool
computed(struct client *c, struct slice entry, const struct folder_info *info,
    struct slice *value_out)
{
	const struct conf *conf = client_conf(c);
	const char *text = "";

	if (info != NULL && slice_ieq(entry, special_use) &&
	    info->account == c->who.account)
		text = resp_use(info->use);
	else if (info != NULL)
		return false;
	else if (slice_ieq_str(entry, "/shared/admin"))
		text = conf->admin_contact;
	else if (slice_ieq_str(entry, "/shared/comment"))
		text = conf->imap_comment;
	else
		return false;
	*value_out = text != NULL && text[0] != '\0' ? slice_str(text)
						     : slice_of(NULL, 0);
	return true;
}

static int
write_entry(
    struct answer *w, struct slice entry, const struct folder_info *info)
{
	struct metadata_at at = { .user = w->c->who.account };
	struct metadata_list l = { 0 };
	struct slice value;
	int rc;

	if (computed(w->c, entry, info, &value)) {
		write_pair(w, entry, value);
		return 0;
	}
	if (info != NULL) {
		at.folder = info->id;
		at.owner = info->account;
	}
	rc = metadata_get(
	    client_store(w->c), &at, entry, w->ask->depth, &w->c->arena, &l);
	for (size_t i = 0; rc == 0 && i < l.n; i++)
		write_pair(w, l.v[i].name, l.v[i].value);
	if (rc == 0 && l.n == 0 && w->ask->depth == 0)
		write_pair(w, entry, slice_of(NULL, 0));
	return rc;
}

int
metadata_write(struct client *c, struct slice name,
    const struct folder_info *info, struct metadata_ask *ask)
{
	struct answer w = { .c = c, .name = name, .ask = ask };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ask->n; i++)
		rc = write_entry(&w, ask->entries[i], info);
	if (w.n != 0)
		buf_add_str(&c->out, ")\r\n");
	return rc;
}
