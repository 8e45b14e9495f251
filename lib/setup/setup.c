#include "lib/setup/setup.h"

#include <string.h>

#include "lib/base/num.h"
#include "lib/base/utf8.h"

static const struct {
	const char *key;
	struct {
		const char *name;
		bool starttls;
	} doors[SETUP_DOORS];
} services[SETUP_SERVICES] = {
	[SETUP_IMAP] = { "imap", { { "imaps", false }, { "imap", true } } },
	[SETUP_POP3] = { "pop3", { { "pop3s", false }, { "pop3", true } } },
	[SETUP_SMTP] = { "smtp",
	    { { "submissions", false }, { "submission", true } } },
};

static const struct {
	const char *name;
	size_t at;
} lists[] = {
	{ "imaps", offsetof(struct conf, listen_imaps) },
	{ "imap", offsetof(struct conf, listen_imap) },
	{ "pop3s", offsetof(struct conf, listen_pop3s) },
	{ "pop3", offsetof(struct conf, listen_pop3) },
	{ "submissions", offsetof(struct conf, listen_submissions) },
	{ "submission", offsetof(struct conf, listen_submission) },
	{ "http", offsetof(struct conf, listen_http) },
};

static const struct conf_list *
list_of(const struct conf *conf, const char *door)
{
	for (size_t i = 0; i < PH_LEN(lists); i++)
		if (strcmp(lists[i].name, door) == 0)
			return (const void *)((const char *)(const void *)conf +
					      lists[i].at);
	return NULL;
}

unsigned
setup_port(const struct conf *conf, const char *door)
{
	const struct conf_list *list = list_of(conf, door);
	struct slice address;
	uint64_t n;

	if (list == NULL || list->n == 0)
		return 0;
	address = slice_str(list->v[0]);
	address = slice_from(address, slice_rchr(address, ':') + 1);
	return num_parse(address, 65535, &n) ? (unsigned)n : 0;
}

void
setup_init(struct setup *s, const struct conf *conf)
{
	*s = (struct setup){ .server = "",
		.login = "",
		.account = "",
		.address = "",
		.lang = conf->lang,
		.provider = conf->settings_provider[0] != '\0'
				? conf->settings_provider
				: conf->hostname };
	for (size_t i = 0; i < SETUP_SERVICES; i++) {
		struct setup_service *v = &s->services[i];

		v->key = services[i].key;
		for (size_t k = 0; k < SETUP_DOORS; k++) {
			unsigned port =
			    setup_port(conf, services[i].doors[k].name);

			if (port != 0)
				v->doors[v->ndoors++] =
				    (struct setup_door){ port,
					    services[i].doors[k].starttls };
		}
	}
}

bool
setup_server(
    const struct conf *conf, struct slice domain, char out[SETUP_NAME_MAX + 1])
{
	struct slice rest = slice_str(conf->settings_server);
	struct buf name;
	size_t at;
	bool ok;

	buf_init(&name, SETUP_NAME_MAX);
	while ((at = slice_find(rest, SLICE("%d"))) != rest.n) {
		buf_add_slice(&name, slice_sub(rest, 0, at));
		buf_add_slice(&name, domain);
		rest = slice_from(rest, at + 2);
	}
	buf_add_slice(&name, rest);
	ok = !buf_failed(&name) &&
	     slice_copy(buf_slice(&name), out, SETUP_NAME_MAX + 1);
	buf_fini(&name);
	return ok;
}

const char *
setup_security(const struct setup_door *door)
{
	return door->starttls ? "STARTTLS" : "SSL/TLS";
}

/* XML 1.0 2.2 Char, less tab and line ends, which no value of ours has. */
static void
escape_one(struct buf *out, uint32_t cp)
{
	static const char *const named[] = { ['&'] = "&amp;",
		['<'] = "&lt;",
		['>'] = "&gt;",
		['"'] = "&quot;",
		['\''] = "&#39;" };

	if (cp < PH_LEN(named) && named[cp] != NULL)
		buf_add_str(out, named[cp]);
	else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xfffe ||
		 cp == 0xffff)
		buf_add_char(out, '?');
	else
		utf8_add(out, cp);
}

void
setup_escape(struct buf *out, struct slice text)
{
	uint32_t cp;

	while (text.n != 0) {
		if (utf8_next(&text, &cp)) {
			escape_one(out, cp);
		} else {
			buf_add_char(out, '?');
			text = slice_from(text, 1);
		}
	}
}
