#include "lib/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 2048,
	PREFIX_MAX = 1024,
	QUOTE_SLOTS = 5,
	QUOTE_BYTES = 200
};

/* The log is the one thing at file scope (STYLE 6). */
static const char *log_program = "posthof";
static enum log_level log_max = LOG_INFO;
static void (*log_tee_fn)(void *arg, struct slice line);
static void *log_tee_arg;

void
log_init(const char *program, enum log_level max_level)
{
	log_program = program;
	log_max = max_level;
}

void
log_tee(void (*fn)(void *arg, struct slice line), void *arg)
{
	log_tee_fn = fn;
	log_tee_arg = arg;
}

enum log_level
log_level_named(const char *word)
{
	static const char *const words[] = { "error", "warn", "info", "debug" };

	for (size_t i = 0; i < PH_LEN(words); i++)
		if (strcmp(word, words[i]) == 0)
			return (enum log_level)i;
	return LOG_INFO;
}

bool
log_wants(enum log_level level)
{
	return level <= log_max;
}

/* Appends " TEXT"; what does not fit is cut. */
static void
put_word(char *line, size_t *n, const char *text)
{
	size_t len = strlen(text), room = PREFIX_MAX - *n;

	if (room < 2)
		return;
	if (len > room - 1)
		len = room - 1;
	line[(*n)++] = ' ';
	memcpy(line + *n, text, len);
	*n += len;
}

/* By hand: printf would be half of what a line costs. */
static size_t
put_prefix(char line[PREFIX_MAX], enum log_level level, const char *id,
    const char *event)
{
	static const char *const levels[] = { "error", "warn", "info",
		"debug" };
	static _Thread_local time_t sec = -1;
	static _Thread_local char when[] = "2026-11-28T00:00:00.";
	struct timespec now;
	struct tm tm;
	unsigned ms;
	size_t n = sizeof(when) - 1;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != sec) {
		sec = now.tv_sec;
		gmtime_r(&sec, &tm);
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S.", &tm);
	}
	ms = (unsigned)(now.tv_nsec / 1000000);
	memcpy(line, when, n);
	line[n++] = (char)('0' + ms / 100);
	line[n++] = (char)('0' + ms / 10 % 10);
	line[n++] = (char)('0' + ms % 10);
	line[n++] = 'Z';
	put_word(line, &n, levels[level]);
	put_word(line, &n, log_program);
	if (id != NULL)
		put_word(line, &n, id);
	put_word(line, &n, event);
	return n;
}

/* The whole line; its length. */
static size_t PH_PRINTF(5, 0)
    put_line(char line[LINE_MAX_BYTES], enum log_level level, const char *id,
	const char *event, const char *fmt, va_list ap)
{
	size_t cap = LINE_MAX_BYTES;
	size_t n = put_prefix(line, level, id, event);

	line[n++] = ' ';
	n += (size_t)vsnprintf(line + n, cap - n - 1, fmt, ap);
	if (n > cap - 2)
		n = cap - 2;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20)
			line[i] = '?';
	line[n++] = '\n';
	return n;
}

/* A log that cannot be written must not stop the mail. */
static void
to_stderr(const char *line, size_t n)
{
	ssize_t put = write(STDERR_FILENO, line, n);

	(void)put;
}

void
log_write(enum log_level level, const char *id, const char *event,
    const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	to_stderr(line, put_line(line, level, id, event, fmt, ap));
	va_end(ap);
}

void
log_to(bool log, const char *id, const char *event, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;
	size_t n;

	log = log && log_wants(LOG_INFO);
	if (!log && log_tee_fn == NULL)
		return;
	va_start(ap, fmt);
	n = put_line(line, LOG_INFO, id, event, fmt, ap);
	va_end(ap);
	if (log)
		to_stderr(line, n);
	if (log_tee_fn != NULL)
		log_tee_fn(log_tee_arg, slice_of(line, n));
}

static char *
put_hex(char *to, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	*to++ = '\\';
	*to++ = 'x';
	*to++ = hex[c >> 4];
	*to++ = hex[c & 15];
	return to;
}

const char *
log_q(struct slice s)
{
	static _Thread_local char slots[QUOTE_SLOTS][QUOTE_BYTES * 4 + 8];
	static _Thread_local unsigned next;
	char *out = slots[next++ % QUOTE_SLOTS], *to = out;

	*to++ = '"';
	for (size_t i = 0; i < s.n && i < QUOTE_BYTES; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
			*to++ = (char)c;
		else
			to = put_hex(to, c);
	}
	if (s.n > QUOTE_BYTES)
		to = stpcpy(to, "...");
	*to++ = '"';
	*to = '\0';
	return out;
}
