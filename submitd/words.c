#include "submitd/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/conf.h"
#include "submitd/german.h"
#include "submitd/resp.h"

static bool
reads_english(const struct client *c)
{
	const char *lang =
	    c->who.account != 0 ? c->who.lang : c->s.sl->srv->conf->lang;

	return strcmp(lang, "en") == 0;
}

void
words_say(struct client *c, const char *head, const char *en, const char *de)
{
	bool english = reads_english(c);
	const char *both[] = { english ? en : de, english ? de : en, NULL };
	const char *one[] = { en, NULL };

	resp_lines(&c->s.out, head,
	    c->role == ROLE_SUBMIT && de[0] != '\0' ? both : one);
}

void
words_tell(struct client *c, const char *head, const char *fmt, ...)
{
	char en[480], de[480];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(en, sizeof(en), fmt, ap);
	va_end(ap);
	(void)german(en, de, sizeof(de));
	words_say(c, head, en, de);
}

void
words_fail(struct client *c, int kind, const char *en, const char *de)
{
	struct resp_fail_row row = resp_fail_of(kind);

	if (en[0] == '\0') {
		en = row.en;
		de = row.de;
	}
	if (de[0] != '\0')
		words_say(c, row.head, en, de);
	else
		words_tell(c, row.head, "%s", en);
}

int
words_refuse(struct client *c, struct err *e, int kind, const char *head,
    const char *en, const char *de)
{
	c->accept_head = head;
	(void)snprintf(c->accept_de, sizeof(c->accept_de), "%s", de);
	return err_set(e, kind, "%s", en);
}
