#include "lib/setup/words.h"

#include <string.h>

static const struct words_section sections_de[] = {
	{ "IMAP oder POP3?",
	    { "IMAP, wenn Sie mehrere Geräte benutzen oder Ihre Nachrichten "
	      "auf dem Server sicher wissen wollen: Alle Nachrichten und "
	      "Ordner, auch gesendete, bleiben auf dem Server und sehen "
	      "überall gleich aus.",
		"POP3, wenn Sie Ihre Nachrichten nur auf einem Rechner haben "
		"wollen: Das Programm holt den Posteingang ab; andere Ordner "
		"sieht es nicht, und Gesendetes bleibt auf diesem Rechner. "
		"Stellen Sie dort ein, nach wie vielen Tagen abgeholte "
		"Nachrichten vom Server gelöscht werden, sonst wird das "
		"Postfach voll.",
		"Ohne Netz lesen geht auch mit IMAP: Outlook und Apple Mail "
		"laden Nachrichten von selbst; in Thunderbird heißt es "
		"„Nachrichten dieses Kontos auf diesem Computer bereithalten“ "
		"(Konten-Einstellungen, Synchronisation & Speicherplatz)." } },
	{ "Am schnellsten",
	    { "Geben Sie im Mailprogramm nur Namen, E-Mail-Adresse und "
	      "Kennwort ein. Thunderbird, Outlook und viele andere finden "
	      "alles Übrige selbst. Fragen sie doch nach, nehmen Sie die "
	      "Angaben von hier.",
		"Nehmen Sie immer SSL/TLS, wenn das Programm es kann, sonst "
		"STARTTLS. Unverschlüsselt wird kein Kennwort angenommen." } },
	{ "Wenn etwas nicht geht",
	    { "Empfang geht, Senden nicht: „Postausgangsserver erfordert "
	      "Authentifizierung“ ist nicht eingeschaltet, oder der Port ist "
	      "25 statt des obigen.",
		"Anmeldung schlägt fehl: Der Benutzername ist die ganze "
		"E-Mail-Adresse oder der Name des Postfachs, nicht Ihr "
		"eigener Name.",
		"Warnung vor dem Zertifikat: Bestätigen Sie sie nicht. Der "
		"Server muss genau so heißen wie oben." } },
};

static const struct words_section sections_en[] = {
	{ "IMAP or POP3?",
	    { "IMAP if you use several devices, or want your messages safe on "
	      "the server: all messages and folders, sent ones too, stay on "
	      "the server and look the same everywhere.",
		"POP3 if you want your messages on one computer only: the "
		"program fetches the inbox; it does not see other folders, and "
		"what you send stays on that computer. Set there after how "
		"many days fetched messages are removed from the server, or "
		"the mailbox fills up.",
		"Reading without a network works with IMAP as well: Outlook "
		"and Apple Mail load messages by themselves; in Thunderbird "
		"it is “Keep messages for this account on this computer” "
		"(Account Settings, Synchronisation & Storage)." } },
	{ "The quick way",
	    { "Type only your name, mail address and password into the mail "
	      "program. Thunderbird, Outlook and many others find the rest "
	      "themselves. If they ask all the same, answer from this page.",
		"Choose SSL/TLS where the program can do it, else STARTTLS. "
		"No password is accepted unencrypted." } },
	{ "When something does not work",
	    { "You can receive but not send: “My outgoing server requires "
	      "authentication” is off, or the port is 25 instead of one of "
	      "the above.",
		"The login fails: the user name is the whole mail address or "
		"the name of the mailbox, not your own name.",
		"A warning about the certificate: do not accept it. The name "
		"of the server must be exactly as above." } },
};

static const struct words all[] = {
	{ .lang = "de",
	    .name = "Deutsch",
	    .title = "E-Mail-Einstellungen",
	    .title_for = "E-Mail-Einstellungen für",
	    .intro = "Diese Angaben braucht Ihr Mailprogramm. Der Posteingang "
		     "ist IMAP oder POP3, nicht beides.",
	    .services = { "Posteingang mit IMAP (empfohlen)",
		"Posteingang mit POP3", "Postausgang (SMTP)" },
	    .server = "Server",
	    .port = "Port",
	    .or_port = "oder Port",
	    .user = "Benutzername",
	    .or_user = "oder",
	    .password = "Kennwort",
	    .your_password = "Ihr Kennwort",
	    .auth = "Server erfordert Authentifizierung",
	    .auth_yes = "ja, wie Posteingang",
	    .auth_where = "Benutzername und Kennwort sind dieselben wie beim "
			  "Posteingang. In Outlook: „Der Postausgangsserver "
			  "(SMTP) erfordert Authentifizierung“.",
	    .ask = "Geben Sie Ihre E-Mail-Adresse ein; ein Kennwort wird hier "
		   "nie verlangt.",
	    .ask_address = "E-Mail-Adresse",
	    .ask_button = "Einstellungen zeigen",
	    .not_ours = "Diese Adresse gehört zu keiner Domain dieses Hosts.",
	    .profile = "Profil für iPhone, iPad und Mac",
	    .profile_why = "Öffnen Sie es auf dem Gerät; es fragt nur noch "
			   "nach dem Kennwort.",
	    .sections = sections_de,
	    .nsections = PH_LEN(sections_de) },
	{ .lang = "en",
	    .name = "English",
	    .title = "Mail settings",
	    .title_for = "Mail settings for",
	    .intro = "This is what your mail program needs to know. Incoming "
		     "mail is IMAP or POP3, not both.",
	    .services = { "Incoming mail with IMAP (recommended)",
		"Incoming mail with POP3", "Outgoing mail (SMTP)" },
	    .server = "Server",
	    .port = "Port",
	    .or_port = "or port",
	    .user = "User name",
	    .or_user = "or",
	    .password = "Password",
	    .your_password = "your password",
	    .auth = "Server requires authentication",
	    .auth_yes = "yes, as for incoming mail",
	    .auth_where = "User name and password are those of incoming mail. "
			  "In Outlook: “My outgoing server (SMTP) requires "
			  "authentication”.",
	    .ask = "Enter your mail address; this page never asks for a "
		   "password.",
	    .ask_address = "Mail address",
	    .ask_button = "Show settings",
	    .not_ours = "That address is in none of this host's domains.",
	    .profile = "Profile for iPhone, iPad and Mac",
	    .profile_why = "Open it on the device; it asks for the password "
			   "only.",
	    .sections = sections_en,
	    .nsections = PH_LEN(sections_en) },
};

const struct words *
words_at(size_t i)
{
	return i < PH_LEN(all) ? &all[i] : NULL;
}

const struct words *
words_for(const char *lang)
{
	for (size_t i = 0; i < PH_LEN(all); i++)
		if (strcmp(all[i].lang, lang) == 0)
			return &all[i];
	return &all[0];
}
