#include "lib/setup/autodiscover.h"

#include "lib/setup/xmlread.h"

#define SCHEMAS "http://schemas.microsoft.com/exchange/autodiscover/"

static const char schema_outlook[] = SCHEMAS "outlook/responseschema/2006a";

/* Elements of interest: their place, and where their text goes. */
static bool
copy_text(const struct xmlread *x, struct autodiscover *out,
    char schema[AUTODISCOVER_SCHEMA_MAX + 1])
{
	struct slice text = slice_trim(xmlread_text(x));

	if (xmlread_at(x, "Autodiscover/Request/EMailAddress"))
		return text.n != 0 && out->address[0] == '\0' &&
		       slice_copy(text, out->address, sizeof(out->address));
	if (xmlread_at(x, "Autodiscover/Request/AcceptableResponseSchema"))
		return slice_copy(text, schema, AUTODISCOVER_SCHEMA_MAX + 1);
	return true;
}

bool
autodiscover_read(struct slice xml, struct autodiscover *out)
{
	char schema[AUTODISCOVER_SCHEMA_MAX + 1] = "";
	enum xmlread_event ev;
	struct xmlread x;
	bool ok = true;

	*out = (struct autodiscover){ .outlook = false };
	xmlread_init(&x, xml);
	while (ok && (ev = xmlread_next(&x)) != XMLREAD_END)
		ok = ev != XMLREAD_BAD &&
		     (ev != XMLREAD_CLOSE || copy_text(&x, out, schema));
	xmlread_fini(&x);
	/* Some programs do not say what they take. */
	out->outlook =
	    ok && (schema[0] == '\0' ||
		      slice_ieq_str(slice_str(schema), schema_outlook));
	return ok && out->address[0] != '\0';
}

static void
element(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "        <%s>", name);
	setup_escape(out, slice_str(text));
	buf_printf(out, "</%s>\n", name);
}

/* Encryption overrides SSL where a program knows it: "TLS" is STARTTLS.  SPA
 * (NTLM) and DomainRequired are for Windows domains. */
static void
put_protocol(const struct setup *s, size_t i, const struct setup_door *d,
    struct buf *out)
{
	static const char *const types[SETUP_SERVICES] = { [SETUP_IMAP] =
							       "IMAP",
		[SETUP_POP3] = "POP3",
		[SETUP_SMTP] = "SMTP" };

	buf_add_str(out, "      <Protocol>\n");
	element(out, "Type", types[i]);
	element(out, "Server", s->server);
	buf_printf(out, "        <Port>%u</Port>\n", d->port);
	element(out, "DomainRequired", "off");
	element(out, "LoginName", s->login);
	element(out, "SPA", "off");
	element(out, "SSL", "on");
	element(out, "Encryption", d->starttls ? "TLS" : "SSL");
	element(out, "AuthRequired", "on");
	if (i == SETUP_SMTP) {
		element(out, "UsePOPAuth", "on"); /* the same password */
		element(out, "SMTPLast", "off");
	}
	buf_add_str(out, "      </Protocol>\n");
}

/* One Protocol for each: Outlook takes the first of a type. */
void
autodiscover_write(const struct setup *s, struct buf *out)
{
	buf_printf(out,
	    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
	    "<Autodiscover xmlns=\"" SCHEMAS "responseschema/2006\">\n"
	    "  <Response xmlns=\"%s\">\n    <User>\n      <DisplayName>",
	    schema_outlook);
	setup_escape(
	    out, slice_str(s->address[0] != '\0' ? s->address : s->login));
	buf_add_str(out, "</DisplayName>\n    </User>\n    <Account>\n"
			 "      <AccountType>email</AccountType>\n"
			 "      <Action>settings</Action>\n");
	for (size_t i = 0; i < SETUP_SERVICES; i++)
		if (s->services[i].ndoors != 0)
			put_protocol(s, i, &s->services[i].doors[0], out);
	buf_add_str(out, "    </Account>\n  </Response>\n</Autodiscover>\n");
}

void
autodiscover_error(unsigned code, const char *text, struct buf *out)
{
	buf_printf(out,
	    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
	    "<Autodiscover xmlns=\"" SCHEMAS "responseschema/2006\">\n"
	    "  <Response>\n    <Error Time=\"00:00:00.0000000\" Id=\"0\">\n"
	    "      <ErrorCode>%u</ErrorCode>\n      <Message>",
	    code);
	setup_escape(out, slice_str(text));
	buf_add_str(out, "</Message>\n      <DebugData />\n    </Error>\n"
			 "  </Response>\n</Autodiscover>\n");
}
