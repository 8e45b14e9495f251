#include "lib/setup/profile.h"

#include <stdio.h>

#include "lib/crypt/crypt.h"
#include "lib/setup/words.h"

enum { UUID_TEXT = 37 };

/* RFC 9562 5.8: version 8, the rest from a hash of what it names. */
static void
uuid_of(const struct setup *s, const char *part, char out[UUID_TEXT])
{
	uint8_t h[SHA256_LEN];
	struct buf b;

	buf_init(&b, 4096);
	buf_printf(
	    &b, "posthof profile\n%s\n%s\n%s\n", s->server, s->login, part);
	crypt_sha256(buf_slice(&b), h);
	buf_fini(&b);
	h[6] = (uint8_t)((h[6] & 0x0f) | 0x80);
	h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
	(void)snprintf(out, UUID_TEXT,
	    "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-"
	    "%02X%02X%02X%02X%02X%02X",
	    h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10],
	    h[11], h[12], h[13], h[14], h[15]);
}

static void
put_string(struct buf *out, const char *key, const char *text)
{
	buf_printf(out, "<key>%s</key><string>", key);
	setup_escape(out, slice_str(text));
	buf_add_str(out, "</string>\n");
}

static void
put_number(struct buf *out, const char *key, unsigned n)
{
	buf_printf(out, "<key>%s</key><integer>%u</integer>\n", key, n);
}

static void
put_bool(struct buf *out, const char *key, bool is)
{
	buf_printf(out, "<key>%s</key><%s/>\n", key, is ? "true" : "false");
}

/* UseSSL is right for both doors: Apple's programs do STARTTLS on the plain
 * ports then. */
static void
put_server(const struct setup *s, const char *which,
    const struct setup_service *v, struct buf *out)
{
	static const char *const words[] = { "HostName", "Username",
		"Authentication" };
	const char *values[] = { s->server, s->login, "EmailAuthPassword" };
	char key[64];

	for (size_t i = 0; i < PH_LEN(words); i++) {
		(void)snprintf(
		    key, sizeof(key), "%sMailServer%s", which, words[i]);
		put_string(out, key, values[i]);
	}
	(void)snprintf(key, sizeof(key), "%sMailServerPortNumber", which);
	put_number(out, key, v->doors[0].port);
	(void)snprintf(key, sizeof(key), "%sMailServerUseSSL", which);
	put_bool(out, key, true);
}

static void
put_payload(const struct setup *s, const char *type, const char *part,
    const char *name, struct buf *out)
{
	char uuid[UUID_TEXT];

	uuid_of(s, part, uuid);
	put_string(out, "PayloadType", type);
	buf_add_str(out, "<key>PayloadIdentifier</key><string>posthof.");
	buf_printf(out, "%s.%s</string>\n", part, uuid);
	put_string(out, "PayloadUUID", uuid);
	put_number(out, "PayloadVersion", 1);
	put_string(out, "PayloadDisplayName", name);
	put_string(out, "PayloadOrganization", s->provider);
}

bool
profile_write(const struct setup *s, struct buf *out)
{
	const struct words *w = words_for(s->lang);
	const struct setup_service *in = &s->services[SETUP_IMAP];
	const struct setup_service *smtp = &s->services[SETUP_SMTP];
	const char *name = s->address[0] != '\0' ? s->address : s->login;
	bool imap = in->ndoors != 0;

	if (!imap)
		in = &s->services[SETUP_POP3];
	if (in->ndoors == 0)
		return false;
	buf_add_str(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
	    "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
	    "<plist version=\"1.0\">\n<dict>\n");
	put_payload(s, "Configuration", "profile", name, out);
	put_string(out, "PayloadDescription", w->title);
	put_bool(out, "PayloadRemovalDisallowed", false);
	buf_add_str(out, "<key>PayloadContent</key>\n<array>\n<dict>\n");
	put_payload(s, "com.apple.mail.managed", "mail", name, out);
	put_string(out, "EmailAccountDescription", name);
	put_string(out, "EmailAddress", name);
	put_string(
	    out, "EmailAccountType", imap ? "EmailTypeIMAP" : "EmailTypePOP");
	put_server(s, "Incoming", in, out);
	if (smtp->ndoors != 0) {
		put_server(s, "Outgoing", smtp, out);
		put_bool(out, "OutgoingPasswordSameAsIncomingPassword", true);
	}
	buf_add_str(out, "</dict>\n</array>\n</dict>\n</plist>\n");
	return true;
}
