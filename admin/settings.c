#include "admin/settings.h"

#include <stdio.h>
#include <string.h>

#include "admin/listen.h"
#include "lib/base/num.h"

enum { DOORS = 2 };

/* What one protocol's section says; the safer door first (RFC 8314 3). */
struct service {
	const char *key;
	struct {
		const char *door;
		const char *security; /* as mail programs call it */
	} doors[DOORS];
};

static const struct service services[] = {
	{ "imap", { { "imaps", "SSL/TLS" }, { "imap", "STARTTLS" } } },
	{ "pop3", { { "pop3s", "SSL/TLS" }, { "pop3", "STARTTLS" } } },
	{ "smtp",
	    { { "submissions", "SSL/TLS" }, { "submission", "STARTTLS" } } },
};

/* Everything people read.  Lines of paragraphs are broken by hand. */
struct texts {
	const char *lang;
	const char *title;
	const char *sections[PH_LEN(services)];
	const char *server, *port, *or_port, *user, *or_user, *password;
	const char *your_password, *auth, *auth_yes;
	const char *const *paragraphs;
};

static const char *const paragraphs_de[] = {
	"IMAP oder POP3?",
	"  IMAP, wenn Sie mehrere Geräte benutzen: Alle Nachrichten und Ordner",
	"  bleiben auf dem Server und sehen überall gleich aus.",
	"  POP3, wenn Sie Ihre Nachrichten nur auf einem Rechner haben wollen:",
	"  Das Programm holt den Posteingang ab; andere Ordner sieht es nicht.",
	"  Stellen Sie dort ein, nach wie vielen Tagen abgeholte Nachrichten",
	"  vom Server gelöscht werden, sonst wird das Postfach voll.",
	"",
	"Wenn etwas nicht geht",
	"  Empfang geht, Senden nicht: \"Server erfordert Authentifizierung\"",
	"  ist nicht eingeschaltet, oder der Port ist 25 statt des obigen.",
	"  Warnung vor dem Zertifikat: Bestätigen Sie sie nicht. Der Server",
	"  muss genau so heißen wie oben.",
	NULL,
};

static const char *const paragraphs_en[] = {
	"IMAP or POP3?",
	"  IMAP if you use several devices: all messages and folders stay on",
	"  the server and look the same everywhere.",
	"  POP3 if you want your messages on one computer only: the program",
	"  fetches the inbox; it does not see other folders. Set there after",
	"  how many days fetched messages are removed from the server, or the",
	"  mailbox fills up.",
	"",
	"When something does not work",
	"  You can receive but not send: \"My outgoing server requires",
	"  authentication\" is off, or the port is 25 instead of one of the",
	"  above.",
	"  A warning about the certificate: do not accept it. The name of the",
	"  server must be exactly as above.",
	NULL,
};

static const struct texts all_texts[] = {
	{ "de", "E-Mail-Einstellungen für",
	    { "Posteingang mit IMAP (empfohlen)", "Posteingang mit POP3",
		"Postausgang (SMTP)" },
	    "Server", "Port", "oder Port", "Benutzername", "oder", "Kennwort",
	    "Ihr Kennwort", "Server erfordert Authentifizierung",
	    "ja, wie Posteingang", paragraphs_de },
	{ "en", "Mail settings for",
	    { "Incoming mail with IMAP (recommended)",
		"Incoming mail with POP3", "Outgoing mail (SMTP)" },
	    "Server", "Port", "or port", "User name", "or", "Password",
	    "your password", "Server requires authentication",
	    "yes, as for incoming mail", paragraphs_en },
};

static const struct texts *
texts_for(const char *lang)
{
	for (size_t i = 0; i < PH_LEN(all_texts); i++)
		if (strcmp(all_texts[i].lang, lang) == 0)
			return &all_texts[i];
	return &all_texts[0];
}

unsigned
settings_port(const struct conf *conf, const char *door)
{
	const struct conf_list *list;
	const char *name;
	char host[256], port[8];
	uint64_t n;

	for (size_t i = 0; (name = listen_door(conf, i, &list)) != NULL; i++)
		if (strcmp(name, door) == 0 && list->n != 0 &&
		    listen_split(list->v[0], host, port) &&
		    num_parse(slice_str(port), 65535, &n))
			return (unsigned)n;
	return 0;
}

/* "  label   value"; labels have umlauts: count characters. */
static void
line(struct buf *out, const char *label, const char *value)
{
	static const char blanks[] = "                  ";
	size_t n = 0;

	for (const char *p = label; *p != '\0'; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	buf_printf(out, "  %s%s %s\n", label,
	    n < sizeof(blanks) - 1 ? blanks + n : "", value);
}

static void
put_service(const struct conf *conf, const struct settings_who *who,
    const struct texts *t, size_t i, struct buf *out)
{
	const struct service *s = &services[i];
	bool first = true;
	char value[64];

	for (size_t k = 0; k < DOORS; k++) {
		unsigned port = settings_port(conf, s->doors[k].door);

		if (port == 0)
			continue;
		if (first) {
			buf_printf(out, "%s\n", t->sections[i]);
			line(out, t->server, who->domain);
		}
		(void)snprintf(
		    value, sizeof(value), "%u, %s", port, s->doors[k].security);
		line(out, first ? t->port : t->or_port, value);
		first = false;
	}
	if (first)
		return;
	line(out, t->user, who->account);
	if (who->address[0] != '\0')
		line(out, t->or_user, who->address);
	line(out, t->password, t->your_password);
	if (strcmp(s->key, "smtp") == 0)
		buf_printf(out, "  %s: %s\n", t->auth, t->auth_yes);
	buf_add_char(out, '\n');
}

void
settings_text(
    const struct conf *conf, const struct settings_who *who, struct buf *out)
{
	const struct texts *t = texts_for(who->lang);

	buf_printf(out, "%s %s%s%s%s\n\n", t->title, who->account,
	    who->address[0] != '\0' ? " (" : "", who->address,
	    who->address[0] != '\0' ? ")" : "");
	for (size_t i = 0; i < PH_LEN(services); i++)
		put_service(conf, who, t, i, out);
	for (const char *const *p = t->paragraphs; *p != NULL; p++)
		buf_printf(out, "%s\n", *p);
}

static json_t *
service_json(const struct conf *conf, const struct settings_who *who,
    const struct service *s)
{
	json_t *ports = json_array();

	for (size_t k = 0; k < DOORS; k++) {
		unsigned port = settings_port(conf, s->doors[k].door);

		if (port != 0)
			(void)json_array_append_new(
			    ports, json_pack("{s:i,s:s}", "port", (int)port,
				       "security", s->doors[k].security));
	}
	return json_pack("{s:s,s:o,s:b}", "server", who->domain, "ports", ports,
	    "authentication", 1);
}

json_t *
settings_json(const struct conf *conf, const struct settings_who *who)
{
	json_t *j = json_pack("{s:s,s:s,s:s,s:s}", "account", who->account,
	    "user", who->account, "address", who->address, "lang",
	    texts_for(who->lang)->lang);

	for (size_t i = 0; i < PH_LEN(services); i++)
		(void)json_object_set_new(
		    j, services[i].key, service_json(conf, who, &services[i]));
	return j;
}
