#include "pop3d/text.h"

#include <string.h>

static const char *const tags[TEXT_LANGS][2] = {
	[TEXT_EN] = { "en", "English" },
	[TEXT_DE] = { "de", "Deutsch" },
};

static const struct {
	const char *en, *de;
} texts[] = {
	{ "user name or password is wrong",
	    "Benutzername oder Passwort ist falsch" },
	{ "wrong name or password", "Benutzername oder Passwort ist falsch" },
	{ "this is not allowed", "das ist nicht erlaubt" },
	{ "too many attempts, try again later",
	    "zu viele Versuche, bitte später noch einmal" },
	{ "this message is damaged", "diese Nachricht ist beschädigt" },
	{ "no such message", "diese Nachricht gibt es nicht" },
	{ "no such message, there are %u",
	    "diese Nachricht gibt es nicht, es sind %u" },
	{ "message %u is deleted", "Nachricht %u ist gelöscht" },
	{ "the message was deleted by another program",
	    "die Nachricht wurde von einem anderen Programm gelöscht" },
	{ "message %u will be deleted", "Nachricht %u wird gelöscht" },
	{ "%u messages", "%u Nachrichten" },
	{ "%u deleted, goodbye", "%u gelöscht, auf Wiedersehen" },
	{ "goodbye", "auf Wiedersehen" },
	{ "the messages could not be deleted",
	    "die Nachrichten konnten nicht gelöscht werden" },
	{ "the mailbox is in use, try again later",
	    "das Postfach ist in Gebrauch, bitte später noch einmal" },
	{ "the mailbox cannot be opened",
	    "das Postfach kann nicht geöffnet werden" },
	{ "there is no such folder", "diesen Ordner gibt es nicht" },
	{ "too many messages in all folders together",
	    "zu viele Nachrichten in allen Ordnern zusammen" },
	{ "wait %llu seconds before the next login",
	    "bitte %llu Sekunden bis zur nächsten Anmeldung warten" },
	{ "try again later", "bitte später noch einmal" },
	{ "unknown command", "unbekannter Befehl" },
	{ "log in first", "bitte zuerst anmelden" },
	{ "you are logged in", "Sie sind angemeldet" },
	{ "still here", "ja" },
	{ "now PASS", "nun PASS" },
	{ "idle for too long, goodbye", "zu lange untätig, auf Wiedersehen" },
	{ "the server stops, try again", "der Server hält an, bitte nochmals" },
	{ "line too long", "die Zeile ist zu lang" },
	{ "lines end in CR LF", "Zeilen enden mit CR LF" },
	{ "NUL is not allowed", "NUL ist nicht erlaubt" },
	{ "RETR takes a message number",
	    "RETR braucht eine Nachrichtennummer" },
	{ "DELE takes a message number",
	    "DELE braucht eine Nachrichtennummer" },
	{ "TOP takes a message and a number of lines",
	    "TOP braucht eine Nachricht und eine Zahl von Zeilen" },
	{ "one message number, or none", "eine Nachrichtennummer oder keine" },
	{ "AUTH takes a mechanism and a response",
	    "AUTH braucht ein Verfahren und eine Antwort" },
	{ "PASS takes a password", "PASS braucht ein Passwort" },
	{ "USER takes a name", "USER braucht einen Namen" },
	{ "USER comes first", "zuerst kommt USER" },
	{ "encrypt the connection first: STLS, or SSL/TLS on port 995",
	    "bitte erst verschlüsseln: STLS oder SSL/TLS auf Port 995" },
	{ "the connection is encrypted already",
	    "die Verbindung ist schon verschlüsselt" },
	{ "that is not base64", "das ist kein Base64" },
	{ "cancelled", "abgebrochen" },
	{ "there is no such mechanism", "dieses Verfahren gibt es nicht" },
	{ "logins do not work at the moment",
	    "Anmeldungen gehen im Moment nicht" },
	{ "this account is suspended; please ask your provider",
	    "dieses Postfach ist gesperrt; bitte fragen Sie Ihren Anbieter" },
	{ "begin TLS now", "nun TLS" },
	{ "languages follow", "die Sprachen" },
	{ "mechanisms follow", "die Verfahren" },
	{ "there are no texts in this language",
	    "in dieser Sprache gibt es keine Texte" },
	{ "the top of it", "der Anfang davon" },
	{ "what this server does", "was dieser Server kann" },
	{ "UTF-8 it is", "also UTF-8" },
};

const char *
text_in(enum text_lang lang, const char *english)
{
	if (lang != TEXT_EN)
		for (size_t i = 0; i < PH_LEN(texts); i++)
			if (strcmp(texts[i].en, english) == 0)
				return texts[i].de;
	return english;
}

const char *
text_tag(enum text_lang lang)
{
	return tags[lang][0];
}

const char *
text_name(enum text_lang lang)
{
	return tags[lang][1];
}

bool
text_lang_of(struct slice range, enum text_lang *lang_out)
{
	struct slice first = slice_sub(range, 0, slice_chr(range, '-'));

	for (int i = 0; i < TEXT_LANGS; i++)
		if (slice_ieq_str(first, tags[i][0])) {
			*lang_out = (enum text_lang)i;
			return true;
		}
	return false;
}
