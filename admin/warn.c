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
	const struct words *words;
	int64_t now;
};

/* Its words; [1] when the package is full.  {x} stands for a fact. */
struct words {
	char point; /* in numbers */
	const char *server, *subject[2];
	const char *shared;      /* for a package */
	const char *bytes[2];    /* with a limit of bytes */
	const char *messages[2]; /* with one of messages */
	const char *full[2];
	const char *please;  /* when nothing was fetched by POP3, */
	const char *fetched; /* else this, and */
	const char *goes;    /* when it goes by itself, */
	const char *advice;  /* else this */
};

static const struct words german = { ',', "E-Mail-Server",
	{ "Ihr Postfach {account} ist zu {percent} % voll",
	    "Die Konten von {package} sind zu {percent} % voll" },
	"Alle Postfächer von {package} haben zusammen einen Platz.\r\n",
	{ "Belegt sind {used} von {room}.\r\n",
	    "Belegt sind {used} von {room}.\r\n" },
	{ "Es sind {messages} von höchstens {limit} Nachrichten.\r\n",
	    "Es sind {messages} von höchstens {limit} Nachrichten.\r\n" },
	{ "Ist das Postfach ganz voll, werden neue Nachrichten an Sie "
	  "abgewiesen.\r\n\r\n",
	    "Ist er ganz voll, werden neue Nachrichten an alle "
	    "abgewiesen.\r\n\r\n"
	    "In Ihrem Postfach {account} sind {own-messages} Nachrichten mit "
	    "{own-used}.\r\n" },
	"Bitte löschen Sie, was Sie nicht mehr brauchen, auch im "
	"Papierkorb.\r\n",
	"Davon sind {fetched} Nachrichten mit {fetched-used} ({share} %) "
	"Kopien, die Ihre\r\n"
	"E-Mail-Programme per POP3 abgeholt und auf dem Server gelassen "
	"haben.\r\n",
	"Sie werden {days} Tage, nachdem alle Ihre Programme sie abgeholt "
	"haben,\r\nvon selbst gelöscht.\r\n",
	"Stellen Sie in den Programmen ein, dass Kopien nach einiger Zeit "
	"vom\r\nServer gelöscht werden, oder bitten Sie Ihren Anbieter, das "
	"für Ihr\r\nPostfach einzuschalten.\r\n" };

static const struct words english = { '.', "Mail server",
	{ "Your mailbox {account} is {percent} % full",
	    "The mailboxes of {package} are {percent} % full" },
	"All mailboxes of {package} share one space.\r\n",
	{ "It holds {used} of {room}.\r\n",
	    "Together they hold {used} of {room}.\r\n" },
	{ "It holds {messages} of at most {limit} messages.\r\n",
	    "Together they hold {messages} of at most {limit} messages.\r\n" },
	{ "When it is full, new messages to you are refused.\r\n\r\n",
	    "When it is full, new messages to all of them are "
	    "refused.\r\n\r\n"
	    "Your mailbox {account} has {own-messages} messages with "
	    "{own-used}.\r\n" },
	"Please delete what you do not need any more, in the trash as "
	"well.\r\n",
	"Of these, {fetched} messages with {fetched-used} ({share} %) are "
	"copies that your\r\n"
	"mail programs have fetched by POP3 and left on the server.\r\n",
	"They are deleted by themselves {days} days after all of your "
	"programs\r\nhave fetched them.\r\n",
	"Set your programs to remove copies from the server after some time, "
	"or\r\nask your provider to switch that on for your mailbox.\r\n" };

/* "1.7 GB", "1,7 GB". */
static void
put_size(struct buf *b, uint64_t bytes, char point)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	uint64_t tenths = bytes / 100; /* of a kB */
	size_t i = 0;

	while (tenths >= 10000 && i + 1 < PH_LEN(units)) {
		tenths /= 1000;
		i++;
	}
	buf_add_u64(b, tenths / 10);
	if (tenths < 1000)
		buf_printf(b, "%c%u", point, (unsigned)(tenths % 10));
	buf_printf(b, " %s", units[i]);
}

static void
put_fact(struct buf *b, const struct warning *w, struct slice name)
{
	const struct usage_row *own = &w->q->own;
	const struct usage_row *u = w->package ? &w->q->package : own;
	const struct {
		const char *name;
		uint64_t v;
		bool size;
	} facts[] = {
		{ "percent", quota_percent(w->q), false },
		{ "used", u->bytes, true },
		{ "room", u->limits.bytes_max, true },
		{ "messages", u->messages, false },
		{ "limit", u->limits.messages_max, false },
		{ "own-used", own->bytes, true },
		{ "own-messages", own->messages, false },
		{ "fetched", w->fetched, false },
		{ "fetched-used", w->fetched_bytes, true },
		{ "share",
		    own->bytes == 0 ? 0 : w->fetched_bytes * 100 / own->bytes,
		    false },
		{ "days", w->ac.pop3_remove_sec / 86400, false },
	};

	if (slice_eq(name, SLICE("account")))
		buf_add_slice(b, w->ac.name);
	else if (slice_eq(name, SLICE("package")))
		buf_add_slice(b, w->ac.package);
	for (size_t i = 0; i < PH_LEN(facts); i++)
		if (slice_eq(name, slice_str(facts[i].name))) {
			if (facts[i].size)
				put_size(b, facts[i].v, w->words->point);
			else
				buf_add_u64(b, facts[i].v);
		}
}

static void
say(struct buf *b, const struct warning *w, const char *text)
{
	struct slice rest = slice_str(text), piece, name;

	while (slice_split(&rest, '{', &piece)) {
		buf_add_slice(b, piece);
		if (slice_split(&rest, '}', &name))
			put_fact(b, w, name);
	}
}

static void
head(struct buf *b, const struct warning *w)
{
	buf_add_str(b, "Date: ");
	date_rfc5322(b, w->now, 0);
	buf_printf(b, "\r\nFrom: \"%s\" <postmaster@%s>\r\n", w->words->server,
	    w->host);
	buf_printf(b, "To: <%.*s@%s>\r\nSubject: ", (int)w->ac.name.n,
	    w->ac.name.p, w->host);
	say(b, w, w->words->subject[w->package]);
	buf_printf(b,
	    "\r\nMessage-ID: <quota.%llu.%u.%lld@%s>\r\n"
	    "Auto-Submitted: auto-generated\r\n" /* RFC 3834 5 */
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n",
	    (unsigned long long)w->ac.id, w->level, (long long)w->now, w->host);
}

static void
body(struct buf *b, const struct warning *w)
{
	const struct words *x = w->words;
	const struct usage_limits *l =
	    w->package ? &w->q->package.limits : &w->q->own.limits;

	if (w->package)
		say(b, w, x->shared);
	if (l->bytes_max != 0)
		say(b, w, x->bytes[w->package]);
	if (l->messages_max != 0)
		say(b, w, x->messages[w->package]);
	say(b, w, x->full[w->package]);
	if (w->fetched == 0) {
		say(b, w, x->please);
		return;
	}
	say(b, w, x->fetched);
	say(b, w, w->ac.pop3_remove_sec != 0 ? x->goes : x->advice);
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
	struct buf b;
	struct err e;
	int rc = ERR_TOOBIG;

	buf_init(&b, TEXT_MAX_BYTES);
	head(&b, w);
	body(&b, w);
	part = buf_slice(&b);
	msg.parts = &part;
	if (!buf_failed(&b))
		rc = deliver(s, &d, &e);
	buf_fini(&b);
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
		w.words = slice_eq(lang, SLICE("en")) ? &english : &german;
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
