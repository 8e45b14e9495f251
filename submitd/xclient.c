#include "submitd/xclient.h"

#include <arpa/inet.h>

#include "lib/base/num.h"
#include "submitd/parse.h"

/* "[UNAVAILABLE]" and "[TEMPUNAVAIL]" */
static bool
is_unknown(struct slice v)
{
	return v.n != 0 && v.p[0] == '[';
}

static bool
take_addr(struct xclient *t, struct slice v)
{
	uint8_t bytes[16];

	if (is_unknown(v))
		return true;
	if (slice_istarts(v, SLICE("IPV6:")))
		v = slice_from(v, 5);
	t->has_ip = slice_copy(v, t->ip, sizeof(t->ip)) &&
		    (inet_pton(AF_INET, t->ip, bytes) == 1 ||
			inet_pton(AF_INET6, t->ip, bytes) == 1);
	return t->has_ip;
}

static bool
take_port(struct xclient *t, struct slice v)
{
	return is_unknown(v) || num_parse(v, UINT16_MAX, &t->port);
}

static bool
take_helo(struct xclient *t, struct slice v)
{
	return is_unknown(v) ||
	       (smtp_helo_ok(v) && slice_copy(v, t->helo, sizeof(t->helo)));
}

static bool
take_proto(struct xclient *t, struct slice v)
{
	(void)t;
	return is_unknown(v) || slice_ieq(v, SLICE("SMTP")) ||
	       slice_ieq(v, SLICE("ESMTP"));
}

/* We look nobody up, so nobody need tell us. */
static bool
take_name(struct xclient *t, struct slice v)
{
	(void)t;
	return v.n != 0;
}

static const struct {
	const char *key;
	bool (*take)(struct xclient *t, struct slice value);
} attributes[] = {
	{ "ADDR", take_addr },
	{ "PORT", take_port },
	{ "NAME", take_name },
	{ "HELO", take_helo },
	{ "PROTO", take_proto },
};

static bool
take(struct xclient *t, struct slice word)
{
	struct slice key;
	struct buf value;
	bool good = false;

	if (!slice_split(&word, '=', &key) || word.p == NULL)
		return false;
	buf_init(&value, 300);
	for (size_t i = 0; i < PH_LEN(attributes); i++)
		if (slice_ieq_str(key, attributes[i].key))
			good = smtp_xtext(&value, word) &&
			       attributes[i].take(t, buf_slice(&value));
	buf_fini(&value);
	return good;
}

bool
xclient_parse(struct slice rest, struct xclient *out)
{
	struct slice word;
	bool good = rest.n != 0;

	*out = (struct xclient){ 0 };
	while (good && slice_split(&rest, ' ', &word))
		good = word.n == 0 || take(out, word);
	return good;
}
