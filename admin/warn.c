#include "admin/warn.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/mail/date.h"
#include "storage/account.h"
#include "storage/deliver.h"
#include "storage/fetched.h"
#include "storage/quota.h"

enum {
	PAGE = 256,
	LOW = 80,
	HIGH = 95,
	SLACK = 5, /* percent to come down before the next warning */
	TEXT_MAX_BYTES = 16 << 10
};

/* What a warning says. */
struct warning {
	const struct quota *q;
	bool package; /* the package is what is full */
	struct account ac;
	unsigned level;
	uint64_t fetched, fetched_bytes;
	char host[256];
	bool english;
	int64_t now;
};

/* "1.7 GB", "1,7 GB". */
static const char *
size_text(struct arena *a, uint64_t bytes, bool english)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	uint64_t tenths = bytes / 100; /* of a kB */
	size_t i = 0;

	while (tenths >= 10000 && i + 1 < PH_LEN(units)) {
		tenths /= 1000;
		i++;
	}
	if (tenths >= 1000)
		return arena_printf(
		    a, "%llu %s", (unsigned long long)tenths / 10, units[i]);
	return arena_printf(a, "%llu%c%llu %s", (unsigned long long)tenths / 10,
	    english ? '.' : ',', (unsigned long long)tenths % 10, units[i]);
}

static unsigned
share(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : (unsigned)(part * 100 / whole);
}

static void
head(struct buf *b, const struct warning *w)
{
	const struct slice name = w->ac.name;
	const struct slice what = w->package ? w->ac.package : name;
	/* [English][of the package] */
	/* [English][of the package]: before and behind the name, behind the
	 * number */
	static const char *const subjects[2][2][3] = {
		{ { "Ihr Postfach", "ist zu", "voll" },
		    { "Die Konten von", "sind zu", "voll" } },
		{ { "Your mailbox", "is", "full" },
		    { "The mailboxes of", "are", "full" } },
	};
	const char *const *words = subjects[w->english][w->package];

	buf_add_str(b, "Date: ");
	date_rfc5322(b, w->now, 0);
	buf_printf(b, "\r\nFrom: \"%s\" <postmaster@%s>\r\n",
	    w->english ? "Mail server" : "E-Mail-Server", w->host);
	buf_printf(b, "To: <%.*s@%s>\r\n", (int)name.n, name.p, w->host);
	buf_printf(b, "Subject: %s %.*s %s %u %% %s\r\n", words[0], (int)what.n,
	    what.p, words[1], quota_percent(w->q), words[2]);
	buf_printf(b,
	    "Message-ID: <quota.%llu.%u.%lld@%s>\r\n"
	    "Auto-Submitted: auto-generated\r\n" /* RFC 3834 5 */
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n",
	    (unsigned long long)w->ac.id, w->level, (long long)w->now, w->host);
}

static void
use_de(struct buf *b, struct arena *a, const struct warning *w)
{
	const struct usage_row *own = &w->q->own;
	const struct usage_row *u = w->package ? &w->q->package : own;

	if (w->package)
		buf_printf(b,
		    "Alle Postfächer von %.*s haben zusammen einen Platz.\r\n",
		    (int)w->ac.package.n, w->ac.package.p);
	if (u->limits.bytes_max != 0)
		buf_printf(b, "Belegt sind %s von %s.\r\n",
		    size_text(a, u->bytes, false),
		    size_text(a, u->limits.bytes_max, false));
	if (u->limits.messages_max != 0)
		buf_printf(b,
		    "Es sind %llu von höchstens %llu Nachrichten.\r\n",
		    (unsigned long long)u->messages,
		    (unsigned long long)u->limits.messages_max);
	if (!w->package) {
		buf_add_str(b,
		    "Ist das Postfach ganz voll, werden neue Nachrichten an "
		    "Sie abgewiesen.\r\n\r\n");
		return;
	}
	buf_printf(b,
	    "Ist er ganz voll, werden neue Nachrichten an alle "
	    "abgewiesen.\r\n\r\n"
	    "In Ihrem Postfach %.*s sind %llu Nachrichten mit %s.\r\n",
	    (int)w->ac.name.n, w->ac.name.p, (unsigned long long)own->messages,
	    size_text(a, own->bytes, false));
}

static void
body_de(struct buf *b, struct arena *a, const struct warning *w)
{
	use_de(b, a, w);
	if (w->fetched == 0) {
		buf_add_str(b, "Bitte löschen Sie, was Sie nicht mehr "
			       "brauchen, auch im Papierkorb.\r\n");
		return;
	}
	buf_printf(b,
	    "Davon sind %llu Nachrichten mit %s (%u %%) Kopien, die Ihre\r\n"
	    "E-Mail-Programme per POP3 abgeholt und auf dem Server gelassen "
	    "haben.\r\n",
	    (unsigned long long)w->fetched,
	    size_text(a, w->fetched_bytes, false),
	    share(w->fetched_bytes, w->q->own.bytes));
	if (w->ac.pop3_remove_sec != 0)
		buf_printf(b,
		    "Sie werden %llu Tage, nachdem alle Ihre Programme sie "
		    "abgeholt haben,\r\nvon selbst gelöscht.\r\n",
		    (unsigned long long)w->ac.pop3_remove_sec / 86400);
	else
		buf_add_str(b,
		    "Stellen Sie in den Programmen ein, dass Kopien nach "
		    "einiger Zeit vom\r\nServer gelöscht werden, oder bitten "
		    "Sie Ihren Anbieter, das für Ihr\r\nPostfach "
		    "einzuschalten.\r\n");
}

static void
use_en(struct buf *b, struct arena *a, const struct warning *w)
{
	const struct usage_row *own = &w->q->own;
	const struct usage_row *u = w->package ? &w->q->package : own;
	const char *who = w->package ? "Together they hold" : "It holds";

	if (w->package)
		buf_printf(b, "All mailboxes of %.*s share one space.\r\n",
		    (int)w->ac.package.n, w->ac.package.p);
	if (u->limits.bytes_max != 0)
		buf_printf(b, "%s %s of %s.\r\n", who,
		    size_text(a, u->bytes, true),
		    size_text(a, u->limits.bytes_max, true));
	if (u->limits.messages_max != 0)
		buf_printf(b, "%s %llu of at most %llu messages.\r\n", who,
		    (unsigned long long)u->messages,
		    (unsigned long long)u->limits.messages_max);
	if (!w->package) {
		buf_add_str(b, "When it is full, new messages to you are "
			       "refused.\r\n\r\n");
		return;
	}
	buf_printf(b,
	    "When it is full, new messages to all of them are "
	    "refused.\r\n\r\n"
	    "Your mailbox %.*s has %llu messages with %s.\r\n",
	    (int)w->ac.name.n, w->ac.name.p, (unsigned long long)own->messages,
	    size_text(a, own->bytes, true));
}

static void
body_en(struct buf *b, struct arena *a, const struct warning *w)
{
	use_en(b, a, w);
	if (w->fetched == 0) {
		buf_add_str(b, "Please delete what you do not need any more, "
			       "in the trash as well.\r\n");
		return;
	}
	buf_printf(b,
	    "Of these, %llu messages with %s (%u %%) are copies that your\r\n"
	    "mail programs have fetched by POP3 and left on the server.\r\n",
	    (unsigned long long)w->fetched,
	    size_text(a, w->fetched_bytes, true),
	    share(w->fetched_bytes, w->q->own.bytes));
	if (w->ac.pop3_remove_sec != 0)
		buf_printf(b,
		    "They are deleted by themselves %llu days after all of "
		    "your programs\r\nhave fetched them.\r\n",
		    (unsigned long long)w->ac.pop3_remove_sec / 86400);
	else
		buf_add_str(b,
		    "Set your programs to remove copies from the server after "
		    "some time, or\r\nask your provider to switch that on for "
		    "your mailbox.\r\n");
}

static int
file(struct store *s, const struct warning *w)
{
	struct deliver_target target = { .account = w->ac.id,
		.prefix = SLICE("Return-Path: <>\r\n"),
		.over_quota = true };
	struct deliver_msg msg = {
		.nparts = 1, .targets = &target, .ntargets = 1
	};
	struct deliver d = { .msgs = &msg, .nmsgs = 1 };
	struct slice part;
	struct arena a;
	struct buf b;
	struct err e;
	int rc = ERR_TOOBIG;

	arena_init(&a);
	buf_init(&b, TEXT_MAX_BYTES);
	head(&b, w);
	if (w->english)
		body_en(&b, &a, w);
	else
		body_de(&b, &a, w);
	part = buf_slice(&b);
	msg.parts = &part;
	if (!buf_failed(&b))
		rc = deliver(s, &d, &e);
	buf_fini(&b);
	arena_clear(&a);
	return rc;
}

static void
host_name(const struct conf *conf, char out[256])
{
	if (slice_copy(slice_str(conf->hostname), out, 256) && out[0] != '\0')
		return;
	if (gethostname(out, 255) != 0)
		(void)slice_copy(SLICE("localhost"), out, 256);
	out[255] = '\0';
}

static int
tell(struct store *s, const struct conf *conf, const struct quota *q,
    unsigned level)
{
	struct warning w = { .q = q,
		.package = quota_is_package(q),
		.level = level,
		.now = clock_wall_sec() };
	struct slice lang;
	struct arena a;
	int rc;

	arena_init(&a);
	rc = account_get_id(s, q->account, &a, &w.ac);
	if (rc == 0)
		rc = fetched_share(s, q->account, &w.fetched, &w.fetched_bytes);
	if (rc == 0) {
		lang = w.ac.lang.n != 0 ? w.ac.lang : slice_str(conf->lang);
		w.english = slice_eq(lang, SLICE("en"));
		host_name(conf, w.host);
		rc = file(s, &w);
	}
	if (rc == 0)
		rc = quota_set_warned(s, q->account, level, w.now);
	log_info(NULL, "quota-warning",
	    "account=%llu percent=%u package=%d fetched=%llu result=%s",
	    (unsigned long long)q->account, quota_percent(q), w.package,
	    (unsigned long long)w.fetched_bytes, err_name(rc));
	arena_clear(&a);
	return rc == ERR_NOTFOUND ? 0 : rc; /* the account has gone */
}

static int
look_at(struct store *s, const struct conf *conf, const struct quota *q,
    bool *told_out)
{
	unsigned p = quota_percent(q);
	unsigned level = p >= HIGH ? HIGH : p >= LOW ? LOW : 0;

	if (level > q->warned) {
		*told_out = true;
		return tell(s, conf, q, level);
	}
	if (level < q->warned && p + SLACK < q->warned)
		return quota_set_warned(s, q->account, level, 0);
	return 0;
}

int
warn_round(struct store *s, const struct conf *conf)
{
	struct quota *page = xcalloc(PAGE, sizeof(*page));
	uint64_t after = 0;
	size_t n = PAGE;
	bool told = false;
	int rc = 0;

	while (rc == 0 && n == PAGE) {
		rc = quota_list(s, after, page, PAGE, &n);
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = look_at(s, conf, &page[i], &told);
		if (n != 0)
			after = page[n - 1].account;
	}
	free(page);
	return rc == 0 && told ? store_sync_now(s) : rc;
}
