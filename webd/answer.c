#include "webd/answer.h"

#include <string.h>

#include "auth/ident.h"
#include "lib/crypt/cms.h"
#include "lib/setup/autoconfig.h"
#include "lib/setup/autodiscover.h"
#include "lib/setup/page.h"
#include "lib/setup/profile.h"
#include "lib/setup/words.h"

enum {
	HTTP_OK = 200,
	HTTP_BAD = 400,
	HTTP_GONE = 404,
	HTTP_METHOD = 405,
	HTTP_BROKEN = 500,
	HTTP_EARLY = 503
};

static const char type_xml[] = "text/xml; charset=utf-8";
static const char type_html[] = "text/html; charset=utf-8";
static const char type_text[] = "text/plain; charset=utf-8";
static const char type_json[] = "application/json";
static const char type_profile[] = "application/x-apple-aspen-config";

/* A request under way. */
struct work {
	const struct answer_host *host;
	const struct ask *ask;
	struct answer *an;
	char address[IDENT_MAX + 1]; /* folded; "" when none was told */
	const char *domain;          /* of the address, or of the Host field */
	char by_host[IDENT_MAX + 1];
	char server[SETUP_NAME_MAX + 1];
	struct setup setup;
};

static void
say(struct answer *an, unsigned status, const char *text)
{
	an->status = status;
	an->type = type_text;
	buf_clear(&an->body);
	buf_printf(&an->body, "%s\n", text);
}

/* An address has no blanks, but its "+" comes as one when it was not
 * escaped. */
static bool
fold_address(struct slice in, char out[IDENT_MAX + 1])
{
	char copy[IDENT_MAX + 1];

	if (!slice_copy(slice_trim(in), copy, sizeof(copy)))
		return false;
	for (char *p = copy; *p != '\0'; p++)
		if (*p == ' ')
			*p = '+';
	return ident_fold_address(slice_str(copy), out, NULL) == 0 &&
	       out[0] != '@';
}

/* "autoconfig.kunde.example:443": whose. */
static bool
fold_host(struct slice host, char out[IDENT_MAX + 1])
{
	static const struct slice first[] = { SLICE("autoconfig."),
		SLICE("autodiscover."), SLICE("www.") };

	host = slice_sub(host, 0, slice_chr(host, ':'));
	for (size_t i = 0; i < PH_LEN(first); i++)
		if (slice_istarts(host, first[i])) {
			host = slice_from(host, first[i].n);
			break;
		}
	return host.n != 0 && ident_fold_domain(host, out, NULL) == 0;
}

/* "de-AT,de;q=0.9,en": the first that we speak.  Order stands for weight, as
 * programs send it. */
static const char *
language(const struct work *w)
{
	struct slice rest = w->ask->accept_language, item;
	const struct words *words;

	for (size_t i = 0; (words = words_at(i)) != NULL; i++)
		if (slice_ieq_str(w->ask->lang, words->lang))
			return words->lang;
	while (slice_split(&rest, ',', &item)) {
		item = slice_sub(slice_trim(item), 0, 2);
		for (size_t i = 0; (words = words_at(i)) != NULL; i++)
			if (slice_ieq_str(item, words->lang))
				return words->lang;
	}
	return w->host->conf->lang;
}

/* Whose settings; false: nobody's that we know. */
static bool
take_domain(struct work *w)
{
	w->domain =
	    w->address[0] != '\0' ? strrchr(w->address, '@') + 1 : w->by_host;
	return w->domain[0] != '\0' &&
	       domains_has(w->host->domains, slice_str(w->domain)) &&
	       setup_server(w->host->conf, slice_str(w->domain), w->server);
}

static void
take_setup(struct work *w)
{
	setup_init(&w->setup, w->host->conf);
	w->setup.server = w->server;
	w->setup.address = w->setup.login = w->address;
	w->setup.lang = language(w);
}

/* By an address, else by the name that the program asked at. */
static void
autoconfig(struct work *w)
{
	const struct ask *a = w->ask;

	if (a->address.p != NULL && !fold_address(a->address, w->address)) {
		say(w->an, HTTP_BAD, "emailaddress is no mail address");
		return;
	}
	if (a->address.p == NULL && !fold_host(a->host, w->by_host)) {
		say(w->an, HTTP_BAD, "emailaddress is missing");
		return;
	}
	if (!take_domain(w)) {
		say(w->an, HTTP_GONE, "not a domain of this host");
		return;
	}
	take_setup(w);
	w->an->type = type_xml;
	autoconfig_write(&w->setup, w->domain, &w->an->body);
}

/* Errors are told in the XML, with status 200, as Exchange does. */
static void
autodiscover(struct work *w)
{
	struct autodiscover ad;

	w->an->type = type_xml;
	if (w->ask->method != METHOD_POST ||
	    !autodiscover_read(w->ask->body, &ad) ||
	    !fold_address(slice_str(ad.address), w->address)) {
		autodiscover_error(600, "Invalid Request", &w->an->body);
	} else if (!ad.outlook) {
		autodiscover_error(
		    601, "Provider is not available", &w->an->body);
	} else if (!take_domain(w)) {
		autodiscover_error(
		    500, "The email address can't be found.", &w->an->body);
	} else {
		take_setup(w);
		autodiscover_write(&w->setup, &w->an->body);
	}
}

/* Newer Outlooks first ask where to ask, in JSON; the address stands in the
 * path. */
static void
autodiscover_json(struct work *w)
{
	struct slice path = w->ask->path;
	struct slice last = slice_from(path, slice_rchr(path, '/') + 1);

	w->an->type = type_json;
	if ((!fold_address(last, w->address) &&
		!fold_address(w->ask->address, w->address)) ||
	    !take_domain(w)) {
		w->an->status = HTTP_GONE;
		buf_add_str(&w->an->body,
		    "{\"ErrorCode\":\"UserNotFound\",\"ErrorMessage\":"
		    "\"The address is in no domain of this host.\"}\n");
		return;
	}
	buf_printf(&w->an->body,
	    "{\"Protocol\":\"AutodiscoverV1\",\"Url\":\"https://"
	    "autodiscover.%s/autodiscover/autodiscover.xml\"}\n",
	    w->domain);
}

static void
sign(struct work *w)
{
	struct buf *body = &w->an->body, made;

	if (w->host->key_pem.n == 0)
		return;
	buf_init(&made, ANSWER_MAX);
	if (cms_sign(w->host->chain_pem, w->host->key_pem, buf_slice(body),
		&made, NULL) == 0) {
		buf_clear(body);
		buf_add_slice(body, buf_slice(&made));
	} else {
		w->an->file = NULL;
		say(w->an, HTTP_BROKEN, "the profile cannot be signed");
	}
	buf_fini(&made);
}

static void
profile(struct work *w)
{
	if (!fold_address(w->ask->address, w->address)) {
		say(w->an, HTTP_BAD, "emailaddress is no mail address");
		return;
	}
	if (!take_domain(w)) {
		say(w->an, HTTP_GONE, "not a domain of this host");
		return;
	}
	take_setup(w);
	if (!profile_write(&w->setup, &w->an->body)) {
		say(w->an, HTTP_GONE, "neither IMAP nor POP3 here");
		return;
	}
	w->an->type = type_profile;
	w->an->file = "mail.mobileconfig";
	sign(w);
}

static void
page(struct work *w)
{
	enum page_kind kind = PAGE_ASK;

	if (w->ask->address.n != 0) {
		bool good =
		    fold_address(w->ask->address, w->address) && take_domain(w);

		kind = good ? PAGE_WEB : PAGE_NOT_OURS;
		w->an->status = good ? HTTP_OK : HTTP_GONE;
	}
	take_setup(w);
	if (kind != PAGE_WEB)
		w->setup.address = w->setup.login = "";
	w->an->type = type_html;
	w->an->lang = w->setup.lang;
	page_write(&w->setup, kind, &w->an->body);
}

/* Paths compare without case, and all of them are tried: Outlook writes
 * /Autodiscover/Autodiscover.xml. */
static const struct route {
	const char *path;
	bool begins; /* more may follow */
	unsigned methods;
	size_t body_max;
	void (*run)(struct work *w);
} routes[] = {
	{ "/mail/config-v1.1.xml", false, METHOD_GET, 0, autoconfig },
	{ "/.well-known/autoconfig/mail/config-v1.1.xml", false, METHOD_GET, 0,
	    autoconfig },
	{ "/autodiscover/autodiscover.xml", false, METHOD_GET | METHOD_POST,
	    ANSWER_BODY_MAX, autodiscover },
	{ "/autodiscover/autodiscover.json", true, METHOD_GET, 0,
	    autodiscover_json },
	{ "/mail.mobileconfig", false, METHOD_GET, 0, profile },
	{ "/settings", false, METHOD_GET, 0, page },
	{ "/", false, METHOD_GET, 0, page },
};

static const struct route *
find(struct slice path)
{
	for (size_t i = 0; i < PH_LEN(routes); i++) {
		struct slice want = slice_str(routes[i].path);

		if (routes[i].begins ? slice_istarts(path, want)
				     : slice_ieq(path, want))
			return &routes[i];
	}
	return NULL;
}

size_t
answer_body_max(struct slice path)
{
	const struct route *r = find(path);

	return r != NULL ? r->body_max : 0;
}

void
answer_make(
    const struct answer_host *h, const struct ask *ask, struct answer *an)
{
	const struct route *r = find(ask->path);
	struct work w = { .host = h, .ask = ask, .an = an };

	*an = (struct answer){ .status = HTTP_OK, .type = type_text };
	buf_init(&an->body, ANSWER_MAX);
	if (r == NULL) {
		say(an, HTTP_GONE, "nothing here");
	} else if ((r->methods & ask->method) == 0) {
		an->allow =
		    r->methods & METHOD_POST ? "GET, HEAD, POST" : "GET, HEAD";
		say(an, HTTP_METHOD, "not in this way");
	} else if (!h->domains->known) {
		say(an, HTTP_EARLY, "the host is starting, try again");
	} else {
		r->run(&w);
	}
	if (buf_failed(&an->body)) {
		buf_fini(&an->body);
		buf_init(&an->body, ANSWER_MAX);
		say(an, HTTP_BROKEN, "the answer is too long");
	}
}
