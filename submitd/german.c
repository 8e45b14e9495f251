#include "submitd/german.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/ph.h"
#include "lib/base/slice.h"

enum { STARS = 2, PIECE_MAX = 200, DEPTH_MAX = 2 };

/* "*": anything, itself translated when it is known; the same in order. */
static const struct {
	const char *en, *de;
} texts[] = {
	/* logins */
	{ "wrong name or password", "Benutzername oder Passwort ist falsch" },
	{ "logins do not work at the moment",
	    "Anmelden geht gerade nicht: spaeter noch einmal versuchen" },
	{ "cannot check the password now",
	    "Anmelden geht gerade nicht: spaeter noch einmal versuchen" },
	{ "this account is suspended; please ask your provider",
	    "dieses Konto ist gesperrt: bitte beim Anbieter nachfragen" },
	{ "this account may not be used from your network",
	    "dieses Konto darf aus Ihrem Netz nicht benutzt werden" },
	{ "this password is not for *", "dieses Passwort gilt nicht fuer *" },
	{ "*; try again in * minutes",
	    "*; in * Minuten noch einmal versuchen" },
	{ "*; try again in * seconds",
	    "*; in * Sekunden noch einmal versuchen" },
	{ "too many different wrong passwords",
	    "zu viele verschiedene falsche Passwoerter" },
	{ "too many wrong passwords from this network",
	    "zu viele falsche Passwoerter aus diesem Netz" },
	{ "too many failed logins",
	    "zu viele falsche Anmeldungen: bitte Benutzername und Passwort "
	    "pruefen" },
	{ "there is no such mechanism",
	    "diese Art der Anmeldung gibt es hier nicht: \"Passwort, normal\" "
	    "waehlen" },
	{ "encrypt the connection first",
	    "erst verschluesseln: im Mailprogramm TLS oder STARTTLS waehlen" },
	{ "encrypt the connection first: STARTTLS",
	    "erst verschluesseln: im Mailprogramm TLS oder STARTTLS waehlen" },
	{ "too many sessions of this account from your address; close some "
	  "programs",
	    "zu viele Verbindungen dieses Kontos von Ihrer Adresse: einige "
	    "Programme schliessen" },
	{ "you are logged in", "Sie sind schon angemeldet" },
	{ "not inside a mail", "nicht mitten in einer E-Mail" },
	{ "that is not base64", "das ist kein Base64" },
	{ "cancelled", "abgebrochen" },
	/* commands */
	{ "unknown command", "unbekannter Befehl" },
	{ "line too long", "die Zeile ist zu lang" },
	{ "lines end in CR LF", "Zeilen enden mit CR LF" },
	{ "NUL is not allowed", "NUL ist nicht erlaubt" },
	{ "* comes first", "erst kommt *" },
	{ "one mail at a time", "eine E-Mail nach der anderen" },
	{ "no valid recipients", "es gibt keinen gueltigen Empfaenger" },
	{ "DATA takes nothing", "hinter DATA steht nichts" },
	{ "STARTTLS takes nothing", "hinter STARTTLS steht nichts" },
	{ "go on with BDAT", "weiter mit BDAT" },
	{ "BINARYMIME goes by BDAT", "BINARYMIME kommt mit BDAT" },
	{ "give a host name or an address in [ ]",
	    "ein Rechnername oder eine Adresse in [ ] fehlt" },
	{ "too late, you are logged in", "zu spaet, Sie sind angemeldet" },
	{ "the connection is encrypted already",
	    "die Verbindung ist schon verschluesselt" },
	/* addresses */
	{ "syntax error", "Fehler in der Adresse: bitte Schreibweise pruefen" },
	{ "bad address", "das ist keine E-Mail-Adresse: bitte pruefen" },
	{ "bad quoted local part",
	    "der Teil vor dem @ hat falsche Anfuehrungszeichen" },
	{ "bad domain in address",
	    "der Teil hinter dem @ ist falsch: bitte pruefen" },
	{ "not UTF-8", "die Adresse ist nicht in UTF-8" },
	{ "an address is missing", "die Adresse fehlt" },
	{ "the address has no domain",
	    "der Adresse fehlt der Teil ab dem @: bitte ergaenzen" },
	{ "an address has an @",
	    "der Adresse fehlt der Teil ab dem @: bitte ergaenzen" },
	{ "an address has one @", "eine Adresse hat nur ein @" },
	{ "the name is too long", "der Name ist zu lang" },
	{ "the name is not UTF-8", "der Name ist nicht in UTF-8" },
	{ "the name has two dots in a row",
	    "der Name hat zwei Punkte hintereinander" },
	{ "the name has a byte that no name may have",
	    "der Name hat ein Zeichen, das er nicht haben darf" },
	{ "the part before @ is too long", "der Teil vor dem @ ist zu lang" },
	{ "the domain is empty", "der Teil hinter dem @ fehlt" },
	{ "the domain is too long", "der Teil hinter dem @ ist zu lang" },
	{ "that is no domain name", "das ist kein Domainname" },
	{ "the domain has letters that no domain may have",
	    "der Domainname hat Zeichen, die er nicht haben darf" },
	{ "this mailbox is suspended", "dieses Postfach ist gesperrt" },
	/* parameters */
	{ "too many parameters", "zu viele Angaben" },
	{ "bad parameter", "falsche Angabe" },
	{ "bad value of *", "falscher Wert von *" },
	{ "unknown parameter", "unbekannte Angabe" },
	{ "a parameter comes twice", "eine Angabe kommt zweimal" },
	/* limits, and the end */
	{ "too many header fields", "zu viele Kopfzeilen" },
	{ "* too many errors", "* zu viele Fehler" },
	{ "* idle for too long, goodbye", "* zu lange nichts gehoert" },
	{ "* the server stops, try again",
	    "* der Server haelt an, bitte noch einmal versuchen" },
	{ "* too many connections from your address",
	    "* zu viele Verbindungen von Ihrer Adresse" },
	{ "* too many connections from your network",
	    "* zu viele Verbindungen aus Ihrem Netz" },
	{ "* too many connections, try again later",
	    "* zu viele Verbindungen, bitte spaeter noch einmal" },
};

/* Does text fit, and what is in place of the stars?  A star ends where what
 * follows it is first found; the last takes all. */
static bool
fits(struct slice pattern, struct slice text, struct slice stars[STARS])
{
	size_t n = 0;

	for (;;) {
		size_t star = slice_chr(pattern, '*'), end;
		struct slice rest;

		if (!slice_starts(text, slice_sub(pattern, 0, star)))
			return false;
		text = slice_from(text, star);
		if (star == pattern.n)
			return text.n == 0;
		pattern = slice_from(pattern, star + 1);
		rest = slice_sub(pattern, 0, slice_chr(pattern, '*'));
		end = rest.n == 0 ? text.n : slice_find(text, rest);
		if (end == 0 || n == STARS)
			return false;
		stars[n++] = slice_sub(text, 0, end);
		text = slice_from(text, end);
	}
}

static bool translate(struct slice en, unsigned depth, char *out, size_t cap);

/* What stands for a star, in German where that is known. */
static size_t
put_star(struct slice star, unsigned depth, char *out, size_t cap)
{
	char de[PIECE_MAX];

	if (depth < DEPTH_MAX && translate(star, depth + 1, de, sizeof(de)))
		star = slice_str(de);
	if (star.n >= cap)
		return cap;
	if (star.n != 0)
		memcpy(out, star.p, star.n);
	return star.n;
}

static bool
put(const char *de, const struct slice *stars, unsigned depth, char *out,
    size_t cap)
{
	size_t n = 0;

	for (; *de != '\0' && n < cap; de++)
		if (*de == '*')
			n += put_star(*stars++, depth, out + n, cap - n);
		else
			out[n++] = *de;
	if (n >= cap)
		return false;
	out[n] = '\0';
	return true;
}

static bool
translate(struct slice en, unsigned depth, char *out, size_t cap)
{
	struct slice stars[STARS] = { 0 };

	for (size_t i = 0; i < PH_LEN(texts); i++)
		if (fits(slice_str(texts[i].en), en, stars))
			return put(texts[i].de, stars, depth, out, cap);
	return false;
}

bool
german(const char *en, char *out, size_t cap)
{
	if (translate(slice_str(en), 0, out, cap))
		return true;
	out[0] = '\0';
	return false;
}
