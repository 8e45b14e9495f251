#include "lib/setup/autoconfig.h"

static void
element(struct buf *out, const char *indent, const char *name, const char *text)
{
	buf_printf(out, "%s<%s>", indent, name);
	setup_escape(out, slice_str(text));
	buf_printf(out, "</%s>\n", name);
}

/* "password-cleartext" is PLAIN or LOGIN, inside TLS; "password-encrypted"
 * would be CRAM-MD5, which a host without readable passwords cannot do. */
static void
put_server(const struct setup *s, const struct setup_service *v, bool out_going,
    const struct setup_door *d, struct buf *out)
{
	static const char in[] = "      ";
	const char *tag = out_going ? "outgoingServer" : "incomingServer";

	buf_printf(out, "    <%s type=\"%s\">\n", tag, v->key);
	element(out, in, "hostname", s->server);
	buf_printf(out, "%s<port>%u</port>\n", in, d->port);
	element(out, in, "socketType", d->starttls ? "STARTTLS" : "SSL");
	element(out, in, "username",
	    s->login[0] != '\0' ? s->login : "%EMAILADDRESS%");
	element(out, in, "authentication", "password-cleartext");
	buf_printf(out, "    </%s>\n", tag);
}

/* The first server that the program can use is taken: IMAP before POP3, TLS
 * before STARTTLS. */
void
autoconfig_write(const struct setup *s, const char *domain, struct buf *out)
{
	static const char in[] = "    ";

	buf_add_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			 "<clientConfig version=\"1.1\">\n"
			 "  <emailProvider id=\"");
	setup_escape(out, slice_str(domain));
	buf_add_str(out, "\">\n");
	element(out, in, "domain", domain);
	element(out, in, "displayName", s->provider);
	element(out, in, "displayShortName", domain);
	for (size_t i = 0; i < SETUP_SERVICES; i++)
		for (size_t k = 0; k < s->services[i].ndoors; k++)
			put_server(s, &s->services[i], i == SETUP_SMTP,
			    &s->services[i].doors[k], out);
	buf_add_str(out, "  </emailProvider>\n</clientConfig>\n");
}
